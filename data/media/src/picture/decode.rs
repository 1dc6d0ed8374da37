//! PNG and WebP to pixels, each by a decoder in safe Rust; JPEG and PPM have files of
//! their own.

use std::fmt::Display;
use std::io::Cursor;

use super::{MOST_PIXELS, Pixels, bad, check_size, jpeg, ppm};
use crate::error::{MediaError, Result};
use crate::item::Picture;

/// Decodes a picture of whichever format its first bytes say.
pub(super) fn decode(name: &str, file: Vec<u8>) -> Result<Pixels> {
    match &file[..] {
        [] => Err(bad(name, "the file is empty")),
        [0x89, b'P', b'N', b'G', ..] => png(name, file),
        [0xFF, 0xD8, 0xFF, ..] => jpeg::decode(name, file),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => webp(name, file),
        [b'P', b'1'..=b'7', ..] => ppm::decode(name, &file),
        _ => Err(bad(
            name,
            "not a PNG, JPEG, WebP or PPM file, whatever it is called",
        )),
    }
}

pub(super) fn picture(width: usize, height: usize, channels: usize, pixels: Vec<u8>) -> Pixels {
    Pixels {
        // Both sides were checked to have few pixels.
        shape: Picture {
            width: width as u32,
            height: height as u32,
            channels: channels as u8,
        },
        pixels,
    }
}

pub(super) fn failed<E: Display>(name: &str, format: &'static str) -> impl Fn(E) -> MediaError {
    move |error| bad(name, format!("not a readable {format}: {error}"))
}

fn png(name: &str, file: Vec<u8>) -> Result<Pixels> {
    check_chunks(name, &file)?;
    let failed = failed(name, "PNG");
    // Ancillary chunks are compressed too; no picture needs more than this.
    let limits = png::Limits { bytes: 1 << 26 };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(file), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    decoder.ignore_checksums(false);
    let header = decoder.read_header_info().map_err(&failed)?;
    check_size(name, header.width.into(), header.height.into())?;
    // The rows of the largest picture, 4 samples of 16 bits a pixel.
    decoder.set_limits(png::Limits {
        bytes: MOST_PIXELS as usize * 8,
    });
    let mut reader = decoder.read_info().map_err(&failed)?;
    let size = reader
        .output_buffer_size()
        .ok_or_else(|| bad(name, "the picture does not fit in memory"))?;
    let mut pixels = vec![0; size];
    let info = reader.next_frame(&mut pixels).map_err(&failed)?;
    // The checksum of the pixels lies behind them.
    reader.finish().map_err(&failed)?;
    pixels.truncate(info.buffer_size());
    let channels = info.color_type.samples();
    let kept = if channels < 3 { 1 } else { 3 };
    Ok(picture(
        info.width as usize,
        info.height as usize,
        kept,
        keep_channels(pixels, channels, kept),
    ))
}

/// That all chunks are there up to the last one and have the checksums that they
/// say; the decoder lets those of text and the like pass.
fn check_chunks(name: &str, file: &[u8]) -> Result<()> {
    let mut rest = file.get(8..).unwrap_or_default();
    loop {
        let truncated = || bad(name, "not a readable PNG: it ends too early");
        let (length, after) = rest.split_first_chunk().ok_or_else(truncated)?;
        let length = u32::from_be_bytes(*length) as usize;
        let chunk = after
            .get(..length.saturating_add(4))
            .ok_or_else(truncated)?;
        let (sum, after) = after[chunk.len()..]
            .split_first_chunk()
            .ok_or_else(truncated)?;
        if u32::from_be_bytes(*sum) != crc32fast::hash(chunk) {
            let kind = String::from_utf8_lossy(&chunk[..4]);
            let message = format!("not a readable PNG: the checksum of its chunk {kind} is wrong");
            return Err(bad(name, message));
        }
        if chunk.starts_with(b"IEND") {
            return Ok(());
        }
        rest = after;
    }
}

/// The first `kept` of `channels` samples of every pixel.
fn keep_channels(pixels: Vec<u8>, channels: usize, kept: usize) -> Vec<u8> {
    if channels == kept {
        return pixels;
    }
    pixels
        .chunks_exact(channels)
        .flat_map(|pixel| &pixel[..kept])
        .copied()
        .collect()
}

fn webp(name: &str, file: Vec<u8>) -> Result<Pixels> {
    let failed = failed(name, "WebP");
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(file)).map_err(&failed)?;
    let (width, height) = decoder.dimensions();
    check_size(name, width.into(), height.into())?;
    if decoder.is_animated() {
        return Err(bad(name, "an animated WebP; take its frames apart first"));
    }
    let size = decoder
        .output_buffer_size()
        .ok_or_else(|| bad(name, "the picture does not fit in memory"))?;
    let mut pixels = vec![0; size];
    let channels = if decoder.has_alpha() { 4 } else { 3 };
    decoder.read_image(&mut pixels).map_err(&failed)?;
    let pixels = keep_channels(pixels, channels, 3);
    Ok(picture(width as usize, height as usize, 3, pixels))
}
