//! T-REPR: what other batch sizes and thread counts would have changed in the device's scores.

use super::results::Results;
use super::sheet::{Estimate, Line, Sheet};
use crate::analysis::format::Kind as Printed;

/// Cases run again under one condition and held against the condition of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Repeat {
    pub batch: usize,
    pub threads: usize,
    pub cases: usize,
    /// Cases whose call flips at some operating point.
    pub flips: usize,
    /// Largest |Δscore|.
    pub largest_change: f64,
}

/// Adds the table to the results; `batch` and `threads` are those that the repeats are held against.
pub fn add(results: &mut Results, repeats: &[Repeat], batch: usize, threads: usize) {
    let mut sheet = Sheet::new(&results.stamp.lock_root);
    let method = format!(
        "calls that flip / cases run again (largest change of a score), against batch size {batch}, threads {threads}"
    );
    for repeat in repeats {
        let cell = format!("batch-{}-threads-{}", repeat.batch, repeat.threads);
        let mut line = Line::new("T-REPR", cell, "standalone", Printed::Plain, &method);
        line.group = Some(("condition".to_owned(), format!("batch size {}, threads {}", repeat.batch, repeat.threads)));
        line.n = Some(repeat.cases as u64);
        sheet.estimate(&line, &Ok(Estimate::plain(repeat.largest_change)));
        sheet.part(&line, repeat.flips, repeat.cases);
    }
    let (records, notes) = sheet.finish();
    results.records.extend(records);
    results.notes.extend(notes);
}
