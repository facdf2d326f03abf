//! The shipped studies as the analysis sees them, with the scores that their training script recorded.

use cadproof::analysis::observed::{Observed, Subgroup};
use cadproof::analysis::results::{Record, Results, Stamp, Stat};
use cadproof::analysis::simulated_readings::simulate;
use cadproof::protocol::{self, Protocol};
use cadproof::stats::mrmc::{Case, IndexedReading, MrmcData};
use std::collections::BTreeMap;
use std::path::PathBuf;

pub fn folder(study: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("studies").join(study)
}

pub fn protocol(study: &str) -> Protocol {
    protocol::read(&folder(study).join("study.toml")).unwrap_or_else(|error| panic!("{error}"))
}

fn table(study: &str, file: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(folder(study).join(file)).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// Cases with the recorded scores; readings simulated where the protocol declares how.
pub fn observed(study: &str, protocol: &Protocol) -> Observed {
    let cases = table(study, "cases.csv");
    let scores: BTreeMap<String, f64> = table(study, "expected_scores.csv")
        .into_iter()
        .map(|r| (r["case"].clone(), r["score"].parse().unwrap()))
        .collect();
    let truth: Vec<bool> = cases.iter().map(|c| c["truth"] == protocol.test_set.positive).collect();
    let case: Vec<String> = cases.iter().map(|c| c["case"].clone()).collect();
    let mut names: Vec<String> = Vec::new();
    let patient: Vec<u32> = cases
        .iter()
        .map(|c| {
            names.iter().position(|n| *n == c["patient"]).unwrap_or_else(|| {
                names.push(c["patient"].clone());
                names.len() - 1
            }) as u32
        })
        .collect();
    let subgroups = protocol
        .test_set
        .subgroups
        .iter()
        .map(|name| {
            let mut levels: Vec<String> = Vec::new();
            let level_of = cases
                .iter()
                .map(|c| {
                    levels.iter().position(|l| *l == c[name]).unwrap_or_else(|| {
                        levels.push(c[name].clone());
                        levels.len() - 1
                    }) as u32
                })
                .collect();
            Subgroup { name: name.clone(), levels, level_of }
        })
        .collect();
    let readings = protocol.design.as_ref().map(|design| {
        let rows: Vec<IndexedReading> = simulate(protocol, &truth)
            .unwrap()
            .into_iter()
            .map(|r| IndexedReading {
                reader: r.reader as u32,
                case: r.case as u32,
                modality: r.modality as u32,
                rating: r.rating,
            })
            .collect();
        let members = (0..case.len())
            .map(|i| Case { label: case[i].clone(), diseased: truth[i], cluster: Some(patient[i]) })
            .collect();
        MrmcData::new(
            protocol.readers.iter().map(|r| r.id.clone()).collect(),
            design.modalities.iter().map(|m| m.id.clone()).collect(),
            members,
            &rows,
        )
        .unwrap()
    });
    Observed {
        device: Some(case.iter().map(|c| Ok(scores[c])).collect()),
        case,
        patients: names.len(),
        patient,
        patient_assumed: false,
        truth,
        subgroups,
        readings,
        location: None,
    }
}

pub fn stamp(protocol: &Protocol) -> Stamp {
    Stamp {
        tool_version: "0.1.0".to_owned(),
        study: protocol.study.id.clone(),
        protocol_version: protocol.study.version.clone(),
        protocol_hash: "0".repeat(64),
        lock_root: "1".repeat(64),
        model_hash: None,
        predictions_hash: None,
        readings_hash: None,
        seed: protocol.study.seed,
        amendments: Vec::new(),
        run: None,
        ledger: Vec::new(),
    }
}

pub fn analyze(study: &str) -> (Protocol, Results) {
    let protocol = protocol(study);
    let results = cadproof::analysis::analyze(&protocol, &observed(study, &protocol), stamp(&protocol));
    (protocol, results)
}

pub fn record<'a>(results: &'a Results, table: &str, cell: &str, stat: Stat) -> &'a Record {
    let found = results.records.iter().find(|r| r.table_id == table && r.cell_id == cell && r.stat == stat);
    found.unwrap_or_else(|| {
        let cells: Vec<&str> =
            results.records.iter().filter(|r| r.table_id == table).map(|r| r.ard_id.as_str()).collect();
        panic!("no {table}/{cell}/{stat:?} among {cells:?}")
    })
}

pub fn value(results: &Results, table: &str, cell: &str, stat: Stat) -> f64 {
    let record = record(results, table, cell, stat);
    record.value.unwrap_or_else(|| panic!("{} is not estimable: {:?}", record.ard_id, record.not_estimable))
}
