//! `brevity generate`: samples from a model or from a compressor.

use super::files::{self, Run, is_dash};
use super::units;
use crate::console;
use anyhow::{Context, Result};
use brevity_baselines::Coder;
use brevity_data::{DataConfig, Store, passed_over};
use brevity_lab::experiments::score::model_file;
use brevity_lab::generate::{
    CONTEXT, Options, Temperature, from_coder, from_model, from_pretrained,
};
use brevity_media::{Geometry, view};
use brevity_model::{Transformer, Weights};
use brevity_pretrained::Model;
use clap::builder::{OsStringValueParser, TypedValueParser};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Continues a prompt with bytes sampled from a model or from a classical coder,
/// under which a byte is the more likely the less it adds to the compressed size.
///
/// The same seed gives the same bytes on any machine. The output is the prompt and
/// its continuation: a picture if OUT ends in .png, sound if it ends in .wav, else
/// the bytes.
#[derive(clap::Args)]
pub struct Args {
    /// The model: a safetensors file, the folder of a trial (runs/NAME/trials/ID), or a
    /// pretrained one, a GGUF file or Hugging Face folder
    #[arg(required_unless_present = "coder", conflicts_with = "coder")]
    model: Option<PathBuf>,
    /// Sample from this classical coder instead: gzip, xz, zstd, brotli, bzip2,
    /// ppmd, png, ...
    #[arg(long, value_name = "NAME", value_parser = Coder::from_name)]
    coder: Option<Coder>,
    /// Prompt: as data.source in a config, or a part of it, as in
    /// synthetic-image,bytes=1024
    #[arg(long, value_name = "SOURCE", value_parser = OsStringValueParser::new().try_map(DataConfig::try_from))]
    prompt: DataConfig,
    /// Bytes to sample
    #[arg(long, value_name = "BYTES", value_parser = count_of_bytes)]
    bytes: u32,
    /// Seed of the random numbers
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Temperature: 1 samples from the distribution, less favours likely bytes, 0
    /// always takes the most likely one
    #[arg(long, value_name = "T", default_value = "1")]
    temperature: Temperature,
    /// Context of a coder: bytes it sees before each candidate
    #[arg(long, value_name = "BYTES", default_value_t = CONTEXT, conflicts_with = "model", value_parser = units::length)]
    context: usize,
    /// Format of the bytes, if the prompt's source has none: patches or
    /// patches:ACROSS, gray:WIDTH, rgb:WIDTH, pcm8:RATE, pcm16:RATE,
    /// pcm16-deltas:RATE
    #[arg(long)]
    geometry: Option<Geometry>,
    /// Write the continuation without the prompt
    #[arg(long)]
    no_prompt: bool,
    /// Write to this file; `-` is standard output
    #[arg(short, long, value_name = "OUT", default_value = "-")]
    output: PathBuf,
    #[command(flatten)]
    run: Run,
}

fn count_of_bytes(text: &str) -> Result<u32, String> {
    let bytes = units::bytes(text)?;
    u32::try_from(bytes).map_err(|_| format!("more than {} bytes", u32::MAX))
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
    // A name that does not fit the geometry is refused before the work.
    view::file(&args.output, geometry, 0, &[])?;
    if !is_dash(&args.output) {
        files::apart(&args.output, args.model.as_deref(), [&args.prompt])?;
        files::writable(&args.output)?;
    }
    super::data::note(&passed_over(&args.prompt.source, &Store::default())?);
    let prompt = args.prompt.load()?.train;
    let model = args.model.as_deref().map(Source::load).transpose()?;
    let sampled = args.run.in_steps(|control| {
        let options = Options {
            bytes: args.bytes as usize,
            seed: args.seed,
            temperature: args.temperature,
            control: *control,
        };
        match (&model, args.coder) {
            (Some(Source::Own(model)), _) => from_model(model, &prompt.bytes, &options),
            (Some(Source::Pretrained(model)), _) => from_pretrained(model, &prompt.bytes, &options),
            (None, coder) => {
                let coder = coder.unwrap_or(Coder::Gzip);
                from_coder(coder, &prompt.bytes, args.context, &options)
            }
        }
    })?;
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

/// A model to sample from.
enum Source {
    Own(Box<Transformer>),
    Pretrained(Box<Model>),
}

impl Source {
    fn load(path: &Path) -> Result<Source> {
        if Model::is_at(path) {
            return Ok(Source::Pretrained(Box::new(Model::load(path)?)));
        }
        let weights = Weights::load(&model_file(path))?;
        Ok(Source::Own(Box::new(Transformer::new(&weights))))
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if is_dash(path) {
        let mut out = console::stdout()?;
        out.write_all(bytes)?;
        return Ok(out.flush()?);
    }
    brevity_files::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
