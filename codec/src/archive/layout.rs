//! The fields of an archive, as specified in `docs/format.md`.

use super::error::Error;
use super::extent::Extent;
use super::input::Input;
use crate::block::{Coded, Method, can_hold};
use crate::cm::{self, Gates, Level, Models, Setup};
use brevity_model::varint;
use std::fmt;
use std::io::Read;
use std::ops::Range;

/// First bytes of every archive.
pub const MAGIC: [u8; 3] = [0xB7, b'b', b'v'];

/// Version of the format that is written. Version 1 is still read.
pub const VERSION: u8 = 2;

/// In place of the version in an archive that is brief: one without a model whose original has
/// at most [`BRIEF`] bytes. It has no fields but those that a decoder needs, and one check.
pub(super) const BRIEF_VERSION: u8 = 0x80 | VERSION;

/// The most bytes of the original of a brief archive.
pub const BRIEF: usize = 1 << 14;

/// The numeric engine of the version that is written: the order of all arithmetic
/// that frequencies depend on. It changes when the same model would give other
/// frequencies. The engine of version 1 is 1.
pub const ENGINE: u8 = 2;

/// Most bytes of a block. A few stored bytes can validly decode to this many, so the
/// limit is lower for fuzzers, which would spend their time there.
pub const MAX_BLOCK: usize = if cfg!(fuzzing) { 1 << 16 } else { 1 << 26 };

/// Most bytes of a stored model or a recipe, which may hold one.
const MAX_MODEL: u64 = 1 << 33;

/// Most bytes of a predictor's description.
const MAX_DESCRIBED: u64 = 1 << 16;

/// Bytes of the hash of the original: the first of its BLAKE3 hash.
pub const DIGEST: usize = 12;

/// Identity of a model that an archive needs but does not contain: the first bytes of
/// the BLAKE3 hash of its spec and all its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ModelId(pub [u8; 8]);

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

/// The header after the magic number: which model the blocks need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// No model.
    Plain,
    /// A stored model (see [`crate::weights`]).
    Embedded(Vec<u8>),
    /// A model that the reader must have.
    External(ModelId),
    /// The recipe of a model that learns while it codes.
    Recipe(Vec<u8>),
    /// The description of a predictor that the reader must have, a program for one.
    Outside(Vec<u8>),
}

/// What the context models of an archive take: announced before any block, but for brief
/// archives, where it is what the longest of them takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Their level.
    pub level: Level,
    /// The most memory that those of a block take, MiB.
    pub memory: u16,
}

impl Effort {
    /// As it lies in the header: the number of the level, which is 0 without
    /// context models, and the memory.
    fn to_bytes(effort: Option<Effort>) -> Vec<u8> {
        let mut out = Vec::new();
        match effort {
            None => out.push(0),
            Some(Effort { level, memory }) => {
                out.push(level.number());
                out.extend(memory.to_le_bytes());
            }
        }
        out
    }

    /// That of blocks of at most so many bytes, in so many lanes.
    pub fn of(level: Level, lanes: usize, bytes: usize) -> Effort {
        Effort::rounded(level, cm::most_memory(level, lanes, bytes))
    }

    /// As [`of`](Effort::of), before blocks of the best level had networks.
    pub fn without_networks(level: Level, lanes: usize, bytes: usize) -> Effort {
        Effort::rounded(level, cm::most_memory_alone(level, lanes, bytes))
    }

    fn rounded(level: Level, memory: u64) -> Effort {
        let memory = memory.div_ceil(1 << 20);
        Effort {
            level,
            memory: memory.try_into().expect("at most some GiB"),
        }
    }

    fn read<R: Read>(input: &mut Input<R>, brief: bool) -> Result<Option<Effort>, Error> {
        let offset = input.offset;
        let [number] = input.array("the header")?;
        if number == 0 {
            return Ok(None);
        }
        let level = Level::numbered(number).ok_or(Error::Malformed {
            offset,
            what: "an unknown level",
        })?;
        if brief {
            return Ok(Some(Effort::of(level, 1, BRIEF)));
        }
        let memory = u16::from_le_bytes(input.array("the header")?);
        Ok(Some(Effort { level, memory }))
    }
}

