//! `-1`, `-5` and `-9`: how much work and memory context models take.

use brevity_codec::Level;

/// The level, as users of other compressors give it.
#[derive(clap::Args)]
#[group(multiple = false)]
pub struct LevelOptions {
    /// Fast, with up to 110 MiB of memory for a block of the default size
    #[arg(short = '1', long)]
    fast: bool,
    /// The default, with up to 330 MiB
    #[arg(short = '5')]
    usual: bool,
    /// Best, with up to 930 MiB
    #[arg(short = '9', long)]
    best: bool,
}

impl LevelOptions {
    /// The requested level.
    pub fn level(&self) -> Level {
        match (self.fast, self.best) {
            (true, _) => Level::Fast,
            (_, true) => Level::Best,
            _ => Level::Default,
        }
    }
}
