//! What the reading of tables must not depend on, and that nothing which is written reads back otherwise.

use crate::config;
use cadproof::data::table::{Table, push_row};
use cadproof::data::{Cases, Readings, cases, load, readings};
use cadproof::error::Error;
use cadproof::protocol::{Suspicious, Template, parse};
use proptest::prelude::*;

const READERS: [&str; 3] = ["R1", "R2", "R3"];
const MODALITIES: [&str; 2] = ["unaided", "aided"];

/// Up to twelve cases in some patients, and each reading there or not; ratings of any size.
fn study() -> impl Strategy<Value = (Cases, Readings)> {
    let case = (any::<bool>(), 0_u32..6, prop::collection::vec(prop::option::of(rating()), 6));
    prop::collection::vec(case, 1..12).prop_map(|rows| {
        let id = (0..rows.len()).map(|at| format!("증례 {at}, \"{at}\"")).collect();
        let patients: Vec<String> = rows.iter().map(|row| format!("p{}", row.1)).collect();
        let cases = Cases::new(id, Some(&patients), rows.iter().map(|row| row.0).collect()).unwrap();
        let mut readings = Readings {
            readers: READERS.map(str::to_owned).to_vec(),
            modalities: MODALITIES.map(str::to_owned).to_vec(),
            reader: Vec::new(),
            modality: Vec::new(),
            case: Vec::new(),
            rating: Vec::new(),
            seconds: Some(Vec::new()),
            session: Some(Vec::new()),
        };
        for (case, row) in (0_u32..).zip(&rows) {
            for (cell, rating) in (0_u32..).zip(&row.2) {
                let Some(rating) = rating else { continue };
                readings.reader.push(cell / 2);
                readings.modality.push(cell % 2);
                readings.case.push(case);
                readings.rating.push(*rating);
                readings.seconds.as_mut().unwrap().push((cell > 1).then_some(rating.abs()));
                readings.session.as_mut().unwrap().push((cell > 2).then(|| format!("s{cell}")));
            }
        }
        (cases, readings)
    })
}

fn rating() -> impl Strategy<Value = f64> {
    prop_oneof![-1e300..1e300, 0.0..1.0, (-5_i8..5).prop_map(f64::from)]
}

fn in_order(readings: &Readings, order: &[usize]) -> Readings {
    let pick = |column: &[u32]| order.iter().map(|&row| column[row]).collect();
    Readings {
        reader: pick(&readings.reader),
        modality: pick(&readings.modality),
        case: pick(&readings.case),
        rating: order.iter().map(|&row| readings.rating[row]).collect(),
        seconds: readings.seconds.as_ref().map(|column| order.iter().map(|&row| column[row]).collect()),
        session: readings.session.as_ref().map(|column| order.iter().map(|&row| column[row].clone()).collect()),
        ..readings.clone()
    }
}

/// A cell as a spreadsheet may hold it, without white space around it.
fn cell() -> impl Strategy<Value = String> {
    "([a-z0-9\"',;|\t 김é\\.\\-]|\n|\r\n){0,8}".prop_map(|text: String| text.trim().to_owned())
}

