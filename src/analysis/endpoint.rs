//! What an endpoint declares, in the statistics' own terms, and what it came to, kept for the verdicts.

use super::observed::action_threshold;
use super::sheet::Estimate;
use crate::protocol::{Axis, Endpoint, Measure, Protocol};
use crate::stats::mrmc::fom::{FigureOfMerit, RocAxis, StepRule};
use crate::stats::mrmc::obuchowski_rockette::RandomFactors;
use crate::stats::{Estimable, NotEstimable};
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

/// The endpoint's label in English and Korean; its id where the protocol gives none.
pub fn names(endpoint: &Endpoint) -> (&str, &str) {
    let id = (endpoint.id.as_str(), endpoint.id.as_str());
    endpoint.label.as_ref().map_or(id, |label| (&label.en, label.ko.as_deref().unwrap_or(&label.en)))
}

/// A method or measure as the protocol spells it.
pub fn declared<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The figure of merit of a measure of the readers; calls are made at the design's action threshold.
pub fn reader_figure(protocol: &Protocol, endpoint: &Endpoint) -> Estimable<FigureOfMerit> {
    let threshold = || {
        protocol.design.as_ref().and_then(action_threshold).ok_or_else(|| {
            NotEstimable::new("no-action-threshold", "the protocol's design declares no action threshold")
        })
    };
    match endpoint.measure {
        Measure::Sensitivity => Ok(FigureOfMerit::Sensitivity { threshold: threshold()? }),
        Measure::Specificity => Ok(FigureOfMerit::Specificity { threshold: threshold()? }),
        _ => score_figure(endpoint),
    }
}

/// The figure of merit of a measure of scores, which needs no threshold.
pub fn score_figure(endpoint: &Endpoint) -> Estimable<FigureOfMerit> {
    let range = || endpoint.range.ok_or_else(|| NotEstimable::new("no-range", "the endpoint declares no range"));
    Ok(match endpoint.measure {
        Measure::Auc => FigureOfMerit::EmpiricalAuc,
        Measure::PartialAuc => {
            let range = range()?;
            let axis = match range.axis {
                Axis::Sensitivity => RocAxis::Sensitivity,
                Axis::Specificity => RocAxis::Specificity,
            };
            FigureOfMerit::partial_auc(axis, range.from, range.to)
        }
        Measure::SensitivityAtSpecificity => {
            FigureOfMerit::SensitivityAtSpecificity { specificity: range()?.from, steps: StepRule::AlongCurve }
        }
        Measure::SpecificityAtSensitivity => {
            FigureOfMerit::SpecificityAtSensitivity { sensitivity: range()?.from, steps: StepRule::AlongCurve }
        }
        Measure::ExpectedUtility => FigureOfMerit::ExpectedUtility { slope: slope(endpoint)? },
        Measure::BinormalAuc => FigureOfMerit::BinormalAuc,
        Measure::ProperBinormalAuc => FigureOfMerit::ProperBinormalAuc,
        other => {
            return Err(NotEstimable::new("no-figure-of-merit", format!("{} is no figure of merit", declared(&other))));
        }
    })
}

fn slope(endpoint: &Endpoint) -> Estimable<f64> {
    endpoint
        .slope
        .ok_or_else(|| NotEstimable::new("no-slope", "the endpoint declares no slope of the iso-utility line"))
}

/// The number of replicates that the protocol declares.
pub fn replicates(endpoint: &Endpoint) -> Estimable<usize> {
    endpoint
        .replicates
        .ok_or_else(|| NotEstimable::new("no-replicates", "the endpoint declares no number of replicates"))
}

pub fn level_of(protocol: &Protocol, endpoint: &Endpoint) -> f64 {
    endpoint.confidence_level.unwrap_or(protocol.study.confidence_level)
}

pub fn random_factors(endpoint: &Endpoint) -> RandomFactors {
    match endpoint.random.unwrap_or_default() {
        crate::protocol::RandomFactors::ReadersAndCases => RandomFactors::ReadersAndCases,
        crate::protocol::RandomFactors::Cases => RandomFactors::Cases,
        crate::protocol::RandomFactors::Readers => RandomFactors::Readers,
    }
}

/// The reason given where a protocol asks a method for a measure that it does not fit. The protocol's own check refuses
/// such a pair, so this is what a library caller sees.
pub fn method_does_not_fit(endpoint: &Endpoint) -> NotEstimable {
    NotEstimable::new(
        "method-does-not-fit",
        format!("{} has no interval by the method {}", declared(&endpoint.measure), declared(&endpoint.method)),
    )
}

/// Replicates of the exploratory rows beside the declared endpoints; a declared bootstrap names its own.
pub const EXPLORATORY_REPLICATES: usize = 2000;
