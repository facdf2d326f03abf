//! The keys that `study.toml` may hold, what kind of value each takes, and in which range: one table, read from top to bottom.
//!
//! [`super::walk`] holds a parsed document against it.

pub struct Key {
    pub name: &'static str,
    pub required: bool,
    pub kind: Kind,
}

pub enum Kind {
    /// Any text but an empty one.
    String,
    /// `YYYY-MM-DD` in quotes.
    Date,
    /// A file of the study folder: relative, `/` between folders, inside the folder.
    File,
    Bool,
    Integer {
        minimum: i64,
    },
    Number(Bound),
    Word(&'static [&'static str]),
    Strings,
    Numbers(Bound),
    Words(&'static [&'static str]),
    /// `{ en = "…", ko = "…" }`
    Text,
    Texts,
    Table(&'static [Key]),
    /// `[[name]]`, at least `minimum` of them.
    Tables {
        keys: &'static [Key],
        minimum: usize,
    },
    /// A table whose key `tag` says which other keys it has.
    Variants {
        tag: &'static str,
        variants: &'static [(&'static str, &'static [Key])],
    },
    /// `["test", "control"]`
    Pair,
}

#[derive(Clone, Copy)]
pub enum Bound {
    Any,
    Positive,
    NotNegative,
    NotZero,
    /// 0 < x < 1
    OpenUnit,
    /// 0 <= x <= 1
    ClosedUnit,
    /// 0.5 <= x < 1
    Level,
    /// 0 < x <= 0.5
    Alpha,
}

impl Bound {
    pub fn holds(self, x: f64) -> bool {
        match self {
            Self::Any => true,
            Self::Positive => x > 0.0,
            Self::NotNegative => x >= 0.0,
            Self::NotZero => x != 0.0,
            Self::OpenUnit => x > 0.0 && x < 1.0,
            Self::ClosedUnit => (0.0..=1.0).contains(&x),
            Self::Level => (0.5..1.0).contains(&x),
            Self::Alpha => x > 0.0 && x <= 0.5,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Any => "a number",
            Self::Positive => "a number greater than 0",
            Self::NotNegative => "a number that is 0 or greater",
            Self::NotZero => "a number other than 0",
            Self::OpenUnit => "a number between 0 and 1, both excluded",
            Self::ClosedUnit => "a number from 0 to 1",
            Self::Level => "a confidence level from 0.5 to below 1, such as 0.95",
            Self::Alpha => "a significance level above 0 and at most 0.5, such as 0.025",
        }
    }
}

const fn need(name: &'static str, kind: Kind) -> Key {
    Key { name, required: true, kind }
}

const fn may(name: &'static str, kind: Kind) -> Key {
    Key { name, required: false, kind }
}

