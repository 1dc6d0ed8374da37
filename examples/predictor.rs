//! A predictor for `brevity score --predictor` and `brevity compress --predictor`: the
//! protocol of `docs/predictors.md` with the standard library alone.
//!
//! It predicts from counts of bytes after the same two bytes, which it makes as it goes:
//!
//! ```text
//! rustc -O examples/predictor.rs
//! brevity score --predictor ./predictor --data README.md
//! ```
//!
//! `examples/predictor.py` is the same in Python.

use std::collections::HashMap;
use std::io::{Read, Result, Write, stdin, stdout};

/// How often each byte came after two others.
#[derive(Default)]
struct Counts {
    after: HashMap<[u8; 2], [u32; 256]>,
    last: [u8; 2],
}

impl Counts {
    /// Log-probabilities (nats) of the next byte, little-endian.
    fn next(&self) -> Vec<u8> {
        let counts = self.after.get(&self.last).unwrap_or(&[0; 256]);
        let sum = counts.iter().sum::<u32>() as f64 + 1.0;
        let log = |&count: &u32| ((count as f64 + 1.0 / 256.0) / sum).ln() as f32;
        counts.iter().flat_map(|c| log(c).to_le_bytes()).collect()
    }

    fn take(&mut self, byte: u8) {
        self.after.entry(self.last).or_insert([0; 256])[byte as usize] += 1;
        self.last = [self.last[1], byte];
    }
}

fn number(from: &mut impl Read) -> Result<usize> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes) as usize)
}

fn main() -> Result<()> {
    let (mut from, mut to) = (stdin().lock(), stdout().lock());
    from.read_exact(&mut [0; 12])?; // "brevity", version 1, 256 symbols
    to.write_all(b"brevity\x01")?;
    let name = b"counts of order 2";
    // Symbols, context (none: it never starts anew), streams, length of the name.
    for field in [256, 0, 1, name.len() as u32] {
        to.write_all(&field.to_le_bytes())?;
    }
    to.write_all(name)?;
    to.flush()?;
    let mut streams = Vec::new();
    let mut kind = [0];
    while from.read(&mut kind)? == 1 {
        let count = number(&mut from)?;
        if kind == *b"S" {
            streams.clear();
            streams.resize_with(count, Counts::default);
            for stream in &streams {
                to.write_all(&stream.next())?;
            }
        } else {
            let mut bytes = vec![0; count * streams.len()];
            from.read_exact(&mut bytes)?;
            for (stream, bytes) in streams.iter_mut().zip(bytes.chunks(count)) {
                for &byte in bytes {
                    stream.take(byte);
                    to.write_all(&stream.next())?;
                }
            }
        }
        to.flush()?;
    }
    Ok(())
}
