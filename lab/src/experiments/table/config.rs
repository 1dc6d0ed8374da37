//! The config of `brevity table`: byte sets, coders, models.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::config::ModelConfig;
use brevity_data::{HoldoutConfig, Source};
use brevity_pretrained::Form;
use brevity_train::TrainConfig;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::{MatrixError, paper};
use brevity_baselines::Coder;

/// A table: byte sets are columns, coders and models are rows.
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
    /// Chunk length in bytes; chunked coders compress each chunk independently.
    #[serde(default = "papers_chunk")]
    pub chunk: usize,
    /// Prefix lengths in bytes, ascending and up to `chunk`: for each, the in-context
    /// curve gives the rate on that prefix of every chunk. Default none.
    #[serde(default)]
    pub lengths: Vec<usize>,
    /// The byte sets.
    #[serde(rename = "set")]
    pub sets: Vec<SetConfig>,
    /// The classical coders.
    #[serde(default)]
    pub coders: CodersConfig,
    /// The models.
    #[serde(default, rename = "model")]
    pub models: Vec<ModelRow>,
    /// The pretrained models.
    #[serde(default)]
    pub pretrained: Vec<PretrainedRow>,
    /// The models of other programs.
    #[serde(default, rename = "predictor")]
    pub predictors: Vec<PredictorRow>,
}

const fn papers_chunk() -> usize {
    2048
}

/// A byte set: training data of models, and a column unless `column = false`. If it has
/// held-out bytes, those are measured.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetConfig {
    /// Its name in the table.
    pub name: String,
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
    /// The same field as in `[data]`.
    pub holdout: Option<HoldoutConfig>,
    /// Whether it is measured, besides being training data.
    #[serde(default = "yes")]
    pub column: bool,
    /// Skip it with a note if its source is missing.
    #[serde(default)]
    pub optional: bool,
    /// The column of the paper's Table 1 that has the same bytes.
    pub paper: Option<String>,
}

const fn yes() -> bool {
    true
}

/// Most bytes of a chunk: what is longer is a whole set.
const MOST_CHUNK: usize = 1 << 30;

/// Names of coders, as in `brevity baselines`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CodersConfig {
    /// Coders of whole sets; pictures and sounds of imported sets are compressed one by
    /// one.
    #[serde(deserialize_with = "some_names")]
    pub whole: Vec<String>,
    /// Coders of single chunks.
    #[serde(deserialize_with = "some_names")]
    pub chunks: Vec<String>,
    /// Whether our context models, at their best level, are measured as well, on whole
    /// sets and on chunks.
    pub contexts: bool,
}

/// A list that names a coder.
fn some_names<'de, D: Deserializer<'de>>(list: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::deserialize(list)?;
    match names.is_empty() {
        true => Err(D::Error::custom("list at least one coder, or leave it out")),
        false => Ok(names),
    }
}

/// A model, trained once for each entry of `learns`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRow {
    /// Its name in the table.
    pub name: String,
    /// The training sets, one row each. `a+b` is a mixture of k sets. From each it takes
    /// 1/k of the length of the shortest set, so that the mixture is not longer than a
    /// single set.
    pub learns: Vec<String>,
    /// The same table as `[model]` of an experiment.
    pub spec: ModelConfig,
    /// The same table as `[train]` of an experiment.
    #[serde(default)]
    pub train: TrainConfig,
    /// The same field as `seed` of an experiment.
    #[serde(default)]
    pub seed: u64,
    /// The row of the paper's Table 1 with the same model.
    pub paper: Option<String>,
}

/// A pretrained language model, which codes each chunk on its own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainedRow {
    /// Its name in the table.
    pub name: String,
    /// A GGUF file or a Hugging Face folder.
    pub path: PathBuf,
    /// How bytes become its text, one row each.
    #[serde(default = "text", rename = "as")]
    pub forms: Vec<Form>,
    /// Names of the sets that it is measured on; by default all columns.
    pub sets: Option<Vec<String>>,
    /// Skip it with a note if it is missing.
    #[serde(default)]
    pub optional: bool,
    /// The row of the paper's Table 1 with the same model.
    pub paper: Option<String>,
}

