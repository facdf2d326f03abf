//! What ties results to the lock: hashes, deviations, the run and the looks at the test set.

use super::Study;
use crate::analysis::results::{AmendmentStamp, LedgerStamp, RunStamp, Stamp};
use crate::data;
use crate::error::Error;
use crate::inference::runner::RunRecord;
use crate::provenance::hash;
use crate::provenance::ledger::Entry;
use crate::provenance::lock::Lock;

pub(super) fn stamp(study: &Study, lock: &Lock, run: Option<&RunRecord>, looks: &[Entry]) -> Result<Stamp, Error> {
    let protocol = &study.protocol;
    let hash_of = |file: Option<&str>| -> Result<Option<String>, Error> {
        let there = file.map(|file| study.folder.join(file)).filter(|path| path.is_file());
        there.map(|path| hash::of_file(&path).map(|(hash, _)| hash)).transpose()
    };
    // A detector's output is its marks.
    let predictions = data::device_marks_file(protocol).or_else(|| data::predictions_file(protocol));
    Ok(Stamp {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        study: protocol.study.id.clone(),
        protocol_version: protocol.study.version.clone(),
        protocol_hash: lock.protocol_hash.clone(),
        lock_root: lock.root.clone(),
        model_hash: lock.model_hash.clone(),
        predictions_hash: hash_of(predictions)?,
        readings_hash: hash_of(data::readings_file(protocol))?,
        seed: protocol.study.seed,
        amendments: lock
            .amendments
            .iter()
            .map(|amendment| AmendmentStamp {
                date: amendment.date.clone(),
                why: amendment.why.clone(),
                files: amendment.changes.iter().map(|change| change.path.clone()).collect(),
                hash: amendment.hash.clone(),
            })
            .collect(),
        run: run.map(|run| RunStamp {
            engine: run.engine.name.clone(),
            engine_version: run.engine.version.clone(),
            threads: run.threads,
            cpu: run.cpu.clone(),
            batch: run.batch,
            cases: run.cases,
            no_output: run.no_outputs.len(),
        }),
        ledger: looks
            .iter()
            .map(|look| LedgerStamp {
                date: look.date.clone(),
                command: look.command.clone(),
                purpose: look.purpose.clone(),
                model_hash: look.model_hash.clone(),
            })
            .collect(),
    })
}

/// The looks up to the last one by `command` under this lock: what was known when it was made. Later looks, such as
/// that of a report, are not part of it, so that the same analysis gives the same bytes before and after them.
pub(super) fn looks_up_to_last(mut looks: Vec<Entry>, command: &str, root: &str) -> Vec<Entry> {
    let last = looks.iter().rposition(|look| look.command == command && look.lock_root == root);
    looks.truncate(last.map_or(looks.len(), |at| at + 1));
    looks
}
