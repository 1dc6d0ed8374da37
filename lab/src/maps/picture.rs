//! A picture beside the bits of each pixel.

use brevity_media::{Canvas, Geometry, encode_png};

/// Minimum width of a panel in pixels. Small pictures are enlarged to reach it, up to
/// [`MOST_SCALE`].
const PANEL: usize = 384;

/// Pixels between the panels and around them.
const GAP: usize = 12;

/// Largest factor by which a small picture is enlarged, and the limit on its rows then.
const MOST_SCALE: usize = 8;
const MOST_ROWS: usize = 4096;

/// Height of the bar of colours and of the numbers under it.
const BAR: usize = 14;
const NUMBERS: usize = 16;

/// Background colour, where no byte is shown.
const GROUND: [u8; 3] = [24, 27, 34];
const INK: [u8; 3] = [232, 235, 240];

/// Bits per byte of the brightest colour: 1.5 times those without a model.
const TOP: f32 = 12.0;

/// A PNG file: the picture on the left, the bits of each pixel (summed over its
/// colours) on the right, a colour scale below.
///
/// # Panics
/// If the geometry is not that of pictures.
pub(super) fn draw(geometry: Geometry, offset: u64, bytes: &[u8], bits: &[f32]) -> Vec<u8> {
    let picture = Canvas::new(geometry, offset, bytes.len()).expect("a geometry of pictures");
    let scale = (PANEL / picture.width).min(MOST_ROWS / picture.height);
    let scale = scale.clamp(1, MOST_SCALE);
    let (wide, high) = (picture.width * scale, picture.height * scale);
    let mut canvas = Sheet::new(3 * GAP + 2 * wide, 3 * GAP + high + BAR + NUMBERS);

    let top = TOP * picture.channels as f32;
    let mut costs = vec![None; picture.width * picture.height];
    for (index, bits) in bits.iter().enumerate() {
        *costs[picture.place(index).0].get_or_insert(0.0) += bits;
    }
    let pixels = picture.pixels(bytes);
    for (at, cost) in costs.iter().enumerate() {
        let Some(cost) = cost else { continue };
        let (x, y) = (at % picture.width * scale, at / picture.width * scale);
        let color = match pixels[at * picture.channels..][..picture.channels] {
            [grey] => [grey; 3],
            [r, g, b] => [r, g, b],
            _ => GROUND,
        };
        canvas.fill((GAP + x, GAP + y), (scale, scale), color);
        let right = (2 * GAP + wide + x, GAP + y);
        canvas.fill(right, (scale, scale), heat(cost / top));
    }

    let (left, under) = (2 * GAP + wide, 2 * GAP + high);
    for x in 0..wide {
        let color = heat(x as f32 / wide as f32);
        canvas.fill((left + x, under), (1, BAR), color);
    }
    for tick in 0..=3 {
        let text = (4 * tick * picture.channels).to_string();
        let at = left + wide * tick / 3;
        let width = canvas.text_width(&text);
        let at = match tick {
            0 => at,
            3 => at - width,
            _ => at - width / 2,
        };
        canvas.text((at, under + BAR + 4), &text);
    }
    encode_png(
        canvas.width,
        canvas.height,
        png::ColorType::Rgb,
        &canvas.pixels,
    )
    .expect("a picture of a few million pixels")
}

/// The colour of `t` from 0 to 1: dark violet through red to pale yellow. Brightness
/// rises evenly, so that it is readable without colour.
fn heat(t: f32) -> [u8; 3] {
    const STOPS: [[f32; 3]; 5] = [
        [0.0, 0.0, 4.0],
        [87.0, 16.0, 110.0],
        [188.0, 55.0, 84.0],
        [249.0, 142.0, 9.0],
        [252.0, 255.0, 164.0],
    ];
    let at = t.clamp(0.0, 1.0) * (STOPS.len() - 1) as f32;
    let stop = (at as usize).min(STOPS.len() - 2);
    let share = at - stop as f32;
    std::array::from_fn(|c| {
        let (from, to) = (STOPS[stop][c], STOPS[stop + 1][c]);
        (from + share * (to - from)).round() as u8
    })
}

/// A canvas of RGB pixels.
struct Sheet {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

/// Digits as rows of three pixels, from the top, the leftmost in the highest bit.
const DIGITS: [[u8; 5]; 10] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 7, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 1, 1, 1],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
];

/// Enlargement of digits.
const DIGIT_SCALE: usize = 2;

impl Sheet {
    fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            pixels: GROUND.repeat(width * height),
        }
    }

    fn fill(&mut self, (left, top): (usize, usize), size: (usize, usize), color: [u8; 3]) {
        for y in top..(top + size.1).min(self.height) {
            for x in left..(left + size.0).min(self.width) {
                self.pixels[3 * (y * self.width + x)..][..3].copy_from_slice(&color);
            }
        }
    }

    fn text_width(&self, digits: &str) -> usize {
        (4 * digits.len() - 1) * DIGIT_SCALE
    }

    /// Writes digits with their upper left corner at `at`.
    fn text(&mut self, at: (usize, usize), digits: &str) {
        for (i, digit) in digits.bytes().enumerate() {
            for (y, row) in DIGITS[usize::from(digit - b'0')].iter().enumerate() {
                for x in (0..3).filter(|x| row >> (2 - x) & 1 == 1) {
                    let left = at.0 + (4 * i + x) * DIGIT_SCALE;
                    let top = at.1 + y * DIGIT_SCALE;
                    self.fill((left, top), (DIGIT_SCALE, DIGIT_SCALE), INK);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(file: &[u8]) -> (usize, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(file))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.width as usize, pixels)
    }

    #[test]
    fn a_pixel_of_colours_costs_what_its_bytes_do() {
        let geometry = Geometry::Rgb { width: 400 };
        let mut bits = vec![0.0; 1200];
        bits[3..6].copy_from_slice(&[6.0, 12.0, 18.0]);
        let file = draw(geometry, 0, &[50; 1200], &bits);
        let (width, pixels) = decode(&file);
        assert_eq!(width, 3 * GAP + 800);
        let at = |x: usize| &pixels[3 * (GAP * width + x)..][..3];
        assert_eq!(at(GAP), [50; 3]);
        assert_eq!(at(2 * GAP + 400), heat(0.0));
        // The second pixel costs the top of the scale, 36 bits.
        assert_eq!(at(2 * GAP + 401), heat(1.0));
    }

    #[test]
    fn brightness_rises_with_the_bits() {
        let sum = |t: f32| heat(t).iter().map(|&v| u32::from(v)).sum::<u32>();
        let sums: Vec<u32> = (0..=20).map(|i| sum(i as f32 / 20.0)).collect();
        assert!(sums.is_sorted(), "{sums:?}");
        assert_eq!(heat(7.0), heat(1.0));
    }
}
