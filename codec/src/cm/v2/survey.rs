//! What an encoder takes a block for. A decoder is told.

use super::setup::{Kind, Level, MOST_RECORD, Setup};
use crate::log2::log2;
use std::sync::LazyLock;

/// Bytes of the windows that are looked at, and how many there are at most.
const WINDOW: usize = 1 << 9;
const WINDOWS: usize = 8;

/// Most bytes that entropies are measured on.
const SAMPLE: usize = 1 << 16;

/// Chooses a setup for a block.
pub fn survey(level: Level, bytes: &[u8]) -> Setup {
    if level == Level::Fast {
        return Setup::plain(level, Kind::Text);
    }
    let plain = Setup::plain(
        level,
        if is_text(bytes) {
            Kind::Text
        } else {
            Kind::Binary
        },
    );
    if plain.kind == Kind::Text || bytes.len() < 64 {
        return plain;
    }
    let Some(record) = record(bytes) else {
        return plain;
    };
    let kind = if is_bits(bytes) {
        Kind::Bits
    } else {
        Kind::Records
    };
    Setup {
        kind,
        record,
        cell: cell(bytes, record),
        ..plain
    }
}

/// Whether nearly all bytes are those of text in ASCII, UTF-8 or a code page.
fn is_text(bytes: &[u8]) -> bool {
    let mut counts = [0_usize; 3];
    for &byte in bytes {
        let class = match byte {
            b'\t' | b'\n' | b'\r' | 0x0C | 0x1B | 0x20..=0x7E => 0,
            0x80.. => 1,
            _ => 2,
        };
        counts[class] += 1;
    }
    let [plain, high, control] = counts;
    control * 200 <= bytes.len() && (high * 4 <= plain || is_mostly_utf8(bytes))
}

/// Whether bytes above 127 come as UTF-8 has them, at least nine times in ten.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut high, mut sound, mut rest) = (0_usize, 0_usize, 0);
    for &byte in bytes {
        let follows = byte & 0xC0 == 0x80;
        if byte >= 0x80 {
            high += 1;
            sound += usize::from(follows == (rest > 0));
        }
        rest = match byte {
            0xC2..=0xDF => 1,
            0xE0..=0xEF => 2,
            0xF0..=0xF4 => 3,
            _ if follows && rest > 0 => rest - 1,
            _ => 0,
        };
    }
    sound * 10 >= high * 9
}

/// Whether the bytes look like pixels of one bit: most are of one colour.
fn is_bits(bytes: &[u8]) -> bool {
    let flat = bytes.iter().filter(|b| matches!(b, 0 | 255)).count();
    let rest = bytes.iter().filter(|b| matches!(b, 1..=15)).count();
    2 * flat >= bytes.len() && 4 * rest <= bytes.len()
}

/// Windows of the bytes, evenly spread, that begin at `lead` or later.
fn windows(bytes: &[u8], lead: usize) -> impl Iterator<Item = usize> {
    let room = bytes.len().saturating_sub(lead + WINDOW);
    let count = WINDOWS.min(room / WINDOW + 1);
    (0..count).map(move |i| lead + room * i / count)
}

/// The mean difference of bytes that are `distance` apart.
fn difference(bytes: &[u8], distance: usize, lead: usize) -> f64 {
    let (mut sum, mut count) = (0, 0);
    for start in windows(bytes, lead) {
        let end = (start + WINDOW).min(bytes.len());
        let here = &bytes[start..end];
        let there = &bytes[start - distance..end - distance];
        let parts = here.iter().zip(there).map(|(a, b)| {
            let apart = a.wrapping_sub(*b);
            u32::from(apart.min(apart.wrapping_neg()).min(32)) + u32::from(apart != 0) * 8
        });
        sum += parts.sum::<u32>();
        count += end - start;
    }
    f64::from(sum) / count.max(1) as f64
}

/// The length of records or rows, if there are any.
fn record(bytes: &[u8]) -> Option<usize> {
    let most = (bytes.len() / 4).min(MOST_RECORD / 4);
    let differences: Vec<f64> = (1..=most).map(|d| difference(bytes, d, most)).collect();
    let mut order: Vec<usize> = (1..=most).collect();
    order.sort_by(|a, b| differences[a - 1].total_cmp(&differences[b - 1]));
    // Of a length and its multiples, the shortest that is nearly as good.
    let mut candidates: Vec<usize> = Vec::new();
    for &distance in order.iter().take(32) {
        let best = differences[distance - 1];
        let divisors = (1..=distance / 2).filter(|d| distance.is_multiple_of(*d));
        let shortest = divisors
            .chain([distance])
            .find(|d| differences[d - 1] <= best * 1.1 + 0.05);
        let shortest = shortest.unwrap_or(distance);
        for candidate in [shortest, distance] {
            if candidate > 1 && !candidates.contains(&candidate) && candidates.len() < 6 {
                candidates.push(candidate);
            }
        }
    }
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let short = &bytes[..bytes.len().min(SHORT)];
    let without = plain(short);
    let mut numbers: Vec<(f64, usize)> = NUMBERS
        .into_iter()
        .filter(|distance| 16 * distance <= short.len())
        .map(|distance| (columns(short, distance) / without, distance))
        .filter(|(share, _)| *share < WORTH)
        .collect();
    numbers.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, distance) in numbers.into_iter().take(2) {
        if !candidates.contains(&distance) {
            candidates.push(distance);
        }
    }
    let priced = candidates.into_iter().map(|distance| {
        let price = rows(sample, distance).min(columns(sample, distance));
        (price, distance)
    });
    let (price, distance) = priced.min_by(|a, b| a.0.total_cmp(&b.0))?;
    (price < WORTH * plain(sample)).then_some(distance)
}

