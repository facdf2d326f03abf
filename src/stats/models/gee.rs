//! Generalised estimating equations for clustered binary outcomes: the population-averaged odds ratio.
//!
//! Σᵢ DᵢᵀVᵢ⁻¹(yᵢ − πᵢ) = 0 with Vᵢ = φ Aᵢ½ R(α) Aᵢ½, A = diag π(1−π) (Liang & Zeger 1986, Biometrika 73:13, eq. 6),
//! R independence or exchangeable, φ and α by moments of the Pearson residuals. The covariance is the sandwich
//! M (Σᵢ UᵢUᵢᵀ) M, M = (ΣᵢDᵢᵀVᵢ⁻¹Dᵢ)⁻¹, which is right whatever R is when clusters are many. With few (readers!) it is
//! too small; two corrections replace the residual of a cluster by (I − Hᵢ)⁻¹r (Mancl & DeRouen 2001, Biometrics
//! 57:126) or (I − Hᵢ)^−½ r (Kauermann & Carroll 2001, JASA 96:1387), Hᵢ = DᵢMDᵢᵀVᵢ⁻¹ the cluster's leverage.
//! [`fit_two_way`] takes readers and cases as clusters at once.
//!
//! Since DᵢᵀVᵢ⁻¹ f(Hᵢ) = f(AᵢM) DᵢᵀVᵢ⁻¹ with Aᵢ = DᵢᵀVᵢ⁻¹Dᵢ, both corrections need p × p matrices only, and R⁻¹ of the
//! exchangeable form is known, so the cost is linear in the number of observations.

use super::linalg::{Cholesky, Matrix, symmetric_eigen};
use super::logistic::{log_likelihood, maximise, patterns};
use super::{
    ClusterFacts, Coefficient, Convergence, Design, Estimable, Factor, NotEstimable, check_labels, check_level,
    compare_rows, largest, logistic_function, p_columns_missing,
};
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkingCorrelation {
    Independence,
    /// One correlation α between any two observations of a cluster.
    Exchangeable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sandwich {
    /// Liang & Zeger 1986, without correction (what geepack's `san.se` prints).
    Uncorrected,
    /// Kauermann & Carroll 2001: bias-corrected; unbiased when R is right.
    KauermannCarroll,
    /// Mancl & DeRouen 2001: larger than the former, conservative with very few clusters.
    ManclDeRouen,
}

/// What the Wald statistic is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    Normal,
    /// t with (clusters − coefficients) degrees of freedom.
    TClustersMinusCoefficients,
}

