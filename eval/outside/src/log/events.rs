//! TensorBoard's event files: records of protocol buffers.
//!
//! Only what a scalar needs is read: the step of an event, and the tag and the value of its
//! summaries, in the old form and in that of tensors.

use super::{Line, LogError};
use std::path::Path;

/// Whether bytes begin with a record of events: its length matches its checksum.
pub(super) fn are(bytes: &[u8]) -> bool {
    let length = bytes.get(..8);
    let sum = bytes.get(8..12);
    matches!((length, sum), (Some(length), Some(sum)) if masked(length).to_le_bytes() == *sum)
}

/// Each event as a line with its step and its scalars.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<Line>, LogError> {
    let (mut lines, mut rest, mut number) = (Vec::new(), bytes, 0);
    while !rest.is_empty() {
        number += 1;
        let problem = |problem: &str| LogError::Line {
            path: path.to_owned(),
            what: "record",
            line: number,
            problem: problem.to_owned(),
        };
        let (record, after) = record(rest).map_err(problem)?;
        rest = after;
        let values = event(record).ok_or_else(|| problem("it is no event"))?;
        if values.len() > 1 {
            lines.push(Line {
                number,
                what: "record",
                values,
                texts: Vec::new(),
            });
        }
    }
    Ok(lines)
}

/// The first record's content, and what follows.
fn record(bytes: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    let cut = "the file ends in the middle of it";
    let (head, rest) = bytes.split_at_checked(12).ok_or(cut)?;
    if !are(head) {
        return Err("its length does not match its checksum");
    }
    let length = u64::from_le_bytes(head[..8].try_into().expect("eight"));
    let length = usize::try_from(length).map_err(|_| cut)?;
    let (content, rest) = rest.split_at_checked(length).ok_or(cut)?;
    let (sum, rest) = rest.split_at_checked(4).ok_or(cut)?;
    match masked(content).to_le_bytes() == *sum {
        true => Ok((content, rest)),
        false => Err("it does not match its checksum"),
    }
}

/// Step and scalars of an event.
fn event(bytes: &[u8]) -> Option<Vec<(String, f64)>> {
    let (mut step, mut values) = (0.0, Vec::new());
    each_field(bytes, &mut |field, content| {
        match (field, content) {
            (2, Content::Number(number)) => step = number as i64 as f64,
            (5, Content::Bytes(summary)) => each_field(summary, &mut |field, content| {
                if let (1, Content::Bytes(value)) = (field, content) {
                    values.extend(scalar(value)?);
                }
                Some(())
            })?,
            _ => {}
        }
        Some(())
    })?;
    values.insert(0, ("step".to_owned(), step));
    Some(values)
}

/// A summary's tag and value; none inside for what is no scalar.
#[expect(clippy::option_option, reason = "damage, and no scalar")]
fn scalar(bytes: &[u8]) -> Option<Option<(String, f64)>> {
    let (mut tag, mut value) = (None, None);
    each_field(bytes, &mut |field, content| {
        match (field, content) {
            (1, Content::Bytes(name)) => tag = Some(String::from_utf8_lossy(name).into_owned()),
            (2, Content::Float(number)) => value = Some(f64::from(number)),
            (8, Content::Bytes(content)) => value = tensor(content)?,
            _ => {}
        }
        Some(())
    })?;
    Some(tag.zip(value))
}

/// The number of a tensor that holds one.
#[expect(clippy::option_option, reason = "damage, and no number")]
fn tensor(bytes: &[u8]) -> Option<Option<f64>> {
    let (mut kind, mut value) = (0, None);
    each_field(bytes, &mut |field, content| {
        let single = |bytes: &[u8]| Some(f64::from(f32::from_le_bytes(bytes.try_into().ok()?)));
        let double = |bytes: &[u8]| Some(f64::from_le_bytes(bytes.try_into().ok()?));
        match (field, content) {
            (1, Content::Number(number)) => kind = number,
            (4 | 5, Content::Bytes(bytes)) if kind == 1 => value = single(bytes),
            (4 | 6, Content::Bytes(bytes)) if kind == 2 => value = double(bytes),
            (5, Content::Float(number)) => value = Some(f64::from(number)),
            _ => {}
        }
        Some(())
    })?;
    Some(value)
}

/// What a field holds.
enum Content<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Float(f32),
    /// Eight bytes, which nothing here needs.
    Wide,
}

/// Calls `each` with every field of a message; `None` if it is none.
fn each_field<'a>(
    mut bytes: &'a [u8],
    each: &mut dyn FnMut(u64, Content<'a>) -> Option<()>,
) -> Option<()> {
    while !bytes.is_empty() {
        let key = number(&mut bytes)?;
        let content = match key & 7 {
            0 => Content::Number(number(&mut bytes)?),
            1 => {
                bytes.split_off(..8)?;
                Content::Wide
            }
            2 => {
                let length = usize::try_from(number(&mut bytes)?).ok()?;
                Content::Bytes(bytes.split_off(..length)?)
            }
            5 => Content::Float(f32::from_le_bytes(bytes.split_off(..4)?.try_into().ok()?)),
            _ => return None,
        };
        each(key >> 3, content)?;
    }
    Some(())
}

/// A number of seven bits a byte.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.split_off_first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// The checksum of records: CRC-32C, rotated and shifted.
fn masked(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82F6_3B78 & (crc & 1).wrapping_neg());
        }
    }
    (!crc).rotate_right(15).wrapping_add(0xA282_EAD8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(key: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![key << 3 | 2, content.len() as u8];
        out.extend(content);
        out
    }

    fn file(step: u8, value: f32) -> Vec<u8> {
        let mut scalar = field(1, b"loss/train");
        scalar.push(2 << 3 | 5);
        scalar.extend(value.to_le_bytes());
        let mut event = vec![1 << 3 | 1];
        event.extend(1.5_f64.to_le_bytes());
        event.extend([2 << 3, step]);
        event.extend(field(5, &field(1, &scalar)));
        let length = (event.len() as u64).to_le_bytes();
        let mut out = length.to_vec();
        out.extend(masked(&length).to_le_bytes());
        out.extend(&event);
        out.extend(masked(&event).to_le_bytes());
        out
    }

    #[test]
    fn the_checksum_is_the_standards() {
        // RFC 3720, appendix B.4: 32 zeros have 8A9136AA.
        let plain = masked(&[0; 32]).wrapping_sub(0xA282_EAD8).rotate_left(15);
        assert_eq!(plain, 0x8A91_36AA);
    }

    #[test]
    fn scalars_have_their_step() {
        let bytes = [file(7, 2.5), file(9, 2.25)].concat();
        assert!(are(&bytes));
        let lines = parse(Path::new("e"), &bytes).unwrap();
        assert_eq!(lines[0].get("loss/train"), Some(2.5));
        assert_eq!(
            (lines[1].get("step"), lines[1].get("loss/train")),
            (Some(9.0), Some(2.25))
        );
    }

    #[test]
    fn damage_is_named() {
        let bytes = [file(7, 2.5), file(9, 2.25)].concat();
        let half = bytes.len() / 2;
        for length in half + 1..bytes.len() {
            let error = parse(Path::new("e"), &bytes[..length]).unwrap_err();
            assert!(error.to_string().starts_with("e: record 2: "), "{error}");
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert!(parse(Path::new("e"), &damaged).is_err(), "{at}");
        }
    }
}
