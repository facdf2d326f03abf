//! Location endpoints of the device: lesion sensitivity at a rate of false marks, wAFROC; bootstrap by patient.

use super::endpoint::EndpointResults;
use super::observed::Observed;
use super::sheet::{Estimate, Line, Sheet};
use super::standalone;
use crate::metrics::detection::{Matched, froc};
use crate::metrics::location::{LocationCell, LocationFigure};
use crate::metrics::matching::{
    Acceptance as Accept, Assignment, Best, Dimensions, Edge, ExtraHits, Matching, Shape, Unit, match_by,
};
use crate::protocol::{Acceptance, Endpoint, Measure, Method, Protocol, Subject};
use crate::stats::{Estimable, NotEstimable, bootstrap};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rayon::prelude::*;

/// Which of several marks on a lesion counts, as it is printed.
pub(super) const HIT_RULE: &str = "highest-scored mark is the hit, further marks on a found lesion ignored";

/// T-LOC: every location endpoint of the device.
pub fn analyze(protocol: &Protocol, observed: &Observed, sheet: &mut Sheet, endpoints: &mut EndpointResults) {
    for endpoint in &protocol.endpoints {
        if endpoint.subject != Subject::Device || !standalone::is_location_measure(endpoint.measure) {
            continue;
        }
        let method = format!(
            "{}; {} of patients, stratified by whether a patient has a lesion; {}",
            match endpoint.measure {
                Measure::FrocSensitivity => format!(
                    "lesion sensitivity at ≤ {} false marks per image, all images in the denominator",
                    endpoint.fp_per_image.unwrap_or(f64::NAN)
                ),
                _ => "wAFROC area (Chakraborty & Zhai 2016)".to_owned(),
            },
            match endpoint.method {
                Method::BootstrapBca => "BCa bootstrap",
                Method::BootstrapBasic => "basic bootstrap",
                _ => "percentile bootstrap",
            },
            HIT_RULE
        );
        let found = match matched(observed, endpoint) {
            Some(cases) => {
                check_extents(observed, endpoint).and_then(|()| of_endpoint(protocol, observed, endpoint, &cases))
            }
            None => Err(NotEstimable::new("no-marks", "the study has no marks or no lesions")),
        };
        let quantity = standalone::quantity(endpoint.measure);
        let mut line = Line::new("T-LOC", format!("{}.standalone", endpoint.id), "standalone", quantity, &method);
        line.unit = "lesion";
        line.endpoint = Some(endpoint.id.clone());
        line.analysis = endpoint.id.clone();
        line.n = Some(observed.case.len() as u64);
        line.seed = Some(protocol.study.seed);
        sheet.estimate(&line, &found);
        endpoints.put(endpoint, found);
    }
    if let Some(cases) = match_all(protocol, observed) {
        let ignored: usize = cases.iter().map(|c| c.ignored).sum();
        sheet.note(
            "T-LOC",
            "info",
            format!("{ignored} marks on lesions that were already found are neither hits nor false marks."),
            format!("이미 발견된 병변에 대한 표시 {ignored}개는 정답도 위양성도 아닌 것으로 처리하였다."),
        );
    }
}

/// A rule that looks at the lesion itself finds nothing in a point.
pub(super) fn check_extents(observed: &Observed, endpoint: &Endpoint) -> Estimable<()> {
    let looks = matches!(endpoint.acceptance, Some(Acceptance::Inside | Acceptance::Iou { .. }));
    let mut lesions = observed.location.iter().flat_map(|location| location.lesions.iter().flatten());
    if looks && lesions.any(|lesion| lesion.region.shape == Shape::Point) {
        return Err(NotEstimable::new(
            "no-extent",
            "this acceptance rule needs each lesion's radius or box, and some lesion has none",
        ));
    }
    Ok(())
}

/// The cases matched by the acceptance rule of the study's first location endpoint, for the FROC curve.
pub fn match_all(protocol: &Protocol, observed: &Observed) -> Option<Vec<Matched>> {
    let endpoint = protocol
        .endpoints
        .iter()
        .find(|e| e.subject == Subject::Device && standalone::is_location_measure(e.measure))?;
    matched(observed, endpoint)
}

fn matched(observed: &Observed, endpoint: &Endpoint) -> Option<Vec<Matched>> {
    let location = observed.location.as_ref()?;
    let rule = rule_of(endpoint)?;
    let cases = location.lesions.iter().zip(location.marks.as_ref()?);
    Some(cases.map(|(lesions, marks)| match_by(lesions, marks, &rule)).collect())
}

