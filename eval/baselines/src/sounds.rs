//! FLAC, with a full encoder and an independent decoder.

use std::io;

use flacenc::bitsink::ByteSink;
use flacenc::component::BitRepr;
use flacenc::config::Encoder;
use flacenc::error::Verify;
use flacenc::source::MemSource;

use brevity_media::{Geometry, Pcm16, Pcm16Blocks};

/// Samples per second if unknown.
const RATE: usize = 16_000;

/// Order of the linear prediction: the maximum of FLAC's subset at low rates.
const ORDER: usize = 12;

/// Bytes as unsigned 8-bit samples of one channel.
pub(super) fn flac8(data: &[u8]) -> io::Result<Vec<u8>> {
    let samples: Vec<i32> = data.iter().map(|&b| i32::from(b) - 128).collect();
    encode(&samples, 1, 8, RATE)
}

pub(super) fn unflac8(stream: &[u8]) -> io::Result<Vec<u8>> {
    let samples = decode(stream)?;
    Ok(samples.iter().map(|&s| (s + 128) as u8).collect())
}

/// Bytes as signed 16-bit samples. Bytes that do not fill a frame of all channels
/// follow unchanged.
pub(super) fn flac16(data: &[u8], geometry: Option<Geometry>) -> io::Result<Vec<u8>> {
    let (channels, rate, order) = sound(geometry);
    let (whole, rest) = data.split_at(data.len() / (2 * channels) * 2 * channels);
    let mut stream = Vec::new();
    if !whole.is_empty() {
        let mut blocks = Pcm16Blocks::new(order, channels);
        let samples: Vec<i32> = whole
            .chunks(2 * Pcm16Blocks::SAMPLES)
            .flat_map(|block| blocks.to_samples(block))
            .map(i32::from)
            .collect();
        stream = encode(&samples, channels, 16, rate)?;
    }
    stream.extend(rest);
    Ok(stream)
}

/// `len` is the length of the data.
pub(super) fn unflac16(
    stream: &[u8],
    geometry: Option<Geometry>,
    len: usize,
) -> io::Result<Vec<u8>> {
    let (channels, _, order) = sound(geometry);
    let rest = len % (2 * channels);
    let (stream, rest) = stream
        .split_at_checked(stream.len().saturating_sub(rest))
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut data = Vec::with_capacity(len);
    if !stream.is_empty() {
        let samples: Vec<i16> = decode(stream)?.iter().map(|&s| s as i16).collect();
        let mut blocks = Pcm16Blocks::new(order, channels);
        for block in samples.chunks(Pcm16Blocks::SAMPLES) {
            data.extend(blocks.to_bytes(block));
        }
    }
    data.extend(rest);
    Ok(data)
}

/// Channels, rate, and sample layout.
fn sound(geometry: Option<Geometry>) -> (usize, usize, Pcm16) {
    match geometry {
        // FLAC has 8 channels at most.
        Some(Geometry::Pcm16 {
            channels: channels @ 1..=8,
            rate,
            order,
        }) => (channels.into(), rate as usize, order),
        _ => (1, RATE, Pcm16::LittleEndian),
    }
}

fn encode(samples: &[i32], channels: usize, bits: usize, rate: usize) -> io::Result<Vec<u8>> {
    let mut config = Encoder::default();
    config.multithread = false;
    config.subframe_coding.qlpc.lpc_order = ORDER;
    let config = config
        .into_verified()
        .map_err(|(_, e)| io::Error::other(e.to_string()))?;
    let source = MemSource::from_samples(samples, channels, bits, rate);
    let size = config.block_size;
    let mut stream = flacenc::encode_with_fixed_block_size(&config, source, size)
        .map_err(|e| io::Error::other(format!("{e:?}")))?;
    // The last block, which may be the only one, does not count for the minimum block
    // size; fewer than 16 samples would be refused there.
    stream
        .stream_info_mut()
        .set_block_sizes(size, size)
        .map_err(|e| io::Error::other(e.to_string()))?;
    let mut sink = ByteSink::new();
    stream
        .write(&mut sink)
        .map_err(|e| io::Error::other(format!("{e:?}")))?;
    Ok(sink.into_inner())
}

/// Samples, channels interleaved.
fn decode(stream: &[u8]) -> io::Result<Vec<i32>> {
    let mut reader = claxon::FlacReader::new(stream).map_err(io::Error::other)?;
    let samples = reader.samples().collect::<Result<Vec<_>, _>>();
    samples.map_err(io::Error::other)
}
