//! Which context models an encoder sets up for a block. A decoder is told.
//!
//! What the block's bytes look like gives a few candidates; these code a piece of it, and
//! the shortest wins.

use super::v2::{self, Candidates, Kind, Level, Setup, Transform, Words, base64};
use super::{Advice, BitCoder};
use crate::cdf::TOTAL;
use crate::range::Encoder;
use std::borrow::Cow;

/// The share of a block that candidates code: level 9 takes its time.
fn share(level: Level) -> usize {
    match level {
        Level::Best => 4,
        _ => 10,
    }
}

/// Bytes that candidates code.
const LEAST: usize = 1 << 12;
const MOST: usize = 1 << 15;

/// The piece begins at a multiple of so many bytes, where numbers begin.
const ALIGNED: usize = 48;

/// Records of several channels are tried up to this length.
const MOST_CHANNELS: usize = 32;

/// After each step, a candidate gives up that is longer than the best one so far by more
/// than a share, which falls from this to nothing.
const STEP: usize = 1 << 10;
const LAG: f64 = 0.04;

/// The share of the best one's bytes that a candidate may take to win. Pictures and sound,
/// which learn faster than records, win by more than that where they are such.
fn worth(candidate: Kind, best: Kind) -> f64 {
    match candidate {
        Kind::Picture if best != candidate => 0.985,
        Kind::Sound if best != candidate => 0.97,
        _ => 0.995,
    }
}

/// Chooses the setup of a block that context models code alone, or beside a model that has
/// learned no bytes before, and changes the block as the setup says.
pub fn survey(level: Level, bytes: &[u8]) -> (Setup, Cow<'_, [u8]>) {
    let plain = choose(level, bytes, true);
    let setup = bare(level, bytes, plain).unwrap_or(plain);
    if setup == Setup::plain(level, Kind::Text)
        && let Some(changed) = Words::of(bytes, level).and_then(|words| words.shorten(bytes))
    {
        let transform = Transform::Words(changed.len() as u32);
        return (Setup { transform, ..setup }, changed.into());
    }
    let mut changed = Cow::Borrowed(bytes);
    if setup.transform != Transform::None {
        setup.transform.apply(changed.to_mut());
    }
    (setup, changed)
}

/// The share of base64 that what it stands for may take to win.
const WORTH_BARING: f64 = 0.997;

/// The setup of a block of base64, if what that stands for is shorter. A piece from the
/// first run on tells, and then all of the block: what is repeated in it, but not in
/// whole groups of digits, is not in what it stands for.
fn bare(level: Level, bytes: &[u8], plain: Setup) -> Option<Setup> {
    if level == Level::Fast {
        return None;
    }
    let (mut changed, first) = base64::change(bytes)?;
    let unchanged = choose(level, &changed, false);
    let setup = Setup {
        transform: Transform::Base64,
        ..unchanged
    };
    let piece = &bytes[first..bytes.len().min(first + MOST)];
    let (bare, _) = base64::change(piece).filter(|_| setup.is_allowed())?;
    let is_shorter = |bare: &[u8], to: Setup, piece: &[u8], from: Setup| {
        length(bare, to) < length(piece, from) * WORTH_BARING
    };
    changed.resize(bytes.len(), 0);
    (is_shorter(&bare, at_default(unchanged), piece, at_default(plain))
        && fast_length(&changed) < fast_length(bytes) * WORTH_BARING)
        .then_some(setup)
}

/// Bytes that all of a block takes at the fastest level.
fn fast_length(bytes: &[u8]) -> f64 {
    let mut lean = v2::Lean::new(1, bytes.len(), false);
    let mut meter = Meter::default();
    for &byte in bytes {
        meter.byte = byte;
        lean.code(0, &mut meter, &Alone);
    }
    meter.encoder.written() as f64
}

/// The contexts of the default level.
fn at_default(setup: Setup) -> Setup {
    Setup {
        level: Level::Default,
        ..setup
    }
}

/// Bytes that a piece takes.
fn length(piece: &[u8], setup: Setup) -> f64 {
    let best = Vec::new();
    Trial { piece, best }.price(setup, f64::INFINITY)
}

/// Chooses the setup of a block whose bytes stay as they are.
pub fn survey_unchanged(level: Level, bytes: &[u8]) -> Setup {
    choose(level, bytes, false)
}

/// Chooses the setup of a block beside whose context models there is a model that knows
/// its bytes changed by `words`, if there are any, and changes the block so. Only text is
/// changed.
pub fn survey_beside<'a>(
    level: Level,
    bytes: &'a [u8],
    words: Option<&Words>,
) -> (Setup, Cow<'a, [u8]>) {
    let plain = survey_unchanged(level, bytes);
    let words = words.filter(|_| plain.kind == Kind::Text);
    match words.and_then(|words| words.shorten(bytes)) {
        None => (plain, bytes.into()),
        Some(changed) => {
            let transform = Transform::Words(changed.len() as u32);
            (Setup { transform, ..plain }, changed.into())
        }
    }
}

