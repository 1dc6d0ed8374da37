//! How bytes lie, for the coders that care.

use brevity_data::{ByteSet, Conversion, Item, Pcm16, Shape, Source, Store};

use super::BaselineError;

/// What the coders of pictures and sound take a piece for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// Nothing is known: pictures are rows of 64 grey pixels, as the paper's
    /// patches are; sound is one channel at 16 kHz.
    #[default]
    Bytes,
    /// One picture of `3 * width * height` bytes.
    Rgb {
        /// Pixels a row.
        width: usize,
        /// Rows.
        height: usize,
        /// Whether the colours lie in three planes, not side by side.
        planar: bool,
    },
    /// Samples of 16 bits.
    Pcm16 {
        /// Channels, interleaved.
        channels: usize,
        /// Samples a second and channel.
        rate: usize,
        /// How their bytes lie.
        order: Pcm16,
    },
}

impl Layout {
    /// Whether bytes that begin so far into an item of this layout, and end
    /// anywhere, have the same layout: samples that do not lie in blocks.
    fn begins_at(&self, offset: u64) -> bool {
        match *self {
            Layout::Pcm16 {
                order: Pcm16::LittleEndian | Pcm16::Deltas,
                channels,
                ..
            } => offset.is_multiple_of(2 * channels as u64),
            _ => false,
        }
    }
}

/// A run of bytes that is one picture, one sound, or nothing known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its bytes.
    pub bytes: usize,
    /// How they lie.
    pub layout: Layout,
}

/// The pieces of bytes that are of a set in the default store; `None` where they
/// are of something else, or the set does not know what its files were.
pub(super) fn pieces_of(data: &ByteSet) -> Result<Option<Vec<Piece>>, BaselineError> {
    let name = data.name();
    let stored = match Source::from(name) {
        Source::Registered(_) => true,
        // A path that exists is what was read.
        Source::Path(path) => !path.exists() && !name.contains(['/', '\\']),
        _ => false,
    };
    if !stored {
        return Ok(None);
    }
    let record = Store::default().record(name);
    let record = record.map_err(|source| BaselineError::Data {
        source: source.into(),
    })?;
    let record = record.filter(|record| !record.item.is_empty());
    Ok(record.map(|record| {
        let from = data.provenance.offset;
        pieces(record.convert, &record.item, from, data.len() as u64)
    }))
}

/// The pieces of the bytes `offset..offset + bytes` of an imported set. Pictures
/// and planes that are cut there, and grey patches and 8-bit samples, which have
/// no shape beyond [`Layout::Bytes`], run together into pieces of that layout.
#[must_use]
pub fn pieces(conversion: Conversion, items: &[Item], offset: u64, bytes: u64) -> Vec<Piece> {
    let (mut position, end) = (0, offset + bytes);
    let mut pieces: Vec<Piece> = Vec::new();
    for item in items {
        let (start, stop) = (position, position + item.bytes);
        position = stop;
        let (from, to) = (start.max(offset), stop.min(end));
        if from >= to {
            continue;
        }
        let whole = (from, to) == (start, stop);
        let stands = |layout: &Layout| whole || layout.begins_at(from - start);
        let layout = layout_of(conversion, item.shape()).filter(stands);
        let piece = Piece {
            bytes: (to - from) as usize,
            layout: layout.unwrap_or_default(),
        };
        match pieces.last_mut() {
            Some(last) if last.layout == Layout::Bytes && piece.layout == Layout::Bytes => {
                last.bytes += piece.bytes;
            }
            _ => pieces.push(piece),
        }
    }
    pieces
}

fn layout_of(conversion: Conversion, shape: Shape) -> Option<Layout> {
    match (conversion, shape) {
        (Conversion::Rgb | Conversion::RgbPlanar, Shape::Picture(picture)) => Some(Layout::Rgb {
            width: picture.width as usize,
            height: picture.height as usize,
            planar: conversion == Conversion::RgbPlanar,
        }),
        (_, Shape::Sound(sound)) => Pcm16::of(conversion).map(|order| Layout::Pcm16 {
            channels: sound.channels.into(),
            rate: sound.rate as usize,
            order,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brevity_data::Sound;

    #[test]
    fn sounds_are_sounds_from_any_frame_on() {
        let sound = Sound {
            rate: 8000,
            channels: 2,
            file_rate: 8000,
            file_channels: 2,
            file_bits: 16,
        };
        let item = |bytes| Item {
            origin: "a.wav".into(),
            bytes,
            picture: None,
            sound: Some(sound),
        };
        let items = [item(100), item(60)];
        let found = |conversion, offset| -> Vec<(usize, bool)> {
            let pieces = pieces(conversion, &items, offset, 90);
            let known = |p: &Piece| (p.bytes, p.layout != Layout::Bytes);
            pieces.iter().map(known).collect()
        };
        for conversion in [Conversion::Pcm16, Conversion::Pcm16Deltas] {
            assert_eq!(found(conversion, 40), [(60, true), (30, true)]);
            assert_eq!(found(conversion, 42), [(58, false), (32, true)]);
        }
        // Where planes are cut, nothing tells high bytes from low ones.
        assert_eq!(found(Conversion::Pcm16Planes, 40), [(90, false)]);
    }
}
