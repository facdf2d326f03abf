//! How many cases an area, or a difference of two areas on the same cases, needs; and with what power.

use super::{RocCurve, auc_covariance};
use crate::stats::quantiles::{norm_cdf, norm_quantile};
use crate::stats::{Estimable, NotEstimable};
use serde::Serialize;

/// Cases of both classes; not rounded, so that the caller decides how (up).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CaseNumbers {
    pub positive: f64,
    pub negative: f64,
}

/// A binormal curve Φ⁻¹(sensitivity) = a + b Φ⁻¹(1 − specificity).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Binormal {
    pub a: f64,
    pub b: f64,
}

/// Power of the two-sided test of an area against ½ with `positive` cases and `ratio` times as many negatives
/// (Obuchowski, Lieber & Wians 2004; equal-variance binormal variance of Obuchowski & McClish 1997).
pub fn power_of_area(auc: f64, positive: f64, ratio: f64, alpha: f64) -> Estimable<f64> {
    let (null, alternative) = area_spread(auc, ratio, alpha)?;
    if !(positive > 0.0 && positive.is_finite()) {
        return Err(NotEstimable::new("bad_parameter", format!("{positive} positive cases")));
    }
    Ok(norm_cdf((positive.sqrt() * (auc - 0.5) - null * -norm_quantile(0.5 * alpha)) / alternative))
}

/// Cases for that test to have `power`: n₊ = (z_α/2 √V(½) + z_β √V(AUC))² / (AUC − ½)².
pub fn cases_for_area(auc: f64, power: f64, ratio: f64, alpha: f64) -> Estimable<CaseNumbers> {
    let (null, alternative) = area_spread(auc, ratio, alpha)?;
    check_probability(power, "power")?;
    let root = (null * -norm_quantile(0.5 * alpha) + alternative * norm_quantile(power)) / (auc - 0.5);
    let positive = root * root;
    Ok(CaseNumbers { positive, negative: ratio * positive })
}

/// Power of the two-sided test of two areas on as many cases as the pilot `first` and `second` hold.
///
/// V(alternative) = V₁ + V₂ − 2C by DeLong, V(null) = 2V₁ − 2C with the first area as the common one.
pub fn power_of_difference(first: (&[f64], &[f64]), second: (&[f64], &[f64]), alpha: f64) -> Estimable<f64> {
    let pilot = Pilot::new(first, second, alpha)?;
    Ok(norm_cdf((pilot.difference - pilot.null * -norm_quantile(0.5 * alpha)) / pilot.alternative))
}

/// Cases for that test to have `power`, in the pilot's proportion of classes; variances fall as 1/cases.
pub fn cases_for_difference(
    first: (&[f64], &[f64]),
    second: (&[f64], &[f64]),
    power: f64,
    alpha: f64,
) -> Estimable<CaseNumbers> {
    let pilot = Pilot::new(first, second, alpha)?;
    check_probability(power, "power")?;
    let root = (pilot.null * -norm_quantile(0.5 * alpha) + pilot.alternative * norm_quantile(power)) / pilot.difference;
    let factor = root * root;
    Ok(CaseNumbers { positive: factor * first.0.len() as f64, negative: factor * first.1.len() as f64 })
}

impl Binormal {
    /// Least squares of Φ⁻¹(sensitivity) on Φ⁻¹(1 − specificity) over the points inside the unit square.
    pub fn fit(curve: &RocCurve) -> Estimable<Self> {
        let inner = curve.points.iter().map(|p| (1.0 - p.specificity, p.sensitivity));
        let inside = |p: f64| p > 0.0 && p < 1.0;
        let points: Vec<(f64, f64)> = inner
            .filter(|(x, y)| inside(*x) && inside(*y))
            .map(|(x, y)| (norm_quantile(x), norm_quantile(y)))
            .collect();
        let n = points.len() as f64;
        let (x_sum, y_sum) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
        let (x_mean, y_mean) = (x_sum / n, y_sum / n);
        let (xx, xy) = points
            .iter()
            .fold((0.0, 0.0), |(xx, xy), (x, y)| (xx + (x - x_mean).powi(2), xy + (x - x_mean) * (y - y_mean)));
        if points.len() < 2 || xx == 0.0 {
            return Err(NotEstimable::new(
                "too_few_points",
                format!("a binormal line needs two points inside the unit square, {} are there", points.len()),
            ));
        }
        let b = xy / xx;
        Ok(Self { a: y_mean - b * x_mean, b })
    }

    /// Φ(a/√(1 + b²))
    pub fn auc(&self) -> f64 {
        norm_cdf(self.a / (1.0 + self.b * self.b).sqrt())
    }

