//! Coding of a block with a model: while a slice of steps is coded, the next one is priced.

use super::{Progress, SLICE};
use crate::coder::{ByteEncoder, Known};
use crate::layout::Layout;
use crate::mixing::Mixing;
use crate::predict::{Model, PredictError, Predictor, Priced};
use crate::said::Said;

/// The stream of the bytes, and the hash of its frequencies.
pub(super) fn encode(
    bytes: &[u8],
    layout: &Layout,
    model: &dyn Model,
    mut mixture: Option<Mixing>,
    progress: Progress<'_>,
) -> Result<(Vec<u8>, u32), PredictError> {
    let lanes = layout.lanes();
    let mut predictor = model.start(layout);
    let mut coder = ByteEncoder::default();
    let slice = |first: usize| -> Slice {
        let steps = SLICE.min(layout.steps() - first);
        let mut column = vec![0; lanes * steps];
        for (lane, column) in column.chunks_mut(steps).enumerate() {
            let range = layout.range(lane);
            let rest = &bytes[range][first.min(layout.range(lane).len())..];
            let count = steps.min(rest.len());
            column[..count].copy_from_slice(&rest[..count]);
        }
        Slice {
            first,
            steps,
            priced: vec![Priced::default(); column.len()],
            said: Vec::new(),
            bytes: column,
        }
    };
    // A model that learns beside context models needs to hear them first.
    let beside = model.learns_beside();
    let mut current = slice(0);
    if let Some(mixture) = mixture.as_mut().filter(|_| beside) {
        current.say(layout, mixture);
    }
    current.price(&mut *predictor)?;
    loop {
        let next = current.first + current.steps;
        let mut ahead = (next < layout.steps()).then(|| slice(next));
        if let (Some(ahead), Some(mixture)) = (&mut ahead, mixture.as_mut().filter(|_| beside)) {
            ahead.say(layout, mixture);
        }
        let (priced, ()) = rayon::join(
            || match &mut ahead {
                Some(slice) => slice.price(&mut *predictor),
                None => Ok(()),
            },
            || progress(current.code(layout, &mut coder, mixture.as_mut())),
        );
        priced?;
        match ahead {
            Some(slice) => current = slice,
            None => return Ok(coder.finish()),
        }
    }
}

/// Consecutive steps of all lanes, `[lanes, steps]`.
struct Slice {
    first: usize,
    steps: usize,
    bytes: Vec<u8>,
    priced: Vec<Priced>,
    /// What context models said of the bytes, if they spoke first.
    said: Vec<Said>,
}

impl Slice {
    /// Lets the context models speak of all bytes.
    fn say(&mut self, layout: &Layout, mixture: &mut Mixing) {
        self.said = vec![Said::default(); self.bytes.len()];
        for step in 0..self.steps {
            for lane in 0..layout.lanes() {
                let at = lane * self.steps + step;
                if lane < layout.active(self.first + step) {
                    self.said[at] = mixture.say(lane, self.bytes[at]);
                } else {
                    mixture.skip();
                }
            }
        }
    }

    /// Prices all bytes.
    fn price(&mut self, predictor: &mut dyn Predictor) -> Result<(), PredictError> {
        let (bytes, steps, priced) = (&self.bytes, self.steps, &mut self.priced);
        if self.said.is_empty() {
            return predictor.price(bytes, steps, priced);
        }
        let said = self.said.iter().zip(bytes);
        let said: Vec<_> = said.map(|(said, &byte)| said.logits(byte)).collect();
        predictor.price_beside(bytes, &said, steps, priced)
    }

    /// Codes the slice and returns its number of bytes.
    fn code(
        &self,
        layout: &Layout,
        coder: &mut ByteEncoder,
        mut mixture: Option<&mut Mixing>,
    ) -> u64 {
        let mut count = 0;
        for step in 0..self.steps {
            count += layout.active(self.first + step) as u64;
            for lane in 0..layout.lanes() {
                let at = lane * self.steps + step;
                let active = lane < layout.active(self.first + step);
                match &mut mixture {
                    Some(mixture) if active => {
                        coder.byte = self.bytes[at];
                        let advice = Known(&self.priced[at], self.bytes[at]);
                        match self.said.get(at) {
                            Some(said) => mixture.code_said(lane, said, coder, &advice),
                            None => {
                                mixture.code(lane, coder, &advice);
                            }
                        }
                    }
                    // Otherwise, the lanes that have ended were skipped when it was said.
                    Some(mixture) if self.said.is_empty() => mixture.skip(),
                    Some(_) => {}
                    None if active => coder.symbol(&self.priced[at]),
                    None => {}
                }
            }
        }
        count
    }
}
