//! Integer WAV of 8, 16, 24 or 32 bits.

use std::io::{Read, copy, sink};

use super::{Format, Sink, bad};
use crate::error::{MediaError, Result};

pub(super) fn decode(name: &str, mut input: impl Read, sink: &mut dyn Sink) -> Result<()> {
    let mut header = [0; 12];
    input
        .read_exact(&mut header)
        .map_err(|_| bad(name, "truncated WAV header"))?;
    if &header[8..] != b"WAVE" {
        return Err(bad(name, "a RIFF file, but not WAVE"));
    }
    let mut format = None;
    loop {
        let mut head = [0; 8];
        input
            .read_exact(&mut head)
            .map_err(|_| bad(name, "WAV without a data chunk"))?;
        let len = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
        match (&head[..4], format) {
            (b"fmt ", _) => format = Some(read_format(name, &mut input, len)?),
            (b"data", Some(format)) => return samples(name, &mut input, len, format, sink),
            (b"data", None) => return Err(bad(name, "WAV data before its format")),
            // Chunks are padded to an even length.
            _ => skip(name, &mut input, len + len % 2)?,
        }
    }
}

/// What a `fmt ` chunk of `len` bytes says.
fn read_format(name: &str, input: &mut impl Read, len: u64) -> Result<Format> {
    let mut chunk = [0; 26];
    // The plain form has 16 bytes, the extensible one 40.
    let read = len.min(26) as usize;
    if len < 16 || input.read_exact(&mut chunk[..read]).is_err() {
        return Err(bad(name, "truncated WAV format"));
    }
    skip(name, input, len - read as u64 + len % 2)?;
    let word = |at: usize| u16::from_le_bytes([chunk[at], chunk[at + 1]]);
    let (channels, bits) = (word(2), word(14));
    // The extensible form tells its kind later. Kind 1 is integer.
    let kind = if word(0) == 0xFFFE { word(24) } else { word(0) };
    if kind != 1 || !matches!(bits, 8 | 16 | 24 | 32) || channels == 0 {
        let message = format!(
            "WAV of kind {kind} with {bits} bits and {channels} channels is not integer PCM"
        );
        return Err(bad(name, message));
    }
    Ok(Format {
        rate: u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]),
        channels,
        bits,
    })
}

fn samples(
    name: &str,
    input: &mut impl Read,
    len: u64,
    format: Format,
    sink: &mut dyn Sink,
) -> Result<()> {
    sink.start(format)?;
    let width = usize::from(format.bits / 8);
    let mut bytes = vec![0; width * usize::from(format.channels)];
    let mut frame = vec![0; usize::from(format.channels)];
    for done in 0..len / bytes.len() as u64 {
        input
            .read_exact(&mut bytes)
            .map_err(|_| bad(name, format!("WAV data ends after {done} samples")))?;
        for (sample, bytes) in frame.iter_mut().zip(bytes.chunks_exact(width)) {
            let mut wide = [0; 4];
            wide[4 - width..].copy_from_slice(bytes);
            // 8-bit WAV is unsigned, all others are signed.
            wide[3] ^= if format.bits == 8 { 0x80 } else { 0 };
            *sample = i32::from_le_bytes(wide) >> (32 - format.bits);
        }
        sink.frame(&frame)?;
    }
    Ok(())
}

fn skip(name: &str, input: &mut impl Read, len: u64) -> Result<()> {
    copy(&mut input.take(len), &mut sink()).map_err(MediaError::io("read", name))?;
    Ok(())
}
