//! The noncentral t distribution, for the exact limits of limits of agreement.

use crate::stats::quantiles::norm_cdf;
use crate::stats::root::brent;
use statrs::function::gamma::ln_gamma;

/// P(T ≤ t) of T = (Z + δ)/√(V/ν) as ∫ Φ(t·s − δ) f(s) ds over s = √(V/ν), V ~ χ²_ν, by composite Gauss–Legendre.
///
/// The range holds V but for e⁻⁴⁰ on either side (Laurent & Massart 2000, lemma 1). ν ≥ 1.
pub(super) fn cdf(t: f64, nu: f64, delta: f64) -> f64 {
    const TAIL: f64 = 40.0;
    const PANELS: usize = 200;
    /// Five-point nodes and weights on [−1, 1].
    const NODES: [(f64, f64); 5] = [
        (-0.906_179_845_938_664, 0.236_926_885_056_189_1),
        (-0.538_469_310_105_683_1, 0.478_628_670_499_366_47),
        (0.0, 0.568_888_888_888_888_9),
        (0.538_469_310_105_683_1, 0.478_628_670_499_366_47),
        (0.906_179_845_938_664, 0.236_926_885_056_189_1),
    ];
    let spread = (TAIL / nu).sqrt();
    let low = (1.0 - 2.0 * spread).max(0.0).sqrt();
    let high = (1.0 + 2.0 * spread + 2.0 * TAIL / nu).sqrt();
    let log_constant = 2.0_f64.ln() + 0.5 * nu * (0.5 * nu).ln() - ln_gamma(0.5 * nu);
    let width = (high - low) / PANELS as f64;
    let mut sum = 0.0;
    for panel in 0..PANELS {
        let middle = low + (panel as f64 + 0.5) * width;
        for (node, weight) in NODES {
            let s = middle + 0.5 * width * node;
            let density = (log_constant + (nu - 1.0) * s.ln() - 0.5 * nu * s * s).exp();
            sum += weight * density * norm_cdf(t * s - delta);
        }
    }
    0.5 * width * sum
}

/// The t with P(T ≤ t) = p, 0 < p < 1; `None` where no bracket is found.
pub(super) fn quantile(p: f64, nu: f64, delta: f64) -> Option<f64> {
    let (mut low, mut high) = (delta - 2.0, delta + 2.0);
    let mut reach = 2.0;
    for _ in 0..60 {
        if cdf(low, nu, delta) < p {
            break;
        }
        reach *= 2.0;
        low = delta - reach;
    }
    reach = 2.0;
    for _ in 0..60 {
        if cdf(high, nu, delta) > p {
            break;
        }
        reach *= 2.0;
        high = delta + reach;
    }
    brent(low, high, |t| cdf(t, nu, delta) - p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::quantiles::t_cdf;

    #[test]
    fn centre_is_students_t() {
        for (t, nu) in [(0.5, 1.0), (-2.0, 3.0), (1.96, 29.0), (2.5, 1000.0)] {
            assert!((cdf(t, nu, 0.0) - t_cdf(t, nu)).abs() < 1e-11, "{t} {nu}");
        }
    }

    #[test]
    fn quantile_inverts() {
        for nu in [1.0, 4.0, 24.0, 200.0] {
            for p in [0.025, 0.5, 0.975] {
                let delta = 1.96 * (nu + 1.0_f64).sqrt();
                assert!((cdf(quantile(p, nu, delta).unwrap(), nu, delta) - p).abs() < 1e-12, "{nu} {p}");
            }
        }
    }

    #[test]
    fn at_zero_it_is_the_normal_tail() {
        // P(T ≤ 0) = Φ(−δ) whatever ν
        assert!((cdf(0.0, 7.0, 1.5) - norm_cdf(-1.5)).abs() < 1e-12);
    }
}
