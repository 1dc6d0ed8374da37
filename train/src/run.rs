//! One training run, from bytes to weights.

use crate::batches::Batches;
use crate::checkpoint::{self, CheckpointError, Position};
use crate::error::TrainError;
use crate::gates::Gates;
use crate::gradients::{self, Dropout};
use crate::identity::RunIdentity;
use crate::memory;
use crate::metrics::{Log, Metrics};
use crate::ops::{self, DeviceError, DeviceKind, Tokens};
use crate::optimizer::Optimizer;
use crate::parameters::Parameters;
use crate::quantise::Quantiser;
use crate::recipe::TrainConfig;
use crate::schedule;
use crate::transformer::Transformer;
use brevity_codec::Contexts;
use brevity_model::{Spec, Weights};
use brevity_task::{Control, Progress};
use burn::tensor::Device;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The input of a training run, besides the data.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainSetup {
    /// The model.
    pub spec: Spec,
    /// The training hyperparameters.
    pub config: TrainConfig,
    /// Seed of initial weights, batches and dropout.
    pub seed: u64,
    /// The device to train on.
    pub device: DeviceKind,
    /// What context models say of the data, if the model is to be coded beside them: then
    /// the loss is the code length of the mixture.
    pub beside: Option<Arc<Contexts>>,
}

impl TrainSetup {
    /// The identity of a run with this setup over `data`.
    pub fn identity(&self, data: &[u8]) -> RunIdentity {
        self.identity_by(data, blake3::hash(data).to_string())
    }

    fn identity_by(&self, data: &[u8], blake3: String) -> RunIdentity {
        let (bytes, beside) = (data.len(), self.beside.as_deref());
        RunIdentity::new(&self.spec, &self.config, self.seed, bytes, blake3, beside)
    }
}

/// How a run ended.
#[expect(clippy::large_enum_variant, reason = "there is one of it a run")]
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// All steps are done; `model.safetensors` is in the folder.
    Finished {
        /// The trained weights.
        weights: Weights,
        /// The last line of metrics.
        metrics: Metrics,
    },
    /// The run was stopped; a checkpoint is in the folder.
    Interrupted {
        /// Steps done.
        step: u64,
    },
}

/// File name of the trained model in a run's folder.
pub const MODEL: &str = "model.safetensors";

/// Trains a model on `data` in `folder`, which is created if necessary.
///
/// If the folder has a checkpoint, the run resumes from it, and ends with the same bits
/// as an uninterrupted one. On the CPU the result depends only on `setup` and `data`, not
/// on the machine or the number of threads. The threads are those of the rayon pool in
/// which this is called.
///
/// The run writes `metrics.jsonl`, `tensorboard/`, `checkpoint/` until it is done,
/// and [`MODEL`] at its end.
///
/// # Errors
/// See [`TrainError`]. Files written before the error stay valid.
pub fn run(
    setup: &TrainSetup,
    data: &[u8],
    folder: &Path,
    control: &Control<'_>,
) -> Result<Outcome, TrainError> {
    let blake3 = blake3::hash(data).to_string();
    run_hashed(setup, data, blake3, folder, control)
}

/// As [`run`], with the BLAKE3 of `data` in hex where that is known: of gigabytes it
/// takes seconds.
///
/// # Errors
/// As [`run`].
pub fn run_hashed(
    setup: &TrainSetup,
    data: &[u8],
    blake3: String,
    folder: &Path,
    control: &Control<'_>,
) -> Result<Outcome, TrainError> {
    check(&setup.spec, &setup.config)?;
    if data.len() < setup.spec.context {
        return Err(TrainError::TooShort {
            bytes: data.len(),
            context: setup.spec.context,
        });
    }
    if let Some(contexts) = setup.beside.as_ref().filter(|c| c.len() != data.len()) {
        return Err(TrainError::Beside {
            bytes: data.len(),
            beside: contexts.len(),
        });
    }
    std::fs::create_dir_all(folder).map_err(|source| TrainError::Folder {
        path: folder.into(),
        source,
    })?;
    let identity = setup.identity_by(data, blake3);
    let mut run = Run::new(setup, data, identity, folder)?;
    let outcome = run.train(control);
    ops::forget_buffers();
    outcome
}

