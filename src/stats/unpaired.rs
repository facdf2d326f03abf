//! Two independent groups with a binary outcome: difference of proportions, χ² and Fisher's exact inference.
//!
//! Layout: row 1 = group 1 (a yes, b no), row 2 = group 2 (c yes, d no). Woolf's odds ratio stands in [`super::odds`].

use super::odds::{OpenInterval, Table2x2};
use super::paired::ChiSquareTest;
use super::proportion::{check_level, wilson_limits};
use super::quantiles::{chi2_sf, norm_multiplier};
use super::root::brent;
use super::{Estimable, Interval, NotEstimable};
use serde::Serialize;

/// A method for the interval of p₁ − p₂.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum DifferenceMethod {
    /// Wald, unpooled.
    Wald,
    /// Newcombe (1998a) method 10: square-and-add of the two Wilson intervals.
    Newcombe,
    /// Miettinen & Nurminen (1985) score interval with the factor N/(N − 1) on the variance.
    MiettinenNurminen,
}

/// p₁ − p₂ with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    pub estimate: f64,
    /// √(p₁q₁/n₁ + p₂q₂/n₂)
    pub standard_error: f64,
    pub interval: Interval,
}

/// Fisher's exact inference on the odds ratio, conditional on the margins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FisherExact {
    /// Conditional maximum likelihood estimate; not estimable where it is unbounded.
    pub odds_ratio: Estimable<f64>,
    pub interval: OpenInterval,
    /// Two-sided: every table no more likely than the observed one.
    pub p: f64,
}

/// p₁ − p₂ and its interval at `level`, cut to [−1, 1].
pub fn difference(table: &Table2x2, method: DifferenceMethod, level: f64) -> Estimable<Difference> {
    let (lower, upper) = difference_limits(table, method, level)?;
    let groups = Groups::of(table)?;
    let standard_error = (groups.p1 * (1.0 - groups.p1) / groups.n1 + groups.p2 * (1.0 - groups.p2) / groups.n2).sqrt();
    if method == DifferenceMethod::Wald && standard_error == 0.0 {
        return Err(NotEstimable::new(
            "wald_zero_width",
            "the Wald interval of the difference has zero width here; choose another method",
        ));
    }
    let name = match method {
        DifferenceMethod::Wald => "Wald, unpooled",
        DifferenceMethod::Newcombe => "Newcombe square-and-add",
        DifferenceMethod::MiettinenNurminen => "Miettinen–Nurminen score",
    };
    Ok(Difference {
        estimate: groups.p1 - groups.p2,
        standard_error,
        interval: Interval { lower: lower.max(-1.0), upper: upper.min(1.0), level, method: name },
    })
}

/// The limits as the formula gives them, not cut to [−1, 1].
pub fn difference_limits(table: &Table2x2, method: DifferenceMethod, level: f64) -> Estimable<(f64, f64)> {
    check_level(level)?;
    let Groups { n1, n2, p1, p2 } = Groups::of(table)?;
    let z = norm_multiplier(level);
    let gap = p1 - p2;
    Ok(match method {
        DifferenceMethod::Wald => {
            let half = z * (p1 * (1.0 - p1) / n1 + p2 * (1.0 - p2) / n2).sqrt();
            (gap - half, gap + half)
        }
        DifferenceMethod::Newcombe => {
            let ((l1, u1), (l2, u2)) = (wilson_limits(p1, n1, z), wilson_limits(p2, n2, z));
            (gap - (p1 - l1).hypot(u2 - p2), gap + (u1 - p1).hypot(p2 - l2))
        }
        DifferenceMethod::MiettinenNurminen => {
            let score = |sign: f64| move |delta: f64| gap - delta - sign * z * restricted_variance(table, delta).sqrt();
            // At the estimate itself the variance can be zero, which is a root of its own: start just beside it.
            // A bracket that is then empty or shows no change of sign means the limit is the end of the range.
            let (below, above) = ((gap - 1e-13).max(-1.0), (gap + 1e-13).min(1.0));
            (brent(-1.0, below, score(1.0)).unwrap_or(-1.0), brent(above, 1.0, score(-1.0)).unwrap_or(1.0))
        }
    })
}

/// Pearson's χ² with one degree of freedom, with or without Yates' correction (at most the smallest |O − E|).
pub fn chi_square(table: &Table2x2, yates: bool) -> Estimable<ChiSquareTest> {
    let Groups { n1, n2, .. } = Groups::of(table)?;
    let n = n1 + n2;
    let (yes, no) = ((table.a + table.c) as f64, (table.b + table.d) as f64);
    if yes == 0.0 || no == 0.0 {
        return Err(NotEstimable::new("empty_margin", "χ² needs both outcomes: all observations are alike"));
    }
    let gap = (table.a as f64 - n1 * yes / n).abs();
    let gap = gap - if yates { gap.min(0.5) } else { 0.0 };
    let chi2 = gap * gap * n * n * n / (n1 * n2 * yes * no);
    Ok(ChiSquareTest { chi2, df: 1.0, p: chi2_sf(chi2, 1.0) })
}

