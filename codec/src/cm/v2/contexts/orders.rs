//! The last bytes.

use super::{Hashes, View, all, more};
use crate::cm::v2::setup::Level;

/// The last 1 to 8 bytes.
#[inline(always)]
pub fn add(view: &View, out: &mut Hashes, level: Level) {
    for count in [1, 2, 3, 4, 6] {
        out.add(view.last(count));
    }
    if more(level) {
        out.add(view.last(5));
    }
    if all(level) {
        out.add(0);
        out.add(view.last(7));
        out.add(view.last(8));
        out.add(view.lane.before << 40 ^ view.lane.recent.wrapping_mul(0x2F0B_4C47));
    }
}

/// Fewer, where other contexts say more.
#[inline(always)]
pub fn add_few(view: &View, out: &mut Hashes, level: Level) {
    for count in [1, 2, 4] {
        out.add(view.last(count));
    }
    if all(level) {
        out.add(view.last(3));
        out.add(view.last(6));
        out.add(0);
    }
}
