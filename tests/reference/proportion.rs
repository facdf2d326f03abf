//! Intervals and exact tests of one proportion against R (binom, ratesci, stats) at 20 counts and three levels.

use crate::support::{Tally, json};
use cadproof::stats::proportion::{
    Alternative, ProportionMethod, binomial_test, proportion, proportion_limits, proportion_lower_bound,
};

#[test]
fn every_interval_and_test() {
    let Some(file) = json("binary/proportion_ci.json") else { return };
    let mut tally = Tally::new("proportion_ci");
    for case in file["cases"].as_array().unwrap() {
        let (x, n) = (case["x"].as_u64().unwrap(), case["n"].as_u64().unwrap());
        let level = case["conf_level"].as_f64().unwrap();
        let mut limits = |key: &str, (low, high): (f64, f64)| {
            for (side, got) in [(0, low), (1, high)] {
                let want = case[key][side].as_f64().unwrap();
                tally.close(&format!("{key} {x}/{n} at {level} [{side}]"), got, want, 1e-9, 1e-7);
            }
        };
        for (key, method) in [
            ("clopper_pearson", ProportionMethod::ClopperPearson),
            ("wilson", ProportionMethod::Wilson),
            ("wilson_cc_newcombe", ProportionMethod::WilsonContinuity),
            ("agresti_coull", ProportionMethod::AgrestiCoull),
            ("wald", ProportionMethod::Wald),
            ("jeffreys_equal_tailed", ProportionMethod::Jeffreys),
            ("jeffreys_boundary_modified", ProportionMethod::JeffreysModified),
            ("logit_wald", ProportionMethod::Logit),
            ("midp_clopper_pearson", ProportionMethod::MidP),
        ] {
            limits(key, proportion_limits(x, n, method, level).unwrap());
        }
        let cut = |method| {
            let interval = proportion(x, n, method, level).unwrap().interval;
            (interval.lower, interval.upper)
        };
        limits("wilson_prop_test", cut(ProportionMethod::Wilson));
        // prop.test drops the correction where |x − n/2| < 1/2, so there it is the plain Wilson interval.
        let centred = 2 * x == n;
        limits(
            "wilson_cc_prop_test",
            cut(if centred { ProportionMethod::Wilson } else { ProportionMethod::WilsonContinuity }),
        );
        for (key, alternative) in [
            ("binom_test_greater_p0_0.8", Alternative::Greater),
            ("binom_test_two_sided_p0_0.8", Alternative::TwoSided),
        ] {
            let got = binomial_test(x, n, 0.8, alternative).unwrap();
            tally.close(&format!("{key} {x}/{n}"), got, case[key].as_f64().unwrap(), 1e-9, 1e-300);
        }
        let bound = proportion_lower_bound(x, n, ProportionMethod::ClopperPearson, level).unwrap();
        let want = case["one_sided_lower_cp"].as_f64().unwrap();
        tally.close(&format!("one_sided_lower_cp {x}/{n}"), bound.interval.lower, want, 1e-9, 1e-7);
    }
    tally.finish();
}
