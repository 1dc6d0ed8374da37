//! `compress --train`: a file with a model of its own.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::util::{self, Dir, noise};

/// Five texts of one rule, a byte of each in turn: what follows depends on the
/// byte five back, which a small transformer learns and contexts do not.
fn interleaved(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    let mut bytes: Vec<u8> = (0..5).map(|i| b'A' + i).collect();
    while bytes.len() < length {
        let back = u32::from(bytes[bytes.len() - 5] - b'A');
        let next = match random() % 16 {
            0 => random() % 32,
            _ => (back * 5 + 7) % 32,
        };
        bytes.push(b'A' + next as u8);
    }
    bytes
}

const TRAIN: &[&str] = &[
    "compress", "data", "--train", "--size", "4000", "--epochs", "6", "-T", "2",
];

fn leftovers(dir: &Dir) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir.path(""))
        .expect("the directory")
        .map(|entry| entry.expect("an entry").file_name().display().to_string())
        .collect();
    names.sort();
    names
}

/// A model of width 8 that was trained on `data`; its file.
fn small_model(dir: &Dir) -> String {
    dir.file("data", util::lines(30_000));
    let config = "name = \"one\"\n[data]\nsource = \"data\"\n[model]\nwidth = 8\ncontext = 64\n\
                  [train]\nepochs = 3\n[score]\nverify = false\n[[sweep.trials]]\nseed = 1\n";
    dir.file("one.toml", config);
    dir.run(&["sweep", "one.toml"]).status(0);
    let trials = fs::read_dir(dir.path("runs/one/trials")).expect("trials");
    let trial = trials.map(|t| t.expect("a trial").path()).next();
    let model = trial.expect("one").join("model.safetensors");
    model.display().to_string()
}

/// What `inspect` says of a model depends on whether the archive holds it.
#[test]
fn a_model_is_inspected_wherever_it_is() {
    let dir = Dir::new();
    let model = small_model(&dir);
    dir.file("part", util::lines(2000));
    let inspected = |how: &[&str]| {
        let compress = ["compress", "part", "-f", "--no-verify", "-m", &model];
        dir.run(&[&compress[..], how].concat()).status(0);
        let text = dir.run(&["inspect", "part.bvy"]).status(0).stdout();
        let json = dir.run(&["inspect", "--json", "part.bvy"]).status(0);
        let json: serde_json::Value = serde_json::from_str(&json.stdout()).expect("JSON");
        (text, json[0].clone())
    };
    let (text, stored) = inspected(&["--bits", "4"]);
    assert!(text.contains("the adjusted rate"), "{text}");
    let (text, learning) = inspected(&["--bits", "4", "--learn"]);
    assert!(text.contains("go on learning while they code"), "{text}");
    for field in ["/model/parameters", "/model/bits_per_parameter"] {
        assert!(
            stored
                .pointer(field)
                .is_some_and(serde_json::Value::is_number)
        );
        assert_eq!(stored.pointer(field), learning.pointer(field), "{field}");
    }
    let (text, external) = inspected(&["--external"]);
    assert!(text.contains("this is no adjusted rate"), "{text}");
    assert!(external["adjusted_rate"].is_null(), "{external}");
}

/// A model that predicts what context models know, too, is worth few bits beside them.
#[test]
fn the_precision_is_that_of_the_shortest_mixture() {
    let dir = Dir::new();
    let model = small_model(&dir);
    let length = |bits: &str| {
        let args = [
            "compress",
            "data",
            "-f",
            "--no-verify",
            "-m",
            &model,
            "--bits",
            bits,
        ];
        dir.run(&args).status(0);
        fs::metadata(dir.path("data.bvy"))
            .expect("an archive")
            .len()
    };
    let auto = length("auto");
    for bits in ["2", "3", "4", "int8"] {
        let fixed = length(bits);
        // The estimate is of a sample.
        assert!(auto <= fixed + fixed / 50, "{auto}, at {bits} bits {fixed}");
    }
}

