//! The precision at which to store the model of an archive.

use brevity_codec::weights::Plan;
use brevity_codec::{ScoreError, score};
use brevity_model::Weights;
use brevity_task::{Control, Progress};
use std::io::{Read, Seek, SeekFrom};

use super::PackError;

/// Limit on the bytes that the search prices.
const SAMPLE: u64 = 1 << 16;

/// Pieces of the file that the sample is made of.
const PIECES: u64 = 16;

/// The storage plan that gives the shortest archive of a file of `length` bytes,
/// estimated on a sample. Weights trained with quantisation keep their own precision, or
/// become zeros if they do not shorten the archive. `None` if a stop was requested.
///
/// # Errors
/// A file that cannot be read, a model whose output is not finite.
pub fn shortest_plan(
    weights: &Weights,
    file: &mut (impl Read + Seek),
    length: u64,
    control: &Control<'_>,
) -> Result<Option<Plan>, PackError> {
    let sample = sample(file, length)?;
    let share = length as f64 / sample.len().max(1) as f64;
    let mut done = 0;
    let data_bits = |weights: &Weights| {
        if control.stop.is_set() {
            return Err(Ended::Stopped);
        }
        let bits = score(weights, &sample).map_err(Ended::Failed)?.bits;
        done += sample.len() as u64;
        control.tell(Progress {
            done,
            bytes: done,
            what: "steps",
            ..Progress::default()
        });
        Ok(bits * share)
    };
    let plan = match Plan::lossless(weights) {
        Some(plan) => plan.or_zeros(weights, data_bits),
        None => Plan::minimise(weights, data_bits),
    };
    match plan {
        Ok(plan) => Ok(Some(plan)),
        Err(Ended::Stopped) => Ok(None),
        Err(Ended::Failed(error)) => Err(error.into()),
    }
}

enum Ended {
    Stopped,
    Failed(ScoreError),
}

/// The start of each sixteenth of the file.
fn sample(file: &mut (impl Read + Seek), length: u64) -> Result<Vec<u8>, PackError> {
    let mut sample = Vec::new();
    for i in 0..PIECES {
        file.seek(SeekFrom::Start(length / PIECES * i))
            .map_err(PackError::Read)?;
        let part = length.min(SAMPLE) / PIECES;
        file.take(part.max(1))
            .read_to_end(&mut sample)
            .map_err(PackError::Read)?;
    }
    Ok(sample)
}
