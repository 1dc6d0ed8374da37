//! Decodes a picture with the decoder of its format.

use super::{Pixels, bad, decode_png, decode_webp, jpeg, ppm};
use crate::error::Result;

/// Decodes a picture; its first bytes decide the format.
pub(super) fn decode(name: &str, file: Vec<u8>) -> Result<Pixels> {
    match &file[..] {
        [] => Err(bad(name, "the file is empty")),
        [0x89, b'P', b'N', b'G', ..] => decode_png::decode(name, file),
        [0xFF, 0xD8, 0xFF, ..] => jpeg::decode(name, file),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => decode_webp::decode(name, file),
        [b'P', b'1'..=b'7', ..] => ppm::decode(name, &file),
        _ => Err(bad(
            name,
            "not a PNG, JPEG, WebP or PPM file, whatever it is called",
        )),
    }
}
