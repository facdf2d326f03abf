//! `cadproof verify`: does the folder still say what its inputs give?

use super::run::EngineArguments;
use super::{Folder, Outcome, term};
use crate::error::Error;
use crate::study::Study;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    at: Folder,
    /// Also run the model again and hold each score against predictions.csv.
    #[arg(long)]
    rerun: bool,
    /// Largest change of a score that counts as the same; processors and engines differ in the last digits.
    #[arg(long, default_value_t = 1e-5, requires = "rerun")]
    tolerance: f64,
    #[command(flatten)]
    engine: EngineArguments,
}

pub fn run(arguments: &Arguments, json: bool) -> Result<Outcome, Error> {
    let study = Study::open(&arguments.at.folder)?;
    let engine = arguments.engine.choice()?;
    if arguments.tolerance.is_nan() || arguments.tolerance < 0.0 {
        return Err(Error::Refused(format!("--tolerance {} is not a number from 0", arguments.tolerance)));
    }
    let found = study.verify(arguments.rerun.then_some((&engine, arguments.tolerance)))?;
    let same = found.all_same();
    if json {
        term::say(serde_json::json!({ "same": same, "checks": found.checks, "rerun": found.rerun }))?;
    } else {
        for check in &found.checks {
            if check.differences.is_empty() {
                term::done(&check.what)?;
            } else {
                term::failed(&check.what)?;
                for difference in &check.differences {
                    term::say(format!("    {}", difference.replace('\n', "\n    ")))?;
                }
            }
        }
        if let Some(rerun) = &found.rerun {
            term::say(format!("  {} cases, largest change of a score {:e}", rerun.cases, rerun.largest_change))?;
        }
        if same {
            term::say("Everything is as the locked inputs give it.")?;
        } else {
            let count = found.checks.iter().filter(|check| !check.differences.is_empty()).count();
            term::say(format!("{count} of {} checks differ.", found.checks.len()))?;
        }
    }
    Ok(if same { Outcome::Done } else { Outcome::CheckFailed })
}
