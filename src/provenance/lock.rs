//! `study.lock`: the hash of every input, their Merkle root, and the chain of recorded deviations.

use super::{date, hash};
use crate::error::Error;
use crate::files::write_atomically;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

pub const FILE: &str = "study.lock";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Version of this file's layout.
    pub schema: u32,
    pub tool_version: String,
    pub study: String,
    /// ISO date of the first lock.
    pub locked_on: String,
    /// Of `study.toml` as it stands now, amendments included.
    pub protocol_hash: String,
    pub model_hash: Option<String>,
    /// Merkle root over `inputs`.
    pub root: String,
    /// Sorted by path.
    #[serde(rename = "input")]
    pub inputs: Vec<Input>,
    #[serde(default, rename = "amendment")]
    pub amendments: Vec<Amendment>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Relative to the study folder, with `/`.
    pub path: String,
    pub bytes: u64,
    pub sha256: String,
}

/// A change after the first lock, chained: `hash` covers this record and the hash of the one before (the first one that
/// of the original root), so that none can be dropped or reworded afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amendment {
    pub date: String,
    pub why: String,
    #[serde(rename = "change")]
    pub changes: Vec<Change>,
    pub root_before: String,
    pub root_after: String,
    pub previous: String,
    pub hash: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub path: String,
    /// `None`: the file was added.
    pub before: Option<String>,
    /// `None`: the file was taken away.
    pub after: Option<String>,
}

/// The files that a lock seals: the protocol, what it names, and each image of the cases. Paths relative to the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub study: String,
    pub model: Option<String>,
    /// `study.toml` among them.
    pub files: Vec<String>,
}

/// Seals the study, or records what changed since with its reason.
///
/// # Errors
/// A lock that is already there and no `why`; a `why` without lock or without change; a file that cannot be read.
pub fn lock(folder: &Path, sealed: &Sealed, why: Option<&str>, on: Option<&str>) -> Result<Lock, Error> {
    let path = folder.join(FILE);
    let fresh = measure(folder, sealed, on)?;
    let lock = match (read(folder)?, why) {
        (None, None) => fresh,
        (None, Some(_)) => {
            return Err(Error::Refused(format!(
                "{} is not locked yet, so there is nothing to amend; run `cadproof lock` without --amend first",
                folder.display()
            )));
        }
        (Some(old), None) => {
            let changes = changes(&old, &fresh);
            return Err(Error::Refused(if changes.is_empty() {
                format!("{} is already locked and nothing has changed since {}", folder.display(), old.locked_on)
            } else {
                format!(
                    "{} is already locked and these inputs have changed since:\n{}\nput them back, or record a deviation with \
                     `cadproof lock --amend \"why\"`",
                    folder.display(),
                    list(&changes)
                )
            }));
        }
        (Some(old), Some(why)) => amend(old, fresh, why, on)?,
    };
    write_atomically(&path, render(&lock)?.as_bytes())?;
    Ok(lock)
}

fn amend(old: Lock, fresh: Lock, why: &str, on: Option<&str>) -> Result<Lock, Error> {
    if why.trim().is_empty() {
        return Err(Error::Refused("an amendment needs its reason: `cadproof lock --amend \"why\"`".to_owned()));
    }
    let changes = changes(&old, &fresh);
    if changes.is_empty() {
        return Err(Error::Refused("no input differs from the lock, so there is nothing to amend".to_owned()));
    }
    let mut amendment = Amendment {
        date: on.map_or_else(date::today, str::to_owned),
        why: why.to_owned(),
        changes,
        root_before: old.root.clone(),
        root_after: fresh.root.clone(),
        previous: old.amendments.last().map_or_else(|| old.root.clone(), |last| last.hash.clone()),
        hash: String::new(),
    };
    amendment.hash = amendment_hash(&amendment);
    let mut amendments = old.amendments;
    amendments.push(amendment);
    Ok(Lock { locked_on: old.locked_on, amendments, ..fresh })
}

