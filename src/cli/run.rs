//! `cadproof run`: the model over the locked test set.

use super::{Folder, Outcome, term};
use crate::error::Error;
use crate::inference::determinism::Report;
use crate::inference::{EngineChoice, RunSummary, interrupt};
use crate::study::{RunOptions, Study};
use clap::ValueEnum;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    at: Folder,
    #[command(flatten)]
    engine: EngineArguments,
    /// Workers; without it one a core. The scores do not depend on it.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Start over where an interrupted run could be taken up.
    #[arg(long)]
    fresh: bool,
    /// Afterwards, run a sample at other batch sizes and thread counts and say what that changes.
    #[arg(long)]
    check_determinism: bool,
}

#[derive(clap::Args)]
pub(super) struct EngineArguments {
    /// What runs the model.
    #[arg(long, value_enum, default_value_t = Engine::Tract)]
    engine: Engine,
    /// ONNX Runtime's library; without it ORT_DYLIB_PATH names it.
    #[arg(long, value_name = "PATH")]
    library: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// Built in.
    Tract,
    /// A library of yours, from version 1.17 on.
    Onnxruntime,
}

impl EngineArguments {
    pub(super) fn choice(&self) -> Result<EngineChoice, Error> {
        match (self.engine, &self.library) {
            (Engine::Tract, None) => Ok(EngineChoice::Tract),
            (Engine::Tract, Some(_)) => {
                Err(Error::Refused("--library is for --engine onnxruntime; tract needs none".to_owned()))
            }
            (Engine::Onnxruntime, library) => Ok(EngineChoice::OnnxRuntime { library: library.clone() }),
        }
    }
}

pub fn run(arguments: &Arguments, json: bool) -> Result<Outcome, Error> {
    let study = Study::open(&arguments.at.folder)?;
    let options = RunOptions {
        engine: arguments.engine.choice()?,
        threads: arguments.threads.map(usize::from),
        fresh: arguments.fresh,
        progress: !json,
    };
    let summary = study.run(&options, interrupt::flag()?, None)?;
    let checked = if arguments.check_determinism { Some(study.check_determinism(&options.engine)?) } else { None };
    if json {
        term::say(serde_json::json!({
            "record": summary.record, "resumed": summary.resumed, "discarded_journal": summary.discarded_journal,
            "determinism": checked,
        }))?;
        return Ok(Outcome::Done);
    }
    print(&summary)?;
    if let Some(report) = checked {
        print_determinism(&report)?;
    }
    Ok(Outcome::Done)
}

fn print(summary: &RunSummary) -> Result<(), Error> {
    let record = &summary.record;
    if let Some(why) = &summary.discarded_journal {
        term::warn(why)?;
    }
    let engine = &record.engine;
    term::done(format!(
        "{} of {} cases have an output ({} {}, {} workers, batches of {})",
        record.outputs, record.cases, engine.name, engine.version, record.threads, record.batch
    ))?;
    if summary.resumed > 0 {
        term::say(format!("  {} taken over from an interrupted run", summary.resumed))?;
    }
    for missing in &record.no_outputs {
        term::say(format!("  {} has none: {}", missing.case, missing.reason))?;
    }
    term::say(format!("  model {:.12}, predictions {:.12}", record.model_sha256, record.predictions_sha256))
}

fn print_determinism(report: &Report) -> Result<(), Error> {
    term::say(format!(
        "{} cases again, held against batches of {} on {} thread:",
        report.cases, report.batch, report.threads
    ))?;
    for setting in &report.settings {
        term::say(format!(
            "  batches of {:>2}, {} thread{}: {} scores differ, at most by {:e}, {} calls flip",
            setting.batch,
            setting.threads,
            if setting.threads == 1 { "" } else { "s" },
            setting.changed.len(),
            setting.largest_change,
            setting.flipped.len()
        ))?;
        for flip in &setting.flipped {
            term::warn(format!(
                "{} at {} ({}): {} becomes {}",
                flip.case, flip.operating_point, flip.threshold, flip.score, flip.other_score
            ))?;
        }
    }
    match &report.not_tried {
        Some(why) => term::say(format!("  {why}")),
        None => Ok(()),
    }
}
