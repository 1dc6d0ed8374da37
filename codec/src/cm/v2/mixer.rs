//! Logistic mixing with weights that learn online.
//!
//! The inputs are weighted by several sets of weights, each chosen by a context of
//! its own, and the sums are averaged: one linear model whose weights are means
//! over the chosen sets, gated by all contexts together. All sets chosen take the
//! same step down the gradient of the code length.

use brevity_kernels::simd::{LANES, Simd, Vector};

/// The most sets side by side.
pub const MOST_SETS: usize = 18;

/// Inputs come in groups of so many.
pub const WIDTH: usize = 2 * LANES;

/// Weights by context, and how fast they learn.
pub struct Mixer {
    /// `[sets of all selectors, inputs]`
    weights: Vec<f32>,
    /// How fast each set learns.
    rates: Vec<f32>,
    first_rate: f32,
    last_rate: f32,
    inputs: usize,
    /// Where each selector's sets start, and those behind the last.
    firsts: Vec<usize>,
    /// The sets used last.
    at: [usize; MOST_SETS],
}

/// How fast a set learns at first and in the end, times the number of models.
const FIRST_RATE: f32 = 0.26;
const LAST_RATE: f32 = 0.02;

/// The share of what is above the last rate that a set loses with each bit.
const DECAY: f32 = 1.0 / 4096.0;

impl Mixer {
    /// For selectors of as many contexts as `sets` says; all sets start as
    /// `start`, whose length is a multiple of [`WIDTH`]. The more `models` say the
    /// same, the further a step of all their weights goes: rates are divided by
    /// their number.
    pub fn new(sets: &[usize], start: &[f32], models: usize) -> Mixer {
        assert!(sets.len() <= MOST_SETS && start.len().is_multiple_of(WIDTH));
        let mut firsts = vec![0];
        for count in sets {
            firsts.push(firsts[firsts.len() - 1] + count);
        }
        let count = firsts[sets.len()];
        Mixer {
            weights: start.repeat(count),
            rates: vec![FIRST_RATE / models as f32; count],
            first_rate: FIRST_RATE / models as f32,
            last_rate: LAST_RATE / models as f32,
            inputs: start.len(),
            firsts,
            at: [0; MOST_SETS],
        }
    }

    /// The mean of the weighted sums of the inputs, with a set for each selector; the
    /// first one should have few contexts, since others start from it.
    #[inline(always)]
    pub fn mix<S: Simd>(&mut self, inputs: &[f32], selected: &[usize]) -> f32 {
        let inputs = &inputs[..self.inputs];
        let mut sum = S::W::splat(0.0);
        for (i, set) in selected.iter().enumerate() {
            let set = self.firsts[i] + set;
            self.at[i] = set;
            // A set that was never used starts as the first selector's.
            if self.rates[set] == self.first_rate && i > 0 {
                let from = self.at[0] * self.inputs;
                self.weights
                    .copy_within(from..from + self.inputs, set * self.inputs);
            }
            let weights = &self.weights[set * self.inputs..][..self.inputs];
            sum = sum.add(products::<S>(weights, inputs));
        }
        let mut s = [0.0; WIDTH];
        // SAFETY: `s` has `WIDTH` values.
        unsafe { sum.store_ptr(s.as_mut_ptr()) };
        let s: [f32; LANES] = std::array::from_fn(|i| s[i] + s[i + LANES]);
        let sum = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
        sum / selected.len() as f32
    }

    /// A step down the gradient for the `count` sets used last; `error` is the bit
    /// minus the probability it was given.
    #[inline(always)]
    pub fn update<S: Simd>(&mut self, inputs: &[f32], count: usize, error: f32) {
        let inputs = &inputs[..self.inputs];
        for &set in &self.at[..count] {
            let rate = self.rates[set];
            self.rates[set] = rate + (self.last_rate - rate) * DECAY;
            let weights = &mut self.weights[set * self.inputs..][..self.inputs];
            add_scaled::<S>(weights, error * rate, inputs);
        }
    }
}

/// The products, added up in sixteen chains.
#[inline(always)]
fn products<S: Simd>(weights: &[f32], inputs: &[f32]) -> S::W {
    let mut sum = S::W::splat(0.0);
    for (w, x) in weights.chunks_exact(WIDTH).zip(inputs.chunks_exact(WIDTH)) {
        // SAFETY: both have `WIDTH` values, the width of `W`.
        sum = unsafe { S::W::load_ptr(w.as_ptr()).mul_add(S::W::load_ptr(x.as_ptr()), sum) };
    }
    sum
}

/// `weights += step * inputs`
#[inline(always)]
fn add_scaled<S: Simd>(weights: &mut [f32], step: f32, inputs: &[f32]) {
    let step = S::W::splat(step);
    let groups = weights
        .chunks_exact_mut(WIDTH)
        .zip(inputs.chunks_exact(WIDTH));
    for (w, x) in groups {
        // SAFETY: both have `WIDTH` values, the width of `W`.
        unsafe {
            let sum = step.mul_add(S::W::load_ptr(x.as_ptr()), S::W::load_ptr(w.as_ptr()));
            sum.store_ptr(w.as_mut_ptr());
        }
    }
}
