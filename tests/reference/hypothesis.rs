//! Hypotheses and multiplicity: fault T11, the non-inferiority blocks of `roc_definitions.json`, statsmodels' multiplicity.

use crate::support::{Tally, json};
use cadproof::stats::hypothesis::{AppliesTo, Better, Claim, Evidence, Plan, Sides, Verdict, decide};
use cadproof::stats::multiplicity::{Decision, Procedure, adjust};
use serde_json::Value;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

fn verdict(claim: Claim, evidence: Evidence, alpha: f64, sides: Sides) -> Verdict {
    let plan = Plan { claim, better: Better::Higher, alpha, sides, applies_to: AppliesTo::Bound };
    decide(plan, evidence).unwrap()
}

#[test]
fn noninferiority_p_value_and_bound() {
    let mut tally = Tally::new("fault T11");
    let evidence = Evidence { estimate: -0.01, standard_error: 0.02, degrees_of_freedom: 12.3 };
    let claim = Claim::NonInferiority { margin: 0.05 };
    let five = verdict(claim, evidence, 0.05, Sides::One);
    let strict = verdict(claim, evidence, 0.025, Sides::One);
    tally.close("t", five.test.unwrap().statistic, 2.0, 1e-12, 1.0);
    tally.close("p", five.test.unwrap().p, 0.034_04, 5e-6, 1.0);
    tally.close("lower 95 % bound", strict.compared, -0.053_46, 5e-6, 1.0);
    tally.same("shown at one-sided 5 %, not at 2.5 %", (five.met, strict.met), (true, false));
    tally.finish();
}

#[test]
fn noninferiority_blocks() {
    let Some(file) = json("binary/roc_definitions.json") else { return };
    let mut tally = Tally::new("non-inferiority of roc_definitions");
    for key in ["noninferiority_delong_reader1", "noninferiority_or_rrrc_jackknife"] {
        for want in file[key].as_array().unwrap() {
            let margin = number(&want["margin"]);
            let evidence = Evidence {
                estimate: number(&want["diff_m2_minus_m1"]),
                standard_error: number(&want["se"]),
                degrees_of_freedom: want.get("df").map_or(f64::INFINITY, number),
            };
            let one = |claim| verdict(claim, evidence, 0.05, Sides::One);
            let two = verdict(Claim::Superiority { margin: 0.0 }, evidence, 0.05, Sides::Two);
            let ni = one(Claim::NonInferiority { margin });
            let statistic = want.get("z_noninferiority").unwrap_or(&want["t_noninferiority"]);
            let mut values = vec![
                ("statistic", ni.test.unwrap().statistic, statistic),
                ("p", ni.test.unwrap().p, &want["p_noninferiority"]),
                ("lower", ni.compared, &want["one_sided_95_lower"]),
                (
                    "p superiority",
                    one(Claim::Superiority { margin: 0.0 }).test.unwrap().p,
                    &want["p_superiority_one_sided"],
                ),
            ];
            if want.get("tost_p").is_some() {
                let beyond = one(Claim::Superiority { margin }).test.unwrap().p;
                values.push(("p superiority by margin", beyond, &want["p_superiority_by_margin"]));
                values.push(("tost", one(Claim::Equivalence { margin }).test.unwrap().p, &want["tost_p"]));
                values.push(("two-sided lower", two.interval.lower, &want["two_sided_95"][0]));
                values.push(("two-sided upper", two.interval.upper, &want["two_sided_95"][1]));
            }
            for (what, got, want) in values {
                tally.close(&format!("{key} {margin} {what}"), got, number(want), 1e-9, 1e-6);
            }
        }
    }
    tally.finish();
}

#[test]
fn adjusted_p_values() {
    let Some(file) = json("metrics/set_b/multilabel.json") else { return };
    let mut tally = Tally::new("multiplicity, set b");
    for case in file["cases"].as_array().unwrap().iter().filter(|c| c["metric"] == "multiplicity") {
        let p: Vec<f64> = case["inputs"]["p"].as_array().unwrap().iter().map(number).collect();
        for (key, procedure) in [
            ("bonferroni", Procedure::Bonferroni),
            ("sidak", Procedure::Sidak),
            ("holm", Procedure::Holm),
            ("simes-hochberg", Procedure::Hochberg),
            ("hommel", Procedure::Hommel),
        ] {
            let found = adjust(&p, procedure, number(&case["inputs"]["alpha"])).unwrap();
            let want = &case["expected"][key];
            for (i, a) in found.iter().enumerate() {
                let name = format!("{} {key} {i}", case["id"]);
                tally.close(&name, a.p_adjusted, number(&want["p_adj"][i]), 1e-9, 1e-6);
                tally.same(&name, a.decision == Decision::Rejected, want["reject"][i].as_bool().unwrap());
            }
        }
    }
    tally.finish();
}
