//! Agreement between readers in one arm, between two arms within a reader, and of the device's calls with the truth (T-KAPPA).
//!
//! Kappa, Fleiss' kappa and AC1 are of the calls at the action threshold; weighted kappa is of the levels of a whole-number
//! scale; alpha, ICC, concordance and limits are of the ratings themselves. Where a measure is for two readers and the arm
//! has more, each pair has its row and the endpoint is the mean over the pairs (Light 1971, Psychol Bull 76:365), for
//! which only the bootstrap gives an interval.

use super::arms::modality_pair;
use super::endpoint::{EndpointResults, declared, level_of, replicates};
use super::observed::action_threshold;
use super::reader_bootstrap::{Kind, drawn_units, interval};
use super::sheet::{Estimate, Line, Sheet};
use crate::analysis::format::{Kind as Printed, kind_of};
use crate::protocol::{AgreementForm, Design, Endpoint, Measure, Method, Protocol, Suspicious};
use crate::stats::agreement::bland_altman::{LimitInterval, bland_altman};
use crate::stats::agreement::chance::{Coefficient, chance_corrected};
use crate::stats::agreement::cohen::cohen;
use crate::stats::agreement::concordance::concordance;
use crate::stats::agreement::icc::{AverageInterval, Form, Unit, icc};
use crate::stats::agreement::krippendorff::{Metric, alpha};
use crate::stats::agreement::{Ratings, Weights};
use crate::stats::mrmc::MrmcData;
use crate::stats::mrmc::limits_of_agreement::{
    LimitsOfAgreement, SumsOfSquares, between_readers_within_modality, within_reader_between_modalities,
};
use crate::stats::mrmc::obuchowski_rockette::RandomFactors;
use crate::stats::mrmc::resample;
use crate::stats::{Estimable, NotEstimable};

/// Levels of a scale above which a weighted kappa says little: each needs readings of its own.
const MOST_LEVELS: f64 = 100.0;

pub fn is_agreement(measure: Measure) -> bool {
    matches!(
        measure,
        Measure::Kappa
            | Measure::WeightedKappa
            | Measure::FleissKappa
            | Measure::GwetAc1
            | Measure::KrippendorffAlpha
            | Measure::Icc
            | Measure::LimitsOfAgreement
            | Measure::LinCcc
    )
}

/// T-KAPPA: one declared endpoint on the readers.
pub fn analyze(
    protocol: &Protocol,
    design: &Design,
    data: &MrmcData,
    endpoint: &Endpoint,
    sheet: &mut Sheet,
    endpoints: &mut EndpointResults,
) {
    if endpoint.measure == Measure::LimitsOfAgreement {
        let found = limits(protocol, design, data, endpoint, sheet);
        endpoints.put(endpoint, found);
        return;
    }
    let printed = kind_of(endpoint.measure, super::results::Stat::Est, false);
    let table = match Table::new(design, data, endpoint) {
        Ok(table) => table,
        Err(reason) => {
            let name = declared(&endpoint.measure);
            let line = line(endpoint, "all", printed, &name, data.cases().len());
            sheet.estimate(&line, &Err(reason.clone()));
            return endpoints.put(endpoint, Err(reason));
        }
    };
    let level = level_of(protocol, endpoint);
    let pairs = table.pairs();
    if is_of_pairs(endpoint.measure) && pairs.len() > 1 {
        for &(first, second) in &pairs {
            let of_pair = table.of_readers(&[first, second]);
            let name = format!("{}-{}", table.readers[first], table.readers[second]);
            let (found, method) = closed_form(endpoint, &of_pair, level);
            sheet.estimate(&line(endpoint, &name, printed, &method, of_pair.rows.len()), &found);
        }
    }
    let (found, method) = match endpoint.method {
        Method::BootstrapPercentile | Method::BootstrapBasic => bootstrapped(protocol, data, endpoint, &table, level),
        _ if is_of_pairs(endpoint.measure) && pairs.len() > 1 => {
            let estimate = value(endpoint, &table).map(|mean| Estimate {
                no_interval: Some(NotEstimable::new(
                    "mean-of-pairs",
                    "the mean over the pairs of readers has no closed interval; declare method = \"bootstrap-percentile\"",
                )),
                ..Estimate::plain(mean)
            });
            (estimate, format!("{}, mean over {} pairs of readers (Light 1971)", name_of(endpoint), pairs.len()))
        }
        _ => closed_form(endpoint, &table, level),
    };
    sheet.estimate(&line(endpoint, "all", printed, &method, table.rows.len()), &found);
    endpoints.put(endpoint, found);
}

