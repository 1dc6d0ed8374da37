//! Tests of the change of base64.

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