fn amendment_hash(amendment: &Amendment) -> String {
    let mut text = format!(
        "{}\n{}\n{}\n{}\n{}\n",
        amendment.previous, amendment.date, amendment.root_before, amendment.root_after, amendment.why
    );
    for change in &amendment.changes {
        let of = |hash: &Option<String>| hash.clone().unwrap_or_else(|| "-".to_owned());
        text.push_str(&format!("{}\t{}\t{}\n", change.path, of(&change.before), of(&change.after)));
    }
    hash::of_bytes(text.as_bytes())
}

/// The lock of a study whose inputs are what they were when it was sealed.
///
/// # Errors
/// No lock; a lock that was edited by hand; every file that changed, went or came, by name.
pub fn verify(folder: &Path, sealed: &Sealed) -> Result<Lock, Error> {
    let Some(old) = read(folder)? else {
        return Err(Error::Refused(format!(
            "{} is not locked; run `cadproof lock {}` first, so that it can be shown afterwards that nothing was changed",
            folder.display(),
            folder.display()
        )));
    };
    check_chain(folder, &old)?;
    let missing: Vec<Change> = old
        .inputs
        .iter()
        .filter(|input| !folder.join(&input.path).is_file())
        .map(|input| Change { path: input.path.clone(), before: Some(input.sha256.clone()), after: None })
        .collect();
    let changed = if missing.is_empty() { changes(&old, &measure(folder, sealed, None)?) } else { missing };
    if changed.is_empty() {
        return Ok(old);
    }
    Err(Error::Refused(format!(
        "inputs differ from {}:\n{}\nput them back, or record a deviation with `cadproof lock --amend \"why\"`",
        folder.join(FILE).display(),
        list(&changed)
    )))
}

/// The lock file as it stands, `None` where there is none.
pub fn read(folder: &Path) -> Result<Option<Lock>, Error> {
    let path = folder.join(FILE);
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&path).map_err(|source| Error::io(&path, source))?;
    toml::from_str(&text).map(Some).map_err(|error| {
        Error::Refused(format!("{}: not a lock that cadproof wrote: {}", path.display(), error.message()))
    })
}

fn check_chain(folder: &Path, lock: &Lock) -> Result<(), Error> {
    let broken = |what: &str| {
        Err(Error::Refused(format!("{}: {what}; the file was changed by hand", folder.join(FILE).display())))
    };
    if root_of(&lock.inputs) != lock.root {
        return broken("the Merkle root does not fit the hashes of the inputs");
    }
    let mut previous = lock.amendments.first().map_or(&lock.root, |first| &first.root_before).clone();
    let mut root = previous.clone();
    for (index, amendment) in lock.amendments.iter().enumerate() {
        if amendment.previous != previous
            || amendment.root_before != root
            || amendment_hash(amendment) != amendment.hash
        {
            return broken(&format!("amendment {} does not fit the chain", index + 1));
        }
        previous.clone_from(&amendment.hash);
        root.clone_from(&amendment.root_after);
    }
    if root != lock.root {
        return broken("the last amendment does not lead to the Merkle root");
    }
    Ok(())
}

fn measure(folder: &Path, sealed: &Sealed, on: Option<&str>) -> Result<Lock, Error> {
    let mut names = sealed.files.clone();
    names.sort();
    names.dedup();
    let paths: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
    let hashes = hash::of_files(&paths)?;
    let inputs: Vec<Input> =
        names.into_iter().zip(hashes).map(|(path, (sha256, bytes))| Input { path, bytes, sha256 }).collect();
    let hash_of = |name: &str| inputs.iter().find(|input| input.path == name).map(|input| input.sha256.clone());
    Ok(Lock {
        schema: 1,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        study: sealed.study.clone(),
        locked_on: on.map_or_else(date::today, str::to_owned),
        protocol_hash: hash_of("study.toml").unwrap_or_default(),
        model_hash: sealed.model.as_deref().and_then(hash_of),
        root: root_of(&inputs),
        inputs,
        amendments: Vec::new(),
    })
}

