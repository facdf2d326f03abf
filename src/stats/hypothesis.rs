//! From an estimate to the decision that the plan declared: superiority, non-inferiority, equivalence, difference.
//!
//! A claim is tested in two ways that must agree: the p-value against alpha, and the confidence bound against the
//! limit. Both come from the same t (normal where the degrees of freedom are infinite): the bound at one-sided level
//! 1 − α₁ passes the limit exactly where p < α₁ (duality of tests and intervals, Lehmann & Romano 2005, §3.5). With
//! one side α₁ = α and the interval that shows it is the two-sided one at 1 − 2α; with two sides α₁ = α/2 and it is at
//! 1 − α. Equivalence is two one-sided tests (Schuirmann 1987, J Pharmacokinet Biopharm 15:657), p the larger.
//!
//! "Better" is declared, never guessed: for a rate of false alarms lower is better, and the bound is the upper one.

use super::quantiles::{t_quantile, t_sf};
use super::{Estimable, Interval, NotEstimable};
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Claim {
    /// Better by more than `margin` ≥ 0 (0: plain superiority).
    Superiority { margin: f64 },
    /// Not worse by `margin` > 0 or more.
    NonInferiority { margin: f64 },
    /// Neither better nor worse by `margin` > 0 or more.
    Equivalence { margin: f64 },
    /// Above a goal (below it, where lower is better): a single arm against a fixed value.
    Goal { goal: f64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    Higher,
    Lower,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sides {
    /// Alpha is one-sided.
    One,
    /// Alpha is two-sided: half of it is spent on the claimed side.
    Two,
}

/// What is held against the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AppliesTo {
    /// The confidence bound: the claim is shown.
    Bound,
    /// The point estimate: an acceptance criterion, which shows nothing about the population.
    Estimate,
}

/// What the protocol declared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Plan {
    pub claim: Claim,
    pub better: Better,
    /// 0 < alpha < 0.5 where it is one-sided, < 1 where two-sided.
    pub alpha: f64,
    pub sides: Sides,
    pub applies_to: AppliesTo,
}

/// Estimate (a difference, or a single value for a goal; a ratio on its log scale), its standard error and degrees of
/// freedom (infinite: normal).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    pub estimate: f64,
    pub standard_error: f64,
    pub degrees_of_freedom: f64,
}

/// What was held against what, on the scale and in the direction of the estimate itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Verdict {
    pub plan: Plan,
    pub met: bool,
    /// Repeats `plan.applies_to`, for a reader who sees the verdict alone.
    pub decided_on: AppliesTo,
    pub estimate: f64,
    /// The interval whose bound decides: two-sided at 1 − 2α₁.
    pub interval: Interval,
    /// The value compared with the limit: a bound of `interval`, or the estimate. For equivalence the one nearer to
    /// its limit.
    pub compared: f64,
    /// The limit it is compared with.
    pub limit: f64,
    /// `None` where only an interval was given.
    pub test: Option<Test>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Test {
    /// (estimate − limit)/SE, of the side with the larger p for equivalence; positive is in the claim's favour.
    pub statistic: f64,
    /// One-sided for non-inferiority, equivalence and goals, of the plan's sides for superiority.
    pub p: f64,
    pub p_sides: Sides,
    /// What p is compared with: α₁, or alpha where p is two-sided.
    pub compared_with: f64,
}

/// Decides by test and interval together.
///
/// Codes: `invalid_plan` (alpha, margin), `zero_variance` (standard error or degrees of freedom not positive),
/// `invalid_estimate`.
pub fn decide(plan: Plan, evidence: Evidence) -> Estimable<Verdict> {
    check(&plan)?;
    let Evidence { estimate, standard_error, degrees_of_freedom: df } = evidence;
    if !estimate.is_finite() {
        return Err(NotEstimable::new("invalid_estimate", format!("the estimate is {estimate}")));
    }
    if !(standard_error > 0.0 && standard_error.is_finite() && df > 0.0) {
        return Err(NotEstimable::new(
            "zero_variance",
            format!("a test needs a positive standard error and degrees of freedom, not {standard_error} and {df}"),
        ));
    }
    let one_sided = one_sided_alpha(&plan);
    let half = t_quantile(1.0 - one_sided, df) * standard_error;
    let interval = Interval {
        lower: estimate - half,
        upper: estimate + half,
        level: 1.0 - 2.0 * one_sided,
        method: if df.is_finite() { "t" } else { "normal" },
    };
    let mut verdict = decide_by_interval(plan, estimate, interval)?;
    let statistic = limits(&plan)
        .iter()
        .map(|(side, limit)| side.sign() * (estimate - limit) / standard_error)
        .fold(f64::INFINITY, f64::min);
    let one_sided_p = t_sf(statistic, df);
    let two_sided = matches!(plan.claim, Claim::Superiority { .. }) && plan.sides == Sides::Two;
    let (p, p_sides, compared_with) = if two_sided {
        (2.0 * t_sf(statistic.abs(), df), Sides::Two, plan.alpha)
    } else {
        (one_sided_p, Sides::One, one_sided)
    };
    debug_assert!(
        plan.applies_to == AppliesTo::Estimate
            || verdict.met == (one_sided_p < one_sided)
            || (one_sided_p - one_sided).abs() < 1e-9 * one_sided,
        "p {one_sided_p} and bound {} against {} disagree",
        verdict.compared,
        verdict.limit
    );
    verdict.test = Some(Test { statistic, p: p.min(1.0), p_sides, compared_with });
    Ok(verdict)
}

