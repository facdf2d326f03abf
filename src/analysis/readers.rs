//! The reader study: who read what, each reader's figures, the declared comparisons between modalities.

use super::arms::{PairedRating, compared_pair, modality_pair, paired_ratings, ratings_by_truth};
use super::endpoint::EndpointResults;
use super::fom;
use super::observed::{Observed, action_threshold, call_rule};
use super::sheet::{Estimate, Line, Sheet};
use super::standalone::is_location_measure;
use super::{agreement, flips, odds, panel};
use crate::analysis::format::Kind as Printed;
use crate::protocol::{Crossing, Endpoint, Measure, Method, Protocol, Subject};
use crate::report::phrase::korean;
use crate::stats::mrmc::MrmcData;
use crate::stats::mrmc::covariance::CovarianceMethod;
use crate::stats::mrmc::fom::FigureOfMerit;
use crate::stats::mrmc::obuchowski_rockette::{OrOptions, PartlyCrossed, RandomFactors, obuchowski_rockette};
use crate::stats::paired::{PairedDifferenceMethod, PairedTable, mcnemar_exact_p, mcnemar_mid_p, paired_difference};
use crate::stats::proportion::{ProportionMethod, proportion};
use crate::stats::roc;
use crate::stats::{Estimable, NotEstimable};
use std::collections::BTreeMap;

/// Everything that the report says of the readers. Needs `observed.readings` and the protocol's design.
pub fn analyze(protocol: &Protocol, observed: &Observed, sheet: &mut Sheet, endpoints: &mut EndpointResults) {
    let (Some(data), Some(design)) = (&observed.readings, &protocol.design) else { return };
    completeness(protocol, observed, data, sheet);
    by_reader(protocol, data, sheet);
    panel::analyze(protocol, data, sheet);
    flips::analyze(protocol, observed, data, sheet);
    pooled_calls(protocol, data, sheet);
    let rated = |e: &&Endpoint| e.subject == Subject::Readers && !is_location_measure(e.measure);
    for endpoint in protocol.endpoints.iter().filter(rated) {
        match endpoint.measure {
            Measure::OddsRatio => odds::analyze(protocol, design, data, endpoint, sheet, endpoints),
            Measure::Discordance => discordance(protocol, data, endpoint, sheet, endpoints),
            measure if agreement::is_agreement(measure) => {
                agreement::analyze(protocol, design, data, endpoint, sheet, endpoints);
            }
            _ => fom::analyze(protocol, data, endpoint, sheet, endpoints),
        }
    }
}

/// T-COMP and the statement of the design that the readings form.
///
/// A fully crossed design plans every case for every reader in every modality; other designs plan what was begun.
fn completeness(protocol: &Protocol, observed: &Observed, data: &MrmcData, sheet: &mut Sheet) {
    let read: BTreeMap<(String, String), usize> =
        data.grid().into_iter().map(|cell| ((cell.reader, cell.modality), cell.diseased + cell.non_diseased)).collect();
    let crossed = protocol.design.as_ref().filter(|d| d.crossing == Crossing::FullyCrossed);
    let planned: Vec<(String, String)> = match crossed {
        Some(design) => design
            .modalities
            .iter()
            .flat_map(|modality| protocol.readers.iter().map(|reader| (reader.id.clone(), modality.id.clone())))
            .collect(),
        None => read.keys().cloned().collect(),
    };
    let cases = if crossed.is_some() { observed.case.len() } else { data.cases().len() };
    let mut done = 0;
    let all = planned.len() * cases;
    for (reader, modality) in planned {
        let n = read.get(&(reader.clone(), modality.clone())).copied().unwrap_or(0);
        let cell = format!("{reader}.{modality}");
        let mut line = Line::new("T-COMP", cell, &modality, Printed::Count, "count of readings");
        line.set = "FAS";
        line.unit = "reading";
        line.reader = Some(reader);
        sheet.part(&line, n, cases);
        done += n;
    }
    let mut line = Line::new("T-FLOW", "readings", "all", Printed::Count, "count of readings");
    line.set = "FAS";
    line.unit = "reading";
    sheet.part(&line, done, all);
    let found = data.design();
    let deviates = crossed.is_some() && found != crate::stats::mrmc::Design::Factorial;
    let level = if deviates { "warning" } else { "info" };
    let (n1, n0) = data.class_counts();
    sheet.note(
        "T-COMP",
        level,
        format!(
            "Design found in the readings: {}; {} readers, {} modalities, {n1} diseased and {n0} non-diseased cases, {} \
             readings. What was not read stays missing; nothing is filled in.{}",
            found.name(),
            data.readers().len(),
            data.modalities().len(),
            data.len(),
            if deviates { " The protocol declares a fully crossed design: this is a deviation." } else { "" }
        ),
        format!(
            "판독 자료에서 확인된 설계: {}; 판독자 {}명, 비교군 {}개, 양성 증례 {n1}건, 음성 증례 {n0}건, 판독 {}건. \
             판독되지 않은 칸은 결측으로 두며 채우지 않는다.{}",
            korean(found.name()),
            data.readers().len(),
            data.modalities().len(),
            data.len(),
            if deviates { " 계획서는 완전 교차 설계를 정하였으므로 이탈에 해당한다." } else { "" }
        ),
    );
}

