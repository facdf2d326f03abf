//! A device on its own against a group of readers, all on the same cases.
//!
//! The device reads once and does not vary as a reader does, so an analysis that takes it for one reader of many is wrong.
//! Two ways that give the same test (Chakraborty 2017, chapter 22; after Hupse et al. 2013):
//!
//! - One modality: θⱼ − θ_device for each reader j, a one-modality Obuchowski–Rockette model with MS = variance of the
//!   reader estimates and the error variance and Cov2 of the differences.
//! - Two modalities: the device as a modality in which every reader has the device's ratings.

use super::covariance::{self, CellEstimate, CovarianceMethod};
use super::fom::FigureOfMerit;
use super::obuchowski_rockette::{
    CellTable, Difference, MAX_DF, ObuchowskiRockette, RandomFactors, analyse_cells, positive,
};
use super::{Design, MrmcData, MrmcDataError, Reading};
use crate::stats::quantiles::{t_multiplier, t_two_sided_p};
use crate::stats::{Estimable, Interval, NotEstimable};
use serde::Serialize;

/// What to compare and how.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StandaloneOptions<'a> {
    /// The label of the device among the readers.
    pub device: &'a str,
    pub fom: FigureOfMerit,
    pub covariance: CovarianceMethod,
    pub random: RandomFactors,
    /// Confidence level, 0 < level < 1.
    pub level: f64,
}

/// The device against the mean of the readers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StandaloneComparison {
    pub method: String,
    pub figure_of_merit: String,
    pub device: String,
    pub device_estimate: f64,
    /// Each reader with the figure of merit, in the table's order.
    pub readers: Vec<(String, f64)>,
    pub readers_mean: f64,
    /// Mean of the readers minus the device.
    pub difference: Difference,
    /// Variance of the readers' figures of merit.
    pub reader_variance: Option<f64>,
    /// Mean variance and mean covariance over cases of the differences reader − device; `None` where cases are fixed.
    pub error_variance: Option<f64>,
    pub cov2: Option<f64>,
    /// The means of device and readers, each with its own interval, and the components of the two-modality model;
    /// `None` where cases are fixed.
    pub two_modality: Option<ObuchowskiRockette>,
}

/// Compares one reader of a fully crossed one-modality study, the device, with the mean of the others.
///
/// # Errors
/// More than one modality, another design, no such device, no other reader; figures of merit or covariances that do not
/// exist; fewer than two readers where readers are random.
pub fn device_against_readers(data: &MrmcData, options: &StandaloneOptions<'_>) -> Estimable<StandaloneComparison> {
    check_study(data.modalities(), data.design())?;
    let (cells, matrix) = match options.random {
        RandomFactors::Readers => (covariance::cell_estimates(data, options.fom)?, None),
        _ => {
            let all = covariance::covariance(data, options.fom, options.covariance)?;
            (all.cells, Some(all.matrix))
        }
    };
    let method = method_line(&options.fom.name(), options.covariance, options.random);
    let study = Study {
        device: options.device,
        readers: data.readers(),
        cells: &cells,
        matrix: matrix.as_deref(),
        figure_of_merit: &options.fom.name(),
        cut_to_unit_range: options.fom.cut_to_unit_range(),
        method: &method,
    };
    compare(&study, options.random, options.level)
}

pub(super) fn check_study(modalities: &[String], design: Design) -> Estimable<()> {
    if modalities.len() != 1 || design != Design::Factorial {
        let reason = "device and readers must have read the same cases in one modality";
        return Err(NotEstimable::new("design_not_crossed", reason));
    }
    Ok(())
}

/// One modality's figures of merit, whatever they are made of, with the device among the readers.
pub(super) struct Study<'a> {
    pub device: &'a str,
    pub readers: &'a [String],
    /// One a reader, in the same order.
    pub cells: &'a [CellEstimate],
    /// Covariances of the cells, row by row; `None` where cases are fixed.
    pub matrix: Option<&'a [f64]>,
    pub figure_of_merit: &'a str,
    pub cut_to_unit_range: bool,
    pub method: &'a str,
}

pub(super) fn compare(study: &Study<'_>, random: RandomFactors, level: f64) -> Estimable<StandaloneComparison> {
    if !(level > 0.0 && level < 1.0) {
        return Err(NotEstimable::new("bad_parameter", format!("a confidence level lies within 0 and 1, not {level}")));
    }
    let (device, cells) = (study.device, study.cells);
    let at = study
        .readers
        .iter()
        .position(|reader| reader == device)
        .ok_or_else(|| NotEstimable::new("no_device", format!("no reader is called {device}")))?;
    let others: Vec<usize> = (0..cells.len()).filter(|&reader| reader != at).collect();
    let count = others.len() as f64;
    let minimum = if random == RandomFactors::Cases { 1 } else { 2 };
    if others.len() < minimum {
        let reason = format!("{minimum} readers are needed beside the device, there are {}", others.len());
        return Err(NotEstimable::new("too_few_readers", reason));
    }
    let readers_mean = others.iter().map(|&j| cells[j].estimate).sum::<f64>() / count;
    let reader_variance = (others.len() > 1)
        .then(|| others.iter().map(|&j| (cells[j].estimate - readers_mean).powi(2)).sum::<f64>() / (count - 1.0));
    let errors = study.matrix.map(|matrix| difference_errors(matrix, cells.len(), at, &others));
    let (variance, df) = match (random, reader_variance, errors) {
        (RandomFactors::ReadersAndCases, Some(square), Some((_, cov2))) => {
            let total = square + count * cov2.max(0.0);
            (total / count, Some((total.powi(2) / (square.powi(2) / (count - 1.0))).min(MAX_DF)))
        }
        (RandomFactors::Cases, _, Some((error, cov2))) => ((error + (count - 1.0) * cov2) / count, None),
        (_, square, _) => (square.unwrap_or(0.0) / count, Some(count - 1.0)),
    };
    positive("the variance of the difference", variance)?;
    let (standard_error, estimate) = (variance.sqrt(), readers_mean - cells[at].estimate);
    let (statistic, df_or_normal) = (estimate / standard_error, df.unwrap_or(f64::INFINITY));
    let half = t_multiplier(level, df_or_normal) * standard_error;
    let method = if df.is_some() { "Obuchowski–Rockette t" } else { "Obuchowski–Rockette normal" };
    let two_modality = |matrix| two_modality(study, (at, &others), matrix, random, level);
    Ok(StandaloneComparison {
        method: study.method.to_owned(),
        figure_of_merit: study.figure_of_merit.to_owned(),
        device: device.to_owned(),
        device_estimate: cells[at].estimate,
        readers: others.iter().map(|&j| (study.readers[j].clone(), cells[j].estimate)).collect(),
        readers_mean,
        difference: Difference {
            first: READERS.to_owned(),
            second: device.to_owned(),
            reader: None,
            estimate,
            standard_error,
            df,
            interval: Interval { lower: estimate - half, upper: estimate + half, level, method },
            statistic,
            p_value: t_two_sided_p(statistic, df_or_normal),
        },
        reader_variance,
        error_variance: errors.map(|(error, _)| error),
        cov2: errors.map(|(_, cov2)| cov2),
        two_modality: study.matrix.map(two_modality).transpose()?,
    })
}

