//! Which mark hits which lesion: the acceptance rule as one declared set of choices, in two or three dimensions.
//!
//! Nothing here is guessed: what distance is measured in, whether the edge counts, which mark wins a lesion and what
//! becomes of further marks on it all change the figure of merit, so all are named.

use super::detection::Matched;
use serde::Serialize;

/// The rule by which marks are matched to lesions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Matching {
    pub acceptance: Acceptance,
    pub edge: Edge,
    /// What distances and radii are measured in.
    pub unit: Unit,
    /// Whether z takes part.
    pub dimensions: Dimensions,
    pub assignment: Assignment,
    /// Which lesion a mark takes that may hit several, and what "best" is in [`Assignment::ByBest`].
    pub best: Best,
    pub extra: ExtraHits,
}

/// When a mark may count as a hit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Acceptance {
    /// Distance of the centres at most this.
    Distance { maximum: f64 },
    /// The mark's centre lies in the lesion itself: within its radius, its box or on a pixel of its mask.
    InsideLesion,
    /// The mark's centre lies in the box around the lesion.
    CentreInBox,
    /// The lesion's centre lies in the box around the mark.
    LesionCentreInMark,
    /// Intersection over union of at least this; a radius counts by its box.
    Iou { minimum: f64 },
}

/// Whether a value exactly at the limit is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Edge {
    Included,
    Excluded,
}

/// Size of a pixel along x, y and z (z: distance of the slices), > 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Pixels,
    Millimetres { spacing: [f64; 3] },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimensions {
    Two,
    Three,
}

/// In which order marks and lesions find each other; one mark to one lesion by either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignment {
    /// Marks by falling rating, each to its best lesion that no mark has yet. Equal ratings by place (x, y, z).
    ByRating,
    /// The best pair of mark and lesion first. Equal ones by falling rating, then by place and order of the lesions.
    ByBest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Best {
    /// The smallest distance of the centres, in the rule's unit.
    Nearest,
    /// The largest intersection over union; equal ones by distance.
    Overlap,
}

/// What becomes of a mark that could hit only lesions that other marks have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtraHits {
    /// Neither a hit nor a false mark; counted.
    Free,
    False,
}

/// Where a lesion or mark lies. Coordinates in pixels from the image's first corner, z in slices (0 where there is one).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Region {
    pub centre: [f64; 3],
    pub shape: Shape,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    Point,
    /// In the rule's unit, > 0.
    Radius(f64),
    /// Corners in pixels.
    Box {
        lower: [f64; 3],
        upper: [f64; 3],
    },
    /// Pixels of a mask, sorted, each once; pixel i reaches from i to i + 1. One slice where z takes no part.
    Pixels(Vec<[u32; 3]>),
}

/// A true lesion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    pub region: Region,
    /// > 0.
    pub weight: f64,
    /// Marks on it are neither hits nor false marks, and it is not missed (isolated tumour cells, irrelevant findings).
    pub ignored: bool,
}

/// A mark with its rating (higher = more suspicious).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RatedMark {
    pub region: Region,
    pub rating: f64,
}

impl Shape {
    /// The pixels that carry `label` in an image of `size` (x, y, z), x running fastest.
    #[must_use]
    pub fn of_label(labels: &[u32], size: [usize; 3], label: u32) -> Self {
        let mut pixels: Vec<[u32; 3]> = labels
            .iter()
            .enumerate()
            .filter(|(_, other)| **other == label)
            .map(|(at, _)| {
                let row = size[0].max(1);
                let slice = (row * size[1]).max(1);
                [at % row, at / row % size[1].max(1), at / slice].map(|index| index as u32)
            })
            .collect();
        pixels.sort_unstable();
        Self::Pixels(pixels)
    }
}

