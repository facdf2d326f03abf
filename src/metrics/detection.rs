//! Which mark hits which lesion, and what follows: the FROC curve, lesion sensitivity at a rate of false marks, wAFROC.
//!
//! The rule, printed in every report that uses it: marks are taken by falling score; a mark hits the nearest lesion
//! that the acceptance rule lets it hit and that no mark has hit yet. So the highest-scored mark is the hit. A further
//! mark on a lesion that is already found is neither a hit nor a false mark; it is counted as ignored.

use crate::stats::{Estimable, NotEstimable};

/// A true lesion. Coordinates in input pixels; `weight` > 0, made to sum to 1 within a case by [`wafroc_auc`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lesion {
    pub x: f64,
    pub y: f64,
    pub extent: Extent,
    pub weight: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Extent {
    Radius(f64),
    Box { x1: f64, y1: f64, x2: f64, y2: f64 },
}

/// A mark with its centre, its size where the device gives boxes, and its score (higher = more suspicious).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    pub x: f64,
    pub y: f64,
    pub size: Option<(f64, f64)>,
    pub score: f64,
}

/// When a mark may count as a hit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Centre distance <= radius.
    Distance { radius: f64 },
    /// The mark's centre lies within the lesion's own radius or box.
    Inside,
    /// Intersection over union of the boxes >= minimum.
    Iou { minimum: f64 },
}

/// One case after matching. Scores only: places have done their work.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matched {
    /// Per lesion: score of the mark that hit it, `None` = missed.
    pub hits: Vec<Option<f64>>,
    /// Weight of each lesion.
    pub weights: Vec<f64>,
    pub false_marks: Vec<f64>,
    /// Further marks on lesions already found.
    pub ignored: usize,
}

/// Matches the marks of one case to its lesions by the rule in the module's head.
///
/// Equal scores are taken in order of position (x, then y), so that the order of rows in a file cannot matter.
pub fn match_marks(lesions: &[Lesion], marks: &[Mark], rule: Rule) -> Matched {
    let mut order: Vec<&Mark> = marks.iter().collect();
    order.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.x.total_cmp(&b.x)).then(a.y.total_cmp(&b.y)));
    let mut matched = Matched {
        hits: vec![None; lesions.len()],
        weights: lesions.iter().map(|l| l.weight).collect(),
        ..Matched::default()
    };
    for mark in order {
        let mut touched = false;
        let mut nearest: Option<(f64, usize)> = None;
        for (index, lesion) in lesions.iter().enumerate() {
            if !accepts(rule, lesion, mark) {
                continue;
            }
            touched = true;
            let distance = (lesion.x - mark.x).hypot(lesion.y - mark.y);
            if matched.hits[index].is_none() && nearest.is_none_or(|(best, _)| distance < best) {
                nearest = Some((distance, index));
            }
        }
        match nearest {
            Some((_, index)) => matched.hits[index] = Some(mark.score),
            None if touched => matched.ignored += 1,
            None => matched.false_marks.push(mark.score),
        }
    }
    matched
}

fn accepts(rule: Rule, lesion: &Lesion, mark: &Mark) -> bool {
    match rule {
        Rule::Distance { radius } => (lesion.x - mark.x).hypot(lesion.y - mark.y) <= radius,
        Rule::Inside => match lesion.extent {
            Extent::Radius(radius) => (lesion.x - mark.x).hypot(lesion.y - mark.y) <= radius,
            Extent::Box { x1, y1, x2, y2 } => (x1..=x2).contains(&mark.x) && (y1..=y2).contains(&mark.y),
        },
        Rule::Iou { minimum } => iou(box_of(lesion), box_of_mark(mark)) >= minimum,
    }
}

type Corners = (f64, f64, f64, f64);

fn box_of(lesion: &Lesion) -> Corners {
    match lesion.extent {
        Extent::Radius(r) => (lesion.x - r, lesion.y - r, lesion.x + r, lesion.y + r),
        Extent::Box { x1, y1, x2, y2 } => (x1, y1, x2, y2),
    }
}

fn box_of_mark(mark: &Mark) -> Corners {
    let (w, h) = mark.size.unwrap_or((0.0, 0.0));
    (mark.x - w / 2.0, mark.y - h / 2.0, mark.x + w / 2.0, mark.y + h / 2.0)
}

