//! What a file can become.

use std::fmt;
use std::io::{self, BufWriter, Read, Write};

use serde::{Deserialize, Serialize};

use crate::error::{MediaError, Result};
use crate::geometry::Geometry;
use crate::item::{Item, Shape};
use crate::picture::{self, Canvas, PATCH_HEIGHT, PATCH_WIDTH};
use crate::recognise::{Kind, recognise};
use crate::sound::{self, Pcm16};

/// What a file becomes.
///
/// Pictures are PNG, JPEG, WebP, PPM or PGM, told apart by their first bytes,
/// whatever they are called. Palettes are expanded, alpha is dropped, samples
/// of 16 bits lose their lower byte, CMYK becomes RGB as the JPEG decoder has
/// it. Sounds are FLAC or integer WAV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conversion {
    /// The file as it is.
    Bytes,
    /// A picture to 32x64 grey patches: the truncated mean of red, green and
    /// blue; patches from left to right and top to bottom, each row by row, 2048
    /// bytes a patch. What does not fill a patch at the right and lower edge is
    /// left out.
    GrayPatches,
    /// A picture to red, green and blue of each pixel, row by row.
    Rgb,
    /// A picture to all of its red, then all of its green, then all of its blue.
    RgbPlanar,
    /// A sound to unsigned 8-bit samples at 16 kHz: the mean of the channels,
    /// resampled where the rate is another, its upper eight bits plus 128.
    Pcm8,
    /// A sound to signed 16-bit little-endian samples at its own rate, channels
    /// interleaved. Wider samples lose their lower bits, narrower ones get zeros.
    Pcm16,
    /// As [`Conversion::Pcm16`], but the high bytes of 1024 samples come before
    /// their low bytes: a block is a chunk of the paper's length.
    Pcm16Planes,
    /// As [`Conversion::Pcm16`], but in place of each sample its difference from
    /// the one before in its channel, modulo 2^16, from 0 at the start of a file,
    /// high byte first: what a model of bytes predicts best.
    Pcm16Deltas,
}

impl Conversion {
    /// All conversions.
    pub const ALL: [Self; 8] = [
        Self::Bytes,
        Self::GrayPatches,
        Self::Rgb,
        Self::RgbPlanar,
        Self::Pcm8,
        Self::Pcm16,
        Self::Pcm16Planes,
        Self::Pcm16Deltas,
    ];

