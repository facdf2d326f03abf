//! Marks of readers: figures of merit, curves and analyses against RJafroc 2.1.3.

use crate::endpoints;
use crate::mrmc_rjafroc::{FACTORS, compare_difference, compare_square, compare_standalone, number, row};
use crate::support::{Tally, json, path};
use cadproof::analysis::observed::{Location, Observed, ReaderMarks};
use cadproof::analysis::results::Stat;
use cadproof::metrics::detection::Matched;
use cadproof::metrics::froc_curves::{AfrocCurve, afroc_curve};
use cadproof::metrics::location::{CurveReading, LocationFigure, NlfCases};
use cadproof::metrics::location_study::{LocationCase, LocationReading, LocationStudy};
use cadproof::metrics::matching::{RatedMark, Region, Shape, Target};
use cadproof::protocol::{self as p, Acceptance, Covariance, Crossing, Measure, Method};
use cadproof::report::phrase::covered;
use cadproof::stats::mrmc::figures::{FigureOptions, FigureTable, device_against_readers_of, obuchowski_rockette_of};
use cadproof::stats::mrmc::fom::{FigureOfMerit, Levels, RocAxis};
use cadproof::stats::mrmc::obuchowski_rockette::{ObuchowskiRockette, PartlyCrossed, RandomFactors};
use serde_json::Value;
use std::collections::BTreeMap;

const SET: &str = "mrmc/rjafroc_dataset04_froc";

fn rows(relative: &str) -> Vec<csv::StringRecord> {
    let file = path(relative).expect("beside the JSON");
    csv::Reader::from_path(file).expect("opens").records().map(|row| row.expect("a row")).collect()
}

fn number_of(text: &str) -> f64 {
    text.parse().expect("a number")
}

/// The five modalities and four readers of the free-response study.
fn study() -> LocationStudy {
    let mut cases: Vec<LocationCase> = Vec::new();
    for row in rows(&format!("{SET}/truth.csv")) {
        if cases.last().is_none_or(|case| case.label != row[0]) {
            cases.push(LocationCase { label: row[0].to_owned(), lesion_weights: Vec::new(), cluster: None });
        }
        if &row[1] != "0" {
            cases.last_mut().expect("just pushed").lesion_weights.push(number_of(&row[2]));
        }
    }
    let readers: Vec<String> = ["1", "3", "4", "5"].map(str::to_owned).to_vec();
    let modalities: Vec<String> = ["1", "2", "3", "4", "5"].map(str::to_owned).to_vec();
    let at = |labels: &[String], label: &str| labels.iter().position(|other| other == label).expect("known") as u32;
    // By reader, modality and case: the rating of each lesion, and those of the false marks.
    type Marks = BTreeMap<(u32, u32, u32), (Vec<Option<f64>>, Vec<f64>)>;
    let mut marks = Marks::new();
    for reader in 0..readers.len() as u32 {
        for modality in 0..modalities.len() as u32 {
            for (case, of) in (0..).zip(&cases) {
                marks.insert((reader, modality, case), (vec![None; of.lesion_weights.len()], Vec::new()));
            }
        }
    }
    let case_at: BTreeMap<&str, u32> = (0..).zip(&cases).map(|(at, case)| (case.label.as_str(), at)).collect();
    for row in rows(&format!("{SET}/marks.csv")) {
        let key = (at(&readers, &row[0]), at(&modalities, &row[2]), case_at[&row[1]]);
        let (hits, false_marks) = marks.get_mut(&key).expect("all are there");
        if row[3].is_empty() {
            false_marks.push(number_of(&row[4]));
        } else {
            let lesion: usize = row[3].parse().expect("a lesion");
            assert_eq!(hits[lesion - 1].replace(number_of(&row[4])), None);
        }
    }
    drop(case_at);
    let readings = marks
        .into_iter()
        .map(|((reader, modality, case), (hits, false_marks))| LocationReading {
            reader,
            modality,
            case,
            hits,
            false_marks,
        })
        .collect();
    LocationStudy::new(readers, modalities, &cases, readings).expect("valid")
}

fn options(random: RandomFactors) -> FigureOptions {
    FigureOptions { random, level: 0.95, partly_crossed: PartlyCrossed::Refuse }
}

