//! Two binary readings of the same cases: difference of proportions, McNemar's tests, odds ratio.
//!
//! Comparing such readings as if they came from different cases throws away what the pairing shows
//! (or, the other way round, claims it): everything here rests on the discordant pairs.

use super::odds::OpenInterval;
use super::proportion::{ProportionMethod, check_level, proportion, wilson_limits};
use super::quantiles::{binomial_cdf, binomial_pmf, chi2_sf, norm_multiplier, norm_sf};
use super::root::brent;
use super::{Estimable, Interval, NotEstimable};
use serde::Serialize;

/// Counts of cases by two readings of each, A and B.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PairedTable {
    /// A yes, B yes (n11)
    pub both: u64,
    /// A yes, B no (n12)
    pub only_a: u64,
    /// A no, B yes (n21)
    pub only_b: u64,
    /// A no, B no (n22)
    pub neither: u64,
}

/// A method for the interval of p_A − p_B.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum PairedDifferenceMethod {
    /// Wald: d ± z √(b + c − (b − c)²/N)/N.
    Wald,
    /// Newcombe (1998b) method 10: square-and-add of the two Wilson intervals with corrected φ.
    Newcombe,
    /// Tango (1998) score interval.
    Tango,
}

/// p_A − p_B with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairedDifference {
    pub estimate: f64,
    /// Wald standard error of the difference.
    pub standard_error: f64,
    pub interval: Interval,
    pub n: u64,
}

/// A test statistic with its p-value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ChiSquareTest {
    pub chi2: f64,
    pub df: f64,
    pub p: f64,
}

/// A one-sided test with a normal statistic.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ZTest {
    pub z: f64,
    /// P(Z > z)
    pub p_one_sided: f64,
}

/// The odds ratio of a matched pair design, b/c.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairedOddsRatio {
    /// Not estimable without a pair of the kind "only B".
    pub estimate: Estimable<f64>,
    /// √(1/b + 1/c)
    pub log_se: Estimable<f64>,
    pub wald: Estimable<Interval>,
    /// From the Clopper–Pearson limits of b/(b + c).
    pub exact: Estimable<OpenInterval>,
}

impl PairedTable {
    pub fn n(&self) -> u64 {
        self.both + self.only_a + self.only_b + self.neither
    }

    pub fn discordant(&self) -> u64 {
        self.only_a + self.only_b
    }

    fn require_cases(&self) -> Estimable<f64> {
        match self.n() {
            0 => Err(NotEstimable::new("empty_denominator", "a paired table needs at least one case: N = 0")),
            n => Ok(n as f64),
        }
    }

    fn require_discordant(&self) -> Estimable<f64> {
        match self.discordant() {
            0 => Err(NotEstimable::new(
                "no_discordant_pair",
                format!("no case was read differently (N = {}), so the statistic is 0/0", self.n()),
            )),
            n => Ok(n as f64),
        }
    }
}

/// p_A − p_B and its interval at `level`.
pub fn paired_difference(
    table: &PairedTable,
    method: PairedDifferenceMethod,
    level: f64,
) -> Estimable<PairedDifference> {
    check_level(level)?;
    let n = table.require_cases()?;
    let (b, c) = (table.only_a as f64, table.only_b as f64);
    let estimate = (b - c) / n;
    let standard_error = (b + c - (b - c) * (b - c) / n).max(0.0).sqrt() / n;
    let z = norm_multiplier(level);
    let (lower, upper, name) = match method {
        PairedDifferenceMethod::Wald => {
            if standard_error == 0.0 {
                return Err(NotEstimable::new(
                    "wald_zero_width",
                    "the Wald interval of the paired difference has zero width here; choose another method",
                ));
            }
            let half = z * standard_error;
            ((estimate - half).max(-1.0), (estimate + half).min(1.0), "paired Wald")
        }
        PairedDifferenceMethod::Newcombe => {
            let (low, high) = newcombe_limits(table, z);
            (low, high, "Newcombe square-and-add, paired")
        }
        PairedDifferenceMethod::Tango => {
            let (low, high) = tango_limits(table, z);
            (low, high, "Tango score")
        }
    };
    Ok(PairedDifference {
        estimate,
        standard_error,
        interval: Interval { lower, upper, level, method: name },
        n: table.n(),
    })
}

/// McNemar's (1947) χ² = (b − c)²/(b + c), one degree of freedom.
pub fn mcnemar(table: &PairedTable) -> Estimable<ChiSquareTest> {
    let n = table.require_discordant()?;
    let gap = table.only_a.abs_diff(table.only_b) as f64;
    Ok(chi_square_1(gap * gap / n))
}

