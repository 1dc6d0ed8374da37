//! The training hyperparameters: the `[train]` table of an experiment.

use brevity_model::Spec;
use serde::{Deserialize, Serialize};

/// The optimizer of the matrices of the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// Orthogonalised momentum for the matrices of the blocks, AdamW for the
    /// rest (Jordan et al. 2024).
    Muon,
    /// As [`OptimizerKind::Muon`], with updates normalised output by output (Li et al.
    /// 2025).
    Normuon,
    /// AdamW for everything (Loshchilov & Hutter 2019).
    Adamw,
}

/// The learning-rate schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleKind {
    /// Learning-rate warm-up, constant, then a cooldown to zero as `1 - sqrt` (Hägele
    /// et al. 2024).
    Wsd,
    /// Learning-rate warm-up, then half a cosine down to zero.
    Cosine,
}

/// The order of the training sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The data is divided into sequences, each seen once per epoch, in a different
    /// order in each epoch.
    Epochs,
    /// Sequences that start at independent random offsets.
    Random,
}

/// The `[train]` table. Every field has a default. At most one of `steps`,
/// `bytes` and `epochs` may be given; without any, `epochs` is 8.
///
/// The seed is part of the experiment. Device and threads are not, and results on
/// the CPU do not depend on them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Length of the run in optimizer steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Length of the run in training bytes, rounded up to whole steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Length of the run in epochs (passes over the data), rounded up to whole steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<f64>,
    /// Batch size in bytes, rounded down to whole sequences (at least one) and up to a
    /// multiple of `accumulation` sequences. Default 2048.
    pub batch_bytes: u64,
    /// Gradient accumulation: a step sums the gradients of this many equal parts of
    /// its batch, to save memory. Default 1.
    pub accumulation: u64,
    /// Order of the training sequences. Default `epochs`.
    pub order: Order,
    /// The optimizer. Default `normuon`.
    pub optimizer: OptimizerKind,
    /// Peak learning rate of the matrices of the blocks. With Muon the update of a
    /// square matrix has the spectral norm `2 / sqrt(layers)` times this, and with NorMuon
    /// the Frobenius norm of such an update. Default 0.02.
    pub learning_rate: f64,
    /// Peak learning rate of everything else (embedding, output, norms, gains,
    /// biases) as a multiple of `learning_rate`. Default 0.5.
    pub rest_rate: f64,
    /// Decay of AdamW's first moment. Default 0.9.
    pub beta1: f64,
    /// Decay of the second moment of AdamW and NorMuon. Default 0.95.
    pub beta2: f64,
    /// Momentum of Muon and NorMuon. Default 0.95.
    pub momentum: f64,
    /// Decoupled weight decay of all matrices; per step, times the learning rate.
    /// Default 0.1.
    pub weight_decay: f64,
    /// The learning-rate schedule. Default `wsd`.
    pub schedule: ScheduleKind,
    /// Learning-rate warm-up, as a share of the run. Default 0.05.
    pub warmup: f64,
    /// Cooldown of `wsd`, as a share of the run. Default 0.5.
    pub cooldown: f64,
    /// Gradient clipping: largest Euclidean norm of the whole gradient; 0 means no limit.
    /// Default 1.
    pub clip: f64,
    /// Dropout probability, for the embedding and for what each sublayer adds to the
    /// residual stream. Default 0.
    pub dropout: f64,
    /// Decay per step of an exponential moving average of the weights, which becomes the
    /// result; 0 means no average. Default 0.
    pub ema: f64,
    /// Steps between two lines of `metrics.jsonl`. Default 20.
    pub log_steps: u64,
    /// Seconds between two checkpoints; 0 turns this off. Default 60.
    pub checkpoint_seconds: f64,
    /// Steps between two checkpoints; 0 turns this off. Default 0.
    pub checkpoint_steps: u64,
    /// Quantisation-aware training. Default off.
    pub quantise: QuantiseConfig,
}

/// The `[train.quantise]` table, quantisation-aware training: the last part of a run
/// minimises the length of weights and data together, with the weights rounded as
/// they will be stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuantiseConfig {
    /// Share of the optimizer steps with rounded weights, at the end of the run; 0 is
    /// off. The weights settle best within the cooldown. Default 0.
    pub share: f64,
    /// Target of stored bits per parameter. By default, the quantisation steps are
    /// those that make weights and data together shortest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<f64>,
}

