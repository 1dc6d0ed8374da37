//! Where the bits go: pictures of what each byte costs under a model.
//!
//! [`Map`] prices bytes by the integer frequencies of an archive's coder, so
//! that the costs it shows are those of a file. How it shows them follows from
//! the name of the output:
//!
//! - `.html`, text: each character shaded by its bits; pointing at one shows the
//!   number and what the model expected instead;
//! - `.png`, pictures: the bits of each pixel beside the picture;
//! - `.svg`, sound: the bits of each sample under the waveform.
//!
//! What is too long for that is shown as far as [`Kind::most_bytes`] goes; a
//! later piece of the same source is a map of its own.

mod costs;
mod picture;
mod sound;
mod text;
mod text_page;

use std::io;
use std::path::{Path, PathBuf};

use brevity_codec::{ScoreError as PriceError, price_each};
use brevity_data::{ByteSet, DataConfig, DataError, Store};
use brevity_media::Geometry;
use brevity_model::{FileError, Transformer, Weights};

use crate::experiments::score::model_file;
use costs::Cost;

/// What a map shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Characters.
    Text,
    /// Pixels of this geometry.
    Picture(Geometry),
    /// Samples of this geometry.
    Sound(Geometry),
}

/// Why there is no map.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// The name of the output says nothing of what to draw.
    #[error("{}: name a map .html for text, .png for pictures, .svg for sound", .0.display())]
    Extension(PathBuf),
    /// The bytes are of another kind than the output can show.
    #[error("{}: {geometry} is {is}: name the map {name}", .path.display())]
    Kind {
        /// The output.
        path: PathBuf,
        /// What the bytes are.
        geometry: Geometry,
        /// That in a word.
        is: &'static str,
        /// What the output should end in.
        name: &'static str,
    },
    /// The bytes cannot be had.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model cannot be read.
    #[error(transparent)]
    Model(#[from] FileError),
    /// The model cannot price the bytes.
    #[error(transparent)]
    Price(#[from] PriceError),
    /// The map cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The output.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Kind {
    /// What the output at `path` shows of a source, whose bytes may be said to be
    /// of some geometry. Where that is not known, pictures are taken for the
    /// paper's patches and sound for its 8-bit samples.
    ///
    /// # Errors
    /// An extension that is none of the three, or that of another kind than the
    /// bytes are; a damaged record of a set.
    pub fn new(
        path: &Path,
        data: &DataConfig,
        geometry: Option<Geometry>,
    ) -> Result<Self, MapError> {
        let geometry = match geometry {
            Some(geometry) => Some(geometry),
            None => Store::default().geometry(&data.source)?,
        };
        Self::of(path, geometry)
    }

    fn of(path: &Path, geometry: Option<Geometry>) -> Result<Self, MapError> {
        let extension = path.extension().and_then(|e| e.to_str());
        let kind = match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("html" | "htm") => return Ok(Self::Text),
            Some("png") => Self::Picture(geometry.unwrap_or(Geometry::PATCHES)),
            Some("svg") => Self::Sound(geometry.unwrap_or(Geometry::SPEECH)),
            _ => return Err(MapError::Extension(path.to_owned())),
        };
        let wrong = |geometry, is, name| MapError::Kind {
            path: path.to_owned(),
            geometry,
            is,
            name,
        };
        match kind {
            Self::Picture(g) if !g.is_picture() => Err(wrong(g, "a sound", ".svg")),
            Self::Sound(g) if g.is_picture() => Err(wrong(g, "a picture", ".png")),
            kind => Ok(kind),
        }
    }

    /// Bytes that a map shows at most: pages of a few megabytes, pictures that
    /// viewers open, and ten minutes of the paper's sound.
    pub fn most_bytes(self) -> usize {
        match self {
            Self::Text => 1 << 17,
            Self::Picture(_) => 1 << 22,
            Self::Sound(_) => 10_000_000,
        }
    }
}

/// A map to be drawn.
#[derive(Debug)]
pub struct Map<'a> {
    /// What prices the bytes.
    pub model: &'a Transformer,
    /// Its name, for the title.
    pub model_name: &'a str,
    /// The bytes, of which as many are shown as the kind allows.
    pub data: &'a ByteSet,
    /// What is shown.
    pub kind: Kind,
}

