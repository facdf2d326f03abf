//! Resampling of whole curves: any statistic of one or several curves, and Venkatraman's tests of their equality.

use super::{RocCurve, check_scores, roc_curve};
use crate::stats::bootstrap::{Replicates, percentile, standard_error};
use crate::stats::quantiles::norm_two_sided_p;
use crate::stats::{Estimable, Interval, NotEstimable};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rayon::prelude::*;
use serde::Serialize;

/// How cases are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum CasePlan {
    /// As many of each truth class as there are: a class is never lost.
    WithinTruth,
    /// All cases together: with few positives some resamples have none, and are counted as unusable.
    AllCases,
}

/// Positive and negative scores of one curve.
pub type Scores<'a> = (&'a [f64], &'a [f64]);

/// `statistic` of curves over the same cases, for `replicates` resamples of these cases.
///
/// Every curve sees the same drawn cases. Replicate i draws from stream i of ChaCha12 seeded with `seed`.
/// A resample in which the statistic does not exist is counted and left out.
pub fn resample_curves<F>(
    curves: &[Scores<'_>],
    plan: CasePlan,
    replicates: usize,
    seed: u64,
    statistic: F,
) -> Estimable<Replicates>
where
    F: Fn(&[RocCurve]) -> Estimable<f64> + Sync,
{
    let (m, n) = same_cases(curves)?;
    let all = curves.iter().map(|(p, q)| roc_curve(p, q)).collect::<Estimable<Vec<_>>>()?;
    let estimate = statistic(&all)?;
    let one = |replicate: u64| -> Option<f64> {
        let mut rng = stream_of(seed, replicate);
        let (mut positive, mut negative) = (Vec::with_capacity(m), Vec::with_capacity(n));
        match plan {
            CasePlan::WithinTruth => {
                positive.extend((0..m).map(|_| rng.random_range(0..m)));
                negative.extend((0..n).map(|_| rng.random_range(0..n)));
            }
            CasePlan::AllCases => {
                for _ in 0..m + n {
                    let case = rng.random_range(0..m + n);
                    if case < m { positive.push(case) } else { negative.push(case - m) }
                }
            }
        }
        let pick = |scores: &[f64], drawn: &[usize]| drawn.iter().map(|&case| scores[case]).collect::<Vec<_>>();
        let drawn = curves
            .iter()
            .map(|(p, q)| roc_curve(&pick(p, &positive), &pick(q, &negative)))
            .collect::<Estimable<Vec<_>>>();
        drawn.and_then(|curves| statistic(&curves)).ok().filter(|value| value.is_finite())
    };
    let drawn: Vec<Option<f64>> = (0..replicates as u64).into_par_iter().map(one).collect();
    let values: Vec<f64> = drawn.iter().flatten().copied().collect();
    Ok(Replicates { estimate, unusable: replicates - values.len(), values })
}

/// The difference of a statistic of two curves on the same cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CurveDifference {
    pub first: f64,
    pub second: f64,
    /// first − second
    pub difference: f64,
    /// Standard deviation of the resampled differences.
    pub standard_error: f64,
    pub z: f64,
    /// Two-sided, normal.
    pub p: f64,
    /// Percentile interval of the resampled differences.
    pub interval: Interval,
    pub usable: usize,
    /// Resamples in which the statistic did not exist.
    pub unusable: usize,
}

