//! What was seen, as plain columns: the one shape that the analyses of this room take.

use crate::data::{Marks, StudyData};
use crate::error::Error;
use crate::metrics::detection::{Lesion, Mark};
use crate::protocol::{Design, Protocol, Suspicious};
use crate::stats::mrmc::MrmcData;

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

/// True lesions and the device's marks, both by case.
#[derive(Debug, Clone)]
pub struct Location {
    pub lesions: Vec<Vec<Lesion>>,
    pub marks: Vec<Vec<Mark>>,
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
    let location = data.lesions.as_ref().zip(device_marks).map(|(lesions, marks)| Location {
        lesions: lesions.to_metrics(),
        marks: marks.to_metrics(Suspicious::Higher),
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
