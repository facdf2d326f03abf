//! Figures of merit: one number for how well one reader in one modality tells diseased from non-diseased cases.
//!
//! All of them follow from how many cases of each class stand at each rating level, so a resampled or reduced set of
//! cases is a change of counts and needs no new sort.

use super::binormal;
use crate::stats::{Estimable, NotEstimable};
use serde::Serialize;

/// Two values closer than this are one point on a ROC axis: 1 − 0.8 and 8/40 must meet.
const SAME_POINT: f64 = 1e-12;

/// A figure of merit. Higher rating = more suspicious, ties count one half, a rating is positive if it is ≥ threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FigureOfMerit {
    /// Area under the empirical ROC curve by the trapezoidal rule = the Mann–Whitney statistic (Bamber 1975).
    EmpiricalAuc,
    /// Area between two bounds of specificity (under the curve) or of sensitivity (right of the curve).
    PartialAuc(PartialArea),
    /// Share of diseased cases with rating ≥ threshold.
    Sensitivity { threshold: f64 },
    /// Share of non-diseased cases with rating < threshold.
    Specificity { threshold: f64 },
    /// Sensitivity on the empirical curve, interpolated linearly; the highest one where the curve rises straight up.
    SensitivityAtSpecificity { specificity: f64, steps: StepRule },
    /// Specificity on the empirical curve, interpolated linearly; the highest one where the curve runs level.
    SpecificityAtSensitivity { sensitivity: f64, steps: StepRule },
    /// Sensitivity at a false-positive fraction, the lowest one where the curve rises straight up. Of localisation
    /// ratings (see [`super::standalone::localised_readings`]) it is the fraction correctly localised, PCL.
    CorrectLocalisation { false_positive_fraction: f64 },
    /// max(TPR − slope × FPR) over the empirical curve, slope > 0 (Abbey, Samuelson and Gallas 2013).
    ExpectedUtility { slope: f64 },
    /// Area under the conventional binormal curve fitted by maximum likelihood (Dorfman and Alf 1969).
    BinormalAuc,
    /// Area under the likelihood-ratio ("proper") binormal curve fitted by maximum likelihood (Metz and Pan 1999).
    ProperBinormalAuc,
}

/// What [`FigureOfMerit::PartialAuc`] integrates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PartialArea {
    pub axis: RocAxis,
    /// Bounds on that axis, 0 ≤ from < to ≤ 1.
    pub from: f64,
    pub to: f64,
    /// Divide by `to − from`, so that a perfect curve has 1.
    pub normalized: bool,
    pub steps: StepRule,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RocAxis {
    Specificity,
    Sensitivity,
}

/// How a value between two points of the curve is read off where several points share an abscissa (a straight step).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepRule {
    /// Along the empirical curve, as pROC does.
    AlongCurve,
    /// Straight from the far end of one step to the far end of the next, as MRMCaov 0.3.0 does. It leaves the empirical
    /// curve where ratings are hardly tied, and is here to compare with that program's numbers.
    FarEnds,
}

/// Cases of each class at each rating level, highest level first.
#[derive(Debug, Clone, PartialEq)]
pub struct Levels {
    pub ratings: Vec<f64>,
    pub diseased: Vec<u32>,
    pub non_diseased: Vec<u32>,
}

/// The figure of merit with one case left out, for each level that a case of the class can be taken from.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaveOneOut {
    /// By level: value without one diseased (non-diseased) case of that level; the full value where there is none.
    pub diseased: Vec<f64>,
    pub non_diseased: Vec<f64>,
}

/// The class of cases that a figure of merit looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseClass {
    Both,
    Diseased,
    NonDiseased,
}

impl FigureOfMerit {
    /// The partial area over specificities (or sensitivities) `from..to`, raw, with exact edges.
    #[must_use]
    pub fn partial_auc(axis: RocAxis, from: f64, to: f64) -> Self {
        Self::PartialAuc(PartialArea { axis, from, to, normalized: false, steps: StepRule::AlongCurve })
    }

