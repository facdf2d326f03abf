//! The device alone: calls against truth at each operating point, predictive values, ROC and AUC, no-output cases.

use super::endpoint::{EXPLORATORY_REPLICATES, EndpointResults};
use super::observed::Observed;
use super::sheet::{Estimate, Line, Sheet};
use super::standalone::{self, CaseSet, describe};
use crate::analysis::format::Kind as Printed;
use crate::protocol::{Endpoint, Measure, Method, NoOutputRule, OperatingPoint, Protocol, Subject};
use crate::stats::Estimable;
use crate::stats::diagnostic::Confusion;
use crate::stats::proportion::{ProportionMethod, proportion};

/// Everything that the report says of the device alone. Needs `observed.device`.
pub fn analyze(protocol: &Protocol, observed: &Observed, sheet: &mut Sheet, endpoints: &mut EndpointResults) {
    let Some(device) = &observed.device else { return };
    let cases = CaseSet::of_device(observed, device, &(0..observed.case.len()).collect::<Vec<_>>());
    no_output(protocol, device, sheet);
    if observed.is_clustered() {
        sheet.note(
            "T-STAND",
            "warning",
            format!(
                "{} cases come from {} patients. Intervals named bootstrap, Obuchowski or ratio estimator take the patient \
                 as the unit; binomial intervals (Clopper–Pearson, Wilson, …) and DeLong take each case as independent.",
                observed.case.len(),
                observed.patients
            ),
            format!(
                "증례 {}건은 환자 {}명에서 나왔다. 부트스트랩, Obuchowski, 비 추정량 구간은 환자를 단위로 하며, 이항 \
                 구간(Clopper–Pearson, Wilson 등)과 DeLong 구간은 증례를 독립으로 본다.",
                observed.case.len(),
                observed.patients
            ),
        );
    } else if observed.patient_assumed {
        sheet.note(
            "T-STAND",
            "info",
            "The protocol names no patient column: each case counts as a patient of its own.",
            "계획서에 환자 열이 지정되지 않아 각 증례를 서로 다른 환자로 본다.",
        );
    }

    for (index, point) in protocol.device.operating_point.iter().enumerate() {
        operating_point(protocol, &cases, point, index == 0, sheet, endpoints);
    }
    areas(protocol, &cases, sheet, endpoints);
}

/// T-NOUT: how many cases have no output, and why.
fn no_output(protocol: &Protocol, device: &[Result<f64, String>], sheet: &mut Sheet) {
    let missing = device.iter().filter(|score| score.is_err()).count();
    let all = device.len();
    let line = |cell: String| Line::new("T-NOUT", cell, "standalone", Printed::Count, "count of cases");
    sheet.part(&line("total".to_owned()), missing, all);
    let mut reasons: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for reason in device.iter().filter_map(|score| score.as_ref().err()) {
        *reasons.entry(reason.as_str()).or_insert(0) += 1;
    }
    for (index, (reason, count)) in reasons.into_iter().enumerate() {
        let mut line = line(format!("reason.{}", index + 1));
        line.group = Some(("reason".to_owned(), reason.to_owned()));
        sheet.part(&line, count, all);
    }
    let rule = match protocol.test_set.no_output {
        NoOutputRule::Exclude => (
            "left out of the estimates; the worst case stands beside them",
            "추정에서 제외하고, 최악의 경우를 함께 제시",
        ),
        NoOutputRule::WorstCase => (
            "counted against the device in calls; left out of the AUC",
            "판정에서는 기기에 불리하게 계산하고 AUC에서는 제외",
        ),
    };
    sheet.note(
        "T-NOUT",
        "info",
        format!("{missing} of {all} cases have no device output. Rule fixed in the protocol: {}.", rule.0),
        format!("증례 {all}건 중 {missing}건에서 기기 결과가 없다. 계획서에 정한 규칙: {}.", rule.1),
    );
}

