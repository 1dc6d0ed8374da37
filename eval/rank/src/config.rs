//! The config of `brevity rank`: byte sets with dates, models.

use crate::{Date, RankError};
use brevity_baselines::Coder;
use brevity_data::{DataConfig, Source};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Which models are ranked on which byte sets.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the results folder; by default the file's name.
    pub name: Option<String>,
    /// Heading of the page; by default the name.
    pub title: Option<String>,
    /// Notes for the reader.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Bytes that the context of a byte model moves on at a time: with fewer than its
    /// context, every byte but the first is predicted after `context - stride` bytes at
    /// least. By default the context: each chunk starts without a past.
    pub stride: Option<usize>,
    /// The byte sets.
    #[serde(rename = "set")]
    pub sets: Vec<SetConfig>,
    /// The models.
    #[serde(rename = "model")]
    pub models: Vec<ModelConfig>,
}

/// A byte set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetConfig {
    /// Its name.
    pub name: String,
    /// When its oldest text was written.
    pub date: Option<Date>,
    /// The same field as in `[data]`.
    pub source: Source,
    /// The same field as in `[data]`.
    pub bytes: Option<u64>,
    /// The same field as in `[data]`.
    #[serde(default)]
    pub offset: u64,
    /// The same field as in `[data]`.
    #[serde(default)]
    pub seed: u64,
    /// What ends each document, such as two line ends; without it, documents are pieces
    /// of equal length.
    pub separator: Option<String>,
    /// Bytes of such a piece.
    #[serde(default = "piece")]
    pub document: usize,
    /// Bytes of the same kind that no model has seen, as `SOURCE[,bytes=N][,offset=N]`:
    /// the detectors' false alarms are counted on them.
    pub reference: Option<String>,
}

const fn piece() -> usize {
    2048
}

/// A model: one of `path`, `predictor`, `coder`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Its name.
    pub name: String,
    /// A model of ours (a safetensors file or the folder of a trial), or a pretrained one
    /// (a GGUF file or a Hugging Face folder).
    pub path: Option<PathBuf>,
    /// A program that speaks the protocol of docs/predictors.md.
    pub predictor: Option<String>,
    /// A classical coder.
    pub coder: Option<String>,
    /// Bytes of a predictor's model.
    pub model_bytes: Option<u64>,
    /// When the newest text that it learned was written.
    pub cutoff: Option<Date>,
    /// What it was trained on, as `SOURCE[,bytes=N][,offset=N]`.
    pub trained_on: Option<String>,
}

/// What a model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A model file or folder.
    Path(&'a Path),
    /// A program.
    Predictor(&'a str),
    /// A classical coder.
    Coder(Coder),
}

impl ModelConfig {
    /// What it is; none where the config does not say exactly one.
    #[must_use]
    pub fn kind(&self) -> Option<Kind<'_>> {
        match (&self.path, &self.predictor, &self.coder) {
            (Some(path), None, None) => Some(Kind::Path(path)),
            (None, Some(command), None) => Some(Kind::Predictor(command)),
            (None, None, Some(coder)) => Some(Kind::Coder(Coder::from_name(coder).ok()?)),
            _ => None,
        }
    }
}

impl SetConfig {
    /// Where its bytes are.
    pub(crate) fn data(&self) -> DataConfig {
        DataConfig {
            bytes: self.bytes,
            offset: self.offset,
            seed: self.seed,
            ..DataConfig::from(self.source.clone())
        }
    }
}

impl Config {
    /// Reads and checks a config.
    ///
    /// # Errors
    /// A file that cannot be read, TOML that does not parse, an unknown or impossible
    /// value.
    pub fn read(path: &Path) -> Result<Config, RankError> {
        let text = std::fs::read_to_string(path).map_err(|source| RankError::Read {
            path: path.into(),
            source,
        })?;
        let mut config: Config = toml::from_str(&text).map_err(|source| RankError::Toml {
            path: path.into(),
            source: Box::new(source),
        })?;
        config.check().map_err(|(key, message)| RankError::Config {
            path: path.into(),
            key,
            message,
        })?;
        let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned());
        config.name = config.name.or(stem);
        Ok(config)
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("rank")
    }

    fn check(&self) -> Result<(), (String, String)> {
        let fault = |key: &str, message: &str| Err((key.to_owned(), message.to_owned()));
        if let Some(name) = &self.name {
            let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if name.is_empty() || name.starts_with('.') || !name.chars().all(fine) {
                return fault("name", &format!("`{name}` is not a valid folder name"));
            }
        }
        if self.stride == Some(0) {
            return fault("stride", "0 bytes: a context that does not move on");
        }
        if self.sets.is_empty() || self.models.is_empty() {
            return fault("set, model", "at least one of each is needed");
        }
        let names = |names: Vec<&str>, of: &str| {
            let twice = (1..names.len()).find(|&i| names[..i].contains(&names[i]));
            let empty = names.iter().position(|name| name.is_empty());
            match (empty, twice) {
                (Some(i), _) => fault(&format!("{of}.{i}.name"), "it is empty"),
                (_, Some(i)) => {
                    let message = format!("`{}` is defined twice", names[i]);
                    fault(&format!("{of}.{i}.name"), &message)
                }
                _ => Ok(()),
            }
        };
        names(self.sets.iter().map(|set| &set.name[..]).collect(), "set")?;
        names(self.models.iter().map(|m| &m.name[..]).collect(), "model")?;
        for (i, set) in self.sets.iter().enumerate() {
            let key = |field: &str| format!("set.{i}.{field}");
            if set.document == 0 {
                return fault(&key("document"), "documents of 0 bytes");
            }
            if set.separator.as_deref() == Some("") {
                return fault(&key("separator"), "nothing separates nothing");
            }
            source(&key("reference"), set.reference.as_deref())?;
        }
        for (i, model) in self.models.iter().enumerate() {
            let key = |field: &str| format!("model.{i}.{field}");
            if let Some(coder) = &model.coder {
                Coder::from_name(coder).map_err(|e| (key("coder"), e.to_string()))?;
            }
            if model.kind().is_none() {
                let message = "give exactly one of `path`, `predictor`, `coder`";
                return fault(&key("path"), message);
            }
            if model.model_bytes.is_some() && model.predictor.is_none() {
                let message = "only a predictor's are stated; others are counted";
                return fault(&key("model_bytes"), message);
            }
            source(&key("trained_on"), model.trained_on.as_deref())?;
        }
        Ok(())
    }
}

/// Checks the form of a source.
fn source(key: &str, text: Option<&str>) -> Result<(), (String, String)> {
    let parsed = text.map(str::parse::<DataConfig>).transpose();
    parsed
        .map(|_| ())
        .map_err(|error| (key.to_owned(), error.to_string()))
}
