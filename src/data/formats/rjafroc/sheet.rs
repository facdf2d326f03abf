//! The cells of a workbook as text, each with its address.

use super::Study;
use crate::data::formats::numbers;
use crate::fault::{Fault, Faults};
use calamine::{Data, Range, Reader, Xlsx};
use std::io::Cursor;

/// One sheet's cells as text, each with its address.
pub(super) struct Sheet {
    pub(super) name: String,
    range: Range<Data>,
}

pub(super) fn sheet(
    file: &str,
    book: &mut Xlsx<Cursor<Vec<u8>>>,
    names: [&str; 2],
    faults: &mut Faults,
) -> Option<Sheet> {
    let there = book.sheet_names();
    let found: Vec<&String> =
        there.iter().filter(|name| names.contains(&name.trim().to_uppercase().as_str())).collect();
    let wanted = if names[0] == names[1] { names[0].to_owned() } else { format!("{} (or {})", names[0], names[1]) };
    match found[..] {
        [name] => match book.worksheet_range(name) {
            Ok(range) => return Some(Sheet { name: name.clone(), range }),
            Err(error) => {
                faults.push(Fault::new(file, error.to_string(), "a readable sheet", "save the file again").key(name))
            }
        },
        [] => faults.push(Fault::new(
            file,
            format!("no sheet {wanted} among {}", there.join(", ")),
            "sheets TRUTH, FP (or NL) and TP (or LL)",
            "add or rename the sheet",
        )),
        _ => faults.push(Fault::new(
            file,
            format!("sheets {}", found.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" and ")),
            &format!("one sheet {wanted}"),
            "delete one of them",
        )),
    }
    None
}

/// A cell's text, its sheet row from 1 and its address (`TRUTH!C7`).
#[derive(Clone)]
pub(super) struct Field {
    pub(super) text: String,
    pub(super) row: usize,
    pub(super) address: String,
}

/// One row of a sheet by the position of the columns asked for; `None` for a column that the sheet does not have.
pub(super) type Row = Vec<Option<Field>>;

impl Sheet {
    fn address(&self, row: u32, column: u32) -> String {
        let mut letters = Vec::new();
        let mut rest = column + 1;
        while rest > 0 {
            let digit = u8::try_from((rest - 1) % 26).unwrap_or(0);
            letters.push(char::from(b'A' + digit));
            rest = (rest - 1) / 26;
        }
        let letters: String = letters.iter().rev().collect();
        format!("{}!{letters}{}", self.name, row + 1)
    }

    /// The rows below the line of names. Each entry of `columns` lists the spellings of one column, compared without case
    /// and underscores. Rows without any text are passed over, as RJafroc does.
    pub(super) fn rows(&self, columns: &[&[&str]], needed: usize, study: &mut Study) -> Option<Vec<Row>> {
        let plain = |name: &str| name.trim().to_lowercase().replace('_', "");
        let Some((top, left)) = self.range.start() else {
            study.fault_at(&self.name, 1, "an empty sheet", "a line of names and rows", "fill it in");
            return None;
        };
        let header: Vec<String> = self.range.rows().next()?.iter().map(|cell| plain(&cell.to_string())).collect();
        let mut at = Vec::new();
        let mut complete = true;
        for (index, spellings) in columns.iter().enumerate() {
            let found = header.iter().position(|name| spellings.iter().any(|spelling| plain(spelling) == *name));
            if found.is_none() && index < needed {
                let found = format!("no column {} among {}", spellings.join(" or "), header.join(", "));
                study.fault_at(&self.name, top as usize + 1, &found, "the column that holds it", "add or rename it");
                complete = false;
            }
            at.push(found);
        }
        if !complete {
            return None;
        }
        let mut rows = Vec::new();
        for (number, cells) in (top..).zip(self.range.rows()).skip(1) {
            let texts: Row = at
                .iter()
                .map(|column| {
                    let column = (*column)?;
                    let address = self.address(number, left + u32::try_from(column).unwrap_or(u32::MAX));
                    let text = study.cell_text(&cells[column], number as usize + 1, &address);
                    Some(Field { text, row: number as usize + 1, address })
                })
                .collect();
            if texts.iter().flatten().any(|field| !field.text.is_empty()) {
                rows.push(texts);
            }
        }
        Some(rows)
    }
}

impl Default for Field {
    fn default() -> Self {
        Self { text: String::new(), row: 1, address: String::new() }
    }
}

impl Study {
    fn cell_text(&mut self, cell: &Data, row: usize, address: &str) -> String {
        match cell {
            Data::Empty => String::new(),
            Data::String(text) => text.trim().to_owned(),
            Data::Int(value) => value.to_string(),
            Data::Float(value) if value.is_finite() => numbers::shown(*value),
            other => {
                self.fault_at(address, row, format!("{other:?}"), "text or a number", "type the value itself");
                String::new()
            }
        }
    }
}