/// Matches the marks of one case to its lesions. The hits are in the order of the lesions that are not ignored.
///
/// O(marks × lesions), with a logarithm for the order; a case has few of either.
#[must_use]
pub fn match_by(targets: &[Target], marks: &[RatedMark], rule: &Matching) -> Matched {
    let counted: Vec<&Target> = targets.iter().filter(|target| !target.ignored).collect();
    let ignored: Vec<&Target> = targets.iter().filter(|target| target.ignored).collect();
    let mut order: Vec<&RatedMark> = marks.iter().collect();
    order.sort_by(|a, b| {
        let by_place = (0..3).map(|axis| a.region.centre[axis].total_cmp(&b.region.centre[axis]));
        by_place.fold(b.rating.total_cmp(&a.rating), std::cmp::Ordering::then)
    });
    // candidate pairs (goodness, mark by its place in `order`, lesion)
    let mut pairs: Vec<([f64; 2], usize, usize)> = Vec::new();
    let mut touches = vec![false; order.len()];
    for (at, mark) in order.iter().enumerate() {
        for (lesion, target) in counted.iter().enumerate() {
            if rule.accepts(&target.region, &mark.region) {
                touches[at] = true;
                pairs.push((rule.goodness(&target.region, &mark.region), at, lesion));
            }
        }
    }
    // a stable sort: equal pairs stay by falling rating, then by place, then by the order of the lesions
    let better = |a: &[f64; 2], b: &[f64; 2]| b[0].total_cmp(&a[0]).then(b[1].total_cmp(&a[1]));
    match rule.assignment {
        Assignment::ByRating => pairs.sort_by(|a, b| a.1.cmp(&b.1).then(better(&a.0, &b.0))),
        Assignment::ByBest => pairs.sort_by(|a, b| better(&a.0, &b.0)),
    }
    let mut matched = Matched {
        hits: vec![None; counted.len()],
        weights: counted.iter().map(|target| target.weight).collect(),
        ..Matched::default()
    };
    let mut used = vec![false; order.len()];
    for (_, mark, lesion) in pairs {
        if !used[mark] && matched.hits[lesion].is_none() {
            used[mark] = true;
            matched.hits[lesion] = Some(order[mark].rating);
        }
    }
    for (at, mark) in order.iter().enumerate().filter(|(at, _)| !used[*at]) {
        let free = if touches[at] {
            rule.extra == ExtraHits::Free
        } else {
            ignored.iter().any(|target| rule.accepts(&target.region, &mark.region))
        };
        if free {
            matched.ignored += 1;
        } else {
            matched.false_marks.push(mark.rating);
        }
    }
    matched
}

impl Matching {
    /// The rule in words, for the report that uses it.
    #[must_use]
    pub fn describe(&self) -> String {
        let unit = match self.unit {
            Unit::Pixels => "pixels".to_owned(),
            Unit::Millimetres { spacing: [x, y, z] } => match self.dimensions {
                Dimensions::Two => format!("mm (pixel {x} × {y} mm)"),
                Dimensions::Three => format!("mm (voxel {x} × {y} × {z} mm)"),
            },
        };
        let (under, over) = if self.edge == Edge::Included { ("≤", "≥") } else { ("<", ">") };
        let accepts = match self.acceptance {
            Acceptance::Distance { maximum } => format!("distance of centres {under} {maximum} {unit}"),
            Acceptance::InsideLesion => "centre of the mark inside the lesion".to_owned(),
            Acceptance::CentreInBox => "centre of the mark in the lesion's box".to_owned(),
            Acceptance::LesionCentreInMark => "centre of the lesion in the mark's box".to_owned(),
            Acceptance::Iou { minimum } => format!("intersection over union {over} {minimum}"),
        };
        let best = if self.best == Best::Nearest { "nearest" } else { "most overlapping" };
        let order = match self.assignment {
            Assignment::ByRating => format!("marks by falling rating, each to the {best} free lesion"),
            Assignment::ByBest => format!("the {best} pair of mark and lesion first"),
        };
        let extra = match self.extra {
            ExtraHits::Free => "further marks on a found lesion ignored",
            ExtraHits::False => "further marks on a found lesion are false marks",
        };
        format!("{accepts}; {order}; {extra}")
    }

    fn scale(&self) -> [f64; 3] {
        let [x, y, z] = match self.unit {
            Unit::Pixels => [1.0; 3],
            Unit::Millimetres { spacing } => spacing,
        };
        [x, y, if self.dimensions == Dimensions::Three { z } else { 0.0 }]
    }

    fn axes(&self) -> usize {
        if self.dimensions == Dimensions::Three { 3 } else { 2 }
    }

    fn distance(&self, a: &Region, b: &Region) -> f64 {
        let scale = self.scale();
        let gap = |axis: usize| (a.centre[axis] - b.centre[axis]) * scale[axis];
        gap(0).hypot(gap(1)).hypot(gap(2))
    }

