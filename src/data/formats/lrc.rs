//! LABMRMC, DBM MRMC and OR-DBM text (`.lrc`, `.txt`): title, first reader, treatment names in double quotes, `L` or `S`
//! for each treatment, then for each reader the non-diseased cases, `*`, the diseased cases, `*`; a reader's name before
//! every block but the first, and `#` after the last. Cases stand in the same order for every reader.
//!
//! The format has no case names. Where every line carries the same remark after its ratings for all readers, the remark is
//! the case's name (cadproof writes it as `case=NAME`); else cases are called N1, N2, … and D1, D2, … , as non-diseased
//! and diseased cases are counted apart.

use super::collect::{Collector, Place};
use super::{Exchange, bad_labels, numbers, refuse, shown, text};
use crate::error::Error;
use crate::fault::Fault;
use crate::protocol::Suspicious;
use crate::stats::mrmc::IndexedReading;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const REMARK: &str = "case=";

/// One case of one reader.
struct Line<'a> {
    number: usize,
    ratings: Vec<f64>,
    remark: &'a str,
}

struct Block<'a> {
    reader: &'a str,
    line: usize,
    /// Non-diseased, then diseased.
    cases: [Vec<Line<'a>>; 2],
}

pub(super) fn read(path: &Path) -> Result<Exchange, Error> {
    let file = shown(path);
    let (content, note) = text::read(path)?;
    let mut rows = Collector::new(&file, note);
    let lines: Vec<(usize, &str)> = text::lines(&content).map(|(number, line)| (number, line.trim())).collect();
    if lines.len() < 5 {
        let found = format!("{} lines", lines.len());
        let expected = "title, reader, treatment names, L or S for each treatment, then the ratings";
        return Err(Fault::new(&file, found, expected, "check that the file is whole").into());
    }
    let modalities = treatment_names(&mut rows, lines[2]);
    let turned = directions(&mut rows, lines[3], modalities.len());
    let blocks = read_blocks(&mut rows, lines[1], &lines[4..], modalities.len());
    check_counts(&mut rows, &blocks);
    rows.faults.clone().into_result(())?;

    let names = case_names(&mut rows, &blocks)?;
    for block in &blocks {
        for (diseased, (cases, names)) in [false, true].into_iter().zip(block.cases.iter().zip(&names)) {
            for (line, name) in cases.iter().zip(names) {
                let place = Place::line(line.number);
                rows.truth(name, diseased, &place, false);
                for ((modality, &rating), &turn) in modalities.iter().zip(&line.ratings).zip(&turned) {
                    let rating = if turn { 0.0 - rating } else { rating };
                    rows.reading(block.reader, modality, name, rating, &place);
                }
            }
        }
    }
    if turned.contains(&true) {
        let which: Vec<&str> =
            modalities.iter().zip(&turned).filter(|(_, turn)| **turn).map(|(modality, _)| modality.as_str()).collect();
        let which = which.join(", ");
        rows.notes
            .push(format!("small ratings are suspicious in {which} (S): negated, so that higher is more suspicious"));
    }
    rows.finish(Some(Suspicious::Higher))
}

fn treatment_names(rows: &mut Collector, (number, line): (usize, &str)) -> Vec<String> {
    let place = Place::line(number);
    let pieces: Vec<&str> = line.split('"').collect();
    // Between quotes stand the odd pieces; the even ones are the blanks around them.
    let outside_is_blank = pieces.iter().step_by(2).all(|piece| piece.trim().is_empty());
    let names: Vec<String> = pieces.iter().skip(1).step_by(2).map(|name| name.trim().to_owned()).collect();
    if pieces.len().is_multiple_of(2) || !outside_is_blank || names.is_empty() || names.iter().any(String::is_empty) {
        rows.fault(
            &place,
            format!("treatment names {line:?}"),
            "every name in double quotes, blanks between",
            "write the line as \"unaided\" \"aided\"",
        );
    }
    let distinct: BTreeSet<&String> = names.iter().collect();
    if distinct.len() < names.len() {
        rows.fault(&place, format!("a treatment twice in {line:?}"), "distinct names", "rename one");
    }
    names
}

