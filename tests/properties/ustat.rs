//! What a U-statistic analysis must not depend on, and what must not change its variance.

use cadproof::stats::Estimable;
use cadproof::stats::mrmc::ustat::{Estimator, Options, UStatistics, analyse};
use cadproof::stats::mrmc::{MrmcData, Reading};
use proptest::prelude::*;

/// (reader, case, modality, rating) with gaps; every fourth case is diseased.
fn rows() -> impl Strategy<Value = Vec<(u8, u8, u8, i8)>> {
    let cell = (0_u8..3, 0_u8..16, 0_u8..2);
    prop::collection::btree_map(cell, -4_i8..4, 30..90)
        .prop_map(|cells| cells.into_iter().map(|((r, c, m), rating)| (r, c, m, rating)).collect())
}

fn study(rows: &[(u8, u8, u8, i8)], rating: impl Fn(i8) -> f64, label: impl Fn(char, u8) -> String) -> MrmcData {
    let labels: Vec<[String; 3]> =
        rows.iter().map(|&(r, c, m, _)| [label('r', r), label('c', c), label('m', m)]).collect();
    let readings: Vec<Reading<'_>> = rows
        .iter()
        .zip(&labels)
        .map(|(&(_, case, _, value), [reader, case_label, modality])| Reading {
            reader,
            case: case_label,
            modality,
            diseased: case % 4 == 0,
            rating: rating(value),
            cluster: None,
        })
        .collect();
    MrmcData::from_readings(&readings).expect("each cell occurs once")
}

fn plain(kind: char, number: u8) -> String {
    format!("{kind}{number:02}")
}

fn run(data: &MrmcData) -> UStatistics {
    analyse(data, &Options::default())
}

/// Three readers and twelve cases, in as many modalities as there are ratings for.
fn crossed(ratings: &[i8]) -> Vec<(u8, u8, u8, i8)> {
    (0_u8..).zip(ratings).map(|(at, &rating)| (at / 12 % 3, at % 12, at / 36, rating)).collect()
}

fn near(a: &Estimable<f64>, b: &Estimable<f64>) -> bool {
    match (a, b) {
        (Ok(a), Ok(b)) => (a - b).abs() <= 1e-12 * (1.0 + a.abs()),
        (Err(a), Err(b)) => a.code == b.code,
        _ => false,
    }
}

proptest! {
    #![proptest_config(crate::config(64))]

    #[test]
    fn the_order_of_rows_changes_nothing(rows in rows(), seed in any::<u64>()) {
        let mut shuffled = rows.clone();
        let mut state = seed;
        for at in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
        }
        prop_assert_eq!(run(&study(&rows, f64::from, plain)), run(&study(&shuffled, f64::from, plain)));
    }

    #[test]
    fn threads_change_nothing(rows in rows()) {
        let data = study(&rows, f64::from, plain);
        let in_pool = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| run(&data))
        };
        prop_assert_eq!(in_pool(1), in_pool(3));
    }

    #[test]
    fn an_increasing_change_of_scale_changes_nothing(rows in rows()) {
        let before = run(&study(&rows, f64::from, plain));
        let after = run(&study(&rows, |value| (f64::from(value) / 2.0).exp() - 300.0, plain));
        prop_assert_eq!(before, after);
    }

    /// Labels that sort the other way turn the sign of differences and the order of modalities, nothing else.
    #[test]
    fn relabelling_readers_cases_and_modalities_keeps_every_estimate(rows in rows()) {
        let before = run(&study(&rows, f64::from, plain));
        let after = run(&study(&rows, f64::from, |kind, number| format!("{kind}{:02}", 90 - number)));
        if before.modalities.len() == 2 {
            for (at, one) in before.per_modality.iter().enumerate() {
                let other = &after.per_modality[1 - at];
                prop_assert!(near(&one.auc, &other.auc));
                prop_assert!(near(&one.unbiased.variance, &other.unbiased.variance));
                prop_assert!(near(&one.mle.variance, &other.mle.variance));
                // a variance of 0 but for rounding has degrees of freedom that are rounding too
                if one.mle.variance.clone().is_ok_and(|variance| variance > 1e-9) {
                    prop_assert!(near(&one.mle.df_bdg, &other.mle.df_bdg));
                }
            }
            let (one, other) = (&before.differences[0], &after.differences[0]);
            prop_assert!(near(&one.difference, &other.difference.clone().map(|value| -value)));
            prop_assert!(near(&one.unbiased.variance, &other.unbiased.variance));
            prop_assert!(near(&one.mle.variance, &other.mle.variance));
        }
    }

    /// Reversing the ratings turns every AUC into 1 − AUC, whatever is missing. It keeps every variance of fully crossed
    /// studies only: the moments of an incomplete study weigh readers differently from one another and from the AUC,
    /// so that this estimator has no mirror symmetry there.
    #[test]
    fn reversed_ratings_mirror_the_auc(rows in rows(), ratings in prop::collection::vec(-3_i8..3, 2 * 3 * 12)) {
        let before = run(&study(&rows, f64::from, plain));
        let after = run(&study(&rows, |value| -f64::from(value), plain));
        for (one, other) in before.per_modality.iter().zip(&after.per_modality) {
            prop_assert!(near(&one.auc, &other.auc.clone().map(|auc| 1.0 - auc)));
        }
        let rows = crossed(&ratings);
        let before = run(&study(&rows, f64::from, plain));
        let after = run(&study(&rows, |value| -f64::from(value), plain));
        prop_assert!(before.fully_crossed);
        for (one, other) in before.per_modality.iter().zip(&after.per_modality) {
            prop_assert!(near(&one.unbiased.variance, &other.unbiased.variance));
            prop_assert!(near(&one.mle.variance, &other.mle.variance));
        }
        prop_assert!(near(&before.differences[0].unbiased.variance, &after.differences[0].unbiased.variance));
    }

    /// The coefficients are shares of pairs of triples: they sum to 1 − 1, and the decompositions keep the variance.
    #[test]
    fn coefficients_sum_to_zero_and_components_to_the_variance(rows in rows()) {
        let all = run(&study(&rows, f64::from, plain));
        for one in all.per_modality.iter().filter(|one| one.auc.is_ok()) {
            prop_assert!(one.moments.coefficients.iter().sum::<f64>().abs() < 1e-12);
            for estimator in [Estimator::Unbiased, Estimator::Mle] {
                let bck = one.moments.bck(estimator);
                let parts: Option<Vec<f64>> = bck.values.iter().copied().collect();
                if let (Some(parts), Ok(variance)) = (parts, one.moments.covariance(estimator)) {
                    let sum: f64 = parts.iter().zip(bck.coefficients).map(|(value, c)| value * c).sum();
                    prop_assert!((sum - variance).abs() < 1e-12);
                }
            }
        }
    }

    /// The plug-in variance of one fully crossed modality is the variance of an average: never negative.
    #[test]
    fn the_mle_variance_of_a_crossed_modality_is_not_negative(
        ratings in prop::collection::vec(-3_i8..3, 3 * 12)
    ) {
        let rows = crossed(&ratings);
        let all = run(&study(&rows, f64::from, plain));
        let one = &all.per_modality[0];
        prop_assert!(one.mle.variance.clone().unwrap() >= -1e-15);
        let crossed = one.mle_components.as_ref().unwrap();
        for components in [&crossed.dbm, &crossed.obuchowski_rockette, &crossed.mean_squares] {
            prop_assert!((components.variance() - one.mle.variance.clone().unwrap()).abs() < 1e-12);
        }
    }
}
