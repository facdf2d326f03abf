//! `predictions.csv`: the device's score of each case, or why there is none.

use super::cases::{CaseIndex, Found};
use super::table::{Findings, Table};
use crate::fault::Fault;

/// One entry a case, in the order of [`super::Cases`].
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// `Err` = the recorded reason why the device gave no output.
    pub score: Vec<Result<f64, String>>,
}

/// Columns `case`, `score` and, where some case has none, `no_output` with the reason. Every case has one row.
pub(super) fn read(table: &Table, index: &CaseIndex, found: &Found, findings: &mut Findings) -> Option<Predictions> {
    let ([case_at, score_at], [reason_at]) = table.columns(["case", "score"], ["no_output"], false, findings)?;
    let count = found.cases.len();
    let mut score: Vec<Result<f64, String>> = vec![Err(String::new()); count];
    let mut row_of: Vec<Option<usize>> = vec![None; count];
    for row in 0..table.rows() {
        let case = index.find(table, row, case_at, findings);
        let output = output(table, row, score_at, reason_at, findings);
        let Some(case) = case else { continue };
        let slot = &mut row_of[case as usize];
        if let Some(first) = *slot {
            findings.add("a case that is there already", "case", table.line(row), |_| {
                let id = table.cell(row, case_at);
                let (before, now) = (table.cell(first, score_at), table.cell(row, score_at));
                let kind = if before == now { "identical" } else { "conflicting" };
                let found = format!(
                    "{kind} predictions of case {id:?} in lines {} and {}: {before:?} and {now:?}",
                    table.line(first),
                    table.line(row)
                );
                table.fault(row, case_at, found, "one prediction a case", "keep the one that counts")
            });
            continue;
        }
        *slot = Some(row);
        if let Some(output) = output {
            score[case as usize] = output;
        }
    }
    for (case, _) in row_of.iter().enumerate().filter(|(_, row)| row.is_none()) {
        findings.add("a case without a row", "case", 0, |file| {
            let found = format!("no row for case {:?}", found.cases.id[case]);
            let mend = "add the row; a case without output has an empty score and its reason in `no_output`";
            Fault::new(file, found, "one row for each case", mend).key("case")
        });
    }
    Some(Predictions { score })
}

fn output(
    table: &Table,
    row: usize,
    score_at: usize,
    reason_at: Option<usize>,
    findings: &mut Findings,
) -> Option<Result<f64, String>> {
    const MEND: &str = "write the score, or leave it empty and write the reason into `no_output`";
    let reason = reason_at.map_or("", |at| table.cell(row, at));
    if reason.is_empty() {
        return table.number(row, score_at, MEND, findings).map(Ok);
    }
    if table.cell(row, score_at).is_empty() {
        return Some(Err(reason.to_owned()));
    }
    findings.add("a score and a reason for none", "score", table.line(row), |_| {
        let found = format!("score {:?} and no_output {reason:?}", table.cell(row, score_at));
        table.fault(row, score_at, found, "one of the two", "leave one of the two cells empty")
    });
    None
}
