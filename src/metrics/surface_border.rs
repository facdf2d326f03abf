//! What the surface of a mask is: voxels of its border, or elements of the surface between voxels with their areas.

use super::distance::{Grid, Point};
use crate::stats::{Estimable, NotEstimable};
use rayon::prelude::*;

/// What lies outside the image when a border is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// The rim of a mask that touches the image's edge is border (scipy's erosion, medpy, MetricsReloaded).
    Background,
    /// The mask goes on outside: the image's edge makes no border (ITK's erosion).
    Foreground,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Border {
    /// Voxels of the mask that an erosion takes away.
    Inner {
        /// How many axes a neighbour may differ in: 1 = faces (edges in 2-D), 2 = edges too (LiTS), 3 = corners too.
        connectivity: u8,
        /// An axis along which voxels are no neighbours: the border is found in each plane across it.
        across: Option<usize>,
        outside: Outside,
    },
    /// Elements of the surface halfway between voxel centres, placed at the corners that voxels share, each with the
    /// area that marching cubes gives it (length by marching squares in 2-D); outside the image is background
    /// (Nikolov et al. 2021, JMIR 23:e26151).
    Elements,
    /// Every voxel: distances of sets, in which an inner voxel of the other mask has distance 0 (ITK's Hausdorff filter).
    AllVoxels,
}

impl Border {
    /// The border most programs mean: face-connected, with the image's edge as border.
    pub const FACES: Self = Self::Inner { connectivity: 1, across: None, outside: Outside::Background };
}

/// The surface of one mask, found once and compared as often as needed.
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    /// In raster order.
    pub(super) points: Vec<Point>,
    /// Area of each element in mm² (length in mm in 2-D); 1 for voxels.
    pub(super) areas: Vec<f64>,
}

impl Surface {
    /// `mask` has the voxels of `grid`, last axis fastest.
    pub fn of(grid: &Grid, mask: &[bool], border: Border) -> Estimable<Self> {
        if mask.len() != grid.voxels() {
            return Err(NotEstimable::new(
                "masks_differ_in_size",
                format!("a mask has {} voxels, the grid {}", mask.len(), grid.voxels()),
            ));
        }
        let rows = MaskRows::new(grid, mask);
        let points = match border {
            Border::AllVoxels => rows.planes(|z, y, found| {
                let row = rows.row(z, y).into_iter().flatten();
                found.extend(row.enumerate().filter(|(_, set)| **set).map(|(x, _)| point(z, y, x)));
            }),
            Border::Inner { connectivity, across, outside } => {
                let axes = axes(grid, across)?;
                if !(1..=3).contains(&connectivity) {
                    let reason = format!("neighbours differ in 1 to 3 axes, not in {connectivity}");
                    return Err(NotEstimable::new("connectivity", reason));
                }
                rows.planes(|z, y, found| rows.inner(z, y, axes, connectivity, outside, found))
            }
            Border::Elements => return Ok(elements(grid, &rows)),
        };
        let areas = vec![1.0; points.len()];
        Ok(Self { points, areas })
    }

    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Number of border voxels or elements.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Area of all elements; for voxel borders their number.
    pub fn area(&self) -> f64 {
        self.areas.iter().sum()
    }
}

/// Along which of the three kept axes voxels are neighbours.
fn axes(grid: &Grid, across: Option<usize>) -> Estimable<[bool; 3]> {
    let mut axes = [!grid.flat, true, true];
    if let Some(axis) = across {
        let axis = axis + usize::from(grid.flat);
        if axis > 2 {
            return Err(NotEstimable::new("axis", "the grid has no such axis to take planes across"));
        }
        axes[axis] = false;
    }
    Ok(axes)
}

fn point(z: usize, y: usize, x: usize) -> Point {
    [z as u16, y as u16, x as u16]
}

/// A mask row by row, with the empty rows known beforehand: most of a volume is background.
struct MaskRows<'a> {
    mask: &'a [bool],
    shape: [usize; 3],
    filled: Vec<bool>,
}

impl<'a> MaskRows<'a> {
    fn new(grid: &Grid, mask: &'a [bool]) -> Self {
        // `contains` would stop at the first voxel; a whole row at once is read wide
        let filled = mask.par_chunks(grid.shape[2]).map(|row| row.iter().fold(false, |any, &set| any | set)).collect();
        Self { mask, shape: grid.shape, filled }
    }

