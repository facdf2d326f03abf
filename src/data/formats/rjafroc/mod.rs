//! RJafroc (JAFROC) Excel: sheets `TRUTH`, `FP` (or `NL`) and `TP` (or `LL`). TRUTH has a row for each non-diseased case and
//! for each lesion of a diseased one (CaseID, LesionID, Weight) and, in the newer form, who read it (ReaderID, ModalityID:
//! comma-separated lists) and the paradigm and design in the first two filled cells of the column Paradigm. Columns are
//! found by name. Grammar from the RJafroc documentation of `DfReadDataFile` and the chapter "JAFROC data format" of its
//! Quick Start book.

mod checks;
mod sheet;
mod write;

pub(super) use write::bytes;

use super::collect::Labels;
use super::{Exchange, ExchangeCase, Lesion, Location, Mark, Paradigm, ReadOptions, Viewing, numbers, shown};
use crate::error::Error;
use crate::fault::{Fault, Faults};
use crate::protocol::Suspicious;
use crate::stats::mrmc::IndexedReading;
use calamine::{Reader, Xlsx};
use sheet::{At, Field, Row, Sheet, sheet};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::Path;

/// The name of a case that is no whole number stands in a seventh column, which RJafroc does not read.
const LABEL_COLUMN: &str = "CaseLabel";

pub(super) fn read(path: &Path, options: &ReadOptions) -> Result<Exchange, Error> {
    let file = shown(path);
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(crate::files::read(path)?)).map_err(|error| {
        Error::from(Fault::new(
            &file,
            error.to_string(),
            "an Excel workbook (.xlsx)",
            "save it as .xlsx; .xls is not read",
        ))
    })?;
    let mut faults = Faults::default();
    let sheets =
        [["TRUTH", "TRUTH"], ["FP", "NL"], ["TP", "LL"]].map(|names| sheet(&file, &mut book, names, &mut faults));
    let [Some(truth), Some(fp), Some(tp)] = sheets else {
        return Err(faults
            .into_result(())
            .map_or_else(Error::from, |()| Error::Internal("a sheet went missing".to_owned())));
    };
    let mut study = Study { file: file.clone(), faults, notes: Vec::new(), ..Study::default() };
    let false_marks = study.marks(&fp, false);
    let true_marks = study.marks(&tp, true);
    study.truth(&truth, &false_marks, &true_marks, options);
    study.build(&false_marks, &true_marks)
}

/// A row of FP or TP.
struct MarkRow {
    /// Index into [`Study::readers`].
    reader: u32,
    /// Index into [`Study::modalities`].
    modality: u32,
    /// The CaseID.
    case: String,
    /// 0 in FP.
    lesion: u32,
    rating: f64,
    at: At,
}

#[derive(Default)]
struct CaseRows {
    label: Option<String>,
    /// Number, weight and where each lesion stands; number 0 is a non-diseased case.
    lesions: BTreeMap<u32, (f64, At)>,
    /// Reader and modality pairs by lesion number.
    read: BTreeMap<u32, BTreeSet<(u32, u32)>>,
}

#[derive(Default)]
struct Study {
    file: String,
    faults: Faults,
    notes: Vec<String>,
    paradigm: Option<Paradigm>,
    design: String,
    readers: Labels,
    modalities: Labels,
    /// By CaseID, in order of first appearance.
    order: Vec<String>,
    cases: BTreeMap<String, CaseRows>,
}

impl Study {
    fn fault(&mut self, at: &At, found: impl Into<String>, expected: &str, mend: &str) {
        self.fault_at(&at.address(), at.line(), found, expected, mend);
    }

    fn fault_at(&mut self, key: &str, row: usize, found: impl Into<String>, expected: &str, mend: &str) {
        self.faults.push(Fault::new(&self.file, found, expected, mend).line(row).key(key));
    }

    fn whole(&mut self, field: &Field, what: &str) -> Option<u32> {
        let value = field.text.parse::<u32>().ok();
        if value.is_none() {
            self.fault(&field.at, format!("{what} {:?}", field.text), "a whole number from 0", "correct it");
        }
        value
    }

