//! FLAC and WAV to unsigned 8-bit samples at 16 kHz.

use std::io::{BufWriter, Read, Write};

use crate::error::{DataError, Result};

const RATE: u32 = 16_000;

/// See [`Conversion::Pcm8`](super::Conversion::Pcm8). The format is told by
/// the first four bytes; samples stream through.
pub(super) fn convert(name: &str, input: &mut dyn Read, out: &mut dyn Write) -> Result<()> {
    let mut magic = [0; 4];
    input
        .read_exact(&mut magic)
        .map_err(|_| bad(name, "not a FLAC or WAV file"))?;
    let whole = (&magic[..]).chain(input);
    match &magic {
        b"fLaC" => flac(name, whole, out),
        b"RIFF" => wav(name, whole, out),
        _ => Err(bad(name, "not a FLAC or WAV file")),
    }
}

fn bad(name: &str, message: impl Into<String>) -> DataError {
    DataError::Decode {
        path: name.into(),
        message: message.into(),
    }
}

fn check_rate(name: &str, rate: u32) -> Result<()> {
    if rate == RATE {
        return Ok(());
    }
    Err(bad(
        name,
        format!("sampled at {rate} Hz; resample it to {RATE} Hz first"),
    ))
}

/// The mean of the channels in its upper eight bits, offset to 0..=255.
fn to_byte(frame: &[i32], bits: u32) -> u8 {
    let sum: i64 = frame.iter().map(|&s| i64::from(s)).sum();
    let mean = sum.div_euclid(frame.len() as i64);
    let top = if bits >= 8 {
        mean >> (bits - 8)
    } else {
        mean << (8 - bits)
    };
    (top + 128).clamp(0, 255) as u8
}

fn flac(name: &str, input: impl Read, out: &mut dyn Write) -> Result<()> {
    let broken = |e: claxon::Error| bad(name, format!("damaged FLAC: {e}"));
    let mut reader = claxon::FlacReader::new(input).map_err(broken)?;
    let info = reader.streaminfo();
    check_rate(name, info.sample_rate)?;
    let channels = info.channels;
    let mut out = BufWriter::new(out);
    let mut frame = vec![0; channels as usize];
    let mut written = 0;
    let mut blocks = reader.blocks();
    let mut buffer = Vec::new();
    while let Some(block) = blocks.read_next_or_eof(buffer).map_err(broken)? {
        for time in 0..block.duration() {
            for channel in 0..channels {
                frame[channel as usize] = block.sample(channel, time);
            }
            let byte = to_byte(&frame, info.bits_per_sample);
            out.write_all(&[byte])
                .map_err(DataError::io("write the samples of", name))?;
        }
        written += u64::from(block.duration());
        buffer = block.into_buffer();
    }
    if let Some(samples) = info.samples.filter(|&samples| samples != written) {
        return Err(bad(
            name,
            format!("damaged FLAC: {written} of {samples} samples"),
        ));
    }
    out.flush()
        .map_err(DataError::io("write the samples of", name))
}

fn wav(name: &str, mut input: impl Read, out: &mut dyn Write) -> Result<()> {
    let mut header = [0; 12];
    input
        .read_exact(&mut header)
        .map_err(|_| bad(name, "truncated WAV header"))?;
    if &header[8..] != b"WAVE" {
        return Err(bad(name, "a RIFF file, but not WAVE"));
    }
    let mut format = None;
    loop {
        let mut head = [0; 8];
        input
            .read_exact(&mut head)
            .map_err(|_| bad(name, "WAV without a data chunk"))?;
        let len = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
        match (&head[..4], format) {
            (b"fmt ", _) => format = Some(wav_format(name, &mut input, len)?),
            (b"data", Some((channels, bits))) => {
                return wav_samples(name, &mut input.take(len), len, channels, bits, out);
            }
            (b"data", None) => return Err(bad(name, "WAV data before its format")),
            // Chunks are padded to an even length.
            _ => skip(name, &mut input, len + len % 2)?,
        }
    }
}

/// Channels and bits a sample, from a `fmt ` chunk of `len` bytes.
fn wav_format(name: &str, input: &mut impl Read, len: u64) -> Result<(usize, u32)> {
    let mut chunk = [0; 16];
    if len < 16 || input.read_exact(&mut chunk).is_err() {
        return Err(bad(name, "truncated WAV format"));
    }
    skip(name, input, len - 16 + len % 2)?;
    let word = |at: usize| u16::from_le_bytes([chunk[at], chunk[at + 1]]);
    // 1 is integer PCM; 0xFFFE is the extensible form, integer for 8 to 24 bits.
    let (tag, channels, bits) = (word(0), word(2), word(14));
    if !matches!(tag, 1 | 0xFFFE) || !matches!(bits, 8 | 16 | 24 | 32) || channels == 0 {
        return Err(bad(
            name,
            format!("WAV format {tag} with {bits} bits is not integer PCM"),
        ));
    }
    check_rate(
        name,
        u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]),
    )?;
    Ok((channels.into(), bits.into()))
}

