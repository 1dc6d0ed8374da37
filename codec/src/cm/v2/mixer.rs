//! Logistic mixing with weights that learn online.
//!
//! The inputs are weighted by several sets of weights, each chosen by a context of
//! its own, and the sums are averaged: one linear model whose weights are means
//! over the chosen sets, gated by all contexts together. All sets chosen take the
//! same step down the gradient of the code length.

use brevity_kernels::simd::{LANES, Simd};

/// The most sets side by side.
pub const MOST_SETS: usize = 8;

/// Weights by context, and how fast they learn.
pub struct Mixer {
    /// `[sets of all selectors, inputs]`
    weights: Vec<f32>,
    inputs: usize,
    /// Where each selector's sets start, and those behind the last.
    firsts: Vec<usize>,
    /// The first weights of the sets used last.
    at: [usize; MOST_SETS],
    rate: f32,
    last_rate: f32,
}

/// How fast weights learn at first and in the end, times the number of contexts:
/// the more inputs say the same, the further a step of all their weights goes.
const FIRST_RATE: f32 = 0.168;
const LAST_RATE: f32 = 0.042;

/// By which factor what is above the last rate falls with each bit.
const DECAY: f32 = 1.0 - 1.0 / 65_536.0;

/// Smaller errors teach nothing, and take no time.
const NOTHING: f32 = 1.0 / 2048.0;

impl Mixer {
    /// For selectors of as many contexts as `sets` says; all sets start as
    /// `start`, whose length is a multiple of eight and which has the inputs of
    /// `contexts` contexts.
    pub fn new(sets: &[usize], start: &[f32], contexts: usize) -> Mixer {
        assert!(sets.len() <= MOST_SETS && start.len().is_multiple_of(LANES));
        let mut firsts = vec![0];
        for count in sets {
            firsts.push(firsts[firsts.len() - 1] + count);
        }
        Mixer {
            weights: start.repeat(firsts[sets.len()]),
            inputs: start.len(),
            firsts,
            at: [0; MOST_SETS],
            rate: FIRST_RATE / contexts as f32,
            last_rate: LAST_RATE / contexts as f32,
        }
    }

    /// The mean of the weighted sums of the inputs, with a set for each selector.
    #[inline(always)]
    pub fn mix<S: Simd>(&mut self, inputs: &[f32], selected: &[usize]) -> f32 {
        let inputs = &inputs[..self.inputs];
        let mut sums = S::splat(0.0);
        for (i, set) in selected.iter().enumerate() {
            let at = (self.firsts[i] + set) * self.inputs;
            self.at[i] = at;
            let weights = &self.weights[at..at + self.inputs];
            let (mut even, mut odd) = (S::splat(0.0), S::splat(0.0));
            let mut w = weights.chunks_exact(2 * LANES);
            let mut x = inputs.chunks_exact(2 * LANES);
            for (w, x) in (&mut w).zip(&mut x) {
                even = S::add(even, S::mul(S::load(w), S::load(x)));
                odd = S::add(odd, S::mul(S::load(&w[LANES..]), S::load(&x[LANES..])));
            }
            if w.remainder().len() == LANES {
                let product = S::mul(S::load(w.remainder()), S::load(x.remainder()));
                even = S::add(even, product);
            }
            sums = S::add(sums, S::add(even, odd));
        }
        let s = S::to_array(sums);
        let sum = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
        sum / selected.len() as f32
    }

    /// A step down the gradient for the `count` sets used last; `error` is the bit
    /// minus the probability it was given.
    #[inline(always)]
    pub fn update<S: Simd>(&mut self, inputs: &[f32], count: usize, error: f32) {
        self.rate = self.last_rate + (self.rate - self.last_rate) * DECAY;
        if error.abs() < NOTHING {
            return;
        }
        let inputs = &inputs[..self.inputs];
        let step = S::splat(error * self.rate);
        for at in &self.at[..count] {
            let weights = &mut self.weights[*at..*at + self.inputs];
            let pairs = weights
                .chunks_exact_mut(LANES)
                .zip(inputs.chunks_exact(LANES));
            for (w, x) in pairs {
                S::store(S::add(S::load(w), S::mul(step, S::load(x))), w);
            }
        }
    }
}
