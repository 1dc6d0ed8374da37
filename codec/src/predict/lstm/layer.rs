//! A layer of LSTM cells, and its backward pass through time.

use super::embedding::Embedding;
use super::recipe::LstmRecipe;
use crate::cdf::SYMBOLS;
use brevity_kernels::gemm::{Epilogue, View};
use brevity_kernels::linear;
use brevity_kernels::lstm::{self, GATES, Output, Saved};
use brevity_kernels::optim::RmsProp;

/// A tensor that learns: its values, and the means of its squared gradients.
pub struct Learned {
    pub values: Vec<f32>,
    squares: Vec<f32>,
}

impl Learned {
    pub fn new(values: Vec<f32>) -> Learned {
        Learned {
            squares: vec![0.0; values.len()],
            values,
        }
    }

    pub fn step(&mut self, rms: &RmsProp, step: u64, gradient: &[f32]) {
        rms.step(step, gradient, &mut self.values, &mut self.squares);
    }
}

/// The weights at first: pseudo-random numbers in [-1, 1) by SplitMix64 (Steele et al.
/// 2014), the same on every machine.
pub struct Random(u64);

impl Random {
    pub fn new() -> Random {
        Random(0)
    }

    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        // The upper 24 bits, which an f32 holds exactly.
        ((z ^ z >> 31) >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    fn values(&mut self, count: usize, scale: f32) -> Vec<f32> {
        (0..count).map(|_| self.next() * scale).collect()
    }
}

/// The rates at which a step learns.
#[derive(Clone, Copy)]
pub struct Rates {
    /// Number of the step, from 1.
    pub step: u64,
    /// For the weights of cells.
    pub cells: RmsProp,
    /// For embeddings of bytes and the output.
    pub ends: RmsProp,
    /// For embeddings of contexts.
    pub contexts: RmsProp,
}

/// The parameters, the state, and what the steps of a horizon leave.
pub struct Layer {
    cells: usize,
    inputs: usize,
    /// Of bytes, with rows of 3 cells; then, in the lowest layer, of contexts.
    embeddings: Vec<Embedding>,
    /// [inputs, 3 cells]: the layer's own last outputs, then those of the layer below.
    weights: Learned,
    scale: Learned,
    shift: Learned,
    /// [horizon, inputs]
    x: Vec<f32>,
    /// [horizon, 3 cells]
    normed: Vec<f32>,
    gates: Vec<f32>,
    inverse: Vec<[f32; GATES]>,
    /// [horizon + 1, cells]: before each step, and after the last.
    states: Vec<f32>,
    /// [horizon, cells]
    squashed: Vec<f32>,
    /// The last output.
    hidden: Vec<f32>,
    /// The gradient of the outputs of all steps, [horizon, cells].
    pub dhidden: Vec<f32>,
    /// [horizon, 3 cells]
    dz: Vec<f32>,
    /// The gradient of the states, `[cells]`.
    dstate: Vec<f32>,
    /// Gradients of weights, embeddings of a byte, scale and shift.
    dweights: Vec<f32>,
    drow: Vec<f32>,
    dscale: Vec<f32>,
    dshift: Vec<f32>,
}

impl Layer {
    pub fn new(recipe: &LstmRecipe, index: usize, random: &mut Random) -> Layer {
        let (cells, horizon) = (recipe.cells, recipe.horizon);
        let inputs = recipe.inputs(index);
        let wide = GATES * cells;
        let scale = (3.0 / inputs as f32).sqrt();
        let weights = random.values(inputs * wide, scale);
        let bytes = Embedding::of_bytes(random.values(SYMBOLS * wide, 1.0));
        let contexts = recipe.contexts().filter(|_| index == 0);
        let contexts = contexts.map(|_| Embedding::of_hashes(1 << recipe.rows_log2, wide));
        Layer {
            cells,
            inputs,
            embeddings: std::iter::once(bytes).chain(contexts).collect(),
            dweights: vec![0.0; weights.len()],
            weights: Learned::new(weights),
            scale: Learned::new(vec![1.0; wide]),
            shift: Learned::new(vec![0.0; wide]),
            x: vec![0.0; horizon * inputs],
            normed: vec![0.0; horizon * wide],
            gates: vec![0.0; horizon * wide],
            inverse: vec![[0.0; GATES]; horizon],
            states: vec![0.0; (horizon + 1) * cells],
            squashed: vec![0.0; horizon * cells],
            hidden: vec![0.0; cells],
            dhidden: vec![0.0; horizon * cells],
            dz: vec![0.0; horizon * wide],
            dstate: vec![0.0; cells],
            drow: vec![0.0; wide],
            dscale: vec![0.0; wide],
            dshift: vec![0.0; wide],
        }
    }

