//! What is known of each file that was converted into a set.

use serde::{Deserialize, Serialize};

/// The part of a set that came from one file. The parts lie one after another,
/// in the order of the items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Path of the file, or archive and member.
    pub origin: String,
    /// The number of its bytes in the set.
    pub bytes: u64,
    /// The shape of the picture, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
    /// The format of the sound, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<Sound>,
}

/// The shape of a picture in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// 1 for grey, 3 for colour; alpha is not counted.
    pub channels: u8,
}

/// The format of a sound, in the set and in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sound {
    /// Sampling rate in Hz, in the set.
    pub rate: u32,
    /// Channels, in the set.
    pub channels: u16,
    /// Sampling rate of the file, in Hz.
    pub file_rate: u32,
    /// Channels of the file.
    pub file_channels: u16,
    /// Bits per sample of the file.
    pub file_bits: u16,
}

/// The kind of an item, with its shape or format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Bytes and nothing else.
    Bytes,
    /// A picture.
    Picture(Picture),
    /// A sound.
    Sound(Sound),
}

impl Item {
    pub(crate) fn new(origin: &str, bytes: u64, shape: Shape) -> Self {
        let (picture, sound) = match shape {
            Shape::Bytes => (None, None),
            Shape::Picture(picture) => (Some(picture), None),
            Shape::Sound(sound) => (None, Some(sound)),
        };
        Self {
            origin: origin.to_owned(),
            bytes,
            picture,
            sound,
        }
    }

    /// Its kind, with its shape or format.
    pub fn shape(&self) -> Shape {
        match (self.picture, self.sound) {
            (Some(picture), _) => Shape::Picture(picture),
            (None, Some(sound)) => Shape::Sound(sound),
            (None, None) => Shape::Bytes,
        }
    }
}
