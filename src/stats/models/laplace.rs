//! The Laplace approximation of a logit model with one or two crossed random intercepts, and its exact gradient.
//!
//! η = Xβ + θ₁ u₁[g₁] + θ₂ u₂[g₂], u ~ N(0, I). With ũ the mode of the penalised likelihood given (θ, β),
//! deviance(θ, β) = −2 log L(y | ũ) + ũᵀũ + log |P|, P = ΛZᵀWZΛ + I (Bates, Mächler, Bolker & Walker 2015, J Stat
//! Softw 67(1); Laplace form of the lme4 vignette "Computational methods", for a canonical link).
//!
//! P has a diagonal block for the larger factor (cases), a diagonal block for the smaller (readers) and their cross
//! products. Eliminating the cases leaves the readers' Schur complement, a dense J × J matrix; solving, determinant and
//! the needed elements of P⁻¹ cost O(cases · J²). Nothing is stored that grows with readers × cases but the readings.

use super::linalg::{Cholesky, Matrix, dot};
use super::{logistic_function, softplus};

/// Equal readings (same covariates, same groups) with their counts.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub x: Vec<f64>,
    /// Group of the eliminated (larger) factor and of the dense (smaller) factor.
    pub large: usize,
    pub small: usize,
    pub n: f64,
    pub events: f64,
}

/// The data of a model in the order (large, small, x). With one random effect the small factor has no group and its
/// standard deviation does not exist.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub cells: Vec<Cell>,
    pub large: usize,
    /// 0 where there is one random effect only.
    pub small: usize,
    pub parameters: usize,
}

/// θ of the large and of the small factor, and β.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    pub theta: [f64; 2],
    pub beta: Vec<f64>,
}

/// ũ of both factors; kept between evaluations as the starting value.
#[derive(Debug, Clone)]
pub(super) struct Modes {
    large: Vec<f64>,
    small: Vec<f64>,
}

pub(super) struct Laplace {
    pub deviance: f64,
    /// −2 log L(y | ũ) + ũᵀũ + log|P| differentiated by θ (large, small) and β.
    pub gradient: Vec<f64>,
}

/// P at a point: D (large, diagonal), the rows of cross products, and the factored Schur complement of the small block.
struct Precision {
    diagonal: Vec<f64>,
    /// For each large group the small groups it meets, in order, with ΛZᵀWZΛ of the pair.
    cross: Vec<Vec<(usize, f64)>>,
    schur: Option<Cholesky>,
}

impl Problem {
    pub fn start(&self) -> Modes {
        Modes { large: vec![0.0; self.large], small: vec![0.0; self.small] }
    }

    fn small_effect(&self, modes: &[f64], cell: &Cell) -> f64 {
        if self.small == 0 { 0.0 } else { modes[cell.small] }
    }

    fn eta(&self, point: &Point, modes: &Modes, cell: &Cell) -> f64 {
        dot(&cell.x, &point.beta)
            + point.theta[0] * modes.large[cell.large]
            + point.theta[1] * self.small_effect(&modes.small, cell)
    }

    /// −log L(y | u) + uᵀu/2, which the modes minimise.
    fn penalised(&self, point: &Point, modes: &Modes) -> f64 {
        let fit: f64 = self
            .cells
            .iter()
            .map(|cell| {
                let eta = self.eta(point, modes, cell);
                cell.events * softplus(-eta) + (cell.n - cell.events) * softplus(eta)
            })
            .sum();
        fit + 0.5 * (dot(&modes.large, &modes.large) + dot(&modes.small, &modes.small))
    }

    fn precision(&self, point: &Point, weights: &[f64]) -> Option<Precision> {
        let [large, small] = point.theta;
        let mut diagonal = vec![1.0; self.large];
        let mut cross: Vec<Vec<(usize, f64)>> = vec![Vec::new(); self.large];
        let mut schur = Matrix::identity(self.small);
        for (cell, w) in self.cells.iter().zip(weights) {
            diagonal[cell.large] += large * large * w;
            if self.small == 0 {
                continue;
            }
            schur[(cell.small, cell.small)] += small * small * w;
            let value = large * small * w;
            match cross[cell.large].last_mut() {
                Some((j, sum)) if *j == cell.small => *sum += value,
                _ => cross[cell.large].push((cell.small, value)),
            }
        }
        for (row, d) in cross.iter().zip(&diagonal) {
            for (i, a) in row {
                let scaled = a / d;
                for (j, b) in row {
                    schur[(*i, *j)] -= scaled * b;
                }
            }
        }
        let schur = if self.small == 0 { None } else { Some(Cholesky::new(&schur).ok()?) };
        Some(Precision { diagonal, cross, schur })
    }

