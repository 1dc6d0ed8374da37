//! Every config of the repository, expanded and dry-run; and checks that need the data.

use brevity_data::{DataConfig, Store};
use brevity_lab::config::Experiment;
use brevity_lab::sweep::{
    DataIdentity, DryRun, Manifest, Plan, RunOptions, SweepFolder, TaskOptions, freeze,
    write_slurm_scripts,
};
use brevity_length::State;
use std::fs;
use std::path::{Path, PathBuf};

fn configs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs");
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    // Its other configs are tables: `experiments::table` reads those.
    paths.push(folder.join("paper/size-curve.toml"));
    paths.push(folder.join("paper/generation.toml"));
    paths.sort();
    assert!(paths.len() >= 3);
    paths
}

fn unseen(experiment: &Experiment) -> Manifest {
    // Sets that the user imports first are not in the registry.
    let imported = |data: &DataConfig| brevity_data::Plan {
        train: data.bytes,
        holdout: data.holdout.as_ref().map_or(0, |holdout| holdout.bytes),
        unread: u64::MAX,
    };
    let store = Store::at("/nonexistent");
    let identify = |data: &DataConfig| {
        let plan = data.plan(&store).unwrap_or_else(|_| imported(data));
        Ok(DataIdentity::planned(data, &plan))
    };
    Manifest::expand(experiment, identify).unwrap()
}

fn seen(text: &str) -> Result<Manifest, String> {
    let experiment = Experiment::parse(Path::new("a.toml"), text, &[]).unwrap();
    let identify = |data: &DataConfig| data.load().map(|split| DataIdentity::from(&split));
    Manifest::expand(&experiment, identify).map_err(|error| error.to_string())
}

#[test]
fn every_config_expands_and_dry_runs() {
    let temporary = tempfile::tempdir().unwrap();
    for path in configs() {
        let experiment = Experiment::read(&path, &[]).unwrap_or_else(|error| panic!("{error}"));
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert_eq!(experiment.name, stem, "a config is named like its file");
        let manifest = unseen(&experiment);
        let folder = SweepFolder::new(temporary.path().join(&experiment.name));
        let dry = DryRun::new(&folder, &manifest, &RunOptions::default()).unwrap();
        assert_eq!(dry.rows().len(), manifest.trials.len());
        for row in dry.rows() {
            assert_eq!(row.state, State::Pending);
            assert!(row.id.is_none() && row.estimated_seconds.is_some());
        }
        assert!(dry.to_string().contains("parameters"));
        assert!(!folder.root().exists(), "a dry run writes nothing");
    }
}

#[test]
fn the_leaks_of_the_repository_expand() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/contamination.toml");
    let experiment = Experiment::read(&path, &[]).unwrap();
    let manifest = unseen(&experiment.contamination().unwrap());
    let of = |part: &str| {
        let trials = manifest.trials.iter();
        trials
            .filter(|trial| trial.axes.get("part").unwrap().as_str() == Some(part))
            .count()
    };
    // Two models and three seeds. Everything except the disguises has two codes.
    assert_eq!((of("dose"), of("disguise")), (2 * 3 * 8 * 2, 2 * 3 * 2));
    assert_eq!((of("text"), of("random")), (2 * 3 * 2, 2 * 3 * 2));
}

#[test]
fn the_papers_grid_has_the_papers_counts() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/paper/size-curve.toml");
    let manifest = unseen(&Experiment::read(&path, &[]).unwrap());
    let counts: Vec<_> = manifest
        .trials
        .iter()
        .map(|trial| trial.parameters)
        .collect();
    assert_eq!(manifest.trials[0].data.bytes, 100_000_000);
    for count in [
        231_936, 331_392, 430_848, 856_832, 9_596_160, 25_465_088, 38_066_432,
    ] {
        assert!(counts.contains(&count), "{count} is not among {counts:?}");
    }
}

const BASE: &str = "
[data]
source = \"random\"
bytes = 1000
[model]
width = 16
context = 64
";

