//! Pictures whose pixels are bits: contexts of neighbouring pixels.

use crate::cm::chance::{self, Chance};

/// Templates.
pub const TEMPLATES: usize = 4;

/// Bits of each template.
const SIZES: [u32; TEMPLATES] = [11, 16, 20, 22];

/// What followed each pattern of pixels.
pub struct Pixels {
    chances: [Vec<Chance>; TEMPLATES],
    at: [usize; TEMPLATES],
}

/// The rows around a byte, each as 24 bits: the byte to the left, the byte above
/// or below, the byte to the right.
#[derive(Clone, Copy, Default)]
pub struct Neighbours {
    /// The byte to the left of the one to code, and that to the left of it.
    pub left: u64,
    /// The row above, and those above it.
    pub above: [u64; 3],
}

/// `2 * reach + 1` pixels of a row around the one at `depth`.
#[inline(always)]
fn around(row: u64, depth: usize, reach: usize) -> usize {
    (row >> (15 - depth - reach)) as usize & ((1 << (2 * reach + 1)) - 1)
}

impl Pixels {
    /// Bytes that they take.
    pub const MEMORY: usize = {
        let (mut sum, mut i) = (0, 0);
        while i < TEMPLATES {
            sum += size_of::<Chance>() << SIZES[i];
            i += 1;
        }
        sum
    };

    /// Nothing was seen.
    pub fn new() -> Pixels {
        Pixels {
            chances: SIZES.map(|bits| vec![chance::guess(1 << 15); 1 << bits]),
            at: [0; TEMPLATES],
        }
    }

    /// The probabilities of a one (`2^16 = 1`) after the prefix `node` of `depth`
    /// bits.
    #[inline(always)]
    pub fn get(&mut self, rows: &Neighbours, node: usize, depth: usize) -> [u16; TEMPLATES] {
        let row = (rows.left << depth) as usize | (node & ((1 << depth) - 1));
        let before = |count: usize| row & ((1 << count) - 1);
        let [one, two, three] = rows.above;
        let small = around(one, depth, 2) << 3 | around(two, depth, 1);
        self.at = [
            small << 3 | before(3),
            (around(one, depth, 3) << 5 | around(two, depth, 2)) << 4 | before(4),
            (around(one, depth, 4) << 5 | around(two, depth, 2)) << 6 | before(6),
            ((around(one, depth, 3) << 5 | around(two, depth, 2)) << 5 | around(three, depth, 2))
                << 5
                | before(5),
        ];
        std::array::from_fn(|i| chance::get(self.chances[i][self.at[i]]))
    }

    /// The pattern of the smallest template.
    #[inline(always)]
    pub fn pattern(&self) -> usize {
        self.at[0]
    }

    /// Takes the pixel that came.
    #[inline(always)]
    pub fn update(&mut self, one: bool) {
        for (chances, at) in self.chances.iter_mut().zip(self.at) {
            chance::update(&mut chances[at], one, 255);
        }
    }
}
