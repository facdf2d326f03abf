//! The success kernel of the area under the curve, summed over pairs of (modality, reader) cells.
//!
//! `s(i, j)` is 1 where the diseased case `j` is rated above the non-diseased case `i`, ½ where they tie, else 0
//! (Gallas 2006, Academic Radiology 13:353). Every second moment of the AUC is a ratio of two sums of products
//! `s(i, j)·s'(i', j')`, and only four kinds of sum are needed for two cells:
//!
//! | kind | shared | the sum reduces to |
//! |---|---|---|
//! | 0 | both cases | Σᵢⱼ s·s' |
//! | 1 | the diseased case | Σⱼ (Σᵢ s)(Σᵢ s') |
//! | 2 | the non-diseased case | Σᵢ (Σⱼ s)(Σⱼ s') |
//! | 3 | none | (Σᵢⱼ s)(Σᵢⱼ s') |
//!
//! Kinds 1 to 3 need row and column sums only, which come from ranks in O(n log n). Kind 0 is a dot product of whole
//! matrices: 2s is held as small integers, a block of rows at a time, so that the compiler multiplies eight of them at
//! once. All sums are whole numbers (of 2s, so four times the sum of products) and exact in any order of addition.

use crate::stats::mrmc::MrmcData;
use rayon::prelude::*;

/// Elements of a block of kernel rows: small enough for every cell's block to stay in the second-level cache.
const BLOCK_ELEMENTS: usize = 2048;

/// The readings of one reader in one modality, split by truth; positions are those of the whole study's cases.
pub(super) struct ReadCell {
    /// Rank of each non-diseased case among all ratings of the cell; [`NOT_READ_NEGATIVE`] where not read.
    negative_ranks: Vec<i32>,
    /// As above for diseased cases, with [`NOT_READ_POSITIVE`].
    positive_ranks: Vec<i32>,
    /// Twice the row sums Σⱼ s(i, j).
    row_sums: Vec<u64>,
    /// Twice the column sums Σᵢ s(i, j).
    column_sums: Vec<u64>,
    pub(super) negatives: usize,
    pub(super) positives: usize,
}

/// Above every rank, so that a case that was not read never loses to a diseased case.
const NOT_READ_NEGATIVE: i32 = i32::MAX;
/// Below every rank, so that a case that was not read never beats a non-diseased case.
const NOT_READ_POSITIVE: i32 = i32::MIN;

/// The four kinds of sum of one pair of cells, or of many pairs added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PairSums {
    /// Four times Σ s·s'.
    pub(super) numerators: [i128; 4],
    /// The number of products in each sum.
    pub(super) denominators: [i128; 4],
}

impl PairSums {
    pub(super) fn add(&mut self, other: &Self) {
        for kind in 0..4 {
            self.numerators[kind] += other.numerators[kind];
            self.denominators[kind] += other.denominators[kind];
        }
    }
}

/// All cells of a study and the sums of every ordered pair of them.
pub(super) struct KernelSums {
    /// By modality, then reader.
    pub(super) cells: Vec<ReadCell>,
    readers: usize,
    sums: Vec<PairSums>,
}

impl KernelSums {
    pub(super) fn of(data: &MrmcData) -> Self {
        let readers = data.readers().len();
        let mut place = Vec::with_capacity(data.cases().len());
        let mut class_sizes = [0_usize; 2];
        for case in data.cases() {
            let class = usize::from(case.diseased);
            place.push(class_sizes[class]);
            class_sizes[class] += 1;
        }
        let cell_count = readers * data.modalities().len();
        let cells: Vec<ReadCell> = (0..cell_count)
            .into_par_iter()
            .map(|cell| {
                let readings = data.cell(cell / readers, cell % readers);
                let scored = readings.cases.iter().zip(readings.ratings).map(|(&case, &rating)| {
                    let case = case as usize;
                    (data.cases()[case].diseased, place[case], rating)
                });
                ReadCell::new(scored.collect(), class_sizes)
            })
            .collect();
        let sums = pair_sums(&cells);
        Self { cells, readers, sums }
    }

    pub(super) fn cell(&self, modality: usize, reader: usize) -> &ReadCell {
        &self.cells[modality * self.readers + reader]
    }

    /// The sums of reader `first.1` in modality `first.0` against reader `second.1` in modality `second.0`.
    pub(super) fn pair(&self, first: (usize, usize), second: (usize, usize)) -> &PairSums {
        let row = first.0 * self.readers + first.1;
        &self.sums[row * self.cells.len() + second.0 * self.readers + second.1]
    }

    pub(super) fn readers(&self) -> usize {
        self.readers
    }
}

