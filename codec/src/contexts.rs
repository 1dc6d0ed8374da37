//! What context models say of known bytes.

use crate::block::Spread;
use crate::cm::{self, Level, Mixture, Models, Setup, Words, survey_beside};
use crate::coder::NoAdvice;
use crate::said::Recorder;
use brevity_kernels::mixture::BITS;
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

/// Units of a logit of 1.
const UNITS: f32 = 2048.0;

/// Bytes between two calls of a [`Progress`].
const STRIDE: usize = 1 << 14;

/// The logits that context models, which learn as they go, give to the eight bits of
/// each byte: what a model is trained beside, and with what its part in an archive's
/// mixture is priced.
///
/// A logit is that of the bit that comes, so a large one is a bit well foretold. They
/// are those of archives without a model whose blocks have the same length and are not
/// changed, to a precision of `1 / 2048`, and the same on every machine.
///
/// ```
/// use brevity_codec::{Contexts, Level};
///
/// let text = b"the more often, the shorter; ".repeat(20);
/// let contexts = Contexts::of(&text, Level::Default, 1 << 20, &|_| true).unwrap();
/// assert_eq!(contexts.len(), text.len());
/// let ends = [0..29, text.len() - 29..text.len()];
/// let [first, last] = ends.map(|range| contexts.parts([range]).bits());
/// assert!(last < first / 10.0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contexts {
    level: Level,
    logits: Vec<[i16; BITS]>,
}

/// A block of an archive, as it is coded.
struct Block<'a> {
    setup: Setup,
    coded: Cow<'a, [u8]>,
    spread: Spread,
}

impl Contexts {
    /// The logits for `bytes`, in blocks of `block` bytes that are learned anew, side by
    /// side on several threads. `None` if `progress` returned false; it is called, from
    /// any thread, with the number of bytes done since the last call.
    ///
    /// # Panics
    /// If `block` is 0.
    pub fn of(
        bytes: &[u8],
        level: Level,
        block: usize,
        progress: &(dyn Fn(u64) -> bool + Sync),
    ) -> Option<Contexts> {
        let blocks = Contexts::blocks(bytes, level, block, None, true);
        Contexts::of_blocks(&blocks, level, progress)
    }

