//! Obuchowski–Rockette and Dorfman–Berbaum–Metz against RJafroc 2.1.3 on the Van Dyke study, and a standalone device
//! against radiologists.

use crate::mrmc_or::table;
use crate::support::{Tally, json, readings};
use cadproof::stats::mrmc::covariance::CovarianceMethod;
use cadproof::stats::mrmc::dbm::{DbmOptions, DorfmanBerbaumMetz, dorfman_berbaum_metz};
use cadproof::stats::mrmc::fom::FigureOfMerit;
use cadproof::stats::mrmc::obuchowski_rockette::{
    Difference, Mean, MeanSquare, ObuchowskiRockette, OrOptions, OverallTest, PartlyCrossed, RandomFactors,
    obuchowski_rockette,
};
use serde_json::Value;

const TIGHT: f64 = 1e-9;
const FACTORS: [(&str, RandomFactors); 3] =
    [("RRRC", RandomFactors::ReadersAndCases), ("FRRC", RandomFactors::Cases), ("RRFC", RandomFactors::Readers)];

fn number(tally: &mut Tally, what: &str, got: f64, want: &Value, floor: f64) {
    if let Some(want) = want.as_f64() {
        tally.close(what, got, want, TIGHT, floor);
    }
}

fn row<'a>(table: &'a Value, name: &str) -> &'a Value {
    let rows = table.as_array().map_or(&[][..], Vec::as_slice);
    rows.iter().find(|row| row["row"].as_str() == Some(name)).unwrap_or(&Value::Null)
}

fn compare_tests(
    tally: &mut Tally,
    at: &str,
    overall: &OverallTest,
    difference: &Difference,
    means: &[Mean],
    want: &Value,
) {
    let test = &want["FTests"][0];
    number(tally, &format!("{at} MS(T)"), overall.mean_square_modality, &test["MS"], 1e-9);
    for name in ["FStat", "F", "Chisq"] {
        number(tally, &format!("{at} {name}"), overall.statistic, &test[name], 1e-9);
    }
    number(tally, &format!("{at} df1"), overall.df1, &test["DF"], 1.0);
    number(tally, &format!("{at} p"), overall.p_value, &test["p"], 1e-12);
    if overall.df2.is_some() {
        let error = &want["FTests"][1];
        number(tally, &format!("{at} df2"), overall.df2.unwrap_or(f64::NAN), &error["DF"], 1.0);
        number(tally, &format!("{at} denominator"), overall.denominator, &error["MS"], 1e-9);
    }
    compare_difference(tally, at, difference, &want["ciDiffTrt"][0]);
    for (mean, row) in means.iter().zip(want["ciAvgRdrEachTrt"].as_array().expect("means")) {
        number(tally, &format!("{at} mean"), mean.estimate, &row["Estimate"], 1e-6);
        number(tally, &format!("{at} mean SE"), mean.standard_error, &row["StdErr"], 1e-9);
        if let Some(df) = mean.df {
            number(tally, &format!("{at} mean df"), df, &row["DF"], 1.0);
        }
        number(tally, &format!("{at} mean lower"), mean.interval.lower, &row["CILower"], 1e-3);
        number(tally, &format!("{at} mean upper"), mean.interval.upper, &row["CIUpper"], 1e-3);
        if let Some(cov2) = mean.cov2 {
            number(tally, &format!("{at} mean Cov2"), cov2, &row["Cov2"], 1e-9);
        }
    }
}

fn compare_difference(tally: &mut Tally, at: &str, got: &Difference, want: &Value) {
    number(tally, &format!("{at} diff"), got.estimate, &want["Estimate"], 1e-6);
    number(tally, &format!("{at} diff SE"), got.standard_error, &want["StdErr"], 1e-9);
    if let Some(df) = got.df {
        number(tally, &format!("{at} diff df"), df, &want["DF"], 1.0);
    }
    for name in ["t", "z"] {
        number(tally, &format!("{at} diff {name}"), got.statistic, &want[name], 1e-6);
    }
    for name in ["PrGTt", "PrGTz"] {
        number(tally, &format!("{at} diff p"), got.p_value, &want[name], 1e-12);
    }
    number(tally, &format!("{at} diff lower"), got.interval.lower, &want["CILower"], 1e-3);
    number(tally, &format!("{at} diff upper"), got.interval.upper, &want["CIUpper"], 1e-3);
}