impl ReadCell {
    fn new(scored: Vec<(bool, usize, f64)>, class_sizes: [usize; 2]) -> Self {
        let mut levels: Vec<f64> = scored.iter().map(|&(_, _, rating)| rating).collect();
        levels.sort_unstable_by(f64::total_cmp);
        levels.dedup();
        let mut negative_ranks = vec![NOT_READ_NEGATIVE; class_sizes[0]];
        let mut positive_ranks = vec![NOT_READ_POSITIVE; class_sizes[1]];
        let mut counts = vec![[0_u64; 2]; levels.len()];
        for &(diseased, place, rating) in &scored {
            let level = levels.partition_point(|&level| level < rating);
            counts[level][usize::from(diseased)] += 1;
            let ranks = if diseased { &mut positive_ranks } else { &mut negative_ranks };
            ranks[place] = i32::try_from(level).unwrap_or(i32::MAX - 1);
        }
        // below[level] = how many of each class have a lower level
        let mut below = Vec::with_capacity(levels.len());
        let mut seen = [0_u64; 2];
        for count in &counts {
            below.push(seen);
            seen = [seen[0] + count[0], seen[1] + count[1]];
        }
        let mut cell = Self {
            row_sums: vec![0; class_sizes[0]],
            column_sums: vec![0; class_sizes[1]],
            negatives: usize::try_from(seen[0]).unwrap_or(usize::MAX),
            positives: usize::try_from(seen[1]).unwrap_or(usize::MAX),
            negative_ranks,
            positive_ranks,
        };
        for &(diseased, place, rating) in &scored {
            let level = levels.partition_point(|&level| level < rating);
            if diseased {
                cell.column_sums[place] = 2 * below[level][0] + counts[level][0];
            } else {
                cell.row_sums[place] = 2 * (seen[1] - below[level][1]) - counts[level][1];
            }
        }
        cell
    }

    /// Whether the cell yields at least one comparison.
    pub(super) fn is_active(&self) -> bool {
        self.negatives > 0 && self.positives > 0
    }

    pub(super) fn negative_is_read(&self, place: usize) -> bool {
        self.negative_ranks[place] != NOT_READ_NEGATIVE
    }

    pub(super) fn positive_is_read(&self, place: usize) -> bool {
        self.positive_ranks[place] != NOT_READ_POSITIVE
    }

    pub(super) fn class_sizes(&self) -> [usize; 2] {
        [self.negative_ranks.len(), self.positive_ranks.len()]
    }

    /// Twice Σᵢⱼ s(i, j).
    fn total(&self) -> u64 {
        self.row_sums.iter().sum()
    }

    /// (numerator, denominator) of the cell's AUC; the numerator is not doubled.
    pub(super) fn success(&self) -> (f64, f64) {
        (self.total() as f64 / 2.0, self.negatives as f64 * self.positives as f64)
    }

    /// Writes 2s for the rows `rows` into `block`. False where no row was read, and then `block` is left as it is.
    fn fill(&self, rows: std::ops::Range<usize>, block: &mut [i16]) -> bool {
        if !self.is_active() || rows.clone().all(|row| !self.negative_is_read(row)) {
            return false;
        }
        for (row, line) in rows.zip(block.chunks_exact_mut(self.positive_ranks.len())) {
            let negative = self.negative_ranks[row];
            for (value, &positive) in line.iter_mut().zip(&self.positive_ranks) {
                *value = 1 + i16::from(positive > negative) - i16::from(negative > positive);
            }
        }
        true
    }
}

fn pair_sums(cells: &[ReadCell]) -> Vec<PairSums> {
    let shared = shared_products(cells);
    let pairs = cells.len() * cells.len();
    (0..pairs)
        .into_par_iter()
        .map(|pair| {
            let (first, second) = (pair / cells.len(), pair % cells.len());
            let (a, b) = (&cells[first], &cells[second]);
            if !a.is_active() || !b.is_active() {
                return PairSums::default();
            }
            let count = |overlap: usize| i128::try_from(overlap).unwrap_or(i128::MAX);
            let both_negative =
                count((0..a.negative_ranks.len()).filter(|&i| a.negative_is_read(i) && b.negative_is_read(i)).count());
            let both_positive =
                count((0..a.positive_ranks.len()).filter(|&j| a.positive_is_read(j) && b.positive_is_read(j)).count());
            let (negatives, positives) =
                (count(a.negatives) * count(b.negatives), count(a.positives) * count(b.positives));
            PairSums {
                numerators: [
                    i128::from(shared[first.min(second) * cells.len() + first.max(second)]),
                    dot_u64(&a.column_sums, &b.column_sums),
                    dot_u64(&a.row_sums, &b.row_sums),
                    i128::from(a.total()) * i128::from(b.total()),
                ],
                denominators: [
                    both_negative * both_positive,
                    both_positive * negatives,
                    both_negative * positives,
                    negatives * positives,
                ],
            }
        })
        .collect()
}

