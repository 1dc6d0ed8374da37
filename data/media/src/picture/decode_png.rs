//! Decodes PNG.

use std::io::Cursor;

use super::pixels::{failed, keep_channels, picture};
use super::{MOST_PIXELS, Pixels, bad, check_size};
use crate::error::Result;

pub(super) fn decode(name: &str, file: Vec<u8>) -> Result<Pixels> {
    check_chunks(name, &file)?;
    let failed = failed(name, "PNG");
    // Ancillary chunks are compressed too; this bounds their memory, and no
    // picture needs more.
    let limits = png::Limits { bytes: 1 << 26 };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(file), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    decoder.ignore_checksums(false);
    let header = decoder.read_header_info().map_err(&failed)?;
    check_size(name, header.width.into(), header.height.into())?;
    // The rows of the largest picture, 4 samples of 16 bits per pixel.
    decoder.set_limits(png::Limits {
        bytes: MOST_PIXELS as usize * 8,
    });
    let mut reader = decoder.read_info().map_err(&failed)?;
    let size = reader
        .output_buffer_size()
        .ok_or_else(|| bad(name, "the picture does not fit in memory"))?;
    let mut pixels = vec![0; size];
    let info = reader.next_frame(&mut pixels).map_err(&failed)?;
    // The checksum of the pixels follows them.
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

/// Checks that all chunks up to the last one are present, and their checksums.
/// The decoder does not check those of text and similar chunks.
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