    /// `None` for a row without foreground.
    fn row(&self, z: usize, y: usize) -> Option<&'a [bool]> {
        let index = z * self.shape[1] + y;
        let columns = self.shape[2];
        self.filled[index].then(|| &self.mask[index * columns..(index + 1) * columns])
    }

    fn planes(&self, border: impl Fn(usize, usize, &mut Vec<Point>) + Sync) -> Vec<Point> {
        let planes: Vec<Vec<Point>> = (0..self.shape[0])
            .into_par_iter()
            .map(|z| {
                let mut found = Vec::new();
                (0..self.shape[1]).for_each(|y| border(z, y, &mut found));
                found
            })
            .collect();
        planes.concat()
    }

    /// Row (y, z) of the mask less its erosion.
    fn inner(&self, z: usize, y: usize, axes: [bool; 3], connectivity: u8, outside: Outside, found: &mut Vec<Point>) {
        let Some(row) = self.row(z, y) else { return };
        let rim = outside == Outside::Foreground;
        let mut kept = row.to_vec();
        for dz in if axes[0] { -1..=1_isize } else { 0..=0 } {
            for dy in if axes[1] { -1..=1_isize } else { 0..=0 } {
                let differ = dz.unsigned_abs() + dy.unsigned_abs();
                if differ > usize::from(connectivity) {
                    continue;
                }
                let at = z.checked_add_signed(dz).filter(|&z| z < self.shape[0]);
                let at = at.zip(y.checked_add_signed(dy).filter(|&y| y < self.shape[1]));
                let Some((z, y)) = at else {
                    if !rim {
                        kept.fill(false);
                    }
                    continue;
                };
                let Some(other) = self.row(z, y) else {
                    kept.fill(false);
                    continue;
                };
                kept.iter_mut().zip(other).for_each(|(kept, set)| *kept &= set);
                if axes[2] && differ < usize::from(connectivity) {
                    let last = kept.len() - 1;
                    kept[1..].iter_mut().zip(other).for_each(|(kept, set)| *kept &= set);
                    kept[..last].iter_mut().zip(&other[1..]).for_each(|(kept, set)| *kept &= set);
                    kept[0] &= rim;
                    kept[last] &= rim;
                }
            }
        }
        let border = row.iter().zip(&kept).enumerate().filter(|(_, (set, kept))| **set && !**kept);
        found.extend(border.map(|(x, _)| point(z, y, x)));
    }
}

/// Corners of the voxel grid whose voxels are not all alike. Corner (z, y, x) has voxels z − 1 and z, and so on.
fn elements(grid: &Grid, rows: &MaskRows) -> Surface {
    let [depth, height, width] = grid.shape;
    let areas = if grid.flat { lengths(grid.spacing) } else { areas(grid.spacing) };
    let (full, planes) = if grid.flat { (15, 1) } else { (255, depth + 1) };
    let row = |z: usize, y: usize| {
        // one corner further than voxels: rows −1 and n are background
        let (z, y) = if grid.flat { (0, y.checked_sub(1)?) } else { (z.checked_sub(1)?, y.checked_sub(1)?) };
        (z < depth && y < height).then(|| rows.row(z, y)).flatten()
    };
    let found: Vec<(Vec<Point>, Vec<f64>)> = (0..planes)
        .into_par_iter()
        .map(|z| {
            let (mut points, mut sizes) = (Vec::new(), Vec::new());
            let mut column = vec![0_u8; width + 2];
            for y in 0..=height {
                let around = if grid.flat {
                    [(row(z, y), 4), (row(z, y + 1), 1), (None, 0), (None, 0)]
                } else {
                    [(row(z, y), 64), (row(z, y + 1), 16), (row(z + 1, y), 4), (row(z + 1, y + 1), 1)]
                };
                if around.iter().all(|(row, _)| row.is_none()) {
                    continue;
                }
                column.fill(0);
                for (row, bit) in around {
                    let cells = column[1..=width].iter_mut().zip(row.into_iter().flatten());
                    cells.for_each(|(code, &set)| *code |= u8::from(set) * bit);
                }
                for (x, pair) in column.windows(2).enumerate() {
                    let code = pair[0] << 1 | pair[1];
                    if code != 0 && code != full {
                        points.push(point(z, y, x));
                        sizes.push(areas[usize::from(code)]);
                    }
                }
            }
            (points, sizes)
        })
        .collect();
    let (points, areas): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    Surface { points: points.concat(), areas: areas.concat() }
}

/// Length of the contour at a corner by its four pixels (8 4 / 2 1): a side where two neighbours are set, a diagonal of
/// the half pixel where one or three are, two of them where opposite ones are.
fn lengths(spacing: [f64; 3]) -> Vec<f64> {
    let [_, vertical, horizontal] = spacing;
    let diagonal = 0.5 * (vertical * vertical + horizontal * horizontal).sqrt();
    (0..16_u8)
        .map(|code| match code {
            0 | 15 => 0.0,
            0b0011 | 0b1100 => horizontal,
            0b0101 | 0b1010 => vertical,
            0b0110 | 0b1001 => 2.0 * diagonal,
            _ => diagonal,
        })
        .collect()
}

