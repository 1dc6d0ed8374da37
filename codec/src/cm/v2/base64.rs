//! Base64 in a block becomes the bytes it stands for.
//!
//! What is left of a block begins with a table of its runs of base64; then come, in their
//! order, the bytes between runs and those that runs stand for, and zeros up to the
//! block's length. So a change keeps the length, and the zeros cost little.
//!
//! A run is in one line or in lines of one length, with the same bytes between them: ends
//! of lines, written out or escaped, with the indentation of the next line, or what quotes
//! the lines of a list.

/// What a character that is no digit has for a value.
const NONE: u8 = 255;

/// The two alphabets of RFC 4648: they differ in the last two digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alphabet {
    Standard,
    /// For names of files and addresses.
    Url,
}

const STANDARD: [u8; 64] = digits_with(*b"+/");
const URL: [u8; 64] = digits_with(*b"-_");
const STANDARD_VALUES: [u8; 256] = values_of(&STANDARD);
const URL_VALUES: [u8; 256] = values_of(&URL);

const fn digits_with(last: [u8; 2]) -> [u8; 64] {
    let mut digits = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789..";
    (digits[62], digits[63]) = (last[0], last[1]);
    digits
}

const fn values_of(digits: &[u8; 64]) -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < 64 {
        values[digits[value] as usize] = value as u8;
        value += 1;
    }
    values
}

impl Alphabet {
    fn digits(self) -> &'static [u8; 64] {
        match self {
            Alphabet::Standard => &STANDARD,
            Alphabet::Url => &URL,
        }
    }

    fn values(self) -> &'static [u8; 256] {
        match self {
            Alphabet::Standard => &STANDARD_VALUES,
            Alphabet::Url => &URL_VALUES,
        }
    }

    /// How many digits `bytes` begin with.
    fn count(self, bytes: &[u8]) -> usize {
        let values = self.values();
        let digits = bytes.iter().take_while(|&&b| values[b as usize] != NONE);
        digits.count()
    }
}

/// Shorter runs stay as they are.
const LEAST: usize = 256;

/// Lines of a run, but for the last, have so many digits.
const LINES: std::ops::RangeInclusive<usize> = 32..=1024;

/// Most bytes between two lines.
const MOST_BETWEEN: usize = 40;

/// How the digits of a run lie in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Form<'a> {
    alphabet: Alphabet,
    /// Whether `=` fills the last group of four up.
    padded: bool,
    /// Characters of each line but the last; 0 if there is one line.
    line: usize,
    /// The bytes between two lines.
    between: &'a [u8],
}

impl<'a> Form<'a> {
    fn in_one_line(alphabet: Alphabet) -> Form<'a> {
        Form {
            alphabet,
            padded: true,
            line: 0,
            between: &[],
        }
    }

    /// Characters, digits and padding, for so many bytes.
    fn characters(&self, bytes: usize) -> usize {
        match self.padded {
            true => bytes.div_ceil(3).saturating_mul(4),
            false => bytes.saturating_mul(4).div_ceil(3),
        }
    }

    /// Bytes of a run in the block that stands for so many.
    fn length(&self, bytes: usize) -> usize {
        let characters = self.characters(bytes);
        let ends = match self.line {
            0 => 0,
            line => characters.saturating_sub(1) / line,
        };
        characters.saturating_add(ends.saturating_mul(self.between.len()))
    }

    /// Appends `bytes` as a run.
    fn encode(&self, bytes: &[u8], out: &mut Vec<u8>) {
        let digits = self.alphabet.digits();
        let mut column = 0;
        for group in bytes.chunks(3) {
            let mut bits = [0; 3];
            bits[..group.len()].copy_from_slice(group);
            let bits = u32::from_be_bytes([0, bits[0], bits[1], bits[2]]);
            for place in 0..4 {
                let is_digit = place <= group.len();
                if !is_digit && !self.padded {
                    break;
                }
                if self.line > 0 && column == self.line {
                    out.extend_from_slice(self.between);
                    column = 0;
                }
                column += 1;
                out.push(match is_digit {
                    true => digits[(bits >> (18 - 6 * place) & 63) as usize],
                    false => b'=',
                });
            }
        }
    }
}

/// A run of base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run<'a> {
    /// Bytes between the run before and this one.
    gap: usize,
    /// Bytes that it stands for.
    bytes: usize,
    form: Form<'a>,
}

