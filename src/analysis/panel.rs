//! The methods side by side (T-METH) and the variance components (T-VC): how far the answer rests on the method.

use super::arms::{compared_pair, independent_cases};
use super::fom::{difference_estimate, u_estimate};
use super::results::Stat;
use super::sheet::{Estimate, Line, Sheet};
use crate::analysis::format::Kind as Printed;
use crate::protocol::{Measure, Protocol, Subject};
use crate::stats::mrmc::covariance::CovarianceMethod;
use crate::stats::mrmc::fom::FigureOfMerit;
use crate::stats::mrmc::obuchowski_rockette::{
    ObuchowskiRockette, OrOptions, PartlyCrossed, RandomFactors, obuchowski_rockette,
};
use crate::stats::mrmc::{MrmcData, ustat};
use crate::stats::{Estimable, NotEstimable, multiplicity};

/// T-METH and T-VC for the AUC difference of the compared pair. Exploratory: the protocol's own method is in T-PRIM.
pub fn analyze(protocol: &Protocol, data: &MrmcData, sheet: &mut Sheet) {
    let Some((test, control)) = compared_pair(protocol, data) else { return };
    let names = [data.modalities()[test].as_str(), data.modalities()[control].as_str()];
    let Some(arms) = data
        .filter(|row| row.modality as usize == test || row.modality as usize == control)
        .and_then(|kept| kept.with_modality_order(&names))
    else {
        return;
    };
    let level = protocol.study.confidence_level;
    let key = protocol
        .endpoints
        .iter()
        .find(|e| e.subject == Subject::Readers && e.measure == Measure::Auc && e.compare.is_some())
        .map_or("auc", |e| e.id.as_str());
    for (cell, covariance) in [
        ("or_jackknife", CovarianceMethod::Jackknife),
        ("or_delong", CovarianceMethod::DeLong),
        ("or_unbiased", CovarianceMethod::Unbiased),
    ] {
        let options = OrOptions {
            fom: FigureOfMerit::EmpiricalAuc,
            covariance,
            random: RandomFactors::ReadersAndCases,
            level,
            partly_crossed: PartlyCrossed::Refuse,
        };
        let found = obuchowski_rockette(&arms, &options);
        if cell == "or_jackknife"
            && let Ok(found) = &found
        {
            variance_components(found, key, sheet);
        }
        let method = found.as_ref().map_or_else(
            |_| format!("Obuchowski–Rockette, {} covariance", covariance.name()),
            |found| found.method.clone(),
        );
        put(sheet, &format!("{key}.{cell}"), &method, &difference_of(&found), arms.cases().len());
    }
    let u_methods = [
        ("u_unbiased", "U-statistic (Gallas 2006), unbiased variance, BDG degrees of freedom"),
        ("u_mle", "U-statistic (Gallas 2006), non-negative (MLE) variance, BDG degrees of freedom"),
    ];
    match independent_cases(&arms) {
        Ok(()) => {
            let found = ustat::analyse(&arms, &ustat::Options { level, ..ustat::Options::default() });
            if let Some(pair) = found.differences.first() {
                for ((cell, method), inference) in u_methods.into_iter().zip([&pair.unbiased, &pair.mle]) {
                    let estimate = u_estimate(&pair.difference, inference);
                    put(sheet, &format!("{key}.{cell}"), method, &estimate, arms.cases().len());
                }
            }
        }
        Err(reason) => {
            for (cell, method) in u_methods {
                put(sheet, &format!("{key}.{cell}"), method, &Err(reason.clone()), arms.cases().len());
            }
        }
    }
    let (bootstrap, method) = super::reader_bootstrap::auc_difference(protocol, &arms);
    put(sheet, &format!("{key}.bootstrap"), &method, &bootstrap, arms.cases().len());
    all_modalities(protocol, data, key, sheet);
}

