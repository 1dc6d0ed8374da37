//! Decodes one frame: a block of samples of each channel.

use std::io::Read;

use super::Fault;
use super::bits::{Bits, crc8, crc16};
use super::subframe::subframe;

/// Parameters that all frames of a stream share.
#[derive(Clone, Copy)]
pub(super) struct Stream {
    pub channels: usize,
    pub bits: u32,
}

/// How the channels of a frame are stored.
#[derive(Clone, Copy, PartialEq)]
enum Stereo {
    Independent,
    LeftSide,
    SideRight,
    MidSide,
}

/// Whether these bytes begin a frame.
pub(super) fn begins(bytes: &[u8]) -> bool {
    matches!(bytes, [0xFF, 0xF8 | 0xF9, ..])
}

/// Reads the frame at the current position. `samples` becomes
/// `[channel][time]`.
pub(super) fn frame<R: Read>(
    bits: &mut Bits<R>,
    stream: Stream,
    samples: &mut [Vec<i64>],
) -> Result<(), Fault> {
    bits.mark();
    let (length, stereo) = header(bits, stream)?;
    for (channel, samples) in samples.iter_mut().enumerate() {
        // A difference of two channels has one bit more.
        let side = match stereo {
            Stereo::Independent => false,
            Stereo::LeftSide | Stereo::MidSide => channel == 1,
            Stereo::SideRight => channel == 0,
        };
        subframe(bits, stream.bits + u32::from(side), length, samples)?;
    }
    bits.align()?;
    let found = crc16(bits.marked());
    if u64::from(found) != bits.unsigned(16)? {
        return Err(Fault::Damaged("the checksum of a frame is wrong"));
    }
    if let [first, second] = samples {
        join(stereo, first, second);
    }
    let half = 1i64 << (stream.bits - 1);
    if samples.iter().flatten().any(|s| !(-half..half).contains(s)) {
        return Err(Fault::Damaged(
            "a sample has more bits than the header says",
        ));
    }
    Ok(())
}

/// Reads the header: the number of samples of the frame, and how its channels
/// are stored.
fn header<R: Read>(bits: &mut Bits<R>, stream: Stream) -> Result<(usize, Stereo), Fault> {
    let damaged = |what| Err(Fault::Damaged(what));
    if bits.unsigned(15)? != 0b111_1111_1111_1100 {
        return damaged("a frame does not begin where it should");
    }
    let _variable_blocks = bits.unsigned(1)?;
    let (length, rate) = (bits.unsigned(4)?, bits.unsigned(4)?);
    let (channels, depth) = (bits.unsigned(4)? as usize, bits.unsigned(3)?);
    if bits.unsigned(1)? != 0 {
        return damaged("a reserved bit of a frame is set");
    }
    // The number of the frame or sample; its first byte gives its length.
    let more = match (bits.unsigned(8)? as u8).leading_ones() {
        0 => 0,
        ones @ 2..=7 => ones - 1,
        _ => return damaged("the number of a frame is wrong"),
    };
    for _ in 0..more {
        if bits.unsigned(8)? >> 6 != 0b10 {
            return damaged("the number of a frame is wrong");
        }
    }
    let length = match length {
        0 => return damaged("a reserved length of a block"),
        1 => 192,
        2..=5 => 144 << length,
        6 => bits.unsigned(8)? + 1,
        7 => bits.unsigned(16)? + 1,
        _ => 1 << length,
    };
    // The frame's rate is skipped; the rate of the stream is used.
    match rate {
        12 => bits.unsigned(8)?,
        13 | 14 => bits.unsigned(16)?,
        15 => return damaged("a reserved rate"),
        _ => 0,
    };
    let found = crc8(bits.marked());
    if u64::from(found) != bits.unsigned(8)? {
        return damaged("the checksum of a frame's header is wrong");
    }
    let depth = match depth {
        0 => stream.bits,
        3 => return damaged("a reserved number of bits"),
        code => [0, 8, 12, 0, 16, 20, 24, 32][code as usize],
    };
    let (channels, stereo) = match channels {
        8 => (2, Stereo::LeftSide),
        9 => (2, Stereo::SideRight),
        10 => (2, Stereo::MidSide),
        11.. => return damaged("a reserved channel assignment"),
        fewer => (fewer + 1, Stereo::Independent),
    };
    if channels != stream.channels {
        return damaged("the number of channels changes");
    }
    if depth != stream.bits {
        return damaged("the bits per sample change");
    }
    Ok((length as usize, stereo))
}

/// Restores two channels from their stored form, in place.
fn join(stereo: Stereo, first: &mut [i64], second: &mut [i64]) {
    for (a, b) in first.iter_mut().zip(second) {
        match stereo {
            Stereo::Independent => return,
            Stereo::LeftSide => *b = *a - *b,
            Stereo::SideRight => *a += *b,
            Stereo::MidSide => {
                let (mid, side) = (2 * *a + (*b & 1), *b);
                *a = (mid + side) >> 1;
                *b = (mid - side) >> 1;
            }
        }
    }
}
