//! Labels beside points, placed so that they don't cover each other, the points or the curves.

use super::canvas::Point;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Rect {
    pub fn around((x, y): Point, width: f64, height: f64) -> Self {
        Self { left: x - width / 2.0, top: y - height / 2.0, right: x + width / 2.0, bottom: y + height / 2.0 }
    }

    pub fn overlap(self, other: Self) -> f64 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        width.max(0.0) * height.max(0.0)
    }

    /// Length of the straight lines between `points` that lies inside (Liang & Barsky 1984).
    fn length_inside(self, points: &[Point]) -> f64 {
        let inside = |&[a, b]: &[Point; 2]| {
            let (dx, dy) = (b.0 - a.0, b.1 - a.1);
            let (mut from, mut to) = (0.0_f64, 1.0_f64);
            for (step, start, low, high) in [(dx, a.0, self.left, self.right), (dy, a.1, self.top, self.bottom)] {
                if step == 0.0 {
                    if start <= low || start >= high {
                        return 0.0;
                    }
                    continue;
                }
                let (near, far) = ((low - start) / step, (high - start) / step);
                from = from.max(near.min(far));
                to = to.min(near.max(far));
            }
            (to - from).max(0.0) * dx.hypot(dy)
        };
        points.windows(2).map(|pair| inside(&[pair[0], pair[1]])).sum()
    }

    fn outside(self, frame: Self) -> f64 {
        (self.right - self.left) * (self.bottom - self.top) - self.overlap(frame)
    }
}

/// Middles of the labels, in the order of the points. Each label takes the nearest of the places around its point that covers
/// nothing; where every place covers something, the one that covers least. `curves` are the lines drawn, in points.
pub fn place(points: &[Point], sizes: &[(f64, f64)], marker: f64, frame: Rect, curves: &[Vec<Point>]) -> Vec<Point> {
    let markers: Vec<Rect> = points.iter().map(|&p| Rect::around(p, marker, marker)).collect();
    let mut taken: Vec<Rect> = Vec::new();
    let mut middles = Vec::new();
    for (&(x, y), &(width, height)) in points.iter().zip(sizes) {
        let mut best = (f64::INFINITY, (x, y));
        'search: for ring in 0..7 {
            let gap = marker / 2.0 + 1.5 + 7.0 * f64::from(ring);
            for (dx, dy) in [(1, 0), (1, 1), (1, -1), (0, 1), (-1, 0), (0, -1), (-1, 1), (-1, -1)]
                .map(|(a, b)| (f64::from(a), f64::from(b)))
            {
                let middle = (x + dx * (gap + width / 2.0), y + dy * (gap + height / 2.0));
                let label = Rect::around(middle, width, height);
                let crossed: f64 = curves.iter().map(|curve| label.length_inside(curve)).sum();
                let covered: f64 =
                    taken.iter().chain(&markers).map(|&other| label.overlap(other)).sum::<f64>() + crossed;
                let cost = covered + 10.0 * label.outside(frame) + 0.5 * f64::from(ring);
                if cost < best.0 {
                    best = (cost, middle);
                }
                if covered == 0.0 && label.outside(frame) < 1e-9 {
                    break 'search;
                }
            }
        }
        taken.push(Rect::around(best.1, width, height));
        middles.push(best.1);
    }
    middles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_crowded_points_do_not_overlap() {
        let points: Vec<Point> = (0..10).map(|i| (100.0 + f64::from(i % 3), 100.0 + f64::from(i))).collect();
        let sizes = vec![(18.0, 11.0); 10];
        let frame = Rect { left: 0.0, top: 0.0, right: 300.0, bottom: 300.0 };
        let middles = place(&points, &sizes, 7.0, frame, &[]);
        let boxes: Vec<Rect> = middles.iter().map(|&m| Rect::around(m, 18.0, 11.0)).collect();
        for i in 0..10 {
            for j in 0..i {
                assert_eq!(boxes[i].overlap(boxes[j]), 0.0, "{i} {j}");
            }
        }
    }

    #[test]
    fn a_label_keeps_off_the_curve_that_passes_its_point() {
        let curve = vec![(0.0, 100.0), (90.0, 100.0), (300.0, 100.0)];
        let frame = Rect { left: 0.0, top: 0.0, right: 300.0, bottom: 300.0 };
        let size = (18.0, 11.0);
        // Without the curve the label would lie right of its point, on the line.
        let on = place(&[(100.0, 100.0)], &[size], 7.0, frame, &[]);
        assert!((Rect::around(on[0], size.0, size.1).length_inside(&curve) - size.0).abs() < 1e-9);
        let off = place(&[(100.0, 100.0)], &[size], 7.0, frame, std::slice::from_ref(&curve));
        assert_eq!(Rect::around(off[0], size.0, size.1).length_inside(&curve), 0.0);
    }
}
