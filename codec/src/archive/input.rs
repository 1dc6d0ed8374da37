//! Reading fields, with the offset at hand for errors.

use super::error::Error;
use std::io::{ErrorKind, Read};

/// Archive bytes from the front.
pub struct Input<R> {
    inner: R,
    /// Bytes read so far.
    pub offset: u64,
}

impl<R: Read> Input<R> {
    pub fn new(inner: R, offset: u64) -> Input<R> {
        Input { inner, offset }
    }

    /// Fills `buffer` as far as there are bytes.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.inner.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::Read(e)),
            }
        }
        self.offset += filled as u64;
        Ok(filled)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        if self.fill(&mut array)? < N {
            let offset = self.offset;
            return Err(Error::Truncated { offset, what });
        }
        Ok(array)
    }

    /// A number in seven bits a byte, the lowest first, in its shortest form and
    /// at most `most`.
    pub fn varint(&mut self, most: u64, what: &'static str) -> Result<u64, Error> {
        let offset = self.offset;
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array(what)?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let shortest = shift == 0 || byte != 0;
                let fits = shift < 63 || byte <= 1;
                if shortest && fits && value <= most {
                    return Ok(value);
                }
                break;
            }
        }
        Err(Error::Malformed {
            offset,
            what: "a number is too large or not in its shortest form",
        })
    }

    /// The next `length` bytes. Memory grows with what is really there.
    pub fn bytes(&mut self, length: u64, what: &'static str) -> Result<Vec<u8>, Error> {
        const PIECE: u64 = 1 << 20;
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < length {
            let start = bytes.len();
            let piece = PIECE.min(length - start as u64) as usize;
            bytes.resize(start + piece, 0);
            if self.fill(&mut bytes[start..])? < piece {
                let offset = self.offset;
                return Err(Error::Truncated { offset, what });
            }
        }
        Ok(bytes)
    }

    /// Passes over `length` bytes.
    pub fn skip(&mut self, length: u64, what: &'static str) -> Result<(), Error> {
        let mut sink = [0; 4096];
        let mut left = length;
        while left > 0 {
            let piece = left.min(sink.len() as u64) as usize;
            if self.fill(&mut sink[..piece])? < piece {
                let offset = self.offset;
                return Err(Error::Truncated { offset, what });
            }
            left -= piece as u64;
        }
        Ok(())
    }

    /// Fails unless the input ends here.
    pub fn end(&mut self) -> Result<(), Error> {
        let offset = self.offset;
        match self.fill(&mut [0])? {
            0 => Ok(()),
            _ => Err(Error::Malformed {
                offset,
                what: "there are bytes after the end of the archive",
            }),
        }
    }
}

/// The shortest form of [`Input::varint`].
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<u64, Error> {
        Input::new(bytes, 0).varint(u64::MAX, "test")
    }

    #[test]
    fn varints_have_one_form() {
        for value in [0, 1, 127, 128, 300, 1 << 20, u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            assert_eq!(read(&bytes).unwrap(), value);
            bytes.pop();
            assert!(read(&bytes).is_err());
        }
        assert!(read(&[0x80, 0]).is_err());
        assert!(read(&[0xff; 10]).is_err());
        assert!(read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]).is_err());
    }

    #[test]
    fn a_length_that_is_not_there_takes_no_memory() {
        let error = Input::new(&b"abc"[..], 10)
            .bytes(u64::MAX, "test")
            .unwrap_err();
        assert!(matches!(error, Error::Truncated { offset: 13, .. }));
    }
}