fn compare_analysis(tally: &mut Tally, at: &str, name: &str, got: &ObuchowskiRockette, fit: &Value, cut: bool) {
    let want = &fit[name];
    let estimates = |modality: usize| got.cells.iter().filter(move |cell| cell.modality == modality);
    for (modality, row) in fit["FOMs"]["foms"].as_array().expect("figures").iter().enumerate() {
        let values = row.as_object().expect("a row").iter().filter(|(key, _)| *key != "row");
        for (cell, (_, value)) in estimates(modality).zip(values) {
            number(tally, &format!("{at} cell"), cell.estimate, value, 1e-6);
        }
    }
    let overall = got.overall.as_ref().expect(name);
    let test = &want["FTests"][0];
    number(tally, &format!("{at} MS(T)"), overall.mean_square_modality, &test["MS"], 1e-9);
    for field in ["FStat", "F", "Chisq"] {
        number(tally, &format!("{at} {field}"), overall.statistic, &test[field], 1e-9);
    }
    number(tally, &format!("{at} df1"), overall.df1, &test["DF"], 1.0);
    number(tally, &format!("{at} p"), overall.p_value, &test["p"], 1e-6);
    number(tally, &format!("{at} denominator"), overall.denominator, &want["FTests"][1]["MS"], 1e-9);
    if let Some(df2) = overall.df2 {
        number(tally, &format!("{at} df2"), df2, &want["FTests"][1]["DF"], 1.0);
    }
    let rows_of = |table: &str| want[table].as_array().cloned().unwrap_or_default();
    let differences = got.differences.as_ref().expect(name);
    let pairs = rows_of("ciDiffTrt");
    tally.same(&format!("{at} pairs"), differences.len(), pairs.len());
    for (difference, row) in differences.iter().zip(&pairs) {
        compare_difference(tally, at, difference, row);
    }
    for (difference, row) in got.reader_differences.iter().zip(&rows_of("ciDiffTrtEachRdr")) {
        compare_difference(tally, at, difference.as_ref().expect(name), row);
    }
    // the program does not cut at 0 and 1
    let bound = |value: &Value| match value.as_f64() {
        Some(value) if cut => Value::from(value.clamp(0.0, 1.0)),
        _ => value.clone(),
    };
    for (mean, row) in got.means.as_ref().expect(name).iter().zip(&rows_of("ciAvgRdrEachTrt")) {
        number(tally, &format!("{at} mean"), mean.estimate, &row["Estimate"], 1e-6);
        number(tally, &format!("{at} mean SE"), mean.standard_error, &row["StdErr"], 1e-9);
        if let Some(df) = mean.df {
            number(tally, &format!("{at} mean df"), df, &row["DF"], 1.0);
        }
        number(tally, &format!("{at} mean lower"), mean.interval.lower, &bound(&row["CILower"]), 1e-3);
        number(tally, &format!("{at} mean upper"), mean.interval.upper, &bound(&row["CIUpper"]), 1e-3);
        if let Some(cov2) = mean.cov2 {
            number(tally, &format!("{at} mean Cov2"), cov2, &row["Cov2"], 1e-9);
        }
    }
    for (label, line) in [("T", got.anova.modality), ("R", got.anova.reader), ("TR", got.anova.modality_by_reader)] {
        compare_square(tally, at, line, row(&fit["ANOVA"]["TRanova"], label));
    }
    if let Some(parts) = &got.components {
        for (label, value) in [
            ("VarR", parts.reader.expect(name)),
            ("VarTR", parts.modality_by_reader.expect(name)),
            ("Cov1", parts.cov1),
            ("Cov2", parts.cov2),
            ("Cov3", parts.cov3),
            ("Var", parts.error),
        ] {
            number(tally, &format!("{at} {label}"), value, &row(&fit["ANOVA"]["VarCom"], label)["Estimates"], 1e-6);
        }
    }
}