fn choose(level: Level, bytes: &[u8], may_change: bool) -> Setup {
    let candidates = Candidates::of(level, bytes);
    let plain = candidates.plain;
    if candidates.others.is_empty() {
        return with_calls(plain, &candidates, may_change);
    }
    let mut trial = Trial::new(level, bytes);
    let mut best = (trial.price(at_default(plain), f64::INFINITY), plain);
    let try_out = |setup: Setup, best: &mut (f64, Setup), trial: &mut Trial| {
        let most = best.0 * worth(setup.kind, best.1.kind);
        let price = trial.price(at_default(setup), most);
        if price < most {
            *best = (price, setup);
        }
    };
    for &setup in &candidates.others {
        try_out(setup, &mut best, &mut trial);
    }
    if may_change {
        for record in [2, 4] {
            for transform in [Transform::Reversed2, Transform::None] {
                let setup = Setup {
                    kind: Kind::Sound,
                    record,
                    cell: record,
                    transform,
                    ..plain
                };
                try_out(setup, &mut best, &mut trial);
            }
        }
    }
    if best.1.kind == Kind::Records {
        // Channels that take turns make records of several numbers.
        let found = best.1;
        for record in [2, 3, 4].map(|times| times * found.record) {
            if record <= MOST_CHANNELS {
                let cell = record.min(16);
                try_out(
                    Setup {
                        record,
                        cell,
                        ..found
                    },
                    &mut best,
                    &mut trial,
                );
            }
        }
        let found = best.1;
        for transform in Transform::REVERSED {
            if may_change && found.record.is_multiple_of(transform.width()) {
                try_out(Setup { transform, ..found }, &mut best, &mut trial);
            }
        }
    }
    with_calls(best.1, &candidates, may_change)
}

/// With calls changed, where there are some.
fn with_calls(setup: Setup, candidates: &Candidates, may_change: bool) -> Setup {
    let calls = may_change && candidates.calls && setup.kind == Kind::Binary;
    let transform = if calls {
        Transform::Calls
    } else {
        setup.transform
    };
    Setup { transform, ..setup }
}

/// Prices setups on a piece of a block.
struct Trial<'a> {
    piece: &'a [u8],
    /// Bytes that the best one took after each step.
    best: Vec<f64>,
}

/// Sums code lengths, in whole bytes.
#[derive(Default)]
struct Meter {
    encoder: Encoder,
    byte: u8,
}

impl BitCoder for Meter {
    #[inline(always)]
    fn code(&mut self, p: u32) -> bool {
        debug_assert!(p > 0 && p < TOTAL);
        let bit = self.byte & 0x80 != 0;
        self.byte <<= 1;
        self.encoder.bit(bit, p);
        bit
    }
}

struct Alone;

impl Advice for Alone {
    #[inline(always)]
    fn masses(&self, _: usize, _: usize) -> Option<(u32, u32)> {
        None
    }
}

