//! `brevity compress`: files into archives.

use super::files::{self, Common, EXTENSION, OutputFile, Target, is_dash};
use super::{decompress, inspect, verify};
use crate::exit::Usage;
use anyhow::{Context, Result, bail};
use brevity_codec::archive::{self, MAX_BLOCK, Models, Options, Source, Summary};
use brevity_codec::weights::{Plan, Precision};
use brevity_codec::{Method, score};
use brevity_model::Weights;
use std::ffi::OsString;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Bytes of a file that a search for step sizes prices, at most: its sixteenths
/// are sampled evenly.
const SAMPLE: u64 = 1 << 18;

/// Compresses files to FILE.bvy, each decoded again before it gets its name.
///
/// Without a model, context models learn each file from nothing. With one, they
/// are mixed with it.
#[derive(clap::Args)]
pub struct Args {
    /// Files to compress; `-` is standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Trained model to compress with, a safetensors file
    #[arg(short, long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Leave the model out of the archive, which then needs it to be read
    #[arg(long, requires = "model")]
    external: bool,
    /// How to store the model: fp16, int8, bits a parameter (2 to 16), or auto
    /// for the shortest archive
    #[arg(long, value_name = "BITS", default_value = "auto", value_parser = width)]
    bits: Width,
    /// How to code: mixed, model, contexts or raw [default: all there is]
    #[arg(long, value_name = "METHOD", value_parser = method)]
    method: Option<Method>,
    /// Bytes that are coded, and can be read, on their own
    #[arg(long, value_name = "BYTES", default_value_t = Options::default().block, value_parser = block)]
    block: usize,
    /// Do not decode the archive after writing it
    #[arg(long)]
    no_verify: bool,
    /// Decompress instead
    #[arg(short, long, group = "mode")]
    decompress: bool,
    /// Verify instead
    #[arg(short = 't', long, group = "mode")]
    test: bool,
    /// Inspect instead
    #[arg(short, long, group = "mode")]
    list: bool,
    #[command(flatten)]
    common: Common,
}

/// How to store a model.
#[derive(Clone, Copy, Debug)]
enum Width {
    Auto,
    Fixed(Precision),
}

fn width(text: &str) -> Result<Width, String> {
    Ok(match text {
        "auto" => Width::Auto,
        "fp16" => Width::Fixed(Precision::Float16),
        "int8" => Width::Fixed(Precision::Int8),
        _ => match text.parse() {
            Ok(bits @ 2..=16) => Width::Fixed(Precision::Bits(bits)),
            _ => return Err("not auto, fp16, int8 or a number from 2 to 16".into()),
        },
    })
}

fn method(text: &str) -> Result<Method, String> {
    [Method::Raw, Method::Contexts, Method::Model, Method::Mixed]
        .into_iter()
        .find(|m| m.name() == text)
        .ok_or_else(|| "not mixed, model, contexts or raw".into())
}

fn block(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(bytes @ 1..=MAX_BLOCK) => Ok(bytes),
        _ => Err(format!("not a number from 1 to {MAX_BLOCK}")),
    }
}

/// Runs `brevity compress`.
///
/// # Errors
/// Wrong usage; a file that cannot be read or written; an archive that does not
/// decode to its source, which is then not kept.
pub fn run(args: Args) -> Result<()> {
    if args.decompress {
        let args = decompress::Args::new(args.files, args.model, args.common);
        return decompress::run(args);
    }
    if args.test {
        return verify::run(verify::Args::new(args.files, args.model, args.common.run));
    }
    if args.list {
        return inspect::run(inspect::Args::new(args.files));
    }
    if args.common.output.is_some() && args.files.len() > 1 {
        bail!(Usage("-o takes one file".into()));
    }
    if args.model.is_none() && args.method.is_some_and(Method::needs_model) {
        bail!(Usage("this method needs a model: give it with -m".into()));
    }
    files::clean_up_on_interrupt()?;
    let weights = args.model.as_deref().map(Weights::load).transpose()?;
    let run = args.common.run.clone();
    run.with_threads(|| {
        args.files
            .iter()
            .try_for_each(|path| args.compress(path, weights.as_ref()))
    })?
}

