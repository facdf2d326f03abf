//! Marks of a device: FROC curves and scores under each convention, and PI-CAI's lesion precision, against the golden
//! cases of `metrics/detection_froc.json` and `metrics/set_b/detection.json`, two sets made apart from each other.

use crate::support::{Tally, json};
use cadproof::metrics::detection::{Froc, Matched, froc};
use cadproof::metrics::froc_curves::{
    CAMELYON16, CAMELYON16_EXACT, CAMELYON16_ONE_PRECISION, ConventionalCurve, CurveConvention, LUNA16,
    conventional_curve, lesion_precision,
};
use cadproof::metrics::location::{CurveReading, LocationFigure, NlfCases};
use cadproof::metrics::matching::{
    Acceptance, Assignment, Best, Dimensions, Edge, ExtraHits, Matching, RatedMark, Region, Shape, Target, Unit,
    match_by,
};
use cadproof::stats::mrmc::fom::FigureOfMerit;
use serde_json::Value;

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(|value| value.as_f64().unwrap_or(f64::INFINITY)).collect()
}

fn all_close(tally: &mut Tally, what: &str, got: &[f64], want: &[f64], tolerance: f64) {
    tally.same(&format!("{what} length"), got.len(), want.len());
    for (at, (got, want)) in got.iter().zip(want).enumerate() {
        tally.close(&format!("{what} {at}"), *got, *want, tolerance, 1e-6);
    }
}

fn case(hits: Vec<Option<f64>>, false_marks: Vec<f64>) -> Matched {
    Matched { weights: vec![1.0; hits.len()], hits, false_marks, ignored: 0 }
}

/// The golden cases give which lesion a mark lies on, not where: lesion n stands at x = 10 n, its marks on it.
fn matched_by_label(of: &Value) -> (Matched, usize) {
    let at = |x: f64| Region { centre: [x, 0.0, 0.0], shape: Shape::Point };
    let ignored: Vec<u64> = list(&of["ignored_lesions"]).iter().filter_map(Value::as_u64).collect();
    let targets: Vec<Target> = (1..=of["n_lesions"].as_u64().expect("a number"))
        .map(|lesion| Target { region: at(10.0 * lesion as f64), weight: 1.0, ignored: ignored.contains(&lesion) })
        .collect();
    let marks: Vec<RatedMark> = numbers(&of["scores"])
        .into_iter()
        .zip(numbers(&of["hit_label"]))
        .map(|(rating, label)| RatedMark { region: at(if label > 0.0 { 10.0 * label } else { -10.0 }), rating })
        .collect();
    let rule = Matching {
        acceptance: Acceptance::Distance { maximum: 1.0 },
        edge: Edge::Included,
        unit: Unit::Pixels,
        dimensions: Dimensions::Two,
        assignment: Assignment::ByRating,
        best: Best::Nearest,
        extra: ExtraHits::Free,
    };
    (match_by(&targets, &marks, &rule), ignored.len())
}

fn curve(cases: &[Matched], ignored: usize, convention: CurveConvention) -> ConventionalCurve {
    conventional_curve(&cases.iter().collect::<Vec<_>>(), ignored, convention).expect("a lesion")
}

/// The programs list a curve from its lowest threshold up and end it with (0, 0).
fn compare_curve(tally: &mut Tally, at: &str, got: &ConventionalCurve, fp: &Value, sensitivity: &Value) {
    let side = |pick: fn(&(f64, f64)) -> f64| -> Vec<f64> { got.points.iter().rev().map(pick).collect() };
    all_close(tally, &format!("{at} false marks"), &side(|point| point.0), &numbers(fp), 1e-9);
    all_close(tally, &format!("{at} sensitivity"), &side(|point| point.1), &numbers(sensitivity), 1e-9);
}

