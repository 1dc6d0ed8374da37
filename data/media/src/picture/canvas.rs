//! Arranges bytes as the pixels of a picture.

use std::io;

use super::{PATCH_HEIGHT, PATCH_WIDTH};
use crate::geometry::Geometry;

/// The order of the bytes of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Row by row, the channels of a pixel side by side.
    Rows,
    /// Patch by patch, with `across` patches side by side.
    Patches { across: usize },
    /// Plane by plane, each of `plane` pixels; three planes make a picture, and
    /// pictures are placed one below the other.
    Planes { plane: usize },
}

/// The position of each byte in a picture, and the size of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canvas {
    /// Pixels of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Bytes of a pixel: 1 for grey, 3 for colours.
    pub channels: usize,
    order: Order,
    /// Bytes of the first unit that precede the given bytes.
    skipped: usize,
}

impl Canvas {
    /// The picture of `len` bytes that begin at `offset` of data with this
    /// geometry; `None` for a geometry of sound.
    pub fn new(geometry: Geometry, offset: u64, len: usize) -> Option<Self> {
        let unit = match geometry {
            Geometry::Gray { width } => width,
            Geometry::Rgb { width } => 3 * width,
            _ if geometry.is_picture() => geometry.unit(),
            _ => return None,
        };
        // A damaged record may say that a row has no pixels.
        let unit = unit.max(1);
        let skipped = (offset % unit as u64) as usize;
        let units = (skipped + len).div_ceil(unit).max(1);
        let (width, height, order) = match geometry {
            Geometry::Patches { across } => {
                // Patches are twice as wide as high.
                let square = ((units as f64 / 2.0).sqrt().ceil() as usize).max(1);
                let across = across.unwrap_or(square).clamp(1, units);
                let down = units.div_ceil(across);
                (
                    across * PATCH_WIDTH,
                    down * PATCH_HEIGHT,
                    Order::Patches { across },
                )
            }
            Geometry::RgbPlanar { width, height } => {
                let plane = width * height;
                (width, units * height, Order::Planes { plane })
            }
            Geometry::Gray { width } | Geometry::Rgb { width } => (width, units, Order::Rows),
            Geometry::Pcm8 { .. } | Geometry::Pcm16 { .. } => return None,
        };
        Some(Self {
            width,
            height,
            channels: geometry.frame(),
            order,
            skipped,
        })
    }

    /// The pixel of byte `index`, counted row by row, and the channel.
    pub fn place(&self, index: usize) -> (usize, usize) {
        let at = self.skipped + index;
        match self.order {
            Order::Rows => (at / self.channels, at % self.channels),
            Order::Planes { plane } => {
                let (picture, inside) = (at / (3 * plane), at % (3 * plane));
                (picture * plane + inside % plane, inside / plane)
            }
            Order::Patches { across } => {
                let size = PATCH_WIDTH * PATCH_HEIGHT;
                let (patch, inside) = (at / size, at % size);
                let row = patch / across * PATCH_HEIGHT + inside / PATCH_WIDTH;
                let column = patch % across * PATCH_WIDTH + inside % PATCH_WIDTH;
                (row * self.width + column, 0)
            }
        }
    }

    /// The bytes as pixels, `[height, width, channels]`. Places without a byte
    /// are 0.
    pub fn pixels(&self, bytes: &[u8]) -> Vec<u8> {
        let mut pixels = vec![0; self.width * self.height * self.channels];
        if self.order == Order::Rows {
            pixels[self.skipped..][..bytes.len()].copy_from_slice(bytes);
            return pixels;
        }
        for (index, &byte) in bytes.iter().enumerate() {
            let (pixel, channel) = self.place(index);
            pixels[pixel * self.channels + channel] = byte;
        }
        pixels
    }

    /// The bytes as a PNG file.
    ///
    /// # Errors
    /// If the picture is larger than PNG allows.
    pub fn png(&self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let color = match self.channels {
            1 => png::ColorType::Grayscale,
            _ => png::ColorType::Rgb,
        };
        encode_png(self.width, self.height, color, &self.pixels(bytes))
    }
}

/// A PNG file of 8-bit samples.
///
/// # Errors
/// If the picture is larger than PNG allows, or the number of pixels does not
/// match its size.
pub fn encode_png(
    width: usize,
    height: usize,
    color: png::ColorType,
    pixels: &[u8],
) -> io::Result<Vec<u8>> {
    let size = |n: usize| u32::try_from(n).map_err(io::Error::other);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, size(width)?, size(height)?);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_lie_as_they_were_cut() {
        // 128x64 pixels, cut into four patches.
        let (width, height) = (128, 64);
        let at = |x: usize, y: usize| (x * 3 + y * 7) as u8;
        let mut bytes = Vec::new();
        for (top, left) in [(0, 0), (0, 64), (32, 0), (32, 64)] {
            for y in top..top + 32 {
                bytes.extend((left..left + 64).map(|x| at(x, y)));
            }
        }
        let geometry = Geometry::Patches { across: Some(2) };
        let picture = Canvas::new(geometry, 0, bytes.len()).unwrap();
        assert_eq!((picture.width, picture.height), (width, height));
        let whole: Vec<u8> = (0..height)
            .flat_map(|y| (0..width).map(move |x| at(x, y)))
            .collect();
        assert_eq!(picture.pixels(&bytes), whole);
        // The place before a piece from the middle stays empty.
        let picture = Canvas::new(Geometry::PATCHES, 2048 + 64, 64).unwrap();
        assert_eq!((picture.width, picture.height), (64, 32));
        let pixels = picture.pixels(&[9; 64]);
        assert!(pixels[..64].iter().all(|&v| v == 0) && pixels[64..128].iter().all(|&v| v == 9));
    }

    #[test]
    fn colours_stay_together() {
        let picture = Canvas::new(Geometry::Rgb { width: 2 }, 0, 7).unwrap();
        assert_eq!((picture.width, picture.height), (2, 2));
        assert_eq!(picture.place(4), (1, 1));
        assert_eq!(
            picture.pixels(&[1, 2, 3, 4, 5, 6, 7]),
            [1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0, 0]
        );
        assert_eq!(Canvas::new(Geometry::SPEECH, 0, 7), None);
    }

    #[test]
    fn planes_become_pixels_of_one_picture_after_another() {
        let geometry = Geometry::RgbPlanar {
            width: 2,
            height: 1,
        };
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8];
        let canvas = Canvas::new(geometry, 0, 8).unwrap();
        assert_eq!((canvas.width, canvas.height), (2, 2));
        assert_eq!(canvas.pixels(&bytes), [1, 3, 5, 2, 4, 6, 7, 0, 0, 8, 0, 0]);
    }
}
