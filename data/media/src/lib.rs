//! Pictures and sounds as byte models see them, raw samples with nothing packed,
//! and back to files that open elsewhere.
//!
//! What lives here:
//!
//! - [`Geometry`]: how bytes lie, as rows of pixels or samples of sound. There is
//!   one such type; coders, maps and exports all go by it.
//! - [`Conversion`]: which geometry a file is to become. It decodes PNG, JPEG,
//!   WebP, PPM, WAV and FLAC ([`Conversion::convert`]), says what each file was
//!   ([`Item`]), and makes a file of its bytes again ([`Conversion::restore`]).
//! - [`view`]: any bytes as a PNG or WAV file, by the name of the file; [`Canvas`]
//!   places them as pixels.
//!
//! What does not: where files are found and sets are kept (`brevity-data`), coders
//! of pictures and sound (`brevity-baselines`).
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
