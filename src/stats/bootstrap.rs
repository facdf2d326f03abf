//! Bootstrap intervals from resampled values, and the stratified bootstrap of one or two areas at full speed.
//!
//! Resamples of reader studies are drawn in [`super::mrmc`]; here stand the intervals that any resampled statistic
//! can use. Values that did not exist are counted by whoever drew them and never enter as numbers.

use super::proportion::check_level;
use super::quantiles::{norm_cdf, norm_quantile};
use super::roc::{check_scores, for_each_level, sorted, sorted_auc};
use super::{Estimable, Interval, NotEstimable};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rayon::prelude::*;
use serde::Serialize;

/// The resampled values of a statistic.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replicates {
    /// On the data as they are.
    pub estimate: f64,
    /// In the order of the replicates.
    pub values: Vec<f64>,
    /// Resamples in which the statistic did not exist.
    pub unusable: usize,
}

/// Percentile interval: the α/2 and 1 − α/2 quantiles of the values (type 7 of Hyndman & Fan 1996).
pub fn percentile(values: &[f64], level: f64) -> Estimable<Interval> {
    let sorted = usable(values, level)?;
    let tail = 0.5 * (1.0 - level);
    Ok(Interval {
        lower: quantile(&sorted, tail),
        upper: quantile(&sorted, 1.0 - tail),
        level,
        method: "percentile bootstrap",
    })
}

/// Basic interval: the percentile interval mirrored at the estimate, 2θ̂ − q(1 − α/2) to 2θ̂ − q(α/2)
/// (Davison & Hinkley 1997, eq. 5.6). It may leave the range of the parameter.
pub fn basic(values: &[f64], estimate: f64, level: f64) -> Estimable<Interval> {
    check_estimate(estimate)?;
    let mirrored = percentile(values, level)?;
    Ok(Interval {
        lower: 2.0 * estimate - mirrored.upper,
        upper: 2.0 * estimate - mirrored.lower,
        level,
        method: "basic bootstrap",
    })
}

/// Bias-corrected and accelerated interval (Efron 1987): quantiles at Φ(z₀ + (z₀ + z)/(1 − a(z₀ + z))).
///
/// z₀ comes from the share of values below the estimate (equal ones count one half), the acceleration
/// a = Σ(θ̄ − θᵢ)³ / (6 (Σ(θ̄ − θᵢ)²)^1.5) from the `jackknife` values, one left out unit (case or patient) each.
pub fn bca(values: &[f64], estimate: f64, jackknife: &[f64], level: f64) -> Estimable<Interval> {
    check_estimate(estimate)?;
    let sorted = usable(values, level)?;
    if jackknife.len() < 3 || jackknife.iter().any(|value| !value.is_finite()) {
        return Err(NotEstimable::new(
            "jackknife_too_few",
            format!("the acceleration needs three finite jackknife values, of {} given", jackknife.len()),
        ));
    }
    let below = sorted.partition_point(|&value| value < estimate);
    let equal = sorted[below..].partition_point(|&value| value <= estimate);
    let share = (below as f64 + 0.5 * equal as f64) / sorted.len() as f64;
    if share <= 0.0 || share >= 1.0 {
        return Err(NotEstimable::new(
            "bootstrap_one_sided",
            format!("all {} resampled values lie on one side of the estimate {estimate}", sorted.len()),
        ));
    }
    let z0 = norm_quantile(share);
    let mean = jackknife.iter().sum::<f64>() / jackknife.len() as f64;
    let (squares, cubes) = jackknife.iter().fold((0.0, 0.0), |(squares, cubes), value| {
        let gap = mean - value;
        (squares + gap * gap, cubes + gap * gap * gap)
    });
    if squares == 0.0 {
        return Err(NotEstimable::new("zero_variance", "the jackknife values are all equal: no acceleration"));
    }
    let acceleration = cubes / (6.0 * squares.powf(1.5));
    let tail = 0.5 * (1.0 - level);
    let at = |p: f64| {
        let z = z0 + norm_quantile(p);
        let scale = 1.0 - acceleration * z;
        (scale > 0.0).then(|| norm_cdf(z0 + z / scale))
    };
    let (Some(low), Some(high)) = (at(tail), at(1.0 - tail)) else {
        return Err(NotEstimable::new(
            "acceleration_too_large",
            format!("the acceleration {acceleration} leaves no BCa interval at level {level}"),
        ));
    };
    Ok(Interval { lower: quantile(&sorted, low), upper: quantile(&sorted, high), level, method: "BCa bootstrap" })
}

