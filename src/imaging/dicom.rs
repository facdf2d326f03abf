//! Single-frame DICOM images: stored value → rescale → window to 0..255 → MONOCHROME1 inversion.
//!
//! The codec gives stored values only. Masking to BitsStored, sign, rescale, window and inversion are done here, on
//! record, so that none is done twice or silently left out. Formulas: DICOM PS3.3 C.11.1 (modality), C.11.2.1.2 and
//! C.11.2.1.3 (window functions), C.7.6.3.1.2 (MONOCHROME1).

use super::{Image, Unusable};
use crate::protocol::Window;
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, OpenFileOptions, file::ReadPreamble};
use dicom_pixeldata::PixelDecoder;

/// Transfer syntaxes that are taken, with their names. Left out by intention: JPEG extended (12 bits are not decoded),
/// JPEG-LS (needs a C++ library), everything with several frames a file.
const TRANSFER_SYNTAXES: [(&str, &str); 10] = [
    ("1.2.840.10008.1.2", "implicit little endian"),
    ("1.2.840.10008.1.2.1", "explicit little endian"),
    ("1.2.840.10008.1.2.1.99", "deflated explicit little endian"),
    ("1.2.840.10008.1.2.2", "explicit big endian"),
    ("1.2.840.10008.1.2.4.50", "JPEG baseline"),
    ("1.2.840.10008.1.2.4.57", "JPEG lossless"),
    ("1.2.840.10008.1.2.4.70", "JPEG lossless, first-order prediction"),
    ("1.2.840.10008.1.2.4.90", "JPEG 2000 lossless"),
    ("1.2.840.10008.1.2.4.91", "JPEG 2000"),
    ("1.2.840.10008.1.2.5", "RLE lossless"),
];

/// The first four above: pixels as they are, in which colour needs no transform that could go wrong unseen.
const UNCOMPRESSED: usize = 4;

/// More pixels than any single-frame image has; a broken header must not ask for all of the machine's memory.
const MAXIMUM_PIXELS: usize = 1 << 28;

pub(super) fn decode(bytes: &[u8], window: Option<Window>) -> Result<Image, Unusable> {
    let object = OpenFileOptions::new()
        .read_preamble(ReadPreamble::Always)
        .from_reader(bytes)
        .map_err(|error| Unusable::decode("DICOM", describe(&error)))?;
    let format = Format::read(&object)?;
    let pixels = object.decode_pixel_data().map_err(|error| Unusable::decode("DICOM", describe(&error)))?;
    let expected = format.rows * format.columns * format.samples * format.bits_allocated / 8;
    let found = pixels.data().len();
    // One byte more is the padding to an even length.
    if found != expected && found != expected + expected % 2 {
        return Err(Unusable::decode(
            "DICOM",
            format!("{found} bytes of pixels where rows × columns × samples × bytes is {expected}"),
        ));
    }
    if (pixels.rows() as usize, pixels.columns() as usize) != (format.rows, format.columns)
        || usize::from(pixels.samples_per_pixel()) != format.samples
    {
        return Err(Unusable::decode("DICOM", "the decoded picture has another size than the header says"));
    }
    let stored = format.stored_values(&pixels.data()[..expected]);
    let mut steps = vec![format.describe()];
    let data = if format.samples == 3 {
        stored.map(|value| value as f32).collect()
    } else {
        grey_levels(&object, &format, stored, window, &mut steps)?
    };
    let spacing = spacing(&object);
    Ok(Image { width: format.columns, height: format.rows, channels: format.samples, data, spacing, steps })
}

/// The header fields that say how the pixel bytes are to be read, all of them supported ones.
struct Format {
    rows: usize,
    columns: usize,
    samples: usize,
    bits_allocated: usize,
    bits_stored: u32,
    signed: bool,
    inverted: bool,
    photometric: String,
    transfer_syntax: &'static str,
}