    fn at_most(&self, value: f64, limit: f64) -> bool {
        if self.edge == Edge::Included { value <= limit } else { value < limit }
    }

    fn accepts(&self, lesion: &Region, mark: &Region) -> bool {
        match self.acceptance {
            Acceptance::Distance { maximum } => self.at_most(self.distance(lesion, mark), maximum),
            Acceptance::InsideLesion => match &lesion.shape {
                Shape::Point => self.at_most(self.distance(lesion, mark), 0.0),
                Shape::Radius(radius) => self.at_most(self.distance(lesion, mark), *radius),
                Shape::Box { lower, upper } => self.holds(&(*lower, *upper), mark.centre),
                Shape::Pixels(pixels) => self.pixel_of(mark.centre).is_some_and(|pixel| self.has(pixels, pixel)),
            },
            Acceptance::CentreInBox => self.holds(&self.corners(lesion), mark.centre),
            Acceptance::LesionCentreInMark => self.holds(&self.corners(mark), lesion.centre),
            Acceptance::Iou { minimum } => self.at_most(-self.iou(lesion, mark), -minimum),
        }
    }

    /// Higher is better, the second number where the first is equal.
    fn goodness(&self, lesion: &Region, mark: &Region) -> [f64; 2] {
        let near = -self.distance(lesion, mark);
        match self.best {
            Best::Nearest => [near, 0.0],
            Best::Overlap => [self.iou(lesion, mark), near],
        }
    }

    fn holds(&self, corners: &([f64; 3], [f64; 3]), point: [f64; 3]) -> bool {
        (0..self.axes())
            .all(|axis| self.at_most(corners.0[axis], point[axis]) && self.at_most(point[axis], corners.1[axis]))
    }

    /// The pixel that a point lies in; `None` left of the image or above it.
    fn pixel_of(&self, point: [f64; 3]) -> Option<[u32; 3]> {
        let mut pixel = [0; 3];
        for axis in 0..self.axes() {
            if point[axis].is_nan() || point[axis] < 0.0 {
                return None;
            }
            pixel[axis] = point[axis].floor() as u32;
        }
        Some(pixel)
    }

    fn has(&self, pixels: &[[u32; 3]], pixel: [u32; 3]) -> bool {
        match self.dimensions {
            Dimensions::Three => pixels.binary_search(&pixel).is_ok(),
            Dimensions::Two => {
                let at = pixels.partition_point(|other| other[..2] < pixel[..2]);
                pixels.get(at).is_some_and(|other| other[..2] == pixel[..2])
            }
        }
    }

    /// The box around a region, in pixels.
    fn corners(&self, region: &Region) -> ([f64; 3], [f64; 3]) {
        match &region.shape {
            Shape::Point => (region.centre, region.centre),
            Shape::Box { lower, upper } => (*lower, *upper),
            Shape::Radius(radius) => {
                let scale = self.scale();
                let reach = |axis: usize| if scale[axis] > 0.0 { radius / scale[axis] } else { 0.0 };
                let side = |sign: f64| [0, 1, 2].map(|axis| region.centre[axis] + sign * reach(axis));
                (side(-1.0), side(1.0))
            }
            Shape::Pixels(pixels) => {
                let bound = |axis: usize, high: bool| {
                    let values = pixels.iter().map(|pixel| f64::from(pixel[axis]));
                    if high {
                        values.fold(f64::NEG_INFINITY, f64::max) + 1.0
                    } else {
                        values.fold(f64::INFINITY, f64::min)
                    }
                };
                ([0, 1, 2].map(|axis| bound(axis, false)), [0, 1, 2].map(|axis| bound(axis, true)))
            }
        }
    }

    /// Intersection over union; 0 where both are empty. Pixels against a box: those whose middle lies in the box.
    fn iou(&self, a: &Region, b: &Region) -> f64 {
        let (both, sizes) = match (&a.shape, &b.shape) {
            (Shape::Pixels(x), Shape::Pixels(y)) => (common(x, y) as f64, x.len() as f64 + y.len() as f64),
            (Shape::Pixels(pixels), _) => self.pixels_and_box(pixels, &self.corners(b)),
            (_, Shape::Pixels(pixels)) => self.pixels_and_box(pixels, &self.corners(a)),
            _ => {
                let (x, y) = (self.corners(a), self.corners(b));
                let lower = [0, 1, 2].map(|axis| x.0[axis].max(y.0[axis]));
                let upper = [0, 1, 2].map(|axis| x.1[axis].min(y.1[axis]));
                (self.volume(&(lower, upper)), self.volume(&x) + self.volume(&y))
            }
        };
        let either = sizes - both;
        if either > 0.0 { both / either } else { 0.0 }
    }

