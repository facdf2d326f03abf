//! Where the analyses write their numbers: one call a line of a table, one record a number.

use super::results::{Note, Reason, Record, Stat};
use crate::analysis::format::{Kind as Printed, fmt_value};
use crate::stats::{Estimable, Interval, NotEstimable};

/// Digits that a value keeps in `results.json`. Enough for any check, few enough that the last bits of a platform's
/// mathematical library do not reach the file.
const SIGNIFICANT_DIGITS: usize = 12;

/// What an analysis found for one line of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    pub estimate: f64,
    pub se: Option<f64>,
    pub interval: Option<Interval>,
    /// Why there is an estimate and no interval.
    pub no_interval: Option<NotEstimable>,
    /// Infinite where the normal distribution is the reference.
    pub df: Option<f64>,
    pub statistic: Option<f64>,
    pub p: Option<f64>,
    /// Standard error of the logarithm, where the estimate is a ratio whose test is Wald's on the log scale.
    pub log_se: Option<f64>,
    /// Numerator and denominator of a proportion.
    pub counts: Option<(u64, u64)>,
    /// Bootstrap resamples: unusable, all.
    pub resamples: Option<(u64, u64)>,
}

impl Estimate {
    pub fn plain(estimate: f64) -> Self {
        Self {
            estimate,
            se: None,
            interval: None,
            no_interval: None,
            df: None,
            statistic: None,
            p: None,
            log_se: None,
            counts: None,
            resamples: None,
        }
    }
}

/// Where a line stands and how its number was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub table: &'static str,
    pub cell: String,
    /// Endpoint id, or a name for the analysis where no endpoint asked for it.
    pub analysis: String,
    pub endpoint: Option<String>,
    /// Analysis set: `TEST` for the device's test set, `FAS` for readings.
    pub set: &'static str,
    pub arm: String,
    pub unit: &'static str,
    pub group: Option<(String, String)>,
    pub reader: Option<String>,
    pub method: String,
    pub quantity: Printed,
    pub n: Option<u64>,
    pub excluded: u64,
    pub seed: Option<u64>,
}

impl Line {
    pub fn new(table: &'static str, cell: impl Into<String>, arm: &str, quantity: Printed, method: &str) -> Self {
        Self {
            table,
            cell: cell.into(),
            analysis: "descriptive".to_owned(),
            endpoint: None,
            set: "TEST",
            arm: arm.to_owned(),
            unit: "case",
            group: None,
            reader: None,
            method: method.to_owned(),
            quantity,
            n: None,
            excluded: 0,
            seed: None,
        }
    }
}

/// Collects records and notes; keeps cells unique.
pub struct Sheet {
    records: Vec<Record>,
    notes: Vec<Note>,
    seen: std::collections::BTreeSet<String>,
    input_hash: String,
}

impl Sheet {
    pub fn new(input_hash: &str) -> Self {
        Self {
            records: Vec::new(),
            notes: Vec::new(),
            seen: std::collections::BTreeSet::new(),
            input_hash: input_hash.to_owned(),
        }
    }

    pub fn finish(self) -> (Vec<Record>, Vec<Note>) {
        (self.records, self.notes)
    }

    /// Puts the whole of an estimate, or the reason why there is none, under the line's cell.
    pub fn estimate(&mut self, line: &Line, found: &Estimable<Estimate>) {
        let found = match found {
            Ok(found) => found,
            Err(reason) => {
                self.value(line, Stat::Est, line.quantity, &Err(reason.clone()), None);
                return;
            }
        };
        if let Some((n, total)) = found.counts {
            self.value(line, Stat::Count, Printed::Count, &Ok(n as f64), None);
            self.value(line, Stat::Total, Printed::Count, &Ok(total as f64), None);
        }
        self.value(line, Stat::Est, line.quantity, &finite(found.estimate, "estimate"), None);
        if let Some(se) = found.se {
            self.value(line, Stat::Se, standard_error(line.quantity), &finite(se, "standard error"), None);
        }
        if let Some(interval) = found.interval {
            let level = Some(interval.level);
            self.value(line, Stat::Lo, line.quantity, &finite(interval.lower, "lower bound"), level);
            self.value(line, Stat::Hi, line.quantity, &finite(interval.upper, "upper bound"), level);
        } else if let Some(reason) = &found.no_interval {
            self.value(line, Stat::Lo, line.quantity, &Err(reason.clone()), None);
            self.value(line, Stat::Hi, line.quantity, &Err(reason.clone()), None);
        }
        if let Some(df) = found.df {
            self.value(line, Stat::Df, Printed::Df, &degrees_of_freedom(df), None);
        }
        if let Some(statistic) = found.statistic {
            self.value(line, Stat::Stat, Printed::Statistic, &finite(statistic, "test statistic"), None);
        }
        if let Some(p) = found.p {
            self.value(line, Stat::P, Printed::P, &finite(p, "p-value"), None);
        }
        if let Some((unusable, all)) = found.resamples {
            self.value(line, Stat::Unusable, Printed::Count, &Ok(unusable as f64), None);
            self.value(line, Stat::Replicates, Printed::Count, &Ok(all as f64), None);
        }
    }