/// McNemar's test with continuity correction: (|b − c| − 1)²/(b + c), and 0 where b = c.
pub fn mcnemar_corrected(table: &PairedTable) -> Estimable<ChiSquareTest> {
    let n = table.require_discordant()?;
    let gap = table.only_a.abs_diff(table.only_b).saturating_sub(1) as f64;
    Ok(chi_square_1(gap * gap / n))
}

/// Two-sided exact McNemar p-value: twice the smaller binomial tail, at most 1; 1 without a discordant pair.
pub fn mcnemar_exact_p(table: &PairedTable) -> f64 {
    let smaller = table.only_a.min(table.only_b);
    (2.0 * binomial_cdf(smaller, table.discordant(), 0.5)).min(1.0)
}

/// Two-sided mid-p McNemar p-value (Fagerland, Lydersen & Laake 2013), at most 1.
pub fn mcnemar_mid_p(table: &PairedTable) -> f64 {
    let (smaller, n) = (table.only_a.min(table.only_b), table.discordant());
    (2.0 * binomial_cdf(smaller, n, 0.5) - binomial_pmf(smaller, n, 0.5)).min(1.0)
}

/// Tango's (1998) score test of non-inferiority. H0: p_A − p_B ≤ −margin; a small p shows A not inferior.
pub fn tango_noninferiority(table: &PairedTable, margin: f64) -> Estimable<ZTest> {
    table.require_cases()?;
    if !(0.0..1.0).contains(&margin) {
        return Err(NotEstimable::new("margin_out_of_range", format!("a margin lies in [0, 1), not at {margin}")));
    }
    let (gap, variance) = tango_score(table, -margin);
    if variance <= 0.0 {
        return Err(NotEstimable::new(
            "score_variance_zero",
            format!("the score variance at a difference of {} is zero", -margin),
        ));
    }
    let z = gap / variance.sqrt();
    Ok(ZTest { z, p_one_sided: norm_sf(z) })
}

/// The odds ratio b/c of paired readings, with a Wald and an exact interval at `level`.
pub fn paired_odds_ratio(table: &PairedTable, level: f64) -> Estimable<PairedOddsRatio> {
    check_level(level)?;
    let (b, c) = (table.only_a as f64, table.only_b as f64);
    let lacking = |what: &str| {
        NotEstimable::new(
            "zero_discordant_cell",
            format!("{what} with {} pairs of one kind and {} of the other", table.only_a, table.only_b),
        )
    };
    let estimate = if c > 0.0 { Ok(b / c) } else { Err(lacking("the paired odds ratio is unbounded")) };
    let log_se = if b > 0.0 && c > 0.0 {
        Ok((1.0 / b + 1.0 / c).sqrt())
    } else {
        Err(lacking("the logarithm of the paired odds ratio has no standard error"))
    };
    let z = norm_multiplier(level);
    let wald = log_se.clone().map(|se| Interval {
        lower: b / c * (-z * se).exp(),
        upper: b / c * (z * se).exp(),
        level,
        method: "Wald on log paired odds ratio",
    });
    let exact = table.require_discordant().and_then(|_| {
        let limits = proportion(table.only_a, table.discordant(), ProportionMethod::ClopperPearson, level)?.interval;
        let odds = |p: f64| p / (1.0 - p);
        Ok(OpenInterval {
            lower: odds(limits.lower),
            upper: (table.only_b > 0).then(|| odds(limits.upper)),
            level,
            method: "exact, conditional on discordant pairs",
        })
    });
    Ok(PairedOddsRatio { estimate, log_se, wald, exact })
}

fn chi_square_1(chi2: f64) -> ChiSquareTest {
    ChiSquareTest { chi2, df: 1.0, p: chi2_sf(chi2, 1.0) }
}

/// Newcombe (1998b, method 10). φ̂ is corrected by N/2 only where ad − bc > 0, and is 0 where a margin is empty.
fn newcombe_limits(table: &PairedTable, z: f64) -> (f64, f64) {
    let [a, b, c, d] = [table.both, table.only_a, table.only_b, table.neither].map(|count| count as f64);
    let n = a + b + c + d;
    let (p_a, p_b) = ((a + b) / n, (a + c) / n);
    let ((low_a, high_a), (low_b, high_b)) = (wilson_limits(p_a, n, z), wilson_limits(p_b, n, z));
    let margins = (a + b) * (c + d) * (a + c) * (b + d);
    let product = a * d - b * c;
    let phi = if margins == 0.0 {
        0.0
    } else if product > 0.0 {
        (product - 0.5 * n).max(0.0) / margins.sqrt()
    } else {
        product / margins.sqrt()
    };
    let side = |down: f64, up: f64| (down * down - 2.0 * phi * down * up + up * up).max(0.0).sqrt();
    let difference = (b - c) / n;
    (difference - side(p_a - low_a, high_b - p_b), difference + side(high_a - p_a, p_b - low_b))
}

