//! No output replaces what a command reads, nor results what somebody else made.

use crate::util::{self, Dir};
use std::fs;

/// A sweep of two models on `data.txt`; the folders of its trials.
fn trained(dir: &Dir) -> Vec<String> {
    dir.file("data.txt", util::lines(6000));
    let config = "name = \"two\"\n[data]\nsource = \"data.txt\"\n[model]\ncontext = 32\n\
                  [train]\nsteps = 10\nbatch_bytes = 256\n[score]\nverify = false\n\
                  [sweep.grid]\nmodel.width = [8, 16]\n";
    dir.file("c.toml", config);
    dir.run(&["sweep", "c.toml"]).status(0);
    let trials = fs::read_dir(dir.path("runs/two/trials")).expect("trials");
    let path = |trial: std::io::Result<fs::DirEntry>| trial.expect("a trial").path();
    trials.map(|t| path(t).display().to_string()).collect()
}

#[test]
fn no_output_replaces_what_is_read() {
    let dir = Dir::new();
    let trials = trained(&dir);
    let [a, b] = [&*trials[0], &*trials[1]];
    let model = fs::read(dir.path(a).join("model.safetensors")).expect("a model");
    let table = "parameters,data_bytes,bits_per_byte\n1000,1e6,4\n2000,1e6,3\n4000,1e6,2.5\n";
    let refused = |name: &str, content: &[u8], args: &[&str]| {
        dir.file(name, content);
        dir.run(args).status(2).says("write elsewhere");
        assert_eq!(
            fs::read(dir.path(name)).expect("the file"),
            content,
            "{args:?}"
        );
    };
    let text = util::lines(3000);
    let text = text.as_bytes();
    refused(
        "p.html",
        text,
        &["score", a, "--data", "p.html", "--map", "p.html"],
    );
    refused(
        "m.html",
        &model,
        &["score", "m.html", "--data", "data.txt", "--map", "m.html"],
    );
    refused(
        "p.html",
        text,
        &["compare", a, b, "--data", "p.html", "--page", "./p.html"],
    );
    refused(
        "m.html",
        &model,
        &[
            "compare", "m.html", b, "--data", "p.html", "--page", "m.html",
        ],
    );
    let all = [
        "compare",
        a,
        "gzip",
        "--data",
        "folder",
        "--page",
        "folder/p.html",
    ];
    refused("folder/p.html", text, &all);
    let prompt = ["generate", a, "--prompt", "p", "--bytes", "9", "-o", "p"];
    refused("p", text, &prompt);
    refused(
        "p.svg",
        table.as_bytes(),
        &["critical", "--points", "p.svg", "--svg", "p.svg"],
    );
    let config = fs::read(dir.path("c.toml")).expect("the config");
    refused("d.toml", &config, &["sweep", "d.toml", "--plan", "d.toml"]);
    let compress = ["compress", "data.txt", "-m", "M", "-f", "-o", "M"];
    refused("M", &model, &compress);
    refused("M", &model, &[&compress[..], &["--external"]].concat());
    let external = [
        "compress",
        "-m",
        "M",
        "--external",
        "data.txt",
        "-o",
        "d.bvy",
    ];
    dir.run(&external).status(0);
    let back = ["decompress", "-m", "M", "d.bvy", "-f", "-o", "M"];
    refused("M", &model, &back);
    // Beside what is read, and over what was drawn before, a picture may be written.
    let page = [
        "compare",
        a,
        "gzip",
        "--data",
        "data.txt",
        "--page",
        "page.html",
    ];
    dir.run(&page).status(0);
    dir.run(&page).status(0);
}

#[test]
fn results_replace_nothing_of_others() {
    let dir = Dir::new();
    trained(&dir);
    let toml = fs::read(dir.path("c.toml")).expect("the config");
    for name in ["results.csv", "report.html", "points.csv"] {
        let mine = dir.file(&format!("{name}.d/{name}"), "mine");
        let out = format!("{name}.d");
        dir.file("d.toml", &toml);
        dir.run(&["sweep", "d.toml", "--out", &out])
            .status(2)
            .says("holds no sweep: name another folder with --out");
        assert_eq!(fs::read(mine).expect("the file"), b"mine");
    }
    // A sweep's own folder, and one with other files.
    dir.file("notes/notes.txt", "mine");
    dir.run(&["sweep", "c.toml", "--out", "notes"]).status(0);
    dir.run(&["sweep", "c.toml", "--out", "notes"]).status(0);

    dir.file("rank.csv", util::lines(3000));
    let config = "[[set]]\nname = 'one'\ndate = 2026-01-01\nsource = 'rank.csv'\ndocument = 256\n\
                  [[model]]\nname = 'gzip'\ncoder = 'gzip'\n";
    dir.file("r.toml", config);
    dir.run(&["rank", "r.toml", "--out", "."])
        .status(2)
        .says("holds no ranking");
    let table = "name = 't'\n[[set]]\nname = 'lines'\nsource = 'data.txt'\n\
                 [coders]\nwhole = ['gzip -9']\n";
    dir.file("t.toml", table);
    dir.file("t/table.csv", "mine");
    dir.run(&["table", "t.toml", "--out", "t"])
        .says("holds no table");
    assert_eq!(
        fs::read(dir.path("t/table.csv")).expect("the file"),
        b"mine"
    );
}
