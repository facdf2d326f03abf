//! Bland–Altman limits of agreement of two measurements of the same cases.
//!
//! Difference d = second − first; limits d̄ ± z s with s on n − 1 (Bland & Altman 1986, Lancet 327:307). The limits are
//! estimates and have intervals of their own: the approximate ones of 1986 (variance 3s²/n) and 1999 (Stat Methods Med
//! Res 8:135: s²(1/n + z²/(2(n−1)))), and the exact one of a single limit (Carkeet 2015, Optom Vis Sci 92:e71, after the
//! normal tolerance limits of Odeh & Owen 1980): d̄ + s·t′(p; n−1, z√n)/√n with t′ the noncentral t quantile.

use super::{NotEstimable, check_level, noncentral_t, sorted_sum};
use crate::stats::quantiles::{norm_multiplier, t_multiplier, t_two_sided_p};
use crate::stats::{Estimable, Interval};
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitInterval {
    /// Variance 3s²/n, t with n − 1 (1986, z taken as 1.96 and n as n − 1).
    Approximate1986,
    /// Variance s²(1/n + z²/(2(n−1))), t with n − 1.
    Approximate1999,
    /// Noncentral t: exact for normal differences.
    Exact,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BlandAltman {
    pub cases: usize,
    /// Mean of second − first with its t interval.
    pub bias: f64,
    pub bias_interval: Interval,
    /// Standard deviation of the differences (n − 1).
    pub standard_deviation: f64,
    /// Normal multiplier of the limits, 1.96 for the central 95 %.
    pub multiplier: f64,
    pub lower_limit: f64,
    pub upper_limit: f64,
    pub lower_limit_interval: Interval,
    pub upper_limit_interval: Interval,
    /// Regression of the differences on the means of the pair; a reason where all means are equal or fit exactly.
    pub proportional_bias: Estimable<ProportionalBias>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ProportionalBias {
    pub slope: f64,
    pub standard_error: f64,
    /// Two-sided p-value of slope 0, t with n − 2.
    pub p: f64,
}

/// `coverage`: the share of differences the limits should hold (0.95); `level`: confidence of all intervals.
/// Codes: `invalid_ratings`, `too_few_observations` (n < 2), `invalid_level`.
pub fn bland_altman(
    first: &[f64],
    second: &[f64],
    coverage: f64,
    limit_interval: LimitInterval,
    level: f64,
) -> Estimable<BlandAltman> {
    check_level(coverage)?;
    limits_of_agreement(first, second, norm_multiplier(coverage), limit_interval, level)
}

/// As [`bland_altman`] with the multiplier itself (1.96 as printed in 1986, or a t-based one).
pub fn limits_of_agreement(
    first: &[f64],
    second: &[f64],
    multiplier: f64,
    limit_interval: LimitInterval,
    level: f64,
) -> Estimable<BlandAltman> {
    check_level(level)?;
    check_pairs(first, second)?;
    if first.len() < 2 {
        return Err(NotEstimable::new("too_few_observations", format!("limits need two cases, not {}", first.len())));
    }
    let n = first.len() as f64;
    let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| b - a).collect();
    let bias = sorted_sum(differences.iter().copied()) / n;
    let variance = sorted_sum(differences.iter().map(|d| (d - bias).powi(2))) / (n - 1.0);
    let standard_deviation = variance.sqrt();
    let t = t_multiplier(level, n - 1.0);
    let half = t * standard_deviation / n.sqrt();
    let (upper, lower) = (bias + multiplier * standard_deviation, bias - multiplier * standard_deviation);
    // offsets of the upper limit's interval from the bias; the lower limit mirrors them
    let (inner, outer, method) = match limit_interval {
        LimitInterval::Approximate1986 => {
            let half = t * standard_deviation * (3.0 / n).sqrt();
            (upper - bias - half, upper - bias + half, "Bland–Altman 1986")
        }
        LimitInterval::Approximate1999 => {
            let half = t * standard_deviation * (1.0 / n + multiplier * multiplier / (2.0 * (n - 1.0))).sqrt();
            (upper - bias - half, upper - bias + half, "Bland–Altman 1999")
        }
        LimitInterval::Exact => {
            let factor = |p: f64| {
                let found = noncentral_t::quantile(p, n - 1.0, multiplier * n.sqrt());
                found.map(|q| q / n.sqrt()).ok_or_else(|| {
                    NotEstimable::new("not_converged", format!("no noncentral t quantile for {} cases", first.len()))
                })
            };
            let tail = 0.5 - level / 2.0;
            (factor(tail)? * standard_deviation, factor(1.0 - tail)? * standard_deviation, "exact, noncentral t")
        }
    };
    Ok(BlandAltman {
        cases: first.len(),
        bias,
        bias_interval: Interval { lower: bias - half, upper: bias + half, level, method: "t" },
        standard_deviation,
        multiplier,
        lower_limit: lower,
        upper_limit: upper,
        lower_limit_interval: Interval { lower: bias - outer, upper: bias - inner, level, method },
        upper_limit_interval: Interval { lower: bias + inner, upper: bias + outer, level, method },
        proportional_bias: proportional_bias(first, second, &differences, bias),
    })
}

fn proportional_bias(first: &[f64], second: &[f64], differences: &[f64], bias: f64) -> Estimable<ProportionalBias> {
    let n = differences.len() as f64;
    let means: Vec<f64> = first.iter().zip(second).map(|(a, b)| 0.5 * (a + b)).collect();
    let centre = sorted_sum(means.iter().copied()) / n;
    let sxx = sorted_sum(means.iter().map(|m| (m - centre).powi(2)));
    let sxy = sorted_sum(means.iter().zip(differences).map(|(m, d)| (m - centre) * (d - bias)));
    let syy = sorted_sum(differences.iter().map(|d| (d - bias).powi(2)));
    if n < 3.0 || sxx <= 0.0 {
        return Err(NotEstimable::new("no_variance", "the slope needs three cases whose means differ"));
    }
    let slope = sxy / sxx;
    let residual = syy - slope * sxy;
    if residual <= 1e-24 * syy.max(f64::MIN_POSITIVE) {
        return Err(NotEstimable::new(
            "no_variance",
            format!("the differences lie on a line of slope {slope}: no error"),
        ));
    }
    let standard_error = (residual / (n - 2.0) / sxx).sqrt();
    Ok(ProportionalBias { slope, standard_error, p: t_two_sided_p(slope / standard_error, n - 2.0) })
}

pub(super) fn check_pairs(first: &[f64], second: &[f64]) -> Estimable<()> {
    if first.len() != second.len() {
        return Err(NotEstimable::new(
            "invalid_ratings",
            format!("{} against {} measurements", first.len(), second.len()),
        ));
    }
    match first.iter().chain(second).find(|x| !x.is_finite()) {
        Some(bad) => Err(NotEstimable::new("invalid_ratings", format!("{bad} is not a measurement"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_limits_reach_further_out_than_in() {
        let first: Vec<f64> = (0..12).map(f64::from).collect();
        let second: Vec<f64> = (0..12).map(|i| f64::from(i) + f64::from(i * 7 % 5) - 2.0).collect();
        let found = bland_altman(&first, &second, 0.95, LimitInterval::Exact, 0.95).unwrap();
        let i = found.upper_limit_interval;
        assert!(i.upper - found.upper_limit > found.upper_limit - i.lower);
        assert!((found.lower_limit_interval.lower + i.upper - 2.0 * found.bias).abs() < 1e-12);
    }

    #[test]
    fn a_constant_difference_has_limits_without_width() {
        let found = bland_altman(&[1.0, 2.0, 3.0], &[3.0, 4.0, 5.0], 0.95, LimitInterval::Exact, 0.95).unwrap();
        assert_eq!((found.bias, found.lower_limit, found.upper_limit), (2.0, 2.0, 2.0));
        assert_eq!(found.proportional_bias.unwrap_err().code, "no_variance");
    }
}
