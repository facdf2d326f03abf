//! A reader study with marks: who marked what in which modality, and its figures of merit as the analyses take them.

use super::detection::Matched;
use super::location::{LocationCell, LocationFigure, UNMARKED, highest};
use crate::stats::mrmc::covariance::{CellEstimate, units};
use crate::stats::mrmc::figures::FigureTable;
use crate::stats::mrmc::obuchowski_rockette::RandomFactors;
use crate::stats::mrmc::resample::{self, Resampled, Weights};
use crate::stats::mrmc::{Case, IndexedReading, MrmcData, MrmcDataError};
use crate::stats::{Estimable, NotEstimable};
use rayon::prelude::*;

/// A case with its lesions.
#[derive(Debug, Clone, PartialEq)]
pub struct LocationCase {
    pub label: String,
    /// One weight > 0 a lesion; empty = non-diseased.
    pub lesion_weights: Vec<f64>,
    /// Index of the patient, where several cases share one.
    pub cluster: Option<u32>,
}

/// What one reader marked in one case. A case without marks is a reading too: without one it counts as not read.
#[derive(Debug, Clone, PartialEq)]
pub struct LocationReading {
    pub reader: u32,
    pub modality: u32,
    pub case: u32,
    /// By lesion: the rating of the mark on it.
    pub hits: Vec<Option<f64>>,
    pub false_marks: Vec<f64>,
}

/// Why marks do not form a study.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LocationDataError {
    #[error("{0}")]
    Readings(MrmcDataError),
    #[error("row {row}: case {case} has {lesions} lesions, the reading tells of {hits}")]
    Lesions { row: usize, case: String, lesions: usize, hits: usize },
}

/// Marks of a reader study, valid by construction.
#[derive(Debug, Clone, PartialEq)]
pub struct LocationStudy {
    highest: MrmcData,
    /// By modality, then reader; in each, every case, `None` = not read.
    marks: Vec<Vec<Option<Matched>>>,
}

impl LocationStudy {
    /// Readings by index into the tables, which keep their order.
    ///
    /// # Errors
    /// A reading with other lesions than its case has; what [`MrmcData::new`] refuses, ratings that are not finite too.
    pub fn new(
        readers: Vec<String>,
        modalities: Vec<String>,
        cases: &[LocationCase],
        readings: Vec<LocationReading>,
    ) -> Result<Self, LocationDataError> {
        let table: Vec<Case> = cases
            .iter()
            .map(|case| Case {
                label: case.label.clone(),
                diseased: !case.lesion_weights.is_empty(),
                cluster: case.cluster,
            })
            .collect();
        let mut rows = Vec::with_capacity(readings.len());
        let mut matched = Vec::with_capacity(readings.len());
        for (row, reading) in readings.into_iter().enumerate() {
            let (reader, case, modality) = (reading.reader, reading.case, reading.modality);
            let weights = cases.get(case as usize).map_or(&[][..], |case| &case.lesion_weights);
            if weights.len() != reading.hits.len() {
                let label = cases.get(case as usize).map_or_else(|| case.to_string(), |case| case.label.clone());
                let (lesions, hits) = (weights.len(), reading.hits.len());
                return Err(LocationDataError::Lesions { row, case: label, lesions, hits });
            }
            let of =
                Matched { hits: reading.hits, weights: weights.to_vec(), false_marks: reading.false_marks, ignored: 0 };
            let finite = of.hits.iter().flatten().chain(&of.false_marks).all(|rating| rating.is_finite());
            let rating = if finite { highest(&of) } else { f64::NAN };
            rows.push(IndexedReading { reader, case, modality, rating });
            matched.push(of);
        }
        let highest = MrmcData::new(readers, modalities, table, &rows).map_err(LocationDataError::Readings)?;
        let mut marks = vec![vec![None; cases.len()]; highest.readers().len() * highest.modalities().len()];
        for (row, of) in rows.iter().zip(matched) {
            marks[row.modality as usize * highest.readers().len() + row.reader as usize][row.case as usize] = Some(of);
        }
        Ok(Self { highest, marks })
    }

    /// The inferred ROC readings: each case with its highest mark, an unmarked one below all others.
    #[must_use]
    pub fn highest_ratings(&self) -> &MrmcData {
        &self.highest
    }

    /// The rating of an unmarked case in [`LocationStudy::highest_ratings`].
    pub const UNMARKED: f64 = UNMARKED;

