//! How a number is written on paper. One rule a kind of number, the same in every table, figure and language.
//!
//! [`fmt_value`] fills `value_fmt` of the records of `results.json`; figures and templates print that text and nothing else.
//! The text is language-neutral: `.` as decimal point, U+2212 as minus sign, `%p` for a difference of two percentages
//! (Korean usage; [`localise`] writes `pp` in English).

use super::results::Stat;
use crate::protocol::{Language, Measure};

/// What kind of number it is; the number itself is always on its natural scale (a proportion is 0..1, not 0..100).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// AUC, other figures of merit, kappa, ICC, utility, and differences of them: 3 decimals.
    Index,
    /// A proportion, printed in per cent with 1 decimal: `87.5%`.
    Proportion,
    /// A difference of two proportions, printed in percentage points with 1 decimal: `−2.5%p`.
    Points,
    /// Odds ratio, likelihood ratio: 2 decimals.
    Ratio,
    /// Standard error of an index or ratio: 4 decimals, `<0.0001` below.
    StandardError,
    /// Standard error of a proportion or a difference of proportions, in percentage points: 2 decimals.
    PointsError,
    /// Mean square, variance, covariance: 3 significant digits.
    Variance,
    /// F, t, z, chi-square: 3 decimals.
    Statistic,
    /// Degrees of freedom: 1 decimal; infinite is `∞`.
    Df,
    /// p value: 3 decimals, `<0.001`, `>0.999`.
    P,
    /// A whole number.
    Count,
    /// Seconds: 1 decimal.
    Seconds,
    /// False positives per image: 2 decimals.
    Rate,
    /// A threshold or a rating on the scale of the device or of the readers: the shortest text that reads back as the same number.
    Plain,
}

pub const MINUS: char = '\u{2212}';
/// What stands where a number does not exist. Each report language words it in its own way.
pub const NOT_ESTIMABLE: &str = "NE";

/// The number as text. A value that is not a number is never printed: it gives `NE`.
pub fn fmt_value(kind: Kind, value: f64) -> String {
    if value.is_nan() || (value.is_infinite() && kind != Kind::Df) {
        return NOT_ESTIMABLE.to_owned();
    }
    match kind {
        Kind::Index | Kind::Statistic => fixed(value, 3),
        Kind::Proportion => format!("{}%", fixed(100.0 * value, 1)),
        Kind::Points => format!("{}%p", fixed(100.0 * value, 1)),
        Kind::Ratio | Kind::Rate => above(value, 2),
        Kind::StandardError => above(value, 4),
        Kind::PointsError => format!("{}%p", above(100.0 * value, 2)),
        Kind::Variance => significant(value, 3),
        Kind::Df if value.is_infinite() => "\u{221e}".to_owned(),
        Kind::Df | Kind::Seconds => fixed(value, 1),
        Kind::P if value < 0.001 => "<0.001".to_owned(),
        Kind::P if value > 0.999 => ">0.999".to_owned(),
        Kind::P => fixed(value, 3),
        Kind::Count => fixed(value, 0),
        Kind::Plain => signed(value.to_string()),
    }
}

/// The kind of a record's number, from what it measures and which statistic of it stands there. `comparison` is true for a difference
/// of two arms (ratios such as [`Measure::OddsRatio`] stay ratios).
pub fn kind_of(measure: Measure, stat: Stat, comparison: bool) -> Kind {
    match stat {
        Stat::P => Kind::P,
        Stat::Df | Stat::Df1 => Kind::Df,
        Stat::Stat => Kind::Statistic,
        Stat::Count | Stat::Total | Stat::Unusable | Stat::Replicates => Kind::Count,
        Stat::Se if is_proportion(measure) => Kind::PointsError,
        Stat::Se => Kind::StandardError,
        Stat::Est | Stat::Lo | Stat::Hi | Stat::Margin => match measure {
            _ if is_proportion(measure) && comparison => Kind::Points,
            _ if is_proportion(measure) => Kind::Proportion,
            Measure::LikelihoodRatioPositive
            | Measure::LikelihoodRatioNegative
            | Measure::DiagnosticOddsRatio
            | Measure::OddsRatio => Kind::Ratio,
            Measure::Discordance => Kind::Points,
            _ => Kind::Index,
        },
    }
}

