//! The same numbers by the way that a user goes: endpoints of a protocol through the analysis into records.
//!
//! Records keep 12 significant digits, so that the tolerance is 1e-9 as for the statistic itself.

use crate::mrmc_or::table;
use crate::support::{Tally, json, readings};
use cadproof::analysis::observed::Observed;
use cadproof::analysis::results::{Results, Stamp, Stat};
use cadproof::protocol::{
    self, Covariance, Crossing, Endpoint, Measure, Method, Protocol, RandomFactors, Rank, Subject, Template,
};
use serde_json::Value;

const TOLERANCE: f64 = 1e-9;

/// The template of a reader study with the readers, arms and design of a reference set.
pub fn study(data: &cadproof::stats::mrmc::MrmcData, crossing: Crossing, threshold: f64) -> Protocol {
    let files = Template::ReaderStudy.files();
    let text = &files.iter().find(|(name, _)| *name == "study.toml").expect("template").1;
    let mut protocol = protocol::parse(text, "study.toml").expect("the template is valid");
    let reader = protocol.readers[0].clone();
    protocol.readers = data.readers().iter().map(|id| protocol::Reader { id: id.clone(), ..reader.clone() }).collect();
    let design = protocol.design.as_mut().expect("a reader study has a design");
    let arm = design.modalities[0].clone();
    design.modalities =
        data.modalities().iter().map(|id| protocol::Modality { id: id.clone(), ..arm.clone() }).collect();
    design.crossing = crossing;
    design.rating_scale.minimum = -1e9;
    design.rating_scale.maximum = 1e9;
    design.action_threshold = Some(threshold);
    protocol.endpoints.clear();
    protocol
}

pub fn endpoint(pair: [String; 2], measure: Measure, method: Method, random: RandomFactors) -> Endpoint {
    let files = Template::ReaderStudy.files();
    let text = &files.iter().find(|(name, _)| *name == "study.toml").expect("template").1;
    let template = protocol::parse(text, "study.toml").expect("valid").endpoints.remove(0);
    Endpoint {
        id: "e".to_owned(),
        rank: Rank::Primary,
        measure,
        subject: Subject::Readers,
        compare: Some(pair),
        method,
        random: Some(random),
        covariance: None,
        hypothesis: None,
        slope: (measure == Measure::ExpectedUtility).then_some(1.0),
        ..template
    }
}

fn run(protocol: &Protocol, data: &cadproof::stats::mrmc::MrmcData) -> Results {
    let observed = Observed {
        case: data.cases().iter().map(|c| c.label.clone()).collect(),
        patient: (0..data.cases().len() as u32).collect(),
        patients: data.cases().len(),
        patient_assumed: true,
        truth: data.cases().iter().map(|c| c.diseased).collect(),
        subgroups: Vec::new(),
        device: None,
        readings: Some(data.clone()),
        location: None,
    };
    analyze(protocol, &observed)
}

pub fn analyze(protocol: &Protocol, observed: &Observed) -> Results {
    let stamp = Stamp {
        tool_version: String::new(),
        study: "reference".to_owned(),
        protocol_version: String::new(),
        protocol_hash: String::new(),
        lock_root: String::new(),
        model_hash: None,
        predictions_hash: None,
        readings_hash: None,
        seed: 1,
        amendments: Vec::new(),
        run: None,
        ledger: Vec::new(),
    };
    cadproof::analysis::analyze(protocol, observed, stamp)
}

fn value(results: &Results, cell: &str, stat: Stat) -> Option<f64> {
    results.records.iter().find(|r| r.table_id == "T-PRIM" && r.cell_id == cell && r.stat == stat)?.value
}

