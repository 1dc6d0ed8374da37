//! `brevity compress`: files into archives.

use super::files::{self, Common, OutputFile, Target, is_dash};
use super::level::LevelOptions;
use super::online::{learning, models};
use super::pack_options::Training;
use super::{decompress, inspect, verify};
use crate::exit::Usage;
use anyhow::{Context, Result, bail};
use brevity_codec::archive::{
    self, EXTENSION, MAX_BLOCK, MAX_LANES, Models, Options, Source, Summary,
};
use brevity_codec::weights::{Plan, Precision};
use brevity_codec::{Method, score};
use brevity_model::Weights;
use brevity_train::stored_plan;
use std::ffi::OsString;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Bytes of a file that a search for step sizes prices, at most: its sixteenths
/// are sampled evenly.
const SAMPLE: u64 = 1 << 16;

/// Compresses files to FILE.bvy, each decoded again before it gets its name.
///
/// Without a model, context models learn each file from nothing. With one, they
/// are mixed with it. With --train, a model is trained on each file and stored
/// with it. With --online, a model learns each file while it is coded, and none
/// is stored.
#[derive(clap::Args)]
pub struct Args {
    /// Files to compress; `-` is standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Trained model to compress with, a safetensors file
    #[arg(short, long, value_name = "FILE")]
    model: Option<PathBuf>,
    #[command(flatten)]
    level: LevelOptions,
    #[command(flatten)]
    pub(super) training: Training,
    /// Learn each file while it is coded: no model is stored, and decompressing
    /// takes as long
    #[arg(long, conflicts_with = "model")]
    online: bool,
    /// Leave the model out of the archive, which then needs it to be read
    #[arg(long, requires = "model")]
    external: bool,
    /// How to store the model: fp16, int8, bits a parameter (2 to 16), or auto
    /// for the shortest archive
    #[arg(long, value_name = "BITS", default_value = "auto", value_parser = width)]
    pub(super) bits: Width,
    /// How to code: mixed, model, contexts or raw [default: all there is]
    #[arg(long, value_name = "METHOD", value_parser = method)]
    method: Option<Method>,
    /// Parts of a block that are decoded side by side where there is a model,
    /// rounded down to a power of two. Fewer make smaller archives, one the
    /// smallest, and decode slower [default: 1 with --train, otherwise 8 to
    /// 32, by the model's size]
    #[arg(long, value_name = "COUNT", conflicts_with = "online", value_parser = lanes)]
    lanes: Option<usize>,
    /// Bytes that are coded, and can be read, on their own
    #[arg(long, value_name = "BYTES", default_value_t = Options::default().block, value_parser = block)]
    pub(super) block: usize,
    /// Do not decode the archive after writing it, or as it goes to standard
    /// output
    #[arg(long)]
    pub(super) no_verify: bool,
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
    pub(super) common: Common,
}

/// How to store a model.
#[derive(Clone, Copy, Debug)]
pub(super) enum Width {
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
    up_to(text, MAX_BLOCK)
}

fn lanes(text: &str) -> Result<usize, String> {
    up_to(text, MAX_LANES)
}

fn up_to(text: &str, most: usize) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(format!("not a number from 1 to {most}")),
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
    if args.common.stdout && args.files.len() > 1 {
        bail!(Usage(
            "-c takes one file: archives one after another cannot be read".into()
        ));
    }
    if args.training.train && args.online {
        bail!(Usage(
            "--train stores a model, --online stores none: give one of them".into()
        ));
    }
    if args.training.train && (args.model.is_some() || args.method.is_some()) {
        bail!(Usage(
            "--train makes the model and chooses the method: leave out -m and --method".into()
        ));
    }
    let has_model = args.model.is_some() || args.online;
    if !has_model && args.method.is_some_and(Method::needs_model) {
        bail!(Usage(
            "this method needs a model: give it with -m, or --online".into()
        ));
    }
    if args.lanes.is_some() && !has_model && !args.training.train {
        bail!(Usage(
            "--lanes is for a model: give it with -m, or --train".into()
        ));
    }
    files::clean_up_on_interrupt()?;
    let weights = args.model.as_deref().map(Weights::load).transpose()?;
    let work = |path: &Path| args.compress(path, weights.as_ref());
    args.common.run.each(&args.files, work)
}

