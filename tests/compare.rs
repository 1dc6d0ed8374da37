//! `brevity compare`: two models byte by byte.

use crate::util::Dir;

/// Text, and a model that was trained on it a little.
fn trained(dir: &Dir) -> String {
    let text: String = (0..900)
        .map(|i| format!("line {} of {i}\n", i * i % 997))
        .collect();
    dir.file("data.txt", &text[..9000]);
    dir.file("more.txt", &text[9000..12000]);
    let config = "name = \"tiny\"\n[data]\nsource = \"data.txt\"\n[model]\nwidth = 8\ncontext = 32\n\
                  [train]\nsteps = 20\nbatch_bytes = 256\n[score]\nverify = false\n";
    dir.file("c.toml", config);
    let said = dir.run(&["train", "c.toml"]).status(0).stdout();
    let path = said.lines().last().expect("a path").trim();
    path.trim_end_matches("/model.safetensors").to_owned()
}

#[test]
fn a_model_and_a_coder_are_compared() {
    let dir = Dir::new();
    let model = trained(&dir);
    let args = [
        "compare", &model, "ppmd", "--data", "data.txt", "--page", "out.html",
    ];
    let said = dir
        .run(&[&args[..], &["--json"]].concat())
        .status(0)
        .stdout();
    let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let number = |path: &str| json.pointer(path).and_then(|v| v.as_f64()).expect(path);
    let score = [
        "score",
        &model,
        "--data",
        "data.txt",
        "--estimate",
        "--json",
    ];
    let score: serde_json::Value =
        serde_json::from_str(&dir.run(&score).status(0).stdout()).expect("JSON");
    let bits = score["bits_per_byte"].as_f64().expect("bits");
    assert!(
        (number("/a/bits_per_byte") - bits).abs() < 1e-4,
        "{bits} {json}"
    );
    assert_eq!(number("/a/grain"), 1.0);
    let gap = number("/b/data_bits") - number("/a/data_bits");
    assert!((number("/gap_bits") - gap).abs() < 1e-6);
    assert!(number("/gap_ci95/0") <= gap && gap <= number("/gap_ci95/1"));
    for part in ["by_place", "by_kind", "by_document", "by_literal"] {
        assert!(
            json[part].as_array().is_some_and(|all| !all.is_empty()),
            "{part}"
        );
    }
    let page = std::fs::read_to_string(dir.path("out.html")).expect("a page");
    assert!(page.contains("ppmd -o8") && page.ends_with("</html>"));
    let table = dir.run(&args).status(0).stdout();
    assert!(
        table.contains("is shorter than") && table.contains("by kind"),
        "{table}"
    );
    // Of the longer one.
    let of = |name: &str| number(&format!("/{name}/data_bits"));
    let share = 100.0 * gap.abs() / of("a").max(of("b"));
    assert!(table.contains(&format!("({share:.2}%)")), "{table}");
}

#[test]
fn a_pretrained_model_is_compared_byte_by_byte() {
    let dir = Dir::new();
    let text = b"It was the best of times, \xff\x00 it was the worst of times.\n".repeat(20);
    dir.file("data.txt", &text);
    let llama = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let llama = llama.join("pretrained/tests/families/llama");
    let llama = llama.display().to_string();
    let args = ["compare", &llama, "gzip", "--data", "data.txt", "--json"];
    let said = dir.run(&args).status(0).stdout();
    let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let score = [
        "score",
        &llama,
        "--data",
        "data.txt",
        "--estimate",
        "--json",
    ];
    let said = dir.run(&score).status(0).stdout();
    let score: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let (bits, sum) = (&json["a"]["data_bits"], &score["data_bits"]);
    let (bits, sum) = (bits.as_f64().expect("bits"), sum.as_f64().expect("bits"));
    assert!((bits / sum - 1.0).abs() < 1e-5, "{bits}, {sum}");
    let note = json["notes"][0].as_str().expect("a note");
    assert!(note.contains("split over the token's bytes"), "{note}");
    let page = [
        "compare", "gzip", &llama, "--data", "data.txt", "--page", "out.html",
    ];
    dir.run(&page).status(0);
    let page = std::fs::read_to_string(dir.path("out.html")).expect("a page");
    assert!(page.contains("tokenizer chose") && page.ends_with("</html>"));
}

#[test]
fn sets_are_documents() {
    let dir = Dir::new();
    trained(&dir);
    let args = [
        "compare", "gzip", "xz", "--json", "--data", "data.txt", "more.txt",
    ];
    let json: serde_json::Value =
        serde_json::from_str(&dir.run(&args).status(0).stdout()).expect("JSON");
    assert_eq!(json["by_document"].as_array().map(Vec::len), Some(2));
    assert_eq!(json["by_kind"], serde_json::json!([]));
    assert_eq!(json["notes"].as_array().map(Vec::len), Some(2));
}

#[test]
fn what_is_no_side_is_told() {
    let dir = Dir::new();
    dir.file("text", "text");
    let compare = |a: &str| dir.run(&["compare", a, "gzip", "--data", "text"]);
    compare("nothing").status(2).says("no classical coder");
    compare("text").status(1).says("text");
    compare("cmd:true")
        .status(1)
        .says("instead of predicting its hello");
}
