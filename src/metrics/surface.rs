//! How far apart the surfaces of two masks lie: Hausdorff distance and its robust forms, mean distances, surface Dice.
//!
//! Two things make up a definition and are named each time: what the surface of a mask is ([`Border`]), and how the two
//! directions and a percentile are taken ([`Percentile`], [`Directions`]). [`Hd95`] lists the definitions that usual
//! programs follow; on one pair of masks they differ by up to a factor of two.
//!
//! An empty mask has no surface: the distances are not estimable with that state as their reason, and
//! [`EmptyRule`](super::empty::EmptyRule) turns it into what a protocol has declared.

use super::distance::{Grid, nearest};
use super::empty::Emptiness;
pub use super::surface_border::{Border, Outside, Surface};
use crate::stats::{Estimable, NotEstimable};

/// How a percentile is read from sorted distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Percentile {
    /// Between the two nearest ranks, rank (n − 1) q (Hyndman and Fan 1996, type 7; numpy's default).
    Linear,
    /// The distance of rank ⌊(n − 1) q⌋, without interpolation.
    LowerRank,
    /// The first distance at which the area passed reaches the share q of the whole; for [`Border::Elements`].
    AreaReaching,
}

/// How the two directions become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directions {
    /// The measure of each direction, then the larger.
    Larger,
    /// The measure of each direction, then their mean.
    Mean,
    /// One measure of all distances of both directions together.
    Pooled,
}

/// Distances of one surface's elements to the other surface, ascending, and the area of each element.
#[derive(Debug, Clone, PartialEq)]
pub struct Directed {
    distances: Vec<f64>,
    areas: Vec<f64>,
}

/// Distances in both directions; neither is empty.
#[derive(Debug, Clone, PartialEq)]
pub struct SurfaceDistances {
    pub from_reference: Directed,
    pub from_prediction: Directed,
}

/// The distances between two masks of one grid.
pub fn surface_distances(
    grid: &Grid,
    reference: &[bool],
    prediction: &[bool],
    border: Border,
) -> Estimable<SurfaceDistances> {
    for mask in [reference, prediction] {
        if mask.len() != grid.voxels() {
            return Err(NotEstimable::new(
                "masks_differ_in_size",
                format!("a mask has {} voxels, the grid {}", mask.len(), grid.voxels()),
            ));
        }
    }
    let (reference, prediction) = (Surface::of(grid, reference, border)?, Surface::of(grid, prediction, border)?);
    between(grid, &reference, &prediction)
}

/// The distances between two surfaces found before on the same grid, by the same border.
pub fn between(grid: &Grid, reference: &Surface, prediction: &Surface) -> Estimable<SurfaceDistances> {
    if let Some(reason) = Emptiness::of(reference.is_empty(), prediction.is_empty()).reason() {
        return Err(reason);
    }
    let one = |from: &Surface, to: &Surface| {
        Directed::new(nearest(&from.points, &to.points, grid.spacing), from.areas.clone())
    };
    let (from_reference, from_prediction) = rayon::join(|| one(reference, prediction), || one(prediction, reference));
    Ok(SurfaceDistances { from_reference, from_prediction })
}

/// Share of the two borders that they have in common, |A ∩ B| / |A ∪ B| (Cheng et al. 2021, boundary IoU, with the
/// border itself as the band).
pub fn boundary_iou(grid: &Grid, reference: &[bool], prediction: &[bool], border: Border) -> Estimable<f64> {
    let (a, b) = (Surface::of(grid, reference, border)?, Surface::of(grid, prediction, border)?);
    if let Some(reason) = Emptiness::of(a.is_empty(), b.is_empty()).reason() {
        return Err(reason);
    }
    let common = a.points.iter().filter(|&point| b.points.binary_search(point).is_ok()).count();
    Ok(common as f64 / (a.points.len() + b.points.len() - common) as f64)
}

impl Directed {
    fn new(distances: Vec<f64>, areas: Vec<f64>) -> Self {
        let mut pairs: Vec<(f64, f64)> = distances.into_iter().zip(areas).collect();
        pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let (distances, areas) = pairs.into_iter().unzip();
        Self { distances, areas }
    }

    pub fn distances(&self) -> &[f64] {
        &self.distances
    }

    /// Area of the surface (length of the contour); for voxel borders the number of voxels.
    pub fn area(&self) -> f64 {
        self.areas.iter().sum()
    }

