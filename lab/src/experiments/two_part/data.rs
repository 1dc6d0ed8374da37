//! Baselines of a sweep's data, measured once and kept in its folder.

use std::path::Path;

use brevity_data::{DataConfig, Split};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::output::ReportError;
use brevity_baselines::{Coder, CoderResult, measure};
use brevity_draw::replace;
use brevity_length::rows;

/// The classical coders' results on one byte set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataBaselines {
    /// Where the bytes came from.
    pub source: String,
    /// How many there are.
    pub bytes: u64,
    /// BLAKE3 of them, in hexadecimal.
    pub hash: String,
    /// One entry a coder.
    pub results: Vec<CoderResult>,
}

const FILE: &str = "baselines.json";

/// What `baselines.json` of a sweep's folder holds; empty when there is none.
///
/// # Errors
///
/// When the file cannot be read or is not what it should be.
pub fn read_baselines(folder: &Path) -> Result<Vec<DataBaselines>, ReportError> {
    let path = folder.join(FILE);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(ReportError::File { path, source }),
    };
    serde_json::from_slice(&text).map_err(|source| ReportError::Json { path, source })
}

/// Runs the general-purpose coders over every byte set that a sweep scored and
/// that `baselines.json` does not have yet. The bytes are found through the
/// manifest and recognised by their hash.
///
/// Returns messages about byte sets that could not be had (a file that has
/// moved, for instance): the report is made without them.
///
/// # Errors
///
/// When results, manifest or baselines cannot be read, or a coder fails.
pub fn measure_baselines(folder: &Path) -> Result<Vec<String>, ReportError> {
    let mut known = read_baselines(folder)?;
    let mut wanted: Vec<(String, String)> = Vec::new();
    for row in rows::read(folder)?.iter().filter(|row| row.is_scored()) {
        let hash = row.scored_hash().to_owned();
        let seen = known.iter().any(|k| k.hash == hash) || wanted.iter().any(|w| w.0 == hash);
        if !seen && !hash.is_empty() {
            wanted.push((hash, row.data.source.clone()));
        }
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut messages = Vec::new();
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
                    let measured = measure(&set.bytes, None, Coder::DEFAULT)?;
                    messages.extend(
                        measured
                            .failed
                            .iter()
                            .map(|failure| format!("a baseline is missing: {}", failure.message)),
                    );
                    known.push(DataBaselines {
                        source,
                        bytes: set.len() as u64,
                        hash,
                        results: measured.results,
                    });
                }
            }
            Err(error) => messages.push(format!("no baselines: {error}")),
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

/// The distinct `[data]` tables of a sweep's trials.
fn data_configs(folder: &Path) -> Result<Vec<DataConfig>, ReportError> {
    let path = folder.join("manifest.json");
    let text = std::fs::read(&path).map_err(|source| ReportError::File {
        path: path.clone(),
        source,
    })?;
    let json = |source| ReportError::Json {
        path: path.clone(),
        source,
    };
    let manifest: Value = serde_json::from_slice(&text).map_err(json)?;
    let mut configs: Vec<DataConfig> = Vec::new();
    for trial in manifest["trials"].as_array().into_iter().flatten() {
        let config = serde_json::from_value(trial["config"]["data"].clone()).map_err(json)?;
        if !configs.contains(&config) {
            configs.push(config);
        }
    }
    Ok(configs)
}

/// The name in the manifest, or that of the folder.
pub(crate) fn sweep_name(folder: &Path) -> String {
    let manifest = std::fs::read(folder.join("manifest.json")).ok();
    let named = manifest
        .and_then(|text| serde_json::from_slice::<Value>(&text).ok())
        .and_then(|value| Some(value["name"].as_str()?.to_owned()));
    named.unwrap_or_else(|| {
        let last = folder.file_name().map(|name| name.to_string_lossy());
        last.map_or_else(|| "sweep".into(), |name| name.into_owned())
    })
}
