//! `cadproof simulate`: readers' scores from the Roe–Metz model, for demonstrations and trials of an analysis.

use super::{Folder, Outcome, term};
use crate::error::Error;
use crate::study::Study;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    at: Folder,
    /// Replace the readings that are there.
    #[arg(long)]
    force: bool,
}

pub fn run(arguments: &Arguments, json: bool) -> Result<Outcome, Error> {
    let study = Study::open(&arguments.at.folder)?;
    let (path, readings) = study.simulate(arguments.force)?;
    if json {
        term::say(serde_json::json!({ "file": path, "readings": readings, "seed": study.protocol.study.seed }))?;
        return Ok(Outcome::Done);
    }
    term::done(format!("{}: {readings} simulated readings, seed {}", path.display(), study.protocol.study.seed))?;
    if study.protocol.study.disclaimer.is_none() {
        term::warn("study.disclaimer is not given: a report would not say that the readers are simulated")?;
    }
    Ok(Outcome::Done)
}
