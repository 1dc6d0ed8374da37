//! The layout of 16-bit samples as bytes.

use crate::conversion::Conversion;

/// The layout of signed 16-bit samples as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pcm16 {
    /// The layout of [`Conversion::Pcm16`].
    LittleEndian,
    /// The layout of [`Conversion::Pcm16Planes`].
    Planes,
    /// The layout of [`Conversion::Pcm16Deltas`].
    Deltas,
}

impl Pcm16 {
    /// The layout of a conversion; `None` if its samples do not have 16 bits.
    pub(crate) fn of(conversion: Conversion) -> Option<Self> {
        match conversion {
            Conversion::Pcm16 => Some(Self::LittleEndian),
            Conversion::Pcm16Planes => Some(Self::Planes),
            Conversion::Pcm16Deltas => Some(Self::Deltas),
            _ => None,
        }
    }
}

/// Converts the samples of one sound to bytes, or back, in blocks of
/// [`Pcm16Blocks::SAMPLES`]. Only the last block may be shorter.
#[derive(Debug, Clone)]
pub struct Pcm16Blocks {
    order: Pcm16,
    /// The last sample of each channel.
    last: Vec<i16>,
    /// The channel of the next sample.
    channel: usize,
}

impl Pcm16Blocks {
    /// Samples of a block, which has the length of the paper's chunks.
    pub const SAMPLES: usize = 1024;

    /// Begins a sound.
    ///
    /// # Panics
    /// If there are no channels.
    pub fn new(order: Pcm16, channels: usize) -> Self {
        assert!(channels > 0, "a sound without channels");
        Self {
            order,
            last: vec![0; channels],
            channel: 0,
        }
    }

    /// Converts the next block to bytes.
    pub fn to_bytes(&mut self, block: &[i16]) -> Vec<u8> {
        let bytes = block.iter().map(|sample| sample.to_be_bytes());
        match self.order {
            Pcm16::LittleEndian => block.iter().flat_map(|s| s.to_le_bytes()).collect(),
            Pcm16::Planes => {
                let low = bytes.clone().map(|[_, low]| low);
                bytes.map(|[high, _]| high).chain(low).collect()
            }
            Pcm16::Deltas => block
                .iter()
                .flat_map(|&sample| {
                    let last = std::mem::replace(self.last(), sample);
                    sample.wrapping_sub(last).to_be_bytes()
                })
                .collect(),
        }
    }

    /// Converts the next block to samples. If a byte is left at the end, it is
    /// dropped.
    pub fn to_samples(&mut self, block: &[u8]) -> Vec<i16> {
        let pairs = block.chunks_exact(2).map(|pair| [pair[0], pair[1]]);
        match self.order {
            Pcm16::LittleEndian => pairs.map(i16::from_le_bytes).collect(),
            Pcm16::Planes => {
                let (high, low) = block.split_at(block.len() / 2);
                let pairs = high.iter().zip(low);
                pairs.map(|(&h, &l)| i16::from_be_bytes([h, l])).collect()
            }
            Pcm16::Deltas => pairs
                .map(|pair| {
                    let last = self.last();
                    *last = last.wrapping_add(i16::from_be_bytes(pair));
                    *last
                })
                .collect(),
        }
    }

    /// The previous sample of the channel that comes next.
    fn last(&mut self) -> &mut i16 {
        let channel = self.channel;
        self.channel = (channel + 1) % self.last.len();
        &mut self.last[channel]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_lie_as_they_should() {
        let samples = [1, -2, 0x0102, -32768, 32767];
        let bytes = |order, channels| Pcm16Blocks::new(order, channels).to_bytes(&samples);
        let little = [1, 0, 0xFE, 0xFF, 2, 1, 0, 0x80, 0xFF, 0x7F];
        assert_eq!(bytes(Pcm16::LittleEndian, 1), little);
        let planes = [0, 0xFF, 1, 0x80, 0x7F, 1, 0xFE, 2, 0, 0xFF];
        assert_eq!(bytes(Pcm16::Planes, 1), planes);
        // 1, -3, 260, 32510 and -1 modulo 2^16.
        let deltas = [0, 1, 0xFF, 0xFD, 1, 4, 0x7E, 0xFE, 0xFF, 0xFF];
        assert_eq!(bytes(Pcm16::Deltas, 1), deltas);
        // The first samples are 1 and -2; then come 257, -32766 and 32509.
        let of_two = [0, 1, 0xFF, 0xFE, 1, 1, 0x80, 2, 0x7E, 0xFD];
        assert_eq!(bytes(Pcm16::Deltas, 2), of_two);
    }

    #[test]
    fn blocks_come_back() {
        let samples: Vec<i16> = (0..5000u32).map(|i| (i * i * 977) as i16).collect();
        for order in [Pcm16::LittleEndian, Pcm16::Planes, Pcm16::Deltas] {
            for channels in [1, 2, 3] {
                let mut there = Pcm16Blocks::new(order, channels);
                let mut back = there.clone();
                for block in samples.chunks(Pcm16Blocks::SAMPLES) {
                    assert!(
                        back.to_samples(&there.to_bytes(block)) == block,
                        "{order:?}"
                    );
                }
            }
        }
    }
}