/// Fisher's exact test with the conditional estimate and limits of the odds ratio (Cornfield 1956).
pub fn fisher_exact(table: &Table2x2, level: f64) -> Estimable<FisherExact> {
    check_level(level)?;
    Groups::of(table)?;
    let hyper = Hypergeometric::of(table);
    let x = table.a;
    let (first, last) = (hyper.first, hyper.first + hyper.log_weights.len() as u64 - 1);
    if first == last {
        return Err(NotEstimable::new(
            "empty_margin",
            "the margins allow one table only, so it says nothing of the odds ratio",
        ));
    }
    let tail = 0.5 * (1.0 - level);
    // Every weight is finite on the log scale, so this range holds any root that counts can give.
    let solve = |f: &dyn Fn(f64) -> f64| brent(-80.0, 80.0, f).map(f64::exp);
    let failed = || NotEstimable::new("no_root", "the odds ratio lies beyond e±80");
    let at_least = |log_or: f64| hyper.sum(log_or, |k| k >= x) - tail;
    let at_most = |log_or: f64| hyper.sum(log_or, |k| k <= x) - tail;
    let odds_ratio = if x == first {
        Ok(0.0)
    } else if x == last {
        Err(NotEstimable::new(
            "zero_cell",
            "the conditional odds ratio is unbounded: the table lies at the end of its range",
        ))
    } else {
        solve(&|log_or| hyper.mean(log_or) - x as f64).ok_or_else(failed)
    };
    let lower = if x == first { 0.0 } else { solve(&at_least).ok_or_else(failed)? };
    let upper = if x == last { None } else { Some(solve(&at_most).ok_or_else(failed)?) };
    let observed = hyper.probability(x);
    let p = hyper.sum(0.0, |k| hyper.probability(k) <= observed * (1.0 + 1e-7)).min(1.0);
    Ok(FisherExact {
        odds_ratio,
        interval: OpenInterval { lower, upper, level, method: "Fisher exact, conditional" },
        p,
    })
}

struct Groups {
    n1: f64,
    n2: f64,
    p1: f64,
    p2: f64,
}

impl Groups {
    fn of(table: &Table2x2) -> Estimable<Self> {
        let (n1, n2) = (table.a + table.b, table.c + table.d);
        if n1 == 0 || n2 == 0 {
            return Err(NotEstimable::new(
                "empty_group",
                format!("both groups need observations: n1 = {n1}, n2 = {n2}"),
            ));
        }
        Ok(Self { n1: n1 as f64, n2: n2 as f64, p1: table.a as f64 / n1 as f64, p2: table.c as f64 / n2 as f64 })
    }
}

/// Variance of p̂₁ − p̂₂ at the maximum likelihood estimates under p₁ − p₂ = δ, times N/(N − 1)
/// (Miettinen & Nurminen 1985, appendix I: trigonometric root of the cubic, sharpened by Newton steps).
fn restricted_variance(table: &Table2x2, delta: f64) -> f64 {
    let (x2, events) = (table.c as f64, (table.a + table.c) as f64);
    let (n1, n2) = ((table.a + table.b) as f64, (table.c + table.d) as f64);
    let n = n1 + n2;
    let l3 = n;
    let l2 = (n1 + 2.0 * n2) * delta - n - events;
    let l1 = (n2 * delta - n - 2.0 * x2) * delta + events;
    let l0 = x2 * delta * (1.0 - delta);
    let third = l2 / (3.0 * l3);
    let q = third.powi(3) - l1 * l2 / (6.0 * l3 * l3) + l0 / (2.0 * l3);
    let size = (third * third - l1 / (3.0 * l3)).max(0.0).sqrt();
    let p = if q < 0.0 { -size } else { size };
    let angle = if size == 0.0 { 0.0 } else { (std::f64::consts::PI + (q / p.powi(3)).clamp(-1.0, 1.0).acos()) / 3.0 };
    let (low, high) = ((-delta).max(0.0), (1.0 - delta).min(1.0));
    let mut root = (2.0 * p * angle.cos() - third).clamp(low, high);
    for _ in 0..3 {
        let value = ((l3 * root + l2) * root + l1) * root + l0;
        let slope = (3.0 * l3 * root + 2.0 * l2) * root + l1;
        let next = root - value / slope;
        if !next.is_finite() || (next - root).abs() > 1e-6 {
            break;
        }
        root = next.clamp(low, high);
    }
    let first = (root + delta).clamp(0.0, 1.0);
    (first * (1.0 - first) / n1 + root * (1.0 - root) / n2) * n / (n - 1.0)
}

/// Fisher's noncentral hypergeometric distribution of cell a, given the margins.
struct Hypergeometric {
    first: u64,
    /// Log probability up to a constant at odds ratio 1, for first, first + 1, …
    log_weights: Vec<f64>,
}