/// Row key of a by-reader table: the protocol's endpoint on that measure, else the measure's own name.
fn key_of(protocol: &Protocol, measure: Measure) -> RowKey {
    let endpoint = protocol
        .endpoints
        .iter()
        .find(|e| e.subject == Subject::Readers && e.measure == measure && e.compare.is_some())
        .map(|e| e.id.clone());
    let name = match measure {
        Measure::Sensitivity => "sensitivity",
        Measure::Specificity => "specificity",
        _ => "auc",
    };
    RowKey { cell: endpoint.clone().unwrap_or_else(|| name.to_owned()), endpoint }
}

struct RowKey {
    cell: String,
    endpoint: Option<String>,
}

/// T-RBR: each reader's AUC, and sensitivity and specificity at the action threshold, by modality and as difference.
fn by_reader(protocol: &Protocol, data: &MrmcData, sheet: &mut Sheet) {
    let level = protocol.study.confidence_level;
    let threshold = protocol.design.as_ref().and_then(action_threshold);
    let rule = protocol.design.as_ref().map(call_rule).unwrap_or_default();
    let pair = compared_pair(protocol, data);
    let [auc_key, sensitivity_key, specificity_key] =
        [Measure::Auc, Measure::Sensitivity, Measure::Specificity].map(|measure| key_of(protocol, measure));
    let mut discordant = [Vec::new(), Vec::new()];
    for (reader, name) in data.readers().iter().enumerate() {
        for (modality, arm) in data.modalities().iter().enumerate() {
            let (diseased, healthy) = ratings_by_truth(data, modality, reader);
            if diseased.is_empty() && healthy.is_empty() {
                continue;
            }
            let auc = roc::delong(&diseased, &healthy, level).map(|a| Estimate {
                se: Some(a.standard_error),
                interval: Some(a.interval),
                ..Estimate::plain(a.auc)
            });
            let n = diseased.len() + healthy.len();
            put(sheet, &line_of(name, arm, &auc_key, Printed::Index, "empirical AUC, DeLong interval", n), &auc);
            if let Some(t) = threshold {
                let hits = diseased.iter().filter(|&&r| r >= t).count() as u64;
                let cleared = healthy.iter().filter(|&&r| r < t).count() as u64;
                for (key, x, of) in
                    [(&sensitivity_key, hits, diseased.len() as u64), (&specificity_key, cleared, healthy.len() as u64)]
                {
                    let found = proportion(x, of, ProportionMethod::ClopperPearson, level).map(|p| Estimate {
                        interval: Some(p.interval),
                        counts: Some((p.x, p.n)),
                        ..Estimate::plain(p.estimate)
                    });
                    let method = format!("{rule}; Clopper–Pearson");
                    put(sheet, &line_of(name, arm, key, Printed::Proportion, &method, of as usize), &found);
                }
            }
        }
        if let Some((test, control)) = pair {
            let of_reader = reader_differences(protocol, data, reader, test, control, threshold, sheet);
            for (list, (test_alone, control_alone)) in discordant.iter_mut().zip(of_reader.into_iter().flatten()) {
                list.push(format!("{name} {test_alone}/{control_alone}"));
            }
        }
    }
    let [positive, negative] = discordant.map(|list| list.join(", "));
    if !positive.is_empty() {
        sheet.note(
            "T-RBR",
            "info",
            format!(
                "Discordant readings, test arm alone correct / control arm alone correct. Positive cases: {positive}. \
                 Negative cases: {negative}."
            ),
            format!("불일치 판독(시험군만 정답/대조군만 정답). 양성 증례: {positive}. 음성 증례: {negative}."),
        );
    }
}

