//! Readings of another program into a study folder.

use cadproof::data::formats::{Exchange, Format, ReadOptions, import, read};
use cadproof::protocol::{Suspicious, Template, init};
use std::path::Path;

const IMRMC: &str =
    "BEGIN DATA:\n-1,C1,truth,0\n-1,C2,truth,1\nR1,C1,unaided,1\nR1,C2,unaided,2\nR2,C1,aided,1\nR2,C2,aided,3\n";

fn exchange(folder: &Path) -> Exchange {
    let path = folder.join("x.imrmc");
    std::fs::write(&path, IMRMC).unwrap();
    read(&path, &Format::Imrmc, &ReadOptions::default()).unwrap()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn an_empty_folder_gets_both_tables() {
    let folder = tempfile::tempdir().unwrap();
    let exchange = exchange(folder.path());
    let made = import(&exchange, folder.path(), false).unwrap();
    assert_eq!(text(made.cases.as_deref().unwrap()), "case,truth\nC1,0\nC2,1\n");
    assert!(text(&made.readings).starts_with("reader,case,modality,rating\nR1,C1,unaided,1\n"));
    let again = import(&exchange, folder.path(), false).unwrap_err().to_string();
    assert!(again.contains("--force replaces it"), "{again}");
    let forced = import(&exchange, folder.path(), true).unwrap();
    assert_eq!(forced.cases, None, "cases that are there stay");
}

#[test]
fn cases_that_are_there_must_be_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let exchange = exchange(folder.path());
    std::fs::write(folder.path().join("cases.csv"), "case,truth\nC1,1\nC3,0\n").unwrap();
    let faults = import(&exchange, folder.path(), false).unwrap_err().to_string();
    assert!(
        faults.contains("no case \"C2\"") && faults.contains("case \"C1\" is diseased, and the other way"),
        "{faults}"
    );
    assert!(!folder.path().join("readings.csv").exists());
    std::fs::write(folder.path().join("cases.csv"), "case,truth,site\nC1,0,A\nC2,1,B\nC3,0,B\n").unwrap();
    let made = import(&exchange, folder.path(), false).unwrap();
    assert!(made.notes.iter().any(|note| note.starts_with("1 cases of")), "{:?}", made.notes);
}

#[test]
fn a_locked_study_and_a_missing_folder_refuse() {
    let folder = tempfile::tempdir().unwrap();
    let exchange = exchange(folder.path());
    let nowhere = import(&exchange, &folder.path().join("none"), false).unwrap_err().to_string();
    assert!(nowhere.contains("is no folder"), "{nowhere}");
    std::fs::write(folder.path().join("study.lock"), "{}").unwrap();
    let locked = import(&exchange, folder.path(), true).unwrap_err().to_string();
    assert!(locked.contains("is locked") && !folder.path().join("readings.csv").exists(), "{locked}");
}

#[test]
fn the_protocol_says_names_codes_and_direction() {
    let folder = tempfile::tempdir().unwrap();
    let study = folder.path().join("study");
    init(Template::ReaderStudy, &study).unwrap();
    std::fs::remove_file(study.join("cases.csv")).unwrap();
    std::fs::remove_file(study.join("readings.csv")).unwrap();
    let protocol = text(&study.join("study.toml"))
        .replace("cases = \"cases.csv\"", "cases = \"patients.csv\"")
        .replace("truth = \"truth\"", "truth = \"cancer\"")
        .replace("positive = \"1\"", "positive = \"yes\"")
        .replace("negative = [\"0\"]", "negative = [\"no\"]")
        .replace("suspicious = \"higher\"", "suspicious = \"lower\"");
    std::fs::write(study.join("study.toml"), protocol).unwrap();
    let exchange = exchange(folder.path());
    assert_eq!(exchange.direction, Some(Suspicious::Higher));
    let made = import(&exchange, &study, false).unwrap();
    assert_eq!(text(&study.join("patients.csv")), "case,cancer\nC1,no\nC2,yes\n");
    assert!(text(&made.readings).ends_with("R2,C1,aided,-1\nR2,C2,aided,-3\n"));
    assert!(made.notes.iter().any(|note| note.contains("every rating was negated")), "{:?}", made.notes);
    assert!(made.notes.iter().any(|note| note.contains("no column \"patient\" yet")), "{:?}", made.notes);
    assert!(!made.notes.iter().any(|note| note.contains("declares no")), "{:?}", made.notes);
}
