//! The statistics against values that independent programs computed.
//!
//! The values stand outside the project, in the folder that `CADPROOF_REFERENCE` names (default `../shared/reference`).
//! Where the folder is missing each test says so on standard error and ends: `cargo test -- --nocapture` shows it.

mod limits;
mod mrmc_or;
mod support;
mod ustat;
mod faults_statistics;
mod paired;
mod proportion;
mod support;
mod unpaired;
