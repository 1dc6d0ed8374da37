//! Splits data sets into their pictures and sounds, for coders that use the geometry.

use brevity_data::{ByteSet, Source, Store};
use brevity_media::{Conversion, Geometry, Item, Pcm16};

use super::BaselineError;

/// Whether bytes that start at `offset` in an item of this geometry still have the
/// geometry, for any end. True for samples that are not in blocks.
fn begins_at(geometry: Geometry, offset: u64) -> bool {
    match geometry {
        Geometry::Pcm16 {
            order: Pcm16::LittleEndian | Pcm16::Deltas,
            ..
        } => offset.is_multiple_of(geometry.frame() as u64),
        _ => false,
    }
}

/// A run of bytes: one picture, one sound, or bytes of unknown geometry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its length in bytes.
    pub bytes: usize,
    /// Their geometry. If unknown, picture coders assume rows of 64 grey pixels, as in
    /// the paper's patches, and sound coders one channel at 16 kHz.
    pub geometry: Option<Geometry>,
}

/// The pieces of bytes from a set in the default store; `None` if they come from another
/// source, or the set has no item records.
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

/// The pieces of the bytes `offset..offset + bytes` of an imported set. Pictures and
/// planes cut by the range lose their geometry; they are merged with grey patches and
/// 8-bit samples, whose geometry is the coders' default anyway.
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

/// The geometry of an item, if a coder compresses better item by item.
fn of_item(conversion: Conversion, item: &Item) -> Option<Geometry> {
    let matters = |geometry: &Geometry| {
        matches!(
            geometry,
            Geometry::Rgb { .. } | Geometry::RgbPlanar { .. } | Geometry::Pcm16 { .. }
        )
    };
    let shape = item.shape();
    // A record that contradicts itself is ignored.
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
        // In cut planes, high and low bytes cannot be told apart.
        assert_eq!(found(Conversion::Pcm16Planes, 40), [(90, false)]);
    }
}
