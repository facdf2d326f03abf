//! Which design the readings form, and what that design allows.

use super::MrmcData;
use serde::Serialize;
use std::collections::BTreeSet;

/// How readers, cases and modalities are crossed. Names as in Hillis (2014, Statistics in Medicine 33:330) and
/// Obuchowski (1995) for the nested ones, and Obuchowski, Gallas and Hillis (2012) for the split-plot one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// Every reader read every case in every modality.
    Factorial,
    /// Each reader reads in one modality only; all read the same cases.
    ReaderNestedInModality,
    /// Each reader reads own cases, in every modality.
    CaseNestedInReader,
    /// Every reader reads in every modality; each modality has own cases, the same ones for all readers.
    CaseNestedInModality,
    /// Each reader reads in one modality only, and each modality has own cases.
    ReaderAndCaseNestedInModality,
    /// Groups of readers, each with its own block of cases, read in every modality.
    PairedSplitPlot,
    /// Anything else: readings are missing here and there.
    Unbalanced,
}

/// A family of analyses whose use depends on the design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnalysisMethod {
    ObuchowskiRockette,
    DorfmanBerbaumMetz,
    DelongCovariance,
    UStatistic,
}

/// How many cases one reader read in one modality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GridCell {
    pub modality: String,
    pub reader: String,
    pub diseased: usize,
    pub non_diseased: usize,
}

impl Design {
    /// The name as it is printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Factorial => "fully crossed (factorial)",
            Self::ReaderNestedInModality => "readers nested in modality",
            Self::CaseNestedInReader => "cases nested in reader",
            Self::CaseNestedInModality => "cases nested in modality",
            Self::ReaderAndCaseNestedInModality => "readers and cases nested in modality",
            Self::PairedSplitPlot => "paired split-plot",
            Self::Unbalanced => "unbalanced (readings are missing)",
        }
    }

    /// `Ok` where the design allows the method, else why it does not.
    ///
    /// # Errors
    /// The reason, as it is printed.
    pub fn allows(self, method: AnalysisMethod) -> Result<(), &'static str> {
        match (method, self) {
            (AnalysisMethod::UStatistic, _) | (_, Self::Factorial) => Ok(()),
            (AnalysisMethod::ObuchowskiRockette, Self::PairedSplitPlot | Self::Unbalanced) => Err(
                "the Obuchowski–Rockette covariance model takes every pair of readers to share the same cases; the \
                 averaged covariances would be those of no reader pair. Use the U-statistic analysis",
            ),
            (AnalysisMethod::ObuchowskiRockette, _) => Ok(()),
            (AnalysisMethod::DorfmanBerbaumMetz, _) => {
                Err("the pseudovalue analysis of variance needs a fully crossed table of readers, cases and modalities")
            }
            (AnalysisMethod::DelongCovariance, Self::Unbalanced) => {
                Err("DeLong covariances of two cells need the same cases in both, or none in common")
            }
            (AnalysisMethod::DelongCovariance, _) => Ok(()),
        }
    }
}

pub(super) fn detect(data: &MrmcData) -> Design {
    let (t, r) = (data.modalities().len(), data.readers().len());
    let cell = |modality: usize, reader: usize| data.cell(modality, reader).cases;
    let filled: Vec<(usize, usize)> =
        (0..t).flat_map(|i| (0..r).map(move |j| (i, j))).filter(|&(i, j)| !cell(i, j).is_empty()).collect();
    let all_filled = filled.len() == t * r;
    let one_modality_each = filled.len() == r;
    let first = cell(filled[0].0, filled[0].1);
    let same_everywhere = filled.iter().all(|&(i, j)| cell(i, j) == first);

    if all_filled && same_everywhere {
        return Design::Factorial;
    }
    if one_modality_each && t > 1 {
        if same_everywhere {
            return Design::ReaderNestedInModality;
        }
        let of_modality: Vec<Vec<&[u32]>> =
            (0..t).map(|i| (0..r).map(|j| cell(i, j)).filter(|cases| !cases.is_empty()).collect::<Vec<_>>()).collect();
        let same_within = of_modality.iter().all(|cells| cells.windows(2).all(|pair| pair[0] == pair[1]));
        let blocks: Vec<&[u32]> = of_modality.iter().map(|cells| cells[0]).collect();
        if same_within && pairwise_disjoint(&blocks) {
            return Design::ReaderAndCaseNestedInModality;
        }
        return Design::Unbalanced;
    }
    if !all_filled {
        return Design::Unbalanced;
    }
    let same_over_modalities = (0..r).all(|j| (1..t).all(|i| cell(i, j) == cell(0, j)));
    let same_over_readers = (0..t).all(|i| (1..r).all(|j| cell(i, j) == cell(i, 0)));
    if same_over_readers && pairwise_disjoint(&(0..t).map(|i| cell(i, 0)).collect::<Vec<_>>()) {
        return Design::CaseNestedInModality;
    }
    if same_over_modalities {
        let blocks: BTreeSet<&[u32]> = (0..r).map(|j| cell(0, j)).collect();
        if pairwise_disjoint(&blocks.iter().copied().collect::<Vec<_>>()) {
            return if blocks.len() == r { Design::CaseNestedInReader } else { Design::PairedSplitPlot };
        }
    }
    Design::Unbalanced
}

