//! Endpoint + observations → estimates: picks the statistic that the protocol declares, records method, n, exclusions.
//!
//! The only room that knows both the protocol and the statistics.

pub mod results;
