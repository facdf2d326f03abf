//! Hypotheses and the procedure that shares alpha between them.

use super::{Check, word};
use crate::protocol::{Criterion, HypothesisKind, Measure};

impl Check<'_> {
    pub(super) fn hypothesis(&mut self, number: usize) {
        let endpoint = &self.p.endpoints[number];
        let Some(hypothesis) = &endpoint.hypothesis else { return };
        let at = |key: &str| format!("endpoint[{}].hypothesis.{key}", number + 1);
        let kind = hypothesis.kind;
        let with_margin = matches!(kind, HypothesisKind::NonInferiority | HypothesisKind::Equivalence);
        if with_margin && hypothesis.margin.is_none() {
            self.fault(
                &at("kind"),
                format!("{} without `margin`", word(kind)),
                "the margin, above 0, in the measure's own unit",
                "add margin = … and its rationale",
            );
        }
        if !with_margin && hypothesis.margin.is_some() {
            self.fault(
                &at("margin"),
                format!("`margin` with {}", word(kind)),
                "it with non-inferiority and equivalence only",
                "take it out, or change the kind",
            );
        }
        let with_goal = kind == HypothesisKind::PerformanceGoal;
        if with_goal && hypothesis.goal.is_none() {
            self.fault(
                &at("kind"),
                "performance-goal without `goal`",
                "the value that is to be reached",
                "add goal = … and its rationale",
            );
        }
        if !with_goal && hypothesis.goal.is_some() {
            self.fault(
                &at("goal"),
                format!("`goal` with {}", word(kind)),
                "it with performance-goal only",
                "take it out, or write kind = \"performance-goal\"",
            );
        }
        let comparing = endpoint.compare.is_some();
        if with_goal && comparing {
            self.fault(
                &at("kind"),
                "a performance goal for a comparison",
                "superiority, non-inferiority or equivalence",
                "change the kind, or use `modality` in place of `compare`",
            );
        }
        if !with_goal && !comparing {
            self.fault(
                &at("kind"),
                format!("{} with a single arm", word(kind)),
                "\"performance-goal\"",
                "write kind = \"performance-goal\" with goal, or compare two arms",
            );
        }
        if kind == HypothesisKind::Equivalence && hypothesis.criterion == Criterion::Estimate {
            self.fault(
                &at("criterion"),
                "equivalence shown by the estimate",
                "\"bound\"",
                "write criterion = \"bound\"",
            );
        }
        let unit_scale = matches!(
            endpoint.measure,
            Measure::Auc
                | Measure::PartialAuc
                | Measure::SensitivityAtSpecificity
                | Measure::SpecificityAtSensitivity
                | Measure::BinormalAuc
                | Measure::ProperBinormalAuc
                | Measure::Sensitivity
                | Measure::Specificity
                | Measure::Ppv
                | Measure::Npv
                | Measure::Accuracy
                | Measure::FrocSensitivity
                | Measure::WafrocAuc
        );
        for (key, value) in [("margin", hypothesis.margin), ("goal", hypothesis.goal)] {
            if unit_scale
                && let Some(value) = value
                && !(value > 0.0 && value < 1.0)
            {
                self.fault(
                    &at(key),
                    format!("{value} for {}, which lies between 0 and 1", word(endpoint.measure)),
                    "a number between 0 and 1, both excluded",
                    "write it as a fraction: 0.05 for five points",
                );
            }
        }
    }

    pub(super) fn multiplicity(&mut self) {
        let Some(multiplicity) = &self.p.multiplicity else { return };
        let known: Vec<&str> = self.p.endpoints.iter().map(|endpoint| endpoint.id.as_str()).collect();
        self.no_repeats("multiplicity.endpoints", &multiplicity.endpoints);
        if multiplicity.endpoints.is_empty() {
            self.fault(
                "multiplicity.endpoints",
                "an empty list",
                "the endpoints in testing order",
                "name them, or take [multiplicity] out",
            );
        }
        for id in &multiplicity.endpoints {
            self.known("multiplicity.endpoints", "endpoint", id, &known, "[[endpoint]]");
            if let Some(endpoint) = self.p.endpoints.iter().find(|endpoint| endpoint.id == *id)
                && endpoint.hypothesis.is_none()
            {
                self.fault(
                    "multiplicity.endpoints",
                    format!("endpoint \"{id}\" has no hypothesis"),
                    "endpoints with a hypothesis",
                    "add [endpoint.hypothesis] to it, or take it out of the list",
                );
            }
        }
    }
}
