//! `results.json`: one record a number, the series behind each figure, and what was concluded.
//!
//! Figures and reports read this and nothing else of the data; templates compute nothing.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Version of this file's layout.
    pub schema: u32,
    pub stamp: Stamp,
    /// What the tables say besides numbers: design found, counts, exclusions, choices taken. In order of appearance.
    pub notes: Vec<Note>,
    pub records: Vec<Record>,
    pub conclusions: Vec<Conclusion>,
    pub figures: Figures,
}

/// Ties the results to what was locked. No clock, host or path stands here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stamp {
    pub tool_version: String,
    pub study: String,
    pub protocol_version: String,
    /// SHA-256 (hex) of the protocol file, of the lock's Merkle root, of the model, of the predictions.
    pub protocol_hash: String,
    pub lock_root: String,
    pub model_hash: Option<String>,
    pub predictions_hash: Option<String>,
    pub readings_hash: Option<String>,
    pub seed: u64,
    /// Deviations recorded by `lock --amend`, oldest first.
    pub amendments: Vec<AmendmentStamp>,
    /// Engine and version that made the predictions, threads, CPU, from the run record.
    pub run: Option<RunStamp>,
    /// Looks at the test set, from the access ledger.
    pub ledger: Vec<LedgerStamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AmendmentStamp {
    pub date: String,
    pub why: String,
    /// Files whose hash changed.
    pub files: Vec<String>,
    pub hash: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStamp {
    pub engine: String,
    pub engine_version: String,
    pub threads: usize,
    pub cpu: String,
    pub batch: usize,
    pub cases: usize,
    pub no_output: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LedgerStamp {
    pub date: String,
    pub command: String,
    pub purpose: String,
    pub model_hash: Option<String>,
}

/// One printed number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// `table/cell/stat`, unique in the file.
    pub ard_id: String,
    /// `T-STAND`, `T-PRIM`, `T-RBR` …
    pub table_id: String,
    /// Row key inside the table, for example `sensitivity`, `aided`, `diff`, `R3.diff`.
    pub cell_id: String,
    /// Endpoint id, or the kind of analysis that no endpoint asked for.
    pub analysis_id: String,
    /// Analysis set: `TEST`, `FAS`.
    pub set: String,
    pub endpoint_id: Option<String>,
    /// Modality id, `standalone`, `diff` or `ratio`.
    pub arm: String,
    /// `case`, `patient`, `reader`, `reading`, `lesion`, `image`.
    pub unit: String,
    pub group_var: Option<String>,
    pub group_level: Option<String>,
    pub reader_id: Option<String>,
    /// `est`, `se`, `df`, `lo`, `hi`, `n`, `N`, `p`, `stat` …
    pub stat: Stat,
    /// `None` exactly when `not_estimable` is set.
    pub value: Option<f64>,
    /// The value as printed; `NE` when not estimable. Language-neutral.
    pub value_fmt: String,
    /// Name of the method in words, for example `Clopper–Pearson exact interval (1934)`.
    pub method_id: String,
    pub prespecified: bool,
    /// Confidence level where stat is `lo` or `hi`.
    pub level: Option<f64>,
    pub n: Option<u64>,
    pub n_excluded: u64,
    pub seed: Option<u64>,
    pub not_estimable: Option<Reason>,
    pub input_hash: String,
    pub code_version: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stat {
    Est,
    Se,
    Lo,
    Hi,
    Df,
    Df1,
    /// Test statistic.
    Stat,
    P,
    /// Numerator.
    #[serde(rename = "n")]
    Count,
    /// Denominator.
    #[serde(rename = "N")]
    Total,
    Margin,
    /// Unusable bootstrap resamples.
    Unusable,
    Replicates,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub code: String,
    pub reason: String,
}

/// A fact to print under a table or in the methods, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Table or section that it belongs to.
    pub about: String,
    /// Severity: `info`, `warning`.
    pub level: String,
    pub en: String,
    pub ko: String,
}

/// What a declared hypothesis came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conclusion {
    pub endpoint_id: String,
    pub rank: String,
    pub met: Option<bool>,
    /// True when `met` counts after the multiplicity procedure.
    pub met_after_multiplicity: Option<bool>,
    /// `estimate` or `bound`.
    pub criterion: String,
    pub p: Option<f64>,
    pub p_adjusted: Option<f64>,
    pub alpha: f64,
    pub en: String,
    pub ko: String,
}

/// The series of each figure; axes and wording are the figure room's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Figures {
    pub roc: Vec<RocFigure>,
    pub forest: Vec<ForestFigure>,
    pub histogram: Vec<HistogramFigure>,
    pub froc: Vec<FrocFigure>,
}

/// Empirical ROC curves in one square.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RocFigure {
    /// `F-ROC`, or `F-ROCR.<reader>`.
    pub id: String,
    pub curves: Vec<RocCurve>,
    pub points: Vec<RocPoint>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RocCurve {
    /// Modality id or `standalone`.
    pub arm: String,
    pub label_en: String,
    pub label_ko: String,
    /// (1 − specificity, sensitivity), from (0,0) to (1,1).
    pub points: Vec<(f64, f64)>,
    /// Formatted `AUC 0.912 (0.880, 0.944)`, or `NE`.
    pub auc_fmt: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RocPoint {
    pub arm: String,
    /// Reader id, or the operating point's id for the device.
    pub label: String,
    pub is_device: bool,
    pub fpr: f64,
    pub tpr: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForestFigure {
    /// `F-FOREST`, `F-SUB`.
    pub id: String,
    pub axis_en: String,
    pub axis_ko: String,
    pub rows: Vec<ForestRow>,
    /// Vertical lines: 0 and −margin, or 1 on the ratio scale.
    pub references: Vec<f64>,
    /// True: logarithmic axis (ratios).
    pub log: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForestRow {
    pub label_en: String,
    pub label_ko: String,
    /// `None` = not estimable: the row is drawn as `NE`.
    pub estimate: Option<(f64, f64, f64)>,
    /// `0.049 (0.019, 0.080)`.
    pub text: String,
    pub summary: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistogramFigure {
    /// `F-HIST` or `F-HIST.<arm>`.
    pub id: String,
    pub arm: String,
    /// Bin edges, one more than the counts.
    pub edges: Vec<f64>,
    pub negative: Vec<u64>,
    pub positive: Vec<u64>,
    pub thresholds: Vec<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrocFigure {
    pub id: String,
    pub curves: Vec<FrocCurve>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrocCurve {
    pub arm: String,
    pub label_en: String,
    pub label_ko: String,
    /// (false positives per image, lesion sensitivity).
    pub points: Vec<(f64, f64)>,
}
