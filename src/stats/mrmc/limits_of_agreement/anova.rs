//! Analysis of variance of incomplete tables: residual sums of squares of nested models and what their expectations
//! hold of each random effect.
//!
//! For a model with projection `P` and residual maker `M = I − P`, the residual sum of squares `y'My` has expectation
//! `Σ_f σ²_f·tr(M X_f X_f') + σ²·(N − rank)` over the random effects `f` with indicator matrices `X_f`. Differences of
//! such residuals are the sums of squares of "fitting constants" (Henderson 1953, Biometrics 9:226, method 3); equating
//! them to their expectations gives the variance components, unbiased for any pattern of missing cells.
//!
//! One factor of many levels (cases) is swept out by its means; the few columns left are made orthogonal. Nothing of
//! the size N × N is formed.

/// The level of each row in one classification.
#[derive(Debug, Clone)]
pub(super) struct Factor {
    pub(super) level: Vec<usize>,
    pub(super) levels: usize,
}

/// Residuals of one model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Residual {
    pub(super) sum_of_squares: f64,
    pub(super) df: f64,
    /// tr(M X X') of each of the random effects asked for.
    pub(super) traces: Vec<f64>,
}

impl Residual {
    /// What `self` leaves and `larger`, which contains it, does not.
    pub(super) fn less(&self, larger: &Self) -> Self {
        Self {
            sum_of_squares: self.sum_of_squares - larger.sum_of_squares,
            df: self.df - larger.df,
            traces: self.traces.iter().zip(&larger.traces).map(|(a, b)| a - b).collect(),
        }
    }
}

/// A column whose squared length falls to this part of what it was is taken to lie in the model already.
const DEPENDENT: f64 = 1e-10;

impl Factor {
    /// The model "mean only".
    pub(super) fn constant(rows: usize) -> Self {
        Self { level: vec![0; rows], levels: 1 }
    }

    /// The levels of both factors together.
    pub(super) fn crossed(&self, other: &Self) -> Self {
        Self {
            level: self.level.iter().zip(&other.level).map(|(a, b)| a * other.levels + b).collect(),
            levels: self.levels * other.levels,
        }
    }

    /// One indicator column a level.
    pub(super) fn columns(&self) -> Vec<Vec<f64>> {
        let mut columns = vec![vec![0.0; self.level.len()]; self.levels];
        for (row, &level) in self.level.iter().enumerate() {
            columns[level][row] = 1.0;
        }
        columns
    }

    /// Σ over levels of (rows at that level)².
    pub(super) fn sum_of_squared_counts(&self) -> f64 {
        let mut counts = vec![0.0; self.levels];
        for &level in &self.level {
            counts[level] += 1.0;
        }
        counts.iter().map(|count| count * count).sum()
    }
}

/// Residual of the model that holds `swept` and `columns`, with its traces for the `random` effects.
pub(super) fn residual(y: &[f64], swept: &Factor, columns: &[Vec<f64>], random: &[&Factor]) -> Residual {
    let mut group_sizes = vec![0.0; swept.levels];
    for &group in &swept.level {
        group_sizes[group] += 1.0;
    }
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(columns.len());
    for column in columns {
        let before = dot(column, column);
        let mut rest = without_means(column, swept, &group_sizes);
        // the second pass takes off what rounding left of the first
        for _ in 0..2 {
            for direction in &basis {
                take_off(&mut rest, direction);
            }
        }
        let length = dot(&rest, &rest);
        if length > DEPENDENT * before {
            let scale = length.sqrt().recip();
            rest.iter_mut().for_each(|value| *value *= scale);
            basis.push(rest);
        }
    }
    let mut rest = without_means(y, swept, &group_sizes);
    for direction in &basis {
        take_off(&mut rest, direction);
    }
    let groups = group_sizes.iter().filter(|size| **size > 0.0).count();
    Residual {
        sum_of_squares: dot(&rest, &rest),
        df: (y.len() - groups - basis.len()) as f64,
        traces: random.iter().map(|effect| trace(effect, swept, &group_sizes, &basis)).collect(),
    }
}

/// tr(M X X') = N − Σ_{g, l} n_{gl}²/n_g − Σ_q Σ_l (Σ_{rows of l} q)², `g` the swept groups, `l` the effect's levels.
fn trace(effect: &Factor, swept: &Factor, group_sizes: &[f64], basis: &[Vec<f64>]) -> f64 {
    let mut total = effect.level.len() as f64;
    let mut pairs: Vec<(usize, usize)> =
        swept.level.iter().zip(&effect.level).map(|(&group, &level)| (group, level)).collect();
    pairs.sort_unstable();
    for same in pairs.chunk_by(|a, b| a == b) {
        total -= (same.len() as f64).powi(2) / group_sizes[same[0].0];
    }
    for direction in basis {
        let mut sums = vec![0.0; effect.levels];
        for (&level, value) in effect.level.iter().zip(direction) {
            sums[level] += value;
        }
        total -= dot(&sums, &sums);
    }
    total
}

fn without_means(values: &[f64], swept: &Factor, group_sizes: &[f64]) -> Vec<f64> {
    let mut means = vec![0.0; swept.levels];
    for (&group, value) in swept.level.iter().zip(values) {
        means[group] += value;
    }
    for (mean, size) in means.iter_mut().zip(group_sizes) {
        if *size > 0.0 {
            *mean /= size;
        }
    }
    swept.level.iter().zip(values).map(|(&group, value)| value - means[group]).collect()
}

fn take_off(values: &mut [f64], direction: &[f64]) {
    let along = dot(values, direction);
    for (value, component) in values.iter_mut().zip(direction) {
        *value -= along * component;
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Solves `matrix · x = right` by elimination with the largest pivot; `None` where the equations do not determine x.
pub(super) fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let size = right.len();
    let scale = matrix.iter().flatten().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    for step in 0..size {
        let pivot = (step..size).max_by(|&a, &b| matrix[a][step].abs().total_cmp(&matrix[b][step].abs()))?;
        if matrix[pivot][step].abs() <= 1e-12 * scale {
            return None;
        }
        matrix.swap(step, pivot);
        right.swap(step, pivot);
        for row in step + 1..size {
            let factor = matrix[row][step] / matrix[step][step];
            let (upper, lower) = matrix.split_at_mut(row);
            for (value, above) in lower[0][step..].iter_mut().zip(&upper[step][step..]) {
                *value -= factor * above;
            }
            right[row] -= factor * right[step];
        }
    }
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size).map(|column| matrix[row][column] * right[column]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    Some(right)
}
