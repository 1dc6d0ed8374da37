//! The recipe of an online learner, which is everything that determines it, and the
//! encoding of the recipe.

use crate::TrainConfig;
use crate::recipe::{OptimizerKind, TrainConfigError};
use brevity_model::{DecodeError, Spec, SpecError, varint};
use serde::{Deserialize, Serialize};

/// Hyperparameters of online learning. Every field has a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OnlineConfig {
    /// Limit on the number of lanes, the parts of the data that advance in lock-step; a
    /// power of two. Default 16.
    pub lanes: u32,
    /// Bytes of each lane that are priced between two updates of the model,
    /// at most the context. Default 64.
    pub window: u32,
    /// Optimizer steps per window on sequences drawn from all bytes so far, besides
    /// the one on the newest bytes. Default 7.
    pub replay: u32,
    /// Batch size of a replay step in bytes, rounded down to whole sequences (at least
    /// one). Default 4096.
    pub batch_bytes: u32,
    /// Steps of learning-rate warm-up. Default 10.
    pub warmup: u32,
    /// Steps after which the learning rate falls with the inverse square root of the
    /// step; 0 means never. Default 0.
    pub hold: u32,
    /// The uniform distribution is mixed in with weight `2^-floor`; no byte
    /// costs more than `floor + 8` bits. 0 turns this off. Default 12.
    pub floor: u32,
}

impl Default for OnlineConfig {
    fn default() -> OnlineConfig {
        OnlineConfig {
            lanes: 16,
            window: 64,
            replay: 7,
            batch_bytes: 4096,
            warmup: 10,
            hold: 0,
            floor: 12,
        }
    }
}

impl OnlineConfig {
    /// Checks every field, against the model where necessary. The
    /// bounds also limit the memory and time that a recipe from a stranger can
    /// demand.
    ///
    /// # Errors
    /// The first invalid field, and why.
    pub fn validate(&self, spec: &Spec) -> Result<(), (&'static str, String)> {
        if !self.lanes.is_power_of_two() || self.lanes > 1 << 12 {
            let reason = format!("{} is not a power of two up to 4096", self.lanes);
            return Err(("lanes", reason));
        }
        if self.window == 0 || self.window as usize > spec.context {
            let (window, context) = (self.window, spec.context);
            let reason = format!("{window} is not between 1 and the context {context}");
            return Err(("window", reason));
        }
        for (field, value, most) in [
            ("replay", self.replay, 1 << 10),
            ("batch_bytes", self.batch_bytes, 1 << 22),
            ("floor", self.floor, 16),
        ] {
            if value > most {
                return Err((field, format!("{value} is more than {most}")));
            }
        }
        match self.batch_bytes {
            0 => Err(("batch_bytes", "0 is not at least 1".into())),
            _ => Ok(()),
        }
    }

    /// The work of learning `bytes` bytes, in training bytes: those trained on,
    /// counting repetitions, plus a third of those that pricing sees, because a
    /// forward pass is a third of a training step.
    pub fn training_bytes(&self, spec: &Spec, bytes: u64) -> f64 {
        let window = f64::from(self.window) * f64::from(self.lanes);
        let newest = f64::from(self.lanes) * spec.context as f64;
        let replay = f64::from(self.replay) * f64::from(self.batch_bytes);
        bytes as f64 / window * (newest * (4.0 / 3.0) + replay)
    }
}

