//! From an estimated difference, its standard error and degrees of freedom to the one-sided decisions of a protocol.

use super::proportion::check_one_sided_level;
use super::quantiles::{t_quantile, t_sf};
use super::{Estimable, NotEstimable};
use serde::Serialize;

/// Every one-sided reading of one difference (new − control, larger is better) against one margin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct NonInferiority {
    pub margin: f64,
    /// (difference + margin)/SE
    pub statistic: f64,
    /// H0: difference ≤ −margin.
    pub p_noninferiority: f64,
    /// H0: difference ≤ 0.
    pub p_superiority: f64,
    /// H0: difference ≤ margin.
    pub p_superiority_by_margin: f64,
    /// Equivalence within ±margin: the larger p of the two one-sided tests (Schuirmann 1987).
    pub p_equivalence: f64,
    /// One-sided lower confidence bound at `level`; above −margin exactly where p_noninferiority < 1 − level.
    pub lower_bound: f64,
    /// The one-sided level, for example 0.975.
    pub level: f64,
}

/// Tests a difference against a margin ≥ 0 by t with `df` (infinite: normal).
pub fn noninferiority(
    difference: f64,
    standard_error: f64,
    df: f64,
    margin: f64,
    level: f64,
) -> Estimable<NonInferiority> {
    check_one_sided_level(level)?;
    if !(margin >= 0.0 && margin.is_finite()) {
        return Err(NotEstimable::new("margin_out_of_range", format!("a margin is 0 or positive, not {margin}")));
    }
    if !(difference.is_finite() && standard_error > 0.0 && standard_error.is_finite() && df > 0.0) {
        return Err(NotEstimable::new(
            "zero_variance",
            format!("a test needs a positive standard error and degrees of freedom, not {standard_error} and {df}"),
        ));
    }
    let upper_tail = |shift: f64| t_sf((difference + shift) / standard_error, df);
    let p_noninferiority = upper_tail(margin);
    let p_not_better = t_sf((margin - difference) / standard_error, df);
    Ok(NonInferiority {
        margin,
        statistic: (difference + margin) / standard_error,
        p_noninferiority,
        p_superiority: upper_tail(0.0),
        p_superiority_by_margin: upper_tail(-margin),
        p_equivalence: p_noninferiority.max(p_not_better),
        lower_bound: difference - t_quantile(level, df) * standard_error,
        level,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DIDSR/iMRMC#168: difference −0.01, SE 0.02, df 12.3, margin 0.05.
    #[test]
    fn bound_and_p_value_agree() {
        let at = |level| noninferiority(-0.01, 0.02, 12.3, 0.05, level).unwrap();
        assert!((at(0.975).p_noninferiority - 0.03404).abs() < 5e-6);
        assert!((at(0.975).lower_bound - -0.05346).abs() < 5e-6);
        assert!(at(0.95).lower_bound > -0.05, "shown at one-sided 5 %");
        assert!(at(0.975).lower_bound < -0.05, "but not at 2.5 %");
        assert!(noninferiority(0.0, 0.0, 10.0, 0.05, 0.975).is_err());
        assert!(noninferiority(0.0, 0.1, 10.0, -0.05, 0.975).is_err());
    }
}
