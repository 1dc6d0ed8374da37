//! The frozen list of a sweep's trials.

use super::error::SweepError;
use super::frozen::absolute;
use super::kind::Kind;
use crate::config::{ConfigError, Experiment, TrialConfig};
use crate::experiments::prequential::config::Mode;
use brevity_data::{DataConfig, DataError, Plan, Split};
use brevity_length::{Axes, AxisValue, Check, Regime};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Version of the manifest and of the trial folders; part of the trials' ids. Ids of
/// version 1 depended on the names of sources too; its folders are still continued.
pub const FORMAT: u32 = 2;

/// Length and hash of the data of a trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataIdentity {
    /// The source as the config gives it.
    pub source: String,
    /// Number of training bytes.
    pub bytes: u64,
    /// BLAKE3 of the training bytes in hexadecimal; none if the data have not been read,
    /// which only a dry run accepts.
    pub hash: Option<String>,
    /// Number of held-out bytes.
    pub holdout_bytes: u64,
    /// BLAKE3 of the held-out bytes, if there are any.
    pub holdout_hash: Option<String>,
    /// BLAKE3 of the leaked test, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leak_hash: Option<String>,
}

/// One trial of a sweep.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trial {
    /// Index in the manifest, from 0.
    pub index: usize,
    /// Hash of the config, the data and the versions; names the folder.
    pub id: String,
    /// Axis values by dotted key, without the seed.
    pub axes: Axes,
    /// The seed.
    pub seed: u64,
    /// The data.
    pub data: DataIdentity,
    /// Number of model parameters.
    pub parameters: u64,
    /// Floating-point operations of the training.
    pub flops: f64,
    /// The complete config.
    pub config: TrialConfig,
    /// For a trial of `sweep.checks`: how it differs from the trial it checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
}

/// The frozen list of a sweep's trials: the file `manifest.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`] of the program that wrote it.
    pub format: u32,
    /// Version of that program.
    pub version: String,
    /// Name of the experiment.
    pub name: String,
    /// The trials.
    pub trials: Vec<Trial>,
}

impl From<&Split> for DataIdentity {
    fn from(split: &Split) -> DataIdentity {
        let train = &split.train.provenance;
        let holdout = split.holdout.as_ref().map(|set| &set.provenance);
        DataIdentity {
            source: train.source.clone(),
            bytes: train.bytes,
            hash: Some(train.blake3.clone()),
            holdout_bytes: holdout.map_or(0, |holdout| holdout.bytes),
            holdout_hash: holdout.map(|holdout| holdout.blake3.clone()),
            leak_hash: split.leak.as_ref().map(|leak| leak.blake3().to_owned()),
        }
    }
}

impl DataIdentity {
    /// Whether the bytes are the same, whatever their source is called.
    pub fn same_bytes(&self, other: &DataIdentity) -> bool {
        let bytes = |of: &DataIdentity| DataIdentity {
            source: String::new(),
            ..of.clone()
        };
        bytes(self) == bytes(other)
    }

    /// The identity of data that have not been read, as far as their lengths tell. A
    /// length that is not known is 0.
    pub fn planned(config: &DataConfig, plan: &Plan) -> DataIdentity {
        DataIdentity {
            source: config.source.to_string(),
            bytes: plan.train.unwrap_or(0),
            hash: None,
            holdout_bytes: plan.holdout,
            holdout_hash: None,
            leak_hash: None,
        }
    }
}

impl Manifest {
    /// Expands an experiment. `identify` reads the bytes of a `[data]` table and is
    /// called once for each distinct table. Paths in the trials' configs are absolute,
    /// so that the trials can run from any working directory.
    ///
    /// # Errors
    /// Data that cannot be read, are shorter than the sequence length, or lack the
    /// held-out part to be scored; a sweep with two equal trials.
    pub fn expand(
        experiment: &Experiment,
        mut identify: impl FnMut(&DataConfig) -> Result<DataIdentity, DataError>,
    ) -> Result<Manifest, ConfigError> {
        let version = env!("CARGO_PKG_VERSION").to_string();
        let mut known: BTreeMap<String, DataIdentity> = BTreeMap::new();
        let mut trials: Vec<Trial> = Vec::with_capacity(experiment.trials.len());
        let mut places: HashMap<String, usize> = HashMap::new();
        for (index, plan) in experiment.trials.iter().enumerate() {
            let mut config = plan.config.clone();
            config.data = absolute(&config.data);
            let key = canonical(&value(&config.data));
            let data = match known.get(&key) {
                Some(data) => data.clone(),
                None => {
                    let mut data = identify(&config.data)
                        .map_err(|error| data_error(experiment, index, &error))?;
                    // The name in results is the one in the config.
                    data.source = plan.config.data.source.to_string();
                    known.entry(key).or_insert(data).clone()
                }
            };
            check_data(experiment, index, &config, &data)?;
            let id = trial_id(&config, &data, &version);
            if let Some(&twin) = places.get(&id) {
                if plan.check.is_some() {
                    // The sweep has this trial already.
                    continue;
                }
                let twin: &Trial = &trials[twin];
                let mut message = format!("trials {} and {index} are the same", twin.index);
                if twin.data.source != data.source {
                    message += &format!(
                        ": `{}` and `{}` hold the same bytes",
                        twin.data.source, data.source
                    );
                }
                return Err(experiment.error(index, "sweep", message));
            }
            places.insert(id.clone(), trials.len());
            let axes = plan.axes.iter().map(|(key, v)| (key.clone(), axis(v)));
            let check = plan.check.as_ref().map(|check| Check {
                of: trials[check.of].id.clone(),
                key: check.key.into(),
                from: check.from,
                to: check.to,
            });
            trials.push(Trial {
                index: trials.len(),
                id,
                axes: axes.collect(),
                seed: config.seed,
                parameters: config.model.parameters(),
                flops: config.model.flops_per_byte() * training_bytes(&config, data.bytes),
                data,
                config,
                check,
            });
        }
        Ok(Manifest {
            format: FORMAT,
            version,
            name: experiment.name.clone(),
            trials,
        })
    }

