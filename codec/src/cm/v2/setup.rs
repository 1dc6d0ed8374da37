//! What a block's context models are set up with.

use super::sound::MOST_CHANNELS;
use super::transform::Transform;
use std::mem::discriminant;

/// How much work and memory context models take, as `-1`, `-5` and `-9` choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Few contexts, the same for all bytes.
    Fast,
    /// As many as pay at the speed of other context mixers, chosen by what the
    /// bytes are taken for.
    #[default]
    Default,
    /// All there are.
    Best,
}

impl Level {
    /// All there are, the fastest first.
    pub const ALL: [Level; 3] = [Level::Fast, Level::Default, Level::Best];

    /// 1, 5 or 9.
    pub fn number(self) -> u8 {
        match self {
            Level::Fast => 1,
            Level::Default => 5,
            Level::Best => 9,
        }
    }

    /// The level with this [`number`](Level::number).
    pub fn numbered(number: u8) -> Option<Level> {
        Level::ALL.into_iter().find(|l| l.number() == number)
    }
}

/// What the bytes of a block are taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Words and lines.
    Text,
    /// Anything else.
    Binary,
    /// Records, or rows of a picture or of samples, of one length.
    Records,
    /// Rows of a picture whose pixels are bits.
    Bits,
    /// Rows of a picture whose pixels have a byte for each channel.
    Picture,
    /// Samples of 16 bits, their highest byte first; records are the channels.
    Sound,
}

impl Kind {
    /// All there are, in the order of their numbers.
    pub(super) const ALL: [Kind; 6] = [
        Kind::Text,
        Kind::Binary,
        Kind::Records,
        Kind::Bits,
        Kind::Picture,
        Kind::Sound,
    ];
}

/// Of the byte of all blocks of the fastest level, which takes everything for the same, the
/// low four bits. Others are those of other context models: 0 was, before the first release.
const FAST: u8 = 1;

/// Of the byte of a block of the best level, set where there is a network.
const NETWORK_BIT: u8 = 8;

/// Shorter blocks have no network: it would learn too little in them.
const LEAST_OF_NETWORK: usize = 1 << 15;

/// The longest record.
pub const MOST_RECORD: usize = 1 << 15;

/// The most bytes of a cell.
const MOST_CELL: usize = 16;

/// How the context models of a block are set up: an encoder chooses, and tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Setup {
    pub level: Level,
    pub kind: Kind,
    /// Bytes of a record or row, 1 to [`MOST_RECORD`]; 1 where there are none.
    pub record: usize,
    /// Bytes of a number, sample or pixel in it, 1 to 16.
    pub cell: usize,
    /// How the block's bytes are changed before; each kind allows some changes.
    pub transform: Transform,
    /// Whether a network that learns the block is among the models; at the best level only.
    pub network: bool,
}

impl Setup {
    /// Whether the block has records or rows.
    fn has_records(kind: Kind) -> bool {
        matches!(
            kind,
            Kind::Records | Kind::Bits | Kind::Picture | Kind::Sound
        )
    }

    /// The setup without records.
    pub fn plain(level: Level, kind: Kind) -> Setup {
        Setup {
            level,
            kind,
            record: 1,
            cell: 1,
            transform: Transform::None,
            network: false,
        }
    }

    /// The setup for a block of `bytes` bytes that has one lane and no trained model among
    /// the mixer's inputs: with a network, where it pays.
    #[must_use]
    pub fn with_network(self, bytes: usize) -> Setup {
        // Pixels and samples have models of their own, beside which it finds nothing.
        let kind = matches!(self.kind, Kind::Text | Kind::Binary | Kind::Records);
        let network = self.level == Level::Best && kind && bytes >= LEAST_OF_NETWORK;
        Setup { network, ..self }
    }

