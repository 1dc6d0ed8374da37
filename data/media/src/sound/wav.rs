//! Decodes integer WAV of 8, 16, 24 or 32 bits in these containers: RIFF, RIFX
//! (big-endian), RF64 and BW64 (with 64-bit lengths in a separate chunk), and Wave64
//! (chunks are named by GUIDs).
//!
//! A program that writes to a pipe does not know the length in advance and cannot write
//! it. The samples then extend to the end of the file.

use std::io::{Read, copy, sink};

use super::{Format, Sink, bad};
use crate::error::{MediaError, Result};

/// The container, which decides the form of the chunks.
#[derive(Clone, Copy, PartialEq)]
enum Container {
    Riff,
    Rifx,
    /// The length of the samples from the chunk `ds64`.
    Rf64(Option<u64>),
    Wave64,
}

/// The last 12 bytes of the GUIDs of chunks in Wave64, except that of the first.
const WAVE64: [u8; 12] = [
    0xF3, 0xAC, 0xD3, 0x11, 0x8C, 0xD1, 0x00, 0xC0, 0x4F, 0x8E, 0xDB, 0x8A,
];

/// The last 12 bytes of the GUID of the first chunk, `riff`.
const WAVE64_RIFF: [u8; 12] = [
    0x2E, 0x91, 0xCF, 0x11, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1, 0x00, 0x00,
];

/// Values that mean an unknown length: ffmpeg and SoX write them into streams.
const UNKNOWN: [u64; 2] = [0xFFFF_FFFF, 0x7FFF_F000];

/// `magic` holds the bytes that were already read from `input`.
pub(super) fn decode(
    name: &str,
    magic: [u8; 4],
    input: &mut impl Read,
    sink: &mut dyn Sink,
) -> Result<()> {
    let container = match &magic {
        b"RIFF" => Container::Riff,
        b"RIFX" => Container::Rifx,
        b"riff" => Container::Wave64,
        _ => Container::Rf64(None),
    };
    let mut file = File {
        name,
        input,
        container,
    };
    let endless = file.header()?;
    let mut format = None;
    loop {
        let Some((kind, len)) = file.chunk()? else {
            return Err(bad(name, "WAV without a data chunk"));
        };
        match (&kind, format) {
            (b"fmt ", _) => format = Some(file.format(len)?),
            (b"ds64", _) if matches!(container, Container::Rf64(_)) => file.ds64(len)?,
            (b"data", Some(format)) => {
                let len = file.data_length(len, endless);
                return file.samples(len, format, sink);
            }
            (b"data", None) => return Err(bad(name, "WAV data before its format")),
            _ => file.skip(len, len)?,
        }
    }
}

struct File<'a, R> {
    name: &'a str,
    input: &'a mut R,
    container: Container,
}

