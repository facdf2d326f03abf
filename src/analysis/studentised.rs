//! The device's AUC with a studentised bootstrap interval: each resample has a standard error of its own.

use super::endpoint::replicates;
use super::sheet::Estimate;
use super::standalone::CaseSet;
use crate::protocol::{Endpoint, Protocol};
use crate::stats::mrmc::MrmcData;
use crate::stats::mrmc::obuchowski_rockette::RandomFactors;
use crate::stats::mrmc::resample::{Weights, resample};
use crate::stats::{Estimable, NotEstimable, bootstrap, clustered, roc};

/// DeLong's standard error in each resample, or Obuchowski's where patients have several cases; a patient that is drawn
/// twice is two patients there.
pub fn auc(protocol: &Protocol, cases: &CaseSet, endpoint: &Endpoint, level: f64) -> (Estimable<Estimate>, String) {
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
