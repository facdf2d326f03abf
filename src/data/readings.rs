//! `readings.csv`: one row a reading, its reader, case, modality and rating.

use super::cases::{CaseIndex, Cases, Found, truth_level};
use super::table::{Findings, Table, number_text, push_row};
use crate::error::Error;
use crate::fault::{Fault, nearest};
use crate::protocol::{Protocol, RatingScale, Suspicious};
use crate::stats::mrmc::{Case, IndexedReading, MrmcData};
use rayon::prelude::*;
use std::collections::HashMap;

/// The checked readings, in the order of the file: at most one for each reader, case and modality.
#[derive(Debug, Clone, PartialEq)]
pub struct Readings {
    /// All readers of the protocol, in its order.
    pub readers: Vec<String>,
    /// All modalities of the design, in its order.
    pub modalities: Vec<String>,
    /// Index into `readers`, one a reading.
    pub reader: Vec<u32>,
    /// Index into `modalities`, one a reading.
    pub modality: Vec<u32>,
    /// Index into [`Cases`], one a reading.
    pub case: Vec<u32>,
    /// As it was given, on the declared scale.
    pub rating: Vec<f64>,
    /// Reading time in seconds, >= 0; `None` where the cell is blank.
    pub seconds: Option<Vec<Option<f64>>>,
    pub session: Option<Vec<Option<String>>>,
}

impl Readings {
    pub fn len(&self) -> usize {
        self.rating.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rating.is_empty()
    }

    /// The readings as the statistics take them: higher = more suspicious, so ratings are negated where the declared
    /// scale runs the other way. Patients are clusters where some patient has several cases.
    ///
    /// Readers, modalities and cases that have no reading at all are left out, as nothing is known of them;
    /// [`super::warnings()`] names them. The order is that of the protocol and of the cases, whatever order the rows have.
    ///
    /// # Errors
    /// No reading at all; readings that did not come through the checks of this module.
    pub fn to_mrmc(&self, cases: &Cases, suspicious: Suspicious) -> Result<MrmcData, Error> {
        let (readers, reader_at) = used(&self.readers, &self.reader)?;
        let (modalities, modality_at) = used(&self.modalities, &self.modality)?;
        let (_, case_at) = used(&cases.id, &self.case)?;
        let clustered = cases.is_clustered();
        let read: Vec<usize> = (0..cases.len()).filter(|&case| case_at[case].is_some()).collect();
        let mut patients: Vec<Option<u32>> = vec![None; cases.patient_names.len()];
        let mut next = 0;
        let table = read
            .iter()
            .map(|&case| {
                let patient = *patients[cases.patient[case] as usize].get_or_insert_with(|| {
                    next += 1;
                    next - 1
                });
                Case {
                    label: cases.id[case].clone(),
                    diseased: cases.truth[case],
                    cluster: clustered.then_some(patient),
                }
            })
            .collect();
        let place = |at: &[Option<u32>], index: u32| at.get(index as usize).copied().flatten().unwrap_or(u32::MAX);
        let rows: Vec<IndexedReading> = (0..self.len())
            .map(|row| IndexedReading {
                reader: place(&reader_at, self.reader[row]),
                case: place(&case_at, self.case[row]),
                modality: place(&modality_at, self.modality[row]),
                rating: match suspicious {
                    Suspicious::Higher => self.rating[row],
                    // 0 − x, as −x would make a negative zero of 0
                    Suspicious::Lower => 0.0 - self.rating[row],
                },
            })
            .collect();
        MrmcData::new(readers, modalities, table, &rows).map_err(|error| Error::Refused(format!("readings: {error}")))
    }
}

/// `readings.csv` in its canonical form: rows by reader, modality and case, whatever order the readings have; numbers in
/// the shortest form that reads back as the same number.
pub fn write_csv(readings: &Readings, cases: &Cases) -> Vec<u8> {
    let mut order: Vec<usize> = (0..readings.len()).collect();
    order.sort_by_key(|&row| (readings.reader[row], readings.modality[row], readings.case[row]));
    let mut header = vec!["reader", "case", "modality", "rating"];
    header.extend(readings.seconds.as_ref().map(|_| "seconds"));
    header.extend(readings.session.as_ref().map(|_| "session"));
    let mut csv = Vec::new();
    push_row(&mut csv, header);
    for row in order {
        let rating = number_text(readings.rating[row]);
        let seconds = readings.seconds.as_ref().map(|column| column[row].map(number_text).unwrap_or_default());
        let cells = [
            Some(readings.readers[readings.reader[row] as usize].as_str()),
            Some(cases.id[readings.case[row] as usize].as_str()),
            Some(readings.modalities[readings.modality[row] as usize].as_str()),
            Some(rating.as_str()),
            seconds.as_deref(),
            readings.session.as_ref().map(|column| column[row].as_deref().unwrap_or_default()),
        ];
        push_row(&mut csv, cells.into_iter().flatten());
    }
    csv
}

