//! The readings of a file, whatever its format, and what they can be turned into.

use super::{delimited, numbers};
use crate::data::{Cases, Readings};
use crate::error::Error;
use crate::protocol::Suspicious;
use crate::stats::mrmc::{Case, IndexedReading, MrmcData, Reading};
use std::collections::{BTreeMap, BTreeSet};

/// Readings by index into tables of readers, modalities and cases, as a file gave them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exchange {
    pub readers: Vec<String>,
    pub modalities: Vec<String>,
    pub cases: Vec<ExchangeCase>,
    /// One rating for a reader, modality and case at most. Empty where [`Exchange::location`] is set.
    pub readings: Vec<IndexedReading>,
    /// Marks with places, where the file holds a free-response (FROC) study.
    pub location: Option<Location>,
    /// Which end of the rating scale is suspicious; `None` where the format does not say and nobody declared it.
    pub direction: Option<Suspicious>,
    /// What the reader of the file should know: encoding, columns not carried over, a direction that was turned.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExchangeCase {
    pub id: String,
    pub diseased: bool,
}

/// A free-response study: marks, the lesions that they may hit, and who looked at what.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Location {
    pub lesions: Vec<Lesion>,
    pub marks: Vec<Mark>,
    /// Every reader, modality and case that was read, with or without a mark.
    pub viewings: Vec<Viewing>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lesion {
    pub case: u32,
    /// From 1 within its case.
    pub number: u32,
    /// The weights of a case's lesions sum to 1.
    pub weight: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    pub reader: u32,
    pub modality: u32,
    pub case: u32,
    /// The number of the lesion that the mark hits; `None` for a mark that hits none.
    pub lesion: Option<u32>,
    pub rating: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Viewing {
    pub reader: u32,
    pub modality: u32,
    pub case: u32,
}

/// How a study folder writes down truth and direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StudyTables<'a> {
    /// Name of the truth column, and its codes.
    pub truth: &'a str,
    pub positive: &'a str,
    pub negative: &'a str,
    /// Which end of the study's rating scale is suspicious; `None` where no protocol says so yet.
    pub suspicious: Option<Suspicious>,
}

impl Default for StudyTables<'_> {
    fn default() -> Self {
        Self { truth: "truth", positive: "1", negative: "0", suspicious: None }
    }
}

impl Exchange {
    /// Number of diseased and of non-diseased cases.
    #[must_use]
    pub fn class_counts(&self) -> (usize, usize) {
        let diseased = self.cases.iter().filter(|case| case.diseased).count();
        (diseased, self.cases.len() - diseased)
    }

    /// As the statistics take it: readers, modalities and cases in label order, higher rating = more suspicious. Cases
    /// that nobody read are no part of it.
    ///
    /// # Errors
    /// [`Error::Refused`] for marks with places, for an undeclared direction, and for readings that are not a valid table.
    pub fn to_mrmc(&self) -> Result<MrmcData, Error> {
        let higher = self.higher("the statistics")?;
        let rows: Vec<Reading<'_>> = higher
            .readings
            .iter()
            .map(|reading| {
                let case = &higher.cases[reading.case as usize];
                Reading {
                    reader: &higher.readers[reading.reader as usize],
                    case: &case.id,
                    modality: &higher.modalities[reading.modality as usize],
                    diseased: case.diseased,
                    rating: reading.rating,
                    cluster: None,
                }
            })
            .collect();
        MrmcData::from_readings(&rows).map_err(|error| Error::Refused(error.to_string()))
    }

    /// The readings of a table of the statistics, so that they can be written in any format.
    #[must_use]
    pub fn from_mrmc(data: &MrmcData) -> Self {
        let case = |case: &Case| ExchangeCase { id: case.label.clone(), diseased: case.diseased };
        Self {
            readers: data.readers().to_vec(),
            modalities: data.modalities().to_vec(),
            cases: data.cases().iter().map(case).collect(),
            readings: data.readings().collect(),
            location: None,
            direction: Some(Suspicious::Higher),
            notes: Vec::new(),
        }
    }

