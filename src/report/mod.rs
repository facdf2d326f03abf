//! `results.json` as the documents that a reviewer reads.

pub mod format;
