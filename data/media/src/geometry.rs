//! The layout of pictures and sounds in bytes.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::picture::{PATCH_HEIGHT, PATCH_WIDTH};
use crate::sound::{Pcm16, Pcm16Blocks, SPEECH_RATE};

/// How bytes are laid out: as rows of pixels, or as samples of sound. Bytes of
/// unknown meaning have no geometry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Geometry {
    /// Grey patches of 32 rows of 64 pixels, one byte per pixel, 2048 per patch.
    Patches {
        /// Patches side by side in a row; `None` chooses a number that makes
        /// the picture about square.
        across: Option<usize>,
    },
    /// Rows of grey pixels, a byte each.
    Gray {
        /// Pixels of a row.
        width: usize,
    },
    /// Rows of pixels of red, green and blue, a byte each.
    Rgb {
        /// Pixels of a row.
        width: usize,
    },
    /// Pictures of one size; each is stored as all of its red, then all of its
    /// green, then all of its blue.
    RgbPlanar {
        /// Pixels of a row.
        width: usize,
        /// Rows of a picture.
        height: usize,
    },
    /// Unsigned 8-bit samples of one channel.
    Pcm8 {
        /// Sampling rate in Hz.
        rate: u32,
    },
    /// Signed 16-bit samples, channels interleaved.
    Pcm16 {
        /// The layout of the two bytes of a sample.
        order: Pcm16,
        /// Channels, at least one.
        channels: u16,
        /// Sampling rate in Hz.
        rate: u32,
    },
}

/// A text that does not describe a geometry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no geometry: there are patches[:ACROSS], gray:WIDTH, rgb:WIDTH, \
     rgb-planar:WIDTHxHEIGHT, pcm8[:RATE], and pcm16, pcm16-planes and pcm16-deltas with \
     [:RATE] or :RATExCHANNELS"
)]
pub struct GeometryError(String);

impl Geometry {
    /// The geometry of the pictures in the paper.
    pub const PATCHES: Self = Self::Patches { across: None };

    /// The geometry of the sounds in the paper.
    pub const SPEECH: Self = Self::Pcm8 { rate: SPEECH_RATE };

    /// Bytes of the smallest complete unit: a patch, a pixel, a planar picture,
    /// or one sample of every channel. For samples in planes, it is the
    /// shortest run of whole blocks that ends with a sample of the last
    /// channel.
    pub fn unit(self) -> usize {
        match self {
            Self::Patches { .. } => PATCH_WIDTH * PATCH_HEIGHT,
            Self::Gray { .. } => 1,
            Self::Rgb { .. } => 3,
            Self::RgbPlanar { width, height } => 3 * width * height,
            Self::Pcm16 {
                order: Pcm16::Planes,
                ..
            } => Pcm16Blocks::SAMPLES * self.frame(),
            Self::Pcm8 { .. } | Self::Pcm16 { .. } => self.frame(),
        }
    }

    /// Bytes of one sample of every channel; for pictures, of a pixel.
    pub fn frame(self) -> usize {
        match self {
            Self::Patches { .. } | Self::Gray { .. } | Self::Pcm8 { .. } => 1,
            Self::Rgb { .. } | Self::RgbPlanar { .. } => 3,
            Self::Pcm16 { channels, .. } => 2 * usize::from(channels.max(1)),
        }
    }

    /// Whether this is a picture; otherwise it is a sound.
    pub fn is_picture(self) -> bool {
        !matches!(self, Self::Pcm8 { .. } | Self::Pcm16 { .. })
    }

    /// Sampling rate in Hz, and bits per sample; `None` for pictures.
    pub fn sound(self) -> Option<(u32, u16)> {
        match self {
            Self::Pcm8 { rate } => Some((rate, 8)),
            Self::Pcm16 { rate, .. } => Some((rate, 16)),
            _ => None,
        }
    }

    /// The samples as a WAV file stores them: 16-bit samples little-endian,
    /// 8-bit samples unchanged. Differences are summed up, starting from 0 even
    /// if the bytes begin in the middle of a sound. Planes are assumed to start
    /// at the first byte.
    pub fn samples(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Pcm16 {
                order: order @ (Pcm16::Planes | Pcm16::Deltas),
                channels,
                ..
            } => {
                let mut blocks = Pcm16Blocks::new(order, channels.max(1).into());
                let samples = bytes
                    .chunks(2 * Pcm16Blocks::SAMPLES)
                    .flat_map(|block| blocks.to_samples(block));
                Cow::Owned(samples.flat_map(i16::to_le_bytes).collect())
            }
            _ => Cow::Borrowed(bytes),
        }
    }

    /// Reorders one value for each byte, such as its cost, into the order of
    /// [`samples`](Self::samples): the values of one sample become neighbours.
    pub fn beside<T: Copy>(self, values: &[T]) -> Cow<'_, [T]> {
        let Self::Pcm16 {
            order: Pcm16::Planes,
            ..
        } = self
        else {
            return Cow::Borrowed(values);
        };
        let blocks = values.chunks(2 * Pcm16Blocks::SAMPLES);
        let pairs = blocks.flat_map(|block| {
            let (high, low) = block.split_at(block.len() / 2);
            high.iter().zip(low).flat_map(|(&high, &low)| [low, high])
        });
        Cow::Owned(pairs.collect())
    }
}

