//! What was seen, as checked tables: cases, readings, predictions, lesions and marks of a study folder.
//!
//! A file is read whole, every fault of every file is collected with its line and column, and only tables without
//! faults come out: one row a case, one reading at most for each reader, case and modality, every number finite, every
//! name known to the protocol. Nothing is filled in, averaged or guessed. `docs/data.md` describes the files.

pub mod cases;
pub mod formats;
pub mod frame;
pub mod lesions;
pub mod marks;
pub mod predictions;
pub mod readings;
mod seal;
pub mod table;
mod warnings;

pub use cases::{Cases, NumericColumn, Subgroup};
pub use lesions::{LesionRow, Lesions};
pub use marks::{MarkRow, MarkSet, Marks};
pub use predictions::Predictions;
pub use readings::Readings;
pub use seal::sealed;
pub use warnings::warnings;

use crate::error::Error;
use crate::fault::Faults;
use crate::inference::runner::{PREDICTED_MARKS, PREDICTIONS};
use crate::protocol::{ModelOutput, Protocol, StudyKind};
use cases::{CaseIndex, Found};
use std::path::Path;
use table::{Findings, Table};

/// All observations of a study. What the protocol does not name, or what is not there yet, is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyData {
    pub cases: Cases,
    pub readings: Option<Readings>,
    pub predictions: Option<Predictions>,
    pub lesions: Option<Lesions>,
    /// The readers' marks.
    pub marks: Option<Marks>,
    /// The device's marks: `predicted_marks.csv`, or `test_set.marks` of a standalone study.
    pub predicted_marks: Option<Marks>,
    /// What a user should know and no fault is: another encoding than UTF-8, a blank row that was passed over.
    pub notes: Vec<String>,
}

/// Everything that the protocol names and that is there. Readings and readers' marks may still be to come, and the
/// device's output may not have been made yet; whatever else the protocol names is a fault when it is missing.
///
/// # Errors
/// All faults of all files together, each with its place and its mend.
pub fn load(folder: &Path, protocol: &Protocol) -> Result<StudyData, Error> {
    let mut all = Collected::default();
    let found = all.cases(folder, protocol);
    let index = CaseIndex::new(&found);
    let set = &protocol.test_set;
    let standalone = protocol.study.kind == StudyKind::Standalone;
    let mut note_missing = Vec::new();
    let mut to_come = |name: &str, whose: &str| {
        let there = folder.join(name).exists();
        if !there {
            note_missing.push(format!("{name} is not there: {whose} endpoints have nothing to rest on"));
        }
        there
    };

    let readings = readings_file(protocol).filter(|name| to_come(name, "the readers'"));
    let readings = readings.and_then(|name| {
        all.file(folder, name, |table, findings| readings::read(table, protocol, &index, &found, findings))
    });
    let predictions =
        predictions_file(protocol).filter(|name| set.predictions.is_some() || to_come(name, "the device's"));
    let predictions = predictions
        .and_then(|name| all.file(folder, name, |table, findings| predictions::read(table, &index, &found, findings)));
    let lesions = set.lesions.as_deref().and_then(|name| {
        all.file(folder, name, |table, findings| lesions::read(table, protocol, &index, &found, findings))
    });
    let marks = set.marks.as_deref().filter(|name| !standalone && to_come(name, "the readers' location"));
    let marks = marks.and_then(|name| {
        all.file(folder, name, |table, findings| marks::read_readers(table, protocol, &index, &found, findings))
    });
    let predicted = device_marks_file(protocol);
    let predicted =
        predicted.filter(|name| set.marks.as_deref() == Some(*name) || to_come(name, "the device's location"));
    let predicted_marks = predicted
        .and_then(|name| all.file(folder, name, |table, findings| marks::read_device(table, &index, &found, findings)));

    drop(index);
    all.notes.extend(note_missing);
    all.faults.into_result(()).map_err(Error::Input)?;
    let notes = all.notes;
    Ok(StudyData { cases: found.cases, readings, predictions, lesions, marks, predicted_marks, notes })
}

/// The cases alone: what `cadproof run` and `cadproof lock` need.
///
/// # Errors
/// All faults of the file.
pub fn load_cases(folder: &Path, protocol: &Protocol) -> Result<Cases, Error> {
    let mut all = Collected::default();
    let found = all.cases(folder, protocol);
    Ok(all.faults.into_result(found.cases)?)
}

/// The readings' file of a reader study: what the protocol names, or what `cadproof simulate` writes.
pub fn readings_file(protocol: &Protocol) -> Option<&str> {
    let design = protocol.design.as_ref()?;
    protocol.test_set.readings.as_deref().or_else(|| design.simulation.as_ref().map(|_| READINGS))
}

/// What `cadproof simulate` and `cadproof import` write where the protocol names nothing else.
pub const READINGS: &str = "readings.csv";

/// The device's scores: made elsewhere under the protocol's name, or written by `cadproof run`.
pub fn predictions_file(protocol: &Protocol) -> Option<&str> {
    protocol.test_set.predictions.as_deref().or_else(|| protocol.model.as_ref().map(|_| PREDICTIONS))
}

/// The device's marks: made elsewhere, or written by `cadproof run`.
pub fn device_marks_file(protocol: &Protocol) -> Option<&str> {
    let locates = |output: &ModelOutput| !matches!(output, ModelOutput::Score { .. });
    if protocol.model.as_ref().is_some_and(|model| locates(&model.output)) {
        return Some(PREDICTED_MARKS);
    }
    protocol.test_set.marks.as_deref().filter(|_| protocol.study.kind == StudyKind::Standalone)
}

/// Faults and notes of all files.
#[derive(Default)]
struct Collected {
    faults: Faults,
    notes: Vec<String>,
}

impl Collected {
    fn cases(&mut self, folder: &Path, protocol: &Protocol) -> Found {
        let read = |table: &Table, findings: &mut Findings| Some(cases::read(table, protocol, findings));
        let mut found = self.file(folder, &protocol.test_set.cases, read).unwrap_or_else(Found::nothing);
        self.notes.append(&mut found.notes);
        found
    }

    /// Reads a file into a table and that into what it stands for; what is wrong with either is kept.
    fn file<T>(
        &mut self,
        folder: &Path,
        name: &str,
        read: impl FnOnce(&Table, &mut Findings) -> Option<T>,
    ) -> Option<T> {
        let table = match Table::read(folder, name) {
            Ok(table) => table,
            Err(faults) => {
                self.faults.extend(faults);
                return None;
            }
        };
        let mut findings = Findings::new(name);
        let content = read(&table, &mut findings);
        self.notes.extend(table.notes);
        self.faults.extend(findings.into_faults());
        content
    }
}

#[cfg(test)]
mod tests;
