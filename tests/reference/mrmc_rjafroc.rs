//! Obuchowski–Rockette and Dorfman–Berbaum–Metz against RJafroc 2.1.3 on the Van Dyke study, and a standalone device
//! against radiologists.

use crate::mrmc_or::table;
use crate::support::{Tally, json, readings};
use cadproof::stats::Interval;
use cadproof::stats::mrmc::MrmcData;
use cadproof::stats::mrmc::covariance::{CellEstimate, CovarianceMethod};
use cadproof::stats::mrmc::dbm::{DbmOptions, DorfmanBerbaumMetz, dorfman_berbaum_metz};
use cadproof::stats::mrmc::fom::FigureOfMerit;
use cadproof::stats::mrmc::fom::RocAxis;
use cadproof::stats::mrmc::obuchowski_rockette::{
    Difference, Mean, MeanSquare, ObuchowskiRockette, OrOptions, OverallTest, PartlyCrossed, RandomFactors,
    obuchowski_rockette,
};
use cadproof::stats::mrmc::sizing::{PilotComponents, ReaderStudyPlan, cases_for_power, power};
use cadproof::stats::mrmc::standalone::{
    Localised, LocalisedReading, StandaloneComparison, StandaloneOptions, device_against_readers, localised_readings,
};
use cadproof::stats::quantiles::{t_multiplier, t_two_sided_p};
use serde_json::Value;

const TIGHT: f64 = 1e-9;
pub const FACTORS: [(&str, RandomFactors); 3] =
    [("RRRC", RandomFactors::ReadersAndCases), ("FRRC", RandomFactors::Cases), ("RRFC", RandomFactors::Readers)];

pub fn number(tally: &mut Tally, what: &str, got: f64, want: &Value, floor: f64) {
    if let Some(want) = want.as_f64() {
        tally.close(what, got, want, TIGHT, floor);
    }
}

pub fn row<'a>(table: &'a Value, name: &str) -> &'a Value {
    let rows = table.as_array().map_or(&[][..], Vec::as_slice);
    rows.iter().find(|row| row["row"].as_str() == Some(name)).unwrap_or(&Value::Null)
}

