//! Table 1 of Delétang et al. (arXiv 2309.10668), for comparison.

use std::sync::LazyLock;

use brevity_baselines::Coder;

/// One figure of the paper's table; rates are shares, not percent.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Whether each chunk of 2048 bytes was compressed independently.
    pub chunks: bool,
    /// The paper's name for the coder or model.
    pub coder: String,
    /// The paper's name for the byte set.
    pub set: String,
    /// Raw rate: coded over raw bytes.
    pub raw: f64,
    /// Adjusted rate with 2 bytes per parameter.
    pub adjusted: f64,
}

/// All figures of the table.
pub fn table1() -> &'static [Figure] {
    static FIGURES: LazyLock<Vec<Figure>> = LazyLock::new(|| {
        let text = include_str!("../../../data/paper-table1.csv");
        text.lines().skip(1).filter_map(figure).collect()
    });
    &FIGURES
}

fn figure(line: &str) -> Option<Figure> {
    let fields: Vec<&str> = line.split(',').collect();
    let [chunk, coder, set, raw, adjusted] = fields[..] else {
        return None;
    };
    let rate = |text: &str| text.parse::<f64>().ok().map(|percent| percent / 100.0);
    Some(Figure {
        chunks: chunk == "chunks",
        coder: coder.into(),
        set: set.into(),
        raw: rate(raw)?,
        adjusted: rate(adjusted)?,
    })
}

/// The paper's names of byte sets.
pub fn sets() -> Vec<&'static str> {
    distinct(table1().iter().map(|figure| figure.set.as_str()))
}

/// The paper's names of models.
pub fn models() -> Vec<&'static str> {
    let coders = Coder::ALL.iter().filter_map(|coder| name_of(*coder));
    let coders: Vec<&str> = coders.collect();
    let rows = table1().iter().map(|figure| figure.coder.as_str());
    distinct(rows.filter(|name| !coders.contains(name)))
}

/// Names in order of appearance.
fn distinct(names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut found = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// The figure of a row and column.
pub fn find(chunks: bool, coder: &str, set: &str) -> Option<&'static Figure> {
    table1()
        .iter()
        .find(|f| f.chunks == chunks && f.coder == coder && f.set == set)
}

/// The paper's name for our equivalent coder.
pub fn name_of(coder: Coder) -> Option<&'static str> {
    match coder {
        Coder::Gzip => Some("gzip"),
        Coder::Xz => Some("LZMA2"),
        Coder::PngPaper => Some("PNG"),
        Coder::Flac8 => Some("FLAC"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_table_is_whole() {
        assert_eq!(table1().len(), 15 * 4);
        let figure = find(true, "Chinchilla 70B", "ImageNet").unwrap();
        assert_eq!((figure.raw, figure.adjusted), (0.48, 140.48));
        assert_eq!(sets().len(), 4);
        assert_eq!(models().len(), 7);
    }
}
