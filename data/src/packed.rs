//! Compressed files as sources: `.gz`, `.zst`, `.xz`.
//!
//! A file that is called so and begins so stands for what it holds.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use liblzma::read::XzDecoder;

/// A compression of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Gz,
    Zst,
    Xz,
}

/// Extensions and first bytes.
const KINDS: [(Packing, &str, &[u8]); 3] = [
    (Packing::Gz, "gz", &[0x1f, 0x8b]),
    (Packing::Zst, "zst", &[0x28, 0xb5, 0x2f, 0xfd]),
    (Packing::Xz, "xz", &[0xfd, b'7', b'z', b'X', b'Z', 0]),
];

/// A file may hold this many times its own bytes, and [`MORE`]. Data hold less than a
/// hundredth of that; a few kilobytes that fill the disk are an attack.
const TIMES: u64 = 2000;
const MORE: u64 = 1 << 30;

impl Packing {
    /// That of a file, by its name and its first bytes.
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        let (packing, _, magic) = KINDS.into_iter().find(|kind| kind.1 == extension)?;
        let mut head = vec![0; magic.len()];
        File::open(path).ok()?.read_exact(&mut head).ok()?;
        (head == magic).then_some(packing)
    }

    /// What a file holds.
    ///
    /// # Errors
    /// A file that cannot be opened. Reading fails where it is damaged, and where it
    /// holds far more than files of data do.
    pub fn open(self, path: &Path) -> io::Result<Box<dyn Read>> {
        let file = File::open(path)?;
        let most = MORE.saturating_add(file.metadata()?.len().saturating_mul(TIMES));
        let input = BufReader::with_capacity(1 << 16, file);
        let inner: Box<dyn Read> = match self {
            Self::Gz => Box::new(MultiGzDecoder::new(input)),
            Self::Zst => Box::new(zstd::Decoder::with_buffer(input)?),
            Self::Xz => Box::new(XzDecoder::new_multi_decoder(input)),
        };
        Ok(Box::new(Bounded { inner, left: most }))
    }
}

struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            let message = format!(
                "it holds more than {TIMES} times its own length; if that is right, unpack it yourself"
            );
            io::Error::other(message)
        })?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(path: &Path) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let packing = Packing::of(path).expect("a compressed file");
        packing.open(path)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn what_is_called_and_begins_so_is_unpacked() {
        let folder = tempfile::tempdir().unwrap();
        let text = b"so much depends upon ".repeat(100);
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gz.write_all(&text).unwrap();
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(&text).unwrap();
        let files = [
            ("a.gz", gz.finish().unwrap()),
            ("a.zst", zstd::encode_all(&text[..], 3).unwrap()),
            ("a.xz", xz.finish().unwrap()),
        ];
        for (name, packed) in files {
            let path = folder.path().join(name);
            std::fs::write(&path, &packed).unwrap();
            assert_eq!(read(&path).unwrap(), text, "{name}");
            // Two streams after each other are both read.
            std::fs::write(&path, packed.repeat(2)).unwrap();
            assert_eq!(read(&path).unwrap(), text.repeat(2), "{name}");
            std::fs::write(&path, &packed[..packed.len() - 5]).unwrap();
            assert!(read(&path).is_err(), "{name}");
        }
        for (name, content) in [("b.gz", "no gzip"), ("b.txt", "\x1f"), ("c.zst", "")] {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            assert_eq!(Packing::of(&path), None, "{name}");
        }
    }

    #[test]
    fn a_bomb_is_stopped() {
        let mut bounded = Bounded {
            inner: io::repeat(0),
            left: 1 << 20,
        };
        let mut out = io::sink();
        let error = io::copy(&mut bounded, &mut out).unwrap_err();
        assert!(error.to_string().contains("unpack it yourself"), "{error}");
    }
}
