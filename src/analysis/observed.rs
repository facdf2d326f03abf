//! What was seen, as plain columns: the one shape that the analyses of this room take.

use crate::data::{Marks, StudyData};
use crate::error::Error;
use crate::metrics::matching::{RatedMark, Target};
use crate::protocol::{Crossing, Design, Protocol, Suspicious};
use crate::stats::mrmc::MrmcData;
use std::collections::BTreeSet;

/// All columns over cases have the length of `case` and its order.
#[derive(Debug, Clone)]
pub struct Observed {
    pub case: Vec<String>,
    /// Index of the patient that each case belongs to, in order of first appearance.
    pub patient: Vec<u32>,
    pub patients: usize,
    /// Set where the protocol names no patient column: each case then counts as a patient.
    pub patient_assumed: bool,
    /// `true` = diseased.
    pub truth: Vec<bool>,
    pub subgroups: Vec<Subgroup>,
    /// The device's score of each case, or why there is none. `None`: the study has no device arm.
    pub device: Option<Vec<Result<f64, String>>>,
    /// Readers' ratings, higher = more suspicious whatever the scale was.
    pub readings: Option<MrmcData>,
    /// Location task: lesions and marks.
    pub location: Option<Location>,
}

#[derive(Debug, Clone)]
pub struct Subgroup {
    pub name: String,
    /// In order of first appearance in cases.csv.
    pub levels: Vec<String>,
    pub level_of: Vec<u32>,
}

/// True lesions, the device's marks and the readers' marks, all by case.
#[derive(Debug, Clone)]
pub struct Location {
    pub lesions: Vec<Vec<Target>>,
    /// The device's marks. `None`: there are none.
    pub marks: Option<Vec<Vec<RatedMark>>>,
    pub readers: Vec<ReaderMarks>,
}

/// The marks of one reader in one modality, higher = more suspicious whatever the scale was.
#[derive(Debug, Clone)]
pub struct ReaderMarks {
    pub reader: String,
    pub modality: String,
    /// One entry a case; `None` = not read, which a case without marks is not.
    pub by_case: Vec<Option<Vec<RatedMark>>>,
}

impl Observed {
    pub fn n_positive(&self) -> usize {
        self.truth.iter().filter(|&&t| t).count()
    }

    pub fn n_negative(&self) -> usize {
        self.truth.len() - self.n_positive()
    }

    /// Indices of the cases in `level` of `subgroup`.
    pub fn cases_in(&self, subgroup: &Subgroup, level: u32) -> Vec<usize> {
        (0..self.case.len()).filter(|&i| subgroup.level_of[i] == level).collect()
    }

    /// True where some patient has several cases, so that cases are not independent.
    pub fn is_clustered(&self) -> bool {
        self.patients < self.case.len()
    }
}

/// The checked tables of a study as the columns that the analyses take.
///
/// # Errors
/// Readings that cannot form a study of readers, cases and modalities.
pub fn observe(protocol: &Protocol, data: &StudyData) -> Result<Observed, Error> {
    let cases = &data.cases;
    let readings = match (&data.readings, &protocol.design) {
        (Some(readings), Some(design)) => Some(readings.to_mrmc(cases, design.rating_scale.suspicious)?),
        _ => None,
    };
    let device_marks = data.predicted_marks.as_ref().and_then(Marks::of_device);
    let readers = reader_marks(protocol, data);
    let located = device_marks.is_some() || !readers.is_empty();
    let location = data.lesions.as_ref().filter(|_| located).map(|lesions| Location {
        lesions: lesions.to_metrics(),
        marks: device_marks.map(|marks| marks.to_metrics(Suspicious::Higher)),
        readers,
    });
    Ok(Observed {
        case: cases.id.clone(),
        patient: cases.patient.clone(),
        patients: cases.patient_names.len(),
        patient_assumed: cases.patient_assumed,
        truth: cases.truth.clone(),
        subgroups: cases
            .subgroups
            .iter()
            .map(|s| Subgroup { name: s.name.clone(), levels: s.levels.clone(), level_of: s.level_of.clone() })
            .collect(),
        device: data.predictions.as_ref().map(|predictions| predictions.score.clone()),
        readings,
        location,
    })
}

/// The readers' marks with what was read. Where the study has readings, they say who read which case; where it has marks
/// alone, a reader with any mark in a modality of a fully crossed design read every case there. Else nobody can tell a
/// case that was read and left unmarked from one that was not read, so none counts as read.
fn reader_marks(protocol: &Protocol, data: &StudyData) -> Vec<ReaderMarks> {
    let (Some(marks), Some(design)) = (&data.marks, &protocol.design) else { return Vec::new() };
    let read: Option<BTreeSet<(u32, u32, u32)>> = data.readings.as_ref().map(|readings| {
        (0..readings.len()).map(|row| (readings.reader[row], readings.modality[row], readings.case[row])).collect()
    });
    let crossed = design.crossing == Crossing::FullyCrossed;
    let mut all = Vec::new();
    for set in &marks.sets {
        let (Some(reader), Some(modality)) = (set.reader, set.modality) else { continue };
        let begun = crossed && set.count() > 0;
        let by_case = (0..).zip(set.to_metrics(design.rating_scale.suspicious)).map(|(case, marks)| {
            let was_read =
                read.as_ref().map_or(begun, |read| read.contains(&(reader, modality, case)) || !marks.is_empty());
            was_read.then_some(marks)
        });
        all.push(ReaderMarks {
            reader: protocol.readers[reader as usize].id.clone(),
            modality: design.modalities[modality as usize].id.clone(),
            by_case: by_case.collect(),
        });
    }
    all
}

/// The action threshold on the scale of [`Observed::readings`], where higher is more suspicious: a reader calls a case
/// positive at or above it.
pub fn action_threshold(design: &Design) -> Option<f64> {
    design.action_threshold.map(|threshold| match design.rating_scale.suspicious {
        Suspicious::Higher => threshold,
        Suspicious::Lower => -threshold,
    })
}

/// The rule in words, on the protocol's own scale.
pub fn call_rule(design: &Design) -> String {
    match (design.action_threshold, design.rating_scale.suspicious) {
        (Some(threshold), Suspicious::Higher) => format!("calls at rating ≥ {threshold}"),
        (Some(threshold), Suspicious::Lower) => format!("calls at rating ≤ {threshold}"),
        (None, _) => "no action threshold".to_owned(),
    }
}
