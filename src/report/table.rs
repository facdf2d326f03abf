//! Records as rows of tables: labels, printed texts, footnote marks. Numbers are looked up here and never made.

use super::catalogue::{Catalogue, fill};
use super::phrase;
use crate::analysis::format::{Kind, NOT_ESTIMABLE, fmt_value, kind_of, localise};
use crate::analysis::results::{Conclusion, Record, Results, Stat};
use crate::error::Error;
use crate::protocol::{Criterion, Endpoint, HypothesisKind, Language, Measure, Protocol, Sides, Text};
use serde::Serialize;
use std::collections::BTreeMap;

/// One printed number.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    pub text: String,
    /// Key of the record that it comes from.
    pub ard: String,
    /// Footnote mark; empty where the number exists.
    pub mark: String,
    pub missing: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub cell: String,
    /// What the row stands under; empty where its label says all.
    pub heading: String,
    pub label: String,
    pub arm: String,
    pub reader: Option<String>,
    pub method: String,
    pub prespecified: bool,
    pub set: String,
    /// By the name of the statistic: `est`, `lo`, `n`, `N`.
    pub s: BTreeMap<String, Cell>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Footnote {
    pub mark: String,
    pub text: String,
}

/// Two-by-two table of one operating point.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    pub prefix: String,
    pub label: String,
}

/// One endpoint's readers against arms.
#[derive(Debug, Clone, Serialize)]
pub struct Matrix {
    pub label: String,
    pub arms: Vec<String>,
    pub readers: Vec<MatrixRow>,
}

#[derive(Debug, Clone, Serialize)]
pub struct MatrixRow {
    pub reader: String,
    /// In the order of the matrix' arms.
    pub cells: Vec<Row>,
}

/// One row of the acceptance table.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    pub item: String,
    pub rank: String,
    pub method: String,
    pub criterion: String,
    pub applies_to: String,
    pub basis: String,
    pub row: Option<Row>,
    pub met: Option<bool>,
    /// Of the decision, for a row that has no p-value of its own; empty where there is none.
    pub p: String,
    pub p_adjusted: String,
    pub text: String,
    pub sentence: String,
}

