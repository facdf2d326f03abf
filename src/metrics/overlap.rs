//! How much two masks of one case have in common, counted in voxels: Dice, Jaccard and what follows from the same counts.
//!
//! Definitions after Taha and Hanbury (2015, BMC Med Imaging 15:29, section 2.1), signs as named here. Every ratio whose
//! denominator is zero is not estimable with the state of the masks as its reason; [`EmptyRule`] turns that into the
//! value a protocol has declared. No measure here depends on the order of axes, so masks are plain slices.
//!
//! [`EmptyRule`]: super::empty::EmptyRule

use super::empty::Emptiness;
use crate::stats::{Estimable, NotEstimable};

/// Voxels by reference and prediction. Real numbers, since some rules sum shares of images instead of voxels;
/// whole counts are exact up to 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Counts {
    pub true_positive: f64,
    pub false_positive: f64,
    pub false_negative: f64,
    pub true_negative: f64,
}

/// Counts of two masks of the same grid.
pub fn counts(reference: &[bool], prediction: &[bool]) -> Estimable<Counts> {
    if reference.len() != prediction.len() {
        return Err(NotEstimable::new(
            "masks_differ_in_size",
            format!("the reference has {} voxels, the prediction {}", reference.len(), prediction.len()),
        ));
    }
    let (mut both, mut in_reference, mut in_prediction) = (0_usize, 0_usize, 0_usize);
    for (&r, &p) in reference.iter().zip(prediction) {
        both += usize::from(r & p);
        in_reference += usize::from(r);
        in_prediction += usize::from(p);
    }
    Ok(Counts {
        true_positive: both as f64,
        false_positive: (in_prediction - both) as f64,
        false_negative: (in_reference - both) as f64,
        true_negative: (reference.len() + both - in_reference - in_prediction) as f64,
    })
}

/// What a relative volume difference is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelativeTo {
    /// (|P| − |R|) / |R|: positive = too large.
    Reference,
    /// (|R| − |P|) / |P|: the LiTS scoring code, with sign and denominator reversed against its paper.
    Prediction,
}

impl Counts {
    pub fn reference(&self) -> f64 {
        self.true_positive + self.false_negative
    }

    pub fn prediction(&self) -> f64 {
        self.true_positive + self.false_positive
    }

    pub fn total(&self) -> f64 {
        self.reference() + self.false_positive + self.true_negative
    }

    pub fn emptiness(&self) -> Emptiness {
        Emptiness::of(self.reference() == 0.0, self.prediction() == 0.0)
    }

    /// 2 TP / (2 TP + FP + FN). Not estimable where both masks are empty; 0 where one is.
    pub fn dice(&self) -> Estimable<f64> {
        self.ratio(2.0 * self.true_positive, self.reference() + self.prediction())
    }

    /// TP / (TP + FP + FN). Not estimable where both masks are empty; 0 where one is.
    pub fn jaccard(&self) -> Estimable<f64> {
        self.ratio(self.true_positive, self.true_positive + self.false_positive + self.false_negative)
    }

    /// Volumetric overlap error, 1 − Jaccard.
    pub fn overlap_error(&self) -> Estimable<f64> {
        self.jaccard().map(|j| 1.0 - j)
    }

    /// Jaccard, or 0 where it is below `minimum`; the minimum itself is kept (ISIC 2018, task 1: 0.65).
    pub fn thresholded_jaccard(&self, minimum: f64) -> Estimable<f64> {
        self.jaccard().map(|j| if j >= minimum { j } else { 0.0 })
    }

    /// TP / (TP + FN), of voxels.
    pub fn sensitivity(&self) -> Estimable<f64> {
        self.ratio(self.true_positive, self.reference())
    }

    /// TN / (TN + FP), of voxels: it depends on how much background the image shows.
    pub fn specificity(&self) -> Estimable<f64> {
        let background = self.true_negative + self.false_positive;
        if background == 0.0 {
            return Err(NotEstimable::new("reference_full", "the reference fills the image, no background is left"));
        }
        Ok(self.true_negative / background)
    }

    /// TP / (TP + FP), of voxels.
    pub fn positive_predictive_value(&self) -> Estimable<f64> {
        self.ratio(self.true_positive, self.prediction())
    }

    /// 1 − ||R| − |P|| / (|R| + |P|), 0 to 1 (Taha and Hanbury 2015, eq. 16; MRBrainS18).
    pub fn volume_similarity(&self) -> Estimable<f64> {
        self.ratio((self.reference() - self.prediction()).abs(), self.reference() + self.prediction()).map(|d| 1.0 - d)
    }

    /// 2 (|R| − |P|) / (|R| + |P|), −2 to 2: SimpleITK's volume similarity; positive = too small.
    pub fn signed_volume_similarity(&self) -> Estimable<f64> {
        self.ratio(2.0 * (self.reference() - self.prediction()), self.reference() + self.prediction())
    }

