//! Files with changes at random places are read or refused; they never cause a
//! panic.

use std::fs;
use std::path::Path;

use brevity_media::Conversion;

/// A xorshift generator: the same changes on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

#[test]
fn changed_files_are_read_or_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.contains(".expected.") || name.ends_with(".py") {
            continue;
        }
        let whole = fs::read(&path).unwrap();
        for round in 0..12 {
            let mut file = whole.clone();
            // Headers are short, and decide most.
            let end = if round % 2 == 0 {
                64.min(file.len())
            } else {
                file.len()
            };
            for _ in 0..=random.below(4) {
                let at = random.below(end);
                file[at] = [0, 1, 0x7F, 0x80, 0xFF, random.below(256) as u8][random.below(6)];
            }
            if random.below(4) == 0 {
                file.truncate(random.below(file.len()));
            }
            for conversion in [Conversion::Rgb, Conversion::Pcm8, Conversion::Pcm16Planes] {
                let mut out = Vec::new();
                let done = conversion.convert(name, &mut &file[..], &mut out);
                assert!(done.is_err() || !out.is_empty(), "{name}");
            }
        }
    }
}