    /// What is wrong with a manifest that was read: places that do not count the trials,
    /// ids that name no folder.
    pub(super) fn fault(&self) -> Option<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let wrong = |(place, trial): &(usize, &Trial)| {
            trial.index != *place || trial.id.is_empty() || !trial.id.chars().all(plain)
        };
        let (place, trial) = self.trials.iter().enumerate().find(wrong)?;
        Some(format!(
            "trial {place} has the index {} and the id `{}`",
            trial.index, trial.id
        ))
    }

    /// What its trials are, read off them: only `[contamination]` names the part of
    /// the experiment that a trial belongs to.
    pub fn kind(&self) -> Kind {
        let mut trials = self.trials.iter();
        if trials.clone().any(|trial| trial.axes.get("part").is_some()) {
            return Kind::Contamination;
        }
        match trials.all(|trial| trial.config.prequential.is_some()) {
            true => Kind::Prequential,
            false => Kind::TwoPart,
        }
    }

    /// The same trials with the ids that `frozen`, of an earlier [`FORMAT`], gave them.
    pub(super) fn with_ids_of(&self, frozen: &Manifest) -> Manifest {
        let mut manifest = Manifest {
            format: frozen.format,
            ..self.clone()
        };
        for (trial, old) in manifest.trials.iter_mut().zip(&frozen.trials) {
            trial.id.clone_from(&old.id);
            trial.check.clone_from(&old.check);
        }
        manifest
    }

    /// Whether a trial of this manifest and one of another are the same.
    fn same(&self, mine: &Trial, other: &Manifest, theirs: &Trial) -> bool {
        let id = |manifest: &Manifest, trial: &Trial| match manifest.format {
            FORMAT => trial.id.clone(),
            _ => trial_id(&trial.config, &trial.data, &manifest.version),
        };
        mine.id == theirs.id || id(self, mine) == id(other, theirs)
    }

    /// The keys in which another manifest differs, as `key: this -> other`. Empty if
    /// both have the same trials.
    pub fn differences(&self, other: &Manifest) -> Vec<String> {
        let mut out = Vec::new();
        let mut differ = |key: &str, old: &str, new: &str| {
            if old != new {
                out.push(format!("{key}: {old} -> {new}"));
            }
        };
        differ("version of brevity", &self.version, &other.version);
        let counts = [self.trials.len(), other.trials.len()].map(|n| n.to_string());
        differ("number of trials", &counts[0], &counts[1]);
        for (old, new) in self.trials.iter().zip(&other.trials) {
            if self.same(old, other, new) {
                continue;
            }
            let [old_keys, new_keys] = [old, new].map(flat_trial);
            let keys: std::collections::BTreeSet<_> =
                old_keys.keys().chain(new_keys.keys()).collect();
            let absent = "(absent)".to_string();
            for key in keys {
                let old_value = old_keys.get(key).unwrap_or(&absent);
                let new_value = new_keys.get(key).unwrap_or(&absent);
                if old_value != new_value {
                    out.push(format!(
                        "{key}: {old_value} -> {new_value} (trial {})",
                        old.index
                    ));
                }
            }
        }
        summarise(out)
    }

    /// Refuses a sweep whose folder was made by another config.
    pub(super) fn refuse_drift(
        &self,
        path: &std::path::Path,
        now: &Manifest,
    ) -> Result<(), SweepError> {
        let differences = self.differences(now);
        if differences.is_empty() {
            return Ok(());
        }
        Err(SweepError::Drift {
            path: path.to_path_buf(),
            differences,
        })
    }
}

