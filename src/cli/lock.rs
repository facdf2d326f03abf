//! `cadproof lock`: seals the study, or records what changed since.

use super::{Folder, Outcome, term};
use crate::error::Error;
use crate::protocol::warnings;
use crate::study::Study;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    at: Folder,
    /// Record the inputs that changed since the lock as a deviation, with this reason; every report prints it.
    #[arg(long, value_name = "WHY")]
    amend: Option<String>,
}

pub fn run(arguments: &Arguments, json: bool) -> Result<Outcome, Error> {
    let study = Study::open(&arguments.at.folder)?;
    let lock = study.lock(arguments.amend.as_deref(), None)?;
    let unwise = warnings(&study.protocol);
    if json {
        term::say(serde_json::json!({
            "study": lock.study, "locked_on": lock.locked_on, "root": lock.root, "protocol_hash": lock.protocol_hash,
            "model_hash": lock.model_hash, "files": lock.inputs.len(), "amendments": lock.amendments, "warnings": unwise,
        }))?;
        return Ok(Outcome::Done);
    }
    for warning in &unwise {
        term::warn(warning)?;
    }
    let files = lock.inputs.len();
    match (arguments.amend.is_some(), lock.amendments.last()) {
        (true, Some(last)) => {
            term::done(format!("amendment {} of {}, {}: {}", lock.amendments.len(), lock.study, last.date, last.why))?;
            for change in &last.changes {
                let what = match (&change.before, &change.after) {
                    (None, _) => "added",
                    (_, None) => "taken away",
                    _ => "changed",
                };
                term::say(format!("  {} {what}", change.path))?;
            }
        }
        _ => term::done(format!("{} is locked since {}, {files} files", lock.study, lock.locked_on))?,
    }
    term::say(format!("  root {}", lock.root))?;
    Ok(Outcome::Done)
}
