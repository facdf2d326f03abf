//! `access.ledger`: every look at the test set, one JSON line each, hash-chained and only ever appended to.

use super::{date, hash};
use crate::error::Error;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::Path;

pub const FILE: &str = "access.ledger";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub date: String,
    /// `run`, `analyze`, …
    pub command: String,
    pub purpose: String,
    pub model_hash: Option<String>,
    /// Merkle root of the lock that was in force.
    pub lock_root: String,
    /// Hash of the entry before; of nothing for the first.
    pub previous: String,
    pub hash: String,
}

/// Appends a look. The same command on the same lock and date is one look and is written once.
pub fn append(
    folder: &Path,
    command: &str,
    purpose: &str,
    model_hash: Option<&str>,
    lock_root: &str,
    on: Option<&str>,
) -> Result<(), Error> {
    let entries = read(folder)?;
    let mut entry = Entry {
        date: on.map_or_else(date::today, str::to_owned),
        command: command.to_owned(),
        purpose: purpose.to_owned(),
        model_hash: model_hash.map(str::to_owned),
        lock_root: lock_root.to_owned(),
        previous: entries.last().map_or_else(|| hash::of_bytes(b""), |last| last.hash.clone()),
        hash: String::new(),
    };
    let same = |old: &Entry| {
        (&old.date, &old.command, &old.purpose, &old.model_hash, &old.lock_root)
            == (&entry.date, &entry.command, &entry.purpose, &entry.model_hash, &entry.lock_root)
    };
    if entries.iter().any(same) {
        return Ok(());
    }
    entry.hash = entry_hash(&entry);
    let path = folder.join(FILE);
    let line = serde_json::to_string(&entry).map_err(|error| Error::Internal(error.to_string()))?;
    let mut file =
        std::fs::OpenOptions::new().create(true).append(true).open(&path).map_err(|source| Error::io(&path, source))?;
    writeln!(file, "{line}").and_then(|()| file.sync_all()).map_err(|source| Error::io(&path, source))
}

/// All looks, oldest first; the chain is checked.
///
/// # Errors
/// A line that is no entry, or does not fit the one before it, with its number.
pub fn read(folder: &Path) -> Result<Vec<Entry>, Error> {
    let path = folder.join(FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(&path).map_err(|source| Error::io(&path, source))?;
    let mut previous = hash::of_bytes(b"");
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let entry: Entry = serde_json::from_str(line).map_err(|error| {
            Error::Refused(format!("{}:{}: not an entry of the access ledger: {error}", path.display(), index + 1))
        })?;
        if entry.previous != previous || entry_hash(&entry) != entry.hash {
            return Err(Error::Refused(format!(
                "{}:{}: the entry does not fit the chain; the ledger was changed by hand",
                path.display(),
                index + 1
            )));
        }
        previous.clone_from(&entry.hash);
        entries.push(entry);
    }
    Ok(entries)
}

fn entry_hash(entry: &Entry) -> String {
    let model = entry.model_hash.as_deref().unwrap_or("-");
    let fields = [&entry.previous, &entry.date, &entry.command, &entry.purpose, model, &entry.lock_root];
    hash::of_bytes(fields.join("\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_chained_and_a_dropped_one_shows() {
        let folder = tempfile::tempdir().unwrap();
        let look = |command| append(folder.path(), command, "test", None, "root", Some("2026-01-02"));
        look("run").unwrap();
        look("analyze").unwrap();
        look("analyze").unwrap();
        assert_eq!(read(folder.path()).unwrap().len(), 2);
        let path = folder.path().join(FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.lines().nth(1).unwrap()).unwrap();
        assert!(read(folder.path()).unwrap_err().to_string().contains(":1:"));
    }
}
