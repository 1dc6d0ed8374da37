//! Probabilities of 16 bits that move by a fixed share: what the fastest level has in
//! place of chances and refiners.

use super::history::{Histories, STATES};
use crate::cm::chance::prefetch;
use crate::cm::logistic::{Logistic, PLACES};

/// A probability moves a 128th of the way towards what came.
const MEANING_SHIFT: u32 = 7;

/// And a 64th, where it refines others.
const REFINER_SHIFT: u32 = 6;

/// A probability (`2^16 = 1`) that has moved towards what came: 0 or 65,535.
#[inline(always)]
fn moved<const SHIFT: u32>(p: u16, target: i32) -> u16 {
    (i32::from(p) + ((target - i32::from(p)) >> SHIFT)) as u16
}

/// As above, for what a match or a history means.
#[inline(always)]
pub fn moved_meaning(p: u16, target: i32) -> u16 {
    moved::<MEANING_SHIFT>(p, target)
}

/// The probability of a one after each history.
pub struct Quick([u16; STATES]);

impl Quick {
    /// First guesses.
    pub fn new() -> Quick {
        Quick(Histories::get().guess)
    }

    /// The probability of a one after a history, `2^16 = 1`.
    #[inline(always)]
    pub fn get(&self, history: u8) -> u16 {
        self.0[usize::from(history)]
    }

    /// Another one.
    #[inline(always)]
    pub fn set(&mut self, history: u8, p: u16) {
        self.0[usize::from(history)] = p;
    }
}

/// Places of a row at which a probability is kept, at equal steps from the lowest place to
/// the one above the highest.
const KNOTS: usize = 16;

/// What happened when probabilities were given in a context.
#[derive(Clone, Copy)]
pub struct Row([u16; KNOTS]);

/// The rows of two contexts, one cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Pair([Row; 2]);

/// How far along the knots a place is: the knot below it, times [`PLACES`], and the rest.
#[inline(always)]
fn along(place: usize) -> usize {
    place * (KNOTS - 1)
}

impl Row {
    /// The refined probability (`2^16 = 1`) of the one at a [place](Logistic::place).
    #[inline(always)]
    pub fn refine(&self, place: usize) -> u32 {
        let along = along(place);
        let (low, share) = (along / PLACES, (along % PLACES) as i32);
        let below = i32::from(self.0[low % KNOTS]);
        let above = i32::from(self.0[(low + 1) % KNOTS]);
        (below + (((above - below) * share) >> PLACES.trailing_zeros())) as u32
    }

    /// Moves the knot next to a place towards what came: 0 or 65,535.
    #[inline(always)]
    pub fn update(&mut self, place: usize, target: i32) {
        let p = &mut self.0[(along(place) + PLACES / 2) / PLACES % KNOTS];
        *p = moved::<REFINER_SHIFT>(*p, target);
    }
}

/// Refines probabilities by what happened when they were given in a context.
pub struct Rows {
    pairs: Vec<Pair>,
}

impl Rows {
    /// Bytes of a context.
    pub const EACH: usize = size_of::<Row>();

    /// About the identity in each of a power of two of contexts, at least 2.
    pub fn new(contexts: usize) -> Rows {
        let logistic = Logistic::get();
        let row = Row(std::array::from_fn(|i| {
            logistic.half((i * PLACES / (KNOTS - 1)).min(PLACES - 1)) as u16
        }));
        Rows {
            pairs: vec![Pair([row; 2]); contexts / 2],
        }
    }

    /// The row of a context is among those of this pair.
    #[inline(always)]
    fn pair(&self, context: usize) -> usize {
        (context / 2) & (self.pairs.len() - 1)
    }

    /// Brings the rows of an even context and of the one after it near.
    #[inline(always)]
    pub fn prefetch(&self, context: usize) {
        prefetch(&self.pairs[self.pair(context)]);
    }

    /// The row of a context.
    #[inline(always)]
    pub fn row(&mut self, context: usize) -> &mut Row {
        let pair = self.pair(context);
        &mut self.pairs[pair].0[context % 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_start_near_the_identity_and_learn_where_it_errs() {
        let mut rows = Rows::new(2);
        let logistic = Logistic::get();
        for place in 0..PLACES {
            let difference = rows.row(0).refine(place).abs_diff(logistic.half(place));
            // A line between two knots is off the curve by at most 0.034.
            assert!(difference < 2_200, "{difference} at {place}");
        }
        let place = logistic.place(0.8);
        for _ in 0..400 {
            rows.row(1).update(place, 65_535);
        }
        assert!(rows.row(1).refine(place) > 60_000);
        assert!(rows.row(0).refine(place) < 46_000);
    }

    #[test]
    fn a_meaning_becomes_a_frequency() {
        let mut meanings = Quick::new();
        for i in 0..4000 {
            let target = if i % 4 == 0 { 65_535 } else { 0 };
            meanings.set(0, moved_meaning(meanings.get(0), target));
        }
        assert!(meanings.0[0].abs_diff(1 << 14) < 900);
    }
}
