//! Overlap and surface distances against medpy, surface-distance, MetricsReloaded, SimpleITK, grand-challenge metrics and
//! MRBrainS18, from two independent sets, each program's definition named.

use crate::support::{Tally, json, path};
use cadproof::imaging::read_volume;
use cadproof::metrics::distance::Grid;
use cadproof::metrics::empty::EmptyRule;
use cadproof::metrics::overlap::{Counts, RelativeTo, counts};
use cadproof::metrics::surface::{
    Border, Directions, Hd95, Outside, Percentile, Surface, SurfaceDistances, boundary_iou, surface_distances,
};
use cadproof::stats::Estimable;
use serde_json::Value;

/// Reference and prediction of one case. NIfTI volumes come as labels, x fastest, and are turned to C order.
struct Pair {
    grid: Grid,
    reference: Vec<bool>,
    prediction: Vec<bool>,
}

fn rows(value: &Value) -> (Vec<usize>, Vec<bool>) {
    let rows: Vec<&str> = value.as_array().unwrap().iter().map(|row| row.as_str().unwrap()).collect();
    (vec![rows.len(), rows[0].len()], rows.iter().flat_map(|row| row.bytes().map(|b| b == b'1')).collect())
}

fn runs(value: &Value) -> (Vec<usize>, Vec<bool>) {
    let shape = value["shape"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect();
    let runs = value["runs"].as_array().unwrap().iter();
    let mask = runs.flat_map(|run| vec![run[0].as_u64().unwrap() != 0; run[1].as_u64().unwrap() as usize]).collect();
    (shape, mask)
}

/// Shape and labels in the order of the reference's arrays: axes x, y, z with z fastest.
pub fn labels(relative: &str) -> Option<(Vec<usize>, Vec<u32>)> {
    let volume = read_volume(&path(relative)?).unwrap();
    let [nx, ny, nz] = volume.shape;
    let mut found = Vec::with_capacity(nx * ny * nz);
    for x in 0..nx {
        for y in 0..ny {
            found.extend((0..nz).map(|z| volume.data[(z * ny + y) * nx + x] as u32));
        }
    }
    Some((vec![nx, ny, nz], found))
}

fn spacing(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

impl Pair {
    fn first_set(case: &Value) -> Self {
        let input = &case["input"];
        let mask = |name: &str| match input.get(format!("{name}_rows")) {
            Some(value) => rows(value),
            None => {
                let file = input[format!("{name}_nii")].as_str().unwrap();
                let (shape, labels) = labels(&format!("metrics/{file}")).unwrap();
                (shape, labels.iter().map(|&label| label != 0).collect())
            }
        };
        Self::new(mask("ref"), mask("pred"), &spacing(&input["spacing_mm"]))
    }

    fn new(reference: (Vec<usize>, Vec<bool>), prediction: (Vec<usize>, Vec<bool>), spacing: &[f64]) -> Self {
        assert_eq!(reference.0, prediction.0);
        let grid = Grid::new(&reference.0, spacing).unwrap();
        Self { grid, reference: reference.1, prediction: prediction.1 }
    }

    fn counts(&self) -> Counts {
        counts(&self.reference, &self.prediction).unwrap()
    }

    fn distances(&self, border: Border) -> Estimable<SurfaceDistances> {
        surface_distances(&self.grid, &self.reference, &self.prediction, border)
    }
}

/// Compares with a number, or where the reference has none (NaN, null, infinity or an exception) asks that there is none.
fn compare(tally: &mut Tally, what: &str, got: &Estimable<f64>, want: &Value) {
    match (want.as_f64(), got) {
        (Some(want), Ok(got)) => tally.close(what, *got, want, 1e-9, 1e-3),
        (Some(want), Err(reason)) => tally.same(what, reason.to_string(), want.to_string()),
        (None, got) => tally.same(what, got.as_ref().ok().copied(), None),
    }
}

fn each(block: &Value) -> impl Iterator<Item = (&str, &Value)> {
    block.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

#[test]
fn overlap_of_the_first_set() {
    let Some(file) = json("metrics/seg_binary.json") else { return };
    let mut tally = Tally::new("seg_binary overlap");
    for case in file["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let pair = Pair::first_set(case);
        let found = pair.counts();
        let expected = &case["expected"];
        for (key, got) in [
            ("tp", found.true_positive),
            ("fp", found.false_positive),
            ("fn", found.false_negative),
            ("tn", found.true_negative),
        ] {
            tally.same(&format!("{id} {key}"), got, expected["counts"][key].as_f64().unwrap());
        }
        let volume = pair.grid.voxel();
        let none = EmptyRule::NOT_ESTIMABLE;
        let both_one = EmptyRule { both: Some(1.0), ..none };
        // what each program puts in where it divides nothing by nothing
        let medpy_zero = EmptyRule { both: Some(0.0), prediction: Some(0.0), reference: Some(0.0) };
        let full_background = |rate: Estimable<f64>| if found.reference() == found.total() { Ok(0.0) } else { rate };
        for (program, key, got) in [
            ("closed_form", "dice", found.dice()),
            ("closed_form", "jaccard", found.jaccard()),
            ("closed_form", "voe", found.overlap_error()),
            ("closed_form", "sensitivity", found.sensitivity()),
            ("closed_form", "specificity", found.specificity()),
            ("closed_form", "precision", found.positive_predictive_value()),
            (
                "closed_form",
                "rvd_signed_pred_minus_ref_over_ref",
                found.relative_volume_difference(RelativeTo::Reference),
            ),
            ("closed_form", "volumetric_similarity", found.volume_similarity()),
            ("closed_form", "volume_diff_mm3", Ok(found.volume_difference(volume))),
            ("medpy", "dc", both_one.apply(found.dice())),
            ("medpy", "jc", both_one.apply(found.jaccard())),
            ("medpy", "precision", medpy_zero.apply(found.positive_predictive_value())),
            ("medpy", "recall", medpy_zero.apply(found.sensitivity())),
            ("medpy", "specificity", full_background(found.specificity())),
            ("medpy", "ravd", found.relative_volume_difference(RelativeTo::Reference)),
            ("grand_challenge_metrics", "ravd", found.relative_volume_difference(RelativeTo::Reference).map(f64::abs)),
            ("grand_challenge_metrics", "avd", Ok(found.volume_difference(volume).abs())),
            ("metrics_reloaded", "dsc", both_one.apply(found.dice())),
            ("metrics_reloaded", "iou", found.jaccard()),
            ("metrics_reloaded", "avdr", found.relative_volume_difference(RelativeTo::Reference).map(f64::abs)),
            ("metrics_reloaded", "sensitivity", found.sensitivity()),
            ("metrics_reloaded", "specificity", found.specificity()),
            ("mrbrains18", "dice", found.dice()),
            ("mrbrains18", "vs", found.volume_similarity()),
        ] {
            if let Some(want) = expected[program].get(key) {
                compare(&mut tally, &format!("{id} {program} {key}"), &got, want);
            }
        }
        let itk = &expected["simpleitk"]["overlap_label1"];
        let zero = EmptyRule { both: Some(0.0), ..none };
        compare(&mut tally, &format!("{id} itk dice"), &zero.apply(found.dice()), &itk["dice"]);
        compare(&mut tally, &format!("{id} itk jaccard"), &zero.apply(found.jaccard()), &itk["jaccard"]);
        let similarity = zero.apply(found.signed_volume_similarity());
        compare(&mut tally, &format!("{id} itk vs"), &similarity, &itk["volume_similarity_signed"]);
    }
    tally.finish();
}

#[test]
fn surfaces_of_the_first_set() {
    let Some(file) = json("metrics/seg_binary.json") else { return };
    let mut tally = Tally::new("seg_binary surfaces");
    for case in file["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let pair = Pair::first_set(case);
        let expected = &case["expected"];
        for connectivity in 1..=3_u8 {
            let found = pair.distances(Border::Inner { connectivity, across: None, outside: Outside::Background });
            let of = |measure: &dyn Fn(&SurfaceDistances) -> f64| found.clone().map(|d| measure(&d));
            for (key, got) in [
                ("hd", of(&SurfaceDistances::hausdorff)),
                ("hd95", found.clone().and_then(|d| d.hd95(Hd95::Pooled))),
                ("assd", of(&|d| d.mean(Directions::Pooled))),
            ] {
                if let Some(want) = expected["medpy"].get(format!("{key}_conn{connectivity}")) {
                    compare(&mut tally, &format!("{id} medpy {key} {connectivity}"), &got, want);
                }
            }
        }
        let faces = pair.distances(Border::FACES);
        let of = |measure: &dyn Fn(&SurfaceDistances) -> Estimable<f64>| faces.clone().and_then(|d| measure(&d));
        let both_zero = EmptyRule { both: Some(0.0), ..EmptyRule::NOT_ESTIMABLE };
        let surface_rule = EmptyRule { both: Some(1.0), prediction: Some(0.0), reference: Some(0.0) };
        let larger = of(&|d| d.robust_hausdorff(0.95, Percentile::Linear, Directions::Larger));
        for (program, key, got) in [
            ("medpy", "asd_pred_to_ref_conn1", of(&|d| Ok(d.from_prediction.mean()))),
            ("medpy", "asd_ref_to_pred_conn1", of(&|d| Ok(d.from_reference.mean()))),
            ("metrics_reloaded", "hd", both_zero.apply(of(&|d| Ok(d.hausdorff())))),
            ("metrics_reloaded", "hd95", both_zero.apply(larger)),
            ("metrics_reloaded", "assd", both_zero.apply(of(&|d| Ok(d.mean(Directions::Pooled))))),
            ("metrics_reloaded", "masd", both_zero.apply(of(&|d| Ok(d.mean(Directions::Mean))))),
            ("metrics_reloaded", "nsd@0.5", surface_rule.apply(of(&|d| d.surface_dice(0.5)))),
            ("metrics_reloaded", "nsd@1.0", surface_rule.apply(of(&|d| d.surface_dice(1.0)))),
            ("metrics_reloaded", "nsd@2.0", surface_rule.apply(of(&|d| d.surface_dice(2.0)))),
            ("metrics_reloaded", "nsd@3.0", surface_rule.apply(of(&|d| d.surface_dice(3.0)))),
            ("grand_challenge_metrics", "hd", of(&|d| Ok(d.hausdorff()))),
            ("grand_challenge_metrics", "hd95", of(&|d| d.hd95(Hd95::LargerLowerRank))),
        ] {
            compare(&mut tally, &format!("{id} {program} {key}"), &got, &expected[program][key]);
        }
        if faces.is_ok() {
            let got = of(&|d| Ok(d.mean(Directions::Larger)));
            let want = &expected["grand_challenge_metrics"]["modified_hd"];
            compare(&mut tally, &format!("{id} modified_hd"), &got, want);
        }
        let iou = boundary_iou(&pair.grid, &pair.reference, &pair.prediction, Border::FACES);
        let want = &expected["metrics_reloaded"]["boundary_iou_default"];
        compare(&mut tally, &format!("{id} boundary iou"), &surface_rule.apply(iou), want);
        if let Some(want) = expected["mrbrains18"].get("hd95") {
            // the program reads the array's first axis as the slices
            let definition = Hd95::InPlane { across: 0 };
            let got = pair.distances(definition.border()).and_then(|d| d.hd95(definition));
            compare(&mut tally, &format!("{id} mrbrains18 hd95"), &got, want);
        }
        itk(&mut tally, id, &pair, &expected["simpleitk"]);
        elements(&mut tally, id, &pair, &expected["surface_distance"]);
    }
    tally.finish();
}

fn itk(tally: &mut Tally, id: &str, pair: &Pair, expected: &Value) {
    let sets = pair.distances(Border::AllVoxels);
    compare(tally, &format!("{id} itk hd"), &sets.clone().map(|d| d.hausdorff()), &expected["hausdorff"]);
    let mean = sets.map(|d| d.mean(Directions::Mean));
    compare(tally, &format!("{id} itk mean"), &mean, &expected["average_hausdorff"]);
}

/// Every key of the surface-distance block of either set but its Dice.
fn elements(tally: &mut Tally, id: &str, pair: &Pair, expected: &Value) {
    let found = pair.distances(Border::Elements);
    let reference = Surface::of(&pair.grid, &pair.reference, Border::Elements).unwrap();
    let prediction = Surface::of(&pair.grid, &pair.prediction, Border::Elements).unwrap();
    // one empty: no area within any tolerance; both: not a number
    let one_empty = EmptyRule { both: None, prediction: Some(0.0), reference: Some(0.0) };
    for (key, want) in each(expected) {
        let what = format!("{id} elements {key}");
        let number = |text: &str| text.parse::<f64>().unwrap();
        let of = |measure: &dyn Fn(&SurfaceDistances) -> Estimable<f64>| found.clone().and_then(|d| measure(&d));
        let robust =
            |percent: f64| of(&|d| d.robust_hausdorff(percent / 100.0, Percentile::AreaReaching, Directions::Larger));
        let tolerance = key.rsplit(['@', '_']).next().unwrap();
        match key {
            "dice" => {}
            "avg_gt_to_pred" | "average_gt_to_pred" => {
                compare(tally, &what, &of(&|d| Ok(d.from_reference.mean())), want);
            }
            "avg_pred_to_gt" | "average_pred_to_gt" => {
                compare(tally, &what, &of(&|d| Ok(d.from_prediction.mean())), want);
            }
            "total_surfel_area_gt" | "surfel_area_gt" => compare(tally, &what, &Ok(reference.area()), want),
            "total_surfel_area_pred" | "surfel_area_pred" => compare(tally, &what, &Ok(prediction.area()), want),
            "n_surfels_gt" => tally.same(&what, reference.len() as u64, want.as_u64().unwrap()),
            "n_surfels_pred" => tally.same(&what, prediction.len() as u64, want.as_u64().unwrap()),
            _ if key.starts_with("robust_hd") => {
                compare(tally, &what, &robust(number(key.trim_start_matches("robust_hd").trim_matches('_'))), want);
            }
            _ if key.starts_with("nsd") => {
                let got = one_empty.apply(of(&|d| d.surface_dice(number(tolerance))));
                compare(tally, &what, &got, want);
            }
            _ if key.starts_with("surface_overlap") => {
                // the surface that is there has no share within; the empty one has no share at all
                let share = |empty: bool, of: Estimable<f64>| if empty { of } else { one_empty.apply(of) };
                let a = of(&|d| Ok(d.from_reference.within(number(tolerance))));
                let b = of(&|d| Ok(d.from_prediction.within(number(tolerance))));
                compare(tally, &what, &share(reference.is_empty(), a), &want[0]);
                compare(tally, &what, &share(prediction.is_empty(), b), &want[1]);
            }
            _ => panic!("{what} is not compared"),
        }
    }
}

#[test]
fn the_second_set() {
    let Some(file) = json("metrics/set_b/segmentation.json") else { return };
    let mut tally = Tally::new("set_b segmentation");
    for case in file["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let pair = Pair::new(runs(&case["ref"]), runs(&case["pred"]), &spacing(&case["spacing_mm"]));
        let found = pair.counts();
        let expected = &case["expected"];
        let both_one = EmptyRule { both: Some(1.0), ..EmptyRule::NOT_ESTIMABLE };
        for (program, key, got) in [
            ("counts", "tp", Ok(found.true_positive)),
            ("counts", "fp", Ok(found.false_positive)),
            ("counts", "fn", Ok(found.false_negative)),
            ("counts", "tn", Ok(found.true_negative)),
            ("overlap", "dice", found.dice()),
            ("overlap", "jaccard", found.jaccard()),
            ("overlap", "voe", found.overlap_error()),
            ("overlap", "sensitivity", found.sensitivity()),
            ("overlap", "specificity", found.specificity()),
            ("overlap", "precision", found.positive_predictive_value()),
            ("overlap", "volume_similarity_taha_mrbrains", found.volume_similarity()),
            ("overlap", "rvd_signed", found.relative_volume_difference(RelativeTo::Reference)),
            ("overlap", "abs_volume_diff_mm", Ok(found.volume_difference(pair.grid.voxel()).abs())),
            // scikit-learn writes 0 where one class only is there
            ("overlap", "mcc", found.matthews().or(Ok(0.0))),
            ("medpy", "dc", both_one.apply(found.dice())),
            ("medpy", "jc", both_one.apply(found.jaccard())),
            ("medpy", "ravd_pred_ref", found.relative_volume_difference(RelativeTo::Reference)),
        ] {
            compare(&mut tally, &format!("{id} {program} {key}"), &got, &expected[program][key]);
        }
        let faces = pair.distances(Border::FACES);
        let corners = pair.distances(Border::Inner { connectivity: 3, across: None, outside: Outside::Background });
        let of = |measure: &dyn Fn(&SurfaceDistances) -> Estimable<f64>| faces.clone().and_then(|d| measure(&d));
        for (key, got) in [
            ("hd", of(&|d| Ok(d.hausdorff()))),
            ("hd95_pooled", of(&|d| d.hd95(Hd95::Pooled))),
            ("assd", of(&|d| Ok(d.mean(Directions::Pooled)))),
            ("asd_pred_to_ref", of(&|d| Ok(d.from_prediction.mean()))),
            ("asd_ref_to_pred", of(&|d| Ok(d.from_reference.mean()))),
            ("hd_connectivity_full", corners.clone().map(|d| d.hausdorff())),
            ("assd_connectivity_full", corners.map(|d| d.mean(Directions::Pooled))),
        ] {
            if let Some(want) = expected["medpy"].get(key) {
                compare(&mut tally, &format!("{id} medpy {key}"), &got, want);
            }
        }
        let larger = of(&|d| d.hd95(Hd95::LargerDirected));
        compare(&mut tally, &format!("{id} larger p95"), &larger, &expected["max_directed_p95_voxel"]);
        itk(&mut tally, id, &pair, &expected["simpleitk"]);
        elements(&mut tally, id, &pair, &expected["surface_distance"]);
    }
    tally.finish();
}
