//! A free-response study (RJafroc dataset04) as Excel and back: marks, lesions, weights, and the figures of merit.

use crate::roundtrip::{higher, there_and_back};
use crate::support::{Tally, json, path};
use cadproof::data::formats::{Exchange, ExchangeCase, Format, Lesion, Location, Mark, Viewing, bytes};
use cadproof::protocol::Suspicious;
use std::collections::BTreeMap;

fn rows(relative: &str) -> Option<Vec<csv::StringRecord>> {
    let mut reader = csv::Reader::from_path(path(relative)?).expect("opens");
    Some(reader.records().map(|row| row.expect("a row")).collect())
}

fn at(list: &[String], label: &str) -> u32 {
    u32::try_from(list.iter().position(|have| have == label).expect("known")).expect("small")
}

/// `truth.csv` and `marks.csv` of the reference set. Every reader read every case in every modality.
fn dataset() -> Option<Exchange> {
    let truth = rows("mrmc/rjafroc_dataset04_froc/truth.csv")?;
    let marks = rows("mrmc/rjafroc_dataset04_froc/marks.csv")?;
    let mut ids: Vec<String> = Vec::new();
    let mut cases: Vec<ExchangeCase> = Vec::new();
    let mut lesions = Vec::new();
    for row in &truth {
        if !ids.iter().any(|id| id == &row[0]) {
            ids.push(row[0].to_owned());
            cases.push(ExchangeCase { id: row[0].to_owned(), diseased: &row[1] != "0" });
        }
        if &row[1] != "0" {
            let (number, weight) = (row[1].parse().expect("lesion"), row[2].parse().expect("weight"));
            lesions.push(Lesion { case: at(&ids, &row[0]), number, weight });
        }
    }
    let of = |values: [&str; 4]| values.map(str::to_owned).to_vec();
    let readers = of(["1", "3", "4", "5"]);
    let modalities: Vec<String> = (1..=5).map(|m| m.to_string()).collect();
    let marks = marks
        .iter()
        .map(|row| Mark {
            reader: at(&readers, &row[0]),
            case: at(&ids, &row[1]),
            modality: at(&modalities, &row[2]),
            lesion: row[3].parse().ok(),
            rating: row[4].parse().expect("rating"),
        })
        .collect();
    let mut viewings = Vec::new();
    for modality in 0..5 {
        for reader in 0..4 {
            viewings.extend((0..200).map(|case| Viewing { reader, modality, case }));
        }
    }
    let location = Some(Location { lesions, marks, viewings });
    Some(Exchange {
        readers,
        modalities,
        cases,
        readings: Vec::new(),
        location,
        direction: Some(Suspicious::Higher),
        notes: Vec::new(),
    })
}

/// wAFROC: highest mark of each non-diseased case against the lesions' marks, weighted within the case (Chakraborty and
/// Zhai 2016, Medical Physics 43:2264). No mark is below every mark; two of them are a tie.
fn wafroc(exchange: &Exchange, reader: u32, modality: u32, weighted: bool) -> f64 {
    let location = exchange.location.as_ref().expect("marks");
    let mut highest: BTreeMap<u32, f64> = BTreeMap::new();
    let mut hits: BTreeMap<(u32, u32), f64> = BTreeMap::new();
    for mark in location.marks.iter().filter(|mark| mark.reader == reader && mark.modality == modality) {
        match mark.lesion {
            Some(lesion) => {
                hits.insert((mark.case, lesion), mark.rating);
            }
            None => {
                let top = highest.entry(mark.case).or_insert(f64::NEG_INFINITY);
                *top = top.max(mark.rating);
            }
        }
    }
    let normals: Vec<f64> = (0..)
        .zip(&exchange.cases)
        .filter(|(_, case)| !case.diseased)
        .map(|(at, _)| highest.get(&at).copied().unwrap_or(f64::NEG_INFINITY))
        .collect();
    let diseased = exchange.cases.iter().filter(|case| case.diseased).count() as f64;
    let mut sum = 0.0;
    for lesion in &location.lesions {
        let rating = hits.get(&(lesion.case, lesion.number)).copied().unwrap_or(f64::NEG_INFINITY);
        let wins: f64 = normals
            .iter()
            .map(|n| {
                if rating > *n {
                    1.0
                } else if rating == *n {
                    0.5
                } else {
                    0.0
                }
            })
            .sum();
        let weight = if weighted { lesion.weight / diseased } else { 1.0 / location.lesions.len() as f64 };
        sum += weight * wins / normals.len() as f64;
    }
    sum
}

