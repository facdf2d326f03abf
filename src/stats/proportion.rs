//! One proportion x/n: its interval by every method a protocol may name, and the exact binomial tests.

use super::quantiles::{beta_quantile, beta_upper_quantile, binomial_cdf, binomial_pmf, binomial_sf, norm_multiplier};
use super::root::brent;
use super::{Estimable, Interval, NotEstimable};
use serde::Serialize;

/// How the interval of a proportion is made. The protocol names one; none is chosen here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ProportionMethod {
    /// Clopper & Pearson (1934), exact: coverage never below the level.
    ClopperPearson,
    /// Clopper–Pearson with half the probability of the observed count (Lancaster 1961): mean coverage near the level.
    MidP,
    /// Wilson (1927) score interval.
    Wilson,
    /// Wilson with continuity correction in closed form (Newcombe 1998, method 4).
    WilsonContinuity,
    /// Agresti & Coull (1998).
    AgrestiCoull,
    /// p ± z √(p(1 − p)/n). Has zero width at 0 and n, where it is refused.
    Wald,
    /// Jeffreys' prior Beta(½, ½), equal tails.
    Jeffreys,
    /// Jeffreys with the lower limit 0 at x = 0 and the upper limit 1 at x = n (Brown, Cai & DasGupta 2001).
    JeffreysModified,
    /// Wald on the logit scale; at x = 0 and x = n the Clopper–Pearson limit of the open side.
    Logit,
}

impl ProportionMethod {
    pub const ALL: [Self; 9] = [
        Self::ClopperPearson,
        Self::MidP,
        Self::Wilson,
        Self::WilsonContinuity,
        Self::AgrestiCoull,
        Self::Wald,
        Self::Jeffreys,
        Self::JeffreysModified,
        Self::Logit,
    ];

    /// The name as it is printed beside the interval.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClopperPearson => "Clopper–Pearson",
            Self::MidP => "mid-p Clopper–Pearson",
            Self::Wilson => "Wilson",
            Self::WilsonContinuity => "Wilson with continuity correction",
            Self::AgrestiCoull => "Agresti–Coull",
            Self::Wald => "Wald",
            Self::Jeffreys => "Jeffreys",
            Self::JeffreysModified => "Jeffreys, modified at the ends",
            Self::Logit => "logit",
        }
    }
}

/// A proportion with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Proportion {
    /// x/n
    pub estimate: f64,
    pub x: u64,
    pub n: u64,
    /// Inside [0, 1]; exactly 0 at x = 0 and exactly 1 at x = n, but for `Jeffreys`, whose equal tails stop short of them.
    pub interval: Interval,
}

/// Which side a one-sided test looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Alternative {
    /// The true value lies above the tested one.
    Greater,
    /// The true value lies below the tested one.
    Less,
    TwoSided,
}

/// x/n with its two-sided interval at `level`, cut to [0, 1].
///
/// Not estimable: n = 0; the Wald interval at x = 0 or x = n, whose width of zero would claim certainty.
pub fn proportion(x: u64, n: u64, method: ProportionMethod, level: f64) -> Estimable<Proportion> {
    check_counts(x, n)?;
    if method == ProportionMethod::Wald && (x == 0 || x == n) {
        return Err(NotEstimable::new(
            "wald_zero_width",
            format!("the Wald interval has zero width at {x} of {n}; choose another method"),
        ));
    }
    let (low, high) = proportion_limits(x, n, method, level)?;
    let (mut lower, mut upper) = (low.clamp(0.0, 1.0), high.clamp(0.0, 1.0));
    // The Wilson limits are 0 and 1 here by their formula, but rounding leaves about 1e-17.
    if method != ProportionMethod::Jeffreys {
        if x == 0 {
            lower = 0.0;
        }
        if x == n {
            upper = 1.0;
        }
    }
    let interval = Interval { lower, upper, level, method: method.name() };
    Ok(Proportion { estimate: x as f64 / n as f64, x, n, interval })
}

/// The one-sided lower confidence bound at `level` (0.5 < level < 1), which is the lower end of the two-sided interval at 2·level − 1;
/// the upper end of the returned interval is 1.
pub fn proportion_lower_bound(x: u64, n: u64, method: ProportionMethod, level: f64) -> Estimable<Proportion> {
    check_one_sided_level(level)?;
    let mut bound = proportion(x, n, method, 2.0 * level - 1.0)?;
    bound.interval.upper = 1.0;
    bound.interval.level = level;
    Ok(bound)
}

/// The one-sided upper confidence bound at `level`; the lower end of the returned interval is 0.
pub fn proportion_upper_bound(x: u64, n: u64, method: ProportionMethod, level: f64) -> Estimable<Proportion> {
    check_one_sided_level(level)?;
    let mut bound = proportion(x, n, method, 2.0 * level - 1.0)?;
    bound.interval.lower = 0.0;
    bound.interval.level = level;
    Ok(bound)
}

