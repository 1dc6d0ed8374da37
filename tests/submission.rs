//! What schedulers are given, and what they are asked.

use std::fs;
use std::process::Command;

use crate::cluster::{Cluster, SBATCH, text};
use crate::util::Ran;

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

/// Rounds of commands end in the trials that one process chooses; the script of a round
/// names its trials.
#[test]
fn an_adaptive_plan_goes_to_schedulers_in_rounds() {
    let cluster = Cluster::new();
    let plan = ["--set", "sweep.plan=adaptive", "--set"];
    let sizes = "sweep.grid.model.width=[4, 6, 8, 12, 16, 24]";
    let sweep = |more: &[&str]| {
        let args = [&["sweep", "c.toml"], &plan[..], &[sizes], more].concat();
        cluster.brevity(&args).status(0)
    };
    let done = |out: &str| {
        let rows = cluster.home().join(out).join("results.json");
        let rows: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(rows).expect("rows")).expect("JSON");
        let rows = rows.as_array().expect("rows").clone();
        let done = rows.iter().filter(|row| row["state"] == "done");
        done.map(|row| row["id"].clone()).collect::<Vec<_>>()
    };
    let script = sweep(&["--engine", "slurm", "--out", "runs/slurm"]).stdout();
    assert!(script.contains("sbatch"), "{script}");
    let script = cluster.home().join("runs/slurm/sweep.sbatch");
    let script = fs::read_to_string(script).expect("a script");
    assert!(
        script.contains("1) set -- ") && script.contains("--trial"),
        "{script}"
    );
    assert!(!script.contains("--any"), "{script}");

    sweep(&["--out", "runs/local"]);
    let mut rounds = 0;
    loop {
        let commands = sweep(&["--engine", "commands", "--out", "runs/rounds"]).stdout();
        if commands.is_empty() {
            break;
        }
        rounds += 1;
        assert!(rounds <= 6, "{commands}");
        assert_eq!(commands.matches("--trial").count(), 1, "{commands}");
        assert!(cluster.dir.shell(&commands).status.success());
        cluster.brevity(&["sweep", "collect", "runs/rounds"]);
    }
    let local = done("runs/local");
    assert_eq!(local.len(), rounds);
    assert_eq!(done("runs/rounds"), local);
}
