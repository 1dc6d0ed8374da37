//! PNG to grey patches.

use std::io::{Cursor, Read, Write};

use crate::error::{DataError, Result};

/// Columns of a patch.
pub const PATCH_WIDTH: usize = 64;
/// Rows of a patch.
pub const PATCH_HEIGHT: usize = 32;

/// See [`Conversion::GrayPatches`](super::Conversion::GrayPatches). One picture
/// is held in memory at a time.
pub(super) fn convert(name: &str, input: &mut dyn Read, out: &mut dyn Write) -> Result<()> {
    let mut file = Vec::new();
    input
        .read_to_end(&mut file)
        .map_err(DataError::io("read", name))?;
    let bad = |e: png::DecodingError| DataError::Decode {
        path: name.into(),
        message: format!("not a readable PNG: {e}"),
    };
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(bad)?;
    let size = reader
        .output_buffer_size()
        .ok_or_else(|| DataError::Decode {
            path: name.into(),
            message: "the picture does not fit in memory".into(),
        })?;
    let mut pixels = vec![0; size];
    let info = reader.next_frame(&mut pixels).map_err(bad)?;
    let (width, height) = (info.width as usize, info.height as usize);
    if width < PATCH_WIDTH || height < PATCH_HEIGHT {
        return Err(DataError::Decode {
            path: name.into(),
            message: format!(
                "{width}x{height} is smaller than a patch of {PATCH_WIDTH}x{PATCH_HEIGHT}"
            ),
        });
    }
    let channels = info.color_type.samples();
    let grey: Vec<u8> = pixels[..width * height * channels]
        .chunks_exact(channels)
        .map(|pixel| match pixel {
            [r, g, b, ..] => ((u16::from(*r) + u16::from(*g) + u16::from(*b)) / 3) as u8,
            _ => pixel[0],
        })
        .collect();
    let mut patches = Vec::with_capacity(grey.len());
    push_patches(&grey, width, height, &mut patches);
    out.write_all(&patches)
        .map_err(DataError::io("write the patches of", name))
}

/// Appends the whole patches of a grey picture `[height, width]`.
pub(crate) fn push_patches(grey: &[u8], width: usize, height: usize, out: &mut Vec<u8>) {
    for top in (0..height / PATCH_HEIGHT).map(|i| i * PATCH_HEIGHT) {
        for left in (0..width / PATCH_WIDTH).map(|i| i * PATCH_WIDTH) {
            for row in top..top + PATCH_HEIGHT {
                let start = row * width + left;
                out.extend_from_slice(&grey[start..start + PATCH_WIDTH]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32, color: png::ColorType, pixels: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(color);
        encoder
            .write_header()
            .unwrap()
            .write_image_data(pixels)
            .unwrap();
        file
    }

    #[test]
    fn grey_is_the_truncated_mean_and_edges_are_dropped() {
        // 70x33: one patch. Pixel (x, y) is (x, y, 1).
        let pixels: Vec<u8> = (0..33u8)
            .flat_map(|y| (0..70u8).flat_map(move |x| [x, y, 1]))
            .collect();
        let mut out = Vec::new();
        convert(
            "a.png",
            &mut &png(70, 33, png::ColorType::Rgb, &pixels)[..],
            &mut out,
        )
        .unwrap();
        assert_eq!(out.len(), 2048);
        assert_eq!(out[0], 0); // (0 + 0 + 1) / 3
        assert_eq!(out[64 * 31 + 63], ((63 + 31 + 1) / 3) as u8);
    }

    #[test]
    fn patches_go_left_to_right_then_down() {
        let pixels: Vec<u8> = (0..64)
            .flat_map(|y| (0..128).map(move |x| (x / 64 + 2 * (y / 32)) as u8))
            .collect();
        let mut out = Vec::new();
        convert(
            "a.png",
            &mut &png(128, 64, png::ColorType::Grayscale, &pixels)[..],
            &mut out,
        )
        .unwrap();
        let order: Vec<u8> = out.chunks_exact(2048).map(|patch| patch[0]).collect();
        assert_eq!(order, [0, 1, 2, 3]);
        assert!(
            out.chunks_exact(2048)
                .all(|patch| patch.iter().all(|v| v == &patch[0]))
        );
    }

    #[test]
    fn foreign_truncated_and_tiny_files_are_named() {
        let whole = png(64, 32, png::ColorType::Grayscale, &[9; 2048]);
        let tiny = png(8, 8, png::ColorType::Grayscale, &[9; 64]);
        for file in [&b"GIF89a"[..], &whole[..whole.len() / 2], &tiny, b""] {
            let error = convert("x.png", &mut &file[..], &mut Vec::new()).unwrap_err();
            assert!(error.to_string().contains("x.png"), "{error}");
        }
    }
}
