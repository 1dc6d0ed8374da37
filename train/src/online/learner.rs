//! The learner: it prices a window, then learns it.

use super::pricer::Pricer;
use super::recipe::Recipe;
use super::student::Student;
use crate::ops::DeviceError;
use brevity_codec::predict::{PredictError, Predictor, Priced};
use brevity_codec::{Frequencies, Layout};
use brevity_model::{Transformer, Weights};

/// The state of a block. The result does not depend on how its steps are divided into
/// calls: windows are counted from the start of the block.
pub(super) struct Learner<'a> {
    recipe: &'a Recipe,
    layout: Layout,
    pricer: Pricer,
    student: Student<'a>,
    /// Steps of the windows before the current one.
    learned: usize,
}

/// Length of the window that starts after `learned` steps: windows double up to the
/// configured length.
fn window(recipe: &Recipe, learned: usize) -> usize {
    let window = recipe.online().window as usize;
    match learned {
        0 => (window / 8).max(1),
        learned => learned.min(window),
    }
}

impl<'a> Learner<'a> {
    /// A learner at the start of a block.
    ///
    /// # Errors
    /// A build without the CPU device.
    pub fn new(recipe: &'a Recipe, layout: Layout) -> Result<Learner<'a>, DeviceError> {
        let mut pricer = Pricer::new(layout, recipe.online().floor);
        pricer
            .open(&[], window(recipe, 0))
            .expect("there is no model yet");
        Ok(Learner {
            recipe,
            layout,
            pricer,
            student: Student::new(recipe, layout)?,
            learned: 0,
        })
    }

    /// Steps until the model changes.
    pub fn left(&self) -> usize {
        self.pricer.left()
    }

    /// Learns the window if it is complete and another window follows.
    fn turn(&mut self) -> Result<(), PredictError> {
        if self.pricer.left() > 0 {
            return Ok(());
        }
        let end = self.learned + window(self.recipe, self.learned);
        if end >= self.layout.steps() {
            return Ok(());
        }
        self.student.learn(self.pricer.close())?;
        self.learned = end;
        let steps = window(self.recipe, self.learned);
        self.pricer
            .adopt(Transformer::new(&self.student.weights()?));
        self.pricer.open(&self.student.past(steps), steps)
    }

    /// Learns the last window too; returns the model trained on all bytes.
    pub fn finish(mut self) -> Result<Weights, PredictError> {
        self.student.learn(self.pricer.close())?;
        self.student.weights()
    }
}

impl Predictor for Learner<'_> {
    fn lanes(&self) -> usize {
        self.layout.lanes()
    }

    fn predict(&mut self, next: &mut [Frequencies]) -> Result<(), PredictError> {
        self.pricer.predict(next)
    }

    fn update(&mut self, bytes: &[u8]) -> Result<(), PredictError> {
        self.pricer.take(bytes);
        self.turn()
    }

    fn price(
        &mut self,
        bytes: &[u8],
        steps: usize,
        priced: &mut [Priced],
    ) -> Result<(), PredictError> {
        let mut done = 0;
        while done < steps {
            let count = self.pricer.left().min(steps - done);
            let part = done..done + count;
            let lanes: Vec<&[u8]> = bytes
                .chunks(steps)
                .map(|lane| &lane[part.clone()])
                .collect();
            let prices = priced.chunks_mut(steps).map(|lane| &mut lane[part.clone()]);
            self.pricer.price(&lanes, count, prices)?;
            self.turn()?;
            done += count;
        }
        Ok(())
    }
}
