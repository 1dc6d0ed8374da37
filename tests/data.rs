//! Data sets by the command: mirrors, compressed files, what is passed over.

use crate::util::Dir;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// A server that has nothing, and what it was asked for.
fn empty_server() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut line = String::new();
            let mut lines = BufReader::new(&stream);
            let _ = lines.read_line(&mut line);
            log.lock().expect("no panic").push(line.trim().to_owned());
            let mut rest = String::new();
            while lines.read_line(&mut rest).is_ok_and(|read| read > 2) {
                rest.clear();
            }
            let _ = stream.write_all(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
        }
    });
    (address, asked)
}

#[test]
fn sets_are_fetched_from_a_mirror() {
    let dir = Dir::new();
    let (address, asked) = empty_server();
    let fetch = |args: &[&str], variable: Option<&str>| {
        let mut command = dir.brevity(&[&["data", "fetch", "enwik8"], args].concat());
        command.env("BREVITY_DATA", dir.path("store"));
        if let Some(variable) = variable {
            command.env("BREVITY_MIRROR", variable);
        }
        let output = command.output().expect("the command starts");
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let error = fetch(&["--mirror", &format!("{address}/sets/")], None);
    assert!(
        error.contains("/sets/enwik8.zip") && error.contains("404"),
        "{error}"
    );
    fetch(&[], Some(&address));
    let asked = asked.lock().expect("no panic");
    assert_eq!(asked[0], "GET /sets/enwik8.zip HTTP/1.1");
    assert_eq!(asked[1], "GET /enwik8.zip HTTP/1.1");
}

#[test]
fn what_is_passed_over_is_said_by_every_command_that_reads_sources() {
    let dir = Dir::new();
    dir.file(
        "set/text.txt",
        "so it goes, and goes, and goes. ".repeat(200),
    );
    dir.shell("mkfifo set/pipe; ln -s /dev/zero set/zero");
    dir.file(
        "a.toml",
        "name = 'a'\n[data]\nsource = 'set'\n[model]\nwidth = 8\ncontext = 16\n",
    );
    for args in [
        vec!["sweep", "a.toml", "--dry-run"],
        vec!["data", "stats", "set"],
        vec!["baselines", "set", "--coders", "gzip"],
    ] {
        let ran = dir.run(&args).status(0);
        assert!(ran.stderr().contains("set/pipe: a named pipe"), "{args:?}");
        assert!(ran.stderr().contains("set/zero: a device"), "{args:?}");
    }
}

#[test]
fn a_set_that_is_not_here_has_the_length_of_the_registry() {
    let dir = Dir::new();
    dir.file(
        "a.toml",
        "name = 'a'\n[data]\nsource = 'enwik8'\n[model]\nwidth = 8\ncontext = 16\n",
    );
    let mut command = dir.brevity(&["sweep", "a.toml", "--dry-run"]);
    let output = command.env("BREVITY_DATA", dir.path("none")).output();
    let told = String::from_utf8(output.expect("the command starts").stdout).expect("text");
    assert!(told.contains("100000000"), "{told}");
    assert!(told.contains("have not been read"), "{told}");
}