#[test]
fn a_model_that_pays_for_itself_is_in_the_archive() {
    let dir = Dir::new();
    let data = interleaved(150_000);
    dir.file("data", &data);
    let ran = dir.run(TRAIN).status(0);
    let ran = ran.says("estimates: about").says("contexts alone");
    assert!(!ran.stderr().contains("no model"), "{}", ran.stderr());
    assert_eq!(leftovers(&dir), ["data", "data.bvy"]);
    dir.run(&["decompress", "data.bvy", "-o", "back"]).status(0);
    assert!(fs::read(dir.path("back")).expect("the copy") == data);

    let inspected = dir
        .run(&["inspect", "data.bvy", "--entropy", "--json"])
        .status(0)
        .stdout();
    let parts: serde_json::Value = serde_json::from_str(&inspected).expect("JSON");
    assert_eq!(parts[0]["model"]["kind"], "embedded");
    assert_eq!(parts[0]["blocks"][0]["method"], "mixed");
    let over = parts[0]["stream_over_entropy_bytes"].as_f64();
    assert!(over.is_some_and(|over| (0.0..=2.0).contains(&over)));
    dir.run(&["compress", "data", "-o", "plain.bvy"]).status(0);
    let length = |name: &str| fs::metadata(dir.path(name)).expect("an archive").len();
    assert!(length("data.bvy") < length("plain.bvy"));
}

#[test]
fn a_training_that_was_stopped_continues_to_the_same_archive() {
    let data = interleaved(100_000);
    let whole = Dir::new();
    whole.file("data", &data);
    whole.run(TRAIN).status(0);

    let stopped = Dir::new();
    stopped.file("data", &data);
    let metrics = stopped.path("data.bvy.training/metrics.jsonl");
    let mut child = stopped
        .brevity(TRAIN)
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    while lines(&metrics) < 4 {
        assert!(child.try_wait().expect("a child").is_none(), "it ended");
        std::thread::yield_now();
    }
    let interrupt = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupt.expect("kill").success());
    assert_eq!(child.wait().expect("a child").code(), Some(130));
    assert!(
        stopped
            .path("data.bvy.training/checkpoint/state.bin")
            .exists()
    );
    assert!(!stopped.path("data.bvy").exists());

    // Other options would be another model.
    let other = [TRAIN, &["--seed", "1"]].concat();
    stopped.run(&other).status(2).says("`seed` is 0 there");
    stopped.run(TRAIN).status(0);
    assert_eq!(leftovers(&stopped), ["data", "data.bvy"]);
    let archive = |dir: &Dir| fs::read(dir.path("data.bvy")).expect("an archive");
    assert!(archive(&whole) == archive(&stopped), "archives differ");
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

/// In prose the model, as the context models, sees single bytes for words.
#[test]
fn a_model_of_prose_sees_words_as_bytes() {
    let dir = Dir::new();
    let words = interleaved(30_000).into_iter().flat_map(|byte| {
        let number = usize::from(byte - b'A');
        let letters = [b"bdfghklm"[number % 8], b"aeio"[number / 8], b't', b' '];
        letters.into_iter()
    });
    let prose: Vec<u8> = words.collect();
    dir.file("data", &prose);
    dir.run(&[TRAIN, &["-v"]].concat())
        .status(0)
        .says("it sees 60144 of 120000 bytes")
        .says("with a model of");
    let inspected = dir.run(&["inspect", "data.bvy"]).status(0).stdout();
    assert!(inspected.contains("mixed"), "{inspected}");
    dir.run(&["decompress", "data.bvy", "-o", "back"]).status(0);
    assert!(fs::read(dir.path("back")).expect("a file") == prose);
}

#[test]
fn a_model_that_does_not_pay_is_left_out() {
    let dir = Dir::new();
    dir.file("tiny", "hello ".repeat(1000));
    dir.run(&["compress", "tiny", "--train"])
        .status(0)
        .says("no model is small enough");
    // Nothing can be known of it.
    dir.file("data", noise(40_000));
    dir.run(&[
        "compress", "data", "--train", "--budget", "20000", "--size", "1",
    ])
    .status(0)
    .says("so the archive has no model");
    dir.run(&["compress", "data", "-o", "plain.bvy"]).status(0);
    let archive = |name: &str| fs::read(dir.path(name)).expect("an archive");
    assert!(archive("data.bvy") == archive("plain.bvy"));
}