/// Bootstrap test of two curves on the same cases in any statistic: a partial area, a sensitivity at a specificity
/// (Hanley & McNeil 1983's z with the bootstrap's standard error). Arguments as in [`resample_curves`].
pub fn difference_of_curves<F>(
    [first, second]: [Scores<'_>; 2],
    plan: CasePlan,
    (replicates, seed): (usize, u64),
    level: f64,
    statistic: F,
) -> Estimable<CurveDifference>
where
    F: Fn(&RocCurve) -> Estimable<f64> + Sync,
{
    let (one, two) = (statistic(&roc_curve(first.0, first.1)?)?, statistic(&roc_curve(second.0, second.1)?)?);
    let difference = |curves: &[RocCurve]| Ok(statistic(&curves[0])? - statistic(&curves[1])?);
    let drawn = resample_curves(&[first, second], plan, replicates, seed, difference)?;
    let spread = standard_error(&drawn.values)?;
    if spread == 0.0 {
        return Err(NotEstimable::new("zero_variance", "the difference is the same in every resample"));
    }
    let z = drawn.estimate / spread;
    Ok(CurveDifference {
        first: one,
        second: two,
        difference: drawn.estimate,
        standard_error: spread,
        z,
        p: norm_two_sided_p(z),
        interval: percentile(&drawn.values, level)?,
        usable: drawn.values.len(),
        unusable: drawn.unusable,
    })
}

/// A permutation test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PermutationTest {
    pub statistic: f64,
    /// (1 + permutations at least as extreme) / (1 + permutations), never 0.
    pub p: f64,
    pub permutations: usize,
}

/// Venkatraman & Begg's (1996) test that two curves on the same cases are equal at every operating point.
///
/// Statistic Σₖ |errors of the first − errors of the second when the k lowest ranks are called negative|. Under the null
/// the two ranks of a case are exchangeable: each permutation swaps them with probability ½ and ranks anew. Ties are
/// broken at random from the seed (stream 0 for the data, i for permutation i), as the paper does, so tied data give a
/// p-value that depends on the seed; it is the same for the same seed.
pub fn venkatraman_paired(
    first: Scores<'_>,
    second: Scores<'_>,
    permutations: usize,
    seed: u64,
) -> Estimable<PermutationTest> {
    let (m, n) = same_cases(&[first, second])?;
    if permutations == 0 {
        return Err(NotEstimable::new("bootstrap_too_few", "a permutation test needs permutations"));
    }
    check_scores(first.0, first.1)?;
    check_scores(second.0, second.1)?;
    let stream = |at| stream_of(seed, at);
    let mut rng = stream(0);
    // Case order: positives first.
    let mut all = |(p, q): Scores<'_>| ranks(&p.iter().chain(q).copied().collect::<Vec<_>>(), &mut rng);
    let (r, s) = (all(first), all(second));
    let observed = distance(&r, &s, m);
    let extreme = (1..=permutations as u64)
        .into_par_iter()
        .filter(|&at| {
            let mut rng = stream(at);
            let (mut a, mut b) = (Vec::with_capacity(m + n), Vec::with_capacity(m + n));
            for (&x, &y) in r.iter().zip(&s) {
                let (x, y) = if rng.random::<bool>() { (y, x) } else { (x, y) };
                a.push(f64::from(x));
                b.push(f64::from(y));
            }
            distance(&ranks(&a, &mut rng), &ranks(&b, &mut rng), m) >= observed
        })
        .count();
    Ok(PermutationTest {
        statistic: observed as f64,
        p: (1 + extreme) as f64 / (1 + permutations) as f64,
        permutations,
    })
}

