//! A small results file made by hand: no study gave these numbers. It holds what a report must survive: numbers that do not exist,
//! Korean text, and names full of characters that mean something to HTML, SVG and CSV.

use cadproof::analysis::results::*;
use cadproof::protocol::Protocol;

pub const HOSTILE: &str = "<시험> & \"#";

pub fn reader_study() -> (Protocol, Results) {
    (protocol(&study("reader-study", "classification", READERS)), reader_results())
}

pub fn standalone() -> (Protocol, Results) {
    (protocol(&study("standalone", "detection", ALONE)), standalone_results())
}

fn protocol(text: &str) -> Protocol {
    toml::from_str(text).expect("the golden protocol is valid")
}

fn study(kind: &str, task: &str, rest: &str) -> String {
    format!("{HEAD}kind = \"{kind}\"\ntask = \"{task}\"\n{DEVICE}{rest}")
}

const HEAD: &str = r##"
[study]
id = "GOLD-1"
title = { en = "Golden study <시험> & \"#", ko = "골든 시험 <시험> & \"#" }
version = "1.2"
date = "2026-01-05"
seed = 7
protocol_id = "GOLD-P-01"
sponsor = "Maker & Sons"
purpose = { en = "Shows what a report must survive.", ko = "보고서가 견뎌야 할 것을 보인다." }
phase = "confirmatory"
direction = "retrospective"
disclaimer = { en = "The numbers were made by hand.", ko = "이 수치는 손으로 만든 것이다." }
"##;

const DEVICE: &str = r##"
[device]
name = { en = "Gold CAD", ko = "골드 캐드" }
version = "3.1"
manufacturer = { en = "Maker & Sons", ko = "메이커" }
intended_use = { en = "Marks suspicious areas.", ko = "의심 부위를 표시한다." }
kind = "CADe/x"
class = "2"
limitations = [{ en = "Not for children.", ko = "소아에는 쓰지 않는다." }]
[[device.operating_point]]
id = "op1"
threshold = 0.5
rationale = { en = "Tuning set.", ko = "튜닝 데이터셋." }
fixed_on = "2025-12-01"

[test_set]
cases = "cases.csv"
positive = "cancer"
negative = ["benign", "normal"]
subgroups = ["site"]
prevalences = [0.01]
source = { en = "Two sites.", ko = "두 기관." }
reference_standard = { en = "Histology.", ko = "조직검사." }
inclusion = [{ en = "Adults.", ko = "성인." }]
exclusion = [{ en = "Motion artefacts.", ko = "움직임 인공물." }]
"##;

const READERS: &str = r##"
[[irb]]
site = "S1"
committee = "IRB of S1"
approval_number = "2025-001"
approved_on = "2025-10-01"
consent = { en = "Waived.", ko = "면제." }

[design]
crossing = "fully-crossed"
action_threshold = 60
washout_days = 30
rating_scale = { minimum = 0, maximum = 100, suspicious = "higher" }
[[design.modality]]
id = "unaided"
name = { en = "Unaided", ko = "단독 판독" }
[[design.modality]]
id = "aided"
name = { en = "Aided", ko = "AI 병용 판독" }

[[reader]]
id = "R1"
specialty = { en = "Radiology", ko = "영상의학과" }
years = 12
board_certified = true
site = "S1"
[[reader]]
id = "<시험> & \"#"

[[endpoint]]
id = "auc"
rank = "primary"
measure = "auc"
label = { en = "Reader-averaged AUC", ko = "판독자 평균 AUC" }
subject = "readers"
compare = ["aided", "unaided"]
method = "obuchowski-rockette"
hypothesis = { kind = "non-inferiority", margin = 0.05, alpha = 0.05, sides = "two" }
[[endpoint]]
id = "sens"
rank = "secondary"
measure = "sensitivity"
subject = "readers"
compare = ["aided", "unaided"]
method = "obuchowski-rockette"
"##;

const ALONE: &str = r##"
[[endpoint]]
id = "sens"
rank = "primary"
measure = "sensitivity"
subject = "device"
operating_point = "op1"
method = "clopper-pearson"
hypothesis = { kind = "performance-goal", goal = 0.8, alpha = 0.025, sides = "one" }
"##;

/// A line of a table: cell, arm, endpoint, statistics with their texts; `NE` gets a reason.
struct Lines {
    records: Vec<Record>,
}

