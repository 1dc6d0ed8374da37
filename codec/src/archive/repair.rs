//! The header of a damaged archive, restored.
//!
//! The first bytes of an archive have no check of their own, but few values. The check of
//! each block covers level and memory, a wrong version or kind of model moves the first
//! block or leaves a model that cannot be read. So a damaged field is restored by trying
//! its values.

use super::demand::Account;
use super::error::Error;
use super::input::Input;
use super::layout::{BRIEF_VERSION, BlockHeader, Effort, Front, Header, MAGIC, VERSION};
use super::models::Models;
use super::read::{Frame, Lazy, is_intact};
use crate::cm::Level;
use crate::weights;
use std::io::{Read, Seek, SeekFrom};

/// Bytes with fields of fixed length: magic number, version, engine and kind of model,
/// level, memory.
const HEAD: usize = 8;

/// The level and the memory in these bytes, in versions after the first.
const LEVEL: usize = 5;
const MEMORY: usize = 6;

/// The level in these bytes in a brief archive, the last one of its header.
const BRIEF_LEVEL: usize = 4;

/// Kinds of models: none, then those that a reader knows best.
const KINDS: [u8; 5] = [0, 3, 1, 2, 4];

/// Reads an archive up to its first block. Returns that, the offset of the block, and the
/// damage of the header, if some had to be undone.
///
/// # Errors
/// An invalid header that no such change makes fit the first block; errors of reading.
pub(super) fn front(
    input: &mut (impl Read + Seek),
    models: &Models,
) -> Result<(Front, u64, Option<Error>), Error> {
    input.seek(SeekFrom::Start(0)).map_err(Error::Read)?;
    let mut stored = Vec::new();
    let head = input.by_ref().take(HEAD as u64).read_to_end(&mut stored);
    head.map_err(Error::Read)?;
    let as_stored = match read(input, &stored) {
        Err(Error::Read(error)) => return Err(Error::Read(error)),
        as_stored => as_stored,
    };
    if let Ok((front, start)) = &as_stored
        && fits(input, front, *start, models, false)?
    {
        return as_stored.map(|(front, start)| (front, start, None));
    }
    if let Ok(whole) = <[u8; HEAD]>::try_from(&stored[..]) {
        for head in changes(input, whole)? {
            let (front, start) = match read(input, &head) {
                Err(Error::Read(error)) => return Err(Error::Read(error)),
                Err(_) => continue,
                Ok(read) => read,
            };
            if head != whole && fits(input, &front, start, models, true)? {
                let differs = head.iter().zip(&stored).position(|(a, b)| a != b);
                let damage = Error::Malformed {
                    offset: differs.unwrap_or(0) as u64,
                    what: "a field of its header; the value that the first block fits was used",
                };
                return Ok((front, start, Some(damage)));
            }
        }
    }
    // What is damaged may be the first block.
    as_stored.map(|(front, start)| (front, start, None))
}

/// Reads the archive as if it started with `head`, in place of as many bytes.
fn read(input: &mut (impl Read + Seek), head: &[u8]) -> Result<(Front, u64), Error> {
    let behind = SeekFrom::Start(head.len() as u64);
    input.seek(behind).map_err(Error::Read)?;
    let mut input = Input::new(head.chain(input), 0);
    let front = Front::read(&mut input)?;
    Ok((front, input.offset))
}

/// Whether the first block matches its check, and the model is there and can be read: all of
/// a stored one, if the header was `changed`.
///
/// # Errors
/// Errors of reading.
fn fits(
    input: &mut (impl Read + Seek),
    front: &Front,
    start: u64,
    models: &Models,
    changed: bool,
) -> Result<bool, Error> {
    if front.terms.brief {
        return decodes(input, front, start, models);
    }
    if !is_intact(input, start, 0, front.terms)? {
        return Ok(false);
    }
    // The recipe of a transformer begins as a stored model does.
    let is_recipe = |bytes: &[u8]| models.follow(bytes).is_some_and(|model| model.is_ok());
    Ok(match &front.header {
        Header::Embedded(bytes) if is_recipe(bytes) => false,
        Header::Embedded(bytes) if changed => weights::decode(bytes).is_ok(),
        _ if models.missing(front) => false,
        header => Account::new(header, front.model_at, models).is_ok(),
    })
}

/// Whether a brief archive, whose check covers the original, decodes within the limits.
///
/// # Errors
/// Errors of reading.
fn decodes(
    input: &mut (impl Read + Seek),
    front: &Front,
    start: u64,
    models: &Models,
) -> Result<bool, Error> {
    let block = Frame::at(input, start, front.terms, false).and_then(|(frame, _)| {
        let stored = frame.checked(0)?;
        Lazy::new(models, front)?.prepare(0, &stored.extent())?;
        stored.decode(0, None, &|_| {})
    });
    match block {
        Err(Error::Read(error)) => Err(Error::Read(error)),
        block => Ok(block.is_ok()),
    }
}

/// What the header may have been: with the fields that a version fixes, with each kind of
/// model, and with each level, of which the first block tells the memory.
///
/// # Errors
/// Errors of reading.
fn changes(input: &mut (impl Read + Seek), stored: [u8; HEAD]) -> Result<Vec<[u8; HEAD]>, Error> {
    let mut heads = Vec::new();
    for level in [stored[BRIEF_LEVEL], 0]
        .into_iter()
        .chain(Level::ALL.map(Level::number))
    {
        let mut head = stored;
        head[..3].copy_from_slice(&MAGIC);
        head[3] = BRIEF_VERSION;
        head[BRIEF_LEVEL] = level;
        heads.push(head);
    }
    for version in (1..=VERSION).rev() {
        let mut base = stored;
        base[..3].copy_from_slice(&MAGIC);
        base[3] = version;
        // Each version has had one engine, with the same number.
        base[4] = stored[4] & 0xF0 | version;
        heads.push(base);
        for kind in KINDS {
            let mut head = base;
            head[4] = kind << 4 | version;
            heads.push(head);
        }
        if version == 1 {
            continue;
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
            for memory in first_memory(input, head, level)? {
                head[MEMORY..].copy_from_slice(&memory.to_le_bytes());
                heads.push(head);
            }
        }
    }
    Ok(heads)
}

/// The memory that an archive may announce whose first block, the longest, is this one, MiB:
/// what is announced now, and what was before there were networks; nothing if there is no
/// block behind `head`.
///
/// # Errors
/// Errors of reading.
fn first_memory(
    input: &mut (impl Read + Seek),
    head: [u8; HEAD],
    level: Level,
) -> Result<Vec<u16>, Error> {
    let (terms, start) = match read(input, &head) {
        Err(Error::Read(error)) => return Err(Error::Read(error)),
        Err(_) => return Ok(Vec::new()),
        Ok((front, start)) => (front.terms, start),
    };
    input.seek(SeekFrom::Start(start)).map_err(Error::Read)?;
    match BlockHeader::read(&mut Input::new(input, start), terms) {
        Ok(block) => {
            let lanes = (1 << block.lanes_log2).min(block.raw.max(1));
            let efforts = [Effort::of, Effort::without_networks];
            let memories = efforts.map(|effort| effort(level, lanes, block.raw).memory);
            Ok(memories.to_vec())
        }
        Err(Error::Read(error)) => Err(Error::Read(error)),
        Err(_) => Ok(Vec::new()),
    }
}
