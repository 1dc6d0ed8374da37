//! Quantisation-aware training: it minimises the adjusted rate itself.
//!
//! The reported number is a two-part code length, of weights and data. The last part
//! of a run, the quantisation phase, minimises this length. Per byte of the `n`
//! bytes of data, in nats:
//!
//! ```text
//! cross entropy(data | rounded weights) + ln 2 / n * bits(rounded weights)
//! ```
//!
//! - Every tensor has a quantisation step. Rounding to multiples of `s` adds the
//!   variance `s^2 / 12` to each weight, so `h s^2 / 24` to the loss, where `h` is the
//!   mean second derivative of the loss by a weight of the tensor; the integer of a
//!   weight costs `const - ln s` nats, shared by `n` bytes. The sum is least at
//!   `s^2 = 12 / (n h)`. As the loss of a byte is a log probability, `h` is the
//!   expected square of its gradient (Fisher information): the square of the mean
//!   gradient of a batch of independent bytes, times the bytes of the batch. The
//!   chosen steps are larger by a factor, see [`Grid`]: the weights adapt to their
//!   grid, and the bytes of a batch are not independent.
//! - Forward and backward passes use the rounded weights; the gradient is applied to
//!   the weights before rounding (straight-through estimator).
//! - The gradient of the bits is added, see [`rate`].
//! - The result of the run is rounded, so the weight coder of
//!   `brevity-codec` stores it exactly; `Plan::lossless` recovers the steps.
//!
//! With a moving average of the weights (`train.ema`), the weights before rounding
//! are averaged, and the average is rounded at the end.
//!
//! The coder of the integers, and the search for the steps of weights trained without
//! quantisation, are in `brevity_codec::weights`.

mod rate;

use crate::parameters::Parameters;
use crate::recipe::QuantiseConfig;
use brevity_codec::weights::{LARGEST, step};
use brevity_kernels::math::double::ln;
use rate::Costs;
use std::f64::consts::LN_2;

/// Approximate number of optimizer steps over which squared gradients are averaged.
const MEMORY: u64 = 64;

/// How often the quantisation steps are chosen in the first half of the phase. In the
/// second half they are fixed, and the weights settle on their grid.
const CHOICES: u64 = 8;

/// The quantisation steps of a phase without a target of bits, relative to those of the
/// theory above.
#[derive(Debug, PartialEq)]
struct Grid {
    /// Ratio of the final steps to those of the theory.
    coarser: f64,
    /// How many octaves finer the first steps of the phase are than the final ones; they
    /// become coarser by equal ratios.
    finer_at_first: f64,
}

impl Grid {
    /// For models that code alone. In a first measurement (33K parameters, 3 epochs of
    /// 200 KB of English) the whole description took 3.607 bits per byte with steps of the
    /// theory, 3.540 with 1.5 times and 3.498 with 2.8 times these. With weights rounded
    /// after training it took 3.617.
    const ALONE: Grid = Grid {
        coarser: 2.0,
        finer_at_first: 0.0,
    };

    /// For models beside context models. What these leave to a model is little, so that
    /// coarse steps make most weights zero at once. The more are zero, the more bits
    /// another integer takes; and where both factors of a product are zero, neither gets a
    /// gradient. Steps that are fine at first keep the model's weights: `docs/recipe.md`.
    const BESIDE: Grid = Grid {
        coarser: 1.4,
        finer_at_first: 2.0,
    };
}

/// By how much the number of a quantisation step grows when the step is halved, see [`step`].
const PER_OCTAVE: f64 = 8.0;

/// The number of the finest step allowed, `2^-20`.
const FINEST: i32 = 160;

/// The state of quantisation-aware training.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Quantiser {
    config: QuantiseConfig,
    grid: &'static Grid,
    /// The first optimizer step, counted from 0, with rounded weights.
    start: u64,
    /// The first optimizer step with the final grid.
    settled: u64,
    /// Bytes that share the cost of the weights.
    data_bytes: f64,
    /// Bytes of a batch.
    batch_bytes: f64,
    /// For each tensor, the mean square of the gradient by one weight, in nats
    /// per byte; empty when off.
    pub squares: Vec<f32>,
    /// For each tensor, the number of its quantisation step; empty before the phase.
    pub steps: Vec<u8>,
    rounded: Option<Parameters>,
}

