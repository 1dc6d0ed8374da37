//! The learner: it prices a window, then learns it.

use super::pricer::Pricer;
use super::recipe::Recipe;
use super::student::Student;
use crate::ops::DeviceError;
use brevity_codec::predict::{PredictError, Predictor, Priced};
use brevity_codec::{Frequencies, Layout};
use brevity_kernels::mixture::BITS;
use brevity_model::{Transformer, Weights};

/// The state of a block. The result does not depend on how its steps are divided into
/// calls: windows are counted from the start of the block.
pub(super) struct Learner<'a> {
    recipe: &'a Recipe,
    layout: Layout,
    pricer: Pricer,
    student: Student<'a>,
    /// Whether the model was trained before.
    started: bool,
    /// Steps of the windows before the current one.
    learned: usize,
}

/// Length of the window that starts after `learned` steps: windows double up to the
/// configured length; a model that has learned before has whole windows at once.
fn window(recipe: &Recipe, learned: usize, started: bool) -> usize {
    let window = recipe.online().window as usize;
    match learned {
        _ if started => window,
        0 => (window / 8).max(1),
        learned => learned.min(window),
    }
}

impl<'a> Learner<'a> {
    /// A learner at the start of a block; its model starts with these weights, or
    /// untrained.
    ///
    /// # Errors
    /// A build without the CPU device.
    ///
    /// # Panics
    /// If the weights are of another spec than the recipe's.
    pub fn new(
        recipe: &'a Recipe,
        start: Option<&Weights>,
        layout: Layout,
    ) -> Result<Learner<'a>, DeviceError> {
        let floor = recipe.online().floor;
        let mut pricer = Pricer::new(layout, floor, recipe.is_beside_contexts());
        if let Some(weights) = start {
            pricer.adopt(Transformer::new(weights));
        }
        pricer
            .open(&[], window(recipe, 0, start.is_some()))
            .expect("nothing is before the first window");
        Ok(Learner {
            recipe,
            layout,
            pricer,
            student: Student::new(recipe, start, layout)?,
            started: start.is_some(),
            learned: 0,
        })
    }

    fn window(&self) -> usize {
        window(self.recipe, self.learned, self.started)
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
        let end = self.learned + self.window();
        if end >= self.layout.steps() {
            return Ok(());
        }
        self.student.learn(self.pricer.close())?;
        self.learned = end;
        let steps = self.window();
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

    fn update_beside(&mut self, bytes: &[u8], said: &[[f32; BITS]]) -> Result<(), PredictError> {
        self.pricer.hear(said, 1);
        self.update(bytes)
    }

    fn price(
        &mut self,
        bytes: &[u8],
        steps: usize,
        priced: &mut [Priced],
    ) -> Result<(), PredictError> {
        self.price_beside(bytes, &[], steps, priced)
    }

    fn price_beside(
        &mut self,
        bytes: &[u8],
        said: &[[f32; BITS]],
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
            let said = said.chunks(steps).flat_map(|lane| &lane[part.clone()]);
            let said: Vec<_> = said.copied().collect();
            self.pricer.hear(&said, count);
            self.turn()?;
            done += count;
        }
        Ok(())
    }
}
