//! Archives that are decoded while they are written, and the size of their streams.

use brevity_codec::archive::{
    Error, Models, Options, Source, compress, compress_decoding, compress_verified, entropy,
    inspect,
};
use brevity_codec::{Level, Method, score};
use brevity_model::{Spec, Weights};
use std::io::{self, Write};

fn weights() -> Weights {
    let value = |i: usize| ((i * 37 % 101) as f32 - 50.0) * 4e-3;
    let spec = Spec::brevity(8, 1, 2, 16);
    Weights::from_fn(spec, |info| (0..info.len()).map(value).collect()).unwrap()
}

fn text(length: usize) -> Vec<u8> {
    let words = ["sea ", "shells ", "she ", "sells, ", "shore. ", "\n"];
    let word = |i: usize| words[i * i % 7 % 6].bytes();
    (0..).flat_map(word).take(length).collect()
}

fn blocks() -> Options {
    Options {
        block: 1000,
        ..Options::default()
    }
}

#[test]
fn what_is_verified_is_what_is_written() {
    let bytes = text(5500);
    let weights = weights();
    for source in [Source::none(), Source::external(&weights)] {
        let models = Models {
            external: Some(&weights),
            ..Models::default()
        };
        let (mut plain, mut verified) = (Vec::new(), Vec::new());
        let options = blocks();
        let first = compress(&bytes[..], &mut plain, &source, &options, &|_| {});
        let second = compress_verified(
            &bytes[..],
            &mut verified,
            &source,
            &options,
            &models,
            &|_| {},
        );
        assert_eq!(first.unwrap(), second.unwrap());
        assert_eq!(plain, verified);
    }
}

fn on_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.unwrap().install(run)
}

#[test]
fn blocks_are_decoded_as_they_are_coded() {
    // Text, base64 of it, a program with calls, noise that is stored as it is, nothing.
    let calls = |i: usize| match i % 16 {
        0 => 0xE8,
        1..=4 => (((40_000 - i / 16 * 16) >> (8 * (i % 16 - 1))) & 255) as u8,
        j => (j * 29) as u8,
    };
    let noise = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 24) as u8;
    let files = [
        text(90_000),
        b"c2VhIHNoZWxscyBz".repeat(4000),
        (0..40_000).map(calls).collect(),
        (0..5000).map(noise).collect(),
        Vec::new(),
    ];
    for bytes in &files {
        for level in Level::ALL {
            let options = Options {
                level,
                ..Options::default()
            };
            let (written, archive) = on_threads(2, || {
                let mut out = Vec::new();
                let source = Source::none();
                let written = compress_decoding(&bytes[..], &mut out, &source, &options, &|_| {});
                (written.unwrap(), out)
            });
            assert!(written.decoded);
            let mut plain = Vec::new();
            let first = compress(&bytes[..], &mut plain, &Source::none(), &options, &|_| {});
            assert_eq!((first.unwrap(), plain), (written.summary, archive.clone()));
            assert!(written.is(&archive[..]).unwrap());
            for at in (0..archive.len()).step_by(archive.len() / 7) {
                let mut changed = archive.clone();
                changed[at] ^= 4;
                assert!(!written.is(&changed[..]).unwrap_or(false));
            }
        }
    }
    // Several blocks can be decoded side by side later.
    let several = on_threads(2, || {
        let bytes = &files[0][..];
        compress_decoding(bytes, io::sink(), &Source::none(), &blocks(), &|_| {})
    });
    assert!(!several.unwrap().decoded);
    // With one thread, nothing follows.
    let options = Options::default();
    let alone = on_threads(1, || {
        let bytes = &files[0][..];
        compress_decoding(bytes, io::sink(), &Source::none(), &options, &|_| {})
    });
    assert!(!alone.unwrap().decoded);
    // Nor does it where a model predicts.
    let (weights, bytes) = (weights(), text(500));
    let source = Source::external(&weights);
    let with_model = on_threads(2, || {
        compress_decoding(&bytes[..], io::sink(), &source, &options, &|_| {})
    });
    assert!(!with_model.unwrap().decoded);
}

#[test]
fn what_does_not_decode_is_an_error() {
    // The reader lacks the model: more is written than a pipe holds.
    let weights = weights();
    let source = Source::external(&weights);
    let mut out = Vec::new();
    let noise: Vec<u8> = (0..300_000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 23) as u8)
        .collect();
    let written = compress_verified(
        &noise[..],
        &mut out,
        &source,
        &blocks(),
        &Models::default(),
        &|_| {},
    );
    let error = written.unwrap_err();
    assert!(matches!(&error, Error::Unverified(_)), "{error}");
    assert!(error.to_string().contains("does not decode"), "{error}");
}

/// An output that accepts this many bytes, then fails.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self.0.min(buffer.len()) {
            0 => Err(io::Error::from(io::ErrorKind::StorageFull)),
            count => {
                self.0 -= count;
                Ok(count)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_the_disks_error() {
    let written = compress_verified(
        &text(5000)[..],
        Full(100),
        &Source::none(),
        &blocks(),
        &Models::default(),
        &|_| {},
    );
    let error = written.unwrap_err();
    assert!(matches!(&error, Error::Write(_)), "{error}");
}

#[test]
fn streams_take_a_byte_or_two_over_their_entropy() {
    let weights = weights();
    let models = Models {
        external: Some(&weights),
        ..Models::default()
    };
    let bytes = text(5500);
    for method in [Method::Model, Method::Mixed, Method::Contexts, Method::Raw] {
        let options = Options {
            method: Some(method),
            ..blocks()
        };
        let mut archive = Vec::new();
        let source = Source::external(&weights);
        compress(&bytes[..], &mut archive, &source, &options, &|_| {}).unwrap();
        let bits = entropy(&archive[..], &models, &|_| {}).unwrap();
        let parts = inspect(&archive[..]).unwrap();
        assert_eq!(bits.len(), parts.blocks.len());
        for (bits, block) in bits.iter().zip(&parts.blocks) {
            let over = block.payload as f64 - bits / 8.0;
            assert!((0.0..=2.0).contains(&over), "{method:?}: {over}");
        }
    }
}

#[test]
fn entropy_is_the_code_length_of_the_model() {
    let weights = weights();
    let models = Models {
        external: Some(&weights),
        ..Models::default()
    };
    // Bytes that the model predicts well, so that blocks are not stored raw.
    let likely = (0..=255)
        .min_by_key(|&byte| (score(&weights, &[byte; 64]).unwrap().bits * 1e6) as u64)
        .unwrap();
    let bytes = vec![likely; 1700];
    let options = Options {
        method: Some(Method::Model),
        ..blocks()
    };
    let mut archive = Vec::new();
    let source = Source::external(&weights);
    compress(&bytes[..], &mut archive, &source, &options, &|_| {}).unwrap();
    let bits = entropy(&archive[..], &models, &|_| {}).unwrap();
    assert_eq!(bits.len(), 2);
    for (bits, block) in bits.iter().zip(bytes.chunks(1000)) {
        let priced = score(&weights, block).unwrap().bits;
        assert!((priced - bits).abs() < 0.01, "{priced} {bits}");
    }
}
