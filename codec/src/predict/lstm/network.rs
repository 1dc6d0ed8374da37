//! The network: layers, output, and training while it codes.

use super::embedding::Past;
use super::layer::{Layer, Learned, Random, Rates};
use super::recipe::LstmRecipe;
use crate::cdf::{Frequencies, SYMBOLS};
use crate::predict::{PredictError, Predictor};
use brevity_kernels::gemm::{Epilogue, View};
use brevity_kernels::optim::RmsProp;
use brevity_kernels::{linear, loss, reduce};

/// Steps of the optimizer until the learning rate is whole.
const WARMUP: f64 = 20.0;

/// The learning rate at the end of a block, times that of the start.
const END: f64 = 0.3;

/// How much faster embeddings and the output learn than the cells.
const ENDS: f64 = 2.0;

/// How much faster embeddings of contexts learn, whose rows rarely take a step.
const CONTEXTS: f64 = 4.0;

/// Decay of the mean of the squared gradients.
const BETA2: f64 = 0.999;

/// Added to its root.
const EPSILON: f64 = 1e-4;

/// A network at some byte of a block. Its lanes are separate networks.
pub struct Network {
    lanes: Vec<Lane>,
}

impl Network {
    /// At the start of a block of `lanes` lanes of `steps` bytes.
    pub fn new(recipe: &LstmRecipe, lanes: usize, steps: usize) -> Network {
        let lanes = (0..lanes).map(|_| Lane::new(recipe, steps));
        Network {
            lanes: lanes.collect(),
        }
    }
}

impl Predictor for Network {
    fn lanes(&self) -> usize {
        self.lanes.len()
    }

    fn predict(&mut self, next: &mut [Frequencies]) -> Result<(), PredictError> {
        for (lane, next) in self.lanes.iter_mut().zip(next) {
            let logits = lane.logits();
            next.set_logits(logits)
                .map_err(|error| PredictError(error.to_string()))?;
        }
        Ok(())
    }

    fn update(&mut self, bytes: &[u8]) -> Result<(), PredictError> {
        for (lane, byte) in self.lanes.iter_mut().zip(bytes) {
            lane.take(*byte);
        }
        Ok(())
    }
}

/// A network that reads one sequence of bytes.
pub struct Lane {
    recipe: LstmRecipe,
    layers: Vec<Layer>,
    /// Bytes of the lane.
    length: usize,
    /// Steps of the optimizer so far.
    step: u64,
    /// Whether the logits of the next byte are there.
    ready: bool,
    /// What the next byte follows.
    past: Past,
    /// Rows of the embeddings in each step of the horizon and in the next step, [steps,
    /// features].
    rows: Vec<usize>,
    /// The bytes that came after them.
    came: Vec<u8>,
    /// Outputs of all layers, [horizon, layers, cells], and logits, [horizon, 256].
    hidden: Vec<f32>,
    logits: Vec<f32>,
    /// [layers, cells, 256]
    output: Learned,
    bias: Learned,
    doutput: Vec<f32>,
    dbias: Vec<f32>,
    nats: Vec<f32>,
}

impl Lane {
    /// Before the first of `length` bytes.
    pub fn new(recipe: &LstmRecipe, length: usize) -> Lane {
        let mut random = Random::new();
        let horizon = recipe.horizon;
        let layers = (0..recipe.layers).map(|index| Layer::new(recipe, index, &mut random));
        let wide = recipe.layers * recipe.cells;
        let past = Past::default();
        let mut rows = Vec::with_capacity((horizon + 1) * recipe.features());
        rows.extend(past.rows(recipe));
        Lane {
            recipe: *recipe,
            layers: layers.collect(),
            length,
            step: 0,
            ready: false,
            rows,
            past,
            came: Vec::with_capacity(horizon),
            hidden: vec![0.0; horizon * wide],
            logits: vec![0.0; horizon * SYMBOLS],
            output: Learned::new(vec![0.0; wide * SYMBOLS]),
            bias: Learned::new(vec![0.0; SYMBOLS]),
            doutput: vec![0.0; wide * SYMBOLS],
            dbias: vec![0.0; SYMBOLS],
            nats: vec![0.0; horizon],
        }
    }

    /// The logits of the next byte.
    pub fn logits(&mut self) -> &[f32] {
        let t = self.came.len();
        let logits = &mut self.logits[t * SYMBOLS..][..SYMBOLS];
        if !std::mem::replace(&mut self.ready, true) {
            let (cells, features) = (self.recipe.cells, self.recipe.features());
            let wide = self.layers.len() * cells;
            let hidden = &mut self.hidden[t * wide..][..wide];
            let rows = &self.rows[t * features..];
            for (i, layer) in self.layers.iter_mut().enumerate() {
                let (below, own) = hidden.split_at_mut(i * cells);
                let below = &below[i.saturating_sub(1) * cells..];
                own[..cells].copy_from_slice(layer.forward(t, rows, below));
            }
            logits.copy_from_slice(&self.bias.values);
            linear::forward_row(hidden, &self.output.values, logits);
        }
        logits
    }

