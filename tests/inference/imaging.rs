//! Real files with known grey levels and orientations.

use crate::support;
use cadproof::imaging::{read_image, read_volume};

/// T18: stored 0, 1000, 2000, 3000, 4095, centre 2500, width 2000, MONOCHROME1. PS3.3 C.7.6.3.1.2: the inversion comes
/// after the window. Inverting the stored values first would give 255, 203.46, 75.90, 0, 0.
#[test]
fn monochrome1_is_inverted_after_the_window() {
    let Some(file) = support::path("faults/inputs/t18_monochrome1_window.dcm") else { return };
    let image = read_image(&file, None).unwrap();
    let right = [255.0, 255.0, 191.22, 63.65, 0.0];
    assert_eq!((image.width, image.data.len()), (right.len(), image.height * right.len()));
    for (found, right) in image.data.iter().zip(right.into_iter().cycle()) {
        assert!((found - right).abs() < 0.01, "{:?}", image.data);
    }
    let kinds: Vec<&str> = image.steps.iter().map(|step| step.split([' ', ':']).next().unwrap()).collect();
    assert_eq!(kinds, ["DICOM", "rescale", "window", "inversion"]);
}

/// T16: one object, stored once as RAS and once as LPS. By index the two do not overlap; in one frame they are equal.
#[test]
fn volumes_in_two_orientations_meet_in_one_frame() {
    let Some(file) = support::path("faults/inputs/t16_ref_RAS.nii.gz") else { return };
    let reference = read_volume(&file).unwrap();
    let prediction = read_volume(&file.with_file_name("t16_pred_LPS.nii.gz")).unwrap();
    assert_eq!(reference.orientation().as_deref(), Some("RAS"));
    assert_eq!(prediction.orientation().as_deref(), Some("LPS"));
    let dice = |a: &[f32], b: &[f32]| {
        let both = a.iter().zip(b).filter(|(a, b)| **a > 0.5 && **b > 0.5).count();
        let sum = a.iter().chain(b).filter(|value| **value > 0.5).count();
        2.0 * both as f64 / sum as f64
    };
    assert_eq!(dice(&reference.data, &prediction.data), 0.0);
    let turned = prediction.reoriented("RAS").unwrap();
    assert_eq!(turned.shape, reference.shape);
    assert_eq!(dice(&reference.data, &turned.data), 1.0);
    for (found, right) in turned.affine.iter().flatten().zip(reference.affine.iter().flatten()) {
        assert!((found - right).abs() < 1e-4, "{:?} in place of {:?}", turned.affine, reference.affine);
    }
}
