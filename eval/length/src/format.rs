//! Formatting of numbers for people.

/// A count with three significant digits and a suffix: `4.19K`, `106K`, `1.30M`.
#[must_use]
pub fn count(x: f64) -> String {
    let scales = [(1e9, "G"), (1e6, "M"), (1e3, "K")];
    for (scale, suffix) in scales {
        if x >= 0.9995 * scale {
            return format!("{}{suffix}", three_digits(x / scale));
        }
    }
    three_digits(x)
}

/// Bytes with a decimal unit: `500 kB`, `1 MB`.
#[must_use]
pub fn bytes(x: f64) -> String {
    for (scale, unit) in [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")] {
        if x >= 0.9995 * scale {
            let digits = three_digits(x / scale);
            let short = if digits.contains('.') {
                digits.trim_end_matches('0').trim_end_matches('.')
            } else {
                &digits
            };
            return format!("{short} {unit}");
        }
    }
    format!("{x:.0} B")
}

/// A rate in percent with two decimals, without the percent sign: `31.42`.
#[must_use]
pub fn percent(rate: f64) -> String {
    format!("{:.2}", 100.0 * rate)
}

fn three_digits(x: f64) -> String {
    if x >= 99.95 || x == 0.0 {
        format!("{x:.0}")
    } else if x >= 9.995 {
        format!("{x:.1}")
    } else {
        format!("{x:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_significant_digits() {
        let cases = [
            (0.0, "0"),
            (231_936.0, "232K"),
            (1_252_352.0, "1.25M"),
            (999.0, "999"),
            (999_900.0, "1.00M"),
            (12_340.0, "12.3K"),
        ];
        for (x, text) in cases {
            assert_eq!(count(x), text);
        }
        assert_eq!(bytes(1e6), "1 MB");
        assert_eq!(bytes(524_288.0), "524 kB");
        assert_eq!(bytes(4_150_000.0), "4.15 MB");
        assert_eq!(bytes(12.0), "12 B");
    }
}
