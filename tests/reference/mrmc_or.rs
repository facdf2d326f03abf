//! Obuchowski–Rockette against MRMCaov 0.3.0: every fit of every set, the covariance matrices, one-reader fits and
//! figures of merit. Where `expected_corrected.json` exists it wins. An `error` entry is not a value.

use crate::support::{ReadingRow, Tally, json, readings};
use cadproof::stats::mrmc::binormal::{CurveFit, fit_binormal, fit_proper_binormal};
use cadproof::stats::mrmc::covariance::{CovarianceMethod, covariance};
use cadproof::stats::mrmc::fom::{FigureOfMerit, Levels, PartialArea, RocAxis, StepRule};
use cadproof::stats::mrmc::obuchowski_rockette::{
    ObuchowskiRockette, OrOptions, PartlyCrossed, RandomFactors, obuchowski_rockette,
};
use cadproof::stats::mrmc::{Design, MrmcData, Reading};
use cadproof::stats::quantiles::t_multiplier;
use cadproof::stats::roc;
use cadproof::stats::roc::partial::{Range, partial_auc};
use serde_json::Value;

const TIGHT: f64 = 1e-9;

pub fn table(rows: &[ReadingRow]) -> MrmcData {
    let readings: Vec<Reading<'_>> = rows
        .iter()
        .map(|row| Reading {
            reader: &row.reader,
            case: &row.case,
            modality: &row.modality,
            diseased: row.truth,
            rating: row.score,
            cluster: None,
        })
        .collect();
    MrmcData::from_readings(&readings).expect("reference readings are valid")
}

/// The partial areas follow the reference program's rule at the edges; the exact ones are tested against pROC.
fn fom(metric: &str, threshold: f64) -> FigureOfMerit {
    let area = |axis, normalized| {
        let (from, to, steps) = (0.8, 1.0, StepRule::FarEnds);
        FigureOfMerit::PartialAuc(PartialArea { axis, from, to, normalized, steps })
    };
    match metric {
        "auc" => FigureOfMerit::EmpiricalAuc,
        "sens" => FigureOfMerit::Sensitivity { threshold },
        "spec" => FigureOfMerit::Specificity { threshold },
        "pauc_spec_08_1" => area(RocAxis::Specificity, false),
        "pauc_spec_08_1_norm" => area(RocAxis::Specificity, true),
        "pauc_sens_08_1" => area(RocAxis::Sensitivity, false),
        "sens_at_spec_09" => FigureOfMerit::SensitivityAtSpecificity { specificity: 0.9, steps: StepRule::FarEnds },
        "eu_slope1" => FigureOfMerit::ExpectedUtility { slope: 1.0 },
        "binormal_auc" => FigureOfMerit::BinormalAuc,
        "binormalLR_auc" => FigureOfMerit::ProperBinormalAuc,
        other => panic!("unknown metric {other}"),
    }
}

fn method(name: &str) -> CovarianceMethod {
    match name {
        "jackknife" => CovarianceMethod::Jackknife,
        "unbiased" => CovarianceMethod::Unbiased,
        "DeLong" => CovarianceMethod::DeLong,
        other => panic!("unknown covariance {other}"),
    }
}

fn threshold(expected: &Value) -> f64 {
    let rule = expected["threshold_rule"].as_str().expect("threshold rule");
    rule.rsplit(' ').next().and_then(|word| word.parse().ok()).expect("threshold")
}

/// Compares where the reference has a number; the floor stands for a quantity of natural size 1.
fn number(tally: &mut Tally, what: &str, got: f64, want: &Value, tolerance: f64, floor: f64) {
    if let Some(want) = want.as_f64() {
        tally.close(what, got, want, tolerance, floor);
    }
}

