//! The simplest predictors: uniform, and adaptive counts.

use super::{PredictError, Predictor};
use crate::cdf::{Frequencies, SYMBOLS};
use std::collections::HashMap;

/// The uniform distribution: every byte costs eight bits.
#[derive(Clone, Copy, Debug)]
pub struct Uniform {
    /// Number of lanes.
    pub lanes: usize,
}

impl Predictor for Uniform {
    fn lanes(&self) -> usize {
        self.lanes
    }

    fn predict(&mut self, next: &mut [Frequencies]) -> Result<(), PredictError> {
        next.fill(Frequencies::default());
        Ok(())
    }

    fn update(&mut self, _: &[u8]) -> Result<(), PredictError> {
        Ok(())
    }
}

/// Adaptive counts in the context of the last `order` bytes, shared by all
/// lanes: a byte seen `n` times in its context has the weight `n + 1/128`.
#[derive(Clone, Debug)]
pub struct Counts {
    order: u32,
    contexts: HashMap<u64, Box<[u32; SYMBOLS]>>,
    /// The last bytes of each lane.
    recent: Vec<u64>,
}

impl Counts {
    /// # Panics
    /// If `order` is more than 7.
    pub fn new(order: u32, lanes: usize) -> Counts {
        assert!(order <= 7, "an order of at most 7, not {order}");
        Counts {
            order,
            contexts: HashMap::new(),
            recent: vec![0; lanes],
        }
    }

    fn context(&self, lane: usize) -> u64 {
        self.recent[lane] & ((1 << (8 * self.order)) - 1)
    }
}

impl Predictor for Counts {
    fn lanes(&self) -> usize {
        self.recent.len()
    }

    fn predict(&mut self, next: &mut [Frequencies]) -> Result<(), PredictError> {
        for (lane, next) in next.iter_mut().enumerate() {
            *next = match self.contexts.get(&self.context(lane)) {
                Some(counts) => Frequencies::from_weights(counts),
                None => Frequencies::default(),
            };
        }
        Ok(())
    }

    fn update(&mut self, bytes: &[u8]) -> Result<(), PredictError> {
        for (lane, &byte) in bytes.iter().enumerate() {
            let counts = self
                .contexts
                .entry(self.context(lane))
                .or_insert_with(|| Box::new([0; SYMBOLS]));
            counts[usize::from(byte)] += 1;
            if counts[usize::from(byte)] == 1 << 16 {
                counts.iter_mut().for_each(|c| *c /= 2);
            }
            self.recent[lane] = self.recent[lane] << 8 | u64::from(byte);
        }
        Ok(())
    }
}
