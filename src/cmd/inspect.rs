//! `brevity inspect`: the parts of an archive and their sizes.

use super::files::{self, is_dash};
use super::limits::{self, Limits};
use super::predictor::Predictor;
use super::pretrained;
use crate::console;
use crate::exit::{self, Usage};
use anyhow::{Context, Result, bail};
use brevity_codec::Method;
use brevity_codec::archive::{self, Demand, Effort, Header, Inspection, Models};
use brevity_codec::predict::LstmRecipe;
use brevity_lab::experiments::score::model_file;
use brevity_model::{Spec, Weights};
use brevity_pretrained::Model;
use brevity_train::online::Recipe;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

/// Lists the fields of archives. With --entropy, also decodes the blocks and reports
/// by how much their streams exceed the code length.
#[derive(clap::Args)]
pub struct Args {
    /// Archives to inspect; `-` is standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Decode the blocks and compare the streams with their code lengths
    #[arg(long)]
    entropy: bool,
    /// The model, for an archive that does not contain it: for --entropy, and to tell
    /// what decoding takes
    #[arg(short, long, value_name = "FILE")]
    model: Option<PathBuf>,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    predictor: Predictor,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    /// As `brevity compress -l` has them.
    pub fn new(files: Vec<PathBuf>) -> Args {
        Args {
            files,
            entropy: false,
            model: None,
            limits: Limits::default(),
            predictor: Predictor::none(),
            json: false,
        }
    }
}

/// Runs `brevity inspect`.
///
/// # Errors
/// An archive whose fields make no sense.
pub fn run(args: Args) -> Result<()> {
    if let Some(path) = args.model.as_deref().filter(|path| Model::is_at(path)) {
        bail!(Usage(format!(
            "{} is a pretrained model: -m and --entropy are for archives of byte models; \
             `brevity score` tells what such a model makes of a file",
            path.display()
        )));
    }
    let weights = args
        .model
        .as_deref()
        .map(|path| Weights::load(&model_file(path)))
        .transpose()?;
    let readers = args.predictor.readers()?;
    let models = Models {
        limits: args.limits.into(),
        ..readers.models(weights.as_ref())
    };
    let mut inspected = Vec::new();
    let done = exit::each(&args.files, |path| {
        if args.entropy && is_dash(path) {
            bail!(Usage("--entropy reads twice and needs a file".into()));
        }
        if pretrained::is_archive(path) {
            if args.entropy {
                bail!(Usage(format!(
                    "{} was made with a pretrained model: `brevity verify` decodes it",
                    path.display()
                )));
            }
            inspected.push(pretrained::inspect(path)?);
            return Ok(());
        }
        let (input, _) = files::open(path)?;
        let context = || path.display().to_string();
        let inspection = archive::inspect(input).with_context(context)?;
        let bits = match args.entropy {
            true => {
                let (input, _) = files::open(path)?;
                let bits = archive::entropy(input, &models, &|_| {}).with_context(context)?;
                Some(bits.iter().sum())
            }
            false => None,
        };
        let demand = inspection.demand(&models).ok().flatten();
        let path = context();
        inspected.push((
            text(&path, &inspection, bits, demand),
            to_json(&path, &inspection, bits, demand),
        ));
        Ok(())
    });
    if inspected.is_empty() {
        return done;
    }
    let mut out = console::stdout()?;
    if args.json {
        let all: Vec<&Value> = inspected.iter().map(|(_, json)| json).collect();
        serde_json::to_writer_pretty(&mut out, &all)?;
        writeln!(out)?;
    } else {
        for (text, _) in &inspected {
            write!(out, "{text}")?;
        }
    }
    done
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn kind(header: &Header) -> &'static str {
    match header {
        Header::Plain => "none",
        Header::Embedded(_) => "embedded",
        Header::External(_) => "external",
        Header::Recipe(_) => "recipe",
        Header::Outside(_) => "outside",
    }
}

/// A model that an archive tells of.
struct Told {
    parameters: u64,
    /// Its layers in words.
    shape: String,
    /// That of a transformer.
    spec: Option<Spec>,
    /// Stored bits per parameter, if its weights are stored.
    bits: Option<f64>,
    learns: bool,
}

impl Told {
    fn new(spec: Spec, stored: u64, learns: bool) -> Told {
        let bits = stored as f64 * 8.0 / spec.parameters() as f64;
        Told {
            parameters: spec.parameters(),
            shape: format!("width {}, {} layers", spec.width, spec.layers),
            bits: (stored > 0).then_some(bits),
            spec: Some(spec),
            learns,
        }
    }

    fn lstm(recipe: &LstmRecipe) -> Told {
        Told {
            parameters: recipe.parameters(),
            shape: format!("LSTM, {} layers of {} cells", recipe.layers, recipe.cells),
            spec: None,
            bits: None,
            learns: true,
        }
    }

    /// The model of an archive that holds it, or its recipe.
    fn of(i: &Inspection) -> Result<Option<Told>> {
        Ok(match (&i.header, &i.spec) {
            (Header::Recipe(bytes), _) if LstmRecipe::is_at(bytes) => {
                Some(Told::lstm(&LstmRecipe::from_bytes(bytes)?))
            }
            (Header::Recipe(bytes), _) => {
                let (recipe, end) = Recipe::at_start_of(bytes)?;
                let stored = bytes.len() - end;
                Some(Told::new(recipe.spec().clone(), stored as u64, true))
            }
            (_, Some(spec)) => Some(Told::new(spec.clone(), i.model_bytes, false)),
            _ => None,
        })
    }

