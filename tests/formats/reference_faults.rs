//! The reference faults that come in with a file: duplicates (T09), readers who read other cases (T10), Korean Excel (T20).

use crate::roundtrip::{formats, higher, there_and_back};
use crate::support::path;
use cadproof::data::formats::{Columns, Exchange, Format, ReadOptions, WideLayout, read};
use cadproof::error::Error;
use cadproof::stats::mrmc::fom::FigureOfMerit;

fn scores() -> ReadOptions {
    ReadOptions { columns: Columns { rating: "score".to_owned(), ..Columns::default() }, ..higher() }
}

#[test]
fn t09_a_second_reading_is_refused_with_both_places() {
    let Some(file) = path("faults/inputs/t09_duplicates.csv") else { return };
    let Err(Error::Input(faults)) = read(&file, &Format::TidyCsv, &scores()) else { panic!("duplicates are refused") };
    let found: Vec<(Option<usize>, &str)> = faults.0.iter().map(|fault| (fault.line, fault.found.as_str())).collect();
    let want = [
        (Some(3), "reader \"R1\", case \"C1\", modality \"alone\" again: 80 here, 80 in line 2 (identical)"),
        (Some(5), "reader \"R1\", case \"C2\", modality \"alone\" again: 70 here, 20 in line 4 (conflicting)"),
    ];
    assert_eq!(found, want);
}

#[test]
fn t10_what_a_reader_did_not_read_stays_unread_in_every_format() {
    let Some(file) = path("faults/inputs/t10_split_reading.csv") else { return };
    let exchange = read(&file, &Format::TidyCsv, &scores()).unwrap();
    let areas = |exchange: &Exchange| -> Vec<f64> {
        let data = exchange.to_mrmc().unwrap();
        let area = |reader: usize| {
            let cell = data.cell(0, reader);
            let rows = || cell.cases.iter().zip(cell.ratings);
            let of = |diseased: bool| -> Vec<f64> {
                rows().filter(|(case, _)| data.cases()[**case as usize].diseased == diseased).map(|(_, r)| *r).collect()
            };
            FigureOfMerit::EmpiricalAuc.estimate(&of(true), &of(false)).unwrap()
        };
        (0..data.readers().len()).map(area).collect()
    };
    assert_eq!(areas(&exchange), [0.875, 0.75]);
    let mut held = Vec::new();
    for (format, file) in formats(&exchange.modalities) {
        let Some(back) = there_and_back(&exchange, &format, file) else { continue };
        assert_eq!(areas(&back), [0.875, 0.75], "{file}");
        held.push(format.name());
    }
    assert_eq!(
        held,
        ["imrmc", "or-dbm", "rjafroc", "tidy", "wide", "wide", "wide"],
        "LRC has no way to leave a reading out"
    );
}

#[test]
fn t20_korean_excel_is_read_in_both_encodings() {
    let folder = tempfile::tempdir().unwrap();
    let truths = folder.path().join("truth.csv");
    std::fs::write(&truths, "증례번호,truth\nC001,1\nC002,0\n").unwrap();
    for (name, encoding) in [("t20_bom_quoted.csv", "UTF-8 with a byte order mark"), ("t20_cp949.csv", "CP949")] {
        let Some(file) = path(&format!("faults/inputs/{name}")) else { return };
        let own = str::to_owned;
        let columns = Columns { case: own("증례번호"), reader: own("판독의"), ..Columns::default() };
        let options = ReadOptions { columns, cases: Some(truths.clone()), ..higher() };
        let layout = WideLayout::Modality { modalities: vec!["점수".to_owned()] };
        let exchange =
            read(&file, &Format::WideCsv(layout), &options).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(exchange.readers, ["김영희", "이철수"], "{name}");
        let rows: Vec<(&str, f64)> =
            exchange.readings.iter().map(|row| (exchange.cases[row.case as usize].id.as_str(), row.rating)).collect();
        assert_eq!(rows, [("C001", 85.0), ("C002", 40.0)], "{name}");
        assert!(exchange.notes.iter().any(|note| note.contains(encoding)), "{name}: {:?}", exchange.notes);
        for (format, file) in formats(&exchange.modalities) {
            if let Some(back) = there_and_back(&exchange, &format, file) {
                assert_eq!(back.sorted().readers, exchange.sorted().readers, "{file}");
                assert_eq!(back.sorted().cases, exchange.sorted().cases, "{file}");
            }
        }
    }
}
