//! `cargo bench --bench location`: marks of a large reader study, from matching to the analysis.

use cadproof::metrics::detection::{Matched, froc};
use cadproof::metrics::location::{CurveReading, LocationFigure, NlfCases};
use cadproof::metrics::location_study::{LocationCase, LocationReading, LocationStudy};
use cadproof::stats::mrmc::figures::{FigureOptions, obuchowski_rockette_of};
use cadproof::stats::mrmc::obuchowski_rockette::{PartlyCrossed, RandomFactors};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

fn main() {
    divan::main();
}

/// Half of the cases diseased with one to three lesions, 0 to 3 false marks a case, continuous ratings.
fn study(readers: u32, cases: u32) -> LocationStudy {
    let mut random = ChaCha12Rng::seed_from_u64(1);
    let table: Vec<LocationCase> = (0..cases)
        .map(|at| LocationCase {
            label: at.to_string(),
            lesion_weights: vec![1.0; if at % 2 == 0 { 1 + at as usize / 2 % 3 } else { 0 }],
            cluster: None,
        })
        .collect();
    let mut readings = Vec::new();
    for (reader, modality) in (0..readers).flat_map(|reader| (0..2).map(move |modality| (reader, modality))) {
        for (case, of) in (0..).zip(&table) {
            let hits = of.lesion_weights.iter().map(|_| {
                let found = random.random_range(0..10) < 7 + modality;
                found.then(|| 0.5 + random.random::<f64>())
            });
            let hits = hits.collect();
            let count = random.random_range(0..4);
            let false_marks = (0..count).map(|_| random.random::<f64>()).collect();
            readings.push(LocationReading { reader, modality, case, hits, false_marks });
        }
    }
    let labels = |count: u32| (0..count).map(|label| label.to_string()).collect();
    LocationStudy::new(labels(readers), labels(2), &table, readings).expect("valid")
}

const OPTIONS: FigureOptions =
    FigureOptions { random: RandomFactors::ReadersAndCases, level: 0.95, partly_crossed: PartlyCrossed::Refuse };

/// Readers × 2 modalities × cases: wAFROC with its jackknife and the whole analysis.
#[divan::bench(args = [(5, 200), (10, 400), (20, 2000)])]
fn wafroc_jackknife(bencher: divan::Bencher, (readers, cases): (u32, u32)) {
    let study = study(readers, cases);
    bencher.bench(|| {
        let table = study.figures(&LocationFigure::WeightedAfroc).expect("both classes");
        obuchowski_rockette_of(&table, &OPTIONS)
    });
}

/// As above, the mean sensitivity over seven rates of false marks.
#[divan::bench(args = [(10, 400)])]
fn mean_sensitivity_jackknife(bencher: divan::Bencher, (readers, cases): (u32, u32)) {
    let study = study(readers, cases);
    let figure = LocationFigure::LlfAtNlf {
        rates: vec![0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0],
        cases: NlfCases::All,
        reading: CurveReading::Linear,
    };
    bencher.bench(|| {
        let table = study.figures(&figure).expect("lesions");
        obuchowski_rockette_of(&table, &OPTIONS)
    });
}

#[divan::bench(args = [(10, 400)])]
fn wafroc_bootstrap_1000(bencher: divan::Bencher, (readers, cases): (u32, u32)) {
    let study = study(readers, cases);
    bencher.bench(|| {
        study.bootstrap(&LocationFigure::WeightedAfroc, (0, Some(1)), RandomFactors::ReadersAndCases, 1000, 1)
    });
}

#[divan::bench(args = [400, 10000])]
fn froc_curve(bencher: divan::Bencher, cases: u32) {
    let study = study(1, cases);
    let all: Vec<&Matched> = study.cell(0, 0).iter().flatten().collect();
    bencher.bench(|| froc(&all));
}
