//! What the streams of an archive would take at least.

use super::error::Error;
use super::input::Input;
use super::layout::Front;
use super::read::{Models, read_block};
use crate::block::Progress;
use std::io::Read;

/// The code length of each block's bytes in bits: the sum of `-log2` of the
/// frequencies that their stream is coded with, which no coder gets below. For a
/// raw block these are its bits.
///
/// Every block is decoded for it. `progress` is told how many more bytes of the
/// original are done.
///
/// # Errors
/// A damaged archive or a missing model, up to the last block.
pub fn entropy(
    input: impl Read,
    models: &Models,
    progress: Progress<'_>,
) -> Result<Vec<f64>, Error> {
    let mut input = Input::new(input, 0);
    let front = Front::read(&mut input)?;
    let model = models.resolve(&front)?;
    let model = model.as_deref();
    let mut bits = Vec::new();
    loop {
        let number = bits.len() as u64;
        let stored = read_block(&mut input, number, front.terms, model.is_some())?;
        bits.push(stored.code_length(number, model, progress)?);
        if stored.last {
            return Ok(bits);
        }
    }
}