    /// The name as it is printed.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::EmpiricalAuc => "empirical AUC".to_owned(),
            Self::PartialAuc(area) => {
                let axis = match area.axis {
                    RocAxis::Specificity => "specificity",
                    RocAxis::Sensitivity => "sensitivity",
                };
                let scale = if area.normalized {
                    ", divided by the width".to_owned()
                } else {
                    // Rounded, since 1 − 0.8 is not 0.2 in binary.
                    format!(", at most {}", ((area.to - area.from) * 1e9).round() / 1e9)
                };
                format!("partial AUC ({axis} {} to {}{scale}{})", area.from, area.to, area.steps.remark())
            }
            Self::Sensitivity { threshold } => format!("sensitivity (rating ≥ {threshold})"),
            Self::Specificity { threshold } => format!("specificity (rating < {threshold})"),
            Self::SensitivityAtSpecificity { specificity, steps } => {
                format!("sensitivity at specificity {specificity}{}", steps.remark())
            }
            Self::SpecificityAtSensitivity { sensitivity, steps } => {
                format!("specificity at sensitivity {sensitivity}{}", steps.remark())
            }
            Self::CorrectLocalisation { false_positive_fraction } => {
                format!("correct localisations at false-positive fraction {false_positive_fraction}")
            }
            Self::ExpectedUtility { slope } => format!("expected utility (slope {slope})"),
            Self::BinormalAuc => "binormal AUC".to_owned(),
            Self::ProperBinormalAuc => "likelihood-ratio binormal AUC".to_owned(),
        }
    }

    /// Whether intervals for its means are cut to 0 and 1. The utility scale is arbitrary, so its intervals are not.
    #[must_use]
    pub fn cut_to_unit_range(&self) -> bool {
        !matches!(self, Self::ExpectedUtility { .. })
    }

    /// Which class of cases counts as "the cases" of the study, for example in the jackknife's (K − 1)/K.
    #[must_use]
    pub fn case_class(&self) -> CaseClass {
        match self {
            Self::Sensitivity { .. } => CaseClass::Diseased,
            Self::Specificity { .. } => CaseClass::NonDiseased,
            _ => CaseClass::Both,
        }
    }

    /// The figure of merit of these ratings.
    ///
    /// # Errors
    /// A class without a case, a parameter outside its range, a fit without a maximum.
    pub fn estimate(&self, diseased: &[f64], non_diseased: &[f64]) -> Estimable<f64> {
        self.of_levels(&Levels::new(diseased, non_diseased))
    }

    /// The figure of merit of counts by level.
    ///
    /// # Errors
    /// As [`FigureOfMerit::estimate`].
    pub fn of_levels(&self, levels: &Levels) -> Estimable<f64> {
        self.check_parameters()?;
        let (m, n) = levels.totals();
        let class = self.case_class();
        if (m == 0 && class != CaseClass::NonDiseased) || (n == 0 && class != CaseClass::Diseased) {
            let needs = match class {
                CaseClass::Both => "both truth classes",
                CaseClass::Diseased => "diseased cases",
                CaseClass::NonDiseased => "non-diseased cases",
            };
            return Err(NotEstimable::new("one_class", format!("{} needs {needs}: n+ = {m}, n- = {n}", self.name())));
        }
        match *self {
            Self::EmpiricalAuc => Ok(mann_whitney(levels)),
            Self::PartialAuc(area) => Ok(partial_area(&area, &levels.curve())),
            Self::Sensitivity { threshold } => Ok(levels.share_at_or_above(&levels.diseased, m, threshold)),
            Self::Specificity { threshold } => {
                let above = levels.count_at_or_above(&levels.non_diseased, threshold);
                Ok((n - above) as f64 / n as f64)
            }
            Self::SensitivityAtSpecificity { specificity, steps } => {
                let at = 1.0 - specificity;
                Ok(ordinate(&levels.curve(), at, steps, End::Far))
            }
            Self::SpecificityAtSensitivity { sensitivity, steps } => {
                let turned: Vec<(f64, f64)> = levels.curve().into_iter().map(|(fpr, tpr)| (tpr, 1.0 - fpr)).collect();
                let end = if steps == StepRule::FarEnds { End::Far } else { End::Near };
                Ok(ordinate(&turned, sensitivity, steps, end))
            }
            Self::CorrectLocalisation { false_positive_fraction } => {
                Ok(ordinate(&levels.curve(), false_positive_fraction, StepRule::AlongCurve, End::Near))
            }
            Self::ExpectedUtility { slope } => {
                Ok(levels.curve().into_iter().map(|(fpr, tpr)| tpr - slope * fpr).fold(0.0, f64::max))
            }
            Self::BinormalAuc => binormal::fit_binormal(levels).map(|fit| fit.auc()),
            Self::ProperBinormalAuc => binormal::fit_proper_binormal(levels).map(|fit| fit.auc()),
        }
    }

    /// The value with each case left out in turn. One pass over the levels for the empirical AUC, sensitivity and
    /// specificity; one evaluation for each level and class otherwise.
    ///
    /// # Errors
    /// Fewer than two cases of a class, or a reduced set for which the figure does not exist.
    pub fn leave_one_out(&self, levels: &Levels) -> Estimable<LeaveOneOut> {
        let full = self.of_levels(levels)?;
        let (m, n) = levels.totals();
        let class = self.case_class();
        if (m < 2 && class != CaseClass::NonDiseased) || (n < 2 && class != CaseClass::Diseased) {
            return Err(NotEstimable::new(
                "jackknife_too_few",
                format!("leaving one case out needs two of each class in use: n+ = {m}, n- = {n}"),
            ));
        }
        if *self == Self::EmpiricalAuc {
            return Ok(mann_whitney_leave_one_out(levels));
        }
        let mut reduced = levels.clone();
        let mut values = LeaveOneOut { diseased: vec![full; levels.len()], non_diseased: vec![full; levels.len()] };
        for level in 0..levels.len() {
            if levels.diseased[level] > 0 && class != CaseClass::NonDiseased {
                reduced.diseased[level] -= 1;
                values.diseased[level] = self.of_levels(&reduced)?;
                reduced.diseased[level] += 1;
            }
            if levels.non_diseased[level] > 0 && class != CaseClass::Diseased {
                reduced.non_diseased[level] -= 1;
                values.non_diseased[level] = self.of_levels(&reduced)?;
                reduced.non_diseased[level] += 1;
            }
        }
        Ok(values)
    }

    fn check_parameters(&self) -> Estimable<()> {
        let fault = match *self {
            Self::PartialAuc(PartialArea { from, to, .. }) if !(0.0 <= from && from < to && to <= 1.0) => {
                format!("a partial area needs 0 ≤ from < to ≤ 1, not {from} to {to}")
            }
            Self::SensitivityAtSpecificity { specificity: at, .. }
            | Self::SpecificityAtSensitivity { sensitivity: at, .. }
            | Self::CorrectLocalisation { false_positive_fraction: at }
                if !(0.0..=1.0).contains(&at) =>
            {
                format!("an operating point needs a value within 0 and 1, not {at}")
            }
            Self::ExpectedUtility { slope } if !(slope > 0.0 && slope.is_finite()) => {
                format!("the slope of an iso-utility line is positive, not {slope}")
            }
            Self::Sensitivity { threshold } | Self::Specificity { threshold } if threshold.is_nan() => {
                "the threshold is not a number".to_owned()
            }
            _ => return Ok(()),
        };
        Err(NotEstimable::new("bad_parameter", fault))
    }
}

