//! Smooth ROC curves by maximum likelihood: the conventional binormal and the likelihood-ratio ("proper") one.
//!
//! Ratings are taken as ordered categories (Dorfman and Alf 1969). Neighbouring levels that hold cases of one class only
//! are merged first, which leaves the likelihood's maximum where it was and makes continuous ratings tractable (Metz,
//! Herman and Shen 1998). The likelihood is written with the probits x of the false-positive fractions at the category
//! bounds, so that the only constraint on them is their order; the true-positive fraction is the curve at x.
//!
//! - Conventional: TPF = Φ(a + b x), AUC = Φ(a / √(1 + b²)).
//! - Proper (Metz and Pan 1999, equations 10 to 12): FPF and TPF from a cutoff v with parameters dₐ ≥ 0 and |c| < 1,
//!   AUC = Φ(dₐ/√2) + 2 Φ₂(−dₐ/√2, 0; −(1 − c²)/(1 + c²)).

use super::fom::Levels;
use crate::stats::quantiles::{norm_cdf, norm_pdf, norm_quantile};
use crate::stats::{Estimable, NotEstimable};
use serde::Serialize;

/// A fitted conventional binormal curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BinormalFit {
    pub a: f64,
    pub b: f64,
    pub auc: f64,
    pub log_likelihood: f64,
}

/// A fitted likelihood-ratio binormal curve in the parameters of Metz and Pan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ProperBinormalFit {
    pub d_a: f64,
    pub c: f64,
    pub auc: f64,
    pub log_likelihood: f64,
}

/// A smooth curve, or a curve that has degenerated: without an operating point inside the unit square the likelihood
/// has no maximum and its supremum is the curve through a corner (Dorfman and Berbaum 1995).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CurveFit<F> {
    Fitted(F),
    /// The area of the limiting curve: 1, ½ or 0.
    Degenerate {
        auc: f64,
    },
}

impl CurveFit<BinormalFit> {
    #[must_use]
    pub fn auc(&self) -> f64 {
        match self {
            Self::Fitted(fit) => fit.auc,
            Self::Degenerate { auc } => *auc,
        }
    }
}

impl CurveFit<ProperBinormalFit> {
    #[must_use]
    pub fn auc(&self) -> f64 {
        match self {
            Self::Fitted(fit) => fit.auc,
            Self::Degenerate { auc } => *auc,
        }
    }
}

/// The conventional binormal curve of these ratings.
///
/// # Errors
/// One class only; a single operating point inside the unit square, which two parameters cannot be told from; a search
/// that does not settle.
pub fn fit_binormal(levels: &Levels) -> Estimable<CurveFit<BinormalFit>> {
    let table = Categories::new(levels)?;
    if let Some(auc) = table.degenerate() {
        return Ok(CurveFit::Degenerate { auc });
    }
    let (a, b) = table.probit_line();
    let best = maximise(&table, &Conventional, [a, b])?;
    let [a, b] = best.parameters;
    let auc = norm_cdf(a / b.hypot(1.0));
    Ok(CurveFit::Fitted(BinormalFit { a, b, auc, log_likelihood: best.log_likelihood }))
}

/// The likelihood-ratio binormal curve of these ratings. Several starts, as its likelihood can have two maxima.
///
/// # Errors
/// As [`fit_binormal`].
pub fn fit_proper_binormal(levels: &Levels) -> Estimable<CurveFit<ProperBinormalFit>> {
    let table = Categories::new(levels)?;
    if let Some(auc) = table.degenerate() {
        // a proper curve never runs below the diagonal
        return Ok(CurveFit::Degenerate { auc: auc.max(0.5) });
    }
    let (a, b) = table.probit_line();
    let d_a = (a * std::f64::consts::SQRT_2 / b.hypot(1.0)).max(0.0);
    let c = (b - 1.0) / (b + 1.0);
    let mut best: Option<Maximum> = None;
    for start in [[d_a, c], [d_a, -c], [d_a, 0.0], [0.3 * d_a, -0.6], [0.3 * d_a, 0.6]] {
        let Ok(found) = maximise(&table, &Proper, start) else { continue };
        if best.as_ref().is_none_or(|best| found.log_likelihood > best.log_likelihood) {
            best = Some(found);
        }
    }
    let best = best.ok_or_else(not_settled)?;
    let [d_a, c] = best.parameters;
    Ok(CurveFit::Fitted(ProperBinormalFit { d_a, c, auc: proper_auc(d_a, c), log_likelihood: best.log_likelihood }))
}

