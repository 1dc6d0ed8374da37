//! Bytes as something to look at or to listen to.
//!
//! A [`Geometry`] says what the bytes of a set are: rows of pixels, samples of
//! sound, or neither. [`Picture`] places them as pixels, [`wav`] puts the header
//! before them that players want. What the sets of this project are, follows
//! from how they were made ([`Geometry::of`]); for others it is said in words,
//! as in `rgb:768`.

mod picture;
mod wav;

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

use brevity_data::{
    Conversion, DataError, Generator, Item, PATCH_HEIGHT, PATCH_WIDTH, Pcm16, Pcm16Blocks,
    SetRecord, Shape, Source, Store,
};

pub use picture::Picture;
pub(crate) use picture::encode;
pub use wav::wav;

/// Samples a second of the paper's sounds.
const RATE: u32 = 16_000;

/// What bytes mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Geometry {
    /// Grey patches of 32 rows of 64 pixels, one byte a pixel, 2048 a patch.
    Patches {
        /// Patches side by side in a row; without, about as many as make a
        /// square.
        across: Option<usize>,
    },
    /// Rows of grey pixels, a byte each.
    Gray {
        /// Pixels of a row.
        width: usize,
    },
    /// Rows of pixels of red, green and blue, a byte each.
    Rgb {
        /// Pixels of a row.
        width: usize,
    },
    /// Unsigned 8-bit samples of one channel.
    Pcm8 {
        /// Samples a second.
        rate: u32,
    },
    /// Signed 16-bit samples of one channel, the low byte first.
    Pcm16 {
        /// Samples a second.
        rate: u32,
    },
    /// Samples of one channel as [`Conversion::Pcm16Deltas`] has them.
    Pcm16Deltas {
        /// Samples a second.
        rate: u32,
    },
}

/// A geometry that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no geometry: there are patches[:ACROSS], gray:WIDTH, rgb:WIDTH, pcm8[:RATE], \
     pcm16[:RATE] and pcm16-deltas[:RATE]"
)]
pub struct GeometryError(String);

impl Geometry {
    /// The paper's pictures.
    pub const PATCHES: Self = Self::Patches { across: None };

    /// The paper's sounds.
    pub const SPEECH: Self = Self::Pcm8 { rate: RATE };

    /// What the bytes of a source are, where that is known: of the synthetic
    /// sets, and of fetched and imported ones by how their files were converted.
    ///
    /// # Errors
    /// A damaged record of a set.
    pub fn of(source: &Source, store: &Store) -> Result<Option<Self>, DataError> {
        let name = match source {
            Source::Generated(Generator::SyntheticImage) => return Ok(Some(Self::PATCHES)),
            Source::Generated(Generator::SyntheticAudio) => return Ok(Some(Self::SPEECH)),
            Source::Registered(name) => name.clone(),
            // As in reading, a file goes before a set of its name.
            Source::Path(path) if !path.exists() => path.display().to_string(),
            _ => return Ok(None),
        };
        Ok(store.record(&name)?.and_then(|record| of_record(&record)))
    }

    /// Bytes of what belongs together: a patch, a pixel, a sample.
    pub fn unit(self) -> usize {
        match self {
            Self::Patches { .. } => PATCH_WIDTH * PATCH_HEIGHT,
            Self::Gray { .. } | Self::Pcm8 { .. } => 1,
            Self::Rgb { .. } => 3,
            Self::Pcm16 { .. } | Self::Pcm16Deltas { .. } => 2,
        }
    }

    /// Whether this is a picture; otherwise it is a sound.
    pub fn is_picture(self) -> bool {
        !matches!(
            self,
            Self::Pcm8 { .. } | Self::Pcm16 { .. } | Self::Pcm16Deltas { .. }
        )
    }

