//! The Dorfman–Berbaum–Metz analysis: an analysis of variance of jackknife pseudovalues over modality, reader and case.
//!
//! Pseudovalue of case k: K θ̂ − (K − 1) θ̂₋ₖ, moved so that the cell's mean is θ̂ ("normalised", Hillis, Berbaum and Metz
//! 2008, Acad Radiol 15:647). With those, and with the denominators of that paper, random readers and cases give the
//! same F, degrees of freedom, intervals and p as Obuchowski–Rockette with jackknife covariances: MS(T), MS(TR) are K
//! times those of the figures of merit and (MS(TC) − MS(TRC))/K = r (Cov2 − Cov3). For fixed readers the two differ
//! by design: F with K − 1 degrees of freedom a modality here, χ² there.

use super::covariance::{self, CellEstimate};
use super::fom::FigureOfMerit;
use super::obuchowski_rockette::{
    Difference, MAX_DF, Mean, MeanSquare, OverallTest, RandomFactors, TestDistribution, positive,
};
use super::{AnalysisMethod, MrmcData};
use crate::stats::quantiles::{f_sf, t_multiplier, t_two_sided_p};
use crate::stats::{Estimable, Interval, NotEstimable};
use serde::Serialize;

/// What to analyse.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DbmOptions {
    pub fom: FigureOfMerit,
    pub random: RandomFactors,
    /// Confidence level, 0 < level < 1.
    pub level: f64,
}

/// Analysis of variance of the pseudovalues; `None` where a factor has one level.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PseudovalueAnova {
    pub modality: Option<MeanSquare>,
    pub reader: Option<MeanSquare>,
    pub case: MeanSquare,
    pub modality_by_reader: Option<MeanSquare>,
    pub modality_by_case: Option<MeanSquare>,
    pub reader_by_case: Option<MeanSquare>,
    pub error: Option<MeanSquare>,
    pub total_sum_of_squares: f64,
}

/// Variance components as estimated, negative ones included.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DbmComponents {
    pub reader: f64,
    pub case: f64,
    pub modality_by_reader: f64,
    pub modality_by_case: f64,
    pub reader_by_case: f64,
    pub error: f64,
}

/// The whole analysis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DorfmanBerbaumMetz {
    pub method: String,
    pub figure_of_merit: String,
    pub random: RandomFactors,
    pub modalities: Vec<String>,
    pub readers: Vec<String>,
    /// By modality, then reader.
    pub cells: Vec<CellEstimate>,
    /// Number of cases (or patients) that have pseudovalues.
    pub units: usize,
    pub anova: PseudovalueAnova,
    /// Where there are several modalities and readers.
    pub components: Option<DbmComponents>,
    pub overall: Estimable<OverallTest>,
    pub differences: Estimable<Vec<Difference>>,
    /// Intervals cut to 0 and 1 where that is the range of the figure of merit.
    pub means: Estimable<Vec<Mean>>,
    /// Empty unless readers are fixed.
    pub reader_differences: Vec<Estimable<Difference>>,
}

/// Analyses a fully crossed study.
///
/// # Errors
/// Another design; a cell without a figure of merit, whole or with a case left out; a level outside (0, 1).
pub fn dorfman_berbaum_metz(data: &MrmcData, options: &DbmOptions) -> Estimable<DorfmanBerbaumMetz> {
    data.design()
        .allows(AnalysisMethod::DorfmanBerbaumMetz)
        .map_err(|reason| NotEstimable::new("design_not_crossed", reason))?;
    if !(options.level > 0.0 && options.level < 1.0) {
        let fault = format!("a confidence level lies within 0 and 1, not {}", options.level);
        return Err(NotEstimable::new("bad_parameter", fault));
    }
    let (cells, left_out) = covariance::leave_one_out(data, options.fom)?;
    let study = Study::new(data, &cells, &left_out, options);
    let anova = study.anova(0..study.t, 0..study.r);
    let readers = if options.random == RandomFactors::Cases { study.r } else { 0 };
    Ok(DorfmanBerbaumMetz {
        method: method_line(options),
        figure_of_merit: options.fom.name(),
        random: options.random,
        modalities: data.modalities().to_vec(),
        readers: data.readers().to_vec(),
        units: study.k,
        components: study.components(&anova),
        overall: study.overall(&anova),
        differences: study.differences(&anova),
        means: (0..study.t).map(|i| study.mean(i)).collect(),
        reader_differences: (0..readers).flat_map(|j| study.reader_differences(j)).collect(),
        anova,
        cells: cells.clone(),
    })
}