/// Gives the discordant readings of the positive and of the negative cases: test arm alone correct, control arm alone.
fn reader_differences(
    protocol: &Protocol,
    data: &MrmcData,
    reader: usize,
    test: usize,
    control: usize,
    threshold: Option<f64>,
    sheet: &mut Sheet,
) -> Option<[(u64, u64); 2]> {
    let level = protocol.study.confidence_level;
    let name = &data.readers()[reader];
    let paired = paired_ratings(data, reader, test, control);
    let split = |diseased: bool| -> (Vec<f64>, Vec<f64>) {
        paired.iter().filter(|p| p.diseased == diseased).map(|p| (p.test, p.control)).unzip()
    };
    let ((test_pos, control_pos), (test_neg, control_neg)) = (split(true), split(false));
    let found = roc::delong_paired(&test_pos, &test_neg, &control_pos, &control_neg, level).map(|d| Estimate {
        se: Some(d.standard_error),
        interval: Some(d.interval),
        df: Some(f64::INFINITY),
        statistic: d.z.as_ref().ok().copied(),
        p: d.p.as_ref().ok().copied(),
        ..Estimate::plain(d.difference)
    });
    let line = line_of(
        name,
        "diff",
        &key_of(protocol, Measure::Auc),
        Printed::Index,
        "DeLong, paired (cases read in both arms)",
        paired.len(),
    );
    put(sheet, &line, &found);
    let t = threshold?;
    let mut discordant = [(0, 0); 2];
    for (measure, diseased) in [(Measure::Sensitivity, true), (Measure::Specificity, false)] {
        let table = correct_table(paired.iter().filter(|p| p.diseased == diseased), t);
        let found = paired_difference(&table, PairedDifferenceMethod::Tango, level).map(|d| Estimate {
            se: Some(d.standard_error),
            interval: Some(d.interval),
            p: Some(mcnemar_exact_p(&table)),
            ..Estimate::plain(d.estimate)
        });
        let method = "Tango score interval; exact McNemar";
        let line = line_of(name, "diff", &key_of(protocol, measure), Printed::Points, method, table.n() as usize);
        put(sheet, &line, &found);
        discordant[usize::from(!diseased)] = (table.only_a, table.only_b);
    }
    Some(discordant)
}

/// T-SESP: readings of all readers together (counts), the readers' mean and its difference between the arms.
fn pooled_calls(protocol: &Protocol, data: &MrmcData, sheet: &mut Sheet) {
    let Some(threshold) = protocol.design.as_ref().and_then(action_threshold) else { return };
    let rule = protocol.design.as_ref().map(call_rule).unwrap_or_default();
    let level = protocol.study.confidence_level;
    let line = |cell: String, arm: &str, printed: Printed, method: &str| {
        let mut line = Line::new("T-SESP", cell, arm, printed, method);
        line.set = "FAS";
        line.unit = "reading";
        line.n = Some(data.cases().len() as u64);
        line
    };
    for (name, diseased) in [("sensitivity", true), ("specificity", false)] {
        let figure =
            if diseased { FigureOfMerit::Sensitivity { threshold } } else { FigureOfMerit::Specificity { threshold } };
        for (modality, arm) in data.modalities().iter().enumerate() {
            let (mut correct, mut all) = (0u64, 0u64);
            for reading in data.readings().filter(|r| r.modality as usize == modality) {
                if data.cases()[reading.case as usize].diseased == diseased {
                    all += 1;
                    correct += u64::from((reading.rating >= threshold) == diseased);
                }
            }
            // Readings of one case are not independent, so the pooled share has counts and no binomial interval.
            let found = if all == 0 {
                Err(NotEstimable::new("empty-denominator", format!("no reading of the class in arm {arm}")))
            } else {
                Ok(Estimate {
                    counts: Some((correct, all)),
                    no_interval: Some(NotEstimable::new(
                        "clustered-readings",
                        "readings of one case by several readers are not independent; the mean's interval below accounts for it",
                    )),
                    ..Estimate::plain(correct as f64 / all as f64)
                })
            };
            let method = format!("all readings together, {rule}");
            put(sheet, &line(format!("{name}.pooled.{arm}"), arm, Printed::Proportion, &method), &found);
        }
        let options = OrOptions {
            fom: figure,
            covariance: CovarianceMethod::Jackknife,
            random: RandomFactors::ReadersAndCases,
            level,
            partly_crossed: PartlyCrossed::Refuse,
        };
        let names = compared_pair(protocol, data)
            .map(|(test, control)| [data.modalities()[test].as_str(), data.modalities()[control].as_str()]);
        let ordered = names.and_then(|pair| {
            data.filter(|row| pair.contains(&data.modalities()[row.modality as usize].as_str()))
                .and_then(|kept| kept.with_modality_order(&pair))
        });
        let (found, arms) = match &ordered {
            Some(two) => (obuchowski_rockette(two, &options), two.modalities()),
            None => (obuchowski_rockette(data, &options), data.modalities()),
        };
        let method = found.as_ref().map_or_else(|_| figure.name(), |f| f.method.clone());
        for arm in arms {
            let mean = found.as_ref().map_err(Clone::clone).and_then(|f| f.means.clone()).and_then(|means| {
                means
                    .iter()
                    .find(|m| &m.modality == arm)
                    .map(super::fom::mean_estimate)
                    .ok_or_else(|| NotEstimable::new("arm-not-read", format!("no reading in arm {arm}")))
            });
            put(sheet, &line(format!("{name}.mean.{arm}"), arm, Printed::Proportion, &method), &mean);
        }
        if ordered.is_some() {
            let difference = found.and_then(|f| f.differences).and_then(|all| {
                all.first()
                    .map(super::fom::difference_estimate)
                    .ok_or_else(|| NotEstimable::new("arm-not-read", "the readings hold one of the two arms only"))
            });
            put(sheet, &line(format!("{name}.mean.diff"), "diff", Printed::Points, &method), &difference);
        }
    }
}

