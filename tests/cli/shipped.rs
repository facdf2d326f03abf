//! What is committed (results of the shipped studies, rendered reports) is what the program makes of the committed inputs.

use crate::support::shipped;
use cadproof::study::Study;
use std::collections::BTreeSet;
use std::path::Path;

const HOW: &str = "run .ci/shipped.sh and look at what changed";

#[test]
fn the_shipped_studies_verify() {
    for name in ["breast-fna", "nuclei"] {
        let study = Study::open(&shipped(name)).unwrap();
        let found = study.verify(None).unwrap();
        assert!(found.all_same(), "{name}: {HOW}\n{:#?}", found.checks);
    }
}

#[test]
fn the_committed_reports_are_what_the_committed_results_give() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports");
    let mut expected = BTreeSet::new();
    for name in ["breast-fna", "nuclei"] {
        let study = Study::open(&shipped(name)).unwrap();
        for report in study.reports(&study.results().unwrap(), &[], &[]).unwrap() {
            let there = std::fs::read_to_string(folder.join(&report.file)).unwrap_or_default();
            let line = there.lines().zip(report.html.lines()).position(|(there, made)| there != made);
            assert!(there == report.html, "{}, line {line:?}: {HOW}", report.file);
            expected.insert(report.file);
        }
    }
    let there: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".html"))
        .collect();
    assert_eq!(there, expected);
}