fn method_line(options: &DbmOptions) -> String {
    let random = match options.random {
        RandomFactors::ReadersAndCases => "random readers and cases, Hillis (2007) degrees of freedom",
        RandomFactors::Cases => "fixed readers, random cases",
        RandomFactors::Readers => "random readers, fixed cases",
    };
    format!("Dorfman–Berbaum–Metz on normalised jackknife pseudovalues, {}, {random}", options.fom.name())
}

struct Study<'a> {
    data: &'a MrmcData,
    cells: &'a [CellEstimate],
    options: &'a DbmOptions,
    t: usize,
    r: usize,
    k: usize,
    /// By modality, reader, case.
    pseudovalues: Vec<f64>,
}

/// Means over all combinations of the factors that are kept; bit 0 modality, bit 1 reader, bit 2 case.
const MODALITY: usize = 1;
const READER: usize = 2;
const CASE: usize = 4;

impl<'a> Study<'a> {
    fn new(data: &'a MrmcData, cells: &'a [CellEstimate], left_out: &[Vec<f64>], options: &'a DbmOptions) -> Self {
        let k = left_out.first().map_or(0, Vec::len);
        let mut pseudovalues = Vec::with_capacity(cells.len() * k);
        for (cell, values) in cells.iter().zip(left_out) {
            let mean = values.iter().sum::<f64>() / k as f64;
            // K θ̂ − (K − 1) θ̂₋ₖ moved to the mean θ̂
            pseudovalues.extend(values.iter().map(|value| cell.estimate + (k - 1) as f64 * (mean - value)));
        }
        Self { data, cells, options, t: data.modalities().len(), r: data.readers().len(), k, pseudovalues }
    }

    /// Sums of squares of every effect over a block of modalities and readers. The effect of a set of factors is the
    /// mean over the others with all effects of its subsets taken away.
    fn anova(&self, modalities: std::ops::Range<usize>, readers: std::ops::Range<usize>) -> PseudovalueAnova {
        let sizes = [modalities.len(), readers.len(), self.k];
        let count = |mask: usize| (0..3).filter(|f| mask & (1 << f) != 0).map(|f| sizes[f]).product::<usize>();
        let index = |mask: usize, at: [usize; 3]| {
            (0..3).filter(|f| mask & (1 << f) != 0).fold(0, |index, f| index * sizes[f] + at[f])
        };
        let mut effects: Vec<Vec<f64>> = (0..8).map(|mask| vec![0.0; count(mask)]).collect();
        let every = |visit: &mut dyn FnMut([usize; 3], f64)| {
            for i in 0..sizes[0] {
                for j in 0..sizes[1] {
                    let row = ((modalities.start + i) * self.r + readers.start + j) * self.k;
                    for k in 0..self.k {
                        visit([i, j, k], self.pseudovalues[row + k]);
                    }
                }
            }
        };
        every(&mut |at, value| {
            for (mask, effect) in effects.iter_mut().enumerate() {
                effect[index(mask, at)] += value;
            }
        });
        let total = count(7) as f64;
        for effect in &mut effects {
            let share = effect.len() as f64 / total;
            effect.iter_mut().for_each(|value| *value *= share);
        }
        let mut squares = [0.0; 8];
        every(&mut |at, _| {
            for (mask, square) in squares.iter_mut().enumerate().skip(1) {
                let mut effect = 0.0;
                for part in (0..=mask).filter(|part| part & mask == *part) {
                    let sign = if (mask ^ part).count_ones() % 2 == 0 { 1.0 } else { -1.0 };
                    effect += sign * effects[part][index(part, at)];
                }
                *square += effect * effect;
            }
        });
        let line = |mask: usize| {
            let df = (0..3).filter(|f| mask & (1 << f) != 0).map(|f| sizes[f] - 1).product::<usize>();
            (df > 0).then(|| MeanSquare { df, sum_of_squares: squares[mask], mean_square: squares[mask] / df as f64 })
        };
        PseudovalueAnova {
            modality: line(MODALITY),
            reader: line(READER),
            case: line(CASE).unwrap_or(MeanSquare { df: 0, sum_of_squares: 0.0, mean_square: 0.0 }),
            modality_by_reader: line(MODALITY | READER),
            modality_by_case: line(MODALITY | CASE),
            reader_by_case: line(READER | CASE),
            error: line(MODALITY | READER | CASE),
            total_sum_of_squares: squares[1..].iter().sum(),
        }
    }