/// The endpoint's acceptance rule as the matching takes it: pixels of the image's plane, limits included, and the choices
/// that [`HIT_RULE`] prints.
pub(super) fn rule_of(endpoint: &Endpoint) -> Option<Matching> {
    let acceptance = match endpoint.acceptance? {
        Acceptance::Distance { radius } => Accept::Distance { maximum: radius },
        Acceptance::Inside => Accept::InsideLesion,
        Acceptance::Iou { minimum } => Accept::Iou { minimum },
    };
    Some(Matching {
        acceptance,
        edge: Edge::Included,
        unit: Unit::Pixels,
        dimensions: Dimensions::Two,
        assignment: Assignment::ByRating,
        best: Best::Nearest,
        extra: ExtraHits::Free,
    })
}

pub(super) fn figure_of(endpoint: &Endpoint) -> Estimable<LocationFigure> {
    if endpoint.measure == Measure::WafrocAuc {
        return Ok(LocationFigure::WeightedAfroc);
    }
    let rate = endpoint.fp_per_image;
    rate.map(LocationFigure::llf_at)
        .ok_or_else(|| NotEstimable::new("no-rate", "the endpoint declares no false-mark rate"))
}

/// Lesions found at the endpoint's rate of false marks, and all lesions.
fn lesions_found(endpoint: &Endpoint, cases: &[&Matched]) -> Estimable<Option<(u64, u64)>> {
    let Some(rate) = endpoint.fp_per_image else { return Ok(None) };
    let curve = froc(cases)?;
    Ok(Some((curve.at(rate).map_or(0, |point| point.hits) as u64, curve.lesions as u64)))
}

/// A bootstrap of patients, those with a lesion and those without apart.
fn of_endpoint(
    protocol: &Protocol,
    observed: &Observed,
    endpoint: &Endpoint,
    cases: &[Matched],
) -> Estimable<Estimate> {
    // Cases without output have no marks, which would count as "nothing found": they are left out and counted instead.
    let usable: Vec<usize> =
        (0..cases.len()).filter(|&i| observed.device.as_ref().is_none_or(|device| device[i].is_ok())).collect();
    let all: Vec<&Matched> = usable.iter().map(|&i| &cases[i]).collect();
    let counts = lesions_found(endpoint, &all)?;
    let cell = LocationCell::new(&all.iter().copied().map(Some).collect::<Vec<_>>(), &figure_of(endpoint)?)?;
    let estimate = cell.estimate()?;
    // Places among the usable cases, by patient.
    let mut patients: std::collections::BTreeMap<u32, Vec<usize>> = std::collections::BTreeMap::new();
    for (at, &case) in usable.iter().enumerate() {
        patients.entry(observed.patient[case]).or_default().push(at);
    }
    let (with, without): (Vec<_>, Vec<_>) =
        patients.into_values().partition(|of| of.iter().any(|&at| !all[at].hits.is_empty()));
    let replicates = super::endpoint::replicates(endpoint)?;
    let drawn: Vec<Option<f64>> = (0..replicates as u64)
        .into_par_iter()
        .map(|replicate| {
            let mut rng = ChaCha12Rng::seed_from_u64(protocol.study.seed);
            rng.set_stream(replicate);
            let mut weights = vec![0; usable.len()];
            for stratum in [&with, &without] {
                for _ in 0..stratum.len() {
                    for &at in &stratum[rng.random_range(0..stratum.len())] {
                        weights[at] += 1;
                    }
                }
            }
            cell.weighted(&weights).ok()
        })
        .collect();
    let values: Vec<f64> = drawn.iter().flatten().copied().collect();
    let level = super::endpoint::level_of(protocol, endpoint);
    let interval = match endpoint.method {
        Method::BootstrapPercentile => bootstrap::percentile(&values, level),
        Method::BootstrapBasic => bootstrap::basic(&values, estimate, level),
        Method::BootstrapBca => {
            let mut unit_of = vec![None; usable.len()];
            for (unit, of) in (0..).zip(with.iter().chain(&without)) {
                of.iter().for_each(|&at| unit_of[at] = Some(unit));
            }
            cell.leave_one_out(&unit_of, with.len() + without.len())
                .and_then(|left_out| bootstrap::bca(&values, estimate, &left_out, level))
        }
        _ => Err(super::endpoint::method_does_not_fit(endpoint)),
    };
    let (interval, no_interval) = match interval {
        Ok(interval) => (Some(interval), None),
        Err(reason) => (None, Some(reason)),
    };
    Ok(Estimate {
        se: bootstrap::standard_error(&values).ok(),
        interval,
        no_interval,
        counts,
        resamples: Some(((replicates - values.len()) as u64, replicates as u64)),
        ..Estimate::plain(estimate)
    })
}
