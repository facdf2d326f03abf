//! The empirical ROC curve of one scored data set: area, operating points, partial areas, average precision.
//!
//! Convention: a higher score is more suspicious. The direction is never guessed and never turned: a score that
//! points the wrong way shows an area below 0.5. Equal scores of a positive and a negative case count one half, and
//! equal scores are one operating point. Scores may be infinite but not NaN.

pub mod compare;
pub mod delong;
pub mod partial;
pub mod power;

pub use delong::{
    AucDifference, AucEstimate, auc_covariance, delong, delong_components, delong_logit, delong_paired, delong_unpaired,
};

use super::{Estimable, NotEstimable};
use serde::Serialize;

/// One operating point: a case is called positive where its score is at or above the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OperatingPoint {
    /// Halfway between two neighbouring score levels. `None` at the two ends, where every case or none is called.
    pub threshold: Option<f64>,
    pub sensitivity: f64,
    pub specificity: f64,
    pub true_positive: u64,
    pub false_positive: u64,
    pub false_negative: u64,
    pub true_negative: u64,
}

/// How the best operating point of a curve is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum BestPoint {
    /// Largest sensitivity + specificity (Youden 1950).
    Youden,
    /// Smallest (1 − sensitivity)² + (1 − specificity)².
    ClosestTopLeft,
    /// Largest sensitivity + r·specificity with r = (1 − prevalence)/(cost·prevalence), where `cost` is that of a
    /// missed case in units of a false alarm (Perkins & Schisterman 2006).
    WeightedYouden { cost: f64, prevalence: f64 },
}

/// An empirical ROC curve, from "every case is called" to "none is".
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RocCurve {
    pub points: Vec<OperatingPoint>,
    pub n_positive: u64,
    pub n_negative: u64,
    pub auc: f64,
}

/// The area under the empirical curve: P(positive > negative) + ½ P(equal), counted in whole numbers.
///
/// # Errors
/// `one_truth_class` where a class is empty, `score_not_a_number` where a score is NaN.
pub fn auc(positive: &[f64], negative: &[f64]) -> Estimable<f64> {
    check_scores(positive, negative)?;
    Ok(sorted_auc(&sorted(positive), &sorted(negative)))
}

/// The empirical curve; O(n log n).
pub fn roc_curve(positive: &[f64], negative: &[f64]) -> Estimable<RocCurve> {
    check_scores(positive, negative)?;
    let (sorted_positive, sorted_negative) = (sorted(positive), sorted(negative));
    let (m, n) = (positive.len() as u64, negative.len() as u64);
    let point = |threshold, tp: u64, fp: u64| OperatingPoint {
        threshold,
        sensitivity: tp as f64 / m as f64,
        specificity: (n - fp) as f64 / n as f64,
        true_positive: tp,
        false_positive: fp,
        false_negative: m - tp,
        true_negative: n - fp,
    };
    let (mut tp, mut fp) = (m, n);
    let mut points = vec![point(None, tp, fp)];
    let mut last = f64::NAN;
    for_each_level(&sorted_positive, &sorted_negative, |level, positives, negatives| {
        if !last.is_nan() {
            points.push(point(Some(between(last, level)), tp, fp));
        }
        tp -= positives;
        fp -= negatives;
        last = level;
    });
    points.push(point(None, 0, 0));
    Ok(RocCurve { points, n_positive: m, n_negative: n, auc: sorted_auc(&sorted_positive, &sorted_negative) })
}

impl RocCurve {
    /// The best inner or end points by `rule`, all of them where several are equally good.
    pub fn best(&self, rule: BestPoint) -> Estimable<Vec<OperatingPoint>> {
        if let BestPoint::WeightedYouden { cost, prevalence } = rule
            && !(cost > 0.0 && cost.is_finite() && prevalence > 0.0 && prevalence < 1.0)
        {
            return Err(NotEstimable::new(
                "weights_out_of_range",
                format!("a cost is positive and a prevalence lies between 0 and 1, not {cost} and {prevalence}"),
            ));
        }
        let merit = |point: &OperatingPoint| match rule {
            BestPoint::Youden => point.sensitivity + point.specificity,
            BestPoint::ClosestTopLeft => -((1.0 - point.sensitivity).powi(2) + (1.0 - point.specificity).powi(2)),
            BestPoint::WeightedYouden { cost, prevalence } => {
                point.sensitivity + (1.0 - prevalence) / (cost * prevalence) * point.specificity
            }
        };
        let top = self.points.iter().map(merit).fold(f64::NEG_INFINITY, f64::max);
        // Sums of equal value may differ in the last bit by the order of their parts.
        Ok(self.points.iter().filter(|point| merit(point) >= top - 1e-12).copied().collect())
    }