fn compare_fit(
    tally: &mut Tally,
    at: &str,
    got: &ObuchowskiRockette,
    want: &Value,
    corrected: Option<&Value>,
    tol: f64,
) {
    let ms_floor = 1e-12;
    for (cell, row) in got.cells.iter().zip(want["metric_by_test_reader"].as_array().expect("cells")) {
        let value = row.as_object().expect("row").values().next().expect("metric first");
        number(tally, &format!("{at} cell"), cell.estimate, value, tol, 1e-6);
        tally.same(at, got.readers[cell.reader].as_str(), row["reader"].as_str().expect("reader"));
        tally.same(at, got.modalities[cell.modality].as_str(), row["modality"].as_str().expect("modality"));
    }
    let lines = [
        ("modality", got.anova.modality),
        ("reader", got.anova.reader),
        ("modality:reader", got.anova.modality_by_reader),
    ];
    for (name, line) in lines {
        if let Some(line) = line {
            number(tally, &format!("{at} SS {name}"), line.sum_of_squares, &want["anova"][name]["ss"], tol, ms_floor);
            number(tally, &format!("{at} MS {name}"), line.mean_square, &want["anova"][name]["ms"], tol, ms_floor);
            number(tally, &format!("{at} df {name}"), line.df as f64, &want["anova"][name]["df"], tol, 1.0);
        }
    }
    if let Some(parts) = &got.components {
        number(tally, &format!("{at} error"), parts.error, &want["var_error"], tol, 1e-12);
        for (name, value) in [("cov1", parts.cov1), ("cov2", parts.cov2), ("cov3", parts.cov3)] {
            number(tally, &format!("{at} {name}"), value, &want[name], tol, 1e-5);
        }
        for row in want["variance_components"].as_array().into_iter().flatten() {
            let value = match row["row"].as_str() {
                Some("reader") => parts.reader,
                Some("modality:reader") => parts.modality_by_reader,
                _ => None,
            };
            if let Some(value) = value {
                number(tally, &format!("{at} component {}", row["row"]), value, &row["Estimate"], tol, 1e-5);
            }
            let covariance = match row["row"].as_str() {
                Some("Cov1") => parts.cov1,
                Some("Cov2") => parts.cov2,
                Some("Cov3") => parts.cov3,
                _ => continue,
            };
            number(tally, &format!("{at} {}", row["row"]), covariance, &row["Estimate"], tol, 1e-5);
            if parts.error != 0.0 {
                let correlation = covariance / parts.error;
                number(tally, &format!("{at} correlation {}", row["row"]), correlation, &row["Correlation"], tol, 1.0);
            }
        }
    }
    compare_tests(tally, at, got, want, corrected, tol);
    compare_means(tally, at, got, want, tol);
}

fn compare_tests(
    tally: &mut Tally,
    at: &str,
    got: &ObuchowskiRockette,
    want: &Value,
    corrected: Option<&Value>,
    tol: f64,
) {
    let overall = got.overall.as_ref().unwrap_or_else(|fault| panic!("{at}: {fault}"));
    let difference = &got.differences.as_ref().unwrap_or_else(|fault| panic!("{at}: {fault}"))[0];
    if let Some(right) = corrected {
        let z = right["X2"].is_number();
        number(tally, at, overall.denominator, &right["denominator"], tol, 1e-12);
        number(tally, at, overall.statistic, &right[if z { "X2" } else { "F" }], tol, 1e-9);
        number(tally, at, overall.df1, &right[if z { "df" } else { "df1" }], tol, 1.0);
        number(tally, at, overall.df2.unwrap_or(f64::NAN), &right["df2"], tol, 1.0);
        number(tally, at, difference.standard_error.powi(2), &right["var_diff"], tol, 1e-12);
        number(tally, at, difference.standard_error, &right["stderr"], tol, 1e-9);
        number(tally, at, difference.estimate, &right["diff"], tol, 1e-6);
        number(tally, at, difference.statistic, &right[if z { "z" } else { "t" }], tol, 1e-6);
        number(tally, at, difference.p_value, &right["p_value"], tol, 1e-12);
        number(tally, at, overall.p_value, &right["p_value"], tol, 1e-12);
        return;
    }
    let test = &want["test_equality"];
    for name in ["MS(T)", "MS[T]"] {
        number(tally, &format!("{at} MS(T)"), overall.mean_square_modality, &test[name], tol, 1e-12);
    }
    number(tally, &format!("{at} denominator"), overall.denominator, &test["Denominator"], tol, 1e-12);
    number(tally, &format!("{at} F"), overall.statistic, &test["F"], tol, 1e-9);
    number(tally, &format!("{at} X2"), overall.statistic, &test["X2"], tol, 1e-9);
    for name in ["df1", "df"] {
        number(tally, &format!("{at} df1"), overall.df1, &test[name], tol, 1.0);
    }
    number(tally, &format!("{at} df2"), overall.df2.unwrap_or(f64::NAN), &test["df2"], tol, 1.0);
    number(tally, &format!("{at} p"), overall.p_value, &test["p_value_upper_tail"], tol, 1e-12);
    for (difference, row) in got.differences.iter().flatten().zip(want["test_diffs"].as_array().expect("differences")) {
        let name = format!("{} - {}", difference.first, difference.second);
        tally.same(at, name.as_str(), row["Comparison"].as_str().expect("comparison"));
        number(tally, &format!("{at} diff"), difference.estimate, &row["Estimate"], tol, 1e-6);
        number(tally, &format!("{at} diff SE"), difference.standard_error, &row["StdErr"], tol, 1e-9);
        number(tally, &format!("{at} diff df"), difference.df.unwrap_or(f64::NAN), &row["df"], tol, 1.0);
        number(tally, &format!("{at} diff lower"), difference.interval.lower, &row["CI_Lower"], tol, 1e-3);
        number(tally, &format!("{at} diff upper"), difference.interval.upper, &row["CI_Upper"], tol, 1e-3);
        for name in ["t", "z"] {
            number(tally, &format!("{at} diff {name}"), difference.statistic, &row[name], tol, 1e-6);
        }
        number(tally, &format!("{at} diff p"), difference.p_value, &row["p_value_two_tail_accurate"], tol, 1e-12);
    }
}

