//! Is what stands in the folder what its inputs give? Results, figures and reports are made again and compared byte for byte.

use super::{FIGURES, REPORTS, RESULTS, Study, drawings, render, report_file, stamp};
use crate::analysis::results::Results;
use crate::data::Cases;
use crate::error::Error;
use crate::files::read;
use crate::inference::EngineChoice;
use crate::inference::predict::Work;
use crate::protocol::{Language, ReportKind};
use crate::provenance::ledger;
use crate::provenance::ledger::Entry;
use crate::provenance::lock::{self, Lock};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// One thing that was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// A file of the folder, or the chain or run that was checked.
    pub what: String,
    /// Empty: the same.
    pub differences: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verification {
    pub checks: Vec<Check>,
    pub rerun: Option<Rerun>,
}

/// The model run again: engines and processors may give other last digits, so scores are held to a tolerance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rerun {
    pub cases: usize,
    pub tolerance: f64,
    pub largest_change: f64,
    /// Cases whose call changes at an operating point, as `case at point`.
    pub flipped: Vec<String>,
}

impl Verification {
    pub fn all_same(&self) -> bool {
        self.checks.iter().all(|check| check.differences.is_empty())
    }
}

impl Study {
    /// Checks lock and ledger, makes results, figures and reports again and compares them with those that are there;
    /// with `rerun` (engine, tolerance of a score) also runs the model again. Nothing is written.
    ///
    /// # Errors
    /// No lock or no results to compare with. What differs is no error but a [`Check`] with differences.
    pub fn verify(&self, rerun: Option<(&EngineChoice, f64)>) -> Result<Verification, Error> {
        if lock::read(&self.folder)?.is_none() {
            return Err(Error::Refused(format!("{} is not locked; there is nothing to verify", self.folder.display())));
        }
        let mut found = Verification { checks: Vec::new(), rerun: None };
        // After a broken lock or ledger there is nothing left to compare with.
        let Some((lock, cases)) = found.step(lock::FILE, self.locked())? else { return Ok(found) };
        let Some(looks) = found.step(ledger::FILE, ledger::read(&self.folder))? else { return Ok(found) };
        let predictions = self.predictions_record(&lock);
        if self.protocol.model.is_some() && self.protocol.test_set.predictions.is_none() {
            let Some(_) = found.step(crate::inference::runner::RECORD, predictions)? else { return Ok(found) };
        }
        let path = self.folder.join(RESULTS);
        if !path.exists() {
            return Err(Error::Refused(format!("{} is not there; run `cadproof analyze` first", path.display())));
        }
        let rebuilt = self.rebuild(&lock, &looks, &path, &mut found)?;
        if let Some(rebuilt) = rebuilt {
            self.compare_figures(&rebuilt, &mut found)?;
            self.compare_reports(&rebuilt, &mut found)?;
        }
        if let Some((engine, tolerance)) = rerun {
            self.compare_scores(&cases, engine, tolerance, &mut found)?;
        }
        Ok(found)
    }

    /// Results from the inputs, with the looks that the file's own stamp carries, if these begin the ledger.
    fn rebuild(
        &self,
        lock: &Lock,
        looks: &[Entry],
        path: &Path,
        found: &mut Verification,
    ) -> Result<Option<Results>, Error> {
        let bytes = read(path)?;
        let there: Value = match serde_json::from_slice(&bytes) {
            Ok(value) => value,
            Err(error) => {
                found.put(RESULTS, vec![format!("not JSON: {error}")]);
                return Ok(None);
            }
        };
        let known = there["stamp"]["ledger"].as_array().map_or(0, Vec::len);
        let made = self.predictions_record(lock)?;
        let stamp = stamp::stamp(self, lock, made.as_ref(), &looks[..known.min(looks.len())])?;
        let rebuilt = self.estimate(stamp, &self.observations()?, made.as_ref())?;
        let again = render(&rebuilt)?;
        let mut differences = Vec::new();
        if again != bytes {
            let new = serde_json::to_value(&rebuilt).map_err(|error| Error::Internal(error.to_string()))?;
            compare("", &there, &new, &mut differences);
            if differences.is_empty() {
                differences.push("the same content, written otherwise".to_owned());
            }
        }
        found.put(RESULTS, differences);
        Ok(Some(rebuilt))
    }

