//! Everything a 2×2 diagnostic table gives: accuracy measures of binary calls against truth.

use super::odds::{CellCorrection, Ratio, Table2x2, log_ratio, odds_ratio};
use super::proportion::{Proportion, ProportionMethod, check_level, proportion};
use super::quantiles::norm_multiplier;
use super::unpaired::{Difference, DifferenceMethod, difference};
use super::{Estimable, Interval, NotEstimable};
use serde::Serialize;

/// Counts of calls against truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Confusion {
    pub true_positive: u64,
    pub false_positive: u64,
    pub false_negative: u64,
    pub true_negative: u64,
}

/// A predictive value with an interval on the logit scale.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PredictiveValue {
    pub estimate: f64,
    /// The prevalence it holds for.
    pub prevalence: f64,
    pub interval: Interval,
}

/// All measures; each says for itself when it does not exist.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnostic {
    pub sensitivity: Estimable<Proportion>,
    pub specificity: Estimable<Proportion>,
    /// At the prevalence of the study: TP/(TP + FP).
    pub ppv: Estimable<Proportion>,
    /// At the prevalence of the study: TN/(TN + FN).
    pub npv: Estimable<Proportion>,
    pub accuracy: Estimable<Proportion>,
    /// Sensitivity + specificity − 1, with Newcombe's interval for a difference of independent proportions.
    pub youden: Estimable<Difference>,
    pub lr_positive: Estimable<Ratio>,
    pub lr_negative: Estimable<Ratio>,
    /// As counted.
    pub odds_ratio: Estimable<Ratio>,
    /// With 0.5 in all four cells; given only where a cell is empty, as it is not needed elsewhere.
    pub odds_ratio_corrected: Option<Ratio>,
}

impl Confusion {
    pub fn diseased(&self) -> u64 {
        self.true_positive + self.false_negative
    }

    pub fn healthy(&self) -> u64 {
        self.false_positive + self.true_negative
    }

    fn table(&self) -> Table2x2 {
        Table2x2 { a: self.true_positive, b: self.false_negative, c: self.false_positive, d: self.true_negative }
    }
}

/// Every measure of the table, proportions by `method`, intervals at `level`.
pub fn diagnostic(counts: &Confusion, method: ProportionMethod, level: f64) -> Diagnostic {
    let Confusion { true_positive: tp, false_positive: fp, false_negative: fne, true_negative: tn } = *counts;
    let named = |code: &'static str, needs: &str, x: u64, n: u64| {
        if n == 0 {
            return Err(NotEstimable::new(code, format!("{needs}: none in the data")));
        }
        proportion(x, n, method, level)
    };
    let table = counts.table();
    Diagnostic {
        sensitivity: named("no_diseased", "sensitivity needs diseased cases", tp, tp + fne),
        specificity: named("no_healthy", "specificity needs cases without disease", tn, tn + fp),
        ppv: named("no_positive_call", "PPV needs positive calls", tp, tp + fp),
        npv: named("no_negative_call", "NPV needs negative calls", tn, tn + fne),
        accuracy: proportion(tp + tn, tp + fp + fne + tn, method, level),
        youden: both_classes(counts).and_then(|()| difference(&table, DifferenceMethod::Newcombe, level)),
        lr_positive: likelihood_ratio(counts, tp, fp, level, "LR+"),
        lr_negative: likelihood_ratio(counts, fne, tn, level, "LR−"),
        odds_ratio: both_classes(counts).and_then(|()| odds_ratio(&table, CellCorrection::None, level)),
        odds_ratio_corrected: if table.has_zero_cell() && both_classes(counts).is_ok() {
            odds_ratio(&table, CellCorrection::HaldaneAnscombe, level).ok()
        } else {
            None
        },
    }
}

/// PPV at a declared prevalence p: Se·p / (Se·p + (1 − Sp)(1 − p)).
///
/// Interval on the logit scale with variance (1 − Se)/(Se n₁) + Sp/((1 − Sp) n₀) (Mercaldo, Lau & Zhou 2007, eq. 5).
/// Where Se or 1 − Sp is 0 or 1 the variance does not exist; the interval then uses their adjusted counts
/// (z²/2 added to each cell, the estimate left as it is) and says so in its method.
pub fn ppv_at(counts: &Confusion, prevalence: f64, level: f64) -> Estimable<PredictiveValue> {
    predictive_value(counts, prevalence, level, Sign::Positive)
}

