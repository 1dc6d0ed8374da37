//! Names of sides that fit into a column.

use crate::Comparison;

/// The comparison with short names: of paths the last part, and as many before it as tell
/// the two apart. Paths of files that all models have are those of their folders.
pub(crate) fn short(found: &Comparison) -> Comparison {
    let [a, b] = labels(&found.a.name, &found.b.name);
    let mut found = found.clone();
    (found.a.name, found.b.name) = (a, b);
    found
}

fn labels(a: &str, b: &str) -> [String; 2] {
    let parts = [a, b].map(|name| -> Vec<&str> {
        let name = name.strip_suffix("/model.safetensors").unwrap_or(name);
        match name.contains(' ') {
            true => vec![name],
            false => name.split('/').filter(|part| !part.is_empty()).collect(),
        }
    });
    let last = |of: &Vec<&str>, count: usize| of[of.len().saturating_sub(count)..].join("/");
    let most = parts.iter().map(Vec::len).max().unwrap_or(1);
    let told = (1..=most).find(|&count| last(&parts[0], count) != last(&parts[1], count));
    parts.each_ref().map(|of| last(of, told.unwrap_or(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_as_short_as_they_can_be() {
        for (a, b, expected) in [
            (
                "runs/q/trials/1a/model.safetensors",
                "ppmd -o8",
                ["1a", "ppmd -o8"],
            ),
            (
                "x/1a/model.safetensors",
                "y/1a/model.safetensors",
                ["x/1a", "y/1a"],
            ),
            (
                "a/b.safetensors",
                "a/b.safetensors",
                ["b.safetensors", "b.safetensors"],
            ),
            ("my model / of mine", "gru", ["my model / of mine", "gru"]),
        ] {
            assert_eq!(labels(a, b), expected);
        }
    }
}
