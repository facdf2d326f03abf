//! The covariance matrix of the figures of merit over (modality, reader) cells, for fixed readers and random cases.

use super::fom::{CaseClass, FigureOfMerit, Levels, placements};
use super::{AnalysisMethod, MrmcData};
use crate::stats::{Estimable, NotEstimable};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rayon::prelude::*;
use serde::Serialize;

/// How the covariances are estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CovarianceMethod {
    /// Leave one case (or one patient) out: (K − 1)/K Σₖ (θ₋ₖ − θ̄₋)(φ₋ₖ − φ̄₋), K = all cases of the study that the
    /// figure of merit looks at. For every figure of merit and design.
    Jackknife,
    /// DeLong, DeLong and Clarke-Pearson (1988). Empirical AUC only.
    DeLong,
    /// Unbiased U-statistic estimate (Gallas, Pennello and Myers 2007). Empirical AUC only; can be negative.
    Unbiased,
    /// Covariance over resamples of cases (or patients). Replicate `i` uses stream `i` of the seed.
    Bootstrap { replicates: u32, seed: u64, stratified: bool },
}

/// One filled cell of the study: a reader in a modality.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CellEstimate {
    pub modality: usize,
    pub reader: usize,
    pub estimate: f64,
    pub diseased: usize,
    pub non_diseased: usize,
}

/// Estimates of all filled cells (modality by modality, readers in order) and their covariances.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CellCovariance {
    pub cells: Vec<CellEstimate>,
    /// Row by row, `cells.len()` squared.
    pub matrix: Vec<f64>,
    pub method: CovarianceMethod,
    /// Number of cases (or patients) that were left out or resampled.
    pub units: usize,
    /// Bootstrap replicates in which a figure of merit did not exist; they are not in the covariances.
    pub discarded_replicates: u32,
}

impl CellCovariance {
    #[must_use]
    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.matrix[row * self.cells.len() + column]
    }
}

impl CovarianceMethod {
    /// The name as it is printed.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Jackknife => "jackknife",
            Self::DeLong => "DeLong",
            Self::Unbiased => "unbiased (U-statistic)",
            Self::Bootstrap { stratified: false, .. } => "bootstrap",
            Self::Bootstrap { stratified: true, .. } => "bootstrap, stratified by truth",
        }
    }
}

/// The figure of merit of every filled cell.
///
/// # Errors
/// The first cell for which it does not exist, named.
pub fn cell_estimates(data: &MrmcData, fom: FigureOfMerit) -> Estimable<Vec<CellEstimate>> {
    sorted_cells(data).par_iter().map(|cell| cell.estimate(data, fom)).collect()
}

/// Figures of merit and their covariances.
///
/// # Errors
/// A cell without an estimate; a method that does not fit the figure of merit or the design; too few cases.
pub fn covariance(data: &MrmcData, fom: FigureOfMerit, method: CovarianceMethod) -> Estimable<CellCovariance> {
    if matches!(method, CovarianceMethod::DeLong | CovarianceMethod::Unbiased) && fom != FigureOfMerit::EmpiricalAuc {
        return Err(NotEstimable::new(
            "method_needs_auc",
            format!("{} covariances exist for the empirical AUC, not for {}", method.name(), fom.name()),
        ));
    }
    let clustered = data.cases().iter().any(|case| case.cluster.is_some());
    if matches!(method, CovarianceMethod::DeLong | CovarianceMethod::Unbiased) && clustered {
        return Err(NotEstimable::new(
            "clustered_cases",
            format!("{} covariances take cases as independent; several share a patient here", method.name()),
        ));
    }
    let cells = sorted_cells(data);
    let estimates: Vec<CellEstimate> =
        cells.par_iter().map(|cell| cell.estimate(data, fom)).collect::<Estimable<_>>()?;
    let (matrix, units, discarded_replicates) = match method {
        CovarianceMethod::Jackknife => {
            let (matrix, units) = jackknife(data, fom, &cells)?;
            (matrix, units, 0)
        }
        CovarianceMethod::DeLong => (delong(data, &cells)?, data.cases().len(), 0),
        CovarianceMethod::Unbiased => (unbiased(data, &cells)?, data.cases().len(), 0),
        CovarianceMethod::Bootstrap { replicates, seed, stratified } => {
            bootstrap(data, fom, &cells, replicates, seed, stratified)?
        }
    };
    Ok(CellCovariance { cells: estimates, matrix, method, units, discarded_replicates })
}

