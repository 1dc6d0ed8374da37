//! Pages: self-contained HTML documents, without external script, font or picture, and
//! the files beside them.

use std::path::{Path, PathBuf};

use maud::{Markup, PreEscaped, html};
use serde::Serialize;

use crate::svg::{STYLE, Svg};
use crate::visible_lines;

/// Widths of drawings: for a page and for a telephone.
pub const WIDTHS: [(f64, &str); 2] = [(860.0, "wide"), (400.0, "narrow")];

/// A whole document around `body`; `style` is added to the common style. Invisible
/// characters are escaped everywhere.
#[must_use]
pub fn document(title: &str, style: &str, body: &Markup) -> String {
    let page = html! {
        (PreEscaped("<!doctype html>"))
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " - brevity" }
                style {
                    @for sheet in [STYLE, include_str!("page.css"), style] { (PreEscaped(sheet)) }
                }
            }
            body { main { (body) } }
        }
    };
    visible_lines(&page.into_string()).into_owned()
}

/// A drawing in each of the [`WIDTHS`], with a caption.
#[must_use]
pub fn figure(draw: impl Fn(f64) -> Svg, caption: &Markup) -> Markup {
    html! {
        figure class="card" {
            @for (width, class) in WIDTHS { (draw(width).inline(class)) }
            figcaption { (caption) }
        }
    }
}

/// An important note in a box.
#[must_use]
pub fn warning(text: impl maud::Render) -> Markup {
    html! { p class="warning" { (text) } }
}

/// Why the files of a page could not be written.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// An operation of the file system failed.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file that is no longer true could not be removed.
    #[error("cannot remove old files: {path}")]
    Remove {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The findings contain a number that JSON cannot represent.
    #[error("cannot write {path}")]
    Json {
        /// The file.
        path: PathBuf,
        /// The error.
        source: serde_json::Error,
    },
}

/// Writes pictures, `STEM.json` and `STEM.html` into `folder`, each atomically; returns
/// the path of the page.
///
/// # Errors
/// A file that cannot be written.
pub fn write(
    folder: &Path,
    stem: &str,
    found: &impl Serialize,
    html: &str,
    pictures: &[(String, String)],
) -> Result<PathBuf, PageError> {
    for (name, content) in pictures {
        replace(&folder.join(name), content.as_bytes())?;
    }
    let path = folder.join(stem).with_extension("json");
    let json = serde_json::to_vec_pretty(found).map_err(|source| PageError::Json {
        path: path.clone(),
        source,
    })?;
    replace(&path, &json)?;
    let page = path.with_extension("html");
    replace(&page, html.as_bytes())?;
    Ok(page)
}

/// Removes the pictures of `folder` that are not among these, whose names without `.svg` are
/// those of a chart that is drawn there, by `is_ours`.
///
/// # Errors
/// A file that cannot be removed.
pub fn remove_stale(
    folder: &Path,
    pictures: &[(String, String)],
    is_ours: impl Fn(&str) -> bool,
) -> Result<(), PageError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| PageError::Remove { path, source }
    };
    for entry in std::fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let stale = |name: &str| {
            let stem = name.strip_suffix(".svg");
            stem.is_some_and(&is_ours) && pictures.iter().all(|new| new.0 != name)
        };
        if name.is_some_and(stale) && path.is_file() {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Removes a file that is no longer true, if it is there.
///
/// # Errors
/// A file that cannot be removed.
pub fn remove(path: &Path) -> Result<(), PageError> {
    match std::fs::remove_file(path) {
        // Another process that writes the same page may have been faster.
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(PageError::Remove {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

/// Whether a picture's name is that of a chart, or of one of several: `ladder`, `ladder-2`.
#[must_use]
pub fn is_chart(stem: &str, chart: &str) -> bool {
    let Some(number) = stem.strip_prefix(chart) else {
        return false;
    };
    let which = number
        .strip_prefix('-')
        .and_then(|n| n.parse::<usize>().ok());
    number.is_empty() || which.is_some_and(|which| number == format!("-{which}"))
}

/// Writes a file of results: to a temporary file in the same folder, synced, renamed.
///
/// # Errors
/// A file that cannot be written.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), PageError> {
    brevity_files::write(path, content).map_err(|source| PageError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_charts_get_are_those_of_charts() {
        for stem in ["ladder", "ladder-1", "ladder-12"] {
            assert!(is_chart(stem, "ladder"), "{stem}");
        }
        for stem in [
            "ladder-",
            "ladder-01",
            "ladder-+1",
            "ladder1",
            "ladder-mine",
            "rate",
        ] {
            assert!(!is_chart(stem, "ladder"), "{stem}");
        }
    }
}
