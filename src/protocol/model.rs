//! `[model]`: the device's model, what goes in and what comes out, with nothing left to a guess.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// ONNX file, relative to the study folder.
    pub file: String,
    pub input: ModelInput,
    pub output: ModelOutput,
    /// Cases handed to the engine at once, >= 1.
    #[serde(default = "default_batch")]
    pub batch: usize,
}

fn default_batch() -> usize {
    1
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case")]
pub enum ModelInput {
    /// PNG, JPEG, TIFF or single-frame DICOM, found through `test_set.image`.
    Image(ImageInput),
    /// NIfTI volume, found through `test_set.image`.
    Volume(VolumeInput),
    /// Numeric columns of cases.csv in this order.
    Columns(ColumnsInput),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageInput {
    /// Name of the model's input tensor.
    pub name: String,
    pub layout: Layout,
    pub channels: Channels,
    /// Width and height that the model takes, in pixels.
    pub width: u32,
    pub height: u32,
    pub resize: Resize,
    /// Grey-level window for DICOM, in the units after rescale; else the file's own; else an error.
    #[serde(default)]
    pub window: Option<Window>,
    /// `value * scale`, before the normalisation. 8-bit images come as 0..255, 16-bit as 0..65535, DICOM after its window as 0..255.
    pub scale: f64,
    /// Per channel, after the scale.
    pub mean: Vec<f64>,
    pub std: Vec<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeInput {
    pub name: String,
    /// NCDHW or NDHWC.
    pub layout: VolumeLayout,
    pub depth: u32,
    pub height: u32,
    pub width: u32,
    /// `none` (the shapes must match) or `trilinear`.
    pub resize: VolumeResize,
    pub scale: f64,
    pub mean: f64,
    pub std: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnsInput {
    pub name: String,
    pub columns: Vec<String>,
    /// Per column, subtracted; empty = none.
    #[serde(default)]
    pub mean: Vec<f64>,
    /// Per column, divided by; empty = none.
    #[serde(default)]
    pub std: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    NCHW,
    NHWC,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum VolumeLayout {
    NCDHW,
    NDHWC,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channels {
    Gray,
    Rgb,
    Bgr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// The image must already have the model's size; another size is that case's no-output reason.
    None,
    /// Straight to the model's size, aspect ratio not kept.
    Stretch,
    /// Aspect ratio kept, the rest filled with 0.
    Letterbox,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VolumeResize {
    None,
    Trilinear,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    pub center: f64,
    pub width: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case")]
pub enum ModelOutput {
    /// One number a case: element `index` of output `name` after `activation`.
    Score { name: String, index: usize, activation: Activation },
    /// A map `[N,1,H,W]` of lesion probability: local maxima >= `minimum` that are at least `distance` input pixels apart become marks.
    Heatmap { name: String, activation: Activation, minimum: f64, distance: f64 },
    /// Rows `[N,K,5]`: x1, y1, x2, y2, score in input pixels; rows with score < `minimum` are left out.
    Boxes { name: String, minimum: f64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    None,
    Sigmoid,
    Softmax,
}
