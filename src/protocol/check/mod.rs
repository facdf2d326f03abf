//! What the keys of a protocol say together: identifiers that are named and exist, and combinations that can be carried out.
//!
//! [`check`] finds what makes a study impossible or leaves a choice open; [`warnings`] what is possible and unwise.

mod endpoint;
mod hypothesis;

use super::read::Places;
use super::{
    Activation, Channels, Criterion, Direction, Endpoint, HypothesisKind, LegalRoute, ModelInput, ModelOutput,
    Protocol, Rank, Sides, StudyKind, Subject, Task,
};
use crate::fault::{Faults, nearest};
use serde::Serialize;
use std::collections::BTreeMap;

pub(super) fn check(protocol: &Protocol, places: &Places<'_>, faults: &mut Faults) {
    let mut check = Check { p: protocol, places, faults };
    check.study();
    check.device();
    check.test_set();
    check.model();
    check.readers();
    for number in 0..protocol.endpoints.len() {
        check.endpoint(number);
    }
    check.multiplicity();
}

/// What the protocol allows and a reviewer would ask about. In the order of the file.
pub fn warnings(protocol: &Protocol) -> Vec<String> {
    let mut warnings = Vec::new();
    if protocol.test_set.patient.is_none() {
        warnings.push("test_set.patient is not given: each case counts as a patient of its own".to_owned());
    }
    if protocol.study.legal_route == Some(LegalRoute::DataTrial)
        && protocol.study.direction == Some(Direction::Prospective)
    {
        let text = "study.legal_route is \"data-trial\", which is of data collected before; study.direction is \"prospective\"";
        warnings.push(text.to_owned());
    }
    let tested: Vec<&Endpoint> =
        protocol.endpoints.iter().filter(|e| e.rank == Rank::Primary && e.hypothesis.is_some()).collect();
    if tested.is_empty() {
        warnings.push("no primary endpoint has a hypothesis: the study can describe, not confirm".to_owned());
    }
    if tested.len() > 1 && protocol.multiplicity.is_none() {
        warnings.push(format!(
            "{} primary endpoints are tested without [multiplicity]: the chance of a false success adds up",
            tested.len()
        ));
    }
    for endpoint in &protocol.endpoints {
        if let Some(replicates) = endpoint.replicates
            && replicates < 2000
        {
            warnings
                .push(format!("endpoint {}: {replicates} bootstrap replicates; 2000 or more is usual", endpoint.id));
        }
        if let Some(hypothesis) = &endpoint.hypothesis
            && hypothesis.criterion == Criterion::Bound
        {
            let level = endpoint.confidence_level.unwrap_or(protocol.study.confidence_level);
            let two_tails = match (hypothesis.kind, hypothesis.sides) {
                // Two one-sided tests at alpha each are the interval of level 1 − 2 alpha (Schuirmann 1987).
                (HypothesisKind::Equivalence, _) | (_, Sides::One) => 2.0 * hypothesis.alpha,
                (_, Sides::Two) => hypothesis.alpha,
            };
            if (1.0 - two_tails - level).abs() > 1e-9 {
                warnings.push(format!(
                    "endpoint {}: the printed interval has level {level}, the test at alpha {} uses {}",
                    endpoint.id,
                    hypothesis.alpha,
                    ((1.0 - two_tails) * 1e9).round() / 1e9
                ));
            }
        }
    }
    warnings
}

struct Check<'a> {
    p: &'a Protocol,
    places: &'a Places<'a>,
    faults: &'a mut Faults,
}

