//! Second moments of the success kernel and the variance components made of them.
//!
//! With `(r, i, j)` a reader, a non-diseased and a diseased case, the eight moments M1…M8 of Gallas (2006, Academic
//! Radiology 13:353) and Gallas, Bandos, Samuelson and Wagner (2009, Communications in Statistics – Theory and Methods
//! 38:2586, called BDG there) are expectations of `s_r(i, j)·s_r'(i', j')` over
//!
//! | | same reader | other reader |
//! |---|---|---|
//! | same i, same j | M1 | M5 |
//! | other i, same j | M2 | M6 |
//! | same i, other j | M3 | M7 |
//! | other i, other j | M4 | M8 |
//!
//! and `var = Σ c_k·M_k` with `c_k` = the share of each kind among all pairs of triples, less 1 for k = 8. The shares
//! are counted, not derived from a design, so that any pattern of who read what is allowed (Gallas and Brown 2008,
//! Neural Networks 21:387).

use super::kernel::{KernelSums, PairSums};
use super::{Estimable, Estimator, NotEstimable};
use serde::Serialize;

/// BDG moments of two modalities (or of one with itself) with the coefficients of the study's design.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moments {
    /// Sums of products in which "other" includes "same"; they make the moments of [`Estimator::Mle`].
    pub numerators: [f64; 8],
    /// Number of products in each of `numerators`.
    pub denominators: [f64; 8],
    /// `None` where the design has no such pair; its coefficient is then 0 (for M8: −1).
    pub unbiased: [Option<f64>; 8],
    pub mle: [Option<f64>; 8],
    pub coefficients: [f64; 8],
}

/// Names of `Components`: effects of the non-diseased cases (N), the diseased cases (D), the readers (R), and their
/// interactions.
pub const BCK_NAMES: [&str; 7] = ["N", "D", "ND", "R", "NR", "DR", "RND"];

/// The seven variance components of Barrett, Clarkson and Kupinski (2006, Academic Radiology 13:1410), equations 19 and
/// 20 of Gallas et al. (2009). `Σ coefficients·values` is the variance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BckComponents {
    /// In the order of [`BCK_NAMES`]; `None` where the design does not tell the component.
    pub values: [Option<f64>; 7],
    pub coefficients: [f64; 7],
}

/// Inclusive sums → sums over exclusive kinds of one pair of readers: nothing else shared than the kind says.
fn exclusive(sums: [i128; 4]) -> [i128; 4] {
    let [both, positive, negative, all] = sums;
    [both, positive - both, negative - both, all - positive - negative + both]
}

impl Moments {
    /// The moments of modality `first` against modality `second`, over all readers.
    pub(super) fn of(kernel: &KernelSums, first: usize, second: usize) -> Self {
        let mut same_reader = PairSums::default();
        let mut any_reader = PairSums::default();
        for reader in 0..kernel.readers() {
            for other in 0..kernel.readers() {
                let pair = kernel.pair((first, reader), (second, other));
                any_reader.add(pair);
                if reader == other {
                    same_reader.add(pair);
                }
            }
        }
        let split = |same: [i128; 4], any: [i128; 4]| {
            let (same, any) = (exclusive(same), exclusive(any));
            std::array::from_fn::<i128, 8, _>(|k| if k < 4 { same[k] } else { any[k - 4] - same[k - 4] })
        };
        let numerators = split(same_reader.numerators, any_reader.numerators);
        let denominators = split(same_reader.denominators, any_reader.denominators);
        let join = |same: [i128; 4], any: [i128; 4]| -> [f64; 8] {
            std::array::from_fn(|k| if k < 4 { same[k] as f64 } else { any[k - 4] as f64 })
        };
        let inclusive_numerators = join(same_reader.numerators, any_reader.numerators).map(|sum| sum / 4.0);
        let inclusive_denominators = join(same_reader.denominators, any_reader.denominators);
        let all_pairs = any_reader.denominators[3];
        Self {
            unbiased: std::array::from_fn(|k| {
                (denominators[k] > 0).then(|| numerators[k] as f64 / 4.0 / denominators[k] as f64)
            }),
            mle: std::array::from_fn(|k| {
                (inclusive_denominators[k] > 0.0).then(|| inclusive_numerators[k] / inclusive_denominators[k])
            }),
            coefficients: coefficients(&denominators, all_pairs),
            numerators: inclusive_numerators,
            denominators: inclusive_denominators,
        }
    }

    #[must_use]
    pub fn values(&self, estimator: Estimator) -> &[Option<f64>; 8] {
        match estimator {
            Estimator::Unbiased => &self.unbiased,
            Estimator::Mle => &self.mle,
        }
    }

