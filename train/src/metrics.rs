//! The log of a run: `metrics.jsonl`, the source of truth, and the same numbers
//! as TensorBoard events.

use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use tensorboard_rs::summary_writer::SummaryWriter;

/// One line of `metrics.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Steps done.
    pub step: u64,
    /// Bytes trained on so far, with repetition.
    pub bytes: u64,
    /// Mean loss in bits per byte over the steps since the previous line, each
    /// measured before its update.
    pub loss: f64,
    /// The learning rate of the matrices at this step.
    pub lr: f64,
    /// Euclidean norm of the last step's gradient, before gradient clipping.
    pub grad_norm: f64,
    /// Bytes per second since the previous line, or since the run was resumed.
    pub bytes_per_second: f64,
}

/// Appends metrics to the log files of a run.
pub(crate) struct Log {
    file: File,
    path: PathBuf,
    board: SummaryWriter,
}

/// A log file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}", path = path.display())]
pub struct LogError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl Log {
    /// Opens the log in `folder`, which must exist, to continue after `step`:
    /// later lines, written before a crash, are dropped.
    pub fn open(folder: &Path, step: u64) -> Result<Log, LogError> {
        let path = folder.join("metrics.jsonl");
        let open = || -> io::Result<File> {
            let kept = match File::open(&path) {
                Ok(file) => lines_until(file, step)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
                Err(error) => return Err(error),
            };
            brevity_files::write(&path, kept.as_bytes())?;
            OpenOptions::new().append(true).open(&path)
        };
        let file = open().map_err(|source| LogError {
            path: path.clone(),
            source,
        })?;
        let board = folder.join("tensorboard");
        fs::create_dir_all(&board).map_err(|source| LogError {
            path: board.clone(),
            source,
        })?;
        Ok(Log {
            file,
            path,
            board: SummaryWriter::new(board),
        })
    }

    /// Adds a line.
    pub fn write(&mut self, metrics: &Metrics) -> Result<(), LogError> {
        let line = serde_json::to_string(metrics).expect("metrics are plain data");
        writeln!(self.file, "{line}").map_err(|source| LogError {
            path: self.path.clone(),
            source,
        })?;
        let step = metrics.step as usize;
        for (name, value) in [
            ("loss/bits_per_byte", metrics.loss),
            ("optimizer/learning_rate", metrics.lr),
            ("optimizer/gradient_norm", metrics.grad_norm),
            ("speed/bytes_per_second", metrics.bytes_per_second),
        ] {
            self.board.add_scalar(name, value as f32, step);
        }
        self.board.flush();
        Ok(())
    }
}

/// The complete lines of a log up to `step`.
fn lines_until(file: File, step: u64) -> io::Result<String> {
    let mut kept = String::new();
    for line in BufReader::new(file).lines() {
        let line = line?;
        // A crash may have left an incomplete last line.
        match serde_json::from_str::<Metrics>(&line) {
            Ok(metrics) if metrics.step <= step => {
                kept.push_str(&line);
                kept.push('\n');
            }
            _ => break,
        }
    }
    Ok(kept)
}
