//! The critical sizes that the documents print are those of the committed points.

use brevity_length::format::{count, percent};
use brevity_stats::critical::{CriticalSize, Estimator, critical_sizes, points::read_csv};

fn document(name: &str) -> String {
    let path = format!("{}/../../{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn found(points: &str) -> Vec<CriticalSize> {
    let path = format!("{}/../../{points}", env!("CARGO_MANIFEST_DIR"));
    let points = read_csv(std::path::Path::new(&path), 2.0).unwrap();
    critical_sizes(&points, &Estimator::default()).unwrap()
}

fn range(ends: Option<[f64; 2]>) -> String {
    ends.map_or_else(String::new, |[low, high]| {
        format!("{} to {}", count(low), count(high))
    })
}

#[test]
fn the_table_of_prose_follows_from_its_points() {
    let text = document("docs/results.md");
    let inside = |c: &CriticalSize| c.n_star > c.grid[0];
    let all = found("docs/prose.csv");
    assert_eq!(all.iter().filter(|c| inside(c)).count(), 14);
    for c in all.iter().filter(|c| inside(c)) {
        let cells = [
            c.regime.clone(),
            c.convention.clone(),
            range(Some(c.near[0].sizes)),
            count(c.n_star),
            range(c.ci95),
            range(c.envelope),
            percent(c.rate),
        ];
        // An empty cell has one space.
        let row = format!("| {} |", cells.join(" | ")).replace("|  |", "| |");
        assert!(text.contains(&row), "docs/results.md lacks {row}");
    }
}

#[test]
fn the_readme_s_critical_sizes_follow_from_their_points() {
    let text = document("README.md");
    for c in found("docs/quickstart.csv") {
        let [near, ci95, envelope] = [Some(c.near[0].sizes), c.ci95, c.envelope].map(range);
        let start = format!("{}  {}", c.regime, c.convention);
        let line = text
            .lines()
            .find(|line| line.starts_with("crates ") && line.contains(&start));
        let line = line.unwrap_or_else(|| panic!("README.md lacks {start}"));
        for part in [near, count(c.n_star), ci95, envelope, percent(c.rate)] {
            assert!(line.contains(&part), "README.md lacks {part} for {start}");
        }
    }
}