fn compare_set(set: &str, crossing: Crossing) {
    let Some(expected) = json(&format!("mrmc/{set}/expected_mrmcaov_proc.json")) else { return };
    let data = table(&readings(&format!("mrmc/{set}/readings.csv")).expect("beside the JSON"));
    let rule = expected["threshold_rule"].as_str().expect("threshold rule");
    let threshold: f64 = rule.rsplit(' ').next().and_then(|word| word.parse().ok()).expect("threshold");
    let mut protocol = study(&data, crossing, threshold);
    let mut tally = Tally::new(&format!("endpoints {set}"));
    for want in expected["or"].as_array().expect("fits") {
        let text = |name: &str| want[name].as_str().unwrap_or_default();
        if want.get("error").is_some_and(|error| !error.is_null()) {
            continue;
        }
        let measure = match text("metric") {
            "auc" => Measure::Auc,
            "sens" => Measure::Sensitivity,
            "spec" => Measure::Specificity,
            "eu_slope1" => Measure::ExpectedUtility,
            // The program's partial areas follow another rule at the edges, its fits another optimum: compared elsewhere.
            _ => continue,
        };
        let random = match text("random") {
            "rrrc" => RandomFactors::ReadersAndCases,
            "frrc" => RandomFactors::Cases,
            _ => RandomFactors::Readers,
        };
        let pair = [data.modalities()[0].clone(), data.modalities()[1].clone()];
        let covariance = match text("cov_method") {
            "jackknife" => Covariance::Jackknife,
            "unbiased" => Covariance::Unbiased,
            _ => Covariance::Delong,
        };
        let mut methods = vec![(Method::ObuchowskiRockette, Some(covariance))];
        // With one factor fixed the two differ by design: F with finite degrees of freedom against the normal limit.
        if text("random") == "rrrc"
            && covariance == Covariance::Jackknife
            && crossing == Crossing::FullyCrossed
            && measure == Measure::Auc
        {
            methods.push((Method::DorfmanBerbaumMetz, None));
        }
        for (method, covariance) in methods {
            let at = format!("{set} {} {} {} {method:?}", text("metric"), text("cov_method"), text("random"));
            let mut declared = endpoint(pair.clone(), measure, method, random);
            declared.covariance = covariance;
            protocol.endpoints = vec![declared];
            let results = run(&protocol, &data);
            compare_difference(&mut tally, &at, &results, &want["test_diffs"][0]);
            let means = want["test_means"].as_array().cloned().unwrap_or_default();
            for (arm, row) in pair.iter().zip(&means) {
                let cell = format!("e.{arm}");
                check(
                    &mut tally,
                    &format!("{at} mean {arm}"),
                    value(&results, &cell, Stat::Est),
                    &row["Estimate"],
                    1e-6,
                );
                check(&mut tally, &format!("{at} SE {arm}"), value(&results, &cell, Stat::Se), &row["StdErr"], 1e-9);
            }
        }
    }
    tally.finish();
}

fn compare_difference(tally: &mut Tally, at: &str, results: &Results, want: &Value) {
    let of = |stat| value(results, "e.diff", stat);
    check(tally, &format!("{at} diff"), of(Stat::Est), &want["Estimate"], 1e-6);
    check(tally, &format!("{at} SE"), of(Stat::Se), &want["StdErr"], 1e-9);
    // The normal limit is written as infinite degrees of freedom, without a number.
    if of(Stat::Df).is_some() {
        check(tally, &format!("{at} df"), of(Stat::Df), &want["df"], 1.0);
    }
    check(tally, &format!("{at} lower"), of(Stat::Lo), &want["CI_Lower"], 1e-3);
    check(tally, &format!("{at} upper"), of(Stat::Hi), &want["CI_Upper"], 1e-3);
    check(tally, &format!("{at} p"), of(Stat::P), &want["p_value_two_tail_accurate"], 1e-12);
}

fn check(tally: &mut Tally, what: &str, got: Option<f64>, want: &Value, floor: f64) {
    if let Some(want) = want.as_f64() {
        tally.close(what, got.unwrap_or_else(|| panic!("{what}: no number")), want, TOLERANCE, floor);
    }
}

#[test]
fn van_dyke() {
    compare_set("vandyke", Crossing::FullyCrossed);
}

#[test]
fn cases_nested_in_readers() {
    compare_set("vandyke_case_nested_in_reader", Crossing::CaseNestedInReader);
}

#[test]
fn cases_nested_in_modalities() {
    compare_set("vandyke_case_nested_in_modality", Crossing::CaseNestedInModality);
}

