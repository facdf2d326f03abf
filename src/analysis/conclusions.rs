//! What each declared hypothesis came to, in numbers and in plain words, Korean and English.
//!
//! The decision is [`crate::stats::hypothesis`]'s, several decisions under one alpha are [`crate::stats::multiplicity`]'s.
//! Ratios are decided on the log scale: a margin m of an odds ratio means a ratio above 1 − m (non-inferiority), or
//! between 1 − m and 1/(1 − m) (equivalence).

use super::endpoint::{EndpointResults, names};
use super::results::Conclusion;
use super::sheet::{Estimate, Sheet, significant};
use crate::analysis::format::{Kind as Printed, fixed, fmt_value};
use crate::protocol::{
    Criterion, Endpoint, Hypothesis, HypothesisKind, Measure, Method, MultiplicityMethod, Protocol, Rank, Sides,
};
use crate::report::phrase::korean;
use crate::stats::hypothesis::{self, AppliesTo, Better, Claim, Evidence, Plan, Verdict};
use crate::stats::multiplicity::{self, Adjusted, Decision, Family, Procedure};
use crate::stats::{Estimable, Interval, NotEstimable};

pub fn conclude(protocol: &Protocol, endpoints: &EndpointResults, sheet: &mut Sheet) -> Vec<Conclusion> {
    let mut judged: Vec<Judged> = protocol
        .endpoints
        .iter()
        .filter_map(|endpoint| Some(judge(endpoint, endpoint.hypothesis.as_ref()?, endpoints.get(&endpoint.id))))
        .collect();
    share_alpha(protocol, &mut judged, sheet);
    let conclusions: Vec<Conclusion> = judged.into_iter().map(|j| j.conclusion).collect();
    for conclusion in conclusions.iter().filter(|c| c.met.is_none()) {
        sheet.note("T-ACC", "warning", conclusion.en.clone(), conclusion.ko.clone());
    }
    conclusions
}

struct Judged {
    conclusion: Conclusion,
    /// p as it is held against the hypothesis' own alpha: doubled where the test is one-sided and the alpha two-sided.
    p_against_alpha: Option<f64>,
}

fn judge(endpoint: &Endpoint, hypothesis: &Hypothesis, found: Option<&Estimable<Estimate>>) -> Judged {
    let (name_en, name_ko) = names(endpoint);
    let mut conclusion = Conclusion {
        endpoint_id: endpoint.id.clone(),
        rank: match endpoint.rank {
            Rank::Primary => "primary",
            Rank::Secondary => "secondary",
            Rank::Exploratory => "exploratory",
        }
        .to_owned(),
        met: None,
        met_after_multiplicity: None,
        criterion: match hypothesis.criterion {
            Criterion::Bound => "bound",
            Criterion::Estimate => "estimate",
        }
        .to_owned(),
        p: None,
        p_adjusted: None,
        alpha: hypothesis.alpha,
        en: String::new(),
        ko: String::new(),
    };
    let no_data = Err(NotEstimable::new("no-data", "the study has no data for this endpoint"));
    let estimate = match found.unwrap_or(&no_data) {
        Ok(estimate) => estimate,
        Err(reason) => {
            conclusion.en =
                format!("{name_en}: not estimable ({}); the criterion is neither met nor failed.", reason.reason);
            conclusion.ko =
                format!("{name_ko}: 추정 불가({}). 판정기준의 충족 여부를 판정할 수 없다.", korean(&reason.reason));
            return Judged { conclusion, p_against_alpha: None };
        }
    };
    match decide(endpoint, hypothesis, estimate) {
        Ok(verdict) => {
            let two_sided_alpha_one_sided_test =
                verdict.test.is_some_and(|t| t.p_sides == hypothesis::Sides::One) && hypothesis.sides == Sides::Two;
            // Without a test of its own (exact and resampling intervals) the estimate's p-value is that of the method.
            let p = verdict.test.map_or(method_p(hypothesis, estimate), |t| Some(t.p));
            conclusion.met = Some(verdict.met);
            conclusion.p = p.map(significant);
            (conclusion.en, conclusion.ko) = words(endpoint, hypothesis, &verdict, p, name_en, name_ko);
            let doubled = if two_sided_alpha_one_sided_test { 2.0 } else { 1.0 };
            Judged { conclusion, p_against_alpha: p.map(|p| (doubled * p).min(1.0)) }
        }
        Err(reason) => {
            conclusion.en =
                format!("{name_en}: not decidable ({}); the criterion is neither met nor failed.", reason.reason);
            conclusion.ko =
                format!("{name_ko}: 판정 불가({}). 판정기준의 충족 여부를 판정할 수 없다.", korean(&reason.reason));
            Judged { conclusion, p_against_alpha: None }
        }
    }
}