impl<'a> Run<'a> {
    /// The run in the table: gap and bytes in four bytes each, the characters of a line in
    /// two, flags in one, the bytes between lines, with their number before them.
    fn write(&self, out: &mut Vec<u8>) {
        let form = &self.form;
        out.extend((self.gap as u32).to_le_bytes());
        out.extend((self.bytes as u32).to_le_bytes());
        out.extend((form.line as u16).to_le_bytes());
        out.push(u8::from(form.alphabet == Alphabet::Url) | u8::from(!form.padded) << 1);
        out.push(form.between.len() as u8);
        out.extend(form.between);
    }

    /// The first run of a table, and the rest of it; `None` if it ends too early.
    fn read(table: &'a [u8]) -> Option<(Run<'a>, &'a [u8])> {
        let (gap, table) = table.split_first_chunk()?;
        let (bytes, table) = table.split_first_chunk()?;
        let (line, table) = table.split_first_chunk()?;
        let ([flags, between], table) = table.split_first_chunk()?;
        let (between, table) = table.split_at_checked(usize::from(*between))?;
        let form = Form {
            alphabet: match flags & 1 {
                0 => Alphabet::Standard,
                _ => Alphabet::Url,
            },
            padded: flags & 2 == 0,
            line: usize::from(u16::from_le_bytes(*line)),
            between,
        };
        let run = Run {
            gap: u32::from_le_bytes(*gap) as usize,
            bytes: u32::from_le_bytes(*bytes) as usize,
            form,
        };
        Some((run, table))
    }
}

/// The bytes between a first line, which `rest` follows, and the next one.
fn between(rest: &[u8], alphabet: Alphabet) -> &[u8] {
    // The letters of escapes are digits, too.
    let escape = [&b"\\r\\n"[..], b"\\n"]
        .into_iter()
        .find(|e| rest.starts_with(e));
    let start = escape.map_or(0, <[u8]>::len);
    let values = alphabet.values();
    let others = rest[start..].iter().take(MOST_BETWEEN + 1);
    let others = others.take_while(|&&b| values[b as usize] == NONE && b != b'=');
    match start + others.count() {
        length if length <= MOST_BETWEEN => &rest[..length],
        _ => &[],
    }
}

/// The run that `bytes` begin with: how long it is, its form, and what it stands for.
/// That, [encoded](Form::encode), is the same again.
fn run(bytes: &[u8], alphabet: Alphabet) -> (usize, Form<'_>, Vec<u8>) {
    let mut form = Form::in_one_line(alphabet);
    let first = alphabet.count(bytes);
    let mut digits = bytes[..first].to_vec();
    let mut end = first;
    let between = between(&bytes[first..], alphabet);
    if LINES.contains(&first) && !between.is_empty() {
        while bytes[end..].starts_with(between) {
            let next = end + between.len();
            let count = alphabet.count(&bytes[next..]);
            if count == 0 || count > first {
                break;
            }
            digits.extend_from_slice(&bytes[next..next + count]);
            end = next + count;
            (form.line, form.between) = (first, between);
            // A shorter line is the last.
            if count < first {
                break;
            }
        }
    }
    // Whole groups, then one of two or three digits whose bits behind the last byte are 0.
    let values = alphabet.values();
    let rest = digits.len() % 4;
    let is_even = |bits: u32| {
        let last = digits.last().map_or(NONE, |&digit| values[digit as usize]);
        u32::from(last).trailing_zeros() >= bits
    };
    let room = match form.line {
        0 => 2,
        line => (line - digits.len() % line) % line,
    };
    let is_followed_by =
        |padding: &[u8]| room >= padding.len() && bytes[end..].starts_with(padding);
    form.padded = match rest {
        2 if is_even(4) => is_followed_by(b"=="),
        3 if is_even(2) => is_followed_by(b"="),
        _ => {
            digits.truncate(digits.len() - rest);
            true
        }
    };
    let mut content = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for group in digits.chunks(4) {
        let bits = group.iter().fold(0, |bits, &digit| {
            bits << 6 | u32::from(values[digit as usize])
        });
        let bytes = (bits << (6 * (4 - group.len()))).to_be_bytes();
        content.extend(&bytes[1..1 + 6 * group.len() / 8]);
    }
    (form.length(content.len()), form, content)
}

