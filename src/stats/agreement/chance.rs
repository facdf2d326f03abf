//! Chance-corrected agreement of any number of raters, with gaps: Fleiss' kappa, PABAK, Gwet's AC1 and AC2.
//!
//! All have the form (p_a − p_e)/(1 − p_e). With r_ik the ratings of category k that subject i got, r_i = Σ_k r_ik and
//! r*_ik = Σ_l w_kl r_il, p_a is the mean over the n′ subjects with two or more ratings of Σ_k r_ik(r*_ik − 1)/(r_i(r_i−1)).
//! They differ in p_e (Gwet 2014, *Handbook of Inter-Rater Reliability*, 4th ed., ch. 5):
//! Fleiss Σ w_kl π_k π_l (Fleiss 1971); Brennan–Prediger Σ w_kl / q² (Brennan & Prediger 1981; with two categories and
//! no weights the PABAK of Byrt, Bishop & Carlin 1993; Randolph's free-marginal kappa);
//! Gwet Σ w_kl · Σ π_k(1−π_k)/(q(q−1)) (Gwet 2008). π_k is the mean over subjects of r_ik/r_i.
//! Variances are of the linearised subject contributions (ibid.), subjects a sample and raters fixed; t with n − 1.

use super::{NotEstimable, Ratings, Weights, check_level, one_category, sorted_sum};
use crate::stats::quantiles::{norm_two_sided_p, t_multiplier, t_two_sided_p};
use crate::stats::{Estimable, Interval};
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Coefficient {
    FleissKappa,
    /// PABAK with two unweighted categories.
    BrennanPrediger,
    /// AC1 without weights, AC2 with.
    Gwet,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChanceCorrected {
    pub coefficient: Coefficient,
    pub weights: Weights,
    /// Subjects with a rating, and those with two or more, which alone show agreement.
    pub subjects: usize,
    pub subjects_compared: usize,
    /// p_a
    pub observed_agreement: f64,
    /// p_e
    pub chance_agreement: f64,
    pub category_counts: Vec<u64>,
    /// Undefined (`one_category`) where p_e = 1.
    pub estimate: Estimable<Agreement>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    pub value: f64,
    /// Linearised standard error with its t interval and p-value of value 0; a reason where every subject contributes
    /// the same, so that the sample shows no variance.
    pub inference: Estimable<Inference>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Inference {
    pub standard_error: f64,
    pub degrees_of_freedom: f64,
    /// Cut at 1.
    pub interval: Interval,
    pub p: f64,
}

/// Codes: `no_observations` (no subject with two ratings), `invalid_level`.
pub fn chance_corrected(
    ratings: &Ratings,
    coefficient: Coefficient,
    weights: Weights,
    level: f64,
) -> Estimable<ChanceCorrected> {
    check_level(level)?;
    let counts = ratings.counts();
    let q = ratings.categories();
    let compared = counts.iter().filter(|row| total(row) >= 2.0).count();
    if compared == 0 {
        return Err(NotEstimable::new("no_observations", "no subject has two ratings"));
    }
    let (n, n_compared) = (counts.len() as f64, compared as f64);
    let w = |k: usize, l: usize| weights.of(k, l, q);
    let agreement: Vec<f64> = counts.iter().map(|row| subject_agreement(row, weights)).collect();
    let observed = sorted_sum(agreement.iter().copied()) / n_compared;
    let pi: Vec<f64> = (0..q).map(|k| sorted_sum(counts.iter().map(|row| row[k] / total(row))) / n).collect();
    let all_weights: f64 = (0..q).map(|k| (0..q).map(|l| w(k, l)).sum::<f64>()).sum();
    // by how much category k raises the chance agreement of a subject: p_e is linear in these at its own π
    let gwet_factor = all_weights / (q * (q - 1)) as f64;
    let pull: Vec<f64> = (0..q)
        .map(|k| match coefficient {
            Coefficient::FleissKappa => (0..q).map(|l| w(k, l) * pi[l]).sum(),
            Coefficient::BrennanPrediger => all_weights / (q * q) as f64,
            Coefficient::Gwet => gwet_factor * (1.0 - pi[k]),
        })
        .collect();
    let chance: f64 = pull.iter().zip(&pi).map(|(a, b)| a * b).sum();
    let category_counts = ratings.category_counts();
    let undefined = coefficient == Coefficient::FleissKappa && category_counts.iter().filter(|c| **c > 0).count() == 1;
    let estimate = if undefined {
        Err(one_category(&category_counts))
    } else {
        let value = (observed - chance) / (1.0 - chance);
        let contributions: Vec<f64> = counts
            .iter()
            .zip(&agreement)
            .map(|(row, a)| {
                let r = total(row);
                let own_chance = if r >= 2.0 { chance } else { 0.0 };
                let first = n / n_compared * (a - own_chance) / (1.0 - chance);
                if coefficient == Coefficient::BrennanPrediger {
                    return first;
                }
                let expected: f64 = row.iter().zip(&pull).map(|(c, p)| c * p).sum::<f64>() / r;
                first - 2.0 * (1.0 - value) * (expected - chance) / (1.0 - chance)
            })
            .collect();
        Ok(Agreement { value, inference: inference(&contributions, value, level) })
    };
    Ok(ChanceCorrected {
        coefficient,
        weights,
        subjects: counts.len(),
        subjects_compared: compared,
        observed_agreement: observed,
        chance_agreement: chance,
        category_counts,
        estimate,
    })
}

/// Fleiss' test that kappa is 0, for subjects that all have the same number of ratings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FleissTest {
    pub kappa: f64,
    /// Standard error under κ = 0 (Fleiss, Nee & Landis 1979, Psychol Bull 86:974, eq. 12).
    pub null_standard_error: f64,
    pub z: f64,
    pub p: f64,
}

/// Codes: `unequal_ratings`, `one_category`, `no_observations`.
pub fn fleiss_test(ratings: &Ratings) -> Estimable<FleissTest> {
    let counts = ratings.counts();
    let found = chance_corrected(ratings, Coefficient::FleissKappa, Weights::Unweighted, 0.95)?;
    let kappa = found.estimate?.value;
    let r = total(&counts[0]);
    if counts.iter().any(|row| total(row) != r) {
        return Err(NotEstimable::new("unequal_ratings", "Fleiss' test needs the same number of ratings a subject"));
    }
    let n = counts.len() as f64;
    let pi: Vec<f64> =
        (0..ratings.categories()).map(|k| counts.iter().map(|row| row[k]).sum::<f64>() / (n * r)).collect();
    let spread: f64 = pi.iter().map(|p| p * (1.0 - p)).sum();
    let skew: f64 = pi.iter().map(|p| p * (1.0 - p) * (1.0 - 2.0 * p)).sum();
    let variance = 2.0 * (spread * spread - skew) / (spread * spread * n * r * (r - 1.0));
    if variance <= 0.0 {
        return Err(NotEstimable::new("no_variance", "kappa has no variance under the hypothesis of chance"));
    }
    let z = kappa / variance.sqrt();
    Ok(FleissTest { kappa, null_standard_error: variance.sqrt(), z, p: norm_two_sided_p(z) })
}

fn total(row: &[f64]) -> f64 {
    row.iter().sum()
}

/// Σ_k r_ik(r*_ik − 1)/(r_i(r_i − 1)); 0 for a single rating, which enters neither sum nor count.
fn subject_agreement(row: &[f64], weights: Weights) -> f64 {
    let r = total(row);
    if r < 2.0 {
        return 0.0;
    }
    let q = row.len();
    let sum: f64 = (0..q).map(|k| row[k] * ((0..q).map(|l| weights.of(k, l, q) * row[l]).sum::<f64>() - 1.0)).sum();
    sum / (r * (r - 1.0))
}

/// Standard error √(Σ(κᵢ − κ)²/(n(n−1))), t interval with n − 1.
pub(super) fn inference(contributions: &[f64], value: f64, level: f64) -> Estimable<Inference> {
    let n = contributions.len() as f64;
    let variance = sorted_sum(contributions.iter().map(|c| (c - value).powi(2))) / (n * (n - 1.0));
    if n < 2.0 || variance <= 1e-24 {
        return Err(NotEstimable::new(
            "no_variance",
            format!("all {} subjects agree to the same degree, so the sample shows no variance", contributions.len()),
        ));
    }
    let (standard_error, degrees_of_freedom) = (variance.sqrt(), n - 1.0);
    let half = t_multiplier(level, degrees_of_freedom) * standard_error;
    Ok(Inference {
        standard_error,
        degrees_of_freedom,
        interval: Interval { lower: value - half, upper: (value + half).min(1.0), level, method: "linearised, t" },
        p: t_two_sided_p(value / standard_error, degrees_of_freedom),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_says_the_same() {
        // T17: kappa undefined, PABAK and AC1 are 1
        let ratings = Ratings::new(vec![vec![Some(0), Some(0)]; 50], 2).unwrap();
        let of = |c| chance_corrected(&ratings, c, Weights::Unweighted, 0.95).unwrap();
        let fleiss = of(Coefficient::FleissKappa);
        assert_eq!(fleiss.observed_agreement, 1.0);
        assert_eq!(fleiss.estimate.unwrap_err().code, "one_category");
        for c in [Coefficient::BrennanPrediger, Coefficient::Gwet] {
            let found = of(c).estimate.unwrap();
            assert_eq!(found.value, 1.0);
            assert_eq!(found.inference.unwrap_err().code, "no_variance");
        }
    }

    #[test]
    fn pabak_of_two_categories_is_twice_agreement_less_one() {
        let rows = (0..20).map(|i| vec![Some(i % 2), Some(usize::from(i % 3 == 0))]).collect();
        let ratings = Ratings::new(rows, 2).unwrap();
        let found = chance_corrected(&ratings, Coefficient::BrennanPrediger, Weights::Unweighted, 0.95).unwrap();
        assert!((found.estimate.unwrap().value - (2.0 * found.observed_agreement - 1.0)).abs() < 1e-15);
    }
}