/// The device's calls against a truth that is no reference standard, as a two-by-two table: (value, method in words).
pub fn of_calls(endpoint: &Endpoint, table: [[u64; 2]; 2], level: f64) -> (Estimable<Estimate>, String) {
    let rows = table
        .iter()
        .enumerate()
        .flat_map(|(i, row)| {
            row.iter().enumerate().flat_map(move |(j, &n)| (0..n).map(move |_| vec![Some(i as f64), Some(j as f64)]))
        })
        .collect();
    let table = Table { readers: vec!["device".to_owned(), "truth".to_owned()], rows, cases: Vec::new(), levels: 2 };
    closed_form(endpoint, &table, level)
}

/// The plain value of [`of_calls`], for a bootstrap.
pub fn value_of_calls(endpoint: &Endpoint, table: [[u64; 2]; 2]) -> Estimable<f64> {
    of_calls(endpoint, table, 0.95).0.map(|found| found.estimate)
}

fn line(endpoint: &Endpoint, of: &str, printed: Printed, method: &str, cases: usize) -> Line {
    let arm = endpoint.modality.as_deref().unwrap_or("diff");
    let mut line = Line::new("T-KAPPA", format!("{of}.{}", endpoint.id), arm, printed, method);
    line.set = "FAS";
    line.endpoint = Some(endpoint.id.clone());
    line.analysis = endpoint.id.clone();
    line.n = Some(cases as u64);
    line
}

/// Measures of two readers.
fn is_of_pairs(measure: Measure) -> bool {
    matches!(measure, Measure::Kappa | Measure::WeightedKappa | Measure::LinCcc)
}

/// What each reader said of each case of one arm: categories 0.. where the measure takes categories, else ratings.
struct Table {
    readers: Vec<String>,
    /// By case, then reader.
    rows: Vec<Vec<Option<f64>>>,
    /// Index of each row's case in the readings; empty in a table made from another.
    cases: Vec<u32>,
    /// Categories of the scale; 0 where ratings are numbers.
    levels: usize,
}

impl Table {
    fn new(design: &Design, data: &MrmcData, endpoint: &Endpoint) -> Estimable<Self> {
        let arm =
            endpoint.modality.as_ref().and_then(|id| data.modalities().iter().position(|m| m == id)).ok_or_else(
                || NotEstimable::new("arm-not-read", format!("no reading of the arm of {}", endpoint.id)),
            )?;
        let readers: Vec<usize> =
            (0..data.readers().len()).filter(|&reader| !data.cell(arm, reader).cases.is_empty()).collect();
        if readers.len() < 2 {
            return Err(NotEstimable::new("one-reader", "agreement needs two readers in the arm"));
        }
        let (levels, category): (usize, Box<dyn Fn(f64) -> f64>) = match endpoint.measure {
            Measure::Kappa | Measure::FleissKappa | Measure::GwetAc1 => {
                let threshold = action_threshold(design).ok_or_else(|| {
                    NotEstimable::new("no-action-threshold", "the protocol's design declares no action threshold")
                })?;
                (2, Box::new(move |rating| f64::from(u8::from(rating >= threshold))))
            }
            Measure::WeightedKappa => {
                let (low, high) = match design.rating_scale.suspicious {
                    Suspicious::Higher => (design.rating_scale.minimum, design.rating_scale.maximum),
                    Suspicious::Lower => (-design.rating_scale.maximum, -design.rating_scale.minimum),
                };
                let whole = low.fract() == 0.0
                    && high - low < MOST_LEVELS
                    && data.readings().all(|reading| reading.rating.fract() == 0.0);
                if !whole {
                    return Err(NotEstimable::new(
                        "no-categories",
                        format!(
                            "weighted kappa needs a scale of whole numbers with at most {MOST_LEVELS} levels; for ratings on a \
                             continuous scale take icc or lin-ccc"
                        ),
                    ));
                }
                ((high - low) as usize + 1, Box::new(move |rating| rating - low))
            }
            _ => (0, Box::new(|rating| rating)),
        };
        let (mut rows, mut cases) = (Vec::new(), Vec::new());
        for case in 0..data.cases().len() as u32 {
            let row: Vec<Option<f64>> =
                readers.iter().map(|&reader| data.rating(arm, reader, case).map(&category)).collect();
            if row.iter().any(Option::is_some) {
                rows.push(row);
                cases.push(case);
            }
        }
        Ok(Self { readers: readers.iter().map(|&r| data.readers()[r].clone()).collect(), rows, cases, levels })
    }

