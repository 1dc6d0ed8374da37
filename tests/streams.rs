//! Standard streams that are closed, and names and environments at the edge.

use std::fs;
use std::io::Write;
use std::process::{Output, Stdio};

use crate::util::Dir;

/// Runs the command in a shell, with what the shell does to its streams.
fn in_shell(dir: &Dir, args: &str) -> Output {
    let script = format!("{} {args}", env!("CARGO_BIN_EXE_brevity"));
    dir.shell(&script)
}

#[test]
fn results_do_not_vanish_in_a_closed_standard_output() {
    let dir = Dir::new();
    dir.file("a", "to be or not to be");
    dir.run(&["compress", "a"]).status(0);
    for args in [
        "decompress -c a.bvy >&-",
        "inspect a.bvy >&-",
        "compress -c a >&-",
    ] {
        let output = in_shell(&dir, args);
        assert_eq!(output.status.code(), Some(1), "{args}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            error.contains("standard output: it is closed"),
            "{args}: {error}"
        );
    }
    // What prints nothing there does not need it; the null device is not closed.
    assert!(in_shell(&dir, "verify a.bvy >&-").status.success());
    assert!(in_shell(&dir, "inspect a.bvy >/dev/null").status.success());
}

#[test]
fn a_standard_error_that_nobody_reads_changes_no_status() {
    let dir = Dir::new();
    dir.file("a", "to be or not to be");
    for (args, status) in [("compress a", 0), ("compress nowhere", 1)] {
        let mut child = dir
            .brevity(&args.split(' ').collect::<Vec<_>>())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        drop(child.stderr.take());
        let ended = child.wait().expect("the command ends");
        assert_eq!(ended.code(), Some(status), "{args}");
    }
    assert_eq!(in_shell(&dir, "compress -f a 2>&-").status.code(), Some(0));
}

#[test]
fn a_number_of_threads_that_makes_no_sense_is_refused() {
    let dir = Dir::new();
    dir.file("a", "a");
    for (count, status) in [("100000", 2), ("-1", 2), ("2", 0)] {
        let mut command = dir.brevity(&["compress", "-f", "a"]);
        let output = command.env("RAYON_NUM_THREADS", count).output();
        let output = output.expect("the command starts");
        assert_eq!(output.status.code(), Some(status), "{count}");
    }
}

#[test]
fn any_legal_name_can_be_written() {
    let dir = Dir::new();
    let name = "n".repeat(251);
    dir.file(&name, "to be or not to be");
    dir.run(&["compress", &name]).status(0);
    let archive = format!("{name}.bvy");
    dir.run(&["decompress", "-f", &archive]).status(0);
}

#[test]
fn what_a_killed_process_left_is_removed_and_blocks_nobody() {
    let dir = Dir::new();
    dir.file("a", "to be or not to be");
    // It waits for input that never comes, and is killed.
    let mut child = dir
        .brevity(&["compress", "-", "-o", "b"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    let left = || fs::read_dir(dir.path("")).expect("the directory").count();
    while left() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert_eq!(left(), 2);
    dir.run(&["compress", "a", "-o", "b"]).status(0);
    assert_eq!(left(), 2);

    // Of one that lives nothing is removed.
    let mut living = dir
        .brevity(&["compress", "-", "-o", "c"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    while left() < 3 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    dir.run(&["compress", "a", "-o", "d"]).status(0);
    let mut input = living.stdin.take().expect("it was piped");
    input.write_all(b"late").expect("it reads");
    drop(input);
    assert!(living.wait().expect("it ends").success());
    assert!(dir.path("c").exists());
}
