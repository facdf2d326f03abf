//! The variance components of other schools, made of the U-statistic's, for fully crossed studies.
//!
//! With `n` cases in all, and the BCK components of modality A, of modality B and of their covariance, collect what
//! varies with readers only (R), with cases (N, D, ND: C) and with both (NR, DR, RND: RC). Dorfman, Berbaum and Metz's
//! components of pseudovalues follow by scaling the latter two by n (Gallas et al. 2009, section 5); those of
//! Obuchowski and Rockette by Hillis (2014, Statistics in Medicine 33:330, equations 11–14); the mean squares of the
//! three-way analysis of variance by their expectations (Roe and Metz 1997, Academic Radiology 4:587).

use super::moments::BckComponents;
use super::{Estimable, NotEstimable};
use serde::Serialize;

/// Named components; `Σ coefficients·values` is the variance they decompose.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Components {
    pub names: &'static [&'static str],
    pub values: Vec<f64>,
    pub coefficients: Vec<f64>,
}

impl Components {
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.values.iter().zip(&self.coefficients).map(|(value, coefficient)| value * coefficient).sum()
    }

    /// The component called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.names.iter().position(|&known| known == name).map(|at| self.values[at])
    }
}

/// The same variance in the three other decompositions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CrossedComponents {
    /// Dorfman–Berbaum–Metz components: reader, case, reader × case, and each crossed with modality (T).
    pub dbm: Components,
    /// Obuchowski–Rockette components.
    pub obuchowski_rockette: Components,
    /// Mean squares of the pseudovalues: reader, case, reader × case, and each crossed with modality (M).
    pub mean_squares: Components,
}

const DBM_ONE: [&str; 3] = ["R", "C", "RC"];
const DBM_TWO: [&str; 6] = ["R", "C", "RC", "TR", "TC", "TRC"];
const OR_ONE: [&str; 3] = ["R", "COV2", "ERROR"];
const OR_TWO: [&str; 6] = ["R", "TR", "COV1", "COV2", "COV3", "ERROR"];
const MS_ONE: [&str; 3] = ["R", "C", "RC"];
const MS_TWO: [&str; 6] = ["R", "C", "RC", "MR", "MC", "MRC"];

/// Sizes of a fully crossed study.
#[derive(Debug, Clone, Copy)]
pub(super) struct CrossedSizes {
    pub(super) readers: f64,
    pub(super) negatives: f64,
    pub(super) positives: f64,
}

/// R, C and RC variances of one modality, or their covariances between two.
#[derive(Debug, Clone, Copy)]
struct Effects {
    reader: f64,
    case: f64,
    reader_case: f64,
}

impl Effects {
    fn of(bck: &BckComponents, sizes: CrossedSizes) -> Estimable<Self> {
        let mut value = [0.0; 7];
        for (slot, component) in value.iter_mut().zip(bck.values) {
            *slot = component.ok_or_else(|| {
                NotEstimable::new(
                    "ustat_component_missing",
                    "variance components need at least two readers, two non-diseased and two diseased cases",
                )
            })?;
        }
        let [n, d, nd, reader, nr, dr, rnd] = value;
        let (n0, n1) = (sizes.negatives, sizes.positives);
        Ok(Self { reader, case: n / n0 + d / n1 + nd / (n0 * n1), reader_case: nr / n0 + dr / n1 + rnd / (n0 * n1) })
    }
}

pub(super) fn of_modality(bck: &BckComponents, sizes: CrossedSizes) -> Estimable<CrossedComponents> {
    let effects = Effects::of(bck, sizes)?;
    let (r, n) = (sizes.readers, sizes.negatives + sizes.positives);
    let (case, reader_case) = (effects.case * n, effects.reader_case * n);
    let unit = 1.0 / (r * n);
    Ok(CrossedComponents {
        dbm: Components {
            names: &DBM_ONE,
            values: vec![effects.reader, case, reader_case],
            coefficients: vec![1.0 / r, 1.0 / n, unit],
        },
        obuchowski_rockette: Components {
            names: &OR_ONE,
            values: vec![effects.reader, effects.case, effects.case + effects.reader_case],
            coefficients: vec![1.0 / r, (r - 1.0) / r, 1.0 / r],
        },
        mean_squares: Components {
            names: &MS_ONE,
            values: vec![n * effects.reader + reader_case, r * case + reader_case, reader_case],
            coefficients: vec![unit, unit, -unit],
        },
    })
}

pub(super) fn of_difference(
    first: &BckComponents,
    second: &BckComponents,
    covariance: &BckComponents,
    sizes: CrossedSizes,
) -> Estimable<CrossedComponents> {
    let (a, b) = (Effects::of(first, sizes)?, Effects::of(second, sizes)?);
    let common = Effects::of(covariance, sizes)?;
    let (r, n) = (sizes.readers, sizes.negatives + sizes.positives);
    let own_reader = (a.reader + b.reader) / 2.0 - common.reader;
    let own_case = (a.case + b.case) / 2.0 - common.case;
    let own_reader_case = (a.reader_case + b.reader_case) / 2.0 - common.reader_case;
    let unit = 2.0 / (r * n);
    let (case, reader_case) = (common.case * n, common.reader_case * n);
    let (tc, trc) = (own_case * n, own_reader_case * n);
    Ok(CrossedComponents {
        dbm: Components {
            names: &DBM_TWO,
            values: vec![common.reader, case, reader_case, own_reader, tc, trc],
            coefficients: vec![0.0, 0.0, 0.0, 2.0 / r, 2.0 / n, unit],
        },
        obuchowski_rockette: Components {
            names: &OR_TWO,
            values: vec![
                common.reader,
                own_reader,
                common.case + common.reader_case,
                common.case + own_case,
                common.case,
                common.case + common.reader_case + own_case + own_reader_case,
            ],
            coefficients: vec![0.0, 2.0 / r, -2.0 / r, 2.0 * (r - 1.0) / r, -2.0 * (r - 1.0) / r, 2.0 / r],
        },
        mean_squares: Components {
            names: &MS_TWO,
            values: vec![
                2.0 * n * common.reader + 2.0 * reader_case + n * own_reader + trc,
                2.0 * r * case + 2.0 * reader_case + r * tc + trc,
                2.0 * reader_case + trc,
                n * own_reader + trc,
                r * tc + trc,
                trc,
            ],
            coefficients: vec![0.0, 0.0, 0.0, unit, unit, -unit],
        },
    })
}
