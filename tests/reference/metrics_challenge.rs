//! The rules of published challenges: BraTS, LiTS, REFUGE, ISIC 2018, CAMELYON17, Esteva's taxonomy, CuRIOUS, and the counts
//! of Lehman 2015 and Gulshan 2016.

use crate::metrics_segmentation::labels;
use crate::support::{Tally, json};
use cadproof::metrics::distance::Grid;
use cadproof::metrics::empty::{EmptyRule, case_mean};
use cadproof::metrics::grading::{Node, Stage, Taxonomy};
use cadproof::metrics::measurement::{deviation, registration_error};
use cadproof::metrics::overlap::{Counts, RelativeTo, counts};
use cadproof::metrics::surface::{Border, Directions, Hd95, Outside, surface_distances};
use cadproof::stats::agreement::{Weights, cohen::cohen};
use cadproof::stats::proportion::{ProportionMethod, proportion};
use cadproof::stats::{Estimable, roc};
use serde_json::Value;
use std::collections::BTreeMap;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn cases(file: &Value, prefix: &str) -> Vec<Value> {
    let all = file["cases"].as_array().unwrap().iter();
    all.filter(|case| case["id"].as_str().unwrap().starts_with(prefix)).cloned().collect()
}

fn compare(tally: &mut Tally, what: &str, got: &Estimable<f64>, want: &Value) {
    match (want.as_f64(), got) {
        (Some(want), Ok(got)) => tally.close(what, *got, want, 1e-9, 1e-3),
        (Some(want), Err(reason)) => tally.same(what, reason.to_string(), want.to_string()),
        (None, got) => tally.same(what, got.as_ref().ok().copied(), None),
    }
}

#[test]
fn brats_regions() {
    let Some(file) = json("metrics/challenge_brats.json") else { return };
    let mut tally = Tally::new("challenge_brats");
    for case in cases(&file, "regions") {
        let read = |key: &str| labels(&format!("metrics/{}", case["input"][key].as_str().unwrap())).unwrap();
        let ((shape, reference), (_, prediction)) = (read("ref_nii"), read("pred_nii"));
        let grid = Grid::new(&shape, &[1.0; 3]).unwrap();
        for (region, parts) in [("WT", &[1, 2, 4][..]), ("TC", &[1, 4]), ("ET", &[4])] {
            let of = |labels: &[u32]| labels.iter().map(|label| parts.contains(label)).collect::<Vec<bool>>();
            let (reference, prediction) = (of(&reference), of(&prediction));
            let (found, want) = (counts(&reference, &prediction).unwrap(), &case["expected"][region]);
            let distances = surface_distances(&grid, &reference, &prediction, Border::FACES);
            for (key, got) in [
                ("tp", Ok(found.true_positive)),
                ("fp", Ok(found.false_positive)),
                ("fn", Ok(found.false_negative)),
                ("tn", Ok(found.true_negative)),
                ("dice", found.dice()),
                ("sensitivity", found.sensitivity()),
                ("specificity", found.specificity()),
                ("hd95_max_directed", distances.clone().and_then(|d| d.hd95(Hd95::LargerDirected))),
                ("hd95_medpy_pooled", distances.clone().and_then(|d| d.hd95(Hd95::Pooled))),
            ] {
                compare(&mut tally, &format!("{region} {key}"), &got, &want[key]);
            }
        }
    }
    tally.finish();
}

