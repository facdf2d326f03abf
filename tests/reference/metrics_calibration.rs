//! Calibration and net benefit against statsmodels, scikit-learn, MetricsReloaded and dcurves, from two sets.

use crate::support::{Tally, json};
use cadproof::metrics::calibration::{Act, Bins, CalibrationError, Closed, Forecasts, RatioInterval, Sample};
use cadproof::stats::Estimable;
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn events(value: &Value) -> Vec<bool> {
    numbers(value).iter().map(|&y| y == 1.0).collect()
}

fn close(tally: &mut Tally, what: &str, got: &Estimable<f64>, want: &Value, tolerance: f64) {
    match (want.as_f64(), got) {
        (Some(want), Ok(got)) => tally.close(what, *got, want, tolerance, 1e-3),
        (Some(want), Err(reason)) => tally.same(what, reason.to_string(), want.to_string()),
        (None, got) => tally.same(what, got.as_ref().ok().copied(), None),
    }
}

/// scikit-learn's bound on probabilities.
const FLOOR: Option<f64> = Some(f64::EPSILON);

#[test]
fn the_first_set() {
    let Some(file) = json("metrics/calibration.json") else { return };
    let mut tally = Tally::new("calibration");
    for case in file["cases"].as_array().unwrap() {
        let (id, want) = (case["id"].as_str().unwrap(), &case["expected"]);
        let (p, y) = (numbers(&case["input"]["p"]), events(&case["input"]["y"]));
        let found = Forecasts::new(&p, &y).unwrap();
        let error = |bins, closed| found.calibration_error(bins, closed).unwrap();
        let mut one = |key: &str, got: Estimable<f64>, want: &Value| {
            close(&mut tally, &format!("{id} {key}"), &got, want, 1e-9);
        };
        one("brier", Ok(found.brier()), &want["brier_binary"]);
        one("brier sum", Ok(2.0 * found.brier()), &want["metrics_reloaded"]["brier_sum"]);
        one("skill", found.scaled_brier(), &want["brier_skill_score"]);
        one("log loss", found.log_loss(FLOOR), &want["log_loss_clipped"]);
        let (left, right) = (error(Bins::Width(10), Closed::Left), error(Bins::WidthStepped(10), Closed::Right));
        for (found, want) in
            [(&left, &want["own_left_closed_10"]), (&right, &want["own_right_closed_10_zero_in_first"])]
        {
            one("ece", Ok(found.expected), &want["ece"]);
            one("mce", Ok(found.maximum), &want["mce"]);
            one("rms", Ok(found.root_mean_square), &want["rms"]);
        }
        let curve = &want["sklearn_calibration_curve_10_uniform"];
        for (i, bin) in right.bins.iter().enumerate() {
            one("observed", Ok(bin.observed()), &curve["frac_pos"][i]);
            one("predicted", Ok(bin.predicted()), &curve["mean_pred"][i]);
        }
        // MetricsReloaded leaves out probabilities of 0
        let (kept_p, kept_y): (Vec<f64>, Vec<bool>) = p.iter().zip(&y).filter(|(p, _)| **p > 0.0).unzip();
        let kept = Forecasts::new(&kept_p, &kept_y).unwrap();
        for n in [5, 10, 15] {
            let found = kept.calibration_error(Bins::WidthStepped(n), Closed::Right).unwrap();
            one("reloaded ece", Ok(found.expected), &want["metrics_reloaded"][format!("ece_{n}")]);
            one("reloaded mce", Ok(found.maximum), &want["metrics_reloaded"][format!("mce_{n}")]);
        }
        let (ratio, interval) = found.observed_over_expected(RatioInterval::LogWald, 0.95).unwrap();
        one("o/e", Ok(ratio), &want["O_over_E"]["OE"]);
        one("o/e lower", Ok(interval.lower), &want["O_over_E"]["ci95_log"][0]);
        one("o/e upper", Ok(interval.upper), &want["O_over_E"]["ci95_log"][1]);
        one("z", found.spiegelhalter().map(|z| z.0), &want["spiegelhalter"]["z"]);
        one("p", found.spiegelhalter().map(|z| z.1), &want["spiegelhalter"]["p"]);
        if let Some(line) = want.get("logistic_recalibration") {
            let large = found.in_the_large(0.95).unwrap();
            tally.close(
                &format!("{id} large"),
                large.intercept,
                line["intercept_in_the_large"].as_f64().unwrap(),
                1e-7,
                1.0,
            );
            let mut near = |key: &str, got: f64, want: &Value| {
                close(&mut tally, &format!("{id} {key}"), &Ok(got), want, 1e-7);
            };
            near("large se", large.standard_error, &line["citl_se"]);
            near("large lower", large.interval.lower, &line["citl_ci95"][0]);
            near("large upper", large.interval.upper, &line["citl_ci95"][1]);
            match found.recalibration(0.95) {
                Ok(fit) => {
                    near("intercept", fit.intercept.estimate, &line["intercept"]);
                    near("slope", fit.slope.estimate, &line["slope"]);
                    near("slope se", fit.slope.standard_error, &line["slope_se"]);
                    near("slope lower", fit.slope.interval.lower, &line["slope_ci95"][0]);
                    near("slope upper", fit.slope.interval.upper, &line["slope_ci95"][1]);
                    near("chi square", fit.chi_square, &line["lr_test_intercept0_slope1"]);
                    near("lr p", fit.p, &line["lr_p"]);
                }
                // one logit for all: the program takes a generalised inverse and prints a slope of 0
                Err(_) => tally.same(&format!("{id} no slope"), line["slope_se"].as_f64(), Some(0.0)),
            }
        }
        let test = found.hosmer_lemeshow(10, Sample::Development);
        let want = &want["hosmer_lemeshow_10"];
        match test {
            Ok(test) => {
                close(&mut tally, &format!("{id} hl"), &Ok(test.chi_square), &want["chi2"], 1e-9);
                close(&mut tally, &format!("{id} hl p"), &Ok(test.p), &want["p"], 1e-9);
                tally.same(&format!("{id} hl df"), test.degrees_of_freedom as i64, want["df"].as_i64().unwrap());
                for (group, want) in test.groups.iter().zip(want["groups_n_obs_exp"].as_array().unwrap()) {
                    tally.same(
                        &format!("{id} group"),
                        [group.cases, group.events].map(|n| n as f64),
                        [0, 1].map(|i| want[i].as_f64().unwrap()),
                    );
                    close(&mut tally, &format!("{id} expected"), &Ok(group.expected), &want[2], 1e-9);
                }
            }
            Err(_) => tally.same(&format!("{id} hl p"), want["p"].as_f64(), None),
        }
    }
    tally.finish();
}