#[test]
fn nothing_is_trained_where_no_model_is_expected_to_pay() {
    let dir = Dir::new();
    dir.file("data", noise(20_000));
    dir.run(&["compress", "data", "--train", "-v"])
        .status(0)
        .says("two small models")
        .says("no model is expected to pay");
    assert_eq!(leftovers(&dir), ["data", "data.bvy"]);

    // A training with other options that was stopped there is not lost.
    dir.file("data.bvy.training/lock", "");
    dir.file("data.bvy.training/setup.json", "{}");
    dir.run(&["compress", "data", "--train", "-f"])
        .status(0)
        .says("no model is expected to pay");
    let kept = fs::read_dir(dir.path("data.bvy.training")).expect("the folder");
    assert_eq!(kept.count(), 2);
}

#[test]
fn a_folder_in_the_way_is_left_alone() {
    let dir = Dir::new();
    dir.file("data", interleaved(50_000));
    dir.file("data.bvy.training/mine", "precious");
    dir.run(TRAIN).status(2).says("in the way");
    assert!(dir.path("data.bvy.training/mine").exists());
    dir.run(&["compress", "data", "--train", "-o", "-"])
        .status(2)
        .says("needs a file to write");
    dir.run(&["compress", "data", "--train", "-m", "x"])
        .status(2);
    dir.file("data.bvy", "mine too");
    dir.run(TRAIN).status(2).says("-f");
}

/// The folder of a training that cannot be would keep the right one out.
#[test]
fn options_of_no_training_make_no_folder() {
    let dir = Dir::new();
    dir.file("data", noise(8000));
    let train = ["compress", "data", "--train", "--size", "4K"];
    for (option, value, said) in [
        ("--epochs", "0", "0 is not more than 0"),
        ("--epochs", "nan", "NaN is not more than 0"),
        ("--epochs", "inf", "inf is not more than 0"),
        ("--epochs", "1e9", "at most 1000000"),
        ("--epochs", "two", "a number is needed"),
        ("--budget", "0", "at least one byte"),
        ("--budget", "4000T", "is not between 1 and"),
    ] {
        let args = [&train[..], &[option, value]].concat();
        dir.run(&args).status(2).says(said).says(option);
    }
    dir.run(&[&train[..], &["--epochs=-1"]].concat())
        .status(2)
        .says("-1 is not more than 0");
    let large = ["compress", "data", "--train", "--size", "40M", "--learn"];
    dir.run(&large)
        .status(2)
        .says("the most that go on learning");
    assert_eq!(leftovers(&dir), ["data"]);
}

#[test]
fn a_size_that_there_is_not_is_told() {
    let dir = Dir::new();
    dir.file("data", noise(8000));
    let args = ["compress", "data", "--train", "--size"];
    let with = |size| [&args[..], &[size, "--epochs", "1", "-f"]].concat();
    dir.run(&with("1000"))
        .status(0)
        .says("(the nearest size to 1000: ");
    let near = dir.run(&with("10000")).status(0);
    let told = near.stderr();
    assert!(!told.contains("nearest"), "{told}");
    // Other sizes that are named can be had.
    let line = told.lines().find(|line| line.starts_with("estimates: "));
    let words: Vec<&str> = line.expect("estimates").split(' ').collect();
    let sizes: Vec<&str> = words
        .windows(2)
        .filter(|pair| pair[1].starts_with("parameters"))
        .map(|pair| pair[0])
        .collect();
    assert_eq!(sizes.len(), 2, "{told}");
    for size in sizes {
        let said = format!("training {size} parameters on");
        dir.run(&with(size)).status(0).says(&said);
    }
    // There is none below the smallest.
    let smallest = dir.run(&with("1")).status(0).stderr();
    assert_eq!(smallest.matches("bytes with ").count(), 1, "{smallest}");
}
