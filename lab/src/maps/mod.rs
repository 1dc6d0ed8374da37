//! Maps of the cost of each byte under a model.
//!
//! [`Map`] prices bytes by the integer frequencies of the archive's coder, so the costs
//! are those of a file. The extension of the output chooses the form:
//!
//! - `.html`, text: each character shaded by its bits; pointing at one shows the number
//!   and the likeliest bytes;
//! - `.png`, pictures: the bits of each pixel beside the picture;
//! - `.svg`, sound: the bits of each sample under the waveform.
//!
//! Only the first [`Kind::most_bytes`] bytes of a longer source are shown; make a
//! separate map of a later piece.

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

/// The kind of data that a map shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Pictures of this geometry.
    Picture(Geometry),
    /// Sound of this geometry.
    Sound(Geometry),
}

/// Why a map could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// The extension of the output is not one of the three.
    #[error("{}: name a map .html for text, .png for pictures, .svg for sound", .0.display())]
    Extension(PathBuf),
    /// The bytes are of a kind that the output cannot show.
    #[error("{}: {geometry} is {is}: name the map {name}", .path.display())]
    Kind {
        /// The output.
        path: PathBuf,
        /// The geometry of the bytes.
        geometry: Geometry,
        /// Their kind in words.
        is: &'static str,
        /// The right extension.
        name: &'static str,
    },
    /// The bytes cannot be read.
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
    /// The kind that the output at `path` shows of a source, optionally with a given
    /// geometry. If the geometry is unknown, pictures are taken as the paper's patches
    /// and sound as its 8-bit samples.
    ///
    /// # Errors
    /// An extension that is not one of the three or does not fit the bytes; a damaged
    /// record of a set.
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

    /// Limit on the bytes of a map: pages of a few megabytes, pictures that viewers
    /// open, ten minutes of the paper's sound.
    pub fn most_bytes(self) -> usize {
        match self {
            Self::Text => 1 << 17,
            Self::Picture(_) => 1 << 22,
            Self::Sound(_) => 10_000_000,
        }
    }
}

/// What the bytes of a map cost.
#[derive(Clone, Copy, Debug)]
pub enum Prices<'a> {
    /// What this model says, which also tells what it expected.
    Model(&'a Transformer),
    /// The code length of each byte, bits.
    Bits(&'a [f32]),
}

/// A map.
#[derive(Debug)]
pub struct Map<'a> {
    /// What the bytes cost; bits of at least those that are shown.
    pub prices: Prices<'a>,
    /// The model's name, for the title.
    pub model_name: &'a str,
    /// The bytes; the map shows at most [`Kind::most_bytes`] of them.
    pub data: &'a ByteSet,
    /// The kind of map.
    pub kind: Kind,
}

impl Map<'_> {
    /// Number of bytes shown, from the first.
    pub fn shown(&self) -> usize {
        self.data.len().min(self.kind.most_bytes())
    }

    /// The file: HTML, PNG or SVG.
    ///
    /// # Errors
    /// A model whose output is not finite.
    ///
    /// # Panics
    /// If there are fewer prices than bytes shown.
    pub fn draw(&self) -> Result<Vec<u8>, MapError> {
        let bytes = &self.data.bytes[..self.shown()];
        let bits = || match self.prices {
            Prices::Model(model) => price_each(model, bytes, |next, byte| next.bits(byte) as f32),
            Prices::Bits(bits) => Ok(bits[..bytes.len()].to_vec()),
        };
        match self.kind {
            Kind::Text => {
                let costs = match self.prices {
                    Prices::Model(model) => price_each(model, bytes, Cost::new)?,
                    Prices::Bits(bits) => bits[..bytes.len()]
                        .iter()
                        .map(|&bits| Cost::of(bits))
                        .collect(),
                };
                Ok(text_page::page(self, bytes, &costs).into_bytes())
            }
            Kind::Picture(geometry) => {
                let offset = self.data.provenance.offset;
                Ok(picture::draw(geometry, offset, bytes, &bits()?))
            }
            Kind::Sound(geometry) => Ok(sound::draw(self, geometry, bytes, &bits()?).into_bytes()),
        }
    }

    /// Draws the map and writes it atomically. Returns how many bytes are shown, and of
    /// how many.
    ///
    /// # Errors
    /// Those of [`draw`](Self::draw); a file that cannot be written.
    ///
    /// # Panics
    /// As [`draw`](Self::draw).
    pub fn write(&self, out: &Path) -> Result<(usize, usize), MapError> {
        brevity_files::write(out, &self.draw()?).map_err(|source| MapError::Write {
            path: out.to_owned(),
            source,
        })?;
        Ok((self.shown(), self.data.len()))
    }

    /// The title's description of the bytes shown.
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

/// Draws the map of a byte set under a model (a safetensors file or a trial's folder)
/// and writes it atomically. Returns how many bytes are shown, and of how many.
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
        prices: Prices::Model(&Transformer::new(&weights)),
        model_name: &model.display().to_string(),
        data: &set,
        kind,
    };
    map.write(out)
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

    /// An untrained model prices every byte at eight bits, in every kind of map.
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
            let map = |prices| Map {
                prices,
                model_name: "m",
                data: &data,
                kind,
            };
            let drawn = map(Prices::Model(&model)).draw().unwrap();
            let by_bits = map(Prices::Bits(&[8.0; 4096])).draw().unwrap();
            // Only a model says what it expected.
            assert_eq!(drawn == by_bits, kind != Kind::Text);
            drawn
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
        assert!(sound.starts_with("<svg") && sound.contains("8.00 bits per sample"));
    }
}
