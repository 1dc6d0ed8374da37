//! The characters by which byte-level tokenizers write bytes.

/// The byte that a character stands for in the tokens of byte-level tokenizers:
/// printable characters of Latin-1 themselves, the other bytes in order from
/// U+0100 on (GPT-2's `bytes_to_unicode`).
pub fn byte_of(c: char) -> Option<u8> {
    let printable = |b: u8| matches!(b, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    match u32::from(c) {
        n @ 0..=0xff => Some(n as u8).filter(|&b| printable(b)),
        n => (0..=255u8)
            .filter(|&b| !printable(b))
            .nth((n - 0x100) as usize),
    }
}

/// The bytes of a token that is written so; `None` if a character stands for none.
pub fn bytes_of(token: &str) -> Option<Vec<u8>> {
    token.chars().map(byte_of).collect()
}

/// The byte of a token `<0xAB>`.
pub fn byte_token(token: &str) -> Option<u8> {
    let hex = token.strip_prefix("<0x")?.strip_suffix('>')?;
    (hex.len() == 2).then(|| u8::from_str_radix(hex, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_one_character() {
        let found: Vec<u8> = ('\0'..='\u{200}').filter_map(byte_of).collect();
        assert_eq!(found.len(), 256);
        assert_eq!(byte_of('Ġ'), Some(b' '));
        assert_eq!(byte_of('Ċ'), Some(b'\n'));
        assert_eq!(bytes_of("Ġa"), Some(b" a".to_vec()));
        assert_eq!(bytes_of("a b"), None);
        assert_eq!(byte_token("<0xE2>"), Some(0xe2));
        assert_eq!(byte_token("<0xE>"), None);
    }
}