    /// Newton's method for the modes, and for β too where `with_beta` (penalised least squares as in lme4's nAGQ = 0).
    /// `None` where it does not converge or a weight overflows.
    fn find_modes(&self, point: &mut Point, modes: &mut Modes, with_beta: bool) -> Option<(Precision, Vec<f64>)> {
        const ITERATIONS: usize = 100;
        const TOLERANCE: f64 = 1e-11;
        let mut value = self.penalised(point, modes);
        if !value.is_finite() {
            return None;
        }
        for _ in 0..ITERATIONS {
            let (residuals, weights) = self.residuals(point, modes);
            let precision = self.precision(point, &weights)?;
            let mut rhs = self.scatter(point, &residuals);
            for (r, u) in rhs.large.iter_mut().zip(&modes.large) {
                *r -= u;
            }
            for (r, u) in rhs.small.iter_mut().zip(&modes.small) {
                *r -= u;
            }
            let beta_step =
                if with_beta { self.beta_step(point, &precision, &residuals, &weights, &rhs)? } else { Vec::new() };
            if with_beta {
                // P δu = rhs − ΛZᵀWX δβ
                let along: Vec<f64> =
                    self.cells.iter().zip(&weights).map(|(cell, w)| -w * dot(&cell.x, &beta_step)).collect();
                let shift = self.scatter(point, &along);
                rhs.large.iter_mut().zip(&shift.large).for_each(|(r, s)| *r += s);
                rhs.small.iter_mut().zip(&shift.small).for_each(|(r, s)| *r += s);
            }
            let step = precision.solve(&rhs);
            let size = step.large.iter().chain(&step.small).chain(&beta_step).fold(0.0, |m: f64, s| m.max(s.abs()));
            let mut length = 1.0;
            loop {
                let moved = Modes {
                    large: modes.large.iter().zip(&step.large).map(|(u, s)| u + length * s).collect(),
                    small: modes.small.iter().zip(&step.small).map(|(u, s)| u + length * s).collect(),
                };
                let mut there = point.clone();
                there.beta.iter_mut().zip(&beta_step).for_each(|(b, s)| *b += length * s);
                let then = self.penalised(&there, &moved);
                if then <= value + 1e-13 * value.abs() || length < 1e-10 {
                    (*modes, *point, value) = (moved, there, then);
                    break;
                }
                length *= 0.5;
            }
            if size < TOLERANCE {
                let (_, weights) = self.residuals(point, modes);
                return Some((self.precision(point, &weights)?, weights));
            }
        }
        None
    }

    fn residuals(&self, point: &Point, modes: &Modes) -> (Vec<f64>, Vec<f64>) {
        self.cells
            .iter()
            .map(|cell| {
                let pi = logistic_function(self.eta(point, modes, cell));
                (cell.events - cell.n * pi, cell.n * pi * (1.0 - pi))
            })
            .unzip()
    }

    /// ΛZᵀv
    fn scatter(&self, point: &Point, v: &[f64]) -> Modes {
        let mut out = self.start();
        for (cell, value) in self.cells.iter().zip(v) {
            out.large[cell.large] += point.theta[0] * value;
            if self.small > 0 {
                out.small[cell.small] += point.theta[1] * value;
            }
        }
        out
    }

    /// δβ of the joint Newton step: (XᵀWX − XᵀWZΛP⁻¹ΛZᵀWX) δβ = Xᵀr − XᵀWZΛP⁻¹ rhs.
    fn beta_step(&self, point: &Point, precision: &Precision, r: &[f64], w: &[f64], rhs: &Modes) -> Option<Vec<f64>> {
        let solved = precision.solve(rhs);
        let mut score = vec![0.0; self.parameters];
        for ((cell, r), w) in self.cells.iter().zip(r).zip(w) {
            let fitted =
                point.theta[0] * solved.large[cell.large] + point.theta[1] * self.small_effect(&solved.small, cell);
            for (s, x) in score.iter_mut().zip(&cell.x) {
                *s += x * (r - w * fitted);
            }
        }
        Some(Cholesky::new(&self.reduced_information(point, precision, w)).ok()?.solve(&score))
    }

    /// XᵀWX − XᵀWZΛP⁻¹ΛZᵀWX: the information on β given θ, after the random effects.
    fn reduced_information(&self, point: &Point, precision: &Precision, w: &[f64]) -> Matrix {
        let p = self.parameters;
        let mut out = Matrix::zeros(p, p);
        for (cell, w) in self.cells.iter().zip(w) {
            out.add_outer(*w, &cell.x);
        }
        for k in 0..p {
            let column: Vec<f64> = self.cells.iter().zip(w).map(|(cell, w)| w * cell.x[k]).collect();
            let solved = precision.solve(&self.scatter(point, &column));
            for (cell, w) in self.cells.iter().zip(w) {
                let fitted =
                    point.theta[0] * solved.large[cell.large] + point.theta[1] * self.small_effect(&solved.small, cell);
                for i in 0..p {
                    out[(i, k)] -= w * cell.x[i] * fitted;
                }
            }
        }
        out.symmetrised()
    }