fn is_proportion(measure: Measure) -> bool {
    matches!(
        measure,
        Measure::Sensitivity
            | Measure::Specificity
            | Measure::Ppv
            | Measure::Npv
            | Measure::Accuracy
            | Measure::SensitivityAtSpecificity
            | Measure::SpecificityAtSensitivity
            | Measure::FrocSensitivity
    )
}

/// The text of a record in a report's language: `NE` and `%p` are worded, the number stays.
pub fn localise(text: &str, language: Language) -> String {
    match language {
        Language::Ko if text == NOT_ESTIMABLE => "추정 불가".to_owned(),
        Language::Ko => text.to_owned(),
        Language::En => text.replace("%p", " pp"),
    }
}

/// `decimals` places, U+2212 as minus, and no minus before a number that rounds to zero.
pub fn fixed(value: f64, decimals: usize) -> String {
    signed(format!("{value:.decimals$}"))
}

/// As [`fixed`] for a number > 0 that must not be printed as zero: `<0.0001`.
fn above(value: f64, decimals: usize) -> String {
    let least = 10f64.powi(-(decimals as i32));
    if value > 0.0 && value < least / 2.0 { format!("<{least:.decimals$}") } else { fixed(value, decimals) }
}

fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let exponent = value.abs().log10().floor() as i32;
    if exponent < -6 {
        let mantissa = fixed(value / 10f64.powi(exponent), (digits - 1) as usize);
        return format!("{mantissa}×10{}", superscript(exponent));
    }
    fixed(value, (digits - 1 - exponent).max(0) as usize)
}

fn superscript(number: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    number.to_string().chars().map(|c| c.to_digit(10).map_or('⁻', |d| DIGITS[d as usize])).collect()
}

fn signed(text: String) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.to_owned(),
        _ => text.replace('-', "\u{2212}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_number_of_digits() {
        for (kind, value, text) in [
            (Kind::Index, 0.9125, "0.912"),
            (Kind::Index, -0.0104, "−0.010"),
            (Kind::Index, -0.0004, "0.000"),
            (Kind::Proportion, 0.875, "87.5%"),
            (Kind::Proportion, 1.0, "100.0%"),
            (Kind::Points, -0.025, "−2.5%p"),
            (Kind::Ratio, 1.525, "1.52"),
            (Kind::Ratio, 0.001, "<0.01"),
            (Kind::StandardError, 0.01234, "0.0123"),
            (Kind::StandardError, 0.00001, "<0.0001"),
            (Kind::PointsError, 0.0123, "1.23%p"),
            (Kind::Variance, 0.000234, "0.000234"),
            (Kind::Variance, -0.0000002345, "−2.35×10⁻⁷"),
            (Kind::Variance, 12.345, "12.3"),
            (Kind::Variance, 0.0, "0"),
            (Kind::Statistic, 4.46, "4.460"),
            (Kind::Df, 15.26, "15.3"),
            (Kind::Df, f64::INFINITY, "∞"),
            (Kind::P, 0.0004, "<0.001"),
            (Kind::P, 0.0517, "0.052"),
            (Kind::P, 1.0, ">0.999"),
            (Kind::Count, 114.0, "114"),
            (Kind::Seconds, 61.25, "61.2"),
            (Kind::Plain, 0.5, "0.5"),
            (Kind::Plain, -3.0, "−3"),
            (Kind::Index, f64::NAN, "NE"),
            (Kind::Ratio, f64::INFINITY, "NE"),
        ] {
            assert_eq!(fmt_value(kind, value), text, "{kind:?} {value}");
        }
    }

    #[test]
    fn a_difference_of_sensitivities_is_in_points_and_an_odds_ratio_stays_a_ratio() {
        assert_eq!(kind_of(Measure::Sensitivity, Stat::Est, true), Kind::Points);
        assert_eq!(kind_of(Measure::Sensitivity, Stat::Lo, false), Kind::Proportion);
        assert_eq!(kind_of(Measure::OddsRatio, Stat::Est, true), Kind::Ratio);
        assert_eq!(kind_of(Measure::Auc, Stat::Est, true), Kind::Index);
        assert_eq!(kind_of(Measure::Auc, Stat::P, true), Kind::P);
        assert_eq!(localise("−2.5%p", Language::En), "−2.5 pp");
        assert_eq!(localise("NE", Language::Ko), "추정 불가");
    }
}
