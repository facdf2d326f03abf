//! From an image, a volume or a row of numbers to the tensor that the protocol's `[model.input]` declares.
//!
//! Resizing is linear interpolation between pixel centres (bilinear, trilinear), the outermost pixels carried on beyond
//! the edge, **without antialiasing**: the same rule as `interpolate(align_corners=False, antialias=False)` in PyTorch
//! and `INTER_LINEAR` in OpenCV. A model that was trained behind another rule needs images resized by that rule.

use super::{Image, Unusable, Volume};
use crate::protocol::{Channels, ColumnsInput, ImageInput, Layout, Resize, VolumeInput, VolumeLayout, VolumeResize};

/// Where an image came to lie in the model's input, so that places which the model finds can be told in the image's
/// own pixels. Pixel centres have whole coordinates, the top left one (0, 0).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Model pixels per image pixel, across and down.
    pub scale: [f64; 2],
    /// Model pixels left of and above the image.
    pub offset: [f64; 2],
}

impl Placement {
    pub const IDENTITY: Self = Self { scale: [1.0; 2], offset: [0.0; 2] };

    /// The place of a model pixel, in image pixels.
    pub fn to_image(&self, x: f64, y: f64) -> (f64, f64) {
        let back = |value: f64, axis: usize| (value + 0.5 - self.offset[axis]) / self.scale[axis] - 0.5;
        (back(x, 0), back(y, 1))
    }

    /// The place of a box's edge: edges lie between pixels, so there is no half pixel to take off.
    pub fn edge_to_image(&self, x: f64, y: f64) -> (f64, f64) {
        let back = |value: f64, axis: usize| (value - self.offset[axis]) / self.scale[axis];
        (back(x, 0), back(y, 1))
    }
}

/// The image as the model takes it: channels as declared, resized, `(value × scale − mean) ÷ std`, laid out.
///
/// A grey image is repeated for a colour model. A colour image is taken for a grey model only where its three channels
/// are equal in every pixel; how to weigh them otherwise would be a guess.
///
/// # Errors
/// The image's size or channels are not what the protocol declares.
pub fn image_tensor(image: &Image, input: &ImageInput) -> Result<(Vec<f64>, Placement), Unusable> {
    let (width, height) = (input.width as usize, input.height as usize);
    let planes = planes(image, input.channels)?;
    let (resized, placement) = match input.resize {
        Resize::None if (image.width, image.height) == (width, height) => (planes, Placement::IDENTITY),
        Resize::None => {
            return Err(Unusable::Misfit {
                found: format!("{}×{} pixels", image.width, image.height),
                declared: format!("{width}×{height} with resize = \"none\""),
            });
        }
        Resize::Stretch => {
            let scale = [width as f64 / image.width as f64, height as f64 / image.height as f64];
            let resized = planes.iter().map(|plane| bilinear(plane, image, width, height)).collect();
            (resized, Placement { scale, offset: [0.0; 2] })
        }
        Resize::Letterbox => letterbox(&planes, image, width, height),
    };
    let count = resized.len();
    let mut tensor = vec![0.0; count * width * height];
    for (channel, plane) in resized.iter().enumerate() {
        let (mean, std) = (input.mean[channel], input.std[channel]);
        for (pixel, value) in plane.iter().enumerate() {
            let index = match input.layout {
                Layout::NCHW => channel * width * height + pixel,
                Layout::NHWC => pixel * count + channel,
            };
            tensor[index] = (value * input.scale - mean) / std;
        }
    }
    Ok((tensor, placement))
}