impl Levels {
    /// Sorts the ratings of both classes into levels. O(n log n).
    #[must_use]
    pub fn new(diseased: &[f64], non_diseased: &[f64]) -> Self {
        Self::with_positions(diseased, non_diseased).0
    }

    /// As [`Levels::new`], with the level of each rating, in the order given.
    #[must_use]
    pub fn with_positions(diseased: &[f64], non_diseased: &[f64]) -> (Self, Vec<u32>, Vec<u32>) {
        let m = diseased.len();
        let mut order: Vec<(f64, u32)> = diseased.iter().chain(non_diseased).copied().zip(0..).collect();
        order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let mut levels = Self { ratings: Vec::new(), diseased: Vec::new(), non_diseased: Vec::new() };
        let (mut diseased_at, mut non_diseased_at) = (vec![0; m], vec![0; non_diseased.len()]);
        for (rating, at) in order {
            // `!=` and not the order of bits: −0 and +0 are one rating
            if levels.ratings.last().is_none_or(|&last| last != rating) {
                levels.ratings.push(rating);
                levels.diseased.push(0);
                levels.non_diseased.push(0);
            }
            let level = levels.ratings.len() - 1;
            let at = at as usize;
            if at < m {
                levels.diseased[level] += 1;
                diseased_at[at] = level as u32;
            } else {
                levels.non_diseased[level] += 1;
                non_diseased_at[at - m] = level as u32;
            }
        }
        (levels, diseased_at, non_diseased_at)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.ratings.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ratings.is_empty()
    }

