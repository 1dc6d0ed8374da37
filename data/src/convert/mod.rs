//! Pictures and sounds as byte models see them: raw samples, nothing packed.
//!
//! [`Conversion`] has the ways to lay them out. What a file was is kept beside
//! the bytes ([`Item`]), so that [`export`](crate::export()) can make a file of
//! them that opens elsewhere.

mod conversion;
mod item;
mod picture;
mod sound;

pub use conversion::Conversion;
pub use item::{Item, Picture, Shape, Sound};
pub use picture::{PATCH_HEIGHT, PATCH_WIDTH};
pub(crate) use picture::{join_patches, push_patches};
pub use sound::{Pcm16, Pcm16Blocks};
