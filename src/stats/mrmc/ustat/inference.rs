//! Degrees of freedom, intervals and tests from a U-statistic variance.

use super::moments::{BckComponents, Moments};
use super::{DegreesOfFreedomUse, Estimable, Estimator, NotEstimable, Options};
use crate::stats::Interval;
use crate::stats::quantiles::{norm_multiplier, norm_two_sided_p, t_multiplier, t_two_sided_p};
use serde::Serialize;

/// A test of "estimate = null" with its two-sided interval. The interval is not cut to the parameter's range.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Test {
    /// (estimate − null) / standard error.
    pub statistic: f64,
    /// Degrees of freedom of the t distribution that was used; `None` where the normal was.
    pub df: Option<f64>,
    pub p_value: f64,
    pub interval: Interval,
    /// p ≤ 1 − level.
    pub reject: bool,
}

/// Everything that one variance estimator says of one AUC or one difference of AUCs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inference {
    pub estimator: Estimator,
    /// Can be negative; what is made of it is then not estimable.
    pub variance: Estimable<f64>,
    pub standard_error: Estimable<f64>,
    pub df_bdg: Estimable<f64>,
    /// Fully crossed studies only.
    pub df_hillis: Estimable<f64>,
    pub normal: Estimable<Test>,
    /// With `df_bdg`: the test to report.
    pub bdg: Estimable<Test>,
    /// With `df_hillis`.
    pub hillis: Estimable<Test>,
}

/// The t distribution is replaced by the normal from this many degrees of freedom, as iMRMC does.
const NORMAL_FROM_DF: f64 = 50.0;

pub(super) fn infer(
    estimator: Estimator,
    estimate: &Estimable<f64>,
    null: f64,
    variance: Estimable<f64>,
    df_bdg: impl FnOnce(f64) -> Estimable<f64>,
    df_hillis: Estimable<f64>,
    options: &Options,
) -> Inference {
    let usable = positive(&variance);
    let df_bdg = usable.clone().and_then(df_bdg);
    let df_hillis = usable.clone().and(df_hillis);
    let test = |df: Estimable<Option<f64>>| -> Estimable<Test> {
        let (estimate, variance, df) = (estimate.clone()?, usable.clone()?, df?);
        Ok(test(estimate, null, variance.sqrt(), df, options))
    };
    let as_used = |df: &Estimable<f64>| df.clone().map(|df| options.df_use.apply(df));
    Inference {
        estimator,
        standard_error: usable.clone().map(f64::sqrt),
        normal: test(Ok(None)),
        bdg: test(as_used(&df_bdg)),
        hillis: test(as_used(&df_hillis)),
        variance,
        df_bdg,
        df_hillis,
    }
}

impl DegreesOfFreedomUse {
    /// The degrees of freedom of the t distribution; `None` for the normal.
    fn apply(self, df: f64) -> Option<f64> {
        match self {
            _ if df >= NORMAL_FROM_DF => None,
            // below 1 there is no whole number left to cut to
            Self::WholeNumber if df >= 1.0 => Some(df.floor()),
            Self::WholeNumber | Self::Fractional => Some(df),
        }
    }
}

fn positive(variance: &Estimable<f64>) -> Estimable<f64> {
    match variance {
        Ok(value) if *value > 0.0 => Ok(*value),
        Ok(value) if *value < 0.0 => Err(NotEstimable::new(
            "ustat_negative_variance",
            format!(
                "the variance estimate is negative ({value:.3e}): there are too few readings for an unbiased variance; \
                 standard error, degrees of freedom and p do not exist"
            ),
        )),
        Ok(_) => Err(NotEstimable::new("ustat_zero_variance", "the variance estimate is 0: the scores do not vary")),
        Err(reason) => Err(reason.clone()),
    }
}

fn test(estimate: f64, null: f64, standard_error: f64, df: Option<f64>, options: &Options) -> Test {
    let statistic = (estimate - null) / standard_error;
    let (p_value, multiplier, method) = match df {
        None => (norm_two_sided_p(statistic), norm_multiplier(options.level), "U-statistic, normal"),
        Some(df) => (t_two_sided_p(statistic, df), t_multiplier(options.level, df), "U-statistic, t"),
    };
    let half_width = multiplier * standard_error;
    Test {
        statistic,
        df,
        p_value,
        interval: Interval { lower: estimate - half_width, upper: estimate + half_width, level: options.level, method },
        reject: p_value <= 1.0 - options.level,
    }
}

/// What the Satterthwaite formula needs of one source: (coefficient of A, mean square of A, the same of B, covariance).
struct Source {
    df: [f64; 2],
    mean_square: [f64; 2],
    covariance: Option<f64>,
}

/// Positions of the one-way sources N, D and R among the BCK components.
const SOURCES: [usize; 3] = [0, 1, 3];

