//! Logistic mixing with weights that learn online.

use brevity_kernels::simd::{LANES, Simd};

/// Inputs of a mixer.
pub const INPUTS: usize = 24;

/// How far a step follows the gradient.
const RATE: f32 = 0.0015;

/// Sets of weights; a context says which set to use.
pub struct Mixer {
    sets: Vec<[f32; INPUTS]>,
    /// The set used last.
    at: usize,
}

impl Mixer {
    /// All sets start alike.
    pub fn new(contexts: usize, start: [f32; INPUTS]) -> Mixer {
        Mixer {
            sets: vec![start; contexts],
            at: 0,
        }
    }

    /// The weighted sum of the inputs.
    #[inline(always)]
    pub fn mix<S: Simd>(&mut self, inputs: &[f32; INPUTS], context: usize) -> f32 {
        self.at = context;
        let weights = &self.sets[context];
        let mut sum = S::splat(0.0);
        for i in (0..INPUTS).step_by(LANES) {
            let product = S::mul(S::load(&weights[i..]), S::load(&inputs[i..]));
            sum = S::add(sum, product);
        }
        let s = S::to_array(sum);
        ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
    }

    /// A step down the gradient of the code length under the set used last;
    /// `error` is the bit minus the probability it was given.
    #[inline(always)]
    pub fn update<S: Simd>(&mut self, inputs: &[f32; INPUTS], error: f32) {
        let weights = &mut self.sets[self.at];
        let step = S::splat(error * RATE);
        for i in (0..INPUTS).step_by(LANES) {
            let change = S::mul(step, S::load(&inputs[i..]));
            let weight = S::add(S::load(&weights[i..]), change);
            S::store(weight, &mut weights[i..]);
        }
    }
}
