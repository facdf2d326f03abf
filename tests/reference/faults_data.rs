//! Faults of data files that users met in other tools: what is refused, and what comes out of what is read.

use crate::support::{Tally, path};
use cadproof::data::table::{Encoding, Table};
use cadproof::data::{self, StudyData};
use cadproof::error::Error;
use cadproof::protocol::{Protocol, Suspicious, Template, parse};
use cadproof::stats::clustered::clustered_auc;
use cadproof::stats::mrmc::{AnalysisMethod, Design, MrmcData};
use cadproof::stats::roc::auc;
use std::collections::BTreeMap;

/// The starting reader study with other readers and arms, and the file `input` as its readings; the cases are what
/// that file says of them.
fn reader_study(input: &str, names: &[(&str, &str)]) -> Option<(tempfile::TempDir, Protocol)> {
    let file = path(input)?;
    let text = std::fs::read_to_string(&file).expect("reference readings");
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut cases = BTreeMap::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        cases.insert(cells[1].to_owned(), cells[3].to_owned());
    }
    let rows: String = cases.iter().map(|(case, truth)| format!("{case},P{case},{truth}\n")).collect();
    std::fs::write(folder.path().join("cases.csv"), format!("case,patient,truth\n{rows}")).expect("cases");
    std::fs::write(folder.path().join("readings.csv"), &text).expect("readings");
    let mut protocol = Template::ReaderStudy.files().remove(0).1;
    for (from, to) in names {
        protocol = protocol.replace(&format!("\"{from}\""), &format!("\"{to}\""));
    }
    Some((folder, parse(&protocol, "study.toml").expect("a valid protocol")))
}

/// DIDSR/iMRMC#8, #191: duplicates passed unseen, the last one won or both counted.
#[test]
fn t09_duplicates_are_refused_with_both_lines() {
    let names = [("unaided", "alone"), ("aided", "cad")];
    let Some((folder, protocol)) = reader_study("faults/inputs/t09_duplicates.csv", &names) else { return };
    let mut tally = Tally::new("T09");
    let Err(Error::Input(faults)) = data::load(folder.path(), &protocol) else { panic!("duplicates must be refused") };
    let found: Vec<(Option<usize>, &str)> = faults.0.iter().map(|fault| (fault.line, fault.found.as_str())).collect();
    tally.same(
        "faults",
        found,
        vec![
            (
                Some(3),
                "identical readings of reader \"R1\", case \"C1\", modality \"alone\" in lines 2 and 3: rating 80",
            ),
            (
                Some(5),
                "conflicting readings of reader \"R1\", case \"C2\", modality \"alone\" in lines 4 and 5: ratings 20 and 70",
            ),
        ],
    );
    tally.finish();
}

/// DIDSR/iMRMC#153: cases that a reader had not read were filled with 0, and areas near .9 came out near .5.
#[test]
fn t10_what_was_not_read_stays_missing() {
    let names = [("unaided", "alone"), ("aided", "cad"), ("R1", "RA"), ("R2", "RB")];
    let Some((folder, protocol)) = reader_study("faults/inputs/t10_split_reading.csv", &names) else { return };
    let mut tally = Tally::new("T10");
    let study = data::load(folder.path(), &protocol).expect("a split reading is no fault");
    let readings = mrmc(&study);
    tally.same("readers", readings.readers(), ["RA", "RB"].map(str::to_owned).as_slice());
    tally.same("readings", readings.len(), 8);
    let areas: Vec<f64> = (0..2)
        .map(|reader| {
            let cell = readings.cell(0, reader);
            let of = |class: bool| -> Vec<f64> {
                let rows = cell.cases.iter().zip(cell.ratings);
                rows.filter(|(case, _)| readings.cases()[**case as usize].diseased == class).map(|(_, &r)| r).collect()
            };
            auc(&of(true), &of(false)).expect("both classes")
        })
        .collect();
    tally.same("AUC of RA", areas[0], 0.875);
    tally.same("AUC of RB", areas[1], 0.75);
    tally.same("reader mean", areas.iter().sum::<f64>() / 2.0, 0.8125);
    tally.same("design", readings.design(), Design::CaseNestedInReader);
    tally.same("DBM refused", readings.design().allows(AnalysisMethod::DorfmanBerbaumMetz).is_err(), true);
    tally.same("U-statistics allowed", readings.design().allows(AnalysisMethod::UStatistic), Ok(()));
    let warnings = data::warnings(&protocol, &study);
    for words in
        ["RA read 4 of 8 planned cases in alone", "RB read 4 of 8 planned cases in alone", "nobody read in cad"]
    {
        tally.same(words, warnings.iter().any(|line| line.contains(words)), true);
    }
    tally.finish();
}