/// Σᵢⱼ (2s)(2s') of every pair of cells (first ≤ second), a block of non-diseased cases at a time.
fn shared_products(cells: &[ReadCell]) -> Vec<u64> {
    let size = cells.len() * cells.len();
    let [rows, columns] = cells.first().map_or([0, 0], ReadCell::class_sizes);
    if rows == 0 || columns == 0 {
        return vec![0; size];
    }
    let rows_in_block = (BLOCK_ELEMENTS / columns).max(1);
    let starts: Vec<usize> = (0..rows).step_by(rows_in_block).collect();
    starts
        .par_iter()
        .fold(
            || (vec![0_u64; size], vec![0_i16; rows_in_block * columns * cells.len()]),
            |(mut sums, mut blocks), &start| {
                let range = start..(start + rows_in_block).min(rows);
                let width = range.len() * columns;
                let mut active = Vec::with_capacity(cells.len());
                for (index, (cell, block)) in
                    cells.iter().zip(blocks.chunks_exact_mut(rows_in_block * columns)).enumerate()
                {
                    if cell.fill(range.clone(), &mut block[..width]) {
                        active.push(index);
                    }
                }
                let block = |index: usize| &blocks[index * rows_in_block * columns..][..width];
                for (at, &first) in active.iter().enumerate() {
                    for &second in &active[at..] {
                        sums[first * cells.len() + second] += dot_i16(block(first), block(second));
                    }
                }
                (sums, blocks)
            },
        )
        .map(|(sums, _)| sums)
        .reduce(
            || vec![0; size],
            |mut left, right| {
                for (sum, part) in left.iter_mut().zip(right) {
                    *sum += part;
                }
                left
            },
        )
}

/// At most 4 a product, so that 2²⁹ products fit; longer blocks are cut.
fn dot_i16(a: &[i16], b: &[i16]) -> u64 {
    a.chunks(1 << 28)
        .zip(b.chunks(1 << 28))
        .map(|(a, b)| {
            let sum: i32 = a.iter().zip(b).map(|(&x, &y)| i32::from(x) * i32::from(y)).sum();
            u64::try_from(sum).unwrap_or(0)
        })
        .sum()
}

fn dot_u64(a: &[u64], b: &[u64]) -> i128 {
    i128::from(a.iter().zip(b).map(|(&x, &y)| x * y).sum::<u64>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::mrmc::{Case, IndexedReading};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha12Rng;

    /// The four sums as their definition says, over all pairs of pairs of cases.
    fn by_definition(data: &MrmcData, a: (usize, usize), b: (usize, usize)) -> PairSums {
        let kernel = |(modality, reader): (usize, usize), i: u32, j: u32| {
            let (negative, positive) = (data.rating(modality, reader, i)?, data.rating(modality, reader, j)?);
            Some(i128::from(positive > negative) + i128::from(positive >= negative))
        };
        let class = |diseased: bool| -> Vec<u32> {
            (0..).zip(data.cases()).filter(|(_, case)| case.diseased == diseased).map(|(index, _)| index).collect()
        };
        let (negatives, positives) = (class(false), class(true));
        let mut sums = PairSums::default();
        for &i in &negatives {
            for &j in &positives {
                let Some(s) = kernel(a, i, j) else { continue };
                for &k in &negatives {
                    for &l in &positives {
                        let Some(t) = kernel(b, k, l) else { continue };
                        let kinds = [i == k && j == l, j == l, i == k, true];
                        for kind in (0..4).filter(|&kind| kinds[kind]) {
                            sums.numerators[kind] += s * t;
                            sums.denominators[kind] += 1;
                        }
                    }
                }
            }
        }
        sums
    }

    fn random_study(readers: u32, cases: u32, levels: u32, kept: f64, seed: u64) -> MrmcData {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let mut readings = Vec::new();
        for modality in 0..2 {
            for reader in 0..readers {
                for case in 0..cases {
                    let rating = f64::from(rng.random_range(0..levels));
                    if rng.random::<f64>() < kept {
                        readings.push(IndexedReading { reader, case, modality, rating });
                    }
                }
            }
        }
        let labels = |count: u32| (0..count).map(|index| index.to_string()).collect();
        let cases = (0..cases)
            .map(|index| Case { label: index.to_string(), diseased: index % 3 == 0, cluster: None })
            .collect();
        MrmcData::new(labels(readers), labels(2), cases, &readings).expect("valid study")
    }

    #[test]
    fn sums_are_those_of_the_definition() {
        for (levels, kept, seed) in [(2, 1.0, 1), (5, 0.7, 2), (1000, 0.4, 3), (3, 0.1, 4)] {
            let data = random_study(3, 25, levels, kept, seed);
            let kernel = KernelSums::of(&data);
            for a in (0..2).flat_map(|m| (0..3).map(move |r| (m, r))) {
                for b in (0..2).flat_map(|m| (0..3).map(move |r| (m, r))) {
                    assert_eq!(*kernel.pair(a, b), by_definition(&data, a, b), "{a:?} {b:?}, {levels} levels");
                }
            }
        }
    }

    #[test]
    fn blocks_join_without_a_seam() {
        // 1,500 × 750 pairs fill hundreds of blocks; the sum of squares of one cell has a closed form
        let data = random_study(1, 2250, 4, 1.0, 5);
        let kernel = KernelSums::of(&data);
        let cell = kernel.cell(0, 0);
        let pair = kernel.pair((0, 0), (0, 0));
        let count = |test: fn(i32, i32) -> bool| -> i128 {
            cell.positive_ranks
                .iter()
                .map(|&p| i128::try_from(cell.negative_ranks.iter().filter(|&&n| test(p, n)).count()).unwrap())
                .sum()
        };
        assert_eq!(pair.numerators[0], 4 * count(|p, n| p > n) + count(|p, n| p == n));
    }
}