impl Lines {
    fn add(&mut self, table: &str, cell: &str, arm: &str, endpoint: Option<&str>, stats: &[(Stat, &str)]) -> &mut Self {
        for &(stat, text) in stats {
            let name = serde_json::to_value(stat).unwrap().as_str().unwrap().to_owned();
            let missing = text == "NE";
            let number = text.trim_end_matches("%p").trim_end_matches('%').trim_start_matches('<').replace('−', "-");
            self.records.push(Record {
                ard_id: format!("{table}/{cell}/{name}"),
                table_id: table.to_owned(),
                cell_id: cell.to_owned(),
                analysis_id: endpoint.unwrap_or("descriptive").to_owned(),
                set: "FAS".to_owned(),
                endpoint_id: endpoint.map(str::to_owned),
                arm: arm.to_owned(),
                unit: "case".to_owned(),
                group_var: None,
                group_level: None,
                reader_id: None,
                stat,
                value: if missing { None } else { Some(number.parse().unwrap()) },
                value_fmt: text.to_owned(),
                method_id: "Method made by hand (2026)".to_owned(),
                prespecified: endpoint.is_some(),
                level: matches!(stat, Stat::Lo | Stat::Hi).then_some(0.95),
                n: Some(40),
                n_excluded: 0,
                seed: None,
                not_estimable: missing.then(|| Reason {
                    code: "one-class".to_owned(),
                    reason: "AUC needs both truth classes: n+ = 0, n− = 3".to_owned(),
                }),
                input_hash: "00".to_owned(),
                code_version: "0.1.0".to_owned(),
            });
        }
        self
    }

    fn group(&mut self, var: &str, level: &str) {
        let cell = self.records.last().unwrap().cell_id.clone();
        for record in self.records.iter_mut().filter(|r| r.cell_id == cell) {
            record.group_var = Some(var.to_owned());
            record.group_level = Some(level.to_owned());
        }
    }

    fn reader(&mut self, reader: &str) {
        let cell = self.records.last().unwrap().cell_id.clone();
        for record in self.records.iter_mut().filter(|r| r.cell_id == cell) {
            record.reader_id = Some(reader.to_owned());
        }
    }
}

fn stamp() -> Stamp {
    Stamp {
        tool_version: "0.1.0".to_owned(),
        study: "GOLD-1".to_owned(),
        protocol_version: "1.2".to_owned(),
        protocol_hash: "a1b2c3d4e5f6".repeat(5) + "abcd",
        lock_root: "0f1e2d3c4b5a".repeat(5) + "9876",
        model_hash: Some("deadbeef".repeat(8)),
        predictions_hash: None,
        readings_hash: None,
        seed: 7,
        amendments: vec![AmendmentStamp {
            date: "2026-01-20".to_owned(),
            why: "A typing fault in <시험> & \"#".to_owned(),
            files: vec!["study.toml".to_owned()],
            hash: "77".repeat(32),
        }],
        run: Some(RunStamp {
            engine: "tract".to_owned(),
            engine_version: "0.23.9".to_owned(),
            threads: 2,
            cpu: "x86_64".to_owned(),
            batch: 1,
            cases: 40,
            no_output: 1,
        }),
        ledger: vec![LedgerStamp {
            date: "2026-02-01".to_owned(),
            command: "run".to_owned(),
            purpose: "final".to_owned(),
            model_hash: None,
        }],
    }
}

fn results(lines: Lines, figures: Figures, conclusions: Vec<Conclusion>) -> Results {
    Results {
        schema: 1,
        stamp: stamp(),
        notes: vec![Note {
            about: "T-PRIM".to_owned(),
            level: "info".to_owned(),
            en: format!("A note with {HOSTILE}."),
            ko: format!("{HOSTILE} 주석."),
        }],
        records: lines.records,
        conclusions,
        figures,
    }
}

