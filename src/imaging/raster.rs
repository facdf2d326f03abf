//! PNG, JPEG and TIFF: 8 or 16 bits, grey or colour.

use super::{Image, Unusable};
use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, ImageReader};
use std::io::Cursor;

/// The format by the file's first bytes, with its name.
pub(super) fn format(bytes: &[u8]) -> Option<(ImageFormat, &'static str)> {
    match image::guess_format(bytes).ok()? {
        ImageFormat::Png => Some((ImageFormat::Png, "PNG")),
        ImageFormat::Jpeg => Some((ImageFormat::Jpeg, "JPEG")),
        ImageFormat::Tiff => Some((ImageFormat::Tiff, "TIFF")),
        _ => None,
    }
}

pub(super) fn decode(bytes: &[u8], format: ImageFormat, name: &'static str) -> Result<Image, Unusable> {
    if format == ImageFormat::Tiff {
        let pages = tiff_pages(bytes);
        if pages > 1 {
            return Err(Unusable::MultiFrame { frames: pages });
        }
    }
    let mut decoder = ImageReader::with_format(Cursor::new(bytes), format)
        .into_decoder()
        .map_err(|error| Unusable::decode(name, error))?;
    let stored = decoder.original_color_type();
    if matches!(stored, ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16) {
        return Err(Unusable::unsupported(format!("{name} in CMYK colour")));
    }
    // A viewer turns such a picture and most training code does not; where the lesions are would be a guess.
    let orientation = decoder.orientation().map_err(|error| Unusable::decode(name, error))?;
    if orientation != Orientation::NoTransforms {
        return Err(Unusable::unsupported(format!(
            "{name} with an orientation tag ({orientation:?}); store it upright"
        )));
    }
    let decoded = DynamicImage::from_decoder(decoder).map_err(|error| Unusable::decode(name, error))?;
    let (width, height) = (decoded.width() as usize, decoded.height() as usize);
    let (channels, alpha, data) = match decoded {
        DynamicImage::ImageLuma8(pixels) => (1, None, widen(pixels.into_raw())),
        DynamicImage::ImageRgb8(pixels) => (3, None, widen(pixels.into_raw())),
        DynamicImage::ImageLuma16(pixels) => (1, None, widen(pixels.into_raw())),
        DynamicImage::ImageRgb16(pixels) => (3, None, widen(pixels.into_raw())),
        DynamicImage::ImageLumaA8(pixels) => (1, Some(255.0), widen(pixels.into_raw())),
        DynamicImage::ImageRgba8(pixels) => (3, Some(255.0), widen(pixels.into_raw())),
        DynamicImage::ImageLumaA16(pixels) => (1, Some(65535.0), widen(pixels.into_raw())),
        DynamicImage::ImageRgba16(pixels) => (3, Some(65535.0), widen(pixels.into_raw())),
        other => return Err(Unusable::unsupported(format!("{name} with pixels of type {:?}", other.color()))),
    };
    let mut steps = vec![format!("{name}, {width}×{height}, {stored:?}")];
    let data = match alpha {
        None => data,
        Some(opaque) => {
            steps.push("opaque alpha channel left out".to_owned());
            drop_alpha(data, channels, opaque)
                .ok_or_else(|| Unusable::unsupported(format!("{name} with transparent pixels")))?
        }
    };
    Ok(Image { width, height, channels, data, spacing: None, steps })
}

fn widen<T: Into<f32>>(raw: Vec<T>) -> Vec<f32> {
    raw.into_iter().map(Into::into).collect()
}

/// Without the alpha channel, where every pixel is opaque.
fn drop_alpha(data: Vec<f32>, channels: usize, opaque: f32) -> Option<Vec<f32>> {
    let pixels = || data.chunks_exact(channels + 1);
    pixels()
        .all(|pixel| pixel[channels] == opaque)
        .then(|| pixels().flat_map(|pixel| pixel[..channels].iter().copied()).collect())
}

const MAXIMUM_PAGES: u64 = 10_000;