fn compare_means(tally: &mut Tally, at: &str, got: &ObuchowskiRockette, want: &Value, tol: f64) {
    for (mean, row) in got.means.iter().flatten().zip(want["test_means"].as_array().into_iter().flatten()) {
        number(tally, &format!("{at} mean"), mean.estimate, &row["Estimate"], tol, 1e-6);
        number(tally, &format!("{at} mean SE"), mean.standard_error, &row["StdErr"], tol, 1e-9);
        number(tally, &format!("{at} mean df"), mean.df.unwrap_or(f64::NAN), &row["df"], tol, 1.0);
        number(tally, &format!("{at} mean lower"), mean.interval.lower, &row["CI_Lower"], tol, 1e-3);
        number(tally, &format!("{at} mean upper"), mean.interval.upper, &row["CI_Upper"], tol, 1e-3);
        number(tally, &format!("{at} mean Cov2"), mean.cov2.unwrap_or(f64::NAN), &row["Cov2"], tol, 1e-5);
        if let Some(square) = mean.mean_square_reader {
            number(tally, &format!("{at} mean MS(R)"), square, &row["MS(R)"], tol, 1e-12);
        }
    }
    let rows = |name: &str| want[name].as_array().cloned().unwrap_or_default();
    for (difference, row) in got.reader_differences.iter().zip(rows("reader_test_diffs")) {
        let Ok(difference) = difference else {
            // no variance: the reference program divides by zero here
            tally.same(
                &format!("{at} reader difference without variance"),
                row["StdErr"].as_f64().unwrap_or(0.0) < 1e-8,
                true,
            );
            continue;
        };
        tally.same(at, difference.reader.as_deref(), row["Reader"].as_str());
        number(tally, &format!("{at} reader diff"), difference.estimate, &row["Estimate"], tol, 1e-6);
        number(tally, &format!("{at} reader diff SE"), difference.standard_error, &row["StdErr"], tol, 1e-9);
        number(tally, &format!("{at} reader diff lower"), difference.interval.lower, &row["CI_Lower"], tol, 1e-3);
        number(tally, &format!("{at} reader diff upper"), difference.interval.upper, &row["CI_Upper"], tol, 1e-3);
        number(tally, &format!("{at} reader diff z"), difference.statistic, &row["z"], tol, 1e-6);
        // the program has 1 − cdf here
        number(tally, &format!("{at} reader diff p"), difference.p_value, &row["p-value"], tol, 1e-6);
    }
    for (mean, row) in got.reader_means.iter().zip(rows("reader_means")) {
        let Ok(mean) = mean else {
            tally.same(
                &format!("{at} reader mean without variance"),
                row["StdErr"].as_f64().unwrap_or(0.0) < 1e-8,
                true,
            );
            continue;
        };
        tally.same(at, mean.reader.as_deref(), row["reader"].as_str());
        number(tally, &format!("{at} reader mean SE"), mean.standard_error, &row["StdErr"], tol, 1e-9);
        number(tally, &format!("{at} reader mean lower"), mean.interval.lower, &row["CI_Lower"], tol, 1e-3);
        number(tally, &format!("{at} reader mean upper"), mean.interval.upper, &row["CI_Upper"], tol, 1e-3);
    }
}

