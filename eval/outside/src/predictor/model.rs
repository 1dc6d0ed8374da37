//! A predictor from outside as a model of archives.

use super::error::Place;
use super::rows::frequencies;
use super::{About, LONGEST_NAME, Outside, OutsideError};
use brevity_codec::predict::{Model, PredictError, Predictor};
use brevity_codec::{Frequencies, Layout, SYMBOLS};
use brevity_model::varint;
use brevity_task::chain;
use std::sync::{Arc, Mutex, PoisonError};

/// Makes a predictor, such as a new process of the same program.
pub type Make = Box<dyn Fn() -> Result<Box<dyn Outside>, OutsideError> + Send + Sync>;

/// A predictor from outside as a model of archives: blocks are coded byte by byte.
///
/// Predictors are made when one is needed and none is idle, so that an archive can be
/// decoded while it is written. Clones share them.
#[derive(Clone)]
pub struct PredictorModel {
    shared: Arc<Shared>,
}

struct Shared {
    about: About,
    make: Make,
    idle: Mutex<Vec<Box<dyn Outside>>>,
}

/// By what an archive names its predictor: the context as a varint, then the name.
#[must_use]
pub fn description(about: &About) -> Vec<u8> {
    let mut out = Vec::new();
    varint::put(&mut out, about.context as u64);
    out.extend(about.name.as_bytes());
    out
}

/// The context and the name of a description.
fn described(bytes: &[u8]) -> Option<(u64, String)> {
    let mut rest = bytes.iter().copied();
    let context = varint::read(1 << 30, || rest.next().ok_or(())).ok()??;
    let name: Vec<u8> = rest.collect();
    let name = String::from_utf8(name).ok()?;
    (name.len() <= LONGEST_NAME).then_some((context, name))
}

impl PredictorModel {
    /// A model of the predictors that `make` makes; makes one.
    ///
    /// # Errors
    /// A predictor that cannot be made, or says something impossible of itself.
    pub fn new(make: Make) -> Result<PredictorModel, OutsideError> {
        let first = make()?;
        first.about().check()?;
        Ok(PredictorModel {
            shared: Arc::new(Shared {
                about: first.about().clone(),
                make,
                idle: Mutex::new(vec![first]),
            }),
        })
    }

    /// What the predictors are.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.shared.about
    }

    /// Does something with a predictor.
    ///
    /// # Errors
    /// A predictor that cannot be made, and those of `work`.
    pub fn with<T>(
        &self,
        work: impl FnOnce(&mut dyn Outside) -> Result<T, OutsideError>,
    ) -> Result<T, OutsideError> {
        let mut predictor = self.shared.lend()?;
        let result = work(&mut *predictor)?;
        self.shared.take_back(predictor);
        Ok(result)
    }

    /// This model, for an archive that was made with a predictor of that description.
    ///
    /// # Errors
    /// What differs.
    pub fn described(&self, bytes: &[u8]) -> Result<Box<dyn Model>, String> {
        let About { name, context, .. } = self.about();
        match described(bytes) {
            None => Err("its description in the archive is damaged".into()),
            Some((c, n)) if (c, &n) == (*context as u64, name) => Ok(Box::new(self.clone())),
            Some((c, n)) => Err(format!(
                "the archive was made with `{n}` of context {c}, the one given is `{name}` of \
                 context {context}"
            )),
        }
    }
}

/// Finds the model that an archive's description names.
pub type Find = Box<dyn Fn(&[u8]) -> Result<Box<dyn Model>, String> + Send + Sync>;

impl PredictorModel {
    /// [`described`](Self::described), to be kept with the models for reading archives.
    #[must_use]
    pub fn finder(&self) -> Find {
        let model = self.clone();
        Box::new(move |bytes| model.described(bytes))
    }
}

impl Shared {
    fn lend(&self) -> Result<Box<dyn Outside>, OutsideError> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        match idle {
            Some(predictor) => Ok(predictor),
            None => (self.make)(),
        }
    }

    fn take_back(&self, predictor: Box<dyn Outside>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(predictor);
    }
}

impl Model for PredictorModel {
    fn unit(&self) -> usize {
        self.about().context.max(1)
    }

    fn lanes(&self) -> usize {
        self.about().lanes()
    }

    fn start<'a>(&'a self, layout: &Layout) -> Box<dyn Predictor + 'a> {
        Box::new(Block {
            shared: &self.shared,
            predictor: None,
            layout: *layout,
            step: 0,
            next: vec![0.0; layout.lanes() * SYMBOLS],
        })
    }
}

/// The predictor of one block.
struct Block<'a> {
    shared: &'a Shared,
    /// None before the first step, and after a failure.
    predictor: Option<Box<dyn Outside>>,
    layout: Layout,
    step: usize,
    next: Vec<f32>,
}

impl Block<'_> {
    /// Whether all streams start anew at this step.
    fn starts(&self) -> bool {
        match self.shared.about.context {
            0 => self.step == 0,
            context => self.step.is_multiple_of(context),
        }
    }

    fn ask(
        &mut self,
        what: impl FnOnce(&mut dyn Outside, &mut [f32]) -> Result<(), OutsideError>,
    ) -> Result<(), PredictError> {
        let mut predictor = match self.predictor.take() {
            Some(predictor) => predictor,
            None => self.shared.lend().map_err(said)?,
        };
        what(&mut *predictor, &mut self.next).map_err(said)?;
        self.predictor = Some(predictor);
        Ok(())
    }
}

fn said(error: OutsideError) -> PredictError {
    PredictError(chain(&error).to_string())
}

impl Predictor for Block<'_> {
    fn lanes(&self) -> usize {
        self.layout.lanes()
    }

    fn predict(&mut self, next: &mut [Frequencies]) -> Result<(), PredictError> {
        let (lanes, most) = (self.lanes(), self.shared.about.streams);
        if lanes > most {
            return Err(PredictError(format!(
                "a block of {lanes} streams, the predictor takes at most {most}"
            )));
        }
        if self.starts() {
            self.ask(|predictor, rows| predictor.start(lanes, rows))?;
        }
        for (lane, (row, next)) in self.next.chunks(SYMBOLS).zip(next).enumerate() {
            let place = || Place {
                stream: self.layout.range(lane).start,
                byte: self.step,
            };
            frequencies(row, next, place).map_err(said)?;
        }
        Ok(())
    }

    fn update(&mut self, bytes: &[u8]) -> Result<(), PredictError> {
        self.step += 1;
        match self.starts() || self.step == self.layout.steps() {
            true => Ok(()),
            false => self.ask(|predictor, rows| predictor.take(bytes, 1, rows)),
        }
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        if let Some(predictor) = self.predictor.take() {
            self.shared.take_back(predictor);
        }
    }
}
