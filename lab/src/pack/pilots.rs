//! Pilots: two short trainings that measure how compressible a file is.

use super::{CONTEXT, PackError, Workspace, workspace};
use brevity_model::Spec;
use brevity_task::{Control, Progress};
use brevity_train::DeviceKind;
use brevity_train::Outcome;
use brevity_train::TrainConfig;
use brevity_train::TrainError;
use brevity_train::TrainSetup;
use std::fs;
use std::io;
use std::path::Path;

/// Widths of the two models: 4 and 20 thousand parameters.
const WIDTHS: [usize; 2] = [8, 24];

const STEPS: u64 = 1000;
const BATCH: u64 = 2048;

/// Limit on the number of held-out sequences.
const PRICED: usize = 512;

/// Bytes that both pilots train on together.
pub const PILOT_BYTES: u64 = WIDTHS.len() as u64 * STEPS * BATCH;

/// Bits per byte of two small models, trained briefly on `data`, on sequences held out
/// of the training; the smaller model first. Takes some seconds on two cores. `None` if
/// a stop was requested.
///
/// The sequences are held out because a model can memorise a few thousand bytes, even
/// random ones.
///
/// # Errors
/// Data shorter than two sequences of 256 bytes, a training that fails, a folder that
/// cannot be written.
pub fn pilots(
    data: &[u8],
    place: &Workspace,
    control: &Control<'_>,
) -> Result<Option<[f64; 2]>, PackError> {
    let (data, held_out) = split(data);
    let mut bits = [0.0; 2];
    let mut done = 0;
    for (width, bits) in WIDTHS.into_iter().zip(&mut bits) {
        let setup = TrainSetup {
            spec: Spec::aspect(width, CONTEXT),
            config: TrainConfig {
                steps: Some(STEPS),
                batch_bytes: BATCH,
                ..TrainConfig::default()
            },
            seed: 0,
            device: DeviceKind::Flex,
            beside: None,
        };
        let progress = |at: Progress<'_>| {
            control.tell(Progress {
                bytes: done + at.bytes,
                ..at
            });
        };
        let control = Control {
            stop: control.stop,
            progress: &progress,
        };
        let folder = place.folder().join(format!("pilot-{width}"));
        forget(&folder)?;
        match brevity_train::run(&setup, &data, &folder, &control)? {
            Outcome::Finished { weights, .. } => {
                *bits = brevity_train::evaluate(&weights, setup.device, &held_out)
                    .map_err(TrainError::from)?;
            }
            Outcome::Interrupted { .. } => return Ok(None),
        }
        forget(&folder)?;
        done += STEPS * BATCH;
    }
    Ok(Some(bits))
}

/// Removes a pilot's folder. Training the pilot again is quicker than checking whether
/// the folder belongs to the same data.
fn forget(folder: &Path) -> Result<(), PackError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(workspace::io("remove", folder)(error))
        }
        _ => Ok(()),
    }
}

/// Splits off held-out sequences, spread evenly over the data: training bytes, held-out
/// bytes.
fn split(data: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let sequences = data.len() / CONTEXT;
    let step = sequences.div_ceil(PRICED).max(8);
    let (mut kept, mut priced) = (Vec::new(), Vec::new());
    for (i, sequence) in data.chunks_exact(CONTEXT).enumerate() {
        match i % step {
            0 => priced.extend_from_slice(sequence),
            _ => kept.extend_from_slice(sequence),
        }
    }
    (kept, priced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_out_sequences_are_not_trained_on() {
        for sequences in [2, 9, 5000] {
            let data: Vec<u8> = (0..sequences * CONTEXT + 7)
                .map(|i| (i / CONTEXT % 251) as u8)
                .collect();
            let (kept, priced) = split(&data);
            assert_eq!(kept.len() + priced.len(), sequences * CONTEXT);
            assert!(!kept.is_empty() && (1..=PRICED).contains(&(priced.len() / CONTEXT)));
            assert_eq!(priced[..CONTEXT], data[..CONTEXT]);
            assert_eq!(kept[0], 1);
        }
    }
}