    fn pairs(&self) -> Vec<(usize, usize)> {
        (0..self.readers.len()).flat_map(|a| (a + 1..self.readers.len()).map(move |b| (a, b))).collect()
    }

    fn of_readers(&self, readers: &[usize]) -> Self {
        let rows = self
            .rows
            .iter()
            .map(|row| readers.iter().map(|&r| row[r]).collect::<Vec<_>>())
            .filter(|row| row.iter().any(Option::is_some))
            .collect();
        let readers = readers.iter().map(|&r| self.readers[r].clone()).collect();
        Self { readers, rows, cases: Vec::new(), levels: self.levels }
    }

    fn categories(&self) -> Estimable<Ratings> {
        let whole = |row: &Vec<Option<f64>>| row.iter().map(|cell| cell.map(|v| v as usize)).collect();
        Ratings::new(self.rows.iter().map(whole).collect(), self.levels)
    }

    /// Cases that every reader rated, as columns by reader.
    fn complete(&self) -> Vec<Vec<f64>> {
        self.rows.iter().filter_map(|row| row.iter().copied().collect::<Option<Vec<f64>>>()).collect()
    }
}

fn weights_of(endpoint: &Endpoint) -> Estimable<Weights> {
    match (endpoint.measure, endpoint.form) {
        (Measure::WeightedKappa, Some(AgreementForm::Linear)) => Ok(Weights::Linear),
        (Measure::WeightedKappa, Some(AgreementForm::Quadratic)) => Ok(Weights::Quadratic),
        (Measure::WeightedKappa, _) => Err(no_form("linear or quadratic weights")),
        _ => Ok(Weights::Unweighted),
    }
}

fn no_form(what: &str) -> NotEstimable {
    NotEstimable::new("no-form", format!("the endpoint declares no form: {what}"))
}

fn metric_of(endpoint: &Endpoint) -> Estimable<Metric> {
    match endpoint.form {
        Some(AgreementForm::Nominal) => Ok(Metric::Nominal),
        Some(AgreementForm::Ordinal) => Ok(Metric::Ordinal),
        Some(AgreementForm::Interval) => Ok(Metric::Interval),
        Some(AgreementForm::Ratio) => Ok(Metric::Ratio),
        _ => Err(no_form("the metric of Krippendorff's alpha")),
    }
}

fn icc_form(endpoint: &Endpoint) -> Estimable<(Form, Unit)> {
    Ok(match endpoint.form {
        Some(AgreementForm::OneWay) => (Form::OneWay, Unit::Single),
        Some(AgreementForm::Agreement) => (Form::Agreement, Unit::Single),
        Some(AgreementForm::Consistency) => (Form::Consistency, Unit::Single),
        Some(AgreementForm::OneWayAverage) => (Form::OneWay, Unit::Average),
        Some(AgreementForm::AgreementAverage) => (Form::Agreement, Unit::Average),
        Some(AgreementForm::ConsistencyAverage) => (Form::Consistency, Unit::Average),
        _ => return Err(no_form("the form of the intraclass correlation")),
    })
}

