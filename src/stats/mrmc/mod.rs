//! Multi-reader multi-case (MRMC) studies: readings of the same cases by several readers in several modalities.
//!
//! *Modality* is the arm that is compared (unaided, aided). [`MrmcData`] is valid by construction: one rating at most
//! for each reader, case and modality, every rating finite, one truth for each case. What was not read stays absent;
//! nothing is ever filled in. [`Design`] says which of the known designs the readings form and which analyses it allows.

pub mod average_roc;
pub mod binormal;
pub mod covariance;
pub mod dbm;
mod design;
pub mod figures;
pub mod fom;
pub mod limits_of_agreement;
pub mod obuchowski_rockette;
pub mod resample;
pub mod simulate;
pub mod sizing;
pub mod standalone;
pub mod ustat;

pub use design::{AnalysisMethod, Design, GridCell};

use serde::Serialize;
use std::collections::BTreeMap;

/// The truth of one case, and the patient (cluster) it belongs to where several cases share a patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Case {
    pub label: String,
    /// `true` = diseased.
    pub diseased: bool,
    /// Index of the patient among the patients of the table; `None` where each case is a patient of its own.
    pub cluster: Option<u32>,
}

/// One reading by label, as an input file has it. Higher rating = more suspicious.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading<'a> {
    pub reader: &'a str,
    pub case: &'a str,
    pub modality: &'a str,
    pub diseased: bool,
    pub rating: f64,
    /// The patient, where several cases share one.
    pub cluster: Option<&'a str>,
}

/// One reading by index into the tables of readers, cases and modalities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IndexedReading {
    pub reader: u32,
    pub case: u32,
    pub modality: u32,
    pub rating: f64,
}

/// One thing that is wrong with a table of readings. Rows count from 0 in the order they were handed over.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum DataFault {
    Empty,
    /// The same reader rated the same case in the same modality more than once.
    Duplicate {
        reader: String,
        case: String,
        modality: String,
        rows: Vec<usize>,
        ratings: Vec<f64>,
    },
    NotFinite {
        reader: String,
        case: String,
        modality: String,
        row: usize,
    },
    /// A case is diseased in some rows and not diseased in others.
    ConflictingTruth {
        case: String,
        diseased_rows: Vec<usize>,
        non_diseased_rows: Vec<usize>,
    },
    /// A case belongs to more than one patient, or to one in some rows only.
    ConflictingCluster {
        case: String,
        rows: Vec<usize>,
    },
    RepeatedLabel {
        table: &'static str,
        label: String,
    },
    IndexOutOfRange {
        table: &'static str,
        index: u32,
        row: usize,
    },
}

impl std::fmt::Display for DataFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => write!(f, "no reading at all"),
            Self::Duplicate { reader, case, modality, rows, ratings } => {
                let kind = if ratings.windows(2).all(|pair| pair[0] == pair[1]) { "identical" } else { "conflicting" };
                write!(
                    f,
                    "reader {reader}, case {case}, modality {modality} has {} {kind} readings (rows {rows:?}, ratings \
                     {ratings:?}); keep one",
                    rows.len()
                )
            }
            Self::NotFinite { reader, case, modality, row } => {
                write!(f, "row {row}: the rating of reader {reader}, case {case}, modality {modality} is not a number")
            }
            Self::ConflictingTruth { case, diseased_rows, non_diseased_rows } => write!(
                f,
                "case {case} is diseased in rows {diseased_rows:?} and not diseased in rows {non_diseased_rows:?}"
            ),
            Self::ConflictingCluster { case, rows } => {
                write!(f, "case {case} does not belong to one patient throughout (rows {rows:?})")
            }
            Self::RepeatedLabel { table, label } => write!(f, "{table} {label} is listed twice"),
            Self::IndexOutOfRange { table, index, row } => write!(f, "row {row}: no {table} with index {index}"),
        }
    }
}