/// With more than two modalities: whether any of them differs (overall F), and every pair with Holm's adjustment.
fn all_modalities(protocol: &Protocol, data: &MrmcData, key: &str, sheet: &mut Sheet) {
    if data.modalities().len() < 3 {
        return;
    }
    let options = OrOptions {
        fom: FigureOfMerit::EmpiricalAuc,
        covariance: CovarianceMethod::Jackknife,
        random: RandomFactors::ReadersAndCases,
        level: protocol.study.confidence_level,
        partly_crossed: PartlyCrossed::Refuse,
    };
    let found = obuchowski_rockette(data, &options);
    let method = found.as_ref().map_or_else(|_| FigureOfMerit::EmpiricalAuc.name(), |f| f.method.clone());
    let row = |cell: &str, method: &str| {
        let mut line = Line::new("T-METH", format!("{key}.{cell}"), "diff", Printed::Index, method);
        line.set = "FAS";
        line.unit = "reader";
        line.n = Some(data.cases().len() as u64);
        line
    };
    let overall = row(
        "overall",
        &format!("{method}; overall F test of {} modalities, the estimate is F", data.modalities().len()),
    );
    match found.as_ref().map_err(Clone::clone).and_then(|f| f.overall.clone()) {
        Ok(test) => {
            sheet.value(&overall, Stat::Est, Printed::Statistic, &Ok(test.statistic), None);
            sheet.value(&overall, Stat::Df1, Printed::Df, &Ok(test.df1), None);
            if let Some(df2) = test.df2 {
                sheet.value(&overall, Stat::Df, Printed::Df, &Ok(df2), None);
            }
            sheet.value(&overall, Stat::P, Printed::P, &Ok(test.p_value), None);
        }
        Err(reason) => sheet.value(&overall, Stat::Est, Printed::Statistic, &Err(reason), None),
    }
    let Ok(pairs) = found.and_then(|f| f.differences) else { return };
    let ps: Vec<f64> = pairs.iter().map(|pair| pair.p_value).collect();
    let alpha = 1.0 - protocol.study.confidence_level;
    let Ok(adjusted) = multiplicity::adjust(&ps, multiplicity::Procedure::Holm, alpha) else { return };
    for (pair, adjusted) in pairs.iter().zip(adjusted) {
        let estimate = Estimate { p: Some(adjusted.p_adjusted), ..difference_estimate(pair) };
        let method = format!(
            "{method}; {} − {}, p adjusted by Holm over {} pairs, interval not adjusted",
            pair.first,
            pair.second,
            pairs.len()
        );
        sheet.estimate(&row(&format!("pair.{}.{}", pair.first, pair.second), &method), &Ok(estimate));
    }
}

fn difference_of(found: &Estimable<ObuchowskiRockette>) -> Estimable<Estimate> {
    let all = found.as_ref().map_err(Clone::clone)?.differences.clone()?;
    all.first()
        .map(difference_estimate)
        .ok_or_else(|| NotEstimable::new("arm-not-read", "the readings hold one of the two arms only"))
}

fn put(sheet: &mut Sheet, cell: &str, method: &str, found: &Estimable<Estimate>, cases: usize) {
    let mut line = Line::new("T-METH", cell, "diff", Printed::Index, method);
    line.set = "FAS";
    line.unit = "reader";
    line.n = Some(cases as u64);
    sheet.estimate(&line, found);
}

fn variance_components(found: &ObuchowskiRockette, key: &str, sheet: &mut Sheet) {
    let components = found.components.as_ref();
    let absent = || NotEstimable::new("no-component", "this design has no such component");
    let squares = &found.anova;
    let rows: [(&str, Option<f64>); 9] = [
        ("ms_r", squares.reader.map(|m| m.mean_square)),
        ("ms_t", squares.modality.map(|m| m.mean_square)),
        ("ms_tr", squares.modality_by_reader.map(|m| m.mean_square)),
        ("var_r", components.and_then(|c| c.reader)),
        ("var_tr", components.and_then(|c| c.modality_by_reader)),
        ("error", components.map(|c| c.error)),
        ("cov1", components.map(|c| c.cov1)),
        ("cov2", components.map(|c| c.cov2)),
        ("cov3", components.map(|c| c.cov3)),
    ];
    for (cell, value) in rows {
        let mut line = Line::new("T-VC", format!("{key}.{cell}"), "diff", Printed::Variance, &found.method);
        line.set = "FAS";
        line.unit = "reader";
        sheet.value(&line, Stat::Est, Printed::Variance, &value.ok_or_else(absent), None);
    }
    let negative: Vec<&str> = rows.iter().filter(|(_, v)| v.is_some_and(|v| v < 0.0)).map(|(cell, _)| *cell).collect();
    if !negative.is_empty() {
        let list = negative.join(", ");
        sheet.note(
            "T-VC",
            "warning",
            format!("Negative as estimated: {list}. Cov2 − Cov3 is floored at 0 in the test's denominator; the raw values are shown."),
            format!("음수로 추정됨: {list}. 검정의 분모에서는 Cov2 − Cov3를 0 이상으로 제한하며, 표에는 원래 값을 제시한다."),
        );
    }
}
