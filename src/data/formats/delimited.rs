//! CSV with one row a reading: the OR-DBM layout (columns by position) and the tidy one (columns by declared name).

use super::collect::{Collector, Place};
use super::{Exchange, ReadOptions, bad_labels, numbers, refuse, shown, text, truth_code, unread_cases};
use crate::error::Error;
use crate::fault::{Fault, nearest};
use crate::protocol::Suspicious;
use std::collections::BTreeMap;
use std::path::Path;

/// A CSV split into fields without their outer blanks, each row with its line.
pub(super) struct Table {
    pub header: Vec<String>,
    pub rows: Vec<(Place, Vec<String>)>,
}

/// The table and a collector that holds the faults of its shape: rows with more or fewer fields than the header are
/// faults and stay out of the table.
pub(super) fn table(path: &Path, delimiter: u8) -> Result<(Table, Collector), Error> {
    let file = shown(path);
    let (content, note) = text::read(path)?;
    let mut collector = Collector::new(&file, note);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(content.as_bytes());
    let mut records = reader.records();
    let fields = |record: &csv::StringRecord| record.iter().map(|field| field.trim().to_owned()).collect();
    let whole = |record: Option<Result<csv::StringRecord, csv::Error>>| {
        record.transpose().map_err(|error| {
            let line = error.position().map_or(1, |at| usize::try_from(at.line()).unwrap_or(usize::MAX));
            Error::from(Fault::new(&file, error.to_string(), "rows of fields", "correct the row").line(line))
        })
    };
    let Some(first) = whole(records.next())? else {
        return Err(Fault::new(&file, "an empty file", "a header and rows", "check the file").into());
    };
    let header: Vec<String> = fields(&first);
    let mut rows = Vec::new();
    while let Some(record) = whole(records.next())? {
        let line = record.position().map_or(0, |at| usize::try_from(at.line()).unwrap_or(usize::MAX));
        let (place, row): (Place, Vec<String>) = (Place::line(line), fields(&record));
        if row.len() == header.len() {
            rows.push((place, row));
        } else if row.iter().any(|field| !field.is_empty()) {
            let found = format!("{} fields under {} column names", row.len(), header.len());
            collector.fault(&place, found, "as many fields as the header has", "correct the row");
        }
    }
    let mut at: BTreeMap<&str, usize> = BTreeMap::new();
    for name in &header {
        *at.entry(name).or_insert(0) += 1;
    }
    for (name, _) in at.into_iter().filter(|(_, times)| *times > 1) {
        let found = format!("column {name:?} more than once");
        collector.fault(&Place::line(1), found, "distinct column names", "rename one");
    }
    Ok((Table { header, rows }, collector))
}

impl Table {
    pub fn find(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// The column, or a fault with the nearest name that is there.
    pub fn need(&self, collector: &mut Collector, name: &str, flag: &str) -> Option<usize> {
        let found = self.find(name);
        if found.is_none() {
            let near = nearest(name, self.header.iter().map(String::as_str));
            let mend = match near {
                Some(near) => format!("rename it, or declare it by --column {flag}={near}"),
                None => format!("add it, or declare which column it is by --column {flag}=NAME"),
            };
            let found = format!("no column {name:?} among {}", self.header.join(", "));
            collector.fault(&Place::line(1), found, "the column that holds it", &mend);
        }
        found
    }
}

/// A field that must not be empty.
pub(super) fn label<'a>(collector: &mut Collector, place: &Place, what: &str, field: &'a str) -> Option<&'a str> {
    if field.is_empty() {
        collector.fault(place, format!("an empty {what}"), "a label", "fill it in");
        return None;
    }
    Some(field)
}

pub(super) fn rating(collector: &mut Collector, place: &Place, what: &str, field: &str) -> Option<f64> {
    let value = numbers::parse(field);
    if value.is_none() {
        collector.fault(
            place,
            format!("{what} {field:?}"),
            "a finite number with a decimal point",
            "correct it, or leave the reading out where nothing was rated",
        );
    }
    value
}

/// Whether a truth code means diseased, by the declared codes.
pub(super) fn truth(collector: &mut Collector, place: &Place, options: &ReadOptions, field: &str) -> Option<bool> {
    if options.positive.iter().any(|code| code == field) {
        return Some(true);
    }
    if options.negative.iter().any(|code| code == field) {
        return Some(false);
    }
    collector.fault(
        place,
        format!("truth {field:?}"),
        &format!("{} (diseased) or {} (not diseased)", options.positive.join(", "), options.negative.join(", ")),
        "correct it, or declare the codes by --positive and --negative",
    );
    None
}

