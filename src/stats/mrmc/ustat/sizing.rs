//! What a planned study would show, from the variance components of a finished one.
//!
//! The moments of the finished study are expectations and do not depend on its design; the coefficients do, and are
//! counted for the planned design (Gallas, Bandos, Samuelson and Wagner 2009, section 6). The variance, standard error,
//! degrees of freedom and noncentrality agree with iMRMC's. Its power values do not follow the textbook noncentral
//! distribution and are not reproduced: use `noncentrality` and `df_bdg` with the noncentral t.

use super::inference::df_bdg_of_difference;
use super::moments::{bck_coefficients, coefficients, covariance_with};
use super::{Estimable, Estimator, ModalityAuc, ModalityDifference, NotEstimable};
use serde::Serialize;

/// A planned study of two modalities. Readers and cases are split evenly into `groups`, each of which reads its own
/// cases (1 = fully crossed, more = paired split-plot), and evenly between the modalities where they are not paired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PlannedStudy {
    pub readers: u32,
    pub negatives: u32,
    pub positives: u32,
    pub groups: u32,
    /// The same readers read in both modalities.
    pub paired_readers: bool,
    pub paired_negatives: bool,
    pub paired_positives: bool,
}

/// What the planned study is expected to show for a difference of AUCs of `effect`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Projection {
    pub variance: Estimable<f64>,
    pub standard_error: Estimable<f64>,
    pub df_bdg: Estimable<f64>,
    /// (effect / standard error)².
    pub noncentrality: Estimable<f64>,
    /// By Hillis, Obuchowski and Berbaum (2011), for fully crossed designs only.
    pub hillis: Estimable<HillisProjection>,
}

/// Degrees of freedom and noncentrality of Hillis, Obuchowski and Berbaum (2011, Academic Radiology 18:129, equation
/// 10): Obuchowski–Rockette components, error terms scaled by the ratio of case numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HillisProjection {
    pub variance: f64,
    pub df: f64,
    pub noncentrality: f64,
}

/// Units of one kind in one group and modality, and how many of them both modalities share.
#[derive(Clone, Copy)]
struct Units {
    each: i128,
    shared: i128,
}

impl Units {
    fn of(all: u32, groups: u32, paired: bool) -> Estimable<Self> {
        let each = all / groups.max(1) / if paired { 1 } else { 2 };
        if each == 0 {
            return Err(NotEstimable::new(
                "planned_study_too_small",
                format!("{all} readers or cases cannot be split into {groups} groups"),
            ));
        }
        let each = i128::from(each);
        Ok(Self { each, shared: if paired { each } else { 0 } })
    }

    /// Pairs of one unit with itself, and with another, among all ordered pairs of the two modalities' units.
    fn pairs(self, within: bool) -> [i128; 2] {
        let same = if within { self.each } else { self.shared };
        [same, self.each * self.each - same]
    }
}

impl PlannedStudy {
    /// Coefficients of the eight moments within a modality and between the two.
    fn coefficients(&self) -> Estimable<[[f64; 8]; 2]> {
        let readers = Units::of(self.readers, self.groups, self.paired_readers)?;
        let negatives = Units::of(self.negatives, self.groups, self.paired_negatives)?;
        let positives = Units::of(self.positives, self.groups, self.paired_positives)?;
        let groups = i128::from(self.groups.max(1));
        let triples = readers.each * negatives.each * positives.each;
        Ok([true, false].map(|within| {
            let (r, i, j) = (readers.pairs(within), negatives.pairs(within), positives.pairs(within));
            let mut counts: [i128; 8] = std::array::from_fn(|k| {
                // order of the moments: reader same/other, then (same, same), (other i), (other j), (other, other)
                let (other_reader, other_i, other_j) = (k / 4, k % 2, (k % 4) / 2);
                groups * r[other_reader] * i[other_i] * j[other_j]
            });
            counts[7] += groups * (groups - 1) * triples * triples;
            coefficients(&counts, groups * groups * triples * triples)
        }))
    }
}

/// Projects a finished study of two modalities onto a planned one.
#[must_use]
pub fn project(
    first: &ModalityAuc,
    second: &ModalityAuc,
    difference: &ModalityDifference,
    plan: &PlannedStudy,
    effect: f64,
) -> Projection {
    let variance = plan.coefficients().and_then(|[within, between]| {
        Ok(covariance_with(&first.moments.unbiased, &within)? + covariance_with(&second.moments.unbiased, &within)?
            - 2.0 * covariance_with(&difference.moments.unbiased, &between)?)
    });
    let usable = variance.clone().and_then(|variance| {
        if variance > 0.0 {
            Ok(variance)
        } else {
            Err(NotEstimable::new(
                "ustat_negative_variance",
                format!(
                    "the projected variance is not positive ({variance:.3e}): the finished study is too small for it"
                ),
            ))
        }
    });
    let df_bdg = usable.clone().and_then(|variance| {
        let [within, between] = plan.coefficients()?.map(|coefficients| bck_coefficients(&coefficients));
        let scaled = [(&first.moments, within), (&second.moments, within), (&difference.moments, between)].map(
            |(moments, coefficients)| {
                let mut bck = moments.bck(Estimator::Mle);
                bck.coefficients = coefficients;
                bck
            },
        );
        df_bdg_of_difference(&scaled[0], &scaled[1], &scaled[2], variance)
    });
    Projection {
        standard_error: usable.clone().map(f64::sqrt),
        noncentrality: usable.map(|variance| effect * effect / variance),
        df_bdg,
        variance,
        hillis: hillis(difference, plan, effect),
    }
}

fn hillis(difference: &ModalityDifference, plan: &PlannedStudy, effect: f64) -> Estimable<HillisProjection> {
    let crossed = difference.unbiased_components.as_ref().map_err(Clone::clone)?;
    let part = |name: &str| {
        crossed.obuchowski_rockette.get(name).ok_or_else(|| {
            NotEstimable::new("ustat_component_missing", format!("the finished study has no component {name}"))
        })
    };
    let (own_reader, cov1, cov2, cov3, error) =
        (part("TR")?, part("COV1")?, part("COV2")?, part("COV3")?, part("ERROR")?);
    let r = f64::from(plan.readers);
    if plan.readers < 2 {
        return Err(NotEstimable::new("ustat_one_reader", "one reader says nothing of how readers differ"));
    }
    let cases = f64::from(plan.negatives) + f64::from(plan.positives);
    let scale = (difference.negatives + difference.positives) as f64 / cases;
    let shared = (cov2 - cov3).max(0.0);
    // MS(TR) of the finished study less its error part; equal to the TR component unless Cov2 < Cov3
    let reader = own_reader - (cov2 - cov3) + shared;
    let variance = 2.0 / r * (reader + scale * (error - cov1 + (r - 1.0) * shared));
    let mean_square = reader + scale * (error - cov1 - shared);
    if variance <= 0.0 || mean_square <= 0.0 {
        return Err(NotEstimable::new(
            "projection_not_positive",
            "the projected variance is not positive: the finished study is too small for it",
        ));
    }
    Ok(HillisProjection {
        variance,
        df: (r - 1.0) * (r * variance / 2.0 / mean_square).powi(2),
        noncentrality: effect * effect / variance,
    })
}
