//! The page that tells what the server carries: that a run of `ci/capacity` was kept whole.

const PAGE: &str = include_str!("../../docs/CAPACITY.md");

/// Returns the cells of a section's table, its head left out.
fn rows(section: &str) -> Vec<Vec<&'static str>> {
    let text =
        PAGE.split("\n## ").find(|it| it.starts_with(section)).unwrap_or_else(|| panic!("no {section}"));
    let lines = text.lines().filter(|line| line.starts_with('|')).skip(2);
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

#[test]
fn what_grows_is_measured_at_three_sizes_and_nothing_is_left_out_b2() {
    let sections = [
        "People who chat",
        "At full speed",
        "Open sockets",
        "Length of the history",
        "Facts",
        "Writers of facts",
    ];
    for section in sections {
        let rows = rows(section);
        assert_eq!(rows.len(), 3, "{section}: {rows:?}");
        for row in &rows {
            // A star behind the size marks a run in which something did not hold.
            let is_number = |cell: &&str| cell.trim_end_matches(['*', '\\', ' ']).parse::<f64>().is_ok();
            assert!(row.iter().all(is_number), "{section}: {row:?}");
        }
    }
    assert!(
        PAGE.contains(" were carried**") || PAGE.contains("steps held"),
        "the steps say what was carried"
    );
}
