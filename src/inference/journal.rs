//! What a run has finished, on disk as it goes, so that a kill loses nothing and the next run goes on from there.
//!
//! JSON lines: the first says what the results hang on (model, protocol, inputs, engine, batch), each further one is a
//! case. A batch is one write; a last line without its end is the trace of a kill and is taken off.

use super::output::{CaseOutput, Mark};
use super::predict::Outcome;
use crate::error::Error;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

pub const FILE: &str = "run.journal";

/// What the results hang on. A journal under another key belongs to another run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    pub tool: String,
    pub model_sha256: String,
    pub protocol_sha256: String,
    /// Of the locked inputs, or empty.
    pub inputs_sha256: String,
    pub engine: String,
    pub batch: usize,
    pub cases: usize,
}

/// Numbers stand as text: JSON readers may round the last digit of a number, and the second run must give the same bytes.
#[derive(Serialize, Deserialize)]
struct Line {
    index: usize,
    case: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    score: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    marks: Vec<[Option<String>; 5]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    no_output: Option<String>,
}

pub struct Journal {
    file: File,
    path: PathBuf,
    /// Outcomes of an earlier run under the same key, by case index.
    pub finished: BTreeMap<usize, Outcome>,
    /// Why an earlier journal was not used, in words for the user.
    pub discarded: Option<String>,
}

impl Journal {
    /// Opens the study's journal under `key`, with what is in it, or starts a new one.
    ///
    /// # Errors
    /// The file can't be written, or another run holds it.
    pub fn open(study: &Path, key: &Key, ids: &[&str], fresh: bool) -> Result<Self, Error> {
        let path = study.join(FILE);
        let fail = |source| Error::io(&path, source);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(Error::Refused(format!("another run holds {}; wait for its end", path.display())));
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(fail(error)),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(fail)?;
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.split_inclusive('\n').take_while(|line| line.ends_with('\n'));
        let first = lines.next();
        let same = first.and_then(|line| serde_json::from_str::<Key>(line).ok()).is_some_and(|found| found == *key);
        let (mut finished, mut good) = (BTreeMap::new(), 0);
        let mut discarded = None;
        if same && !fresh {
            good = first.map_or(0, str::len);
            for line in lines {
                let Some((index, outcome)) = parse(line, ids) else { break };
                finished.insert(index, outcome);
                good += line.len();
            }
        } else if !bytes.is_empty() {
            discarded = Some(if fresh {
                "an earlier run's journal was put aside, as asked".to_owned()
            } else {
                "an earlier, unfinished run was of another model, protocol, test set, engine or batch size; \
                 its results were not used"
                    .to_owned()
            });
        }
        file.set_len(good as u64).map_err(fail)?;
        file.seek(SeekFrom::End(0)).map_err(fail)?;
        let mut journal = Self { file, path: path.clone(), finished, discarded };
        if good == 0 {
            journal.write(&[serde_json::to_string(key).map_err(|error| Error::Internal(error.to_string()))?])?;
        }
        Ok(journal)
    }

    /// Writes down a batch in one go.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn record<'a>(&mut self, batch: impl Iterator<Item = (usize, &'a str, &'a Outcome)>) -> Result<(), Error> {
        let lines: Vec<String> = batch
            .map(|(index, case, outcome)| {
                let output = outcome.as_ref().ok();
                let text = |value: f64| Some(format!("{value:?}"));
                serde_json::to_string(&Line {
                    index,
                    case: case.to_owned(),
                    score: output.and_then(|output| text(output.score)),
                    marks: output
                        .map_or(&[][..], |output| output.marks.as_slice())
                        .iter()
                        .map(|mark| {
                            let size = |value: Option<f64>| value.and_then(text);
                            [text(mark.x), text(mark.y), text(mark.score), size(mark.width), size(mark.height)]
                        })
                        .collect(),
                    no_output: outcome.as_ref().err().cloned(),
                })
                .map_err(|error| Error::Internal(error.to_string()))
            })
            .collect::<Result<_, _>>()?;
        self.write(&lines)
    }

    fn write(&mut self, lines: &[String]) -> Result<(), Error> {
        let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        self.file.write_all(text.as_bytes()).map_err(|source| Error::io(&self.path, source))
    }

    /// Takes the journal away once its results stand in their own files.
    ///
    /// # Errors
    /// The file can't be removed.
    pub fn remove(self) -> Result<(), Error> {
        std::fs::remove_file(&self.path).map_err(|source| Error::io(&self.path, source))
    }
}

fn parse(line: &str, ids: &[&str]) -> Option<(usize, Outcome)> {
    let line: Line = serde_json::from_str(line).ok()?;
    if ids.get(line.index) != Some(&line.case.as_str()) {
        return None;
    }
    let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<f64>().ok());
    let outcome = match line.no_output {
        Some(reason) => Err(reason),
        None => Ok(CaseOutput {
            score: number(&line.score)?,
            marks: line
                .marks
                .iter()
                .map(|[x, y, score, width, height]| {
                    Some(Mark {
                        x: number(x)?,
                        y: number(y)?,
                        score: number(score)?,
                        width: number(width),
                        height: number(height),
                    })
                })
                .collect::<Option<_>>()?,
        }),
    };
    Some((line.index, outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(model: &str) -> Key {
        Key {
            tool: "0".to_owned(),
            model_sha256: model.to_owned(),
            protocol_sha256: String::new(),
            inputs_sha256: String::new(),
            engine: "tract".to_owned(),
            batch: 1,
            cases: 3,
        }
    }

    #[test]
    fn a_torn_last_line_is_taken_off_and_the_rest_kept_to_the_bit() {
        let folder = tempfile::tempdir().unwrap();
        let ids = ["a", "b", "c"];
        let mark = Mark { x: 0.1 + 0.2, y: 1e-300, score: 1.0 / 3.0, width: None, height: Some(2.0) };
        let first: Outcome = Ok(CaseOutput { score: 0.1 + 0.7, marks: vec![mark] });
        let second: Outcome = Err("b.png: can't be read".to_owned());
        let mut journal = Journal::open(folder.path(), &key("m"), &ids, false).unwrap();
        assert!(Journal::open(folder.path(), &key("m"), &ids, false).is_err(), "two runs on one journal");
        journal.record([(0, "a", &first), (1, "b", &second)].into_iter()).unwrap();
        drop(journal);
        let path = folder.path().join(FILE);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole, &b"{\"index\":2,\"case\":\"c\",\"sco"[..]].concat()).unwrap();

        let journal = Journal::open(folder.path(), &key("m"), &ids, false).unwrap();
        assert_eq!(journal.finished, BTreeMap::from([(0, first), (1, second)]));
        drop(journal);
        assert_eq!(std::fs::read(&path).unwrap(), whole);

        let other = Journal::open(folder.path(), &key("another model"), &ids, false).unwrap();
        assert!(other.finished.is_empty() && other.discarded.is_some());
    }
}
