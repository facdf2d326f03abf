//! Limits of agreement: within which bounds do two ratings of one case differ?
//!
//! Bland and Altman's (1986, Lancet 1:307) limits for studies in which the differences are correlated because readers
//! and cases repeat (Wen and Gallas 2022, Statistics in Biopharmaceutical Research 14:543). Four comparisons exist:
//!
//! | two ratings of one case by | same modality | two modalities |
//! |---|---|---|
//! | one reader | [`within_reader_within_modality`] | [`within_reader_between_modalities`] |
//! | two readers | [`between_readers_within_modality`] | [`between_readers_between_modalities`] |
//!
//! The variance of one difference is a sum of components of an analysis of variance with random readers and cases. The
//! limits are mean ± z·√(that variance), with the normal quantile z. They bound single differences; the interval of the
//! mean difference is another thing and is given beside them.
//!
//! Where cells are missing, the components depend on how sums of squares are attributed ([`SumsOfSquares`]); on a
//! complete table they do not.

mod anova;

use crate::stats::mrmc::MrmcData;
use crate::stats::quantiles::norm_multiplier;
use crate::stats::{Estimable, Interval, NotEstimable};
use anova::{Factor, Residual, residual, solve};
use serde::Serialize;

/// How the sum of squares of a source is attributed where the table is incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SumsOfSquares {
    /// Type I: readers are fitted before cases.
    ReaderFirst,
    /// Type I: cases are fitted before readers.
    CaseFirst,
    /// Type II: each source is fitted after all others that do not contain it.
    EachLast,
}

/// One row of the table of the analysis of variance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Source {
    pub name: &'static str,
    pub df: f64,
    pub sum_of_squares: f64,
    /// Variance component, not floored at 0; `None` for the modality, which is fixed.
    pub variance: Option<f64>,
}

/// Mean of the differences, with its interval over readers and cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeanDifference {
    pub value: f64,
    pub variance: f64,
    pub interval: Estimable<Interval>,
}

/// Limits of agreement and the table they come from. Differences are "first − second".
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LimitsOfAgreement {
    /// `None` where the two ratings have no order, so that their mean difference is 0 by definition.
    pub mean: Option<MeanDifference>,
    /// Variance of one difference.
    pub variance: f64,
    pub limits: Estimable<Interval>,
    pub sources: Vec<Source>,
    /// Ratings, or differences of ratings, that entered the analysis of variance.
    pub rows: usize,
}

/// The same reader and case in two modalities.
///
/// # Errors
/// Fewer than two readers or cases with both ratings, or a table that does not determine the components.
pub fn within_reader_between_modalities(
    data: &MrmcData,
    first: usize,
    second: usize,
    sums: SumsOfSquares,
    level: f64,
) -> Estimable<LimitsOfAgreement> {
    let table = Table::differences(data, first, second);
    let fit = two_way(&table, sums)?;
    let rows = table.y.len() as f64;
    let value = table.y.iter().sum::<f64>() / rows;
    let variance = fit.reader * table.reader.sum_of_squared_counts() / (rows * rows)
        + fit.case * table.case.sum_of_squared_counts() / (rows * rows)
        + fit.error / rows;
    let mean = MeanDifference { value, variance, interval: around(value, variance, level, "normal, mean difference") };
    Ok(limits(Some(mean), fit.reader + fit.case + fit.error, fit.sources, table.y.len(), level))
}

/// Two readings of the same case by the same reader in the same modality; `first` and `second` are the replicates,
/// given as modalities of `data`. The order of replicates means nothing: the limits are symmetric about 0.
///
/// # Errors
/// As [`within_reader_between_modalities`].
pub fn within_reader_within_modality(
    data: &MrmcData,
    first: usize,
    second: usize,
    sums: SumsOfSquares,
    level: f64,
) -> Estimable<LimitsOfAgreement> {
    let table = Table::differences(data, first, second);
    let fit = two_way(&table, sums)?;
    Ok(limits(None, fit.reader + fit.case + fit.error, fit.sources, table.y.len(), level))
}

