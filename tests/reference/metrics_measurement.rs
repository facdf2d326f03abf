//! Errors, lines of agreement, registration and survival classes against scikit-learn, scipy and two independent sets.

use crate::support::{Tally, json};
use cadproof::metrics::measurement::{
    AtCut, Errors, Line, class_of, deming, deviation, passing_bablok, registration_error, spearman,
};
use cadproof::stats::{Estimable, Interval};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// `floor` is the scale of the data: differences of it lose that many digits before any formula.
fn compare(tally: &mut Tally, what: &str, got: &Estimable<f64>, want: &Value, floor: f64) {
    match (want.as_f64(), got) {
        (Some(want), Ok(got)) => tally.close(what, *got, want, 1e-9, floor),
        (Some(want), Err(reason)) => tally.same(what, reason.to_string(), want.to_string()),
        (None, got) => tally.same(what, got.as_ref().ok().copied(), None),
    }
}

fn interval(tally: &mut Tally, what: &str, got: &Estimable<Interval>, want: &Value) {
    compare(tally, &format!("{what} lower"), &got.clone().map(|i| i.lower), &want[0], 1.0);
    compare(tally, &format!("{what} upper"), &got.clone().map(|i| i.upper), &want[1], 1.0);
}

fn line(tally: &mut Tally, what: &str, got: &Estimable<Line>, want: &Value, [slope, intercept]: [&str; 2]) {
    let part = |of: fn(&Line) -> f64| got.as_ref().map(of).map_err(Clone::clone);
    compare(tally, &format!("{what} slope"), &part(|l| l.slope), &want["slope"], 1.0);
    compare(tally, &format!("{what} intercept"), &part(|l| l.intercept), &want["intercept"], 1.0);
    let of = |pick: fn(&Line) -> &Estimable<Interval>| got.as_ref().map_err(Clone::clone).and_then(|l| pick(l).clone());
    interval(tally, &format!("{what} slope"), &of(|l| &l.slope_interval), &want[slope]);
    interval(tally, &format!("{what} intercept"), &of(|l| &l.intercept_interval), &want[intercept]);
    if let Ok(Line { standard_errors: Some(errors), .. }) = got {
        for (got, keys) in
            [(errors.0, ["slope_se", "slope_se_jackknife"]), (errors.1, ["intercept_se", "intercept_se_jackknife"])]
        {
            let want = keys.iter().find_map(|key| want.get(*key)).unwrap();
            compare(tally, &format!("{what} se"), &Ok(got), want, 1.0);
        }
    }
}

#[test]
fn errors_and_lines() {
    let (Some(first), Some(second)) =
        (json("metrics/agreement_continuous.json"), json("metrics/set_b/regression.json"))
    else {
        return;
    };
    let mut tally = Tally::new("measurement");
    for case in first["cases"].as_array().unwrap() {
        let (id, want) = (case["id"].as_str().unwrap(), &case["expected"]);
        let (x, y) = (numbers(&case["input"]["x"]), numbers(&case["input"]["y"]));
        let errors = Errors::new(&x, &y).unwrap();
        for (key, got) in [
            ("mae", Ok(errors.mean_absolute())),
            ("rmse", Ok(errors.root_mean_square())),
            ("bias", Ok(errors.bias())),
            ("median_ae", Ok(errors.median_absolute())),
            ("max_ae", Ok(errors.maximum_absolute())),
            ("r2", errors.explained()),
            ("mape", errors.mean_absolute_share()),
            ("medianSE", Ok(errors.median_square())),
            ("stdSE_pop", errors.square_deviation(0)),
            ("within_6", Ok(errors.within(6.0))),
        ] {
            compare(&mut tally, &format!("{id} {key}"), &got, &want["errors"][key], 1e-2);
        }
        let rho = spearman(&x, &y);
        compare(&mut tally, &format!("{id} rho"), &rho, &want["spearman"]["rho"], 1e-2);
        let keys = ["slope_ci", "intercept_ci"];
        let want_deming = &want["deming_lambda1_closed_form_jackknife"];
        line(&mut tally, &format!("{id} deming"), &deming(&x, &y, 1.0, 0.95), want_deming, keys);
        let want = &want["passing_bablok_1983_own"];
        line(&mut tally, &format!("{id} passing bablok"), &passing_bablok(&x, &y, 0.95), want, keys);
    }
    for case in second["cases"].as_array().unwrap().iter().filter(|c| c["metric"] == "regression_agreement") {
        let (id, want) = (case["id"].as_str().unwrap(), &case["expected"]);
        let (x, y) = (numbers(&case["inputs"]["ref"]), numbers(&case["inputs"]["pred"]));
        let errors = Errors::new(&x, &y).unwrap();
        for (key, got) in [
            ("mae", Ok(errors.mean_absolute())),
            ("mse", Ok(errors.mean_square())),
            ("rmse", Ok(errors.root_mean_square())),
            ("median_ae", Ok(errors.median_absolute())),
            ("bias_mean_error", Ok(errors.bias())),
            ("max_ae", Ok(errors.maximum_absolute())),
            ("median_se", Ok(errors.median_square())),
            ("std_se_ddof0", errors.square_deviation(0)),
            ("std_se_ddof1", errors.square_deviation(1)),
            ("r2", errors.explained()),
            ("mape", errors.mean_absolute_share()),
        ] {
            compare(&mut tally, &format!("{id} {key}"), &got, &want[key], 1e-2);
        }
        for limit in ["6", "12"] {
            let share = errors.within(limit.parse().unwrap());
            compare(&mut tally, &format!("{id} within {limit}"), &Ok(share), &want["within"][limit]["le"], 1e-2);
        }
        compare(&mut tally, &format!("{id} rho"), &spearman(&x, &y), &want["spearman"]["rho"], 1e-2);
        let keys = ["slope_ci95", "intercept_ci95"];
        line(&mut tally, &format!("{id} deming"), &deming(&x, &y, 1.0, 0.95), &want["deming_pred_on_ref"], keys);
        let found = passing_bablok(&x, &y, 0.95);
        line(&mut tally, &format!("{id} passing bablok"), &found, &want["passing_bablok_pred_on_ref"], keys);
    }
    tally.finish();
}

