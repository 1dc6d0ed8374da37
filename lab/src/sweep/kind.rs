//! What the trials of a sweep are, and so which report is theirs.

use super::manifest::Manifest;

/// What the trials of an experiment do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Train a model and score it.
    TwoPart,
    /// Price bytes while they are learned.
    Prequential,
    /// Both, with leaks.
    Contamination,
}

impl Kind {
    /// The subcommand that runs such trials.
    pub fn command(self) -> &'static str {
        match self {
            Kind::TwoPart => "sweep",
            Kind::Prequential => "prequential",
            Kind::Contamination => "contamination",
        }
    }

    /// Read off the trials: only `[contamination]` names the part of the experiment
    /// that a trial belongs to.
    pub(super) fn of(manifest: &Manifest) -> Kind {
        let mut trials = manifest.trials.iter();
        if trials.clone().any(|trial| trial.axes.get("part").is_some()) {
            return Kind::Contamination;
        }
        match trials.all(|trial| trial.config.prequential.is_some()) {
            true => Kind::Prequential,
            false => Kind::TwoPart,
        }
    }
}