    /// Bytes of a sound as a player wants them: differences are summed up, from 0
    /// where they begin in the middle of a sound; others are samples already.
    pub(crate) fn samples(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        if !matches!(self, Self::Pcm16Deltas { .. }) {
            return Cow::Borrowed(bytes);
        }
        let samples = Pcm16Blocks::new(Pcm16::Deltas, 1).to_samples(bytes);
        Cow::Owned(samples.iter().flat_map(|s| s.to_le_bytes()).collect())
    }
}

/// Why bytes cannot be shown as asked.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// A file name for pictures with bytes of sound, or the other way round.
    #[error("{geometry} is {is}: name the file {name}, or anything else for the bytes as they are")]
    Kind {
        /// What the bytes are.
        geometry: Geometry,
        /// That in a word.
        is: &'static str,
        /// What the file should end in.
        name: &'static str,
    },
    /// A picture that cannot be encoded.
    #[error("cannot make a picture")]
    Picture(#[from] io::Error),
}

/// What to write into a file of this name to see or hear the bytes, which begin
/// at `offset` of their set: a PNG picture for `.png`, a sound for `.wav`,
/// otherwise the bytes themselves. Where the geometry is not known, pictures are
/// taken for the paper's patches and sound for its 8-bit samples.
///
/// # Errors
/// A name that does not suit the geometry, a picture too large for PNG.
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
            match Picture::new(geometry, offset, bytes.len()) {
                Some(picture) => Ok(picture.png(bytes)?),
                None => Err(ViewError::Kind {
                    geometry,
                    is: "a sound",
                    name: ".wav",
                }),
            }
        }
        Some("wav") => match geometry.unwrap_or(Geometry::SPEECH) {
            Geometry::Pcm8 { rate } => Ok(wav(bytes, 8, rate)),
            geometry @ (Geometry::Pcm16 { rate } | Geometry::Pcm16Deltas { rate }) => {
                Ok(wav(&geometry.samples(bytes), 16, rate))
            }
            geometry => Err(ViewError::Kind {
                geometry,
                is: "a picture",
                name: ".png",
            }),
        },
        _ => Ok(bytes.to_vec()),
    }
}

fn of_record(record: &SetRecord) -> Option<Geometry> {
    match record.convert {
        Conversion::GrayPatches => Some(Geometry::PATCHES),
        Conversion::Pcm8 => Some(Geometry::SPEECH),
        Conversion::Rgb | Conversion::Pcm16 | Conversion::Pcm16Deltas => {
            let mut of_items = record.item.iter().map(|item| of_item(record.convert, item));
            let first = of_items.next()??;
            of_items.all(|other| other == Some(first)).then_some(first)
        }
        _ => None,
    }
}

/// Pictures of several widths, or sounds of several rates, have no geometry in
/// common.
fn of_item(conversion: Conversion, item: &Item) -> Option<Geometry> {
    match (conversion, item.shape()) {
        (Conversion::Rgb, Shape::Picture(picture)) => Some(Geometry::Rgb {
            width: picture.width as usize,
        }),
        (Conversion::Pcm16, Shape::Sound(sound)) if sound.channels == 1 => {
            Some(Geometry::Pcm16 { rate: sound.rate })
        }
        (Conversion::Pcm16Deltas, Shape::Sound(sound)) if sound.channels == 1 => {
            Some(Geometry::Pcm16Deltas { rate: sound.rate })
        }
        _ => None,
    }
}

impl FromStr for Geometry {
    type Err = GeometryError;

