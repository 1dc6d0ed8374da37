//! The `--data` argument: `SOURCE[,bytes=N][,offset=N][,seed=N]`.

use std::ffi::OsString;
use std::path::Path;
use std::str::FromStr;

use crate::config::DataConfig;
use crate::error::{DataError, Result};
use crate::source::Source;

impl FromStr for DataConfig {
    type Err = DataError;

    /// Parses `SOURCE[,bytes=N][,offset=N][,seed=N]`: a [`Source`] and fields of
    /// `[data]`. Digits may be grouped by `_`. If the whole text names an existing file,
    /// it means that file.
    ///
    /// ```
    /// use brevity_data::{DataConfig, Source};
    /// let set: DataConfig = "crates,bytes=500_000,offset=10".parse()?;
    /// assert_eq!((set.bytes, set.offset), (Some(500_000), 10));
    /// assert_eq!(set.source, Source::Crates);
    /// # Ok::<(), brevity_data::DataError>(())
    /// ```
    fn from_str(text: &str) -> Result<DataConfig> {
        if Path::new(text).exists() {
            return Ok(Source::from(text).into());
        }
        let mut parts = text.split(',');
        let source = parts.next().unwrap_or_default();
        let mut config = DataConfig::from(Source::from(source));
        for part in parts {
            let fault = |message: String| DataError::Config {
                field: "data",
                message: format!("`{text}`: {message}"),
            };
            let (key, value) = part.split_once('=').ok_or_else(|| {
                fault(format!(
                    "there is no such file, and `{part}` is no `key=value`"
                ))
            })?;
            let number = value
                .replace('_', "")
                .parse()
                .map_err(|_| fault(format!("`{value}` is no number that `{key}` can have")))?;
            match key.trim() {
                "bytes" => config.bytes = Some(number),
                "offset" => config.offset = number,
                "seed" => config.seed = number,
                other => {
                    return Err(fault(format!(
                        "`{other}` is neither `bytes`, `offset` nor `seed`"
                    )));
                }
            }
        }
        Ok(config)
    }
}

impl TryFrom<OsString> for DataConfig {
    type Error = DataError;

    /// Like `from_str`; a name that is not valid text is a path.
    fn try_from(name: OsString) -> Result<DataConfig> {
        match name.to_str() {
            Some(text) => text.parse(),
            None => Ok(Source::from(&*name).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cuts_a_piece_is_read_and_the_rest_is_the_source() {
        let set: DataConfig = "random,seed=3,bytes=1_000".parse().unwrap();
        assert_eq!((set.seed, set.bytes, set.offset), (3, Some(1000), 0));
        let set: DataConfig = "books/*.txt".parse().unwrap();
        assert_eq!(set.source.to_string(), "books/*.txt");
    }

    #[test]
    fn a_file_with_such_a_name_is_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a,bytes=7");
        std::fs::write(&path, "x").unwrap();
        let set: DataConfig = path.to_str().unwrap().parse().unwrap();
        assert_eq!((set.source, set.bytes), (Source::Path(path), None));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (text, needle) in [
            ("crates,byte=1", "`byte` is neither"),
            ("crates,bytes=many", "`many` is no number"),
            ("crates,5", "`5` is no `key=value`"),
        ] {
            let error = text.parse::<DataConfig>().unwrap_err();
            assert!(error.to_string().contains(needle), "{error}");
            assert!(error.is_usage());
        }
    }
}