fn options(fom: FigureOfMerit, covariance: CovarianceMethod, random: RandomFactors) -> OrOptions {
    OrOptions { fom, covariance, random, level: 0.95, partly_crossed: PartlyCrossed::AverageCovariances }
}

fn compare_set(set: &str, design: Design) {
    let Some(expected) = json(&format!("mrmc/{set}/expected_mrmcaov_proc.json")) else { return };
    let corrected = if set == "vandyke_reader_nested_in_modality" {
        json(&format!("mrmc/{set}/expected_corrected.json"))
            .map(|file| file["corrected"].as_array().cloned().expect("list"))
    } else {
        None
    };
    let data = table(&readings(&format!("mrmc/{set}/readings.csv")).expect("beside the JSON"));
    let mut tally = Tally::new(&format!("OR {set}"));
    tally.same("design", data.design(), design);
    let threshold = threshold(&expected);
    let (mut fits, mut errors) = (0, 0);
    for want in expected["or"].as_array().expect("fits") {
        let text = |name: &str| want[name].as_str().unwrap_or_default();
        let at = format!("{set} {} {} {}", text("metric"), text("cov_method"), text("random"));
        if want.get("error").is_some_and(|error| !error.is_null()) {
            errors += 1;
            continue;
        }
        let random = match text("random") {
            "rrrc" => RandomFactors::ReadersAndCases,
            "frrc" => RandomFactors::Cases,
            _ => RandomFactors::Readers,
        };
        let fom = fom(text("metric"), threshold);
        let fitted = matches!(fom, FigureOfMerit::BinormalAuc | FigureOfMerit::ProperBinormalAuc);
        let tol = if fitted { 1e-3 } else { TIGHT };
        // design 4 with fixed cases is not listed as corrected: its denominator holds no covariance
        let right = corrected.iter().flatten().find(|row| {
            text("metric") == "auc" && row["cov_method"] == want["cov_method"] && row["random"] == want["random"]
        });
        // the program's wrong factor reaches the tests of every metric; the corrected file has them for the AUC, and
        // nothing is compared for the others' (null holds no number)
        let uncorrected = corrected.is_some() && right.is_none() && random != RandomFactors::Readers;
        let right = if uncorrected { Some(&Value::Null) } else { right };
        let got = obuchowski_rockette(&data, &options(fom, method(text("cov_method")), random))
            .unwrap_or_else(|fault| panic!("{at}: {fault}"));
        compare_fit(&mut tally, &at, &got, want, right, tol);
        fits += 1;
    }
    for (name, want) in expected["cov_matrices"].as_object().expect("matrices") {
        let (metric, cov_method) = name.split_once(':').expect("metric:method");
        let Some(rows) = want["matrix"].as_array() else { continue };
        let got = covariance(&data, fom(metric, threshold), method(cov_method)).expect(name);
        let size = rows[0][0].as_f64().unwrap_or_default().abs().max(1e-4);
        // labels are modality.reader; a nested set may keep empty pairs out
        let labels: Vec<String> = got
            .cells
            .iter()
            .map(|cell| format!("{}.{}", data.modalities()[cell.modality], data.readers()[cell.reader]))
            .collect();
        let order: Vec<Option<usize>> = want["labels"]
            .as_array()
            .expect("labels")
            .iter()
            .map(|label| labels.iter().position(|have| Some(have.as_str()) == label.as_str()))
            .collect();
        for (row, i) in rows.iter().zip(&order) {
            for (value, j) in row.as_array().expect("row").iter().zip(&order) {
                if let (Some(i), Some(j)) = (i, j) {
                    number(&mut tally, &format!("{set} {name}"), got.at(*i, *j), value, TIGHT, size);
                }
            }
        }
    }
    compare_single(&mut tally, set, &expected, &data);
    eprintln!("OR {set}: {fits} fits compared, {errors} error entries passed over");
    tally.finish();
}

