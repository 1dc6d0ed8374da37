//! Coding and decoding of a block by context models alone.

use super::{Failure, Progress};
use crate::coder::{ByteDecoder, ByteEncoder, Given, Wanted};
use crate::mixing::Mixing;

/// Bytes between two calls of a [`Progress`].
const STRIDE: usize = 1 << 15;

/// The stream of context models alone, and the hash of its frequencies. From time to time,
/// `tell` gets the bytes that will not change.
pub(super) fn encode(
    bytes: &[u8],
    mut mixture: Mixing,
    progress: Progress<'_>,
    mut tell: impl FnMut(&[u8]),
) -> (Vec<u8>, u32) {
    let mut coder = ByteEncoder::default();
    for part in bytes.chunks(STRIDE) {
        let given = Given {
            coder,
            bytes: part.iter(),
        };
        coder = mixture.code_all(given).coder;
        progress(part.len() as u64);
        tell(coder.settled());
    }
    coder.finish()
}

/// Decodes `length` bytes.
pub(super) fn decode(
    coder: &mut ByteDecoder,
    mut mixture: Mixing,
    length: usize,
    progress: Progress<'_>,
) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::with_capacity(length);
    while out.len() < length {
        let start = out.len();
        mixture.code_all(Wanted {
            coder,
            out: &mut out,
            length: length.min(start + STRIDE),
            least: 0,
        });
        if coder.decoder.overrun() {
            return Err(Failure::Stream);
        }
        progress((out.len() - start) as u64);
    }
    Ok(out)
}
