//! A folder to run sweeps from, beside a scheduler whose programs are scripts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::util::{Dir, Ran};

const CONFIG: &str = r#"
name = "tiny"
[data]
source = "data.txt"
bytes = 4000
[model]
context = 32
[train]
steps = 6
batch_bytes = 128
[sweep.grid]
model.width = [8, 12, 16]
"#;

/// A folder whose name needs quotes everywhere, with a config and scripts in `bin/`.
pub struct Cluster {
    pub dir: Dir,
}

/// Runs a step: the command, without the options of `srun`.
const SRUN: &str = r#"while case "$1" in --*) true;; *) false;; esac; do shift; done
[ -e "$LOG/srun-status" ] && exit "$(cat "$LOG/srun-status")"
exec "$@""#;

/// Hands out ids, or refuses.
pub const SBATCH: &str = r#"[ -e "$LOG/refuse" ] && { cat "$LOG/refuse" >&2; exit 1; }
n=$(ls "$LOG" | grep -c sbatch-); cat "${@: -1}" > "$LOG/sbatch-$n"; echo "$((17 + n));west""#;

impl Cluster {
    pub fn new() -> Cluster {
        let cluster = Cluster { dir: Dir::new() };
        cluster.file("a b %j 'c'/data.txt", "to be, or not to be: ".repeat(300));
        cluster.file("a b %j 'c'/c.toml", CONFIG);
        cluster.script("srun", SRUN);
        cluster.script("sbatch", SBATCH);
        cluster.script("scontrol", "exit 0");
        cluster.script("scancel", "exit 0");
        cluster.script("squeue", r#"cat "$LOG/squeue" 2>/dev/null; exit 0"#);
        cluster.script("sacct", "echo 'accounting storage is disabled' >&2; exit 1");
        fs::create_dir(cluster.dir.path("log")).expect("a folder");
        cluster
    }

    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        self.dir.file(name, text)
    }

    /// A program of the scheduler, which also logs its arguments.
    pub fn script(&self, name: &str, body: &str) {
        let path = self.file(
            &format!("bin/{name}"),
            format!("#!/bin/bash\necho \"$*\" >> \"$LOG/{name}\"\n{body}\n"),
        );
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("permissions");
    }

    pub fn home(&self) -> PathBuf {
        self.dir.path("a b %j 'c'")
    }

    pub fn run_folder(&self) -> PathBuf {
        self.home().join("runs/tiny")
    }

    pub fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", self.dir.path("bin").display());
        command.env("PATH", path).env("LOG", self.dir.path("log"))
    }

    pub fn brevity(&self, args: &[&str]) -> Ran {
        let mut command = self.dir.brevity(args);
        let output = self.prepare(&mut command).current_dir(self.home()).output();
        Ran::new(args, output.expect("the command starts"))
    }

    /// What a scheduler's program was called with, a line a call.
    pub fn log(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path("log").join(name)).unwrap_or_default()
    }

    /// Runs a job script as Slurm would run the first task of an array.
    pub fn task(&self, script: &str) -> Output {
        let mut command = Command::new("bash");
        command.arg(self.run_folder().join(script));
        command.env("SLURM_ARRAY_JOB_ID", "17");
        command.env("SLURM_ARRAY_TASK_ID", "1");
        command.env("SLURM_JOB_ID", "17");
        command.env("SLURM_CPUS_PER_TASK", "1");
        command.env("SLURM_MEM_PER_NODE", "512");
        // Anywhere but where the config was.
        let output = self.prepare(&mut command).current_dir("/").output();
        output.expect("bash")
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn scores(text: &str) -> serde_json::Value {
    let mut rows: serde_json::Value = serde_json::from_str(text).expect("rows");
    for row in rows.as_array_mut().expect("rows") {
        let row = row.as_object_mut().expect("a row");
        row.retain(|key, _| !["provenance", "training"].contains(&key.as_str()));
    }
    rows
}
