//! T-SUB: the device by level of each declared subgroup. A level under the protocol's minimum gets its n and no inference.

use super::observed::Observed;
use super::sheet::{Line, Sheet};
use super::standalone::{self, CaseSet};
use crate::protocol::{Measure, NoOutputRule, Protocol};
use crate::stats::NotEstimable;

pub fn analyze(protocol: &Protocol, observed: &Observed, sheet: &mut Sheet) {
    let Some(device) = &observed.device else { return };
    let minimum = protocol.test_set.subgroup_minimum;
    for subgroup in &observed.subgroups {
        for (level, name) in (0u32..).zip(&subgroup.levels) {
            let cases = CaseSet::of_device(observed, device, &observed.cases_in(subgroup, level));
            let (positive, negative) = (cases.positive.len(), cases.negative.len());
            let thin = (positive < minimum || negative < minimum).then(|| {
                NotEstimable::new(
                    "subgroup-too-small",
                    format!("n+ = {positive}, n− = {negative}; the protocol's minimum is {minimum} of each"),
                )
            });
            for (cell, measure) in
                [("auc", Measure::Auc), ("sensitivity", Measure::Sensitivity), ("specificity", Measure::Specificity)]
            {
                let endpoint = standalone::default_endpoint(protocol, &cases, measure);
                let found = match (&thin, measure, protocol.device.operating_point.first()) {
                    (Some(reason), _, _) => (Err(reason.clone()), "not estimated".to_owned()),
                    (None, Measure::Auc, _) => standalone::measure_scores(protocol, &cases, &endpoint),
                    (None, _, Some(point)) => {
                        let worst = protocol.test_set.no_output == NoOutputRule::WorstCase;
                        standalone::measure_calls(protocol, &cases, &endpoint, point.threshold, worst)
                    }
                    (None, _, None) => continue,
                };
                let mut line = Line::new(
                    "T-SUB",
                    format!("{}={name}.{cell}", subgroup.name),
                    "standalone",
                    standalone::quantity(measure),
                    &found.1,
                );
                line.group = Some((subgroup.name.clone(), name.clone()));
                line.n = Some((positive + negative) as u64);
                line.excluded = cases.missing() as u64;
                sheet.estimate(&line, &found.0);
            }
        }
    }
}
