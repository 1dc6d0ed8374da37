//! Pretrained language models from the command: a small random Llama.

use crate::util::Dir;
use std::path::PathBuf;

const TEXT: &[u8] = b"It was the best of times, \xff\x00 it was the worst of times.\n";

fn llama(family: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("pretrained/tests/families");
    folder.join(family).display().to_string()
}

#[test]
fn an_archive_decodes_in_another_process_on_the_portable_path() {
    let dir = Dir::new();
    let text = dir.file("text", TEXT);
    let model = llama("llama");
    let compress = ["compress", "--external", "-m", &model, "text"];
    // A random model is no match for the context models.
    dir.file("long", TEXT.repeat(40));
    let long = [&compress[..4], &["long"]].concat();
    dir.run(&long).status(0).says("need none");
    dir.run(&["verify", "long.bvy"]).status(0);
    let tokens = [&compress[..], &["-f", "--method", "model"]].concat();
    dir.run(&tokens).status(0).says("entropy sum");
    std::fs::remove_file(&text).unwrap();
    dir.run(&["decompress", "text.bvy"])
        .status(2)
        .says("made with a pretrained model");
    dir.run(&["decompress", "-m", &llama("gpt2"), "text.bvy"])
        .status(1)
        .says("text.bvy");
    assert!(!text.exists());
    dir.run_on("portable", &["decompress", "-m", &model, "text.bvy"])
        .status(0);
    assert_eq!(std::fs::read(&text).unwrap(), TEXT);
    let said = dir.run(&["inspect", "text.bvy"]).status(0).stdout();
    assert!(said.contains("tokens of a pretrained model"), "{said}");
    let said = dir.run(&["inspect", "--json", "text.bvy"]).status(0);
    let json: serde_json::Value = serde_json::from_str(&said.stdout()).unwrap();
    assert_eq!(json[0]["bytes"], TEXT.len());
    assert_eq!(json[0]["model"]["kind"], "pretrained");
    dir.run(&["verify", "-m", &model, "text.bvy"])
        .status(0)
        .says("ok, 56 bytes");
    dir.run(&["verify", "text.bvy"])
        .status(2)
        .says("made with a pretrained model");
    let mut damaged = std::fs::read(dir.path("text.bvy")).unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    dir.file("damaged.bvy", &damaged);
    dir.run(&["verify", "-m", &model, "damaged.bvy"])
        .status(1)
        .says("damaged");
    dir.run(&[
        "decompress",
        "-c",
        "-m",
        &model,
        "--range",
        "0..4",
        "text.bvy",
    ])
    .status(2)
    .says("decoded whole");
    let verify = ["verify", "-m", &model, "text.bvy"];
    for (limit, says) in [
        ("--work=1000", "allow them with --work"),
        ("--memory=1KiB", "--memory allows too little"),
    ] {
        dir.run(&[&verify[..], &[limit]].concat())
            .status(1)
            .says(says);
    }
}

#[test]
fn bytes_mixed_with_context_models_decode_on_the_portable_path() {
    let dir = Dir::new();
    let text = TEXT.repeat(9);
    dir.file("text", &text);
    let model = llama("llama");
    let compress = ["compress", "--external", "--method", "mixed", "-m", &model];
    dir.run(&[&compress[..], &["text"]].concat())
        .status(0)
        .says("mixed with context models");
    let said = dir.run(&["inspect", "--json", "text.bvy"]).status(0);
    let json: serde_json::Value = serde_json::from_str(&said.stdout()).unwrap();
    assert_eq!(json[0]["mixed"], true);
    let decompress = ["decompress", "-o", "back", "-m", &model, "text.bvy"];
    dir.run_on("portable", &decompress).status(0);
    assert!(std::fs::read(dir.path("back")).unwrap() == text);
    dir.run(&["verify", "-m", &model, "text.bvy"]).status(0);
}

#[test]
fn what_does_not_suit_is_wrong_usage() {
    let dir = Dir::new();
    dir.file("text", TEXT);
    let model = llama("llama");
    for (args, said) in [
        (&["compress", "-m", &model, "text"][..], "--external"),
        (
            &[
                "compress",
                "--external",
                "--method",
                "contexts",
                "-m",
                &model,
                "text",
            ],
            "--method",
        ),
        (
            &[
                "compress",
                "--external",
                "--method",
                "mixed",
                "--lanes",
                "2",
                "-m",
                &model,
                "text",
            ],
            "one lane",
        ),
        (
            &["score", &model, "--data", "text", "--prequential"],
            "--prequential",
        ),
        (
            &["score", &model, "none.safetensors", "--data", "text"],
            "separate",
        ),
    ] {
        dir.run(args).status(2).says(said);
    }
}