impl PretrainedRow {
    /// The name of its row for a form.
    #[must_use]
    pub fn shown(&self, form: Form) -> String {
        match self.forms.len() {
            1 => self.name.clone(),
            _ => format!("{} as {form}", self.name),
        }
    }

    /// Whether it is measured on a set.
    #[must_use]
    pub fn measures(&self, set: &SetConfig) -> bool {
        let sets = self.sets.as_ref();
        sets.is_none_or(|sets| sets.contains(&set.name))
    }
}

/// A program that speaks the protocol of docs/predictors.md, which codes each chunk on its
/// own. Its lengths are estimates.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictorRow {
    /// Its name in the table.
    pub name: String,
    /// The command, for the shell.
    pub command: String,
    /// Parameters of its model.
    pub parameters: u64,
    /// Bytes of its model as stored, such as `brevity price` counts them.
    pub model_bytes: Option<u64>,
}

fn text() -> Vec<Form> {
    vec![Form::Text]
}

impl Config {
    /// Reads and checks a config.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, TOML that does not parse, an unknown key, a missing
    /// or duplicate name, an invalid model.
    pub fn read(path: &Path) -> Result<Config, MatrixError> {
        let text = std::fs::read_to_string(path).map_err(|source| MatrixError::File {
            action: "read",
            path: path.into(),
            source,
        })?;
        Config::parse(path, &text)
    }

