//! `cases.csv`: which cases there are, their truth, the patient each belongs to, subgroups, images, model inputs.

use crate::error::Error;
use crate::fault::{Fault, Faults};
use std::collections::HashMap;

/// The checked cases. All columns have the length of `id` and its order, which is the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Cases {
    pub id: Vec<String>,
    /// Index into `patient_names`.
    pub patient: Vec<u32>,
    /// In order of first appearance.
    pub patient_names: Vec<String>,
    /// The protocol names no patient column: each case then counts as a patient, and the report says so.
    pub patient_assumed: bool,
    /// `true` = diseased.
    pub truth: Vec<bool>,
    /// Paths relative to the study folder, with `/`.
    pub image: Option<Vec<String>>,
    /// In the protocol's order.
    pub subgroups: Vec<Subgroup>,
    /// The columns that `model.input.columns` names, in that order.
    pub columns: Vec<NumericColumn>,
    /// Where each case stands in its file, from 1.
    pub line: Vec<usize>,
    /// Indices of the cases, ordered by id.
    by_id: Vec<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subgroup {
    pub name: String,
    /// In order of first appearance in the file.
    pub levels: Vec<String>,
    /// Index into `levels`, one a case.
    pub level_of: Vec<u32>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct NumericColumn {
    pub name: String,
    /// A blank cell is NaN: that case has no output, and the run says why.
    pub values: Vec<f64>,
}

impl Cases {
    /// Cases that come from elsewhere than a file. `patient` has one name a case; `None` makes each case a patient.
    ///
    /// # Errors
    /// Columns of different lengths; an id that is there twice.
    pub fn new(id: Vec<String>, patient: Option<&[String]>, truth: Vec<bool>) -> Result<Self, Error> {
        if truth.len() != id.len() || patient.is_some_and(|names| names.len() != id.len()) {
            return Err(Error::Internal(format!("{} cases with columns of another length", id.len())));
        }
        let (patient_of, patient_names) = match patient {
            Some(names) => intern(names.iter().map(String::as_str)),
            None => ((0..).take(id.len()).collect(), id.clone()),
        };
        let by_id = order_by_id(&id);
        let mut faults = Faults::default();
        for pair in by_id.windows(2).filter(|pair| id[pair[0] as usize] == id[pair[1] as usize]) {
            let found = format!("case {:?} is there twice", id[pair[0] as usize]);
            faults.push(Fault::new("cases", found, "one row a case", "keep one of the two rows"));
        }
        let () = faults.into_result(())?;
        Ok(Self {
            line: (2..).take(id.len()).collect(),
            patient: patient_of,
            patient_names,
            patient_assumed: patient.is_none(),
            truth,
            image: None,
            subgroups: Vec::new(),
            columns: Vec::new(),
            id,
            by_id,
        })
    }

    pub fn len(&self) -> usize {
        self.id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.id.is_empty()
    }

    /// Index of the case with exactly this id. O(log n).
    pub fn index_of(&self, id: &str) -> Option<u32> {
        let at = self.by_id.binary_search_by(|&case| self.id[case as usize].as_str().cmp(id)).ok()?;
        Some(self.by_id[at])
    }

    pub fn positives(&self) -> usize {
        self.truth.iter().filter(|&&diseased| diseased).count()
    }

    pub fn negatives(&self) -> usize {
        self.len() - self.positives()
    }

    /// True where some patient has several cases, so that cases are not independent.
    pub fn is_clustered(&self) -> bool {
        self.patient_names.len() < self.len()
    }
}

fn order_by_id(id: &[String]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..).take(id.len()).collect();
    order.sort_by(|&a, &b| id[a as usize].cmp(&id[b as usize]));
    order
}

/// Index of each name among the distinct ones, and these in order of first appearance.
fn intern<'a>(names: impl Iterator<Item = &'a str>) -> (Vec<u32>, Vec<String>) {
    let mut at: HashMap<&str, u32> = HashMap::new();
    let mut distinct: Vec<String> = Vec::new();
    let indices = names
        .map(|name| {
            *at.entry(name).or_insert_with(|| {
                distinct.push(name.to_owned());
                (distinct.len() - 1) as u32
            })
        })
        .collect();
    (indices, distinct)
}