impl Trial<'_> {
    fn new(level: Level, bytes: &[u8]) -> Trial<'_> {
        let length = (bytes.len() / share(level))
            .clamp(LEAST, MOST)
            .min(bytes.len());
        let start = (bytes.len() - length) / 2 / ALIGNED * ALIGNED;
        Trial {
            piece: &bytes[start..start + length],
            best: Vec::new(),
        }
    }

    /// Bytes that the piece takes; infinitely many once it lags behind the best so far and
    /// takes more than `most`.
    fn price(&mut self, setup: Setup, most: f64) -> f64 {
        let mut piece = self.piece.to_vec();
        setup.transform.apply(&mut piece);
        let mut mixture = v2::Mixture::new(setup, 1, piece.len(), false);
        let mut meter = Meter::default();
        let mut lengths = Vec::new();
        for (i, part) in piece.chunks(STEP).enumerate() {
            for &byte in part {
                meter.byte = byte;
                mixture.code(0, &mut meter, &Alone);
            }
            let length = meter.encoder.written() as f64;
            lengths.push(length);
            let left = 1.0 - ((i + 1) * STEP) as f64 / piece.len() as f64;
            let bound = 1.0 + LAG * left.max(0.0);
            if i >= 2 && self.best.get(i).is_some_and(|best| length > best * bound) {
                return f64::INFINITY;
            }
        }
        let price = lengths.last().copied().unwrap_or_default();
        if price < most {
            self.best = lengths;
        }
        price
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(level: Level, bytes: &[u8]) -> Setup {
        super::survey(level, bytes).0
    }

    /// A generator of bytes that repeat.
    fn noise(seed: &mut u32) -> u8 {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*seed >> 24) as u8
    }

    #[test]
    fn text_is_text_and_records_are_found() {
        let text = "Was ist das? Это текст. 这是文字。\n".repeat(40);
        let setup = survey(Level::Default, text.as_bytes());
        assert_eq!(setup.kind, Kind::Text);
        let records: Vec<u8> = (0..3000_u32)
            .flat_map(|i| [7, (i >> 8) as u8, i as u8, 0, 200, ((i * i) >> 5) as u8, 1])
            .collect();
        let setup = survey(Level::Default, &records);
        assert_eq!((setup.kind, setup.record % 7), (Kind::Records, 0));
    }

    #[test]
    fn records_of_noisy_numbers_are_found() {
        // Two columns of floats of 64 bits whose neighbours in a column differ as much as
        // any others.
        let floats = |i: u32| {
            [
                50.0 + f64::from(i * i % 1009 * 7 % 1009) / 100.0,
                f64::from(i * 37 % 5003) / 10.0,
            ]
        };
        let bytes: Vec<u8> = (0..2000)
            .flat_map(|i| floats(i).map(f64::to_le_bytes))
            .flatten()
            .collect();
        let setup = survey(Level::Default, &bytes);
        assert_eq!((setup.kind, setup.record % 16), (Kind::Records, 0));
    }

    #[test]
    fn samples_are_sound_unless_bytes_stay() {
        let mut seed = 1;
        let samples: Vec<u8> = (0..8000_i32)
            .flat_map(|i| {
                let wave = (i % 400 - 200).abs() * 60;
                (wave + i32::from(noise(&mut seed))).to_le_bytes()[..2].to_vec()
            })
            .collect();
        let setup = survey(Level::Default, &samples);
        let found = (setup.kind, setup.record, setup.transform);
        assert_eq!(found, (Kind::Sound, 2, Transform::Reversed2));
        let unchanged = survey_unchanged(Level::Default, &samples);
        assert!(!unchanged.has_one_lane() && unchanged.transform == Transform::None);
    }

    #[test]
    fn rows_of_pixels_are_a_picture() {
        let mut seed = 1;
        let picture: Vec<u8> = (0..120_usize)
            .flat_map(|y| (0..100_usize).map(move |x| (x, y)))
            .flat_map(|(x, y)| {
                let grain = usize::from(noise(&mut seed) >> 5);
                [x + y + grain, 2 * x + grain, 150 + y - x + grain].map(|v| v as u8)
            })
            .collect();
        let setup = survey(Level::Default, &picture);
        let found = (setup.kind, setup.record, setup.cell);
        assert_eq!(found, (Kind::Picture, 300, 3));
    }

    #[test]
    fn calls_of_the_same_places_are_found() {
        let mut seed = 1;
        let mut program = Vec::new();
        for i in 0..600_u32 {
            let length = 5 + noise(&mut seed) % 16;
            program.extend((0..length).map(|_| noise(&mut seed) | 1));
            let place = 4096 * (1 + i % 7);
            let distance = place.wrapping_sub(program.len() as u32 + 5);
            program.push(0xE8);
            program.extend(distance.to_le_bytes());
        }
        let setup = survey(Level::Best, &program);
        assert_eq!(
            (setup.kind, setup.transform),
            (Kind::Binary, Transform::Calls)
        );
        let setup = survey_unchanged(Level::Best, &program);
        assert_eq!(setup.transform, Transform::None);
    }

    #[test]
    fn base64_is_undone_where_that_pays() {
        let text = base64::tests::text;
        let mut seed = 1;
        let words = ["soul ", "of ", "wit, ", "brevity ", "is ", "the\n"];
        let prose: String = (0..3000)
            .map(|_| words[usize::from(noise(&mut seed)) % words.len()])
            .collect();
        let lines = text(prose.as_bytes(), 76);
        let setup = survey(Level::Default, &lines);
        let found = (setup.kind, setup.transform);
        assert_eq!(found, (Kind::Text, Transform::Base64));
        let unchanged = survey_unchanged(Level::Default, &lines);
        assert!(!unchanged.has_one_lane() && unchanged.transform == Transform::None);
        // Repeated, but not in whole groups.
        let random: Vec<u8> = (0..40_000).map(|_| noise(&mut seed)).collect();
        let once = text(&random, 0);
        let setup = survey(Level::Default, &[&once[..], &once[1..]].concat());
        assert_eq!(setup.transform, Transform::None);
        let setup = survey(Level::Default, &once.repeat(2));
        assert_eq!(setup.transform, Transform::Base64);
        // A genome is made of digits, too.
        let genome: Vec<u8> = (0..20_000)
            .map(|i| match i % 61 {
                60 => b'\n',
                _ => b"ACGT"[usize::from(noise(&mut seed) >> 6)],
            })
            .collect();
        let setup = survey(Level::Default, &genome);
        assert_eq!(setup.transform, Transform::None);
    }

    #[test]
    fn words_of_prose_become_bytes() {
        let prose = v2::words::tests::prose(1 << 17);
        for level in Level::ALL {
            let (setup, changed) = super::survey(level, &prose);
            assert_eq!(setup.transform, Transform::Words(changed.len() as u32));
            assert!(changed.len() < prose.len());
            let unchanged = survey_unchanged(level, &prose);
            assert_eq!(unchanged.transform, Transform::None);
        }
    }

    #[test]
    fn any_length_is_surveyed() {
        for length in 0..300 {
            let bytes: Vec<u8> = (0..length).map(|i| (i * i % 251) as u8).collect();
            let setup = survey(Level::Best, &bytes);
            assert!(setup.record >= 1 && setup.cell >= 1);
        }
    }
}
