//! The size of a block and of what its decoder builds.

use crate::block::Method;
use crate::cm;

/// The fields of a block that say what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub method: Method,
    pub lanes_log2: u32,
    /// Bytes of the original.
    pub raw: usize,
    /// Bytes of the payload.
    pub stored: usize,
    pub models: Option<cm::Models>,
}