/// Endpoint `discordance`: one reader's table each, since readings of one case by several readers are no independent pairs.
fn discordance(
    protocol: &Protocol,
    data: &MrmcData,
    endpoint: &Endpoint,
    sheet: &mut Sheet,
    endpoints: &mut EndpointResults,
) {
    let level = endpoint.confidence_level.unwrap_or(protocol.study.confidence_level);
    let (Some(threshold), Some((test, control))) = (
        protocol.design.as_ref().and_then(action_threshold),
        endpoint.compare.as_ref().and_then(|pair| modality_pair(data, pair)),
    ) else {
        return;
    };
    let mut only = None;
    for (reader, name) in data.readers().iter().enumerate() {
        let paired = paired_ratings(data, reader, test, control);
        let table = correct_table(paired.iter(), threshold);
        let p = if endpoint.method == Method::MidPMcnemar { mcnemar_mid_p(&table) } else { mcnemar_exact_p(&table) };
        let found = paired_difference(&table, PairedDifferenceMethod::Tango, level).map(|d| Estimate {
            interval: Some(d.interval),
            p: Some(p),
            counts: Some((table.only_a, table.discordant())),
            ..Estimate::plain(d.estimate)
        });
        let test_name = if endpoint.method == Method::MidPMcnemar { "mid-p McNemar" } else { "exact McNemar" };
        let line = line_of(
            name,
            "diff",
            &RowKey { cell: endpoint.id.clone(), endpoint: Some(endpoint.id.clone()) },
            Printed::Points,
            &format!(
                "{test_name} on correct readings; n/N = test arm alone correct / discordant; Tango score interval"
            ),
            table.n() as usize,
        );
        put(sheet, &line, &found);
        only = (data.readers().len() == 1).then_some(found);
    }
    endpoints.put(
        endpoint,
        match only {
            Some(found) => found,
            None => Err(NotEstimable::new(
                "by-reader-only",
                "McNemar's test is given for each reader: readings of one case by several readers are not independent pairs",
            )),
        },
    );
}

/// Correct in the test arm against correct in the control arm.
fn correct_table<'a>(paired: impl Iterator<Item = &'a PairedRating>, threshold: f64) -> PairedTable {
    let mut table = PairedTable { both: 0, only_a: 0, only_b: 0, neither: 0 };
    for p in paired {
        let correct = |rating: f64| (rating >= threshold) == p.diseased;
        match (correct(p.test), correct(p.control)) {
            (true, true) => table.both += 1,
            (true, false) => table.only_a += 1,
            (false, true) => table.only_b += 1,
            (false, false) => table.neither += 1,
        }
    }
    table
}

fn line_of(reader: &str, arm: &str, key: &RowKey, quantity: Printed, method: &str, n: usize) -> Line {
    let mut line = Line::new("T-RBR", format!("{}.{reader}.{arm}", key.cell), arm, quantity, method);
    if let Some(endpoint) = &key.endpoint {
        line.analysis.clone_from(endpoint);
        line.endpoint = Some(endpoint.clone());
    }
    line.set = "FAS";
    line.reader = Some(reader.to_owned());
    line.n = Some(n as u64);
    line
}

fn put(sheet: &mut Sheet, line: &Line, found: &Estimable<Estimate>) {
    sheet.estimate(line, found);
}