fn mrmc(study: &StudyData) -> MrmcData {
    let readings = study.readings.as_ref().expect("readings");
    readings.to_mrmc(&study.cases, Suspicious::Higher).expect("valid readings")
}

/// DIDSR/iMRMC#147: lesions of one patient were taken for patients. Here the rows go through the study's own files.
#[test]
fn t08_patients_of_the_file_are_the_unit() {
    let Some(file) = path("faults/inputs/t08_clustered_lesions.csv") else { return };
    let mut tally = Tally::new("T08 from files");
    let text = std::fs::read_to_string(file).expect("reference lesions");
    let folder = tempfile::tempdir().expect("temporary folder");
    let (mut cases, mut predictions) = ("case,patient,truth,sex,site\n".to_owned(), "case,score\n".to_owned());
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        cases.push_str(&format!("{}-{},{},{},F,A\n", cells[0], cells[1], cells[0], cells[2]));
        predictions.push_str(&format!("{}-{},{}\n", cells[0], cells[1], cells[3]));
    }
    std::fs::write(folder.path().join("cases.csv"), cases).expect("cases");
    std::fs::write(folder.path().join("predictions.csv"), predictions).expect("predictions");
    let protocol = Template::StandaloneClassification.files().remove(0).1;
    let study = data::load(folder.path(), &parse(&protocol, "study.toml").expect("valid")).expect("no fault");
    tally.same("cases", study.cases.len(), 44);
    tally.same("patients", study.cases.patient_names.len(), 11);
    tally.same("clustered", study.cases.is_clustered(), true);
    let scores = study.predictions.expect("predictions").score;
    let of = |class: bool| -> (Vec<f64>, Vec<u32>) {
        let rows = (0..study.cases.len()).filter(|&case| study.cases.truth[case] == class);
        rows.map(|case| (*scores[case].as_ref().expect("a score"), study.cases.patient[case])).unzip()
    };
    let ((positive, positive_patient), (negative, negative_patient)) = (of(true), of(false));
    let clustered = clustered_auc(&positive, &positive_patient, &negative, &negative_patient, 0.95).expect("estimable");
    tally.close("AUC", clustered.auc, 0.866667, 1e-6, 1.0);
    tally.close("SE by patient", clustered.standard_error, 0.117851, 1e-6, 1.0);
    tally.finish();
}

/// pandas#13497, #4793; kukur#279; brightics/studio#610: the byte order mark stuck to the first name, CP949 was refused.
#[test]
fn t20_files_of_korean_excel_are_read_alike() {
    let mut tally = Tally::new("T20");
    let inputs = [
        ("faults/inputs/t20_bom_quoted.csv", Encoding::Utf8WithBom, 0),
        ("faults/inputs/t20_cp949.csv", Encoding::Cp949, 1),
    ];
    for (input, encoding, notes) in inputs {
        let Some(file) = path(input) else { return };
        let table = Table::from_bytes(input, std::fs::read(file).expect("reference file")).expect("a table");
        tally.same("names", table.names(), ["증례번호", "판독의", "점수"].map(str::to_owned).as_slice());
        let rows: Vec<[&str; 3]> =
            (0..table.rows()).map(|row| [0, 1, 2].map(|column| table.cell(row, column))).collect();
        tally.same("rows", rows, vec![["C001", "김영희", "85"], ["C002", "이철수", "40"]]);
        tally.same("encoding", table.encoding, encoding);
        tally.same("the encoding is told", table.notes.len(), notes);
        let mut bytes = std::fs::read(path(input).expect("found before")).expect("reference file");
        let end = bytes.len() - 4;
        bytes[end] = 0xFF;
        let faults = Table::from_bytes(input, bytes).expect_err("an undecodable byte");
        tally.same("place of a bad byte", (faults.0[0].line, faults.0[0].column), (Some(3), Some(16)));
    }
    tally.finish();
}
