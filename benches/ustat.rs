//! `cargo bench --bench ustat`: the whole U-statistic analysis of a large reader study.

use cadproof::stats::mrmc::MrmcData;
use cadproof::stats::mrmc::simulate::{Draw, RoeMetz, Variances};
use cadproof::stats::mrmc::ustat::{Options, analyse};

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

/// Readers × 2 modalities × cases.
#[divan::bench(args = [(5, 100), (20, 1000), (20, 2000)])]
fn analysis(bencher: divan::Bencher, (readers, cases): (u32, u32)) {
    let data = study(readers, cases);
    bencher.bench(|| analyse(&data, &Options::default()));
}