/// The denominator of the moment estimates of φ and α: observations (and pairs) as geepack takes them, or less the
/// number of coefficients as Liang & Zeger 1986 (§4) write them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Moments {
    Observations,
    LessCoefficients,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GeeOptions {
    pub correlation: WorkingCorrelation,
    pub sandwich: Sandwich,
    pub reference: Reference,
    pub moments: Moments,
    /// Confidence level, 0 < level < 1.
    pub level: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GeeFit {
    pub coefficients: Vec<Coefficient>,
    pub options: GeeOptions,
    pub robust_covariance: Vec<Vec<f64>>,
    /// φ M: right only if the working correlation is.
    pub naive_covariance: Vec<Vec<f64>>,
    /// α of the exchangeable working correlation.
    pub correlation: Option<f64>,
    /// φ
    pub scale: f64,
    /// Σ log L under independence at the GEE estimate: a quasi-likelihood, for QIC and not for ratio tests.
    pub quasi_log_likelihood: f64,
    pub observations: usize,
    pub events: usize,
    pub clusters: ClusterFacts,
    pub convergence: Convergence,
}

/// Fits the estimating equations with `cluster` as the independent units.
///
/// Codes: `separation`, `collinear`, `too_few_clusters`, `invalid_correlation`, `cluster_leverage` (one cluster alone
/// determines a coefficient, so that a corrected sandwich does not exist), `not_converged`.
pub fn fit(design: &Design, cluster: &Factor, options: GeeOptions) -> Estimable<GeeFit> {
    check_level(options.level)?;
    check_labels(design, cluster, "cluster")?;
    let clusters = gather(design, cluster);
    let degrees_of_freedom = degrees_of_freedom(clusters.len(), design.parameters(), options.reference)?;
    let solution = solve(design, &clusters, options)?;
    let robust = sandwich(&clusters, &solution, options.sandwich)?;
    let coefficients = wald(design, &solution.beta, &robust, degrees_of_freedom, options)?;
    Ok(GeeFit {
        coefficients,
        options,
        robust_covariance: robust.to_rows(),
        naive_covariance: solution.bread.scaled(solution.scale).to_rows(),
        correlation: matches!(options.correlation, WorkingCorrelation::Exchangeable).then_some(solution.alpha),
        scale: solution.scale,
        quasi_log_likelihood: log_likelihood(&patterns(design), &solution.beta),
        observations: design.observations(),
        events: design.events(),
        clusters: ClusterFacts::of(cluster),
        convergence: solution.convergence,
    })
}

/// The independence fit with readers **and** cases as clusters: V = V_reader + V_case − V_reader×case (Cameron, Gelbach
/// & Miller 2011, J Bus Econ Stat 29:238, eq. 2.13). For the crossed reader study, where neither clustering alone is
/// enough. Each part carries the options' sandwich correction; degrees of freedom are of the smaller factor.
///
/// Code `no_variance` where the difference is not positive for some coefficient, which happens with few readers; where it
/// is the intercept's, the other modality as the reference may still have an answer.
pub fn fit_two_way(design: &Design, reader: &Factor, case: &Factor, options: GeeOptions) -> Estimable<GeeFit> {
    check_level(options.level)?;
    check_labels(design, reader, "reader")?;
    check_labels(design, case, "case")?;
    if options.correlation != WorkingCorrelation::Independence {
        return Err(NotEstimable::new("invalid_correlation", "two-way clustering needs the independence equations"));
    }
    let fewer = if reader.levels.len() <= case.levels.len() { reader } else { case };
    let degrees_of_freedom = degrees_of_freedom(fewer.levels.len(), design.parameters(), options.reference)?;
    let mut robust = Matrix::zeros(design.parameters(), design.parameters());
    let mut last = None;
    for (sign, factor) in [(1.0, reader.clone()), (1.0, case.clone()), (-1.0, reader.crossed(case))] {
        let clusters = gather(design, &factor);
        let solution = solve(design, &clusters, options)?;
        robust = robust.minus(&sandwich(&clusters, &solution, options.sandwich)?.scaled(-sign));
        last = Some(solution);
    }
    let solution = last.expect("three clusterings were fitted");
    let coefficients = wald(design, &solution.beta, &robust, degrees_of_freedom, options)?;
    Ok(GeeFit {
        coefficients,
        options,
        robust_covariance: robust.to_rows(),
        naive_covariance: solution.bread.scaled(solution.scale).to_rows(),
        correlation: None,
        scale: solution.scale,
        quasi_log_likelihood: log_likelihood(&patterns(design), &solution.beta),
        observations: design.observations(),
        events: design.events(),
        clusters: ClusterFacts::of(fewer),
        convergence: solution.convergence,
    })
}

fn degrees_of_freedom(clusters: usize, parameters: usize, reference: Reference) -> Estimable<Option<f64>> {
    if clusters <= parameters {
        return Err(NotEstimable::new(
            "too_few_clusters",
            format!(
                "a sandwich variance of {parameters} coefficients needs more than {parameters} clusters, not {clusters}"
            ),
        ));
    }
    Ok(match reference {
        Reference::Normal => None,
        Reference::TClustersMinusCoefficients => Some((clusters - parameters) as f64),
    })
}

fn wald(
    design: &Design,
    beta: &[f64],
    robust: &Matrix,
    degrees_of_freedom: Option<f64>,
    options: GeeOptions,
) -> Estimable<Vec<Coefficient>> {
    let method = match options.sandwich {
        Sandwich::Uncorrected => "Wald, sandwich",
        Sandwich::KauermannCarroll => "Wald, Kauermann–Carroll sandwich",
        Sandwich::ManclDeRouen => "Wald, Mancl–DeRouen sandwich",
    };
    (0..beta.len())
        .map(|k| {
            let variance = robust[(k, k)];
            Coefficient::wald(&design.names()[k], beta[k], variance, degrees_of_freedom, options.level, method)
        })
        .collect()
}

/// Rows of one cluster: covariates and outcome.
type Rows<'a> = Vec<(&'a [f64], f64)>;

