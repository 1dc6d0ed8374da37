//! Reversible changes of a block before context models see it.
//!
//! Blocks are changed that context models code alone, or beside a model that has learned no
//! bytes before. A trained model knows bytes as they are, or with [`words`] changed.

use super::{base64, words};

/// A change of a block's bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Transform {
    /// None.
    #[default]
    None,
    /// Numbers of two, four or eight bytes, side by side from the block's start, come
    /// with their last byte first. What is left at the end stays. Of numbers whose lowest
    /// byte comes first, the lower bytes say little of the higher ones.
    Reversed2,
    Reversed4,
    Reversed8,
    /// Relative addresses of x86 calls and jumps become absolute: what is called often is
    /// then the same bytes wherever from.
    Calls,
    /// [`base64`] becomes the bytes it stands for.
    Base64,
    /// Frequent [`words`] become single bytes; the block has so many bytes then.
    Words(u32),
}

/// Bits of an address that change.
const ADDRESS: u32 = 25;

impl Transform {
    /// The numbers that may come with their last byte first.
    pub const REVERSED: [Transform; 3] = [
        Transform::Reversed2,
        Transform::Reversed4,
        Transform::Reversed8,
    ];

    /// Bytes of the numbers that come with their last byte first; 1 if none do.
    pub fn width(self) -> usize {
        match self {
            Transform::Reversed2 => 2,
            Transform::Reversed4 => 4,
            Transform::Reversed8 => 8,
            Transform::None | Transform::Calls | Transform::Base64 | Transform::Words(_) => 1,
        }
    }

    /// Bytes of memory that undoing takes beyond a block of `bytes` bytes.
    pub fn memory(self, bytes: usize) -> u64 {
        match self {
            Transform::Base64 | Transform::Words(_) => bytes as u64,
            _ => 0,
        }
    }

    /// How many bytes are coded of a block of `bytes` bytes.
    pub fn coded_length(self, bytes: usize) -> usize {
        match self {
            Transform::Words(coded) => coded as usize,
            _ => bytes,
        }
    }

    /// Whether a block of `bytes` bytes can be coded as so many as
    /// [`coded_length`](Transform::coded_length) says.
    pub fn suits(self, bytes: usize) -> bool {
        match self {
            Transform::Words(coded) => (words::LEAST..=bytes).contains(&(coded as usize)),
            _ => true,
        }
    }

    /// Changes a block, whose length stays.
    ///
    /// # Panics
    /// If there is not [enough](base64::change) base64, or if words are changed, which
    /// shortens a block.
    pub fn apply(self, bytes: &mut [u8]) {
        match self {
            Transform::None => {}
            Transform::Calls => {
                for at in 0..bytes.len() {
                    change_address(bytes, at, |address, next| address.wrapping_add(next));
                }
            }
            Transform::Base64 => {
                let (changed, _) = base64::change(bytes).expect("enough base64");
                let (head, rest) = bytes.split_at_mut(changed.len());
                head.copy_from_slice(&changed);
                rest.fill(0);
            }
            Transform::Words(_) => panic!("words change a block's length"),
            _ => self.reverse(bytes),
        }
    }

    /// The block of `length` bytes that became `bytes`, of which there are as many as
    /// [`coded_length`](Transform::coded_length) says.
    pub fn undo(self, mut bytes: Vec<u8>, length: usize) -> Vec<u8> {
        match self {
            Transform::None => {}
            // A step changes what later steps look at, but not what it looks at itself: the
            // last one is undone first.
            Transform::Calls => {
                for at in (0..bytes.len()).rev() {
                    change_address(&mut bytes, at, |address, next| address.wrapping_sub(next));
                }
            }
            Transform::Base64 => return base64::undo(&bytes),
            Transform::Words(_) => return words::undo(&bytes, length),
            _ => self.reverse(&mut bytes),
        }
        bytes
    }

    fn reverse(self, bytes: &mut [u8]) {
        for number in bytes.chunks_exact_mut(self.width()) {
            number.reverse();
        }
    }
}

/// The relative address of the call, the jump or the conditional jump whose last byte
/// before the address is at `at`, if it is within 16 MiB.
pub fn relative_address(bytes: &[u8], at: usize) -> Option<u32> {
    let is_call = matches!(bytes[at], 0xE8 | 0xE9)
        || (bytes[at] & 0xF0 == 0x80 && at > 0 && bytes[at - 1] == 0x0F);
    let address = bytes.get(at + 1..at + 5)?;
    (is_call && matches!(address[3], 0 | 0xFF))
        .then(|| u32::from_le_bytes(address.try_into().expect("four bytes")))
}

/// Changes the address behind `at`, if there is one, and keeps its highest byte 0 or 255.
fn change_address(bytes: &mut [u8], at: usize, change: impl Fn(u32, u32) -> u32) {
    let Some(address) = relative_address(bytes, at) else {
        return;
    };
    let unused = 32 - ADDRESS;
    let changed = (change(address, at as u32 + 5) << unused) as i32 >> unused;
    bytes[at + 1..at + 5].copy_from_slice(&changed.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Transform; 5] = [
        Transform::None,
        Transform::Reversed2,
        Transform::Reversed4,
        Transform::Reversed8,
        Transform::Calls,
    ];

    #[test]
    fn calls_of_one_place_become_the_same_bytes() {
        let mut bytes = vec![0x90; 40];
        for at in [3_usize, 20] {
            bytes[at] = 0xE8;
            bytes[at + 1..at + 5].copy_from_slice(&(100 - at as i32).to_le_bytes());
        }
        Transform::Calls.apply(&mut bytes);
        assert_eq!(bytes[4..8], [105, 0, 0, 0]);
        assert_eq!(bytes[4..8], bytes[21..25]);
    }

    proptest! {
        #[test]
        fn changes_are_undone(
            // Bytes of which many are calls and jumps, one in another's address too.
            bytes in prop::collection::vec(
                prop_oneof![
                    Just(0xE8_u8), Just(0xE9), Just(0x0F), Just(0x85), Just(0), Just(0xFF),
                    any::<u8>(),
                ],
                0..200,
            ),
        ) {
            for transform in ALL {
                let mut changed = bytes.clone();
                transform.apply(&mut changed);
                prop_assert_eq!(&transform.undo(changed, bytes.len()), &bytes);
            }
        }
    }
}