/// The p-value that came with an interval, where it tests what the hypothesis claims: no difference, two-sided.
fn method_p(hypothesis: &Hypothesis, found: &Estimate) -> Option<f64> {
    (hypothesis.kind == HypothesisKind::Superiority && hypothesis.sides == Sides::Two).then_some(found.p).flatten()
}

fn is_ratio(measure: Measure) -> bool {
    matches!(
        measure,
        Measure::OddsRatio
            | Measure::DiagnosticOddsRatio
            | Measure::LikelihoodRatioPositive
            | Measure::LikelihoodRatioNegative
    )
}

/// The decision; of a ratio on the log scale.
fn decide(endpoint: &Endpoint, hypothesis: &Hypothesis, found: &Estimate) -> Estimable<Verdict> {
    let ratio = is_ratio(endpoint.measure);
    let plan = plan(endpoint, hypothesis, ratio)?;
    let scaled = |value: f64| if ratio { value.ln() } else { value };
    let evidence = if ratio { found.log_se } else { found.se }.zip(found.df.or_else(|| asymptotic(endpoint.method)));
    if hypothesis.criterion == Criterion::Estimate {
        // The bound plays no part; an interval of no width carries the estimate.
        let level = 1.0 - 2.0 * one_sided_alpha(hypothesis);
        let at = scaled(found.estimate);
        return hypothesis::decide_by_interval(plan, at, Interval { lower: at, upper: at, level, method: "estimate" });
    }
    if let Some((standard_error, degrees_of_freedom)) = evidence
        && !endpoint.method.is_bootstrap()
    {
        return hypothesis::decide(
            plan,
            Evidence { estimate: scaled(found.estimate), standard_error, degrees_of_freedom },
        );
    }
    match (&found.interval, &found.no_interval) {
        (Some(interval), _) => {
            let on_scale = Interval { lower: scaled(interval.lower), upper: scaled(interval.upper), ..*interval };
            hypothesis::decide_by_interval(plan, scaled(found.estimate), on_scale)
        }
        (None, Some(reason)) => Err(reason.clone()),
        (None, None) => Err(NotEstimable::new("no-interval", "the method gives no confidence interval")),
    }
}

/// Methods whose limits are estimate ± normal quantile × standard error.
fn asymptotic(method: Method) -> Option<f64> {
    matches!(method, Method::Delong | Method::ObuchowskiClustered | Method::Asymptotic | Method::Jackknife)
        .then_some(f64::INFINITY)
}

fn one_sided_alpha(hypothesis: &Hypothesis) -> f64 {
    match hypothesis.sides {
        Sides::One => hypothesis.alpha,
        Sides::Two => hypothesis.alpha / 2.0,
    }
}

fn plan(endpoint: &Endpoint, hypothesis: &Hypothesis, ratio: bool) -> Estimable<Plan> {
    let missing = |what: &str| NotEstimable::new("no-limit", format!("the hypothesis declares no {what}"));
    let margin = || {
        let margin = hypothesis.margin.ok_or_else(|| missing("margin"))?;
        match ratio {
            false => Ok(margin),
            true if margin < 1.0 => Ok(-(1.0 - margin).ln()),
            true => Err(NotEstimable::new("no-limit", format!("a margin of a ratio lies below 1, not at {margin}"))),
        }
    };
    let claim = match hypothesis.kind {
        HypothesisKind::Superiority => Claim::Superiority { margin: 0.0 },
        HypothesisKind::NonInferiority => Claim::NonInferiority { margin: margin()? },
        HypothesisKind::Equivalence => Claim::Equivalence { margin: margin()? },
        HypothesisKind::PerformanceGoal => {
            let goal = hypothesis.goal.ok_or_else(|| missing("goal"))?;
            Claim::Goal { goal: if ratio { goal.ln() } else { goal } }
        }
    };
    Ok(Plan {
        claim,
        better: if endpoint.measure == Measure::LikelihoodRatioNegative { Better::Lower } else { Better::Higher },
        alpha: hypothesis.alpha,
        sides: match hypothesis.sides {
            Sides::One => hypothesis::Sides::One,
            Sides::Two => hypothesis::Sides::Two,
        },
        applies_to: match hypothesis.criterion {
            Criterion::Bound => AppliesTo::Bound,
            Criterion::Estimate => AppliesTo::Estimate,
        },
    })
}