    fn number(&mut self, field: &Field, what: &str) -> Option<f64> {
        let value = numbers::parse(&field.text);
        if value.is_none() {
            self.fault(
                &field.at,
                format!("{what} {:?}", field.text),
                "a finite number",
                "correct it or delete the row",
            );
        }
        value
    }

    fn label(&mut self, field: &Field, what: &str) -> Option<String> {
        if field.text.is_empty() {
            self.fault(&field.at, format!("an empty {what}"), "a label", "fill it in, or delete the row");
            return None;
        }
        Some(field.text.clone())
    }

    /// The rows of FP or TP.
    fn marks(&mut self, sheet: &Sheet, hits: bool) -> Vec<MarkRow> {
        let (rating_names, lesion): (&[&str], &[&str]) = if hits {
            (&["TP_Rating", "LL_Rating", "Rating"], &["LesionID"])
        } else {
            (&["FP_Rating", "NL_Rating", "Rating"], &["no lesion in FP"])
        };
        let columns: [&[&str]; 5] = [&["ReaderID"], &["ModalityID"], &["CaseID"], rating_names, lesion];
        let Some(rows) = sheet.rows(&columns, if hits { 5 } else { 4 }, self) else { return Vec::new() };
        let mut marks = Vec::new();
        for row in rows {
            let [Some(reader), Some(modality), Some(case), Some(rating), lesion] = &row[..] else { continue };
            let labels =
                (self.label(reader, "ReaderID"), self.label(modality, "ModalityID"), self.label(case, "CaseID"));
            let value = self.number(rating, "rating");
            let number = match lesion {
                Some(field) if hits => self.whole(field, "LesionID"),
                _ => Some(0),
            };
            if let ((Some(reader), Some(modality), Some(case)), Some(rating_value), Some(lesion)) =
                (labels, value, number)
            {
                let (reader, modality) = (self.readers.index(&reader), self.modalities.index(&modality));
                marks.push(MarkRow { reader, modality, case, lesion, rating: rating_value, at: rating.at.clone() });
            }
        }
        marks
    }

    fn truth(&mut self, sheet: &Sheet, fp: &[MarkRow], tp: &[MarkRow], options: &ReadOptions) {
        let columns: [&[&str]; 7] = [
            &["CaseID"],
            &["LesionID"],
            &["Weight", "Weights"],
            &["ReaderID"],
            &["ModalityID"],
            &["Paradigm"],
            &[LABEL_COLUMN],
        ];
        let Some(rows) = sheet.rows(&columns, 3, self) else { return };
        let there = rows.first().map_or(0, |row| row[3..6].iter().flatten().count());
        let newer = there == 3;
        if !newer && there > 0 {
            self.fault_at(
                &sheet.name,
                1,
                "some of ReaderID, ModalityID and Paradigm, not all",
                "all three columns (the newer form) or none (the older)",
                "add what is missing",
            );
            return;
        }
        self.paradigm(&sheet.name, &rows, newer, options);
        let (readers, modalities): (BTreeSet<u32>, BTreeSet<u32>) =
            fp.iter().chain(tp).map(|mark| (mark.reader, mark.modality)).unzip();
        for row in &rows {
            let [Some(case), Some(lesion), Some(weight), ..] = &row[..] else { continue };
            let parsed = (self.label(case, "CaseID"), self.whole(lesion, "LesionID"), self.number(weight, "Weight"));
            let (Some(name), Some(number), Some(value)) = parsed else { continue };
            let (row_readers, row_modalities) = match (newer, &row[3], &row[4]) {
                (true, Some(r), Some(m)) => {
                    let (r, m) = (self.list(r, "ReaderID"), self.list(m, "ModalityID"));
                    let readers = r.iter().map(|label| self.readers.index(label)).collect();
                    (readers, m.iter().map(|label| self.modalities.index(label)).collect())
                }
                _ => (readers.clone(), modalities.clone()),
            };
            let label = row[6].as_ref().filter(|field| !field.text.is_empty()).map(|field| field.text.clone());
            self.truth_row(&name, label, (number, value, &lesion.at), (&row_readers, &row_modalities));
        }
        self.check_cases();
    }

