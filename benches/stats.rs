//! What one machine needs for the two largest jobs of the statistics room.

use cadproof::stats::{bootstrap, roc};

fn main() {
    divan::main();
}

/// Continuous scores without ties in the given share of overlap; a fixed linear congruence, as the values do not matter.
fn scores(n: usize, shift: f64) -> Vec<f64> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64 + shift
        })
        .collect()
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn delong_one_million(bencher: divan::Bencher) {
    let (positive, negative) = (scores(500_000, 0.3), scores(500_000, 0.0));
    bencher.bench(|| roc::delong(divan::black_box(&positive), divan::black_box(&negative), 0.95).unwrap());
}

#[divan::bench(args = [1, 2], sample_count = 3, sample_size = 1)]
fn stratified_auc_100k_by_2000(bencher: divan::Bencher, threads: usize) {
    let (positive, negative) = (scores(50_000, 0.3), scores(50_000, 0.0));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    bencher.bench(|| pool.install(|| bootstrap::stratified_auc(&positive, &negative, 2000, 1).unwrap()));
}