/// A filled cell with its ratings sorted into levels.
struct SortedCell {
    modality: usize,
    reader: usize,
    levels: Levels,
    /// (case, level), by case.
    diseased: Vec<(u32, u32)>,
    non_diseased: Vec<(u32, u32)>,
}

fn sorted_cells(data: &MrmcData) -> Vec<SortedCell> {
    let readers = data.readers().len();
    (0..data.modalities().len() * readers)
        .into_par_iter()
        .filter(|&at| !data.cell(at / readers, at % readers).cases.is_empty())
        .map(|at| SortedCell::new(data, at / readers, at % readers))
        .collect()
}

impl SortedCell {
    fn new(data: &MrmcData, modality: usize, reader: usize) -> Self {
        let cell = data.cell(modality, reader);
        let (mut cases, mut ratings) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for (&case, &rating) in cell.cases.iter().zip(cell.ratings) {
            let class = usize::from(data.cases()[case as usize].diseased);
            cases[class].push(case);
            ratings[class].push(rating);
        }
        let (levels, diseased_at, non_diseased_at) = Levels::with_positions(&ratings[1], &ratings[0]);
        let [non_diseased, diseased] = cases;
        Self {
            modality,
            reader,
            levels,
            diseased: diseased.into_iter().zip(diseased_at).collect(),
            non_diseased: non_diseased.into_iter().zip(non_diseased_at).collect(),
        }
    }

    fn estimate(&self, data: &MrmcData, fom: FigureOfMerit) -> Estimable<CellEstimate> {
        let estimate = fom.of_levels(&self.levels).map_err(|fault| self.name_in(data, fault))?;
        Ok(CellEstimate {
            modality: self.modality,
            reader: self.reader,
            estimate,
            diseased: self.diseased.len(),
            non_diseased: self.non_diseased.len(),
        })
    }

    fn name_in(&self, data: &MrmcData, fault: NotEstimable) -> NotEstimable {
        let (reader, modality) = (&data.readers()[self.reader], &data.modalities()[self.modality]);
        NotEstimable::new(fault.code, format!("reader {reader}, modality {modality}: {}", fault.reason))
    }
}

/// For each filled cell the figure of merit without each case (or patient), beside the estimates.
///
/// # Errors
/// A cell for which a figure of merit, whole or reduced, does not exist; fewer than two cases.
pub(super) fn leave_one_out(data: &MrmcData, fom: FigureOfMerit) -> Estimable<(Vec<CellEstimate>, Vec<Vec<f64>>)> {
    let cells = sorted_cells(data);
    let units = units(data, fom.case_class());
    let count = units.diseased.len();
    if count < 2 {
        return Err(NotEstimable::new("jackknife_too_few", format!("the jackknife needs two cases, not {count}")));
    }
    let estimates = cells.par_iter().map(|cell| cell.estimate(data, fom)).collect::<Estimable<_>>()?;
    let values = cells
        .par_iter()
        .map(|cell| leave_one_unit_out(fom, cell, &units).map_err(|fault| cell.name_in(data, fault)))
        .collect::<Estimable<_>>()?;
    Ok((estimates, values))
}

/// What is left out or resampled as a whole: a case, or all cases of a patient.
pub(crate) struct Units {
    /// Unit of each case; `None` for a case that nobody read or that the figure of merit does not look at.
    pub(crate) of_case: Vec<Option<u32>>,
    /// Whether each unit holds a diseased case.
    pub(crate) diseased: Vec<bool>,
}

