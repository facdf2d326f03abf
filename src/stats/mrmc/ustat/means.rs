//! Means of readings (scores, sensitivity, specificity) with their variances over readers and cases.
//!
//! A value of each reading is averaged: the rating itself, or 1/0 for a rating on the right side of a threshold. Its
//! second moments have two random effects, readers and cases, so that four kinds of pair of readings exist: neither
//! shared, the case shared, the reader shared, both (Gallas, Pennello and Myers 2007, Journal of the Optical Society of
//! America A 24:B70, for one value a reading).

use super::{Estimable, NotEstimable};
use crate::stats::Interval;
use crate::stats::mrmc::MrmcData;
use crate::stats::quantiles::norm_multiplier;
use serde::Serialize;

/// How pairs of readings are weighted within a moment. Both agree on fully crossed data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MomentWeights {
    /// Every pair of readings counts the same: unbiased for every design.
    Joint,
    /// Means within readers first, then over readers (iMRMC's `conditionalD`). Where pairs of readers have no case in
    /// common (split-plot designs) its moments are too small and variances can turn negative: prefer [`Self::Joint`].
    ConditionalOnReader,
}

/// Names of the four kinds of pair, in the order of [`MeanReadings::moments`].
pub const PAIR_KINDS: [&str; 4] = ["nothing shared", "case shared", "reader shared", "case and reader shared"];

/// One reader's mean in both modalities.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReaderMean {
    pub reader: usize,
    pub cases: [usize; 2],
    /// `None` where the reader has no reading in the modality.
    pub mean: [Option<f64>; 2],
}

/// Means of two modalities and of their difference; every array of three is (first, second, first − second), for
/// moments and coefficients (first, second, product of both).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeanReadings {
    pub readers: usize,
    pub cases: usize,
    pub mean: [f64; 3],
    /// Can be negative.
    pub variance: [f64; 3],
    /// Variance of one reading (of one difference of readings).
    pub single_variance: [f64; 3],
    pub per_reader: Vec<ReaderMean>,
    /// In the order of [`PAIR_KINDS`].
    pub moments: [[f64; 4]; 3],
    pub coefficients: [[f64; 4]; 3],
}

impl MeanReadings {
    /// Normal interval of `mean[which]`.
    ///
    /// # Errors
    /// The variance estimate is negative.
    pub fn interval(&self, which: usize, level: f64) -> Estimable<Interval> {
        let variance = self.variance[which];
        if variance < 0.0 {
            return Err(NotEstimable::new(
                "negative_variance",
                format!("the variance estimate is negative ({variance:.3e}): too few readers or cases"),
            ));
        }
        let half_width = norm_multiplier(level) * variance.sqrt();
        let mean = self.mean[which];
        Ok(Interval { lower: mean - half_width, upper: mean + half_width, level, method: "U-statistic, normal" })
    }
}

/// Values of one modality, reader by reader over the cases that have a value somewhere; 0 where there is none.
struct Values {
    value: Vec<Vec<f64>>,
    read: Vec<Vec<f64>>,
    sum: Vec<f64>,
    count: Vec<f64>,
}

impl Values {
    fn new(value: Vec<Vec<f64>>, read: Vec<Vec<f64>>) -> Self {
        let sum = value.iter().map(|row| row.iter().sum()).collect();
        let count = read.iter().map(|row| row.iter().sum()).collect();
        Self { value, read, sum, count }
    }

    fn total(&self) -> (f64, f64) {
        (self.sum.iter().sum(), self.count.iter().sum())
    }
}