impl<R: Read> File<'_, R> {
    fn exact<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        match self.input.read_exact(&mut bytes) {
            Ok(()) => Ok(bytes),
            Err(_) => Err(bad(self.name, format!("truncated WAV {what}"))),
        }
    }

    fn u16(&self, bytes: [u8; 2]) -> u16 {
        match self.container {
            Container::Rifx => u16::from_be_bytes(bytes),
            _ => u16::from_le_bytes(bytes),
        }
    }

    fn u32(&self, bytes: [u8; 4]) -> u32 {
        match self.container {
            Container::Rifx => u32::from_be_bytes(bytes),
            _ => u32::from_le_bytes(bytes),
        }
    }

    /// Reads the header before the first chunk. Returns whether it gives the file no
    /// length.
    fn header(&mut self) -> Result<bool> {
        if self.container == Container::Wave64 {
            let guid: [u8; 12] = self.exact("header")?;
            let _length: [u8; 8] = self.exact("header")?;
            let wave: [u8; 16] = self.exact("header")?;
            return match guid == WAVE64_RIFF && wave[..] == [&b"wave"[..], &WAVE64].concat() {
                true => Ok(false),
                false => Err(bad(self.name, "a Wave64 file that does not hold samples")),
            };
        }
        let length: [u8; 4] = self.exact("header")?;
        let wave: [u8; 4] = self.exact("header")?;
        match &wave {
            b"WAVE" => Ok(self.u32(length) == 0),
            _ => Err(bad(self.name, "a RIFF file, but not WAVE")),
        }
    }

    /// Name and length of the next chunk; `None` at the end of the file.
    fn chunk(&mut self) -> Result<Option<([u8; 4], u64)>> {
        let mut kind = [0; 4];
        if self.input.read_exact(&mut kind).is_err() {
            return Ok(None);
        }
        if self.container != Container::Wave64 {
            let len = self.exact("chunk")?;
            return Ok(Some((kind, self.u32(len).into())));
        }
        let guid: [u8; 12] = self.exact("chunk")?;
        let len = u64::from_le_bytes(self.exact("chunk")?);
        // Lengths include these 24 bytes.
        let len = match len {
            u64::MAX => len,
            len => len
                .checked_sub(24)
                .ok_or_else(|| bad(self.name, "a chunk shorter than its own header"))?,
        };
        // A zero kind makes the caller skip the chunk.
        let kind = if guid == WAVE64 { kind } else { [0; 4] };
        Ok(Some((kind, len)))
    }

    /// Skips the `left` remaining bytes of a chunk of `len` bytes, and its padding.
    fn skip(&mut self, left: u64, len: u64) -> Result<()> {
        let unit = match self.container {
            Container::Wave64 => 8,
            _ => 2,
        };
        let padding = (unit - len % unit) % unit;
        copy(
            &mut self.input.take(left.saturating_add(padding)),
            &mut sink(),
        )
        .map_err(MediaError::io("read", self.name))?;
        Ok(())
    }

    /// Reads a `fmt ` chunk.
    fn format(&mut self, len: u64) -> Result<Format> {
        // The plain form has 16 bytes, the extensible one 40.
        let mut chunk = [0; 26];
        let read = len.min(26) as usize;
        if len < 16 || self.input.read_exact(&mut chunk[..read]).is_err() {
            return Err(bad(self.name, "truncated WAV format"));
        }
        self.skip(len - read as u64, len)?;
        let word = |at: usize| self.u16([chunk[at], chunk[at + 1]]);
        let (channels, align, bits) = (word(2), word(12), word(14));
        // The extensible form has its kind in a later field. Kind 1 is integer.
        let kind = if word(0) == 0xFFFE { word(24) } else { word(0) };
        if kind != 1 || !matches!(bits, 8 | 16 | 24 | 32) || channels == 0 {
            let message = format!(
                "WAV of kind {kind} with {bits} bits and {channels} channels is not integer PCM"
            );
            return Err(bad(self.name, message));
        }
        if u32::from(align) != u32::from(channels) * u32::from(bits / 8) {
            let message = format!(
                "a WAV header that contradicts itself: {channels} channels of {bits} bits in \
                 blocks of {align} bytes"
            );
            return Err(bad(self.name, message));
        }
        Ok(Format {
            rate: self.u32([chunk[4], chunk[5], chunk[6], chunk[7]]),
            channels,
            bits,
        })
    }

    /// Reads the 64-bit lengths of RF64.
    fn ds64(&mut self, len: u64) -> Result<()> {
        if len < 16 {
            return Err(bad(self.name, "truncated WAV lengths"));
        }
        let _file: [u8; 8] = self.exact("lengths")?;
        let data = u64::from_le_bytes(self.exact("lengths")?);
        self.container = Container::Rf64(Some(data));
        self.skip(len - 16, len)
    }

    /// The number of bytes of samples, given the length `len` in their chunk; `None` if
    /// they extend to the end of the file. If the file itself has no length (`endless`),
    /// a `len` of 0 is unknown too.
    fn data_length(&self, len: u64, endless: bool) -> Option<u64> {
        match self.container {
            Container::Wave64 => Some(len).filter(|&len| len != u64::MAX),
            Container::Rf64(data) if len == 0xFFFF_FFFF => {
                data.filter(|&data| data != 0 && data != u64::MAX)
            }
            _ => Some(len).filter(|len| !(UNKNOWN.contains(len) || endless && *len == 0)),
        }
    }

    fn samples(&mut self, len: Option<u64>, format: Format, sink: &mut dyn Sink) -> Result<()> {
        sink.start(format)?;
        let width = usize::from(format.bits / 8);
        let mut bytes = vec![0; width * usize::from(format.channels)];
        let mut frame = vec![0; usize::from(format.channels)];
        let frames = len.map(|len| len / bytes.len() as u64);
        let mut done = 0;
        while frames.is_none_or(|frames| done < frames) {
            let filled = fill(self.input, &mut bytes).map_err(MediaError::io("read", self.name))?;
            if filled < bytes.len() {
                if frames.is_none() && filled == 0 {
                    break;
                }
                let message = format!("WAV data ends after {done} samples");
                return Err(bad(self.name, message));
            }
            for (sample, bytes) in frame.iter_mut().zip(bytes.chunks_exact(width)) {
                let mut wide = [0; 4];
                match self.container {
                    Container::Rifx => {
                        wide[..width].copy_from_slice(bytes);
                        wide.reverse();
                    }
                    _ => wide[4 - width..].copy_from_slice(bytes),
                }
                // 8-bit WAV is unsigned, all others are signed.
                wide[3] ^= if format.bits == 8 { 0x80 } else { 0 };
                *sample = i32::from_le_bytes(wide) >> (32 - format.bits);
            }
            sink.frame(&frame)?;
            done += 1;
        }
        Ok(())
    }
}

/// Reads until the buffer is full or the input ends. Returns the number of bytes read.
fn fill(input: &mut impl Read, mut buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while !buffer.is_empty() {
        match input.read(buffer) {
            Ok(0) => break,
            Ok(read) => {
                buffer = &mut buffer[read..];
                filled += read;
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}
