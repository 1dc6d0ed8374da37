//! Decompression of a part of an archive.

use super::error::Error;
use super::input::Input;
use super::layout::{DIGEST, Header, Index};
use super::read::{Models, read_block};
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::{Bound, RangeBounds};

/// Location of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Offset of its first byte in the original.
    pub raw_start: u64,
    /// Bytes of the original.
    pub raw: u64,
    /// Offset of its header in the archive.
    pub start: u64,
}

/// The blocks listed by the index at the end of an archive whose blocks start at
/// `start`. An archive of one block has no index.
///
/// # Errors
/// An index that is damaged or does not cover the archive exactly.
pub(super) fn places(input: &mut (impl Read + Seek), start: u64) -> Result<Vec<Place>, Error> {
    let end = input.seek(SeekFrom::End(0)).map_err(Error::Read)?;
    let malformed = |offset| Error::Malformed {
        offset,
        what: "the archive does not end with a block index",
    };
    let tail = (DIGEST + Index::TAIL) as u64;
    if end < start + tail {
        return Err(malformed(end));
    }
    let index_end = end - DIGEST as u64;
    let length_at = end - tail;
    input
        .seek(SeekFrom::Start(length_at))
        .map_err(Error::Read)?;
    let length = u32::from_le_bytes(Input::new(&mut *input, length_at).array("the block index")?);
    let index_start = length_at
        .checked_sub(u64::from(length))
        .filter(|&at| at >= start)
        .ok_or_else(|| malformed(length_at))?;
    input
        .seek(SeekFrom::Start(index_start))
        .map_err(Error::Read)?;
    let bytes = Input::new(&mut *input, index_start).bytes(index_end - index_start, "the index")?;
    let index = Index::from_bytes(&bytes, index_start)?;
    let (mut raw_start, mut at) = (0, start);
    let mut places = Vec::new();
    for (raw, stored) in index.blocks {
        places.push(Place {
            raw_start,
            raw,
            start: at,
        });
        raw_start += raw;
        at += stored;
    }
    if at != index_start {
        return Err(malformed(index_start));
    }
    Ok(places)
}

/// Decompresses the bytes `range` of the original, decoding only the blocks
/// that contain them.
///
/// # Errors
/// As [`super::decompress`], except that the hash of the original is not checked; a
/// range beyond the end of the original.
pub fn decompress_range(
    mut input: impl Read + Seek,
    mut output: impl Write,
    models: &Models,
    range: impl RangeBounds<u64>,
) -> Result<(), Error> {
    let mut front = Input::new(&mut input, 0);
    let (header, model_at) = Header::read(&mut front)?;
    let start = front.offset;
    let model = models.resolve(&header, model_at)?;
    let model = model.as_deref();
    let first = read_block(&mut front, 0, model.is_some())?;
    let places = if first.last {
        vec![Place {
            raw_start: 0,
            raw: first.raw as u64,
            start,
        }]
    } else {
        places(&mut input, start)?
    };
    let length = places.last().map_or(0, |p| p.raw_start + p.raw);
    let start = match range.start_bound() {
        Bound::Included(&start) => start,
        Bound::Excluded(&before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(&last) => last.saturating_add(1),
        Bound::Excluded(&end) => end,
        Bound::Unbounded => length,
    };
    if start > end || end > length {
        return Err(Error::Range { start, end, length });
    }
    for (number, place) in (0..).zip(places) {
        let from = start.max(place.raw_start);
        let to = end.min(place.raw_start + place.raw);
        if from >= to {
            continue;
        }
        input
            .seek(SeekFrom::Start(place.start))
            .map_err(Error::Read)?;
        let stored = read_block(
            &mut Input::new(&mut input, place.start),
            number,
            model.is_some(),
        )?;
        let bytes = stored.decode(number, model, &|_| {})?;
        let part = (from - place.raw_start) as usize..(to - place.raw_start) as usize;
        let part = bytes.get(part).ok_or(Error::BlockCheck {
            block: number,
            offset: place.start,
        })?;
        output.write_all(part).map_err(Error::Write)?;
    }
    output.flush().map_err(Error::Write)
}
