//! What was seen, as plain columns: the one shape that the analyses of this room take.

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
    pub lesions: Vec<Vec<crate::metrics::detection::Lesion>>,
    pub marks: Vec<Vec<crate::metrics::detection::Mark>>,
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