/// What is left of a block without the zeros at the end, and where its first run begins.
/// None if less than half of it is base64.
pub fn change(block: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut runs = Vec::new();
    let mut body = Vec::with_capacity(block.len());
    let (mut at, mut end, mut covered) = (0, 0, 0);
    while at < block.len() {
        let counts = [Alphabet::Standard, Alphabet::Url].map(|of| of.count(&block[at..]));
        let count = counts[0].max(counts[1]);
        if count < *LINES.start() {
            at += count.max(1);
            continue;
        }
        let standard = run(&block[at..], Alphabet::Standard);
        let url = run(&block[at..], Alphabet::Url);
        let (length, form, content) = if url.0 > standard.0 { url } else { standard };
        if length < LEAST {
            // What may begin within is short.
            at += length.max(count);
            continue;
        }
        body.extend_from_slice(&block[end..at]);
        runs.push(Run {
            gap: at - end,
            bytes: content.len(),
            form,
        });
        body.extend(content);
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
    runs.iter().for_each(|run| run.write(&mut out));
    out.extend(body);
    // The table may take more than its runs save.
    (out.len() <= block.len()).then_some((out, first))
}

/// The runs of `changed`, one after the other, and its body; `None` if the table does not
/// fit. Runs are read again and not kept: a table may be as long as a block.
fn table(changed: &[u8]) -> Option<(impl Iterator<Item = Run<'_>>, &[u8])> {
    let (count, table) = changed.split_first_chunk()?;
    let count = u32::from_le_bytes(*count);
    let mut body = table;
    for _ in 0..count {
        (_, body) = Run::read(body)?;
    }
    let mut rest = table;
    let runs = (0..count).map_while(move |_| {
        let (run, behind) = Run::read(rest)?;
        rest = behind;
        Some(run)
    });
    Some((runs, body))
}

/// The block of `changed`, of the same length. What no block is changed to becomes some
/// block, too: zeros, if the table does not fit.
pub fn undo(changed: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(changed.len());
    if let Some((runs, mut body)) = table(changed) {
        for run in runs {
            let room = changed.len() - out.len();
            if run.gap.saturating_add(run.bytes) > body.len()
                || run.gap.saturating_add(run.form.length(run.bytes)) > room
            {
                break;
            }
            let (gap, rest) = body.split_at(run.gap);
            let (content, rest) = rest.split_at(run.bytes);
            out.extend_from_slice(gap);
            run.form.encode(content, &mut out);
            body = rest;
        }
        let room = changed.len() - out.len();
        out.extend_from_slice(&body[..room.min(body.len())]);
    }
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
        lines(digits, "\n").of(bytes)
    }

    fn lines(line: usize, between: &str) -> Form<'_> {
        Form {
            line,
            between: between.as_bytes(),
            ..ONE
        }
    }

    impl Form<'_> {
        fn of(&self, bytes: &[u8]) -> Vec<u8> {
            let mut out = Vec::new();
            self.encode(bytes, &mut out);
            out
        }
    }

    const ONE: Form<'_> = Form {
        alphabet: Alphabet::Standard,
        padded: true,
        line: 0,
        between: &[],
    };

    #[test]
    fn what_base64_stands_for_lies_bare() {
        let mut content = b"What base64 stands for. \xfb\xff".repeat(40);
        let url = Form {
            alphabet: Alphabet::Url,
            padded: false,
            ..ONE
        };
        let indented = Form {
            alphabet: Alphabet::Url,
            ..lines(76, "\n")
        };
        for form in [
            ONE,
            url,
            indented,
            lines(76, "\n"),
            lines(64, "\r\n"),
            lines(70, "\n    "),
            lines(68, "\n\t\t"),
            lines(76, "\\n"),
            lines(76, "\\r\\n"),
            lines(60, "\",\n  \""),
        ] {
            for (before, after) in [("", ""), ("Content: ", "\n"), ("{\"a\":\"", "\"}\n")] {
                let mut block = before.as_bytes().to_vec();
                block.extend(form.of(&content));
                block.extend(after.as_bytes());
                let changed = padded(&block).expect("base64");
                let found = changed.windows(content.len()).any(|w| w == content);
                assert!(found, "{form:?}");
                assert_eq!(undo(&changed), block);
            }
            content.pop();
        }
        assert_eq!(ONE.of(b"f"), b"Zg==");
        assert_eq!(ONE.of(b"fo"), b"Zm8=");
        assert_eq!(ONE.of(b"foobar"), b"Zm9vYmFy");
        let bare = Form {
            padded: false,
            ..ONE
        };
        assert_eq!(bare.of(b"f"), b"Zg");
        assert_eq!(lines(3, "\n").of(b"foob"), b"Zm9\nvYg\n==");
    }

    #[test]
    fn prose_and_little_base64_stay() {
        assert_eq!(change(b""), None);
        assert_eq!(change(&b"no base64 at all. ".repeat(50)), None);
        let mut block = ONE.of(&[7; 300]);
        block.extend(b" and twice as much of other text".repeat(30));
        assert_eq!(change(&block), None);
    }

    #[test]
    fn runs_end_where_they_would_not_come_back() {
        // Padded lines of full length, digits with bits that no byte has.
        let form = lines(76, "\n");
        let mut block = form.of(&[b'a'; 56]);
        block.push(b'\n');
        block.extend(form.of(&[b'b'; 1140]));
        let twice = [&form.of(&[b'c'; 1139])[..], b"\n", &block].concat();
        assert!(twice[..1539].ends_with(b"="));
        let changed = padded(&twice).expect("two runs");
        assert_eq!(changed[0], 2);
        assert_eq!(undo(&changed), twice);

        let mut odd = ONE.of(&[b'd'; 1000]);
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
        }
        for lines in [["Q", "Q"], ["+", "-"]] {
            let [short, long] = [32, 36].map(|n| lines.map(|digit| digit.repeat(n)).concat());
            let block = format!("{}\n{long}\n", &short[..32]).repeat(1 << 15);
            assert_eq!(change(block.as_bytes()), None);
        }
    }

    #[test]
    fn tables_that_do_not_fit_are_taken_for_none() {
        for length in 0..14 {
            assert_eq!(undo(&vec![255; length]), vec![0; length]);
        }
        // Nothing but a table.
        let mut changed = vec![0; 4 + 12 * 500];
        changed[..4].copy_from_slice(&500_u32.to_le_bytes());
        assert_eq!(undo(&changed), vec![0; changed.len()]);
        // A run that just fits, and one that does not.
        for (bytes, fits) in [(6, true), (7, false)] {
            let run = Run {
                gap: 0,
                bytes,
                form: lines(4, "\r\n"),
            };
            let mut changed = vec![1, 0, 0, 0];
            run.write(&mut changed);
            changed.resize(changed.len() + 6, 0);
            let block = undo(&changed);
            assert_eq!(block.starts_with(b"AAAA\r\nAAAA"), fits, "{block:?}");
        }
    }

    prop_compose! {
        fn forms()(
            line in 8_usize..160,
            between in "[ \t\"]{0,3}(\r?\n|\\\\n)[ \t\",]{0,6}",
            kind in 0..4_u8,
        ) -> (usize, String, u8) {
            (line, between, kind)
        }
    }

    fn form((line, between, kind): &(usize, String, u8)) -> Form<'_> {
        Form {
            alphabet: match kind & 1 {
                0 => Alphabet::Standard,
                _ => Alphabet::Url,
            },
            padded: kind & 2 == 0,
            ..lines(*line, between)
        }
    }

    prop_compose! {
        fn pieces()(
            content in prop::collection::vec(any::<u8>(), 0..900),
            lines in forms(),
            kind in 0..4,
            cut in 0..9_usize,
        ) -> Vec<u8> {
            let mut out = match kind {
                0 | 1 => form(&lines).of(&content),
                2 => ONE.of(&content),
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
        fn lengths_of_runs_are_those_of_their_text(bytes in 0..300_usize, lines in forms()) {
            let form = form(&lines);
            prop_assert_eq!(form.length(bytes), form.of(&vec![9; bytes]).len());
        }

        #[test]
        fn tables_come_back(runs in prop::collection::vec((0..9_usize, 0..99_usize, forms()), 0..4)) {
            let runs: Vec<Run> = runs
                .iter()
                .map(|(gap, bytes, lines)| Run { gap: *gap, bytes: *bytes, form: form(lines) })
                .collect();
            let mut bytes = (runs.len() as u32).to_le_bytes().to_vec();
            runs.iter().for_each(|run| run.write(&mut bytes));
            let (read, body) = table(&bytes).expect("a table");
            prop_assert_eq!((read.collect::<Vec<_>>(), body), (runs, &[][..]));
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
            for at in [5, 6, 7, 9, 10, 11, 13, 15] {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = 0;
                }
            }
            prop_assert_eq!(undo(&bytes).len(), bytes.len());
        }
    }
}
