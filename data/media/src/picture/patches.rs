//! The paper's patches: 32 rows of 64 grey pixels, 2048 bytes.

/// Columns of a patch.
pub const PATCH_WIDTH: usize = 64;
/// Rows of a patch.
pub const PATCH_HEIGHT: usize = 32;

/// The offsets at which the rows of all whole patches begin in a picture
/// `[height, width]`, in the order in which the rows are stored.
fn rows(width: usize, height: usize) -> impl Iterator<Item = usize> {
    let tops = (0..height / PATCH_HEIGHT).map(|i| i * PATCH_HEIGHT);
    tops.flat_map(move |top| {
        let lefts = (0..width / PATCH_WIDTH).map(|i| i * PATCH_WIDTH);
        lefts.flat_map(move |left| (top..top + PATCH_HEIGHT).map(move |row| row * width + left))
    })
}

/// Appends the whole patches of a grey picture `[height, width]`.
pub fn push_patches(grey: &[u8], width: usize, height: usize, out: &mut Vec<u8>) {
    for start in rows(width, height) {
        out.extend_from_slice(&grey[start..start + PATCH_WIDTH]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Canvas, Geometry};

    #[test]
    fn patches_go_left_to_right_then_down_and_back() {
        let grey: Vec<u8> = (0..64)
            .flat_map(|y| (0..128).map(move |x| (x / 64 + 2 * (y / 32)) as u8))
            .collect();
        let mut patches = Vec::new();
        push_patches(&grey, 128, 64, &mut patches);
        let firsts: Vec<u8> = patches.chunks_exact(2048).map(|patch| patch[0]).collect();
        assert_eq!(firsts, [0, 1, 2, 3]);
        assert!(
            patches
                .chunks_exact(2048)
                .all(|patch| patch.iter().all(|v| v == &patch[0]))
        );
        let geometry = Geometry::Patches { across: Some(2) };
        let canvas = Canvas::new(geometry, 0, patches.len()).unwrap();
        assert_eq!(canvas.pixels(&patches), grey);
    }
}
