//! Exact Euclidean distances from each point of one set to the nearest of another, on a grid with a spacing per axis.
//!
//! Surfaces of a reference and a prediction mostly lie close together, so each point first searches the rows of the
//! grid around it, starting from its neighbour's answer; that ends after a few rows. Points that do not end within
//! `ROWS` rows get their answer from a distance transform of the whole box, by lower envelopes of parabolas, axis by
//! axis (Felzenszwalb and Huttenlocher 2012, Theory of Computing 8:415–428, section 2). Both are exact, so which one
//! answered cannot be seen; together they need O(box + points), whatever the masks.
//!
//! Offsets are kept in whole grid steps and turned into lengths once, at the end: no error builds up along axes.

use crate::stats::{Estimable, NotEstimable};
use rayon::prelude::*;

/// A place on the grid: plane, row, column.
pub type Point = [u16; 3];

/// Rows a point may look at before it is left to the transform.
const ROWS: usize = 400;

/// Points a thread takes at a time.
const CHUNK: usize = 2048;

/// Shape and spacing of a mask, last axis fastest (C order). A 2-D grid is kept as one plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    pub(super) shape: [usize; 3],
    pub(super) spacing: [f64; 3],
    pub(super) flat: bool,
}

impl Grid {
    /// `shape` and `spacing` (> 0, mm) of two or three axes, slowest first.
    pub fn new(shape: &[usize], spacing: &[f64]) -> Estimable<Self> {
        let wrong = |reason: String| Err(NotEstimable::new("grid", reason));
        if shape.len() != spacing.len() || !(2..=3).contains(&shape.len()) {
            return wrong(format!("{} axes with {} spacings; 2 or 3 of both are needed", shape.len(), spacing.len()));
        }
        if let Some(length) = shape.iter().find(|&&length| length == 0 || length >= usize::from(u16::MAX) - 1) {
            return wrong(format!("an axis of {length} voxels; 1 to {} are allowed", u16::MAX - 2));
        }
        if let Some(step) = spacing.iter().find(|step| !(step.is_finite() && **step > 0.0)) {
            return wrong(format!("a spacing of {step}"));
        }
        Ok(match *shape {
            [rows, columns] => Self { shape: [1, rows, columns], spacing: [1.0, spacing[0], spacing[1]], flat: true },
            _ => Self {
                shape: [shape[0], shape[1], shape[2]],
                spacing: [spacing[0], spacing[1], spacing[2]],
                flat: false,
            },
        })
    }

    pub fn voxels(&self) -> usize {
        self.shape.iter().product()
    }

    /// Volume of a voxel (area of a pixel).
    pub fn voxel(&self) -> f64 {
        self.spacing.iter().product()
    }

    /// The diagonal of the image from outer edge to outer edge, a penalty that some protocols declare.
    pub fn diagonal(&self) -> f64 {
        let from = usize::from(self.flat);
        (from..3).map(|axis| (self.shape[axis] as f64 * self.spacing[axis]).powi(2)).sum::<f64>().sqrt()
    }
}

/// For each of `points` the distance to the nearest of `sites`. Both in raster order; `sites` is not empty.
pub(super) fn nearest(points: &[Point], sites: &[Point], spacing: [f64; 3]) -> Vec<f64> {
    nearest_within(points, sites, spacing, ROWS)
}

fn nearest_within(points: &[Point], sites: &[Point], spacing: [f64; 3], limit: usize) -> Vec<f64> {
    let Some(rows) = Rows::new(sites, spacing) else { return Vec::new() };
    let found: Vec<Option<f64>> = points
        .par_chunks(CHUNK)
        .flat_map_iter(|chunk| {
            let mut start = None;
            chunk.iter().map(|&point| rows.search(point, &mut start, limit)).collect::<Vec<_>>()
        })
        .collect();
    let open: Vec<Point> = points.iter().zip(&found).filter(|(_, d)| d.is_none()).map(|(&p, _)| p).collect();
    let mut rest = transform(&open, sites, spacing).into_iter();
    found.into_iter().map(|d| d.or_else(|| rest.next()).expect("one answer per open point").sqrt()).collect()
}

/// The sites by row, each row's columns ascending.
struct Rows<'a> {
    sites: &'a [Point],
    /// Of row `r` of the box: `sites[start[r]..start[r + 1]]`.
    start: Vec<u32>,
    low: [i32; 2],
    high: [i32; 2],
    spacing: [f64; 3],
}

impl<'a> Rows<'a> {
    fn new(sites: &'a [Point], spacing: [f64; 3]) -> Option<Self> {
        let axis = |a: usize| {
            let (low, high) = sites.iter().fold((u16::MAX, 0), |(l, h), s| (l.min(s[a]), h.max(s[a])));
            (i32::from(low), i32::from(high))
        };
        sites.first()?;
        let ((z0, z1), (y0, y1)) = (axis(0), axis(1));
        let width = (y1 - y0 + 1) as usize;
        let mut start = vec![0_u32; (z1 - z0 + 1) as usize * width + 1];
        for site in sites {
            start[(i32::from(site[0]) - z0) as usize * width + (i32::from(site[1]) - y0) as usize + 1] += 1;
        }
        for row in 1..start.len() {
            start[row] += start[row - 1];
        }
        Some(Self { sites, start, low: [z0, y0], high: [z1, y1], spacing })
    }

