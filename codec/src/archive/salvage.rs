//! Recovery of the intact parts of a damaged archive.

use super::error::Error;
use super::input::Input;
use super::layout::Header;
use super::read::{Frame, Models};
use super::seek::places;
use std::io::{Read, Seek, SeekFrom, Write};

/// Result of a salvage.
#[derive(Debug, Default)]
pub struct Salvaged {
    /// Bytes of the original that were recovered.
    pub recovered: u64,
    /// Bytes of the original known to be lost; zeros were written in their place.
    pub lost: u64,
    /// Offset in the archive after which nothing could be read; how many bytes
    /// of the original are lost there is unknown.
    pub unread: Option<u64>,
    /// The errors found, in order.
    pub damage: Vec<Error>,
}

/// Writes every intact block, and zeros for damaged blocks of known length, so that
/// all bytes keep their offsets.
///
/// Blocks are found by the index at the end. Without a valid index, they are found by
/// the lengths in their headers, even of blocks that do not match their checksum, up
/// to the first invalid header.
///
/// # Errors
/// An invalid archive header, or a damaged or missing model: then nothing can be
/// decoded. Errors of reading and writing.
pub fn salvage(
    mut input: impl Read + Seek,
    mut output: impl Write,
    models: &Models,
) -> Result<Salvaged, Error> {
    let mut front = Input::new(&mut input, 0);
    let (header, model_at) = Header::read(&mut front)?;
    let start = front.offset;
    let model = models.resolve(&header, model_at)?;
    let model = model.as_deref();
    let mut done = Salvaged::default();
    let index = places(&mut input, start).ok();
    let mut next = start;
    for number in 0.. {
        let place = match &index {
            Some(places) => match places.get(number as usize) {
                Some(place) => Some(*place),
                None => break,
            },
            None => None,
        };
        let at = place.map_or(next, |p| p.start);
        input.seek(SeekFrom::Start(at)).map_err(Error::Read)?;
        let mut block = Input::new(&mut input, at);
        let frame = Frame::read(&mut block, model.is_some());
        next = block.offset;
        let told = frame.as_ref().ok().map(|f| (f.header.raw, f.header.last));
        let bytes = frame
            .and_then(|frame| frame.checked(number))
            .and_then(|stored| stored.decode(number, model, &|_| {}));
        match bytes {
            Ok(bytes) => {
                output.write_all(&bytes).map_err(Error::Write)?;
                done.recovered += bytes.len() as u64;
            }
            Err(error) => {
                done.damage.push(error);
                let length = place.map(|p| p.raw).or(told.map(|(raw, _)| raw as u64));
                let Some(lost) = length else {
                    done.unread = Some(at);
                    break;
                };
                let zeros = std::io::copy(&mut std::io::repeat(0).take(lost), &mut output);
                zeros.map_err(Error::Write)?;
                done.lost += lost;
            }
        }
        if index.is_none() && told.is_some_and(|(_, last)| last) {
            break;
        }
    }
    output.flush().map_err(Error::Write)?;
    Ok(done)
}
