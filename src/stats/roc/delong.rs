//! Variance, intervals and tests of the empirical area (DeLong, DeLong & Clarke-Pearson 1988), by sorting.

use super::{check_scores, for_each_level, sorted, sorted_auc};
use crate::stats::proportion::check_level;
use crate::stats::quantiles::{norm_multiplier, norm_two_sided_p, t_multiplier, t_two_sided_p};
use crate::stats::{Estimable, Interval, NotEstimable};
use serde::Serialize;

/// The area with DeLong's standard error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AucEstimate {
    pub auc: f64,
    pub variance: f64,
    pub standard_error: f64,
    pub interval: Interval,
    pub n_positive: usize,
    pub n_negative: usize,
}

/// The difference of two areas, first − second.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AucDifference {
    pub first: f64,
    pub second: f64,
    pub difference: f64,
    pub standard_error: f64,
    /// Infinite (the normal) for curves of the same cases, so not in it: `None`.
    pub df: Option<f64>,
    pub interval: Interval,
    /// difference / standard error; a t where `df` is given.
    pub z: Estimable<f64>,
    /// Two-sided.
    pub p: Estimable<f64>,
}

/// Area, DeLong's standard error and the interval AUC ± z·SE, cut to [0, 1].
///
/// # Errors
/// As [`super::auc`]; `too_few_cases` with fewer than two cases in a class; `zero_variance` where the classes are
/// parted completely: the interval would have no width, which claims more than the data can show.
pub fn delong(positive: &[f64], negative: &[f64], level: f64) -> Estimable<AucEstimate> {
    let (auc, variance) = delong_variance(positive, negative)?;
    check_level(level)?;
    let se = nonzero_se(variance, auc)?;
    let half = norm_multiplier(level) * se;
    Ok(AucEstimate {
        auc,
        variance,
        standard_error: se,
        interval: Interval { lower: (auc - half).max(0.0), upper: (auc + half).min(1.0), level, method: "DeLong" },
        n_positive: positive.len(),
        n_negative: negative.len(),
    })
}

/// As [`delong`], with the interval made on the logit scale: logit AUC ± z·SE/(AUC(1 − AUC)), inside (0, 1).
pub fn delong_logit(positive: &[f64], negative: &[f64], level: f64) -> Estimable<AucEstimate> {
    let mut estimate = delong(positive, negative, level)?;
    let auc = estimate.auc;
    let logit = (auc / (1.0 - auc)).ln();
    let half = norm_multiplier(level) * estimate.standard_error / (auc * (1.0 - auc));
    let back = |t: f64| 1.0 / (1.0 + (-t).exp());
    estimate.interval =
        Interval { lower: back(logit - half), upper: back(logit + half), level, method: "DeLong, logit" };
    Ok(estimate)
}

/// The two areas on the same cases; the cases stand in the same order in both.
///
/// # Errors
/// As [`delong`]; `unequal_cases` where the lengths differ; `zero_variance` where every case is placed alike.
pub fn delong_paired(
    first_positive: &[f64],
    first_negative: &[f64],
    second_positive: &[f64],
    second_negative: &[f64],
    level: f64,
) -> Estimable<AucDifference> {
    check_level(level)?;
    let (areas, covariance) = auc_covariance(&[(first_positive, first_negative), (second_positive, second_negative)])?;
    let variance = covariance[0][0] + covariance[1][1] - 2.0 * covariance[0][1];
    let difference = areas[0] - areas[1];
    // Rounding leaves about 1e-20 where the two curves place every case alike.
    let variance = if variance <= 1e-14 * (covariance[0][0] + covariance[1][1]) { 0.0 } else { variance };
    if variance == 0.0 {
        return Err(NotEstimable::new(
            "zero_variance",
            format!("both curves place every case alike (difference {difference}): its variance is 0"),
        ));
    }
    let se = variance.sqrt();
    let half = norm_multiplier(level) * se;
    let statistic = difference / se;
    Ok(AucDifference {
        first: areas[0],
        second: areas[1],
        difference,
        standard_error: se,
        df: None,
        interval: Interval {
            lower: (difference - half).max(-1.0),
            upper: (difference + half).min(1.0),
            level,
            method: "DeLong, paired",
        },
        z: Ok(statistic),
        p: Ok(norm_two_sided_p(statistic)),
    })
}