pub(crate) fn units(data: &MrmcData, class: CaseClass) -> Units {
    let mut read = vec![false; data.cases().len()];
    for reading in data.readings() {
        read[reading.case as usize] = true;
    }
    let mut of_cluster: Vec<Option<u32>> = vec![None; data.clusters().len()];
    let mut units = Units { of_case: Vec::with_capacity(read.len()), diseased: Vec::new() };
    for (case, was_read) in data.cases().iter().zip(read) {
        let in_use = match class {
            CaseClass::Both => true,
            CaseClass::Diseased => case.diseased,
            CaseClass::NonDiseased => !case.diseased,
        };
        if !was_read || !in_use {
            units.of_case.push(None);
            continue;
        }
        let next = units.diseased.len() as u32;
        let unit = match case.cluster {
            Some(cluster) => *of_cluster[cluster as usize].get_or_insert(next),
            None => next,
        };
        if unit == next {
            units.diseased.push(false);
        }
        units.diseased[unit as usize] |= case.diseased;
        units.of_case.push(Some(unit));
    }
    units
}

fn jackknife(data: &MrmcData, fom: FigureOfMerit, cells: &[SortedCell]) -> Estimable<(Vec<f64>, usize)> {
    let units = units(data, fom.case_class());
    let left_out: Vec<Vec<f64>> = cells
        .par_iter()
        .map(|cell| leave_one_unit_out(fom, cell, &units).map_err(|fault| cell.name_in(data, fault)))
        .collect::<Estimable<_>>()?;
    Ok((jackknife_matrix(left_out)?, units.diseased.len()))
}

/// (K − 1)/K Σₖ (θ₋ₖ − θ̄₋)(φ₋ₖ − φ̄₋) for every pair of cells, row by row, from each cell's K left-out values.
pub(super) fn jackknife_matrix(mut left_out: Vec<Vec<f64>>) -> Estimable<Vec<f64>> {
    let count = left_out.first().map_or(0, Vec::len);
    if count < 2 {
        return Err(NotEstimable::new("jackknife_too_few", format!("the jackknife needs two cases, not {count}")));
    }
    for values in &mut left_out {
        let mean = values.iter().sum::<f64>() / count as f64;
        values.iter_mut().for_each(|value| *value -= mean);
    }
    Ok(gram(&left_out, (count - 1) as f64 / count as f64))
}

/// The figure of merit of one cell without each unit; units that the cell did not read leave it as it is.
fn leave_one_unit_out(fom: FigureOfMerit, cell: &SortedCell, units: &Units) -> Estimable<Vec<f64>> {
    let full = fom.of_levels(&cell.levels)?;
    let mut values = vec![full; units.diseased.len()];
    let mut members: Vec<(u32, u32, bool)> = Vec::with_capacity(cell.diseased.len() + cell.non_diseased.len());
    for (class, list) in [(true, &cell.diseased), (false, &cell.non_diseased)] {
        members.extend(
            list.iter().filter_map(|&(case, level)| units.of_case[case as usize].map(|unit| (unit, level, class))),
        );
    }
    members.sort_unstable();
    let single = fom.leave_one_out(&cell.levels)?;
    let mut reduced = cell.levels.clone();
    for unit in members.chunk_by(|a, b| a.0 == b.0) {
        values[unit[0].0 as usize] = if let [(_, level, diseased)] = *unit {
            if diseased { single.diseased[level as usize] } else { single.non_diseased[level as usize] }
        } else {
            for &(_, level, diseased) in unit {
                let counts = if diseased { &mut reduced.diseased } else { &mut reduced.non_diseased };
                counts[level as usize] -= 1;
            }
            let value = fom.of_levels(&reduced)?;
            for &(_, level, diseased) in unit {
                let counts = if diseased { &mut reduced.diseased } else { &mut reduced.non_diseased };
                counts[level as usize] += 1;
            }
            value
        };
    }
    Ok(values)
}

