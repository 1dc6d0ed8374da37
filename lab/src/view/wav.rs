//! Samples with the header that players want.

/// A WAV file of one channel: `samples` as they are, 8-bit unsigned or 16-bit
/// signed little-endian as `bits` says, `rate` of them a second.
///
/// # Panics
/// If there are 4 GiB of samples or more, which the format cannot say.
///
/// ```
/// let file = brevity_lab::view::wav(&[128; 16_000], 8, 16_000);
/// assert_eq!(file.len(), 44 + 16_000);
/// ```
pub fn wav(samples: &[u8], bits: u16, rate: u32) -> Vec<u8> {
    let len = u32::try_from(samples.len()).expect("less than 4 GiB");
    let frame = bits / 8;
    let padding = len % 2; // Chunks are padded to an even length.
    let mut file = Vec::with_capacity(samples.len() + 45);
    file.extend(b"RIFF");
    file.extend((36 + len + padding).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(rate.to_le_bytes());
    file.extend(rate.saturating_mul(frame.into()).to_le_bytes());
    file.extend(frame.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend(len.to_le_bytes());
    file.extend(samples);
    file.resize(file.len() + padding as usize, 0);
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use brevity_data::Conversion;

    #[test]
    fn import_reads_it_back() {
        let samples: Vec<u8> = (0..=200).collect();
        let file = wav(&samples, 8, 16_000);
        assert_eq!(file.len() % 2, 0);
        let mut back = Vec::new();
        let convert = Conversion::Pcm8.convert("a.wav", &mut &file[..], &mut back);
        assert!(convert.is_ok());
        assert_eq!(back, samples);
    }
}