/// Every fault of a table of readings at once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MrmcDataError {
    pub faults: Vec<DataFault>,
}

impl std::fmt::Display for MrmcDataError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
        write!(f, "{}", lines.join("\n"))
    }
}

impl std::error::Error for MrmcDataError {}

/// The readings of one study. The readings of a (modality, reader) pair stand together, ordered by case, so that the
/// order in which rows arrived cannot reach a result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MrmcData {
    readers: Vec<String>,
    modalities: Vec<String>,
    cases: Vec<Case>,
    clusters: Vec<String>,
    /// Columns, ordered by modality, then reader, then case.
    reader_of: Vec<u32>,
    case_of: Vec<u32>,
    modality_of: Vec<u32>,
    rating_of: Vec<f64>,
    /// Where the cell (modality, reader) starts: `modality * readers + reader`; one more entry than cells.
    cell_start: Vec<usize>,
}

/// The readings of one reader in one modality, ordered by case index.
#[derive(Debug, Clone, Copy)]
pub struct Cell<'a> {
    pub cases: &'a [u32],
    pub ratings: &'a [f64],
}

impl MrmcData {
    /// Labelled rows in any order. Readers, cases and modalities are ordered by number where every label is a number,
    /// else by character code, so that the sign of "first − second modality" does not depend on the order of rows.
    /// [`MrmcData::with_modality_order`] sets another order.
    ///
    /// # Errors
    /// Every duplicate reading, rating that is not finite and conflict of truth or patient, all listed.
    pub fn from_readings(rows: &[Reading<'_>]) -> Result<Self, MrmcDataError> {
        let readers = ordered_labels(rows.iter().map(|row| row.reader));
        let modalities = ordered_labels(rows.iter().map(|row| row.modality));
        let case_labels = ordered_labels(rows.iter().map(|row| row.case));
        let clusters = ordered_labels(rows.iter().filter_map(|row| row.cluster));
        let (reader_at, modality_at) = (positions(&readers), positions(&modalities));
        let (case_at, cluster_at) = (positions(&case_labels), positions(&clusters));

        let mut rows_of_case: Vec<Vec<usize>> = vec![Vec::new(); case_labels.len()];
        for (index, row) in rows.iter().enumerate() {
            rows_of_case[case_at[row.case] as usize].push(index);
        }
        let mut faults = Vec::new();
        let mut cases = Vec::with_capacity(case_labels.len());
        for (label, row_numbers) in case_labels.iter().zip(&rows_of_case) {
            let first = rows[row_numbers[0]];
            let (diseased_rows, non_diseased_rows): (Vec<usize>, Vec<usize>) =
                row_numbers.iter().partition(|&&index| rows[index].diseased);
            if !diseased_rows.is_empty() && !non_diseased_rows.is_empty() {
                faults.push(DataFault::ConflictingTruth { case: label.clone(), diseased_rows, non_diseased_rows });
            }
            if row_numbers.iter().any(|&index| rows[index].cluster != first.cluster) {
                faults.push(DataFault::ConflictingCluster { case: label.clone(), rows: row_numbers.clone() });
            }
            let cluster = first.cluster.map(|name| cluster_at[name]);
            cases.push(Case { label: label.clone(), diseased: first.diseased, cluster });
        }
        let indexed: Vec<IndexedReading> = rows
            .iter()
            .map(|row| IndexedReading {
                reader: reader_at[row.reader],
                case: case_at[row.case],
                modality: modality_at[row.modality],
                rating: row.rating,
            })
            .collect();
        drop((reader_at, modality_at, case_at, cluster_at));
        Self::build(readers, modalities, cases, clusters, &indexed, faults)
    }

    /// Tables of readers, modalities and cases in the order that they are to keep, and readings by index into them.
    ///
    /// # Errors
    /// As [`MrmcData::from_readings`], and every index or label that does not fit its table.
    pub fn new(
        readers: Vec<String>,
        modalities: Vec<String>,
        cases: Vec<Case>,
        readings: &[IndexedReading],
    ) -> Result<Self, MrmcDataError> {
        let cluster_count = cases.iter().filter_map(|case| case.cluster).max().map_or(0, |last| last + 1);
        let clusters = (0..cluster_count).map(|index| index.to_string()).collect();
        Self::build(readers, modalities, cases, clusters, readings, Vec::new())
    }

    fn build(
        readers: Vec<String>,
        modalities: Vec<String>,
        cases: Vec<Case>,
        clusters: Vec<String>,
        readings: &[IndexedReading],
        mut faults: Vec<DataFault>,
    ) -> Result<Self, MrmcDataError> {
        if readings.is_empty() {
            faults.push(DataFault::Empty);
        }
        repeated_labels("reader", readers.iter(), &mut faults);
        repeated_labels("modality", modalities.iter(), &mut faults);
        repeated_labels("case", cases.iter().map(|case| &case.label), &mut faults);
        let sizes = [("reader", readers.len()), ("modality", modalities.len()), ("case", cases.len())];
        let mut in_range = true;
        for (row, reading) in readings.iter().enumerate() {
            for ((table, size), index) in sizes.iter().zip([reading.reader, reading.modality, reading.case]) {
                if index as usize >= *size {
                    faults.push(DataFault::IndexOutOfRange { table, index, row });
                    in_range = false;
                }
            }
        }
        if !in_range {
            return Err(MrmcDataError { faults });
        }
        let label_of = |reading: &IndexedReading| {
            (
                readers[reading.reader as usize].clone(),
                cases[reading.case as usize].label.clone(),
                modalities[reading.modality as usize].clone(),
            )
        };
        for (row, reading) in readings.iter().enumerate().filter(|(_, reading)| !reading.rating.is_finite()) {
            let (reader, case, modality) = label_of(reading);
            faults.push(DataFault::NotFinite { reader, case, modality, row });
        }
        let key = |row: usize| (readings[row].modality, readings[row].reader, readings[row].case);
        let mut order: Vec<usize> = (0..readings.len()).collect();
        order.sort_by_key(|&row| (key(row), row));
        for group in order.chunk_by(|&a, &b| key(a) == key(b)).filter(|group| group.len() > 1) {
            let (reader, case, modality) = label_of(&readings[group[0]]);
            let ratings = group.iter().map(|&row| readings[row].rating).collect();
            faults.push(DataFault::Duplicate { reader, case, modality, rows: group.to_vec(), ratings });
        }
        if !faults.is_empty() {
            return Err(MrmcDataError { faults });
        }
        let mut cell_start = vec![0; readers.len() * modalities.len() + 1];
        for reading in readings {
            cell_start[reading.modality as usize * readers.len() + reading.reader as usize + 1] += 1;
        }
        for cell in 1..cell_start.len() {
            cell_start[cell] += cell_start[cell - 1];
        }
        Ok(Self {
            reader_of: order.iter().map(|&row| readings[row].reader).collect(),
            case_of: order.iter().map(|&row| readings[row].case).collect(),
            modality_of: order.iter().map(|&row| readings[row].modality).collect(),
            rating_of: order.iter().map(|&row| readings[row].rating).collect(),
            readers,
            modalities,
            cases,
            clusters,
            cell_start,
        })
    }

    /// The same readings with the modalities in another order. `None` unless `order` names each modality once.
    #[must_use]
    pub fn with_modality_order(&self, order: &[&str]) -> Option<Self> {
        let new_at: BTreeMap<&str, u32> = (0..).zip(order).map(|(at, &label)| (label, at)).collect();
        if new_at.len() != self.modalities.len() || order.len() != self.modalities.len() {
            return None;
        }
        let moved: Option<Vec<u32>> = self.modalities.iter().map(|label| new_at.get(label.as_str()).copied()).collect();
        let moved = moved?;
        let readings: Vec<IndexedReading> =
            self.readings().map(|row| IndexedReading { modality: moved[row.modality as usize], ..row }).collect();
        let labels = order.iter().map(|&label| label.to_owned()).collect();
        Self::build(self.readers.clone(), labels, self.cases.clone(), self.clusters.clone(), &readings, Vec::new()).ok()
    }

    /// The readings for which `keep` holds, with the readers, modalities and cases that are left. `None` if none is.
    #[must_use]
    pub fn filter(&self, keep: impl Fn(&IndexedReading) -> bool) -> Option<Self> {
        let kept: Vec<IndexedReading> = self.readings().filter(keep).collect();
        let mut reader_at = vec![None; self.readers.len()];
        let mut modality_at = vec![None; self.modalities.len()];
        let mut case_at = vec![None; self.cases.len()];
        for row in &kept {
            reader_at[row.reader as usize] = Some(0);
            modality_at[row.modality as usize] = Some(0);
            case_at[row.case as usize] = Some(0);
        }
        for table in [&mut reader_at, &mut modality_at, &mut case_at] {
            for (at, slot) in (0_u32..).zip(table.iter_mut().filter(|slot| slot.is_some())) {
                *slot = Some(at);
            }
        }
        let readings: Option<Vec<IndexedReading>> = kept
            .iter()
            .map(|row| {
                Some(IndexedReading {
                    reader: reader_at[row.reader as usize]?,
                    modality: modality_at[row.modality as usize]?,
                    case: case_at[row.case as usize]?,
                    rating: row.rating,
                })
            })
            .collect();
        let cases = self.cases.iter().zip(&case_at).filter(|(_, at)| at.is_some()).map(|(case, _)| case.clone());
        Self::build(
            kept_labels(&self.readers, &reader_at),
            kept_labels(&self.modalities, &modality_at),
            cases.collect(),
            self.clusters.clone(),
            &readings?,
            Vec::new(),
        )
        .ok()
    }

    #[must_use]
    pub fn readers(&self) -> &[String] {
        &self.readers
    }

    #[must_use]
    pub fn modalities(&self) -> &[String] {
        &self.modalities
    }

    #[must_use]
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// Labels of the patients that [`Case::cluster`] points to; empty where each case is a patient of its own.
    #[must_use]
    pub fn clusters(&self) -> &[String] {
        &self.clusters
    }

    /// Number of readings.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rating_of.len()
    }

