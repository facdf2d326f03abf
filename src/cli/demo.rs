//! `cadproof demo`: the whole way on the studies that ship with cadproof, from nothing to reports.

use super::{Outcome, init, report, term};
use crate::error::Error;
use crate::study::{REPORTS, RunOptions, Study};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Name of the study, path in its folder, content; made by `build.rs` from `studies/`.
static SHIPPED: &[(&str, &str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/studies.rs"));

#[derive(clap::Args)]
pub struct Arguments {
    /// New folder for the demonstration.
    #[arg(long, value_name = "FOLDER", default_value = "cadproof-demo")]
    out: PathBuf,
}

pub fn run(arguments: &Arguments, json: bool) -> Result<Outcome, Error> {
    init::refuse_content(&arguments.out)?;
    let mut told = Vec::new();
    for name in ["nuclei", "breast-fna"] {
        let mut story = Story { lines: Vec::new(), silent: json };
        let folder = arguments.out.join(name);
        let reports = whole_way(name, &folder, &mut story)?;
        told.push(serde_json::json!({ "study": folder, "steps": story.lines, "reports": reports }));
    }
    if json {
        term::say(serde_json::Value::Array(told))?;
    } else {
        term::say(format!(
            "The same bytes each time: `cadproof verify {}` makes them again and compares.",
            arguments.out.join("nuclei").display()
        ))?;
    }
    Ok(Outcome::Done)
}

/// Dates are the protocol's own, so that the demonstration gives the same bytes whenever it is shown.
fn whole_way(name: &str, folder: &Path, story: &mut Story) -> Result<Vec<PathBuf>, Error> {
    let mut files = 0;
    for (_, path, content) in SHIPPED.iter().filter(|(study, _, _)| *study == name) {
        let target = folder.join(path);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).map_err(|source| Error::io(parent, source))?;
        }
        // Into a new folder that a crash may leave half made: no need to wait for the disk each time.
        std::fs::write(&target, content).map_err(|source| Error::io(&target, source))?;
        files += 1;
    }
    let study = Study::open(folder)?;
    story.heading(&study.protocol.study.title.en)?;
    story.step(format!("{files} files in {}", folder.display()))?;
    let on = Some(study.protocol.study.date.as_str());
    if study.protocol.design.as_ref().is_some_and(|design| design.simulation.is_some()) {
        let (path, readings) = study.simulate(false)?;
        let readers = study.protocol.readers.len();
        story.step(format!("{readings} readings of {readers} simulated readers in {}", path.display()))?;
    }
    let lock = study.lock(None, on)?;
    story.step(format!("locked: {} files under root {:.12}", lock.inputs.len(), lock.root))?;
    let options = RunOptions::default();
    let summary = study.run(&options, &AtomicBool::new(false), on)?;
    let record = &summary.record;
    let engine = &record.engine;
    story.step(format!(
        "{} of {} cases have a score ({} {})",
        record.outputs, record.cases, engine.name, engine.version
    ))?;
    let again = study.check_determinism(&options.engine)?;
    let changed = again.settings.iter().map(|setting| setting.changed.len()).max().unwrap_or(0);
    story
        .step(format!("{} cases again at other batch sizes and thread counts: {changed} scores differ", again.cases))?;
    let (results, _) = study.analyze(on)?;
    study.write(&results)?;
    story.step(format!(
        "{} numbers and their figures from {} endpoints",
        results.records.len(),
        study.protocol.endpoints.len()
    ))?;
    for conclusion in &results.conclusions {
        story.step(&conclusion.en)?;
    }
    let reports = study.reports(&results, &[], &[])?;
    let target = folder.join(REPORTS);
    report::write(&target, &reports)?;
    let paths: Vec<PathBuf> = reports.iter().map(|report| target.join(&report.file)).collect();
    for path in &paths {
        story.step(path.display().to_string())?;
    }
    Ok(paths)
}

struct Story {
    lines: Vec<String>,
    silent: bool,
}

impl Story {
    fn heading(&mut self, text: &str) -> Result<(), Error> {
        if self.silent { Ok(()) } else { term::heading(text) }
    }

    fn step(&mut self, text: impl Into<String>) -> Result<(), Error> {
        let text = text.into();
        let said = if self.silent { Ok(()) } else { term::done(&text) };
        self.lines.push(text);
        said
    }
}