fn words(
    endpoint: &Endpoint,
    hypothesis: &Hypothesis,
    verdict: &Verdict,
    p: Option<f64>,
    name_en: &str,
    name_ko: &str,
) -> (String, String) {
    let printed =
        crate::analysis::format::kind_of(endpoint.measure, super::results::Stat::Est, endpoint.compare.is_some());
    let ratio = is_ratio(endpoint.measure);
    let number = |value: f64| printed_apart(printed, ratio, value, verdict);
    let (kind_en, kind_ko) = match hypothesis.kind {
        HypothesisKind::Superiority => ("superiority", "우월성"),
        HypothesisKind::NonInferiority => ("non-inferiority", "비열등성"),
        HypothesisKind::Equivalence => ("equivalence", "동등성"),
        HypothesisKind::PerformanceGoal => ("the performance goal", "성능 목표"),
    };
    let lower_is_better = verdict.plan.better == Better::Lower;
    let (held_en, held_ko) = match (hypothesis.criterion, hypothesis.kind) {
        (Criterion::Estimate, _) => (
            format!("the criterion applies to the estimate {}", number(verdict.estimate)),
            format!("판정기준은 점추정값 {}에 적용", number(verdict.estimate)),
        ),
        (Criterion::Bound, HypothesisKind::Equivalence) => (
            format!(
                "the criterion applies to both confidence bounds {} and {}",
                number(verdict.interval.lower),
                number(verdict.interval.upper)
            ),
            format!(
                "판정기준은 신뢰구간 양측 한계 {}, {}에 적용",
                number(verdict.interval.lower),
                number(verdict.interval.upper)
            ),
        ),
        (Criterion::Bound, _) if lower_is_better => (
            format!("the criterion applies to the upper confidence bound {}", number(verdict.compared)),
            format!("판정기준은 신뢰구간 상한 {}에 적용", number(verdict.compared)),
        ),
        (Criterion::Bound, _) => (
            format!("the criterion applies to the lower confidence bound {}", number(verdict.compared)),
            format!("판정기준은 신뢰구간 하한 {}에 적용", number(verdict.compared)),
        ),
    };
    let (must_en, must_ko) = match (hypothesis.kind, verdict.plan.claim) {
        (HypothesisKind::Equivalence, Claim::Equivalence { margin }) => (
            format!("which must lie between {} and {}", number(-margin), number(margin)),
            format!("기준 {} 초과 {} 미만", number(-margin), number(margin)),
        ),
        _ if lower_is_better => {
            (format!("which must be below {}", number(verdict.limit)), format!("기준 {} 미만", number(verdict.limit)))
        }
        _ => (format!("which must exceed {}", number(verdict.limit)), format!("기준 {} 초과", number(verdict.limit))),
    };
    let (sides_en, sides_ko) =
        if hypothesis.sides == Sides::One { ("one-sided", "단측") } else { ("two-sided", "양측") };
    let (verdict_en, verdict_ko) = if verdict.met { ("met", "충족") } else { ("not met", "미충족") };
    let level = fmt_value(Printed::Index, 100.0 * verdict.interval.level);
    let level = level.trim_end_matches('0').trim_end_matches('.').to_owned();
    let (at_en, at_ko) = match hypothesis.criterion {
        Criterion::Bound => (format!(" of the {level} % interval"), format!("({level} % 신뢰구간)")),
        Criterion::Estimate => (String::new(), String::new()),
    };
    let p = p.map_or_else(String::new, |p| format!("; p {}", with_equals(&fmt_value(Printed::P, p))));
    (
        format!(
            "{name_en}: {kind_en} {verdict_en} (estimate {}; {held_en}{at_en}, {must_en}; {sides_en} alpha {}{p}).",
            number(verdict.estimate),
            hypothesis.alpha
        ),
        format!(
            "{name_ko}: {kind_ko} {verdict_ko} (추정값 {}; {held_ko}{at_ko}, {must_ko}; {sides_ko} 유의수준 {}{p}).",
            number(verdict.estimate),
            hypothesis.alpha
        ),
    )
}

