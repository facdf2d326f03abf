//! What is printed on a terminal: errors, marks, results. Colour only where the terminal takes it and `NO_COLOR` is unset.

use crate::analysis::format::fixed;
use crate::analysis::results::{Record, Results, Stat};
use crate::error::Error;
use crate::protocol::{Endpoint, Protocol, Rank};
use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use std::fmt::Display;
use std::io::Write;
use std::path::Path;

const RED: Style = AnsiColor::Red.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// A line on standard output.
pub fn say(text: impl Display) -> Result<(), Error> {
    let mut out = AutoStream::auto(std::io::stdout());
    writeln!(out, "{text}").map_err(|source| Error::io(Path::new("standard output"), source))
}

fn complain(text: impl Display) -> Result<(), Error> {
    let mut out = AutoStream::auto(std::io::stderr());
    writeln!(out, "{text}").map_err(|source| Error::io(Path::new("standard error"), source))
}

/// The error on standard error; for machines, one JSON document on standard output with each fault's place.
pub fn print_error(error: &Error, json: bool) -> Result<(), Error> {
    if json {
        let faults: Vec<serde_json::Value> = match error {
            Error::Input(faults) => faults
                .0
                .iter()
                .map(|f| {
                    serde_json::json!({
                        "file": f.file, "line": f.line, "column": f.column, "key": f.key,
                        "found": f.found, "expected": f.expected, "mend": f.mend,
                    })
                })
                .collect(),
            _ => Vec::new(),
        };
        return say(serde_json::json!({ "error": error.to_string(), "faults": faults }));
    }
    match error {
        Error::Input(faults) => {
            let count = faults.len();
            complain(format!(
                "{faults}\n{RED}error{RED:#}: {count} fault{} in the input",
                if count == 1 { "" } else { "s" }
            ))
        }
        other => complain(format!("{RED}error{RED:#}: {other}")),
    }
}

/// What was done, one line.
pub fn done(what: impl Display) -> Result<(), Error> {
    say(format!("{GREEN}✓{GREEN:#} {what}"))
}

/// What a check found to be otherwise.
pub fn failed(what: impl Display) -> Result<(), Error> {
    say(format!("{RED}✗{RED:#} {what}"))
}

pub fn warn(what: impl Display) -> Result<(), Error> {
    complain(format!("{YELLOW}warning{YELLOW:#}: {what}"))
}

pub fn heading(what: impl Display) -> Result<(), Error> {
    say(format!("{BOLD}{what}{BOLD:#}"))
}

/// Each endpoint with its estimate, interval, p, n and method; then what was met.
pub fn print_results(protocol: &Protocol, results: &Results) -> Result<(), Error> {
    for endpoint in &protocol.endpoints {
        let label = endpoint.label.as_ref().map_or(endpoint.id.as_str(), |label| label.en.as_str());
        let rank = match endpoint.rank {
            Rank::Primary => "primary",
            Rank::Secondary => "secondary",
            Rank::Exploratory => "exploratory",
        };
        heading(format!("{label} [{}, {rank}]", endpoint.id))?;
        print_endpoint(endpoint, results)?;
    }
    for conclusion in &results.conclusions {
        let (style, mark) = match conclusion.met_after_multiplicity.or(conclusion.met) {
            Some(true) => (GREEN, "met"),
            Some(false) => (RED, "not met"),
            None => (YELLOW, "open"),
        };
        say(format!("{style}{mark}{style:#} {}", conclusion.en))?;
    }
    for note in results.notes.iter().filter(|note| note.level == "warning") {
        warn(format!("{}: {}", note.about, note.en))?;
    }
    Ok(())
}

fn print_endpoint(endpoint: &Endpoint, results: &Results) -> Result<(), Error> {
    let own: Vec<&Record> = results
        .records
        .iter()
        // By-reader rows are a table of the report.
        .filter(|r| r.endpoint_id.as_deref() == Some(&endpoint.id) && r.table_id != "T-RBR")
        .collect();
    if own.is_empty() && results.records.iter().any(|r| r.endpoint_id.as_deref() == Some(&endpoint.id)) {
        say("  by reader: see the reports")?;
    }
    for estimate in own.iter().filter(|r| r.stat == Stat::Est) {
        let of = |stat| {
            own.iter().find(|r| r.table_id == estimate.table_id && r.cell_id == estimate.cell_id && r.stat == stat)
        };
        let text = |stat| of(stat).map(|r| r.value_fmt.as_str());
        let mut line = match &estimate.not_estimable {
            Some(reason) => format!("  {}: not estimable, {}", estimate.cell_id, reason.reason),
            None => format!("  {}: {}", estimate.cell_id, estimate.value_fmt),
        };
        if let (Some(n), Some(total)) = (text(Stat::Count), text(Stat::Total)) {
            line.push_str(&format!(" = {n}/{total}"));
        }
        if let (Some(lo), Some(hi)) = (of(Stat::Lo), of(Stat::Hi)) {
            let level = lo.level.map_or_else(String::new, |level| format!("{} % ", fixed(level * 100.0, 0)));
            line.push_str(&format!(", {level}CI {} to {}", lo.value_fmt, hi.value_fmt));
        }
        for (stat, name) in [(Stat::P, "p"), (Stat::Df, "df")] {
            if let Some(value) = text(stat) {
                line.push_str(&format!(", {name} {value}"));
            }
        }
        if let Some(n) = estimate.n {
            line.push_str(&format!(", n {n}"));
        }
        if estimate.n_excluded > 0 {
            line.push_str(&format!(", left out {}", estimate.n_excluded));
        }
        say(format!("{line}\n    {DIM}{}{DIM:#}", estimate.method_id))?;
    }
    Ok(())
}