/// Why a recipe is invalid.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RecipeError {
    /// The spec is invalid.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A setting of the optimizer is invalid.
    #[error(transparent)]
    Train(#[from] TrainConfigError),
    /// A field of the [`OnlineConfig`] is invalid.
    #[error("{field}: {reason}")]
    Online {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The bytes do not start with a valid spec.
    #[error("the recipe holds no model")]
    Encoding(#[from] DecodeError),
    /// The recipe was written by a newer version.
    #[error("the recipe has version {0}, this program reads version {VERSION}: update it")]
    Version(u8),
    /// The bytes end too early, continue after the end, or contain an invalid
    /// number.
    #[error("the recipe is malformed at byte {offset}: {what}")]
    Malformed {
        /// Offset from the recipe's start.
        offset: usize,
        /// The field.
        what: &'static str,
    },
}

/// Latest version of the encoding.
const VERSION: u8 = 2;

/// The version without anything beside: the same but for its number.
const ALONE: u8 = 1;

/// A complete description of a learner: what a decoder needs to repeat it.
///
/// ```
/// use brevity_model::Spec;
/// use brevity_train::TrainConfig;
/// use brevity_train::online::{OnlineConfig, Recipe};
///
/// let train = TrainConfig::default();
/// let recipe = Recipe::new(Spec::aspect(32, 256), 7, &train, OnlineConfig::default())?;
/// let bytes = recipe.to_bytes();
/// assert!(bytes.len() < 80);
/// assert_eq!(Recipe::from_bytes(&bytes)?, recipe);
/// # Ok::<(), brevity_train::online::RecipeError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    spec: Spec,
    seed: u64,
    /// The optimizer's fields, in single precision; the others have their
    /// defaults.
    train: TrainConfig,
    online: OnlineConfig,
    beside: bool,
}

impl Recipe {
    /// A recipe from these parts. Of `train` it uses the optimizer, learning
    /// rates, momenta, weight decay, gradient clipping, dropout and the moving average
    /// of the weights, rounded to single precision. Steps, batch size and
    /// learning-rate schedule come from `online`.
    ///
    /// # Errors
    /// An invalid part.
    pub fn new(
        spec: Spec,
        seed: u64,
        train: &TrainConfig,
        online: OnlineConfig,
    ) -> Result<Recipe, RecipeError> {
        let mut own = TrainConfig {
            optimizer: train.optimizer,
            ..TrainConfig::default()
        };
        let mut theirs = train.clone();
        for (to, from) in numbers(&mut own).into_iter().zip(numbers(&mut theirs)) {
            *to = f64::from(*from as f32);
        }
        own.validate()?;
        spec.validate()?;
        online
            .validate(&spec)
            .map_err(|(field, reason)| RecipeError::Online { field, reason })?;
        Ok(Recipe {
            spec,
            seed,
            train: own,
            online,
            beside: false,
        })
    }

    /// The same recipe, for a model that learns beside context models which code the same
    /// bytes: the loss is the code length of the mixture, and there is no temperature,
    /// because the mixture's gate does its work. Only archives have context models.
    #[must_use]
    pub fn beside_contexts(self) -> Recipe {
        Recipe {
            beside: true,
            ..self
        }
    }

    /// Whether the model learns beside context models.
    pub fn is_beside_contexts(&self) -> bool {
        self.beside
    }

    /// The spec of the model.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The seed of initial weights, replay and dropout.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The hyperparameters of online learning.
    pub fn online(&self) -> &OnlineConfig {
        &self.online
    }

    /// The optimizer's settings.
    pub(crate) fn train(&self) -> &TrainConfig {
        &self.train
    }

    /// The learning rate of step `step`, from 0, as a share of its peak.
    pub(super) fn rate(&self, step: u64) -> f64 {
        let OnlineConfig { warmup, hold, .. } = self.online;
        let step = (step + 1) as f64;
        let rise = (step / f64::from(warmup.max(1))).min(1.0);
        let fall = match hold {
            0 => 1.0,
            hold => (f64::from(hold) / step).min(1.0).sqrt(),
        };
        rise * fall
    }

    /// The encoding: the spec, a version (2 if the model learns beside context models,
    /// else 1), the optimizer, then its settings as
    /// 32-bit floats (little endian) and the integers as varints.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.spec.to_bytes();
        out.push(if self.beside { VERSION } else { ALONE });
        out.push(match self.train.optimizer {
            OptimizerKind::Muon => 0,
            OptimizerKind::Adamw => 1,
            OptimizerKind::Normuon => 2,
        });
        for value in numbers(&mut self.train.clone()) {
            out.extend((*value as f32).to_le_bytes());
        }
        varint::put(&mut out, self.seed);
        for value in integers(&mut self.online.clone()) {
            varint::put(&mut out, u64::from(*value));
        }
        out
    }

    /// Decodes a recipe from all of `bytes`.
    ///
    /// # Errors
    /// Bytes that are not the unique encoding of a valid recipe. Nothing of the size
    /// it describes is allocated.
    pub fn from_bytes(bytes: &[u8]) -> Result<Recipe, RecipeError> {
        let (recipe, end) = Recipe::at_start_of(bytes)?;
        if end != bytes.len() {
            return Err(RecipeError::Malformed {
                offset: end,
                what: "there are bytes after the end",
            });
        }
        Ok(recipe)
    }

    /// Decodes a recipe from the start of `bytes`; also returns where it ends. The stored
    /// weights of a model that goes on learning lie behind it.
    ///
    /// # Errors
    /// As [`Recipe::from_bytes`].
    pub fn at_start_of(bytes: &[u8]) -> Result<(Recipe, usize), RecipeError> {
        let (spec, offset) = Spec::from_bytes(bytes)?;
        let mut input = Input { bytes, offset };
        let version = input.byte("the version")?;
        if !(ALONE..=VERSION).contains(&version) {
            return Err(RecipeError::Version(version));
        }
        let mut train = TrainConfig {
            optimizer: match input.byte("the optimizer")? {
                0 => OptimizerKind::Muon,
                1 => OptimizerKind::Adamw,
                2 => OptimizerKind::Normuon,
                _ => return Err(input.malformed(1, "the optimizer")),
            },
            ..TrainConfig::default()
        };
        for value in numbers(&mut train) {
            let mut float = [0; 4];
            for byte in &mut float {
                *byte = input.byte("a setting of the optimizer")?;
            }
            *value = f64::from(f32::from_le_bytes(float));
        }
        let seed = input.varint(u64::MAX, "the seed")?;
        let mut online = OnlineConfig::default();
        for value in integers(&mut online) {
            *value = input.varint(u64::from(u32::MAX), "a setting of the learner")? as u32;
        }
        let recipe = Recipe::new(spec, seed, &train, online)?;
        let recipe = match version {
            ALONE => recipe,
            _ => recipe.beside_contexts(),
        };
        Ok((recipe, input.offset))
    }
}

