//! Adaptive coding of integers of unknown scale.

use super::LARGEST;
use super::io::{Adaptive, Io};

/// Number of contexts of [`Scale::context`].
const CONTEXTS: usize = 32;

/// Magnitudes `2^c` to `2^(c+1) - 1` are class `c`.
const CLASSES: usize = LARGEST.ilog2() as usize + 1;

/// Leading bits after the first that are coded adaptively.
const MODELLED: u32 = 2;

/// Codes an integer as a zero flag, its sign, its class in unary, and the bits of
/// its magnitude below the first. All but the sign and the lowest bits are adaptive.
pub struct Integers {
    zero: Adaptive,
    /// `[context, class]`: whether the class is higher.
    higher: Adaptive,
    /// `[class, prefix]`
    bits: Adaptive,
}

impl Integers {
    pub fn new() -> Integers {
        Integers {
            zero: Adaptive::new(CONTEXTS),
            higher: Adaptive::new(CONTEXTS * CLASSES),
            bits: Adaptive::new(CLASSES << MODELLED),
        }
    }

    /// Writes `value`, or reads and returns one. Magnitudes are at most `LARGEST`.
    pub fn code(&mut self, io: &mut impl Io, value: i32, context: usize) -> i32 {
        if self.zero.code(io, value == 0, context) {
            return 0;
        }
        let negative = io.even_bit(value < 0);
        let given = value.unsigned_abs().max(1);
        let mut class = 0;
        while class + 1 < CLASSES {
            let index = context * CLASSES + class;
            if !self.higher.code(io, given.ilog2() as usize > class, index) {
                break;
            }
            class += 1;
        }
        let mut magnitude = 1_u32;
        for below in (0..class).rev() {
            let bit = given >> below & 1 == 1;
            let prefix = magnitude as usize;
            let bit = if prefix < 1 << MODELLED {
                self.bits.code(io, bit, class << MODELLED | prefix)
            } else {
                io.even_bit(bit)
            };
            magnitude = magnitude << 1 | u32::from(bit);
        }
        let magnitude = magnitude as i32;
        if negative { -magnitude } else { magnitude }
    }
}

/// Local scale of the integers of a matrix: running means of the magnitudes in the
/// row and in the column, in 256ths.
pub struct Scale {
    row: u32,
    columns: Vec<u32>,
}

impl Scale {
    pub fn new(columns: usize) -> Scale {
        Scale {
            row: 0,
            columns: vec![0; columns],
        }
    }

    /// The context at `column`: the mean in half octaves.
    pub fn context(&self, column: usize) -> usize {
        let mean = (self.row + self.columns[column]) / 2 + 8;
        let octave = mean.ilog2();
        let half = mean >> (octave - 1) & 1;
        ((octave - 3) * 2 + half).min(CONTEXTS as u32 - 1) as usize
    }

    /// Updates with the integer at `column`; the row mean continues into the next row.
    pub fn add(&mut self, column: usize, value: i32) {
        let magnitude = value.unsigned_abs() * 256;
        let column = &mut self.columns[column];
        self.row = (self.row * 15 + magnitude) / 16;
        *column = (*column * 7 + magnitude) / 8;
    }
}
