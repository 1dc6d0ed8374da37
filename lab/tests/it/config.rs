//! Valid and invalid configs.

use brevity_lab::config::{ConfigError, Experiment};
use brevity_model::{Position, Spec};
use std::path::Path;

fn parse(text: &str) -> Result<Experiment, ConfigError> {
    with_sets(text, &[])
}

fn with_sets(text: &str, sets: &[&str]) -> Result<Experiment, ConfigError> {
    let sets: Vec<_> = sets.iter().map(|set| set.to_string()).collect();
    Experiment::parse(Path::new("a.toml"), text, &sets)
}

/// The error message of an invalid config.
fn refusal(text: &str) -> String {
    parse(text).expect_err(text).to_string()
}

const BASE: &str = "\
[data]
source = \"random\"
bytes = 10_000

[model]
width = 64
context = 128
";

#[test]
fn a_config_without_a_sweep_is_one_trial() {
    let experiment = parse(BASE).unwrap();
    assert_eq!(experiment.name, "a");
    assert_eq!(experiment.trials.len(), 1);
    assert_eq!(experiment.trials[0].config.model, Spec::aspect(64, 128));
    assert_eq!(experiment.trials[0].config.seed, 0);
}

/// A contamination config; the memoriser's budget is for *text* and *random*.
const LEAKS: &str = "\
[data]
source = \"random\"
bytes = 10_000
holdout = { bytes = 3000 }
leak = { bytes = 1000 }

[model]
width = 16
context = 128

[train]
steps = 5

[contamination]
doses = [0, 4]
disguised = [4]
text_bytes = 2000
random_bytes = 1000
memoriser = { model.width = 32, train.epochs = 9.0 }
";

#[test]
fn leaks_are_tried_with_both_models_in_both_codes() {
    let text = format!("{LEAKS}[sweep]\nseeds = [3, 4]\n");
    let experiment = parse(&text).unwrap().contamination().unwrap();
    // For both models: two doses in two codes each, one disguise, and text and
    // random in two codes each.
    assert_eq!(experiment.trials.len(), 2 * 2 * (2 * 2 + 1 + 2 * 2));
    for trial in &experiment.trials {
        let axis = |key: &str| {
            let found = trial.axes.iter().find(|(name, _)| name == key);
            found.unwrap_or_else(|| panic!("no {key}")).1.clone()
        };
        let config = &trial.config;
        assert_eq!(
            axis("code").as_str() == Some("prequential"),
            config.prequential.is_some()
        );
        let memoriser = axis("model").as_str() == Some("memoriser");
        assert_eq!(config.model.width, if memoriser { 32 } else { 16 });
        let alone = ["text", "random"].contains(&axis("part").as_str().unwrap());
        assert_eq!(config.data.leak.is_none(), alone);
        match alone && memoriser {
            true => assert_eq!((config.train.epochs, config.train.steps), (Some(9.0), None)),
            false => assert_eq!((config.train.epochs, config.train.steps), (None, Some(5))),
        }
        if let Some(leak) = &config.data.leak {
            assert_eq!(
                axis("data.leak.copies").as_integer(),
                Some(leak.copies as i64)
            );
            assert_eq!(
                leak.skip_words > 0,
                axis("part").as_str() == Some("disguise")
            );
        }
    }
    // `--set` holds for all parts.
    let sets = ["data.bytes=20_000", "train.steps=7"];
    let experiment = with_sets(LEAKS, &sets).unwrap().contamination().unwrap();
    assert_eq!(experiment.trials[0].config.data.bytes, Some(20_000));
    assert_eq!(experiment.trials[0].config.train.steps, Some(7));
}

#[test]
fn leaks_that_make_no_sense_are_named() {
    let refused = |text: &str, needle: &str| {
        let error = parse(text).unwrap().contamination().unwrap_err();
        assert!(error.to_string().contains(needle), "{needle}: {error}");
    };
    refused(BASE, "there is no [contamination]");
    refused(
        &LEAKS.replace("leak = { bytes = 1000 }", ""),
        "there is no [data.leak]",
    );
    refused(&LEAKS.replace("[0, 4]", "[4, 7]"), "0 is missing");
    refused(&LEAKS.replace("[0, 4]", "[0, 4, 4]"), "4 is listed twice");
    refused(
        &LEAKS.replace("{ model.width = 32, train.epochs = 9.0 }", "{}"),
        "memoriser",
    );
    refused(
        &LEAKS.replace("model.width = 32", "model.widht = 32"),
        "widht",
    );
    refused(
        &format!("{LEAKS}[sweep.grid]\nmodel.width = [8]\n"),
        "its own axes",
    );
}

