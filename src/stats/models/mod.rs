//! Odds ratios with and without CAD, as the reader-study literature reports them.
//!
//! | question | model | file |
//! | --- | --- | --- |
//! | one reading a case, independent cases | logistic regression (maximum likelihood) | [`logistic`] |
//! | an empty cell, or classes that a covariate separates | Firth's penalised likelihood | [`firth`] |
//! | average over readers, clustered cases or readers | generalised estimating equations | [`gee`] |
//! | readers and cases both a sample (crossed) | logit mixed model, Laplace | [`glmm`] |
//! | matched readings (same case, same reader) | conditional logistic, exact | [`clogit`] |
//!
//! The outcome is what the caller makes `true`: a correct decision, a recall, a detected cancer. All models take the
//! same [`Design`] and give the same [`Coefficient`]s, so that a report can put them in one table. No answer depends
//! on the order of the rows: every model sorts them itself.

pub mod clogit;
pub mod firth;
pub mod gee;
pub mod glmm;
mod laplace;
mod linalg;

pub mod logistic;

use super::quantiles::{norm_quantile, norm_sf, t_quantile, t_two_sided_p};
use super::{Estimable, Interval, NotEstimable};
use linalg::Matrix;
use serde::Serialize;

/// The name of the first coefficient of every model that has one.
pub const INTERCEPT: &str = "(Intercept)";

/// A binary outcome and its covariates; the intercept is the first column and always there.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    names: Vec<String>,
    /// n × p, first column all ones
    x: Matrix,
    outcome: Vec<bool>,
}

impl Design {
    /// `rows[i]` holds the covariates of observation `i`, without the intercept; `covariates` names them.
    pub fn new(covariates: &[&str], rows: &[Vec<f64>], outcome: &[bool]) -> Estimable<Self> {
        let invalid = |reason: String| Err(NotEstimable::new("invalid_design", reason));
        if rows.len() != outcome.len() {
            return invalid(format!("{} rows of covariates but {} outcomes", rows.len(), outcome.len()));
        }
        if outcome.is_empty() {
            return Err(NotEstimable::new("no_observations", "a regression needs observations: n = 0"));
        }
        let mut x = Matrix::zeros(rows.len(), covariates.len() + 1);
        for (i, row) in rows.iter().enumerate() {
            if row.len() != covariates.len() {
                return invalid(format!("row {i} has {} covariates, not {}", row.len(), covariates.len()));
            }
            x[(i, 0)] = 1.0;
            for (j, value) in row.iter().enumerate() {
                if !value.is_finite() {
                    return invalid(format!("covariate {} of row {i} is {value}", covariates[j]));
                }
                x[(i, j + 1)] = *value;
            }
        }
        let names = std::iter::once(INTERCEPT).chain(covariates.iter().copied()).map(str::to_owned).collect();
        Ok(Self { names, x, outcome: outcome.to_vec() })
    }

    /// Treatment coding of one factor against `reference`: a column for each other level, in sorted order, 1 where
    /// the observation has it. With two modalities the one coefficient is the log odds ratio against `reference`.
    pub fn compare(levels: &[&str], reference: &str, outcome: &[bool]) -> Estimable<Self> {
        let factor = Factor::new(levels);
        if !factor.levels.iter().any(|level| level == reference) {
            return Err(NotEstimable::new(
                "invalid_design",
                format!("reference level {reference} is not among the levels {}", factor.levels.join(", ")),
            ));
        }
        let others: Vec<&str> = factor.levels.iter().map(String::as_str).filter(|level| *level != reference).collect();
        let rows: Vec<Vec<f64>> = levels
            .iter()
            .map(|level| others.iter().map(|other| if other == level { 1.0 } else { 0.0 }).collect())
            .collect();
        Self::new(&others, &rows, outcome)
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn observations(&self) -> usize {
        self.outcome.len()
    }

    pub fn events(&self) -> usize {
        self.outcome.iter().filter(|y| **y).count()
    }

    fn parameters(&self) -> usize {
        self.names.len()
    }

    fn row(&self, i: usize) -> &[f64] {
        self.x.row(i)
    }
}

/// Cluster labels (readers, cases, strata) with their levels in sorted order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    pub levels: Vec<String>,
    /// Index into `levels`, one an observation.
    pub codes: Vec<usize>,
}

impl Factor {
    pub fn new<S: AsRef<str>>(labels: &[S]) -> Self {
        let mut levels: Vec<String> = labels.iter().map(|label| label.as_ref().to_owned()).collect();
        levels.sort();
        levels.dedup();
        let codes = labels
            .iter()
            .map(|label| levels.binary_search_by(|level| level.as_str().cmp(label.as_ref())).expect("level is listed"))
            .collect();
        Self { levels, codes }
    }