pub struct Tables<'a> {
    protocol: &'a Protocol,
    results: &'a Results,
    catalogue: &'a Catalogue,
    /// Reasons of each table in order of appearance.
    reasons: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Tables<'a> {
    pub fn new(protocol: &'a Protocol, results: &'a Results, catalogue: &'a Catalogue) -> Self {
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for record in &results.records {
            if let Some(reason) = missing_reason(record) {
                let list = reasons.entry(&record.table_id).or_default();
                if !list.contains(&reason) {
                    list.push(reason);
                }
            }
        }
        Self { protocol, results, catalogue, reasons }
    }

    fn language(&self) -> Language {
        self.catalogue.language
    }

    pub fn pick(&self, text: &Text) -> String {
        match (self.language(), &text.ko) {
            (Language::Ko, Some(ko)) => ko.clone(),
            _ => text.en.clone(),
        }
    }

    /// The record under the key, or an error that names table, cell and statistic.
    fn record(&self, table: &str, cell: &str, stat: &str) -> Result<&'a Record, Error> {
        self.results
            .records
            .iter()
            .find(|r| r.table_id == table && r.cell_id == cell && stat_name(r.stat) == stat)
            .ok_or_else(|| {
                Error::Refused(format!("the report needs the number {table}/{cell}/{stat}, and the results hold none"))
            })
    }

    pub fn cell(&self, table: &str, cell: &str, stat: &str) -> Result<Cell, Error> {
        let record = self.record(table, cell, stat)?;
        self.printed(record)
    }

    fn printed(&self, record: &Record) -> Result<Cell, Error> {
        let reason = missing_reason(record);
        if record.value.is_none() && record.not_estimable.is_none() {
            return Err(Error::Refused(format!("{}: the record has neither a value nor a reason", record.ard_id)));
        }
        if record.value_fmt.trim().is_empty()
            || ["nan", "inf"].iter().any(|w| record.value_fmt.to_lowercase().contains(w))
        {
            return Err(Error::Refused(format!("{}: ‘{}’ is no printed number", record.ard_id, record.value_fmt)));
        }
        let mark = reason.map(|reason| {
            let list = self.reasons.get(record.table_id.as_str());
            mark(list.and_then(|l| l.iter().position(|r| *r == reason)).unwrap_or(0))
        });
        Ok(Cell {
            text: localise(&record.value_fmt, self.language()),
            ard: record.ard_id.clone(),
            mark: mark.unwrap_or_default(),
            missing: reason.is_some(),
        })
    }

    /// The rows of a table whose cell starts with `prefix`, in the order of the file.
    pub fn rows(&self, table: &str, prefix: &str) -> Result<Vec<Row>, Error> {
        let mut rows: Vec<Row> = Vec::new();
        for record in self.results.records.iter().filter(|r| r.table_id == table && r.cell_id.starts_with(prefix)) {
            let cell = self.printed(record)?;
            let at = match rows.iter().position(|row| row.cell == record.cell_id) {
                Some(at) => at,
                None => {
                    rows.push(self.row(record));
                    rows.len() - 1
                }
            };
            rows[at].s.insert(stat_name(record.stat).to_owned(), cell);
        }
        match rows.iter().find(|row| !row.s.contains_key("est") && !row.s.contains_key("n")) {
            Some(row) => Err(Error::Refused(format!("{table}/{}: the row has neither est nor n", row.cell))),
            None => Ok(rows),
        }
    }

    fn row(&self, record: &Record) -> Row {
        Row {
            cell: record.cell_id.clone(),
            heading: self.heading(record).unwrap_or_default(),
            label: self.label(record),
            arm: self.arm(&record.arm),
            reader: record.reader_id.clone(),
            method: self.method(&record.method_id),
            prespecified: record.prespecified,
            set: record.set.clone(),
            s: BTreeMap::new(),
        }
    }

    pub fn endpoint_label(&self, endpoint: &Endpoint) -> String {
        match &endpoint.label {
            Some(label) => self.pick(label),
            None => self.named("measure", &kebab(&endpoint.measure)),
        }
    }

    fn endpoint(&self, id: &str) -> Option<&'a Endpoint> {
        self.protocol.endpoints.iter().find(|e| e.id == id)
    }

    pub(super) fn arm(&self, arm: &str) -> String {
        let modality = self.protocol.design.iter().flat_map(|d| &d.modalities).find(|m| m.id == arm);
        match modality {
            Some(modality) => self.pick(&modality.name),
            None => self.catalogue.find(&format!("arm.{arm}")).unwrap_or(arm).to_owned(),
        }
    }

    pub(super) fn named(&self, family: &str, key: &str) -> String {
        self.catalogue.find(&format!("{family}.{key}")).unwrap_or(key).to_owned()
    }

    /// The row key in words: group level, then endpoint, arm and known words, each in the report's language; names stay as they are.
    fn label(&self, record: &Record) -> String {
        if record.table_id == "T-METH" {
            return self.method(&record.method_id);
        }
        let cell = record.cell_id.as_str();
        let mut parts: Vec<String> = Vec::new();
        if let Some(level) = &record.group_level {
            let var = record.group_var.as_deref().unwrap_or("");
            match cell.strip_prefix(&format!("{var}={level}")) {
                Some(after) => {
                    parts.push(format!("{var} = {level}"));
                    parts.extend(self.worded(after.trim_start_matches('.'), record.reader_id.as_deref()));
                }
                None => {
                    // Conditions are worded by this program, levels and reasons by the study.
                    let ours = record.table_id == "T-REPR" && self.language() == Language::Ko;
                    parts.push(if ours { phrase::korean(level) } else { level.clone() });
                    parts.extend(self.tokens(cell, record.reader_id.as_deref()).filter_map(|token| self.name(token)));
                }
            }
            return parts.join(", ");
        }
        let under = self.heading(record).and_then(|_| cell.split_once('.')).map_or(cell, |(_, after)| after);
        self.worded(under, record.reader_id.as_deref()).join(", ")
    }

    /// What the rows of an endpoint stand under in the tables that hold several endpoints.
    fn heading(&self, record: &Record) -> Option<String> {
        if !["T-PRIM", "T-SEC", "T-VC", "T-METH"].contains(&record.table_id.as_str()) {
            return None;
        }
        let (first, rest) = self.token(&record.cell_id, None);
        let endpoint = self.endpoint(first).map(|e| self.endpoint_label(e));
        match endpoint {
            Some(label) if !rest.is_empty() => Some(label),
            None if record.table_id == "T-METH" => {
                Some([self.arm(&record.arm), self.name(first).unwrap_or_else(|| first.to_owned())].join(", "))
            }
            _ => None,
        }
    }

    /// The parts of a key in words; what has none stays as it is.
    pub(super) fn worded(&self, key: &str, reader: Option<&str>) -> Vec<String> {
        self.tokens(key, reader).map(|token| self.name(token).unwrap_or_else(|| token.to_owned())).collect()
    }

    fn tokens<'t>(&self, key: &'t str, reader: Option<&str>) -> impl Iterator<Item = &'t str> {
        let mut rest = key;
        std::iter::from_fn(move || {
            (!rest.is_empty()).then(|| {
                let (token, after) = self.token(rest, reader);
                rest = after;
                token
            })
        })
    }

    fn name(&self, token: &str) -> Option<String> {
        self.endpoint(token).map(|e| self.endpoint_label(e)).or_else(|| self.known(token))
    }

    fn known(&self, token: &str) -> Option<String> {
        let modality = self.protocol.design.iter().flat_map(|d| &d.modalities).find(|m| m.id == token);
        if let Some(modality) = modality {
            return Some(self.pick(&modality.name));
        }
        if self.protocol.device.operating_point.iter().any(|o| o.id == token) {
            return Some(token.to_owned());
        }
        ["row", "arm", "measure"].iter().find_map(|f| self.catalogue.find(&format!("{f}.{token}"))).map(str::to_owned)
    }

    /// The next id of a cell key: a known name even where it holds a dot, else up to the next dot.
    pub(super) fn token<'t>(&self, text: &'t str, reader: Option<&str>) -> (&'t str, &'t str) {
        let endpoints = self.protocol.endpoints.iter().map(|e| e.id.as_str());
        let readers = self.protocol.readers.iter().map(|r| r.id.as_str()).chain(reader);
        let points = self.protocol.device.operating_point.iter().map(|o| o.id.as_str());
        let names = endpoints.chain(readers).chain(points);
        let longest = names
            .filter(|n| {
                !n.is_empty() && text.starts_with(n) && matches!(text.as_bytes().get(n.len()), None | Some(b'.'))
            })
            .map(str::len)
            .max();
        let end = longest.or_else(|| text.find('.')).unwrap_or(text.len());
        (&text[..end], text[end..].trim_start_matches('.'))
    }

    pub fn footnotes(&self, table: &str) -> Vec<Footnote> {
        let reasons = self.reasons.get(table).map(Vec::as_slice).unwrap_or_default();
        let prefix = localise(NOT_ESTIMABLE, self.language());
        let footnote = |(i, reason): (usize, &&str)| Footnote {
            mark: mark(i),
            text: format!("{prefix}: {}", self.reason(table, reason)),
        };
        reasons.iter().enumerate().map(footnote).collect()
    }

    /// A reason in the report's language; one that the phrases don't cover keeps its English behind the words of its code.
    fn reason(&self, table: &str, reason: &str) -> String {
        if self.language() == Language::En {
            return reason.to_owned();
        }
        let own = self.records(table).filter_map(|r| r.not_estimable.as_ref()).find(|n| n.reason == reason);
        match (phrase::covered(reason), own.and_then(|n| phrase::code(&n.code))) {
            (Some(korean), _) => korean,
            (None, Some(words)) => format!("{words} ({reason})"),
            (None, None) => phrase::korean(reason),
        }
    }

    /// A method in the report's language. A method that the protocol declares and nothing came of is named as in the protocol.
    fn method(&self, method: &str) -> String {
        let declared =
            ["method", "measure"].iter().find_map(|family| self.catalogue.find(&format!("{family}.{method}")));
        match (declared, self.language()) {
            (Some(name), _) => name.to_owned(),
            (None, Language::Ko) => phrase::korean(method),
            (None, Language::En) => method.to_owned(),
        }
    }

    /// Distinct methods of a table, in order.
    pub fn methods(&self, table: &str) -> Vec<String> {
        let methods = distinct(self.records(table).map(|r| r.method_id.as_str()).filter(|m| !m.is_empty()));
        distinct(methods.into_iter().map(|m| self.method(m)))
    }

    pub fn sets(&self, table: &str) -> Vec<String> {
        distinct(self.records(table).map(|r| self.named("set", &r.set)))
    }

    /// `prespecified`, `exploratory` or `mixed`; empty for tables of counts, which estimate nothing.
    pub fn planned(&self, table: &str) -> &'static str {
        match distinct(self.records(table).filter(|r| r.stat == Stat::Est).map(|r| r.prespecified)).as_slice() {
            [] => "",
            [true] => "prespecified",
            [false] => "exploratory",
            _ => "mixed",
        }
    }

    pub fn excluded(&self, table: &str) -> u64 {
        self.records(table).map(|r| r.n_excluded).max().unwrap_or(0)
    }

    /// Confidence levels of a table's intervals, as printed.
    pub fn levels(&self, table: &str) -> Vec<String> {
        distinct(self.records(table).filter_map(|r| r.level).map(percent))
    }

    pub(super) fn records(&self, table: &str) -> impl Iterator<Item = &'a Record> {
        self.results.records.iter().filter(move |r| r.table_id == table)
    }

    /// Prefixes of a table whose cells end in `suffix`: the operating points of `T-2x2`.
    pub fn groups(&self, table: &str, suffix: &str) -> Vec<Group> {
        let prefixes = distinct(self.records(table).filter_map(|r| r.cell_id.strip_suffix(suffix)).map(str::to_owned));
        let group = |prefix: String| Group { label: prefix.trim_end_matches('.').to_owned(), prefix };
        prefixes.into_iter().map(group).collect()
    }

    /// `T-RBR` as one matrix an endpoint. A reader without one of the arms is an error.
    pub fn matrices(&self, table: &str) -> Result<Vec<Matrix>, Error> {
        let rows = self.rows(table, "")?;
        let mut keyed: Vec<(String, String, String, Row)> = Vec::new();
        for row in rows {
            let record = self.records(table).find(|r| r.cell_id == row.cell);
            let (Some(record), Some(reader)) = (record, row.reader.clone()) else {
                return Err(Error::Refused(format!("{table}/{}: the row names no reader", row.cell)));
            };
            let tail = format!(".{reader}.{}", record.arm);
            let key = row.cell.strip_suffix(&tail).unwrap_or(&row.cell).to_owned();
            keyed.push((key, reader, record.arm.clone(), row));
        }
        let mut matrices = Vec::new();
        for key in distinct(keyed.iter().map(|k| k.0.clone())) {
            let own: Vec<_> = keyed.iter().filter(|k| k.0 == key).collect();
            let arms = distinct(own.iter().map(|k| k.2.clone()));
            let mut readers = Vec::new();
            for reader in distinct(own.iter().map(|k| k.1.clone())) {
                let cell = |arm: &String| {
                    let found = own.iter().find(|k| k.1 == reader && k.2 == *arm).map(|k| k.3.clone());
                    found.ok_or_else(|| {
                        Error::Refused(format!(
                            "the report needs the number {table}/{key}.{reader}.{arm}/est, and the results hold none"
                        ))
                    })
                };
                let cells = arms.iter().map(cell).collect::<Result<Vec<_>, _>>()?;
                readers.push(MatrixRow { reader, cells });
            }
            let label = self.endpoint(&key).map(|e| self.endpoint_label(e)).or_else(|| self.known(&key)).unwrap_or(key);
            matrices.push(Matrix { label, arms: arms.iter().map(|a| self.arm(a)).collect(), readers });
        }
        Ok(matrices)
    }

    // ---- acceptance ----------------------------------------------------------------------------------------------

    /// One row an endpoint with a hypothesis, failed ones first.
    pub fn verdicts(&self) -> Result<Vec<Verdict>, Error> {
        let mut verdicts = Vec::new();
        for endpoint in self.protocol.endpoints.iter().filter(|e| e.hypothesis.is_some()) {
            verdicts.push(self.verdict(endpoint)?);
        }
        verdicts.sort_by_key(|v| v.met != Some(false));
        Ok(verdicts)
    }

    fn verdict(&self, endpoint: &Endpoint) -> Result<Verdict, Error> {
        let conclusion = self.results.conclusions.iter().find(|c| c.endpoint_id == endpoint.id).ok_or_else(|| {
            Error::Refused(format!(
                "endpoint ‘{}’ has a hypothesis, and the results hold no conclusion on it",
                endpoint.id
            ))
        })?;
        let row = self.main_row(endpoint)?;
        if row.is_none() && conclusion.met.is_some() {
            let arm = wanted_arms(endpoint).remove(0);
            return Err(Error::Refused(format!(
                "the report needs the number T-PRIM/{}.{arm}/est, and the results hold none",
                endpoint.id
            )));
        }
        let hypothesis = endpoint.hypothesis.as_ref();
        let applies_to = hypothesis.map(|h| match h.criterion {
            Criterion::Bound => "criterion.bound",
            Criterion::Estimate => "criterion.estimate",
        });
        Ok(Verdict {
            item: self.endpoint_label(endpoint),
            rank: self.named("enum", &kebab(&endpoint.rank)),
            method: self.named("method", &kebab(&endpoint.method)),
            criterion: self.criterion(endpoint)?,
            applies_to: self.catalogue.text(applies_to.unwrap_or("criterion.bound"))?.to_owned(),
            basis: match hypothesis.and_then(|h| h.rationale.as_ref()) {
                Some(rationale) => self.pick(rationale),
                None => self.catalogue.text("ui.not_stated")?.to_owned(),
            },
            sentence: self.sentence(endpoint, row.as_ref(), conclusion)?,
            row,
            met: conclusion.met_after_multiplicity.or(conclusion.met),
            p: conclusion.p.map(|p| fmt_value(Kind::P, p)).unwrap_or_default(),
            p_adjusted: conclusion.p_adjusted.map(|p| fmt_value(Kind::P, p)).unwrap_or_default(),
            text: match self.language() {
                Language::Ko => conclusion.ko.clone(),
                Language::En => conclusion.en.clone(),
            },
        })
    }

    /// The row that the endpoint's hypothesis is about.
    fn main_row(&self, endpoint: &Endpoint) -> Result<Option<Row>, Error> {
        let own = || self.results.records.iter().filter(|r| r.endpoint_id.as_deref() == Some(&endpoint.id));
        let tables = ["T-PRIM", "T-SEC", "T-STAND", "T-LOC", "T-OR", "T-SESP"];
        for arm in wanted_arms(endpoint) {
            for table in tables {
                let found = own()
                    .find(|r| r.table_id == table && r.arm == arm && r.reader_id.is_none() && r.group_var.is_none());
                if let Some(record) = found {
                    return Ok(self.rows(table, &record.cell_id)?.into_iter().find(|row| row.cell == record.cell_id));
                }
            }
        }
        Ok(None)
    }

    /// The criterion in words, with its limit as printed.
    pub fn criterion(&self, endpoint: &Endpoint) -> Result<String, Error> {
        let Some(hypothesis) = &endpoint.hypothesis else { return Ok(self.catalogue.text("ui.none")?.to_owned()) };
        let kind = kind_of(endpoint.measure, Stat::Est, endpoint.compare.is_some());
        let number = |value: f64| localise(&fmt_value(kind, value), self.language());
        let none = if endpoint.measure == Measure::OddsRatio { 1.0 } else { 0.0 };
        let margin = hypothesis.margin.unwrap_or(0.0);
        let (key, limit) = match hypothesis.kind {
            HypothesisKind::Superiority => ("above", number(none)),
            HypothesisKind::NonInferiority => ("above", number(none - margin)),
            HypothesisKind::PerformanceGoal => ("above", number(hypothesis.goal.unwrap_or(none))),
            HypothesisKind::Equivalence => {
                ("within", format!("({}, {})", number(none - margin), number(none + margin)))
            }
        };
        let what = match hypothesis.criterion {
            Criterion::Bound => "bound",
            Criterion::Estimate => "estimate",
        };
        let sides = match hypothesis.sides {
            Sides::One => "one",
            Sides::Two => "two",
        };
        Ok(fill(
            self.catalogue.text(&format!("criterion.{what}_{key}"))?,
            &[
                ("kind", &self.named("enum", &kebab(&hypothesis.kind))),
                ("limit", &limit),
                ("sides", self.catalogue.text(&format!("enum.{sides}"))?),
                ("alpha", &fmt_value(Kind::Plain, hypothesis.alpha)),
            ],
        ))
    }

    /// The fixed sentence on an endpoint's result. Every number in it is looked up.
    fn sentence(&self, endpoint: &Endpoint, row: Option<&Row>, conclusion: &Conclusion) -> Result<String, Error> {
        let own = match self.language() {
            Language::Ko => conclusion.ko.clone(),
            Language::En => conclusion.en.clone(),
        };
        let (Some([test, control]), Some(row)) = (&endpoint.compare, row) else { return Ok(own) };
        let stat = |cell: &str, stat: &str| -> Option<Cell> {
            let tables = ["T-PRIM", "T-SEC"];
            tables.iter().find_map(|t| self.cell(t, cell, stat).ok()).filter(|c| !c.missing)
        };
        let part = |name: &str| row.s.get(name).filter(|c| !c.missing);
        let (test_cell, control_cell) = (format!("{}.{test}", endpoint.id), format!("{}.{control}", endpoint.id));
        let (Some(a), Some(u), Some(d), Some(lo), Some(hi)) =
            (stat(&test_cell, "est"), stat(&control_cell, "est"), part("est"), part("lo"), part("hi"))
        else {
            return Ok(own);
        };
        let p = part("p").map_or_else(String::new, |p| {
            if p.text.starts_with(['<', '>']) { format!("; p{}", p.text) } else { format!("; p={}", p.text) }
        });
        let df = match row.s.get("df") {
            Some(df) => fill(self.catalogue.text("sentence.df")?, &[("df", &df.text)]),
            None => String::new(),
        };
        let level = self.results.records.iter().find(|r| r.ard_id == lo.ard).and_then(|r| r.level);
        let verdict = match conclusion.met_after_multiplicity.or(conclusion.met) {
            Some(true) => "sentence.met",
            Some(false) => "sentence.not_met",
            None => "sentence.undecided",
        };
        let criterion = self.criterion(endpoint)?;
        let mut text = fill(
            self.catalogue.text("sentence.difference")?,
            &[
                ("endpoint", &self.endpoint_label(endpoint)),
                ("test", &self.arm(test)),
                ("control", &self.arm(control)),
                ("a", &a.text),
                ("u", &u.text),
                ("d", &d.text),
                ("lo", &lo.text),
                ("hi", &hi.text),
                ("level", &percent(level.unwrap_or(self.protocol.study.confidence_level))),
                ("p", &p),
                ("method", &row.method),
                ("df", &df),
                ("criterion", &criterion),
                ("verdict", self.catalogue.text(verdict)?),
            ],
        );
        let hypothesis = endpoint.hypothesis.as_ref();
        let bound = hypothesis.filter(|h| h.kind == HypothesisKind::NonInferiority && h.criterion == Criterion::Bound);
        if let (Some(hypothesis), Some(met)) = (bound, conclusion.met) {
            let kind = kind_of(endpoint.measure, Stat::Est, true);
            let limit = localise(&fmt_value(kind, -hypothesis.margin.unwrap_or(0.0)), self.language());
            let key = if met { "sentence.noninferior" } else { "sentence.not_noninferior" };
            text.push(' ');
            text.push_str(&fill(self.catalogue.text(key)?, &[("lo", &lo.text), ("limit", &limit)]));
        }
        Ok(text)
    }
}