/// Studentised interval θ̂ − t*(1 − α/2)·SE to θ̂ − t*(α/2)·SE with t* = (θ* − θ̂)/SE* (Davison & Hinkley 1997, eq. 5.7).
///
/// `pairs` holds (θ*, SE*) of the usable replicates, every SE* > 0.
pub fn studentised(pairs: &[(f64, f64)], estimate: f64, standard_error: f64, level: f64) -> Estimable<Interval> {
    check_estimate(estimate)?;
    if !(standard_error > 0.0 && standard_error.is_finite()) || pairs.iter().any(|pair| pair.1 <= 0.0) {
        return Err(NotEstimable::new("zero_variance", "a studentised bootstrap needs positive standard errors"));
    }
    let t: Vec<f64> = pairs.iter().map(|(value, se)| (value - estimate) / se).collect();
    let limits = percentile(&t, level)?;
    Ok(Interval {
        lower: estimate - limits.upper * standard_error,
        upper: estimate - limits.lower * standard_error,
        level,
        method: "studentised bootstrap",
    })
}

/// The standard deviation of the values (denominator B − 1).
pub fn standard_error(values: &[f64]) -> Estimable<f64> {
    if values.len() < 2 || values.iter().any(|value| !value.is_finite()) {
        return Err(NotEstimable::new(
            "bootstrap_too_few",
            format!("a standard error needs two finite resampled values, of {} given", values.len()),
        ));
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    Ok((values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
}

/// The area of `replicates` resamples of the cases within their truth classes.
///
/// Replicate i draws from stream i of ChaCha12 seeded with `seed`, so the values do not depend on the number of threads.
/// Each resample is an exact draw with replacement; what makes it fast is that the scores are sorted into levels
/// once, and a resample only counts how often each level came up: O(cases) a replicate without any sorting.
pub fn stratified_auc(positive: &[f64], negative: &[f64], replicates: usize, seed: u64) -> Estimable<Replicates> {
    check_scores(positive, negative)?;
    let (positive, negative) = (sorted(positive), sorted(negative));
    let levels = Levels::new(&positive, &negative);
    let values = (0..replicates as u64)
        .into_par_iter()
        .map_init(
            || (vec![0_u32; levels.count], vec![0_u32; levels.count], Box::new([0_u32; WORDS])),
            |(p, q, words), replicate| {
                let mut draw = Draw::new(seed, replicate, words);
                draw.count(&levels.of_positive, p);
                draw.count(&levels.of_negative, q);
                area(p, q, positive.len(), negative.len())
            },
        )
        .collect();
    Ok(Replicates { estimate: sorted_auc(&positive, &negative), values, unusable: 0 })
}

/// The index of the score level of each case, cases in sorted order.
struct Levels {
    of_positive: Vec<u32>,
    of_negative: Vec<u32>,
    count: usize,
}

impl Levels {
    fn new(positive: &[f64], negative: &[f64]) -> Self {
        let (mut of_positive, mut of_negative) = (Vec::new(), Vec::new());
        let mut count = 0_u32;
        for_each_level(positive, negative, |_, positives, negatives| {
            of_positive.extend((0..positives).map(|_| count));
            of_negative.extend((0..negatives).map(|_| count));
            count += 1;
        });
        Self { of_positive, of_negative, count: count as usize }
    }
}

const WORDS: usize = 1024;

/// Random words in blocks, as asking for them one by one costs more than making them.
struct Draw<'a> {
    rng: ChaCha12Rng,
    words: &'a mut [u32; WORDS],
}

impl<'a> Draw<'a> {
    fn new(seed: u64, replicate: u64, words: &'a mut [u32; WORDS]) -> Self {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        rng.set_stream(replicate);
        Self { rng, words }
    }

    /// As many draws as there are cases, each adding one to the count of its level.
    fn count(&mut self, level_of: &[u32], counts: &mut [u32]) {
        counts.fill(0);
        let n = level_of.len() as u32;
        // Lemire (2019): word·n/2³² is uniform once the lowest 2³² mod n products are thrown away.
        let rejected = n.wrapping_neg() % n;
        let mut left = level_of.len();
        while left > 0 {
            for word in self.words.iter_mut() {
                *word = self.rng.next_u32();
            }
            for &word in self.words.iter() {
                let product = u64::from(word) * u64::from(n);
                if (product as u32) < rejected {
                    continue;
                }
                counts[level_of[(product >> 32) as usize] as usize] += 1;
                left -= 1;
                if left == 0 {
                    break;
                }
            }
        }
    }
}

/// The area from the counts of each level, ascending.
fn area(positive: &[u32], negative: &[u32], m: usize, n: usize) -> f64 {
    let (mut below, mut halves) = (0_u64, 0_u64);
    for (&p, &q) in positive.iter().zip(negative) {
        halves += u64::from(p) * (2 * below + u64::from(q));
        below += u64::from(q);
    }
    halves as f64 / (2.0 * m as f64 * n as f64)
}

/// The values in ascending order, if there are enough of them for the tails of the interval.
fn usable(values: &[f64], level: f64) -> Estimable<Vec<f64>> {
    check_level(level)?;
    if values.iter().any(|value| !value.is_finite()) {
        return Err(NotEstimable::new("not_finite", "a resampled value is not a finite number"));
    }
    let needed = (2.0 / (1.0 - level)).ceil() as usize;
    if values.len() < needed {
        return Err(NotEstimable::new(
            "bootstrap_too_few",
            format!("an interval at level {level} needs {needed} usable resamples, {} are there", values.len()),
        ));
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Ok(sorted)
}

/// Type 7: linear between the order statistics at 1 + (n − 1)p.
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = (sorted.len() - 1) as f64 * p;
    let low = at.floor() as usize;
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (at - low as f64) * (sorted[high] - sorted[low])
}

fn check_estimate(estimate: f64) -> Estimable<()> {
    if estimate.is_finite() {
        return Ok(());
    }
    Err(NotEstimable::new("not_finite", format!("the estimate {estimate} is not a finite number")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::roc::delong;

    #[test]
    fn quantiles_and_the_mirror() {
        let values: Vec<f64> = (0..=100).map(f64::from).collect();
        let interval = percentile(&values, 0.9).unwrap();
        assert!((interval.lower - 5.0).abs() < 1e-12 && (interval.upper - 95.0).abs() < 1e-12);
        let mirrored = basic(&values, 40.0, 0.9).unwrap();
        assert!((mirrored.lower - -15.0).abs() < 1e-12 && (mirrored.upper - 75.0).abs() < 1e-12);
        assert_eq!(percentile(&values[..10], 0.95).unwrap_err().code, "bootstrap_too_few");
        assert_eq!(percentile(&[f64::NAN; 100], 0.9).unwrap_err().code, "not_finite");
    }

    #[test]
    fn bca_without_bias_and_skewness_is_percentile() {
        let values: Vec<f64> = (0..=100).map(f64::from).collect();
        let jackknife = [1.0, 2.0, 3.0, 4.0, 5.0];
        let plain = percentile(&values, 0.9).unwrap();
        let corrected = bca(&values, 50.0, &jackknife, 0.9).unwrap();
        assert!((corrected.lower - plain.lower).abs() < 1e-9 && (corrected.upper - plain.upper).abs() < 1e-9);
        // Most values above the estimate: z₀ < 0 pulls both ends down.
        let pulled = bca(&values, 40.0, &jackknife, 0.9).unwrap();
        assert!(pulled.lower < plain.lower && pulled.upper < plain.upper);
        assert_eq!(bca(&values, 200.0, &jackknife, 0.9).unwrap_err().code, "bootstrap_one_sided");
        assert_eq!(bca(&values, 50.0, &[1.0; 5], 0.9).unwrap_err().code, "zero_variance");
    }

    #[test]
    fn studentised_with_equal_errors_is_basic() {
        let pairs: Vec<(f64, f64)> = (0..=100).map(|i| (f64::from(i), 2.0)).collect();
        let values: Vec<f64> = pairs.iter().map(|pair| pair.0).collect();
        let t = studentised(&pairs, 40.0, 2.0, 0.9).unwrap();
        let mirrored = basic(&values, 40.0, 0.9).unwrap();
        assert!((t.lower - mirrored.lower).abs() < 1e-12 && (t.upper - mirrored.upper).abs() < 1e-12);
    }

    #[test]
    fn resampled_areas_spread_as_delong_says() {
        let positive: Vec<f64> = (0..60).map(|i| f64::from(i % 12) + 3.0).collect();
        let negative: Vec<f64> = (0..80).map(|i| f64::from(i % 10)).collect();
        let drawn = stratified_auc(&positive, &negative, 4000, 7).unwrap();
        let se = standard_error(&drawn.values).unwrap();
        let want = delong(&positive, &negative, 0.95).unwrap();
        assert_eq!(drawn.estimate, want.auc);
        // 4000 replicates give an SE to about 1.1 %; the bootstrap's is smaller by half a case or so in sixty.
        assert!((se / want.standard_error - 1.0).abs() < 0.05, "{se} {}", want.standard_error);
    }

    #[test]
    fn a_resample_is_a_uniform_draw() {
        // n = 3: the counts of 3 draws from 3 levels have known chances, 6/27 for (1, 1, 1) and 1/27 for (3, 0, 0).
        let mut all_different = 0;
        let mut all_first = 0;
        let mut words = [0; WORDS];
        for replicate in 0..20_000 {
            let mut counts = [0; 3];
            Draw::new(1, replicate, &mut words).count(&[0, 1, 2], &mut counts);
            all_different += u32::from(counts == [1, 1, 1]);
            all_first += u32::from(counts == [3, 0, 0]);
        }
        // four standard errors
        assert!((f64::from(all_different) / 20_000.0 - 6.0 / 27.0).abs() < 0.0118);
        assert!((f64::from(all_first) / 20_000.0 - 1.0 / 27.0).abs() < 0.0054);
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let positive: Vec<f64> = (0..50).map(|i| f64::from(i * 7 % 31)).collect();
        let negative: Vec<f64> = (0..70).map(|i| f64::from(i * 5 % 23)).collect();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| stratified_auc(&positive, &negative, 300, 11).unwrap())
        };
        assert_eq!(run(1), run(2));
        assert_eq!(run(1), run(4));
    }
}
