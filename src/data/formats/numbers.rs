//! Ratings as text, both ways.

/// A finite number with a decimal point; `None` for anything else, `NaN` and `inf` among it.
pub(super) fn parse(text: &str) -> Option<f64> {
    // Rust reads "nan", "infinity" and "1_0" is refused by it; a rating is digits, sign, point and exponent only.
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    if !plain {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// The shortest text that reads back to the same number.
pub(super) fn shown(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e15).contains(&magnitude) { format!("{value:e}") } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_back_as_it_was_written() {
        for value in [0.0, -0.1, 0.754150353481424, 1e-9, 123_456_789.25, 1e300, -2.5e-300, 5.0] {
            assert_eq!(parse(&shown(value)), Some(value), "{}", shown(value));
        }
        for bad in ["", "NaN", "inf", "-Infinity", "1,5", "five", "0x10", "1 2"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