/// Clusters in the order of their contents, rows sorted within: labels and row order leave no trace in the sums.
fn gather<'a>(design: &'a Design, cluster: &Factor) -> Vec<Rows<'a>> {
    let mut clusters: Vec<Rows> = vec![Vec::new(); cluster.levels.len()];
    for (i, code) in cluster.codes.iter().enumerate() {
        clusters[*code].push((design.row(i), if design.outcome[i] { 1.0 } else { 0.0 }));
    }
    let by_content = |a: &(&[f64], f64), b: &(&[f64], f64)| compare_rows(a.0, b.0).then(a.1.total_cmp(&b.1));
    for rows in &mut clusters {
        rows.sort_by(by_content);
    }
    clusters.sort_by(|a, b| {
        let rows = a.iter().zip(b).map(|(x, y)| by_content(x, y)).find(|o| o.is_ne());
        a.len().cmp(&b.len()).then(rows.unwrap_or(std::cmp::Ordering::Equal))
    });
    clusters
}

struct Solution {
    beta: Vec<f64>,
    alpha: f64,
    scale: f64,
    /// M = (Σ DᵀV⁻¹D)⁻¹ with φ = 1
    bread: Matrix,
    convergence: Convergence,
}

fn solve(design: &Design, clusters: &[Rows], options: GeeOptions) -> Estimable<Solution> {
    const ITERATIONS: usize = 200;
    const TOLERANCE: f64 = 1e-11;
    let names = design.names();
    let start = maximise(&patterns(design), names)?;
    let mut beta = start.beta;
    let mut criterion = start.convergence.criterion;
    let largest_cluster = clusters.iter().map(Vec::len).max().unwrap_or(0);
    for iteration in 0..ITERATIONS {
        let (scale, alpha) = moments(clusters, &beta, options);
        if alpha >= 1.0 || 1.0 + (largest_cluster as f64 - 1.0) * alpha <= 0.0 {
            return Err(NotEstimable::new(
                "invalid_correlation",
                format!("the working correlation {alpha:.4} is not possible in a cluster of {largest_cluster}"),
            ));
        }
        let mut total = Matrix::zeros(beta.len(), beta.len());
        let mut score = vec![0.0; beta.len()];
        for rows in clusters {
            let (a, u) = contribution(rows, &beta, alpha);
            total = total.minus(&a.scaled(-1.0));
            for (s, v) in score.iter_mut().zip(&u) {
                *s += v;
            }
        }
        let factor = Cholesky::new(&total).map_err(|column| p_columns_missing(names, column))?;
        let step = factor.solve(&score);
        let relative = step.iter().zip(&beta).fold(0.0, |most: f64, (s, b)| most.max(s.abs() / (1.0 + b.abs())));
        if relative < TOLERANCE {
            let iterations = start.convergence.iterations + iteration;
            let convergence = Convergence { iterations, criterion: largest(&step) };
            return Ok(Solution { beta, alpha, scale, bread: factor.inverse(), convergence });
        }
        beta = beta.iter().zip(&step).map(|(b, s)| b + s).collect();
        criterion = relative;
    }
    Err(NotEstimable::new(
        "not_converged",
        format!("the estimating equations did not converge in {ITERATIONS} iterations (last step {criterion:.1e})"),
    ))
}

/// φ = Σ r² / N and α = Σ over clusters and pairs of rⱼrₖ / (φ · pairs), r Pearson residuals.
fn moments(clusters: &[Rows], beta: &[f64], options: GeeOptions) -> (f64, f64) {
    let (mut squares, mut products, mut observations, mut pairs) = (0.0, 0.0, 0.0, 0.0);
    for rows in clusters {
        let (mut sum, mut square) = (0.0, 0.0);
        for (x, y) in rows {
            let pi = logistic_function(super::linalg::dot(x, beta));
            let r = (y - pi) / (pi * (1.0 - pi)).sqrt();
            sum += r;
            square += r * r;
        }
        let size = rows.len() as f64;
        squares += square;
        products += 0.5 * (sum * sum - square);
        observations += size;
        pairs += 0.5 * size * (size - 1.0);
    }
    let less = match options.moments {
        Moments::Observations => 0.0,
        Moments::LessCoefficients => beta.len() as f64,
    };
    let scale = squares / (observations - less).max(1.0);
    let alpha = match options.correlation {
        WorkingCorrelation::Exchangeable if pairs > less => products / (scale * (pairs - less)),
        _ => 0.0,
    };
    (scale, alpha)
}