fn root_of(inputs: &[Input]) -> String {
    let leaves: Vec<(&str, &str)> = inputs.iter().map(|i| (i.path.as_str(), i.sha256.as_str())).collect();
    hash::merkle_root(&leaves)
}

fn changes(old: &Lock, new: &Lock) -> Vec<Change> {
    let by_path = |lock: &Lock| -> std::collections::BTreeMap<String, String> {
        lock.inputs.iter().map(|input| (input.path.clone(), input.sha256.clone())).collect()
    };
    let (before, after) = (by_path(old), by_path(new));
    let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    paths
        .into_iter()
        .filter(|path| before.get(*path) != after.get(*path))
        .map(|path| Change { path: path.clone(), before: before.get(path).cloned(), after: after.get(path).cloned() })
        .collect()
}

fn list(changes: &[Change]) -> String {
    let lines: Vec<String> = changes
        .iter()
        .map(|change| match (&change.before, &change.after) {
            (Some(before), Some(after)) => {
                format!("  {}: changed, {}… → {}…", change.path, &before[..12], &after[..12])
            }
            (Some(_), None) => format!("  {}: gone", change.path),
            _ => format!("  {}: not in the lock", change.path),
        })
        .collect();
    lines.join("\n")
}

fn render(lock: &Lock) -> Result<String, Error> {
    let body = toml::to_string(lock).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(format!("# Written by `cadproof lock`. Do not edit: every command checks it.\n{body}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn study() -> (tempfile::TempDir, Sealed) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("study.toml"), "a").unwrap();
        std::fs::write(folder.path().join("cases.csv"), "b").unwrap();
        let files = vec!["study.toml".to_owned(), "cases.csv".to_owned()];
        (folder, Sealed { study: "s".to_owned(), model: None, files })
    }

    #[test]
    fn a_changed_file_is_named_and_an_amendment_lets_it_pass() {
        let (folder, sealed) = study();
        lock(folder.path(), &sealed, None, Some("2026-01-02")).unwrap();
        verify(folder.path(), &sealed).unwrap();
        std::fs::write(folder.path().join("cases.csv"), "c").unwrap();
        let refused = verify(folder.path(), &sealed).unwrap_err().to_string();
        assert!(refused.contains("cases.csv: changed") && !refused.contains("study.toml:"), "{refused}");
        assert!(lock(folder.path(), &sealed, None, None).is_err());
        let amended = lock(folder.path(), &sealed, Some("typing error"), Some("2026-01-03")).unwrap();
        assert_eq!((amended.locked_on.as_str(), amended.amendments.len()), ("2026-01-02", 1));
        verify(folder.path(), &sealed).unwrap();
    }

    #[test]
    fn a_reworded_amendment_breaks_the_chain() {
        let (folder, sealed) = study();
        lock(folder.path(), &sealed, None, Some("2026-01-02")).unwrap();
        std::fs::write(folder.path().join("cases.csv"), "c").unwrap();
        lock(folder.path(), &sealed, Some("typing error"), Some("2026-01-03")).unwrap();
        let path = folder.path().join(FILE);
        let text = std::fs::read_to_string(&path).unwrap().replace("typing error", "nothing much");
        std::fs::write(&path, text).unwrap();
        assert!(verify(folder.path(), &sealed).unwrap_err().to_string().contains("amendment 1"));
    }

    #[test]
    fn a_missing_file_is_gone_and_a_study_without_lock_says_so() {
        let (folder, sealed) = study();
        assert!(verify(folder.path(), &sealed).unwrap_err().to_string().contains("not locked"));
        lock(folder.path(), &sealed, None, None).unwrap();
        std::fs::remove_file(folder.path().join("cases.csv")).unwrap();
        assert!(verify(folder.path(), &sealed).unwrap_err().to_string().contains("cases.csv: gone"));
    }
}
