//! Limits of agreement and mean readings against iMRMC's R package 2.1.2.

use crate::support::{self, Tally};
use crate::ustat::study;
use cadproof::stats::mrmc::limits_of_agreement::{self as limits, LimitsOfAgreement, SumsOfSquares};
use cadproof::stats::mrmc::ustat::{MomentWeights, mean_readings};
use serde_json::Value;

const TOLERANCE: f64 = 1e-9;
const SETS: [&str; 4] = ["imrmc_example", "imrmc_example_missing", "imrmc_example_splitplot", "vandyke"];

#[test]
fn imrmc_limits_of_agreement() {
    for set in SETS {
        let Some(expected) = support::json(&format!("mrmc/{set}/expected_imrmc_loa_ustat.json")) else { return };
        let data = study(set).expect("readings stand beside the expected values");
        let mut tally = Tally::new(&format!("iMRMC limits of agreement, {set}"));
        for (call, analyses) in expected["limits_of_agreement"].as_object().expect("calls") {
            // if.aov only chooses between two codes for the same sums of squares; types 2 and 3 agree for two factors
            let sums = if call.contains("type=2") || call.contains("type=3") {
                SumsOfSquares::EachLast
            } else if call.contains("reader.first=TRUE") {
                SumsOfSquares::ReaderFirst
            } else {
                SumsOfSquares::CaseFirst
            };
            for (name, want) in analyses.as_object().expect("analyses") {
                let got = match name.as_str() {
                    "laWRBM" => limits::within_reader_between_modalities(&data, 0, 1, sums, 0.95),
                    "laWRWM" => limits::within_reader_within_modality(&data, 0, 1, sums, 0.95),
                    "laBRWM_first" => limits::between_readers_within_modality(&data, 0, sums, 0.95),
                    "laBRWM_second" => limits::between_readers_within_modality(&data, 1, sums, 0.95),
                    "laBRBM" => limits::between_readers_between_modalities(&data, 0, 1, sums, 0.95),
                    other => panic!("unknown analysis {other}"),
                };
                hold(&mut tally, &format!("{call} {name}"), &got.expect("estimable"), want);
            }
        }
        tally.finish();
    }
}

fn hold(tally: &mut Tally, what: &str, got: &LimitsOfAgreement, want: &Value) {
    let (_, row) = want["limits.of.agreement"].as_object().expect("row").iter().next().expect("one row");
    let number = |key: &str| row[key].as_f64();
    let ends = |interval: Option<&cadproof::stats::Interval>| interval.map(|interval| [interval.lower, interval.upper]);
    let limits = ends(got.limits.as_ref().ok());
    let (mean, variance, interval) = match &got.mean {
        Some(mean) => (mean.value, mean.variance, ends(mean.interval.as_ref().ok())),
        // the program prints 0 where the two ratings have no order
        None => (0.0, 0.0, Some([0.0, 0.0])),
    };
    for (key, got) in [
        ("meanDiff", Some(mean)),
        ("var.MeanDiff", Some(variance)),
        ("var.1obs", Some(got.variance)),
        ("ci95meanDiff.bot", interval.map(|ends| ends[0])),
        ("ci95meanDiff.top", interval.map(|ends| ends[1])),
        ("la.bot", limits.map(|ends| ends[0])),
        ("la.top", limits.map(|ends| ends[1])),
    ] {
        match (got, number(key)) {
            (Some(got), Some(want)) => tally.close(&format!("{what} {key}"), got, want, TOLERANCE, 1e-3),
            (got, want) => tally.same(&format!("{what} {key}"), got, want),
        }
    }
    let (name, table) = want.as_object().expect("object").iter().find(|(key, _)| key.contains("ANOVA")).expect("table");
    let rows = table.as_object().expect("rows");
    tally.same(&format!("{what} {name} rows"), got.sources.len(), rows.len());
    for (source, (key, row)) in got.sources.iter().zip(rows) {
        let what = format!("{what} {name} {key}");
        tally.close(&format!("{what} df"), source.df, row["df"].as_f64().expect("df"), TOLERANCE, 1.0);
        tally.close(&format!("{what} SS"), source.sum_of_squares, row["SS"].as_f64().expect("SS"), TOLERANCE, 1.0);
        match (source.variance, row["var"].as_f64()) {
            (Some(got), Some(want)) => tally.close(&format!("{what} var"), got, want, TOLERANCE, 1e-2),
            (got, want) => tally.same(&format!("{what} var"), got, want),
        }
    }
}

