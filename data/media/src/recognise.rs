//! Tells the kind of a file from its first bytes; its name does not matter.

/// The number of first bytes that decide the kind of a file.
pub const HEAD_BYTES: usize = 16;

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A picture that can be decoded.
    Picture,
    /// A sound that can be decoded.
    Sound,
    /// Another known format, described by this text, such as "a BMP picture".
    Other(&'static str),
    /// An unknown format.
    Unknown,
}

/// The kind of a file that begins with these [`HEAD_BYTES`] bytes (fewer if the
/// file is shorter).
///
/// ```
/// use brevity_media::{Kind, recognise};
/// assert_eq!(recognise(b"\xFF\xD8\xFF\xE0\0\x10JFIF\0"), Kind::Picture);
/// assert_eq!(recognise(b"GIF89a"), Kind::Other("a GIF picture"));
/// ```
#[must_use]
pub fn recognise(head: &[u8]) -> Kind {
    if picture_format(head).is_some() {
        return Kind::Picture;
    }
    match (head, riff_form(head)) {
        ([], _) => Kind::Other("an empty file"),
        (_, Some(b"WAVE")) => Kind::Sound,
        ([b'f', b'L', b'a', b'C', ..], _) => Kind::Sound,
        // Wave64: the identifier `riff`, extended to 16 bytes.
        ([b'r', b'i', b'f', b'f', 0x2E, 0x91, 0xCF, 0x11, ..], _) => Kind::Sound,
        (_, Some(b"AIFF" | b"AIFC")) => Kind::Other("an AIFF sound"),
        ([b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..], _) => Kind::Other("a BMP picture"),
        ([b'G', b'I', b'F', b'8', ..], _) => Kind::Other("a GIF picture"),
        ([b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..], _) => Kind::Other("a TIFF picture"),
        ([0xFF, 0x0A, ..] | [0, 0, 0, 0x0C, b'J', b'X', b'L', b' ', ..], _) => {
            Kind::Other("a JPEG XL picture")
        }
        ([_, _, _, _, b'f', b't', b'y', b'p', ..], _) => Kind::Other("an MP4, HEIC or AVIF file"),
        ([b'I', b'D', b'3', ..] | [0xFF, 0xE2..=0xFF, ..], _) => Kind::Other("an MP3 sound"),
        ([b'O', b'g', b'g', b'S', ..], _) => Kind::Other("an Ogg sound"),
        ([b'P', kind @ b'1'..=b'7', space, ..], _)
            if space.is_ascii_whitespace() || *space == b'#' =>
        {
            match kind {
                b'4' => Kind::Other("a PBM picture of black and white"),
                b'7' => Kind::Other("a PAM picture"),
                _ => Kind::Other("a PNM picture as plain text"),
            }
        }
        _ => Kind::Unknown,
    }
}

/// A picture format that can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PictureFormat {
    Png,
    Jpeg,
    WebP,
    /// The binary grey and colour formats of Netpbm, PGM and PPM.
    Ppm,
}

/// The format of a picture that begins with these bytes.
pub(crate) fn picture_format(head: &[u8]) -> Option<PictureFormat> {
    match head {
        [0x89, b'P', b'N', b'G', ..] => Some(PictureFormat::Png),
        [0xFF, 0xD8, 0xFF, ..] => Some(PictureFormat::Jpeg),
        [b'P', b'5' | b'6', space, ..] if space.is_ascii_whitespace() || *space == b'#' => {
            Some(PictureFormat::Ppm)
        }
        _ if riff_form(head) == Some(b"WEBP") => Some(PictureFormat::WebP),
        _ => None,
    }
}

/// The form type of a file made of chunks (RIFF, RIFX, RF64, BW64, FORM).
fn riff_form(head: &[u8]) -> Option<&[u8; 4]> {
    let (identifier, rest) = head.split_first_chunk::<4>()?;
    let form = rest.get(4..)?.first_chunk::<4>()?;
    matches!(identifier, b"RIFF" | b"RIFX" | b"RF64" | b"BW64" | b"FORM").then_some(form)
}
