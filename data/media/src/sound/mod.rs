//! Sounds to bytes. Samples stream through; nothing is held but a block.

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

/// Names of files that are taken for sounds.
pub(super) const EXTENSIONS: [&str; 6] = ["flac", "wav", "wave", "w64", "rf64", "bwf"];

/// Samples a second of [`Conversion::Pcm8`].
pub(crate) const SPEECH_RATE: u32 = 16_000;

/// What a file's samples are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Format {
    rate: u32,
    channels: u16,
    bits: u16,
}

/// Takes what a decoder finds.
trait Sink {
    /// What the samples will be; called once, before the first frame.
    fn start(&mut self, format: Format) -> Result<()>;
    /// One sample of each channel, signed, in the format's bits.
    fn frame(&mut self, frame: &[i32]) -> Result<()>;
}

/// See [`Conversion`]. The format is told by the first four bytes behind ID3 tags.
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

/// Decodes whatever sound it is.
fn read(name: &str, mut input: &mut dyn Read, sink: &mut dyn Sink) -> Result<()> {
    let unknown = || bad(name, "not a FLAC or WAV file, whatever it is called");
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

/// Passes over an ID3v2 tag behind its first four bytes.
fn skip_id3(name: &str, input: &mut dyn Read) -> Result<()> {
    let mut rest = [0; 6];
    let truncated = || bad(name, "truncated ID3 tag");
    input.read_exact(&mut rest).map_err(|_| truncated())?;
    let [_, flags, size @ ..] = rest;
    // Seven bits a byte; a flag says that a footer of ten bytes follows.
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
