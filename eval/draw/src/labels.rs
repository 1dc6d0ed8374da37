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

/// Rates above this multiple of the best adjusted rate are cut off; there the chart would
/// show little but the bytes of the model.
pub const WORTH_SHOWING: f64 = 3.0;

/// Numbers from this size on are written with an exponent.
const LONG: f64 = 1e15;

/// Writes a number briefly: `20` rather than `20.0`, and never `0.30000000000000004`;
/// `2.00e18` if a label has no room for all digits.
pub fn trimmed(x: f64) -> String {
    if x.abs() >= LONG {
        return format!("{x:.2e}");
    }
    let text = format!("{x:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A count as the label of a tick: `4K`, `1.5M`.
///
/// ```
/// assert_eq!(brevity_draw::short_count(1500.0), "1.5K");
/// ```
pub fn short_count(x: f64) -> String {
    if x >= LONG {
        return trimmed(x);
    }
    for (scale, suffix) in [(1e9, "G"), (1e6, "M"), (1e3, "K")] {
        if x >= scale {
            return trimmed(x / scale) + suffix;
        }
    }
    trimmed(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short_at_any_size() {
        let labels = [0.0, 0.5, 20.0, 4e3, 1.5e6, 2e9, 2e18, 3e25, 1e300].map(short_count);
        let expected = [
            "0", "0.5", "20", "4K", "1.5M", "2G", "2.00e18", "3.00e25", "1.00e300",
        ];
        assert_eq!(labels, expected);
        assert_eq!(trimmed(-2.5e300), "-2.50e300");
    }
}
