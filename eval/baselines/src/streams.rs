//! The general-purpose formats: for each, a function from bytes to a self-contained
//! stream, and its inverse.
//!
//! A self-contained stream records its own end, so its length is that of a file on disk.

use std::io::{self, Read, Write};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use liblzma::stream::{Check, Filters, LzmaOptions, Stream};

/// `LZMA_PRESET_EXTREME`.
pub(super) const XZ_EXTREME: u32 = 1 << 31;

const PPMD_ORDER: u32 = 8;

pub(super) fn gzip(data: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data)?;
    encoder.finish()
}

pub(super) fn gunzip(stream: &[u8]) -> io::Result<Vec<u8>> {
    read_all(GzDecoder::new(stream))
}

/// `preset` is that of the `xz` command. The dictionary is no larger than the data need.
/// This changes the value of one byte but no length, and avoids the set-up of a 64 MiB
/// dictionary for a chunk of 2048 bytes.
pub(super) fn xz(data: &[u8], preset: u32) -> io::Result<Vec<u8>> {
    let mut options = LzmaOptions::new_preset(preset)?;
    let dictionary = if preset & !XZ_EXTREME == 6 { 8 } else { 64 } << 20;
    options.dict_size(covering(data.len(), 1 << 12, dictionary));
    let mut filters = Filters::new();
    filters.lzma2(&options);
    let stream = Stream::new_stream_encoder(&filters, Check::Crc64)?;
    let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
    encoder.write_all(data)?;
    encoder.finish()
}

pub(super) fn unxz(stream: &[u8]) -> io::Result<Vec<u8>> {
    read_all(liblzma::read::XzDecoder::new(stream))
}

/// `long` enables long-distance matching with a window over all of the data, up to the
/// format's 2 GiB.
pub(super) fn zstd(data: &[u8], level: i32, long: bool) -> io::Result<Vec<u8>> {
    use zstd::zstd_safe::CParameter;
    let mut encoder = zstd::bulk::Compressor::new(level)?;
    if long {
        let log = covering(data.len(), 1 << 10, 1 << 31).ilog2();
        encoder.set_parameter(CParameter::WindowLog(log))?;
        encoder.set_parameter(CParameter::EnableLongDistanceMatching(true))?;
    }
    encoder.compress(data)
}

pub(super) fn unzstd(stream: &[u8], len: usize) -> io::Result<Vec<u8>> {
    let mut decoder = zstd::bulk::Decompressor::new()?;
    decoder.set_parameter(zstd::zstd_safe::DParameter::WindowLogMax(31))?;
    // One byte more than expected, so that a stream that is too long is detected.
    decoder.decompress(stream, len + 1)
}

pub(super) fn brotli(data: &[u8]) -> io::Result<Vec<u8>> {
    // The window excludes the last 16 bytes of its power of two.
    let log = covering(data.len() + 16, 1 << 10, 1 << 30).ilog2();
    let params = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: log as i32,
        large_window: log > 24,
        size_hint: data.len(),
        ..Default::default()
    };
    let mut stream = Vec::new();
    brotli::BrotliCompress(&mut &data[..], &mut stream, &params)?;
    Ok(stream)
}

pub(super) fn unbrotli(mut stream: &[u8]) -> io::Result<Vec<u8>> {
    let mut data = Vec::new();
    brotli::BrotliDecompress(&mut stream, &mut data)?;
    Ok(data)
}

pub(super) fn bzip2(data: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(data)?;
    encoder.finish()
}

pub(super) fn bunzip2(stream: &[u8]) -> io::Result<Vec<u8>> {
    read_all(bzip2::read::BzDecoder::new(stream))
}

/// PPMd7 with its end marker, after one byte for the logarithm of the model's memory.
/// The memory is ample (32 bytes for each byte of data), so that the model is never
/// reset.
pub(super) fn ppmd(data: &[u8]) -> io::Result<Vec<u8>> {
    ppmd_into(Vec::new(), data, &mut |_| {})
}

/// [`ppmd`] into a writer; `done` hears how many bytes of the data are coded, after each.
pub(super) fn ppmd_into<W: Write>(
    mut out: W,
    data: &[u8],
    done: &mut dyn FnMut(usize),
) -> io::Result<W> {
    let memory = covering(data.len().saturating_mul(32), 1 << 16, 1 << 31);
    out.write_all(&[memory.ilog2() as u8])?;
    let mut encoder =
        ppmd_rust::Ppmd7Encoder::new(out, PPMD_ORDER, memory).map_err(io::Error::other)?;
    for (i, byte) in data.iter().enumerate() {
        encoder.write_all(std::slice::from_ref(byte))?;
        done(i + 1);
    }
    encoder.finish(true)
}

pub(super) fn unppmd(stream: &[u8]) -> io::Result<Vec<u8>> {
    let (&log, body) = stream.split_first().ok_or(io::ErrorKind::UnexpectedEof)?;
    let memory = 1u32.checked_shl(log.into()).unwrap_or(0);
    read_all(ppmd_rust::Ppmd7Decoder::new(body, PPMD_ORDER, memory).map_err(io::Error::other)?)
}

/// The smallest power of two that is at least `len`, between two bounds.
fn covering(len: usize, least: u32, most: u32) -> u32 {
    u32::try_from(len)
        .ok()
        .and_then(u32::checked_next_power_of_two)
        .map_or(most, |size| size.clamp(least, most))
}

fn read_all(mut reader: impl Read) -> io::Result<Vec<u8>> {
    let mut data = Vec::new();
    reader.read_to_end(&mut data)?;
    Ok(data)
}