#[test]
fn survival() {
    let (Some(first), Some(second)) = (json("metrics/challenge_brats.json"), json("metrics/set_b/regression.json"))
    else {
        return;
    };
    let mut tally = Tally::new("survival");
    let mut sets = Vec::new();
    for case in first["cases"].as_array().unwrap().iter().filter(|c| c["id"].as_str().unwrap().starts_with("surv")) {
        sets.push((
            &case["input"],
            &case["expected"],
            ["MSE", "medianSE", "stdSE_population", "stdSE_sample", "SpearmanR"],
        ));
    }
    for case in second["cases"].as_array().unwrap().iter().filter(|c| c["metric"] == "brats_survival") {
        sets.push((&case["inputs"], &case["expected"], ["mse", "medianSE", "stdSE_ddof0", "stdSE_ddof1", "spearmanR"]));
    }
    for (input, want, [mse, median, population, sample, rho]) in sets {
        let (x, y) = (numbers(&input["true_days"]), numbers(&input["pred_days"]));
        let errors = Errors::new(&x, &y).unwrap();
        for (key, got) in [
            (mse, Ok(errors.mean_square())),
            (median, Ok(errors.median_square())),
            (population, errors.square_deviation(0)),
            (sample, errors.square_deviation(1)),
            (rho, spearman(&x, &y)),
        ] {
            compare(&mut tally, key, &got, &want[key], 1e-2);
        }
        let accuracy = |short: AtCut, long: AtCut| {
            let class = |days: &f64| class_of(*days, &[(300.0, short), (450.0, long)]);
            let right = x.iter().zip(&y).filter(|(x, y)| class(x) == class(y)).count();
            Ok(right as f64 / x.len() as f64)
        };
        for (key, got) in [
            ("accuracy_lt300_le450", accuracy(AtCut::Above, AtCut::Below)),
            ("accuracy_le300_lt450", accuracy(AtCut::Below, AtCut::Above)),
            ("accuracy", accuracy(AtCut::Above, AtCut::Below)),
        ] {
            if let Some(want) = want.get(key) {
                compare(&mut tally, key, &got, want, 1e-2);
            }
        }
    }
    tally.finish();
}

#[test]
fn landmarks() {
    let Some(file) = json("metrics/challenge_rules.json") else { return };
    let mut tally = Tally::new("landmarks");
    let points = |value: &Value| -> Vec<[f64; 3]> {
        value.as_array().unwrap().iter().map(|p| <[f64; 3]>::try_from(numbers(p)).unwrap()).collect()
    };
    for case in file["cases"].as_array().unwrap().iter().filter(|c| c["id"].as_str().unwrap().starts_with("curious")) {
        let (input, want) = (case["input"].as_object().unwrap(), &case["expected"]);
        let moved = input.iter().find(|(key, _)| *key != "fixed").unwrap().1.as_array().unwrap();
        let mut means = Vec::new();
        for (i, (fixed, moved)) in input["fixed"].as_array().unwrap().iter().zip(moved).enumerate() {
            let found = registration_error(&points(fixed), &points(moved)).unwrap();
            compare(&mut tally, "mTRE", &Ok(found.mean), &want["per_case_mTRE"][i], 1e-2);
            compare(&mut tally, "minimum", &Ok(found.minimum), &want["min"][i], 1e-2);
            compare(&mut tally, "maximum", &Ok(found.maximum), &want["max"][i], 1e-2);
            means.push(found.mean);
        }
        let mean = means.iter().sum::<f64>() / means.len() as f64;
        compare(&mut tally, "mean", &Ok(mean), &want["mean_over_cases"], 1e-2);
        compare(&mut tally, "sd", &deviation(&means, 1), &want["sd_over_cases"], 1e-2);
    }
    tally.finish();
}
