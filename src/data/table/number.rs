//! One cell → one finite number, strictly.

/// Why a cell is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotNumber {
    Blank,
    /// `NA`, `NaN`, `inf`, `null`, `-` and the like.
    Word,
    DecimalComma,
    /// A percent sign, a unit, a thousands separator, letters.
    Other,
    /// Beyond what `f64` holds.
    TooLarge,
}

/// Digits with at most a sign, a decimal point and an exponent; −0 becomes 0.
///
/// A comma is never read as a decimal mark, not even where the separator is a semicolon: `1,234` may be either number.
pub fn parse(cell: &str) -> Result<f64, NotNumber> {
    let plain = cell.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    if plain && let Ok(value) = cell.parse::<f64>() {
        // −0 + 0 = 0
        return if value.is_finite() { Ok(value + 0.0) } else { Err(NotNumber::TooLarge) };
    }
    Err(why(cell))
}

/// True for what stands in a table where a number is missing.
pub fn is_missing_word(cell: &str) -> bool {
    const WORDS: [&str; 14] =
        ["na", "n/a", "#n/a", "nan", "null", "none", "nil", "missing", "inf", "+inf", "-inf", "infinity", "-", "."];
    WORDS.contains(&cell.to_lowercase().as_str())
}

fn why(cell: &str) -> NotNumber {
    if cell.is_empty() {
        return NotNumber::Blank;
    }
    if is_missing_word(cell) {
        return NotNumber::Word;
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match cell.trim_start_matches(['+', '-']).split_once(',') {
        Some((whole, fraction)) if digits(whole) && digits(fraction) => NotNumber::DecimalComma,
        _ => NotNumber::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_strictly() {
        for (cell, value) in [("85", 85.0), ("-0.5", -0.5), ("+1", 1.0), ("1e-3", 0.001), (".5", 0.5), ("5.", 5.0)] {
            assert_eq!(parse(cell), Ok(value), "{cell}");
        }
        assert!(parse("-0").unwrap().is_sign_positive());
        for (cell, why) in [
            ("", NotNumber::Blank),
            ("NaN", NotNumber::Word),
            ("inf", NotNumber::Word),
            ("-inf", NotNumber::Word),
            ("NA", NotNumber::Word),
            ("-", NotNumber::Word),
            ("0,5", NotNumber::DecimalComma),
            ("1,234", NotNumber::DecimalComma),
            ("1,234.5", NotNumber::Other),
            ("1 000", NotNumber::Other),
            ("85%", NotNumber::Other),
            ("１", NotNumber::Other),
            ("0x10", NotNumber::Other),
            ("e5", NotNumber::Other),
            ("1e999", NotNumber::TooLarge),
        ] {
            assert_eq!(parse(cell), Err(why), "{cell}");
        }
    }
}
