//! The formats that a file can be converted to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The format that a file is converted to.
///
/// Pictures may be PNG, JPEG, WebP, PPM or PGM files; the first bytes of a file
/// decide, not its name. Palettes are expanded, alpha is dropped, samples of 16
/// bits lose their lower byte, and CMYK is converted to RGB. Sounds may be FLAC
/// or integer WAV files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conversion {
    /// The file as it is.
    Bytes,
    /// A picture to grey patches of 32 rows and 64 columns. A pixel is the
    /// truncated mean of red, green and blue. Patches follow each other from
    /// left to right and top to bottom; each is stored row by row, in 2048
    /// bytes. Pixels at the right and lower edge that do not fill a patch are
    /// left out.
    GrayPatches,
    /// A picture to red, green and blue of each pixel, row by row.
    Rgb,
    /// A picture to all of its red, then all of its green, then all of its blue.
    RgbPlanar,
    /// A sound to unsigned 8-bit samples at 16 kHz: the mean of the channels,
    /// resampled if the sound has another rate; then the upper eight bits, plus
    /// 128.
    Pcm8,
    /// A sound to signed 16-bit little-endian samples at its own rate, channels
    /// interleaved. Wider samples lose their lower bits, narrower ones get zeros.
    Pcm16,
    /// Like [`Conversion::Pcm16`], but in each block of 1024 samples all high
    /// bytes come before all low bytes. A block has the length of the paper's
    /// chunks.
    Pcm16Planes,
    /// Like [`Conversion::Pcm16`], but each sample is replaced by its
    /// difference from the previous sample of its channel, modulo 2^16, high
    /// byte first. The first sample of a file is taken as a difference from 0.
    /// A byte model predicts this form best.
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

    /// Describes the layout of the bytes, and how to restore the file from
    /// them, for people who read `set.toml`.
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
}

impl fmt::Display for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
