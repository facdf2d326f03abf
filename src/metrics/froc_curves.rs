//! Curves over marks, for figures and for the scores of challenges, each convention under its own name.
//!
//! The conventions differ in what they drop and how they read a value between two operating points, and their scores
//! differ by it. The figures of merit of [`super::location`] follow none of them.

use super::detection::Matched;
use crate::stats::{Estimable, NotEstimable};
use serde::Serialize;

/// How a challenge makes a FROC curve and reads its score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CurveConvention {
    pub name: &'static str,
    pub thresholds: Thresholds,
    /// Hits are held in single precision and compared so, false marks in double, so that equal ratings are two thresholds.
    pub hits_in_single_precision: bool,
    pub interpolated: bool,
    /// False marks per image at which sensitivity is read; the score is the mean.
    pub rates: &'static [f64],
}

/// Which ratings are operating points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Thresholds {
    /// All of them, from (0, 0).
    All,
    /// All but the lowest: a missed or ignored lesion puts a rating of 0 in the list, which is meant to go. Where no
    /// lesion is missed or ignored, a real operating point goes.
    LowestDropped,
}

const CAMELYON16_RATES: &[f64] = &[0.25, 0.5, 1.0, 2.0, 4.0, 8.0];
const LUNA16_RATES: &[f64] = &[0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0];

/// The published evaluation program of CAMELYON16 (Ehteshami Bejnordi et al. 2017, JAMA 318:2199). It does not define the
/// reading; straight lines as in MONAI's `compute_froc_score`.
pub const CAMELYON16: CurveConvention = CurveConvention {
    name: "CAMELYON16 (organisers' program)",
    thresholds: Thresholds::LowestDropped,
    hits_in_single_precision: true,
    interpolated: true,
    rates: CAMELYON16_RATES,
};

/// [`CAMELYON16`] with all ratings in one precision, as MONAI computes it.
pub const CAMELYON16_ONE_PRECISION: CurveConvention =
    CurveConvention { name: "CAMELYON16 (one precision)", hits_in_single_precision: false, ..CAMELYON16 };

/// The whole curve, read by step, at the rates of CAMELYON16.
pub const CAMELYON16_EXACT: CurveConvention = CurveConvention {
    name: "CAMELYON16 rates, whole curve, by step",
    thresholds: Thresholds::All,
    hits_in_single_precision: false,
    interpolated: false,
    rates: CAMELYON16_RATES,
};

/// LUNA16's seven rates (Setio et al. 2017, Med Image Anal 42:1), read as MONAI does: mean sensitivity is the CPM of
/// Niemeijer et al. (2011).
pub const LUNA16: CurveConvention = CurveConvention {
    name: "LUNA16 rates (one precision, lowest threshold dropped)",
    rates: LUNA16_RATES,
    ..CAMELYON16_ONE_PRECISION
};

/// The whole curve, read by straight lines, at LUNA16's rates.
pub const LUNA16_WHOLE: CurveConvention = CurveConvention {
    name: "LUNA16 rates, whole curve",
    thresholds: Thresholds::All,
    hits_in_single_precision: false,
    interpolated: true,
    rates: LUNA16_RATES,
};

/// A curve made by a convention.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConventionalCurve {
    pub convention: CurveConvention,
    /// (false marks per image, sensitivity), from (0, 0) on.
    pub points: Vec<(f64, f64)>,
    pub at_rates: Vec<f64>,
    /// Mean of `at_rates`.
    pub score: f64,
}

