//! What a coder's stream grows by with each byte.

use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;

use super::streams::ppmd_into;
use super::{BaselineError, Coder, stream_length};

/// Growth of a stream along its data.
#[derive(Clone, Debug, PartialEq)]
pub struct Marginal {
    /// Bits of each byte, as many in all as the stream has.
    pub bits: Vec<f32>,
    /// Bytes over which a growth is spread evenly, the mean.
    pub grain: f64,
}

/// Pieces whose growth is told for a coder that gives no bytes before the end.
const PIECES: usize = 64;

/// The least of such a piece, bytes.
const PIECE: usize = 1 << 12;

/// What each byte adds to a coder's stream, in bits. PPMd gives a byte whenever it is sure
/// of one, which is spread over the bytes since the last. Any other coder compresses growing
/// parts of the data; each growth is spread over its piece. The header of the stream is
/// charged to the first piece, its end to the last.
///
/// # Errors
/// If the coder fails.
pub fn marginal_bits(coder: Coder, data: &[u8]) -> Result<Marginal, BaselineError> {
    let grows = match coder {
        Coder::Ppmd => ppmd(data).map_err(|source| BaselineError::Coder {
            coder: coder.name(),
            action: "compress",
            offset: 0,
            source,
        })?,
        _ => growing(coder, data)?,
    };
    let mut bits = vec![0.0; data.len()];
    let (mut start, mut length, mut parts) = (0, 0, 0_u32);
    for (end, total) in grows {
        let each = 8.0 * (total - length) as f32 / (end - start).max(1) as f32;
        bits[start..end].fill(each);
        (start, length) = (end, total);
        parts += 1;
    }
    Ok(Marginal {
        grain: data.len() as f64 / f64::from(parts.max(1)),
        bits,
    })
}

/// Bytes of data and of the stream whenever the stream has grown, and at the end.
fn ppmd(data: &[u8]) -> io::Result<Vec<(usize, u64)>> {
    let written = Rc::new(Cell::new(0_u64));
    let counter = Counter(written.clone());
    let mut grows: Vec<(usize, u64)> = Vec::new();
    let mut before = 0;
    ppmd_into(counter, data, &mut |end| {
        if written.get() > before {
            before = written.get();
            grows.push((end, before));
        }
    })?;
    // What is left at the end belongs to the last bytes.
    if let Some(last) = grows.last_mut()
        && last.0 == data.len()
    {
        last.1 = written.get();
    } else {
        grows.push((data.len(), written.get()));
    }
    Ok(grows)
}

struct Counter(Rc<Cell<u64>>);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn growing(coder: Coder, data: &[u8]) -> Result<Vec<(usize, u64)>, BaselineError> {
    use rayon::prelude::*;
    let pieces = data.len().div_ceil(PIECE).clamp(1, PIECES);
    let mut grows = (1..=pieces)
        .into_par_iter()
        .map(|i| {
            let end = data.len() * i / pieces;
            Ok((end, stream_length(coder, &data[..end])?))
        })
        .collect::<Result<Vec<_>, BaselineError>>()?;
    // More data can give a stream that is a little shorter.
    for i in (1..grows.len()).rev() {
        grows[i - 1].1 = grows[i - 1].1.min(grows[i].1);
    }
    Ok(grows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_sums_to_the_stream() {
        let text: Vec<u8> = (0..3000)
            .flat_map(|i| format!("line {} of {i}\n", i * i % 97).into_bytes())
            .collect();
        for coder in [Coder::Ppmd, Coder::Gzip, Coder::Xz, Coder::Bzip2] {
            let found = marginal_bits(coder, &text).unwrap();
            let sum: f64 = found.bits.iter().map(|&b| f64::from(b)).sum();
            let length = 8.0 * stream_length(coder, &text).unwrap() as f64;
            assert!(
                (sum / length - 1.0).abs() < 1e-4,
                "{coder:?}: {sum} {length}"
            );
            assert!(found.bits.iter().all(|&b| b >= 0.0));
        }
        let ppmd = marginal_bits(Coder::Ppmd, &text).unwrap();
        assert!(ppmd.grain < 16.0, "{}", ppmd.grain);
        assert!(marginal_bits(Coder::Ppmd, b"").unwrap().bits.is_empty());
    }
}
