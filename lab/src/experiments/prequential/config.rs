//! The `[prequential]` table: options of the prequential code.

use brevity_model::Spec;
use brevity_train::online::OnlineConfig;
use serde::{Deserialize, Serialize};

/// The kind of prequential code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// One model that learns continually, with replay (Bornschein et al. 2022).
    #[default]
    Online,
    /// For each block, a model trained from scratch on all bytes before it (Blier &
    /// Ollivier 2018).
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
    /// The kind of code. Default `online`.
    pub mode: Mode,
    /// With `mode = "blocks"`, bytes of the first block, which is coded uniformly; each
    /// later block ends where the number of coded bytes has doubled. Default 4096.
    pub first_block: u64,
    /// Options of online learning. `mode = "blocks"` uses `lanes`, `window` and `floor`
    /// of them, as blocks are also priced window by window.
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
    /// Checks the fields, some of them against the model.
    ///
    /// # Errors
    /// The invalid key below `prequential`, and the reason.
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