    /// Variance of the estimated area times the number of positives, `ratio` = negatives/positives (Obuchowski &
    /// McClish 1997): f²(1 + b²/r + a²/2) + g² b²(1 + r)/(2r) + fg ab, with f, g the derivatives of the area by a and b.
    pub fn variance_times_positives(&self, ratio: f64) -> f64 {
        let (a, b, (f, g)) = (self.a, self.b, self.derivatives());
        let own = f * f * (1.0 + b * b / ratio + 0.5 * a * a) + g * g * b * b * (1.0 + ratio) / (2.0 * ratio);
        own + self.covariance_term()
    }

    /// fg ab, the part of that variance that comes from the covariance ab/2 of a and b: both use the positives' spread.
    /// pROC's `var(method = "obuchowski")` is the rest.
    pub fn covariance_term(&self) -> f64 {
        let (f, g) = self.derivatives();
        f * g * self.a * self.b
    }

    fn derivatives(&self) -> (f64, f64) {
        let (a, b) = (self.a, self.b);
        let spread = 1.0 + b * b;
        let f = (-a * a / (2.0 * spread)).exp() / (2.0 * std::f64::consts::PI * spread).sqrt();
        (f, -f * a * b / spread)
    }
}

/// √(V n₊) at ½ and at the area: 0.0099 e^(−A²/2) ((5A² + 8) + (A² + 8)/r), A = 1.414 Φ⁻¹(AUC), constants as published.
fn area_spread(auc: f64, ratio: f64, alpha: f64) -> Estimable<(f64, f64)> {
    check_probability(alpha, "alpha")?;
    if !(auc > 0.5 && auc < 1.0) {
        return Err(NotEstimable::new(
            "bad_parameter",
            format!("an area to be shown lies between ½ and 1, not at {auc}"),
        ));
    }
    if !(ratio > 0.0 && ratio.is_finite()) {
        return Err(NotEstimable::new("bad_parameter", format!("{ratio} negatives a positive")));
    }
    let spread = |auc: f64| {
        let square = (1.414 * norm_quantile(auc)).powi(2);
        (0.0099 * (-0.5 * square).exp() * ((5.0 * square + 8.0) + (square + 8.0) / ratio)).sqrt()
    };
    Ok((spread(0.5), spread(auc)))
}

/// What a pilot shows: |difference| and the standard errors under both hypotheses, at its own size.
struct Pilot {
    difference: f64,
    null: f64,
    alternative: f64,
}

impl Pilot {
    fn new(first: (&[f64], &[f64]), second: (&[f64], &[f64]), alpha: f64) -> Estimable<Self> {
        check_probability(alpha, "alpha")?;
        let (areas, v) = auc_covariance(&[first, second])?;
        let difference = (areas[0] - areas[1]).abs();
        let (null, alternative) = (2.0 * (v[0][0] - v[0][1]), v[0][0] + v[1][1] - 2.0 * v[0][1]);
        if difference == 0.0 || null < 0.0 || alternative <= 0.0 {
            return Err(NotEstimable::new(
                "no_effect_to_size",
                format!("a pilot difference of {difference} with variances {null} and {alternative} sizes no study"),
            ));
        }
        Ok(Self { difference, null: null.sqrt(), alternative: alternative.sqrt() })
    }
}

fn check_probability(p: f64, name: &str) -> Estimable<()> {
    if p > 0.0 && p < 1.0 {
        return Ok(());
    }
    Err(NotEstimable::new("bad_parameter", format!("{name} lies between 0 and 1, not at {p}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::roc::roc_curve;

    #[test]
    fn power_and_number_invert_each_other() {
        let n = cases_for_area(0.7, 0.8, 2.0, 0.05).unwrap();
        assert!((power_of_area(0.7, n.positive, 2.0, 0.05).unwrap() - 0.8).abs() < 1e-12);
        assert!(cases_for_area(0.5, 0.8, 2.0, 0.05).is_err());
        assert!(power_of_area(0.7, 50.0, 0.0, 0.05).is_err());
    }

    #[test]
    fn the_roles_of_the_classes_can_be_exchanged() {
        // The same curve seen from the other class: a' = a/b, b' = 1/b, negatives become the counted class.
        let (a, b, ratio) = (1.7, 0.6, 1.5);
        let one = Binormal { a, b }.variance_times_positives(ratio);
        let two = Binormal { a: a / b, b: 1.0 / b }.variance_times_positives(1.0 / ratio) / ratio;
        assert!((one - two).abs() < 1e-12, "{one} {two}");
    }

    #[test]
    fn a_line_needs_two_points_inside() {
        let curve = roc_curve(&[0.5, 2.0, 2.0, 2.0], &[0.0, 0.0, 1.0, 3.0]).unwrap();
        let line = Binormal::fit(&curve).unwrap();
        assert!(line.b.abs() < 1e-12 && (line.a - norm_quantile(0.75)).abs() < 1e-12);
        assert!((line.auc() - 0.75).abs() < 1e-12);
        let perfect = roc_curve(&[2.0], &[1.0]).unwrap();
        assert_eq!(Binormal::fit(&perfect).unwrap_err().code, "too_few_points");
    }
}
