//! The picture formats. All are lossless and code a [`Raster`]; their streams record its
//! size.

use std::io::{self, Cursor};

use zune_core::bit_depth::BitDepth;
use zune_core::colorspace::ColorSpace;
use zune_core::options::EncoderOptions;

use brevity_media::Geometry;

use super::cjxl;
use super::raster::{Format, Raster};

/// Limit on the rows of one picture when bytes of no known size are cut into pictures.
/// WebP has 14 bits for each side.
const MOST_ROWS: usize = 8192;

pub(super) const PNG: Format = Format {
    encode: png,
    decode: unpng,
};
pub(super) const OXIPNG: Format = Format {
    encode: oxipng,
    decode: unpng,
};
pub(super) const WEBP: Format = Format {
    encode: webp,
    decode: unwebp,
};
pub(super) const JXL: Format = Format {
    encode: jxl,
    decode: cjxl::djxl,
};

/// Compresses bytes with a picture format: as one picture if the geometry is one of
/// colours, otherwise as pictures with rows of `width` grey pixels, each preceded by its
/// length in 4 bytes unless it is the only one. The last row is padded with zeros; if
/// there are any, a final byte gives their number. Fewer bytes than a row make a narrower
/// picture.
pub(super) fn compress(
    format: Format,
    data: &[u8],
    geometry: Option<Geometry>,
    width: usize,
) -> io::Result<Vec<u8>> {
    if let Some((width, planar)) = colours(geometry) {
        let pixels = if planar {
            interleave(data)
        } else {
            data.to_vec()
        };
        return (format.encode)(&Raster {
            width,
            height: data.len() / (3 * width),
            channels: 3,
            pixels,
        });
    }
    let tile = width * MOST_ROWS;
    if data.len() <= tile {
        return grey(format, data, width);
    }
    let mut out = Vec::new();
    for piece in data.chunks(tile) {
        let stream = grey(format, piece, width)?;
        out.extend((stream.len() as u32).to_le_bytes());
        out.extend(stream);
    }
    Ok(out)
}

/// The inverse of [`compress`]; `len` is the length of the data, which the caller
/// knows.
pub(super) fn decompress(
    format: Format,
    mut stream: &[u8],
    geometry: Option<Geometry>,
    width: usize,
    len: usize,
) -> io::Result<Vec<u8>> {
    if let Some((_, planar)) = colours(geometry) {
        let mut pixels = (format.decode)(stream, 3)?.pixels;
        // The picture may have been enlarged by a pixel or two, because some formats have
        // a minimum size.
        pixels.truncate(len);
        return Ok(if planar { planes(&pixels) } else { pixels });
    }
    let tile = width * MOST_ROWS;
    if len <= tile {
        return ungrey(format, stream, width, len);
    }
    let mut data = Vec::with_capacity(len);
    while let Some((length, rest)) = stream.split_first_chunk() {
        let (piece, rest) = rest
            .split_at_checked(u32::from_le_bytes(*length) as usize)
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        let left = len.saturating_sub(data.len()).min(tile);
        data.extend(ungrey(format, piece, width, left)?);
        stream = rest;
    }
    Ok(data)
}

/// Pixels per row of a colour picture, and whether it is planar.
fn colours(geometry: Option<Geometry>) -> Option<(usize, bool)> {
    match geometry? {
        Geometry::Rgb { width } => Some((width, false)),
        Geometry::RgbPlanar { width, .. } => Some((width, true)),
        _ => None,
    }
}

fn grey(format: Format, data: &[u8], width: usize) -> io::Result<Vec<u8>> {
    let width = width.min(data.len());
    let height = data.len().div_ceil(width);
    let mut pixels = data.to_vec();
    pixels.resize(width * height, 0);
    let padding = pixels.len() - data.len();
    let mut stream = (format.encode)(&Raster {
        width,
        height,
        channels: 1,
        pixels,
    })?;
    if padding > 0 {
        stream.push(padding as u8);
    }
    Ok(stream)
}

fn ungrey(format: Format, stream: &[u8], width: usize, len: usize) -> io::Result<Vec<u8>> {
    // The length is known, so the last byte is redundant.
    let stream = match stream.split_last() {
        Some((_, stream)) if !len.is_multiple_of(width.min(len)) => stream,
        _ => stream,
    };
    let mut data = (format.decode)(stream, 1)?.pixels;
    data.truncate(len);
    Ok(data)
}

fn interleave(planes: &[u8]) -> Vec<u8> {
    let plane = planes.len() / 3;
    let order = (0..plane).flat_map(|i| [i, plane + i, 2 * plane + i]);
    order.map(|i| planes[i]).collect()
}

fn planes(pixels: &[u8]) -> Vec<u8> {
    (0..3)
        .flat_map(|channel| pixels.iter().skip(channel).step_by(3))
        .copied()
        .collect()
}

