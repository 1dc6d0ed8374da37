//! Archives of a file with a model trained on it, if that makes the archive shorter.

use super::contexts::contexts;
use super::learning::learning_on_source;
use super::{Budget, PILOT_BYTES, PackError, Workspace, pilots, recipe, spec_near, train};
use brevity_codec::archive::{self, Inspection, Options, Source, Summary};
use brevity_codec::weights::{Plan, Precision};
use brevity_codec::{Contexts, Words};
use brevity_measure::StoredModel;
use brevity_stats::critical::prior::{PROSE_PILOTS, Prior, STORED_BITS};
use brevity_task::{Control, Counter, Progress};
use brevity_train::online::LearningModel;
use brevity_train::{DeviceKind, TrainError, TrainSetup};
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

/// Options of training a model for a file.
#[derive(Clone, Debug)]
pub struct OwnModel {
    /// Approximate number of parameters; by default the predicted critical size, if a
    /// model of that size is expected to shorten the archive.
    pub size: Option<u64>,
    /// Length of training.
    pub budget: Budget,
    /// Seed of the training.
    pub seed: u64,
    /// Precision of the stored weights; by default the one that gives the shortest
    /// archive.
    pub precision: Option<Precision>,
    /// Whether the model goes on learning while it codes: smaller archives, which take as
    /// long to decode as to code.
    pub learn: bool,
    /// Options of the archive.
    pub archive: Options,
}

impl Default for OwnModel {
    /// The predicted size and the usual budget; one lane, for the smallest archive.
    fn default() -> OwnModel {
        OwnModel {
            size: None,
            budget: Budget::Usual,
            seed: 0,
            precision: None,
            learn: false,
            archive: Options {
                lanes: Some(1),
                ..Options::default()
            },
        }
    }
}

/// Events, each reported before the next long step.
#[derive(Debug)]
pub enum Event<'a> {
    /// Frequent words are single bytes for the model: it sees so many bytes of so many.
    Words {
        /// Bytes of the file.
        bytes: u64,
        /// Those that the model sees.
        seen: u64,
    },
    /// Two small models were tried: their bits per byte that they see, the smaller one first.
    Tried([f64; 2]),
    /// A training starts or continues.
    Training {
        /// The model and its training options.
        setup: &'a TrainSetup,
        /// Training bytes, with repetition.
        bytes: u64,
        /// Folder of its checkpoints.
        folder: &'a Path,
    },
}

/// Whether a model shortens the archive.
#[derive(Debug)]
pub enum Verdict {
    /// The file is too short for any model.
    TooShort,
    /// No model was expected to shorten the archive, so none was trained.
    NotExpectedToPay(Prior),
    /// A model was trained; the archive holds it if that is shorter.
    Trained {
        /// The archive with the model.
        summary: Summary,
        /// Its parts.
        parts: Box<Inspection>,
        /// Parameters of the model.
        parameters: u64,
        /// The prediction.
        prior: Prior,
    },
}

/// An archive of a file, with or without a model of its own.
#[derive(Debug)]
pub struct Packed {
    /// The shorter one of the archives with and without a model.
    pub archive: Vec<u8>,
    /// Its lengths.
    pub summary: Summary,
    /// The lengths of the archive without a model.
    pub plain: Summary,
    /// The effect of the model.
    pub verdict: Verdict,
    workspace: Option<Workspace>,
}

impl Packed {
    /// Removes the training folder. Call it once the archive is saved: until then, the
    /// same call gives the archive again without training.
    ///
    /// # Errors
    /// An error of the file system.
    pub fn forget_training(self) -> Result<(), PackError> {
        self.workspace.map_or(Ok(()), Workspace::remove)
    }
}

