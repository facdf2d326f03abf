//! The area under the ROC curve of two lists of scores, with DeLong's interval.
//!
//! `cargo run --release --example auc_interval`

use cadproof::stats::roc::delong;

fn main() {
    // Higher = more suspicious. A tie between a diseased and a healthy case counts one half.
    let diseased = [0.91, 0.77, 0.42, 0.68, 0.55, 0.83];
    let healthy = [0.55, 0.12, 0.08, 0.30, 0.61, 0.27, 0.44];
    match delong(&diseased, &healthy, 0.95) {
        Ok(area) => println!(
            "AUC {:.3}, {} % interval {:.3} to {:.3} ({}), standard error {:.4}, n = {} diseased + {} healthy",
            area.auc,
            area.interval.level * 100.0,
            area.interval.lower,
            area.interval.upper,
            area.interval.method,
            area.standard_error,
            area.n_positive,
            area.n_negative
        ),
        // For example with one class only, or where all scores are equal.
        Err(reason) => println!("AUC {reason}"),
    }
}
