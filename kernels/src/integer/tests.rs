use super::path::Path;
use super::*;
use crate::stored::Format;
use crate::stored::panel::{Blocks, LONGEST};
use crate::stored::tests::{ALL, random};

/// Values of very different sizes, and zeros.
fn activations(len: usize) -> Vec<f32> {
    (0..len)
        .map(|i| match i / 32 % 5 {
            3 => 0.0,
            size => ((i * 37 % 101) as f32 - 50.0) / 64.0 * 10f32.powi(size as i32 * 3 - 6),
        })
        .collect()
}

/// The definition in plain loops.
fn naive(x: &[f32], w: &Stored) -> Vec<f32> {
    let (n, k, format) = (w.rows(), w.cols(), w.format());
    let len = format.block_len();
    let group = if format == Format::Q6K { 16 } else { 32 };
    let mut blocks = Blocks::new();
    let mut quads = [[0; 4 * PANEL]; LONGEST / 4];
    let mut y = Vec::new();
    for x in x.chunks_exact(k) {
        for row in 0..n {
            let mut chain = 0.0f32;
            for start in (0..k).step_by(group) {
                let block = &x[start / 32 * 32..][..32];
                let max = block.iter().fold(0.0f32, |max, x| max.max(x.abs()));
                let (d, inverse) = match max < LEAST {
                    true => (0.0, 0.0),
                    false => (max / 127.0, 127.0 / max),
                };
                w.unpack(row, start / len, &mut blocks, &mut quads[..len / 4]);
                let part = start % len / 16;
                // Of the first row.
                let integer = |i: usize| i32::from(quads[i / 4][i % 4]);
                let (mut dot, mut sum) = (0, 0);
                for i in 0..group {
                    let q = (x[start + i] * inverse).round_ties_even() as i32;
                    dot += (integer(start % len + i) - blocks.zero()) * q;
                    sum += q;
                }
                let (scales, minima) = blocks.scales(part);
                chain = (scales[0] * d).mul_add(dot as f32, chain);
                if format.has_minima() {
                    chain = minima[0].mul_add(d * sum as f32, chain);
                }
            }
            y.push(chain);
        }
    }
    y
}

#[test]
fn every_path_number_of_threads_and_of_rows_gives_the_bits_of_the_definition() {
    for format in ALL.into_iter().filter(|format| format.has_integers()) {
        for (m, n, blocks) in [(1, 1, 1), (3, 50, 5), (7, 16, 3), (23, 66, 2)] {
            let k = blocks * format.block_len().max(128);
            let data = random(format, n, k, 3);
            let w = Stored::new(format, &data, n, k).unwrap();
            let x = activations(m * k);
            let expected = naive(&x, &w);
            let rounded = Rounded::new(&x, k);
            for path in Path::supported() {
                for threads in [1, 2, 8] {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                    let mut y = vec![f32::NAN; m * n];
                    let product = || product_on(path, &rounded, &w, &mut y);
                    pool.build().unwrap().install(product);
                    for (y, e) in y.iter().zip(&expected) {
                        assert_eq!(y.to_bits(), e.to_bits(), "{path:?} {format:?} {m} {n} {k}");
                    }
                }
            }
            for (x, expected) in x.chunks_exact(k).zip(expected.chunks_exact(n)) {
                let mut y = vec![f32::NAN; n];
                product(&Rounded::new(x, k), &w, &mut y);
                assert_eq!(y, expected, "{format:?}");
            }
        }
    }
}

#[test]
fn extreme_integers_do_not_saturate() {
    let mut bytes = vec![0x00, 0x3c];
    bytes.extend([0x80; 32]);
    let w = Stored::new(Format::Q8_0, &bytes, 1, 32).unwrap();
    for x in [1.0, -1.0] {
        for path in Path::supported() {
            let mut y = [0.0];
            product_on(path, &Rounded::new(&[127.0 * x; 32], 32), &w, &mut y);
            assert_eq!(y, [-128.0 * 127.0 * 32.0 * x], "{path:?}");
        }
    }
}

/// Scales of activations and of weights so small that outputs are subnormal, where an
/// emulated multiply-add rounds in another place.
#[test]
fn subnormal_outputs_are_rounded_once() {
    for format in ALL.into_iter().filter(|format| format.has_integers()) {
        let (n, k) = (18, 512);
        let mut data = random(format, n, k, 7);
        // Halves are below 2^-14: their exponents are zero.
        let halves: &[usize] = match format {
            Format::Q6K => &[208],
            _ if format.has_minima() => &[0, 2],
            _ => &[0],
        };
        for block in data.chunks_exact_mut(format.block_bytes()) {
            for at in halves {
                block[at + 1] &= 0x80;
            }
        }
        let w = Stored::new(format, &data, n, k).unwrap();
        for power in [1e-28, 1e-26, 1e-24] {
            let x: Vec<f32> = activations(k).iter().map(|x| x * power).collect();
            let expected = naive(&x, &w);
            for path in Path::supported() {
                let mut y = vec![f32::NAN; n];
                product_on(path, &Rounded::new(&x, k), &w, &mut y);
                let bits = |y: &[f32]| y.iter().map(|y| y.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&y), bits(&expected), "{path:?} {format:?} {power}");
            }
        }
    }
}

#[test]
fn it_is_close_to_the_product_of_what_is_stored() {
    for format in ALL.into_iter().filter(|format| format.has_integers()) {
        let (n, k) = (40, 512);
        let data = random(format, n, k, 5);
        let w = Stored::new(format, &data, n, k).unwrap();
        let mut values = vec![0.0; n * k];
        w.decode_rows(0..n, &mut values);
        let x: Vec<f32> = (0..k)
            .map(|i| ((i * 37 % 101) as f32 - 50.0) / 64.0)
            .collect();
        let mut y = vec![0.0; n];
        product(&Rounded::new(&x, k), &w, &mut y);
        for (y, w) in y.iter().zip(values.chunks_exact(k)) {
            let exact: f32 = x.iter().zip(w).map(|(x, w)| x * w).sum();
            let size: f32 = x.iter().zip(w).map(|(x, w)| (x * w).powi(2)).sum();
            assert!(
                (y - exact).abs() < 0.03 * size.sqrt(),
                "{format:?}: {y}, {exact}"
            );
        }
    }
}

#[test]
fn what_is_not_finite_stays_so() {
    let data = random(Format::Q4_0, 3, 64, 1);
    let w = Stored::new(Format::Q4_0, &data, 3, 64).unwrap();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut x = activations(64);
        x[40] = bad;
        let mut y = [0.0; 3];
        product(&Rounded::new(&x, 64), &w, &mut y);
        assert!(y.iter().all(|y| y.is_nan()), "{bad}: {y:?}");
    }
}
