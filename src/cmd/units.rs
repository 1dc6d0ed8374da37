//! Numbers of bytes and of parameters as all options take them: with a unit or without.

/// The forms, for the help of the command.
pub const HELP: &str = "Numbers of bytes take K, M, G, T or KiB, MiB, GiB, TiB (powers of 1024), \
                        or kB, MB, GB, TB (powers of 1000): 16K is 16384. Numbers of parameters \
                        take K, M, G (powers of 1000).";

/// Endings in small letters; longer ones come before those they end with.
const BYTES: [(&str, u64); 13] = [
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("b", 1),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
    ("t", 1 << 40),
];

/// Billions are written in two ways.
const COUNTS: [(&str, u64); 4] = [
    ("k", 1_000),
    ("m", 1_000_000),
    ("g", 1_000_000_000),
    ("b", 1_000_000_000),
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
    let text = text.replace('_', "").to_ascii_lowercase();
    let unit = units.iter().find(|(unit, _)| text.ends_with(unit));
    let (digits, factor) = match unit {
        Some((unit, factor)) => (text[..text.len() - unit.len()].trim_end(), *factor),
        None => (&text[..], 1),
    };
    let (whole, rest) = decimal(digits, factor)?;
    (factor > 1 || rest == 0).then_some(whole)
}

/// A decimal number, such as 12, 1.5 or 2e6, times `factor`: the whole part, and what is left
/// of it in units of some power of ten.
fn decimal(text: &str, factor: u64) -> Option<(u64, u128)> {
    let (mantissa, exponent) = match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let value = digits
        .parse::<u128>()
        .ok()?
        .checked_mul(u128::from(factor))?;
    let places = i64::from(exponent) - fraction.len() as i64;
    let power = 10_u128.checked_pow(places.unsigned_abs().try_into().ok()?)?;
    let (value, rest) = match places < 0 {
        true => (value / power, value % power),
        false => (value.checked_mul(power)?, 0),
    };
    Some((value.try_into().ok()?, rest))
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
            ("34.4e6", 34_400_000),
            ("2.01kB", 2_010),
            ("64.1 KB", 64_100),
            ("0.0015M", 1_572),
            ("3t", 3 << 40),
            ("1_000", 1000),
            ("7B", 7),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(bytes(text), Ok(number), "{text}");
        }
        for text in [
            "",
            ".",
            "K",
            "GiB",
            "-1",
            "+1",
            "nan",
            "inf",
            "1.5",
            "1e30",
            "1e-1",
            "1e999999999",
            "5 apples",
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
        assert_eq!(parameters("7B"), Ok(7_000_000_000));
        assert_eq!(parameters("1.5M"), Ok(1_500_000));
        for text in ["0", "", "16KiB", "1.5", "-3"] {
            assert!(parameters(text).is_err(), "{text}");
        }
    }
}
