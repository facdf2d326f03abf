//! Endpoints on a figure of merit of the readers: one arm's mean, or the difference between two arms.

use super::arms::{arm_missing, arms_of, independent_cases};
use super::endpoint::{
    EndpointResults, declared, level_of, method_does_not_fit, names, random_factors, reader_figure, replicates,
};
use super::sheet::{Estimate, Line, Sheet};
use crate::analysis::format::Kind as Printed;
use crate::protocol::{Covariance, Endpoint, Measure, Method, Protocol, Rank};
use crate::report::phrase::korean;
use crate::stats::mrmc::covariance::CovarianceMethod;
use crate::stats::mrmc::dbm::{DbmOptions, DorfmanBerbaumMetz, dorfman_berbaum_metz};
use crate::stats::mrmc::fom::FigureOfMerit;
use crate::stats::mrmc::obuchowski_rockette::{
    Difference, Mean, ObuchowskiRockette, OrOptions, PartlyCrossed, obuchowski_rockette,
};
use crate::stats::mrmc::{MrmcData, ustat};
use crate::stats::{Estimable, NotEstimable};

/// Lines of one comparison: the test arm, the control arm, test − control.
pub(super) struct Compared {
    pub arms: Vec<(String, Estimable<Estimate>)>,
    pub difference: Option<Estimable<Estimate>>,
    pub method: String,
    pub notes: Vec<String>,
}

pub fn analyze(
    protocol: &Protocol,
    data: &MrmcData,
    endpoint: &Endpoint,
    sheet: &mut Sheet,
    endpoints: &mut EndpointResults,
) {
    let found = compare(protocol, data, endpoint);
    answer(table_of(endpoint), endpoint, found, data.cases().len(), sheet, endpoints);
}

/// Writes the lines of an endpoint and keeps its answer. `cases` is the number of cases that were read.
pub(super) fn answer(
    table: &'static str,
    endpoint: &Endpoint,
    found: Estimable<Compared>,
    cases: usize,
    sheet: &mut Sheet,
    endpoints: &mut EndpointResults,
) {
    let (area, difference) = quantities(endpoint.measure);
    match found {
        Ok(found) => {
            for (arm, estimate) in &found.arms {
                let line = line(table, endpoint, &format!("{}.{arm}", endpoint.id), arm, area, &found.method, cases);
                sheet.estimate(&line, estimate);
            }
            let answer = match found.difference {
                Some(estimate) => {
                    let cell = format!("{}.diff", endpoint.id);
                    let line = line(table, endpoint, &cell, "diff", difference, &found.method, cases);
                    sheet.estimate(&line, &estimate);
                    estimate
                }
                None => found.arms.into_iter().next().map_or_else(|| Err(arm_missing(endpoint)), |(_, e)| e),
            };
            let (name_en, name_ko) = names(endpoint);
            for note in found.notes {
                let ko = format!("{name_ko}: {}", korean(&note));
                sheet.note(table, "warning", format!("{name_en}: {note}"), ko);
            }
            endpoints.put(endpoint, answer);
        }
        Err(reason) => {
            let (cell, arm, quantity) = match &endpoint.modality {
                Some(modality) => (format!("{}.{modality}", endpoint.id), modality.as_str(), area),
                None => (format!("{}.diff", endpoint.id), "diff", difference),
            };
            let method = declared(&endpoint.method);
            sheet.estimate(&line(table, endpoint, &cell, arm, quantity, &method, cases), &Err(reason.clone()));
            endpoints.put(endpoint, Err(reason));
        }
    }
}

/// Primary endpoints stand in T-PRIM, all others in T-SEC.
pub(super) fn table_of(endpoint: &Endpoint) -> &'static str {
    if endpoint.rank == Rank::Primary { "T-PRIM" } else { "T-SEC" }
}

fn quantities(measure: Measure) -> (Printed, Printed) {
    match measure {
        Measure::Sensitivity
        | Measure::Specificity
        | Measure::SensitivityAtSpecificity
        | Measure::SpecificityAtSensitivity
        | Measure::FrocSensitivity => (Printed::Proportion, Printed::Points),
        _ => (Printed::Index, Printed::Index),
    }
}

fn line(
    table: &'static str,
    endpoint: &Endpoint,
    cell: &str,
    arm: &str,
    quantity: Printed,
    method: &str,
    cases: usize,
) -> Line {
    let mut line = Line::new(table, cell, arm, quantity, method);
    line.set = "FAS";
    line.unit = "reader";
    line.endpoint = Some(endpoint.id.clone());
    line.analysis = endpoint.id.clone();
    line.n = Some(cases as u64);
    line
}

fn compare(protocol: &Protocol, data: &MrmcData, endpoint: &Endpoint) -> Estimable<Compared> {
    let arms = arms_of(data, endpoint)?;
    let fom = reader_figure(protocol, endpoint)?;
    match endpoint.method {
        Method::ObuchowskiRockette => {
            let options = or_options(protocol, endpoint, fom)?;
            Ok(from_or(&obuchowski_rockette(&arms, &options)?, endpoint))
        }
        Method::DorfmanBerbaumMetz => {
            let options = DbmOptions { fom, random: random_factors(endpoint), level: level_of(protocol, endpoint) };
            Ok(from_dbm(&dorfman_berbaum_metz(&arms, &options)?, endpoint))
        }
        Method::UStatistic => u_statistic(protocol, &arms, endpoint),
        Method::BootstrapPercentile | Method::BootstrapBasic => {
            super::reader_bootstrap::compare(protocol, &arms, endpoint, fom)
                .map(|(arms, difference, method)| Compared { arms, difference, method, notes: Vec::new() })
        }
        _ => Err(method_does_not_fit(endpoint)),
    }
}

