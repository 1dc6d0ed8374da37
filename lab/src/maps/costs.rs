//! The cost of each byte, and the likeliest bytes in its place.

use brevity_codec::{Frequencies, TOTAL};

/// Number of likeliest bytes kept.
pub(super) const GUESSES: usize = 3;

/// Size in bytes of a [`pack`]ed cost.
const RECORD: usize = 2 + 3 * GUESSES;

/// The cost of one byte.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// Its code length in bits.
    pub bits: f32,
    /// The likeliest bytes with their probabilities, likeliest first.
    guesses: [(u8, f32); GUESSES],
}

impl Cost {
    /// So many bits, of a predictor that does not say what it expected.
    pub fn of(bits: f32) -> Self {
        Self {
            bits,
            ..Self::default()
        }
    }

    /// The cost of `byte` under the frequencies `next`.
    pub fn new(next: &Frequencies, byte: u8) -> Self {
        let mut best = [(0, 0); GUESSES];
        for value in 0..=255 {
            let guess = (value, next.of(value));
            // On a tie the lower byte comes first.
            if let Some(place) = best.iter().position(|other| guess.1 > other.1) {
                best[place..].rotate_right(1);
                best[place] = guess;
            }
        }
        Self {
            bits: next.bits(byte) as f32,
            guesses: best.map(|(value, f)| (value, f as f32 / TOTAL as f32)),
        }
    }
}

/// Packs costs for the page's script: in base64, for each byte its cost in thousandths
/// of a bit, then the likeliest bytes, each with its probability in 1/65535. Numbers
/// are 16 bits, little-endian.
pub(super) fn pack(costs: &[Cost]) -> String {
    let mut records = Vec::with_capacity(costs.len() * RECORD);
    for cost in costs {
        records.extend(((cost.bits * 1000.0).round() as u16).to_le_bytes());
        for (byte, probability) in cost.guesses {
            records.push(byte);
            records.extend(((probability * 65535.0).round() as u16).to_le_bytes());
        }
    }
    base64(&records)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut word = [0; 4];
        word[1..=group.len()].copy_from_slice(group);
        let word = u32::from_be_bytes(word);
        for digit in 0..4 {
            if digit <= group.len() {
                let value = word >> (18 - 6 * digit) & 63;
                text.push(char::from(DIGITS[value as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_bytes_are_kept_in_order() {
        let mut logits = [0.0; 256];
        logits[usize::from(b'e')] = 4.0;
        logits[usize::from(b'a')] = 5.0;
        logits[usize::from(b'z')] = 4.0;
        let cost = Cost::new(&Frequencies::from_logits(&logits).unwrap(), b'a');
        assert_eq!(cost.guesses.map(|(byte, _)| byte), *b"aez");
        assert!((2f32.powf(-cost.bits) - cost.guesses[0].1).abs() < 1e-6);
    }

    /// The test vectors of RFC 4648.
    #[test]
    fn base64_is_that_of_the_standard() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
        assert_eq!(base64(&[0xFB, 0xFF]), "+/8=");
    }
}