    /// Covariance of the two AUCs (the variance where both are the same modality).
    ///
    /// # Errors
    /// A moment with a coefficient other than 0 does not exist: fewer than two readers or cases of a class.
    pub fn covariance(&self, estimator: Estimator) -> Estimable<f64> {
        covariance_with(self.values(estimator), &self.coefficients)
    }

    #[must_use]
    pub fn bck(&self, estimator: Estimator) -> BckComponents {
        let m = self.values(estimator);
        let sum = |plus: &[usize], minus: &[usize]| -> Option<f64> {
            let mut total = 0.0;
            for &k in plus {
                total += m[k - 1]?;
            }
            for &k in minus {
                total -= m[k - 1]?;
            }
            Some(total)
        };
        BckComponents {
            values: [
                sum(&[7], &[8]),
                sum(&[6], &[8]),
                sum(&[5, 8], &[6, 7]),
                sum(&[4], &[8]),
                sum(&[3, 8], &[4, 7]),
                sum(&[2, 8], &[4, 6]),
                sum(&[1, 4, 6, 7], &[2, 3, 5, 8]),
            ],
            coefficients: bck_coefficients(&self.coefficients),
        }
    }
}

/// Counts of the exclusive kinds → coefficients of the moments.
pub(super) fn coefficients(counts: &[i128; 8], all_pairs: i128) -> [f64; 8] {
    std::array::from_fn(|k| {
        // the 1 is taken off in whole numbers: c8 is close to −1 + 1 in large studies
        let count = if k == 7 { counts[k] - all_pairs } else { counts[k] };
        if all_pairs == 0 { 0.0 } else { count as f64 / all_pairs as f64 }
    })
}

pub(super) fn bck_coefficients(c: &[f64; 8]) -> [f64; 7] {
    [
        c[0] + c[2] + c[4] + c[6],
        c[0] + c[1] + c[4] + c[5],
        c[0] + c[4],
        c[0] + c[1] + c[2] + c[3],
        c[0] + c[2],
        c[0] + c[1],
        c[0],
    ]
}

pub(super) fn covariance_with(moments: &[Option<f64>; 8], coefficients: &[f64; 8]) -> Estimable<f64> {
    let mut total = 0.0;
    for (k, (moment, &coefficient)) in moments.iter().zip(coefficients).enumerate() {
        match moment {
            Some(moment) => total += coefficient * moment,
            None if coefficient == 0.0 => {}
            None => {
                return Err(NotEstimable::new(
                    "ustat_moment_missing",
                    format!(
                        "moment M{} needs two readers, two non-diseased and two diseased cases read together in the \
                         study, and the readings have no such pair",
                        k + 1
                    ),
                ));
            }
        }
    }
    Ok(total)
}

/// Moments of one pair of (modality, reader) cells with both readers fixed: M1…M4 only, cases are random.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReaderPairMoments {
    pub unbiased: [Option<f64>; 4],
    pub coefficients: [f64; 4],
    pub numerators: [f64; 4],
    pub denominators: [f64; 4],
}

impl ReaderPairMoments {
    pub(super) fn of(sums: &PairSums) -> Self {
        let (numerators, denominators) = (exclusive(sums.numerators), exclusive(sums.denominators));
        let all_pairs = sums.denominators[3];
        Self {
            unbiased: std::array::from_fn(|k| {
                (denominators[k] > 0).then(|| numerators[k] as f64 / 4.0 / denominators[k] as f64)
            }),
            coefficients: std::array::from_fn(|k| {
                let count = if k == 3 { denominators[k] - all_pairs } else { denominators[k] };
                if all_pairs == 0 { 0.0 } else { count as f64 / all_pairs as f64 }
            }),
            numerators: sums.numerators.map(|sum| sum as f64 / 4.0),
            denominators: sums.denominators.map(|sum| sum as f64),
        }
    }

    /// Covariance of the two readers' AUCs over samples of cases.
    ///
    /// # Errors
    /// A class has fewer than two cases in common or apart.
    pub fn covariance(&self) -> Estimable<f64> {
        let mut total = 0.0;
        for (moment, &coefficient) in self.unbiased.iter().zip(&self.coefficients) {
            match moment {
                Some(moment) => total += coefficient * moment,
                None if coefficient == 0.0 => {}
                None => {
                    return Err(NotEstimable::new(
                        "ustat_moment_missing",
                        "the covariance of two readers' AUCs needs at least two non-diseased and two diseased cases",
                    ));
                }
            }
        }
        Ok(total)
    }
}
