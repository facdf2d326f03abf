//! NIfTI-1 volumes, `.nii` and `.nii.gz`: voxels after slope and intercept, with the affine to millimetres.
//!
//! The crate `nifti` reads the header and the voxels. What it lets through is checked here: a slope that is not a
//! number makes every voxel one, NIfTI-2 needs a name, a compressed file must not unfold without bound.

use super::{Unusable, Volume};
use flate2::read::MultiGzDecoder;
use nifti::volume::inmem::InMemNiftiVolume;
use nifti::{IntoNdArray, NiftiHeader};
use std::io::Read;

const HEADER: usize = 348;
const NIFTI_2_HEADER: i32 = 540;

pub(super) fn decode(bytes: &[u8]) -> Result<Volume, Unusable> {
    let mut start = Vec::new();
    // The header with room for the flag of extensions behind it.
    unfolded(bytes)
        .take(HEADER as u64 + 4)
        .read_to_end(&mut start)
        .map_err(|error| Unusable::decode("NIfTI", error))?;
    let size = start.first_chunk::<4>().copied().unwrap_or_default();
    if [i32::from_le_bytes(size), i32::from_be_bytes(size)].contains(&NIFTI_2_HEADER) {
        return Err(Unusable::unsupported("NIfTI-2; store the volume as NIfTI-1"));
    }
    if ![i32::from_le_bytes(size), i32::from_be_bytes(size)].contains(&(HEADER as i32)) || start.len() < HEADER {
        return Err(Unusable::NotRecognised("NIfTI-1 volumes, .nii or .nii.gz"));
    }
    let header = NiftiHeader::from_reader(start.as_slice()).map_err(|error| Unusable::decode("NIfTI", error))?;
    if &header.magic != nifti::header::MAGIC_CODE_NIP1 {
        return Err(Unusable::unsupported("NIfTI header and image in two files; store the volume as one .nii"));
    }
    let shape = shape(&header)?;
    let (slope, intercept) = (f64::from(header.scl_slope), f64::from(header.scl_inter));
    if !slope.is_finite() || !intercept.is_finite() {
        return Err(Unusable::unsupported(format!("NIfTI with slope {slope}, intercept {intercept}")));
    }

    let voxels: usize = shape.iter().product();
    let length = voxels * usize::try_from(header.bitpix).unwrap_or(0) / 8;
    if !(header.vox_offset >= HEADER as f32 && header.vox_offset.fract() == 0.0) {
        return Err(Unusable::decode("NIfTI", format!("vox_offset is {}", header.vox_offset)));
    }
    let mut voxel_bytes = Vec::new();
    let mut source = unfolded(bytes);
    std::io::copy(&mut source.by_ref().take(header.vox_offset as u64), &mut std::io::sink())
        .and_then(|_| source.take(length as u64).read_to_end(&mut voxel_bytes))
        .map_err(|error| Unusable::decode("NIfTI", error))?;
    if voxel_bytes.len() != length {
        return Err(Unusable::decode(
            "NIfTI",
            format!("{} bytes of voxels where there should be {length}", voxel_bytes.len()),
        ));
    }
    let mut flat = header.clone();
    flat.dim = [3, shape[0] as u16, shape[1] as u16, shape[2] as u16, 1, 1, 1, 1];
    let data_type = header.data_type().map_err(|error| Unusable::decode("NIfTI", error))?;
    if is_colour_or_complex(&header) {
        return Err(Unusable::unsupported(format!("NIfTI with voxels of type {data_type:?}")));
    }
    let values = InMemNiftiVolume::from_raw_data(&flat, voxel_bytes)
        .and_then(IntoNdArray::into_ndarray::<f64>)
        .map_err(|error| Unusable::unsupported(format!("NIfTI with voxels of type {data_type:?}: {error}")))?;
    // The array is in x-fastest order; its transpose is the same memory read row by row.
    let data: Vec<f32> = values.t().iter().map(|&value| value as f32).collect();
    if let Some(index) = data.iter().position(|value| !value.is_finite()) {
        let (x, rest) = (index % shape[0], index / shape[0]);
        return Err(Unusable::NotFinite { place: format!("voxel ({x}, {}, {})", rest % shape[1], rest / shape[1]) });
    }

    let (affine, origin) = affine(&header)?;
    let mut steps = vec![format!("NIfTI-1, {}×{}×{}, {data_type:?}", shape[0], shape[1], shape[2])];
    steps.push(match slope {
        0.0 => "no slope in the file: voxels as stored".to_owned(),
        _ => format!("rescale: stored × {slope} + {intercept}"),
    });
    let mut volume = Volume { shape, data, affine, oriented: origin != "voxel sizes", steps };
    let orientation = volume.orientation().unwrap_or_else(|| "unknown".to_owned());
    volume.steps.push(match volume.oriented {
        true => format!("axes as stored: {orientation} ({origin})"),
        false => "axes as stored; the file has no orientation".to_owned(),
    });
    Ok(volume)
}

