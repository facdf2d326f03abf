//! Several scores of one patient (lesions, views, eyes): areas and proportions whose variance counts patients, not rows.
//!
//! Copying every row of a patient leaves these variances as they are. An analysis that takes rows for independent
//! cases would call the copies new evidence.

use super::proportion::{check_level, wilson_limits};
use super::quantiles::{norm_multiplier, norm_two_sided_p};
use super::roc::{auc, delong_components};
use super::{Estimable, Interval, NotEstimable};
use serde::Serialize;
use std::collections::BTreeMap;

/// An area with the variance of Obuchowski (1997) and its parts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClusteredAuc {
    pub auc: f64,
    pub variance: f64,
    pub standard_error: f64,
    pub interval: Interval,
    pub components: ClusteredComponents,
    pub clusters: usize,
    pub clusters_with_positive: usize,
    pub clusters_with_negative: usize,
}

/// S₁₀, S₀₁ and S₁₁ of Obuchowski (1997, eq. 3): variance = S₁₀/m + S₀₁/n + 2 S₁₁/(mn).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClusteredComponents {
    pub s10: f64,
    pub s01: f64,
    pub s11: f64,
}

/// The difference of two areas on the same rows, first − second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClusteredAucDifference {
    pub first: f64,
    pub second: f64,
    pub difference: f64,
    pub covariance: f64,
    pub variance: f64,
    pub standard_error: f64,
    pub interval: Interval,
    pub z: f64,
    /// Two-sided.
    pub p: f64,
}

/// A proportion of rows with the variance of the ratio estimator over patients.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClusteredProportion {
    pub estimate: f64,
    pub standard_error: f64,
    pub interval: Interval,
    /// Variance over that of a simple binomial: above 1 where rows of one patient are alike.
    pub design_effect: f64,
    /// Patients with at least one row.
    pub clusters: usize,
    pub rows: u64,
}

/// Area of rows whose patients are given beside them, with the interval AUC ± z·SE cut to [0, 1].
///
/// # Errors
/// As [`auc`]; `unequal_cases` where rows and patients differ in number; `too_few_clusters` with fewer than two
/// patients in a class; `zero_variance` where the patients show no variation.
pub fn clustered_auc(
    positive: &[f64],
    positive_patient: &[u32],
    negative: &[f64],
    negative_patient: &[u32],
    level: f64,
) -> Estimable<ClusteredAuc> {
    check_level(level)?;
    let patients = Patients::new(positive_patient, negative_patient);
    let sums = PatientSums::new(positive, negative, &patients)?;
    let components = components(&sums, &sums, &patients)?;
    let variance = components.variance(positive.len(), negative.len());
    if variance.is_nan() || variance <= 0.0 {
        return Err(NotEstimable::new(
            "zero_variance",
            format!("the variance over {} patients is {variance} at an AUC of {}", patients.count, sums.auc),
        ));
    }
    let standard_error = variance.sqrt();
    let half = norm_multiplier(level) * standard_error;
    Ok(ClusteredAuc {
        auc: sums.auc,
        variance,
        standard_error,
        interval: Interval {
            lower: (sums.auc - half).max(0.0),
            upper: (sums.auc + half).min(1.0),
            level,
            method: "Obuchowski clustered",
        },
        components,
        clusters: patients.count,
        clusters_with_positive: patients.with_positive,
        clusters_with_negative: patients.with_negative,
    })
}

/// Two scores of the same rows: the difference of their areas with the clustered covariance (Obuchowski 1997, eq. 5).
pub fn clustered_auc_difference(
    first: (&[f64], &[f64]),
    second: (&[f64], &[f64]),
    positive_patient: &[u32],
    negative_patient: &[u32],
    level: f64,
) -> Estimable<ClusteredAucDifference> {
    check_level(level)?;
    let patients = Patients::new(positive_patient, negative_patient);
    let one = PatientSums::new(first.0, first.1, &patients)?;
    let two = PatientSums::new(second.0, second.1, &patients)?;
    let (m, n) = (first.0.len(), first.1.len());
    let of = |a: &PatientSums, b: &PatientSums| components(a, b, &patients).map(|c| c.variance(m, n));
    let (v_1, v_2, covariance) = (of(&one, &one)?, of(&two, &two)?, of(&one, &two)?);
    let variance = v_1 + v_2 - 2.0 * covariance;
    let difference = one.auc - two.auc;
    if variance.is_nan() || variance <= 1e-14 * (v_1 + v_2).abs() {
        return Err(NotEstimable::new(
            "zero_variance",
            format!("the variance of the difference {difference} over {} patients is not positive", patients.count),
        ));
    }
    let standard_error = variance.sqrt();
    let half = norm_multiplier(level) * standard_error;
    let z = difference / standard_error;
    Ok(ClusteredAucDifference {
        first: one.auc,
        second: two.auc,
        difference,
        covariance,
        variance,
        standard_error,
        interval: Interval {
            lower: (difference - half).max(-1.0),
            upper: (difference + half).min(1.0),
            level,
            method: "Obuchowski clustered, paired",
        },
        z,
        p: norm_two_sided_p(z),
    })
}

