//! What each declared hypothesis came to, in numbers and in plain words, Korean and English.
//!
//! The p-value and the interval rule answer the same question at the same alpha: a two-sided test is held against the
//! interval at level 1 − α, a one-sided one (non-inferiority, equivalence, goal) against that at 1 − 2α, or 1 − α where
//! the protocol declares two sides.

use super::endpoint::{EndpointResult, EndpointResults};
use super::results::Conclusion;
use super::sheet::{Estimate, Sheet, significant};
use crate::protocol::{Criterion, Endpoint, Hypothesis, HypothesisKind, MultiplicityMethod, Protocol, Sides};
use crate::report::format::{Kind as Printed, fmt_value};
use crate::stats::quantiles::{t_quantile, t_sf, t_two_sided_p};

pub fn conclude(protocol: &Protocol, endpoints: &EndpointResults, sheet: &mut Sheet) -> Vec<Conclusion> {
    let mut conclusions: Vec<Conclusion> = protocol
        .endpoints
        .iter()
        .filter_map(|endpoint| Some(conclusion(protocol, endpoint, endpoint.hypothesis.as_ref()?, endpoints.get(&endpoint.id))))
        .collect();
    multiplicity(protocol, &mut conclusions);
    for conclusion in &conclusions {
        if conclusion.met.is_none() {
            sheet.note("T-ACC", "warning", conclusion.en.clone(), conclusion.ko.clone());
        }
    }
    conclusions
}

/// The decision on one hypothesis.
struct Decision {
    met: Option<bool>,
    p: Option<f64>,
    /// The bound that was held against the limit, where the criterion is a bound.
    bound: Option<f64>,
    limit: f64,
}

fn conclusion(
    protocol: &Protocol,
    endpoint: &Endpoint,
    hypothesis: &Hypothesis,
    result: Option<&EndpointResult>,
) -> Conclusion {
    let name_en = endpoint.label.as_ref().map_or(endpoint.id.as_str(), |label| label.en.as_str());
    let name_ko = endpoint.label.as_ref().map_or(endpoint.id.as_str(), |l| l.ko.as_deref().unwrap_or(&l.en));
    let criterion = match hypothesis.criterion {
        Criterion::Bound => "bound",
        Criterion::Estimate => "estimate",
    };
    let mut conclusion = Conclusion {
        endpoint_id: endpoint.id.clone(),
        rank: format!("{:?}", endpoint.rank).to_lowercase(),
        met: None,
        met_after_multiplicity: None,
        criterion: criterion.to_owned(),
        p: None,
        p_adjusted: None,
        alpha: hypothesis.alpha,
        en: String::new(),
        ko: String::new(),
    };
    let estimate = match result.map(|r| &r.estimate) {
        Some(Ok(estimate)) => estimate,
        Some(Err(reason)) => {
            conclusion.en = format!("{name_en}: not estimable ({}); the criterion is neither met nor failed.", reason.reason);
            conclusion.ko = format!("{name_ko}: 추정 불가({}). 판정기준의 충족 여부를 판정할 수 없다.", reason.reason);
            return conclusion;
        }
        None => {
            conclusion.en = format!("{name_en}: the study has no data for this endpoint; not estimable.");
            conclusion.ko = format!("{name_ko}: 이 평가변수에 대한 자료가 없어 추정 불가.");
            return conclusion;
        }
    };
    let decision = decide(protocol, endpoint, hypothesis, estimate);
    conclusion.met = decision.met;
    conclusion.p = decision.p.map(significant);
    let (en, ko) = words(endpoint, hypothesis, estimate, &decision, name_en, name_ko);
    conclusion.en = en;
    conclusion.ko = ko;
    conclusion
}

/// The value of no effect: 0 for differences, 1 for ratios, the goal for one arm.
fn null_value(endpoint: &Endpoint, hypothesis: &Hypothesis) -> f64 {
    use crate::protocol::Measure;
    match hypothesis.kind {
        HypothesisKind::PerformanceGoal => hypothesis.goal.unwrap_or(f64::NAN),
        _ if endpoint.measure == Measure::OddsRatio => 1.0,
        _ => 0.0,
    }
}

