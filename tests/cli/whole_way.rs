//! From a new folder or a shipped study to reports that verify.

use crate::support::{copy, done, edit, files, say};
use std::path::Path;

#[test]
fn each_template_goes_the_whole_way_as_written() {
    for (template, reports) in [("standalone-classification", 2), ("standalone-detection", 2), ("reader-study", 4)] {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let said = done(&["init", "study", "--template", template], at);
        assert!(said.out.contains("study.toml"), "{}", said.out);
        assert_eq!(say(&["init", "study"], at).code, 2, "a folder with content was taken");
        done(&["lock", "study"], at);
        let said = done(&["analyze", "study"], at);
        assert!(said.out.contains("results.json"), "{}", said.out);
        done(&["report", "study"], at);
        let made = std::fs::read_dir(at.join("study/reports")).unwrap().count();
        assert_eq!(made, reports, "{template}");
        let said = done(&["verify", "study"], at);
        assert!(said.out.contains("Everything is as the locked inputs give it."), "{}", said.out);
    }
}

#[test]
fn a_model_is_run_analysed_reported_and_verified() {
    let folder = copy("breast-fna");
    let at = folder.path();
    let locked = done(&["lock", "--json"], at).json();
    assert_eq!(locked["locked_on"], "2026-11-25");
    assert_eq!(locked["files"], 3);
    let run = done(&["run", "--json", "--threads", "2"], at).json();
    assert_eq!((run["record"]["cases"].as_u64(), run["record"]["outputs"].as_u64()), (Some(285), Some(285)));
    let said = done(&["analyze", "--strict"], at);
    // SOURCE.md: sensitivity 103/106, specificity 164/179.
    for expected in ["103/106", "164/179", "Clopper–Pearson", "Wilson", "met "] {
        assert!(said.out.contains(expected), "no {expected} in\n{}", said.out);
    }
    done(&["report"], at);
    let before = files(at);
    let said = done(&["verify", "--rerun"], at);
    assert!(said.out.contains("285 cases, largest change of a score 0e0"), "{}", said.out);
    assert_eq!(files(at), before, "verify wrote something");

    // The same again gives the same bytes; the ledger has each look once.
    done(&["run", "--threads", "1"], at);
    done(&["analyze"], at);
    done(&["report"], at);
    let mut after = files(at);
    let mut first = before.clone();
    for differs in
        ["run.json", "results.json", "reports/breast-fna-standalone-ko.html", "reports/breast-fna-standalone-en.html"]
    {
        // One worker in place of two is on the record.
        assert_ne!(after.remove(differs), first.remove(differs), "{differs}");
    }
    assert_eq!(after, first);
    let looks: Vec<String> = std::fs::read_to_string(at.join("access.ledger"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["command"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(looks, ["lock", "run", "analyze", "report"]);
}

#[test]
fn simulated_readers_are_written_once_and_say_so() {
    let folder = copy("nuclei");
    let at = folder.path();
    done(&["simulate"], at);
    let first = std::fs::read(at.join("readings.csv")).unwrap();
    let text = String::from_utf8(first.clone()).unwrap();
    assert_eq!(text.lines().next(), Some("reader,case,modality,rating"));
    assert_eq!(text.lines().count(), 1 + 6 * 128 * 2);
    assert_eq!(say(&["simulate"], at).code, 2);
    done(&["simulate", "--force"], at);
    assert_eq!(std::fs::read(at.join("readings.csv")).unwrap(), first);
    edit(&at.join("study.toml"), "seed = 20261125", "seed = 7");
    done(&["simulate", "--force"], at);
    assert_ne!(std::fs::read(at.join("readings.csv")).unwrap(), first);
    let said = say(&["simulate"], copy("breast-fna").path());
    assert!(said.code == 2 && said.err.contains("design.simulation"), "{}", said.err);
}

#[test]
fn a_deviation_is_recorded_and_printed() {
    let folder = copy("breast-fna");
    let at = folder.path();
    done(&["lock"], at);
    done(&["run"], at);
    edit(&at.join("study.toml"), "version = \"1.0\"", "version = \"1.1\"");
    let said = say(&["lock"], at);
    assert!(said.code == 2 && said.err.contains("study.toml: changed"), "{}", said.err);
    let why = "the protocol's version was raised <after> a typing error";
    let said = done(&["lock", "--amend", why], at);
    assert!(said.out.contains("study.toml changed"), "{}", said.out);
    // What was run under the old lock does not count under the new one.
    let said = say(&["analyze"], at);
    assert!(said.code == 2 && said.err.contains("run `cadproof run` again"), "{}", said.err);
    done(&["run"], at);
    done(&["analyze"], at);
    done(&["report"], at);
    let results: serde_json::Value = serde_json::from_slice(&std::fs::read(at.join("results.json")).unwrap()).unwrap();
    assert_eq!(results["stamp"]["amendments"][0]["why"], why);
    assert_eq!(results["stamp"]["amendments"][0]["files"][0], "study.toml");
    for language in ["ko", "en"] {
        let page = std::fs::read_to_string(at.join(format!("reports/breast-fna-standalone-{language}.html"))).unwrap();
        assert!(page.contains("raised &lt;after&gt; a typing error"), "{language}");
    }
    done(&["verify"], at);
    assert_eq!(say(&["lock", "--amend", "nothing"], at).code, 2, "an amendment without a change");
}

#[test]
fn strict_turns_a_missed_endpoint_into_exit_code_1() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    done(&["init", "s"], at);
    done(&["lock", "s"], at);
    // Eight cases cannot show an AUC above 0.8.
    done(&["analyze", "s"], at);
    let said = say(&["analyze", "s", "--strict"], at);
    assert_eq!(said.code, 1, "{}", said.err);
    let said = say(&["analyze", "s", "--strict", "--json"], at);
    assert_eq!((said.code, said.json()["conclusions"][0]["met"].as_bool()), (1, Some(false)));
}

#[test]
fn each_command_speaks_json_and_no_colour() {
    let folder = copy("breast-fna");
    let at = folder.path();
    for command in [&["lock"][..], &["run", "--check-determinism"], &["analyze"], &["report"], &["verify", "--rerun"]] {
        let said = done(&[command, &["--json"]].concat(), at);
        assert!(said.json().is_object(), "{command:?}");
    }
    // The check of the run is in its record, from which the reports have it.
    let page =
        |language| std::fs::read_to_string(at.join(format!("reports/breast-fna-standalone-{language}.html"))).unwrap();
    assert!(page("en").contains("batch size 64, threads 1") && page("ko").contains("배치 크기 64, 스레드 1개"));
    assert!(page("ko").contains("모든 평가변수 추정"), "the ledger's purposes are not in Korean");
    for command in [&["analyze"][..], &["verify"], &["run", "--check-determinism"]] {
        assert!(!done(command, at).out.contains('\u{1b}'), "{command:?} printed colour");
    }
    let one = done(&["report", "--kind", "standalone", "--language", "en", "--out", "elsewhere", "--json"], at).json();
    let path = one["reports"][0].as_str().unwrap();
    assert_eq!(one["reports"].as_array().unwrap().len(), 1);
    assert!(at.join(Path::new(path)).is_file());
}

#[test]
fn the_checked_tables_are_written_as_parquet_and_come_back() {
    use cadproof::data::frame::{counts, read_parquet};
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    done(&["init", "study", "--template", "reader-study"], at);
    done(&["lock", "study"], at);
    let said = done(&["analyze", "study", "--tables", "tables"], at);
    assert!(said.out.contains("readings.parquet"), "{}", said.out);
    let readings = read_parquet(&at.join("tables/readings.parquet")).unwrap();
    let columns: Vec<&str> = readings.get_column_names().iter().map(|name| name.as_str()).collect();
    assert!(columns.starts_with(&["reader", "modality", "case", "rating", "patient", "truth"]), "{columns:?}");
    // 3 readers × 2 arms × 8 cases, joined with what the cases say.
    assert_eq!(readings.height(), 48);
    assert_eq!(counts(&readings, &["reader", "modality"]).unwrap().height(), 6);
    assert_eq!(read_parquet(&at.join("tables/cases.parquet")).unwrap().height(), 8);
}
