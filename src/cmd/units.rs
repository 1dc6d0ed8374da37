//! Numbers of bytes and of parameters as all options take them: with a unit or without.

/// The forms, for the help of the command.
pub const HELP: &str = "Numbers of bytes take K, M, G, T or KiB, MiB, GiB, TiB (powers of 1024), \
                        or kB, MB, GB, TB (powers of 1000): 16K is 16384. Numbers of parameters \
                        take K, M, G (powers of 1000).";

const BYTES: [(&str, u64); 16] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
    ("K", 1 << 10),
    ("M", 1 << 20),
    ("G", 1 << 30),
    ("T", 1 << 40),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
];

const COUNTS: [(&str, u64); 5] = [
    ("K", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("k", 1_000),
    ("m", 1_000_000),
];

/// A number of bytes.
pub fn bytes(text: &str) -> Result<u64, String> {
    number(text, &BYTES)
        .ok_or_else(|| format!("`{text}` is not a number of bytes such as 4096, 16K or 1.5GiB"))
}

/// A number of bytes of at least one.
pub fn some_bytes(text: &str) -> Result<u64, String> {
    match bytes(text)? {
        0 => Err("at least one byte is needed".into()),
        bytes => Ok(bytes),
    }
}

/// A number of bytes of at least one that fits into memory.
pub fn length(text: &str) -> Result<usize, String> {
    let bytes = some_bytes(text)?;
    usize::try_from(bytes).map_err(|_| format!("{bytes} bytes are more than memory can have"))
}

/// A number of parameters of at least one.
pub fn parameters(text: &str) -> Result<u64, String> {
    match number(text, &COUNTS) {
        None | Some(0) => Err(format!(
            "`{text}` is not a number of parameters such as 5000, 20K or 1.5M"
        )),
        Some(count) => Ok(count),
    }
}

/// A whole number, or one with a unit, of which the fraction is left out.
fn number(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.replace('_', "");
    let unit = units.iter().find(|(unit, _)| text.ends_with(unit));
    let (digits, factor) = match unit {
        Some((unit, factor)) => (text[..text.len() - unit.len()].trim_end(), *factor),
        None => (&text[..], 1),
    };
    if let Ok(whole) = digits.parse::<u64>() {
        return whole.checked_mul(factor);
    }
    let number = digits.parse::<f64>().ok()? * factor as f64;
    let is_whole = factor > 1 || number.fract() == 0.0;
    (is_whole && (0.0..u64::MAX as f64).contains(&number)).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_units() {
        for (text, number) in [
            ("0", 0),
            ("4096", 4096),
            ("16K", 1 << 14),
            ("16k", 1 << 14),
            ("16KiB", 1 << 14),
            ("16 KiB", 1 << 14),
            ("16kB", 16_000),
            ("1.5 GB", 1_500_000_000),
            ("2G", 1 << 31),
            ("0.5M", 1 << 19),
            ("1e6", 1_000_000),
            ("1_000", 1000),
            ("7B", 7),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(bytes(text), Ok(number), "{text}");
        }
        for text in [
            "", "K", "GiB", "-1", "nan", "inf", "1.5", "1e30", "5 apples",
        ] {
            assert!(bytes(text).is_err(), "{text}");
        }
        for text in ["99999999999T", "18446744073709551616"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        assert!(some_bytes("0").is_err());
    }

    #[test]
    fn parameters_have_others() {
        assert_eq!(parameters("20K"), Ok(20_000));
        assert_eq!(parameters("20k"), Ok(20_000));
        assert_eq!(parameters("1.5M"), Ok(1_500_000));
        for text in ["0", "", "16KiB", "1.5", "-3"] {
            assert!(parameters(text).is_err(), "{text}");
        }
    }
}
