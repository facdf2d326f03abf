//! T-FLIP: which way readers went when the device was right and when it was wrong. Counts only: readings of one case by
//! several readers are not independent.

use super::arms::{compared_pair, paired_ratings};
use super::observed::{Observed, action_threshold, call_rule};
use super::sheet::{Line, Sheet};
use crate::analysis::format::Kind as Printed;
use crate::protocol::Protocol;
use crate::stats::mrmc::MrmcData;
use std::collections::BTreeMap;

const STATES: [&str; 5] = ["tp", "fp", "fn", "tn", "no_output"];
const WAYS: [&str; 4] = ["gain", "loss", "same_right", "same_wrong"];

/// Readings in both arms by the device's state at its first operating point: right without and wrong with the device, …
pub fn analyze(protocol: &Protocol, observed: &Observed, data: &MrmcData, sheet: &mut Sheet) {
    let (Some(device), Some(point), Some((test, control))) =
        (&observed.device, protocol.device.operating_point.first(), compared_pair(protocol, data))
    else {
        return;
    };
    let Some((design, threshold)) = protocol.design.as_ref().and_then(|d| Some((d, action_threshold(d)?))) else {
        return;
    };
    let index_of: BTreeMap<&str, usize> = observed.case.iter().enumerate().map(|(i, id)| (id.as_str(), i)).collect();
    let mut counts = [[0usize; WAYS.len()]; STATES.len()];
    for reader in 0..data.readers().len() {
        for pair in paired_ratings(data, reader, test, control) {
            let Some(&case) = index_of.get(data.cases()[pair.case as usize].label.as_str()) else { continue };
            let state = match (&device[case], pair.diseased) {
                (Err(_), _) => 4,
                (Ok(score), diseased) => match (*score >= point.threshold, diseased) {
                    (true, true) => 0,
                    (true, false) => 1,
                    (false, true) => 2,
                    (false, false) => 3,
                },
            };
            let right = |rating: f64| (rating >= threshold) == pair.diseased;
            let way = match (right(pair.control), right(pair.test)) {
                (false, true) => 0,
                (true, false) => 1,
                (true, true) => 2,
                (false, false) => 3,
            };
            counts[state][way] += 1;
        }
    }
    let method = format!(
        "readings of {} without and with the device; device at {} ≥ {}; {}",
        if data.readers().len() == 1 { "the reader" } else { "all readers together" },
        point.id,
        point.threshold,
        call_rule(design)
    );
    for (state, counts) in STATES.iter().zip(&counts) {
        let all: usize = counts.iter().sum();
        if all == 0 {
            continue;
        }
        for (way, &n) in WAYS.iter().zip(counts) {
            let mut line = Line::new("T-FLIP", format!("{state}.{way}"), "diff", Printed::Count, &method);
            line.set = "FAS";
            line.unit = "reading";
            sheet.part(&line, n, all);
        }
    }
}