pub const STUDY_KINDS: &[&str] = &["standalone", "reader-study"];
pub const TASKS: &[&str] = &["classification", "detection"];
pub const LEGAL_ROUTES: &[&str] = &["clinical-trial", "data-trial", "performance-test"];
pub const PHASES: &[&str] = &["exploratory", "confirmatory"];
pub const DIRECTIONS: &[&str] = &["prospective", "retrospective"];
pub const TRUTH_KINDS: &[&str] = &["reference", "non-reference", "composite"];
pub const NO_OUTPUT_RULES: &[&str] = &["exclude", "worst-case"];
pub const LAYOUTS: &[&str] = &["NCHW", "NHWC"];
pub const VOLUME_LAYOUTS: &[&str] = &["NCDHW", "NDHWC"];
pub const CHANNELS: &[&str] = &["gray", "rgb", "bgr"];
pub const RESIZES: &[&str] = &["none", "stretch", "letterbox"];
pub const VOLUME_RESIZES: &[&str] = &["none", "trilinear"];
pub const ACTIVATIONS: &[&str] = &["none", "sigmoid", "softmax"];
pub const CROSSINGS: &[&str] = &[
    "fully-crossed",
    "split-plot",
    "reader-nested-in-modality",
    "case-nested-in-reader",
    "case-nested-in-modality",
    "unbalanced",
];
pub const SUSPICIOUS: &[&str] = &["higher", "lower"];
pub const RANKS: &[&str] = &["primary", "secondary", "exploratory"];
pub const SUBJECTS: &[&str] = &["device", "readers"];
pub const MEASURES: &[&str] = &[
    "auc",
    "partial-auc",
    "sensitivity-at-specificity",
    "specificity-at-sensitivity",
    "expected-utility",
    "binormal-auc",
    "proper-binormal-auc",
    "sensitivity",
    "specificity",
    "ppv",
    "npv",
    "accuracy",
    "likelihood-ratio-positive",
    "likelihood-ratio-negative",
    "diagnostic-odds-ratio",
    "odds-ratio",
    "discordance",
    "froc-sensitivity",
    "wafroc-auc",
    "kappa",
    "weighted-kappa",
    "fleiss-kappa",
    "gwet-ac1",
    "krippendorff-alpha",
    "icc",
    "limits-of-agreement",
    "lin-ccc",
];
pub const METHODS: &[&str] = &[
    "clopper-pearson",
    "wilson",
    "agresti-coull",
    "jeffreys",
    "mid-p",
    "logit",
    "log",
    "delong",
    "obuchowski-clustered",
    "bootstrap-percentile",
    "bootstrap-basic",
    "bootstrap-bca",
    "bootstrap-studentised",
    "obuchowski-rockette",
    "dorfman-berbaum-metz",
    "u-statistic",
    "exact-mcnemar",
    "mid-p-mcnemar",
    "glmm",
    "gee-independence",
    "gee-exchangeable",
    "conditional-logistic",
    "firth",
    "mantel-haenszel",
    "asymptotic",
    "f-distribution",
    "exact",
    "jackknife",
];
pub const COVARIANCES: &[&str] = &["jackknife", "unbiased", "delong", "bootstrap"];
pub const RANDOM_FACTORS: &[&str] = &["readers-and-cases", "cases", "readers"];
pub const AXES: &[&str] = &["sensitivity", "specificity"];
pub const AGREEMENT_FORMS: &[&str] = &[
    "linear",
    "quadratic",
    "nominal",
    "ordinal",
    "interval",
    "ratio",
    "one-way",
    "agreement",
    "consistency",
    "one-way-average",
    "agreement-average",
    "consistency-average",
];
pub const HYPOTHESES: &[&str] = &["superiority", "non-inferiority", "equivalence", "performance-goal"];
pub const SIDES: &[&str] = &["one", "two"];
pub const CRITERIA: &[&str] = &["bound", "estimate"];
pub const MULTIPLICITY_METHODS: &[&str] = &["bonferroni", "holm", "hochberg", "fixed-sequence", "gatekeeping"];
pub const REPORT_KINDS: &[&str] = &["standalone", "mfds", "fda"];
pub const LANGUAGES: &[&str] = &["ko", "en"];

pub static PROTOCOL: &[Key] = &[
    need("study", Kind::Table(STUDY)),
    need("device", Kind::Table(DEVICE)),
    may("irb", Kind::Tables { keys: IRB, minimum: 0 }),
    need("test_set", Kind::Table(TEST_SET)),
    may("model", Kind::Table(MODEL)),
    may("design", Kind::Table(DESIGN)),
    may("reader", Kind::Tables { keys: READER, minimum: 0 }),
    need("endpoint", Kind::Tables { keys: ENDPOINT, minimum: 1 }),
    may("multiplicity", Kind::Table(MULTIPLICITY)),
    may("report", Kind::Table(REPORT)),
];

static STUDY: &[Key] = &[
    need("id", Kind::String),
    need("title", Kind::Text),
    need("version", Kind::String),
    need("kind", Kind::Word(STUDY_KINDS)),
    need("task", Kind::Word(TASKS)),
    need("date", Kind::Date),
    need("seed", Kind::Integer { minimum: 0 }),
    may("confidence_level", Kind::Number(Bound::Level)),
    may("protocol_id", Kind::String),
    may("sponsor", Kind::String),
    may("purpose", Kind::Text),
    may("phase", Kind::Word(PHASES)),
    may("direction", Kind::Word(DIRECTIONS)),
    may("legal_route", Kind::Word(LEGAL_ROUTES)),
    may("disclaimer", Kind::Text),
];