fn decide(protocol: &Protocol, endpoint: &Endpoint, hypothesis: &Hypothesis, found: &Estimate) -> Decision {
    let null = null_value(endpoint, hypothesis);
    let margin = hypothesis.margin.unwrap_or(0.0);
    let limit = match hypothesis.kind {
        HypothesisKind::NonInferiority => null - margin,
        _ => null,
    };
    if hypothesis.criterion == Criterion::Estimate {
        let met = match hypothesis.kind {
            HypothesisKind::Equivalence => (found.estimate - null).abs() < margin,
            _ => found.estimate > limit,
        };
        return Decision { met: Some(met), p: None, bound: None, limit };
    }
    let one_sided_alpha = match hypothesis.sides {
        Sides::One => hypothesis.alpha,
        Sides::Two => hypothesis.alpha / 2.0,
    };
    // With a standard error and degrees of freedom the test and its bound follow from t; else the interval decides.
    if let (Some(se), Some(df)) = (found.se, found.df) {
        if se <= 0.0 {
            return Decision { met: None, p: None, bound: None, limit };
        }
        let quantile = t_quantile(1.0 - one_sided_alpha, df);
        let (lower, upper) = (found.estimate - quantile * se, found.estimate + quantile * se);
        return match hypothesis.kind {
            HypothesisKind::Equivalence => {
                let below = t_sf((found.estimate - null + margin) / se, df);
                let above = t_sf((null + margin - found.estimate) / se, df);
                let met = lower > null - margin && upper < null + margin;
                Decision { met: Some(met), p: Some(below.max(above)), bound: Some(lower), limit: null - margin }
            }
            _ => {
                let t = (found.estimate - limit) / se;
                let p = match hypothesis.sides {
                    Sides::One => t_sf(t, df),
                    Sides::Two if hypothesis.kind == HypothesisKind::Superiority => t_two_sided_p(t, df),
                    Sides::Two => t_sf(t, df),
                };
                Decision { met: Some(lower > limit), p: Some(p), bound: Some(lower), limit }
            }
        };
    }
    let level = endpoint.confidence_level.unwrap_or(protocol.study.confidence_level);
    match found.interval {
        Some(interval) if (level - (1.0 - 2.0 * one_sided_alpha)).abs() < 1e-9 => {
            let met = match hypothesis.kind {
                HypothesisKind::Equivalence => interval.lower > null - margin && interval.upper < null + margin,
                _ => interval.lower > limit,
            };
            Decision { met: Some(met), p: found.p, bound: Some(interval.lower), limit }
        }
        _ => Decision { met: None, p: None, bound: None, limit },
    }
}

fn words(
    endpoint: &Endpoint,
    hypothesis: &Hypothesis,
    found: &Estimate,
    decision: &Decision,
    name_en: &str,
    name_ko: &str,
) -> (String, String) {
    let comparison = endpoint.compare.is_some();
    let printed = crate::report::format::kind_of(endpoint.measure, super::results::Stat::Est, comparison);
    let number = |value: f64| fmt_value(printed, value);
    let (kind_en, kind_ko) = match hypothesis.kind {
        HypothesisKind::Superiority => ("superiority", "우월성"),
        HypothesisKind::NonInferiority => ("non-inferiority", "비열등성"),
        HypothesisKind::Equivalence => ("equivalence", "동등성"),
        HypothesisKind::PerformanceGoal => ("the performance goal", "성능 목표"),
    };
    let p = decision.p.map_or_else(String::new, |p| format!("; p {}", with_equals(&fmt_value(Printed::P, p))));
    let (held_en, held_ko) = match (hypothesis.criterion, decision.bound) {
        (Criterion::Estimate, _) => (
            format!("the criterion applies to the estimate {}", number(found.estimate)),
            format!("판정기준은 점추정값 {}에 적용", number(found.estimate)),
        ),
        (Criterion::Bound, Some(bound)) => (
            format!("the criterion applies to the confidence bound {}", number(bound)),
            format!("판정기준은 신뢰구간 하한 {}에 적용", number(bound)),
        ),
        (Criterion::Bound, None) => (
            "the bound at the protocol's alpha is not estimable".to_owned(),
            "계획서의 유의수준에 해당하는 신뢰한계를 추정할 수 없음".to_owned(),
        ),
    };
    let sides_en = if hypothesis.sides == Sides::One { "one-sided" } else { "two-sided" };
    let sides_ko = if hypothesis.sides == Sides::One { "단측" } else { "양측" };
    let (verdict_en, verdict_ko) = match decision.met {
        Some(true) => ("met", "충족"),
        Some(false) => ("not met", "미충족"),
        None => ("not decidable", "판정 불가"),
    };
    let limit = number(decision.limit);
    (
        format!(
            "{name_en}: {kind_en} {verdict_en} (estimate {}; {held_en}, which must exceed {limit}; {sides_en} alpha {}{p}).",
            number(found.estimate),
            hypothesis.alpha
        ),
        format!(
            "{name_ko}: {kind_ko} {verdict_ko} (추정값 {}; {held_ko}, 기준 {limit} 초과; {sides_ko} 유의수준 {}{p}).",
            number(found.estimate),
            hypothesis.alpha
        ),
    )
}

