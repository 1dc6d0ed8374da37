//! The rows of results: one trial under one regime each.

use crate::fields::{Fields, Problem};
use crate::{
    Axes, Check, Convention, Description, Provenance, Regime, Score, State, TrainedOn, Training,
    legacy,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// Version of the rows written. Rows of later versions are refused.
pub const ROW_VERSION: u32 = 2;

/// The axes that set the size of the model, by dotted key.
pub const SIZE_KEYS: [&str; 4] = ["model.width", "model.layers", "model.heads", "model.hidden"];

/// One trial under one regime.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Hash of the trial's config, data and code version; `None` if the data are not
    /// available.
    pub id: Option<String>,
    /// Index in the sweep's manifest, from 0.
    pub index: usize,
    /// Name of the sweep.
    pub name: String,
    /// State of the trial.
    pub state: State,
    /// Axis values.
    pub axes: Axes,
    /// Seed of the training run.
    pub seed: Option<u64>,
    /// Number of parameters.
    pub parameters: u64,
    /// Floating-point operations of the training.
    pub flops: f64,
    /// The training data.
    pub data: TrainedOn,
    /// For a trial of `sweep.checks`, how it differs from the trial that it checks. Such
    /// rows are evidence about a ladder and not part of it.
    pub check: Option<Check>,
    /// Why the trial failed.
    pub error: Option<String>,
    /// Estimated seconds of training, in a dry run.
    pub estimated_seconds: Option<f64>,
    /// Estimated peak of memory in bytes, in a dry run.
    pub estimated_memory: Option<u64>,
    /// The description length; `None` if the trial is not scored.
    pub score: Option<Score>,
    /// The training report.
    pub training: Option<Training>,
    /// Versions, device and hashes behind the numbers.
    pub provenance: Option<Provenance>,
}

impl Row {
    /// The description length, if there is one.
    #[must_use]
    pub fn description(&self) -> Option<&Description> {
        self.score.as_ref().map(|score| &score.description)
    }

    /// The id; empty if there is none.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    /// How the scored bytes relate to the training bytes.
    #[must_use]
    pub fn regime(&self) -> Option<Regime> {
        Some(self.description()?.regime())
    }