    /// Takes the next byte, and learns when a horizon is full.
    pub fn take(&mut self, byte: u8) {
        self.logits();
        self.ready = false;
        self.came.push(byte);
        self.past.take(byte);
        self.rows.extend(self.past.rows(&self.recipe));
        let next = self.came.len() * self.recipe.features();
        self.layers[0].prefetch(&self.rows[next..]);
        if self.came.len() == self.recipe.horizon {
            self.learn();
            self.came.clear();
            self.rows.drain(..next);
        }
    }

    fn learn(&mut self) {
        let cells = self.recipe.cells;
        let wide = self.layers.len() * cells;
        loss::cross_entropy_in_place(&mut self.logits, &self.came, 1.0, &mut self.nats);
        let (hidden, dlogits) = (&self.hidden, &self.logits);
        linear::backward_weight(hidden, dlogits, wide, SYMBOLS, &mut self.doutput, false);
        reduce::sum_rows(dlogits, &mut self.dbias, false);
        let weights = self.output.values.chunks_exact(cells * SYMBOLS);
        for (layer, weights) in self.layers.iter_mut().zip(weights) {
            let weights = View::new(weights, cells, SYMBOLS);
            let dhidden = &mut layer.dhidden;
            linear::backward_input(dlogits, weights, dhidden, false, Epilogue::default());
        }
        for index in (0..self.layers.len()).rev() {
            let (below, layer) = self.layers.split_at_mut(index);
            let below = below.last_mut().map(|below| &mut below.dhidden[..]);
            layer[0].backward(below);
        }

        self.step += 1;
        let rates = self.rates();
        let features = self.recipe.features();
        let rows = &self.rows[..self.came.len() * features];
        for layer in &mut self.layers {
            layer.learn(&rates, rows, features);
        }
        self.output.step(&rates.ends, rates.step, &self.doutput);
        self.bias.step(&rates.ends, rates.step, &self.dbias);
    }

