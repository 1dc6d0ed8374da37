//! Archives of token models.
//!
//! ```text
//! B7 'b' 'p'
//! version, 1; its highest bit says that there are settings
//! the first 3 bytes of the model's hash
//! length of the content: varint
//! the settings, if there are any: tokens, keep, chunk, lanes, form, each a varint
//! the first 4 bytes of the content's BLAKE3 hash
//! the range coder's stream, to the end
//! ```
//!
//! A form other than text makes another text of each stream first ([`Form`]).
//!
//! The content is cut into lanes ([`Layout`]), a lane into chunks if there are any,
//! and each chunk or whole lane is a stream of its own. The stream of the range coder
//! has the next item of each lane that is not through, one lane after the other, and
//! again. An item is a token with its [`Frequencies`], or the escape and a byte. A
//! stream ends when its bytes are complete, so nothing tells how many items there
//! are. Bits that a text does not have come at the end, each half of the range.
//!
//! Whoever decodes needs the model's file and nothing of its tokenizer but the bytes
//! of each token. All arithmetic is that of `brevity-kernels`: any CPU decodes.

use crate::contexts::{Contexts, Stream};
use crate::decoder::Piece;
use crate::form::Form;
use crate::frequencies::{Frequencies, Interval, NonFinite};
use crate::model::Model;
use crate::price::{self, PriceError, Progress};
use crate::tokenizer::Item;
use brevity_codec::Layout;
use brevity_codec::range::{Decoder, Encoder};
use brevity_model::varint;
use rayon::prelude::*;

/// The first bytes of an archive.
pub const MAGIC: [u8; 3] = [0xB7, b'b', b'p'];

/// The version of the format.
pub const VERSION: u8 = 1;

/// Set in the byte of the version where settings follow.
const WITH_SETTINGS: u8 = 0x80;

/// Most lanes of an archive.
pub const MAX_LANES: usize = 256;

/// Tokens of a context unless it is said otherwise.
pub const CONTEXT: usize = 2048;

/// How content is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Sizes of contexts.
    pub contexts: Contexts,
    /// Bytes of chunks that are coded independently of each other, if they are.
    pub chunk: Option<usize>,
    /// Lanes that are decoded side by side, at most: faster, and each lane starts
    /// without a past.
    pub lanes: usize,
    /// How bytes become text.
    pub form: Form,
}

impl Settings {
    /// For a model: contexts of [`CONTEXT`] tokens or of its own size, one lane, text.
    pub fn new(model: &Model) -> Settings {
        Settings {
            contexts: Contexts::new(CONTEXT.min(model.spec().context).max(2)),
            chunk: None,
            lanes: 1,
            form: Form::Text,
        }
    }

    /// How content of `bytes` bytes is cut into lanes.
    fn layout(&self, bytes: usize) -> Layout {
        Layout::new(bytes, self.chunk.unwrap_or(1), self.lanes)
    }

    /// Lengths of the streams of a lane of `bytes` bytes.
    fn streams(&self, bytes: usize) -> impl Iterator<Item = usize> + use<> {
        let chunk = self.chunk.unwrap_or(usize::MAX);
        let count = bytes.div_ceil(chunk);
        (0..count).map(move |i| chunk.min(bytes - i * chunk))
    }

    /// Bytes that the keys and values of all lanes take at most.
    pub fn memory(&self, model: &Model, bytes: usize) -> usize {
        let tokens = self.contexts.tokens.min(bytes.saturating_add(1));
        let lanes = self.layout(bytes).lanes();
        // A history grows by half at a time.
        (tokens * 3 / 2 + 64)
            .saturating_mul(lanes)
            .saturating_mul(model.spec().position_bytes())
    }
}