    pub fn maximum(&self) -> f64 {
        self.distances.last().copied().unwrap_or_default()
    }

    /// Mean distance, each element by its area.
    pub fn mean(&self) -> f64 {
        self.weighted(|d| d) / self.area()
    }

    /// Share of the area that lies within `tolerance` (≤) of the other surface.
    pub fn within(&self, tolerance: f64) -> f64 {
        self.area_within(tolerance) / self.area()
    }

    /// `share` in 0..=1.
    fn percentile(&self, share: f64, rule: Percentile) -> f64 {
        match rule {
            Percentile::Linear => linear(&self.distances, share),
            Percentile::LowerRank => self.distances[((self.distances.len() - 1) as f64 * share) as usize],
            Percentile::AreaReaching if share >= 1.0 => self.maximum(),
            Percentile::AreaReaching => {
                let whole = self.area();
                let mut passed = 0.0;
                let reached = self.areas.iter().position(|area| {
                    passed += area;
                    passed / whole >= share
                });
                reached.map_or(self.maximum(), |i| self.distances[i])
            }
        }
    }

    fn area_within(&self, tolerance: f64) -> f64 {
        let count = self.distances.partition_point(|&d| d <= tolerance);
        self.areas[..count].iter().sum()
    }

    fn weighted(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.distances.iter().zip(&self.areas).map(|(&d, &a)| f(d) * a).sum()
    }
}

impl SurfaceDistances {
    /// Hausdorff distance: the largest distance of either direction.
    pub fn hausdorff(&self) -> f64 {
        self.from_reference.maximum().max(self.from_prediction.maximum())
    }

    /// Robust Hausdorff distance at `share` (0.95 for HD95).
    pub fn robust_hausdorff(&self, share: f64, rule: Percentile, directions: Directions) -> Estimable<f64> {
        if !(0.0..=1.0).contains(&share) {
            return Err(NotEstimable::new("share", format!("a percentile needs a share of 0 to 1, not {share}")));
        }
        Ok(self.combined(directions, |directed| directed.percentile(share, rule)))
    }

    /// HD95 as the named definition takes it; the distances must come from its border.
    pub fn hd95(&self, definition: Hd95) -> Estimable<f64> {
        self.robust_hausdorff(0.95, definition.percentile(), definition.directions())
    }

    /// Mean surface distance: `Pooled` is the ASSD (Heimann et al. 2009, eq. 3: all distances over all elements),
    /// `Mean` the mean of the directed means (MASD), `Larger` the modified Hausdorff distance (Dubuisson and Jain 1994).
    pub fn mean(&self, directions: Directions) -> f64 {
        self.combined(directions, Directed::mean)
    }

    /// Root mean square of all distances of both directions (Heimann et al. 2009, eq. 4).
    pub fn root_mean_square(&self) -> f64 {
        let both = [&self.from_reference, &self.from_prediction];
        let squares: f64 = both.iter().map(|directed| directed.weighted(|d| d * d)).sum();
        (squares / both.iter().map(|directed| directed.area()).sum::<f64>()).sqrt()
    }

    /// Normalised surface distance, or surface Dice (Nikolov et al. 2021, JMIR 23:e26151, eq. 2): the area of both
    /// surfaces that lies within `tolerance` (≥ 0, in units of the spacing) of the other one, over their whole area.
    pub fn surface_dice(&self, tolerance: f64) -> Estimable<f64> {
        if tolerance.is_nan() || tolerance < 0.0 {
            return Err(NotEstimable::new("tolerance", format!("a tolerance cannot be {tolerance}")));
        }
        let (a, b) = (&self.from_reference, &self.from_prediction);
        Ok((a.area_within(tolerance) + b.area_within(tolerance)) / (a.area() + b.area()))
    }

    fn combined(&self, directions: Directions, measure: impl Fn(&Directed) -> f64) -> f64 {
        let (a, b) = (&self.from_reference, &self.from_prediction);
        match directions {
            Directions::Larger => measure(a).max(measure(b)),
            Directions::Mean => (measure(a) + measure(b)) / 2.0,
            Directions::Pooled => measure(&Directed::new(
                [a.distances.as_slice(), &b.distances].concat(),
                [a.areas.as_slice(), &b.areas].concat(),
            )),
        }
    }
}

