//! `brevity verify`: is an archive intact?

use super::files::{self, Run, is_dash};
use super::limits::{self, Limits};
use super::predictor::Predictor;
use super::pretrained;
use anyhow::{Context, Result};
use brevity_codec::archive::{self, Models};
use brevity_lab::experiments::score::model_file;
use brevity_model::Weights;
use brevity_pretrained::Model;
use std::path::{Path, PathBuf};

/// Decodes archives and checks every hash, without writing anything.
#[derive(clap::Args)]
pub struct Args {
    /// Archives to check; `-` is standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The model, for an archive that does not contain it
    #[arg(short, long, value_name = "FILE")]
    model: Option<PathBuf>,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    predictor: Predictor,
    #[command(flatten)]
    run: Run,
}

impl Args {
    /// The options of `brevity compress -t`.
    pub fn new(
        files: Vec<PathBuf>,
        model: Option<PathBuf>,
        predictor: Predictor,
        run: Run,
    ) -> Args {
        Args {
            files,
            model,
            predictor,
            limits: Limits::default(),
            run,
        }
    }
}

/// Runs `brevity verify`.
///
/// # Errors
/// The first archive that is damaged, unreadable or needs another model.
pub fn run(args: Args) -> Result<()> {
    let own = args.model.as_deref().filter(|path| !Model::is_at(path));
    let weights = own
        .map(|path| Weights::load(&model_file(path)))
        .transpose()?;
    let readers = args.predictor.readers()?;
    let models = Models {
        limits: args.limits.into(),
        ..readers.models(weights.as_ref())
    };
    let work = |path: &Path| match pretrained::is_archive(path) {
        true => pretrained::verify(args.model.as_deref(), path, &models.limits, &args.run),
        false => verify(path, &models, &args.run),
    };
    args.run.each(&args.files, work)
}

fn verify(path: &Path, models: &Models, run: &Run) -> Result<()> {
    if !is_dash(path) {
        limits::announce(path, models, |line| run.say(|| line))?;
    }
    let (input, _) = files::open(path)?;
    let bar = run.bar("verify", None);
    let summary = archive::decompress(input, std::io::sink(), models, &|more| bar.inc(more));
    bar.finish_and_clear();
    let summary = summary.with_context(|| path.display().to_string())?;
    run.say(|| format!("{}: ok, {} bytes", path.display(), summary.raw));
    Ok(())
}