/// On which terms the blocks of an archive are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub version: u8,
    /// None without context models, and in version 1, which announces nothing.
    pub effort: Option<Effort>,
    /// Whether the model is a predictor from outside, which may change.
    pub outside: bool,
    /// Whether the archive is brief: see [`BRIEF`].
    pub brief: bool,
}

impl Terms {
    /// Those of an archive that is written.
    pub fn written(effort: Option<Effort>, brief: bool) -> Terms {
        Terms {
            version: VERSION,
            effort,
            outside: false,
            brief,
        }
    }

    /// Bytes of the hash of the original at the end of the archive.
    pub fn digest(self) -> u64 {
        match self.brief {
            true => 0,
            false => DIGEST as u64,
        }
    }

    /// What of the header each block's check covers.
    fn covered(self) -> Vec<u8> {
        match self.version {
            1 => Vec::new(),
            _ if self.brief => vec![self.effort.map_or(0, |effort| effort.level.number())],
            _ => Effort::to_bytes(self.effort),
        }
    }

    /// What the check of the block with this number covers behind its payload: where it
    /// belongs. The first one follows the header.
    fn numbered(self, block: u64) -> Vec<u8> {
        match (self.version, block) {
            (1, _) | (_, 0) => Vec::new(),
            _ => block.to_le_bytes().to_vec(),
        }
    }
}

/// An archive up to its first block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Front {
    pub header: Header,
    pub terms: Terms,
    /// Offset of the stored model or recipe.
    pub model_at: u64,
}

/// The check of what a hasher has taken: the first four bytes of its BLAKE3.
fn check_of(hasher: &blake3::Hasher) -> [u8; 4] {
    let mut out = [0; 4];
    out.copy_from_slice(&hasher.finalize().as_bytes()[..4]);
    out
}

/// The check of some bytes.
pub fn check(parts: &[&[u8]]) -> [u8; 4] {
    let mut hasher = blake3::Hasher::new();
    parts.iter().for_each(|part| {
        hasher.update(part);
    });
    check_of(&hasher)
}

/// The check of a block in a brief archive: it covers what the block decodes to, so that
/// nothing else need be checked.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    /// Has taken what of the archive's header, the block's fields and its payload.
    hasher: blake3::Hasher,
    check: [u8; 4],
}

impl Whole {
    /// Whether the block decodes to these bytes. Always true for fuzzers, which could not
    /// guess it.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        let mut hasher = self.hasher.clone();
        hasher.update(bytes);
        cfg!(fuzzing) || check_of(&hasher) == self.check
    }
}

/// Whether bytes match their checksum. Always true for fuzzers, which could not
/// guess it.
pub(super) fn matches(parts: &[&[u8]], expected: [u8; 4]) -> bool {
    cfg!(fuzzing) || check(parts) == expected
}

impl Header {
    /// The start of a brief archive.
    pub(super) fn brief(effort: Option<Effort>) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.push(BRIEF_VERSION);
        out.extend(Terms::written(effort, true).covered());
        out
    }

    /// The archive up to the first block.
    pub fn to_bytes(&self, effort: Option<Effort>) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.push(VERSION);
        let kind = match self {
            Header::Plain => 0,
            Header::Embedded(_) => 1,
            Header::External(_) => 2,
            Header::Recipe(_) => 3,
            Header::Outside(_) => 4,
        };
        out.push(kind << 4 | ENGINE);
        out.extend(Effort::to_bytes(effort));
        match self {
            Header::Plain => {}
            Header::External(id) => out.extend(id.0),
            Header::Embedded(bytes) | Header::Recipe(bytes) | Header::Outside(bytes) => {
                varint::put(&mut out, bytes.len() as u64);
                out.extend(check(&[bytes]));
                out.extend(bytes);
            }
        }
        out
    }
}

