//! Reading of fields; it tracks the offset for errors.

use super::error::Error;
use brevity_model::varint;
use std::io::{ErrorKind, Read};

/// What is wrong with an archive that something follows, all of which could be read.
pub const SURPLUS: &str = "there are bytes after the end of the archive: `brevity decompress \
                           --salvage` writes the original all the same";

/// The bytes of an archive, read from start to end.
pub struct Input<R> {
    inner: R,
    /// Bytes read so far.
    pub offset: u64,
}

impl<R: Read> Input<R> {
    pub fn new(inner: R, offset: u64) -> Input<R> {
        Input { inner, offset }
    }

    /// Fills `buffer` until it is full or the input ends.
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

    /// A [`varint`] of at most `most`.
    pub fn varint(&mut self, most: u64, what: &'static str) -> Result<u64, Error> {
        let offset = self.offset;
        let number = varint::read(most, || self.array(what).map(|[byte]| byte))?;
        number.ok_or(Error::Malformed {
            offset,
            what: "a number is too large or not in its shortest form",
        })
    }

    /// The next `length` bytes. Allocates only as much as the input really has.
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

    /// Skips `length` bytes.
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
                what: SURPLUS,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_is_not_there_takes_no_memory() {
        let error = Input::new(&b"abc"[..], 10)
            .bytes(u64::MAX, "test")
            .unwrap_err();
        assert!(matches!(error, Error::Truncated { offset: 13, .. }));
    }
}