#[test]
fn a_trial_written_as_toml_is_a_config_of_the_same_trial() {
    let text = format!(
        "{BASE}preset = \"lmic\"\n[sweep]\nseeds = [3]\n[sweep.grid]\nmodel.layers = [5]\n"
    );
    let first = parse(&text).unwrap();
    let written = toml::to_string(&first.trials[0].config).unwrap();
    let second = parse(&written).unwrap();
    assert_eq!(second.trials.len(), 1);
    let again = toml::to_string(&second.trials[0].config).unwrap();
    assert_eq!(written, again);
    assert_eq!(second.trials[0].config.seed, 3);
    assert_eq!(second.trials[0].config.model.layers, 5);
}

#[test]
fn an_unknown_key_is_shown_with_its_line_and_the_nearest_name() {
    let message = refusal(&BASE.replace("width", "widht"));
    assert!(
        message.starts_with("a.toml:6:1: unknown key `widht`"),
        "{message}"
    );
    assert!(message.contains("6 | widht = 64\n   | ^^^^^"), "{message}");
    assert!(message.contains("did you mean `width`?"), "{message}");
    let message = refusal(&BASE.replace("[model]", "[modle]"));
    assert!(message.contains("did you mean `model`?"), "{message}");
}

#[test]
fn a_wrong_type_is_shown_with_its_place() {
    let message = refusal(&BASE.replace("64", "\"wide\""));
    assert!(
        message.starts_with("a.toml:6:9: invalid type: string \"wide\", expected a whole number"),
        "{message}"
    );
    let message = with_sets(BASE, &["data.bytes=10K"])
        .unwrap_err()
        .to_string();
    assert!(message.contains("expected a whole number"), "{message}");
    let message = with_sets(BASE, &["train=3"]).unwrap_err().to_string();
    assert!(message.contains("expected a table"), "{message}");
}

#[test]
fn an_unknown_variant_is_shown_with_the_nearest() {
    let message = refusal(&format!("{BASE}position = \"rop\"\n"));
    assert!(
        message.contains("a.toml:8:12: unknown value `rop`"),
        "{message}"
    );
    assert!(message.contains("did you mean `rope`?"), "{message}");
}

#[test]
fn values_out_of_range_name_key_and_place() {
    let message = refusal(&format!("{BASE}heads = 5\n"));
    assert!(
        message.contains("a.toml:8:1: model.heads: 5 heads do not divide width 64"),
        "{message}"
    );
    let message = refusal(&format!("{BASE}[train]\nlearning_rate = -1.0\n"));
    assert!(
        message.contains("a.toml:9:1: train.learning_rate"),
        "{message}"
    );
    let message = refusal(&format!("{BASE}[score]\nregimes = []\n"));
    assert!(
        message.contains("a.toml:9:1: score.regimes: nothing to score"),
        "{message}"
    );
    let message = refusal(&format!("{BASE}[score]\nbits = [4, 20]\n"));
    assert!(
        message.contains("a.toml:9:1: score.bits: 20 is not between"),
        "{message}"
    );
    let message = refusal(&BASE.replace("width = 64\n", ""));
    assert!(
        message.contains("a.toml:5:2: model.width: a model needs a width"),
        "{message}"
    );
    let message = refusal(&format!("name = \"../x\"\n{BASE}"));
    assert!(
        message.contains("a.toml:1:1: name: `../x` cannot name a folder"),
        "{message}"
    );
}

#[test]
fn a_missing_table_is_named() {
    let message = refusal("[model]\nwidth = 64\n");
    assert_eq!(message, "a.toml: missing field `data`");
}

#[test]
fn a_missing_file_is_named() {
    let error = Experiment::read(Path::new("no/such.toml"), &[]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("no/such.toml: cannot read the config"),
        "{error}"
    );
}