#[test]
fn challenge_curves_of_the_second_set() {
    let Some(expected) = json("metrics/set_b/detection.json") else { return };
    let mut tally = Tally::new("FROC, set B");
    for golden in list(&expected["cases"]).iter().filter(|golden| golden["metric"] == "froc") {
        let id = golden["id"].as_str().expect("an id");
        let want = &golden["expected"];
        let (cases, ignored): (Vec<Matched>, Vec<usize>) =
            list(&golden["inputs"]["cases"]).iter().map(matched_by_label).unzip();
        let ignored = ignored.iter().sum();
        let lesions: usize = cases.iter().map(|case| case.hits.len()).sum();
        tally.same(&format!("{id} lesions"), Some(lesions as u64), want["n_lesions_counted"].as_u64());
        for (field, convention) in [("official_code", CAMELYON16), ("float64_variant", CAMELYON16_ONE_PRECISION)] {
            let got = curve(&cases, ignored, convention);
            let at = format!("{id} {}", convention.name);
            compare_curve(&mut tally, &at, &got, &want[field]["fp_per_wsi"], &want[field]["sensitivity"]);
            all_close(&mut tally, &at, &got.at_rates, &numbers(&want[field]["sens_at_rates_interp"]), 1e-9);
            all_close(&mut tally, &at, &[got.score], &[want[field]["froc_score"].as_f64().expect("a score")], 1e-9);
        }
        let got = curve(&cases, ignored, LUNA16);
        all_close(&mut tally, id, &got.at_rates, &numbers(&want["luna_sens_at_rates_interp"]), 1e-9);
        all_close(&mut tally, id, &[got.score], &[want["luna_cpm"].as_f64().expect("a mean")], 1e-9);
        let got = curve(&cases, ignored, CAMELYON16_EXACT);
        let exact = &want["exact_curve"];
        for (field, at) in [("fp_per_wsi", 0), ("sensitivity", 1)] {
            let points: Vec<f64> = got.points.iter().map(|point| if at == 0 { point.0 } else { point.1 }).collect();
            all_close(&mut tally, &format!("{id} exact {field}"), &points, &numbers(&exact[field]), 1e-9);
        }
        let by_step = numbers(&want["exact_step_sens_at_camelyon16_rates"]);
        all_close(&mut tally, &format!("{id} by step"), &got.at_rates, &by_step, 1e-9);
        let score = want["exact_step_froc_score"].as_f64().expect("a score");
        all_close(&mut tally, &format!("{id} by step"), &[got.score], &[score], 1e-9);
        // the figure of merit is the same by its own way
        let figure = LocationFigure::LlfAtNlf {
            rates: CAMELYON16_EXACT.rates.to_vec(),
            cases: NlfCases::All,
            reading: CurveReading::Step,
        };
        let mean = figure.estimate(&cases.iter().collect::<Vec<_>>()).expect("lesions");
        tally.close(&format!("{id} figure of merit"), mean, score, 1e-9, 1e-6);
    }
    tally.finish();
}

#[test]
fn challenge_curves_of_the_first_set() {
    let Some(expected) = json("metrics/detection_froc.json") else { return };
    let mut tally = Tally::new("FROC, first set");
    for golden in list(&expected["cases"]) {
        let id = golden["id"].as_str().expect("an id");
        let (input, want) = (&golden["input"], &golden["expected"]);
        if id.starts_with("camelyon16") {
            let mut ignored = 0;
            // which marks lie on which lesion is the program's; a hit is kept in single precision there
            let slides: Vec<Matched> = list(&want["per_slide"])
                .iter()
                .map(|slide| {
                    let itc: Vec<usize> =
                        list(&slide["itc_labels"]).iter().filter_map(Value::as_u64).map(|n| n as usize).collect();
                    ignored += itc.len();
                    let hits = numbers(&slide["tp_probs"])
                        .into_iter()
                        .enumerate()
                        .filter(|(at, _)| !itc.contains(&(at + 1)))
                        .map(|(_, rating)| Some(rating).filter(|rating| *rating > 0.0));
                    let matched = case(hits.collect(), numbers(&slide["fp_probs"]));
                    tally.same(id, Some(matched.hits.len() as u64), slide["n_lesions"].as_u64());
                    matched
                })
                .collect();
            let got = curve(&slides, ignored, CAMELYON16);
            compare_curve(
                &mut tally,
                id,
                &got,
                &want["official_code_total_FPs"],
                &want["official_code_total_sensitivity"],
            );
            all_close(&mut tally, id, &got.at_rates, &numbers(&want["sens_at_rates_linear"]), 1e-9);
            all_close(&mut tally, id, &[got.score], &[want["froc_score_linear"].as_f64().expect("a score")], 1e-9);
            let stepped = CurveConvention { interpolated: false, ..CAMELYON16 };
            let got = curve(&slides, ignored, stepped);
            all_close(&mut tally, id, &got.at_rates, &numbers(&want["sens_at_rates_step"]), 1e-9);
            all_close(&mut tally, id, &[got.score], &[want["froc_score_step"].as_f64().expect("a score")], 1e-9);
            let got = curve(&slides, ignored, CAMELYON16_EXACT);
            let whole = &want["corrected_all_thresholds"];
            compare_curve(&mut tally, id, &got, &whole["total_FPs"], &whole["total_sensitivity"]);
            all_close(&mut tally, id, &got.at_rates, &numbers(&whole["sens_at_rates_step"]), 1e-9);
        } else if id.starts_with("generic_froc") {
            compare_generic(&mut tally, id, input, want);
        }
    }
    tally.finish();
}

