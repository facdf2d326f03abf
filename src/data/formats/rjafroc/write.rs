//! Readings and marks as an Excel workbook that RJafroc reads (`DfReadDataFile(file, newExcelFileFormat = TRUE)`).

use super::LABEL_COLUMN;
use crate::data::formats::{Exchange, Lesion, Viewing, bad_labels, refuse};
use crate::error::Error;
use crate::stats::mrmc::IndexedReading;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, Worksheet, XlsxError};
use std::collections::{BTreeMap, BTreeSet};

/// The designs that RJafroc has a name for.
#[derive(Clone, Copy, PartialEq)]
enum Layout {
    /// Every reader, every modality, every case.
    Crossed,
    /// Each reader in one modality, every case.
    ReaderInModality,
    /// Each case by one reader, in every modality.
    CaseInReader,
}

pub fn bytes(exchange: &Exchange) -> Result<Vec<u8>, Error> {
    let turned;
    let exchange = if exchange.location.is_some() {
        exchange
    } else {
        turned = exchange.higher("RJafroc")?;
        &turned
    };
    let viewings = exchange.viewings();
    let layout = layout(exchange, &viewings);
    let mut reasons = bad_labels(exchange, |label| match label {
        _ if label.trim() != label || label.is_empty() => {
            Some("is empty or has blanks at an end, which the format drops")
        }
        _ => None,
    });
    for label in exchange.readers.iter().chain(&exchange.modalities).filter(|label| label.contains([',', '(', ')'])) {
        reasons.push(format!("reader or modality {label:?} holds a comma or bracket, which ends a label in TRUTH"));
    }
    if layout.is_none() {
        reasons.push(
            "the readings are neither fully crossed nor readers within modalities (SPLIT-PLOT-A) nor one reader a case \
             (SPLIT-PLOT-C), and RJafroc has no other design; use imrmc or tidy"
                .to_owned(),
        );
    }
    if exchange.cases.len() < 2 {
        reasons.push("TRUTH needs two rows for the paradigm and the design, and there is one case".to_owned());
    }
    refuse("RJafroc Excel", &reasons)?;
    let layout = layout.ok_or_else(|| Error::Internal("a design was just refused".to_owned()))?;
    workbook(exchange, &viewings, layout).map_err(|error| Error::Internal(format!("Excel: {error}")))
}

fn layout(exchange: &Exchange, viewings: &BTreeSet<Viewing>) -> Option<Layout> {
    let (readers, modalities, cases) = (exchange.readers.len(), exchange.modalities.len(), exchange.cases.len());
    if viewings.len() == readers * modalities * cases {
        return Some(Layout::Crossed);
    }
    // One modality a reader, every reader, and as many viewings as that allows at most: every reader read every case.
    let pairs: BTreeSet<(u32, u32)> = viewings.iter().map(|at| (at.reader, at.modality)).collect();
    let seen: BTreeSet<u32> = viewings.iter().map(|at| at.reader).collect();
    if (pairs.len(), seen.len()) == (readers, readers) && viewings.len() == readers * cases {
        return Some(Layout::ReaderInModality);
    }
    // One reader a case, every case, and as many viewings as that allows at most: every modality of every case.
    let pairs: BTreeSet<(u32, u32)> = viewings.iter().map(|at| (at.case, at.reader)).collect();
    let seen: BTreeSet<u32> = viewings.iter().map(|at| at.case).collect();
    let one_reader = (pairs.len(), seen.len()) == (cases, cases);
    (one_reader && viewings.len() == cases * modalities).then_some(Layout::CaseInReader)
}

fn workbook(exchange: &Exchange, viewings: &BTreeSet<Viewing>, layout: Layout) -> Result<Vec<u8>, XlsxError> {
    let ids = case_ids(exchange);
    let mut book = Workbook::new();
    // A fixed date, so that the same readings are the same bytes.
    book.set_properties(&DocProperties::new().set_creation_datetime(&ExcelDateTime::from_ymd(2000, 1, 1)?));
    truth_sheet(book.add_worksheet(), exchange, viewings, layout, &ids)?;
    let label = |list: &[String], at: u32| list[at as usize].clone();
    let mut hits: Vec<(u32, u32, u32, u32, f64)> = Vec::new();
    let mut others: Vec<(u32, u32, u32, f64)> = Vec::new();
    match &exchange.location {
        Some(location) => {
            for mark in &location.marks {
                match mark.lesion {
                    Some(lesion) => hits.push((mark.reader, mark.modality, mark.case, lesion, mark.rating)),
                    None => others.push((mark.reader, mark.modality, mark.case, mark.rating)),
                }
            }
        }
        None => {
            for &IndexedReading { reader, case, modality, rating } in &exchange.readings {
                if exchange.cases[case as usize].diseased {
                    hits.push((reader, modality, case, 1, rating));
                } else {
                    others.push((reader, modality, case, rating));
                }
            }
        }
    }
    let sheet = book.add_worksheet().set_name("TP")?;
    names(sheet, &["ReaderID", "ModalityID", "CaseID", "LesionID", "TP_Rating"])?;
    for (row, (reader, modality, case, lesion, rating)) in (1..).zip(hits) {
        sheet.write_string(row, 0, label(&exchange.readers, reader))?;
        sheet.write_string(row, 1, label(&exchange.modalities, modality))?;
        sheet.write_number(row, 2, ids[case as usize] as f64)?;
        sheet.write_number(row, 3, f64::from(lesion))?;
        sheet.write_number(row, 4, rating)?;
    }
    let sheet = book.add_worksheet().set_name("FP")?;
    names(sheet, &["ReaderID", "ModalityID", "CaseID", "FP_Rating"])?;
    for (row, (reader, modality, case, rating)) in (1..).zip(others) {
        sheet.write_string(row, 0, label(&exchange.readers, reader))?;
        sheet.write_string(row, 1, label(&exchange.modalities, modality))?;
        sheet.write_number(row, 2, ids[case as usize] as f64)?;
        sheet.write_number(row, 3, rating)?;
    }
    book.save_to_buffer()
}

