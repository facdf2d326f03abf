//! `cargo bench --bench models`: odds-ratio models of a crossed reader study.

use cadproof::stats::models::gee::{self, GeeOptions, Moments, Reference, Sandwich, WorkingCorrelation};
use cadproof::stats::models::glmm::{self, Approximation};
use cadproof::stats::models::{Design, Factor, clogit};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

fn main() {
    divan::main();
}

/// Readers × cases × 2 modalities with reader and case effects of standard deviation about 0.6 and 1.4 (uniform).
fn study(readers: usize, cases: usize) -> (Design, Factor, Factor) {
    let mut random = ChaCha12Rng::seed_from_u64(1);
    let mut effects =
        |n: usize, width: f64| -> Vec<f64> { (0..n).map(|_| width * (random.random::<f64>() - 0.5)).collect() };
    let (of_reader, of_case) = (effects(readers, 2.0), effects(cases, 5.0));
    let (mut modality, mut reader, mut case, mut outcome) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (r, reader_effect) in of_reader.iter().enumerate() {
        for (c, case_effect) in of_case.iter().enumerate() {
            for (name, effect) in [("unaided", 1.0), ("aided", 1.4)] {
                modality.push(name);
                reader.push(r.to_string());
                case.push(c.to_string());
                let eta = effect + reader_effect + case_effect;
                outcome.push(random.random::<f64>() < 1.0 / (1.0 + (-eta).exp()));
            }
        }
    }
    let design = Design::compare(&modality, "unaided", &outcome).expect("valid design");
    (design, Factor::new(&reader), Factor::new(&case))
}

#[divan::bench(args = [(5, 100), (10, 200), (20, 1000)])]
fn mixed_model(bencher: divan::Bencher, (readers, cases): (usize, usize)) {
    let (design, reader, case) = study(readers, cases);
    bencher.bench(|| {
        glmm::fit(&design, &[("reader", &reader), ("case", &case)], Approximation::Laplace, 0.95).expect("converges")
    });
}

#[divan::bench(args = [(10, 200), (20, 1000)])]
fn estimating_equations(bencher: divan::Bencher, (readers, cases): (usize, usize)) {
    let (design, _, case) = study(readers, cases);
    let options = GeeOptions {
        correlation: WorkingCorrelation::Exchangeable,
        sandwich: Sandwich::ManclDeRouen,
        reference: Reference::TClustersMinusCoefficients,
        moments: Moments::Observations,
        level: 0.95,
    };
    bencher.bench(|| gee::fit(&design, &case, options).expect("converges"));
}

#[divan::bench(args = [(10, 200), (20, 1000)])]
fn conditional(bencher: divan::Bencher, (readers, cases): (usize, usize)) {
    let (design, _, case) = study(readers, cases);
    bencher.bench(|| clogit::fit(&design, &case, 0.95).expect("converges"));
}
