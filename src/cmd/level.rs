//! `-1`, `-5` and `-9`: how much work and memory context models take.

use crate::exit::Usage;
use brevity_codec::Level;

/// The level, as users of other compressors give it.
#[derive(clap::Args)]
#[group(multiple = false)]
pub struct LevelOptions {
    /// Fast, with up to 110 MiB of memory for a block of the default size, twice that
    /// while a second thread verifies
    #[arg(short = '1', long)]
    fast: bool,
    /// The default, with up to 330 MiB, or 660 while a second thread verifies
    #[arg(short = '5')]
    usual: bool,
    /// Best, with up to 940 MiB; a small neural network learns the bytes, too
    #[arg(short = '9', long)]
    best: bool,
    /// Other levels of other compressors
    #[arg(short = '2', short_aliases = ['3', '4', '6', '7', '8'], hide = true)]
    other: bool,
}

impl LevelOptions {
    /// Refuses levels that others have.
    ///
    /// # Errors
    /// [`Usage`], with the levels there are.
    pub fn check(&self) -> Result<(), Usage> {
        match self.other {
            true => Err(Usage("the levels are -1, -5 and -9".into())),
            false => Ok(()),
        }
    }

    /// The requested level.
    pub fn level(&self) -> Level {
        match (self.fast, self.best) {
            (true, _) => Level::Fast,
            (_, true) => Level::Best,
            _ => Level::Default,
        }
    }
}
