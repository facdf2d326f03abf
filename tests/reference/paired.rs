//! Paired 2×2 tables against R (stats, contingencytables, ratesci). `null` in the file is an infinite or missing value.

use crate::support::{Tally, json};
use cadproof::stats::paired::{
    PairedDifferenceMethod, PairedTable, mcnemar, mcnemar_corrected, mcnemar_exact_p, mcnemar_mid_p, paired_difference,
    paired_odds_ratio, tango_noninferiority,
};

#[test]
fn every_paired_table() {
    let Some(file) = json("binary/paired_2x2.json") else { return };
    let mut tally = Tally::new("paired_2x2");
    for case in file["cases"].as_array().unwrap() {
        let count = |key: &str| case[key].as_u64().unwrap();
        let table =
            PairedTable { both: count("n11"), only_a: count("n12"), only_b: count("n21"), neither: count("n22") };
        let mut value = |key: &str, got: Option<f64>, want: Option<f64>, tolerance: f64| match (got, want) {
            (Some(got), Some(want)) => tally.close(&format!("{key} {table:?}"), got, want, tolerance, 1e-6),
            (got, want) => tally.same(&format!("{key} {table:?}"), got, want),
        };
        let number = |key: &str| case[key].as_f64();

        let n = table.n() as f64;
        value("p1", Some((table.both + table.only_a) as f64 / n), number("p1"), 1e-12);
        value("p2", Some((table.both + table.only_b) as f64 / n), number("p2"), 1e-12);

        let plain = mcnemar(&table).ok();
        value("mcnemar_chi2", plain.map(|t| t.chi2), number("mcnemar_chi2"), 1e-9);
        value("mcnemar_p", plain.map(|t| t.p), number("mcnemar_p"), 1e-9);
        let corrected = mcnemar_corrected(&table).ok();
        value("mcnemar_cc_chi2", corrected.map(|t| t.chi2), number("mcnemar_cc_chi2"), 1e-9);
        value("mcnemar_cc_p", corrected.map(|t| t.p), number("mcnemar_cc_p"), 1e-9);
        value("mcnemar_exact_p", Some(mcnemar_exact_p(&table)), number("mcnemar_exact_p"), 1e-9);
        value("mcnemar_midp", Some(mcnemar_mid_p(&table)), number("mcnemar_midp"), 1e-9);

        for (key, method, tolerance) in [
            ("wald_ci", PairedDifferenceMethod::Wald, 1e-9),
            ("newcombe_square_and_add_ci", PairedDifferenceMethod::Newcombe, 1e-9),
            ("tango_ci_high_precision", PairedDifferenceMethod::Tango, 1e-9),
            // that program stops at 1e-7 absolute
            ("tango_ci_contingencytables_tol1e7", PairedDifferenceMethod::Tango, 1e-5),
        ] {
            match paired_difference(&table, method, 0.95) {
                Ok(found) => {
                    value("diff", Some(found.estimate), number("diff_p1_minus_p2"), 1e-12);
                    value(key, Some(found.interval.lower), case[key][0].as_f64(), tolerance);
                    value(key, Some(found.interval.upper), case[key][1].as_f64(), tolerance);
                }
                // The reference prints the empty interval [0, 0] where the Wald interval collapses.
                Err(reason) => {
                    value(key, Some(0.0), case[key][0].as_f64(), 1e-9);
                    value(key, Some(0.0), case[key][1].as_f64(), 1e-9);
                    assert_eq!(reason.code, "wald_zero_width");
                }
            }
        }
        let tango = paired_difference(&table, PairedDifferenceMethod::Tango, 0.95).unwrap();
        // printed with 12 decimals
        for (i, got) in [(0, tango.interval.lower), (1, tango.estimate), (2, tango.interval.upper)] {
            value("score_ratesci", Some(got), case["score_ratesci_lower_est_upper"][i].as_f64(), 1e-6);
        }

        let odds = paired_odds_ratio(&table, 0.95).unwrap();
        value("paired_or", odds.estimate.clone().ok(), number("paired_or"), 1e-9);
        value("paired_or_log_se", odds.log_se.ok(), number("paired_or_log_se"), 1e-9);
        // Where only the estimate is 0, the reference gives exp(−∞) = 0 as lower limit; here there is no interval.
        if number("paired_or") == Some(0.0) {
            assert_eq!(odds.wald.unwrap_err().code, "zero_discordant_cell");
        } else {
            value(
                "paired_or_wald_ci",
                odds.wald.clone().ok().map(|i| i.lower),
                case["paired_or_wald_ci"][0].as_f64(),
                1e-9,
            );
            value("paired_or_wald_ci", odds.wald.ok().map(|i| i.upper), case["paired_or_wald_ci"][1].as_f64(), 1e-9);
        }
        let exact = odds.exact.ok();
        value("paired_or_exact_ci", exact.map(|i| i.lower), case["paired_or_exact_ci"][0].as_f64(), 1e-9);
        value("paired_or_exact_ci", exact.and_then(|i| i.upper), case["paired_or_exact_ci"][1].as_f64(), 1e-9);

        let want = &case["tango_noninferiority_margin_0.05"];
        let test = tango_noninferiority(&table, want["margin"].as_f64().unwrap()).unwrap();
        value("tango z", Some(test.z), want["z"].as_f64(), 1e-9);
        value("tango p", Some(test.p_one_sided), want["p_one_sided"].as_f64(), 1e-9);
    }
    tally.finish();
}