pub(super) fn grid(data: &MrmcData) -> Vec<GridCell> {
    let mut cells = Vec::with_capacity(data.modalities().len() * data.readers().len());
    for (i, modality) in data.modalities().iter().enumerate() {
        for (j, reader) in data.readers().iter().enumerate() {
            let cases = data.cell(i, j).cases;
            let diseased = cases.iter().filter(|&&case| data.cases()[case as usize].diseased).count();
            cells.push(GridCell {
                modality: modality.clone(),
                reader: reader.clone(),
                diseased,
                non_diseased: cases.len() - diseased,
            });
        }
    }
    cells
}

fn pairwise_disjoint(blocks: &[&[u32]]) -> bool {
    let mut all: Vec<u32> = blocks.iter().flat_map(|block| block.iter().copied()).collect();
    let total = all.len();
    all.sort_unstable();
    all.dedup();
    all.len() == total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::mrmc::{Case, IndexedReading};

    /// A table of `t` modalities × `r` readers × `k` cases with the readings for which `read(i, j, case)` holds.
    fn table(t: u32, r: u32, k: u32, read: impl Fn(u32, u32, u32) -> bool) -> MrmcData {
        let labels = |prefix: &str, n: u32| (0..n).map(|index| format!("{prefix}{index}")).collect::<Vec<_>>();
        let cases = labels("c", k).into_iter().zip(0..);
        let cases = cases.map(|(label, index)| Case { label, diseased: index % 2 == 1, cluster: None }).collect();
        let mut readings = Vec::new();
        for modality in 0..t {
            for reader in 0..r {
                for case in (0..k).filter(|&case| read(modality, reader, case)) {
                    readings.push(IndexedReading { reader, case, modality, rating: f64::from(case) });
                }
            }
        }
        MrmcData::new(labels("r", r), labels("m", t), cases, &readings).expect("valid")
    }

    #[test]
    fn each_design_is_told_from_the_others() {
        assert_eq!(table(2, 4, 8, |_, _, _| true).design(), Design::Factorial);
        assert_eq!(table(1, 1, 4, |_, _, _| true).design(), Design::Factorial);
        assert_eq!(table(2, 4, 8, |i, j, _| j % 2 == i).design(), Design::ReaderNestedInModality);
        assert_eq!(table(2, 4, 8, |_, j, k| k / 2 == j).design(), Design::CaseNestedInReader);
        assert_eq!(table(2, 4, 8, |i, _, k| k / 4 == i).design(), Design::CaseNestedInModality);
        assert_eq!(table(2, 4, 8, |i, j, k| j % 2 == i && k / 4 == i).design(), Design::ReaderAndCaseNestedInModality);
        assert_eq!(table(2, 4, 8, |_, j, k| k / 4 == j / 2).design(), Design::PairedSplitPlot);
        assert_eq!(table(2, 4, 8, |i, j, k| i + j + k != 3).design(), Design::Unbalanced);
    }

    #[test]
    fn grid_counts_what_was_read() {
        let data = table(1, 2, 8, |_, j, k| j == 0 || k < 3);
        let grid = data.grid();
        assert_eq!((grid[0].diseased, grid[0].non_diseased), (4, 4));
        assert_eq!((grid[1].diseased, grid[1].non_diseased), (1, 2));
        assert_eq!(data.design(), Design::Unbalanced);
        assert!(data.design().allows(AnalysisMethod::ObuchowskiRockette).is_err());
        assert!(data.design().allows(AnalysisMethod::UStatistic).is_ok());
    }
}
