//! The compact binary encoding of a spec, for archives.
//!
//! ```text
//! version   1 byte, 1
//! switches  2 bytes, little endian, from the lowest bit:
//!           norm 1 (layer, rms), placement 1 (pre, post),
//!           position 2 (sinusoidal, learned, rope),
//!           activation 2 (gelu, gelu-erf, relu2, swiglu),
//!           mlp_bias, attention_bias, output_bias, tied, scale_embedding,
//!           qk_norm, has a window, has taps, has lags; the other bit is zero
//! numbers   varints: width, layers, heads, hidden, context, window if any,
//!           taps if any; if there are lags, their number, then the difference
//!           of each to the one before (the first to 0)
//! ```
//!
//! Only the shortest form of a [`varint`] is valid, so a spec has exactly one
//! encoding.

use crate::spec::{Activation, MAX_LAGS, Norm, Placement, Position, Spec, SpecError};
use crate::varint;

const VERSION: u8 = 1;

/// Length of the longest encoding of a valid spec, in bytes.
pub const MAX_ENCODED_SPEC: usize = 3 + (8 + MAX_LAGS) * 4;

/// Bytes that are not the encoding of a spec. Offsets count from their start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end too early.
    #[error("model spec is truncated at byte {offset}")]
    Truncated {
        /// The offset of the missing byte.
        offset: usize,
    },
    /// An unknown version, written by a newer program.
    #[error("model spec has version {0}, this program reads version {VERSION}: update it")]
    Version(u8),
    /// A switch has an unknown value.
    #[error("model spec has unknown switches {0:#06x} at byte 1")]
    Switches(u16),
    /// A varint is not in its shortest form, is too long, or is 0 where 0 is not
    /// written.
    #[error("model spec has a malformed number at byte {offset}")]
    Number {
        /// The offset of the number.
        offset: usize,
    },
    /// Well-formed, but the spec is invalid.
    #[error(transparent)]
    Spec(#[from] SpecError),
}

impl Spec {
    /// The compact encoding: at most [`MAX_ENCODED_SPEC`] bytes, about a dozen for small
    /// models. The spec must be valid.
    pub fn to_bytes(&self) -> Vec<u8> {
        let flags = [
            self.mlp_bias,
            self.attention_bias,
            self.output_bias,
            self.tied,
            self.scale_embedding,
            self.qk_norm,
            self.window.is_some(),
            self.taps > 0,
            !self.lags.is_empty(),
        ];
        let mut switches = match self.norm {
            Norm::Layer => 0,
            Norm::Rms => 1,
        };
        switches |= match self.placement {
            Placement::Pre => 0,
            Placement::Post => 1,
        } << 1;
        switches |= match self.position {
            Position::Sinusoidal => 0,
            Position::Learned => 1,
            Position::Rope => 2,
        } << 2;
        switches |= match self.activation {
            Activation::Gelu => 0,
            Activation::GeluErf => 1,
            Activation::Relu2 => 2,
            Activation::Swiglu => 3,
        } << 4;
        for (i, flag) in flags.into_iter().enumerate() {
            switches |= u16::from(flag) << (6 + i);
        }
        let mut out = vec![VERSION];
        out.extend(switches.to_le_bytes());
        let numbers = [
            self.width,
            self.layers,
            self.heads,
            self.hidden,
            self.context,
        ];
        let taps = (self.taps > 0).then_some(self.taps);
        for number in numbers.into_iter().chain(self.window).chain(taps) {
            varint::put(&mut out, number as u64);
        }
        if !self.lags.is_empty() {
            varint::put(&mut out, self.lags.len() as u64);
            let mut previous = 0;
            for &lag in &self.lags {
                varint::put(&mut out, (lag - previous) as u64);
                previous = lag;
            }
        }
        out
    }

    /// Decodes a spec from the front of `bytes`. Returns the valid spec and the number of
    /// bytes read.
    ///
    /// # Errors
    /// The bytes are not the encoding of a valid spec. At most [`MAX_ENCODED_SPEC`] bytes
    /// are read, which also bounds the use of memory.
    pub fn from_bytes(bytes: &[u8]) -> Result<(Spec, usize), DecodeError> {
        let mut input = Input { bytes, offset: 0 };
        let version = input.byte()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let switches = u16::from_le_bytes([input.byte()?, input.byte()?]);
        let unknown = DecodeError::Switches(switches);
        if switches >> 15 != 0 {
            return Err(unknown);
        }
        let flag = |bit: u32| switches >> bit & 1 == 1;
        let spec = Spec {
            width: input.varint()?,
            layers: input.varint()?,
            heads: input.varint()?,
            hidden: input.varint()?,
            context: input.varint()?,
            window: flag(12).then(|| input.varint()).transpose()?,
            taps: match flag(13) {
                true => input.nonzero()?,
                false => 0,
            },
            lags: match flag(14) {
                true => input.lags()?,
                false => Vec::new(),
            },
            norm: if flag(0) { Norm::Rms } else { Norm::Layer },
            placement: if flag(1) {
                Placement::Post
            } else {
                Placement::Pre
            },
            position: match switches >> 2 & 3 {
                0 => Position::Sinusoidal,
                1 => Position::Learned,
                2 => Position::Rope,
                _ => return Err(unknown),
            },
            activation: match switches >> 4 & 3 {
                0 => Activation::Gelu,
                1 => Activation::GeluErf,
                2 => Activation::Relu2,
                _ => Activation::Swiglu,
            },
            mlp_bias: flag(6),
            attention_bias: flag(7),
            output_bias: flag(8),
            tied: flag(9),
            scale_embedding: flag(10),
            qk_norm: flag(11),
        };
        spec.validate()?;
        Ok((spec, input.offset))
    }
}

struct Input<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl Input<'_> {
    fn byte(&mut self) -> Result<u8, DecodeError> {
        let offset = self.offset;
        let byte = *self
            .bytes
            .get(offset)
            .ok_or(DecodeError::Truncated { offset })?;
        self.offset += 1;
        Ok(byte)
    }

    /// Like [`Input::varint`], but 0 is an error.
    fn nonzero(&mut self) -> Result<usize, DecodeError> {
        let offset = self.offset;
        match self.varint()? {
            0 => Err(DecodeError::Number { offset }),
            number => Ok(number),
        }
    }

    /// The number of lags, then the lags.
    fn lags(&mut self) -> Result<Vec<usize>, DecodeError> {
        let offset = self.offset;
        let count = self.nonzero()?;
        if count > MAX_LAGS {
            return Err(DecodeError::Number { offset });
        }
        let mut lag = 0;
        let further = (0..count).map(|_| {
            lag += self.varint()?;
            Ok(lag)
        });
        further.collect()
    }

    /// A varint of at most four bytes, which is enough for every field.
    fn varint(&mut self) -> Result<usize, DecodeError> {
        let offset = self.offset;
        let number = varint::read((1 << 28) - 1, || self.byte())?;
        number
            .map(|number| number as usize)
            .ok_or(DecodeError::Number { offset })
    }
}