    /// Never true: a table without readings is refused.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rating_of.is_empty()
    }

    /// Number of diseased and of non-diseased cases.
    #[must_use]
    pub fn class_counts(&self) -> (usize, usize) {
        let diseased = self.cases.iter().filter(|case| case.diseased).count();
        (diseased, self.cases.len() - diseased)
    }

    /// All readings ordered by modality, then reader, then case.
    pub fn readings(&self) -> impl Iterator<Item = IndexedReading> + '_ {
        (0..self.len()).map(|row| IndexedReading {
            reader: self.reader_of[row],
            case: self.case_of[row],
            modality: self.modality_of[row],
            rating: self.rating_of[row],
        })
    }

    /// The readings of one reader in one modality; empty where that reader read nothing there.
    #[must_use]
    pub fn cell(&self, modality: usize, reader: usize) -> Cell<'_> {
        let at = modality * self.readers.len() + reader;
        let range = self.cell_start[at]..self.cell_start[at + 1];
        Cell { cases: &self.case_of[range.clone()], ratings: &self.rating_of[range] }
    }

    /// The rating of one reader, case and modality, or `None` where it was not read. O(log cases).
    #[must_use]
    pub fn rating(&self, modality: usize, reader: usize, case: u32) -> Option<f64> {
        let cell = self.cell(modality, reader);
        cell.cases.binary_search(&case).ok().map(|at| cell.ratings[at])
    }

    /// Which design the readings form.
    #[must_use]
    pub fn design(&self) -> Design {
        design::detect(self)
    }

    /// How many diseased and non-diseased cases each reader read in each modality, ordered by modality, then reader.
    #[must_use]
    pub fn grid(&self) -> Vec<GridCell> {
        design::grid(self)
    }
}

