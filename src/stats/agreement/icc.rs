//! Intraclass correlations of k raters' measurements on n subjects, all forms, with intervals by F.
//!
//! Names are of McGraw & Wong 1996 (Psychol Methods 1:30) with those of Shrout & Fleiss 1979 (Psychol Bull 86:420):
//! ICC(1) = (1,1), ICC(A,1) = (2,1), ICC(C,1) = (3,1) and their averages over k raters. From the two-way mean squares
//! MS_R (subjects), MS_C (raters), MS_E and the one-way MS_W:
//! ICC(1) = (MS_R − MS_W)/(MS_R + (k−1)MS_W); ICC(C,1) = (MS_R − MS_E)/(MS_R + (k−1)MS_E);
//! ICC(A,1) = (MS_R − MS_E)/(MS_R + (k−1)MS_E + k(MS_C − MS_E)/n).
//! The single absolute-agreement form's interval has Satterthwaite's degrees of freedom (McGraw & Wong, table 7).
//!
//! For ICC(A,k) two intervals are in use and differ (0.071–0.927 against 0.039–0.929 on Shrout & Fleiss' data): the
//! single-rating limits stepped up by Spearman–Brown (R `psych`), which is also what Satterthwaite's weights written
//! for the averaged coefficient give, a = ρ/(n(1−ρ)), b = 1 + ρ(n−1)/(n(1−ρ)); and R `irr`'s, which puts the averaged
//! coefficient into the weights of the single rating. [`AverageInterval`] chooses; the first is the consistent one.

