//! Converts pictures to bytes. Only one picture is in memory at a time;
//! pictures of more than [`MOST_PIXELS`] pixels are refused.

mod canvas;
mod decode;
mod decode_png;
mod decode_webp;
mod jpeg;
mod patches;
mod pixels;
mod ppm;

use std::io::{Read, Write};

use crate::conversion::Conversion;
use crate::error::{MediaError, Result, bad};
use crate::item::Picture;

pub use canvas::{Canvas, encode_png};
pub use patches::{PATCH_HEIGHT, PATCH_WIDTH, push_patches};

/// Extensions of file names that mark a picture.
pub(super) const EXTENSIONS: [&str; 10] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "webp", "ppm", "pgm", "pnm", "apng",
];

/// Pixels of the largest picture that is decoded: 8192x8192.
pub(super) const MOST_PIXELS: u64 = 1 << 26;

/// Bytes of the largest picture file that is read.
const MOST_BYTES: u64 = 1 << 29;

/// A decoded picture: `pixels` is `[height, width, channels]`, 8 bits per sample,
/// with 1 channel (grey) or 3 (red, green, blue).
struct Pixels {
    shape: Picture,
    pixels: Vec<u8>,
}

/// See [`Conversion`].
pub(super) fn convert(
    conversion: Conversion,
    name: &str,
    input: &mut dyn Read,
    out: &mut dyn Write,
) -> Result<Picture> {
    let mut file = Vec::new();
    input
        .take(MOST_BYTES + 1)
        .read_to_end(&mut file)
        .map_err(MediaError::io("read", name))?;
    if file.len() as u64 > MOST_BYTES {
        return Err(bad(name, format!("larger than {MOST_BYTES} bytes")));
    }
    let Pixels { shape, pixels } = decode::decode(name, file)?;
    let bytes = match (conversion, shape.channels) {
        (Conversion::GrayPatches, channels) => patches(name, shape, &grey(pixels, channels))?,
        (Conversion::RgbPlanar, 1) => pixels.repeat(3),
        (Conversion::RgbPlanar, _) => (0..3)
            .flat_map(|channel| pixels.iter().skip(channel).step_by(3))
            .copied()
            .collect(),
        (_, 1) => pixels.iter().flat_map(|&value| [value; 3]).collect(),
        _ => pixels,
    };
    out.write_all(&bytes)
        .map_err(MediaError::io("write the pixels of", name))?;
    Ok(shape)
}

/// The truncated mean of red, green and blue.
fn grey(pixels: Vec<u8>, channels: u8) -> Vec<u8> {
    if channels == 1 {
        return pixels;
    }
    pixels
        .chunks_exact(3)
        .map(|pixel| (pixel.iter().map(|&v| u16::from(v)).sum::<u16>() / 3) as u8)
        .collect()
}

fn patches(name: &str, shape: Picture, grey: &[u8]) -> Result<Vec<u8>> {
    let (width, height) = (shape.width as usize, shape.height as usize);
    if width < PATCH_WIDTH || height < PATCH_HEIGHT {
        let message =
            format!("{width}x{height} is smaller than a patch of {PATCH_WIDTH}x{PATCH_HEIGHT}");
        return Err(bad(name, message));
    }
    let mut patches = Vec::with_capacity(grey.len());
    push_patches(grey, width, height, &mut patches);
    Ok(patches)
}

/// Refuses pictures without pixels and decompression bombs, before anything is
/// allocated for them.
fn check_size(name: &str, width: u64, height: u64) -> Result<()> {
    if width == 0 || height == 0 {
        return Err(bad(name, format!("{width}x{height} has no pixels")));
    }
    if width.saturating_mul(height) > MOST_PIXELS {
        let message = format!("{width}x{height} is more than {MOST_PIXELS} pixels; cut it first");
        return Err(bad(name, message));
    }
    Ok(())
}

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;
