//! Learning from priced bytes.

use super::pricer::Scored;
use super::recipe::Recipe;
use crate::batches::Batch;
use crate::gates::Gates;
use crate::gradients::{self, Dropout};
use crate::ops::{self, DeviceError, DeviceKind};
use crate::optimizer::Optimizer;
use crate::parameters::Parameters;
use crate::random::{self, Stream};
use brevity_codec::Layout;
use brevity_codec::predict::PredictError;
use brevity_kernels::mixture::BITS;
use brevity_model::Weights;
use burn::tensor::Device;

/// Share of the loss of a model that starts untrained beside context models which is its
/// cross entropy alone: what is left to it says too little to learn from at first.
const ALONE: f32 = 0.1;

/// The parameters, their optimizer, and all bytes priced so far.
pub(super) struct Student<'a> {
    recipe: &'a Recipe,
    device: Device,
    parameters: Parameters,
    optimizer: Optimizer,
    gradient: Vec<f32>,
    /// Optimizer steps taken.
    step: u64,
    /// Length of the sequences learned last, and number of those replayed.
    shape: (usize, u64),
    layout: Layout,
    /// The bytes of each lane, all of the same length: lanes that have ended are
    /// padded.
    history: Vec<Vec<u8>>,
    /// What context models beside said of them.
    said: Vec<Vec<[f32; BITS]>>,
    /// If there are context models beside.
    gates: Option<Gates>,
    /// Share of the loss that is the model's alone.
    alone: f32,
}

