//! Every reference set through every format that can hold it and back: the same readings, and the same statistics as
//! the reference programs give.

use crate::support::{Tally, json, path};
use cadproof::data::formats::{Columns, Exchange, Format, ReadOptions, StudyTables, WideLayout, read, write};
use cadproof::protocol::Suspicious;
use cadproof::stats::mrmc::MrmcData;
use cadproof::stats::mrmc::covariance::CovarianceMethod;
use cadproof::stats::mrmc::fom::FigureOfMerit;
use cadproof::stats::mrmc::obuchowski_rockette::{OrOptions, PartlyCrossed, RandomFactors, obuchowski_rockette};
use serde_json::Value;

pub fn formats(modalities: &[String]) -> Vec<(Format, &'static str)> {
    let own = str::to_owned;
    vec![
        (Format::Imrmc, "x.imrmc"),
        (Format::Lrc, "x.lrc"),
        (Format::OrDbmCsv, "x.csv"),
        (Format::RjafrocXlsx, "x.xlsx"),
        (Format::TidyCsv, "tidy.csv"),
        (Format::WideCsv(WideLayout::ReaderModality { separator: own("|") }), "wide1.csv"),
        (Format::WideCsv(WideLayout::ModalityReader { separator: own(" by ") }), "wide2.csv"),
        (Format::WideCsv(WideLayout::Modality { modalities: modalities.to_vec() }), "wide3.csv"),
    ]
}

pub fn higher() -> ReadOptions {
    ReadOptions { direction: Some(Suspicious::Higher), ..ReadOptions::default() }
}

/// The readings of a reference set, by the tidy reader.
fn reference(set: &str, file: &str) -> Option<Exchange> {
    let file = path(&format!("mrmc/{set}/{file}"))?;
    let options = ReadOptions { columns: Columns { rating: "score".to_owned(), ..Columns::default() }, ..higher() };
    Some(read(&file, &Format::TidyCsv, &options).unwrap_or_else(|fault| panic!("{set}: {fault}")))
}

/// Writes and reads; `None` where the format refuses.
pub fn there_and_back(exchange: &Exchange, format: &Format, file: &str) -> Option<Exchange> {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().join(file);
    match write(exchange, format, &at) {
        Err(refused) => {
            assert!(refused.to_string().contains("cannot hold"), "{refused}");
            assert!(!at.exists(), "a refusal leaves no file");
            None
        }
        Ok(()) => Some(read(&at, format, &higher()).unwrap_or_else(|fault| panic!("{file}: {fault}"))),
    }
}

fn statistics(tally: &mut Tally, at: &str, data: &MrmcData, expected: &Value) {
    for want in expected["single_reader"].as_array().expect("cells") {
        let find =
            |list: &[String], key: &str| list.iter().position(|label| Some(label.as_str()) == want[key].as_str());
        let (reader, modality) =
            (find(data.readers(), "reader").unwrap(), find(data.modalities(), "modality").unwrap());
        let cell = data.cell(modality, reader);
        let of = |diseased: bool| -> Vec<f64> {
            let rows = cell.cases.iter().zip(cell.ratings);
            rows.filter(|(case, _)| data.cases()[**case as usize].diseased == diseased)
                .map(|(_, rating)| *rating)
                .collect()
        };
        let got = FigureOfMerit::EmpiricalAuc.estimate(&of(true), &of(false)).expect("both classes");
        tally.close(&format!("{at} AUC {reader}/{modality}"), got, want["auc"].as_f64().expect("auc"), 1e-12, 1.0);
    }
    for want in expected["or"].as_array().expect("fits") {
        let is = |key: &str, value: &str| want[key].as_str() == Some(value);
        if !is("metric", "auc")
            || !is("cov_method", "jackknife")
            || !is("random", "rrrc")
            || !want["test_diffs"].is_array()
        {
            continue;
        }
        let options = OrOptions {
            fom: FigureOfMerit::EmpiricalAuc,
            covariance: CovarianceMethod::Jackknife,
            random: RandomFactors::ReadersAndCases,
            level: 0.95,
            partly_crossed: PartlyCrossed::AverageCovariances,
        };
        let got = obuchowski_rockette(data, &options).unwrap_or_else(|fault| panic!("{at}: {fault}"));
        for (difference, row) in got.differences.iter().flatten().zip(want["test_diffs"].as_array().expect("list")) {
            let estimate = row["Estimate"].as_f64().expect("estimate");
            tally.close(&format!("{at} OR difference"), difference.estimate, estimate, 1e-9, 1e-6);
        }
    }
}