fn compare_tests(
    tally: &mut Tally,
    at: &str,
    overall: &OverallTest,
    differences: &[Difference],
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
    let pairs = want["ciDiffTrt"].as_array().expect("pairs of modalities");
    tally.same(&format!("{at} pairs"), differences.len(), pairs.len());
    for (difference, row) in differences.iter().zip(pairs) {
        compare_difference(tally, at, difference, row);
    }
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

pub fn compare_difference(tally: &mut Tally, at: &str, got: &Difference, want: &Value) {
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

/// The program gives a fixed reader's difference K − 1 degrees of freedom; its error mean square, pooled over t
/// modalities, has (t − 1)(K − 1), which is what stands in ours. The two are one where t = 2.
fn with_df(own: &Difference, df: f64) -> Difference {
    let half = t_multiplier(own.interval.level, df) * own.standard_error;
    let interval = Interval { lower: own.estimate - half, upper: own.estimate + half, ..own.interval };
    Difference { df: Some(df), p_value: t_two_sided_p(own.statistic, df), interval, ..own.clone() }
}

pub fn compare_square(tally: &mut Tally, at: &str, line: Option<MeanSquare>, want: &Value) {
    let line = line.expect("several modalities and readers");
    number(tally, &format!("{at} SS"), line.sum_of_squares, &want["SS"], 1e-9);
    number(tally, &format!("{at} DF"), line.df as f64, &want["DF"], 1.0);
    number(tally, &format!("{at} MS"), line.mean_square, &want["MS"], 1e-9);
}

/// Two modalities, and the highest mark of each case in a free-response study of five modalities.
const SETS: [[&str; 3]; 2] = [
    ["mrmc/vandyke/expected_rjafroc.json", "/St", "mrmc/vandyke/readings.csv"],
    [
        "mrmc/rjafroc_dataset04_froc/expected_rjafroc.json",
        "/inferred_roc/Wilcoxon",
        "mrmc/rjafroc_dataset04_froc/inferred_roc_readings.csv",
    ],
];

#[test]
fn obuchowski_rockette_with_jackknife() {
    for [file, place, rows] in SETS {
        let Some(expected) = json(file) else { return };
        let data = table(&readings(rows).expect("beside the JSON"));
        let mut tally = Tally::new(&format!("OR {file}"));
        for (name, random) in FACTORS {
            let options = OrOptions {
                fom: FigureOfMerit::EmpiricalAuc,
                covariance: CovarianceMethod::Jackknife,
                random,
                level: 0.95,
                partly_crossed: PartlyCrossed::Refuse,
            };
            let got: ObuchowskiRockette = obuchowski_rockette(&data, &options).expect(name);
            let all = expected.pointer(place).expect("fits");
            let fit = &all[format!("OR_{name}")];
            let want = &fit[name];
            let (differences, means) =
                (got.differences.as_ref().expect(name).as_slice(), got.means.as_ref().expect(name).as_slice());
            compare_tests(&mut tally, name, got.overall.as_ref().expect(name), differences, means, want);
            compare_estimates(&mut tally, name, &got.cells, differences, means, &fit["FOMs"]);
            compare_cells(&mut tally, name, &got.cells, &all["fom_by_modality_reader"]);
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
            if let (Some(parts), Some(matrix)) = (&got.components, &got.covariance_matrix) {
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
                    number(&mut tally, row_name, value / parts.error, &row(components, row_name)["Rhos"], 1e-6);
                }
                compare_slices(&mut tally, name, &got.cells, matrix, fit);
                if random == RandomFactors::Cases {
                    compare_slices(&mut tally, name, &got.cells, matrix, want);
                }
            }
            if random == RandomFactors::ReadersAndCases {
                for (mean, row) in means.iter().zip(fit["ANOVA"]["IndividualTrt"].as_array().expect("modalities")) {
                    let square = mean.mean_square_reader.expect("random readers");
                    number(&mut tally, "MS(R) of a modality", square, &row["msREachTrt"], 1e-9);
                }
            }
        }
        tally.finish();
    }
}

fn compare_cells(tally: &mut Tally, at: &str, cells: &[CellEstimate], want: &Value) {
    let rows = want.as_array().expect("modalities");
    let values: Vec<&Value> = rows
        .iter()
        .flat_map(|row| row.as_object().expect("readers").iter().filter(|(key, _)| *key != "row").map(|(_, v)| v))
        .collect();
    tally.same(&format!("{at} cells"), cells.len(), values.len());
    for (cell, want) in cells.iter().zip(values) {
        number(tally, &format!("{at} cell"), cell.estimate, want, 1e-6);
    }
}

fn compare_estimates(
    tally: &mut Tally,
    at: &str,
    cells: &[CellEstimate],
    differences: &[Difference],
    means: &[Mean],
    want: &Value,
) {
    compare_cells(tally, at, cells, &want["foms"]);
    for (mean, row) in means.iter().zip(want["trtMeans"].as_array().expect("modalities")) {
        number(tally, &format!("{at} mean"), mean.estimate, &row["Estimate"], 1e-6);
    }
    for (difference, row) in differences.iter().zip(want["trtMeanDiffs"].as_array().expect("pairs")) {
        number(tally, &format!("{at} difference"), difference.estimate, &row["Estimate"], 1e-6);
    }
}

/// Variances and covariances within each modality and within each reader, averaged from our matrix.
fn compare_slices(tally: &mut Tally, at: &str, cells: &[CellEstimate], matrix: &[f64], want: &Value) {
    let average = |keep: &dyn Fn(&CellEstimate) -> bool, own: bool| {
        let (mut sum, mut count) = (0.0, 0);
        for (i, a) in cells.iter().enumerate() {
            for (j, _) in cells.iter().enumerate().filter(|(j, b)| keep(a) && keep(b) && (*j == i) == own) {
                sum += matrix[i * cells.len() + j];
                count += 1;
            }
        }
        sum / f64::from(count)
    };
    let anova = want.get("ANOVA").unwrap_or(&Value::Null);
    for (modality, row) in anova["IndividualTrt"].as_array().into_iter().flatten().enumerate() {
        let keep = |cell: &CellEstimate| cell.modality == modality;
        number(tally, &format!("{at} variance in a modality"), average(&keep, true), &row["varEachTrt"], 1e-9);
        number(tally, &format!("{at} Cov2 in a modality"), average(&keep, false), &row["cov2EachTrt"], 1e-9);
    }
    for table in [&anova["IndividualRdr"], &want["IndividualRdrVarCov1"]] {
        for (reader, row) in table.as_array().into_iter().flatten().enumerate() {
            let keep = |cell: &CellEstimate| cell.reader == reader;
            number(tally, &format!("{at} variance of a reader"), average(&keep, true), &row["varEachRdr"], 1e-9);
            number(tally, &format!("{at} Cov1 of a reader"), average(&keep, false), &row["cov1EachRdr"], 1e-9);
            let values: Vec<f64> = cells.iter().filter(|cell| keep(cell)).map(|cell| cell.estimate).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let square = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64;
            number(tally, &format!("{at} MS(T) of a reader"), square, &row["msTEachRdr"], 1e-9);
        }
    }
}

#[test]
fn dorfman_berbaum_metz_on_pseudovalues() {
    for [file, place, rows] in SETS {
        let Some(expected) = json(file) else { return };
        let data = table(&readings(rows).expect("beside the JSON"));
        let mut tally = Tally::new(&format!("DBM {file}"));
        for (name, random) in FACTORS {
            let options = DbmOptions { fom: FigureOfMerit::EmpiricalAuc, random, level: 0.95 };
            let got: DorfmanBerbaumMetz = dorfman_berbaum_metz(&data, &options).expect(name);
            let fit = &expected.pointer(place).expect("fits")[format!("DBM_{name}")];
            let want = &fit[name];
            let (differences, means) =
                (got.differences.as_ref().expect(name).as_slice(), got.means.as_ref().expect(name).as_slice());
            compare_tests(&mut tally, name, got.overall.as_ref().expect(name), differences, means, want);
            compare_estimates(&mut tally, name, &got.cells, differences, means, &fit["FOMs"]);
            for (difference, row) in
                got.reader_differences.iter().zip(want["ciDiffTrtEachRdr"].as_array().into_iter().flatten())
            {
                let own = difference.as_ref().expect(name);
                compare_difference(&mut tally, name, &with_df(own, (got.units - 1) as f64), row);
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
}

/// The study's localisation ratings; 0 in the file means that nothing was marked there.
fn localisations(relative: &str) -> MrmcData {
    let file = crate::support::path(relative).expect("beside the JSON");
    let mut reader = csv::Reader::from_path(file).expect("readings open");
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let localised: Vec<LocalisedReading<'_>> = rows
        .iter()
        .map(|row| {
            let value = |at: usize| row[at].parse::<f64>().expect("a rating");
            let finding = if &row[3] == "1" {
                Localised::Diseased { correct: Some(value(5)).filter(|rating| *rating > 0.0) }
            } else {
                Localised::NonDiseased { highest: value(4) }
            };
            LocalisedReading { reader: &row[0], case: &row[1], modality: &row[2], finding }
        })
        .collect();
    localised_readings(&localised).expect("valid")
}

#[test]
fn device_against_radiologists() {
    let Some(expected) = json("mrmc/rjafroc_cad_lroc/expected_rjafroc.json") else { return };
    let file = "mrmc/rjafroc_cad_lroc/readings.csv";
    let rated = table(&csv_rows(file));
    let located = localisations(file);
    let mut tally = Tally::new("device against radiologists, RJafroc");
    let (diseased, non_diseased) = rated.class_counts();
    for (name, count) in [("cases", rated.cases().len()), ("diseased", diseased), ("nondiseased", non_diseased)] {
        number(&mut tally, name, count as f64, &expected["info"][name], 1.0);
    }
    for entry in expected["StCadVsRad"].as_array().expect("analyses") {
        let fraction = entry["FPFValue"].as_f64().unwrap_or(1.0);
        let (data, fom) = match entry["FOM"].as_str().expect("FOM") {
            "Wilcoxon" => (&rated, FigureOfMerit::EmpiricalAuc),
            "PCL" => (&located, FigureOfMerit::CorrectLocalisation { false_positive_fraction: fraction }),
            "ALROC" => (&located, FigureOfMerit::partial_auc(RocAxis::Specificity, 1.0 - fraction, 1.0)),
            other => panic!("unknown figure of merit {other}"),
        };
        let method = entry["method"].as_str().expect("method");
        let random = if method == "1T-RRFC" { RandomFactors::Readers } else { RandomFactors::ReadersAndCases };
        let options =
            StandaloneOptions { device: "1", fom, covariance: CovarianceMethod::Jackknife, random, level: 0.95 };
        let at = format!("{} {fraction} {method}", entry["FOM"]);
        let got = device_against_readers(data, &options).unwrap_or_else(|fault| panic!("{at}: {fault}"));
        compare_standalone(&mut tally, &at, &got, &entry["result"], method);
    }
    tally.finish();
}

fn csv_rows(relative: &str) -> Vec<crate::support::ReadingRow> {
    let file = crate::support::path(relative).expect("beside the JSON");
    let mut reader = csv::Reader::from_path(file).expect("readings open");
    let row = |row: csv::StringRecord| crate::support::ReadingRow {
        reader: row[0].to_owned(),
        case: row[1].to_owned(),
        modality: row[2].to_owned(),
        truth: &row[3] == "1",
        score: row[4].parse().expect("a rating"),
    };
    reader.records().map(|record| row(record.expect("a row"))).collect()
}

pub fn compare_standalone(tally: &mut Tally, at: &str, got: &StandaloneComparison, want: &Value, method: &str) {
    let scalar = |value: &Value| -> Value {
        value.as_object().and_then(|object| object.values().next()).or(value.get(0)).unwrap_or(value).clone()
    };
    number(tally, &format!("{at} device"), got.device_estimate, &want["fomCAD"], 1e-6);
    number(tally, &format!("{at} readers"), got.readers_mean, &want["avgRadFom"], 1e-6);
    let foms: Vec<&Value> = match &want["fomRAD"] {
        Value::Object(object) => object.values().collect(),
        list => list.as_array().expect("a list").iter().collect(),
    };
    for ((reader, value), want) in got.readers.iter().zip(foms) {
        number(tally, &format!("{at} reader {reader}"), *value, want, 1e-6);
    }
    let difference = &got.difference;
    number(tally, &format!("{at} difference"), difference.estimate, &want["avgDiffFom"], 1e-6);
    number(tally, &format!("{at} df"), difference.df.unwrap_or(f64::NAN), &scalar(&want["df"]), 1.0);
    number(tally, &format!("{at} p"), difference.p_value, &scalar(&want["pval"]), 1e-12);
    let bounds = [difference.interval.lower, difference.interval.upper];
    if method == "2T-RRRC" {
        number(tally, &format!("{at} var"), got.reader_variance.unwrap_or(f64::NAN), &want["varDiffFom"], 1e-9);
        let two = got.two_modality.as_ref().expect("random cases");
        let parts = two.components.as_ref().expect("random cases");
        for (name, value) in [
            ("varR", parts.reader.unwrap_or(f64::NAN)),
            ("varTR", parts.modality_by_reader.unwrap_or(f64::NAN)),
            ("cov1", parts.cov1),
            ("cov2", parts.cov2),
            ("cov3", parts.cov3),
            ("varError", parts.error),
        ] {
            number(tally, &format!("{at} {name}"), value, &want[name], 1e-6);
        }
        let overall = two.overall.as_ref().expect("a test");
        number(tally, &format!("{at} F"), overall.statistic, &want["FStat"], 1e-9);
        number(tally, &format!("{at} ndf"), overall.df1, &want["ndf"], 1.0);
        number(tally, &format!("{at} ddf"), overall.df2.unwrap_or(f64::NAN), &want["df"], 1.0);
        number(tally, &format!("{at} F's p"), overall.p_value, &want["pval"], 1e-12);
        let row = &want["ciDiffFom"][0];
        number(tally, &format!("{at} difference"), difference.estimate, &row["Estimate"], 1e-6);
        number(tally, &format!("{at} SE"), difference.standard_error, &row["StdErr"], 1e-9);
        number(tally, &format!("{at} df"), difference.df.unwrap_or(f64::NAN), &row["DF"], 1.0);
        number(tally, &format!("{at} p"), difference.p_value, &row["PrGTt"], 1e-12);
        number(tally, &format!("{at} t"), difference.statistic, &row["t"], 1e-6);
        number(tally, &format!("{at} lower"), bounds[0], &row["CILower"], 1e-3);
        number(tally, &format!("{at} upper"), bounds[1], &row["CIUpper"], 1e-3);
        for (mean, row) in two.means.iter().flatten().zip(want["ciAvgRdrEachTrt"].as_array().expect("means")) {
            number(tally, &format!("{at} mean"), mean.estimate, &row["Estimate"], 1e-6);
            number(tally, &format!("{at} mean SE"), mean.standard_error, &row["StdErr"], 1e-9);
            number(tally, &format!("{at} mean df"), mean.df.unwrap_or(f64::NAN), &row["DF"], 1.0);
            number(tally, &format!("{at} mean Cov2"), mean.cov2.unwrap_or(f64::NAN), &row["Cov2"], 1e-6);
            // the program does not cut at 0 and 1
            let cut = |name: &str| Value::from(row[name].as_f64().unwrap_or(f64::NAN).clamp(0.0, 1.0));
            number(tally, &format!("{at} mean lower"), mean.interval.lower, &cut("CILower"), 1e-3);
            number(tally, &format!("{at} mean upper"), mean.interval.upper, &cut("CIUpper"), 1e-3);
        }
        return;
    }
    number(tally, &format!("{at} varR"), got.reader_variance.unwrap_or(f64::NAN), &want["varR"], 1e-9);
    number(tally, &format!("{at} t"), difference.statistic, &scalar(&want["Tstat"]), 1e-6);
    number(tally, &format!("{at} lower"), bounds[0], &want["CIAvgDiffFom"][0], 1e-3);
    number(tally, &format!("{at} upper"), bounds[1], &want["CIAvgDiffFom"][1], 1e-3);
    // the program centres the difference's interval on the readers' mean
    let half = t_multiplier(0.95, difference.df.expect("random readers")) * difference.standard_error;
    for name in ["CIAvgRadFom", "CIAvgRad"] {
        number(tally, &format!("{at} {name}"), got.readers_mean - half, &want[name][0], 1e-3);
        number(tally, &format!("{at} {name}"), got.readers_mean + half, &want[name][1], 1e-3);
    }
    if let (Some(error), Some(cov2)) = (got.error_variance, got.cov2) {
        number(tally, &format!("{at} error"), error, &want["varError"], 1e-9);
        number(tally, &format!("{at} cov2"), cov2, &want["cov2"], 1e-9);
    }
}

#[test]
fn power_and_number_of_cases() {
    let Some(expected) = json("mrmc/vandyke/expected_rjafroc.json") else { return };
    let data = table(&readings("mrmc/vandyke/readings.csv").expect("beside the JSON"));
    let random = RandomFactors::ReadersAndCases;
    let options = OrOptions {
        fom: FigureOfMerit::EmpiricalAuc,
        covariance: CovarianceMethod::Jackknife,
        random,
        level: 0.95,
        partly_crossed: PartlyCrossed::Refuse,
    };
    let fit = obuchowski_rockette(&data, &options).expect("crossed");
    let pilot = PilotComponents::from_pilot(fit.components.as_ref().expect("random cases"), 114).expect("crossed");
    let mut tally = Tally::new("sizing vandyke, RJafroc");
    for entry in expected["sample_size"].as_array().expect("plans") {
        let option = entry["analysisOption"].as_str().expect("option");
        let (_, random) = FACTORS.iter().copied().find(|(name, _)| *name == option).expect("one of three");
        let readers = entry["J"].as_u64().expect("readers") as u32;
        let cases = entry["K"].as_u64().unwrap_or(1) as u32;
        let plan = ReaderStudyPlan { readers, cases, modalities: 2, effect: 0.05, alpha: 0.05, random };
        let at = format!("{} {option} {readers} x {cases}", entry["fn"]);
        let row = &entry["result"][0];
        if entry["fn"] == "SsPowerGivenJK" {
            let got = power(&pilot, &plan).expect("valid");
            // R sums its noncentral F to 1e-9 absolute
            let want = row[format!("power{option}")].as_f64().expect("power");
            tally.close(&format!("{at} power"), got.power, want, 2e-9, 1.0);
            number(&mut tally, &format!("{at} ncp"), got.noncentrality, &row[format!("ncp{option}")], 1e-6);
            number(&mut tally, &format!("{at} df2"), got.df2.unwrap_or(f64::NAN), &row[format!("df2{option}")], 1.0);
            let critical = if option == "FRRC" { "chsqFRRC".to_owned() } else { format!("f{option}") };
            number(&mut tally, &format!("{at} critical"), got.critical_value, &row[critical], 1.0);
            continue;
        }
        let want = entry["result"].as_u64().or(row[format!("K{option}")].as_u64()).expect("cases");
        match cases_for_power(&pilot, &plan, 0.8, 2000) {
            Ok((cases, got)) => {
                tally.same(&at, u64::from(cases), want);
                if let Some(want) = row[format!("power{option}")].as_f64() {
                    tally.close(&format!("{at} power"), got.power, want, 2e-9, 1.0);
                }
            }
            // the program gives one more than its cap
            Err(fault) => tally.same(&at, (fault.code, want), ("power_not_reached", 2001)),
        }
    }
    for row in expected["SsPowerTable_effect_0.05"]["powerTableRRRC"].as_array().expect("table") {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        let readers: u32 = text("numReaders").parse().expect("readers");
        let plan = ReaderStudyPlan { readers, cases: 1, modalities: 2, effect: 0.05, alpha: 0.05, random };
        let got = cases_for_power(&pilot, &plan, 0.8, 2000).map_or(">2000".to_owned(), |(cases, _)| cases.to_string());
        tally.same(&format!("table {readers}"), got.as_str(), text("numCases"));
    }
    tally.finish();
}
