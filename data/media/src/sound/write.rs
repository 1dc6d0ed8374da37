//! Writes samples as a WAV file.

use std::io::{self, Read, Write};

use super::{Pcm16, Pcm16Blocks};
use crate::geometry::Geometry;

/// The header of a WAV file of integer samples.
struct Header {
    channels: u16,
    rate: u32,
    bits: u16,
    /// Bytes of all samples.
    len: u32,
}

impl Header {
    /// The header for `len` bytes of samples; `None` if a WAV file cannot be so
    /// long.
    fn new(geometry: Geometry, len: u64) -> Option<Self> {
        let (rate, bits) = geometry.sound()?;
        let channels = match geometry {
            Geometry::Pcm16 { channels, .. } => channels,
            _ => 1,
        };
        Some(Self {
            channels,
            rate,
            bits,
            len: u32::try_from(len)
                .ok()
                .filter(|&len| len <= u32::MAX - 37)?,
        })
    }

    /// Chunks are padded to an even length.
    fn padding(&self) -> u32 {
        self.len % 2
    }

    fn to_bytes(&self) -> Vec<u8> {
        let frame = u32::from(self.channels) * u32::from(self.bits / 8);
        let mut bytes = Vec::with_capacity(44);
        bytes.extend(b"RIFF");
        bytes.extend((36 + self.len + self.padding()).to_le_bytes());
        bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0");
        bytes.extend(self.channels.to_le_bytes());
        bytes.extend(self.rate.to_le_bytes());
        bytes.extend(self.rate.saturating_mul(frame).to_le_bytes());
        bytes.extend((frame as u16).to_le_bytes());
        bytes.extend(self.bits.to_le_bytes());
        bytes.extend(b"data");
        bytes.extend(self.len.to_le_bytes());
        bytes
    }
}

/// Makes a WAV file of the bytes of a sound; `None` for a geometry of pictures.
///
/// # Panics
/// If there are 4 GiB of samples or more, which the format cannot express.
///
/// ```
/// use brevity_media::{Geometry, wav};
/// let file = wav(Geometry::SPEECH, &[128; 16_000]).unwrap();
/// assert_eq!(file.len(), 44 + 16_000);
/// assert!(wav(Geometry::PATCHES, &[0; 2048]).is_none());
/// ```
pub fn wav(geometry: Geometry, bytes: &[u8]) -> Option<Vec<u8>> {
    geometry.sound()?;
    let samples = geometry.samples(bytes);
    let header = Header::new(geometry, samples.len() as u64).expect("less than 4 GiB");
    let mut file = header.to_bytes();
    file.extend_from_slice(&samples);
    file.resize(file.len() + header.padding() as usize, 0);
    Some(file)
}

/// Like [`wav`], for the next `len` bytes of `data`, which are one sound.
///
/// # Errors
/// If the sound has 4 GiB or more, or reading or writing fails.
pub(crate) fn copy_wav(
    geometry: Geometry,
    len: u64,
    data: &mut impl Read,
    out: &mut impl Write,
) -> io::Result<()> {
    let header = Header::new(geometry, len)
        .ok_or_else(|| io::Error::other("a WAV file cannot be longer than 4 GiB"))?;
    out.write_all(&header.to_bytes())?;
    match geometry {
        Geometry::Pcm16 {
            order: order @ (Pcm16::Planes | Pcm16::Deltas),
            channels,
            ..
        } => {
            let mut blocks = Pcm16Blocks::new(order, channels.max(1).into());
            let mut block = Vec::new();
            loop {
                block.clear();
                data.take(2 * Pcm16Blocks::SAMPLES as u64)
                    .read_to_end(&mut block)?;
                if block.is_empty() {
                    break;
                }
                for sample in blocks.to_samples(&block) {
                    out.write_all(&sample.to_le_bytes())?;
                }
            }
        }
        _ => {
            io::copy(data, out)?;
        }
    }
    out.write_all(&vec![0; header.padding() as usize])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Conversion;

    #[test]
    fn import_reads_it_back() {
        let samples: Vec<u8> = (0..=200).collect();
        let file = wav(Geometry::SPEECH, &samples).unwrap();
        assert_eq!(file.len() % 2, 0);
        let mut back = Vec::new();
        let convert = Conversion::Pcm8.convert("a.wav", &mut &file[..], &mut back);
        assert!(convert.is_ok());
        assert_eq!(back, samples);
    }
}
