//! Objects against HoVer-Net's scoring code and panoptica, and two independent sets of values.

use crate::support::{Tally, json};
use cadproof::metrics::instance::{Matches, Matching, Objects, Order, Pair};
use cadproof::stats::Estimable;
use serde_json::Value;

fn rows(value: &Value) -> Vec<u32> {
    let rows = value.as_array().unwrap().iter();
    rows.flat_map(|row| row.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as u32)).collect()
}

fn runs(value: &Value) -> Vec<u32> {
    let runs = value["runs"].as_array().unwrap().iter();
    runs.flat_map(|run| vec![run[0].as_u64().unwrap() as u32; run[1].as_u64().unwrap() as usize]).collect()
}

fn compare(tally: &mut Tally, what: &str, got: &Estimable<f64>, want: &Value, tolerance: f64) {
    match (want.as_f64(), got) {
        (Some(want), Ok(got)) => tally.close(what, *got, want, tolerance, 1e-3),
        (Some(want), Err(reason)) => tally.same(what, reason.to_string(), want.to_string()),
        (None, got) => tally.same(what, got.as_ref().ok().copied(), None),
    }
}

fn counts(tally: &mut Tally, what: &str, found: &Matches, want: [&Value; 3]) {
    let got = [found.found(), found.missed, found.false_objects];
    for (got, want) in got.into_iter().zip(want) {
        tally.same(what, got as f64, want.as_f64().unwrap());
    }
}

const STRICT: Matching = Matching { iou: 0.5, inclusive: false, order: Order::Optimal };
const PANOPTICA: Matching = Matching { iou: 0.5, inclusive: true, order: Order::Greedy };

/// What panoptica writes where a part does not exist.
fn or_zero(part: Estimable<f64>) -> Estimable<f64> {
    part.or(Ok(0.0))
}

fn panoptica(tally: &mut Tally, id: &str, objects: &Objects, want: &Value) {
    let found = objects.matches(PANOPTICA);
    counts(tally, &format!("{id} panoptica"), &found, [&want["tp"], &want["fn"], &want["fp"]]);
    if found.found() + found.missed + found.false_objects == 0 {
        return; // no object at all: what the program then prints is a rule of its own
    }
    let quality = found.panoptic();
    let dice = or_zero(found.mean(Pair::dice));
    let dice_quality = or_zero(quality.detection.clone().and_then(|dq| found.mean(Pair::dice).map(|d| d * dq)));
    for (key, got) in [
        ("rq", or_zero(quality.detection)),
        ("sq", or_zero(quality.segmentation)),
        ("pq", or_zero(quality.quality)),
        ("sq_dsc", dice),
        ("pq_dsc", dice_quality),
    ] {
        if let Some(want) = want.get(key) {
            compare(tally, &format!("{id} panoptica {key}"), &got, want, 1e-9);
        }
    }
}

#[test]
fn the_first_set() {
    let Some(file) = json("metrics/seg_instance.json") else { return };
    let mut tally = Tally::new("seg_instance");
    for case in file["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let objects = Objects::new(&rows(&case["input"]["ref"]), &rows(&case["input"]["pred"])).unwrap();
        let (hover, exact) = (&case["expected"]["hover_net"], &case["expected"]["exact_no_epsilon"]);
        compare(&mut tally, &format!("{id} aji"), &objects.aggregated_jaccard(), &exact["aji"], 1e-9);
        let no_prediction = hover["aji"].is_string();
        if !no_prediction {
            compare(&mut tally, &format!("{id} hover aji"), &objects.aggregated_jaccard(), &hover["aji"], 1e-9);
        }
        compare(&mut tally, &format!("{id} aji+"), &objects.aggregated_jaccard_plus(), &hover["aji_plus"], 1e-9);
        compare(&mut tally, &format!("{id} dice2"), &objects.ensemble_dice(), &hover["dice2_fast"], 1e-9);
        let quality = objects.matches(STRICT).panoptic();
        compare(&mut tally, &format!("{id} dq"), &quality.detection, &exact["rq"], 1e-9);
        compare(&mut tally, &format!("{id} sq"), &quality.segmentation, &exact["sq"], 1e-9);
        compare(&mut tally, &format!("{id} pq"), &quality.quality, &exact["pq"], 1e-9);
        for iou in [0.5, 0.3] {
            let found = objects.matches(Matching { iou, ..STRICT });
            let want = &hover[format!("tp_fn_fp@{iou}")];
            counts(&mut tally, &format!("{id} {iou}"), &found, [&want[0], &want[1], &want[2]]);
            let quality = found.panoptic();
            let want = &hover[format!("dq_sq_pq@{iou}")];
            // the program adds 1e-6 to the number of matches, and writes 0 where there is none
            for (got, want) in [(quality.detection, 0), (or_zero(quality.segmentation), 1), (quality.quality, 2)]
                .map(|(got, i)| (got, &want[i]))
            {
                compare(&mut tally, &format!("{id} hover {iou}"), &got, want, 1e-5);
            }
        }
        panoptica(&mut tally, id, &objects, &case["expected"]["panoptica"]);
    }
    tally.finish();
}

#[test]
fn the_second_set() {
    let Some(file) = json("metrics/set_b/instance.json") else { return };
    let mut tally = Tally::new("set_b instance");
    for case in file["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let objects = Objects::new(&runs(&case["ref_labels"]), &runs(&case["pred_labels"])).unwrap();
        let expected = &case["expected"];
        compare(&mut tally, &format!("{id} aji"), &objects.aggregated_jaccard(), &expected["aji"], 1e-9);
        compare(&mut tally, &format!("{id} aji+"), &objects.aggregated_jaccard_plus(), &expected["aji_plus"], 1e-9);
        let (found, want) = (objects.matches(STRICT), &expected["pq@0.5"]);
        counts(&mut tally, id, &found, [&want["tp"], &want["fn"], &want["fp"]]);
        let quality = found.panoptic();
        compare(&mut tally, &format!("{id} dq"), &quality.detection, &want["dq_f1"], 1e-9);
        compare(&mut tally, &format!("{id} sq"), &quality.segmentation, &want["sq"], 1e-9);
        compare(&mut tally, &format!("{id} pq"), &quality.quality, &want["pq"], 1e-9);
        if expected["panoptica"].get("tp").is_some() {
            panoptica(&mut tally, id, &objects, &expected["panoptica"]);
        }
    }
    tally.finish();
}
