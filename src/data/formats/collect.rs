//! Gathers rows of any format into an [`Exchange`] and every fault of a file on the way.

use super::{Exchange, ExchangeCase};
use crate::error::Error;
use crate::fault::{Fault, Faults};
use crate::protocol::Suspicious;
use crate::stats::mrmc::IndexedReading;
use std::collections::{BTreeSet, HashMap};

/// Where a row stands: a line of a text file, or a row with the sheet and cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub line: usize,
    pub key: Option<String>,
}

impl Place {
    pub fn line(line: usize) -> Self {
        Self { line, key: None }
    }

    fn name(&self) -> String {
        self.key.clone().unwrap_or_else(|| format!("line {}", self.line))
    }
}

/// Labels in order of first appearance. The map is only looked up, never walked, so its order reaches no result.
#[derive(Debug, Default)]
pub(super) struct Labels {
    pub list: Vec<String>,
    at: HashMap<String, u32>,
}

impl Labels {
    pub fn index(&mut self, label: &str) -> u32 {
        if let Some(&at) = self.at.get(label) {
            return at;
        }
        let at = u32::try_from(self.list.len()).expect("a file holds fewer than 2^32 labels");
        self.list.push(label.to_owned());
        self.at.insert(label.to_owned(), at);
        at
    }
}

pub(super) struct Collector {
    file: String,
    pub faults: Faults,
    pub notes: Vec<String>,
    readers: Labels,
    modalities: Labels,
    cases: Labels,
    truth: Vec<Option<(bool, Place)>>,
    first_seen: Vec<Place>,
    /// Cases whose truth is a fault already, so that they are not called cases without truth besides.
    excused: BTreeSet<u32>,
    readings: Vec<(IndexedReading, Place)>,
}

impl Collector {
    pub fn new(file: &str, note: Option<String>) -> Self {
        Self {
            file: file.to_owned(),
            faults: Faults::default(),
            notes: note.into_iter().collect(),
            readers: Labels::default(),
            modalities: Labels::default(),
            cases: Labels::default(),
            truth: Vec::new(),
            first_seen: Vec::new(),
            excused: BTreeSet::new(),
            readings: Vec::new(),
        }
    }

    pub fn fault(&mut self, place: &Place, found: impl Into<String>, expected: &str, mend: &str) {
        let mut fault = Fault::new(&self.file, found, expected, mend).line(place.line);
        fault.key.clone_from(&place.key);
        self.faults.push(fault);
    }

    /// The truth of a case. `once`: a second statement is a fault even where it says the same.
    pub fn truth(&mut self, case: &str, diseased: bool, place: &Place, once: bool) {
        let at = self.case(case, place) as usize;
        match self.truth[at].clone() {
            None => self.truth[at] = Some((diseased, place.clone())),
            Some((first, earlier)) if first != diseased => self.fault(
                place,
                format!("case {case:?} is {} here and {} in {}", name(diseased), name(first), earlier.name()),
                "one truth for a case",
                "correct the wrong one",
            ),
            Some((_, earlier)) if once => self.fault(
                place,
                format!("the truth of case {case:?} again; {} has it", earlier.name()),
                "the truth of a case once",
                "delete this row",
            ),
            Some(_) => {}
        }
    }

    /// The truth of this case is a fault already.
    pub fn excuse(&mut self, case: &str, place: &Place) {
        let at = self.case(case, place);
        self.excused.insert(at);
    }

    pub fn case(&mut self, case: &str, place: &Place) -> u32 {
        let at = self.cases.index(case);
        if at as usize == self.truth.len() {
            self.truth.push(None);
            self.first_seen.push(place.clone());
        }
        at
    }

    pub fn reading(&mut self, reader: &str, modality: &str, case: &str, rating: f64, place: &Place) {
        let reading = IndexedReading {
            reader: self.readers.index(reader),
            modality: self.modalities.index(modality),
            case: self.case(case, place),
            rating,
        };
        self.readings.push((reading, place.clone()));
    }

    pub fn readers(&self) -> &[String] {
        &self.readers.list
    }

