//! Logit mixed model with crossed random readers and cases: the odds ratio for a typical reader and case.
//!
//! logit P(y = 1) = xᵀβ + b_reader + b_case, b ~ N(0, σ²) each. The likelihood is integrated by Laplace's approximation
//! and maximised over (θ, β) jointly, θ = σ (as `lme4::glmer` with nAGQ = 1 does; [`Approximation::PenalisedBeta`] is
//! its faster nAGQ = 0). Standard errors come from the Hessian of the deviance in (θ, β), so that the uncertainty of
//! the variances counts. The optimum is found by Newton's method with the exact gradient of `laplace.rs`.
//!
//! The odds ratio is conditional on reader and case and lies further from 1 than the population-averaged one of
//! [`super::gee`]; both are right answers to different questions. A variance of 0 is a result (`at_boundary`), not a fault.

use super::laplace::{Cell, Modes, Point, Problem};
use super::linalg::{Cholesky, Matrix, symmetric_eigen};
use super::logistic::{maximise, patterns};
use super::{
    Coefficient, Convergence, Design, Estimable, Factor, NotEstimable, check_labels, check_level, compare_rows, largest,
};
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Approximation {
    /// Laplace over θ and β (lme4 nAGQ = 1): the one to report.
    Laplace,
    /// β by penalised least squares within the optimisation over θ (lme4 nAGQ = 0): a starting point, biased to 0.
    PenalisedBeta,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RandomEffect {
    pub name: String,
    pub levels: usize,
    /// Variance on the logit scale.
    pub variance: f64,
    /// The likelihood is largest with variance 0: these data show no difference between the levels.
    pub at_boundary: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MixedFit {
    pub coefficients: Vec<Coefficient>,
    pub covariance: Vec<Vec<f64>>,
    /// In the order given to [`fit`].
    pub random_effects: Vec<RandomEffect>,
    pub approximation: Approximation,
    /// Log of the approximated integral (−deviance/2).
    pub log_likelihood: f64,
    pub observations: usize,
    pub events: usize,
    pub convergence: Convergence,
}

/// Fits random intercepts for one or two factors, named: `&[("reader", &reader), ("case", &case)]`.
///
/// Codes: `separation` and `collinear` of the fixed part; `variance_diverges` where a factor decides (nearly) every
/// answer, so that its variance has no finite estimate; `not_converged`; `invalid_design`, `invalid_level`.
pub fn fit(
    design: &Design,
    random: &[(&str, &Factor)],
    approximation: Approximation,
    level: f64,
) -> Estimable<MixedFit> {
    check_level(level)?;
    let large = check_random(design, random)?;
    // a separated fixed part has no maximum in the mixed model either
    let plain = maximise(&patterns(design), design.names())?;
    let problem = problem(design, random, large);
    let mut search = Search { problem: &problem, modes: problem.start() };
    let start = Point { theta: [1.0, if problem.small > 0 { 1.0 } else { 0.0 }], beta: plain.beta };
    let (optimum, covariance) = match approximation {
        Approximation::PenalisedBeta => search.penalised_beta(start).map(|found| (found.optimum, found.covariance))?,
        Approximation::Laplace => search.laplace(start)?,
    };
    let coefficients = (0..design.parameters())
        .map(|k| {
            let (name, beta) = (&design.names()[k], optimum.point.beta[k]);
            Coefficient::wald(name, beta, covariance[(k, k)], None, level, "Wald, Laplace")
        })
        .collect::<Estimable<Vec<_>>>()?;
    let random_effects = random
        .iter()
        .enumerate()
        .map(|(i, (name, factor))| {
            let theta = optimum.point.theta[usize::from(i != large)];
            RandomEffect {
                name: (*name).to_owned(),
                levels: factor.levels.len(),
                variance: theta * theta,
                at_boundary: theta == 0.0,
            }
        })
        .collect();
    Ok(MixedFit {
        coefficients,
        covariance: covariance.to_rows(),
        random_effects,
        approximation,
        log_likelihood: -0.5 * optimum.deviance,
        observations: design.observations(),
        events: design.events(),
        convergence: optimum.convergence,
    })
}

/// The Laplace log-likelihood at given standard deviations (in the order of `random`) and coefficients, for profiles
/// and for comparing programs at one and the same point. Codes: `invalid_design`, `not_converged`.
pub fn log_likelihood_at(
    design: &Design,
    random: &[(&str, &Factor)],
    standard_deviations: &[f64],
    beta: &[f64],
) -> Estimable<f64> {
    let large = check_random(design, random)?;
    if standard_deviations.len() != random.len() || beta.len() != design.parameters() {
        return Err(NotEstimable::new(
            "invalid_design",
            format!("{} random effects and {} coefficients are needed", random.len(), design.parameters()),
        ));
    }
    let problem = problem(design, random, large);
    let small = if random.len() == 2 { standard_deviations[1 - large] } else { 0.0 };
    let point = Point { theta: [standard_deviations[large], small], beta: beta.to_vec() };
    problem.at(&point, &mut problem.start()).map(|l| -0.5 * l.deviance).ok_or_else(not_converged)
}

/// Checks the factors; gives the index of the one with more levels, which is eliminated.
fn check_random(design: &Design, random: &[(&str, &Factor)]) -> Estimable<usize> {
    if random.is_empty() || random.len() > 2 {
        let reason = format!("the mixed model takes one or two random factors, not {}", random.len());
        return Err(NotEstimable::new("invalid_design", reason));
    }
    for (name, factor) in random {
        check_labels(design, factor, name)?;
        if factor.levels.len() < 2 {
            return Err(NotEstimable::new("invalid_design", format!("random factor {name} has one level only")));
        }
    }
    Ok(usize::from(random.len() == 2 && random[1].1.levels.len() > random[0].1.levels.len()))
}

fn problem(design: &Design, random: &[(&str, &Factor)], large: usize) -> Problem {
    let codes = |i: usize, factor: Option<usize>| factor.map_or(0, |f| random[f].1.codes[i]);
    let small = (random.len() == 2).then_some(1 - large);
    let mut cells: Vec<Cell> = (0..design.observations())
        .map(|i| Cell {
            x: design.row(i).to_vec(),
            large: codes(i, Some(large)),
            small: codes(i, small),
            n: 1.0,
            events: if design.outcome[i] { 1.0 } else { 0.0 },
        })
        .collect();
    cells.sort_by(|a, b| (a.large, a.small).cmp(&(b.large, b.small)).then_with(|| compare_rows(&a.x, &b.x)));
    cells.dedup_by(|next, kept| {
        let same = next.large == kept.large && next.small == kept.small && next.x == kept.x;
        if same {
            kept.n += next.n;
            kept.events += next.events;
        }
        same
    });
    let levels = |f: usize| random[f].1.levels.len();
    Problem { cells, large: levels(large), small: small.map_or(0, levels), parameters: design.parameters() }
}

struct Optimum {
    point: Point,
    deviance: f64,
    convergence: Convergence,
}

struct PenalisedBeta {
    optimum: Optimum,
    covariance: Matrix,
}

/// θ above which a random effect explains every answer: on the logit scale ±10 is already 1 in 20 000.
const LARGEST_THETA: f64 = 40.0;
/// θ below which the variance is tried at 0.
const BOUNDARY: f64 = 1e-2;

struct Search<'a> {
    problem: &'a Problem,
    modes: Modes,
}

impl Search<'_> {
    /// Both free θ, or those that are not at the boundary. The deviance is even in θ, so 0 is a stationary point.
    fn free_thetas(&self, theta: [f64; 2]) -> Vec<usize> {
        (0..2).filter(|i| theta[*i] != 0.0 && (*i == 0 || self.problem.small > 0)).collect()
    }

    fn penalised_beta(&mut self, start: Point) -> Estimable<PenalisedBeta> {
        let mut point = start;
        loop {
            let free = self.free_thetas(point.theta);
            let base = point.clone();
            let value_at = |theta: &[f64]| -> Option<f64> {
                let mut there = base.clone();
                free.iter().zip(theta).for_each(|(i, t)| there.theta[*i] = *t);
                let mut modes = self.problem.start();
                self.problem.at_penalised_beta(&mut there, &mut modes).map(|r| r.0)
            };
            // the profile over β has no simple gradient; central differences of a deviance that is exact to rounding
            let mut with_gradient = |theta: &[f64]| {
                const H: f64 = 1e-4;
                let value = value_at(theta)?;
                let mut gradient = Vec::with_capacity(theta.len());
                for k in 0..theta.len() {
                    let side = |by: f64| {
                        let mut there = theta.to_vec();
                        there[k] += by;
                        value_at(&there)
                    };
                    gradient.push((side(H)? - side(-H)?) / (2.0 * H));
                }
                Some((value, gradient))
            };
            let theta: Vec<f64> = free.iter().map(|i| base.theta[*i]).collect();
            let found = minimise(&mut with_gradient, theta, 1e-3, 1e-5)?;
            free.iter().zip(&found.at).for_each(|(i, t)| point.theta[*i] = t.abs());
            let candidates: Vec<usize> = free.iter().copied().filter(|i| point.theta[*i] < BOUNDARY).collect();
            if let Some(i) = self.smaller_at_zero(&candidates, &point, found.value, |search, there| {
                let mut there = there.clone();
                search.problem.at_penalised_beta(&mut there, &mut search.problem.start()).map(|r| r.0)
            }) {
                point.theta[i] = 0.0;
                continue;
            }
            let Some((deviance, covariance)) = self.problem.at_penalised_beta(&mut point, &mut self.modes) else {
                return Err(not_converged());
            };
            let optimum = Optimum { point, deviance, convergence: found.convergence };
            return Ok(PenalisedBeta { optimum, covariance });
        }
    }

    fn laplace(&mut self, start: Point) -> Estimable<(Optimum, Matrix)> {
        let mut point = start;
        // β given the first θ, by the cheap approximation; a θ optimised that way would cost more than it saves
        self.problem.at_penalised_beta(&mut point, &mut self.modes).ok_or_else(not_converged)?;
        loop {
            let free = self.free_thetas(point.theta);
            let base = point.clone();
            let assemble = |v: &[f64]| {
                let mut there = base.clone();
                free.iter().zip(v).for_each(|(i, t)| there.theta[*i] = *t);
                there.beta.copy_from_slice(&v[free.len()..]);
                there
            };
            let (problem, modes) = (self.problem, &mut self.modes);
            let mut with_gradient = |v: &[f64]| {
                if v[..free.len()].iter().any(|t| t.abs() > 2.0 * LARGEST_THETA) {
                    return None;
                }
                let mut from = modes.clone();
                let at = problem.at(&assemble(v), &mut from)?;
                *modes = from;
                let gradient = free.iter().map(|i| at.gradient[*i]).chain(at.gradient[2..].iter().copied()).collect();
                Some((at.deviance, gradient))
            };
            let v: Vec<f64> = free.iter().map(|i| base.theta[*i]).chain(base.beta.iter().copied()).collect();
            let found = minimise(&mut with_gradient, v, 1e-4, 1e-8)?;
            let mut next = assemble(&found.at);
            next.theta = next.theta.map(f64::abs);
            if next.theta.iter().any(|t| *t > LARGEST_THETA) {
                return Err(NotEstimable::new(
                    "variance_diverges",
                    format!(
                        "a random effect's standard deviation exceeds {LARGEST_THETA} on the logit scale: \
                         its levels decide nearly every answer"
                    ),
                ));
            }
            let candidates: Vec<usize> = free.iter().copied().filter(|i| next.theta[*i] < BOUNDARY).collect();
            let smaller = self.smaller_at_zero(&candidates, &next, found.value, |search, there| {
                search.problem.at(there, &mut search.problem.start()).map(|l| l.deviance)
            });
            point = next;
            if let Some(i) = smaller {
                point.theta[i] = 0.0;
                continue;
            }
            // covariance = 2 H⁻¹ of the deviance's Hessian, the β block of the joint inverse
            let inverse = Cholesky::new(&found.hessian).map_err(|_| not_converged())?.inverse();
            let p = self.problem.parameters;
            let mut covariance = Matrix::zeros(p, p);
            for i in 0..p {
                for j in 0..p {
                    covariance[(i, j)] = 2.0 * inverse[(free.len() + i, free.len() + j)];
                }
            }
            return Ok((Optimum { point, deviance: found.value, convergence: found.convergence }, covariance));
        }
    }

    /// The candidate θ (smallest first) that costs nothing when set to 0.
    fn smaller_at_zero(
        &self,
        candidates: &[usize],
        point: &Point,
        value: f64,
        deviance: impl Fn(&Self, &Point) -> Option<f64>,
    ) -> Option<usize> {
        let mut order = candidates.to_vec();
        order.sort_by(|a, b| point.theta[*a].total_cmp(&point.theta[*b]));
        order.into_iter().find(|i| {
            let mut there = point.clone();
            there.theta[*i] = 0.0;
            deviance(self, &there).is_some_and(|zero| zero <= value + 1e-6)
        })
    }
}