impl Front {
    /// Reads an archive up to its first block.
    pub fn read<R: Read>(input: &mut Input<R>) -> Result<Front, Error> {
        if input.array("the magic number")? != MAGIC {
            return Err(Error::Foreign);
        }
        let [version] = input.array("the header")?;
        match version {
            0 => return Err(Error::VersionZero),
            1..=VERSION => {}
            BRIEF_VERSION => {
                let effort = Effort::read(input, true)?;
                return Ok(Front {
                    header: Header::Plain,
                    terms: Terms::written(effort, true),
                    model_at: input.offset,
                });
            }
            _ => return Err(Error::Version(version)),
        }
        let offset = input.offset;
        let [kind] = input.array("the header")?;
        // Each version has had one engine.
        match kind & 15 {
            engine if engine == version => {}
            0..=ENGINE => {
                let what = "the numeric engine is not that of the archive's version";
                return Err(Error::Malformed { offset, what });
            }
            engine => return Err(Error::Engine(engine)),
        }
        let effort = match version {
            1 => None,
            _ => Effort::read(input, false)?,
        };
        let mut checked = |most| -> Result<Vec<u8>, Error> {
            let length = input.varint(most, "the length of the model")?;
            let check_bytes: [u8; 4] = input.array("the model")?;
            let start = input.offset;
            let bytes = input.bytes(length, "the model")?;
            if !matches(&[&bytes], check_bytes) {
                return Err(Error::ModelCheck { offset: start });
            }
            Ok(bytes)
        };
        let header = match kind >> 4 {
            0 => Header::Plain,
            1 => Header::Embedded(checked(MAX_MODEL)?),
            2 => Header::External(ModelId(input.array("the model's hash")?)),
            3 => Header::Recipe(checked(MAX_MODEL)?),
            4 => Header::Outside(checked(MAX_DESCRIBED)?),
            _ => {
                let what = "an unknown kind of model";
                return Err(Error::Malformed { offset, what });
            }
        };
        let length = match &header {
            Header::Embedded(bytes) | Header::Recipe(bytes) | Header::Outside(bytes) => {
                bytes.len() as u64
            }
            Header::Plain | Header::External(_) => 0,
        };
        let outside = matches!(header, Header::Outside(_));
        Ok(Front {
            header,
            terms: Terms {
                version,
                effort,
                outside,
                brief: false,
            },
            model_at: input.offset - length,
        })
    }
}

/// The header of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlockHeader {
    /// Whether no block follows.
    pub last: bool,
    pub method: Method,
    pub lanes_log2: u32,
    /// Bytes of the original.
    pub raw: usize,
    /// Bytes of the payload.
    pub stored: usize,
    /// The context models, if the method has them.
    pub models: Option<Models>,
    /// If the model was trained beside context models.
    pub gates: Option<Gates>,
    pub frequencies: Option<u32>,
    pub check: [u8; 4],
    /// The bytes that the check covers beside the payload and the block's number: what of the
    /// archive's header, and the fields before the check.
    terms: Terms,
    covered: Vec<u8>,
}

/// Most lanes of a block: the tag stores their binary logarithm in four bits.
pub const MAX_LANES: usize = 1 << 15;

impl BlockHeader {
    /// The block with this number, from 0, that stands for `bytes`, as it is written.
    pub fn write(coded: &Coded, bytes: &[u8], last: bool, block: u64, terms: Terms) -> Vec<u8> {
        let method = match coded.method {
            Method::Raw => 0,
            Method::Contexts => 1,
            Method::Model => 2,
            Method::Mixed => 3,
        };
        assert!(coded.lanes_log2 <= MAX_LANES.ilog2(), "too many lanes");
        let lanes = coded.lanes_log2 as u8;
        let gated = u8::from(coded.gates.is_some());
        let mut out = vec![method | u8::from(last) << 2 | gated << 3 | lanes << 4];
        varint::put(&mut out, bytes.len() as u64);
        if coded.method != Method::Raw {
            varint::put(&mut out, coded.payload.len() as u64);
            if let Some(Models::Second(setup)) = coded.models {
                out.extend(setup.to_bytes());
            }
            if let Some(gates) = coded.gates {
                out.extend(gates.to_bytes());
            }
            let frequencies = coded.frequencies.filter(|_| !terms.brief);
            out.extend(frequencies.map(u32::to_le_bytes).into_iter().flatten());
        }
        let number = terms.numbered(block);
        let stood_for = if terms.brief { bytes } else { &[] };
        let check = check(&[&terms.covered(), &out, &coded.payload, &number, stood_for]);
        out.extend(check);
        out.extend(&coded.payload);
        out
    }

