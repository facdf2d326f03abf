//! `cadproof init`: a starting study that is valid as written.

use super::{Outcome, term};
use crate::error::Error;
use crate::protocol::{self, Template};
use clap::ValueEnum;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Arguments {
    /// New folder, or one that is empty.
    folder: PathBuf,
    /// What kind of study to start from.
    #[arg(long, value_enum, default_value_t = Kind::StandaloneClassification)]
    template: Kind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// The device alone, one score a case.
    StandaloneClassification,
    /// The device alone, marks against lesions.
    StandaloneDetection,
    /// Readers without and with the device.
    ReaderStudy,
}

pub fn run(arguments: &Arguments, json: bool) -> Result<Outcome, Error> {
    let folder = &arguments.folder;
    refuse_content(folder)?;
    let template = match arguments.template {
        Kind::StandaloneClassification => Template::StandaloneClassification,
        Kind::StandaloneDetection => Template::StandaloneDetection,
        Kind::ReaderStudy => Template::ReaderStudy,
    };
    let files = protocol::init(template, folder)?;
    if json {
        term::say(serde_json::json!({ "folder": folder, "template": template.name(), "files": files }))?;
        return Ok(Outcome::Done);
    }
    let shown = folder.display();
    term::done(format!("{shown}: {}", files.join(", ")))?;
    term::say(format!(
        "The tables hold example rows, so these run as they are:\n  cadproof lock {shown}\n  cadproof analyze {shown}\n  \
         cadproof report {shown}"
    ))?;
    Ok(Outcome::Done)
}

/// A folder that holds anything is somebody's work.
pub(super) fn refuse_content(folder: &std::path::Path) -> Result<(), Error> {
    let content = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(Error::io(folder, error)),
    };
    if content {
        return Err(Error::Refused(format!("{} is not empty; name a new folder", folder.display())));
    }
    Ok(())
}