    fn paradigm(&mut self, sheet: &str, rows: &[Row], newer: bool, options: &ReadOptions) {
        if !newer {
            self.paradigm = options.paradigm;
            self.notes.push(
                "the TRUTH sheet has the older form (no ReaderID, ModalityID, Paradigm): every reader is taken to have read \
                 every case in every modality"
                    .to_owned(),
            );
            if options.paradigm.is_none() {
                self.fault_at(
                    sheet,
                    1,
                    "a TRUTH sheet without ReaderID, ModalityID and Paradigm",
                    "the paradigm of the data",
                    "add the three columns, or declare --paradigm roc or --paradigm froc",
                );
            }
            return;
        }
        let filled: Vec<Field> =
            rows.iter().filter_map(|row| row[5].clone()).filter(|field| !field.text.is_empty()).collect();
        let [paradigm, design, ..] = &filled[..] else {
            let expected = "the paradigm and, below it, the design in the column Paradigm";
            self.fault_at(sheet, 2, format!("{} filled cells", filled.len()), expected, "write ROC or FROC, and FCTRL");
            return;
        };
        match paradigm.text.to_uppercase().as_str() {
            "ROC" => self.paradigm = Some(Paradigm::Roc),
            "FROC" => self.paradigm = Some(Paradigm::Froc),
            other => {
                self.fault(&paradigm.at, format!("paradigm {other:?}"), "ROC or FROC", "LROC and ROI data are not read")
            }
        }
        self.design = match design.text.to_uppercase().as_str() {
            "FCTRL" | "CROSSED" => "FCTRL".to_owned(),
            known @ ("SPLIT-PLOT" | "SPLIT-PLOT-A" | "SPLIT-PLOT-C") => known.to_owned(),
            other => {
                let expected = "FCTRL, SPLIT-PLOT-A or SPLIT-PLOT-C";
                self.fault(
                    &design.at,
                    format!("design {other:?}"),
                    expected,
                    "correct it; crossed modalities are not read",
                );
                String::new()
            }
        };
    }

    /// The labels of a list such as `0, 1, 2` or, for a nested factor, `(1), (2)`.
    fn list(&mut self, field: &Field, what: &str) -> BTreeSet<String> {
        let mut labels = BTreeSet::new();
        for part in field.text.split(',') {
            let label = part.trim();
            let label = label.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(label).trim();
            if label.is_empty() {
                let mend = "list the labels with commas between; format the cell as text";
                self.fault(&field.at, format!("{what} {:?}", field.text), "labels with commas between", mend);
            } else if !labels.insert(label.to_owned()) {
                self.fault(
                    &field.at,
                    format!("{label:?} twice in {what} {:?}", field.text),
                    "each label once",
                    "delete one",
                );
            }
        }
        labels
    }

    fn truth_row(
        &mut self,
        name: &str,
        label: Option<String>,
        (number, weight, at): (u32, f64, &At),
        (readers, modalities): (&BTreeSet<u32>, &BTreeSet<u32>),
    ) {
        if !self.cases.contains_key(name) {
            self.order.push(name.to_owned());
        }
        let case = self.cases.entry(name.to_owned()).or_default();
        let relabelled = case.label.is_some() && label.is_some() && case.label != label;
        case.label = case.label.take().or(label);
        let earlier = case.lesions.get(&number).cloned();
        let read = case.read.entry(number).or_default();
        // A row of the same lesion again is a split plot where it adds readers or modalities, else a duplicate.
        let mut repeated = earlier.is_some() && (readers.is_empty() || modalities.is_empty());
        for &reader in readers {
            for &modality in modalities {
                repeated |= !read.insert((reader, modality));
            }
        }
        match earlier {
            None => {
                case.lesions.insert(number, (weight, at.clone()));
            }
            Some((_, first)) if repeated => {
                let found = format!("case {name}, lesion {number} again; {} has it", first.address());
                self.fault(at, found, "one row for a case and lesion (or other readers or modalities)", "delete one");
            }
            Some((first_weight, first)) if (first_weight - weight).abs() > f64::EPSILON => {
                let found =
                    format!("weight {weight} of case {name}, lesion {number}; {} has {first_weight}", first.address());
                self.fault(at, found, "one weight for a lesion", "correct one");
            }
            Some(_) => {}
        }
        if relabelled {
            self.fault(at, format!("case {name} has another CaseLabel here"), "one label for a case", "correct one");
        }
    }

