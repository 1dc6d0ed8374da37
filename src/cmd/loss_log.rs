//! `brevity prequential --log`: the prequential code length of a loss log.

use super::files::is_dash;
use super::units;
use crate::console;
use crate::exit::Usage;
use anyhow::{Context, Result, bail};
use brevity_draw::visible_lines;
use brevity_length::format::{bytes, percent};
use brevity_outside::log::{Measured, Passes, Settings, Unit, measure, read, read_bytes};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// What says how trials are run, and nothing of a log: all options of those but `--json`.
const OF_TRIALS: [&str; 9] = [
    "config",
    "beside",
    "Trials",
    "Scheduling",
    "set",
    "out",
    "resume",
    "threads",
    "device",
];

/// How to read the log.
#[derive(clap::Args)]
pub struct Log {
    /// The loss log of a run of another program instead of a config: CSV, JSON lines or
    /// TensorBoard events, with what it had seen (bytes, tokens or steps) and its loss;
    /// `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = OF_TRIALS)]
    pub log: Option<PathBuf>,
    /// Name of the log's loss [default: a usual one, such as loss or train/loss]
    #[arg(long, value_name = "NAME")]
    loss: Option<String>,
    /// What the loss is: nats-per-token, bits-per-token, nats-per-byte, bits-per-byte
    #[arg(long, value_name = "UNIT", value_parser = unit)]
    unit: Option<Unit>,
    /// Bytes of a token, the mean
    #[arg(long, value_name = "NUMBER", value_parser = positive)]
    bytes_per_token: Option<f64>,
    /// Tokens of a step, or bytes for a loss by bytes, where the log counts steps
    #[arg(long, value_name = "NUMBER", value_parser = positive)]
    per_step: Option<f64>,
    /// Bytes of the training data: a run that saw more is refused
    #[arg(long, value_name = "BYTES", value_parser = units::some_bytes)]
    data_bytes: Option<u64>,
    /// Each loss is the mean since the line before, not that of one batch
    #[arg(long)]
    averaged: bool,
    /// Integrate a run of several passes all the same: no code length
    #[arg(long)]
    many_passes: bool,
    /// Take what lies in the log's gaps as unknown
    #[arg(long)]
    gaps: bool,
}

fn unit(text: &str) -> Result<Unit, String> {
    let found = Unit::ALL.into_iter().find(|(_, name)| *name == text);
    found.map(|(unit, _)| unit).ok_or_else(|| {
        let all = Unit::ALL.map(|(_, name)| name).join(", ");
        format!("give one of {all}")
    })
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if number > 0.0 && f64::is_finite(number) => Ok(number),
        _ => Err("not a positive number".into()),
    }
}

impl Log {
    /// Refuses options of a log where there is none. The parser does not: a config excludes
    /// a log, and so what needs one is let pass.
    ///
    /// # Errors
    /// An option that is given.
    pub fn refuse(&self) -> Result<()> {
        let given = [
            ("loss", self.loss.is_some()),
            ("unit", self.unit.is_some()),
            ("bytes-per-token", self.bytes_per_token.is_some()),
            ("per-step", self.per_step.is_some()),
            ("data-bytes", self.data_bytes.is_some()),
            ("averaged", self.averaged),
            ("many-passes", self.many_passes),
            ("gaps", self.gaps),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((name, _)) => bail!(Usage(format!("--{name} is for a loss log: --log FILE"))),
            None => Ok(()),
        }
    }

    /// Measures the log and prints what comes of it.
    ///
    /// # Errors
    /// A log that gives no length.
    pub fn print(&self, path: &Path, json: bool) -> Result<()> {
        let settings = Settings {
            loss: self.loss.clone(),
            unit: self.unit,
            bytes_per_token: self.bytes_per_token,
            per_step: self.per_step,
            data_bytes: self.data_bytes.map(|bytes| bytes as f64),
            averaged: self.averaged,
            many_passes: self.many_passes,
            gaps: self.gaps,
        };
        let lines = match is_dash(path) {
            false => read(path)?,
            true => {
                let mut content = Vec::new();
                let input = std::io::stdin().read_to_end(&mut content);
                input.context("cannot read standard input")?;
                read_bytes(path, content)?
            }
        };
        let found = measure(path, &lines, &settings)?;
        let mut out = console::stdout()?;
        if json {
            serde_json::to_writer_pretty(&mut out, &to_json(path, &found))?;
            return Ok(writeln!(out)?);
        }
        Ok(write!(out, "{}", visible_lines(&text(path, &found)))?)
    }
}

fn rate(bits: f64, found: &Measured) -> Option<f64> {
    Some(bits / 8.0 / found.data_bytes?)
}

/// What is known of passes, in words.
fn passes(found: &Measured) -> &'static str {
    match found.passes {
        Passes::OneByEpochs => "one pass, by its epochs",
        Passes::OneByBytes => "one pass, by the bytes of the data",
        Passes::Assumed => "one pass is assumed: nothing in the log says so (--data-bytes)",
        Passes::Many => "several passes: no code length",
    }
}

fn to_json(path: &Path, found: &Measured) -> Value {
    json!({
        "path": path.display().to_string(),
        "regime": "prequential",
        "losses": found.points,
        "data_bytes": found.data_bytes,
        "data_bits": found.bits,
        "data_bits_range": found.range,
        "bits_per_byte": found.bits_per_byte(),
        "prequential_rate": rate(found.bits, found),
        "single_pass": match found.passes {
            Passes::OneByEpochs => "epochs",
            Passes::OneByBytes => "data bytes",
            Passes::Assumed => "assumed",
            Passes::Many => "no",
        },
        "verified": false,
        "estimate": true,
    })
}

fn text(path: &Path, found: &Measured) -> String {
    let [low, high] = found.range;
    let coded = |bits: f64| bytes(bits / 8.0);
    let mut text = format!(
        "{}: {} losses, {}\n",
        path.display(),
        found.points,
        passes(found)
    );
    let is = match found.passes {
        Passes::Many => "integral of the loss",
        _ => "prequential code length",
    };
    text += &format!(
        "{is}: {} ({:.0} bits; {} to {}), estimate\n",
        coded(found.bits),
        found.bits,
        coded(low),
        coded(high)
    );
    if let (Some(n), Some(each)) = (found.data_bytes, found.bits_per_byte()) {
        let rates = [found.bits, low, high].map(|bits| percent(bits / 8.0 / n));
        let [rate, low, high] = rates;
        text += &format!(
            "{} seen: {each:.4} bits a byte, {rate}% ({low}% to {high}%)\n",
            bytes(n)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::prequential;
    use clap::{Args, Command};

    #[test]
    fn a_log_goes_with_its_own_options_alone() {
        let command = prequential::Args::augment_args(Command::new("prequential"));
        let own = command.get_groups().find(|group| group.get_id() == "Log");
        let own: Vec<_> = own.unwrap().get_args().collect();
        let log = command.get_arguments().find(|arg| arg.get_id() == "log");
        let refused = command.get_arg_conflicts_with(log.unwrap());
        for arg in command.get_arguments() {
            let id = arg.get_id();
            let is_fine = own.contains(&id) || id == "json";
            assert_eq!(refused.contains(&arg), !is_fine, "{id}");
        }
    }
}