/// DᵀV⁻¹D and DᵀV⁻¹(y − π) of one cluster with φ = 1 and R⁻¹ = (I − α/(1+(m−1)α) 11ᵀ)/(1−α).
fn contribution(rows: &Rows, beta: &[f64], alpha: f64) -> (Matrix, Vec<f64>) {
    let p = beta.len();
    let mut information = Matrix::zeros(p, p);
    let mut score = vec![0.0; p];
    // sums of A^½x and of Pearson residuals, for the rank-one part of R⁻¹
    let (mut sum_x, mut sum_r) = (vec![0.0; p], 0.0);
    let outer = 1.0 / (1.0 - alpha);
    let rank_one = outer * alpha / (1.0 + (rows.len() as f64 - 1.0) * alpha);
    for (x, y) in rows {
        let pi = logistic_function(super::linalg::dot(x, beta));
        let root = (pi * (1.0 - pi)).sqrt();
        let residual = (y - pi) / root;
        information.add_outer(outer * root * root, x);
        for k in 0..p {
            score[k] += outer * root * x[k] * residual;
            sum_x[k] += root * x[k];
        }
        sum_r += residual;
    }
    information.add_outer(-rank_one, &sum_x);
    for k in 0..p {
        score[k] -= rank_one * sum_x[k] * sum_r;
    }
    (information, score)
}