fn compare_single(tally: &mut Tally, set: &str, expected: &Value, data: &MrmcData) {
    for want in expected["srmc"].as_array().expect("one-reader fits") {
        if want.get("error").is_some_and(|error| !error.is_null()) {
            continue;
        }
        let reader = want["reader"].as_str().expect("reader");
        let one = data.filter(|row| data.readers()[row.reader as usize] == reader).expect("that reader");
        let covariance = method(want["cov_method"].as_str().expect("method"));
        let got = obuchowski_rockette(&one, &options(FigureOfMerit::EmpiricalAuc, covariance, RandomFactors::Cases))
            .expect("one reader");
        let at = format!("{set} reader {reader}");
        let parts = got.components.as_ref().expect("random cases");
        for row in want["vcov"].as_array().expect("components") {
            match row["row"].as_str() {
                Some("Error") => number(tally, &at, parts.error, &row["Estimate"], TIGHT, 1e-9),
                Some("Cov1") => number(tally, &at, parts.cov1, &row["Estimate"], TIGHT, 1e-5),
                _ => {}
            }
        }
        let mut renamed =
            serde_json::json!({ "reader_test_diffs": want["test_diffs"], "reader_means": want["reader_means"] });
        for row in renamed["reader_test_diffs"].as_array_mut().into_iter().flatten() {
            row["Reader"] = Value::from(reader);
        }
        for row in renamed["reader_means"].as_array_mut().into_iter().flatten() {
            row["reader"] = Value::from(reader);
        }
        renamed["test_means"] = Value::Array(Vec::new());
        compare_means(tally, &at, &got, &renamed, TIGHT);
    }
    for want in expected["single_reader"].as_array().expect("cells") {
        compare_cell(tally, set, want, data);
    }
    compare_counts(tally, set, data, &expected["counts"]);
    compare_pairs(tally, set, data, &expected["delong_paired_pROC"]);
}

fn compare_cell(tally: &mut Tally, set: &str, want: &Value, data: &MrmcData) {
    let (reader, modality) = (want["reader"].as_str().expect("reader"), want["modality"].as_str().expect("modality"));
    let keep = |list: &[String], at: u32, name: &str| list[at as usize] == name;
    let one = data
        .filter(|row| keep(data.readers(), row.reader, reader) && keep(data.modalities(), row.modality, modality))
        .expect("that cell");
    let at = format!("{set} {reader} {modality}");
    let cell = one.cell(0, 0);
    let ratings = |class: bool| -> Vec<f64> {
        let of = cell.cases.iter().zip(cell.ratings);
        of.filter(|(case, _)| one.cases()[**case as usize].diseased == class).map(|(_, rating)| *rating).collect()
    };
    let (diseased, non_diseased) = (ratings(true), ratings(false));
    let value = |fom: FigureOfMerit| fom.estimate(&diseased, &non_diseased).expect("both classes");
    let threshold = want["threshold"].as_f64().expect("threshold");
    let exact = |axis| FigureOfMerit::partial_auc(axis, 0.8, 1.0);
    let far = |axis, normalized| {
        let (from, to, steps) = (0.8, 1.0, StepRule::FarEnds);
        FigureOfMerit::PartialAuc(PartialArea { axis, from, to, normalized, steps })
    };
    for (name, fom) in [
        ("auc", FigureOfMerit::EmpiricalAuc),
        ("sens", FigureOfMerit::Sensitivity { threshold }),
        ("spec", FigureOfMerit::Specificity { threshold }),
        ("empirical_eu_slope1", FigureOfMerit::ExpectedUtility { slope: 1.0 }),
        ("pauc_pROC_spec_1_0.8", exact(RocAxis::Specificity)),
        ("pauc_pROC_sens_1_0.8", exact(RocAxis::Sensitivity)),
        ("pauc_spec_0.8_1", far(RocAxis::Specificity, false)),
        ("pauc_spec_0.8_1_normalized", far(RocAxis::Specificity, true)),
        ("pauc_sens_0.8_1", far(RocAxis::Sensitivity, false)),
    ] {
        number(tally, &format!("{at} {name}"), value(fom), &want[name], TIGHT, 1e-6);
    }
    for row in want["empirical_sens_at_spec"].as_array().into_iter().flatten() {
        let specificity = row["spec"].as_f64().expect("spec");
        for (steps, name) in [(StepRule::FarEnds, "sens_MRMCaov"), (StepRule::AlongCurve, "sens_pROC_interp")] {
            let got = value(FigureOfMerit::SensitivityAtSpecificity { specificity, steps });
            number(tally, &format!("{at} {name} at {specificity}"), got, &row[name], TIGHT, 1e-6);
        }
    }
    for row in want["empirical_spec_at_sens"].as_array().into_iter().flatten() {
        let sensitivity = row["sens"].as_f64().expect("sens");
        let fom = FigureOfMerit::SpecificityAtSensitivity { sensitivity, steps: StepRule::FarEnds };
        number(tally, &format!("{at} spec at {}", row["sens"]), value(fom), &row["spec_MRMCaov"], TIGHT, 1e-6);
    }
    let jackknife = &want["stmc_jackknife"];
    if jackknife["StdErr"].is_number() {
        let options = options(FigureOfMerit::EmpiricalAuc, CovarianceMethod::Jackknife, RandomFactors::Cases);
        let got = obuchowski_rockette(&one, &options).expect("one cell");
        let mean = got.reader_means[0].as_ref();
        if let Ok(mean) = mean {
            number(tally, &format!("{at} stmc"), mean.estimate, &jackknife["empirical_auc"], TIGHT, 1e-6);
            number(tally, &format!("{at} stmc SE"), mean.standard_error, &jackknife["StdErr"], TIGHT, 1e-9);
            number(tally, &format!("{at} stmc lower"), mean.interval.lower, &jackknife["CI.Lower"], TIGHT, 1e-3);
            number(tally, &format!("{at} stmc upper"), mean.interval.upper, &jackknife["CI.Upper"], TIGHT, 1e-3);
        } else {
            number(tally, &format!("{at} stmc SE"), 0.0, &jackknife["StdErr"], TIGHT, 1.0);
        }
    }
    if want["delong_var"].is_number() {
        let delong = covariance(&one, FigureOfMerit::EmpiricalAuc, CovarianceMethod::DeLong).expect("one cell");
        number(tally, &format!("{at} DeLong"), delong.at(0, 0), &want["delong_var"], TIGHT, 1e-9);
    }
    compare_curve(tally, &at, want, (&diseased, &non_diseased), threshold);
}

