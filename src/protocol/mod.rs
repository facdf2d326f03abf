//! `study.toml` as types: what was promised before the test set was looked at.
//!
//! A [`Protocol`] says all that an analysis needs. A number that decides a result (threshold, margin, seed, number of
//! replicates, acceptance radius) stands here and never on a command line alone.

mod check;
mod fit;
mod init;
mod read;
mod schema;
#[cfg(test)]
mod tests;
mod walk;

pub use check::warnings;
pub use fit::{covariance_fits, fits, methods};
pub use init::{Template, init};
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

// ---- the device's model ------------------------------------------------------------------------------------------

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// ONNX file, relative to the study folder.
    pub file: String,
    pub input: ModelInput,
    pub output: ModelOutput,
    /// Cases handed to the engine at once, >= 1.
    #[serde(default = "default_batch")]
    pub batch: usize,
}

fn default_batch() -> usize {
    1
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case")]
pub enum ModelInput {
    /// PNG, JPEG, TIFF or single-frame DICOM, found through `test_set.image`.
    Image(ImageInput),
    /// NIfTI volume, found through `test_set.image`.
    Volume(VolumeInput),
    /// Numeric columns of cases.csv in this order.
    Columns(ColumnsInput),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageInput {
    /// Name of the model's input tensor.
    pub name: String,
    pub layout: Layout,
    pub channels: Channels,
    /// Width and height that the model takes, in pixels.
    pub width: u32,
    pub height: u32,
    pub resize: Resize,
    /// Grey-level window for DICOM, in the units after rescale; else the file's own; else an error.
    #[serde(default)]
    pub window: Option<Window>,
    /// `value * scale`, before the normalisation. 8-bit images come as 0..255, 16-bit as 0..65535, DICOM after its window as 0..255.
    pub scale: f64,
    /// Per channel, after the scale.
    pub mean: Vec<f64>,
    pub std: Vec<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeInput {
    pub name: String,
    /// NCDHW or NDHWC.
    pub layout: VolumeLayout,
    pub depth: u32,
    pub height: u32,
    pub width: u32,
    /// `none` (the shapes must match) or `trilinear`.
    pub resize: VolumeResize,
    pub scale: f64,
    pub mean: f64,
    pub std: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnsInput {
    pub name: String,
    pub columns: Vec<String>,
    /// Per column, subtracted; empty = none.
    #[serde(default)]
    pub mean: Vec<f64>,
    /// Per column, divided by; empty = none.
    #[serde(default)]
    pub std: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    NCHW,
    NHWC,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum VolumeLayout {
    NCDHW,
    NDHWC,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channels {
    Gray,
    Rgb,
    Bgr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// The image must already have the model's size; another size is that case's no-output reason.
    None,
    /// Straight to the model's size, aspect ratio not kept.
    Stretch,
    /// Aspect ratio kept, the rest filled with 0.
    Letterbox,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VolumeResize {
    None,
    Trilinear,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    pub center: f64,
    pub width: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case")]
pub enum ModelOutput {
    /// One number a case: element `index` of output `name` after `activation`.
    Score { name: String, index: usize, activation: Activation },
    /// A map `[N,1,H,W]` of lesion probability: local maxima >= `minimum` that are at least `distance` input pixels apart become marks.
    Heatmap { name: String, activation: Activation, minimum: f64, distance: f64 },
    /// Rows `[N,K,5]`: x1, y1, x2, y2, score in input pixels; rows with score < `minimum` are left out.
    Boxes { name: String, minimum: f64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    None,
    Sigmoid,
    Softmax,
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

// ---- endpoints ---------------------------------------------------------------------------------------------------

/// One endpoint: what is measured, on which arm or between which arms, by which method, against which hypothesis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    pub id: String,
    pub rank: Rank,
    pub measure: Measure,
    #[serde(default)]
    pub label: Option<Text>,
    /// Whom it concerns: the device alone or the readers.
    pub subject: Subject,
    /// One arm (reader studies). Excludes `compare`.
    #[serde(default)]
    pub modality: Option<String>,
    /// `[test, control]`, reported as test − control, for example `["aided", "unaided"]`.
    #[serde(default)]
    pub compare: Option<[String; 2]>,
    /// Operating point by id (device) – readers use `design.action_threshold`.
    #[serde(default)]
    pub operating_point: Option<String>,
    pub method: Method,
    /// For `obuchowski-rockette`: how the covariances of the figures of merit are estimated.
    #[serde(default)]
    pub covariance: Option<Covariance>,
    /// Which factors are random (reader studies), default both.
    #[serde(default)]
    pub random: Option<RandomFactors>,
    #[serde(default)]
    pub confidence_level: Option<f64>,
    /// Bootstrap replicates.
    #[serde(default)]
    pub replicates: Option<usize>,
    /// For partial areas and fixed-point measures: `specificity` or `sensitivity` range or value.
    #[serde(default)]
    pub range: Option<Range>,
    /// For `expected-utility`: slope of the iso-utility line, (1 − prevalence)/prevalence × relative utility.
    #[serde(default)]
    pub slope: Option<f64>,
    /// For measures of agreement that come in forms: weights of `weighted-kappa`, metric of `krippendorff-alpha`, form of
    /// `icc`.
    #[serde(default)]
    pub form: Option<AgreementForm>,
    /// FROC: false positives per image at which sensitivity is read; acceptance rule for a hit.
    #[serde(default)]
    pub fp_per_image: Option<f64>,
    #[serde(default)]
    pub acceptance: Option<Acceptance>,
    #[serde(default)]
    pub hypothesis: Option<Hypothesis>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rank {
    Primary,
    Secondary,
    Exploratory,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    Device,
    Readers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    Auc,
    PartialAuc,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    ExpectedUtility,
    BinormalAuc,
    ProperBinormalAuc,
    Sensitivity,
    Specificity,
    Ppv,
    Npv,
    Accuracy,
    LikelihoodRatioPositive,
    LikelihoodRatioNegative,
    DiagnosticOddsRatio,
    /// Odds of a correct reading, test arm against control arm.
    OddsRatio,
    /// Discordant readings, test arm against control arm.
    Discordance,
    /// Lesion sensitivity at a number of false positives per image.
    FrocSensitivity,
    WafrocAuc,
    Kappa,
    WeightedKappa,
    FleissKappa,
    GwetAc1,
    KrippendorffAlpha,
    Icc,
    LimitsOfAgreement,
    LinCcc,
}

/// How the estimate's uncertainty is found. Which methods fit which measure is checked when the protocol is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    ClopperPearson,
    Wilson,
    AgrestiCoull,
    Jeffreys,
    MidP,
    Logit,
    Log,
    Delong,
    ObuchowskiClustered,
    BootstrapPercentile,
    BootstrapBasic,
    BootstrapBca,
    BootstrapStudentised,
    ObuchowskiRockette,
    DorfmanBerbaumMetz,
    UStatistic,
    ExactMcnemar,
    MidPMcnemar,
    Tango,
    Glmm,
    GeeIndependence,
    GeeExchangeable,
    ConditionalLogistic,
    Firth,
    MantelHaenszel,
    /// Closed-form large-sample interval of the agreement measures.
    Asymptotic,
    /// F-distribution interval of the ICC.
    FDistribution,
    /// Exact limits' interval (Carkeet 2015).
    Exact,
    Jackknife,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Covariance {
    Jackknife,
    Unbiased,
    Delong,
    Bootstrap,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RandomFactors {
    #[default]
    ReadersAndCases,
    Cases,
    Readers,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    pub axis: Axis,
    pub from: f64,
    pub to: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    Sensitivity,
    Specificity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgreementForm {
    /// Weights of `weighted-kappa`.
    Linear,
    Quadratic,
    /// Metrics of `krippendorff-alpha`.
    Nominal,
    Ordinal,
    Interval,
    Ratio,
    /// Forms of `icc`: of a single rating, or of the mean of all readers.
    OneWay,
    Agreement,
    Consistency,
    OneWayAverage,
    AgreementAverage,
    ConsistencyAverage,
}

/// When a mark counts as a hit on a lesion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "rule", rename_all = "kebab-case")]
pub enum Acceptance {
    /// Distance of the mark to the lesion's centre <= radius, in pixels.
    Distance { radius: f64 },
    /// The mark lies within the lesion's own radius or box.
    Inside,
    /// Intersection over union of the two boxes >= minimum.
    Iou { minimum: f64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hypothesis {
    pub kind: HypothesisKind,
    /// Non-inferiority and equivalence margin, > 0, in the measure's own unit.
    #[serde(default)]
    pub margin: Option<f64>,
    pub alpha: f64,
    pub sides: Sides,
    /// For a single arm: the performance goal that the estimate or its bound is held against.
    #[serde(default)]
    pub goal: Option<f64>,
    /// What the criterion applies to.
    #[serde(default)]
    pub criterion: Criterion,
    /// Why this margin or goal.
    #[serde(default)]
    pub rationale: Option<Text>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HypothesisKind {
    Superiority,
    NonInferiority,
    Equivalence,
    PerformanceGoal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sides {
    One,
    Two,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Criterion {
    /// The confidence bound must pass.
    #[default]
    Bound,
    /// The point estimate must pass.
    Estimate,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Multiplicity {
    pub method: MultiplicityMethod,
    /// Endpoint ids in testing order.
    pub endpoints: Vec<String>,
    pub alpha: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MultiplicityMethod {
    Bonferroni,
    Holm,
    Hochberg,
    FixedSequence,
    Gatekeeping,
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
    /// Standalone performance test report, REPORTS (c).
    Standalone,
    /// MFDS clinical study report, REPORTS (a).
    Mfds,
    /// FDA 510(k) clinical performance report, REPORTS (b).
    Fda,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    Ko,
    En,
}