fn not_converged() -> NotEstimable {
    NotEstimable::new("not_converged", "the mixed model's likelihood did not converge to a maximum")
}

/// Value and gradient at a point, where both exist.
type Objective<'a> = dyn FnMut(&[f64]) -> Option<(f64, Vec<f64>)> + 'a;

struct Found {
    at: Vec<f64>,
    value: f64,
    hessian: Matrix,
    convergence: Convergence,
}

/// Newton's method with a Hessian of central differences (step `h`) of the gradient; a direction of negative
/// curvature is followed with its absolute value. Ends when every component of the gradient is below `tolerance`
/// (relative to the curvature: a step below `tolerance` ends it as well).
fn minimise(objective: &mut Objective, start: Vec<f64>, h: f64, tolerance: f64) -> Estimable<Found> {
    const ITERATIONS: usize = 100;
    const LONGEST_STEP: f64 = 1.0;
    const ESCAPE: f64 = 0.1;
    let n = start.len();
    let mut at = start;
    let (mut value, mut gradient) = objective(&at).ok_or_else(not_converged)?;
    for iteration in 1..=ITERATIONS {
        let mut hessian = Matrix::zeros(n, n);
        for k in 0..n {
            let mut side = |by: f64| {
                let mut there = at.clone();
                there[k] += by;
                objective(&there).map(|r| r.1).ok_or_else(not_converged)
            };
            let (up, down) = (side(h)?, side(-h)?);
            for i in 0..n {
                hessian[(i, k)] = (up[i] - down[i]) / (2.0 * h);
            }
        }
        let hessian = hessian.symmetrised();
        let (values, vectors) = symmetric_eigen(&hessian);
        let floor = 1e-8 * largest(&values).max(1e-8);
        let mut along = vectors.transpose().times_vector(&gradient);
        // below this a curvature is rounding of the differences
        let falls = |curvature: f64| curvature < -1e-6 * largest(&values);
        for (a, curvature) in along.iter_mut().zip(&values) {
            *a /= -curvature.abs().max(floor);
            // at θ = 0 the gradient vanishes by symmetry; where the deviance has its maximum there, leave it
            if falls(*curvature) && a.abs() < ESCAPE {
                *a = ESCAPE;
            }
        }
        let mut step = vectors.times_vector(&along);
        let size = largest(&step);
        if size < tolerance && !values.iter().any(|v| falls(*v)) || n == 0 {
            let convergence = Convergence { iterations: iteration, criterion: largest(&gradient) };
            return Ok(Found { at, value, hessian, convergence });
        }
        if size > LONGEST_STEP {
            step.iter_mut().for_each(|s| *s *= LONGEST_STEP / size);
        }
        // Armijo's rule: a mere fall is not enough, as steps across θ = 0 could then bounce between +θ and −θ
        let slope = gradient.iter().zip(&step).map(|(g, s)| g * s).sum::<f64>().min(0.0);
        // what a sum of thousands of terms leaves of itself
        let rounding = 1e-13 * value.abs();
        let mut length = 1.0;
        loop {
            let there: Vec<f64> = at.iter().zip(&step).map(|(a, s)| a + length * s).collect();
            if let Some((new_value, new_gradient)) = objective(&there)
                && (new_value <= value + 1e-4 * length * slope + rounding || length < 1e-6 && new_value <= value + 1e-9)
            {
                (at, value, gradient) = (there, new_value, new_gradient);
                break;
            }
            length *= 0.5;
            if length < 1e-9 {
                // no decrease in sight: at the limit of rounding, or lost
                if size < tolerance.sqrt() && !values.iter().any(|v| falls(*v)) {
                    let convergence = Convergence { iterations: iteration, criterion: largest(&gradient) };
                    return Ok(Found { at, value, hessian, convergence });
                }
                return Err(not_converged());
            }
        }
    }
    Err(not_converged())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crossed study with a fixed pattern of answers; reader and case difficulty both vary.
    fn example(readers: usize, cases: usize) -> (Design, Factor, Factor) {
        let (mut modality, mut reader, mut case, mut outcome) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for r in 0..readers {
            for c in 0..cases {
                for m in 0..2 {
                    modality.push(["1", "2"][m]);
                    reader.push(format!("R{r}"));
                    case.push(format!("C{c}"));
                    let noise = ((r * 7919 + c * 104_729 + m * 1_299_709) % 97) as f64 / 97.0;
                    let ease = 1.5 * ((c % 7) as f64 / 3.0 - 1.0) + 0.8 * ((r % 3) as f64 - 1.0) + 0.6 * m as f64 + 0.5;
                    outcome.push(noise < 1.0 / (1.0 + (-ease).exp()));
                }
            }
        }
        (Design::compare(&modality, "1", &outcome).unwrap(), Factor::new(&reader), Factor::new(&case))
    }

    #[test]
    fn order_of_the_factors_does_not_matter() {
        let (design, reader, case) = example(5, 30);
        let one = fit(&design, &[("reader", &reader), ("case", &case)], Approximation::Laplace, 0.95).unwrap();
        let two = fit(&design, &[("case", &case), ("reader", &reader)], Approximation::Laplace, 0.95).unwrap();
        assert_eq!(one.coefficients, two.coefficients);
        assert_eq!(one.random_effects[0], two.random_effects[1]);
        assert_eq!(one.random_effects[0].levels, 5);
    }

    #[test]
    fn no_variance_between_readers_is_a_result() {
        // every reader has the same answers, so that only cases differ
        let (mut modality, mut reader, mut case, mut outcome) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for r in 0..6 {
            for c in 0..40 {
                for m in 0..2 {
                    modality.push(["1", "2"][m]);
                    reader.push(format!("R{r}"));
                    case.push(format!("C{c}"));
                    outcome.push((c * 3 + m * 5 + (c * r) % 2 + r % 2 * (c % 3)) % 5 != 0);
                }
            }
        }
        let design = Design::compare(&modality, "1", &outcome).unwrap();
        let (reader, case) = (Factor::new(&reader), Factor::new(&case));
        let fit = fit(&design, &[("reader", &reader), ("case", &case)], Approximation::Laplace, 0.95).unwrap();
        assert!(fit.random_effects[0].at_boundary, "{:?}", fit.random_effects);
        assert_eq!(fit.random_effects[0].variance, 0.0);
        assert!(!fit.random_effects[1].at_boundary);
        // with that variance 0 the model is the one without the reader
        let alone = super::fit(&design, &[("case", &case)], Approximation::Laplace, 0.95).unwrap();
        assert!((alone.log_likelihood - fit.log_likelihood).abs() < 1e-8);
        assert!((alone.coefficients[1].standard_error - fit.coefficients[1].standard_error).abs() < 1e-6);
    }

    /// Coin tosses: the search starts beyond θ = 0, where the gradient vanishes, and has to leave it again where that is
    /// not the minimum. Either arm as the reference gives the same odds ratio.
    #[test]
    fn studies_without_differences_converge() {
        let mut state = 12_345_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        };
        for study in 0..25 {
            let (readers, cases) = (3 + study % 3, 8 + study % 7);
            let (mut modality, mut reader, mut case, mut outcome) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            for row in 0..readers * cases * 2 {
                modality.push(["1", "2"][row % 2]);
                reader.push(format!("R{}", row / 2 / cases));
                case.push(format!("C{}", row / 2 % cases));
                outcome.push(uniform() < 0.65);
            }
            let (reader, case) = (Factor::new(&reader), Factor::new(&case));
            let [one, two] = ["1", "2"].map(|reference| {
                let design = Design::compare(&modality, reference, &outcome).unwrap();
                fit(&design, &[("reader", &reader), ("case", &case)], Approximation::Laplace, 0.95)
                    .unwrap_or_else(|fault| panic!("study {study}: {fault}"))
            });
            assert!((one.coefficients[1].estimate + two.coefficients[1].estimate).abs() < 1e-6, "study {study}");
            assert!((one.log_likelihood - two.log_likelihood).abs() < 1e-7, "study {study}");
        }
    }

    #[test]
    fn a_separated_modality_is_refused() {
        let (design, reader, case) = example(4, 20);
        let modality: Vec<&str> = (0..design.observations()).map(|i| if i % 2 == 0 { "1" } else { "2" }).collect();
        let outcome: Vec<bool> = (0..design.observations()).map(|i| i % 2 == 1 || i % 3 == 0).collect();
        let design = Design::compare(&modality, "1", &outcome).unwrap();
        let error = fit(&design, &[("reader", &reader), ("case", &case)], Approximation::Laplace, 0.95).unwrap_err();
        assert_eq!(error.code, "separation");
    }

    #[test]
    fn cases_that_decide_every_answer_have_no_finite_variance() {
        let (mut modality, mut case, mut outcome) = (Vec::new(), Vec::new(), Vec::new());
        for c in 0..30 {
            for m in 0..2 {
                for _reader in 0..8 {
                    modality.push(["1", "2"][m]);
                    case.push(format!("C{c}"));
                    outcome.push(c % 2 == 0);
                }
            }
        }
        let design = Design::compare(&modality, "1", &outcome).unwrap();
        let error = fit(&design, &[("case", &Factor::new(&case))], Approximation::Laplace, 0.95).unwrap_err();
        assert!(["variance_diverges", "not_converged"].contains(&error.code), "{error}");
    }
}
