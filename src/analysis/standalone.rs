//! One measure of the device by one method: what both the tables and the subgroups ask for.

use super::device_bootstrap::{bootstrap_of, bootstrapped, resampled, studentised_auc};
use super::endpoint::{declared, method_does_not_fit, replicates, score_figure};
use super::observed::Observed;
use super::sheet::{Estimate, Line};
use crate::analysis::format::Kind as Printed;
use crate::protocol::{Endpoint, Measure, Method, Protocol, Rank, Subject};
use crate::stats::diagnostic::{Confusion, diagnostic};
use crate::stats::mrmc::fom::FigureOfMerit;
use crate::stats::mrmc::resample::{WeightedFom, Weights, figure_left_out, leave_one_out};
use crate::stats::mrmc::{Case, IndexedReading, MrmcData};
use crate::stats::odds::Ratio;
use crate::stats::proportion::{Proportion, ProportionMethod};
use crate::stats::{Estimable, Interval, NotEstimable, bootstrap, clustered, roc};

/// The device's scores of some cases, split by truth. Pairs of (index into the cases of the study, score).
#[derive(Debug, Clone)]
pub struct CaseSet {
    pub positive: Vec<(usize, f64)>,
    pub negative: Vec<(usize, f64)>,
    /// Cases without output.
    pub missing_positive: Vec<usize>,
    pub missing_negative: Vec<usize>,
    /// Patient of each case of the study.
    patient: Vec<u32>,
    clustered: bool,
}

impl CaseSet {
    pub fn of_device(observed: &Observed, device: &[Result<f64, String>], cases: &[usize]) -> Self {
        let mut set = Self {
            positive: Vec::new(),
            negative: Vec::new(),
            missing_positive: Vec::new(),
            missing_negative: Vec::new(),
            patient: observed.patient.clone(),
            clustered: observed.is_clustered(),
        };
        for &case in cases {
            match (&device[case], observed.truth[case]) {
                (Ok(score), true) => set.positive.push((case, *score)),
                (Ok(score), false) => set.negative.push((case, *score)),
                (Err(_), true) => set.missing_positive.push(case),
                (Err(_), false) => set.missing_negative.push(case),
            }
        }
        set
    }

    /// The same cases, each one without output given the score that any threshold calls wrongly.
    pub fn worst_case(&self) -> Self {
        let mut filled = self.clone();
        filled.positive.extend(filled.missing_positive.drain(..).map(|case| (case, f64::MIN)));
        filled.negative.extend(filled.missing_negative.drain(..).map(|case| (case, f64::MAX)));
        filled
    }

    /// Cases without output.
    pub fn missing(&self) -> usize {
        self.missing_positive.len() + self.missing_negative.len()
    }

    /// Calls at score ≥ threshold of the cases with output.
    pub fn confusion(&self, threshold: f64) -> Confusion {
        let called = |cases: &[(usize, f64)]| cases.iter().filter(|c| c.1 >= threshold).count() as u64;
        let (tp, fp) = (called(&self.positive), called(&self.negative));
        Confusion {
            true_positive: tp,
            false_positive: fp,
            false_negative: self.positive.len() as u64 - tp,
            true_negative: self.negative.len() as u64 - fp,
        }
    }

    fn scores(&self) -> (Vec<f64>, Vec<f64>) {
        (self.positive.iter().map(|c| c.1).collect(), self.negative.iter().map(|c| c.1).collect())
    }

    /// As a study of one reader in one modality, so that one bootstrap serves device and readers.
    pub(super) fn as_study(&self) -> Estimable<MrmcData> {
        let mut clusters = std::collections::BTreeMap::new();
        let mut cases = Vec::new();
        let mut readings = Vec::new();
        let labelled = self.positive.iter().map(|c| (c, true)).chain(self.negative.iter().map(|c| (c, false)));
        for ((index, score), diseased) in labelled {
            let next = clusters.len() as u32;
            let cluster = *clusters.entry(self.patient[*index]).or_insert(next);
            readings.push(IndexedReading { reader: 0, case: cases.len() as u32, modality: 0, rating: *score });
            cases.push(Case { label: index.to_string(), diseased, cluster: self.clustered.then_some(cluster) });
        }
        MrmcData::new(vec!["device".to_owned()], vec!["standalone".to_owned()], cases, &readings)
            .map_err(|error| NotEstimable::new("no-scores", error.to_string()))
    }

