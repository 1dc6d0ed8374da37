//! PNG, JPEG and WebP to pixels, each by a decoder in safe Rust.

use std::fmt::Display;
use std::io::Cursor;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{MOST_PIXELS, Pixels, bad, check_size, ppm};
use crate::error::{MediaError, Result};
use crate::item::Picture;

/// Decodes a picture of whichever format its first bytes say.
pub(super) fn decode(name: &str, file: Vec<u8>) -> Result<Pixels> {
    match &file[..] {
        [] => Err(bad(name, "the file is empty")),
        [0x89, b'P', b'N', b'G', ..] => png(name, file),
        [0xFF, 0xD8, 0xFF, ..] => jpeg(name, file),
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

fn picture(width: usize, height: usize, channels: usize, pixels: Vec<u8>) -> Pixels {
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

fn failed<E: Display>(name: &str, format: &'static str) -> impl Fn(E) -> MediaError {
    move |error| bad(name, format!("not a readable {format}: {error}"))
}

fn png(name: &str, file: Vec<u8>) -> Result<Pixels> {
    let failed = failed(name, "PNG");
    // Ancillary chunks are compressed too; no picture needs more than this.
    let limits = png::Limits { bytes: 1 << 26 };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(file), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
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

fn jpeg(name: &str, file: Vec<u8>) -> Result<Pixels> {
    let failed = failed(name, "JPEG");
    // Sides have 16 bits in the format; their product is checked below.
    let options = DecoderOptions::default()
        .set_max_width(1 << 16)
        .set_max_height(1 << 16)
        .set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().map_err(&failed)?;
    let info = decoder
        .info()
        .ok_or_else(|| bad(name, "not a readable JPEG: no frame header"))?;
    check_size(name, info.width.into(), info.height.into())?;
    let (space, channels) = match info.components {
        1 => (ColorSpace::Luma, 1),
        _ => (ColorSpace::RGB, 3),
    };
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let pixels = decoder.decode().map_err(&failed)?;
    Ok(picture(
        info.width.into(),
        info.height.into(),
        channels,
        pixels,
    ))
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
