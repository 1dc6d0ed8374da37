//! Converts pictures and sounds to the raw samples that byte models read, and
//! back to files that other programs open.
//!
//! What lives here:
//!
//! - [`Geometry`]: how bytes are laid out, as rows of pixels or samples of
//!   sound. Coders, maps and exports all use this one type.
//! - [`Conversion`]: the format that a file is converted to. It decodes PNG,
//!   JPEG, WebP, PPM, WAV and FLAC ([`Conversion::convert`]), describes each
//!   file ([`Item`]), and turns bytes back into a file
//!   ([`Conversion::restore`]).
//! - [`view`]: shows any bytes as a PNG or WAV file; the extension of the
//!   file's name decides which. [`Canvas`] arranges bytes as pixels.
//!
//! What lives elsewhere: finding files and keeping sets (`brevity-data`), and
//! coders of pictures and sound (`brevity-baselines`).
//!
//! ```
//! use brevity_media::{Conversion, Geometry};
//!
//! let ppm = b"P6 2 1 255\n\x01\x02\x03\x04\x05\x06";
//! let mut bytes = Vec::new();
//! let item = Conversion::Rgb.convert("two.ppm", &mut &ppm[..], &mut bytes)?;
//! assert_eq!(bytes, [1, 2, 3, 4, 5, 6]);
//! let geometry = Conversion::Rgb.geometry(item.shape());
//! assert_eq!(geometry, Some(Geometry::Rgb { width: 2 }));
//! # Ok::<(), brevity_media::MediaError>(())
//! ```

mod conversion;
mod convert;
mod error;
mod geometry;
mod item;
mod picture;
mod recognise;
mod sound;
pub mod view;

pub use conversion::Conversion;
pub use error::{MediaError, Result};
pub use geometry::{Geometry, GeometryError};
pub use item::{Item, Picture, Shape, Sound};
pub use picture::{Canvas, PATCH_HEIGHT, PATCH_WIDTH, encode_png, push_patches};
pub use recognise::{HEAD_BYTES, Kind, recognise};
pub use sound::{Pcm16, Pcm16Blocks, wav};
