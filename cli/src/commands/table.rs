//! Columns as wide as what stands in them.

/// Lines of a table; the first row is its head.
pub(super) fn lines(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

/// "430 ms", "12 s", "5 min", "3 h", "2 d": short, and rounded down.
pub(super) fn age(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..120_000 => format!("{} s", milliseconds / 1_000),
        120_000..7_200_000 => format!("{} min", milliseconds / 60_000),
        7_200_000..172_800_000 => format!("{} h", milliseconds / 3_600_000),
        _ => format!("{} d", milliseconds / 86_400_000),
    }
}

#[cfg(test)]
mod tests {
    use super::{age, lines};

    #[test]
    fn columns_stand_in_line() {
        let rows = [vec!["a".to_owned(), "bb".to_owned()], vec!["ccc".to_owned(), "d".to_owned()]];
        assert_eq!(lines(&rows), ["a    bb", "ccc  d"]);
    }

    #[test]
    fn ages_are_short() {
        assert_eq!([430, 12_900, 300_000, 10_800_000].map(age), ["430 ms", "12 s", "5 min", "3 h"]);
    }
}