impl Quantiser {
    /// The state for a run of `steps` optimizer steps of `batch_bytes` bytes over
    /// `data_bytes` bytes of data; `beside` context models or alone.
    pub fn new(
        config: &QuantiseConfig,
        beside: bool,
        parameters: &Parameters,
        steps: u64,
        data_bytes: u64,
        batch_bytes: u64,
    ) -> Quantiser {
        let phase = (config.share * steps as f64).round() as u64;
        let start = steps.saturating_sub(phase).max(1);
        let tensors = match config.share > 0.0 {
            true => parameters.tensors().len(),
            false => 0,
        };
        Quantiser {
            config: config.clone(),
            grid: match beside {
                true => &Grid::BESIDE,
                false => &Grid::ALONE,
            },
            start,
            settled: start + steps.saturating_sub(start) / 2,
            data_bytes: data_bytes as f64,
            batch_bytes: batch_bytes as f64,
            squares: vec![0.0; tensors],
            steps: Vec::new(),
            rounded: None,
        }
    }

    /// The parameters that the model uses: rounded during the phase.
    pub fn seen<'a>(&'a mut self, parameters: &'a Parameters) -> &'a Parameters {
        if self.steps.is_empty() {
            return parameters;
        }
        let rounded = self.rounded.get_or_insert_with(|| parameters.clone());
        rounded.values.copy_from_slice(&parameters.values);
        for ((_, range), &k) in parameters.tensors().iter().zip(&self.steps) {
            round(&mut rounded.values[range.clone()], step(k));
        }
        rounded
    }

    /// Records the gradient of the loss at optimizer step `index`, counted from 0,
    /// and during the phase adds the gradient of the bits. `gradient` is `1 / scale`
    /// times the gradient of the mean loss of a byte in nats.
    pub fn gradient(
        &mut self,
        index: u64,
        parameters: &Parameters,
        gradient: &mut [f32],
        scale: f32,
    ) {
        if self.squares.is_empty() {
            return;
        }
        self.measure(index, parameters, gradient, f64::from(scale));
        let weight = LN_2 / self.data_bytes / f64::from(scale);
        for ((_, range), &k) in parameters.tensors().iter().zip(&self.steps) {
            let values = &parameters.values[range.clone()];
            let costs = Costs::of(values, step(k));
            let factor = (weight / f64::from(step(k))) as f32;
            for (g, &x) in gradient[range.clone()].iter_mut().zip(values) {
                *g += factor * costs.slope(x / step(k));
            }
        }
    }

    fn measure(&mut self, index: u64, parameters: &Parameters, gradient: &[f32], scale: f64) {
        let first = self.start.saturating_sub(MEMORY);
        if !(first..self.settled.max(self.start)).contains(&index) {
            return;
        }
        // An ordinary mean at first, then an exponential moving average.
        let decay = (index - first).min(MEMORY - 1) as f64;
        let decay = decay / (decay + 1.0);
        for ((_, range), square) in parameters.tensors().iter().zip(&mut self.squares) {
            let gradient = &gradient[range.clone()];
            let sum: f64 = gradient.iter().map(|&g| f64::from(g) * f64::from(g)).sum();
            let mean = sum / gradient.len() as f64 * scale * scale;
            *square = (decay * f64::from(*square) + (1.0 - decay) * mean) as f32;
        }
    }