impl Format {
    fn read(object: &DefaultDicomObject) -> Result<Self, Unusable> {
        let uid = object.meta().transfer_syntax().trim_end_matches(['\0', ' ']).to_owned();
        let known = TRANSFER_SYNTAXES.iter().position(|(known, _)| *known == uid);
        let Some(syntax) = known else {
            return Err(Unusable::unsupported(format!("DICOM transfer syntax {uid}")));
        };
        if object.get(tags::PIXEL_DATA).is_none() {
            return Err(Unusable::unsupported("DICOM without pixel data"));
        }
        let frames = number(object, tags::NUMBER_OF_FRAMES, "NumberOfFrames")?.unwrap_or(1.0);
        if frames != 1.0 {
            return Err(Unusable::MultiFrame { frames: frames.max(0.0) as u64 });
        }
        let needed = |tag, name: &str| -> Result<usize, Unusable> {
            match number(object, tag, name)? {
                Some(value) if value >= 0.0 && value.fract() == 0.0 => Ok(value as usize),
                Some(value) => Err(Unusable::decode("DICOM", format!("{name} is {value}"))),
                None => Err(Unusable::decode("DICOM", format!("{name} is missing"))),
            }
        };
        let format = Self {
            rows: needed(tags::ROWS, "Rows")?,
            columns: needed(tags::COLUMNS, "Columns")?,
            samples: needed(tags::SAMPLES_PER_PIXEL, "SamplesPerPixel")?,
            bits_allocated: needed(tags::BITS_ALLOCATED, "BitsAllocated")?,
            bits_stored: needed(tags::BITS_STORED, "BitsStored")? as u32,
            signed: needed(tags::PIXEL_REPRESENTATION, "PixelRepresentation")? == 1,
            inverted: text(object, tags::PHOTOMETRIC_INTERPRETATION).as_deref() == Some("MONOCHROME1"),
            photometric: text(object, tags::PHOTOMETRIC_INTERPRETATION)
                .ok_or_else(|| Unusable::decode("DICOM", "PhotometricInterpretation is missing"))?,
            transfer_syntax: TRANSFER_SYNTAXES[syntax].1,
        };
        format.check(needed(tags::HIGH_BIT, "HighBit")?, syntax, {
            number(object, tags::PLANAR_CONFIGURATION, "PlanarConfiguration")?.unwrap_or(0.0)
        })?;
        Ok(format)
    }

    fn check(&self, high_bit: usize, syntax: usize, planar: f64) -> Result<(), Unusable> {
        let refuse = |what: String| Err(Unusable::unsupported(format!("DICOM {what}")));
        if self.rows == 0 || self.columns == 0 || self.rows.saturating_mul(self.columns) > MAXIMUM_PIXELS {
            return refuse(format!("of {} rows × {} columns", self.rows, self.columns));
        }
        match (self.photometric.as_str(), self.samples) {
            ("MONOCHROME1" | "MONOCHROME2", 1) if matches!(self.bits_allocated, 8 | 16) => {}
            ("RGB", 3) if self.bits_allocated == 8 && self.bits_stored == 8 && !self.signed => {
                if syntax >= UNCOMPRESSED || planar != 0.0 {
                    return refuse(format!(
                        "colour by {}, planar configuration {planar} (uncompressed, pixel by pixel, is supported)",
                        self.transfer_syntax
                    ));
                }
            }
            (photometric, samples) => {
                return refuse(format!("{photometric} with {samples} samples of {} bits", self.bits_allocated));
            }
        }
        if self.bits_stored == 0
            || self.bits_stored as usize > self.bits_allocated
            || high_bit + 1 != self.bits_stored as usize
        {
            return refuse(format!(
                "with bits allocated {}, stored {}, high bit {high_bit}",
                self.bits_allocated, self.bits_stored
            ));
        }
        Ok(())
    }

    /// The stored values, bits above BitsStored taken off (they may hold an overlay), the sign spread.
    fn stored_values<'a>(&self, bytes: &'a [u8]) -> Box<dyn Iterator<Item = i32> + 'a> {
        let shift = 32 - self.bits_stored;
        let signed = self.signed;
        let value = move |raw: u32| {
            let top = raw << shift;
            if signed { (top as i32) >> shift } else { (top >> shift) as i32 }
        };
        if self.bits_allocated == 8 {
            Box::new(bytes.iter().map(move |&byte| value(u32::from(byte))))
        } else {
            // The codec gives 16-bit samples in the machine's own order.
            Box::new(bytes.chunks_exact(2).map(move |pair| value(u32::from(u16::from_ne_bytes([pair[0], pair[1]])))))
        }
    }

    fn describe(&self) -> String {
        format!(
            "DICOM {}, {}×{}, {}, {} of {} bits, {}",
            self.transfer_syntax,
            self.columns,
            self.rows,
            self.photometric,
            self.bits_stored,
            self.bits_allocated,
            if self.signed { "signed" } else { "unsigned" }
        )
    }
}

