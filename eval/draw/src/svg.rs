//! A small SVG writer.
//!
//! Colours and fonts are classes, defined by [`STYLE`]. In a page they come from the
//! page's style sheet; in a separate file they are embedded. Both follow the reader's
//! light or dark setting.

use std::fmt::{Display, Write};

use maud::{Markup, PreEscaped};

use crate::visible;

/// The classes that drawings use, and the colours of both themes.
pub const STYLE: &str = include_str!("chart.css");

/// A drawing under construction; coordinates in pixels, y downwards.
pub struct Svg {
    width: f64,
    height: f64,
    label: String,
    body: String,
}

/// The part of a text that is placed at its point.
#[derive(Clone, Copy)]
pub enum Anchor {
    /// The left end.
    Start,
    /// The middle.
    Middle,
    /// The right end.
    End,
}

impl Svg {
    /// An empty drawing; `label` describes it for screen readers.
    pub fn new(width: f64, height: f64, label: String) -> Self {
        Self {
            width,
            height,
            label,
            body: String::new(),
        }
    }

    /// Draws a line between two points.
    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.push(format_args!(
            r#"<line class="{class}" x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}"/>"#,
            from.0, from.1, to.0, to.1
        ));
    }

    /// Draws a rectangle; `at` is its upper left corner.
    pub fn rect(&mut self, class: &str, at: (f64, f64), size: (f64, f64), title: &str) {
        self.push(format_args!(
            r#"<rect class="{class}" x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}">{}</rect>"#,
            at.0,
            at.1,
            size.0.max(0.0),
            size.1.max(0.0),
            title_element(title),
        ));
    }

    /// Draws a circle around `at`.
    pub fn circle(&mut self, class: &str, at: (f64, f64), radius: f64, title: &str) {
        self.push(format_args!(
            r#"<circle class="{class}" cx="{:.1}" cy="{:.1}" r="{radius}">{}</circle>"#,
            at.0,
            at.1,
            title_element(title),
        ));
    }

    /// Draws a line through the points.
    pub fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        let steps = steps(points);
        self.push(format_args!(r#"<path class="{class}" d="{steps}"/>"#));
    }

    /// Fills the area between two lines over the same x positions.
    pub fn area(&mut self, class: &str, upper: &[(f64, f64)], lower: &[(f64, f64)]) {
        let around: Vec<_> = upper.iter().chain(lower.iter().rev()).copied().collect();
        let steps = steps(&around);
        self.push(format_args!(r#"<path class="{class}" d="{steps}Z"/>"#));
    }

    /// Writes a text with its anchor at `at`.
    pub fn text(&mut self, class: &str, at: (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.push(format_args!(
            r#"<text class="{class}" x="{:.1}" y="{:.1}" text-anchor="{anchor}">{}</text>"#,
            at.0,
            at.1,
            escape(text),
        ));
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.body, "{element}");
    }

    /// The drawing for a page that has [`STYLE`] already.
    pub fn inline(&self, class: &str) -> Markup {
        PreEscaped(format!(
            "<svg class=\"chart {class}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n{}</svg>\n",
            self.width,
            self.height,
            escape(&self.label),
            self.body
        ))
    }

    /// The drawing as a file, with a margin.
    pub fn file(&self) -> String {
        const MARGIN: f64 = 18.0;
        let (width, height) = (self.width + 2.0 * MARGIN, self.height + 2.0 * MARGIN);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" width=\"{width}\" \
             height=\"{height}\" viewBox=\"-{MARGIN} -{MARGIN} {width} {height}\" role=\"img\" \
             aria-label=\"{}\">\n<style>\n{STYLE}</style>\n\
             <rect class=\"ground\" x=\"-{MARGIN}\" y=\"-{MARGIN}\" width=\"{width}\" height=\"{height}\"/>\n\
             {}</svg>\n",
            escape(&self.label),
            self.body
        )
    }
}

fn steps(points: &[(f64, f64)]) -> String {
    let mut text = String::new();
    for (i, (x, y)) in points.iter().enumerate() {
        let _ = write!(text, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' });
    }
    text
}

fn title_element(title: &str) -> String {
    if title.is_empty() {
        String::new()
    } else {
        format!("<title>{}</title>", escape(title))
    }
}

/// Escapes text for element content and attributes of HTML and XML. XML does not allow
/// control characters, so these are written as visible escapes.
pub fn escape(text: impl Display) -> String {
    let mut safe = String::new();
    for c in visible(&text.to_string()).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// Moves labels apart: the positions nearest to `wanted` (increasing) that are at least
/// `gap` apart and between `low` and `high`, if there is room.
pub fn spread(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    // Blocks of touching labels: (sum of wanted tops, count); a block's top is the mean
    // of the tops that its labels want.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    let top = |block: (f64, usize)| {
        let height = gap * (block.1 - 1) as f64;
        (block.0 / block.1 as f64).min(high - height).max(low)
    };
    for &y in wanted {
        let mut block = (y, 1);
        while let Some(&last) = blocks.last() {
            if top(last) + gap * last.1 as f64 <= top(block) {
                break;
            }
            // The wanted tops of later labels are relative to the merged block's top.
            block = (
                last.0 + block.0 - gap * (last.1 * block.1) as f64,
                last.1 + block.1,
            );
            blocks.pop();
        }
        blocks.push(block);
    }
    let mut places = Vec::with_capacity(wanted.len());
    for block in blocks {
        let first = top(block);
        places.extend((0..block.1).map(|i| first + gap * i as f64));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_spread_about_where_they_belong() {
        assert_eq!(spread(&[10.0, 50.0], 12.0, 0.0, 100.0), [10.0, 50.0]);
        assert_eq!(spread(&[50.0, 50.0], 10.0, 0.0, 100.0), [45.0, 55.0]);
        assert_eq!(
            spread(&[1.0, 2.0, 3.0], 10.0, 0.0, 100.0),
            [0.0, 10.0, 20.0]
        );
        assert_eq!(spread(&[95.0, 99.0], 10.0, 0.0, 100.0), [90.0, 100.0]);
        let places = spread(&[10.0, 11.0, 30.0, 31.0, 31.5, 80.0], 9.0, 0.0, 100.0);
        assert!(places.windows(2).all(|w| w[1] - w[0] >= 9.0 - 1e-9));
    }

    #[test]
    fn text_is_escaped() {
        let mut svg = Svg::new(10.0, 10.0, "a < b".into());
        svg.text("label", (1.0, 2.0), Anchor::Start, "R&D \"x\"");
        svg.circle("dot", (0.0, 0.0), 1.0, "a\u{0}b\u{202e}");
        let text = svg.inline("").into_string();
        assert!(text.contains("a &lt; b") && text.contains("R&amp;D &quot;x&quot;"));
    }
}
