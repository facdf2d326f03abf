//! Boxes over many images: average precision as COCO defines it, and the image score of the RSNA pneumonia challenge.
//!
//! Boxes are `x, y, width, height` in pixels; a box covers width × height, no pixel is added.

use crate::stats::{Estimable, NotEstimable};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rectangle {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    pub at: Rectangle,
    /// Higher = more certain.
    pub score: f64,
}

/// References and detections of one image.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BoxedImage {
    pub references: Vec<Rectangle>,
    pub detections: Vec<Detection>,
}

/// Boxes of an area in `low..=high` count. A smaller or larger reference is neither missed nor found, and a detection of
/// another area that hits nothing is no false one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AreaRange {
    pub low: f64,
    pub high: f64,
}

impl AreaRange {
    pub const ALL: Self = Self { low: 0.0, high: 1e10 };
    pub const SMALL: Self = Self { low: 0.0, high: 1024.0 };
    pub const MEDIUM: Self = Self { low: 1024.0, high: 9216.0 };
    pub const LARGE: Self = Self { low: 9216.0, high: 1e10 };

    fn holds(self, at: &Rectangle) -> bool {
        (self.low..=self.high).contains(&at.area())
    }
}

/// What COCO's evaluation gives for one class at one IoU.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AveragePrecision {
    /// Mean over recalls 0, 0.01, …, 1 of the largest precision at that recall or above.
    pub precision: f64,
    /// Share of references found by any detection that counts.
    pub recall: f64,
}

impl Rectangle {
    pub fn area(&self) -> f64 {
        self.width * self.height
    }

    pub fn iou(&self, other: &Self) -> f64 {
        let side = |a: f64, la: f64, b: f64, lb: f64| ((a + la).min(b + lb) - a.max(b)).max(0.0);
        let common = side(self.x, self.width, other.x, other.width) * side(self.y, self.height, other.y, other.height);
        if common == 0.0 { 0.0 } else { common / (self.area() + other.area() - common) }
    }
}

/// Average precision and recall of one class at IoU ≥ `iou` (Lin et al. 2014, ECCV; rules of pycocotools' `COCOeval`).
///
/// In each image the `most` best detections are taken by falling score, equal scores in their given order; each takes the
/// free reference of the largest IoU (the last of equals). Over images they are then ranked by score, equal scores in the
/// order of the images. Precision is interpolated from the right at 101 recalls.
pub fn average_precision(images: &[BoxedImage], iou: f64, area: AreaRange, most: usize) -> Estimable<AveragePrecision> {
    let mut ranked: Vec<(f64, bool)> = Vec::new();
    let mut references = 0;
    for image in images {
        references += image.references.iter().filter(|at| area.holds(at)).count();
        ranked.extend(matched(image, iou, area, most));
    }
    if references == 0 {
        return Err(NotEstimable::new("no_reference_box", "no image has a reference box of this area"));
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut hits, mut precisions, mut recalls) = (0, Vec::new(), Vec::new());
    for (place, (_, hit)) in ranked.iter().enumerate() {
        hits += u32::from(*hit);
        precisions.push(f64::from(hits) / (place + 1) as f64);
        recalls.push(f64::from(hits) / references as f64);
    }
    for place in (1..precisions.len()).rev() {
        precisions[place - 1] = precisions[place - 1].max(precisions[place]);
    }
    let at = |step: u32| {
        let place = recalls.partition_point(|recall| *recall < f64::from(step) / 100.0);
        precisions.get(place).copied().unwrap_or(0.0)
    };
    let precision = (0..=100).map(at).sum::<f64>() / 101.0;
    Ok(AveragePrecision { precision, recall: recalls.last().copied().unwrap_or(0.0) })
}

/// Mean over several IoUs of [`average_precision`]: COCO's AP and AR.
pub fn mean_average_precision(
    images: &[BoxedImage],
    ious: &[f64],
    area: AreaRange,
    most: usize,
) -> Estimable<AveragePrecision> {
    let each = ious.iter().map(|&iou| average_precision(images, iou, area, most)).collect::<Estimable<Vec<_>>>()?;
    if each.is_empty() {
        return Err(NotEstimable::new("boxes", "no IoU is asked for"));
    }
    let mean = |of: fn(&AveragePrecision) -> f64| each.iter().map(of).sum::<f64>() / each.len() as f64;
    Ok(AveragePrecision { precision: mean(|a| a.precision), recall: mean(|a| a.recall) })
}

/// `first`, `first + step`, … as numpy's linspace rounds them, so that an IoU on a threshold falls on the same side.
pub fn thresholds(first: f64, last: f64, count: usize) -> Vec<f64> {
    let step = (last - first) / (count.max(2) - 1) as f64;
    (0..count).map(|i| if i + 1 == count && count > 1 { last } else { first + i as f64 * step }).collect()
}

