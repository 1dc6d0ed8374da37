//! Errors of predictors from outside.

use std::io;
use std::time::Duration;

/// Why a predictor cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// The program does not start.
    #[error("cannot start the predictor `{command}`")]
    Start {
        /// Its command.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// The program does not speak the protocol.
    #[error("the predictor `{command}` does not speak the protocol: {problem}")]
    Protocol {
        /// Its command.
        command: String,
        /// What it said.
        problem: String,
    },
    /// The program ended, or closed its output.
    #[error("the predictor `{command}` ended ({status}) instead of predicting {what}")]
    Ended {
        /// Its command.
        command: String,
        /// Its exit status.
        status: String,
        /// What it was asked for.
        what: String,
    },
    /// The program gave no answer in time.
    #[error("the predictor `{command}` took more than {} s to predict {what}", .limit.as_secs_f64())]
    Slow {
        /// Its command.
        command: String,
        /// What it was asked for.
        what: String,
        /// The limit.
        limit: Duration,
    },
    /// It says something impossible of itself.
    #[error("the predictor claims {0}")]
    About(String),
    /// A log-probability is NaN or infinite.
    #[error(
        "the predictor's log-probability of byte {symbol} is {value} at {place}: it must be \
         finite (a byte of probability 0 has no code: mix in a little of the uniform)"
    )]
    NotFinite {
        /// Where.
        place: Place,
        /// Of which byte.
        symbol: usize,
        /// What it is.
        value: f32,
    },
    /// Probabilities do not sum to one.
    #[error(
        "the predictor's probabilities sum to {sum} at {place}, not to 1: give log-probabilities \
         (log_softmax over the 256 bytes), in nats"
    )]
    NotNormalised {
        /// Where.
        place: Place,
        /// Their sum.
        sum: f64,
    },
    /// The distribution of a byte depends on bytes that come later.
    #[error(
        "the predictor reads ahead: with the same bytes before it, byte {byte} of a stream gets \
         other probabilities (by {difference:.1e} nats) when later bytes change"
    )]
    ReadsAhead {
        /// Index of the byte in its stream.
        byte: usize,
        /// Largest difference of a log-probability, nats.
        difference: f32,
    },
    /// An archive made with it cannot be written, or does not decode.
    #[error(transparent)]
    Archive(#[from] brevity_codec::archive::Error),
    /// The predictor failed by its own account.
    #[error("{0}")]
    Failed(String),
    /// Stopped on request.
    #[error("stopped")]
    Stopped,
}

/// A place in the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The first byte of the stream, counted from that of the data or of the block.
    pub stream: usize,
    /// The byte of the stream that is predicted.
    pub byte: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Place { stream, byte } = self;
        write!(
            f,
            "byte {} (byte {byte} of the stream from {stream})",
            stream + byte
        )
    }
}
