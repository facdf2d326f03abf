//! Objects of one image matched one by one: nuclei, lesions. AJI, AJI+, panoptic quality, precision and recall of objects.
//!
//! Two label maps of one grid, 0 = background. How an object is matched is part of the definition and a parameter; where
//! nothing can be matched the parts of a measure that do not exist are not estimable, never 0.

use super::distance::Grid;
use crate::stats::{Estimable, NotEstimable};
use std::collections::BTreeMap;

/// The objects of two label maps and how they overlap, from one pass over the voxels.
#[derive(Debug, Clone, PartialEq)]
pub struct Objects {
    /// Size in voxels, by ascending label.
    pub references: Vec<u64>,
    pub predictions: Vec<u64>,
    /// By reference, then prediction; each pair that has a voxel in common.
    pairs: Vec<Pair>,
}

/// A reference and a prediction that overlap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Position in [`Objects::references`] and [`Objects::predictions`].
    pub reference: usize,
    pub prediction: usize,
    pub common: u64,
    pub union: u64,
}

impl Pair {
    pub fn iou(&self) -> f64 {
        self.common as f64 / self.union as f64
    }

    pub fn dice(&self) -> f64 {
        2.0 * self.common as f64 / (self.union + self.common) as f64
    }

    /// Whether this IoU is greater than the other's, without rounding.
    fn exceeds(&self, other: &Self) -> bool {
        u128::from(self.common) * u128::from(other.union) > u128::from(other.common) * u128::from(self.union)
    }
}

/// Which pairs count as a match.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matching {
    /// IoU to exceed or to reach.
    pub iou: f64,
    /// true: IoU ≥ `iou` (panoptica); false: IoU > `iou` (Kirillov et al. 2019; HoVer-Net).
    pub inclusive: bool,
    pub order: Order,
}

/// Who is matched where an object has several candidates; without meaning where IoU > 0.5 is asked for, as a match is then unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By falling IoU; equal ones by reference, then prediction.
    Greedy,
    /// The assignment of the largest sum of IoUs, taken before the threshold.
    Optimal,
}

/// Matched and unmatched objects of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Matches {
    pub pairs: Vec<Pair>,
    pub missed: usize,
    pub false_objects: usize,
}

/// Panoptic quality and its two parts (Kirillov et al. 2019, CVPR, eq. 1): PQ = DQ · SQ.
#[derive(Debug, Clone, PartialEq)]
pub struct Panoptic {
    /// TP / (TP + FP/2 + FN/2), the F1 of objects.
    pub detection: Estimable<f64>,
    /// Mean IoU of the matches.
    pub segmentation: Estimable<f64>,
    /// 0 where objects are there but none is matched.
    pub quality: Estimable<f64>,
}

impl Objects {
    pub fn new(reference: &[u32], prediction: &[u32]) -> Estimable<Self> {
        if reference.len() != prediction.len() {
            return Err(NotEstimable::new(
                "masks_differ_in_size",
                format!("the reference has {} voxels, the prediction {}", reference.len(), prediction.len()),
            ));
        }
        let mut common: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        let mut start = 0;
        // neighbours in a row mostly share their labels: one look-up per run, not per voxel
        while start < reference.len() {
            let key = (reference[start], prediction[start]);
            let run = (start..reference.len()).take_while(|&i| (reference[i], prediction[i]) == key).count();
            *common.entry(key).or_insert(0) += run as u64;
            start += run;
        }
        let (mut r_sizes, mut p_sizes) = (BTreeMap::new(), BTreeMap::new());
        for (&(r, p), &count) in &common {
            *r_sizes.entry(r).or_insert(0) += count;
            *p_sizes.entry(p).or_insert(0) += count;
        }
        r_sizes.remove(&0);
        p_sizes.remove(&0);
        let positions =
            |sizes: &BTreeMap<u32, u64>| -> BTreeMap<u32, usize> { sizes.keys().copied().zip(0..).collect() };
        let (r_at, p_at) = (positions(&r_sizes), positions(&p_sizes));
        let pairs = common
            .iter()
            .filter(|((r, p), _)| *r != 0 && *p != 0)
            .map(|(&(r, p), &common)| Pair {
                reference: r_at[&r],
                prediction: p_at[&p],
                common,
                union: r_sizes[&r] + p_sizes[&p] - common,
            })
            .collect();
        Ok(Self { references: r_sizes.into_values().collect(), predictions: p_sizes.into_values().collect(), pairs })
    }

