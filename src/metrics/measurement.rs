//! Measured values against reference values: errors, lines of agreement (Deming, Passing–Bablok), rank correlation, classes
//! of a measured value, and the target registration error.
//!
//! Everywhere `x` is the reference and `y` the device, an error is y − x. Limits of agreement, concordance and ICC are in
//! `stats::agreement`.

use crate::stats::quantiles::{norm_multiplier, t_multiplier};
use crate::stats::{Estimable, Interval, NotEstimable};

/// Errors of a device in the unit of the measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Errors {
    errors: Vec<f64>,
    x: Vec<f64>,
}

impl Errors {
    pub fn new(x: &[f64], y: &[f64]) -> Estimable<Self> {
        check(x, y, 1)?;
        Ok(Self { errors: x.iter().zip(y).map(|(x, y)| y - x).collect(), x: x.to_vec() })
    }

    /// Mean error: positive = the device reads high.
    pub fn bias(&self) -> f64 {
        mean(&self.errors)
    }

    pub fn mean_absolute(&self) -> f64 {
        mean(&self.of(f64::abs))
    }

    pub fn mean_square(&self) -> f64 {
        mean(&self.squares())
    }

    pub fn root_mean_square(&self) -> f64 {
        self.mean_square().sqrt()
    }

    pub fn median_absolute(&self) -> f64 {
        median(self.of(f64::abs))
    }

    pub fn median_square(&self) -> f64 {
        median(self.squares())
    }

    /// Standard deviation of the squared errors with divisor n − `lost` (BraTS 2018 prints it without saying which: 0 or 1).
    pub fn square_deviation(&self, lost: u8) -> Estimable<f64> {
        deviation(&self.squares(), lost)
    }

    pub fn maximum_absolute(&self) -> f64 {
        self.of(f64::abs).into_iter().fold(0.0, f64::max)
    }

    /// Share of errors of at most `limit` (≤) in either direction.
    pub fn within(&self, limit: f64) -> f64 {
        self.errors.iter().filter(|error| error.abs() <= limit).count() as f64 / self.errors.len() as f64
    }

    /// Mean of |y − x| / |x|; a reference of 0 has no relative error.
    pub fn mean_absolute_share(&self) -> Estimable<f64> {
        if self.x.contains(&0.0) {
            return Err(NotEstimable::new("zero_reference", "a reference value is 0"));
        }
        Ok(self.errors.iter().zip(&self.x).map(|(error, x)| (error / x).abs()).sum::<f64>() / self.x.len() as f64)
    }

    /// 1 − Σ(y − x)² / Σ(x − x̄)²: against the identity, so it can be negative; it is no squared correlation.
    pub fn explained(&self) -> Estimable<f64> {
        let centre = mean(&self.x);
        let whole: f64 = self.x.iter().map(|x| (x - centre).powi(2)).sum();
        if whole == 0.0 {
            return Err(NotEstimable::new("constant_reference", "all reference values are alike"));
        }
        Ok(1.0 - self.squares().iter().sum::<f64>() / whole)
    }

    fn of(&self, f: fn(f64) -> f64) -> Vec<f64> {
        self.errors.iter().map(|&error| f(error)).collect()
    }

    fn squares(&self) -> Vec<f64> {
        self.of(|error| error * error)
    }
}

/// y = intercept + slope · x with intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub slope: f64,
    pub intercept: f64,
    /// Absent for Passing–Bablok, which has none.
    pub standard_errors: Option<(f64, f64)>,
    pub slope_interval: Estimable<Interval>,
    pub intercept_interval: Estimable<Interval>,
}

