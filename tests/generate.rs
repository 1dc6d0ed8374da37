//! Continuations and maps, as files.

use std::fs;

use crate::util::Dir;

/// A model that was trained for a moment; its folder.
fn trained(dir: &Dir) -> String {
    let config = "[data]\nsource = \"synthetic-image\"\nbytes = 8192\n\
                  [model]\nwidth = 8\ncontext = 64\n\
                  [train]\nsteps = 20\nbatch_bytes = 256\n\
                  [score]\nverify = false\n";
    dir.file("c.toml", config);
    let stdout = dir.run(&["train", "c.toml"]).status(0).stdout();
    let model = stdout.lines().last().expect("a path");
    model.trim_end_matches("/model.safetensors").to_owned()
}

#[test]
fn a_model_continues_pictures_sounds_and_text() {
    let dir = Dir::new();
    let trial = trained(&dir);
    let generate = |extra: &[&str]| {
        let args = ["generate", &trial, "--bytes", "1024", "--seed", "3"];
        dir.run(&[&args[..], extra].concat())
    };
    let read = |name: &str| fs::read(dir.path(name)).expect("an output");
    let patch = ["--prompt", "synthetic-image,bytes=1024"];
    generate(&[&patch[..], &["-o", "a.png"]].concat()).status(0);
    assert_eq!(&read("a.png")[1..4], b"PNG");
    let sound = ["--prompt", "synthetic-audio,bytes=500"];
    generate(&[&sound[..], &["-o", "a.wav"]].concat()).status(0);
    assert_eq!(read("a.wav").len(), 44 + 1524);

    dir.file("prompt.txt", "It was");
    for threads in ["1", "2"] {
        let name = format!("{threads}.txt");
        generate(&["--prompt", "prompt.txt", "-T", threads, "-o", &name]).status(0);
    }
    assert_eq!(read("1.txt"), read("2.txt"));
    assert!(read("1.txt").starts_with(b"It was"));
    let rest = ["--prompt", "prompt.txt", "--no-prompt", "-o", "rest"];
    generate(&rest).status(0);
    assert_eq!(read("1.txt")[6..], read("rest"));

    // A sound is no picture, known before anything is computed.
    generate(&[&sound[..], &["-o", "b.png"]].concat())
        .status(2)
        .says(".wav");
    assert!(!dir.path("b.png").exists());
}

#[test]
fn a_coder_continues_by_its_seed() {
    let dir = Dir::new();
    dir.file("prompt.txt", "and so on, ".repeat(20));
    let coder = |name: &str, extra: &[&str]| {
        let args = ["generate", "--coder", name, "--prompt", "prompt.txt"];
        dir.run(&[&args[..], extra].concat())
    };
    let rest = |seed: &str| {
        let args = ["--bytes", "4", "--no-prompt", "-o", seed, "--seed", seed];
        coder("gzip", &args).status(0);
        fs::read(dir.path(seed)).expect("an output")
    };
    let first = rest("1");
    assert_eq!((first.len(), rest("1")), (4, first.clone()));
    assert_ne!(rest("2"), first);
    coder("zip", &["--bytes", "1"]).status(2).says("ppmd -o8");
    coder("gzip", &["--bytes", "1", "--temperature", "900"])
        .status(2)
        .says("temperature");
    coder("gzip", &["--bytes", "1", "-o", "no/folder"])
        .status(1)
        .says("cannot write no/folder");
    dir.run(&["generate", "--prompt", "prompt.txt", "--bytes", "1"])
        .status(2)
        .says("<MODEL>");
}

#[test]
fn maps_are_drawn_of_what_the_bytes_are() {
    let dir = Dir::new();
    let trial = trained(&dir);
    dir.file("text.txt", "Call me Ishmael. ".repeat(40));
    let map = |data: &str, out: &str| {
        let args = ["score", &trial, "--estimate", "--data", data, "--map", out];
        dir.run(&args)
    };
    let read = |name: &str| fs::read(dir.path(name)).expect("a map");
    map("text.txt", "t.html").status(0);
    let page = String::from_utf8(read("t.html")).expect("UTF-8");
    assert!(page.contains("text.txt, 680 bytes"));
    map("synthetic-image,bytes=4096", "p.png").status(0);
    assert_eq!(&read("p.png")[1..4], b"PNG");
    map("synthetic-audio,bytes=4000", "s.svg").status(0);
    assert!(String::from_utf8_lossy(&read("s.svg")).contains("16000 samples per second"));

    map("synthetic-audio,bytes=400", "s.png")
        .status(2)
        .says("name the map .svg");
    map("text.txt", "t.pdf").status(2).says(".html for text");
    let args = [
        "score", &trial, &trial, "--data", "text.txt", "--map", "t.html",
    ];
    dir.run(&args).status(2).says("one model and one byte set");
}
