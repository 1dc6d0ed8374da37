//! Events as records.

use crate::crc32c::masked;

/// Kinds of fields in the wire format.
const VARINT: u8 = 0;
const DOUBLE: u8 = 1;
const BYTES: u8 = 2;
const FLOAT: u8 = 5;

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn key(out: &mut Vec<u8>, field: u8, kind: u8) {
    out.push(field << 3 | kind);
}

fn bytes(out: &mut Vec<u8>, field: u8, content: &[u8]) {
    key(out, field, BYTES);
    varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

fn event(wall_time: f64) -> Vec<u8> {
    let mut out = Vec::new();
    key(&mut out, 1, DOUBLE);
    out.extend_from_slice(&wall_time.to_le_bytes());
    out
}

/// The event that a file begins with.
pub(crate) fn version(wall_time: f64) -> Vec<u8> {
    let mut out = event(wall_time);
    bytes(&mut out, 3, b"brain.Event:2");
    out
}

/// One scalar.
pub(crate) fn scalar(wall_time: f64, step: u64, tag: &str, value: f32) -> Vec<u8> {
    let mut entry = Vec::new();
    bytes(&mut entry, 1, tag.as_bytes());
    key(&mut entry, 2, FLOAT);
    entry.extend_from_slice(&value.to_le_bytes());
    let mut summary = Vec::new();
    bytes(&mut summary, 1, &entry);

    let mut out = event(wall_time);
    key(&mut out, 2, VARINT);
    varint(&mut out, step);
    bytes(&mut out, 5, &summary);
    out
}

/// A message with its length and checksums.
pub(crate) fn record(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    let mut out = length.to_vec();
    out.extend_from_slice(&masked(&length).to_le_bytes());
    out.extend_from_slice(message);
    out.extend_from_slice(&masked(message).to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_those_of_the_wire_format() {
        let first = version(0.0);
        assert_eq!(first[..9], [0x09, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(&first[9..], b"\x1A\x0Dbrain.Event:2");
        let second = scalar(0.0, 300, "a", 1.0);
        // step 300; a summary of 10 bytes with one value of 8: tag "a" and 1.0.
        let rest = b"\x10\xAC\x02\x2A\x0A\x0A\x08\x0A\x01a\x15\x00\x00\x80\x3F";
        assert_eq!(&second[9..], rest);
    }

    #[test]
    fn a_record_is_as_long_as_its_parts() {
        let found = record(b"abc");
        assert_eq!(found.len(), 8 + 4 + 3 + 4);
        assert_eq!(found[..8], 3u64.to_le_bytes());
    }
}