    fn components(&self, anova: &PseudovalueAnova) -> Option<DbmComponents> {
        let (t, r, k) = (self.t as f64, self.r as f64, self.k as f64);
        let ms = |line: Option<MeanSquare>| line.map(|line| line.mean_square);
        let (reader, case) = (ms(anova.reader)?, anova.case.mean_square);
        let (tr, tc) = (ms(anova.modality_by_reader)?, ms(anova.modality_by_case)?);
        let (rc, error) = (ms(anova.reader_by_case)?, ms(anova.error)?);
        Some(DbmComponents {
            reader: (reader - tr - rc + error) / (t * k),
            case: (case - tc - rc + error) / (t * r),
            modality_by_reader: (tr - error) / k,
            modality_by_case: (tc - error) / r,
            reader_by_case: (rc - error) / t,
            error,
        })
    }

    /// Denominator of F and its degrees of freedom.
    fn denominator(&self, anova: &PseudovalueAnova) -> Estimable<(f64, f64)> {
        let need = |line: Option<MeanSquare>, what: &str| {
            line.ok_or_else(|| NotEstimable::new("too_few_readers", format!("the analysis needs {what}")))
        };
        match self.options.random {
            RandomFactors::Cases => {
                let tc = need(anova.modality_by_case, "two modalities")?;
                Ok((tc.mean_square, tc.df as f64))
            }
            RandomFactors::Readers => {
                let tr = need(anova.modality_by_reader, "two modalities and two readers")?;
                Ok((tr.mean_square, tr.df as f64))
            }
            RandomFactors::ReadersAndCases => {
                let tr = need(anova.modality_by_reader, "two modalities and two readers")?;
                let tc = need(anova.modality_by_case, "two modalities")?;
                let error = need(anova.error, "two modalities and two readers")?;
                let sum = tr.mean_square + (tc.mean_square - error.mean_square).max(0.0);
                Ok((sum, (sum.powi(2) / (tr.mean_square.powi(2) / tr.df as f64)).min(MAX_DF)))
            }
        }
    }

    fn overall(&self, anova: &PseudovalueAnova) -> Estimable<OverallTest> {
        let modality = anova
            .modality
            .ok_or_else(|| NotEstimable::new("one_modality", "one modality alone leaves nothing to compare"))?;
        let (denominator, df2) = self.denominator(anova)?;
        positive("the denominator of F", denominator)?;
        let (statistic, df1) = (modality.mean_square / denominator, modality.df as f64);
        Ok(OverallTest {
            distribution: TestDistribution::F,
            statistic,
            df1,
            df2: Some(df2),
            p_value: f_sf(statistic, df1, df2),
            mean_square_modality: modality.mean_square,
            denominator,
        })
    }

