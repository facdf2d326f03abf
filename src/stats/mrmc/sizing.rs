//! Power and size of a reader study from pilot variance components, after Obuchowski–Rockette.
//!
//! With t modalities of which two differ by d, r readers and K cases (K₀ in the pilot; the error covariances scale by
//! K₀/K), Hillis, Obuchowski and Berbaum (2011, Acad Radiol 18:129) give for random readers and cases
//!
//! Δ = (r d²/2) / D, D = σ²_TR + σ²ε(1 − r₁ + (r − 1) max(r₂ − r₃, 0)),
//! df₂ = D² / ( M² / ((t − 1)(r − 1)) ), M = σ²_TR + σ²ε(1 − r₁ − max(r₂ − r₃, 0)),
//!
//! and power = P(F′(t − 1, df₂; Δ) > F critical) with F′ the noncentral F. Fixed readers drop σ²_TR and use the noncentral
//! χ²; fixed cases have D = M and df₂ = (t − 1)(r − 1).

use super::obuchowski_rockette::{RandomFactors, VarianceComponents, positive};
use crate::stats::quantiles::{beta_sf, chi2_quantile, chi2_sf, f_quantile};
use crate::stats::{Estimable, NotEstimable};
use serde::Serialize;
use statrs::function::gamma::ln_gamma;

/// What a pilot study gives, or a design assumes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PilotComponents {
    /// σ²_TR; a negative estimate counts as 0.
    pub modality_by_reader: f64,
    pub error: f64,
    pub cov1: f64,
    pub cov2: f64,
    pub cov3: f64,
    /// Number of cases that the error terms belong to.
    pub cases: u32,
}

/// The planned study.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReaderStudyPlan {
    pub readers: u32,
    /// In the pilot's proportion of diseased cases.
    pub cases: u32,
    pub modalities: u32,
    /// Difference of two modalities that is to be found.
    pub effect: f64,
    /// Two-sided, 0 < α < 1.
    pub alpha: f64,
    pub random: RandomFactors,
}

/// Power of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Power {
    pub power: f64,
    pub noncentrality: f64,
    pub df1: f64,
    /// `None` for χ².
    pub df2: Option<f64>,
    pub critical_value: f64,
}

impl PilotComponents {
    /// The components of an analysed pilot of `cases` cases. `None` where it has no modality-by-reader component.
    #[must_use]
    pub fn from_pilot(components: &VarianceComponents, cases: u32) -> Option<Self> {
        Some(Self {
            modality_by_reader: components.modality_by_reader?,
            error: components.error,
            cov1: components.cov1,
            cov2: components.cov2,
            cov3: components.cov3,
            cases,
        })
    }
}

/// Power of the overall test.
///
/// # Errors
/// A plan outside its ranges, or components whose denominator is not positive.
pub fn power(pilot: &PilotComponents, plan: &ReaderStudyPlan) -> Estimable<Power> {
    check(pilot, plan)?;
    let (r, t) = (f64::from(plan.readers), f64::from(plan.modalities));
    let scale = f64::from(pilot.cases) / f64::from(plan.cases);
    let interaction = pilot.modality_by_reader.max(0.0);
    let (own, shared) = (scale * (pilot.error - pilot.cov1), scale * (pilot.cov2 - pilot.cov3).max(0.0));
    let mean_square = interaction + own - shared;
    let df1 = t - 1.0;
    let (denominator, df2) = match plan.random {
        RandomFactors::ReadersAndCases => {
            let denominator = interaction + own + (r - 1.0) * shared;
            (denominator, Some(denominator.powi(2) / (mean_square.powi(2) / (df1 * (r - 1.0)))))
        }
        RandomFactors::Cases => (own + (r - 1.0) * scale * (pilot.cov2 - pilot.cov3), None),
        RandomFactors::Readers => (mean_square, Some(df1 * (r - 1.0))),
    };
    positive("the denominator of the planned test", denominator)?;
    if df2.is_some() {
        positive("the expected mean square of modality by reader", mean_square)?;
    }
    let noncentrality = r * plan.effect * plan.effect / 2.0 / denominator;
    if !noncentrality.is_finite() {
        let reason = format!("an effect of {:e} against a variance of {denominator:e} is out of range", plan.effect);
        return Err(NotEstimable::new("bad_parameter", reason));
    }
    let (critical_value, power) = match df2 {
        Some(df2) => {
            let critical = f_quantile(1.0 - plan.alpha, df1, df2);
            (critical, noncentral_f_sf(critical, df1, df2, noncentrality))
        }
        None => {
            let critical = chi2_quantile(1.0 - plan.alpha, df1);
            (critical, poisson_mixture(noncentrality, |j| chi2_sf(critical, df1 + 2.0 * j)))
        }
    };
    Ok(Power { power, noncentrality, df1, df2, critical_value })
}

