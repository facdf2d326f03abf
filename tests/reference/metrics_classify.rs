//! Several classes and several labels against scikit-learn, statsmodels and the ISIC 2018 scoring rules, from two sets.

use crate::support::{Tally, json};
use cadproof::metrics::classify::{
    Average, ConfusionMatrix, PairWeights, Tie, Undefined, auc_one_against_rest, auc_pairs, average_auc, brier, calls,
    log_loss, top_k_accuracy,
};
use cadproof::metrics::multilabel::{Labelled, Ranking};
use cadproof::stats::agreement::{Weights, cohen::cohen};
use cadproof::stats::proportion::{ProportionMethod, proportion};
use cadproof::stats::{Estimable, NotEstimable};
use serde_json::Value;

fn matrix(value: &Value) -> Vec<Vec<f64>> {
    let rows = value.as_array().unwrap().iter();
    rows.map(|row| row.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()).collect()
}

fn compare(tally: &mut Tally, what: &str, got: &Estimable<f64>, want: &Value) {
    match (want.as_f64(), got) {
        (Some(want), Ok(got)) => tally.close(what, *got, want, 1e-9, 1e-3),
        (Some(want), Err(reason)) => tally.same(what, reason.to_string(), want.to_string()),
        (None, got) => tally.same(what, got.as_ref().ok().copied(), None),
    }
}

fn list(tally: &mut Tally, what: &str, got: &[Estimable<f64>], want: &Value) {
    let want = want.as_array().unwrap();
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        compare(tally, &format!("{what} {i}"), got, want);
    }
}

const ZERO: Average = Average::Macro(Undefined::Zero);
const SKIP: Average = Average::Macro(Undefined::Skip);
const REFUSE: Average = Average::Macro(Undefined::Refuse);
/// Classes without cases weigh nothing, so what they would contribute does not matter.
const WEIGHTED: Average = Average::Weighted(Undefined::Skip);
const WEIGHTED_ZERO: Average = Average::Weighted(Undefined::Zero);

/// scikit-learn bounds probabilities by the spacing of doubles at 1.
const FLOOR: Option<f64> = Some(f64::EPSILON);

/// scikit-learn prints 0 where nothing can be divided.
fn or_zero(value: Estimable<f64>) -> Estimable<f64> {
    value.or(Ok(0.0))
}

struct Case {
    truth: Vec<usize>,
    scores: Vec<Vec<f64>>,
    confusion: ConfusionMatrix,
    isic: ConfusionMatrix,
}

