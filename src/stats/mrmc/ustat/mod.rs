//! U-statistic analysis of reader studies: AUCs, their variances and covariances for any pattern of who read what.
//!
//! The analysis of Gallas (2006, Academic Radiology 13:353), Gallas and Brown (2008, Neural Networks 21:387) and Gallas,
//! Bandos, Samuelson and Wagner (2009, Communications in Statistics – Theory and Methods 38:2586), which the FDA's iMRMC
//! program computes. Readers and cases are random; no model of the scores is assumed; binary scores are scores like any
//! others (the AUC is then the mean of sensitivity and specificity).
//!
//! The AUC of a modality is pooled over all (reader, non-diseased case, diseased case) triples that were read. Where the
//! readers read different numbers of cases it is **not** the mean of the readers' AUCs.
//!
//! Two variances are given. [`Estimator::Unbiased`] has no bias, and can be negative in small studies.
//! [`Estimator::Mle`] replaces the unbiased moments by their plug-in (V-statistic) values, which is the ideal
//! bootstrap's variance; it is usually larger and cannot be negative for one modality.

mod components;
mod inference;
mod kernel;
mod means;
mod moments;
mod sizing;

pub use components::{Components, CrossedComponents};
pub use inference::{Inference, Test, unit_df};
pub use means::{MeanReadings, MomentWeights, PAIR_KINDS, ReaderMean, mean_readings};
pub use moments::{BCK_NAMES, BckComponents, Moments, ReaderPairMoments};
pub use sizing::{HillisProjection, PlannedStudy, Projection, project};

use crate::stats::mrmc::MrmcData;
use crate::stats::{Estimable, NotEstimable};
use kernel::KernelSums;
use serde::Serialize;

/// Which of the two variance estimators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    Unbiased,
    Mle,
}

/// How fractional degrees of freedom reach the t distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DegreesOfFreedomUse {
    /// Cut to the whole number below, as iMRMC does: never narrower than the fractional interval.
    WholeNumber,
    Fractional,
}

/// What the analysis is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Options {
    /// Confidence level, 0 < level < 1.
    pub level: f64,
    /// The AUC that a single modality is tested against.
    pub null_auc: f64,
    pub df_use: DegreesOfFreedomUse,
}

impl Default for Options {
    /// 95 %, against chance (0.5), whole degrees of freedom: what iMRMC does.
    fn default() -> Self {
        Self { level: 0.95, null_auc: 0.5, df_use: DegreesOfFreedomUse::WholeNumber }
    }
}

/// One reader in one modality.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReaderAuc {
    /// Index into [`UStatistics::readers`].
    pub reader: usize,
    pub negatives: usize,
    pub positives: usize,
    pub auc: Estimable<f64>,
    /// Over samples of cases, this reader fixed.
    pub variance: Estimable<f64>,
}

/// One modality.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModalityAuc {
    pub modality: usize,
    /// Readers with a reading in this modality.
    pub readers: usize,
    pub negatives: usize,
    pub positives: usize,
    /// Pooled over triples.
    pub auc: Estimable<f64>,
    /// Readers with a reading in this modality only.
    pub per_reader: Vec<ReaderAuc>,
    pub moments: Moments,
    pub unbiased: Inference,
    pub mle: Inference,
    /// Whether the two standard errors differ by more than a fifth of the smaller one; `None` where one is missing.
    pub standard_errors_differ: Option<bool>,
    pub unbiased_components: Estimable<CrossedComponents>,
    pub mle_components: Estimable<CrossedComponents>,
}

/// One reader's difference "first − second".
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReaderDifference {
    pub reader: usize,
    pub difference: Estimable<f64>,
    pub variance: Estimable<f64>,
}

/// Two modalities, "first − second".
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModalityDifference {
    pub first: usize,
    pub second: usize,
    /// Readers and cases with a reading in either modality.
    pub readers: usize,
    pub negatives: usize,
    pub positives: usize,
    pub difference: Estimable<f64>,
    /// Readers with readings in both modalities.
    pub per_reader: Vec<ReaderDifference>,
    /// Moments of the products of the two modalities.
    pub moments: Moments,
    pub covariance: Estimable<f64>,
    pub covariance_mle: Estimable<f64>,
    pub unbiased: Inference,
    pub mle: Inference,
    /// Whether the two standard errors differ by more than a fifth of the smaller one; `None` where one is missing.
    pub standard_errors_differ: Option<bool>,
    pub unbiased_components: Estimable<CrossedComponents>,
    pub mle_components: Estimable<CrossedComponents>,
}

