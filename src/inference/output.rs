//! From the model's output tensor to what the study reads: a score a case, and for detection its marks.

use super::marks::peaks;
use super::{Tensor, Values};
use crate::imaging::Placement;
use crate::protocol::{Activation, ModelOutput};
use serde::{Deserialize, Serialize};

/// A mark in the pixels of the case's own image (pixel centres at whole numbers, the top left one 0, 0).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    pub x: f64,
    pub y: f64,
    pub score: f64,
    /// Boxes only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<f64>,
}

/// What the device said of one case.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseOutput {
    /// Classification: the score. Detection: the map's highest value, or the highest of all boxes (0 where there is none).
    pub score: f64,
    /// Empty unless the output is a heatmap or boxes.
    pub marks: Vec<Mark>,
}

/// How the case lay in the model's input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    pub placement: Placement,
    /// The model's input, in pixels.
    pub width: usize,
    pub height: usize,
    /// The case's own image, in pixels: marks on a letterbox's border are none.
    pub image_width: usize,
    pub image_height: usize,
}

impl View {
    /// For inputs without a place: columns, volumes.
    pub const NONE: Self =
        Self { placement: Placement::IDENTITY, width: 1, height: 1, image_width: 1, image_height: 1 };
}

/// The output of each case of a batch; `views` has one entry a case, fewer than the batch where it was filled up.
///
/// # Errors
/// The tensor does not have the declared form. The inner error is the reason of one case.
pub fn read(
    tensor: &Tensor,
    declared: &ModelOutput,
    views: &[View],
) -> Result<Vec<Result<CaseOutput, String>>, String> {
    let shape = &tensor.shape;
    let batch = shape.first().copied().unwrap_or(0);
    if batch < views.len() || shape.iter().product::<usize>() != tensor.values.len() {
        return Err(format!("an output of shape {shape:?} for {} cases", views.len()));
    }
    let size: usize = shape[1..].iter().product();
    let case = |index: usize| -> Vec<f64> {
        match &tensor.values {
            Values::F32(values) => values[index * size..][..size].iter().map(|&value| f64::from(value)).collect(),
            Values::F64(values) => values[index * size..][..size].to_vec(),
        }
    };
    let single = matches!(tensor.values, Values::F32(_));
    let views = views.iter().enumerate();
    match declared {
        ModelOutput::Score { index, activation, .. } => {
            if *index >= size {
                return Err(format!("an output of shape {shape:?} has no element {index}"));
            }
            Ok(views.map(|(at, _)| score(&case(at), *index, *activation, single)).collect())
        }
        ModelOutput::Heatmap { activation, minimum, distance, .. } => {
            let &[_, 1, height, width] = shape.as_slice() else {
                return Err(format!("an output of shape {shape:?} is no heatmap [N, 1, H, W]"));
            };
            Ok(views
                .map(|(at, view)| {
                    let map: Vec<f64> =
                        case(at).into_iter().map(|value| rounded(activate(value, *activation), single)).collect();
                    heatmap(&map, (width, height), *minimum, *distance, view)
                })
                .collect())
        }
        ModelOutput::Boxes { minimum, .. } => {
            if shape.len() != 3 || shape[2] != 5 {
                return Err(format!("an output of shape {shape:?} is no list of boxes [N, K, 5]"));
            }
            Ok(views.map(|(at, view)| boxes(&case(at), *minimum, single, view)).collect())
        }
    }
}

fn score(values: &[f64], index: usize, activation: Activation, single: bool) -> Result<CaseOutput, String> {
    let score = match activation {
        Activation::Softmax => {
            // Shifted by the greatest, so that no exponential overflows.
            let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = values.iter().map(|value| (value - greatest).exp()).sum();
            (values[index] - greatest).exp() / sum
        }
        other => activate(values[index], other),
    };
    let score = rounded(score, single);
    if !score.is_finite() {
        return Err(format!("the model's output is {score}"));
    }
    Ok(CaseOutput { score, marks: Vec::new() })
}

fn activate(value: f64, activation: Activation) -> f64 {
    match activation {
        // Over one value softmax is 1; the signature check refuses it.
        Activation::None | Activation::Softmax => value,
        Activation::Sigmoid => 1.0 / (1.0 + (-value).exp()),
    }
}

/// A single-precision model has single-precision scores: the shortest number that names the same `f32`. Without this the
/// file would show digits that the model never gave (0.10000000149011612).
fn rounded(value: f64, single: bool) -> f64 {
    if single { (value as f32).to_string().parse().unwrap_or(value) } else { value }
}

fn heatmap(
    map: &[f64],
    (width, height): (usize, usize),
    minimum: f64,
    distance: f64,
    view: &View,
) -> Result<CaseOutput, String> {
    if let Some(value) = map.iter().find(|value| !value.is_finite()) {
        return Err(format!("the model's heatmap holds {value}"));
    }
    if map.is_empty() {
        return Err("the model's heatmap is empty".to_owned());
    }
    // The map may be coarser than the input: a map pixel covers so many input pixels.
    let pixel = [view.width as f64 / width as f64, view.height as f64 / height as f64];
    let marks = peaks(map, width, minimum, distance, pixel)
        .into_iter()
        .filter_map(|peak| {
            let (x, y) = view.placement.to_image((peak.x + 0.5) * pixel[0] - 0.5, (peak.y + 0.5) * pixel[1] - 0.5);
            let inside = |value: f64, size: usize| (-0.5..=size as f64 - 0.5).contains(&value);
            (inside(x, view.image_width) && inside(y, view.image_height)).then_some(Mark {
                x,
                y,
                score: peak.score,
                width: None,
                height: None,
            })
        })
        .collect();
    Ok(CaseOutput { score: map.iter().copied().fold(f64::NEG_INFINITY, f64::max), marks })
}