    fn pixels_and_box(&self, pixels: &[[u32; 3]], corners: &([f64; 3], [f64; 3])) -> (f64, f64) {
        let middle = |pixel: &[u32; 3]| pixel.map(|index| f64::from(index) + 0.5);
        let inside = pixels.iter().filter(|pixel| self.holds(corners, middle(pixel))).count();
        (inside as f64, pixels.len() as f64 + self.volume(corners))
    }

    fn volume(&self, corners: &([f64; 3], [f64; 3])) -> f64 {
        (0..self.axes()).map(|axis| (corners.1[axis] - corners.0[axis]).max(0.0)).product()
    }
}

/// Number of pixels in both sorted lists.
fn common(a: &[[u32; 3]], b: &[[u32; 3]]) -> usize {
    let (mut i, mut j, mut count) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                count += 1;
                i += 1;
                j += 1;
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(acceptance: Acceptance) -> Matching {
        Matching {
            acceptance,
            edge: Edge::Included,
            unit: Unit::Pixels,
            dimensions: Dimensions::Two,
            assignment: Assignment::ByRating,
            best: Best::Nearest,
            extra: ExtraHits::Free,
        }
    }

    fn target(centre: [f64; 3], shape: Shape) -> Target {
        Target { region: Region { centre, shape }, weight: 1.0, ignored: false }
    }

    fn mark(centre: [f64; 3], shape: Shape, rating: f64) -> RatedMark {
        RatedMark { region: Region { centre, shape }, rating }
    }

    fn flat_box(x1: f64, x2: f64, y1: f64, y2: f64) -> Shape {
        Shape::Box { lower: [x1, y1, 0.0], upper: [x2, y2, 0.0] }
    }

    #[test]
    fn a_mark_between_two_lesions_hits_the_nearer_and_the_next_mark_the_other() {
        let lesions = [0.0, 6.0].map(|x| target([x, 0.0, 0.0], Shape::Radius(5.0)));
        let marks = [mark([2.0, 0.0, 0.0], Shape::Point, 0.9), mark([2.5, 0.0, 0.0], Shape::Point, 0.8)];
        let matched = match_by(&lesions, &marks, &rule(Acceptance::Distance { maximum: 5.0 }));
        assert_eq!(matched.hits, [Some(0.9), Some(0.8)]);
    }

    /// Fault T12: the mark with the higher rating, or the one with the larger overlap; the other free or false.
    #[test]
    fn two_marks_on_one_lesion() {
        let lesion = [target([5.0, 5.0, 0.0], flat_box(0.0, 10.0, 0.0, 10.0))];
        let marks = [
            mark([1.5, 5.0, 0.0], flat_box(0.0, 3.0, 0.0, 10.0), 0.95),
            mark([2.5, 5.0, 0.0], flat_box(0.0, 5.0, 0.0, 10.0), 0.10),
        ];
        let by_rating = rule(Acceptance::Iou { minimum: 0.1 });
        let matched = match_by(&lesion, &marks, &by_rating);
        assert_eq!((matched.hits[0], matched.ignored, matched.false_marks.len()), (Some(0.95), 1, 0));
        let by_overlap =
            Matching { assignment: Assignment::ByBest, best: Best::Overlap, extra: ExtraHits::False, ..by_rating };
        let matched = match_by(&lesion, &marks, &by_overlap);
        assert_eq!((matched.hits[0], matched.ignored, matched.false_marks.as_slice()), (Some(0.10), 0, &[0.95][..]));
    }

    #[test]
    fn millimetres_respect_the_spacing_and_slices_count_in_three_dimensions() {
        let lesion = [target([10.0, 10.0, 4.0], Shape::Radius(5.0))];
        let marks = [mark([10.0, 10.0, 6.0], Shape::Point, 1.0)];
        let unit = Unit::Millimetres { spacing: [0.5, 0.5, 2.5] };
        let three = Matching { unit, dimensions: Dimensions::Three, ..rule(Acceptance::InsideLesion) };
        let hit = |rule: Matching| match_by(&lesion, &marks, &rule).hits[0].is_some();
        // two slices of 2.5 mm are exactly the radius
        assert!(hit(three));
        assert!(!hit(Matching { edge: Edge::Excluded, ..three }));
        assert!(!hit(Matching { unit: Unit::Millimetres { spacing: [0.5, 0.5, 3.0] }, ..three }));
        assert!(hit(Matching { edge: Edge::Excluded, dimensions: Dimensions::Two, ..three }));
        let maximum = 4.9;
        assert!(!hit(Matching { acceptance: Acceptance::Distance { maximum }, ..three }));
        assert!(hit(Matching { acceptance: Acceptance::Distance { maximum }, unit: Unit::Pixels, ..three }));
    }

    #[test]
    fn masks_boxes_and_centres() {
        // an L of three pixels in a 4 × 3 image
        let labels = [0, 0, 0, 0, 0, 7, 0, 0, 0, 7, 7, 0];
        let shape = Shape::of_label(&labels, [4, 3, 1], 7);
        assert_eq!(shape, Shape::Pixels(vec![[1, 1, 0], [1, 2, 0], [2, 2, 0]]));
        let lesion = [target([1.5, 2.0, 0.0], shape)];
        let hit =
            |acceptance: Acceptance, mark: RatedMark| match_by(&lesion, &[mark], &rule(acceptance)).hits[0].is_some();
        let corner = || mark([2.5, 1.5, 0.0], Shape::Point, 1.0);
        assert!(!hit(Acceptance::InsideLesion, corner()));
        assert!(hit(Acceptance::CentreInBox, corner()));
        assert!(hit(Acceptance::InsideLesion, mark([2.9, 2.0, 0.0], Shape::Point, 1.0)));
        assert!(!hit(Acceptance::InsideLesion, mark([-0.5, 2.0, 0.0], Shape::Point, 1.0)));
        // a box of 2 × 2 holds all three pixels: 3 / 4
        let square = || mark([2.0, 2.0, 0.0], flat_box(1.0, 3.0, 1.0, 3.0), 1.0);
        assert!(hit(Acceptance::Iou { minimum: 0.75 }, square()));
        assert!(!hit(Acceptance::Iou { minimum: 0.76 }, square()));
        assert!(hit(Acceptance::LesionCentreInMark, square()));
        assert!(!hit(Acceptance::LesionCentreInMark, corner()));
        let other = mark([1.5, 1.5, 0.0], Shape::Pixels(vec![[1, 1, 0], [2, 1, 0]]), 1.0);
        assert!(
            hit(Acceptance::Iou { minimum: 0.25 }, other.clone()) && !hit(Acceptance::Iou { minimum: 0.26 }, other)
        );
    }

    #[test]
    fn marks_on_ignored_lesions_vanish() {
        let mut lesions = [target([5.0, 5.0, 0.0], Shape::Radius(3.0)), target([6.0, 5.0, 0.0], Shape::Radius(3.0))];
        lesions[0].ignored = true;
        let marks = [3.0, 5.0, 5.5, 20.0].map(|x| mark([x, 5.0, 0.0], Shape::Point, x));
        let matched = match_by(&lesions, &marks, &rule(Acceptance::InsideLesion));
        assert_eq!((matched.hits, matched.ignored, matched.false_marks), (vec![Some(5.5)], 2, vec![20.0]));
    }

    #[test]
    fn the_best_pair_first_or_the_highest_rating_first() {
        let lesions = [target([0.0, 0.0, 0.0], Shape::Point), target([6.0, 0.0, 0.0], Shape::Point)];
        let marks = [mark([2.5, 0.0, 0.0], Shape::Point, 0.9), mark([0.5, 0.0, 0.0], Shape::Point, 0.8)];
        let by_rating = rule(Acceptance::Distance { maximum: 4.0 });
        assert_eq!(match_by(&lesions, &marks, &by_rating).hits, [Some(0.9), None]);
        let by_best = Matching { assignment: Assignment::ByBest, ..by_rating };
        assert_eq!(match_by(&lesions, &marks, &by_best).hits, [Some(0.8), Some(0.9)]);
        assert_eq!(
            by_rating.describe(),
            "distance of centres ≤ 4 pixels; marks by falling rating, each to the nearest free lesion; further marks on \
             a found lesion ignored"
        );
    }
}
