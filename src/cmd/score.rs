//! `brevity score`: scores of any model on any byte set.

use super::decompress::{self, own_program};
use super::files::{self, Run};
use super::predictor::{Predictor, Scoring};
use super::{pretrained_score, units};
use crate::console;
use crate::exit::Usage;
use anyhow::{Result, bail};
use brevity_data::{DataConfig, Source};
use brevity_lab::experiments::score::{Options, score, text};
use brevity_lab::maps::{self, Kind};
use brevity_measure::{Decoder, Decoding, FreshProcess};
use brevity_media::Geometry;
use brevity_pretrained::Model;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Scores models on byte sets: raw, held-out, adjusted and prequential rates.
///
/// The training data of a model are read from the folder it is in. A rate on bytes
/// seen in training says nothing about other bytes (overfitting); regime and
/// overlap show which were seen.
#[derive(clap::Args)]
pub struct Args {
    /// Models: safetensors files, or folders of trials (runs/NAME/trials/ID); or
    /// pretrained ones, GGUF files or Hugging Face folders
    #[arg(
        required_unless_present = "predictor",
        conflicts_with = "predictor",
        value_name = "MODEL"
    )]
    models: Vec<PathBuf>,
    #[command(flatten)]
    predictor: Predictor,
    /// Bytes of the predictor's model, for its adjusted rate: see `brevity price`
    #[arg(long, value_name = "BYTES", value_parser = units::bytes)]
    model_bytes: Option<u64>,
    /// Byte sets: as data.source in a config, or a part of it, as in
    /// crates,bytes=100000,offset=5000
    #[arg(long, required = true, num_args = 1.., value_name = "SOURCE")]
    data: Vec<DataConfig>,
    /// Also measure the prequential code length of a model of the same shape; this
    /// trains one for each pair
    #[arg(long)]
    prequential: bool,
    /// Write and decode no archives: lengths are estimates
    #[arg(long)]
    estimate: bool,
    /// Draw the cost of each byte, for one model and one byte set: text as .html,
    /// pictures as .png, sound as .svg
    #[arg(long, value_name = "OUT")]
    map: Option<PathBuf>,
    /// Format of the bytes of the map, if their source has none: patches or
    /// patches:ACROSS, gray:WIDTH, rgb:WIDTH, pcm8:RATE, pcm16:RATE,
    /// pcm16-deltas:RATE
    #[arg(long, requires = "map")]
    geometry: Option<Geometry>,
    #[command(flatten)]
    scoring: pretrained_score::Scoring,
    /// Print JSON: an object for one pair, an array for several
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    run: Run,
}

/// Runs `brevity score`.
///
/// # Errors
/// A model or byte set that cannot be read, an archive that does not decode.
pub fn run(args: Args) -> Result<()> {
    super::data::note_of(args.data.iter());
    if args.predictor.predictor.is_some() {
        return args.outside();
    }
    // An output whose name does not fit is refused before the work.
    let map = args.map_kind()?.zip(args.map.as_deref());
    if args.model_bytes.is_some() {
        bail!(Usage("--model-bytes is for --predictor".into()));
    }
    if args.models.iter().any(|path| Model::is_at(path)) {
        return args.pretrained(map);
    }
    if args.scoring.is_given() {
        bail!(Usage(
            "--as, --chunk, --against, --bits and --marginal are for pretrained models".into()
        ));
    }
    let program = own_program()?;
    let command = |decoding: &Decoding| decompress::command(&program, decoding);
    let decoder = FreshProcess { command: &command };
    let scores = args.run.in_steps(|control| {
        let options = Options {
            decoder: (!args.estimate).then_some(&decoder as &dyn Decoder),
            prequential: args.prequential,
            stop: control.stop,
            progress: control.progress,
        };
        score(&args.models, &args.data, &options)
    })??;
    if let Some((kind, path)) = map {
        let (model, data) = (&args.models[0], &args.data[0]);
        let drawn = args
            .run
            .with_threads(|| maps::write(model, data, kind, path))?;
        args.say_shown(path, drawn?);
    }
    let mut out = console::stdout()?;
    match (args.json, &scores[..]) {
        (true, [one]) => serde_json::to_writer_pretty(&mut out, one)?,
        (true, all) => serde_json::to_writer_pretty(&mut out, all)?,
        (false, all) => return Ok(write!(out, "{}", text(all))?),
    }
    Ok(writeln!(out)?)
}

impl Args {
    fn outside(&self) -> Result<()> {
        if self.prequential || self.map.is_some() {
            bail!(Usage(
                "--prequential and --map are not for predictors from outside".into()
            ));
        }
        let scoring = Scoring {
            predictor: &self.predictor,
            data: &self.data,
            model_bytes: self.model_bytes,
            decode: !self.estimate,
            json: self.json,
            run: &self.run,
        };
        scoring.print()
    }

    /// Says where a map shows only a part of the bytes.
    fn say_shown(&self, path: &Path, (shown, of): (usize, usize)) {
        if shown < of {
            let path = path.display();
            self.run.say(|| {
                format!("{path} shows the first {shown} of {of} bytes; offset=N in --data goes on")
            });
        }
    }

    fn pretrained(&self, map: Option<(Kind, &Path)>) -> Result<()> {
        if !self.models.iter().all(|path| Model::is_at(path)) {
            bail!(Usage(
                "pretrained models and models of this program are scored in separate runs".into()
            ));
        }
        if self.prequential {
            bail!(Usage("--prequential is not for pretrained models".into()));
        }
        let scores = self.run.in_steps(|control| {
            let (scoring, verify) = (&self.scoring, !self.estimate);
            pretrained_score::scores(&self.models, &self.data, scoring, verify, control)
        })??;
        if let Some((kind, path)) = map {
            let (model, data) = (&self.models[0], &self.data[0]);
            let drawn = self.run.in_steps(|control| {
                pretrained_score::map(model, data, &self.scoring, kind, path, control)
            })??;
            self.say_shown(path, drawn);
        }
        let mut out = console::stdout()?;
        if !self.json {
            return Ok(write!(out, "{}", pretrained_score::text(&scores))?);
        }
        match &scores[..] {
            [one] => serde_json::to_writer_pretty(&mut out, one)?,
            all => serde_json::to_writer_pretty(&mut out, all)?,
        }
        Ok(writeln!(out)?)
    }

    /// The kind of map, if one is requested.
    fn map_kind(&self) -> Result<Option<Kind>> {
        let Some(path) = &self.map else {
            return Ok(None);
        };
        let ([_], [data]) = (&self.models[..], &self.data[..]) else {
            bail!(Usage("--map takes one model and one byte set".into()));
        };
        if data.source == Source::Stdin {
            bail!(Usage("--map reads its bytes twice: give a file".into()));
        }
        let kind = Kind::new(path, data, self.geometry)?;
        files::apart(path, self.models.iter().map(PathBuf::as_path), &self.data)?;
        files::writable(path)?;
        Ok(Some(kind))
    }
}