static DEVICE: &[Key] = &[
    need("name", Kind::Text),
    need("version", Kind::String),
    need("manufacturer", Kind::Text),
    need("intended_use", Kind::Text),
    may("model_name", Kind::String),
    may("kind", Kind::String),
    may("item_name_ko", Kind::String),
    may("class", Kind::String),
    may("product_code", Kind::String),
    may("intended_user", Kind::Text),
    may("limitations", Kind::Texts),
    may("operating_point", Kind::Tables { keys: OPERATING_POINT, minimum: 0 }),
];

static OPERATING_POINT: &[Key] = &[
    need("id", Kind::String),
    need("threshold", Kind::Number(Bound::Any)),
    need("rationale", Kind::Text),
    need("fixed_on", Kind::Date),
];

static IRB: &[Key] = &[
    need("site", Kind::String),
    need("committee", Kind::String),
    need("approval_number", Kind::String),
    need("approved_on", Kind::Date),
    may("valid_until", Kind::Date),
    may("consent", Kind::Text),
];

static TEST_SET: &[Key] = &[
    need("cases", Kind::File),
    may("truth", Kind::String),
    need("positive", Kind::String),
    need("negative", Kind::Strings),
    may("patient", Kind::String),
    may("image", Kind::String),
    may("subgroups", Kind::Strings),
    may("subgroup_minimum", Kind::Integer { minimum: 1 }),
    may("prevalences", Kind::Numbers(Bound::OpenUnit)),
    may("lesions", Kind::File),
    may("readings", Kind::File),
    may("marks", Kind::File),
    may("predictions", Kind::File),
    need("source", Kind::Text),
    need("reference_standard", Kind::Text),
    may("truth_kind", Kind::Word(TRUTH_KINDS)),
    may("inclusion", Kind::Texts),
    may("exclusion", Kind::Texts),
    may("independence", Kind::Text),
    may("deidentification", Kind::Text),
    may("no_output", Kind::Word(NO_OUTPUT_RULES)),
];

static MODEL: &[Key] = &[
    need("file", Kind::File),
    need(
        "input",
        Kind::Variants { tag: "kind", variants: &[("image", IMAGE), ("volume", VOLUME), ("columns", COLUMNS)] },
    ),
    need(
        "output",
        Kind::Variants { tag: "kind", variants: &[("score", SCORE), ("heatmap", HEATMAP), ("boxes", BOXES)] },
    ),
    may("batch", Kind::Integer { minimum: 1 }),
];

static IMAGE: &[Key] = &[
    need("name", Kind::String),
    need("layout", Kind::Word(LAYOUTS)),
    need("channels", Kind::Word(CHANNELS)),
    need("width", Kind::Integer { minimum: 1 }),
    need("height", Kind::Integer { minimum: 1 }),
    need("resize", Kind::Word(RESIZES)),
    may("window", Kind::Table(WINDOW)),
    need("scale", Kind::Number(Bound::NotZero)),
    need("mean", Kind::Numbers(Bound::Any)),
    need("std", Kind::Numbers(Bound::NotZero)),
];

static WINDOW: &[Key] = &[need("center", Kind::Number(Bound::Any)), need("width", Kind::Number(Bound::Positive))];

static VOLUME: &[Key] = &[
    need("name", Kind::String),
    need("layout", Kind::Word(VOLUME_LAYOUTS)),
    need("depth", Kind::Integer { minimum: 1 }),
    need("height", Kind::Integer { minimum: 1 }),
    need("width", Kind::Integer { minimum: 1 }),
    need("resize", Kind::Word(VOLUME_RESIZES)),
    need("scale", Kind::Number(Bound::NotZero)),
    need("mean", Kind::Number(Bound::Any)),
    need("std", Kind::Number(Bound::NotZero)),
];

static COLUMNS: &[Key] = &[
    need("name", Kind::String),
    need("columns", Kind::Strings),
    may("mean", Kind::Numbers(Bound::Any)),
    may("std", Kind::Numbers(Bound::NotZero)),
];

static SCORE: &[Key] = &[
    need("name", Kind::String),
    need("index", Kind::Integer { minimum: 0 }),
    need("activation", Kind::Word(ACTIVATIONS)),
];

static HEATMAP: &[Key] = &[
    need("name", Kind::String),
    need("activation", Kind::Word(ACTIVATIONS)),
    need("minimum", Kind::Number(Bound::Any)),
    need("distance", Kind::Number(Bound::Positive)),
];

