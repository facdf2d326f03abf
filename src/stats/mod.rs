//! Pure statistics: numbers in, numbers out. Nothing here knows of files, protocols or reports.
//!
//! Every function either gives an estimate with its interval, degrees of freedom and method, or a
//! [`NotEstimable`] that says why the number does not exist. `NaN` and infinity never leave this room as an answer.

pub mod agreement;
pub mod bootstrap;
pub mod clustered;
pub mod diagnostic;
pub mod hypothesis;
pub mod models;
pub mod mrmc;
pub mod multiplicity;
pub mod noninferiority;
pub mod odds;
pub mod paired;
pub mod proportion;
pub mod quantiles;
pub mod roc;
pub mod root;
pub mod unpaired;

use serde::Serialize;

/// A statistic, or the stated reason why it does not exist for these data.
pub type Estimable<T> = Result<T, NotEstimable>;

/// Why a statistic does not exist for the data at hand.
///
/// `code` is stable (reports translate it), `reason` is a full English sentence fragment with the numbers in it,
/// for example `AUC needs both truth classes: n+ = 0, n- = 3`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotEstimable {
    pub code: &'static str,
    pub reason: String,
}

impl NotEstimable {
    pub fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }
}

impl std::fmt::Display for NotEstimable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not estimable: {}", self.reason)
    }
}

impl std::error::Error for NotEstimable {}

/// A two-sided interval, or a one-sided bound where the open side is the end of the parameter's range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    pub lower: f64,
    pub upper: f64,
    /// Confidence level, 0 < level < 1 (0.95 for a 95 % interval).
    pub level: f64,
    /// The method's name as it is printed: `Clopper–Pearson`, `Wilson`, `DeLong`, `BCa bootstrap`.
    pub method: &'static str,
}