/// Counts by category from the most to the least suspicious, merged where that loses nothing.
struct Categories {
    diseased: Vec<f64>,
    non_diseased: Vec<f64>,
}

impl Categories {
    fn new(levels: &Levels) -> Estimable<Self> {
        let (m, n) = levels.totals();
        if m == 0 || n == 0 {
            return Err(NotEstimable::new("one_class", format!("a curve needs both classes: n+ = {m}, n- = {n}")));
        }
        let mut table = Self { diseased: Vec::new(), non_diseased: Vec::new() };
        for (&d, &h) in levels.diseased.iter().zip(&levels.non_diseased).filter(|(d, h)| **d + **h > 0) {
            let (d, h) = (f64::from(d), f64::from(h));
            match (table.diseased.last_mut(), table.non_diseased.last_mut()) {
                (Some(last_d), Some(last_h)) if (d == 0.0 && *last_d == 0.0) || (h == 0.0 && *last_h == 0.0) => {
                    *last_d += d;
                    *last_h += h;
                }
                _ => {
                    table.diseased.push(d);
                    table.non_diseased.push(h);
                }
            }
        }
        let inside = table.points().iter().filter(|p| p.0 > 0.0 && p.0 < 1.0 && p.1 > 0.0 && p.1 < 1.0).count();
        if inside == 1 && table.points().len() == 1 {
            return Err(NotEstimable::new(
                "curve_not_identified",
                "one operating point does not tell the two parameters of a binormal curve apart",
            ));
        }
        Ok(table)
    }

    /// The operating points between the categories, as (FPF, TPF).
    fn points(&self) -> Vec<(f64, f64)> {
        let (m, n): (f64, f64) = (self.diseased.iter().sum(), self.non_diseased.iter().sum());
        let (mut tp, mut fp) = (0.0, 0.0);
        let inner = self.diseased.len() - 1;
        self.diseased
            .iter()
            .zip(&self.non_diseased)
            .take(inner)
            .map(|(d, h)| {
                tp += d;
                fp += h;
                (fp / n, tp / m)
            })
            .collect()
    }

    fn degenerate(&self) -> Option<f64> {
        let points = self.points();
        if points.is_empty() {
            return Some(0.5);
        }
        if points.iter().all(|p| p.0 <= 0.0 || p.1 >= 1.0) {
            return Some(1.0);
        }
        points.iter().all(|p| p.0 >= 1.0 || p.1 <= 0.0).then_some(0.0)
    }

    /// Least squares of the probits of TPF on those of FPF; the fractions are drawn in by half a case.
    fn probit_line(&self) -> (f64, f64) {
        let z = self.start_probits();
        let (m, n) = (self.diseased.iter().sum::<f64>(), self.non_diseased.iter().sum::<f64>());
        let pairs: Vec<(f64, f64)> =
            self.points().iter().map(|p| (drawn_in(p.0, n), drawn_in(p.1, m))).filter(|p| p.0 > 0.0).collect();
        let y: Vec<f64> = pairs.iter().map(|p| norm_quantile(p.1)).collect();
        let count = z.len() as f64;
        let (mean_x, mean_y) = (z.iter().sum::<f64>() / count, y.iter().sum::<f64>() / count);
        let sxx: f64 = z.iter().map(|x| (x - mean_x).powi(2)).sum();
        let sxy: f64 = z.iter().zip(&y).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        let b = if sxx > 0.0 { (sxy / sxx).clamp(0.1, 10.0) } else { 1.0 };
        (mean_y - b * mean_x, b)
    }

    /// Strictly rising probits to start from.
    fn start_probits(&self) -> Vec<f64> {
        let n: f64 = self.non_diseased.iter().sum();
        let mut x: Vec<f64> = self.points().iter().map(|p| norm_quantile(drawn_in(p.0, n))).collect();
        for at in 1..x.len() {
            x[at] = x[at].max(x[at - 1] + 0.02);
        }
        x
    }
}

