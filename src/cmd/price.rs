//! `brevity price`: what the weights of any model cost.

use super::files::Run;
use crate::console;
use crate::exit::Usage;
use anyhow::{Result, bail};
use brevity_codec::weights::Tensor;
use brevity_draw::Table;
use brevity_lab::experiments::score::model_file;
use brevity_outside::price::{Coded, PriceError, Priced, price, read, save};
use brevity_task::Stop;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// Prices the weights of any model: its bytes as plain numbers, and entropy-coded.
///
/// With --loss, also finds the precision with the shortest description of weights and
/// data: the model's part of a two-part code, to be compared by `brevity select --table`.
#[derive(clap::Args)]
pub struct Args {
    /// The weights: named tensors in a safetensors file, or in an .npz file of numpy; or the
    /// folder of a trial (runs/NAME/trials/ID)
    file: PathBuf,
    /// Tensors to leave out, such as masks; `*` at the end stands for any rest
    #[arg(long, num_args = 1.., value_name = "NAME")]
    skip: Vec<String>,
    /// A command of the shell that gets a safetensors file of rounded weights as its last
    /// argument and prints the code length of the data under them, in bits; it is run
    /// about 40 times
    #[arg(long, value_name = "COMMAND")]
    loss: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    run: Run,
}

/// Runs `brevity price`.
///
/// # Errors
/// A file that cannot be read, tensors that are no weights, a loss that fails.
pub fn run(args: Args) -> Result<()> {
    let skip = |name: &str| args.skip.iter().any(|pattern| matches(pattern, name));
    let unused = RefCell::new(args.skip.clone());
    let skip = |name: &str| {
        unused
            .borrow_mut()
            .retain(|pattern| !matches(pattern, name));
        skip(name)
    };
    let weights = read(&model_file(&args.file), &skip)?;
    if let [pattern, ..] = &unused.borrow()[..] {
        bail!(Usage(format!(
            "--skip {pattern}: no tensor in {} has this name",
            args.file.display()
        )));
    }
    let priced = args.run.in_steps(|control| -> Result<Priced> {
        let Some(command) = &args.loss else {
            return Ok(price(&weights, None)?);
        };
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("weights.safetensors");
        let mut asked = 0;
        let mut loss = |tensors: &[Tensor]| {
            asked += 1;
            control.tell(brevity_task::Progress {
                done: asked,
                what: "loss",
                ..Default::default()
            });
            save(tensors, &path)?;
            loss(command, &path, control.stop)
        };
        Ok(price(&weights, Some(&mut loss))?)
    })??;
    let mut out = console::stdout()?;
    if args.json {
        serde_json::to_writer_pretty(&mut out, &to_json(&args.file, &priced))?;
        return Ok(writeln!(out)?);
    }
    Ok(write!(out, "{}", text(&priced))?)
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

/// What the command prints as its last line.
fn loss(command: &str, path: &Path, stop: &Stop) -> Result<f64, PriceError> {
    let failed = |problem: String| PriceError::Loss(format!("`{command}` {problem}"));
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{command} \"$0\"")).arg(path);
    shell.stdin(Stdio::null()).stdout(Stdio::piped());
    let child = shell.spawn();
    let mut child = child.map_err(|error| failed(format!("does not start: {error}")))?;
    let mut printed = child.stdout.take().expect("it is piped");
    let reader = thread::spawn(move || {
        let mut text = String::new();
        printed.read_to_string(&mut text).map(|_| text)
    });
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if stop.is_set() => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(PriceError::Stopped);
            }
            Ok(None) => thread::sleep(Duration::from_millis(5)),
            Err(error) => return Err(failed(error.to_string())),
        }
    };
    if !status.success() {
        return Err(failed(format!("ended with {status}")));
    }
    let text = match reader.join() {
        Ok(Ok(text)) => text,
        _ => return Err(failed("printed no text".into())),
    };
    let last = text.lines().rfind(|line| !line.trim().is_empty());
    let last = last.unwrap_or_default().trim();
    last.parse()
        .map_err(|_| failed(format!("printed `{last}`, no number")))
}

fn bits_per_parameter(bytes: u64, priced: &Priced) -> f64 {
    8.0 * bytes as f64 / priced.parameters as f64
}

fn to_json(file: &Path, priced: &Priced) -> Value {
    let coded = |coded: &Coded| {
        json!({
            "name": coded.name,
            "bytes": coded.bytes,
            "bits_per_parameter": bits_per_parameter(coded.bytes, priced),
            "relative_error": coded.relative_error,
            "data_bits": coded.data_bits,
            "total_bytes": coded.data_bits.map(|bits| bits / 8.0 + coded.bytes as f64),
        })
    };
    json!({
        "path": file.display().to_string(),
        "tensors": priced.tensors,
        "parameters": priced.parameters,
        "file_bytes": priced.in_file,
        "model_bytes": { "fp32": priced.fp32, "fp16": priced.fp16 },
        "coded": priced.coded.iter().map(coded).collect::<Vec<_>>(),
        "shortest": priced.shortest.as_ref().map(coded),
        "exact_data_bits": priced.exact_bits,
    })
}

fn text(priced: &Priced) -> String {
    let mut table = Table::new(&[
        "weights as",
        "bytes",
        "bits a parameter",
        "relative error %",
        "data bytes",
        "together",
    ]);
    let mut row = |name: &str, bytes: u64, error: Option<f64>, bits: Option<f64>| {
        let dash = || "-".to_owned();
        table.push(vec![
            name.to_owned(),
            bytes.to_string(),
            format!("{:.3}", bits_per_parameter(bytes, priced)),
            error.map_or_else(dash, |error| format!("{:.3}", 100.0 * error)),
            bits.map_or_else(dash, |bits| format!("{:.0}", bits / 8.0)),
            bits.map_or_else(dash, |bits| format!("{:.0}", bits / 8.0 + bytes as f64)),
        ]);
    };
    row(
        "plain, in the file",
        priced.in_file,
        None,
        priced.exact_bits,
    );
    row("plain, fp32", priced.fp32, None, None);
    row("plain, fp16", priced.fp16, None, None);
    for coded in priced.coded.iter().chain(&priced.shortest) {
        let name = match coded.name.as_str() {
            "shortest" => "coded, shortest with the data".to_owned(),
            name => format!("coded, {name}"),
        };
        row(
            &name,
            coded.bytes,
            Some(coded.relative_error),
            coded.data_bits,
        );
    }
    let (tensors, parameters) = (priced.tensors, priced.parameters);
    format!("{tensors} tensors, {parameters} parameters\n{table}")
}