/// Degrees of freedom called BDG: Satterthwaite's approximation over the mean squares of non-diseased cases, diseased
/// cases and readers (Obuchowski, Gallas and Hillis 2012, Academic Radiology 19:1508), with the V-statistic (MLE)
/// components as mean squares,
///
/// `df = var² / Σ_s (MS_s / df_s)² / df_s`, `s` ∈ {N, D, R}, `df_s` = the design's effective number of units less one,
///
/// and not below the smallest `df_s` (Gaylor and Hopper 1969, Technometrics 11:691).
pub(super) fn df_bdg_of_modality(moments: &Moments, variance: f64) -> Estimable<f64> {
    let bck = moments.bck(Estimator::Mle);
    let sources = SOURCES.map(|source| {
        let (df, mean_square) = unit_df_and_square(&bck, source)?;
        Ok(Source { df: [df, df], mean_square: [mean_square, mean_square], covariance: None })
    });
    satterthwaite(sources, variance, |source| (source.mean_square[0] / source.df[0]).powi(2) / source.df[0])
}

/// As [`df_bdg_of_modality`] for the difference. Where a source is shared by both modalities its mean square is that
/// of the difference, with the smaller of the two df; where it is not, the modalities count separately.
pub(super) fn df_bdg_of_difference(
    first: &BckComponents,
    second: &BckComponents,
    covariance: &BckComponents,
    variance: f64,
) -> Estimable<f64> {
    let sources = SOURCES.map(|source| {
        let (df_a, square_a) = unit_df_and_square(first, source)?;
        let (df_b, square_b) = unit_df_and_square(second, source)?;
        let shared = if covariance.coefficients[source] > 0.0 { covariance.values[source] } else { None };
        Ok(Source { df: [df_a, df_b], mean_square: [square_a, square_b], covariance: shared })
    });
    satterthwaite(sources, variance, |source| {
        let [df_a, df_b] = source.df;
        let [a, b] = source.mean_square;
        match source.covariance {
            Some(covariance) => {
                let df = df_a.min(df_b);
                ((a + b - 2.0 * covariance) / df).powi(2) / df
            }
            None => (a / df_a).powi(2) / df_a + (b / df_b).powi(2) / df_b,
        }
    })
}

fn unit_df_and_square(bck: &BckComponents, source: usize) -> Estimable<(f64, f64)> {
    let df = (1.0 / bck.coefficients[source] - 1.0).round();
    match bck.values[source] {
        Some(square) if df.is_finite() && df > 0.0 => Ok((df, square)),
        _ => Err(NotEstimable::new(
            "ustat_df_missing",
            "degrees of freedom need at least two readers, two non-diseased and two diseased cases in each modality",
        )),
    }
}

fn satterthwaite(sources: [Estimable<Source>; 3], variance: f64, term: impl Fn(&Source) -> f64) -> Estimable<f64> {
    let mut floor = f64::INFINITY;
    let mut denominator = 0.0;
    for source in sources {
        let source = source?;
        floor = floor.min(source.df[0]).min(source.df[1]);
        denominator += term(&source);
    }
    if denominator > 0.0 {
        Ok((variance * variance / denominator).max(floor))
    } else {
        Err(NotEstimable::new(
            "ustat_df_unbounded",
            "no mean square varies, so that the degrees of freedom have no bound",
        ))
    }
}

/// The design's effective numbers of units less one, in the order non-diseased, diseased, readers: `1/c − 1` with `c`
/// the coefficient of the one-way component, rounded. `None` where the source is not shared.
#[must_use]
pub fn unit_df(bck: &BckComponents) -> [Option<f64>; 3] {
    SOURCES.map(|source| {
        let coefficient = bck.coefficients[source];
        (coefficient > 0.0).then(|| (1.0 / coefficient - 1.0).round())
    })
}

/// Hillis (2014, Statistics in Medicine 33:330, pages 332–333): for one modality
/// `df = (r−1)·(MS(R) + r·max(Cov2, 0))² / MS(R)²`.
pub(super) fn df_hillis_of_modality(reader_aucs: &[f64], covariance_2: f64) -> Estimable<f64> {
    let r = reader_aucs.len() as f64;
    let mean_square = sum_of_squares(reader_aucs) / (r - 1.0);
    hillis(r, mean_square, r * covariance_2)
}

/// `df = (r−1)·(MS(TR) + r·max(Cov2 − Cov3, 0))² / MS(TR)²` for the difference of two modalities.
pub(super) fn df_hillis_of_difference(differences: &[f64], covariance_2_less_3: f64) -> Estimable<f64> {
    let r = differences.len() as f64;
    // with two modalities MS(TR) is half the variance of the readers' differences
    let mean_square = sum_of_squares(differences) / 2.0 / (r - 1.0);
    hillis(r, mean_square, r * covariance_2_less_3)
}

fn hillis(readers: f64, mean_square: f64, shared: f64) -> Estimable<f64> {
    if readers < 2.0 {
        return Err(NotEstimable::new("ustat_one_reader", "one reader says nothing of how readers differ"));
    }
    if mean_square <= 0.0 {
        return Err(NotEstimable::new(
            "ustat_df_unbounded",
            "all readers have the same value, so that Hillis' degrees of freedom have no bound",
        ));
    }
    let denominator = mean_square + shared.max(0.0);
    Ok((readers - 1.0) * (denominator / mean_square).powi(2))
}

pub(super) fn sum_of_squares(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| (value - mean).powi(2)).sum()
}