fn compare_square(tally: &mut Tally, at: &str, line: Option<MeanSquare>, want: &Value) {
    let line = line.expect("several modalities and readers");
    number(tally, &format!("{at} SS"), line.sum_of_squares, &want["SS"], 1e-9);
    number(tally, &format!("{at} DF"), line.df as f64, &want["DF"], 1.0);
    number(tally, &format!("{at} MS"), line.mean_square, &want["MS"], 1e-9);
}

#[test]
fn obuchowski_rockette_with_jackknife() {
    let Some(expected) = json("mrmc/vandyke/expected_rjafroc.json") else { return };
    let data = table(&readings("mrmc/vandyke/readings.csv").expect("beside the JSON"));
    let mut tally = Tally::new("OR vandyke, RJafroc");
    for (name, random) in FACTORS {
        let got: ObuchowskiRockette = obuchowski_rockette(
            &data,
            &OrOptions {
                fom: FigureOfMerit::EmpiricalAuc,
                covariance: CovarianceMethod::Jackknife,
                random,
                level: 0.95,
                partly_crossed: PartlyCrossed::Refuse,
            },
        )
        .expect(name);
        let fit = &expected["St"][format!("OR_{name}")];
        let want = &fit[name];
        let overall = got.overall.as_ref().expect(name);
        compare_tests(
            &mut tally,
            name,
            overall,
            &got.differences.as_ref().expect(name)[0],
            got.means.as_ref().expect(name),
            want,
        );
        for (difference, row) in
            got.reader_differences.iter().zip(want["ciDiffTrtEachRdr"].as_array().into_iter().flatten())
        {
            compare_difference(&mut tally, name, difference.as_ref().expect(name), row);
        }
        for (row_name, line) in
            [("T", got.anova.modality), ("R", got.anova.reader), ("TR", got.anova.modality_by_reader)]
        {
            compare_square(&mut tally, name, line, row(&fit["ANOVA"]["TRanova"], row_name));
        }
        if let Some(parts) = &got.components {
            let components = &fit["ANOVA"]["VarCom"];
            for (row_name, value) in [
                ("VarR", parts.reader.expect(name)),
                ("VarTR", parts.modality_by_reader.expect(name)),
                ("Cov1", parts.cov1),
                ("Cov2", parts.cov2),
                ("Cov3", parts.cov3),
                ("Var", parts.error),
            ] {
                number(&mut tally, row_name, value, &row(components, row_name)["Estimates"], 1e-6);
            }
        }
    }
    tally.finish();
}

#[test]
fn dorfman_berbaum_metz_on_pseudovalues() {
    let Some(expected) = json("mrmc/vandyke/expected_rjafroc.json") else { return };
    let data = table(&readings("mrmc/vandyke/readings.csv").expect("beside the JSON"));
    let mut tally = Tally::new("DBM vandyke, RJafroc");
    for (name, random) in FACTORS {
        let options = DbmOptions { fom: FigureOfMerit::EmpiricalAuc, random, level: 0.95 };
        let got: DorfmanBerbaumMetz = dorfman_berbaum_metz(&data, &options).expect(name);
        let fit = &expected["St"][format!("DBM_{name}")];
        let want = &fit[name];
        let overall = got.overall.as_ref().expect(name);
        compare_tests(
            &mut tally,
            name,
            overall,
            &got.differences.as_ref().expect(name)[0],
            got.means.as_ref().expect(name),
            want,
        );
        for (difference, row) in
            got.reader_differences.iter().zip(want["ciDiffTrtEachRdr"].as_array().into_iter().flatten())
        {
            compare_difference(&mut tally, name, difference.as_ref().expect(name), row);
        }
        let squares = &fit["ANOVA"]["TRCanova"];
        for (row_name, line) in [
            ("T", got.anova.modality),
            ("R", got.anova.reader),
            ("C", Some(got.anova.case)),
            ("TR", got.anova.modality_by_reader),
            ("TC", got.anova.modality_by_case),
            ("RC", got.anova.reader_by_case),
            ("TRC", got.anova.error),
        ] {
            compare_square(&mut tally, row_name, line, row(squares, row_name));
        }
        number(&mut tally, "total", got.anova.total_sum_of_squares, &row(squares, "Total")["SS"], 1e-9);
        let parts = got.components.as_ref().expect(name);
        for (row_name, value) in [
            ("VarR", parts.reader),
            ("VarC", parts.case),
            ("VarTR", parts.modality_by_reader),
            ("VarTC", parts.modality_by_case),
            ("VarRC", parts.reader_by_case),
            ("VarErr", parts.error),
        ] {
            number(&mut tally, row_name, value, &row(&fit["ANOVA"]["VarCom"], row_name)["Estimates"], 1e-6);
        }
    }
    tally.finish();
}
