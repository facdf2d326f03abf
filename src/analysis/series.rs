//! The series behind the figures: curves, points, bins. Wording and axes are the figure room's.

use super::arms::{compared_pair, ratings_by_truth};
use super::observed::{Observed, action_threshold};
use super::results::{
    Figures, ForestFigure, ForestRow, FrocCurve, FrocFigure, HistogramFigure, Record, RocCurve, RocFigure, RocPoint,
    Stat,
};
use super::sheet::significant;
use super::standalone::CaseSet;
use crate::metrics::detection::froc;
use crate::protocol::{HypothesisKind, Measure, Protocol, Subject};
use crate::stats::mrmc::MrmcData;
use crate::stats::mrmc::average_roc::{AverageDirection, average_roc};
use crate::stats::mrmc::fom::Levels;

/// All figures of a study. Numbers in words come from `records`, so that a figure says what the tables say.
pub fn figures(protocol: &Protocol, observed: &Observed, records: &[Record]) -> Figures {
    let mut figures = Figures::default();
    if let Some(device) = &observed.device {
        let cases = CaseSet::of_device(observed, device, &(0..observed.case.len()).collect::<Vec<_>>());
        if let Some(figure) = device_roc(protocol, &cases, records) {
            figures.roc.push(figure);
        }
        let thresholds = protocol.device.operating_point.iter().map(|p| p.threshold).collect();
        let (negative, positive): (Vec<f64>, Vec<f64>) = (scores(&cases.negative), scores(&cases.positive));
        figures.histogram.push(histogram("F-HIST.standalone", "standalone", &negative, &positive, None, thresholds));
    }
    if let Some(data) = &observed.readings {
        reader_rocs(protocol, data, records, &mut figures);
        reader_histograms(protocol, data, &mut figures);
        reader_forest(protocol, data, records, &mut figures);
    }
    subgroup_forest(records, &mut figures);
    if let Some(figure) = froc_figure(protocol, observed) {
        figures.froc.push(figure);
    }
    figures
}

fn scores(scored: &[(usize, f64)]) -> Vec<f64> {
    scored.iter().map(|s| s.1).collect()
}

fn find<'a>(records: &'a [Record], table: &str, cell: &str, stat: Stat) -> Option<&'a Record> {
    records.iter().find(|r| r.table_id == table && r.cell_id == cell && r.stat == stat)
}

/// `0.912 (0.880, 0.944)` as the tables print it, or `NE`.
fn with_interval(records: &[Record], table: &str, cell: &str) -> String {
    let text = |stat| find(records, table, cell, stat).map(|r| r.value_fmt.as_str());
    match (text(Stat::Est), text(Stat::Lo), text(Stat::Hi)) {
        (Some(est), Some(lo), Some(hi)) => format!("{est} ({lo}, {hi})"),
        (Some(est), _, _) => est.to_owned(),
        _ => "NE".to_owned(),
    }
}

fn rounded(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    points.into_iter().map(|(x, y)| (significant(x), significant(y))).collect()
}

fn device_roc(protocol: &Protocol, cases: &CaseSet, records: &[Record]) -> Option<RocFigure> {
    let (positive, negative) = (scores(&cases.positive), scores(&cases.negative));
    if positive.is_empty() || negative.is_empty() {
        return None;
    }
    let share = |values: &[f64], t: f64| values.iter().filter(|&&v| v >= t).count() as f64 / values.len() as f64;
    let points = protocol
        .device
        .operating_point
        .iter()
        .map(|p| RocPoint {
            arm: "standalone".to_owned(),
            label: p.id.clone(),
            is_device: true,
            fpr: significant(share(&negative, p.threshold)),
            tpr: significant(share(&positive, p.threshold)),
        })
        .collect();
    Some(RocFigure {
        id: "F-ROC.standalone".to_owned(),
        curves: vec![RocCurve {
            arm: "standalone".to_owned(),
            label_en: protocol.device.name.en.clone(),
            label_ko: protocol.device.name.ko.clone().unwrap_or_else(|| protocol.device.name.en.clone()),
            points: rounded(Levels::new(&positive, &negative).curve()),
            auc_fmt: with_interval(records, "T-STAND", "auc"),
        }],
        points,
    })
}

