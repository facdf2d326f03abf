//! Logistic regression of independent observations by maximum likelihood.
//!
//! Newton's method on log L(β) = Σ yᵢηᵢ − log(1 + exp ηᵢ), η = Xβ, which for this canonical link is iteratively
//! reweighted least squares (McCullagh & Nelder 1989, §4.4). Equal rows are added up first, so that neither the
//! order of the rows nor their number costs anything.
//!
//! Where a covariate separates the outcomes no maximum exists (Albert & Anderson 1984). That is detected by a
//! certificate and never by a large standard error: a direction γ with xᵢᵀγ ≥ 0 for every event, ≤ 0 for every
//! non-event and not all zero. [`fit_or_penalise`] then uses Firth's likelihood and says so.

use super::firth::{self, FirthFit};
use super::linalg::{Cholesky, Matrix, dot};
use super::{
    Coefficient, Convergence, Design, Estimable, NotEstimable, check_level, compare_rows, largest, logistic_function,
    p_columns_missing, softplus,
};
use serde::Serialize;

/// A maximum likelihood fit. Intervals and p-values are Wald's with the inverse Fisher information.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogisticFit {
    pub coefficients: Vec<Coefficient>,
    pub covariance: Vec<Vec<f64>>,
    pub log_likelihood: f64,
    /// Log-likelihood of the model with the intercept alone.
    pub null_log_likelihood: f64,
    pub observations: usize,
    pub events: usize,
    pub convergence: Convergence,
}

/// Which likelihood the odds ratios come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Logistic {
    MaximumLikelihood(LogisticFit),
    /// Firth's likelihood, because the maximum likelihood estimate does not exist; `because` says why.
    Penalised {
        fit: FirthFit,
        because: NotEstimable,
    },
}

/// Fits by maximum likelihood. Codes: `separation`, `collinear`, `not_converged`, `invalid_level`.
pub fn fit(design: &Design, level: f64) -> Estimable<LogisticFit> {
    check_level(level)?;
    let patterns = patterns(design);
    let maximum = maximise(&patterns, design.names())?;
    let coefficients = (0..design.parameters())
        .map(|k| {
            let variance = maximum.covariance[(k, k)];
            Coefficient::wald(&design.names()[k], maximum.beta[k], variance, None, level, "Wald")
        })
        .collect::<Estimable<Vec<_>>>()?;
    let (n, events) = (design.observations() as f64, design.events() as f64);
    let rate = events / n;
    Ok(LogisticFit {
        coefficients,
        covariance: maximum.covariance.to_rows(),
        log_likelihood: log_likelihood(&patterns, &maximum.beta),
        null_log_likelihood: events * rate.ln() + (n - events) * (1.0 - rate).ln(),
        observations: design.observations(),
        events: design.events(),
        convergence: maximum.convergence,
    })
}

/// Fits by maximum likelihood where that exists, else by Firth's penalised likelihood.
pub fn fit_or_penalise(design: &Design, level: f64) -> Estimable<Logistic> {
    match fit(design, level) {
        Ok(fit) => Ok(Logistic::MaximumLikelihood(fit)),
        Err(because) if because.code == "separation" => {
            Ok(Logistic::Penalised { fit: firth::fit(design, level)?, because })
        }
        Err(other) => Err(other),
    }
}

/// Observations that share their covariates.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    pub x: Vec<f64>,
    pub n: f64,
    pub events: f64,
}

/// The distinct rows in sorted order with their counts.
pub(super) fn patterns(design: &Design) -> Vec<Pattern> {
    let mut order: Vec<usize> = (0..design.observations()).collect();
    order.sort_by(|a, b| compare_rows(design.row(*a), design.row(*b)));
    let mut out: Vec<Pattern> = Vec::new();
    for i in order {
        let event = if design.outcome[i] { 1.0 } else { 0.0 };
        match out.last_mut() {
            Some(last) if last.x == design.row(i) => {
                last.n += 1.0;
                last.events += event;
            }
            _ => out.push(Pattern { x: design.row(i).to_vec(), n: 1.0, events: event }),
        }
    }
    out
}