use super::{NotEstimable, check_level, sorted_sum};
use crate::stats::quantiles::{f_quantile, f_sf};
use crate::stats::{Estimable, Interval};
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// One-way random: raters differ from subject to subject. ICC(1), Shrout–Fleiss (1,·).
    OneWay,
    /// Two-way, absolute agreement: a rater's offset counts as disagreement. ICC(A), Shrout–Fleiss (2,·).
    Agreement,
    /// Two-way, consistency: a rater's offset does not count. ICC(C), Shrout–Fleiss (3,·).
    Consistency,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Single,
    /// The mean of the k raters.
    Average,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AverageInterval {
    /// The single rating's limits stepped up: the same statement about one study, whether single or averaged.
    SpearmanBrown,
    /// As R `irr` computes it, to compare with its output.
    Irr,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Icc {
    pub form: Form,
    pub unit: Unit,
    pub subjects: usize,
    pub raters: usize,
    pub estimate: f64,
    /// F test that the ICC is 0.
    pub f: f64,
    pub df1: f64,
    pub df2: f64,
    pub p: f64,
    /// Satterthwaite's degrees of freedom behind the interval of the agreement forms.
    pub satterthwaite_df: Option<f64>,
    pub interval: Interval,
    pub mean_squares: MeanSquares,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MeanSquares {
    pub subjects: f64,
    pub raters: f64,
    pub error: f64,
    /// One-way: within subjects.
    pub within: f64,
}

/// `measurements[subject][rater]`, complete. Codes: `invalid_ratings`, `too_few_observations`, `no_variance` (no
/// difference between subjects, or none within them: F does not exist), `icc_unbounded` (subjects differ by so much less
/// than the error that the coefficient of the average, or a limit of it, passes −∞), `invalid_level`.
pub fn icc(
    measurements: &[Vec<f64>],
    form: Form,
    unit: Unit,
    average_interval: AverageInterval,
    level: f64,
) -> Estimable<Icc> {
    check_level(level)?;
    let mean_squares = mean_squares(measurements)?;
    let MeanSquares { subjects: ms_r, raters: ms_c, error: ms_e, within: ms_w } = mean_squares;
    let (n, k) = (measurements.len() as f64, measurements[0].len() as f64);
    let noise = if form == Form::OneWay { ms_w } else { ms_e };
    // rounding leaves about 1e-31 of the total where there is no error at all
    let total = ms_r.max(ms_c).max(ms_w);
    if noise <= 1e-24 * total || total == 0.0 {
        return Err(NotEstimable::new(
            "no_variance",
            format!("the raters' measurements leave no residual variance (mean square {noise:e}): F is infinite"),
        ));
    }
    let df1 = n - 1.0;
    let df2 = if form == Form::OneWay { n * (k - 1.0) } else { df1 * (k - 1.0) };
    let f = ms_r / noise;
    let offset = if form == Form::Agreement { (ms_c - ms_e) / n } else { 0.0 };
    let single = (ms_r - noise) / (ms_r + (k - 1.0) * noise + k * offset);
    let average = (ms_r - noise) / (ms_r + offset);
    let estimate = if unit == Unit::Single { single } else { average };
    if unit == Unit::Average {
        bounded("the coefficient", ms_r + offset)?;
    }
    let tail = 0.5 - level / 2.0;
    let (lower, upper, satterthwaite_df, method) = match (form, unit) {
        (Form::OneWay | Form::Consistency, _) => {
            let low = f / f_quantile(1.0 - tail, df1, df2);
            let high = f * f_quantile(1.0 - tail, df2, df1);
            match unit {
                Unit::Single => ((low - 1.0) / (low + k - 1.0), (high - 1.0) / (high + k - 1.0), None, "F"),
                Unit::Average => (1.0 - 1.0 / low, 1.0 - 1.0 / high, None, "F"),
            }
        }
        (Form::Agreement, Unit::Average) if average_interval == AverageInterval::Irr => {
            let a = k * average / (n * (1.0 - average));
            let b = 1.0 + k * average * (n - 1.0) / (n * (1.0 - average));
            let v = satterthwaite(a * ms_c, b * ms_e, n, k);
            let low = f_quantile(1.0 - tail, df1, v);
            let high = f_quantile(1.0 - tail, v, df1);
            let lower = n * (ms_r - low * ms_e) / (low * (ms_c - ms_e) + n * ms_r);
            let upper = n * (high * ms_r - ms_e) / (ms_c - ms_e + n * high * ms_r);
            bounded("the lower limit", low * (ms_c - ms_e) + n * ms_r)?;
            bounded("the upper limit", ms_c - ms_e + n * high * ms_r)?;
            (lower, upper, Some(v), "F as in R irr")
        }
        (Form::Agreement, _) => {
            let a = k * single / (n * (1.0 - single));
            let b = 1.0 + k * single * (n - 1.0) / (n * (1.0 - single));
            let v = satterthwaite(a * ms_c, b * ms_e, n, k);
            let low = f_quantile(1.0 - tail, df1, v);
            let high = f_quantile(1.0 - tail, v, df1);
            let spread = k * ms_c + (k * n - k - n) * ms_e;
            let lower = n * (ms_r - low * ms_e) / (low * spread + n * ms_r);
            let upper = n * (high * ms_r - ms_e) / (spread + n * high * ms_r);
            match unit {
                Unit::Single => (lower, upper, Some(v), "McGraw–Wong F"),
                Unit::Average => {
                    let step_up = |r: f64| k * r / (1.0 + (k - 1.0) * r);
                    bounded("the lower limit", 1.0 + (k - 1.0) * lower)?;
                    bounded("the upper limit", 1.0 + (k - 1.0) * upper)?;
                    (step_up(lower), step_up(upper), Some(v), "McGraw–Wong F, Spearman–Brown")
                }
            }
        }
    };
    let numbers = [estimate, lower, upper, satterthwaite_df.unwrap_or(0.0)];
    if numbers.iter().any(|x| !x.is_finite()) {
        return Err(NotEstimable::new("no_variance", "the interval of this ICC does not exist for these mean squares"));
    }
    Ok(Icc {
        form,
        unit,
        subjects: measurements.len(),
        raters: measurements[0].len(),
        estimate,
        f,
        df1,
        df2,
        p: f_sf(f, df1, df2),
        satterthwaite_df,
        interval: Interval { lower, upper, level, method },
        mean_squares,
    })
}

/// A single rating's coefficient goes down to −1/(k − 1 − k/n), where that of the average has its pole at −1/(k − 1).
fn bounded(what: &str, denominator: f64) -> Estimable<()> {
    if denominator > 0.0 {
        return Ok(());
    }
    let reason = format!("the subjects differ less than the error: {what} of the averaged ICC passes −∞");
    Err(NotEstimable::new("icc_unbounded", reason))
}

fn satterthwaite(a: f64, b: f64, n: f64, k: f64) -> f64 {
    (a + b).powi(2) / (a * a / (k - 1.0) + b * b / ((n - 1.0) * (k - 1.0)))
}

fn mean_squares(measurements: &[Vec<f64>]) -> Estimable<MeanSquares> {
    let (subjects, raters) = (measurements.len(), measurements.first().map_or(0, Vec::len));
    if subjects < 2 || raters < 2 {
        return Err(NotEstimable::new(
            "too_few_observations",
            format!("an ICC needs two subjects and two raters, not {subjects} and {raters}"),
        ));
    }
    if measurements.iter().any(|row| row.len() != raters || row.iter().any(|x| !x.is_finite())) {
        return Err(NotEstimable::new("invalid_ratings", "an ICC needs a complete table of finite measurements"));
    }
    let (n, k) = (subjects as f64, raters as f64);
    let mean = sorted_sum(measurements.iter().flatten().copied()) / (n * k);
    let row_means: Vec<f64> = measurements.iter().map(|row| sorted_sum(row.iter().copied()) / k).collect();
    let column_means: Vec<f64> = (0..raters).map(|j| sorted_sum(measurements.iter().map(|row| row[j])) / n).collect();
    let ss_rows = k * sorted_sum(row_means.iter().map(|m| (m - mean).powi(2)));
    let ss_columns = n * sorted_sum(column_means.iter().map(|m| (m - mean).powi(2)));
    let residuals = measurements
        .iter()
        .zip(&row_means)
        .flat_map(|(row, r)| row.iter().zip(&column_means).map(move |(x, c)| (x - r - c + mean).powi(2)));
    let ss_error = sorted_sum(residuals);
    let within = measurements.iter().zip(&row_means).flat_map(|(row, r)| row.iter().map(move |x| (x - r).powi(2)));
    Ok(MeanSquares {
        subjects: ss_rows / (n - 1.0),
        raters: ss_columns / (k - 1.0),
        error: ss_error / ((n - 1.0) * (k - 1.0)),
        within: sorted_sum(within) / (n * (k - 1.0)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_of_one_rater_lowers_agreement_and_not_consistency() {
        let rows: Vec<Vec<f64>> = (0..12).map(|i| vec![f64::from(i), f64::from(i + i % 3) + 5.0]).collect();
        let of = |form| icc(&rows, form, Unit::Single, AverageInterval::SpearmanBrown, 0.95).unwrap().estimate;
        assert!(of(Form::Consistency) > 0.9 && of(Form::Agreement) < 0.7);
    }

    #[test]
    fn stepped_up_limits_are_the_averaged_forms_own() {
        let rows: Vec<Vec<f64>> =
            (0..10).map(|i| (0..3).map(|j| f64::from(i) + f64::from(i * j * 7 % 5) + f64::from(j)).collect()).collect();
        let found = icc(&rows, Form::Agreement, Unit::Average, AverageInterval::SpearmanBrown, 0.95).unwrap();
        let MeanSquares { subjects: r, raters: c, error: e, .. } = found.mean_squares;
        let (n, k, rho) = (10.0, 3.0, found.estimate);
        let v = satterthwaite(rho / (n * (1.0 - rho)) * c, (1.0 + rho * (n - 1.0) / (n * (1.0 - rho))) * e, n, k);
        let (low, high) = (f_quantile(0.975, n - 1.0, v), f_quantile(0.975, v, n - 1.0));
        assert!((found.interval.lower - n * (r - low * e) / (low * (c - e) + n * r)).abs() < 1e-12);
        assert!((found.interval.upper - n * (high * r - e) / (c - e + n * high * r)).abs() < 1e-12);
    }

    /// Raters whose differences turn round from subject to subject: the plain formula of the average would say 26.8.
    #[test]
    fn an_average_beyond_its_pole_is_not_a_number_above_one() {
        let rows = [[9.0, 4.0, 2.0], [3.0, 2.0, 8.0], [0.0, 5.0, 9.0], [8.0, 3.0, 2.0], [4.0, 6.0, 8.0]].map(Vec::from);
        for method in [AverageInterval::SpearmanBrown, AverageInterval::Irr] {
            assert!(icc(&rows, Form::Agreement, Unit::Single, method, 0.95).unwrap().estimate < -0.3);
            let average = icc(&rows, Form::Agreement, Unit::Average, method, 0.95);
            assert_eq!(average.unwrap_err().code, "icc_unbounded");
        }
    }

    #[test]
    fn identical_raters_have_no_f() {
        let rows: Vec<Vec<f64>> = (0..5).map(|i| vec![f64::from(i); 2]).collect();
        let found = icc(&rows, Form::OneWay, Unit::Single, AverageInterval::SpearmanBrown, 0.95);
        assert_eq!(found.unwrap_err().code, "no_variance");
    }
}
