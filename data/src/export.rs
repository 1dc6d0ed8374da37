//! Bytes of a set back to files that open elsewhere.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use brevity_files::Temporary;

use crate::convert::{
    Conversion, Item, PATCH_HEIGHT, PATCH_WIDTH, Pcm16, Pcm16Blocks, Picture, Shape, Sound,
    join_patches,
};
use crate::error::{DataError, Result};
use crate::store::{SetRecord, Store};

/// Which items of a set, counted from 0, the last included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Select {
    /// The first.
    pub first: usize,
    /// The last; items that there are not are no error.
    pub last: usize,
}

impl Select {
    /// All of them.
    pub const ALL: Self = Self {
        first: 0,
        last: usize::MAX,
    };
}

impl FromStr for Select {
    type Err = String;

    /// `3` or `0-9`.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (first.trim().parse(), last.trim().parse()) {
            (Ok(first), Ok(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(format!("`{text}` is neither an item nor a range like 0-9")),
        }
    }
}

/// Writes items of a set as files of `folder`, which is made if need be:
/// pictures as PNG, sounds as WAV, bytes as what they were. Grey patches give
/// the part of the picture that they cover.
///
/// A file appears whole or not at all and replaces one of its name, which is the
/// item's number and the name it was imported from.
///
/// # Errors
/// A set that is not here, that does not know its items (older versions did not
/// keep them), whose record does not fit its bytes; nothing that was selected; a
/// folder that cannot be written.
pub fn export(name: &str, select: Select, folder: &Path, store: &Store) -> Result<Vec<PathBuf>> {
    let record = store.record(name)?.ok_or_else(|| DataError::NotFound {
        source_name: name.into(),
        nearest: None,
    })?;
    check_record(&record, store)?;
    let items = record.item.len();
    if select.first >= items {
        return Err(DataError::Config {
            field: "--items",
            message: format!(
                "`{name}` has items 0 to {}, not {}",
                items - 1,
                select.first
            ),
        });
    }
    std::fs::create_dir_all(folder).map_err(DataError::io("create", folder))?;
    let path = store.data_path(name);
    let file = File::open(&path).map_err(DataError::io("read", &path))?;
    let mut data = BufReader::with_capacity(1 << 16, file);
    let skipped: u64 = record.item[..select.first].iter().map(|i| i.bytes).sum();
    data.seek(SeekFrom::Start(skipped))
        .map_err(DataError::io("read", &path))?;
    let last = select.last.min(items - 1);
    let mut written = Vec::new();
    for (number, item) in record
        .item
        .iter()
        .enumerate()
        .take(last + 1)
        .skip(select.first)
    {
        let target = folder.join(file_name(number, item));
        let failed = |e| DataError::io("write", &target)(e);
        let mut out = brevity_files::temporary(folder).map_err(failed)?;
        let failed = |e| DataError::io("write", &target)(e);
        write_item(record.convert, item, &mut data, &mut out).map_err(failed)?;
        brevity_files::publish(out, &target).map_err(DataError::io("write", &target))?;
        written.push(target);
    }
    Ok(written)
}

/// That what the record says of the items is what lies in the set.
fn check_record(record: &SetRecord, store: &Store) -> Result<()> {
    let name = &record.name;
    if record.item.is_empty() {
        return Err(DataError::Config {
            field: "set.toml",
            message: format!(
                "data set `{name}` does not say what its files were: fetch or import it again \
                 with --force"
            ),
        });
    }
    let mismatch = |what: String, expected: u64, got: u64| DataError::Mismatch {
        what,
        expected: expected.to_string(),
        got: got.to_string(),
        remedy: format!(
            "`{}` is damaged: fetch or import it again with --force",
            store.set_dir(name).join("set.toml").display()
        ),
    };
    let sum = record
        .item
        .iter()
        .try_fold(0u64, |sum, item| sum.checked_add(item.bytes));
    if sum != Some(record.bytes) {
        let what = format!("bytes of all items of `{name}`");
        return Err(mismatch(what, record.bytes, sum.unwrap_or(u64::MAX)));
    }
    for item in &record.item {
        let expected = match item.shape() {
            Shape::Picture(p) => {
                let (width, height) = (u64::from(p.width), u64::from(p.height));
                let (across, down) = (PATCH_WIDTH as u64, PATCH_HEIGHT as u64);
                match record.convert {
                    Conversion::GrayPatches => {
                        (width / across * across).checked_mul(height / down * down)
                    }
                    _ => width.checked_mul(height).and_then(|n| n.checked_mul(3)),
                }
            }
            Shape::Sound(_) | Shape::Bytes => Some(item.bytes),
        };
        if expected != Some(item.bytes) {
            let what = format!("bytes of `{}`", item.origin);
            return Err(mismatch(what, expected.unwrap_or(u64::MAX), item.bytes));
        }
    }
    Ok(())
}