fn grey_levels(
    object: &DefaultDicomObject,
    format: &Format,
    stored: impl Iterator<Item = i32>,
    declared: Option<Window>,
    steps: &mut Vec<String>,
) -> Result<Vec<f32>, Unusable> {
    if object.get(tags::MODALITY_LUT_SEQUENCE).is_some() {
        return Err(Unusable::unsupported("DICOM with a modality look-up table"));
    }
    let slope = number(object, tags::RESCALE_SLOPE, "RescaleSlope")?.unwrap_or(1.0);
    let intercept = number(object, tags::RESCALE_INTERCEPT, "RescaleIntercept")?.unwrap_or(0.0);
    if slope == 0.0 {
        return Err(Unusable::decode("DICOM", "RescaleSlope is 0"));
    }
    steps.push(format!("rescale: stored × {slope} + {intercept}"));
    let (window, function, origin) = match declared {
        Some(window) => (window, Function::Linear, "protocol"),
        None => {
            let center = number(object, tags::WINDOW_CENTER, "WindowCenter")?;
            let width = number(object, tags::WINDOW_WIDTH, "WindowWidth")?;
            let (Some(center), Some(width)) = (center, width) else {
                return Err(Unusable::NoWindow);
            };
            (Window { center, width }, Function::read(object)?, "file, its first")
        }
    };
    function.check(window)?;
    steps.push(format!(
        "window: centre {}, width {} ({origin}), {} to 0..255",
        window.center,
        window.width,
        function.name()
    ));
    if format.inverted {
        steps.push("inversion: MONOCHROME1, 255 − value".to_owned());
    }
    Ok(stored
        .map(|value| {
            let shade = function.apply(f64::from(value) * slope + intercept, window);
            (if format.inverted { 255.0 - shade } else { shade }) as f32
        })
        .collect())
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Function {
    Linear,
    LinearExact,
    Sigmoid,
}

impl Function {
    fn read(object: &DefaultDicomObject) -> Result<Self, Unusable> {
        match text(object, tags::VOILUT_FUNCTION).as_deref() {
            None | Some("" | "LINEAR") => Ok(Self::Linear),
            Some("LINEAR_EXACT") => Ok(Self::LinearExact),
            Some("SIGMOID") => Ok(Self::Sigmoid),
            Some(other) => Err(Unusable::unsupported(format!("DICOM with VOILUTFunction {other}"))),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Linear => "LINEAR",
            Self::LinearExact => "LINEAR_EXACT",
            Self::Sigmoid => "SIGMOID",
        }
    }

    fn check(self, window: Window) -> Result<(), Unusable> {
        let narrowest = if self == Self::Linear { 1.0 } else { f64::MIN_POSITIVE };
        if window.width >= narrowest && window.width.is_finite() && window.center.is_finite() {
            return Ok(());
        }
        Err(Unusable::unsupported(format!(
            "window centre {}, width {} ({} needs {})",
            window.center,
            window.width,
            self.name(),
            if self == Self::Linear { "a width of at least 1" } else { "a width above 0" }
        )))
    }

    /// PS3.3 C.11.2.1.2.1 (LINEAR), C.11.2.1.3.1 (SIGMOID), C.11.2.1.3.2 (LINEAR_EXACT), to 0..255.
    fn apply(self, value: f64, Window { center, width }: Window) -> f64 {
        match self {
            Self::Linear => {
                let (center, half) = (center - 0.5, (width - 1.0) / 2.0);
                if value <= center - half {
                    0.0
                } else if value > center + half {
                    255.0
                } else {
                    ((value - center) / (width - 1.0) + 0.5) * 255.0
                }
            }
            Self::LinearExact => (((value - center) / width + 0.5) * 255.0).clamp(0.0, 255.0),
            Self::Sigmoid => 255.0 / (1.0 + (-4.0 * (value - center) / width).exp()),
        }
    }
}

/// PixelSpacing is rows first (down, across); ImagerPixelSpacing lies at the detector and is used where there is no other.
fn spacing(object: &DefaultDicomObject) -> Option<[f64; 2]> {
    [tags::PIXEL_SPACING, tags::IMAGER_PIXEL_SPACING].into_iter().find_map(|tag| {
        let values = object.get(tag)?.to_multi_float64().ok()?;
        match values.as_slice() {
            &[down, across] if down > 0.0 && across > 0.0 => Some([across, down]),
            _ => None,
        }
    })
}

/// The first value of a numeric element; absent and empty are `None`, anything else but a finite number is a fault.
fn number(object: &DefaultDicomObject, tag: Tag, name: &str) -> Result<Option<f64>, Unusable> {
    let Some(element) = object.get(tag) else { return Ok(None) };
    if element.value().primitive().is_some_and(|value| value.multiplicity() == 0) {
        return Ok(None);
    }
    let values =
        element.to_multi_float64().map_err(|_| Unusable::decode("DICOM", format!("{name} is not a number")))?;
    match values.first() {
        None => Ok(None),
        Some(value) if value.is_finite() => Ok(Some(*value)),
        Some(value) => Err(Unusable::decode("DICOM", format!("{name} is {value}"))),
    }
}

fn text(object: &DefaultDicomObject, tag: Tag) -> Option<String> {
    Some(object.get(tag)?.to_str().ok()?.trim_matches(['\0', ' ']).to_owned())
}

/// An error with what caused it, in one line.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::super::image_from_bytes;
    use super::*;
    use dicom_core::value::PrimitiveValue;
    use dicom_core::{DataElement, VR};
    use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

    struct Header {
        photometric: &'static str,
        stored: u16,
        signed: u16,
        samples: u16,
        extra: Vec<(Tag, VR, &'static str)>,
    }

    impl Default for Header {
        fn default() -> Self {
            Self { photometric: "MONOCHROME2", stored: 12, signed: 0, samples: 1, extra: Vec::new() }
        }
    }

    /// One row of pixels as a DICOM file.
    fn file(header: &Header, pixels: &[u16]) -> Vec<u8> {
        let mut object = InMemDicomObject::new_empty();
        let number = |value: u16| PrimitiveValue::from(value);
        let columns = pixels.len() as u16 / header.samples;
        let eight = header.samples == 3;
        for (tag, value) in [
            (tags::ROWS, 1),
            (tags::COLUMNS, columns),
            (tags::SAMPLES_PER_PIXEL, header.samples),
            (tags::BITS_ALLOCATED, if eight { 8 } else { 16 }),
            (tags::BITS_STORED, header.stored),
            (tags::HIGH_BIT, header.stored - 1),
            (tags::PIXEL_REPRESENTATION, header.signed),
        ] {
            object.put(DataElement::new(tag, VR::US, number(value)));
        }
        if eight {
            object.put(DataElement::new(tags::PLANAR_CONFIGURATION, VR::US, number(0)));
        }
        object.put(DataElement::new(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, header.photometric));
        object.put(DataElement::new(tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.7"));
        object.put(DataElement::new(tags::SOP_INSTANCE_UID, VR::UI, "2.25.1"));
        for (tag, vr, value) in &header.extra {
            object.put(DataElement::new(*tag, *vr, *value));
        }
        let data = if eight {
            PrimitiveValue::U8(pixels.iter().map(|&value| value as u8).collect())
        } else {
            PrimitiveValue::U16(pixels.iter().copied().collect())
        };
        object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, data));
        let mut bytes = Vec::new();
        object
            .with_meta(FileMetaTableBuilder::new().transfer_syntax("1.2.840.10008.1.2.1"))
            .unwrap()
            .write_all(&mut bytes)
            .unwrap();
        bytes
    }

    fn assert_near(found: &[f32], right: &[f64]) {
        assert_eq!(found.len(), right.len());
        for (found, right) in found.iter().zip(right) {
            assert!((f64::from(*found) - right).abs() < 1e-4, "{found} in place of {right}");
        }
    }

    #[test]
    fn the_order_is_rescale_then_window_then_inversion() {
        let header = Header {
            photometric: "MONOCHROME1",
            extra: vec![
                (tags::RESCALE_SLOPE, VR::DS, "2"),
                (tags::RESCALE_INTERCEPT, VR::DS, "-1000"),
                (tags::WINDOW_CENTER, VR::DS, "1000.5\\40"),
                (tags::WINDOW_WIDTH, VR::DS, "1001\\400"),
                (tags::PIXEL_SPACING, VR::DS, "0.5\\0.25"),
            ],
            ..Header::default()
        };
        let image = image_from_bytes(&file(&header, &[0, 750, 1000, 1250, 4095]), None).unwrap();
        // Rescaled −1000, 500, 1000, 1500, 7190; the window runs from 500 to 1500.
        assert_near(&image.data, &[255.0, 255.0, 127.5, 0.0, 0.0]);
        assert_eq!(image.spacing, Some([0.25, 0.5]));
        assert_eq!(image.steps.len(), 4);
        assert!(image.steps[1].starts_with("rescale") && image.steps[3].starts_with("inversion"), "{:?}", image.steps);
    }

    #[test]
    fn the_protocols_window_outranks_the_files_and_none_is_a_reason() {
        let header = Header {
            extra: vec![(tags::WINDOW_CENTER, VR::DS, "40"), (tags::WINDOW_WIDTH, VR::DS, "400")],
            ..Header::default()
        };
        let window = Window { center: 100.5, width: 201.0 };
        assert_near(&image_from_bytes(&file(&header, &[0, 50, 200]), Some(window)).unwrap().data, &[0.0, 63.75, 255.0]);
        assert_eq!(image_from_bytes(&file(&Header::default(), &[1]), None).unwrap_err(), Unusable::NoWindow);
        let narrow = Window { center: 1.0, width: 0.5 };
        assert!(image_from_bytes(&file(&header, &[0]), Some(narrow)).unwrap_err().to_string().contains("at least 1"));
    }

    #[test]
    fn bits_above_those_stored_do_not_count_and_the_sign_does() {
        let window = Some(Window { center: 0.5, width: 4096.0 });
        // 0xF801 holds overlay bits above the twelve stored ones: unsigned 0x801 = 2049.
        let unsigned = image_from_bytes(&file(&Header::default(), &[0xF801, 0x0801]), window).unwrap();
        assert_eq!(unsigned.data[0], unsigned.data[1]);
        // Signed, 0x801 = −2047: the window's lowest end is 0 − 2047.5.
        let signed = image_from_bytes(&file(&Header { signed: 1, ..Header::default() }, &[0x0801]), window).unwrap();
        assert_near(&signed.data, &[(-2047.0 / 4095.0 + 0.5) * 255.0]);
    }

    #[test]
    fn the_files_window_function_is_kept() {
        let header = |function| Header {
            extra: vec![
                (tags::WINDOW_CENTER, VR::DS, "100"),
                (tags::WINDOW_WIDTH, VR::DS, "200"),
                (tags::VOILUT_FUNCTION, VR::CS, function),
            ],
            ..Header::default()
        };
        let shades = |function| image_from_bytes(&file(&header(function), &[0, 50, 200]), None).map(|image| image.data);
        assert_near(&shades("LINEAR_EXACT").unwrap(), &[0.0, 63.75, 255.0]);
        let sigmoid = |x: f64| 255.0 / (1.0 + (-4.0 * (x - 100.0) / 200.0).exp());
        assert_near(&shades("SIGMOID").unwrap(), &[sigmoid(0.0), sigmoid(50.0), sigmoid(200.0)]);
        assert!(shades("CURVE").unwrap_err().to_string().contains("CURVE"));
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        let with = |photometric, samples, extra: Vec<(Tag, VR, &'static str)>| {
            let header =
                Header { photometric, samples, stored: if samples == 3 { 8 } else { 12 }, extra, ..Header::default() };
            image_from_bytes(&file(&header, &[1, 2, 3, 4, 5, 6]), Some(Window { center: 1.0, width: 9.0 }))
        };
        assert_eq!(
            with("MONOCHROME2", 1, vec![(tags::NUMBER_OF_FRAMES, VR::IS, "7")]).unwrap_err(),
            Unusable::MultiFrame { frames: 7 }
        );
        assert!(with("PALETTE COLOR", 1, vec![]).unwrap_err().to_string().contains("PALETTE COLOR"));
        assert!(with("YBR_FULL", 3, vec![]).unwrap_err().to_string().contains("YBR_FULL"));
        assert_eq!(with("RGB", 3, vec![]).unwrap().data, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    fn a_cut_file_gives_a_reason() {
        let bytes = file(&Header::default(), &[1; 100]);
        let window = Some(Window { center: 1.0, width: 9.0 });
        for length in [140, 300, bytes.len() - 20] {
            assert!(matches!(
                image_from_bytes(&bytes[..length], window),
                Err(Unusable::Decode { .. } | Unusable::Unsupported(_))
            ));
        }
    }
}