/// `holds`: which of LRC and RJafroc can hold the set; the other formats hold every one of them.
fn compare(set: &str, lrc: bool, rjafroc: bool) {
    let Some(exchange) = reference(set, "readings.csv") else { return };
    let expected = json(&format!("mrmc/{set}/expected_mrmcaov_proc.json")).expect("beside the readings");
    let mut tally = Tally::new(&format!("formats {set}"));
    let want = exchange.sorted();
    for (format, file) in formats(&exchange.modalities) {
        let held = match format {
            Format::Lrc => lrc,
            Format::RjafrocXlsx => rjafroc,
            _ => true,
        };
        let back = there_and_back(&exchange, &format, file);
        tally.same(&format!("{set} {file} holds it"), back.is_some(), held);
        let Some(back) = back else { continue };
        let got = back.sorted();
        tally.same(&format!("{set} {file} readers"), got.readers, want.readers.clone());
        tally.same(&format!("{set} {file} modalities"), got.modalities, want.modalities.clone());
        tally.same(&format!("{set} {file} cases"), got.cases, want.cases.clone());
        tally.same(&format!("{set} {file} readings"), got.readings, want.readings.clone());
        let data = back.to_mrmc().unwrap_or_else(|fault| panic!("{set} {file}: {fault}"));
        tally.same(&format!("{set} {file} table"), data.clone(), exchange.to_mrmc().expect("valid"));
        statistics(&mut tally, &format!("{set} {file}"), &data, &expected);
    }
    tally.finish();
}

#[test]
fn vandyke() {
    compare("vandyke", true, true);
}

#[test]
fn vandyke_nested() {
    compare("vandyke_case_nested_in_modality", false, false);
    compare("vandyke_case_nested_in_reader", false, true);
    compare("vandyke_reader_nested_in_modality", false, true);
}

#[test]
fn imrmc_example() {
    compare("imrmc_example", true, true);
    compare("imrmc_example_splitplot", false, false);
    compare("imrmc_example_missing", false, false);
}

#[test]
fn viper_split_plot() {
    compare("viper_challenge_high_splitplot", false, false);
}

#[test]
fn one_modality_and_a_device() {
    let Some(exchange) = reference("rjafroc_cad_lroc", "readings.csv") else { return };
    assert!(exchange.notes[0].contains("not carried over: correct_localization_rating"), "{:?}", exchange.notes);
    for (format, file) in formats(&exchange.modalities) {
        let back = there_and_back(&exchange, &format, file).expect("a crossed set");
        assert_eq!(back.sorted().readings, exchange.sorted().readings, "{file}");
        assert_eq!(back.sorted().cases, exchange.sorted().cases, "{file}");
    }
}

#[test]
fn the_same_readings_are_the_same_bytes() {
    let Some(exchange) = reference("vandyke", "readings.csv") else { return };
    for (format, file) in formats(&exchange.modalities) {
        let bytes = || cadproof::data::formats::bytes(&exchange, &format).expect("held");
        assert_eq!(bytes(), bytes(), "{file}");
    }
}

#[test]
fn a_study_and_the_statistics_take_the_readings_over() {
    let Some(exchange) = reference("imrmc_example", "readings.csv") else { return };
    let (cases, readings) = exchange.to_study(&StudyTables::default()).expect("one rating a case");
    let folder = tempfile::tempdir().expect("a folder");
    let (cases_at, readings_at) = (folder.path().join("cases.csv"), folder.path().join("readings.csv"));
    std::fs::write(&cases_at, cases).unwrap();
    std::fs::write(&readings_at, readings).unwrap();
    let options = ReadOptions { cases: Some(cases_at), ..higher() };
    let back = read(&readings_at, &Format::TidyCsv, &options).unwrap();
    assert_eq!(back.sorted().readings, exchange.sorted().readings);
    assert_eq!(back.sorted().cases, exchange.sorted().cases);
    let data = exchange.to_mrmc().unwrap();
    assert_eq!(Exchange::from_mrmc(&data).to_mrmc().unwrap(), data);
}
