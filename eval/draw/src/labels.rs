//! Labels of axes and colours of series.

/// Classes of the conventions' colours, in order of appearance.
pub const SERIES: [&str; 6] = [
    "adjusted-a",
    "adjusted-b",
    "adjusted-c",
    "adjusted-d",
    "adjusted-e",
    "adjusted-f",
];

/// Rates beyond this many times the best adjusted one are off the picture: far
/// from the optimum there is nothing to see but the model's own bytes.
pub const WORTH_SHOWING: f64 = 3.0;

/// `20` rather than `20.0`, and never `0.30000000000000004`.
pub fn trimmed(x: f64) -> String {
    let text = format!("{x:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A tick's count: `4K`, `1.5M`.
pub fn short_count(x: f64) -> String {
    for (scale, suffix) in [(1e9, "G"), (1e6, "M"), (1e3, "K")] {
        if x >= scale {
            return trimmed(x / scale) + suffix;
        }
    }
    trimmed(x)
}
