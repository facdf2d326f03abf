//! `predictions.csv`: the device's score of each case, or why there is none.

/// One entry a case, in the order of [`super::Cases`].
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// `Err` = the recorded reason why the device gave no output.
    pub score: Vec<Result<f64, String>>,
}
