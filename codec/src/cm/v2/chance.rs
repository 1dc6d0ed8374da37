//! Probabilities that learn, in tables.

/// The most bits after which a probability still moves as fast as its count says.
const MOST: u32 = 1023;

/// `65536 / (count + 1.5)`
static RATES: [i32; MOST as usize + 1] = {
    let mut table = [0; MOST as usize + 1];
    let mut count = 0;
    while count < table.len() {
        table[count] = 131_072 / (2 * count as i32 + 3);
        count += 1;
    }
    table
};

/// A probability of a one and how often it was used: 22 bits and 10 bits.
pub type Chance = u32;

/// A first guess, `2^16 = 1`.
pub fn guess(p: u16) -> Chance {
    u32::from(p) << 16
}

/// The probability, `2^16 = 1`.
#[inline(always)]
pub fn get(chance: Chance) -> u16 {
    (chance >> 16) as u16
}

/// Moves towards what came by `1 / (count + 1.5)` of the way, and by
/// `1 / (limit + 1.5)` at least; `limit` is at most 1023.
#[inline(always)]
pub fn update(chance: &mut Chance, one: bool, limit: u32) {
    let count = *chance & MOST;
    let p = (*chance >> 10) as i32;
    let target = if one { (1 << 22) - 1 } else { 0 };
    let step = i64::from(target - p) * i64::from(RATES[count as usize]);
    *chance = ((p + (step >> 16) as i32) as u32) << 10 | (count + 1).min(limit);
}
