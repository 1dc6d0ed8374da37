//! Decodes FLAC (RFC 9639): 4 to 32 bits, up to 8 channels, blocks of any
//! length. Tags before and after the stream are skipped.
//!
//! The checksums of all frames are verified and, if the file has it, the MD5 of
//! all samples. A stream is either decoded to the samples that were encoded, or
//! refused.

mod bits;
mod frame;
mod subframe;

use std::io::{self, Read};

use md5::{Digest, Md5};

use super::{Format, Sink, bad};
use crate::error::{MediaError, Result};
use bits::Bits;
use frame::{Stream, begins, frame};

/// Why a stream cannot be decoded.
enum Fault {
    /// The stream ends too early.
    End,
    /// The stream does not follow the FLAC format at this position; the text
    /// says how.
    Damaged(&'static str),
    /// Reading failed.
    Io(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Fault {
    fn of(self, name: &str) -> MediaError {
        match self {
            Self::End => bad(name, "damaged FLAC: it ends too early"),
            Self::Damaged(what) => bad(name, format!("damaged FLAC: {what}")),
            Self::Io(source) => MediaError::io("read", name)(source),
        }
    }
}

/// The first metadata block.
struct Info {
    format: Format,
    /// Samples of each channel, if known.
    samples: Option<u64>,
    /// MD5 of all samples, if known.
    md5: Option<[u8; 16]>,
}

pub(super) fn decode(name: &str, input: impl Read, sink: &mut dyn Sink) -> Result<()> {
    let mut bits = Bits::new(input);
    let fault = |fault: Fault| fault.of(name);
    let info = metadata(&mut bits).map_err(fault)?;
    sink.start(info.format)?;
    let stream = Stream {
        channels: info.format.channels.into(),
        bits: info.format.bits.into(),
    };
    let mut samples = vec![Vec::new(); stream.channels];
    let mut one = vec![0; stream.channels];
    let mut md5 = Md5::new();
    let mut packed = Vec::new();
    let mut read = 0;
    while more(&mut bits, info.samples, read).map_err(fault)? {
        frame(&mut bits, stream, &mut samples).map_err(fault)?;
        let length = samples[0].len();
        packed.clear();
        for time in 0..length {
            for (sample, channel) in one.iter_mut().zip(&samples) {
                // `frame` has checked that it has at most 32 bits.
                *sample = channel[time] as i32;
                let bytes = sample.to_le_bytes();
                packed.extend_from_slice(&bytes[..stream.bits.div_ceil(8) as usize]);
            }
            sink.frame(&one)?;
        }
        if info.md5.is_some() {
            md5.update(&packed);
        }
        read += length as u64;
    }
    if let Some(samples) = info.samples.filter(|&samples| samples != read) {
        let message = format!("damaged FLAC: {read} of {samples} samples");
        return Err(bad(name, message));
    }
    match info.md5 {
        Some(expected) if expected[..] != md5.finalize()[..] => Err(bad(
            name,
            "damaged FLAC: the MD5 of its samples does not match",
        )),
        _ => Ok(()),
    }
}

/// Whether another frame follows after `read` samples. Tags after the last
/// frame do not count.
fn more<R: Read>(bits: &mut Bits<R>, samples: Option<u64>, read: u64) -> Result<bool, Fault> {
    let next = bits.peek(8)?;
    let tag = next.starts_with(b"TAG") || next.starts_with(b"APETAGEX");
    Ok(match samples {
        Some(samples) if read >= samples => begins(next),
        _ => !next.is_empty() && !tag,
    })
}

/// Reads the metadata blocks, up to the first frame.
fn metadata<R: Read>(bits: &mut Bits<R>) -> Result<Info, Fault> {
    for &letter in b"fLaC" {
        if bits.unsigned(8)? != u64::from(letter) {
            return Err(Fault::Damaged("it does not begin with `fLaC`"));
        }
    }
    let mut info = None;
    loop {
        let last = bits.unsigned(1)? == 1;
        let kind = bits.unsigned(7)?;
        let length = bits.unsigned(24)?;
        match (kind, &info) {
            (0, None) if length == 34 => info = Some(stream_info(bits)?),
            (_, None) => {
                return Err(Fault::Damaged(
                    "it does not begin with the block STREAMINFO",
                ));
            }
            _ => bits.skip(length as usize)?,
        }
        if last {
            return info.ok_or(Fault::End);
        }
    }
}

fn stream_info<R: Read>(bits: &mut Bits<R>) -> Result<Info, Fault> {
    // The smallest and largest block and frame. They are only hints, and 0 in
    // some files.
    bits.unsigned(32)?;
    bits.unsigned(48)?;
    let rate = bits.unsigned(20)? as u32;
    let channels = bits.unsigned(3)? as u16 + 1;
    let depth = bits.unsigned(5)? as u16 + 1;
    let samples = bits.unsigned(36)?;
    let mut md5 = [0; 16];
    for byte in &mut md5 {
        *byte = bits.unsigned(8)? as u8;
    }
    if depth < 4 {
        return Err(Fault::Damaged("samples of fewer than 4 bits"));
    }
    Ok(Info {
        format: Format {
            rate,
            channels,
            bits: depth,
        },
        samples: Some(samples).filter(|&samples| samples > 0),
        md5: Some(md5).filter(|md5| md5 != &[0; 16]),
    })
}