/// Σx/Σn over patients (x of n rows each) with variance K/(K − 1) Σ(xᵢ − p nᵢ)²/(Σn)² (ratio estimator; Rao & Scott
/// 1992) and Wilson's interval at the effective number of rows p(1 − p)/variance.
///
/// # Errors
/// `empty_denominator`, `too_few_clusters`, and `zero_variance` where every patient shows the same proportion, as at 0 and 1.
pub fn clustered_proportion(patients: &[(u64, u64)], level: f64) -> Estimable<ClusteredProportion> {
    check_level(level)?;
    if let Some((x, n)) = patients.iter().find(|(x, n)| x > n) {
        return Err(NotEstimable::new("count_exceeds_total", format!("{x} of {n} is not a proportion")));
    }
    let used: Vec<(f64, f64)> = patients.iter().filter(|(_, n)| *n > 0).map(|&(x, n)| (x as f64, n as f64)).collect();
    let (x, n) = used.iter().fold((0.0, 0.0), |(x, n), row| (x + row.0, n + row.1));
    if used.is_empty() {
        return Err(NotEstimable::new("empty_denominator", "a proportion needs at least one observation: n = 0"));
    }
    let k = used.len() as f64;
    if used.len() < 2 {
        return Err(NotEstimable::new("too_few_clusters", "a variance over patients needs two of them: 1 found"));
    }
    let estimate = x / n;
    let squares: f64 = used.iter().map(|(x, n)| (x - estimate * n).powi(2)).sum();
    let variance = k / (k - 1.0) * squares / (n * n);
    // Equal proportions in all patients leave rounding only.
    if variance <= 1e-24 {
        return Err(NotEstimable::new(
            "zero_variance",
            format!("all {} patients show the same proportion ({x} of {n} rows), so their variance is 0", used.len()),
        ));
    }
    let simple = estimate * (1.0 - estimate);
    let (lower, upper) = wilson_limits(estimate, simple / variance, norm_multiplier(level));
    Ok(ClusteredProportion {
        estimate,
        standard_error: variance.sqrt(),
        interval: Interval {
            lower: lower.max(0.0),
            upper: upper.min(1.0),
            level,
            method: "Wilson at the effective sample size, ratio estimator",
        },
        design_effect: variance * n / simple,
        clusters: used.len(),
        rows: n as u64,
    })
}

impl ClusteredComponents {
    fn variance(&self, m: usize, n: usize) -> f64 {
        let (m, n) = (m as f64, n as f64);
        self.s10 / m + self.s01 / n + 2.0 * self.s11 / (m * n)
    }
}

/// Patients numbered from 0 in order of their labels, and which rows are theirs.
struct Patients {
    count: usize,
    with_positive: usize,
    with_negative: usize,
    of_positive: Vec<usize>,
    of_negative: Vec<usize>,
}

impl Patients {
    fn new(positive: &[u32], negative: &[u32]) -> Self {
        let mut number: BTreeMap<u32, usize> = positive.iter().chain(negative).map(|&label| (label, 0)).collect();
        number.values_mut().enumerate().for_each(|(at, slot)| *slot = at);
        let rows = |labels: &[u32]| labels.iter().map(|label| number[label]).collect::<Vec<_>>();
        let distinct = |rows: &[usize]| {
            let mut seen = vec![false; number.len()];
            rows.iter().for_each(|&at| seen[at] = true);
            seen.into_iter().filter(|&s| s).count()
        };
        let (of_positive, of_negative) = (rows(positive), rows(negative));
        Self {
            count: number.len(),
            with_positive: distinct(&of_positive),
            with_negative: distinct(&of_negative),
            of_positive,
            of_negative,
        }
    }
}

/// Σ over a patient's rows of (placement − AUC), for positives and negatives.
struct PatientSums {
    auc: f64,
    positive: Vec<f64>,
    negative: Vec<f64>,
}