/// The truth of every case from the file that [`ReadOptions::cases`] names.
pub(super) fn truth_file(collector: &mut Collector, options: &ReadOptions) -> Result<BTreeMap<String, bool>, Error> {
    let mut truths = BTreeMap::new();
    let Some(path) = &options.cases else { return Ok(truths) };
    let (table, mut own) = table(path, options.delimiter)?;
    let case = table.need(&mut own, &options.columns.case, "case");
    let code = table.need(&mut own, &options.columns.truth, "truth");
    if let (Some(case), Some(code)) = (case, code) {
        for (place, row) in &table.rows {
            let name = label(&mut own, place, "case", &row[case]);
            let diseased = truth(&mut own, place, options, &row[code]);
            if let (Some(name), Some(diseased)) = (name, diseased) {
                own.truth(name, diseased, place, true);
                truths.insert(name.to_owned(), diseased);
            }
        }
    }
    collector.notes.append(&mut own.notes);
    collector.faults.extend(own.faults);
    Ok(truths)
}

/// Truth of each row: from the table's own column, or from the file of cases.
pub(super) enum TruthSource {
    Column(usize),
    Cases(BTreeMap<String, bool>),
}

pub(super) fn truth_source(
    collector: &mut Collector,
    table: &Table,
    options: &ReadOptions,
) -> Result<Option<TruthSource>, Error> {
    let own = table.find(&options.columns.truth);
    match (own, &options.cases) {
        (Some(_), Some(cases)) => {
            let found = format!("a column {:?} here and a file of cases ({})", options.columns.truth, cases.display());
            collector.fault(
                &Place::line(1),
                found,
                "one source of the truth",
                "leave --cases out, or rename the column",
            );
            Ok(None)
        }
        (Some(column), None) => Ok(Some(TruthSource::Column(column))),
        (None, Some(_)) => Ok(Some(TruthSource::Cases(truth_file(collector, options)?))),
        (None, None) => {
            let found = format!("no column {:?} among {}", options.columns.truth, table.header.join(", "));
            let mend = "declare the column by --column truth=NAME, or a file with case and truth by --cases FILE";
            collector.fault(&Place::line(1), found, "the truth of every case", mend);
            Ok(None)
        }
    }
}

/// Hands the truth of one row's case over to the collector.
pub(super) fn state_truth(
    collector: &mut Collector,
    place: &Place,
    source: &TruthSource,
    case: &str,
    row: &[String],
    options: &ReadOptions,
) {
    match source {
        TruthSource::Column(column) => {
            if let Some(diseased) = truth(collector, place, options, &row[*column]) {
                collector.truth(case, diseased, place, false);
            } else {
                collector.excuse(case, place);
            }
        }
        TruthSource::Cases(truths) => {
            if let Some(&diseased) = truths.get(case) {
                collector.truth(case, diseased, place, false);
            }
        }
    }
}

/// OR-DBM CSV: reader, treatment, case, truth (0 or 1), rating, by position under one line of names.
pub(super) fn read_or_dbm(path: &Path, options: &ReadOptions) -> Result<Exchange, Error> {
    const KNOWN: [(&str, usize); 7] =
        [("reader", 0), ("treatment", 1), ("modality", 1), ("case", 2), ("truth", 3), ("rating", 4), ("score", 4)];
    let (table, mut rows) = table(path, options.delimiter)?;
    if table.header.len() < 5 {
        let found = format!("{} columns: {}", table.header.len(), table.header.join(", "));
        let mend = "add what is missing, or declare the delimiter by --delimiter";
        rows.fault(&Place::line(1), found, "five columns: reader, treatment, case, truth, rating", mend);
        return rows.finish(Some(Suspicious::Higher));
    }
    let faults_of_rows = rows.faults.len();
    for (at, name) in table.header.iter().enumerate() {
        let place = KNOWN.iter().find(|(known, _)| *known == name.to_lowercase()).map(|(_, place)| *place);
        if place.is_some_and(|place| place != at) || (at < 4 && numbers::parse(name).is_some()) {
            rows.fault(
                &Place::line(1),
                format!("{name:?} in column {}", at + 1),
                "a first line of names in the order reader, treatment, case, truth, rating",
                "put the columns in that order, or read the file as tidy with its names declared",
            );
        }
    }
    if rows.faults.len() > faults_of_rows {
        return rows.finish(Some(Suspicious::Higher));
    }
    if table.header.len() > 5 {
        rows.notes.push(format!("not carried over: {}", table.header[5..].join(", ")));
    }
    let codes = ReadOptions::default();
    for (place, row) in &table.rows {
        let reader = label(&mut rows, place, "reader", &row[0]);
        let modality = label(&mut rows, place, "treatment", &row[1]);
        let case = label(&mut rows, place, "case", &row[2]);
        let diseased = truth(&mut rows, place, &codes, &row[3]);
        let value = rating(&mut rows, place, "rating", &row[4]);
        if let (Some(reader), Some(modality), Some(case), Some(diseased), Some(value)) =
            (reader, modality, case, diseased, value)
        {
            rows.truth(case, diseased, place, false);
            rows.reading(reader, modality, case, value, place);
        }
    }
    rows.finish(Some(Suspicious::Higher))
}

