//! Where the bytes of a chunk begin to cost less under a model than under a coder.

use super::{Curve, Matrix, Row};

/// How the marginal rates of a model and of a coder stand to each other along a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Crossing {
    /// The model's bytes cost less in every stretch.
    Always,
    /// They cost more in every stretch.
    Never,
    /// They cost less from this position on, counted from 1.
    From(usize),
    /// They cost less up to this position, and more from there on.
    UpTo(usize),
    /// They cost less in these ranges of positions.
    In(Vec<[usize; 2]>),
}

impl Crossing {
    /// Of two curves over the same ascending prefix lengths.
    fn of(model: &[f64], coder: &[f64], lengths: &[usize]) -> Crossing {
        let saves: Vec<bool> = (0..lengths.len())
            .map(|i| {
                let bytes = |rates: &[f64]| {
                    let at = |i: usize| rates[i] * lengths[i] as f64;
                    at(i) - if i > 0 { at(i - 1) } else { 0.0 }
                };
                bytes(model) < bytes(coder)
            })
            .collect();
        let mut ranges: Vec<[usize; 2]> = Vec::new();
        let mut first = 1;
        for (&saves, &length) in saves.iter().zip(lengths) {
            match ranges.last_mut() {
                Some([_, end]) if saves && *end + 1 == first => *end = length,
                _ if saves => ranges.push([first, length]),
                _ => {}
            }
            first = length + 1;
        }
        match ranges[..] {
            [] => Crossing::Never,
            [[1, end]] if end + 1 == first => Crossing::Always,
            [[1, end]] => Crossing::UpTo(end),
            [[start, end]] if end + 1 == first => Crossing::From(start),
            _ => Crossing::In(ranges),
        }
    }

    fn text(&self) -> String {
        match self {
            Crossing::Always => "from the first byte".into(),
            Crossing::Never => "never".into(),
            Crossing::From(at) => format!("from byte {at}"),
            Crossing::UpTo(at) => format!("up to byte {at}"),
            Crossing::In(ranges) => {
                let ranges = ranges.iter().map(|[from, to]| format!("{from} to {to}"));
                format!("bytes {}", ranges.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// The table of crossings of pretrained models: the names of columns, the lines. Headers
/// of coders count once, so that they do not decide the first stretch.
pub(super) fn table(matrix: &Matrix) -> Option<(Vec<String>, Vec<Vec<String>>)> {
    let sets: Vec<&str> = matrix.curved().collect();
    let mut models: Vec<&str> = Vec::new();
    let mut coders: Vec<&str> = Vec::new();
    for curve in &matrix.curves {
        let pretrained = |row: &Row| row.name == curve.name && row.learned_elsewhere();
        let list = match curve.headers_once {
            true => &mut coders,
            false if matrix.rows.iter().any(pretrained) => &mut models,
            false => continue,
        };
        if !list.contains(&&curve.name[..]) {
            list.push(&curve.name);
        }
    }
    if models.is_empty() || coders.is_empty() {
        return None;
    }
    let mut header = vec!["model".to_owned(), "beside".into()];
    header.extend(sets.iter().map(|&set| set.to_owned()));
    let mut lines = Vec::new();
    for &model in &models {
        for &coder in &coders {
            let mut line = vec![model.to_owned(), coder.to_owned()];
            line.extend(sets.iter().map(|&set| {
                let find = |name: &str, once: bool| -> Option<&Curve> {
                    matrix.curves.iter().find(|curve| {
                        curve.set == set && curve.name == name && curve.headers_once == once
                    })
                };
                let pair = find(model, false).zip(find(coder, true));
                pair.map_or("-".into(), |(model, coder)| {
                    Crossing::of(&model.rates, &coder.rates, &matrix.lengths).text()
                })
            }));
            lines.push(line);
        }
    }
    Some((header, lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_decide_not_prefixes() {
        let lengths = [10, 20, 40];
        let of = |model: [f64; 3], coder: [f64; 3]| Crossing::of(&model, &coder, &lengths);
        assert_eq!(of([0.1; 3], [0.2; 3]), Crossing::Always);
        assert_eq!(of([0.2; 3], [0.1; 3]), Crossing::Never);
        // Bytes 10, 14, 18 beside 5, 10, 20: the last two stretches cost 4 beside 5 and 10.
        assert_eq!(of([1.0, 0.7, 0.45], [0.5; 3]), Crossing::From(11));
        // The prefix is still longer there.
        assert_eq!(of([2.0, 1.2, 0.7], [0.5; 3]), Crossing::From(11));
        assert_eq!(of([0.1, 0.4, 0.5], [0.5; 3]), Crossing::UpTo(10));
        // 2, 4, 16 beside 1, 5, 14: the stretch in the middle alone.
        let middle = of([0.2, 0.3, 0.55], [0.1, 0.3, 0.5]);
        assert_eq!(middle, Crossing::In(vec![[11, 20]]));
        assert_eq!(middle.text(), "bytes 11 to 20");
    }
}
