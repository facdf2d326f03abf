//! Time of HD95 and surface Dice of two masks, border by border.

use cadproof::metrics::distance::Grid;
use cadproof::metrics::surface::{Border, Hd95, surface_distances};

fn main() {
    divan::main();
}

/// A lobed body that fills most of the volume, and the same body shifted and swollen by some voxels.
fn masks(n: usize) -> (Grid, Vec<bool>, Vec<bool>) {
    let grid = Grid::new(&[n, n, n], &[1.0, 0.8, 0.8]).unwrap();
    let body = |shift: f64, swell: f64| {
        (0..n * n * n)
            .map(|i| {
                let at = |place: usize| (place as f64 - shift) / n as f64 * 2.0 - 1.0;
                let (z, y, x) = (at(i / (n * n)), at(i / n % n), at(i % n));
                let lobes = 0.06 * ((9.0 * x).sin() + (7.0 * y).cos() + (8.0 * z).sin());
                (z * z + y * y + x * x).sqrt() < 0.75 + lobes + swell
            })
            .collect()
    };
    (grid, body(0.0, 0.0), body(n as f64 / 64.0, 0.02))
}

#[divan::bench(args = [128, 256], sample_count = 10, sample_size = 1)]
fn hd95_and_nsd_voxels(bencher: divan::Bencher, n: usize) {
    measure(bencher, n, Border::FACES, Hd95::Pooled);
}

#[divan::bench(args = [128, 256], sample_count = 10, sample_size = 1)]
fn hd95_and_nsd_elements(bencher: divan::Bencher, n: usize) {
    measure(bencher, n, Border::Elements, Hd95::SurfaceElements);
}

fn measure(bencher: divan::Bencher, n: usize, border: Border, definition: Hd95) {
    let (grid, reference, prediction) = masks(n);
    bencher.bench(|| {
        let found = surface_distances(&grid, divan::black_box(&reference), &prediction, border).unwrap();
        (found.hd95(definition).unwrap(), found.surface_dice(1.0).unwrap())
    });
}
