//! Probabilities that learn.

use super::logistic::Logistic;

/// The most bits after which a probability still moves as fast as its count says.
pub const MOST: u32 = 1023;

/// `65536 / (count + 1.5)`
static RATES: [i32; MOST as usize + 1] = {
    let mut table = [0; MOST as usize + 1];
    let mut count = 0;
    while count < table.len() {
        table[count] = 131_072 / (2 * count as i32 + 3);
        count += 1;
    }
    table
};

/// A probability of a one and how often it was used: 22 bits and 10 bits.
pub type Chance = u32;

/// A first guess, `2^16 = 1`.
pub fn guess(p: u16) -> Chance {
    u32::from(p) << 16
}

/// The probability, `2^16 = 1`.
#[inline(always)]
pub fn get(chance: Chance) -> u16 {
    (chance >> 16) as u16
}

/// Moves towards what came by `1 / (count + 1.5)` of the way, and by
/// `1 / (limit + 1.5)` at least; `limit` is at most 1023.
#[inline(always)]
pub fn update(chance: &mut Chance, one: bool, limit: u32) {
    let count = *chance & MOST;
    let p = (*chance >> 10) as i32;
    let target = if one { (1 << 22) - 1 } else { 0 };
    let step = i64::from(target - p) * i64::from(RATES[count as usize]);
    *chance = ((p + (step >> 16) as i32) as u32) << 10 | (count + 1).min(limit);
}

/// A table of probabilities that each move by at least `1 / 1024`.
pub struct Chances(Vec<Chance>);

impl Chances {
    /// From first guesses of the probability of a one, `2^16 = 1`.
    pub fn new(guesses: impl Iterator<Item = u16>) -> Chances {
        Chances(guesses.map(guess).collect())
    }

    /// The probability of a one, `2^16 = 1`.
    #[inline(always)]
    pub fn get(&self, index: usize) -> u16 {
        get(self.0[index])
    }

    /// Moves a probability towards what came.
    #[inline(always)]
    pub fn update(&mut self, index: usize, one: bool) {
        update(&mut self.0[index], one, MOST);
    }
}

/// Buckets of a refiner: logits from -7.75 to 7.75 in halves.
const BUCKETS: usize = 32;

/// The logits of the first and last bucket, the latter not quite reached.
const LOWEST: f32 = -7.75;
const HIGHEST: f32 = 7.749;

/// A context's probabilities, `2^16 = 1`; one cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Row([u16; BUCKETS]);

/// Refines a probability by what happened when it was given in a context:
/// interpolates between buckets of the logit and moves the nearer one
/// (secondary estimation).
#[derive(Clone)]
pub struct Refiner {
    /// As many as a power of two.
    rows: Vec<Row>,
    /// The row and bucket to move.
    at: (usize, usize),
}

impl Refiner {
    /// The identity in each of `contexts` contexts, a power of two; contexts
    /// beyond share these.
    pub fn new(contexts: usize) -> Refiner {
        let identity = Row(std::array::from_fn(|i| {
            (Logistic::get().squash(i as f32 * 0.5 + LOWEST) >> 8) as u16
        }));
        Refiner {
            rows: vec![identity; contexts],
            at: (0, 0),
        }
    }

    /// Brings a context near.
    #[inline(always)]
    pub fn prefetch(&self, context: usize) {
        prefetch(&self.rows[context & (self.rows.len() - 1)]);
    }

    /// The refined probability of a logit, `2^16 = 1`.
    #[inline(always)]
    pub fn refine(&mut self, logit: f32, context: usize) -> u32 {
        let place = (logit.clamp(LOWEST, HIGHEST) - LOWEST) * 2.0;
        let low = place as usize % (BUCKETS - 1);
        let share = ((place - low as f32) * 4096.0) as u32;
        let context = context & (self.rows.len() - 1);
        let row = &self.rows[context].0;
        self.at = (context, low + usize::from(share >= 2048));
        let (below, above) = (u32::from(row[low]), u32::from(row[low + 1]));
        (below * (4096 - share) + above * share) >> 12
    }

    /// Moves the bucket of the last [`Refiner::refine`] a 64th of the way
    /// towards what came.
    #[inline(always)]
    pub fn update(&mut self, one: bool) {
        let (row, bucket) = self.at;
        let p = &mut self.rows[row].0[bucket];
        let target = if one { 65_535 } else { 0 };
        *p = (i32::from(*p) + ((target - i32::from(*p)) >> 6)) as u16;
    }
}

/// Brings a value into the cache, where the CPU can be asked to.
#[inline(always)]
pub fn prefetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch of a valid address has no effect on values.
        unsafe { _mm_prefetch::<_MM_HINT_T0>((&raw const *value).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_converge_to_frequencies() {
        let mut chances = Chances::new([1 << 15].into_iter());
        for i in 0..4000 {
            chances.update(0, i % 4 == 0);
        }
        assert!(chances.get(0).abs_diff(1 << 14) < 300);
    }

    #[test]
    fn a_refiner_learns_where_its_input_errs() {
        let mut refiner = Refiner::new(2);
        for _ in 0..400 {
            refiner.refine(0.1, 1);
            refiner.update(true);
        }
        assert!(refiner.refine(0.1, 1) > 54_000);
        assert!(refiner.refine(0.1, 0).abs_diff(34_400) < 300);
    }
}
