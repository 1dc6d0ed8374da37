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

/// Sets are mixed so many at once: an input is read once for all of them.
const GROUP: usize = 3;

/// Weights by context, and how fast they learn.
pub struct Mixer {
    /// `[sets of all selectors, inputs]`: as many times `inputs` as there are rates.
    weights: Vec<f32>,
    /// How fast each set learns.
    rates: Vec<f32>,
    first_rate: f32,
    last_rate: f32,
    inputs: usize,
    selectors: usize,
    /// Where each selector's sets start.
    firsts: [usize; MOST_SETS],
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
        let mut firsts = [0; MOST_SETS];
        let mut count = 0;
        for (first, sets) in firsts.iter_mut().zip(sets) {
            *first = count;
            count += sets;
        }
        Mixer {
            weights: start.repeat(count),
            rates: vec![FIRST_RATE / models as f32; count],
            first_rate: FIRST_RATE / models as f32,
            last_rate: LAST_RATE / models as f32,
            inputs: start.len(),
            selectors: sets.len(),
            firsts,
            at: [0; MOST_SETS],
        }
    }

    /// The mean of the weighted sums of the inputs, with a set for each selector; the
    /// first one should have few contexts, since others start from it.
    ///
    /// # Panics
    /// If there are fewer inputs than the mixer has, more or fewer selectors, or a set beyond
    /// all.
    #[inline(always)]
    pub fn mix<S: Simd>(&mut self, inputs: &[f32], selected: &[usize]) -> f32 {
        assert_eq!(selected.len(), self.selectors);
        let inputs = &inputs[..self.inputs];
        let at = &mut self.at[..selected.len()];
        let firsts = &self.firsts[..selected.len()];
        for ((at, first), set) in at.iter_mut().zip(firsts).zip(selected) {
            *at = first + set;
            // A set that was never used starts as the first selector's.
            if self.rates[*at] == self.first_rate && *at != selected[0] {
                let from = selected[0] * self.inputs;
                self.weights
                    .copy_within(from..from + self.inputs, *at * self.inputs);
            }
        }
        let weights = self.weights.as_ptr();
        let mut sum = S::W::splat(0.0);
        // SAFETY: the rates of all these sets were indexed above, and each rate has as many
        // weights as there are inputs, a multiple of `WIDTH`.
        unsafe {
            let (groups, others) = at.as_chunks::<GROUP>();
            for sets in groups {
                sum = products::<S, GROUP>(weights, sets, inputs, sum);
            }
            for set in others {
                sum = products::<S, 1>(weights, &[*set], inputs, sum);
            }
        }
        let mut s = [0.0; WIDTH];
        // SAFETY: `s` has `WIDTH` values.
        unsafe { sum.store_ptr(s.as_mut_ptr()) };
        let s: [f32; LANES] = std::array::from_fn(|i| s[i] + s[i + LANES]);
        let sum = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
        sum / selected.len() as f32
    }

    /// A step down the gradient for the sets used last; `error` is the bit minus the
    /// probability it was given.
    ///
    /// # Panics
    /// If there are fewer inputs than the mixer has.
    #[inline(always)]
    pub fn update<S: Simd>(&mut self, inputs: &[f32], error: f32) {
        let inputs = &inputs[..self.inputs];
        let weights = self.weights.as_mut_ptr();
        let mut step = |set: usize| {
            let rate = self.rates[set];
            self.rates[set] = rate + (self.last_rate - rate) * DECAY;
            error * rate
        };
        let (groups, others) = self.at[..self.selectors].as_chunks::<GROUP>();
        // SAFETY: `step` indexes the rates of all these sets, and each rate has as many weights
        // as there are inputs, a multiple of `WIDTH`.
        unsafe {
            for sets in groups {
                add_scaled::<S, GROUP>(weights, sets, sets.map(&mut step), inputs);
            }
            for &set in others {
                add_scaled::<S, 1>(weights, &[set], [step(set)], inputs);
            }
        }
    }
}

/// Adds to `sum`, set by set, the products of inputs and weights, which are added up in
/// sixteen chains.
///
/// # Safety
/// `weights` points to sets of `inputs.len()` weights, one behind the other, and each of `sets`
/// is the number of one. `inputs.len()` is a multiple of [`WIDTH`].
#[inline(always)]
unsafe fn products<S: Simd, const N: usize>(
    weights: *const f32,
    sets: &[usize; N],
    inputs: &[f32],
    sum: S::W,
) -> S::W {
    let mut sums = [S::W::splat(0.0); N];
    // SAFETY: promised by the caller.
    let starts = sets.map(|set| unsafe { weights.add(set * inputs.len()) });
    let mut at = 0;
    while at < inputs.len() {
        // SAFETY: promised by the caller; `WIDTH` is the width of `W`.
        unsafe {
            let x = S::W::load_ptr(inputs.as_ptr().add(at));
            for (sum, start) in sums.iter_mut().zip(&starts) {
                *sum = S::W::load_ptr(start.add(at)).mul_add(x, *sum);
            }
        }
        at += WIDTH;
    }
    sums.into_iter().fold(sum, |sum, next| sum.add(next))
}

