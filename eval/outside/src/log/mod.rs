//! Prequential code lengths from the loss logs of other programs.
//!
//! A run that sees its data once, and logs the loss of each batch before it learns it, has
//! coded the data: the code length is the integral of the loss over the data seen
//! (Dawid 1984; Blier and Ollivier 2018). [`measure`] takes that integral of a log in CSV,
//! JSON lines or TensorBoard events ([`read`]), with what is not known of it.
//!
//! It is an estimate: a log has no code, and losses in floating point no frequencies.

mod events;
mod integral;
mod lines;
mod passes;

pub use lines::{Line, read, read_bytes};
pub use passes::Passes;

use integral::{Curve, integrate};
use passes::{Epochs, passes};
use std::path::PathBuf;

/// What a log's losses are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Natural logarithms, mean over tokens.
    NatsPerToken,
    /// Bits, mean over tokens.
    BitsPerToken,
    /// Natural logarithms, mean over bytes.
    NatsPerByte,
    /// Bits, mean over bytes.
    BitsPerByte,
}

impl Unit {
    /// All of them, with their names.
    pub const ALL: [(Unit, &'static str); 4] = [
        (Unit::NatsPerToken, "nats-per-token"),
        (Unit::BitsPerToken, "bits-per-token"),
        (Unit::NatsPerByte, "nats-per-byte"),
        (Unit::BitsPerByte, "bits-per-byte"),
    ];

    /// Bits of a loss of one.
    fn bits(self) -> f64 {
        match self {
            Unit::NatsPerToken | Unit::NatsPerByte => std::f64::consts::LOG2_E,
            Unit::BitsPerToken | Unit::BitsPerByte => 1.0,
        }
    }

    fn of_tokens(self) -> bool {
        matches!(self, Unit::NatsPerToken | Unit::BitsPerToken)
    }
}

/// How to read a log.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The column, key or tag of the loss; by default one with a usual name.
    pub loss: Option<String>,
    /// What the loss is; known of columns named `bits_per_byte` or `bpb`.
    pub unit: Option<Unit>,
    /// Bytes of a token, the mean.
    pub bytes_per_token: Option<f64>,
    /// Bytes, or with a loss by tokens: tokens, of a step; for logs that count steps.
    pub per_step: Option<f64>,
    /// Bytes of the training data, to tell passes.
    pub data_bytes: Option<f64>,
    /// Whether each loss is the mean since the line before, not that of one batch.
    pub averaged: bool,
    /// Integrate a run of more than one pass all the same; it is no code length.
    pub many_passes: bool,
    /// Take what lies in gaps as unknown between the losses at their ends.
    pub gaps: bool,
}

/// Why a log gives no length.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line, or a record of events, is wrong.
    #[error("{}: {what} {line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// `line` or `record`.
        what: &'static str,
        /// Which, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// The log lacks something.
    #[error("{0}")]
    Needs(String),
    /// The run saw its data more than once.
    #[error(
        "the run saw its data {passes:.2} times, so its losses are of bytes it has learned: no \
         code length (--many-passes integrates all the same)"
    )]
    Passes {
        /// How often.
        passes: f64,
    },
}

/// The integral of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Number of losses.
    pub points: usize,
    /// Bytes seen; none for tokens of unknown length.
    pub data_bytes: Option<f64>,
    /// The integral, bits.
    pub bits: f64,
    /// What it may be: about 95%, gaps and the start included.
    pub range: [f64; 2],
    /// What is known of passes.
    pub passes: Passes,
}

impl Measured {
    /// Bits a byte.
    #[must_use]
    pub fn bits_per_byte(&self) -> Option<f64> {
        Some(self.bits / self.data_bytes?)
    }
}

/// What columns of losses are called.
const LOSSES: [&str; 8] = [
    "bits_per_byte",
    "bpb",
    "train_bits_per_byte",
    "loss",
    "train_loss",
    "train/loss",
    "training_loss",
    "Loss/train",
];

/// What columns that count are called: of bytes, of tokens, of steps.
const BYTES: [&str; 4] = ["bytes", "bytes_seen", "train/bytes", "seen_bytes"];
const TOKENS: [&str; 6] = [
    "tokens",
    "tokens_seen",
    "train/tokens",
    "num_tokens",
    "num_input_tokens_seen",
    "total_tokens",
];
const STEPS: [&str; 6] = ["step", "steps", "global_step", "_step", "iteration", "iter"];

