//! Varints: the variable-length integers of all binary formats of this project.
//!
//! Each byte holds seven bits, the lowest first; the high bit is set on all bytes except
//! the last (LEB128). Only the shortest form is valid, so an integer has exactly one.

/// Appends `value` to `out`.
pub fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads an integer of at most `most` from the bytes of `next`. `None` if it is larger
/// or not in its shortest form. No more bytes are read than `most` needs.
///
/// # Errors
/// The first error of `next`.
///
/// ```
/// use brevity_model::varint;
///
/// let mut bytes = Vec::new();
/// varint::put(&mut bytes, 300);
/// assert_eq!(bytes, [0xac, 2]);
/// let mut bytes = bytes.into_iter();
/// let next = || bytes.next().ok_or("the bytes end");
/// assert_eq!(varint::read(1000, next), Ok(Some(300)));
/// ```
pub fn read<E>(most: u64, mut next: impl FnMut() -> Result<u8, E>) -> Result<Option<u64>, E> {
    let bits = (u64::BITS - most.leading_zeros()).max(1);
    let mut value = 0;
    for shift in (0..bits).step_by(7) {
        let byte = next()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let shortest = shift == 0 || byte != 0;
            let fits = shift < 63 || byte <= 1;
            return Ok((shortest && fits && value <= most).then_some(value));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(bytes: &[u8], most: u64) -> Result<Option<u64>, ()> {
        let mut bytes = bytes.iter();
        read(most, || bytes.next().copied().ok_or(()))
    }

    #[test]
    fn each_integer_has_one_form() {
        for value in [0, 1, 127, 128, 300, 1 << 20, 1 << 63, u64::MAX] {
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            assert_eq!(read_from(&bytes, u64::MAX), Ok(Some(value)));
            assert_eq!(read_from(&bytes, value), Ok(Some(value)));
            if value > 0 {
                assert_eq!(read_from(&bytes, value - 1), Ok(None));
            }
            bytes.pop();
            assert_eq!(read_from(&bytes, u64::MAX), Err(()));
        }
        assert_eq!(read_from(&[0x80, 0], 100), Ok(None));
        assert_eq!(read_from(&[0xff; 11], u64::MAX), Ok(None));
        let wide = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2];
        assert_eq!(read_from(&wide, u64::MAX), Ok(None));
    }

    #[test]
    fn a_varint_that_is_too_long_is_not_read_to_its_end() {
        assert_eq!(read_from(&[0x80; 4], (1 << 28) - 1), Ok(None));
        assert_eq!(read_from(&[0x80; 1], 0), Ok(None));
    }
}