impl Args {
    fn compress(&self, path: &Path, weights: Option<&Weights>) -> Result<()> {
        if self.training.train {
            return self.train(path);
        }
        let mut target = self.common.target(path, Some(self.derived(path)))?;
        let source = match weights {
            None if self.online => learning(length(path)?)?,
            None => Source::none(),
            Some(weights) if self.external => Source::external(weights),
            Some(weights) => Source::embedded(weights, &self.plan(weights, path)?),
        };
        let input = files::open(path)?;
        let summary = match &mut target {
            Target::Stdout => {
                let out = files::stdout_for_archives(self.common.force)?;
                // It cannot be read again, so it is decoded on its way.
                let models = (!self.no_verify).then_some(models(weights));
                self.write(path, input, out.lock(), &source, models)?
            }
            Target::File(file) => {
                let summary = self.write(path, input, &mut *file, &source, None)?;
                self.verify(file, &summary, weights)?;
                summary
            }
        };
        match target {
            Target::Stdout => self.report(path, &summary, "standard output"),
            Target::File(file) => {
                let name = file.path().display().to_string();
                file.finish()?;
                self.report(path, &summary, &name);
            }
        }
        Ok(())
    }

    /// The archive's name beside its source.
    pub(super) fn derived(&self, path: &Path) -> PathBuf {
        let mut derived = OsString::from(path);
        derived.push(format!(".{EXTENSION}"));
        derived.into()
    }

    pub(super) fn report(&self, path: &Path, summary: &Summary, name: &str) {
        self.common.run.say(|| {
            let rate = 100.0 * summary.stored as f64 / summary.raw.max(1) as f64;
            let (raw, stored) = (summary.raw, summary.stored);
            format!(
                "{}: {raw} bytes to {stored} ({rate:.2}%), {name}",
                path.display()
            )
        });
    }

    /// Writes an archive; with `models`, it is decoded as it is written.
    pub(super) fn write(
        &self,
        path: &Path,
        (input, length): (impl Read, Option<u64>),
        out: impl Write,
        source: &Source,
        models: Option<Models>,
    ) -> Result<Summary> {
        let bar = self.common.run.bar("compress", length);
        let start = Instant::now();
        let options = Options {
            block: self.block,
            method: self.method,
            level: self.level.level(),
            // Who trains a model for a file wants the smallest archive.
            lanes: self.lanes.or(self.training.train.then_some(1)),
        };
        let progress = |more| bar.inc(more);
        let summary = match models {
            None => archive::compress(input, out, source, &options, &progress),
            Some(models) => {
                archive::compress_verified(input, out, source, &options, &models, &progress)
            }
        };
        bar.finish_and_clear();
        let summary = summary.with_context(|| format!("cannot compress {}", path.display()))?;
        self.tell_speed("coded", &summary, start);
        Ok(summary)
    }

    /// Decodes what was written, unless that is not wanted.
    pub(super) fn verify(
        &self,
        file: &mut OutputFile,
        summary: &Summary,
        weights: Option<&Weights>,
    ) -> Result<()> {
        if self.no_verify {
            return Ok(());
        }
        let bar = self.common.run.bar("verify", Some(summary.raw));
        let start = Instant::now();
        let (input, progress) = (file.reread()?, |more| bar.inc(more));
        let decoded = archive::decompress(input, std::io::sink(), &models(weights), &progress)
            .context("the archive does not decode")?;
        bar.finish_and_clear();
        if decoded != *summary {
            bail!("the archive does not decode to its source");
        }
        self.tell_speed("decoded", summary, start);
        Ok(())
    }

    /// How fast a model that learns goes, which is what its user pays; others
    /// on request.
    fn tell_speed(&self, what: &str, summary: &Summary, start: Instant) {
        if self.online || self.common.run.verbose {
            self.common.run.say_speed(what, summary.raw, start);
        }
    }

    /// How finely to store the model for this file.
    fn plan(&self, weights: &Weights, path: &Path) -> Result<Plan> {
        if let Width::Fixed(precision) = self.bits {
            return Ok(Plan::new(weights, precision));
        }
        let trained = stored_plan(weights);
        if is_dash(path) {
            // What is in a stream is not known before.
            return Ok(trained.unwrap_or_else(|| Plan::new(weights, Precision::Int8)));
        }
        self.shortest(weights, trained, path)
    }

    /// The plan for the shortest archive, as a sample of the file sees it: the one
    /// that the model was trained for, if it was, or no model.
    fn shortest(&self, weights: &Weights, trained: Option<Plan>, path: &Path) -> Result<Plan> {
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
        let data_bits = |weights: &Weights| {
            bar.inc(sample.len() as u64);
            score(weights, &sample).map(|s| s.bits * share)
        };
        let plan = match trained {
            Some(plan) => plan.or_zeros(weights, data_bits),
            None => Plan::minimise(weights, data_bits),
        }?;
        bar.finish_and_clear();
        Ok(plan)
    }
}

/// Bytes of a source, if that is known before it is read.
fn length(path: &Path) -> Result<Option<u64>> {
    if is_dash(path) {
        return Ok(None);
    }
    let metadata = files::open_file(path)?.metadata()?;
    Ok(metadata.is_file().then_some(metadata.len()))
}
