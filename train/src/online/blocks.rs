//! The prequential code by blocks, with a model trained from scratch for each.

use super::OnlineError;
use super::fixed::price_block;
use super::recipe::OnlineConfig;
use super::tally::{PrequentialLength, Tally};
use super::temperature::Temperature;
use crate::run::{self, MODEL, Outcome, TrainSetup};
use brevity_codec::Layout;
use brevity_codec::predict::Priced;
use brevity_model::Weights;
use brevity_task::{Control, Progress};
use std::fs;
use std::ops::Range;
use std::path::Path;

/// The prequential code length of `bytes` by block-wise retraining (Blier &
/// Ollivier 2018, arXiv 1802.07044): the first `first_block` bytes are coded
/// uniformly; each further block doubles the number of coded bytes, and
/// is priced by a model that [`run`](crate::run()) trained from scratch, by
/// `setup`, on all bytes before it. Only the temperature, which is fitted to the
/// priced bytes, carries over from block to block; the optimizer state does not.
///
/// Models are trained in subfolders of `folder`, which are kept until the end:
/// a stopped (`None`) or killed run resumes. The weights of the result were trained
/// on all bytes. `recipe_bytes`, the size of the recipe, is added as given.
///
/// # Errors
/// See [`OnlineError`].
pub fn blockwise(
    setup: &TrainSetup,
    online: &OnlineConfig,
    first_block: u64,
    bytes: &[u8],
    recipe_bytes: u64,
    folder: &Path,
    control: &Control<'_>,
) -> Result<Option<PrequentialLength>, OnlineError> {
    let first = bytes.len().min(first_block as usize);
    let mut tally = Tally::new(bytes.len());
    let layout = Layout::new(first, 1, 1);
    let mut uniform = Priced::default();
    uniform.masses[7] = brevity_codec::TOTAL / brevity_codec::SYMBOLS as u32;
    tally.add(0, &layout, 0, &vec![uniform; first]);

    let mut temperature = Temperature::default();
    let blocks = doubling(first, bytes.len());
    let work: usize = blocks.iter().map(|block| block.start).sum::<usize>() + bytes.len();
    let mut done = 0;
    for block in &blocks {
        let model = Training {
            setup,
            bytes: &bytes[..block.start],
            folder,
            done,
            work,
            so_far: &tally,
        };
        let Some(weights) = model.weights(control)? else {
            return Ok(None);
        };
        let (range, stop) = (block.clone(), control.stop);
        if !price_block(
            &weights,
            online,
            bytes,
            range,
            &mut temperature,
            &mut tally,
            stop,
        )? {
            return Ok(None);
        }
        done += block.start;
    }
    let model = Training {
        setup,
        bytes,
        folder,
        done,
        work,
        so_far: &tally,
    };
    let Some(weights) = model.weights(control)? else {
        return Ok(None);
    };
    // If this fails, the leftovers only take disk space.
    let _ = fs::remove_dir_all(folder);
    Ok(Some(tally.total(recipe_bytes as usize, weights)))
}

/// The blocks that follow the first `first` of `bytes` bytes.
fn doubling(first: usize, bytes: usize) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let mut start = first;
    while start < bytes {
        let end = (2 * start).min(bytes);
        blocks.push(start..end);
        start = end;
    }
    blocks
}

/// One of the trainings: its bytes, and the progress before it.
struct Training<'a> {
    setup: &'a TrainSetup,
    bytes: &'a [u8],
    folder: &'a Path,
    done: usize,
    work: usize,
    so_far: &'a Tally,
}

impl Training<'_> {
    /// The model of these bytes, loaded if it was trained before; `None` if the run
    /// was stopped.
    fn weights(&self, control: &Control<'_>) -> Result<Option<Weights>, OnlineError> {
        let folder = self.folder.join(self.bytes.len().to_string());
        let path = folder.join(MODEL);
        if path.exists() {
            return Ok(Some(Weights::load(&path)?));
        }
        let end = self.so_far.end();
        let progress = |at: Progress<'_>| {
            let share = at.done as f64 / at.of as f64;
            control.tell(Progress {
                done: (self.done as f64 + share * self.bytes.len() as f64) as u64,
                of: self.work as u64,
                bytes: end.bytes,
                bits_per_byte: Some(end.bits / end.bytes.max(1) as f64),
                ..Progress::default()
            });
        };
        let control = Control {
            stop: control.stop,
            progress: &progress,
        };
        match run::run(self.setup, self.bytes, &folder, &control)? {
            Outcome::Finished { weights, .. } => Ok(Some(weights)),
            Outcome::Interrupted { .. } => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_double_and_cover_all_bytes() {
        assert_eq!(doubling(4, 30), [4..8, 8..16, 16..30]);
        assert_eq!(doubling(4, 8).len(), 1);
        assert!(doubling(4, 4).is_empty());
    }
}
