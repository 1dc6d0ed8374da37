//! Learning from priced bytes.

use super::pricer::Scored;
use super::recipe::Recipe;
use crate::batches::Batch;
use crate::gradients::{self, Dropout};
use crate::ops::{self, DeviceError, DeviceKind};
use crate::optimizer::Optimizer;
use crate::parameters::Parameters;
use crate::random::{self, Stream};
use brevity_codec::Layout;
use brevity_codec::predict::PredictError;
use brevity_model::Weights;
use burn::tensor::Device;

/// The parameters, their optimizer, and all bytes priced so far.
pub(super) struct Student<'a> {
    recipe: &'a Recipe,
    device: Device,
    parameters: Parameters,
    optimizer: Optimizer,
    gradient: Vec<f32>,
    /// Optimizer steps taken.
    step: u64,
    /// Length of the sequences learned last.
    length: usize,
    layout: Layout,
    /// The bytes of each lane, all of the same length: lanes that have ended are
    /// padded.
    history: Vec<Vec<u8>>,
}

impl<'a> Student<'a> {
    /// An untrained student for a block with this layout.
    ///
    /// # Errors
    /// A build without the CPU device.
    pub fn new(recipe: &'a Recipe, layout: Layout) -> Result<Student<'a>, DeviceError> {
        let parameters = Parameters::initial(recipe.spec(), recipe.seed());
        Ok(Student {
            device: DeviceKind::Flex.device()?.autodiff(),
            optimizer: Optimizer::new(recipe.train(), &parameters),
            gradient: vec![0.0; parameters.values.len()],
            parameters,
            step: 0,
            length: 0,
            layout,
            history: vec![Vec::new(); layout.lanes()],
            recipe,
        })
    }

    /// Learns the newest bytes: an optimizer step on the last `context` bytes of each
    /// lane that has not ended, then the replay steps.
    pub fn learn(&mut self, scored: Scored) -> Result<(), PredictError> {
        for (lane, bytes) in self.history.iter_mut().zip(scored.into_lanes()) {
            lane.extend(bytes);
        }
        let steps = self.history[0].len();
        if steps == 0 {
            return Ok(());
        }
        let length = steps.min(self.recipe.spec().context);
        // Buffers of another length would not be used again.
        if std::mem::replace(&mut self.length, length) != length {
            ops::forget_buffers();
        }
        let newest = self.lanes().filter(|lane| lane.len() == steps);
        let newest = Self::batch(newest.map(|lane| &lane[steps - length..]));
        self.take_step(newest)?;
        for _ in 0..self.recipe.online().replay {
            let replay = self.replay(length);
            self.take_step(replay)?;
        }
        Ok(())
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
            let mut lanes = self.lanes();
            loop {
                let lane = lanes.next().expect("a place lies in a lane");
                match place.checked_sub(places(lane)) {
                    Some(further) => place = further,
                    None => return &lane[place as usize..][..length],
                }
            }
        });
        Self::batch(sequences)
    }

    /// A batch of sequences of one length, each starting with an empty context, as in
    /// pricing.
    fn batch<'b>(sequences: impl Iterator<Item = &'b [u8]>) -> Batch {
        let mut batch = Batch {
            inputs: Vec::new(),
            targets: Vec::new(),
            sequences: 0,
        };
        for targets in sequences {
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
