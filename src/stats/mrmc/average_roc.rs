//! ROC curves of readers, pooled readings and averages over readers.
//!
//! An average curve averages the readers' empirical curves along lines of one direction: vertically (the mean
//! sensitivity at each false-positive fraction), horizontally (the mean false-positive fraction at each sensitivity) or
//! diagonally (along lines of constant sensitivity + false-positive fraction). The area under each of the three is the
//! mean of the readers' areas (Chen and Samuelson 2014, British Journal of Radiology 87:20140016). The curve of pooled
//! readings is not an average: it treats all readers as one who uses the scale the same way throughout.
//!
//! The averages are exact: where a curve steps, both ends of the step are kept, and between vertices lines are straight.

use super::MrmcData;
use crate::stats::{Estimable, NotEstimable};
use serde::Serialize;

/// An operating point, as fractions of the non-diseased and of the diseased cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RocPoint {
    /// False-positive fraction, 1 − specificity.
    pub fpf: f64,
    /// True-positive fraction, sensitivity.
    pub tpf: f64,
}

/// The lines along which readers' curves are averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AverageDirection {
    Vertical,
    Horizontal,
    Diagonal,
}

/// Two positions closer than this are one: sums of fractions that are equal in theory differ by rounding.
const SAME_POSITION: f64 = 1e-12;

/// Empirical curve from (0, 0) to (1, 1), one point a distinct rating; ties give slanted pieces.
///
/// # Errors
/// A class without readings.
pub fn reader_roc(data: &MrmcData, modality: usize, reader: usize) -> Estimable<Vec<RocPoint>> {
    empirical(ratings_by_truth(data, modality, reader))
}

/// Empirical curve of the readings of all readers together.
///
/// # Errors
/// A class without readings.
pub fn pooled_roc(data: &MrmcData, modality: usize) -> Estimable<Vec<RocPoint>> {
    let mut pooled = [Vec::new(), Vec::new()];
    for reader in 0..data.readers().len() {
        let ratings = ratings_by_truth(data, modality, reader);
        for (all, own) in pooled.iter_mut().zip(ratings) {
            all.extend(own);
        }
    }
    empirical(pooled)
}

/// Average over the readers who read both classes in the modality, each with equal weight.
///
/// # Errors
/// No such reader.
pub fn average_roc(data: &MrmcData, modality: usize, direction: AverageDirection) -> Estimable<Vec<RocPoint>> {
    let curves: Vec<Vec<RocPoint>> =
        (0..data.readers().len()).filter_map(|reader| reader_roc(data, modality, reader).ok()).collect();
    average_of(&curves, direction).ok_or_else(|| {
        NotEstimable::new("auc_needs_both_classes", "no reader read both a diseased and a non-diseased case")
    })
}

/// Average of curves that each run from (0, 0) to (1, 1); `None` of no curve.
#[must_use]
pub fn average_of(curves: &[Vec<RocPoint>], direction: AverageDirection) -> Option<Vec<RocPoint>> {
    if curves.is_empty() {
        return None;
    }
    let curves: Vec<Vec<Position>> =
        curves.iter().map(|curve| curve.iter().map(|&point| direction.forward(point)).collect()).collect();
    let mut places: Vec<f64> = curves.iter().flatten().map(|position| position.along).collect();
    places.sort_unstable_by(f64::total_cmp);
    places.dedup_by(|next, kept| *next - *kept <= SAME_POSITION);
    let mut average = Vec::with_capacity(2 * places.len());
    for along in places {
        let (mut low, mut high) = (0.0, 0.0);
        for curve in &curves {
            let ends = heights(curve, along);
            low += ends.0;
            high += ends.1;
        }
        let count = curves.len() as f64;
        average.push(direction.back(Position { along, height: low / count }));
        if high > low {
            average.push(direction.back(Position { along, height: high / count }));
        }
    }
    Some(average)
}

/// A point in coordinates in which every curve goes forward: the place along the axis, and the height averaged there.
#[derive(Debug, Clone, Copy)]
struct Position {
    along: f64,
    height: f64,
}

impl AverageDirection {
    fn forward(self, point: RocPoint) -> Position {
        match self {
            Self::Vertical => Position { along: point.fpf, height: point.tpf },
            Self::Horizontal => Position { along: point.tpf, height: point.fpf },
            Self::Diagonal => Position { along: (point.fpf + point.tpf) / 2.0, height: (point.tpf - point.fpf) / 2.0 },
        }
    }

    fn back(self, position: Position) -> RocPoint {
        let Position { along, height } = position;
        match self {
            Self::Vertical => RocPoint { fpf: along, tpf: height },
            Self::Horizontal => RocPoint { fpf: height, tpf: along },
            Self::Diagonal => RocPoint { fpf: along - height, tpf: along + height },
        }
    }
}

