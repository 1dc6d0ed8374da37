//! Calendar dates.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// A day, as `2026-03-01`; days are ordered by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Date(String);

impl Date {
    /// Reads `YYYY-MM-DD`; none for what is no day of the calendar.
    ///
    /// ```
    /// use brevity_rank::Date;
    ///
    /// assert!(Date::new("2026-03-01") < Date::new("2026-11-29"));
    /// assert_eq!(Date::new("2026-02-30"), None);
    /// ```
    #[must_use]
    pub fn new(text: &str) -> Option<Date> {
        let digits = |part: &str, length: usize| {
            let plain = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| part.parse::<u32>().ok()).flatten()
        };
        let mut parts = text.splitn(3, '-');
        let year = digits(parts.next()?, 4)?;
        let month = digits(parts.next()?, 2)?;
        let day = digits(parts.next()?, 2)?;
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        (1..=days).contains(&day).then(|| Date(text.to_owned()))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Date {
    /// A string, or a date of TOML.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Date, D::Error> {
        let text = match toml::Value::deserialize(from)? {
            toml::Value::String(text) => text,
            other => other.to_string(),
        };
        let wrong = || serde::de::Error::custom(format!("`{text}` is no day, such as 2026-03-01"));
        Date::new(&text).ok_or_else(wrong)
    }
}
