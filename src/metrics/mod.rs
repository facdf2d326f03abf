//! Pure per-case measures. Like `stats`, this room knows nothing of files, protocols or reports.

pub mod calibration;
pub mod classify;
pub mod detection;
pub mod distance;
pub mod empty;
pub mod instance;
pub mod location;
pub mod location_study;
pub mod multilabel;
pub mod overlap;
pub mod surface;
mod surface_border;
