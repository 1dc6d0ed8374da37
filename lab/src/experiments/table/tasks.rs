//! The models of a table, each trained and measured by a task of its own.
//!
//! Tasks share the folder. Each has a folder of its own there for its lock and its cells;
//! [`run`](super::run) gathers them and adds the coders, the curves and the page.

use std::path::{Path, PathBuf};

use brevity_data::Source;
use brevity_files::{FolderError, OwnedFolder};
use brevity_train::DeviceKind;
use toml::{Table, Value};

use super::cells::Cells;
use super::config::Config;
use super::{MatrixError, Options, check, models, sets};
use crate::sweep::demand::{held, scoring};
use crate::sweep::frozen::absolute_source;
use crate::sweep::plan::{Item, Words};
use crate::sweep::{Calibration, Plan, Shard, TaskOptions, shell};

/// The models that a task trains.
#[derive(Clone, Debug)]
pub enum Part {
    /// Those with these names.
    Only(Vec<String>),
    /// Any that nobody trains, the longest first; with a place to look at first.
    Any(Option<Shard>),
}

/// Copies the config into the folder, with paths that hold from any working directory, and
/// returns its path there.
///
/// # Errors
/// A config that cannot be used; standard input among the sources; a folder that is not
/// writable.
pub fn freeze(path: &Path, config: &Config, folder: &Path) -> Result<PathBuf, MatrixError> {
    let file = |action, path: &Path| {
        let path = path.to_owned();
        move |source| MatrixError::File {
            action,
            path,
            source,
        }
    };
    let text = std::fs::read_to_string(path).map_err(file("read", path))?;
    let mut table: Table = toml::from_str(&text).map_err(|source| MatrixError::Toml {
        path: path.into(),
        source: source.into(),
    })?;
    table.insert("name".into(), config.name().into());
    let sets = table.get_mut("set").and_then(Value::as_array_mut);
    for (place, set) in sets.into_iter().flatten().enumerate() {
        let Some(set) = set.as_table_mut() else {
            continue;
        };
        fix(set, place, path)?;
        if let Some(holdout) = set.get_mut("holdout").and_then(Value::as_table_mut) {
            fix(holdout, place, path)?;
        }
    }
    std::fs::create_dir_all(folder).map_err(file("create", folder))?;
    let frozen = folder.join("config.toml");
    let text = toml::to_string(&table).expect("it came from TOML");
    brevity_files::write(&frozen, text.as_bytes()).map_err(file("write", &frozen))?;
    Ok(frozen)
}

/// Makes the source of a table absolute.
fn fix(table: &mut Table, place: usize, path: &Path) -> Result<(), MatrixError> {
    let Some(Value::String(text)) = table.get("source") else {
        return Ok(());
    };
    let source = Source::from(text.as_str());
    if source == Source::Stdin {
        return Err(MatrixError::Config {
            path: path.into(),
            key: format!("set.{place}.source"),
            message: "standard input cannot be read by tasks: save it to a file".into(),
        });
    }
    let source = absolute_source(&source).to_string();
    table.insert("source".into(), source.into());
    Ok(())
}

/// The models whose cells are not all measured, as tasks. `frozen` is the config in the
/// folder; with `estimate`, no archives are made.
///
/// # Errors
/// Sets that cannot be read; paths that cannot stand in a script.
pub fn plan(
    config: &Config,
    frozen: &Path,
    folder: &Path,
    options: &TaskOptions,
    estimate: bool,
) -> Result<Plan, MatrixError> {
    let mut notes = Vec::new();
    let sets = sets::read(config, &mut notes)?;
    let columns = sets::columns(config, &sets);
    let measured: u64 = columns
        .iter()
        .map(|(_, bytes)| bytes.test.len() as u64)
        .sum();
    let held_bytes: u64 = sets
        .iter()
        .flatten()
        .map(|set| set.train.len() as u64)
        .sum();
    let cells = Cells::open(folder)?;
    let calibration = Calibration::assumed();
    let mut items = Vec::new();
    for of in models::all(config, &sets, &mut notes) {
        let (setup, learned) = (of.setup(DeviceKind::default()), of.learned());
        if cells.has(&of.trained(folder, &setup, &learned), &columns, !estimate) {
            continue;
        }
        let (spec, train) = (&setup.spec, &setup.config);
        let training = train.total_bytes(spec, learned.len() as u64) as f64;
        let flops = spec.flops_per_byte() * training + scoring(spec, measured as f64);
        let memory = held(spec, train, held_bytes + measured);
        items.push(Item {
            id: of.name.clone(),
            state: "pending",
            demand: calibration.demand_of(flops, memory, spec.parameters(), options.threads),
        });
    }
    items.sort_by(|a, b| b.demand.seconds.total_cmp(&a.demand.seconds));
    let root = shell::absolute(folder)?;
    let frozen = shell::absolute(frozen)?;
    let start = [&options.program, "table", &frozen, "--out", &root].map(String::from);
    let mut end = vec!["--device".to_owned(), options.device.clone()];
    if estimate {
        end.push("--estimate".into());
    }
    let mut collect = [&start[..], &end].concat();
    if options.json {
        collect.push("--json".into());
    }
    let words = Words {
        start: start.to_vec(),
        one: "--model",
        end,
        collect,
    };
    Ok(Plan::new(
        config.name(),
        root,
        calibration,
        items,
        &words,
        options,
    ))
}

/// Trains and measures models, and nothing else. Returns how many.
///
/// # Errors
/// As [`run`](super::run); a name that no model has; [`MatrixError::Elsewhere`] if other
/// processes train what is left.
pub fn run_part(
    config: &Config,
    folder: &Path,
    device: DeviceKind,
    options: &Options<'_>,
    part: &Part,
) -> Result<usize, MatrixError> {
    let mut notes = Vec::new();
    let sets = sets::read(config, &mut notes)?;
    let columns = sets::columns(config, &sets);
    let mut all = models::all(config, &sets, &mut notes);
    match part {
        Part::Only(names) => {
            if let Some(name) = names
                .iter()
                .find(|name| !all.iter().any(|m| m.name == **name))
            {
                return Err(MatrixError::Config {
                    path: folder.join("config.toml"),
                    key: "model".into(),
                    message: format!("no model is called `{name}`"),
                });
            }
            all.retain(|model| names.contains(&model.name));
        }
        Part::Any(start) => {
            let flops = |m: &models::ModelOf<'_>| m.setup(device).spec.flops_per_byte();
            all.sort_by(|a, b| flops(b).total_cmp(&flops(a)));
            let count = all.len().max(1);
            all.rotate_left(start.map_or(0, |shard| (shard.number - 1) % count));
        }
    }
    let _shared = OwnedFolder::share(folder)?;
    let decoded = options.decoder.is_some();
    let (mut done, mut elsewhere) = (0, Vec::new());
    for of in all {
        check(options)?;
        let (setup, learned) = (of.setup(device), of.learned());
        let model = of.trained(folder, &setup, &learned);
        let _taken = match OwnedFolder::take(of.task(folder)) {
            Err(FolderError::Busy { .. }) => {
                elsewhere.push(of.name.clone());
                continue;
            }
            taken => taken?,
        };
        let mut cells = Cells::only(&of.task(folder))?;
        if !cells.has(&model, &columns, decoded) {
            cells.model(&model, &columns, options)?;
            done += 1;
        }
    }
    match elsewhere.is_empty() {
        true => Ok(done),
        false => Err(MatrixError::Elsewhere { models: elsewhere }),
    }
}