/// `00007-name.png`: sorted as the items are, and no path.
fn file_name(number: usize, item: &Item) -> String {
    let last = item.origin.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean = |text: &str| -> String {
        let fine = |c: char| c.is_alphanumeric() || "._-".contains(c);
        text.chars().filter(|&c| fine(c)).take(100).collect()
    };
    let (stem, extension) = last.rsplit_once('.').unwrap_or((last, ""));
    let extension = match item.shape() {
        Shape::Bytes => clean(extension),
        Shape::Picture(_) => "png".into(),
        Shape::Sound(_) => "wav".into(),
    };
    let dot = if extension.is_empty() { "" } else { "." };
    format!("{number:05}-{}{dot}{extension}", clean(stem))
}

fn write_item(
    conversion: Conversion,
    item: &Item,
    data: &mut impl Read,
    out: &mut Temporary,
) -> io::Result<()> {
    let mut data = data.take(item.bytes);
    match item.shape() {
        Shape::Bytes => io::copy(&mut data, out).map(drop),
        Shape::Picture(shape) => {
            let mut bytes = Vec::new();
            data.read_to_end(&mut bytes)?;
            png(conversion, shape, bytes, out)
        }
        Shape::Sound(sound) => {
            let mut out = BufWriter::new(out);
            wav(conversion, sound, item.bytes, &mut data, &mut out)?;
            out.flush()
        }
    }
}

fn png(
    conversion: Conversion,
    shape: Picture,
    bytes: Vec<u8>,
    out: &mut impl Write,
) -> io::Result<()> {
    let (mut width, mut height) = (shape.width as usize, shape.height as usize);
    let (color, pixels) = match conversion {
        Conversion::GrayPatches => {
            width -= width % PATCH_WIDTH;
            height -= height % PATCH_HEIGHT;
            let grey = join_patches(&bytes, width, height);
            (png::ColorType::Grayscale, grey)
        }
        Conversion::RgbPlanar => {
            let plane = width * height;
            let pixels = (0..plane).flat_map(|i| (0..3).map(move |c| c * plane + i));
            (png::ColorType::Rgb, pixels.map(|i| bytes[i]).collect())
        }
        _ => (png::ColorType::Rgb, bytes),
    };
    let mut encoder = png::Encoder::new(out, width as u32, height as u32);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    Ok(writer.finish()?)
}

fn wav(
    conversion: Conversion,
    sound: Sound,
    bytes: u64,
    data: &mut impl Read,
    out: &mut impl Write,
) -> io::Result<()> {
    let order = Pcm16::of(conversion);
    let bits: u16 = if order.is_some() { 16 } else { 8 };
    let len = u32::try_from(bytes)
        .ok()
        .filter(|&len| len <= u32::MAX - 37)
        .ok_or_else(|| io::Error::other("a WAV file cannot be longer than 4 GiB"))?;
    let frame = u32::from(sound.channels) * u32::from(bits / 8);
    out.write_all(b"RIFF")?;
    out.write_all(&(36 + len + len % 2).to_le_bytes())?;
    out.write_all(b"WAVEfmt \x10\0\0\0\x01\0")?;
    out.write_all(&sound.channels.to_le_bytes())?;
    out.write_all(&sound.rate.to_le_bytes())?;
    out.write_all(&sound.rate.saturating_mul(frame).to_le_bytes())?;
    out.write_all(&(frame as u16).to_le_bytes())?;
    out.write_all(&bits.to_le_bytes())?;
    out.write_all(b"data")?;
    out.write_all(&len.to_le_bytes())?;
    match order.filter(|&order| order != Pcm16::LittleEndian) {
        None => {
            io::copy(data, out)?;
        }
        Some(order) => {
            let mut blocks = Pcm16Blocks::new(order, sound.channels.max(1).into());
            let mut block = Vec::new();
            loop {
                block.clear();
                data.take(2 * Pcm16Blocks::SAMPLES as u64)
                    .read_to_end(&mut block)?;
                if block.is_empty() {
                    break;
                }
                for sample in blocks.to_samples(&block) {
                    out.write_all(&sample.to_le_bytes())?;
                }
            }
        }
    }
    // Chunks are padded to an even length.
    out.write_all(&vec![0; (len % 2) as usize])
}