    /// Like [`Config::read`], but from text; errors name `path`.
    ///
    /// # Errors
    ///
    /// Those of [`Config::read`].
    pub fn parse(path: &Path, text: &str) -> Result<Config, MatrixError> {
        let mut config: Config = toml::from_str(text).map_err(|source| MatrixError::Toml {
            path: path.into(),
            source: source.into(),
        })?;
        config
            .check()
            .map_err(|(key, message)| MatrixError::Config {
                path: path.into(),
                key,
                message,
            })?;
        let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned());
        config.name = config.name.or(stem);
        Ok(config)
    }

    /// The results folder, under `runs`.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        Path::new("runs").join(self.name())
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("table")
    }

    fn check(&self) -> Result<(), (String, String)> {
        let fault = |key: String, message: String| Err((key, message));
        if let Some(name) = &self.name {
            let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if name.is_empty() || name.starts_with('.') || !name.chars().all(fine) {
                return fault(
                    "name".into(),
                    format!("`{name}` is not a valid folder name"),
                );
            }
        }
        if self.chunk == 0 {
            return fault("chunk".into(), "0 bytes; the paper uses 2048".into());
        }
        if self.chunk > MOST_CHUNK {
            let message = format!(
                "{} bytes, more than {MOST_CHUNK}; `coders.whole` measures whole sets",
                self.chunk
            );
            return fault("chunk".into(), message);
        }
        let ascending = self.lengths.windows(2).all(|pair| pair[0] < pair[1]);
        let fine = |&length: &usize| (1..=self.chunk).contains(&length);
        // A curve of one length would be a point.
        if self.lengths.len() == 1 || !ascending || !self.lengths.iter().all(fine) {
            let message = format!(
                "give several ascending lengths from 1 to the chunk of {}",
                self.chunk
            );
            return fault("lengths".into(), message);
        }
        if !self.sets.iter().any(|set| set.column) {
            return fault(
                "set".into(),
                "at least one set without `column = false` is needed".into(),
            );
        }
        for (i, set) in self.sets.iter().enumerate() {
            if set.name.is_empty() || set.name.contains('+') {
                let message = format!("`{}` is empty or has a `+` in it", set.name);
                return fault(format!("set.{i}.name"), message);
            }
            if self.sets[..i].iter().any(|other| other.name == set.name) {
                return fault(
                    format!("set.{i}.name"),
                    format!("`{}` is defined twice", set.name),
                );
            }
        }
        self.check_paper()?;
        for (list, names) in [
            ("whole", &self.coders.whole),
            ("chunks", &self.coders.chunks),
        ] {
            for name in names {
                Coder::from_name(name).map_err(|e| (format!("coders.{list}"), e.to_string()))?;
            }
        }
        let mut shown = BTreeSet::new();
        for (i, model) in self.pretrained.iter().enumerate() {
            if model.forms.is_empty() {
                let key = format!("pretrained.{i}.as");
                return fault(key, "list at least one form".into());
            }
            for &form in &model.forms {
                if !shown.insert(model.shown(form)) {
                    let key = format!("pretrained.{i}.name");
                    return fault(
                        key,
                        format!("two rows are shown as `{}`", model.shown(form)),
                    );
                }
            }
            if model.sets.as_ref().is_some_and(Vec::is_empty) {
                let key = format!("pretrained.{i}.sets");
                return fault(key, "list at least one set, or leave it out for all".into());
            }
            for name in model.sets.iter().flatten() {
                let column = |set: &SetConfig| set.column && set.name == *name;
                if !self.sets.iter().any(column) {
                    let key = format!("pretrained.{i}.sets");
                    return fault(key, format!("no set with a column is called `{name}`"));
                }
            }
        }
        for (i, model) in self.models.iter().enumerate() {
            let key = |field: &str| format!("model.{i}.{field}");
            let spec = model.spec.resolve();
            spec.map_err(|e| (key(&format!("spec.{}", e.field)), e.reason))?;
            let train = model.train.validate();
            train.map_err(|e| (key(&format!("train.{}", e.field)), e.reason))?;
            if model.learns.is_empty() {
                return fault(key("learns"), "list at least one training set".into());
            }
            for name in model.learns.iter().flat_map(|names| names.split('+')) {
                if !self.sets.iter().any(|set| set.name == name) {
                    return fault(key("learns"), format!("no set is called `{name}`"));
                }
            }
            if self.models[..i]
                .iter()
                .any(|other| other.name == model.name)
            {
                return fault(key("name"), format!("`{}` is defined twice", model.name));
            }
        }
        Ok(())
    }

    /// Names of the paper must be there.
    fn check_paper(&self) -> Result<(), (String, String)> {
        let sets = self.sets.iter().map(|set| &set.paper).enumerate();
        let pretrained = self.pretrained.iter().map(|row| &row.paper).enumerate();
        let models = self.models.iter().map(|row| &row.paper).enumerate();
        let columns = sets.map(|(i, name)| ("set", i, name, paper::sets()));
        let rows = (pretrained.map(|(i, name)| ("pretrained", i, name)))
            .chain(models.map(|(i, name)| ("model", i, name)))
            .map(|(kind, i, name)| (kind, i, name, paper::models()));
        for (kind, i, name, known) in columns.chain(rows) {
            let Some(name) = name else { continue };
            if !known.contains(&name.as_str()) {
                let message = format!(
                    "the paper's table has no `{name}`; it has {}",
                    known.join(", ")
                );
                return Err((format!("{kind}.{i}.paper"), message));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_of_the_repository_are_valid() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/paper");
        for (name, rows) in [("table1", 3), ("cross", 2), ("in-context", 2)] {
            let config = Config::read(&folder.join(name).with_extension("toml")).unwrap();
            assert_eq!((config.name(), config.models.len()), (name, rows));
        }
        let llm = Config::read(&folder.join("table1-llm.toml")).unwrap();
        assert_eq!(llm.pretrained.len(), 4);
        let table1 = Config::read(&folder.join("table1.toml")).unwrap();
        let parameters = |row: &ModelRow| row.spec.resolve().unwrap().parameters();
        let counts: Vec<u64> = table1.models.iter().map(parameters).collect();
        assert_eq!(counts, [231_936, 856_832, 3_286_272]);
    }
}
