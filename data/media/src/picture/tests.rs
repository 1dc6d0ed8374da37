use super::*;

fn png(
    width: u32,
    height: u32,
    color: png::ColorType,
    depth: png::BitDepth,
    pixels: &[u8],
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == png::ColorType::Indexed {
        encoder.set_palette(vec![9, 8, 7, 30, 20, 10]);
    }
    encoder
        .write_header()
        .unwrap()
        .write_image_data(pixels)
        .unwrap();
    file
}

fn converted(conversion: Conversion, file: &[u8]) -> Result<(Picture, Vec<u8>)> {
    let mut out = Vec::new();
    convert(conversion, "a.png", &mut &file[..], &mut out).map(|shape| (shape, out))
}

/// A decodable 8x8 grey JPEG whose pixels are all 128.
const GREY_JPEG: &[u8] = include_bytes!("../../tests/grey.jpg");
/// 16x8, four components with Adobe's marker: the left half cyan, the right black.
const CMYK_JPEG: &[u8] = include_bytes!("../../tests/cmyk.jpg");
/// 4x2, lossless: red, green, blue, white in the first row, black below.
const WEBP: &[u8] = include_bytes!("../../tests/colours.webp");

const EIGHT: png::BitDepth = png::BitDepth::Eight;

#[test]
fn grey_is_the_truncated_mean_and_edges_are_dropped() {
    // 70x33: one patch. Pixel (x, y) is (x, y, 1).
    let pixels: Vec<u8> = (0..33u8)
        .flat_map(|y| (0..70u8).flat_map(move |x| [x, y, 1]))
        .collect();
    let file = png(70, 33, png::ColorType::Rgb, EIGHT, &pixels);
    let (shape, out) = converted(Conversion::GrayPatches, &file).unwrap();
    assert_eq!((shape.width, shape.height, shape.channels), (70, 33, 3));
    assert_eq!(out.len(), 2048);
    assert_eq!(out[0], 0); // (0 + 0 + 1) / 3
    assert_eq!(out[64 * 31 + 63], ((63 + 31 + 1) / 3) as u8);
    assert_eq!(converted(Conversion::Rgb, &file).unwrap().1, pixels);
    let planes = converted(Conversion::RgbPlanar, &file).unwrap().1;
    assert_eq!(planes[..3], [0, 1, 2]);
    assert_eq!(planes[70 * 33..][..71], [[0; 70].as_slice(), &[1]].concat());
    assert_eq!(planes[2 * 70 * 33..], [1; 70 * 33]);
}

#[test]
fn depths_palettes_and_alpha_become_eight_bits_of_colour() {
    let rgb = |color, depth, pixels: &[u8]| {
        let file = png(2, 1, color, depth, pixels);
        converted(Conversion::Rgb, &file).unwrap().1
    };
    let sixteen = [1, 99, 2, 99, 3, 99, 4, 0, 5, 0, 6, 0];
    assert_eq!(
        rgb(png::ColorType::Rgb, png::BitDepth::Sixteen, &sixteen),
        [1, 2, 3, 4, 5, 6]
    );
    assert_eq!(
        rgb(png::ColorType::Indexed, png::BitDepth::One, &[0b0100_0000]),
        [9, 8, 7, 30, 20, 10]
    );
    assert_eq!(
        rgb(png::ColorType::Rgba, EIGHT, &[1, 2, 3, 0, 4, 5, 6, 255]),
        [1, 2, 3, 4, 5, 6]
    );
    assert_eq!(
        rgb(png::ColorType::GrayscaleAlpha, EIGHT, &[7, 0, 8, 255]),
        [7, 7, 7, 8, 8, 8]
    );
}

#[test]
fn other_formats_are_told_by_their_first_bytes() {
    let ppm = b"P6 # two pixels\n2 1\n255\n\x01\x02\x03\x04\x05\x06";
    assert_eq!(
        converted(Conversion::Rgb, ppm).unwrap().1,
        [1, 2, 3, 4, 5, 6]
    );
    let deep = b"P5\n2 1\n65535\n\x01\xFF\x02\xFF";
    assert_eq!(
        converted(Conversion::Rgb, deep).unwrap().1,
        [1, 1, 1, 2, 2, 2]
    );
    let coarse = b"P5\n2 1\n3\n\x01\x03";
    assert_eq!(
        converted(Conversion::Rgb, coarse).unwrap().1[2..4],
        [85, 255]
    );

    let (shape, grey) = converted(Conversion::Rgb, GREY_JPEG).unwrap();
    assert_eq!((shape.width, shape.height, shape.channels), (8, 8, 1));
    assert_eq!(grey, [128; 192]);
    let (shape, colour) = converted(Conversion::Rgb, CMYK_JPEG).unwrap();
    assert_eq!((shape.width, shape.height, shape.channels), (16, 8, 3));
    let near = |pixel: &[u8], wanted: [u8; 3]| {
        let fine = pixel.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 24);
        assert!(fine, "{pixel:?} is not {wanted:?}");
    };
    near(&colour[..3], [0, 255, 255]);
    near(&colour[45..48], [0, 0, 0]);
    let (shape, colour) = converted(Conversion::Rgb, WEBP).unwrap();
    assert_eq!((shape.width, shape.height), (4, 2));
    let first = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];
    assert_eq!(colour[..12], first);
    assert_eq!(colour[12..], [0; 12]);
}

#[test]
fn damaged_foreign_and_tiny_files_are_named() {
    let whole = png(64, 32, png::ColorType::Grayscale, EIGHT, &[9; 2048]);
    let tiny = png(8, 8, png::ColorType::Grayscale, EIGHT, &[9; 64]);
    let mut flipped = whole.clone();
    flipped[45] ^= 0x40;
    let half = |file: &'static [u8]| &file[..file.len() / 2];
    for file in [
        &b"GIF89a"[..],
        b"",
        &whole[..whole.len() / 2],
        &whole[..33],
        &flipped,
        &tiny,
        half(GREY_JPEG),
        half(CMYK_JPEG),
        half(WEBP),
        b"\xFF\xD8\xFF",
        b"RIFF\0\0\0\0WEBP",
        b"P6\n2 1\n255\n\x01",
        b"P6\n",
        b"P6\n2 1\n0\n\0",
        b"P3\n1 1\n255\n1 2 3",
        b"P5 99999999999999999999 1 255 ",
    ] {
        let error = converted(Conversion::GrayPatches, file).unwrap_err();
        assert!(error.to_string().contains("a.png"), "{error}");
    }
}

#[test]
fn bombs_and_nothing_are_refused_by_their_header() {
    for (size, needle) in [
        ("0 5", "no pixels"),
        ("5 0", "no pixels"),
        ("60000 60000", "more than"),
    ] {
        let file = format!("P6\n{size}\n255\n");
        let error = converted(Conversion::Rgb, file.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(needle), "{error}");
    }
    // A header that promises 2^31 x 2^31 pixels, with a right checksum.
    let mut bomb = png(1, 1, png::ColorType::Grayscale, EIGHT, &[0]);
    bomb[16..24].copy_from_slice(&[0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF]);
    let sum = crc32(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&sum.to_be_bytes());
    let error = converted(Conversion::Rgb, &bomb).unwrap_err();
    assert!(error.to_string().contains("more than"), "{error}");
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 }
        })
    })
}