pub(super) fn log_likelihood(patterns: &[Pattern], beta: &[f64]) -> f64 {
    patterns
        .iter()
        .map(|p| {
            let eta = dot(&p.x, beta);
            // each half on its own, so that a fitted probability of 0 or 1 costs no digits
            -p.events * softplus(-eta) - (p.n - p.events) * softplus(eta)
        })
        .sum()
}

/// XᵀWX with W = n π (1 − π).
pub(super) fn information(patterns: &[Pattern], beta: &[f64]) -> Matrix {
    let mut out = Matrix::zeros(beta.len(), beta.len());
    for p in patterns {
        let pi = logistic_function(dot(&p.x, beta));
        out.add_outer(p.n * pi * (1.0 - pi), &p.x);
    }
    out
}

pub(super) struct Maximum {
    pub beta: Vec<f64>,
    pub covariance: Matrix,
    pub convergence: Convergence,
}

/// Newton's method from β = 0 with step halving; the log-likelihood is concave.
pub(super) fn maximise(patterns: &[Pattern], names: &[String]) -> Estimable<Maximum> {
    const ITERATIONS: usize = 100;
    const TOLERANCE: f64 = 1e-11;
    let p = names.len();
    let mut beta = vec![0.0; p];
    // at β = 0 the information is XᵀX/4: a column that depends on others shows here, before any separation can
    Cholesky::new(&information(patterns, &beta)).map_err(|column| p_columns_missing(names, column))?;
    let mut value = log_likelihood(patterns, &beta);
    for iteration in 1..=ITERATIONS {
        let mut score = vec![0.0; p];
        for pattern in patterns {
            let residual = pattern.events - pattern.n * logistic_function(dot(&pattern.x, &beta));
            for (s, x) in score.iter_mut().zip(&pattern.x) {
                *s += residual * x;
            }
        }
        let Ok(factor) = Cholesky::new(&information(patterns, &beta)) else {
            // weights vanish along a direction in which the likelihood only grows
            return Err(separation_or_failure(patterns, &beta, names, iteration));
        };
        let step = factor.solve(&score);
        if separates(patterns, &step) {
            return Err(separation(patterns, &step, names));
        }
        let mut length = 1.0;
        let mut next: Vec<f64>;
        loop {
            next = beta.iter().zip(&step).map(|(b, s)| b + length * s).collect();
            let new_value = log_likelihood(patterns, &next);
            if new_value >= value - 1e-12 * value.abs() || length < 1e-8 {
                value = new_value;
                break;
            }
            length *= 0.5;
        }
        beta = next;
        let relative = step.iter().zip(&beta).fold(0.0, |most: f64, (s, b)| most.max(s.abs() / (1.0 + b.abs())));
        if relative < TOLERANCE {
            let factor = Cholesky::new(&information(patterns, &beta)).map_err(|k| p_columns_missing(names, k))?;
            let convergence = Convergence { iterations: iteration, criterion: largest(&step) };
            return Ok(Maximum { beta, covariance: factor.inverse(), convergence });
        }
    }
    Err(separation_or_failure(patterns, &beta, names, ITERATIONS))
}

/// Is γ a direction of recession: xᵀγ ≥ 0 on events, ≤ 0 on non-events, 0 where both occur, and not 0 everywhere?
/// In a separated problem Newton's step becomes such a direction after a few iterations, and no finite maximum
/// exists if there is one; in any other problem no direction passes, because some pattern has the wrong sign.
fn separates(patterns: &[Pattern], gamma: &[f64]) -> bool {
    let along: Vec<f64> = patterns.iter().map(|p| dot(&p.x, gamma)).collect();
    let scale = largest(&along);
    // the last steps of a converging fit are rounding error and prove nothing; separated steps keep a length near 1
    if scale < 1e-3 {
        return false;
    }
    let zero = 1e-7 * scale;
    patterns.iter().zip(&along).all(|(p, a)| {
        if p.events == p.n {
            *a >= -zero
        } else if p.events == 0.0 {
            *a <= zero
        } else {
            a.abs() <= zero
        }
    })
}