    /// The marks of one reader in one modality, by case; `None` = not read.
    #[must_use]
    pub fn cell(&self, modality: usize, reader: usize) -> &[Option<Matched>] {
        &self.marks[modality * self.highest.readers().len() + reader]
    }

    fn prepared(&self, figure: &LocationFigure) -> Estimable<Vec<Option<LocationCell>>> {
        self.marks
            .par_iter()
            .enumerate()
            .map(|(at, cases)| {
                if cases.iter().all(Option::is_none) {
                    return Ok(None);
                }
                let cases: Vec<Option<&Matched>> = cases.iter().map(Option::as_ref).collect();
                LocationCell::new(&cases, figure).map(Some).map_err(|fault| self.name_in(at, fault))
            })
            .collect()
    }

    fn name_in(&self, at: usize, fault: NotEstimable) -> NotEstimable {
        let readers = self.highest.readers();
        let (reader, modality) = (&readers[at % readers.len()], &self.highest.modalities()[at / readers.len()]);
        NotEstimable::new(fault.code, format!("reader {reader}, modality {modality}: {}", fault.reason))
    }

    /// The figure of merit of every filled cell with its jackknife values. O(n log n) a cell.
    ///
    /// # Errors
    /// The first cell for which it does not exist, named.
    pub fn figures(&self, figure: &LocationFigure) -> Estimable<FigureTable> {
        let units = units(&self.highest, figure.case_class());
        let readers = self.highest.readers().len();
        let cells = self.prepared(figure)?;
        let values: Vec<Option<(CellEstimate, Vec<f64>)>> = cells
            .par_iter()
            .enumerate()
            .map(|(at, cell)| {
                let Some(cell) = cell else { return Ok(None) };
                let named = |fault| self.name_in(at, fault);
                let estimate = cell.estimate().map_err(named)?;
                let left_out = cell.leave_one_out(&units.of_case, units.diseased.len()).map_err(named)?;
                let read = self.marks[at].iter().flatten();
                let diseased = read.clone().filter(|case| !case.hits.is_empty()).count();
                let non_diseased = read.count() - diseased;
                let (modality, reader) = (at / readers, at % readers);
                Ok(Some((CellEstimate { modality, reader, estimate, diseased, non_diseased }, left_out)))
            })
            .collect::<Estimable<_>>()?;
        let (cells, left_out) = values.into_iter().flatten().unzip();
        Ok(FigureTable {
            figure_of_merit: figure.name(),
            cut_to_unit_range: figure.cut_to_unit_range(),
            modalities: self.highest.modalities().to_vec(),
            readers: self.highest.readers().to_vec(),
            design: self.highest.design(),
            cells,
            left_out,
        })
    }

    /// Resamples of readers and cases (see [`resample::resample`]) of the mean over readers of `first`, or of its
    /// difference "first − second". Every reader of a resample stands with all that it marked.
    ///
    /// # Errors
    /// A cell for which the figure cannot be prepared; a design in which readers and cases are not crossed.
    pub fn bootstrap(
        &self,
        figure: &LocationFigure,
        (first, second): (usize, Option<usize>),
        random: RandomFactors,
        replicates: usize,
        seed: u64,
    ) -> Estimable<Resampled> {
        resample::check_design(&self.highest)?;
        let cells = self.prepared(figure)?;
        let statistic = |weights: &Weights| {
            let first = self.weighted_mean(&cells, first, weights)?;
            Ok(match second {
                Some(second) => first - self.weighted_mean(&cells, second, weights)?,
                None => first,
            })
        };
        Ok(resample::resample(&self.highest, random, replicates, seed, statistic))
    }

    fn weighted_mean(&self, cells: &[Option<LocationCell>], modality: usize, weights: &Weights) -> Estimable<f64> {
        let readers = self.highest.readers().len();
        let (mut sum, mut count) = (0.0, 0_u32);
        for (cell, &weight) in cells[modality * readers..(modality + 1) * readers].iter().zip(&weights.reader) {
            if let Some(cell) = cell.as_ref().filter(|_| weight > 0) {
                sum += f64::from(weight) * cell.weighted(&weights.case)?;
                count += weight;
            }
        }
        if count == 0 {
            return Err(NotEstimable::new("no-reader", "no reader of the resample read in this modality"));
        }
        Ok(sum / f64::from(count))
    }
}

#[cfg(test)]
#[allow(clippy::cloned_ref_to_slice_refs)]
mod tests {
    use super::*;
    use crate::metrics::location::NlfCases;
    use crate::stats::mrmc::fom::FigureOfMerit;

