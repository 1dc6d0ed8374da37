//! Saving what can be saved of a damaged archive.

use super::error::Error;
use super::input::Input;
use super::layout::Header;
use super::read::{Models, read_block};
use super::seek::places;
use std::io::{Read, Seek, SeekFrom, Write};

/// What came of it.
#[derive(Debug, Default)]
pub struct Salvaged {
    /// Bytes of the original that were recovered.
    pub recovered: u64,
    /// Bytes known to be lost, written as zeros.
    pub lost: u64,
    /// What was found wrong, in order.
    pub damage: Vec<Error>,
}

/// Writes every block that is intact, and zeros in place of those that are not
/// but whose length is known, so that the rest stays where it was.
///
/// Blocks are found by the index at the end, or without it from front to end as
/// far as their headers make sense.
///
/// # Errors
/// A header that is no archive's or whose model is damaged or missing: then
/// nothing can be decoded. Reading and writing.
pub fn salvage(
    mut input: impl Read + Seek,
    mut output: impl Write,
    models: &Models,
) -> Result<Salvaged, Error> {
    let mut front = Input::new(&mut input, 0);
    let (header, model_at) = Header::read(&mut front)?;
    let start = front.offset;
    let model = models.resolve(&header, model_at)?;
    let model = model.as_deref();
    let mut done = Salvaged::default();
    let index = places(&mut input, start).ok();
    let mut at = start;
    for number in 0.. {
        let place = match &index {
            Some(places) => match places.get(number as usize) {
                Some(place) => Some(*place),
                None => break,
            },
            None => None,
        };
        let at_block = place.map_or(at, |p| p.start);
        input.seek(SeekFrom::Start(at_block)).map_err(Error::Read)?;
        let mut block = Input::new(&mut input, at_block);
        let stored = read_block(&mut block, number, model.is_some());
        at = block.offset;
        let last = stored.as_ref().is_ok_and(|s| s.last);
        let known = stored.as_ref().ok().map(|s| s.raw as u64);
        match stored.and_then(|stored| stored.decode(number, model)) {
            Ok(bytes) => {
                output.write_all(&bytes).map_err(Error::Write)?;
                done.recovered += bytes.len() as u64;
            }
            Err(error) => {
                let length = place.map(|p| p.raw).or(known);
                let lost = length.unwrap_or(0);
                let zeros = std::io::copy(&mut std::io::repeat(0).take(lost), &mut output);
                zeros.map_err(Error::Write)?;
                done.lost += lost;
                done.damage.push(error);
                if length.is_none() {
                    break; // nobody knows where the next one starts
                }
            }
        }
        if last && index.is_none() {
            break;
        }
    }
    output.flush().map_err(Error::Write)?;
    Ok(done)
}