/// A split-plot design is refused by Obuchowski–Rockette in clear words, and the U-statistic answers it.
#[test]
fn a_split_plot_design_is_refused_or_answered() {
    let Some(rows) = readings("mrmc/viper_challenge_high_splitplot/readings.csv") else { return };
    let data = table(&rows);
    let pair = [data.modalities()[0].clone(), data.modalities()[1].clone()];
    let mut protocol = study(&data, Crossing::SplitPlot, 50.0);
    let mut declared = endpoint(pair.clone(), Measure::Auc, Method::ObuchowskiRockette, RandomFactors::ReadersAndCases);
    declared.covariance = Some(Covariance::Jackknife);
    protocol.endpoints = vec![declared];
    let results = run(&protocol, &data);
    let refused = results.records.iter().find(|r| r.cell_id == "e.diff" && r.stat == Stat::Est).expect("a record");
    let reason = refused.not_estimable.as_ref().expect("refused");
    assert!(reason.reason.contains("Use the U-statistic"), "{}", reason.reason);
    let note = results.notes.iter().find(|n| n.about == "T-COMP").expect("the design is stated");
    assert!(note.en.contains("unbalanced"), "{}", note.en);
    protocol.endpoints = vec![endpoint(pair, Measure::Auc, Method::UStatistic, RandomFactors::ReadersAndCases)];
    let results = run(&protocol, &data);
    let mut tally = Tally::new("endpoints viper");
    let expected = json("mrmc/viper_challenge_high_splitplot/expected_imrmc.json").expect("beside the readings");
    let found = value(&results, "e.diff", Stat::Est).expect("answered");
    let wanted = find(&expected["R"]["Ustat"], &["AUCAminusAUCB"]).expect("the difference stands in the reference");
    tally.close("difference", found.abs(), wanted.abs(), TOLERANCE, 1e-6);
    tally.finish();
}

/// Three modalities: an overall F test and every pair with Holm's p. The third arm is the first one with every
/// rating moved by a constant, which no area notices: their difference is 0, and both differ alike from the second.
#[test]
fn three_modalities_have_an_overall_test_and_every_pair() {
    let Some(mut rows) = readings("mrmc/vandyke/readings.csv") else { return };
    let copies: Vec<_> = rows
        .iter()
        .filter(|row| row.modality == "1")
        .map(|row| crate::support::ReadingRow { modality: "3".to_owned(), score: row.score + 1.0, ..row.clone() })
        .collect();
    rows.extend(copies);
    let data = table(&rows);
    let pair = [data.modalities()[0].clone(), data.modalities()[1].clone()];
    let mut protocol = study(&data, Crossing::FullyCrossed, 3.0);
    protocol.endpoints = vec![endpoint(pair, Measure::Auc, Method::DorfmanBerbaumMetz, RandomFactors::ReadersAndCases)];
    let results = run(&protocol, &data);
    let of = |cell: &str, stat| {
        results
            .records
            .iter()
            .find(|r| r.table_id == "T-METH" && r.cell_id == format!("e.{cell}") && r.stat == stat)
            .unwrap_or_else(|| panic!("no {cell} {stat:?}"))
    };
    assert_eq!(of("overall", Stat::Df1).value, Some(2.0));
    let f = of("overall", Stat::Est).value.expect("F");
    assert!(f > 0.0 && of("overall", Stat::P).value.is_some_and(|p| (0.0..1.0).contains(&p)), "{f}");
    let est = |cell: &str| of(cell, Stat::Est).value.expect("estimate");
    assert!(est("pair.1.3").abs() < 1e-12);
    assert!((est("pair.1.2") - est("pair.2.3").abs().copysign(est("pair.1.2"))).abs() < 1e-12);
    assert!(of("pair.1.2", Stat::P).method_id.contains("Holm over 3 pairs"));
    let html = cadproof::report::render(&protocol, &results, protocol::ReportKind::Fda, protocol::Language::En)
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(html.contains("overall F test of 3 modalities"));
}

/// The first number under one of `names`, anywhere in the file.
fn find(value: &Value, names: &[&str]) -> Option<f64> {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                if names.contains(&key.as_str())
                    && let Some(number) = inner.as_f64()
                {
                    return Some(number);
                }
            }
            map.values().find_map(|inner| find(inner, names))
        }
        Value::Array(list) => list.iter().find_map(|inner| find(inner, names)),
        _ => None,
    }
}
