//! `cases.csv`: which cases there are, their truth, the patient each belongs to, subgroups, images, model inputs.

use super::table::{Findings, Table, number_text, push_row};
use crate::error::Error;
use crate::fault::{Fault, Faults, nearest};
use crate::protocol::{ModelInput, Protocol, TestSet};
use std::cell::OnceCell;
use std::collections::HashMap;

/// The checked cases. All columns have the length of `id` and its order, which is the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Cases {
    pub id: Vec<String>,
    /// Index into `patient_names`.
    pub patient: Vec<u32>,
    /// In order of first appearance.
    pub patient_names: Vec<String>,
    /// The protocol names no patient column: each case then counts as a patient, and the report says so.
    pub patient_assumed: bool,
    /// `true` = diseased.
    pub truth: Vec<bool>,
    /// Paths relative to the study folder, with `/`.
    pub image: Option<Vec<String>>,
    /// In the protocol's order.
    pub subgroups: Vec<Subgroup>,
    /// The columns that `model.input.columns` names, in that order.
    pub columns: Vec<NumericColumn>,
    /// Where each case stands in its file, from 1.
    pub line: Vec<usize>,
    /// Indices of the cases, ordered by id.
    by_id: Vec<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subgroup {
    pub name: String,
    /// In order of first appearance in the file.
    pub levels: Vec<String>,
    /// Index into `levels`, one a case.
    pub level_of: Vec<u32>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct NumericColumn {
    pub name: String,
    /// A blank cell is NaN: that case has no output, and the run says why.
    pub values: Vec<f64>,
}

impl Cases {
    /// Cases that come from elsewhere than a file. `patient` has one name a case; `None` makes each case a patient.
    ///
    /// # Errors
    /// Columns of different lengths; an id that is there twice.
    pub fn new(id: Vec<String>, patient: Option<&[String]>, truth: Vec<bool>) -> Result<Self, Error> {
        if truth.len() != id.len() || patient.is_some_and(|names| names.len() != id.len()) {
            return Err(Error::Internal(format!("{} cases with columns of another length", id.len())));
        }
        let (patient_of, patient_names) = match patient {
            Some(names) => intern(names.iter().map(String::as_str)),
            None => ((0..).take(id.len()).collect(), id.clone()),
        };
        let by_id = order_by_id(&id);
        let mut faults = Faults::default();
        for pair in by_id.windows(2).filter(|pair| id[pair[0] as usize] == id[pair[1] as usize]) {
            let found = format!("case {:?} is there twice", id[pair[0] as usize]);
            faults.push(Fault::new("cases", found, "one row a case", "keep one of the two rows"));
        }
        let () = faults.into_result(())?;
        Ok(Self {
            line: (2..).take(id.len()).collect(),
            patient: patient_of,
            patient_names,
            patient_assumed: patient.is_none(),
            truth,
            image: None,
            subgroups: Vec::new(),
            columns: Vec::new(),
            id,
            by_id,
        })
    }

    pub fn len(&self) -> usize {
        self.id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.id.is_empty()
    }

    /// Index of the case with exactly this id. O(log n).
    pub fn index_of(&self, id: &str) -> Option<u32> {
        let at = self.by_id.binary_search_by(|&case| self.id[case as usize].as_str().cmp(id)).ok()?;
        Some(self.by_id[at])
    }

    pub fn positives(&self) -> usize {
        self.truth.iter().filter(|&&diseased| diseased).count()
    }

    pub fn negatives(&self) -> usize {
        self.len() - self.positives()
    }

    /// True where some patient has several cases, so that cases are not independent.
    pub fn is_clustered(&self) -> bool {
        self.patient_names.len() < self.len()
    }
}

/// `cases.csv` under the column names that `set` declares, in the order of the cases. Non-diseased cases get the first
/// negative level, as the table does not keep which of several it was; the patient column is left out where it is assumed.
pub fn write_csv(cases: &Cases, set: &TestSet) -> Vec<u8> {
    let negative = set.negative.first().map_or("", String::as_str);
    let numbers: Vec<Vec<String>> = cases
        .columns
        .iter()
        .map(|column| column.values.iter().map(|&v| if v.is_nan() { String::new() } else { number_text(v) }).collect())
        .collect();
    let mut columns: Vec<(&str, Vec<&str>)> = vec![("case", cases.id.iter().map(String::as_str).collect())];
    if let (Some(name), false) = (&set.patient, cases.patient_assumed) {
        columns.push((name, cases.patient.iter().map(|&at| cases.patient_names[at as usize].as_str()).collect()));
    }
    let level = |&diseased: &bool| if diseased { set.positive.as_str() } else { negative };
    columns.push((&set.truth, cases.truth.iter().map(level).collect()));
    for subgroup in &cases.subgroups {
        let levels = subgroup.level_of.iter().map(|&at| subgroup.levels[at as usize].as_str());
        columns.push((&subgroup.name, levels.collect()));
    }
    for (column, texts) in cases.columns.iter().zip(&numbers) {
        columns.push((&column.name, texts.iter().map(String::as_str).collect()));
    }
    if let (Some(name), Some(images)) = (&set.image, &cases.image) {
        columns.push((name, images.iter().map(String::as_str).collect()));
    }
    // A column may serve twice, such as a model input that is a subgroup as well; it is written once.
    let mut written: Vec<(&str, Vec<&str>)> = Vec::new();
    for column in columns {
        if written.iter().all(|(name, _)| *name != column.0) {
            written.push(column);
        }
    }
    let mut csv = Vec::new();
    push_row(&mut csv, written.iter().map(|(name, _)| *name));
    for row in 0..cases.len() {
        push_row(&mut csv, written.iter().map(|(_, cells)| cells[row]));
    }
    csv
}

fn order_by_id(id: &[String]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..).take(id.len()).collect();
    order.sort_by(|&a, &b| id[a as usize].cmp(&id[b as usize]));
    order
}