/// The two areas on different cases, by t with Welch's degrees of freedom
/// (V₁ + V₂)² / (V₁²/(N₁ − 1) + V₂²/(N₂ − 1)), N = cases of both classes.
pub fn delong_unpaired(
    first_positive: &[f64],
    first_negative: &[f64],
    second_positive: &[f64],
    second_negative: &[f64],
    level: f64,
) -> Estimable<AucDifference> {
    check_level(level)?;
    let (auc_1, v_1) = delong_variance(first_positive, first_negative)?;
    let (auc_2, v_2) = delong_variance(second_positive, second_negative)?;
    if v_1 + v_2 == 0.0 {
        return Err(NotEstimable::new("zero_variance", "both curves part the classes completely: the variance is 0"));
    }
    let (n_1, n_2) =
        ((first_positive.len() + first_negative.len()) as f64, (second_positive.len() + second_negative.len()) as f64);
    let df = (v_1 + v_2).powi(2) / (v_1 * v_1 / (n_1 - 1.0) + v_2 * v_2 / (n_2 - 1.0));
    let se = (v_1 + v_2).sqrt();
    let difference = auc_1 - auc_2;
    let half = t_multiplier(level, df) * se;
    let statistic = difference / se;
    Ok(AucDifference {
        first: auc_1,
        second: auc_2,
        difference,
        standard_error: se,
        df: Some(df),
        interval: Interval {
            lower: (difference - half).max(-1.0),
            upper: (difference + half).min(1.0),
            level,
            method: "DeLong, unpaired (Welch)",
        },
        z: Ok(statistic),
        p: Ok(t_two_sided_p(statistic, df)),
    })
}

/// The areas of many curves on the same cases, and their covariance matrix S₁₀/m + S₀₁/n.
pub fn auc_covariance(curves: &[(&[f64], &[f64])]) -> Estimable<(Vec<f64>, Vec<Vec<f64>>)> {
    let Some(&(positive, negative)) = curves.first() else {
        return Err(NotEstimable::new("no_curve", "a covariance needs at least one curve"));
    };
    let (m, n) = (positive.len(), negative.len());
    for (p, q) in curves {
        if p.len() != m || q.len() != n {
            return Err(NotEstimable::new(
                "unequal_cases",
                format!("curves of the same cases need equal numbers: {m} + {n} and {} + {}", p.len(), q.len()),
            ));
        }
    }
    let mut areas = Vec::with_capacity(curves.len());
    let mut components = Vec::with_capacity(curves.len());
    for (p, q) in curves {
        check_scores(p, q)?;
        let area = super::auc(p, q)?;
        let (mut v10, mut v01) = delong_components(p, q)?;
        v10.iter_mut().chain(v01.iter_mut()).for_each(|v| *v -= area);
        areas.push(area);
        components.push((v10, v01));
    }
    check_two_each(m, n)?;
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let (m, n) = (m as f64, n as f64);
    let mut covariance = vec![vec![0.0; curves.len()]; curves.len()];
    for i in 0..curves.len() {
        for j in i..curves.len() {
            let s10 = product(&components[i].0, &components[j].0) / (m - 1.0);
            let s01 = product(&components[i].1, &components[j].1) / (n - 1.0);
            covariance[i][j] = s10 / m + s01 / n;
            covariance[j][i] = covariance[i][j];
        }
    }
    Ok((areas, covariance))
}

/// The placements V₁₀ of the positive cases among the negatives and V₀₁ of the negatives among the positives, in
/// the order of the input: the mean over the other class of 1, ½ or 0 (DeLong et al. 1988, eq. 4).
///
/// Found by search in the sorted other class, which is the mid-rank form of Sun & Xu (2014): O(n log n).
pub fn delong_components(positive: &[f64], negative: &[f64]) -> Estimable<(Vec<f64>, Vec<f64>)> {
    check_scores(positive, negative)?;
    let (sorted_positive, sorted_negative) = (sorted(positive), sorted(negative));
    // (below, at or below) in an ascending list
    let place = |list: &[f64], score: f64| {
        let below = list.partition_point(|&other| other < score);
        let equal = list[below..].partition_point(|&other| other <= score);
        (below as f64, equal as f64)
    };
    let (m, n) = (positive.len() as f64, negative.len() as f64);
    let v10 = positive.iter().map(|&score| {
        let (below, equal) = place(&sorted_negative, score);
        (below + 0.5 * equal) / n
    });
    let v01 = negative.iter().map(|&score| {
        let (below, equal) = place(&sorted_positive, score);
        (m - below - 0.5 * equal) / m
    });
    Ok((v10.collect(), v01.collect()))
}

