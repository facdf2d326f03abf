//! Pure per-case measures. Like `stats`, this room knows nothing of files, protocols or reports.

pub mod average_precision;
pub mod calibration;
pub mod classify;
pub mod detection;
pub mod distance;
pub mod empty;
pub mod froc_curves;
pub mod grading;
pub mod instance;
pub mod location;
pub mod location_study;
pub mod matching;
pub mod measurement;
pub mod multilabel;
pub mod overlap;
pub mod speech;
pub mod surface;
mod surface_border;