    /// Brings the rows of the next step near.
    pub fn prefetch(&self, rows: &[usize]) {
        for (embedding, row) in self.embeddings.iter().zip(rows).skip(1) {
            embedding.prefetch(*row);
        }
    }

    /// Step `t` of a horizon, with these rows of the embeddings, above a layer with the
    /// outputs `below`; returns the layer's outputs.
    pub fn forward(&mut self, t: usize, rows: &[usize], below: &[f32]) -> &[f32] {
        let (n, wide) = (self.cells, GATES * self.cells);
        let x = &mut self.x[t * self.inputs..][..self.inputs];
        x[..n].copy_from_slice(&self.hidden);
        x[n..].copy_from_slice(below);
        let z = &mut self.normed[t * wide..][..wide];
        z.fill(0.0);
        self.embeddings[0].add(rows[0], z);
        linear::forward_row(x, &self.weights.values, z);
        // Last, as their rows come from far.
        for (embedding, row) in self.embeddings.iter().zip(rows).skip(1) {
            embedding.add(*row, z);
        }
        let (before, after) = self.states[t * n..][..2 * n].split_at_mut(n);
        let out = Output {
            gates: &mut self.gates[t * wide..][..wide],
            after,
            squashed: &mut self.squashed[t * n..][..n],
            hidden: &mut self.hidden,
        };
        let (scale, shift) = (&self.scale.values, &self.shift.values);
        self.inverse[t] = lstm::forward(z, scale, shift, before, out);
        &self.hidden
    }

    /// Goes back through all steps of a horizon, whose outputs have the gradient
    /// `dhidden`; adds to the gradient of the outputs of the layer `below`, if there is
    /// one.
    pub fn backward(&mut self, below: Option<&mut [f32]>) {
        let (n, wide) = (self.cells, GATES * self.cells);
        self.dscale.fill(0.0);
        self.dshift.fill(0.0);
        self.dstate.fill(0.0);
        for t in (0..self.inverse.len()).rev() {
            let saved = Saved {
                normed: &self.normed[t * wide..][..wide],
                inverse: self.inverse[t],
                gates: &self.gates[t * wide..][..wide],
                before: &self.states[t * n..][..n],
                squashed: &self.squashed[t * n..][..n],
            };
            let dz = &mut self.dz[t * wide..][..wide];
            let dhidden = &self.dhidden[t * n..][..n];
            let sums = (&mut self.dscale[..], &mut self.dshift[..]);
            let scale = &self.scale.values;
            lstm::backward(saved, scale, dhidden, &mut self.dstate, dz, sums);
            if let Some(before) = t.checked_sub(1) {
                let dhidden = &mut self.dhidden[before * n..][..n];
                linear::backward_row(dz, &self.weights.values[..n * wide], dhidden);
            }
        }
        let (x, dz) = (&self.x, &self.dz);
        linear::backward_weight(x, dz, self.inputs, wide, &mut self.dweights, false);
        if let Some(below) = below {
            let weights = View::new(&self.weights.values[n * wide..], n, wide);
            linear::backward_input(dz, weights, below, true, Epilogue::default());
        }
    }

    /// Learns from the gradients, and begins the next horizon. `rows` are those of the
    /// embeddings in each step, [horizon, features].
    pub fn learn(&mut self, rates: &Rates, rows: &[usize], features: usize) {
        let n = self.cells;
        let (step, rms) = (rates.step, &rates.cells);
        self.weights.step(rms, step, &self.dweights);
        self.scale.step(rms, step, &self.dscale);
        self.shift.step(rms, step, &self.dshift);
        for (feature, embedding) in self.embeddings.iter_mut().enumerate() {
            let rms = match feature {
                0 => &rates.ends,
                _ => &rates.contexts,
            };
            let rows = rows.iter().skip(feature).step_by(features).copied();
            embedding.learn(rms, rows, &self.dz, &mut self.drow);
        }
        let end = self.states.len() - n;
        self.states.copy_within(end.., 0);
    }

    /// The gradient of the weights.
    #[cfg(test)]
    pub fn gradient(&self) -> &[f32] {
        &self.dweights
    }

    /// The gradients of the inputs of gates, [horizon, 3 cells].
    #[cfg(test)]
    pub fn dz(&self) -> &[f32] {
        &self.dz
    }

    /// A row of an embedding.
    #[cfg(test)]
    pub fn embedding(&mut self, feature: usize, row: usize) -> &mut [f32] {
        self.embeddings[feature].row(row)
    }

    /// The weights.
    #[cfg(test)]
    pub fn weights(&mut self) -> &mut [f32] {
        &mut self.weights.values
    }
}
