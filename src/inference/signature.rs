//! What a model takes and gives, read from its file, held against what the protocol declares.
//!
//! The ONNX file itself is read, not an engine's view of it, so that both engines are held to the same facts.

use crate::error::Error;
use crate::fault::{Fault, Faults};
use crate::protocol::{Activation, Channels, Layout, Model, ModelInput, ModelOutput, VolumeLayout};
use serde::{Deserialize, Serialize};
use std::fmt;
use tract_onnx::pb;
use tract_onnx::prelude::Framework;

/// Inputs (without those that the file itself fills) and outputs, in the file's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    pub name: String,
    pub element: Element,
    /// Absent where the file does not state the shape.
    pub shape: Option<Vec<Dimension>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Element {
    F32,
    F64,
    /// Any other type, by its ONNX name.
    Other(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Dimension {
    Fixed(usize),
    /// Any size; the name says which dimensions go together and may be empty.
    Free(String),
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Other(name) => name,
        })
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(shape) = &self.shape else { return write!(f, "\"{}\" {} of unstated shape", self.name, self.element) };
        let dimensions: Vec<String> = shape
            .iter()
            .map(|dimension| match dimension {
                Dimension::Fixed(size) => size.to_string(),
                Dimension::Free(name) if name.is_empty() => "?".to_owned(),
                Dimension::Free(name) => name.clone(),
            })
            .collect();
        write!(f, "\"{}\" {}[{}]", self.name, self.element, dimensions.join(", "))
    }
}

impl Signature {
    /// From the content of an ONNX file; `file` is what a fault calls it.
    ///
    /// # Errors
    /// The content is not an ONNX model.
    pub fn read(bytes: &[u8], file: &str) -> Result<Self, Error> {
        let not_a_model = |found: String| {
            Error::from(Fault::new(file, found, "an ONNX model", "export the model to ONNX again").key("model.file"))
        };
        let model = tract_onnx::onnx()
            .proto_model_for_read(&mut &*bytes)
            .map_err(|error| not_a_model(format!("not readable as ONNX: {error}")))?;
        let graph = model.graph.ok_or_else(|| not_a_model("no graph in it".to_owned()))?;
        // Older files list their weights among the inputs too.
        let filled = |name: &str| graph.initializer.iter().any(|weight| weight.name == name);
        let signature = Self {
            inputs: graph.input.iter().filter(|input| !filled(&input.name)).map(port).collect(),
            outputs: graph.output.iter().map(port).collect(),
        };
        if signature.inputs.is_empty() || signature.outputs.is_empty() {
            return Err(not_a_model("a graph without inputs or outputs".to_owned()));
        }
        Ok(signature)
    }

    pub fn output(&self, name: &str) -> Option<&Port> {
        self.outputs.iter().find(|port| port.name == name)
    }
}

fn port(value: &pb::ValueInfoProto) -> Port {
    let tensor = value.r#type.as_ref().and_then(|kind| kind.value.as_ref());
    let Some(pb::type_proto::Value::TensorType(tensor)) = tensor else {
        return Port { name: value.name.clone(), element: Element::Other("not a tensor".to_owned()), shape: None };
    };
    let element = match pb::tensor_proto::DataType::try_from(tensor.elem_type) {
        Ok(pb::tensor_proto::DataType::Float) => Element::F32,
        Ok(pb::tensor_proto::DataType::Double) => Element::F64,
        Ok(other) => Element::Other(format!("{other:?}").to_lowercase()),
        Err(_) => Element::Other(format!("type {}", tensor.elem_type)),
    };
    let shape = tensor.shape.as_ref().map(|shape| {
        shape
            .dim
            .iter()
            .map(|dimension| match &dimension.value {
                Some(pb::tensor_shape_proto::dimension::Value::DimValue(size)) if *size > 0 => {
                    Dimension::Fixed(*size as usize)
                }
                Some(pb::tensor_shape_proto::dimension::Value::DimParam(name)) => Dimension::Free(name.clone()),
                _ => Dimension::Free(String::new()),
            })
            .collect()
    });
    Port { name: value.name.clone(), element, shape }
}