/// Mean of `value(diseased, rating)` in two modalities; readings for which it is `None` are left out.
///
/// Sensitivity at "positive is ≥ 3": `|diseased, rating| diseased.then(|| f64::from(u8::from(rating >= 3.0)))`.
///
/// # Errors
/// A modality without a value.
pub fn mean_readings(
    data: &MrmcData,
    first: usize,
    second: usize,
    weights: MomentWeights,
    value: impl Fn(bool, f64) -> Option<f64>,
) -> Estimable<MeanReadings> {
    let of_cell = |modality: usize, reader: usize| -> Vec<(u32, f64)> {
        let cell = data.cell(modality, reader);
        let diseased = |case: u32| data.cases()[case as usize].diseased;
        cell.cases
            .iter()
            .zip(cell.ratings)
            .filter_map(|(&case, &rating)| Some((case, value(diseased(case), rating)?)))
            .collect()
    };
    let cells: [Vec<Vec<(u32, f64)>>; 2] =
        [first, second].map(|modality| (0..data.readers().len()).map(|reader| of_cell(modality, reader)).collect());
    let mut cases: Vec<u32> = cells.iter().flatten().flatten().map(|&(case, _)| case).collect();
    cases.sort_unstable();
    cases.dedup();
    let readers: Vec<usize> =
        (0..data.readers().len()).filter(|&reader| cells.iter().any(|modality| !modality[reader].is_empty())).collect();
    let [a, b] = cells.each_ref().map(|modality| {
        let mut values = vec![vec![0.0; cases.len()]; readers.len()];
        let mut read = values.clone();
        for (row, &reader) in readers.iter().enumerate() {
            for &(case, value) in &modality[reader] {
                let place = cases.partition_point(|&other| other < case);
                values[row][place] = value;
                read[row][place] = 1.0;
            }
        }
        Values::new(values, read)
    });
    let means = [&a, &b].map(|modality| {
        let (sum, count) = modality.total();
        sum / count
    });
    if means.iter().any(|mean| mean.is_nan()) {
        return Err(NotEstimable::new("no_reading", "a modality has no reading of this kind"));
    }
    let pairs = [(&a, &a), (&b, &b), (&a, &b)].map(|(x, y)| match weights {
        MomentWeights::Joint => joint(x, y),
        MomentWeights::ConditionalOnReader => conditional(x, y),
    });
    let [own_a, own_b, product] = pairs.map(|(moments, coefficients)| -> f64 {
        moments.iter().zip(coefficients).map(|(moment, coefficient)| moment * coefficient).sum()
    });
    let single = pairs.map(|(moments, _)| moments[3] - moments[0]);
    let per_reader = readers
        .iter()
        .enumerate()
        .map(|(row, &reader)| ReaderMean {
            reader,
            cases: cells.each_ref().map(|modality| modality[reader].len()),
            mean: [&a, &b].map(|values| (values.count[row] > 0.0).then(|| values.sum[row] / values.count[row])),
        })
        .collect();
    Ok(MeanReadings {
        readers: readers.len(),
        cases: cases.len(),
        mean: [means[0], means[1], means[0] - means[1]],
        variance: [own_a, own_b, own_a + own_b - 2.0 * product],
        single_variance: [single[0], single[1], single[0] + single[1] - 2.0 * single[2]],
        per_reader,
        moments: pairs.map(|(moments, _)| moments),
        coefficients: pairs.map(|(_, coefficients)| coefficients),
    })
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn column_sums(rows: &[Vec<f64>]) -> Vec<f64> {
    let mut sums = vec![0.0; rows.first().map_or(0, Vec::len)];
    for row in rows {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
    sums
}

/// All pairs of readings weigh the same; a kind without a pair has moment and coefficient 0.
fn joint(x: &Values, y: &Values) -> ([f64; 4], [f64; 4]) {
    let inclusive = |a: &[Vec<f64>], b: &[Vec<f64>], sums: [&[f64]; 2]| {
        let all = sums[0].iter().sum::<f64>() * sums[1].iter().sum::<f64>();
        let case = dot(&column_sums(a), &column_sums(b));
        let reader = dot(sums[0], sums[1]);
        let both: f64 = a.iter().zip(b).map(|(a, b)| dot(a, b)).sum();
        [all - case - reader + both, case - both, reader - both, both]
    };
    let numerators = inclusive(&x.value, &y.value, [&x.sum, &y.sum]);
    let denominators = inclusive(&x.read, &y.read, [&x.count, &y.count]);
    let all = x.total().1 * y.total().1;
    let moments = std::array::from_fn(|k| if denominators[k] > 0.0 { numerators[k] / denominators[k] } else { 0.0 });
    let mut coefficients = denominators.map(|count| count / all);
    coefficients[0] -= 1.0;
    (moments, coefficients)
}

/// Sum over those terms that exist (0/0 where a reader or a pair of readers has no reading).
fn sum_known(terms: impl Iterator<Item = f64>) -> f64 {
    terms.filter(|term| !term.is_nan()).sum()
}

fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator > 0.0 { numerator / denominator } else { 0.0 }
}

fn conditional(x: &Values, y: &Values) -> ([f64; 4], [f64; 4]) {
    let readers = x.count.len();
    let cases = x.read.first().map_or(0, Vec::len);
    let weight = |values: &Values| -> Vec<f64> {
        let total = values.total().1;
        values.count.iter().map(|count| count / total).collect()
    };
    let (wx, wy) = (weight(x), weight(y));
    let shared = |r: usize, s: usize| dot(&x.read[r], &y.read[s]);
    // share of a reader pair's pairs of readings that are of one case
    let same_case = |r: usize, s: usize| shared(r, s) / (x.count[r] * y.count[s]);
    // mean over a reader's cases of x times the mean of the other's other cases
    let apart = |r: usize, s: usize| -> f64 {
        (0..cases)
            .map(|c| (x.value[r][c], y.sum[s] - y.value[s][c], y.count[s] - y.read[s][c]))
            .map(|(own, sum, count)| own * (sum / count))
            .sum::<f64>()
            / x.count[r]
    };
    let apart_known = |r: usize| -> f64 {
        sum_known((0..cases).map(|c| x.value[r][c] * ((y.sum[r] - y.value[r][c]) / (y.count[r] - y.read[r][c]))))
            / x.count[r]
    };
    let own: Vec<usize> = (0..readers).collect();
    let other: Vec<(usize, usize)> =
        own.iter().flat_map(|&r| (0..readers).filter(move |&s| s != r).map(move |s| (r, s))).collect();
    let geometric = |r: usize| (wx[r] * wy[r]).sqrt();
    let own_weight: f64 = own.iter().map(|&r| geometric(r)).sum();
    let other_weight: f64 = other.iter().map(|&(r, s)| wx[r] * wy[s]).sum();
    let moments = [
        ratio(sum_known(other.iter().map(|&(r, s)| wx[r] * wy[s] * apart(r, s))), other_weight),
        ratio(
            sum_known(other.iter().map(|&(r, s)| wx[r] * wy[s] * (dot(&x.value[r], &y.value[s]) / shared(r, s)))),
            other_weight,
        ),
        ratio(sum_known(own.iter().map(|&r| geometric(r) * apart_known(r))), own_weight),
        ratio(
            sum_known(own.iter().map(|&r| geometric(r) * (dot(&x.value[r], &y.value[r]) / shared(r, r)))),
            own_weight,
        ),
    ];
    let coefficients = [
        sum_known(other.iter().map(|&(r, s)| wx[r] * wy[s] * (1.0 - same_case(r, s)))) - 1.0,
        sum_known(other.iter().map(|&(r, s)| wx[r] * wy[s] * same_case(r, s))),
        sum_known(own.iter().map(|&r| wx[r] * wy[r] * (1.0 - same_case(r, r)))),
        sum_known(own.iter().map(|&r| wx[r] * wy[r] * same_case(r, r))),
    ];
    (moments, coefficients)
}