/// One plane of numbers a channel, in the declared order.
fn planes(image: &Image, channels: Channels) -> Result<Vec<Vec<f64>>, Unusable> {
    let plane = |channel: usize| -> Vec<f64> {
        image.data.iter().skip(channel).step_by(image.channels).map(|&value| f64::from(value)).collect()
    };
    Ok(match (channels, image.channels) {
        (Channels::Gray, 1) => vec![plane(0)],
        (Channels::Gray, _) => {
            if image.data.chunks_exact(image.channels).any(|pixel| pixel.iter().any(|value| *value != pixel[0])) {
                return Err(Unusable::Misfit {
                    found: format!("{} colour channels that differ", image.channels),
                    declared: "channels = \"gray\"".to_owned(),
                });
            }
            vec![plane(0)]
        }
        (Channels::Rgb | Channels::Bgr, 1) => vec![plane(0); 3],
        (Channels::Rgb, _) => vec![plane(0), plane(1), plane(2)],
        (Channels::Bgr, _) => vec![plane(2), plane(1), plane(0)],
    })
}

/// The whole image as large as it goes in, in the middle (half a pixel to the left and up where the rest is odd); the
/// rest is grey level 0, which the normalisation then treats as it treats the image.
fn letterbox(planes: &[Vec<f64>], image: &Image, width: usize, height: usize) -> (Vec<Vec<f64>>, Placement) {
    let ratio = (width as f64 / image.width as f64).min(height as f64 / image.height as f64);
    let fit = |size: usize, limit: usize| ((size as f64 * ratio).round() as usize).clamp(1, limit);
    let (inner_width, inner_height) = (fit(image.width, width), fit(image.height, height));
    let (left, top) = ((width - inner_width) / 2, (height - inner_height) / 2);
    let framed = planes
        .iter()
        .map(|plane| {
            let inner = bilinear(plane, image, inner_width, inner_height);
            let mut framed = vec![0.0; width * height];
            for (y, row) in inner.chunks_exact(inner_width).enumerate() {
                let start = (top + y) * width + left;
                framed[start..start + inner_width].copy_from_slice(row);
            }
            framed
        })
        .collect();
    let scale = [inner_width as f64 / image.width as f64, inner_height as f64 / image.height as f64];
    (framed, Placement { scale, offset: [left as f64, top as f64] })
}

fn bilinear(plane: &[f64], image: &Image, width: usize, height: usize) -> Vec<f64> {
    if (image.width, image.height) == (width, height) {
        return plane.to_vec();
    }
    let across = taps(image.width, width);
    let down = taps(image.height, height);
    let mut resized = Vec::with_capacity(width * height);
    for &(top, bottom, v) in &down {
        let (upper, lower) = (&plane[top * image.width..], &plane[bottom * image.width..]);
        for &(left, right, u) in &across {
            let above = upper[left] + (upper[right] - upper[left]) * u;
            let below = lower[left] + (lower[right] - lower[left]) * u;
            resized.push(above + (below - above) * v);
        }
    }
    resized
}

/// For each new sample: the two old samples around its centre and how far it lies towards the second (0..1).
fn taps(old: usize, new: usize) -> Vec<(usize, usize, f64)> {
    (0..new)
        .map(|index| {
            let place = ((index as f64 + 0.5) * old as f64 / new as f64 - 0.5).clamp(0.0, (old - 1) as f64);
            let first = place.floor() as usize;
            (first, (first + 1).min(old - 1), place - first as f64)
        })
        .collect()
}