    /// The name of the regime; empty if nothing was scored, or the file has none.
    #[must_use]
    pub fn regime_name(&self) -> &'static str {
        match self.regime() {
            None | Some(Regime::Unknown) => "",
            Some(regime) => regime.name(),
        }
    }

    /// Whether the row has a length.
    #[must_use]
    pub fn is_scored(&self) -> bool {
        self.score.is_some()
    }

    /// Whether the row has a length that can be compared with others; the trials of
    /// checks do not.
    #[must_use]
    pub fn is_candidate(&self) -> bool {
        self.is_scored() && self.check.is_none()
    }

    /// Whether the length is that of a prequential code, whose model is its recipe.
    #[must_use]
    pub fn is_prequential(&self) -> bool {
        self.regime() == Some(Regime::Prequential)
    }

    /// Whether the length is that of an archive that was decoded.
    #[must_use]
    pub fn is_decoded(&self) -> bool {
        self.description().is_some_and(Description::is_decoded)
    }

    /// The state, with a mark for lengths that are estimates.
    #[must_use]
    pub fn state_in_words(&self) -> String {
        match self.description() {
            Some(d) if d.is_decoded() => format!("{}, decoded", self.state.name()),
            Some(_) => format!("{}, estimate", self.state.name()),
            None => self.state.name().to_owned(),
        }
    }

    /// Axis values as text, without data and seed: `width 16, layers 2`.
    #[must_use]
    pub fn settings(&self) -> String {
        let varied: Vec<String> = self
            .axes
            .iter()
            .filter(|(key, _)| is_setting(key))
            .map(|(key, value)| {
                let short = key.rsplit('.').next().unwrap_or(key);
                format!("{short} {value}")
            })
            .collect();
        varied.join(", ")
    }

    /// The axis values that say which bytes were scored, as text: those of the held-out
    /// bytes, unless the training bytes themselves were scored. Rows that differ in it
    /// describe different bytes.
    #[must_use]
    pub fn test_set(&self) -> String {
        let varied: Vec<String> = self
            .axes
            .iter()
            .filter(|(key, _)| self.tells_test_set(key))
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        varied.join(" ")
    }

    pub(crate) fn tells_test_set(&self, key: &str) -> bool {
        let own = [Regime::InSample, Regime::Prequential];
        key.starts_with("data.holdout.")
            && !is_seed(key)
            && !self.regime().is_some_and(|regime| own.contains(&regime))
    }

    /// Whether the sweep varied anything besides parameters, data and seed.
    #[must_use]
    pub fn varies_more_than_size(&self) -> bool {
        let mut keys = self.axes.keys();
        keys.any(|key| is_setting(key) && !SIZE_KEYS.contains(&key))
    }

    /// Hash of the scored bytes; empty if unknown.
    #[must_use]
    pub fn scored_hash(&self) -> &str {
        let scored = self.description().map(|d| d.scored().hash.as_str());
        scored.filter(|h| !h.is_empty()).unwrap_or(&self.data.hash)
    }

    /// Number of scored bytes; of training bytes if nothing was scored.
    #[must_use]
    pub fn scored_bytes(&self) -> u64 {
        let scored = self.description().map(|d| d.scored().bytes);
        scored.unwrap_or(self.data.bytes)
    }

    /// Raw rate.
    #[must_use]
    pub fn raw(&self) -> Option<f64> {
        Some(self.description()?.raw_rate())
    }

    /// The conventions by which this row counts its model.
    #[must_use]
    pub fn conventions(&self) -> Vec<Convention> {
        let codes = self.description().map(Description::codes);
        let codes = codes.unwrap_or_default().iter();
        codes.map(|code| code.convention.clone()).collect()
    }

    /// Model bytes by a convention.
    #[must_use]
    pub fn model(&self, convention: &str) -> Option<f64> {
        Some(self.description()?.code(convention)?.model_bytes as f64)
    }

    /// The adjusted rate by a convention.
    #[must_use]
    pub fn adjusted(&self, convention: &str) -> Option<f64> {
        self.description()?.adjusted_rate(convention)
    }

    /// The adjusted rate by a convention, or by its [`mixed`](Convention::mixed) one if
    /// the row is of a mixture.
    #[must_use]
    pub fn adjusted_or_mixed(&self, convention: &Convention) -> Option<f64> {
        let mixed = || self.adjusted(convention.mixed().as_str());
        self.adjusted(convention.as_str()).or_else(mixed)
    }

    /// Coded bytes scaled to the bytes that the model is charged to, by a convention:
    /// see [`Description::charged_coded_bytes`].
    #[must_use]
    pub fn coded(&self, convention: &str) -> Option<f64> {
        self.description()?.charged_coded_bytes(convention)
    }

    /// Number of bytes that the model is charged to; training bytes if nothing was
    /// scored.
    #[must_use]
    pub fn charged_to(&self) -> u64 {
        self.description()
            .map_or(self.data.bytes, Description::charged_to)
    }

    /// The row as an object, in the order of `docs/json.md`.
    fn to_object(&self) -> Map<String, Value> {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| object.insert(key.into(), value);
        let json = |value: serde_json::Result<Value>| value.unwrap_or_default();
        put("version", ROW_VERSION.into());
        put("id", self.id.clone().into());
        put("index", self.index.into());
        put("name", self.name.as_str().into());
        put("state", self.state.name().into());
        put("axes", json(serde_json::to_value(&self.axes)));
        put("seed", self.seed.into());
        put("parameters", self.parameters.into());
        put("flops", self.flops.into());
        put("data", json(serde_json::to_value(&self.data)));
        if let Some(check) = &self.check {
            put("check", json(serde_json::to_value(check)));
        }
        if let Some(error) = &self.error {
            put("error", error.as_str().into());
        }
        if let Some(seconds) = self.estimated_seconds {
            put("estimated_seconds", seconds.into());
        }
        if let Some(bytes) = self.estimated_memory {
            put("estimated_memory", bytes.into());
        }
        if let Some(score) = &self.score {
            score.write(&mut object);
        }
        let mut put = |key: &str, value: Value| object.insert(key.into(), value);
        if let Some(training) = &self.training {
            put("training", json(serde_json::to_value(training)));
        }
        if let Some(provenance) = &self.provenance {
            put("provenance", json(serde_json::to_value(provenance)));
        }
        object
    }

    /// Reads an object of this version or an earlier one.
    pub(crate) fn from_object(object: Map<String, Value>) -> Result<Row, Problem> {
        let mut fields = Fields::new(object);
        let version: Option<u32> = fields.take("version")?;
        match version {
            Some(ROW_VERSION) => {}
            None => {}
            Some(version) => {
                return Err(Problem::new(
                    "version",
                    format!(
                        "it is {version}, and this program reads rows up to version \
                         {ROW_VERSION}: use the program that wrote them, or a later one"
                    ),
                ));
            }
        }
        let mut row = Row {
            id: fields.take("id")?,
            index: fields.take("index")?.unwrap_or_default(),
            name: fields.take("name")?.unwrap_or_default(),
            state: fields.take("state")?.unwrap_or_default(),
            axes: fields.take("axes")?.unwrap_or_default(),
            seed: fields.take("seed")?,
            parameters: fields.take("parameters")?.unwrap_or_default(),
            flops: fields.take("flops")?.unwrap_or_default(),
            data: fields.take("data")?.unwrap_or_default(),
            check: fields.take("check")?,
            error: fields.take("error")?,
            estimated_seconds: fields.take("estimated_seconds")?,
            estimated_memory: fields.take("estimated_memory")?,
            score: None,
            training: fields.take("training")?,
            provenance: fields.take("provenance")?,
        };
        if version.is_none() {
            // Rows of version 0.1 may have further fields.
            let (bytes, parameters) = (row.data.bytes, row.parameters);
            row.score = legacy::of_row(&mut fields, bytes, &row.data.hash, parameters)?;
            return Ok(row);
        }
        row.score = Score::take(&mut fields)?;
        fields.finish()?;
        Ok(row)
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.to_object().serialize(to)
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Row, D::Error> {
        let object = Map::<String, Value>::deserialize(from)?;
        Row::from_object(object).map_err(serde::de::Error::custom)
    }
}

/// Whether an axis is a setting: neither data nor seed.
pub(crate) fn is_setting(key: &str) -> bool {
    !key.starts_with("data.") && !is_seed(key)
}

pub(crate) fn is_seed(key: &str) -> bool {
    key == "seed" || key.ends_with(".seed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(axes: &str) -> Row {
        Row {
            axes: serde_json::from_str(axes).unwrap(),
            ..Row::default()
        }
    }

    #[test]
    fn settings_are_words_without_data_and_seed() {
        let found = row(r#"{"model.taps":0,"train.optimizer":"muon","data.bytes":5,"seed":1}"#);
        assert_eq!(found.settings(), "taps 0, optimizer muon");
        assert!(found.varies_more_than_size());
        assert!(!row(r#"{"model.width":8}"#).varies_more_than_size());
    }
}
