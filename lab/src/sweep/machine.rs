//! The machine and the job that this process runs on and in.

use serde::{Deserialize, Serialize};
use std::fs;
use std::sync::OnceLock;

/// A place where trials run: enough to find the process, and the log of its job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// Name of the machine.
    pub host: String,
    /// Id of the process on it.
    pub process: u32,
    /// Id of the scheduler's job, such as `17_3` for the third task of an array.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
}

impl Place {
    /// Where this process runs.
    pub fn here() -> Place {
        Place {
            host: host(),
            process: std::process::id(),
            job: job(),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "process {} on {}", self.process, self.host)?;
        match &self.job {
            Some(job) => write!(f, ", job {job}"),
            None => Ok(()),
        }
    }
}

/// Name of this machine; empty if the system does not tell. Inside a Slurm job it is
/// that of the node, which need not be the machine's own.
pub(super) fn host() -> String {
    static HOST: OnceLock<String> = OnceLock::new();
    let read = |path| fs::read_to_string(path).ok();
    let found = || {
        let told = variable("SLURMD_NODENAME").or_else(|| read("/proc/sys/kernel/hostname"));
        let told = told.or_else(|| variable("HOSTNAME")).unwrap_or_default();
        told.trim().to_owned()
    };
    HOST.get_or_init(found).clone()
}

/// The processor as the system names it, if it does.
pub(super) fn processor() -> Option<String> {
    static PROCESSOR: OnceLock<Option<String>> = OnceLock::new();
    let found = || {
        let text = fs::read_to_string("/proc/cpuinfo").ok()?;
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    PROCESSOR.get_or_init(found).clone()
}

/// The id of the scheduler's job that this process belongs to.
pub(super) fn job() -> Option<String> {
    let array = variable("SLURM_ARRAY_JOB_ID").zip(variable("SLURM_ARRAY_TASK_ID"));
    if let Some((job, task)) = array {
        return Some(format!("{job}_{task}"));
    }
    let queue = variable("HQ_JOB_ID").zip(variable("HQ_TASK_ID"));
    if let Some((job, task)) = queue {
        return Some(format!("{job}@{task}"));
    }
    variable("SLURM_JOB_ID")
}

/// Cores that this process may use: those of the machine that it is bound to, and no more
/// than the scheduler gave its job.
pub(super) fn cores() -> usize {
    let seen = std::thread::available_parallelism().map_or(1, |n| n.get());
    let given = variable("SLURM_CPUS_PER_TASK").and_then(|n| n.parse().ok());
    given.map_or(seen, |given: usize| seen.min(given.max(1)))
}

/// Bytes that the scheduler lets this job use on its machine, if it says.
pub(super) fn memory_limit() -> Option<u64> {
    let mebibytes = |name| variable(name)?.parse::<u64>().ok();
    let limit = mebibytes("SLURM_MEM_PER_NODE").or_else(|| {
        let each = mebibytes("SLURM_MEM_PER_CPU")?;
        Some(each * mebibytes("SLURM_CPUS_ON_NODE")?)
    })?;
    // 0 means all of the machine.
    (limit > 0).then_some(limit << 20)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Starts the measurement of [`peak_memory`] anew, where the system can.
pub(super) fn forget_peak() {
    // Linux resets the peak on this write; where it cannot, the peak stays an upper
    // bound.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The most bytes of memory that this process held at once since [`forget_peak`], if
/// the system tells.
pub(super) fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes << 10)
}