/// Decides where there is an interval and no standard error (exact, bootstrap, score intervals). The interval must
/// have the level that the plan's alpha asks for (`level_mismatch`), so that 95 % limits never serve a one-sided 5 % plan
/// unnoticed.
pub fn decide_by_interval(plan: Plan, estimate: f64, interval: Interval) -> Estimable<Verdict> {
    check(&plan)?;
    let numbers = [estimate, interval.lower, interval.upper];
    if numbers.iter().any(|x| !x.is_finite()) {
        return Err(NotEstimable::new("invalid_estimate", format!("estimate and limits are {numbers:?}")));
    }
    let needed = 1.0 - 2.0 * one_sided_alpha(&plan);
    if (interval.level - needed).abs() > 1e-9 {
        return Err(NotEstimable::new(
            "level_mismatch",
            format!("the plan's alpha needs an interval at {needed}, this one is at {}", interval.level),
        ));
    }
    // distance beyond the limit in the claim's favour; equivalence has two limits and the smaller distance decides
    let (mut compared, mut limit, mut beyond) = (estimate, estimate, f64::INFINITY);
    for (side, at) in limits(&plan) {
        let value = match (plan.applies_to, side) {
            (AppliesTo::Estimate, _) => estimate,
            (AppliesTo::Bound, Side::Above) => interval.lower,
            (AppliesTo::Bound, Side::Below) => interval.upper,
        };
        let distance = side.sign() * (value - at);
        if distance < beyond {
            (compared, limit, beyond) = (value, at, distance);
        }
    }
    Ok(Verdict {
        plan,
        met: beyond > 0.0,
        decided_on: plan.applies_to,
        estimate,
        interval,
        compared,
        limit,
        test: None,
    })
}

/// On which side of the limit the parameter is claimed to lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Above,
    Below,
}

impl Side {
    fn sign(self) -> f64 {
        if self == Side::Above { 1.0 } else { -1.0 }
    }
}

fn limits(plan: &Plan) -> Vec<(Side, f64)> {
    let (side, sign) = match plan.better {
        Better::Higher => (Side::Above, 1.0),
        Better::Lower => (Side::Below, -1.0),
    };
    match plan.claim {
        Claim::Superiority { margin } => vec![(side, sign * margin)],
        Claim::NonInferiority { margin } => vec![(side, -sign * margin)],
        Claim::Equivalence { margin } => vec![(Side::Above, -margin), (Side::Below, margin)],
        Claim::Goal { goal } => vec![(side, goal)],
    }
}

fn one_sided_alpha(plan: &Plan) -> f64 {
    match plan.sides {
        Sides::One => plan.alpha,
        Sides::Two => plan.alpha / 2.0,
    }
}

