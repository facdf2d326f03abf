//! Readings in the files that statisticians exchange: iMRMC, LABMRMC / OR-DBM, RJafroc Excel, tidy and wide CSV.
//!
//! Every format is read into an [`Exchange`] and written from one. `docs/formats.md` holds the grammar of each. A format
//! is named by its user or by an extension that only one format has; a table's columns, its truth codes and its direction
//! are declared, never guessed. What a format cannot hold is refused with the reason, never left out.

mod collect;
mod delimited;
mod exchange;
mod import;
mod imrmc;
mod lrc;
mod numbers;
mod rjafroc;
mod text;
mod wide;

pub use exchange::{Exchange, ExchangeCase, Lesion, Location, Mark, StudyTables, Viewing};
pub use import::{Imported, import};
pub use wide::WideLayout;

use crate::error::Error;
use crate::fault::nearest;
use crate::protocol::Suspicious;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// iMRMC (FDA): free header, `BEGIN DATA:`, rows of reader, case, modality, score.
    Imrmc,
    /// LABMRMC / DBM MRMC / OR-DBM text: a block a reader, `*` after each truth state, `#` at the end.
    Lrc,
    /// OR-DBM CSV: reader, treatment, case, truth, rating by position.
    OrDbmCsv,
    /// RJafroc (JAFROC) Excel: sheets TRUTH, FP, TP; ROC or FROC.
    RjafrocXlsx,
    /// One row a reading, columns by name.
    TidyCsv,
    /// One row a case, or a reader and case, with a column a modality.
    WideCsv(WideLayout),
}

/// The names that `--from` and `--to` take.
pub const FORMAT_NAMES: [&str; 6] = ["imrmc", "lrc", "or-dbm", "rjafroc", "tidy", "wide"];

impl Format {
    /// The format of a name in [`FORMAT_NAMES`]; `wide` needs its layout.
    ///
    /// # Errors
    /// A name that is not known, with the nearest one that is; `wide` without a layout.
    pub fn from_name(name: &str, layout: Option<&WideLayout>) -> Result<Self, Error> {
        match (name, layout) {
            ("imrmc", _) => Ok(Self::Imrmc),
            ("lrc", _) => Ok(Self::Lrc),
            ("or-dbm", _) => Ok(Self::OrDbmCsv),
            ("rjafroc", _) => Ok(Self::RjafrocXlsx),
            ("tidy", _) => Ok(Self::TidyCsv),
            ("wide", Some(layout)) => Ok(Self::WideCsv(layout.clone())),
            ("wide", None) => Err(Error::Refused(
                "a wide table needs its column names declared: add --layout reader.modality (or modality.reader, or \
                 modality with --modalities)"
                    .to_owned(),
            )),
            _ => {
                let hint =
                    nearest(name, FORMAT_NAMES).map_or_else(String::new, |near| format!("; did you mean {near}?"));
                Err(Error::Refused(format!("no format is called {name:?}{hint} (known: {})", FORMAT_NAMES.join(", "))))
            }
        }
    }

    /// The format that alone has the extension of `path`.
    ///
    /// # Errors
    /// An extension that several formats share (`csv`, `txt`) or none has: the format must be named.
    pub fn by_extension(path: &Path, flag: &str) -> Result<Self, Error> {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        match extension.as_str() {
            "imrmc" => Ok(Self::Imrmc),
            "lrc" => Ok(Self::Lrc),
            "xlsx" => Ok(Self::RjafrocXlsx),
            "csv" | "txt" => Err(Error::Refused(format!(
                "{}: .{extension} may be or-dbm, tidy or wide; say which by {flag}",
                path.display()
            ))),
            _ => Err(Error::Refused(format!(
                "{}: its extension names no format; say {flag} {}",
                path.display(),
                FORMAT_NAMES.join("|")
            ))),
        }
    }

    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Imrmc => "imrmc",
            Self::Lrc => "lrc",
            Self::OrDbmCsv => "or-dbm",
            Self::RjafrocXlsx => "rjafroc",
            Self::TidyCsv => "tidy",
            Self::WideCsv(_) => "wide",
        }
    }
}

/// One rating a case, or marks with places. An Excel file of the old form (three columns in TRUTH) does not say which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paradigm {
    Roc,
    Froc,
}

/// Names of the columns of a tidy or wide CSV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    pub reader: String,
    pub case: String,
    pub modality: String,
    pub truth: String,
    pub rating: String,
}

impl Default for Columns {
    fn default() -> Self {
        let own = str::to_owned;
        Self {
            reader: own("reader"),
            case: own("case"),
            modality: own("modality"),
            truth: own("truth"),
            rating: own("rating"),
        }
    }
}

