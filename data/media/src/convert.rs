//! Converts files to bytes, and bytes back to files.

use std::io::{self, BufWriter, Read, Write};

use crate::conversion::Conversion;
use crate::error::{MediaError, Result};
use crate::geometry::Geometry;
use crate::item::{Item, Shape};
use crate::picture::{self, Canvas, PATCH_HEIGHT, PATCH_WIDTH};
use crate::recognise::{Kind, recognise};
use crate::sound::{self, Pcm16};

impl Conversion {
    /// Why a file of a folder or archive is left out, judged by its first
    /// [`HEAD_BYTES`](crate::HEAD_BYTES) bytes; `None` if it is converted. A
    /// file whose name has a suitable extension is always converted, so that a
    /// damaged file gives an error and is not skipped in silence.
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

    /// Converts one file and returns its description. `name` is its origin;
    /// error messages name it.
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

    /// The layout of a converted file's bytes; `None` for plain bytes, and if
    /// this conversion does not apply to files of this shape.
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

    /// The number of bytes after conversion, if the shape determines it, as for
    /// pictures.
    pub fn bytes_of(self, shape: Shape) -> Option<u128> {
        let Shape::Picture(picture) = shape else {
            return None;
        };
        let (width, height) = (u128::from(picture.width), u128::from(picture.height));
        Some(match self {
            Self::GrayPatches => {
                let (across, down) = (PATCH_WIDTH as u128, PATCH_HEIGHT as u128);
                width / across * across * (height / down * down)
            }
            _ => width * height * 3,
        })
    }

    /// Writes the next `item.bytes` bytes of `data` as a file: a PNG picture, a
    /// WAV sound, or the bytes as they are. Grey patches give the part of the
    /// picture that they cover.
    ///
    /// # Errors
    /// If reading or writing fails, or a sound has 4 GiB or more, which WAV
    /// cannot hold.
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

/// Counts the bytes that are written through it.
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
