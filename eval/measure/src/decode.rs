//! Who decodes an archive to see whether it does.

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

/// An archive that is to be decoded.
#[derive(Clone, Copy, Debug)]
pub struct Decoding<'a> {
    /// The file.
    pub archive: &'a Path,
    /// The model's file, for an archive that does not hold its model.
    pub model: Option<&'a Path>,
    /// Threads to do it with. The result does not depend on them.
    pub threads: usize,
}

/// Decodes archives.
pub trait Decoder: Sync {
    /// Writes what the archive decodes to into `out`.
    ///
    /// # Errors
    /// [`MeasureError::Stopped`] soon after `stop` is set; whatever keeps the
    /// archive from being decoded.
    fn decode(
        &self,
        what: &Decoding<'_>,
        out: &mut dyn Write,
        stop: &Stop,
    ) -> Result<(), MeasureError>;
}

/// Decodes in this process, from the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct InProcess {
    /// Makes a model of an archive's recipe. Without it, archives that hold a recipe
    /// instead of weights do not decode.
    pub recipe: Option<MakeModel>,
}

/// Makes a model of a recipe's bytes, or says why it cannot.
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
        };
        let decoded = decompress(BufReader::new(file), out, &models, &|_| {});
        check(stop)?;
        decoded.map(|_| ()).map_err(MeasureError::from)
    }
}

/// Decodes with a process that `command` describes: one that writes what the
/// archive decodes to on its standard output. The process sees the archive, the
/// model where the archive does not hold it, and nothing else.
#[derive(Clone, Copy)]
pub struct FreshProcess<'a> {
    /// The process for an archive, its standard streams left to be set.
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
            // A process may be at work on a block for minutes.
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
            // A process that still writes finds nobody to read it.
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

/// Nothing that holds the lock panics.
fn locked(child: &Mutex<Child>) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failure(message: String) -> MeasureError {
    MeasureError::Decode { message }
}

/// What a process left behind. The command ends with 130 when it is
/// interrupted: then so is whoever waits for it.
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
