//! Cohen's kappa of two readers on the same cases (Cohen 1960; weighted: Cohen 1968).
//!
//! κ = (p_o − p_e)/(1 − p_e) with p_o = Σ w_ij p_ij and p_e = Σ w_ij p_i. p_.j. Two standard errors exist and are not the
//! same: the large-sample one for intervals and the one under κ = 0 for the test (Fleiss, Cohen & Everitt 1969,
//! Psychol Bull 72:323, eqs. 13, 14 and 9).

use super::{NotEstimable, Weights, check_level, one_category};
use crate::stats::quantiles::{norm_multiplier, norm_two_sided_p};
use crate::stats::{Estimable, Interval};
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CohenKappa {
    pub weights: Weights,
    /// Cases that both readers rated.
    pub cases: u64,
    /// p_o, weighted where the kappa is.
    pub observed_agreement: f64,
    /// p_e
    pub chance_agreement: f64,
    /// Share of cases with exactly the same category.
    pub raw_agreement: f64,
    /// Ratings of each category, both readers together.
    pub category_counts: Vec<u64>,
    /// Undefined (`one_category`) where chance agreement is 1.
    pub kappa: Estimable<Kappa>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Kappa {
    pub estimate: f64,
    /// Large-sample standard error; 0 where no disagreement was seen, which is not certainty.
    pub standard_error: f64,
    pub interval: Interval,
    /// Standard error under κ = 0.
    pub null_standard_error: f64,
    /// κ / null standard error
    pub z: f64,
    /// Two-sided p-value of κ = 0.
    pub p: f64,
    /// The largest kappa that the two readers' category totals allow (unweighted).
    pub maximum: f64,
}

/// Kappa from the square table `table[first reader's category][second reader's category]`.
/// Codes: `invalid_ratings` (not square, fewer than two categories), `no_observations`, `invalid_level`.
pub fn cohen(table: &[Vec<u64>], weights: Weights, level: f64) -> Estimable<CohenKappa> {
    check_level(level)?;
    let q = table.len();
    if q < 2 || table.iter().any(|row| row.len() != q) {
        return Err(NotEstimable::new("invalid_ratings", "kappa needs a square table of two or more categories"));
    }
    let cases: u64 = table.iter().flatten().sum();
    if cases == 0 {
        return Err(NotEstimable::new("no_observations", "no case was rated by both readers"));
    }
    let n = cases as f64;
    let p = |i: usize, j: usize| table[i][j] as f64 / n;
    let rows: Vec<f64> = (0..q).map(|i| table[i].iter().sum::<u64>() as f64 / n).collect();
    let columns: Vec<f64> = (0..q).map(|j| table.iter().map(|row| row[j]).sum::<u64>() as f64 / n).collect();
    let w = |i: usize, j: usize| weights.of(i, j, q);
    let pairs = || (0..q).flat_map(move |i| (0..q).map(move |j| (i, j)));
    let observed: f64 = pairs().map(|(i, j)| w(i, j) * p(i, j)).sum();
    let chance: f64 = pairs().map(|(i, j)| w(i, j) * rows[i] * columns[j]).sum();
    let category_counts: Vec<u64> =
        (0..q).map(|i| table[i].iter().sum::<u64>() + table.iter().map(|row| row[i]).sum::<u64>()).collect();
    let raw: u64 = (0..q).map(|i| table[i][i]).sum();
    // exact: chance agreement is 1 when both readers used one and the same category
    let constant = category_counts.iter().filter(|c| **c > 0).count() == 1;
    let kappa = if constant {
        Err(one_category(&category_counts))
    } else {
        let estimate = (observed - chance) / (1.0 - chance);
        // mean weight of a row category over the columns' totals, and the reverse
        let row_weight: Vec<f64> = (0..q).map(|i| (0..q).map(|j| w(i, j) * columns[j]).sum()).collect();
        let column_weight: Vec<f64> = (0..q).map(|j| (0..q).map(|i| w(i, j) * rows[i]).sum()).collect();
        let spread: f64 = pairs()
            .map(|(i, j)| {
                let term = w(i, j) * (1.0 - chance) - (row_weight[i] + column_weight[j]) * (1.0 - observed);
                p(i, j) * term * term
            })
            .sum();
        let centre = observed * chance - 2.0 * chance + observed;
        // with perfect agreement both parts are equal and only rounding is left
        let variance =
            if raw == cases { 0.0 } else { (spread - centre * centre).max(0.0) / (n * (1.0 - chance).powi(4)) };
        let null_spread: f64 =
            pairs().map(|(i, j)| rows[i] * columns[j] * (w(i, j) - row_weight[i] - column_weight[j]).powi(2)).sum();
        let null_variance = (null_spread - chance * chance) / (n * (1.0 - chance).powi(2));
        let plain_chance: f64 = (0..q).map(|i| rows[i] * columns[i]).sum();
        let most: f64 = (0..q).map(|i| rows[i].min(columns[i])).sum();
        if null_variance > 1e-14 / n {
            let null_standard_error = null_variance.sqrt();
            let z = estimate / null_standard_error;
            let standard_error = variance.sqrt();
            let half = norm_multiplier(level) * standard_error;
            Ok(Kappa {
                estimate,
                standard_error,
                interval: Interval {
                    lower: (estimate - half).max(-1.0),
                    upper: (estimate + half).min(1.0),
                    level,
                    method: "Fleiss–Cohen–Everitt",
                },
                null_standard_error,
                z,
                p: norm_two_sided_p(z),
                maximum: (most - plain_chance) / (1.0 - plain_chance),
            })
        } else {
            Err(NotEstimable::new(
                "one_reader_constant",
                "one reader gave a single category: kappa is 0 whatever the other reader says, and has no variance",
            ))
        }
    };
    Ok(CohenKappa {
        weights,
        cases,
        observed_agreement: observed,
        chance_agreement: chance,
        raw_agreement: raw as f64 / n,
        category_counts,
        kappa,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_says_the_same() {
        // T17: 2 readers, 50 cases, all negative
        let found = cohen(&[vec![50, 0], vec![0, 0]], Weights::Unweighted, 0.95).unwrap();
        assert_eq!((found.raw_agreement, found.observed_agreement, found.chance_agreement), (1.0, 1.0, 1.0));
        assert_eq!(found.kappa.as_ref().unwrap_err().code, "one_category");
        assert_eq!(found.category_counts, vec![100, 0]);
    }

    #[test]
    fn one_constant_reader_has_no_variance() {
        let found = cohen(&[vec![30, 20], vec![0, 0]], Weights::Unweighted, 0.95).unwrap();
        assert_eq!(found.kappa.unwrap_err().code, "one_reader_constant");
        assert_eq!(found.raw_agreement, 0.6);
    }

    #[test]
    fn two_categories_have_one_kappa_whatever_the_weights() {
        let table = [vec![20, 5], vec![10, 15]];
        let kappa = |w| cohen(&table, w, 0.95).unwrap().kappa.unwrap().estimate;
        assert!((kappa(Weights::Unweighted) - 0.4).abs() < 1e-15);
        assert!((kappa(Weights::Linear) - kappa(Weights::Quadratic)).abs() < 1e-15);
    }
}