fn check(plan: &Plan) -> Estimable<()> {
    let invalid = |reason: String| Err(NotEstimable::new("invalid_plan", reason));
    let one_sided = one_sided_alpha(plan);
    if !(one_sided > 0.0 && one_sided < 0.5) {
        return invalid(format!("a one-sided alpha lies between 0 and 0.5, not at {one_sided}"));
    }
    match plan.claim {
        Claim::Superiority { margin } if !(margin >= 0.0 && margin.is_finite()) => {
            invalid(format!("a superiority margin is 0 or positive, not {margin}"))
        }
        Claim::NonInferiority { margin } | Claim::Equivalence { margin } if !(margin > 0.0 && margin.is_finite()) => {
            invalid(format!("a margin is positive, not {margin}"))
        }
        Claim::Goal { goal } if !goal.is_finite() => invalid(format!("the goal is {goal}")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(claim: Claim, alpha: f64, sides: Sides) -> Plan {
        Plan { claim, better: Better::Higher, alpha, sides, applies_to: AppliesTo::Bound }
    }

    const T11: Evidence = Evidence { estimate: -0.01, standard_error: 0.02, degrees_of_freedom: 12.3 };

    #[test]
    fn noninferiority_at_five_and_not_at_two_and_a_half_percent() {
        // T11: t = 2.0, p = 0.03404, lower 95 % bound −0.05346
        let claim = Claim::NonInferiority { margin: 0.05 };
        let five = decide(plan(claim, 0.05, Sides::One), T11).unwrap();
        let test = five.test.unwrap();
        assert!((test.statistic - 2.0).abs() < 1e-12 && (test.p - 0.034_04).abs() < 5e-6);
        assert!(five.met);
        let strict = decide(plan(claim, 0.05, Sides::Two), T11).unwrap();
        assert!((strict.compared + 0.053_46).abs() < 5e-6);
        assert!(!strict.met);
        assert_eq!(strict.test.unwrap().compared_with, 0.025);
        assert_eq!((strict.limit, strict.interval.level), (-0.05, 0.95));
    }

    #[test]
    fn lower_is_better_mirrors() {
        let claim = Claim::NonInferiority { margin: 0.05 };
        let higher = decide(plan(claim, 0.05, Sides::One), T11).unwrap();
        let mirrored = Plan { better: Better::Lower, ..plan(claim, 0.05, Sides::One) };
        let lower = decide(mirrored, Evidence { estimate: 0.01, ..T11 }).unwrap();
        assert_eq!(higher.test, lower.test);
        assert_eq!((higher.compared, higher.limit), (-lower.compared, -lower.limit));
    }

    #[test]
    fn the_estimate_can_pass_where_the_bound_does_not() {
        let goal = plan(Claim::Goal { goal: 0.8 }, 0.025, Sides::One);
        let evidence = Evidence { estimate: 0.82, standard_error: 0.02, degrees_of_freedom: f64::INFINITY };
        assert!(!decide(goal, evidence).unwrap().met);
        let by_estimate = decide(Plan { applies_to: AppliesTo::Estimate, ..goal }, evidence).unwrap();
        assert!(by_estimate.met);
        assert_eq!((by_estimate.decided_on, by_estimate.compared), (AppliesTo::Estimate, 0.82));
    }

    #[test]
    fn an_interval_of_another_level_is_refused() {
        let interval = Interval { lower: -0.03, upper: 0.05, level: 0.95, method: "BCa bootstrap" };
        let claim = Claim::NonInferiority { margin: 0.05 };
        assert_eq!(
            decide_by_interval(plan(claim, 0.05, Sides::One), 0.0, interval).unwrap_err().code,
            "level_mismatch"
        );
        assert!(decide_by_interval(plan(claim, 0.05, Sides::Two), 0.0, interval).unwrap().met);
    }

    #[test]
    fn a_significant_harm_is_not_superiority() {
        let evidence = Evidence { estimate: -0.1, standard_error: 0.02, degrees_of_freedom: 30.0 };
        let found = decide(plan(Claim::Superiority { margin: 0.0 }, 0.05, Sides::Two), evidence).unwrap();
        assert!(found.test.unwrap().p < 0.05 && !found.met);
    }

    #[test]
    fn p_and_interval_agree_everywhere() {
        for claim in [
            Claim::Superiority { margin: 0.0 },
            Claim::Superiority { margin: 0.02 },
            Claim::NonInferiority { margin: 0.05 },
            Claim::Equivalence { margin: 0.05 },
            Claim::Goal { goal: 0.01 },
        ] {
            for better in [Better::Higher, Better::Lower] {
                for sides in [Sides::One, Sides::Two] {
                    for step in -40..=40 {
                        for df in [3.0, 12.3, f64::INFINITY] {
                            let plan = Plan { better, ..plan(claim, 0.05, sides) };
                            let evidence = Evidence {
                                estimate: 0.003 * f64::from(step),
                                standard_error: 0.015,
                                degrees_of_freedom: df,
                            };
                            let found = decide(plan, evidence).unwrap();
                            let test = found.test.unwrap();
                            let favourable = test.p_sides == Sides::One || test.statistic > 0.0;
                            assert_eq!(found.met, test.p < test.compared_with && favourable, "{plan:?} {evidence:?}");
                        }
                    }
                }
            }
        }
    }
}
