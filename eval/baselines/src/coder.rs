//! The list of coders and their names.

use std::io;

use super::raster::Format;
use super::{BaselineError, cjxl, pictures, sounds, streams};
use brevity_media::Geometry;

/// A classical lossless coder at one setting.
///
/// All coders accept arbitrary bytes. Those for pictures and sound interpret the bytes by
/// a [`Geometry`], by default as rows of 64 grey pixels or samples of one channel. They
/// compress well only if the geometry is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coder {
    /// `gzip -9`: deflate, 32 KiB window.
    Gzip,
    /// `xz -6`: LZMA2 with an 8 MiB dictionary, the paper's "LZMA2".
    Xz,
    /// `xz -9e`: LZMA2 with a 64 MiB dictionary, extreme.
    XzExtreme,
    /// `zstd -19`.
    Zstd,
    /// `zstd --ultra -22 --long`, with a window that covers the input.
    ZstdUltra,
    /// `brotli` quality 11, with a window that covers the input.
    Brotli,
    /// `bzip2 -9`: Burrows-Wheeler in blocks of 900 kB.
    Bzip2,
    /// PPMd variant H of order 8, the strongest classical text coder here.
    Ppmd,
    /// PNG of the bytes as rows of 64 grey pixels, the geometry of the paper's patches.
    Png,
    /// PNG with rows of 32 pixels. The paper measured this: its patches with width and
    /// height exchanged.
    PngPaper,
    /// PNG with everything in `oxipng -o max` except zopfli.
    Oxipng,
    /// WebP lossless by libwebp at maximum effort.
    Webp,
    /// JPEG XL lossless in its fast mode, the only mode of an encoder with a permissive
    /// licence. Its streams are decoded if `djxl` is on the PATH.
    Jxl,
    /// `cjxl -d 0 -e 9`, if `cjxl` and `djxl` are on the PATH.
    Cjxl,
    /// FLAC of the bytes as unsigned 8-bit samples at 16 kHz.
    Flac8,
    /// FLAC of the bytes as 16-bit samples.
    Flac16,
}