/// Score and hit of each detection that counts in this image.
fn matched(image: &BoxedImage, iou: f64, area: AreaRange, most: usize) -> Vec<(f64, bool)> {
    let mut detections: Vec<&Detection> = image.detections.iter().collect();
    detections.sort_by(|a, b| b.score.total_cmp(&a.score));
    detections.truncate(most);
    let counts: Vec<bool> = image.references.iter().map(|at| area.holds(at)).collect();
    // references that count come first: one of them is never given up for one that does not
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&i| !counts[i]);
    let mut taken = vec![false; counts.len()];
    let mut found = Vec::new();
    for detection in detections {
        let mut best = iou.min(1.0 - 1e-10);
        let mut match_: Option<usize> = None;
        for &i in order.iter().filter(|&&i| !taken[i]) {
            if match_.is_some_and(|m| counts[m]) && !counts[i] {
                break;
            }
            let overlap = detection.at.iou(&image.references[i]);
            if overlap >= best {
                best = overlap;
                match_ = Some(i);
            }
        }
        match match_ {
            Some(i) => {
                taken[i] = true;
                if counts[i] {
                    found.push((detection.score, true));
                }
            }
            None if area.holds(&detection.at) => found.push((detection.score, false)),
            None => {}
        }
    }
    found
}

/// Who chooses in [`image_score`], by falling score of the detections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chooser {
    /// Each reference, in its order, takes the best-scored free detection that overlaps enough.
    Reference,
    /// Each detection takes the free reference of the largest IoU, the last of equals.
    Detection,
}

/// How [`image_score`] matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageRule {
    pub chooser: Chooser,
    /// true: IoU ≥ threshold (the kernel in use); false: IoU > threshold (the challenge's text).
    pub inclusive: bool,
}

/// RSNA pneumonia detection 2018: the mean over thresholds of TP / (TP + FP + FN). An image with neither reference nor
/// detection is not scored; one with either alone scores 0.
pub fn image_score(image: &BoxedImage, thresholds: &[f64], rule: ImageRule) -> Estimable<f64> {
    if image.references.is_empty() && image.detections.is_empty() {
        return Err(NotEstimable::new("not_scored", "the image has neither reference nor detection"));
    }
    if thresholds.is_empty() {
        return Err(NotEstimable::new("boxes", "no IoU is asked for"));
    }
    let mut detections: Vec<&Detection> = image.detections.iter().collect();
    detections.sort_by(|a, b| b.score.total_cmp(&a.score));
    let overlaps: Vec<Vec<f64>> =
        detections.iter().map(|d| image.references.iter().map(|at| d.at.iou(at)).collect()).collect();
    let at = |threshold: f64| {
        let enough = |overlap: f64| overlap > threshold || (rule.inclusive && overlap == threshold);
        let hits = hits(&overlaps, image.references.len(), rule.chooser, enough);
        hits as f64 / (image.references.len() + detections.len() - hits) as f64
    };
    Ok(thresholds.iter().map(|&threshold| at(threshold)).sum::<f64>() / thresholds.len() as f64)
}

fn hits(overlaps: &[Vec<f64>], references: usize, chooser: Chooser, enough: impl Fn(f64) -> bool) -> usize {
    match chooser {
        Chooser::Reference => {
            let mut used = vec![false; overlaps.len()];
            (0..references)
                .filter(|&reference| {
                    let free = (0..overlaps.len()).find(|&d| !used[d] && enough(overlaps[d][reference]));
                    free.inspect(|&d| used[d] = true).is_some()
                })
                .count()
        }
        Chooser::Detection => {
            let mut used = vec![false; references];
            overlaps
                .iter()
                .filter(|row| {
                    let free = (0..references).filter(|&r| !used[r] && enough(row[r]));
                    free.max_by(|&a, &b| row[a].total_cmp(&row[b])).inspect(|&r| used[r] = true).is_some()
                })
                .count()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(references: &[[f64; 4]], detections: &[(f64, [f64; 4])]) -> BoxedImage {
        let at = |[x, y, width, height]: [f64; 4]| Rectangle { x, y, width, height };
        BoxedImage {
            references: references.iter().map(|&r| at(r)).collect(),
            detections: detections.iter().map(|&(score, r)| Detection { at: at(r), score }).collect(),
        }
    }

    #[test]
    fn an_iou_on_the_threshold() {
        let half = image(&[[0.0, 0.0, 10.0, 10.0]], &[(0.5, [0.0, 0.0, 10.0, 5.0])]);
        let score = |inclusive| image_score(&half, &[0.5], ImageRule { chooser: Chooser::Reference, inclusive });
        assert_eq!((score(true), score(false)), (Ok(1.0), Ok(0.0)));
        let found = average_precision(&[half], 0.5, AreaRange::ALL, 100).unwrap();
        assert!((found.precision - 1.0).abs() < 1e-15 && found.recall == 1.0);
    }

    #[test]
    fn nothing_there_is_not_zero() {
        let rule = ImageRule { chooser: Chooser::Reference, inclusive: true };
        assert_eq!(image_score(&image(&[], &[]), &[0.5], rule).unwrap_err().code, "not_scored");
        assert_eq!(image_score(&image(&[], &[(0.1, [0.0, 0.0, 1.0, 1.0])]), &[0.5], rule), Ok(0.0));
        assert!(average_precision(&[image(&[], &[])], 0.5, AreaRange::ALL, 100).is_err());
        let missed = average_precision(&[image(&[[0.0, 0.0, 2.0, 2.0]], &[])], 0.5, AreaRange::ALL, 100).unwrap();
        assert_eq!((missed.precision, missed.recall), (0.0, 0.0));
    }
}