/// What a file does not say about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    /// Of the CSV formats.
    pub delimiter: u8,
    pub columns: Columns,
    /// Truth values that mean diseased, and those that mean not diseased; any other value is a fault.
    pub positive: Vec<String>,
    pub negative: Vec<String>,
    /// A CSV with the case and truth columns, for a tidy or wide table that has no truth column of its own.
    pub cases: Option<PathBuf>,
    /// Columns of a wide table that hold no ratings.
    pub ignore: Vec<String>,
    /// Which end of the scale is suspicious in a tidy or wide table; the other formats say so themselves.
    pub direction: Option<Suspicious>,
    /// For an old Excel file only.
    pub paradigm: Option<Paradigm>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            delimiter: b',',
            columns: Columns::default(),
            positive: vec!["1".to_owned()],
            negative: vec!["0".to_owned()],
            cases: None,
            ignore: Vec::new(),
            direction: None,
            paradigm: None,
        }
    }
}

/// The readings in `path`.
///
/// # Errors
/// Every fault of the file at once, each with line or sheet and cell, what was found, what was expected and the mend.
pub fn read(path: &Path, format: &Format, options: &ReadOptions) -> Result<Exchange, Error> {
    match format {
        Format::Imrmc => imrmc::read(path),
        Format::Lrc => lrc::read(path),
        Format::OrDbmCsv => delimited::read_or_dbm(path, options),
        Format::RjafrocXlsx => rjafroc::read(path, options),
        Format::TidyCsv => delimited::read_tidy(path, options),
        Format::WideCsv(layout) => wide::read(path, layout, options),
    }
}

/// Puts the readings at `path`, whole or not at all.
///
/// # Errors
/// [`Error::Refused`] with every reason for which the format cannot hold these readings; [`Error::Io`].
pub fn write(exchange: &Exchange, format: &Format, path: &Path) -> Result<(), Error> {
    crate::files::write_atomically(path, &bytes(exchange, format)?)
}

/// The readings as a file of that format.
///
/// # Errors
/// [`Error::Refused`] with every reason for which the format cannot hold these readings.
pub fn bytes(exchange: &Exchange, format: &Format) -> Result<Vec<u8>, Error> {
    match format {
        Format::Imrmc => imrmc::bytes(exchange),
        Format::Lrc => lrc::bytes(exchange),
        Format::OrDbmCsv => delimited::or_dbm_bytes(exchange),
        Format::RjafrocXlsx => rjafroc::bytes(exchange),
        Format::TidyCsv => delimited::tidy_bytes(exchange),
        Format::WideCsv(layout) => wide::bytes(exchange, layout),
    }
}

fn truth_code(diseased: bool) -> &'static str {
    if diseased { "1" } else { "0" }
}

/// Every reason of a list that is not empty, as one refusal.
fn refuse(format: &str, reasons: &[String]) -> Result<(), Error> {
    if reasons.is_empty() {
        return Ok(());
    }
    Err(Error::Refused(format!("{format} cannot hold these readings:\n  {}", reasons.join("\n  "))))
}

/// Labels that a format cannot carry: `why` says what is wrong with one, if anything is. A reader or modality that read
/// nothing is in no format.
fn bad_labels(exchange: &Exchange, why: impl Fn(&str) -> Option<&'static str>) -> Vec<String> {
    let kinds = [
        ("reader", exchange.readers.iter().map(String::as_str).collect::<Vec<_>>()),
        ("modality", exchange.modalities.iter().map(String::as_str).collect()),
        ("case", exchange.cases.iter().map(|case| case.id.as_str()).collect()),
    ];
    let mut reasons = Vec::new();
    for (kind, labels) in kinds {
        for label in labels {
            if let Some(why) = why(label) {
                reasons.push(format!("{kind} {label:?} {why}"));
            }
        }
    }
    let viewings = exchange.viewings();
    let readers: BTreeSet<u32> = viewings.iter().map(|viewing| viewing.reader).collect();
    let modalities: BTreeSet<u32> = viewings.iter().map(|viewing| viewing.modality).collect();
    for (kind, labels, used) in [("reader", &exchange.readers, readers), ("modality", &exchange.modalities, modalities)]
    {
        let idle = (0..).zip(labels).filter(|(at, _)| !used.contains(at));
        reasons.extend(idle.map(|(_, label)| format!("{kind} {label:?} has no reading and would be lost")));
    }
    reasons
}

/// Cases that nobody read, as a reason against a format of one row a reading.
fn unread_cases(exchange: &Exchange) -> Vec<String> {
    let read: BTreeSet<u32> = exchange.readings.iter().map(|row| row.case).collect();
    (0..)
        .zip(&exchange.cases)
        .filter(|(at, _)| !read.contains(at))
        .map(|(_, case)| format!("case {:?} was read by nobody and would be lost", case.id))
        .collect()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
