//! A study folder as a whole: the steps from protocol to report, each of which checks what the one before it left.
//!
//! [`Study::lock`] seals, [`Study::run`] puts the model over the test set, [`Study::analyze`] estimates, [`Study::reports`]
//! renders, [`Study::verify`] does the last two again and compares. The command line is a thin skin over these.
//!
//! Dates are given as `on`, an ISO date, or left to `SOURCE_DATE_EPOCH` and the clock: see [`crate::provenance::date`].

mod export;
mod predictions;
mod stamp;
mod tables;
mod verify;

pub use predictions::RunOptions;
pub use verify::{Check, Rerun, Verification};

use crate::analysis::observed::observe;
use crate::analysis::repeatability::{self, Repeat};
use crate::analysis::results::{Results, Stamp};
use crate::analysis::{analyze, simulated_readings};
use crate::data::{self, Cases, Readings, StudyData};
use crate::error::Error;
use crate::fault::Fault;
use crate::figures;
use crate::files::{read, write_atomically};
use crate::inference::runner::RunRecord;
use crate::protocol::{self, Language, Protocol, ReportKind, StudyKind};
use crate::provenance::{ledger, lock};
use crate::report;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub const PROTOCOL: &str = "study.toml";
pub const RESULTS: &str = "results.json";
pub const FIGURES: &str = "figures";
pub const REPORTS: &str = "reports";

/// A folder whose protocol has been read and has no fault.
#[derive(Debug, Clone)]
pub struct Study {
    pub folder: PathBuf,
    pub protocol: Protocol,
}

/// A rendered report and the name of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub file: String,
    pub html: String,
}