/// Deming's regression: both methods err, with `ratio` = error variance of y / error variance of x (1 = orthogonal).
///
/// Slope by Linnet (1993, Clin Chem 39:424, eq. 2), standard errors by the jackknife, intervals with t(n − 2).
pub fn deming(x: &[f64], y: &[f64], ratio: f64, level: f64) -> Estimable<Line> {
    check(x, y, 3)?;
    if !(ratio > 0.0 && ratio.is_finite()) {
        return Err(NotEstimable::new("variance_ratio", format!("a ratio of variances cannot be {ratio}")));
    }
    // about the means, so that leaving one case out of the sums loses no digits
    let (mean_x, mean_y) = (mean(x), mean(y));
    let centred: Vec<(f64, f64)> = x.iter().zip(y).map(|(x, y)| (x - mean_x, y - mean_y)).collect();
    let mut sums = [0.0; 3];
    for (x, y) in &centred {
        for (sum, part) in sums.iter_mut().zip([x * x, y * y, x * y]) {
            *sum += part;
        }
    }
    let slope = |[xx, yy, xy]: [f64; 3]| -> Estimable<f64> {
        if xy == 0.0 || xx == 0.0 || yy == 0.0 {
            return Err(NotEstimable::new("no_covariance", "the two methods do not vary together"));
        }
        let difference = yy - ratio * xx;
        Ok((difference + (difference * difference + 4.0 * ratio * xy * xy).sqrt()) / (2.0 * xy))
    };
    let all = slope(sums)?;
    let n = x.len() as f64;
    let mut left_out = Vec::with_capacity(x.len());
    for &(x, y) in &centred {
        // leaving (x, y) out moves the means by −(x, y)/(n − 1) and the sums by n/(n − 1) of the products
        let share = n / (n - 1.0);
        let one = slope([sums[0] - share * x * x, sums[1] - share * y * y, sums[2] - share * x * y])?;
        let (at_x, at_y) = (mean_x - x / (n - 1.0), mean_y - y / (n - 1.0));
        left_out.push((one, at_y - one * at_x));
    }
    let spread = |values: Vec<f64>| {
        let centre = mean(&values);
        ((n - 1.0) / n * values.iter().map(|v| (v - centre).powi(2)).sum::<f64>()).sqrt()
    };
    let errors =
        (spread(left_out.iter().map(|line| line.0).collect()), spread(left_out.iter().map(|line| line.1).collect()));
    let intercept = mean_y - all * mean_x;
    let t = t_multiplier(level, n - 2.0);
    let around = |estimate: f64, error: f64| {
        Ok(Interval {
            lower: estimate - t * error, upper: estimate + t * error, level, method: "jackknife, t(n − 2)"
        })
    };
    Ok(Line {
        slope: all,
        intercept,
        standard_errors: Some(errors),
        slope_interval: around(all, errors.0),
        intercept_interval: around(intercept, errors.1),
    })
}

/// Passing and Bablok's regression (1983, J Clin Chem Clin Biochem 21:709): the median of the slopes of all pairs, shifted
/// by the number of slopes below −1. Pairs of equal points and slopes of exactly −1 are left out; pairs of equal x have an
/// infinite slope. The rank of the interval is rounded half to even. n(n − 1)/2 slopes are sorted.
pub fn passing_bablok(x: &[f64], y: &[f64], level: f64) -> Estimable<Line> {
    check(x, y, 3)?;
    let mut slopes = Vec::with_capacity(x.len() * (x.len() - 1) / 2);
    for i in 0..x.len() {
        for j in i + 1..x.len() {
            let (dx, dy) = (x[j] - x[i], y[j] - y[i]);
            if dx == 0.0 && dy == 0.0 {
                continue;
            }
            // by the sign of dy where dx is 0, whatever the sign of that 0
            let slope = if dx == 0.0 { dy.signum() * f64::INFINITY } else { dy / dx };
            if slope != -1.0 {
                slopes.push(slope);
            }
        }
    }
    slopes.sort_unstable_by(f64::total_cmp);
    let offset = slopes.iter().filter(|slope| **slope < -1.0).count();
    let count = slopes.len();
    // ranks from 1, as in the paper
    let at = |rank: usize| rank.checked_sub(1).and_then(|r| slopes.get(r)).copied().filter(|slope| slope.is_finite());
    let middle = if count % 2 == 1 {
        at(count.div_ceil(2) + offset)
    } else {
        at(count / 2 + offset).zip(at(count / 2 + 1 + offset)).map(|(a, b)| f64::midpoint(a, b))
    };
    let slope = middle
        .filter(|_| count > 0)
        .ok_or_else(|| NotEstimable::new("no_slope", "the shifted median of the slopes is not a finite slope"))?;
    let through = |slope: f64| median(x.iter().zip(y).map(|(x, y)| y - slope * x).collect());
    let n = x.len() as f64;
    let reach = norm_multiplier(level) * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    let first = ((count as f64 - reach) / 2.0).round_ties_even();
    let limits = (first >= 1.0)
        .then(|| at(first as usize + offset).zip(at(count + 1 - first as usize + offset)))
        .flatten()
        .ok_or_else(|| NotEstimable::new("too_few_slopes", format!("{count} slopes are too few for an interval")));
    let interval = |lower, upper| Interval { lower, upper, level, method: "Passing–Bablok" };
    Ok(Line {
        slope,
        intercept: through(slope),
        standard_errors: None,
        slope_interval: limits.clone().map(|(low, high)| interval(low, high)),
        intercept_interval: limits.map(|(low, high)| interval(through(high), through(low))),
    })
}

/// Spearman's rank correlation: Pearson's of the mid-ranks.
pub fn spearman(x: &[f64], y: &[f64]) -> Estimable<f64> {
    check(x, y, 2)?;
    let (a, b) = (mid_ranks(x), mid_ranks(y));
    let centre = (x.len() as f64 + 1.0) / 2.0;
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - centre) * (b - centre)).sum::<f64>();
    let scale = product(&a, &a).sqrt() * product(&b, &b).sqrt();
    if scale == 0.0 {
        return Err(NotEstimable::new("constant", "all values of one side are alike"));
    }
    Ok(product(&a, &b) / scale)
}

