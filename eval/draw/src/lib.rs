//! SVG charts, self-contained pages and terminal tables.

mod page;
mod scale;
mod svg;
mod table;
mod ticks;

pub use page::{PageError, WIDTHS, document, figure, replace, write};
pub use scale::Scale;
pub use svg::{Anchor, STYLE, Svg, escape, spread};
pub use table::Table;
pub use ticks::{SERIES, WORTH_SHOWING, short_count, trimmed};
