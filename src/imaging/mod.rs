//! What a file of pixels or voxels holds, as numbers a model can take, or the reason why it can't be used.
//!
//! A wrong image is worse than none: whatever this room does not support is refused by name, as that case's reason,
//! and each step that was done to the grey levels is written down in [`Image::steps`]. The order of a DICOM image's
//! steps is fixed: rescale, window to 0..255, MONOCHROME1 inversion (PS3.3 C.7.6.3.1.2 puts the inversion last).

mod dicom;
mod nifti;
mod preprocess;
mod raster;

pub use preprocess::{Placement, columns_tensor, image_tensor, volume_tensor};

use crate::protocol::Window;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// A two-dimensional image, row by row from the top left, the channels of a pixel side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    pub width: usize,
    pub height: usize,
    /// 1 (grey) or 3 (red, green, blue).
    pub channels: usize,
    /// 8-bit files 0..255, 16-bit files 0..65535, DICOM after its window 0..255.
    pub data: Vec<f32>,
    /// Millimetres between pixel centres: across (x), down (y). Absent where the file does not say.
    pub spacing: Option<[f64; 2]>,
    /// What was done to the stored values, in order, for the run record.
    pub steps: Vec<String>,
}

/// A three-dimensional image as stored: x runs fastest, then y, then z.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    /// Voxels along x, y, z.
    pub shape: [usize; 3],
    /// After slope and intercept.
    pub data: Vec<f32>,
    /// Voxel index (i, j, k, 1) → millimetres in RAS+ space; three rows of four.
    pub affine: [[f64; 4]; 3],
    /// False where the file carries no orientation and the affine is its voxel sizes alone.
    pub oriented: bool,
    pub steps: Vec<String>,
}

impl Volume {
    /// Millimetres between voxel centres along x, y, z.
    pub fn spacing(&self) -> [f64; 3] {
        std::array::from_fn(|axis| (0..3).map(|row| self.affine[row][axis].powi(2)).sum::<f64>().sqrt())
    }

    /// Towards which side of the patient x, y and z grow, such as `RAS` or `LPS`. An oblique axis takes the letter of
    /// the side that it is nearest to; `None` where the axes don't name three different directions.
    pub fn orientation(&self) -> Option<String> {
        self.axes().map(|axes| {
            axes.iter()
                .map(|&(world, positive)| match (world, positive) {
                    (0, true) => 'R',
                    (0, false) => 'L',
                    (1, true) => 'A',
                    (1, false) => 'P',
                    (_, true) => 'S',
                    (_, false) => 'I',
                })
                .collect()
        })
    }

    /// The same voxels stored with x, y, z growing towards the three sides of `orientation` (`RAS`, `LPS`, …), with the
    /// affine that belongs to them. Axes are swapped and flipped, nothing is resampled.
    ///
    /// # Errors
    /// The volume has no orientation of its own, or `orientation` does not name three different axes.
    pub fn reoriented(&self, orientation: &str) -> Result<Volume, Unusable> {
        let wanted = parse_orientation(orientation)
            .ok_or_else(|| Unusable::unsupported(format!("orientation \"{orientation}\" (three of R/L, A/P, S/I)")))?;
        let Some(axes) = self.axes().filter(|_| self.oriented) else {
            return Err(Unusable::unsupported("a volume without an orientation of its own, to be turned".to_owned()));
        };
        // For each new axis: the stored axis along the same line, and whether it runs the other way.
        let from: [(usize, bool); 3] = wanted.map(|(world, positive)| {
            let axis = axes.iter().position(|&(w, _)| w == world).unwrap_or(world);
            (axis, axes[axis].1 != positive)
        });
        let stride = [1, self.shape[0], self.shape[0] * self.shape[1]];
        let shape = from.map(|(axis, _)| self.shape[axis]);
        let source = |new: [usize; 3]| -> usize {
            (0..3)
                .map(|d| {
                    let (axis, flip) = from[d];
                    stride[axis] * if flip { self.shape[axis] - 1 - new[d] } else { new[d] }
                })
                .sum()
        };
        let mut data = Vec::with_capacity(self.data.len());
        for z in 0..shape[2] {
            for y in 0..shape[1] {
                for x in 0..shape[0] {
                    data.push(self.data[source([x, y, z])]);
                }
            }
        }
        let mut affine = [[0.0; 4]; 3];
        for (row, new) in affine.iter_mut().enumerate() {
            new[3] = self.affine[row][3];
            for (d, &(axis, flip)) in from.iter().enumerate() {
                let step = self.affine[row][axis];
                new[d] = if flip { -step } else { step };
                if flip {
                    new[3] += step * (self.shape[axis] - 1) as f64;
                }
            }
        }
        let mut steps = self.steps.clone();
        steps.push(format!("stored axes turned to {orientation}"));
        Ok(Volume { shape, data, affine, oriented: true, steps })
    }

    /// Per stored axis: the patient axis (0 left–right, 1 back–front, 2 feet–head) that it runs along, and whether it
    /// grows towards right, front or head.
    fn axes(&self) -> Option<[(usize, bool); 3]> {
        let spacing = self.spacing();
        let mut taken = [false; 3];
        let mut axes = [(0, true); 3];
        for (axis, entry) in axes.iter_mut().enumerate() {
            let cosine = |row: usize| self.affine[row][axis] / spacing[axis];
            let world = (0..3).max_by(|&a, &b| cosine(a).abs().total_cmp(&cosine(b).abs()))?;
            if taken[world] || !cosine(world).is_finite() {
                return None;
            }
            taken[world] = true;
            *entry = (world, cosine(world) > 0.0);
        }
        Some(axes)
    }
}

