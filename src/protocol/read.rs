//! `study.toml` → [`Protocol`], or every fault of the file with line, column and mend.
//!
//! Three steps, each of which collects all that it finds: the syntax, the keys and values one by one ([`super::schema`]),
//! and what the keys say together ([`super::check`]).

use super::{Protocol, check, walk};
use crate::fault::{Fault, Faults, LineIndex};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Reads and checks the protocol at `path`.
///
/// # Errors
/// Every fault of the file; a file that cannot be opened is one fault.
pub fn read(path: &Path) -> Result<Protocol, Faults> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| {
        Fault::new(
            &name,
            format!("cannot be read: {error}"),
            "a readable protocol",
            "name the study folder or make one with `cadproof init`",
        )
    })?;
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
            let (line, column) = LineIndex::new(&before).place(before.len());
            let found = format!("byte 0x{:02X} is not UTF-8", bytes[error.valid_up_to()]);
            return Err(Fault::new(&name, found, "a TOML file in UTF-8", "save the file as UTF-8")
                .at(line, column)
                .into());
        }
    };
    parse(text, &name)
}

/// Checks the protocol in `text`; `file_name` is what the faults name.
///
/// # Errors
/// Every fault of the text.
pub fn parse(text: &str, file_name: &str) -> Result<Protocol, Faults> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let index = LineIndex::new(text);
    let mut faults = Faults::default();

    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let (line, column) = index.place(error.span().map_or(0, |span| span.start));
        let mend = "mend the TOML here; the other checks run once the file can be read";
        faults.push(Fault::new(file_name, error.message(), "valid TOML", mend).at(line, column));
    }
    let () = faults.into_result(())?;

    let mut faults = Faults::default();
    walk::walk(file_name, &index, &root, &mut faults);
    let () = faults.into_result(())?;

    let protocol: Protocol = toml::from_str(text).map_err(|error| {
        // The schema lets through what the types refuse only if the two have drifted apart.
        let (line, column) = index.place(error.span().map_or(0, |span| span.start));
        Fault::new(file_name, error.message(), "a protocol as `cadproof init` writes it", "change this value")
            .at(line, column)
    })?;

    let mut faults = Faults::default();
    check::check(&protocol, &Places { file: file_name, index: &index, root: &root }, &mut faults);
    faults.into_result(protocol)
}

/// SHA-256 (hex) of the protocol file's bytes.
pub fn protocol_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Finds where a key stands: `endpoint[2].hypothesis.alpha`, items counted from 1.
pub(super) struct Places<'a> {
    file: &'a str,
    index: &'a LineIndex<'a>,
    root: &'a Spanned<DeTable<'a>>,
}

impl Places<'_> {
    /// A fault at the value of `path`, or at the nearest table around it where the key is absent.
    pub(super) fn fault(
        &self,
        path: &str,
        found: String,
        expected: impl Into<String>,
        mend: impl Into<String>,
    ) -> Fault {
        let (line, column) = self.index.place(self.offset(path));
        Fault::new(self.file, found, expected, mend).at(line, column).key(path)
    }

    fn offset(&self, path: &str) -> usize {
        let mut table = self.root.get_ref();
        let mut offset = self.root.span().start;
        for step in path.split('.') {
            let (name, item) = match step.split_once('[') {
                Some((name, rest)) => (name, rest.trim_end_matches(']').parse::<usize>().ok()),
                None => (step, None),
            };
            let Some(mut value) = table.get(name) else { break };
            offset = value.span().start;
            if let (Some(item), DeValue::Array(items)) = (item, value.get_ref())
                && let Some(inner) = item.checked_sub(1).and_then(|i| items.get(i))
            {
                value = inner;
                offset = inner.span().start;
            }
            match value.get_ref() {
                DeValue::Table(inner) => table = inner,
                _ => break,
            }
        }
        offset
    }
}
