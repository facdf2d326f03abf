//! What a measure is worth where a mask is empty, and the mean over cases that says how many cases it lacks.
//!
//! Programs disagree silently: an empty prediction is distance infinity, an exception, a penalty, or a case that vanishes
//! from the mean, which then improves as more is missed. Here the state is part of the answer and the caller declares
//! beforehand what each state is worth.

use crate::stats::{Estimable, NotEstimable};
use std::collections::BTreeMap;

pub const BOTH_EMPTY: &str = "both_masks_empty";
pub const PREDICTION_EMPTY: &str = "prediction_empty";
pub const REFERENCE_EMPTY: &str = "reference_empty";

/// Which of two masks hold nothing. Both empty is a state of its own, not a kind of miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emptiness {
    Neither,
    Prediction,
    Reference,
    Both,
}

impl Emptiness {
    pub fn of(reference_is_empty: bool, prediction_is_empty: bool) -> Self {
        match (reference_is_empty, prediction_is_empty) {
            (false, false) => Self::Neither,
            (false, true) => Self::Prediction,
            (true, false) => Self::Reference,
            (true, true) => Self::Both,
        }
    }

    /// The reason a measure of two objects does not exist here, or `None` where both are there.
    pub fn reason(self) -> Option<NotEstimable> {
        match self {
            Self::Neither => None,
            Self::Prediction => Some(NotEstimable::new(PREDICTION_EMPTY, "the prediction is empty")),
            Self::Reference => Some(NotEstimable::new(REFERENCE_EMPTY, "the reference is empty")),
            Self::Both => Some(NotEstimable::new(BOTH_EMPTY, "reference and prediction are both empty")),
        }
    }
}

/// What the caller declares each state to be worth; `None` leaves the case not estimable.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EmptyRule {
    pub both: Option<f64>,
    pub prediction: Option<f64>,
    pub reference: Option<f64>,
}

impl EmptyRule {
    /// No value is put in anywhere.
    pub const NOT_ESTIMABLE: Self = Self { both: None, prediction: None, reference: None };

    /// `found`, or the declared worth where it does not exist for an empty mask. Any other reason stays as it is.
    pub fn apply(&self, found: Estimable<f64>) -> Estimable<f64> {
        let reason = match found {
            Ok(value) => return Ok(value),
            Err(reason) => reason,
        };
        let declared = match reason.code {
            BOTH_EMPTY => self.both,
            PREDICTION_EMPTY => self.prediction,
            REFERENCE_EMPTY => self.reference,
            _ => None,
        };
        declared.ok_or(reason)
    }
}

/// The mean over the cases that have a value, and how many have none and why.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseMean {
    pub mean: Estimable<f64>,
    pub computed: usize,
    pub cases: usize,
    /// Number of cases by the code of the reason, in the order of the codes.
    pub missing: BTreeMap<&'static str, usize>,
}

pub fn case_mean(values: &[Estimable<f64>]) -> CaseMean {
    let mut missing = BTreeMap::new();
    let mut sum = 0.0;
    let mut computed = 0;
    for value in values {
        match value {
            Ok(value) => {
                sum += value;
                computed += 1;
            }
            Err(reason) => *missing.entry(reason.code).or_insert(0) += 1,
        }
    }
    let mean = if computed > 0 {
        Ok(sum / computed as f64)
    } else {
        Err(NotEstimable::new("no_case_has_a_value", format!("none of {} cases has a value", values.len())))
    };
    CaseMean { mean, computed, cases: values.len(), missing }
}

impl std::fmt::Display for CaseMean {
    /// `2.0 over 8 of 10; 2 not computable (prediction_empty)`: never the mean alone where cases are missing.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.mean {
            Ok(mean) => write!(f, "{mean:?} over {} of {}", self.computed, self.cases)?,
            Err(_) => write!(f, "no mean over {} cases", self.cases)?,
        }
        for (code, count) in &self.missing {
            write!(f, "; {count} not computable ({code})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_structure_stays_in_sight() {
        let missed = || Err(Emptiness::Prediction.reason().unwrap());
        let distances: Vec<Estimable<f64>> = (0..10).map(|i| if i < 8 { Ok(2.0) } else { missed() }).collect();
        assert_eq!(case_mean(&distances).to_string(), "2.0 over 8 of 10; 2 not computable (prediction_empty)");

        let diagonal = (50.0_f64 * 50.0 + 50.0 * 50.0 + 30.0 * 30.0).sqrt();
        let rule = EmptyRule { prediction: Some(diagonal), ..EmptyRule::NOT_ESTIMABLE };
        let penalised: Vec<_> = distances.into_iter().map(|d| rule.apply(d)).collect();
        assert!((case_mean(&penalised).mean.unwrap() - 16.962).abs() < 5e-4);
        assert!(rule.apply(Err(Emptiness::Both.reason().unwrap())).is_err(), "both empty is another state");
        assert!(case_mean(&[]).mean.is_err());
    }
}
