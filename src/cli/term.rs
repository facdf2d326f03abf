//! What is printed on a terminal: errors, aligned tables, marks. Colour only where the terminal takes it and `NO_COLOR` is unset.

use crate::analysis::results::{Results, Stat};
use crate::error::Error;
use crate::protocol::Protocol;
use anstream::{eprintln, println};
use anstyle::{AnsiColor, Style};
use std::path::Path;

const RED: Style = AnsiColor::Red.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const BOLD: Style = Style::new().bold();

/// The error on standard error; for machines, one JSON document on standard output with each fault's place.
pub fn print_error(error: &Error, json: bool) {
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
        println!("{}", serde_json::json!({ "error": error.to_string(), "faults": faults }));
        return;
    }
    match error {
        Error::Input(faults) => {
            eprintln!("{faults}");
            let count = faults.len();
            eprintln!("{RED}error{RED:#}: {count} fault{} in the input", if count == 1 { "" } else { "s" });
        }
        other => eprintln!("{RED}error{RED:#}: {other}"),
    }
}

pub fn json(value: &serde_json::Value) {
    println!("{value}");
}

pub fn done(what: &str) {
    println!("{GREEN}✓{GREEN:#} {what}");
}

pub fn warn(what: &str) {
    eprintln!("{YELLOW}warning{YELLOW:#}: {what}");
}

pub fn heading(what: &str) {
    println!("{BOLD}{what}{BOLD:#}");
}

/// Each endpoint with its estimate, interval, p, n and method; then what was met.
pub fn print_results(protocol: &Protocol, results: &Results) {
    for endpoint in &protocol.endpoints {
        let label = endpoint.label.as_ref().map_or(endpoint.id.as_str(), |l| l.en.as_str());
        heading(&format!("{label} [{}, {:?}]", endpoint.id, endpoint.rank).to_lowercase());
        let mut cells: Vec<&str> = Vec::new();
        for record in results.records.iter().filter(|r| r.endpoint_id.as_deref() == Some(&endpoint.id)) {
            if record.table_id != "T-RBR" && !cells.contains(&record.cell_id.as_str()) {
                cells.push(&record.cell_id);
            }
        }
        for cell in cells {
            let of = |stat| {
                results.records.iter().find(|r| {
                    r.cell_id == cell && r.stat == stat && r.endpoint_id.as_deref() == Some(&endpoint.id)
                })
            };
            let Some(estimate) = of(Stat::Est) else { continue };
            let text = |stat| of(stat).map(|r| r.value_fmt.clone());
            let mut line = format!("  {cell}: {}", estimate.value_fmt);
            if let Some(reason) = &estimate.not_estimable {
                line = format!("  {cell}: not estimable, {}", reason.reason);
            }
            if let (Some(n), Some(total)) = (text(Stat::Count), text(Stat::Total)) {
                line.push_str(&format!(" = {n}/{total}"));
            }
            if let (Some(lo), Some(hi)) = (of(Stat::Lo), of(Stat::Hi)) {
                let level = lo.level.map_or_else(String::new, |l| format!("{} % ", crate::report::format::fixed(l * 100.0, 0)));
                line.push_str(&format!(" ({level}CI {}, {})", lo.value_fmt, hi.value_fmt));
            }
            if let Some(p) = text(Stat::P) {
                line.push_str(&format!(" p {p}"));
            }
            if let Some(df) = text(Stat::Df) {
                line.push_str(&format!(" df {df}"));
            }
            if let Some(n) = estimate.n {
                line.push_str(&format!(" n {n}"));
            }
            if estimate.n_excluded > 0 {
                line.push_str(&format!(" excluded {}", estimate.n_excluded));
            }
            println!("{line}\n    {}", estimate.method_id);
        }
    }
    for conclusion in &results.conclusions {
        let (style, mark) = match conclusion.met_after_multiplicity.or(conclusion.met) {
            Some(true) => (GREEN, "met"),
            Some(false) => (RED, "not met"),
            None => (YELLOW, "open"),
        };
        println!("{style}{mark}{style:#} {}", conclusion.en);
    }
    for note in results.notes.iter().filter(|n| n.level == "warning") {
        warn(&format!("{}: {}", note.about, note.en));
    }
}

/// A path as a user would type it.
pub fn shown(path: &Path) -> String {
    path.display().to_string()
}