/// Lowest and highest point of a curve at one place.
fn heights(curve: &[Position], along: f64) -> (f64, f64) {
    let first = curve.partition_point(|position| position.along < along - SAME_POSITION);
    let after = curve.partition_point(|position| position.along <= along + SAME_POSITION);
    if after > first {
        return (curve[first].height, curve[after - 1].height);
    }
    // every curve starts at place 0 and ends at place 1, so that a place without a vertex lies between two
    let (left, right) = (curve[first - 1], curve[first]);
    let share = (along - left.along) / (right.along - left.along);
    let height = left.height + share * (right.height - left.height);
    (height, height)
}

fn ratings_by_truth(data: &MrmcData, modality: usize, reader: usize) -> [Vec<f64>; 2] {
    let cell = data.cell(modality, reader);
    let mut ratings = [Vec::new(), Vec::new()];
    for (&case, &rating) in cell.cases.iter().zip(cell.ratings) {
        ratings[usize::from(data.cases()[case as usize].diseased)].push(rating);
    }
    ratings
}

fn empirical(ratings: [Vec<f64>; 2]) -> Estimable<Vec<RocPoint>> {
    let counts = ratings.each_ref().map(Vec::len);
    if counts.contains(&0) {
        return Err(NotEstimable::new(
            "auc_needs_both_classes",
            format!("an ROC curve needs both truth classes: n+ = {}, n- = {}", counts[1], counts[0]),
        ));
    }
    let mut all: Vec<(f64, usize)> =
        (0..).zip(&ratings).flat_map(|(truth, class)| class.iter().map(move |&rating| (rating, truth))).collect();
    all.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut points = vec![RocPoint { fpf: 0.0, tpf: 0.0 }];
    let mut above = [0_usize; 2];
    for level in all.chunk_by(|a, b| a.0 == b.0) {
        for &(_, truth) in level {
            above[truth] += 1;
        }
        points.push(RocPoint { fpf: above[0] as f64 / counts[0] as f64, tpf: above[1] as f64 / counts[1] as f64 });
    }
    Ok(points)
}

/// Area under a curve by trapezoids.
#[must_use]
pub fn area(curve: &[RocPoint]) -> f64 {
    curve.windows(2).map(|pair| (pair[1].fpf - pair[0].fpf) * (pair[0].tpf + pair[1].tpf) / 2.0).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::mrmc::simulate::{Draw, RoeMetz, Variances, categorise};

    #[test]
    fn ties_slant_and_steps_keep_both_ends() {
        let points = empirical([vec![1.0, 2.0], vec![2.0, 3.0]]).unwrap();
        let expected = [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0)];
        assert_eq!(points.iter().map(|point| (point.fpf, point.tpf)).collect::<Vec<_>>(), expected);
        assert_eq!(area(&points), 0.875);
    }

    #[test]
    fn the_area_under_each_average_is_the_mean_area() {
        let variances = Variances {
            reader: 0.05,
            modality_reader: 0.05,
            case: 0.3,
            modality_case: 0.2,
            reader_case: 0.2,
            error: 0.3,
        };
        let model = RoeMetz::two_modalities([1.0, 1.4], &variances);
        let continuous = model.simulate(4, 23, 31, Draw { seed: 11, replicate: 0 }).unwrap();
        let binned = categorise(&continuous, &[-0.5, 0.5, 1.5, 2.0]).unwrap();
        // every third reading is missing
        let gaps = binned.filter(|row| !(row.case + row.reader).is_multiple_of(3)).unwrap();
        for data in [&continuous, &binned, &gaps] {
            let mean = (0..4).map(|reader| area(&reader_roc(data, 1, reader).unwrap())).sum::<f64>() / 4.0;
            for direction in [AverageDirection::Vertical, AverageDirection::Horizontal, AverageDirection::Diagonal] {
                let curve = average_roc(data, 1, direction).unwrap();
                assert!((area(&curve) - mean).abs() < 1e-12, "{direction:?}: {} {mean}", area(&curve));
                let rises =
                    |pair: &[RocPoint]| pair[0].fpf <= pair[1].fpf + 1e-12 && pair[0].tpf <= pair[1].tpf + 1e-12;
                assert!(curve.windows(2).all(rises));
            }
        }
    }

    #[test]
    fn a_curve_needs_both_classes() {
        assert_eq!(
            empirical([vec![1.0], vec![]]).unwrap_err().reason,
            "an ROC curve needs both truth classes: n+ = 0, n- = 1"
        );
    }
}
