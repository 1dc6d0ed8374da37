//! What is run: the trials of a config, or those that a folder was given before.

use super::Common;
use crate::cmd;
use crate::exit::Usage;
use anyhow::Result;
use brevity_data::{DataConfig, Store};
use brevity_lab::config::Experiment;
use brevity_lab::sweep::{DataCache, DataIdentity, Kind, Manifest, RunOptions, SweepFolder};
use brevity_stats::design::Goal;
use std::path::Path;

/// A dry run reads data whose hash is not known if they are shorter than this: a
/// fraction of a second.
const READ_TO_PLAN: u64 = 1 << 28;

/// The trials of a config or of a folder.
pub struct Target {
    /// Where they run.
    pub folder: SweepFolder,
    /// The trials.
    pub manifest: Manifest,
    /// The text of the config, unless the folder has its own.
    pub config: Option<String>,
    /// `--set` arguments that leave the first trial alone; of a folder there are none.
    pub first: Vec<String>,
    /// When an adaptive plan is to stop; `None` if all trials are run.
    pub adaptive: Option<Goal>,
    /// The data that were read last.
    pub data: DataCache,
}

impl Target {
    /// Reads a config, or the manifest of a folder. With `unseen`, data need not be here.
    pub fn open(
        common: &Common,
        path: &Path,
        kind: Kind,
        unseen: bool,
        options: &RunOptions,
    ) -> Result<Target> {
        if path.is_dir() {
            return Target::frozen(common, path, kind);
        }
        let experiment = Experiment::read(path, &common.set)?;
        let (experiment, suffix) = match kind {
            Kind::TwoPart => (experiment.two_part(), ""),
            Kind::Prequential => (experiment.prequential()?, "-prequential"),
            Kind::Contamination => (experiment.contamination()?, ""),
        };
        let folder = SweepFolder::new(match &common.out {
            Some(out) => out.clone(),
            None => Path::new("runs").join(format!("{}{suffix}", experiment.name)),
        });
        // One of several processes reads only the data of its own trials: what the others
        // hold was hashed when the folder was made, and is checked by who reads it.
        let frozen = match options.is_shared() && folder.manifest_path().exists() {
            true => folder.manifest().ok(),
            false => None,
        };
        let known = |config: &DataConfig| {
            let trials = frozen.iter().flat_map(|manifest| &manifest.trials);
            let mut same = trials.filter(|trial| trial.config.data == *config);
            same.next().map(|trial| trial.data.clone())
        };
        let data = DataCache::default();
        cmd::data::note_of(experiment.trials.iter().map(|trial| &trial.config.data));
        let manifest = Manifest::expand(&experiment, |config| {
            if let Some(identity) = known(config) {
                return Ok(identity);
            }
            if unseen {
                // A plan can be looked at before its data are fetched, or hashed for
                // minutes.
                let plan = config.plan(&Store::default())?;
                if plan.unread >= READ_TO_PLAN {
                    return Ok(DataIdentity::planned(config, &plan));
                }
            }
            Ok(DataIdentity::from(&*data.load(config)?))
        })?;
        Ok(Target {
            folder,
            manifest,
            config: Some(experiment.text().to_owned()),
            first: experiment.sets_of_first(),
            adaptive: experiment.adaptive,
            data,
        })
    }

    fn frozen(common: &Common, path: &Path, kind: Kind) -> Result<Target> {
        let told = path.display();
        if !common.set.is_empty() || common.out.is_some() {
            return Err(Usage(format!(
                "{told} is a folder, whose config is fixed: --set and --out go with a config"
            ))
            .into());
        }
        let folder = SweepFolder::new(path);
        let manifest = folder.manifest()?;
        let own = manifest.kind();
        if kind != Kind::TwoPart && kind != own {
            return Err(Usage(format!("{told} is a folder of `brevity {}`", own.command())).into());
        }
        Ok(Target {
            folder,
            manifest,
            config: None,
            first: Vec::new(),
            adaptive: None,
            data: DataCache::default(),
        })
    }
}
