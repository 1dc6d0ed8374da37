//! The frame of a chart: grid, axes, titles.

use crate::{Anchor, Scale, Svg, spread};

/// The plot area of a chart, in pixels of its drawing.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// Left edge, right of the labels of `y`.
    pub left: f64,
    /// Right edge.
    pub right: f64,
    /// Upper edge.
    pub top: f64,
    /// Lower edge, above the labels of `x`.
    pub bottom: f64,
}

impl Frame {
    /// Draws a grid line at each tick of `y`, about `spacing` pixels apart, with its
    /// label on the left.
    pub fn grid(&self, svg: &mut Svg, y: &Scale, spacing: f64, label: impl Fn(f64) -> String) {
        for tick in y.ticks(spacing) {
            let at = y.at(tick);
            svg.line("grid", (self.left, at), (self.right, at));
            svg.text(
                "tick",
                (self.left - 8.0, at + 4.0),
                Anchor::End,
                &label(tick),
            );
        }
    }

    /// Draws the line below the plot.
    pub fn base(&self, svg: &mut Svg) {
        svg.line("axis", (self.left, self.bottom), (self.right, self.bottom));
    }

    /// Draws a labelled mark on that line, `at` pixels from the left of the drawing.
    pub fn mark(&self, svg: &mut Svg, at: f64, label: &str) {
        svg.line("axis", (at, self.bottom), (at, self.bottom + 5.0));
        svg.text("tick", (at, self.bottom + 19.0), Anchor::Middle, label);
    }

    /// Draws marks at the ticks of `x`, about `spacing` pixels apart.
    pub fn marks(&self, svg: &mut Svg, x: &Scale, spacing: f64, label: impl Fn(f64) -> String) {
        for tick in x.ticks(spacing) {
            self.mark(svg, x.at(tick), &label(tick));
        }
    }

    /// Writes the title of `x` below its labels, and that of `y` in the upper left
    /// corner.
    pub fn titles(&self, svg: &mut Svg, x: &str, y: &str) {
        self.title_below(svg, 38.0, x);
        svg.text("axis-title", (2.0, 14.0), Anchor::Start, y);
    }

    /// Writes the title of `x`, `pixels` below the plot.
    pub fn title_below(&self, svg: &mut Svg, pixels: f64, title: &str) {
        let middle = ((self.left + self.right) / 2.0, self.bottom + pixels);
        svg.text("axis-title", middle, Anchor::Middle, title);
    }

    /// Positions of labels on the right that should be at `wanted` (increasing): at
    /// least `gap` pixels apart.
    pub fn places(&self, wanted: &[f64], gap: f64) -> Vec<f64> {
        spread(wanted, gap, self.top + 4.0, self.bottom - 4.0)
    }

    /// Draws a label on the right at height `place`, with a line from height `at`.
    pub fn label(&self, svg: &mut Svg, class: &str, at: f64, place: f64, text: &str) {
        svg.line("leader", (self.right, at), (self.right + 9.0, place));
        svg.text(class, (self.right + 12.0, place + 4.0), Anchor::Start, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_labelled_on_both_axes() {
        let frame = Frame {
            left: 40.0,
            right: 240.0,
            top: 20.0,
            bottom: 120.0,
        };
        let mut svg = Svg::new(250.0, 160.0, "a chart".into());
        let y = Scale::linear((0.0, 10.0), (frame.bottom, frame.top));
        let x = Scale::linear((0.0, 4.0), (frame.left, frame.right));
        frame.grid(&mut svg, &y, 50.0, |tick| format!("{tick}%"));
        frame.base(&mut svg);
        frame.marks(&mut svg, &x, 100.0, |tick| format!("{tick} s"));
        frame.titles(&mut svg, "time", "share");
        let text = svg.file();
        for label in ["0%", "5%", "10%", "0 s", "2 s", "4 s", "time", "share"] {
            assert!(
                text.contains(&format!(">{label}</text>")),
                "{label}: {text}"
            );
        }
        assert!(text.contains(r#"<line class="grid" x1="40.0" y1="70.0" x2="240.0" y2="70.0"/>"#));
    }

    #[test]
    fn labels_on_the_right_keep_apart() {
        let frame = Frame {
            left: 0.0,
            right: 100.0,
            top: 0.0,
            bottom: 100.0,
        };
        let places = frame.places(&[50.0, 51.0], 15.0);
        assert!(places[1] - places[0] >= 15.0);
        assert!(frame.places(&[0.0], 15.0)[0] >= 4.0);
    }
}