/// The optimizer's settings in a recipe, in the order of the encoding.
fn numbers(train: &mut TrainConfig) -> [&mut f64; 9] {
    [
        &mut train.learning_rate,
        &mut train.rest_rate,
        &mut train.beta1,
        &mut train.beta2,
        &mut train.momentum,
        &mut train.weight_decay,
        &mut train.clip,
        &mut train.dropout,
        &mut train.ema,
    ]
}

/// The integers of a recipe, in the order of the encoding.
fn integers(online: &mut OnlineConfig) -> [&mut u32; 7] {
    [
        &mut online.lanes,
        &mut online.window,
        &mut online.replay,
        &mut online.batch_bytes,
        &mut online.warmup,
        &mut online.hold,
        &mut online.floor,
    ]
}

struct Input<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl Input<'_> {
    fn malformed(&self, back: usize, what: &'static str) -> RecipeError {
        let offset = self.offset - back;
        RecipeError::Malformed { offset, what }
    }

    fn byte(&mut self, what: &'static str) -> Result<u8, RecipeError> {
        let byte = self.bytes.get(self.offset).copied();
        let byte = byte.ok_or_else(|| self.malformed(0, what))?;
        self.offset += 1;
        Ok(byte)
    }

    fn varint(&mut self, most: u64, what: &'static str) -> Result<u64, RecipeError> {
        let start = self.offset;
        let number = varint::read(most, || self.byte(what))?;
        number.ok_or_else(|| self.malformed(self.offset - start, what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe() -> Recipe {
        let train = TrainConfig {
            optimizer: OptimizerKind::Adamw,
            learning_rate: 0.003,
            ema: 0.99,
            ..TrainConfig::default()
        };
        Recipe::new(
            Spec::aspect(16, 128),
            1 << 40,
            &train,
            OnlineConfig::default(),
        )
        .unwrap()
    }

    #[test]
    fn a_recipe_has_one_encoding() {
        let of = |optimizer| {
            let mut recipe = recipe();
            recipe.train.optimizer = optimizer;
            recipe
        };
        let kinds = [
            (OptimizerKind::Muon, 0),
            (OptimizerKind::Adamw, 1),
            (OptimizerKind::Normuon, 2),
        ];
        let spec = recipe().spec.to_bytes().len();
        for (optimizer, byte) in kinds {
            assert_eq!(of(optimizer).to_bytes()[spec..spec + 2], [ALONE, byte]);
        }
        let all = kinds.map(|(optimizer, _)| of(optimizer));
        for recipe in all.into_iter().chain([recipe().beside_contexts()]) {
            let bytes = recipe.to_bytes();
            assert_eq!(Recipe::from_bytes(&bytes).unwrap(), recipe);
            for length in 0..bytes.len() {
                assert!(Recipe::from_bytes(&bytes[..length]).is_err(), "{length}");
            }
            let long = [&bytes[..], &[0]].concat();
            let error = Recipe::from_bytes(&long).unwrap_err().to_string();
            assert!(error.contains("after the end"), "{error}");
        }
    }

    #[test]
    fn damage_never_panics_and_never_claims_much() {
        let bytes = recipe().to_bytes();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                if let Ok(other) = Recipe::from_bytes(&damaged) {
                    assert_eq!(other.to_bytes(), damaged);
                    assert!(other.online.lanes <= 4096 && other.online.replay <= 1024);
                }
            }
        }
    }

    #[test]
    fn nonsense_names_its_field() {
        let with = |change: fn(&mut OnlineConfig)| {
            let mut online = OnlineConfig::default();
            change(&mut online);
            let spec = Spec::aspect(16, 128);
            let made = Recipe::new(spec, 0, &TrainConfig::default(), online);
            made.unwrap_err().to_string()
        };
        assert!(with(|o| o.lanes = 12).starts_with("lanes: "));
        assert!(with(|o| o.window = 200).starts_with("window: "));
        assert!(with(|o| o.floor = 17).starts_with("floor: "));
        assert!(with(|o| o.batch_bytes = 0).starts_with("batch_bytes: "));
    }

    #[test]
    fn the_rate_rises_holds_and_falls() {
        let mut recipe = recipe();
        recipe.online.hold = 100;
        assert_eq!(recipe.rate(0), 0.1);
        assert_eq!(recipe.rate(50), 1.0);
        assert_eq!(recipe.rate(399), 0.5);
    }
}