    pub fn relative_volume_difference(&self, to: RelativeTo) -> Estimable<f64> {
        let (reference, prediction) = (self.reference(), self.prediction());
        match to {
            RelativeTo::Reference => self.ratio(prediction - reference, reference),
            RelativeTo::Prediction => self.ratio(reference - prediction, prediction),
        }
    }

    /// |P| / |R|.
    pub fn relative_volume(&self) -> Estimable<f64> {
        self.ratio(self.prediction(), self.reference())
    }

    /// (|P| − |R|) × the volume of a voxel, in the unit of `voxel` (mm³ from mm).
    pub fn volume_difference(&self, voxel: f64) -> f64 {
        (self.prediction() - self.reference()) * voxel
    }

    /// Matthews' correlation of the voxels, (TP·TN − FP·FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN)) (Matthews 1975).
    pub fn matthews(&self) -> Estimable<f64> {
        let Self { true_positive: tp, false_positive: fp, false_negative: fn_, true_negative: tn } = *self;
        // roots taken one by one: the product of four counts of a large volume leaves the exact range
        let scale = (tp + fp).sqrt() * (tp + fn_).sqrt() * (tn + fp).sqrt() * (tn + fn_).sqrt();
        if scale == 0.0 {
            return Err(NotEstimable::new("one_class", "reference or prediction holds one class only"));
        }
        Ok((tp * tn - fp * fn_) / scale)
    }

    /// The counts as shares of the image, so that a large image weighs no more than a small one (ISIC 2018, task 2).
    pub fn shares(&self) -> Estimable<Self> {
        let total = self.total();
        if total == 0.0 {
            return Err(NotEstimable::new("no_voxels", "the image has no voxels"));
        }
        Ok(Self {
            true_positive: self.true_positive / total,
            false_positive: self.false_positive / total,
            false_negative: self.false_negative / total,
            true_negative: self.true_negative / total,
        })
    }

    fn ratio(&self, above: f64, below: f64) -> Estimable<f64> {
        if below != 0.0 {
            return Ok(above / below);
        }
        // below is zero only where a mask that it counts is empty
        Err(self.emptiness().reason().unwrap_or_else(|| NotEstimable::new("zero_denominator", "nothing to divide by")))
    }
}

/// Pooled over cases or classes: measures of the sum weigh large objects more than the mean of the cases does.
impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(cases: I) -> Self {
        cases.fold(Self::default(), |a, b| Self {
            true_positive: a.true_positive + b.true_positive,
            false_positive: a.false_positive + b.false_positive,
            false_negative: a.false_negative + b.false_negative,
            true_negative: a.true_negative + b.true_negative,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::empty::{BOTH_EMPTY, EmptyRule, PREDICTION_EMPTY, REFERENCE_EMPTY};

    fn of(tp: f64, fp: f64, fn_: f64, tn: f64) -> Counts {
        Counts { true_positive: tp, false_positive: fp, false_negative: fn_, true_negative: tn }
    }

    #[test]
    fn counts_of_masks() {
        let found = counts(&[true, true, false, false, true], &[true, false, true, false, true]).unwrap();
        assert_eq!(found, of(2.0, 1.0, 1.0, 1.0));
        assert!(counts(&[true], &[]).is_err());
    }

    #[test]
    fn dice_and_jaccard_are_one_another() {
        let found = of(61.0, 30.0, 19.0, 562.0);
        let (dice, jaccard) = (found.dice().unwrap(), found.jaccard().unwrap());
        assert!((dice - 2.0 * jaccard / (1.0 + jaccard)).abs() < 1e-15);
    }

    #[test]
    fn three_empty_states() {
        let code = |found: Estimable<f64>| found.unwrap_err().code;
        assert_eq!(code(of(0.0, 0.0, 0.0, 9.0).dice()), BOTH_EMPTY);
        assert_eq!(of(0.0, 0.0, 3.0, 9.0).dice(), Ok(0.0));
        assert_eq!(code(of(0.0, 0.0, 3.0, 9.0).positive_predictive_value()), PREDICTION_EMPTY);
        assert_eq!(code(of(0.0, 3.0, 0.0, 9.0).sensitivity()), REFERENCE_EMPTY);
        let rule = EmptyRule { both: Some(1.0), ..EmptyRule::NOT_ESTIMABLE };
        assert_eq!(rule.apply(of(0.0, 0.0, 0.0, 9.0).dice()), Ok(1.0));
    }

    #[test]
    fn a_threshold_keeps_itself() {
        assert_eq!(of(65.0, 35.0, 0.0, 0.0).thresholded_jaccard(0.65), Ok(0.65));
        assert_eq!(of(64.0, 36.0, 0.0, 0.0).thresholded_jaccard(0.65), Ok(0.0));
    }
}
