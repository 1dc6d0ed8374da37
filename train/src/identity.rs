//! The identity of a run: everything that determines its result.

use crate::recipe::TrainConfig;
use brevity_codec::Contexts;
use brevity_model::Spec;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Everything that determines the weights of a run, except the version of the program.
/// A checkpoint is resumed only by a run with the same identity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunIdentity {
    model: Spec,
    train: TrainConfig,
    seed: u64,
    data: Fingerprint,
    /// The level of the context models that the model was trained beside, and their
    /// logits: other bits of these are another run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    beside: Option<Beside>,
}

/// What a run trains beside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Beside {
    level: u8,
    blake3: String,
}

/// Length and hash of the bytes that a run trains on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Fingerprint {
    bytes: u64,
    blake3: String,
}

/// One key in which two runs differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its dotted name.
    pub key: String,
    /// Its value in the stored identity.
    pub there: String,
    /// Its value in this run.
    pub here: String,
}

impl RunIdentity {
    pub(crate) fn new(
        spec: &Spec,
        config: &TrainConfig,
        seed: u64,
        bytes: usize,
        blake3: String,
        beside: Option<&Contexts>,
    ) -> RunIdentity {
        RunIdentity {
            model: spec.clone(),
            train: config.identity(),
            seed,
            data: Fingerprint {
                bytes: bytes as u64,
                blake3,
            },
            beside: beside.map(|contexts| Beside {
                level: contexts.level().number(),
                blake3: contexts.hash().to_string(),
            }),
        }
    }

    /// The identity as indented JSON.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("an identity is plain data")
    }

    /// The first key whose value differs in `written`, the JSON of another run.
    /// Text that is not JSON differs in every key.
    pub fn difference_to(&self, written: &[u8]) -> Option<Difference> {
        self.difference(&serde_json::from_slice(written).unwrap_or_default())
    }

    pub(crate) fn difference(&self, there: &Value) -> Option<Difference> {
        let here = serde_json::to_value(self).expect("an identity is plain data");
        difference("", there, &here)
    }
}

fn difference(name: &str, there: &Value, here: &Value) -> Option<Difference> {
    match (there, here) {
        (Value::Object(a), Value::Object(b)) => a.keys().chain(b.keys()).find_map(|key| {
            let name = match name {
                "" => key.clone(),
                name => format!("{name}.{key}"),
            };
            let [there, here] = [a, b].map(|map| map.get(key).unwrap_or(&Value::Null));
            difference(&name, there, here)
        }),
        _ if there == here => None,
        _ => {
            let show = |value: &Value| match value {
                Value::Null => "not set".into(),
                value => value.to_string(),
            };
            Some(Difference {
                key: name.into(),
                there: show(there),
                here: show(here),
            })
        }
    }
}