    /// Number of diseased and of non-diseased cases.
    #[must_use]
    pub fn totals(&self) -> (u64, u64) {
        (self.diseased.iter().map(|&c| u64::from(c)).sum(), self.non_diseased.iter().map(|&c| u64::from(c)).sum())
    }

    /// The empirical ROC curve from (0, 0) to (1, 1) as (FPR, TPR), one point a level.
    #[must_use]
    pub fn curve(&self) -> Vec<(f64, f64)> {
        let (m, n) = self.totals();
        let (mut tp, mut fp) = (0_u64, 0_u64);
        let mut points = Vec::with_capacity(self.len() + 1);
        points.push((0.0, 0.0));
        for (&d, &h) in self.diseased.iter().zip(&self.non_diseased) {
            tp += u64::from(d);
            fp += u64::from(h);
            points.push((fp as f64 / n as f64, tp as f64 / m as f64));
        }
        points
    }

    fn count_at_or_above(&self, counts: &[u32], threshold: f64) -> u64 {
        self.ratings
            .iter()
            .zip(counts)
            .take_while(|(rating, _)| **rating >= threshold)
            .map(|(_, &c)| u64::from(c))
            .sum()
    }

    fn share_at_or_above(&self, counts: &[u32], total: u64, threshold: f64) -> f64 {
        self.count_at_or_above(counts, threshold) as f64 / total as f64
    }
}

/// Σ over pairs of ψ(diseased, non-diseased) / (m n), ψ = 1, ½, 0; the sum is a whole number of halves.
fn mann_whitney(levels: &Levels) -> f64 {
    let (m, n) = levels.totals();
    let (mut above, mut halves) = (0_u64, 0_u64);
    for (&d, &h) in levels.diseased.iter().zip(&levels.non_diseased) {
        halves += u64::from(h) * (2 * above + u64::from(d));
        above += u64::from(d);
    }
    halves as f64 / (2 * m * n) as f64
}

/// Without diseased case i the pair sum loses that case's placement: θ₋ᵢ = (S − sᵢ) / ((m − 1) n). Needs m, n ≥ 2.
fn mann_whitney_leave_one_out(levels: &Levels) -> LeaveOneOut {
    let (m, n) = levels.totals();
    let placements = placements(levels);
    let halves: u64 = placements.0.iter().zip(&levels.diseased).map(|(&s, &d)| s * u64::from(d)).sum();
    let without = |s: u64, pairs: u64| (halves - s) as f64 / (2 * pairs) as f64;
    let full = halves as f64 / (2 * m * n) as f64;
    let value = |s: u64, count: u32, pairs: u64| if count > 0 { without(s, pairs) } else { full };
    LeaveOneOut {
        diseased: placements.0.iter().zip(&levels.diseased).map(|(&s, &d)| value(s, d, (m - 1) * n)).collect(),
        non_diseased: placements.1.iter().zip(&levels.non_diseased).map(|(&s, &h)| value(s, h, m * (n - 1))).collect(),
    }
}

