//! Bootstrap intervals of reader-study endpoints: readers and cases drawn together, cases within truth strata.

use super::endpoint::{EXPLORATORY_REPLICATES, level_of, random_factors, replicates};
use super::sheet::Estimate;
use crate::protocol::{Endpoint, Method, Protocol};
use crate::stats::bootstrap;
use crate::stats::mrmc::MrmcData;
use crate::stats::mrmc::fom::FigureOfMerit;
use crate::stats::mrmc::obuchowski_rockette::RandomFactors;
use crate::stats::mrmc::resample::{Resampled, WeightedFom, check_design, resample};
use crate::stats::{Estimable, Interval, NotEstimable};

type Arms = Vec<(String, Estimable<Estimate>)>;

/// The arms' means and test − control with bootstrap intervals, and the method in words.
pub(super) fn compare(
    protocol: &Protocol,
    arms: &MrmcData,
    endpoint: &Endpoint,
    figure: FigureOfMerit,
) -> Estimable<(Arms, Option<Estimable<Estimate>>, String)> {
    check_design(arms)?;
    let (random, level) = (random_factors(endpoint), level_of(protocol, endpoint));
    let kind = Kind::of(endpoint.method)?;
    let replicates = replicates(endpoint)?;
    let weighted = WeightedFom::new(arms, figure);
    let seed = protocol.study.seed;
    let estimates = (0..arms.modalities().len())
        .map(|modality| {
            let drawn = resample(arms, random, replicates, seed, |w| weighted.mean(modality, w));
            (arms.modalities()[modality].clone(), interval(&drawn, kind, level))
        })
        .collect();
    let difference = endpoint.compare.as_ref().map(|_| {
        let drawn = resample(arms, random, replicates, seed, |w| Ok(weighted.mean(0, w)? - weighted.mean(1, w)?));
        interval(&drawn, kind, level)
    });
    let method = format!("{}, {} of {}", figure.name(), kind.name(), drawn_units(arms, random));
    Ok((estimates, difference, method))
}

/// For the method panel: the AUC difference of the two arms, percentile interval.
pub(super) fn auc_difference(protocol: &Protocol, arms: &MrmcData) -> (Estimable<Estimate>, String) {
    let random = RandomFactors::ReadersAndCases;
    let method = format!("empirical AUC, {} of {}", Kind::Percentile.name(), drawn_units(arms, random));
    let found = check_design(arms).and_then(|()| {
        let weighted = WeightedFom::new(arms, FigureOfMerit::EmpiricalAuc);
        let drawn = resample(arms, random, EXPLORATORY_REPLICATES, protocol.study.seed, |w| {
            Ok(weighted.mean(0, w)? - weighted.mean(1, w)?)
        });
        interval(&drawn, Kind::Percentile, protocol.study.confidence_level)
    });
    (found, method)
}

/// Intervals that need nothing but the resampled values. BCa would need a jackknife over two crossed factors, for which
/// there is no agreed acceleration constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Percentile,
    Basic,
}

impl Kind {
    pub(super) fn of(method: Method) -> Estimable<Self> {
        match method {
            Method::BootstrapPercentile => Ok(Self::Percentile),
            Method::BootstrapBasic => Ok(Self::Basic),
            _ => Err(NotEstimable::new(
                "no-two-way-bca",
                "BCa has no agreed acceleration constant where readers and cases are both resampled; declare \
                 bootstrap-percentile or bootstrap-basic",
            )),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Percentile => "percentile bootstrap",
            Self::Basic => "basic bootstrap",
        }
    }
}

/// What a replicate draws anew, in words.
pub(super) fn drawn_units(data: &MrmcData, random: RandomFactors) -> String {
    let cases = if data.cases().iter().any(|c| c.cluster.is_some()) { "patients" } else { "cases" };
    match random {
        RandomFactors::ReadersAndCases => format!("readers and {cases} within truth strata"),
        RandomFactors::Cases => format!("{cases} within truth strata, readers fixed"),
        RandomFactors::Readers => "readers, cases fixed".to_owned(),
    }
}

pub(super) fn interval(drawn: &Resampled, kind: Kind, level: f64) -> Estimable<Estimate> {
    let estimate = drawn.estimate.clone()?;
    let resamples = Some((drawn.unusable as u64, drawn.replicates as u64));
    let found: Estimable<Interval> = match kind {
        Kind::Percentile => bootstrap::percentile(&drawn.values, level),
        Kind::Basic => bootstrap::basic(&drawn.values, estimate, level),
    };
    Ok(match found {
        Ok(interval) => Estimate {
            se: bootstrap::standard_error(&drawn.values).ok(),
            interval: Some(interval),
            resamples,
            ..Estimate::plain(estimate)
        },
        Err(reason) => Estimate { no_interval: Some(reason), resamples, ..Estimate::plain(estimate) },
    })
}
