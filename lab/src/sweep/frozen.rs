//! Paths that hold from any working directory.

use brevity_data::{DataConfig, Source};
use std::path::{Path, PathBuf};

/// A `[data]` table whose relative paths, which are taken from the working directory,
/// are absolute.
pub(super) fn absolute(config: &DataConfig) -> DataConfig {
    let mut config = config.clone();
    config.source = absolute_source(&config.source);
    if let Some(holdout) = &mut config.holdout {
        holdout.source = holdout.source.as_ref().map(absolute_source);
    }
    config
}

/// The same source from any working directory.
pub(crate) fn absolute_source(source: &Source) -> Source {
    match source {
        // The name of an imported set is a path too, but of nothing that exists.
        Source::Path(path) if path.exists() => whole(path).map_or(source.clone(), Source::Path),
        Source::Glob(pattern) if Path::new(pattern).is_relative() => {
            let here = std::env::current_dir().ok();
            let here = here.as_deref().and_then(Path::to_str);
            here.map_or(source.clone(), |here| {
                Source::Glob(format!("{}/{pattern}", literal(here)))
            })
        }
        _ => source.clone(),
    }
}

fn whole(path: &Path) -> Option<PathBuf> {
    std::path::absolute(path).ok()
}

/// A pattern that matches this text only.
fn literal(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '*' | '?' | '[' => out.extend(['[', c, ']']),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_something_become_absolute() {
        let of = |text: &str| absolute_source(&Source::from(text)).to_string();
        let here = std::env::current_dir().unwrap();
        assert_eq!(of("src"), here.join("src").display().to_string());
        assert_eq!(of("src/*.rs"), here.join("src/*.rs").display().to_string());
        for text in ["crates", "random", "enwik8", "set:mine", "mine", "-", "/"] {
            assert_eq!(of(text), text);
        }
        assert_eq!(literal("/a[1]/b*"), "/a[[]1]/b[*]");
    }
}
