//! A picture as pixels, and the interface of picture formats.

use std::io;

/// The pixels of a picture.
pub(super) struct Raster {
    pub width: usize,
    pub height: usize,
    /// Channels, 1 or 3.
    pub channels: usize,
    pub pixels: Vec<u8>,
}

/// A picture format: encoder and decoder, the latter for a given number of channels.
#[derive(Clone, Copy)]
pub(super) struct Format {
    pub encode: fn(&Raster) -> io::Result<Vec<u8>>,
    pub decode: fn(&[u8], usize) -> io::Result<Raster>,
}
