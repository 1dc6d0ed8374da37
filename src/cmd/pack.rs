//! `brevity compress --train`: a file and a model trained on it in one archive.

use super::compress::{Args, Width};
use super::files::{self, Target, is_dash};
use crate::exit::{Stopped, Usage};
use anyhow::{Context, Result, bail};
use brevity_codec::archive::{Inspection, Source, Summary, inspect};
use brevity_codec::weights::Plan;
use brevity_lab::pack::{self, PackError, Workspace};
use brevity_length::format::count;
use brevity_measure::StoredModel;
use brevity_stats::critical::prior::{PROSE_PILOTS, Prior, STORED_BITS};
use brevity_train::{Control, Progress};
use std::io::Read;
use std::path::{Path, PathBuf};

/// A model of the file's own, and what was expected of models for it.
struct Trained {
    model: StoredModel,
    prior: Prior,
    workspace: Workspace,
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
        let trained = self.own_model(path, &data, &plain, &output)?;

        let Target::File(mut file) = self.common.target(path, Some(output))? else {
            unreachable!("a name was given");
        };
        let mut with_model = None;
        if let Some(Trained { model, .. }) = &trained {
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
        self.report(path, &summary, &name);
        if let (Some(trained), Some((summary, parts))) = (trained, with_model) {
            trained.workspace.remove()?;
            self.tell(&plain, &summary, &parts, &trained.prior);
        }
        Ok(())
    }

    /// Trains a model beside the archive to be; none if none is expected to pay.
    fn own_model(
        &self,
        path: &Path,
        data: &[u8],
        plain: &Summary,
        output: &Path,
    ) -> Result<Option<Trained>> {
        let smallest = pack::spec_near(0).parameters() as f64 * STORED_BITS / 8.0;
        if smallest >= plain.stored as f64 {
            let none = "no model is small enough for so few bytes; the archive has none";
            self.common.run.say(|| none.into());
            return Ok(None);
        }
        let mut folder = output.as_os_str().to_owned();
        folder.push(".training");
        let workspace = Workspace::open(PathBuf::from(folder))?;
        let prior = match self.training.size {
            Some(_) => prior(plain, PROSE_PILOTS),
            None => self.try_out(path, data, plain, &workspace)?,
        };
        let size = match self.training.size {
            Some(size) => size,
            None if prior.bytes(prior.best()) < plain.stored as f64 => prior.best() as u64,
            None => {
                self.common.run.say(|| would_not_pay(&prior, plain));
                // Of a training with other options, that is not ours to end.
                if !workspace.is_in_use() {
                    workspace.remove()?;
                }
                return Ok(None);
            }
        };
        let setup = self.training.setup(size, data.len() as u64);
        let total = setup.config.total_bytes(&setup.spec, data.len() as u64);
        self.common.run.say(|| {
            format!(
                "{}: training {} parameters on {total} bytes in {}",
                path.display(),
                setup.spec.parameters(),
                workspace.folder().display()
            )
        });
        let work = |control: &Control| pack::train(&setup, data, &workspace, control);
        let mut model = self.trained("train", total, path, work)?;
        if let Width::Fixed(precision) = self.bits {
            model.plan = Plan::new(&model.exact, precision);
        }
        Ok(Some(Trained {
            model,
            prior,
            workspace,
        }))
    }

    /// What two short trainings say of models for these bytes.
    fn try_out(
        &self,
        path: &Path,
        data: &[u8],
        plain: &Summary,
        workspace: &Workspace,
    ) -> Result<Prior> {
        let work = |control: &Control| pack::pilots(data, workspace, control);
        let pilots = self.trained("try", pack::PILOT_BYTES, path, work)?;
        let run = &self.common.run;
        if run.verbose {
            let [small, large] = pilots;
            run.say(|| format!("two small models: {small:.3} and {large:.3} bits a byte"));
        }
        Ok(prior(plain, pilots))
    }

    /// Does some training with a bar for its bytes.
    fn trained<T>(
        &self,
        what: &str,
        bytes: u64,
        path: &Path,
        work: impl FnOnce(&Control) -> Result<Option<T>, PackError>,
    ) -> Result<T> {
        let bar = self.common.run.bar(what, Some(bytes));
        let progress = |at: Progress| {
            bar.set_position(at.bytes);
            bar.set_message(format!("{what} {:.3} bits a byte", at.bits_per_byte));
        };
        let done = files::stoppable(|stop| {
            work(&Control {
                stop,
                progress: &progress,
            })
        });
        bar.finish_and_clear();
        let done = done.with_context(|| format!("cannot train on {}", path.display()))?;
        done.ok_or_else(|| Stopped.into())
    }

    /// What the model is worth, and what others would be.
    fn tell(&self, plain: &Summary, summary: &Summary, parts: &Inspection, prior: &Prior) {
        let run = &self.common.run;
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
            let measured = summary.stored as f64 / prior.bytes(parameters);
            let at = |factor: f64| {
                let other = factor * parameters;
                let bytes = measured * prior.bytes(other);
                format!("about {bytes:.0} bytes with {} parameters", count(other))
            };
            format!("estimates: {}, {}", at(0.5), at(2.0))
        });
    }
}

fn prior(plain: &Summary, pilots: [f64; 2]) -> Prior {
    let raw = plain.raw as f64;
    Prior::new(raw, 8.0 * plain.stored as f64 / raw, pilots)
}

fn would_not_pay(prior: &Prior, plain: &Summary) -> String {
    let best = prior.best();
    format!(
        "no model is expected to pay: with the best, of {} parameters, about {:.0} bytes, with \
         contexts alone {}; --size trains one all the same",
        count(best),
        prior.bytes(best),
        plain.stored
    )
}