/// Venkatraman's (2000) test that two curves on different cases are equal at every operating point.
///
/// A score becomes u = κF(score) + (1 − κ)G(score), F and G the cumulative shares of its own sample's positives and
/// negatives, κ the positives' share of all cases. Under the null u has the same distribution in both samples, class by
/// class, whatever the scales of the scores. The statistic is the area between the two curves of the error rate
/// κF + (1 − κ)(1 − G) over u in [0, 1]; a permutation deals the positives' u out anew, and the negatives'. Ties are
/// broken at random as in [`venkatraman_paired`]. pROC permutes the ranks themselves, which is the same where both
/// samples have equal numbers of each class, and not comparable between samples of different size.
pub fn venkatraman_unpaired(
    first: Scores<'_>,
    second: Scores<'_>,
    permutations: usize,
    seed: u64,
) -> Estimable<PermutationTest> {
    if permutations == 0 {
        return Err(NotEstimable::new("bootstrap_too_few", "a permutation test needs permutations"));
    }
    check_scores(first.0, first.1)?;
    check_scores(second.0, second.1)?;
    let positives = first.0.len() + second.0.len();
    let share = positives as f64 / (positives + first.1.len() + second.1.len()) as f64;
    let mut rng = stream_of(seed, 0);
    let (one, two) = (Sample::new(first, share, &mut rng), Sample::new(second, share, &mut rng));
    let observed = one.distance(&two, share, &mut rng);
    let deal = |a: &[f64], b: &[f64], rng: &mut ChaCha12Rng| {
        let mut pool = [a, b].concat();
        for at in (1..pool.len()).rev() {
            pool.swap(at, rng.random_range(0..=at));
        }
        let rest = pool.split_off(a.len());
        (pool, rest)
    };
    let extreme = (1..=permutations as u64)
        .into_par_iter()
        .filter(|&at| {
            let mut rng = stream_of(seed, at);
            let (p, s) = deal(&one.positive, &two.positive, &mut rng);
            let (q, t) = deal(&one.negative, &two.negative, &mut rng);
            let (a, b) = (Sample { positive: p, negative: q }, Sample { positive: s, negative: t });
            a.distance(&b, share, &mut rng) >= observed
        })
        .count();
    Ok(PermutationTest { statistic: observed, p: (1 + extreme) as f64 / (1 + permutations) as f64, permutations })
}