/// Two readers, the same case and modality. The order of readers means nothing: the limits are symmetric about 0.
///
/// # Errors
/// Fewer than two readers or cases, or a table that does not determine the components.
pub fn between_readers_within_modality(
    data: &MrmcData,
    modality: usize,
    sums: SumsOfSquares,
    level: f64,
) -> Estimable<LimitsOfAgreement> {
    let table = Table::ratings(data, &[modality]);
    let fit = two_way(&table, sums)?;
    Ok(limits(None, 2.0 * (fit.reader + fit.error), fit.sources, table.y.len(), level))
}

/// Two readers, each in another modality, the same case.
///
/// # Errors
/// Fewer than two readers or cases, no two readers with a common case, or a table that does not determine the
/// components.
pub fn between_readers_between_modalities(
    data: &MrmcData,
    first: usize,
    second: usize,
    sums: SumsOfSquares,
    level: f64,
) -> Estimable<LimitsOfAgreement> {
    let table = Table::ratings(data, &[first, second]);
    let fit = three_way(&table, &Table::differences(data, first, second), sums)?;
    let value = mean_between_readers(data, first, second).ok_or_else(|| {
        NotEstimable::new("no_common_case", "no two readers rated a common case, one in each modality")
    })?;
    let share = |factor: &Factor| -> f64 {
        // Σ over modalities of Σ n²/N², n the rows of one level within the modality
        let sizes = table.modality_sizes();
        let mut counts = vec![0.0; factor.levels * 2];
        for (&level, &modality) in factor.level.iter().zip(&table.modality.level) {
            counts[level * 2 + modality] += 1.0;
        }
        counts.iter().enumerate().map(|(at, count)| (count / sizes[at % 2]).powi(2)).sum()
    };
    let [reader, _, reader_case, reader_modality, case_modality, error] = fit.components;
    let variance = reader_modality * share(&table.reader)
        + case_modality * share(&table.case)
        + error * table.modality_sizes().iter().map(|size| 1.0 / size).sum::<f64>();
    let mean = MeanDifference { value, variance, interval: around(value, variance, level, "normal, mean difference") };
    let single = 2.0 * (reader + reader_case + reader_modality + case_modality + error);
    Ok(limits(Some(mean), single, fit.sources, table.y.len(), level))
}

fn limits(
    mean: Option<MeanDifference>,
    variance: f64,
    sources: Vec<Source>,
    rows: usize,
    level: f64,
) -> LimitsOfAgreement {
    let middle = mean.as_ref().map_or(0.0, |mean| mean.value);
    LimitsOfAgreement { limits: around(middle, variance, level, "limits of agreement"), mean, variance, sources, rows }
}

fn around(middle: f64, variance: f64, level: f64, method: &'static str) -> Estimable<Interval> {
    if variance < 0.0 {
        return Err(NotEstimable::new(
            "negative_variance",
            format!("the variance estimate is negative ({variance:.3e}): too few readers or cases"),
        ));
    }
    let half_width = norm_multiplier(level) * variance.sqrt();
    Ok(Interval { lower: middle - half_width, upper: middle + half_width, level, method })
}

/// Rows of an analysis of variance, with readers and cases numbered anew among those that occur.
struct Table {
    y: Vec<f64>,
    reader: Factor,
    case: Factor,
    modality: Factor,
}

impl Table {
    fn new(rows: Vec<(usize, u32, usize, f64)>) -> Self {
        let compact = |values: Vec<usize>| -> Factor {
            let mut known = values.clone();
            known.sort_unstable();
            known.dedup();
            let level = values.iter().map(|value| known.partition_point(|other| other < value)).collect();
            Factor { level, levels: known.len() }
        };
        Self {
            y: rows.iter().map(|row| row.3).collect(),
            reader: compact(rows.iter().map(|row| row.0).collect()),
            case: compact(rows.iter().map(|row| row.1 as usize).collect()),
            modality: compact(rows.iter().map(|row| row.2).collect()),
        }
    }

