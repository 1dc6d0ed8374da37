//! Compressing and decompressing, as a user of xz would.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use crate::util::{Dir, noise};

fn text() -> String {
    (0..4000)
        .map(|i| format!("line {} of {}\n", i * i % 977, i))
        .collect()
}

#[test]
fn a_file_comes_back_and_neither_is_overwritten() {
    let dir = Dir::new();
    let file = dir.file("a.txt", text());
    dir.run(&["compress", "a.txt"]).status(0);
    assert_eq!(fs::read_to_string(&file).expect("the source"), text());
    dir.run(&["compress", "a.txt"]).status(2).says("-f");
    dir.run(&["verify", "a.txt.bvy"]).status(0);
    dir.run(&["decompress", "a.txt.bvy"]).status(2).says("-f");
    dir.run(&["decompress", "a.txt.bvy", "-o", "b.txt"])
        .status(0);
    assert_eq!(
        fs::read(dir.path("b.txt")).expect("the copy"),
        text().as_bytes()
    );
    let inspected = dir.run(&["inspect", "a.txt.bvy"]).status(0);
    assert!(
        inspected.stdout().contains("total"),
        "{}",
        inspected.stdout()
    );
}

#[test]
fn a_salvage_of_nothing_leaves_a_file_alone() {
    let dir = Dir::new();
    dir.file("a.txt", &text()[..600]);
    dir.run(&["compress", "a.txt"]).status(0);
    let archive = fs::read(dir.path("a.txt.bvy")).expect("the archive");
    dir.file("cut.bvy", &archive[..60]);
    let kept = dir.file("kept", "as it was");
    dir.run(&["decompress", "--salvage", "-f", "-o", "kept", "cut.bvy"])
        .status(1)
        .says("nothing was recovered");
    assert_eq!(fs::read(kept).expect("the file"), b"as it was");
}

#[test]
fn bytes_behind_an_archive_have_a_way_out() {
    let dir = Dir::new();
    dir.file("a.txt", text());
    dir.run(&["compress", "a.txt"]).status(0);
    let mut archive = fs::read(dir.path("a.txt.bvy")).expect("the archive");
    archive.push(0);
    dir.file("longer.bvy", archive);
    for args in [&["verify"][..], &["decompress", "-c"]] {
        dir.run(&[args, &["longer.bvy"]].concat())
            .status(1)
            .says("bytes after the end of the archive")
            .says("--salvage");
    }
    let ran = dir
        .run(&["decompress", "--salvage", "longer.bvy"])
        .status(0);
    ran.says("1 bytes follow the end of the archive");
    assert_eq!(
        fs::read(dir.path("longer")).expect("the original"),
        text().as_bytes()
    );
}

#[test]
fn a_salvage_says_where_no_check_confirms_what_is_lost() {
    let dir = Dir::new();
    dir.file("a.txt", &text()[..600]);
    dir.run(&["compress", "a.txt"]).status(0);
    let mut archive = fs::read(dir.path("a.txt.bvy")).expect("the archive");
    *archive.last_mut().expect("bytes") ^= 1;
    dir.file("bad.bvy", archive);
    dir.run(&["decompress", "--salvage", "-c", "bad.bvy"])
        .status(1)
        .says("an unknown number lost, taken for 600, which no check confirms (zeros at 0..600)");
}

#[test]
fn standard_input_is_read_once() {
    let dir = Dir::new();
    for command in ["compress", "decompress"] {
        dir.run(&[command, "-", "-"])
            .status(2)
            .says("can be read once");
    }
}

#[test]
fn one_bad_archive_does_not_hide_the_others() {
    let dir = Dir::new();
    dir.file("a.txt", text());
    dir.run(&["compress", "a.txt"]).status(0);
    dir.file("b.bvy", "no archive");
    let inspected = dir
        .run(&["inspect", "b.bvy", "a.txt.bvy"])
        .status(1)
        .says("b.bvy: not a brevity archive");
    assert!(inspected.stdout().contains("a.txt.bvy"));
}