fn parse_orientation(text: &str) -> Option<[(usize, bool); 3]> {
    let axes: Vec<(usize, bool)> = text
        .chars()
        .map(|letter| match letter {
            'R' => Some((0, true)),
            'L' => Some((0, false)),
            'A' => Some((1, true)),
            'P' => Some((1, false)),
            'S' => Some((2, true)),
            'I' => Some((2, false)),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let axes: [(usize, bool); 3] = axes.try_into().ok()?;
    (0..3).all(|world| axes.iter().any(|&(w, _)| w == world)).then_some(axes)
}

/// Why a case's input can't be given to the model. It becomes that case's no-output reason.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    #[error("can't be read: {0}")]
    Io(String),
    #[error("not a file this tool knows ({0} are)")]
    NotRecognised(&'static str),
    #[error("{format} can't be decoded: {message}")]
    Decode { format: &'static str, message: String },
    #[error("holds {frames} frames; single-frame images only")]
    MultiFrame { frames: u64 },
    #[error("not supported: {0}")]
    Unsupported(String),
    #[error("DICOM without a window: neither [model.input] window nor WindowCenter and WindowWidth in the file")]
    NoWindow,
    #[error("has {found}; the protocol declares {declared}")]
    Misfit { found: String, declared: String },
    #[error("holds a value that is not a number at {place}")]
    NotFinite { place: String },
}

impl Unusable {
    fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported(what.into())
    }

    fn decode(format: &'static str, error: impl std::fmt::Display) -> Self {
        Self::Decode { format, message: error.to_string() }
    }
}

/// Reads a PNG, JPEG, TIFF or single-frame DICOM file; which of them it is the content says, not the name.
///
/// `window` is the protocol's and is used for DICOM only.
///
/// # Errors
/// The reason why this file can't be used. A decoder that panics on a broken file gives a reason too.
pub fn read_image(path: &Path, window: Option<Window>) -> Result<Image, Unusable> {
    image_from_bytes(&std::fs::read(path).map_err(|error| Unusable::Io(error.to_string()))?, window)
}

/// [`read_image`] on the content of a file.
///
/// # Errors
/// As for [`read_image`].
pub fn image_from_bytes(bytes: &[u8], window: Option<Window>) -> Result<Image, Unusable> {
    if bytes.get(128..132) == Some(b"DICM") {
        return guarded("DICOM", || dicom::decode(bytes, window));
    }
    match raster::format(bytes) {
        Some((format, name)) => guarded(name, || raster::decode(bytes, format, name)),
        None => Err(Unusable::NotRecognised("PNG, JPEG, TIFF, DICOM with its preamble")),
    }
}

/// Reads a NIfTI-1 volume, `.nii` or `.nii.gz`.
///
/// # Errors
/// The reason why this file can't be used.
pub fn read_volume(path: &Path) -> Result<Volume, Unusable> {
    let bytes = std::fs::read(path).map_err(|error| Unusable::Io(error.to_string()))?;
    guarded("NIfTI", || nifti::decode(&bytes))
}

/// Decoders of untrusted files may panic; one broken file must not end a run of ten thousand.
fn guarded<T>(format: &'static str, decode: impl FnOnce() -> Result<T, Unusable>) -> Result<T, Unusable> {
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err(Unusable::decode(format, "the decoder gave up on it (panic)")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume() -> Volume {
        Volume {
            shape: [2, 3, 1],
            data: vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
            affine: [[-1.0, 0.0, 0.0, 10.0], [0.0, -2.0, 0.0, 20.0], [0.0, 0.0, 3.0, 0.0]],
            oriented: true,
            steps: Vec::new(),
        }
    }

    #[test]
    fn turning_a_volume_keeps_each_voxel_at_its_place_in_the_patient() {
        let stored = volume();
        assert_eq!(stored.orientation().unwrap(), "LPS");
        assert_eq!(stored.spacing(), [1.0, 2.0, 3.0]);
        let turned = stored.reoriented("RAS").unwrap();
        assert_eq!(turned.data, [5.0, 4.0, 3.0, 2.0, 1.0, 0.0]);
        assert_eq!(turned.affine, [[1.0, 0.0, 0.0, 9.0], [0.0, 2.0, 0.0, 16.0], [0.0, 0.0, 3.0, 0.0]]);
        let swapped = stored.reoriented("PLS").unwrap();
        assert_eq!(swapped.shape, [3, 2, 1]);
        assert_eq!(swapped.data, [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
        assert_eq!(swapped.reoriented("LPS").unwrap().data, stored.data);
    }

    #[test]
    fn an_orientation_names_three_different_axes() {
        assert!(volume().reoriented("RLS").is_err());
        assert!(volume().reoriented("RA").is_err());
        assert!(Volume { oriented: false, ..volume() }.reoriented("RAS").is_err());
    }

    #[test]
    fn a_decoder_that_panics_gives_a_reason() {
        let reason = guarded::<()>("PNG", || panic!("index out of bounds")).unwrap_err();
        assert!(matches!(reason, Unusable::Decode { format: "PNG", .. }));
    }

    #[test]
    fn an_unknown_file_is_refused_with_the_kinds_that_are_known() {
        let text = image_from_bytes(b"GIF89a and more", None).unwrap_err().to_string();
        assert!(text.contains("PNG, JPEG, TIFF, DICOM"), "{text}");
    }
}
