//! Blocks that lie where the index has others.

use super::error::Error;
use super::layout::Terms;
use super::read::Frame;
use super::seek::Place;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

/// In longer archives none is looked for: that would compare each block with all numbers.
const MOST: usize = 4096;

/// Blocks are read until they come to this many times the bytes of the archive, whose index
/// may be forged.
const MOST_READ: u64 = 4;

/// Where intact blocks lie, by number: at the places of an index, and where the headers from
/// `start` on lead. Each is as long as the index says.
///
/// # Errors
/// Errors of reading.
pub(super) fn blocks(
    input: &mut (impl Read + Seek),
    start: u64,
    terms: Terms,
    has_model: bool,
    places: &[Place],
) -> Result<BTreeMap<u64, u64>, Error> {
    let mut found = BTreeMap::new();
    // Blocks of version 1 do not say which they are.
    if terms.version == 1 || places.len() > MOST {
        return Ok(found);
    }
    let mut unread: BTreeSet<u64> = places.iter().map(|place| place.start).collect();
    unread.insert(start);
    let end = places.iter().map(Place::end).max().unwrap_or(start);
    let mut left = MOST_READ.saturating_mul(end - start);
    while let Some(at) = unread.pop_first() {
        let (frame, behind) = match Frame::at(input, at, terms, has_model) {
            Err(Error::Read(error)) => return Err(Error::Read(error)),
            Err(_) => continue,
            Ok(read) => read,
        };
        let mut as_long = (0..)
            .zip(places)
            .filter(|(_, place)| place.agrees(&frame.header));
        let number = as_long.find_map(|(number, _)| frame.number(number..number + 1));
        if let Some(number) = number {
            found.entry(number).or_insert(at);
        }
        unread.insert(behind);
        left = left.saturating_sub(behind - at);
        if left == 0 {
            break;
        }
    }
    Ok(found)
}