fn name_of(endpoint: &Endpoint) -> String {
    match (endpoint.measure, endpoint.form) {
        (Measure::Kappa, _) => "Cohen's kappa of calls".to_owned(),
        (Measure::WeightedKappa, Some(AgreementForm::Linear)) => "Cohen's kappa, linear weights".to_owned(),
        (Measure::WeightedKappa, _) => "Cohen's kappa, quadratic weights".to_owned(),
        (Measure::FleissKappa, _) => "Fleiss' kappa of calls".to_owned(),
        (Measure::GwetAc1, _) => "Gwet's AC1 of calls".to_owned(),
        (Measure::KrippendorffAlpha, form) => {
            format!("Krippendorff's alpha, {} metric", form.map_or("no", metric_name))
        }
        (Measure::Icc, Some(AgreementForm::OneWay)) => "ICC(1), one-way, single rating".to_owned(),
        (Measure::Icc, Some(AgreementForm::Agreement)) => "ICC(A,1), two-way, agreement, single rating".to_owned(),
        (Measure::Icc, Some(AgreementForm::Consistency)) => "ICC(C,1), two-way, consistency, single rating".to_owned(),
        (Measure::Icc, Some(AgreementForm::OneWayAverage)) => "ICC(1,k), one-way, mean of readers".to_owned(),
        (Measure::Icc, Some(AgreementForm::AgreementAverage)) => {
            "ICC(A,k), two-way, agreement, mean of readers".to_owned()
        }
        (Measure::Icc, _) => "ICC(C,k), two-way, consistency, mean of readers".to_owned(),
        (Measure::LinCcc, _) => "Lin's concordance correlation".to_owned(),
        (other, _) => declared(&other),
    }
}

fn metric_name(form: AgreementForm) -> &'static str {
    match form {
        AgreementForm::Nominal => "nominal",
        AgreementForm::Ordinal => "ordinal",
        AgreementForm::Interval => "interval",
        AgreementForm::Ratio => "ratio",
        _ => "no",
    }
}

/// The measure with the interval of its formula.
fn closed_form(endpoint: &Endpoint, table: &Table, level: f64) -> (Estimable<Estimate>, String) {
    let (found, interval) = match endpoint.measure {
        Measure::Kappa | Measure::WeightedKappa => {
            (of_cohen(endpoint, table, level), "asymptotic interval (Fleiss 1969)")
        }
        Measure::FleissKappa | Measure::GwetAc1 => {
            (of_chance_corrected(endpoint, table, level), "linearised variance (Gwet 2008), t interval")
        }
        Measure::KrippendorffAlpha => (of_alpha(endpoint, table, level), "jackknife over cases, t interval"),
        Measure::Icc => (of_icc(endpoint, table, level), "F interval (McGraw & Wong 1996)"),
        Measure::LinCcc => (of_concordance(table, level), "z-transformed asymptotic interval"),
        _ => (Err(super::endpoint::method_does_not_fit(endpoint)), "none"),
    };
    (found, format!("{}, {interval}", name_of(endpoint)))
}

fn of_cohen(endpoint: &Endpoint, table: &Table, level: f64) -> Estimable<Estimate> {
    let counts = table.categories()?.table(0, 1);
    let kappa = cohen(&counts, weights_of(endpoint)?, level)?.kappa?;
    Ok(Estimate {
        se: Some(kappa.standard_error),
        interval: Some(kappa.interval),
        statistic: Some(kappa.z),
        p: Some(kappa.p),
        ..Estimate::plain(kappa.estimate)
    })
}

fn of_chance_corrected(endpoint: &Endpoint, table: &Table, level: f64) -> Estimable<Estimate> {
    let coefficient =
        if endpoint.measure == Measure::FleissKappa { Coefficient::FleissKappa } else { Coefficient::Gwet };
    let found = chance_corrected(&table.categories()?, coefficient, Weights::Unweighted, level)?.estimate?;
    Ok(with_inference(found.value, found.inference))
}

fn of_alpha(endpoint: &Endpoint, table: &Table, level: f64) -> Estimable<Estimate> {
    let found = alpha(&table.rows, metric_of(endpoint)?, level)?;
    Ok(with_inference(found.value, found.inference))
}