/// scale × rows · rowsᵀ.
fn gram(rows: &[Vec<f64>], scale: f64) -> Vec<f64> {
    symmetric(rows.len(), |a, b| Ok(scale * rows[a].iter().zip(&rows[b]).map(|(x, y)| x * y).sum::<f64>()))
        .unwrap_or_default()
}

/// A symmetric matrix from its lower triangle, each entry computed on its own so that threads cannot change a sum.
fn symmetric(size: usize, entry: impl Fn(usize, usize) -> Estimable<f64> + Sync) -> Estimable<Vec<f64>> {
    let pairs: Vec<(usize, usize)> = (0..size).flat_map(|a| (0..=a).map(move |b| (a, b))).collect();
    let values: Vec<f64> = pairs.par_iter().with_min_len(16).map(|&(a, b)| entry(a, b)).collect::<Estimable<_>>()?;
    let mut matrix = vec![0.0; size * size];
    for (&(a, b), &value) in pairs.iter().zip(&values) {
        matrix[a * size + b] = value;
        matrix[b * size + a] = value;
    }
    Ok(matrix)
}

/// S₁₀/m + S₀₁/n of the placement values. Two cells with the same cases covary, two without a case in common don't;
/// for anything between DeLong et al. give no formula.
fn delong(data: &MrmcData, cells: &[SortedCell]) -> Estimable<Vec<f64>> {
    data.design()
        .allows(AnalysisMethod::DelongCovariance)
        .map_err(|reason| NotEstimable::new("delong_needs_balance", reason))?;
    for cell in cells {
        let (m, n) = (cell.diseased.len(), cell.non_diseased.len());
        if m < 2 || n < 2 {
            let fault = format!("DeLong variances need two cases of each class: n+ = {m}, n- = {n}");
            return Err(cell.name_in(data, NotEstimable::new("delong_too_few", fault)));
        }
    }
    let centred: Vec<[Vec<f64>; 2]> = cells
        .par_iter()
        .map(|cell| {
            let (of_diseased, of_non_diseased) = placements(&cell.levels);
            let centre = |list: &[(u32, u32)], halves: &[u64], others: usize| {
                let values: Vec<f64> =
                    list.iter().map(|&(_, level)| halves[level as usize] as f64 / (2 * others) as f64).collect();
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                values.into_iter().map(|value| value - mean).collect::<Vec<f64>>()
            };
            [
                centre(&cell.diseased, &of_diseased, cell.non_diseased.len()),
                centre(&cell.non_diseased, &of_non_diseased, cell.diseased.len()),
            ]
        })
        .collect();
    symmetric(cells.len(), |a, b| {
        let same = |x: &[(u32, u32)], y: &[(u32, u32)]| x.iter().map(|c| c.0).eq(y.iter().map(|c| c.0));
        if !same(&cells[a].diseased, &cells[b].diseased) || !same(&cells[a].non_diseased, &cells[b].non_diseased) {
            return Ok(0.0);
        }
        let part = |class: usize| {
            let (x, y) = (&centred[a][class], &centred[b][class]);
            let count = x.len() as f64;
            x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>() / ((count - 1.0) * count)
        };
        Ok(part(0) + part(1))
    })
}

