//! Charts, tables, pages.
//!
//! - [`Svg`] writes a drawing, [`Scale`] maps values to pixels, [`Frame`] draws the
//!   grid and the axes of a chart, [`line_key`] and [`dotted_key`] its legend;
//! - [`document`] makes a self-contained page, [`figure`] puts a drawing into it,
//!   [`write()`] writes it with its pictures;
//! - [`Table`] is a table for a terminal or a page, [`csv()`] one for other programs;
//! - [`visible`] and [`file_name`] make names from files safe.
//!
//! The charts and pages of each experiment are beside it, in `brevity-lab`. Nothing
//! here computes a rate or depends on models.
//!
//! ```
//! use brevity_draw::{Frame, Scale, Svg, document, figure};
//! use maud::html;
//!
//! let rates = [(1.0, 40.0), (2.0, 33.0), (4.0, 30.0)];
//! let draw = |width: f64| {
//!     let frame = Frame { left: 46.0, right: width - 18.0, top: 28.0, bottom: 200.0 };
//!     let x = Scale::log((1.0, 4.0), (frame.left, frame.right));
//!     let y = Scale::linear((20.0, 40.0), (frame.bottom, frame.top));
//!     let mut svg = Svg::new(width, 246.0, "Rate against layers".into());
//!     frame.grid(&mut svg, &y, 58.0, |tick| tick.to_string());
//!     frame.base(&mut svg);
//!     frame.marks(&mut svg, &x, 80.0, |tick| tick.to_string());
//!     frame.titles(&mut svg, "layers", "% of the raw bytes");
//!     svg.path("curve raw", &rates.map(|(layers, rate)| (x.at(layers), y.at(rate))));
//!     svg
//! };
//! assert!(draw(860.0).file().starts_with("<svg xmlns="));
//!
//! let body = html! { h1 { "Depth & rate" } (figure(draw, &html! { "One dot a model." })) };
//! let page = document("depth", "", &body);
//! assert!(page.contains("<h1>Depth &amp; rate</h1><figure class=\"card\"><svg"));
//! ```

mod axes;
mod csv;
mod file_name;
mod labels;
mod legend;
mod page;
mod scale;
mod svg;
mod table;
mod visible;

pub use axes::Frame;
pub use csv::csv;
pub use file_name::file_name;
pub use labels::{SERIES, WORTH_SHOWING, short_count, trimmed};
pub use legend::{dotted_key, line_key, name_width};
pub use page::{
    PageError, WIDTHS, document, figure, is_chart, remove, remove_stale, replace, warning, write,
};
pub use scale::{Scale, extent};
pub use svg::{Anchor, STYLE, Svg, escape, spread};
pub use table::Table;
pub use visible::{is_hidden, visible, visible_lines};