fn drawn_in(share: f64, count: f64) -> f64 {
    (share * count + 0.5) / (count + 1.0)
}

/// A family of ROC curves with two parameters, as a function of the probit of the false-positive fraction.
trait Curve {
    /// TPF at x, and its derivatives by both parameters and by x. `None` outside the family.
    fn at(&self, parameters: [f64; 2], x: f64) -> Option<(f64, [f64; 3])>;
    /// The parameters, the first one raised to its lower bound; `None` where they name no curve.
    fn project(&self, parameters: [f64; 2]) -> Option<[f64; 2]>;
    /// Lower bound of the first parameter.
    fn lower_bound(&self) -> f64;
}

struct Conventional;

impl Curve for Conventional {
    fn at(&self, [a, b]: [f64; 2], x: f64) -> Option<(f64, [f64; 3])> {
        let z = a + b * x;
        let density = norm_pdf(z);
        Some((norm_cdf(z), [density, density * x, density * b]))
    }

    fn project(&self, parameters: [f64; 2]) -> Option<[f64; 2]> {
        (parameters[1] > 1e-6 && parameters.iter().all(|p| p.is_finite())).then_some(parameters)
    }

    fn lower_bound(&self) -> f64 {
        f64::NEG_INFINITY
    }
}

struct Proper;

impl Curve for Proper {
    fn at(&self, [d_a, c]: [f64; 2], x: f64) -> Option<(f64, [f64; 3])> {
        let v = proper_cutoff(d_a, c, norm_cdf(x), x)?;
        let (_, by_d_f, by_c_f, by_v_f) = proper_rate(d_a, c, v, -1.0);
        let (tpf, by_d_t, by_c_t, by_v_t) = proper_rate(d_a, c, v, 1.0);
        // along a curve at fixed FPF: dTPF/dp = ∂T/∂p − (∂T/∂v)(∂F/∂p)/(∂F/∂v)
        let slope = if by_v_f.abs() > 1e-300 { by_v_t / by_v_f } else { return None };
        Some((tpf, [by_d_t - slope * by_d_f, by_c_t - slope * by_c_f, slope * norm_pdf(x)]))
    }

    fn project(&self, [d_a, c]: [f64; 2]) -> Option<[f64; 2]> {
        (c.abs() < 1.0 - 1e-9 && d_a.is_finite()).then_some([d_a.max(0.0), c])
    }

    fn lower_bound(&self) -> f64 {
        0.0
    }
}

/// Below this |c| the second branch of the proper curve lies beyond every cutoff in use.
const C_IS_ZERO: f64 = 1e-9;

/// TPF (sign = 1) or FPF (sign = −1) at cutoff v and the derivatives by dₐ, c and v.
fn proper_rate(d_a: f64, c: f64, v: f64, sign: f64) -> (f64, f64, f64, f64) {
    let root = c.hypot(1.0);
    let scale = 1.0 + sign * c;
    let z1 = -scale * v + sign * d_a * root / 2.0;
    let (p1, q1) = (norm_cdf(z1), norm_pdf(z1));
    let (by_d1, by_c1) = (sign * root / 2.0, -sign * v + sign * d_a * c / (2.0 * root));
    if c.abs() < C_IS_ZERO {
        return (p1, q1 * by_d1, q1 * by_c1, -q1 * scale);
    }
    let z2 = -scale * v + d_a * root / (2.0 * c);
    let q2 = norm_pdf(z2);
    // Φ(z₂) − H(c), without cancellation where c > 0
    let p2 = if c > 0.0 { -norm_cdf(-z2) } else { norm_cdf(z2) };
    let by_d2 = root / (2.0 * c);
    let by_c2 = -sign * v + d_a * (1.0 / (2.0 * root) - root / (2.0 * c * c));
    (p1 + p2, q1 * by_d1 + q2 * by_d2, q1 * by_c1 + q2 * by_c2, -(q1 + q2) * scale)
}

