//! One endpoint: subject, arms, measure and method fit together, and what the measure needs is there.

use super::{Check, word};
use crate::protocol::{
    Axis, Covariance, Crossing, Design, Measure, Method, ModelOutput, RandomFactors, StudyKind, Subject, Task, fit,
};

impl Check<'_> {
    pub(super) fn endpoint(&mut self, number: usize) {
        let endpoint = &self.p.endpoints[number];
        let at = |key: &str| format!("endpoint[{}].{key}", number + 1);
        self.identifier(&at("id"), &endpoint.id);
        if let Some(first) = self.p.endpoints[..number].iter().position(|e| e.id == endpoint.id) {
            self.fault(
                &at("id"),
                format!("\"{}\" is also the id of endpoint[{}]", endpoint.id, first + 1),
                "an id of its own",
                "choose another id",
            );
        }
        self.arms(number);
        self.method(number);
        self.what_the_measure_takes(number);
        self.hypothesis(number);
        if endpoint.measure.needs_marks() && self.p.study.task == Task::Classification {
            self.fault(
                &at("measure"),
                format!("{} in a classification task", word(endpoint.measure)),
                "a measure without places",
                "choose another measure, or write study.task = \"detection\"",
            );
        }
        if endpoint.subject == Subject::Device {
            self.device_can(number);
        }
    }

    /// Does the device of this study give what a device endpoint needs?
    fn device_can(&mut self, number: usize) {
        let endpoint = &self.p.endpoints[number];
        let at = |key: &str| format!("endpoint[{}].{key}", number + 1);
        let set = &self.p.test_set;
        if endpoint.measure.needs_marks() {
            let locates = self.p.model.as_ref().is_some_and(|model| !matches!(model.output, ModelOutput::Score { .. }));
            if !locates && (set.marks.is_none() || self.p.study.kind == StudyKind::ReaderStudy) {
                self.fault(
                    &at("measure"),
                    "no device marks to measure",
                    "[model] whose output is \"heatmap\" or \"boxes\", or test_set.marks",
                    "add one of them",
                );
            }
        } else {
            let scores = self.p.model.is_some()
                || set.predictions.is_some()
                || (self.p.study.kind == StudyKind::Standalone && set.marks.is_some());
            if !scores {
                self.fault(
                    &at("subject"),
                    "a device endpoint without a device output",
                    "[model], or test_set.predictions",
                    "add one of them",
                );
            }
        }
    }

    fn arms(&mut self, number: usize) {
        let endpoint = &self.p.endpoints[number];
        let at = |key: &str| format!("endpoint[{}].{key}", number + 1);
        if endpoint.subject == Subject::Device {
            for (key, given) in [
                ("modality", endpoint.modality.is_some()),
                ("compare", endpoint.compare.is_some()),
                ("random", endpoint.random.is_some()),
            ] {
                if given {
                    self.fault(
                        &at(key),
                        format!("`{key}` on an endpoint of the device"),
                        "it on endpoints of readers only",
                        "take it out",
                    );
                }
            }
            return;
        }
        let Some(design) = &self.p.design else {
            self.fault(
                &at("subject"),
                "an endpoint of readers in a study without [design]",
                "subject = \"device\"",
                "write subject = \"device\", or make it a reader study",
            );
            return;
        };
        match (&endpoint.modality, &endpoint.compare) {
            (Some(_), Some(_)) => {
                self.fault(&at("compare"), "both `modality` and `compare`", "one of the two", "take one of them out")
            }
            (None, None) => self.fault(
                &at("id"),
                "neither `modality` nor `compare`",
                "one of the two",
                "add compare = [\"test\", \"control\"] or modality = \"…\"",
            ),
            (Some(modality), None) => self.arm(&at("modality"), modality, design),
            (None, Some([test, control])) => {
                self.arm(&at("compare"), test, design);
                self.arm(&at("compare"), control, design);
                if test == control {
                    self.fault(
                        &at("compare"),
                        format!("\"{test}\" compared with itself"),
                        "two modalities",
                        "name the test arm, then the control arm",
                    );
                }
            }
        }
    }

    fn arm(&mut self, path: &str, id: &str, design: &Design) {
        let known = design.modalities.iter().map(|modality| modality.id.as_str());
        self.known(path, "modality", id, &known.collect::<Vec<_>>(), "[[design.modality]]");
    }

    fn method(&mut self, number: usize) {
        let endpoint = &self.p.endpoints[number];
        let at = |key: &str| format!("endpoint[{}].{key}", number + 1);
        let (measure, method) = (endpoint.measure, endpoint.method);
        let comparing = endpoint.compare.is_some();
        // A device that compares is refused by `device_can`.
        let refused_elsewhere = endpoint.subject == Subject::Device && comparing;
        if !refused_elsewhere && !fit::fits(measure, method, endpoint.subject, comparing) {
            let fitting = fit::methods(measure, endpoint.subject, comparing);
            let whom = match (endpoint.subject, comparing) {
                (Subject::Device, _) => "the device",
                (Subject::Readers, false) => "readers in one modality",
                (Subject::Readers, true) => "a comparison of two modalities",
            };
            if fitting.is_empty() {
                let mend = if endpoint.subject == Subject::Readers
                    && !fit::methods(measure, Subject::Readers, !comparing).is_empty()
                {
                    if comparing {
                        "use `modality` in place of `compare`"
                    } else {
                        "use `compare` in place of `modality`"
                    }
                } else {
                    "choose another measure or subject"
                };
                self.fault(
                    &at("measure"),
                    format!("{} is not a measure of {whom}", word(measure)),
                    "a measure that fits",
                    mend,
                );
            } else {
                let list = fitting.iter().map(|m| format!("\"{}\"", word(m))).collect::<Vec<_>>().join(", ");
                self.fault(
                    &at("method"),
                    format!("method {} does not fit {} of {whom}", word(method), word(measure)),
                    format!("one of {list}"),
                    format!("write \"{}\" or another of them", word(fitting[0])),
                );
            }
        }
        match (endpoint.covariance, method) {
            (Some(covariance), Method::ObuchowskiRockette) => {
                if !fit::covariance_fits(measure, covariance) {
                    self.fault(
                        &at("covariance"),
                        format!("{} covariances of {}", word(covariance), word(measure)),
                        "\"jackknife\" or \"bootstrap\"",
                        "write \"jackknife\"",
                    );
                }
            }
            (Some(_), _) => self.fault(
                &at("covariance"),
                format!("`covariance` with method {}", word(method)),
                "it with \"obuchowski-rockette\" only",
                "take it out, or change the method",
            ),
            (None, Method::ObuchowskiRockette) => self.fault(
                &at("method"),
                "obuchowski-rockette without `covariance`",
                "\"jackknife\", \"unbiased\", \"delong\" or \"bootstrap\"",
                "add covariance = \"jackknife\" or another",
            ),
            (None, _) => {}
        }
        let resamples = method.is_bootstrap() || endpoint.covariance == Some(Covariance::Bootstrap);
        if resamples && endpoint.replicates.is_none() {
            self.fault(
                &at("method"),
                "a bootstrap without `replicates`",
                "their number, 2000 or more",
                "add replicates = 2000",
            );
        }
        if !resamples && endpoint.replicates.is_some() {
            self.fault(
                &at("replicates"),
                format!("`replicates` with method {}", word(method)),
                "it with a bootstrap only",
                "take it out, or change the method",
            );
        }
        if method == Method::ObuchowskiClustered && self.p.test_set.patient.is_none() {
            self.fault(
                &at("method"),
                "obuchowski-clustered without test_set.patient",
                "the column that says which cases share a patient",
                "add patient = \"patient\" to [test_set], or write method = \"delong\"",
            );
        }
        let needs_crossing = matches!(method, Method::ObuchowskiRockette | Method::DorfmanBerbaumMetz);
        if let Some(design) = &self.p.design
            && endpoint.subject == Subject::Readers
        {
            if needs_crossing && design.crossing == Crossing::Unbalanced {
                self.fault(
                    &at("method"),
                    format!("method {} on an unbalanced design", word(method)),
                    "\"u-statistic\", which takes any pattern of readings",
                    "write method = \"u-statistic\", or correct design.crossing",
                );
            }
            let random_readers =
                matches!(endpoint.random.unwrap_or_default(), RandomFactors::ReadersAndCases | RandomFactors::Readers);
            if (needs_crossing || method == Method::UStatistic) && random_readers && self.p.readers.len() == 1 {
                self.fault(
                    &at("method"),
                    "random readers, and one reader",
                    "two readers or more",
                    "add readers, or write random = \"cases\" and say so in the report",
                );
            }
        }
    }

    fn what_the_measure_takes(&mut self, number: usize) {
        let endpoint = &self.p.endpoints[number];
        let at = |key: &str| format!("endpoint[{}].{key}", number + 1);
        let measure = endpoint.measure;
        let calls = measure.needs_calls()
            || (endpoint.subject == Subject::Device && matches!(measure, Measure::Kappa | Measure::GwetAc1));
        match (&endpoint.operating_point, endpoint.subject) {
            (Some(id), Subject::Device) if calls => {
                let known: Vec<&str> = self.p.device.operating_point.iter().map(|point| point.id.as_str()).collect();
                self.known(&at("operating_point"), "operating point", id, &known, "[[device.operating_point]]");
            }
            (None, Subject::Device) if calls => {
                let known = self.p.device.operating_point.first().map_or("…", |point| point.id.as_str());
                self.fault(
                    &at("measure"),
                    format!("{} without `operating_point`", word(measure)),
                    "the id of a [[device.operating_point]]",
                    format!("add operating_point = \"{known}\""),
                );
            }
            (Some(_), Subject::Device) => self.fault(
                &at("operating_point"),
                format!("`operating_point` for {}, which has no threshold", word(measure)),
                "it for measures of calls only",
                "take it out",
            ),
            (Some(_), Subject::Readers) => self.fault(
                &at("operating_point"),
                "`operating_point` on an endpoint of readers",
                "design.action_threshold",
                "take it out and set action_threshold in [design]",
            ),
            (None, _) => {}
        }
        let readers_calls =
            measure.needs_calls() || matches!(measure, Measure::Kappa | Measure::FleissKappa | Measure::GwetAc1);
        if endpoint.subject == Subject::Readers
            && readers_calls
            && self.p.design.as_ref().is_some_and(|design| design.action_threshold.is_none())
        {
            self.fault(
                &at("measure"),
                format!("{} of readers without design.action_threshold", word(measure)),
                "the rating from which on a reader calls a case positive",
                "add action_threshold = … to [design]",
            );
        }
        let froc = measure == Measure::FrocSensitivity;
        if froc && endpoint.fp_per_image.is_none() {
            self.fault(
                &at("measure"),
                "froc-sensitivity without `fp_per_image`",
                "the false positives per image at which it is read",
                "add fp_per_image = 0.5 or another",
            );
        }
        if !froc && endpoint.fp_per_image.is_some() {
            self.fault(
                &at("fp_per_image"),
                format!("`fp_per_image` for {}", word(measure)),
                "it for froc-sensitivity only",
                "take it out",
            );
        }
        if measure.needs_marks() && endpoint.acceptance.is_none() {
            self.fault(
                &at("measure"),
                format!("{} without `acceptance`", word(measure)),
                "when a mark counts as a hit",
                "add acceptance = { rule = \"inside\" } or another rule",
            );
        }
        if !measure.needs_marks() && endpoint.acceptance.is_some() {
            self.fault(
                &at("acceptance"),
                format!("`acceptance` for {}", word(measure)),
                "it for measures of marks only",
                "take it out",
            );
        }
        let utility = measure == Measure::ExpectedUtility;
        if utility && endpoint.slope.is_none() {
            self.fault(
                &at("measure"),
                "expected-utility without `slope`",
                "the slope of the iso-utility line",
                "add slope = (1 − prevalence)/prevalence × relative utility, as a number",
            );
        }
        if !utility && endpoint.slope.is_some() {
            self.fault(
                &at("slope"),
                format!("`slope` for {}", word(measure)),
                "it for expected-utility only",
                "take it out",
            );
        }
        self.form(number);
        self.range(number);
    }

    fn form(&mut self, number: usize) {
        let endpoint = &self.p.endpoints[number];
        let path = format!("endpoint[{}].form", number + 1);
        let known = fit::forms(endpoint.measure);
        let list = known.iter().map(|form| format!("\"{}\"", word(form))).collect::<Vec<_>>().join(", ");
        match endpoint.form {
            None if !known.is_empty() => self.fault(
                &format!("endpoint[{}].measure", number + 1),
                format!("{} without `form`", word(endpoint.measure)),
                format!("one of {list}"),
                format!("add form = \"{}\" or another", word(known[0])),
            ),
            Some(form) if known.is_empty() => self.fault(
                &path,
                format!("`form` = \"{}\" for {}", word(form), word(endpoint.measure)),
                "it for weighted-kappa, krippendorff-alpha and icc only",
                "take it out",
            ),
            Some(form) if !known.contains(&form) => self.fault(
                &path,
                format!("form \"{}\" for {}", word(form), word(endpoint.measure)),
                format!("one of {list}"),
                format!("write \"{}\" or another of them", word(known[0])),
            ),
            _ => {}
        }
    }

    fn range(&mut self, number: usize) {
        let endpoint = &self.p.endpoints[number];
        let at = |key: &str| format!("endpoint[{}].{key}", number + 1);
        let fixed = match endpoint.measure {
            Measure::SensitivityAtSpecificity => Some(Axis::Specificity),
            Measure::SpecificityAtSensitivity => Some(Axis::Sensitivity),
            Measure::PartialAuc => None,
            _ => {
                if endpoint.range.is_some() {
                    self.fault(
                        &at("range"),
                        format!("`range` for {}", word(endpoint.measure)),
                        "it for partial-auc and the fixed-point measures only",
                        "take it out",
                    );
                }
                return;
            }
        };
        let Some(range) = endpoint.range else {
            let mend = match fixed {
                Some(axis) => {
                    format!("add range = {{ axis = \"{}\", from = 0.9, to = 0.9 }} with your value", word(axis))
                }
                None => "add range = { axis = \"specificity\", from = 0.8, to = 1.0 } with your values".to_owned(),
            };
            self.fault(
                &at("measure"),
                format!("{} without `range`", word(endpoint.measure)),
                "the range or the fixed value",
                mend,
            );
            return;
        };
        match fixed {
            Some(axis) if range.axis != axis => self.fault(
                &at("range.axis"),
                format!("axis {} for {}", word(range.axis), word(endpoint.measure)),
                format!("\"{}\"", word(axis)),
                format!("write axis = \"{}\"", word(axis)),
            ),
            Some(_) if range.from != range.to => self.fault(
                &at("range.to"),
                format!("a range {} to {} for a fixed value", range.from, range.to),
                "from = to",
                "write the same value twice",
            ),
            None if range.from >= range.to => self.fault(
                &at("range.to"),
                format!("from {} is not below to {}", range.from, range.to),
                "from < to",
                "swap or correct them",
            ),
            _ => {}
        }
    }
}