/// Which class a value on a cut belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtCut {
    Below,
    Above,
}

/// The class of a measured value, 0 for the lowest; `cuts` rise, each with the rule for a value that equals it.
pub fn class_of(value: f64, cuts: &[(f64, AtCut)]) -> usize {
    cuts.iter().filter(|(cut, rule)| value > *cut || (value == *cut && *rule == AtCut::Above)).count()
}

/// Distances of the landmark pairs of one case after registration.
#[derive(Debug, Clone, PartialEq)]
pub struct RegistrationError {
    /// In the unit of the coordinates.
    pub distances: Vec<f64>,
    /// mTRE of the case.
    pub mean: f64,
    pub minimum: f64,
    pub maximum: f64,
}

/// Target registration error: the Euclidean distances between corresponding landmarks (Fitzpatrick and West 2001).
pub fn registration_error(fixed: &[[f64; 3]], moved: &[[f64; 3]]) -> Estimable<RegistrationError> {
    if fixed.len() != moved.len() || fixed.is_empty() {
        return Err(NotEstimable::new("landmarks", format!("{} and {} landmarks", fixed.len(), moved.len())));
    }
    let distances: Vec<f64> = fixed
        .iter()
        .zip(moved)
        .map(|(a, b)| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt())
        .collect();
    let minimum = distances.iter().copied().fold(f64::INFINITY, f64::min);
    let maximum = distances.iter().copied().fold(0.0, f64::max);
    if !maximum.is_finite() || !minimum.is_finite() {
        return Err(NotEstimable::new("not_finite", "a coordinate is not a number"));
    }
    Ok(RegistrationError { mean: mean(&distances), minimum, maximum, distances })
}

/// Standard deviation with divisor n − `lost`.
pub fn deviation(values: &[f64], lost: u8) -> Estimable<f64> {
    let divisor = values.len() as f64 - f64::from(lost);
    if divisor <= 0.0 {
        return Err(NotEstimable::new("too_few_values", format!("{} values have no deviation", values.len())));
    }
    let centre = mean(values);
    Ok((values.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / divisor).sqrt())
}

fn check(x: &[f64], y: &[f64], least: usize) -> Estimable<()> {
    if x.len() != y.len() || x.len() < least {
        let reason = format!("{} reference and {} measured values; {least} pairs are needed", x.len(), y.len());
        return Err(NotEstimable::new("pairs", reason));
    }
    if x.iter().chain(y).any(|v| !v.is_finite()) {
        return Err(NotEstimable::new("not_finite", "a value is not a finite number"));
    }
    Ok(())
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { f64::midpoint(values[half - 1], values[half]) }
}

fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        for &i in tied {
            ranks[i] = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        }
        before += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_error_is_found() {
        let x: Vec<f64> = (0..12).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| 3.0 + 2.0 * x).collect();
        for line in [deming(&x, &y, 1.0, 0.95).unwrap(), passing_bablok(&x, &y, 0.95).unwrap()] {
            assert!((line.slope - 2.0).abs() < 1e-12 && (line.intercept - 3.0).abs() < 1e-12);
        }
        assert!((spearman(&x, &y).unwrap() - 1.0).abs() < 1e-15);
        assert!(deming(&x, &[1.0; 12], 1.0, 0.95).is_err());
    }

    #[test]
    fn deming_leaves_one_out_as_if_it_were_not_there() {
        let (x, y) = ([1.0, 2.0, 4.0, 7.0, 9.0], [1.2, 2.5, 3.6, 7.4, 8.7]);
        let slopes: Vec<f64> = (0..5)
            .map(|out| {
                let without = |v: &[f64; 5]| (0..5).filter(|&i| i != out).map(|i| v[i]).collect::<Vec<_>>();
                deming(&without(&x), &without(&y), 2.0, 0.95).unwrap().slope
            })
            .collect();
        let centre = mean(&slopes);
        let spread = (0.8 * slopes.iter().map(|s| (s - centre).powi(2)).sum::<f64>()).sqrt();
        let found = deming(&x, &y, 2.0, 0.95).unwrap().standard_errors.unwrap().0;
        assert!((found - spread).abs() < 1e-12);
    }

    #[test]
    fn what_has_no_answer_says_so() {
        assert!(Errors::new(&[], &[]).is_err());
        let errors = Errors::new(&[0.0, 0.0], &[1.0, -1.0]).unwrap();
        assert!(errors.explained().is_err() && errors.mean_absolute_share().is_err());
        assert_eq!((errors.bias(), errors.mean_absolute(), errors.within(1.0)), (0.0, 1.0, 1.0));
        assert_eq!(class_of(300.0, &[(300.0, AtCut::Above), (450.0, AtCut::Below)]), 1);
        assert!(registration_error(&[], &[]).is_err());
    }
}