/// A number as the tables print it; with more decimals where the bound and its limit would else be printed alike.
fn printed_apart(printed: Printed, ratio: bool, value: f64, verdict: &Verdict) -> String {
    let natural = |value: f64| if ratio { value.exp() } else { value };
    let usual = |value: f64| fmt_value(printed, natural(value));
    let (compared, limit) = (verdict.compared, verdict.limit);
    if value != compared || compared == limit || usual(compared) != usual(limit) {
        return usual(value);
    }
    let (factor, unit, least) = match printed {
        Printed::Proportion => (100.0, "%", 2),
        Printed::Points => (100.0, "%p", 2),
        _ => (1.0, "", 4),
    };
    let text = |value: f64, decimals| format!("{}{unit}", fixed(factor * natural(value), decimals));
    (least..=12)
        .find(|&decimals| text(compared, decimals) != text(limit, decimals))
        .map_or_else(|| usual(value), |decimals| text(value, decimals))
}

fn with_equals(p: &str) -> String {
    if p.starts_with(['<', '>']) { p.to_owned() } else { format!("= {p}") }
}

/// Fills the adjusted p-values and decisions of the endpoints that the procedure names.
///
/// Gatekeeping is serial: the primary endpoints first, by Holm; the secondary ones only once every primary one was met;
/// then the exploratory ones. A fixed sequence needs decisions only, every other procedure a p-value of each member; a
/// family with a member that has none is left undecided, and a note says which.
fn share_alpha(protocol: &Protocol, judged: &mut [Judged], sheet: &mut Sheet) {
    let Some(procedure) = &protocol.multiplicity else { return };
    let members: Vec<usize> = procedure
        .endpoints
        .iter()
        .filter_map(|id| judged.iter().position(|j| &j.conclusion.endpoint_id == id))
        .collect();
    let ps: Option<Vec<f64>> = members.iter().map(|&at| judged[at].p_against_alpha).collect();
    let Some(ps) = ps else {
        if procedure.method == MultiplicityMethod::FixedSequence {
            return in_sequence(judged, &members);
        }
        let without: Vec<&str> = members
            .iter()
            .filter(|&&at| judged[at].p_against_alpha.is_none())
            .map(|&at| judged[at].conclusion.endpoint_id.as_str())
            .collect();
        let list = without.join(", ");
        sheet.note(
            "T-ACC",
            "warning",
            format!("The declared multiplicity procedure needs a p-value of each endpoint; there is none for {list}. It was not applied."),
            format!("정해진 다중성 보정 방법에는 각 평가변수의 p값이 필요하나 {list}에는 없다. 보정을 적용하지 않았다."),
        );
        return;
    };
    let adjusted: Estimable<Vec<Adjusted>> = match procedure.method {
        MultiplicityMethod::Bonferroni => multiplicity::adjust(&ps, Procedure::Bonferroni, procedure.alpha),
        MultiplicityMethod::Holm => multiplicity::adjust(&ps, Procedure::Holm, procedure.alpha),
        MultiplicityMethod::Hochberg => multiplicity::adjust(&ps, Procedure::Hochberg, procedure.alpha),
        MultiplicityMethod::FixedSequence => multiplicity::adjust(&ps, Procedure::FixedSequence, procedure.alpha),
        MultiplicityMethod::Gatekeeping => {
            let families: Vec<Family> = ["primary", "secondary", "exploratory"]
                .iter()
                .map(|rank| Family {
                    members: (0..members.len()).filter(|&i| judged[members[i]].conclusion.rank == *rank).collect(),
                    procedure: Procedure::Holm,
                })
                .filter(|family| !family.members.is_empty())
                .collect();
            multiplicity::serial_gatekeeping(&ps, &families, procedure.alpha)
        }
    };
    match adjusted {
        Ok(adjusted) => {
            for (&at, adjusted) in members.iter().zip(adjusted) {
                let conclusion = &mut judged[at].conclusion;
                conclusion.p_adjusted = Some(significant(adjusted.p_adjusted));
                // The criterion itself must hold too: an estimate criterion or an exact interval has no p of its own.
                conclusion.met_after_multiplicity =
                    Some(conclusion.met == Some(true) && adjusted.decision == Decision::Rejected);
            }
        }
        Err(reason) => sheet.note("T-ACC", "warning", reason.reason.clone(), korean(&reason.reason)),
    }
}

