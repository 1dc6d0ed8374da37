//! Probabilities of 16 bits that move by a fixed share: what the fastest level has in
//! place of chances and refiners.

use super::history::{Histories, STATES};
use crate::cm::chance::prefetch;
use crate::cm::logistic::{Logistic, PLACES};

/// A probability moves a 128th of the way towards what came.
const MEANING_SHIFT: u32 = 7;

/// And a 64th, where it refines others.
const REFINER_SHIFT: u32 = 6;

/// Moves a probability (`2^16 = 1`) towards what came.
#[inline(always)]
fn learn<const SHIFT: u32>(p: &mut u16, one: bool) {
    let target = if one { 65_535 } else { 0 };
    *p = (i32::from(*p) + ((target - i32::from(*p)) >> SHIFT)) as u16;
}

/// As above, for what a match or a history means.
#[inline(always)]
pub fn learn_meaning(p: &mut u16, one: bool) {
    learn::<MEANING_SHIFT>(p, one);
}

/// The probability of a one after each history.
pub struct Quick([u16; STATES]);

impl Quick {
    /// First guesses.
    pub fn new() -> Quick {
        Quick(Histories::get().guess)
    }

    /// The logit of a one after a history.
    #[inline(always)]
    pub fn logit(&self, history: u8, logistic: &Logistic) -> f32 {
        logistic.stretch(self.0[usize::from(history)])
    }

    /// Moves towards what came after a history.
    #[inline(always)]
    pub fn update(&mut self, history: u8, one: bool) {
        learn_meaning(&mut self.0[usize::from(history)], one);
    }
}

/// Buckets of a row; the first is half a step above the lowest place.
const BUCKETS: usize = 32;
const STEP: usize = PLACES / BUCKETS;

/// What happened when probabilities were given in a context, one cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Row([u16; BUCKETS]);

/// Refines probabilities by what happened when they were given in a context.
pub struct Rows {
    rows: Vec<Row>,
}

impl Rows {
    /// The identity in each of a power of two of contexts, of 64 bytes each.
    pub fn new(contexts: usize) -> Rows {
        let logistic = Logistic::get();
        let row = Row(std::array::from_fn(|i| {
            logistic.half(i * STEP + STEP / 2) as u16
        }));
        Rows {
            rows: vec![row; contexts],
        }
    }

    /// Brings the rows of a context and of the one after it near, which lie side by side
    /// where the first is even.
    #[inline(always)]
    pub fn prefetch(&self, context: usize) {
        prefetch(&self.rows[context & (self.rows.len() - 1)]);
    }

    /// The refined probability (`2^16 = 1`) of the one at a [place](Logistic::place).
    #[inline(always)]
    pub fn refine(&self, context: usize, place: usize) -> u32 {
        let row = &self.rows[context & (self.rows.len() - 1)].0;
        let from = place.clamp(STEP / 2, PLACES - 1 - STEP / 2) - STEP / 2;
        let (low, share) = (from / STEP, (from % STEP) as u32);
        let (below, above) = (u32::from(row[low]), u32::from(row[(low + 1) % BUCKETS]));
        (below * (STEP as u32 - share) + above * share) / STEP as u32
    }

    /// Moves the bucket of a place towards what came.
    #[inline(always)]
    pub fn update(&mut self, context: usize, place: usize, one: bool) {
        let last = self.rows.len() - 1;
        let row = &mut self.rows[context & last].0;
        learn::<REFINER_SHIFT>(&mut row[place / STEP % BUCKETS], one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_start_as_the_identity_and_learn_where_it_errs() {
        let mut rows = Rows::new(2);
        let logistic = Logistic::get();
        for place in STEP..PLACES - STEP {
            let difference = rows.refine(0, place).abs_diff(logistic.half(place));
            assert!(difference < 500, "{difference} at {place}");
        }
        let place = logistic.place(0.1);
        for _ in 0..400 {
            rows.update(1, place, true);
        }
        assert!(rows.refine(1, place) > 50_000);
        assert!(rows.refine(0, place) < 36_000);
    }

    #[test]
    fn a_meaning_becomes_a_frequency() {
        let mut meanings = Quick::new();
        for i in 0..4000 {
            meanings.update(0, i % 4 == 0);
        }
        assert!(meanings.0[0].abs_diff(1 << 14) < 900);
    }
}