fn reader_results() -> Results {
    use Stat::{Count, Df, Est, Hi, Lo, Margin, P, Se, Total};
    let mut t = Lines { records: Vec::new() };
    let e = Some("auc");
    t.add("T-PRIM", "auc.unaided", "unaided", e, &[(Est, "0.850"), (Se, "0.0200"), (Lo, "0.810"), (Hi, "0.890")]);
    t.add("T-PRIM", "auc.aided", "aided", e, &[(Est, "0.900"), (Se, "0.0180"), (Lo, "0.860"), (Hi, "0.940")]);
    t.add(
        "T-PRIM",
        "auc.diff",
        "diff",
        e,
        &[
            (Est, "0.050"),
            (Se, "0.0150"),
            (Lo, "−0.010"),
            (Hi, "0.110"),
            (Df, "15.3"),
            (Stat::Stat, "4.460"),
            (P, "<0.001"),
            (Margin, "0.050"),
        ],
    );
    t.add("T-SEC", "sens.unaided", "unaided", Some("sens"), &[(Est, "80.0%"), (Lo, "70.0%"), (Hi, "90.0%")]);
    t.add("T-SEC", "sens.aided", "aided", Some("sens"), &[(Est, "87.5%"), (Lo, "77.5%"), (Hi, "95.0%")]);
    t.add("T-SEC", "sens.diff", "diff", Some("sens"), &[(Est, "7.5%p"), (Lo, "−2.5%p"), (Hi, "17.5%p"), (P, "0.123")]);
    for (reader, est) in [("R1", "0.841"), (HOSTILE, "NE")] {
        for arm in ["unaided", "aided", "diff"] {
            let cell = format!("auc.{reader}.{arm}");
            match est {
                "NE" => t.add("T-RBR", &cell, arm, e, &[(Est, "NE")]).reader(reader),
                _ => t
                    .add("T-RBR", &cell, arm, e, &[(Est, est), (Lo, "0.801"), (Hi, "0.881"), (P, "0.041")])
                    .reader(reader),
            }
        }
        for arm in ["unaided", "aided"] {
            t.add("T-COMP", &format!("{reader}.{arm}"), arm, None, &[(Count, "40"), (Total, "40")]).reader(reader);
        }
    }
    t.add(
        "T-METH",
        "auc.or",
        "diff",
        None,
        &[(Est, "0.050"), (Se, "0.0150"), (Df, "15.3"), (Lo, "0.018"), (Hi, "0.082"), (P, "0.004")],
    );
    t.add("T-METH", "auc.u", "diff", None, &[(Est, "NE")]);
    t.add("T-VC", "auc.ms_t", "diff", None, &[(Est, "0.0123")]);
    t.add("T-VC", "auc.cov1", "diff", None, &[(Est, "0.000234")]);
    t.add(
        "T-SESP",
        "sensitivity.pooled.unaided",
        "unaided",
        None,
        &[(Count, "16"), (Total, "20"), (Est, "80.0%"), (Lo, "56.3%"), (Hi, "94.3%")],
    );
    t.add(
        "T-SESP",
        "sensitivity.pooled.aided",
        "aided",
        None,
        &[(Count, "18"), (Total, "20"), (Est, "90.0%"), (Lo, "68.3%"), (Hi, "98.8%")],
    );
    t.add("T-SUB", "site=A&B.auc.diff", "diff", e, &[(Est, "0.040"), (Lo, "0.010"), (Hi, "0.070"), (Count, "12")])
        .group("site", "A&B");
    t.add("T-SUB", "site=C.auc.diff", "diff", e, &[(Est, "NE"), (Count, "3")]).group("site", "C");
    t.add("T-DS", "cases", "all", None, &[(Count, "40")]);
    t.add("T-DS", "positive", "all", None, &[(Count, "20"), (Total, "40")]);
    let point = |arm: &str, label: &str, fpr, tpr, is_device| RocPoint {
        arm: arm.to_owned(),
        label: label.to_owned(),
        is_device,
        fpr,
        tpr,
    };
    let curve = |arm: &str, en: &str, ko: &str, points: &[(f64, f64)], auc: &str| RocCurve {
        arm: arm.to_owned(),
        label_en: en.to_owned(),
        label_ko: ko.to_owned(),
        points: points.to_vec(),
        auc_fmt: auc.to_owned(),
    };
    let unaided = curve(
        "unaided",
        "Unaided",
        "단독 판독",
        &[(0.0, 0.0), (0.1, 0.5), (0.2, 0.7), (0.4, 0.85), (1.0, 1.0)],
        "AUC 0.850 (0.810, 0.890)",
    );
    let aided = curve(
        "aided",
        "Aided",
        "AI 병용 판독",
        &[(0.0, 0.0), (0.05, 0.6), (0.15, 0.82), (0.35, 0.93), (1.0, 1.0)],
        "AUC 0.900 (0.860, 0.940)",
    );
    let mut points = Vec::new();
    for i in 0..8 {
        let step = f64::from(i);
        let name = if i == 7 { HOSTILE.to_owned() } else { format!("R{}", i + 1) };
        points.push(point("unaided", &name, 0.14 + 0.012 * step, 0.66 + 0.01 * step, false));
        points.push(point("aided", &name, 0.12 + 0.009 * step, 0.78 + 0.008 * step, false));
    }
    points.push(point("standalone", "op1", 0.18, 0.8, true));
    let roc = vec![
        RocFigure { id: "F-ROC".to_owned(), curves: vec![unaided.clone(), aided.clone()], points: points.clone() },
        RocFigure {
            id: "F-ROCR.R1".to_owned(),
            curves: vec![unaided.clone(), aided.clone()],
            points: points[..2].to_vec(),
        },
        RocFigure { id: format!("F-ROCR.{HOSTILE}"), curves: vec![unaided.clone(), aided.clone()], points: vec![] },
    ];
    let row = |en: &str, ko: &str, estimate, text: &str, summary| ForestRow {
        label_en: en.to_owned(),
        label_ko: ko.to_owned(),
        estimate,
        text: text.to_owned(),
        summary,
    };
    let forest = ForestFigure {
        id: "F-FOREST".to_owned(),
        axis_en: "Aided − unaided, AUC (95% CI)".to_owned(),
        axis_ko: "AI 병용 − 단독, AUC (95% 신뢰구간)".to_owned(),
        rows: vec![
            row("R1", "R1", Some((0.049, 0.019, 0.080)), "0.049 (0.019, 0.080)", false),
            row("R2", "R2", Some((0.011, -0.03, 0.052)), "0.011 (−0.030, 0.052)", false),
            row(HOSTILE, HOSTILE, None, "NE", false),
            row("All readers", "전체 판독자", Some((0.05, -0.01, 0.11)), "0.050 (−0.010, 0.110)", true),
        ],
        references: vec![0.0, -0.05],
        log: false,
    };
    let ratio = ForestFigure {
        id: "F-SUB".to_owned(),
        axis_en: "Odds ratio (95% CI)".to_owned(),
        axis_ko: "오즈비 (95% 신뢰구간)".to_owned(),
        rows: vec![row("R1", "R1", Some((1.5, 0.4, 6.0)), "1.50 (0.40, 6.00)", false)],
        references: vec![1.0],
        log: true,
    };
    let histogram = HistogramFigure {
        id: "F-HIST.aided".to_owned(),
        arm: "aided".to_owned(),
        edges: (0..=10).map(|i| f64::from(i) * 10.0).collect(),
        negative: vec![4, 5, 4, 3, 2, 1, 1, 0, 0, 0],
        positive: vec![0, 0, 1, 1, 2, 2, 3, 4, 4, 3],
        thresholds: vec![60.0],
    };
    let conclusion = Conclusion {
        endpoint_id: "auc".to_owned(),
        rank: "primary".to_owned(),
        met: Some(true),
        met_after_multiplicity: Some(true),
        criterion: "bound".to_owned(),
        p: Some(0.0004),
        p_adjusted: None,
        alpha: 0.05,
        en: "Non-inferiority was shown.".to_owned(),
        ko: "비열등성이 입증되었다.".to_owned(),
    };
    results(t, Figures { roc, forest: vec![forest, ratio], histogram: vec![histogram], froc: vec![] }, vec![conclusion])
}