/// The curve of `cases`, all images. `ignored_lesions` is the number of lesions that count neither as found nor as missed
/// (isolated tumour cells, irrelevant findings); marks on them are not in `cases`. O(n log n).
///
/// # Errors
/// No image or no lesion.
pub fn conventional_curve(
    cases: &[&Matched],
    ignored_lesions: usize,
    convention: CurveConvention,
) -> Estimable<ConventionalCurve> {
    let lesions: usize = cases.iter().map(|case| case.hits.len()).sum();
    if lesions == 0 {
        let reason = format!("lesion sensitivity needs a lesion: {} images, 0 lesions", cases.len());
        return Err(NotEstimable::new("no-lesion", reason));
    }
    // a hit is compared with a threshold in single precision, a false mark in double
    let single = |rating: f64| if convention.hits_in_single_precision { f64::from(rating as f32) } else { rating };
    let falling = |mut ratings: Vec<f64>| {
        ratings.sort_unstable_by(|a, b| b.total_cmp(a));
        ratings
    };
    let hits =
        falling(cases.iter().flat_map(|case| case.hits.iter().flatten()).map(|&rating| single(rating)).collect());
    let false_marks = falling(cases.iter().flat_map(|case| case.false_marks.iter().copied()).collect());
    let mut thresholds = falling(hits.iter().chain(&false_marks).copied().collect());
    thresholds.dedup();
    let mut points = vec![(0.0, 0.0)];
    for &threshold in &thresholds {
        let found = hits.partition_point(|&rating| rating >= single(threshold));
        let wrong = false_marks.partition_point(|&rating| rating >= threshold);
        points.push((wrong as f64 / cases.len() as f64, found as f64 / lesions as f64));
    }
    let lowest = thresholds.last().copied().unwrap_or(f64::INFINITY);
    let zero_in_list = ignored_lesions > 0 || cases.iter().any(|case| case.hits.iter().any(Option::is_none));
    if convention.thresholds == Thresholds::LowestDropped && points.len() > 1 {
        if !zero_in_list || lowest == 0.0 {
            points.pop();
        } else if lowest < 0.0 {
            let reason = format!("{} takes 0 for the lowest rating, the lowest here is {lowest}", convention.name);
            return Err(NotEstimable::new("bad_parameter", reason));
        }
    }
    let at_rates: Vec<f64> =
        convention.rates.iter().map(|&rate| read(&points, rate, convention.interpolated)).collect();
    let score = at_rates.iter().sum::<f64>() / at_rates.len() as f64;
    Ok(ConventionalCurve { convention, points, at_rates, score })
}

/// The highest point at or left of `rate`, or on the straight line to the next one; the ends hold beyond them.
fn read(points: &[(f64, f64)], rate: f64, interpolated: bool) -> f64 {
    let after = points.partition_point(|point| point.0 <= rate);
    let Some(&reached) = after.checked_sub(1).and_then(|at| points.get(at)) else { return 0.0 };
    match points.get(after) {
        Some(next) if interpolated => reached.1 + (next.1 - reached.1) * (rate - reached.0) / (next.0 - reached.0),
        _ => reached.1,
    }
}

/// Which curve of false-positive fraction against lesions found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AfrocCurve {
    /// Each diseased case counts 1, shared among its lesions by their weights.
    pub weighted: bool,
    /// The highest false mark of every case, not of non-diseased ones only.
    pub all_cases: bool,
}

/// The empirical (w)AFROC curve as (false-positive fraction, lesion localisation fraction): from (0, 0) over one point a
/// rating to the last mark, and by a straight line to (1, 1), as Chakraborty (2017, chapter 13) draws it. Its area is the
/// figure of merit of the same name. O(n log n).
///
/// # Errors
/// No lesion, or no case whose false marks count.
pub fn afroc_curve(cases: &[&Matched], kind: AfrocCurve) -> Estimable<Vec<(f64, f64)>> {
    let highest = |case: &Matched| case.false_marks.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // (rating, adds to x, adds to y)
    let mut steps: Vec<(f64, f64, f64)> = Vec::new();
    let (mut x_total, mut y_total) = (0.0, 0.0);
    for case in cases {
        if kind.all_cases || case.hits.is_empty() {
            steps.push((highest(case), 1.0, 0.0));
            x_total += 1.0;
        }
        if !case.hits.is_empty() {
            let total: f64 = case.weights.iter().sum();
            let share = |weight: f64| if kind.weighted { weight / total } else { 1.0 };
            let found = case.hits.iter().zip(&case.weights);
            steps.extend(found.filter_map(|(hit, &weight)| hit.map(|rating| (rating, 0.0, share(weight)))));
            y_total += if kind.weighted { 1.0 } else { case.hits.len() as f64 };
        }
    }
    if x_total == 0.0 || y_total == 0.0 {
        let reason = format!("an AFROC curve needs lesions and cases that count for false marks ({x_total} of them)");
        return Err(NotEstimable::new("one-class-only", reason));
    }
    steps.retain(|step| step.0 > f64::NEG_INFINITY);
    steps.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut points = vec![(0.0, 0.0)];
    let (mut x, mut y) = (0.0, 0.0);
    for level in steps.chunk_by(|a, b| a.0 == b.0) {
        for step in level {
            x += step.1;
            y += step.2;
        }
        points.push((x / x_total, y / y_total));
    }
    points.push((1.0, 1.0));
    Ok(points)
}

/// Lesion detection as the PI-CAI challenge scores it (Saha et al. 2024, Lancet Oncol 25:879; picai_eval 1.4).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LesionPrecision {
    /// By falling recall: from all marks, over one point a rating, to (1, 0); a missed lesion adds a point of precision 0.
    pub precision: Vec<f64>,
    pub recall: Vec<f64>,
    /// Σ (recall step) × precision, no trapezoids.
    pub average_precision: f64,
}