impl Case {
    fn new(input: &Value) -> Self {
        let truth: Vec<usize> = input["y"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect();
        let scores = matrix(&input["prob"]);
        let of = |tie| ConfusionMatrix::new(scores[0].len(), &truth, &calls(&scores, tie).unwrap()).unwrap();
        let (confusion, isic) = (of(Tie::First), of(Tie::Undecided));
        Self { truth, scores, confusion, isic }
    }

    fn common(&self, tally: &mut Tally, id: &str, want: &Value, prf: [&str; 3]) {
        let Self { truth, scores, confusion, .. } = self;
        let mut one = |key: &str, got: Estimable<f64>| compare(tally, &format!("{id} {key}"), &got, &want[key]);
        one("balanced_accuracy", confusion.balanced_accuracy());
        one("balanced_accuracy_adjusted", confusion.adjusted_balanced_accuracy());
        one("mcc", or_zero(confusion.matthews()));
        one("log_loss", log_loss(truth, scores, FLOOR));
        one("brier_multiclass_sum", brier(truth, scores));
        one("top2_accuracy", top_k_accuracy(truth, scores, 2, Tie::Last));
        one("auc_ovr_macro", average_auc(truth, scores, REFUSE));
        one("auc_ovr_weighted", average_auc(truth, scores, WEIGHTED));
        one("auc_ovo_weighted", auc_pairs(truth, scores, PairWeights::Cases));
        let table: Vec<Vec<f64>> = matrix(&want["confusion_rows_true"]);
        for (got, want) in confusion.table().iter().flatten().zip(table.iter().flatten()) {
            tally.same(&format!("{id} confusion"), *got as f64, *want);
        }
        for (key, average) in prf.into_iter().zip([ZERO, Average::Micro, WEIGHTED_ZERO]) {
            let got = [
                confusion.average_precision(average),
                confusion.average_recall(average),
                confusion.average_f1(average),
            ];
            list(tally, &format!("{id} {key}"), &got, &want[key]);
        }
    }

    fn each(&self, measure: fn(&ConfusionMatrix, usize) -> Estimable<f64>) -> Vec<Estimable<f64>> {
        (0..self.confusion.classes()).map(|class| measure(&self.confusion, class)).collect()
    }

    fn each_or_zero(&self, measure: fn(&ConfusionMatrix, usize) -> Estimable<f64>) -> Vec<Estimable<f64>> {
        self.each(measure).into_iter().map(or_zero).collect()
    }
}

#[test]
fn classes_of_the_first_set() {
    let Some(file) = json("metrics/multiclass.json") else { return };
    let mut tally = Tally::new("multiclass");
    for case in file["cases"].as_array().unwrap() {
        let (id, want) = (case["id"].as_str().unwrap(), &case["expected"]);
        let found = Case::new(&case["input"]);
        let keys = ["macro_precision_recall_f1", "micro_precision_recall_f1", "weighted_precision_recall_f1"];
        found.common(&mut tally, id, want, keys);
        tally.close(
            &format!("{id} accuracy"),
            found.confusion.accuracy(),
            want["accuracy"].as_f64().unwrap(),
            1e-9,
            1e-3,
        );
        for (key, measure) in [
            ("precision", ConfusionMatrix::precision as fn(&ConfusionMatrix, usize) -> Estimable<f64>),
            ("recall", ConfusionMatrix::recall),
            ("f1", ConfusionMatrix::f1),
        ] {
            list(&mut tally, &format!("{id} {key}"), &found.each_or_zero(measure), &want[format!("per_class_{key}")]);
            if let Some(want) = want.get(format!("per_class_{key}_nan_when_absent")) {
                list(&mut tally, &format!("{id} {key} or none"), &found.each(measure), want);
            }
        }
        for (class, want) in want["support"].as_array().unwrap().iter().enumerate() {
            tally.same(&format!("{id} support"), found.confusion.support(class), want.as_u64().unwrap());
        }
        let (truth, scores) = (&found.truth, &found.scores);
        list(
            &mut tally,
            &format!("{id} auc"),
            &auc_one_against_rest(truth, scores).unwrap(),
            &want["auc_ovr_per_class"],
        );
        let pairs = auc_pairs(truth, scores, PairWeights::Equal);
        compare(&mut tally, &format!("{id} ovo"), &pairs, &want["auc_ovo_macro"]);
        compare(&mut tally, &format!("{id} hand till"), &pairs, &want["hand_till_M_over_present_pairs"]);
        let isic = found.isic.balanced_accuracy();
        compare(&mut tally, &format!("{id} isic"), &isic, &want["isic2018_balanced_multiclass_accuracy"]);
        let undecided: u64 = found.isic.undecided().iter().sum();
        tally.same(&format!("{id} undecided"), undecided, want["isic_n_undecided"].as_u64().unwrap());
        for (key, weights) in [
            ("kappa_None", Weights::Unweighted),
            ("kappa_linear", Weights::Linear),
            ("kappa_quadratic", Weights::Quadratic),
        ] {
            // where one side calls a single class the program prints 0 without a variance
            let kappa = or_zero(cohen(found.confusion.table(), weights, 0.95).unwrap().kappa.map(|k| k.estimate));
            compare(&mut tally, &format!("{id} {key}"), &kappa, &want[key]);
        }
    }
    tally.finish();
}

#[test]
fn classes_of_the_second_set() {
    let Some(file) = json("metrics/set_b/multiclass.json") else { return };
    let mut tally = Tally::new("set_b multiclass");
    let cases = file["cases"].as_array().unwrap().iter().filter(|case| case["metric"] == "multiclass");
    for case in cases {
        let (id, want) = (case["id"].as_str().unwrap(), &case["expected"]);
        let found = Case::new(&case["inputs"]);
        found.common(&mut tally, id, want, ["prf_macro", "prf_micro", "prf_weighted"]);
        for (got, want) in calls(&found.scores, Tie::First).unwrap().iter().zip(want["pred"].as_array().unwrap()) {
            tally.same(&format!("{id} call"), got.unwrap() as u64, want.as_u64().unwrap());
        }
        for (key, measure) in [
            ("precision", ConfusionMatrix::precision as fn(&ConfusionMatrix, usize) -> Estimable<f64>),
            ("recall", ConfusionMatrix::recall),
            ("f1", ConfusionMatrix::f1),
        ] {
            list(&mut tally, &format!("{id} {key}"), &found.each_or_zero(measure), &want["per_class"][key]);
        }
        let (truth, scores) = (&found.truth, &found.scores);
        list(
            &mut tally,
            &format!("{id} auc"),
            &auc_one_against_rest(truth, scores).unwrap(),
            &want["auc_per_class_ovr"],
        );
        let micro = average_auc(truth, scores, Average::Micro);
        compare(&mut tally, &format!("{id} micro auc"), &micro, &want["auc_ovr_micro"]);
        let pairs = auc_pairs(truth, scores, PairWeights::Equal);
        compare(&mut tally, &format!("{id} hand till"), &pairs, &want["auc_ovo_macro_hand_till"]);
        let isic = found.isic.balanced_accuracy();
        compare(&mut tally, &format!("{id} isic"), &isic, &want["isic_balanced_accuracy_ties_wrong"]);
        proportions(&mut tally, id, &want["accuracy"]);
        for key in ["per_class_sens_wilson", "per_class_spec_wilson"] {
            want[key].as_array().unwrap().iter().for_each(|want| proportions(&mut tally, id, want));
        }
        for (class, want) in want["per_class_spec_wilson"].as_array().unwrap().iter().enumerate() {
            compare(&mut tally, &format!("{id} specificity"), &found.confusion.specificity(class), &want["est"]);
        }
        for (key, weights) in
            [("none", Weights::Unweighted), ("linear", Weights::Linear), ("quadratic", Weights::Quadratic)]
        {
            let kappa = cohen(found.confusion.table(), weights, 0.95).unwrap().kappa;
            let other = &want["kappa_statsmodels"][key];
            compare(
                &mut tally,
                &format!("{id} kappa {key}"),
                &or_zero(kappa.clone().map(|k| k.estimate)),
                &want["kappa"][key],
            );
            if let Ok(kappa) = kappa {
                compare(&mut tally, &format!("{id} kappa se {key}"), &Ok(kappa.standard_error), &other["std_kappa"]);
            }
        }
    }
    tally.finish();
}

/// The five intervals of a proportion that the file gives.
fn proportions(tally: &mut Tally, id: &str, want: &Value) {
    let (Some(x), Some(n)) = (want["x"].as_u64(), want["n"].as_u64().filter(|n| *n > 0)) else { return };
    for (key, method) in [("wilson", ProportionMethod::Wilson), ("clopper_pearson", ProportionMethod::ClopperPearson)] {
        let found = proportion(x, n, method, 0.95).unwrap().interval;
        for (got, want) in [(found.lower, &want[key][0]), (found.upper, &want[key][1])] {
            compare(tally, &format!("{id} {x}/{n} {key}"), &Ok(got), want);
        }
    }
}

struct Labels {
    truth: Vec<Vec<bool>>,
    scores: Vec<Vec<f64>>,
}

impl Labels {
    fn new(truth: &Value, scores: &Value) -> Self {
        let truth = matrix(truth).iter().map(|row| row.iter().map(|&v| v == 1.0).collect()).collect();
        Self { truth, scores: matrix(scores) }
    }
}

#[test]
fn labels_of_both_sets() {
    let (Some(first), Some(second)) = (json("metrics/multilabel.json"), json("metrics/set_b/multilabel.json")) else {
        return;
    };
    let mut tally = Tally::new("multilabel");
    let mut sets: Vec<(&str, Labels, &Value, [&str; 4])> = Vec::new();
    for case in first["cases"].as_array().unwrap() {
        let labels = Labels::new(&case["input"]["y"], &case["input"]["score"]);
        let keys = ["auc_per_label", "ap_per_label", "auc_macro_nanmean", "at_threshold_ge_0p5"];
        sets.push((case["id"].as_str().unwrap(), labels, &case["expected"], keys));
    }
    for case in second["cases"].as_array().unwrap().iter().filter(|case| case["metric"] == "multilabel") {
        let inputs = case["inputs"].as_object().unwrap();
        let scores = inputs.iter().find(|(key, _)| !key.starts_with('Y')).unwrap().1;
        let labels = Labels::new(&inputs["Y"], scores);
        sets.push((
            case["id"].as_str().unwrap(),
            labels,
            &case["expected"],
            ["auc", "ap", "auc_macro_skipping_undefined", "at_0.5"],
        ));
    }
    for (id, labels, want, [auc, ap, skipping, threshold]) in sets {
        let set = Labelled::new(&labels.truth, &labels.scores).unwrap();
        let precisions: Vec<_> = set.each(Ranking::AveragePrecision).into_iter().map(or_zero).collect();
        list(&mut tally, &format!("{id} auc"), &set.each(Ranking::Auc), &want[auc]);
        list(&mut tally, &format!("{id} ap"), &precisions, &want[ap]);
        let at = set.at_threshold(0.5);
        let (a, p) = (Ranking::Auc, Ranking::AveragePrecision);
        for (key, got) in [
            ("auc_macro", set.average(a, REFUSE)),
            ("auc_macro_sklearn", set.average(a, REFUSE)),
            (skipping, set.average(a, SKIP)),
            ("auc_micro", set.average(a, Average::Micro)),
            ("auc_weighted", set.average(a, WEIGHTED)),
            ("ap_macro", set.average(p, ZERO)),
            ("ap_micro", set.average(p, Average::Micro)),
            ("ap_weighted", set.average(p, WEIGHTED)),
            ("ap_samples", set.by_case(p, Undefined::Zero)),
            ("auc_samples", set.by_case(a, Undefined::Refuse)),
            ("coverage_error", Ok(set.coverage_error())),
            ("lrap", Ok(set.ranking_average_precision())),
            ("ranking_loss", Ok(set.ranking_loss())),
        ] {
            if let Some(want) = want.get(key) {
                compare(&mut tally, &format!("{id} {key}"), &got, want);
            }
        }
        for (key, got) in [
            ("subset_accuracy", Ok(at.subset_accuracy)),
            ("hamming_loss", Ok(at.hamming_loss)),
            ("f1_macro", at.average_f1(ZERO)),
            ("f1_micro", or_zero(at.average_f1(Average::Micro))),
            ("f1_samples", at.f1_by_case(Undefined::Zero)),
            ("jaccard_samples", at.jaccard_by_case(Undefined::Zero)),
        ] {
            if let Some(want) = want[threshold].get(key) {
                compare(&mut tally, &format!("{id} {key}"), &got, want);
            }
        }
    }
    tally.finish();
}

/// An answer that does not exist carries its reason.
#[test]
fn reasons_have_codes() {
    let truth = [0, 0];
    let scores = [vec![0.9, 0.1], vec![0.8, 0.2]];
    let found: NotEstimable = auc_pairs(&truth, &scores, PairWeights::Equal).unwrap_err();
    assert_eq!(found.code, "one_class");
}