/// The cutoff with this false-positive fraction, by bisection made faster with Newton steps. FPF falls from 1 to 0 as v
/// rises; for c > 0 the cutoffs end at dₐ√(1 + c²)/(4c), for c < 0 they start there.
fn proper_cutoff(d_a: f64, c: f64, fpf: f64, x: f64) -> Option<f64> {
    if !(fpf > 0.0 && fpf < 1.0) {
        return None;
    }
    let bound = if c.abs() < C_IS_ZERO { None } else { Some(d_a * c.hypot(1.0) / (4.0 * c)) };
    let reach = (40.0 + d_a) / (1.0 - c);
    let (mut low, mut high) = match bound {
        Some(bound) if c > 0.0 => (bound.min(0.0) - reach, bound.min(reach)),
        Some(bound) => (bound.max(-reach), bound.max(0.0) + reach),
        None => (-reach, reach),
    };
    let mut v = ((-x - d_a * c.hypot(1.0) / 2.0) / (1.0 - c)).clamp(low, high);
    for _ in 0..200 {
        let (value, _, _, slope) = proper_rate(d_a, c, v, -1.0);
        let error = value - fpf;
        if error > 0.0 {
            low = v
        } else {
            high = v
        }
        let newton = v - error / slope;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - v).abs() <= 1e-14 * (1.0 + v.abs()) {
            return Some(next);
        }
        v = next;
    }
    Some(v)
}

fn proper_auc(d_a: f64, c: f64) -> f64 {
    let h = -d_a / std::f64::consts::SQRT_2;
    let rho = -(1.0 - c * c) / (1.0 + c * c);
    norm_cdf(-h) + 2.0 * bivariate_normal_at_zero(h, rho)
}

/// Φ₂(h, 0; ρ) = Φ(h)/2 + (1/2π) ∫₀^{asin ρ} exp(−h² / (2 cos²θ)) dθ (Sheppard's formula with k = 0), by Simpson's rule;
/// the integrand and all its derivatives vanish or stay bounded at the ends.
fn bivariate_normal_at_zero(h: f64, rho: f64) -> f64 {
    const PARTS: u32 = 400;
    let end = rho.clamp(-1.0, 1.0).asin();
    let f = |theta: f64| {
        let cos = theta.cos();
        if cos < 1e-12 { if h == 0.0 { 1.0 } else { 0.0 } } else { (-h * h / (2.0 * cos * cos)).exp() }
    };
    let step = end / f64::from(PARTS);
    let sum: f64 = (0..=PARTS)
        .map(|i| {
            let weight = if i == 0 || i == PARTS {
                1.0
            } else if i % 2 == 1 {
                4.0
            } else {
                2.0
            };
            weight * f(step * f64::from(i))
        })
        .sum();
    norm_cdf(h) / 2.0 + sum * step / 3.0 / (2.0 * std::f64::consts::PI)
}

struct Maximum {
    parameters: [f64; 2],
    log_likelihood: f64,
}

fn not_settled() -> NotEstimable {
    NotEstimable::new(
        "curve_not_settled",
        "the likelihood of the binormal curve has no maximum that the search could settle on",
    )
}

/// Fisher scoring with Levenberg damping: a step is taken only if the likelihood rises. The information matrix is
/// tridiagonal in x with a border of two rows, so that a step costs O(categories).
fn maximise(table: &Categories, curve: &impl Curve, start: [f64; 2]) -> Estimable<Maximum> {
    let mut parameters = curve.project(start).ok_or_else(not_settled)?;
    let mut x = table.start_probits();
    let mut current = likelihood(table, curve, parameters, &x).ok_or_else(not_settled)?;
    let mut damping = 1e-3;
    for _ in 0..500 {
        let held = parameters[0] <= curve.lower_bound() && current.border_gradient[0] <= 0.0;
        let (by_parameter, by_x) = current.step(damping, held);
        let candidate = curve.project([parameters[0] + by_parameter[0], parameters[1] + by_parameter[1]]);
        let moved: Vec<f64> = x.iter().zip(&by_x).map(|(x, step)| x + step).collect();
        let next = candidate
            .filter(|_| moved.windows(2).all(|pair| pair[0] < pair[1]))
            .and_then(|candidate| likelihood(table, curve, candidate, &moved).map(|next| (candidate, next)))
            .filter(|(_, next)| next.value >= current.value);
        match next {
            Some((candidate, next)) => {
                let gain = next.value - current.value;
                (parameters, x, current) = (candidate, moved, next);
                damping = (damping / 10.0).max(1e-12);
                if gain <= 1e-11 * (1.0 + current.value.abs()) {
                    return Ok(Maximum { parameters, log_likelihood: current.value });
                }
            }
            None if damping > 1e8 => return Ok(Maximum { parameters, log_likelihood: current.value }),
            None => damping *= 10.0,
        }
    }
    // a ridge without an end: the value there is the supremum to the digits that matter
    Ok(Maximum { parameters, log_likelihood: current.value })
}