#[test]
fn free_response_figures_through_obuchowski_rockette() {
    let Some(expected) = json(&format!("{SET}/expected_rjafroc.json")) else { return };
    let study = study();
    let mut tally = Tally::new("free-response figures, RJafroc");
    let figures = [
        ("AFROC", LocationFigure::Afroc),
        ("AFROC1", LocationFigure::Afroc1),
        ("wAFROC", LocationFigure::WeightedAfroc),
        ("wAFROC1", LocationFigure::WeightedAfroc1),
        ("HrAuc", LocationFigure::HrAuc),
        ("MaxLLF", LocationFigure::MaxLlf),
        ("MaxNLF", LocationFigure::MaxNlf(NlfCases::NonDiseased)),
        ("MaxNLFAllCases", LocationFigure::MaxNlf(NlfCases::All)),
        ("HrSe", LocationFigure::HrSe),
        ("HrSp", LocationFigure::HrSp),
    ];
    tally.same("all figures", figures.len(), expected["froc"].as_object().expect("figures").len());
    for (name, figure) in figures {
        let table = study.figures(&figure).expect(name);
        for (option, random) in FACTORS {
            let got = obuchowski_rockette_of(&table, &options(random)).expect(name);
            let fit = &expected["froc"][name][format!("OR_{option}")];
            compare_analysis(&mut tally, &format!("{name} {option}"), option, &got, fit, figure.cut_to_unit_range());
        }
    }
    for (option, random) in FACTORS {
        let table = FigureTable::of_readings(study.highest_ratings(), FigureOfMerit::EmpiricalAuc).expect("crossed");
        let got = obuchowski_rockette_of(&table, &options(random)).expect(option);
        let fit = &expected["inferred_roc"]["Wilcoxon"][format!("OR_{option}")];
        compare_analysis(&mut tally, &format!("inferred ROC {option}"), option, &got, fit, true);
    }
    tally.finish();
}

#[test]
fn inferred_roc_ratings() {
    if path(SET).is_none() {
        return;
    }
    let study = study();
    let data = study.highest_ratings();
    let mut tally = Tally::new("inferred ROC ratings, RJafroc");
    for row in rows(&format!("{SET}/inferred_roc_readings.csv")) {
        // the program rates an unmarked case 0, which no mark is
        let reader = data.readers().iter().position(|label| *label == row[0]).expect("known");
        let case = data.cases().iter().position(|case| case.label == row[1]).expect("known") as u32;
        let modality = data.modalities().iter().position(|label| *label == row[2]).expect("known");
        let got = data.rating(modality, reader, case).expect("read");
        let got = if got == LocationStudy::UNMARKED { 0.0 } else { got };
        tally.close(&format!("{row:?}"), got, number_of(&row[4]), 1e-9, 1.0);
        tally.same("truth", data.cases()[case as usize].diseased, &row[3] == "1");
    }
    tally.finish();
}

#[test]
fn device_against_radiologists_by_marks() {
    let Some(expected) = json("mrmc/rjafroc_cad_lroc/expected_rjafroc.json") else { return };
    let all = rows("mrmc/rjafroc_cad_lroc/readings.csv");
    let labels: Vec<String> = (1..=10).map(|reader: u32| reader.to_string()).collect();
    let mut cases: Vec<LocationCase> = Vec::new();
    for row in all.iter().filter(|row| &row[0] == "1") {
        let lesion_weights = if &row[3] == "1" { vec![1.0] } else { Vec::new() };
        cases.push(LocationCase { label: row[1].to_owned(), lesion_weights, cluster: None });
    }
    let at: BTreeMap<&str, u32> = (0..).zip(&cases).map(|(at, case)| (case.label.as_str(), at)).collect();
    // 0 = nothing marked there
    let mark = |text: &str| Some(number_of(text)).filter(|rating| *rating > 0.0);
    let readings = all
        .iter()
        .map(|row| {
            let diseased = &row[3] == "1";
            LocationReading {
                reader: row[0].parse::<u32>().expect("a reader") - 1,
                modality: 0,
                case: at[&row[1]],
                hits: if diseased { vec![mark(&row[5])] } else { Vec::new() },
                false_marks: mark(if diseased { &row[6] } else { &row[4] }).into_iter().collect(),
            }
        })
        .collect();
    let study = LocationStudy::new(labels, vec!["1".to_owned()], &cases, readings).expect("valid");
    let mut tally = Tally::new("device against radiologists by marks, RJafroc");
    for entry in expected["StCadVsRad"].as_array().expect("analyses") {
        let fraction = entry["FPFValue"].as_f64().unwrap_or(1.0);
        let figure = match entry["FOM"].as_str().expect("a figure") {
            "Wilcoxon" => LocationFigure::HrAuc,
            "PCL" => LocationFigure::Lroc(FigureOfMerit::CorrectLocalisation { false_positive_fraction: fraction }),
            "ALROC" if fraction == 1.0 => LocationFigure::Lroc(FigureOfMerit::EmpiricalAuc),
            "ALROC" => LocationFigure::Lroc(FigureOfMerit::partial_auc(RocAxis::Specificity, 1.0 - fraction, 1.0)),
            other => panic!("an unknown figure {other}"),
        };
        let method = entry["method"].as_str().expect("a method");
        let random = if method == "1T-RRFC" { RandomFactors::Readers } else { RandomFactors::ReadersAndCases };
        let table = study.figures(&figure).expect("two cases of each class");
        let got = device_against_readers_of(&table, "1", random, 0.95).expect(method);
        let at = format!("{} {fraction} {method}", entry["FOM"]);
        compare_standalone(&mut tally, &at, &got, &entry["result"], method);
    }
    tally.finish();
}