/// The parts of LiTS that need no lesion matching; volumes of the other cases are drawn from boxes.
#[test]
fn lits_volumes() {
    let Some(file) = json("metrics/challenge_lits.json") else { return };
    let mut tally = Tally::new("challenge_lits");
    for case in file["cases"].as_array().unwrap() {
        let (id, input) = (case["id"].as_str().unwrap(), &case["input"]);
        let volumes: Vec<[(Vec<usize>, Vec<u32>); 2]> = match input.get("volumes_ref_pred") {
            Some(pairs) => {
                let read = |name: &Value| labels(&format!("metrics/{}", name.as_str().unwrap())).unwrap();
                pairs.as_array().unwrap().iter().map(|pair| [read(&pair[0]), read(&pair[1])]).collect()
            }
            None => vec![["ref_lesion_boxes", "pred_lesion_boxes"].map(|key| drawn(input, key))],
        };
        let step = numbers(&input["spacing_mm"]);
        let (mut lesions, mut livers, mut burdens) = (Vec::new(), Vec::new(), Vec::new());
        let mut surfaces: [Vec<Estimable<f64>>; 6] = Default::default();
        for [(shape, reference), (_, prediction)] in &volumes {
            let of = |labels: &[u32], least: u32| labels.iter().map(|l| *l >= least).collect::<Vec<bool>>();
            let lesion = counts(&of(reference, 2), &of(prediction, 2)).unwrap();
            let (a, b) = (of(reference, 1), of(prediction, 1));
            let liver = counts(&a, &b).unwrap();
            burdens.push(lesion.reference() / liver.reference() - lesion.prediction() / liver.prediction());
            let border = Border::Inner { connectivity: 2, across: None, outside: Outside::Background };
            let grid = Grid::new(shape, &step).unwrap();
            let found = surface_distances(&grid, &a, &b, border);
            let of = |measure: &dyn Fn(&cadproof::metrics::surface::SurfaceDistances) -> f64| {
                found.clone().map(|d| measure(&d))
            };
            for (list, value) in surfaces.iter_mut().zip([
                liver.jaccard(),
                liver.overlap_error(),
                liver.relative_volume_difference(RelativeTo::Prediction),
                of(&|d| d.mean(Directions::Pooled)),
                of(&|d| d.root_mean_square()),
                of(&|d| d.hausdorff()),
            ]) {
                list.push(value);
            }
            lesions.push(lesion);
            livers.push(liver);
        }
        let both_one = EmptyRule { both: Some(1.0), ..EmptyRule::NOT_ESTIMABLE };
        let per_case =
            |all: &[Counts]| case_mean(&all.iter().map(|c| both_one.apply(c.dice())).collect::<Vec<_>>()).mean;
        let global = |all: &[Counts]| all.iter().copied().sum::<Counts>().dice();
        for block in ["official_code", "union_fixed"] {
            let want = &case["expected"][block];
            let mut one = |key: &str, got: Estimable<f64>, want: &Value| {
                compare(&mut tally, &format!("{id} {block} {key}"), &got, want);
            };
            one("lesion per case", per_case(&lesions), &want["dice_per_case"]["lesion"]);
            one("liver per case", per_case(&livers), &want["dice_per_case"]["liver"]);
            one("lesion global", global(&lesions), &want["dice_global"]["lesion"]);
            one("liver global", global(&livers), &want["dice_global"]["liver"]);
            one("liver dice", per_case(&livers), &want["liver_segmentation"]["dice"]);
            for (key, values) in ["jaccard", "voe", "rvd", "assd", "rmsd", "msd"].into_iter().zip(&surfaces) {
                one(key, case_mean(values).mean, &want["liver_segmentation"][key]);
            }
            let want = &want["tumor_burden"];
            for (i, burden) in burdens.iter().enumerate() {
                one("burden", Ok(*burden), &want["per_case_ref_minus_pred"][i]);
            }
            let squares = burdens.iter().map(|b| b * b).sum::<f64>() / burdens.len() as f64;
            one("burden rmse", Ok(squares.sqrt()), &want["rmse"]);
            one("burden max", Ok(burdens.iter().copied().fold(f64::NEG_INFINITY, f64::max)), &want["max_signed"]);
        }
    }
    tally.finish();
}

/// Liver everywhere, lesions as boxes `[x0, x1, y0, y1, z0, z1)`.
fn drawn(input: &Value, key: &str) -> (Vec<usize>, Vec<u32>) {
    let shape: Vec<usize> = numbers(&input["shape"]).iter().map(|&v| v as usize).collect();
    let mut voxels = vec![1; shape.iter().product()];
    for lesion in input[key].as_array().unwrap() {
        let at: Vec<usize> = numbers(lesion).iter().map(|&v| v as usize).collect();
        for x in at[0]..at[1] {
            for y in at[2]..at[3] {
                voxels[(x * shape[1] + y) * shape[2] + at[4]..(x * shape[1] + y) * shape[2] + at[5]].fill(2);
            }
        }
    }
    (shape, voxels)
}