/// Lengths that records of few numbers have. Where their bytes are noisy, those a record
/// apart differ as much as any others, and yet each column has bytes of its own.
const NUMBERS: [usize; 9] = [2, 3, 4, 6, 8, 12, 16, 24, 32];

/// Most bytes on which these are tried.
const SHORT: usize = 1 << 14;

/// What records must save to be taken for such.
const WORTH: f64 = 0.985;

/// The bytes' price by the last one or two.
fn plain(bytes: &[u8]) -> f64 {
    entropy(bytes, |i| [bytes[i - 1], 0])
        .min(entropy(bytes, |i| [bytes[i - 1], bytes[i.max(2) - 2]]))
}

/// The byte above, 0 in the first row.
fn above(bytes: &[u8], i: usize, distance: usize) -> u8 {
    if i >= distance {
        bytes[i - distance]
    } else {
        0
    }
}

/// Their price by the byte above, by the place in the row, by the byte above and the last.
fn rows(bytes: &[u8], distance: usize) -> f64 {
    let alone = entropy(bytes, |i| [above(bytes, i, distance), 0]);
    let column = entropy(bytes, |i| {
        [(i % distance % 256) as u8, (i % distance / 256) as u8]
    });
    let both = entropy(bytes, |i| [above(bytes, i, distance), bytes[i - 1]]);
    alone.min(column).min(both)
}

/// Their price by the place in the record and another byte, the last one or that above.
fn columns(bytes: &[u8], distance: usize) -> f64 {
    let place = |i: usize| (i % distance) as u8;
    let last = entropy(bytes, |i| [bytes[i - 1], place(i)]);
    last.min(entropy(bytes, |i| [above(bytes, i, distance), place(i)]))
}

/// Logarithms to base 2 of counts, each with a sixteenth added, and of totals over
/// sixteen symbols.
struct Logarithms {
    counts: [f64; MOST_COUNT as usize + 1],
    totals: Vec<f64>,
}

/// Counts are halved when one reaches this.
const MOST_COUNT: u16 = 255;

impl Logarithms {
    fn get() -> &'static Logarithms {
        static TABLES: LazyLock<Logarithms> = LazyLock::new(|| Logarithms {
            counts: std::array::from_fn(|n| log2(16 * n as u64 + 1)),
            totals: (0..=16 * u64::from(MOST_COUNT))
                .map(|n| log2(16 * n + 16))
                .collect(),
        });
        &TABLES
    }
}

/// Bits that the nibbles of bytes cost when their frequencies in a hashed context
/// are learned on the way.
fn entropy(bytes: &[u8], context: impl Fn(usize) -> [u8; 2]) -> f64 {
    let logarithms = Logarithms::get();
    let mut counts = vec![[0_u16; 16]; 1 << 16];
    let mut totals = vec![0_u16; 1 << 16];
    let mut bits = 0.0;
    for (i, &byte) in bytes.iter().enumerate().skip(1) {
        let [a, b] = context(i).map(u32::from);
        let hash = a | b << 8;
        for half in [
            (usize::from(byte >> 4), 0),
            (usize::from(byte & 15), 1 + u32::from(byte >> 4)),
        ] {
            let at = ((hash | half.1 << 16).wrapping_mul(0x9E37_79B1) >> 16) as usize;
            let (row, total) = (&mut counts[at], &mut totals[at]);
            bits += logarithms.totals[usize::from(*total)];
            bits -= logarithms.counts[usize::from(row[half.0])];
            row[half.0] += 1;
            *total += 1;
            if row[half.0] == MOST_COUNT {
                row.iter_mut().for_each(|c| *c /= 2);
                *total = row.iter().sum();
            }
        }
    }
    bits
}

/// Bytes of a number or pixel: the distance at which bytes differ least, if they
/// differ clearly less than neighbours do.
fn cell(bytes: &[u8], record: usize) -> usize {
    let cells = [1, 2, 3, 4, 6, 8, 12, 16]
        .into_iter()
        .filter(|c| *c <= record && 4 * c < bytes.len());
    let priced = cells.map(|c| (difference(bytes, c, 16) * (1.0 + 0.01 * c as f64), c));
    priced
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map_or(1, |(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_text_and_records_are_found() {
        let text = "Was ist das? Это текст. 这是文字。\n".repeat(40);
        let setup = survey(Level::Default, text.as_bytes());
        assert_eq!(setup.kind, Kind::Text);
        let records: Vec<u8> = (0..3000_u32)
            .flat_map(|i| [7, (i >> 8) as u8, i as u8, 0, 200, ((i * i) >> 5) as u8, 1])
            .collect();
        let setup = survey(Level::Default, &records);
        assert_eq!((setup.kind, setup.record % 7), (Kind::Records, 0));
    }

    #[test]
    fn records_of_noisy_numbers_are_found() {
        // Two columns of floats of 64 bits whose neighbours in a column differ as much as
        // any others.
        let floats = |i: u32| {
            [
                50.0 + f64::from(i * i % 1009 * 7 % 1009) / 100.0,
                f64::from(i * 37 % 5003) / 10.0,
            ]
        };
        let bytes: Vec<u8> = (0..2000)
            .flat_map(|i| floats(i).map(f64::to_le_bytes))
            .flatten()
            .collect();
        let setup = survey(Level::Default, &bytes);
        assert_eq!((setup.kind, setup.record), (Kind::Records, 16));
    }

    #[test]
    fn any_length_is_surveyed() {
        for length in 0..300 {
            let bytes: Vec<u8> = (0..length).map(|i| (i * i % 251) as u8).collect();
            let setup = survey(Level::Best, &bytes);
            assert!(setup.record >= 1 && setup.cell >= 1);
        }
    }
}