fn stream_of(seed: u64, stream: u64) -> ChaCha12Rng {
    let mut rng = ChaCha12Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// u of the positive and negative cases of one sample.
struct Sample {
    positive: Vec<f64>,
    negative: Vec<f64>,
}

impl Sample {
    fn new((positive, negative): Scores<'_>, share: f64, rng: &mut ChaCha12Rng) -> Self {
        let scores: Vec<f64> = positive.iter().chain(negative).copied().collect();
        let mut u = vec![0.0; scores.len()];
        let walk = walk(&ranks(&scores, rng), positive.len(), share);
        for (case, rank) in walk.order.into_iter().zip(1..) {
            u[case] = walk.points[rank].0;
        }
        let negative = u.split_off(positive.len());
        Self { positive: u, negative }
    }

    fn distance(&self, other: &Self, share: f64, rng: &mut ChaCha12Rng) -> f64 {
        let mut errors = |sample: &Self| {
            let all = [&sample.positive[..], &sample.negative].concat();
            walk(&ranks(&all, rng), sample.positive.len(), share).points
        };
        area_between(&errors(self), &errors(other))
    }
}

struct Walk {
    /// (u, error rate) before the lowest case and after each.
    points: Vec<(f64, f64)>,
    /// Cases in ascending order.
    order: Vec<usize>,
}

/// Cases are numbered with the positives first. The last u is 1 exactly, so that all walks end at the same place.
fn walk(ranks: &[u32], positives: usize, share: f64) -> Walk {
    let negatives = ranks.len() - positives;
    let mut order = vec![0; ranks.len()];
    for (case, rank) in ranks.iter().enumerate() {
        order[*rank as usize] = case;
    }
    let mut points = Vec::with_capacity(ranks.len() + 1);
    let (mut f, mut g) = (0, 0);
    points.push((0.0, 1.0 - share));
    for &case in &order {
        if case < positives {
            f += 1
        } else {
            g += 1
        }
        let (f, g) = (f64::from(f) / positives as f64, f64::from(g) / negatives as f64);
        points.push((share * f + (1.0 - share) * g, share * f + (1.0 - share) * (1.0 - g)));
    }
    Walk { points, order }
}

/// ∫|a − b| of two piecewise linear functions over the same range, exactly.
fn area_between(a: &[(f64, f64)], b: &[(f64, f64)]) -> f64 {
    let at = |line: &[(f64, f64)], next: usize, x: f64| {
        let (from, to) = (line[next - 1], line[next.min(line.len() - 1)]);
        if to.0 > from.0 { from.1 + (to.1 - from.1) * (x - from.0) / (to.0 - from.0) } else { to.1 }
    };
    let (mut i, mut j) = (1, 1);
    let (mut x, mut gap, mut sum) = (a[0].0, a[0].1 - b[0].1, 0.0);
    while i < a.len() && j < b.len() {
        let next = a[i].0.min(b[j].0);
        let then = at(a, i, next) - at(b, j, next);
        let both = gap.abs() + then.abs();
        if both > 0.0 {
            let mean = if gap * then < 0.0 { (gap * gap + then * then) / (2.0 * both) } else { 0.5 * both };
            sum += (next - x) * mean;
        }
        (x, gap) = (next, then);
        let (step_a, step_b) = (a[i].0 <= next, b[j].0 <= next);
        i += usize::from(step_a);
        j += usize::from(step_b);
    }
    sum
}

/// Ranks 0, 1, …, ties in random order.
fn ranks(scores: &[f64], rng: &mut ChaCha12Rng) -> Vec<u32> {
    let mut order: Vec<(f64, u32, u32)> =
        (0_u32..).zip(scores).map(|(at, &score)| (score + 0.0, rng.random(), at)).collect();
    order.sort_unstable_by(|x, y| x.0.total_cmp(&y.0).then(x.1.cmp(&y.1)).then(x.2.cmp(&y.2)));
    let mut ranks = vec![0; scores.len()];
    for (rank, (_, _, case)) in (0..).zip(order) {
        ranks[case as usize] = rank;
    }
    ranks
}

/// Σₖ |eₖ|. With dₖ positives among the k lowest ranks the errors are dₖ + n − (k − dₖ), so their gap is 2(dₖ − dₖ').
fn distance(first: &[u32], second: &[u32], positives: usize) -> u64 {
    let mut change = vec![0_i64; first.len()];
    for case in 0..positives {
        change[first[case] as usize] += 2;
        change[second[case] as usize] -= 2;
    }
    let mut gap = 0;
    change.iter().fold(0, |sum, step| {
        gap += step;
        sum + gap.unsigned_abs()
    })
}

fn same_cases(curves: &[Scores<'_>]) -> Estimable<(usize, usize)> {
    let Some((p, q)) = curves.first() else {
        return Err(NotEstimable::new("no_curve", "nothing to resample"));
    };
    if let Some((a, b)) = curves.iter().find(|(a, b)| a.len() != p.len() || b.len() != q.len()) {
        return Err(NotEstimable::new(
            "unequal_cases",
            format!(
                "curves of the same cases need equal numbers: {} + {} and {} + {}",
                p.len(),
                q.len(),
                a.len(),
                b.len()
            ),
        ));
    }
    Ok((p.len(), q.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::bootstrap::standard_error;
    use crate::stats::roc::delong_paired;
    use crate::stats::roc::partial::{Range, partial_auc};

    /// Two scores of the same cases; the second is the first with its positives moved down.
    fn two(down: f64) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let wave = |i: u32, step: u32| f64::from(i * step % 97) / 97.0;
        let positive: Vec<f64> = (0..60).map(|i| wave(i, 31) + 0.4).collect();
        let negative: Vec<f64> = (0..60).map(|i| wave(i, 17)).collect();
        let lower = positive.iter().zip(0_u32..).map(|(p, i)| p - down - 0.05 * wave(i, 13)).collect();
        (positive, negative, lower)
    }

    #[test]
    fn a_difference_of_areas_spreads_as_delong_says() {
        let (positive, negative, lower) = two(0.1);
        let curves = [(&positive[..], &negative[..]), (&lower[..], &negative[..])];
        let drawn = resample_curves(&curves, CasePlan::WithinTruth, 2000, 3, |c| Ok(c[0].auc - c[1].auc)).unwrap();
        let want = delong_paired(&positive, &negative, &lower, &negative, 0.95).unwrap();
        assert_eq!(drawn.unusable, 0);
        assert!((standard_error(&drawn.values).unwrap() / want.standard_error - 1.0).abs() < 0.08);
    }

    #[test]
    fn partial_areas_have_intervals_and_differences() {
        let (positive, negative, lower) = two(0.3);
        let curves = [(&positive[..], &negative[..]), (&lower[..], &negative[..])];
        let area = |curve: &RocCurve| partial_auc(curve, Range::Specificity(0.8, 1.0)).map(|part| part.area);
        let found = difference_of_curves(curves, CasePlan::WithinTruth, (500, 3), 0.95, area).unwrap();
        assert!(found.interval.lower > 0.0 && found.interval.upper > found.difference, "{found:?}");
        assert!(
            found.p < 0.01 && found.unusable == 0 && (found.z * found.standard_error - found.difference).abs() < 1e-12
        );
        let same = difference_of_curves([curves[0]; 2], CasePlan::WithinTruth, (500, 3), 0.95, area);
        assert_eq!(same.unwrap_err().code, "zero_variance");
    }

    #[test]
    fn curves_of_other_cases_are_told_apart_by_shape_not_by_scale() {
        let (positive, negative, lower) = two(0.3);
        let test = |p: &[f64], q: &[f64]| venkatraman_unpaired((&positive, &negative), (p, q), 999, 5).unwrap();
        let cubed = |scores: &[f64]| scores.iter().map(|x| 7.0 + x.powi(3)).collect::<Vec<_>>();
        let (p, q) = (cubed(&positive), cubed(&negative));
        let same = test(&p, &q);
        assert!(same.statistic.abs() < 1e-15 && same.p == 1.0, "{same:?}");
        // twice the sample on another scale is the same curve
        let doubled = test(&[&p[..], &p].concat(), &[&q[..], &q].concat());
        assert!(doubled.p > 0.9, "{doubled:?}");
        assert!(test(&cubed(&lower), &q).p < 0.01);
        assert_eq!(test(&lower, &negative), test(&lower, &negative));
    }

    /// p below 0.1 in about a tenth of the samples without a difference: 400 of them, five standard errors of 1.5 %.
    #[test]
    fn both_tests_hold_their_level() {
        let (mut paired, mut unpaired) = (0, 0);
        for sample in 0..400 {
            let mut rng = stream_of(17, sample);
            let mut draw = |n: usize, shift: f64| -> Vec<f64> { (0..n).map(|_| rng.random::<f64>() + shift).collect() };
            let (a, b) = ((draw(15, 0.3), draw(20, 0.0)), (draw(15, 0.3), draw(20, 0.0)));
            let (a, b) = ((&a.0[..], &a.1[..]), (&b.0[..], &b.1[..]));
            paired += u32::from(venkatraman_paired(a, b, 99, 1).unwrap().p <= 0.1);
            let other = (draw(25, 5.3), draw(15, 5.0));
            unpaired += u32::from(venkatraman_unpaired(a, (&other.0, &other.1), 99, 1).unwrap().p <= 0.1);
        }
        for share in [paired, unpaired].map(|count| f64::from(count) / 400.0) {
            assert!((share - 0.1).abs() < 0.075, "{paired} {unpaired}");
        }
    }

    #[test]
    fn an_area_between_crossing_lines_is_two_triangles() {
        let (up, down) = ([(0.0, 0.0), (1.0, 1.0)], [(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)]);
        assert!((area_between(&up, &down) - 0.5).abs() < 1e-15);
    }

    #[test]
    fn equal_curves_are_not_told_apart_and_different_ones_are() {
        let (positive, negative, lower) = two(0.3);
        let test = |other: &[f64]| venkatraman_paired((&positive, &negative), (other, &negative), 999, 5).unwrap();
        let same = test(&positive);
        assert_eq!((same.statistic, same.p), (0.0, 1.0));
        assert!(test(&lower).p < 0.01);
        assert_eq!(test(&lower), test(&lower));
        assert!(venkatraman_paired((&positive, &negative), (&lower[1..], &negative), 9, 5).is_err());
    }

    #[test]
    fn distance_counts_errors() {
        // 2 positives, 2 negatives; a perfect against a reversed score: errors 2 1 0 1 2 and 2 3 4 3 2.
        assert_eq!(distance(&[2, 3, 0, 1], &[0, 1, 2, 3], 2), 2 + 4 + 2);
    }
}