    fn ratings(data: &MrmcData, modalities: &[usize]) -> Self {
        let mut rows = Vec::new();
        for &modality in modalities {
            for reader in 0..data.readers().len() {
                let cell = data.cell(modality, reader);
                rows.extend(cell.cases.iter().zip(cell.ratings).map(|(&case, &y)| (reader, case, modality, y)));
            }
        }
        let mut table = Self::new(rows);
        // modality 0 of the table is the first one asked for, whatever their order in the study
        if let [first, second] = modalities
            && first > second
        {
            table.modality.level.iter_mut().for_each(|level| *level = 1 - *level);
        }
        table
    }

    /// "first − second" of every reader and case with both ratings.
    fn differences(data: &MrmcData, first: usize, second: usize) -> Self {
        let mut rows = Vec::new();
        for reader in 0..data.readers().len() {
            let cell = data.cell(first, reader);
            for (&case, &rating) in cell.cases.iter().zip(cell.ratings) {
                if let Some(other) = data.rating(second, reader, case) {
                    rows.push((reader, case, 0, rating - other));
                }
            }
        }
        Self::new(rows)
    }

    fn modality_sizes(&self) -> [f64; 2] {
        let mut sizes = [0.0; 2];
        for &modality in &self.modality.level {
            sizes[modality] += 1.0;
        }
        sizes
    }

    fn check(&self) -> Estimable<()> {
        let (readers, cases, rows) = (self.reader.levels, self.case.levels, self.y.len());
        if readers < 2 || cases < 2 || rows < readers + cases - 1 {
            return Err(NotEstimable::new(
                "agreement_too_few",
                format!(
                    "limits of agreement need two readers, two cases and more ratings than effects: {readers} readers, \
                     {cases} cases, {rows} values"
                ),
            ));
        }
        Ok(())
    }
}

struct TwoWay {
    reader: f64,
    case: f64,
    error: f64,
    sources: Vec<Source>,
}

/// `y = μ + reader + case + error`, readers and cases random.
fn two_way(table: &Table, sums: SumsOfSquares) -> Estimable<TwoWay> {
    table.check()?;
    let random = [&table.reader, &table.case];
    let fit = |swept: &Factor, columns: &[Vec<f64>]| residual(&table.y, swept, columns, &random);
    let nothing = fit(&Factor::constant(table.y.len()), &[]);
    let reader = fit(&table.reader, &[]);
    let case = fit(&table.case, &[]);
    let both = fit(&table.case, &table.reader.columns());
    let (of_reader, of_case) = match sums {
        SumsOfSquares::ReaderFirst => (nothing.less(&reader), reader.less(&both)),
        SumsOfSquares::CaseFirst => (case.less(&both), nothing.less(&case)),
        SumsOfSquares::EachLast => (case.less(&both), reader.less(&both)),
    };
    let rows = [("reader", of_reader), ("case", of_case), ("error", both)];
    let components = components(rows.iter().map(|(_, row)| row))?;
    let sources = rows
        .iter()
        .zip(&components)
        .map(|((name, row), &variance)| Source {
            name,
            df: row.df,
            sum_of_squares: row.sum_of_squares,
            variance: Some(variance),
        })
        .collect();
    Ok(TwoWay { reader: components[0], case: components[1], error: components[2], sources })
}

/// Equates sums of squares to their expectations.
fn components<'a>(rows: impl Iterator<Item = &'a Residual>) -> Estimable<Vec<f64>> {
    let (matrix, right): (Vec<Vec<f64>>, Vec<f64>) = rows
        .map(|row| {
            let coefficients = row.traces.iter().copied().chain([row.df]).collect::<Vec<f64>>();
            (coefficients, row.sum_of_squares)
        })
        .unzip();
    solve(matrix, right).ok_or_else(|| {
        NotEstimable::new(
            "agreement_not_determined",
            "the pattern of missing ratings does not tell the variance components apart",
        )
    })
}

struct ThreeWay {
    /// Reader, case, reader × case, reader × modality, case × modality, error.
    components: [f64; 6],
    sources: Vec<Source>,
}