/// Checks what can be told of a training without its data.
///
/// # Errors
/// An invalid spec or config; more memory than this machine has.
pub fn check(spec: &Spec, config: &TrainConfig) -> Result<(), TrainError> {
    spec.validate()?;
    config.validate()?;
    // Without the bytes, which are there already. What is counted is an upper bound, of
    // which at least half is used.
    let needs = config.memory(spec, 0) / 2;
    match memory::machine_memory().filter(|has| needs > *has) {
        None => Ok(()),
        Some(has) => Err(TrainError::Memory {
            needs,
            has,
            batch_bytes: config.batch_bytes,
        }),
    }
}

/// The mean loss of the burn model with these weights on `data`, in bits per byte, over
/// independent sequences of the spec's context. The last sequence may be shorter.
///
/// Without an attention window this is the code length, up to the precision of the code.
/// With an attention window, coding also uses bytes across sequence boundaries and needs
/// fewer bits.
///
/// # Errors
/// If the device is not part of this build.
///
/// # Panics
/// If `data` is empty.
pub fn evaluate(weights: &Weights, device: DeviceKind, data: &[u8]) -> Result<f64, DeviceError> {
    assert!(!data.is_empty(), "nothing to evaluate");
    let parameters = Parameters::of(weights);
    let model = Transformer::new(&parameters, &device.device()?);
    let context = weights.spec().context;
    let independent = weights.spec().window.is_none();
    // Whole sequences first, in batches, then the rest.
    let whole = data.len() / context * context;
    let some = 16384usize.div_ceil(context) * context;
    let mut starts: Vec<(usize, usize)> = (0..whole)
        .step_by(some)
        .map(|start| (start, (start + some).min(whole)))
        .collect();
    if whole < data.len() {
        starts.push((whole, data.len()));
    }
    let mut nats = 0.0;
    for (start, end) in starts {
        let targets = &data[start..end];
        let length = context.min(targets.len());
        let previous = |at: usize| match at {
            0 => 0,
            at if independent && at.is_multiple_of(context) => 0,
            at => data[at - 1],
        };
        let inputs: Tokens = (start..end).map(previous).collect();
        let loss = model.loss(inputs, Tokens::from(targets), length, None, None);
        nats += gradients::scalar(loss) * targets.len() as f64;
    }
    Ok(nats / data.len() as f64 / std::f64::consts::LN_2)
}

/// The state of a run between two steps.
struct Run<'a> {
    setup: &'a TrainSetup,
    folder: &'a Path,
    batches: Batches<'a>,
    device: Device,
    identity: RunIdentity,
    parameters: Parameters,
    optimizer: Optimizer,
    quantiser: Quantiser,
    /// If there are context models beside.
    gates: Option<Gates>,
    gradient: Vec<f32>,
    position: Position,
    steps: u64,
    sequences: u64,
}

impl<'a> Run<'a> {
    /// A run at its start, or at its checkpoint.
    fn new(
        setup: &'a TrainSetup,
        data: &'a [u8],
        identity: RunIdentity,
        folder: &'a Path,
    ) -> Result<Self, TrainError> {
        let TrainSetup { spec, config, .. } = setup;
        let mut parameters = Parameters::initial(spec, setup.seed);
        let mut optimizer = Optimizer::new(config, &parameters);
        let steps = config.total_steps(spec, data.len() as u64);
        let sequences = config.batch_sequences(spec);
        let mut quantiser = Quantiser::new(
            &config.quantise,
            setup.beside.is_some(),
            &parameters,
            steps,
            data.len() as u64,
            sequences * spec.context as u64,
        );
        let mut gates = setup.beside.as_ref().map(|_| Gates::default());
        let position = checkpoint::load(
            folder,
            &identity,
            &mut parameters,
            &mut optimizer,
            &mut quantiser,
            &mut gates,
        )?;
        let independent = spec.window.is_none();
        let beside = setup.beside.as_deref();
        let (length, order) = (spec.context, config.order);
        let batches = Batches::new(data, beside, length, independent, order, setup.seed);
        Ok(Run {
            setup,
            folder,
            batches,
            device: setup.device.device()?.autodiff(),
            identity,
            gradient: vec![0.0; parameters.values.len()],
            parameters,
            optimizer,
            quantiser,
            gates,
            position: position.unwrap_or_default(),
            steps,
            sequences,
        })
    }