/// NPV at a declared prevalence p: Sp(1 − p) / ((1 − Se)p + Sp(1 − p)); interval as for [`ppv_at`] with variance
/// Se/((1 − Se) n₁) + (1 − Sp)/(Sp n₀).
pub fn npv_at(counts: &Confusion, prevalence: f64, level: f64) -> Estimable<PredictiveValue> {
    predictive_value(counts, prevalence, level, Sign::Negative)
}

#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Positive,
    Negative,
}

fn predictive_value(counts: &Confusion, prevalence: f64, level: f64, sign: Sign) -> Estimable<PredictiveValue> {
    check_level(level)?;
    both_classes(counts)?;
    if !(prevalence > 0.0 && prevalence < 1.0) {
        return Err(NotEstimable::new(
            "prevalence_out_of_range",
            format!("a declared prevalence lies between 0 and 1, not at {prevalence}"),
        ));
    }
    let (n1, n0) = (counts.diseased() as f64, counts.healthy() as f64);
    // What this call means in each class: (share of the class it is right for, share it is wrong for, their sizes, prior odds)
    let (right, right_n, wrong, wrong_n, odds) = match sign {
        Sign::Positive => {
            (counts.true_positive as f64, n1, counts.false_positive as f64, n0, prevalence / (1.0 - prevalence))
        }
        Sign::Negative => {
            (counts.true_negative as f64, n0, counts.false_negative as f64, n1, (1.0 - prevalence) / prevalence)
        }
    };
    if right == 0.0 && wrong == 0.0 {
        let (code, word) =
            if sign == Sign::Positive { ("no_positive_call", "positive") } else { ("no_negative_call", "negative") };
        return Err(NotEstimable::new(code, format!("a predictive value needs {word} calls: none in the data")));
    }
    let weight = right / right_n * odds;
    let estimate = weight / (weight + wrong / wrong_n);
    let z = norm_multiplier(level);
    let boundary = right == 0.0 || right == right_n || wrong == 0.0 || wrong == wrong_n;
    let add = if boundary { 0.5 * z * z } else { 0.0 };
    let (p_right, right_n) = ((right + add) / (right_n + 2.0 * add), right_n + 2.0 * add);
    let (p_wrong, wrong_n) = ((wrong + add) / (wrong_n + 2.0 * add), wrong_n + 2.0 * add);
    let logit = (p_right / p_wrong * odds).ln();
    let se = ((1.0 - p_right) / (p_right * right_n) + (1.0 - p_wrong) / (p_wrong * wrong_n)).sqrt();
    let back = |t: f64| 1.0 / (1.0 + (-t).exp());
    let method = if boundary { "Mercaldo–Lau–Zhou logit, adjusted counts" } else { "Mercaldo–Lau–Zhou logit" };
    let interval = Interval {
        // The estimate is a fact of the data; an adjusted interval must not exclude it.
        lower: back(logit - z * se).min(estimate),
        upper: back(logit + z * se).max(estimate),
        level,
        method,
    };
    Ok(PredictiveValue { estimate, prevalence, interval })
}

/// (x₁/n₁)/(x₀/n₀) with the interval exp(ln LR ± z √(1/x₁ − 1/n₁ + 1/x₀ − 1/n₀)) (Simel, Samsa & Matchar 1991).
fn likelihood_ratio(counts: &Confusion, diseased_x: u64, healthy_x: u64, level: f64, name: &str) -> Estimable<Ratio> {
    check_level(level)?;
    both_classes(counts)?;
    let (n1, n0) = (counts.diseased() as f64, counts.healthy() as f64);
    let (x1, x0) = (diseased_x as f64, healthy_x as f64);
    if x0 == 0.0 {
        return Err(NotEstimable::new(
            "zero_cell",
            format!("{name} divides by zero: {diseased_x} of {n1} diseased and 0 of {n0} without disease"),
        ));
    }
    let log_se = if x1 == 0.0 {
        Err(NotEstimable::new("zero_cell", format!("{name} is 0, so its logarithm has no standard error")))
    } else {
        Ok((1.0 / x1 - 1.0 / n1 + 1.0 / x0 - 1.0 / n0).sqrt())
    };
    Ok(log_ratio((x1 / n1) / (x0 / n0), log_se, level, "log likelihood ratio", CellCorrection::None))
}