impl Coder {
    /// The general-purpose coders, the default of `baselines`.
    pub const DEFAULT: &'static [Self] = &[
        Self::Gzip,
        Self::Xz,
        Self::XzExtreme,
        Self::Zstd,
        Self::ZstdUltra,
        Self::Brotli,
        Self::Bzip2,
        Self::Ppmd,
    ];

    /// The picture coders that need no other program.
    pub const PICTURES: &'static [Self] = &[
        Self::Png,
        Self::PngPaper,
        Self::Oxipng,
        Self::Webp,
        Self::Jxl,
    ];

    /// The sound coders.
    pub const SOUNDS: &'static [Self] = &[Self::Flac8, Self::Flac16];

    /// All coders.
    pub const ALL: &'static [Self] = &[
        Self::Gzip,
        Self::Xz,
        Self::XzExtreme,
        Self::Zstd,
        Self::ZstdUltra,
        Self::Brotli,
        Self::Bzip2,
        Self::Ppmd,
        Self::Png,
        Self::PngPaper,
        Self::Oxipng,
        Self::Webp,
        Self::Jxl,
        Self::Cjxl,
        Self::Flac8,
        Self::Flac16,
    ];

    /// Name and setting, such as `zstd -22`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip -9",
            Self::Xz => "xz -6",
            Self::XzExtreme => "xz -9e",
            Self::Zstd => "zstd -19",
            Self::ZstdUltra => "zstd -22",
            Self::Brotli => "brotli -11",
            Self::Bzip2 => "bzip2 -9",
            Self::Ppmd => "ppmd -o8",
            Self::Png => "png 64",
            Self::PngPaper => "png 32",
            Self::Oxipng => "oxipng",
            Self::Webp => "webp",
            Self::Jxl => "jxl",
            Self::Cjxl => "cjxl -e9",
            Self::Flac8 => "flac 8",
            Self::Flac16 => "flac 16",
        }
    }

    /// The coder with this [`name`](Self::name), or the first whose name begins with
    /// this word: `xz` is `xz -6`.
    ///
    /// # Errors
    ///
    /// An unknown name; the error lists the known ones.
    pub fn from_name(name: &str) -> Result<Self, BaselineError> {
        Self::ALL
            .iter()
            .copied()
            .find(|c| c.name() == name)
            .or_else(|| {
                let first_word = |c: &Self| c.name().split(' ').next() == Some(name);
                Self::ALL.iter().copied().find(first_word)
            })
            .ok_or_else(|| BaselineError::UnknownCoder {
                name: name.to_owned(),
                known: Self::ALL
                    .iter()
                    .map(|c| c.name())
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }

    /// Whether it can run; [`Coder::Cjxl`] needs the programs `cjxl` and `djxl`.
    #[must_use]
    pub fn available(self) -> bool {
        self != Self::Cjxl || cjxl::encoder()
    }

    /// Whether its streams can be decoded; those of [`Coder::Jxl`] need the program
    /// `djxl`.
    #[must_use]
    pub fn decodes(self) -> bool {
        self != Self::Jxl || cjxl::decoder()
    }

    /// Its picture format, and the pixels per row for bytes without a geometry.
    const fn picture(self) -> Option<(Format, usize)> {
        Some(match self {
            Self::Png => (pictures::PNG, 64),
            Self::PngPaper => (pictures::PNG, 32),
            Self::Oxipng => (pictures::OXIPNG, 64),
            Self::Webp => (pictures::WEBP, 64),
            Self::Jxl => (pictures::JXL, 64),
            Self::Cjxl => (cjxl::CJXL, 64),
            _ => return None,
        })
    }

    /// Whether it compresses bytes of a geometry piece by piece.
    pub(super) fn uses(self, geometry: Geometry) -> bool {
        match geometry {
            // Width and height are exchanged for patches only.
            Geometry::Rgb { .. } | Geometry::RgbPlanar { .. } => {
                self.picture().is_some() && self != Self::PngPaper
            }
            Geometry::Pcm16 { .. } => self == Self::Flac16,
            _ => false,
        }
    }

    pub(super) fn compress(self, data: &[u8], geometry: Option<Geometry>) -> io::Result<Vec<u8>> {
        if let Some((format, width)) = self.picture() {
            return pictures::compress(format, data, geometry, width);
        }
        match self {
            Self::Xz => streams::xz(data, 6),
            Self::XzExtreme => streams::xz(data, 9 | streams::XZ_EXTREME),
            Self::Zstd => streams::zstd(data, 19, false),
            Self::ZstdUltra => streams::zstd(data, 22, true),
            Self::Brotli => streams::brotli(data),
            Self::Bzip2 => streams::bzip2(data),
            Self::Ppmd => streams::ppmd(data),
            Self::Flac8 => sounds::flac8(data),
            Self::Flac16 => sounds::flac16(data, geometry),
            _ => streams::gzip(data),
        }
    }

    /// `len` is the length of the data, which the container of the stream records.
    pub(super) fn decompress(
        self,
        stream: &[u8],
        geometry: Option<Geometry>,
        len: usize,
    ) -> io::Result<Vec<u8>> {
        if let Some((format, width)) = self.picture() {
            return pictures::decompress(format, stream, geometry, width, len);
        }
        match self {
            Self::Xz | Self::XzExtreme => streams::unxz(stream),
            Self::Zstd | Self::ZstdUltra => streams::unzstd(stream, len),
            Self::Brotli => streams::unbrotli(stream),
            Self::Bzip2 => streams::bunzip2(stream),
            Self::Ppmd => streams::unppmd(stream),
            Self::Flac8 => sounds::unflac8(stream),
            Self::Flac16 => sounds::unflac16(stream, geometry, len),
            _ => streams::gunzip(stream),
        }
    }
}