/// Measures the lines of a log.
///
/// # Errors
/// What the log or the settings lack; losses that are no numbers; counts that go back or
/// leave gaps; more than one pass.
pub fn measure(
    path: &std::path::Path,
    lines: &[Line],
    settings: &Settings,
) -> Result<Measured, LogError> {
    let problem = |line: &Line, problem: String| LogError::Line {
        path: path.to_owned(),
        what: line.what,
        line: line.number,
        problem,
    };
    let needs = |text: String| LogError::Needs(format!("{}: {text}", path.display()));
    let known = |name: &str| lines.iter().any(|line| line.get(name).is_some());
    let names = || {
        let mut all: Vec<&str> = lines.iter().flat_map(Line::names).collect();
        all.sort_unstable();
        all.dedup();
        all.join(", ")
    };
    let loss = match &settings.loss {
        Some(name) if known(name) => name.as_str(),
        Some(name) => return Err(needs(format!("no `{name}`; there are {}", names()))),
        None => *LOSSES.iter().find(|name| known(name)).ok_or_else(|| {
            needs(format!(
                "no loss by a usual name; there are {}: name it with --loss",
                names()
            ))
        })?,
    };
    let unit = match settings.unit {
        Some(unit) => unit,
        None if loss.contains("bits_per_byte") || loss == "bpb" => Unit::BitsPerByte,
        None => {
            let all = Unit::ALL.map(|(_, name)| name).join(", ");
            return Err(needs(format!(
                "what is `{loss}`? Say it with --unit: {all}"
            )));
        }
    };
    let find = |names: &[&'static str]| names.iter().copied().find(|name| known(name));
    let bytes_per_token = match (find(&BYTES), find(&TOKENS)) {
        (Some(bytes), Some(tokens)) => {
            agreed(settings.bytes_per_token, lines, bytes, tokens).map_err(needs)?
        }
        _ => settings.bytes_per_token,
    };
    let settings = &Settings {
        bytes_per_token,
        ..settings.clone()
    };
    let bytes_per_token = || {
        settings
            .bytes_per_token
            .ok_or_else(|| needs("bytes and tokens need --bytes-per-token".into()))
    };
    // What counts, and how many units of the loss one of it is.
    let (counts, each) = match (find(&BYTES), find(&TOKENS), find(&STEPS)) {
        (Some(bytes), ..) if unit.of_tokens() => (bytes, 1.0 / bytes_per_token()?),
        (Some(bytes), ..) => (bytes, 1.0),
        (_, Some(tokens), _) if unit.of_tokens() => (tokens, 1.0),
        (_, Some(tokens), _) => (tokens, bytes_per_token()?),
        (_, _, Some(steps)) => {
            let each = settings.per_step.ok_or_else(|| {
                needs(format!(
                    "`{steps}` counts steps: say with --per-step how many {} one has",
                    if unit.of_tokens() { "tokens" } else { "bytes" }
                ))
            })?;
            (steps, each)
        }
        _ => {
            return Err(needs(format!(
                "nothing counts bytes, tokens or steps in {}",
                names()
            )));
        }
    };
    let mut curve = Curve::default();
    let (mut before, mut epochs) = (None, Epochs::default());
    for line in lines {
        // Evaluations have lines of their own.
        for name in [loss, counts] {
            if let Some(text) = line.text(name) {
                return Err(problem(line, format!("`{name}` is \"{text}\", no number")));
            }
            if line.names().filter(|other| *other == name).count() > 1 {
                return Err(problem(line, format!("`{name}` is there twice")));
            }
        }
        let Some(value) = line.get(loss) else {
            continue;
        };
        let Some(at) = line.get(counts) else {
            return Err(problem(line, format!("`{loss}` without `{counts}`")));
        };
        if !(value.is_finite() && value >= 0.0) {
            return Err(problem(line, format!("`{loss}` is {value}, no loss")));
        }
        if !(at.is_finite() && at >= 0.0) {
            return Err(problem(line, format!("`{counts}` is {at}")));
        }
        if let Some(before) = before
            && at <= before
        {
            return Err(problem(
                line,
                format!(
                    "`{counts}` goes back from {before} to {at}: of a run that was resumed, keep \
                     the lines of the part that counts"
                ),
            ));
        }
        before = Some(at);
        epochs.see(line.get("epoch"));
        curve.push(line.number, at * each, value * unit.bits());
    }
    if curve.len() < 2 {
        return Err(needs(format!(
            "{} losses; two at least are needed",
            curve.len()
        )));
    }
    if !settings.gaps
        && let Some(gap) = curve.gap()
    {
        return Err(needs(format!(
            "a gap before line {}: no loss between `{counts}` {} and {}, {:.0} times the distance \
             of its neighbours (--gaps takes what is in it as unknown)",
            gap.line,
            gap.from / each,
            gap.to / each,
            gap.times
        )));
    }
    let seen = curve.end();
    let data_bytes = match unit.of_tokens() {
        false => Some(seen),
        true => settings.bytes_per_token.map(|bytes| bytes * seen),
    };
    if settings.data_bytes.is_some() && data_bytes.is_none() {
        return Err(needs(
            "--data-bytes tells passes over bytes: say with --bytes-per-token how many a token has"
                .into(),
        ));
    }
    let passes = passes(epochs.passes(), data_bytes, settings)?;
    // Without a model, a byte costs 8 bits.
    let most = match unit.of_tokens() {
        false => Some(8.0),
        true => settings.bytes_per_token.map(|bytes| 8.0 * bytes),
    };
    let (bits, range) = integrate(&curve, most, settings.averaged);
    Ok(Measured {
        points: curve.len(),
        data_bytes,
        bits,
        range,
        passes,
    })
}

/// Bytes of a token, of a log that counts both, and what the settings say of it.
fn agreed(
    told: Option<f64>,
    lines: &[Line],
    bytes: &str,
    tokens: &str,
) -> Result<Option<f64>, String> {
    let counted = lines.iter().rev().find_map(|line| {
        let counted = line.get(bytes)? / line.get(tokens)?;
        (counted.is_finite() && counted > 0.0).then_some(counted)
    });
    match (told, counted) {
        (Some(told), Some(counted)) if (told / counted - 1.0).abs() > 0.01 => Err(format!(
            "`{bytes}` over `{tokens}` is {counted:.4}, and --bytes-per-token says {told}"
        )),
        (told, counted) => Ok(told.or(counted)),
    }
}

#[cfg(test)]
mod tests;