/// The least number of cases with power above `target`, at most `most`.
///
/// # Errors
/// As [`power`]; a target outside (0, 1); a power that even `most` cases do not reach, with the power that they have.
pub fn cases_for_power(
    pilot: &PilotComponents,
    plan: &ReaderStudyPlan,
    target: f64,
    most: u32,
) -> Estimable<(u32, Power)> {
    if !(target > 0.0 && target < 1.0) {
        return Err(NotEstimable::new("bad_parameter", format!("a power lies within 0 and 1, not {target}")));
    }
    let with = |cases: u32| power(pilot, &ReaderStudyPlan { cases, ..*plan });
    let best = with(most)?;
    if best.power <= target {
        let reason =
            format!("{} readers and {most} cases have power {:.4}, not above {target}", plan.readers, best.power);
        return Err(NotEstimable::new("power_not_reached", reason));
    }
    let (mut too_few, mut enough) = (1, most);
    if with(too_few)?.power > target {
        return Ok((too_few, with(too_few)?));
    }
    while enough - too_few > 1 {
        let middle = too_few + (enough - too_few) / 2;
        if with(middle)?.power > target { enough = middle } else { too_few = middle }
    }
    Ok((enough, with(enough)?))
}

fn check(pilot: &PilotComponents, plan: &ReaderStudyPlan) -> Estimable<()> {
    let fixed = plan.random == RandomFactors::Cases;
    let fault = if plan.readers < 2 && !fixed || plan.readers == 0 {
        format!("{} readers are too few", plan.readers)
    } else if plan.modalities < 2 || plan.cases == 0 || pilot.cases == 0 {
        format!("{} modalities, {} planned and {} pilot cases", plan.modalities, plan.cases, pilot.cases)
    } else if !(plan.alpha > 0.0 && plan.alpha < 1.0 && plan.effect.is_finite()) {
        format!("α = {} and effect = {}", plan.alpha, plan.effect)
    } else {
        return Ok(());
    };
    Err(NotEstimable::new("bad_parameter", fault))
}

/// P(F′ > f): a Poisson(λ/2) mixture of beta tails (Johnson, Kotz and Balakrishnan 1995, section 30.2).
fn noncentral_f_sf(f: f64, df1: f64, df2: f64, lambda: f64) -> f64 {
    let x = df1 * f / (df1 * f + df2);
    poisson_mixture(lambda, |j| beta_sf(x, df1 / 2.0 + j, df2 / 2.0))
}

/// Σ over j of Poisson(j; λ/2) tail(j) for a tail that rises with j. Terms further than 12 standard deviations from the
/// mode are below 1e-30.
fn poisson_mixture(lambda: f64, tail: impl Fn(f64) -> f64) -> f64 {
    let rate = lambda / 2.0;
    if rate == 0.0 {
        return tail(0.0);
    }
    let reach = 12.0 * rate.sqrt() + 40.0;
    let first = (rate - reach).max(0.0).floor();
    let last = (rate + reach).ceil();
    // a large λ needs no sum where even the ends of the range agree
    if tail(first) == 1.0 || tail(last) == 0.0 {
        return tail(first);
    }
    let mut log_weight = -rate + first * rate.ln() - ln_gamma(first + 1.0);
    let (mut j, mut sum) = (first, 0.0);
    while j <= last {
        sum += log_weight.exp() * tail(j);
        j += 1.0;
        log_weight += (rate / j).ln();
    }
    sum.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published example of components (effect 0.05, σ²_TR 0.0004, σ²ε 0.0012, r = 0.43, 0.36, 0.30): power for 5,
    /// 10 and 15 readers with as many cases as the pilot and with twice as many.
    #[test]
    fn example_by_readers_and_cases() {
        let pilot = PilotComponents {
            modality_by_reader: 0.0004,
            error: 0.0012,
            cov1: 0.43 * 0.0012,
            cov2: 0.36 * 0.0012,
            cov3: 0.30 * 0.0012,
            cases: 100,
        };
        let expected = [(5, 0.458, 0.612), (10, 0.735, 0.903), (15, 0.838, 0.967)];
        for (readers, once, twice) in expected {
            for (cases, want) in [(100, once), (200, twice)] {
                let random = RandomFactors::ReadersAndCases;
                let plan = ReaderStudyPlan { readers, cases, modalities: 2, effect: 0.05, alpha: 0.05, random };
                let got = power(&pilot, &plan).expect("valid").power;
                assert!((got - want).abs() < 5e-4, "{readers} readers, {cases} cases: {got}, not {want}");
            }
        }
    }

    #[test]
    fn no_effect_has_power_alpha() {
        let pilot =
            PilotComponents { modality_by_reader: 1e-4, error: 1e-3, cov1: 4e-4, cov2: 3e-4, cov3: 2e-4, cases: 50 };
        for random in [RandomFactors::ReadersAndCases, RandomFactors::Cases, RandomFactors::Readers] {
            let plan = ReaderStudyPlan { readers: 6, cases: 80, modalities: 3, effect: 0.0, alpha: 0.05, random };
            let got = power(&pilot, &plan).expect("valid").power;
            assert!((got - 0.05).abs() < 1e-9, "{random:?}: {got}");
        }
    }
}