    /// Chooses the quantisation steps, if due after `done` optimizer steps.
    pub fn choose(&mut self, done: u64, parameters: &Parameters) {
        let every = ((self.settled - self.start) / CHOICES).max(1);
        let last = (self.settled - self.start) / every * every;
        let due = (self.start..=self.settled).contains(&done)
            && (done - self.start).is_multiple_of(every);
        if self.squares.is_empty() || !due {
            return;
        }
        let best = self.squares.iter().map(|&square| {
            let second = f64::from(square) * self.batch_bytes;
            let coarser = self.grid.coarser;
            let inverse_square = self.data_bytes * second / (12.0 * coarser * coarser);
            // If the loss does not depend on the weights, use the coarsest step; in
            // the first half of the phase a finer one, with which it may.
            match inverse_square.is_normal() {
                true => (PER_OCTAVE / 2.0 * ln(inverse_square) / LN_2).round() as i32,
                false => 0,
            }
        });
        let best: Vec<i32> = best.collect();
        let moved = |by: i32| -> Vec<u8> {
            let number = |&k: &i32| (k + by).clamp(0, FINEST) as u8;
            best.iter().map(number).collect()
        };
        self.steps = match self.config.bits {
            None => {
                let left = (self.start + last - done) as f64 / last.max(1) as f64;
                moved((PER_OCTAVE * self.grid.finer_at_first * left).round() as i32)
            }
            Some(bits) => {
                // The coarsest grid that uses the target bits.
                let (mut below, mut enough) = (-FINEST, FINEST);
                while enough - below > 1 {
                    let middle = (below + enough).div_euclid(2);
                    match stored_bits(parameters, &moved(middle)) < bits {
                        true => below = middle,
                        false => enough = middle,
                    }
                }
                moved(enough)
            }
        };
    }

    /// Rounds the final weights of the run, if it was quantisation-aware.
    pub fn result(&self, parameters: &Parameters, values: &[f32]) -> Vec<f32> {
        let mut values = values.to_vec();
        for ((_, range), &k) in parameters.tensors().iter().zip(&self.steps) {
            round(&mut values[range.clone()], step(k));
        }
        values
    }
}

/// Rounds to the nearest multiples of `step`, like the weight coder.
fn round(values: &mut [f32], step: f32) {
    for x in values {
        // The sum turns -0 into 0, as decoding does.
        *x = integer(*x, step) * step + 0.0;
    }
}

fn integer(x: f32, step: f32) -> f32 {
    (x / step).round().clamp(-LARGEST as f32, LARGEST as f32)
}