    /// Squared distance to the nearest site, or `None` after `limit` rows. `last` is the nearest site of the point before.
    fn search(&self, point: Point, last: &mut Option<Point>, limit: usize) -> Option<f64> {
        let mut best = last.map_or(f64::INFINITY, |site| self.squared(point, site));
        let mut looked = 0;
        let [z, y] = [i32::from(point[0]), i32::from(point[1])];
        for dz in 0.. {
            let depth = (f64::from(dz) * self.spacing[0]).powi(2);
            if depth >= best || (z - dz < self.low[0] && z + dz > self.high[0]) {
                break;
            }
            for plane in pair(z, dz, self.low[0], self.high[0]) {
                for dy in 0.. {
                    let reach = depth + (f64::from(dy) * self.spacing[1]).powi(2);
                    if reach >= best || (y - dy < self.low[1] && y + dy > self.high[1]) {
                        break;
                    }
                    looked += 1;
                    if looked > limit {
                        return None;
                    }
                    for row in pair(y, dy, self.low[1], self.high[1]) {
                        self.in_row(point, plane, row, &mut best, last);
                    }
                }
            }
        }
        Some(best)
    }

    fn in_row(&self, point: Point, plane: i32, row: i32, best: &mut f64, nearest: &mut Option<Point>) {
        let width = self.high[1] - self.low[1] + 1;
        let index = ((plane - self.low[0]) * width + row - self.low[1]) as usize;
        let sites = &self.sites[self.start[index] as usize..self.start[index + 1] as usize];
        let split = sites.partition_point(|site| site[2] < point[2]);
        for &site in &sites[split.saturating_sub(1)..sites.len().min(split + 1)] {
            let squared = self.squared(point, site);
            if squared < *best {
                *best = squared;
                *nearest = Some(site);
            }
        }
    }

    fn squared(&self, a: Point, b: Point) -> f64 {
        (0..3).map(|axis| (f64::from(a[axis].abs_diff(b[axis])) * self.spacing[axis]).powi(2)).sum()
    }
}

/// The one or two places `step` away from `centre` that lie in `low..=high`.
fn pair(centre: i32, step: i32, low: i32, high: i32) -> impl Iterator<Item = i32> {
    let above = (step > 0).then_some(centre + step);
    std::iter::once(centre - step).chain(above).filter(move |place| (low..=high).contains(place))
}

/// Squared distances by the transform of the box around both sets.
fn transform(points: &[Point], sites: &[Point], spacing: [f64; 3]) -> Vec<f64> {
    if points.is_empty() {
        return Vec::new();
    }
    let mut low = [u16::MAX; 3];
    let mut high = [0; 3];
    for point in points.iter().chain(sites) {
        for axis in 0..3 {
            low[axis] = low[axis].min(point[axis]);
            high[axis] = high[axis].max(point[axis]);
        }
    }
    let size: [usize; 3] = std::array::from_fn(|axis| usize::from(high[axis] - low[axis]) + 1);
    let place = |point: &Point, axis: usize| usize::from(point[axis] - low[axis]);

    // planes in parallel: of each voxel the (row, column) offset of the nearest site in its plane
    let planes: Vec<Vec<[u16; 2]>> = (0..size[0])
        .into_par_iter()
        .map(|plane| {
            let from = sites.partition_point(|site| place(site, 0) < plane);
            let to = sites.partition_point(|site| place(site, 0) <= plane);
            plane_offsets(&sites[from..to], size[1], size[2], [low[1], low[2]], spacing)
        })
        .collect();
    let filled: Vec<usize> = (0..size[0]).filter(|&plane| !planes[plane].is_empty()).collect();

    // points of one row and column share their envelope over the planes
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_unstable_by_key(|&i| (points[i][1], points[i][2], points[i][0]));
    let lines: Vec<&[usize]> = order.chunk_by(|&a, &b| points[a][1..] == points[b][1..]).collect();
    let answers: Vec<Vec<f64>> = lines
        .par_iter()
        .map(|line| {
            let first = &points[line[0]];
            let index = place(first, 1) * size[2] + place(first, 2);
            let heights: Vec<f64> = filled
                .iter()
                .map(|&plane| {
                    let [dy, dx] = planes[plane][index];
                    (f64::from(dy) * spacing[1]).powi(2) + (f64::from(dx) * spacing[2]).powi(2)
                })
                .collect();
            let mut envelope = Envelope::default();
            envelope.build(&filled, &heights, spacing[0]);
            let mut part = 0;
            line.iter()
                .map(|&i| {
                    let at = place(&points[i], 0);
                    let winner = envelope.advance(at as f64, &mut part);
                    heights[winner] + (at.abs_diff(filled[winner]) as f64 * spacing[0]).powi(2)
                })
                .collect()
        })
        .collect();
    let mut squared = vec![0.0; points.len()];
    for (line, answer) in lines.iter().zip(answers) {
        for (&i, value) in line.iter().zip(answer) {
            squared[i] = value;
        }
    }
    squared
}