/// What one reader found in one case, with the place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocalisedReading<'a> {
    pub reader: &'a str,
    pub case: &'a str,
    pub modality: &'a str,
    pub finding: Localised,
}

/// The highest rating of any place in a non-diseased case; the rating of the correct place in a diseased one, `None` where
/// the place was wrong or nothing was marked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Localised {
    NonDiseased { highest: f64 },
    Diseased { correct: Option<f64> },
}

/// A table whose ROC curve is the LROC curve of these readings: a diseased case that was not localised stands below every
/// rating. PCL is then [`FigureOfMerit::CorrectLocalisation`], and the area up to a false-positive fraction f (ALROC) the
/// partial AUC over specificities 1 − f to 1.
///
/// # Errors
/// As [`MrmcData::from_readings`].
pub fn localised_readings(rows: &[LocalisedReading<'_>]) -> Result<MrmcData, MrmcDataError> {
    let readings: Vec<Reading<'_>> = rows
        .iter()
        .map(|row| {
            let (diseased, rating) = match row.finding {
                Localised::NonDiseased { highest } => (false, highest),
                Localised::Diseased { correct } => (true, correct.unwrap_or(-f64::MAX)),
            };
            Reading { reader: row.reader, case: row.case, modality: row.modality, diseased, rating, cluster: None }
        })
        .collect();
    MrmcData::from_readings(&readings)
}

/// The mean of the readers, as it is printed.
const READERS: &str = "readers";

pub(super) fn method_line(figure: &str, covariance: CovarianceMethod, random: RandomFactors) -> String {
    let covariance = covariance.name();
    let random = match random {
        RandomFactors::ReadersAndCases => {
            format!("random readers and cases, {covariance} covariance, Hillis (2007) degrees of freedom")
        }
        RandomFactors::Cases => format!("fixed readers, random cases, {covariance} covariance, normal theory"),
        RandomFactors::Readers => "random readers, fixed cases, r − 1 degrees of freedom".to_owned(),
    };
    format!("device against readers, {figure}, {random}")
}

/// Mean variance and mean covariance of θⱼ − θ_device, from the covariances of the estimates.
fn difference_errors(matrix: &[f64], size: usize, device: usize, readers: &[usize]) -> (f64, f64) {
    let at = |a: usize, b: usize| matrix[a * size + b];
    let of = |a: usize, b: usize| at(a, b) - at(a, device) - at(b, device) + at(device, device);
    let error = readers.iter().map(|&j| of(j, j)).sum::<f64>() / readers.len() as f64;
    let mut sum = 0.0;
    for &a in readers {
        for &b in readers.iter().filter(|&&b| b != a) {
            sum += of(a, b);
        }
    }
    let pairs = readers.len() * (readers.len() - 1);
    (error, if pairs == 0 { 0.0 } else { sum / pairs as f64 })
}

/// The device's ratings as those of every reader in a modality of its own.
fn two_modality(
    study: &Study<'_>,
    (device, readers): (usize, &[usize]),
    matrix: &[f64],
    random: RandomFactors,
    level: f64,
) -> Estimable<ObuchowskiRockette> {
    let cells = study.cells;
    let source: Vec<usize> = readers.iter().map(|_| device).chain(readers.iter().copied()).collect();
    let modalities = [study.device.to_owned(), READERS.to_owned()];
    let labels: Vec<String> = readers.iter().map(|&reader| study.readers[reader].clone()).collect();
    let count = readers.len();
    let doubled: Vec<CellEstimate> = source
        .iter()
        .enumerate()
        .map(|(at, &from)| CellEstimate { modality: at / count, reader: at % count, ..cells[from] })
        .collect();
    let covariances: Vec<f64> =
        source.iter().flat_map(|&a| source.iter().map(move |&b| matrix[a * cells.len() + b])).collect();
    let table = CellTable {
        modalities: &modalities,
        readers: &labels,
        cells: &doubled,
        covariance: Some(&covariances),
        design: Design::Factorial,
        cut_to_unit_range: study.cut_to_unit_range,
    };
    let mut result = analyse_cells(&table, random, level)?;
    study.figure_of_merit.clone_into(&mut result.figure_of_merit);
    study.method.clone_into(&mut result.method);
    Ok(result)
}