fn with_equals(p: &str) -> String {
    if p.starts_with(['<', '>']) { p.to_owned() } else { format!("= {p}") }
}

/// Fills the adjusted p-values and decisions of the endpoints that the procedure names.
///
/// Bonferroni, Holm (1979), Hochberg (1988): p-values of the family. Fixed sequence and serial gatekeeping: each endpoint
/// is tested at the full alpha, only while all before it were met.
fn multiplicity(protocol: &Protocol, conclusions: &mut [Conclusion]) {
    let Some(procedure) = &protocol.multiplicity else {
        return;
    };
    let at: Vec<usize> = procedure
        .endpoints
        .iter()
        .filter_map(|id| conclusions.iter().position(|c| &c.endpoint_id == id))
        .collect();
    match procedure.method {
        MultiplicityMethod::FixedSequence | MultiplicityMethod::Gatekeeping => {
            let mut open = true;
            for index in at {
                let met = open && conclusions[index].met == Some(true);
                conclusions[index].met_after_multiplicity = Some(met);
                open = met;
            }
        }
        method => {
            let ps: Vec<Option<f64>> = at.iter().map(|&index| conclusions[index].p).collect();
            // A family with a member that has no p-value cannot be adjusted; the rest is then left undecided, in words.
            let Some(ps) = ps.into_iter().collect::<Option<Vec<f64>>>() else { return };
            let adjusted = adjust(method, &ps);
            for (&index, &p) in at.iter().zip(&adjusted) {
                conclusions[index].p_adjusted = Some(significant(p));
                conclusions[index].met_after_multiplicity = Some(conclusions[index].met == Some(true) && p <= procedure.alpha);
            }
        }
    }
}

fn adjust(method: MultiplicityMethod, ps: &[f64]) -> Vec<f64> {
    let n = ps.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| ps[a].total_cmp(&ps[b]).then(a.cmp(&b)));
    let mut adjusted = vec![0.0; n];
    match method {
        MultiplicityMethod::Holm => {
            let mut highest = 0.0f64;
            for (rank, &at) in order.iter().enumerate() {
                highest = highest.max((ps[at] * (n - rank) as f64).min(1.0));
                adjusted[at] = highest;
            }
        }
        MultiplicityMethod::Hochberg => {
            let mut lowest = 1.0f64;
            for (rank, &at) in order.iter().enumerate().rev() {
                lowest = lowest.min(ps[at] * (n - rank) as f64);
                adjusted[at] = lowest;
            }
        }
        _ => {
            for (at, &p) in ps.iter().enumerate() {
                adjusted[at] = (p * n as f64).min(1.0);
            }
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R 4.2: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm" / "hochberg" / "bonferroni").
    #[test]
    fn adjusted_p_values_are_those_of_r() {
        let ps = [0.01, 0.04, 0.03, 0.005];
        let close = |got: Vec<f64>, want: [f64; 4]| got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-12);
        assert!(close(adjust(MultiplicityMethod::Holm, &ps), [0.03, 0.06, 0.06, 0.02]));
        assert!(close(adjust(MultiplicityMethod::Hochberg, &ps), [0.03, 0.04, 0.04, 0.02]));
        assert!(close(adjust(MultiplicityMethod::Bonferroni, &ps), [0.04, 0.16, 0.12, 0.02]));
    }
}
