//! A job of HyperQueue: a task for each task of the plan, and the collector behind them.

use crate::sweep::error::SweepError;
use crate::sweep::files;
use crate::sweep::plan::{Plan, mebibytes, minutes};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How often HyperQueue starts a task again whose worker was lost.
const CRASHES: u32 = 20;

#[derive(Serialize)]
struct JobFile<'a> {
    name: String,
    task: Vec<Task<'a>>,
}

#[derive(Serialize)]
struct Task<'a> {
    id: usize,
    command: Vec<&'a str>,
    cwd: String,
    stdout: String,
    stderr: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deps: Vec<usize>,
    priority: i64,
    crash_limit: u32,
    request: Vec<Request>,
}

#[derive(Serialize)]
struct Request {
    resources: BTreeMap<&'static str, u64>,
    time_request: String,
}

/// Writes `sweep.hq.toml` into the plan's folder, for `hq job submit-file`, and returns
/// its path. Memory is asked for as the resource `mem` in MiB, which workers declare by
/// themselves.
///
/// # Errors
/// A folder that is not writable.
pub fn write_hq_job(plan: &Plan) -> Result<PathBuf, SweepError> {
    let root = Path::new(&plan.folder);
    let logs = root.join("logs");
    files::create_folder(&logs)?;
    // Placeholders of HyperQueue look like `%{JOB_ID}`, and nothing escapes them.
    if plan.folder.contains("%{") {
        let message = format!(
            "HyperQueue cannot write into {}: rename it without `%{{`",
            plan.folder
        );
        return Err(SweepError::Usage(message));
    }
    let log = |name: &str| format!("{}/{name}.log", logs.display());
    let mut tasks: Vec<Task<'_>> = Vec::new();
    for (place, task) in plan.tasks.iter().enumerate() {
        let resources = [
            ("cpus", task.cpus as u64),
            ("mem", mebibytes(task.memory_bytes)),
        ];
        tasks.push(Task {
            id: place + 1,
            command: task.command.iter().map(String::as_str).collect(),
            cwd: plan.folder.clone(),
            stdout: log(&format!("hq-{}", place + 1)),
            stderr: log(&format!("hq-{}", place + 1)),
            deps: Vec::new(),
            priority: task.priority as i64,
            crash_limit: CRASHES,
            request: vec![Request {
                resources: resources.into(),
                time_request: format!("{}m", minutes(task.seconds)),
            }],
        });
    }
    let all: Vec<usize> = tasks.iter().map(|task| task.id).collect();
    tasks.push(Task {
        id: all.len() + 1,
        command: plan.collect.iter().map(String::as_str).collect(),
        cwd: plan.folder.clone(),
        stdout: log("collect"),
        stderr: log("collect"),
        deps: all,
        priority: 0,
        crash_limit: CRASHES,
        request: vec![Request {
            resources: [("cpus", 1)].into(),
            time_request: "10m".into(),
        }],
    });
    let name = format!("brevity-{}", plan.name);
    let text = toml::to_string(&JobFile { name, task: tasks });
    let path = root.join("sweep.hq.toml");
    files::write(&path, text.expect("plain data").as_bytes())?;
    Ok(path)
}