/// `weights += step * inputs` for each set and its step.
///
/// # Safety
/// As for [`products`]; the weights may be written, and do not overlap `inputs`.
#[inline(always)]
unsafe fn add_scaled<S: Simd, const N: usize>(
    weights: *mut f32,
    sets: &[usize; N],
    steps: [f32; N],
    inputs: &[f32],
) {
    let steps = steps.map(S::W::splat);
    // SAFETY: promised by the caller.
    let starts = sets.map(|set| unsafe { weights.add(set * inputs.len()) });
    let mut at = 0;
    while at < inputs.len() {
        // SAFETY: promised by the caller; `WIDTH` is the width of `W`.
        unsafe {
            let x = S::W::load_ptr(inputs.as_ptr().add(at));
            for (step, start) in steps.iter().zip(&starts) {
                let w = start.add(at);
                step.mul_add(x, S::W::load_ptr(w)).store_ptr(w);
            }
        }
        at += WIDTH;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brevity_kernels::simd::{InstructionSet, Kernel, dispatch_on};

    /// The same without vectors: what the page of the format says.
    struct Plain {
        weights: Vec<Vec<f32>>,
        rates: Vec<f32>,
    }

    impl Plain {
        fn mix(&self, inputs: &[f32], sets: &[usize]) -> f32 {
            let mut all = [0.0_f32; WIDTH];
            for &set in sets {
                let mut chains = [0.0_f32; WIDTH];
                for (i, (w, x)) in self.weights[set].iter().zip(inputs).enumerate() {
                    chains[i % WIDTH] = w.mul_add(*x, chains[i % WIDTH]);
                }
                for (all, chain) in all.iter_mut().zip(chains) {
                    *all += chain;
                }
            }
            let s: [f32; LANES] = std::array::from_fn(|i| all[i] + all[i + LANES]);
            let sum = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
            sum / sets.len() as f32
        }

        fn update(&mut self, inputs: &[f32], sets: &[usize], error: f32, last_rate: f32) {
            for &set in sets {
                let step = error * self.rates[set];
                self.rates[set] += (last_rate - self.rates[set]) * DECAY;
                for (w, x) in self.weights[set].iter_mut().zip(inputs) {
                    *w = step.mul_add(*x, *w);
                }
            }
        }
    }

    /// Mixes some decisions on both ways.
    struct Compare {
        selectors: usize,
        inputs: usize,
    }

    impl Kernel for Compare {
        type Out = ();

        #[inline(always)]
        fn run<S: Simd>(self) {
            const SETS: usize = 5;
            let start: Vec<f32> = (0..self.inputs).map(|i| (i as f32).sin()).collect();
            let mut mixer = Mixer::new(&vec![SETS; self.selectors], &start, 7);
            let mut plain = Plain {
                weights: vec![start; SETS * self.selectors],
                rates: mixer.rates.clone(),
            };
            let mut used = vec![false; SETS * self.selectors];
            for turn in 0..40_usize {
                let value = |i: usize| ((turn * 31 + i * 7) as f32).cos() * 3.0;
                let inputs: Vec<f32> = (0..self.inputs).map(value).collect();
                let selected: Vec<usize> = (0..self.selectors)
                    .map(|i| (turn * (i + 3) + i) % SETS)
                    .collect();
                let sets = selected.iter().enumerate();
                let sets: Vec<usize> = sets.map(|(i, set)| SETS * i + set).collect();
                for &set in &sets[1..] {
                    if !used[set] {
                        plain.weights[set] = plain.weights[sets[0]].clone();
                    }
                }
                sets.iter().for_each(|&set| used[set] = true);
                let mixed = mixer.mix::<S>(&inputs, &selected);
                assert_eq!(mixed.to_bits(), plain.mix(&inputs, &sets).to_bits());
                let error = (turn as f32).sin();
                mixer.update::<S>(&inputs, error);
                plain.update(&inputs, &sets, error, mixer.last_rate);
            }
            assert_eq!(mixer.weights, plain.weights.concat());
            assert_eq!(mixer.rates, plain.rates);
        }
    }

    #[test]
    fn sets_that_are_mixed_at_once_are_mixed_as_one_by_one() {
        for set in InstructionSet::supported() {
            for selectors in 1..=MOST_SETS {
                for inputs in [16, 32, 48] {
                    dispatch_on(set, Compare { selectors, inputs });
                }
            }
        }
    }
}
