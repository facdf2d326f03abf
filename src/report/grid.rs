//! Tables whose rows differ in one part of their key only, laid out with that part as columns: levels of a variable against measures,
//! readers against arms. Numbers are those of the rows; nothing is added.

use super::table::{Row, Tables, distinct};
use crate::analysis::results::Record;
use crate::error::Error;
use serde::Serialize;

/// More columns than this don't fit on a page: the table stays a list.
const MOST_COLUMNS: usize = 4;

#[derive(Debug, Clone, Serialize)]
pub struct Grid {
    pub columns: Vec<String>,
    pub groups: Vec<Group>,
}

/// Rows under one heading; the heading is empty where there is one group without a name.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    pub label: String,
    pub rows: Vec<GridRow>,
}

#[derive(Debug, Clone, Serialize)]
pub struct GridRow {
    pub label: String,
    /// In the order of the columns; `None` where the results hold no such row.
    pub cells: Vec<Option<Row>>,
}

/// Where one row of the records goes.
struct Place {
    group: String,
    row: String,
    column: String,
}

impl Tables<'_> {
    /// `None` where the keys of the table don't split so, or into too many columns.
    pub fn grid(&self, table: &str) -> Result<Option<Grid>, Error> {
        let mut placed = Vec::new();
        for row in self.rows(table, "")? {
            let Some(place) = self.records(table).find(|r| r.cell_id == row.cell).and_then(|r| self.place(r)) else {
                return Ok(None);
            };
            placed.push((place, row));
        }
        let columns = distinct(placed.iter().map(|(place, _)| place.column.clone()));
        if columns.is_empty() || columns.len() > MOST_COLUMNS {
            return Ok(None);
        }
        let mut groups = Vec::new();
        for group in distinct(placed.iter().map(|(place, _)| place.group.clone())) {
            let own: Vec<&(Place, Row)> = placed.iter().filter(|(place, _)| place.group == group).collect();
            let mut rows = Vec::new();
            for label in distinct(own.iter().map(|(place, _)| place.row.clone())) {
                let in_column = |column: &String| -> Vec<&Row> {
                    let here = |place: &Place| place.row == label && place.column == *column;
                    own.iter().filter(|(place, _)| here(place)).map(|(_, row)| row).collect()
                };
                let cells: Vec<Vec<&Row>> = columns.iter().map(in_column).collect();
                if cells.iter().any(|found| found.len() > 1) {
                    return Ok(None);
                }
                rows.push(GridRow {
                    label,
                    cells: cells.into_iter().map(|found| found.first().copied().cloned()).collect(),
                });
            }
            groups.push(Group { label: group, rows });
        }
        Ok(Some(Grid { columns, groups }))
    }

    fn place(&self, record: &Record) -> Option<Place> {
        let cell = record.cell_id.as_str();
        if let (Some(var), Some(level)) = (&record.group_var, &record.group_level)
            && let Some(rest) = cell.strip_prefix(&format!("{var}={level}."))
        {
            return Some(Place { group: var.clone(), row: level.clone(), column: self.worded(rest, None).join(", ") });
        }
        if let Some(reader) = &record.reader_id {
            let rest = cell.strip_prefix(&format!("{reader}."))?;
            let column = self.worded(rest, None).join(", ");
            return Some(Place { group: String::new(), row: reader.clone(), column });
        }
        let (front, last) = cell.rsplit_once('.')?;
        let column = self.worded(last, None).join(", ");
        if record.group_var.as_deref() == Some("prevalence") {
            let point = self.token(front, None).0;
            let own = front.ends_with(".study");
            let word = self.named("row", if own { "study" } else { "prevalence" });
            let level = record.group_level.clone()?;
            return Some(Place { group: point.to_owned(), row: format!("{word} {level}"), column });
        }
        Some(Place { group: String::new(), row: self.worded(front, None).join(", "), column })
    }
}
