//! Odds-ratio models and agreement: no answer depends on the order of the rows, on labels, or on which arm is named
//! first.

use cadproof::stats::agreement::chance::{Coefficient, chance_corrected};
use cadproof::stats::agreement::cohen::cohen;
use cadproof::stats::agreement::icc::{AverageInterval, Form, Unit, icc};
use cadproof::stats::agreement::krippendorff::{Metric, alpha};
use cadproof::stats::agreement::{Ratings, Weights};
use cadproof::stats::hypothesis::{AppliesTo, Better, Claim, Evidence, Plan, Sides, decide};
use cadproof::stats::models::gee::{self, GeeOptions, Moments, Reference, Sandwich, WorkingCorrelation};
use cadproof::stats::models::glmm::{self, Approximation};
use cadproof::stats::models::{Coefficient as Found, Design, Factor, clogit, firth, logistic};
use cadproof::stats::multiplicity::{Graph, Procedure, adjust, graphical};
use proptest::prelude::*;

/// One reading: reader, case, aided?, correct?
type Row = (usize, usize, bool, bool);

/// A crossed study of 3 to 5 readers and 8 to 14 cases, with a random answer each.
fn study() -> impl Strategy<Value = Vec<Row>> {
    (3_usize..=5, 8_usize..=14).prop_flat_map(|(readers, cases)| {
        prop::collection::vec(prop::bool::weighted(0.65), readers * cases * 2).prop_map(move |answers| {
            let cells = (0..readers).flat_map(|r| (0..cases).flat_map(move |c| [(r, c, false), (r, c, true)]));
            cells.zip(answers).map(|((r, c, m), y)| (r, c, m, y)).collect()
        })
    })
}

struct Study {
    design: Design,
    reader: Factor,
    case: Factor,
}

fn build(rows: &[Row], reader: impl Fn(usize) -> String, case: impl Fn(usize) -> String, reference: &str) -> Study {
    let modality: Vec<&str> = rows.iter().map(|r| if r.2 { "aided" } else { "unaided" }).collect();
    let outcome: Vec<bool> = rows.iter().map(|r| r.3).collect();
    Study {
        design: Design::compare(&modality, reference, &outcome).unwrap(),
        reader: Factor::new(&rows.iter().map(|r| reader(r.0)).collect::<Vec<_>>()),
        case: Factor::new(&rows.iter().map(|r| case(r.1)).collect::<Vec<_>>()),
    }
}

fn plain(rows: &[Row]) -> Study {
    build(rows, |r| format!("R{r}"), |c| format!("C{c}"), "unaided")
}

/// The modality's coefficient by every model, or the code of why there is none.
fn every_model(study: &Study) -> Vec<Result<Found, &'static str>> {
    let Study { design, reader, case } = study;
    let modality = |coefficients: Vec<Found>| coefficients.last().cloned().expect("a coefficient");
    let options = |correlation, sandwich| GeeOptions {
        correlation,
        sandwich,
        reference: Reference::TClustersMinusCoefficients,
        moments: Moments::LessCoefficients,
        level: 0.95,
    };
    let by_reader = options(WorkingCorrelation::Independence, Sandwich::ManclDeRouen);
    let by_case = options(WorkingCorrelation::Exchangeable, Sandwich::KauermannCarroll);
    let both = [("reader", reader), ("case", case)];
    vec![
        logistic::fit(design, 0.95).map(|f| modality(f.coefficients)),
        firth::fit(design, 0.95).map(|f| modality(f.coefficients)),
        gee::fit(design, reader, by_reader).map(|f| modality(f.coefficients)),
        gee::fit(design, case, by_case).map(|f| modality(f.coefficients)),
        gee::fit_two_way(design, reader, case, by_reader).map(|f| modality(f.coefficients)),
        glmm::fit(design, &both, Approximation::Laplace, 0.95).map(|f| modality(f.coefficients)),
        clogit::fit(design, &reader.crossed(case), 0.95).map(|f| modality(f.coefficients)),
    ]
    .into_iter()
    .map(|found| found.map_err(|reason| reason.code))
    .collect()
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs())
}