    pub fn modalities(&self) -> &[String] {
        &self.modalities.list
    }

    /// Diseased and non-diseased cases so far.
    pub fn class_counts(&self) -> (usize, usize) {
        let count = |wanted: bool| self.truth.iter().flatten().filter(|(diseased, _)| *diseased == wanted).count();
        (count(true), count(false))
    }

    /// Labels of one kind that differ by blanks alone, as pairs.
    pub fn differ_by_blanks(&self) -> Vec<(&'static str, String, String)> {
        let mut pairs = Vec::new();
        for (kind, labels) in [("reader", &self.readers), ("modality", &self.modalities), ("case", &self.cases)] {
            pairs.extend(blank_twins(&labels.list).into_iter().map(|(a, b)| (kind, a, b)));
        }
        pairs
    }

    /// Every duplicate and every case without truth, then the readings if nothing was wrong.
    pub fn finish(mut self, direction: Option<Suspicious>) -> Result<Exchange, Error> {
        self.find_duplicates();
        for at in 0..self.truth.len() {
            if self.truth[at].is_none() && !self.excused.contains(&u32::try_from(at).unwrap_or(u32::MAX)) {
                let (case, place) = (self.cases.list[at].clone(), self.first_seen[at].clone());
                self.fault(
                    &place,
                    format!("case {case:?} has no truth"),
                    "the truth of every case",
                    "add the case's truth, or take its readings out",
                );
            }
        }
        if self.readings.is_empty() && self.faults.is_empty() {
            self.faults.push(Fault::new(&self.file, "no reading at all", "at least one reading", "check the file"));
        }
        self.faults.into_result(())?;
        let cases = self.cases.list.into_iter().zip(&self.truth);
        Ok(Exchange {
            readers: self.readers.list,
            modalities: self.modalities.list,
            cases: cases
                .map(|(id, truth)| ExchangeCase { id, diseased: truth.as_ref().is_some_and(|(diseased, _)| *diseased) })
                .collect(),
            readings: self.readings.into_iter().map(|(reading, _)| reading).collect(),
            location: None,
            direction,
            notes: self.notes,
        })
    }

    fn find_duplicates(&mut self) {
        let key = |at: usize| {
            let row = &self.readings[at].0;
            (row.reader, row.modality, row.case)
        };
        let mut order: Vec<usize> = (0..self.readings.len()).collect();
        order.sort_by_key(|&at| (key(at), at));
        let groups: Vec<Vec<usize>> =
            order.chunk_by(|&a, &b| key(a) == key(b)).filter(|group| group.len() > 1).map(<[usize]>::to_vec).collect();
        for group in groups {
            let (first, earlier) = self.readings[group[0]].clone();
            for &at in &group[1..] {
                let (again, place) = self.readings[at].clone();
                let kind = if again.rating == first.rating { "identical" } else { "conflicting" };
                let found = format!(
                    "reader {:?}, case {:?}, modality {:?} again: {} here, {} in {} ({kind})",
                    self.readers.list[again.reader as usize],
                    self.cases.list[again.case as usize],
                    self.modalities.list[again.modality as usize],
                    again.rating,
                    first.rating,
                    earlier.name(),
                );
                self.fault(
                    &place,
                    found,
                    "one reading for a reader, case and modality",
                    "delete one; which of them counts is for the study to say",
                );
            }
        }
    }
}

/// Pairs of labels that are equal once every blank is taken out.
pub(super) fn blank_twins(labels: &[String]) -> Vec<(String, String)> {
    let mut seen: HashMap<String, &String> = HashMap::new();
    let mut twins = Vec::new();
    for label in labels {
        let bare: String = label.chars().filter(|c| !c.is_whitespace()).collect();
        match seen.get(&bare) {
            Some(&first) => twins.push((first.clone(), label.clone())),
            None => {
                seen.insert(bare, label);
            }
        }
    }
    twins
}

fn name(diseased: bool) -> &'static str {
    if diseased { "diseased" } else { "not diseased" }
}
