//! The list of coders, by name.

use std::io;

use super::{BaselineError, streams};

/// A classical lossless coder at one setting.
///
/// All of them code arbitrary bytes; the two PNG entries treat the bytes as the
/// rows of a grey image, which only pays on images.
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
    /// PPMd variant H of order 8, the strongest classical coder of text here.
    Ppmd,
    /// PNG of the bytes as rows of 64 grey pixels, the geometry of the paper's patches.
    Png,
    /// PNG with rows of 32 pixels: what the paper measured, width and height exchanged.
    PngPaper,
}

impl Coder {
    /// The general-purpose coders, what `baselines` runs unless told otherwise.
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

    /// Every coder there is.
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
        }
    }

    /// The coder with that [`name`](Self::name).
    ///
    /// # Errors
    ///
    /// Lists the known names when there is none.
    pub fn from_name(name: &str) -> Result<Self, BaselineError> {
        Self::ALL
            .iter()
            .copied()
            .find(|c| c.name() == name)
            .ok_or_else(|| BaselineError::UnknownCoder {
                name: name.to_owned(),
                known: Self::ALL
                    .iter()
                    .map(|c| c.name())
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }

    pub(super) fn compress(self, data: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip => streams::gzip(data),
            Self::Xz => streams::xz(data, 6),
            Self::XzExtreme => streams::xz(data, 9 | streams::XZ_EXTREME),
            Self::Zstd => streams::zstd(data, 19, false),
            Self::ZstdUltra => streams::zstd(data, 22, true),
            Self::Brotli => streams::brotli(data),
            Self::Bzip2 => streams::bzip2(data),
            Self::Ppmd => streams::ppmd(data),
            Self::Png => streams::png(data, 64),
            Self::PngPaper => streams::png(data, 32),
        }
    }

    /// `len` is what the stream's surroundings would know: only a bound for
    /// allocation, except for PNG, see [`streams::png`].
    pub(super) fn decompress(self, stream: &[u8], len: usize) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip => streams::gunzip(stream),
            Self::Xz | Self::XzExtreme => streams::unxz(stream),
            Self::Zstd | Self::ZstdUltra => streams::unzstd(stream, len),
            Self::Brotli => streams::unbrotli(stream),
            Self::Bzip2 => streams::bunzip2(stream),
            Self::Ppmd => streams::unppmd(stream),
            Self::Png | Self::PngPaper => streams::unpng(stream),
        }
    }
}