    /// The readings of a study folder, on its own scale. Cases that nobody read are among the cases; readers and
    /// modalities without a reading are not.
    #[must_use]
    pub fn from_study(cases: &Cases, readings: &Readings, suspicious: Suspicious) -> Self {
        let kept = |names: &[String], of: &[u32]| -> (Vec<String>, Vec<u32>) {
            let used: BTreeSet<u32> = of.iter().copied().collect();
            let mut at = vec![0; names.len()];
            for (position, &old) in (0..).zip(&used) {
                at[old as usize] = position;
            }
            (used.iter().map(|&old| names[old as usize].clone()).collect(), at)
        };
        let (readers, reader_at) = kept(&readings.readers, &readings.reader);
        let (modalities, modality_at) = kept(&readings.modalities, &readings.modality);
        let rows = (0..readings.len()).map(|row| IndexedReading {
            reader: reader_at[readings.reader[row] as usize],
            case: readings.case[row],
            modality: modality_at[readings.modality[row] as usize],
            rating: readings.rating[row],
        });
        let cases = cases.id.iter().zip(&cases.truth);
        Self {
            readers,
            modalities,
            cases: cases.map(|(id, &diseased)| ExchangeCase { id: id.clone(), diseased }).collect(),
            readings: rows.collect(),
            location: None,
            direction: Some(suspicious),
            notes: Vec::new(),
        }
    }

    /// `cases.csv` (case, truth) and `readings.csv` (reader, case, modality, rating) of a study folder. A file whose own
    /// direction is not the one that the study declares has its ratings turned.
    ///
    /// # Errors
    /// [`Error::Refused`] for marks with places: a reading of a study is one rating.
    pub fn to_study(&self, study: &StudyTables<'_>) -> Result<(Vec<u8>, Vec<u8>), Error> {
        self.refuse_marks("readings.csv of a study")?;
        let turned = match (study.suspicious, self.direction) {
            (Some(wanted), Some(found)) if wanted != found => self.turned(),
            _ => self.clone(),
        };
        let mut cases = delimited::writer();
        cases.row(&["case", study.truth])?;
        for case in &turned.cases {
            cases.row(&[&case.id, if case.diseased { study.positive } else { study.negative }])?;
        }
        let mut readings = delimited::writer();
        readings.row(&["reader", "case", "modality", "rating"])?;
        for reading in &turned.readings {
            readings.row(&[
                turned.readers[reading.reader as usize].as_str(),
                &turned.cases[reading.case as usize].id,
                &turned.modalities[reading.modality as usize],
                &numbers::shown(reading.rating),
            ])?;
        }
        Ok((cases.bytes()?, readings.bytes()?))
    }

    /// One rating for each reader, modality and case that was read: that of its most suspicious mark, or `unmarked`
    /// where there is none (the inferred ROC rating; Chakraborty 2017, *Observer Performance Methods for Diagnostic
    /// Imaging*, chapter 12).
    ///
    /// # Errors
    /// [`Error::Refused`] where there are no marks, or where `unmarked` is not below every mark's rating.
    pub fn inferred_roc(&self, unmarked: f64) -> Result<Self, Error> {
        let Some(location) = &self.location else {
            return Err(Error::Refused(
                "the file holds one rating a case already; there is nothing to infer".to_owned(),
            ));
        };
        let lowest = location.marks.iter().map(|mark| mark.rating).fold(f64::INFINITY, f64::min);
        if !unmarked.is_finite() || unmarked >= lowest {
            return Err(Error::Refused(format!(
                "the rating of a case without marks must be below every mark's rating, and the lowest is {}; {} is not",
                numbers::shown(lowest),
                numbers::shown(unmarked)
            )));
        }
        let mut highest: BTreeMap<Viewing, f64> =
            location.viewings.iter().map(|viewing| (*viewing, unmarked)).collect();
        for mark in &location.marks {
            let viewing = Viewing { reader: mark.reader, modality: mark.modality, case: mark.case };
            let rating = highest.entry(viewing).or_insert(unmarked);
            *rating = rating.max(mark.rating);
        }
        let mut notes = self.notes.clone();
        notes.push(format!(
            "one rating a case: that of its most suspicious mark, {} where there is none",
            numbers::shown(unmarked)
        ));
        let readings = highest
            .into_iter()
            .map(|(at, rating)| IndexedReading { reader: at.reader, modality: at.modality, case: at.case, rating })
            .collect();
        Ok(Self { readings, location: None, notes, ..self.clone() })
    }