/// Index of each name among the distinct ones, and these in order of first appearance.
fn intern<'a>(names: impl Iterator<Item = &'a str>) -> (Vec<u32>, Vec<String>) {
    let mut at: HashMap<&str, u32> = HashMap::new();
    let mut distinct: Vec<String> = Vec::new();
    let indices = names
        .map(|name| {
            *at.entry(name).or_insert_with(|| {
                distinct.push(name.to_owned());
                (distinct.len() - 1) as u32
            })
        })
        .collect();
    (indices, distinct)
}

/// What [`read`] found in the file, and what of it can be used to check other files although it has faults.
pub(super) struct Found {
    pub cases: Cases,
    /// The `case` column was there, so that ids of other files can be held against it.
    pub has_ids: bool,
    /// The file has no fault, so that truths can be held against it too.
    pub sound: bool,
    pub notes: Vec<String>,
}

impl Found {
    /// No file that could be read.
    pub fn nothing() -> Self {
        let cases = Cases {
            id: Vec::new(),
            patient: Vec::new(),
            patient_names: Vec::new(),
            patient_assumed: false,
            truth: Vec::new(),
            image: None,
            subgroups: Vec::new(),
            columns: Vec::new(),
            line: Vec::new(),
            by_id: Vec::new(),
        };
        Self { cases, has_ids: false, sound: false, notes: Vec::new() }
    }
}

