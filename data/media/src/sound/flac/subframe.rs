//! Decodes one channel of a frame: a constant, plain samples, or a predictor
//! and its residual.

use std::io::Read;

use super::Fault;
use super::bits::Bits;

/// Coefficients of the fixed predictors, the latest sample first.
const FIXED: [&[i64]; 5] = [&[], &[1], &[2, -1], &[3, -3, 1], &[4, -6, 4, -1]];

/// Reads `length` samples of `depth` bits.
pub(super) fn subframe<R: Read>(
    bits: &mut Bits<R>,
    depth: u32,
    length: usize,
    samples: &mut Vec<i64>,
) -> Result<(), Fault> {
    samples.clear();
    if bits.unsigned(1)? != 0 {
        return Err(Fault::Damaged("a reserved bit of a subframe is set"));
    }
    let kind = bits.unsigned(6)? as usize;
    // If the lowest bits of all samples are zero, they are not stored ("wasted
    // bits").
    let wasted = match bits.unsigned(1)? {
        0 => 0,
        _ => bits.unary()? + 1,
    };
    let wasted = u32::try_from(wasted).unwrap_or(u32::MAX);
    let depth = depth
        .checked_sub(wasted)
        .filter(|&depth| depth > 0)
        .ok_or(Fault::Damaged("more wasted bits than bits per sample"))?;
    match kind {
        0 => samples.resize(length, bits.signed(depth)?),
        1 => {
            for _ in 0..length {
                samples.push(bits.signed(depth)?);
            }
        }
        8..=12 => {
            let order = kind - 8;
            warm_up(bits, depth, order, length, samples)?;
            residual(bits, order, length, samples)?;
            predict(FIXED[order], 0, samples);
        }
        32.. => {
            let order = kind - 31;
            warm_up(bits, depth, order, length, samples)?;
            let precision = bits.unsigned(4)? as u32 + 1;
            if precision == 16 {
                return Err(Fault::Damaged("a reserved precision of coefficients"));
            }
            let shift = bits.signed(5)?;
            let shift = u32::try_from(shift).map_err(|_| Fault::Damaged("a negative shift"))?;
            let mut coefficients = [0; 32];
            for coefficient in &mut coefficients[..order] {
                *coefficient = bits.signed(precision)?;
            }
            residual(bits, order, length, samples)?;
            predict(&coefficients[..order], shift, samples);
        }
        _ => return Err(Fault::Damaged("a reserved kind of subframe")),
    }
    let half = 1i64 << (depth - 1);
    if samples.iter().any(|s| !(-half..half).contains(s)) {
        return Err(Fault::Damaged(
            "a sample has more bits than the header says",
        ));
    }
    if wasted > 0 {
        samples.iter_mut().for_each(|sample| *sample <<= wasted);
    }
    Ok(())
}

/// Reads the first `order` samples, which are stored without prediction.
fn warm_up<R: Read>(
    bits: &mut Bits<R>,
    depth: u32,
    order: usize,
    length: usize,
    samples: &mut Vec<i64>,
) -> Result<(), Fault> {
    if order > length {
        return Err(Fault::Damaged("a block shorter than its predictor"));
    }
    for _ in 0..order {
        samples.push(bits.signed(depth)?);
    }
    Ok(())
}

/// Reads the residual of a predictor of this order, after its warm-up samples:
/// Rice codes with one parameter for each partition of the block.
fn residual<R: Read>(
    bits: &mut Bits<R>,
    order: usize,
    length: usize,
    samples: &mut Vec<i64>,
) -> Result<(), Fault> {
    let width = match bits.unsigned(2)? {
        0 => 4,
        1 => 5,
        _ => return Err(Fault::Damaged("a reserved residual coding method")),
    };
    let escape = (1 << width) - 1;
    let parts = 1usize << bits.unsigned(4)?;
    let part = length / parts;
    if !length.is_multiple_of(parts) || part < order {
        return Err(Fault::Damaged(
            "the partitions of the residual do not fit the block",
        ));
    }
    for index in 0..parts {
        let count = if index == 0 { part - order } else { part };
        let parameter = bits.unsigned(width)? as u32;
        if parameter == escape {
            let plain = bits.unsigned(5)? as u32;
            for _ in 0..count {
                samples.push(bits.signed(plain)?);
            }
            continue;
        }
        for _ in 0..count {
            let high = bits.unary()?;
            let folded = (high << parameter) | bits.unsigned(parameter)?;
            if high >> (32 - parameter) != 0 {
                return Err(Fault::Damaged("a residual of more than 32 bits"));
            }
            samples.push((folded >> 1) as i64 ^ -((folded & 1) as i64));
        }
    }
    Ok(())
}

/// Adds the prediction to the residual, in place, after the warm-up samples.
/// Sums wrap around in damaged files only, and those fail their checksum.
fn predict(coefficients: &[i64], shift: u32, samples: &mut [i64]) {
    let order = coefficients.len();
    for at in order..samples.len() {
        let before = samples[at - order..at].iter().rev();
        let sum = before
            .zip(coefficients)
            .fold(0i64, |sum, (s, c)| sum.wrapping_add(s.wrapping_mul(*c)));
        samples[at] = samples[at].wrapping_add(sum >> shift);
    }
}
