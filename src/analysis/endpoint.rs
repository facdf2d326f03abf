//! What each declared endpoint came to, kept for the verdicts.

use super::sheet::{Estimate, Line};
use super::standalone::CaseSet;
use crate::protocol::Endpoint;
use crate::stats::Estimable;
use std::collections::BTreeMap;

/// By endpoint id. An endpoint is answered once.
#[derive(Debug, Default)]
pub struct EndpointResults(BTreeMap<String, Estimable<Estimate>>);

impl EndpointResults {
    pub fn put(&mut self, endpoint: &Endpoint, estimate: Estimable<Estimate>) {
        self.0.entry(endpoint.id.clone()).or_insert(estimate);
    }

    pub fn get(&self, id: &str) -> Option<&Estimable<Estimate>> {
        self.0.get(id)
    }
}

/// Gives a line of the device's tables its endpoint, n and exclusions.
pub fn describe(line: &mut Line, endpoint: Option<&Endpoint>, cases: &CaseSet) {
    if let Some(endpoint) = endpoint {
        line.endpoint = Some(endpoint.id.clone());
        line.analysis = endpoint.id.clone();
    }
    line.n = Some((cases.positive.len() + cases.negative.len()) as u64);
    line.excluded = cases.missing() as u64;
}

/// The endpoint's label in English and Korean; its id where the protocol gives none.
pub fn names(endpoint: &Endpoint) -> (&str, &str) {
    let id = (endpoint.id.as_str(), endpoint.id.as_str());
    endpoint.label.as_ref().map_or(id, |label| (&label.en, label.ko.as_deref().unwrap_or(&label.en)))
}

/// A method or measure as the protocol spells it.
pub fn declared<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
