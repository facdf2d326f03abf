//! Agreement between readers, between a reader and the device, between two measurements.
//!
//! | data | measure | file |
//! | --- | --- | --- |
//! | two readers, categories | Cohen's kappa, plain and weighted | [`cohen`] |
//! | any number of readers, categories, gaps allowed | Fleiss' kappa, PABAK / Brennan–Prediger, Gwet's AC1 and AC2 | [`chance`] |
//! | any number of readers, gaps, any scale | Krippendorff's alpha | [`krippendorff`] |
//! | measurements, readers as columns | intraclass correlations | [`icc`] |
//! | two measurements of a case | Bland–Altman limits | [`bland_altman`] |
//! | two measurements of a case | Lin's concordance correlation | [`concordance`] |
//!
//! Where everybody says the same, chance-corrected agreement is 0/0. The raw agreement is then still given, and kappa
//! is undefined with that reason (`one_category`), never 0, 1 or NaN.

pub mod bland_altman;
pub mod chance;
pub mod cohen;
pub mod concordance;
pub mod icc;
pub mod krippendorff;
mod noncentral_t;

use super::{Estimable, NotEstimable};
use serde::Serialize;

/// How much two categories i and j (of 0..q, in order) agree: 1 on the diagonal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// 0 off the diagonal: nominal categories.
    Unweighted,
    /// 1 − |i − j|/(q − 1) (Cicchetti & Allison 1971).
    Linear,
    /// 1 − (i − j)²/(q − 1)² (Fleiss & Cohen 1973).
    Quadratic,
}

impl Weights {
    fn of(self, i: usize, j: usize, categories: usize) -> f64 {
        let distance = i.abs_diff(j) as f64 / (categories.max(2) - 1) as f64;
        match self {
            Weights::Unweighted => f64::from(u8::from(i == j)),
            Weights::Linear => 1.0 - distance,
            Weights::Quadratic => 1.0 - distance * distance,
        }
    }
}

/// Categorical ratings: `subjects[i][j]` is the category (0..categories) that rater j gave subject i, `None` = no rating.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ratings {
    subjects: Vec<Vec<Option<usize>>>,
    categories: usize,
}

impl Ratings {
    /// `categories` is the length of the scale, used or not: it enters PABAK, AC1 and the weights.
    pub fn new(subjects: Vec<Vec<Option<usize>>>, categories: usize) -> Estimable<Self> {
        let invalid = |reason: String| Err(NotEstimable::new("invalid_ratings", reason));
        if categories < 2 {
            return invalid(format!("a scale needs two categories, not {categories}"));
        }
        let raters = subjects.first().map_or(0, Vec::len);
        for (i, row) in subjects.iter().enumerate() {
            if row.len() != raters {
                return invalid(format!("subject {i} has {} raters, not {raters}", row.len()));
            }
            if let Some(category) = row.iter().flatten().find(|c| **c >= categories) {
                return invalid(format!("category {category} of subject {i} is outside 0..{categories}"));
            }
        }
        Ok(Self { subjects, categories })
    }

    pub fn categories(&self) -> usize {
        self.categories
    }

    pub fn raters(&self) -> usize {
        self.subjects.first().map_or(0, Vec::len)
    }

    /// How often each category was given, over all raters.
    pub fn category_counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.categories];
        for category in self.subjects.iter().flatten().flatten() {
            counts[*category] += 1;
        }
        counts
    }

    /// The square table of two raters: rows the first, columns the second; subjects without both are left out.
    pub fn table(&self, first: usize, second: usize) -> Vec<Vec<u64>> {
        let mut table = vec![vec![0; self.categories]; self.categories];
        for row in &self.subjects {
            if let (Some(Some(a)), Some(Some(b))) = (row.get(first), row.get(second)) {
                table[*a][*b] += 1;
            }
        }
        table
    }

    /// Ratings a category and subject, for subjects with a rating at all.
    fn counts(&self) -> Vec<Vec<f64>> {
        self.subjects
            .iter()
            .filter(|row| row.iter().any(Option::is_some))
            .map(|row| {
                let mut counts = vec![0.0; self.categories];
                for category in row.iter().flatten() {
                    counts[*category] += 1.0;
                }
                counts
            })
            .collect()
    }
}

fn one_category(counts: &[u64]) -> NotEstimable {
    let used: Vec<String> = counts
        .iter()
        .enumerate()
        .filter(|(_, n)| **n > 0)
        .map(|(c, n)| format!("{n} ratings of category {c}"))
        .collect();
    NotEstimable::new(
        "one_category",
        format!("one category only ({}): agreement by chance is 1, so kappa is 0/0", used.join(", ")),
    )
}

fn check_level(level: f64) -> Estimable<()> {
    if level > 0.0 && level < 1.0 {
        return Ok(());
    }
    Err(NotEstimable::new("invalid_level", format!("a confidence level lies between 0 and 1, not at {level}")))
}

/// Sum after sorting by value: the order of the subjects leaves no trace in the last digit.
fn sorted_sum(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.iter().sum()
}