/// The vertices of the program's empirical curves, those of the FROC curve read off ours.
#[test]
fn free_response_curves() {
    let Some(expected) = json(&format!("{SET}/expected_rjafroc.json")) else { return };
    let study = study();
    let cell: Vec<_> = study.cell(0, 0).iter().flatten().collect();
    let mut tally = Tally::new("free-response curves, RJafroc");
    let points = expected["empirical_curves"]["FROC"].as_array().expect("a curve");
    for (at, point) in points.iter().enumerate().skip(1) {
        let rate = point["genAbscissa"].as_f64().expect("x");
        for reading in [CurveReading::Step, CurveReading::Linear] {
            let figure = LocationFigure::LlfAtNlf { rates: vec![rate], cases: NlfCases::All, reading };
            number(
                &mut tally,
                &format!("{reading:?} at {rate}"),
                figure.estimate(&cell).expect("lesions"),
                &point["genOrdinate"],
                1e-6,
            );
            if reading == CurveReading::Linear {
                // half way to the next vertex
                let Some(next) = points.get(at + 1) else { continue };
                let middle = |field: &str| {
                    f64::midpoint(point[field].as_f64().expect("a value"), next[field].as_f64().expect("a value"))
                };
                let rates = vec![middle("genAbscissa")];
                let figure = LocationFigure::LlfAtNlf { rates, cases: NlfCases::All, reading };
                let got = figure.estimate(&cell).expect("lesions");
                tally.close(&format!("after {rate}"), got, middle("genOrdinate"), 1e-9, 1e-6);
            }
        }
    }
    let area = |weighted| afroc_curve(&cell, AfrocCurve { weighted, all_cases: false }).expect("both classes");
    let data = study.highest_ratings();
    let of_class = |class: bool| -> Vec<f64> {
        let rated = data.cell(0, 0).cases.iter().zip(data.cell(0, 0).ratings);
        rated.filter(|(case, _)| data.cases()[**case as usize].diseased == class).map(|(_, rating)| *rating).collect()
    };
    let inferred = Levels::new(&of_class(true), &of_class(false)).curve();
    for (name, got) in [("AFROC", area(false)), ("wAFROC", area(true)), ("ROC", inferred)] {
        let points = expected["empirical_curves"][name].as_array().expect("a curve");
        tally.same(&format!("{name} vertices"), got.len(), points.len());
        for (got, want) in got.iter().zip(points) {
            number(&mut tally, &format!("{name} x"), got.0, &want["genAbscissa"], 1e-6);
            number(&mut tally, &format!("{name} y"), got.1, &want["genOrdinate"], 1e-6);
        }
    }
    tally.finish();
}

/// The same marks with places: lesion n of a case at x = 100 n, false marks left of the image's corner.
fn observed(study: &LocationStudy) -> Observed {
    let data = study.highest_ratings();
    let region = |x: f64, shape: Shape| Region { centre: [x, 0.0, 0.0], shape };
    let lesion = |at: usize, weight: f64| Target {
        region: region(100.0 * at as f64, Shape::Radius(1.0)),
        weight,
        ignored: false,
    };
    let lesions =
        study.cell(0, 0).iter().flatten().map(|case| {
            case.weights.iter().enumerate().map(|(at, &weight)| lesion(at, weight)).collect::<Vec<Target>>()
        });
    let mark = |x: f64, rating: f64| RatedMark { region: region(x, Shape::Point), rating };
    let marks = |case: &Matched| {
        let on = case.hits.iter().enumerate().filter_map(|(at, hit)| hit.map(|rating| mark(100.0 * at as f64, rating)));
        let off = case.false_marks.iter().enumerate().map(|(at, &rating)| mark(-100.0 - at as f64, rating));
        on.chain(off).collect::<Vec<RatedMark>>()
    };
    let mut readers = Vec::new();
    for (modality, arm) in data.modalities().iter().enumerate() {
        for (reader, name) in data.readers().iter().enumerate() {
            let by_case = study.cell(modality, reader).iter().map(|case| case.as_ref().map(marks)).collect();
            readers.push(ReaderMarks { reader: name.clone(), modality: arm.clone(), by_case });
        }
    }
    Observed {
        case: data.cases().iter().map(|case| case.label.clone()).collect(),
        patient: (0..data.cases().len() as u32).collect(),
        patients: data.cases().len(),
        patient_assumed: true,
        truth: data.cases().iter().map(|case| case.diseased).collect(),
        subgroups: Vec::new(),
        device: None,
        readings: None,
        location: Some(Location { lesions: lesions.collect(), marks: None, readers }),
    }
}

