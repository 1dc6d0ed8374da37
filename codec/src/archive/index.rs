//! The index at the end of an archive of several blocks.

use super::error::Error;
use super::input::Input;
use super::layout::{MAX_BLOCK, check, matches};
use crate::block::can_hold;
use brevity_model::varint;

/// Sizes of the blocks of an archive that has several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// For each block, its bytes in the original and in the archive, including the
    /// block's header.
    pub blocks: Vec<(u64, u64)>,
}

impl Index {
    /// Bytes of the fixed part at the end: length and checksum.
    pub const TAIL: usize = 8;

    /// The bytes of the index, after the last block: a pair of varints per block,
    /// their total length in four bytes, a checksum.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for &(raw, stored) in &self.blocks {
            varint::put(&mut out, raw);
            varint::put(&mut out, stored);
        }
        let length = out.len() as u32;
        let check = check(&[&out, &length.to_le_bytes()]);
        out.extend(length.to_le_bytes());
        out.extend(check);
        out
    }

    /// Reads the pairs of an index whose checksum matches.
    pub fn from_bytes(bytes: &[u8], offset: u64) -> Result<Index, Error> {
        let malformed = Error::Malformed {
            offset,
            what: "the block index does not match its checksum",
        };
        let Some((covered, tail)) = bytes.split_last_chunk::<4>() else {
            return Err(malformed);
        };
        let Some((pairs, length)) = covered.split_last_chunk::<4>() else {
            return Err(malformed);
        };
        let whole = u32::from_le_bytes(*length) as usize == pairs.len();
        if !whole || !matches(&[pairs, length], *tail) {
            return Err(malformed);
        }
        let mut input = Input::new(pairs, offset);
        let mut blocks = Vec::new();
        while input.offset < offset + pairs.len() as u64 {
            let raw = input.varint(MAX_BLOCK as u64, "the block index")?;
            let stored = input.varint(2 * MAX_BLOCK as u64, "the block index")?;
            if !can_hold(stored, raw) {
                return Err(Error::Malformed {
                    offset,
                    what: "the block index has a block that is longer than its bytes can hold",
                });
            }
            blocks.push((raw, stored));
        }
        Ok(Index { blocks })
    }
}