    fn differences(&self, anova: &PseudovalueAnova) -> Estimable<Vec<Difference>> {
        let mut all = Vec::new();
        for first in 0..self.t {
            for second in first + 1..self.t {
                let (denominator, df) = self.denominator(anova)?;
                let variance = 2.0 * denominator / (self.r * self.k) as f64;
                let estimate = self.modality_mean(first) - self.modality_mean(second);
                all.push(self.difference([first, second], None, estimate, variance, df)?);
            }
        }
        Ok(all)
    }

    fn difference(
        &self,
        [first, second]: [usize; 2],
        reader: Option<usize>,
        estimate: f64,
        variance: f64,
        df: f64,
    ) -> Estimable<Difference> {
        positive("the variance of a difference", variance)?;
        let (standard_error, level) = (variance.sqrt(), self.options.level);
        let half = t_multiplier(level, df) * standard_error;
        let statistic = estimate / standard_error;
        Ok(Difference {
            first: self.data.modalities()[first].clone(),
            second: self.data.modalities()[second].clone(),
            reader: reader.map(|reader| self.data.readers()[reader].clone()),
            estimate,
            standard_error,
            df: Some(df),
            interval: Interval { lower: estimate - half, upper: estimate + half, level, method: INTERVAL },
            statistic,
            p_value: t_two_sided_p(statistic, df),
        })
    }

    /// One fixed reader: 2 MS(TC)ⱼ / K with (t − 1)(K − 1) degrees of freedom, from that reader's pseudovalues alone.
    fn reader_differences(&self, reader: usize) -> Vec<Estimable<Difference>> {
        let anova = self.anova(0..self.t, reader..reader + 1);
        let mut all = Vec::new();
        for first in 0..self.t {
            for second in first + 1..self.t {
                let estimate = self.cell(first, reader) - self.cell(second, reader);
                let line = anova.modality_by_case.unwrap_or(anova.case);
                let variance = 2.0 * line.mean_square / self.k as f64;
                all.push(self.difference([first, second], Some(reader), estimate, variance, line.df as f64));
            }
        }
        all
    }

    fn mean(&self, modality: usize) -> Estimable<Mean> {
        let anova = self.anova(modality..modality + 1, 0..self.r);
        let reader = || {
            anova
                .reader
                .ok_or_else(|| NotEstimable::new("too_few_readers", "random readers need two readers in a modality"))
        };
        let (sum, df) = match self.options.random {
            RandomFactors::Cases => (anova.case.mean_square, anova.case.df as f64),
            RandomFactors::Readers => {
                let reader = reader()?;
                (reader.mean_square, reader.df as f64)
            }
            RandomFactors::ReadersAndCases => {
                let reader = reader()?;
                let cases = anova.case.mean_square - anova.reader_by_case.map_or(0.0, |line| line.mean_square);
                let sum = reader.mean_square + cases.max(0.0);
                (sum, (sum.powi(2) / (reader.mean_square.powi(2) / reader.df as f64)).min(MAX_DF))
            }
        };
        positive("the variance of a mean", sum)?;
        let standard_error = (sum / (self.r * self.k) as f64).sqrt();
        let (estimate, level) = (self.modality_mean(modality), self.options.level);
        let half = t_multiplier(level, df) * standard_error;
        let cut = |bound: f64| if self.options.fom.cut_to_unit_range() { bound.clamp(0.0, 1.0) } else { bound };
        Ok(Mean {
            modality: self.data.modalities()[modality].clone(),
            reader: None,
            estimate,
            standard_error,
            df: Some(df),
            interval: Interval { lower: cut(estimate - half), upper: cut(estimate + half), level, method: INTERVAL },
            mean_square_reader: anova.reader.map(|line| line.mean_square),
            cov2: None,
        })
    }

    fn cell(&self, modality: usize, reader: usize) -> f64 {
        self.cells[modality * self.r + reader].estimate
    }

    fn modality_mean(&self, modality: usize) -> f64 {
        (0..self.r).map(|reader| self.cell(modality, reader)).sum::<f64>() / self.r as f64
    }
}

const INTERVAL: &str = "Dorfman–Berbaum–Metz t";