impl PatientSums {
    fn new(positive: &[f64], negative: &[f64], patients: &Patients) -> Estimable<Self> {
        if positive.len() != patients.of_positive.len() || negative.len() != patients.of_negative.len() {
            return Err(NotEstimable::new(
                "unequal_cases",
                format!(
                    "every row needs its patient: {} + {} scores, {} + {} patients",
                    positive.len(),
                    negative.len(),
                    patients.of_positive.len(),
                    patients.of_negative.len()
                ),
            ));
        }
        let auc = auc(positive, negative)?;
        let (v10, v01) = delong_components(positive, negative)?;
        let gather = |placements: &[f64], of: &[usize]| {
            let mut sums = vec![0.0; patients.count];
            placements.iter().zip(of).for_each(|(v, &at)| sums[at] += v - auc);
            sums
        };
        Ok(Self { auc, positive: gather(&v10, &patients.of_positive), negative: gather(&v01, &patients.of_negative) })
    }
}

/// The (cross-)components of one or two curves. For two curves S₁₁ is the mean of both orders.
fn components(a: &PatientSums, b: &PatientSums, patients: &Patients) -> Estimable<ClusteredComponents> {
    let (with_positive, with_negative) = (patients.with_positive, patients.with_negative);
    if with_positive < 2 || with_negative < 2 {
        return Err(NotEstimable::new(
            "too_few_clusters",
            format!(
                "each class needs two patients: {with_positive} with a positive, {with_negative} with a negative row"
            ),
        ));
    }
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let (m, n) = (patients.of_positive.len() as f64, patients.of_negative.len() as f64);
    let factor = |clusters: usize| clusters as f64 / (clusters as f64 - 1.0);
    Ok(ClusteredComponents {
        s10: factor(with_positive) / m * product(&a.positive, &b.positive),
        s01: factor(with_negative) / n * product(&a.negative, &b.negative),
        s11: factor(patients.count) * 0.5 * (product(&a.positive, &b.negative) + product(&b.positive, &a.negative)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::roc::delong;

    const POSITIVE: [f64; 5] = [1.0, 3.0, 2.0, 5.0, 5.0];
    const NEGATIVE: [f64; 4] = [0.0, 3.0, 1.0, 1.0];

    #[test]
    fn patients_of_one_row_are_delong() {
        let clustered = clustered_auc(&POSITIVE, &[0, 1, 2, 3, 4], &NEGATIVE, &[5, 6, 7, 8], 0.95).unwrap();
        let plain = delong(&POSITIVE, &NEGATIVE, 0.95).unwrap();
        assert!((clustered.variance - plain.variance).abs() < 1e-15);
        assert_eq!(clustered.components.s11, 0.0);
        assert_eq!(clustered.auc, plain.auc);
    }

    #[test]
    fn proportions_of_patients_with_one_row_are_nearly_binomial() {
        let patients: Vec<(u64, u64)> = (0..50).map(|i| (u64::from(i < 45), 1)).collect();
        let found = clustered_proportion(&patients, 0.95).unwrap();
        assert!((found.design_effect - 50.0 / 49.0).abs() < 1e-12);
        let copied: Vec<(u64, u64)> = patients.iter().map(|&(x, n)| (7 * x, 7 * n)).collect();
        let again = clustered_proportion(&copied, 0.95).unwrap();
        assert!((again.standard_error - found.standard_error).abs() < 1e-15);
        assert!((again.interval.lower - found.interval.lower).abs() < 1e-12);
        assert_eq!(again.rows, 350);
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        let code = |r: Estimable<ClusteredAuc>| r.unwrap_err().code;
        assert_eq!(code(clustered_auc(&POSITIVE, &[0; 5], &NEGATIVE, &[5, 6, 7, 8], 0.95)), "too_few_clusters");
        assert_eq!(code(clustered_auc(&POSITIVE, &[0; 4], &NEGATIVE, &[5, 6, 7, 8], 0.95)), "unequal_cases");
        assert_eq!(code(clustered_auc(&[], &[], &NEGATIVE, &[5, 6, 7, 8], 0.95)), "one_truth_class");
        assert_eq!(clustered_proportion(&[(2, 2), (3, 3)], 0.95).unwrap_err().code, "zero_variance");
        assert_eq!(clustered_proportion(&[(0, 0)], 0.95).unwrap_err().code, "empty_denominator");
        assert_eq!(clustered_proportion(&[(1, 2)], 0.95).unwrap_err().code, "too_few_clusters");
        assert_eq!(clustered_proportion(&[(3, 2)], 0.95).unwrap_err().code, "count_exceeds_total");
    }
}
