//! Faults that users met in other tools, each with the right value (closed formula or a reference program).

use crate::support::{Tally, path};
use cadproof::stats::clustered::clustered_auc;
use cadproof::stats::mrmc::obuchowski_rockette::RandomFactors;
use cadproof::stats::mrmc::sizing::{PilotComponents, ReaderStudyPlan, power};
use cadproof::stats::odds::{CellCorrection, Table2x2, odds_ratio};
use cadproof::stats::paired::{PairedDifferenceMethod, PairedTable, mcnemar_exact_p, mcnemar_mid_p, paired_difference};
use cadproof::stats::proportion::{ProportionMethod, proportion};
use cadproof::stats::roc::compare::{CasePlan, resample_curves};
use cadproof::stats::roc::{auc, average_precision, delong, roc_curve};
use cadproof::stats::unpaired::chi_square;

/// pROC#11, #36, #128: the tool guessed which class scores higher and printed 0.8125.
#[test]
fn t01_direction_is_never_turned() {
    let mut tally = Tally::new("T01");
    let (positive, negative) = ([0.1, 0.2, 0.3, 0.7], [0.4, 0.5, 0.6, 0.8]);
    tally.same("auc", auc(&positive, &negative).unwrap(), 0.1875);
    tally.same("delong", delong(&positive, &negative, 0.95).unwrap().auc, 0.1875);
    tally.same("turned by the caller", auc(&positive.map(|s| -s), &negative.map(|s| -s)).unwrap(), 0.8125);
    tally.finish();
}

/// scikit-learn#27412, #30103; tez#27: a subgroup with one class got 0, 0.5, 1 or a crash.
#[test]
fn t02_one_class_is_not_estimable() {
    let mut tally = Tally::new("T02");
    let reason = auc(&[], &[0.1, 0.4, 0.2]).unwrap_err();
    tally.same("code", reason.code, "one_truth_class");
    tally.same("reason", reason.reason.as_str(), "AUC needs both truth classes: n+ = 0, n- = 3");
    tally.same("delong", delong(&[], &[0.1, 0.4, 0.2], 0.95).unwrap_err().code, "one_truth_class");
    tally.same("curve", roc_curve(&[0.1], &[]).unwrap_err().code, "one_truth_class");
    // 3 positives in 200: (197/200)^200 = 4.867 % of unstratified resamples lose the class; 0.3 points are 6 SE of 20,000.
    let negative: Vec<f64> = (0..197).map(|i| f64::from(i) / 197.0).collect();
    let curve = [(&[0.4, 0.8, 0.9][..], &negative[..])];
    let lost = |plan| resample_curves(&curve, plan, 20_000, 1, |c| Ok(c[0].auc)).unwrap().unusable as f64 / 20_000.0;
    tally.close("resamples without a positive", lost(CasePlan::AllCases), 0.04867, 0.003, 1.0);
    tally.same("within truth strata", lost(CasePlan::WithinTruth), 0.0);
    tally.finish();
}

/// scikit-learn#6377, #6065, #7356: ties on the precision–recall curve were joined by a straight line.
#[test]
fn t03_average_precision_of_a_constant_score() {
    let mut tally = Tally::new("T03");
    tally.close("constant", average_precision(&[0.5], &[0.5; 9]).unwrap(), 0.1, 1e-15, 1.0);
    // truth 0 0 1 1, scores .1 .4 .35 .8 (scikit-learn's own example)
    tally.close("example", average_precision(&[0.35, 0.8], &[0.1, 0.4]).unwrap(), 5.0 / 6.0, 1e-15, 1.0);
    tally.finish();
}

/// statsmodels#2609, #2742: exact bounds turned NaN at 0 % and 100 %, and Wald left [0, 1].
#[test]
fn t05_proportion_at_the_ends() {
    let mut tally = Tally::new("T05");
    for (x, n, method, low, high) in [
        (0, 18, ProportionMethod::ClopperPearson, 0.0, 0.18530),
        (18, 18, ProportionMethod::ClopperPearson, 0.81470, 1.0),
        (45, 50, ProportionMethod::ClopperPearson, 0.78186, 0.96672),
        (49, 50, ProportionMethod::ClopperPearson, 0.89353, 0.99949),
        (45, 50, ProportionMethod::Wilson, 0.78640, 0.95652),
    ] {
        let interval = proportion(x, n, method, 0.95).unwrap().interval;
        tally.close(&format!("{x}/{n} lower"), interval.lower, low, 5e-6, 1.0);
        tally.close(&format!("{x}/{n} upper"), interval.upper, high, 5e-6, 1.0);
    }
    let wald = proportion(49, 50, ProportionMethod::Wald, 0.95).unwrap().interval;
    tally.same("Wald 49/50 is cut at 1", wald.upper, 1.0);
    let collapsed = proportion(18, 18, ProportionMethod::Wald, 0.95).unwrap_err();
    tally.same("Wald 18/18", collapsed.code, "wald_zero_width");
    tally.finish();
}

