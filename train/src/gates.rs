//! The gates of a mixture with another model, which learn beside the parameters.
//!
//! Adam in a fixed order, without weight decay: there are few gates, and every byte
//! teaches them.

use brevity_kernels::mixture::GATES;
use burn::tensor::{Device, Tensor, TensorData};

/// Peak learning rate.
const RATE: f32 = 0.01;
/// Decays of the first and second moment.
const BETAS: [f32; 2] = [0.9, 0.99];
const EPS: f32 = 1e-8;

/// The values of the gates, the gradient under way, and the optimizer's moments.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gates {
    gradient: [f32; GATES],
    /// Values, first moments, second moments.
    state: [f32; 3 * GATES],
}

impl Default for Gates {
    /// Those of models that were trained alone.
    fn default() -> Gates {
        Gates::starting_at(brevity_codec::Gates::ALONE.values())
    }
}

impl Gates {
    /// These values, with nothing learned.
    pub fn starting_at(values: [f32; GATES]) -> Gates {
        let mut state = [0.0; 3 * GATES];
        state[..GATES].copy_from_slice(&values);
        Gates {
            gradient: [0.0; GATES],
            state,
        }
    }

    /// The values, as in [`brevity_kernels::mixture`].
    pub fn values(&self) -> &[f32; GATES] {
        self.state.first_chunk().expect("values, then moments")
    }

    /// All that a checkpoint needs between two steps.
    pub fn state(&self) -> &[f32] {
        &self.state
    }

    /// The same, to be restored.
    pub fn state_mut(&mut self) -> &mut [f32] {
        &mut self.state
    }

    /// A leaf of an autodiff graph.
    pub fn tensor(&self, device: &Device) -> Tensor<1> {
        let data = TensorData::new(self.values().to_vec(), [GATES]);
        Tensor::from_data(data, device).require_grad()
    }

    /// Adds to the gradient.
    pub fn add(&mut self, gradient: &[f32]) {
        for (sum, g) in self.gradient.iter_mut().zip(gradient) {
            *sum += g;
        }
    }

    /// Takes step number `step`, from 1, by the gradient times `scale`, at a `rate` that
    /// is a share of the peak; forgets the gradient.
    pub fn step(&mut self, step: u64, scale: f32, rate: f64) {
        let done = step.min(1 << 20) as u32;
        // By repeated squaring, in the same order everywhere.
        let rest = BETAS.map(|beta| 1.0 - power(beta, done));
        let rate = RATE * rate as f32;
        let (values, moments) = self.state.split_at_mut(GATES);
        let (first, second) = moments.split_at_mut(GATES);
        for i in 0..GATES {
            let g = self.gradient[i] * scale;
            first[i] = BETAS[0] * first[i] + (1.0 - BETAS[0]) * g;
            second[i] = BETAS[1] * second[i] + (1.0 - BETAS[1]) * (g * g);
            let size = (second[i] / rest[1]).sqrt() + EPS;
            values[i] -= rate * (first[i] / rest[0]) / size;
        }
        self.gradient = [0.0; GATES];
    }
}

fn power(base: f32, mut exponent: u32) -> f32 {
    let (mut result, mut square) = (1.0, base);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result *= square;
        }
        square *= square;
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_move_against_their_gradient() {
        let mut gates = Gates::default();
        let start = *gates.values();
        let mut gradient = [0.0; GATES];
        (gradient[0], gradient[3]) = (0.5, -1e-4);
        for step in 1..=20 {
            gates.add(&gradient);
            gates.step(step, 1.0, 1.0);
        }
        let moved: Vec<f32> = gates
            .values()
            .iter()
            .zip(start)
            .map(|(a, b)| a - b)
            .collect();
        assert!((moved[0] + 0.2).abs() < 0.01, "{}", moved[0]);
        assert!((moved[3] - 0.2).abs() < 0.01, "{}", moved[3]);
        assert_eq!(moved[1], 0.0);
    }
}
