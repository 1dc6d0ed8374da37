//! A sweep as a Slurm job array: one shard per array task, no daemon.

use super::error::SweepError;
use super::files;
use super::folder::SweepFolder;
use super::manifest::Manifest;
use std::path::{Path, PathBuf};

/// Default number of array tasks; if there are more trials, a task runs several.
const TASKS: usize = 64;

/// Stores the manifest in the sweep's folder and writes `sweep.sbatch` there: a job
/// array in which each task runs one shard. Returns the script's path, to be passed to
/// `sbatch`.
///
/// `program` and `config` are paths valid in the tasks; `arguments` are passed to every
/// task (`--set`, `--device`, ...).
///
/// # Errors
/// A folder that another config made or that is not writable.
pub fn write_script(
    folder: &SweepFolder,
    manifest: &Manifest,
    text: &str,
    program: &Path,
    config: &Path,
    arguments: &[String],
) -> Result<PathBuf, SweepError> {
    let _lock = folder.lock(true)?;
    folder.claim(manifest, text)?;
    let root = std::path::absolute(folder.root())
        .map_err(|error| SweepError::io("find", folder.root(), error))?;
    let config =
        std::path::absolute(config).map_err(|error| SweepError::io("find", config, error))?;
    let tasks = manifest.trials.len().min(TASKS);
    let mut command = vec![
        quote(&program.display().to_string()),
        "sweep".into(),
        quote(&config.display().to_string()),
    ];
    command.extend(arguments.iter().map(|argument| quote(argument)));
    command.extend(["--out".into(), quote(&root.display().to_string())]);
    let script = format!(
        "#!/bin/bash\n\
         # {trials} trials of `{name}` in {tasks} tasks. Submit it again until it leaves nothing\n\
         # to do: finished trials are skipped, interrupted ones continue. Resources are\n\
         # added on the command line: sbatch --time=4:00:00 --cpus-per-task=8 sweep.sbatch\n\
         #SBATCH --job-name=brevity-{name}\n\
         #SBATCH --array=1-{tasks}\n\
         #SBATCH --output={log}/slurm-%A_%a.log\n\
         # A minute to write a checkpoint before the time is up.\n\
         #SBATCH --signal=INT@60\n\
         exec srun {command} --jobs 1 --resume --shard \"$SLURM_ARRAY_TASK_ID/{tasks}\"\n",
        trials = manifest.trials.len(),
        name = manifest.name,
        log = root.display(),
        command = command.join(" "),
    );
    let path = root.join("sweep.sbatch");
    files::write(&path, script.as_bytes())?;
    Ok(path)
}

/// Quotes a word for bash.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(quote("model.width=16"), "model.width=16");
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's"), "'it'\\''s'");
        assert_eq!(quote(""), "''");
    }
}