proptest! {
    #![proptest_config(crate::config(48))]

    #[test]
    fn row_order_changes_nothing((rows, shuffled) in study().prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle()))) {
        // bit for bit
        prop_assert_eq!(every_model(&plain(&rows)), every_model(&plain(&shuffled)));
    }

    #[test]
    fn labels_change_nothing(rows in study()) {
        let renamed = build(&rows, |r| format!("{:03}", 900 - r * 7), |c| format!("{:03}", (c * 37 + 5) % 101), "unaided");
        for (a, b) in every_model(&plain(&rows)).into_iter().zip(every_model(&renamed)) {
            match (a, b) {
                (Ok(a), Ok(b)) => {
                    prop_assert!(close(a.estimate, b.estimate, 1e-6), "{a:?} {b:?}");
                    prop_assert!(close(a.standard_error, b.standard_error, 1e-5), "{a:?} {b:?}");
                }
                (a, b) => prop_assert_eq!(a, b),
            }
        }
    }

    #[test]
    fn the_other_arm_as_reference_gives_the_reciprocal(rows in study()) {
        let other = build(&rows, |r| format!("R{r}"), |c| format!("C{c}"), "aided");
        for (a, b) in every_model(&plain(&rows)).into_iter().zip(every_model(&other)) {
            match (a, b) {
                (Ok(a), Ok(b)) => {
                    prop_assert!(close(a.estimate, -b.estimate, 1e-6), "{a:?} {b:?}");
                    prop_assert!(close(a.standard_error, b.standard_error, 1e-5), "{a:?} {b:?}");
                    prop_assert!(close(a.interval.lower, -b.interval.upper, 1e-5), "{a:?} {b:?}");
                }
                // a two-way variance may be below 0 for the intercept alone, and the intercept is the reference's
                (Ok(_), Err("no_variance")) | (Err("no_variance"), Ok(_)) => {}
                (a, b) => prop_assert_eq!(a, b),
            }
        }
    }

    #[test]
    fn firth_lies_between_the_maximum_and_no_effect(rows in study()) {
        let study = plain(&rows);
        if let Ok(ml) = logistic::fit(&study.design, 0.95) {
            let penalised = firth::fit(&study.design, 0.95).unwrap();
            let (m, p) = (ml.coefficients[1].estimate, penalised.coefficients[1].estimate);
            prop_assert!(p.abs() <= m.abs() + 1e-9, "{p} {m}");
        }
    }

    #[test]
    fn subjects_and_categories_may_be_renamed(
        rows in prop::collection::vec(prop::collection::vec(prop::option::weighted(0.9, 0_usize..3), 4), 6..25),
    ) {
        let reversed: Vec<Vec<Option<usize>>> = rows.iter().rev().cloned().collect();
        let turned: Vec<Vec<Option<usize>>> =
            rows.iter().map(|r| r.iter().map(|v| v.map(|c| 2 - c)).collect()).collect();
        for coefficient in [Coefficient::FleissKappa, Coefficient::BrennanPrediger, Coefficient::Gwet] {
            for weights in [Weights::Unweighted, Weights::Linear, Weights::Quadratic] {
                let of = |r: &Vec<Vec<Option<usize>>>| {
                    chance_corrected(&Ratings::new(r.clone(), 3).unwrap(), coefficient, weights, 0.95)
                        .and_then(|c| c.estimate)
                        .map(|a| a.value)
                        .map_err(|reason| reason.code)
                };
                prop_assert_eq!(of(&rows), of(&reversed));
                match (of(&rows), of(&turned)) {
                    (Ok(a), Ok(b)) => prop_assert!(close(a, b, 1e-10), "{a} {b}"),
                    (a, b) => prop_assert_eq!(a, b),
                }
            }
        }
        let as_numbers = |r: &Vec<Vec<Option<usize>>>| -> Vec<Vec<Option<f64>>> {
            r.iter().map(|r| r.iter().map(|v| v.map(|c| c as f64)).collect()).collect()
        };
        for metric in [Metric::Nominal, Metric::Ordinal, Metric::Interval] {
            let of = |r| alpha(&as_numbers(r), metric, 0.95).map(|a| a.value).map_err(|reason| reason.code);
            prop_assert_eq!(of(&rows), of(&reversed));
        }
    }

    #[test]
    fn kappa_of_two_readers_is_symmetric(table in prop::collection::vec(prop::collection::vec(0_u64..20, 3), 3)) {
        let turned: Vec<Vec<u64>> = (0..3).map(|i| (0..3).map(|j| table[j][i]).collect()).collect();
        for weights in [Weights::Unweighted, Weights::Linear, Weights::Quadratic] {
            let of = |t: &Vec<Vec<u64>>| cohen(t, weights, 0.95).and_then(|c| c.kappa).map_err(|reason| reason.code);
            match (of(&table), of(&turned)) {
                (Ok(a), Ok(b)) => {
                    prop_assert!(close(a.estimate, b.estimate, 1e-12));
                    prop_assert!(close(a.standard_error, b.standard_error, 1e-9));
                    prop_assert!(a.estimate <= 1.0 + 1e-12 && a.standard_error.is_finite());
                }
                (a, b) => prop_assert_eq!(a.map(|k| k.estimate), b.map(|k| k.estimate)),
            }
        }
    }

    #[test]
    fn icc_ignores_units_and_the_order_of_subjects(rows in prop::collection::vec(prop::collection::vec(-5.0_f64..5.0, 3), 4..15)) {
        let scaled: Vec<Vec<f64>> = rows.iter().rev().map(|r| r.iter().map(|x| 12.0 + 3.5 * x).collect()).collect();
        for form in [Form::OneWay, Form::Agreement, Form::Consistency] {
            for unit in [Unit::Single, Unit::Average] {
                let of = |r: &Vec<Vec<f64>>| icc(r, form, unit, AverageInterval::SpearmanBrown, 0.95);
                if let (Ok(a), Ok(b)) = (of(&rows), of(&scaled)) {
                    prop_assert!(close(a.estimate, b.estimate, 1e-7), "{a:?} {b:?}");
                    prop_assert!(a.interval.lower <= a.estimate && a.estimate <= a.interval.upper, "{a:?}");
                }
            }
        }
    }

    #[test]
    fn p_value_and_bound_never_contradict(
        estimate in -0.3_f64..0.3, standard_error in 0.005_f64..0.2, df in 1.5_f64..200.0, margin in 0.01_f64..0.2,
        alpha in 0.01_f64..0.3, two in any::<bool>(), lower in any::<bool>(), which in 0_usize..4,
    ) {
        let claim = [
            Claim::Superiority { margin },
            Claim::NonInferiority { margin },
            Claim::Equivalence { margin },
            Claim::Goal { goal: margin },
        ][which];
        let plan = Plan {
            claim,
            better: if lower { Better::Lower } else { Better::Higher },
            alpha,
            sides: if two { Sides::Two } else { Sides::One },
            applies_to: AppliesTo::Bound,
        };
        let found = decide(plan, Evidence { estimate, standard_error, degrees_of_freedom: df }).unwrap();
        let test = found.test.unwrap();
        let favourable = test.p_sides == Sides::One || test.statistic > 0.0;
        prop_assert_eq!(found.met, favourable && test.p < test.compared_with);
    }

    #[test]
    fn stronger_procedures_reject_no_less(p in prop::collection::vec(0.0_f64..0.2, 1..8)) {
        let of = |procedure| -> Vec<f64> { adjust(&p, procedure, 0.05).unwrap().iter().map(|a| a.p_adjusted).collect() };
        let ladder = [Procedure::Bonferroni, Procedure::Holm, Procedure::Hochberg, Procedure::Hommel].map(of);
        for pair in ladder.windows(2) {
            prop_assert!(pair[0].iter().zip(&pair[1]).all(|(weak, strong)| *strong <= weak + 1e-12), "{ladder:?}");
        }
        let graph = graphical(&p, &Graph::holm(p.len()).unwrap(), 0.05).unwrap();
        for (a, b) in graph.adjusted.iter().zip(&ladder[1]) {
            prop_assert!(close(a.p_adjusted, *b, 1e-9));
        }
    }
}