/// PNG with the best filter for each row and the best deflate level.
fn png(raster: &Raster) -> io::Result<Vec<u8>> {
    let mut stream = Vec::new();
    let (width, height) = (raster.width as u32, raster.height as u32);
    let mut encoder = png::Encoder::new(&mut stream, width, height);
    encoder.set_color(match raster.channels {
        1 => png::ColorType::Grayscale,
        _ => png::ColorType::Rgb,
    });
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_deflate_compression(png::DeflateCompression::Level(9));
    encoder.set_filter(png::Filter::Adaptive);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&raster.pixels)?;
    writer.finish()?;
    Ok(stream)
}

/// PNG by oxipng: all filters, libdeflate at maximum effort, the shortest colour type.
fn oxipng(raster: &Raster) -> io::Result<Vec<u8>> {
    let color = match raster.channels {
        1 => oxipng::ColorType::Grayscale {
            transparent_shade: None,
        },
        _ => oxipng::ColorType::RGB {
            transparent_color: None,
        },
    };
    let (width, height) = (raster.width as u32, raster.height as u32);
    let pixels = raster.pixels.clone();
    oxipng::RawImage::new(width, height, color, oxipng::BitDepth::Eight, pixels)
        .and_then(|image| image.create_optimized_png(&oxipng::Options::max_compression()))
        .map_err(io::Error::other)
}

fn unpng(stream: &[u8], channels: usize) -> io::Result<Raster> {
    let mut decoder = png::Decoder::new(Cursor::new(stream));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info()?;
    let size = reader
        .output_buffer_size()
        .ok_or_else(|| io::Error::other("image too large"))?;
    let mut pixels = vec![0; size];
    let info = reader.next_frame(&mut pixels)?;
    reader.finish()?;
    pixels.truncate(info.buffer_size());
    Ok(Raster {
        width: info.width as usize,
        height: info.height as usize,
        channels,
        pixels: with_channels(pixels, info.color_type.samples(), channels),
    })
}

/// Converts pixels of `from` samples to pixels of `to`: a format may store grey as
/// colour or the reverse.
fn with_channels(pixels: Vec<u8>, from: usize, to: usize) -> Vec<u8> {
    match (from, to) {
        (from, to) if from == to => pixels,
        (1, to) => pixels
            .iter()
            .flat_map(|&v| std::iter::repeat_n(v, to))
            .collect(),
        (from, to) => pixels
            .chunks_exact(from)
            .flat_map(|pixel| &pixel[..to])
            .copied()
            .collect(),
    }
}

/// libwebp, lossless, at maximum effort.
fn webp(raster: &Raster) -> io::Result<Vec<u8>> {
    let mut config = webp::WebPConfig::new().map_err(|()| io::Error::other("no configuration"))?;
    config.lossless = 1;
    config.quality = 100.0;
    config.method = 6;
    config.exact = 1;
    let pixels = with_channels(raster.pixels.clone(), raster.channels, 3);
    let (width, height) = (raster.width as u32, raster.height as u32);
    let encoder = webp::Encoder::from_rgb(&pixels, width, height);
    match encoder.encode_advanced(&config) {
        Ok(stream) => Ok(stream.to_vec()),
        Err(error) => Err(io::Error::other(format!("{error:?}"))),
    }
}

/// Decodes with a decoder independent of the encoder.
fn unwebp(stream: &[u8], channels: usize) -> io::Result<Raster> {
    let failed = |e: image_webp::DecodingError| io::Error::other(e);
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(stream)).map_err(failed)?;
    let (width, height) = decoder.dimensions();
    let from = if decoder.has_alpha() { 4 } else { 3 };
    let mut pixels = vec![0; width as usize * height as usize * from];
    decoder.read_image(&mut pixels).map_err(failed)?;
    Ok(Raster {
        width: width as usize,
        height: height as usize,
        channels,
        pixels: with_channels(pixels, from, channels),
    })
}

/// The fast lossless mode of JPEG XL at maximum effort. The encoder needs at least two
/// pixels per side; a smaller picture is rearranged to be two pixels wide, and a byte
/// records that.
fn jxl(raster: &Raster) -> io::Result<Vec<u8>> {
    let (mut width, mut height, mut pixels) = (raster.width, raster.height, raster.pixels.clone());
    let narrow = width < 2 || height < 2;
    if narrow {
        (width, height) = (2, (width * height).div_ceil(2).max(2));
        pixels.resize(width * height * raster.channels, 0);
    }
    let space = match raster.channels {
        1 => ColorSpace::Luma,
        _ => ColorSpace::RGB,
    };
    let options = EncoderOptions::new(width, height, space, BitDepth::Eight)
        .set_num_threads(1)
        .set_effort(127);
    let mut stream = Vec::new();
    zune_jpegxl::JxlSimpleEncoder::new(&pixels, options)
        .encode(&mut stream)
        .map_err(|e| io::Error::other(format!("{e:?}")))?;
    if narrow {
        stream.push(1);
    }
    Ok(stream)
}