static BOXES: &[Key] = &[need("name", Kind::String), need("minimum", Kind::Number(Bound::Any))];

static DESIGN: &[Key] = &[
    need("modality", Kind::Tables { keys: MODALITY, minimum: 1 }),
    need("crossing", Kind::Word(CROSSINGS)),
    need("rating_scale", Kind::Table(RATING_SCALE)),
    may("action_threshold", Kind::Number(Bound::Any)),
    may("washout_days", Kind::Integer { minimum: 0 }),
    may("description", Kind::Text),
    may("simulation", Kind::Table(SIMULATION)),
];

static MODALITY: &[Key] = &[need("id", Kind::String), need("name", Kind::Text)];

static RATING_SCALE: &[Key] = &[
    need("minimum", Kind::Number(Bound::Any)),
    need("maximum", Kind::Number(Bound::Any)),
    need("suspicious", Kind::Word(SUSPICIOUS)),
];

static SIMULATION: &[Key] = &[
    need("separation", Kind::Numbers(Bound::Any)),
    need("var_reader", Kind::Number(Bound::NotNegative)),
    need("var_case", Kind::Number(Bound::NotNegative)),
    need("var_reader_case", Kind::Number(Bound::NotNegative)),
    need("var_modality_reader", Kind::Number(Bound::NotNegative)),
    need("var_modality_case", Kind::Number(Bound::NotNegative)),
    need("var_error", Kind::Number(Bound::NotNegative)),
];

static READER: &[Key] = &[
    need("id", Kind::String),
    may("specialty", Kind::Text),
    may("years", Kind::Integer { minimum: 0 }),
    may("board_certified", Kind::Bool),
    may("site", Kind::String),
];

static ENDPOINT: &[Key] = &[
    need("id", Kind::String),
    need("rank", Kind::Word(RANKS)),
    need("measure", Kind::Word(MEASURES)),
    may("label", Kind::Text),
    need("subject", Kind::Word(SUBJECTS)),
    may("modality", Kind::String),
    may("compare", Kind::Pair),
    may("operating_point", Kind::String),
    need("method", Kind::Word(METHODS)),
    may("covariance", Kind::Word(COVARIANCES)),
    may("random", Kind::Word(RANDOM_FACTORS)),
    may("confidence_level", Kind::Number(Bound::Level)),
    may("replicates", Kind::Integer { minimum: 1000 }),
    may("range", Kind::Table(RANGE)),
    may("slope", Kind::Number(Bound::Positive)),
    may("form", Kind::Word(AGREEMENT_FORMS)),
    may("fp_per_image", Kind::Number(Bound::Positive)),
    may(
        "acceptance",
        Kind::Variants { tag: "rule", variants: &[("distance", DISTANCE), ("inside", &[]), ("iou", IOU)] },
    ),
    may("hypothesis", Kind::Table(HYPOTHESIS)),
];

static RANGE: &[Key] = &[
    need("axis", Kind::Word(AXES)),
    need("from", Kind::Number(Bound::ClosedUnit)),
    need("to", Kind::Number(Bound::ClosedUnit)),
];

static DISTANCE: &[Key] = &[need("radius", Kind::Number(Bound::Positive))];

static IOU: &[Key] = &[need("minimum", Kind::Number(Bound::OpenUnit))];

static HYPOTHESIS: &[Key] = &[
    need("kind", Kind::Word(HYPOTHESES)),
    may("margin", Kind::Number(Bound::Positive)),
    need("alpha", Kind::Number(Bound::Alpha)),
    need("sides", Kind::Word(SIDES)),
    may("goal", Kind::Number(Bound::Any)),
    may("criterion", Kind::Word(CRITERIA)),
    may("rationale", Kind::Text),
];

static MULTIPLICITY: &[Key] = &[
    need("method", Kind::Word(MULTIPLICITY_METHODS)),
    need("endpoints", Kind::Strings),
    need("alpha", Kind::Number(Bound::Alpha)),
];

static REPORT: &[Key] =
    &[may("kinds", Kind::Words(REPORT_KINDS)), may("languages", Kind::Words(LANGUAGES)), may("number", Kind::String)];

pub static TEXT: &[Key] = &[need("en", Kind::String), may("ko", Kind::String)];