fn compare_generic(tally: &mut Tally, id: &str, input: &Value, want: &Value) {
    let images = input["n_images"].as_u64().expect("a number") as usize;
    let lesions = input["n_lesions"].as_u64().expect("a number") as usize;
    let (mut hits, mut false_marks) = (Vec::new(), Vec::new());
    for candidate in list(&input["candidates_prob_istp"]) {
        let rating = candidate[0].as_f64().expect("a rating");
        if candidate[1] == 1 {
            hits.push(Some(rating));
        } else {
            false_marks.push(rating);
        }
    }
    hits.resize(lesions, None);
    let mut cases = vec![case(hits, false_marks)];
    cases.resize(images, case(Vec::new(), Vec::new()));
    let all: Vec<&Matched> = cases.iter().collect();
    let got: Froc = froc(&all).expect("lesions");
    let column = |pick: fn(&cadproof::metrics::detection::FrocPoint) -> f64| -> Vec<f64> {
        got.points.iter().map(pick).collect()
    };
    all_close(tally, id, &column(|point| point.threshold), &numbers(&want["thresholds"]), 1e-9);
    all_close(tally, id, &column(|point| point.fp_per_image), &numbers(&want["fppi"]), 1e-9);
    all_close(tally, id, &column(|point| point.sensitivity), &numbers(&want["sens"]), 1e-9);
    for (reading, name) in [(CurveReading::Step, "step"), (CurveReading::Linear, "linear")] {
        let figure = |rates: &[f64]| LocationFigure::LlfAtNlf { rates: rates.to_vec(), cases: NlfCases::All, reading };
        let got: Vec<f64> = LUNA16.rates.iter().map(|&rate| figure(&[rate]).estimate(&all).expect("lesions")).collect();
        all_close(tally, &format!("{id} {name}"), &got, &numbers(&want[format!("sens_{name}")]), 1e-9);
        let mean = figure(LUNA16.rates).estimate(&all).expect("lesions");
        let wanted = want[format!("cpm_{name}")].as_f64().expect("a mean");
        tally.close(&format!("{id} {name} mean"), mean, wanted, 1e-9, 1e-6);
    }
}