/// One curve by the functions for a single score: counts, operating points, DeLong's intervals, McClish's area.
fn compare_curve(tally: &mut Tally, at: &str, want: &Value, (positive, negative): (&[f64], &[f64]), threshold: f64) {
    let curve = roc::roc_curve(positive, negative).expect("both classes");
    number(tally, &format!("{at} n+"), positive.len() as f64, &want["n_pos"], TIGHT, 1.0);
    number(tally, &format!("{at} n-"), negative.len() as f64, &want["n_neg"], TIGHT, 1.0);
    let called = |scores: &[f64]| scores.iter().filter(|score| **score >= threshold).count();
    let (tp, fp) = (called(positive), called(negative));
    for (name, count) in [("tp", tp), ("fn", positive.len() - tp), ("fp", fp), ("tn", negative.len() - fp)] {
        number(tally, &format!("{at} {name}"), count as f64, &want[name], TIGHT, 1.0);
    }
    let points = &want["roc_points"];
    let column = |name: &str| points[name].as_array().map_or(&[][..], Vec::as_slice);
    for ((threshold, fpr), tpr) in column("threshold_ge").iter().zip(column("fpr")).zip(column("tpr")) {
        // 15 digits of a rating that has 16
        let level = threshold.as_f64().expect("a rating");
        let level = level - 1e-12 * level.abs();
        let at_or_above = |scores: &[f64]| scores.iter().filter(|score| **score >= level).count() as u64;
        let (hits, alarms) = (at_or_above(positive), at_or_above(negative));
        let found = curve.points.iter().find(|p| (p.true_positive, p.false_positive) == (hits, alarms));
        let point = found.unwrap_or_else(|| panic!("{at}: no operating point at {level}"));
        number(tally, &format!("{at} tpr at {level}"), point.sensitivity, tpr, TIGHT, 1e-6);
        number(tally, &format!("{at} fpr at {level}"), 1.0 - point.specificity, fpr, TIGHT, 1e-6);
    }
    let part = partial_auc(&curve, Range::Specificity(0.8, 1.0)).expect("a range");
    number(tally, &format!("{at} McClish"), part.corrected, &want["pauc_pROC_spec_1_0.8_mcclish"], TIGHT, 1e-6);
    if let Ok(found) = roc::delong(positive, negative, 0.95) {
        let half = t_multiplier(0.95, f64::INFINITY) * found.standard_error;
        number(tally, &format!("{at} DeLong SE"), found.standard_error, &want["delong_se"], TIGHT, 1e-9);
        for (name, [lower, upper]) in [
            ("delong_ci95_untruncated", [found.auc - half, found.auc + half]),
            ("delong_ci95_pROC", [found.interval.lower, found.interval.upper]),
        ] {
            number(tally, &format!("{at} {name}"), lower, &want[name][0], TIGHT, 1e-3);
            number(tally, &format!("{at} {name}"), upper, &want[name][1], TIGHT, 1e-3);
        }
        let logit = roc::delong_logit(positive, negative, 0.95).expect("as before").interval;
        number(tally, &format!("{at} logit"), logit.lower, &want["logit_delta_ci95"][0], TIGHT, 1e-3);
        number(tally, &format!("{at} logit"), logit.upper, &want["logit_delta_ci95"][1], TIGHT, 1e-3);
    } else {
        number(tally, &format!("{at} no DeLong SE"), 0.0, &want["delong_se"], TIGHT, 1.0);
    }
}

