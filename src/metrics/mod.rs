//! Pure per-case measures. Like `stats`, this room knows nothing of files, protocols or reports.

pub mod detection;
pub mod location;
pub mod location_study;
