//! What an Obuchowski–Rockette analysis must not depend on, and how its methods agree.

use cadproof::stats::mrmc::covariance::{CovarianceMethod, covariance};
use cadproof::stats::mrmc::dbm::{DbmOptions, DorfmanBerbaumMetz, dorfman_berbaum_metz};
use cadproof::stats::mrmc::fom::{FigureOfMerit, RocAxis, StepRule};
use cadproof::stats::mrmc::obuchowski_rockette::{
    ObuchowskiRockette, OrOptions, PartlyCrossed, RandomFactors, obuchowski_rockette,
};
use cadproof::stats::mrmc::resample::{Resampled, WeightedFom, resample};
use cadproof::stats::mrmc::{MrmcData, Reading};
use proptest::prelude::*;

const READERS: usize = 3;
const CASES: usize = 14;

/// Ratings of 2 modalities × 3 readers × 14 cases, every other case diseased.
fn ratings() -> impl Strategy<Value = Vec<i8>> {
    prop::collection::vec(-5_i8..5, 2 * READERS * CASES)
}

fn study(ratings: &[i8], label: impl Fn(char, usize) -> String, scale: impl Fn(i8) -> f64, turn: usize) -> MrmcData {
    let rows: Vec<([String; 3], bool, f64)> = ratings
        .iter()
        .enumerate()
        .map(|(at, &rating)| {
            let (modality, reader, case) = (at / (READERS * CASES), at / CASES % READERS, at % CASES);
            ([label('r', reader), label('c', case), label('m', modality)], case % 2 == 0, scale(rating))
        })
        .collect();
    let mut readings: Vec<Reading<'_>> = rows
        .iter()
        .map(|([reader, case, modality], diseased, rating)| Reading {
            reader,
            case,
            modality,
            diseased: *diseased,
            rating: *rating,
            cluster: None,
        })
        .collect();
    readings.rotate_left(turn);
    MrmcData::from_readings(&readings).expect("each cell occurs once")
}

fn plain(ratings: &[i8]) -> MrmcData {
    study(ratings, |kind, number| format!("{kind}{number:02}"), f64::from, 0)
}

fn options(fom: FigureOfMerit, covariance: CovarianceMethod) -> OrOptions {
    let (random, partly_crossed) = (RandomFactors::ReadersAndCases, PartlyCrossed::Refuse);
    OrOptions { fom, covariance, random, level: 0.95, partly_crossed }
}

fn analyse(data: &MrmcData, covariance: CovarianceMethod) -> ObuchowskiRockette {
    obuchowski_rockette(data, &options(FigureOfMerit::EmpiricalAuc, covariance)).expect("crossed, both classes")
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-10 * (1.0 + a.abs())
}

fn same_conclusion(a: &ObuchowskiRockette, b: &ObuchowskiRockette) -> bool {
    match (&a.overall, &b.overall) {
        (Ok(x), Ok(y)) => near(x.statistic, y.statistic) && near(x.p_value, y.p_value),
        (Err(x), Err(y)) => x.code == y.code,
        // a denominator of 0 up to rounding is on either side of the border
        (Ok(x), Err(_)) | (Err(_), Ok(x)) => x.denominator < 1e-15,
    }
}

fn pseudovalues(data: &MrmcData) -> DorfmanBerbaumMetz {
    let options = DbmOptions { fom: FigureOfMerit::EmpiricalAuc, random: RandomFactors::ReadersAndCases, level: 0.95 };
    dorfman_berbaum_metz(data, &options).expect("crossed, both classes")
}

fn resampled(data: &MrmcData) -> Resampled {
    let fom = WeightedFom::new(data, FigureOfMerit::EmpiricalAuc);
    resample(data, RandomFactors::ReadersAndCases, 20, 3, |w| Ok(fom.mean(0, w)? - fom.mean(1, w)?))
}

const METHODS: [CovarianceMethod; 4] = [
    CovarianceMethod::Jackknife,
    CovarianceMethod::DeLong,
    CovarianceMethod::Unbiased,
    CovarianceMethod::Bootstrap { replicates: 20, seed: 7, stratified: true },
];