/// `y = μ + reader + case + modality + reader×case + reader×modality + case×modality + error`, modality fixed.
///
/// Every model that holds reader × case leaves of a (reader, case) cell only the difference of its two ratings, `d`: its
/// residual sum of squares is half the one of the model for `d` in which modality is the mean, reader × modality is
/// reader and case × modality is case; its traces are those of `d` for the latter two, and 0 for the rest.
fn three_way(table: &Table, differences: &Table, sums: SumsOfSquares) -> Estimable<ThreeWay> {
    table.check()?;
    differences.check()?;
    let reader_case = table.reader.crossed(&table.case);
    let reader_modality = table.reader.crossed(&table.modality);
    let case_modality = table.case.crossed(&table.modality);
    let random = [&table.reader, &table.case, &reader_case, &reader_modality, &case_modality];
    let fit = |swept: &Factor, columns: &[Vec<f64>]| residual(&table.y, swept, columns, &random);
    let with_reader_case = |swept: &Factor, columns: &[Vec<f64>]| {
        let of_d = residual(&differences.y, swept, columns, &[&differences.reader, &differences.case]);
        Residual {
            sum_of_squares: of_d.sum_of_squares / 2.0,
            df: of_d.df,
            traces: vec![0.0, 0.0, 0.0, of_d.traces[0], of_d.traces[1]],
        }
    };
    let full = with_reader_case(&differences.case, &differences.reader.columns());
    let no_case_modality = with_reader_case(&differences.reader, &[]);
    let cell_and_modality = with_reader_case(&Factor::constant(differences.y.len()), &[]);
    let of_case_modality = no_case_modality.less(&full);
    let [of_reader, of_case, of_modality, of_reader_case, of_reader_modality] = match sums {
        SumsOfSquares::ReaderFirst | SumsOfSquares::CaseFirst => {
            let nothing = fit(&Factor::constant(table.y.len()), &[]);
            let readers = table.reader.columns();
            let main = fit(&table.case, &readers);
            let main_and_modality = fit(&table.case, &[readers, table.modality.columns()].concat());
            let (of_reader, of_case) = if sums == SumsOfSquares::ReaderFirst {
                let first = fit(&table.reader, &[]);
                (nothing.less(&first), first.less(&main))
            } else {
                let first = fit(&table.case, &[]);
                (first.less(&main), nothing.less(&first))
            };
            [
                of_reader,
                of_case,
                main.less(&main_and_modality),
                main_and_modality.less(&cell_and_modality),
                cell_and_modality.less(&no_case_modality),
            ]
        }
        SumsOfSquares::EachLast => {
            let no_reader_modality = with_reader_case(&differences.case, &[]);
            let no_reader_case = fit(&case_modality, &reader_modality.columns());
            // cells alone: the differences are not centred
            let squares = differences.y.iter().map(|d| d * d).sum::<f64>() / 2.0;
            let count = differences.y.len() as f64;
            let cells = Residual { sum_of_squares: squares, df: count, traces: vec![0.0, 0.0, 0.0, count, count] };
            [
                fit(&case_modality, &[]).less(&fit(&case_modality, &table.reader.columns())),
                fit(&reader_modality, &[]).less(&fit(&table.case, &reader_modality.columns())),
                cells.less(&cell_and_modality),
                no_reader_case.less(&full),
                no_reader_modality.less(&full),
            ]
        }
    };
    let rows = [&of_reader, &of_case, &of_reader_case, &of_reader_modality, &of_case_modality, &full];
    let solved = components(rows.into_iter())?;
    let source =
        |name, row: &Residual, variance| Source { name, df: row.df, sum_of_squares: row.sum_of_squares, variance };
    let sources = vec![
        source("reader", &of_reader, Some(solved[0])),
        source("case", &of_case, Some(solved[1])),
        source("modality", &of_modality, None),
        source("reader × case", &of_reader_case, Some(solved[2])),
        source("reader × modality", &of_reader_modality, Some(solved[3])),
        source("case × modality", &of_case_modality, Some(solved[4])),
        source("error", &full, Some(solved[5])),
    ];
    Ok(ThreeWay { components: std::array::from_fn(|at| solved[at]), sources })
}

