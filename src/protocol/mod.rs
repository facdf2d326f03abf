//! `study.toml` as types: what was promised before the test set was looked at.
//!
//! A [`Protocol`] says all that an analysis needs. A number that decides a result (threshold, margin, seed, number of
//! replicates, acceptance radius) stands here and never on a command line alone.

mod check;
mod endpoint;
mod fit;
mod init;
mod model;
mod read;
mod schema;
#[cfg(test)]
mod tests;
mod walk;

pub use check::warnings;
pub use endpoint::{
    Acceptance, AgreementForm, Axis, Covariance, Criterion, Endpoint, Hypothesis, HypothesisKind, Measure, Method,
    Multiplicity, MultiplicityMethod, RandomFactors, Range, Rank, Sides, Subject,
};
pub use fit::{covariance_fits, fits, methods};
pub use init::{Template, init};
pub use model::{
    Activation, Channels, ColumnsInput, ImageInput, Layout, Model, ModelInput, ModelOutput, Resize, VolumeInput,
    VolumeLayout, VolumeResize, Window,
};
pub use read::{parse, protocol_hash, read};
pub use walk::is_date;

use serde::{Deserialize, Serialize};

/// Text in both report languages. The Korean text falls back to the English one only where the protocol leaves it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    pub en: String,
    #[serde(default)]
    pub ko: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    pub study: Study,
    pub device: Device,
    #[serde(default)]
    pub irb: Vec<Irb>,
    pub test_set: TestSet,
    /// The device under test; absent where readers or predictions come from elsewhere.
    #[serde(default)]
    pub model: Option<Model>,
    /// Present exactly in reader studies.
    #[serde(default)]
    pub design: Option<Design>,
    #[serde(default, rename = "reader")]
    pub readers: Vec<Reader>,
    #[serde(rename = "endpoint")]
    pub endpoints: Vec<Endpoint>,
    #[serde(default)]
    pub multiplicity: Option<Multiplicity>,
    #[serde(default)]
    pub report: ReportOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StudyKind {
    /// The device alone over the test set.
    Standalone,
    /// Readers with and without the device.
    ReaderStudy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// One score a case.
    Classification,
    /// Marks with places against lesions with places.
    Detection,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Study {
    pub id: String,
    pub title: Text,
    /// Version of the protocol, printed in every footer.
    pub version: String,
    pub kind: StudyKind,
    pub task: Task,
    /// ISO date of the protocol; reports carry it in place of a clock.
    pub date: String,
    /// Seed of every random stream of the study.
    pub seed: u64,
    /// Confidence level of every interval that no endpoint overrides, 0.5 ..< 1.
    #[serde(default = "default_level")]
    pub confidence_level: f64,
    #[serde(default)]
    pub protocol_id: Option<String>,
    #[serde(default)]
    pub sponsor: Option<String>,
    #[serde(default)]
    pub purpose: Option<Text>,
    /// `exploratory` or `confirmatory`.
    #[serde(default)]
    pub phase: Option<Phase>,
    #[serde(default)]
    pub direction: Option<Direction>,
    /// What the study is under Korean law, as its sponsor sees it; the MFDS report prints the sentence that belongs to it.
    #[serde(default)]
    pub legal_route: Option<LegalRoute>,
    /// Set where the data of this study are not what they stand for, for example simulated reader scores; every report prints it.
    #[serde(default)]
    pub disclaimer: Option<Text>,
}

fn default_level() -> f64 {
    0.95
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    Exploratory,
    Confirmatory,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LegalRoute {
    /// 임상시험: the plan needs approval, its number is the protocol id.
    ClinicalTrial,
    /// 데이터 임상시험: data that were there before, the device is used on no subject.
    DataTrial,
    /// 성능 유효성확인: a test of performance in place of clinical data.
    PerformanceTest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    Prospective,
    Retrospective,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    pub name: Text,
    pub version: String,
    pub manufacturer: Text,
    pub intended_use: Text,
    #[serde(default)]
    pub model_name: Option<String>,
    /// `CADe`, `CADx`, `CADe/x`, `CADt`.
    #[serde(default)]
    pub kind: Option<String>,
    /// Korean item name and class, free text.
    #[serde(default)]
    pub item_name_ko: Option<String>,
    #[serde(default)]
    pub class: Option<String>,
    #[serde(default)]
    pub product_code: Option<String>,
    #[serde(default)]
    pub intended_user: Option<Text>,
    #[serde(default)]
    pub limitations: Vec<Text>,
    #[serde(default)]
    pub operating_point: Vec<OperatingPoint>,
}

/// A threshold that was fixed before the test set was opened: a case is called positive when score >= threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPoint {
    pub id: String,
    pub threshold: f64,
    pub rationale: Text,
    /// ISO date.
    pub fixed_on: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Irb {
    pub site: String,
    pub committee: String,
    pub approval_number: String,
    pub approved_on: String,
    #[serde(default)]
    pub valid_until: Option<String>,
    #[serde(default)]
    pub consent: Option<Text>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestSet {
    /// CSV or Parquet with one row a case, relative to the study folder. Columns: `case`, `truth`, then what the keys below name.
    pub cases: String,
    /// Name of the truth column.
    #[serde(default = "default_truth")]
    pub truth: String,
    /// The truth level that means diseased; every other declared level means non-diseased.
    pub positive: String,
    /// The truth level(s) that mean non-diseased. A level that is in neither is a fault of the file.
    pub negative: Vec<String>,
    /// Column that says which rows share a patient. Without it each case is its own patient, and the report says so.
    #[serde(default)]
    pub patient: Option<String>,
    /// Column with the image path, relative to the study folder.
    #[serde(default)]
    pub image: Option<String>,
    /// Columns to report separately.
    #[serde(default)]
    pub subgroups: Vec<String>,
    /// A subgroup level with fewer positives or negatives than this gets no inference.
    #[serde(default = "default_minimum")]
    pub subgroup_minimum: usize,
    /// Prevalences (0..1, exclusive) at which PPV and NPV are reported besides the study's own.
    #[serde(default)]
    pub prevalences: Vec<f64>,
    /// One row a true lesion; location tasks only.
    #[serde(default)]
    pub lesions: Option<String>,
    /// One row a reading (reader studies).
    #[serde(default)]
    pub readings: Option<String>,
    /// One row a reader's mark (location reader studies) or a device's mark made elsewhere.
    #[serde(default)]
    pub marks: Option<String>,
    /// Predictions made outside `cadproof run`; without it `predictions.csv` is what `cadproof run` writes.
    #[serde(default)]
    pub predictions: Option<String>,
    pub source: Text,
    pub reference_standard: Text,
    /// What `truth` rests on; with `non-reference` agreement is reported in place of sensitivity and specificity.
    #[serde(default)]
    pub truth_kind: TruthKind,
    #[serde(default)]
    pub inclusion: Vec<Text>,
    #[serde(default)]
    pub exclusion: Vec<Text>,
    #[serde(default)]
    pub independence: Option<Text>,
    /// What was done so that no one can be recognised: method, who, on which ground.
    #[serde(default)]
    pub deidentification: Option<Text>,
    /// What a case without a device output counts as.
    #[serde(default)]
    pub no_output: NoOutputRule,
}

fn default_truth() -> String {
    "truth".to_owned()
}

fn default_minimum() -> usize {
    10
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TruthKind {
    #[default]
    Reference,
    NonReference,
    Composite,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoOutputRule {
    /// Left out of the estimates, counted and listed; the worst case is printed beside it.
    #[default]
    Exclude,
    /// Counted against the device: a missed positive, a false positive.
    WorstCase,
}

// ---- the reader study --------------------------------------------------------------------------------------------

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Design {
    /// The arms that are compared, in report order, the control first: unaided, aided.
    #[serde(rename = "modality")]
    pub modalities: Vec<Modality>,
    pub crossing: Crossing,
    pub rating_scale: RatingScale,
    /// A reader calls a case positive when its rating is at least this (at most this where lower is suspicious).
    #[serde(default)]
    pub action_threshold: Option<f64>,
    #[serde(default)]
    pub washout_days: Option<u32>,
    #[serde(default)]
    pub description: Option<Text>,
    /// Where set, readings.csv is made by `cadproof simulate` from the Roe–Metz model and every report says so.
    #[serde(default)]
    pub simulation: Option<Simulation>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Modality {
    pub id: String,
    pub name: Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Crossing {
    /// Every reader reads every case in every modality.
    FullyCrossed,
    SplitPlot,
    ReaderNestedInModality,
    CaseNestedInReader,
    CaseNestedInModality,
    /// Any pattern; only methods that allow it (U-statistics) are used.
    Unbalanced,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatingScale {
    pub minimum: f64,
    pub maximum: f64,
    /// Higher rating = more suspicious (`higher`) or less (`lower`). Never guessed.
    pub suspicious: Suspicious,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Suspicious {
    Higher,
    Lower,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reader {
    /// Blinded code; names never enter the study folder.
    pub id: String,
    #[serde(default)]
    pub specialty: Option<Text>,
    #[serde(default)]
    pub years: Option<u32>,
    #[serde(default)]
    pub board_certified: Option<bool>,
    #[serde(default)]
    pub site: Option<String>,
}

/// Roe & Metz (1997) model on the latent scale; variances of non-diseased within-case total 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Simulation {
    /// Separation of the two classes on the latent scale, one number a modality in the design's order.
    pub separation: Vec<f64>,
    pub var_reader: f64,
    pub var_case: f64,
    pub var_reader_case: f64,
    pub var_modality_reader: f64,
    pub var_modality_case: f64,
    pub var_error: f64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportOptions {
    /// Reports to render; empty = those that fit the study's kind.
    #[serde(default)]
    pub kinds: Vec<ReportKind>,
    /// Languages; empty = Korean and English.
    #[serde(default)]
    pub languages: Vec<Language>,
    #[serde(default)]
    pub number: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportKind {
    /// Standalone performance test report.
    Standalone,
    /// MFDS clinical study report.
    Mfds,
    /// FDA 510(k) clinical performance report.
    Fda,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    Ko,
    En,
}