/// Each endpoint at the full alpha, only while all before it were met.
fn in_sequence(judged: &mut [Judged], members: &[usize]) {
    let mut open = true;
    for &at in members {
        let conclusion = &mut judged[at].conclusion;
        open = open && conclusion.met == Some(true);
        conclusion.met_after_multiplicity = Some(open);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Method, Subject};

    fn endpoint(measure: Measure, method: Method, hypothesis: Hypothesis) -> Endpoint {
        Endpoint {
            id: "e".to_owned(),
            rank: Rank::Primary,
            measure,
            label: None,
            subject: Subject::Readers,
            modality: None,
            compare: Some(["aided".to_owned(), "unaided".to_owned()]),
            operating_point: None,
            method,
            covariance: None,
            random: None,
            confidence_level: None,
            replicates: None,
            range: None,
            slope: None,
            form: None,
            fp_per_image: None,
            acceptance: None,
            hypothesis: Some(hypothesis),
        }
    }

    fn hypothesis(kind: HypothesisKind, margin: Option<f64>, goal: Option<f64>) -> Hypothesis {
        Hypothesis { kind, margin, alpha: 0.05, sides: Sides::Two, goal, criterion: Criterion::Bound, rationale: None }
    }

    fn judged(endpoint: &Endpoint, estimate: Estimate) -> Judged {
        judge(endpoint, endpoint.hypothesis.as_ref().unwrap(), Some(&Ok(estimate)))
    }

    /// Van Dyke, jackknife, random readers and cases: difference 0.043800, SE 0.020749, df 15.259, p 0.0517 (MRMCaov).
    #[test]
    fn superiority_of_an_auc_difference() {
        let endpoint =
            endpoint(Measure::Auc, Method::ObuchowskiRockette, hypothesis(HypothesisKind::Superiority, None, None));
        let found = Estimate { se: Some(0.020749), df: Some(15.259), ..Estimate::plain(0.0438) };
        let judged = judged(&endpoint, found);
        assert_eq!(judged.conclusion.met, Some(false));
        assert!((judged.conclusion.p.unwrap() - 0.0517).abs() < 1e-4, "{:?}", judged.conclusion.p);
        assert!(
            judged.conclusion.en.contains("lower confidence bound −0.0004 of the 95 % interval"),
            "{}",
            judged.conclusion.en
        );
        assert!(judged.conclusion.ko.contains("신뢰구간 하한"), "{}", judged.conclusion.ko);
    }

    #[test]
    fn an_odds_ratio_is_decided_on_the_log_scale() {
        let non_inferior =
            endpoint(Measure::OddsRatio, Method::Glmm, hypothesis(HypothesisKind::NonInferiority, Some(0.2), None));
        // Lower bound exp(ln 1.1 − 1.96 · 0.15) = 0.8198 > 0.8.
        let found = Estimate { log_se: Some(0.15), df: Some(f64::INFINITY), ..Estimate::plain(1.1) };
        let judged = judged(&non_inferior, found);
        assert_eq!(judged.conclusion.met, Some(true), "{}", judged.conclusion.en);
        assert!(
            judged.conclusion.en.contains("0.82") && judged.conclusion.en.contains("exceed 0.80"),
            "{}",
            judged.conclusion.en
        );
        // A one-sided p is held against half of the two-sided alpha.
        assert!((judged.p_against_alpha.unwrap() - 2.0 * judged.conclusion.p.unwrap()).abs() < 1e-12);
    }

    #[test]
    fn an_interval_of_another_level_decides_nothing() {
        let goal = endpoint(
            Measure::Sensitivity,
            Method::ClopperPearson,
            hypothesis(HypothesisKind::PerformanceGoal, None, Some(0.8)),
        );
        let with = |level| {
            let interval = Interval { lower: 0.82, upper: 0.97, level, method: "Clopper–Pearson" };
            judged(&goal, Estimate { interval: Some(interval), ..Estimate::plain(0.9) }).conclusion
        };
        assert_eq!(with(0.95).met, Some(true));
        let other = with(0.9);
        assert_eq!(other.met, None);
        assert!(other.en.contains("not decidable"), "{}", other.en);
    }

    #[test]
    fn the_estimate_criterion_says_so() {
        let mut hypothesis = hypothesis(HypothesisKind::PerformanceGoal, None, Some(0.85));
        hypothesis.criterion = Criterion::Estimate;
        let goal = endpoint(Measure::Sensitivity, Method::Wilson, hypothesis);
        let conclusion = judged(&goal, Estimate::plain(0.9)).conclusion;
        assert_eq!((conclusion.met, conclusion.p), (Some(true), None));
        assert!(conclusion.en.contains("applies to the estimate"), "{}", conclusion.en);
    }
}