    /// Reads all of a block but its payload.
    pub fn read<R: Read>(input: &mut Input<R>, terms: Terms) -> Result<BlockHeader, Error> {
        let offset = input.offset;
        let malformed = |what| Err(Error::Malformed { offset, what });
        let [tag] = input.array("a block")?;
        let method = match tag & 3 {
            0 => Method::Raw,
            1 => Method::Contexts,
            2 => Method::Model,
            _ => Method::Mixed,
        };
        let last = tag & 4 != 0;
        let lanes_log2 = u32::from(tag >> 4);
        let gated = tag & 8 != 0;
        if (gated && (method != Method::Mixed || terms.version == 1))
            || (lanes_log2 > 0 && !method.needs_model())
            || (terms.brief && (!last || method.needs_model()))
        {
            return malformed("a block has an unknown tag");
        }
        let mut covered = vec![tag];
        let most = if terms.brief { BRIEF } else { MAX_BLOCK };
        let raw = input.varint(most as u64, "the length of a block")?;
        varint::put(&mut covered, raw);
        if raw == 0 && !(last && method == Method::Raw) {
            return malformed("a block is empty");
        }
        let (mut stored, mut frequencies) = (raw, None);
        let (mut models, mut gates) = (None, None);
        if method != Method::Raw {
            stored = input.varint(raw, "the stored length of a block")?;
            if !can_hold(stored, raw) {
                return malformed("a block says it is longer than its payload can hold");
            }
            varint::put(&mut covered, stored);
            models = match terms.effort {
                _ if !method.needs_contexts() => None,
                _ if terms.version == 1 => Some(Models::First),
                None => return malformed("a block has context models and the header none"),
                Some(effort) => {
                    let next = || input.array("a block").map(|[byte]| byte);
                    let Some(setup) = Setup::read(effort.level, next)? else {
                        return malformed("a block has unknown context models");
                    };
                    if lanes_log2 > 0 && setup.has_one_lane() {
                        return malformed("a block of sound or with a network has several lanes");
                    }
                    if setup.network && method == Method::Mixed && !gated {
                        return malformed(
                            "a block mixes a model and a network, which are one input",
                        );
                    }
                    covered.extend(setup.to_bytes());
                    let models = Models::Second(setup);
                    if !setup.transform.suits(raw as usize) {
                        return malformed(
                            "a block with bytes for words is longer than without, or has no mask",
                        );
                    }
                    let coded = setup.transform.coded_length(raw as usize);
                    let lanes = (1 << lanes_log2).min(coded);
                    if models.memory(lanes, coded) > u64::from(effort.memory) << 20 {
                        return malformed(
                            "a block's context models take more memory than the header announces",
                        );
                    }
                    Some(models)
                }
            };
            if gated {
                let stored = Gates::from_bytes(input.array("a block")?);
                covered.extend(stored.to_bytes());
                gates = Some(stored);
            }
            if !terms.brief {
                let stored = input.array("a block")?;
                covered.extend(stored);
                frequencies = Some(u32::from_le_bytes(stored));
            }
        }
        Ok(BlockHeader {
            last,
            method,
            lanes_log2,
            raw: raw as usize,
            stored: stored as usize,
            models,
            gates,
            frequencies,
            check: input.array("a block")?,
            terms,
            covered,
        })
    }

    /// What the block asks for.
    pub fn extent(&self) -> Extent {
        Extent {
            method: self.method,
            lanes_log2: self.lanes_log2,
            raw: self.raw,
            stored: self.stored,
            models: self.models,
        }
    }

    /// Bytes of the header itself.
    pub fn length(&self) -> usize {
        self.covered.len() + self.check.len()
    }