/// The shape of one case's input, without the batch axis.
pub fn case_shape(input: &ModelInput) -> Vec<usize> {
    match input {
        ModelInput::Image(image) => {
            let (height, width) = (image.height as usize, image.width as usize);
            let channels = if image.channels == Channels::Gray { 1 } else { 3 };
            match image.layout {
                Layout::NCHW => vec![channels, height, width],
                Layout::NHWC => vec![height, width, channels],
            }
        }
        ModelInput::Volume(volume) => {
            let size = [volume.depth as usize, volume.height as usize, volume.width as usize];
            match volume.layout {
                VolumeLayout::NCDHW => vec![1, size[0], size[1], size[2]],
                VolumeLayout::NDHWC => vec![size[0], size[1], size[2], 1],
            }
        }
        ModelInput::Columns(columns) => vec![columns.columns.len()],
    }
}

pub fn input_name(input: &ModelInput) -> &str {
    match input {
        ModelInput::Image(input) => &input.name,
        ModelInput::Volume(input) => &input.name,
        ModelInput::Columns(input) => &input.name,
    }
}

pub fn output_name(output: &ModelOutput) -> &str {
    match output {
        ModelOutput::Score { name, .. } | ModelOutput::Heatmap { name, .. } | ModelOutput::Boxes { name, .. } => name,
    }
}

/// How a model that fits the protocol is fed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    pub input: String,
    pub output: String,
    /// Without the batch axis.
    pub case_shape: Vec<usize>,
    /// F32 or F64.
    pub element: Element,
    /// Set where the model takes batches of this one size only.
    pub fixed_batch: Option<usize>,
}

/// Holds the model's signature against the protocol's `[model]`.
///
/// # Errors
/// Every misfit, with what the model has and what the protocol declares.
pub fn fit(signature: &Signature, model: &Model) -> Result<Fit, Faults> {
    let mut faults = Faults::default();
    let refuse = |key: &str, has: String, declares: String, mend: &str| {
        Fault::new(&model.file, format!("the model has {has}"), format!("{declares}, as the protocol declares"), mend)
            .key(key)
    };
    let ports = |ports: &[Port]| ports.iter().map(Port::to_string).collect::<Vec<_>>().join(", ");
    let (input, output) = (input_name(&model.input), output_name(&model.output));
    let case_shape = case_shape(&model.input);
    let mend_input = "make [model.input] say what the model takes, or export the model with that input";
    let mend_output = "make [model.output] say what the model gives, or export the model with that output";

    if model.batch == 0 {
        faults.push(refuse("model.batch", "batches of at least 1".into(), "batches of 0".into(), "batch = 1"));
    }
    check_lengths(model, case_shape.as_slice(), &mut faults);
    let mut fixed_batch = None;
    let mut element = Element::F32;
    match signature.inputs.as_slice() {
        [port] if port.name == input => {
            element = port.element.clone();
            let declared: Vec<String> = case_shape.iter().map(usize::to_string).collect();
            let declared = format!("\"{input}\" f32 or f64[N, {}]", declared.join(", "));
            let fits = port.shape.as_ref().is_none_or(|shape| {
                shape.len() == case_shape.len() + 1
                    && shape[1..].iter().zip(&case_shape).all(|(dimension, size)| match dimension {
                        Dimension::Fixed(fixed) => fixed == size,
                        Dimension::Free(_) => true,
                    })
            });
            if !fits || matches!(element, Element::Other(_)) {
                faults.push(refuse("model.input", format!("the input {port}"), declared, mend_input));
            } else if let Some([Dimension::Fixed(size), ..]) = port.shape.as_deref() {
                fixed_batch = Some(*size);
                if *size != model.batch {
                    faults.push(refuse(
                        "model.batch",
                        format!("the input {port}, batches of {size} only"),
                        format!("batch = {}", model.batch),
                        &format!("write batch = {size}, or export the model with a free batch axis"),
                    ));
                }
            }
        }
        inputs => {
            let has = if inputs.len() == 1 { "the input " } else { "the inputs " };
            faults.push(refuse(
                "model.input.name",
                format!("{has}{}", ports(inputs)),
                format!("one input, \"{input}\""),
                mend_input,
            ));
        }
    }
    match signature.output(output) {
        None => faults.push(refuse(
            "model.output.name",
            format!("the outputs {}", ports(&signature.outputs)),
            format!("\"{output}\""),
            mend_output,
        )),
        Some(port) => {
            if let Some(declares) = output_misfit(port, &model.output) {
                faults.push(refuse("model.output", format!("the output {port}"), declares, mend_output));
            }
        }
    }
    faults.into_result(Fit { input: input.to_owned(), output: output.to_owned(), case_shape, element, fixed_batch })
}