    /// The transforms that go with what the block is taken for, in the order of their
    /// numbers. Words are there with the length 0, for a header tells the length.
    fn transforms(level: Level, kind: Kind) -> &'static [Transform] {
        const NUMBERS: [Transform; 5] = [
            Transform::None,
            Transform::Reversed2,
            Transform::Reversed4,
            Transform::Reversed8,
            Transform::Base64,
        ];
        if level == Level::Fast {
            return &[Transform::None, Transform::Words(0)];
        }
        match kind {
            Kind::Bits => &[Transform::None],
            Kind::Text => &[Transform::None, Transform::Base64, Transform::Words(0)],
            Kind::Picture => &[Transform::None, Transform::Base64],
            Kind::Binary => &[Transform::None, Transform::Calls, Transform::Base64],
            Kind::Records => &NUMBERS,
            Kind::Sound => &NUMBERS[..2],
        }
    }

    /// The number of the change among those that go with what the block is taken for.
    fn transform_number(&self) -> Option<usize> {
        let transforms = Setup::transforms(self.level, self.kind).iter();
        let mut kinds = transforms.map(discriminant);
        kinds.position(|kind| kind == discriminant(&self.transform))
    }

    /// Whether the change goes with what the block is taken for.
    pub fn is_allowed(&self) -> bool {
        self.transform_number().is_some()
    }

    /// The most lines of the hash table, 64 bytes each.
    pub(super) fn most_lines(&self) -> usize {
        match (self.level, self.network) {
            (Level::Fast, _) => 1 << 20,
            (Level::Default, _) => 3 << 20,
            // In the longest blocks, fewer lines make up for most of a network's memory.
            (Level::Best, true) => 10 << 20,
            (Level::Best, false) => 11 << 20,
        }
    }

    /// Whether what is learned is that of one lane: of sound, or with a network.
    pub fn has_one_lane(&self) -> bool {
        self.kind == Kind::Sound || self.network
    }

    /// As it lies in a block's header: a byte, three more with records, four with words.
    pub fn to_bytes(self) -> Vec<u8> {
        let kind = Kind::ALL.iter().position(|k| *k == self.kind);
        let kind = match self.level {
            Level::Fast => FAST,
            _ => kind.expect("a kind among all") as u8,
        };
        let transform = self.transform_number().expect("a transform of the kind") as u8;
        let network = if self.network { NETWORK_BIT } else { 0 };
        let mut out = vec![kind | network | transform << 4];
        if Setup::has_records(self.kind) {
            out.push(self.cell as u8);
            out.extend((self.record as u16).to_le_bytes());
        }
        if let Transform::Words(changed) = self.transform {
            out.extend(changed.to_le_bytes());
        }
        out
    }

    /// Reads a setup for `level`, byte by byte; none if there is no such setup.
    ///
    /// # Errors
    /// Those of `next`.
    pub fn read<E>(
        level: Level,
        mut next: impl FnMut() -> Result<u8, E>,
    ) -> Result<Option<Setup>, E> {
        let mut first = next()?;
        let network = level == Level::Best && first & NETWORK_BIT != 0;
        if network {
            first ^= NETWORK_BIT;
        }
        let kind = match (level, first & 15) {
            (Level::Fast, FAST) => Some(Kind::Text),
            (Level::Fast, _) => None,
            (_, kind) => Kind::ALL.get(usize::from(kind)).copied(),
        };
        let Some(kind) = kind else {
            return Ok(None);
        };
        let transforms = Setup::transforms(level, kind);
        let Some(&transform) = transforms.get(usize::from(first >> 4)) else {
            return Ok(None);
        };
        let mut setup = Setup {
            transform,
            network,
            ..Setup::plain(level, kind)
        };
        if Setup::has_records(kind) {
            setup.cell = usize::from(next()?);
            setup.record = usize::from(u16::from_le_bytes([next()?, next()?]));
        }
        if let Transform::Words(changed) = &mut setup.transform {
            *changed = u32::from_le_bytes([next()?, next()?, next()?, next()?]);
        }
        let channels = setup.record.is_multiple_of(2) && setup.record <= 2 * MOST_CHANNELS;
        let valid = (1..=MOST_CELL).contains(&setup.cell)
            && (1..=MOST_RECORD).contains(&setup.record)
            && (kind != Kind::Sound || channels);
        Ok(valid.then_some(setup))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setups_are_read_as_they_are_written() {
        let mut setups = vec![
            Setup::plain(Level::Fast, Kind::Text),
            Setup::plain(Level::Default, Kind::Text),
            Setup::plain(Level::Best, Kind::Binary),
        ];
        for kind in [Kind::Records, Kind::Bits, Kind::Picture] {
            for (record, cell) in [(1, 1), (6144, 3), (MOST_RECORD, 16)] {
                for &transform in Setup::transforms(Level::Default, kind) {
                    setups.push(Setup {
                        level: Level::Default,
                        kind,
                        record,
                        cell,
                        transform,
                        network: false,
                    });
                }
            }
        }
        setups.push(Setup {
            record: 4,
            cell: 4,
            transform: Transform::Reversed2,
            ..Setup::plain(Level::Default, Kind::Sound)
        });
        for (level, kind) in [
            (Level::Best, Kind::Text),
            (Level::Best, Kind::Binary),
            (Level::Fast, Kind::Text),
        ] {
            for &transform in Setup::transforms(level, kind) {
                setups.push(Setup {
                    transform,
                    ..Setup::plain(level, kind)
                });
            }
        }
        setups.push(Setup {
            transform: Transform::Words(0x0123_4567),
            ..Setup::plain(Level::Default, Kind::Text)
        });
        let networks = setups.clone().into_iter().map(|setup| Setup {
            network: true,
            ..setup
        });
        setups.extend(networks.filter(|setup| setup.level == Level::Best));
        for setup in setups {
            let mut bytes = setup.to_bytes().into_iter();
            let read = Setup::read(setup.level, || bytes.next().ok_or(()));
            assert_eq!(read, Ok(Some(setup)));
            assert_eq!(bytes.next(), None);
        }
    }

    #[test]
    fn no_other_setup_is_read() {
        for (level, first) in [
            (Level::Fast, 0),
            (Level::Fast, 0x21),
            (Level::Fast, 2),
            (Level::Fast, 0x12),
            (Level::Fast, 9),
            (Level::Default, 8),
        ] {
            let mut bytes = [first, 1, 1, 0, 0].into_iter();
            let read = Setup::read(level, || bytes.next().ok_or(()));
            assert_eq!(read, Ok(None));
        }
        for bytes in [
            [6, 1, 1, 0],
            [0x30, 1, 1, 0],
            [0x31, 1, 1, 0],
            [2, 0, 1, 0],
            [2, 17, 1, 0],
            [2, 1, 0, 0],
            [2, 1, 1, 0x80],
            [0x52, 1, 1, 0],
            [5, 1, 3, 0],
            [5, 1, 18, 0],
            [0x25, 1, 2, 0],
            [14, 1, 1, 0],
            [15, 1, 1, 0],
        ] {
            let mut bytes = bytes.into_iter();
            assert_eq!(
                Setup::read(Level::Best, || bytes.next().ok_or(())),
                Ok(None)
            );
        }
    }
}
