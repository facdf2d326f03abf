//! Two classes: ROC, average precision, DeLong and 2×2 tables against scikit-learn, statsmodels and epiR, from two sets.

use crate::support::{Tally, json};
use cadproof::stats::diagnostic::{Confusion, diagnostic, npv_at, ppv_at};
use cadproof::stats::odds::Ratio;
use cadproof::stats::proportion::{Proportion, ProportionMethod, proportion};
use cadproof::stats::roc;
use cadproof::stats::roc::partial::{Range, partial_auc};
use cadproof::stats::{Estimable, Interval};
use serde_json::Value;

fn compare(tally: &mut Tally, what: &str, got: &Estimable<f64>, want: &Value) {
    match (want.as_f64(), got) {
        (Some(want), Ok(got)) => tally.close(what, *got, want, 1e-9, 1e-3),
        (Some(want), Err(reason)) => tally.same(what, reason.to_string(), want.to_string()),
        (None, got) => tally.same(what, got.as_ref().ok().copied(), None),
    }
}

fn ratio(tally: &mut Tally, what: &str, found: &Ratio, want: [&Value; 3]) {
    compare(tally, what, &Ok(found.estimate), want[0]);
    compare(tally, &format!("{what} lower"), &found.interval.clone().map(|i| i.lower), want[1]);
    compare(tally, &format!("{what} upper"), &found.interval.clone().map(|i| i.upper), want[2]);
}

fn interval(tally: &mut Tally, what: &str, got: Interval, want: &Value) {
    compare(tally, &format!("{what} lower"), &Ok(got.lower), &want[0]);
    compare(tally, &format!("{what} upper"), &Ok(got.upper), &want[1]);
}

/// Scores by class; `NaN` and infinities come as words.
fn split(input: &Value, scores: &str) -> (Vec<f64>, Vec<f64>) {
    let number = |v: &Value| v.as_f64().unwrap_or_else(|| if v == "NaN" { f64::NAN } else { f64::INFINITY });
    let (mut positive, mut negative) = (Vec::new(), Vec::new());
    for (y, score) in input["y"].as_array().unwrap().iter().zip(input[scores].as_array().unwrap()) {
        if y == 1 { positive.push(number(score)) } else { negative.push(number(score)) }
    }
    (positive, negative)
}

/// AUC, average precision and McClish's area below a false-positive rate of 0.1.
fn curve(tally: &mut Tally, id: &str, (positive, negative): (&[f64], &[f64]), want: [&Value; 3]) {
    compare(tally, &format!("{id} auc"), &roc::auc(positive, negative), want[0]);
    // without positives the program writes 0; without negatives every call is right
    if !positive.is_empty() && !negative.is_empty() {
        compare(tally, &format!("{id} ap"), &roc::average_precision(positive, negative), want[1]);
        let area = roc::roc_curve(positive, negative).and_then(|c| partial_auc(&c, Range::Specificity(0.9, 1.0)));
        compare(tally, &format!("{id} partial"), &area.map(|area| area.corrected), want[2]);
    }
}

#[test]
fn curves() {
    let (Some(first), Some(second)) = (json("metrics/roc_pr.json"), json("metrics/set_b/binary.json")) else { return };
    let mut tally = Tally::new("roc_pr and set_b binary");
    for case in first["cases"].as_array().unwrap() {
        let (id, want) = (case["id"].as_str().unwrap(), &case["expected"]);
        let (positive, negative) = split(&case["input"], "score");
        let keys = ["auc", "average_precision", "partial_auc_mcclish_fpr_le_0.1"].map(|key| &want[key]);
        curve(&mut tally, id, (&positive, &negative), keys);
        if let (Ok(found), Some(variance)) = (roc::delong(&positive, &negative, 0.95), want.get("delong_var")) {
            compare(&mut tally, &format!("{id} variance"), &Ok(found.variance), variance);
            let cut = |v: &Value| Value::from(v.as_f64().unwrap().clamp(0.0, 1.0));
            let limits = &want["delong_ci95_wald"];
            interval(
                &mut tally,
                &format!("{id} delong"),
                found.interval,
                &Value::from(vec![cut(&limits[0]), cut(&limits[1])]),
            );
        }
        if let Ok(curve) = roc::roc_curve(&positive, &negative) {
            for (target, want) in want["sens_at_spec_step"].as_object().into_iter().flatten() {
                let target: f64 = target.parse().unwrap();
                let enough = curve.points.iter().filter(|p| p.specificity >= target);
                let best = enough.map(|p| p.sensitivity).fold(0.0, f64::max);
                compare(&mut tally, &format!("{id} sensitivity at {target}"), &Ok(best), want);
            }
        }
    }
    for case in second["cases"].as_array().unwrap() {
        let (id, want) = (case["id"].as_str().unwrap(), &case["expected"]);
        if id == "bin_edge_inf" {
            continue; // an infinite score has its rank here; the program refuses it
        }
        if case["metric"] == "binary" {
            let (positive, negative) = split(&case["inputs"], "score");
            let keys = ["sklearn_roc_auc", "sklearn_average_precision", "sklearn_partial_auc_fpr0.1_mcclish"];
            curve(&mut tally, id, (&positive, &negative), keys.map(|key| &want[key]));
            if let Ok(found) = roc::delong(&positive, &negative, 0.95) {
                compare(&mut tally, &format!("{id} variance"), &Ok(found.variance), &want["delong"]["var_delong"]);
            }
            if let Ok(found) = roc::delong_logit(&positive, &negative, 0.95) {
                interval(&mut tally, &format!("{id} logit"), found.interval, &want["delong"]["ci95_logit"]);
            }
        } else if case["metric"] == "delong_paired" {
            let (a, b) = (split(&case["inputs"], "a"), split(&case["inputs"], "b"));
            let found = roc::delong_paired(&a.0, &a.1, &b.0, &b.1, 0.95).unwrap();
            for (key, got) in [
                ("auc_a", Ok(found.first)),
                ("auc_b", Ok(found.second)),
                ("diff", Ok(found.difference)),
                ("se_diff", Ok(found.standard_error)),
                ("z", found.z.clone()),
                ("p_two_sided", found.p.clone()),
            ] {
                compare(&mut tally, &format!("{id} {key}"), &got, &want[key]);
            }
            interval(&mut tally, id, found.interval, &want["ci95"]);
        }
    }
    tally.finish();
}