/// pROC's paired test of one reader's two modalities, where every case has both readings.
fn compare_pairs(tally: &mut Tally, set: &str, data: &MrmcData, want: &Value) {
    for want in want.as_array().into_iter().flatten().filter(|want| want["diff"].is_number()) {
        let at = |labels: &[String], name: &str| {
            labels.iter().position(|label| Some(label.as_str()) == want[name].as_str()).expect("a label")
        };
        let reader = at(data.readers(), "reader");
        let scores = |name: &str, class: bool| -> Vec<f64> {
            let cell = data.cell(at(data.modalities(), name), reader);
            let of = cell.cases.iter().zip(cell.ratings);
            of.filter(|(case, _)| data.cases()[**case as usize].diseased == class).map(|(_, rating)| *rating).collect()
        };
        let [(p, q), (r, s)] = ["modality_a", "modality_b"].map(|name| (scores(name, true), scores(name, false)));
        let what = format!("{set} reader {} paired", want["reader"]);
        let found = roc::delong_paired(&p, &q, &r, &s, 0.95).unwrap_or_else(|fault| panic!("{what}: {fault}"));
        let (_, covariance) = roc::auc_covariance(&[(&p, &q), (&r, &s)]).expect("as before");
        let (z, p_value) = (found.z.expect("a variance"), found.p.expect("a variance"));
        for (name, got, floor) in [
            ("auc_a", found.first, 1e-6),
            ("auc_b", found.second, 1e-6),
            ("diff", found.difference, 1e-6),
            ("cov", covariance[0][1], 1e-6),
            ("var_diff", found.standard_error.powi(2), 1e-9),
            ("z", z, 1e-6),
            ("p", p_value, 1e-12),
            ("p_pROC", p_value, 1e-12),
        ] {
            number(tally, &format!("{what} {name}"), got, &want[name], TIGHT, floor);
        }
        number(tally, &format!("{what} lower"), found.interval.lower, &want["ci95_diff"][0], TIGHT, 1e-3);
        number(tally, &format!("{what} upper"), found.interval.upper, &want["ci95_diff"][1], TIGHT, 1e-3);
    }
}

fn compare_counts(tally: &mut Tally, set: &str, data: &MrmcData, want: &Value) {
    let (diseased, non_diseased) = data.class_counts();
    for (name, count) in [
        ("readers", data.readers().len()),
        ("modalities", data.modalities().len()),
        ("cases", data.cases().len()),
        ("diseased", diseased),
        ("nondiseased", non_diseased),
        ("readings", data.len()),
    ] {
        number(tally, &format!("{set} {name}"), count as f64, &want[name], TIGHT, 1.0);
    }
}

#[test]
fn vandyke() {
    compare_set("vandyke", Design::Factorial);
}