fn wanted_arms(endpoint: &Endpoint) -> Vec<String> {
    match (&endpoint.compare, &endpoint.modality) {
        (Some(_), _) => vec!["diff".to_owned(), "ratio".to_owned()],
        (None, Some(modality)) => vec![modality.clone()],
        (None, None) => vec!["standalone".to_owned(), "all".to_owned(), "diff".to_owned(), "ratio".to_owned()],
    }
}

/// `None` for a number that exists. Degrees of freedom of the normal limit have no finite value, but a printed one (`∞`).
fn missing_reason(record: &Record) -> Option<&str> {
    let reason = record.not_estimable.as_ref()?;
    (record.value_fmt == NOT_ESTIMABLE).then_some(reason.reason.as_str())
}

/// a, b, … z, aa, ab, …
fn mark(index: usize) -> String {
    let letter = char::from(b'a' + (index % 26) as u8);
    if index < 26 { letter.to_string() } else { format!("{}{letter}", mark(index / 26 - 1)) }
}

fn percent(level: f64) -> String {
    let text = format!("{:.4}", 100.0 * level);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

pub(super) fn distinct<T: PartialEq>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut all = Vec::new();
    for item in items {
        if !all.contains(&item) {
            all.push(item);
        }
    }
    all
}

/// Name of an enum value as it is written in the protocol.
pub fn kebab<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn stat_name(stat: Stat) -> &'static str {
    match stat {
        Stat::Est => "est",
        Stat::Se => "se",
        Stat::Lo => "lo",
        Stat::Hi => "hi",
        Stat::Df => "df",
        Stat::Df1 => "df1",
        Stat::Stat => "stat",
        Stat::P => "p",
        Stat::Count => "n",
        Stat::Total => "N",
        Stat::Margin => "margin",
        Stat::Unusable => "unusable",
        Stat::Replicates => "replicates",
    }
}
