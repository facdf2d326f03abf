//! The cells of a workbook as text, each with its address.

use super::Study;
use crate::fault::{Fault, Faults};
use calamine::{Data, Reader, Xlsx, XlsxError};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::rc::Rc;

/// The filled cells of a sheet by row and column, both from 0. Kept sparse, as one stray cell at the far end of a sheet would
/// make a full rectangle of 17 thousand million.
pub(super) struct Sheet {
    pub(super) name: Rc<str>,
    cells: BTreeMap<u32, BTreeMap<u32, Data>>,
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
        [name] => match filled_cells(book, name) {
            Ok(cells) => return Some(Sheet { name: name.as_str().into(), cells }),
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
            format!("one sheet {wanted}"),
            "delete one of them",
        )),
    }
    None
}

fn filled_cells(book: &mut Xlsx<Cursor<Vec<u8>>>, name: &str) -> Result<BTreeMap<u32, BTreeMap<u32, Data>>, XlsxError> {
    let mut cells: BTreeMap<u32, BTreeMap<u32, Data>> = BTreeMap::new();
    let mut reader = book.worksheet_cells_reader(name)?;
    while let Some(cell) = reader.next_cell()? {
        let (row, column) = cell.get_position();
        let value = Data::from(cell.get_value().clone());
        if value != Data::Empty {
            cells.entry(row).or_default().insert(column, value);
        }
    }
    Ok(cells)
}

/// Where a cell stands.
#[derive(Clone)]
pub(super) struct At {
    sheet: Rc<str>,
    /// From 0.
    row: u32,
    column: u32,
}

impl At {
    /// The row as Excel counts it.
    pub(super) fn line(&self) -> usize {
        self.row as usize + 1
    }

    /// `TRUTH!C7`.
    pub(super) fn address(&self) -> String {
        let mut letters = Vec::new();
        let mut rest = self.column + 1;
        while rest > 0 {
            let digit = u8::try_from((rest - 1) % 26).unwrap_or(0);
            letters.push(char::from(b'A' + digit));
            rest = (rest - 1) / 26;
        }
        let letters: String = letters.iter().rev().collect();
        format!("{}!{letters}{}", self.sheet, self.line())
    }
}

#[derive(Clone)]
pub(super) struct Field {
    pub(super) text: String,
    pub(super) at: At,
}

/// One row of a sheet by the position of the columns asked for; `None` for a column that the sheet does not have.
pub(super) type Row = Vec<Option<Field>>;

impl Sheet {
    fn at(&self, row: u32, column: u32) -> At {
        At { sheet: self.name.clone(), row, column }
    }

    /// The rows below the line of names. Each entry of `columns` lists the spellings of one column, compared without case
    /// and underscores. Rows without any text are passed over, as RJafroc does.
    pub(super) fn rows(&self, columns: &[&[&str]], needed: usize, study: &mut Study) -> Option<Vec<Row>> {
        let plain = |name: &str| name.trim().to_lowercase().replace('_', "");
        let Some((&top, names)) = self.cells.first_key_value() else {
            study.fault_at(&self.name, 1, "an empty sheet", "a line of names and rows", "fill it in");
            return None;
        };
        let header: Vec<(u32, String)> =
            names.iter().map(|(&column, name)| (column, plain(&name.to_string()))).collect();
        let line = top as usize + 1;
        let mut at = Vec::new();
        let mut complete = true;
        for (index, spellings) in columns.iter().enumerate() {
            let mut found = header.iter().filter(|(_, name)| spellings.iter().any(|spelling| plain(spelling) == *name));
            let first = found.next().map(|(column, _)| *column);
            if let Some((again, _)) = found.next() {
                let address = self.at(top, *again).address();
                let what = format!("column {} more than once", spellings.join(" or "));
                study.fault_at(&address, line, what, "one column for it", "delete or rename one");
            }
            if first.is_none() && index < needed {
                let names: Vec<&str> = header.iter().map(|(_, name)| name.as_str()).collect();
                let what = format!("no column {} among {}", spellings.join(" or "), names.join(", "));
                study.fault_at(&self.name, line, what, "the column that holds it", "add or rename it");
                complete = false;
            }
            at.push(first);
        }
        if !complete {
            return None;
        }
        let mut rows = Vec::new();
        for (&number, cells) in self.cells.iter().skip(1) {
            let texts: Row = at
                .iter()
                .map(|column| {
                    let column = (*column)?;
                    let at = self.at(number, column);
                    let text = study.cell_text(cells.get(&column).unwrap_or(&Data::Empty), &at);
                    Some(Field { text, at })
                })
                .collect();
            if texts.iter().flatten().any(|field| !field.text.is_empty()) {
                rows.push(texts);
            }
        }
        Some(rows)
    }
}

impl Study {
    fn cell_text(&mut self, cell: &Data, at: &At) -> String {
        match cell {
            Data::Empty => String::new(),
            Data::String(text) => text.trim().to_owned(),
            Data::Int(value) => value.to_string(),
            // Without exponent, so that a long case number keeps its digits.
            Data::Float(value) if value.is_finite() => value.to_string(),
            other => {
                self.fault(at, format!("{other:?}"), "text or a number", "type the value itself");
                String::new()
            }
        }
    }
}