/// Whether each treatment's ratings must be turned so that higher is more suspicious.
fn directions(rows: &mut Collector, (number, line): (usize, &str), treatments: usize) -> Vec<bool> {
    let place = Place::line(number);
    let words: Vec<&str> = line.split_whitespace().collect();
    if words.len() != treatments {
        rows.fault(
            &place,
            format!("{} words in {line:?} for {treatments} treatments", words.len()),
            "L (large ratings are suspicious) or S (small ones are) for each treatment",
            "write one for each name of the line above",
        );
    }
    let mut turned = Vec::new();
    for word in words {
        match word.to_uppercase().as_str() {
            "L" | "LARGE" => turned.push(false),
            "S" | "SMALL" => turned.push(true),
            _ => rows.fault(&place, format!("{word:?}"), "L, LARGE, S or SMALL", "correct it"),
        }
    }
    turned
}

fn read_blocks<'a>(
    rows: &mut Collector,
    first_reader: (usize, &'a str),
    lines: &[(usize, &'a str)],
    treatments: usize,
) -> Vec<Block<'a>> {
    let new_block = |(line, reader): (usize, &'a str)| Block { reader, line, cases: [Vec::new(), Vec::new()] };
    let mut blocks = vec![new_block(first_reader)];
    let mut ended = false;
    // 0 and 1: inside the cases of that truth; 2: between two readers.
    let mut state = 0;
    for (at, &(number, line)) in lines.iter().enumerate() {
        let place = Place::line(number);
        match (state, line) {
            (2, "#") => {
                ended = true;
                if lines[at + 1..].iter().any(|(_, rest)| !rest.is_empty()) {
                    rows.notes.push(format!("text after # (line {number}) is not part of the readings"));
                }
                break;
            }
            (2, _) => {
                blocks.push(new_block((number, line)));
                state = 0;
            }
            (_, "*") => state += 1,
            (_, "#") => {
                rows.fault(&place, "# before the second *", "* after the diseased cases, then #", "add the missing *");
                ended = true;
                break;
            }
            _ => {
                if let Some(case) = rating_line(rows, number, line, treatments) {
                    let block = blocks.last_mut().expect("a block was begun");
                    block.cases[state].push(case);
                }
            }
        }
    }
    if !ended {
        let place = Place::line(lines.last().map_or(first_reader.0, |last| last.0));
        rows.fault(
            &place,
            "the file ends here",
            "* after each truth state and # after the last reader",
            "add what is missing",
        );
    }
    blocks
}

fn rating_line<'a>(rows: &mut Collector, number: usize, line: &'a str, treatments: usize) -> Option<Line<'a>> {
    let place = Place::line(number);
    let mut rest = line;
    let mut ratings = Vec::with_capacity(treatments);
    for _ in 0..treatments {
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let Some(rating) = numbers::parse(word) else {
            rows.fault(
                &place,
                if word.is_empty() {
                    format!("{} of {treatments} ratings in {line:?}", ratings.len())
                } else {
                    format!("rating {word:?}")
                },
                "a finite number for every treatment; the format has no way to leave a reading out",
                "correct the line, or use a format that allows missing readings (imrmc, tidy)",
            );
            return None;
        };
        ratings.push(rating);
        rest = after.trim_start();
    }
    let first = rest.split_whitespace().next().unwrap_or_default();
    if numbers::parse(first).is_some() {
        rows.fault(
            &place,
            format!("{first:?} after the {treatments} ratings"),
            "as many ratings as treatments",
            "delete it or name its treatment; if it is the case's name, write case=NAME",
        );
        return None;
    }
    let remark = rest.strip_prefix(REMARK).unwrap_or(rest);
    Some(Line { number, ratings, remark })
}

/// Readers are told apart by their names, and cases by their positions: each reader needs as many as the first.
fn check_counts(rows: &mut Collector, blocks: &[Block<'_>]) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for block in blocks {
        let place = Place::line(block.line);
        if block.reader.is_empty() {
            rows.fault(
                &place,
                "an empty line for a reader's name",
                "the reader's name, or # after the last",
                "fill it in",
            );
        } else if let Some(line) = seen.insert(block.reader, block.line) {
            let found = format!("reader {:?} again; line {line} begins that reader", block.reader);
            rows.fault(&place, found, "one block for a reader", "rename or delete one");
        }
        for (truth, (cases, first)) in
            ["non-diseased", "diseased"].into_iter().zip(block.cases.iter().zip(&blocks[0].cases))
        {
            if cases.len() != first.len() {
                rows.fault(
                    &place,
                    format!(
                        "reader {:?} has {} {truth} cases and reader {:?} has {}",
                        block.reader,
                        cases.len(),
                        blocks[0].reader,
                        first.len()
                    ),
                    "the same cases in the same order for every reader",
                    "find the line that is missing or too many",
                );
            }
        }
    }
}

