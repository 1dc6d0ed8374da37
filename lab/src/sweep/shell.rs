//! Words for a POSIX shell and for `#SBATCH` lines.

use super::error::SweepError;
use std::path::Path;

/// A word of a shell command.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=+,:@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A shell command.
pub fn join(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quote(word)).collect();
    words.join(" ")
}

/// A value of an `#SBATCH` line, which knows double quotes and the backslash.
pub(super) fn sbatch(value: &str) -> String {
    let escaped = value.replace('\\', r"\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// A path in a file name pattern of Slurm, where `%` begins a placeholder.
pub(super) fn literal_percent(text: &str) -> String {
    text.replace('%', "%%")
}

/// An absolute path as text. Job scripts hold lines, so a path with a control character
/// cannot be written into one.
pub(crate) fn absolute(path: &Path) -> Result<String, SweepError> {
    let path = std::path::absolute(path).map_err(|e| SweepError::io("find", path, e))?;
    match path.to_str() {
        Some(text) if !text.chars().any(char::is_control) => Ok(text.to_owned()),
        _ => Err(SweepError::Usage(format!(
            "{path:?} cannot stand in a job script: rename it without line breaks and with \
             letters of UTF-8"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(quote("model.width=16"), "model.width=16");
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote("50%"), "'50%'");
        assert_eq!(quote(""), "''");
        let all: String = (1..127u8).map(char::from).collect();
        let echoed = std::process::Command::new("sh")
            .args(["-c", &format!("printf %s {}", quote(&all))])
            .output();
        #[cfg(unix)]
        assert_eq!(echoed.unwrap().stdout, all.as_bytes());
    }

    #[test]
    fn patterns_and_script_lines_keep_their_text() {
        assert_eq!(literal_percent("a%j"), "a%%j");
        assert_eq!(sbatch(r#"a "b" \c"#), r#""a \"b\" \\c""#);
        assert!(absolute(Path::new("a\nb")).is_err());
    }
}