    /// The name in the registry and after `--as`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::GrayPatches => "gray-patches",
            Self::Rgb => "rgb",
            Self::RgbPlanar => "rgb-planar",
            Self::Pcm8 => "pcm8",
            Self::Pcm16 => "pcm16",
            Self::Pcm16Planes => "pcm16-planes",
            Self::Pcm16Deltas => "pcm16-deltas",
        }
    }

    /// The conversion of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.name() == name)
    }

    /// How the bytes lie and how to get back from them, for people who read
    /// `set.toml`.
    pub fn layout(self) -> &'static str {
        match self {
            Self::Bytes => "the files one after another, each `item.bytes` long",
            Self::GrayPatches => {
                "an item is floor(height/32) x floor(width/64) patches, from left to right, then \
                 down; a patch is 32 rows of 64 grey pixels of 8 bits"
            }
            Self::Rgb => {
                "an item is height rows of width pixels of 3 bytes: red, green, blue, 8 bits each"
            }
            Self::RgbPlanar => {
                "an item is 3 planes, red, green, blue; a plane is height rows of width bytes"
            }
            Self::Pcm8 => "an item is unsigned 8-bit samples of one channel at 16000 Hz",
            Self::Pcm16 => {
                "an item is signed 16-bit little-endian samples at `rate`, channels interleaved"
            }
            Self::Pcm16Planes => {
                "an item is blocks of 1024 signed 16-bit samples at `rate`, channels interleaved \
                 (the last block has what is left); a block is its high bytes, then its low bytes"
            }
            Self::Pcm16Deltas => {
                "an item is signed 16-bit big-endian differences of the samples at `rate` from \
                 those before them, modulo 2^16, channels interleaved; the first is from 0"
            }
        }
    }

    /// Why a file of a folder or archive does not take part, by its first
    /// [`HEAD_BYTES`](crate::HEAD_BYTES) bytes; `None` for one that does. A file
    /// that is called like one that should is tried all the same, so that a
    /// damaged one is not passed over.
    pub fn passes_over(self, file_name: &str, head: &[u8]) -> Option<&'static str> {
        let extension = file_name
            .rsplit_once('.')
            .map_or_else(String::new, |(_, e)| e.to_ascii_lowercase());
        let (wanted, names, unknown) = match self {
            Self::Bytes => return None,
            Self::GrayPatches | Self::Rgb | Self::RgbPlanar => (
                Kind::Picture,
                &picture::EXTENSIONS[..],
                "no PNG, JPEG, WebP or PPM picture",
            ),
            Self::Pcm8 | Self::Pcm16 | Self::Pcm16Planes | Self::Pcm16Deltas => {
                (Kind::Sound, &sound::EXTENSIONS[..], "no FLAC or WAV sound")
            }
        };
        match recognise(head) {
            kind if kind == wanted || names.contains(&&*extension) => None,
            Kind::Other(what) => Some(what),
            Kind::Picture => Some("a picture"),
            Kind::Sound => Some("a sound"),
            Kind::Unknown => Some(unknown),
        }
    }

    /// Converts one file and says what it was. `name` is its origin and serves
    /// error messages.
    ///
    /// # Errors
    /// [`MediaError::Decode`] for a file that is damaged, empty, too large or of
    /// another format, [`MediaError::Io`] when reading or writing fails.
    pub fn convert(self, name: &str, input: &mut dyn Read, out: &mut dyn Write) -> Result<Item> {
        let mut out = CountingWriter {
            inner: out,
            bytes: 0,
        };
        let shape = match self {
            Self::Bytes => {
                io::copy(input, &mut out).map_err(MediaError::io("copy", name))?;
                Shape::Bytes
            }
            Self::GrayPatches | Self::Rgb | Self::RgbPlanar => {
                Shape::Picture(picture::convert(self, name, input, &mut out)?)
            }
            Self::Pcm8 | Self::Pcm16 | Self::Pcm16Planes | Self::Pcm16Deltas => {
                Shape::Sound(sound::convert(self, name, input, &mut out)?)
            }
        };
        Ok(Item::new(name, out.bytes, shape))
    }

    /// How the bytes of a converted file lie; `None` for plain bytes, and for a
    /// file of another kind than this conversion makes.
    pub fn geometry(self, shape: Shape) -> Option<Geometry> {
        match (self, shape) {
            (Self::GrayPatches, Shape::Picture(picture)) => Some(Geometry::Patches {
                across: Some(picture.width as usize / PATCH_WIDTH),
            }),
            (Self::Rgb, Shape::Picture(picture)) => Some(Geometry::Rgb {
                width: picture.width as usize,
            }),
            (Self::RgbPlanar, Shape::Picture(picture)) => Some(Geometry::RgbPlanar {
                width: picture.width as usize,
                height: picture.height as usize,
            }),
            (Self::Pcm8, Shape::Sound(sound)) => Some(Geometry::Pcm8 { rate: sound.rate }),
            (_, Shape::Sound(sound)) => Pcm16::of(self).map(|order| Geometry::Pcm16 {
                order,
                channels: sound.channels,
                rate: sound.rate,
            }),
            _ => None,
        }
    }

    /// Bytes of a file of this shape, where the shape tells: of pictures. `None`
    /// inside where the number is beyond 64 bits.
    pub fn bytes_of(self, shape: Shape) -> Option<Option<u64>> {
        let Shape::Picture(picture) = shape else {
            return None;
        };
        let (width, height) = (u64::from(picture.width), u64::from(picture.height));
        Some(match self {
            Self::GrayPatches => {
                let (across, down) = (PATCH_WIDTH as u64, PATCH_HEIGHT as u64);
                (width / across * across).checked_mul(height / down * down)
            }
            _ => width.checked_mul(height).and_then(|n| n.checked_mul(3)),
        })
    }

    /// Makes a file of the bytes of `item`, which are the next ones of `data`: a
    /// PNG picture, a WAV sound, or the bytes. Of grey patches it is the part of
    /// the picture that they cover.
    ///
    /// # Errors
    /// Reading or writing fails; a sound of 4 GiB or more, which WAV cannot hold.
    pub fn restore(self, item: &Item, data: impl Read, out: &mut impl Write) -> io::Result<()> {
        let mut data = data.take(item.bytes);
        match self.geometry(item.shape()) {
            None => io::copy(&mut data, out).map(drop),
            Some(geometry) if geometry.is_picture() => {
                let mut bytes = Vec::new();
                data.read_to_end(&mut bytes)?;
                let canvas = Canvas::new(geometry, 0, bytes.len()).expect("a picture");
                out.write_all(&canvas.png(&bytes)?)
            }
            Some(geometry) => {
                let mut out = BufWriter::new(out);
                sound::copy_wav(geometry, item.bytes, &mut data, &mut out)?;
                out.flush()
            }
        }
    }
}

/// Counts the bytes on their way.
struct CountingWriter<'a> {
    inner: &'a mut dyn Write,
    bytes: u64,
}

impl Write for CountingWriter<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buf)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl fmt::Display for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
