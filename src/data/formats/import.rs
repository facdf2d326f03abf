//! Readings of another program into a study folder: `readings.csv`, and `cases.csv` where there is none yet.

use super::collect::Place;
use super::{Columns, Exchange, ReadOptions, StudyTables, delimited, shown};
use crate::error::Error;
use crate::files::write_atomically;
use crate::protocol::{self, Protocol};
use crate::provenance::lock;
use std::path::{Path, PathBuf};

/// What an import wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    pub readings: PathBuf,
    /// `None` where the folder had its cases already; they were held against the file's.
    pub cases: Option<PathBuf>,
    /// What the user should know; see [`Exchange::notes`].
    pub notes: Vec<String>,
}

/// Writes the readings into `folder`. Where it holds a protocol, the names of the files, the truth column, its codes and
/// the direction of the scale are the protocol's; cases that are there must be the file's, with the same truth.
///
/// # Errors
/// [`Error::Refused`] for a locked study, for readings that are there unless `force` is set, for marks with places; faults
/// of the protocol, of the cases, and each case of the readings that the folder's cases do not have or have otherwise.
pub fn import(exchange: &Exchange, folder: &Path, force: bool) -> Result<Imported, Error> {
    if !folder.is_dir() {
        return Err(Error::Refused(format!("{} is no folder; make one by cadproof init", shown(folder))));
    }
    if folder.join(lock::FILE).exists() {
        return Err(Error::Refused(format!(
            "{} is locked ({}): its readings cannot change; import into a new study",
            shown(folder),
            lock::FILE
        )));
    }
    let at = folder.join("study.toml");
    let protocol = if at.exists() { Some(protocol::read(&at)?) } else { None };
    if protocol.as_ref().and_then(|protocol| protocol.design.as_ref()).is_some_and(|design| design.simulation.is_some())
    {
        return Err(Error::Refused(format!(
            "{} declares that its readings are simulated; take design.simulation out before real ones come in",
            shown(&at)
        )));
    }
    let set = protocol.as_ref().map(|protocol| &protocol.test_set);
    let readings = folder.join(set.and_then(|set| set.readings.as_deref()).unwrap_or("readings.csv"));
    let cases = folder.join(set.map_or("cases.csv", |set| set.cases.as_str()));
    if readings.exists() && !force {
        return Err(Error::Refused(format!("{} is there already; --force replaces it", shown(&readings))));
    }
    let mut notes = exchange.notes.clone();
    let tables = tables(protocol.as_ref());
    if tables.suspicious.is_some() && exchange.direction.is_some() && tables.suspicious != exchange.direction {
        notes.push("the protocol's scale runs the other way: every rating was negated".to_owned());
    }
    let (cases_csv, readings_csv) = exchange.to_study(&tables)?;
    let there = cases.exists();
    if there {
        compare_cases(exchange, &cases, protocol.as_ref(), &mut notes)?;
    } else {
        write_atomically(&cases, &cases_csv)?;
        if let Some(patient) = set.and_then(|set| set.patient.as_deref()) {
            notes.push(format!("{} has no column {patient:?} yet, which the protocol names: add it", shown(&cases)));
        }
    }
    notes.extend(protocol.as_ref().map(|protocol| unknown_names(exchange, protocol)).unwrap_or_default());
    write_atomically(&readings, &readings_csv)?;
    Ok(Imported { readings, cases: (!there).then_some(cases), notes })
}

fn tables(protocol: Option<&Protocol>) -> StudyTables<'_> {
    let Some(protocol) = protocol else { return StudyTables::default() };
    let set = &protocol.test_set;
    StudyTables {
        truth: &set.truth,
        positive: &set.positive,
        negative: set.negative.first().map_or("0", String::as_str),
        suspicious: protocol.design.as_ref().map(|design| design.rating_scale.suspicious),
    }
}

/// Every case of the readings stands in the folder's table with the same truth.
fn compare_cases(
    exchange: &Exchange,
    path: &Path,
    protocol: Option<&Protocol>,
    notes: &mut Vec<String>,
) -> Result<(), Error> {
    let mut options = ReadOptions { cases: Some(path.to_owned()), ..ReadOptions::default() };
    if let Some(protocol) = protocol {
        let set = &protocol.test_set;
        options.columns = Columns { truth: set.truth.clone(), ..Columns::default() };
        options.positive = vec![set.positive.clone()];
        options.negative.clone_from(&set.negative);
    }
    let mut check = super::collect::Collector::new(&shown(path), None);
    let truths = delimited::truth_file(&mut check, &options)?;
    check.faults.clone().into_result(())?;
    let whole = Place::line(1);
    for case in &exchange.cases {
        match truths.get(&case.id) {
            None => check.fault(
                &whole,
                format!("no case {:?}, which the imported readings have", case.id),
                "every case of the readings",
                "add the case, or import into a folder without cases",
            ),
            Some(&diseased) if diseased != case.diseased => check.fault(
                &whole,
                format!(
                    "case {:?} is {}, and the other way round in the imported file",
                    case.id,
                    if diseased { "diseased" } else { "not diseased" }
                ),
                "one truth for a case",
                "find out which file is wrong",
            ),
            Some(_) => {}
        }
    }
    let unread = truths.len().saturating_sub(exchange.cases.len());
    if unread > 0 {
        notes.push(format!("{unread} cases of {} are not in the imported file", shown(path)));
    }
    notes.append(&mut check.notes);
    check.faults.into_result(()).map_err(Error::from)
}

/// Readers and modalities that the protocol does not declare yet.
fn unknown_names(exchange: &Exchange, protocol: &Protocol) -> Vec<String> {
    let readers: Vec<&str> = protocol.readers.iter().map(|reader| reader.id.as_str()).collect();
    let modalities: Vec<&str> =
        protocol.design.iter().flat_map(|design| &design.modalities).map(|modality| modality.id.as_str()).collect();
    let mut notes = Vec::new();
    for (kind, found, known) in
        [("reader", &exchange.readers, &readers), ("modality", &exchange.modalities, &modalities)]
    {
        let unknown: Vec<&str> = found.iter().map(String::as_str).filter(|label| !known.contains(label)).collect();
        if !unknown.is_empty() {
            notes.push(format!("study.toml declares no {kind} {}: add it before the lock", unknown.join(", ")));
        }
    }
    notes
}
