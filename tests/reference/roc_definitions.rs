//! Definitions of one and two ROC curves against pROC 1.18, on the reader study VanDyke.

use crate::support::{ReadingRow, Tally, json, readings};
use cadproof::stats::bootstrap::{percentile, standard_error, stratified_auc};
use cadproof::stats::noninferiority::noninferiority;
use cadproof::stats::roc::partial::{Range, partial_auc};
use cadproof::stats::roc::power::{Binormal, cases_for_area, cases_for_difference, power_of_area, power_of_difference};
use cadproof::stats::roc::{BestPoint, OperatingPoint, RocCurve, delong, delong_paired, delong_unpaired, roc_curve};
use serde_json::Value;

type Scores = (Vec<f64>, Vec<f64>);

fn scores(rows: &[ReadingRow], reader: &str, modality: &str) -> Scores {
    let of = |truth: bool| {
        let mine = rows.iter().filter(|row| row.reader == reader && row.modality == modality && row.truth == truth);
        mine.map(|row| row.score).collect()
    };
    (of(true), of(false))
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number in the reference")
}

#[test]
fn single_curves() {
    let Some(file) = json("binary/roc_definitions.json") else { return };
    let rows = readings("mrmc/vandyke/readings.csv").unwrap();
    let mut tally = Tally::new("roc_definitions, single curves");
    for case in file["single"].as_array().unwrap() {
        let (reader, modality) = (case["reader"].to_string(), case["modality"].to_string());
        let (positive, negative) = scores(&rows, &reader, &modality);
        let curve = roc_curve(&positive, &negative).unwrap();
        let what = |key: &str| format!("reader {reader}, modality {modality}: {key}");
        tally.close(&what("auc"), curve.auc, number(&case["auc"]), 1e-9, 1e-9);
        for (key, level) in [("ci_delong95", 0.95), ("ci_delong90", 0.9)] {
            let estimate = delong(&positive, &negative, level).unwrap();
            tally.close(&what(key), estimate.interval.lower, number(&case[key][0]), 1e-9, 1e-9);
            tally.close(&what(key), estimate.interval.upper, number(&case[key][1]), 1e-9, 1e-9);
            tally.close(&what("var_delong"), estimate.variance, number(&case["var_delong"]), 1e-9, 1e-12);
        }
        for (key, rule) in [
            ("youden", BestPoint::Youden),
            ("closest_topleft", BestPoint::ClosestTopLeft),
            ("youden_weighted_cost2_prev0.2", BestPoint::WeightedYouden { cost: 2.0, prevalence: 0.2 }),
        ] {
            let best = curve.best(rule).unwrap();
            let want = case[key].as_array().unwrap();
            tally.same(&what(key), best.len(), want.len());
            for (point, want) in best.iter().zip(want) {
                tally.close(&what(key), point.threshold.unwrap(), number(&want["threshold"]), 1e-9, 1e-9);
                tally.close(&what(key), point.specificity, number(&want["specificity"]), 1e-9, 1e-9);
                tally.close(&what(key), point.sensitivity, number(&want["sensitivity"]), 1e-9, 1e-9);
            }
        }
        let coords = &case["all_coords"];
        tally.same(&what("points"), curve.points.len(), coords["threshold"].as_array().unwrap().len());
        for (i, point) in curve.points.iter().enumerate() {
            let mut same = |key: &str, got: Option<f64>| match (got, coords[key][i].as_f64()) {
                (Some(got), Some(want)) => tally.close(&what(key), got, want, 1e-9, 1e-9),
                (got, want) => tally.same(&what(key), got, want),
            };
            // the reference writes its infinite thresholds as ±1e308
            let end = if i == 0 { -1e308 } else { 1e308 };
            same("threshold", Some(point.threshold.unwrap_or(end)));
            let OperatingPoint { true_positive: tp, false_positive: fp, .. } = *point;
            let (fne, tn) = (point.false_negative, point.true_negative);
            let share = |x: u64, n: u64| (n > 0).then(|| x as f64 / n as f64);
            same("sensitivity", Some(point.sensitivity));
            same("specificity", Some(point.specificity));
            same("ppv", share(tp, tp + fp));
            same("npv", share(tn, tn + fne));
            same("accuracy", share(tp + tn, tp + fp + tn + fne));
            for (key, count) in [("tp", tp), ("fp", fp), ("fn", fne), ("tn", tn)] {
                same(key, Some(count as f64));
            }
        }
        for pair in case["sens_at_spec"].as_array().unwrap() {
            let got = curve.sensitivity_at(number(&pair["spec"])).unwrap();
            tally.close(&what("sens_at_spec"), got, number(&pair["sens"]), 1e-9, 1e-9);
        }
        for pair in case["spec_at_sens"].as_array().unwrap() {
            let got = curve.specificity_at(number(&pair["sens"])).unwrap();
            tally.close(&what("spec_at_sens"), got, number(&pair["spec"]), 1e-9, 1e-9);
        }
        // pROC fits Φ⁻¹(specificity) on Φ⁻¹(sensitivity), the curve seen from the other class, but keeps this one's
        // ratio and count, and leaves out the covariance of a and b. The formula is held against it in that arrangement.
        let turned = RocCurve {
            points: curve
                .points
                .iter()
                .map(|p| OperatingPoint { sensitivity: p.specificity, specificity: 1.0 - p.sensitivity, ..*p })
                .collect(),
            ..curve.clone()
        };
        let (m, n) = (positive.len() as f64, negative.len() as f64);
        let fitted =
            Binormal::fit(&turned).ok().map(|line| (line.variance_times_positives(n / m) - line.covariance_term()) / m);
        match (fitted, case["var_obuchowski"].as_f64()) {
            (Some(got), Some(want)) => tally.close(&what("var_obuchowski"), got, want, 1e-9, 1e-12),
            (got, want) => tally.same(&what("var_obuchowski"), got, want),
        }
        // Another generator and 2000 resamples: agreement within the noise of both. The SE of a resampled SD is 1.6 % of
        // it, of a limit about 5 %; 8 % and 0.3 SE are beyond five of them. At an AUC of 0.999 nearly every resample is
        // perfect and the quantiles jump between a few values, so there the intervals need only overlap.
        let drawn = stratified_auc(&positive, &negative, 2000, 42).unwrap();
        let se = standard_error(&drawn.values).unwrap();
        let interval = percentile(&drawn.values, 0.95).unwrap();
        let want_se = number(&case["var_bootstrap_2000"]).sqrt();
        let limits = &case["ci_bootstrap_2000_stratified"];
        let (low, high) = (number(&limits[0]), number(&limits[2]));
        tally.same(&what("bootstrap overlap"), interval.lower <= high && interval.upper >= low, true);
        if curve.auc < 0.99 {
            tally.close(&what("bootstrap SE"), se, want_se, 0.08, 1e-9);
            tally.close(&what("bootstrap lower"), (interval.lower - low) / want_se, 0.0, 0.3, 1.0);
            tally.close(&what("bootstrap upper"), (interval.upper - high) / want_se, 0.0, 0.3, 1.0);
        }
        for part in case["pauc"].as_array().unwrap() {
            let range = Range::Specificity(number(&part["from_spec"]), number(&part["to_spec"]));
            let got = partial_auc(&curve, range).unwrap();
            tally.close(&what("pauc"), got.area, number(&part["pauc"]), 1e-9, 1e-9);
            tally.close(&what("pauc corrected"), got.corrected, number(&part["corrected"]), 1e-9, 1e-9);
        }
    }
    tally.finish();
}

