//! Text → rows of cells (RFC 4180), with the place of each.
//!
//! The `csv` crate is not used for reading: it passes over blank rows and unclosed quotes without a word and gives a
//! row after a blank one the blank one's line. A property test holds this splitter against it on well-formed files.

use super::findings::Findings;
use crate::fault::Fault;

/// A cell's bytes in the text; beyond the text's end, in the texts of quoted cells with doubled quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

#[derive(Debug, Default)]
pub struct Rows {
    /// Width of the header; every row of `cells` has it.
    pub width: usize,
    /// Row by row, the header first.
    pub cells: Vec<Span>,
    /// Line at which each row starts, the header first.
    pub lines: Vec<u32>,
    /// Lines of rows without content.
    pub blank: Vec<u32>,
    /// What quoted cells with doubled quotes hold.
    pub unescaped: String,
}

/// Splits `text` from `start`, which stands on `line`. Rows that have another number of cells than the header, a quote
/// that is not closed and text behind a closing quote are faults.
pub fn split(text: &str, start: usize, line: u32, separator: u8, findings: &mut Findings) -> Rows {
    let mut rows = Rows::default();
    let mut at = Position { offset: start, line };
    while at.offset < text.len() {
        let (first, row_line) = (rows.cells.len(), at.line);
        if !row(text, separator, &mut at, &mut rows, findings) {
            rows.cells.truncate(first);
            // a header that cannot be read leaves nothing to read the rows by
            if rows.lines.is_empty() {
                return Rows::default();
            }
            continue;
        }
        let count = rows.cells.len() - first;
        let is_blank = rows.cells[first..].iter().all(|cell| cell.start == cell.end);
        if is_blank {
            rows.cells.truncate(first);
            rows.blank.push(row_line);
        } else if rows.lines.is_empty() {
            rows.width = count;
            rows.lines.push(row_line);
        } else if count == rows.width {
            rows.lines.push(row_line);
        } else {
            rows.cells.truncate(first);
            let width = rows.width;
            findings.add("a row with another number of cells than the header", "", row_line as usize, |file| {
                let mend = if count > width {
                    "put a cell that holds the separator into double quotes; write 0.5 for 0,5"
                } else {
                    "add the missing cells, empty where nothing is known, or take the row out"
                };
                let cells = if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") };
                Fault::new(file, format!("a row of {cells}"), format!("{width}, like the header"), mend)
                    .line(row_line as usize)
            });
        }
    }
    rows
}

#[derive(Clone, Copy)]
struct Position {
    offset: usize,
    line: u32,
}

/// Reads one row and its line end. `false`: the row is faulty.
fn row(text: &str, separator: u8, at: &mut Position, rows: &mut Rows, findings: &mut Findings) -> bool {
    let bytes = text.as_bytes();
    let mut sound = true;
    loop {
        let mut start = at.offset;
        while start < bytes.len() && bytes[start] == b' ' {
            start += 1;
        }
        if bytes.get(start) == Some(&b'"') {
            let opened = Position { offset: start, line: at.line };
            at.offset = start + 1;
            match quoted(text, at, &mut rows.unescaped) {
                Some(span) => rows.cells.push(trimmed(text, &rows.unescaped, span)),
                None => {
                    findings.push(unclosed(&findings.file, text, opened));
                    at.offset = bytes.len();
                    return false;
                }
            }
            while at.offset < bytes.len() && bytes[at.offset] == b' ' {
                at.offset += 1;
            }
            let rest = unquoted_end(bytes, at.offset, separator);
            if rest > at.offset {
                let behind = &text[at.offset..rest];
                let place = place(text, at.offset, at.line);
                findings.add("text behind a closing quote", "", place.0, |file| {
                    let found = format!("text behind a closing quote: {behind:?}");
                    let mend = "double each quote inside a quoted cell, or take the quotes away";
                    Fault::new(file, found, "a separator or the end of the row", mend).at(place.0, place.1)
                });
                sound = false;
            }
            at.offset = rest;
        } else {
            let end = unquoted_end(bytes, at.offset, separator);
            let span = Span { start: at.offset as u32, end: end as u32 };
            rows.cells.push(trimmed(text, &rows.unescaped, span));
            at.offset = end;
        }
        match bytes.get(at.offset) {
            Some(&byte) if byte == separator => at.offset += 1,
            Some(b'\r') => {
                at.offset += if bytes.get(at.offset + 1) == Some(&b'\n') { 2 } else { 1 };
                at.line += 1;
                return sound;
            }
            Some(_) => {
                at.offset += 1;
                at.line += 1;
                return sound;
            }
            None => return sound,
        }
    }
}

fn unquoted_end(bytes: &[u8], from: usize, separator: u8) -> usize {
    let is_end = |byte: &u8| *byte == separator || *byte == b'\n' || *byte == b'\r';
    bytes[from..].iter().position(is_end).map_or(bytes.len(), |length| from + length)
}

/// From behind the opening quote to behind the closing one; `None` where there is none.
fn quoted(text: &str, at: &mut Position, unescaped: &mut String) -> Option<Span> {
    let bytes = text.as_bytes();
    let (mut piece, mut copied) = (at.offset, None);
    loop {
        match bytes.get(at.offset)? {
            b'"' if bytes.get(at.offset + 1) == Some(&b'"') => {
                copied.get_or_insert(unescaped.len());
                unescaped.push_str(&text[piece..=at.offset]);
                at.offset += 2;
                piece = at.offset;
            }
            b'"' => {
                let span = match copied {
                    Some(start) => {
                        unescaped.push_str(&text[piece..at.offset]);
                        Span { start: (text.len() + start) as u32, end: (text.len() + unescaped.len()) as u32 }
                    }
                    None => Span { start: piece as u32, end: at.offset as u32 },
                };
                at.offset += 1;
                return Some(span);
            }
            b'\n' => {
                at.line += 1;
                at.offset += 1;
            }
            b'\r' => {
                at.offset += if bytes.get(at.offset + 1) == Some(&b'\n') { 2 } else { 1 };
                at.line += 1;
            }
            _ => at.offset += 1,
        }
    }
}

/// White space around a cell carries no meaning: it comes from hand-made files.
fn trimmed(text: &str, unescaped: &str, span: Span) -> Span {
    let (source, base) =
        if span.start as usize >= text.len() && !unescaped.is_empty() { (unescaped, text.len()) } else { (text, 0) };
    let cell = &source[span.start as usize - base..span.end as usize - base];
    let is_plain = |byte: Option<&u8>| byte.is_none_or(|&byte| byte > b' ' && byte < 0x7F);
    if is_plain(cell.as_bytes().first()) && is_plain(cell.as_bytes().last()) {
        return span;
    }
    let kept = cell.trim();
    if kept.is_empty() {
        return Span { start: span.start, end: span.start };
    }
    let start = span.start as usize + (cell.len() - cell.trim_start().len());
    Span { start: start as u32, end: (start + kept.len()) as u32 }
}

fn unclosed(file: &str, text: &str, opened: Position) -> Fault {
    let (line, column) = place(text, opened.offset, opened.line);
    let mend = "close the quote; what follows could not be checked";
    Fault::new(file, "a double quote that is never closed", "a closing double quote", mend).at(line, column)
}

/// Line and column in characters of an offset whose line is known.
pub fn place(text: &str, offset: usize, line: u32) -> (usize, usize) {
    let before = &text[..offset];
    let start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    (line as usize, before[start..].chars().count() + 1)
}
