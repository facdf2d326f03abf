//! Bootstrap intervals of the device: cases, or patients where they have several, drawn within truth strata.

use super::endpoint::{method_does_not_fit, replicates};
use super::sheet::Estimate;
use super::standalone::CaseSet;
use crate::protocol::{Endpoint, Method, Protocol};
use crate::stats::mrmc::MrmcData;
use crate::stats::mrmc::obuchowski_rockette::RandomFactors;
use crate::stats::mrmc::resample::{Weights, resample};
use crate::stats::{Estimable, NotEstimable, bootstrap, clustered, roc};

/// A bootstrap of patients (or cases) within truth strata. `left_out` gives the statistic without each of them, in time
/// that does not grow with the square of the cases.
pub(super) fn bootstrapped<F>(
    protocol: &Protocol,
    cases: &CaseSet,
    endpoint: &Endpoint,
    level: f64,
    statistic: F,
    left_out: impl Fn(&MrmcData) -> Vec<f64>,
) -> (Estimable<Estimate>, String)
where
    F: Fn(&MrmcData, &Weights) -> Estimable<f64> + Sync,
{
    let method = bootstrap_of(cases, endpoint);
    if endpoint.method == Method::BootstrapStudentised {
        return (Err(method_does_not_fit(endpoint)), "studentised bootstrap".to_owned());
    }
    let found = cases.as_study().and_then(|study| {
        let replicates = replicates(endpoint)?;
        let drawn = resample(&study, RandomFactors::Cases, replicates, protocol.study.seed, |weights| {
            statistic(&study, weights)
        });
        let drawn = bootstrap::Replicates { estimate: drawn.estimate?, values: drawn.values, unusable: drawn.unusable };
        Ok(resampled(endpoint, level, &drawn, || left_out(&study)))
    });
    (found, method)
}

pub(super) fn bootstrap_of(cases: &CaseSet, endpoint: &Endpoint) -> String {
    let name = match endpoint.method {
        Method::BootstrapPercentile => "percentile bootstrap",
        Method::BootstrapBasic => "basic bootstrap",
        _ => "BCa bootstrap",
    };
    format!("{name} of {}", cases.drawn())
}

/// The declared interval of what was drawn.
pub(super) fn resampled(
    endpoint: &Endpoint,
    level: f64,
    drawn: &bootstrap::Replicates,
    left_out: impl FnOnce() -> Vec<f64>,
) -> Estimate {
    let interval = match endpoint.method {
        Method::BootstrapPercentile => bootstrap::percentile(&drawn.values, level),
        Method::BootstrapBasic => bootstrap::basic(&drawn.values, drawn.estimate, level),
        _ => bootstrap::bca(&drawn.values, drawn.estimate, &left_out(), level),
    };
    let (interval, no_interval) = match interval {
        Ok(interval) => (Some(interval), None),
        Err(reason) => (None, Some(reason)),
    };
    Estimate {
        se: bootstrap::standard_error(&drawn.values).ok(),
        interval,
        no_interval,
        resamples: Some((drawn.unusable as u64, (drawn.values.len() + drawn.unusable) as u64)),
        ..Estimate::plain(drawn.estimate)
    }
}

/// DeLong's standard error in each resample, or Obuchowski's where patients have several cases; a patient that is drawn
/// twice is two patients there.
pub fn studentised_auc(
    protocol: &Protocol,
    cases: &CaseSet,
    endpoint: &Endpoint,
    level: f64,
) -> (Estimable<Estimate>, String) {
    let method = format!("empirical AUC, studentised bootstrap of {}", cases.drawn());
    let found = cases.as_study().and_then(|study| {
        let (replicates, seed) = (replicates(endpoint)?, protocol.study.seed);
        let once = Weights { reader: vec![1], case: vec![1; study.cases().len()] };
        let (estimate, standard_error) = area_and_error(&study, &once, level)?;
        // Both runs draw the same resamples and fail in the same ones, so that the values stand in pairs.
        let areas =
            resample(&study, RandomFactors::Cases, replicates, seed, |w| Ok(area_and_error(&study, w, level)?.0));
        let errors =
            resample(&study, RandomFactors::Cases, replicates, seed, |w| Ok(area_and_error(&study, w, level)?.1));
        let pairs: Vec<(f64, f64)> = areas.values.iter().copied().zip(errors.values).collect();
        let (interval, no_interval) = match bootstrap::studentised(&pairs, estimate, standard_error, level) {
            Ok(interval) => (Some(interval), None),
            Err(reason) => (None, Some(reason)),
        };
        Ok(Estimate {
            se: Some(standard_error),
            interval,
            no_interval,
            resamples: Some((areas.unusable as u64, replicates as u64)),
            ..Estimate::plain(estimate)
        })
    });
    (found, method)
}

fn area_and_error(study: &MrmcData, weights: &Weights, level: f64) -> Estimable<(f64, f64)> {
    let cell = study.cell(0, 0);
    let (mut positive, mut negative) = (Vec::new(), Vec::new());
    let (mut positive_patient, mut negative_patient) = (Vec::new(), Vec::new());
    let patients = study.clusters().len() as u32;
    for (&case, &score) in cell.cases.iter().zip(cell.ratings) {
        let described = &study.cases()[case as usize];
        let (scores, of) = if described.diseased {
            (&mut positive, &mut positive_patient)
        } else {
            (&mut negative, &mut negative_patient)
        };
        for copy in 0..weights.case[case as usize] {
            scores.push(score);
            of.push(copy * patients.max(1) + described.cluster.unwrap_or(0));
        }
    }
    if patients > 0 {
        let found = clustered::clustered_auc(&positive, &positive_patient, &negative, &negative_patient, level)?;
        if found.standard_error <= 0.0 {
            // Such a resample has no t of its own; it counts as unusable.
            return Err(NotEstimable::new("zero_variance", "the area of the resample has no variance"));
        }
        Ok((found.auc, found.standard_error))
    } else {
        let found = roc::delong(&positive, &negative, level)?;
        Ok((found.auc, found.standard_error))
    }
}
