//! Agreement against vcd, irr, psych (R), statsmodels, krippendorff, irrCAC, epiR and two independent sets of values.

use crate::support::{Tally, json};
use cadproof::stats::agreement::bland_altman::{LimitInterval, limits_of_agreement};
use cadproof::stats::agreement::chance::{Coefficient, chance_corrected, fleiss_test};
use cadproof::stats::agreement::cohen::cohen;
use cadproof::stats::agreement::concordance::concordance;
use cadproof::stats::agreement::icc::{AverageInterval, Form, Icc, Unit, icc};
use cadproof::stats::agreement::krippendorff::{self, Metric};
use cadproof::stats::agreement::{Ratings, Weights};
use cadproof::stats::{Estimable, quantiles};
use serde_json::Value;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn table_of(value: &Value) -> Vec<Vec<u64>> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r.as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect())
        .collect()
}

const WEIGHTS: [(&str, &str, Weights); 3] = [
    ("unweighted", "unweighted", Weights::Unweighted),
    ("linear", "equal", Weights::Linear),
    ("quadratic", "squared", Weights::Quadratic),
];

#[test]
fn cohens_kappa() {
    let Some(file) = json("binary/agreement.json") else { return };
    let mut tally = Tally::new("agreement cohen");
    for (i, want) in file["cohen"].as_array().unwrap().iter().enumerate() {
        let table = table_of(&want["table"]);
        for (key, irr, weights) in WEIGHTS {
            let found = cohen(&table, weights, 0.95).unwrap();
            let kappa = found.kappa.unwrap();
            let mut close = |what: &str, got: f64, want: &Value| {
                tally.close(&format!("table {i} {key} {what}"), got, number(want), 1e-9, 1e-2);
            };
            close("kappa", kappa.estimate, &want[key]);
            close("ase", kappa.standard_error, &want[format!("{key}_ase")]);
            close("lower", kappa.interval.lower, &want[format!("{key}_ci95")][0]);
            close("upper", kappa.interval.upper, &want[format!("{key}_ci95")][1]);
            close("null z", kappa.z, &want["irr_z_null"][irr]);
            close("p", kappa.p, &want["irr_p"][irr]);
            close("raw agreement", found.raw_agreement, &want["po"]);
            match weights {
                Weights::Unweighted => {
                    close("psych kappa", kappa.estimate, &want["psych_kappa"]);
                    close("psych var", kappa.standard_error.powi(2), &want["psych_kappa_var"]);
                }
                Weights::Quadratic => {
                    close("psych weighted", kappa.estimate, &want["psych_weighted_quadratic"]);
                    // psych's weighted variance is another formula: 0 for the 118 cases of table 3, whose kappa is
                    // 0.78. Two categories and perfect agreement, where it equals vcd's, are compared.
                    if table.len() == 2 {
                        close("psych weighted var", kappa.standard_error.powi(2), &want["psych_weighted_var"]);
                    }
                }
                Weights::Linear => {}
            }
        }
    }
    tally.finish();
}

#[test]
fn fleiss_kappa() {
    let Some(file) = json("binary/agreement.json") else { return };
    let mut tally = Tally::new("agreement fleiss");
    for (i, want) in file["fleiss"].as_array().unwrap().iter().enumerate() {
        let subjects: Vec<Vec<Option<usize>>> = match want.get("ratings") {
            Some(rows) => table_of(rows).iter().map(|r| r.iter().map(|v| Some(*v as usize - 1)).collect()).collect(),
            None => table_of(&want["counts"])
                .iter()
                .map(|r| r.iter().enumerate().flat_map(|(c, n)| vec![Some(c); *n as usize]).collect())
                .collect(),
        };
        let categories = if want.get("ratings").is_some() { 5 } else { 2 };
        let found = fleiss_test(&Ratings::new(subjects, categories).unwrap()).unwrap();
        tally.close(&format!("{i} kappa"), found.kappa, number(&want["kappa"]), 1e-9, 1e-2);
        tally.close(&format!("{i} z"), found.z, number(&want["z"]), 1e-9, 1e-2);
        tally.close(&format!("{i} p"), found.p, number(&want["p"]), 1e-9, 1e-2);
    }
    tally.finish();
}