    /// `patches[:ACROSS]`, `gray:WIDTH`, `rgb:WIDTH`, `pcm8[:RATE]`,
    /// `pcm16[:RATE]` or `pcm16-deltas[:RATE]`.
    ///
    /// ```
    /// use brevity_lab::view::Geometry;
    /// assert_eq!("rgb:768".parse(), Ok(Geometry::Rgb { width: 768 }));
    /// assert_eq!("pcm8".parse(), Ok(Geometry::Pcm8 { rate: 16_000 }));
    /// assert!("rgb".parse::<Geometry>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, number) = match text.split_once(':') {
            None => (text, None),
            Some((name, number)) => match number.parse::<u32>() {
                Ok(number) if (1..=1 << 20).contains(&number) => (name, Some(number)),
                _ => return Err(GeometryError(text.to_owned())),
            },
        };
        let width = number.map(|n| n as usize);
        match (name, width) {
            ("patches", across) => Ok(Self::Patches { across }),
            ("gray", Some(width)) => Ok(Self::Gray { width }),
            ("rgb", Some(width)) => Ok(Self::Rgb { width }),
            ("pcm8", _) => Ok(Self::Pcm8 {
                rate: number.unwrap_or(RATE),
            }),
            ("pcm16", _) => Ok(Self::Pcm16 {
                rate: number.unwrap_or(RATE),
            }),
            ("pcm16-deltas", _) => Ok(Self::Pcm16Deltas {
                rate: number.unwrap_or(RATE),
            }),
            _ => Err(GeometryError(text.to_owned())),
        }
    }
}

impl fmt::Display for Geometry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Patches { across: None } => f.write_str("patches"),
            Self::Patches { across: Some(n) } => write!(f, "patches:{n}"),
            Self::Gray { width } => write!(f, "gray:{width}"),
            Self::Rgb { width } => write!(f, "rgb:{width}"),
            Self::Pcm8 { rate } => write!(f, "pcm8:{rate}"),
            Self::Pcm16 { rate } => write!(f, "pcm16:{rate}"),
            Self::Pcm16Deltas { rate } => write!(f, "pcm16-deltas:{rate}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brevity_data::import;

    #[test]
    fn text_form_round_trips() {
        let texts = ["patches", "patches:12", "gray:64", "rgb:768", "pcm16:44100"];
        for text in texts.into_iter().chain(["pcm16-deltas:8000"]) {
            assert_eq!(text.parse::<Geometry>().unwrap().to_string(), text);
        }
        for text in ["", "gray", "rgb:0", "rgb:-1", "pcm8:x", "jpeg:3"] {
            assert!(text.parse::<Geometry>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_name_tells_what_is_written() {
        let of = |name: &str, geometry| file(Path::new(name), geometry, 0, &[128; 2048]);
        assert_eq!(&of("a.png", None).unwrap()[1..4], b"PNG");
        assert_eq!(&of("a.wav", None).unwrap()[..4], b"RIFF");
        assert_eq!(of("a.raw", Some(Geometry::PATCHES)).unwrap(), [128; 2048]);
        let deltas = Geometry::Pcm16Deltas { rate: 8000 };
        let sound = file(Path::new("a.wav"), Some(deltas), 0, &[0, 5, 0xFF, 0xFE]).unwrap();
        assert!(sound.ends_with(&[5, 0, 3, 0]));
        for (name, geometry) in [("a.wav", Geometry::PATCHES), ("a.png", Geometry::SPEECH)] {
            let error = of(name, Some(geometry)).unwrap_err().to_string();
            assert!(error.contains("name the file"), "{error}");
        }
    }

    #[test]
    fn sets_know_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("store"));
        let file = folder.path().join("a.png");
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, 64, 32);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[7; 2048]).unwrap();
        writer.finish().unwrap();
        std::fs::write(&file, png).unwrap();
        let source = Source::Path(file);
        import(&source, Conversion::GrayPatches, "pics", false, &store).unwrap();
        import(&source, Conversion::Rgb, "colours", false, &store).unwrap();

        let of = |text: &str| Geometry::of(&Source::from(text), &store).unwrap();
        assert_eq!(of("pics"), Some(Geometry::PATCHES));
        assert_eq!(of("colours"), Some(Geometry::Rgb { width: 64 }));
        assert_eq!(of("synthetic-audio"), Some(Geometry::SPEECH));
        assert_eq!(of("crates"), None);
        assert_eq!(of("nothing-of-that-name"), None);
    }
}
