//! Who works on a trial, or did last: the file `attempt.json` of an unfinished trial.
//!
//! It tells people where to look. Whether somebody works on the trial *now* is told by
//! the lock of its folder; no clock of one machine is compared with that of another.

use super::error::SweepError;
use super::files;
use super::machine::{Place, memory_limit};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const FILE: &str = "attempt.json";

/// One attempt at a trial.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attempt {
    /// How often the trial was begun or continued, this time included.
    pub number: u32,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// Bytes of memory that the scheduler lets the job use, if it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_limit: Option<u64>,
    /// Whether the attempt ended by a checkpoint, on request. If not, and nobody works
    /// on the trial, its process was killed.
    pub stopped: bool,
    /// Differs between any two attempts.
    pub token: String,
}

impl Attempt {
    /// The last attempt at the trial in `folder`, if it is not finished.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Attempt>, SweepError> {
        // Only people read it: a damaged one is as good as none.
        match files::read_json(&folder.join(FILE)) {
            Err(SweepError::Corrupt { .. }) => Ok(None),
            read => read,
        }
    }

    /// Records that this process begins or continues the trial.
    pub(super) fn begin(folder: &Path) -> Result<Attempt, SweepError> {
        let before = Attempt::read(folder)?.unwrap_or_default();
        let attempt = Attempt {
            number: before.number + 1,
            place: Place::here(),
            memory_limit: memory_limit(),
            stopped: false,
            token: token(),
        };
        files::write_json(&folder.join(FILE), &attempt)?;
        Ok(attempt)
    }

    /// An error if another process began the trial since: two that hold the lock of one
    /// folder at once tell that locks do nothing there.
    pub(super) fn refuse_twin(&self, folder: &Path) -> Result<(), SweepError> {
        match Attempt::read(folder)? {
            Some(now) if now.token != self.token => Err(SweepError::Twin {
                path: folder.to_path_buf(),
                place: now.place.to_string(),
            }),
            _ => Ok(()),
        }
    }

    /// Records that it ended by a checkpoint.
    pub(super) fn stop(&self, folder: &Path) -> Result<(), SweepError> {
        let attempt = Attempt {
            stopped: true,
            ..self.clone()
        };
        files::write_json(&folder.join(FILE), &attempt)
    }

    /// Removes the record of a finished or failed trial.
    pub(super) fn end(folder: &Path) -> Result<(), SweepError> {
        files::remove(&folder.join(FILE))
    }
}

fn token() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let text = format!(
        "{:?} {} {}",
        now.unwrap_or_default(),
        Place::here(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
}