fn names(sheet: &mut Worksheet, names: &[&str]) -> Result<(), XlsxError> {
    for (column, name) in (0..).zip(names) {
        sheet.write_string(0, column, *name)?;
    }
    Ok(())
}

/// RJafroc takes whole numbers for cases: their own labels where all are such, else 1, 2, … with the non-diseased first.
fn case_ids(exchange: &Exchange) -> Vec<u64> {
    // Excel keeps 15 digits of a number.
    let own: Option<Vec<u64>> = exchange
        .cases
        .iter()
        .map(|case| case.id.parse::<u64>().ok().filter(|id| *id < 1_000_000_000_000 && id.to_string() == case.id))
        .collect();
    own.unwrap_or_else(|| {
        let mut ids = vec![0; exchange.cases.len()];
        let order = [false, true]
            .into_iter()
            .flat_map(|diseased| (0..exchange.cases.len()).filter(move |&at| exchange.cases[at].diseased == diseased));
        for (id, at) in (1..).zip(order) {
            ids[at] = id;
        }
        ids
    })
}

/// One row of the sheet's body: the case, its lesion number and weight, readers and modalities.
type TruthRow = (u32, u32, f64, String, String);

fn truth_sheet(
    sheet: &mut Worksheet,
    exchange: &Exchange,
    viewings: &BTreeSet<Viewing>,
    layout: Layout,
    ids: &[u64],
) -> Result<(), XlsxError> {
    sheet.set_name("TRUTH")?;
    names(sheet, &["CaseID", "LesionID", "Weight", "ReaderID", "ModalityID", "Paradigm"])?;
    let labelled = exchange.cases.iter().zip(ids).any(|(case, id)| case.id != id.to_string());
    if labelled {
        sheet.write_string(0, 6, LABEL_COLUMN)?;
    }
    let paradigm = if exchange.location.is_some() { "FROC" } else { "ROC" };
    let design = match layout {
        Layout::Crossed => "FCTRL",
        Layout::ReaderInModality => "SPLIT-PLOT-A",
        Layout::CaseInReader => "SPLIT-PLOT-C",
    };
    for (row, (case, lesion, weight, readers, modalities)) in (1..).zip(truth_rows(exchange, viewings, layout)) {
        sheet.write_number(row, 0, ids[case as usize] as f64)?;
        sheet.write_number(row, 1, f64::from(lesion))?;
        sheet.write_number(row, 2, weight)?;
        sheet.write_string(row, 3, readers)?;
        sheet.write_string(row, 4, modalities)?;
        match row {
            1 => sheet.write_string(row, 5, paradigm)?,
            2 => sheet.write_string(row, 5, design)?,
            _ => sheet,
        };
        if labelled {
            sheet.write_string(row, 6, &exchange.cases[case as usize].id)?;
        }
    }
    Ok(())
}

fn truth_rows(exchange: &Exchange, viewings: &BTreeSet<Viewing>, layout: Layout) -> Vec<TruthRow> {
    let mut lesions: BTreeMap<u32, Vec<(u32, f64)>> = BTreeMap::new();
    for &Lesion { case, number, weight } in exchange.location.iter().flat_map(|location| &location.lesions) {
        lesions.entry(case).or_default().push((number, weight));
    }
    for numbers in lesions.values_mut() {
        numbers.sort_by_key(|(number, _)| *number);
    }
    let case_rows = |readers: &dyn Fn(u32) -> String, modalities: &str| -> Vec<TruthRow> {
        let mut rows = Vec::new();
        for diseased in [false, true] {
            for (case, _) in (0..).zip(&exchange.cases).filter(|(_, case)| case.diseased == diseased) {
                let own = lesions.get(&case).cloned().unwrap_or_else(|| vec![(1, 1.0)]);
                let own = if diseased { own } else { vec![(0, 0.0)] };
                rows.extend(
                    own.into_iter()
                        .map(|(lesion, weight)| (case, lesion, weight, readers(case), modalities.to_owned())),
                );
            }
        }
        rows
    };
    let all_modalities = exchange.modalities.join(", ");
    match layout {
        Layout::Crossed => {
            let readers = exchange.readers.join(", ");
            case_rows(&|_| readers.clone(), &all_modalities)
        }
        Layout::ReaderInModality => {
            let mut rows = Vec::new();
            for (at, modality) in (0..).zip(&exchange.modalities) {
                let own: BTreeSet<u32> =
                    viewings.iter().filter(|viewing| viewing.modality == at).map(|viewing| viewing.reader).collect();
                let own: Vec<&str> = own.into_iter().map(|reader| exchange.readers[reader as usize].as_str()).collect();
                let own = own.join(", ");
                rows.extend(case_rows(&|_| own.clone(), &format!("({modality})")));
            }
            rows
        }
        Layout::CaseInReader => {
            let reader_of: BTreeMap<u32, u32> = viewings.iter().map(|viewing| (viewing.case, viewing.reader)).collect();
            case_rows(&|case| exchange.readers[reader_of[&case] as usize].clone(), &all_modalities)
        }
    }
}
