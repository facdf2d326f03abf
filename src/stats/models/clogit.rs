//! Conditional logistic regression for matched readings: the odds ratio within strata (same case, same reader).
//!
//! A stratum of n observations with m events has the conditional likelihood exp(Σ_events xᵀβ) / Σ_S exp(Σ_S xᵀβ) over
//! all subsets S of size m, which holds no stratum effect. The sum is built up by the recursion of Gail, Lubin &
//! Rubinstein 1981 (Biometrika 68:703): B(m,k) = B(m,k−1) + exp(xₖᵀβ)·B(m−1,k−1). Here log B is carried together with
//! the mean and the covariance of Σ_S x under the same distribution, as a mixture of two: nothing overflows or cancels
//! however large the stratum is, and Newton's method has its exact derivatives.
//!
//! With one reading a modality in each stratum the odds ratio is the ratio of the two discordant counts.

use super::linalg::{Cholesky, Matrix, dot};
use super::{
    Coefficient, Convergence, Design, Estimable, Factor, NotEstimable, check_labels, check_level, compare_rows,
    largest, p_columns_missing,
};
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConditionalFit {
    /// Without an intercept, which the conditioning removes.
    pub coefficients: Vec<Coefficient>,
    pub covariance: Vec<Vec<f64>>,
    /// Conditional log-likelihood at the estimate and at β = 0.
    pub log_likelihood: f64,
    pub null_log_likelihood: f64,
    pub observations: usize,
    pub events: usize,
    pub strata: usize,
    /// Strata that hold both outcomes; the others say nothing about β.
    pub informative_strata: usize,
    pub convergence: Convergence,
}

/// Fits the exact conditional likelihood. The design's intercept is left out.
///
/// Codes: `no_informative_stratum`, `no_covariate`, `collinear` (a covariate that is constant within every stratum, or
/// depends on others there), `separation` (the likelihood only grows, as with discordant pairs of one kind),
/// `not_converged`.
pub fn fit(design: &Design, strata: &Factor, level: f64) -> Estimable<ConditionalFit> {
    check_level(level)?;
    check_labels(design, strata, "stratum")?;
    let names = &design.names()[1..];
    if names.is_empty() {
        return Err(NotEstimable::new("no_covariate", "conditional logistic regression needs a covariate"));
    }
    let groups = gather(design, strata);
    if groups.is_empty() {
        return Err(NotEstimable::new(
            "no_informative_stratum",
            format!("none of the {} strata holds both outcomes", strata.levels.len()),
        ));
    }
    let maximum = maximise(&groups, names)?;
    let coefficients = (0..names.len())
        .map(|k| Coefficient::wald(&names[k], maximum.beta[k], maximum.covariance[(k, k)], None, level, "Wald"))
        .collect::<Estimable<Vec<_>>>()?;
    Ok(ConditionalFit {
        coefficients,
        covariance: maximum.covariance.to_rows(),
        log_likelihood: maximum.value,
        null_log_likelihood: evaluate(&groups, &vec![0.0; names.len()]).value,
        observations: design.observations(),
        events: design.events(),
        strata: strata.levels.len(),
        informative_strata: groups.iter().map(|g| g.times).sum(),
        convergence: maximum.convergence,
    })
}

/// A stratum with both outcomes: its covariates (sorted), the number and covariate sum of its events, and how often
/// the same stratum occurs.
#[derive(Debug, Clone, PartialEq)]
struct Stratum {
    rows: Vec<Vec<f64>>,
    events: usize,
    event_sum: Vec<f64>,
    times: usize,
}