/// The two limits as the formula gives them, not cut to [0, 1]: for comparison with other programs, not for reports.
pub fn proportion_limits(x: u64, n: u64, method: ProportionMethod, level: f64) -> Estimable<(f64, f64)> {
    check_counts(x, n)?;
    check_level(level)?;
    let tail = 0.5 * (1.0 - level);
    let z = norm_multiplier(level);
    let (xf, nf) = (x as f64, n as f64);
    let p = xf / nf;
    Ok(match method {
        ProportionMethod::ClopperPearson => clopper_pearson(x, n, tail),
        ProportionMethod::MidP => mid_p(x, n, tail),
        ProportionMethod::Wilson => wilson_limits(p, nf, z),
        ProportionMethod::WilsonContinuity => {
            // Newcombe 1998, method 4
            let scale = 2.0 * (nf + z * z);
            let base = 2.0 * xf + z * z;
            let low = z * z - 2.0 - 1.0 / nf + 4.0 * p * (nf * (1.0 - p) + 1.0);
            let high = z * z + 2.0 - 1.0 / nf + 4.0 * p * (nf * (1.0 - p) - 1.0);
            (
                if x == 0 { 0.0 } else { ((base - 1.0 - z * low.sqrt()) / scale).max(0.0) },
                if x == n { 1.0 } else { ((base + 1.0 + z * high.sqrt()) / scale).min(1.0) },
            )
        }
        ProportionMethod::AgrestiCoull => {
            let n_tilde = nf + z * z;
            let p_tilde = (xf + 0.5 * z * z) / n_tilde;
            let half = z * (p_tilde * (1.0 - p_tilde) / n_tilde).sqrt();
            (p_tilde - half, p_tilde + half)
        }
        ProportionMethod::Wald => {
            let half = z * (p * (1.0 - p) / nf).sqrt();
            (p - half, p + half)
        }
        ProportionMethod::Jeffreys => jeffreys(xf, nf, tail),
        ProportionMethod::JeffreysModified => {
            let (low, high) = jeffreys(xf, nf, tail);
            (if x == 0 { 0.0 } else { low }, if x == n { 1.0 } else { high })
        }
        ProportionMethod::Logit => {
            if x == 0 || x == n {
                clopper_pearson(x, n, tail)
            } else {
                let logit = (xf / (nf - xf)).ln();
                let half = z * (1.0 / xf + 1.0 / (nf - xf)).sqrt();
                let back = |t: f64| 1.0 / (1.0 + (-t).exp());
                (back(logit - half), back(logit + half))
            }
        }
    })
}

/// Exact binomial test of the proportion against `p0`, 0 ≤ p0 ≤ 1: the p-value.
///
/// The two-sided p-value adds every count no more likely than the observed one (as Fisher; Irwin 1935), with the
/// customary relative slack of 1e-7 so that equal probabilities are not parted by rounding.
pub fn binomial_test(x: u64, n: u64, p0: f64, alternative: Alternative) -> Estimable<f64> {
    check_counts(x, n)?;
    if !(0.0..=1.0).contains(&p0) {
        return Err(NotEstimable::new("probability_out_of_range", format!("a proportion of {p0} cannot be tested")));
    }
    let at_least = |k: u64| if k == 0 { 1.0 } else { binomial_sf(k - 1, n, p0) };
    Ok(match alternative {
        Alternative::Greater => at_least(x),
        Alternative::Less => binomial_cdf(x, n, p0),
        Alternative::TwoSided => {
            let mean = n as f64 * p0;
            let bound = binomial_pmf(x, n, p0) * (1.0 + 1e-7);
            if x as f64 == mean {
                return Ok(1.0);
            }
            // The probabilities fall away on both sides of the mean, so the other tail begins at a bisection point.
            if (x as f64) < mean {
                let begin = first_true(mean.ceil() as u64, n + 1, |k| binomial_pmf(k, n, p0) <= bound);
                let other = if begin > n { 0.0 } else { at_least(begin) };
                (binomial_cdf(x, n, p0) + other).min(1.0)
            } else {
                // number of counts 0..=floor(mean) that are no more likely
                let end = first_true(0, mean.floor() as u64 + 1, |k| binomial_pmf(k, n, p0) > bound);
                let other = if end == 0 { 0.0 } else { binomial_cdf(end - 1, n, p0) };
                (at_least(x) + other).min(1.0)
            }
        }
    })
}

/// Wilson's limits for a proportion p of n, n > 0 (n need not be whole: clustered data pass an effective size).
pub(crate) fn wilson_limits(p: f64, n: f64, z: f64) -> (f64, f64) {
    let scale = 1.0 + z * z / n;
    let middle = p + z * z / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    ((middle - half) / scale, (middle + half) / scale)
}

pub(crate) fn check_level(level: f64) -> Estimable<()> {
    if level > 0.0 && level < 1.0 {
        return Ok(());
    }
    Err(NotEstimable::new("level_out_of_range", format!("a confidence level lies between 0 and 1, not {level}")))
}

pub(crate) fn check_one_sided_level(level: f64) -> Estimable<()> {
    if level > 0.5 && level < 1.0 {
        return Ok(());
    }
    Err(NotEstimable::new("level_out_of_range", format!("a one-sided level lies between 0.5 and 1, not {level}")))
}