/// Reads the columns that the protocol names; further columns are nobody's business. The table that comes out is
/// whole only where `findings` stays empty.
pub(super) fn read(table: &Table, protocol: &Protocol, findings: &mut Findings) -> Found {
    let set = &protocol.test_set;
    let candidates: Vec<&str> = table.names().iter().map(String::as_str).collect();
    let mut column = |name: &str, key: &str| {
        let at = table.column(name);
        if at.is_none() {
            let mut fault = table.missing_column(name, &candidates);
            if !key.is_empty() {
                fault.expected = format!("{} ({key} of study.toml names it)", fault.expected);
                fault.mend = format!("{}, or correct {key} in study.toml", fault.mend);
            }
            findings.push(fault);
        }
        at
    };
    let id_at = column("case", "");
    let truth_at = column(&set.truth, "test_set.truth");
    let patient_at = set.patient.as_deref().and_then(|name| column(name, "test_set.patient"));
    let image_at = set.image.as_deref().and_then(|name| column(name, "test_set.image"));
    let subgroup_at: Vec<(&String, Option<usize>)> =
        set.subgroups.iter().map(|name| (name, column(name, "test_set.subgroups"))).collect();
    let inputs = match protocol.model.as_ref().map(|model| &model.input) {
        Some(ModelInput::Columns(input)) => input.columns.as_slice(),
        _ => &[],
    };
    let input_at: Vec<(&String, Option<usize>)> =
        inputs.iter().map(|name| (name, column(name, "model.input.columns"))).collect();
    if table.rows() == 0 {
        findings.push(Fault::new(&table.file, "no case", "one row a case", "add the cases below the header line"));
    }

    let Found { mut cases, .. } = Found::nothing();
    cases.patient_assumed = set.patient.is_none();
    cases.image = image_at.map(|_| Vec::with_capacity(table.rows()));
    let Some(id_at) = id_at else { return Found::nothing() };
    let mut kept = Vec::with_capacity(table.rows());
    for row in 0..table.rows() {
        let id = table.text(row, id_at, "give the case an id", findings);
        let truth = truth_at.and_then(|at| truth(table, row, at, protocol, findings));
        if let Some(at) = image_at {
            let path = image(table, row, at, findings);
            if id.is_some()
                && let Some(images) = &mut cases.image
            {
                images.push(path.unwrap_or_default().to_owned());
            }
        }
        if let Some(id) = id {
            cases.id.push(id.to_owned());
            cases.truth.push(truth.unwrap_or_default());
            cases.line.push(table.line(row));
            kept.push(row);
        }
    }
    let names_of = |at: usize, mend: &str, findings: &mut Findings| -> (Vec<u32>, Vec<String>) {
        intern(kept.iter().map(|&row| table.text(row, at, mend, findings).unwrap_or_default()))
    };
    (cases.patient, cases.patient_names) = match patient_at {
        Some(at) => names_of(at, "name the patient; a code of its own where the patient has one case only", findings),
        None => ((0..).take(cases.len()).collect(), cases.id.clone()),
    };
    for (name, at) in subgroup_at {
        let Some(at) = at else { continue };
        let (level_of, levels) = names_of(at, "write a level of its own, such as \"unknown\"", findings);
        cases.subgroups.push(Subgroup { name: name.clone(), levels, level_of });
    }
    for (name, at) in input_at {
        let Some(at) = at else { continue };
        let mend = "leave the cell empty: the case then has no output, and the run says so";
        let value = |row: usize, findings: &mut Findings| match table.cell(row, at) {
            "" => f64::NAN,
            _ => table.number(row, at, mend, findings).unwrap_or(f64::NAN),
        };
        let values = kept.iter().map(|&row| value(row, findings)).collect();
        cases.columns.push(NumericColumn { name: name.clone(), values });
    }
    cases.by_id = order_by_id(&cases.id);
    let same = |&a: &u32, &b: &u32| cases.id[a as usize] == cases.id[b as usize];
    for group in cases.by_id.chunk_by(same).filter(|group| group.len() > 1) {
        let first = table.line(kept[group[0] as usize]);
        for &again in &group[1..] {
            let row = kept[again as usize];
            findings.add("a case that is there already", "case", table.line(row), |_| {
                let found = format!("case {:?} again; line {first} has it already", table.cell(row, id_at));
                table.fault(
                    row,
                    id_at,
                    found,
                    "one row a case",
                    "keep one of the rows, or give each case an id of its own",
                )
            });
        }
    }
    let mut notes = Vec::new();
    if set.patient.is_none() {
        let patient =
            |name: &&String| ["patient", "subject", "환자"].iter().any(|word| name.to_lowercase().contains(word));
        for name in table.names().iter().filter(patient) {
            let file = &table.file;
            notes.push(format!("{file} has a column {name:?}; if rows share patients, name it as test_set.patient"));
        }
    }
    Found { cases, has_ids: true, sound: findings.is_empty(), notes }
}

/// Compared letter by letter: a level that is almost right may be another level.
fn truth(table: &Table, row: usize, at: usize, protocol: &Protocol, findings: &mut Findings) -> Option<bool> {
    let set = &protocol.test_set;
    let cell = table.cell(row, at);
    let level = truth_level(cell, protocol);
    if level.is_none() {
        findings.add("a truth that the protocol does not declare", &set.truth, table.line(row), |_| {
            let found = if cell.is_empty() { "a blank cell".to_owned() } else { format!("{cell:?}") };
            let known = || std::iter::once(&set.positive).chain(&set.negative).map(String::as_str);
            let mend = nearest(cell, known()).filter(|_| !cell.is_empty()).map_or_else(
                || "correct the truth, or declare the level in test_set.positive or test_set.negative".to_owned(),
                |near| format!("is it {near:?}? Else declare the level in test_set.positive or test_set.negative"),
            );
            let negative: Vec<String> = set.negative.iter().map(|level| format!("{level:?}")).collect();
            let expected = format!("{:?} (positive) or {} (negative)", set.positive, negative.join(", "));
            table.fault(row, at, found, expected, mend)
        });
    }
    level
}

/// `true` = diseased; `None` where the protocol does not declare the level.
pub(super) fn truth_level(cell: &str, protocol: &Protocol) -> Option<bool> {
    if cell == protocol.test_set.positive {
        return Some(true);
    }
    protocol.test_set.negative.iter().any(|level| level == cell).then_some(false)
}

