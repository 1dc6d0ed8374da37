//! Where a salvage looks for blocks, by the index.

use super::error::Error;
use super::index::Index;
use super::input::Input;
use super::layout::{BlockHeader, Terms};
use super::read::is_intact;
use super::seek::{Place, listed};
use std::io::{Read, Seek, SeekFrom};

/// A block, and whether it is to be looked for at its place.
#[derive(Clone, Copy)]
pub(super) struct Sought {
    pub place: Place,
    pub state: State,
}

/// Where a block lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Between its neighbours, or where the index says.
    There,
    /// At a place among others.
    Moved,
    /// Nobody knows.
    Missing,
}

/// The blocks by the index, if that contradicts none that is intact. If the index does not
/// follow the last of them, bytes were inserted or left out: a block lies where the index
/// says, as far from the start or as far from the end.
///
/// # Errors
/// An index that is damaged, that announces more than twice what there is, that contradicts
/// an intact block, by which a block of version 1 may lie at two places, or that is of another
/// archive behind this one; errors of reading.
pub(super) fn believed(
    input: &mut (impl Read + Seek),
    start: u64,
    terms: Terms,
) -> Result<Vec<Sought>, Error> {
    let (places, index_start) = listed(input, start)?;
    let end = places.last().map_or(start, Place::end);
    if end == index_start {
        let compared = (0..)
            .zip(&places)
            .try_for_each(|(number, place)| place.compare(input, number, terms));
        let state = State::There;
        let sought = places.into_iter().map(|place| Sought { place, state });
        return compared.map(|()| sought.collect());
    }
    let refused = |what| Error::Malformed {
        offset: index_start,
        what,
    };
    if ends_before(input, start, terms)? {
        return Err(refused("the block index is that of other bytes"));
    }
    if end - start > 2 * (index_start - start) {
        return Err(refused("the block index announces more than there is"));
    }
    let mut sought = Vec::new();
    for (number, place) in (0..).zip(places) {
        let moved = Place {
            start: (place.start + index_start).saturating_sub(end),
            ..place
        };
        let mut there = [place, moved].map(|place| place.is_there(input, terms));
        if let [Ok(true), Ok(true)] = there {
            // Blocks of version 1 do not say which they are.
            if terms.version == 1 {
                return Err(refused("a block may lie at two places by the block index"));
            }
            there = [place, moved].map(|place| is_intact(input, place.start, number, terms));
        }
        let (place, state) = match there {
            [Ok(true), Ok(_)] => (place, State::There),
            [Ok(false), Ok(true)] => (moved, State::There),
            [Ok(false), Ok(false)] => (moved, State::Missing),
            [Err(error), _] | [_, Err(error)] => return Err(error),
        };
        sought.push(Sought { place, state });
    }
    let mut begins = sought.iter().filter(|s| s.state == State::There);
    if begins.all(|sought| sought.place.start != start) && is_intact(input, start, 0, terms)? {
        return Err(refused("the block index is that of other bytes"));
    }
    Ok(sought)
}

/// Whether the blocks from `start` on end with their index, or are a single intact one: then
/// the index at the end of the file is of what follows.
///
/// # Errors
/// Errors of reading.
fn ends_before(input: &mut (impl Read + Seek), start: u64, terms: Terms) -> Result<bool, Error> {
    let mut at = start;
    let mut found = Index::default();
    let mut ended = false;
    while !ended {
        input.seek(SeekFrom::Start(at)).map_err(Error::Read)?;
        let header = match BlockHeader::read(&mut Input::new(&mut *input, at), terms) {
            Err(Error::Read(error)) => return Err(Error::Read(error)),
            Err(_) => return Ok(false),
            Ok(header) => header,
        };
        let stored = (header.length() + header.stored) as u64;
        found.blocks.push((header.raw as u64, stored));
        at += stored;
        ended = header.last;
    }
    if found.blocks.len() == 1 {
        return is_intact(input, start, 0, terms);
    }
    let index = found.to_bytes();
    input.seek(SeekFrom::Start(at)).map_err(Error::Read)?;
    match Input::new(input, at).bytes(index.len() as u64, "the block index") {
        Err(Error::Read(error)) => Err(Error::Read(error)),
        stored => Ok(stored.is_ok_and(|stored| stored == index)),
    }
}

impl Place {
    /// Whether there is a block here whose header says the same.
    ///
    /// # Errors
    /// Errors of reading.
    fn is_there(&self, input: &mut (impl Read + Seek), terms: Terms) -> Result<bool, Error> {
        input
            .seek(SeekFrom::Start(self.start))
            .map_err(Error::Read)?;
        match BlockHeader::read(&mut Input::new(&mut *input, self.start), terms) {
            Err(Error::Read(error)) => Err(Error::Read(error)),
            header => Ok(header.is_ok_and(|header| self.agrees(&header))),
        }
    }
}