fn boxes(rows: &[f64], minimum: f64, single: bool, view: &View) -> Result<CaseOutput, String> {
    let mut marks = Vec::new();
    let mut best = 0.0;
    for row in rows.chunks_exact(5) {
        if row.iter().any(|value| !value.is_finite()) || row[4] < 0.0 || row[2] < row[0] || row[3] < row[1] {
            return Err(format!("the model gives the box {row:?} (x1 ≤ x2, y1 ≤ y2, score ≥ 0 is a box)"));
        }
        let score = rounded(row[4], single);
        best = f64::max(best, score);
        if score < minimum {
            continue;
        }
        let (left, top) = view.placement.edge_to_image(row[0], row[1]);
        let (right, bottom) = view.placement.edge_to_image(row[2], row[3]);
        marks.push(Mark {
            x: (left + right) / 2.0,
            y: (top + bottom) / 2.0,
            score,
            width: Some(right - left),
            height: Some(bottom - top),
        });
    }
    marks.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(CaseOutput { score: best, marks })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(shape: &[usize], values: &[f32]) -> Tensor {
        Tensor { shape: shape.to_vec(), values: Values::F32(values.to_vec()) }
    }

    fn declared(index: usize, activation: Activation) -> ModelOutput {
        ModelOutput::Score { name: "y".to_owned(), index, activation }
    }

    #[test]
    fn a_score_is_the_declared_element_after_the_declared_activation() {
        let logits = tensor(&[2, 2], &[0.0, 2.0, 1000.0, -1000.0]);
        let scores = |output: &ModelOutput| -> Vec<f64> {
            read(&logits, output, &[View::NONE; 2]).unwrap().into_iter().map(|case| case.unwrap().score).collect()
        };
        assert_eq!(scores(&declared(1, Activation::None)), [2.0, -1000.0]);
        assert_eq!(scores(&declared(0, Activation::Sigmoid)), [0.5, 1.0]);
        let softmax = scores(&declared(1, Activation::Softmax));
        assert!((softmax[0] - 0.880_797_1).abs() < 1e-7 && softmax[1] == 0.0, "{softmax:?}");
        assert!(read(&logits, &declared(2, Activation::None), &[View::NONE; 2]).is_err());
    }

    #[test]
    fn a_single_precision_score_keeps_its_own_digits() {
        let case = read(&tensor(&[1, 1], &[0.1]), &declared(0, Activation::None), &[View::NONE]).unwrap();
        assert_eq!(case[0].as_ref().unwrap().score, 0.1);
    }

    #[test]
    fn an_output_that_is_no_number_is_that_cases_reason() {
        let cases = read(&tensor(&[2, 1], &[f32::NAN, 0.5]), &declared(0, Activation::None), &[View::NONE; 2]).unwrap();
        assert_eq!(cases[0].as_ref().unwrap_err(), "the model's output is NaN");
        assert_eq!(cases[1].as_ref().unwrap().score, 0.5);
    }

    #[test]
    fn marks_of_a_coarse_letterboxed_heatmap_lie_in_the_image() {
        // Image 16×8 in an 8×8 input: scale 0.5, two rows of border above and below; the map has half the input's size.
        let view = View {
            placement: Placement { scale: [0.5; 2], offset: [0.0, 2.0] },
            width: 8,
            height: 8,
            image_width: 16,
            image_height: 8,
        };
        let mut map = [0.0; 16];
        map[4 + 2] = 0.75; // map (2, 1) → input (4.5, 2.5) → image (9.5, 1.5)
        map[12] = 0.5; // map (0, 3): the border below the image
        let output =
            ModelOutput::Heatmap { name: "y".to_owned(), activation: Activation::None, minimum: 0.25, distance: 2.0 };
        let case = read(&tensor(&[1, 1, 4, 4], &map), &output, &[view]).unwrap().remove(0).unwrap();
        assert_eq!(case.score, 0.75);
        assert_eq!(case.marks, [Mark { x: 9.5, y: 1.5, score: 0.75, width: None, height: None }]);
    }

    #[test]
    fn boxes_go_back_to_image_pixels_and_no_box_is_a_score_of_nought() {
        let view = View { placement: Placement { scale: [0.5; 2], offset: [0.0; 2] }, ..View::NONE };
        let output = ModelOutput::Boxes { name: "y".to_owned(), minimum: 0.5 };
        let rows = tensor(&[1, 2, 5], &[1.0, 2.0, 3.0, 6.0, 0.75, 0.0, 0.0, 1.0, 1.0, 0.25]);
        let case = read(&rows, &output, &[view]).unwrap().remove(0).unwrap();
        assert_eq!(case.marks, [Mark { x: 4.0, y: 8.0, score: 0.75, width: Some(4.0), height: Some(8.0) }]);
        let none = read(&tensor(&[1, 0, 5], &[]), &output, &[view]).unwrap().remove(0).unwrap();
        assert_eq!((none.score, none.marks.len()), (0.0, 0));
        let broken = read(&tensor(&[1, 1, 5], &[3.0, 0.0, 1.0, 1.0, 0.5]), &output, &[view]).unwrap().remove(0);
        assert!(broken.unwrap_err().contains("x1 ≤ x2"));
    }
}