/// Area of the surface at a corner by its eight voxels: the triangles of marching cubes, each given by its normal in
/// eighths of the voxel's faces. A configuration and its complement have the same triangles.
fn areas(spacing: [f64; 3]) -> Vec<f64> {
    let [z, y, x] = spacing;
    let faces = [y * x, z * x, z * y];
    let size = |letter: u8| {
        let normal = NORMALS[usize::from(letter - b'a')];
        (0..3).map(|axis| (f64::from(normal[axis]) / 8.0 * faces[axis]).powi(2)).sum::<f64>().sqrt()
    };
    let half: Vec<f64> = TRIANGLES.split(' ').map(|word| word.bytes().filter(|&b| b != b'-').map(size).sum()).collect();
    half.iter().chain(half.iter().rev()).copied().collect()
}

/// The normals that occur, without signs, in eighths: letters a to i of [`TRIANGLES`].
const NORMALS: [[u8; 3]; 9] =
    [[0, 0, 4], [0, 2, 2], [0, 4, 0], [1, 1, 1], [2, 0, 2], [2, 2, 0], [2, 2, 2], [3, 3, 3], [4, 0, 0]];

/// The triangles of configurations 0 to 127 (bits 128, 64, … 1 = voxels in raster order), after the table of the program
/// surface-distance (Google LLC, Apache License 2.0, `lookup_tables.py`), which fixes the choice where marching cubes
/// leaves one.
const TRIANGLES: &str = "- d d ff d ee dd igd d dd ee igd ff igd igd ii d bb dd cgd dd agd ddd dggd dd bbd eed dhbe dff hbdf \
     idgd idg d dd bb cdg dd dee bbd hbde dd ddd agd ggdd dff igdd bhdf igd ff cgd cdg cc ffd hedf dcgd \
     cgd dff cgdd hfde cgd ffff ffd dff ff d dd dd dff bb agd bbd hbdf dd ddd dee igdd cgd ggdd ehbd igd \
     ee agd dee ehfd agd aa ddga dga eed agdd eeee dee ehfd agd dee ee dd ddd dbb cdgd bbd agdd bbbb bbd \
     ddd dddd agdd ddd cgdd ddd bbd dd igd gdgd hbde cgd hfbd dga dbb bb igdd ddd eed dd ffd dd dd d";

#[cfg(test)]
mod tests {
    use super::*;

    fn surface(shape: &[usize], border: Border, set: impl Fn(usize) -> bool) -> Surface {
        let grid = Grid::new(shape, &vec![1.0; shape.len()]).unwrap();
        let mask: Vec<bool> = (0..grid.voxels()).map(set).collect();
        Surface::of(&grid, &mask, border).unwrap()
    }

    #[test]
    fn a_face_has_the_area_of_its_voxels() {
        // half of the volume: an inner face of 6 x 6 corners less rim effects, checked by a wide slab
        let areas = areas([2.0, 3.0, 5.0]);
        assert_eq!(areas.len(), 256);
        assert_eq!(areas[0b1111_0000], 15.0, "a face across the first axis");
        assert_eq!(areas[0b1100_1100], 10.0);
        assert_eq!(areas[0b1010_1010], 6.0);
        assert!((0..256).all(|code| (areas[code] - areas[255 - code]).abs() < 1e-12));
        assert!((1..255).all(|code| areas[code] > 0.0));
        assert_eq!(lengths([1.0, 2.0, 5.0])[0b1100], 5.0);
    }

    #[test]
    fn borders_of_a_square() {
        let square = |i: usize| (2..6).contains(&(i / 8)) && (2..6).contains(&(i % 8));
        assert_eq!(surface(&[8, 8], Border::FACES, square).len(), 12);
        assert_eq!(surface(&[8, 8], Border::AllVoxels, square).len(), 16);
        assert_eq!(surface(&[8, 8], Border::Elements, square).len(), 16);
        let across = Border::Inner { connectivity: 1, across: Some(0), outside: Outside::Background };
        assert_eq!(surface(&[8, 8], across, square).len(), 8, "only neighbours in the row count");
    }

    #[test]
    fn the_edge_of_the_image_is_border_only_if_said() {
        let border = |outside| Border::Inner { connectivity: 3, across: None, outside };
        assert_eq!(surface(&[3, 3, 3], border(Outside::Background), |_| true).len(), 26);
        assert!(surface(&[3, 3, 3], border(Outside::Foreground), |_| true).is_empty());
    }

    #[test]
    fn connectivity_reaches_edges_and_corners() {
        // a full cube less one corner voxel, away from the image's edge
        let corner = |i: usize| i != 0;
        let border = |connectivity| Border::Inner { connectivity, across: None, outside: Outside::Foreground };
        for (connectivity, count) in [(1, 3), (2, 6), (3, 7)] {
            assert_eq!(surface(&[4, 4, 4], border(connectivity), corner).len(), count);
        }
    }
}
