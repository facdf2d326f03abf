//! The faults of one file, of which each kind is listed up to a number: a million bad rows are one mistake.

use crate::fault::{Fault, Faults};

/// So many faults of one kind in one column are listed; the rest is counted.
pub const LISTED: usize = 20;

#[derive(Debug)]
pub struct Findings {
    pub file: String,
    faults: Faults,
    kinds: Vec<Kind>,
}

#[derive(Debug)]
struct Kind {
    what: &'static str,
    column: String,
    count: usize,
    /// Where the first one stands that is not listed.
    next: Option<usize>,
}

impl Findings {
    pub fn new(file: &str) -> Self {
        Self { file: file.to_owned(), faults: Faults::default(), kinds: Vec::new() }
    }

    /// A fault that stands alone.
    pub fn push(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// One of possibly many faults of a kind; `line` is 0 where it has none. `what` completes "and 7 more: …"; `fault` runs where it is listed.
    pub fn add(&mut self, what: &'static str, column: &str, line: usize, fault: impl FnOnce(&str) -> Fault) {
        let known = self.kinds.iter().position(|kind| kind.what == what && kind.column == column);
        let at = known.unwrap_or_else(|| {
            self.kinds.push(Kind { what, column: column.to_owned(), count: 0, next: None });
            self.kinds.len() - 1
        });
        let kind = &mut self.kinds[at];
        kind.count += 1;
        if kind.count <= LISTED {
            self.faults.push(fault(&self.file));
        } else {
            kind.next.get_or_insert(line);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    pub fn into_faults(mut self) -> Faults {
        for kind in self.kinds.iter().filter(|kind| kind.count > LISTED) {
            let found = format!("and {} more: {}", kind.count - LISTED, kind.what);
            let mend = format!("mend them like the {LISTED} that are listed");
            let mut fault = Fault::new(&self.file, found, "none of them", mend).key(&*kind.column);
            fault.line = kind.next.filter(|&line| line > 0);
            self.faults.push(fault);
        }
        self.faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_listed_up_to_the_limit_and_then_counted() {
        let mut findings = Findings::new("x.csv");
        for line in 2..=101 {
            findings.add("a blank cell", "rating", line, |file| Fault::new(file, "blank", "", "").line(line));
        }
        findings.add("a blank cell", "case", 2, |file| Fault::new(file, "blank", "", "").line(2));
        let faults = findings.into_faults();
        assert_eq!(faults.len(), LISTED + 2);
        let more = faults.0.last().unwrap();
        assert_eq!((more.found.as_str(), more.line), ("and 80 more: a blank cell", Some(22)));
    }
}
