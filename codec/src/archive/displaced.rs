//! Blocks that lie where others should.

use super::error::Error;
use super::input::Input;
use super::layout::Terms;
use super::read::Frame;
use super::seek::Place;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, SeekFrom};

/// In archives of more blocks none is looked for: each is compared with the numbers of all.
const MOST: usize = 4096;

/// Where intact blocks lie, by number: at the places of an index, and where the headers from
/// `start` on lead.
///
/// # Errors
/// Errors of reading.
pub(super) fn blocks(
    input: &mut (impl Read + Seek),
    start: u64,
    terms: Terms,
    places: &[Place],
) -> Result<BTreeMap<u64, u64>, Error> {
    let mut found = BTreeMap::new();
    // Blocks of version 1 do not say which they are.
    if terms.version == 1 || places.len() > MOST {
        return Ok(found);
    }
    let mut unread: BTreeSet<u64> = places.iter().map(|place| place.start).collect();
    unread.insert(start);
    while let Some(at) = unread.pop_first() {
        input.seek(SeekFrom::Start(at)).map_err(Error::Read)?;
        let mut block = Input::new(&mut *input, at);
        match Frame::read(&mut block, terms, true) {
            Err(Error::Read(error)) => return Err(Error::Read(error)),
            Err(_) => {}
            Ok(frame) => {
                if let Some(number) = frame.number(0..places.len() as u64) {
                    found.entry(number).or_insert(at);
                }
                if !frame.header.last {
                    unread.insert(block.offset);
                }
            }
        }
    }
    Ok(found)
}