    /// Aggregated Jaccard index (Kumar et al. 2017, IEEE TMI 36:1550, algorithm 1). Each reference takes the prediction of
    /// its largest IoU (the first of equals), which may serve several references and is then in the union each time;
    /// predictions that serve none and references without any overlap add their area to the union.
    pub fn aggregated_jaccard(&self) -> Estimable<f64> {
        let mut best: Vec<Option<Pair>> = vec![None; self.references.len()];
        for pair in &self.pairs {
            let best = &mut best[pair.reference];
            if best.is_none_or(|b| pair.exceeds(&b)) {
                *best = Some(*pair);
            }
        }
        self.jaccard_of(&best.into_iter().flatten().collect::<Vec<_>>())
    }

    /// AJI+ (Graham et al. 2019, Med Image Anal 58:101563): as [`aggregated_jaccard`](Self::aggregated_jaccard), but one
    /// to one, by the assignment of the largest sum of IoUs.
    pub fn aggregated_jaccard_plus(&self) -> Estimable<f64> {
        self.jaccard_of(&self.optimal())
    }

    fn jaccard_of(&self, chosen: &[Pair]) -> Estimable<f64> {
        let mut served = vec![false; self.references.len()];
        let mut used = vec![false; self.predictions.len()];
        let (mut common, mut union) = (0_u64, 0_u64);
        for pair in chosen {
            served[pair.reference] = true;
            used[pair.prediction] = true;
            common += pair.common;
            union += pair.union;
        }
        let left = |sizes: &[u64], taken: &[bool]| -> u64 {
            sizes.iter().zip(taken).filter(|(_, taken)| !**taken).map(|(size, _)| size).sum()
        };
        union += left(&self.references, &served) + left(&self.predictions, &used);
        if union == 0 {
            return Err(no_objects());
        }
        Ok(common as f64 / union as f64)
    }

    /// The larger-is-better "ensemble" Dice over all pairs that overlap, 2 Σ|R ∩ P| / Σ(|R| + |P|) (CPM 2018); objects
    /// without any overlap do not enter, so misses are not seen.
    pub fn ensemble_dice(&self) -> Estimable<f64> {
        let common: u64 = self.pairs.iter().map(|pair| pair.common).sum();
        let sizes: u64 = self.pairs.iter().map(|pair| pair.union + pair.common).sum();
        if sizes == 0 {
            return Err(NotEstimable::new("no_overlap", "no reference overlaps a prediction"));
        }
        Ok(2.0 * common as f64 / sizes as f64)
    }

    /// Matches of objects, one to one.
    pub fn matches(&self, rule: Matching) -> Matches {
        let accepted = |pair: &Pair| {
            let iou = pair.iou();
            iou > rule.iou || (rule.inclusive && iou == rule.iou)
        };
        let mut pairs = match rule.order {
            Order::Optimal => self.optimal(),
            Order::Greedy => self.greedy(&accepted),
        };
        pairs.retain(accepted);
        Matches {
            missed: self.references.len() - pairs.len(),
            false_objects: self.predictions.len() - pairs.len(),
            pairs,
        }
    }

    fn greedy(&self, accepted: &dyn Fn(&Pair) -> bool) -> Vec<Pair> {
        let mut candidates: Vec<&Pair> = self.pairs.iter().filter(|pair| accepted(pair)).collect();
        candidates.sort_by(|a, b| b.iou().total_cmp(&a.iou()));
        let (mut served, mut used) = (vec![false; self.references.len()], vec![false; self.predictions.len()]);
        let mut chosen = Vec::new();
        for pair in candidates {
            if !served[pair.reference] && !used[pair.prediction] {
                served[pair.reference] = true;
                used[pair.prediction] = true;
                chosen.push(*pair);
            }
        }
        chosen
    }

    /// The one-to-one choice of overlapping pairs with the largest sum of IoUs. Objects that touch, directly or through
    /// others, form a group; each group is solved by itself, so that a slide of many nuclei costs no more than its clumps.
    fn optimal(&self) -> Vec<Pair> {
        let r = self.references.len();
        let mut parent: Vec<usize> = (0..r + self.predictions.len()).collect();
        for pair in &self.pairs {
            let (a, b) = (root(&mut parent, pair.reference), root(&mut parent, r + pair.prediction));
            parent[a.max(b)] = a.min(b);
        }
        let mut groups: BTreeMap<usize, Vec<Pair>> = BTreeMap::new();
        for pair in &self.pairs {
            groups.entry(root(&mut parent, pair.reference)).or_default().push(*pair);
        }
        groups.values().flat_map(|pairs| assign(pairs)).collect()
    }
}

impl Matches {
    pub fn found(&self) -> usize {
        self.pairs.len()
    }

    /// Found references / references.
    pub fn recall(&self) -> Estimable<f64> {
        share(self.found(), self.found() + self.missed, "there is no reference object")
    }

