//! Words, lines, fields, shapes.

use super::{Hashes, View, all};
use crate::cm::v2::lane::pair;
use crate::cm::v2::setup::Level;

#[inline(always)]
pub fn add(view: &View, out: &mut Hashes, level: Level) {
    let lane = view.lane;
    let recent = lane.recent;
    let last = recent & 255;
    let word = u64::from(lane.word);
    let [one, two, three] = lane.words.map(u64::from);
    out.add(word);
    out.add(pair(word, one));
    out.add(lane.shape & 0xFFFF_FFFF);
    out.add(pair(u64::from(lane.token), lane.skeleton & 0xFFFF));

    // The place above, on the line before.
    let column = lane.count - lane.lines[0];
    let above = match lane.lines[1] + column {
        at if at < lane.lines[0] => view.back(lane.count - at),
        _ => 256,
    };
    let in_field = (lane.count - lane.field_start).min(15) as u64;
    out.add(above << 16 | recent & 0xFFFF);
    out.add(pair(u64::from(lane.field), in_field << 8 | last));
    if !all(level) {
        return;
    }

    out.add(pair(pair(word, one), two));
    out.add(pair(word, two << 1));
    out.add(pair(pair(word, one), two << 2 | three << 5));
    out.add(pair(word, u64::from(lane.gap) << 8 | one << 20));
    out.add(pair(word, last));
    out.add(pair(view.last(3), one));

    let further = match lane.lines[2] + column {
        at if at < lane.lines[1] => view.back(lane.count - at),
        _ => 256,
    };
    let column = column.min(1023) as u64;
    out.add(above << 8 | last);
    out.add(column << 9 | above);
    out.add(further << 17 | above << 8 | last);
    out.add(pair(lane.opening, column));

    out.add(recent & 0xFF_FF00);
    out.add(recent & 0xFFFF_FF00);
    out.add(recent & 0xFF00_FF00);
    out.add(recent & 0xFF00_00FF);

    let [followed_one, followed_two, followed_three] = view.indirect.followed(recent);
    out.add((followed_two & 0xFFFF) << 16 | recent & 0xFFFF);
    out.add((followed_one & 0xFFFF) << 8 | last);
    out.add(followed_two & 0xFF_FFFF | last << 32);
    out.add(followed_three & 0xFFFF);

    out.add(pair(lane.shape & 0xFFFF_FFFF_FFFF, last));
    out.add(pair(lane.skeleton & 0xFFFF_FFFF, last));
    out.add(pair(lane.shape & 0xFFFF, view.last(2)));

    out.add(lane.letters & 0xFFF_FFFF_FFFF_FFFF);
    out.add(lane.letters & 0xFF_FFFF_FFFF);
    out.add(recent & 0xDFDF_DFDF_DFDF);
    matches(view, out);

    out.add(pair(pair(word, u64::from(lane.first)), 1));
    out.add(pair(pair(word, u64::from(lane.follower)), 2));
}

/// What the matches expect.
#[inline(always)]
pub fn matches(view: &View, out: &mut Hashes) {
    let found = &view.lane.found;
    let expected = found.map(|m| m.expected().map_or(256, u64::from));
    out.add(expected[0] << 8 | view.lane.recent & 255);
    let length = found[1].length_class() as u64;
    out.add(pair(expected[1] << 8 | length, expected[0]));
}
