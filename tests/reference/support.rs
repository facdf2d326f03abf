//! Finds the reference folder, reads its JSON and CSV files, and counts what was compared.

#![allow(dead_code)]

use serde_json::Value;
use std::path::PathBuf;

/// The file `relative` of the reference folder, or `None` (said on standard error) where the folder is missing.
/// A missing file in a folder that exists is a failure: it would otherwise pass as a silent skip.
pub fn path(relative: &str) -> Option<PathBuf> {
    let root = std::env::var_os("CADPROOF_REFERENCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/reference"), PathBuf::from);
    if !root.is_dir() {
        eprintln!("SKIPPED {relative}: no reference folder at {} (set CADPROOF_REFERENCE)", root.display());
        return None;
    }
    let file = root.join(relative);
    assert!(file.exists(), "the reference folder {} lacks {relative}", root.display());
    Some(file)
}

/// The JSON file `relative`, or `None` where the reference folder is missing.
pub fn json(relative: &str) -> Option<Value> {
    let file = path(relative)?;
    let text = std::fs::read_to_string(&file).expect("reference file is readable");
    // some programs write the bare words NaN and Infinity, which JSON does not have
    let text = text.replace(": NaN", ": null").replace(": -Infinity", ": null").replace(": Infinity", ": null");
    Some(serde_json::from_str(&text).expect("reference file is JSON"))
}

/// One row of a reference `readings.csv`.
#[derive(Debug, Clone)]
pub struct ReadingRow {
    pub reader: String,
    pub case: String,
    pub modality: String,
    /// true = diseased
    pub truth: bool,
    pub score: f64,
}

/// The readings of `mrmc/<set>/readings.csv` (or any CSV with the same five columns).
pub fn readings(relative: &str) -> Option<Vec<ReadingRow>> {
    let file = path(relative)?;
    let mut reader = csv::Reader::from_path(&file).expect("reference readings open");
    let rows = reader
        .deserialize::<(String, String, String, u8, f64)>()
        .map(|row| {
            let (reader, case, modality, truth, score) = row.expect("reference reading parses");
            ReadingRow { reader, case, modality, truth: truth == 1, score }
        })
        .collect();
    Some(rows)
}

/// Counts comparisons, so that a test can show how many values it held against the reference.
pub struct Tally {
    name: String,
    compared: usize,
    worst: f64,
    faults: Vec<String>,
}

impl Tally {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), compared: 0, worst: 0.0, faults: Vec::new() }
    }

    /// |got − want| ≤ tolerance × max(|want|, floor). `floor` keeps the test meaningful where `want` is near zero.
    pub fn close(&mut self, what: &str, got: f64, want: f64, tolerance: f64, floor: f64) {
        self.compared += 1;
        let error = (got - want).abs() / want.abs().max(floor);
        if error.is_nan() || error > tolerance {
            self.faults
                .push(format!("{what}: got {got:?}, reference {want:?}, relative error {error:e} > {tolerance:e}"));
        } else {
            self.worst = self.worst.max(error);
        }
    }

    pub fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, got: T, want: T) {
        self.compared += 1;
        if got != want {
            self.faults.push(format!("{what}: got {got:?}, reference {want:?}"));
        }
    }

    /// Fails with every fault at once; else prints how many values were compared. A tally of nothing fails.
    pub fn finish(self) {
        assert!(self.compared > 0, "{}: nothing was compared", self.name);
        assert!(
            self.faults.is_empty(),
            "{}: {} of {} values differ:\n{}",
            self.name,
            self.faults.len(),
            self.compared,
            self.faults.join("\n")
        );
        eprintln!("{}: {} values compared, worst relative error {:.1e}", self.name, self.compared, self.worst);
    }
}
