//! Logistic regression by Firth's penalised likelihood: finite odds ratios where a cell is empty or classes separate.
//!
//! log L*(β) = log L(β) + ½ log |I(β)| (Firth 1993, Biometrika 80:27, with Jeffreys' prior as penalty). Its score is
//! U*ᵣ = Σᵢ (yᵢ − πᵢ + hᵢ(½ − πᵢ)) xᵢᵣ with hᵢ the leverages of W½X(XᵀWX)⁻¹XᵀW½ (Heinze & Schemper 2002, Stat Med
//! 21:2409, eq. 2). Intervals and p-values are of the profile penalised likelihood: the penalty keeps the full
//! information matrix while one coefficient is held (ibid., §2.2). For a saturated 2×2 table the estimate is the odds
//! ratio with ½ added to each cell (Haldane–Anscombe).

use super::linalg::{Cholesky, dot};
use super::logistic::{Pattern, information, log_likelihood, patterns};
use super::{
    Coefficient, Convergence, Design, Estimable, Interval, NotEstimable, check_level, largest, logistic_function,
    p_columns_missing,
};
use crate::stats::quantiles::{chi2_quantile, chi2_sf};
use serde::Serialize;

/// A penalised fit. `statistic` of a coefficient is the signed root of its penalised likelihood ratio, its interval
/// and `p` are of the profile penalised likelihood; `standard_error` is from the inverse information at the estimate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FirthFit {
    pub coefficients: Vec<Coefficient>,
    pub covariance: Vec<Vec<f64>>,
    pub penalised_log_likelihood: f64,
    /// log L(β) without the penalty.
    pub log_likelihood: f64,
    pub observations: usize,
    pub events: usize,
    pub convergence: Convergence,
}

/// Fits by Firth's penalised likelihood. Codes: `collinear`, `not_converged`, `invalid_level`.
pub fn fit(design: &Design, level: f64) -> Estimable<FirthFit> {
    check_level(level)?;
    let patterns = patterns(design);
    let names = design.names();
    let full = maximise(&patterns, vec![0.0; names.len()], None, names)?;
    let covariance = full.factor.inverse();
    let coefficients = (0..names.len())
        .map(|k| {
            let profile = Profile { patterns: &patterns, names, k, maximum: &full };
            let standard_error = covariance[(k, k)].sqrt();
            let ratio = profile.ratio_at(0.0)?;
            let interval = Interval {
                lower: profile.limit(-standard_error, level)?,
                upper: profile.limit(standard_error, level)?,
                level,
                method: "profile penalised likelihood",
            };
            let statistic = ratio.max(0.0).sqrt().copysign(full.beta[k]);
            let p = chi2_sf(ratio.max(0.0), 1.0);
            Coefficient::with_interval(&names[k], full.beta[k], standard_error, statistic, None, p, interval)
        })
        .collect::<Estimable<Vec<_>>>()?;
    Ok(FirthFit {
        coefficients,
        covariance: covariance.to_rows(),
        penalised_log_likelihood: full.value,
        log_likelihood: log_likelihood(&patterns, &full.beta),
        observations: design.observations(),
        events: design.events(),
        convergence: full.convergence,
    })
}

struct Maximum {
    beta: Vec<f64>,
    value: f64,
    factor: Cholesky,
    convergence: Convergence,
}

/// log L*(β) and the factor of I(β); `None` where the weights have vanished (log |I| → −∞).
fn penalised(patterns: &[Pattern], beta: &[f64]) -> Option<(f64, Cholesky)> {
    let factor = Cholesky::new(&information(patterns, beta)).ok()?;
    let value = log_likelihood(patterns, beta) + 0.5 * factor.log_determinant();
    value.is_finite().then_some((value, factor))
}

/// Maximises log L* over all coefficients, or over all but `held`, from `start`. The step is I⁻¹U*, halved until
/// log L* does not fall.
fn maximise(patterns: &[Pattern], start: Vec<f64>, held: Option<usize>, names: &[String]) -> Estimable<Maximum> {
    const ITERATIONS: usize = 500;
    const TOLERANCE: f64 = 1e-10;
    const LONGEST_STEP: f64 = 5.0;
    let mut beta = start;
    let Some((mut value, mut factor)) = penalised(patterns, &beta) else {
        let column = Cholesky::new(&information(patterns, &beta)).err().unwrap_or(0);
        return Err(p_columns_missing(names, column));
    };
    for iteration in 1..=ITERATIONS {
        let mut score = vec![0.0; beta.len()];
        for pattern in patterns {
            let pi = logistic_function(dot(&pattern.x, &beta));
            let leverage = pattern.n * pi * (1.0 - pi) * dot(&pattern.x, &factor.solve(&pattern.x));
            let residual = pattern.events - pattern.n * pi + leverage * (0.5 - pi);
            for (s, x) in score.iter_mut().zip(&pattern.x) {
                *s += residual * x;
            }
        }
        let step = match held {
            None => factor.solve(&score),
            Some(k) => {
                score.remove(k);
                let reduced = Cholesky::new(&information(patterns, &beta).without(k))
                    .map_err(|column| p_columns_missing(names, column))?;
                let mut step = reduced.solve(&score);
                step.insert(k, 0.0);
                step
            }
        };
        let mut length = (LONGEST_STEP / largest(&step)).min(1.0);
        loop {
            let next: Vec<f64> = beta.iter().zip(&step).map(|(b, s)| b + length * s).collect();
            if let Some((new_value, new_factor)) = penalised(patterns, &next)
                && (new_value >= value - 1e-12 * value.abs() || length < 1e-10)
            {
                (beta, value, factor) = (next, new_value, new_factor);
                break;
            }
            length *= 0.5;
            if length < 1e-30 {
                return Err(NotEstimable::new("not_converged", "the penalised likelihood has no ascent step"));
            }
        }
        let relative = step.iter().zip(&beta).fold(0.0, |most: f64, (s, b)| most.max(s.abs() / (1.0 + b.abs())));
        if relative < TOLERANCE {
            let convergence = Convergence { iterations: iteration, criterion: largest(&step) };
            return Ok(Maximum { beta, value, factor, convergence });
        }
    }
    Err(NotEstimable::new("not_converged", format!("Firth's likelihood did not converge in {ITERATIONS} iterations")))
}