/// Mean curve of each arm with the readers' operating points, then each reader's own curves.
fn reader_rocs(protocol: &Protocol, data: &MrmcData, records: &[Record], figures: &mut Figures) {
    let threshold = protocol.design.as_ref().and_then(action_threshold);
    let auc_key = protocol
        .endpoints
        .iter()
        .find(|e| e.subject == Subject::Readers && e.measure == Measure::Auc && e.compare.is_some())
        .map(|e| (super::fom::table_of(e), e.id.clone()));
    let mut mean = RocFigure { id: "F-ROC".to_owned(), curves: Vec::new(), points: Vec::new() };
    for (modality, arm) in data.modalities().iter().enumerate() {
        let (label_en, label_ko) = arm_name(protocol, arm);
        for (reader, name) in data.readers().iter().enumerate() {
            let (diseased, healthy) = ratings_by_truth(data, modality, reader);
            if diseased.is_empty() || healthy.is_empty() {
                continue;
            }
            if let Some(t) = threshold {
                let share = |v: &[f64]| v.iter().filter(|&&r| r >= t).count() as f64 / v.len() as f64;
                mean.points.push(RocPoint {
                    arm: arm.clone(),
                    label: name.clone(),
                    is_device: false,
                    fpr: significant(share(&healthy)),
                    tpr: significant(share(&diseased)),
                });
            }
        }
        // Vertical: the area under the mean curve is the mean of the readers' areas.
        let Ok(average) = average_roc(data, modality, AverageDirection::Vertical) else { continue };
        let auc_fmt = auc_key
            .as_ref()
            .map_or_else(|| "NE".to_owned(), |(table, id)| with_interval(records, table, &format!("{id}.{arm}")));
        mean.curves.push(RocCurve {
            arm: arm.clone(),
            label_en,
            label_ko,
            points: rounded(average.iter().map(|p| (p.fpf, p.tpf)).collect()),
            auc_fmt,
        });
    }
    if !mean.curves.is_empty() {
        figures.roc.push(mean);
    }
    let key = auc_key.map_or_else(|| "auc".to_owned(), |(_, id)| id);
    for (reader, name) in data.readers().iter().enumerate() {
        let mut own = RocFigure { id: format!("F-ROCR.{name}"), curves: Vec::new(), points: Vec::new() };
        for (modality, arm) in data.modalities().iter().enumerate() {
            let (diseased, healthy) = ratings_by_truth(data, modality, reader);
            if diseased.is_empty() || healthy.is_empty() {
                continue;
            }
            let (label_en, label_ko) = arm_name(protocol, arm);
            own.curves.push(RocCurve {
                arm: arm.clone(),
                label_en,
                label_ko,
                points: rounded(Levels::new(&diseased, &healthy).curve()),
                auc_fmt: with_interval(records, "T-RBR", &format!("{key}.{name}.{arm}")),
            });
        }
        if !own.curves.is_empty() {
            figures.roc.push(own);
        }
    }
}

fn arm_name(protocol: &Protocol, arm: &str) -> (String, String) {
    let declared = protocol.design.as_ref().and_then(|d| d.modalities.iter().find(|m| m.id == arm));
    declared.map_or_else(
        || (arm.to_owned(), arm.to_owned()),
        |m| (m.name.en.clone(), m.name.ko.clone().unwrap_or_else(|| m.name.en.clone())),
    )
}

fn reader_histograms(protocol: &Protocol, data: &MrmcData, figures: &mut Figures) {
    let Some(design) = &protocol.design else { return };
    let thresholds: Vec<f64> = design.action_threshold.into_iter().collect();
    // Ratings of a scale that runs the other way were negated when they were read; the figure shows them as given.
    let range = (design.rating_scale.minimum, design.rating_scale.maximum);
    let sign = match design.rating_scale.suspicious {
        crate::protocol::Suspicious::Higher => 1.0,
        crate::protocol::Suspicious::Lower => -1.0,
    };
    for (modality, arm) in data.modalities().iter().enumerate() {
        let (mut positive, mut negative) = (Vec::new(), Vec::new());
        for reading in data.readings().filter(|r| r.modality as usize == modality) {
            if data.cases()[reading.case as usize].diseased { &mut positive } else { &mut negative }
                .push(sign * reading.rating);
        }
        figures.histogram.push(histogram(
            &format!("F-HIST.{arm}"),
            arm,
            &negative,
            &positive,
            Some(range),
            thresholds.clone(),
        ));
    }
}

/// One bin a level for whole-number scales of at most 20 levels, else 20 bins of equal width.
fn histogram(
    id: &str,
    arm: &str,
    negative: &[f64],
    positive: &[f64],
    range: Option<(f64, f64)>,
    thresholds: Vec<f64>,
) -> HistogramFigure {
    const BINS: usize = 20;
    let all = || negative.iter().chain(positive);
    let (low, high) = range.unwrap_or_else(|| {
        let (low, high) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
        // Scores that look like probabilities are shown on the whole scale.
        if low >= 0.0 && high <= 1.0 { (0.0, 1.0) } else { (low, high) }
    });
    let (low, high) = if high > low { (low, high) } else { (low - 0.5, low + 0.5) };
    let whole = all().all(|v| v.fract() == 0.0) && low.fract() == 0.0 && high - low < BINS as f64 && high - low >= 1.0;
    let edges: Vec<f64> = if whole {
        (0..=(high - low) as usize + 1).map(|i| low - 0.5 + i as f64).collect()
    } else {
        (0..=BINS).map(|i| significant(low + (high - low) * i as f64 / BINS as f64)).collect()
    };
    let count = |values: &[f64]| {
        let mut counts = vec![0u64; edges.len() - 1];
        for &value in values {
            let bin = edges.partition_point(|&edge| edge <= value).saturating_sub(1).min(counts.len() - 1);
            counts[bin] += 1;
        }
        counts
    };
    HistogramFigure {
        id: id.to_owned(),
        arm: arm.to_owned(),
        negative: count(negative),
        positive: count(positive),
        edges,
        thresholds,
    }
}

