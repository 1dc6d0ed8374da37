//! The embedding layer.

use super::super::buffers::{give, take};
use super::each;
use brevity_kernels::embedding::{self, Embedding};

/// The embedding layer.
#[derive(Clone, Copy)]
pub(in super::super) struct EmbeddingLayer<'a> {
    pub embedding: Embedding<'a>,
    pub position: Option<&'a [f32]>,
    pub mask: Option<&'a [f32]>,
}

/// Gradients of the embedding layer.
#[derive(Debug)]
pub(in super::super) struct EmbeddingGrads {
    pub weight: Vec<f32>,
    pub taps: Option<Vec<f32>>,
    pub position: Option<Vec<f32>>,
}

impl EmbeddingLayer<'_> {
    /// Number of values of a sequence's position embeddings.
    fn positions(&self) -> usize {
        self.embedding.length * self.embedding.width
    }

    /// `[tokens, width]`.
    pub fn forward(&self, tokens: &[u8]) -> Vec<f32> {
        let mut y = take(tokens.len() * self.embedding.width);
        let position = self.position.map(|p| &p[..self.positions()]);
        self.embedding.forward(tokens, position, &mut y);
        if let Some(mask) = self.mask {
            each(&mut y, &[mask], |y, [m]| y * m);
        }
        y
    }

    /// Gradients of the parameters from the gradient `dy` of the output.
    pub fn backward(&self, tokens: &[u8], mut dy: Vec<f32>) -> EmbeddingGrads {
        if let Some(mask) = self.mask {
            each(&mut dy, &[mask], |d, [m]| d * m);
        }
        let zeros = |length| {
            let mut grad = take(length);
            grad.fill(0.0);
            grad
        };
        let mut weight = zeros(self.embedding.table.len());
        let mut taps = zeros(self.embedding.taps.len());
        self.embedding.backward(tokens, &dy, &mut weight, &mut taps);
        let position = self.position.map(|position| {
            let mut grad = zeros(position.len());
            embedding::backward_positions(&dy, &mut grad[..self.positions()]);
            grad
        });
        give(dy);
        EmbeddingGrads {
            weight,
            taps: (!taps.is_empty()).then_some(taps),
            position,
        }
    }
}