/// (area, variance) of one curve. The order of cases does not matter here, so sorted levels with their counts do.
pub(crate) fn delong_variance(positive: &[f64], negative: &[f64]) -> Estimable<(f64, f64)> {
    check_scores(positive, negative)?;
    check_two_each(positive.len(), negative.len())?;
    let (sorted_positive, sorted_negative) = (sorted(positive), sorted(negative));
    let (m, n) = (positive.len() as f64, negative.len() as f64);
    let auc = sorted_auc(&sorted_positive, &sorted_negative);
    let (mut positives_below, mut negatives_below) = (0_u64, 0_u64);
    let (mut s10, mut s01) = (0.0, 0.0);
    for_each_level(&sorted_positive, &sorted_negative, |_, positives, negatives| {
        if positives > 0 {
            let gap = (negatives_below as f64 + 0.5 * negatives as f64) / n - auc;
            s10 += positives as f64 * gap * gap;
        }
        if negatives > 0 {
            let gap = (m - positives_below as f64 - 0.5 * positives as f64) / m - auc;
            s01 += negatives as f64 * gap * gap;
        }
        positives_below += positives;
        negatives_below += negatives;
    });
    Ok((auc, s10 / ((m - 1.0) * m) + s01 / ((n - 1.0) * n)))
}

fn check_two_each(m: usize, n: usize) -> Estimable<()> {
    if m < 2 || n < 2 {
        return Err(NotEstimable::new(
            "too_few_cases",
            format!("a variance of the AUC needs two cases in each class: n+ = {m}, n- = {n}"),
        ));
    }
    Ok(())
}

fn nonzero_se(variance: f64, auc: f64) -> Estimable<f64> {
    if variance > 0.0 {
        return Ok(variance.sqrt());
    }
    Err(NotEstimable::new(
        "zero_variance",
        format!("the DeLong variance is 0 at an AUC of {auc}, so it gives no interval"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSITIVE: [f64; 5] = [1.0, 3.0, 2.0, 5.0, 5.0];
    const NEGATIVE: [f64; 4] = [0.0, 3.0, 1.0, 1.0];

    #[test]
    fn both_ways_to_the_variance_agree() {
        let (areas, covariance) = auc_covariance(&[(&POSITIVE, &NEGATIVE)]).unwrap();
        let one = delong(&POSITIVE, &NEGATIVE, 0.95).unwrap();
        assert_eq!(areas[0], one.auc);
        assert!((covariance[0][0] - one.variance).abs() < 1e-15);
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        let code = |r: Estimable<AucEstimate>| r.unwrap_err().code;
        assert_eq!(code(delong(&[], &NEGATIVE, 0.95)), "one_truth_class");
        assert_eq!(code(delong(&[1.0], &NEGATIVE, 0.95)), "too_few_cases");
        assert_eq!(code(delong(&[9.0, 8.0], &NEGATIVE, 0.95)), "zero_variance");
        let paired = |second: &[f64]| delong_paired(&POSITIVE, &NEGATIVE, second, &NEGATIVE, 0.95).unwrap_err().code;
        assert_eq!(paired(&POSITIVE), "zero_variance");
        assert_eq!(paired(&POSITIVE[1..]), "unequal_cases");
    }

    #[test]
    fn logit_interval_stays_inside() {
        let estimate = delong_logit(&[1.0, 3.0, 4.0, 5.0], &[0.0, 2.0, 1.5, 0.5, 0.1], 0.99).unwrap();
        assert!(0.0 < estimate.interval.lower && estimate.interval.upper < 1.0);
        assert!(estimate.interval.lower < estimate.auc && estimate.auc < estimate.interval.upper);
    }
}
