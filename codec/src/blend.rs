//! Context models beside a predictor of bytes, for streams that other crates write.
//!
//! An archive of this crate is a sequence of bytes in blocks. A stream that holds more
//! than bytes, such as where tokens end, writes to the range coder itself: its bytes
//! through a [`Blend`], which adds what context models say to what the predictor says, and
//! its other decisions through [`Flags`].
//!
//! ```
//! use brevity_codec::{Blend, BlendSetup, Flags, Frequencies, Level};
//! use brevity_codec::predict::Priced;
//! use brevity_codec::range::{Decoder, Encoder};
//!
//! let text = b"the more often, the shorter; ".repeat(20);
//! let setup = BlendSetup::of(Level::Best, &text);
//! let uniform = Frequencies::default();
//! let (mut blend, mut flags) = (Blend::new(setup, text.len()), Flags::new(1));
//! let mut encoder = Encoder::default();
//! for &byte in &text {
//!     blend.encode(byte, &Priced::new(&uniform, byte), &mut encoder);
//!     flags.encode(byte == b' ', (3, 1), 0, &mut encoder);
//! }
//! let stream = encoder.finish();
//! assert!(stream.len() < 200);
//!
//! let (mut blend, mut flags) = (Blend::new(setup, text.len()), Flags::new(1));
//! let mut decoder = Decoder::new(&stream);
//! for &byte in &text {
//!     assert_eq!(blend.decode(&uniform, &mut decoder), byte);
//!     assert_eq!(flags.decode((3, 1), 0, &mut decoder), byte == b' ');
//! }
//! assert!(decoder.ended());
//! ```

use crate::cdf::{Frequencies, TOTAL};
use crate::cm::chance::{self, Chance};
use crate::cm::{BitCoder, Gates, Level, Logistic, Models, Setup, Transform, survey_unchanged};
use crate::coder::{Known, Tree};
use crate::mixing::Mixing;
use crate::predict::Priced;
use crate::range::{Decoder, Encoder};

/// How the context models of a [`Blend`] are set up, which its decoder must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlendSetup(Setup);

impl BlendSetup {
    /// What suits these bytes best, by their looks.
    pub fn of(level: Level, bytes: &[u8]) -> BlendSetup {
        BlendSetup(survey_unchanged(level, bytes))
    }

    /// One byte, or four.
    pub fn to_bytes(self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// Reads a setup for a level, byte by byte; none if there is no such setup, or if it is
    /// one that wants no predictor beside it.
    ///
    /// # Errors
    /// Those of `next`.
    pub fn read<E>(
        level: Level,
        next: impl FnMut() -> Result<u8, E>,
    ) -> Result<Option<BlendSetup>, E> {
        let setup = Setup::read(level, next)?;
        let plain = setup.filter(|s| !s.has_one_lane() && s.transform == Transform::None);
        Ok(plain.map(BlendSetup))
    }

    /// Bytes that a blend of so many bytes takes, at most.
    pub fn memory(self, bytes: usize) -> u64 {
        Models::Second(self.0).memory(1, bytes)
    }
}

/// Context models that learn while they code, and a language model whose logits a gate
/// adds to theirs, with weights that learn too.
pub struct Blend {
    mixing: Mixing,
}

impl Blend {
    /// For a stream of `bytes` bytes. It has learned nothing.
    pub fn new(setup: BlendSetup, bytes: usize) -> Blend {
        Blend {
            mixing: Mixing::new(
                Models::Second(setup.0),
                Some(Gates::LANGUAGE),
                1,
                bytes,
                true,
            ),
        }
    }

    /// Codes the next byte, of which the predictor said this, and learns it.
    pub fn encode(&mut self, byte: u8, said: &Priced, encoder: &mut Encoder) {
        let mut bits = Bits {
            encoder,
            rest: byte,
        };
        self.mixing.code(0, &mut bits, &Known(said, byte));
    }

    /// The next byte, of which the predictor says `next`.
    pub fn decode(&mut self, next: &Frequencies, decoder: &mut Decoder) -> u8 {
        self.mixing.code(0, decoder, &Tree::new(next))
    }
}

/// Writes the bits of a byte, the highest first.
struct Bits<'a> {
    encoder: &'a mut Encoder,
    rest: u8,
}

impl BitCoder for Bits<'_> {
    fn code(&mut self, p: u32) -> bool {
        let bit = self.rest & 0x80 != 0;
        self.rest <<= 1;
        self.encoder.bit(bit, p);
        bit
    }
}

impl BitCoder for Decoder<'_> {
    fn code(&mut self, p: u32) -> bool {
        self.bit(p)
    }
}

/// Logits of a row's cells: from -8 to 8 in halves.
const HIGHEST: f32 = 8.0;
const CELLS: usize = 33;

/// As many answers as the predictor's probability counts for.
const TRUST: u32 = 12;

/// The least probability of either answer, times `TOTAL`.
const LEAST: u32 = 1 << 10;

/// Yes or no beside the bytes: a predictor's probability, refined by what came when it
/// said the same in the same context.
pub struct Flags {
    /// `[contexts, CELLS]`
    cells: Vec<Chance>,
    /// The cell to move.
    at: usize,
}

impl Flags {
    /// With so many contexts. It trusts the predictor at first.
    pub fn new(contexts: usize) -> Flags {
        let cell = |i: usize| {
            let p = Logistic::get().squash(i as f32 * 0.5 - HIGHEST);
            chance::guess((p >> 8) as u16) | TRUST
        };
        let row: Vec<Chance> = (0..CELLS).map(cell).collect();
        Flags {
            cells: row.repeat(contexts),
            at: 0,
        }
    }

    /// Codes an answer, to which the predictor gives masses above 0, those of no and of
    /// yes.
    ///
    /// # Panics
    /// If there is no such context.
    pub fn encode(&mut self, yes: bool, masses: (u32, u32), context: usize, encoder: &mut Encoder) {
        encoder.bit(yes, self.probability(masses, context));
        self.learn(yes);
    }

    /// The answer.
    ///
    /// # Panics
    /// If there is no such context.
    pub fn decode(&mut self, masses: (u32, u32), context: usize, decoder: &mut Decoder) -> bool {
        let yes = decoder.bit(self.probability(masses, context));
        self.learn(yes);
        yes
    }

    /// Of yes, times `TOTAL`: between those of the two nearest cells.
    fn probability(&mut self, (no, yes): (u32, u32), context: usize) -> u32 {
        let logit = Logistic::get().logit(no, yes);
        let place = (logit.clamp(-HIGHEST, HIGHEST) + HIGHEST) * 2.0;
        let low = (place as usize).min(CELLS - 2);
        let share = ((place - low as f32) * 256.0) as u32;
        let row = &self.cells[context * CELLS..][..CELLS];
        // 22 bits of probability, above those of a count.
        let [below, above] = [low, low + 1].map(|i| row[i] >> 10);
        self.at = context * CELLS + low + usize::from(share >= 128);
        let p = (below * (256 - share) + above * share) >> 6;
        p.clamp(LEAST, TOTAL - LEAST)
    }

    fn learn(&mut self, yes: bool) {
        chance::update(&mut self.cells[self.at], yes, chance::MOST);
    }
}