/// Intersection over union of two boxes (x1, y1, x2, y2); 0 where both are empty.
fn iou(a: Corners, b: Corners) -> f64 {
    let area = |c: Corners| (c.2 - c.0).max(0.0) * (c.3 - c.1).max(0.0);
    let both = area((a.0.max(b.0), a.1.max(b.1), a.2.min(b.2), a.3.min(b.3)));
    let either = area(a) + area(b) - both;
    if either > 0.0 { both / either } else { 0.0 }
}

/// The empirical free-response curve (Bunch et al. 1978; Chakraborty 1989).
#[derive(Debug, Clone, PartialEq)]
pub struct Froc {
    /// All images, with or without lesions and marks: the denominator of the x axis.
    pub images: usize,
    pub lesions: usize,
    /// From the strictest threshold down; ties are one operating point.
    pub points: Vec<FrocPoint>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrocPoint {
    pub threshold: f64,
    /// False marks with score >= threshold, over all images.
    pub fp_per_image: f64,
    /// Lesions hit with score >= threshold, over all lesions (pooled).
    pub sensitivity: f64,
    pub hits: usize,
}

impl Froc {
    /// The most lesions found at no more than `fp_per_image` false marks an image, and the operating point that does so.
    /// `None` where even the strictest threshold has more false marks: sensitivity 0 there, by marking nothing.
    pub fn at(&self, fp_per_image: f64) -> Option<FrocPoint> {
        self.points.iter().rev().find(|p| p.fp_per_image <= fp_per_image).copied()
    }
}

/// The FROC curve of `cases` (all images of the set, those without lesions included). O(m log m) in the number of marks.
pub fn froc(cases: &[&Matched]) -> Estimable<Froc> {
    let lesions: usize = cases.iter().map(|c| c.hits.len()).sum();
    if lesions == 0 {
        return Err(NotEstimable::new(
            "no-lesion",
            format!("lesion sensitivity needs a lesion: {} images, 0 lesions", cases.len()),
        ));
    }
    let mut scores: Vec<(f64, bool)> = Vec::new();
    for case in cases {
        scores.extend(case.hits.iter().flatten().map(|&s| (s, true)));
        scores.extend(case.false_marks.iter().map(|&s| (s, false)));
    }
    scores.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut points = Vec::new();
    let (mut hits, mut false_marks) = (0usize, 0usize);
    for (index, &(score, hit)) in scores.iter().enumerate() {
        if hit {
            hits += 1;
        } else {
            false_marks += 1;
        }
        if scores.get(index + 1).is_none_or(|next| next.0 < score) {
            points.push(FrocPoint {
                threshold: score,
                fp_per_image: false_marks as f64 / cases.len() as f64,
                sensitivity: hits as f64 / lesions as f64,
                hits,
            });
        }
    }
    Ok(Froc { images: cases.len(), lesions, points })
}

/// Area under the weighted alternative FROC curve (Chakraborty & Zhai 2016, Med Phys 43:2548, eq. 2): the chance that a
/// lesion, drawn with its weight, is rated higher than the highest mark of a case without lesions; ties count one half.
/// A lesion without mark and a case without mark hold −∞, and −∞ against −∞ is a tie. O((a + b) log b).
pub fn wafroc_auc(cases: &[&Matched]) -> Estimable<f64> {
    let mut normal: Vec<f64> = cases
        .iter()
        .filter(|c| c.hits.is_empty())
        .map(|c| c.false_marks.iter().copied().fold(f64::NEG_INFINITY, f64::max))
        .collect();
    let diseased = cases.len() - normal.len();
    if normal.is_empty() || diseased == 0 {
        return Err(NotEstimable::new(
            "one-class-only",
            format!(
                "wAFROC needs cases with and without lesions: {diseased} with lesions, {} without",
                cases.len() - diseased
            ),
        ));
    }
    normal.sort_by(f64::total_cmp);
    let mut sum = 0.0;
    for case in cases.iter().filter(|c| !c.hits.is_empty()) {
        let total: f64 = case.weights.iter().sum();
        for (hit, weight) in case.hits.iter().zip(&case.weights) {
            let score = hit.unwrap_or(f64::NEG_INFINITY);
            let below = normal.partition_point(|&n| n < score);
            let not_above = normal.partition_point(|&n| n <= score);
            sum += weight / total * (below + not_above) as f64 / 2.0;
        }
    }
    Ok(sum / (diseased as f64 * normal.len() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(scores: &[f64]) -> Vec<f64> {
        scores.to_vec()
    }

    fn case(hits: &[Option<f64>], false_marks: &[f64]) -> Matched {
        Matched { hits: hits.to_vec(), weights: vec![1.0; hits.len()], false_marks: marks(false_marks), ignored: 0 }
    }

    /// Fault T13: four patients with five lesions; normals change the axis, and only in the way that the axis says.
    #[test]
    fn normals_enter_the_denominator() {
        let base = [
            case(&[Some(0.9), Some(0.8)], &[0.85]),
            case(&[Some(0.5)], &[0.45]),
            case(&[None], &[0.3]),
            case(&[None], &[0.2]),
        ];
        let read = |cases: &[Matched]| -> Vec<f64> {
            let all: Vec<&Matched> = cases.iter().collect();
            let curve = froc(&all).unwrap();
            [0.125, 0.25, 0.5, 1.0].iter().map(|&x| curve.at(x).map_or(0.0, |p| p.sensitivity)).collect()
        };
        assert_eq!(read(&base), [0.2, 0.6, 0.6, 0.6]);
        let mut noisy = base.to_vec();
        noisy.extend([0.88, 0.7, 0.6, 0.55].map(|s| case(&[], &[s])));
        assert_eq!(read(&noisy), [0.2, 0.4, 0.4, 0.6]);
        let mut clean = base.to_vec();
        clean.extend((0..4).map(|_| case(&[], &[])));
        assert_eq!(read(&clean), [0.6, 0.6, 0.6, 0.6]);
    }

    /// Fault T12: two marks on one lesion. The higher score is the hit, the other mark is ignored.
    #[test]
    fn highest_score_is_the_hit() {
        let lesion =
            Lesion { x: 5.0, y: 5.0, extent: Extent::Box { x1: 0.0, y1: 0.0, x2: 10.0, y2: 10.0 }, weight: 1.0 };
        // IoU 0.30 with score 0.95, IoU 0.50 with score 0.10.
        let narrow = Mark { x: 1.5, y: 5.0, size: Some((3.0, 10.0)), score: 0.95 };
        let wide = Mark { x: 2.5, y: 5.0, size: Some((5.0, 10.0)), score: 0.10 };
        let first = match_marks(&[lesion], &[wide, narrow], Rule::Iou { minimum: 0.1 });
        assert_eq!((first.hits[0], first.ignored, first.false_marks.len()), (Some(0.95), 1, 0));
        let mut cases = vec![first];
        cases.push(case(&[], &[0.6]));
        cases.push(case(&[], &[0.4]));
        cases.extend((0..7).map(|_| case(&[], &[])));
        let all: Vec<&Matched> = cases.iter().collect();
        let point = froc(&all).unwrap().at(0.0).unwrap();
        assert_eq!((point.sensitivity, point.threshold), (1.0, 0.95));
    }

    #[test]
    fn mark_between_two_lesions_hits_the_nearer_then_the_other() {
        let at = |x: f64| Lesion { x, y: 0.0, extent: Extent::Radius(5.0), weight: 1.0 };
        let mark = |x: f64, score: f64| Mark { x, y: 0.0, size: None, score };
        let matched =
            match_marks(&[at(0.0), at(6.0)], &[mark(2.0, 0.9), mark(2.5, 0.8)], Rule::Distance { radius: 5.0 });
        assert_eq!(matched.hits, [Some(0.9), Some(0.8)]);
    }

    #[test]
    fn wafroc_counts_unmarked_against_unmarked_as_a_tie() {
        let cases = [case(&[None], &[]), case(&[Some(0.7)], &[]), case(&[], &[]), case(&[], &[0.7])];
        let all: Vec<&Matched> = cases.iter().collect();
        // (−∞ v −∞) 1/2, (−∞ v 0.7) 0, (0.7 v −∞) 1, (0.7 v 0.7) 1/2 over four pairs.
        assert_eq!(wafroc_auc(&all).unwrap(), 0.5);
    }

    #[test]
    fn one_kind_of_case_is_not_estimable() {
        let only = [case(&[Some(0.7)], &[])];
        let all: Vec<&Matched> = only.iter().collect();
        assert_eq!(wafroc_auc(&all).unwrap_err().code, "one-class-only");
        let none = [case(&[], &[0.7])];
        let all: Vec<&Matched> = none.iter().collect();
        assert_eq!(froc(&all).unwrap_err().code, "no-lesion");
    }
}