    /// deviance(θ, β̃(θ)) with β̃ from the joint penalised least squares, β̃ itself and its covariance given θ.
    pub fn at_penalised_beta(&self, point: &mut Point, modes: &mut Modes) -> Option<(f64, Matrix)> {
        let (precision, weights) = self.find_modes(point, modes, true)?;
        let covariance = Cholesky::new(&self.reduced_information(point, &precision, &weights)).ok()?.inverse();
        Some((2.0 * self.penalised(point, modes) + precision.log_determinant(), covariance))
    }

    /// deviance(θ, β) and its gradient.
    ///
    /// With f = −2 log L + uᵀu and rᵢ = yᵢ − nπᵢ: dd/dψ = ∂f/∂ψ + ∂log|P|/∂ψ + (∂log|P|/∂u)ᵀ dũ/dψ. Here
    /// ∂log|P| = Σ hᵢ w′ᵢ ∂ηᵢ + the explicit change of ΛZᵀ, hᵢ = zᵢᵀP⁻¹zᵢ, w′ = nπ(1−π)(1−2π), and
    /// dũ/dβ = −P⁻¹ΛZᵀWX, dũ/dθ = −P⁻¹(ΛZᵀW u_θ − Zᵀr) by implicit differentiation of the mode's equation.
    pub fn at(&self, point: &Point, modes: &mut Modes) -> Option<Laplace> {
        let (precision, weights) = self.find_modes(&mut point.clone(), modes, false)?;
        let deviance = 2.0 * self.penalised(point, modes) + precision.log_determinant();
        let inverse = precision.inverse_elements();
        let [large, small] = point.theta;
        let (residuals, _) = self.residuals(point, modes);
        let mut gradient = vec![0.0; 2 + self.parameters];
        let mut curvature = Vec::with_capacity(self.cells.len());
        let mut pair = 0;
        for ((cell, w), r) in self.cells.iter().zip(&weights).zip(&residuals) {
            // `pair` walks the distinct (large, small) pairs, which have the order of the cells
            if self.small > 0 && inverse.pairs[pair].0 != (cell.large, cell.small) {
                pair += 1;
            }
            let (ss, ls) = if self.small > 0 { (inverse.small[cell.small], inverse.pairs[pair].1) } else { (0.0, 0.0) };
            let q_large = large * inverse.large[cell.large] + small * ls;
            let q_small = large * ls + small * ss;
            let pi = logistic_function(self.eta(point, modes, cell));
            let c = (large * q_large + small * q_small) * w * (1.0 - 2.0 * pi);
            curvature.push(c);
            let (u_large, u_small) = (modes.large[cell.large], self.small_effect(&modes.small, cell));
            gradient[0] += (c - 2.0 * r) * u_large + 2.0 * w * q_large;
            gradient[1] += (c - 2.0 * r) * u_small + 2.0 * w * q_small;
            for (g, x) in gradient[2..].iter_mut().zip(&cell.x) {
                *g += (c - 2.0 * r) * x;
            }
        }
        let adjoint = precision.solve(&self.scatter(point, &curvature));
        for ((cell, w), r) in self.cells.iter().zip(&weights).zip(&residuals) {
            let (a_large, a_small) = (adjoint.large[cell.large], self.small_effect(&adjoint.small, cell));
            let t = w * (large * a_large + small * a_small);
            gradient[0] -= t * modes.large[cell.large] - a_large * r;
            gradient[1] -= t * self.small_effect(&modes.small, cell) - a_small * r;
            for (g, x) in gradient[2..].iter_mut().zip(&cell.x) {
                *g -= t * x;
            }
        }
        (deviance.is_finite() && gradient.iter().all(|g| g.is_finite())).then_some(Laplace { deviance, gradient })
    }
}

struct InverseElements {
    large: Vec<f64>,
    small: Vec<f64>,
    pairs: Vec<((usize, usize), f64)>,
}

impl Precision {
    fn log_determinant(&self) -> f64 {
        let large: f64 = self.diagonal.iter().map(|d| d.ln()).sum();
        large + self.schur.as_ref().map_or(0.0, Cholesky::log_determinant)
    }