fn or_options(protocol: &Protocol, endpoint: &Endpoint, fom: FigureOfMerit) -> Estimable<OrOptions> {
    let covariance = match endpoint.covariance {
        Some(Covariance::Jackknife) => CovarianceMethod::Jackknife,
        Some(Covariance::Unbiased) => CovarianceMethod::Unbiased,
        Some(Covariance::Delong) => CovarianceMethod::DeLong,
        Some(Covariance::Bootstrap) => CovarianceMethod::Bootstrap {
            replicates: replicates(endpoint)? as u32,
            seed: protocol.study.seed,
            stratified: true,
        },
        None => return Err(NotEstimable::new("no-covariance", "the endpoint declares no covariance")),
    };
    Ok(OrOptions {
        fom,
        covariance,
        random: random_factors(endpoint),
        level: level_of(protocol, endpoint),
        partly_crossed: PartlyCrossed::Refuse,
    })
}

pub(super) fn from_or(found: &ObuchowskiRockette, endpoint: &Endpoint) -> Compared {
    Compared {
        arms: arm_means(&found.modalities, &found.means, endpoint),
        difference: pair_difference(&found.differences, endpoint),
        method: found.method.clone(),
        notes: found.treatments.iter().map(|t| t.text.clone()).collect(),
    }
}

fn from_dbm(found: &DorfmanBerbaumMetz, endpoint: &Endpoint) -> Compared {
    Compared {
        arms: arm_means(&found.modalities, &found.means, endpoint),
        difference: pair_difference(&found.differences, endpoint),
        method: found.method.clone(),
        notes: Vec::new(),
    }
}

fn arm_means(arms: &[String], means: &Estimable<Vec<Mean>>, endpoint: &Endpoint) -> Vec<(String, Estimable<Estimate>)> {
    let of_arm = |arm: &String| {
        let means = means.as_ref().map_err(Clone::clone)?;
        let mean = means.iter().find(|m| &m.modality == arm && m.reader.is_none());
        mean.map(mean_estimate).ok_or_else(|| arm_missing(endpoint))
    };
    arms.iter().map(|arm| (arm.clone(), of_arm(arm))).collect()
}

/// Test − control; `None` where the endpoint compares nothing.
fn pair_difference(differences: &Estimable<Vec<Difference>>, endpoint: &Endpoint) -> Option<Estimable<Estimate>> {
    endpoint.compare.as_ref()?;
    let first = |all: &Vec<Difference>| all.first().map(difference_estimate).ok_or_else(|| arm_missing(endpoint));
    Some(differences.as_ref().map_err(Clone::clone).and_then(first))
}

pub(super) fn mean_estimate(mean: &Mean) -> Estimate {
    Estimate {
        se: Some(mean.standard_error),
        interval: Some(mean.interval),
        df: Some(mean.df.unwrap_or(f64::INFINITY)),
        ..Estimate::plain(mean.estimate)
    }
}

pub(super) fn difference_estimate(difference: &Difference) -> Estimate {
    Estimate {
        se: Some(difference.standard_error),
        interval: Some(difference.interval),
        df: Some(difference.df.unwrap_or(f64::INFINITY)),
        statistic: Some(difference.statistic),
        p: Some(difference.p_value),
        ..Estimate::plain(difference.estimate)
    }
}

/// Gallas' U-statistic analysis: for any pattern of who read what, empirical AUC only. The unbiased variance is the
/// answer; the non-negative one is printed in T-METH, and in a note where the two disagree.
fn u_statistic(protocol: &Protocol, arms: &MrmcData, endpoint: &Endpoint) -> Estimable<Compared> {
    if endpoint.measure != Measure::Auc {
        return Err(method_does_not_fit(endpoint));
    }
    independent_cases(arms)?;
    let level = level_of(protocol, endpoint);
    let found = ustat::analyse(arms, &ustat::Options { level, ..ustat::Options::default() });
    let estimates = found
        .per_modality
        .iter()
        .map(|m| (found.modalities[m.modality].clone(), u_estimate(&m.auc, &m.unbiased)))
        .collect();
    let mut notes = Vec::new();
    let difference = endpoint.compare.as_ref().map(|_| {
        let pair = found.differences.first().ok_or_else(|| arm_missing(endpoint))?;
        if let (Ok(unbiased), Ok(mle)) = (&pair.unbiased.standard_error, &pair.mle.standard_error)
            && (unbiased / mle - 1.0).abs() > 0.2
        {
            notes.push(format!(
                "the unbiased and the non-negative (MLE) standard errors differ by more than 20 %: {unbiased:.4} and {mle:.4}"
            ));
        }
        u_estimate(&pair.difference, &pair.unbiased)
    });
    Ok(Compared {
        arms: estimates,
        difference,
        method: "U-statistic (Gallas 2006), unbiased variance, BDG degrees of freedom".to_owned(),
        notes,
    })
}

/// An AUC (or difference) with the t interval of its variance estimator.
pub(super) fn u_estimate(value: &Estimable<f64>, inference: &ustat::Inference) -> Estimable<Estimate> {
    let value = value.clone()?;
    Ok(match (&inference.bdg, &inference.standard_error) {
        (Ok(test), Ok(se)) => Estimate {
            se: Some(*se),
            interval: Some(test.interval),
            df: Some(test.df.unwrap_or(f64::INFINITY)),
            statistic: Some(test.statistic),
            p: Some(test.p_value),
            ..Estimate::plain(value)
        },
        (Err(reason), _) | (_, Err(reason)) => Estimate { no_interval: Some(reason.clone()), ..Estimate::plain(value) },
    })
}