struct Profile<'a> {
    patterns: &'a [Pattern],
    names: &'a [String],
    k: usize,
    maximum: &'a Maximum,
}

impl Profile<'_> {
    /// 2 (log L*(β̂) − max log L* with β_k = b)
    fn ratio_at(&self, b: f64) -> Estimable<f64> {
        let mut start = self.maximum.beta.clone();
        start[self.k] = b;
        let value = if self.maximum.beta.len() == 1 {
            penalised(self.patterns, &start).map_or(f64::NEG_INFINITY, |(value, _)| value)
        } else if penalised(self.patterns, &start).is_none() {
            f64::NEG_INFINITY
        } else {
            maximise(self.patterns, start, Some(self.k), self.names)?.value
        };
        Ok(2.0 * (self.maximum.value - value))
    }

    /// The b on the side of `first_step` where the ratio reaches the χ²₁ quantile: doubling steps, then bisection.
    fn limit(&self, first_step: f64, level: f64) -> Estimable<f64> {
        let target = chi2_quantile(level, 1.0);
        let estimate = self.maximum.beta[self.k];
        let (mut inside, mut outside) = (estimate, estimate + 2.0 * first_step);
        let mut doublings = 0;
        while self.ratio_at(outside)? < target {
            inside = outside;
            outside = estimate + 2.0 * (outside - estimate);
            doublings += 1;
            if doublings > 60 {
                return Err(NotEstimable::new(
                    "unbounded_profile",
                    format!("the penalised likelihood of {} does not fall to the limit", self.names[self.k]),
                ));
            }
        }
        while (outside - inside).abs() > 1e-11 * (1.0 + inside.abs()) {
            let middle = 0.5 * (inside + outside);
            if self.ratio_at(middle)? < target {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        Ok(0.5 * (inside + outside))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_by_two(counts: [[usize; 2]; 2]) -> Design {
        let mut levels = Vec::new();
        let mut outcome = Vec::new();
        for (level, [events, others]) in ["1", "2"].into_iter().zip(counts) {
            for (count, y) in [(events, true), (others, false)] {
                levels.extend(std::iter::repeat_n(level, count));
                outcome.extend(std::iter::repeat_n(y, count));
            }
        }
        Design::compare(&levels, "1", &outcome).unwrap()
    }

    #[test]
    fn saturated_table_is_haldane_anscombe() {
        for counts in [[[5, 5], [10, 0]], [[20, 40], [30, 10]], [[0, 7], [9, 0]], [[1, 99], [0, 100]]] {
            let fit = fit(&two_by_two(counts), 0.95).unwrap();
            let half = |n: usize| n as f64 + 0.5;
            let want = (half(counts[1][0]) / half(counts[1][1]) / half(counts[0][0]) * half(counts[0][1])).ln();
            let c = &fit.coefficients[1];
            assert!((c.estimate - want).abs() < 1e-9, "{counts:?}: {} {want}", c.estimate);
            assert!(c.interval.lower < c.estimate && c.estimate < c.interval.upper);
        }
    }

    #[test]
    fn interval_and_p_value_tell_the_same() {
        // the 95 % profile interval excludes 0 exactly where the penalised likelihood ratio test has p < 0.05
        for events in 0..=12 {
            let fit = fit(&two_by_two([[6, 6], [events, 12 - events]]), 0.95).unwrap();
            let c = &fit.coefficients[1];
            assert_eq!(c.p < 0.05, c.interval.lower > 0.0 || c.interval.upper < 0.0, "{events} events");
        }
    }

    #[test]
    fn limit_lies_where_the_ratio_is_the_quantile() {
        let design = two_by_two([[5, 5], [10, 0]]);
        let patterns = patterns(&design);
        let maximum = maximise(&patterns, vec![0.0; 2], None, design.names()).unwrap();
        let profile = Profile { patterns: &patterns, names: design.names(), k: 1, maximum: &maximum };
        let lower = profile.limit(-1.0, 0.95).unwrap();
        assert!((profile.ratio_at(lower).unwrap() - 3.841_458_820_694_124).abs() < 1e-7);
    }
}