/// Log likelihood, gradient and expected information at a point.
struct Likelihood {
    value: f64,
    border_gradient: [f64; 2],
    gradient: Vec<f64>,
    border: [[f64; 2]; 2],
    /// Information between the two parameters and each x.
    mixed: Vec<[f64; 2]>,
    diagonal: Vec<f64>,
    off_diagonal: Vec<f64>,
}

/// A category's probability is the difference of two neighbouring fractions; cells of probability below this count as it.
const LEAST_PROBABILITY: f64 = 1e-10;

fn likelihood(table: &Categories, curve: &impl Curve, parameters: [f64; 2], x: &[f64]) -> Option<Likelihood> {
    let inner = x.len();
    let mut result = Likelihood {
        value: 0.0,
        border_gradient: [0.0; 2],
        gradient: vec![0.0; inner],
        border: [[0.0; 2]; 2],
        mixed: vec![[0.0; 2]; inner],
        diagonal: vec![0.0; inner],
        off_diagonal: vec![0.0; inner.saturating_sub(1)],
    };
    let curve_points: Option<Vec<(f64, [f64; 3])>> = x.iter().map(|&x| curve.at(parameters, x)).collect();
    let curve_points = curve_points?;
    let diagonal_points: Vec<(f64, [f64; 3])> = x.iter().map(|&x| (norm_cdf(x), [0.0, 0.0, norm_pdf(x)])).collect();
    for (counts, points) in [(&table.diseased, &curve_points), (&table.non_diseased, &diagonal_points)] {
        let total: f64 = counts.iter().sum();
        let nothing = (0.0, [0.0; 3]);
        let everything = (1.0, [0.0; 3]);
        for (category, &count) in counts.iter().enumerate() {
            let low = if category == 0 { nothing } else { points[category - 1] };
            let high = if category == inner { everything } else { points[category] };
            let probability = (high.0 - low.0).max(LEAST_PROBABILITY);
            if count > 0.0 {
                result.value += count * probability.ln();
            }
            let by_parameter = [high.1[0] - low.1[0], high.1[1] - low.1[1]];
            let (weight, information) = (count / probability, total / probability);
            for p in 0..2 {
                result.border_gradient[p] += weight * by_parameter[p];
                for q in 0..2 {
                    result.border[p][q] += information * by_parameter[p] * by_parameter[q];
                }
            }
            if category < inner {
                result.gradient[category] += weight * high.1[2];
                result.diagonal[category] += information * high.1[2] * high.1[2];
                for (mixed, by) in result.mixed[category].iter_mut().zip(by_parameter) {
                    *mixed += information * high.1[2] * by;
                }
            }
            if category > 0 {
                result.gradient[category - 1] -= weight * low.1[2];
                result.diagonal[category - 1] += information * low.1[2] * low.1[2];
                for (mixed, by) in result.mixed[category - 1].iter_mut().zip(by_parameter) {
                    *mixed -= information * low.1[2] * by;
                }
            }
            if category > 0 && category < inner {
                result.off_diagonal[category - 1] -= information * low.1[2] * high.1[2];
            }
        }
    }
    result.value.is_finite().then_some(result)
}

