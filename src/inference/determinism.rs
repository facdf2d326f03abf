//! Would another batch size or thread count have given another answer? Runs a sample again and says by how much.
//!
//! Makers of runtimes do not promise equal bits, so equality is neither assumed nor required here: the largest change
//! is reported, and each case whose call at a locked threshold would flip.

use super::LoadedModel;
use super::predict::{CaseInput, Outcome, Work};
use super::runner::cores;
use crate::error::Error;
use crate::protocol::{Model, OperatingPoint};
use serde::{Deserialize, Serialize};
use std::path::Path;

pub const BATCHES: [usize; 4] = [1, 2, 8, 64];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Cases in the sample, evenly spread over the test set.
    pub cases: usize,
    /// The run that the others are held against.
    pub batch: usize,
    pub threads: usize,
    pub settings: Vec<Setting>,
    /// Why some settings were not tried.
    pub not_tried: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    pub batch: usize,
    pub threads: usize,
    /// Largest |Δscore|, 0 where every score is the same to the bit.
    pub largest_change: f64,
    /// Cases whose score, marks or reason differ in any way.
    pub changed: Vec<String>,
    pub flipped: Vec<Flip>,
}

/// A case that would be called otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flip {
    pub case: String,
    pub operating_point: String,
    pub threshold: f64,
    pub score: f64,
    pub other_score: f64,
}

impl Report {
    /// Nothing differs in any setting that was tried.
    pub fn all_equal(&self) -> bool {
        self.settings.iter().all(|setting| setting.changed.is_empty())
    }
}

/// Runs `sample` cases (or all, where there are fewer) with the protocol's batch on one thread, then again with every
/// batch of [`BATCHES`] on one thread and on all cores.
///
/// # Errors
/// An engine can't be started.
pub fn check(
    loaded: &LoadedModel,
    model: &Model,
    study: &Path,
    cases: &[CaseInput],
    sample: usize,
    operating_points: &[OperatingPoint],
) -> Result<Report, Error> {
    let count = sample.min(cases.len());
    let sample: Vec<CaseInput> = (0..count).map(|index| cases[index * cases.len() / count].clone()).collect();
    let work = Work { loaded, model, study, cases: &sample };
    let batches = match loaded.fit.fixed_batch {
        Some(size) => vec![size],
        None => BATCHES.to_vec(),
    };
    // At least two threads, so that the question is put on a single core too.
    let many = cores().max(2);
    let base = work.predict_all(model.batch, 1)?;
    let mut settings = Vec::new();
    for threads in [1, many] {
        for &batch in &batches {
            if (batch, threads) != (model.batch, 1) {
                let other = work.predict_all(batch, threads)?;
                settings.push(compare(&sample, &base, &other, batch, threads, operating_points));
            }
        }
    }
    let not_tried = loaded
        .fit
        .fixed_batch
        .map(|size| format!("the model takes batches of {size} only; other sizes were not tried"));
    Ok(Report { cases: count, batch: model.batch, threads: 1, settings, not_tried })
}

fn compare(
    cases: &[CaseInput],
    base: &[Outcome],
    other: &[Outcome],
    batch: usize,
    threads: usize,
    operating_points: &[OperatingPoint],
) -> Setting {
    let mut setting = Setting { batch, threads, largest_change: 0.0, changed: Vec::new(), flipped: Vec::new() };
    for ((case, base), other) in cases.iter().zip(base).zip(other) {
        if base != other {
            setting.changed.push(case.id.clone());
        }
        let (Ok(base), Ok(other)) = (base, other) else { continue };
        setting.largest_change = setting.largest_change.max((base.score - other.score).abs());
        for point in operating_points {
            if (base.score >= point.threshold) != (other.score >= point.threshold) {
                setting.flipped.push(Flip {
                    case: case.id.clone(),
                    operating_point: point.id.clone(),
                    threshold: point.threshold,
                    score: base.score,
                    other_score: other.score,
                });
            }
        }
    }
    setting
}

#[cfg(test)]
mod tests {
    use super::super::output::CaseOutput;
    use super::super::predict::Source;
    use super::*;
    use crate::protocol::Text;

    #[test]
    fn a_change_is_measured_and_a_flip_named() {
        let cases: Vec<CaseInput> =
            ["a", "b", "c"].map(|id| CaseInput { id: id.to_owned(), source: Source::Columns(vec![]) }).to_vec();
        let outcomes = |scores: [f64; 2]| -> Vec<Outcome> {
            let mut outcomes: Vec<Outcome> =
                scores.iter().map(|&score| Ok(CaseOutput { score, marks: Vec::new() })).collect();
            outcomes.push(Err("unreadable".to_owned()));
            outcomes
        };
        let point = OperatingPoint {
            id: "rule-in".to_owned(),
            threshold: 0.5,
            rationale: Text { en: String::new(), ko: None },
            fixed_on: String::new(),
        };
        let base = outcomes([0.5, 0.25]);
        let same = compare(&cases, &base, &base.clone(), 2, 1, std::slice::from_ref(&point));
        assert!(same.changed.is_empty() && same.flipped.is_empty() && same.largest_change == 0.0);
        let other = compare(&cases, &base, &outcomes([0.4375, 0.375]), 2, 1, &[point]);
        assert_eq!(other.changed, ["a", "b"]);
        assert_eq!(other.largest_change, 0.125);
        assert_eq!(other.flipped.iter().map(|flip| flip.case.as_str()).collect::<Vec<_>>(), ["a"]);
    }
}