    fn compare_figures(&self, rebuilt: &Results, found: &mut Verification) -> Result<(), Error> {
        if !self.folder.join(FIGURES).is_dir() {
            return Ok(());
        }
        for (name, content) in drawings(rebuilt)? {
            let file = format!("{FIGURES}/{name}");
            let path = self.folder.join(&file);
            let differences = if path.exists() { lines(&read(&path)?, content.as_bytes()) } else { gone() };
            found.put(&file, differences);
        }
        Ok(())
    }

    fn compare_reports(&self, rebuilt: &Results, found: &mut Verification) -> Result<(), Error> {
        for kind in [ReportKind::Standalone, ReportKind::Mfds, ReportKind::Fda] {
            for language in [Language::Ko, Language::En] {
                let file = format!("{REPORTS}/{}", report_file(&self.protocol.study.id, kind, language));
                let path = self.folder.join(&file);
                if path.exists() {
                    let again = self.reports(rebuilt, &[kind], &[language])?;
                    let again = again.first().map_or("", |report| report.html.as_str());
                    found.put(&file, lines(&read(&path)?, again.as_bytes()));
                }
            }
        }
        Ok(())
    }

    fn compare_scores(
        &self,
        cases: &Cases,
        engine: &EngineChoice,
        tolerance: f64,
        found: &mut Verification,
    ) -> Result<(), Error> {
        let data = self.observations()?;
        let Some(predictions) = data.predictions else {
            return Err(Error::Refused("there are no predictions to hold a second run against".to_owned()));
        };
        let (model, inputs) = (self.model()?, self.inputs(cases)?);
        let loaded = self.load_model(engine)?;
        let work = Work { loaded: &loaded, model, study: &self.folder, cases: &inputs };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let again = work.predict_all(model.batch, threads)?;
        let mut rerun = Rerun { cases: again.len(), tolerance, largest_change: 0.0, flipped: Vec::new() };
        let mut differences = Vec::new();
        for ((case, old), new) in cases.id.iter().zip(&predictions.score).zip(&again) {
            match (old, new) {
                (Ok(old), Ok(new)) => {
                    let change = (old - new.score).abs();
                    rerun.largest_change = rerun.largest_change.max(change);
                    if change > tolerance {
                        differences.push(format!("{case}: score {old} in the file, {} again", new.score));
                    }
                    for point in &self.protocol.device.operating_point {
                        if (*old >= point.threshold) != (new.score >= point.threshold) {
                            rerun.flipped.push(format!("{case} at {}", point.id));
                        }
                    }
                }
                (Err(_), Err(_)) => {}
                (Ok(old), Err(reason)) => {
                    differences.push(format!("{case}: score {old} in the file, no output again ({reason})"));
                }
                (Err(reason), Ok(new)) => {
                    differences.push(format!("{case}: no output in the file ({reason}), score {} again", new.score));
                }
            }
        }
        differences.extend(rerun.flipped.iter().map(|flip| format!("{flip}: the call flips")));
        found.put(&format!("model run again, tolerance {tolerance:?}"), differences);
        found.rerun = Some(rerun);
        Ok(())
    }
}

impl Verification {
    fn put(&mut self, what: &str, differences: Vec<String>) {
        self.checks.push(Check { what: what.to_owned(), differences });
    }

