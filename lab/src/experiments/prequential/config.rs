//! The `[prequential]` table: how bytes are learned while they are priced.

use brevity_model::Spec;
use brevity_train::online::OnlineConfig;
use serde::{Deserialize, Serialize};

/// Which prequential code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// One model that learns on and on, with replay (Bornschein et al. 2022).
    #[default]
    Online,
    /// A model from scratch for each block, trained on all bytes before it
    /// (Blier & Ollivier 2018).
    Blocks,
}

impl Mode {
    /// The name in configs and results.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Online => "online",
            Mode::Blocks => "blocks",
        }
    }
}

/// The `[prequential]` table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrequentialConfig {
    /// Which code. Default `online`.
    pub mode: Mode,
    /// With `mode = "blocks"`, bytes of the first block, which is priced
    /// uniformly; each further block ends where twice as many bytes are coded.
    /// Default 4096.
    pub first_block: u64,
    /// How bytes go by. With `mode = "blocks"`, of this count `lanes`, `window`
    /// and `floor`: blocks are priced window by window too.
    pub online: OnlineConfig,
}

impl Default for PrequentialConfig {
    fn default() -> PrequentialConfig {
        PrequentialConfig {
            mode: Mode::Online,
            first_block: 4096,
            online: OnlineConfig::default(),
        }
    }
}

impl PrequentialConfig {
    /// Checks the fields, against the model where they depend on it.
    ///
    /// # Errors
    /// The key below `prequential` that makes no sense, and why.
    pub fn validate(&self, spec: &Spec) -> Result<(), (String, String)> {
        let context = spec.context as u64;
        if self.mode == Mode::Blocks && self.first_block < context {
            let first = self.first_block;
            let message = format!("{first} is less than the context {context}");
            return Err(("first_block".into(), message));
        }
        self.online
            .validate(spec)
            .map_err(|(field, reason)| (format!("online.{field}"), reason))
    }
}