/// Covariance of two readers' AUCs, each in one modality.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReaderPair {
    /// (modality, reader).
    pub first: (usize, usize),
    pub second: (usize, usize),
    /// Cases that both read.
    pub shared_negatives: usize,
    pub shared_positives: usize,
    pub auc_first: Estimable<f64>,
    pub auc_second: Estimable<f64>,
    pub covariance: Estimable<f64>,
    pub moments: ReaderPairMoments,
}

/// The whole analysis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UStatistics {
    pub readers: Vec<String>,
    pub modalities: Vec<String>,
    /// Every reader read every case in every modality. Hillis' df and the other schools' components exist for each
    /// modality, and for each pair, that is fully crossed in itself.
    pub fully_crossed: bool,
    pub per_modality: Vec<ModalityAuc>,
    /// Every two modalities, first < second.
    pub differences: Vec<ModalityDifference>,
    /// Every two readers within each modality, then across every two modalities.
    pub reader_pairs: Vec<ReaderPair>,
}

/// Analyses all modalities and all pairs of modalities of a study.
#[must_use]
pub fn analyse(data: &MrmcData, options: &Options) -> UStatistics {
    let kernel = KernelSums::of(data);
    let modality_count = data.modalities().len();
    let per_modality: Vec<ModalityAuc> =
        (0..modality_count).map(|modality| of_modality(&kernel, modality, options)).collect();
    let mut differences = Vec::new();
    for first in 0..modality_count {
        for second in first + 1..modality_count {
            differences.push(of_difference(&kernel, &per_modality[first], &per_modality[second], options));
        }
    }
    let own = (0..modality_count).map(|modality| (modality, modality));
    let pairs = own.chain(differences.iter().map(|pair| (pair.first, pair.second)));
    UStatistics {
        readers: data.readers().to_vec(),
        modalities: data.modalities().to_vec(),
        fully_crossed: crossed_sizes(&kernel, &(0..modality_count).collect::<Vec<_>>()).is_ok(),
        reader_pairs: pairs.flat_map(|(first, second)| reader_pairs(&kernel, first, second)).collect(),
        per_modality,
        differences,
    }
}

fn no_comparison() -> NotEstimable {
    NotEstimable::new("auc_needs_both_classes", "no reader read both a diseased and a non-diseased case")
}

/// Sizes of the study that `modalities` make, where each reader of one of them read each case of one of them in all.
fn crossed_sizes(kernel: &KernelSums, modalities: &[usize]) -> Estimable<components::CrossedSizes> {
    let (readers, negatives, positives) = counts(kernel, modalities);
    let complete = modalities.iter().all(|&modality| {
        readers.iter().all(|&reader| {
            let cell = kernel.cell(modality, reader);
            cell.negatives == negatives && cell.positives == positives
        })
    });
    if !complete {
        return Err(NotEstimable::new(
            "not_fully_crossed",
            "exists only where every reader read every case in every modality compared",
        ));
    }
    Ok(components::CrossedSizes {
        readers: readers.len() as f64,
        negatives: negatives as f64,
        positives: positives as f64,
    })
}

fn cell_auc(kernel: &KernelSums, modality: usize, reader: usize) -> Estimable<f64> {
    let cell = kernel.cell(modality, reader);
    let (successes, comparisons) = cell.success();
    if comparisons > 0.0 {
        Ok(successes / comparisons)
    } else {
        Err(NotEstimable::new(
            "auc_needs_both_classes",
            format!("AUC needs both truth classes: n+ = {}, n- = {}", cell.positives, cell.negatives),
        ))
    }
}

/// Readers, non-diseased and diseased cases with a reading in one of `modalities`.
fn counts(kernel: &KernelSums, modalities: &[usize]) -> (Vec<usize>, usize, usize) {
    let readers = (0..kernel.readers())
        .filter(|&reader| {
            modalities.iter().any(|&modality| {
                let cell = kernel.cell(modality, reader);
                cell.negatives + cell.positives > 0
            })
        })
        .collect();
    let cells = || modalities.iter().flat_map(|&m| (0..kernel.readers()).map(move |reader| kernel.cell(m, reader)));
    let [negatives, positives] = kernel.cells.first().map_or([0, 0], kernel::ReadCell::class_sizes);
    (
        readers,
        (0..negatives).filter(|&place| cells().any(|cell| cell.negative_is_read(place))).count(),
        (0..positives).filter(|&place| cells().any(|cell| cell.positive_is_read(place))).count(),
    )
}

