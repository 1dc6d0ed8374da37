//! Where blocks lie without an index: from header to header.

use super::error::Error;
use super::layout::Terms;
use super::read::Frame;
use super::seek::Place;
use super::sought::{Sought, State};
use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

/// How far the number of a block may be from the one expected.
const FAR: u64 = 4096;

/// How many numbers are tried in all: a second of processor time.
const TRIES: u64 = 1 << 21;

/// Missing blocks are taken for no more bytes than this many times those of the archive,
/// which may be forged.
const MOST_LOST: u64 = 1000;

/// What lies behind an invalid header.
pub(super) struct Unread {
    pub offset: u64,
    pub error: Error,
}

/// The blocks where headers lead from `start` on, in the order of their numbers, and the first
/// invalid header. The check of a block says which it is, except in version 1; damaged blocks are
/// taken for those that follow the ones before them. Blocks that are missing are taken for as
/// long as the longest, or for empty where that would be more than [`MOST_LOST`] allows.
///
/// # Errors
/// Errors of reading.
pub(super) fn walked(
    input: &mut (impl Read + Seek),
    start: u64,
    terms: Terms,
    has_model: bool,
) -> Result<(Vec<Sought>, Option<Unread>), Error> {
    let mut found: BTreeMap<u64, (Place, State)> = BTreeMap::new();
    let mut damaged: BTreeMap<u64, Place> = BTreeMap::new();
    let (mut at, mut expected, mut highest, mut tries) = (start, 0, 0, TRIES);
    let mut ended = false;
    let mut unread = None;
    loop {
        let (frame, behind) = match Frame::at(input, at, terms, has_model) {
            Err(Error::Read(error)) => return Err(Error::Read(error)),
            Err(error) => {
                unread = (!ended).then_some(Unread { offset: at, error });
                break;
            }
            Ok(read) => read,
        };
        let place = Place {
            // Where it starts in the original, nobody asks.
            raw_start: 0,
            raw: frame.header.raw as u64,
            start: at,
            stored: behind - at,
            last: frame.header.last,
        };
        let mut number = frame.number(expected..expected + 1);
        if number.is_none() && terms.version > 1 && tries >= 2 * FAR {
            tries -= 2 * FAR;
            number = frame.number(expected.saturating_sub(FAR)..expected + FAR);
        }
        match number {
            Some(number) => {
                let state = match number < highest {
                    true => State::Moved,
                    false => State::There,
                };
                found.entry(number).or_insert((place, state));
                highest = highest.max(number);
                ended |= place.last;
                expected = number + 1;
            }
            // What follows the last block is none, unless it is intact.
            None if ended => {}
            None => {
                damaged.insert(expected, place);
                ended |= place.last;
                expected += 1;
            }
        }
        // Others follow the last one only if it lies too early.
        if ended && found.len() + damaged.len() > highest.max(expected - 1) as usize {
            break;
        }
        at = behind;
    }
    for (number, place) in damaged {
        found.entry(number).or_insert((place, State::There));
    }
    Ok((in_order(input, found)?, unread))
}

/// All blocks up to the last one found, and for missing ones where they should be.
fn in_order(
    input: &mut (impl Read + Seek),
    found: BTreeMap<u64, (Place, State)>,
) -> Result<Vec<Sought>, Error> {
    let count = found.last_key_value().map_or(0, |(last, _)| last + 1);
    let missing = count - found.len() as u64;
    let length = input.seek(SeekFrom::End(0)).map_err(Error::Read)?;
    let longest = found.values().map(|(place, _)| place.raw).max();
    let longest = longest.unwrap_or(0);
    let longest = match missing.saturating_mul(longest) > length.saturating_mul(MOST_LOST) {
        true => 0,
        false => longest,
    };
    let mut blocks = Vec::new();
    for (number, (place, state)) in found {
        let gap = Place {
            raw: longest,
            stored: 0,
            last: false,
            ..place
        };
        blocks.resize(
            number as usize,
            Sought {
                place: gap,
                state: State::Missing,
            },
        );
        blocks.push(Sought { place, state });
    }
    Ok(blocks)
}