fn standalone_results() -> Results {
    use Stat::{Count, Est, Hi, Lo, Margin, P, Total};
    let mut t = Lines { records: Vec::new() };
    let e = Some("sens");
    let sensitivity = [(Count, "18"), (Total, "20"), (Est, "90.0%"), (Lo, "68.3%"), (Hi, "98.8%")];
    t.add(
        "T-PRIM",
        "sens.standalone",
        "standalone",
        e,
        &[&sensitivity[..], &[(P, "0.206"), (Margin, "80.0%")]].concat(),
    );
    t.add("T-STAND", "op1.sensitivity", "standalone", None, &sensitivity);
    t.add("T-STAND", "op1.specificity", "standalone", None, &[(Count, "0"), (Total, "0"), (Est, "NE")]);
    t.add("T-STAND", "auc", "standalone", None, &[(Est, "0.912"), (Lo, "0.880"), (Hi, "0.944")]);
    for (cell, n) in
        [("tp", "18"), ("fp", "3"), ("fn", "2"), ("tn", "16"), ("no_output_pos", "0"), ("no_output_neg", "1")]
    {
        t.add("T-2x2", &format!("op1.{cell}"), "standalone", None, &[(Count, n)]);
    }
    t.add("T-PV", "op1.0.01.ppv", "standalone", None, &[(Est, "5.5%"), (Lo, "2.1%"), (Hi, "9.9%")])
        .group("prevalence", "1%");
    t.add("T-PV", "op1.0.01.npv", "standalone", None, &[(Est, "99.9%"), (Lo, "99.1%"), (Hi, "100.0%")])
        .group("prevalence", "1%");
    t.add("T-NOUT", "total", "standalone", None, &[(Count, "1"), (Total, "40")]);
    t.add("T-NOUT", "reason.1", "standalone", None, &[(Count, "1"), (Total, "40")]).group("reason", HOSTILE);
    let froc = FrocFigure {
        id: "F-FROC".to_owned(),
        curves: vec![FrocCurve {
            arm: "standalone".to_owned(),
            label_en: "Device".to_owned(),
            label_ko: "기기".to_owned(),
            points: (0..200).map(|i| (f64::from(i) / 50.0, 1.0 - (-f64::from(i) / 40.0).exp())).collect(),
        }],
    };
    let conclusion = Conclusion {
        endpoint_id: "sens".to_owned(),
        rank: "primary".to_owned(),
        met: Some(false),
        met_after_multiplicity: None,
        criterion: "bound".to_owned(),
        p: Some(0.206),
        p_adjusted: None,
        alpha: 0.025,
        en: "The goal was not met.".to_owned(),
        ko: "목표를 충족하지 못하였다.".to_owned(),
    };
    results(t, Figures { froc: vec![froc], ..Figures::default() }, vec![conclusion])
}