impl Args {
    fn compress(&self, path: &Path, weights: Option<&Weights>) -> Result<()> {
        let mut derived = OsString::from(path);
        derived.push(format!(".{EXTENSION}"));
        let mut target = self.common.target(path, Some(derived.into()))?;
        let source = match weights {
            None => Source::none(),
            Some(weights) if self.external => Source::external(weights),
            Some(weights) => Source::embedded(weights, &self.plan(weights, path)?),
        };
        let summary = match &mut target {
            Target::Stdout => {
                let out = files::stdout_for_archives(self.common.force)?;
                self.write(path, out.lock(), &source)?
            }
            Target::File(file) => {
                let summary = self.write(path, &mut *file, &source)?;
                if !self.no_verify {
                    self.verify(file, &summary, weights)?;
                }
                summary
            }
        };
        let name = match target {
            Target::Stdout => "standard output".to_owned(),
            Target::File(file) => {
                let name = file.path().display().to_string();
                file.finish()?;
                name
            }
        };
        self.common.run.say(|| {
            let rate = 100.0 * summary.stored as f64 / summary.raw.max(1) as f64;
            let (raw, stored) = (summary.raw, summary.stored);
            format!(
                "{}: {raw} bytes to {stored} ({rate:.2}%), {name}",
                path.display()
            )
        });
        Ok(())
    }

    fn write(&self, path: &Path, out: impl Write, source: &Source) -> Result<Summary> {
        let (input, length) = files::open(path)?;
        let bar = self.common.run.bar("compress", length);
        let options = Options {
            block: self.block,
            method: self.method,
        };
        let mut progress = |done| bar.set_position(done);
        let summary = archive::compress(input, out, source, &options, &mut progress);
        bar.finish_and_clear();
        summary.with_context(|| format!("cannot compress {}", path.display()))
    }

    /// Decodes what was written.
    fn verify(
        &self,
        file: &mut OutputFile,
        summary: &Summary,
        weights: Option<&Weights>,
    ) -> Result<()> {
        let bar = self.common.run.bar("verify", Some(summary.raw));
        let models = Models {
            external: weights,
            recipe: None,
        };
        let mut progress = |done| bar.set_position(done);
        let decoded = archive::decompress(file.reread()?, std::io::sink(), &models, &mut progress)
            .context("the archive does not decode")?;
        bar.finish_and_clear();
        if decoded != *summary {
            bail!("the archive does not decode to its source");
        }
        Ok(())
    }

    /// How finely to store the model for this file.
    fn plan(&self, weights: &Weights, path: &Path) -> Result<Plan> {
        let precision = match self.bits {
            Width::Fixed(precision) => precision,
            // What is in a stream is not known before.
            Width::Auto if is_dash(path) => Precision::Int8,
            Width::Auto => return self.shortest(weights, path),
        };
        Ok(Plan::new(weights, precision))
    }

    /// The plan for the shortest archive, as a sample of the file sees it.
    fn shortest(&self, weights: &Weights, path: &Path) -> Result<Plan> {
        let mut file = files::open_file(path)?;
        let length = file.metadata()?.len();
        let mut sample = Vec::new();
        for i in 0..16 {
            let part = length.min(SAMPLE) / 16;
            file.seek(SeekFrom::Start(length / 16 * i))?;
            Read::by_ref(&mut file)
                .take(part.max(1))
                .read_to_end(&mut sample)?;
        }
        let bar = self.common.run.bar("steps", None);
        let share = length as f64 / sample.len().max(1) as f64;
        let plan = Plan::minimise(weights, |weights| {
            bar.inc(sample.len() as u64);
            score(weights, &sample).map(|s| s.bits * share)
        })?;
        bar.finish_and_clear();
        Ok(plan)
    }
}