/// Stored bits per parameter, over all tensors.
fn stored_bits(parameters: &Parameters, steps: &[u8]) -> f64 {
    let tensors = parameters.tensors().iter().zip(steps);
    let bits = tensors.map(|((_, range), &k)| {
        let values = &parameters.values[range.clone()];
        Costs::of(values, step(k)).total(values, step(k))
    });
    bits.sum::<f64>() / parameters.values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use brevity_model::Spec;

    fn quantiser(
        bits: Option<f64>,
        beside: bool,
        parameters: &Parameters,
        steps: u64,
    ) -> Quantiser {
        let config = QuantiseConfig { share: 0.5, bits };
        Quantiser::new(&config, beside, parameters, steps, 1_000_000, 4096)
    }

    fn parameters() -> Parameters {
        let mut parameters = Parameters::initial(&Spec::brevity(32, 2, 2, 32), 1);
        // A new model's output matrices are zero, which would cost no bits.
        for (i, x) in parameters.values.iter_mut().enumerate() {
            *x += ((i * 7919 % 1000) as f32 - 500.0) * 3e-4;
        }
        parameters
    }

    /// The ratio of the quantisation steps to those of the theory after each optimizer
    /// step of the last half of a run, with the same gradient everywhere.
    fn ratios(beside: bool, steps: u64) -> Vec<f64> {
        let parameters = parameters();
        let mut quantiser = quantiser(None, beside, &parameters, steps);
        let gradient = vec![1e-3; parameters.values.len()];
        // h = (0.5e-3)^2 * 4096, s^2 = 12 / (n h)
        let theory = (12.0_f64 / (1e6 * 0.25e-6 * 4096.0)).sqrt();
        let mut ratios = Vec::new();
        for index in 0..steps {
            quantiser.gradient(index, &parameters, &mut gradient.clone(), 0.5);
            quantiser.choose(index + 1, &parameters);
            if let [first, others @ ..] = &quantiser.steps[..] {
                assert!(others.iter().all(|k| k == first));
                ratios.push(f64::from(step(*first)) / theory);
            }
        }
        ratios
    }

    fn assert_near(ratio: f64, expected: f64) {
        let error = ratio / expected - 1.0;
        assert!(error.abs() < 0.05, "{ratio}, expected {expected}");
    }

    #[test]
    fn steps_follow_the_second_derivative() {
        for ratio in ratios(false, 100) {
            assert_near(ratio, Grid::ALONE.coarser);
        }
    }

    #[test]
    fn beside_context_models_steps_are_fine_at_first() {
        let Grid {
            coarser,
            finer_at_first,
        } = Grid::BESIDE;
        let first = coarser / finer_at_first.exp2();
        // Phases of every short length, and one that the number of choices does not
        // divide.
        for steps in (2..=60).chain([294]) {
            let ratios = ratios(true, steps);
            // The phase of the shortest run is one step, which must have the final grid.
            if steps > 2 {
                assert_near(ratios[0], first);
            }
            assert!(ratios.is_sorted(), "{ratios:?}");
            assert_near(*ratios.last().unwrap(), coarser);
        }
        // The last of the choices is at step 74; half way is the geometric mean.
        let ratios = ratios(true, 100);
        assert_near(ratios[62 - 50], (first * coarser).sqrt());
        assert_near(ratios[73 - 50], coarser / (finer_at_first / 8.0).exp2());
        assert_near(ratios[74 - 50], coarser);
    }

    #[test]
    fn a_target_of_bits_is_the_same_beside_context_models() {
        let parameters = parameters();
        let chosen = [false, true].map(|beside| {
            let mut quantiser = quantiser(Some(3.0), beside, &parameters, 100);
            quantiser.squares.fill(1e-7);
            quantiser.choose(50, &parameters);
            quantiser.steps
        });
        assert_eq!(chosen[0], chosen[1]);
    }

    #[test]
    fn a_target_of_bits_is_met() {
        let parameters = parameters();
        for bits in [2.0, 3.0, 4.5] {
            let mut quantiser = quantiser(Some(bits), false, &parameters, 100);
            quantiser.squares.fill(1e-7);
            quantiser.choose(50, &parameters);
            let got = stored_bits(&parameters, &quantiser.steps);
            assert!((bits..bits + 0.15).contains(&got), "{bits}: {got}");
        }
    }

    #[test]
    fn the_phase_begins_chooses_and_settles() {
        let parameters = parameters();
        let mut quantiser = quantiser(None, false, &parameters, 100);
        let mut chosen = Vec::new();
        for done in 1..=100 {
            quantiser.squares.fill(1e12 * (done as f32).powi(-8));
            let before = quantiser.steps.clone();
            quantiser.choose(done, &parameters);
            if quantiser.steps != before {
                chosen.push(done);
            }
        }
        assert_eq!(chosen.first(), Some(&50));
        assert_eq!(chosen.last(), Some(&74));
        let seen = quantiser.seen(&parameters).values.clone();
        assert_eq!(seen, quantiser.result(&parameters, &parameters.values));
        assert_ne!(seen, parameters.values);
    }

    #[test]
    fn nothing_happens_when_it_is_off() {
        let parameters = parameters();
        let config = QuantiseConfig::default();
        let mut quantiser = Quantiser::new(&config, false, &parameters, 10, 1000, 100);
        for done in 1..=10 {
            let mut gradient = vec![1.0; parameters.values.len()];
            quantiser.gradient(done - 1, &parameters, &mut gradient, 1.0);
            assert!(gradient.iter().all(|&g| g == 1.0));
            quantiser.choose(done, &parameters);
            assert_eq!(quantiser.seen(&parameters), &parameters);
        }
    }
}
