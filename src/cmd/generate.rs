//! `brevity generate`: what a model, or a compressor, expects next.

use super::files::{self, Run, is_dash};
use anyhow::{Context, Result};
use brevity_baselines::Coder;
use brevity_data::{DataConfig, Store, passed_over};
use brevity_lab::experiments::score::model_file;
use brevity_lab::generate::{CONTEXT, Options, Temperature, from_coder, from_model};
use brevity_media::{Geometry, view};
use brevity_model::{Transformer, Weights};
use clap::builder::{OsStringValueParser, TypedValueParser};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Continues a prompt by bytes sampled from a model, or from a classical coder,
/// whose candidates are as likely as they are short.
///
/// The same seed gives the same bytes on any machine. What is written is the
/// prompt and what follows: a picture if OUT ends in .png, a sound if it ends in
/// .wav, else the bytes.
#[derive(clap::Args)]
pub struct Args {
    /// The model: a safetensors file, or the folder of a trial (runs/NAME/trials/ID)
    #[arg(required_unless_present = "coder", conflicts_with = "coder")]
    model: Option<PathBuf>,
    /// Sample from this coder instead, by the growth of its output: gzip, xz, zstd,
    /// brotli, bzip2, ppmd, png, ...
    #[arg(long, value_name = "NAME", value_parser = Coder::from_name)]
    coder: Option<Coder>,
    /// What to continue: as data.source in a config, with a piece of it if wanted, as
    /// in synthetic-image,bytes=1024
    #[arg(long, value_name = "SOURCE", value_parser = OsStringValueParser::new().try_map(DataConfig::try_from))]
    prompt: DataConfig,
    /// Bytes to sample
    #[arg(long, value_name = "N")]
    bytes: u32,
    /// Seed of the draws
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// 1 samples from the distribution, less keeps closer to the likeliest byte, 0
    /// always takes it
    #[arg(long, value_name = "T", default_value = "1")]
    temperature: Temperature,
    /// Bytes that a coder sees before each candidate
    #[arg(long, value_name = "BYTES", default_value_t = CONTEXT, conflicts_with = "model")]
    context: usize,
    /// What the bytes are, if the prompt's source does not tell: patches or
    /// patches:ACROSS, gray:WIDTH, rgb:WIDTH, pcm8:RATE, pcm16:RATE,
    /// pcm16-deltas:RATE
    #[arg(long)]
    geometry: Option<Geometry>,
    /// Write what follows the prompt, and not the prompt
    #[arg(long)]
    no_prompt: bool,
    /// Write here; `-` is standard output
    #[arg(short, long, value_name = "OUT", default_value = "-")]
    output: PathBuf,
    #[command(flatten)]
    run: Run,
}

/// Runs `brevity generate`.
///
/// # Errors
/// A prompt or a model that cannot be read, an output that cannot be written or
/// whose name does not suit the bytes.
pub fn run(args: Args) -> Result<()> {
    let geometry = match args.geometry {
        Some(geometry) => Some(geometry),
        None => Store::default().geometry(&args.prompt.source)?,
    };
    // A name that does not suit is refused before the work.
    view::file(&args.output, geometry, 0, &[])?;
    if !is_dash(&args.output) {
        files::writable(&args.output)?;
    }
    super::data::note(&passed_over(&args.prompt.source, &Store::default())?);
    let prompt = args.prompt.load()?.train;
    let model = match &args.model {
        Some(path) => Some(Transformer::new(&Weights::load(&model_file(path))?)),
        None => None,
    };
    let bar = args.run.steps();
    bar.set_length(args.bytes.into());
    let sampled = args.run.with_threads(|| {
        let options = Options {
            bytes: args.bytes as usize,
            seed: args.seed,
            temperature: args.temperature,
            progress: &|done| bar.set_position(done as u64),
        };
        match (&model, args.coder) {
            (Some(model), _) => from_model(model, &prompt.bytes, &options),
            (None, coder) => {
                let coder = coder.unwrap_or(Coder::Gzip);
                from_coder(coder, &prompt.bytes, args.context, &options)
            }
        }
    })?;
    bar.finish_and_clear();
    let (mut bytes, mut offset) = (sampled?, prompt.provenance.offset);
    if args.no_prompt {
        offset += prompt.len() as u64;
    } else {
        bytes.splice(..0, prompt.bytes.iter().copied());
    }
    write(
        &args.output,
        &view::file(&args.output, geometry, offset, &bytes)?,
    )
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if is_dash(path) {
        let mut out = std::io::stdout().lock();
        out.write_all(bytes)?;
        return Ok(out.flush()?);
    }
    brevity_files::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