fn bins(tally: &mut Tally, what: &str, found: &CalibrationError, want: &Value) {
    close(tally, &format!("{what} ece"), &Ok(found.expected), &want["ece"], 1e-9);
    close(tally, &format!("{what} mce"), &Ok(found.maximum), &want["mce"], 1e-9);
    let want = want["bins_k_n_meanp_obs"].as_array().unwrap();
    tally.same(&format!("{what} bins"), found.bins.len(), want.len());
    for (bin, want) in found.bins.iter().zip(want) {
        for (got, want) in [(bin.cases as f64, &want[1]), (bin.predicted(), &want[2]), (bin.observed(), &want[3])] {
            close(tally, what, &Ok(got), want, 1e-9);
        }
    }
}

#[test]
fn the_second_set() {
    let Some(file) = json("metrics/set_b/calibration.json") else { return };
    let mut tally = Tally::new("set_b calibration");
    for case in file["cases"].as_array().unwrap().iter().filter(|case| case["metric"] == "calibration") {
        let (id, want) = (case["id"].as_str().unwrap(), &case["expected"]);
        let (p, y) = (numbers(&case["inputs"]["p"]), events(&case["inputs"]["y"]));
        let found = Forecasts::new(&p, &y).unwrap();
        for (key, kind, closed) in [
            ("ece10_width_right", Bins::WidthStepped(10), Closed::Right),
            ("ece10_width_left", Bins::WidthStepped(10), Closed::Left),
            ("ece15_width_right", Bins::WidthStepped(15), Closed::Right),
            ("ece10_quantile_right", Bins::Quantile(10), Closed::Right),
        ] {
            bins(&mut tally, &format!("{id} {key}"), &found.calibration_error(kind, closed).unwrap(), &want[key]);
        }
        let mut one = |key: &str, got: Estimable<f64>, want: &Value| {
            close(&mut tally, &format!("{id} {key}"), &got, want, 1e-9);
        };
        let prevalence = found.prevalence();
        one("brier", Ok(found.brier()), &want["brier"]);
        one("log loss", found.log_loss(FLOOR), &want["log_loss"]);
        one("prevalence", Ok(prevalence), &want["prevalence"]);
        one("reference", Ok(prevalence * (1.0 - prevalence)), &want["brier_reference_p(1-p)"]);
        one("scaled", found.scaled_brier(), &want["scaled_brier_ipa"]);
        let (ratio, exact) = found.observed_over_expected(RatioInterval::Exact, 0.95).unwrap();
        one("o/e", Ok(ratio), &want["o_over_e"]);
        if let Some(want) = want.get("o_over_e_ci95_poisson_exact") {
            one("exact lower", Ok(exact.lower), &want[0]);
            one("exact upper", Ok(exact.upper), &want[1]);
        }
        if let Some(want) = want.get("o_over_e_ci95_poisson_log") {
            let log = found.observed_over_expected(RatioInterval::LogWald, 0.95).unwrap().1;
            one("log lower", Ok(log.lower), &want[0]);
            one("log upper", Ok(log.upper), &want[1]);
        }
        if let Some(want) = want.get("spiegelhalter") {
            let (z, p) = found.spiegelhalter().unwrap();
            one("z", Ok(z), &want["z"]);
            one("p", Ok(p), &want["p"]);
        }
        for groups in [5, 10] {
            let Some(want) = want.get(format!("hosmer_lemeshow_g{groups}")) else { continue };
            let test = found.hosmer_lemeshow(groups, Sample::Development).unwrap();
            one("hl", Ok(test.chi_square), &want["statistic"]);
            one("hl p", Ok(test.p), &want["p_g_minus_2"]);
            one(
                "hl p external",
                found.hosmer_lemeshow(groups, Sample::External).map(|t| t.p),
                &want["p_external_df_g"],
            );
            one("hl df", Ok(test.degrees_of_freedom as f64), &want["df_g_minus_2"]);
            one("hl groups", Ok(test.groups.len() as f64), &want["groups_used"]);
        }
        if let Some(line) = want.get("logistic_recalibration") {
            let (fit, large) = (found.recalibration(0.95).unwrap(), found.in_the_large(0.95).unwrap());
            for (key, got) in [
                ("intercept_joint", fit.intercept.estimate),
                ("slope", fit.slope.estimate),
                ("slope_se", fit.slope.standard_error),
                ("citl_intercept_slope_fixed_1", large.intercept),
                ("citl_se", large.standard_error),
            ] {
                close(&mut tally, &format!("{id} {key}"), &Ok(got), &line[key], 1e-7);
            }
            for (key, interval) in [("slope_ci95_wald", fit.slope.interval), ("citl_ci95_wald", large.interval)] {
                close(&mut tally, &format!("{id} {key}"), &Ok(interval.lower), &line[key][0], 1e-7);
                close(&mut tally, &format!("{id} {key}"), &Ok(interval.upper), &line[key][1], 1e-7);
            }
        }
    }
    tally.finish();
}

