//! Legends of charts.

use unicode_width::UnicodeWidthStr;

use crate::{Anchor, Svg};

/// Draws the key of a line, whose left end is `at`, and its name on the right.
pub fn line_key(svg: &mut Svg, class: &str, at: (f64, f64), name: &str) {
    svg.line(&format!("curve {class}"), at, (at.0 + 16.0, at.1));
    key_name(svg, at, name);
}

/// Like [`line_key`], for a line through dots.
pub fn dotted_key(svg: &mut Svg, class: &str, at: (f64, f64), name: &str) {
    svg.line(&format!("curve {class}"), at, (at.0 + 16.0, at.1));
    svg.circle(&format!("dot {class}"), (at.0 + 8.0, at.1), 3.4, "");
    key_name(svg, at, name);
}

fn key_name(svg: &mut Svg, at: (f64, f64), name: &str) {
    svg.text("legend", (at.0 + 22.0, at.1 + 4.0), Anchor::Start, name);
}

/// Approximate width of a name in pixels.
#[must_use]
pub fn name_width(name: &str) -> f64 {
    6.5 * name.width() as f64
}
