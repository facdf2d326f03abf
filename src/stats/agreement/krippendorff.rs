//! Krippendorff's alpha: any number of raters, gaps allowed, nominal to ratio scales.
//!
//! α = 1 − D_o/D_e with D_o = Σ_ck o_ck δ²_ck / n and D_e = Σ_ck n_c n_k δ²_ck / (n(n−1)), o the coincidence matrix of the
//! units with two or more ratings: o_ck = Σ_u (pairs c,k in u)/(m_u − 1) (Krippendorff 2011, *Computing Krippendorff's
//! Alpha-Reliability*; Hayes & Krippendorff 2007). The interval is by the delete-one jackknife over units (Quenouille,
//! Tukey), t with units − 1 degrees of freedom.

use super::chance::Inference;
use super::{NotEstimable, check_level, sorted_sum};
use crate::stats::quantiles::{t_multiplier, t_two_sided_p};
use crate::stats::{Estimable, Interval};
use serde::Serialize;

/// δ² between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// 0 where equal, else 1.
    Nominal,
    /// (Σ_{g=c..k} n_g − (n_c + n_k)/2)²: ranks, by how many ratings lie between.
    Ordinal,
    /// (c − k)²
    Interval,
    /// ((c − k)/(c + k))²; values must not be negative.
    Ratio,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alpha {
    pub metric: Metric,
    pub value: f64,
    /// Units with two or more ratings, and the ratings in them.
    pub units: usize,
    pub ratings: usize,
    pub inference: Estimable<Inference>,
}

/// `units[u][r]`: the value that rater r gave unit u, `None` = no rating.
///
/// Codes: `no_observations` (no unit with two ratings), `one_category` (all values equal: α is 0/0), `invalid_ratings`
/// (not finite, or negative on a ratio scale), `invalid_level`.
pub fn alpha(units: &[Vec<Option<f64>>], metric: Metric, level: f64) -> Estimable<Alpha> {
    check_level(level)?;
    let mut values: Vec<f64> = units.iter().flatten().flatten().copied().collect();
    if let Some(bad) = values.iter().find(|v| !v.is_finite() || (metric == Metric::Ratio && **v < 0.0)) {
        return Err(NotEstimable::new("invalid_ratings", format!("{bad} is not a value of this scale")));
    }
    // −0 and 0 are one value
    values.iter_mut().for_each(|v| *v += 0.0);
    values.sort_by(f64::total_cmp);
    values.dedup();
    let mut counts: Vec<Vec<(usize, f64)>> = units
        .iter()
        .map(|row| {
            let mut found: Vec<usize> = row
                .iter()
                .flatten()
                .map(|v| values.binary_search_by(|x| x.total_cmp(&(v + 0.0))).expect("value is listed"))
                .collect();
            found.sort_unstable();
            let mut out: Vec<(usize, f64)> = Vec::new();
            for value in found {
                match out.last_mut() {
                    Some((last, n)) if *last == value => *n += 1.0,
                    _ => out.push((value, 1.0)),
                }
            }
            out
        })
        .filter(|unit| size(unit) >= 2.0)
        .collect();
    counts.sort_by(|a, b| a.iter().map(|(c, n)| (*c, *n as u64)).cmp(b.iter().map(|(c, n)| (*c, *n as u64))));
    if counts.is_empty() {
        return Err(NotEstimable::new("no_observations", "no unit has two ratings"));
    }
    let mut table = Coincidences::new(&values, metric);
    for unit in &counts {
        table.add(unit, 1.0);
    }
    let value = table.alpha().ok_or_else(|| {
        NotEstimable::new("one_category", "all ratings have one value: disagreement by chance is 0, so alpha is 0/0")
    })?;
    Ok(Alpha {
        metric,
        value,
        units: counts.len(),
        ratings: counts.iter().map(|unit| size(unit) as usize).sum(),
        inference: jackknife(&counts, &mut table, value, level),
    })
}

fn size(unit: &[(usize, f64)]) -> f64 {
    unit.iter().map(|(_, n)| n).sum()
}

struct Coincidences<'a> {
    values: &'a [f64],
    metric: Metric,
    /// o_ck, row-major
    pairs: Vec<f64>,
    totals: Vec<f64>,
}

impl<'a> Coincidences<'a> {
    fn new(values: &'a [f64], metric: Metric) -> Self {
        Self { values, metric, pairs: vec![0.0; values.len() * values.len()], totals: vec![0.0; values.len()] }
    }