/// Empty where the plane has no site.
fn plane_offsets(sites: &[Point], rows: usize, columns: usize, low: [u16; 2], spacing: [f64; 3]) -> Vec<[u16; 2]> {
    if sites.is_empty() {
        return Vec::new();
    }
    let mut filled: Vec<usize> = Vec::new();
    // one stretch of columns per filled row: columns to the nearest site of the row
    let mut steps: Vec<u16> = Vec::new();
    for row in sites.chunk_by(|a, b| a[1] == b[1]) {
        filled.push(usize::from(row[0][1] - low[0]));
        let start = steps.len();
        let mut next = 0;
        for column in 0..columns {
            let distance = |site: &Point| usize::from(site[2] - low[1]).abs_diff(column);
            while next + 1 < row.len() && distance(&row[next + 1]) <= distance(&row[next]) {
                next += 1;
            }
            steps.push(distance(&row[next]) as u16);
        }
        debug_assert_eq!(steps.len(), start + columns);
    }
    let mut offsets = vec![[0_u16; 2]; rows * columns];
    let mut heights = vec![0.0; filled.len()];
    let mut envelope = Envelope::default();
    for column in 0..columns {
        for (height, step) in heights.iter_mut().zip(steps.iter().skip(column).step_by(columns)) {
            *height = (f64::from(*step) * spacing[2]).powi(2);
        }
        envelope.build(&filled, &heights, spacing[1]);
        let mut part = 0;
        for row in 0..rows {
            let winner = envelope.advance(row as f64, &mut part);
            offsets[row * columns + column] = [filled[winner].abs_diff(row) as u16, steps[winner * columns + column]];
        }
    }
    offsets
}

/// The lower envelope of parabolas `height[i] + ((x − place[i]) · step)²`: which one is lowest from which x on.
#[derive(Default)]
struct Envelope {
    winners: Vec<usize>,
    from: Vec<f64>,
}

impl Envelope {
    fn build(&mut self, places: &[usize], heights: &[f64], step: f64) {
        self.winners.clear();
        self.from.clear();
        let weight = step * step;
        for (i, &place) in places.iter().enumerate() {
            let place = place as f64;
            let mut from = f64::NEG_INFINITY;
            while let (Some(&top), Some(&top_from)) = (self.winners.last(), self.from.last()) {
                let other = places[top] as f64;
                // where the two parabolas cross
                from = ((heights[i] - heights[top]) / weight + place * place - other * other) / (2.0 * (place - other));
                if from > top_from {
                    break;
                }
                self.winners.pop();
                self.from.pop();
                from = f64::NEG_INFINITY;
            }
            self.winners.push(i);
            self.from.push(from);
        }
    }

    /// The winner at `x`; calls of one line come with rising `x` and share `part`.
    fn advance(&self, x: f64, part: &mut usize) -> usize {
        while *part + 1 < self.from.len() && self.from[*part + 1] <= x {
            *part += 1;
        }
        self.winners[*part]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    fn random_points(random: &mut rand_chacha::ChaCha12Rng, size: [u16; 3], n: usize) -> Vec<Point> {
        let mut points: Vec<Point> =
            (0..n).map(|_| std::array::from_fn(|axis| random.random_range(0..size[axis]))).collect();
        points.sort_unstable();
        points.dedup();
        points
    }

    #[test]
    fn search_and_transform_give_what_every_pair_gives() {
        let mut random = rand_chacha::ChaCha12Rng::seed_from_u64(3);
        for round in 0..60_usize {
            let size = [1 + (round % 12) as u16, 17, 9 + (round % 5) as u16];
            let spacing = [[1.0, 1.0, 1.0], [3.0, 0.8, 0.8], [0.3, 2.0, 0.9]][round % 3];
            let points = random_points(&mut random, size, 1 + round * 3);
            let sites = random_points(&mut random, size, 1 + (round * 7) % 40);
            let rows = Rows::new(&sites, spacing).unwrap();
            let every: Vec<f64> = points
                .iter()
                .map(|&p| sites.iter().map(|&s| rows.squared(p, s)).fold(f64::INFINITY, f64::min).sqrt())
                .collect();
            for limit in [0, 3, usize::MAX] {
                for (found, want) in nearest_within(&points, &sites, spacing, limit).iter().zip(&every) {
                    assert!((found - want).abs() <= 1e-12 * want, "round {round}, limit {limit}: {found} for {want}");
                }
            }
        }
    }

    #[test]
    fn a_grid_says_what_is_wrong_with_it() {
        for (shape, spacing) in [(&[3, 3][..], &[1.0][..]), (&[0, 3], &[1.0, 1.0]), (&[2, 2], &[1.0, f64::NAN])] {
            assert_eq!(Grid::new(shape, spacing).unwrap_err().code, "grid");
        }
        let grid = Grid::new(&[50, 50, 30], &[1.0, 1.0, 1.0]).unwrap();
        assert!((grid.diagonal() - 76.811).abs() < 1e-3);
    }
}