fn with_inference(value: f64, inference: Estimable<crate::stats::agreement::chance::Inference>) -> Estimate {
    match inference {
        Ok(found) => Estimate {
            se: Some(found.standard_error),
            interval: Some(found.interval),
            df: Some(found.degrees_of_freedom),
            p: Some(found.p),
            ..Estimate::plain(value)
        },
        Err(reason) => Estimate { no_interval: Some(reason), ..Estimate::plain(value) },
    }
}

fn of_icc(endpoint: &Endpoint, table: &Table, level: f64) -> Estimable<Estimate> {
    let (form, unit) = icc_form(endpoint)?;
    let found = icc(&table.complete(), form, unit, AverageInterval::SpearmanBrown, level)?;
    Ok(Estimate {
        interval: Some(found.interval),
        statistic: Some(found.f),
        df: Some(found.df2),
        p: Some(found.p),
        ..Estimate::plain(found.estimate)
    })
}

fn of_concordance(table: &Table, level: f64) -> Estimable<Estimate> {
    let rows = table.complete();
    let column = |at: usize| rows.iter().map(|row| row[at]).collect::<Vec<f64>>();
    let found = concordance(&column(0), &column(1), level)?;
    Ok(match found.interval {
        Ok(interval) => Estimate { interval: Some(interval), ..Estimate::plain(found.estimate) },
        Err(reason) => Estimate { no_interval: Some(reason), ..Estimate::plain(found.estimate) },
    })
}

/// The value alone; of a measure of pairs the mean over the pairs.
fn value(endpoint: &Endpoint, table: &Table) -> Estimable<f64> {
    let plain = |table: &Table| closed_form(endpoint, table, 0.95).0.map(|found| found.estimate);
    if !is_of_pairs(endpoint.measure) {
        return plain(table);
    }
    let pairs = table.pairs();
    let mut sum = 0.0;
    for &(first, second) in &pairs {
        sum += plain(&table.of_readers(&[first, second]))?;
    }
    Ok(sum / pairs.len() as f64)
}

/// Cases (or patients) are drawn, readers stay.
fn bootstrapped(
    protocol: &Protocol,
    data: &MrmcData,
    endpoint: &Endpoint,
    table: &Table,
    level: f64,
) -> (Estimable<Estimate>, String) {
    let random = RandomFactors::Cases;
    let kind = match Kind::of(endpoint.method) {
        Ok(kind) => kind,
        Err(reason) => return (Err(reason), name_of(endpoint)),
    };
    let method = format!("{}, {} of {}", name_of(endpoint), kind.name(), drawn_units(data, random));
    let found = replicates(endpoint).and_then(|replicates| {
        let drawn = resample::resample(data, random, replicates, protocol.study.seed, |weights| {
            let rows = table
                .rows
                .iter()
                .zip(&table.cases)
                .flat_map(|(row, &case)| std::iter::repeat_n(row, weights.case[case as usize] as usize))
                .cloned()
                .collect();
            let sample = Table { readers: table.readers.clone(), rows, cases: Vec::new(), levels: table.levels };
            value(endpoint, &sample)
        });
        interval(&drawn, kind, level)
    });
    (found, method)
}