/// The reference program stops on a flat likelihood where dₐ is near 0: there its area is compared, not its parameters.
#[test]
fn fitted_curves() {
    let Some(expected) = json("mrmc/vandyke/expected_mrmcaov_proc.json") else { return };
    let data = table(&readings("mrmc/vandyke/readings.csv").expect("beside the JSON"));
    let mut tally = Tally::new("binormal curves vandyke");
    for want in expected["curve_params_binormal"].as_array().expect("curves") {
        let levels = cell_levels(&data, want);
        let at = format!("reader {} modality {}", want["Group.reader"], want["Group.modality"]);
        match fit_binormal(&levels).expect("both classes") {
            CurveFit::Fitted(fit) => {
                number(&mut tally, &format!("{at} a"), fit.a, &want["a"], 1e-3, 1e-3);
                number(&mut tally, &format!("{at} b"), fit.b, &want["b"], 1e-3, 1e-3);
            }
            CurveFit::Degenerate { auc } => {
                tally.same(&format!("{at} degenerate"), want["a"].is_null(), true);
                tally.same(&format!("{at} limit"), auc, 1.0);
            }
        }
    }
    for want in expected["curve_params_binormalLR"].as_array().expect("curves") {
        let levels = cell_levels(&data, want);
        let at = format!("proper reader {} modality {}", want["Group.reader"], want["Group.modality"]);
        match fit_proper_binormal(&levels).expect("both classes") {
            CurveFit::Fitted(fit) if want["Metz.d_a"].as_f64().is_some_and(|d_a| d_a > 0.2) => {
                number(&mut tally, &format!("{at} d_a"), fit.d_a, &want["Metz.d_a"], 1e-3, 1e-3);
                number(&mut tally, &format!("{at} c"), fit.c, &want["Metz.c"], 1e-3, 1e-3);
                // other names of the same curve: the binormal (a, b) and the two χ² distributions' λ and θ
                let b = (1.0 + fit.c) / (1.0 - fit.c);
                let a = fit.d_a * ((1.0 + b * b) / 2.0).sqrt();
                let theta = (a * b / (1.0 - b * b)).powi(2);
                number(&mut tally, &format!("{at} a"), a, &want["binormal.a"], 1e-3, 1e-3);
                number(&mut tally, &format!("{at} b"), b, &want["binormal.b"], 1e-3, 1e-3);
                number(&mut tally, &format!("{at} λ"), 1.0 / (b * b), &want["bichisquared.lambda"], 2e-3, 1e-3);
                number(&mut tally, &format!("{at} θ"), theta, &want["bichisquared.theta"], 2e-3, 1e-3);
            }
            CurveFit::Fitted(fit) => tally.same(&format!("{at} at the bound"), fit.d_a < 0.2, true),
            CurveFit::Degenerate { .. } => tally.same(&format!("{at} degenerate"), want["Metz.d_a"].is_null(), true),
        }
    }
    tally.finish();
}

fn cell_levels(data: &MrmcData, want: &Value) -> Levels {
    let at =
        |labels: &[String], name: &str| labels.iter().position(|label| Some(label.as_str()) == want[name].as_str());
    let (i, j) = (at(data.modalities(), "Group.modality"), at(data.readers(), "Group.reader"));
    let cell = data.cell(i.expect("modality"), j.expect("reader"));
    let of = |class: bool| -> Vec<f64> {
        let rated = cell.cases.iter().zip(cell.ratings);
        rated.filter(|(case, _)| data.cases()[**case as usize].diseased == class).map(|(_, rating)| *rating).collect()
    };
    Levels::new(&of(true), &of(false))
}

#[test]
fn readers_nested_in_modality() {
    compare_set("vandyke_reader_nested_in_modality", Design::ReaderNestedInModality);
}

#[test]
fn cases_nested_in_reader() {
    compare_set("vandyke_case_nested_in_reader", Design::CaseNestedInReader);
}

#[test]
fn cases_nested_in_modality() {
    compare_set("vandyke_case_nested_in_modality", Design::CaseNestedInModality);
}

#[test]
fn continuous_ratings() {
    compare_set("imrmc_example", Design::Factorial);
}

#[test]
fn missing_readings_averaged() {
    compare_set("imrmc_example_missing", Design::Unbalanced);
}

#[test]
fn split_plot_averaged() {
    compare_set("imrmc_example_splitplot", Design::PairedSplitPlot);
}

#[test]
fn viper_split_plot_averaged() {
    compare_set("viper_challenge_high_splitplot", Design::Unbalanced);
}

#[test]
fn partly_crossed_readings_are_refused_unless_asked_for() {
    for set in ["imrmc_example_missing", "imrmc_example_splitplot", "viper_challenge_high_splitplot"] {
        let Some(rows) = readings(&format!("mrmc/{set}/readings.csv")) else { return };
        let refuse = OrOptions {
            partly_crossed: PartlyCrossed::Refuse,
            ..options(FigureOfMerit::EmpiricalAuc, CovarianceMethod::Jackknife, RandomFactors::ReadersAndCases)
        };
        let fault = obuchowski_rockette(&table(&rows), &refuse).expect_err("not fully crossed");
        assert_eq!(fault.code, "design_not_crossed");
    }
}
