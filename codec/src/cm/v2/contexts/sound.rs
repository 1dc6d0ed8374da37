//! Samples: what is expected of them.

use super::{Hashes, View};
use crate::cm::v2::lane::pair;

#[inline(always)]
pub fn add(view: &View, out: &mut Hashes) {
    let lane = view.lane;
    let expected = i64::from(lane.expected);
    // Of the second byte, what is expected of it after the first.
    let (byte, rest) = match lane.high {
        None => (0, expected),
        Some(high) => (1, expected - (i64::from(high as i8) << 8)),
    };
    let rest = rest.clamp(-0x8000, 0x7FFF);
    out.add(pair((rest >> 2) as u64, byte));
    out.add(pair(
        (rest >> 5) as u64,
        byte | view.back(view.setup.record) << 1,
    ));
}
