//! Location endpoints of the readers: a figure of merit over their marks in one arm, or its difference between two arms.

use super::arms::arm_missing;
use super::endpoint::{EndpointResults, level_of, method_does_not_fit, random_factors, replicates};
use super::fom::{Compared, answer, from_or};
use super::location::{HIT_RULE, check_extents, figure_of, rule_of};
use super::observed::{Location, Observed};
use super::reader_bootstrap::{Kind, drawn_units, interval};
use super::sheet::Sheet;
use super::standalone::is_location_measure;
use crate::metrics::location_study::{LocationCase, LocationReading, LocationStudy};
use crate::metrics::matching::match_by;
use crate::protocol::{Covariance, Endpoint, Method, Protocol, Subject};
use crate::stats::mrmc::figures::{FigureOptions, obuchowski_rockette_of};
use crate::stats::mrmc::obuchowski_rockette::PartlyCrossed;
use crate::stats::{Estimable, NotEstimable};

/// T-LOC: every location endpoint of the readers.
pub fn analyze(protocol: &Protocol, observed: &Observed, sheet: &mut Sheet, endpoints: &mut EndpointResults) {
    let ours = |e: &&Endpoint| e.subject == Subject::Readers && is_location_measure(e.measure);
    for endpoint in protocol.endpoints.iter().filter(ours) {
        let found = compare(protocol, observed, endpoint);
        answer("T-LOC", endpoint, found, observed.case.len(), sheet, endpoints);
    }
}

fn compare(protocol: &Protocol, observed: &Observed, endpoint: &Endpoint) -> Estimable<Compared> {
    let location = observed
        .location
        .as_ref()
        .filter(|location| !location.readers.is_empty())
        .ok_or_else(|| NotEstimable::new("no-marks", "the study has no marks or no lesions"))?;
    check_extents(observed, endpoint)?;
    let study = study(observed, location, endpoint)?;
    let figure = figure_of(endpoint)?;
    let (random, level) = (random_factors(endpoint), level_of(protocol, endpoint));
    match (endpoint.method, endpoint.covariance) {
        (Method::ObuchowskiRockette, Some(Covariance::Jackknife)) => {
            let options = FigureOptions { random, level, partly_crossed: PartlyCrossed::Refuse };
            let found = obuchowski_rockette_of(&study.figures(&figure)?, &options)?;
            let mut found = from_or(&found, endpoint);
            found.method = format!("{}; {HIT_RULE}", found.method);
            Ok(found)
        }
        (Method::BootstrapPercentile | Method::BootstrapBasic, _) => {
            let kind = Kind::of(endpoint.method)?;
            let draw = |pair| {
                let drawn = study.bootstrap(&figure, pair, random, replicates(endpoint)?, protocol.study.seed)?;
                interval(&drawn, kind, level)
            };
            let data = study.highest_ratings();
            let arms = data.modalities().iter().enumerate();
            Ok(Compared {
                arms: arms.map(|(at, arm)| (arm.clone(), draw((at, None)))).collect(),
                difference: endpoint.compare.as_ref().map(|_| draw((0, Some(1)))),
                method: format!("{}, {} of {}; {HIT_RULE}", figure.name(), kind.name(), drawn_units(data, random)),
                notes: Vec::new(),
            })
        }
        _ => Err(method_does_not_fit(endpoint)),
    }
}

/// The marks of the arms that the endpoint names, the test arm first, held against the lesions by its acceptance rule.
fn study(observed: &Observed, location: &Location, endpoint: &Endpoint) -> Estimable<LocationStudy> {
    let arms: Vec<String> = match (&endpoint.compare, &endpoint.modality) {
        (Some(pair), _) => pair.to_vec(),
        (None, modality) => modality.iter().cloned().collect(),
    };
    let rule =
        rule_of(endpoint).ok_or_else(|| NotEstimable::new("no-marks", "the study has no marks or no lesions"))?;
    let cases: Vec<LocationCase> = (0..observed.case.len())
        .map(|case| LocationCase {
            label: observed.case[case].clone(),
            lesion_weights: location.lesions[case].iter().map(|lesion| lesion.weight).collect(),
            cluster: observed.is_clustered().then_some(observed.patient[case]),
        })
        .collect();
    let mut readers: Vec<String> = Vec::new();
    let mut readings = Vec::new();
    for (modality, arm) in (0..).zip(&arms) {
        for set in location.readers.iter().filter(|set| set.modality == *arm && set.by_case.iter().any(Option::is_some))
        {
            let reader = readers.iter().position(|known| *known == set.reader).unwrap_or_else(|| {
                readers.push(set.reader.clone());
                readers.len() - 1
            }) as u32;
            for (case, marks) in set.by_case.iter().enumerate() {
                let Some(marks) = marks else { continue };
                let matched = match_by(&location.lesions[case], marks, &rule);
                let (hits, false_marks) = (matched.hits, matched.false_marks);
                readings.push(LocationReading { reader, modality, case: case as u32, hits, false_marks });
            }
        }
        if readings.last().is_none_or(|last| last.modality != modality) {
            return Err(arm_missing(endpoint));
        }
    }
    LocationStudy::new(readers, arms, &cases, readings)
        .map_err(|fault| NotEstimable::new("bad_parameter", fault.to_string()))
}