    /// As [`of`](Contexts::of), where `words`, if there are any, shorten blocks of text; with
    /// the blocks as they are then, one after the other, whose number of bytes is that of the
    /// logits. `network` says whether there may be a network among the models of the best
    /// level: not where the archive's blocks have several lanes, or a model without gates.
    /// `progress` is told of bytes as they were.
    ///
    /// # Panics
    /// If `block` is 0.
    pub fn of_words<'a>(
        bytes: &'a [u8],
        words: Option<&Words>,
        network: bool,
        level: Level,
        block: usize,
        progress: &(dyn Fn(u64) -> bool + Sync),
    ) -> Option<(Contexts, Cow<'a, [u8]>)> {
        let blocks = Contexts::blocks(bytes, level, block, words, network);
        let contexts = Contexts::of_blocks(&blocks, level, progress)?;
        if blocks
            .iter()
            .all(|block| matches!(block.coded, Cow::Borrowed(_)))
        {
            return Some((contexts, bytes.into()));
        }
        let coded = blocks.iter().flat_map(|block| &*block.coded);
        Some((contexts, coded.copied().collect()))
    }

    /// The blocks of an archive.
    fn blocks<'a>(
        bytes: &'a [u8],
        level: Level,
        length: usize,
        words: Option<&Words>,
        network: bool,
    ) -> Vec<Block<'a>> {
        let block = |bytes: &'a [u8]| {
            let (setup, coded) = survey_beside(level, bytes, words);
            let setup = match network {
                true => setup.with_network(coded.len()),
                false => setup,
            };
            let spread = Spread::new(coded.len(), bytes.len());
            Block {
                setup,
                coded,
                spread,
            }
        };
        bytes.par_chunks(length).map(block).collect()
    }

    fn of_blocks(
        blocks: &[Block<'_>],
        level: Level,
        progress: &(dyn Fn(u64) -> bool + Sync),
    ) -> Option<Contexts> {
        let mut logits = vec![[0; BITS]; blocks.iter().map(|block| block.coded.len()).sum()];
        let mut rest = &mut logits[..];
        let mut places = Vec::new();
        for block in blocks {
            let (place, behind) = rest.split_at_mut(block.coded.len());
            places.push((block, place));
            rest = behind;
        }
        let stopped = AtomicBool::new(false);
        places.into_par_iter().for_each(|(block, logits)| {
            let bytes = &block.coded;
            let models = Models::Second(block.setup);
            let mut mixture = Mixture::new(models, 1, bytes.len(), false);
            for (bytes, logits) in bytes.chunks(STRIDE).zip(logits.chunks_mut(STRIDE)) {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                for (&byte, logits) in bytes.iter().zip(logits) {
                    let mut recorder = Recorder::new(byte);
                    mixture.code(0, &mut recorder, &NoAdvice);
                    let said = recorder.said.logits(byte);
                    *logits = said.map(|logit| (logit * UNITS) as i16);
                }
                if !progress(block.spread.more(bytes.len() as u64)) {
                    stopped.store(true, Ordering::Relaxed);
                }
            }
        });
        (!stopped.into_inner()).then_some(Contexts { level, logits })
    }

    /// The most bytes of memory that [`of`](Contexts::of) takes for so many bytes: the
    /// logits, and the context models of a block on each thread.
    #[must_use]
    pub fn most_memory(bytes: usize, level: Level, block: usize, threads: usize) -> u64 {
        let logits = size_of::<[i16; BITS]>() as u64 * bytes as u64;
        let together = threads.min(bytes.div_ceil(block)) as u64;
        logits + together * cm::most_memory(level, 1, block.min(bytes))
    }

    /// The level of the context models.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.logits.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.logits.is_empty()
    }

    /// The logits of the eight bits of a byte, the highest bit first.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Contexts::len).
    pub fn at(&self, index: usize) -> [f32; BITS] {
        self.logits[index].map(|units| f32::from(units) / UNITS)
    }

    /// Those of parts of the bytes, one after the other.
    ///
    /// # Panics
    /// If a range is not within the bytes.
    #[must_use]
    pub fn parts(&self, ranges: impl IntoIterator<Item = Range<usize>>) -> Contexts {
        let parts = ranges.into_iter();
        Contexts {
            level: self.level,
            logits: parts
                .flat_map(|range| &self.logits[range])
                .copied()
                .collect(),
        }
    }

    /// BLAKE3 of all logits.
    pub fn hash(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for logits in &self.logits {
            for units in logits {
                hasher.update(&units.to_le_bytes());
            }
        }
        hasher.finalize()
    }

    /// Code length of all bytes under the context models alone, bits.
    pub fn bits(&self) -> f64 {
        let logits = self.logits.iter().flatten();
        let nats = logits.map(|&units| (-f64::from(units) / f64::from(UNITS)).exp().ln_1p());
        nats.sum::<f64>() / std::f64::consts::LN_2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Models, Options, Source, compress, entropy};
    use crate::cm::v2::words;

    #[test]
    fn logits_are_those_of_an_archive() {
        let text: Vec<u8> = (0..900_u32)
            .flat_map(|i| format!("{} and {}, ", i * i % 97, i % 13).into_bytes())
            .collect();
        let long = text.repeat(6);
        for (text, block, level) in [
            (&text, 1 << 20, Level::Default),
            (&text, 3000, Level::Default),
            // With a network.
            (&long, 1 << 20, Level::Best),
        ] {
            assert!(level != Level::Best || text.len() > 1 << 15);
            let options = Options {
                block,
                level,
                ..Options::default()
            };
            let mut archive = Vec::new();
            compress(&text[..], &mut archive, &Source::none(), &options, &|_| {}).unwrap();
            let exact = entropy(&archive[..], &Models::default(), &|_| {}).unwrap();
            let exact: f64 = exact.iter().sum();
            let contexts = Contexts::of(text, level, block, &|_| true).unwrap();
            let bits = contexts.bits();
            assert!((bits / exact - 1.0).abs() < 1e-3, "{bits}, not {exact}");
        }
    }

    #[test]
    fn words_are_changed_block_by_block() {
        let text = words::tests::prose(1 << 17);
        let words = Words::of(&text, Level::Default).expect("prose");
        let block = 1 << 16;
        let found = Contexts::of_words(&text, Some(&words), true, Level::Default, block, &|_| true);
        let (contexts, changed) = found.expect("nobody stops it");
        assert_eq!(contexts.len(), changed.len());
        let blocks: Vec<_> = text
            .chunks(block)
            .map(|b| words.shorten(b).unwrap())
            .collect();
        assert!(*changed == blocks.concat());
        let alone = Contexts::of(&blocks[1], Level::Default, block, &|_| true).unwrap();
        let second = blocks[0].len()..changed.len();
        assert_eq!(contexts.parts(Some(second)), alone);
    }

    #[test]
    fn a_stop_ends_it() {
        assert_eq!(Contexts::of(b"abc", Level::Fast, 1, &|_| false), None);
    }
}
