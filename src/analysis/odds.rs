//! Odds ratio of a correct reading, test arm against control arm: over all cases, over diseased, over non-diseased ones.

use super::arms::arms_of;
use super::endpoint::{EndpointResults, declared, random_factors, replicates};
use super::observed::action_threshold;
use super::reader_bootstrap::{Kind, drawn_units, interval};
use super::sheet::{Estimate, Line, Sheet};
use crate::analysis::format::Kind as Printed;
use crate::protocol::{Design, Endpoint, Method, Protocol};
use crate::stats::models::{self, Coefficient};
use crate::stats::mrmc::MrmcData;
use crate::stats::mrmc::resample::{Weights, check_design, resample};
use crate::stats::odds::{Table2x2, mantel_haenszel};
use crate::stats::{Estimable, NotEstimable};

pub fn analyze(
    protocol: &Protocol,
    design: &Design,
    data: &MrmcData,
    endpoint: &Endpoint,
    sheet: &mut Sheet,
    endpoints: &mut EndpointResults,
) {
    for (which, suffix) in [(None, ""), (Some(true), ".positive"), (Some(false), ".negative")] {
        let found = of_cases(protocol, design, data, endpoint, which);
        let (estimate, method) = match found {
            Ok((estimate, method)) => (Ok(estimate), method),
            Err(reason) => (Err(reason), format!("odds ratio of a correct reading, {}", declared(&endpoint.method))),
        };
        let mut line = Line::new("T-OR", format!("{}{suffix}", endpoint.id), "ratio", Printed::Ratio, &method);
        line.set = "FAS";
        line.unit = "reading";
        line.endpoint = Some(endpoint.id.clone());
        line.analysis = endpoint.id.clone();
        line.n = Some(
            data.readings()
                .filter(|r| which.is_none_or(|class| data.cases()[r.case as usize].diseased == class))
                .count() as u64,
        );
        if which.is_none() {
            endpoints.put(endpoint, estimate.clone());
        }
        sheet.estimate(&line, &estimate);
    }
}

/// One reading as the models see it.
struct Row<'a> {
    reader: &'a str,
    case: &'a str,
    /// 0 = test arm, 1 = control arm: the order of [`arms_of`].
    arm: usize,
    correct: bool,
    reader_at: usize,
    case_at: usize,
}

fn of_cases(
    protocol: &Protocol,
    design: &Design,
    data: &MrmcData,
    endpoint: &Endpoint,
    class: Option<bool>,
) -> Estimable<(Estimate, String)> {
    let threshold = action_threshold(design).ok_or_else(|| {
        NotEstimable::new("no-action-threshold", "the protocol's design declares no action threshold")
    })?;
    let arms = arms_of(data, endpoint)?;
    if arms.modalities().len() != 2 {
        return Err(NotEstimable::new("arm-not-read", "an odds ratio compares two arms"));
    }
    let level = endpoint.confidence_level.unwrap_or(protocol.study.confidence_level);
    let rows: Vec<Row<'_>> = arms
        .readings()
        .filter(|r| class.is_none_or(|class| arms.cases()[r.case as usize].diseased == class))
        .map(|r| Row {
            reader: &arms.readers()[r.reader as usize],
            case: &arms.cases()[r.case as usize].label,
            arm: r.modality as usize,
            correct: (r.rating >= threshold) == arms.cases()[r.case as usize].diseased,
            reader_at: r.reader as usize,
            case_at: r.case as usize,
        })
        .collect();
    match endpoint.method {
        Method::BootstrapPercentile | Method::BootstrapBasic => bootstrap(protocol, &arms, endpoint, &rows, level),
        Method::MantelHaenszel => stratified(&arms, &rows, level),
        _ => model(endpoint.method, &arms, &rows, level),
    }
}