proptest! {
    #![proptest_config(config(96))]

    #[test]
    fn the_order_of_rows_reaches_no_statistic((cases, readings) in study(), seed in any::<u64>()) {
        prop_assume!(!readings.is_empty());
        let mut order: Vec<usize> = (0..readings.len()).collect();
        order.sort_by_key(|&row| (row as u64 + 1).wrapping_mul(seed | 1));
        let shuffled = in_order(&readings, &order);
        for suspicious in [Suspicious::Higher, Suspicious::Lower] {
            let (one, two) = (readings.to_mrmc(&cases, suspicious).unwrap(), shuffled.to_mrmc(&cases, suspicious).unwrap());
            prop_assert_eq!(one, two);
        }
        prop_assert_eq!(readings::write_csv(&readings, &cases), readings::write_csv(&shuffled, &cases));
    }

    #[test]
    fn what_is_written_reads_back_the_same((cases, readings) in study()) {
        prop_assume!(!readings.is_empty());
        let folder = tempfile::tempdir().unwrap();
        let text = Template::ReaderStudy.files().remove(0).1.replace("minimum = 0, maximum = 100", "minimum = -1e300, maximum = 1e300");
        let protocol = parse(&text, "study.toml").unwrap();
        std::fs::write(folder.path().join("cases.csv"), cases::write_csv(&cases, &protocol.test_set)).unwrap();
        std::fs::write(folder.path().join("readings.csv"), readings::write_csv(&readings, &cases)).unwrap();
        let back = load(folder.path(), &protocol).unwrap();
        prop_assert_eq!((&back.cases.id, &back.cases.truth, &back.cases.patient, &back.cases.patient_names),
            (&cases.id, &cases.truth, &cases.patient, &cases.patient_names));
        let mut order: Vec<usize> = (0..readings.len()).collect();
        order.sort_by_key(|&row| (readings.reader[row], readings.modality[row], readings.case[row]));
        prop_assert_eq!(back.readings.unwrap(), in_order(&readings, &order));
    }

    #[test]
    fn a_repeated_reading_is_always_refused((cases, readings) in study(), which in any::<prop::sample::Index>(), other in rating()) {
        prop_assume!(!readings.is_empty());
        let folder = tempfile::tempdir().unwrap();
        let text = Template::ReaderStudy.files().remove(0).1.replace("minimum = 0, maximum = 100", "minimum = -1e300, maximum = 1e300");
        let protocol = parse(&text, "study.toml").unwrap();
        std::fs::write(folder.path().join("cases.csv"), cases::write_csv(&cases, &protocol.test_set)).unwrap();
        let row = which.index(readings.len());
        let mut order: Vec<usize> = (0..readings.len()).collect();
        order.push(row);
        let mut doubled = in_order(&readings, &order);
        *doubled.rating.last_mut().unwrap() = other;
        std::fs::write(folder.path().join("readings.csv"), readings::write_csv(&doubled, &cases)).unwrap();
        let Err(Error::Input(faults)) = load(folder.path(), &protocol) else { panic!("a duplicate must be refused") };
        let kind = if readings.rating[row] == other { "identical" } else { "conflicting" };
        prop_assert!(faults.len() == 1 && faults.0[0].found.starts_with(kind), "{}", faults);
    }

    /// Against the `csv` crate, on tables that have no blank row.
    #[test]
    fn cells_are_split_as_another_program_splits_them(
        (width, rows) in (1_usize..5).prop_flat_map(|width| (Just(width), prop::collection::vec(prop::collection::vec(cell(), width), 0..12))),
        separator in prop::sample::select(vec![b',', b';', b'\t']),
        line_end in prop::sample::select(vec!["\n", "\r\n"]),
        always in any::<bool>(),
    ) {
        // One column leaves the separator unsaid, so that a comma is taken.
        let separator = if width == 1 { b',' } else { separator };
        let rows: Vec<Vec<String>> = rows.into_iter().filter(|row| row.iter().any(|cell| !cell.is_empty())).collect();
        let style = if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let terminator = if line_end == "\n" { csv::Terminator::Any(b'\n') } else { csv::Terminator::CRLF };
        let mut writer = csv::WriterBuilder::new().delimiter(separator).quote_style(style).terminator(terminator).from_writer(Vec::new());
        let names: Vec<String> = (0..width).map(|at| format!("column {at}")).collect();
        writer.write_record(&names).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let table = Table::from_bytes("x.csv", bytes).unwrap();
        prop_assert_eq!(table.names(), names.as_slice());
        prop_assert_eq!(table.rows(), rows.len());
        let mut line = 2;
        for (at, row) in rows.iter().enumerate() {
            prop_assert_eq!(table.line(at), line);
            for (column, cell) in row.iter().enumerate() {
                prop_assert_eq!(table.cell(at, column), cell.as_str());
            }
            line += 1 + row.iter().map(|cell| cell.matches('\n').count()).sum::<usize>();
        }
    }

    /// And what this project writes, that program reads.
    #[test]
    fn rows_are_written_as_another_program_reads_them(rows in prop::collection::vec(prop::collection::vec(cell(), 3), 1..8)) {
        let mut bytes = Vec::new();
        for row in &rows {
            push_row(&mut bytes, row.iter().map(String::as_str));
        }
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice());
        let back: Vec<Vec<String>> = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        prop_assert_eq!(back, rows);
    }

    #[test]
    fn no_bytes_make_the_reader_fall_over(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "([a-c,;\"\n\r\t é김]|sep=){0,60}") {
        for bytes in [bytes, text.into_bytes()] {
            if let Ok(table) = Table::from_bytes("x.csv", bytes) {
                for row in 0..table.rows() {
                    for column in 0..table.names().len() {
                        let cell = table.cell(row, column);
                        prop_assert_eq!(cell.trim(), cell);
                        prop_assert!(table.fault(row, column, "", "", "").column.is_none_or(|column| column > 0));
                    }
                }
            }
        }
    }
}
