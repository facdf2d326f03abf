//! `cadproof import` and `cadproof convert`: readings from and to the formats of other programs (docs/formats.md).

use super::{Outcome, term};
use crate::data::formats::{self, Columns, Exchange, Format, Paradigm, ReadOptions, WideLayout};
use crate::error::Error;
use crate::protocol::Suspicious;
use crate::study::Study;
use clap::ValueEnum;
use std::path::{Path, PathBuf};

/// What a file does not say about itself.
#[derive(clap::Args)]
struct Reading {
    /// Format of the input: imrmc, lrc, or-dbm, rjafroc, tidy, wide. Needed where the extension does not name one.
    #[arg(long, value_name = "FORMAT")]
    from: Option<String>,
    /// How a wide table names its columns: reader.modality, modality.reader (with your separator in place of the dot), or
    /// modality (one row a reader and case).
    #[arg(long, value_name = "LAYOUT")]
    layout: Option<String>,
    /// The modality columns of a wide table of layout "modality".
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    modalities: Vec<String>,
    /// Columns of a wide table that hold no ratings.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Name of a column of a tidy or wide table: reader, case, modality, truth or rating=NAME. May be given several times.
    #[arg(long, value_name = "WHAT=NAME")]
    column: Vec<String>,
    /// Truth codes of a tidy or wide table that mean diseased.
    #[arg(long, value_name = "CODES", value_delimiter = ',', default_value = "1")]
    positive: Vec<String>,
    /// Truth codes of a tidy or wide table that mean not diseased.
    #[arg(long, value_name = "CODES", value_delimiter = ',', default_value = "0")]
    negative: Vec<String>,
    /// A CSV with case and truth, for a tidy or wide table that has no truth column.
    #[arg(long, value_name = "FILE")]
    cases: Option<PathBuf>,
    /// What stands between the columns of a CSV.
    #[arg(long, value_enum, default_value_t = Delimiter::Comma)]
    delimiter: Delimiter,
    /// Which end of the rating scale of a tidy or wide table is suspicious; the other formats say so themselves.
    #[arg(long, value_enum)]
    suspicious: Option<End>,
    /// Whether an RJafroc file of the older form holds one rating a case or marks.
    #[arg(long, value_enum)]
    paradigm: Option<Kind>,
    /// Turn marks into one rating a case, that of the most suspicious mark, with this rating for a case without marks.
    #[arg(long, value_name = "RATING", allow_negative_numbers = true)]
    unmarked: Option<f64>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Delimiter {
    Comma,
    Semicolon,
    Tab,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum End {
    /// A high rating means disease.
    Higher,
    /// A low rating means disease.
    Lower,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Roc,
    Froc,
}

#[derive(clap::Args)]
pub struct Arguments {
    /// The file to read, or a study folder, whose protocol then says all that the flags below say.
    input: PathBuf,
    /// The file to write.
    output: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// Format of the output. Needed where the extension does not name one.
    #[arg(long, value_name = "FORMAT")]
    to: Option<String>,
    /// How the wide table to write names its columns.
    #[arg(long, value_name = "LAYOUT")]
    to_layout: Option<String>,
    /// Replace the output if it is there.
    #[arg(long)]
    force: bool,
}

#[derive(clap::Args)]
pub struct ImportArguments {
    /// The file to read.
    input: PathBuf,
    /// Study folder that gets readings.csv, and cases.csv if it has none.
    #[arg(long, value_name = "FOLDER")]
    into: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// Replace the readings that are there.
    #[arg(long)]
    force: bool,
}

pub fn run(arguments: &Arguments, json: bool) -> Result<Outcome, Error> {
    let to_layout = arguments.to_layout.as_deref().map(|text| WideLayout::parse(text, &[])).transpose()?;
    let format = match &arguments.to {
        Some(name) => Format::from_name(name, to_layout.as_ref())?,
        None => Format::by_extension(&arguments.output, "--to")?,
    };
    if arguments.output.exists() && !arguments.force {
        return Err(Error::Refused(format!("{} is there already; --force replaces it", arguments.output.display())));
    }
    let exchange = if arguments.input.is_dir() {
        Study::open(&arguments.input)?.exported_readings(format.name(), None)?
    } else {
        read(&arguments.input, &arguments.reading)?
    };
    formats::write(&exchange, &format, &arguments.output)?;
    let shown = arguments.output.display();
    report(
        &exchange,
        &exchange.notes,
        json,
        serde_json::json!({ "file": arguments.output, "format": format.name() }),
        |what| format!("{shown} ({}): {what}", format.name()),
    )
}

pub fn import(arguments: &ImportArguments, json: bool) -> Result<Outcome, Error> {
    let exchange = read(&arguments.input, &arguments.reading)?;
    let made = formats::import(&exchange, &arguments.into, arguments.force)?;
    let files: Vec<&PathBuf> = std::iter::once(&made.readings).chain(&made.cases).collect();
    let shown: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    report(&exchange, &made.notes, json, serde_json::json!({ "files": files }), |what| {
        format!("{}: {what}", shown.join(", "))
    })
}

fn read(input: &Path, options: &Reading) -> Result<Exchange, Error> {
    let layout = options.layout.as_deref().map(|text| WideLayout::parse(text, &options.modalities)).transpose()?;
    let format = match &options.from {
        Some(name) => Format::from_name(name, layout.as_ref())?,
        None => Format::by_extension(input, "--from")?,
    };
    let exchange = formats::read(input, &format, &options.to_library()?)?;
    match options.unmarked {
        Some(rating) => exchange.inferred_roc(rating),
        None => Ok(exchange),
    }
}

impl Reading {
    fn to_library(&self) -> Result<ReadOptions, Error> {
        let mut columns = Columns::default();
        for pair in &self.column {
            let Some((what, name)) = pair.split_once('=') else {
                return Err(Error::Refused(format!("--column {pair}: write it as rating=NAME")));
            };
            let column = match what {
                "reader" => &mut columns.reader,
                "case" => &mut columns.case,
                "modality" => &mut columns.modality,
                "truth" => &mut columns.truth,
                "rating" => &mut columns.rating,
                _ => {
                    let known = "reader, case, modality, truth, rating";
                    return Err(Error::Refused(format!("--column {pair}: {what:?} is none of {known}")));
                }
            };
            name.clone_into(column);
        }
        Ok(ReadOptions {
            delimiter: match self.delimiter {
                Delimiter::Comma => b',',
                Delimiter::Semicolon => b';',
                Delimiter::Tab => b'\t',
            },
            columns,
            positive: self.positive.clone(),
            negative: self.negative.clone(),
            cases: self.cases.clone(),
            ignore: self.ignore.clone(),
            direction: self.suspicious.map(|end| match end {
                End::Higher => Suspicious::Higher,
                End::Lower => Suspicious::Lower,
            }),
            paradigm: self.paradigm.map(|kind| match kind {
                Kind::Roc => Paradigm::Roc,
                Kind::Froc => Paradigm::Froc,
            }),
        })
    }
}

/// Counts and notes, for a reader or for a machine.
fn report(
    exchange: &Exchange,
    notes: &[String],
    json: bool,
    mut made: serde_json::Value,
    line: impl Fn(&str) -> String,
) -> Result<Outcome, Error> {
    let (diseased, non_diseased) = exchange.class_counts();
    let (what, count) = match &exchange.location {
        Some(location) => ("marks", location.marks.len()),
        None => ("readings", exchange.readings.len()),
    };
    if json {
        made[what] = count.into();
        made["readers"] = exchange.readers.clone().into();
        made["modalities"] = exchange.modalities.clone().into();
        made["diseased"] = diseased.into();
        made["non_diseased"] = non_diseased.into();
        made["notes"] = notes.into();
        term::say(made)?;
        return Ok(Outcome::Done);
    }
    term::done(line(&format!(
        "{count} {what}, {} readers, {} modalities, {} cases ({diseased} diseased)",
        exchange.readers.len(),
        exchange.modalities.len(),
        exchange.cases.len()
    )))?;
    notes.iter().try_for_each(term::warn)?;
    Ok(Outcome::Done)
}
