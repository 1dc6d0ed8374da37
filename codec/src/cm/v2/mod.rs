//! The context models of format version 2.

pub(super) mod base64;
mod bits;
mod code;
mod contexts;
mod direct;
mod history;
mod lane;
mod lean;
mod matcher;
mod meaning;
mod mixer;
mod neural;
mod nibbles;
mod quick;
mod run;
mod selectors;
mod setup;
mod sound;
mod survey;
mod table;
mod transform;
pub(crate) mod words;

use super::{Advice, BitCoder};
use crate::cm::chance::{Chance, Refiner};
use crate::coder::NoAdvice;
use bits::Neighbours;
use bits::{Pixels, TEMPLATES};
use brevity_kernels::simd::dispatch;
use code::CodeByte;
use contexts::{Indirect, View};
use direct::Direct;
use lane::{Lane, MATCHES};
pub use lean::Lean;
use matcher::Matcher;
use meaning::Meanings;
use mixer::Mixer;
use neural::Neural;
use run::Runs;
pub use setup::{Kind, Level, Setup};
use sound::Sound;
pub use survey::Candidates;
use table::Table;
pub use transform::Transform;
pub use words::Words;

/// The weights at first of the histories of all contexts together, and of their
/// counters.
const WEIGHT: f32 = 2.5;

/// Lengths of tables.
struct Sizes {
    /// Lines of the hash table, a multiple of 64.
    lines: usize,
    /// Counters of the last two and three bytes.
    counters: usize,
    /// Rows of a refiner.
    rows: usize,
    /// Slots of a matcher.
    slots: usize,
}

impl Sizes {
    fn new(setup: &Setup, contexts: usize, bytes: usize) -> Sizes {
        Sizes {
            lines: (bytes * contexts / 4).clamp(1 << 8, setup.most_lines()) & !63,
            counters: (16 * bytes).next_power_of_two().clamp(1 << 12, 1 << 22),
            rows: (8 * bytes).next_power_of_two().clamp(1 << 10, 1 << 16),
            slots: (2 * bytes).next_power_of_two().clamp(1 << 10, 1 << 22),
        }
    }
}

/// Inputs of a mixer: one of each context, counter and match, the trained model,
/// pixels, one of each run.
fn inputs(setup: Setup, contexts: usize) -> usize {
    let runs = if has_runs(setup) { contexts } else { 0 };
    let pixels = if setup.kind == Kind::Bits {
        TEMPLATES
    } else {
        0
    };
    let sound = if setup.kind == Kind::Sound {
        sound::INPUTS
    } else {
        0
    };
    let inputs = contexts + code::directs(setup.level) + MATCHES + 1 + pixels + runs + sound;
    inputs.next_multiple_of(mixer::WIDTH)
}

/// Whether a context has a line of the table for itself.
fn has_lines(setup: Setup) -> bool {
    (setup.level, setup.kind) == (Level::Default, Kind::Text)
}

/// Whether contexts remember what followed them last.
fn has_runs(setup: Setup) -> bool {
    (setup.level, setup.kind) == (Level::Best, Kind::Text)
}

/// Bytes of a lane, whatever the size of pointers.
const LANE_MEMORY: usize = 1024;
const _: () = assert!(size_of::<Lane>() <= LANE_MEMORY);

/// Bytes of the runs of a context, whatever the size of pointers.
const RUNS_MEMORY: usize = 2048;
const _: () = assert!(size_of::<Runs>() <= RUNS_MEMORY);