impl Map<'_> {
    /// Bytes that are shown: the first ones.
    pub fn shown(&self) -> usize {
        self.data.len().min(self.kind.most_bytes())
    }

    /// The file: HTML, PNG or SVG.
    ///
    /// # Errors
    /// A model that yields something that is no number.
    pub fn draw(&self) -> Result<Vec<u8>, MapError> {
        let bytes = &self.data.bytes[..self.shown()];
        let bits = || price_each(self.model, bytes, |next, byte| next.bits(byte) as f32);
        match self.kind {
            Kind::Text => {
                let costs = price_each(self.model, bytes, Cost::new)?;
                Ok(text_page::page(self, bytes, &costs).into_bytes())
            }
            Kind::Picture(geometry) => {
                let offset = self.data.provenance.offset;
                Ok(picture::draw(geometry, offset, bytes, &bits()?))
            }
            Kind::Sound(geometry) => Ok(sound::draw(self, geometry, bytes, &bits()?).into_bytes()),
        }
    }

    /// Which bytes of what are shown, in words.
    fn subject(&self) -> String {
        let name = self.data.name();
        let (offset, shown) = (self.data.provenance.offset, self.shown());
        match (offset, shown == self.data.len()) {
            (0, true) => format!("{name}, {shown} bytes"),
            (0, false) => format!("{name}, the first {shown} of {} bytes", self.data.len()),
            _ => format!("{name}, {shown} bytes from {offset}"),
        }
    }
}

/// Draws the map of a byte set under a model, a safetensors file or the folder
/// of a trial, into a file that appears whole or not at all; how many bytes are
/// shown, of how many.
///
/// # Errors
/// Bytes or a model that cannot be read, a model that cannot price them, a file
/// that cannot be written.
pub fn write(
    model: &Path,
    data: &DataConfig,
    kind: Kind,
    out: &Path,
) -> Result<(usize, usize), MapError> {
    let set = data.load()?.train;
    let weights = Weights::load(&model_file(model))?;
    let map = Map {
        model: &Transformer::new(&weights),
        model_name: &model.display().to_string(),
        data: &set,
        kind,
    };
    brevity_files::write(out, &map.draw()?).map_err(|source| MapError::Write {
        path: out.to_owned(),
        source,
    })?;
    Ok((map.shown(), set.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brevity_model::{Spec, Weights};

    #[test]
    fn the_name_of_the_output_tells_what_is_drawn() {
        let of = |name: &str, geometry| Kind::of(Path::new(name), geometry);
        assert_eq!(of("a.html", Some(Geometry::SPEECH)).unwrap(), Kind::Text);
        let patches = Kind::Picture(Geometry::PATCHES);
        assert_eq!(of("a.PNG", None).unwrap(), patches);
        for (name, geometry, says) in [
            (
                "a.png",
                Some(Geometry::SPEECH),
                "pcm8:16000 is a sound: name the map .svg",
            ),
            ("a.svg", Some(Geometry::PATCHES), "patches is a picture"),
            ("a.txt", None, ".html for text"),
            ("map", None, ".html for text"),
        ] {
            let error = of(name, geometry).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    /// A model that knows nothing prices every byte at eight bits, whatever is
    /// drawn of it.
    #[test]
    fn every_kind_is_drawn_and_bounded() {
        let weights = Weights::from_fn(Spec::aspect(16, 64), |info| vec![0.0; info.len()]).unwrap();
        let model = Transformer::new(&weights);
        let bytes: Vec<u8> = b"We\xC3\xADrd <tags> &\n"
            .iter()
            .copied()
            .cycle()
            .take(4096)
            .collect();
        let data = ByteSet::new("a & b", bytes);
        let draw = |kind| {
            let map = Map {
                model: &model,
                model_name: "m",
                data: &data,
                kind,
            };
            map.draw().unwrap()
        };
        let page = String::from_utf8(draw(Kind::Text)).unwrap();
        for part in [
            "a &amp; b, 4096 bytes",
            "<i class=k7>&lt;</i>",
            "data-n=2>í</i>",
        ] {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("http"), "a page that needs the network");
        let picture = draw(Kind::Picture(Geometry::PATCHES));
        assert_eq!(&picture[1..4], b"PNG");
        let sound = String::from_utf8(draw(Kind::Sound(Geometry::SPEECH))).unwrap();
        assert!(sound.starts_with("<svg") && sound.contains("8.00 bits a sample"));
    }
}