/// T-2x2, T-STAND and T-PV of one operating point.
fn operating_point(
    protocol: &Protocol,
    cases: &CaseSet,
    point: &OperatingPoint,
    first: bool,
    sheet: &mut Sheet,
    endpoints: &mut EndpointResults,
) {
    let prefix = format!("{}.", point.id);
    let worst_case = protocol.test_set.no_output == NoOutputRule::WorstCase;
    let counts = if worst_case { cases.worst_case() } else { cases.clone() }.confusion(point.threshold);
    let method = format!("calls at score ≥ {} ({})", point.threshold, point.id);
    for (cell, n) in [
        ("tp", counts.true_positive),
        ("fp", counts.false_positive),
        ("fn", counts.false_negative),
        ("tn", counts.true_negative),
        ("no_output_pos", cases.missing_positive.len() as u64),
        ("no_output_neg", cases.missing_negative.len() as u64),
    ] {
        let line = Line::new("T-2x2", format!("{prefix}{cell}"), "standalone", Printed::Count, &method);
        sheet.count(&line, n as usize);
    }

    for (cell, measure) in standalone::CALL_MEASURES {
        // The protocol's own method where it declares this measure here, else the exact interval, shown as exploratory.
        let declared = protocol.endpoints.iter().find(|e| {
            e.subject == Subject::Device
                && e.measure == measure
                && (e.operating_point.as_deref() == Some(point.id.as_str()) || (first && e.operating_point.is_none()))
        });
        let default = standalone::default_endpoint(protocol, cases, measure);
        let endpoint = declared.unwrap_or(&default);
        let (estimate, method) = standalone::measure_calls(protocol, cases, endpoint, point.threshold, worst_case);
        let mut line =
            Line::new("T-STAND", format!("{prefix}{cell}"), "standalone", standalone::quantity(measure), &method);
        describe(&mut line, declared, cases);
        sheet.estimate(&line, &estimate);
        if measure == Measure::DiagnosticOddsRatio {
            corrected_odds_ratio(protocol, &counts, &line, &prefix, sheet);
        }
        if let Some(declared) = declared {
            endpoints.put(declared, estimate);
        }
    }
    // A measure that is declared by several methods: the first stands in the measure's own row, each other in its own.
    for endpoint in protocol.endpoints.iter().filter(|e| e.subject == Subject::Device) {
        let here = endpoint.operating_point.as_deref() == Some(point.id.as_str())
            || (first && endpoint.operating_point.is_none());
        if !here || !standalone::is_call_measure(endpoint.measure) || endpoints.get(&endpoint.id).is_some() {
            continue;
        }
        let (estimate, method) = standalone::measure_calls(protocol, cases, endpoint, point.threshold, worst_case);
        let (table, cell) = if super::agreement::is_agreement(endpoint.measure) {
            ("T-KAPPA", format!("device.{}", endpoint.id))
        } else {
            ("T-STAND", format!("{prefix}{}", endpoint.id))
        };
        let mut line = Line::new(table, cell, "standalone", standalone::quantity(endpoint.measure), &method);
        describe(&mut line, Some(endpoint), cases);
        sheet.estimate(&line, &estimate);
        endpoints.put(endpoint, estimate);
    }
    predictive_values(protocol, &counts, &prefix, cases, sheet);
    if cases.missing() > 0 && !worst_case {
        let worst = cases.worst_case().confusion(point.threshold);
        let level = protocol.study.confidence_level;
        for (cell, x, n) in [
            ("worst.sensitivity", worst.true_positive, worst.diseased()),
            ("worst.specificity", worst.true_negative, worst.healthy()),
        ] {
            let line = Line::new(
                "T-NOUT",
                if first { cell.to_owned() } else { format!("{prefix}{cell}") },
                "standalone",
                Printed::Proportion,
                "Clopper–Pearson; every case without output counted as a wrong call",
            );
            sheet.estimate(&line, &proportion_estimate(proportion(x, n, ProportionMethod::ClopperPearson, level)));
        }
    }
}

/// The odds ratio with 0.5 in all four cells, beside the raw one, where a cell is empty.
fn corrected_odds_ratio(protocol: &Protocol, counts: &Confusion, raw: &Line, prefix: &str, sheet: &mut Sheet) {
    let level = protocol.study.confidence_level;
    let found = crate::stats::diagnostic::diagnostic(counts, ProportionMethod::ClopperPearson, level);
    if let Some(corrected) = found.odds_ratio_corrected {
        let mut line = raw.clone();
        line.cell = format!("{prefix}dor_corrected");
        line.endpoint = None;
        line.method = format!("log (Woolf); {}", corrected.correction.name());
        sheet.estimate(&line, &standalone::ratio_estimate(&Ok(corrected)));
    }
}

