//! The code length under a frozen model, computed in the same way as for a learner.

use super::OnlineError;
use super::pricer::Pricer;
use super::recipe::OnlineConfig;
use super::tally::{Tally, column};
use super::temperature::Temperature;
use brevity_codec::Layout;
use brevity_codec::predict::Priced;
use brevity_model::{Transformer, Weights};
use brevity_task::Stop;

/// The code length of `bytes` in bits under frozen weights, computed in the same way as
/// for a learner: in the same windows, each given the bytes before it in its lane, with a
/// fitted temperature and a share of the uniform distribution. A learner with these
/// initial weights and learning rate 0 would need the same number of bits. `None` if it
/// was stopped.
///
/// # Errors
/// Weights that are too large to code with.
pub fn fixed(
    weights: &Weights,
    online: &OnlineConfig,
    bytes: &[u8],
    stop: &Stop,
) -> Result<Option<f64>, OnlineError> {
    let mut tally = Tally::new(bytes.len());
    let mut temperature = Temperature::default();
    let done = price_block(
        weights,
        online,
        bytes,
        0..bytes.len(),
        &mut temperature,
        &mut tally,
        stop,
    )?;
    Ok(done.then(|| tally.end().bits))
}

/// Adds the code lengths of the bytes in `block` to `tally`; returns false if it was
/// stopped before the end. The block has no context from earlier blocks; only the
/// temperature carries over.
pub(super) fn price_block(
    weights: &Weights,
    online: &OnlineConfig,
    bytes: &[u8],
    block: std::ops::Range<usize>,
    temperature: &mut Temperature,
    tally: &mut Tally,
    stop: &Stop,
) -> Result<bool, OnlineError> {
    let (start, bytes) = (block.start, &bytes[block]);
    let layout = Layout::new(bytes.len(), 1, online.lanes as usize);
    let context = weights.spec().context;
    let mut pricer = Pricer::new(layout, online.floor, false);
    pricer.adopt(Transformer::new(weights));
    std::mem::swap(pricer.temperature(), temperature);
    let mut first = 0;
    while first < layout.steps() {
        if stop.is_set() {
            return Ok(false);
        }
        let steps = (online.window as usize).min(layout.steps() - first);
        let known = first.min(context - online.window as usize);
        let past = column(bytes, &layout, first - known, known);
        let past: Vec<&[u8]> = match known {
            0 => vec![&[]; layout.lanes()],
            known => past.chunks(known).collect(),
        };
        pricer.open(&past, steps)?;
        let column = column(bytes, &layout, first, steps);
        let lanes: Vec<&[u8]> = column.chunks(steps).collect();
        let mut priced = vec![Priced::default(); column.len()];
        pricer.price(&lanes, steps, priced.chunks_mut(steps))?;
        pricer.close();
        tally.add(start, &layout, first, &priced);
        first += steps;
    }
    std::mem::swap(pricer.temperature(), temperature);
    Ok(true)
}
