//! Base64 in a block becomes the bytes it stands for.
//!
//! What is left of a block begins with a table of its runs of base64; then come, in their
//! order, the bytes between runs and those that runs stand for, and zeros up to the
//! block's length. So a change keeps the length, and the zeros cost little.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Shorter runs stay as they are.
const LEAST: usize = 256;

/// Lines of a run, but for the last, have so many digits.
const LINES: std::ops::RangeInclusive<usize> = 32..=1024;

/// A run of base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// Bytes between the run before and this one.
    gap: usize,
    /// Bytes that it stands for.
    bytes: usize,
    /// How its lines end.
    lines: Lines,
}

/// Bytes of a run in the table: the gap and the bytes in four, the lines in two.
const ENTRY: usize = 10;

impl Run {
    /// Bytes of the run in the block.
    fn length(&self) -> usize {
        let digits = 4 * self.bytes.div_ceil(3);
        let ends = match self.lines {
            Lines::One => 0,
            // As `encode` breaks lines: whole groups, at least one.
            Lines::Many { digits: line, .. } => {
                let line = 4 * line.div_ceil(4).max(1);
                digits.saturating_sub(1) / line
            }
        };
        digits + ends * self.lines.end().len()
    }
}

/// The lines of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lines {
    /// One line.
    One,
    /// Lines of so many digits, but for the last; whether a carriage return comes before
    /// the line feed.
    Many { digits: usize, returns: bool },
}

impl Lines {
    /// Twice the digits, and one more with carriage returns; 0 for one line.
    fn to_number(self) -> u16 {
        match self {
            Lines::One => 0,
            Lines::Many { digits, returns } => 2 * digits as u16 + u16::from(returns),
        }
    }

    fn from_number(number: u16) -> Lines {
        match number {
            0 | 1 => Lines::One,
            _ => Lines::Many {
                digits: usize::from(number / 2),
                returns: number % 2 == 1,
            },
        }
    }

    /// Bytes of the end of a line.
    fn end(self) -> &'static [u8] {
        match self {
            Lines::One => b"",
            Lines::Many { returns: false, .. } => b"\n",
            Lines::Many { returns: true, .. } => b"\r\n",
        }
    }
}

