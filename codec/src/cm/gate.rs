//! A gate adds the logits of a model that was trained beside context models to theirs.
//!
//! The weights depend on how sure the context models are. They start with the gates that
//! were trained with the model, and learn on; so at its start the sum is the mixture
//! whose code length the training minimised ([`brevity_kernels::mixture`]).

use super::logistic::Logistic;
use crate::cdf::TOTAL;
use brevity_kernels::mixture::{CONFIDENCES, GATES, confidence};

/// Units of a gate of 1 as it is stored.
const UNITS: f32 = 32.0;

/// Gates of a mixture of a model with context models, as a block stores them: a byte for
/// each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gates([i8; GATES]);

impl Gates {
    /// For a model that was not trained beside context models: it says much that they
    /// know, too.
    pub const ALONE: Gates = Gates::everywhere(28, 8);

    /// For a pretrained language model: on its own ground, context models that have
    /// just begun to learn add little.
    pub const LANGUAGE: Gates = Gates::everywhere(4, 29);

    /// The same, in units, for context models and for the model however sure the former
    /// are.
    const fn everywhere(contexts: i8, model: i8) -> Gates {
        let mut gates = [contexts; GATES];
        let mut at = 1;
        while at < GATES {
            gates[at] = model;
            at += 2;
        }
        Gates(gates)
    }

    /// The nearest gates that a block can store.
    pub fn nearest(values: &[f32; GATES]) -> Gates {
        Gates(values.map(|gate| (gate * UNITS).round().clamp(-127.0, 127.0) as i8))
    }

    /// Their values, as in [`brevity_kernels::mixture`].
    pub fn values(&self) -> [f32; GATES] {
        self.0.map(|units| f32::from(units) / UNITS)
    }

    /// As they lie in a block's header.
    pub fn to_bytes(self) -> [u8; GATES] {
        self.0.map(|units| units as u8)
    }

    /// The gates of a block's header.
    pub fn from_bytes(bytes: [u8; GATES]) -> Gates {
        Gates(bytes.map(|units| units as i8))
    }
}

/// Steps of the weights down the gradient of the code length, times the inputs.
const RATE: f32 = 0.0005;

/// Numbers of contexts by which weights are more.
const SETS: [usize; 4] = [256, 1 << 16, 32, 1 << 10];

/// Where a decision stands: what is added to the weights depends on it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// The bits of the byte so far, with a leading one.
    pub node: usize,
    /// The byte before it.
    pub last: u8,
}

/// The gate while it learns.
pub struct Gate {
    /// By confidence of the context models.
    weights: [[f32; 2]; CONFIDENCES],
    /// What the weights are more: by the bits of the byte so far, by these and the last
    /// byte, by the model's confidence, by both confidences.
    more: [Vec<[f32; 2]>; SETS.len()],
    /// Inputs of the decision under way, the sets that weigh them, and the probability.
    inputs: [f32; 2],
    at: (usize, [usize; SETS.len()]),
    p: u32,
}

impl Gate {
    /// A gate that has learned nothing but its start.
    pub fn new(start: &Gates) -> Gate {
        let start = start.values();
        Gate {
            weights: std::array::from_fn(|class| [start[2 * class], start[2 * class + 1]]),
            more: SETS.map(|count| vec![[0.0; 2]; count]),
            inputs: [0.0; 2],
            at: (0, [0; SETS.len()]),
            p: 0,
        }
    }

    /// The probability of a one, times `TOTAL`, from the logits of the context models
    /// and of the trained model.
    #[inline(always)]
    pub fn mix(&mut self, contexts: f32, model: f32, place: Place) -> u32 {
        let class = confidence(contexts);
        let halves = |logit: f32| (logit.clamp(-7.9, 7.9) * 2.0 + 16.0) as usize;
        let (first, second) = (halves(contexts), halves(model));
        let sets = [
            place.node,
            usize::from(place.last) << 8 | place.node,
            second,
            first << 5 | second,
        ];
        let mut weights = self.weights[class];
        for (more, set) in self.more.iter().zip(sets) {
            weights[0] += more[set][0];
            weights[1] += more[set][1];
        }
        self.inputs = [contexts, model];
        self.at = (class, sets);
        self.p = Logistic::get().squash(weights[0] * contexts + weights[1] * model);
        self.p
    }

    /// Learns the bit that came.
    #[inline(always)]
    pub fn learn(&mut self, one: bool) {
        let error = f32::from(u8::from(one)) - self.p as f32 * (1.0 / TOTAL as f32);
        let steps = self.inputs.map(|input| RATE * error * input);
        let (class, sets) = self.at;
        let more = self
            .more
            .iter_mut()
            .zip(sets)
            .map(|(more, set)| &mut more[set]);
        for weights in more.chain([&mut self.weights[class]]) {
            weights[0] += steps[0];
            weights[1] += steps[1];
        }
    }
}