impl Likelihood {
    /// The scoring step by elimination of the tridiagonal block. `held` keeps the first parameter where it is.
    fn step(&self, damping: f64, held: bool) -> ([f64; 2], Vec<f64>) {
        let damped = |value: f64| value * (1.0 + damping) + damping * 1e-6;
        let diagonal: Vec<f64> = self.diagonal.iter().map(|&d| damped(d)).collect();
        let columns = [
            self.gradient.clone(),
            self.mixed.iter().map(|m| m[0]).collect(),
            self.mixed.iter().map(|m| m[1]).collect(),
        ]
        .map(|right| solve_tridiagonal(&diagonal, &self.off_diagonal, right));
        let dot = |column: &[f64], p: usize| self.mixed.iter().zip(column).map(|(m, c)| m[p] * c).sum::<f64>();
        let mut matrix = self.border;
        let mut right = self.border_gradient;
        for p in 0..2 {
            matrix[p][p] = damped(matrix[p][p]);
            right[p] -= dot(&columns[0], p);
            for q in 0..2 {
                matrix[p][q] -= dot(&columns[q + 1], p);
            }
        }
        let by_parameter = if held {
            [0.0, right[1] / matrix[1][1]]
        } else {
            let determinant = matrix[0][0] * matrix[1][1] - matrix[0][1] * matrix[1][0];
            [
                (right[0] * matrix[1][1] - right[1] * matrix[0][1]) / determinant,
                (right[1] * matrix[0][0] - right[0] * matrix[1][0]) / determinant,
            ]
        };
        let by_x = (0..self.gradient.len())
            .map(|at| columns[0][at] - by_parameter[0] * columns[1][at] - by_parameter[1] * columns[2][at])
            .collect();
        (by_parameter, by_x)
    }
}

fn solve_tridiagonal(diagonal: &[f64], off_diagonal: &[f64], mut right: Vec<f64>) -> Vec<f64> {
    let mut pivots = diagonal.to_vec();
    for at in 1..pivots.len() {
        let factor = off_diagonal[at - 1] / pivots[at - 1];
        pivots[at] -= factor * off_diagonal[at - 1];
        right[at] -= factor * right[at - 1];
    }
    for at in (0..pivots.len()).rev() {
        let next = if at + 1 < pivots.len() { off_diagonal[at] * right[at + 1] } else { 0.0 };
        right[at] = (right[at] - next) / pivots[at];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proper_area_is_the_integral_of_its_curve() {
        for (d_a, c) in [(2.1, -0.3), (0.9, -0.5), (1.5, 0.0), (1.2, 0.4), (0.01, -0.7)] {
            // Simpson over x of TPF(x) φ(x)
            let parts = 4000;
            let step = 16.0 / f64::from(parts);
            let sum: f64 = (0..=parts)
                .map(|i| {
                    let x = -8.0 + step * f64::from(i);
                    let weight = if i == 0 || i == parts {
                        1.0
                    } else if i % 2 == 1 {
                        4.0
                    } else {
                        2.0
                    };
                    weight * Proper.at([d_a, c], x).map_or(0.0, |point| point.0) * norm_pdf(x)
                })
                .sum();
            let integral = sum * step / 3.0;
            assert!((integral - proper_auc(d_a, c)).abs() < 1e-6, "{d_a} {c}: {integral} {}", proper_auc(d_a, c));
        }
    }

    #[test]
    fn derivatives_are_those_of_the_curve() {
        let h = 1e-6;
        for p in [[1.3, -0.4], [0.8, 0.3], [2.0, -0.1]] {
            for x in [-1.5, 0.0, 1.0] {
                let (_, by) = Proper.at(p, x).expect("inside");
                let value = |p: [f64; 2], x: f64| Proper.at(p, x).expect("inside").0;
                let numeric = [
                    (value([p[0] + h, p[1]], x) - value([p[0] - h, p[1]], x)) / (2.0 * h),
                    (value([p[0], p[1] + h], x) - value([p[0], p[1] - h], x)) / (2.0 * h),
                    (value(p, x + h) - value(p, x - h)) / (2.0 * h),
                ];
                for (exact, numeric) in by.iter().zip(numeric) {
                    assert!((exact - numeric).abs() < 1e-7, "{p:?} {x}: {exact} {numeric}");
                }
            }
        }
    }

    #[test]
    fn perfect_separation_and_one_point_are_told() {
        let separated = Levels::new(&[3.0, 4.0], &[1.0, 2.0]);
        assert_eq!(fit_binormal(&separated), Ok(CurveFit::Degenerate { auc: 1.0 }));
        let one_point = Levels::new(&[1.0, 1.0, 0.0], &[1.0, 0.0, 0.0]);
        assert_eq!(fit_binormal(&one_point).expect_err("two parameters, one point").code, "curve_not_identified");
        assert_eq!(fit_binormal(&Levels::new(&[1.0, 1.0], &[1.0, 1.0])), Ok(CurveFit::Degenerate { auc: 0.5 }));
    }
}