    /// What a bootstrap draws, in words.
    pub(super) fn drawn(&self) -> &'static str {
        if self.clustered { "patients within truth strata" } else { "cases within truth strata" }
    }
}

/// Gives a line of the device's tables its endpoint, n and exclusions.
pub fn describe(line: &mut Line, endpoint: Option<&Endpoint>, cases: &CaseSet) {
    if let Some(endpoint) = endpoint {
        line.endpoint = Some(endpoint.id.clone());
        line.analysis = endpoint.id.clone();
    }
    line.n = Some((cases.positive.len() + cases.negative.len()) as u64);
    line.excluded = cases.missing() as u64;
}

/// The measures that rest on calls at an operating point, with their cell names.
pub const CALL_MEASURES: [(&str, Measure); 8] = [
    ("sensitivity", Measure::Sensitivity),
    ("specificity", Measure::Specificity),
    ("ppv", Measure::Ppv),
    ("npv", Measure::Npv),
    ("accuracy", Measure::Accuracy),
    ("lr_pos", Measure::LikelihoodRatioPositive),
    ("lr_neg", Measure::LikelihoodRatioNegative),
    ("dor", Measure::DiagnosticOddsRatio),
];

pub fn is_call_measure(measure: Measure) -> bool {
    CALL_MEASURES.iter().any(|(_, m)| *m == measure) || super::agreement::is_agreement(measure)
}

pub fn is_location_measure(measure: Measure) -> bool {
    matches!(measure, Measure::FrocSensitivity | Measure::WafrocAuc)
}

/// How a measure's values are printed.
pub fn quantity(measure: Measure) -> Printed {
    crate::analysis::format::kind_of(measure, super::results::Stat::Est, false)
}

/// What is computed where the protocol declares no endpoint: the exact or log interval, DeLong's, or Obuchowski's where
/// patients have several cases. Shown as exploratory.
pub fn default_endpoint(protocol: &Protocol, cases: &CaseSet, measure: Measure) -> Endpoint {
    Endpoint {
        id: "descriptive".to_owned(),
        rank: Rank::Exploratory,
        measure,
        label: None,
        subject: Subject::Device,
        modality: None,
        compare: None,
        operating_point: None,
        method: match measure {
            Measure::Auc if cases.clustered => Method::ObuchowskiClustered,
            Measure::Auc => Method::Delong,
            Measure::LikelihoodRatioPositive | Measure::LikelihoodRatioNegative | Measure::DiagnosticOddsRatio => {
                Method::Log
            }
            _ => Method::ClopperPearson,
        },
        covariance: None,
        random: None,
        confidence_level: Some(protocol.study.confidence_level),
        replicates: None,
        range: None,
        slope: None,
        form: None,
        fp_per_image: None,
        acceptance: None,
        hypothesis: None,
    }
}

/// A measure of calls at one threshold, and its method in words.
pub fn measure_calls(
    protocol: &Protocol,
    cases: &CaseSet,
    endpoint: &Endpoint,
    threshold: f64,
    worst_case: bool,
) -> (Estimable<Estimate>, String) {
    let level = endpoint.confidence_level.unwrap_or(protocol.study.confidence_level);
    let filled = worst_case.then(|| cases.worst_case());
    let cases = filled.as_ref().unwrap_or(cases);
    let counts = cases.confusion(threshold);
    if is_bootstrap(endpoint.method) {
        let of_counts = |counts: Confusion| {
            if super::agreement::is_agreement(endpoint.measure) {
                return super::agreement::value_of_calls(endpoint, call_table(&counts));
            }
            call_value(endpoint.measure, counts)
        };
        let of_weights = |study: &MrmcData, weights: &Weights| of_counts(weighted_confusion(study, weights, threshold));
        let left_out = |study: &MrmcData| calls_left_out(study, threshold, of_counts);
        let (mut found, method) = bootstrapped(protocol, cases, endpoint, level, of_weights, left_out);
        if let Ok(found) = &mut found {
            found.counts = part_and_whole(endpoint.measure, &counts);
        }
        return (found, method);
    }
    if super::agreement::is_agreement(endpoint.measure) {
        return super::agreement::of_calls(endpoint, call_table(&counts), level);
    }
    if endpoint.method == Method::ObuchowskiClustered {
        return clustered_calls(cases, endpoint.measure, threshold, level);
    }
    let Some(method) = proportion_method(endpoint.method) else {
        // Ratios take their interval on the log scale whatever the proportions use.
        if endpoint.method != Method::Log {
            return (Err(method_does_not_fit(endpoint)), declared(&endpoint.method));
        }
        let all = diagnostic(&counts, ProportionMethod::ClopperPearson, level);
        let (found, name) = match endpoint.measure {
            Measure::LikelihoodRatioPositive => (all.lr_positive, "log (Simel, Samsa & Matchar 1991)"),
            Measure::LikelihoodRatioNegative => (all.lr_negative, "log (Simel, Samsa & Matchar 1991)"),
            Measure::DiagnosticOddsRatio => (all.odds_ratio, "log (Woolf 1955), no correction"),
            _ => return (Err(method_does_not_fit(endpoint)), declared(&endpoint.method)),
        };
        return (ratio_estimate(&found), name.to_owned());
    };
    let all = diagnostic(&counts, method, level);
    let found = match endpoint.measure {
        Measure::Sensitivity => all.sensitivity,
        Measure::Specificity => all.specificity,
        Measure::Ppv => all.ppv,
        Measure::Npv => all.npv,
        Measure::Accuracy => all.accuracy,
        _ => return (Err(method_does_not_fit(endpoint)), declared(&endpoint.method)),
    };
    (proportion_estimate(found), format!("{} interval, cases independent", method.name()))
}

