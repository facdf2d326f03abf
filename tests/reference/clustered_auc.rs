//! Obuchowski's (1997) clustered variance, VanDyke with three cases a patient and with readers pooled by case.

use crate::support::{ReadingRow, Tally, json, readings};
use cadproof::stats::clustered::{ClusteredAuc, clustered_auc, clustered_auc_difference};
use cadproof::stats::roc::delong;
use serde_json::Value;
use std::collections::HashMap;

struct Arm {
    positive: Vec<f64>,
    positive_patient: Vec<u32>,
    negative: Vec<f64>,
    negative_patient: Vec<u32>,
}

impl Arm {
    fn new<'a>(rows: impl Iterator<Item = &'a ReadingRow>, patient: impl Fn(&str) -> u32) -> Self {
        let (positive, negative): (Vec<_>, Vec<_>) =
            rows.map(|row| (row.truth, (row.score, patient(&row.case)))).partition(|row| row.0);
        let split = |rows: Vec<(bool, (f64, u32))>| rows.into_iter().map(|row| row.1).unzip();
        let ((positive, positive_patient), (negative, negative_patient)) = (split(positive), split(negative));
        Self { positive, positive_patient, negative, negative_patient }
    }

    fn auc(&self) -> ClusteredAuc {
        clustered_auc(&self.positive, &self.positive_patient, &self.negative, &self.negative_patient, 0.95).unwrap()
    }
}

fn compare(tally: &mut Tally, what: &str, got: &ClusteredAuc, want: &Value) {
    for (key, value) in [
        ("auc", got.auc),
        ("S10", got.components.s10),
        ("S01", got.components.s01),
        ("S11", got.components.s11),
        ("var", got.variance),
    ] {
        tally.close(&format!("{what} {key}"), value, want[key].as_f64().unwrap(), 1e-9, 1e-9);
    }
    for (key, count) in [
        ("n_clusters", got.clusters),
        ("clusters_with_pos", got.clusters_with_positive),
        ("clusters_with_neg", got.clusters_with_negative),
    ] {
        tally.same(&format!("{what} {key}"), count as u64, want[key].as_u64().unwrap());
    }
}

#[test]
fn clustered_areas_and_their_difference() {
    let Some(file) = json("binary/clustered_auc.json") else { return };
    let rows = readings("mrmc/vandyke/readings.csv").unwrap();
    let mut order: HashMap<String, u32> = HashMap::new();
    for row in &rows {
        let next = order.len() as u32;
        order.entry(row.case.clone()).or_insert(next);
    }
    let mut tally = Tally::new("clustered_auc");
    for want in file["per_reader"].as_array().unwrap() {
        let reader = want["reader"].to_string();
        let of = |modality: &str| {
            let mine = rows.iter().filter(|row| row.reader == reader && row.modality == modality);
            Arm::new(mine, |case| order[case] % 38)
        };
        let (one, two) = (of("1"), of("2"));
        compare(&mut tally, &format!("reader {reader}, 1:"), &one.auc(), &want["modality_1"]);
        compare(&mut tally, &format!("reader {reader}, 2:"), &two.auc(), &want["modality_2"]);
        let difference = clustered_auc_difference(
            (&one.positive, &one.negative),
            (&two.positive, &two.negative),
            &one.positive_patient,
            &one.negative_patient,
            0.95,
        )
        .unwrap();
        for (key, got) in [
            ("cov", difference.covariance),
            ("var_diff", difference.variance),
            ("z", difference.z),
            ("p", difference.p),
            ("delong_var_modality_1_ignoring_clusters", delong(&one.positive, &one.negative, 0.95).unwrap().variance),
        ] {
            tally.close(&format!("reader {reader} {key}"), got, want[key].as_f64().unwrap(), 1e-9, 1e-9);
        }
    }
    for modality in ["1", "2"] {
        let pooled = Arm::new(rows.iter().filter(|row| row.modality == modality), |case| order[case]);
        let want = &file["pooled_readers_clustered_by_case"][format!("modality_{modality}")];
        compare(&mut tally, &format!("pooled {modality}"), &pooled.auc(), want);
    }
    tally.finish();
}