    /// Enters a step that either holds or says why not; faults of the machine stay errors.
    fn step<T>(&mut self, what: &str, outcome: Result<T, Error>) -> Result<Option<T>, Error> {
        match outcome {
            Ok(value) => {
                self.put(what, Vec::new());
                Ok(Some(value))
            }
            Err(Error::Refused(why)) => {
                self.put(what, vec![why]);
                Ok(None)
            }
            Err(Error::Input(faults)) => {
                self.put(what, faults.0.iter().map(ToString::to_string).collect());
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }
}

fn gone() -> Vec<String> {
    vec!["is not there".to_owned()]
}

/// Where two texts part, in words.
fn lines(there: &[u8], again: &[u8]) -> Vec<String> {
    if there == again {
        return Vec::new();
    }
    let (there, again) = (String::from_utf8_lossy(there), String::from_utf8_lossy(again));
    let (mut there_lines, mut again_lines) = (there.lines(), again.lines());
    let mut number = 1;
    loop {
        match (there_lines.next(), again_lines.next()) {
            (Some(a), Some(b)) if a == b => number += 1,
            (None, None) => return vec!["the same lines, with other line ends".to_owned()],
            (a, b) => {
                let at = a.unwrap_or_default().chars().zip(b.unwrap_or_default().chars()).take_while(|(a, b)| a == b);
                let (column, around) = (at.count(), 40);
                let part = |line: Option<&str>| match line {
                    Some(line) => {
                        let text: String = line.chars().skip(column.saturating_sub(around / 2)).take(around).collect();
                        format!("“{text}”")
                    }
                    None => "the end".to_owned(),
                };
                return vec![format!(
                    "line {number}, column {}: {} in the file, {} rebuilt",
                    column + 1,
                    part(a),
                    part(b)
                )];
            }
        }
    }
}

/// Every place at which two JSON documents differ. Records are named by their key, not by their number.
fn compare(path: &str, there: &Value, again: &Value, into: &mut Vec<String>) {
    let name = |value: &Value, at: usize| match value["ard_id"].as_str() {
        Some(key) => format!("{path}[{key}]"),
        None => format!("{path}[{at}]"),
    };
    match (there, again) {
        (Value::Object(a), Value::Object(b)) => {
            let step = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
            for (key, value) in a {
                match b.get(key) {
                    Some(other) => compare(&step(key), value, other, into),
                    None => into.push(format!("{}: not in the rebuilt results", step(key))),
                }
            }
            into.extend(b.keys().filter(|key| !a.contains_key(*key)).map(|key| format!("{}: only rebuilt", step(key))));
        }
        (Value::Array(a), Value::Array(b)) if keyed(a) && keyed(b) => {
            let (old, mut new) = (by_key(a), by_key(b));
            for (key, value) in old {
                match new.remove(key) {
                    Some(other) => compare(&name(value, 0), value, other, into),
                    None => into.push(format!("{}: not in the rebuilt results", name(value, 0))),
                }
            }
            into.extend(new.values().map(|value| format!("{}: only rebuilt", name(value, 0))));
        }
        (Value::Array(a), Value::Array(b)) => {
            if a.len() != b.len() {
                into.push(format!("{path}: {} entries in the file, {} rebuilt", a.len(), b.len()));
            }
            for (at, (value, other)) in a.iter().zip(b).enumerate() {
                compare(&name(value, at), value, other, into);
            }
        }
        (a, b) if a == b => {}
        (a, b) => into.push(format!("{path}: {a} in the file, {b} rebuilt")),
    }
}

fn by_key(values: &[Value]) -> BTreeMap<&str, &Value> {
    values.iter().map(|value| (value["ard_id"].as_str().unwrap_or_default(), value)).collect()
}

fn keyed(values: &[Value]) -> bool {
    values.first().is_some_and(|value| value["ard_id"].is_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_place_that_differs_is_named_by_its_record() {
        let record = |key: &str, value: f64| json!({ "ard_id": key, "value": value });
        let there = json!({ "schema": 1, "records": [record("a", 1.0), record("b", 2.0)], "old": 1 });
        let again = json!({ "schema": 1, "records": [record("b", 2.5), record("c", 3.0)], "notes": [1] });
        let mut found = Vec::new();
        compare("", &there, &again, &mut found);
        assert_eq!(
            found,
            [
                "records[a]: not in the rebuilt results",
                "records[b].value: 2.0 in the file, 2.5 rebuilt",
                "records[c]: only rebuilt",
                "old: not in the rebuilt results",
                "notes: only rebuilt"
            ]
        );
    }

    #[test]
    fn the_first_line_that_differs_is_shown() {
        assert!(lines(b"a\nb", b"a\nb").is_empty());
        assert_eq!(
            lines(b"a\nAUC 0.91", b"a\nAUC 0.92"),
            ["line 2, column 8: “AUC 0.91” in the file, “AUC 0.92” rebuilt"]
        );
        assert_eq!(lines(b"a", b"a\nb"), ["line 2, column 1: the end in the file, “b” rebuilt"]);
    }
}
