//! Partial areas of an empirical ROC curve: raw, as a share of the room, and corrected by McClish (1989).

use super::RocCurve;
use crate::stats::{Estimable, NotEstimable};
use serde::Serialize;

/// The part of the curve that counts; the two limits in either order.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Range {
    Specificity(f64, f64),
    Sensitivity(f64, f64),
}

/// A partial area in its three forms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PartialArea {
    /// The area itself, at most the width of the range.
    pub area: f64,
    /// area / width: the mean sensitivity over the range of specificity (or the reverse).
    pub normalised: f64,
    /// McClish: ½(1 + (area − chance)/(width − chance)), which is ½ for a useless and 1 for a perfect score.
    pub corrected: f64,
}

/// The area under the polyline between two specificities (or two sensitivities).
pub fn partial_auc(curve: &RocCurve, range: Range) -> Estimable<PartialArea> {
    let (a, b) = match range {
        Range::Specificity(a, b) | Range::Sensitivity(a, b) => (a.min(b), a.max(b)),
    };
    if !(a >= 0.0 && b <= 1.0 && a < b) {
        return Err(NotEstimable::new(
            "range_out_of_bounds",
            format!("a partial area needs a range inside [0, 1] with some width, not {a} to {b}"),
        ));
    }
    // The integral of y over x in [a, b], with x rising along the points.
    let points: Vec<(f64, f64)> = match range {
        Range::Specificity(..) => curve.points.iter().map(|p| (p.specificity, p.sensitivity)).collect(),
        Range::Sensitivity(..) => curve.points.iter().rev().map(|p| (p.sensitivity, p.specificity)).collect(),
    };
    let area = points
        .windows(2)
        .map(|pair| {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let (from, to) = (x0.max(a), x1.min(b));
            if to <= from {
                return 0.0;
            }
            let at = |x: f64| y0 + (y1 - y0) * (x - x0) / (x1 - x0);
            0.5 * (at(from) + at(to)) * (to - from)
        })
        .sum::<f64>();
    let width = b - a;
    // Under chance y = 1 − x.
    let chance = width * (1.0 - 0.5 * (a + b));
    Ok(PartialArea { area, normalised: area / width, corrected: 0.5 * (1.0 + (area - chance) / (width - chance)) })
}

#[cfg(test)]
mod tests {
    use super::super::roc_curve;
    use super::*;

    #[test]
    fn parts_add_up_and_perfect_is_one() {
        let curve = roc_curve(&[1.0, 2.0, 3.0, 3.5], &[0.0, 2.0, 2.5]).unwrap();
        let part = |a, b| partial_auc(&curve, Range::Specificity(a, b)).unwrap().area;
        assert!((part(0.0, 0.37) + part(0.37, 1.0) - curve.auc).abs() < 1e-15);
        let sideways = partial_auc(&curve, Range::Sensitivity(1.0, 0.0)).unwrap().area;
        assert!((sideways - curve.auc).abs() < 1e-15);
        let perfect = roc_curve(&[2.0], &[1.0]).unwrap();
        let area = partial_auc(&perfect, Range::Specificity(1.0, 0.9)).unwrap();
        assert!((area.normalised - 1.0).abs() < 1e-15 && (area.corrected - 1.0).abs() < 1e-15);
        let useless = roc_curve(&[1.0], &[1.0]).unwrap();
        let area = partial_auc(&useless, Range::Specificity(0.9, 0.6)).unwrap();
        assert!((area.corrected - 0.5).abs() < 1e-15);
        assert!(partial_auc(&curve, Range::Specificity(0.5, 0.5)).is_err());
    }
}