fn of_modality(kernel: &KernelSums, modality: usize, options: &Options) -> ModalityAuc {
    let (readers, negatives, positives) = counts(kernel, &[modality]);
    let sizes = crossed_sizes(kernel, &[modality]);
    let per_reader: Vec<ReaderAuc> = readers
        .iter()
        .map(|&reader| {
            let cell = kernel.cell(modality, reader);
            ReaderAuc {
                reader,
                negatives: cell.negatives,
                positives: cell.positives,
                auc: cell_auc(kernel, modality, reader),
                variance: reader_covariance(kernel, (modality, reader), (modality, reader)),
            }
        })
        .collect();
    let (successes, comparisons) = (0..kernel.readers())
        .map(|reader| kernel.cell(modality, reader).success())
        .fold((0.0, 0.0), |sum, cell| (sum.0 + cell.0, sum.1 + cell.1));
    let auc = if comparisons > 0.0 { Ok(successes / comparisons) } else { Err(no_comparison()) };
    let moments = Moments::of(kernel, modality, modality);
    let df_hillis = || {
        sizes.clone()?;
        let aucs: Vec<f64> = per_reader.iter().map(|reader| reader.auc.clone()).collect::<Estimable<_>>()?;
        let cov2 = mean_of_pairs(kernel, modality, modality, &readers)?;
        inference::df_hillis_of_modality(&aucs, cov2)
    };
    let [unbiased, mle] = [Estimator::Unbiased, Estimator::Mle].map(|estimator| {
        let variance = auc.clone().and_then(|_| moments.covariance(estimator));
        let df_bdg = |variance| inference::df_bdg_of_modality(&moments, variance);
        inference::infer(estimator, &auc, options.null_auc, variance, df_bdg, df_hillis(), options)
    });
    let components =
        |estimator| sizes.clone().and_then(|sizes| components::of_modality(&moments.bck(estimator), sizes));
    ModalityAuc {
        modality,
        readers: readers.len(),
        negatives,
        positives,
        auc,
        per_reader,
        standard_errors_differ: differ(&unbiased, &mle),
        unbiased_components: components(Estimator::Unbiased),
        mle_components: components(Estimator::Mle),
        unbiased,
        mle,
        moments,
    }
}

fn of_difference(
    kernel: &KernelSums,
    first: &ModalityAuc,
    second: &ModalityAuc,
    options: &Options,
) -> ModalityDifference {
    let (a, b) = (first.modality, second.modality);
    let (readers, negatives, positives) = counts(kernel, &[a, b]);
    let sizes = crossed_sizes(kernel, &[a, b]);
    let per_reader: Vec<ReaderDifference> = readers
        .iter()
        .filter(|&&reader| kernel.cell(a, reader).is_active() && kernel.cell(b, reader).is_active())
        .map(|&reader| ReaderDifference {
            reader,
            difference: minus(&cell_auc(kernel, a, reader), &cell_auc(kernel, b, reader)),
            variance: reader_difference_variance(kernel, a, b, reader),
        })
        .collect();
    let difference = minus(&first.auc, &second.auc);
    let moments = Moments::of(kernel, a, b);
    let df_hillis = || {
        sizes.clone()?;
        let differences: Vec<f64> = per_reader.iter().map(|one| one.difference.clone()).collect::<Estimable<_>>()?;
        let cov2 = (mean_of_pairs(kernel, a, a, &readers)? + mean_of_pairs(kernel, b, b, &readers)?) / 2.0;
        inference::df_hillis_of_difference(&differences, cov2 - mean_of_pairs(kernel, a, b, &readers)?)
    };
    let [unbiased, mle] =
        [(Estimator::Unbiased, &first.unbiased, &second.unbiased), (Estimator::Mle, &first.mle, &second.mle)].map(
            |(estimator, of_first, of_second)| {
                let variance = difference.clone().and_then(|_| {
                    Ok(of_first.variance.clone()? + of_second.variance.clone()?
                        - 2.0 * moments.covariance(estimator)?)
                });
                let df_bdg = |variance| {
                    let [a, b, ab] =
                        [&first.moments, &second.moments, &moments].map(|moments| moments.bck(Estimator::Mle));
                    inference::df_bdg_of_difference(&a, &b, &ab, variance)
                };
                inference::infer(estimator, &difference, 0.0, variance, df_bdg, df_hillis(), options)
            },
        );
    let components = |estimator| {
        let [a, b, ab] = [&first.moments, &second.moments, &moments].map(|moments| moments.bck(estimator));
        sizes.clone().and_then(|sizes| components::of_difference(&a, &b, &ab, sizes))
    };
    ModalityDifference {
        first: a,
        second: b,
        readers: readers.len(),
        negatives,
        positives,
        difference,
        per_reader,
        covariance: moments.covariance(Estimator::Unbiased),
        covariance_mle: moments.covariance(Estimator::Mle),
        standard_errors_differ: differ(&unbiased, &mle),
        unbiased_components: components(Estimator::Unbiased),
        mle_components: components(Estimator::Mle),
        unbiased,
        mle,
        moments,
    }
}