    /// Sensitivity at a specificity, by linear interpolation between neighbouring points; where several points
    /// share the specificity, the highest sensitivity.
    pub fn sensitivity_at(&self, specificity: f64) -> Estimable<f64> {
        let pairs = self.points.iter().map(|p| (p.specificity, p.sensitivity));
        interpolate(pairs, specificity, "specificity")
    }

    /// Specificity at a sensitivity, likewise.
    pub fn specificity_at(&self, sensitivity: f64) -> Estimable<f64> {
        let pairs = self.points.iter().rev().map(|p| (p.sensitivity, p.specificity));
        interpolate(pairs, sensitivity, "sensitivity")
    }
}

/// Average precision Σ (Rₖ − Rₖ₋₁) Pₖ over the score levels from the top, without interpolation: a line drawn
/// between precision–recall points promises operating points that do not exist (Davis & Goadrich 2006).
pub fn average_precision(positive: &[f64], negative: &[f64]) -> Estimable<f64> {
    check_scores(positive, negative)?;
    let m = positive.len() as f64;
    let mut sum = 0.0;
    for pair in precision_recall(positive, negative)?.windows(2) {
        sum += (pair[1].true_positive - pair[0].true_positive) as f64 / m * pair[1].precision.unwrap_or(0.0);
    }
    Ok(sum)
}

/// One point of the precision–recall curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PrecisionRecallPoint {
    /// The lowest score that is called; `None` where no case is.
    pub threshold: Option<f64>,
    pub recall: f64,
    /// `None` where no case is called.
    pub precision: Option<f64>,
    pub true_positive: u64,
    pub false_positive: u64,
}

/// The precision–recall points from "no case is called" down to the lowest score level.
pub fn precision_recall(positive: &[f64], negative: &[f64]) -> Estimable<Vec<PrecisionRecallPoint>> {
    check_scores(positive, negative)?;
    let mut levels = Vec::new();
    for_each_level(&sorted(positive), &sorted(negative), |level, positives, negatives| {
        levels.push((level, positives, negatives));
    });
    let m = positive.len() as f64;
    let (mut tp, mut fp) = (0, 0);
    let mut points = vec![PrecisionRecallPoint {
        threshold: None,
        recall: 0.0,
        precision: None,
        true_positive: 0,
        false_positive: 0,
    }];
    for (level, positives, negatives) in levels.into_iter().rev() {
        tp += positives;
        fp += negatives;
        points.push(PrecisionRecallPoint {
            threshold: Some(level),
            recall: tp as f64 / m,
            precision: Some(tp as f64 / (tp + fp) as f64),
            true_positive: tp,
            false_positive: fp,
        });
    }
    Ok(points)
}

/// Both classes present and no score NaN, or the reason with the counts in it.
pub(crate) fn check_scores(positive: &[f64], negative: &[f64]) -> Estimable<()> {
    let (m, n) = (positive.len(), negative.len());
    if m == 0 || n == 0 {
        return Err(NotEstimable::new("one_truth_class", format!("AUC needs both truth classes: n+ = {m}, n- = {n}")));
    }
    let missing = positive.iter().chain(negative).filter(|score| score.is_nan()).count();
    if missing > 0 {
        return Err(NotEstimable::new("score_not_a_number", format!("{missing} of {} scores are not numbers", m + n)));
    }
    Ok(())
}

/// Ascending copy; −0 becomes 0 so that the two are one level under the total order.
pub(crate) fn sorted(scores: &[f64]) -> Vec<f64> {
    let mut copy: Vec<f64> = scores.iter().map(|score| score + 0.0).collect();
    copy.sort_unstable_by(f64::total_cmp);
    copy
}