/// The unbiased covariance of two AUCs that may share some, all or none of their cases.
///
/// With S = Σ ψ over a cell's pairs, E[SₐS_b] splits into pairs of pairs that share both cases, the diseased one, the
/// non-diseased one or none. The part that shares none estimates θₐθ_b without bias, so cov = θ̂ₐθ̂_b − (that part's
/// mean), the moments of Gallas, Pennello and Myers (2007) for one cell pair. Integers count quarters of ψψ, exactly.
fn unbiased(data: &MrmcData, cells: &[SortedCell]) -> Estimable<Vec<f64>> {
    for cell in cells {
        let (m, n) = (cell.diseased.len(), cell.non_diseased.len());
        if m < 2 || n < 2 {
            let fault = format!("unbiased variances need two cases of each class: n+ = {m}, n- = {n}");
            return Err(cell.name_in(data, NotEstimable::new("unbiased_too_few", fault)));
        }
    }
    let halves: Vec<(Vec<u64>, Vec<u64>)> = cells.par_iter().map(|cell| placements(&cell.levels)).collect();
    symmetric(cells.len(), |a, b| {
        let (x, y) = (&cells[a], &cells[b]);
        let diseased = shared(&x.diseased, &y.diseased);
        let non_diseased = shared(&x.non_diseased, &y.non_diseased);
        if diseased.is_empty() && non_diseased.is_empty() {
            return Ok(0.0);
        }
        let products = |pairs: &[(u32, u32)], u: &[u64], v: &[u64]| -> i128 {
            pairs.iter().map(|&(p, q)| i128::from(u[p as usize] * v[q as usize])).sum()
        };
        let total = |cell: &SortedCell, of: &(Vec<u64>, Vec<u64>)| -> i128 {
            cell.diseased.iter().map(|&(_, level)| i128::from(of.0[level as usize])).sum()
        };
        let (sum_x, sum_y) = (total(x, &halves[a]), total(y, &halves[b]));
        let by_diseased = products(&diseased, &halves[a].0, &halves[b].0);
        let by_non_diseased = products(&non_diseased, &halves[a].1, &halves[b].1);
        let by_both = i128::from(joint_concordance(&diseased, &non_diseased, y.levels.len()));
        let size = |list: &[(u32, u32)]| list.len() as i128;
        let (mx, nx, my, ny) = (size(&x.diseased), size(&x.non_diseased), size(&y.diseased), size(&y.non_diseased));
        let (c, d) = (size(&diseased), size(&non_diseased));
        let pairs = mx * nx * my * ny;
        let apart = pairs - c * nx * ny - d * mx * my + c * d;
        let sum_apart = sum_x * sum_y - by_diseased - by_non_diseased + by_both;
        if apart == 0 {
            return Err(NotEstimable::new(
                "unbiased_too_few",
                "two cells have no two case pairs apart from each other",
            ));
        }
        Ok(exact_difference(sum_x * sum_y, pairs, sum_apart, apart) / 4.0)
    })
}

/// a/b − c/d without cancellation: the numerator is exact in whole numbers where it fits, else in floats.
fn exact_difference(a: i128, b: i128, c: i128, d: i128) -> f64 {
    match (a.checked_mul(d), c.checked_mul(b), b.checked_mul(d)) {
        (Some(left), Some(right), Some(under)) => (left - right) as f64 / under as f64,
        _ => a as f64 / b as f64 - c as f64 / d as f64,
    }
}

/// The levels that the cases of both lists (ordered by case) have in each.
fn shared(x: &[(u32, u32)], y: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut pairs = Vec::with_capacity(x.len().min(y.len()));
    let mut rest = y.iter().peekable();
    for &(case, level) in x {
        while rest.next_if(|other| other.0 < case).is_some() {}
        if let Some(&(_, other_level)) = rest.next_if(|other| other.0 == case) {
            pairs.push((level, other_level));
        }
    }
    pairs
}

/// Σ over (diseased i, non-diseased j) of 4 ψₐ(i,j) ψ_b(i,j), each item given as its (level in a, level in b); level 0 is
/// the highest rating. Sweeps a's levels from the lowest rating up with a Fenwick tree over b's: O(n log n).
fn joint_concordance(diseased: &[(u32, u32)], non_diseased: &[(u32, u32)], levels_b: usize) -> u64 {
    let (mut diseased, mut non_diseased) = (diseased.to_vec(), non_diseased.to_vec());
    diseased.sort_unstable_by(|x, y| y.cmp(x));
    non_diseased.sort_unstable_by(|x, y| y.cmp(x));
    let mut tree = Fenwick(vec![0; levels_b + 1]);
    let mut inserted = 0;
    let mut sum = 0;
    let mut halves_below = Vec::new();
    for group in diseased.chunk_by(|x, y| x.0 == y.0) {
        let level = group[0].0;
        let below = |tree: &Fenwick, b: u32| tree.at_or_below(b as usize) + tree.at_or_below(b as usize + 1);
        while inserted < non_diseased.len() && non_diseased[inserted].0 > level {
            tree.insert(non_diseased[inserted].1 as usize);
            inserted += 1;
        }
        halves_below.clear();
        halves_below.extend(group.iter().map(|&(_, b)| below(&tree, b)));
        while inserted < non_diseased.len() && non_diseased[inserted].0 == level {
            tree.insert(non_diseased[inserted].1 as usize);
            inserted += 1;
        }
        sum += group.iter().zip(&halves_below).map(|(&(_, b), strictly)| strictly + below(&tree, b)).sum::<u64>();
    }
    sum
}

