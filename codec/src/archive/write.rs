//! Writing archives.

use super::error::Error;
use super::index::Index;
use super::input::Input;
use super::inspect::inspect;
use super::layout::{BRIEF, BlockHeader, Effort, Header, MAX_BLOCK, MAX_LANES, ModelId, Terms};
use super::{Summary, digest};
use crate::block::{self, Coded, How, Method, Progress};
use crate::cm::{Gates, Level, Words};
use crate::predict::{LstmModel, Model, TransformerModel};
use crate::weights::{self, Plan, WeightError};
use brevity_kernels::mixture::GATES;
use brevity_model::{Transformer, Weights};
use rayon::prelude::*;
use std::io::{self, ErrorKind, Read, Write};

/// How to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes of the original in a block, at most [`MAX_BLOCK`]. A block can only be
    /// decoded as a whole, and context models start anew in each.
    pub block: usize,
    /// How blocks are coded; by default with context models and the model, if there
    /// is one. A block that does not get shorter is stored raw.
    pub method: Option<Method>,
    /// How much work and memory context models take.
    pub level: Level,
    /// Lanes of blocks that are coded with a trained model, from 1 to
    /// [`MAX_LANES`], rounded down to a power of two; by default the number that
    /// decodes fast. At the start of every lane context models know little of the
    /// bytes before, so fewer lanes make mixed archives smaller, and slower to
    /// decode. A model that learns while it codes has its own number of lanes, and so has
    /// a predictor from outside.
    pub lanes: Option<usize>,
}

impl Default for Options {
    /// Blocks of 16 MiB, everything mixed, the default level.
    fn default() -> Options {
        Options {
            block: 1 << 24,
            method: None,
            level: Level::default(),
            lanes: None,
        }
    }
}

/// The source of predictions: the model, and what the header says of it.
pub struct Source<'a> {
    header: Header,
    model: Option<Box<dyn Model + 'a>>,
    /// If it was trained beside context models.
    gates: Option<Gates>,
    /// What changed the bytes that the model was trained on.
    words: Option<Words>,
}

impl<'a> Source<'a> {
    /// No model: blocks are coded by context mixing.
    pub fn none() -> Source<'a> {
        Source {
            header: Header::Plain,
            model: None,
            gates: None,
            words: None,
        }
    }

    /// A model that is stored in the archive, quantised by `plan`.
    ///
    /// # Panics
    /// If the plan is for another spec.
    pub fn embedded(weights: &Weights, plan: &Plan) -> Source<'a> {
        let transformer = Transformer::new(&weights::quantise(weights, plan));
        Source {
            header: Header::Embedded(weights::encode(weights, plan)),
            model: Some(Box::new(TransformerModel::new(transformer))),
            gates: weights.gates().map(Gates::nearest),
            words: None,
        }
    }

    /// A model as an archive stores it: the bytes of [`Header::Embedded`].
    ///
    /// # Errors
    /// If they are not those of a model.
    pub fn stored(model: Vec<u8>) -> Result<Source<'a>, WeightError> {
        let weights = weights::decode(&model)?;
        Ok(Source {
            header: Header::Embedded(model),
            model: Some(Box::new(TransformerModel::new(Transformer::new(&weights)))),
            gates: None,
            words: None,
        })
    }

    /// A model that the reader must have; the archive contains its hash.
    pub fn external(weights: &Weights) -> Source<'a> {
        Source {
            header: Header::External(ModelId::of(weights)),
            model: Some(Box::new(TransformerModel::new(Transformer::new(weights)))),
            gates: weights.gates().map(Gates::nearest),
            words: None,
        }
    }

    /// A model that starts from a recipe alone and learns the bytes it codes.
    /// The archive contains the recipe, from which the reader must build the same model. It
    /// may hold weights to start with.
    pub fn recipe(recipe: Vec<u8>, model: Box<dyn Model + 'a>) -> Source<'a> {
        Source {
            header: Header::Recipe(recipe),
            gates: model.learns_beside().then_some(Gates::ALONE),
            model: Some(model),
            words: None,
        }
    }

    /// An LSTM network that learns the bytes it codes. The archive contains its recipe, and
    /// any reader of archives can follow it.
    pub fn lstm(model: LstmModel) -> Source<'a> {
        Source::recipe(model.recipe().to_bytes(), Box::new(model))
    }

    /// A predictor from outside that the reader must have; the archive contains its
    /// description, at most 65,536 bytes, by which the reader finds it.
    pub fn outside(described: Vec<u8>, model: Box<dyn Model + 'a>) -> Source<'a> {
        Source {
            header: Header::Outside(described),
            model: Some(model),
            gates: None,
            words: None,
        }
    }

    /// The same source, where the mixture with context models starts with these gates.
    #[must_use]
    pub fn with_gates(self, gates: &[f32; GATES]) -> Source<'a> {
        Source {
            gates: Some(Gates::nearest(gates)),
            ..self
        }
    }

    /// The same source, whose model was trained on bytes that `words` have changed: so are
    /// the blocks, where the method mixes it with context models.
    #[must_use]
    pub fn with_words(self, words: Option<Words>) -> Source<'a> {
        Source { words, ..self }
    }

    /// The header of the archive.
    pub fn header(&self) -> &Header {
        &self.header
    }
}

