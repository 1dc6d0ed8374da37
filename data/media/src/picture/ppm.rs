//! Binary PPM and PGM (`P6`, `P5`), 8 or 16 bits per sample.

use super::{Pixels, bad, check_size};
use crate::error::Result;
use crate::item::Picture;

/// Decodes a picture. Samples are scaled so that the largest value becomes 255,
/// and truncated; if it is 255, they stay as they are.
pub(super) fn decode(name: &str, file: &[u8]) -> Result<Pixels> {
    let channels = if file[1] == b'5' { 1 } else { 3 };
    let mut header = Header { file, at: 2 };
    let mut number = |what: &str| {
        header
            .number()
            .ok_or_else(|| bad(name, format!("not a readable PPM: no {what}")))
    };
    let (width, height, most) = (
        number("width")?,
        number("height")?,
        number("largest value")?,
    );
    check_size(name, width, height)?;
    if !(1..=65535).contains(&most) {
        let message = format!("not a readable PPM: its largest value is {most}");
        return Err(bad(name, message));
    }
    // One byte of white space ends the header.
    let samples = file.get(header.at + 1..).unwrap_or_default();
    let sample_bytes = if most > 255 { 2 } else { 1 };
    let needed = width as usize * height as usize * usize::from(channels) * sample_bytes;
    let samples = samples.get(..needed).ok_or_else(|| {
        let message = format!("truncated PPM: {} of {needed} bytes", samples.len());
        bad(name, message)
    })?;
    let scaled = |value: u64| (value.min(most) * 255 / most) as u8;
    let pixels = match most {
        255 => samples.to_vec(),
        65535 => samples.iter().step_by(2).copied().collect(),
        0..256 => samples.iter().map(|&v| scaled(v.into())).collect(),
        _ => samples
            .chunks_exact(2)
            .map(|v| scaled(u16::from_be_bytes([v[0], v[1]]).into()))
            .collect(),
    };
    Ok(Pixels {
        shape: Picture {
            width: width as u32,
            height: height as u32,
            channels,
        },
        pixels,
    })
}

/// The numbers of a header, between white space and comments.
struct Header<'a> {
    file: &'a [u8],
    at: usize,
}

impl Header<'_> {
    fn number(&mut self) -> Option<u64> {
        loop {
            match self.file.get(self.at)? {
                b'#' => self.at += self.file[self.at..].iter().position(|&b| b == b'\n')?,
                byte if byte.is_ascii_whitespace() => self.at += 1,
                _ => break,
            }
        }
        let digits = self.file[self.at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let text = std::str::from_utf8(&self.file[self.at..self.at + digits]).ok()?;
        self.at += digits;
        text.parse().ok()
    }
}
