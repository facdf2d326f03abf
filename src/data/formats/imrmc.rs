//! iMRMC (FDA, `.imrmc`): a free header, the line `BEGIN DATA:`, then rows `reader,case,modality,score`. A row of reader
//! `-1` is the truth of a case: 0 or 1, whatever its modality. Grammar from the iMRMC user manual, section 4.1.1, and
//! from what its Java program (`InputFile`) does where the two differ.

use super::collect::{Collector, Place, blank_twins};
use super::{Exchange, bad_labels, numbers, refuse, shown, text, truth_code};
use crate::error::Error;
use crate::fault::Fault;
use crate::protocol::Suspicious;
use std::path::Path;

const BEGIN: &str = "BEGIN DATA:";
/// The names under which the Java program and the R package know the rows of truth.
const TRUTH_READERS: [&str; 2] = ["-1", "truth"];

pub(super) fn read(path: &Path) -> Result<Exchange, Error> {
    let file = shown(path);
    let (content, note) = text::read(path)?;
    let mut rows = Collector::new(&file, note);
    let begin = text::lines(&content).find(|(_, line)| line.trim().to_uppercase().starts_with(BEGIN));
    let Some((begin, _)) = begin else {
        let fault = Fault::new(&file, "no line BEGIN DATA:", "the line BEGIN DATA: before the rows", "add the line");
        return Err(fault.into());
    };
    for (line, row) in text::lines(&content).skip(begin).filter(|(_, row)| !row.trim().is_empty()) {
        read_row(&mut rows, row, &Place::line(line));
    }
    let twins = rows.differ_by_blanks();
    for (kind, one, other) in twins {
        rows.fault(
            &Place::line(begin),
            format!("{kind} {one:?} and {kind} {other:?} differ by blanks alone"),
            "labels that differ by more than blanks (the iMRMC program takes blanks out, its manual keeps them)",
            "write one label alike throughout, or rename one",
        );
    }
    check_header(&mut rows, text::lines(&content).take(begin - 1));
    rows.finish(Some(Suspicious::Higher))
}

fn read_row(rows: &mut Collector, row: &str, place: &Place) {
    let fields: Vec<&str> = row.split(',').map(str::trim).collect();
    let [reader, case, modality, score] = fields[..] else {
        rows.fault(
            place,
            format!("{} field{} in {row:?}", fields.len(), if fields.len() == 1 { "" } else { "s" }),
            "four fields with commas between: reader,case,modality,score",
            "correct the row; a label cannot hold a comma",
        );
        return;
    };
    let mut whole = true;
    for (what, label) in [("reader", reader), ("case", case), ("modality", modality)] {
        if label.is_empty() {
            rows.fault(place, format!("an empty {what}"), "a label", "fill it in");
            whole = false;
        }
    }
    let Some(score) = numbers::parse(score) else {
        rows.fault(
            place,
            format!("score {score:?}"),
            "a finite number with a decimal point",
            "correct the score, or leave the row out where nothing was scored",
        );
        return;
    };
    if !whole {
        return;
    }
    if !TRUTH_READERS.contains(&reader) {
        rows.reading(reader, modality, case, score, place);
    } else if score == 0.0 || score == 1.0 {
        rows.truth(case, score == 1.0, place, true);
    } else {
        rows.fault(
            place,
            format!("truth {} of case {case:?}", numbers::shown(score)),
            "0 (not diseased) or 1 (diseased)",
            "correct the truth",
        );
    }
}

/// The sizes that a header may state are checks of the rows.
fn check_header<'a>(rows: &mut Collector, header: impl Iterator<Item = (usize, &'a str)>) {
    let (diseased, non_diseased) = rows.class_counts();
    let sizes = [
        ("N0:", non_diseased, "cases without disease"),
        ("N1:", diseased, "cases with disease"),
        ("NR:", rows.readers().len(), "readers"),
        ("NM:", rows.modalities().len(), "modalities"),
    ];
    for (line, text) in header {
        let upper = text.trim().to_uppercase();
        for (key, found, what) in sizes {
            let Some(value) = upper.strip_prefix(key) else { continue };
            match value.trim().parse::<usize>() {
                Ok(stated) if stated == found => {}
                Ok(stated) => rows.fault(
                    &Place::line(line),
                    format!("the header states {stated} {what}, the rows hold {found}"),
                    "the same number in both",
                    "find the rows that are missing or too many, or correct the header",
                ),
                Err(_) => rows.fault(
                    &Place::line(line),
                    format!("{key} {:?}", value.trim()),
                    "a whole number",
                    "correct it or delete the line",
                ),
            }
        }
    }
}

pub(super) fn bytes(exchange: &Exchange) -> Result<Vec<u8>, Error> {
    let exchange = exchange.higher("iMRMC")?;
    let mut reasons = bad_labels(&exchange, |label| match label {
        _ if label.trim() != label || label.is_empty() => {
            Some("is empty or has blanks at an end, which the format drops")
        }
        _ if label.contains([',', '\n', '\r']) => {
            Some("holds a comma or a line break, which the format takes for an end")
        }
        _ => None,
    });
    for reader in exchange.readers.iter().filter(|reader| TRUTH_READERS.contains(&reader.as_str())) {
        reasons.push(format!("reader {reader:?} is the format's name for the truth"));
    }
    let cases: Vec<String> = exchange.cases.iter().map(|case| case.id.clone()).collect();
    for (kind, labels) in [("reader", &exchange.readers), ("modality", &exchange.modalities), ("case", &cases)] {
        for (one, other) in blank_twins(labels) {
            reasons.push(format!(
                "{kind} {one:?} and {other:?} differ by blanks alone, and the iMRMC program drops blanks"
            ));
        }
    }
    refuse("iMRMC", &reasons)?;
    let (diseased, non_diseased) = exchange.class_counts();
    let mut out = format!(
        "Readings exported by cadproof; a higher score is more suspicious\nN0: {non_diseased}\nN1: {diseased}\nNR: {}\nNM: \
         {}\n{BEGIN}\n",
        exchange.readers.len(),
        exchange.modalities.len()
    );
    for case in &exchange.cases {
        out.push_str(&format!("-1,{},truth,{}\n", case.id, truth_code(case.diseased)));
    }
    for row in &exchange.readings {
        out.push_str(&format!(
            "{},{},{},{}\n",
            exchange.readers[row.reader as usize],
            exchange.cases[row.case as usize].id,
            exchange.modalities[row.modality as usize],
            numbers::shown(row.rating)
        ));
    }
    Ok(out.into_bytes())
}
