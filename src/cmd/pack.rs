//! `brevity compress --train`: a file and a model of its own in one archive.

use super::compress::{Args, Width};
use super::files::{self, Target, is_dash};
use crate::exit::{Stopped, Usage};
use anyhow::{Context, Result, bail};
use brevity_codec::archive::{Inspection, Source, Summary, inspect};
use brevity_codec::weights::Plan;
use brevity_eval::critical::prior;
use brevity_eval::format::count;
use brevity_train::measure::StoredModel;
use brevity_train::pack::{self, Budget, Workspace};
use brevity_train::{Control, DeviceKind, Progress, TrainSetup};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Options of `brevity compress --train`.
#[derive(clap::Args)]
pub struct Training {
    /// Train a model on the file and store it in the archive, where that is
    /// shorter; a run that was stopped continues
    #[arg(long, conflicts_with_all = ["external", "stdout"])]
    pub train: bool,
    /// Parameters of the model, about [default: the predicted critical size]
    #[arg(long, value_name = "COUNT", requires = "train")]
    size: Option<u64>,
    /// How often to train on the whole file [default: by its length]
    #[arg(long, value_name = "COUNT", requires = "train")]
    epochs: Option<f64>,
    /// How many bytes to train on, with repetition
    #[arg(
        long,
        value_name = "BYTES",
        requires = "train",
        conflicts_with = "epochs"
    )]
    budget: Option<u64>,
    /// Seed of the training
    #[arg(long, value_name = "NUMBER", requires = "train", default_value_t = 0)]
    seed: u64,
}

impl Training {
    fn budget(&self) -> Budget {
        match (self.epochs, self.budget) {
            (Some(epochs), _) => Budget::Epochs(epochs),
            (_, Some(bytes)) => Budget::Bytes(bytes),
            _ => Budget::Usual,
        }
    }

    fn setup(&self, bytes: u64) -> TrainSetup {
        let predicted = || prior::critical_size(bytes as f64, prior::STORED_BITS) as u64;
        TrainSetup {
            spec: pack::spec_near(self.size.unwrap_or_else(predicted)),
            config: pack::recipe(bytes, self.budget()),
            seed: self.seed,
            device: DeviceKind::Flex,
        }
    }
}

impl Args {
    /// Compresses a file with a model that is trained on it, or without one
    /// where that is shorter.
    pub(super) fn train(&self, path: &Path) -> Result<()> {
        let output = match &self.common.output {
            Some(output) if is_dash(output) => None,
            Some(output) => Some(output.clone()),
            None if is_dash(path) => None,
            None => Some(self.derived(path)),
        };
        let Some(output) = output else {
            bail!(Usage(
                "--train needs a file to write: its checkpoints lie beside it".into()
            ));
        };
        self.common.free(&output, path)?;
        let mut data = Vec::new();
        let (mut input, length) = files::open(path)?;
        let read = input.read_to_end(&mut data);
        read.with_context(|| format!("cannot read {}", path.display()))?;
        let bytes = || (&data[..], length);

        let plain = self.write(path, bytes(), std::io::sink(), &Source::none(), None)?;
        let setup = self.training.setup(data.len() as u64);
        let smallest = pack::spec_near(0).parameters() as f64 * prior::STORED_BITS / 8.0;
        let trained = match smallest < plain.stored as f64 {
            true => Some(self.own_model(path, &setup, &data, &output)?),
            false => None,
        };

        let Target::File(mut file) = self.common.target(path, Some(output))? else {
            unreachable!("a name was given");
        };
        let mut with_model = None;
        if let Some((model, _)) = &trained {
            let source = Source::embedded(&model.exact, &model.plan);
            let summary = self.write(path, bytes(), &mut file, &source, None)?;
            with_model = Some((summary, inspect(file.reread()?)?));
        }
        let summary = match &with_model {
            Some((summary, _)) if summary.stored < plain.stored => *summary,
            _ => {
                file.restart()?;
                self.write(path, bytes(), &mut file, &Source::none(), None)?
            }
        };
        self.verify(&mut file, &summary, None)?;
        let name = file.path().display().to_string();
        file.finish()?;
        if let Some((_, workspace)) = trained {
            workspace.remove()?;
        }
        self.report(path, &summary, &name);
        self.tell(&plain, with_model.as_ref());
        Ok(())
    }

    /// Trains beside the archive to be.
    fn own_model(
        &self,
        path: &Path,
        setup: &TrainSetup,
        data: &[u8],
        output: &Path,
    ) -> Result<(StoredModel, Workspace)> {
        let mut folder = output.as_os_str().to_owned();
        folder.push(".training");
        let workspace = Workspace::open(PathBuf::from(folder))?;
        let total = setup.config.total_bytes(&setup.spec, data.len() as u64);
        self.common.run.say(|| {
            format!(
                "{}: training {} parameters on {total} bytes in {}",
                path.display(),
                setup.spec.parameters(),
                workspace.folder().display()
            )
        });
        let bar = self.common.run.bar("train", Some(total));
        let progress = |at: Progress| {
            bar.set_position(at.bytes);
            bar.set_message(format!("train {:.3} bits a byte", at.bits_per_byte));
        };
        let trained = files::stoppable(|stop| {
            let control = Control {
                stop,
                progress: &progress,
            };
            pack::train(setup, data, &workspace, &control)
        });
        bar.finish_and_clear();
        let trained = trained.with_context(|| format!("cannot train on {}", path.display()))?;
        let Some(mut model) = trained else {
            bail!(Stopped);
        };
        if let Width::Fixed(precision) = self.bits {
            model.plan = Plan::new(&model.exact, precision);
        }
        Ok((model, workspace))
    }

    /// What the model is worth, and what others would be.
    fn tell(&self, plain: &Summary, with_model: Option<&(Summary, Inspection)>) {
        let run = &self.common.run;
        let Some((summary, parts)) = with_model else {
            run.say(|| "no model is small enough for so few bytes; the archive has none".into());
            return;
        };
        let parameters = parts.spec.as_ref().map_or(0, |spec| spec.parameters()) as f64;
        let bits = parts.model_bytes as f64 * 8.0 / parameters;
        run.say(|| {
            format!(
                "with a model of {parameters} parameters at {bits:.2} bits: {} bytes, of which \
                 the model is {}; with contexts alone: {} bytes{}",
                summary.stored,
                parts.model_bytes,
                plain.stored,
                match summary.stored < plain.stored {
                    true => "",
                    false => ", so the archive has no model",
                }
            )
        });
        run.say(|| {
            let measured = (parameters, bits, summary.stored as f64);
            let at = |factor: f64| {
                let other = factor * parameters;
                let bytes = prior::bytes_at_size(other, summary.raw as f64, measured);
                format!("about {bytes:.0} bytes with {} parameters", count(other))
            };
            format!("estimates: {}, {}", at(0.5), at(2.0))
        });
    }
}