    /// The same readings with readers, modalities, cases and rows in label order: two files that say the same are equal.
    #[must_use]
    pub fn sorted(&self) -> Self {
        let (readers, reader_at) = in_order(&self.readers, |label| label.as_str());
        let (modalities, modality_at) = in_order(&self.modalities, |label| label.as_str());
        let (cases, case_at) = in_order(&self.cases, |case| case.id.as_str());
        let mut readings: Vec<IndexedReading> = self
            .readings
            .iter()
            .map(|row| IndexedReading {
                reader: reader_at[row.reader as usize],
                modality: modality_at[row.modality as usize],
                case: case_at[row.case as usize],
                rating: row.rating,
            })
            .collect();
        readings.sort_by_key(|row| (row.modality, row.reader, row.case));
        let location = self.location.as_ref().map(|location| {
            let mut lesions: Vec<Lesion> = location
                .lesions
                .iter()
                .map(|lesion| Lesion { case: case_at[lesion.case as usize], ..*lesion })
                .collect();
            lesions.sort_by_key(|lesion| (lesion.case, lesion.number));
            let mut marks: Vec<Mark> = location
                .marks
                .iter()
                .map(|mark| Mark {
                    reader: reader_at[mark.reader as usize],
                    modality: modality_at[mark.modality as usize],
                    case: case_at[mark.case as usize],
                    ..*mark
                })
                .collect();
            marks.sort_by(|a, b| {
                let key = |mark: &Mark| (mark.modality, mark.reader, mark.case, mark.lesion);
                key(a).cmp(&key(b)).then(a.rating.total_cmp(&b.rating))
            });
            let mut viewings: Vec<Viewing> = location
                .viewings
                .iter()
                .map(|at| Viewing {
                    reader: reader_at[at.reader as usize],
                    modality: modality_at[at.modality as usize],
                    case: case_at[at.case as usize],
                })
                .collect();
            viewings.sort_unstable();
            Location { lesions, marks, viewings }
        });
        Self { readers, modalities, cases, readings, location, direction: self.direction, notes: self.notes.clone() }
    }

    /// Every reader, modality and case that was read.
    #[must_use]
    pub fn viewings(&self) -> BTreeSet<Viewing> {
        match &self.location {
            Some(location) => location.viewings.iter().copied().collect(),
            None => self
                .readings
                .iter()
                .map(|row| Viewing { reader: row.reader, modality: row.modality, case: row.case })
                .collect(),
        }
    }

    /// The same readings with higher = more suspicious, for a format whose programs take that for granted.
    pub(super) fn higher(&self, wanted_by: &str) -> Result<Self, Error> {
        self.refuse_marks(wanted_by)?;
        match self.direction {
            Some(Suspicious::Higher) => Ok(self.clone()),
            Some(Suspicious::Lower) => Ok(self.turned()),
            None => Err(Error::Refused(format!(
                "{wanted_by} takes a higher rating as more suspicious, and this file does not say which end of its scale \
                 is; declare it by --suspicious higher or --suspicious lower"
            ))),
        }
    }

    /// Every rating negated, which turns the order, keeps every distance and can be undone exactly.
    fn turned(&self) -> Self {
        let mut turned = self.clone();
        for reading in &mut turned.readings {
            reading.rating = 0.0 - reading.rating;
        }
        turned.direction = self.direction.map(|direction| match direction {
            Suspicious::Higher => Suspicious::Lower,
            Suspicious::Lower => Suspicious::Higher,
        });
        turned
    }

    pub(super) fn refuse_marks(&self, wanted_by: &str) -> Result<(), Error> {
        match &self.location {
            None => Ok(()),
            Some(location) => Err(Error::Refused(format!(
                "{wanted_by} holds one rating a case and this file holds {} marks on {} lesions; write it as rjafroc, or \
                 declare by --unmarked RATING what a case without marks gets, and the most suspicious mark of the others \
                 becomes their rating",
                location.marks.len(),
                location.lesions.len()
            ))),
        }
    }
}

/// Items by label, as numbers where every label is one (so that 2 comes before 10), and where each went.
fn in_order<T: Clone>(items: &[T], label: impl Fn(&T) -> &str) -> (Vec<T>, Vec<u32>) {
    let number = |item: &T| numbers::parse(label(item));
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|&a, &b| label(&items[a]).cmp(label(&items[b])));
    if items.iter().all(|item| number(item).is_some()) {
        order.sort_by(|&a, &b| number(&items[a]).partial_cmp(&number(&items[b])).unwrap_or(std::cmp::Ordering::Equal));
    }
    let mut at = vec![0; items.len()];
    for (position, &old) in (0..).zip(&order) {
        at[old] = position;
    }
    (order.iter().map(|&old| items[old].clone()).collect(), at)
}
