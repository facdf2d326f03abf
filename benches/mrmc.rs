//! `cargo bench --bench mrmc`: the whole Obuchowski–Rockette analysis of a large reader study.

use cadproof::stats::mrmc::MrmcData;
use cadproof::stats::mrmc::covariance::CovarianceMethod;
use cadproof::stats::mrmc::fom::FigureOfMerit;
use cadproof::stats::mrmc::obuchowski_rockette::{OrOptions, PartlyCrossed, RandomFactors, obuchowski_rockette};
use cadproof::stats::mrmc::simulate::{Draw, RoeMetz, Variances};

fn main() {
    divan::main();
}

fn study(readers: u32, cases: u32) -> MrmcData {
    let variances = Variances {
        reader: 0.011,
        modality_reader: 0.011,
        case: 0.3,
        modality_case: 0.3,
        reader_case: 0.2,
        error: 0.2,
    };
    RoeMetz::two_modalities([1.5, 1.8], &variances)
        .simulate(readers, cases / 2, cases - cases / 2, Draw { seed: 1, replicate: 0 })
        .expect("valid model")
}

fn analyse(bencher: divan::Bencher, (readers, cases): (u32, u32), covariance: CovarianceMethod) {
    let data = study(readers, cases);
    let options = OrOptions {
        fom: FigureOfMerit::EmpiricalAuc,
        covariance,
        random: RandomFactors::ReadersAndCases,
        level: 0.95,
        partly_crossed: PartlyCrossed::Refuse,
    };
    bencher.bench(|| obuchowski_rockette(&data, &options));
}

/// Readers × 2 modalities × cases.
#[divan::bench(args = [(5, 100), (20, 1000), (20, 10000)])]
fn jackknife(bencher: divan::Bencher, size: (u32, u32)) {
    analyse(bencher, size, CovarianceMethod::Jackknife);
}

#[divan::bench(args = [(5, 100), (20, 1000)])]
fn delong(bencher: divan::Bencher, size: (u32, u32)) {
    analyse(bencher, size, CovarianceMethod::DeLong);
}

#[divan::bench(args = [(5, 100), (20, 1000)])]
fn unbiased(bencher: divan::Bencher, size: (u32, u32)) {
    analyse(bencher, size, CovarianceMethod::Unbiased);
}
