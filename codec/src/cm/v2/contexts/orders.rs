//! The last bytes. Counters of their own have those of the last 0 to 3.

use super::{Hashes, View, all};
use crate::cm::v2::setup::Level;

/// The last 3 to 8 bytes.
#[inline(always)]
pub fn add(view: &View, out: &mut Hashes, level: Level) {
    for count in [3, 4, 5, 6] {
        out.add(view.last(count));
    }
    if all(level) {
        out.add(view.last(1));
        out.add(view.last(2));
        out.add(view.last(7));
        out.add(view.last(8));
        out.add(view.lane.before << 40 ^ view.lane.recent.wrapping_mul(0x2F0B_4C47));
        out.add(0);
    }
}

/// Fewer, where other contexts say more.
#[inline(always)]
pub fn add_few(view: &View, out: &mut Hashes, level: Level) {
    for count in [2, 4] {
        out.add(view.last(count));
    }
    if all(level) {
        out.add(view.last(1));
        out.add(view.last(3));
        out.add(view.last(6));
        out.add(0);
    }
}
