//! `brevity compress --train`: the options of a model that is trained on the file, and
//! the messages about it.

use super::units;
use brevity_codec::archive::Summary;
use brevity_lab::pack::{Budget, Event, OwnModel, Packed, Verdict, recipe, spec_near};
use brevity_stats::critical::prior::Prior;
use std::path::Path;

/// How the model is trained.
#[derive(clap::Args)]
pub struct Training {
    /// Train a model on the file and store it in the archive, where that is
    /// shorter; a run that was stopped continues
    #[arg(long, conflicts_with_all = ["external", "stdout"])]
    pub train: bool,
    /// Parameters of the model, about, such as 20K [default: the predicted critical size, if a
    /// model of that size is expected to pay]
    #[arg(
        long,
        value_name = "COUNT",
        requires = "train",
        value_parser = units::parameters
    )]
    pub(super) size: Option<u64>,
    /// How often to train on the whole file [default: by its length]
    #[arg(long, value_name = "COUNT", requires = "train", value_parser = epochs)]
    epochs: Option<f64>,
    /// How many bytes to train on, with repetition: those that the model sees, to which
    /// frequent words of prose are single bytes
    #[arg(
        long,
        value_name = "BYTES",
        requires = "train",
        conflicts_with = "epochs",
        value_parser = budget
    )]
    budget: Option<u64>,
    /// Seed of the training
    #[arg(long, value_name = "NUMBER", requires = "train", default_value_t = 0)]
    seed: u64,
}

fn epochs(text: &str) -> Result<f64, String> {
    let epochs = text.parse().map_err(|_| "a number is needed")?;
    possible(Budget::Epochs(epochs)).map(|()| epochs)
}

fn budget(text: &str) -> Result<u64, String> {
    let bytes = units::some_bytes(text)?;
    possible(Budget::Bytes(bytes)).map(|()| bytes)
}

/// Refuses a length that no training has, before anything is read or made.
fn possible(budget: Budget) -> Result<(), String> {
    let checked = recipe(1, budget).validate();
    checked.map_err(|error| error.reason)
}

impl Training {
    /// The options for the library; the caller sets the precision and the archive.
    pub(super) fn own_model(&self) -> OwnModel {
        OwnModel {
            size: self.size,
            budget: match (self.epochs, self.budget) {
                (Some(epochs), _) => Budget::Epochs(epochs),
                (_, Some(bytes)) => Budget::Bytes(bytes),
                _ => Budget::Usual,
            },
            seed: self.seed,
            ..OwnModel::default()
        }
    }
}

/// The message about an event while the file at `path` is processed. Words and the trial of
/// small models are reported only if `verbose`; `size` is the number of parameters asked for.
pub(super) fn on_the_way(
    event: &Event<'_>,
    path: &Path,
    size: Option<u64>,
    verbose: bool,
) -> Option<String> {
    match event {
        Event::Words { bytes, seen } => verbose.then(|| {
            format!(
                "frequent words are single bytes for the model: it sees {seen} of {bytes} bytes"
            )
        }),
        Event::Tried([small, large]) => {
            verbose.then(|| format!("two small models: {small:.3} and {large:.3} bits per byte"))
        }
        Event::Training {
            setup,
            bytes,
            folder,
        } => {
            let parameters = setup.spec.parameters();
            Some(format!(
                "{}: training {parameters} parameters{} on {bytes} bytes in {}",
                path.display(),
                size.map_or(String::new(), |size| instead(size, parameters)),
                folder.display()
            ))
        }
    }
}

/// Why there are not as many parameters as were asked for, where they differ by a tenth or more.
fn instead(size: u64, parameters: u64) -> String {
    let share = parameters as f64 / size.max(1) as f64;
    match (0.9..1.1).contains(&share) {
        true => String::new(),
        false => format!(" (the nearest size to {size}: widths are multiples of 8)"),
    }
}

/// The gain of the model, and the estimated gain of other sizes.
pub(super) fn verdict(packed: &Packed) -> Vec<String> {
    let plain = &packed.plain;
    match &packed.verdict {
        Verdict::TooShort => {
            vec!["no model is small enough for so few bytes; the archive has none".into()]
        }
        Verdict::NotExpectedToPay(prior) => vec![would_not_pay(prior, plain)],
        Verdict::Trained {
            summary,
            parts,
            parameters,
            prior,
        } => {
            let bits = parts.model_bytes as f64 * 8.0 / *parameters as f64;
            let measured = summary.stored as f64 / prior.bytes(*parameters as f64);
            let mut lines = vec![format!(
                "with a model of {parameters} parameters at {bits:.2} bits: {} bytes, of \
                 which the model is {}; with contexts alone: {} bytes{}",
                summary.stored,
                parts.model_bytes,
                plain.stored,
                match summary.stored < plain.stored {
                    true => "",
                    false => ", so the archive has no model",
                }
            )];
            let others = [parameters / 2, parameters * 2].map(buildable);
            let others = others.iter().filter(|other| *other != parameters);
            let estimates: Vec<String> = others
                .map(|other| {
                    let bytes = measured * prior.bytes(*other as f64);
                    format!("about {bytes:.0} bytes with {other} parameters")
                })
                .collect();
            if !estimates.is_empty() {
                lines.push(format!("estimates: {}", estimates.join(", ")));
            }
            lines
        }
    }
}

/// The number of parameters nearest to this that a model can have.
fn buildable(parameters: u64) -> u64 {
    spec_near(parameters).parameters()
}

fn would_not_pay(prior: &Prior, plain: &Summary) -> String {
    let best = buildable(prior.best() as u64);
    format!(
        "no model is expected to pay: with the best, of {best} parameters, about {:.0} bytes, \
         with contexts alone {}; --size trains one all the same",
        prior.bytes(best as f64),
        plain.stored
    )
}