/// In halves, by level: non-diseased cases below a diseased one there, and diseased cases above a non-diseased one.
pub(super) fn placements(levels: &Levels) -> (Vec<u64>, Vec<u64>) {
    let (_, n) = levels.totals();
    let (mut diseased_above, mut non_diseased_above) = (0_u64, 0_u64);
    let (mut of_diseased, mut of_non_diseased) = (Vec::with_capacity(levels.len()), Vec::with_capacity(levels.len()));
    for (&d, &h) in levels.diseased.iter().zip(&levels.non_diseased) {
        let (d, h) = (u64::from(d), u64::from(h));
        of_diseased.push(2 * (n - non_diseased_above - h) + h);
        of_non_diseased.push(2 * diseased_above + d);
        diseased_above += d;
        non_diseased_above += h;
    }
    (of_diseased, of_non_diseased)
}

impl StepRule {
    fn remark(self) -> &'static str {
        if self == Self::AlongCurve { "" } else { ", read from step end to step end" }
    }
}

/// Which end of a step counts where the abscissa that is asked for lies on it.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Near,
    Far,
}

/// The ordinate at `at` of a curve whose abscissa never falls.
fn ordinate(points: &[(f64, f64)], at: f64, steps: StepRule, end: End) -> f64 {
    let mut on_step = points.iter().filter(|point| (point.0 - at).abs() <= SAME_POINT);
    let found = if end == End::Near { on_step.next() } else { on_step.next_back() };
    if let Some(point) = found {
        return point.1;
    }
    let after = points.partition_point(|point| point.0 < at);
    if after == 0 || after == points.len() {
        return points[after.min(points.len() - 1)].1;
    }
    let (a, near) = (points[after - 1], points[after]);
    let last_there = points[after..].iter().take_while(|point| point.0 <= near.0 + SAME_POINT).last();
    let b = if steps == StepRule::FarEnds { *last_there.unwrap_or(&near) } else { near };
    a.1 + (b.1 - a.1) * (at - a.0) / (b.0 - a.0)
}

/// The trapezoidal area of the part of the curve between two abscissae: FPR for a band of specificity, with TPR above
/// it; TPR for a band of sensitivity, with specificity (the area to the right of the curve) above it.
fn partial_area(area: &PartialArea, curve: &[(f64, f64)]) -> f64 {
    let (low, high, points): (f64, f64, Vec<(f64, f64)>) = match area.axis {
        RocAxis::Specificity => (1.0 - area.to, 1.0 - area.from, curve.to_vec()),
        RocAxis::Sensitivity => (area.from, area.to, curve.iter().map(|&(fpr, tpr)| (tpr, 1.0 - fpr)).collect()),
    };
    let sum = match area.steps {
        StepRule::AlongCurve => {
            points.windows(2).map(|pair| clipped_trapezoid(pair[0], pair[1], low, high)).sum::<f64>()
        }
        StepRule::FarEnds => {
            let far_end = |at: f64| ordinate(&points, at, StepRule::FarEnds, End::Far);
            let inside = points.iter().copied().filter(|p| p.0 > low + SAME_POINT && p.0 < high - SAME_POINT);
            let mut before = (low, far_end(low));
            let mut sum = 0.0;
            for point in inside.chain([(high, far_end(high))]) {
                sum += (point.0 - before.0) * (point.1 + before.1) / 2.0;
                before = point;
            }
            sum
        }
    };
    if area.normalized { sum / (area.to - area.from) } else { sum }
}

