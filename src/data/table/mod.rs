//! A CSV or Parquet file as a table of text cells, each with its place, so that every later check can name it.
//!
//! CSV: UTF-8 with or without byte order mark, CP949, or UTF-16 with byte order mark; comma, semicolon or tab as the
//! header line has it; quoted cells after RFC 4180; any line end. White space around names and cells is taken off.

mod decode;
mod findings;
mod number;
mod split;
mod write;

pub use decode::{Encoding, decode};
pub use findings::{Findings, LISTED};
pub use number::{NotNumber, is_missing_word, parse as parse_number};
pub use write::{number as number_text, push_row};

use crate::fault::{Fault, Faults, nearest};
use split::{Rows, Span};
use std::path::Path;

/// Cells by row and column, without the header.
#[derive(Debug)]
pub struct Table {
    /// As faults name it.
    pub file: String,
    pub encoding: Encoding,
    pub separator: Option<char>,
    /// What a user should know of the file and no fault is.
    pub notes: Vec<String>,
    names: Vec<String>,
    /// Line of the header; 0 in a Parquet file, which has none.
    header: usize,
    text: String,
    /// The file's own text ends here; behind it stand cells that had to be unescaped.
    own: usize,
    cells: Vec<Span>,
    /// So many of `cells` are the header's.
    skipped: usize,
    lines: Vec<u32>,
}

impl Table {
    /// The table at `name` in `folder`: Parquet where the name ends so, else CSV.
    ///
    /// # Errors
    /// A file that cannot be read or is no table; every row that does not fit the header.
    pub fn read(folder: &Path, name: &str) -> Result<Self, Faults> {
        let path = folder.join(name);
        let unreadable = |error: &dyn std::fmt::Display| {
            let mend = "put the file there, or correct its name in study.toml";
            Faults::from(Fault::new(name, format!("cannot be read: {error}"), "a readable file", mend))
        };
        if is_parquet(name) {
            let file = std::fs::File::open(&path).map_err(|error| unreadable(&error))?;
            return super::frame::text_table(file, name);
        }
        Self::from_bytes(name, std::fs::read(&path).map_err(|error| unreadable(&error))?)
    }

