//! Wide CSV: one row a case with a column for each reader and modality, or one row a reader and case with a column for each
//! modality. How the columns are named is declared ([`WideLayout`]); an empty cell is a case that was not read there.

use super::collect::Place;
use super::delimited::{self, Table, TruthSource};
use super::{Exchange, ReadOptions, bad_labels, numbers, refuse, truth_code};
use crate::error::Error;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How the columns of a wide table are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WideLayout {
    /// One row a case, columns such as `R1.unaided`: reader, separator, modality.
    ReaderModality { separator: String },
    /// One row a case, columns such as `unaided.R1`: modality, separator, reader.
    ModalityReader { separator: String },
    /// One row a reader and case, a column for each modality listed. To write a table the list is taken from the readings.
    Modality { modalities: Vec<String> },
}

impl WideLayout {
    /// `reader.modality`, `modality_reader`, … with whatever stands between as the separator; or `modality`.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str, modalities: &[String]) -> Result<Self, Error> {
        if text == "modality" {
            return Ok(Self::Modality { modalities: modalities.to_vec() });
        }
        let between = |first: &str, second: &str| {
            let separator = text.strip_prefix(first)?.strip_suffix(second)?;
            (!separator.is_empty()).then(|| separator.to_owned())
        };
        if let Some(separator) = between("reader", "modality") {
            return Ok(Self::ReaderModality { separator });
        }
        if let Some(separator) = between("modality", "reader") {
            return Ok(Self::ModalityReader { separator });
        }
        Err(Error::Refused(format!(
            "{text:?} is no layout of a wide table: write reader.modality, modality.reader (with the separator of your \
             columns in place of the dot) or modality"
        )))
    }

    /// Reader and modality of a column name; `None` where it does not follow the layout.
    fn split<'a>(&self, name: &'a str) -> Option<(&'a str, &'a str)> {
        let parts = |separator: &str| {
            let (first, second) = name.split_once(separator)?;
            let once = !second.contains(separator);
            (once && !first.is_empty() && !second.is_empty()).then_some((first, second))
        };
        match self {
            Self::ReaderModality { separator } => parts(separator),
            Self::ModalityReader { separator } => parts(separator).map(|(modality, reader)| (reader, modality)),
            Self::Modality { .. } => None,
        }
    }
}

pub(super) fn read(path: &Path, layout: &WideLayout, options: &ReadOptions) -> Result<Exchange, Error> {
    let (table, mut rows) = delimited::table(path, options.delimiter)?;
    let case = table.need(&mut rows, &options.columns.case, "case");
    let reader = match layout {
        WideLayout::Modality { .. } => table.need(&mut rows, &options.columns.reader, "reader"),
        _ => None,
    };
    let source = delimited::truth_source(&mut rows, &table, options)?;
    let mut taken: Vec<usize> = case.iter().chain(&reader).copied().collect();
    if let Some(TruthSource::Column(column)) = &source {
        taken.push(*column);
    }
    let columns = rating_columns(&mut rows, &table, layout, options, &taken);
    let (Some(case), Some(source)) = (case, source) else { return rows.finish(options.direction) };
    if reader.is_none() && matches!(layout, WideLayout::Modality { .. }) {
        return rows.finish(options.direction);
    }
    let mut read = vec![false; columns.len()];
    for (place, row) in &table.rows {
        let Some(name) = delimited::label(&mut rows, place, "case", &row[case]) else { continue };
        rows.case(name, place);
        delimited::state_truth(&mut rows, place, &source, name, row, options);
        let row_reader = match reader {
            Some(column) => delimited::label(&mut rows, place, "reader", &row[column]),
            None => None,
        };
        if reader.is_some() && row_reader.is_none() {
            continue;
        }
        for (seen, (at, column_reader, modality)) in read.iter_mut().zip(&columns) {
            if row[*at].is_empty() {
                continue;
            }
            *seen = true;
            let cell = Place { line: place.line, key: Some(table.header[*at].clone()) };
            if let Some(value) = delimited::rating(&mut rows, &cell, "rating", &row[*at]) {
                let reader = row_reader.unwrap_or(column_reader);
                rows.reading(reader, modality, name, value, &cell);
            }
        }
    }
    // One row a case: the same case in two rows is a second row even where no column was read in both.
    if reader.is_none() {
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for (place, row) in &table.rows {
            if let Some(line) = first.insert(&row[case], place.line) {
                let found = format!("case {:?} again; line {line} has it", row[case]);
                rows.fault(place, found, "one row a case", "keep one row, or merge the two");
            }
        }
    }
    for (_, (at, _, _)) in read.iter().zip(&columns).filter(|(seen, _)| !**seen) {
        rows.notes.push(format!("column {:?} holds no rating", table.header[*at]));
    }
    rows.finish(options.direction)
}