    /// Every combination of two factors that occurs (for example reader × case as the strata of matched readings).
    pub fn crossed(&self, other: &Factor) -> Self {
        let labels: Vec<String> = (0..self.codes.len())
            .map(|i| format!("{}\u{1f}{}", self.levels[self.codes[i]], other.levels[other.codes[i]]))
            .collect();
        Self::new(&labels)
    }
}

/// One coefficient of a fitted model on the logit scale, and its odds ratio.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coefficient {
    pub name: String,
    pub estimate: f64,
    pub standard_error: f64,
    /// Wald statistic estimate / SE; compared with t where `degrees_of_freedom` is given, else with the normal.
    pub statistic: f64,
    pub degrees_of_freedom: Option<f64>,
    /// Two-sided p-value of the hypothesis that the coefficient is 0.
    pub p: f64,
    pub interval: Interval,
    /// exp(estimate): an odds ratio; for the intercept the odds of the reference.
    pub odds_ratio: f64,
    pub odds_ratio_interval: Interval,
}

impl Coefficient {
    /// Wald inference: z = β/SE, interval β ± q·SE, odds ratio exp(·) of each.
    fn wald(
        name: &str,
        estimate: f64,
        variance: f64,
        degrees_of_freedom: Option<f64>,
        level: f64,
        method: &'static str,
    ) -> Estimable<Self> {
        if !(variance > 0.0 && variance.is_finite() && estimate.is_finite()) {
            return Err(NotEstimable::new(
                "no_variance",
                format!("coefficient {name} has estimate {estimate} with variance {variance}"),
            ));
        }
        let standard_error = variance.sqrt();
        let statistic = estimate / standard_error;
        let (quantile, p) = match degrees_of_freedom {
            None => (norm_quantile(0.5 + level / 2.0), (2.0 * norm_sf(statistic.abs())).min(1.0)),
            Some(df) => (t_quantile(0.5 + level / 2.0, df), t_two_sided_p(statistic, df)),
        };
        let half = quantile * standard_error;
        let interval = Interval { lower: estimate - half, upper: estimate + half, level, method };
        Self::with_interval(name, estimate, standard_error, statistic, degrees_of_freedom, p, interval)
    }

    fn with_interval(
        name: &str,
        estimate: f64,
        standard_error: f64,
        statistic: f64,
        degrees_of_freedom: Option<f64>,
        p: f64,
        interval: Interval,
    ) -> Estimable<Self> {
        let odds_ratio_interval = Interval { lower: interval.lower.exp(), upper: interval.upper.exp(), ..interval };
        if !odds_ratio_interval.upper.is_finite() {
            return Err(NotEstimable::new(
                "odds_ratio_overflow",
                format!(
                    "the upper limit of {name} on the logit scale is {:.1}, too large for an odds ratio",
                    interval.upper
                ),
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            estimate,
            standard_error,
            statistic,
            degrees_of_freedom,
            p,
            interval,
            odds_ratio: estimate.exp(),
            odds_ratio_interval,
        })
    }
}

/// How the iterations ended. A model that did not converge is an error and has no `Convergence`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Convergence {
    pub iterations: usize,
    /// Largest absolute value of the final Newton step (models by Newton) or gradient (mixed model), per parameter.
    pub criterion: f64,
}

/// How many clusters there are and how large they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ClusterFacts {
    pub clusters: usize,
    pub smallest: usize,
    pub largest: usize,
}

impl ClusterFacts {
    fn of(factor: &Factor) -> Self {
        let mut sizes = vec![0_usize; factor.levels.len()];
        for code in &factor.codes {
            sizes[*code] += 1;
        }
        Self {
            clusters: sizes.len(),
            smallest: sizes.iter().copied().min().unwrap_or(0),
            largest: sizes.iter().copied().max().unwrap_or(0),
        }
    }
}

fn check_level(level: f64) -> Estimable<()> {
    if level > 0.0 && level < 1.0 {
        return Ok(());
    }
    Err(NotEstimable::new("invalid_level", format!("a confidence level lies between 0 and 1, not at {level}")))
}

fn check_labels(design: &Design, factor: &Factor, what: &str) -> Estimable<()> {
    if factor.codes.len() == design.observations() {
        return Ok(());
    }
    Err(NotEstimable::new(
        "invalid_design",
        format!("{} {what} labels for {} observations", factor.codes.len(), design.observations()),
    ))
}

/// log(1 + eˣ) without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// 1 / (1 + e⁻ˣ)
fn logistic_function(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most: f64, v| most.max(v.abs()))
}

fn compare_rows(a: &[f64], b: &[f64]) -> std::cmp::Ordering {
    a.iter().zip(b).map(|(x, y)| x.total_cmp(y)).find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
}

fn p_columns_missing(names: &[String], column: usize) -> NotEstimable {
    let name = names.get(column).map_or("?", String::as_str);
    NotEstimable::new("collinear", format!("covariate {name} is a linear combination of those before it"))
}
