//! FLAC, by claxon.

use std::io::Read;

use super::{Format, Sink, bad};
use crate::error::Result;

pub(super) fn decode(name: &str, input: impl Read, sink: &mut dyn Sink) -> Result<()> {
    let broken = |e: claxon::Error| bad(name, format!("damaged FLAC: {e}"));
    let mut reader = claxon::FlacReader::new(input).map_err(broken)?;
    let info = reader.streaminfo();
    sink.start(Format {
        rate: info.sample_rate,
        channels: info.channels as u16,
        bits: info.bits_per_sample as u16,
    })?;
    let mut frame = vec![0; info.channels as usize];
    let mut read = 0;
    let mut blocks = reader.blocks();
    let mut buffer = Vec::new();
    while let Some(block) = blocks.read_next_or_eof(buffer).map_err(broken)? {
        // A block may say something else than the header of the file.
        if block.channels() != info.channels {
            return Err(bad(name, "damaged FLAC: the number of channels changes"));
        }
        for time in 0..block.duration() {
            for (channel, sample) in frame.iter_mut().enumerate() {
                *sample = block.sample(channel as u32, time);
            }
            sink.frame(&frame)?;
        }
        read += u64::from(block.duration());
        buffer = block.into_buffer();
    }
    match info.samples {
        Some(samples) if samples != read => {
            let message = format!("damaged FLAC: {read} of {samples} samples");
            Err(bad(name, message))
        }
        _ => Ok(()),
    }
}