/// Precision and recall over lesions. A missed lesion enters as a candidate with rating 0 whose precision is 0, so all
/// ratings must be above 0. O(n log n).
///
/// # Errors
/// No lesion, or a rating of 0 or below.
pub fn lesion_precision(cases: &[&Matched]) -> Estimable<LesionPrecision> {
    let lesions: usize = cases.iter().map(|case| case.hits.len()).sum();
    if lesions == 0 {
        return Err(NotEstimable::new("no-lesion", format!("precision needs a lesion: {} images", cases.len())));
    }
    let mut marks: Vec<(f64, bool)> = Vec::new();
    for case in cases {
        marks.extend(case.hits.iter().flatten().map(|&rating| (rating, true)));
        marks.extend(case.false_marks.iter().map(|&rating| (rating, false)));
    }
    if let Some(mark) = marks.iter().find(|mark| mark.0.is_nan() || mark.0 <= 0.0) {
        return Err(NotEstimable::new("bad_parameter", format!("ratings are above 0 here, not {}", mark.0)));
    }
    marks.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let (mut precision, mut recall) = (vec![1.0], vec![0.0]);
    let (mut hits, mut seen) = (0_usize, 0_usize);
    for level in marks.chunk_by(|a, b| a.0 == b.0) {
        hits += level.iter().filter(|mark| mark.1).count();
        seen += level.len();
        precision.push(hits as f64 / seen as f64);
        recall.push(hits as f64 / lesions as f64);
    }
    if hits < lesions {
        precision.push(0.0);
        recall.push(1.0);
    }
    let average_precision =
        recall.windows(2).zip(&precision[1..]).map(|(step, precision)| (step[1] - step[0]) * precision).sum();
    precision.reverse();
    recall.reverse();
    Ok(LesionPrecision { precision, recall, average_precision })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::location::LocationFigure;

    fn case(hits: &[Option<f64>], false_marks: &[f64]) -> Matched {
        Matched { hits: hits.to_vec(), weights: vec![1.0; hits.len()], false_marks: false_marks.to_vec(), ignored: 0 }
    }

    /// Nothing missed and no false mark: the organisers' program loses the point at sensitivity 1.
    #[test]
    fn a_perfect_reader_loses_a_point_by_the_organisers_rule_only() {
        let cases = [case(&[Some(0.9), Some(0.8)], &[]), case(&[], &[])];
        let all: Vec<&Matched> = cases.iter().collect();
        let score = |convention| conventional_curve(&all, 0, convention).unwrap().score;
        assert_eq!((score(CAMELYON16), score(CAMELYON16_EXACT), score(LUNA16_WHOLE)), (0.5, 1.0, 1.0));
        // an ignored lesion puts the 0 in the list that is dropped
        assert_eq!(conventional_curve(&all, 1, CAMELYON16).unwrap().score, 1.0);
    }

    #[test]
    fn the_area_under_the_curve_is_the_figure_of_merit() {
        let cases = [
            case(&[Some(3.0), None], &[2.0]),
            case(&[Some(1.0)], &[]),
            case(&[], &[1.0, 0.5]),
            case(&[], &[]),
            case(&[], &[3.0]),
        ];
        let all: Vec<&Matched> = cases.iter().collect();
        for (weighted, all_cases, figure) in [
            (false, false, LocationFigure::Afroc),
            (false, true, LocationFigure::Afroc1),
            (true, false, LocationFigure::WeightedAfroc),
            (true, true, LocationFigure::WeightedAfroc1),
        ] {
            let points = afroc_curve(&all, AfrocCurve { weighted, all_cases }).unwrap();
            let area: f64 = points.windows(2).map(|p| (p[1].0 - p[0].0) * f64::midpoint(p[1].1, p[0].1)).sum();
            assert!((area - figure.estimate(&all).unwrap()).abs() < 1e-15, "{figure:?}");
        }
    }

    #[test]
    fn no_lesion_has_no_curve() {
        let cases = [case(&[], &[0.4])];
        let all: Vec<&Matched> = cases.iter().collect();
        assert_eq!(conventional_curve(&all, 0, CAMELYON16).unwrap_err().code, "no-lesion");
        assert_eq!(lesion_precision(&all).unwrap_err().code, "no-lesion");
        assert!(afroc_curve(&all, AfrocCurve { weighted: true, all_cases: false }).is_err());
    }
}
