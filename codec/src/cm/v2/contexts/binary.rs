//! Bytes that are neither text nor records: what lies a little further back.

use super::{Hashes, View, all};
use crate::cm::v2::lane::pair;
use crate::cm::v2::setup::Level;

#[inline(always)]
pub fn add(view: &View, out: &mut Hashes, level: Level) {
    let lane = view.lane;
    let recent = lane.recent;
    let last = recent & 255;
    out.add(recent & 0xFF_FF00);
    out.add(recent & 0xFF00_FF00);
    out.add(recent & 0xFFFF_FF00);
    let [one, two, three] = view.indirect.followed(recent);
    out.add((two & 0xFFFF) << 16 | recent & 0xFFFF);
    out.add(recent & 0xFFFF_0000);
    out.add(recent & 0xFF_00FF);
    if !all(level) {
        return;
    }
    out.add(recent & 0xFF00_00FF);
    out.add(recent & 0xFFFF_FFFF_0000);
    out.add(recent & 0xF0F0_F0F0);
    out.add(recent & 0xF8F8_F8F8_F8F8);
    out.add(recent & 0xFF_0000_0000);
    out.add(recent & 0xFFFF_00FF_00FF);

    out.add((one & 0xFFFF) << 8 | last);
    out.add(two & 0xFF_FFFF | last << 32);
    out.add(three & 0xFFFF);

    let place = (lane.count & 3) as u64;
    out.add(place << 8 | last);
    out.add(place << 16 | view.back(4) << 8 | view.back(8));
    out.add(place << 24 | view.back(4) << 8 | last << 16);
    out.add(pair(u64::from(lane.word), last));
    out.add(pair(lane.shape & 0xFFFF_FFFF, last));
    super::text::matches(view, out);
}
