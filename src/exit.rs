//! The exit status of the command: 0 done, 1 the work failed, 2 wrong usage or
//! config, 75 others work on what is left, 130 stopped by a signal.

use crate::console::note;
use crate::signals::INTERRUPTED;
use brevity_baselines::BaselineError;
use brevity_data::DataError;
use brevity_files::FolderError;
use brevity_lab::config::ConfigError;
use brevity_lab::experiments::score::ScoreError;
use brevity_lab::experiments::table::MatrixError;
use brevity_lab::generate::GenerateError;
use brevity_lab::maps::MapError;
use brevity_lab::pack::PackError;
use brevity_lab::sweep::SweepError;
use brevity_media::view::ViewError;
use brevity_outside::OutsideError;
use brevity_outside::price::PriceError;
use brevity_rank::RankError;
use brevity_task::chain;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The status of a process that left to others what they work on.
const ELSEWHERE: u8 = 75;

/// Wrong usage that clap cannot see, such as two options that exclude each
/// other only for some inputs.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// Some of several files failed; their errors have been printed. Holds the exit
/// status.
#[derive(Debug, thiserror::Error)]
#[error("not all files were done")]
pub struct AlreadyPrinted(pub u8);

/// An interrupt stopped work.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// What was done is on the disk.
    #[error("stopped; the same command continues where it was")]
    Continues,
    /// Nothing was kept.
    #[error("stopped")]
    Over,
}

/// Prints the whole chain of an error and returns its exit status. A closed
/// pipe (`brevity ... | head`) is not a failure.
pub fn report(error: &anyhow::Error) -> ExitCode {
    if broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    if let Some(AlreadyPrinted(status)) = error.downcast_ref() {
        return ExitCode::from(*status);
    }
    ExitCode::from(print(error))
}

/// Runs the same work on every file. The error of one file is printed, and the
/// work continues with the others.
///
/// # Errors
/// The error of the only file, or [`AlreadyPrinted`] if there are several; an error that
/// ends the work on the other files too.
pub fn each(
    paths: &[PathBuf],
    mut work: impl FnMut(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if let [path] = paths {
        return work(path);
    }
    let mut worst = 0;
    for path in paths {
        match work(path) {
            Ok(()) => {}
            Err(error) if error.is::<Stopped>() || broken_pipe(&error) => return Err(error),
            Err(error) => worst = worst.max(print(&error)),
        }
    }
    match worst {
        0 => Ok(()),
        status => Err(AlreadyPrinted(status).into()),
    }
}

/// Prints the whole chain of an error, and returns its exit status.
fn print(error: &anyhow::Error) -> u8 {
    note(format_args!("brevity: {}", chain(error.as_ref())));
    error.chain().find_map(status).unwrap_or(1)
}

fn broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let kind = if let Some(e) = cause.downcast_ref::<io::Error>() {
            Some(e.kind())
        } else {
            cause
                .downcast_ref::<serde_json::Error>()
                .and_then(serde_json::Error::io_error_kind)
        };
        kind == Some(io::ErrorKind::BrokenPipe)
    })
}

/// The exit status for one error of the chain, if its type determines it.
fn status(cause: &(dyn std::error::Error + 'static)) -> Option<u8> {
    if let Some(error) = cause.downcast_ref::<SweepError>() {
        return Some(error.exit_status());
    }
    if let Some(error) = cause.downcast_ref::<DataError>() {
        return Some(if error.is_usage() { 2 } else { 1 });
    }
    if let Some(
        PackError::Another { .. }
        | PackError::InTheWay { .. }
        | PackError::Busy { .. }
        | PackError::Recipe(_),
    ) = cause.downcast_ref()
    {
        return Some(2);
    }
    match cause.downcast_ref() {
        Some(MatrixError::Stopped) => return Some(INTERRUPTED),
        Some(MatrixError::Elsewhere { .. }) => return Some(ELSEWHERE),
        Some(MatrixError::Tasks(error)) => return Some(error.exit_status()),
        Some(MatrixError::Toml { .. } | MatrixError::Config { .. }) => return Some(2),
        Some(MatrixError::Folder(FolderError::Busy { .. })) => return Some(2),
        Some(MatrixError::Data { cause, .. }) if cause.is_usage() => return Some(2),
        Some(MatrixError::File { action, .. }) if *action == "read" => return Some(2),
        _ => {}
    }
    if let Some(
        BaselineError::UnknownCoder { .. }
        | BaselineError::ZeroChunk
        | BaselineError::Missing { .. }
        | BaselineError::Empty { .. },
    ) = cause.downcast_ref()
    {
        return Some(2);
    }
    match cause.downcast_ref() {
        Some(ScoreError::Stopped) => return Some(INTERRUPTED),
        Some(ScoreError::Sweep(_)) => return Some(2),
        Some(ScoreError::Data { source, .. }) if source.is_usage() => return Some(2),
        _ => {}
    }
    if let Some(PriceError::Stopped) = cause.downcast_ref() {
        return Some(INTERRUPTED);
    }
    if let Some(OutsideError::Stopped) = cause.downcast_ref() {
        return Some(INTERRUPTED);
    }
    match cause.downcast_ref() {
        Some(RankError::Stopped) => return Some(INTERRUPTED),
        Some(error) if error.is_usage() => return Some(2),
        _ => {}
    }
    if let Some(GenerateError::Stopped) = cause.downcast_ref() {
        return Some(INTERRUPTED);
    }
    if let Some(MapError::Extension(_) | MapError::Kind { .. }) = cause.downcast_ref() {
        return Some(2);
    }
    if let Some(MapError::Data(error)) = cause.downcast_ref() {
        return Some(if error.is_usage() { 2 } else { 1 });
    }
    if let Some(ViewError::Kind { .. }) = cause.downcast_ref() {
        return Some(2);
    }
    if cause.is::<Stopped>() {
        return Some(INTERRUPTED);
    }
    (cause.is::<Usage>() || cause.is::<ConfigError>()).then_some(2)
}
