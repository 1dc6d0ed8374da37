//! Converts sounds to bytes. Samples are streamed; only one block is in memory.

mod convert;
mod flac;
mod pcm16;
mod resample;
mod wav;
mod write;

use std::io::{Read, Write};

use crate::conversion::Conversion;
use crate::error::{MediaError, Result, bad};
use crate::item::Sound;

pub use pcm16::{Pcm16, Pcm16Blocks};
pub(crate) use write::copy_wav;
pub use write::wav;

/// Extensions of file names that mark a sound.
pub(super) const EXTENSIONS: [&str; 6] = ["flac", "wav", "wave", "w64", "rf64", "bwf"];

/// Sampling rate of [`Conversion::Pcm8`], in Hz.
pub(crate) const SPEECH_RATE: u32 = 16_000;

/// The format of a file's samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Format {
    rate: u32,
    channels: u16,
    bits: u16,
}

/// Receives the samples that a decoder reads.
trait Sink {
    /// Receives the format of the samples; called once, before the first frame.
    fn start(&mut self, format: Format) -> Result<()>;
    /// Receives one sample of each channel, signed, with the bits of the
    /// format.
    fn frame(&mut self, frame: &[i32]) -> Result<()>;
}

/// See [`Conversion`]. The first four bytes after any ID3 tags decide the
/// format.
pub(super) fn convert(
    conversion: Conversion,
    name: &str,
    input: &mut dyn Read,
    out: &mut dyn Write,
) -> Result<Sound> {
    let mut sink = convert::Writer::new(conversion, name, out);
    read(name, input, &mut sink)?;
    sink.finish()
}

/// Decodes a sound of any supported format.
fn read(name: &str, mut input: &mut dyn Read, sink: &mut dyn Sink) -> Result<()> {
    let unknown = || bad(name, "not a FLAC or WAV file by its first bytes");
    let mut magic = [0; 4];
    input.read_exact(&mut magic).map_err(|_| unknown())?;
    while magic.starts_with(b"ID3") {
        skip_id3(name, input)?;
        input.read_exact(&mut magic).map_err(|_| unknown())?;
    }
    match &magic {
        b"fLaC" => flac::decode(name, (&magic[..]).chain(input), sink),
        b"RIFF" | b"RIFX" | b"RF64" | b"BW64" | b"riff" => {
            wav::decode(name, magic, &mut input, sink)
        }
        _ => Err(unknown()),
    }
}

/// Skips the rest of an ID3v2 tag whose first four bytes have been read.
fn skip_id3(name: &str, input: &mut dyn Read) -> Result<()> {
    let mut rest = [0; 6];
    let truncated = || bad(name, "truncated ID3 tag");
    input.read_exact(&mut rest).map_err(|_| truncated())?;
    let [_, flags, size @ ..] = rest;
    // The size has seven bits per byte; a flag says that a footer of ten bytes
    // follows.
    let size = size
        .iter()
        .fold(0, |size, &byte| size << 7 | u64::from(byte & 0x7F));
    let size = size + if flags & 0x10 != 0 { 10 } else { 0 };
    let skipped = std::io::copy(&mut input.take(size), &mut std::io::sink())
        .map_err(MediaError::io("read", name))?;
    match skipped == size {
        true => Ok(()),
        false => Err(truncated()),
    }
}

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;