    fn train(&mut self, control: &Control<'_>) -> Result<Outcome, TrainError> {
        let config = &self.setup.config;
        let step_bytes = self.sequences * self.setup.spec.context as u64;
        let mut log = Log::open(self.folder, self.position.step)?;
        let mut saved = Instant::now();
        let mut logged = (Instant::now(), self.position.step);
        let mut metrics = None;
        while self.position.step < self.steps {
            if control.stop.is_set() {
                self.save()?;
                return Ok(Outcome::Interrupted {
                    step: self.position.step,
                });
            }
            let (nats, rate, norm) = self.step()?;
            let step = self.position.step;
            let bits = |nats: f64| nats / std::f64::consts::LN_2;
            control.tell(Progress {
                done: step,
                of: self.steps,
                bytes: step * step_bytes,
                bits_per_byte: Some(bits(nats)),
                ..Progress::default()
            });
            let last = step == self.steps;
            if step.is_multiple_of(config.log_steps) || last {
                let seconds = logged.0.elapsed().as_secs_f64();
                let line = Metrics {
                    step,
                    bytes: step * step_bytes,
                    loss: bits(self.position.nats / self.position.nats_steps as f64),
                    lr: rate * config.learning_rate,
                    grad_norm: norm,
                    bytes_per_second: ((step - logged.1) * step_bytes) as f64 / seconds,
                };
                log.write(&line)?;
                metrics = Some(line);
                logged = (Instant::now(), step);
                (self.position.nats, self.position.nats_steps) = (0.0, 0);
            }
            let due = (config.checkpoint_seconds > 0.0
                && saved.elapsed() >= Duration::from_secs_f64(config.checkpoint_seconds))
                || (config.checkpoint_steps > 0 && step.is_multiple_of(config.checkpoint_steps));
            if due || last {
                self.save()?;
                saved = Instant::now();
            }
        }
        let values = self.optimizer.result(&self.parameters);
        let values = self.quantiser.result(&self.parameters, values);
        let gates = self.gates.as_ref().map(|gates| *gates.values());
        let weights = self.parameters.weights(&values)?.with_gates(gates)?;
        weights.save(&self.folder.join(MODEL))?;
        checkpoint::remove(self.folder)?;
        // None if the run was killed after its last step and resumed.
        let metrics = metrics.unwrap_or(Metrics {
            step: self.steps,
            bytes: self.steps * step_bytes,
            loss: self.position.last_nats / std::f64::consts::LN_2,
            lr: 0.0,
            grad_norm: 0.0,
            bytes_per_second: 0.0,
        });
        Ok(Outcome::Finished { weights, metrics })
    }

    /// Takes one optimizer step. Returns its mean loss in nats, the learning rate as
    /// a share of its peak, and the gradient norm.
    fn step(&mut self) -> Result<(f64, f64, f64), TrainError> {
        let config = &self.setup.config;
        let parts = config.accumulation;
        let sequences = self.sequences / parts;
        self.gradient.fill(0.0);
        let mut nats = 0.0;
        let seen = self.quantiser.seen(&self.parameters);
        for part in 0..parts {
            let pass = self.position.step * parts + part;
            let mut batch = self.batches.get(pass * sequences, sequences as usize);
            batch.alone = schedule::alone(self.position.step, self.steps);
            let dropout = Dropout {
                share: config.dropout,
                seed: self.setup.seed,
                pass,
            };
            let (gates, sum) = (self.gates.as_mut(), &mut self.gradient);
            nats += gradients::accumulate(seen, &self.device, batch, gates, dropout, sum);
        }
        let nats = nats / parts as f64;
        let step = self.position.step;
        if !nats.is_finite() {
            return Err(TrainError::Diverged {
                step: step + 1,
                loss: nats,
                learning_rate: config.learning_rate,
            });
        }
        let rate = schedule::rate(config, step, self.steps);
        let scale = 1.0 / parts as f32;
        self.quantiser
            .gradient(step, &self.parameters, &mut self.gradient, scale);
        let norm = self.optimizer.step(
            config,
            &mut self.parameters,
            &self.gradient,
            scale,
            step + 1,
            rate,
        );
        if let Some(gates) = &mut self.gates {
            // A model that predicts little yet would close the gate behind it.
            let ready = 1.0 - f64::from(schedule::alone(step, self.steps));
            gates.step(step + 1, scale, rate * (ready * ready) * (ready * ready));
        }
        self.position.step += 1;
        self.quantiser.choose(step + 1, &self.parameters);
        self.position.nats += nats;
        self.position.nats_steps += 1;
        self.position.last_nats = nats;
        Ok((nats, rate, norm))
    }

    fn save(&self) -> Result<(), CheckpointError> {
        checkpoint::save(
            self.folder,
            &self.identity,
            self.position,
            &self.parameters,
            &self.optimizer,
            &self.quantiser,
            self.gates.as_ref(),
        )
    }
}