/// `mean` and `std` must name a number for each channel or column; a `std` of 0 would divide by it.
fn check_lengths(model: &Model, case_shape: &[usize], faults: &mut Faults) {
    let (mean, std, wanted, may_be_empty): (Vec<f64>, Vec<f64>, usize, bool) = match &model.input {
        ModelInput::Image(input) => {
            let channels = if input.channels == Channels::Gray { 1 } else { 3 };
            (input.mean.clone(), input.std.clone(), channels, false)
        }
        ModelInput::Volume(input) => (vec![input.mean], vec![input.std], 1, false),
        ModelInput::Columns(input) => (input.mean.clone(), input.std.clone(), input.columns.len(), true),
    };
    for (key, values) in [("model.input.mean", &mean), ("model.input.std", &std)] {
        if values.len() != wanted && !(may_be_empty && values.is_empty()) {
            faults.push(
                Fault::new(
                    &model.file,
                    format!("{} values", values.len()),
                    format!("{wanted}, one each channel or column"),
                    "give one number for each",
                )
                .key(key),
            );
        }
    }
    if std.iter().any(|value| *value == 0.0 || !value.is_finite()) || mean.iter().any(|value| !value.is_finite()) {
        let found = format!("mean {mean:?}, std {std:?}");
        faults.push(
            Fault::new(&model.file, found, "finite numbers, std not 0", "std = 1 leaves the values as they are")
                .key("model.input.std"),
        );
    }
    if case_shape.contains(&0) {
        faults.push(
            Fault::new(
                &model.file,
                format!("an input of {case_shape:?}"),
                "sizes of at least 1",
                "give the model's size",
            )
            .key("model.input"),
        );
    }
}

/// What the protocol declares, in words, where the output can't be that.
fn output_misfit(port: &Port, declared: &ModelOutput) -> Option<String> {
    let float = matches!(port.element, Element::F32 | Element::F64);
    let fixed = |axis: usize| match port.shape.as_ref().and_then(|shape| shape.get(axis)) {
        Some(Dimension::Fixed(size)) => Some(*size),
        _ => None,
    };
    let rank = port.shape.as_ref().map(Vec::len);
    match declared {
        ModelOutput::Score { index, activation, .. } => {
            // Elements of one case, where the file fixes all of them.
            let elements: Option<usize> =
                rank.and_then(|rank| (1..rank).map(fixed).try_fold(1usize, |product, size| Some(product * size?)));
            if !float || rank == Some(0) || elements.is_some_and(|count| *index >= count) {
                return Some(format!("f32 or f64[N, …] with an element {index}"));
            }
            (*activation == Activation::Softmax && elements == Some(1))
                .then(|| "softmax, which over one element is always 1".to_owned())
        }
        ModelOutput::Heatmap { activation, .. } => {
            if !float || rank.is_some_and(|rank| rank != 4) || fixed(1).is_some_and(|channels| channels != 1) {
                return Some("a heatmap, f32 or f64[N, 1, H, W]".to_owned());
            }
            (*activation == Activation::Softmax).then(|| "softmax, which over one channel is always 1".to_owned())
        }
        ModelOutput::Boxes { .. } => {
            (!float || rank.is_some_and(|rank| rank != 3) || fixed(2).is_some_and(|columns| columns != 5))
                .then(|| "boxes, f32 or f64[N, K, 5]".to_owned())
        }
    }
}