    /// The rates rise at first, and fall along the block.
    fn rates(&self) -> Rates {
        let done = self.step as f64 * self.recipe.horizon as f64 / self.length as f64;
        let fall = 1.0 + (END - 1.0) * done;
        let rate = f64::from(self.recipe.rate) * (self.step as f64 / WARMUP).min(1.0) * fall;
        let cells = RmsProp {
            learning_rate: rate,
            beta2: BETA2,
            epsilon: EPSILON,
        };
        let faster = |times: f64| RmsProp {
            learning_rate: times * rate,
            ..cells
        };
        Rates {
            step: self.step,
            cells,
            ends: faster(ENDS),
            contexts: faster(CONTEXTS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::Priced;
    use brevity_kernels::simd::InstructionSet;

    fn recipe() -> LstmRecipe {
        LstmRecipe {
            cells: 16,
            layers: 2,
            horizon: 8,
            contexts: 0,
            rows_log2: 0,
            rate: 0.01,
        }
    }

    fn with_contexts() -> LstmRecipe {
        LstmRecipe {
            contexts: 0b1_0000_1011,
            rows_log2: 6,
            ..recipe()
        }
    }

    fn text(length: usize) -> Vec<u8> {
        let words = [&b"the more "[..], b"often, ", b"the shorter; "];
        let picked = (0..length).map(|i| words[i * i % 7 % 3]);
        picked.flatten().copied().take(length).collect()
    }

    /// Bits of the bytes.
    fn bits(network: &mut Network, bytes: &[u8]) -> f64 {
        let mut next = [Frequencies::default()];
        let mut bits = 0.0;
        for byte in bytes {
            network.predict(&mut next).unwrap();
            bits += next[0].bits(*byte);
            network.update(&[*byte]).unwrap();
        }
        bits
    }

    #[test]
    fn it_learns() {
        let text = text(6000);
        for recipe in [recipe(), with_contexts()] {
            let mut network = Network::new(&recipe, 1, text.len());
            let [first, .., last] =
                [0, 1, 2, 3, 4, 5].map(|part| bits(&mut network, &text[part * 1000..][..1000]));
            assert!(last < first / 3.0, "{first} bits, then {last}");
            assert!(last < 1000.0, "{last} bits for 1000 bytes");
        }
    }

    #[test]
    fn an_unasked_prediction_changes_nothing() {
        let text = text(300);
        let mut asked = Network::new(&recipe(), 1, text.len());
        let mut unasked = Network::new(&recipe(), 1, text.len());
        bits(&mut asked, &text);
        text.iter()
            .for_each(|byte| unasked.update(&[*byte]).unwrap());
        let (mut a, mut b) = ([Frequencies::default()], [Frequencies::default()]);
        asked.predict(&mut a).unwrap();
        asked.predict(&mut a).unwrap();
        unasked.predict(&mut b).unwrap();
        assert!(a == b);
    }

    #[test]
    fn lanes_are_networks_of_their_own() {
        let text = text(400);
        let (first, second) = text.split_at(200);
        let mut priced = vec![Priced::default(); 400];
        Network::new(&recipe(), 2, 200)
            .price(&text, 200, &mut priced)
            .unwrap();
        for (lane, priced) in [first, second].into_iter().zip(priced.chunks(200)) {
            let mut alone = vec![Priced::default(); 200];
            Network::new(&recipe(), 1, 200)
                .price(lane, 200, &mut alone)
                .unwrap();
            assert!(alone == priced);
        }
    }

    /// The gradient of the code length of one horizon, by finite differences.
    #[test]
    fn gradients_go_back_through_time_and_layers() {
        let recipe = LstmRecipe {
            horizon: 5,
            ..with_contexts()
        };
        let made = || {
            let mut lane = Lane::new(&recipe, 1 << 30);
            // An output of zeros hands nothing back.
            for (i, value) in lane.output.values.iter_mut().enumerate() {
                *value = (i as f32 * 0.7).sin() * 0.3;
            }
            lane
        };
        let bytes = *b"abcab";
        let nats = |lane: &mut Lane| -> f64 {
            for byte in bytes {
                lane.logits();
                lane.ready = false;
                lane.came.push(byte);
                lane.past.take(byte);
                lane.rows.extend(lane.past.rows(&recipe));
            }
            let mut nats = [0.0; 5];
            loss::cross_entropy(&lane.logits, &bytes, &mut nats);
            nats.iter().map(|x| f64::from(*x)).sum()
        };
        let mut lane = made();
        nats(&mut lane);
        lane.learn();
        let gradients = lane.layers.iter().map(|layer| layer.gradient().to_vec());
        let gradients: Vec<Vec<f32>> = gradients.collect();
        for (index, gradient) in gradients.iter().enumerate() {
            for at in (0..gradient.len()).step_by(61) {
                let with = |by: f32| {
                    let mut lane = made();
                    lane.layers[index].weights()[at] += by;
                    nats(&mut lane)
                };
                let slope = (with(0.01) - with(-0.01)) / 0.02;
                let got = f64::from(gradient[at]);
                assert!(
                    (got - slope).abs() < 3e-3,
                    "layer {index}, {at}: {got}, {slope}"
                );
            }
        }
        // A row of an embedding gets what all steps get to which it was added.
        let features = recipe.features();
        for (t, feature) in [(0, 1), (1, 1), (3, 2), (4, 4)] {
            let row = lane.rows[t * features + feature];
            let steps = (0..5).filter(|t| lane.rows[t * features + feature] == row);
            let steps: Vec<usize> = steps.collect();
            for at in (0..48).step_by(7) {
                let with = |by: f32| {
                    let mut lane = made();
                    lane.layers[0].embedding(feature, row)[at] += by;
                    nats(&mut lane)
                };
                let slope = (with(0.01) - with(-0.01)) / 0.02;
                let got = steps.iter().map(|t| lane.layers[0].dz()[t * 48 + at]);
                let got = f64::from(got.sum::<f32>());
                assert!(
                    (got - slope).abs() < 3e-3,
                    "{t}, {feature}, {at}: {got}, {slope}"
                );
            }
        }
    }

    /// Recorded bits: a network of another machine must say the same.
    #[test]
    fn it_says_the_same_everywhere() {
        let text = text(500);
        let before = InstructionSet::current();
        for set in InstructionSet::supported() {
            set.select();
            for (recipe, recorded) in [
                (recipe(), 17_015_523_918_216_774_543),
                (with_contexts(), 8_023_828_461_582_633_016),
            ] {
                let mut network = Network::new(&recipe, 1, text.len());
                let mut priced = vec![Priced::default(); text.len()];
                network.price(&text, text.len(), &mut priced).unwrap();
                let hash = priced.iter().fold(0_u64, |hash, priced| {
                    (hash ^ u64::from(priced.frequency())).wrapping_mul(0x0000_0100_0000_01b3)
                });
                assert_eq!(hash, recorded, "{set}");
            }
        }
        before.select();
    }
}