/// Compresses `data` with a model that is trained on them and stored in the archive; or
/// without a model, if that is shorter or expected to be shorter.
///
/// The model is trained for what is left to it: the context models run over the data
/// once, and the loss is the code length of their mixture with the model. In prose,
/// frequent [words](Words) are single bytes for both.
///
/// Checkpoints and the trained model are in `folder`, which is created if needed and
/// locked for one process. `None` if a stop was requested; the same call then continues
/// the training and gives the same archive as an uninterrupted one. The archive has not
/// been decoded: see [`archive::decompress`].
///
/// # Errors
/// Options that no training can have, a folder that belongs to something else, a training
/// that fails.
pub fn compress_with_own_model(
    data: &[u8],
    folder: &Path,
    options: &OwnModel,
    control: &Control<'_>,
    told: &dyn Fn(&Event<'_>),
) -> Result<Option<Packed>, PackError> {
    check(options, data.len() as u64)?;
    let (plain_archive, plain) = write(data, &Source::none(), &options.archive, control)?;
    let done = |archive, summary, verdict, workspace| {
        Ok(Some(Packed {
            archive,
            summary,
            plain,
            verdict,
            workspace,
        }))
    };
    let smallest = spec_near(0).parameters() as f64 * STORED_BITS / 8.0;
    if smallest >= plain.stored as f64 {
        return done(plain_archive, plain, Verdict::TooShort, None);
    }
    let words = Words::of(data, options.archive.level);
    let shorter = words.as_ref().and_then(|words| words.shorten(data));
    let words = words.filter(|_| shorter.is_some());
    let seen = shorter.map_or(Cow::Borrowed(data), Cow::Owned);
    let bytes = seen.len() as u64;
    if words.is_some() {
        told(&Event::Words {
            bytes: data.len() as u64,
            seen: bytes,
        });
    }
    let workspace = Workspace::open(folder.to_owned())?;
    let prior = match options.size {
        // What is told of prose is told of bytes of the file.
        Some(_) => prior(
            bytes,
            &plain,
            PROSE_PILOTS.map(|bits| bits * data.len() as f64 / bytes as f64),
        ),
        None => {
            let progress = in_bytes(control, "try", PILOT_BYTES);
            let control = Control {
                stop: control.stop,
                progress: &progress,
            };
            let Some(tried) = pilots(&seen, &workspace, &control)? else {
                return Ok(None);
            };
            told(&Event::Tried(tried));
            prior(bytes, &plain, tried)
        }
    };
    let size = match options.size {
        Some(size) => size,
        None if prior.bytes(prior.best()) < plain.stored as f64 => prior.best() as u64,
        None => {
            // A training with other options uses the folder; it is kept.
            let kept = (!workspace.is_in_use()).then_some(workspace);
            let verdict = Verdict::NotExpectedToPay(prior);
            return done(plain_archive, plain, verdict, kept);
        }
    };
    drop(seen);
    let beside = contexts(data, words.as_ref(), &options.archive, true, control);
    let Some((beside, seen)) = beside else {
        return Ok(None);
    };
    let Some(model) = trained(&seen, beside, size, &workspace, options, control, told)? else {
        return Ok(None);
    };
    let source = match options.learn {
        true => learning_on_source(&model.exact, &model.plan)?,
        false => Source::embedded(&model.exact, &model.plan),
    };
    let source = source.with_words(words);
    let (archive, summary) = write(data, &source, &options.archive, control)?;
    let parts = archive::inspect(&archive[..])?.into();
    let verdict = Verdict::Trained {
        summary,
        parts,
        parameters: model.exact.parameters(),
        prior,
    };
    match summary.stored < plain.stored {
        true => done(archive, summary, verdict, Some(workspace)),
        false => done(plain_archive, plain, verdict, Some(workspace)),
    }
}

/// Refuses what no training can do, before its folder is made: that would keep the next
/// training, with other options, out of it.
fn check(options: &OwnModel, bytes: u64) -> Result<(), PackError> {
    let config = recipe(bytes, options.budget);
    config.validate().map_err(TrainError::from)?;
    let Some(size) = options.size else {
        // Predicted sizes are small.
        return Ok(());
    };
    let spec = spec_near(size);
    if options.learn {
        LearningModel::check_size(&spec)?;
    }
    Ok(brevity_train::check(&spec, &config)?)
}

/// The model, trained beside context models, and its storage plan; `None` if a stop was
/// requested.
fn trained(
    data: &[u8],
    beside: Contexts,
    size: u64,
    workspace: &Workspace,
    options: &OwnModel,
    control: &Control<'_>,
    told: &dyn Fn(&Event<'_>),
) -> Result<Option<StoredModel>, PackError> {
    let length = data.len() as u64;
    let setup = TrainSetup {
        spec: spec_near(size),
        config: recipe(length, options.budget),
        seed: options.seed,
        device: DeviceKind::Flex,
        beside: Some(Arc::new(beside)),
    };
    let bytes = setup.config.total_bytes(&setup.spec, length);
    told(&Event::Training {
        setup: &setup,
        bytes,
        folder: workspace.folder(),
    });
    let progress = in_bytes(control, "train", bytes);
    let control = Control {
        stop: control.stop,
        progress: &progress,
    };
    let model = train(&setup, data, workspace, &control)?;
    Ok(model.map(|mut model| {
        if let Some(precision) = options.precision {
            model.plan = Plan::new(&model.exact, precision);
        }
        model
    }))
}

/// Reports training progress in bytes seen.
fn in_bytes<'a>(
    control: &'a Control<'_>,
    what: &'a str,
    of: u64,
) -> impl Fn(Progress<'_>) + Sync + use<'a> {
    move |at| {
        control.tell(Progress {
            done: at.bytes,
            of,
            what,
            ..at
        });
    }
}

/// The prediction from two pilots for so many bytes of this plain length.
fn prior(bytes: u64, plain: &Summary, pilots: [f64; 2]) -> Prior {
    let raw = bytes as f64;
    Prior::new(raw, 8.0 * plain.stored as f64 / raw, pilots)
}

fn write(
    data: &[u8],
    source: &Source<'_>,
    options: &Options,
    control: &Control<'_>,
) -> Result<(Vec<u8>, Summary), PackError> {
    let mut archive = Vec::new();
    let counter = Counter::new(control, "compress", data.len() as u64);
    let progress = |more| {
        counter.add(more);
    };
    let summary = archive::compress(data, &mut archive, source, options, &progress)?;
    Ok((archive, summary))
}
