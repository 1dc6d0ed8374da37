//! The context models of format version 2.

mod bits;
mod code;
mod contexts;
mod history;
mod lane;
mod matcher;
mod mixer;
mod setup;
mod survey;
mod table;

use super::{Advice, BitCoder};
use crate::cm::chance::{self, Chance, Refiner};
use bits::Neighbours;
use bits::{Pixels, TEMPLATES};
use brevity_kernels::simd::dispatch;
use code::CodeByte;
use contexts::{Indirect, View};
use history::Histories;
use lane::{Lane, MATCHES, MOST};
use matcher::Matcher;
use mixer::Mixer;
pub use setup::{Kind, Level, Setup};
pub use survey::survey;
use table::Table;

/// Inputs of a context: what its history and its run have meant, its counter, and
/// a confidence.
const PER: usize = 4;

/// Inputs of a context at the fastest level: history and counter.
const PER_FAST: usize = 2;

/// The weights at first of the histories of all contexts together, and of their
/// counters.
const WEIGHT: f32 = 2.5;

/// What a context's states have meant.
struct Meaning {
    histories: [Chance; 256],
    /// By length of the run and depth of the bit: whether the expected bit comes.
    runs: [Chance; 256],
}

impl Meaning {
    fn new() -> Meaning {
        Meaning {
            histories: Histories::get().guess.map(chance::guess),
            runs: std::array::from_fn(|i| chance::guess((65_535 - 65_535 / (i / 8 + 2)) as u16)),
        }
    }
}

/// Lengths of tables.
struct Sizes {
    /// Buckets of the hash table.
    buckets: usize,
    /// Rows of a refiner.
    rows: usize,
    /// Slots of a matcher.
    slots: usize,
}

impl Sizes {
    fn new(level: Level, contexts: usize, bytes: usize) -> Sizes {
        Sizes {
            buckets: (bytes * contexts / 2).clamp(1 << 10, level.most_buckets()) & !1,
            rows: (8 * bytes).next_power_of_two().clamp(1 << 10, 1 << 16),
            slots: (2 * bytes).next_power_of_two().clamp(1 << 10, 1 << 22),
        }
    }
}

/// Bytes of a lane, whatever the size of pointers.
const LANE_MEMORY: usize = 512;
const _: () = assert!(size_of::<Lane>() <= LANE_MEMORY);

/// Bytes that a mixture for a block of `bytes` bytes in `lanes` lanes takes, at
/// most.
pub fn memory(setup: Setup, lanes: usize, bytes: usize) -> u64 {
    let contexts = contexts::count(&setup);
    let sizes = Sizes::new(setup.level, contexts, bytes);
    let selectors: usize = code::selectors(setup.level).iter().sum();
    let inputs = (contexts * PER + 2 * MATCHES + TEMPLATES + 2).next_multiple_of(8);
    let pixels = if setup.kind == Kind::Bits {
        Pixels::MEMORY
    } else {
        0
    };
    let parts = [
        sizes.buckets * 64,
        sizes.rows * 64 * code::refiners(setup.level),
        sizes.slots * 4 * MATCHES,
        selectors * inputs * 4,
        contexts * size_of::<Meaning>(),
        lanes * LANE_MEMORY,
        bytes + lanes,
        pixels,
        // Indirect contexts, tables of the matches, and what is small.
        1 << 20,
    ];
    parts.map(|part| part as u64).iter().sum()
}

/// As [`memory`], whatever a block is taken for.
pub fn most_memory(level: Level, lanes: usize, bytes: usize) -> u64 {
    let each = Kind::ALL.map(|kind| memory(Setup::plain(level, kind), lanes, bytes));
    each.into_iter().max().unwrap_or_default()
}

/// Context models that learn online, mixed.
pub struct Mixture {
    setup: Setup,
    table: Table,
    /// One for each context.
    meanings: Vec<Meaning>,
    match_chances: [Vec<Chance>; MATCHES],
    matchers: [Matcher; MATCHES],
    /// For pictures of one bit.
    pixels: Option<Box<Pixels>>,
    mixer: Mixer,
    refiners: Vec<Refiner>,
    lanes: Vec<Lane>,
    /// All bytes so far, lanes interleaved.
    history: Vec<u8>,
    indirect: Indirect,
    inputs: Vec<f32>,
    /// The buckets of the first nibble of the byte under way.
    buckets: [usize; MOST],
}

impl Mixture {
    /// A mixture that has learned nothing, for a block of `bytes` bytes in `lanes`
    /// lanes; `advised` if a trained model takes part. It takes [`memory`].
    pub fn new(setup: Setup, lanes: usize, bytes: usize, advised: bool) -> Mixture {
        let contexts = contexts::count(&setup);
        let per = if setup.level == Level::Fast {
            PER_FAST
        } else {
            PER
        };
        // Contexts, matches, pixels; then the constant and the trained model.
        let fixed = 2 * MATCHES + TEMPLATES + 2;
        let mut start = vec![0.0; (contexts * per + fixed).next_multiple_of(8)];
        for weights in start[..contexts * per].chunks_mut(per) {
            weights[..2].fill(WEIGHT / contexts as f32);
        }
        start[contexts * per..][..2 * MATCHES].fill(0.15);
        if setup.kind == Kind::Bits {
            start[contexts * per + 2 * MATCHES..][..TEMPLATES].fill(0.3);
        }
        start[contexts * per + fixed - 1] = if advised { 0.6 } else { 0.0 };
        let Sizes {
            buckets,
            rows,
            slots,
        } = Sizes::new(setup.level, contexts, bytes);
        let mut mixture = Mixture {
            setup,
            table: Table::new(buckets),
            meanings: (0..contexts).map(|_| Meaning::new()).collect(),
            match_chances: [matcher::meanings(), matcher::meanings()],
            matchers: matcher::LEAST.map(|least| Matcher::new(slots, least, lanes)),
            pixels: (setup.kind == Kind::Bits).then(|| Box::new(Pixels::new())),
            mixer: Mixer::new(code::selectors(setup.level), &start, contexts),
            refiners: vec![Refiner::new(rows); code::refiners(setup.level)],
            lanes: vec![Lane::default(); lanes],
            history: Vec::with_capacity(bytes + lanes),
            indirect: Indirect::new(),
            inputs: vec![0.0; start.len()],
            buckets: [0; MOST],
        };
        for lane in 0..lanes {
            mixture.rehash(lane);
        }
        mixture
    }

    /// Codes the next byte of a lane and learns it. Lanes take turns, the first
    /// one first.
    pub fn code(&mut self, lane: usize, coder: &mut dyn BitCoder, advice: &dyn Advice) -> u8 {
        if self.setup.level == Level::Fast {
            dispatch(CodeByte::<PER_FAST> {
                mixture: self,
                lane,
                coder,
                advice,
            })
        } else {
            dispatch(CodeByte::<PER> {
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
        for &bucket in &self.buckets[..self.meanings.len()] {
            self.table.extend_run(bucket, byte);
        }
        self.history.push(byte);
        let next = self.history.len() - 1 + self.lanes.len();
        let lane = &mut self.lanes[index];
        self.indirect.take(lane.recent, byte);
        lane.take(byte);
        for (i, matcher) in self.matchers.iter_mut().enumerate() {
            let key = lane.key(matcher::LEAST[i]);
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