/// A modality's own interval uses its own readers' variance and Cov2, so that a pair has the program's rows of all five.
#[test]
fn location_endpoints_of_readers() {
    let Some(expected) = json(&format!("{SET}/expected_rjafroc.json")) else { return };
    let study = study();
    let data = study.highest_ratings();
    let observed = observed(&study);
    let mut protocol = endpoints::study(data, Crossing::FullyCrossed, 1.0);
    let mut tally = Tally::new("location endpoints of readers, RJafroc");
    let fit = &expected["froc"]["wAFROC"];
    let arms = data.modalities();
    for (first, second) in (0..arms.len()).flat_map(|a| (0..arms.len()).map(move |b| (a, b))).filter(|(a, b)| a != b) {
        let pair = [arms[first].clone(), arms[second].clone()];
        let mut declared = endpoints::endpoint(
            pair,
            Measure::WafrocAuc,
            Method::ObuchowskiRockette,
            p::RandomFactors::ReadersAndCases,
        );
        declared.covariance = Some(Covariance::Jackknife);
        declared.acceptance = Some(Acceptance::Distance { radius: 2.0 });
        protocol.endpoints = vec![declared];
        let results = endpoints::analyze(&protocol, &observed);
        let value = |cell: &str, stat: Stat| {
            let found = results.records.iter().find(|r| r.table_id == "T-LOC" && r.cell_id == cell && r.stat == stat);
            found.and_then(|record| record.value).unwrap_or_else(|| panic!("no {cell} {stat:?}"))
        };
        for at in [first, second] {
            let row = &fit["OR_RRRC"]["RRRC"]["ciAvgRdrEachTrt"][at];
            for (stat, field, floor) in [
                (Stat::Est, "Estimate", 1e-6),
                (Stat::Se, "StdErr", 1e-9),
                (Stat::Df, "DF", 1.0),
                (Stat::Lo, "CILower", 1e-3),
                (Stat::Hi, "CIUpper", 1e-3),
            ] {
                let got = value(&format!("e.{}", arms[at]), stat);
                number(&mut tally, &format!("{} {field}", arms[at]), got, &row[field], floor);
            }
        }
        let mean = |at: usize| fit["OR_RRRC"]["RRRC"]["ciAvgRdrEachTrt"][at]["Estimate"].as_f64().expect("a mean");
        tally.close("difference", value("e.diff", Stat::Est), mean(first) - mean(second), 1e-9, 1e-2);
    }
    tally.finish();
    // resamples of readers and cases lie around the estimate, at a rate of false marks too
    let pair = [arms[0].clone(), arms[2].clone()];
    let random = p::RandomFactors::ReadersAndCases;
    let mut declared = endpoints::endpoint(pair, Measure::FrocSensitivity, Method::BootstrapPercentile, random);
    declared.acceptance = Some(Acceptance::Distance { radius: 2.0 });
    declared.fp_per_image = Some(0.2);
    declared.replicates = Some(200);
    protocol.endpoints = vec![declared];
    let results = endpoints::analyze(&protocol, &observed);
    let value = |stat: Stat| {
        let found = results.records.iter().find(|r| r.table_id == "T-LOC" && r.cell_id == "e.diff" && r.stat == stat);
        found.and_then(|record| record.value).expect("a number")
    };
    assert!(value(Stat::Lo) < value(Stat::Est) && value(Stat::Est) < value(Stat::Hi));
    let table = study.figures(&LocationFigure::llf_at(0.2)).expect("lesions");
    let mean = |modality: usize| {
        table.cells.iter().filter(|cell| cell.modality == modality).map(|cell| cell.estimate).sum::<f64>() / 4.0
    };
    assert!((value(Stat::Est) - (mean(0) - mean(2))).abs() < 1e-9);
    // Korean reports name the method in Korean
    for record in results.records.iter().filter(|record| record.table_id == "T-LOC") {
        assert!(covered(&record.method_id).is_some(), "no Korean for ‘{}’", record.method_id);
    }
}