#[test]
fn refuge_and_isic() {
    let (Some(file), Some(second)) = (json("metrics/challenge_rules.json"), json("metrics/set_b/challenge.json"))
    else {
        return;
    };
    let mut tally = Tally::new("challenge_rules");
    for case in cases(&file, "refuge") {
        let key = case["input"].as_object().unwrap().keys().find(|key| *key != "gt").unwrap().clone();
        let rows =
            |key: &str| -> Vec<Vec<f64>> { case["input"][key].as_array().unwrap().iter().map(numbers).collect() };
        let (gt, pred) = (rows("gt"), rows(&key));
        let mask = |rows: &[Vec<f64>], below: f64| rows.iter().flatten().map(|&v| v < below).collect::<Vec<bool>>();
        let (cup, disc) = (1.0, 255.0);
        for (key, below) in [("cup_dice", cup), ("disc_dice", disc)] {
            let found = counts(&mask(&gt, below), &mask(&pred, below)).unwrap().dice();
            compare(&mut tally, key, &found, &case["expected"][key]);
        }
    }
    for case in cases(&file, "isic_task1") {
        let triples = case["input"]["tp_fp_fn_per_image"].as_array().unwrap();
        let both_one = EmptyRule { both: Some(1.0), ..EmptyRule::NOT_ESTIMABLE };
        let mut scores = Vec::new();
        for (i, triple) in triples.iter().map(numbers).enumerate() {
            let found = Counts {
                true_positive: triple[0],
                false_positive: triple[1],
                false_negative: triple[2],
                true_negative: 0.0,
            };
            let thresholded = both_one.apply(found.thresholded_jaccard(0.65));
            compare(&mut tally, "jaccard", &both_one.apply(found.jaccard()), &case["expected"]["jaccard"][i]);
            compare(&mut tally, "thresholded", &thresholded, &case["expected"]["thresholded"][i]);
            scores.push(thresholded);
        }
        compare(&mut tally, "score", &case_mean(&scores).mean, &case["expected"]["score"]);
    }
    for case in cases(&file, "isic_task2") {
        let mut all = Vec::new();
        for (attribute, images) in case["input"]["tp_tn_fp_fn_per_attribute_image"].as_object().unwrap() {
            let shares: Vec<Counts> = images
                .as_array()
                .unwrap()
                .iter()
                .map(numbers)
                .map(|v| Counts {
                    true_positive: v[0],
                    true_negative: v[1],
                    false_positive: v[2],
                    false_negative: v[3],
                })
                .map(|found| found.shares().unwrap())
                .collect();
            let sum: Counts = shares.iter().copied().sum();
            compare(&mut tally, attribute, &sum.jaccard(), &case["expected"][attribute]["jaccard"]);
            compare(&mut tally, attribute, &sum.dice(), &case["expected"][attribute]["dice"]);
            all.extend(shares);
        }
        let sum: Counts = all.into_iter().sum();
        compare(&mut tally, "micro", &sum.jaccard(), &case["expected"]["micro_average"]["jaccard"]);
        compare(&mut tally, "micro", &sum.dice(), &case["expected"]["micro_average"]["dice"]);
    }
    for case in cases(&second, "mtre") {
        let mut means = Vec::new();
        for (i, patient) in case["inputs"]["cases"].as_array().unwrap().iter().enumerate() {
            let points: Vec<Vec<[f64; 3]>> = patient
                .as_object()
                .unwrap()
                .values()
                .map(|list| {
                    list.as_array().unwrap().iter().map(|p| <[f64; 3]>::try_from(numbers(p)).unwrap()).collect()
                })
                .collect();
            let found = registration_error(&points[0], &points[1]).unwrap();
            compare(&mut tally, "mTRE", &Ok(found.mean), &case["expected"]["per_case"][i]);
            means.push(found.mean);
        }
        compare(&mut tally, "sd", &deviation(&means, 1), &case["expected"]["sd_ddof1"]);
    }
    tally.finish();
}

fn node(value: &Value) -> Node {
    match value.as_str().unwrap() {
        "negative" => Node::Negative,
        "itc" => Node::IsolatedCells,
        "micro" => Node::Micro,
        "macro" => Node::Macro,
        other => panic!("{other} is no node"),
    }
}

fn stages(value: &Value) -> Vec<Stage> {
    let patients = value.as_array().unwrap().iter();
    patients.map(|nodes| Stage::of(&nodes.as_array().unwrap().iter().map(node).collect::<Vec<_>>()).unwrap()).collect()
}