fn wav_samples(
    name: &str,
    input: &mut impl Read,
    len: u64,
    channels: usize,
    bits: u32,
    out: &mut dyn Write,
) -> Result<()> {
    let width = bits as usize / 8;
    let mut out = BufWriter::new(out);
    let mut bytes = vec![0; width * channels];
    let mut frame = vec![0; channels];
    for done in 0..len / bytes.len() as u64 {
        input
            .read_exact(&mut bytes)
            .map_err(|_| bad(name, format!("WAV data ends after {done} samples")))?;
        for (sample, bytes) in frame.iter_mut().zip(bytes.chunks_exact(width)) {
            let mut wide = [0; 4];
            wide[4 - width..].copy_from_slice(bytes);
            // 8-bit WAV is unsigned, all others are signed.
            wide[3] ^= if bits == 8 { 0x80 } else { 0 };
            *sample = i32::from_le_bytes(wide) >> (32 - bits);
        }
        out.write_all(&[to_byte(&frame, bits)])
            .map_err(DataError::io("write the samples of", name))?;
    }
    out.flush()
        .map_err(DataError::io("write the samples of", name))
}

fn skip(name: &str, input: &mut impl Read, len: u64) -> Result<()> {
    std::io::copy(&mut input.take(len), &mut std::io::sink())
        .map_err(DataError::io("read", name))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav_file(rate: u32, channels: u16, bits: u16, data: &[u8]) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0\x01\0".to_vec();
        file.extend(channels.to_le_bytes());
        file.extend(rate.to_le_bytes());
        file.extend([0; 6]);
        file.extend(bits.to_le_bytes());
        file.extend(b"data");
        file.extend((data.len() as u32).to_le_bytes());
        file.extend(data);
        file
    }

    fn converted(file: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        convert("a.wav", &mut &file[..], &mut out).map(|()| out)
    }

    #[test]
    fn wav_samples_keep_their_upper_byte() {
        let mono: Vec<u8> = [0i16, -1, 255, 256, i16::MAX, i16::MIN]
            .iter()
            .flat_map(|s| s.to_le_bytes())
            .collect();
        assert_eq!(
            converted(&wav_file(16_000, 1, 16, &mono)).unwrap(),
            [128, 127, 128, 129, 255, 0]
        );
        assert_eq!(
            converted(&wav_file(16_000, 1, 8, &[0, 128, 255])).unwrap(),
            [0, 128, 255]
        );
        // Left 512, right 0: their mean is 256.
        assert_eq!(
            converted(&wav_file(16_000, 2, 16, &[0, 2, 0, 0])).unwrap(),
            [129]
        );
        assert_eq!(
            converted(&wav_file(16_000, 1, 24, &[9, 9, 0x81])).unwrap(),
            [1]
        );
    }

    /// A FLAC file of one uncompressed 16-bit frame.
    fn flac_file(rate: u32, channels: u32, samples: &[i16]) -> Vec<u8> {
        let count = samples.len() as u32 / channels;
        let mut file = b"fLaC\x80\0\0\x22".to_vec();
        file.extend([[0x10, 0], [0x10, 0]].concat()); // largest and smallest block: 4096
        file.extend([0; 6]);
        // 20 bits of rate, 3 of channels - 1, 5 of bits - 1, 36 of samples.
        file.extend((rate << 12 | (channels - 1) << 9 | 15 << 4).to_be_bytes());
        file.extend(count.to_be_bytes());
        file.extend([0; 16]);
        let mut frame = vec![0xFF, 0xF8, 0x70, ((channels - 1) << 4) as u8 | 0x08, 0];
        frame.extend((count as u16 - 1).to_be_bytes());
        frame.push(crc(&frame, 8, 0x07) as u8);
        for channel in 0..channels as usize {
            frame.push(0x02);
            let own = samples.iter().skip(channel).step_by(channels as usize);
            frame.extend(own.flat_map(|s| s.to_be_bytes()));
        }
        frame.extend((crc(&frame, 16, 0x8005) as u16).to_be_bytes());
        file.extend(frame);
        file
    }

    fn crc(bytes: &[u8], width: u32, polynomial: u32) -> u32 {
        let top = 1 << (width - 1);
        bytes.iter().fold(0, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte) << (width - 8), |crc, _| {
                (crc << 1 ^ if crc & top != 0 { polynomial } else { 0 }) & (2 * top - 1)
            })
        })
    }

    #[test]
    fn flac_samples_keep_their_upper_byte() {
        let mono = flac_file(16_000, 1, &[0, -1, 255, 256, i16::MAX, i16::MIN]);
        assert_eq!(converted(&mono).unwrap(), [128, 127, 128, 129, 255, 0]);
        // Means of 256 and -1.
        let stereo = flac_file(16_000, 2, &[512, 0, 0, -2]);
        assert_eq!(converted(&stereo).unwrap(), [129, 127]);
    }

    #[test]
    fn damaged_flac_is_refused() {
        let good = flac_file(16_000, 1, &[1000; 64]);
        let mut flipped = good.clone();
        flipped[80] ^= 1;
        let mut longer = good.clone();
        longer[25] += 1; // announces one sample more
        for file in [
            &good[..good.len() - 1],
            &flipped,
            &longer,
            &flac_file(44_100, 1, &[0; 16]),
        ] {
            let error = converted(file).unwrap_err().to_string();
            assert!(error.contains("a.wav"), "{error}");
        }
    }

    #[test]
    fn bad_sounds_are_refused_by_name() {
        let good = wav_file(16_000, 1, 16, &[0; 64]);
        for file in [
            &b"OggS...."[..],
            b"fL",
            b"fLaC\0\0",
            &good[..40],
            &good[..good.len() - 1],
            b"RIFF0000WAVE",
        ] {
            let error = converted(file).unwrap_err().to_string();
            assert!(error.contains("a.wav"), "{error}");
        }
        let error = converted(&wav_file(44_100, 1, 16, &[0; 4]))
            .unwrap_err()
            .to_string();
        assert!(error.contains("44100 Hz"), "{error}");
    }
}
