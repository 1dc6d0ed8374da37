//! Why an archive cannot be made or read.

use crate::frequencies::NonFinite;
use crate::price::PriceError;
use brevity_codec::archive::ENGINE;

/// An archive that cannot be made or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// Not an archive of a token model.
    #[error("not an archive made with a pretrained model")]
    Magic,
    /// A version that we do not know.
    #[error("version {0} of the format is not known: a newer program made this archive")]
    Version(u8),
    /// The header ends early or has an impossible value.
    #[error("the archive's header is damaged: {0}")]
    Header(&'static str),
    /// Mixed with context models of another numeric engine.
    #[error(
        "the archive needs numeric engine {0} of the context models, this program has {ENGINE}: \
         decompress it with the version that made it"
    )]
    Engine(u8),
    /// Made with another model.
    #[error(
        "the archive needs the model whose hash begins with {needed:06x}, this one has {got:06x}"
    )]
    OtherModel {
        /// The first bytes of the hash of the model that made it.
        needed: u32,
        /// Of the model at hand.
        got: u32,
    },
    /// More than the caller allows.
    #[error("{what} of {needed} bytes, more than the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// What the archive asks for.
        needed: u64,
        /// What is allowed.
        limit: u64,
    },
    /// The stream does not decode.
    #[error("the archive is damaged")]
    Damaged,
    /// The content is not what was compressed.
    #[error("the content does not match its checksum: the archive is damaged")]
    Checksum,
    /// The model has no finite logits.
    #[error(transparent)]
    NonFinite(#[from] NonFinite),
    /// The same, while compressing, or a stop.
    #[error(transparent)]
    Price(#[from] PriceError),
    /// The caller asked for it, while decompressing.
    #[error("stopped")]
    Stopped,
    /// Lanes, or a form, that cannot be mixed with context models.
    #[error("only a single lane of bytes as they are can be mixed with context models")]
    Mixed,
    /// Settings that do not fit the model.
    #[error("contexts of {tokens} tokens, but the model has {context} positions")]
    Context {
        /// What was asked for.
        tokens: usize,
        /// What there is.
        context: usize,
    },
}