    /// The table in the bytes of a CSV file.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn from_bytes(file: &str, bytes: Vec<u8>) -> Result<Self, Faults> {
        let (text, encoding) = decode::decode(file, bytes)?;
        // Offsets are kept in 32 bits; unescaped cells come on top of the text.
        if text.len() > (u32::MAX / 2) as usize {
            let mend = "split the study, or write the table as Parquet";
            return Err(Fault::new(file, "a text of more than 2 GiB", "at most 2 GiB", mend).into());
        }
        let (start, line, separator) = separator(file, &text)?;
        let mut findings = Findings::new(file);
        let Rows { width, cells, mut lines, blank, unescaped } =
            split::split(&text, start, line, separator, &mut findings);
        if lines.is_empty() && findings.is_empty() {
            let mend = "write the column names into the first line";
            return Err(Fault::new(file, "an empty file", "a header line and rows", mend).into());
        }
        let header_line = if lines.is_empty() { 0 } else { lines.remove(0) };
        let own = text.len();
        let mut table = Self {
            file: file.to_owned(),
            encoding,
            separator: Some(char::from(separator)),
            notes: Vec::new(),
            names: Vec::new(),
            header: header_line as usize,
            text: text + &unescaped,
            own,
            skipped: width,
            cells,
            lines,
        };
        table.names = table.cells[..width].iter().map(|&span| table.slice(span).to_owned()).collect();
        table.check_names(&mut findings);
        if !matches!(encoding, Encoding::Utf8 | Encoding::Utf8WithBom) {
            table.notes.push(format!("{file}: read as {}", encoding.name()));
        }
        // Blank rows at the end are the way editors end a file.
        let last = table.lines.last().copied().unwrap_or(header_line);
        let inside: Vec<String> = blank.iter().filter(|&&line| line < last).map(u32::to_string).collect();
        if !inside.is_empty() {
            let more =
                if inside.len() > LISTED { format!(" and {} more", inside.len() - LISTED) } else { String::new() };
            let shown = inside[..inside.len().min(LISTED)].join(", ");
            table.notes.push(format!("{file}: blank rows were passed over, line {shown}{more}"));
        }
        findings.into_faults().into_result(table)
    }

    /// A table whose cells come from elsewhere, row by row; a row's line is its number from 1.
    pub(super) fn from_cells(
        file: &str,
        names: Vec<String>,
        rows: usize,
        text: String,
        ends: &[u32],
    ) -> Result<Self, Faults> {
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let table = Self {
            file: file.to_owned(),
            encoding: Encoding::Parquet,
            separator: None,
            notes: Vec::new(),
            names,
            header: 0,
            own: 0,
            skipped: 0,
            cells: starts.zip(ends).map(|(start, &end)| trim(&text, Span { start, end })).collect(),
            lines: (1..).take(rows).collect(),
            text,
        };
        let mut findings = Findings::new(file);
        table.check_names(&mut findings);
        findings.into_faults().into_result(table)
    }

    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn column(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// Without the white space around it; empty where the cell is blank.
    pub fn cell(&self, row: usize, column: usize) -> &str {
        self.slice(self.span(row, column))
    }

    /// Line in the file at which the row starts; in a Parquet file the number of the row. From 1.
    pub fn line(&self, row: usize) -> usize {
        self.lines[row] as usize
    }

    /// A fault at a cell, with its place and the column's name.
    pub fn fault(
        &self,
        row: usize,
        column: usize,
        found: impl Into<String>,
        expected: impl Into<String>,
        mend: impl Into<String>,
    ) -> Fault {
        let mut fault = Fault::new(&self.file, found, expected, mend).line(self.line(row)).key(&*self.names[column]);
        let (first, start) = (self.span(row, 0).start as usize, self.span(row, column).start as usize);
        if start < self.own {
            // A quoted cell further left may hold line ends.
            let inside = if first < start { self.text[first..start].matches('\n').count() } else { 0 };
            let (line, column) = split::place(&self.text, start, self.lines[row] + inside as u32);
            fault = fault.at(line, column);
        }
        fault
    }

    /// Where the columns stand, in the order `required` then `optional`; a missing one is a fault with the nearest name
    /// that the file has. Unless `open`, a column that is neither is a fault too.
    pub fn columns<const R: usize, const O: usize>(
        &self,
        required: [&str; R],
        optional: [&str; O],
        open: bool,
        findings: &mut Findings,
    ) -> Option<([usize; R], [Option<usize>; O])> {
        let known = || required.iter().chain(&optional).copied();
        let strange: Vec<&str> =
            self.names.iter().map(String::as_str).filter(|name| !known().any(|k| k == *name)).collect();
        let mut explained: Vec<&str> = Vec::new();
        if !open {
            for name in &strange {
                let meant = nearest(name, known().filter(|candidate| self.column(candidate).is_none()));
                explained.extend(meant);
                let mend = meant.map_or_else(
                    || "take the column out".to_owned(),
                    |meant| format!("write {meant:?}, or take the column out"),
                );
                let list: Vec<&str> = known().collect();
                let expected = format!("the columns {}", list.join(", "));
                let fault = Fault::new(&self.file, format!("unknown column {name:?}"), expected, mend).key(*name);
                findings.push(self.at_header(fault));
            }
        }
        let mut found = [0; R];
        let mut complete = true;
        for (slot, name) in found.iter_mut().zip(required) {
            match self.column(name) {
                Some(at) => *slot = at,
                None => {
                    complete = false;
                    if !explained.contains(&name) {
                        findings.push(self.missing_column(name, &strange));
                    }
                }
            }
        }
        complete.then(|| (found, optional.map(|name| self.column(name))))
    }

    /// The fault that there is no column `name`; the nearest of `candidates` is suggested.
    pub fn missing_column(&self, name: &str, candidates: &[&str]) -> Fault {
        let mend = nearest(name, candidates.iter().copied()).map_or_else(
            || format!("add a column {name:?}"),
            |near| format!("is it {near:?}? Then write {name:?} into the header line"),
        );
        let expected = format!("one among {}", self.names.join(", "));
        self.at_header(Fault::new(&self.file, format!("no column {name:?}"), expected, mend))
    }

    /// The number in a cell, or `None` with a fault. `missing` is the mend of a cell without number.
    pub fn number(&self, row: usize, column: usize, missing: &str, findings: &mut Findings) -> Option<f64> {
        let cell = self.cell(row, column);
        match number::parse(cell) {
            Ok(value) => Some(value),
            Err(why) => {
                let (kind, mend): (_, String) = match why {
                    NotNumber::Blank => ("a blank cell", missing.to_owned()),
                    NotNumber::Word => ("a word for a missing number", missing.to_owned()),
                    NotNumber::DecimalComma => (
                        "a comma in a number",
                        format!("write {} if the comma is a decimal mark, else leave it out", cell.replace(',', ".")),
                    ),
                    NotNumber::Other => (
                        "no number",
                        "write digits with a decimal point; no unit, percent sign or thousands separator".to_owned(),
                    ),
                    NotNumber::TooLarge => ("a number beyond 1.8e308", "correct the number".to_owned()),
                };
                let found = if cell.is_empty() { "a blank cell".to_owned() } else { format!("{cell:?}") };
                findings.add(kind, &self.names[column], self.line(row), |_| {
                    self.fault(row, column, found, "a number", mend)
                });
                None
            }
        }
    }

    /// The text of a cell, or `None` with a fault where it is blank.
    pub fn text(&self, row: usize, column: usize, mend: &str, findings: &mut Findings) -> Option<&str> {
        let cell = self.cell(row, column);
        if cell.is_empty() {
            findings.add("a blank cell", &self.names[column], self.line(row), |_| {
                self.fault(row, column, "a blank cell", "a value", mend)
            });
            return None;
        }
        Some(cell)
    }

    fn span(&self, row: usize, column: usize) -> Span {
        self.cells[self.skipped + row * self.names.len() + column]
    }

    fn slice(&self, span: Span) -> &str {
        &self.text[span.start as usize..span.end as usize]
    }

    fn at_header(&self, mut fault: Fault) -> Fault {
        fault.line = (self.header > 0).then_some(self.header);
        fault
    }

    fn check_names(&self, findings: &mut Findings) {
        for (column, name) in self.names.iter().enumerate() {
            if name.is_empty() {
                let found = format!("column {} has no name", column + 1);
                findings.push(self.at_header(Fault::new(
                    &self.file,
                    found,
                    "a name for each column",
                    "name it, or delete the column",
                )));
            } else if let Some(first) = self.names[..column].iter().position(|other| other == name) {
                let found = format!("columns {} and {} are both named {name:?}", first + 1, column + 1);
                findings.push(self.at_header(
                    Fault::new(&self.file, found, "each name once", "rename or delete one of them").key(name),
                ));
            }
        }
    }
}