    /// Matched predictions / predictions.
    pub fn precision(&self) -> Estimable<f64> {
        share(self.found(), self.found() + self.false_objects, "there is no predicted object")
    }

    pub fn panoptic(&self) -> Panoptic {
        let objects = 2 * self.found() + self.missed + self.false_objects;
        let detection = share(2 * self.found(), objects, "there is no object");
        let segmentation = self.mean(Pair::iou);
        let quality = match (&detection, &segmentation) {
            (Ok(dq), Ok(sq)) => Ok(dq * sq),
            (Ok(dq), Err(_)) => Ok(*dq), // no match: DQ is 0, whatever SQ would be
            (Err(reason), _) => Err(reason.clone()),
        };
        Panoptic { detection, segmentation, quality }
    }

    /// Mean of a measure over the matches.
    pub fn mean(&self, measure: impl Fn(&Pair) -> f64) -> Estimable<f64> {
        if self.pairs.is_empty() {
            return Err(NotEstimable::new("no_match", "no object is matched"));
        }
        Ok(self.pairs.iter().map(measure).sum::<f64>() / self.pairs.len() as f64)
    }
}

/// Connected components of a mask, numbered from 1 in raster order; `connectivity` as in
/// [`Border::Inner`](super::surface::Border): 1 = faces (scipy's default), 3 = corners too.
pub fn components(grid: &Grid, mask: &[bool], connectivity: u8) -> Estimable<Vec<u32>> {
    if mask.len() != grid.voxels() {
        return Err(NotEstimable::new("masks_differ_in_size", "mask and grid differ in their number of voxels"));
    }
    let [_, height, width] = grid.shape;
    // neighbours that come before a voxel in raster order
    let before: Vec<[isize; 3]> = (0..27_isize)
        .map(|code| [code / 9 - 1, code / 3 % 3 - 1, code % 3 - 1])
        .filter(|step| *step < [0, 0, 0])
        .filter(|step| step.iter().filter(|&&s| s != 0).count() <= usize::from(connectivity))
        .collect();
    let mut parent: Vec<usize> = Vec::new();
    let mut provisional = vec![0_usize; mask.len()];
    for index in (0..mask.len()).filter(|&i| mask[i]) {
        let place = [index / (height * width), index / width % height, index % width];
        let mut own = None;
        for step in &before {
            let at: [Option<usize>; 3] = std::array::from_fn(|axis| {
                place[axis].checked_add_signed(step[axis]).filter(|&at| at < grid.shape[axis])
            });
            let [Some(z), Some(y), Some(x)] = at else { continue };
            let other = (z * height + y) * width + x;
            if !mask[other] {
                continue;
            }
            let other = root(&mut parent, provisional[other]);
            own = match own {
                None => Some(other),
                Some(own) => {
                    let own = root(&mut parent, own);
                    parent[own.max(other)] = own.min(other);
                    Some(own.min(other))
                }
            };
        }
        provisional[index] = own.unwrap_or_else(|| {
            parent.push(parent.len());
            parent.len() - 1
        });
    }
    let mut numbers: BTreeMap<usize, u32> = BTreeMap::new();
    let mut labels = vec![0; mask.len()];
    for index in (0..mask.len()).filter(|&i| mask[i]) {
        let next = numbers.len() as u32 + 1;
        labels[index] = *numbers.entry(root(&mut parent, provisional[index])).or_insert(next);
    }
    Ok(labels)
}

fn root(parent: &mut [usize], mut node: usize) -> usize {
    while parent[node] != node {
        parent[node] = parent[parent[node]];
        node = parent[node];
    }
    node
}

fn share(part: usize, whole: usize, reason: &str) -> Estimable<f64> {
    if whole == 0 {
        return Err(NotEstimable::new("no_objects", reason));
    }
    Ok(part as f64 / whole as f64)
}

fn no_objects() -> NotEstimable {
    NotEstimable::new("no_objects", "neither reference nor prediction has an object")
}