fn proportion_method(method: Method) -> Option<ProportionMethod> {
    Some(match method {
        Method::ClopperPearson => ProportionMethod::ClopperPearson,
        Method::Wilson => ProportionMethod::Wilson,
        Method::AgrestiCoull => ProportionMethod::AgrestiCoull,
        Method::Jeffreys => ProportionMethod::JeffreysModified,
        Method::MidP => ProportionMethod::MidP,
        Method::Logit => ProportionMethod::Logit,
        _ => return None,
    })
}

fn proportion_estimate(found: Estimable<Proportion>) -> Estimable<Estimate> {
    found.map(|p| Estimate { interval: Some(p.interval), counts: Some((p.x, p.n)), ..Estimate::plain(p.estimate) })
}

pub fn ratio_estimate(found: &Estimable<Ratio>) -> Estimable<Estimate> {
    let found = found.clone()?;
    if !found.estimate.is_finite() {
        return Err(NotEstimable::new("infinite-ratio", "a zero in the denominator: the ratio is infinite as counted"));
    }
    let (interval, no_interval) = match found.interval {
        Ok(interval) => (Some(interval), None),
        Err(reason) => (None, Some(reason)),
    };
    Ok(Estimate { interval, no_interval, ..Estimate::plain(found.estimate) })
}