/// True where the name says that the table is a Parquet file.
pub fn is_parquet(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"))
}

fn trim(text: &str, span: Span) -> Span {
    let cell = &text[span.start as usize..span.end as usize];
    let start = span.start + (cell.len() - cell.trim_start().len()) as u32;
    Span { start: start.min(span.end), end: start.min(span.end) + cell.trim().len() as u32 }
}

/// Offset and line of the header, and the one separator that it holds outside quotes; a comma where it holds none.
/// A first line `sep=;`, which Excel writes and reads, decides.
fn separator(file: &str, text: &str) -> Result<(usize, u32, u8), Faults> {
    let end_of = |from: usize| text[from..].find(['\n', '\r']).map_or(text.len(), |length| from + length);
    let (mut start, mut line) = (0, 1);
    let next = |end: usize| end + if text[end..].starts_with("\r\n") { 2 } else { 1 };
    // Blank lines before the header.
    while start < text.len() && text[start..end_of(start)].trim_matches([' ', '\u{feff}']).is_empty() {
        start = next(end_of(start));
        line += 1;
    }
    let start_of_header = start.min(text.len());
    let header = &text[start_of_header..end_of(start_of_header)];
    if let Some(told) = header.strip_prefix("sep=") {
        return match told.trim_end_matches([' ', '"']) {
            "," => Ok((next(end_of(start)).min(text.len()), line + 1, b',')),
            ";" => Ok((next(end_of(start)).min(text.len()), line + 1, b';')),
            "\t" => Ok((next(end_of(start)).min(text.len()), line + 1, b'\t')),
            other => {
                let mend = "write the file with commas";
                Err(Fault::new(file, format!("separator {other:?}"), "comma, semicolon or tab", mend).line(1).into())
            }
        };
    }
    let mut inside = false;
    let mut seen = [0; 3];
    const KNOWN: [u8; 3] = [b',', b';', b'\t'];
    for byte in header.bytes() {
        if byte == b'"' {
            inside = !inside;
        } else if let Some(at) = KNOWN.iter().position(|&known| !inside && known == byte) {
            seen[at] += 1;
        }
    }
    let used: Vec<usize> = (0..3).filter(|&at| seen[at] > 0).collect();
    match used[..] {
        [] => Ok((start_of_header, line, b',')),
        [one] => Ok((start_of_header, line, KNOWN[one])),
        _ => {
            let name = |at: usize| ["comma", "semicolon", "tab"][at];
            let count = |&at: &usize| format!("{} {}{}", seen[at], name(at), if seen[at] == 1 { "" } else { "s" });
            let names: Vec<String> = used.iter().map(count).collect();
            let found = format!("a header line with {}", names.join(" and "));
            let mend = "put a column name that holds one of them into double quotes, or write sep=, (or sep=;) as the \
                        first line";
            Err(Fault::new(file, found, "one separator: comma, semicolon or tab", mend).line(line as usize).into())
        }
    }
}
