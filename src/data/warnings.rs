//! What a user should know before believing a result, and what is no fault.

use super::cases::{Cases, fold};
use super::{Readings, StudyData};
use crate::protocol::{Crossing, Protocol};
use std::collections::BTreeMap;

/// So many cases are named in one warning.
const NAMED: usize = 5;

/// One line each, in a fixed order. Nothing here stops an analysis.
pub fn warnings(protocol: &Protocol, data: &StudyData) -> Vec<String> {
    let mut lines = data.notes.clone();
    of_cases(&data.cases, &mut lines);
    if let Some(readings) = &data.readings {
        of_readings(protocol, &data.cases, readings, &mut lines);
    }
    if let Some(predictions) = &data.predictions {
        let scores: Vec<f64> = predictions.score.iter().filter_map(|score| score.as_ref().ok().copied()).collect();
        let without = predictions.score.len() - scores.len();
        if without > 0 {
            lines.push(format!("the device gave no output for {without} of {} cases", predictions.score.len()));
        }
        if let Some(value) = constant(&scores) {
            lines.push(format!("the device's {} scores are all {value}", scores.len()));
        }
    }
    if let (Some(marks), Some(design)) = (&data.marks, &protocol.design) {
        for set in marks.sets.iter().filter(|set| set.count() == 0) {
            if let (Some(reader), Some(modality)) = (set.reader, set.modality) {
                lines.push(format!(
                    "reader {} has no mark in {}: taken as read without a mark",
                    protocol.readers[reader as usize].id, design.modalities[modality as usize].id
                ));
            }
        }
    }
    lines
}

fn of_cases(cases: &Cases, lines: &mut Vec<String>) {
    let (positive, negative) = (cases.positives(), cases.negatives());
    if positive == 0 || negative == 0 {
        lines.push(format!(
            "all {} cases are {}: whatever compares the two classes is not estimable",
            cases.len(),
            if positive == 0 { "negative" } else { "positive" }
        ));
    }
    if cases.patient_assumed {
        lines.push("no patient column is declared: each case is taken for a patient of its own".to_owned());
    }
    let mut alike: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for id in &cases.id {
        alike.entry(fold(id)).or_default().push(id);
    }
    let alike: Vec<String> = alike.into_values().filter(|ids| ids.len() > 1).map(|ids| ids.join(" / ")).collect();
    if !alike.is_empty() {
        lines.push(format!("ids that differ in case, hyphens, spaces or leading zeros only: {}", first(&alike)));
    }
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (image, id) in cases.image.iter().flatten().zip(&cases.id) {
        users.entry(image).or_default().push(id);
    }
    let shared: Vec<String> = users
        .into_iter()
        .filter(|(_, ids)| ids.len() > 1)
        .map(|(image, ids)| format!("{image} ({})", first(&ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>())))
        .collect();
    if !shared.is_empty() {
        lines.push(format!("images that several cases share: {}", first(&shared)));
    }
}

fn of_readings(protocol: &Protocol, cases: &Cases, readings: &Readings, lines: &mut Vec<String>) {
    let (readers, modalities) = (readings.readers.len(), readings.modalities.len());
    let mut cells: Vec<Vec<usize>> = vec![Vec::new(); readers * modalities];
    let mut read = vec![false; cases.len()];
    for row in 0..readings.len() {
        cells[readings.reader[row] as usize * modalities + readings.modality[row] as usize].push(row);
        read[readings.case[row] as usize] = true;
    }
    let unread: Vec<String> =
        cases.id.iter().zip(&read).filter(|(_, read)| !**read).map(|(id, _)| id.clone()).collect();
    if !unread.is_empty() {
        lines.push(format!("{} of {} cases were read by nobody: {}", unread.len(), cases.len(), first(&unread)));
    }
    let crossed = protocol.design.as_ref().is_some_and(|design| design.crossing == Crossing::FullyCrossed);
    for (reader, of_reader) in readings.readers.iter().zip(cells.chunks(modalities.max(1))) {
        if of_reader.iter().all(Vec::is_empty) {
            lines.push(format!("reader {reader} has no reading and is left out"));
            continue;
        }
        for (modality, rows) in readings.modalities.iter().zip(of_reader) {
            if crossed && rows.len() < cases.len() {
                lines.push(format!(
                    "reader {reader} read {} of {} planned cases in {modality}; the declared design is fully crossed",
                    rows.len(),
                    cases.len()
                ));
            }
            if rows.is_empty() {
                continue;
            }
            let positive = rows.iter().filter(|&&row| cases.truth[readings.case[row] as usize]).count();
            if positive == 0 || positive == rows.len() {
                let class = if positive == 0 { "negative" } else { "positive" };
                lines.push(format!("reader {reader} read {class} cases only in {modality}: {} of them", rows.len()));
            }
            if let Some(value) = constant(&rows.iter().map(|&row| readings.rating[row]).collect::<Vec<_>>()) {
                lines.push(format!("reader {reader} gave rating {value} to all {} cases in {modality}", rows.len()));
            }
        }
    }
    for (at, modality) in readings.modalities.iter().enumerate() {
        if cells.iter().skip(at).step_by(modalities).all(Vec::is_empty) {
            lines.push(format!("nobody read in {modality}"));
        }
    }
}

/// The value that all of several numbers have.
fn constant(values: &[f64]) -> Option<f64> {
    (values.len() > 1 && values.iter().all(|value| *value == values[0])).then(|| values[0])
}

fn first(items: &[String]) -> String {
    let shown = items[..items.len().min(NAMED)].join(", ");
    if items.len() > NAMED { format!("{shown} and {} more", items.len() - NAMED) } else { shown }
}