/// How many images a TIFF file chains; the decoder would silently take the first. A broken chain counts as far as it
/// can be followed, one that bites its own tail as [`MAXIMUM_PAGES`].
fn tiff_pages(bytes: &[u8]) -> u64 {
    let little = bytes.first() == Some(&b'I');
    let number = |at: usize, size: usize| -> Option<u64> {
        let field = bytes.get(at..at.checked_add(size)?)?;
        let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(if little { field.iter().rev().fold(0, fold) } else { field.iter().fold(0, fold) })
    };
    // BigTIFF (43) has 8-byte offsets and counts and 20-byte entries, classic TIFF (42) 4, 2 and 12.
    let (first, offset, count, entry) = if number(2, 2) == Some(43) { (8, 8, 8, 20) } else { (4, 4, 2, 12) };
    let mut pages = 0;
    let mut link = Some(first);
    while let Some(directory) = link.and_then(|at| number(at, offset)).filter(|&at| at != 0) {
        pages += 1;
        if pages == MAXIMUM_PAGES {
            break;
        }
        link = usize::try_from(directory).ok().and_then(|at| {
            let entries = usize::try_from(number(at, count)?).ok()?;
            at.checked_add(count)?.checked_add(entries.checked_mul(entry)?)
        });
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::super::image_from_bytes;
    use super::*;
    use image::{GrayAlphaImage, GrayImage, ImageBuffer, Luma, LumaA, Rgb, RgbImage};

    fn encode(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn eight_and_sixteen_bits_keep_their_values_in_png_and_tiff() {
        let gray = GrayImage::from_fn(3, 2, |x, y| Luma([(100 * y + x) as u8]));
        let deep = ImageBuffer::<Luma<u16>, _>::from_fn(3, 2, |x, y| Luma([(60000 + 100 * y + x) as u16]));
        let color = RgbImage::from_fn(2, 1, |x, _| Rgb([x as u8, 10, 250]));
        for format in [ImageFormat::Png, ImageFormat::Tiff] {
            let image = image_from_bytes(&encode(gray.clone(), format), None).unwrap();
            assert_eq!((image.width, image.height, image.channels), (3, 2, 1));
            assert_eq!(image.data, [0.0, 1.0, 2.0, 100.0, 101.0, 102.0]);
            let image = image_from_bytes(&encode(deep.clone(), format), None).unwrap();
            assert_eq!(image.data, [60000.0, 60001.0, 60002.0, 60100.0, 60101.0, 60102.0]);
            let image = image_from_bytes(&encode(color.clone(), format), None).unwrap();
            assert_eq!(image.channels, 3);
            assert_eq!(image.data, [0.0, 10.0, 250.0, 1.0, 10.0, 250.0]);
        }
    }

    #[test]
    fn a_jpeg_of_one_grey_is_that_grey() {
        let image =
            image_from_bytes(&encode(GrayImage::from_pixel(16, 8, Luma([77])), ImageFormat::Jpeg), None).unwrap();
        assert_eq!((image.width, image.height, image.channels), (16, 8, 1));
        assert!(image.data.iter().all(|value| *value == 77.0), "{:?}", image.data);
    }

    #[test]
    fn an_opaque_alpha_channel_goes_and_a_transparent_one_refuses() {
        let opaque = GrayAlphaImage::from_pixel(2, 1, LumaA([9, 255]));
        let image = image_from_bytes(&encode(opaque, ImageFormat::Png), None).unwrap();
        assert_eq!((image.channels, image.data.as_slice()), (1, [9.0, 9.0].as_slice()));
        assert!(image.steps.iter().any(|step| step.contains("alpha")));
        let clear = GrayAlphaImage::from_pixel(2, 1, LumaA([9, 254]));
        assert!(
            image_from_bytes(&encode(clear, ImageFormat::Png), None).unwrap_err().to_string().contains("transparent")
        );
    }

    /// One-by-one-pixel grey TIFF, little-endian, with `pages` chained directories.
    fn tiff(pages: u32, white_is_zero: bool) -> Vec<u8> {
        let mut bytes = b"II\x2a\x00\x08\x00\x00\x00".to_vec();
        for page in 0..pages {
            let start = bytes.len() as u32;
            let entries: [(u16, u16, u32); 8] = [
                (256, 3, 1),
                (257, 3, 1),
                (258, 3, 8),
                (259, 3, 1),
                (262, 3, u32::from(!white_is_zero)),
                (273, 4, start + 2 + 8 * 12 + 4),
                (277, 3, 1),
                (279, 4, 1),
            ];
            bytes.extend((entries.len() as u16).to_le_bytes());
            for (tag, kind, value) in entries {
                bytes.extend(tag.to_le_bytes());
                bytes.extend(kind.to_le_bytes());
                bytes.extend(1u32.to_le_bytes());
                bytes.extend(value.to_le_bytes());
            }
            let next = start + 2 + 8 * 12 + 4 + 2;
            bytes.extend(if page + 1 < pages { next } else { 0 }.to_le_bytes());
            bytes.extend([40, 0]);
        }
        bytes
    }

    #[test]
    fn a_tiff_of_several_pages_is_refused_and_not_cut_to_its_first() {
        assert_eq!(image_from_bytes(&tiff(1, false), None).unwrap().data, [40.0]);
        assert_eq!(image_from_bytes(&tiff(3, false), None).unwrap_err(), Unusable::MultiFrame { frames: 3 });
    }

    #[test]
    fn a_tiff_with_white_as_zero_comes_out_with_black_as_zero() {
        assert_eq!(image_from_bytes(&tiff(1, true), None).unwrap().data, [215.0]);
    }

    #[test]
    fn a_cut_file_gives_a_reason() {
        let png = encode(GrayImage::from_pixel(64, 64, Luma([3])), ImageFormat::Png);
        assert!(matches!(image_from_bytes(&png[..png.len() / 2], None), Err(Unusable::Decode { format: "PNG", .. })));
        let jpeg = encode(GrayImage::from_pixel(64, 64, Luma([3])), ImageFormat::Jpeg);
        assert!(matches!(image_from_bytes(&jpeg[..40], None), Err(Unusable::Decode { format: "JPEG", .. })));
    }
}