/// Bias and limits; the endpoint's answer is the mean difference, 0 by definition between readers without order.
fn limits(
    protocol: &Protocol,
    design: &Design,
    data: &MrmcData,
    endpoint: &Endpoint,
    sheet: &mut Sheet,
) -> Estimable<Estimate> {
    let level = level_of(protocol, endpoint);
    let put = |sheet: &mut Sheet, cell: &str, method: &str, found: &Estimable<Estimate>| {
        let mut line = line(endpoint, cell, Printed::Plain, method, data.cases().len());
        line.quantity = Printed::Index;
        sheet.estimate(&line, found);
    };
    let (method, found) = match (&endpoint.compare, endpoint.method) {
        (Some(pair), _) => {
            let method = "within-reader limits of agreement between the arms (Wen & Gallas 2022)";
            let found = modality_pair(data, pair)
                .ok_or_else(|| NotEstimable::new("arm-not-read", "no reading of the arms compared"))
                .and_then(|(test, control)| {
                    within_reader_between_modalities(data, test, control, SumsOfSquares::ReaderFirst, level)
                });
            (method, found.and_then(|f| of_anova(&f)))
        }
        (None, Method::Exact) => {
            let method = "Bland–Altman limits (1986) of two readers, exact intervals of the limits";
            (method, of_two_readers(data, endpoint, level))
        }
        (None, _) => {
            let method = "between-reader limits of agreement within the arm (Wen & Gallas 2022)";
            let arm = endpoint.modality.as_ref().and_then(|id| data.modalities().iter().position(|m| m == id));
            let found = arm
                .ok_or_else(|| NotEstimable::new("arm-not-read", "no reading of the arm"))
                .and_then(|arm| between_readers_within_modality(data, arm, SumsOfSquares::ReaderFirst, level));
            (method, found.and_then(|f| of_anova(&f)))
        }
    };
    let found = found.map(|[bias, lower, upper]| match design.rating_scale.suspicious {
        Suspicious::Higher => [bias, lower, upper],
        // The readings were negated: back to the scale that the readers used.
        Suspicious::Lower => [negated(bias), negated(upper), negated(lower)],
    });
    match found {
        Ok([bias, lower, upper]) => {
            put(sheet, "bias", method, &Ok(bias.clone()));
            put(sheet, "limit-lower", method, &Ok(lower));
            put(sheet, "limit-upper", method, &Ok(upper));
            Ok(bias)
        }
        Err(reason) => {
            put(sheet, "bias", method, &Err(reason.clone()));
            Err(reason)
        }
    }
}

fn of_anova(found: &LimitsOfAgreement) -> Estimable<[Estimate; 3]> {
    let limits = found.limits.clone()?;
    let bias = match &found.mean {
        Some(mean) => match &mean.interval {
            Ok(interval) => {
                Estimate { se: Some(mean.variance.sqrt()), interval: Some(*interval), ..Estimate::plain(mean.value) }
            }
            Err(reason) => Estimate { no_interval: Some(reason.clone()), ..Estimate::plain(mean.value) },
        },
        None => Estimate {
            no_interval: Some(NotEstimable::new(
                "zero-by-definition",
                "readers have no order, so that their mean difference is 0 by definition",
            )),
            ..Estimate::plain(0.0)
        },
    };
    let limit = |value: f64| Estimate {
        no_interval: Some(NotEstimable::new("no-interval", "this method gives no interval of a limit")),
        ..Estimate::plain(value)
    };
    Ok([bias, limit(limits.lower), limit(limits.upper)])
}

fn of_two_readers(data: &MrmcData, endpoint: &Endpoint, level: f64) -> Estimable<[Estimate; 3]> {
    let arm = endpoint
        .modality
        .as_ref()
        .and_then(|id| data.modalities().iter().position(|m| m == id))
        .ok_or_else(|| NotEstimable::new("arm-not-read", "no reading of the arm"))?;
    if data.readers().len() != 2 {
        return Err(NotEstimable::new(
            "two-readers",
            format!(
                "exact Bland–Altman limits compare two readers, not {}; declare \"asymptotic\"",
                data.readers().len()
            ),
        ));
    }
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for case in 0..data.cases().len() as u32 {
        if let (Some(a), Some(b)) = (data.rating(arm, 0, case), data.rating(arm, 1, case)) {
            first.push(a);
            second.push(b);
        }
    }
    let found = bland_altman(&first, &second, level, LimitInterval::Exact, level)?;
    let with = |value: f64, interval| Estimate { interval: Some(interval), ..Estimate::plain(value) };
    Ok([
        with(found.bias, found.bias_interval),
        with(found.lower_limit, found.lower_limit_interval),
        with(found.upper_limit, found.upper_limit_interval),
    ])
}

fn negated(found: Estimate) -> Estimate {
    Estimate {
        estimate: -found.estimate,
        interval: found.interval.map(|i| crate::stats::Interval { lower: -i.upper, upper: -i.lower, ..i }),
        ..found
    }
}