/// A measure of the scores themselves: AUC, partial area, a fixed point of the curve.
pub fn measure_scores(protocol: &Protocol, cases: &CaseSet, endpoint: &Endpoint) -> (Estimable<Estimate>, String) {
    let level = endpoint.confidence_level.unwrap_or(protocol.study.confidence_level);
    let (positive, negative) = cases.scores();
    let fom = match score_figure(endpoint) {
        Ok(fom) => fom,
        Err(reason) => return (Err(reason), declared(&endpoint.method)),
    };
    if is_bootstrap(endpoint.method) {
        if endpoint.method == Method::BootstrapStudentised {
            return studentised_auc(protocol, cases, endpoint, level);
        }
        // A study without scores has no figure of merit; the reason is the figure's own.
        if let Err(reason) = fom.estimate(&positive, &negative) {
            return (Err(reason), fom.name());
        }
        let (found, name) = match cases.as_study() {
            Ok(study) => {
                let weighted = WeightedFom::new(&study, fom);
                let of_weights = |_: &MrmcData, weights: &Weights| weighted.of_cell(0, 0, weights);
                // Where some reduced figure does not exist, the others are taken one by one.
                let left_out = |study: &MrmcData| {
                    figure_left_out(study, fom)
                        .unwrap_or_else(|_| leave_one_out(study, |weights| weighted.of_cell(0, 0, weights)))
                };
                if fom == FigureOfMerit::EmpiricalAuc && !cases.clustered {
                    // Levels counted once serve every resample of independent cases.
                    let drawn = replicates(endpoint).and_then(|replicates| {
                        bootstrap::stratified_auc(&positive, &negative, replicates, protocol.study.seed)
                    });
                    let found = drawn.map(|drawn| resampled(endpoint, level, &drawn, || left_out(&study)));
                    (found, bootstrap_of(cases, endpoint))
                } else {
                    bootstrapped(protocol, cases, endpoint, level, of_weights, left_out)
                }
            }
            Err(reason) => (Err(reason), "bootstrap".to_owned()),
        };
        return (found, format!("{}, {name}", fom.name()));
    }
    if fom != FigureOfMerit::EmpiricalAuc {
        return (Err(method_does_not_fit(endpoint)), declared(&endpoint.method));
    }
    match endpoint.method {
        Method::Delong => (
            roc::delong(&positive, &negative, level).map(|a| auc_estimate(a.auc, a.standard_error, a.interval)),
            "empirical AUC, DeLong (1988) interval, cut to 0..1".to_owned(),
        ),
        Method::Logit => (
            roc::delong_logit(&positive, &negative, level).map(|a| auc_estimate(a.auc, a.standard_error, a.interval)),
            "empirical AUC, DeLong variance, interval on the logit scale".to_owned(),
        ),
        Method::ObuchowskiClustered => {
            let of = |set: &[(usize, f64)]| set.iter().map(|&(case, _)| cases.patient[case]).collect::<Vec<_>>();
            let found =
                clustered::clustered_auc(&positive, &of(&cases.positive), &negative, &of(&cases.negative), level);
            (
                found.map(|a| auc_estimate(a.auc, a.standard_error, a.interval)),
                "empirical AUC, Obuchowski (1997) variance for clustered data, patient = cluster".to_owned(),
            )
        }
        _ => (Err(method_does_not_fit(endpoint)), declared(&endpoint.method)),
    }
}

fn auc_estimate(auc: f64, se: f64, interval: Interval) -> Estimate {
    Estimate { se: Some(se), interval: Some(interval), ..Estimate::plain(auc) }
}

/// A warning where the AUC lies below one half: it is shown as it is, never turned round.
pub fn below_chance(cases: &CaseSet) -> Option<(String, String)> {
    let (positive, negative) = cases.scores();
    let auc = roc::auc(&positive, &negative).ok()?;
    (auc < 0.5).then(|| {
        (
            format!(
                "AUC {auc:.3} lies below 0.5: with the declared direction (higher score = more suspicious) the device does \
                 worse than chance. It is shown as it is; the direction is never turned round."
            ),
            format!(
                "AUC {auc:.3}은(는) 0.5보다 작다. 정해진 방향(점수가 높을수록 의심)에서 기기가 우연보다 못하다. 값은 그대로 \
                 제시하며 방향을 바꾸지 않는다."
            ),
        )
    })
}

// ---- bootstrap ---------------------------------------------------------------------------------------------------

fn is_bootstrap(method: Method) -> bool {
    method.is_bootstrap()
}

fn weighted_confusion(study: &MrmcData, weights: &Weights, threshold: f64) -> Confusion {
    let mut counts = Confusion { true_positive: 0, false_positive: 0, false_negative: 0, true_negative: 0 };
    let cell = study.cell(0, 0);
    for (&case, &score) in cell.cases.iter().zip(cell.ratings) {
        let weight = u64::from(weights.case[case as usize]);
        match (study.cases()[case as usize].diseased, score >= threshold) {
            (true, true) => counts.true_positive += weight,
            (true, false) => counts.false_negative += weight,
            (false, true) => counts.false_positive += weight,
            (false, false) => counts.true_negative += weight,
        }
    }
    counts
}

/// A value of calls without each patient (or case that is a patient of its own). Values that do not exist are left out.
fn calls_left_out(study: &MrmcData, threshold: f64, value: impl Fn(Confusion) -> Estimable<f64>) -> Vec<f64> {
    let mut all = [0u64; 4];
    let mut of_unit: std::collections::BTreeMap<(bool, u32), [u64; 4]> = std::collections::BTreeMap::new();
    let cell = study.cell(0, 0);
    for (&case, &score) in cell.cases.iter().zip(cell.ratings) {
        let Case { diseased, cluster, .. } = &study.cases()[case as usize];
        let place = usize::from(*diseased) * 2 + usize::from(score >= threshold);
        all[place] += 1;
        of_unit.entry(cluster.map_or((false, case), |cluster| (true, cluster))).or_default()[place] += 1;
    }
    let without = |unit: &[u64; 4]| {
        value(Confusion {
            true_negative: all[0] - unit[0],
            false_positive: all[1] - unit[1],
            false_negative: all[2] - unit[2],
            true_positive: all[3] - unit[3],
        })
    };
    of_unit.values().filter_map(|unit| without(unit).ok().filter(|value| value.is_finite())).collect()
}