fn predictive_values(protocol: &Protocol, counts: &Confusion, prefix: &str, cases: &CaseSet, sheet: &mut Sheet) {
    let level = protocol.study.confidence_level;
    let found = crate::stats::diagnostic::diagnostic(counts, ProportionMethod::ClopperPearson, level);
    let share = counts.diseased() as f64 / (counts.diseased() + counts.healthy()).max(1) as f64;
    for (name, value) in [("ppv", found.ppv), ("npv", found.npv)] {
        let mut line = Line::new(
            "T-PV",
            format!("{prefix}study.{name}"),
            "standalone",
            Printed::Proportion,
            "at the prevalence of the test set, which is enriched; Clopper–Pearson",
        );
        line.group = Some(("prevalence".to_owned(), format!("{share:.3}")));
        describe(&mut line, None, cases);
        sheet.estimate(&line, &proportion_estimate(value));
    }
    for &prevalence in &protocol.test_set.prevalences {
        for (name, found) in [
            ("ppv", crate::stats::diagnostic::ppv_at(counts, prevalence, level)),
            ("npv", crate::stats::diagnostic::npv_at(counts, prevalence, level)),
        ] {
            let estimate =
                found.map(|value| Estimate { interval: Some(value.interval), ..Estimate::plain(value.estimate) });
            let method = estimate
                .as_ref()
                .ok()
                .and_then(|e| e.interval)
                .map_or("logit (Mercaldo, Lau & Zhou 2007)", |interval| interval.method);
            let mut line = Line::new(
                "T-PV",
                format!("{prefix}{prevalence}.{name}"),
                "standalone",
                Printed::Proportion,
                &format!("Bayes at prevalence {prevalence}; {method}"),
            );
            line.group = Some(("prevalence".to_owned(), prevalence.to_string()));
            describe(&mut line, None, cases);
            sheet.estimate(&line, &estimate);
        }
    }
}

/// Areas and fixed-point measures: those that the protocol declares, and always the AUC with its method panel.
fn areas(protocol: &Protocol, cases: &CaseSet, sheet: &mut Sheet, endpoints: &mut EndpointResults) {
    let mut auc_shown = false;
    for endpoint in &protocol.endpoints {
        if endpoint.subject != Subject::Device || standalone::is_call_measure(endpoint.measure) {
            continue;
        }
        if standalone::is_location_measure(endpoint.measure) {
            continue;
        }
        let (estimate, method) = standalone::measure_scores(protocol, cases, endpoint);
        let cell = match endpoint.measure {
            Measure::Auc if !auc_shown => {
                auc_shown = true;
                "auc".to_owned()
            }
            _ => endpoint.id.clone(),
        };
        let mut line = Line::new("T-STAND", cell, "standalone", standalone::quantity(endpoint.measure), &method);
        describe(&mut line, Some(endpoint), cases);
        sheet.estimate(&line, &estimate);
        endpoints.put(endpoint, estimate);
    }
    let default = standalone::default_endpoint(protocol, cases, Measure::Auc);
    if !auc_shown {
        let (estimate, method) = standalone::measure_scores(protocol, cases, &default);
        let mut line = Line::new("T-STAND", "auc", "standalone", Printed::Index, &method);
        describe(&mut line, None, cases);
        sheet.estimate(&line, &estimate);
    }
    if let Some(warning) = standalone::below_chance(cases) {
        sheet.note("T-STAND", "warning", warning.0, warning.1);
    }
    for (cell, method) in [
        ("auc.delong", Method::Delong),
        ("auc.logit", Method::Logit),
        ("auc.obuchowski_clustered", Method::ObuchowskiClustered),
        ("auc.bootstrap_percentile", Method::BootstrapPercentile),
        ("auc.bootstrap_bca", Method::BootstrapBca),
    ] {
        let replicates = method.is_bootstrap().then_some(EXPLORATORY_REPLICATES);
        let endpoint = Endpoint { method, replicates, ..default.clone() };
        let (estimate, name) = standalone::measure_scores(protocol, cases, &endpoint);
        let mut line = Line::new("T-METH", cell, "standalone", Printed::Index, &name);
        describe(&mut line, None, cases);
        sheet.estimate(&line, &estimate);
    }
}

fn proportion_estimate(found: Estimable<crate::stats::proportion::Proportion>) -> Estimable<Estimate> {
    found.map(|p| Estimate { interval: Some(p.interval), counts: Some((p.x, p.n)), ..Estimate::plain(p.estimate) })
}
