//! What must be refused, what the refusal names, and the exit code.

use crate::support::{copy, done, edit, say};
use std::path::Path;

fn append(path: &Path, text: &str) {
    let old = std::fs::read_to_string(path).unwrap();
    std::fs::write(path, old + text).unwrap();
}

#[test]
fn a_study_without_lock_is_not_run_and_not_analysed() {
    let folder = copy("breast-fna");
    for command in ["run", "analyze", "report", "verify"] {
        let said = say(&[command], folder.path());
        assert!(said.code == 2 && said.err.contains("not locked"), "{command}: {}", said.err);
    }
}

#[test]
fn a_changed_input_is_named() {
    let folder = copy("nuclei");
    let at = folder.path();
    done(&["simulate"], at);
    done(&["lock"], at);
    done(&["run"], at);
    done(&["analyze"], at);
    for (file, how) in [("cases.csv", "changed"), ("images/T1B.png", "gone"), ("readings.csv", "changed")] {
        let path = at.join(file);
        let whole = std::fs::read(&path).unwrap();
        if how == "gone" {
            std::fs::remove_file(&path).unwrap();
        } else {
            std::fs::write(&path, [whole.as_slice(), b"\n"].concat()).unwrap();
        }
        for command in ["run", "analyze", "report"] {
            let said = say(&[command], at);
            assert_eq!(said.code, 2, "{command} went on with another {file}");
            assert!(said.err.contains(&format!("{file}: {how}")), "{command}: {}", said.err);
        }
        let said = say(&["verify"], at);
        assert!(said.code == 1 && said.out.contains(&format!("{file}: {how}")), "{}", said.out);
        std::fs::write(&path, whole).unwrap();
    }
    done(&["verify"], at);
}

#[test]
fn predictions_that_no_run_wrote_are_refused() {
    let folder = copy("breast-fna");
    let at = folder.path();
    done(&["lock"], at);
    let said = say(&["analyze"], at);
    assert!(said.code == 2 && said.err.contains("run `cadproof run` first"), "{}", said.err);
    done(&["run"], at);
    done(&["analyze"], at);
    done(&["report"], at);
    edit(&at.join("predictions.csv"), "M001,0.", "M001,0.0");
    for command in ["analyze", "report"] {
        let said = say(&[command], at);
        assert!(said.code == 2 && said.err.contains("predictions.csv: not what the run wrote"), "{}", said.err);
    }
    let said = say(&["verify"], at);
    assert!(said.code == 1 && said.out.contains("predictions.csv"), "{}", said.out);
}

#[test]
fn a_number_changed_by_hand_is_found_wherever_it_stands() {
    let folder = copy("breast-fna");
    let at = folder.path();
    done(&["lock"], at);
    done(&["run"], at);
    done(&["analyze"], at);
    done(&["report"], at);
    for (file, from, to, told) in [
        ("results.json", "\"value_fmt\": \"97.2%\"", "\"value_fmt\": \"99.2%\"", "sensitivity/est].value_fmt"),
        ("reports/breast-fna-standalone-en.html", "97.2%", "99.2%", "standalone-en.html"),
        ("access.ledger", "\"analyze\"", "\"ananlyze\"", "access.ledger"),
        ("study.lock", "root = \"", "root = \"0", "Merkle root"),
    ] {
        let path = at.join(file);
        let whole = std::fs::read(&path).unwrap();
        edit(&path, from, to);
        let said = say(&["verify"], at);
        assert_eq!(said.code, 1, "{file}: {}{}", said.out, said.err);
        assert!(said.out.contains(told), "{file}: {}", said.out);
        let said = say(&["verify", "--json"], at);
        assert_eq!((said.code, said.json()["same"].as_bool()), (1, Some(false)));
        std::fs::write(&path, whole).unwrap();
    }
    done(&["verify"], at);
}

#[test]
fn every_fault_of_the_readings_comes_at_once() {
    let folder = copy("nuclei");
    let at = folder.path();
    done(&["simulate"], at);
    edit(&at.join("readings.csv"), "R1,T1B,unaided,", "R1,T1B,unaided,high");
    append(&at.join("readings.csv"), "R1,T1A,unaided,50\nR9,T1A,unaided,50\nR1,T99,aided,50\n");
    let said = say(&["lock"], at);
    assert_eq!(said.code, 2);
    for line in ["readings.csv:3", "readings.csv:1538", "readings.csv:1539", "readings.csv:1540"] {
        assert!(said.err.contains(line), "no {line} in\n{}", said.err);
    }
    for word in ["R9", "T99", "high"] {
        assert!(said.err.contains(word), "no {word} in\n{}", said.err);
    }
    let said = say(&["lock", "--json"], at);
    assert_eq!(said.code, 2);
    let faults = said.json()["faults"].as_array().unwrap().clone();
    assert_eq!(faults.len(), 4, "{faults:?}");
    for fault in &faults {
        for key in ["file", "found", "expected", "mend"] {
            assert!(fault[key].as_str().is_some_and(|text| !text.is_empty()), "{fault}");
        }
        assert!(fault["line"].is_u64(), "{fault}");
    }
    assert!(!at.join("study.lock").exists(), "a study with faults was sealed");
}

#[test]
fn a_fault_of_the_protocol_has_its_place_and_mend() {
    let folder = copy("breast-fna");
    let at = folder.path();
    edit(&at.join("study.toml"), "method = \"wilson\"", "method = \"wilsen\"");
    let said = say(&["lock"], at);
    assert!(said.code == 2 && said.err.contains("study.toml:"), "{}", said.err);
    assert!(said.err.contains("write \"wilson\"") && said.err.contains("1 fault in the input"), "{}", said.err);
}

#[test]
fn a_bad_command_line_is_exit_code_2_and_help_is_0() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for bad in [&["anlyze"][..], &["run", "--threads", "0"], &["init"], &["verify", "--tolerance", "1"], &[]] {
        assert_eq!(say(bad, at).code, 2, "{bad:?}");
    }
    for good in [&["--help"][..], &["--version"], &["help", "run"]] {
        assert_eq!(say(good, at).code, 0, "{good:?}");
    }
    let said = say(&["lock", "nowhere"], at);
    assert!(said.code == 2 && said.err.contains("nowhere"), "{}", said.err);
}

#[test]
fn a_missing_onnx_runtime_is_told_and_nothing_else_is_run_in_its_place() {
    let folder = copy("breast-fna");
    let at = folder.path();
    done(&["lock"], at);
    let said = say(&["run", "--engine", "onnxruntime"], at);
    assert!(said.code == 2 && said.err.contains("ORT_DYLIB_PATH"), "{}", said.err);
    let said = say(&["run", "--library", "x.so"], at);
    assert_eq!(said.code, 2);
    assert!(!at.join("predictions.csv").exists());
}
