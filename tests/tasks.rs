//! The tasks of a sweep that a scheduler runs: what they read, and how they end.
//! `.ci/slurm` runs them by the real one.

use std::fs;
use std::process::Command;

use crate::cluster::{Cluster, scores, text};
use crate::util::Ran;

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

#[test]
fn a_collector_goes_on_until_all_is_done() {
    let cluster = Cluster::new();
    cluster
        .brevity(&["sweep", "c.toml", "--engine", "commands"])
        .status(0);
    let args = ["sweep", "runs/tiny", "--any"];
    let mut task = cluster.dir.brevity(&args);
    let mut task = task.current_dir(cluster.home()).spawn().expect("it starts");
    while !cluster.run_folder().join("trials").exists() {
        assert!(task.try_wait().expect("a child").is_none(), "it ended");
        std::thread::yield_now();
    }
    let collect = ["sweep", "collect", "runs/tiny", "--every", "1"];
    cluster.brevity(&collect).status(0).stdout();
    assert!(task.wait().expect("a child").success());
    assert!(cluster.run_folder().join("report.html").exists());
}