/// Differences of AUC by reader, the mean last; lines at 0 and at the margin.
fn reader_forest(protocol: &Protocol, data: &MrmcData, records: &[Record], figures: &mut Figures) {
    if compared_pair(protocol, data).is_none() {
        return;
    }
    let endpoint = protocol
        .endpoints
        .iter()
        .find(|e| e.subject == Subject::Readers && e.measure == Measure::Auc && e.compare.is_some());
    let key = endpoint.map_or("auc", |e| e.id.as_str());
    let row = |table: &str, cell: &str, label: (String, String), summary: bool| {
        let value = |stat| find(records, table, cell, stat).and_then(|r| r.value);
        ForestRow {
            label_en: label.0,
            label_ko: label.1,
            estimate: match (value(Stat::Est), value(Stat::Lo), value(Stat::Hi)) {
                (Some(est), Some(lo), Some(hi)) => Some((est, lo, hi)),
                _ => None,
            },
            text: with_interval(records, table, cell),
            summary,
        }
    };
    let mut rows: Vec<ForestRow> = data
        .readers()
        .iter()
        .map(|name| row("T-RBR", &format!("{key}.{name}.diff"), (name.clone(), name.clone()), false))
        .collect();
    if let Some(endpoint) = endpoint {
        let label = ("All readers".to_owned(), "전체 판독자".to_owned());
        rows.push(row(super::fom::table_of(endpoint), &format!("{key}.diff"), label, true));
    }
    let mut references = vec![0.0];
    if let Some(hypothesis) = endpoint.and_then(|e| e.hypothesis.as_ref())
        && let Some(margin) = hypothesis.margin
    {
        match hypothesis.kind {
            HypothesisKind::Equivalence => references.extend([-margin, margin]),
            _ => references.push(-margin),
        }
    }
    figures.forest.push(ForestFigure {
        id: "F-FOREST".to_owned(),
        axis_en: "Difference in AUC (test − control)".to_owned(),
        axis_ko: "AUC 차이 (시험 − 대조)".to_owned(),
        rows,
        references,
        log: false,
    });
}

/// The device's AUC by subgroup level.
fn subgroup_forest(records: &[Record], figures: &mut Figures) {
    let rows: Vec<ForestRow> = records
        .iter()
        .filter(|r| r.table_id == "T-SUB" && r.stat == Stat::Est && r.cell_id.ends_with(".auc"))
        .map(|r| {
            let label =
                format!("{} = {}", r.group_var.as_deref().unwrap_or(""), r.group_level.as_deref().unwrap_or(""));
            let value = |stat| find(records, "T-SUB", &r.cell_id, stat).and_then(|r| r.value);
            ForestRow {
                label_en: label.clone(),
                label_ko: label,
                estimate: match (r.value, value(Stat::Lo), value(Stat::Hi)) {
                    (Some(est), Some(lo), Some(hi)) => Some((est, lo, hi)),
                    _ => None,
                },
                text: with_interval(records, "T-SUB", &r.cell_id),
                summary: false,
            }
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    let overall = find(records, "T-STAND", "auc", Stat::Est).and_then(|r| r.value);
    figures.forest.push(ForestFigure {
        id: "F-SUB".to_owned(),
        axis_en: "AUC of the device alone".to_owned(),
        axis_ko: "기기 단독 AUC".to_owned(),
        rows,
        references: overall.into_iter().collect(),
        log: false,
    });
}

fn froc_figure(protocol: &Protocol, observed: &Observed) -> Option<FrocFigure> {
    let matched = super::location::match_all(protocol, observed)?;
    let cases: Vec<_> = matched.iter().collect();
    let curve = froc(&cases).ok()?;
    let mut points = vec![(0.0, 0.0)];
    points.extend(curve.points.iter().map(|p| (p.fp_per_image, p.sensitivity)));
    Some(FrocFigure {
        id: "F-FROC".to_owned(),
        curves: vec![FrocCurve {
            arm: "standalone".to_owned(),
            label_en: protocol.device.name.en.clone(),
            label_ko: protocol.device.name.ko.clone().unwrap_or_else(|| protocol.device.name.en.clone()),
            points: rounded(points),
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_number_scales_get_a_bin_a_level() {
        let figure = histogram("F-HIST.a", "a", &[1.0, 1.0, 2.0], &[5.0], Some((1.0, 5.0)), vec![3.0]);
        assert_eq!(figure.edges, [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]);
        assert_eq!((figure.negative, figure.positive), (vec![2, 1, 0, 0, 0], vec![0, 0, 0, 0, 1]));
    }

    #[test]
    fn every_score_falls_into_a_bin() {
        let scores = [0.0, 0.05, 0.5, 0.999, 1.0];
        let figure = histogram("F-HIST.a", "a", &scores, &[], None, vec![]);
        assert_eq!(figure.negative.iter().sum::<u64>(), 5);
        assert_eq!(figure.negative[19], 2);
    }
}
