//! Every value of `binary/clustered_models.json`: GLM, GEE (geepack), GLMM (lme4), conditional logistic (survival) on
//! the VanDyke readings with `correct = (score ≥ 3) == truth`.

use crate::support::{ReadingRow, Tally, json, readings};
use cadproof::stats::models::gee::{self, GeeOptions, Moments, Reference, Sandwich, WorkingCorrelation};
use cadproof::stats::models::glmm::{self, Approximation};
use cadproof::stats::models::{Design, Factor, clogit, logistic};
use serde_json::Value;

struct Study {
    design: Design,
    reader: Factor,
    case: Factor,
}

fn study(rows: &[ReadingRow], subset: &str) -> Study {
    let kept: Vec<&ReadingRow> = rows
        .iter()
        .filter(|r| match subset {
            "all" => true,
            "diseased" => r.truth,
            "nondiseased" => !r.truth,
            other => panic!("unknown subset {other}"),
        })
        .collect();
    let modality: Vec<&str> = kept.iter().map(|r| r.modality.as_str()).collect();
    let correct: Vec<bool> = kept.iter().map(|r| (r.score >= 3.0) == r.truth).collect();
    Study {
        design: Design::compare(&modality, "1", &correct).unwrap(),
        reader: Factor::new(&kept.iter().map(|r| r.reader.as_str()).collect::<Vec<_>>()),
        case: Factor::new(&kept.iter().map(|r| r.case.as_str()).collect::<Vec<_>>()),
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

#[test]
fn logistic_regression() {
    let (Some(file), Some(rows)) = (json("binary/clustered_models.json"), readings("mrmc/vandyke/readings.csv")) else {
        return;
    };
    let mut tally = Tally::new("clustered_models glm");
    let fit = logistic::fit(&study(&rows, "all").design, 0.95).unwrap();
    for k in 0..2 {
        tally.close(&format!("coef {k}"), fit.coefficients[k].estimate, number(&file["glm"]["coef"][k]), 1e-6, 1e-6);
        // R's glm stops at a relative deviance change of 1e-8 and takes the weights of the step before: 1.3e-6 off the
        // value at the maximum, which the GEE block's naive SE (epsilon 1e-12) holds and is compared at 1e-6 below
        tally.close(&format!("se {k}"), fit.coefficients[k].standard_error, number(&file["glm"]["se"][k]), 2e-6, 1e-6);
    }
    tally.finish();
}

#[test]
fn generalised_estimating_equations() {
    let (Some(file), Some(rows)) = (json("binary/clustered_models.json"), readings("mrmc/vandyke/readings.csv")) else {
        return;
    };
    let mut tally = Tally::new("clustered_models gee");
    for want in file["gee"].as_array().unwrap() {
        let study = study(&rows, want["subset"].as_str().unwrap());
        let exchangeable = want["corstr"] == "exchangeable";
        let options = GeeOptions {
            correlation: if exchangeable { WorkingCorrelation::Exchangeable } else { WorkingCorrelation::Independence },
            sandwich: Sandwich::Uncorrected,
            reference: Reference::Normal,
            moments: Moments::Observations,
            level: 0.95,
        };
        let cluster = if want["cluster"] == "case" { &study.case } else { &study.reader };
        let fit = gee::fit(&study.design, cluster, options).unwrap();
        let name = format!("{} {} {}", want["subset"], want["cluster"], want["corstr"]);
        for k in 0..2 {
            let c = &fit.coefficients[k];
            tally.close(&format!("{name} coef {k}"), c.estimate, number(&want["coef"][k]), 1e-6, 1e-6);
            tally.close(&format!("{name} robust se {k}"), c.standard_error, number(&want["robust_se"][k]), 1e-6, 1e-6);
            let naive = fit.naive_covariance[k][k].sqrt();
            tally.close(&format!("{name} naive se {k}"), naive, number(&want["naive_se"][k]), 1e-6, 1e-6);
            for j in 0..2 {
                let (got, want) = (fit.robust_covariance[k][j], number(&want["robust_vcov"][k][j]));
                tally.close(&format!("{name} vcov {k}{j}"), got, want, 1e-6, 1e-6);
            }
        }
        let c = &fit.coefficients[1];
        match fit.correlation {
            Some(alpha) => tally.close(&format!("{name} alpha"), alpha, number(&want["alpha"]), 1e-6, 1e-6),
            None => tally.same(&format!("{name} alpha"), want["alpha"].as_array().map(Vec::len), Some(0)),
        }
        tally.close(&format!("{name} scale"), fit.scale, number(&want["scale"]), 1e-6, 1e-6);
        tally.close(&format!("{name} or"), c.odds_ratio, number(&want["or"]), 1e-6, 1e-6);
        tally.close(&format!("{name} or lower"), c.odds_ratio_interval.lower, number(&want["or_ci95"][0]), 1e-6, 1e-6);
        tally.close(&format!("{name} or upper"), c.odds_ratio_interval.upper, number(&want["or_ci95"][1]), 1e-6, 1e-6);
        tally.close(&format!("{name} wald"), c.statistic.powi(2), number(&want["wald_chi2"]), 1e-6, 1e-6);
        tally.close(&format!("{name} p"), c.p, number(&want["p"]), 1e-6, 1e-6);
        tally.same(&format!("{name} clusters"), Some(fit.clusters.clusters as u64), want["n_clusters"].as_u64());
        tally.same(&format!("{name} n"), Some(fit.observations as u64), want["n"].as_u64());
    }
    tally.finish();
}

#[test]
fn mixed_model() {
    let (Some(file), Some(rows)) = (json("binary/clustered_models.json"), readings("mrmc/vandyke/readings.csv")) else {
        return;
    };
    let mut tally = Tally::new("clustered_models glmer");
    for want in file["glmer"].as_array().unwrap() {
        let study = study(&rows, want["subset"].as_str().unwrap());
        let joint = want["nAGQ"] == 1;
        let approximation = if joint { Approximation::Laplace } else { Approximation::PenalisedBeta };
        let random = [("reader", &study.reader), ("case", &study.case)];
        let fit = glmm::fit(&study.design, &random, approximation, 0.95).unwrap();
        let name = format!("{} nAGQ={}", want["subset"], want["nAGQ"]);
        // lme4 ends its inner iterations at a relative change of 1e-7 of the penalised deviance (tolPwrss), with the
        // determinant one step behind. At its own optimum of the nondiseased the exact Laplace log-likelihood is
        // −268.530756 (below), where it prints −268.536726, so there its optimum and Hessian are that
        // far off. Our log-likelihood is the larger one in all six fits.
        let (tolerance, log_tolerance) = match (want["subset"].as_str().unwrap(), joint) {
            ("nondiseased", true) => (6e-2, 7e-3),
            ("diseased", true) => (1.2e-2, 2e-4),
            ("all", true) => (1e-3, 3e-5),
            ("nondiseased", false) => (1e-3, 7e-4),
            ("diseased", false) => (1e-3, 2e-4),
            _ => (1e-3, 5e-5),
        };
        for k in 0..2 {
            let (c, row) = (&fit.coefficients[k], &want["coef_table"][k]);
            for (what, got, want) in [
                ("fixef", c.estimate, &want["fixef"][k]),
                ("se", c.standard_error, &want["se"][k]),
                ("table estimate", c.estimate, &row["Estimate"]),
                ("table se", c.standard_error, &row["Std. Error"]),
                ("table z", c.statistic, &row["z value"]),
            ] {
                tally.close(&format!("{name} {what} {k}"), got, number(want), tolerance, 1e-6);
            }
            // log p, since a p of 1e-12 magnifies a relative error of z by z²
            tally.close(&format!("{name} log p {k}"), c.p.ln(), number(&row["Pr(>|z|)"]).ln(), tolerance, 1.0);
        }
        for (i, key) in ["var_reader", "var_case"].into_iter().enumerate() {
            tally.close(&format!("{name} {key}"), fit.random_effects[i].variance, number(&want[key]), tolerance, 1e-6);
        }
        let gain = fit.log_likelihood - number(&want["loglik"]);
        tally.close(&format!("{name} loglik (absolute)"), gain, 0.0, log_tolerance, 1.0);
        tally.same(&format!("{name} is no worse a maximum"), gain >= 0.0, true);
        if joint {
            let deviations = [number(&want["var_reader"]).sqrt(), number(&want["var_case"]).sqrt()];
            let beta = [number(&want["fixef"][0]), number(&want["fixef"][1])];
            let there = glmm::log_likelihood_at(&study.design, &random, &deviations, &beta).unwrap();
            tally.same(&format!("{name} lme4's point is below the maximum"), there <= fit.log_likelihood, true);
            if want["subset"] == "nondiseased" {
                // by dense matrices, written separately in another language, modes iterated to 1e-15
                tally.close("loglik at lme4's point, dense", there, -268.530_755_514_604_1, 1e-12, 1.0);
            }
        }
    }
    tally.finish();
}

#[test]
fn conditional_logistic() {
    let (Some(file), Some(rows)) = (json("binary/clustered_models.json"), readings("mrmc/vandyke/readings.csv")) else {
        return;
    };
    let mut tally = Tally::new("clustered_models clogit");
    for want in file["clogit"].as_array().unwrap() {
        let study = study(&rows, want["subset"].as_str().unwrap());
        let strata = if want["strata"] == "case" { study.case.clone() } else { study.reader.crossed(&study.case) };
        let fit = clogit::fit(&study.design, &strata, 0.95).unwrap();
        let c = &fit.coefficients[0];
        let name = format!("{} {}", want["subset"], want["strata"]);
        for (what, got, want) in [
            ("coef", c.estimate, &want["coef"]),
            ("se", c.standard_error, &want["se"]),
            ("or", c.odds_ratio, &want["or"]),
            ("or lower", c.odds_ratio_interval.lower, &want["or_ci95"][0]),
            ("or upper", c.odds_ratio_interval.upper, &want["or_ci95"][1]),
            ("null loglik", fit.null_log_likelihood, &want["loglik"][0]),
            ("loglik", fit.log_likelihood, &want["loglik"][1]),
        ] {
            tally.close(&format!("{name} {what}"), got, number(want), 1e-6, 1e-6);
        }
        if let (Some(first), Some(second)) =
            (want["discordant_mod1_only"].as_u64(), want["discordant_mod2_only"].as_u64())
        {
            tally.same(&format!("{name} informative strata"), fit.informative_strata as u64, first + second);
            tally.close(&format!("{name} n01/n10"), c.odds_ratio, second as f64 / first as f64, 1e-9, 1e-6);
        }
    }
    tally.finish();
}
