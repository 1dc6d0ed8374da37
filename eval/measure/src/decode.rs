//! Decoders for verifying archives.

use crate::{MeasureError, check};
use brevity_codec::archive::{Models, decompress};
use brevity_codec::predict::Model;
use brevity_model::Weights;
use brevity_task::{Stop, chain};
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// An archive to decode.
#[derive(Clone, Copy, Debug)]
pub struct Decoding<'a> {
    /// The file.
    pub archive: &'a Path,
    /// The model's file, for an archive without its model.
    pub model: Option<&'a Path>,
    /// Number of threads. The result does not depend on it.
    pub threads: usize,
}

/// Decodes archives.
pub trait Decoder: Sync {
    /// Decodes the archive into `out`.
    ///
    /// # Errors
    /// [`MeasureError::Stopped`] soon after `stop` is set; any error that prevents
    /// decoding.
    fn decode(
        &self,
        what: &Decoding<'_>,
        out: &mut dyn Write,
        stop: &Stop,
    ) -> Result<(), MeasureError>;
}

/// Decodes in the current process, from the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct InProcess {
    /// Makes a model from an archive's recipe. Without it, archives that hold a recipe
    /// instead of weights cannot be decoded.
    pub recipe: Option<MakeModel>,
}

/// Makes a model from a recipe's bytes, or returns an error message.
pub type MakeModel = fn(&[u8]) -> Result<Box<dyn Model>, String>;

impl Decoder for InProcess {
    fn decode(
        &self,
        what: &Decoding<'_>,
        out: &mut dyn Write,
        stop: &Stop,
    ) -> Result<(), MeasureError> {
        let weights = what.model.map(Weights::load).transpose();
        let weights = weights.map_err(|error| failure(chain(&error).to_string()))?;
        let file = File::open(what.archive).map_err(|error| failure(error.to_string()))?;
        let models = Models {
            external: weights.as_ref(),
            recipe: self.recipe.as_ref().map(|make| make as _),
            ..Models::default()
        };
        let decoded = decompress(BufReader::new(file), out, &models, &|_| {});
        check(stop)?;
        decoded.map(|_| ()).map_err(MeasureError::from)
    }
}

/// Decodes in a new process, started by `command`, that writes the decoded archive to its
/// standard output. The process gets the archive and, if the archive does not hold it,
/// the model; nothing else.
#[derive(Clone, Copy)]
pub struct FreshProcess<'a> {
    /// The command for an archive, without its standard streams.
    pub command: &'a (dyn Fn(&Decoding<'_>) -> Command + Sync),
}

impl Decoder for FreshProcess<'_> {
    fn decode(
        &self,
        what: &Decoding<'_>,
        out: &mut dyn Write,
        stop: &Stop,
    ) -> Result<(), MeasureError> {
        let mut command = (self.command)(what);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let program = command.get_program().to_owned();
        let mut child = command.spawn().map_err(|error| {
            failure(format!(
                "cannot start {} to decode it: {error}",
                program.display()
            ))
        })?;
        let streams = (child.stdout.take(), child.stderr.take());
        let (Some(mut stdout), Some(mut stderr)) = streams else {
            unreachable!("both were piped");
        };
        let child = Mutex::new(child);
        let over = Stop::new();
        let (copied, message) = thread::scope(|scope| {
            // A process may work on one block for minutes.
            let watch = scope.spawn(|| {
                while !over.is_set() {
                    if stop.is_set() {
                        let _ = locked(&child).kill();
                        return;
                    }
                    thread::park_timeout(Duration::from_millis(50));
                }
            });
            let message = scope.spawn(move || {
                let mut message = Vec::new();
                let _ = stderr.read_to_end(&mut message);
                String::from_utf8_lossy(&message).trim().to_owned()
            });
            let copied = io::copy(&mut stdout, out);
            // A process that is still writing gets a broken pipe.
            drop(stdout);
            let message = message.join();
            over.set();
            watch.thread().unpark();
            (copied, message.unwrap_or_default())
        });
        let ended = locked(&child).wait();
        check(stop)?;
        let status = ended.map_err(|error| failure(error.to_string()))?;
        if !status.success() {
            return Err(failed(status, &message));
        }
        copied.map_err(|error| failure(error.to_string()))?;
        Ok(())
    }
}

/// No code panics while it holds the lock.
fn locked(child: &Mutex<Child>) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failure(message: String) -> MeasureError {
    MeasureError::Decode { message }
}

/// The error of a failed process. Exit status 130 means that it was interrupted; then
/// this process was interrupted too.
fn failed(status: ExitStatus, message: &str) -> MeasureError {
    if status.code() == Some(130) {
        return MeasureError::Stopped;
    }
    match message {
        "" => failure(format!("the decoding process ended with {status}")),
        message => failure(format!(
            "the decoding process ended with {status}: {message}"
        )),
    }
}
