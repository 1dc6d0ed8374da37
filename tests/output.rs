//! What an output may be, and what is left of one that fails.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::util::{Dir, Ran, noise};

fn names(dir: &Dir) -> Vec<String> {
    let entries = fs::read_dir(dir.path("")).expect("the directory");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<_> = entries.map(|e| name(e).display().to_string()).collect();
    names.sort();
    names
}

#[test]
fn an_output_has_its_sources_permissions_and_time() {
    let dir = Dir::new();
    let file = dir.file("a", "not for everyone");
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("a mode");
    let open = File::options().write(true).open(&file).expect("the file");
    open.set_modified(time).expect("a time");
    dir.run(&["compress", "a"]).status(0);
    dir.run(&["decompress", "a.bvy", "-o", "b"]).status(0);
    for name in ["a.bvy", "b"] {
        let metadata = fs::metadata(dir.path(name)).expect("an output");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o640, "{name}");
        assert_eq!(metadata.modified().expect("a time"), time, "{name}");
    }
}

#[test]
fn only_files_are_overwritten() {
    let dir = Dir::new();
    dir.file("a", "a");
    dir.file("folder/b", "b");
    let _socket = UnixListener::bind(dir.path("socket")).expect("a socket");
    let to = |output| dir.run(&["compress", "-f", "a", "-o", output]).status(2);
    to("folder").says("folder is a folder");
    to("socket").says("socket is not a file");
    assert_eq!(names(&dir), ["a", "folder", "socket"]);
}

/// Runs the command in a shell that has limited its files to `blocks`, with
/// writing beyond an error, as on a full disk.
fn limited(dir: &Dir, blocks: u32, args: &str) -> std::process::Output {
    let program = env!("CARGO_BIN_EXE_brevity");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {program} {args}");
    dir.shell(&script)
}

#[test]
fn what_cannot_be_written_whole_is_not_left() {
    let dir = Dir::new();
    dir.file("a", noise(200_000));
    dir.run(&["compress", "a"]).status(0);
    for args in ["compress -f a", "compress a -o b", "decompress a.bvy -o b"] {
        let output = limited(&dir, 8, args);
        assert_eq!(output.status.code(), Some(1), "{args}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains("cannot write"), "{args}: {error}");
        assert_eq!(names(&dir), ["a", "a.bvy"], "{args}");
    }
    // What `-f` was to replace is still there.
    dir.run(&["verify", "a.bvy"]).status(0);
}

#[test]
fn an_interrupt_leaves_nothing() {
    let dir = Dir::new();
    for signal in ["INT", "TERM", "HUP"] {
        // It waits for input that never comes.
        let mut child = dir
            .brevity(&["compress", "-", "-o", "b"])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        while names(&dir).is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let pid = child.id().to_string();
        // To wait for it would close its input, which it could take for all of it.
        let input = child.stdin.take();
        let kill = Command::new("kill")
            .args(["-s", signal, &pid])
            .status()
            .expect("kill");
        assert!(kill.success());
        let status = child.wait().expect("the command ends");
        drop(input);
        assert_eq!(status.code(), Some(130), "{signal}");
        assert_eq!(names(&dir), [""; 0], "{signal}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_written_beside_a_device() {
    let dir = Dir::new();
    let source = dir.file("source", "some bytes");
    let run = |more: &[&str]| {
        let args = [&["compress", "/dev/stdin"], more].concat();
        let mut command = dir.brevity(&args);
        let output = command
            .stdin(File::open(&source).expect("a source"))
            .output();
        Ran::new(&args, output.expect("the command starts"))
    };
    run(&[]).status(2).says("say where with -o, or give `-`");
    run(&["--train"]).status(2).says("say where with -o");
    assert!(!std::path::Path::new("/dev/stdin.bvy").exists());
    run(&["-o", "out.bvy"]).status(0);
    dir.run(&["decompress", "out.bvy"]).status(0);
    assert_eq!(fs::read(dir.path("out")).expect("the bytes"), b"some bytes");
}
