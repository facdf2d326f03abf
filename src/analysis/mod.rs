//! Endpoint + observations → estimates: picks the statistic that the protocol declares, records method, n, exclusions.
//!
//! The only room that knows both the protocol and the statistics. [`analyze`] is the way in.

mod agreement;
mod arms;
mod conclusions;
mod counts;
mod device;
mod device_bootstrap;
mod endpoint;
mod flips;
mod fom;
pub mod format;
mod location;
pub mod observed;
mod odds;
mod panel;
mod reader_bootstrap;
mod reader_location;
mod readers;
pub mod repeatability;
pub mod results;
mod series;
mod sheet;
pub mod simulated_readings;
mod standalone;
mod subgroups;

use crate::protocol::Protocol;
use observed::Observed;
use results::{Results, Stamp};

/// Version of the layout of `results.json`.
const SCHEMA: u32 = 1;

/// Every endpoint that the protocol declares, the descriptive tables around them, the figures' series and the verdicts.
///
/// The answer depends on its arguments alone: not on threads, clock or locale.
pub fn analyze(protocol: &Protocol, observed: &Observed, stamp: Stamp) -> Results {
    let mut sheet = sheet::Sheet::new(&stamp.lock_root);
    let mut endpoints = endpoint::EndpointResults::default();
    counts::analyze(protocol, observed, &mut sheet);
    device::analyze(protocol, observed, &mut sheet, &mut endpoints);
    location::analyze(protocol, observed, &mut sheet, &mut endpoints);
    subgroups::analyze(protocol, observed, &mut sheet);
    readers::analyze(protocol, observed, &mut sheet, &mut endpoints);
    reader_location::analyze(protocol, observed, &mut sheet, &mut endpoints);
    let conclusions = conclusions::conclude(protocol, &endpoints, &mut sheet);
    let (records, notes) = sheet.finish();
    let figures = series::figures(protocol, observed, &records);
    Results { schema: SCHEMA, stamp, notes, records, conclusions, figures }
}
