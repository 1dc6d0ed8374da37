//! Safe file names.

use std::fmt::Write;

/// A name as part of a file name: letters, digits, `-`, `_`, `+` and `.` stay; other
/// bytes, and a leading dot, become `%` and two hexadecimal digits. Different names
/// stay different, and none leads to another folder.
///
/// ```
/// use brevity_draw::file_name;
///
/// assert_eq!(file_name("stored"), "stored");
/// assert_eq!(file_name("a/../b"), "a%2F..%2Fb");
/// assert_eq!(file_name(".."), "%2E.");
/// ```
#[must_use]
pub fn file_name(name: &str) -> String {
    let mut safe = String::with_capacity(name.len());
    for (i, &byte) in name.as_bytes().iter().enumerate() {
        let stays = byte.is_ascii_alphanumeric() || b"-_+.".contains(&byte);
        if stays && (i > 0 || byte != b'.') {
            safe.push(char::from(byte));
        } else {
            let _ = write!(safe, "%{byte:02X}");
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_elsewhere_and_none_are_joined() {
        let names = [
            "a/../../../ESCAPED",
            "/etc/passwd",
            "..",
            ".",
            "",
            "c:\\x",
            "a\0b",
            "a b",
            "a-b",
            "a%20b",
            "\u{202e}x",
        ];
        let safe: Vec<String> = names.iter().map(|name| file_name(name)).collect();
        for (i, name) in safe.iter().enumerate() {
            assert!(!name.contains(['/', '\\', '\0', ':']) && !name.starts_with('.'));
            assert!(!safe[..i].contains(name), "{name}");
        }
    }
}