/// The names that some index points to, in order, and the new index of each.
fn used(names: &[String], indices: &[u32]) -> Result<(Vec<String>, Vec<Option<u32>>), Error> {
    let mut at: Vec<Option<u32>> = vec![None; names.len()];
    for &index in indices {
        let slot = at
            .get_mut(index as usize)
            .ok_or_else(|| Error::Internal(format!("index {index} into {} names", names.len())))?;
        *slot = Some(0);
    }
    for (new, slot) in (0..).zip(at.iter_mut().filter(|slot| slot.is_some())) {
        *slot = Some(new);
    }
    let kept = names.iter().zip(&at).filter(|(_, at)| at.is_some()).map(|(name, _)| name.clone()).collect();
    Ok((kept, at))
}

/// Names of readers or modalities, with the last one found at hand: rows come in runs.
pub(super) struct Names<'a> {
    what: &'static str,
    names: Vec<&'a str>,
    at: HashMap<&'a str, u32>,
    last: Option<u32>,
}

impl<'a> Names<'a> {
    pub fn new(what: &'static str, names: impl IntoIterator<Item = &'a String>) -> Self {
        let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
        Self { what, at: names.iter().copied().zip(0..).collect(), names, last: None }
    }

    /// The index of the name in a cell; one that the protocol does not have is a fault.
    pub fn find(&mut self, table: &Table, row: usize, column: usize, findings: &mut Findings) -> Option<u32> {
        let cell = table.text(row, column, "name it", findings)?;
        if let Some(last) = self.last
            && self.names[last as usize] == cell
        {
            return self.last;
        }
        let at = self.at.get(cell).copied();
        if at.is_some() {
            self.last = at;
            return at;
        }
        findings.add("a name that the protocol does not have", &table.names()[column], table.line(row), |_| {
            let what = self.what;
            let mend = nearest(cell, self.names.iter().copied()).map_or_else(
                || format!("correct the name, or declare the {what} in study.toml"),
                |near| format!("is it {near:?}? Else declare the {what} in study.toml"),
            );
            let expected = if self.names.is_empty() {
                format!("a {what} of study.toml, which declares none")
            } else {
                format!("one of {}", self.names.join(", "))
            };
            table.fault(row, column, format!("unknown {what} {cell:?}"), expected, mend)
        });
        None
    }
}

/// The name of the rating column: `rating`, or `score` where that alone is there.
pub(super) fn rating_name(table: &Table) -> &'static str {
    if table.column("rating").is_none() && table.column("score").is_some() { "score" } else { "rating" }
}

/// A rating on the declared scale.
pub(super) fn rating_on(
    scale: Option<&RatingScale>,
    table: &Table,
    row: usize,
    column: usize,
    findings: &mut Findings,
) -> Option<f64> {
    let mend = "take the row out if the case was not read; what was not read has no row";
    let value = table.number(row, column, mend, findings)?;
    if let Some(scale) = scale
        && !(scale.minimum..=scale.maximum).contains(&value)
    {
        findings.add("a rating outside the declared scale", &table.names()[column], table.line(row), |_| {
            let expected = format!("{} to {} (design.rating_scale)", scale.minimum, scale.maximum);
            table.fault(row, column, format!("rating {value}"), expected, "correct the rating, or the declared scale")
        });
        return None;
    }
    Some(value)
}