/// The value of a digit.
fn value(digit: u8) -> Option<u32> {
    Some(match digit {
        b'A'..=b'Z' => u32::from(digit - b'A'),
        b'a'..=b'z' => u32::from(digit - b'a') + 26,
        b'0'..=b'9' => u32::from(digit - b'0') + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// How many digits `bytes` begin with.
fn digits(bytes: &[u8]) -> usize {
    let digits = bytes.iter().take_while(|&&b| value(b).is_some());
    digits.count()
}

/// Digits, with padding at the end, of whole groups of four that `bytes` begin with, as
/// they are made: bits behind the last byte are zeros.
fn groups(bytes: &[u8]) -> usize {
    let count = digits(bytes);
    let is_even =
        |at: usize, bits: u32| value(bytes[at]).is_some_and(|value| value.trailing_zeros() >= bits);
    let padded = match (count % 4, &bytes[count..]) {
        (2, [b'=', b'=', ..]) if is_even(count - 1, 4) => count + 2,
        (3, [b'=', ..]) if is_even(count - 1, 2) => count + 1,
        _ => count,
    };
    padded / 4 * 4
}

/// The run that `bytes` begin with: how long it is, and its lines. What it stands for,
/// [encoded](encode), is the same again.
fn run(bytes: &[u8]) -> (usize, Lines) {
    let first = digits(bytes);
    let returns = match &bytes[first..] {
        [b'\n', ..] => false,
        [b'\r', b'\n', ..] => true,
        _ => return (groups(bytes), Lines::One),
    };
    if !LINES.contains(&first) || !first.is_multiple_of(4) {
        return (groups(bytes), Lines::One);
    }
    let lines = Lines::Many {
        digits: first,
        returns,
    };
    let mut end = first;
    while bytes[end..].starts_with(lines.end()) {
        let next = end + lines.end().len();
        let count = groups(&bytes[next..]);
        if count == 0 || count > first {
            break;
        }
        end = next + count;
        // A line that is shorter or padded is the last.
        if count < first || bytes[end - 1] == b'=' {
            break;
        }
    }
    (end, lines)
}

/// Appends the bytes that digits stand for; what is no digit is left out.
fn decode(digits: &[u8], out: &mut Vec<u8>) {
    let (mut bits, mut count) = (0_u32, 0);
    for digit in digits.iter().filter_map(|&d| value(d)) {
        bits = bits << 6 | digit;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
}

/// Appends `bytes` as a run.
fn encode(bytes: &[u8], lines: Lines, out: &mut Vec<u8>) {
    let mut column = 0;
    for group in bytes.chunks(3) {
        if let Lines::Many { digits, .. } = lines
            && column >= digits
        {
            out.extend_from_slice(lines.end());
            column = 0;
        }
        column += 4;
        let mut bits = [0; 3];
        bits[..group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes([0, bits[0], bits[1], bits[2]]);
        for place in 0..4 {
            out.push(match place <= group.len() {
                true => DIGITS[(bits >> (18 - 6 * place) & 63) as usize],
                false => b'=',
            });
        }
    }
}

/// What is left of a block without the zeros at the end, and where its first run begins.
/// None if less than half of it is base64.
pub fn change(block: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut runs = Vec::new();
    let mut body = Vec::with_capacity(block.len());
    let (mut at, mut end, mut covered) = (0, 0, 0);
    while at < block.len() {
        let count = digits(&block[at..]);
        if count < *LINES.start() {
            at += count.max(1);
            continue;
        }
        let (length, lines) = run(&block[at..]);
        if length < LEAST {
            // Nor is a part of it long enough.
            at += length.max(count);
            continue;
        }
        body.extend_from_slice(&block[end..at]);
        let start = body.len();
        decode(&block[at..at + length], &mut body);
        runs.push(Run {
            gap: at - end,
            bytes: body.len() - start,
            lines,
        });
        at += length;
        covered += length;
        end = at;
    }
    let first = runs.first()?.gap;
    if 2 * covered < block.len() {
        return None;
    }
    body.extend_from_slice(&block[end..]);
    let mut out = (runs.len() as u32).to_le_bytes().to_vec();
    for run in runs {
        out.extend((run.gap as u32).to_le_bytes());
        out.extend((run.bytes as u32).to_le_bytes());
        out.extend(run.lines.to_number().to_le_bytes());
    }
    out.extend(body);
    Some((out, first))
}

/// The block of `changed`, of the same length. What no block is changed to becomes some
/// block, too: zeros, if the table does not fit.
pub fn undo(changed: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(changed.len());
    let parts = changed.split_first_chunk().and_then(|(count, rest)| {
        let table = (u32::from_le_bytes(*count) as usize).checked_mul(ENTRY)?;
        rest.split_at_checked(table)
    });
    let (table, mut body) = parts.unwrap_or_default();
    for entry in table.chunks_exact(ENTRY) {
        let number = |at: usize| {
            entry[at..][..4]
                .iter()
                .rev()
                .fold(0, |n, &b| n << 8 | usize::from(b))
        };
        let run = Run {
            gap: number(0),
            bytes: number(4),
            lines: Lines::from_number(u16::from_le_bytes([entry[8], entry[9]])),
        };
        let room = changed.len() - out.len();
        if run.gap.saturating_add(run.bytes) > body.len()
            || run.gap.saturating_add(run.length()) > room
        {
            break;
        }
        let (gap, rest) = body.split_at(run.gap);
        let (content, rest) = rest.split_at(run.bytes);
        out.extend_from_slice(gap);
        encode(content, run.lines, &mut out);
        body = rest;
    }
    let room = changed.len() - out.len();
    out.extend_from_slice(&body[..room.min(body.len())]);
    out.resize(changed.len(), 0);
    out
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As in an archive: with zeros up to the block's length.
    fn padded(block: &[u8]) -> Option<Vec<u8>> {
        let (mut changed, _) = change(block)?;
        assert!(changed.len() <= block.len());
        changed.resize(block.len(), 0);
        Some(changed)
    }

    /// Base64 of `bytes` in lines of so many digits.
    pub fn text(bytes: &[u8], digits: usize) -> Vec<u8> {
        let returns = false;
        in_lines(bytes, Lines::Many { digits, returns })
    }

    fn in_lines(bytes: &[u8], lines: Lines) -> Vec<u8> {
        let mut out = Vec::new();
        encode(bytes, lines, &mut out);
        out
    }

    #[test]
    fn what_base64_stands_for_lies_bare() {
        let content = b"What base64 stands for. ".repeat(40);
        for lines in [
            Lines::One,
            Lines::Many {
                digits: 76,
                returns: false,
            },
            Lines::Many {
                digits: 64,
                returns: true,
            },
        ] {
            for (before, after) in [("", ""), ("Content: ", "\n"), ("{\"a\":\"", "\"}\n")] {
                let mut block = before.as_bytes().to_vec();
                block.extend(in_lines(&content, lines));
                block.extend(after.as_bytes());
                let changed = padded(&block).expect("base64");
                let found = changed.windows(content.len()).any(|w| w == content);
                assert!(found, "{lines:?}");
                assert_eq!(undo(&changed), block);
            }
        }
        assert_eq!(in_lines(b"f", Lines::One), b"Zg==");
        assert_eq!(in_lines(b"fo", Lines::One), b"Zm8=");
        assert_eq!(in_lines(b"foobar", Lines::One), b"Zm9vYmFy");
    }

    #[test]
    fn prose_and_little_base64_stay() {
        assert_eq!(change(b""), None);
        assert_eq!(change(&b"no base64 at all. ".repeat(50)), None);
        let mut block = in_lines(&[7; 300], Lines::One);
        block.extend(b" and twice as much of other text".repeat(30));
        assert_eq!(change(&block), None);
    }

    #[test]
    fn runs_end_where_they_would_not_come_back() {
        // Padded lines of full length, digits with bits that no byte has.
        let lines = Lines::Many {
            digits: 76,
            returns: false,
        };
        let mut block = in_lines(&[b'a'; 56], lines);
        block.push(b'\n');
        block.extend(in_lines(&[b'b'; 1140], lines));
        let twice = [&in_lines(&[b'c'; 1139], lines)[..], b"\n", &block].concat();
        assert!(twice[..1539].ends_with(b"="));
        let changed = padded(&twice).expect("two runs");
        assert_eq!(changed[0], 2);
        assert_eq!(undo(&changed), twice);

        let mut odd = in_lines(&[b'd'; 1000], Lines::One);
        assert!(odd.ends_with(b"ZA=="));
        let place = odd.len() - 3;
        odd[place] = b'B';
        assert_eq!(undo(&padded(&odd).expect("all but the last group")), odd);
    }

    #[test]
    fn work_grows_with_the_length() {
        // Lines that would be looked at again from each of them on.
        let line = [b"Q".repeat(32), b"\n".to_vec()].concat();
        for end in ["QB==\n", "=", "====", "\r\n"] {
            let block = [line.repeat(1 << 16), end.as_bytes().to_vec()].concat();
            let changed = padded(&block).expect("base64");
            assert_eq!(undo(&changed), block);
            let short = [
                b"Q".repeat(32),
                b"\n".to_vec(),
                b"Q".repeat(36),
                b"\n".to_vec(),
            ];
            assert_eq!(change(&short.concat().repeat(1 << 15)), None);
        }
    }

    #[test]
    fn tables_that_do_not_fit_are_taken_for_none() {
        for length in 0..14 {
            assert_eq!(undo(&vec![255; length]), vec![0; length]);
        }
        // Nothing but a table.
        let mut changed = vec![0; 4 + 10 * 500];
        changed[..4].copy_from_slice(&500_u32.to_le_bytes());
        assert_eq!(undo(&changed), vec![0; changed.len()]);
        // A run that just fits, and one that does not.
        for (bytes, fits) in [(12, true), (13, false)] {
            let mut changed = vec![0; 26];
            (changed[0], changed[8], changed[12]) = (1, bytes, 3);
            let block = undo(&changed);
            assert_eq!(block.starts_with(b"AAAA\r\nAAAA"), fits, "{block:?}");
        }
    }

    prop_compose! {
        fn pieces()(
            content in prop::collection::vec(any::<u8>(), 0..900),
            digits in 8_usize..40,
            kind in 0..4,
            cut in 0..9_usize,
        ) -> Vec<u8> {
            let lines = Lines::Many { digits: 4 * digits, returns: kind == 1 };
            let mut out = match kind {
                0 | 1 => in_lines(&content, lines),
                2 => in_lines(&content, Lines::One),
                _ => content,
            };
            // Cut anywhere, with digits that are no base64, padding, ends of lines.
            out.truncate(out.len().saturating_sub(cut));
            out.extend(&b"=\r\nAB=x\n"[..cut]);
            out
        }
    }

    proptest! {
        #[test]
        fn changes_are_undone(pieces in prop::collection::vec(pieces(), 0..5)) {
            let block = pieces.concat();
            if let Some(changed) = padded(&block) {
                prop_assert_eq!(undo(&changed), block);
            }
        }

        #[test]
        fn lengths_of_runs_are_those_of_their_text(bytes in 0..300_usize, number: u16) {
            let run = Run { gap: 0, bytes, lines: Lines::from_number(number) };
            prop_assert_eq!(run.length(), in_lines(&vec![9; bytes], run.lines).len());
        }

        #[test]
        fn anything_is_undone_to_as_many_bytes(
            count in 0..4_u32,
            mut bytes in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            if let Some(head) = bytes.first_chunk_mut() {
                *head = count.to_le_bytes();
            }
            // Small gaps and lengths, some of which fit.
            for at in [5, 6, 7, 9, 10, 11, 15, 16, 17] {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = 0;
                }
            }
            prop_assert_eq!(undo(&bytes).len(), bytes.len());
        }
    }
}
