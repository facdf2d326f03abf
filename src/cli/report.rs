//! `cadproof report`: the documents that a reviewer reads, from results.json.

use super::{Folder, Outcome, term};
use crate::error::Error;
use crate::files::write_atomically;
use crate::protocol::{Language, ReportKind};
use crate::provenance::{ledger, lock};
use crate::study::{REPORTS, Report, Study};
use clap::ValueEnum;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    at: Folder,
    /// Only this report; without it those that the protocol asks for.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Only this language.
    #[arg(long, value_enum)]
    language: Option<Tongue>,
    /// Folder for the reports; without it `reports` in the study folder.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// MFDS clinical study report.
    Mfds,
    /// FDA 510(k) clinical performance report.
    Fda,
    /// Standalone performance test report.
    Standalone,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Tongue {
    Ko,
    En,
}

pub fn run(arguments: &Arguments, json: bool) -> Result<Outcome, Error> {
    let study = Study::open(&arguments.at.folder)?;
    let results = study.results()?;
    let kind = arguments.kind.map(|kind| match kind {
        Kind::Mfds => ReportKind::Mfds,
        Kind::Fda => ReportKind::Fda,
        Kind::Standalone => ReportKind::Standalone,
    });
    let language = arguments.language.map(|language| match language {
        Tongue::Ko => Language::Ko,
        Tongue::En => Language::En,
    });
    let reports = study.reports(&results, kind.as_slice(), language.as_slice())?;
    let folder = arguments.out.clone().unwrap_or_else(|| study.folder.join(REPORTS));
    write(&folder, &reports)?;
    if let Some(lock) = lock::read(&study.folder)? {
        let model = lock.model_hash.as_deref();
        ledger::append(&study.folder, "report", "rendered reports", model, &lock.root, None)?;
    }
    let files: Vec<PathBuf> = reports.iter().map(|report| folder.join(&report.file)).collect();
    if json {
        term::say(serde_json::json!({ "reports": files }))?;
    } else {
        for file in files {
            term::done(file.display())?;
        }
    }
    Ok(Outcome::Done)
}

pub(super) fn write(folder: &Path, reports: &[Report]) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
    reports.iter().try_for_each(|report| write_atomically(&folder.join(&report.file), report.html.as_bytes()))
}
