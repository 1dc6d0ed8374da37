//! Helpers that the decoders share.

use std::fmt::Display;

use super::{Pixels, bad};
use crate::error::MediaError;
use crate::item::Picture;

pub(super) fn picture(width: usize, height: usize, channels: usize, pixels: Vec<u8>) -> Pixels {
    Pixels {
        // `check_size` has bounded width and height.
        shape: Picture {
            width: width as u32,
            height: height as u32,
            channels: channels as u8,
        },
        pixels,
    }
}

pub(super) fn failed<E: Display>(name: &str, format: &'static str) -> impl Fn(E) -> MediaError {
    move |error| bad(name, format!("not a readable {format}: {error}"))
}

/// The first `kept` of `channels` samples of every pixel.
pub(super) fn keep_channels(pixels: Vec<u8>, channels: usize, kept: usize) -> Vec<u8> {
    if channels == kept {
        return pixels;
    }
    pixels
        .chunks_exact(channels)
        .flat_map(|pixel| &pixel[..kept])
        .copied()
        .collect()
}
