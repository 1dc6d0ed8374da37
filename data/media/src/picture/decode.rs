//! Decodes a picture with the decoder of its format.

use super::{Pixels, bad, decode_png, decode_webp, jpeg, ppm};
use crate::error::Result;
use crate::recognise::{Kind, PictureFormat, picture_format, recognise};

/// Decodes a picture; its first bytes decide the format.
pub(super) fn decode(name: &str, file: Vec<u8>) -> Result<Pixels> {
    match picture_format(&file) {
        Some(PictureFormat::Png) => decode_png::decode(name, file),
        Some(PictureFormat::Jpeg) => jpeg::decode(name, file),
        Some(PictureFormat::WebP) => decode_webp::decode(name, file),
        Some(PictureFormat::Ppm) => ppm::decode(name, &file),
        None => {
            let found = match recognise(&file) {
                Kind::Other(what) => format!("this is {what}, "),
                _ => String::new(),
            };
            let message = format!(
                "{found}not a PNG, JPEG, WebP, PPM (P6) or PGM (P5) file by its first bytes"
            );
            Err(bad(name, message))
        }
    }
}
