//! What the trials of a sweep are, and so which report is theirs.

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
}
