//! What Slurm and HyperQueue are told and asked, by their own programs.

use super::engines::SlurmScripts;
use super::error::SchedulerError;
use super::jobs::{SchedulerKind, Submission};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::Command;

/// How a job stands, by its scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Waits for resources, or to start again.
    Queued,
    /// Runs.
    Running,
    /// Was killed for its memory.
    OutOfMemory,
    /// Its machine died.
    NodeLost,
    /// Ended, well or not.
    Ended,
}

/// The states of jobs by their ids, such as `17_3`. Jobs that the scheduler has
/// forgotten are missing.
pub type JobStates = BTreeMap<String, JobState>;

fn run(program: &'static str, arguments: &[&str]) -> Result<String, SchedulerError> {
    let output = match Command::new(program).args(arguments).output() {
        Ok(output) => output,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let help = match program {
                "hq" => "start where HyperQueue is, or use --engine commands",
                _ => "start where Slurm is, or use --engine commands",
            };
            return Err(SchedulerError::Absent { program, help });
        }
        Err(source) => return Err(SchedulerError::Start { program, source }),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let said = [text(&output.stderr), text(&output.stdout)];
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    let message = match said.join("\n").trim() {
        "" => output.status.to_string(),
        said => said.to_owned(),
    };
    Err(SchedulerError::Refused {
        command: format!("{program} {}", arguments.join(" ")),
        message,
    })
}

/// Submits the scripts of a sweep to Slurm.
///
/// # Errors
/// No Slurm, or one that refuses.
pub(super) fn submit_slurm(scripts: &SlurmScripts) -> Result<Submission, SchedulerError> {
    let tasks = scripts.tasks.display().to_string();
    let job = job_id("sbatch", run("sbatch", &["--parsable", &tasks])?)?;
    let collect = scripts.collect.display().to_string();
    let after = format!("--dependency=afterany:{job}");
    let said = run("sbatch", &["--parsable", &after, &collect]);
    let collector = match said.and_then(|said| job_id("sbatch", said)) {
        Ok(collector) => collector,
        Err(error) => {
            // The array without its collector would run unrecorded.
            let _ = run("scancel", &[&job]);
            return Err(error);
        }
    };
    Ok(Submission {
        scheduler: SchedulerKind::Slurm,
        job,
        collector: Some(collector),
    })
}

/// `--parsable` prints `17` or `17;cluster`.
fn job_id(command: &str, said: String) -> Result<String, SchedulerError> {
    let last = said.lines().last().unwrap_or_default();
    let id = last.split(';').next().unwrap_or_default().trim();
    if !id.is_empty() && id.chars().all(|c| c.is_ascii_digit()) {
        return Ok(id.to_owned());
    }
    Err(SchedulerError::Unexpected {
        command: command.to_owned(),
        said,
    })
}

/// Submits a job file to HyperQueue.
///
/// # Errors
/// No HyperQueue, or one that refuses.
pub(super) fn submit_hq(file: &Path) -> Result<Submission, SchedulerError> {
    let file = file.display().to_string();
    let said = run("hq", &["--output-mode=json", "job", "submit-file", &file])?;
    let told: Value = serde_json::from_str(&said).unwrap_or_default();
    match told["id"].as_u64() {
        Some(id) => Ok(Submission {
            scheduler: SchedulerKind::Hq,
            job: id.to_string(),
            collector: None,
        }),
        None => Err(SchedulerError::Unexpected {
            command: "hq job submit-file".into(),
            said,
        }),
    }
}

/// Ends the jobs of a submission; those that have ended are passed over.
///
/// # Errors
/// No scheduler, or one that refuses.
pub fn cancel(submission: &Submission) -> Result<(), SchedulerError> {
    match submission.scheduler {
        SchedulerKind::Slurm => {
            let ids: Vec<&str> = submission.ids().collect();
            run("scancel", &ids).map(drop)
        }
        SchedulerKind::Hq => run("hq", &["job", "cancel", &submission.job]).map(drop),
    }
}

