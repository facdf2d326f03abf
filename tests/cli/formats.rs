//! `cadproof convert` and `cadproof import`.

use crate::support::{done, edit, say};
use std::path::Path;

const IMRMC: &str = "A study\nBEGIN DATA:\n-1,C1,truth,0\n-1,C2,truth,1\n-1,C3,truth,1\nR1,C1,a,1\nR1,C2,a,2\nR1,C3,a,2.5\n\
                     R1,C1,b,1\nR1,C2,b,3\nR1,C3,b,4\nR2,C1,a,2\nR2,C2,a,1\nR2,C3,a,5\nR2,C1,b,1\nR2,C2,b,3\nR2,C3,b,4\n";

fn rows(folder: &Path, file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let mut rows: Vec<String> =
        text.lines().skip_while(|line| *line != "BEGIN DATA:").skip(1).map(str::to_owned).collect();
    rows.sort();
    rows
}

#[test]
fn readings_go_round_through_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("a.imrmc"), IMRMC).unwrap();
    done(&["convert", "a.imrmc", "b.lrc"], at);
    done(&["convert", "b.lrc", "c.xlsx"], at);
    done(&["convert", "c.xlsx", "d.csv", "--to", "or-dbm"], at);
    done(&["convert", "d.csv", "e.csv", "--from", "or-dbm", "--to", "wide", "--to-layout", "reader.modality"], at);
    done(&["convert", "e.csv", "f.csv", "--from", "wide", "--layout", "reader.modality", "--to", "tidy"], at);
    let said = say(&["convert", "f.csv", "g.imrmc", "--from", "tidy"], at);
    assert!(said.code == 2 && said.err.contains("--suspicious higher"), "{}", said.err);
    let said = done(&["convert", "f.csv", "g.imrmc", "--from", "tidy", "--suspicious", "higher"], at);
    assert!(
        said.out.contains("g.imrmc (imrmc): 12 readings, 2 readers, 2 modalities, 3 cases (2 diseased)"),
        "{}",
        said.out
    );
    assert_eq!(rows(at, "g.imrmc"), rows(at, "a.imrmc"));
    let said = say(&["convert", "a.imrmc", "b.lrc"], at);
    assert!(said.code == 2 && said.err.contains("b.lrc is there already; --force replaces it"), "{}", said.err);
    let json = done(&["convert", "a.imrmc", "b.lrc", "--force", "--json"], at).json();
    assert_eq!((&json["format"], &json["readings"], &json["diseased"]), (&"lrc".into(), &12.into(), &2.into()));
}

#[test]
fn a_format_is_named_and_every_fault_listed() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("a.csv"), "reader,case,modality,truth,rating\nR1,C1,a,9,1\nR1,C1,a,1,x\n").unwrap();
    let said = say(&["convert", "a.csv", "b.imrmc"], at);
    assert!(said.code == 2 && said.err.contains("say which by --from"), "{}", said.err);
    let said = say(&["convert", "a.csv", "b.imrmc", "--from", "tidi"], at);
    assert!(said.code == 2 && said.err.contains("did you mean tidy?"), "{}", said.err);
    let said = say(&["convert", "a.csv", "b.imrmc", "--from", "tidy", "--suspicious", "higher"], at);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("a.csv:2: truth \"9\"") && said.err.contains("a.csv:3: rating \"x\""), "{}", said.err);
    assert!(said.err.contains("2 faults in the input") && !at.join("b.imrmc").exists(), "{}", said.err);
    let json = say(&["convert", "a.csv", "b.imrmc", "--from", "tidy", "--json"], at).json();
    assert_eq!(json["faults"][1]["line"], 3);
    let said = say(&["convert", "a.csv", "b.imrmc", "--from", "tidy", "--column", "score=x"], at);
    assert!(said.code == 2 && said.err.contains("none of reader, case, modality, truth, rating"), "{}", said.err);
}

#[test]
fn a_study_is_exported_imported_and_analysed_alike() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for study in ["one", "two"] {
        done(&["init", study, "--template", "reader-study"], at);
    }
    for file in ["study.imrmc", "study.lrc", "study.xlsx"] {
        done(&["convert", "one", file], at);
        let said = say(&["import", file, "--into", "two"], at);
        assert!(said.code == 2 && said.err.contains("--force replaces it"), "{}", said.err);
        std::fs::remove_file(at.join("two/readings.csv")).unwrap();
        let said = done(&["import", file, "--into", "two"], at);
        assert!(said.out.contains("readings.csv") && said.err.is_empty(), "{}\n{}", said.out, said.err);
    }
    let conclusions = |study: &str| {
        done(&["lock", study], at);
        done(&["analyze", study, "--json"], at).json()["conclusions"].clone()
    };
    assert_eq!(conclusions("two"), conclusions("one"));
    // Taking readings out of a locked study is a look at its test set, and does not disturb what was reported.
    done(&["convert", "two", "again.imrmc"], at);
    let ledger = std::fs::read_to_string(at.join("two/access.ledger")).unwrap();
    assert!(ledger.lines().last().unwrap().contains("exported the readings as imrmc"), "{ledger}");
    assert_eq!(rows(at, "again.imrmc"), rows(at, "study.imrmc"));
    done(&["report", "two"], at);
    done(&["verify", "two"], at);
    edit(&at.join("one/readings.csv"), "R1", "R2");
    let said = say(&["convert", "one", "changed.imrmc"], at);
    assert!(said.code == 2 && said.err.contains("readings.csv: changed"), "{}", said.err);
    let said = say(&["import", "study.imrmc", "--into", "two", "--force"], at);
    assert!(said.code == 2 && said.err.contains("two is locked"), "{}", said.err);
}

#[test]
fn cases_with_another_truth_are_not_imported_over() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    done(&["init", "study", "--template", "reader-study"], at);
    done(&["convert", "study", "study.imrmc"], at);
    let text = std::fs::read_to_string(at.join("study.imrmc")).unwrap();
    let truth = text.lines().find(|line| line.starts_with("-1,") && line.ends_with(",1")).unwrap();
    edit(&at.join("study.imrmc"), truth, &format!("{}0", &truth[..truth.len() - 1]));
    // The sizes of the header notice first.
    let said = say(&["import", "study.imrmc", "--into", "study", "--force"], at);
    assert!(said.code == 2 && said.err.contains("cases without disease, the rows hold"), "{}", said.err);
    let text = std::fs::read_to_string(at.join("study.imrmc")).unwrap();
    let bare: Vec<&str> = text.lines().filter(|line| !line.starts_with("N0:") && !line.starts_with("N1:")).collect();
    std::fs::write(at.join("study.imrmc"), bare.join("\n")).unwrap();
    let said = say(&["import", "study.imrmc", "--into", "study", "--force"], at);
    assert!(
        said.code == 2 && said.err.contains("is diseased, and the other way round in the imported file"),
        "{}",
        said.err
    );
}