/// Informative strata, equal ones counted once, in the order of their contents.
fn gather(design: &Design, strata: &Factor) -> Vec<Stratum> {
    let mut members: Vec<Vec<(&[f64], bool)>> = vec![Vec::new(); strata.levels.len()];
    for (i, code) in strata.codes.iter().enumerate() {
        members[*code].push((&design.row(i)[1..], design.outcome[i]));
    }
    let p = design.parameters() - 1;
    let mut out: Vec<Stratum> = members
        .into_iter()
        .filter(|rows| rows.iter().any(|r| r.1) && rows.iter().any(|r| !r.1))
        .map(|mut rows| {
            rows.sort_by(|a, b| compare_rows(a.0, b.0).then(a.1.cmp(&b.1)));
            let mut event_sum = vec![0.0; p];
            for (x, _) in rows.iter().filter(|r| r.1) {
                for (s, v) in event_sum.iter_mut().zip(*x) {
                    *s += v;
                }
            }
            let events = rows.iter().filter(|r| r.1).count();
            Stratum { rows: rows.iter().map(|r| r.0.to_vec()).collect(), events, event_sum, times: 1 }
        })
        .collect();
    out.sort_by(|a, b| {
        let rows = a.rows.iter().zip(&b.rows).map(|(x, y)| compare_rows(x, y)).find(|o| o.is_ne());
        let rows = rows.unwrap_or(std::cmp::Ordering::Equal);
        let sizes = a.rows.len().cmp(&b.rows.len()).then(a.events.cmp(&b.events));
        sizes.then(rows).then_with(|| compare_rows(&a.event_sum, &b.event_sum))
    });
    out.dedup_by(|next, kept| {
        let same = next.rows == kept.rows && next.events == kept.events && next.event_sum == kept.event_sum;
        if same {
            kept.times += 1;
        }
        same
    });
    out
}

struct Evaluation {
    value: f64,
    score: Vec<f64>,
    information: Matrix,
}

fn evaluate(groups: &[Stratum], beta: &[f64]) -> Evaluation {
    let p = beta.len();
    let mut out = Evaluation { value: 0.0, score: vec![0.0; p], information: Matrix::zeros(p, p) };
    for stratum in groups {
        let times = stratum.times as f64;
        let subsets = subsets(stratum, beta);
        out.value += times * (dot(&stratum.event_sum, beta) - subsets.log_sum);
        for k in 0..p {
            out.score[k] += times * (stratum.event_sum[k] - subsets.mean[k]);
        }
        out.information = out.information.minus(&subsets.covariance.scaled(-times));
    }
    out
}

/// log Σ_S exp(Σ_S xᵀβ), and mean and covariance of Σ_S x with the terms as weights.
#[derive(Debug, Clone)]
struct Subsets {
    log_sum: f64,
    mean: Vec<f64>,
    covariance: Matrix,
}

fn subsets(stratum: &Stratum, beta: &[f64]) -> Subsets {
    let p = beta.len();
    let empty = Subsets { log_sum: 0.0, mean: vec![0.0; p], covariance: Matrix::zeros(p, p) };
    // row[m]: subsets of size m among the rows seen so far; None where there are none yet
    let mut row: Vec<Option<Subsets>> = vec![None; stratum.events + 1];
    row[0] = Some(empty);
    for (seen, x) in stratum.rows.iter().enumerate() {
        let eta = dot(x, beta);
        // sizes that can still grow to `events` with the rows that are left
        let left = stratum.rows.len() - seen - 1;
        for m in (stratum.events.saturating_sub(left).max(1)..=stratum.events.min(seen + 1)).rev() {
            let Some(with) = row[m - 1].as_ref() else { continue };
            let with_sum = with.log_sum + eta;
            let with_mean: Vec<f64> = with.mean.iter().zip(x).map(|(a, b)| a + b).collect();
            let merged = match row[m].as_ref() {
                None => Subsets { log_sum: with_sum, mean: with_mean, covariance: with.covariance.clone() },
                Some(without) => {
                    let highest = without.log_sum.max(with_sum);
                    let (a, b) = ((without.log_sum - highest).exp(), (with_sum - highest).exp());
                    let share = b / (a + b);
                    let gap: Vec<f64> = with_mean.iter().zip(&without.mean).map(|(w, o)| w - o).collect();
                    let mean = without.mean.iter().zip(&gap).map(|(o, g)| o + share * g).collect();
                    let mut covariance = without.covariance.scaled(1.0 - share).minus(&with.covariance.scaled(-share));
                    covariance.add_outer(share * (1.0 - share), &gap);
                    Subsets { log_sum: highest + (a + b).ln(), mean, covariance }
                }
            };
            row[m] = Some(merged);
        }
    }
    row.pop().flatten().expect("a stratum has at least as many rows as events")
}