/// Device (rows: negative, positive call) against truth.
fn call_table(counts: &Confusion) -> [[u64; 2]; 2] {
    [[counts.true_negative, counts.false_negative], [counts.false_positive, counts.true_positive]]
}

/// The plain value of a measure of calls.
fn call_value(measure: Measure, counts: Confusion) -> Estimable<f64> {
    let Confusion { true_positive: tp, false_positive: fp, false_negative: fne, true_negative: tn } = counts;
    let ratio = |a: f64, b: f64| {
        if b == 0.0 {
            Err(NotEstimable::new("empty-denominator", format!("{} has a zero denominator", declared(&measure))))
        } else {
            Ok(a / b)
        }
    };
    let (tp, fp, fne, tn) = (tp as f64, fp as f64, fne as f64, tn as f64);
    match measure {
        Measure::Sensitivity => ratio(tp, tp + fne),
        Measure::Specificity => ratio(tn, tn + fp),
        Measure::Ppv => ratio(tp, tp + fp),
        Measure::Npv => ratio(tn, tn + fne),
        Measure::Accuracy => ratio(tp + tn, tp + fp + fne + tn),
        Measure::LikelihoodRatioPositive => ratio(tp * (tn + fp), (tp + fne) * fp),
        Measure::LikelihoodRatioNegative => ratio(fne * (tn + fp), (tp + fne) * tn),
        Measure::DiagnosticOddsRatio => ratio(tp * tn, fp * fne),
        other => Err(NotEstimable::new("no-call-measure", format!("{} does not rest on calls", declared(&other)))),
    }
}

/// Numerator and denominator of a proportion of calls.
fn part_and_whole(measure: Measure, counts: &Confusion) -> Option<(u64, u64)> {
    let Confusion { true_positive: tp, false_positive: fp, false_negative: fne, true_negative: tn } = *counts;
    match measure {
        Measure::Sensitivity => Some((tp, tp + fne)),
        Measure::Specificity => Some((tn, tn + fp)),
        Measure::Ppv => Some((tp, tp + fp)),
        Measure::Npv => Some((tn, tn + fne)),
        Measure::Accuracy => Some((tp + tn, tp + fp + fne + tn)),
        _ => None,
    }
}

/// Proportions by the ratio estimator, patients as clusters.
fn clustered_calls(cases: &CaseSet, measure: Measure, threshold: f64, level: f64) -> (Estimable<Estimate>, String) {
    let method = "ratio estimator for clustered binary data, patient = cluster".to_owned();
    // (patient, counts in the denominator, counts in the numerator)
    let mut of_patient: std::collections::BTreeMap<u32, (u64, u64)> = std::collections::BTreeMap::new();
    let labelled = cases.positive.iter().map(|c| (c, true)).chain(cases.negative.iter().map(|c| (c, false)));
    for (&(case, score), diseased) in labelled {
        let called = score >= threshold;
        let (in_denominator, in_numerator) = match measure {
            Measure::Sensitivity => (diseased, called),
            Measure::Specificity => (!diseased, !called),
            Measure::Ppv => (called, diseased),
            Measure::Npv => (!called, !diseased),
            Measure::Accuracy => (true, called == diseased),
            other => {
                return (
                    Err(NotEstimable::new(
                        "method-does-not-fit",
                        format!("{} has no ratio-estimator interval", declared(&other)),
                    )),
                    method,
                );
            }
        };
        if in_denominator {
            let entry = of_patient.entry(cases.patient[case]).or_insert((0, 0));
            entry.1 += 1;
            entry.0 += u64::from(in_numerator);
        }
    }
    let clusters: Vec<(u64, u64)> = of_patient.into_values().collect();
    let found = clustered::clustered_proportion(&clusters, level).map(|p| Estimate {
        se: Some(p.standard_error),
        interval: Some(p.interval),
        counts: Some((clusters.iter().map(|c| c.0).sum(), clusters.iter().map(|c| c.1).sum())),
        ..Estimate::plain(p.estimate)
    });
    (found, method)
}