fn both_classes(counts: &Confusion) -> Estimable<()> {
    let (n1, n0) = (counts.diseased(), counts.healthy());
    if n1 == 0 || n0 == 0 {
        return Err(NotEstimable::new(
            "one_truth_class",
            format!("both truth classes are needed: n+ = {n1}, n- = {n0}"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: Confusion = Confusion { true_positive: 40, false_positive: 13, false_negative: 5, true_negative: 56 };

    #[test]
    fn predictive_values_at_the_study_prevalence_are_the_plain_ones() {
        let prevalence = 45.0 / 114.0;
        let all = diagnostic(&COUNTS, ProportionMethod::Wilson, 0.95);
        assert!((ppv_at(&COUNTS, prevalence, 0.95).unwrap().estimate - all.ppv.unwrap().estimate).abs() < 1e-14);
        assert!((npv_at(&COUNTS, prevalence, 0.95).unwrap().estimate - all.npv.unwrap().estimate).abs() < 1e-14);
    }

    #[test]
    fn predictive_value_interval_by_hand() {
        // Se = 0.8 of 100, Sp = 0.9 of 200, prevalence 0.1: PPV = 0.08/(0.08 + 0.09), logit variance
        // 0.2/80 + 0.9/20 = 0.0475; NPV = 0.81/0.83, logit variance 0.8/20 + 0.1/180 = 0.0405555….
        let counts = Confusion { true_positive: 80, false_positive: 20, false_negative: 20, true_negative: 180 };
        let ppv = ppv_at(&counts, 0.1, 0.95).unwrap();
        assert!((ppv.estimate - 8.0 / 17.0).abs() < 1e-15);
        let logit = |p: f64| (p / (1.0 - p)).ln();
        let half = 1.959_963_984_540_054 * 0.0475_f64.sqrt();
        assert!((logit(ppv.interval.upper) - logit(8.0 / 17.0) - half).abs() < 1e-12);
        let npv = npv_at(&counts, 0.1, 0.95).unwrap();
        let half = 1.959_963_984_540_054 * (0.04 + 0.1 / 180.0_f64).sqrt();
        assert!((npv.estimate - 81.0 / 83.0).abs() < 1e-15);
        assert!((logit(npv.estimate) - logit(npv.interval.lower) - half).abs() < 1e-12);
    }

    #[test]
    fn perfect_specificity_keeps_an_honest_ppv_interval() {
        let counts = Confusion { false_positive: 0, ..COUNTS };
        let ppv = ppv_at(&counts, 0.02, 0.95).unwrap();
        assert_eq!(ppv.estimate, 1.0);
        assert!(ppv.interval.lower < 0.9 && ppv.interval.method.contains("adjusted"));
        let all = diagnostic(&counts, ProportionMethod::ClopperPearson, 0.95);
        assert_eq!(all.lr_positive.unwrap_err().code, "zero_cell");
        assert_eq!(all.odds_ratio.unwrap_err().code, "zero_cell");
        let corrected = all.odds_ratio_corrected.unwrap();
        assert_eq!(corrected.correction, CellCorrection::HaldaneAnscombe);
    }

    #[test]
    fn a_missing_class_is_named() {
        let counts = Confusion { true_positive: 0, false_negative: 0, ..COUNTS };
        let all = diagnostic(&counts, ProportionMethod::Wilson, 0.95);
        assert_eq!(all.sensitivity.unwrap_err().code, "no_diseased");
        assert!(all.specificity.is_ok());
        assert_eq!(all.youden.unwrap_err().code, "one_truth_class");
        assert_eq!(all.odds_ratio_corrected, None);
        assert_eq!(ppv_at(&COUNTS, 0.0, 0.95).unwrap_err().code, "prevalence_out_of_range");
    }
}
