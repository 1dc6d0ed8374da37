//! Classical coders on a sweep's data, measured once and kept in its folder.

use std::path::Path;

use brevity_data::{DataConfig, Split};
use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::beside::Beside;
use crate::report_error::ReportError;
use brevity_baselines::{Coder, CoderResult, measure};
use brevity_draw::replace;
use brevity_task::chain;

/// The classical coders' results on one byte set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataBaselines {
    /// Source of the bytes.
    pub source: String,
    /// Number of bytes.
    pub bytes: u64,
    /// BLAKE3 of the bytes in hexadecimal.
    pub hash: String,
    /// One entry per coder.
    pub results: Vec<CoderResult>,
    /// Context models alone and, after them, the shortest mixture of them with a stored
    /// model of the sweep.
    #[serde(default)]
    pub beside: Vec<CoderResult>,
    /// The trials whose models were there to be mixed in; none before that was measured.
    #[serde(default)]
    pub trials: Option<Vec<String>>,
}

impl DataBaselines {
    /// The classical coders, then the context models.
    pub fn all(&self) -> impl Iterator<Item = &CoderResult> {
        self.results.iter().chain(&self.beside)
    }
}

const FILE: &str = "baselines.json";

/// Reads `baselines.json` of a sweep's folder; empty if there is none.
///
/// # Errors
///
/// If the file cannot be read, or has invalid content ([`ReportError::Baselines`]), such as a
/// rate that is not that of its lengths.
pub fn read_baselines(folder: &Path) -> Result<Vec<DataBaselines>, ReportError> {
    let path = folder.join(FILE);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(ReportError::File { path, source }),
    };
    let known = serde_json::from_slice(&text).and_then(|known: Vec<DataBaselines>| {
        known.iter().enumerate().try_for_each(agree)?;
        Ok(known)
    });
    known.map_err(|source| ReportError::Baselines { path, source })
}

/// Whether rates are those of their lengths, up to how numbers are rounded in text.
///
/// # Errors
///
/// The field that is not.
fn agree((set, known): (usize, &DataBaselines)) -> Result<(), serde_json::Error> {
    let lists = [("results", &known.results), ("beside", &known.beside)];
    for (list, results) in lists {
        for (number, result) in results.iter().enumerate() {
            for (field, rate, stored) in [
                ("rate", result.rate, result.bytes),
                ("paper_rate", result.paper_rate, result.paper_bytes),
            ] {
                let expected = stored as f64 / known.bytes as f64;
                if (rate - expected).abs() <= 1e-9 * expected {
                    continue;
                }
                return Err(serde_json::Error::custom(format!(
                    "[{set}].{list}[{number}].{field} is {rate}, but {stored} of {} bytes are \
                     {expected}",
                    known.bytes
                )));
            }
        }
    }
    Ok(())
}