fn unfolded(bytes: &[u8]) -> Box<dyn Read + '_> {
    if bytes.starts_with(&[0x1f, 0x8b]) { Box::new(MultiGzDecoder::new(bytes)) } else { Box::new(bytes) }
}

fn shape(header: &NiftiHeader) -> Result<[usize; 3], Unusable> {
    let dim = header.dim().map_err(|error| Unusable::decode("NIfTI", error))?;
    if let Some(frames) = dim.get(3..).map(|more| more.iter().map(|&d| u64::from(d)).product()).filter(|&n| n > 1) {
        return Err(Unusable::MultiFrame { frames });
    }
    Ok(std::array::from_fn(|axis| usize::from(dim.get(axis).copied().unwrap_or(1))))
}

/// Complex (32, 1792, 2048) and colour (128, 2304) types have no one grey value a voxel.
fn is_colour_or_complex(header: &NiftiHeader) -> bool {
    matches!(header.datatype, 32 | 128 | 1792 | 2048 | 2304)
}

/// Voxel index → millimetres, by the standard's order of preference: sform, qform, voxel sizes alone.
fn affine(header: &NiftiHeader) -> Result<([[f64; 4]; 3], &'static str), Unusable> {
    // Lowest three bits of xyzt_units: 1 metre, 2 millimetre, 3 micrometre; 0, not said, is millimetre by custom.
    let unit = match header.xyzt_units & 7 {
        1 => 1000.0,
        0 | 2 => 1.0,
        3 => 0.001,
        other => return Err(Unusable::unsupported(format!("NIfTI with unit code {other}"))),
    };
    let (affine, origin) = if header.sform_code > 0 {
        ([header.srow_x, header.srow_y, header.srow_z].map(|row| row.map(f64::from)), "sform")
    } else if header.qform_code > 0 {
        (quaternion_affine(header), "qform")
    } else {
        let size = |axis: usize| f64::from(header.pixdim[axis + 1]);
        (
            std::array::from_fn(|row| std::array::from_fn(|column| if row == column { size(row) } else { 0.0 })),
            "voxel sizes",
        )
    };
    let affine = affine.map(|row| row.map(|value| value * unit));
    let column_lengths = [0, 1, 2].map(|axis: usize| affine.iter().map(|row| row[axis].powi(2)).sum::<f64>());
    if affine.iter().flatten().any(|value| !value.is_finite()) || column_lengths.contains(&0.0) {
        return Err(Unusable::decode("NIfTI", format!("the affine of its {origin} has no inverse: {affine:?}")));
    }
    Ok((affine, origin))
}

