//! Sweeps that schedulers run: what they are given, what they are asked, and how tasks
//! end. The schedulers' programs are scripts here; `.ci/slurm` runs the real ones.

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
struct Cluster {
    dir: Dir,
}

/// Runs a step: the command, without the options of `srun`.
const SRUN: &str = r#"while case "$1" in --*) true;; *) false;; esac; do shift; done
[ -e "$LOG/srun-status" ] && exit "$(cat "$LOG/srun-status")"
exec "$@""#;

/// Hands out ids, or refuses.
const SBATCH: &str = r#"[ -e "$LOG/refuse" ] && { cat "$LOG/refuse" >&2; exit 1; }
n=$(ls "$LOG" | grep -c sbatch-); cat "${@: -1}" > "$LOG/sbatch-$n"; echo "$((17 + n));west""#;

impl Cluster {
    fn new() -> Cluster {
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

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        self.dir.file(name, text)
    }

    /// A program of the scheduler, which also logs its arguments.
    fn script(&self, name: &str, body: &str) {
        let path = self.file(
            &format!("bin/{name}"),
            format!("#!/bin/bash\necho \"$*\" >> \"$LOG/{name}\"\n{body}\n"),
        );
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("permissions");
    }

    fn home(&self) -> PathBuf {
        self.dir.path("a b %j 'c'")
    }

    fn run_folder(&self) -> PathBuf {
        self.home().join("runs/tiny")
    }

    fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", self.dir.path("bin").display());
        command.env("PATH", path).env("LOG", self.dir.path("log"))
    }

    fn brevity(&self, args: &[&str]) -> Ran {
        let mut command = self.dir.brevity(args);
        let output = self.prepare(&mut command).current_dir(self.home()).output();
        Ran::new(args, output.expect("the command starts"))
    }

    /// What a scheduler's program was called with, a line a call.
    fn log(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path("log").join(name)).unwrap_or_default()
    }

    /// Runs a job script as Slurm would run the first task of an array.
    fn task(&self, script: &str) -> Output {
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

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn scores(text: &str) -> serde_json::Value {
    let mut rows: serde_json::Value = serde_json::from_str(text).expect("rows");
    for row in rows.as_array_mut().expect("rows") {
        let row = row.as_object_mut().expect("a row");
        row.retain(|key, _| !["provenance", "training"].contains(&key.as_str()));
    }
    rows
}

/// The array and its collector end in the results of the local run, from any directory,
/// though the config was edited and its relative data moved out of sight.
#[test]
fn slurm_tasks_run_from_what_the_folder_froze() {
    let cluster = Cluster::new();
    let ran = cluster
        .brevity(&["sweep", "c.toml", "--engine", "slurm"])
        .status(0);
    ran.says("3 trials to do in 1 tasks");
    fs::write(cluster.home().join("c.toml"), "edited").expect("a file");
    let script = fs::read_to_string(cluster.run_folder().join("sweep.sbatch")).expect("it");
    for line in [
        "--requeue",
        "--open-mode=append",
        "--chdir=\"",
        "--signal=INT@60",
        "--mem=",
    ] {
        assert!(
            script.contains(&format!("#SBATCH {line}")),
            "{line} in {script}"
        );
    }
    assert!(
        script.contains("a b %%j 'c'/runs/tiny/logs/slurm-%A_%a.log\""),
        "{script}"
    );
    let ran = cluster.task("sweep.sbatch");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let log = text(&ran.stderr);
    assert!(
        log.contains("started: model.width 16") && log.contains("job 17_1"),
        "{log}"
    );
    assert_eq!(
        log.lines()
            .filter(|line| line.contains(" done after "))
            .count(),
        3
    );
    // The tasks left baselines and report to the collector.
    assert!(!cluster.run_folder().join("results.json").exists());
    let ran = cluster.task("collect.sbatch");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    for file in ["results.json", "baselines.json", "report.html"] {
        assert!(cluster.run_folder().join(file).exists(), "{file}");
    }
    let collected = fs::read_to_string(cluster.run_folder().join("results.json")).expect("it");
    let provenance = &scores_with_provenance(&collected)[0]["provenance"];
    assert_eq!(provenance["job"], "17_1");
    assert!(
        provenance["peak_memory"].as_u64() > Some(1 << 20),
        "{provenance}"
    );

    let local = Cluster::new();
    let ran = local.brevity(&["sweep", "c.toml", "--json"]).status(0);
    assert_eq!(scores(&collected), scores(&ran.stdout()));
    // Finished trials are not queued again.
    let folder = cluster.run_folder();
    let folder = folder.to_str().expect("UTF-8");
    let ran = cluster
        .brevity(&["sweep", folder, "--engine", "slurm"])
        .status(0);
    ran.says("nothing to queue; to collect: ");
}

fn scores_with_provenance(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("rows")
}

#[test]
fn a_task_queues_itself_again_when_it_must() {
    let cluster = Cluster::new();
    cluster
        .brevity(&["sweep", "c.toml", "--engine", "slurm"])
        .status(0);
    let end = |status: &str| {
        cluster.file("log/srun-status", status);
        let _ = fs::remove_file(cluster.dir.path("log/scontrol"));
        let code = cluster.task("sweep.sbatch").status.code();
        (code, cluster.log("scontrol"))
    };
    assert_eq!(end("0"), (Some(0), String::new()));
    assert_eq!(end("1"), (Some(1), String::new()));
    assert_eq!(end("75"), (Some(0), String::new()));
    assert_eq!(end("130"), (Some(0), "requeue 17_1\n".into()));
    let more = "requeue 17_1\nupdate JobId=17_1 MinMemoryNode=1024\n";
    assert_eq!(end("137"), (Some(0), more.into()));
    // A site that forbids it: the task ends as it was stopped.
    cluster.script("scontrol", "exit 1");
    assert_eq!(end("130").0, Some(130));
    let calls = cluster.log("srun");
    assert!(
        calls
            .lines()
            .all(|call| call.starts_with("--cpus-per-task=1 ")),
        "{calls}"
    );
}

#[test]
fn options_reach_the_tasks() {
    let cluster = Cluster::new();
    let ran = cluster.brevity(&[
        "sweep",
        "c.toml",
        "--engine",
        "slurm",
        "--json",
        "--jobs",
        "2",
        "--threads",
        "4",
        "--tasks",
        "2",
        "--task-seconds",
        "0",
        "--option=--partition=short",
        "--retry-failed",
    ]);
    let told: serde_json::Value = serde_json::from_str(&ran.status(0).stdout()).expect("JSON");
    assert_eq!(told["plan"]["tasks"].as_array().map(Vec::len), Some(3));
    assert_eq!(told["plan"]["tasks"][0]["cpus"], 4);
    let read = |name: &str| fs::read_to_string(cluster.run_folder().join(name)).expect("it");
    let script = read("sweep.sbatch");
    for part in [
        "#SBATCH --array=1-2\n",
        "#SBATCH --cpus-per-task=4\n",
        "#SBATCH --partition=short\n",
        " --any --jobs 2 ",
        " --retry-failed",
    ] {
        assert!(script.contains(part), "{part:?} in {script}");
    }
    assert!(read("collect.sbatch").contains("--json"));
}

#[test]
fn a_sweep_is_submitted_once_and_watched() {
    let cluster = Cluster::new();
    let submit = ["sweep", "c.toml", "--engine", "slurm", "--submit"];
    let ran = cluster.brevity(&submit).status(0);
    assert_eq!(ran.stdout(), "submitted: job 17, then 18\n");
    ran.says("core hours").says("MiB at once");
    assert!(cluster.log("sbatch").contains("--dependency=afterany:17"));
    let jobs = fs::read_to_string(cluster.run_folder().join("jobs.json")).expect("jobs");
    assert!(jobs.contains("\"17\"") && jobs.contains("\"18\""), "{jobs}");

    cluster.file("log/squeue", "17_1|RUNNING\n18|PENDING\n");
    cluster
        .brevity(&submit)
        .status(2)
        .says("job 17_1 is not over");
    let status = ["sweep", "status", "runs/tiny"];
    let told = cluster.brevity(&status).status(0).stdout();
    assert!(told.contains("3 trials: 3 queued"), "{told}");
    assert!(told.contains("jobs: 1 queued, 1 running"), "{told}");
    cluster.brevity(&["sweep", "cancel", "runs/tiny"]).status(0);
    assert_eq!(cluster.log("scancel"), "17 18\n");

    // Stopped by the end of their time, killed for memory, killed with the machine.
    let manifest = fs::read_to_string(cluster.run_folder().join("manifest.json")).expect("it");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    for (i, task) in ["17_1", "17_2", "17_3"].into_iter().enumerate() {
        let id = manifest["trials"][i]["id"].as_str().expect("an id");
        let stopped = i == 0;
        let attempt =
            format!(r#"{{"host": "n1", "process": 5, "job": "{task}", "stopped": {stopped}}}"#);
        cluster.file(&format!("a b %j 'c'/runs/tiny/trials/{id}/config.toml"), "");
        cluster.file(
            &format!("a b %j 'c'/runs/tiny/trials/{id}/attempt.json"),
            attempt,
        );
    }
    let states = |queue: &str| {
        cluster.file("log/squeue", queue);
        let json = cluster.brevity(&["sweep", "status", "runs/tiny", "--json"]);
        let told: serde_json::Value = serde_json::from_str(&json.status(0).stdout()).expect("it");
        let state = |i: usize| told["trials"][i]["state"].as_str().expect("it").to_owned();
        [state(0), state(1), state(2)]
    };
    assert_eq!(
        states("17_1|PENDING\n17_2|OUT_OF_MEMORY\n17_3|RUNNING\n"),
        ["waiting-for-requeue", "out-of-memory", "running"]
    );
    // Purged from accounting.
    assert_eq!(states(""), ["interrupted", "lost", "lost"]);
    let ran = cluster
        .brevity(&["sweep", "collect", "runs/tiny"])
        .status(1);
    ran.says("3 of 3 trials are not done: 1 interrupted, 2 lost");
}

#[test]
fn schedulers_that_refuse_or_are_not_there_are_told() {
    let cluster = Cluster::new();
    let submit = ["sweep", "c.toml", "--engine", "slurm", "--submit"];
    let refusal = "sbatch: error: Batch job submission failed: Invalid account";
    cluster.file("log/refuse", refusal);
    let ran = cluster.brevity(&submit).status(1);
    ran.says("Invalid account");
    assert!(!cluster.run_folder().join("jobs.json").exists());
    fs::remove_file(cluster.dir.path("log/refuse")).expect("a file");

    // The collector is refused: the array does not run unrecorded.
    cluster.script(
        "sbatch",
        r#"case "$*" in *afterany*) exit 1;; esac; echo 17"#,
    );
    cluster.brevity(&submit).status(1).says("afterany");
    assert_eq!(cluster.log("scancel"), "17\n");
    cluster.script("sbatch", SBATCH);
    cluster.brevity(&submit).status(0);

    // A controller that is dead, and one that says nonsense.
    cluster.script(
        "squeue",
        "echo 'Unable to contact slurm controller' >&2; exit 1",
    );
    cluster
        .brevity(&submit)
        .status(1)
        .says("Unable to contact slurm controller");
    let ran = cluster.brevity(&["sweep", "status", "runs/tiny"]).status(0);
    assert!(ran.stdout().contains("3 pending"), "{}", ran.stdout());
    ran.says("Unable to contact slurm controller");

    for program in ["sbatch", "squeue", "sacct", "scancel"] {
        fs::remove_file(cluster.dir.path("bin").join(program)).expect("a script");
    }
    if Command::new("sbatch").arg("--version").output().is_err() {
        cluster.brevity(&submit).status(2).says("on the PATH");
        fs::remove_file(cluster.run_folder().join("jobs.json")).expect("a file");
        cluster
            .brevity(&submit)
            .status(2)
            .says("no `sbatch` on the PATH");
    }
}

#[test]
fn commands_and_plans_are_for_anything_that_runs_commands() {
    let cluster = Cluster::new();
    let emit = [
        "sweep",
        "c.toml",
        "--engine",
        "commands",
        "--task-seconds",
        "0",
    ];
    let plan = ["--plan", "plan.json"];
    let lines = cluster
        .brevity(&[&emit[..], &plan[..]].concat())
        .status(0)
        .stdout();
    assert_eq!(lines.lines().count(), 3);
    let read = fs::read_to_string(cluster.home().join("plan.json")).expect("a plan");
    let plan: serde_json::Value = serde_json::from_str(&read).expect("JSON");
    for (i, line) in lines.lines().enumerate() {
        let trial = &plan["trials"][i];
        assert_eq!(trial["task"], i);
        for key in ["cpus", "memory_bytes", "seconds", "priority"] {
            assert!(trial[key].as_f64() > Some(0.0), "{key} of {trial}");
        }
        assert!(
            line.contains(trial["id"].as_str().expect("an id")),
            "{line}"
        );
    }
    // The index arithmetic of docs/scale.md.
    cluster.file("a b %j 'c'/tasks.txt", &lines);
    for index in 0..3 {
        let run = format!("sed -n $(({index} + 1))p tasks.txt | sh");
        let ran = cluster.dir.shell(&format!("cd \"a b %j 'c'\" && {run}"));
        assert!(ran.status.success(), "{}", text(&ran.stderr));
    }
    let ran = cluster
        .brevity(&["sweep", "collect", "runs/tiny"])
        .status(0);
    assert!(ran.stdout().contains("report.html"), "{}", ran.stdout());
}

#[test]
fn other_commands_with_trials_are_scheduled_too() {
    let cluster = Cluster::new();
    let emit = [
        "prequential",
        "c.toml",
        "--engine",
        "commands",
        "--set",
        "model.context=64",
        "--out",
        "runs/pre",
    ];
    let lines = cluster.brevity(&emit).status(0).stdout();
    assert!(lines.contains(" prequential "), "{lines}");
    cluster.file("a b %j 'c'/tasks.txt", &lines);
    let ran = cluster.dir.shell("cd \"a b %j 'c'\" && sh tasks.txt");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    cluster.brevity(&["sweep", "collect", "runs/pre"]).status(0);
    assert!(cluster.home().join("runs/pre/prequential.html").exists());
    cluster
        .brevity(&["contamination", "runs/pre"])
        .status(2)
        .says("brevity prequential");
}

const TABLE: &str = r#"
name = "models"
[[set]]
name = "text"
source = "data.txt"
bytes = 3000
[coders]
whole = ["gzip -9"]
[[model]]
name = "small one"
learns = ["text"]
spec = { width = 8, context = 32 }
train = { steps = 4, batch_bytes = 128 }
[[model]]
name = "larger"
learns = ["text"]
spec = { width = 16, context = 32 }
train = { steps = 4, batch_bytes = 128 }
"#;

#[test]
fn the_models_of_a_table_are_tasks_and_the_table_is_the_collector() {
    let cluster = Cluster::new();
    cluster.file("a b %j 'c'/t.toml", TABLE);
    let whole = cluster
        .brevity(&["table", "t.toml", "--out", "whole"])
        .status(0)
        .stdout();
    let emit = [
        "table",
        "t.toml",
        "--engine",
        "slurm",
        "--task-seconds",
        "0",
    ];
    cluster
        .brevity(&emit)
        .status(0)
        .says("2 trials to do in 2 tasks");
    cluster.file("a b %j 'c'/t.toml", "edited");
    let run = |script: &str| {
        let mut command = Command::new("bash");
        command.arg(cluster.home().join("runs/models").join(script));
        command
            .env("SLURM_ARRAY_JOB_ID", "17")
            .env("SLURM_ARRAY_TASK_ID", "2");
        let output = cluster.prepare(&mut command).current_dir("/").output();
        let output = output.expect("bash");
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    run("sweep.sbatch");
    assert!(!cluster.home().join("runs/models/table.json").exists());
    let collected = run("collect.sbatch");
    let lines = |text: &str| text.lines().filter(|l| !l.contains('/')).count();
    assert_eq!(lines(&collected), lines(&whole));
    let read = |folder: &str| {
        let path = cluster.home().join(folder).join("table.csv");
        fs::read_to_string(path).expect("a table")
    };
    assert_eq!(read("runs/models"), read("whole"));
    let models = cluster.brevity(&["table", "runs/models/config.toml", "--model", "none"]);
    models.status(2).says("no model is called `none`");
}

#[test]
fn options_that_contradict_each_other_are_named() {
    let cluster = Cluster::new();
    let cases: [(&[&str], &str); 6] = [
        (&["--engine", "slurm", "--shard", "1/2"], "--shard"),
        (&["--submit"], "--submit"),
        (&["--option=--partition=x"], "--option"),
        (&["--engine", "slurm", "--option", "x"], "`x` is no option"),
        (&["--engine", "slurm", "--tasks", "0"], "--tasks"),
        (&["--any", "--trial", "x"], "--trial"),
    ];
    for (options, word) in cases {
        let args = [&["sweep", "c.toml"], options].concat();
        cluster.brevity(&args).status(2).says(word);
    }
    let ran = cluster.brevity(&["sweep", "cancel", "runs"]).status(2);
    ran.says("nothing was submitted");
    for action in ["status", "collect"] {
        let ran = cluster.brevity(&["sweep", action, "runs"]).status(2);
        ran.says("holds no sweep");
    }
    let stdin = [
        "sweep",
        "c.toml",
        "--engine",
        "slurm",
        "--set",
        "data.source=-",
    ];
    let mut command = cluster.dir.brevity(&stdin);
    command.current_dir(cluster.home());
    let data = fs::File::open(cluster.home().join("data.txt")).expect("data");
    let output = cluster
        .prepare(command.stdin(data))
        .output()
        .expect("it starts");
    Ran::new(&stdin, output).status(2).says("standard input");
}

/// Folders whose shards saw the data at other places are joined.
#[test]
fn shards_with_other_mounts_are_joined() {
    let cluster = Cluster::new();
    let data = fs::read(cluster.home().join("data.txt")).expect("data");
    cluster.file("mnt/a/x.txt", &data);
    cluster.file("mnt/b/y.txt", &data);
    let shard = |place: &str, of: &str| {
        let source = cluster.dir.path("mnt").join(place);
        let set = format!("data.source={:?}", source.display().to_string());
        let out = format!("runs/{}", &of[..1]);
        let args = [
            "sweep", "c.toml", "--set", &set, "--shard", of, "--out", &out,
        ];
        cluster.brevity(&args).status(0);
    };
    shard("a/x.txt", "1/2");
    shard("b/y.txt", "2/2");
    let copied = cluster
        .dir
        .shell("cd \"a b %j 'c'/runs\" && cp -r 2/trials/. 1/trials/");
    assert!(copied.status.success());
    cluster.brevity(&["sweep", "collect", "runs/1"]).status(0);
    let ran = cluster.brevity(&["sweep", "runs/1", "--json"]).status(0);
    let rows = scores(&ran.stdout());
    assert!(
        rows.as_array()
            .expect("rows")
            .iter()
            .all(|row| row["state"] == "done")
    );
}

/// A file system whose locks do nothing is not shared; one without locks is not used.
#[cfg(target_os = "linux")]
#[test]
fn locks_that_do_nothing_are_found_out() {
    let cluster = Cluster::new();
    let source = cluster.file(
        "flock.c",
        "#include <errno.h>\n#include <stdlib.h>\n\
         int flock(int file, int how) {\n\
         if (getenv(\"NO_LOCKS\")) { errno = ENOSYS; return -1; }\n\
         return 0; }\n",
    );
    let library = cluster.dir.path("flock.so");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&source);
    let built = cc.status().expect("a C compiler");
    assert!(built.success());
    let run = |args: &[&str], none: bool| {
        let mut command = cluster.dir.brevity(args);
        command
            .env("LD_PRELOAD", &library)
            .current_dir(cluster.home());
        if none {
            command.env("NO_LOCKS", "1");
        }
        Ran::new(args, command.output().expect("it starts"))
    };
    let shard = ["sweep", "c.toml", "--shard", "1/2"];
    run(&shard, false).status(1).says("grants every lock");
    run(&shard, true).status(1).says("has no locks");
    assert!(!cluster.run_folder().join("trials").exists());
}
