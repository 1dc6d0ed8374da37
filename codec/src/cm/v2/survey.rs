//! What a block may be taken for.

use super::setup::{Kind, Level, MOST_RECORD, Setup};
use super::transform::relative_address;
use crate::log2::log2;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Bytes of the windows that are looked at, and how many there are at most.
const WINDOW: usize = 1 << 9;
const WINDOWS: usize = 8;

/// Most bytes that entropies are measured on.
const SAMPLE: usize = 1 << 16;

/// What a block may be taken for.
pub struct Candidates {
    /// Text, or bytes without records.
    pub plain: Setup,
    /// With records, the likeliest first.
    pub others: Vec<Setup>,
    /// Whether there are calls in x86 programs.
    pub calls: bool,
}

impl Candidates {
    /// Those of a block.
    pub fn of(level: Level, bytes: &[u8]) -> Candidates {
        let text = level == Level::Fast || is_text(bytes);
        let kind = if text { Kind::Text } else { Kind::Binary };
        let plain = Setup::plain(level, kind);
        if text || bytes.len() < 64 {
            return Candidates {
                plain,
                others: Vec::new(),
                calls: false,
            };
        }
        let mut others = Vec::new();
        let mut add = |kind, record, cell| {
            others.push(Setup {
                kind,
                record,
                cell,
                ..plain
            });
        };
        let near = near(bytes);
        let records = records(bytes, &near);
        if is_bits(bytes) {
            for &record in &records {
                add(Kind::Bits, record, cell(bytes, record));
            }
        }
        for &record in &records {
            add(Kind::Records, record, cell(bytes, record));
        }
        for &row in near.iter().filter(|d| **d >= LEAST_ROW).take(2) {
            add(Kind::Picture, row, cell(bytes, row).min(4));
        }
        Candidates {
            plain,
            others,
            calls: has_calls(bytes),
        }
    }
}

/// Whether there are calls and more of them agree in where they go than in how far.
fn has_calls(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(CALLS)];
    let (mut near, mut far) = (HashSet::new(), HashSet::new());
    let (mut count, mut distances, mut places) = (0, 0, 0);
    for at in 0..sample.len() {
        if let Some(address) = relative_address(sample, at) {
            count += 1;
            distances += usize::from(!near.insert(address));
            places += usize::from(!far.insert(address.wrapping_add(at as u32)));
        }
    }
    count >= 8 && places > distances + count / 64
}

/// Most bytes on which calls are looked for.
const CALLS: usize = 1 << 20;

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

/// Lengths that records or rows may have, the likeliest first.
fn records(bytes: &[u8], near: &[usize]) -> Vec<usize> {
    let mut candidates = near.to_vec();
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let short = &bytes[..bytes.len().min(SHORT)];
    let mut numbers: Vec<(f64, usize)> = NUMBERS
        .into_iter()
        .filter(|distance| 16 * distance <= short.len())
        .map(|distance| (columns(short, distance), distance))
        .collect();
    numbers.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, distance) in numbers.into_iter().take(2) {
        if !candidates.contains(&distance) {
            candidates.push(distance);
        }
    }
    let price = |distance| rows(sample, distance).min(columns(sample, distance));
    let mut priced: Vec<(f64, usize)> = candidates.into_iter().map(|d| (price(d), d)).collect();
    priced.sort_by(|a, b| a.0.total_cmp(&b.0));
    priced
        .into_iter()
        .take(MOST_RECORDS)
        .map(|(_, d)| d)
        .collect()
}

/// Lengths of records that are tried.
const MOST_RECORDS: usize = 3;

/// Rows that a picture may have, of at least this many bytes.
const LEAST_ROW: usize = 64;

/// Distances at which bytes differ least, each after its shortest divisor that is nearly
/// as good.
fn near(bytes: &[u8]) -> Vec<usize> {
    let most = (bytes.len() / 4).min(MOST_RECORD / 4);
    let differences: Vec<f64> = (1..=most).map(|d| difference(bytes, d, most)).collect();
    let mut order: Vec<usize> = (1..=most).collect();
    order.sort_by(|a, b| differences[a - 1].total_cmp(&differences[b - 1]));
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
    candidates
}

/// Lengths that records of few numbers have. Where their bytes are noisy, those a record
/// apart differ as much as any others, and yet each column has bytes of its own.
const NUMBERS: [usize; 9] = [2, 3, 4, 6, 8, 12, 16, 24, 32];

/// Most bytes on which these are tried.
const SHORT: usize = 1 << 14;

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