fn clipped_trapezoid(a: (f64, f64), b: (f64, f64), low: f64, high: f64) -> f64 {
    let (from, to) = (a.0.max(low), b.0.min(high));
    if to <= from {
        return 0.0;
    }
    let at = |x: f64| a.1 + (b.1 - a.1) * (x - a.0) / (b.0 - a.0);
    (to - from) * (at(from) + at(to)) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISEASED: [f64; 4] = [0.1, 0.2, 0.3, 0.7];
    const NON_DISEASED: [f64; 4] = [0.4, 0.5, 0.6, 0.8];

    #[test]
    fn direction_is_never_turned_round() {
        assert_eq!(FigureOfMerit::EmpiricalAuc.estimate(&DISEASED, &NON_DISEASED), Ok(0.1875));
        assert_eq!(FigureOfMerit::EmpiricalAuc.estimate(&[1.0, 2.0], &[1.0, 1.0]), Ok(0.75));
    }

    #[test]
    fn one_class_has_no_area() {
        let fault = FigureOfMerit::EmpiricalAuc.estimate(&[], &NON_DISEASED).expect_err("no diseased case");
        assert_eq!(fault.code, "one_class");
        assert!(fault.reason.contains("n+ = 0, n- = 4"));
        assert!(FigureOfMerit::Specificity { threshold: 0.5 }.estimate(&[], &NON_DISEASED).is_ok());
        assert!(FigureOfMerit::Sensitivity { threshold: 0.5 }.estimate(&[], &NON_DISEASED).is_err());
    }

    #[test]
    fn leave_one_out_is_the_value_without_that_case() {
        let foms = [
            FigureOfMerit::EmpiricalAuc,
            FigureOfMerit::partial_auc(RocAxis::Specificity, 0.5, 1.0),
            FigureOfMerit::ExpectedUtility { slope: 1.0 },
            FigureOfMerit::Sensitivity { threshold: 0.2 },
        ];
        for fom in foms {
            let (levels, diseased_at, non_diseased_at) = Levels::with_positions(&DISEASED, &NON_DISEASED);
            let quick = fom.leave_one_out(&levels).expect("four of each class");
            for (skip, &level) in diseased_at.iter().enumerate() {
                let mut rest = DISEASED.to_vec();
                rest.remove(skip);
                assert_eq!(Ok(quick.diseased[level as usize]), fom.estimate(&rest, &NON_DISEASED));
            }
            for (skip, &level) in non_diseased_at.iter().enumerate() {
                let mut rest = NON_DISEASED.to_vec();
                rest.remove(skip);
                assert_eq!(Ok(quick.non_diseased[level as usize]), fom.estimate(&DISEASED, &rest));
            }
        }
    }

    #[test]
    fn a_value_on_a_step_is_the_better_end() {
        let steps = StepRule::AlongCurve;
        // the curve goes (0,0), (¼,0), (¼,¼), (½,¼)
        let sensitivity = FigureOfMerit::SensitivityAtSpecificity { specificity: 0.75, steps };
        assert_eq!(sensitivity.estimate(&DISEASED, &NON_DISEASED), Ok(0.25));
        let specificity = FigureOfMerit::SpecificityAtSensitivity { sensitivity: 0.25, steps };
        assert_eq!(specificity.estimate(&DISEASED, &NON_DISEASED), Ok(0.75));
    }

    #[test]
    fn whole_band_is_the_whole_area() {
        for axis in [RocAxis::Specificity, RocAxis::Sensitivity] {
            let whole = FigureOfMerit::partial_auc(axis, 0.0, 1.0).estimate(&DISEASED, &NON_DISEASED).expect("exists");
            assert!((whole - 0.1875).abs() < 1e-15);
        }
    }

    #[test]
    fn parameters_outside_their_range_are_refused() {
        for fom in [
            FigureOfMerit::partial_auc(RocAxis::Specificity, 0.9, 0.2),
            FigureOfMerit::ExpectedUtility { slope: 0.0 },
            FigureOfMerit::SensitivityAtSpecificity { specificity: 1.2, steps: StepRule::AlongCurve },
        ] {
            assert_eq!(fom.estimate(&DISEASED, &NON_DISEASED).expect_err("refused").code, "bad_parameter");
        }
    }
}
