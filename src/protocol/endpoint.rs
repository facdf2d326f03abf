//! `[[endpoint]]` and `[multiplicity]`: what is estimated, by which method, and what it is held against.

use super::Text;
use serde::{Deserialize, Serialize};

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