impl ModelId {
    /// The identity of a model: its spec and the bits of all its weights.
    pub fn of(weights: &Weights) -> ModelId {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&weights.spec().to_bytes());
        for (_, values) in weights.iter() {
            for value in values {
                hasher.update(&value.to_le_bytes());
            }
        }
        let mut id = [0; 8];
        id.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        ModelId(id)
    }
}

/// Compresses all of `input` into an archive. Memory depends on the block size and
/// the number of threads, not on the size of the input.
///
/// `progress` is called, from any thread, with the number of original bytes done
/// since the last call.
///
/// # Errors
/// Errors of reading and writing; a model that returns values that are not finite.
///
/// # Panics
/// If `options.block` is 0 or more than [`MAX_BLOCK`], `options.lanes` is 0 or more
/// than [`MAX_LANES`], or `options.method` needs a model and there is none.
pub fn compress(
    input: impl Read,
    output: impl Write,
    source: &Source,
    options: &Options,
    progress: Progress<'_>,
) -> Result<Summary, Error> {
    write(input, output, source, options, false, progress).map(|written| written.summary)
}

/// An archive that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its sizes, and the hash of the original.
    pub summary: Summary,
    /// BLAKE3 of the archive.
    pub archive: blake3::Hash,
    /// Whether all blocks were decoded as they were coded, to the same bytes.
    pub decoded: bool,
}

impl Written {
    /// Whether the archive that `input` reads is this one, as it was written, and says of
    /// itself what was written. With [`decoded`](Written::decoded), it then decodes to its
    /// source.
    ///
    /// # Errors
    /// Errors of reading; invalid fields.
    pub fn is(&self, input: impl Read) -> Result<bool, Error> {
        let mut input = Hashing {
            of: input,
            hasher: blake3::Hasher::new(),
        };
        let found = inspect(&mut input)?;
        let Summary {
            raw,
            stored,
            digest,
        } = self.summary;
        Ok((found.raw(), found.stored) == (raw, stored)
            && found.digest.is_none_or(|found| found == digest)
            && input.hasher.finalize() == self.archive)
    }
}

/// As [`compress`]; an archive of one block that context models code alone is decoded as
/// it is coded, on one more thread, if there is more than one and the context models take
/// at most half a GiB. That takes their memory twice. (Several blocks are coded, and can be
/// decoded, side by side.)
///
/// # Errors
/// As [`compress`], and [`Error::Unverified`] if the block decodes to other bytes.
///
/// # Panics
/// As [`compress`].
pub fn compress_decoding(
    input: impl Read,
    output: impl Write,
    source: &Source,
    options: &Options,
    progress: Progress<'_>,
) -> Result<Written, Error> {
    let decode = rayon::current_num_threads() > 1;
    write(input, output, source, options, decode, progress)
}

/// Hashes what passes.
struct Hashing<T> {
    of: T,
    hasher: blake3::Hasher,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.of.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.of.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.of.flush()
    }
}