fn kept_labels(labels: &[String], at: &[Option<u32>]) -> Vec<String> {
    labels.iter().zip(at).filter(|(_, at)| at.is_some()).map(|(label, _)| label.clone()).collect()
}

fn repeated_labels<'a>(table: &'static str, labels: impl Iterator<Item = &'a String>, faults: &mut Vec<DataFault>) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for label in labels {
        *seen.entry(label).or_insert(0) += 1;
    }
    for (label, _) in seen.into_iter().filter(|(_, times)| *times > 1) {
        faults.push(DataFault::RepeatedLabel { table, label: label.to_owned() });
    }
}

/// Distinct labels, by number where all are numbers (so that 2 comes before 10), else by character code.
fn ordered_labels<'a>(labels: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut distinct: Vec<&str> = labels.collect();
    distinct.sort_unstable();
    distinct.dedup();
    let number = |label: &str| label.parse::<f64>().ok().filter(|value| value.is_finite());
    if distinct.iter().all(|label| number(label).is_some()) {
        distinct.sort_by(|a, b| number(a).partial_cmp(&number(b)).unwrap_or(std::cmp::Ordering::Equal));
    }
    distinct.into_iter().map(str::to_owned).collect()
}

fn positions(labels: &[String]) -> BTreeMap<&str, u32> {
    (0_u32..).zip(labels).map(|(at, label)| (label.as_str(), at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>(reader: &'a str, case: &'a str, modality: &'a str, diseased: bool, rating: f64) -> Reading<'a> {
        Reading { reader, case, modality, diseased, rating, cluster: None }
    }

    #[test]
    fn refuses_every_fault_at_once() {
        let rows = [
            row("R1", "C1", "A", true, 10.0),
            row("R1", "C1", "A", true, 10.0),
            row("R1", "C2", "A", false, 20.0),
            row("R1", "C2", "A", false, 70.0),
            row("R1", "C3", "A", true, f64::NAN),
            row("R2", "C3", "A", false, 1.0),
        ];
        let error = MrmcData::from_readings(&rows).expect_err("faulty rows");
        let text = error.to_string();
        assert_eq!(error.faults.len(), 4, "{text}");
        assert!(text.contains("case C1, modality A has 2 identical readings (rows [0, 1]"), "{text}");
        assert!(text.contains("case C2, modality A has 2 conflicting readings (rows [2, 3]"), "{text}");
        assert!(text.contains("case C3 is diseased in rows [4] and not diseased in rows [5]"), "{text}");
        assert!(text.contains("row 4: the rating of reader R1"), "{text}");
        assert!(MrmcData::from_readings(&[]).is_err());
    }

    #[test]
    fn order_of_rows_does_not_matter_and_numbers_sort_as_numbers() {
        let mut rows = vec![
            row("10", "b", "2", true, 3.0),
            row("2", "a", "2", false, 1.0),
            row("2", "b", "10", true, 2.0),
            row("10", "a", "10", false, 4.0),
        ];
        let forward = MrmcData::from_readings(&rows).expect("valid");
        rows.reverse();
        assert_eq!(forward, MrmcData::from_readings(&rows).expect("valid"));
        assert_eq!(forward.readers(), ["2", "10"]);
        assert_eq!(forward.rating(0, 1, 1), Some(3.0));
        assert_eq!(forward.rating(0, 1, 0), None);
        let turned = forward.with_modality_order(&["10", "2"]).expect("same labels");
        assert_eq!(turned.rating(1, 1, 1), Some(3.0));
        assert!(forward.with_modality_order(&["10", "3"]).is_none());
        let one = forward.filter(|reading| reading.reader == 0).expect("readings are left");
        assert_eq!((one.readers().len(), one.len(), one.cases().len()), (1, 2, 2));
    }
}
