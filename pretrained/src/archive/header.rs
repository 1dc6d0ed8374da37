//! The header of an archive.

use super::error::ArchiveError;
use super::mixed::LEVEL;
use super::settings::Settings;
use crate::contexts::Contexts;
use crate::form::Form;
use crate::model::Model;
use brevity_codec::archive::ENGINE;
use brevity_codec::{BlendSetup, Level};
use brevity_model::varint;

/// The first bytes of an archive.
pub const MAGIC: [u8; 3] = [0xB7, b'b', b'p'];

/// The version of the format.
pub const VERSION: u8 = 1;

/// Set in the byte of the version where settings follow.
const WITH_SETTINGS: u8 = 0x80;

/// Set in the byte of the version where the bytes of tokens are mixed with context
/// models.
const MIXED: u8 = 0x40;

/// Most lanes of an archive.
pub const MAX_LANES: usize = 256;

/// What the header of an archive says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The first bytes of the model's hash.
    pub model: u32,
    /// Bytes of the content.
    pub bytes: u64,
    /// How it is cut; `None` for what [`Settings::new`] gives.
    pub settings: Option<Settings>,
    /// The context models with which the bytes of tokens are mixed, if they are.
    pub mixed: Option<BlendSetup>,
    /// The first bytes of the content's hash.
    pub(super) checksum: [u8; 4],
    /// Bytes of the header.
    pub(super) len: usize,
}

impl Header {
    /// Bytes that it takes.
    pub fn header_bytes(&self) -> usize {
        self.len
    }
}

/// By what an archive names its model.
pub(super) fn model_id(model: &Model) -> u32 {
    let [a, b, c, ..] = model.origin().hash;
    let id = u32::from_be_bytes([0, a, b, c]);
    if model.is_exact() {
        !id & 0xFF_FFFF
    } else {
        id
    }
}

pub(super) fn checksum(bytes: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = *blake3::hash(bytes).as_bytes();
    [a, b, c, d]
}

/// The header of an archive of `content`.
pub(super) fn write(
    model: &Model,
    settings: &Settings,
    mixed: Option<BlendSetup>,
    content: &[u8],
) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    let usual = *settings == Settings::new(model);
    let flags = [(!usual, WITH_SETTINGS), (mixed.is_some(), MIXED)];
    let flags = flags.map(|(is, flag)| if is { flag } else { 0 });
    out.push(VERSION | flags[0] | flags[1]);
    out.extend(&model_id(model).to_be_bytes()[1..]);
    varint::put(&mut out, content.len() as u64);
    if !usual {
        let Contexts { tokens, keep } = settings.contexts;
        let (chunk, form) = (settings.chunk.unwrap_or(0), settings.form as usize);
        for value in [tokens, keep, chunk, settings.lanes, form] {
            varint::put(&mut out, value as u64);
        }
    }
    if let Some(setup) = mixed {
        out.push(LEVEL.number() << 4 | ENGINE);
        out.extend(setup.to_bytes());
    }
    out.extend(checksum(content));
    out
}

/// Reads the header of an archive.
///
/// # Errors
/// If it is none, or damaged.
pub fn header(archive: &[u8]) -> Result<Header, ArchiveError> {
    let rest = archive.strip_prefix(&MAGIC).ok_or(ArchiveError::Magic)?;
    let mut rest = rest.iter().copied();
    let mut byte = || rest.next().ok_or(ArchiveError::Header("it ends early"));
    let first = byte()?;
    let version = first & !(WITH_SETTINGS | MIXED);
    if version != VERSION {
        return Err(ArchiveError::Version(version));
    }
    let model = u32::from_be_bytes([0, byte()?, byte()?, byte()?]);
    let mut number =
        |most: u64, what| varint::read(most, &mut byte)?.ok_or(ArchiveError::Header(what));
    let bytes = number(1 << 48, "the length")?;
    let settings = match first & WITH_SETTINGS {
        0 => None,
        _ => {
            let tokens = number(crate::MAX_CONTEXT as u64, "the context")? as usize;
            let keep = number(crate::MAX_CONTEXT as u64, "the kept tokens")? as usize;
            let chunk = number(1 << 40, "the chunk")? as usize;
            let lanes = number(MAX_LANES as u64, "the lanes")? as usize;
            let form = Form::ALL[number(Form::ALL.len() as u64 - 1, "the form")? as usize];
            if tokens < 2 || keep > tokens - 2 || lanes == 0 {
                return Err(ArchiveError::Header("the settings"));
            }
            Some(Settings {
                contexts: Contexts { tokens, keep },
                chunk: (chunk > 0).then_some(chunk),
                lanes,
                form,
            })
        }
    };
    let mixed = match first & MIXED {
        0 => None,
        _ => {
            let engine = byte()?;
            if engine & 15 != ENGINE {
                return Err(ArchiveError::Engine(engine & 15));
            }
            let level = Level::numbered(engine >> 4).ok_or(ArchiveError::Header("the level"))?;
            let setup = BlendSetup::read(level, &mut byte)?;
            let settings = settings.as_ref();
            let fits = settings.is_none_or(Settings::can_mix);
            Some(
                setup
                    .filter(|_| fits)
                    .ok_or(ArchiveError::Header("the context models"))?,
            )
        }
    };
    let checksum = [byte()?, byte()?, byte()?, byte()?];
    let len = archive.len() - rest.len();
    Ok(Header {
        model,
        bytes,
        settings,
        mixed,
        checksum,
        len,
    })
}
