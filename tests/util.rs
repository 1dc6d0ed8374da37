//! What the tests of the command share: a directory of their own, and the
//! command run in it.

use std::path::PathBuf;
use std::process::{Command, Output};

/// Bytes that no method shortens.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 7u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| random()).collect()
}

/// So many bytes of short lines of text, no two alike.
pub fn lines(bytes: usize) -> String {
    let line = |i: usize| format!("line {} of {i} is no. {}\n", i * i % 997, i * 7919 % 61);
    let mut text: String = (0..bytes / 18).map(line).collect();
    text.truncate(bytes);
    text
}

/// The number at a path of a JSON document.
pub fn number(value: &serde_json::Value, path: &str) -> f64 {
    let found = value.pointer(path).and_then(serde_json::Value::as_f64);
    found.unwrap_or_else(|| panic!("{path} in {value}"))
}

/// A directory that belongs to one test and goes with it.
pub struct Dir(tempfile::TempDir);

impl Dir {
    /// An empty directory.
    pub fn new() -> Dir {
        Dir(tempfile::tempdir().expect("a temporary directory"))
    }

    /// The path of `name` inside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and returns its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).expect("a folder");
        }
        std::fs::write(&path, content).expect("a file");
        path
    }

    /// The command, to be run in this directory.
    pub fn brevity(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brevity"));
        command.args(args).current_dir(self.0.path());
        command
    }

    /// Runs a script in a shell.
    #[cfg(unix)]
    pub fn shell(&self, script: &str) -> Output {
        Command::new("sh")
            .args(["-c", script])
            .current_dir(self.path(""))
            .output()
            .expect("a shell")
    }

    /// Runs the command to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::new(
            args,
            self.brevity(args).output().expect("the command starts"),
        )
    }

    /// Runs the command on this instruction set to its end.
    pub fn run_on(&self, instruction_set: &str, args: &[&str]) -> Ran {
        let mut command = self.brevity(args);
        let output = command.env("BREVITY_ISA", instruction_set).output();
        Ran::new(args, output.expect("the command starts"))
    }
}

/// A command that has ended.
pub struct Ran {
    what: String,
    output: Output,
}

impl Ran {
    /// A command that was run with these arguments.
    pub fn new(args: &[&str], output: Output) -> Ran {
        Ran {
            what: format!("brevity {}", args.join(" ")),
            output,
        }
    }

    /// Standard output as text.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// Asserts the exit status.
    #[track_caller]
    pub fn status(self, expected: i32) -> Ran {
        assert_eq!(
            self.output.status.code(),
            Some(expected),
            "{}\nstdout:\n{}\nstderr:\n{}",
            self.what,
            self.stdout(),
            self.stderr()
        );
        self
    }

    /// Asserts that standard error names `needle`.
    #[track_caller]
    pub fn says(self, needle: &str) -> Ran {
        assert!(
            self.stderr().contains(needle),
            "{}: no {needle:?} in\n{}",
            self.what,
            self.stderr()
        );
        self
    }
}