    /// Puts one number.
    pub fn value(&mut self, line: &Line, stat: Stat, quantity: Printed, value: &Estimable<f64>, level: Option<f64>) {
        let stat_name = serde_json::to_value(stat).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
        let ard_id = format!("{}/{}/{}", line.table, line.cell, stat_name);
        debug_assert!(!self.seen.contains(&ard_id), "record {ard_id} is written twice");
        if !self.seen.insert(ard_id.clone()) {
            return;
        }
        let rounded = value.as_ref().ok().map(|&v| significant(v));
        let value_fmt = match (value, rounded) {
            (Err(reason), _) if reason.code == NORMAL_LIMIT => "∞".to_owned(),
            (_, Some(v)) => fmt_value(quantity, v),
            _ => "NE".to_owned(),
        };
        self.records.push(Record {
            ard_id,
            table_id: line.table.to_owned(),
            cell_id: line.cell.clone(),
            analysis_id: line.analysis.clone(),
            set: line.set.to_owned(),
            endpoint_id: line.endpoint.clone(),
            arm: line.arm.clone(),
            unit: line.unit.to_owned(),
            group_var: line.group.as_ref().map(|g| g.0.clone()),
            group_level: line.group.as_ref().map(|g| g.1.clone()),
            reader_id: line.reader.clone(),
            stat,
            value: rounded,
            value_fmt,
            method_id: line.method.clone(),
            prespecified: line.endpoint.is_some(),
            level,
            n: line.n,
            n_excluded: line.excluded,
            seed: line.seed,
            not_estimable: value
                .as_ref()
                .err()
                .map(|reason| Reason { code: reason.code.to_owned(), reason: reason.reason.clone() }),
            input_hash: self.input_hash.clone(),
            code_version: env!("CARGO_PKG_VERSION").to_owned(),
        });
    }

    pub fn count(&mut self, line: &Line, n: usize) {
        self.value(line, Stat::Count, Printed::Count, &Ok(n as f64), None);
    }

    /// A part and its whole, without estimate.
    pub fn part(&mut self, line: &Line, n: usize, total: usize) {
        self.count(line, n);
        self.value(line, Stat::Total, Printed::Count, &Ok(total as f64), None);
    }

    pub fn note(&mut self, about: &str, level: &str, en: impl Into<String>, ko: impl Into<String>) {
        self.notes.push(Note { about: about.to_owned(), level: level.to_owned(), en: en.into(), ko: ko.into() });
    }
}

/// Code of the reason that stands in a `df` cell where the reference distribution is the normal one.
pub const NORMAL_LIMIT: &str = "normal-limit";

fn degrees_of_freedom(df: f64) -> Estimable<f64> {
    if df == f64::INFINITY {
        return Err(NotEstimable::new(
            NORMAL_LIMIT,
            "the reference distribution is the normal (infinite degrees of freedom)",
        ));
    }
    finite(df, "degrees of freedom")
}

/// How the standard error of a number is printed.
fn standard_error(of: Printed) -> Printed {
    match of {
        Printed::Proportion | Printed::Points => Printed::PointsError,
        _ => Printed::StandardError,
    }
}

/// A last guard: what is not a finite number is not an answer.
fn finite(value: f64, what: &str) -> Estimable<f64> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(NotEstimable::new("not-finite", format!("the {what} is not a finite number for these data")))
    }
}

/// `value` rounded to [`SIGNIFICANT_DIGITS`] significant decimal digits.
pub fn significant(value: f64) -> f64 {
    // Formatting and parsing are exact in both directions, unlike scaling by a power of ten.
    format!("{value:.*e}", SIGNIFICANT_DIGITS - 1).parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn significant_digits_hide_the_last_bits() {
        assert_eq!(significant(0.1 + 0.2), 0.3);
        assert_eq!(significant(-1234.567890123456), -1234.56789012);
        assert_eq!(significant(0.0), 0.0);
    }

    #[test]
    fn not_a_number_becomes_a_reason() {
        let mut sheet = Sheet::new("h");
        let line = Line::new("T-STAND", "auc", "standalone", Printed::Index, "DeLong");
        sheet.estimate(&line, &Ok(Estimate { se: Some(f64::NAN), ..Estimate::plain(0.5) }));
        let (records, _) = sheet.finish();
        let se = records.iter().find(|r| r.stat == Stat::Se).unwrap();
        assert_eq!((se.value, se.value_fmt.as_str()), (None, "NE"));
        assert_eq!(se.not_estimable.as_ref().unwrap().code, "not-finite");
    }
}