impl FromStr for Geometry {
    type Err = GeometryError;

    /// Parses `patches[:ACROSS]`, `gray:WIDTH`, `rgb:WIDTH`,
    /// `rgb-planar:WIDTHxHEIGHT`, `pcm8[:RATE]`, or `pcm16`, `pcm16-planes`,
    /// `pcm16-deltas` with `[:RATE]` or `:RATExCHANNELS`.
    ///
    /// ```
    /// use brevity_media::Geometry;
    /// assert_eq!("rgb:768".parse(), Ok(Geometry::Rgb { width: 768 }));
    /// assert_eq!("pcm8".parse(), Ok(Geometry::Pcm8 { rate: 16_000 }));
    /// assert!("rgb".parse::<Geometry>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || GeometryError(text.to_owned());
        let number = |text: &str| {
            let number = text.parse::<u32>().ok();
            let fits = number.filter(|n| (1..=1 << 20).contains(n));
            fits.ok_or_else(fault)
        };
        let (name, numbers) = match text.split_once(':') {
            None => (text, None),
            Some((name, numbers)) => match numbers.split_once('x') {
                None => (name, Some((number(numbers)?, None))),
                Some((first, second)) => (name, Some((number(first)?, Some(number(second)?)))),
            },
        };
        let pcm16 = |order| {
            let (rate, channels) = numbers.unwrap_or((SPEECH_RATE, None));
            let channels = u16::try_from(channels.unwrap_or(1)).map_err(|_| fault())?;
            Ok(Self::Pcm16 {
                order,
                channels,
                rate,
            })
        };
        match (name, numbers) {
            ("patches", None) => Ok(Self::PATCHES),
            ("patches", Some((across, None))) => Ok(Self::Patches {
                across: Some(across as usize),
            }),
            ("gray", Some((width, None))) => Ok(Self::Gray {
                width: width as usize,
            }),
            ("rgb", Some((width, None))) => Ok(Self::Rgb {
                width: width as usize,
            }),
            ("rgb-planar", Some((width, Some(height)))) => Ok(Self::RgbPlanar {
                width: width as usize,
                height: height as usize,
            }),
            ("pcm8", None) => Ok(Self::SPEECH),
            ("pcm8", Some((rate, None))) => Ok(Self::Pcm8 { rate }),
            ("pcm16", _) => pcm16(Pcm16::LittleEndian),
            ("pcm16-planes", _) => pcm16(Pcm16::Planes),
            ("pcm16-deltas", _) => pcm16(Pcm16::Deltas),
            _ => Err(fault()),
        }
    }
}

impl fmt::Display for Geometry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Patches { across: None } => f.write_str("patches"),
            Self::Patches { across: Some(n) } => write!(f, "patches:{n}"),
            Self::Gray { width } => write!(f, "gray:{width}"),
            Self::Rgb { width } => write!(f, "rgb:{width}"),
            Self::RgbPlanar { width, height } => write!(f, "rgb-planar:{width}x{height}"),
            Self::Pcm8 { rate } => write!(f, "pcm8:{rate}"),
            Self::Pcm16 {
                order,
                channels,
                rate,
            } => {
                f.write_str(match order {
                    Pcm16::LittleEndian => "pcm16",
                    Pcm16::Planes => "pcm16-planes",
                    Pcm16::Deltas => "pcm16-deltas",
                })?;
                write!(f, ":{rate}")?;
                match channels {
                    1 => Ok(()),
                    channels => write!(f, "x{channels}"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips() {
        for text in [
            "patches",
            "patches:12",
            "gray:64",
            "rgb:768",
            "rgb-planar:768x512",
            "pcm16:44100",
            "pcm16-deltas:8000",
            "pcm16-planes:48000x2",
        ] {
            assert_eq!(text.parse::<Geometry>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "gray",
            "rgb:0",
            "rgb:-1",
            "rgb:3x4",
            "rgb-planar:3",
            "pcm8:x",
            "pcm16:8000x0",
            "pcm16:8000x70000",
            "jpeg:3",
        ] {
            assert!(text.parse::<Geometry>().is_err(), "{text}");
        }
    }

    #[test]
    fn planes_and_differences_become_samples() {
        let stereo = |order| Geometry::Pcm16 {
            order,
            channels: 2,
            rate: 8000,
        };
        let samples: Vec<i16> = (0..4000).map(|i| (i * 19) as i16).collect();
        let plain: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
        for order in [Pcm16::LittleEndian, Pcm16::Planes, Pcm16::Deltas] {
            let mut blocks = Pcm16Blocks::new(order, 2);
            let chunks = samples.chunks(Pcm16Blocks::SAMPLES);
            let bytes: Vec<u8> = chunks.flat_map(|block| blocks.to_bytes(block)).collect();
            assert!(stereo(order).samples(&bytes) == plain, "{order:?}");
        }
        let planes = stereo(Pcm16::Planes);
        assert_eq!(planes.beside(&[1, 2, 3, 4])[..], [3, 1, 4, 2]);
        assert_eq!(planes.unit() % planes.frame(), 0);
    }
}