/// Counts items by level and answers how many stand at a level or after it (at or below that rating).
struct Fenwick(Vec<u64>);

impl Fenwick {
    fn insert(&mut self, level: usize) {
        let mut at = self.0.len() - 1 - level;
        while at < self.0.len() {
            self.0[at] += 1;
            at += at & at.wrapping_neg();
        }
    }

    fn at_or_below(&self, level: usize) -> u64 {
        let mut at = self.0.len() - 1 - level;
        let mut sum = 0;
        while at > 0 {
            sum += self.0[at];
            at -= at & at.wrapping_neg();
        }
        sum
    }
}

fn bootstrap(
    data: &MrmcData,
    fom: FigureOfMerit,
    cells: &[SortedCell],
    replicates: u32,
    seed: u64,
    stratified: bool,
) -> Estimable<(Vec<f64>, usize, u32)> {
    let units = units(data, fom.case_class());
    let count = units.diseased.len();
    let strata: Vec<Vec<u32>> = if stratified {
        [true, false]
            .map(|class| (0..).zip(&units.diseased).filter(|(_, d)| **d == class).map(|(unit, _)| unit).collect())
            .to_vec()
    } else {
        vec![(0..count as u32).collect()]
    };
    let drawn: Vec<Option<Vec<f64>>> = (0..replicates)
        .into_par_iter()
        .map(|replicate| {
            let mut random = ChaCha12Rng::seed_from_u64(seed);
            random.set_stream(u64::from(replicate));
            let mut weights = vec![0_u32; count];
            for stratum in strata.iter().filter(|stratum| !stratum.is_empty()) {
                for _ in 0..stratum.len() {
                    weights[stratum[random.random_range(0..stratum.len())] as usize] += 1;
                }
            }
            cells.iter().map(|cell| fom.of_levels(&weighted(cell, &units, &weights)).ok()).collect()
        })
        .collect();
    let used: Vec<&Vec<f64>> = drawn.iter().flatten().collect();
    let discarded = replicates - used.len() as u32;
    if used.len() < 2 {
        return Err(NotEstimable::new(
            "bootstrap_too_few",
            format!("{} of {replicates} bootstrap replicates are usable; two are needed", used.len()),
        ));
    }
    let deviations: Vec<Vec<f64>> = (0..cells.len())
        .map(|cell| {
            let mean = used.iter().map(|values| values[cell]).sum::<f64>() / used.len() as f64;
            used.iter().map(|values| values[cell] - mean).collect()
        })
        .collect();
    Ok((gram(&deviations, 1.0 / (used.len() - 1) as f64), count, discarded))
}

fn weighted(cell: &SortedCell, units: &Units, weights: &[u32]) -> Levels {
    let count = |list: &[(u32, u32)]| {
        let mut counts = vec![0; cell.levels.len()];
        for &(case, level) in list {
            counts[level as usize] += units.of_case[case as usize].map_or(0, |unit| weights[unit as usize]);
        }
        counts
    };
    Levels {
        ratings: cell.levels.ratings.clone(),
        diseased: count(&cell.diseased),
        non_diseased: count(&cell.non_diseased),
    }
}