fn reader_covariance(kernel: &KernelSums, first: (usize, usize), second: (usize, usize)) -> Estimable<f64> {
    cell_auc(kernel, first.0, first.1)?;
    cell_auc(kernel, second.0, second.1)?;
    ReaderPairMoments::of(kernel.pair(first, second)).covariance()
}

fn reader_difference_variance(kernel: &KernelSums, a: usize, b: usize, reader: usize) -> Estimable<f64> {
    let covariance = |first, second| reader_covariance(kernel, (first, reader), (second, reader));
    Ok(covariance(a, a)? + covariance(b, b)? - 2.0 * covariance(a, b)?)
}

/// Mean covariance over pairs of different readers: Cov2 within a modality, Cov3 between two.
fn mean_of_pairs(kernel: &KernelSums, a: usize, b: usize, readers: &[usize]) -> Estimable<f64> {
    let mut sum = 0.0;
    for &first in readers {
        for &second in readers.iter().filter(|&&second| second != first) {
            sum += reader_covariance(kernel, (a, first), (b, second))?;
        }
    }
    // one reader: no pair, and Hillis' df is refused for that reason
    Ok(sum / (readers.len() * readers.len().saturating_sub(1)).max(1) as f64)
}

fn reader_pairs(kernel: &KernelSums, a: usize, b: usize) -> Vec<ReaderPair> {
    let present = |modality: usize| {
        (0..kernel.readers()).filter(move |&reader| {
            let cell = kernel.cell(modality, reader);
            cell.negatives + cell.positives > 0
        })
    };
    present(a)
        .flat_map(|first| present(b).map(move |second| ((a, first), (b, second))))
        .map(|(first, second)| {
            let (x, y) = (kernel.cell(first.0, first.1), kernel.cell(second.0, second.1));
            let [negatives, positives] = x.class_sizes();
            ReaderPair {
                first,
                second,
                shared_negatives: (0..negatives).filter(|&i| x.negative_is_read(i) && y.negative_is_read(i)).count(),
                shared_positives: (0..positives).filter(|&j| x.positive_is_read(j) && y.positive_is_read(j)).count(),
                auc_first: cell_auc(kernel, first.0, first.1),
                auc_second: cell_auc(kernel, second.0, second.1),
                covariance: reader_covariance(kernel, first, second),
                moments: ReaderPairMoments::of(kernel.pair(first, second)),
            }
        })
        .collect()
}

fn minus(a: &Estimable<f64>, b: &Estimable<f64>) -> Estimable<f64> {
    Ok(a.clone()? - b.clone()?)
}

