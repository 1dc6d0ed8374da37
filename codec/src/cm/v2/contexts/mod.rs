//! The contexts of the next byte: hashes of what came before.
//!
//! Which contexts there are depends on the level and on what the block is taken
//! for; their order is part of the format, since a context's place is part of its
//! hash.

mod binary;
mod indirect;
mod orders;
mod pictures;
mod records;
mod sound;
mod text;

pub use indirect::Indirect;

use super::bits::Neighbours;
use super::lane::{Lane, MOST, hash};
use super::setup::{Kind, Level, Setup};

/// What contexts are made from.
pub struct View<'a> {
    pub setup: &'a Setup,
    pub lane: &'a Lane,
    pub indirect: &'a Indirect,
    /// All bytes so far, lanes interleaved.
    pub history: &'a [u8],
    /// Number of lanes.
    pub stride: usize,
}

impl View<'_> {
    /// The byte `distance` before the next one of the lane; 0 before its start.
    #[inline(always)]
    pub fn back(&self, distance: usize) -> u64 {
        if distance > self.lane.count {
            return 0;
        }
        let from_end = (distance - 1) * self.stride + 1;
        u64::from(self.history[self.history.len() - from_end])
    }

    /// The pixels around the next byte, where they are bits.
    pub fn neighbours(&self) -> Neighbours {
        let row = |above: usize| {
            let at = above * self.setup.record;
            self.back(at + 1) << 16 | self.back(at) << 8 | self.back((at - 1).max(1))
        };
        Neighbours {
            left: self.last(2),
            above: [row(1), row(2), row(3)],
        }
    }

    /// The last 1 to 8 bytes.
    #[inline(always)]
    pub fn last(&self, count: u32) -> u64 {
        self.lane.recent & !0 >> (64 - 8 * count)
    }
}

/// Hashes of contexts, in order.
pub struct Hashes {
    hashes: [u64; MOST],
    count: usize,
}

impl Hashes {
    #[inline(always)]
    pub fn add(&mut self, context: u64) {
        self.hashes[self.count] = hash(self.count, context);
        self.count += 1;
    }
}

/// The hashes of the next byte's contexts, and how many there are.
#[inline(always)]
pub fn hashes(view: &View) -> ([u64; MOST], usize) {
    let mut out = Hashes {
        hashes: [0; MOST],
        count: 0,
    };
    let level = view.setup.level;
    match view.setup.kind {
        Kind::Text => {
            orders::add(view, &mut out, level);
            text::add(view, &mut out, level);
        }
        Kind::Binary => {
            orders::add(view, &mut out, level);
            binary::add(view, &mut out, level);
        }
        Kind::Records | Kind::Bits => {
            orders::add_few(view, &mut out, level);
            records::add(view, &mut out, level);
        }
        Kind::Sound => {
            orders::add_few(view, &mut out, level);
            records::add(view, &mut out, level);
            sound::add(view, &mut out);
        }
        Kind::Picture => {
            orders::add_few(view, &mut out, level);
            pictures::add(view, &mut out, level);
        }
    }
    (out.hashes, out.count)
}

/// How many contexts there are.
pub fn count(setup: &Setup) -> usize {
    let view = View {
        setup,
        lane: &Lane::default(),
        indirect: &Indirect::new(),
        history: &[],
        stride: 1,
    };
    hashes(&view).1
}

/// How many contexts are the last bytes, which come first.
pub fn orders(setup: &Setup) -> usize {
    match (setup.kind, setup.level) {
        (Kind::Text | Kind::Binary, Level::Best) => 9,
        (Kind::Text | Kind::Binary, _) => 4,
        (_, Level::Best) => 5,
        _ => 2,
    }
}

/// Whether a level has all there is.
#[inline(always)]
fn all(level: Level) -> bool {
    level == Level::Best
}