#[test]
fn archives_flow_through_pipes() {
    let dir = Dir::new();
    let pipe = |args: &[&str], input: &[u8]| {
        let mut child = dir
            .brevity(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_vec();
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().expect("the command ends");
        writer.join().expect("no panic").expect("all is read");
        assert!(output.status.success(), "{args:?}");
        output.stdout
    };
    let archive = pipe(&["compress", "-"], text().as_bytes());
    assert!(archive.len() < text().len() / 4);
    assert_eq!(pipe(&["decompress", "-"], &archive), text().as_bytes());
}

#[test]
fn a_damaged_archive_says_where_and_leaves_nothing() {
    let dir = Dir::new();
    dir.file("a.txt", text());
    dir.run(&["compress", "a.txt"]).status(0);
    let mut archive = fs::read(dir.path("a.txt.bvy")).expect("an archive");
    let middle = archive.len() / 2;
    archive[middle] ^= 1;
    dir.file("bad.bvy", &archive);
    dir.run(&["decompress", "bad.bvy"])
        .status(1)
        .says("bad.bvy");
    assert!(!dir.path("bad").exists());
    dir.run(&["verify", "bad.bvy"]).status(1);
}

#[test]
fn random_bytes_cost_at_most_64_bytes_more() {
    let dir = Dir::new();
    dir.file("noise", noise(65_536));
    dir.run(&["compress", "noise"]).status(0);
    let coded = fs::metadata(dir.path("noise.bvy"))
        .expect("an archive")
        .len();
    assert!((65_536..=65_536 + 64).contains(&coded), "{coded}");
}

#[test]
fn a_source_is_never_its_own_output() {
    let dir = Dir::new();
    let file = dir.file("a.txt", text());
    for output in ["a.txt", "./a.txt"] {
        let ran = dir.run(&["compress", "-f", "a.txt", "-o", output]);
        ran.status(2).says("the source itself");
    }
    dir.run(&["compress", "a.txt"]).status(0);
    let ran = dir.run(&["decompress", "-f", "a.txt.bvy", "-o", "a.txt.bvy"]);
    ran.status(2).says("the source itself");
    assert_eq!(fs::read_to_string(file).expect("the source"), text());
    dir.run(&["verify", "a.txt.bvy"]).status(0);
}

#[test]
fn a_bad_file_does_not_keep_others_from_their_turn() {
    let dir = Dir::new();
    dir.file("a.txt", "a rose is a rose");
    dir.file("b.txt", "is a rose is a rose");
    let ran = dir.run(&["compress", "a.txt", "nowhere", "b.txt"]);
    ran.status(1).says("nowhere");
    let ran = dir.run(&["verify", "a.txt.bvy", "a.txt", "b.txt.bvy"]);
    ran.status(1)
        .says("a.txt.bvy: ok")
        .says("a.txt: not a brevity archive")
        .says("b.txt.bvy: ok");
    // Nor may their archives run into each other.
    let ran = dir.run(&["compress", "-c", "a.txt", "b.txt"]);
    ran.status(2).says("-c takes one file");
}

#[test]
fn ranges_may_be_open() {
    let dir = Dir::new();
    dir.file("a.txt", "0123456789");
    dir.run(&["compress", "a.txt", "--block", "3"]).status(0);
    let part = |range| dir.run(&["decompress", "-c", "a.txt.bvy", "--range", range]);
    for (range, expected) in [
        ("2..7", "23456"),
        ("..4", "0123"),
        ("8..", "89"),
        ("..", "0123456789"),
        ("4..4", ""),
        ("10..", ""),
    ] {
        assert_eq!(part(range).status(0).stdout(), expected, "{range}");
    }
    part("3..11").status(1).says("within the 10 bytes");
    part("11..").status(1).says("within the 10 bytes");
    part("7..3").status(2).says("7..3");
}

/// Else a part would lie under the name of the whole.
#[test]
fn a_range_needs_a_place() {
    let dir = Dir::new();
    dir.file("a.txt", "0123456789");
    dir.run(&["compress", "a.txt"]).status(0);
    let range = ["decompress", "-f", "a.txt.bvy", "--range", "2..4"];
    dir.run(&range).status(2).says("say where to write with -o");
    let whole = fs::read(dir.path("a.txt")).expect("the source");
    assert_eq!(whole, b"0123456789");
    dir.run(&[&range[..], &["-o", "part"]].concat()).status(0);
    assert_eq!(fs::read(dir.path("part")).expect("the part"), b"23");
}

#[test]
fn a_number_of_threads_is_believable() {
    let dir = Dir::new();
    dir.file("a.txt", "a");
    dir.run(&["compress", "a.txt", "-T", "100000"])
        .status(2)
        .says("0 to 256");
}

#[test]
fn an_archive_of_nothing_has_no_rates() {
    let dir = Dir::new();
    dir.file("empty", "");
    dir.run(&["compress", "empty"]).status(0);
    let text = dir.run(&["inspect", "empty.bvy"]).status(0).stdout();
    assert!(text.contains("of 0,") && text.contains("no rate"), "{text}");
    assert!(!text.contains('%'), "{text}");
}