/// Limit on the optimizer steps of a run: 30 years at a thousand steps per second.
const MOST_STEPS: u64 = 1_000_000_000_000;
/// Limit on the bytes that a run sees.
const MOST_BYTES: u64 = 1_000_000_000_000_000;
/// Limit on the bytes of a step, because a step keeps its intermediate results in memory.
const MOST_BATCH_BYTES: u64 = 1 << 30;
/// Limit on the passes over the data.
const MOST_EPOCHS: f64 = 1e6;
/// Limit on the seconds between two checkpoints: 30 years.
const MOST_SECONDS: f64 = 1e9;

impl Default for TrainConfig {
    fn default() -> TrainConfig {
        TrainConfig {
            steps: None,
            bytes: None,
            epochs: None,
            batch_bytes: 2048,
            accumulation: 1,
            order: Order::Epochs,
            optimizer: OptimizerKind::Normuon,
            learning_rate: 0.02,
            rest_rate: 0.5,
            beta1: 0.9,
            beta2: 0.95,
            momentum: 0.95,
            weight_decay: 0.1,
            schedule: ScheduleKind::Wsd,
            warmup: 0.05,
            cooldown: 0.5,
            clip: 1.0,
            dropout: 0.0,
            ema: 0.0,
            log_steps: 20,
            checkpoint_seconds: 60.0,
            checkpoint_steps: 0,
            quantise: QuantiseConfig::default(),
        }
    }
}

/// A field of a [`TrainConfig`] is invalid.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("train.{field}: {reason}")]
pub struct TrainConfigError {
    /// The invalid field.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl TrainConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// The first invalid field.
    pub fn validate(&self) -> Result<(), TrainConfigError> {
        let err = |field, reason: String| Err(TrainConfigError { field, reason });
        let given = [
            ("steps", self.steps.is_some()),
            ("bytes", self.bytes.is_some()),
            ("epochs", self.epochs.is_some()),
        ];
        let mut given = given.iter().filter(|(_, is)| *is).map(|(name, _)| *name);
        if let (Some(first), Some(second)) = (given.next(), given.next()) {
            return err(second, format!("`{first}` is given too; keep one of them"));
        }
        for (field, value, most) in [
            ("steps", self.steps, MOST_STEPS),
            ("bytes", self.bytes, MOST_BYTES),
            ("batch_bytes", Some(self.batch_bytes), MOST_BATCH_BYTES),
            ("accumulation", Some(self.accumulation), MOST_BATCH_BYTES),
            ("log_steps", Some(self.log_steps), u64::MAX),
        ] {
            if let Some(value) = value
                && !(1..=most).contains(&value)
            {
                return err(field, format!("{value} is not between 1 and {most}"));
            }
        }
        if let Some(epochs) = self.epochs
            && !(epochs > 0.0 && epochs <= MOST_EPOCHS)
        {
            let reason = format!("{epochs} is not more than 0 and at most {MOST_EPOCHS}");
            return err("epochs", reason);
        }
        for (field, value) in [
            ("learning_rate", self.learning_rate),
            ("rest_rate", self.rest_rate),
        ] {
            if !(value > 0.0 && value.is_finite()) {
                return err(field, format!("{value} is not more than 0"));
            }
        }
        for (field, value) in [("weight_decay", self.weight_decay), ("clip", self.clip)] {
            if !(value >= 0.0 && value.is_finite()) {
                return err(field, format!("{value} is not at least 0"));
            }
        }
        if !(0.0..=MOST_SECONDS).contains(&self.checkpoint_seconds) {
            let value = self.checkpoint_seconds;
            let reason = format!("{value} is not between 0 and {MOST_SECONDS}");
            return err("checkpoint_seconds", reason);
        }
        for (field, value) in [
            ("beta1", self.beta1),
            ("beta2", self.beta2),
            ("momentum", self.momentum),
            ("dropout", self.dropout),
            ("ema", self.ema),
        ] {
            if !(0.0..1.0).contains(&value) {
                return err(field, format!("{value} is not from 0 up to 1"));
            }
        }
        for (field, value) in [("warmup", self.warmup), ("cooldown", self.cooldown)] {
            if !(0.0..=1.0).contains(&value) {
                return err(field, format!("{value} is not between 0 and 1"));
            }
        }
        if self.schedule == ScheduleKind::Wsd && self.warmup + self.cooldown > 1.0 {
            return err("cooldown", "warmup and cooldown overlap".into());
        }
        let QuantiseConfig { share, bits } = self.quantise;
        if !(0.0..1.0).contains(&share) {
            return err("quantise.share", format!("{share} is not from 0 up to 1"));
        }
        match bits {
            Some(_) if share == 0.0 => {
                let reason = "it needs `train.quantise.share` above 0, such as 0.3";
                err("quantise.bits", reason.into())
            }
            Some(bits) if !(0.5..=16.0).contains(&bits) => {
                err("quantise.bits", format!("{bits} is not between 0.5 and 16"))
            }
            _ => Ok(()),
        }
    }