/// An archive that cannot be made or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// Not an archive of a token model.
    #[error("not an archive made with a pretrained model")]
    Magic,
    /// A version that we do not know.
    #[error("version {0} is not {VERSION}: a newer program made this archive")]
    Version(u8),
    /// The header ends early or has an impossible value.
    #[error("the archive's header is damaged: {0}")]
    Header(&'static str),
    /// Made with another model.
    #[error(
        "the archive needs the model whose hash begins with {needed:06x}, this one has {got:06x}"
    )]
    OtherModel {
        /// The first bytes of the hash of the model that made it.
        needed: u32,
        /// Of the model at hand.
        got: u32,
    },
    /// More than the caller allows.
    #[error("{what} of {needed} bytes, more than the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// What the archive asks for.
        needed: u64,
        /// What is allowed.
        limit: u64,
    },
    /// The stream does not decode.
    #[error("the archive is damaged")]
    Damaged,
    /// The content is not what was compressed.
    #[error("the content does not match its checksum: the archive is damaged")]
    Checksum,
    /// The model has no finite logits.
    #[error(transparent)]
    NonFinite(#[from] NonFinite),
    /// The same, while compressing, or a stop.
    #[error(transparent)]
    Price(#[from] PriceError),
    /// The caller asked for it, while decompressing.
    #[error("stopped")]
    Stopped,
    /// Settings that do not fit the model.
    #[error("contexts of {tokens} tokens, but the model has {context} positions")]
    Context {
        /// What was asked for.
        tokens: usize,
        /// What there is.
        context: usize,
    },
}

/// What the header of an archive says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The first bytes of the model's hash.
    pub model: u32,
    /// Bytes of the content.
    pub bytes: u64,
    /// How it is cut; `None` for what [`Settings::new`] gives.
    pub settings: Option<Settings>,
    /// The first bytes of the content's hash.
    checksum: [u8; 4],
    /// Bytes of the header.
    len: usize,
}

impl Header {
    /// Bytes that it takes.
    pub fn header_bytes(&self) -> usize {
        self.len
    }
}

/// What a decoder may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of content.
    pub bytes: u64,
    /// Bytes of keys and values.
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

/// What an archive is and what it should be.
#[derive(Clone, Debug)]
pub struct Compressed {
    /// The archive.
    pub archive: Vec<u8>,
    /// Sum of the code lengths of all items, bits.
    pub bits: f64,
    /// Tokens and escaped bytes.
    pub items: usize,
    /// Escaped bytes.
    pub escaped: usize,
}

fn model_id(model: &Model) -> u32 {
    let [a, b, c, ..] = model.origin().hash;
    let id = u32::from_be_bytes([0, a, b, c]);
    if model.is_exact() {
        !id & 0xFF_FFFF
    } else {
        id
    }
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = *blake3::hash(bytes).as_bytes();
    [a, b, c, d]
}

/// Refuses settings that the model cannot do.
fn check(model: &Model, settings: &Settings) -> Result<(), ArchiveError> {
    let (tokens, context) = (settings.contexts.tokens, model.spec().context);
    match tokens <= context {
        true => Ok(()),
        false => Err(ArchiveError::Context { tokens, context }),
    }
}

/// The streams of content, lane by lane, tokenised.
pub fn tokenise(model: &Model, settings: &Settings, content: &[u8]) -> Vec<Vec<Vec<Item>>> {
    let layout = settings.layout(content.len());
    let lanes = (0..layout.lanes()).into_par_iter().map(|lane| {
        let mut rest = &content[layout.range(lane)];
        let streams = settings.streams(rest.len()).map(|len| {
            let (stream, after) = rest.split_at(len);
            rest = after;
            settings.form.items(model, stream)
        });
        streams.collect()
    });
    lanes.collect()
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
    check(model, settings)?;
    let lanes = tokenise(model, settings, content);
    let counts: Vec<usize> = lanes.iter().map(Vec::len).collect();
    let streams: Vec<Vec<Item>> = lanes.into_iter().flatten().collect();
    let intervals = price::price(model, &settings.contexts, &streams, progress)?;
    let bits = streams.iter().zip(&intervals);
    let mut bits: f64 = bits.map(|(items, i)| price::bits(items, i)).sum();

    let mut encoder = Encoder::default();
    let mut lanes: Vec<_> = counts
        .iter()
        .scan(0, |start, &count| {
            let range = *start..*start + count;
            *start += count;
            Some(range)
        })
        .map(|range| {
            let items = streams[range.clone()].iter().flatten();
            items.zip(intervals[range].iter().flatten())
        })
        .collect();
    let mut through = false;
    while !through {
        through = true;
        for lane in &mut lanes {
            let Some((item, interval)) = lane.next() else {
                continue;
            };
            through = false;
            encoder.fine_symbol(interval.start, interval.frequency);
            if let Item::Byte(byte) = item {
                encoder.fine_symbol(u32::from(*byte) << 24, 1 << 24);
            }
        }
    }
    for bit in settings.form.rest(content) {
        encoder.fine_symbol(u32::from(bit) << 31, 1 << 31);
        bits += 1.0;
    }
    let mut archive = MAGIC.to_vec();
    let usual = *settings == Settings::new(model);
    archive.push(if usual {
        VERSION
    } else {
        VERSION | WITH_SETTINGS
    });
    archive.extend(&model_id(model).to_be_bytes()[1..]);
    varint::put(&mut archive, content.len() as u64);
    if !usual {
        let Contexts { tokens, keep } = settings.contexts;
        let (chunk, form) = (settings.chunk.unwrap_or(0), settings.form as usize);
        for value in [tokens, keep, chunk, settings.lanes, form] {
            varint::put(&mut archive, value as u64);
        }
    }
    archive.extend(checksum(content));
    archive.extend(encoder.finish());
    let all = streams.iter().flatten();
    Ok(Compressed {
        archive,
        bits,
        items: all.clone().count(),
        escaped: all.filter(|item| matches!(item, Item::Byte(_))).count(),
    })
}

