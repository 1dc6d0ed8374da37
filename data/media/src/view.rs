//! Shows bytes as a picture or a sound.

use std::io;
use std::path::Path;

use crate::geometry::Geometry;
use crate::picture::Canvas;
use crate::sound::wav;

/// Why bytes cannot be shown as asked.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The file name is one of a picture and the bytes are sound, or the other
    /// way round.
    #[error("{geometry} is {is}: name the file {name}, or anything else for the bytes as they are")]
    Kind {
        /// What the bytes are.
        geometry: Geometry,
        /// The same in a word.
        is: &'static str,
        /// What the file should end in.
        name: &'static str,
    },
    /// A picture that cannot be encoded.
    #[error("cannot make a picture")]
    Picture(#[from] io::Error),
}

/// The content of a file with this name that shows the bytes, which begin at
/// `offset` of their set: a PNG picture for `.png`, a sound for `.wav`,
/// otherwise the bytes themselves. If the geometry is not known, pictures are
/// assumed to be the paper's patches, and sounds its 8-bit samples.
///
/// # Errors
/// If the name does not fit the geometry, or the picture is too large for PNG.
pub fn file(
    path: &Path,
    geometry: Option<Geometry>,
    offset: u64,
    bytes: &[u8],
) -> Result<Vec<u8>, ViewError> {
    let extension = path.extension().and_then(|e| e.to_str());
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("png") => {
            let geometry = geometry.unwrap_or(Geometry::PATCHES);
            match Canvas::new(geometry, offset, bytes.len()) {
                Some(canvas) => Ok(canvas.png(bytes)?),
                None => Err(ViewError::Kind {
                    geometry,
                    is: "a sound",
                    name: ".wav",
                }),
            }
        }
        Some("wav") => {
            let geometry = geometry.unwrap_or(Geometry::SPEECH);
            wav(geometry, bytes).ok_or(ViewError::Kind {
                geometry,
                is: "a picture",
                name: ".png",
            })
        }
        _ => Ok(bytes.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::Pcm16;

    #[test]
    fn the_name_tells_what_is_written() {
        let of = |name: &str, geometry| file(Path::new(name), geometry, 0, &[128; 2048]);
        assert_eq!(&of("a.png", None).unwrap()[1..4], b"PNG");
        assert_eq!(&of("a.wav", None).unwrap()[..4], b"RIFF");
        assert_eq!(of("a.raw", Some(Geometry::PATCHES)).unwrap(), [128; 2048]);
        let deltas = Geometry::Pcm16 {
            order: Pcm16::Deltas,
            channels: 1,
            rate: 8000,
        };
        let sound = file(Path::new("a.wav"), Some(deltas), 0, &[0, 5, 0xFF, 0xFE]).unwrap();
        assert!(sound.ends_with(&[5, 0, 3, 0]));
        for (name, geometry) in [("a.wav", Geometry::PATCHES), ("a.png", Geometry::SPEECH)] {
            let error = of(name, Some(geometry)).unwrap_err().to_string();
            assert!(error.contains("name the file"), "{error}");
        }
    }
}
