//! Sounds to bytes. Samples stream through; nothing is held but a block.

mod convert;
mod flac;
mod pcm16;
mod resample;
mod wav;
mod write;

use std::io::{Read, Write};

use crate::conversion::Conversion;
use crate::error::{Result, bad};
use crate::item::Sound;

pub use pcm16::{Pcm16, Pcm16Blocks};
pub(crate) use write::copy_wav;
pub use write::wav;

/// Names of files that are taken for sounds.
pub(super) const EXTENSIONS: [&str; 2] = ["flac", "wav"];

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

/// See [`Conversion`]. The format is told by the first four bytes.
pub(super) fn convert(
    conversion: Conversion,
    name: &str,
    input: &mut dyn Read,
    out: &mut dyn Write,
) -> Result<Sound> {
    let mut magic = [0; 4];
    let unknown = "not a FLAC or WAV file, whatever it is called";
    input
        .read_exact(&mut magic)
        .map_err(|_| bad(name, unknown))?;
    let whole = (&magic[..]).chain(input);
    let mut sink = convert::Writer::new(conversion, name, out);
    match &magic {
        b"fLaC" => flac::decode(name, whole, &mut sink)?,
        b"RIFF" => wav::decode(name, whole, &mut sink)?,
        _ => return Err(bad(name, unknown)),
    }
    sink.finish()
}

#[cfg(test)]
mod tests;
