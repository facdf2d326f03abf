//! What is wrong with an input: the file, the place, what stands there, what should, and how to mend it.
//!
//! A check collects every [`Fault`] of a file into [`Faults`] before it stops, so that one run shows all of them.

use std::fmt;

/// One thing that is wrong with an input file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// As the user named it, or relative to the study folder.
    pub file: String,
    /// 1-based; in a file without lines (Parquet, Excel) the row as its own program counts it.
    pub line: Option<usize>,
    /// 1-based, in characters.
    pub column: Option<usize>,
    /// The key of a protocol (`endpoint[2].method`) or the column of a table.
    pub key: Option<String>,
    pub found: String,
    pub expected: String,
    pub mend: String,
}

impl Fault {
    pub fn new(file: &str, found: impl Into<String>, expected: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            column: None,
            key: None,
            found: found.into(),
            expected: expected.into(),
            mend: mend.into(),
        }
    }

    pub fn line(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }

    pub fn at(mut self, line: usize, column: usize) -> Self {
        self.line = Some(line);
        self.column = Some(column);
        self
    }

    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    fn place(&self) -> (&str, Option<usize>, Option<usize>) {
        (&self.file, self.line, self.column)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        write!(f, ": ")?;
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        write!(f, "{}\n  expected: {}\n  mend: {}", self.found, self.expected, self.mend)
    }
}

/// Every fault that a check found. An error only when it is not empty: see [`Faults::into_result`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    pub fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub fn extend(&mut self, other: Faults) {
        self.0.extend(other.0);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// `value` where nothing is wrong, else the faults sorted by file and place.
    pub fn into_result<T>(mut self, value: T) -> Result<T, Faults> {
        if self.is_empty() {
            return Ok(value);
        }
        self.sort();
        Err(self)
    }

    /// By file, then line, then column; faults without a place come first in their file.
    pub fn sort(&mut self) {
        self.0.sort_by(|a, b| a.place().cmp(&b.place()));
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted: Vec<&Fault> = self.0.iter().collect();
        sorted.sort_by(|a, b| a.place().cmp(&b.place()));
        for (index, fault) in sorted.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// The known word nearest to `word`, where one is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let asked = word.to_lowercase().replace('_', "-");
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&asked, &candidate.to_lowercase().replace('_', "-")), candidate))
        .filter(|(distance, candidate)| {
            // A third of the letters may differ: more than that is another word.
            *distance <= (candidate.chars().count().max(asked.chars().count()) / 3).max(1)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Byte offsets of a text → line and column, both from 1, the column in characters.
#[derive(Debug, Clone)]
pub struct LineIndex<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> LineIndex<'a> {
    pub fn new(text: &'a str) -> Self {
        let starts =
            std::iter::once(0).chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1));
        Self { text, starts: starts.collect() }
    }

    pub fn place(&self, offset: usize) -> (usize, usize) {
        let offset = offset.min(self.text.len());
        let line = self.starts.partition_point(|&start| start <= offset);
        let start = self.starts[line - 1];
        let column = self.text.get(start..offset).map_or(offset - start, |before| before.chars().count()) + 1;
        (line, column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_print_in_order_of_their_place() {
        let mut faults = Faults::default();
        faults.push(Fault::new("b.csv", "x", "y", "z").line(2));
        faults.push(Fault::new("a.toml", "second", "y", "z").at(10, 1));
        faults.push(Fault::new("a.toml", "unknown key `sed`", "`seed`", "write `seed`").at(9, 3).key("study.sed"));
        let text = faults.to_string();
        assert!(text.starts_with(
            "a.toml:9:3: study.sed: unknown key `sed`\n  expected: `seed`\n  mend: write `seed`\na.toml:10:1: second"
        ));
        assert!(text.contains("\nb.csv:2: x\n"));
    }

    #[test]
    fn a_place_counts_characters_and_not_bytes() {
        let index = LineIndex::new("제목 = 1\nx = \"가\" # y");
        assert_eq!(index.place(0), (1, 1));
        assert_eq!(index.place("제목 ".len()), (1, 4));
        assert_eq!(index.place("제목 = 1\nx = \"가\" # ".len()), (2, 11));
        assert_eq!(index.place(10_000), (2, 12));
    }

    #[test]
    fn the_nearest_word_is_near_or_nothing() {
        let known = ["clopper-pearson", "wilson", "delong"];
        assert_eq!(nearest("delogn", known), Some("delong"));
        assert_eq!(nearest("clopper_pearson", known), Some("clopper-pearson"));
        assert_eq!(nearest("Wilson", known), Some("wilson"));
        assert_eq!(nearest("bootstrap", known), None);
    }
}
