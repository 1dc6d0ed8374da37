//! The code length of an archive's data, the lower bound of its streams.

use super::error::Error;
use super::input::Input;
use super::layout::Front;
use super::models::Models;
use super::read::{Lazy, read_block};
use crate::block::Progress;
use std::io::Read;

/// The code length of each block in bits: the sum of `-log2` of the
/// probabilities with which its stream is coded, a lower bound for any coder. For a
/// raw block it is eight bits per byte.
///
/// Decodes every block. `progress` is called with the number of original bytes done
/// since the last call.
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
    let mut lazy = Lazy::new(models, &front)?;
    let mut bits = Vec::new();
    loop {
        let number = bits.len() as u64;
        let stored = read_block(&mut input, number, front.terms, lazy.exists())?;
        lazy.prepare(number, &stored.extent())?;
        bits.push(stored.code_length(number, lazy.get(), progress)?);
        if stored.last {
            return Ok(bits);
        }
    }
}