fn separation(patterns: &[Pattern], gamma: &[f64], names: &[String]) -> NotEstimable {
    let scale = largest(gamma);
    let involved: Vec<&str> =
        names.iter().zip(gamma).filter(|(_, g)| g.abs() > 1e-6 * scale).map(|(n, _)| n.as_str()).collect();
    let cells = patterns.iter().filter(|p| p.events == 0.0 || p.events == p.n).count();
    NotEstimable::new(
        "separation",
        format!(
            "the outcome is separated along {}: {cells} of {} covariate patterns hold one outcome only, \
             so the maximum likelihood odds ratio is infinite",
            involved.join(", "),
            patterns.len()
        ),
    )
}

fn separation_or_failure(patterns: &[Pattern], beta: &[f64], names: &[String], iterations: usize) -> NotEstimable {
    if separates(patterns, beta) {
        return separation(patterns, beta, names);
    }
    NotEstimable::new("not_converged", format!("logistic regression did not converge in {iterations} iterations"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2×2 counts (events, non-events) of the reference and the compared modality as one design.
    pub(crate) fn two_by_two(counts: [[usize; 2]; 2]) -> Design {
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
    fn saturated_model_is_the_table_and_woolf() {
        // odds ratio (30·40)/(10·20) = 6, Woolf variance 1/30 + 1/10 + 1/20 + 1/40
        let fit = fit(&two_by_two([[20, 40], [30, 10]]), 0.95).unwrap();
        let c = &fit.coefficients[1];
        assert!((c.odds_ratio - 6.0).abs() < 1e-10);
        assert!((c.standard_error.powi(2) - (1.0 / 20.0 + 1.0 / 40.0 + 1.0 / 30.0 + 0.1)).abs() < 1e-10);
        assert_eq!((fit.observations, fit.events), (100, 50));
    }

    #[test]
    fn an_empty_cell_is_separation_and_goes_to_firth() {
        let design = two_by_two([[5, 5], [10, 0]]);
        let error = fit(&design, 0.95).unwrap_err();
        assert_eq!(error.code, "separation");
        assert!(matches!(fit_or_penalise(&design, 0.95), Ok(Logistic::Penalised { .. })));
    }

    #[test]
    fn a_continuous_covariate_that_splits_the_outcomes_is_separation() {
        let rows: Vec<Vec<f64>> = (0..20).map(|i| vec![f64::from(i), f64::from(i % 3)]).collect();
        let outcome: Vec<bool> = (0..20).map(|i| i >= 10).collect();
        let design = Design::new(&["score", "other"], &rows, &outcome).unwrap();
        assert_eq!(fit(&design, 0.95).unwrap_err().code, "separation");
    }

    #[test]
    fn nearly_separated_data_still_have_their_maximum() {
        let rows: Vec<Vec<f64>> = (0..20).map(|i| vec![f64::from(i)]).collect();
        let outcome: Vec<bool> = (0..20).map(|i| i == 9 || i >= 11).collect();
        let design = Design::new(&["score"], &rows, &outcome).unwrap();
        assert!(fit(&design, 0.95).is_ok());
    }

    #[test]
    fn one_outcome_only_is_separation() {
        let design = two_by_two([[5, 0], [5, 0]]);
        assert_eq!(fit(&design, 0.95).unwrap_err().code, "separation");
    }

    #[test]
    fn a_repeated_covariate_is_named() {
        let rows: Vec<Vec<f64>> = (0..10).map(|i| vec![f64::from(i % 4), 2.0 * f64::from(i % 4)]).collect();
        let outcome: Vec<bool> = (0..10).map(|i| i % 2 == 0).collect();
        let error = fit(&Design::new(&["a", "twice_a"], &rows, &outcome).unwrap(), 0.95).unwrap_err();
        assert_eq!(error.code, "collinear");
        assert!(error.reason.contains("twice_a"));
    }
}
