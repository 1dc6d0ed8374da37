//! Pretrained language models: `brevity import`, and the parts of `compress`,
//! `decompress` and `score` that handle them.

use super::files::{self, Common, Run};
use super::output::{Target, stdout_for_archives};
use crate::console;
use crate::exit::Usage;
use anyhow::{Context, Result, bail};
use brevity_data::DataConfig;
use brevity_pretrained::Model;
use brevity_pretrained::archive::{self, Limits, MAGIC, Settings};
use brevity_pretrained::score::{Score, score};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Says what a pretrained language model is: a GGUF file or a Hugging Face folder.
///
/// Nothing is copied: other commands read the model where it is.
#[derive(clap::Args)]
pub struct Args {
    /// Models
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<PathBuf>,
    /// Print JSON, an object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    run: Run,
}

/// Runs `brevity import`.
///
/// # Errors
/// A model that cannot be loaded.
pub fn run(args: Args) -> Result<()> {
    args.run.each(&args.models, |path| {
        let description = Model::load(path)?.describe();
        let mut out = console::stdout()?;
        if args.json {
            serde_json::to_writer(&mut out, &description)?;
            return Ok(writeln!(out)?);
        }
        Ok(write!(out, "{description}")?)
    })
}

/// Whether a file is an archive made with a pretrained model.
pub fn is_archive(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    let file = File::open(path);
    file.and_then(|mut file| file.read_exact(&mut start))
        .is_ok()
        && start == MAGIC
}

/// How to compress with a pretrained model.
pub struct Compress<'a> {
    pub model: &'a Path,
    pub lanes: Option<usize>,
    pub verify: bool,
    pub common: &'a Common,
}

impl Compress<'_> {
    /// Compresses files; `derived` is the name of an archive.
    ///
    /// # Errors
    /// A file that cannot be read or written; an archive that gives other bytes back,
    /// which is then not kept.
    pub fn files(
        &self,
        paths: &[PathBuf],
        derived: impl Fn(&Path) -> PathBuf + Sync,
    ) -> Result<()> {
        let run = &self.common.run;
        let model = run.with_threads(|| Model::load(self.model))??;
        run.each(paths, |path| {
            self.file(&model, path, self.common.target(path, Some(derived(path)))?)
        })
    }

    fn file(&self, model: &Model, path: &Path, mut target: Target) -> Result<()> {
        let run = &self.common.run;
        let mut settings = Settings::new(model);
        settings.lanes = self.lanes.unwrap_or(settings.lanes);
        let content = read(path)?;
        let bar = run.bar("compress", Some(content.len() as u64));
        let done = archive::compress(model, &settings, &content, &|more| bar.inc(more as u64));
        bar.finish_and_clear();
        let done = done.with_context(|| format!("cannot compress {}", path.display()))?;
        if self.verify {
            let limits = Limits {
                bytes: content.len() as u64,
                memory: u64::MAX,
            };
            let back = decode(model, &done.archive, &limits, run, "verify");
            if back.context("the archive does not decode")? != content {
                bail!("the archive does not decode to its source");
            }
        }
        let name = match target {
            Target::Stdout => {
                stdout_for_archives(self.common.force)?.write_all(&done.archive)?;
                "standard output".to_owned()
            }
            Target::File(ref mut file) => {
                file.write_all(&done.archive)?;
                file.path().display().to_string()
            }
        };
        if let Target::File(file) = target {
            file.finish()?;
        }
        run.say(|| {
            let (from, to) = (content.len(), done.archive.len());
            let rate = 100.0 * to as f64 / from.max(1) as f64;
            let (path, entropy) = (path.display(), done.bits / 8.0);
            format!("{path}: {from} bytes to {to} ({rate:.2}%; entropy sum {entropy:.1}), {name}")
        });
        Ok(())
    }
}

/// Decompresses an archive with the model at `model`.
///
/// # Errors
/// An archive that is damaged or of another model; a file that cannot be written.
pub fn decompress(model: Option<&Path>, path: &Path, out: &mut dyn Write, run: &Run) -> Result<()> {
    let Some(model) = model else {
        bail!(Usage(format!(
            "{} was made with a pretrained model: give it with -m",
            path.display()
        )));
    };
    let context = || format!("cannot decompress {}", path.display());
    let model = Model::load(model)?;
    let limits = Limits::default();
    let content = decode(&model, &read(path)?, &limits, run, "decompress");
    Ok(out.write_all(&content.with_context(context)?)?)
}

fn decode(
    model: &Model,
    bytes: &[u8],
    limits: &Limits,
    run: &Run,
    what: &str,
) -> Result<Vec<u8>, archive::ArchiveError> {
    let bar = run.bar(what, Some(archive::header(bytes)?.bytes));
    let more = |more: usize| bar.inc(more as u64);
    let content = archive::decompress(model, bytes, limits, &more);
    bar.finish_and_clear();
    content
}

/// One model on one byte set.
#[derive(serde::Serialize)]
pub struct Scored {
    model: PathBuf,
    data: String,
    #[serde(flatten)]
    score: Score,
}

/// Scores each model on each byte set; archives are decoded again if `verify` says so.
///
/// # Errors
/// A model or byte set that cannot be read; an archive that gives other bytes back.
pub fn scores(models: &[PathBuf], data: &[DataConfig], verify: bool) -> Result<Vec<Scored>> {
    let sets = data.iter().map(|data| Ok(data.load()?.train));
    let sets: Vec<_> = sets.collect::<Result<_>>()?;
    let mut out = Vec::new();
    for path in models {
        let model = Model::load(path)?;
        let settings = Settings::new(&model);
        for set in &sets {
            let score = score(&model, &settings, &set.bytes, verify, &|_| {});
            let name = &set.provenance.source;
            out.push(Scored {
                model: path.clone(),
                data: name.clone(),
                score: score.with_context(|| format!("cannot score `{name}`"))?,
            });
        }
    }
    Ok(out)
}

/// One line for each score.
pub fn text(scores: &[Scored]) -> String {
    let line = |scored: &Scored| {
        let Scored { model, data, score } = scored;
        let percent = |rate: f64| format!("{:.2}%", 100.0 * rate);
        let state = if score.verified {
            "decoded"
        } else {
            "estimate"
        };
        format!(
            "{}, {} bytes of {data}: {:.4} bits per byte, raw {}, adjusted {} (stored), {} (fp16), {state}\n",
            model.display(),
            score.data_bytes,
            score.bits_per_byte,
            percent(score.raw_rate),
            percent(score.adjusted_rate.stored),
            percent(score.adjusted_rate.fp16),
        )
    };
    scores.iter().map(line).collect()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let (mut input, _) = files::open(path)?;
    input
        .read_to_end(&mut content)
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(content)
}