/// A path that stays in the study folder and reads alike on every system.
fn image<'a>(table: &'a Table, row: usize, at: usize, findings: &mut Findings) -> Option<&'a str> {
    let path = table.text(row, at, "name the case's image", findings)?;
    let outside =
        path.starts_with('/') || path.split('/').any(|part| part == ".." || part == ".") || path.contains(':');
    if outside || path.contains('\\') {
        findings.add("an image path that leaves the study folder", &table.names()[at], table.line(row), |_| {
            let mend = "put the image into the study folder and write its path from there, with /";
            table.fault(row, at, format!("{path:?}"), "a path below the study folder, parted by /", mend)
        });
        return None;
    }
    Some(path)
}

/// Finds the cases that other files name.
pub(super) struct CaseIndex<'a> {
    ids: &'a [String],
    at: HashMap<&'a str, u32>,
    /// Ids without case, white space and leading zeros; made at the first unknown id.
    folded: OnceCell<HashMap<String, u32>>,
    /// The ids are known, so that one that is not among them is a fault.
    known: bool,
}

impl<'a> CaseIndex<'a> {
    pub fn new(found: &'a Found) -> Self {
        let ids = found.cases.id.as_slice();
        let mut at = HashMap::with_capacity(ids.len());
        for (index, id) in (0..).zip(ids) {
            at.entry(id.as_str()).or_insert(index);
        }
        Self { ids, at, folded: OnceCell::new(), known: found.has_ids }
    }

    /// The case in a cell; an id that cases.csv does not have is a fault with the id that may be meant.
    pub fn find(&self, table: &Table, row: usize, column: usize, findings: &mut Findings) -> Option<u32> {
        let cell = table.text(row, column, "name the case", findings)?;
        let at = self.at.get(cell).copied();
        if at.is_none() && self.known {
            findings.add("an unknown case", &table.names()[column], table.line(row), |_| {
                let mend = self.suggest(cell).map_or_else(
                    || "correct the id, or add the case to the cases".to_owned(),
                    |near| format!("is it {near:?}? Ids are compared letter by letter"),
                );
                let expected = format!("one of the {} ids in the cases", self.ids.len());
                table.fault(row, column, format!("unknown case {cell:?}"), expected, mend)
            });
        }
        at
    }

    fn suggest(&self, id: &str) -> Option<&str> {
        let folded = self.folded.get_or_init(|| {
            let mut folded = HashMap::with_capacity(self.ids.len());
            for (index, id) in (0..).zip(self.ids) {
                folded.entry(fold(id)).or_insert(index);
            }
            folded
        });
        if let Some(&at) = folded.get(&fold(id)) {
            return Some(&self.ids[at as usize]);
        }
        // Ids of one study are all alike, so in a large one a letter's difference tells nothing.
        if self.ids.len() > 2000 { None } else { nearest(id, self.ids.iter().map(String::as_str)) }
    }
}

/// What two ids share that differ only in case, white space, hyphens or leading zeros.
pub(super) fn fold(id: &str) -> String {
    let mut folded = String::with_capacity(id.len());
    let mut in_number = false;
    let mut characters = id.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_')).peekable();
    while let Some(c) = characters.next() {
        let leading_zero = c == '0' && !in_number && characters.peek().is_some_and(char::is_ascii_digit);
        if leading_zero {
            continue;
        }
        in_number = c.is_ascii_digit();
        folded.extend(c.to_lowercase());
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_fold_when_they_differ_in_nothing_that_carries_meaning() {
        for (a, b) in [("C001", "c1"), ("C 01", "C1"), ("C-010", "c10"), ("0", "00"), ("김 01", "김1")] {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
        for (a, b) in [("C10", "C1"), ("C1", "C11"), ("C0", "C")] {
            assert_ne!(fold(a), fold(b), "{a} {b}");
        }
    }

    #[test]
    fn an_id_is_found_and_a_repeated_one_refused() {
        let ids = || vec!["b".to_owned(), "a".to_owned(), "c".to_owned()];
        let cases = Cases::new(ids(), None, vec![true, false, true]).unwrap();
        assert_eq!((cases.index_of("a"), cases.index_of("d")), (Some(1), None));
        assert_eq!((cases.positives(), cases.negatives(), cases.is_clustered()), (2, 1, false));
        let patients = ["p".to_owned(), "q".to_owned(), "p".to_owned()];
        let cases = Cases::new(ids(), Some(&patients), vec![true, false, true]).unwrap();
        assert_eq!((cases.patient.as_slice(), cases.is_clustered()), ([0, 1, 0].as_slice(), true));
        assert!(Cases::new(vec!["a".to_owned(); 2], None, vec![true; 2]).is_err());
        assert!(Cases::new(ids(), None, vec![true; 2]).is_err());
    }
}