/// Position, reader (empty where the row names it) and modality of each rating column. A column that is none and is not
/// declared as such is a fault: it may be a misspelt one.
fn rating_columns(
    rows: &mut super::collect::Collector,
    table: &Table,
    layout: &WideLayout,
    options: &ReadOptions,
    taken: &[usize],
) -> Vec<(usize, String, String)> {
    let mut columns = Vec::new();
    for (at, name) in table.header.iter().enumerate() {
        if taken.contains(&at) || options.ignore.contains(name) {
            continue;
        }
        let parts = match layout {
            WideLayout::Modality { modalities } => modalities.contains(name).then(|| (String::new(), name.clone())),
            _ => layout.split(name).map(|(reader, modality)| (reader.to_owned(), modality.to_owned())),
        };
        match parts {
            Some((reader, modality)) => columns.push((at, reader, modality)),
            None => rows.fault(
                &Place::line(1),
                format!("column {name:?}"),
                "only columns of the declared layout",
                "correct the name, or say by --ignore that it holds no ratings",
            ),
        }
    }
    if let WideLayout::Modality { modalities } = layout {
        for modality in modalities.iter().filter(|modality| table.find(modality).is_none()) {
            let found = format!("no column {modality:?} among {}", table.header.join(", "));
            rows.fault(
                &Place::line(1),
                found,
                "a column for every modality declared",
                "correct --modalities or the header",
            );
        }
    }
    for name in options.ignore.iter().filter(|name| table.find(name).is_none()) {
        let found = format!("no column {name:?} among {}", table.header.join(", "));
        rows.fault(&Place::line(1), found, "every column named by --ignore", "correct --ignore or the header");
    }
    if columns.is_empty() && rows.faults.is_empty() {
        rows.fault(&Place::line(1), "no rating column", "at least one", "check the declared layout");
    }
    columns
}

pub(super) fn bytes(exchange: &Exchange, layout: &WideLayout) -> Result<Vec<u8>, Error> {
    exchange.refuse_marks("a wide table")?;
    let mut reasons = bad_labels(exchange, delimited::blank_ends);
    let table: BTreeMap<(u32, u32, u32), f64> =
        exchange.readings.iter().map(|row| ((row.reader, row.modality, row.case), row.rating)).collect();
    let cell = |reader: u32, modality: u32, case: u32| {
        table.get(&(reader, modality, case)).map_or_else(String::new, |rating| numbers::shown(*rating))
    };
    let pairs: BTreeSet<(u32, u32)> = exchange.readings.iter().map(|row| (row.reader, row.modality)).collect();
    let of = |list: &[String], at: u32| list[at as usize].clone();
    let mut out = delimited::writer();
    let separator = match layout {
        WideLayout::ReaderModality { separator } | WideLayout::ModalityReader { separator } => Some(separator),
        WideLayout::Modality { .. } => None,
    };
    if let Some(separator) = separator {
        for (kind, labels) in [("reader", &exchange.readers), ("modality", &exchange.modalities)] {
            for label in labels.iter().filter(|label| label.contains(separator.as_str())) {
                reasons.push(format!("{kind} {label:?} holds the separator {separator:?}; choose another"));
            }
        }
        refuse("a wide table", &reasons)?;
        let name = |&(reader, modality): &(u32, u32)| {
            let (reader, modality) = (of(&exchange.readers, reader), of(&exchange.modalities, modality));
            match layout {
                WideLayout::ModalityReader { .. } => format!("{modality}{separator}{reader}"),
                _ => format!("{reader}{separator}{modality}"),
            }
        };
        let mut header = vec!["case".to_owned(), "truth".to_owned()];
        header.extend(pairs.iter().map(name));
        out.row(&header.iter().map(String::as_str).collect::<Vec<_>>())?;
        for (at, case) in (0..).zip(&exchange.cases) {
            let mut row = vec![case.id.clone(), truth_code(case.diseased).to_owned()];
            row.extend(pairs.iter().map(|&(reader, modality)| cell(reader, modality, at)));
            out.row(&row.iter().map(String::as_str).collect::<Vec<_>>())?;
        }
        return out.bytes();
    }
    for modality in exchange.modalities.iter().filter(|name| ["reader", "case", "truth"].contains(&name.as_str())) {
        reasons.push(format!("modality {modality:?} has the name of another column"));
    }
    reasons.extend(super::unread_cases(exchange));
    refuse("a wide table of one row a reader and case", &reasons)?;
    let mut header = vec!["reader", "case", "truth"];
    header.extend(exchange.modalities.iter().map(String::as_str));
    out.row(&header)?;
    let read: BTreeSet<(u32, u32)> = exchange.readings.iter().map(|row| (row.reader, row.case)).collect();
    for (reader, at) in read {
        let case = &exchange.cases[at as usize];
        let mut row = vec![of(&exchange.readers, reader), case.id.clone(), truth_code(case.diseased).to_owned()];
        row.extend((0..).take(exchange.modalities.len()).map(|modality| cell(reader, modality, at)));
        out.row(&row.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    out.bytes()
}
