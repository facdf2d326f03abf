//! Lin's concordance correlation: how close pairs lie to the line of identity.
//!
//! ρ_c = 2 s_xy/(s_x² + s_y² + (x̄ − ȳ)²) with variances on n (Lin 1989, Biometrics 45:255). ρ_c = r·C_b: precision r times
//! accuracy C_b. Interval by the z transformation, variance of the estimate with Lin's correction of 2000 (Biometrics
//! 56:324): [ (1−r²)ρ_c²(1−ρ_c²)/r² + 2ρ_c³(1−ρ_c)u²/r − ρ_c⁴u⁴/(2r²) ]/(n−2), u² = (x̄ − ȳ)²/(s_x s_y).

use super::bland_altman::check_pairs;
use super::{NotEstimable, check_level, sorted_sum};
use crate::stats::quantiles::norm_multiplier;
use crate::stats::{Estimable, Interval};
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Concordance {
    pub cases: usize,
    pub estimate: f64,
    /// Pearson's r and C_b; a reason where one measurement is constant.
    pub components: Estimable<Components>,
    /// A reason where the transformation or its variance does not exist (constant data, perfect agreement, n < 3).
    pub interval: Estimable<Interval>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Components {
    pub pearson: f64,
    /// C_b, 0 < C_b ≤ 1.
    pub bias_correction: f64,
    /// s_x/s_y
    pub scale_shift: f64,
    /// (x̄ − ȳ)/√(s_x s_y)
    pub location_shift: f64,
}

/// Codes: `invalid_ratings`, `too_few_observations` (n < 2), `no_variance` (all values of both equal), `invalid_level`.
pub fn concordance(first: &[f64], second: &[f64], level: f64) -> Estimable<Concordance> {
    check_level(level)?;
    check_pairs(first, second)?;
    let n = first.len() as f64;
    if n < 2.0 {
        return Err(NotEstimable::new("too_few_observations", format!("concordance needs two cases, not {n}")));
    }
    let mean = |v: &[f64]| sorted_sum(v.iter().copied()) / n;
    let (mx, my) = (mean(first), mean(second));
    let sxx = sorted_sum(first.iter().map(|x| (x - mx).powi(2))) / n;
    let syy = sorted_sum(second.iter().map(|y| (y - my).powi(2))) / n;
    let sxy = sorted_sum(first.iter().zip(second).map(|(x, y)| (x - mx) * (y - my))) / n;
    let denominator = sxx + syy + (mx - my).powi(2);
    if denominator == 0.0 {
        return Err(NotEstimable::new("no_variance", "all values of both measurements are equal: concordance is 0/0"));
    }
    let estimate = 2.0 * sxy / denominator;
    let components = if sxx > 0.0 && syy > 0.0 {
        let pearson = (sxy / (sxx * syy).sqrt()).clamp(-1.0, 1.0);
        let geometric = (sxx * syy).sqrt();
        Ok(Components {
            pearson,
            bias_correction: 2.0 * geometric / denominator,
            scale_shift: (sxx / syy).sqrt(),
            location_shift: (mx - my) / geometric.sqrt(),
        })
    } else {
        Err(NotEstimable::new("no_variance", "one measurement is constant: its correlation with the other is 0/0"))
    };
    let interval = components.clone().and_then(|c| interval(estimate, &c, n, level));
    Ok(Concordance { cases: first.len(), estimate, components, interval })
}

fn interval(estimate: f64, c: &Components, n: f64, level: f64) -> Estimable<Interval> {
    let no = |reason: &str| Err(NotEstimable::new("no_variance", reason));
    if n < 3.0 {
        return no("the interval of a concordance needs three cases");
    }
    if 1.0 - estimate.abs() < 1e-14 {
        return no("every pair agrees exactly: the z transform of 1 is infinite");
    }
    if c.pearson == 0.0 {
        return no("the correlation is 0: the variance of the concordance does not exist");
    }
    let (r2, p, u2) = (c.pearson * c.pearson, estimate, c.location_shift * c.location_shift);
    let variance = ((1.0 - r2) * p * p * (1.0 - p * p) / r2 + 2.0 * p.powi(3) * (1.0 - p) * u2 / c.pearson
        - p.powi(4) * u2 * u2 / (2.0 * r2))
        / (n - 2.0);
    if variance <= 0.0 {
        return no("the large-sample variance of the concordance is not positive");
    }
    let half = norm_multiplier(level) * variance.sqrt() / (1.0 - p * p);
    let z = p.atanh();
    Ok(Interval { lower: (z - half).tanh(), upper: (z + half).tanh(), level, method: "Lin, z transform" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concordance_is_precision_times_accuracy() {
        let first = [1.0, 2.0, 4.0, 5.0, 7.0];
        let second = [1.5, 2.0, 4.5, 5.0, 8.0];
        let found = concordance(&first, &second, 0.95).unwrap();
        let c = found.components.unwrap();
        assert!((found.estimate - c.pearson * c.bias_correction).abs() < 1e-14);
        assert!(found.interval.unwrap().upper < 1.0);
    }

    #[test]
    fn exact_agreement_is_one_without_an_interval() {
        let found = concordance(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0], 0.95).unwrap();
        assert_eq!(found.estimate, 1.0);
        assert_eq!(found.interval.unwrap_err().code, "no_variance");
    }
}