#[test]
fn bytes_that_are_no_text_have_forms_and_models_pay_from_a_length_on() {
    let dir = Dir::new();
    let bytes: Vec<u8> = (0..3000u32).map(|i| (i * i / 7) as u8).collect();
    dir.file("bytes", &bytes);
    let model = llama("llama");
    for form in ["bytes", "latin1", "ascii7"] {
        let compress = ["compress", "-f", "--external", "--as", form, "-m", &model];
        let tokens = ["--method", "model", "bytes"];
        dir.run(&[&compress[..], &tokens].concat()).status(0);
        dir.run(&["decompress", "-f", "-o", "back", "-m", &model, "bytes.bvy"])
            .status(0);
        assert!(std::fs::read(dir.path("back")).unwrap() == bytes, "{form}");
    }
    let score = ["score", &model, "--data", "bytes", "--as", "latin1"];
    let said = dir.run(&[&score[..], &["--chunk", "512", "--against", "gzip"]].concat());
    let said = said.status(0).stdout();
    assert!(
        said.contains("as latin1") && said.contains("beside gzip -9"),
        "{said}"
    );
    let json = dir.run(&[&score[..], &["--against", "gzip", "--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&json.status(0).stdout()).unwrap();
    let found = &json["break_even"];
    assert_eq!(found["coder"], "gzip -9");
    // A random model saves nothing.
    assert!(found["saved"].as_f64().unwrap() < 0.0, "{found}");
    assert!(found["bytes"].is_null() && found["fp16"]["bytes"].is_null());
    for wrong in [
        &["--chunk", "0"][..],
        &["--as", "utf9"],
        &["--against", "zip"],
    ] {
        dir.run(&[&score[..4], wrong].concat()).status(2);
    }
}

#[test]
fn a_pretrained_model_writes_on() {
    let dir = Dir::new();
    dir.file("prompt", b"It was the ");
    let model = llama("llama");
    let generate = ["generate", &model, "--prompt", "prompt", "--bytes", "40"];
    let text = |more: &[&str]| {
        dir.run(&[&generate[..], &["-o", "out"], more].concat())
            .status(0);
        std::fs::read(dir.path("out")).unwrap()
    };
    let first = text(&[]);
    assert_eq!(first.len(), 51);
    assert!(first.starts_with(b"It was the "));
    assert_eq!(text(&[]), first);
    assert_ne!(text(&["--seed", "1"]), first);
    assert_eq!(
        text(&["--temperature", "0"]),
        text(&["--temperature", "0", "--seed", "2"])
    );
}

#[test]
fn models_are_described_and_scored() {
    let dir = Dir::new();
    dir.file("text", TEXT);
    let model = llama("llama");
    let said = dir.run(&["import", &model]).status(0).stdout();
    assert!(said.contains("family      llama"), "{said}");
    let said = dir.run(&["score", &model, "--data", "text"]).status(0);
    assert!(said.stdout().contains("decoded"));
    let said = dir.run(&[
        "score",
        &model,
        "--data",
        "text",
        "--estimate",
        "--marginal",
    ]);
    assert!(said.status(0).stdout().contains("over all ways to cut"));
    let args = ["score", &model, "--data", "text", "--estimate", "--json"];
    let said = dir.run(&args).status(0).stdout();
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(json["data_bytes"], TEXT.len());
    assert_eq!(json["verified"], false);
    let (coded, model) = (&json["coded_bytes"], &json["model_bytes"]["fp16"]);
    let bytes = coded.as_f64().unwrap() + model.as_f64().unwrap();
    let rate = json["adjusted_rate"]["fp16"].as_f64().unwrap();
    assert!((rate - bytes / TEXT.len() as f64).abs() < 1e-12);
}

#[test]
fn parameters_are_scored_as_the_weight_coder_leaves_them() {
    let dir = Dir::new();
    dir.file("text", TEXT.repeat(20));
    let model = llama("llama");
    let score = |bits: &str| {
        let args = ["score", &model, "--data", "text", "--bits", bits, "--json"];
        let said = dir.run(&args).status(0).stdout();
        serde_json::from_str::<serde_json::Value>(&said).unwrap()
    };
    let (fine, coarse) = (score("12"), score("2.5"));
    let stored = |json: &serde_json::Value| json["model_bytes"]["stored"].as_u64().unwrap();
    assert!(stored(&coarse) < stored(&fine));
    assert_eq!(fine["verified"], true);
    assert_eq!(fine["regime"], "unknown");
    let bits = |json: &serde_json::Value| json["data_bits"].as_f64().unwrap();
    let args = ["score", &model, "--data", "text", "--estimate", "--json"];
    let exact = dir.run(&args).status(0).stdout();
    let exact = bits(&serde_json::from_str(&exact).unwrap());
    assert!((bits(&fine) / exact - 1.0).abs() < 0.01, "{fine} {exact}");
    assert!((bits(&coarse) / exact - 1.0).abs() > 0.001, "{coarse}");

    let args = ["score", &model, "--data", "text", "--bits", "3.5"];
    let said = dir.run(&[&args[..], &["--estimate"]].concat()).status(0);
    let said = said.stdout();
    assert!(said.contains(" at 3.5 bits, 1120 bytes") && said.contains("bits a parameter"));
    for wrong in ["0.5", "17", "NaN"] {
        let args = [&args[..5], &[wrong]].concat();
        dir.run(&args).status(2).says("from 1 to 16");
    }
}

#[test]
fn a_map_shows_what_each_byte_costs() {
    let dir = Dir::new();
    dir.file("text", TEXT);
    let model = llama("llama");
    let score = ["score", &model, "--data", "text", "--estimate", "--map"];
    dir.run(&[&score[..], &["map.html"]].concat()).status(0);
    let page = std::fs::read_to_string(dir.path("map.html")).unwrap();
    assert!(page.contains("text, 56 bytes"), "{page}");
    let sound = ["map.svg", "--as", "ascii7", "--bits", "8"];
    dir.run(&[&score[..], &sound].concat()).status(0);
    let sound = std::fs::read_to_string(dir.path("map.svg")).unwrap();
    assert!(sound.contains("bits per sample"), "{sound}");
    dir.run(&[&score[..], &["map.txt"]].concat())
        .status(2)
        .says(".html for text");
}

#[test]
fn a_table_says_where_models_cross_coders_and_how_much_data_pays() {
    let dir = Dir::new();
    let model = llama("llama");
    dir.file("text", TEXT.repeat(40));
    let config = format!(
        "chunk = 256\nlengths = [64, 256]\n\
         [[set]]\nname = 'text'\nsource = 'text'\n\
         [[set]]\nname = 'noise'\nsource = 'random'\nbytes = 700\n\
         [coders]\nwhole = ['gzip -9']\nchunks = ['gzip -9']\ncontexts = true\n\
         [[pretrained]]\nname = 'tiny'\npath = '{model}'\n\
         [[pretrained]]\nname = 'tiny'\npath = '{model}'\nas = ['bytes', 'ascii7']\nsets = ['noise']\n"
    );
    dir.file("t.toml", &config);
    let table = ["table", "t.toml", "--estimate", "--json"];
    let said = dir.run(&table).status(0).stdout();
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    let rows = json["rows"].as_array().unwrap();
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap();
    assert_eq!(row("tiny")["cells"][0]["regime"], "unknown");
    assert!(row("tiny as ascii7")["cells"][0].is_null());
    assert!(!row("tiny as bytes")["cells"][1].is_null());
    let payback = json["payback"].as_array().unwrap();
    // One reading of two sets and two of one, beside two coders in chunks and whole.
    assert_eq!(payback.len(), 4 * 4);
    for pays in payback {
        let saved = pays["saved"].as_f64().unwrap();
        assert!(saved < 0.0 && pays["bytes"].is_null(), "{pays}");
        let [low, high] = [0, 1].map(|end| pays["saved_ci95"][end].as_f64());
        let blocks = if pays["set"] == "text" { 8 } else { 2 };
        assert_eq!(low.is_some(), blocks >= 3, "{pays}");
        assert!(low <= Some(saved) && high.is_none_or(|high| saved <= high));
    }
    // What was measured is not measured again, and says the same.
    assert_eq!(dir.run(&table).status(0).stdout(), said);
    let text = dir.run(&table[..3]).status(0).stdout();
    for part in [
        "where in a chunk the bytes cost less under the model",
        "on the model pays for itself",
        "2 bytes per parameter",
        "never",
        "~?",
        "? unknown",
        "brevity -9  once",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let page = std::fs::read_to_string(dir.path("runs/t/table.html")).unwrap();
    assert!(page.contains("Where in a chunk") && page.contains("pays for itself"));
    dir.file("bad.toml", config.replace("['noise']", "['noises']"));
    dir.run(&["table", "bad.toml"])
        .status(2)
        .says("pretrained.1.sets");
}
