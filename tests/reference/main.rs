//! The statistics against values that independent programs computed.
//!
//! The values stand outside the project, in the folder that `CADPROOF_REFERENCE` names (default `../shared/reference`).
//! Where the folder is missing each test says so on standard error and ends: `cargo test -- --nocapture` shows it.

mod agreement;
mod average_roc;
mod clustered_auc;
mod clustered_models;
mod detection;
mod endpoints;
mod faults_data;
mod faults_statistics;
mod hypothesis;
mod limits;
mod location;
mod metrics_binary;
mod metrics_boxes;
mod metrics_calibration;
mod metrics_challenge;
mod metrics_classify;
mod metrics_instance;
mod metrics_measurement;
mod metrics_segmentation;
mod metrics_speech;
mod mrmc_or;
mod mrmc_rjafroc;
mod paired;
mod proportion;
mod roc_definitions;
mod support;
mod unpaired;
mod ustat;
