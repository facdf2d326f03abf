//! Any figure of merit through the reader-study analyses: all they need of it is its value in each cell and the values
//! with each case (or patient) left out.

use super::covariance::{self, CellEstimate, CovarianceMethod, jackknife_matrix};
use super::fom::FigureOfMerit;
use super::obuchowski_rockette::{
    CellTable, ObuchowskiRockette, PartlyCrossed, RandomFactors, analyse_cells, averaged, method_line,
};
use super::standalone::{self, StandaloneComparison};
use super::{AnalysisMethod, Design, MrmcData};
use crate::stats::{Estimable, NotEstimable};
use serde::Serialize;

/// The figures of merit of a study's filled cells with their jackknife values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FigureTable {
    /// The name as it is printed.
    pub figure_of_merit: String,
    /// Whether intervals of means are cut to 0 and 1.
    pub cut_to_unit_range: bool,
    pub modalities: Vec<String>,
    pub readers: Vec<String>,
    pub design: Design,
    /// By modality, then reader.
    pub cells: Vec<CellEstimate>,
    /// For each cell the value without each unit, the same units in the same order for all; a unit that the cell did not
    /// read leaves its value. The units are the cases (or patients) of the class that the figure looks at.
    pub left_out: Vec<Vec<f64>>,
}

/// How to analyse a [`FigureTable`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FigureOptions {
    pub random: RandomFactors,
    /// Confidence level, 0 < level < 1.
    pub level: f64,
    pub partly_crossed: PartlyCrossed,
}

impl FigureTable {
    /// A ROC figure of merit of readings.
    ///
    /// # Errors
    /// A cell without the figure, or fewer than two cases of a class.
    pub fn of_readings(data: &MrmcData, fom: FigureOfMerit) -> Estimable<Self> {
        let (cells, left_out) = covariance::leave_one_out(data, fom)?;
        Ok(Self {
            figure_of_merit: fom.name(),
            cut_to_unit_range: fom.cut_to_unit_range(),
            modalities: data.modalities().to_vec(),
            readers: data.readers().to_vec(),
            design: data.design(),
            cells,
            left_out,
        })
    }

    /// Jackknife covariances of the cells, row by row.
    ///
    /// # Errors
    /// Fewer than two units; cells with different numbers of them.
    pub fn covariance(&self) -> Estimable<Vec<f64>> {
        let units = self.left_out.first().map_or(0, Vec::len);
        if self.left_out.len() != self.cells.len() || self.left_out.iter().any(|values| values.len() != units) {
            let reason = format!("{} cells need as many lists of left-out values, all of one length", self.cells.len());
            return Err(NotEstimable::new("bad_parameter", reason));
        }
        jackknife_matrix(self.left_out.clone())
    }

    /// Pseudovalues K θ − (K − 1) θ₋ₖ of each cell (Quenouille 1956), K the number of units.
    #[must_use]
    pub fn pseudovalues(&self) -> Vec<Vec<f64>> {
        let of_cell = |(cell, values): (&CellEstimate, &Vec<f64>)| {
            let units = values.len() as f64;
            values.iter().map(|value| units * cell.estimate - (units - 1.0) * value).collect()
        };
        self.cells.iter().zip(&self.left_out).map(of_cell).collect()
    }
}

/// The Obuchowski–Rockette analysis of any figure of merit, with jackknife covariances.
///
/// # Errors
/// A design that the method does not hold for; covariances that do not exist; a level outside (0, 1).
pub fn obuchowski_rockette_of(figures: &FigureTable, options: &FigureOptions) -> Estimable<ObuchowskiRockette> {
    let refused = figures.design.allows(AnalysisMethod::ObuchowskiRockette);
    if let (Err(reason), PartlyCrossed::Refuse) = (refused, options.partly_crossed) {
        return Err(NotEstimable::new("design_not_crossed", reason));
    }
    let covariance = (options.random != RandomFactors::Readers).then(|| figures.covariance()).transpose()?;
    let table = CellTable {
        modalities: &figures.modalities,
        readers: &figures.readers,
        cells: &figures.cells,
        covariance: covariance.as_deref(),
        design: figures.design,
        cut_to_unit_range: figures.cut_to_unit_range,
    };
    let mut result = analyse_cells(&table, options.random, options.level)?;
    figures.figure_of_merit.clone_into(&mut result.figure_of_merit);
    result.method = method_line(&figures.figure_of_merit, CovarianceMethod::Jackknife, options.random);
    if let Err(reason) = refused {
        result.treatments.push(averaged(figures.design, reason));
    }
    Ok(result)
}

