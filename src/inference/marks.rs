//! Marks from a heatmap: its local maxima, the weaker of two that are too near one another left out.

use std::collections::HashMap;

/// A peak of a map, in the map's own pixels (pixel centres at whole numbers).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    pub x: f64,
    pub y: f64,
    pub score: f64,
}

/// The local maxima of a `width`-wide map that reach `minimum`, by falling score (ties: top to bottom, left to right).
///
/// A maximum is a connected area (8 neighbours) of one value with no greater value beside it: a saturated area is one
/// mark, at its centre of mass. A peak that lies nearer than `distance` to a stronger one that was kept is left out;
/// `pixel` is the size of a map pixel in the unit of `distance`. O(n) in the map's pixels plus the sort of its maxima.
pub fn peaks(map: &[f64], width: usize, minimum: f64, distance: f64, pixel: [f64; 2]) -> Vec<Peak> {
    let mut maxima = maxima(map, width, minimum);
    // Stable, and the maxima come in reading order.
    maxima.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Peak> = Vec::new();
    // Cells as wide as the distance: whatever is too near lies in the same cell or in one beside it.
    let mut cells: HashMap<(i64, i64), Vec<usize>> = HashMap::new();
    let place = |peak: &Peak| (peak.x * pixel[0], peak.y * pixel[1]);
    for peak in maxima {
        let (x, y) = place(&peak);
        if distance > 0.0 {
            let cell = ((x / distance).floor() as i64, (y / distance).floor() as i64);
            let crowded = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (dx, dy))).any(|(dx, dy)| {
                cells.get(&(cell.0 + dx, cell.1 + dy)).is_some_and(|others| {
                    others.iter().any(|&other| {
                        let (other_x, other_y) = place(&kept[other]);
                        (x - other_x).hypot(y - other_y) < distance
                    })
                })
            });
            if crowded {
                continue;
            }
            cells.entry(cell).or_default().push(kept.len());
        }
        kept.push(peak);
    }
    kept
}

fn maxima(map: &[f64], width: usize, minimum: f64) -> Vec<Peak> {
    let height = map.len().checked_div(width).unwrap_or(0);
    let mut seen = vec![false; map.len()];
    let mut found = Vec::new();
    let mut area = Vec::new();
    for start in 0..width * height {
        let level = map[start];
        if seen[start] || level.is_nan() || level < minimum {
            continue;
        }
        area.clear();
        area.push(start);
        seen[start] = true;
        let mut highest = true;
        let mut next = 0;
        while let Some(&pixel) = area.get(next) {
            next += 1;
            let (x, y) = (pixel % width, pixel / width);
            for near_y in y.saturating_sub(1)..=(y + 1).min(height - 1) {
                for near_x in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                    let near = near_y * width + near_x;
                    if map[near] > level {
                        highest = false;
                    } else if map[near] == level && !seen[near] {
                        seen[near] = true;
                        area.push(near);
                    }
                }
            }
        }
        if highest {
            let count = area.len() as f64;
            let x = area.iter().map(|pixel| pixel % width).sum::<usize>() as f64 / count;
            let y = area.iter().map(|pixel| pixel / width).sum::<usize>() as f64 / count;
            found.push(Peak { x, y, score: level });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(peaks: &[Peak]) -> Vec<(f64, f64)> {
        peaks.iter().map(|peak| (peak.x, peak.y)).collect()
    }

    #[test]
    fn maxima_come_by_score_and_the_minimum_counts() {
        #[rustfmt::skip]
        let map = [
            0.1, 0.2, 0.1, 0.0, 0.9,
            0.2, 0.6, 0.2, 0.0, 0.8,
            0.1, 0.2, 0.1, 0.0, 0.0,
            0.4, 0.0, 0.0, 0.0, 0.5,
        ];
        assert_eq!(places(&peaks(&map, 5, 0.45, 1.0, [1.0; 2])), [(4.0, 0.0), (1.0, 1.0), (4.0, 3.0)]);
        assert_eq!(places(&peaks(&map, 5, 0.6, 1.0, [1.0; 2])), [(4.0, 0.0), (1.0, 1.0)]);
        assert!(peaks(&map, 5, 0.95, 1.0, [1.0; 2]).is_empty());
    }

    #[test]
    fn the_weaker_of_two_near_ones_goes_and_the_distance_itself_is_far_enough() {
        let map = [0.5, 0.0, 0.0, 0.7, 0.0, 0.0, 0.0, 0.6];
        assert_eq!(places(&peaks(&map, 8, 0.1, 3.0, [1.0; 2])), [(3.0, 0.0), (7.0, 0.0), (0.0, 0.0)]);
        assert_eq!(places(&peaks(&map, 8, 0.1, 3.5, [1.0; 2])), [(3.0, 0.0), (7.0, 0.0)]);
        // A map pixel that is two input pixels wide halves what the distance spans.
        assert_eq!(peaks(&map, 8, 0.1, 6.0, [2.0; 2]).len(), 3);
    }

    #[test]
    fn a_saturated_area_is_one_mark_at_its_centre_and_a_shoulder_is_none() {
        #[rustfmt::skip]
        let map = [
            0.0, 0.0, 0.0, 0.0,
            0.0, 1.0, 1.0, 0.0,
            0.0, 1.0, 1.0, 0.0,
            0.3, 0.3, 0.3, 0.3,
        ];
        let found = peaks(&map, 4, 0.2, 0.0, [1.0; 2]);
        assert_eq!(places(&found), [(1.5, 1.5)]);
    }

    /// Against the definition itself, on maps small enough to go through all pairs.
    #[test]
    fn the_grid_finds_what_all_pairs_find() {
        let mut state = 7u64;
        for distance in [1.0, 2.5, 4.0, 9.0] {
            let map: Vec<f64> = (0..24 * 17)
                .map(|_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    (state >> 40) as f64
                })
                .collect();
            let mut slow: Vec<Peak> = Vec::new();
            for peak in peaks(&map, 24, 0.0, 0.0, [1.0; 2]) {
                if slow.iter().all(|kept| (kept.x - peak.x).hypot(kept.y - peak.y) >= distance) {
                    slow.push(peak);
                }
            }
            assert_eq!(peaks(&map, 24, 0.0, distance, [1.0; 2]), slow);
        }
    }
}