/// Calls `visit(level, positives, negatives)` for every distinct score, ascending. Both inputs are sorted.
pub(crate) fn for_each_level(positive: &[f64], negative: &[f64], mut visit: impl FnMut(f64, u64, u64)) {
    let (mut i, mut j) = (0, 0);
    while i < positive.len() || j < negative.len() {
        let level = match (positive.get(i), negative.get(j)) {
            (Some(&p), Some(&q)) => p.min(q),
            (Some(&p), None) => p,
            (None, Some(&q)) => q,
            (None, None) => break,
        };
        let (i0, j0) = (i, j);
        while i < positive.len() && positive[i] == level {
            i += 1;
        }
        while j < negative.len() && negative[j] == level {
            j += 1;
        }
        visit(level, (i - i0) as u64, (j - j0) as u64);
    }
}

/// The area from sorted scores, counted in halves so that no rounding enters before the last division.
pub(crate) fn sorted_auc(positive: &[f64], negative: &[f64]) -> f64 {
    let (mut below, mut halves) = (0_u64, 0_u128);
    for_each_level(positive, negative, |_, positives, negatives| {
        halves += u128::from(positives) * u128::from(2 * below + negatives);
        below += negatives;
    });
    halves as f64 / (2.0 * positive.len() as f64 * negative.len() as f64)
}

/// A threshold t with low < t ≤ high, halfway where the numbers leave room.
fn between(low: f64, high: f64) -> f64 {
    let middle = 0.5 * low + 0.5 * high;
    if middle > low && middle.is_finite() { middle } else { high.min(f64::MAX) }
}

/// y at x on the polyline of `pairs` with ascending x; of several y at one x the largest.
fn interpolate(pairs: impl Iterator<Item = (f64, f64)>, x: f64, name: &str) -> Estimable<f64> {
    if !(0.0..=1.0).contains(&x) {
        return Err(NotEstimable::new("probability_out_of_range", format!("a {name} lies in [0, 1], not at {x}")));
    }
    let mut below = (0.0, 1.0);
    let mut exact: Option<f64> = None;
    for (at, y) in pairs {
        if at == x {
            exact = Some(exact.map_or(y, |best: f64| best.max(y)));
        } else if at > x {
            return Ok(exact.unwrap_or_else(|| below.1 + (y - below.1) * (x - below.0) / (at - below.0)));
        } else {
            below = (at, y);
        }
    }
    Ok(exact.unwrap_or(below.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_by_hand() {
        assert_eq!(auc(&[1.0, 2.0, 3.0], &[0.0, 2.0]).unwrap(), 4.5 / 6.0);
        assert_eq!(auc(&[0.0], &[-0.0]).unwrap(), 0.5);
        assert_eq!(auc(&[f64::INFINITY], &[1.0]).unwrap(), 1.0);
        assert_eq!(auc(&[f64::NAN], &[1.0]).unwrap_err().code, "score_not_a_number");
    }

    #[test]
    fn curve_has_one_point_a_level_and_both_ends() {
        let curve = roc_curve(&[1.0, 2.0, 3.0], &[0.0, 2.0]).unwrap();
        let thresholds: Vec<Option<f64>> = curve.points.iter().map(|p| p.threshold).collect();
        assert_eq!(thresholds, [None, Some(0.5), Some(1.5), Some(2.5), None]);
        let steps: Vec<(u64, u64)> = curve.points.iter().map(|p| (p.true_positive, p.false_positive)).collect();
        assert_eq!(steps, [(3, 2), (3, 1), (2, 1), (1, 0), (0, 0)]);
        assert!(
            (partial::partial_auc(&curve, partial::Range::Specificity(0.0, 1.0)).unwrap().area - curve.auc).abs()
                < 1e-15
        );
    }

    #[test]
    fn a_threshold_separates_neighbouring_numbers() {
        let low = 1.0_f64;
        let high = f64::from_bits(low.to_bits() + 1);
        let curve = roc_curve(&[high], &[low]).unwrap();
        let threshold = curve.points[1].threshold.unwrap();
        assert!(high >= threshold && low < threshold);
    }

    #[test]
    fn interpolation_takes_the_upper_end_of_a_step() {
        let curve = roc_curve(&[2.0, 3.0], &[0.0, 1.0]).unwrap();
        assert_eq!(curve.sensitivity_at(1.0).unwrap(), 1.0);
        assert_eq!(curve.specificity_at(1.0).unwrap(), 1.0);
        assert!(curve.sensitivity_at(1.5).is_err());
    }
}
