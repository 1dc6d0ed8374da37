//! Versions, commit, device and hashes that a score comes from.

use super::job::Job;
use super::machine;
use brevity_length::Provenance;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// The provenance of a trial's score, as far as it is known before the trial runs.
pub(super) fn now(job: &Job<'_>, device: &str) -> Provenance {
    let data = &job.trial.data;
    Provenance {
        version: env!("CARGO_PKG_VERSION").into(),
        git: commit(),
        os: std::env::consts::OS.into(),
        arch: std::env::consts::ARCH.into(),
        device: device.into(),
        threads: job.threads as u64,
        host: Some(machine::host()).filter(|host| !host.is_empty()),
        processor: machine::processor(),
        job: machine::job(),
        peak_memory: None,
        data_source: data.source.clone(),
        data_bytes: data.bytes,
        data_hash: data.hash.clone(),
        unix_time: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_secs()),
        score_seconds: 0.0,
    }
}

/// The commit given at build time in `BREVITY_COMMIT`, or else that of the working tree
/// that holds the program (a clone's build lies in its `target/`).
fn commit() -> Option<String> {
    static COMMIT: OnceLock<Option<String>> = OnceLock::new();
    COMMIT
        .get_or_init(|| match option_env!("BREVITY_COMMIT") {
            Some(commit) => Some(commit.to_string()),
            None => working_tree(std::env::current_exe().ok()?.parent()?),
        })
        .clone()
}

fn working_tree(folder: &Path) -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(arguments)
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
    };
    let commit = git(&["rev-parse", "HEAD"])?;
    let root = git(&["rev-parse", "--show-toplevel"])?;
    // The commit of another project would be worse than none.
    if !Path::new(&root)
        .join("lab/src/sweep/provenance.rs")
        .exists()
    {
        return None;
    }
    let changed = !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(if changed { commit + "-dirty" } else { commit })
}
