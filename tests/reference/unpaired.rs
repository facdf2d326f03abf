//! Unpaired 2×2 tables against R (stats, ratesci). `null` in the file is an infinite or missing value.

use crate::support::{Tally, json};
use cadproof::stats::diagnostic::{Confusion, diagnostic};
use cadproof::stats::odds::{CellCorrection, Table2x2, odds_ratio};
use cadproof::stats::proportion::ProportionMethod;
use cadproof::stats::unpaired::{DifferenceMethod, chi_square, difference_limits, fisher_exact};

#[test]
fn every_unpaired_table() {
    let Some(file) = json("binary/unpaired_2x2.json") else { return };
    let mut tally = Tally::new("unpaired_2x2");
    for case in file["cases"].as_array().unwrap() {
        let count = |key: &str| case[key].as_u64().unwrap();
        let table = Table2x2 { a: count("a"), b: count("b"), c: count("c"), d: count("d") };
        let mut value = |key: &str, got: Option<f64>, want: Option<f64>, tolerance: f64| match (got, want) {
            (Some(got), Some(want)) => tally.close(&format!("{key} {table:?}"), got, want, tolerance, 1e-30),
            (got, want) => tally.same(&format!("{key} {table:?}"), got, want),
        };
        let number = |key: &str| case[key].as_f64();

        let raw = odds_ratio(&table, CellCorrection::None, 0.95).ok();
        value("or_sample", raw.as_ref().map(|r| r.estimate), number("or_sample"), 1e-9);
        value("or_log_se", raw.as_ref().and_then(|r| r.log_se.clone().ok()), number("or_log_se"), 1e-9);
        let woolf = raw.and_then(|r| r.interval.ok());
        // Where only the estimate is 0, the reference gives exp(−∞) = 0 as lower limit; here there is no interval.
        if number("or_sample") == Some(0.0) {
            assert_eq!(woolf, None);
        } else {
            value("or_woolf_ci", woolf.map(|i| i.lower), case["or_woolf_ci"][0].as_f64(), 1e-9);
            value("or_woolf_ci", woolf.map(|i| i.upper), case["or_woolf_ci"][1].as_f64(), 1e-9);
        }
        let corrected = odds_ratio(&table, CellCorrection::HaldaneAnscombe, 0.95).unwrap();
        let interval = corrected.interval.unwrap();
        value("or_haldane_anscombe", Some(corrected.estimate), number("or_haldane_anscombe"), 1e-9);
        value("or_ha_ci", Some(interval.lower), case["or_haldane_anscombe_ci"][0].as_f64(), 1e-9);
        value("or_ha_ci", Some(interval.upper), case["or_haldane_anscombe_ci"][1].as_f64(), 1e-9);

        // fisher.test finds a ratio above 1 as the reciprocal of a root, and each root to 1.2e-4 absolute.
        let fisher = fisher_exact(&table, 0.95).unwrap();
        let estimate = fisher.odds_ratio.clone().ok();
        for (key, got, want) in [
            ("or_fisher_cmle", estimate, number("or_fisher_cmle")),
            ("or_fisher_ci lower", Some(fisher.interval.lower), case["or_fisher_ci"][0].as_f64()),
            ("or_fisher_ci upper", fisher.interval.upper, case["or_fisher_ci"][1].as_f64()),
        ] {
            match (got, want) {
                (Some(got), Some(want)) if want > 1.0 => tally.close(key, 1.0 / got, 1.0 / want, 1.3e-4, 1.0),
                (Some(got), Some(want)) => tally.close(key, got, want, 1.3e-4, 1.0),
                (got, want) => tally.same(key, got, want),
            }
        }
        let mut value = |key: &str, got: Option<f64>, want: Option<f64>, tolerance: f64| match (got, want) {
            (Some(got), Some(want)) => tally.close(&format!("{key} {table:?}"), got, want, tolerance, 1e-30),
            (got, want) => tally.same(&format!("{key} {table:?}"), got, want),
        };
        value("fisher_p", Some(fisher.p), number("fisher_p"), 1e-9);
        value("chisq_p", chi_square(&table, false).ok().map(|t| t.p), number("chisq_p"), 1e-9);
        value("chisq_yates_p", chi_square(&table, true).ok().map(|t| t.p), number("chisq_yates_p"), 1e-9);

        let (p1, p2) = (table.a as f64 / (table.a + table.b) as f64, table.c as f64 / (table.c + table.d) as f64);
        value("p1", Some(p1), number("p1"), 1e-12);
        value("p2", Some(p2), number("p2"), 1e-12);
        value("diff", Some(p1 - p2), number("diff"), 1e-12);
        let newcombe = difference_limits(&table, DifferenceMethod::Newcombe, 0.95).unwrap();
        value("newcombe", Some(newcombe.0), case["newcombe_unpaired_diff_ci"][0].as_f64(), 1e-9);
        value("newcombe", Some(newcombe.1), case["newcombe_unpaired_diff_ci"][1].as_f64(), 1e-9);
        let score = difference_limits(&table, DifferenceMethod::MiettinenNurminen, 0.95).unwrap();
        let key = "miettinen_nurminen_lower_est_upper";
        value(key, Some(score.0), case[key][0].as_f64(), 1e-9);
        value(key, Some(p1 - p2), case[key][1].as_f64(), 1e-9);
        value(key, Some(score.1), case[key][2].as_f64(), 1e-9);
        let wald = difference_limits(&table, DifferenceMethod::Wald, 0.95).unwrap();
        value("wald", Some(wald.0), case["wald_diff_ci"][0].as_f64(), 1e-9);
        value("wald", Some(wald.1), case["wald_diff_ci"][1].as_f64(), 1e-9);

        let counts = Confusion {
            true_positive: table.a,
            false_negative: table.b,
            false_positive: table.c,
            true_negative: table.d,
        };
        let measures = diagnostic(&counts, ProportionMethod::Wilson, 0.95);
        let want = &case["diagnostic"];
        value("youden", measures.youden.ok().map(|d| d.estimate), want["youden"].as_f64(), 1e-9);
        for (key, got) in [("lr_pos", measures.lr_positive), ("lr_neg", measures.lr_negative)] {
            let ratio = got.ok();
            let interval = ratio.as_ref().and_then(|r| r.interval.clone().ok());
            value(key, ratio.map(|r| r.estimate), want[key].as_f64(), 1e-9);
            let limits = &want[format!("{key}_ci")];
            if want[key].as_f64() == Some(0.0) {
                assert_eq!(interval, None);
            } else {
                value(key, interval.map(|i| i.lower), limits[0].as_f64(), 1e-9);
                value(key, interval.map(|i| i.upper), limits[1].as_f64(), 1e-9);
            }
        }
    }
    tally.finish();
}