/// One row a reading, with the columns that [`ReadOptions::columns`] names, in any order.
pub(super) fn read_tidy(path: &Path, options: &ReadOptions) -> Result<Exchange, Error> {
    let (table, mut rows) = table(path, options.delimiter)?;
    let columns = &options.columns;
    let reader = table.need(&mut rows, &columns.reader, "reader");
    let case = table.need(&mut rows, &columns.case, "case");
    let modality = table.need(&mut rows, &columns.modality, "modality");
    let value = table.need(&mut rows, &columns.rating, "rating");
    let source = truth_source(&mut rows, &table, options)?;
    let (Some(reader), Some(case), Some(modality), Some(value), Some(source)) = (reader, case, modality, value, source)
    else {
        return rows.finish(options.direction);
    };
    let mut used = vec![reader, case, modality, value];
    if let TruthSource::Column(column) = source {
        used.push(column);
    }
    let rest: Vec<&str> =
        table.header.iter().enumerate().filter(|(at, _)| !used.contains(at)).map(|(_, name)| name.as_str()).collect();
    if !rest.is_empty() {
        rows.notes.push(format!("not carried over: {}", rest.join(", ")));
    }
    for (place, row) in &table.rows {
        let reader = label(&mut rows, place, "reader", &row[reader]);
        let name = label(&mut rows, place, "case", &row[case]);
        let modality = label(&mut rows, place, "modality", &row[modality]);
        let value = rating(&mut rows, place, "rating", &row[value]);
        if let Some(name) = name {
            state_truth(&mut rows, place, &source, name, row, options);
        }
        if let (Some(reader), Some(name), Some(modality), Some(value)) = (reader, name, modality, value) {
            rows.reading(reader, modality, name, value, place);
        }
    }
    rows.finish(options.direction)
}

pub(super) fn or_dbm_bytes(exchange: &Exchange) -> Result<Vec<u8>, Error> {
    let exchange = exchange.higher("OR-DBM")?;
    rows_of("OR-DBM CSV", &exchange, ["reader", "treatment", "case", "truth", "rating"], |row, out| {
        let case = &exchange.cases[row.case as usize];
        let (reader, modality) = (&exchange.readers[row.reader as usize], &exchange.modalities[row.modality as usize]);
        out.row(&[reader, modality, &case.id, truth_code(case.diseased), &numbers::shown(row.rating)])
    })
}

pub(super) fn tidy_bytes(exchange: &Exchange) -> Result<Vec<u8>, Error> {
    exchange.refuse_marks("a tidy table")?;
    rows_of("a tidy table", exchange, ["reader", "case", "modality", "truth", "rating"], |row, out| {
        let case = &exchange.cases[row.case as usize];
        let (reader, modality) = (&exchange.readers[row.reader as usize], &exchange.modalities[row.modality as usize]);
        out.row(&[reader, &case.id, modality, truth_code(case.diseased), &numbers::shown(row.rating)])
    })
}

fn rows_of(
    format: &str,
    exchange: &Exchange,
    header: [&str; 5],
    mut row: impl FnMut(&crate::stats::mrmc::IndexedReading, &mut Writer) -> Result<(), Error>,
) -> Result<Vec<u8>, Error> {
    let mut reasons = bad_labels(exchange, blank_ends);
    reasons.extend(unread_cases(exchange));
    refuse(format, &reasons)?;
    let mut out = writer();
    out.row(&header)?;
    for reading in &exchange.readings {
        row(reading, &mut out)?;
    }
    out.bytes()
}

/// What every delimited format of ours loses.
pub(super) fn blank_ends(label: &str) -> Option<&'static str> {
    (label.trim() != label || label.is_empty()).then_some("is empty or has blanks at an end, which the format drops")
}

/// Rows of a CSV in memory; commas and quotes inside a field are quoted.
pub(super) struct Writer(csv::Writer<Vec<u8>>);

pub(super) fn writer() -> Writer {
    Writer(csv::Writer::from_writer(Vec::new()))
}

impl Writer {
    pub fn row(&mut self, fields: &[&str]) -> Result<(), Error> {
        self.0.write_record(fields).map_err(|error| Error::Internal(format!("CSV row: {error}")))
    }

    pub fn bytes(self) -> Result<Vec<u8>, Error> {
        self.0.into_inner().map_err(|error| Error::Internal(format!("CSV: {error}")))
    }
}