    fn solve(&self, rhs: &Modes) -> Modes {
        let Some(schur) = &self.schur else {
            let large = rhs.large.iter().zip(&self.diagonal).map(|(r, d)| r / d).collect();
            return Modes { large, small: Vec::new() };
        };
        let mut reduced = rhs.small.clone();
        for ((row, d), r) in self.cross.iter().zip(&self.diagonal).zip(&rhs.large) {
            for (j, b) in row {
                reduced[*j] -= b * r / d;
            }
        }
        let small = schur.solve(&reduced);
        let large = self
            .cross
            .iter()
            .zip(&self.diagonal)
            .zip(&rhs.large)
            .map(|((row, d), r)| (r - row.iter().map(|(j, b)| b * small[*j]).sum::<f64>()) / d)
            .collect();
        Modes { large, small }
    }

    /// The diagonal of P⁻¹ and its elements for the (large, small) pairs that occur.
    fn inverse_elements(&self) -> InverseElements {
        let Some(schur) = &self.schur else {
            let large = self.diagonal.iter().map(|d| 1.0 / d).collect();
            return InverseElements { large, small: Vec::new(), pairs: Vec::new() };
        };
        let inverse = schur.inverse();
        let mut pairs = Vec::new();
        let mut large = Vec::with_capacity(self.diagonal.len());
        for (k, (row, d)) in self.cross.iter().zip(&self.diagonal).enumerate() {
            let mut quadratic = 0.0;
            for (j, b) in row {
                let along: f64 = row.iter().map(|(i, c)| c * inverse[(*i, *j)]).sum();
                quadratic += b * along;
                pairs.push(((k, *j), -along / d));
            }
            large.push(1.0 / d + quadratic / (d * d));
        }
        let small = (0..inverse.rows).map(|j| inverse[(j, j)]).collect();
        InverseElements { large, small, pairs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(two: bool) -> (Problem, Point) {
        let mut cells = Vec::new();
        for k in 0..7_usize {
            for j in 0..3_usize {
                // an incomplete design: reader 2 skips two cases
                if j == 2 && k < 2 {
                    continue;
                }
                for m in 0..2_usize {
                    let events = f64::from(u8::from((k * 5 + j * 3 + m * 2) % 4 != 1));
                    cells.push(Cell {
                        x: vec![1.0, m as f64],
                        large: k,
                        small: if two { j } else { 0 },
                        n: 1.0,
                        events,
                    });
                }
            }
        }
        let problem = Problem { cells, large: 7, small: if two { 3 } else { 0 }, parameters: 2 };
        (problem, Point { theta: [1.3, if two { 0.7 } else { 0.0 }], beta: vec![0.4, -0.3] })
    }

    #[test]
    fn gradient_equals_differences_of_the_deviance() {
        for two in [true, false] {
            let (problem, point) = example(two);
            let deviance = |at: &Point| problem.at(at, &mut problem.start()).unwrap().deviance;
            let gradient = problem.at(&point, &mut problem.start()).unwrap().gradient;
            let h = 1e-5;
            for (k, found) in gradient.iter().copied().enumerate().take(4) {
                if k == 1 && !two {
                    continue;
                }
                let moved = |by: f64| {
                    let mut there = point.clone();
                    if k < 2 {
                        there.theta[k] += by
                    } else {
                        there.beta[k - 2] += by
                    }
                    deviance(&there)
                };
                let want = (moved(h) - moved(-h)) / (2.0 * h);
                assert!((found - want).abs() < 1e-7, "{k}: {found} {want}");
            }
        }
    }

    #[test]
    fn schur_complement_equals_the_dense_matrix() {
        let (problem, point) = example(true);
        let weights: Vec<f64> = (0..problem.cells.len()).map(|i| 0.1 + 0.01 * i as f64).collect();
        let precision = problem.precision(&point, &weights).unwrap();
        let mut dense = Matrix::identity(10);
        for (cell, w) in problem.cells.iter().zip(&weights) {
            let mut z = vec![0.0; 10];
            z[cell.large] = point.theta[0];
            z[7 + cell.small] = point.theta[1];
            dense.add_outer(*w, &z);
        }
        let factor = Cholesky::new(&dense).unwrap();
        assert!((precision.log_determinant() - factor.log_determinant()).abs() < 1e-12);
        let inverse = factor.inverse();
        let got = precision.inverse_elements();
        for k in 0..7 {
            assert!((got.large[k] - inverse[(k, k)]).abs() < 1e-13);
        }
        for ((k, j), value) in &got.pairs {
            assert!((value - inverse[(*k, 7 + *j)]).abs() < 1e-13);
        }
        let rhs: Vec<f64> = (0..10).map(f64::from).collect();
        let solved = precision.solve(&Modes { large: rhs[..7].to_vec(), small: rhs[7..].to_vec() });
        for (got, want) in solved.large.iter().chain(&solved.small).zip(factor.solve(&rhs)) {
            assert!((got - want).abs() < 1e-11);
        }
    }
}
