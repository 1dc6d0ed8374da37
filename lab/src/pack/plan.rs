//! The precision at which to store the model of an archive.

use brevity_codec::archive::Options;
use brevity_codec::weights::Plan;
use brevity_codec::{Method, ScoreError, score, score_beside};
use brevity_model::Weights;
use brevity_task::{Control, Progress};
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use super::PackError;
use super::contexts::contexts;

/// Limit on the bytes that the search prices.
const SAMPLE: u64 = 1 << 16;

/// Limit on the bytes that context models see for weights that were trained without them.
const SURVEYED: u64 = 1 << 22;

/// Pieces of the file that the sample is made of.
const PIECES: u64 = 16;

/// The storage plan that gives the shortest archive, with these options, of a file of
/// `length` bytes, estimated on a sample: by the code length of the mixture with context
/// models unless the method is the model alone, of the first block then, or its first
/// 4 MiB if the weights were not trained beside context models. Weights trained with
/// quantisation keep their own precision, or become zeros if they shorten nothing. `None` if a stop was requested.
///
/// # Errors
/// A file that cannot be read, a model whose output is not finite.
pub fn shortest_plan(
    weights: &Weights,
    file: &mut (impl Read + Seek),
    length: u64,
    options: &Options,
    control: &Control<'_>,
) -> Result<Option<Plan>, PackError> {
    let mixed = options.method.is_none_or(|method| method == Method::Mixed);
    let (sample, beside) = if mixed {
        // What context models say of a sample depends on all that is before it.
        let mut block = Vec::new();
        file.seek(SeekFrom::Start(0)).map_err(PackError::Read)?;
        let gated = weights.gates().is_some();
        let most = match gated {
            true => options.block as u64,
            false => SURVEYED.min(options.block as u64),
        };
        let read = file.take(most).read_to_end(&mut block);
        read.map_err(PackError::Read)?;
        let Some((contexts, _)) = contexts(&block, None, options, gated, control) else {
            return Ok(None);
        };
        let pieces = pieces(block.len() as u64);
        let pieces = pieces.map(|p| p.start as usize..(p.end as usize).min(block.len()));
        let pieces: Vec<_> = pieces.collect();
        let sample = pieces.iter().flat_map(|p| &block[p.clone()]).copied();
        (sample.collect(), Some(contexts.parts(pieces)))
    } else {
        (sample(file, length)?, None)
    };
    let share = length as f64 / sample.len().max(1) as f64;
    let mut done = 0;
    let data_bits = |weights: &Weights| {
        if control.stop.is_set() {
            return Err(Ended::Stopped);
        }
        let scored = match &beside {
            None => score(weights, &sample),
            Some(contexts) => score_beside(weights, &sample, contexts),
        };
        let bits = scored.map_err(Ended::Failed)?.bits;
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

/// The start of each sixteenth of `length` bytes; the last one may reach beyond.
fn pieces(length: u64) -> impl Iterator<Item = Range<u64>> {
    let part = (length.min(SAMPLE) / PIECES).max(1);
    (0..PIECES).map(move |i| length / PIECES * i..length / PIECES * i + part)
}

/// These pieces of the file.
fn sample(file: &mut (impl Read + Seek), length: u64) -> Result<Vec<u8>, PackError> {
    let mut sample = Vec::new();
    for piece in pieces(length) {
        file.seek(SeekFrom::Start(piece.start))
            .map_err(PackError::Read)?;
        file.take(piece.end - piece.start)
            .read_to_end(&mut sample)
            .map_err(PackError::Read)?;
    }
    Ok(sample)
}
