//! What must hold for any picture and sound. `data/media/tests/seeds.rs` runs these claims
//! on each seed.

use brevity_media::Conversion;

fn convert(conversion: Conversion, name: &str, file: &[u8]) {
    let mut out = Vec::new();
    if let Ok(item) = conversion.convert(name, &mut &file[..], &mut out) {
        assert_eq!(item.bytes, out.len() as u64);
        assert!(!out.is_empty());
    }
    // The same, told by what is in it; a name says nothing.
    let _ = conversion.passes_over("a", file);
}

/// A picture: refused, or as many bytes as its item says.
pub fn picture(file: &[u8]) {
    for conversion in [
        Conversion::Rgb,
        Conversion::RgbPlanar,
        Conversion::GrayPatches,
    ] {
        convert(conversion, "picture", file);
    }
}

/// A sound: likewise.
pub fn sound(file: &[u8]) {
    for conversion in [
        Conversion::Pcm8,
        Conversion::Pcm16,
        Conversion::Pcm16Planes,
        Conversion::Pcm16Deltas,
    ] {
        convert(conversion, "sound", file);
    }
}