    fn study(clustered: bool) -> LocationStudy {
        let mut state = 29_u64;
        let mut next = move |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let cases: Vec<LocationCase> = (0..24_u32)
            .map(|at| LocationCase {
                label: at.to_string(),
                lesion_weights: vec![1.0; if at < 12 { 1 + at as usize % 3 } else { 0 }],
                cluster: clustered.then_some(at / 2),
            })
            .collect();
        let mut readings = Vec::new();
        for (reader, modality) in (0..3).flat_map(|reader| (0..2).map(move |modality| (reader, modality))) {
            for (at, case) in (0..).zip(&cases) {
                readings.push(LocationReading {
                    reader,
                    modality,
                    case: at,
                    hits: case.lesion_weights.iter().map(|_| (next(4) > 0).then(|| 1.0 + next(6) as f64)).collect(),
                    false_marks: (0..next(3)).map(|_| next(5) as f64).collect(),
                });
            }
        }
        let labels = |of: &[&str]| of.iter().map(|label| (*label).to_owned()).collect();
        LocationStudy::new(labels(&["1", "2", "3"]), labels(&["a", "b"]), &cases, readings).unwrap()
    }

    #[test]
    fn the_highest_ratings_have_the_same_area_and_jackknife() {
        for clustered in [false, true] {
            let study = study(clustered);
            let by_marks = study.figures(&LocationFigure::HrAuc).unwrap();
            let by_ratings = FigureTable::of_readings(study.highest_ratings(), FigureOfMerit::EmpiricalAuc).unwrap();
            assert_eq!(by_marks.cells, by_ratings.cells);
            assert_eq!(by_marks.left_out, by_ratings.left_out);
            assert_eq!(by_marks.left_out[0].len(), if clustered { 12 } else { 24 });
        }
    }

    #[test]
    fn a_bootstrap_of_nothing_random_is_the_estimate_and_threads_do_not_matter() {
        let study = study(false);
        let figure = LocationFigure::WeightedAfroc;
        let table = study.figures(&figure).unwrap();
        let mean = |modality: usize| {
            table.cells.iter().filter(|c| c.modality == modality).map(|c| c.estimate).sum::<f64>() / 3.0
        };
        let run = || study.bootstrap(&figure, (0, Some(1)), RandomFactors::ReadersAndCases, 50, 3).unwrap();
        let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        let drawn = pool(1).install(run);
        assert!((drawn.estimate.clone().unwrap() - (mean(0) - mean(1))).abs() < 1e-14);
        assert_eq!(drawn, pool(3).install(run));
        assert_eq!(drawn.values.len(), 50);
    }

    /// Over cases alone the variance of the resampled values and the jackknife variance estimate the same thing.
    #[test]
    fn bootstrap_and_jackknife_variances_agree() {
        let study = study(false);
        for figure in [LocationFigure::WeightedAfroc1, LocationFigure::MaxNlf(NlfCases::All)] {
            let table = study.figures(&figure).unwrap();
            let matrix = table.covariance().unwrap();
            let of_mean: f64 =
                (0..3).flat_map(|a| (0..3).map(move |b| a * 6 + b)).map(|at| matrix[at]).sum::<f64>() / 9.0;
            let drawn = study.bootstrap(&figure, (0, None), RandomFactors::Cases, 4000, 3).unwrap();
            let se = crate::stats::bootstrap::standard_error(&drawn.values).unwrap();
            assert!((se / of_mean.sqrt() - 1.0).abs() < 0.1, "{figure:?} {se} {}", of_mean.sqrt());
        }
    }

    #[test]
    fn lesions_that_do_not_fit_their_case_and_bad_ratings_are_refused() {
        let case = LocationCase { label: "c".to_owned(), lesion_weights: vec![1.0], cluster: None };
        let new = |hits: Vec<Option<f64>>, false_marks: Vec<f64>| {
            let reading = LocationReading { reader: 0, modality: 0, case: 0, hits, false_marks };
            LocationStudy::new(vec!["r".to_owned()], vec!["m".to_owned()], &[case.clone()], vec![reading])
        };
        assert!(matches!(new(vec![], vec![]), Err(LocationDataError::Lesions { lesions: 1, hits: 0, .. })));
        assert!(matches!(new(vec![None], vec![f64::NAN, 1.0]), Err(LocationDataError::Readings(_))));
        assert!(new(vec![None], vec![]).is_ok());
    }
}
