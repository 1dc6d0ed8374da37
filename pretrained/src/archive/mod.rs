//! Archives of token models.
//!
//! ```text
//! B7 'b' 'p'
//! version, 1; its highest bit says that there are settings, the next one that bytes are
//!   mixed with context models
//! the first 3 bytes of the model's hash
//! length of the content: varint
//! the settings, if there are any: tokens, keep, chunk, lanes, form, each a varint
//! the context models, if there are any: a byte whose low four bits are their numeric
//!   engine (`brevity_codec::archive::ENGINE`) and whose high ones are their level; and how
//!   they are set up: 1 or 4 bytes
//! the first 4 bytes of the content's BLAKE3 hash
//! the range coder's stream, to the end
//! ```
//!
//! A form other than text makes another text of each stream first
//! ([`Form`](crate::Form)).
//!
//! The content is cut into lanes ([`Layout`](brevity_codec::Layout)), a lane into chunks
//! if there are any, and each chunk or whole lane is a stream of its own. The stream of
//! the range coder has the next item of each lane that is not through, one lane after the
//! other, and again. An item is a token with its [`Frequencies`], or
//! the escape and a byte. A stream ends when its bytes are complete, so nothing tells how
//! many items there are. Bits that a text does not have come at the end, each half of the
//! range.
//!
//! [`compress_mixed`] makes another stream of the same items: byte by byte, mixed with
//! context models, and where the bytes do not tell it, whether the token ends.
//!
//! Whoever decodes needs the model's file and nothing of its tokenizer but the bytes
//! of each token. All arithmetic is that of `brevity-kernels`: any CPU decodes.

mod compressed;
mod error;
mod header;
mod mixed;
mod settings;
mod tokens;

pub use compressed::Compressed;
pub use error::ArchiveError;
pub use header::{Header, MAGIC, MAX_LANES, VERSION, header};
pub use settings::{CONTEXT, Settings, tokenise};

use crate::frequencies::Frequencies;
use crate::model::Model;
use crate::price::Progress;
use crate::tokenizer::Item;

/// What a decoder may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of content.
    pub bytes: u64,
    /// Bytes of keys and values, and of context models.
    pub memory: u64,
}

impl Default for Limits {
    /// 1 GiB of content, 4 GiB of memory.
    fn default() -> Limits {
        Limits {
            bytes: 1 << 30,
            memory: 1 << 32,
        }
    }
}

/// Compresses content; `progress` hears of the bytes of text that are priced, and
/// stops the work if it returns false.
///
/// # Errors
/// A model whose logits are not finite, or whose context is too short; a stop.
pub fn compress(
    model: &Model,
    settings: &Settings,
    content: &[u8],
    progress: Progress,
) -> Result<Compressed, ArchiveError> {
    Ok(compress_each(model, settings, content, |_, _| (), progress)?.0)
}

/// As [`compress`]; also what `take` says of each token of each stream and the frequencies
/// that code it.
pub(crate) fn compress_each<T: Clone + Default + Send>(
    model: &Model,
    settings: &Settings,
    content: &[u8],
    take: impl Fn(&Frequencies, Item) -> T + Sync,
    progress: Progress,
) -> Result<(Compressed, Vec<Vec<T>>), ArchiveError> {
    settings::check(model, settings)?;
    let (coded, taken) = tokens::encode(model, settings, content, take, progress)?;
    let header = header::write(model, settings, None, content);
    let (stream, items) = (&coded.stream, &coded.items);
    let compressed = Compressed::new(header, stream, coded.bits, items);
    Ok((compressed, taken))
}

/// As [`compress`], with the bytes of tokens mixed with context models, which learn while
/// they code. Shorter where the content is not what the model was made for, or goes on in
/// ways of its own. It may be longer than the context models alone, by the length of some
/// hundred bytes: a caller who can do without the model keeps the shorter of both.
///
/// Keeps some 50 bytes of memory for each byte of content.
///
/// # Errors
/// As [`compress`]; [`ArchiveError::Mixed`] for settings that do not allow it
/// ([`Settings::can_mix`]).
pub fn compress_mixed(
    model: &Model,
    settings: &Settings,
    content: &[u8],
    progress: Progress,
) -> Result<Compressed, ArchiveError> {
    settings::check(model, settings)?;
    if !settings.can_mix() {
        return Err(ArchiveError::Mixed);
    }
    let (setup, stream, items) = mixed::encode(model, settings, content, progress)?;
    let header = header::write(model, settings, Some(setup), content);
    let bits = 8.0 * stream.len() as f64;
    Ok(Compressed::new(header, &stream, bits, &items))
}

/// Decompresses an archive; `progress` hears of the bytes that are there, and stops
/// the work if it returns false.
///
/// # Errors
/// An archive that is damaged, made with another model or beyond the limits; a stop.
pub fn decompress(
    model: &Model,
    archive: &[u8],
    limits: &Limits,
    progress: Progress,
) -> Result<Vec<u8>, ArchiveError> {
    let header = header(archive)?;
    let id = header::model_id(model);
    if header.model != id {
        return Err(ArchiveError::OtherModel {
            needed: header.model,
            got: id,
        });
    }
    let settings = header.settings.unwrap_or_else(|| Settings::new(model));
    settings::check(model, &settings)?;
    let too_large = |what, needed, limit| ArchiveError::TooLarge {
        what,
        needed,
        limit,
    };
    if header.bytes > limits.bytes {
        return Err(too_large("a content", header.bytes, limits.bytes));
    }
    let bytes = usize::try_from(header.bytes).map_err(|_| ArchiveError::Header("the length"))?;
    let contexts = header.mixed.map_or(0, |setup| setup.memory(bytes));
    let memory = contexts.saturating_add(settings.memory(model, bytes) as u64);
    if memory > limits.memory {
        let what = "keys, values and context models";
        return Err(too_large(what, memory, limits.memory));
    }
    let stream = &archive[header.len..];
    let content = match header.mixed {
        None => tokens::decode(model, &settings, bytes, stream, progress)?,
        Some(setup) => mixed::decode(model, &settings, setup, bytes, stream, progress)?,
    };
    // A fuzzer would hardly find what matches.
    match header::checksum(&content) == header.checksum || cfg!(fuzzing) {
        true => Ok(content),
        false => Err(ArchiveError::Checksum),
    }
}
