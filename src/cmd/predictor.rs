//! Predictors from outside, where commands take one: `--predictor`.

use super::files::Run;
use crate::console;
use crate::exit::Usage;
use anyhow::{Context, Result, bail};
use brevity_codec::archive::{Models, Source};
use brevity_data::DataConfig;
use brevity_draw::{Table, visible_lines};
use brevity_lab::pack::models;
use brevity_length::Convention;
use brevity_length::format::{bytes, percent};
use brevity_model::Weights;
use brevity_outside::pipe::{LIMIT, Pipe};
use brevity_outside::predictor::{Find, PredictorModel, description};
use brevity_outside::{Outside, Score, score};
use serde_json::{Value, json};
use std::io::Write;
use std::time::Duration;

/// The program that predicts.
#[derive(clap::Args, Clone)]
pub struct Predictor {
    /// Predict with another program: a command of the shell that speaks the protocol of
    /// docs/predictors.md, such as "python model.py"
    #[arg(long, value_name = "COMMAND")]
    pub predictor: Option<String>,
    /// Longest time for each answer of the predictor
    #[arg(long, value_name = "SECONDS", requires = "predictor", default_value_t = LIMIT.as_secs_f64(), value_parser = seconds)]
    predictor_timeout: f64,
}

pub fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.001..=1e6).contains(&seconds) => Ok(seconds),
        _ => Err("not a number of seconds, 0.001 to 1000000".into()),
    }
}

impl Predictor {
    /// No predictor.
    pub fn none() -> Predictor {
        Predictor {
            predictor: None,
            predictor_timeout: LIMIT.as_secs_f64(),
        }
    }

    /// The model, if a predictor is given.
    ///
    /// # Errors
    /// A program that does not start or does not speak the protocol.
    pub fn start(&self) -> Result<Option<PredictorModel>> {
        let Some(command) = self.predictor.clone() else {
            return Ok(None);
        };
        let limit = Duration::from_secs_f64(self.predictor_timeout);
        Ok(Some(start(&command, limit)?))
    }

    /// The models for reading archives: this predictor, if it is given, and those of
    /// [`models`].
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn readers(&self) -> Result<Readers> {
        Ok(Readers::new(self.start()?.as_ref()))
    }
}

/// A command of the shell as a predictor.
///
/// # Errors
/// As [`Predictor::start`].
pub fn start(command: &str, limit: Duration) -> Result<PredictorModel> {
    let command = command.to_owned();
    let make = move || Ok(Box::new(Pipe::new(&command, limit)?) as Box<dyn Outside>);
    Ok(PredictorModel::new(Box::new(make))?)
}

/// What archives are read with, beside weights.
pub struct Readers {
    find: Option<Find>,
}

impl Readers {
    /// A predictor, if there is one.
    pub fn new(predictor: Option<&PredictorModel>) -> Readers {
        Readers {
            find: predictor.map(PredictorModel::finder),
        }
    }

    /// All models.
    pub fn models<'a>(&'a self, weights: Option<&'a Weights>) -> Models<'a> {
        Models {
            outside: self.find.as_ref().map(|find| &**find as _),
            ..models(weights)
        }
    }
}

/// The source of predictions for an archive.
pub fn source(model: &PredictorModel) -> Source<'static> {
    Source::outside(description(model.about()), Box::new(model.clone()))
}

/// How to score a predictor.
pub struct Scoring<'a> {
    pub predictor: &'a Predictor,
    pub data: &'a [DataConfig],
    pub model_bytes: Option<u64>,
    pub decode: bool,
    pub json: bool,
    pub run: &'a Run,
}

impl Scoring<'_> {
    /// Scores it on each byte set and prints what comes of it.
    ///
    /// # Errors
    /// A byte set that cannot be read, a predictor that fails.
    pub fn print(&self) -> Result<()> {
        let Some(model) = self.predictor.start()? else {
            bail!(Usage("no predictor is given".into()));
        };
        let sets = self.data.iter().map(|data| Ok(data.load()?.train));
        let sets = sets.collect::<Result<Vec<_>>>()?;
        let mut scores = Vec::new();
        for set in &sets {
            let found = self.run.in_steps(|control| {
                score(&model, &set.bytes, self.model_bytes, self.decode, control)
            })?;
            scores.push(found.with_context(|| format!("cannot score `{}`", set.name()))?);
        }
        let name = &model.about().name;
        let of = |(set, score): (&brevity_data::ByteSet, &Score)| {
            to_json(name, model.about().context, set, score)
        };
        let all: Vec<Value> = sets.iter().zip(&scores).map(of).collect();
        let mut out = console::stdout()?;
        match (self.json, &all[..]) {
            (true, [one]) => serde_json::to_writer_pretty(&mut out, one)?,
            (true, all) => serde_json::to_writer_pretty(&mut out, all)?,
            (false, _) => return Ok(write!(out, "{}", text(name, &sets, &scores))?),
        }
        Ok(writeln!(out)?)
    }
}

fn to_json(name: &str, context: usize, set: &brevity_data::ByteSet, score: &Score) -> Value {
    let found = &score.description;
    json!({
        "model": name,
        "context": context,
        "data": {
            "source": set.name(),
            "offset": set.provenance.offset,
            "hash": found.scored().hash,
        },
        "data_bytes": found.scored().bytes,
        "regime": found.regime(),
        "data_bits": found.bits(),
        "bits_per_byte": found.bits_per_byte(),
        "coded_bytes": found.coded_bytes(),
        "raw_rate": found.raw_rate(),
        "model_bytes": { Convention::STATED: score.model_bytes },
        "adjusted_rate": { Convention::STATED: score.adjusted_rate() },
        "notes": score.notes,
        "verified": found.is_decoded(),
        "estimate": !found.is_decoded(),
    })
}

fn text(name: &str, sets: &[brevity_data::ByteSet], scores: &[Score]) -> String {
    let header = [
        "predictor",
        "data",
        "bytes",
        "bits a byte",
        "raw %",
        "adjusted %",
        "state",
    ];
    let mut table = Table::new(&header).left(&[1, header.len() - 1]);
    let mut notes = String::new();
    for (set, score) in sets.iter().zip(scores) {
        let found = &score.description;
        table.push(vec![
            name.to_owned(),
            set.name().to_owned(),
            bytes(found.scored().bytes as f64),
            format!("{:.4}", found.bits_per_byte()),
            percent(found.raw_rate()),
            score.adjusted_rate().map_or_else(|| "-".into(), percent),
            match found.is_decoded() {
                true => "decoded".into(),
                false => "estimate".into(),
            },
        ]);
        for note in &score.notes {
            notes += &format!("note: {}: {note}\n", set.name());
        }
    }
    visible_lines(&format!("{table}{notes}")).into_owned()
}