#[test]
fn sizes_and_power() {
    let Some(file) = json("binary/roc_definitions.json") else { return };
    let rows = readings("mrmc/vandyke/readings.csv").unwrap();
    let mut tally = Tally::new("roc_definitions, power");
    for case in file["power_one_roc"].as_array().unwrap() {
        let at = |key: &str| number(&case[key]);
        let cases = cases_for_area(at("auc"), 0.8, at("kappa"), at("sig_level")).unwrap();
        tally.close("cases", cases.positive, at("ncases_for_power_80"), 1e-9, 1e-9);
        tally.close("controls", cases.negative, at("ncontrols"), 1e-9, 1e-9);
        let power = power_of_area(at("auc"), 50.0, at("kappa"), at("sig_level")).unwrap();
        tally.close("power", power, at("power_at_50_cases"), 1e-9, 1e-9);
    }
    let [one, two] = [("1", "1"), ("1", "2")].map(|(r, m)| scores(&rows, r, m));
    let (one, two) = ((&one.0[..], &one.1[..]), (&two.0[..], &two.1[..]));
    let want = &file["power_two_rocs_reader1"];
    let [first, second] = [one, two].map(|(p, q)| roc_curve(p, q).unwrap().auc);
    for given in [&want["power_given_rocs"], &want["n_for_power_80"]] {
        tally.close("first area", first, number(&given["auc1"]), 1e-9, 1e-9);
        tally.close("second area", second, number(&given["auc2"]), 1e-9, 1e-9);
    }
    tally.close("cases", one.0.len() as f64, number(&want["power_given_rocs"]["ncases"]), 1e-9, 1.0);
    tally.close("controls", one.1.len() as f64, number(&want["power_given_rocs"]["ncontrols"]), 1e-9, 1.0);
    let power = power_of_difference(one, two, 0.05).unwrap();
    tally.close("power of two", power, number(&want["power_given_rocs"]["power"]), 1e-9, 1e-9);
    let cases = cases_for_difference(one, two, 0.8, 0.05).unwrap();
    tally.close("cases of two", cases.positive, number(&want["n_for_power_80"]["ncases"]), 1e-9, 1e-9);
    tally.close("controls of two", cases.negative, number(&want["n_for_power_80"]["ncontrols"]), 1e-9, 1e-9);
    tally.finish();
}

