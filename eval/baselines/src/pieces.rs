//! Sets cut into their pictures and sounds, for the coders that care.

use brevity_data::{ByteSet, Source, Store};
use brevity_media::{Conversion, Geometry, Item, Pcm16};

use super::BaselineError;

/// Whether bytes that begin so far into an item of this geometry, and end
/// anywhere, have the same geometry: samples that do not lie in blocks.
fn begins_at(geometry: Geometry, offset: u64) -> bool {
    match geometry {
        Geometry::Pcm16 {
            order: Pcm16::LittleEndian | Pcm16::Deltas,
            ..
        } => offset.is_multiple_of(geometry.frame() as u64),
        _ => false,
    }
}

/// A run of bytes that is one picture, one sound, or nothing known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its bytes.
    pub bytes: usize,
    /// How they lie. Where nothing is known, pictures are rows of 64 grey pixels,
    /// as the paper's patches are, and sound is one channel at 16 kHz.
    pub geometry: Option<Geometry>,
}

/// The pieces of bytes that are of a set in the default store; `None` where they
/// are of something else, or the set does not know what its files were.
pub(super) fn pieces_of(data: &ByteSet) -> Result<Option<Vec<Piece>>, BaselineError> {
    let record = Store::default().record_of(&Source::from(data.name()));
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
/// and planes that are cut there, and grey patches and 8-bit samples, which the
/// coders take bytes for anyway, run together into pieces without a geometry.
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
        let stands = |&geometry: &Geometry| whole || begins_at(geometry, from - start);
        let piece = Piece {
            bytes: (to - from) as usize,
            geometry: of_item(conversion, item).filter(stands),
        };
        match pieces.last_mut() {
            Some(last) if last.geometry.is_none() && piece.geometry.is_none() => {
                last.bytes += piece.bytes;
            }
            _ => pieces.push(piece),
        }
    }
    pieces
}

/// The geometry of an item, where a coder does better with the item by itself.
fn of_item(conversion: Conversion, item: &Item) -> Option<Geometry> {
    let matters = |geometry: &Geometry| {
        matches!(
            geometry,
            Geometry::Rgb { .. } | Geometry::RgbPlanar { .. } | Geometry::Pcm16 { .. }
        )
    };
    let shape = item.shape();
    // A record that contradicts itself tells nothing.
    let fits = conversion
        .bytes_of(shape)
        .is_none_or(|bytes| bytes == item.bytes.into());
    conversion
        .geometry(shape)
        .filter(|geometry| fits && matters(geometry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brevity_media::Sound;

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
            let known = |p: &Piece| (p.bytes, p.geometry.is_some());
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