    /// Sequences per batch, of `spec.context` bytes each.
    pub fn batch_sequences(&self, spec: &Spec) -> u64 {
        let sequences = (self.batch_bytes / spec.context as u64).max(1);
        sequences.div_ceil(self.accumulation) * self.accumulation
    }

    /// `epochs`, or its default.
    pub fn passes(&self) -> f64 {
        self.epochs.unwrap_or(8.0)
    }

    /// Optimizer steps of a run over `data_bytes` bytes.
    pub fn total_steps(&self, spec: &Spec, data_bytes: u64) -> u64 {
        let bytes = match (self.steps, self.bytes) {
            (Some(steps), _) => return steps,
            (_, Some(bytes)) => bytes,
            _ => (self.passes() * data_bytes as f64).ceil() as u64,
        };
        let step = self.batch_sequences(spec) * spec.context as u64;
        bytes.div_ceil(step).max(1)
    }

    /// Bytes that a run over `data_bytes` bytes trains on, counting repetitions.
    pub fn total_bytes(&self, spec: &Spec, data_bytes: u64) -> u64 {
        let sequences = self.total_steps(spec, data_bytes);
        let sequences = sequences.saturating_mul(self.batch_sequences(spec));
        sequences.saturating_mul(spec.context as u64)
    }

    /// The part of the configuration that determines the resulting weights: all
    /// but the intervals of logging and checkpoints.
    pub fn identity(&self) -> TrainConfig {
        let default = TrainConfig::default();
        TrainConfig {
            log_steps: default.log_steps,
            checkpoint_seconds: default.checkpoint_seconds,
            checkpoint_steps: default.checkpoint_steps,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_given_once() {
        let config: TrainConfig = toml::from_str("steps = 10\nepochs = 2.0").unwrap();
        let error = config.validate().unwrap_err();
        assert_eq!(
            error.to_string(),
            "train.epochs: `steps` is given too; keep one of them"
        );
    }

    #[test]
    fn epochs_become_whole_steps() {
        let spec = Spec::brevity(16, 2, 1, 64);
        let config: TrainConfig = toml::from_str("epochs = 2.0\nbatch_bytes = 200").unwrap();
        config.validate().unwrap();
        assert_eq!(config.batch_sequences(&spec), 3);
        assert_eq!(config.total_steps(&spec, 1000), 11);
        assert_eq!(config.total_bytes(&spec, 1000), 11 * 3 * 64);
    }

    #[test]
    fn numbers_at_the_edge_are_refused_by_name() {
        for (text, field) in [
            ("epochs = 1e18", "epochs"),
            ("epochs = inf", "epochs"),
            ("steps = 9_000_000_000_000_000_000", "steps"),
            ("bytes = 9_000_000_000_000_000_000", "bytes"),
            ("batch_bytes = 1_000_000_000_000_000_000", "batch_bytes"),
            ("accumulation = 9_000_000_000_000_000_000", "accumulation"),
            ("checkpoint_seconds = 1e20", "checkpoint_seconds"),
            ("checkpoint_seconds = nan", "checkpoint_seconds"),
            ("log_steps = 0", "log_steps"),
        ] {
            let config: TrainConfig = toml::from_str(text).unwrap();
            assert_eq!(config.validate().unwrap_err().field, field, "{text}");
        }
        let config: TrainConfig = toml::from_str("bytes = 1_000_000_000_000_000").unwrap();
        config.validate().unwrap();
        assert!(config.total_bytes(&Spec::aspect(16, 64), 1) >= 1_000_000_000_000_000);
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let error = toml::from_str::<TrainConfig>("learning_rat = 1").unwrap_err();
        assert!(error.to_string().contains("learning_rat"));
    }
}