/// Runs the general-purpose coders and context models on every byte set that a sweep
/// scored and that `baselines.json` lacks. The bytes are found through the manifest and
/// verified by their hash.
///
/// Returns messages about byte sets that could not be read (a file that has moved, for
/// instance) and about coders that failed; the report is made without them. A
/// `baselines.json` of invalid content is told, and measured again.
///
/// # Errors
///
/// If results, manifest or baselines cannot be read, or there is no byte.
pub fn measure_baselines(folder: &Path) -> Result<Vec<String>, ReportError> {
    let mut messages = Vec::new();
    let mut known = match read_baselines(folder) {
        Err(error @ ReportError::Baselines { .. }) => {
            messages.push(format!("{}; it is measured again", chain(&error)));
            Vec::new()
        }
        known => known?,
    };
    let rows = brevity_length::read(folder)?;
    let mut wanted: Vec<(String, String)> = Vec::new();
    for row in rows.iter().filter(|row| row.is_scored()) {
        let hash = row.scored_hash().to_owned();
        let ours = Beside {
            folder,
            rows: &rows,
            bytes: &[],
            hash: &hash,
        };
        let measured =
            |k: &DataBaselines| k.hash == hash && ours.is_measured(&k.beside, k.trials.as_deref());
        let seen = known.iter().any(measured) || wanted.iter().any(|w| w.0 == hash);
        if !seen && !hash.is_empty() {
            wanted.push((hash, row.data.source.clone()));
        }
    }
    if wanted.is_empty() {
        return Ok(messages);
    }
    for config in data_configs(folder)? {
        if wanted.is_empty() {
            break;
        }
        match config.load() {
            Ok(Split {
                train,
                holdout,
                leak,
            }) => {
                for set in std::iter::once(&train).chain(&holdout).chain(&leak) {
                    let Some(at) = wanted.iter().position(|w| w.0 == set.blake3()) else {
                        continue;
                    };
                    let (hash, source) = wanted.swap_remove(at);
                    let at = known.iter().position(|k| k.hash == hash);
                    let classical = || match at {
                        Some(at) => Ok((known[at].results.clone(), Vec::new())),
                        None => measure(&set.bytes, None, Coder::DEFAULT)
                            .map(|measured| (measured.results, measured.failed)),
                    };
                    let ours = Beside {
                        folder,
                        rows: &rows,
                        bytes: &set.bytes,
                        hash: &hash,
                    };
                    let (classical, (found, missing)) = rayon::join(classical, || ours.measure());
                    let (results, failed) = classical?;
                    let failed = failed.into_iter().map(|failure| failure.message);
                    let missing = failed.chain(missing);
                    messages.extend(missing.map(|m| format!("a baseline is missing: {m}")));
                    let measured = DataBaselines {
                        source,
                        bytes: set.len() as u64,
                        results,
                        beside: found,
                        trials: Some(ours.trials()),
                        hash: hash.clone(),
                    };
                    match at {
                        Some(at) => known[at] = measured,
                        None => known.push(measured),
                    }
                }
            }
            Err(error) => messages.push(format!("no baselines: {}", chain(&error))),
        }
    }
    for (hash, source) in wanted {
        messages.push(format!(
            "no baselines for {source}: the bytes with hash {} are no longer there",
            &hash[..hash.len().min(12)]
        ));
    }
    let path = folder.join(FILE);
    let json = serde_json::to_vec_pretty(&known).map_err(|source| ReportError::Json {
        path: path.clone(),
        source,
    })?;
    replace(&path, &json)?;
    Ok(messages)
}

/// The part of a manifest that reports need; another version may have written it.
#[derive(Deserialize)]
struct Sources {
    name: Option<String>,
    trials: Vec<TrialSource>,
}

#[derive(Deserialize)]
struct TrialSource {
    config: ConfigSource,
}

#[derive(Deserialize)]
struct ConfigSource {
    data: DataConfig,
}

impl Sources {
    fn read(folder: &Path) -> Result<Sources, ReportError> {
        let path = folder.join("manifest.json");
        let text = std::fs::read(&path).map_err(|source| ReportError::File {
            path: path.clone(),
            source,
        })?;
        serde_json::from_slice(&text).map_err(|source| ReportError::Json { path, source })
    }
}

/// The distinct `[data]` tables of a sweep's trials.
fn data_configs(folder: &Path) -> Result<Vec<DataConfig>, ReportError> {
    let mut configs: Vec<DataConfig> = Vec::new();
    for trial in Sources::read(folder)?.trials {
        if !configs.contains(&trial.config.data) {
            configs.push(trial.config.data);
        }
    }
    Ok(configs)
}

/// The sweep's name in the manifest or, without one, the name of the folder.
pub(crate) fn sweep_name(folder: &Path) -> String {
    let named = Sources::read(folder)
        .ok()
        .and_then(|manifest| manifest.name);
    named.unwrap_or_else(|| {
        let last = folder.file_name().map(|name| name.to_string_lossy());
        last.map_or_else(|| "sweep".into(), |name| name.into_owned())
    })
}