    fn build(mut self, fp: &[MarkRow], tp: &[MarkRow]) -> Result<Exchange, Error> {
        // A TRUTH sheet that could not be read is a fault already; every mark would be another.
        if !self.order.is_empty() {
            self.check_marks(fp, tp);
        }
        self.check_design();
        if self.paradigm == Some(Paradigm::Roc) {
            self.check_roc(fp, tp);
        }
        if self.order.is_empty() && self.faults.is_empty() {
            self.fault_at("TRUTH", 2, "no case", "at least one row", "fill the sheet");
        }
        let labels: Vec<String> =
            self.order.iter().map(|name| self.cases[name].label.clone().unwrap_or_else(|| name.clone())).collect();
        let mut first: BTreeMap<&String, &String> = BTreeMap::new();
        let mut twice = Vec::new();
        for (label, name) in labels.iter().zip(&self.order) {
            if let Some(earlier) = first.insert(label, name) {
                twice.push(format!("cases {earlier} and {name} are both labelled {label:?}"));
            }
        }
        for found in twice {
            self.fault_at("TRUTH", 1, found, "distinct labels", "correct the column CaseLabel");
        }
        self.faults.clone().into_result(())?;

        let case_at: BTreeMap<&String, u32> = self.order.iter().zip(0..).collect();
        let cases = self
            .order
            .iter()
            .zip(labels)
            .map(|(name, id)| ExchangeCase { id, diseased: !self.cases[name].lesions.contains_key(&0) })
            .collect();
        let marks: Vec<Mark> = fp
            .iter()
            .chain(tp)
            .map(|mark| Mark {
                reader: mark.reader,
                modality: mark.modality,
                case: case_at[&mark.case],
                lesion: (mark.lesion > 0).then_some(mark.lesion),
                rating: mark.rating,
            })
            .collect();
        if marks.iter().any(|mark| mark.rating == -2000.0) {
            self.notes.push("a rating of -2000 is what RJafroc writes for a case that was not rated".to_owned());
        }
        let mut exchange = Exchange {
            readers: self.readers.list.clone(),
            modalities: self.modalities.list.clone(),
            cases,
            readings: Vec::new(),
            location: None,
            direction: Some(Suspicious::Higher),
            notes: self.notes.clone(),
        };
        if self.paradigm == Some(Paradigm::Roc) {
            exchange.readings = marks
                .iter()
                .map(|mark| IndexedReading {
                    reader: mark.reader,
                    case: mark.case,
                    modality: mark.modality,
                    rating: mark.rating,
                })
                .collect();
            return Ok(exchange);
        }
        let mut location = Location { marks, ..Location::default() };
        for (name, &case) in self.order.iter().map(|name| (name, &case_at[name])) {
            let rows = &self.cases[name];
            let lesions = rows.lesions.iter().filter(|(number, _)| **number > 0);
            location.lesions.extend(lesions.map(|(&number, &(weight, _))| Lesion { case, number, weight }));
            let read = rows.read.values().next().into_iter().flatten();
            location.viewings.extend(read.map(|&(reader, modality)| Viewing { reader, modality, case }));
        }
        exchange.location = Some(location);
        Ok(exchange)
    }
}