struct Maximum {
    beta: Vec<f64>,
    value: f64,
    covariance: Matrix,
    convergence: Convergence,
}

/// Newton's method from β = 0 with step halving; the conditional likelihood is concave.
fn maximise(groups: &[Stratum], names: &[String]) -> Estimable<Maximum> {
    const ITERATIONS: usize = 100;
    const TOLERANCE: f64 = 1e-11;
    let mut beta = vec![0.0; names.len()];
    let mut now = evaluate(groups, &beta);
    Cholesky::new(&now.information).map_err(|column| p_columns_missing(names, column))?;
    for iteration in 1..=ITERATIONS {
        let Ok(factor) = Cholesky::new(&now.information) else {
            return Err(separation(groups, &beta, names));
        };
        let step = factor.solve(&now.score);
        if largest(&step) > 1e-3 && separates(groups, &step) {
            return Err(separation(groups, &step, names));
        }
        let mut length = 1.0;
        loop {
            let next: Vec<f64> = beta.iter().zip(&step).map(|(b, s)| b + length * s).collect();
            let then = evaluate(groups, &next);
            if then.value >= now.value - 1e-12 * now.value.abs() || length < 1e-8 {
                (beta, now) = (next, then);
                break;
            }
            length *= 0.5;
        }
        let relative = step.iter().zip(&beta).fold(0.0, |most: f64, (s, b)| most.max(s.abs() / (1.0 + b.abs())));
        if relative < TOLERANCE {
            let factor = Cholesky::new(&now.information).map_err(|column| p_columns_missing(names, column))?;
            let convergence = Convergence { iterations: iteration, criterion: largest(&step) };
            return Ok(Maximum { beta, value: now.value, covariance: factor.inverse(), convergence });
        }
    }
    Err(separation(groups, &beta, names))
}

/// γ is a direction of recession when in every stratum the events have the largest sum of xᵀγ that any subset of
/// their number can have, and somewhere a smaller one is possible: then the likelihood grows along γ for ever.
fn separates(groups: &[Stratum], gamma: &[f64]) -> bool {
    let mut strict = false;
    for stratum in groups {
        let mut along: Vec<f64> = stratum.rows.iter().map(|x| dot(x, gamma)).collect();
        along.sort_by(|a, b| b.total_cmp(a));
        let zero = 1e-7 * largest(&along).max(1e-300) * along.len() as f64;
        let highest: f64 = along[..stratum.events].iter().sum();
        let lowest: f64 = along[along.len() - stratum.events..].iter().sum();
        if dot(&stratum.event_sum, gamma) < highest - zero {
            return false;
        }
        strict |= highest - lowest > zero;
    }
    strict
}