fn check_counts(x: u64, n: u64) -> Estimable<()> {
    if n == 0 {
        return Err(NotEstimable::new("empty_denominator", "a proportion needs at least one observation: n = 0"));
    }
    if x > n {
        return Err(NotEstimable::new("count_exceeds_total", format!("{x} of {n} is not a proportion")));
    }
    Ok(())
}

fn clopper_pearson(x: u64, n: u64, tail: f64) -> (f64, f64) {
    let (xf, nf) = (x as f64, n as f64);
    (
        if x == 0 { 0.0 } else { beta_quantile(tail, xf, nf - xf + 1.0) },
        if x == n { 1.0 } else { beta_upper_quantile(tail, xf + 1.0, nf - xf) },
    )
}

fn jeffreys(x: f64, n: f64, tail: f64) -> (f64, f64) {
    (beta_quantile(tail, x + 0.5, n - x + 0.5), beta_upper_quantile(tail, x + 0.5, n - x + 0.5))
}

/// Roots in p of P(X > x) + ½ P(X = x) = tail and of P(X < x) + ½ P(X = x) = tail.
fn mid_p(x: u64, n: u64, tail: f64) -> (f64, f64) {
    let half = |p: f64| 0.5 * binomial_pmf(x, n, p);
    let above = |p: f64| binomial_sf(x, n, p) + half(p) - tail;
    let below = |p: f64| (if x == 0 { 0.0 } else { binomial_cdf(x - 1, n, p) }) + half(p) - tail;
    let p = x as f64 / n as f64;
    // At p = x/n both sums are near one half, beyond any tail, and each falls to 0 at its end of [0, 1].
    let lower = if x == 0 { 0.0 } else { brent(0.0, p, above).unwrap_or(0.0) };
    let upper = if x == n { 1.0 } else { brent(p, 1.0, below).unwrap_or(1.0) };
    (lower, upper)
}

/// The first k in [from, to) for which the monotone `test` holds, else `to`.
fn first_true(from: u64, to: u64, test: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (from, to);
    while low < high {
        let middle = low + (high - low) / 2;
        if test(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reported_intervals_stay_inside_and_close_at_the_ends() {
        for method in ProportionMethod::ALL {
            for (x, n) in [(0, 1), (0, 18), (18, 18), (49, 50), (1, 1), (1, 3), (99_999, 100_000)] {
                let Ok(p) = proportion(x, n, method, 0.95) else {
                    assert!(method == ProportionMethod::Wald && (x == 0 || x == n));
                    continue;
                };
                let Interval { lower, upper, .. } = p.interval;
                assert!(
                    0.0 <= lower && lower <= p.estimate || method == ProportionMethod::Jeffreys,
                    "{method:?} {x}/{n}"
                );
                assert!(upper <= 1.0 && lower < upper, "{method:?} {x}/{n}: {lower} {upper}");
                if method != ProportionMethod::Jeffreys {
                    assert_eq!(lower == 0.0, x == 0 || (lower == 0.0 && n < 4), "{method:?} {x}/{n}: {lower}");
                    assert!(x != n || upper == 1.0);
                }
            }
        }
    }

    #[test]
    fn what_is_no_proportion_is_refused() {
        let code = |r: Estimable<Proportion>| r.unwrap_err().code;
        assert_eq!(code(proportion(0, 0, ProportionMethod::Wilson, 0.95)), "empty_denominator");
        assert_eq!(code(proportion(3, 2, ProportionMethod::Wilson, 0.95)), "count_exceeds_total");
        assert_eq!(code(proportion(1, 2, ProportionMethod::Wilson, 1.0)), "level_out_of_range");
        assert_eq!(code(proportion(1, 2, ProportionMethod::Wilson, f64::NAN)), "level_out_of_range");
        assert_eq!(code(proportion(18, 18, ProportionMethod::Wald, 0.95)), "wald_zero_width");
        assert!(binomial_test(1, 2, 1.5, Alternative::Greater).is_err());
    }

    #[test]
    fn two_sided_test_against_a_full_sum() {
        for (n, p0) in [(1, 0.8), (10, 0.5), (23, 0.13), (40, 0.9)] {
            for x in 0..=n {
                let bound = binomial_pmf(x, n, p0) * (1.0 + 1e-7);
                let sum: f64 = (0..=n).map(|k| binomial_pmf(k, n, p0)).filter(|&d| d <= bound).sum();
                let got = binomial_test(x, n, p0, Alternative::TwoSided).unwrap();
                assert!((got - sum.min(1.0)).abs() < 1e-12, "{x}/{n} at {p0}: {got} {sum}");
            }
        }
    }

    #[test]
    fn one_sided_bound_is_the_two_sided_limit_of_twice_the_tail() {
        let bound = proportion_lower_bound(45, 50, ProportionMethod::ClopperPearson, 0.975).unwrap();
        assert!((bound.interval.lower - 0.781_864_633_6).abs() < 1e-9);
        assert_eq!(bound.interval.upper, 1.0);
        assert!(proportion_upper_bound(45, 50, ProportionMethod::ClopperPearson, 0.4).is_err());
    }
}