/// One reader of a fully crossed one-modality study, the device, against the mean of the others, by any figure of merit.
///
/// # Errors
/// As [`standalone::device_against_readers`].
pub fn device_against_readers_of(
    figures: &FigureTable,
    device: &str,
    random: RandomFactors,
    level: f64,
) -> Estimable<StandaloneComparison> {
    standalone::check_study(&figures.modalities, figures.design)?;
    let matrix = (random != RandomFactors::Readers).then(|| figures.covariance()).transpose()?;
    let method = standalone::method_line(&figures.figure_of_merit, CovarianceMethod::Jackknife, random);
    let study = standalone::Study {
        device,
        readers: &figures.readers,
        cells: &figures.cells,
        matrix: matrix.as_deref(),
        figure_of_merit: &figures.figure_of_merit,
        cut_to_unit_range: figures.cut_to_unit_range,
        method: &method,
    };
    standalone::compare(&study, random, level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::mrmc::obuchowski_rockette::{OrOptions, obuchowski_rockette};
    use crate::stats::mrmc::simulate::{Draw, RoeMetz, Variances};
    use crate::stats::mrmc::standalone::{StandaloneOptions, device_against_readers};

    fn study() -> MrmcData {
        let variances = Variances {
            reader: 0.05,
            modality_reader: 0.05,
            case: 0.3,
            modality_case: 0.2,
            reader_case: 0.2,
            error: 0.3,
        };
        RoeMetz::two_modalities([1.0, 1.4], &variances).simulate(4, 15, 20, Draw { seed: 5, replicate: 0 }).unwrap()
    }

    #[test]
    fn readings_give_the_same_analysis_by_either_way() {
        let data = study();
        let fom = FigureOfMerit::EmpiricalAuc;
        for random in [RandomFactors::ReadersAndCases, RandomFactors::Cases, RandomFactors::Readers] {
            let (level, partly_crossed) = (0.95, PartlyCrossed::Refuse);
            let direct = OrOptions { fom, covariance: CovarianceMethod::Jackknife, random, level, partly_crossed };
            let table = FigureTable::of_readings(&data, fom).unwrap();
            let by_table = obuchowski_rockette_of(&table, &FigureOptions { random, level, partly_crossed });
            assert_eq!(by_table, obuchowski_rockette(&data, &direct));
            let one = data.filter(|reading| reading.modality == 1).unwrap();
            let device = one.readers()[2].clone();
            let direct =
                StandaloneOptions { device: &device, fom, covariance: CovarianceMethod::Jackknife, random, level };
            let table = FigureTable::of_readings(&one, fom).unwrap();
            assert_eq!(
                device_against_readers_of(&table, &device, random, level),
                device_against_readers(&one, &direct)
            );
        }
    }

    #[test]
    fn pseudovalues_of_an_area_have_it_as_their_weighted_mean() {
        // a share of cases has the cases themselves as pseudovalues
        let data = study();
        let table = FigureTable::of_readings(&data, FigureOfMerit::Sensitivity { threshold: 0.8 }).unwrap();
        for (values, cell) in table.pseudovalues().iter().zip(&table.cells) {
            assert!(values.iter().all(|value| value.abs() < 1e-12 || (value - 1.0).abs() < 1e-12));
            assert!((values.iter().sum::<f64>() / values.len() as f64 - cell.estimate).abs() < 1e-12);
        }
    }

    #[test]
    fn lists_of_unlike_length_are_refused() {
        let mut table = FigureTable::of_readings(&study(), FigureOfMerit::EmpiricalAuc).unwrap();
        table.left_out[1].pop();
        assert_eq!(table.covariance().unwrap_err().code, "bad_parameter");
    }
}