/// Counts of correct and wrong readings by arm: a, b test arm; c, d control arm; with weights for a resample.
fn counts(rows: &[Row<'_>], weights: Option<&Weights>) -> [f64; 4] {
    let mut cells = [0.0; 4];
    for row in rows {
        let weight = weights.map_or(1.0, |w| f64::from(w.reader[row.reader_at]) * f64::from(w.case[row.case_at]));
        cells[row.arm * 2 + usize::from(!row.correct)] += weight;
    }
    cells
}

fn bootstrap(
    protocol: &Protocol,
    arms: &MrmcData,
    endpoint: &Endpoint,
    rows: &[Row<'_>],
    level: f64,
) -> Estimable<(Estimate, String)> {
    check_design(arms)?;
    let kind = Kind::of(endpoint.method)?;
    let random = random_factors(endpoint);
    let log_ratio = |weights: &Weights| -> Estimable<f64> {
        let [a, b, c, d] = counts(rows, Some(weights));
        if a * b * c * d == 0.0 {
            return Err(NotEstimable::new(
                "empty-cell",
                format!(
                    "correct/wrong is {a}/{b} in the test arm and {c}/{d} in the control arm: the ratio is 0, infinite or 0/0"
                ),
            ));
        }
        Ok((a * d / (b * c)).ln())
    };
    let drawn = resample(arms, random, replicates(endpoint)?, protocol.study.seed, log_ratio);
    // On the log scale, so that the basic interval cannot leave the range of a ratio; the percentile one is the same.
    let mut found = interval(&drawn, kind, level)?;
    found.estimate = found.estimate.exp();
    found.se = None;
    if let Some(bounds) = &mut found.interval {
        bounds.lower = bounds.lower.exp();
        bounds.upper = bounds.upper.exp();
    }
    let method = format!("marginal odds ratio of a correct reading; {} of {}", kind.name(), drawn_units(arms, random));
    Ok((found, method))
}

/// Mantel–Haenszel over readers as strata.
fn stratified(arms: &MrmcData, rows: &[Row<'_>], level: f64) -> Estimable<(Estimate, String)> {
    let mut strata = vec![Table2x2 { a: 0, b: 0, c: 0, d: 0 }; arms.readers().len()];
    for row in rows {
        let table = &mut strata[row.reader_at];
        match (row.arm, row.correct) {
            (0, true) => table.a += 1,
            (0, false) => table.b += 1,
            (_, true) => table.c += 1,
            (_, false) => table.d += 1,
        }
    }
    let found = mantel_haenszel(&strata, level)?;
    let method = "Mantel–Haenszel over readers (Robins, Breslow & Greenland 1986 variance); readings of one case by \
                  several readers taken as independent";
    Ok((Estimate { interval: Some(found.interval), ..Estimate::plain(found.estimate) }, method.to_owned()))
}

/// Regression models of the logit of a correct reading on the arm.
fn model(method: Method, arms: &MrmcData, rows: &[Row<'_>], level: f64) -> Estimable<(Estimate, String)> {
    let control = arms.modalities()[1].as_str();
    let test = arms.modalities()[0].as_str();
    let levels: Vec<&str> = rows.iter().map(|row| arms.modalities()[row.arm].as_str()).collect();
    let outcome: Vec<bool> = rows.iter().map(|row| row.correct).collect();
    let design = models::Design::compare(&levels, control, &outcome)?;
    let units = Units {
        readers: models::Factor::new(&rows.iter().map(|row| row.reader).collect::<Vec<_>>()),
        cases: models::Factor::new(&rows.iter().map(|row| row.case).collect::<Vec<_>>()),
        patients: models::Factor::new(&rows.iter().map(|row| patient_of(arms, row)).collect::<Vec<_>>()),
        clustered: arms.cases().iter().any(|case| case.cluster.is_some()),
    };
    let (coefficients, name) = fit(method, &design, &units, level)?;
    let coefficient = coefficients.iter().find(|c| c.name == test).ok_or_else(|| {
        NotEstimable::new("no-coefficient", format!("the model has no coefficient for the arm {test}"))
    })?;
    Ok((coefficient_estimate(method, coefficient), name))
}

/// Label of the patient of a reading; a case of no declared patient stands for itself.
fn patient_of<'a>(arms: &'a MrmcData, row: &Row<'a>) -> &'a str {
    arms.cases()[row.case_at].cluster.map_or(row.case, |cluster| arms.clusters()[cluster as usize].as_str())
}

/// What readings share: a reader, a case, a patient.
struct Units {
    readers: models::Factor,
    cases: models::Factor,
    patients: models::Factor,
    /// Some patient has several cases.
    clustered: bool,
}

fn fit(method: Method, design: &models::Design, units: &Units, level: f64) -> Estimable<(Vec<Coefficient>, String)> {
    let unit = if units.clustered { "patient" } else { "case" };
    let gee = |correlation| models::gee::GeeOptions {
        correlation,
        sandwich: models::gee::Sandwich::KauermannCarroll,
        reference: models::gee::Reference::TClustersMinusCoefficients,
        moments: models::gee::Moments::LessCoefficients,
        level,
    };
    Ok(match method {
        Method::Glmm => {
            let random =
                [("reader", &units.readers), (unit, if units.clustered { &units.patients } else { &units.cases })];
            let found = models::glmm::fit(design, &random, models::glmm::Approximation::Laplace, level)?;
            let variances = found
                .random_effects
                .iter()
                .map(|effect| format!("{} {:.3}", effect.name, effect.variance))
                .collect::<Vec<_>>()
                .join(", ");
            let name = format!(
                "logit mixed model, crossed random readers and {unit}s, Laplace; odds ratio for a typical reader and {unit}; \
                 variances on the logit scale: {variances}"
            );
            (found.coefficients, name)
        }
        // With independence as working correlation the variance takes readers and cases as clusters at once.
        Method::GeeIndependence => {
            let found = models::gee::fit_two_way(
                design,
                &units.readers,
                &units.patients,
                gee(models::gee::WorkingCorrelation::Independence),
            )?;
            let name = format!(
                "GEE, independence, population-averaged; robust variance with readers and {unit}s as clusters (Cameron, Gelbach & \
                 Miller 2011), Kauermann–Carroll correction"
            );
            (found.coefficients, name)
        }
        Method::GeeExchangeable => {
            let found = models::gee::fit(design, &units.patients, gee(models::gee::WorkingCorrelation::Exchangeable))?;
            let name = format!(
                "GEE, exchangeable within the {unit}, population-averaged; robust variance (Liang & Zeger 1986) with \
                 Kauermann–Carroll correction; readers fixed"
            );
            (found.coefficients, name)
        }
        Method::ConditionalLogistic => {
            let found = models::clogit::fit(design, &units.readers.crossed(&units.cases), level)?;
            let name = format!(
                "conditional logistic regression within reader and case, {} of {} strata informative",
                found.informative_strata, found.strata
            );
            (found.coefficients, name)
        }
        Method::Firth => {
            let found = models::firth::fit(design, level)?;
            let name =
                "Firth's penalised logistic regression, profile limits; readings taken as independent".to_owned();
            (found.coefficients, name)
        }
        other => {
            return Err(NotEstimable::new(
                "method-does-not-fit",
                format!("an odds ratio has no method {}", declared(&other)),
            ));
        }
    })
}

fn coefficient_estimate(method: Method, found: &Coefficient) -> Estimate {
    Estimate {
        // Firth's limits are of the profile likelihood, not of the standard error.
        log_se: (method != Method::Firth).then_some(found.standard_error),
        interval: Some(found.odds_ratio_interval),
        df: found.degrees_of_freedom.or(Some(f64::INFINITY)),
        statistic: Some(found.statistic),
        p: Some(found.p),
        ..Estimate::plain(found.odds_ratio)
    }
}