#[test]
fn imrmc_mean_readings() {
    for set in SETS {
        let Some(expected) = support::json(&format!("mrmc/{set}/expected_imrmc_loa_ustat.json")) else { return };
        let data = study(set).expect("readings stand beside the expected values");
        let rule = expected["threshold_rule"].as_str().expect("rule");
        let threshold: f64 = rule.rsplit(' ').next().and_then(|word| word.parse().ok()).expect("threshold");
        let mut tally = Tally::new(&format!("iMRMC mean readings, {set}"));
        for (kind, methods) in expected["ustat_identity"].as_object().expect("kinds") {
            let value = |diseased: bool, rating: f64| match kind.as_str() {
                "sens" => diseased.then(|| f64::from(u8::from(rating >= threshold))),
                "spec" => (!diseased).then(|| f64::from(u8::from(rating < threshold))),
                "score_all" => Some(rating),
                "score_diseased" => diseased.then_some(rating),
                other => panic!("unknown kind {other}"),
            };
            for (name, weights) in
                [("jointD", MomentWeights::Joint), ("conditionalD", MomentWeights::ConditionalOnReader)]
            {
                let got = mean_readings(&data, 0, 1, weights, value).expect("estimable");
                let want = &methods[name];
                let what = format!("{kind} {name}");
                tally.same(&format!("{what} nR"), got.readers as u64, want["nR"].as_u64().expect("nR"));
                tally.same(&format!("{what} nC"), got.cases as u64, want["nC"].as_u64().expect("nC"));
                for at in 0..3 {
                    for (key, got) in [("mean", got.mean), ("var", got.variance), ("var.1obs", got.single_variance)] {
                        let want = want[key][at].as_f64().expect("number");
                        tally.close(&format!("{what} {key} {at}"), got[at], want, TOLERANCE, 1e-2);
                    }
                    for (k, key) in ["c0r0", "c1r0", "c0r1", "c1r1"].iter().enumerate() {
                        for (table, got) in [("moments", &got.moments), ("coeff", &got.coefficients)] {
                            let want = want[table][at][*key].as_f64().expect("number");
                            tally.close(&format!("{what} {table} {at} {key}"), got[at][k], want, TOLERANCE, 1e-2);
                        }
                    }
                }
                for (at, row) in want["meanPerR"].as_array().expect("readers").iter().enumerate() {
                    let reader = &got.per_reader[at];
                    // labels 1, 2, 3 … are the row numbers, which the file leaves out
                    let own = (at + 1).to_string();
                    let label = row["_row"].as_str().unwrap_or(&own);
                    tally.same(&format!("{what} reader"), data.readers()[reader.reader].as_str(), label);
                    for (side, key) in ["A", "B"].iter().enumerate() {
                        let count = want["nCperR"][at][*key].as_u64().expect("count");
                        tally.same(&format!("{what} {label} n {key}"), reader.cases[side] as u64, count);
                        match (reader.mean[side], row[*key].as_f64()) {
                            (Some(got), Some(want)) => {
                                tally.close(&format!("{what} {label} {key}"), got, want, TOLERANCE, 1e-2);
                            }
                            (got, want) => tally.same(&format!("{what} {label} {key}"), got, want),
                        }
                    }
                }
            }
        }
        tally.finish();
    }
}