/// Names of the non-diseased and of the diseased cases.
fn case_names(rows: &mut Collector, blocks: &[Block<'_>]) -> Result<[Vec<String>; 2], Error> {
    let numbered = || {
        let of = |at: usize, prefix: &str| (1..=blocks[0].cases[at].len()).map(|k| format!("{prefix}{k}")).collect();
        [of(0, "N"), of(1, "D")]
    };
    let all = || blocks.iter().flat_map(|block| block.cases.iter().flatten());
    if all().all(|line| line.remark.is_empty()) {
        return Ok(numbered());
    }
    let first: BTreeSet<&str> = blocks[0].cases.iter().flatten().map(|line| line.remark).collect();
    let count: usize = blocks[0].cases.iter().map(Vec::len).sum();
    if first.len() < count || all().any(|line| line.remark.is_empty()) {
        rows.notes
            .push("the remarks after the ratings do not name every case; cases are called N1, …, D1, …".to_owned());
        return Ok(numbered());
    }
    for block in &blocks[1..] {
        for (line, first) in block.cases.iter().flatten().zip(blocks[0].cases.iter().flatten()) {
            if line.remark != first.remark {
                rows.fault(
                    &Place::line(line.number),
                    format!(
                        "{:?} where reader {:?} has {:?} (line {})",
                        line.remark, blocks[0].reader, first.remark, first.number
                    ),
                    "the same case at the same place for every reader",
                    "put the cases in one order, or delete the remarks",
                );
            }
        }
    }
    rows.faults.clone().into_result(())?;
    let of = |at: usize| blocks[0].cases[at].iter().map(|line| line.remark.to_owned()).collect();
    Ok([of(0), of(1)])
}

pub(super) fn bytes(exchange: &Exchange) -> Result<Vec<u8>, Error> {
    let exchange = exchange.higher("LRC")?;
    let mut reasons = bad_labels(&exchange, |label| match label {
        _ if label.trim() != label || label.is_empty() => {
            Some("is empty or has blanks at an end, which the format drops")
        }
        _ if label.contains(['"', '\n', '\r']) => {
            Some("holds a double quote or a line break, which the format takes for an end")
        }
        "*" | "#" => Some("is a mark of the format"),
        _ => None,
    });
    let (readers, modalities, cases) = (exchange.readers.len(), exchange.modalities.len(), exchange.cases.len());
    let cell =
        |row: &IndexedReading| (row.reader as usize * modalities + row.modality as usize) * cases + row.case as usize;
    let mut table: Vec<Option<f64>> = vec![None; readers * modalities * cases];
    for row in &exchange.readings {
        table[cell(row)] = Some(row.rating);
    }
    for (r, reader) in exchange.readers.iter().enumerate() {
        for (m, modality) in exchange.modalities.iter().enumerate() {
            let start = (r * modalities + m) * cases;
            let missing: Vec<&str> =
                (0..cases).filter(|k| table[start + k].is_none()).map(|k| exchange.cases[k].id.as_str()).collect();
            if let Some(first) = missing.first() {
                reasons.push(format!(
                    "reader {reader:?} did not read {} of {cases} cases in modality {modality:?} (the first is {first:?}); \
                     the format needs every reading",
                    missing.len()
                ));
            }
        }
    }
    refuse("LRC (LABMRMC, OR-DBM text)", &reasons)?;
    let mut out = String::from("Readings exported by cadproof\n");
    for (r, reader) in exchange.readers.iter().enumerate() {
        out.push_str(&format!("{reader}\n"));
        if r == 0 {
            let names: Vec<String> = exchange.modalities.iter().map(|name| format!("\"{name}\"")).collect();
            out.push_str(&format!("{}\n{}\n", names.join(" "), vec!["L"; modalities].join(" ")));
        }
        for diseased in [false, true] {
            for (k, case) in exchange.cases.iter().enumerate().filter(|(_, case)| case.diseased == diseased) {
                for m in 0..modalities {
                    let rating = table[(r * modalities + m) * cases + k].expect("no reading is missing: checked above");
                    out.push_str(&format!("{} ", numbers::shown(rating)));
                }
                out.push_str(&format!("{REMARK}{}\n", case.id));
            }
            out.push_str("*\n");
        }
    }
    out.push_str("#\n");
    Ok(out.into_bytes())
}
