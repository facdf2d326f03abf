//! `cadproof analyze`: every endpoint that the protocol declares, into results.json and figures.

use super::{Folder, Outcome, term};
use crate::analysis::results::Results;
use crate::data;
use crate::error::Error;
use crate::protocol;
use crate::study::{FIGURES, RESULTS, Study};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    at: Folder,
    /// End with exit code 1 where a primary endpoint is not met or could not be decided.
    #[arg(long)]
    strict: bool,
    /// Also write the checked tables, joined by case, as Parquet into this folder.
    #[arg(long, value_name = "FOLDER")]
    tables: Option<PathBuf>,
}

pub fn run(arguments: &Arguments, json: bool) -> Result<Outcome, Error> {
    let study = Study::open(&arguments.at.folder)?;
    let (results, data) = study.analyze(None)?;
    study.write(&results)?;
    let tables = arguments.tables.as_ref().map(|folder| study.write_tables(&data, folder)).transpose()?;
    let path = study.folder.join(RESULTS);
    let unwise: Vec<String> =
        protocol::warnings(&study.protocol).into_iter().chain(data::warnings(&study.protocol, &data)).collect();
    if json {
        term::say(serde_json::json!({
            "results": path, "figures": study.folder.join(FIGURES), "conclusions": results.conclusions,
            "notes": results.notes, "warnings": unwise, "tables": tables,
        }))?;
    } else {
        unwise.iter().try_for_each(term::warn)?;
        term::print_results(&study.protocol, &results)?;
        term::done(format!("{}: {} numbers, with their figures beside it", path.display(), results.records.len()))?;
        for table in tables.iter().flatten() {
            term::done(table.display().to_string())?;
        }
    }
    Ok(if arguments.strict && !primaries_met(&results) { Outcome::CheckFailed } else { Outcome::Done })
}

fn primaries_met(results: &Results) -> bool {
    let mut primary = results.conclusions.iter().filter(|conclusion| conclusion.rank == "primary");
    primary.all(|conclusion| conclusion.met_after_multiplicity.or(conclusion.met) == Some(true))
}