#[test]
fn ids_depend_on_what_decides_the_result() {
    let id = |text: &str| seen(text).unwrap().trials[0].id.clone();
    let base = id(BASE);
    assert_eq!(base.len(), 12);
    assert_eq!(base, id(&format!("name = \"other\"\n{BASE}")));
    assert_eq!(
        base,
        id(&format!("{BASE}layers = 2\n")),
        "as the preset has it"
    );
    assert_ne!(base, id(&format!("seed = 1\n{BASE}")));
    assert_ne!(base, id(&BASE.replace("width = 16", "width = 32")));
    assert_ne!(base, id(&BASE.replace("1000", "1001")));
}

#[test]
fn checks_name_their_trial_and_are_not_added_twice() {
    let text = format!(
        "[sweep]\nchecks = true\n[sweep.grid]\nmodel.width = [8, 12, 24]\n\
         train.learning_rate = [0.01, 0.02]\n{}",
        BASE.replace("width = 16\n", "")
    );
    let trials = seen(&text).unwrap().trials;
    let checks: Vec<_> = trials.iter().filter(|t| t.check.is_some()).collect();
    // Training twice as long at both ends, and half of the first learning rate at three
    // sizes; twice that rate is already in the grid.
    assert_eq!((trials.len(), checks.len()), (6 + 5, 5));
    for trial in checks {
        let check = trial.check.as_ref().unwrap();
        let of = trials.iter().find(|other| other.id == check.of).unwrap();
        assert_eq!(trials[trial.index].id, trial.id);
        assert_eq!(of.parameters, trial.parameters);
        assert_eq!(trial.axes.get(&check.key).unwrap().as_f64(), Some(check.to));
    }
}

#[test]
fn data_that_do_not_fit_are_refused_with_their_key() {
    let refusal = |text: &str| seen(text).unwrap_err();
    let message = refusal(&BASE.replace("1000", "63"));
    assert!(
        message.contains("a.toml:7:1: model.context: the context is 64 bytes"),
        "{message}"
    );
    let message = refusal(&BASE.replace("\"random\"", "\"no/such/file\""));
    assert!(
        message.contains("a.toml:3:1: data.source: no file"),
        "{message}"
    );
    let message = refusal(&format!("{BASE}[score]\nregimes = [\"held-out\"]\n"));
    assert!(
        message.contains("a.toml:9:1: score.regimes: `held-out` needs"),
        "{message}"
    );
}

#[test]
fn equal_trials_are_refused() {
    let text = format!("{BASE}[sweep]\nseeds = [0, 1, 0]\n");
    assert!(
        seen(&text)
            .unwrap_err()
            .contains("trials 0 and 2 are the same")
    );
}

#[test]
fn a_slurm_script_runs_every_shard() {
    let temporary = tempfile::tempdir().unwrap();
    let text = format!("{BASE}[sweep]\nseeds = [0, 1, 2]\n");
    let folder = SweepFolder::new(temporary.path().join("a run"));
    let manifest = seen(&text).unwrap();
    let manifest = freeze(&folder, &manifest, Some(&text)).unwrap();
    let options = TaskOptions {
        program: "brevity".into(),
        device: "flex".into(),
        jobs: 1,
        threads: None,
        retry_failed: false,
        json: false,
        task_seconds: 0.0,
    };
    let plan = Plan::of(&folder, &manifest, &options).unwrap();
    let scripts = write_slurm_scripts(&plan, 64, &[]).unwrap();
    let script = fs::read_to_string(scripts.tasks).unwrap();
    assert!(script.contains("#SBATCH --array=1-3\n"), "{script}");
    assert!(script.contains("a run' --any --jobs 1"), "{script}");
    assert!(
        script.contains("--shard \"$SLURM_ARRAY_TASK_ID/3\""),
        "{script}"
    );
    assert_eq!(folder.manifest().unwrap().trials.len(), 3);
}
