use super::*;
use proptest::prelude::*;

/// Writes GGUF files for tests.
#[derive(Default)]
pub(crate) struct Writer {
    pairs: Vec<u8>,
    count: u64,
    tensors: Vec<(String, Vec<u64>, u32, Vec<u8>)>,
}

fn string(out: &mut Vec<u8>, s: &[u8]) {
    out.extend((s.len() as u64).to_le_bytes());
    out.extend(s);
}

impl Writer {
    fn pair(&mut self, key: &str, kind: u32) -> &mut Vec<u8> {
        string(&mut self.pairs, key.as_bytes());
        self.pairs.extend(kind.to_le_bytes());
        self.count += 1;
        &mut self.pairs
    }

    pub(crate) fn integer(&mut self, key: &str, value: u32) {
        self.pair(key, 4).extend(value.to_le_bytes());
    }

    pub(crate) fn float(&mut self, key: &str, value: f32) {
        self.pair(key, 6).extend(value.to_le_bytes());
    }

    pub(crate) fn text(&mut self, key: &str, value: &str) {
        string(self.pair(key, 8), value.as_bytes());
    }

    pub(crate) fn texts(&mut self, key: &str, values: &[&[u8]]) {
        let out = self.pair(key, 9);
        out.extend(8u32.to_le_bytes());
        out.extend((values.len() as u64).to_le_bytes());
        for value in values {
            string(out, value);
        }
    }

    pub(crate) fn integers(&mut self, key: &str, values: &[i32]) {
        let out = self.pair(key, 9);
        out.extend(5u32.to_le_bytes());
        out.extend((values.len() as u64).to_le_bytes());
        out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    }

    /// A tensor of `f32`, row-major.
    pub(crate) fn tensor(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "{name}");
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let shape = shape.iter().rev().map(|&d| d as u64).collect();
        self.tensors.push((name.into(), shape, 0, bytes));
    }

    /// Rounds matrices whose rows are whole blocks to Q8_0.
    pub(crate) fn quantise(&mut self) {
        for (_, shape, kind, bytes) in &mut self.tensors {
            if shape.len() != 2 || !shape[0].is_multiple_of(32) {
                continue;
            }
            let values = bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|b| f32::from_le_bytes(*b));
            let values: Vec<f32> = values.collect();
            *kind = 8;
            bytes.clear();
            for block in values.chunks_exact(32) {
                // Powers of two: their halves are an exponent.
                let max = block.iter().fold(1e-4_f32, |max, x| max.max(x.abs()));
                let exponent = ((max / 127.0).to_bits() >> 23) + 1;
                let scale = f32::from_bits(exponent << 23);
                bytes.extend((((exponent + 15 - 127) as u16) << 10).to_le_bytes());
                let integer = |x: &f32| (x / scale).round() as i8 as u8;
                bytes.extend(block.iter().map(integer));
            }
        }
    }

    /// Takes a tensor out again.
    pub(crate) fn remove(&mut self, name: &str) {
        self.tensors.retain(|tensor| tensor.0 != name);
    }

    pub(crate) fn finish(&self) -> Vec<u8> {
        let mut out = b"GGUF\x03\0\0\0".to_vec();
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend(self.count.to_le_bytes());
        out.extend(&self.pairs);
        let mut offset = 0u64;
        for (name, shape, kind, bytes) in &self.tensors {
            string(&mut out, name.as_bytes());
            out.extend((shape.len() as u32).to_le_bytes());
            out.extend(shape.iter().flat_map(|d| d.to_le_bytes()));
            out.extend(kind.to_le_bytes());
            out.extend(offset.to_le_bytes());
            offset += bytes.len().next_multiple_of(32) as u64;
        }
        for (.., bytes) in &self.tensors {
            out.resize(out.len().next_multiple_of(32), 0);
            out.extend(bytes);
        }
        out
    }
}

fn example() -> Vec<u8> {
    let mut writer = Writer::default();
    writer.text("general.architecture", "llama");
    writer.integer("llama.block_count", 3);
    writer.float("llama.rope.freq_base", 1e4);
    writer.texts("tokenizer.ggml.tokens", &[b"a", b"bc", b"\xff"]);
    writer.integers("tokenizer.ggml.token_type", &[1, 1, 3]);
    writer.tensor("a", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    writer.tensor("b", &[5], &[0.5; 5]);
    writer.finish()
}

#[test]
fn everything_written_is_read() {
    let file = example();
    let gguf = Gguf::parse(&file).unwrap();
    assert_eq!(gguf.version, 3);
    assert_eq!(gguf.text("general.architecture"), Ok(Some("llama")));
    assert_eq!(gguf.integer("llama.block_count"), Ok(Some(3)));
    assert_eq!(gguf.number("llama.rope.freq_base"), Ok(Some(1e4)));
    assert_eq!(gguf.integer("llama.none"), Ok(None));
    assert!(gguf.integer("general.architecture").is_err());
    let tokens = gguf.array("tokenizer.ggml.tokens").unwrap().unwrap();
    assert_eq!(*tokens, Array::Texts(vec![b"a", b"bc", b"\xff"]));
    let a = gguf.tensor("a").unwrap();
    assert_eq!((a.shape.as_slice(), a.format), (&[2, 3][..], Format::F32));
    assert_eq!(file[a.bytes.clone()][4..8], 2.0f32.to_le_bytes());
    assert_eq!(gguf.tensor("b").unwrap().shape, [5]);
}

#[test]
fn a_file_that_ends_anywhere_is_refused() {
    let file = example();
    // The last tensor's padding is not there.
    for len in 0..file.len() {
        let error = Gguf::parse(&file[..len]).expect_err("a part of a file");
        assert!(error.offset <= len);
    }
}

#[test]
fn lies_are_named() {
    let error = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = example();
        change(&mut file);
        Gguf::parse(&file).unwrap_err().problem
    };
    assert_eq!(error(&|f| f[0] = b'X'), "not a GGUF file");
    assert_eq!(error(&|f| f[4] = 1), "version 1 is not 2 or 3");
    assert!(error(&|f| f[4..8].copy_from_slice(&[0, 0, 0, 3])).contains("big-endian"));
    assert!(error(&|f| f[15] = 0x40).contains("tensors do not fit"));
    assert!(error(&|f| f[23] = 0x40).contains("pairs of metadata do not fit"));
    let kind = |f: &[u8], name: &[u8]| {
        let at = f.windows(name.len()).rposition(|w| w == name).unwrap();
        at + name.len() + 4 + 16
    };
    let name = b"\x01\0\0\0\0\0\0\0a\x02";
    assert_eq!(
        error(&|f| {
            let at = kind(f, name) - 1;
            f[at] = 10;
        }),
        "the tensor `a` is stored as Q2_K, which is not supported"
    );
    assert!(
        error(&|f| {
            let at = kind(f, name) - 1;
            f[at] = 8;
        })
        .contains("no whole blocks of Q8_0")
    );
}

proptest! {
    #[test]
    fn damaged_headers_neither_panic_nor_ask_for_memory(
        changes in prop::collection::vec((0usize..600, any::<u8>()), 1..8),
    ) {
        let mut file = example();
        for (at, byte) in changes {
            let at = at % file.len();
            file[at] = byte;
        }
        let _ = Gguf::parse(&file);
    }
}
