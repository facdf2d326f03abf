//! What was seen, as checked tables: cases, readings, predictions, lesions and marks of a study folder.
//!
//! A file is read whole, every fault of every file is collected with its line and column, and only tables without
//! faults come out: one row a case, one reading at most for each reader, case and modality, every number finite, every
//! name known to the protocol. Nothing is filled in, averaged or guessed. `docs/data.md` describes the files.

pub mod cases;
pub mod formats;
pub mod lesions;
pub mod marks;
pub mod predictions;
pub mod readings;

pub use cases::{Cases, NumericColumn, Subgroup};
pub use lesions::{LesionRow, Lesions};
pub use marks::{MarkRow, MarkSet, Marks};
pub use predictions::Predictions;
pub use readings::Readings;

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
