//! What a file is, by its first bytes, whatever it is called.

/// Bytes that are enough to tell.
pub const HEAD_BYTES: usize = 16;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A picture that can be decoded.
    Picture,
    /// A sound that can be decoded.
    Sound,
    /// Something else that has a name, such as "a BMP picture".
    Other(&'static str),
    /// Nothing known.
    Unknown,
}

/// The kind of a file that begins with these [`HEAD_BYTES`] bytes, or fewer where
/// it has no more.
///
/// ```
/// use brevity_media::{Kind, recognise};
/// assert_eq!(recognise(b"\xFF\xD8\xFF\xE0\0\x10JFIF\0"), Kind::Picture);
/// assert_eq!(recognise(b"GIF89a"), Kind::Other("a GIF picture"));
/// ```
#[must_use]
pub fn recognise(head: &[u8]) -> Kind {
    match head {
        [] => Kind::Other("an empty file"),
        [0x89, b'P', b'N', b'G', ..] | [0xFF, 0xD8, 0xFF, ..] => Kind::Picture,
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
        ] => Kind::Picture,
        [b'P', kind @ b'1'..=b'7', space, ..] if space.is_ascii_whitespace() || *space == b'#' => {
            match kind {
                b'5' | b'6' => Kind::Picture,
                b'4' => Kind::Other("a PBM picture of black and white"),
                b'7' => Kind::Other("a PAM picture"),
                _ => Kind::Other("a PNM picture as plain text"),
            }
        }
        [b'f', b'L', b'a', b'C', ..] => Kind::Sound,
        [
            b'R',
            b'I' | b'F',
            b'F' | b'6',
            b'F' | b'X' | b'4',
            _,
            _,
            _,
            _,
            b'W',
            b'A',
            b'V',
            b'E',
            ..,
        ]
        | [
            b'B',
            b'W',
            b'6',
            b'4',
            _,
            _,
            _,
            _,
            b'W',
            b'A',
            b'V',
            b'E',
            ..,
        ]
        | [b'r', b'i', b'f', b'f', 0x2E, 0x91, 0xCF, 0x11, ..] => Kind::Sound,
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Kind::Other("a BMP picture"),
        [b'G', b'I', b'F', b'8', ..] => Kind::Other("a GIF picture"),
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => Kind::Other("a TIFF picture"),
        [0xFF, 0x0A, ..] | [0, 0, 0, 0x0C, b'J', b'X', b'L', b' ', ..] => {
            Kind::Other("a JPEG XL picture")
        }
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Kind::Other("an MP4, HEIC or AVIF file"),
        [b'I', b'D', b'3', ..] | [0xFF, 0xE2..=0xFF, ..] => Kind::Other("an MP3 sound"),
        [b'O', b'g', b'g', b'S', ..] => Kind::Other("an Ogg sound"),
        [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', ..] => Kind::Other("an AIFF sound"),
        _ => Kind::Unknown,
    }
}
