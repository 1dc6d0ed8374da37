//! Two short trainings that say what kind of bytes a file has.

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

/// Most sequences that are held out.
const PRICED: usize = 512;

/// Bytes that both train on.
pub const PILOT_BYTES: u64 = WIDTHS.len() as u64 * STEPS * BATCH;

/// Bits per byte that two small models make of sequences held out of their short
/// training on `data`, the smaller model first. Some seconds on two cores. `None` if
/// told to stop.
///
/// The sequences are held out because a few thousand bytes can be learned by heart,
/// random ones too.
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

/// Removes a pilot's folder: it is trained anew sooner than it is told from one of
/// other data.
fn forget(folder: &Path) -> Result<(), PackError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(workspace::io("remove", folder)(error))
        }
        _ => Ok(()),
    }
}

/// The data without some sequences spread evenly over them, and these.
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