fn matrix(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

#[test]
fn intraclass_correlation() {
    let Some(file) = json("binary/agreement.json") else { return };
    let mut tally = Tally::new("agreement icc");
    let rows = matrix(&file["icc"]["ratings"]);
    for want in file["icc"]["psych"].as_array().unwrap() {
        let (form, unit) = psych_form(want["type"].as_str().unwrap());
        let found = icc(&rows, form, unit, AverageInterval::SpearmanBrown, 0.95).unwrap();
        compare_psych(&mut tally, want["type"].as_str().unwrap(), &found, want, ["icc", "lower", "upper"], 1e-9);
    }
    for want in file["icc"]["irr"].as_array().unwrap() {
        let form = match (want["model"].as_str().unwrap(), want["type"].as_str().unwrap()) {
            ("oneway", _) => Form::OneWay,
            (_, "agreement") => Form::Agreement,
            _ => Form::Consistency,
        };
        let unit = if want["unit"] == "single" { Unit::Single } else { Unit::Average };
        let found = icc(&rows, form, unit, AverageInterval::Irr, 0.95).unwrap();
        let name = format!("irr {} {} {}", want["model"], want["type"], want["unit"]);
        tally.close(&format!("{name} icc"), found.estimate, number(&want["icc"]), 1e-9, 1e-2);
        tally.close(&format!("{name} lower"), found.interval.lower, number(&want["lower"]), 1e-9, 1e-2);
        tally.close(&format!("{name} upper"), found.interval.upper, number(&want["upper"]), 1e-9, 1e-2);
        tally.close(&format!("{name} F"), found.f, number(&want["F"]), 1e-9, 1e-2);
        tally.close(&format!("{name} df1"), found.df1, number(&want["df1"]), 1e-9, 1e-2);
        // irr refers the agreement forms' F to Satterthwaite's df of the estimate; the test of ICC = 0 itself has
        // (n − 1)(k − 1), which psych uses and so do we
        let df2 = if form == Form::Agreement { found.satterthwaite_df.unwrap() } else { found.df2 };
        tally.close(&format!("{name} df2"), df2, number(&want["df2"]), 1e-9, 1e-2);
        let p = quantiles::f_sf(found.f, found.df1, df2);
        tally.close(&format!("{name} p"), p, number(&want["p"]), 1e-9, 1e-6);
    }
    tally.finish();
}

fn psych_form(name: &str) -> (Form, Unit) {
    let form = match &name[..4] {
        "ICC1" => Form::OneWay,
        "ICC2" => Form::Agreement,
        _ => Form::Consistency,
    };
    (form, if name.ends_with('k') { Unit::Average } else { Unit::Single })
}

fn compare_psych(tally: &mut Tally, name: &str, found: &Icc, want: &Value, keys: [&str; 3], tolerance: f64) {
    tally.close(&format!("{name} icc"), found.estimate, number(&want[keys[0]]), tolerance, 1e-2);
    tally.close(&format!("{name} lower"), found.interval.lower, number(&want[keys[1]]), tolerance, 1e-2);
    tally.close(&format!("{name} upper"), found.interval.upper, number(&want[keys[2]]), tolerance, 1e-2);
    tally.close(&format!("{name} F"), found.f, number(&want["F"]), tolerance, 1e-2);
    tally.close(&format!("{name} df1"), found.df1, number(&want["df1"]), tolerance, 1e-2);
    tally.close(&format!("{name} df2"), found.df2, number(&want["df2"]), tolerance, 1e-2);
    tally.close(&format!("{name} p"), found.p, number(&want["p"]), tolerance, 1e-6);
}

fn category(value: &Value) -> Option<usize> {
    // missing is null in one set, "NaN" in the other
    value.as_f64().map(|v| v as usize)
}

fn rating_rows(value: &Value) -> Vec<Vec<Option<usize>>> {
    value.as_array().unwrap().iter().map(|r| r.as_array().unwrap().iter().map(category).collect()).collect()
}

fn as_numbers(rows: &[Vec<Option<usize>>]) -> Vec<Vec<Option<f64>>> {
    rows.iter().map(|r| r.iter().map(|v| v.map(|c| c as f64)).collect()).collect()
}

const METRICS: [(&str, Metric); 3] =
    [("nominal", Metric::Nominal), ("ordinal", Metric::Ordinal), ("interval", Metric::Interval)];

#[test]
fn categorical_set_a() {
    let Some(file) = json("metrics/agreement_categorical.json") else { return };
    let mut tally = Tally::new("agreement categorical, set a");
    let mut rounded = Tally::new("agreement categorical, irrCAC (5 decimals)");
    for case in file["cases"].as_array().unwrap() {
        let (id, want) = (case["id"].as_str().unwrap(), &case["expected"]);
        let rows = rating_rows(&case["input"]["ratings"]);
        let complete = rows.iter().flatten().all(Option::is_some);
        let ratings = Ratings::new(rows.clone(), case["input"]["K"].as_u64().unwrap() as usize).unwrap();
        let coefficient = |c| chance_corrected(&ratings, c, Weights::Unweighted, 0.95).unwrap();
        if id == "constant_raters" {
            // the programs answer NaN, 0 or 1; we answer "one category" with the raw agreement
            for (_, _, weights) in WEIGHTS {
                let found = cohen(&ratings.table(0, 1), weights, 0.95).unwrap();
                tally.same("constant: code", found.kappa.unwrap_err().code, "one_category");
                tally.same("constant: raw", found.raw_agreement, number(&want["percent_agreement"]));
            }
            tally.same(
                "constant: fleiss",
                coefficient(Coefficient::FleissKappa).estimate.unwrap_err().code,
                "one_category",
            );
            let pabak = coefficient(Coefficient::BrennanPrediger).estimate.unwrap().value;
            tally.same("constant: randolph", pabak, number(&want["statsmodels_randolph"]));
            let gwet = coefficient(Coefficient::Gwet).estimate.unwrap().value;
            tally.same("constant: gwet", gwet, number(&want["irrCAC_unweighted_rounded5"]["gwet"]["coef"]));
            for (_, metric) in METRICS {
                let found = krippendorff::alpha(&as_numbers(&rows), metric, 0.95);
                tally.same("constant: alpha", found.unwrap_err().code, "one_category");
            }
            continue;
        }
        if want.get("table").is_some() {
            let table = ratings.table(0, 1);
            tally.same(&format!("{id} table"), table.clone(), table_of(&want["table"]));
            for (name, weights) in [("None", WEIGHTS[0].2), ("linear", WEIGHTS[1].2), ("quadratic", WEIGHTS[2].2)] {
                let found = cohen(&table, weights, 0.95).unwrap();
                let kappa = found.kappa.unwrap();
                let expected = &want[format!("statsmodels_cohen_{name}")];
                for (what, got, want) in [
                    ("kappa", kappa.estimate, &expected["kappa"]),
                    ("sklearn", kappa.estimate, &want[format!("sklearn_{name}")]),
                    ("se", kappa.standard_error, &expected["std"]),
                    ("lower", kappa.interval.lower, &expected["ci"][0]),
                    ("upper", kappa.interval.upper, &expected["ci"][1]),
                    ("maximum", kappa.maximum, &expected["kappa_max"]),
                    ("null se", kappa.null_standard_error, &expected["std0"]),
                    ("z", kappa.z, &expected["z"]),
                    ("raw agreement", found.raw_agreement, &want["percent_agreement"]),
                ] {
                    tally.close(&format!("{id} {name} {what}"), got, number(want), 1e-9, 1e-2);
                }
            }
        }
        // statsmodels treats a missing rating as irrCAC does not; complete tables are compared, gaps through irrCAC
        if complete {
            let fleiss = coefficient(Coefficient::FleissKappa).estimate.unwrap().value;
            tally.close(&format!("{id} fleiss"), fleiss, number(&want["statsmodels_fleiss"]), 1e-9, 1e-2);
            let randolph = coefficient(Coefficient::BrennanPrediger).estimate.unwrap().value;
            tally.close(&format!("{id} randolph"), randolph, number(&want["statsmodels_randolph"]), 1e-9, 1e-2);
        }
        for (name, metric) in METRICS {
            let found = krippendorff::alpha(&as_numbers(&rows), metric, 0.95).unwrap();
            let want = number(&want[format!("krippendorff_{name}")]);
            tally.close(&format!("{id} alpha {name}"), found.value, want, 1e-9, 1e-2);
        }
        for (key, c) in
            [("gwet", Coefficient::Gwet), ("fleiss", Coefficient::FleissKappa), ("bp", Coefficient::BrennanPrediger)]
        {
            let want = &want["irrCAC_unweighted_rounded5"][key];
            let found = coefficient(c).estimate.unwrap();
            let inference = found.inference.unwrap();
            for (what, got, want) in [
                ("coef", found.value, &want["coef"]),
                ("se", inference.standard_error, &want["se"]),
                ("lower", inference.interval.lower, &want["ci"][0]),
                ("upper", inference.interval.upper, &want["ci"][1]),
            ] {
                rounded.close(&format!("{id} {key} {what} (absolute)"), got - number(want), 0.0, 5.1e-6, 1.0);
            }
            // irrCAC takes p from the rounded coefficient and standard error, and one-sided for Brennan–Prediger alone
            let p = if key == "bp" { inference.p / 2.0 } else { inference.p };
            rounded.close(&format!("{id} {key} log p"), p.ln(), number(&want["p"]).ln(), 1e-3, 1.0);
        }
    }
    tally.finish();
    rounded.finish();
}

#[test]
fn categorical_set_b() {
    let Some(file) = json("metrics/set_b/multiclass.json") else { return };
    let mut tally = Tally::new("agreement categorical, set b");
    for case in file["cases"].as_array().unwrap().iter().filter(|c| c["metric"] == "multi_rater") {
        let rows = rating_rows(&case["inputs"]["ratings_rows_cases"]);
        let ratings = Ratings::new(rows.clone(), 4).unwrap();
        let (id, want) = (case["id"].as_str().unwrap(), &case["expected"]);
        let value = |c| chance_corrected(&ratings, c, Weights::Unweighted, 0.95).unwrap().estimate.unwrap().value;
        let alpha = |rows: &[Vec<Option<usize>>], m| krippendorff::alpha(&as_numbers(rows), m, 0.95).unwrap().value;
        let gaps = rating_rows(&case["inputs"]["ratings_with_missing"]);
        for (what, got) in [
            ("fleiss_kappa", value(Coefficient::FleissKappa)),
            ("randolph_kappa", value(Coefficient::BrennanPrediger)),
            ("krippendorff_nominal", alpha(&rows, Metric::Nominal)),
            ("krippendorff_ordinal", alpha(&rows, Metric::Ordinal)),
            ("krippendorff_nominal_with_missing", alpha(&gaps, Metric::Nominal)),
        ] {
            tally.close(&format!("{id} {what}"), got, number(&want[what]), 1e-9, 1e-2);
        }
    }
    tally.finish();
}

fn pair(tally: &mut Tally, what: &str, got: (f64, f64), want: &Value) {
    tally.close(&format!("{what} lower"), got.0, number(&want[0]), 1e-9, 1e-2);
    tally.close(&format!("{what} upper"), got.1, number(&want[1]), 1e-9, 1e-2);
}

#[test]
fn continuous_set_a() {
    let Some(file) = json("metrics/agreement_continuous.json") else { return };
    let mut tally = Tally::new("agreement continuous, set a");
    for case in file["cases"].as_array().unwrap() {
        let (id, want) = (case["id"].as_str().unwrap(), &case["expected"]);
        let (x, y) = (numbers(&case["input"]["x"]), numbers(&case["input"]["y"]));
        let z = quantiles::norm_quantile(0.975);
        let of = |multiplier, method| limits_of_agreement(&x, &y, multiplier, method, 0.95).unwrap();
        let (old, new, exact) = (
            of(1.96, LimitInterval::Approximate1986),
            of(1.96, LimitInterval::Approximate1999),
            of(z, LimitInterval::Exact),
        );
        let ba = &want["bland_altman"];
        tally.close(&format!("{id} bias"), old.bias, number(&ba["bias"]), 1e-9, 1e-2);
        tally.close(&format!("{id} sd"), old.standard_deviation, number(&ba["sd"]), 1e-9, 1e-2);
        let interval = |i: cadproof::stats::Interval| (i.lower, i.upper);
        pair(&mut tally, &format!("{id} limits"), (old.lower_limit, old.upper_limit), &ba["loa_1p96"]);
        pair(&mut tally, &format!("{id} bias ci"), interval(old.bias_interval), &ba["bias_ci_t"]);
        pair(&mut tally, &format!("{id} lower 86"), interval(old.lower_limit_interval), &ba["loa_lower_ci_approx"]);
        pair(&mut tally, &format!("{id} upper 86"), interval(old.upper_limit_interval), &ba["loa_upper_ci_approx"]);
        pair(&mut tally, &format!("{id} lower 99"), interval(new.lower_limit_interval), &ba["loa_lower_ci_bland1999"]);
        pair(&mut tally, &format!("{id} upper 99"), interval(new.upper_limit_interval), &ba["loa_upper_ci_bland1999"]);
        let carkeet = &ba["loa_exact_carkeet_one_limit"];
        tally.close(&format!("{id} exact in"), exact.upper_limit_interval.lower, number(&carkeet["inner"]), 1e-9, 1e-2);
        tally.close(
            &format!("{id} exact out"),
            exact.upper_limit_interval.upper,
            number(&carkeet["outer"]),
            1e-9,
            1e-2,
        );
        match old.proportional_bias {
            Ok(found) => {
                tally.close(&format!("{id} slope"), found.slope, number(&ba["prop_bias_slope"]), 1e-9, 1e-2);
                tally.close(&format!("{id} slope p"), found.p, number(&ba["prop_bias_p"]), 1e-9, 1e-2);
            }
            Err(reason) => {
                tally.same(
                    &format!("{id} slope"),
                    (reason.code, ba["prop_bias_p"].as_str()),
                    ("no_variance", Some("NaN")),
                );
            }
        }
        let found = concordance(&x, &y, 0.95).unwrap();
        tally.close(&format!("{id} ccc"), found.estimate, number(&want["ccc_lin_1989_1_over_n"]), 1e-9, 1e-2);
        let epi = &want["epiR_ccc"];
        tally.close(&format!("{id} epiR ccc"), found.estimate, number(&epi["est"]), 1e-9, 1e-2);
        match found.interval {
            Ok(i) => pair(
                &mut tally,
                &format!("{id} ccc ci"),
                (i.lower, i.upper),
                &Value::from(vec![epi["lower"].clone(), epi["upper"].clone()]),
            ),
            Err(reason) => tally.same(&format!("{id} ccc ci"), (reason.code, id), ("no_variance", "identical")),
        }
        let c = found.components.unwrap();
        tally.close(&format!("{id} C_b"), c.bias_correction, number(&epi["C.b"]), 1e-9, 1e-2);
        tally.close(&format!("{id} pearson"), c.pearson, number(&want["pearson"]["r"]), 1e-9, 1e-2);
        // epiR's ratio is of the second to the first in its call
        let shift = c.scale_shift.recip();
        tally.close(&format!("{id} scale shift"), shift, number(&epi["shift"]), 1e-9, 1e-2);
        tally.close(&format!("{id} location shift"), c.location_shift.abs(), number(&epi["scale"]).abs(), 1e-9, 1e-2);
        let rows: Vec<Vec<f64>> = x.iter().zip(&y).map(|(a, b)| vec![*a, *b]).collect();
        for want in want["psych_icc"].as_array().unwrap() {
            let name = want["type"].as_str().unwrap();
            let (form, unit) = psych_form(name);
            match icc(&rows, form, unit, AverageInterval::SpearmanBrown, 0.95) {
                Ok(found) => {
                    compare_psych(&mut tally, &format!("{id} {name}"), &found, want, ["ICC", "lo", "hi"], 1e-9)
                }
                // an F of 1e30 is the rounding error of 0 in the denominator
                Err(reason) => {
                    tally.same(&format!("{id} {name}"), (reason.code, number(&want["F"]) > 1e25), ("no_variance", true))
                }
            }
        }
    }
    tally.finish();
}

#[test]
fn continuous_set_b() {
    let Some(file) = json("metrics/set_b/regression.json") else { return };
    let mut tally = Tally::new("agreement continuous, set b");
    for case in file["cases"].as_array().unwrap() {
        let (id, want) = (case["id"].as_str().unwrap(), &case["expected"]);
        if case["metric"] == "regression_agreement" {
            let (x, y) = (numbers(&case["inputs"]["ref"]), numbers(&case["inputs"]["pred"]));
            let z = quantiles::norm_quantile(0.975);
            let of = |multiplier, method| limits_of_agreement(&x, &y, multiplier, method, 0.95).unwrap();
            let (old, new, exact) = (
                of(z, LimitInterval::Approximate1986),
                of(z, LimitInterval::Approximate1999),
                of(z, LimitInterval::Exact),
            );
            let ba = &want["bland_altman"];
            tally.close(&format!("{id} bias"), old.bias, number(&ba["bias"]), 1e-9, 1e-2);
            tally.close(&format!("{id} sd"), old.standard_deviation, number(&ba["sd"]), 1e-9, 1e-2);
            pair(
                &mut tally,
                &format!("{id} bias ci"),
                (old.bias_interval.lower, old.bias_interval.upper),
                &ba["bias_ci95_t"],
            );
            pair(&mut tally, &format!("{id} limits"), (old.lower_limit, old.upper_limit), &ba["loa_z1.959964"]);
            let printed = of(1.96, LimitInterval::Exact);
            pair(&mut tally, &format!("{id} limits 1.96"), (printed.lower_limit, printed.upper_limit), &ba["loa_1.96"]);
            for (key, found) in
                [("loa_ci95_bland1999_sqrt3", &old), ("loa_ci95_bland1999_full", &new), ("loa_ci95_exact_nct", &exact)]
            {
                for (side, i) in [("lower", found.lower_limit_interval), ("upper", found.upper_limit_interval)] {
                    pair(&mut tally, &format!("{id} {key} {side}"), (i.lower, i.upper), &ba[key][side]);
                }
            }
            let lin = &want["ccc_lin"];
            let found = concordance(&x, &y, 0.95).unwrap();
            tally.close(&format!("{id} ccc"), found.estimate, number(&lin["ccc_n"]), 1e-9, 1e-2);
            undefined_or(
                &mut tally,
                &format!("{id} pearson"),
                found.components.as_ref().map(|c| c.pearson),
                &lin["pearson"],
            );
            let cb = found.components.as_ref().map(|c| c.bias_correction);
            undefined_or(&mut tally, &format!("{id} C_b"), cb, &lin["bias_correction_cb"]);
            for (k, side) in ["lower", "upper"].into_iter().enumerate() {
                let got = found.interval.as_ref().map(|i| if k == 0 { i.lower } else { i.upper });
                undefined_or(&mut tally, &format!("{id} ccc {side}"), got, &lin["ci95_lin_z"][k]);
            }
        } else if case["metric"] == "icc" {
            let rows = matrix(&case["inputs"]["matrix_rows_subjects"]);
            let own = &want["own_anova"];
            for (pingouin, name, form, unit) in [
                ("ICC(1,1)", "ICC(1,1)", Form::OneWay, Unit::Single),
                ("ICC(A,1)", "ICC(2,1)", Form::Agreement, Unit::Single),
                ("ICC(C,1)", "ICC(3,1)", Form::Consistency, Unit::Single),
                ("ICC(1,k)", "ICC(1,k)", Form::OneWay, Unit::Average),
                ("ICC(A,k)", "ICC(2,k)", Form::Agreement, Unit::Average),
                ("ICC(C,k)", "ICC(3,k)", Form::Consistency, Unit::Average),
            ] {
                let Ok(found) = icc(&rows, form, unit, AverageInterval::SpearmanBrown, 0.95) else {
                    panic!("{id} {name} has an ICC");
                };
                tally.close(&format!("{id} {name}"), found.estimate, number(&own[name]), 1e-9, 1e-2);
                let want = &want["pingouin"][pingouin];
                for (what, got, want) in [
                    ("icc", found.estimate, &want["icc"]),
                    ("F", found.f, &want["F"]),
                    ("df1", found.df1, &want["df1"]),
                    ("df2", found.df2, &want["df2"]),
                    ("p", found.p, &want["p"]),
                ] {
                    tally.close(&format!("{id} {pingouin} {what}"), got, number(want), 1e-9, 1e-6);
                }
                // pingouin rounds the limits to two decimals
                for (k, got) in [found.interval.lower, found.interval.upper].into_iter().enumerate() {
                    let error = got - number(&want["ci95"][k]);
                    tally.same(&format!("{id} {pingouin} limit {k} ({got})"), error.abs() <= 0.005 + 1e-12, true);
                }
                for (what, got) in [
                    ("MSR", found.mean_squares.subjects),
                    ("MSC", found.mean_squares.raters),
                    ("MSE", found.mean_squares.error),
                    ("MSW", found.mean_squares.within),
                ] {
                    tally.close(&format!("{id} {what}"), got, number(&own[what]), 1e-9, 1e-2);
                }
                if name == "ICC(2,1)" {
                    let interval = (found.interval.lower, found.interval.upper);
                    pair(&mut tally, &format!("{id} {name}"), interval, &own["ICC(2,1)_ci95_mcgraw_wong"]);
                }
            }
        }
    }
    tally.finish();
}

fn undefined_or<E: std::fmt::Debug>(tally: &mut Tally, what: &str, got: Result<f64, E>, want: &Value) {
    match (got, want.as_f64()) {
        (Ok(got), Some(want)) => tally.close(what, got, want, 1e-9, 1e-2),
        (Err(_), None) => tally.same(what, want.as_str(), Some("NaN")),
        (got, _) => tally.same(what, format!("{got:?}"), want.to_string()),
    }
}

#[test]
fn kappa_when_everybody_says_the_same() {
    // T17: two readers, 50 cases, all negative
    let mut tally = Tally::new("fault T17");
    let ratings = Ratings::new(vec![vec![Some(0), Some(0)]; 50], 2).unwrap();
    let found = cohen(&ratings.table(0, 1), Weights::Unweighted, 0.95).unwrap();
    tally.same("observed agreement", found.observed_agreement, 1.0);
    tally.same("chance agreement", found.chance_agreement, 1.0);
    tally.same("kappa", found.kappa.unwrap_err().code, "one_category");
    for c in [Coefficient::BrennanPrediger, Coefficient::Gwet] {
        let found: Estimable<f64> =
            chance_corrected(&ratings, c, Weights::Unweighted, 0.95).unwrap().estimate.map(|a| a.value);
        tally.same(&format!("{c:?}"), found, Ok(1.0));
    }
    tally.finish();
}
