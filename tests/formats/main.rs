//! Readings in the formats of other programs, read and written.

#[path = "../reference/support.rs"]
mod support;

mod faults;
mod froc;
mod import;
mod properties;
mod reference_faults;
mod refusals;
mod roundtrip;
