//! A picture as its pixels, and what a picture format does with it.

use std::io;

/// Pixels, and how they go back to bytes.
pub(super) struct Raster {
    pub width: usize,
    pub height: usize,
    /// 1 or 3.
    pub channels: usize,
    pub pixels: Vec<u8>,
}

/// A format: a picture to a stream, a stream to a picture of so many channels.
#[derive(Clone, Copy)]
pub(super) struct Format {
    pub encode: fn(&Raster) -> io::Result<Vec<u8>>,
    pub decode: fn(&[u8], usize) -> io::Result<Raster>,
}