/// Bytes that a mixture for a block of `bytes` bytes in `lanes` lanes takes, at
/// most.
pub fn memory(setup: Setup, lanes: usize, bytes: usize) -> u64 {
    if setup.level == Level::Fast {
        return lean::memory(lanes, bytes);
    }
    let contexts = contexts::count(&setup);
    let sizes = Sizes::new(&setup, contexts, bytes);
    let selectors: usize = selectors::sizes(&setup).iter().sum();
    let inputs = inputs(setup, contexts);
    let pixels = if setup.kind == Kind::Bits {
        Pixels::MEMORY
    } else {
        0
    };
    let runs = if has_runs(setup) {
        sizes.lines * 8 + contexts * RUNS_MEMORY
    } else {
        0
    };
    let parts = [
        sizes.lines * 64,
        runs,
        code::directs(setup.level) * sizes.counters * 4,
        sizes.rows * 64 * code::refiners(setup.level),
        sizes.slots * 4 * MATCHES,
        selectors * inputs * 4,
        contexts * size_of::<Meanings>(),
        lanes * LANE_MEMORY,
        bytes + lanes,
        pixels,
        if setup.kind == Kind::Sound {
            Sound::MEMORY
        } else {
            0
        },
        if setup.network { Neural::MEMORY } else { 0 },
        // Indirect contexts, tables of the matches, counters of the last byte, and
        // what is small.
        1 << 20,
    ];
    parts.map(|part| part as u64).iter().sum()
}

/// As [`memory`], whatever a block is taken for, without a network.
pub fn most_memory_alone(level: Level, lanes: usize, bytes: usize) -> u64 {
    let each = Kind::ALL.map(|kind| memory(Setup::plain(level, kind), lanes, bytes));
    each.into_iter().max().unwrap_or_default()
}

/// As [`memory`], whatever a block is taken for, with a network or without.
pub fn most_memory(level: Level, lanes: usize, bytes: usize) -> u64 {
    let setup = |kind| Setup::plain(level, kind).with_network(bytes);
    let each = Kind::ALL.map(|kind| memory(setup(kind), lanes, bytes));
    let most = each.into_iter().max().unwrap_or_default();
    most.max(most_memory_alone(level, lanes, bytes))
}

/// Context models that learn online, mixed.
pub struct Mixture {
    setup: Setup,
    /// How many contexts are the last bytes, which come first.
    orders: usize,
    table: Table,
    directs: Vec<Direct>,
    /// One for each context.
    meanings: Vec<Meanings>,
    /// One for each context, or none.
    runs: Vec<Runs>,
    match_chances: [Vec<Chance>; MATCHES],
    matchers: [Matcher; MATCHES],
    /// For pictures of one bit.
    pixels: Option<Box<Pixels>>,
    /// For sound.
    sound: Option<Sound>,
    /// If the setup has one.
    network: Option<Box<Neural>>,
    mixer: Mixer,
    refiners: Vec<Refiner>,
    lanes: Vec<Lane>,
    /// All bytes so far, lanes interleaved.
    history: Vec<u8>,
    indirect: Indirect,
    inputs: Vec<f32>,
}

impl Mixture {
    /// A mixture that has learned nothing, for a block of `bytes` bytes in `lanes`
    /// lanes; `advised` if a trained model takes part. It takes [`memory`].
    ///
    /// # Panics
    /// If there are a network and a trained model or several lanes.
    pub fn new(setup: Setup, lanes: usize, bytes: usize, advised: bool) -> Mixture {
        assert!(!(setup.network && (advised || lanes > 1)), "one adviser");
        let contexts = contexts::count(&setup);
        let mut start = vec![0.0; inputs(setup, contexts)];
        let matches = contexts + code::directs(setup.level);
        start[..matches].fill(WEIGHT / matches as f32);
        start[matches..][..MATCHES].fill(0.15);
        let model = matches + MATCHES;
        start[model] = match (advised, setup.network) {
            (true, _) => 0.6,
            (false, true) => 0.3,
            (false, false) => 0.0,
        };
        if setup.kind == Kind::Bits {
            start[model + 1..][..TEMPLATES].fill(0.3);
        }
        if setup.kind == Kind::Sound {
            start[model + 1..][..sound::INPUTS].fill(0.2);
        }
        let Sizes {
            lines,
            counters,
            rows,
            slots,
        } = Sizes::new(&setup, contexts, bytes);
        let mut mixture = Mixture {
            setup,
            orders: contexts::orders(&setup),
            table: Table::new(lines, has_runs(setup)),
            directs: (0..code::directs(setup.level))
                .map(|count| Direct::new(counters.min(512 << (8 * count))))
                .collect(),
            meanings: (0..contexts).map(|_| Meanings::new()).collect(),
            runs: (0..if has_runs(setup) { contexts } else { 0 })
                .map(|_| Runs::new())
                .collect(),
            match_chances: [matcher::meanings(), matcher::meanings()],
            matchers: matcher::LEAST.map(|least| Matcher::new(slots, least, lanes)),
            pixels: (setup.kind == Kind::Bits).then(|| Box::new(Pixels::new())),
            sound: (setup.kind == Kind::Sound).then(|| Sound::new(setup.record / 2)),
            network: setup.network.then(|| Box::new(Neural::new(bytes))),
            mixer: Mixer::new(selectors::sizes(&setup), &start, matches),
            refiners: vec![Refiner::new(rows); code::refiners(setup.level)],
            lanes: vec![Lane::default(); lanes],
            history: Vec::with_capacity(bytes + lanes),
            indirect: Indirect::new(),
            inputs: vec![0.0; start.len()],
        };
        for lane in 0..lanes {
            mixture.rehash(lane);
        }
        mixture
    }