#[test]
fn a_fault_of_an_axis_points_at_its_value() {
    let message = refusal(&format!("{BASE}[sweep.grid]\nmodel.heads = [4, 5]\n"));
    assert!(
        message.contains("a.toml:9:19: model.heads: 5 heads do not divide"),
        "{message}"
    );
    assert!(
        message.contains("in the trial with model.heads = 5"),
        "{message}"
    );
    let message = refusal(&format!("{BASE}[sweep.grid]\nmodel.heds = [4]\n"));
    assert!(
        message.contains("a.toml:9:15: model.heds: unknown key `heds`"),
        "{message}"
    );
    assert!(message.contains("did you mean `heads`?"), "{message}");
    let message = refusal(&format!("{BASE}[[sweep.trials]]\nmodel.heads = \"two\"\n"));
    assert!(
        message.contains("a.toml:9:7: model.heads: invalid type"),
        "{message}"
    );
}

#[test]
fn set_changes_values_and_its_faults_are_named() {
    let experiment = with_sets(BASE, &["model.width=48", "model.position=rope", "name=b"]).unwrap();
    assert_eq!(experiment.name, "b");
    assert_eq!(experiment.trials[0].config.model.width, 48);
    assert_eq!(experiment.trials[0].config.model.position, Position::Rope);
    let message = |set: &str| with_sets(BASE, &[set]).unwrap_err().to_string();
    let shown = message("model.widht=48");
    assert!(
        shown.starts_with("--set model.widht=48: model.widht: unknown key"),
        "{shown}"
    );
    assert!(shown.contains("did you mean `width`?"), "{shown}");
    let shown = message("model.heads=5");
    assert!(
        shown.starts_with("--set model.heads=5: model.heads: 5 heads"),
        "{shown}"
    );
    assert!(message("model.width=\"wide\"").contains("invalid type"));
    let deep = format!("{}=1", vec!["a"; 50_000].join("."));
    let shown = message(&deep);
    assert!(
        shown.contains("has 50000 levels"),
        "{}",
        &shown[shown.len() - 200..]
    );
}

#[test]
fn set_against_an_axis_is_refused_and_axes_can_be_set() {
    let text = format!("{BASE}[sweep.grid]\nmodel.width = [16, 32]\n");
    let message = with_sets(&text, &["model.width=64"])
        .unwrap_err()
        .to_string();
    assert!(message.contains("has no effect"), "{message}");
    let help = "--set 'sweep.grid.model.width=[64]'";
    assert!(message.contains(help), "{message}");
    let experiment = with_sets(&text, &["sweep.grid.model.width=[48]"]).unwrap();
    assert_eq!(experiment.trials.len(), 1);
    assert_eq!(experiment.trials[0].config.model.width, 48);
    // An axis that the file has too: what is at fault is the argument.
    for set in [
        "sweep.grid.model.width=[0]",
        "sweep.grid.model.width=[\"8\"]",
    ] {
        let shown = with_sets(&text, &[set]).unwrap_err().to_string();
        let start = format!("--set {set}: model.width: ");
        assert!(shown.starts_with(&start), "{shown}");
    }
}

/// What `brevity train` advises for a config of several trials.
#[test]
fn sets_of_the_first_trial_leave_it_alone() {
    for sweep in [
        "[sweep.grid]\nmodel.width = [16, 32]\nmodel.taps = [0, 1]\ntrain.clip = [1.0]\n",
        "[sweep]\nseeds = [3, 4]\nchecks = true\n[sweep.grid]\nmodel.width = [16, 24, 32]\n",
        "[sweep.zip]\nmodel.width = [16, 32]\nmodel.position = [\"rope\", \"sinusoidal\"]\n",
        "[[sweep.trials]]\nmodel.width = 16\n[[sweep.trials]]\nmodel.position = \"rope\"\n",
    ] {
        let text = format!("{BASE}{sweep}");
        let whole = parse(&text).unwrap();
        let sets = whole.sets_of_first();
        let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
        let first = with_sets(&text, &sets).unwrap();
        assert_eq!(first.trials.len(), 1, "{sets:?}");
        let config = |experiment: &Experiment| toml::to_string(&experiment.trials[0].config);
        assert_eq!(config(&first).unwrap(), config(&whole).unwrap());
        assert!(first.sets_of_first().is_empty());
    }
}

#[test]
fn set_reaches_the_trials_that_choose_nothing_for_it() {
    let text = format!(
        "{BASE}[[sweep.trials]]\nmodel.taps = 0\n[[sweep.trials]]\ntrain.learning_rate = 0.5\n"
    );
    let experiment = with_sets(&text, &["train.learning_rate=0.25"]).unwrap();
    let rates = experiment.trials.iter();
    let rates: Vec<_> = rates.map(|t| t.config.train.learning_rate).collect();
    assert_eq!(rates, [0.25, 0.5]);
}
