//! The model over the whole test set: on all cores, resumable, the same bytes whatever the thread count.

use super::journal::{Journal, Key};
use super::output::CaseOutput;
use super::predict::{CaseInput, Outcome, Work, groups};
use super::{EngineChoice, EngineInfo, LoadedModel, determinism};
use crate::error::Error;
use crate::files::write_atomically;
use crate::protocol::{Model, ModelOutput};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

pub const PREDICTIONS: &str = "predictions.csv";
pub const PREDICTED_MARKS: &str = "predicted_marks.csv";
pub const RECORD: &str = "run.json";

/// All that a run needs. The results go into `study`.
pub struct RunPlan<'a> {
    pub model: &'a Model,
    pub study: &'a Path,
    /// In the order in which they are written.
    pub cases: &'a [CaseInput],
    pub engine: EngineChoice,
    /// Workers; `None` = one a core.
    pub threads: Option<usize>,
    /// Of the protocol file: a journal under another one is not used.
    pub protocol_sha256: &'a str,
    /// Of the locked inputs (the lock's root), or empty where nothing is locked.
    pub inputs_sha256: &'a str,
    /// Start over even where an earlier run could be taken up.
    pub fresh: bool,
    /// Raised, the run ends after the batches in work: see [`super::interrupt::flag`].
    pub stop: &'a AtomicBool,
    /// A progress bar on a terminal once the run takes more than a second.
    pub progress: bool,
}

/// What a run did, for the user. The files hold what belongs to the study.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    pub record: RunRecord,
    /// Cases taken over from an earlier, interrupted run.
    pub resumed: usize,
    pub elapsed: Duration,
    /// Why an earlier journal was not used.
    pub discarded_journal: Option<String>,
}

/// `run.json`: what ran where. No clock, so that the same run gives the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    pub tool_version: String,
    pub engine: EngineInfo,
    pub model_file: String,
    pub model_sha256: String,
    pub protocol_sha256: String,
    pub inputs_sha256: String,
    /// Workers, each with an engine of its own.
    pub threads: usize,
    pub batch: usize,
    pub cpu: String,
    pub operating_system: String,
    pub architecture: String,
    pub cases: usize,
    pub outputs: usize,
    pub no_outputs: Vec<NoOutput>,
    /// Of `predictions.csv` as it was written, so that a line changed afterwards shows.
    pub predictions_sha256: String,
    /// Of `predicted_marks.csv`; detection only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks_sha256: Option<String>,
    /// What other batch sizes and thread counts would have changed, where that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub determinism: Option<determinism::Report>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoOutput {
    pub case: String,
    pub reason: String,
}

impl RunRecord {
    /// `run.json` as it is written.
    ///
    /// # Errors
    /// None that a record can give rise to.
    pub fn render(&self) -> Result<Vec<u8>, Error> {
        let mut json = serde_json::to_vec_pretty(self).map_err(|error| Error::Internal(error.to_string()))?;
        json.push(b'\n');
        Ok(json)
    }
}

/// Runs the model over `plan.cases` and writes `predictions.csv`, for detection `predicted_marks.csv`, and `run.json`.
///
/// # Errors
/// The model does not fit the protocol, a file can't be written, or the run was stopped ([`Error::Interrupted`]: what
/// was finished is in the journal). A case that fails is no error but a no-output with its reason.
pub fn run(plan: &RunPlan) -> Result<RunSummary, Error> {
    let loaded = super::load(plan.model, plan.study, &plan.engine)?;
    run_loaded(plan, &loaded)
}

fn run_loaded(plan: &RunPlan, loaded: &LoadedModel) -> Result<RunSummary, Error> {
    let start = Instant::now();
    let threads = plan.threads.unwrap_or_else(cores).max(1);
    let key = Key {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        model_sha256: loaded.sha256.clone(),
        protocol_sha256: plan.protocol_sha256.to_owned(),
        inputs_sha256: plan.inputs_sha256.to_owned(),
        engine: loaded.info().key(),
        batch: plan.model.batch,
        cases: plan.cases.len(),
    };
    let ids: Vec<&str> = plan.cases.iter().map(|case| case.id.as_str()).collect();
    let mut journal = Journal::open(plan.study, &key, &ids, plan.fresh)?;
    let mut outcomes = std::mem::take(&mut journal.finished);
    // A batch that lacks a case is run whole, so that no case ever has other companions than in an unbroken run.
    let unfinished: Vec<_> = groups(plan.cases.len(), plan.model.batch)
        .into_iter()
        .filter(|group| group.clone().any(|index| !outcomes.contains_key(&index)))
        .collect();
    let resumed = plan.cases.len() - unfinished.iter().map(ExactSizeIterator::len).sum::<usize>();

    let work = Work { loaded, model: plan.model, study: plan.study, cases: plan.cases };
    let (sender, receiver) = channel();
    let abandoned = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| work.predict(&unfinished, threads, &abandoned, sender));
        let mut progress = Progress::new(plan, resumed, start);
        let mut collect = || -> Result<(), Error> {
            loop {
                if plan.stop.load(Ordering::Relaxed) {
                    abandoned.store(true, Ordering::Relaxed);
                }
                match receiver.recv_timeout(Duration::from_millis(100)) {
                    Ok((group, results)) => {
                        let batch = || group.clone().zip(&results);
                        journal.record(batch().map(|(index, outcome)| (index, ids[index], outcome)))?;
                        progress.add(results.len());
                        outcomes.extend(group.zip(results));
                    }
                    Err(RecvTimeoutError::Timeout) => progress.add(0),
                    Err(RecvTimeoutError::Disconnected) => return Ok(()),
                }
            }
        };
        let collected = collect();
        abandoned.store(true, Ordering::Relaxed);
        progress.end();
        let worked = worker.join().unwrap_or_else(|_| Err(Error::Internal("the workers panicked".to_owned())));
        collected.and(worked)
    })?;
    if outcomes.len() < plan.cases.len() {
        return Err(Error::Interrupted);
    }

    let record = write_results(plan, &outcomes, record(plan, loaded, threads, &outcomes))?;
    let discarded_journal = journal.discarded.take();
    journal.remove()?;
    Ok(RunSummary { record, resumed, elapsed: start.elapsed(), discarded_journal })
}

pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Shown only where the run takes longer than a second; indicatif itself stays silent where there is no terminal.
struct Progress {
    bar: Option<ProgressBar>,
    shown: bool,
    start: Instant,
    total: usize,
    done: usize,
}

impl Progress {
    fn new(plan: &RunPlan, done: usize, start: Instant) -> Self {
        Self { bar: None, shown: plan.progress, start, total: plan.cases.len(), done }
    }

    fn add(&mut self, cases: usize) {
        self.done += cases;
        if !self.shown || self.start.elapsed() < Duration::from_secs(1) {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::new(self.total as u64).with_elapsed(self.start.elapsed());
            let template = "{bar:32} {pos}/{len} cases, {per_sec}, {eta} left";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        bar.set_position(self.done as u64);
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn record(plan: &RunPlan, loaded: &LoadedModel, threads: usize, outcomes: &BTreeMap<usize, Outcome>) -> RunRecord {
    let no_outputs: Vec<NoOutput> = outcomes
        .iter()
        .filter_map(|(&index, outcome)| {
            let reason = outcome.as_ref().err()?.clone();
            Some(NoOutput { case: plan.cases[index].id.clone(), reason })
        })
        .collect();
    RunRecord {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        engine: loaded.info().clone(),
        model_file: plan.model.file.clone(),
        model_sha256: loaded.sha256.clone(),
        protocol_sha256: plan.protocol_sha256.to_owned(),
        inputs_sha256: plan.inputs_sha256.to_owned(),
        threads,
        batch: plan.model.batch,
        cpu: cpu_name(),
        operating_system: std::env::consts::OS.to_owned(),
        architecture: std::env::consts::ARCH.to_owned(),
        cases: outcomes.len(),
        outputs: outcomes.len() - no_outputs.len(),
        no_outputs,
        predictions_sha256: String::new(),
        marks_sha256: None,
        determinism: None,
    }
}

/// The processor's own name where the system tells it (Linux), else a word that says so.
fn cpu_name() -> String {
    std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        })
        .unwrap_or_else(|| "not told by this system".to_owned())
}

/// The record comes back with the hashes of what was written.
fn write_results(
    plan: &RunPlan,
    outcomes: &BTreeMap<usize, Outcome>,
    mut record: RunRecord,
) -> Result<RunRecord, Error> {
    let number = |value: f64| format!("{value:?}");
    let size = |value: Option<f64>| value.map(number).unwrap_or_default();
    let outputs = || outcomes.iter().map(|(&index, outcome)| (plan.cases[index].id.as_str(), outcome));
    let predictions = outputs().map(|(case, outcome)| match outcome {
        Ok(output) => vec![case.to_owned(), number(output.score), String::new()],
        Err(reason) => vec![case.to_owned(), String::new(), reason.clone()],
    });
    let predictions = table(&["case", "score", "no_output"], predictions)?;
    let finds_places = !matches!(plan.model.output, ModelOutput::Score { .. });
    let marks = outputs()
        .flat_map(|(case, outcome)| {
            outcome.iter().flat_map(move |CaseOutput { marks, .. }| marks.iter().map(move |mark| (case, mark)))
        })
        .map(|(case, mark)| {
            let [x, y, score] = [mark.x, mark.y, mark.score].map(number);
            vec![case.to_owned(), x, y, score, size(mark.width), size(mark.height)]
        });
    let marks = table(&["case", "x", "y", "score", "width", "height"], marks)?;
    record.predictions_sha256 = super::sha256(&predictions);
    record.marks_sha256 = finds_places.then(|| super::sha256(&marks));
    let json = record.render()?;

    write_atomically(&plan.study.join(PREDICTIONS), &predictions)?;
    if finds_places {
        write_atomically(&plan.study.join(PREDICTED_MARKS), &marks)?;
    }
    write_atomically(&plan.study.join(RECORD), &json)?;
    Ok(record)
}

fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<Vec<u8>, Error> {
    let internal = |error: csv::Error| Error::Internal(error.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).map_err(internal)?;
    for row in rows {
        writer.write_record(&row).map_err(internal)?;
    }
    writer.into_inner().map_err(|error| Error::Internal(error.to_string()))
}