fn separation(groups: &[Stratum], gamma: &[f64], names: &[String]) -> NotEstimable {
    if !separates(groups, gamma) {
        return NotEstimable::new("not_converged", "the conditional likelihood did not converge");
    }
    let strata: usize = groups.iter().map(|g| g.times).sum();
    NotEstimable::new(
        "separation",
        format!(
            "in all {strata} informative strata the events lie on one side of {}, so the conditional odds ratio is infinite",
            names.join(", ")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `only_first` and `only_second` discordant pairs, `both` concordant ones.
    fn pairs(only_first: usize, only_second: usize, both: usize) -> (Design, Factor) {
        let (mut modality, mut stratum, mut outcome) = (Vec::new(), Vec::new(), Vec::new());
        let kinds = [(only_first, [true, false]), (only_second, [false, true]), (both, [true, true])];
        for (kind, (count, outcomes)) in kinds.into_iter().enumerate() {
            for i in 0..count {
                for m in 0..2 {
                    modality.push(["1", "2"][m]);
                    stratum.push(format!("{kind}-{i}"));
                    outcome.push(outcomes[m]);
                }
            }
        }
        (Design::compare(&modality, "1", &outcome).unwrap(), Factor::new(&stratum))
    }

    #[test]
    fn pairs_give_the_ratio_of_discordant_counts() {
        let (design, strata) = pairs(4, 26, 50);
        let fit = fit(&design, &strata, 0.95).unwrap();
        let c = &fit.coefficients[0];
        assert!((c.odds_ratio - 6.5).abs() < 1e-10);
        assert!((c.standard_error - (1.0_f64 / 4.0 + 1.0 / 26.0).sqrt()).abs() < 1e-10);
        assert!((fit.null_log_likelihood - 30.0 * 0.5_f64.ln()).abs() < 1e-12);
        assert_eq!((fit.strata, fit.informative_strata), (80, 30));
    }

    #[test]
    fn one_kind_of_discordant_pair_is_separation() {
        let (design, strata) = pairs(0, 7, 10);
        assert_eq!(fit(&design, &strata, 0.95).unwrap_err().code, "separation");
    }

    #[test]
    fn no_discordant_pair_says_so() {
        let (design, strata) = pairs(0, 0, 10);
        assert_eq!(fit(&design, &strata, 0.95).unwrap_err().code, "no_informative_stratum");
    }

    #[test]
    fn recursion_equals_the_list_of_subsets() {
        let rows = vec![vec![0.3, 1.0], vec![-1.2, 0.0], vec![0.0, 2.0], vec![2.5, -1.0], vec![0.7, 0.4]];
        let stratum = Stratum { rows: rows.clone(), events: 2, event_sum: vec![0.0, 0.0], times: 1 };
        let beta = [0.8, -0.4];
        let (mut total, mut mean, mut square) = (0.0, [0.0; 2], [0.0; 3]);
        for i in 0..5 {
            for j in 0..i {
                let sum = [rows[i][0] + rows[j][0], rows[i][1] + rows[j][1]];
                let weight = (sum[0] * beta[0] + sum[1] * beta[1]).exp();
                total += weight;
                mean[0] += weight * sum[0];
                mean[1] += weight * sum[1];
                square[0] += weight * sum[0] * sum[0];
                square[1] += weight * sum[0] * sum[1];
                square[2] += weight * sum[1] * sum[1];
            }
        }
        let got = subsets(&stratum, &beta);
        assert!((got.log_sum - total.ln()).abs() < 1e-13);
        let (m0, m1) = (mean[0] / total, mean[1] / total);
        assert!((got.mean[0] - m0).abs() < 1e-13 && (got.mean[1] - m1).abs() < 1e-13);
        assert!((got.covariance[(0, 0)] - (square[0] / total - m0 * m0)).abs() < 1e-12);
        assert!((got.covariance[(0, 1)] - (square[1] / total - m0 * m1)).abs() < 1e-12);
        assert!((got.covariance[(1, 1)] - (square[2] / total - m1 * m1)).abs() < 1e-12);
    }

    #[test]
    fn a_stratum_of_two_thousand_does_not_overflow() {
        let modality: Vec<&str> = (0..2000).map(|i| if i % 2 == 0 { "1" } else { "2" }).collect();
        let outcome: Vec<bool> = (0..2000).map(|i| (i * 7919) % 10 < 5 + i % 2).collect();
        let design = Design::compare(&modality, "1", &outcome).unwrap();
        let strata = Factor::new(&vec!["one"; 2000]);
        let exact = fit(&design, &strata, 0.95).unwrap();
        let plain = super::super::logistic::fit(&design, 0.95).unwrap();
        // one large stratum: the conditional estimate is the unconditional one to order 1/n
        assert!((exact.coefficients[0].estimate - plain.coefficients[1].estimate).abs() < 1e-3);
    }
}
