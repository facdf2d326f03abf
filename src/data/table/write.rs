//! Rows of text → CSV in its plainest form: UTF-8, commas, `\n`, quotes only where they are needed.

/// Appends one row. A cell with any of the three separators is quoted, so that the header line stays unambiguous.
pub fn push_row<'a>(csv: &mut Vec<u8>, cells: impl IntoIterator<Item = &'a str>) {
    for (column, cell) in cells.into_iter().enumerate() {
        if column > 0 {
            csv.push(b',');
        }
        if cell.contains([',', ';', '\t', '"', '\n', '\r']) {
            csv.push(b'"');
            csv.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            csv.push(b'"');
        } else {
            csv.extend_from_slice(cell.as_bytes());
        }
    }
    csv.push(b'\n');
}

/// The shortest decimal that reads back as the same number: `85`, `0.1`, `1e300`.
pub fn number(value: f64) -> String {
    let text = format!("{value:?}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be_and_numbers_are_short() {
        let mut csv = Vec::new();
        push_row(&mut csv, ["a", "", "b;c", "say \"x\"", "김"]);
        assert_eq!(String::from_utf8(csv).unwrap(), "a,,\"b;c\",\"say \"\"x\"\"\",김\n");
        assert_eq!([85.0, 0.1, -2.5, 1e300].map(number), ["85", "0.1", "-2.5", "1e300"]);
    }
}
