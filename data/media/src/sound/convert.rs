//! Converts samples to bytes.

use std::io::{BufWriter, Write};

use super::pcm16::{Pcm16, Pcm16Blocks};
use super::resample::Resampler;
use super::{Format, SPEECH_RATE, Sink, bad};
use crate::conversion::Conversion;
use crate::error::{MediaError, Result};
use crate::item::Sound;

/// Rates in Hz that are resampled. Other rates would make a small file very
/// large, or are not believable.
const RESAMPLED: std::ops::RangeInclusive<u32> = 100..=1_048_575;

/// Converts frames and writes them.
pub(super) struct Writer<'a> {
    conversion: Conversion,
    name: &'a str,
    out: BufWriter<&'a mut dyn Write>,
    format: Option<Format>,
    resampler: Option<Resampler>,
    /// How samples of 16 bits become bytes.
    blocks: Option<Pcm16Blocks>,
    /// Samples of 16 bits that have not been written yet.
    block: Vec<i16>,
    frames: u64,
}

impl<'a> Writer<'a> {
    pub fn new(conversion: Conversion, name: &'a str, out: &'a mut dyn Write) -> Self {
        Self {
            conversion,
            name,
            out: BufWriter::new(out),
            format: None,
            resampler: None,
            blocks: None,
            block: Vec::with_capacity(Pcm16Blocks::SAMPLES),
            frames: 0,
        }
    }

    /// Writes the remaining samples and returns the format of the sound.
    pub fn finish(mut self) -> Result<Sound> {
        let format = self.format.expect("decoders start before they end");
        if self.frames == 0 {
            return Err(bad(self.name, "the sound has no samples"));
        }
        if let Some(mut resampler) = self.resampler.take() {
            resampler.finish(&mut |sample| self.put(&[byte_of(sample)]))?;
        }
        self.flush_block()?;
        self.out
            .flush()
            .map_err(MediaError::io("write the samples of", self.name))?;
        let speech = self.conversion == Conversion::Pcm8;
        Ok(Sound {
            rate: if speech { SPEECH_RATE } else { format.rate },
            channels: if speech { 1 } else { format.channels },
            file_rate: format.rate,
            file_channels: format.channels,
            file_bits: format.bits,
        })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.out
            .write_all(bytes)
            .map_err(MediaError::io("write the samples of", self.name))
    }

    fn flush_block(&mut self) -> Result<()> {
        if let Some(blocks) = &mut self.blocks {
            let bytes = blocks.to_bytes(&self.block);
            self.block.clear();
            self.put(&bytes)?;
        }
        Ok(())
    }
}

impl Sink for Writer<'_> {
    fn start(&mut self, format: Format) -> Result<()> {
        let resampled = self.conversion == Conversion::Pcm8 && format.rate != SPEECH_RATE;
        if format.rate == 0 || resampled && !RESAMPLED.contains(&format.rate) {
            let message = format!("a rate of {} Hz makes no sense", format.rate);
            return Err(bad(self.name, message));
        }
        if resampled {
            self.resampler = Some(Resampler::new(format.rate, SPEECH_RATE));
        }
        self.blocks =
            Pcm16::of(self.conversion).map(|order| Pcm16Blocks::new(order, format.channels.into()));
        self.format = Some(format);
        Ok(())
    }

    fn frame(&mut self, frame: &[i32]) -> Result<()> {
        self.frames += 1;
        let bits = self.format.expect("decoders start first").bits;
        match self.conversion {
            Conversion::Pcm8 => {
                let sum: i64 = frame.iter().map(|&s| i64::from(s)).sum();
                match self.resampler.take() {
                    None => {
                        let mean = sum.div_euclid(frame.len() as i64);
                        let top = to_width(mean, bits, 8);
                        self.put(&[(top + 128).clamp(0, 255) as u8])
                    }
                    Some(mut resampler) => {
                        let full = frame.len() as f64 * (1i64 << (bits - 1)) as f64;
                        let put = &mut |sample| self.put(&[byte_of(sample)]);
                        resampler.push(sum as f64 / full, put)?;
                        self.resampler = Some(resampler);
                        Ok(())
                    }
                }
            }
            _ => {
                for &sample in frame {
                    self.block.push(to_width(sample.into(), bits, 16) as i16);
                    if self.block.len() == Pcm16Blocks::SAMPLES {
                        self.flush_block()?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// Converts a sample of `bits` bits to one of `width` bits: drops the lower
/// bits, or appends zeros.
fn to_width(sample: i64, bits: u16, width: u16) -> i64 {
    if bits >= width {
        sample >> (bits - width)
    } else {
        sample << (width - bits)
    }
}

/// A sample in [-1, 1) as an unsigned byte, truncated in the same way as
/// integer samples.
fn byte_of(sample: f64) -> u8 {
    ((sample * 128.0).floor() + 128.0).clamp(0.0, 255.0) as u8
}