#[test]
fn two_curves() {
    let Some(file) = json("binary/roc_definitions.json") else { return };
    let rows = readings("mrmc/vandyke/readings.csv").unwrap();
    let mut tally = Tally::new("roc_definitions, two curves");
    let [one, two, other] = [("1", "1"), ("1", "2"), ("2", "1")].map(|(r, m)| scores(&rows, r, m));
    let want = &file["unpaired_delong_reader1_v_reader2_modality1"];
    let got = delong_unpaired(&one.0, &one.1, &other.0, &other.1, 0.95).unwrap();
    tally.close("unpaired D", got.z.unwrap(), number(&want["statistic_D"]), 1e-9, 1e-9);
    tally.close("unpaired df", got.df.unwrap(), number(&want["df"]), 1e-9, 1e-9);
    tally.close("unpaired p", got.p.unwrap(), number(&want["p"]), 1e-9, 1e-9);

    let paired = delong_paired(&two.0, &two.1, &one.0, &one.1, 0.95).unwrap();
    for want in file["noninferiority_delong_reader1"].as_array().unwrap() {
        tally.close("difference", paired.difference, number(&want["diff_m2_minus_m1"]), 1e-9, 1e-9);
        tally.close("se", paired.standard_error, number(&want["se"]), 1e-9, 1e-9);
        tally.close("two-sided", paired.interval.lower, number(&want["two_sided_95"][0]), 1e-9, 1e-9);
        tally.close("two-sided", paired.interval.upper, number(&want["two_sided_95"][1]), 1e-9, 1e-9);
        let margin = number(&want["margin"]);
        let test = noninferiority(paired.difference, paired.standard_error, f64::INFINITY, margin, 0.95).unwrap();
        tally.close("z", test.statistic, number(&want["z_noninferiority"]), 1e-9, 1e-9);
        tally.close("p", test.p_noninferiority, number(&want["p_noninferiority"]), 1e-9, 1e-12);
        tally.close("p superiority", test.p_superiority, number(&want["p_superiority_one_sided"]), 1e-9, 1e-12);
        let by_margin = number(&want["p_superiority_by_margin"]);
        tally.close("p superiority by margin", test.p_superiority_by_margin, by_margin, 1e-9, 1e-12);
        tally.close("lower", test.lower_bound, number(&want["one_sided_95_lower"]), 1e-9, 1e-9);
        tally.close("tost", test.p_equivalence, number(&want["tost_p"]), 1e-9, 1e-12);
    }
    for want in file["noninferiority_or_rrrc_jackknife"].as_array().unwrap() {
        let at = |key: &str| number(&want[key]);
        let test = noninferiority(at("diff_m2_minus_m1"), at("se"), at("df"), at("margin"), 0.95).unwrap();
        tally.close("t", test.statistic, at("t_noninferiority"), 1e-9, 1e-9);
        tally.close("p by t", test.p_noninferiority, at("p_noninferiority"), 1e-9, 1e-12);
        tally.close("p superiority by t", test.p_superiority, at("p_superiority_one_sided"), 1e-9, 1e-12);
        tally.close("lower by t", test.lower_bound, at("one_sided_95_lower"), 1e-9, 1e-9);
    }
    tally.finish();
}