proptest! {
    #![proptest_config(crate::config(64))]

    #[test]
    fn the_order_of_rows_changes_nothing(ratings in ratings(), turn in 0_usize..84) {
        let turned = study(&ratings, |kind, number| format!("{kind}{number:02}"), f64::from, turn);
        for method in METHODS {
            prop_assert_eq!(analyse(&plain(&ratings), method), analyse(&turned, method));
        }
        prop_assert_eq!(pseudovalues(&plain(&ratings)), pseudovalues(&turned));
        prop_assert_eq!(resampled(&plain(&ratings)), resampled(&turned));
    }

    #[test]
    fn names_change_nothing(ratings in ratings()) {
        // the same modalities in the same order; readers and cases are named in the reverse order
        let renamed = study(
            &ratings,
            |kind, number| if kind == 'm' { format!("m{number:02}") } else { format!("{kind}{:02}", 99 - number) },
            f64::from,
            0,
        );
        for method in &METHODS[..3] {
            prop_assert!(same_conclusion(&analyse(&plain(&ratings), *method), &analyse(&renamed, *method)));
        }
        let (one, two) = (pseudovalues(&plain(&ratings)), pseudovalues(&renamed));
        match (&one.overall, &two.overall) {
            (Ok(x), Ok(y)) => prop_assert!(near(x.p_value, y.p_value), "{x:?} {y:?}"),
            (x, y) => prop_assert!(x.is_err() && y.is_err() || [x, y].into_iter().flatten().all(|t| t.denominator < 1e-13)),
        }
        // a resample draws readers and cases by their place, so that its names may change where their order does not
        let prefixed = study(&ratings, |kind, number| format!("x{kind}-{number:02}"), f64::from, 0);
        prop_assert_eq!(resampled(&plain(&ratings)), resampled(&prefixed));
    }

    #[test]
    fn a_rising_transformation_of_the_ratings_changes_nothing(ratings in ratings()) {
        let transformed =
            study(&ratings, |kind, number| format!("{kind}{number:02}"), |rating| f64::from(rating).exp() * 3.0 - 40.0, 0);
        for method in METHODS {
            prop_assert_eq!(analyse(&plain(&ratings), method), analyse(&transformed, method));
        }
        prop_assert_eq!(pseudovalues(&plain(&ratings)), pseudovalues(&transformed));
        prop_assert_eq!(resampled(&plain(&ratings)), resampled(&transformed));
    }

    #[test]
    fn turning_the_modalities_round_turns_the_sign(ratings in ratings()) {
        let data = plain(&ratings);
        let turned = data.with_modality_order(&["m01", "m00"]).expect("same labels");
        let (a, b) = (analyse(&data, CovarianceMethod::Jackknife), analyse(&turned, CovarianceMethod::Jackknife));
        prop_assert!(same_conclusion(&a, &b));
        if let (Ok(x), Ok(y)) = (&a.differences, &b.differences) {
            prop_assert!(near(x[0].estimate, -y[0].estimate) && near(x[0].interval.lower, -y[0].interval.upper));
        }
    }

    #[test]
    fn threads_change_nothing(ratings in ratings()) {
        let data = plain(&ratings);
        let in_pool = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| (METHODS.map(|method| analyse(&data, method)), pseudovalues(&data), resampled(&data)))
        };
        prop_assert_eq!(in_pool(1), in_pool(3));
    }

    #[test]
    fn pseudovalues_agree_with_jackknife_covariances(ratings in ratings()) {
        let data = plain(&ratings);
        let random = RandomFactors::ReadersAndCases;
        for fom in [FigureOfMerit::EmpiricalAuc, FigureOfMerit::partial_auc(RocAxis::Specificity, 0.4, 1.0)] {
            let or = obuchowski_rockette(&data, &options(fom, CovarianceMethod::Jackknife)).expect("crossed");
            let dbm = dorfman_berbaum_metz(&data, &DbmOptions { fom, random, level: 0.95 }).expect("crossed");
            if let (Ok(x), Ok(y)) = (&or.overall, &dbm.overall) {
                // below this the two denominators are rounding
                if x.denominator > 1e-8 {
                    prop_assert!((x.statistic - y.statistic).abs() <= 1e-7 * (1.0 + x.statistic));
                    prop_assert!((x.p_value - y.p_value).abs() <= 1e-7);
                }
            }
        }
    }

    #[test]
    fn jackknife_variances_are_what_leaving_cases_out_gives(ratings in ratings()) {
        let data = plain(&ratings);
        let steps = StepRule::AlongCurve;
        for fom in [FigureOfMerit::EmpiricalAuc, FigureOfMerit::SensitivityAtSpecificity { specificity: 0.6, steps }] {
            let quick = covariance(&data, fom, CovarianceMethod::Jackknife).expect("seven of each class");
            let cell = data.cell(0, 0);
            let without: Vec<f64> = (0..CASES)
                .map(|skip| {
                    let of = |class: bool| -> Vec<f64> {
                        (0..CASES)
                            .filter(|&at| at != skip && data.cases()[at].diseased == class)
                            .map(|at| cell.ratings[at])
                            .collect()
                    };
                    fom.estimate(&of(true), &of(false)).expect("both classes")
                })
                .collect();
            let mean = without.iter().sum::<f64>() / CASES as f64;
            let squares: f64 = without.iter().map(|value| (value - mean).powi(2)).sum();
            prop_assert!(near(quick.at(0, 0), squares * (CASES - 1) as f64 / CASES as f64));
        }
    }
}

/// Patients of one case each are cases; copying each case inside its patient must not make the variance smaller.
#[test]
fn copies_of_a_case_inside_a_patient_add_nothing() {
    let labels: Vec<String> = (0..40).map(|at| format!("{at:02}")).collect();
    let row = |at: usize, copy: usize| Reading {
        reader: "r",
        modality: "m",
        case: &labels[at + 20 * copy],
        diseased: at.is_multiple_of(2),
        rating: ((at * 7) % 11) as f64 + if at.is_multiple_of(2) { 2.5 } else { 0.0 },
        cluster: Some(&labels[at]),
    };
    let once: Vec<Reading<'_>> = (0..20).map(|at| row(at, 0)).collect();
    let twice: Vec<Reading<'_>> = (0..20).flat_map(|at| [row(at, 0), row(at, 1)]).collect();
    let variance = |rows: &[Reading<'_>]| {
        let data = MrmcData::from_readings(rows).expect("valid");
        covariance(&data, FigureOfMerit::EmpiricalAuc, CovarianceMethod::Jackknife).expect("both classes").at(0, 0)
    };
    assert!((variance(&once) - variance(&twice)).abs() < 1e-15, "{} {}", variance(&once), variance(&twice));
}
