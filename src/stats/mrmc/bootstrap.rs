//! Bootstrap over readers and cases: percentile intervals of an AUC and of a difference of AUCs.
//!
//! Readers, non-diseased and diseased cases are drawn with replacement, each as often as there are; a reader or case
//! brings all its readings, so that every correlation is kept. The AUC of a replicate is pooled over its triples. Over all
//! resamples the variance of the AUC is the plug-in (MLE) variance of [`super::ustat`] (Gallas, Bandos, Samuelson and
//! Wagner 2009), which is too large on average, the more so the fewer readers and cases there are.
//!
//! Replicate `i` uses stream `i` of ChaCha with 12 rounds; results do not depend on the number of threads.

use super::MrmcData;
use crate::stats::{Estimable, Interval, NotEstimable};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rayon::prelude::*;
use serde::Serialize;

/// A percentile interval and what it was taken from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BootstrapInterval {
    pub interval: Interval,
    /// Variance of the replicates.
    pub variance: f64,
    /// Replicates with a value; those that drew no comparison of a modality are left out.
    pub replicates: usize,
}

/// Resamples for the difference "first − second" of AUCs; `second` = `None` for the AUC of `first` alone.
///
/// # Errors
/// A modality in which no reader read both classes, a level outside (0, 1), or fewer than 1/(1 − level) replicates.
pub fn percentile_interval(
    data: &MrmcData,
    first: usize,
    second: Option<usize>,
    level: f64,
    replicates: u32,
    seed: u64,
) -> Estimable<BootstrapInterval> {
    if !(level > 0.0 && level < 1.0) {
        return Err(NotEstimable::new("bad_parameter", format!("a confidence level lies within 0 and 1, not {level}")));
    }
    let modalities: Vec<Vec<RankedCell>> = [Some(first), second]
        .into_iter()
        .flatten()
        .map(|modality| (0..data.readers().len()).map(|reader| RankedCell::new(data, modality, reader)).collect())
        .collect();
    let classes = [false, true].map(|class| -> Vec<usize> {
        (0..data.cases().len()).filter(|&case| data.cases()[case].diseased == class).collect()
    });
    let drawn: Vec<Option<f64>> = (0..replicates)
        .into_par_iter()
        .map(|replicate| resample(data, &modalities, &classes, seed, replicate))
        .collect();
    let mut values: Vec<f64> = drawn.into_iter().flatten().collect();
    if (values.len() as f64) * (1.0 - level) < 1.0 {
        return Err(NotEstimable::new(
            "bootstrap_too_few",
            format!("{} of {replicates} replicates have a value, too few for a {level} interval", values.len()),
        ));
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    values.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    Ok(BootstrapInterval {
        interval: Interval {
            lower: order_statistic(&values, tail),
            upper: order_statistic(&values, 1.0 - tail),
            level,
            method: "percentile bootstrap over readers and cases",
        },
        variance,
        replicates: values.len(),
    })
}

/// One reader's readings in one modality by increasing rating: (case, diseased, last of its rating).
struct RankedCell(Vec<(usize, bool, bool)>);

impl RankedCell {
    fn new(data: &MrmcData, modality: usize, reader: usize) -> Self {
        let cell = data.cell(modality, reader);
        let mut rated: Vec<(f64, usize)> =
            cell.ratings.iter().zip(cell.cases).map(|(&rating, &case)| (rating, case as usize)).collect();
        rated.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let ends = |at: usize| rated.get(at + 1).is_none_or(|next| next.0 != rated[at].0);
        let ranked = rated.iter().enumerate().map(|(at, &(_, case))| (case, data.cases()[case].diseased, ends(at)));
        Self(ranked.collect())
    }

    /// Successes and comparisons where each case counts as often as it was drawn.
    fn success(&self, times: &[u32]) -> (f64, f64) {
        let (mut successes, mut below, mut positives) = (0.0, 0.0, 0.0);
        let mut level = [0.0; 2];
        for &(case, diseased, last) in &self.0 {
            level[usize::from(diseased)] += f64::from(times[case]);
            if last {
                successes += level[1] * (below + level[0] / 2.0);
                below += level[0];
                positives += level[1];
                level = [0.0; 2];
            }
        }
        (successes, below * positives)
    }
}

fn resample(
    data: &MrmcData,
    modalities: &[Vec<RankedCell>],
    classes: &[Vec<usize>; 2],
    seed: u64,
    replicate: u32,
) -> Option<f64> {
    let mut rng = ChaCha12Rng::seed_from_u64(seed);
    rng.set_stream(u64::from(replicate));
    let readers = data.readers().len();
    let mut reader_times = vec![0_u32; readers];
    for _ in 0..readers {
        reader_times[rng.random_range(0..readers)] += 1;
    }
    let mut case_times = vec![0_u32; data.cases().len()];
    for class in classes {
        for _ in class {
            case_times[class[rng.random_range(0..class.len())]] += 1;
        }
    }
    let mut aucs = modalities.iter().map(|cells| {
        let (successes, comparisons) = cells
            .iter()
            .zip(&reader_times)
            .filter(|(_, times)| **times > 0)
            .map(|(cell, &times)| {
                let (successes, comparisons) = cell.success(&case_times);
                (f64::from(times) * successes, f64::from(times) * comparisons)
            })
            .fold((0.0, 0.0), |sum, cell| (sum.0 + cell.0, sum.1 + cell.1));
        (comparisons > 0.0).then(|| successes / comparisons)
    });
    let first = aucs.next()??;
    match aucs.next() {
        Some(second) => Some(first - second?),
        None => Some(first),
    }
}

/// The p-quantile at position p·(n + 1) of sorted values, between neighbours by a straight line (Davison and Hinkley
/// 1997, Bootstrap Methods, section 5.2).
fn order_statistic(sorted: &[f64], p: f64) -> f64 {
    let position = (p * (sorted.len() as f64 + 1.0) - 1.0).clamp(0.0, sorted.len() as f64 - 1.0);
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - position.floor()) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::mrmc::simulate::{Draw, RoeMetz, Variances, categorise};
    use crate::stats::mrmc::ustat::{Options, analyse};

    fn study() -> MrmcData {
        let variances = Variances {
            reader: 0.05,
            modality_reader: 0.05,
            case: 0.3,
            modality_case: 0.2,
            reader_case: 0.2,
            error: 0.3,
        };
        let data = RoeMetz::two_modalities([1.0, 1.4], &variances)
            .simulate(4, 15, 20, Draw { seed: 21, replicate: 0 })
            .unwrap();
        categorise(&data, &[-0.5, 0.5, 1.5, 2.0]).unwrap()
    }

    #[test]
    fn the_variance_of_many_resamples_is_the_plug_in_variance() {
        let data = study();
        let exact = analyse(&data, &Options::default());
        let one = percentile_interval(&data, 0, None, 0.95, 20_000, 1).unwrap();
        let expected = exact.per_modality[0].mle.variance.clone().unwrap();
        // relative standard error of a variance of 20,000 values: about 1 %
        assert!((one.variance / expected - 1.0).abs() < 0.05, "{} {expected}", one.variance);
        let two = percentile_interval(&data, 0, Some(1), 0.95, 20_000, 1).unwrap();
        let expected = exact.differences[0].mle.variance.clone().unwrap();
        assert!((two.variance / expected - 1.0).abs() < 0.05, "{} {expected}", two.variance);
        assert!(two.interval.lower < two.interval.upper);
    }

    #[test]
    fn each_case_drawn_once_gives_the_auc_itself() {
        let data = study();
        let exact = analyse(&data, &Options::default());
        let (successes, comparisons) = RankedCell::new(&data, 0, 2).success(&vec![1; data.cases().len()]);
        assert_eq!(Ok(successes / comparisons), exact.per_modality[0].per_reader[2].auc);
    }

    #[test]
    fn quantiles_lie_between_order_statistics() {
        let sorted = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(order_statistic(&sorted, 0.5), 2.5);
        assert_eq!(order_statistic(&sorted, 0.01), 1.0);
        assert_eq!(order_statistic(&sorted, 0.99), 4.0);
    }

    #[test]
    fn a_modality_without_comparisons_or_too_few_replicates_is_refused() {
        let data = study();
        assert_eq!(percentile_interval(&data, 0, Some(1), 0.95, 10, 1).unwrap_err().code, "bootstrap_too_few");
        let one_class = data.filter(|row| row.case < 15).unwrap();
        assert!(percentile_interval(&one_class, 0, Some(1), 0.95, 1000, 1).is_err());
    }
}