/// The definitions of HD95 that go by one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hd95 {
    /// medpy: face-connected voxel border, linear percentile of both directions pooled.
    Pooled,
    /// MetricsReloaded: face-connected voxel border, the larger of the two linear percentiles.
    LargerDirected,
    /// grand-challenge metrics, evalutils: face-connected voxel border, the larger of the two distances at the lower rank.
    LargerLowerRank,
    /// surface-distance: surface elements by area, the larger of the two percentiles without interpolation.
    SurfaceElements,
    /// MRBrainS18, WMH: border within the planes across the given axis, the larger of the two linear percentiles.
    InPlane { across: usize },
}

impl Hd95 {
    pub fn border(self) -> Border {
        match self {
            Self::Pooled | Self::LargerDirected | Self::LargerLowerRank => Border::FACES,
            Self::SurfaceElements => Border::Elements,
            Self::InPlane { across } => {
                Border::Inner { connectivity: 2, across: Some(across), outside: Outside::Foreground }
            }
        }
    }

    pub fn percentile(self) -> Percentile {
        match self {
            Self::Pooled | Self::LargerDirected | Self::InPlane { .. } => Percentile::Linear,
            Self::LargerLowerRank => Percentile::LowerRank,
            Self::SurfaceElements => Percentile::AreaReaching,
        }
    }

    pub fn directions(self) -> Directions {
        match self {
            Self::Pooled => Directions::Pooled,
            _ => Directions::Larger,
        }
    }

    /// As a table prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pooled => "HD95, voxel border, both directions pooled",
            Self::LargerDirected => "HD95, voxel border, larger of the two directions",
            Self::LargerLowerRank => "HD95, voxel border, larger of the two directions, lower rank",
            Self::SurfaceElements => "HD95, surface elements by area, larger of the two directions",
            Self::InPlane { .. } => "HD95, voxel border within planes, larger of the two directions",
        }
    }
}

fn linear(sorted: &[f64], share: f64) -> f64 {
    let rank = (sorted.len() - 1) as f64 * share;
    let below = rank.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (rank - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::empty::{EmptyRule, PREDICTION_EMPTY};

    /// medpy#138: a square and the same square with a spur; a user saw two HD95s 10 mm apart.
    fn spur() -> (Grid, Vec<bool>, Vec<bool>) {
        let grid = Grid::new(&[40, 40], &[1.0, 1.0]).unwrap();
        let square = |row: usize, column: usize| (10..30).contains(&row) && (10..30).contains(&column);
        let spur = |row: usize, column: usize| (19..21).contains(&row) && (30..38).contains(&column);
        let reference = (0..1600).map(|i| square(i / 40, i % 40)).collect();
        let prediction = (0..1600).map(|i| square(i / 40, i % 40) || spur(i / 40, i % 40)).collect();
        (grid, reference, prediction)
    }

    #[test]
    fn two_definitions_under_one_name() {
        let (grid, reference, prediction) = spur();
        let found = surface_distances(&grid, &reference, &prediction, Border::FACES).unwrap();
        assert_eq!(found.hausdorff(), 8.0);
        assert!((found.hd95(Hd95::LargerDirected).unwrap() - 6.0).abs() < 1e-12);
        assert!((found.hd95(Hd95::Pooled).unwrap() - 4.0).abs() < 1e-12);
        assert_ne!(Hd95::Pooled.name(), Hd95::LargerDirected.name());
    }

    #[test]
    fn directions_swap_with_the_masks() {
        let (grid, reference, prediction) = spur();
        let there = surface_distances(&grid, &reference, &prediction, Border::Elements).unwrap();
        let back = surface_distances(&grid, &prediction, &reference, Border::Elements).unwrap();
        assert_eq!(there.from_reference, back.from_prediction);
        assert_eq!(there.surface_dice(0.0), back.surface_dice(0.0));
        assert_eq!(there.surface_dice(8.5), Ok(1.0));
        assert!(there.surface_dice(-1.0).is_err());
    }

    #[test]
    fn an_empty_prediction_is_declared_not_dropped() {
        let (grid, reference, _) = spur();
        let found = surface_distances(&grid, &reference, &vec![false; 1600], Border::FACES);
        assert_eq!(found.as_ref().unwrap_err().code, PREDICTION_EMPTY);
        let rule = EmptyRule { prediction: Some(grid.diagonal()), ..EmptyRule::NOT_ESTIMABLE };
        assert_eq!(rule.apply(found.map(|d| d.hausdorff())), Ok(grid.diagonal()));
    }
}