#[test]
fn stages_and_taxonomy() {
    let (Some(file), Some(second)) = (json("metrics/challenge_rules.json"), json("metrics/set_b/challenge.json"))
    else {
        return;
    };
    let mut tally = Tally::new("stages and taxonomy");
    let mut sets = Vec::new();
    for case in cases(&file, "camelyon17") {
        let input = case["input"].as_object().unwrap();
        let keys: Vec<&String> = input.keys().collect();
        let (truth, calls) = (stages(&input[keys[0]]), stages(&input[keys[1]]));
        for (found, key) in [(&truth, "true_stage"), (&calls, "pred_stage")] {
            for (found, want) in found.iter().zip(case["expected"][key].as_array().unwrap()) {
                tally.same(key, found.name(), want.as_str().unwrap());
            }
        }
        sets.push((truth, calls, case["expected"]["quadratic_kappa"].clone()));
    }
    for case in cases(&second, "pn_rule") {
        let found = stages(&Value::Array(vec![case["inputs"]["slides"].clone()]))[0];
        tally.same("pn rule", found.name(), case["expected"]["stage"].as_str().unwrap());
    }
    // the stages that the file gives: three patients of one case are called pN1 there with isolated cells only, against the rule
    for case in cases(&second, "pn_kappa") {
        let named = |key: &str| -> Vec<Stage> {
            let names = case["inputs"][key].as_array().unwrap().iter();
            names.map(|name| *Stage::ALL.iter().find(|stage| stage.name() == name).unwrap()).collect()
        };
        sets.push((named("truth_stage"), named("pred_stage"), case["expected"]["quadratic_kappa"].clone()));
    }
    for (truth, calls, want) in sets {
        let mut table = vec![vec![0_u64; 5]; 5];
        for (truth, call) in truth.iter().zip(&calls) {
            table[*truth as usize][*call as usize] += 1;
        }
        let kappa = cohen(&table, Weights::Quadratic, 0.95).unwrap().kappa.map(|kappa| kappa.estimate);
        compare(&mut tally, "quadratic kappa", &kappa, &want);
    }
    let names = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
    };
    let tree = |value: &Value| -> BTreeMap<String, Vec<String>> {
        value.as_object().unwrap().iter().map(|(node, children)| (node.clone(), names(children))).collect()
    };
    for case in cases(&file, "esteva") {
        let (input, want) = (&case["input"], &case["expected"]);
        let (taxonomy, leaves) = (Taxonomy::new(tree(&input["tree"])).unwrap(), names(&input["leaf_order"]));
        let (mut melanoma, mut other) = (Vec::new(), Vec::new());
        for (i, row) in input["leaf_prob"].as_array().unwrap().iter().map(numbers).enumerate() {
            for (node, want) in want["node_prob"].as_object().unwrap() {
                compare(&mut tally, node, &taxonomy.probability(node, &leaves, &row), &want[i]);
            }
            let truth = input["true_leaf"][i].as_str().unwrap();
            let score = taxonomy.probability("melanoma", &leaves, &row).unwrap();
            if taxonomy.classes("melanoma").contains(&truth) { melanoma.push(score) } else { other.push(score) }
        }
        compare(&mut tally, "melanoma auc", &roc::auc(&melanoma, &other), &want["melanoma_auc"]);
    }
    for case in cases(&second, "taxonomy") {
        let input = &case["inputs"];
        let (taxonomy, leaves) = (Taxonomy::new(tree(&input["tree"])).unwrap(), names(&input["leaves"]));
        for (row, want) in
            input["leaf_prob"].as_array().unwrap().iter().zip(case["expected"]["node_prob"].as_array().unwrap())
        {
            for (i, node) in ["benign", "malignant", "nonneo"].into_iter().enumerate() {
                compare(&mut tally, node, &taxonomy.probability(node, &leaves, &numbers(row)), &want[i]);
            }
        }
    }
    tally.finish();
}

#[test]
fn published_counts() {
    let (Some(file), Some(second)) = (json("metrics/published_tables.json"), json("metrics/set_b/challenge.json"))
    else {
        return;
    };
    let mut tally = Tally::new("published counts");
    let mut one = |x: &Value, n: &Value, method, level: f64, want: &Value| {
        let found = proportion(x.as_u64().unwrap(), n.as_u64().unwrap(), method, level).unwrap();
        compare(&mut tally, "lower", &Ok(found.interval.lower), &want[0]);
        compare(&mut tally, "upper", &Ok(found.interval.upper), &want[1]);
    };
    for case in file["cases"].as_array().unwrap() {
        let want = &case["expected"];
        for block in [Some(want), want.get("cad"), want.get("no_cad")].into_iter().flatten() {
            if block.get("k").is_some() {
                let (x, n) = (&block["k"], &block["n"]);
                one(x, n, ProportionMethod::ClopperPearson, 0.95, &block["cp95"]);
                one(x, n, ProportionMethod::Wilson, 0.95, &block["wilson95"]);
                one(x, n, ProportionMethod::ClopperPearson, 0.95_f64.sqrt(), &block["cp_sqrt95"]);
            }
        }
    }
    for case in cases(&second, "gulshan") {
        let level = case["inputs"]["level"].as_f64().unwrap();
        let (x, n) = (&case["inputs"]["x"], &case["inputs"]["n"]);
        one(x, n, ProportionMethod::ClopperPearson, level, &case["expected"]["ci"]);
    }
    tally.finish();
}