/// NIfTI-1 method 2: rotation by the quaternion (a, b, c, d) with a = √(1 − b² − c² − d²), the third axis turned round
/// where pixdim[0] is −1 (nifti1.h, "QUATERNION REPRESENTATION OF ROTATION MATRIX").
fn quaternion_affine(header: &NiftiHeader) -> [[f64; 4]; 3] {
    let (b, c, d) = (f64::from(header.quatern_b), f64::from(header.quatern_c), f64::from(header.quatern_d));
    let rest = 1.0 - (b * b + c * c + d * d);
    // Single-precision fields may overshoot a half turn by their rounding: then a is 0 and the others are normalised.
    let (a, b, c, d) = if rest < 1e-7 {
        let norm = (b * b + c * c + d * d).sqrt();
        (0.0, b / norm, c / norm, d / norm)
    } else {
        (rest.sqrt(), b, c, d)
    };
    let handed = if header.pixdim[0] < 0.0 { -1.0 } else { 1.0 };
    let size = [1, 2, 3].map(|axis: usize| f64::from(header.pixdim[axis]));
    let size = [size[0], size[1], size[2] * handed];
    let rotation = [
        [a * a + b * b - c * c - d * d, 2.0 * (b * c - a * d), 2.0 * (b * d + a * c)],
        [2.0 * (b * c + a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d - a * b)],
        [2.0 * (b * d - a * c), 2.0 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ];
    let offset = [header.quatern_x, header.quatern_y, header.quatern_z].map(f64::from);
    std::array::from_fn(|row| {
        [rotation[row][0] * size[0], rotation[row][1] * size[1], rotation[row][2] * size[2], offset[row]]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    /// Little-endian int16 volume of 2×3×2 voxels 0, 1, … with the fields that `edit` sets.
    fn file(edit: impl Fn(&mut [u8])) -> Vec<u8> {
        let mut bytes = vec![0u8; 352];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, &348i32.to_le_bytes());
        for (index, dim) in [3i16, 2, 3, 2, 1, 1, 1, 1].iter().enumerate() {
            put(40 + 2 * index, &dim.to_le_bytes());
        }
        put(70, &4i16.to_le_bytes());
        put(72, &16i16.to_le_bytes());
        for (index, size) in [1f32, 1.5, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0].iter().enumerate() {
            put(76 + 4 * index, &size.to_le_bytes());
        }
        put(108, &352f32.to_le_bytes());
        put(112, &2f32.to_le_bytes());
        put(116, &(-10f32).to_le_bytes());
        put(123, &[2]);
        put(344, b"n+1\0");
        edit(&mut bytes);
        bytes.extend((0..12i16).flat_map(i16::to_le_bytes));
        bytes
    }

    fn put(bytes: &mut [u8], at: usize, field: &[u8]) {
        bytes[at..at + field.len()].copy_from_slice(field);
    }

    #[test]
    fn slope_and_intercept_are_applied_in_x_fastest_order() {
        let plain = file(|_| ());
        let volume = decode(&plain).unwrap();
        assert_eq!(volume.shape, [2, 3, 2]);
        assert_eq!(volume.data, (0..12).map(|v| v as f32 * 2.0 - 10.0).collect::<Vec<_>>());
        assert_eq!(volume.spacing(), [1.5, 2.0, 3.0]);
        assert!(!volume.oriented);
        let mut folded = GzEncoder::new(Vec::new(), Compression::fast());
        folded.write_all(&plain).unwrap();
        assert_eq!(decode(&folded.finish().unwrap()).unwrap(), volume);
    }

    #[test]
    fn a_slope_of_zero_is_none_and_one_that_is_no_number_refuses() {
        let none = decode(&file(|bytes| put(bytes, 112, &0f32.to_le_bytes()))).unwrap();
        assert_eq!(none.data[11], 11.0);
        let reason = decode(&file(|bytes| put(bytes, 112, &f32::NAN.to_le_bytes()))).unwrap_err();
        assert!(reason.to_string().contains("slope NaN"), "{reason}");
    }

    #[test]
    fn the_quaternion_turns_the_axes() {
        // A half turn about z: x and y point to the left and the back.
        let volume = decode(&file(|bytes| {
            put(bytes, 252, &1i16.to_le_bytes());
            put(bytes, 264, &1f32.to_le_bytes());
            put(bytes, 268, &7f32.to_le_bytes());
        }))
        .unwrap();
        assert_eq!(volume.orientation().unwrap(), "LPS");
        assert_eq!(volume.affine, [[-1.5, 0.0, 0.0, 7.0], [0.0, -2.0, 0.0, 0.0], [0.0, 0.0, 3.0, 0.0]]);
        // pixdim[0] = −1 turns the third axis round.
        let mirrored = decode(&file(|bytes| {
            put(bytes, 252, &1i16.to_le_bytes());
            put(bytes, 76, &(-1f32).to_le_bytes());
        }))
        .unwrap();
        assert_eq!(mirrored.orientation().unwrap(), "RAI");
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        let reason = |edit: &dyn Fn(&mut [u8])| decode(&file(edit)).unwrap_err().to_string();
        assert!(reason(&|bytes| put(bytes, 0, &540i32.to_le_bytes())).contains("NIfTI-2"));
        assert!(reason(&|bytes| put(bytes, 344, b"ni1\0")).contains("two files"));
        assert!(reason(&|bytes| put(bytes, 70, &128i16.to_le_bytes())).contains("Rgb24"));
        assert!(
            reason(&|bytes| {
                put(bytes, 40, &4i16.to_le_bytes());
                put(bytes, 48, &5i16.to_le_bytes());
            })
            .contains("5 frames")
        );
        let whole = file(|_| ());
        assert!(decode(&whole[..360]).unwrap_err().to_string().contains("8 bytes of voxels"));
        assert!(matches!(decode(&whole[..40]), Err(Unusable::NotRecognised(_))));
    }
}