    /// Codes the next byte of a lane and learns it. Lanes take turns, the first
    /// one first. If there is a network, it takes the place of `advice`.
    pub fn code(&mut self, lane: usize, coder: &mut dyn BitCoder, advice: &dyn Advice) -> u8 {
        let Some(mut network) = self.network.take() else {
            return self.code_advised(lane, coder, advice);
        };
        let byte = match network.advice() {
            Some(said) => self.code_advised(lane, coder, &said),
            None => self.code_advised(lane, coder, &NoAdvice),
        };
        network.take(byte);
        self.network = Some(network);
        byte
    }

    fn code_advised(&mut self, lane: usize, coder: &mut dyn BitCoder, advice: &dyn Advice) -> u8 {
        if has_lines(self.setup) {
            dispatch(CodeByte::<true> {
                mixture: self,
                lane,
                coder,
                advice,
            })
        } else {
            dispatch(CodeByte::<false> {
                mixture: self,
                lane,
                coder,
                advice,
            })
        }
    }

    /// Instead of [`Mixture::code`] for a lane that has ended.
    pub fn skip(&mut self) {
        self.history.push(0);
    }

    /// Learns what came, for contexts of the next byte.
    #[inline(always)]
    fn take(&mut self, index: usize, byte: u8) {
        self.history.push(byte);
        let next = self.history.len() - 1 + self.lanes.len();
        let lane = &mut self.lanes[index];
        self.indirect.take(lane.recent, byte);
        if let Some(sound) = &mut self.sound {
            sound.take(byte);
            (lane.expected, lane.high) = sound.expected();
        }
        if lane.take(byte) {
            let [word, before, _] = lane.words;
            lane.follower = self.indirect.take_word(before, word);
        }
        for (i, matcher) in self.matchers.iter_mut().enumerate() {
            let key = lane.key(matcher::LEAST[i] - 1);
            matcher.advance(&mut lane.found[i], key, next, &self.history);
        }
        self.rehash(index);
        for &hash in &self.lanes[index].hashes[..self.meanings.len()] {
            self.table.prefetch(hash);
        }
    }

    /// The contexts of a lane's next byte.
    #[inline(always)]
    fn rehash(&mut self, index: usize) {
        let view = View {
            setup: &self.setup,
            lane: &self.lanes[index],
            indirect: &self.indirect,
            history: &self.history,
            stride: self.lanes.len(),
        };
        let (hashes, _) = contexts::hashes(&view);
        let pixels = match self.setup.kind {
            Kind::Bits => view.neighbours(),
            _ => Neighbours::default(),
        };
        let lane = &mut self.lanes[index];
        (lane.hashes, lane.pixels) = (hashes, pixels);
    }
}
