//! A trained transformer as a predictor.

use super::{Model, PredictError, Predictor, Priced};
use crate::cdf::{Frequencies, NonFinite};
use crate::layout::Layout;
use brevity_kernels::threads;
use brevity_model::{Spec, State, Transformer};
use std::ops::Range;

/// Least and most lanes of a block: enough that each of a few threads multiplies
/// matrices, not vectors, in a step.
const LANES: (usize, usize) = (8, 32);

/// Bytes of KV cache that stay in the CPU cache during a step. Within the bounds of
/// [`LANES`], a block has as many lanes as fit: a stream of width 64 decodes at
/// 62.7 KB/s with 8 lanes and at 38.2 with 32 (`docs/benchmarks.md`).
const NEAR: usize = 1 << 22;

/// A [`Transformer`] as a model for coding blocks.
#[derive(Debug)]
pub struct TransformerModel {
    transformer: Transformer,
}

impl TransformerModel {
    /// A model for coding with `transformer`.
    pub fn new(transformer: Transformer) -> TransformerModel {
        TransformerModel { transformer }
    }

    /// The transformer.
    pub fn transformer(&self) -> &Transformer {
        &self.transformer
    }
}

/// What is known of a transformer as a model before it is made.
pub(crate) struct Shape<'a>(pub &'a Spec);

impl Shape<'_> {
    /// As [`Model::unit`].
    pub fn unit(&self) -> usize {
        match self.0.window {
            Some(_) => 1,
            None => self.0.context,
        }
    }

    /// As [`Model::memory`]: the state of all lanes.
    pub fn memory(&self, layout: &Layout) -> u64 {
        let steps = layout.steps().max(1);
        self.0
            .state_memory(layout.lanes(), steps, rayon::current_num_threads())
    }

    /// As [`Model::operations`]: every lane goes on to the last step.
    pub fn operations(&self, layout: &Layout) -> f64 {
        let keys = match self.0.window {
            Some(_) => self.0.reach() as f64,
            None => self.0.mean_keys(),
        };
        let bytes = layout.lanes() as f64 * layout.steps() as f64;
        bytes * self.0.forward_flops_per_byte(keys)
    }
}

impl Model for TransformerModel {
    fn unit(&self) -> usize {
        Shape(self.transformer.spec()).unit()
    }

    fn lanes(&self) -> usize {
        let spec = self.transformer.spec();
        let full = 8 * spec.reach() * spec.layers * spec.width;
        // A chunk starts with an empty KV cache, so it is half full on average.
        let state = if spec.window.is_some() {
            full
        } else {
            full / 2
        };
        let lanes = (NEAR / state.max(1)).clamp(LANES.0, LANES.1);
        1 << lanes.ilog2()
    }

    fn memory(&self, layout: &Layout) -> u64 {
        Shape(self.transformer.spec()).memory(layout)
    }

    fn operations(&self, layout: &Layout) -> f64 {
        Shape(self.transformer.spec()).operations(layout)
    }

    fn start<'a>(&'a self, layout: &Layout) -> Box<dyn Predictor + 'a> {
        Box::new(self.lanes_from(layout, 0..layout.lanes()))
    }

    fn start_apart<'a>(&'a self, layout: &Layout, most: usize) -> Vec<Box<dyn Predictor + 'a>> {
        if most <= 1 {
            return vec![self.start(layout)];
        }
        let lanes = layout.lanes();
        let each = lanes.div_ceil(most);
        let group = |first: usize| -> Box<dyn Predictor + 'a> {
            let range = first..lanes.min(first + each);
            Box::new(threads::alone(|| self.lanes_from(layout, range)))
        };
        (0..lanes).step_by(each).map(group).collect()
    }
}

impl TransformerModel {
    /// Some lanes of a block at their start.
    fn lanes_from(&self, layout: &Layout, range: Range<usize>) -> Lanes<'_> {
        let lanes = range.len();
        let steps = layout.steps().max(1);
        Lanes {
            model: &self.transformer,
            state: self.transformer.state_for(lanes, steps),
            first: range.start,
            last: vec![0; lanes],
        }
    }
}

/// The state of some lanes of a block.
struct Lanes<'a> {
    model: &'a Transformer,
    state: State,
    /// Index of the first of these lanes in the block.
    first: usize,
    /// The byte before the next one, in each lane.
    last: Vec<u8>,
}

impl Lanes<'_> {
    /// Advances by `steps` and passes each lane's frequencies to its sink.
    fn advance<S: Send>(
        &mut self,
        previous: &[u8],
        steps: usize,
        sinks: impl Iterator<Item = S>,
        each: impl Fn(&mut S, usize, &Frequencies) + Sync,
    ) -> Result<(), PredictError> {
        let mut sinks: Vec<(S, Option<NonFinite>)> = sinks.map(|sink| (sink, None)).collect();
        self.model
            .forward_each(
                &mut self.state,
                previous,
                steps,
                &mut sinks,
                |(sink, failure), step, logits| match Frequencies::from_logits(logits) {
                    Ok(next) => each(sink, step, &next),
                    Err(error) => *failure = Some(error),
                },
            )
            .map_err(|mut error| {
                error.lane += self.first;
                PredictError(error.to_string())
            })?;
        match sinks.iter().find_map(|(_, failure)| *failure) {
            Some(error) => Err(PredictError(error.to_string())),
            None => Ok(()),
        }
    }
}

impl Predictor for Lanes<'_> {
    fn lanes(&self) -> usize {
        self.last.len()
    }

    fn predict(&mut self, next: &mut [Frequencies]) -> Result<(), PredictError> {
        let previous = std::mem::take(&mut self.last);
        let result = self.advance(&previous, 1, next.iter_mut(), |out, _, next| {
            out.clone_from(next);
        });
        self.last = previous;
        result
    }

    fn update(&mut self, bytes: &[u8]) -> Result<(), PredictError> {
        self.last.copy_from_slice(bytes);
        Ok(())
    }

    fn price(
        &mut self,
        bytes: &[u8],
        steps: usize,
        priced: &mut [Priced],
    ) -> Result<(), PredictError> {
        let mut previous = Vec::with_capacity(bytes.len());
        for (lane, last) in bytes.chunks(steps).zip(&mut self.last) {
            previous.push(*last);
            previous.extend_from_slice(&lane[..steps - 1]);
            *last = lane[steps - 1];
        }
        let sinks = priced.chunks_mut(steps).zip(bytes.chunks(steps));
        self.advance(&previous, steps, sinks, |(out, bytes), step, next| {
            out[step] = Priced::new(next, bytes[step]);
        })
    }
}