fn write(
    mut input: impl Read,
    output: impl Write,
    source: &Source,
    options: &Options,
    decode: bool,
    progress: Progress<'_>,
) -> Result<Written, Error> {
    let mut output = Hashing {
        of: output,
        hasher: blake3::Hasher::new(),
    };
    assert!(
        (1..=MAX_BLOCK).contains(&options.block),
        "blocks of {} bytes",
        options.block
    );
    assert!(
        options.lanes.is_none_or(|n| (1..=MAX_LANES).contains(&n)),
        "{:?} lanes",
        options.lanes
    );
    let lanes = match source.header {
        Header::Recipe(_) | Header::Outside(_) => None,
        _ => options.lanes,
    };
    let model = source.model.as_deref();
    let method = options.method.unwrap_or(match model {
        Some(_) => Method::Mixed,
        None => Method::Contexts,
    });
    assert!(
        model.is_some() || !method.needs_model(),
        "method {} needs a model",
        method.name()
    );
    let mut stored = 0;
    let mut put = |bytes: &[u8]| -> Result<(), Error> {
        stored += bytes.len() as u64;
        output.write_all(bytes).map_err(Error::Write)
    };
    let how = How {
        method,
        level: options.level,
        words: source.words.as_ref(),
        gates: source.gates.filter(|_| method == Method::Mixed),
        lanes,
        decode: false,
        brief: false,
    };
    let mut ahead = block_of(&mut input, options.block)?;
    // The first block is the longest.
    let lanes = (1 << block::lanes_log2(how, model)).min(ahead.len().max(1));
    let effort = method
        .needs_contexts()
        .then(|| Effort::of(options.level, lanes, ahead.len()));
    // A block that is not full is the only one.
    let brief = source.header == Header::Plain && ahead.len() <= BRIEF.min(options.block - 1);
    put(&match brief {
        true => Header::brief(effort),
        false => source.header.to_bytes(effort),
    })?;
    let terms = Terms::written(effort, brief);

    // With a model, all threads work on one block; without, each on its own.
    let together = if method.needs_model() {
        1
    } else {
        rayon::current_num_threads()
    };
    let mut hasher = blake3::Hasher::new();
    let mut index = Index::default();
    let (mut raw, mut decoded) = (0, true);
    loop {
        let mut batch = vec![ahead];
        ahead = block_of(&mut input, options.block)?;
        while batch.len() < together && !ahead.is_empty() {
            batch.push(ahead);
            ahead = block_of(&mut input, options.block)?;
        }
        let how = How {
            decode: decode && raw == 0 && batch.len() == 1 && ahead.is_empty(),
            brief,
            ..how
        };
        let coded: Vec<Result<Coded, _>> = batch
            .par_iter()
            .map(|bytes| block::encode(bytes, how, model, progress))
            .collect();
        let count = batch.len();
        for (i, (bytes, coded)) in batch.iter().zip(coded).enumerate() {
            let coded = coded.map_err(|source| Error::Predict {
                block: index.blocks.len() as u64,
                source,
            })?;
            let last = ahead.is_empty() && i + 1 == count;
            let number = index.blocks.len() as u64;
            let written = BlockHeader::write(&coded, bytes, last, number, terms);
            decoded &= coded.decoded.unwrap_or(false);
            if coded.decoded.is_some() && !reads_back(&written, &coded, bytes, number, terms) {
                let inner = Error::Malformed {
                    offset: stored,
                    what: "the block decodes to other bytes",
                };
                return Err(Error::Unverified(Box::new(inner)));
            }
            put(&written)?;
            index
                .blocks
                .push((bytes.len() as u64, written.len() as u64));
            hasher.update(bytes);
            raw += bytes.len() as u64;
        }
        if ahead.is_empty() {
            break;
        }
    }
    if index.blocks.len() > 1 {
        put(&index.to_bytes())?;
    }
    let digest = digest(&hasher);
    put(&digest[..terms.digest() as usize])?;
    output.flush().map_err(Error::Write)?;
    Ok(Written {
        summary: Summary {
            raw,
            stored,
            digest,
        },
        archive: output.hasher.finalize(),
        decoded,
    })
}

/// Whether a block that was decoded as it was coded came back, and is written as what was
/// decoded.
fn reads_back(written: &[u8], coded: &Coded, bytes: &[u8], number: u64, terms: Terms) -> bool {
    let mut input = Input::new(written, 0);
    let read = BlockHeader::read(&mut input, terms);
    let read = read.ok().and_then(|header| {
        let payload = input.bytes(coded.payload.len() as u64, "a block").ok()?;
        let whole = header.whole(&payload);
        Some((whole, header.with(payload, number)?))
    });
    coded.decoded == Some(true)
        && read.is_some_and(|(whole, read)| {
            let read = Coded {
                decoded: coded.decoded,
                // Hashed, but not stored in a brief archive.
                frequencies: coded
                    .frequencies
                    .filter(|_| terms.brief)
                    .or(read.frequencies),
                ..read
            };
            read == *coded && whole.is_none_or(|whole| whole.is_of(bytes))
        })
}

/// The next `length` bytes, or what is left.
fn block_of(input: &mut impl Read, length: usize) -> Result<Vec<u8>, Error> {
    let mut block = Vec::new();
    loop {
        // `take` and `read_to_end` allocate no more than the input has.
        let rest = (length - block.len()) as u64;
        match input.by_ref().take(rest).read_to_end(&mut block) {
            Ok(_) => return Ok(block),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(Error::Read(e)),
        }
    }
}