impl Study {
    /// # Errors
    /// Every fault of `study.toml`.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let protocol = protocol::read(&folder.join(PROTOCOL))?;
        Ok(Self { folder: folder.to_owned(), protocol })
    }

    /// Seals the inputs, or with `why` records what changed. The test set's tables are checked first: a study that
    /// cannot be analysed is not sealed.
    ///
    /// # Errors
    /// Faults of the tables, and as [`lock::lock`].
    pub fn lock(&self, why: Option<&str>, on: Option<&str>) -> Result<lock::Lock, Error> {
        // Without the model, so that predictions of an earlier lock, which this one may outdate, are not read.
        let inputs = Protocol { model: None, ..self.protocol.clone() };
        let _ = data::load(&self.folder, &inputs)?;
        let cases = data::load_cases(&self.folder, &self.protocol)?;
        let sealed = data::sealed(&self.folder, &self.protocol, &cases)?;
        let made = lock::lock(&self.folder, &sealed, why, on)?;
        let purpose = match why {
            Some(why) => format!("recorded a deviation: {why}"),
            None => format!("sealed {} files", made.inputs.len()),
        };
        ledger::append(&self.folder, "lock", &purpose, made.model_hash.as_deref(), &made.root, on)?;
        Ok(made)
    }

    /// The lock, with every input as it was when it was sealed.
    ///
    /// # Errors
    /// As [`lock::verify`]: each file that differs is named.
    pub fn locked(&self) -> Result<(lock::Lock, Cases), Error> {
        // What the lock lists is held against the files before any is read, so that a changed table is named as changed
        // and not by what the change broke. It also hashes each file once.
        let found = lock::read(&self.folder)?;
        let listed = |found: lock::Lock| lock::Sealed {
            study: found.study,
            model: None,
            files: found.inputs.into_iter().map(|input| input.path).collect(),
        };
        let nothing = || lock::Sealed { study: self.protocol.study.id.clone(), model: None, files: Vec::new() };
        let lock = lock::verify(&self.folder, &found.map_or_else(nothing, listed))?;
        let cases = data::load_cases(&self.folder, &self.protocol)?;
        let sealed = data::sealed(&self.folder, &self.protocol, &cases)?;
        let same = sealed.files.iter().eq(lock.inputs.iter().map(|input| &input.path));
        // Where the inputs name other files than the lock lists, this names them.
        let lock = if same { lock } else { lock::verify(&self.folder, &sealed)? };
        Ok((lock, cases))
    }

    /// Makes `readings.csv` from `[design.simulation]`; gives its path and the number of readings.
    ///
    /// # Errors
    /// The protocol declares no simulation; readings are there already and `force` is not given.
    pub fn simulate(&self, force: bool) -> Result<(PathBuf, usize), Error> {
        let fault = |key: &str, found: &str, expected: &str, mend: &str| {
            Error::from(Fault::new(&self.folder.join(PROTOCOL).display().to_string(), found, expected, mend).key(key))
        };
        if self.protocol.design.as_ref().is_none_or(|design| design.simulation.is_none()) {
            return Err(fault(
                "design.simulation",
                "no simulation is declared",
                "the Roe–Metz model's parameters",
                "add [design.simulation], or read real readers' scores in",
            ));
        }
        let path = self.folder.join(data::readings_file(&self.protocol).unwrap_or(data::READINGS));
        if path.exists() && !force {
            return Err(Error::Refused(format!(
                "{} is there already; with --force it is replaced, and a locked study then needs `cadproof lock --amend`",
                path.display()
            )));
        }
        let cases = data::load_cases(&self.folder, &self.protocol)?;
        let made = simulated_readings::simulate(&self.protocol, &cases.truth).map_err(|invalid| {
            fault("design.simulation", &invalid.reason, "a model that can be drawn from", "mend it")
        })?;
        let modalities = self.protocol.design.iter().flat_map(|design| &design.modalities);
        let readings = Readings {
            readers: self.protocol.readers.iter().map(|reader| reader.id.clone()).collect(),
            modalities: modalities.map(|modality| modality.id.clone()).collect(),
            reader: made.iter().map(|reading| reading.reader as u32).collect(),
            modality: made.iter().map(|reading| reading.modality as u32).collect(),
            case: made.iter().map(|reading| reading.case as u32).collect(),
            rating: made.iter().map(|reading| reading.rating).collect(),
            seconds: None,
            session: None,
        };
        write_atomically(&path, &data::readings::write_csv(&readings, &cases))?;
        Ok((path, made.len()))
    }

    /// Estimates all that the protocol declares, and enters the look in the ledger. Writes nothing else: see
    /// [`Study::write`].
    ///
    /// # Errors
    /// Inputs that differ from the lock, predictions that were not made under it, faults of the tables.
    pub fn analyze(&self, on: Option<&str>) -> Result<(Results, StudyData), Error> {
        let (lock, _) = self.locked()?;
        let made = self.predictions_record(&lock)?;
        let data = self.observations()?;
        let model = lock.model_hash.as_deref();
        ledger::append(&self.folder, "analyze", "estimated every endpoint", model, &lock.root, on)?;
        let looks = stamp::looks_up_to_last(ledger::read(&self.folder)?, "analyze", &lock.root);
        let stamp = stamp::stamp(self, &lock, made.as_ref(), &looks)?;
        let results = self.estimate(stamp, &data, made.as_ref())?;
        Ok((results, data))
    }

    fn observations(&self) -> Result<StudyData, Error> {
        data::load(&self.folder, &self.protocol)
    }

    fn estimate(&self, stamp: Stamp, data: &StudyData, run: Option<&RunRecord>) -> Result<Results, Error> {
        let mut results = analyze(&self.protocol, &observe(&self.protocol, data)?, stamp);
        if let Some(report) = run.and_then(|run| run.determinism.as_ref()) {
            let repeats: Vec<Repeat> = report
                .settings
                .iter()
                .map(|setting| {
                    let flipped: BTreeSet<&str> = setting.flipped.iter().map(|flip| flip.case.as_str()).collect();
                    Repeat {
                        batch: setting.batch,
                        threads: setting.threads,
                        cases: report.cases,
                        flips: flipped.len(),
                        largest_change: setting.largest_change,
                    }
                })
                .collect();
            repeatability::add(&mut results, &repeats, report.batch, report.threads);
        }
        Ok(results)
    }

    /// Puts `results.json` and the figures into the folder; figures of an earlier analysis go.
    ///
    /// # Errors
    /// A file that can't be written.
    pub fn write(&self, results: &Results) -> Result<(), Error> {
        let drawn = drawings(results)?;
        write_atomically(&self.folder.join(RESULTS), &render(results)?)?;
        let folder = self.folder.join(FIGURES);
        std::fs::create_dir_all(&folder).map_err(|source| Error::io(&folder, source))?;
        let names: BTreeSet<&str> = drawn.iter().map(|(name, _)| name.as_str()).collect();
        for entry in std::fs::read_dir(&folder).map_err(|source| Error::io(&folder, source))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let ours = name.starts_with("F-") && (name.ends_with(".svg") || name.ends_with(".csv"));
            if ours && !names.contains(name.as_str()) {
                std::fs::remove_file(entry.path()).map_err(|source| Error::io(&entry.path(), source))?;
            }
        }
        for (name, content) in &drawn {
            write_atomically(&folder.join(name), content.as_bytes())?;
        }
        Ok(())
    }

    /// The results as they stand, if they belong to the lock.
    ///
    /// # Errors
    /// No results; results of another lock, protocol, model output or readings.
    pub fn results(&self) -> Result<Results, Error> {
        let (lock, _) = self.locked()?;
        let path = self.folder.join(RESULTS);
        if !path.exists() {
            return Err(Error::Refused(format!("{} is not there; run `cadproof analyze` first", path.display())));
        }
        let results: Results = serde_json::from_slice(&read(&path)?)
            .map_err(|error| Error::Refused(format!("{}: not results of cadproof: {error}", path.display())))?;
        let made = self.predictions_record(&lock)?;
        let expected = stamp::stamp(self, &lock, made.as_ref(), &[])?;
        let found = &results.stamp;
        for (what, found, expected) in [
            ("protocol", Some(&found.protocol_hash), Some(&expected.protocol_hash)),
            ("lock", Some(&found.lock_root), Some(&expected.lock_root)),
            ("model", found.model_hash.as_ref(), expected.model_hash.as_ref()),
            ("predictions", found.predictions_hash.as_ref(), expected.predictions_hash.as_ref()),
            ("readings", found.readings_hash.as_ref(), expected.readings_hash.as_ref()),
        ] {
            if found != expected {
                let shown = |hash: Option<&String>| hash.map_or("none".to_owned(), |hash| format!("{hash:.12}…"));
                return Err(Error::Refused(format!(
                    "{}: made with another {what} ({} there, {} here); run `cadproof analyze` again",
                    path.display(),
                    shown(found),
                    shown(expected)
                )));
            }
        }
        Ok(results)
    }

    /// The reports that the protocol asks for, or those given; `kinds` and `languages` may be empty.
    ///
    /// # Errors
    /// A number that a report needs and `results` does not hold.
    pub fn reports(
        &self,
        results: &Results,
        kinds: &[ReportKind],
        languages: &[Language],
    ) -> Result<Vec<Report>, Error> {
        let declared = &self.protocol.report;
        let kinds = match (kinds, declared.kinds.as_slice(), self.protocol.study.kind) {
            ([], [], StudyKind::Standalone) => &[ReportKind::Standalone][..],
            ([], [], StudyKind::ReaderStudy) => &[ReportKind::Mfds, ReportKind::Fda][..],
            ([], declared, _) => declared,
            (asked, _, _) => asked,
        };
        let languages = match (languages, declared.languages.as_slice()) {
            ([], []) => &[Language::Ko, Language::En][..],
            ([], declared) => declared,
            (asked, _) => asked,
        };
        let mut reports = Vec::new();
        for &kind in kinds {
            for &language in languages {
                let file = report_file(&self.protocol.study.id, kind, language);
                reports.push(Report { file, html: report::render(&self.protocol, results, kind, language)? });
            }
        }
        Ok(reports)
    }
}

/// `<study>-<kind>-<language>.html`
pub fn report_file(study: &str, kind: ReportKind, language: Language) -> String {
    let kind = match kind {
        ReportKind::Standalone => "standalone",
        ReportKind::Mfds => "mfds",
        ReportKind::Fda => "fda",
    };
    let language = match language {
        Language::Ko => "ko",
        Language::En => "en",
    };
    format!("{study}-{kind}-{language}.html")
}

/// `results.json` as it is written.
fn render(results: &Results) -> Result<Vec<u8>, Error> {
    let mut bytes = serde_json::to_vec_pretty(results).map_err(|error| Error::Internal(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Each figure in both languages, and its series once.
fn drawings(results: &Results) -> Result<Vec<(String, String)>, Error> {
    let mut files = Vec::new();
    for (language, word) in [(Language::Ko, "ko"), (Language::En, "en")] {
        for figure in figures::draw_all(results, language)? {
            files.push((format!("{}.{word}.svg", figure.id), figure.svg));
            if language == Language::En {
                files.push((format!("{}.csv", figure.id), figure.csv));
            }
        }
    }
    Ok(files)
}