/// Mean of "first by one reader − second by another" over all ordered pairs of readers and their common cases.
fn mean_between_readers(data: &MrmcData, first: usize, second: usize) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_usize);
    for reader in 0..data.readers().len() {
        let cell = data.cell(first, reader);
        for other in (0..data.readers().len()).filter(|&other| other != reader) {
            for (&case, &rating) in cell.cases.iter().zip(cell.ratings) {
                if let Some(theirs) = data.rating(second, other, case) {
                    sum += rating - theirs;
                    count += 1;
                }
            }
        }
    }
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::mrmc::{Case, IndexedReading};

    /// Two readers, three cases, two modalities: the ratings of modality 0 are given, those of modality 1 are 0.
    fn differences(of_reader: [[f64; 3]; 2]) -> MrmcData {
        let labels = |count: u32| (0..count).map(|index| index.to_string()).collect();
        let cases = (0..3).map(|index| Case { label: index.to_string(), diseased: false, cluster: None }).collect();
        let mut readings = Vec::new();
        for (reader, row) in (0..).zip(of_reader) {
            for (case, rating) in (0..).zip(row) {
                readings.push(IndexedReading { reader, case, modality: 0, rating });
                readings.push(IndexedReading { reader, case, modality: 1, rating: 0.0 });
            }
        }
        MrmcData::new(labels(2), labels(2), cases, &readings).expect("valid study")
    }

    #[test]
    fn components_of_a_small_table_by_hand() {
        // means: readers 2 and 4, cases 2, 3 and 4, all 3; residuals −1, 1, 0 and 1, −1, 0
        let data = differences([[0.0, 3.0, 3.0], [4.0, 3.0, 5.0]]);
        let got = within_reader_between_modalities(&data, 0, 1, SumsOfSquares::ReaderFirst, 0.95).unwrap();
        let table: Vec<(f64, f64)> = got.sources.iter().map(|source| (source.df, source.sum_of_squares)).collect();
        let expected = [(1.0, 6.0), (2.0, 4.0), (2.0, 4.0)];
        for (got, want) in table.iter().zip(expected) {
            assert!((got.0 - want.0).abs() < 1e-12 && (got.1 - want.1).abs() < 1e-12, "{table:?}");
        }
        // σ² = 2; reader (6 − 2)/3; case (2 − 2)/2
        assert!((got.variance - (2.0 + 4.0 / 3.0)).abs() < 1e-12);
        let mean = got.mean.as_ref().unwrap();
        assert!((mean.value - 3.0).abs() < 1e-12);
        assert!((mean.variance - (4.0 / 3.0 / 2.0 + 2.0 / 6.0)).abs() < 1e-12);
        let limits = got.limits.unwrap();
        assert!((limits.upper - 3.0 - 1.959_963_984_540_054 * (10.0_f64 / 3.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn one_reader_or_readers_without_a_common_case_are_refused() {
        let data = differences([[0.0, 3.0, 3.0], [4.0, 3.0, 5.0]]);
        let one = data.filter(|row| row.reader == 0).unwrap();
        let refused = within_reader_between_modalities(&one, 0, 1, SumsOfSquares::EachLast, 0.95);
        assert_eq!(refused.unwrap_err().code, "agreement_too_few");
        let apart = data.filter(|row| (row.reader == 0) == (row.case == 0)).unwrap();
        let refused = between_readers_within_modality(&apart, 0, SumsOfSquares::EachLast, 0.95);
        assert!(refused.is_err());
    }

    #[test]
    fn exchanging_the_modalities_mirrors_the_limits() {
        let data = differences([[0.0, 3.0, 3.5], [4.0, 3.0, 5.0]]);
        for sums in [SumsOfSquares::ReaderFirst, SumsOfSquares::CaseFirst, SumsOfSquares::EachLast] {
            let forth = between_readers_between_modalities(&data, 0, 1, sums, 0.9).unwrap();
            let back = between_readers_between_modalities(&data, 1, 0, sums, 0.9).unwrap();
            assert!((forth.variance - back.variance).abs() < 1e-12);
            let (forth, back) = (forth.limits.unwrap(), back.limits.unwrap());
            assert!((forth.lower + back.upper).abs() < 1e-12 && (forth.upper + back.lower).abs() < 1e-12);
        }
    }
}