/// Hungarian method with potentials on the pairs of one group (Kuhn 1955; shortest augmenting paths after
/// Jonker and Volgenant 1987), maximising the sum of IoUs. Rows are references; each may also stay alone.
fn assign(pairs: &[Pair]) -> Vec<Pair> {
    if let [pair] = pairs {
        return vec![*pair];
    }
    let index = |of: fn(&Pair) -> usize| -> Vec<usize> {
        let mut all: Vec<usize> = pairs.iter().map(of).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let (rows, real) = (index(|p| p.reference), index(|p| p.prediction));
    // one column of cost 0 for each row that stays alone
    let columns = real.len() + rows.len();
    let mut cost = vec![vec![0.0_f64; columns]; rows.len()];
    for pair in pairs {
        let row = rows.binary_search(&pair.reference).expect("a row for each reference");
        cost[row][real.binary_search(&pair.prediction).expect("a column for each prediction")] = -pair.iou();
    }
    let (mut row_potential, mut column_potential) = (vec![0.0; rows.len() + 1], vec![0.0; columns + 1]);
    // position 0 of the columns is the source of each path
    let mut taken_by = vec![0_usize; columns + 1];
    for row in 1..=rows.len() {
        taken_by[0] = row;
        let mut column = 0;
        let mut least = vec![f64::INFINITY; columns + 1];
        let mut back = vec![0_usize; columns + 1];
        let mut seen = vec![false; columns + 1];
        while taken_by[column] != 0 {
            seen[column] = true;
            let from = taken_by[column];
            let (mut step, mut next) = (f64::INFINITY, 0);
            for j in (1..=columns).filter(|&j| !seen[j]) {
                let reduced = cost[from - 1][j - 1] - row_potential[from] - column_potential[j];
                if reduced < least[j] {
                    least[j] = reduced;
                    back[j] = column;
                }
                if least[j] < step {
                    step = least[j];
                    next = j;
                }
            }
            for j in 0..=columns {
                if seen[j] {
                    row_potential[taken_by[j]] += step;
                    column_potential[j] -= step;
                } else {
                    least[j] -= step;
                }
            }
            column = next;
        }
        while column != 0 {
            taken_by[column] = taken_by[back[column]];
            column = back[column];
        }
    }
    let chosen: BTreeMap<usize, usize> =
        (0..real.len()).filter(|&j| taken_by[j + 1] != 0).map(|j| (rows[taken_by[j + 1] - 1], real[j])).collect();
    pairs.iter().filter(|pair| chosen.get(&pair.reference) == Some(&pair.prediction)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: Matching = Matching { iou: 0.5, inclusive: false, order: Order::Greedy };

    #[test]
    fn one_prediction_over_two_references() {
        let objects = Objects::new(&[1, 1, 2, 2, 0], &[7, 7, 7, 7, 0]).unwrap();
        assert_eq!(objects.aggregated_jaccard(), Ok(0.5), "the prediction is used twice");
        assert_eq!(objects.aggregated_jaccard_plus(), Ok(2.0 / 6.0));
        assert_eq!(objects.matches(HALF).found(), 0);
        let inclusive = objects.matches(Matching { inclusive: true, ..HALF });
        assert_eq!((inclusive.found(), inclusive.missed, inclusive.false_objects), (1, 1, 0));
        assert_eq!(inclusive.panoptic().quality, Ok(1.0 / 3.0));
    }

    #[test]
    fn the_optimal_choice_is_not_the_greedy_one() {
        // reference 1 shares most with prediction 1, but the sum is larger the other way round
        let reference = [1, 1, 1, 1, 1, 1, 2, 2, 2, 2];
        let prediction = [2, 2, 1, 1, 1, 1, 1, 1, 1, 1];
        let objects = Objects::new(&reference, &prediction).unwrap();
        let all = Matching { iou: 0.0, inclusive: false, order: Order::Optimal };
        let sum = |order| objects.matches(Matching { order, ..all }).pairs.iter().map(Pair::iou).sum::<f64>();
        assert!((sum(Order::Optimal) - (2.0 / 6.0 + 4.0 / 8.0)).abs() < 1e-15);
        assert!(sum(Order::Greedy) <= sum(Order::Optimal));
    }

    #[test]
    fn nothing_to_match_is_said() {
        let none = Objects::new(&[0, 0], &[0, 0]).unwrap();
        assert!(none.aggregated_jaccard().is_err());
        assert!(none.matches(HALF).panoptic().quality.is_err());
        let missed = Objects::new(&[0, 1], &[0, 0]).unwrap();
        assert_eq!(missed.aggregated_jaccard(), Ok(0.0));
        let panoptic = missed.matches(HALF).panoptic();
        assert_eq!(panoptic.quality, Ok(0.0));
        assert!(panoptic.segmentation.is_err() && missed.matches(HALF).precision().is_err());
    }

    #[test]
    fn components_by_connectivity() {
        let grid = Grid::new(&[3, 3], &[1.0, 1.0]).unwrap();
        let diagonal = [true, false, false, false, true, true, true, false, false];
        assert_eq!(components(&grid, &diagonal, 1).unwrap(), [1, 0, 0, 0, 2, 2, 3, 0, 0]);
        assert_eq!(components(&grid, &diagonal, 2).unwrap(), [1, 0, 0, 0, 1, 1, 1, 0, 0]);
    }
}