/// What the challenge makes of matched marks: area of the cases' highest ratings, lesion precision, and the curve.
fn compare_picai(tally: &mut Tally, id: &str, cases: &[Matched], diseased: &[f64], normal: &[f64], want: &Value) {
    let all: Vec<&Matched> = cases.iter().collect();
    let auroc = FigureOfMerit::EmpiricalAuc.estimate(diseased, normal).expect("both classes");
    let lesions = lesion_precision(&all).expect("lesions");
    let field = |name: &str| want[name].as_f64().expect("a number");
    tally.close(&format!("{id} AUROC"), auroc, field("auroc"), 1e-9, 1e-6);
    tally.close(&format!("{id} AP"), lesions.average_precision, field("ap"), 1e-9, 1e-6);
    tally.close(&format!("{id} score"), f64::midpoint(auroc, lesions.average_precision), field("score"), 1e-9, 1e-6);
    tally.same(id, Some(cases.iter().map(|case| case.hits.len() as u64).sum()), want["num_lesions"].as_u64());
    let at_rates = want["lesion_TPR_at_FPR"].as_object().or(want["lesion_tpr_at_fpr"].as_object());
    for (rate, sensitivity) in at_rates.expect("rates") {
        let figure = LocationFigure::llf_at(rate.parse().expect("a rate"));
        // the program keeps the curve in single precision
        let got = figure.estimate(&all).expect("lesions");
        tally.close(&format!("{id} at {rate}"), got, sensitivity.as_f64().expect("a number"), 1e-7, 1e-6);
    }
    for (name, got) in [("precision", &lesions.precision), ("recall", &lesions.recall)] {
        if want[name].is_array() {
            all_close(tally, &format!("{id} {name}"), got, &numbers(&want[name]), 1e-9);
        }
    }
    if want["lesion_TPR"].is_array() {
        let curve = froc(&all).expect("lesions");
        // it ends with a point at infinite false marks
        for (name, of) in [("lesion_TPR", 0), ("lesion_FPR", 1)] {
            let wanted = numbers(&want[name]);
            let got: Vec<f64> =
                curve.points.iter().map(|point| if of == 0 { point.sensitivity } else { point.fp_per_image }).collect();
            all_close(tally, &format!("{id} {name}"), &got, &wanted[..wanted.len() - 1], 1e-7);
        }
    }
}

#[test]
fn lesion_precision_as_pi_cai_scores_it() {
    let (Some(first), Some(second)) = (json("metrics/detection_froc.json"), json("metrics/set_b/detection.json"))
    else {
        return;
    };
    let mut tally = Tally::new("PI-CAI");
    for golden in list(&second["cases"]).iter().filter(|golden| golden["metric"] == "picai") {
        let (mut cases, mut diseased, mut normal) = (Vec::new(), Vec::new(), Vec::new());
        for of in list(&golden["inputs"]["cases"]) {
            let (mut hits, mut false_marks) = (Vec::new(), Vec::new());
            for lesion in list(&of["lesions"]) {
                let rating = lesion[1].as_f64().expect("a rating");
                if lesion[0] == 1 { hits.push(Some(rating).filter(|r| *r > 0.0)) } else { false_marks.push(rating) }
            }
            let highest = of["case_pred"].as_f64().expect("a rating");
            if of["case_target"] == 1 { &mut diseased } else { &mut normal }.push(highest);
            cases.push(case(hits, false_marks));
        }
        let id = golden["id"].as_str().expect("an id");
        compare_picai(&mut tally, id, &cases, &diseased, &normal, &golden["expected"]);
    }
    // boxes in three dimensions, a hit from an overlap of 0.1 on
    let rule = Matching {
        acceptance: Acceptance::Iou { minimum: 0.1 },
        edge: Edge::Included,
        unit: Unit::Pixels,
        dimensions: Dimensions::Three,
        assignment: Assignment::ByBest,
        best: Best::Overlap,
        extra: ExtraHits::Free,
    };
    for golden in list(&first["cases"]).iter().filter(|golden| golden["id"].as_str() == Some("picai_eval_3")) {
        let region = |solid: &Value| {
            let side = |end: usize| [0, 1, 2].map(|axis| solid["box"][axis][end].as_f64().expect("a corner"));
            let (lower, upper) = (side(0), side(1));
            let centre = [0, 1, 2].map(|axis| f64::midpoint(lower[axis], upper[axis]));
            Region { centre, shape: Shape::Box { lower, upper } }
        };
        let (mut cases, mut diseased, mut normal) = (Vec::new(), Vec::new(), Vec::new());
        for of in list(&golden["input"]["cases"]) {
            let targets: Vec<Target> = list(&of["ref"])
                .iter()
                .map(|solid| Target { region: region(solid), weight: 1.0, ignored: false })
                .collect();
            let marks: Vec<RatedMark> = list(&of["pred"])
                .iter()
                .map(|solid| RatedMark { region: region(solid), rating: solid["value"].as_f64().expect("a rating") })
                .collect();
            let highest = marks.iter().map(|mark| mark.rating).fold(0.0, f64::max);
            if targets.is_empty() { &mut normal } else { &mut diseased }.push(highest);
            cases.push(match_by(&targets, &marks, &rule));
        }
        compare_picai(&mut tally, "picai_eval_3", &cases, &diseased, &normal, &golden["expected"]);
    }
    tally.finish();
}
