//! `brevity decompress`: archives back into files.

use super::files::{self, Common, is_dash};
use super::limits::{self, Limits};
use super::output::Target;
use super::predictor::Predictor;
use super::pretrained;
use super::units;
use crate::console::{note, stdout};
use crate::exit::Usage;
use anyhow::{Context, Result, bail};
use brevity_codec::archive::{self, EXTENSION, Models};
use brevity_lab::experiments::score::model_file;
use brevity_measure::Decoding;
use brevity_model::Weights;
use brevity_pretrained::Model;
use brevity_task::chain;
use std::io::Write;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Decompresses FILE.bvy to FILE and checks every hash.
#[derive(clap::Args)]
pub struct Args {
    /// Archives to decompress; `-` is standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The model, for an archive that does not contain it: a safetensors file, a GGUF
    /// file or a Hugging Face folder
    #[arg(short, long, value_name = "FILE")]
    model: Option<PathBuf>,
    #[command(flatten)]
    predictor: Predictor,
    /// Decompress only these bytes of the original, to -o or -c; either end may be left out
    #[arg(long, value_name = "START..END", value_parser = range)]
    range: Option<Part>,
    /// Recover the intact blocks of a damaged archive; lost blocks become zeros
    #[arg(long, conflicts_with = "range")]
    salvage: bool,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    common: Common,
}

/// Bytes from the first to before the second.
type Part = (Bound<u64>, Bound<u64>);

fn range(text: &str) -> Result<Part, String> {
    let bad = || format!("`{text}` is not a range such as 100..200");
    let (start, end) = text.split_once("..").ok_or_else(bad)?;
    let number = |text: &str| match text {
        "" => Ok(None),
        _ => units::bytes(text).map(Some).map_err(|_| bad()),
    };
    let (start, end) = (number(start)?, number(end)?);
    if end.is_some_and(|end| end < start.unwrap_or(0)) {
        return Err(bad());
    }
    let bound = |end: Option<u64>, some: fn(u64) -> Bound<u64>| end.map_or(Bound::Unbounded, some);
    Ok((bound(start, Bound::Included), bound(end, Bound::Excluded)))
}

impl Args {
    /// The options of `brevity compress -d`.
    pub fn new(
        files: Vec<PathBuf>,
        model: Option<PathBuf>,
        predictor: Predictor,
        common: Common,
    ) -> Args {
        Args {
            files,
            model,
            predictor,
            range: None,
            salvage: false,
            limits: Limits::default(),
            common,
        }
    }
}

/// The path of this program, to start it again: the file that is running, even if its
/// name now belongs to another file.
pub fn own_program() -> Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() {
        return Ok(running.to_owned());
    }
    std::env::current_exe().context("cannot tell where this program lies")
}

/// `brevity decompress` of an archive to standard output.
pub fn command(program: &Path, decoding: &Decoding) -> Command {
    let mut command = Command::new(program);
    command.args(["decompress", "--quiet", "--stdout"]);
    // What was just coded may be decoded.
    command.args(["--memory=none", "--work=none"]);
    command.arg(format!("--threads={}", decoding.threads));
    if let Some(model) = decoding.model {
        command.arg("--model").arg(model);
    }
    command.arg("--").arg(decoding.archive);
    command
}

/// Runs `brevity decompress`.
///
/// # Errors
/// Wrong usage; a file that cannot be read or written; an archive that is
/// damaged or needs another model. A file that is not complete is not kept,
/// unless it was salvaged.
pub fn run(mut args: Args) -> Result<()> {
    args.common.model.clone_from(&args.model);
    if args.common.output.is_some() && args.files.len() > 1 {
        bail!(Usage("-o takes one file".into()));
    }
    if args.files.iter().filter(|path| is_dash(path)).count() > 1 {
        bail!(Usage("standard input, `-`, can be read once".into()));
    }
    let own = args.model.as_deref().filter(|path| !Model::is_at(path));
    let weights = own
        .map(|path| Weights::load(&model_file(path)))
        .transpose()?;
    let readers = args.predictor.readers()?;
    let models = Models {
        limits: args.limits.into(),
        ..readers.models(weights.as_ref())
    };
    let work = |path: &Path| args.decompress(path, &models);
    args.common.run.each(&args.files, work)
}