#[test]
fn dataset04_as_excel_and_back() {
    let Some(exchange) = dataset() else { return };
    let mut tally = Tally::new("FROC dataset04 as RJafroc Excel");
    let back = there_and_back(&exchange, &Format::RjafrocXlsx, "froc.xlsx").expect("held").sorted();
    let want = exchange.sorted();
    tally.same("readers", back.readers.clone(), want.readers.clone());
    tally.same("modalities", back.modalities.clone(), want.modalities.clone());
    tally.same("cases", back.cases.clone(), want.cases.clone());
    let (got, wanted) = (back.location.as_ref().unwrap(), want.location.as_ref().unwrap());
    tally.same("marks", got.marks.clone(), wanted.marks.clone());
    tally.same("viewings", got.viewings.clone(), wanted.viewings.clone());
    tally.same("lesions", got.lesions.len(), wanted.lesions.len());
    for (got, wanted) in got.lesions.iter().zip(&wanted.lesions) {
        tally.same("lesion", (got.case, got.number), (wanted.case, wanted.number));
        tally.close("weight", got.weight, wanted.weight, 1e-12, 1.0);
    }
    let expected = json("mrmc/rjafroc_dataset04_froc/expected_rjafroc.json").expect("beside the marks");
    for (name, weighted) in [("wAFROC", true), ("AFROC", false)] {
        for (modality, row) in (0..).zip(expected["froc"][name]["fom_by_modality_reader"].as_array().expect("rows")) {
            for (reader, label) in (0..).zip(&back.readers) {
                let value = row[format!("rdr{label}")].as_f64().expect("figure of merit");
                tally.close(name, wafroc(&back, reader, modality, weighted), value, 1e-10, 1.0);
            }
        }
    }
    // The inferred ROC ratings are those of RJafroc's DfFroc2Roc, which gives 0 to a case without marks.
    let inferred = back.inferred_roc(0.0).expect("0 is below every mark").sorted();
    let rows = rows("mrmc/rjafroc_dataset04_froc/inferred_roc_readings.csv").expect("beside the marks");
    tally.same("inferred readings", inferred.readings.len(), rows.len());
    for row in rows {
        let (reader, case, modality) = (at(&inferred.readers, &row[0]), &row[1], at(&inferred.modalities, &row[2]));
        let found = inferred.readings.iter().find(|reading| {
            reading.reader == reader && reading.modality == modality && inferred.cases[reading.case as usize].id == case
        });
        tally.same("inferred rating", found.map(|reading| reading.rating), row[4].parse().ok());
    }
    tally.finish();
}

#[test]
fn marks_go_into_no_format_of_one_rating_a_case() {
    let Some(exchange) = dataset() else { return };
    for (format, file) in crate::roundtrip::formats(&exchange.modalities) {
        if format == Format::RjafrocXlsx {
            continue;
        }
        let refused = bytes(&exchange, &format).expect_err(file).to_string();
        assert!(refused.contains("3273 marks on 142 lesions"), "{refused}");
        let refused = exchange.inferred_roc(1.0).unwrap_err().to_string();
        assert!(refused.contains("must be below every mark's rating, and the lowest is 1"), "{refused}");
        assert!(there_and_back(&exchange.inferred_roc(0.0).unwrap(), &format, file).is_some(), "{file}");
    }
    assert_eq!(higher().positive, ["1"]);
}
