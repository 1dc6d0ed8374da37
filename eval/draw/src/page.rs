//! Pages: one self-contained HTML document each, without script, font or picture
//! from elsewhere, and the files that lie beside it.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::svg::{STYLE, Svg, escape};

/// `writeln!` into a `String`, which cannot fail.
#[macro_export]
macro_rules! put {
    ($to:expr, $($arg:tt)*) => { let _ = writeln!($to, $($arg)*); };
}

/// Widths that drawings are made for: a page and a telephone.
pub const WIDTHS: [(f64, &str); 2] = [(860.0, "wide"), (400.0, "narrow")];

/// A whole document around `body`; `style` is what it needs beyond the style of
/// all pages.
pub fn document(title: &str, style: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{} - brevity</title>\n<style>\n{STYLE}{}{style}</style>\n</head>\n<body>\n\
         <main>\n{body}</main>\n</body>\n</html>\n",
        escape(title),
        include_str!("page.css"),
    )
}

/// A drawing at each of the [`WIDTHS`], with a caption in HTML.
pub fn figure(out: &mut String, draw: impl Fn(f64) -> Svg, caption: &str) {
    put!(out, "<figure class=\"card\">");
    for (width, class) in WIDTHS {
        out.push_str(&draw(width).inline(class));
    }
    put!(out, "<figcaption>{caption}</figcaption>\n</figure>");
}

/// Why the files of a page could not be written.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The file system refused.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The findings hold a number that JSON does not have.
    #[error("cannot write {path}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Which.
        source: serde_json::Error,
    },
}

/// Writes pictures, `STEM.json` and `STEM.html` into `folder`, each whole or not
/// at all; returns the path of the page.
///
/// # Errors
/// Names the file that cannot be written.
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

/// Writes a file of results: to a temporary name in the same folder, synced, renamed.
///
/// # Errors
/// Names the file.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), PageError> {
    brevity_files::write(path, content).map_err(|source| PageError::Write {
        path: path.to_owned(),
        source,
    })
}
