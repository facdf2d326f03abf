//! Properties that hold for every data set, checked on random ones.

mod data;
mod models;
mod mrmc;
mod roc;
mod ustat;

use proptest::test_runner::{Config, RngSeed};

/// The same data in every run, so that a failure means that the program changed. `PROPTEST_RNG_SEED` and
/// `PROPTEST_CASES` search further.
fn config(cases: u32) -> Config {
    let given = Config::default();
    Config {
        cases: if std::env::var_os("PROPTEST_CASES").is_some() { given.cases } else { cases },
        rng_seed: if given.rng_seed == RngSeed::Random { RngSeed::Fixed(1) } else { given.rng_seed },
        failure_persistence: None,
        max_shrink_iters: 100,
        ..given
    }
}
