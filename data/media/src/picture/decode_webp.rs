//! Decodes WebP.

use std::io::Cursor;

use super::pixels::{failed, keep_channels, picture};
use super::{Pixels, bad, check_size};
use crate::error::Result;

pub(super) fn decode(name: &str, file: Vec<u8>) -> Result<Pixels> {
    let failed = failed(name, "WebP");
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(file)).map_err(&failed)?;
    let (width, height) = decoder.dimensions();
    check_size(name, width.into(), height.into())?;
    if decoder.is_animated() {
        return Err(bad(
            name,
            "an animated WebP; split it into single pictures first",
        ));
    }
    let size = decoder
        .output_buffer_size()
        .ok_or_else(|| bad(name, "the picture does not fit in memory"))?;
    let mut pixels = vec![0; size];
    let channels = if decoder.has_alpha() { 4 } else { 3 };
    decoder.read_image(&mut pixels).map_err(&failed)?;
    let pixels = keep_channels(pixels, channels, 3);
    Ok(picture(width as usize, height as usize, 3, pixels))
}