impl Hypergeometric {
    fn of(table: &Table2x2) -> Self {
        let (row, column, other_row) = (table.a + table.b, table.a + table.c, table.c + table.d);
        let first = column.saturating_sub(other_row);
        let last = row.min(column);
        let mut log_weights = vec![0.0];
        // Ratios of neighbours are exact products of counts; factorials would lose digits at large counts.
        for k in first..last {
            let up = (row - k) as f64 * (column - k) as f64;
            let down = (k + 1) as f64 * (other_row + k + 1 - column) as f64;
            log_weights.push(log_weights[log_weights.len() - 1] + (up / down).ln());
        }
        let top = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        log_weights.iter_mut().for_each(|weight| *weight -= top);
        Self { first, log_weights }
    }

    /// Weights at the odds ratio exp(log_or), scaled so that the largest is 1, with their total.
    fn weights(&self, log_or: f64) -> (Vec<f64>, f64) {
        let tilted: Vec<f64> = self.log_weights.iter().enumerate().map(|(i, w)| w + i as f64 * log_or).collect();
        let top = tilted.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = tilted.iter().map(|w| (w - top).exp()).collect();
        let total = weights.iter().sum();
        (weights, total)
    }

    fn sum(&self, log_or: f64, keep: impl Fn(u64) -> bool) -> f64 {
        let (weights, total) = self.weights(log_or);
        let kept: f64 = weights.iter().enumerate().filter(|&(i, _)| keep(self.first + i as u64)).map(|(_, w)| w).sum();
        kept / total
    }

    fn mean(&self, log_or: f64) -> f64 {
        let (weights, total) = self.weights(log_or);
        let sum: f64 = weights.iter().enumerate().map(|(i, w)| (self.first + i as u64) as f64 * w).sum();
        sum / total
    }

    /// Up to a constant, at odds ratio 1.
    fn probability(&self, k: u64) -> f64 {
        self.log_weights[(k - self.first) as usize].exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restricted_estimates_solve_the_likelihood() {
        // The score equation of the restricted likelihood is the cubic; its root must also beat its neighbours.
        let table = Table2x2 { a: 7, b: 3, c: 2, d: 8 };
        let log_likelihood = |p2: f64, delta: f64| {
            let p1 = p2 + delta;
            7.0 * p1.ln() + 3.0 * (1.0 - p1).ln() + 2.0 * p2.ln() + 8.0 * (1.0 - p2).ln()
        };
        for delta in [-0.3, 0.0, 0.2, 0.6] {
            let best = (1..100_000)
                .map(|i| f64::from(i) / 100_000.0)
                .filter(|p2| p2 + delta > 0.0 && p2 + delta < 1.0)
                .max_by(|x, y| log_likelihood(*x, delta).total_cmp(&log_likelihood(*y, delta)))
                .unwrap();
            let p1 = best + delta;
            let want = (p1 * (1.0 - p1) / 10.0 + best * (1.0 - best) / 10.0) * 20.0 / 19.0;
            assert!((restricted_variance(&table, delta) - want).abs() < 1e-5, "{delta}");
        }
    }

    #[test]
    fn fisher_against_arbitrary_precision() {
        // mpmath 1.3 with 30 digits; R's fisher.test stops four digits earlier.
        for ([a, b, c, d], ratio, low, high) in [
            ([40, 5, 13, 56], 32.894_189_924_664_8, 10.406_431_384_972_62, 128.408_196_029_772_6),
            ([1, 9, 8, 2], 0.036_594_102_683_189_76, 0.000_565_946_856_453_400_5, 0.485_916_308_803_161_8),
            ([7, 3, 2, 8], 8.153_835_414_504_29, 0.882_115_186_936_686_9, 127.009_025_324_291_4),
        ] {
            let exact = fisher_exact(&Table2x2 { a, b, c, d }, 0.95).unwrap();
            for (got, want) in
                [(exact.odds_ratio.unwrap(), ratio), (exact.interval.lower, low), (exact.interval.upper.unwrap(), high)]
            {
                assert!((got / want - 1.0).abs() < 1e-12, "{got} {want}");
            }
        }
    }

    #[test]
    fn limits_exist_for_empty_and_full_groups() {
        for (a, b, c, d) in [(0, 10, 0, 10), (10, 0, 10, 0), (10, 0, 0, 10), (0, 1, 1, 0)] {
            let table = Table2x2 { a, b, c, d };
            for method in [DifferenceMethod::Newcombe, DifferenceMethod::MiettinenNurminen] {
                let found = difference(&table, method, 0.95).unwrap();
                let Interval { lower, upper, .. } = found.interval;
                assert!(-1.0 <= lower && lower < upper && upper <= 1.0, "{table:?} {method:?} {lower} {upper}");
                assert!(lower <= found.estimate && found.estimate <= upper);
            }
            assert!(difference(&table, DifferenceMethod::Wald, 0.95).is_err());
        }
        let empty = Table2x2 { a: 0, b: 0, c: 1, d: 2 };
        assert_eq!(difference(&empty, DifferenceMethod::Newcombe, 0.95).unwrap_err().code, "empty_group");
        let alike = Table2x2 { a: 3, b: 0, c: 2, d: 0 };
        assert_eq!(fisher_exact(&alike, 0.95).unwrap_err().code, "empty_margin");
        assert_eq!(chi_square(&alike, false).unwrap_err().code, "empty_margin");
    }
}
