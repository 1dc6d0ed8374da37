//! The header of a damaged archive, restored.
//!
//! The first bytes of an archive have no check of their own, but few values, and the check
//! of each block covers level and memory. So damage of a byte is undone by trying what it
//! may have been: the values that the first block confirms are right.

use super::error::Error;
use super::input::Input;
use super::layout::{BlockHeader, Front, MAGIC, VERSION};
use super::read::read_block;
use crate::cm::{self, Level};
use std::io::{Cursor, ErrorKind, Read, Seek, SeekFrom};

/// Bytes with fields of fixed length: magic number, version, engine and kind of model,
/// level, memory.
const HEAD: usize = 8;

/// The level and the memory in these bytes, in versions after the first.
const LEVEL: usize = 5;
const MEMORY: usize = 6;

/// Reads an archive up to its first block. Returns that, the offset of the block, and the
/// damage of the header, if some had to be undone.
///
/// # Errors
/// An invalid header that no such change makes fit the first block; errors of reading.
pub(super) fn front(input: &mut (impl Read + Seek)) -> Result<(Front, u64, Option<Error>), Error> {
    let mut stored = [0; HEAD];
    input.seek(SeekFrom::Start(0)).map_err(Error::Read)?;
    match input.read_exact(&mut stored) {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => {}
        Err(e) => return Err(Error::Read(e)),
    }
    let as_stored = read(input, stored);
    if let Ok((front, start)) = as_stored
        && confirmed(input, &front, start)?
    {
        return Ok((front, start, None));
    }
    for head in changes(input, stored)? {
        let Ok((front, start)) = read(input, head) else {
            continue;
        };
        if confirmed(input, &front, start)? {
            let differs = head.iter().zip(stored).position(|(a, b)| *a != b);
            let damage = Error::Malformed {
                offset: differs.unwrap_or(0) as u64,
                what: "a field of its header; the value that the first block confirms was used",
            };
            return Ok((front, start, Some(damage)));
        }
    }
    // What is damaged may be the first block.
    let (front, start) = read(input, stored)?;
    Ok((front, start, None))
}

/// Reads the archive as if it started with `head`.
fn read(input: &mut (impl Read + Seek), head: [u8; HEAD]) -> Result<(Front, u64), Error> {
    input
        .seek(SeekFrom::Start(HEAD as u64))
        .map_err(Error::Read)?;
    let mut input = Input::new(Cursor::new(head).chain(input), 0);
    let front = Front::read(&mut input)?;
    Ok((front, input.offset))
}

/// Whether the first block matches its check.
///
/// # Errors
/// Errors of reading.
fn confirmed(input: &mut (impl Read + Seek), front: &Front, start: u64) -> Result<bool, Error> {
    input.seek(SeekFrom::Start(start)).map_err(Error::Read)?;
    match read_block(&mut Input::new(input, start), 0, front.terms, true) {
        Err(Error::Read(error)) => Err(Error::Read(error)),
        block => Ok(block.is_ok()),
    }
}

/// What the header may have been: for each version with the fields that it fixes, each
/// level with the memory that the first block takes at it, and each bit of the others.
fn changes(input: &mut (impl Read + Seek), stored: [u8; HEAD]) -> Result<Vec<[u8; HEAD]>, Error> {
    let mut heads = Vec::new();
    for version in (1..=VERSION).rev() {
        let mut base = stored;
        base[..3].copy_from_slice(&MAGIC);
        base[3] = version;
        // Each version has had one engine, with the same number.
        base[4] = stored[4] & 0xF0 | version;
        heads.push(base);
        for bit in 36..8 * HEAD {
            let mut head = base;
            head[bit / 8] ^= 1 << (bit % 8);
            heads.push(head);
        }
        // Without context models the fields end with the level.
        let mut none = base;
        none[LEVEL] = 0;
        heads.push(none);
        for level in Level::ALL {
            let mut head = base;
            head[LEVEL] = level.number();
            heads.push(head);
            head[MEMORY..].fill(0xFF);
            if let Some(memory) = first_memory(input, head, level)? {
                head[MEMORY..].copy_from_slice(&memory.to_le_bytes());
                heads.push(head);
            }
        }
    }
    Ok(heads)
}

/// The memory that context models of `level` take for the first block, MiB; `None` if
/// there is no such block behind `head`.
///
/// # Errors
/// Errors of reading.
fn first_memory(
    input: &mut (impl Read + Seek),
    head: [u8; HEAD],
    level: Level,
) -> Result<Option<u16>, Error> {
    let Ok((front, start)) = read(input, head) else {
        return Ok(None);
    };
    input.seek(SeekFrom::Start(start)).map_err(Error::Read)?;
    match BlockHeader::read(&mut Input::new(input, start), front.terms) {
        Ok(block) => {
            let lanes = 1 << block.lanes_log2;
            let memory = cm::most_memory(level, lanes, block.raw).div_ceil(1 << 20);
            Ok(memory.try_into().ok())
        }
        Err(Error::Read(error)) => Err(Error::Read(error)),
        Err(_) => Ok(None),
    }
}