/// At most a dozen differences; a changed key may differ in every trial.
fn summarise(mut differences: Vec<String>) -> Vec<String> {
    let key = |line: &str| line.split(':').next().unwrap_or_default().to_string();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    differences.retain(|line| {
        let count = seen.entry(key(line)).or_default();
        *count += 1;
        *count == 1
    });
    for line in &mut differences {
        match seen[&key(line)] {
            1 => {}
            n => line.push_str(&format!(" and {} more", n - 1)),
        }
    }
    differences
}

fn data_error(experiment: &Experiment, index: usize, error: &DataError) -> ConfigError {
    let key = match error {
        DataError::TooShort { field, .. } | DataError::Config { field, .. } => field,
        _ => "data.source",
    };
    let message = brevity_task::chain(error).to_string();
    let prefix = format!("{key}: ");
    experiment.error(
        index,
        key,
        message.strip_prefix(&prefix).unwrap_or(&message),
    )
}

fn check_data(
    experiment: &Experiment,
    index: usize,
    config: &TrialConfig,
    data: &DataIdentity,
) -> Result<(), ConfigError> {
    let context = config.model.context as u64;
    let known = data.hash.is_some() || data.bytes > 0;
    if known && data.bytes < context {
        let message = format!(
            "the context is {context} bytes, but {} has only {} to train on",
            data.source, data.bytes
        );
        return Err(experiment
            .error(index, "model.context", message)
            .with_help("use a shorter context or more data"));
    }
    let held_out = config.score.regimes.contains(&Regime::HeldOut);
    if held_out && config.prequential.is_none() && data.holdout_bytes == 0 {
        let message = "`held-out` needs held-out bytes, and [data] has none";
        return Err(experiment.error(index, "score.regimes", message));
    }
    let overlap = config.score.regimes.contains(&Regime::Overlap);
    if overlap && config.data.leak.is_none() {
        let message = "`overlap` needs a leaked test, and there is no [data.leak]";
        return Err(experiment.error(index, "score.regimes", message));
    }
    Ok(())
}

/// Bytes that the training of a trial processes.
fn training_bytes(config: &TrialConfig, data_bytes: u64) -> f64 {
    match &config.prequential {
        Some(table) if table.mode == Mode::Online => {
            let described = config
                .data
                .leak
                .as_ref()
                .map_or(data_bytes, |leak| leak.bytes);
            table.online.training_bytes(&config.model, described)
        }
        // With doubling blocks, the models together train on as many bytes as the data
        // have; the last half is only priced.
        _ => config.train.total_bytes(&config.model, data_bytes) as f64,
    }
}

/// Twelve hexadecimal digits of the hash of everything that determines the result: of
/// the data what they hold, not where they lie.
fn trial_id(config: &TrialConfig, data: &DataIdentity, version: &str) -> String {
    let mut data_config = value(&config.data);
    let mut data = value(data);
    // Bytes that are not here yet are known by name only.
    if !data["hash"].is_null() {
        remove(&mut data, "source");
        remove(&mut data_config, "source");
        if let Some(holdout) = data_config.get_mut("holdout") {
            remove(holdout, "source");
        }
    }
    // The name determines where results go, not what they are.
    let mut all = serde_json::json!({
        "format": FORMAT,
        "version": version,
        "seed": config.seed,
        "model": config.model,
        "train": config.train.identity(),
        "data_config": data_config,
        "score": config.score,
        "data": data,
    });
    if let Some(prequential) = &config.prequential {
        all["prequential"] = value(prequential);
    }
    let hash = blake3::hash(canonical(&all).as_bytes()).to_hex();
    hash[..12].to_string()
}

/// Removes a key of an object, if it is one.
fn remove(value: &mut Value, key: &str) {
    if let Value::Object(map) = value {
        map.remove(key);
    }
}

fn value(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("configs have string keys and finite numbers")
}

fn axis(value: &impl Serialize) -> AxisValue {
    serde_json::from_value(self::value(value)).expect("a value of a config is no null")
}

/// JSON with sorted keys and no spaces: equal values give equal text.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<_, _> = map.iter().collect();
            let cells = sorted
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value)));
            format!("{{{}}}", cells.collect::<Vec<_>>().join(","))
        }
        Value::Array(values) => {
            let cells: Vec<_> = values.iter().map(canonical).collect();
            format!("[{}]", cells.join(","))
        }
        leaf => leaf.to_string(),
    }
}

/// The config and data of a trial, flattened to dotted keys.
fn flat_trial(trial: &Trial) -> BTreeMap<String, String> {
    fn walk(prefix: &str, value: &Value, out: &mut BTreeMap<String, String>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let name = if prefix.is_empty() {
                        key.clone()
                    } else {
                        format!("{prefix}.{key}")
                    };
                    walk(&name, value, out);
                }
            }
            leaf => {
                out.insert(prefix.to_string(), leaf.to_string());
            }
        }
    }
    let mut out = BTreeMap::new();
    walk("", &value(&trial.config), &mut out);
    walk("bytes of the data", &value(&trial.data), &mut out);
    out
}
