use super::*;

fn wav_file(rate: u32, channels: u16, bits: u16, data: &[u8]) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0\x01\0".to_vec();
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend([0; 4]);
    file.extend((channels * (bits / 8)).to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

fn converted_to(conversion: Conversion, file: &[u8]) -> Result<(Sound, Vec<u8>)> {
    let mut out = Vec::new();
    convert(conversion, "a.wav", &mut &file[..], &mut out).map(|sound| (sound, out))
}

fn converted(file: &[u8]) -> Result<Vec<u8>> {
    converted_to(Conversion::Pcm8, file).map(|(_, out)| out)
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
    for file in [&good[..good.len() - 1], &flipped, &longer] {
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
    let silent = converted(&wav_file(16_000, 1, 16, &[])).unwrap_err();
    assert!(silent.to_string().contains("no samples"), "{silent}");
    for rate in [0, 1, u32::MAX] {
        let error = converted(&wav_file(rate, 1, 16, &[0; 4])).unwrap_err();
        assert!(error.to_string().contains("makes no sense"), "{error}");
    }
    // Floating point, plain and in the extensible form.
    let mut float = wav_file(16_000, 1, 32, &[0; 64]);
    let format = float.windows(4).position(|w| w == b"fmt ").unwrap() + 8;
    float[format] = 3;
    let error = converted(&float).unwrap_err();
    assert!(error.to_string().contains("not integer"), "{error}");
}

#[test]
fn sixteen_bits_keep_rate_and_channels() {
    let samples: Vec<u8> = (0..4000u16).flat_map(|i| (i * 37).to_le_bytes()).collect();
    let file = wav_file(44_100, 2, 16, &samples);
    let (sound, out) = converted_to(Conversion::Pcm16, &file).unwrap();
    assert_eq!((sound.rate, sound.channels), (44_100, 2));
    assert!(out == samples);
    let (_, planes) = converted_to(Conversion::Pcm16Planes, &file).unwrap();
    assert_eq!(planes.len(), samples.len());
    // 4000 samples are three blocks of 1024 and one of 928.
    let first: Vec<u8> = samples
        .iter()
        .skip(1)
        .step_by(2)
        .take(1024)
        .copied()
        .collect();
    assert!(planes[..1024] == first);
    assert_eq!(planes[1024], samples[0]);
    let rest = &planes[3 * 2048..];
    assert_eq!((rest[0], rest[928]), (samples[6145], samples[6144]));

    let deep = wav_file(48_000, 1, 24, &[9, 1, 2, 0xFF, 0xFE, 0xFF]);
    let (sound, out) = converted_to(Conversion::Pcm16, &deep).unwrap();
    assert_eq!((sound.file_bits, out), (24, vec![1, 2, 0xFE, 0xFF]));
    let flat = wav_file(8_000, 1, 8, &[128, 129]);
    let (_, out) = converted_to(Conversion::Pcm16, &flat).unwrap();
    assert_eq!(out, [0, 0, 0, 1]);
}

#[test]
fn other_rates_are_resampled() {
    // Half a second of 440 Hz at half of full scale.
    let tone = |rate: u32| -> Vec<u8> {
        (0..rate / 2)
            .flat_map(|i| {
                let angle = f64::from(i) * 440.0 * std::f64::consts::TAU / f64::from(rate);
                ((angle.sin() * 16384.0) as i16).to_le_bytes()
            })
            .collect()
    };
    for rate in [8_000, 11_025, 44_100, 48_000, 44_099] {
        let file = wav_file(rate, 1, 16, &tone(rate));
        let (sound, out) = converted_to(Conversion::Pcm8, &file).unwrap();
        assert_eq!((sound.rate, sound.file_rate), (16_000, rate));
        assert_eq!(
            out.len(),
            (rate as usize / 2 * 16_000).div_ceil(rate as usize)
        );
        // Away from the ends, where the tone begins and stops.
        for (i, &byte) in out.iter().enumerate().skip(400).take(7_200) {
            let angle = i as f64 * 440.0 * std::f64::consts::TAU / 16_000.0;
            let expected = 128.0 + 64.0 * angle.sin();
            assert!(
                (f64::from(byte) + 0.5 - expected).abs() < 1.5,
                "{rate} {i} {byte} {expected}"
            );
        }
    }
    // Shorter than the filter.
    let (_, out) = converted_to(Conversion::Pcm8, &wav_file(48_000, 1, 16, &[0; 6])).unwrap();
    assert_eq!(out, [128]);
}