impl<'a> Student<'a> {
    /// A student for a block with this layout, with these weights or untrained.
    ///
    /// # Errors
    /// A build without the CPU device.
    ///
    /// # Panics
    /// If the weights are of another spec than the recipe's.
    pub fn new(
        recipe: &'a Recipe,
        start: Option<&Weights>,
        layout: Layout,
    ) -> Result<Student<'a>, DeviceError> {
        let parameters = match start {
            None => Parameters::initial(recipe.spec(), recipe.seed()),
            Some(weights) => {
                assert_eq!(
                    weights.spec(),
                    recipe.spec(),
                    "weights of the recipe's spec"
                );
                Parameters::of(weights)
            }
        };
        let gates = recipe.is_beside_contexts().then(|| {
            let trained = start.and_then(Weights::gates);
            trained.map_or_else(Gates::default, |values| Gates::starting_at(*values))
        });
        Ok(Student {
            device: DeviceKind::Flex.device()?.autodiff(),
            optimizer: Optimizer::new(recipe.train(), &parameters),
            gradient: vec![0.0; parameters.values.len()],
            parameters,
            step: 0,
            shape: (0, 0),
            layout,
            history: vec![Vec::new(); layout.lanes()],
            said: vec![Vec::new(); layout.lanes()],
            gates,
            alone: if start.is_some() { 0.0 } else { ALONE },
            recipe,
        })
    }

    /// Learns the newest bytes: an optimizer step on the last `context` bytes of each
    /// lane that has not ended, then the replay steps.
    pub fn learn(&mut self, scored: Scored) -> Result<(), PredictError> {
        let (bytes, said) = scored.into_lanes();
        for (lane, bytes) in self.history.iter_mut().zip(bytes) {
            lane.extend(bytes);
        }
        for (lane, said) in self.said.iter_mut().zip(said) {
            lane.extend(said);
        }
        let steps = self.history[0].len();
        if steps == 0 {
            return Ok(());
        }
        let length = steps.min(self.recipe.spec().context);
        // Buffers of another length would not be used again.
        let shape = (length, self.replayed(length));
        if std::mem::replace(&mut self.shape, shape) != shape {
            ops::forget_buffers();
        }
        let lanes = self.lanes().enumerate();
        let newest = lanes.filter(|(_, lane)| lane.len() == steps);
        let newest = self.batch(newest.map(|(lane, _)| (lane, steps - length)), length);
        self.take_step(newest)?;
        for _ in 0..self.recipe.online().replay {
            let replay = self.replay(length);
            self.take_step(replay)?;
        }
        Ok(())
    }

    /// Number of sequences of this length in a replay step.
    fn replayed(&self, length: usize) -> u64 {
        let places = |lane: &[u8]| (lane.len() + 1).saturating_sub(length) as u64;
        let all: u64 = self.lanes().map(places).sum();
        let wanted = (u64::from(self.recipe.online().batch_bytes) / length as u64).max(1);
        wanted.min(all)
    }

    /// Independent random sequences of `length` priced bytes; at most as many as
    /// there are different ones.
    fn replay(&self, length: usize) -> Batch {
        let places = |lane: &[u8]| (lane.len() + 1).saturating_sub(length) as u64;
        let all: u64 = self.lanes().map(places).sum();
        let wanted = (u64::from(self.recipe.online().batch_bytes) / length as u64).max(1);
        let mut rng = random::at(self.recipe.seed(), Stream::Replay, self.step);
        let sequences = (0..wanted.min(all)).map(|_| {
            let mut place = random::below(&mut rng, all);
            let mut lanes = self.lanes().enumerate();
            loop {
                let (lane, bytes) = lanes.next().expect("a place lies in a lane");
                match place.checked_sub(places(bytes)) {
                    Some(further) => place = further,
                    None => return (lane, place as usize),
                }
            }
        });
        self.batch(sequences, length)
    }

    /// A batch of sequences of this length, each given by its lane and place, and each
    /// starting with an empty context, as in pricing.
    fn batch(&self, places: impl Iterator<Item = (usize, usize)>, length: usize) -> Batch {
        let mut batch = Batch {
            inputs: Vec::new(),
            targets: Vec::new(),
            beside: self.gates.as_ref().map(|_| Vec::new()),
            alone: self.alone,
            sequences: 0,
        };
        for (lane, place) in places {
            let targets = &self.history[lane][place..place + length];
            if let Some(beside) = &mut batch.beside {
                beside.extend(self.said[lane][place..place + length].as_flattened());
            }
            batch.inputs.push(0);
            batch.inputs.extend(&targets[..targets.len() - 1]);
            batch.targets.extend(targets);
            batch.sequences += 1;
        }
        batch
    }

    fn take_step(&mut self, batch: Batch) -> Result<(), PredictError> {
        let config = self.recipe.train();
        let dropout = Dropout {
            share: config.dropout,
            seed: self.recipe.seed(),
            pass: self.step,
        };
        self.gradient.fill(0.0);
        let nats = gradients::accumulate(
            &self.parameters,
            &self.device,
            batch,
            self.gates.as_mut(),
            dropout,
            &mut self.gradient,
        );
        if !nats.is_finite() {
            return Err(PredictError(format!(
                "the model stopped learning at step {}, where its loss is {nats}: \
                 its learning rate {} is too high for these bytes",
                self.step, config.learning_rate
            )));
        }
        let rate = self.recipe.rate(self.step);
        self.step += 1;
        if let Some(gates) = &mut self.gates {
            gates.step(self.step, 1.0, rate);
        }
        let gradient = &self.gradient;
        self.optimizer
            .step(config, &mut self.parameters, gradient, 1.0, self.step, rate);
        Ok(())
    }

    /// The current weights, or their moving average.
    pub fn weights(&self) -> Result<Weights, PredictError> {
        let values = self.optimizer.result(&self.parameters);
        let weights = self.parameters.weights(values);
        weights.map_err(|error| PredictError(error.to_string()))
    }

    /// The last bytes of every lane, as many as the model sees before a window
    /// of `steps` steps: the same number for each lane.
    pub fn past(&self, steps: usize) -> Vec<&[u8]> {
        let end = self.history[0].len();
        let length = (self.recipe.spec().context - steps).min(end);
        let lanes = self.history.iter();
        lanes.map(|lane| &lane[end - length..]).collect()
    }

    /// The bytes of each lane without padding.
    fn lanes(&self) -> impl Iterator<Item = &[u8]> {
        let lanes = self.history.iter().enumerate();
        lanes.map(|(i, lane)| &lane[..lane.len().min(self.layout.range(i).len())])
    }
}

impl Drop for Student<'_> {
    fn drop(&mut self) {
        ops::forget_buffers();
    }
}