#[test]
fn net_benefit() {
    let (Some(first), Some(second)) = (json("metrics/decision_curve.json"), json("metrics/set_b/calibration.json"))
    else {
        return;
    };
    let mut tally = Tally::new("net benefit");
    for case in first["cases"].as_array().unwrap() {
        let (id, want) = (case["id"].as_str().unwrap(), &case["expected"]);
        let (p, y) = (numbers(&case["input"]["p"]), events(&case["input"]["y"]));
        let found = Forecasts::new(&p, &y).unwrap();
        for (i, threshold) in numbers(&case["input"]["thresholds"]).into_iter().enumerate() {
            let (at, above) = (
                found.net_benefit(threshold, Act::AtLeast).unwrap(),
                found.net_benefit(threshold, Act::Above).unwrap(),
            );
            for (key, got) in [
                ("own_ge", at.model),
                ("own_gt", above.model),
                ("treat_all", at.treat_all),
                ("standardized_nb_ge", at.standardised.unwrap()),
                ("net_reduction_per_100_ge", at.avoided_per_100),
            ] {
                close(&mut tally, &format!("{id} {key} {threshold}"), &Ok(got), &want[key][i], 1e-9);
            }
            for row in want["dcurves"].as_array().unwrap() {
                if row["threshold"].as_f64() == Some(threshold) {
                    let got = match row["model"].as_str().unwrap() {
                        "p" => at.model,
                        "all" => at.treat_all,
                        _ => 0.0,
                    };
                    close(&mut tally, &format!("{id} dcurves {row}"), &Ok(got), &row["net_benefit"], 1e-9);
                }
            }
        }
    }
    for case in second["cases"].as_array().unwrap().iter().filter(|case| case["metric"] == "net_benefit") {
        let (id, want) = (case["id"].as_str().unwrap(), &case["expected"]);
        let (p, y) = (numbers(&case["inputs"]["p"]), events(&case["inputs"]["y"]));
        let found = Forecasts::new(&p, &y).unwrap();
        for (threshold, own) in want["own"].as_object().unwrap() {
            let at = found.net_benefit(threshold.parse().unwrap(), Act::AtLeast).unwrap();
            let mut one =
                |got: f64, want: &Value| close(&mut tally, &format!("{id} {threshold}"), &Ok(got), want, 1e-9);
            one(at.model, &own["model"]);
            one(at.treat_all, &own["treat_all"]);
            one(at.avoided_per_100, &own["interventions_avoided_per_100"]);
            one(at.model, &want["dcurves"]["m"][threshold]);
            one(at.treat_all, &want["dcurves"]["all"][threshold]);
        }
    }
    tally.finish();
}