/// Tango's (1998) numerator b − c − Nδ and the variance N(2q̂₂₁ + δ(1 − δ)) at the restricted estimate.
fn tango_score(table: &PairedTable, delta: f64) -> (f64, f64) {
    let (b, c, n) = (table.only_a as f64, table.only_b as f64, table.n() as f64);
    let linear = -b - c + (2.0 * n - b + c) * delta;
    let constant = -c * delta * (1.0 - delta);
    let root = (linear * linear - 8.0 * n * constant).max(0.0).sqrt();
    // The larger root of 2N q² + linear·q + constant = 0, written so that nothing cancels.
    let q21 = if linear > 0.0 { -2.0 * constant / (linear + root) } else { (root - linear) / (4.0 * n) };
    (b - c - n * delta, (n * (2.0 * q21 + delta * (1.0 - delta))).max(0.0))
}

fn tango_limits(table: &PairedTable, z: f64) -> (f64, f64) {
    let difference = (table.only_a as f64 - table.only_b as f64) / table.n() as f64;
    let score = |sign: f64| {
        move |delta: f64| {
            let (gap, variance) = tango_score(table, delta);
            gap - sign * z * variance.sqrt()
        }
    };
    // At the estimate itself the variance can be zero, which is a root of its own: start just beside it.
    // A bracket that is then empty or shows no change of sign means the limit is the end of the range.
    let (below, above) = ((difference - 1e-13).max(-1.0), (difference + 1e-13).min(1.0));
    let lower = brent(-1.0, below, score(1.0)).unwrap_or(-1.0);
    let upper = brent(above, 1.0, score(-1.0)).unwrap_or(1.0);
    (lower, upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: PairedTable = PairedTable { both: 70, only_a: 12, only_b: 3, neither: 15 };

    #[test]
    fn swapping_the_readings_mirrors_the_difference() {
        let swapped = PairedTable { only_a: TABLE.only_b, only_b: TABLE.only_a, ..TABLE };
        for method in [PairedDifferenceMethod::Wald, PairedDifferenceMethod::Newcombe, PairedDifferenceMethod::Tango] {
            let one = paired_difference(&TABLE, method, 0.95).unwrap();
            let two = paired_difference(&swapped, method, 0.95).unwrap();
            assert!((one.interval.lower + two.interval.upper).abs() < 1e-12, "{method:?}");
            assert!(one.interval.lower < one.estimate && one.estimate < one.interval.upper);
        }
        assert_eq!(mcnemar_exact_p(&TABLE), mcnemar_exact_p(&swapped));
    }

    #[test]
    fn tango_limits_and_tango_test_agree() {
        let interval = paired_difference(&TABLE, PairedDifferenceMethod::Tango, 0.95).unwrap().interval;
        // H0 at the lower limit is rejected with exactly half of alpha.
        let (gap, variance) = tango_score(&TABLE, interval.lower);
        assert!((norm_sf(gap / variance.sqrt()) - 0.025).abs() < 1e-12);
        assert!(tango_noninferiority(&TABLE, 0.0).unwrap().p_one_sided < 0.025);
    }

    #[test]
    fn empty_and_one_sided_tables() {
        let empty = PairedTable { both: 0, only_a: 0, only_b: 0, neither: 0 };
        assert_eq!(
            paired_difference(&empty, PairedDifferenceMethod::Tango, 0.95).unwrap_err().code,
            "empty_denominator"
        );
        assert_eq!(mcnemar(&empty).unwrap_err().code, "no_discordant_pair");
        assert_eq!(mcnemar_exact_p(&empty), 1.0);
        let all = PairedTable { both: 0, only_a: 9, only_b: 0, neither: 0 };
        for method in [PairedDifferenceMethod::Newcombe, PairedDifferenceMethod::Tango] {
            let difference = paired_difference(&all, method, 0.95).unwrap();
            assert!((difference.interval.upper - 1.0).abs() < 1e-12 && difference.interval.lower < 1.0, "{method:?}");
        }
        let odds = paired_odds_ratio(&all, 0.95).unwrap();
        assert_eq!(odds.estimate.unwrap_err().code, "zero_discordant_cell");
        assert_eq!(odds.exact.unwrap().upper, None);
    }
}
