//! What a block's context models are set up with.

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

    /// The most lines of the hash table, 64 bytes each.
    pub(super) fn most_lines(self) -> usize {
        match self {
            Level::Fast => 1 << 20,
            Level::Default => 3 << 20,
            Level::Best => 11 << 20,
        }
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
}

impl Kind {
    /// All there are, in the order of their numbers.
    pub(super) const ALL: [Kind; 4] = [Kind::Text, Kind::Binary, Kind::Records, Kind::Bits];
}

/// The longest record.
pub const MOST_RECORD: usize = 1 << 15;

/// How the context models of a block are set up: an encoder chooses, and tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Setup {
    pub level: Level,
    pub kind: Kind,
    /// Bytes of a record or row, 1 to [`MOST_RECORD`]; 1 where there are none.
    pub record: usize,
    /// Bytes of a number, sample or pixel in it, 1 to 16.
    pub cell: usize,
}

impl Setup {
    /// Whether the block has records or rows.
    fn has_records(kind: Kind) -> bool {
        matches!(kind, Kind::Records | Kind::Bits)
    }

    /// The setup without records.
    pub fn plain(level: Level, kind: Kind) -> Setup {
        Setup {
            level,
            kind,
            record: 1,
            cell: 1,
        }
    }

    /// As it lies in a block's header: a byte, and two more for the length of a
    /// record.
    pub fn to_bytes(self) -> Vec<u8> {
        let kind = Kind::ALL.iter().position(|k| *k == self.kind);
        let kind = kind.expect("a kind among all") as u8;
        let mut out = vec![kind | (self.cell as u8 - 1) << 4];
        if Setup::has_records(self.kind) {
            out.extend((self.record as u16).to_le_bytes());
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
        let first = next()?;
        let Some(&kind) = Kind::ALL.get(usize::from(first & 15)) else {
            return Ok(None);
        };
        let mut setup = Setup::plain(level, kind);
        setup.cell = usize::from(first >> 4) + 1;
        // The fastest level takes everything for the same.
        if level == Level::Fast && first != 0 {
            return Ok(None);
        }
        if Setup::has_records(kind) {
            setup.record = usize::from(u16::from_le_bytes([next()?, next()?]));
        } else if setup.cell != 1 {
            return Ok(None);
        }
        Ok((1..=MOST_RECORD).contains(&setup.record).then_some(setup))
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
        for kind in [Kind::Records, Kind::Bits] {
            for (record, cell) in [(1, 1), (6144, 3), (MOST_RECORD, 16)] {
                let level = Level::Default;
                setups.push(Setup {
                    level,
                    kind,
                    record,
                    cell,
                });
            }
        }
        for setup in setups {
            let mut bytes = setup.to_bytes().into_iter();
            let read = Setup::read(setup.level, || bytes.next().ok_or(()));
            assert_eq!(read, Ok(Some(setup)));
            assert_eq!(bytes.next(), None);
        }
    }

    #[test]
    fn no_other_setup_is_read() {
        for bytes in [[4, 1, 0], [0x10, 1, 0], [2, 0, 0], [2, 1, 0x80], [15, 0, 0]] {
            let mut bytes = bytes.into_iter();
            assert_eq!(
                Setup::read(Level::Best, || bytes.next().ok_or(())),
                Ok(None)
            );
        }
    }
}
