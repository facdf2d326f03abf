//! `marks.csv` and `predicted_marks.csv`: one row a mark, by readers or by the device.

use super::cases::{CaseIndex, Found};
use super::lesions::flat_box;
use super::lesions::positive;
use super::readings::{Names, rating_name, rating_on};
use super::table::{Findings, Table};
use crate::metrics::matching::{RatedMark, Region, Shape};
use crate::protocol::{Protocol, Suspicious};

/// Marks in sets: one set for each reader and modality of the protocol, in its order, or one set for the device.
#[derive(Debug, Clone, PartialEq)]
pub struct Marks {
    pub sets: Vec<MarkSet>,
}

/// The marks of one reader in one modality, or those of the device.
#[derive(Debug, Clone, PartialEq)]
pub struct MarkSet {
    /// Index into the protocol's readers; `None` = the device.
    pub reader: Option<u32>,
    /// Index into the design's modalities; `None` = the device.
    pub modality: Option<u32>,
    /// One entry a case, in the order of [`super::Cases`]; a case without marks has an empty list.
    pub by_case: Vec<Vec<MarkRow>>,
}

/// A mark by its centre, in input pixels from the image's top left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MarkRow {
    pub x: f64,
    pub y: f64,
    pub z: Option<f64>,
    /// Of the mark's box, > 0; both or none.
    pub width: Option<f64>,
    pub height: Option<f64>,
    /// As it was given: on the readers' scale, or the device's score (higher = more suspicious).
    pub rating: f64,
}

impl Marks {
    pub fn count(&self) -> usize {
        self.sets.iter().map(MarkSet::count).sum()
    }

    /// The marks of one reader in one modality, by index into the protocol.
    pub fn of_reader(&self, reader: u32, modality: u32) -> Option<&MarkSet> {
        self.sets.iter().find(|set| set.reader == Some(reader) && set.modality == Some(modality))
    }

    pub fn of_device(&self) -> Option<&MarkSet> {
        self.sets.iter().find(|set| set.reader.is_none())
    }
}

impl MarkSet {
    pub fn count(&self) -> usize {
        self.by_case.iter().map(Vec::len).sum()
    }

    /// The marks of each case as the matching takes them: a scale on which lower is suspicious is turned round.
    pub fn to_metrics(&self, suspicious: Suspicious) -> Vec<Vec<RatedMark>> {
        let mark = |row: &MarkRow| {
            let centre = [row.x, row.y, row.z.unwrap_or(0.0)];
            let shape = row.width.zip(row.height).map_or(Shape::Point, |(w, h)| flat_box(centre, w, h));
            let rating = match suspicious {
                Suspicious::Higher => row.rating,
                Suspicious::Lower => 0.0 - row.rating,
            };
            RatedMark { region: Region { centre, shape }, rating }
        };
        self.by_case.iter().map(|marks| marks.iter().map(mark).collect()).collect()
    }
}

/// The readers' marks. Ratings lie on the declared scale; a row that repeats another in everything is a fault.
pub(super) fn read_readers(
    table: &Table,
    protocol: &Protocol,
    index: &CaseIndex,
    found: &Found,
    findings: &mut Findings,
) -> Option<Marks> {
    let required = ["reader", "modality", "case", "x", "y", rating_name(table)];
    let ([reader_at, modality_at, case_at, x, y, rating], [z, width, height]) =
        table.columns(required, ["z", "width", "height"], false, findings)?;
    let columns = Columns { x, y, rating, z, width, height };
    let design = protocol.design.as_ref();
    let modalities = || design.into_iter().flat_map(|design| design.modalities.iter().map(|modality| &modality.id));
    let mut reader_names = Names::new("reader", protocol.readers.iter().map(|reader| &reader.id));
    let mut modality_names = Names::new("modality", modalities());
    let (readers, modalities) = (protocol.readers.len() as u32, modalities().count() as u32);
    let mut sets: Vec<MarkSet> = (0..readers)
        .flat_map(|reader| (0..modalities).map(move |modality| (reader, modality)))
        .map(|(reader, modality)| MarkSet {
            reader: Some(reader),
            modality: Some(modality),
            by_case: vec![Vec::new(); found.cases.len()],
        })
        .collect();
    let mut seen = std::collections::HashMap::new();
    for row in 0..table.rows() {
        let reader = reader_names.find(table, row, reader_at, findings);
        let modality = modality_names.find(table, row, modality_at, findings);
        let case = index.find(table, row, case_at, findings);
        let mark = columns.mark(table, row, design.map(|design| &design.rating_scale), findings);
        let (Some(reader), Some(modality), Some(case), Some(mark)) = (reader, modality, case, mark) else { continue };
        let numbers = [mark.x, mark.y, mark.z.unwrap_or(0.0), mark.width.unwrap_or(0.0), mark.height.unwrap_or(0.0)];
        let key = (reader, modality, case, numbers.map(f64::to_bits), mark.rating.to_bits());
        if let Some(first) = seen.insert(key, row) {
            findings.add("a mark that is there already", "case", table.line(row), |_| {
                let found = format!("the same mark as in line {}", table.line(first));
                table.fault(row, case_at, found, "one row a mark", "keep one of the two")
            });
        }
        sets[(reader * modalities + modality) as usize].by_case[case as usize].push(mark);
    }
    Some(Marks { sets })
}

/// The device's marks, its `score` of a mark not bound to a scale.
pub(super) fn read_device(table: &Table, index: &CaseIndex, found: &Found, findings: &mut Findings) -> Option<Marks> {
    let required = ["case", "x", "y", rating_name(table)];
    let ([case_at, x, y, rating], [z, width, height]) =
        table.columns(required, ["z", "width", "height"], false, findings)?;
    let columns = Columns { x, y, rating, z, width, height };
    let mut by_case = vec![Vec::new(); found.cases.len()];
    for row in 0..table.rows() {
        let case = index.find(table, row, case_at, findings);
        let mark = columns.mark(table, row, None, findings);
        if let (Some(case), Some(mark)) = (case, mark) {
            by_case[case as usize].push(mark);
        }
    }
    Some(Marks { sets: vec![MarkSet { reader: None, modality: None, by_case }] })
}

struct Columns {
    x: usize,
    y: usize,
    rating: usize,
    z: Option<usize>,
    width: Option<usize>,
    height: Option<usize>,
}

impl Columns {
    fn mark(
        &self,
        table: &Table,
        row: usize,
        scale: Option<&crate::protocol::RatingScale>,
        findings: &mut Findings,
    ) -> Option<MarkRow> {
        let x = table.number(row, self.x, "give the mark's x in pixels", findings);
        let y = table.number(row, self.y, "give the mark's y in pixels", findings);
        let z = self.z.and_then(|at| table.number(row, at, "give the mark's z, or take the column out", findings));
        let rating = rating_on(scale, table, row, self.rating, findings);
        let [width, height] = [self.width, self.height].map(|at| positive(table, row, at, findings));
        if width.is_some() != height.is_some() {
            findings.add("a mark with one of width and height", "", table.line(row), |_| {
                let mut fault = table.fault(
                    row,
                    self.x,
                    "a mark with one of width and height",
                    "both or none",
                    "fill in both cells, or leave both empty",
                );
                fault.key = None;
                fault
            });
        }
        Some(MarkRow { x: x?, y: y?, z, width, height, rating: rating? })
    }
}