/// The volume as the model takes it: depth is the file's z, height its y, width its x, as stored.
///
/// # Errors
/// The shapes differ and the protocol declares no resizing.
pub fn volume_tensor(volume: &Volume, input: &VolumeInput) -> Result<Vec<f64>, Unusable> {
    let wanted = [input.width as usize, input.height as usize, input.depth as usize];
    // One channel: NCDHW and NDHWC are the same numbers in the same order.
    let (VolumeLayout::NCDHW | VolumeLayout::NDHWC) = input.layout;
    let normalise = |value: f64| (value * input.scale - input.mean) / input.std;
    if volume.shape == wanted {
        return Ok(volume.data.iter().map(|&value| normalise(f64::from(value))).collect());
    }
    if input.resize == VolumeResize::None {
        let [x, y, z] = volume.shape;
        return Err(Unusable::Misfit {
            found: format!("{x}×{y}×{z} voxels (x, y, z)"),
            declared: format!("{}×{}×{} with resize = \"none\"", wanted[0], wanted[1], wanted[2]),
        });
    }
    let [across, down, through] = [0, 1, 2].map(|axis| taps(volume.shape[axis], wanted[axis]));
    let at = |x: usize, y: usize, z: usize| -> f64 {
        f64::from(volume.data[(z * volume.shape[1] + y) * volume.shape[0] + x])
    };
    let between = |a: f64, b: f64, t: f64| a + (b - a) * t;
    let mut tensor = Vec::with_capacity(wanted.iter().product());
    for &(z0, z1, w) in &through {
        for &(y0, y1, v) in &down {
            for &(x0, x1, u) in &across {
                let line = |y: usize, z: usize| between(at(x0, y, z), at(x1, y, z), u);
                let near = between(line(y0, z0), line(y1, z0), v);
                let far = between(line(y0, z1), line(y1, z1), v);
                tensor.push(normalise(between(near, far, w)));
            }
        }
    }
    Ok(tensor)
}

