//! Averaged ROC curves against iMRMC's R package 2.1.2.
//!
//! The program moves the ends of vertical pieces sideways by 2e-15 and interpolates there, so that its lists of points
//! hold each vertex of the average curve and some points more. Each of its points must lie on our curve, and each of our
//! vertices must be one of its points.
//!
//! It also picks the curves of a modality by looking for the modality's label anywhere in "modality.reader", so that
//! modality 1's average takes in reader 1 of modality 2. Those averages are held against the curves it picked.

use crate::support::{self, Tally};
use crate::ustat::study;
use cadproof::stats::mrmc::MrmcData;
use cadproof::stats::mrmc::average_roc::{AverageDirection, RocPoint, average_of, average_roc, pooled_roc, reader_roc};

const SETS: [&str; 7] = [
    "imrmc_example",
    "imrmc_example_missing",
    "imrmc_example_splitplot",
    "vandyke",
    "vandyke_case_nested_in_modality",
    "vandyke_case_nested_in_reader",
    "vandyke_reader_nested_in_modality",
];

/// Distance of a point from a chain of straight pieces.
fn distance(point: RocPoint, curve: &[RocPoint]) -> f64 {
    curve
        .windows(2)
        .map(|pair| {
            let (dx, dy) = (pair[1].fpf - pair[0].fpf, pair[1].tpf - pair[0].tpf);
            let (px, py) = (point.fpf - pair[0].fpf, point.tpf - pair[0].tpf);
            let length = dx * dx + dy * dy;
            let share = if length > 0.0 { ((px * dx + py * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
            (px - share * dx).hypot(py - share * dy)
        })
        .fold(f64::INFINITY, f64::min)
}

#[test]
fn imrmc_average_roc_curves() {
    for set in SETS {
        let Some(expected) = support::json(&format!("mrmc/{set}/expected_imrmc.json")) else { return };
        let data = study(set).expect("readings stand beside the expected values");
        let mut tally = Tally::new(&format!("iMRMC average ROC curves, {set} (distances)"));
        for (name, curve) in expected["R"]["ROC_averages"].as_object().expect("curves") {
            let (label, kind) = name.rsplit_once('.').expect("modality.kind");
            let modality = data.modalities().iter().position(|known| known == label).expect("modality");
            let direction = match kind {
                "pooled" => None,
                "verticalAvg" => Some(AverageDirection::Vertical),
                "horizontalAvg" => Some(AverageDirection::Horizontal),
                "diagonalAvg" => Some(AverageDirection::Diagonal),
                other => panic!("unknown curve {other}"),
            };
            let ours = match direction {
                None => pooled_roc(&data, modality).expect("estimable"),
                Some(direction) => {
                    let (picked, only_own) = picked_curves(&data, modality);
                    let ours = average_of(&picked, direction).expect("curves");
                    if only_own {
                        tally.same(name, average_roc(&data, modality, direction), Ok(ours.clone()));
                    }
                    ours
                }
            };
            let list = |key: &str| -> Vec<f64> {
                curve[key].as_array().expect("list").iter().map(|value| value.as_f64().expect("number")).collect()
            };
            let theirs: Vec<RocPoint> =
                list("fpf").into_iter().zip(list("tpf")).map(|(fpf, tpf)| RocPoint { fpf, tpf }).collect();
            for (at, &point) in theirs.iter().enumerate() {
                tally.close(&format!("{name} point {at}"), distance(point, &ours), 0.0, 1e-9, 1.0);
            }
            for (at, vertex) in ours.iter().enumerate() {
                let nearest = theirs
                    .iter()
                    .map(|point| (point.fpf - vertex.fpf).hypot(point.tpf - vertex.tpf))
                    .fold(f64::INFINITY, f64::min);
                tally.close(&format!("{name} vertex {at}"), nearest, 0.0, 1e-9, 1.0);
            }
        }
        tally.finish();
    }
}

/// The curves whose "modality.reader" holds the modality's label, and whether they are the modality's own.
fn picked_curves(data: &MrmcData, modality: usize) -> (Vec<Vec<RocPoint>>, bool) {
    let label = &data.modalities()[modality];
    let mut only_own = true;
    let mut curves = Vec::new();
    for (m, modality_label) in data.modalities().iter().enumerate() {
        for (r, reader_label) in data.readers().iter().enumerate() {
            if let (true, Ok(curve)) =
                (format!("{modality_label}.{reader_label}").contains(label), reader_roc(data, m, r))
            {
                only_own &= m == modality;
                curves.push(curve);
            }
        }
    }
    (curves, only_own)
}
