//! Synthetic pictures: the dead-leaves model.
//!
//! Discs with radii of density r^-3 occlude one another; the result has the edges, flat
//! regions and 1/f^2 power spectrum of natural pictures (Lee, Mumford and Huang,
//! "Occlusion models for natural images", 2001). Blur ([1 2 1]/4 along rows and columns)
//! and sensor noise make the low bits as hard to predict as those of photographs.

use brevity_media::{PATCH_HEIGHT, PATCH_WIDTH, push_patches};
use rand_chacha::ChaCha8Rng;
use rand_core::RngCore;

use super::{between, gauss, unit};

const WIDTH: usize = 512;
const HEIGHT: usize = 256;
const LEAVES: usize = 1500;
const MIN_RADIUS: f64 = 3.0;
const MAX_RADIUS: f64 = 160.0;
/// Standard deviation of the sensor noise, in grey levels.
const NOISE: f64 = 2.0;

/// One picture of 512x256, cut into 64 patches.
pub(super) fn block(rng: &mut ChaCha8Rng, out: &mut [u8]) {
    assert_eq!(out.len(), WIDTH * HEIGHT);
    assert!(WIDTH.is_multiple_of(PATCH_WIDTH) && HEIGHT.is_multiple_of(PATCH_HEIGHT));
    let mut canvas = vec![between(rng, 40.0, 200.0); WIDTH * HEIGHT];
    for _ in 0..LEAVES {
        leaf(rng, &mut canvas);
    }
    let canvas = blur(&blur(&canvas, WIDTH, HEIGHT), HEIGHT, WIDTH);
    let grey: Vec<u8> = canvas
        .iter()
        .map(|v| (v + NOISE * gauss(rng)).clamp(0.0, 255.0) as u8)
        .collect();
    let mut patches = Vec::with_capacity(out.len());
    push_patches(&grey, WIDTH, HEIGHT, &mut patches);
    out.copy_from_slice(&patches);
}

/// Paints one shaded disc.
fn leaf(rng: &mut ChaCha8Rng, canvas: &mut [f64]) {
    // Inverse of the distribution function of density r^-3 on [MIN, MAX].
    let (near, far) = (
        1.0 / (MIN_RADIUS * MIN_RADIUS),
        1.0 / (MAX_RADIUS * MAX_RADIUS),
    );
    let radius = 1.0 / (far + (near - far) * unit(rng)).sqrt();
    let x = between(rng, -radius, WIDTH as f64 + radius);
    let y = between(rng, -radius, HEIGHT as f64 + radius);
    // The mean of two draws favours middle greys, as exposure does.
    let grey = (between(rng, 0.0, 256.0) + between(rng, 0.0, 256.0)) / 2.0;
    let (slope_x, slope_y) = (between(rng, -0.6, 0.6), between(rng, -0.6, 0.6));
    let texture = if rng.next_u32().is_multiple_of(4) {
        6.0
    } else {
        0.0
    };

    let rows = (y - radius).max(0.0) as usize..((y + radius).max(0.0) as usize).min(HEIGHT);
    for row in rows {
        let dy = row as f64 - y;
        let half = (radius * radius - dy * dy).max(0.0).sqrt();
        let columns = (x - half).max(0.0) as usize..((x + half).max(0.0) as usize).min(WIDTH);
        for column in columns {
            let dx = column as f64 - x;
            let grain = if texture > 0.0 {
                texture * (unit(rng) - 0.5)
            } else {
                0.0
            };
            canvas[row * WIDTH + column] = grey + slope_x * dx + slope_y * dy + grain;
        }
    }
}

/// [1 2 1]/4 along rows of `[height, width]`, transposed on the way out so that
/// a second call blurs the columns and restores the orientation.
fn blur(canvas: &[f64], width: usize, height: usize) -> Vec<f64> {
    let mut out = vec![0.0; canvas.len()];
    for (y, row) in canvas.chunks_exact(width).enumerate() {
        for x in 0..width {
            let (left, right) = (row[x.saturating_sub(1)], row[(x + 1).min(width - 1)]);
            out[x * height + y] = (left + 2.0 * row[x] + right) / 4.0;
        }
    }
    out
}