    /// Has taken all that the check covers before the block's number.
    fn hasher(&self, payload: &[u8]) -> blake3::Hasher {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.terms.covered());
        hasher.update(&self.covered);
        hasher.update(payload);
        hasher
    }

    /// The check with what the block decodes to, in a brief archive.
    pub fn whole(&self, payload: &[u8]) -> Option<Whole> {
        self.terms.brief.then(|| Whole {
            hasher: self.hasher(payload),
            check: self.check,
        })
    }

    /// Which of these blocks it is with its payload, by the checksum; the first for fuzzers,
    /// which could not guess it, and in brief archives, which have one.
    pub fn number(&self, payload: &[u8], mut among: Range<u64>) -> Option<u64> {
        if cfg!(fuzzing) || self.terms.brief {
            return among.next();
        }
        let hasher = self.hasher(payload);
        among.find(|block| {
            let mut hasher = hasher.clone();
            hasher.update(&self.terms.numbered(*block));
            check_of(&hasher) == self.check
        })
    }

    /// The block with this number and its payload, if the checksum matches; in a brief archive,
    /// [`whole`](BlockHeader::whole) tells that once it is decoded.
    pub fn with(self, payload: Vec<u8>, block: u64) -> Option<Coded> {
        self.number(&payload, block..block + 1)?;
        Some(Coded {
            method: self.method,
            lanes_log2: self.lanes_log2,
            payload,
            models: self.models,
            gates: self.gates,
            frequencies: self.frequencies,
            decoded: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cm::{Kind, Transform};

    /// A block of so many bytes that says so many are coded with bytes for words.
    fn read(raw: usize, coded: u32) -> Result<BlockHeader, Error> {
        let setup = Setup {
            transform: Transform::Words(coded),
            ..Setup::plain(Level::Fast, Kind::Text)
        };
        let block = Coded {
            method: Method::Contexts,
            lanes_log2: 0,
            models: Some(Models::Second(setup)),
            gates: None,
            payload: vec![0; 9],
            frequencies: Some(0),
            decoded: None,
        };
        let terms = Terms::written(Some(Effort::of(Level::Fast, 1, raw)), false);
        let written = BlockHeader::write(&block, &vec![0; raw], true, 0, terms);
        BlockHeader::read(&mut Input::new(&written[..], 0), terms)
    }

    #[test]
    fn bytes_for_words_make_a_block_no_longer_and_have_a_mask() {
        for coded in [16, 17, 99, 100] {
            assert!(read(100, coded).is_ok(), "{coded}");
        }
        for coded in [0, 15, 101, u32::MAX] {
            let Err(error) = read(100, coded) else {
                panic!("{coded} is read");
            };
            assert!(error.to_string().contains("bytes for words"), "{error}");
        }
    }

    /// A block with a network, in so many lanes, behind whose context models there is a
    /// gate or not.
    fn read_network(method: Method, lanes_log2: u32, gates: Option<Gates>) -> String {
        let raw = 1 << 16;
        let setup = Setup::plain(Level::Best, Kind::Text).with_network(raw);
        assert!(setup.network);
        let block = Coded {
            method,
            lanes_log2,
            models: Some(Models::Second(setup)),
            gates,
            payload: vec![0; 99],
            frequencies: Some(0),
            decoded: None,
        };
        let terms = Terms::written(Some(Effort::of(Level::Best, 1, raw)), false);
        let written = BlockHeader::write(&block, &vec![0; raw], true, 0, terms);
        let read = BlockHeader::read(&mut Input::new(&written[..], 0), terms);
        read.map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn a_network_is_the_only_adviser_of_its_mixer() {
        assert_eq!(read_network(Method::Contexts, 0, None), "");
        assert_eq!(read_network(Method::Mixed, 0, Some(Gates::ALONE)), "");
        for (lanes_log2, gates, reason) in [
            (0, None, "which are one input"),
            (1, Some(Gates::ALONE), "several lanes"),
        ] {
            let error = read_network(Method::Mixed, lanes_log2, gates);
            assert!(error.contains(reason), "{error}");
        }
    }
}