impl Check<'_> {
    fn fault(&mut self, path: &str, found: impl Into<String>, expected: impl Into<String>, mend: impl Into<String>) {
        self.faults.push(self.places.fault(path, found.into(), expected, mend));
    }

    fn study(&mut self) {
        let study = &self.p.study;
        self.identifier("study.id", &study.id);
        let reader_study = study.kind == StudyKind::ReaderStudy;
        if reader_study && self.p.design.is_none() {
            self.fault(
                "study.kind",
                "a reader study without [design]",
                "a table [design]",
                "add [design], or write kind = \"standalone\"",
            );
        }
        if reader_study && self.p.readers.is_empty() {
            self.fault(
                "study.kind",
                "a reader study without readers",
                "one [[reader]] a reader",
                "add a [[reader]] with its blinded id for each reader",
            );
        }
        if !reader_study && self.p.design.is_some() {
            self.fault(
                "design",
                "a standalone study with [design]",
                "[design] in reader studies only",
                "write kind = \"reader-study\", or take [design] out",
            );
        }
        if !reader_study && !self.p.readers.is_empty() {
            self.fault(
                "reader",
                "a standalone study with [[reader]]",
                "[[reader]] in reader studies only",
                "write kind = \"reader-study\", or take the readers out",
            );
        }
        for (i, irb) in self.p.irb.iter().enumerate() {
            if let Some(until) = &irb.valid_until
                && *until < irb.approved_on
            {
                self.fault(
                    &format!("irb[{}].valid_until", i + 1),
                    format!("{until}, before the approval on {}", irb.approved_on),
                    "a day after the approval",
                    "correct one of the two dates",
                );
            }
        }
    }

    fn device(&mut self) {
        let points = &self.p.device.operating_point;
        self.distinct("device.operating_point", "id", points.iter().map(|point| point.id.as_str()));
        for (i, point) in points.iter().enumerate() {
            let path = format!("device.operating_point[{}]", i + 1);
            self.identifier(&format!("{path}.id"), &point.id);
            if point.fixed_on > self.p.study.date {
                self.fault(
                    &format!("{path}.fixed_on"),
                    format!("{}, after the protocol's date {}", point.fixed_on, self.p.study.date),
                    "a day on or before study.date",
                    "correct one of the two dates; a threshold is fixed before the protocol names it",
                );
            }
        }
    }

    fn test_set(&mut self) {
        let set = &self.p.test_set;
        if set.negative.is_empty() {
            self.fault(
                "test_set.negative",
                "an empty list",
                "at least one truth level",
                "name the level that means non-diseased",
            );
        }
        if set.negative.contains(&set.positive) {
            self.fault(
                "test_set.negative",
                format!("\"{}\" is also the positive level", set.positive),
                "a level that is in one of the two only",
                "take it out of one of the two",
            );
        }
        self.no_repeats("test_set.negative", &set.negative);
        self.no_repeats("test_set.subgroups", &set.subgroups);
        let mut roles: BTreeMap<&str, &str> = BTreeMap::from([("case", "case column")]);
        let named = [
            ("test_set.truth", Some(&set.truth)),
            ("test_set.patient", set.patient.as_ref()),
            ("test_set.image", set.image.as_ref()),
        ];
        for (path, column) in named {
            let Some(column) = column else { continue };
            if let Some(other) = roles.insert(column, path) {
                self.fault(
                    path,
                    format!("column \"{column}\" is also the {other}"),
                    "a column of its own",
                    "name another column of the cases file",
                );
            }
        }
        for column in &set.subgroups {
            if column == &set.truth || column == "case" {
                self.fault(
                    "test_set.subgroups",
                    format!("column \"{column}\" is {}", roles[column.as_str()]),
                    "a column that groups cases",
                    "take it out",
                );
            }
        }
        let detection = self.p.study.task == Task::Detection;
        if detection && set.lesions.is_none() {
            self.fault(
                "test_set",
                "a detection task without lesions",
                "`lesions`: one row a true lesion",
                "add lesions = \"lesions.csv\", or write study.task = \"classification\"",
            );
        }
        if !detection && set.lesions.is_some() {
            self.fault(
                "test_set.lesions",
                "lesions in a classification task",
                "lesions in detection tasks only",
                "take it out, or write study.task = \"detection\"",
            );
        }
        if !detection && set.marks.is_some() {
            self.fault(
                "test_set.marks",
                "marks in a classification task",
                "marks in detection tasks only",
                "take it out, or write study.task = \"detection\"",
            );
        }
        let files = [
            ("cases", Some(&set.cases)),
            ("lesions", set.lesions.as_ref()),
            ("readings", set.readings.as_ref()),
            ("marks", set.marks.as_ref()),
            ("predictions", set.predictions.as_ref()),
        ];
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for (key, file) in files {
            let Some(file) = file else { continue };
            if let Some(other) = seen.insert(file, key) {
                self.fault(
                    &format!("test_set.{key}"),
                    format!("\"{file}\" is also test_set.{other}"),
                    "a file of its own",
                    "name another file",
                );
            }
        }
        if set.readings.is_some() && self.p.study.kind == StudyKind::Standalone {
            self.fault(
                "test_set.readings",
                "readings in a standalone study",
                "readings in reader studies only",
                "take it out, or write kind = \"reader-study\"",
            );
        }
    }

    fn model(&mut self) {
        let Some(model) = &self.p.model else { return };
        match &model.input {
            ModelInput::Image(input) => {
                let (channels, name) = match input.channels {
                    Channels::Gray => (1, "gray"),
                    Channels::Rgb => (3, "rgb"),
                    Channels::Bgr => (3, "bgr"),
                };
                self.length(
                    "model.input.mean",
                    input.mean.len(),
                    channels,
                    &format!("one number a channel, {channels} for \"{name}\""),
                );
                self.length(
                    "model.input.std",
                    input.std.len(),
                    channels,
                    &format!("one number a channel, {channels} for \"{name}\""),
                );
            }
            ModelInput::Volume(_) => {}
            ModelInput::Columns(input) => {
                let n = input.columns.len();
                if n == 0 {
                    self.fault(
                        "model.input.columns",
                        "an empty list",
                        "the numeric columns of the cases file",
                        "name at least one column",
                    );
                }
                self.no_repeats("model.input.columns", &input.columns);
                for (key, len) in [("mean", input.mean.len()), ("std", input.std.len())] {
                    if len != 0 {
                        self.length(
                            &format!("model.input.{key}"),
                            len,
                            n,
                            &format!("one number a column, {n}, or an empty list"),
                        );
                    }
                }
                for column in &input.columns {
                    if column == &self.p.test_set.truth {
                        self.fault(
                            "model.input.columns",
                            format!("\"{column}\" is the truth"),
                            "columns that the device may see",
                            "take the truth out of the model's input",
                        );
                    }
                }
            }
        }
        if !matches!(model.input, ModelInput::Columns(_)) && self.p.test_set.image.is_none() {
            self.fault(
                "test_set",
                "a model that reads images without `image`",
                "the column of the cases file that holds the image's path",
                "add image = \"image\" to [test_set]",
            );
        }
        let located = !matches!(model.output, ModelOutput::Score { .. });
        if located && self.p.study.task == Task::Classification {
            self.fault(
                "model.output.kind",
                "an output with places in a classification task",
                "\"score\"",
                "write kind = \"score\", or study.task = \"detection\"",
            );
        }
        if located && !matches!(model.input, ModelInput::Image(_)) {
            self.fault(
                "model.output.kind",
                "an output with places from an input that is no image",
                "an image input, or \"score\"",
                "change model.input.kind or model.output.kind",
            );
        }
        if matches!(model.output, ModelOutput::Heatmap { activation: Activation::Softmax, .. }) {
            self.fault(
                "model.output.activation",
                "softmax over a map of one channel, which is 1 everywhere",
                "\"sigmoid\" or \"none\"",
                "write \"sigmoid\" or \"none\"",
            );
        }
    }

    fn readers(&mut self) {
        self.distinct("reader", "id", self.p.readers.iter().map(|reader| reader.id.as_str()));
        let Some(design) = &self.p.design else { return };
        self.distinct("design.modality", "id", design.modalities.iter().map(|modality| modality.id.as_str()));
        for (i, modality) in design.modalities.iter().enumerate() {
            self.identifier(&format!("design.modality[{}].id", i + 1), &modality.id);
            if matches!(modality.id.as_str(), "standalone" | "diff" | "ratio") {
                self.fault(
                    &format!("design.modality[{}].id", i + 1),
                    format!("\"{}\" names a row of the results", modality.id),
                    "an id of its own",
                    "choose another id",
                );
            }
        }
        let scale = &design.rating_scale;
        if scale.minimum >= scale.maximum {
            self.fault(
                "design.rating_scale",
                format!("minimum {} is not below maximum {}", scale.minimum, scale.maximum),
                "minimum < maximum",
                "correct the scale; which end is suspicious is said by `suspicious`",
            );
        }
        if let Some(threshold) = design.action_threshold
            && !(scale.minimum..=scale.maximum).contains(&threshold)
        {
            self.fault(
                "design.action_threshold",
                format!("{threshold} lies outside the rating scale"),
                format!("a rating from {} to {}", scale.minimum, scale.maximum),
                "correct the threshold or the scale",
            );
        }
        if let Some(simulation) = &design.simulation {
            self.length(
                "design.simulation.separation",
                simulation.separation.len(),
                design.modalities.len(),
                "one number a modality, in the design's order",
            );
            let total =
                simulation.var_case + simulation.var_modality_case + simulation.var_reader_case + simulation.var_error;
            if (total - 1.0).abs() > 1e-9 {
                self.fault(
                    "design.simulation",
                    format!("var_case + var_modality_case + var_reader_case + var_error = {total}"),
                    "a total of 1 (Roe and Metz 1997)",
                    "scale the four variances and the separations",
                );
            }
        }
        let rated = self.p.endpoints.iter().any(|e| e.subject == Subject::Readers && !e.measure.needs_marks());
        if rated && self.p.test_set.readings.is_none() && design.simulation.is_none() {
            self.fault(
                "test_set",
                "readers' endpoints without readings",
                "`readings`: one row a reading, or [design.simulation]",
                "add readings = \"readings.csv\"",
            );
        }
        let marked = self.p.endpoints.iter().any(|e| e.subject == Subject::Readers && e.measure.needs_marks());
        if marked && self.p.test_set.marks.is_none() {
            self.fault(
                "test_set",
                "readers' location endpoints without marks",
                "`marks`: one row a mark",
                "add marks = \"marks.csv\"",
            );
        }
    }

    // ---- small checks shared by the above

    /// Identifiers become file names, anchors and keys of results: letters, digits, `-`, `_`, `.`.
    fn identifier(&mut self, path: &str, id: &str) {
        let fine =
            id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) && !id.starts_with('.');
        if !fine {
            self.fault(
                path,
                format!("the id \"{id}\""),
                "letters a–z, digits, `-`, `_` and `.`",
                "write it with these; titles and labels take any text",
            );
        }
    }

    fn known(&mut self, path: &str, what: &str, id: &str, known: &[&str], table: &str) {
        if known.contains(&id) {
            return;
        }
        let list = known.iter().map(|k| format!("\"{k}\"")).collect::<Vec<_>>().join(", ");
        let expected = if known.is_empty() {
            format!("an id of {table}, of which there is none")
        } else {
            format!("one of {list}")
        };
        let mend = nearest(id, known.iter().copied())
            .map_or_else(|| format!("name one of them, or add a {table}"), |near| format!("write \"{near}\""));
        self.fault(path, format!("no {what} \"{id}\""), expected, mend);
    }

    fn distinct<'a>(&mut self, table: &str, key: &str, ids: impl Iterator<Item = &'a str>) {
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for (i, id) in ids.enumerate() {
            if let Some(other) = first.get(id) {
                self.fault(
                    &format!("{table}[{}].{key}", i + 1),
                    format!("\"{id}\" is also the {key} of {table}[{other}]"),
                    "one of its own",
                    "choose another",
                );
            } else {
                first.insert(id, i + 1);
            }
        }
    }

    fn no_repeats(&mut self, path: &str, items: &[String]) {
        for (i, item) in items.iter().enumerate() {
            if items[..i].contains(item) {
                self.fault(path, format!("\"{item}\" stands in the list twice"), "each once", "take one out");
            }
        }
    }

    fn length(&mut self, path: &str, found: usize, expected: usize, what: &str) {
        if found != expected {
            self.fault(path, format!("a list of {found}"), what, "make the list that long");
        }
    }
}

/// The word that stands for a value in the file.
fn word<T: Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => format!("{other:?}"),
    }
}