/// Reads the header of an archive.
///
/// # Errors
/// If it is none, or damaged.
pub fn header(archive: &[u8]) -> Result<Header, ArchiveError> {
    let rest = archive.strip_prefix(&MAGIC).ok_or(ArchiveError::Magic)?;
    let mut rest = rest.iter().copied();
    let mut byte = || rest.next().ok_or(ArchiveError::Header("it ends early"));
    let version = byte()?;
    if version & !WITH_SETTINGS != VERSION {
        return Err(ArchiveError::Version(version & !WITH_SETTINGS));
    }
    let model = u32::from_be_bytes([0, byte()?, byte()?, byte()?]);
    let mut number =
        |most: u64, what| varint::read(most, &mut byte)?.ok_or(ArchiveError::Header(what));
    let bytes = number(1 << 48, "the length")?;
    let settings = match version & WITH_SETTINGS {
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
    let checksum = [byte()?, byte()?, byte()?, byte()?];
    let len = archive.len() - rest.len();
    Ok(Header {
        model,
        bytes,
        settings,
        checksum,
        len,
    })
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
    if header.model != model_id(model) {
        return Err(ArchiveError::OtherModel {
            needed: header.model,
            got: model_id(model),
        });
    }
    let settings = header.settings.unwrap_or_else(|| Settings::new(model));
    check(model, &settings)?;
    let too_large = |what, needed, limit| ArchiveError::TooLarge {
        what,
        needed,
        limit,
    };
    if header.bytes > limits.bytes {
        return Err(too_large("a content", header.bytes, limits.bytes));
    }
    let bytes = usize::try_from(header.bytes).map_err(|_| ArchiveError::Header("the length"))?;
    let memory = settings.memory(model, bytes) as u64;
    if memory > limits.memory {
        return Err(too_large("keys and values", memory, limits.memory));
    }
    let content = decode(model, &settings, bytes, &archive[header.len..], progress)?;
    match checksum(&content) == header.checksum {
        true => Ok(content),
        false => Err(ArchiveError::Checksum),
    }
}

/// A lane that is decoded.
struct Lane {
    stream: Stream,
    /// Text so far.
    out: Vec<u8>,
    /// Bytes that the current stream still needs, and those of later streams.
    missing: usize,
    /// Bytes of text, at most.
    most: usize,
    later: std::vec::IntoIter<usize>,
    frequencies: Frequencies,
}

impl Lane {
    fn next_stream(&mut self, first: u32) {
        if let Some(len) = self.later.next() {
            self.missing = len;
            self.stream = Stream::new(first);
        }
    }

    /// Decodes an item; how many bytes of the content end in it.
    fn item(
        &mut self,
        decoder: &mut Decoder,
        model: &Model,
        settings: &Settings,
    ) -> Result<usize, ArchiveError> {
        let found = self.frequencies.find(decoder.fine_target());
        let (_, interval) = found.unwrap_or((0, Interval::ESCAPE));
        decoder.take_fine(interval.start, interval.frequency);
        let raw;
        let bytes = match found {
            Some((id, _)) => {
                self.stream.push(&settings.contexts, model.first(), id);
                model.vocabulary().token(id)
            }
            None => {
                raw = [(decoder.fine_target() >> 24) as u8];
                decoder.take_fine(u32::from(raw[0]) << 24, 1 << 24);
                &raw
            }
        };
        let count = settings.form.bytes_of(bytes);
        // A barred token has no bytes: no encoder wrote it.
        if bytes.is_empty() || count > self.missing || decoder.overrun() {
            return Err(ArchiveError::Damaged);
        }
        self.missing -= count;
        self.out.extend_from_slice(bytes);
        // No character of a form has more than two bytes.
        if self.out.len() > self.most {
            return Err(ArchiveError::Damaged);
        }
        if self.missing == 0 {
            self.next_stream(model.first());
        }
        Ok(count)
    }
}

fn decode(
    model: &Model,
    settings: &Settings,
    bytes: usize,
    payload: &[u8],
    progress: Progress,
) -> Result<Vec<u8>, ArchiveError> {
    let layout = settings.layout(bytes);
    let mut lanes: Vec<Lane> = (0..layout.lanes())
        .map(|lane| {
            let len = layout.range(lane).len();
            let streams: Vec<usize> = settings.streams(len).collect();
            let mut lane = Lane {
                stream: Stream::default(),
                out: Vec::new(),
                missing: 0,
                most: 2 * len,
                later: streams.into_iter(),
                frequencies: Frequencies::default(),
            };
            lane.next_stream(model.first());
            lane
        })
        .collect();
    let mut state = model.state(lanes.len());
    let mut decoder = Decoder::new(payload);
    let mut done = 0;
    while done < bytes {
        predict(model, &mut state, &mut lanes)?;
        for lane in lanes.iter_mut().filter(|lane| lane.missing > 0) {
            let more = lane.item(&mut decoder, model, settings)?;
            done += more;
            if !progress(more) {
                return Err(ArchiveError::Stopped);
            }
        }
    }
    let text: Vec<u8> = lanes.into_iter().flat_map(|lane| lane.out).collect();
    let rest = std::iter::from_fn(|| {
        let bit = decoder.fine_target() >> 31;
        decoder.take_fine(bit << 31, 1 << 31);
        Some(bit == 1)
    });
    let content = settings.form.bytes(text, rest);
    match content.filter(|_| decoder.ended()) {
        Some(content) => Ok(content),
        None => Err(ArchiveError::Damaged),
    }
}

/// Shows the model what lanes have pending, and asks it what comes next there.
fn predict(model: &Model, state: &mut crate::State, lanes: &mut [Lane]) -> Result<(), NonFinite> {
    let mut pieces = Vec::with_capacity(lanes.len());
    for (i, lane) in lanes.iter().enumerate() {
        if lane.missing == 0 || lane.stream.pending().is_empty() {
            continue;
        }
        if lane.stream.fresh() {
            state.reset(i);
        }
        pieces.push(Piece {
            lane: i,
            ids: lane.stream.pending(),
        });
    }
    if pieces.is_empty() {
        return Ok(());
    }
    let hidden = model.hidden(state, &pieces);
    let (width, vocabulary) = (model.spec().width, model.spec().vocabulary);
    let mut last = Vec::with_capacity(pieces.len() * width);
    let mut row = 0;
    for piece in &pieces {
        row += piece.ids.len();
        last.extend_from_slice(&hidden[(row - 1) * width..row * width]);
    }
    let mut logits = vec![0.0; pieces.len() * vocabulary];
    model.logits(&last, &mut logits);
    let barred = model.vocabulary().barred();
    let asked = lanes
        .iter_mut()
        .filter(|lane| lane.missing > 0 && !lane.stream.pending().is_empty());
    let mut asked: Vec<&mut Lane> = asked.collect();
    asked
        .par_iter_mut()
        .zip(logits.par_chunks_mut(vocabulary))
        .try_for_each(|(lane, logits)| {
            lane.stream.seen();
            lane.frequencies.set(logits, barred)
        })
}
