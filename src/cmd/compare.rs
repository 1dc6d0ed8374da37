//! `brevity compare`: two models side by side, byte by byte.

use super::files::{self, Run};
use super::predictor::start;
use super::pretrained;
use super::units;
use crate::console;
use crate::exit::Usage;
use anyhow::{Context, Result, bail};
use brevity_baselines::Coder;
use brevity_codec::code_lengths;
use brevity_compare::{Document, Side, compare, page, pieces, text};
use brevity_data::DataConfig;
use brevity_lab::experiments::score::model_file;
use brevity_model::{Transformer, Weights};
use brevity_outside::pipe::LIMIT;
use brevity_outside::predictor::{check_causal, code_lengths as outside_lengths};
use brevity_pretrained::Model;
use brevity_task::{Control, Progress};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Compares two models byte by byte: the gap in all with its interval, by kind of byte,
/// by place in the chunk, by document and by literal.
///
/// A side is a model (a safetensors file or the folder of a trial), a pretrained language
/// model (a GGUF file or a Hugging Face folder), whose tokens' costs are split over their
/// bytes, a predictor ("cmd:COMMAND", see docs/predictors.md), or a classical coder (gzip,
/// xz, zstd, brotli, bzip2, ppmd), whose costs are what its stream grows by.
#[derive(clap::Args)]
pub struct Args {
    /// The first side
    a: String,
    /// The second side
    b: String,
    /// Byte sets, as data.source in a config; several are documents
    #[arg(long, required = true, num_args = 1.., value_name = "SOURCE")]
    data: Vec<DataConfig>,
    /// Length of a document, where there is one byte set
    #[arg(long, value_name = "BYTES", default_value_t = 4096, value_parser = units::length)]
    document: usize,
    /// Length of chunks, for the gap by place, or 0 [default: the shorter context of the two]
    #[arg(long, value_name = "BYTES", value_parser = units::bytes)]
    chunk: Option<u64>,
    /// Write a page with the text shaded by the difference
    #[arg(long, value_name = "FILE.html")]
    page: Option<PathBuf>,
    /// Longest time for each answer of a predictor
    #[arg(long, value_name = "SECONDS", default_value_t = LIMIT.as_secs_f64(), value_parser = super::predictor::seconds)]
    predictor_timeout: f64,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    run: Run,
}

/// Runs `brevity compare`.
///
/// # Errors
/// A side or byte set that cannot be read, a predictor that fails, a page that cannot be
/// written.
pub fn run(args: Args) -> Result<()> {
    if let Some(page) = &args.page {
        files::apart(page, [&args.a, &args.b].map(Path::new), &args.data)?;
        files::writable(page)?;
    }
    let sets = args.data.iter().map(|data| Ok(data.load()?.train));
    let sets = sets.collect::<Result<Vec<_>>>()?;
    let (mut bytes, mut documents) = (Vec::new(), Vec::new());
    for set in &sets {
        documents.push(Document {
            name: set.name().to_owned(),
            start: bytes.len(),
            end: bytes.len() + set.len(),
        });
        bytes.extend_from_slice(&set.bytes);
    }
    if bytes.is_empty() {
        bail!(Usage("there are no bytes to compare on".into()));
    }
    if documents.len() == 1 {
        documents = pieces(bytes.len(), args.document);
    }
    let (a, b) = args.run.in_steps(|control| -> Result<_> {
        let side = |name| args.side(name, &bytes, &documents, control);
        Ok((side(&args.a)?, side(&args.b)?))
    })??;
    let contexts = [a.1, b.1].into_iter().filter(|&context| context > 0);
    let chunk = match args.chunk {
        Some(chunk) => chunk as usize,
        None => contexts.min().unwrap_or(0),
    };
    let found = compare(&a.0, &b.0, &bytes, &documents, chunk);
    if let Some(path) = &args.page {
        let html = page(&found, &a.0, &b.0, &bytes);
        let written = brevity_files::write(path, html.as_bytes());
        written.with_context(|| format!("cannot write {}", path.display()))?;
    }
    let mut out = console::stdout()?;
    if args.json {
        serde_json::to_writer_pretty(&mut out, &found)?;
        return Ok(writeln!(out)?);
    }
    Ok(write!(out, "{}", text(&found))?)
}

impl Args {
    /// What each byte costs, and the context: 0 if there is none. Byte sets are priced
    /// by themselves.
    fn side(
        &self,
        name: &str,
        bytes: &[u8],
        documents: &[Document],
        control: &Control<'_>,
    ) -> Result<(Side, usize)> {
        control.tell(Progress {
            what: name,
            ..Progress::default()
        });
        // Pieces of one set are no documents by themselves.
        let sets: Vec<_> = match self.data.len() {
            1 => std::iter::once(0..bytes.len()).collect(),
            _ => documents.iter().map(|d| d.start..d.end).collect(),
        };
        if let Some(command) = name.strip_prefix("cmd:") {
            let model = start(command, Duration::from_secs_f64(self.predictor_timeout))?;
            model.with(|predictor| check_causal(predictor, bytes))?;
            let mut bits = Vec::with_capacity(bytes.len());
            for set in sets {
                let set = &bytes[set];
                let priced = model.with(|p| outside_lengths(p, set, control.stop));
                bits.extend(priced.with_context(|| format!("cannot price with {command}"))?);
            }
            let about = model.about();
            return Ok((Side::new(about.name.clone(), bits), about.context));
        }
        let path = Path::new(name);
        if Model::is_at(path) {
            let sets: Vec<&[u8]> = sets.into_iter().map(|set| &bytes[set]).collect();
            let bits = pretrained::byte_costs(path, &sets, control)?;
            let note = format!(
                "{name}: the code lengths of the tokens that its tokenizer chose, each split over \
                 the token's bytes, of which the last one pays for the token's end"
            );
            return Ok((Side::new(name, bits).with_note(note), 0));
        }
        if path.exists() {
            let weights = Weights::load(&model_file(path))?;
            let model = Transformer::new(&weights);
            let mut bits = Vec::with_capacity(bytes.len());
            for set in sets {
                let priced = code_lengths(&model, &bytes[set]);
                bits.extend(priced.with_context(|| format!("cannot price with {name}"))?);
            }
            let spec = weights.spec();
            let context = if spec.window.is_some() {
                0
            } else {
                spec.context
            };
            return Ok((Side::new(name, bits), context));
        }
        let Ok(coder) = Coder::from_name(name) else {
            bail!(Usage(format!(
                "{name} is no file, no predictor (cmd:COMMAND) and no classical coder"
            )));
        };
        let mut all = Side::new(coder.name(), Vec::with_capacity(bytes.len()));
        let mut grains = 0.0;
        for set in sets {
            let length = set.len() as f64;
            let side = Side::coder(coder, &bytes[set])?;
            grains += side.grain * length;
            all.bits.extend(side.bits);
        }
        all.grain = grains / bytes.len() as f64;
        Ok((all, 0))
    }
}