/// A case's numeric columns as the model takes them: `(value − mean) ÷ std`, where these are declared.
///
/// # Errors
/// A value is missing or not finite, or the row has another length than the protocol's list of columns.
pub fn columns_tensor(row: &[f64], input: &ColumnsInput) -> Result<Vec<f64>, Unusable> {
    if row.len() != input.columns.len() {
        return Err(Unusable::Misfit {
            found: format!("{} values", row.len()),
            declared: format!("{} columns", input.columns.len()),
        });
    }
    row.iter()
        .enumerate()
        .map(|(index, &value)| {
            if !value.is_finite() {
                return Err(Unusable::NotFinite { place: format!("column {}", input.columns[index]) });
            }
            let mean = input.mean.get(index).copied().unwrap_or(0.0);
            let std = input.std.get(index).copied().unwrap_or(1.0);
            Ok((value - mean) / std)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: usize, height: usize, data: &[f32]) -> Image {
        Image { width, height, channels: 1, data: data.to_vec(), spacing: None, steps: Vec::new() }
    }

    fn input(width: u32, height: u32, resize: Resize, channels: Channels) -> ImageInput {
        let count = if channels == Channels::Gray { 1 } else { 3 };
        ImageInput {
            name: "x".to_owned(),
            layout: Layout::NCHW,
            channels,
            width,
            height,
            resize,
            window: None,
            scale: 1.0,
            mean: vec![0.0; count],
            std: vec![1.0; count],
        }
    }

    /// Values of torch.nn.functional.interpolate([[0, 10], [20, 30]], (4, 4), mode "bilinear", align_corners=False),
    /// by hand: centres at −0.25, 0.25, 0.75, 1.25, the outer ones held at the edge.
    #[test]
    fn bilinear_goes_by_pixel_centres() {
        let image = grey(2, 2, &[0.0, 10.0, 20.0, 30.0]);
        let (tensor, placement) = image_tensor(&image, &input(4, 4, Resize::Stretch, Channels::Gray)).unwrap();
        assert_eq!(tensor, [0.0, 2.5, 7.5, 10.0, 5.0, 7.5, 12.5, 15.0, 15.0, 17.5, 22.5, 25.0, 20.0, 22.5, 27.5, 30.0]);
        assert_eq!(placement.to_image(1.5, 1.5), (0.5, 0.5));
        assert_eq!(placement.edge_to_image(4.0, 2.0), (2.0, 1.0));
    }

    #[test]
    fn a_letterbox_keeps_the_aspect_and_knows_where_the_image_lies() {
        let image = grey(4, 2, &[8.0; 8]);
        let declared = ImageInput { mean: vec![2.0], std: vec![2.0], ..input(2, 3, Resize::Letterbox, Channels::Gray) };
        let (tensor, placement) = image_tensor(&image, &declared).unwrap();
        // One row of two pixels in the middle; above and below grey level 0, normalised as the rest.
        assert_eq!(tensor, [-1.0, -1.0, 3.0, 3.0, -1.0, -1.0]);
        assert_eq!(placement, Placement { scale: [0.5, 0.5], offset: [0.0, 1.0] });
        assert_eq!(placement.to_image(0.5, 1.0), (1.5, 0.5));
    }

    #[test]
    fn channels_and_layout_follow_the_protocol() {
        let color = Image { channels: 3, ..grey(2, 1, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) };
        let declared = |layout, channels| ImageInput {
            layout,
            scale: 10.0,
            mean: vec![0.0, 0.0, 5.0],
            std: vec![1.0, 1.0, 5.0],
            ..input(2, 1, Resize::None, channels)
        };
        let tensor = |layout, channels| image_tensor(&color, &declared(layout, channels)).unwrap().0;
        assert_eq!(tensor(Layout::NCHW, Channels::Rgb), [10.0, 40.0, 20.0, 50.0, 5.0, 11.0]);
        assert_eq!(tensor(Layout::NHWC, Channels::Rgb), [10.0, 20.0, 5.0, 40.0, 50.0, 11.0]);
        assert_eq!(tensor(Layout::NCHW, Channels::Bgr), [30.0, 60.0, 20.0, 50.0, 1.0, 7.0]);
    }

    #[test]
    fn nothing_about_size_or_colour_is_guessed() {
        let reason = image_tensor(&grey(3, 2, &[0.0; 6]), &input(2, 2, Resize::None, Channels::Gray)).unwrap_err();
        assert_eq!(reason.to_string(), "has 3×2 pixels; the protocol declares 2×2 with resize = \"none\"");
        let color = Image { channels: 3, ..grey(1, 1, &[1.0, 2.0, 1.0]) };
        assert!(image_tensor(&color, &input(1, 1, Resize::None, Channels::Gray)).is_err());
        let shades = Image { channels: 3, ..grey(1, 1, &[2.0, 2.0, 2.0]) };
        assert_eq!(image_tensor(&shades, &input(1, 1, Resize::None, Channels::Gray)).unwrap().0, [2.0]);
        assert_eq!(image_tensor(&grey(1, 1, &[7.0]), &input(1, 1, Resize::None, Channels::Bgr)).unwrap().0, [7.0; 3]);
    }

    #[test]
    fn trilinear_goes_by_voxel_centres() {
        let volume = Volume {
            shape: [2, 1, 2],
            data: vec![0.0, 10.0, 20.0, 30.0],
            affine: [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]],
            oriented: true,
            steps: Vec::new(),
        };
        let input = |width, depth, resize| VolumeInput {
            name: "x".to_owned(),
            layout: VolumeLayout::NCDHW,
            depth,
            height: 1,
            width,
            resize,
            scale: 0.1,
            mean: 1.0,
            std: 2.0,
        };
        assert_eq!(volume_tensor(&volume, &input(2, 2, VolumeResize::None)).unwrap(), [-0.5, 0.0, 0.5, 1.0]);
        assert_eq!(volume_tensor(&volume, &input(1, 1, VolumeResize::Trilinear)).unwrap(), [0.25]);
        assert!(volume_tensor(&volume, &input(1, 1, VolumeResize::None)).unwrap_err().to_string().contains("2×1×2"));
    }

    #[test]
    fn columns_are_normalised_and_a_blank_is_a_reason() {
        let input = ColumnsInput {
            name: "x".to_owned(),
            columns: vec!["radius".to_owned(), "texture".to_owned()],
            mean: vec![1.0, 2.0],
            std: vec![2.0, 4.0],
        };
        assert_eq!(columns_tensor(&[3.0, 4.0], &input).unwrap(), [1.0, 0.5]);
        assert!(columns_tensor(&[3.0, f64::NAN], &input).unwrap_err().to_string().contains("texture"));
        assert!(columns_tensor(&[3.0], &input).is_err());
    }
}
