//! What areas, their variances and the bootstrap must not depend on.

use cadproof::stats::bootstrap::stratified_auc;
use cadproof::stats::clustered::clustered_auc;
use cadproof::stats::roc::compare::{CasePlan, difference_of_curves, venkatraman_paired, venkatraman_unpaired};
use cadproof::stats::roc::{auc, delong, delong_components};
use proptest::prelude::*;

/// Few levels, so that ties are common.
fn scores() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let side = || prop::collection::vec((-6_i8..6).prop_map(f64::from), 3..40);
    (side(), side())
}

fn map(scores: &[f64], f: impl Fn(f64) -> f64) -> Vec<f64> {
    scores.iter().map(|&score| f(score)).collect()
}

proptest! {
    #![proptest_config(crate::config(64))]

    #[test]
    fn a_rising_transform_changes_nothing((positive, negative) in scores()) {
        let rise = |score: f64| (score / 3.0).exp() + score;
        let one = delong(&positive, &negative, 0.95);
        let two = delong(&map(&positive, rise), &map(&negative, rise), 0.95);
        prop_assert_eq!(one, two);
    }

    #[test]
    fn swapped_classes_give_the_rest((positive, negative) in scores()) {
        let sum = auc(&positive, &negative).unwrap() + auc(&negative, &positive).unwrap();
        prop_assert!((sum - 1.0).abs() < 1e-15);
        if let (Ok(one), Ok(two)) = (delong(&positive, &negative, 0.95), delong(&negative, &positive, 0.95)) {
            prop_assert!((one.variance - two.variance).abs() < 1e-15);
        }
    }

    #[test]
    fn sorting_agrees_with_all_pairs((positive, negative) in scores()) {
        let kernel = |p: f64, q: f64| if p > q { 1.0 } else if p == q { 0.5 } else { 0.0 };
        let (v10, v01) = delong_components(&positive, &negative).unwrap();
        for (&score, placement) in positive.iter().zip(&v10) {
            let mean = negative.iter().map(|&q| kernel(score, q)).sum::<f64>() / negative.len() as f64;
            prop_assert!((mean - placement).abs() < 1e-14);
        }
        for (&score, placement) in negative.iter().zip(&v01) {
            let mean = positive.iter().map(|&p| kernel(p, score)).sum::<f64>() / positive.len() as f64;
            prop_assert!((mean - placement).abs() < 1e-14);
        }
    }

    #[test]
    fn copied_rows_of_a_patient_leave_its_variance((positive, negative) in scores(), copies in 2_usize..5) {
        // every third row shares a patient with the row before it; patients hold rows of both classes
        let patients = |n: usize| (0..n as u32).map(|i| i - u32::from(i % 3 == 2)).collect::<Vec<_>>();
        let (of_positive, of_negative) = (patients(positive.len()), patients(negative.len()));
        fn repeat<T: Copy>(rows: &[T], copies: usize) -> Vec<T> {
            rows.iter().flat_map(|&row| vec![row; copies]).collect()
        }
        let one = clustered_auc(&positive, &of_positive, &negative, &of_negative, 0.95);
        let two = clustered_auc(
            &repeat(&positive, copies),
            &repeat(&of_positive, copies),
            &repeat(&negative, copies),
            &repeat(&of_negative, copies),
            0.95,
        );
        match (one, two) {
            (Ok(one), Ok(two)) => {
                prop_assert!((one.variance - two.variance).abs() < 1e-13);
                prop_assert!((one.auc - two.auc).abs() < 1e-15);
            }
            // A variance of zero may come out on either side of it by rounding.
            (one, two) => {
                let tiny = |r: Result<_, _>| r.map_or(true, |a: cadproof::stats::clustered::ClusteredAuc| a.variance < 1e-15);
                prop_assert!(tiny(one) && tiny(two));
            }
        }
    }

    #[test]
    fn the_bootstrap_is_the_same_on_any_number_of_threads((positive, negative) in scores(), seed: u64) {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| stratified_auc(&positive, &negative, 64, seed).unwrap())
        };
        let one = run(1);
        prop_assert_eq!(&one, &run(2));
        prop_assert_eq!(&one, &run(4));
    }
    #[test]
    fn comparisons_of_curves_see_ranks_alone_on_any_number_of_threads(
        (positive, negative) in scores(), (other_positive, other_negative) in scores(), seed: u64,
    ) {
        let rise = |scores: &[f64]| map(scores, |score| (score / 3.0).exp() + score);
        // the same cases scored twice, the second time by a coarser rule
        let coarse = |scores: &[f64]| map(scores, |score| (score / 2.0).floor());
        let run = |threads, scale: &dyn Fn(&[f64]) -> Vec<f64>| {
            let (p, q) = (scale(&positive), scale(&negative));
            let (r, s) = (scale(&coarse(&positive)), scale(&coarse(&negative)));
            let (t, u) = (scale(&other_positive), scale(&other_negative));
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                (
                    venkatraman_paired((&p, &q), (&r, &s), 49, seed).unwrap(),
                    venkatraman_unpaired((&p, &q), (&t, &u), 49, seed).unwrap(),
                    difference_of_curves([(&p, &q), (&r, &s)], CasePlan::AllCases, (64, seed), 0.9, |c| Ok(c.auc)),
                )
            })
        };
        let one = run(1, &|scores| scores.to_vec());
        prop_assert_eq!(&one, &run(3, &|scores| scores.to_vec()));
        prop_assert_eq!(&one, &run(2, &rise));
    }
}