/// Reads and checks the readings. A `truth` column is held against the cases' truth where that is without fault.
pub(super) fn read(
    table: &Table,
    protocol: &Protocol,
    index: &CaseIndex,
    found: &Found,
    findings: &mut Findings,
) -> Option<Readings> {
    let required = ["reader", "case", "modality", rating_name(table)];
    let ([reader_at, case_at, modality_at, rating_at], [seconds_at, session_at, truth_at]) =
        table.columns(required, ["seconds", "session", "truth"], false, findings)?;
    let cases = &found.cases;
    let truth_at = truth_at.filter(|_| found.sound);
    let design = protocol.design.as_ref();
    let scale = design.map(|design| &design.rating_scale);
    let modalities = || design.into_iter().flat_map(|design| design.modalities.iter().map(|modality| &modality.id));
    let mut reader_names = Names::new("reader", protocol.readers.iter().map(|reader| &reader.id));
    let mut modality_names = Names::new("modality", modalities());
    let rows = table.rows();
    if rows == 0 {
        let mend = "import the readings, or take the file away until there are some";
        findings.push(Fault::new(&table.file, "no reading", "one row a reading", mend));
    }
    let mut readings = Readings {
        readers: protocol.readers.iter().map(|reader| reader.id.clone()).collect(),
        modalities: modalities().cloned().collect(),
        reader: Vec::with_capacity(rows),
        modality: Vec::with_capacity(rows),
        case: Vec::with_capacity(rows),
        rating: Vec::with_capacity(rows),
        seconds: seconds_at.map(|_| Vec::with_capacity(rows)),
        session: session_at.map(|_| Vec::with_capacity(rows)),
    };
    let mut row_of = Vec::with_capacity(rows);
    for row in 0..rows {
        let reader = reader_names.find(table, row, reader_at, findings);
        let modality = modality_names.find(table, row, modality_at, findings);
        let case = index.find(table, row, case_at, findings);
        let rating = rating_on(scale, table, row, rating_at, findings);
        let seconds = seconds_at.and_then(|at| seconds(table, row, at, findings));
        if let (Some(at), Some(case)) = (truth_at, case) {
            check_truth(table, row, at, protocol, cases, case, findings);
        }
        let (Some(reader), Some(modality), Some(case)) = (reader, modality, case) else { continue };
        row_of.push(row as u32);
        readings.reader.push(reader);
        readings.modality.push(modality);
        readings.case.push(case);
        // A rating that is a fault still takes part in the search for duplicates.
        readings.rating.push(rating.unwrap_or(f64::NAN));
        if let Some(column) = &mut readings.seconds {
            column.push(seconds);
        }
        if let (Some(column), Some(at)) = (&mut readings.session, session_at) {
            let cell = table.cell(row, at);
            column.push((!cell.is_empty()).then(|| cell.to_owned()));
        }
    }
    find_duplicates(table, case_at, &readings, cases, &row_of, findings);
    Some(readings)
}

fn seconds(table: &Table, row: usize, at: usize, findings: &mut Findings) -> Option<f64> {
    if table.cell(row, at).is_empty() {
        return None;
    }
    let value = table.number(row, at, "leave the cell empty", findings)?;
    if value < 0.0 {
        findings.add("a negative time", "seconds", table.line(row), |_| {
            table.fault(row, at, format!("{value} seconds"), "0 or more", "correct the time, or leave the cell empty")
        });
    }
    Some(value)
}

fn check_truth(
    table: &Table,
    row: usize,
    at: usize,
    protocol: &Protocol,
    cases: &Cases,
    case: u32,
    findings: &mut Findings,
) {
    let cell = table.cell(row, at);
    if truth_level(cell, protocol) != Some(cases.truth[case as usize]) {
        findings.add("a truth that is not that of the cases", "truth", table.line(row), |_| {
            let id = &cases.id[case as usize];
            let class = if cases.truth[case as usize] { "positive" } else { "negative" };
            let expected = format!("that of case {id:?} in the cases, which is {class}");
            table.fault(row, at, format!("{cell:?}"), expected, "correct one of the two, or take the column out")
        });
    }
}

/// Every group of rows with one reader, case and modality, with all its lines: never averaged, never the last one wins.
fn find_duplicates(
    table: &Table,
    case_at: usize,
    readings: &Readings,
    cases: &Cases,
    row_of: &[u32],
    findings: &mut Findings,
) {
    let (modalities, count) = (readings.modalities.len() as u64, cases.len() as u64);
    let mut keys: Vec<(u64, u32)> = (0..readings.len())
        .map(|at| {
            let cell = u64::from(readings.reader[at]) * modalities + u64::from(readings.modality[at]);
            (cell * count + u64::from(readings.case[at]), at as u32)
        })
        .collect();
    keys.par_sort_unstable();
    let mut groups: Vec<&[(u64, u32)]> = keys.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1).collect();
    groups.sort_by_key(|group| group[1].1);
    for group in groups {
        let at = |entry: &(u64, u32)| entry.1 as usize;
        let second = row_of[at(&group[1])] as usize;
        findings.add("a reader, case and modality that is there already", "", table.line(second), |_| {
            let first = at(&group[0]);
            let ratings: Vec<f64> = group.iter().map(|entry| readings.rating[at(entry)]).collect();
            let same = ratings.windows(2).all(|pair| pair[0] == pair[1]);
            let list = |items: Vec<String>| match items.split_last() {
                Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
                _ => items.concat(),
            };
            let lines = list(group.iter().map(|entry| table.line(row_of[at(entry)] as usize).to_string()).collect());
            let found = format!(
                "{} readings of reader {:?}, case {:?}, modality {:?} in lines {lines}: {}",
                if same { "identical" } else { "conflicting" },
                readings.readers[readings.reader[first] as usize],
                cases.id[readings.case[first] as usize],
                readings.modalities[readings.modality[first] as usize],
                if same {
                    format!("rating {}", ratings[0])
                } else {
                    format!("ratings {}", list(ratings.iter().map(f64::to_string).collect()))
                },
            );
            let mend =
                if same { "keep one of the rows" } else { "find out which reading counts and take the others out" };
            table.fault(second, case_at, found, "one reading for each reader, case and modality", mend)
        });
    }
}
