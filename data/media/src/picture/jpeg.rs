//! Decodes JPEG: baseline, extended and progressive, with any number of scans
//! and any sampling of the components. Arithmetic coding is refused.

use jpeg_decoder::{Decoder, PixelFormat};

use super::pixels::{failed, picture};
use super::{Pixels, bad, check_size};
use crate::error::Result;

pub(super) fn decode(name: &str, file: Vec<u8>) -> Result<Pixels> {
    let frame = Frame::find(&file).map_err(|fault| {
        let message = format!("not a readable JPEG: {fault}");
        bad(name, message)
    })?;
    check_size(name, frame.width.into(), frame.height.into())?;
    if frame.precision != 8 || !matches!(frame.components, 1 | 3 | 4) {
        let message = format!(
            "a JPEG of {} components of {} bits; 1, 3 or 4 of 8 bits can be read",
            frame.components, frame.precision
        );
        return Err(bad(name, message));
    }
    let mut decoder = Decoder::new(&file[..]);
    let pixels = decoder.decode().map_err(failed(name, "JPEG"))?;
    let format = decoder.info().map(|info| info.pixel_format);
    let (channels, pixels) = match format {
        Some(PixelFormat::L8) => (1, pixels),
        Some(PixelFormat::RGB24) => (3, pixels),
        Some(PixelFormat::CMYK32) => (3, rgb(&pixels)),
        _ => return Err(bad(name, "not a readable JPEG: unknown colour space")),
    };
    Ok(picture(
        frame.width.into(),
        frame.height.into(),
        channels,
        pixels,
    ))
}

/// Converts cyan, magenta, yellow and black, where 255 is full ink, to red,
/// green and blue, without a colour profile.
fn rgb(cmyk: &[u8]) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(cmyk.len() / 4 * 3);
    for pixel in cmyk.chunks_exact(4) {
        let paper = 255 - u16::from(pixel[3]);
        let ink = |value: u8| ((255 - u16::from(value)) * paper / 255) as u8;
        rgb.extend(pixel[..3].iter().map(|&value| ink(value)));
    }
    rgb
}

/// What the header of a file says about its only picture.
struct Frame {
    precision: u8,
    width: u16,
    height: u16,
    components: u8,
}

impl Frame {
    /// Reads the markers up to the end of the picture. The end must be present,
    /// because decoders fill missing parts with grey.
    fn find(file: &[u8]) -> Result<Self, &'static str> {
        const EARLY: &str = "it ends too early";
        let mut frame = None;
        let mut at = 2;
        loop {
            // The coded bits of a scan lie between its header and the next
            // marker. In them, 0xFF is followed by 0 or the number of a
            // restart.
            let marker = loop {
                let here = file.get(at..).ok_or(EARLY)?;
                let found = here.iter().position(|&byte| byte == 0xFF).ok_or(EARLY)?;
                at += found + 1;
                match *file.get(at).ok_or(EARLY)? {
                    0x00 | 0x01 | 0xD0..=0xD8 | 0xFF => {}
                    marker => break marker,
                }
            };
            if marker == 0xD9 {
                return frame.ok_or("no frame header");
            }
            let segment = file.get(at + 1..).unwrap_or_default();
            let length = match segment {
                [high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
                _ => return Err(EARLY),
            };
            let segment = segment.get(2..length).ok_or(EARLY)?;
            // Frame headers; the excluded codes in this range are tables.
            if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
                let &[precision, h1, h0, w1, w0, components, ..] = segment else {
                    return Err("a frame header that is too short");
                };
                let before = frame.replace(Self {
                    precision,
                    width: u16::from_be_bytes([w1, w0]),
                    height: u16::from_be_bytes([h1, h0]),
                    components,
                });
                if before.is_some() {
                    return Err("it has more than one frame");
                }
            }
            at += 1 + length;
        }
    }
}