fn rate(tally: &mut Tally, what: &str, found: &Estimable<Proportion>, want: &Value) {
    let Ok(found) = found else {
        return tally.same(what, want.get("est").and_then(Value::as_f64), None);
    };
    compare(tally, what, &Ok(found.estimate), &want["est"]);
    for (keys, method) in [
        (["cp", "clopper_pearson"], ProportionMethod::ClopperPearson),
        (["wilson", "wilson"], ProportionMethod::Wilson),
    ] {
        let want = keys.iter().find_map(|key| want.get(*key)).unwrap();
        interval(tally, what, proportion(found.x, found.n, method, 0.95).unwrap().interval, want);
    }
}

#[test]
fn tables() {
    let (Some(first), Some(second)) = (json("metrics/diagnostic_rates.json"), json("metrics/set_b/binary.json")) else {
        return;
    };
    let mut tally = Tally::new("2×2 tables");
    let counts = |input: &Value| {
        let of = |key: &str| input[key].as_u64().unwrap();
        Confusion {
            true_positive: of("tp"),
            false_positive: of("fp"),
            false_negative: of("fn"),
            true_negative: of("tn"),
        }
    };
    for case in first["cases"].as_array().unwrap() {
        let (id, want, table) = (case["id"].as_str().unwrap(), &case["expected"], counts(&case["input"]));
        let found = diagnostic(&table, ProportionMethod::ClopperPearson, 0.95);
        // with an empty cell the file's limits follow a correction of its own
        let whole = [table.true_positive, table.false_positive, table.false_negative, table.true_negative];
        let whole = whole.iter().all(|count| *count > 0);
        for (key, found) in
            [("sens", &found.sensitivity), ("spec", &found.specificity), ("ppv", &found.ppv), ("npv", &found.npv)]
        {
            rate(&mut tally, &format!("{id} {key}"), found, &want[key]);
        }
        for (key, found) in
            [("lr_plus", &found.lr_positive), ("lr_minus", &found.lr_negative), ("dor", &found.odds_ratio)]
        {
            let want = &want["likelihood_ratios_simel"][key];
            if let (Ok(found), Some(_), true) = (found, want[1].as_f64(), whole) {
                ratio(&mut tally, &format!("{id} {key}"), found, [&want[0], &want[1], &want[2]]);
            }
        }
        let prevalence = &want["at_prevalence"];
        if let (Some(at), Some(_)) = (prevalence["prevalence"].as_f64(), prevalence["ppv_ci_logit"][0].as_f64()) {
            for (key, found) in [("ppv", ppv_at(&table, at, 0.95)), ("npv", npv_at(&table, at, 0.95))] {
                if let (Ok(found), true) = (found, whole) {
                    compare(&mut tally, &format!("{id} {key} at {at}"), &Ok(found.estimate), &prevalence[key]);
                    interval(
                        &mut tally,
                        &format!("{id} {key}"),
                        found.interval,
                        &prevalence[format!("{key}_ci_logit")],
                    );
                }
            }
        }
    }
    for case in second["cases"].as_array().unwrap().iter().filter(|case| case["metric"] == "table2x2") {
        let (id, want) = (case["id"].as_str().unwrap(), &case["expected"]);
        let found = diagnostic(&counts(&case["inputs"]), ProportionMethod::Wilson, 0.95);
        for (key, found) in [
            ("sensitivity", &found.sensitivity),
            ("specificity", &found.specificity),
            ("ppv", &found.ppv),
            ("npv", &found.npv),
            ("accuracy", &found.accuracy),
        ] {
            rate(&mut tally, &format!("{id} {key}"), found, &want[key]);
        }
        for (key, limits, found) in [
            ("lr_plus", "lr_plus_ci95_log", &found.lr_positive),
            ("lr_minus", "lr_minus_ci95_log", &found.lr_negative),
            ("dor", "dor_ci95_woolf", &found.odds_ratio),
        ] {
            if let (Ok(found), Some(limits)) = (found, want.get(limits)) {
                ratio(&mut tally, &format!("{id} {key}"), found, [&want[key], &limits[0], &limits[1]]);
            }
        }
    }
    tally.finish();
}
