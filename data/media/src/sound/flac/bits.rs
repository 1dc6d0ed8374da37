//! Reads the bits of a FLAC stream and computes its two checksums.

use std::io::{self, Read};

use super::Fault;

/// Bytes of one read.
const READ: usize = 1 << 16;

/// Reads bits, most significant first. The bytes read since the last
/// [`mark`](Self::mark) stay in memory for the checksums.
pub(super) struct Bits<R> {
    input: R,
    buffer: Vec<u8>,
    /// Position of the next bit in `buffer`.
    at: usize,
}

impl<R: Read> Bits<R> {
    pub fn new(input: R) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            at: 0,
        }
    }

    /// Forgets the bytes that were read.
    ///
    /// # Panics
    /// If the position is within a byte.
    pub fn mark(&mut self) {
        assert!(self.at.is_multiple_of(8), "marked within a byte");
        self.buffer.drain(..self.at / 8);
        self.at = 0;
    }

    /// The bytes since the mark.
    pub fn marked(&self) -> &[u8] {
        &self.buffer[..self.at.div_ceil(8)]
    }

    /// The next bytes, at least `bytes` of them, without consuming them; fewer
    /// at the end of the input.
    ///
    /// # Errors
    /// If reading fails.
    pub fn peek(&mut self, bytes: usize) -> io::Result<&[u8]> {
        let from = self.at / 8;
        while self.buffer.len() < from + bytes {
            let filled = self.buffer.len();
            self.buffer.resize(filled + READ, 0);
            let read = self.input.read(&mut self.buffer[filled..]);
            self.buffer
                .truncate(filled + read.as_ref().map_or(0, |&n| n));
            match read {
                Ok(0) => break,
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(&self.buffer[from..])
    }

    /// Skips whole bytes and drops them from memory.
    ///
    /// # Errors
    /// If the input ends too early or reading fails.
    pub fn skip(&mut self, mut bytes: usize) -> Result<(), Fault> {
        while bytes > 0 {
            let there = self.peek(1)?.len().min(bytes);
            if there == 0 {
                return Err(Fault::End);
            }
            self.at += 8 * there;
            self.mark();
            bytes -= there;
        }
        Ok(())
    }

    /// The next `count` bits, at most 57, as an unsigned number.
    pub fn unsigned(&mut self, count: u32) -> Result<u64, Fault> {
        let window = self.window()?;
        self.take(count as usize)?;
        Ok(if count == 0 {
            0
        } else {
            window >> (64 - count)
        })
    }

    /// The next `count` bits, at most 57, in two's complement.
    pub fn signed(&mut self, count: u32) -> Result<i64, Fault> {
        let window = self.window()?;
        self.take(count as usize)?;
        Ok(if count == 0 {
            0
        } else {
            window as i64 >> (64 - count)
        })
    }

    /// Reads a unary code: the number of zero bits before the next one bit.
    pub fn unary(&mut self) -> Result<u64, Fault> {
        let mut zeros = 0;
        loop {
            let window = self.window()?;
            // At least the upper 57 bits of a window are valid.
            let run = window.leading_zeros().min(56);
            if run < 56 {
                self.take(run as usize + 1)?;
                return Ok(zeros + u64::from(run));
            }
            self.take(56)?;
            zeros += 56;
        }
    }

    /// Reads zero bits up to the next byte boundary.
    pub fn align(&mut self) -> Result<(), Fault> {
        let padding = (8 - self.at % 8) % 8;
        match self.unsigned(padding as u32)? {
            0 => Ok(()),
            _ => Err(Fault::Damaged("padding is not zero")),
        }
    }

    /// The next 64 bits, with zeros after the end of the input. The lowest
    /// seven may be invalid.
    fn window(&mut self) -> Result<u64, Fault> {
        let shift = self.at % 8;
        let from = self.at / 8;
        if self.buffer.len() < from + 8 {
            self.peek(8)?;
        }
        let mut bytes = [0; 8];
        let there = &self.buffer[from..self.buffer.len().min(from + 8)];
        bytes[..there.len()].copy_from_slice(there);
        Ok(u64::from_be_bytes(bytes) << shift)
    }

    fn take(&mut self, count: usize) -> Result<(), Fault> {
        self.at += count;
        match self.at.div_ceil(8) <= self.buffer.len() {
            true => Ok(()),
            false => Err(Fault::End),
        }
    }
}

/// CRC-8 of a frame's header: x^8 + x^2 + x + 1.
pub(super) fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ byte, |crc: u8, _| {
            (crc << 1) ^ if crc & 0x80 != 0 { 0x07 } else { 0 }
        })
    })
}

/// CRC-16 of a frame: x^16 + x^15 + x^2 + 1.
pub(super) fn crc16(bytes: &[u8]) -> u16 {
    const TABLE: [u16; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            let mut crc = (byte as u16) << 8;
            let mut bit = 0;
            while bit < 8 {
                crc = (crc << 1) ^ if crc & 0x8000 != 0 { 0x8005 } else { 0 };
                bit += 1;
            }
            table[byte] = crc;
            byte += 1;
        }
        table
    };
    bytes.iter().fold(0, |crc: u16, &byte| {
        (crc << 8) ^ TABLE[usize::from((crc >> 8) as u8 ^ byte)]
    })
}