    fn words(&self) -> String {
        let stored = match self.bits {
            Some(bits) => format!("{} parameters at {bits:.3} bits", self.parameters),
            None => format!("none: {} parameters", self.parameters),
        };
        let learns = match (self.learns, self.bits) {
            (true, Some(_)) => ", go on learning while they code",
            (true, None) => ", learn while they code",
            (false, _) => "",
        };
        format!("{stored}, {}{learns}", self.shape)
    }
}

/// The adjusted rate; none without the bytes of the model, or of nothing.
fn adjusted_rate(i: &Inspection) -> Option<f64> {
    match i.header {
        Header::External(_) | Header::Outside(_) => None,
        Header::Plain | Header::Embedded(_) | Header::Recipe(_) => rate(i.stored, i),
    }
}

/// Bytes of all streams beyond the code length of what they code.
fn over_entropy(i: &Inspection, bits: Option<f64>) -> Option<f64> {
    Some(i.payload() as f64 - bits? / 8.0)
}

/// The share of the original; none of nothing.
fn rate(part: u64, i: &Inspection) -> Option<f64> {
    (i.raw() > 0).then(|| part as f64 / i.raw() as f64)
}

fn text(path: &str, i: &Inspection, bits: Option<f64>, demand: Option<Demand>) -> String {
    let contexts = match i.effort {
        // A brief archive does not announce memory.
        Some(Effort { level, .. }) if i.brief => format!(", level {}", level.number()),
        Some(Effort { level, memory }) => {
            let level = level.number();
            format!(", context models at level {level} in {memory} MiB")
        }
        None => String::new(),
    };
    let (stored, raw, version) = (i.stored, i.raw(), i.version);
    let mut out = format!("{path}: {stored} bytes of {raw}, format {version}{contexts}\n");
    let mut line = |name: &str, bytes: u64, note: String| {
        let share = rate(bytes, i).map_or("-".to_owned(), |r| format!("{:.4}%", 100.0 * r));
        out += &format!("  {name:<10}{bytes:>14}  {share:>9}  {note}\n");
    };
    let model = match (&i.header, Told::of(i)) {
        (Header::External(id), _) => format!("external, {id}"),
        (Header::Outside(_), _) => "a predictor from outside".to_owned(),
        (_, Ok(Some(told))) => told.words(),
        (_, Err(error)) => format!("{error:#}"),
        (header, Ok(None)) => kind(header).to_owned(),
    };
    line("model", i.model_bytes, model);
    let methods = [Method::Mixed, Method::Model, Method::Contexts, Method::Raw];
    for method in methods {
        let blocks: Vec<_> = i.blocks.iter().filter(|b| b.method == method).collect();
        if !blocks.is_empty() {
            let payload = blocks.iter().map(|b| b.payload).sum();
            let raw: u64 = blocks.iter().map(|b| b.raw).sum();
            let plural = if blocks.len() == 1 { "" } else { "s" };
            let note = format!("{} block{plural}, {raw} bytes", blocks.len());
            line(method.name(), payload, note);
        }
    }
    line("overhead", i.overhead(), "headers, checks, index".into());
    let total = match (i.raw(), adjusted_rate(i)) {
        (0, _) => "nothing is described, so there is no rate",
        (_, Some(_)) => "the adjusted rate",
        (_, None) => "without the model, so this is no adjusted rate",
    };
    line("total", i.stored, total.into());
    if let Some(over) = over_entropy(i, bits) {
        let share = 100.0 * over / i.payload().max(1) as f64;
        out += &format!("  streams take {over:.1} bytes ({share:.4}%) over their entropy\n");
    }
    if let Some(demand) = demand {
        out += &format!("  decoding takes {}\n", limits::words(&demand));
    }
    match &i.digest {
        Some(digest) => out += &format!("  blake3 {}...\n", hex(digest)),
        None => out += "  brief: one check for all\n",
    }
    out
}

fn to_json(path: &str, i: &Inspection, bits: Option<f64>, demand: Option<Demand>) -> Value {
    let blocks: Vec<Value> = i
        .blocks
        .iter()
        .map(|b| {
            json!({
                "offset": b.offset,
                "method": b.method.name(),
                "bytes": b.raw,
                "header_bytes": b.header,
                "payload_bytes": b.payload,
            })
        })
        .collect();
    let told = Told::of(i).ok().flatten();
    json!({
        "path": path,
        "bytes": i.raw(),
        "archive_bytes": i.stored,
        "raw_rate": rate(i.payload(), i),
        "adjusted_rate": adjusted_rate(i),
        "model": {
            "kind": kind(&i.header),
            "bytes": i.model_bytes,
            "parameters": told.as_ref().map(|told| told.parameters),
            "bits_per_parameter": told.as_ref().and_then(|told| told.bits),
            "spec": told.as_ref().and_then(|told| told.spec.as_ref()),
        },
        "payload_bytes": i.payload(),
        "overhead_bytes": i.overhead(),
        "entropy_bits": bits,
        "stream_over_entropy_bytes": over_entropy(i, bits),
        "index_bytes": i.index_bytes,
        "decoding": demand.map(|demand| json!({
            "memory_bytes": demand.memory,
            "operations": demand.operations,
        })),
        "blake3": i.digest.as_ref().map(|digest| hex(digest)),
        "blocks": blocks,
    })
}