/// Σᵢ vᵢvᵢᵀ with vᵢ = M f(AᵢM) Uᵢ = L f(LᵀAᵢL) LᵀUᵢ, M = LLᵀ; f(λ) is 1, (1−λ)^−½ or (1−λ)⁻¹.
fn sandwich(clusters: &[Rows], solution: &Solution, kind: Sandwich) -> Estimable<Matrix> {
    /// Leverage above which a cluster leaves nothing to estimate its own residual from.
    const FULL: f64 = 1.0 - 1e-9;
    let lower = Cholesky::new(&solution.bread)
        .map_err(|_| NotEstimable::new("no_variance", "the naive covariance is not positive definite"))?
        .lower;
    let upper = lower.transpose();
    let mut out = Matrix::zeros(lower.rows, lower.rows);
    for rows in clusters {
        let (a, u) = contribution(rows, &solution.beta, solution.alpha);
        let mut v = upper.times_vector(&u);
        if kind != Sandwich::Uncorrected {
            let (values, vectors) = symmetric_eigen(&upper.times(&a).times(&lower));
            let mut along = vectors.transpose().times_vector(&v);
            for (component, leverage) in along.iter_mut().zip(&values) {
                if *leverage > FULL {
                    return Err(NotEstimable::new(
                        "cluster_leverage",
                        format!("one cluster of {} observations alone determines a coefficient", rows.len()),
                    ));
                }
                *component /= match kind {
                    Sandwich::KauermannCarroll => (1.0 - leverage).sqrt(),
                    _ => 1.0 - leverage,
                };
            }
            v = vectors.times_vector(&along);
        }
        out.add_outer(1.0, &lower.times_vector(&v));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(correlation: WorkingCorrelation, sandwich: Sandwich) -> GeeOptions {
        GeeOptions { correlation, sandwich, reference: Reference::Normal, moments: Moments::Observations, level: 0.95 }
    }

    /// Six readers with 3 to 8 readings a modality each, some pattern of correct answers.
    fn example() -> (Design, Factor) {
        let (mut modality, mut reader, mut outcome) = (Vec::new(), Vec::new(), Vec::new());
        for r in 0..6_usize {
            for m in 0..2_usize {
                for i in 0..3 + r {
                    modality.push(["1", "2"][m]);
                    reader.push(format!("R{r}"));
                    // readers differ: the working correlation is positive
                    outcome.push((i * 7 + r * 3 + m * 5) % 8 > r);
                }
            }
        }
        (Design::compare(&modality, "1", &outcome).unwrap(), Factor::new(&reader))
    }

    /// Mancl & DeRouen and Kauermann & Carroll as they are written, with m × m matrices, against the p × p form.
    #[test]
    fn corrections_equal_their_definition() {
        let (design, cluster) = example();
        for correlation in [WorkingCorrelation::Independence, WorkingCorrelation::Exchangeable] {
            for kind in [Sandwich::KauermannCarroll, Sandwich::ManclDeRouen] {
                let fitted = fit(&design, &cluster, options(correlation, kind)).unwrap();
                let clusters = gather(&design, &cluster);
                let solution = solve(&design, &clusters, fitted.options).unwrap();
                let mut meat = Matrix::zeros(2, 2);
                for rows in &clusters {
                    meat.add_outer(1.0, &by_definition(rows, &solution, kind));
                }
                let want = solution.bread.times(&meat).times(&solution.bread);
                for (got, want) in fitted.robust_covariance.concat().iter().zip(&want.data) {
                    assert!((got - want).abs() < 1e-10, "{kind:?} {correlation:?}: {got} {want}");
                }
            }
        }
    }

    fn by_definition(rows: &Rows, solution: &Solution, kind: Sandwich) -> Vec<f64> {
        let m = rows.len();
        let (mut d, mut v, mut r) = (Matrix::zeros(m, 2), Matrix::zeros(m, m), vec![0.0; m]);
        let variance: Vec<f64> = rows
            .iter()
            .map(|(x, _)| logistic_function(super::super::linalg::dot(x, &solution.beta)))
            .map(|pi| pi * (1.0 - pi))
            .collect();
        for (i, (x, y)) in rows.iter().enumerate() {
            r[i] = y - logistic_function(super::super::linalg::dot(x, &solution.beta));
            for k in 0..2 {
                d[(i, k)] = variance[i] * x[k];
            }
            for j in 0..m {
                v[(i, j)] = if i == j { variance[i] } else { solution.alpha * (variance[i] * variance[j]).sqrt() };
            }
        }
        let v_inverse = Cholesky::new(&v).unwrap().inverse();
        let h = d.times(&solution.bread).times(&d.transpose()).times(&v_inverse);
        // (I − H)^−1 r or (I − H)^−½ r by their power series in H, whose eigenvalues lie below 1
        let (mut term, mut sum) = (r.clone(), r);
        for n in 1..4000 {
            let n = f64::from(n);
            let factor = if kind == Sandwich::ManclDeRouen { 1.0 } else { (2.0 * n - 1.0) / (2.0 * n) };
            term = h.times_vector(&term).into_iter().map(|t| t * factor).collect();
            for (s, t) in sum.iter_mut().zip(&term) {
                *s += t;
            }
        }
        d.transpose().times(&v_inverse).times_vector(&sum)
    }

    #[test]
    fn corrected_errors_are_larger() {
        let (design, cluster) = example();
        let error = |kind| {
            let fitted = fit(&design, &cluster, options(WorkingCorrelation::Independence, kind)).unwrap();
            fitted.coefficients[1].standard_error
        };
        let plain = error(Sandwich::Uncorrected);
        let (kauermann, mancl) = (error(Sandwich::KauermannCarroll), error(Sandwich::ManclDeRouen));
        assert!(plain < kauermann && kauermann < mancl, "{plain} {kauermann} {mancl}");
    }

    #[test]
    fn clusters_of_one_give_the_same_estimate_as_logistic_regression() {
        let (design, _) = example();
        let labels: Vec<String> = (0..design.observations()).map(|i| format!("{i}")).collect();
        let o = options(WorkingCorrelation::Exchangeable, Sandwich::Uncorrected);
        let gee = fit(&design, &Factor::new(&labels), o).unwrap();
        let glm = super::super::logistic::fit(&design, 0.95).unwrap();
        assert!((gee.coefficients[1].estimate - glm.coefficients[1].estimate).abs() < 1e-12);
        assert_eq!(gee.correlation, Some(0.0));
    }

    #[test]
    fn two_way_with_the_same_factor_twice_is_one_way() {
        let (design, cluster) = example();
        let o = options(WorkingCorrelation::Independence, Sandwich::Uncorrected);
        let (one, two) = (fit(&design, &cluster, o).unwrap(), fit_two_way(&design, &cluster, &cluster, o).unwrap());
        assert!((one.coefficients[1].standard_error - two.coefficients[1].standard_error).abs() < 1e-12);
    }

    #[test]
    fn as_many_clusters_as_coefficients_is_refused() {
        let (design, cluster) = example();
        let labels: Vec<&str> = cluster.codes.iter().map(|c| if *c < 3 { "a" } else { "b" }).collect();
        let o = options(WorkingCorrelation::Independence, Sandwich::Uncorrected);
        assert_eq!(fit(&design, &Factor::new(&labels), o).unwrap_err().code, "too_few_clusters");
    }
}
