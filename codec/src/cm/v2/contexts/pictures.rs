//! Pictures whose pixels have one byte for each channel.

use super::{Hashes, View, all};
use crate::cm::v2::lane::pair;
use crate::cm::v2::setup::Level;

/// What a byte is expected to be from its neighbours.
#[inline(always)]
fn clamp(value: i64) -> u64 {
    value.clamp(0, 255) as u64
}

#[inline(always)]
pub fn add(view: &View, out: &mut Hashes, level: Level) {
    let (row, cell) = (view.setup.record, view.setup.cell);
    let lane = view.lane;
    let channel = (lane.count % row % cell) as u64;
    // Of the same channel: left, above, and so on by points of the compass.
    let at = |distance: usize| view.back(distance) as i64;
    let (w, ww) = (at(cell), at(2 * cell));
    let (n, nw, nn) = (at(row), at(row + cell), at(2 * row));
    let ne = if row > cell { at(row - cell) } else { n };
    // The channel before: of this pixel, of that to the left, of those above.
    let (last, last_w) = (at(1), at(cell + 1));
    let (last_n, last_nw) = (at(row + 1), at(row + cell + 1));
    let plane = w + n - nw;
    // How far the channel before was from what was expected there.
    let off = last - (last_w + last_n - last_nw);
    let mut contexts = 0;
    let mut next = |value: u64, more: u64| {
        contexts += 1;
        out.add(pair(value << 8 | channel, contexts << 20 | more));
    };
    next(clamp(plane), 0);
    next(clamp(plane + off), 0);
    next(clamp(w + last - last_w), 0);
    next(clamp(n + last - last_n), 0);
    next(w as u64, n as u64);
    next(w as u64, last as u64);
    next(clamp((w + ne) / 2), clamp(2 * n - nn) >> 2);
    next(clamp((w + n) / 2 + off / 2), clamp(128 + off) >> 3);
    if !all(level) {
        return;
    }
    let nne = if 2 * row > cell {
        at(2 * row - cell)
    } else {
        nn
    };
    let (before, before_w) = (at(2), at(cell + 2));
    next(clamp(plane), clamp(last));
    next(n as u64, last as u64);
    next(clamp(2 * w - ww), 0);
    next(clamp(2 * n - nn), 0);
    next(clamp(w + ne - n), 0);
    next(clamp(n + ne - nne), 0);
    next(clamp(w + ne - n + off), 0);
    next(clamp((w + last - last_w + n + last - last_n) / 2), 0);
    next(clamp(w + before - before_w), clamp(last));
    next(clamp((3 * (w + n) - 2 * nw) / 4 + off), 0);
    next(clamp(plane + off), clamp(128 + off) >> 2);
    next(clamp(plane), (clamp(n) >> 3) << 5 | clamp(w) >> 3);
    next(w as u64, (nw as u64) << 8 | n as u64);
    next(n as u64, (ne as u64) << 8 | nn as u64);
    next(clamp((w + n + ne + nw + 2) / 4), 0);
    next(
        clamp((w + n) / 2),
        clamp(128 + w - nw) >> 3 << 5 | clamp(128 + n - nw) >> 3,
    );
    next(last as u64, before as u64);
    next(clamp(w + ne - nw), clamp(128 + off) >> 4);
    super::text::matches(view, out);
}
