//! Labels of ticks, and colour classes of series.

/// Colour classes of the conventions, in order of appearance.
pub const SERIES: [&str; 6] = [
    "adjusted-a",
    "adjusted-b",
    "adjusted-c",
    "adjusted-d",
    "adjusted-e",
    "adjusted-f",
];

/// Rates above this multiple of the best adjusted one are cut off: there the chart
/// would show only the model's own bytes.
pub const WORTH_SHOWING: f64 = 3.0;

/// `20` rather than `20.0`, and never `0.30000000000000004`.
pub fn trimmed(x: f64) -> String {
    let text = format!("{x:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A count for a tick: `4K`, `1.5M`.
pub fn short_count(x: f64) -> String {
    for (scale, suffix) in [(1e9, "G"), (1e6, "M"), (1e3, "K")] {
        if x >= scale {
            return trimmed(x / scale) + suffix;
        }
    }
    trimmed(x)
}