/// More than 20 % apart, measured by the smaller standard error.
fn differ(unbiased: &Inference, mle: &Inference) -> Option<bool> {
    let (a, b) = (unbiased.standard_error.as_ref().ok()?, mle.standard_error.as_ref().ok()?);
    Some((a - b).abs() > 0.2 * a.min(*b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::mrmc::{Design, Reading};

    fn study(rows: &[(&str, &str, &str, bool, f64)]) -> MrmcData {
        let readings: Vec<Reading<'_>> = rows
            .iter()
            .map(|&(reader, case, modality, diseased, rating)| Reading {
                reader,
                case,
                modality,
                diseased,
                rating,
                cluster: None,
            })
            .collect();
        MrmcData::from_readings(&readings).expect("valid study")
    }

    /// Two readers, each with own cases: filling what was not read with 0 would give AUCs of 0.594 and 0.563
    /// (fault of another program, DIDSR/iMRMC issue 153).
    #[test]
    fn cases_that_a_reader_did_not_read_are_not_read_as_zero() {
        let data = study(&[
            ("RA", "1", "alone", true, 8.0),
            ("RA", "2", "alone", true, 6.0),
            ("RA", "3", "alone", false, 3.0),
            ("RA", "4", "alone", false, 6.0),
            ("RB", "5", "alone", true, 9.0),
            ("RB", "6", "alone", true, 4.0),
            ("RB", "7", "alone", false, 5.0),
            ("RB", "8", "alone", false, 2.0),
        ]);
        let result = analyse(&data, &Options::default());
        let one = &result.per_modality[0];
        let aucs: Vec<f64> = one.per_reader.iter().map(|reader| reader.auc.clone().unwrap()).collect();
        assert_eq!(aucs, [0.875, 0.75]);
        assert_eq!(one.auc, Ok(0.8125));
        assert_eq!(data.design(), Design::CaseNestedInReader);
        assert!(!result.fully_crossed);
        assert_eq!(one.unbiased_components.as_ref().unwrap_err().code, "not_fully_crossed");
    }

    #[test]
    fn the_auc_pools_triples_and_is_not_the_mean_of_readers() {
        // reader a: 1 comparison, won; reader b: 4 comparisons, 2 won
        let data = study(&[
            ("a", "1", "m", false, 0.0),
            ("a", "3", "m", true, 1.0),
            ("b", "1", "m", false, 0.0),
            ("b", "2", "m", false, 2.0),
            ("b", "3", "m", true, 1.0),
            ("b", "4", "m", true, 1.0),
        ]);
        let result = analyse(&data, &Options::default());
        assert_eq!(result.per_modality[0].auc, Ok(3.0 / 5.0));
    }

    #[test]
    fn one_reader_has_a_variance_over_cases_only() {
        let data = study(&[
            ("a", "1", "m", false, 0.0),
            ("a", "2", "m", false, 2.0),
            ("a", "3", "m", true, 1.0),
            ("a", "4", "m", true, 3.0),
        ]);
        let result = analyse(&data, &Options::default());
        let one = &result.per_modality[0];
        assert_eq!(one.auc, Ok(0.75));
        assert_eq!(one.unbiased.variance.as_ref().unwrap_err().code, "ustat_moment_missing");
        assert!(one.per_reader[0].variance.is_ok());
        assert!(one.unbiased.bdg.is_err() && one.unbiased.df_hillis.is_err());
    }

    #[test]
    fn a_negative_variance_keeps_its_value_and_loses_its_test() {
        // found among random studies of two readers and two cases a class
        let data = study(&[
            ("a", "1", "m", false, 1.0),
            ("a", "2", "m", false, 0.0),
            ("a", "3", "m", true, 1.0),
            ("a", "4", "m", true, 0.0),
            ("b", "1", "m", false, 0.0),
            ("b", "2", "m", false, 1.0),
            ("b", "3", "m", true, 0.0),
            ("b", "4", "m", true, 1.0),
        ]);
        let result = analyse(&data, &Options::default());
        let inference = &result.per_modality[0].unbiased;
        assert!(inference.variance.clone().unwrap() < 0.0);
        for reason in [inference.df_bdg.as_ref().unwrap_err(), inference.bdg.as_ref().unwrap_err()] {
            assert_eq!(reason.code, "ustat_negative_variance");
        }
        assert!(result.per_modality[0].standard_errors_differ.is_none());
    }

    #[test]
    fn a_reader_without_one_class_has_no_auc_and_no_weight() {
        let data = study(&[("a", "1", "m", false, 0.0), ("a", "2", "m", true, 1.0), ("b", "2", "m", true, 0.0)]);
        let one = &analyse(&data, &Options::default()).per_modality[0];
        assert_eq!(one.auc, Ok(1.0));
        assert_eq!(one.readers, 2);
        assert_eq!(one.per_reader[1].auc.as_ref().unwrap_err().reason, "AUC needs both truth classes: n+ = 1, n- = 0");
    }
}