/// statsmodels#7011, maftools#718, jmv#282: 0.5 was added to the empty cell only, or without a word.
#[test]
fn t06_odds_ratio_with_an_empty_cell() {
    let mut tally = Tally::new("T06");
    let table = Table2x2 { a: 14, b: 2, c: 9, d: 0 };
    let corrected = odds_ratio(&table, CellCorrection::HaldaneAnscombe, 0.95).unwrap();
    let interval = corrected.interval.unwrap();
    tally.close("corrected", corrected.estimate, 0.30526, 1e-5, 1.0);
    tally.close("lower", interval.lower, 0.01315, 5e-6, 1.0);
    tally.close("upper", interval.upper, 7.0856, 5e-5, 1.0);
    tally.same("name", corrected.correction.name(), "Haldane–Anscombe, 0.5 added to all four cells");
    tally.same("uncorrected", odds_ratio(&table, CellCorrection::None, 0.95).unwrap().estimate, 0.0);
    tally.finish();
}

/// lm-evaluation-harness#3831, #3835: paired readings compared by a two-sample test.
#[test]
fn t07_paired_readings() {
    let mut tally = Tally::new("T07");
    let table = PairedTable { both: 70, only_a: 12, only_b: 3, neither: 15 };
    tally.close("exact", mcnemar_exact_p(&table), 0.03516, 5e-6, 1.0);
    tally.close("mid-p", mcnemar_mid_p(&table), 0.02127, 5e-6, 1.0);
    let difference = paired_difference(&table, PairedDifferenceMethod::Wald, 0.95).unwrap();
    tally.close("difference", difference.estimate, 0.09, 1e-12, 1.0);
    tally.close("standard error", difference.standard_error, 0.03767, 5e-6, 1.0);
    // What the wrong analysis would say, kept here so that the two cannot be taken for one another.
    let unpaired = chi_square(&Table2x2 { a: 82, b: 18, c: 73, d: 27 }, false).unwrap();
    tally.close("unpaired", unpaired.p, 0.1275, 5e-5, 1.0);
    tally.finish();
}

/// iMRMC#147: rows were lesions and were taken for patients; every lesion stands four times in the file.
#[test]
fn t08_copied_lesions_are_no_new_patients() {
    let Some(file) = path("faults/inputs/t08_clustered_lesions.csv") else { return };
    let mut tally = Tally::new("T08");
    let rows: Vec<(String, u32, u8, f64)> =
        csv::Reader::from_path(file).unwrap().deserialize().map(|row| row.unwrap()).collect();
    let of = |truth: u8, rows: &[&(String, u32, u8, f64)]| -> (Vec<f64>, Vec<u32>) {
        let number = |patient: &str| patient.trim_start_matches('P').parse::<u32>().unwrap();
        rows.iter().filter(|row| row.2 == truth).map(|row| (row.3, number(&row.0))).unzip()
    };
    let all: Vec<_> = rows.iter().collect();
    let one_each: Vec<_> = rows.iter().filter(|row| row.1 == 1).collect();
    tally.same("rows", (all.len(), one_each.len()), (44, 11));
    let ((positive, positive_patient), (negative, negative_patient)) = (of(1, &all), of(0, &all));
    let clustered = clustered_auc(&positive, &positive_patient, &negative, &negative_patient, 0.95).unwrap();
    tally.close("AUC", clustered.auc, 0.866667, 1e-6, 1.0);
    tally.close("SE by patient", clustered.standard_error, 0.117851, 1e-6, 1.0);
    let naive = delong(&positive, &negative, 0.95).unwrap();
    tally.close("SE of rows taken for patients", naive.standard_error, 0.054355, 1e-6, 1.0);
    let (first, second) = (of(1, &one_each).0, of(0, &one_each).0);
    let one_row = delong(&first, &second, 0.95).unwrap();
    tally.close("AUC of one row a patient", one_row.auc, clustered.auc, 1e-12, 1.0);
    tally.close("SE of one row a patient", one_row.standard_error, clustered.standard_error, 1e-12, 1.0);
    tally.finish();
}

/// Power of the Obuchowski–Rockette test from pilot components. The p-value of the same fault stands in `hypothesis.rs`.
#[test]
fn t11_power_of_a_reader_study() {
    let error = 0.0012;
    let pilot = PilotComponents {
        modality_by_reader: 0.0004,
        error,
        cov1: 0.43 * error,
        cov2: 0.36 * error,
        cov3: 0.30 * error,
        cases: 100,
    };
    let mut tally = Tally::new("T11, power");
    for (readers, once, twice) in [(5, 0.458, 0.612), (10, 0.735, 0.903), (15, 0.838, 0.967)] {
        for (cases, want) in [(100, once), (200, twice)] {
            let random = RandomFactors::ReadersAndCases;
            let plan = ReaderStudyPlan { readers, cases, modalities: 2, effect: 0.05, alpha: 0.05, random };
            // the three digits that are known
            let got = power(&pilot, &plan).unwrap().power;
            tally.close(&format!("{readers} readers, {cases} cases"), got, want, 5e-4, 1.0);
        }
    }
    tally.finish();
}