impl Args {
    fn decompress(&self, path: &Path, models: &Models) -> Result<()> {
        let is_told = self.common.output.is_some() || self.common.stdout;
        if self.range.is_some() && !is_told && !is_dash(path) {
            bail!(Usage(
                "--range gives a part, which gets no name of itself: say where to write with -o, \
                 or -c for standard output"
                    .into()
            ));
        }
        let named = path.extension().is_some_and(|e| e == EXTENSION);
        let derived = named.then(|| path.with_extension(""));
        let mut target = self.common.target(path, derived)?;
        if pretrained::is_archive(path) {
            if self.salvage || self.range.is_some() {
                bail!(Usage(format!(
                    "{} was made with a pretrained model: such archives are decoded whole",
                    path.display()
                )));
            }
            let (model, run) = (self.model.as_deref(), &self.common.run);
            let allowed = &models.limits;
            match &mut target {
                Target::Stdout => {
                    pretrained::decompress(model, path, &mut stdout()?, allowed, run)?
                }
                Target::File(file) => {
                    pretrained::decompress(model, path, &mut *file, allowed, run)?
                }
            }
            if let Target::File(file) = target {
                file.finish()?;
            }
            return Ok(());
        }
        let damage = match &mut target {
            Target::Stdout => self.write(path, stdout()?, models)?,
            Target::File(file) => self.write(path, &mut *file, models)?,
        };
        if let Target::File(file) = target {
            file.finish()?;
        }
        if let Some(what) = damage {
            bail!("{}: {what}", path.display());
        }
        Ok(())
    }

    /// Returns what is wrong with an archive; only a salvage continues after an error.
    fn write(&self, path: &Path, out: impl Write, models: &Models) -> Result<Option<&'static str>> {
        let context = || format!("cannot decompress {}", path.display());
        let run = &self.common.run;
        if !self.salvage && self.range.is_none() {
            if !is_dash(path) {
                limits::announce(path, models, |line| run.say(|| line))?;
            }
            let (input, _) = files::open(path)?;
            let bar = run.bar("decompress", None);
            let start = Instant::now();
            let summary = archive::decompress(input, out, models, &|more| bar.inc(more));
            bar.finish_and_clear();
            let summary = summary.with_context(context)?;
            if run.verbose {
                run.say(|| format!("{}: {} bytes", path.display(), summary.raw));
                run.say_speed("decoded", summary.raw, start);
            }
            return Ok(None);
        }
        if is_dash(path) {
            bail!(Usage(
                "--range and --salvage read a file, not standard input".into()
            ));
        }
        let input = files::open_file(path)?;
        if let Some(range) = self.range {
            archive::decompress_range(input, out, models, range).with_context(context)?;
            return Ok(None);
        }
        let salvaged = match archive::salvage(input, out, models) {
            // These advise a salvage.
            Err(archive::Error::Version(_) | archive::Error::Engine(_)) => bail!(
                "{}: no header of this program's versions fits what follows: the archive is newer, \
                 or too much of it is damaged",
                path.display()
            ),
            salvaged => salvaged.with_context(context)?,
        };
        for damage in salvaged.damage.iter().take(SHOWN_DAMAGE) {
            note(format_args!(
                "brevity: {}: {}",
                path.display(),
                chain(damage)
            ));
        }
        let more = salvaged.damage.len().saturating_sub(SHOWN_DAMAGE);
        if more > 0 {
            note(format_args!(
                "brevity: {}: {more} more of such lines",
                path.display()
            ));
        }
        run.say(|| {
            let recovered = salvaged.recovered;
            let lost = match (salvaged.lost, salvaged.unconfirmed) {
                (lost, false) => format!("{lost} lost"),
                (lost, true) => {
                    format!("an unknown number lost, taken for {lost}, which no check confirms")
                }
            };
            let rest = match salvaged.unread {
                Some(offset) => format!(", and all that follows offset {offset} of the archive"),
                None => String::new(),
            };
            let path = path.display();
            let surplus = match salvaged.surplus {
                0 => String::new(),
                bytes => format!("; {bytes} bytes follow the end of the archive"),
            };
            let zeros: Vec<String> = salvaged.zeros.iter().map(as_range).collect();
            let more = match zeros.len().saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let shown = zeros[..zeros.len().min(SHOWN)].join(", ");
            let zeros = match zeros.is_empty() {
                true => String::new(),
                false => format!(" (zeros at {shown}{more})"),
            };
            format!("{path}: {recovered} bytes recovered, {lost}{zeros}{rest}{surplus}")
        });
        if salvaged.recovered == 0 && !salvaged.is_original {
            // Nothing that should take the place of a file.
            bail!("{}: nothing was recovered", path.display());
        }
        let all = salvaged.lost == 0 && !salvaged.unconfirmed && salvaged.unread.is_none();
        Ok((!salvaged.damage.is_empty()).then_some(match all {
            true if salvaged.is_original => {
                "the archive is damaged; by its check, the bytes are the original"
            }
            true => {
                "no damaged block was found, but the hash of the original does not confirm the bytes"
            }
            false => "parts of the archive are lost",
        }))
    }
}

/// Lines about damage that are shown.
const SHOWN_DAMAGE: usize = 40;

/// Ranges of lost bytes that are shown.
const SHOWN: usize = 8;

/// A range of bytes as `--range` takes it.
fn as_range(range: &std::ops::Range<u64>) -> String {
    format!("{}..{}", range.start, range.end)
}
