//! Checkpoints: a run's state on disk, written atomically and restored exactly.
//!
//! One file, `checkpoint/state.bin`, little endian:
//!
//! ```text
//! magic     8 bytes, "BRVCKPT1"
//! header    u32 length, then JSON: spec, config, seed, data, step, totals,
//!           numbers of the quantiser's steps (if any)
//! values    f32: parameters, first moments, second moments, average (if any),
//!           mean squares of gradients (if weights are to be quantised), gates of the
//!           mixture and their moments (if there are context models beside)
//! hash      32 bytes, BLAKE3 of everything before
//! ```

use crate::gates::Gates;
use crate::identity::{Difference, RunIdentity};
use crate::optimizer::Optimizer;
use crate::parameters::Parameters;
use crate::quantise::Quantiser;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"BRVCKPT1";

/// The checkpoint's folder within a run's folder.
const FOLDER: &str = "checkpoint";

/// Position of a run, and its sums for the next line of metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Steps done.
    pub step: u64,
    /// Mean loss of a step in nats, summed over the steps since the last line of
    /// metrics.
    pub nats: f64,
    /// Number of these steps.
    pub nats_steps: u64,
    /// Mean loss of the last step in nats.
    pub last_nats: f64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    identity: RunIdentity,
    position: Position,
    parameters: u64,
    average: bool,
    #[serde(default)]
    steps: Vec<u8>,
}

/// Why a checkpoint cannot be written or resumed.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file cannot be read or written.
    #[error("cannot write {path}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Not a checkpoint, or a damaged one.
    #[error("{path} is not a checkpoint of this program: {reason}; delete it to start again", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A checkpoint of another run.
    #[error(
        "{path} belongs to another run: `{key}` is {there} there and {here} here; \
         change it back, or delete the checkpoint to start again",
        path = path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The first key that differs.
        key: String,
        /// Its value in the checkpoint.
        there: String,
        /// Its value in this run.
        here: String,
    },
}

/// Path of the checkpoint of the run in `folder`.
pub fn checkpoint_path(folder: &Path) -> PathBuf {
    folder.join(FOLDER).join("state.bin")
}

/// Writes the state of a run; the previous checkpoint is replaced only when this one
/// is complete.
pub(crate) fn save(
    folder: &Path,
    identity: &RunIdentity,
    position: Position,
    parameters: &Parameters,
    optimizer: &Optimizer,
    quantiser: &Quantiser,
    gates: Option<&Gates>,
) -> Result<(), CheckpointError> {
    let path = checkpoint_path(folder);
    let header = Header {
        identity: identity.clone(),
        position,
        parameters: parameters.values.len() as u64,
        average: !optimizer.average.is_empty(),
        steps: quantiser.steps.clone(),
    };
    let header = serde_json::to_vec(&header).expect("a header is plain data");
    let mut bytes = Vec::with_capacity(header.len() + 16 * parameters.values.len() + 44);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&header);
    for values in [
        &parameters.values[..],
        &optimizer.first,
        &optimizer.second,
        &optimizer.average,
        &quantiser.squares,
        gates.map_or(&[][..], Gates::state),
    ] {
        bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    }
    let hash = blake3::hash(&bytes);
    bytes.extend_from_slice(hash.as_bytes());
    fs::create_dir_all(folder.join(FOLDER))
        .and_then(|()| brevity_files::write(&path, &bytes))
        .map_err(|source| CheckpointError::Io { path, source })
}

/// Removes the checkpoint of a finished run.
pub(crate) fn remove(folder: &Path) -> Result<(), CheckpointError> {
    let path = checkpoint_path(folder);
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(CheckpointError::Io { path, source })
        }
        _ => {
            // Fails if the folder holds other files, which must stay.
            let _ = fs::remove_dir(folder.join(FOLDER));
            Ok(())
        }
    }
}

/// Reads the checkpoint in `folder`, if there is one, into `parameters`, `optimizer`,
/// `quantiser` and `gates`; refuses one of another run than `identity`.
pub(crate) fn load(
    folder: &Path,
    identity: &RunIdentity,
    parameters: &mut Parameters,
    optimizer: &mut Optimizer,
    quantiser: &mut Quantiser,
    gates: &mut Option<Gates>,
) -> Result<Option<Position>, CheckpointError> {
    let path = checkpoint_path(folder);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(CheckpointError::Io { path, source }),
    };
    let damaged = |reason: &str| CheckpointError::Damaged {
        path: path.clone(),
        reason: reason.into(),
    };
    let Some((content, hash)) = bytes.split_last_chunk::<32>() else {
        return Err(damaged("it is too short"));
    };
    let Some(rest) = content.strip_prefix(MAGIC) else {
        return Err(damaged("it does not begin with the magic bytes"));
    };
    if blake3::hash(content).as_bytes() != hash {
        return Err(damaged(
            "its hash does not match: it was truncated or changed",
        ));
    }
    let Some((length, rest)) = rest.split_first_chunk::<4>() else {
        return Err(damaged("it has no header"));
    };
    let length = u32::from_le_bytes(*length) as usize;
    let Some((header, values)) = rest.split_at_checked(length) else {
        return Err(damaged("its header is too long"));
    };
    let header: Value =
        serde_json::from_slice(header).map_err(|e| damaged(&format!("its header: {e}")))?;
    if let Some(Difference { key, there, here }) = identity.difference(&header["identity"]) {
        return Err(CheckpointError::Foreign {
            path,
            key,
            there,
            here,
        });
    }
    let header: Header =
        serde_json::from_value(header).map_err(|e| damaged(&format!("its header: {e}")))?;
    let targets = [
        &mut parameters.values[..],
        &mut optimizer.first,
        &mut optimizer.second,
        &mut optimizer.average,
        &mut quantiser.squares,
        gates.as_mut().map_or(&mut [], Gates::state_mut),
    ];
    let expected: usize = targets.iter().map(|t| t.len()).sum();
    if values.len() != 4 * expected {
        return Err(damaged("it has the wrong number of values"));
    }
    let mut values = values.chunks_exact(4);
    for target in targets {
        for (value, bytes) in target.iter_mut().zip(&mut values) {
            *value = f32::from_le_bytes(bytes.try_into().expect("four bytes"));
        }
    }
    quantiser.steps = header.steps;
    Ok(Some(header.position))
}
