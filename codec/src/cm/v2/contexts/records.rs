//! Records of one length, rows of pixels, samples and numbers.

use super::{Hashes, View, all};
use crate::cm::v2::lane::pair;
use crate::cm::v2::setup::Level;

#[inline(always)]
pub fn add(view: &View, out: &mut Hashes, level: Level) {
    let (record, cell) = (view.setup.record, view.setup.cell);
    let lane = view.lane;
    let position = (lane.count % record) as u64;
    // The byte above, the one above that, and their neighbours.
    let above = view.back(record);
    let left = view.back(cell);
    out.add(position << 8 | above);
    out.add(pair(left << 8 | above, 1));
    let last = lane.recent & 255;
    let before = lane.recent >> 8 & 255;
    let further = view.back(2 * record);
    let above_left = view.back(record + cell);
    let above_right = match record > cell {
        true => view.back(record - cell),
        false => 0,
    };
    let channel = (lane.count % cell) as u64;
    let plane = left.wrapping_add(above).wrapping_sub(above_left) & 255;
    let along = (2 * above).wrapping_sub(further) & 255;
    out.add(position << 16 | above << 8 | last);
    out.add(position << 16 | above << 8 | further | 1 << 40);
    out.add(position << 8 | last | 2 << 40);
    out.add(plane << 8 | channel | 3 << 40);
    out.add(pair(left << 16 | above << 8 | above_right, channel));
    if !all(level) {
        return;
    }
    let left_left = view.back(2 * cell);
    let steps = (2 * left).wrapping_sub(left_left) & 255;
    let above_last = view.back(record + 1);
    let above_step = left.wrapping_add(above_right).wrapping_sub(above) & 255;
    out.add(position << 8 | along | 4 << 40);
    out.add(pair(above << 16 | above_last << 8 | last, 5));
    out.add(pair(above << 16 | last << 8 | before, 6));
    out.add(pair(left << 8 | left_left, channel << 8 | 7));
    out.add(pair(
        left << 16 | above << 8 | above_left,
        above_right << 8 | 8,
    ));
    out.add(pair(steps << 8 | above, channel << 8 | 9));
    out.add(pair(plane << 8 | last, 10));
    out.add(pair(plane << 8 | steps, channel << 8 | 11));
    out.add(pair(
        (((left + above) / 2) << 8) | ((above_right + above_left) / 4),
        channel << 8 | 12,
    ));
    out.add(pair(
        (above_step << 8) | (above_left / 4),
        (channel << 8) | 13,
    ));
    out.add(pair(plane << 16 | last << 8 | before, 14));
    out.add(pair(above << 8 | further, last << 8 | 15));
    out.add(pair(last << 8 | view.back(cell + 1), position << 8 | 16));
    out.add(position << 20 | 17 << 40);
    let [_, two, three] = view.indirect.followed(lane.recent);
    out.add(pair(two & 0xFFFF, lane.recent & 0xFFFF));
    out.add(pair(three & 0xFFFF, 18));
    out.add(pair(lane.recent & 0xFF_FF00, 19));
    out.add(pair(lane.recent & 0xFF00_FF00, 20));
    out.add(pair(u64::from(lane.word), 21));
    super::text::matches(view, out);
}