/// How the jobs of submissions stand.
///
/// # Errors
/// No scheduler, or one that does not answer.
pub fn job_states(submissions: &[Submission]) -> Result<JobStates, SchedulerError> {
    let mut states = JobStates::new();
    let of = |kind| submissions.iter().filter(move |s| s.scheduler == kind);
    let slurm: Vec<&str> = of(SchedulerKind::Slurm).flat_map(Submission::ids).collect();
    if !slurm.is_empty() {
        slurm_states(&slurm, &mut states)?;
    }
    for submission in of(SchedulerKind::Hq) {
        hq_states(&submission.job, &mut states)?;
    }
    Ok(states)
}

fn slurm_states(ids: &[&str], states: &mut JobStates) -> Result<(), SchedulerError> {
    // Accounting keeps jobs longest, where a site has it; it lists steps too, and of
    // those only what killed them is of interest.
    let list = ids.join(",");
    let format = "--format=JobID,State";
    let accounted = run("sacct", &["-n", "-P", "-j", &list, format]).unwrap_or_default();
    for line in accounted.lines() {
        let Some((id, word)) = line.split_once('|') else {
            continue;
        };
        let state = slurm_state(word);
        match id.split_once('.') {
            None => {
                states.entry(id.to_owned()).or_insert(state);
            }
            Some((id, _)) if state == JobState::OutOfMemory => {
                states.insert(id.to_owned(), state);
            }
            Some(_) => {}
        }
    }
    // What the controller says is newer. It knows nothing of jobs that it has forgotten,
    // and refuses a list of only such.
    let arguments = ["-h", "-r", "--states=all", "-o", "%i|%T", "-j", &list];
    let queued = match run("squeue", &arguments) {
        Err(SchedulerError::Refused { message, .. }) if message.contains("Invalid job id") => {
            String::new()
        }
        said => said?,
    };
    for line in queued.lines() {
        if let Some((id, word)) = line.split_once('|') {
            let state = slurm_state(word);
            let known = states.get(id);
            if !(state == JobState::Ended && known.is_some()) {
                states.insert(id.to_owned(), state);
            }
        }
    }
    Ok(())
}

fn slurm_state(word: &str) -> JobState {
    // `CANCELLED by 1000`, for one.
    match word.split_whitespace().next().unwrap_or_default() {
        "PENDING" | "REQUEUED" | "REQUEUE_HOLD" | "REQUEUE_FED" | "CONFIGURING" | "SUSPENDED"
        | "SPECIAL_EXIT" => JobState::Queued,
        "RUNNING" | "COMPLETING" | "STAGE_OUT" | "SIGNALING" => JobState::Running,
        "OUT_OF_MEMORY" => JobState::OutOfMemory,
        "NODE_FAIL" | "BOOT_FAIL" => JobState::NodeLost,
        _ => JobState::Ended,
    }
}

fn hq_states(job: &str, states: &mut JobStates) -> Result<(), SchedulerError> {
    let said = match run("hq", &["--output-mode=json", "task", "list", job]) {
        // A server that was started anew has forgotten its jobs.
        Err(SchedulerError::Refused { message, .. }) if message.contains("not found") => {
            return Ok(());
        }
        said => said?,
    };
    let told: Value = serde_json::from_str(&said).unwrap_or_default();
    let tasks = match &told {
        Value::Object(map) => map.values().find_map(Value::as_array),
        Value::Array(tasks) => Some(tasks),
        _ => None,
    };
    for task in tasks.into_iter().flatten() {
        let state = match task["state"].as_str().unwrap_or_default() {
            "waiting" => JobState::Queued,
            "running" => JobState::Running,
            _ => JobState::Ended,
        };
        if let Some(id) = task["id"].as_u64() {
            states.insert(format!("{job}@{id}"), state);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_and_other_words_refused() {
        assert_eq!(job_id("sbatch", "17".into()).unwrap(), "17");
        assert_eq!(job_id("sbatch", "17;west".into()).unwrap(), "17");
        let error = job_id("sbatch", "Welcome!".into()).unwrap_err().to_string();
        assert!(error.contains("Welcome!"), "{error}");
    }

    #[test]
    fn words_of_slurm_are_known() {
        let of = [
            "PENDING",
            "RUNNING",
            "OUT_OF_MEMORY",
            "NODE_FAIL",
            "CANCELLED by 1",
        ];
        use JobState::*;
        assert_eq!(
            of.map(slurm_state),
            [Queued, Running, OutOfMemory, NodeLost, Ended]
        );
    }
}