    fn add(&mut self, unit: &[(usize, f64)], sign: f64) {
        let m = size(unit);
        for (c, n) in unit {
            self.totals[*c] += sign * n;
            for (k, other) in unit {
                let same = f64::from(u8::from(c == k));
                self.pairs[c * self.values.len() + k] += sign * n * (other - same) / (m - 1.0);
            }
        }
    }

    fn alpha(&self) -> Option<f64> {
        let q = self.values.len();
        let n: f64 = self.totals.iter().sum();
        let mut below = Vec::with_capacity(q + 1);
        below.push(0.0);
        for total in &self.totals {
            below.push(below[below.len() - 1] + total);
        }
        let (mut observed, mut expected) = (0.0, 0.0);
        for c in 0..q {
            if self.totals[c] == 0.0 {
                continue;
            }
            for k in c + 1..q {
                let distance = match self.metric {
                    Metric::Nominal => 1.0,
                    Metric::Ordinal => below[k + 1] - below[c] - 0.5 * (self.totals[c] + self.totals[k]),
                    Metric::Interval => self.values[k] - self.values[c],
                    Metric::Ratio => (self.values[k] - self.values[c]) / (self.values[k] + self.values[c]),
                };
                observed += self.pairs[c * q + k] * distance * distance;
                expected += self.totals[c] * self.totals[k] * distance * distance;
            }
        }
        (expected > 0.0).then(|| 1.0 - (n - 1.0) * observed / expected)
    }
}

fn jackknife(units: &[Vec<(usize, f64)>], table: &mut Coincidences, value: f64, level: f64) -> Estimable<Inference> {
    let n = units.len() as f64;
    let mut without = Vec::with_capacity(units.len());
    for (i, unit) in units.iter().enumerate() {
        table.add(unit, -1.0);
        let found = table.alpha();
        table.add(unit, 1.0);
        without.push(found.ok_or_else(|| {
            NotEstimable::new("one_category", format!("without unit {i} all ratings have one value: no jackknife"))
        })?);
    }
    let mean = sorted_sum(without.iter().copied()) / n;
    let variance = (n - 1.0) / n * sorted_sum(without.iter().map(|a| (a - mean).powi(2)));
    if n < 2.0 || variance <= 1e-24 {
        return Err(NotEstimable::new(
            "no_variance",
            "alpha does not change with any unit: the sample shows no variance",
        ));
    }
    let (standard_error, degrees_of_freedom) = (variance.sqrt(), n - 1.0);
    let half = t_multiplier(level, degrees_of_freedom) * standard_error;
    Ok(Inference {
        standard_error,
        degrees_of_freedom,
        interval: Interval { lower: value - half, upper: (value + half).min(1.0), level, method: "jackknife, t" },
        p: t_two_sided_p(value / standard_error, degrees_of_freedom),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Krippendorff 2011, section C: four observers, twelve units, gaps; α nominal .743, ordinal .815, interval .849,
    /// ratio .797.
    #[test]
    fn krippendorffs_own_example() {
        let rows = [
            "1 2 3 3 2 1 4 1 2 . . .",
            "1 2 3 3 2 2 4 1 2 5 . 3",
            ". 3 3 3 2 3 4 2 2 5 1 .",
            "1 2 3 3 2 4 4 1 2 5 1 .",
        ];
        let raters: Vec<Vec<Option<f64>>> =
            rows.iter().map(|r| r.split(' ').map(|v| v.parse().ok()).collect()).collect();
        let units: Vec<Vec<Option<f64>>> = (0..12).map(|u| raters.iter().map(|r| r[u]).collect()).collect();
        let metrics = [Metric::Nominal, Metric::Ordinal, Metric::Interval, Metric::Ratio];
        for (metric, want) in metrics.into_iter().zip([0.743, 0.815, 0.849, 0.797]) {
            let found = alpha(&units, metric, 0.95).unwrap();
            assert!((found.value - want).abs() < 5e-4, "{metric:?} {}", found.value);
            assert_eq!((found.units, found.ratings), (11, 40));
            assert!(found.inference.unwrap().interval.lower < found.value);
        }
    }

    #[test]
    fn one_value_is_undefined() {
        assert_eq!(
            alpha(&vec![vec![Some(1.0), Some(1.0)]; 5], Metric::Nominal, 0.95).unwrap_err().code,
            "one_category"
        );
    }
}
