//! The Obuchowski–Rockette analysis: does the figure of merit differ between modalities, for these readers and cases or
//! for all readers and cases they stand for?
//!
//! Model (Obuchowski and Rockette 1995): θ̂ᵢⱼ = μ + τᵢ + Rⱼ + (τR)ᵢⱼ + εᵢⱼ, errors correlated by shared cases:
//! Cov1 (same reader, other modality), Cov2 (other reader, same modality), Cov3 (both differ). Tests and degrees of
//! freedom: Hillis (2007, Stat Med 26:596), Hillis, Berbaum and Metz (2008, Acad Radiol 15:647); nested designs:
//! Hillis (2014, Stat Med 33:330).

use super::binormal::{CurveFit, fit_binormal, fit_proper_binormal};
use super::covariance::{self, CellCovariance, CellEstimate, CovarianceMethod};
use super::fom::{FigureOfMerit, Levels};
use super::{AnalysisMethod, Design, MrmcData};
use crate::stats::quantiles::{chi2_sf, f_sf, t_multiplier, t_two_sided_p};
use crate::stats::{Estimable, Interval, NotEstimable};
use serde::Serialize;

/// What the conclusions are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RandomFactors {
    /// All readers and all cases like these (RRRC).
    ReadersAndCases,
    /// These readers, all cases like these (FRRC).
    Cases,
    /// All readers like these, these cases (RRFC).
    Readers,
}

/// What to do with readings in which some readers share some cases only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartlyCrossed {
    /// Say why not.
    Refuse,
    /// Average the covariances as if every pair of readers shared the same cases (MRMCaov 0.3.0 does); a note says so.
    AverageCovariances,
}

/// What to analyse and how.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OrOptions {
    pub fom: FigureOfMerit,
    pub covariance: CovarianceMethod,
    pub random: RandomFactors,
    /// Confidence level, 0 < level < 1.
    pub level: f64,
    pub partly_crossed: PartlyCrossed,
}

/// One line of the analysis of variance of the figures of merit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MeanSquare {
    pub df: usize,
    pub sum_of_squares: f64,
    pub mean_square: f64,
}

/// Analysis of variance without replication. With readers nested in modalities `reader` is R(T) and there is no T×R.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Anova {
    pub modality: Option<MeanSquare>,
    pub reader: Option<MeanSquare>,
    pub modality_by_reader: Option<MeanSquare>,
}

/// Variance components as estimated, negative ones included.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VarianceComponents {
    pub reader: Option<f64>,
    pub modality_by_reader: Option<f64>,
    pub error: f64,
    pub cov1: f64,
    pub cov2: f64,
    pub cov3: f64,
}

/// The test that all modalities have the same figure of merit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OverallTest {
    pub distribution: TestDistribution,
    pub statistic: f64,
    pub df1: f64,
    /// `None` for χ².
    pub df2: Option<f64>,
    /// Upper tail.
    pub p_value: f64,
    pub mean_square_modality: f64,
    pub denominator: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TestDistribution {
    F,
    ChiSquare,
}

/// A difference first − second, with a test that it is 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    pub first: String,
    pub second: String,
    /// The reader it is about; `None` for the mean of the readers.
    pub reader: Option<String>,
    pub estimate: f64,
    pub standard_error: f64,
    /// `None` = normal distribution.
    pub df: Option<f64>,
    /// Not cut to the range of a difference.
    pub interval: Interval,
    /// t or z.
    pub statistic: f64,
    /// Two-sided.
    pub p_value: f64,
}

/// The mean over the readers of one modality, or one reader's figure of merit in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mean {
    pub modality: String,
    pub reader: Option<String>,
    pub estimate: f64,
    pub standard_error: f64,
    pub df: Option<f64>,
    /// Cut to 0 and 1 where that is the range of the figure of merit (not for a utility).
    pub interval: Interval,
    pub mean_square_reader: Option<f64>,
    pub cov2: Option<f64>,
}

/// Where the estimates needed a rule that a reader of the report should know of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Treatment {
    /// Stable code, which reports translate.
    pub code: &'static str,
    pub text: String,
}

/// The whole analysis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ObuchowskiRockette {
    /// Figure of merit, covariance method and convention of the degrees of freedom in one line.
    pub method: String,
    pub figure_of_merit: String,
    pub design: Design,
    pub random: RandomFactors,
    pub modalities: Vec<String>,
    pub readers: Vec<String>,
    /// By modality, then reader.
    pub cells: Vec<CellEstimate>,
    /// Covariances of the cells, row by row; `None` where cases are fixed.
    pub covariance_matrix: Option<Vec<f64>>,
    pub anova: Anova,
    pub components: Option<VarianceComponents>,
    pub overall: Estimable<OverallTest>,
    /// Every pair of modalities, first before second.
    pub differences: Estimable<Vec<Difference>>,
    pub means: Estimable<Vec<Mean>>,
    /// Differences and means of each reader; empty unless readers are fixed.
    pub reader_differences: Vec<Estimable<Difference>>,
    pub reader_means: Vec<Estimable<Mean>>,
    pub treatments: Vec<Treatment>,
}

/// Analyses readings. O(n log n) for each cell with the jackknife or DeLong.
///
/// # Errors
/// A design that the method does not hold for, or a cell without a figure of merit or covariance, with the reason.
pub fn obuchowski_rockette(data: &MrmcData, options: &OrOptions) -> Estimable<ObuchowskiRockette> {
    let design = data.design();
    let refused = design.allows(AnalysisMethod::ObuchowskiRockette);
    if let (Err(reason), PartlyCrossed::Refuse) = (refused, options.partly_crossed) {
        return Err(NotEstimable::new("design_not_crossed", reason));
    }
    let (cells, covariance) = match options.random {
        RandomFactors::Readers => (covariance::cell_estimates(data, options.fom)?, None),
        _ => {
            let covariance = covariance::covariance(data, options.fom, options.covariance)?;
            (covariance.cells.clone(), Some(covariance))
        }
    };
    let mut result = analyse_cells(
        &CellTable {
            modalities: data.modalities(),
            readers: data.readers(),
            cells: &cells,
            covariance: covariance.as_ref().map(|covariance| covariance.matrix.as_slice()),
            design,
            cut_to_unit_range: options.fom.cut_to_unit_range(),
        },
        options.random,
        options.level,
    )?;
    result.figure_of_merit = options.fom.name();
    result.method = method_line(&options.fom.name(), options.covariance, options.random);
    for cell in cells.iter().filter(|cell| is_degenerate_fit(data, options.fom, cell)) {
        let (reader, modality) = (&data.readers()[cell.reader], &data.modalities()[cell.modality]);
        let text = format!(
            "the fitted curve of reader {reader}, modality {modality} is degenerate (no operating point inside the unit \
             square); the area {} of its limit is used",
            cell.estimate
        );
        result.treatments.push(Treatment { code: "degenerate_curve", text });
    }
    if let Err(reason) = refused {
        result.treatments.push(averaged(design, reason));
    }
    if let Some(CellCovariance { discarded_replicates, .. }) = covariance.filter(|c| c.discarded_replicates > 0) {
        let text = format!("{discarded_replicates} bootstrap replicates had no figure of merit and are left out");
        result.treatments.push(Treatment { code: "bootstrap_discarded", text });
    }
    Ok(result)
}

fn is_degenerate_fit(data: &MrmcData, fom: FigureOfMerit, cell: &CellEstimate) -> bool {
    let levels = || {
        let cell = data.cell(cell.modality, cell.reader);
        let of_class = |class: bool| -> Vec<f64> {
            let rated = cell.cases.iter().zip(cell.ratings);
            rated
                .filter(|(case, _)| data.cases()[**case as usize].diseased == class)
                .map(|(_, &rating)| rating)
                .collect()
        };
        Levels::new(&of_class(true), &of_class(false))
    };
    match fom {
        FigureOfMerit::BinormalAuc => matches!(fit_binormal(&levels()), Ok(CurveFit::Degenerate { .. })),
        FigureOfMerit::ProperBinormalAuc => matches!(fit_proper_binormal(&levels()), Ok(CurveFit::Degenerate { .. })),
        _ => false,
    }
}

pub(super) fn averaged(design: Design, reason: &str) -> Treatment {
    let text = format!("covariances are averaged although the design is {}: {reason}", design.name());
    Treatment { code: "partly_crossed_averaged", text }
}

pub(super) fn method_line(figure: &str, covariance: CovarianceMethod, random: RandomFactors) -> String {
    let covariance = covariance.name();
    let random = match random {
        RandomFactors::ReadersAndCases => {
            format!("random readers and cases, {covariance} covariance, Hillis (2007) degrees of freedom")
        }
        RandomFactors::Cases => format!("fixed readers, random cases, {covariance} covariance, normal theory"),
        RandomFactors::Readers => "random readers, fixed cases, (t − 1)(r − 1) degrees of freedom".to_owned(),
    };
    format!("Obuchowski–Rockette, {figure}, {random}")
}

/// Figures of merit of the filled cells, wherever they come from, with their covariances unless cases are fixed.
#[derive(Debug, Clone, Copy)]
pub struct CellTable<'a> {
    pub modalities: &'a [String],
    pub readers: &'a [String],
    /// By modality, then reader.
    pub cells: &'a [CellEstimate],
    pub covariance: Option<&'a [f64]>,
    pub design: Design,
    /// Whether intervals of means are cut to 0 and 1.
    pub cut_to_unit_range: bool,
}

/// The analysis from figures of merit and covariances on. `figure_of_merit` and `method` are left for the caller.
///
/// # Errors
/// Cells missing in a design that needs them all; a level outside (0, 1); covariances missing for random cases.
pub fn analyse_cells(table: &CellTable<'_>, random: RandomFactors, level: f64) -> Estimable<ObuchowskiRockette> {
    if !(level > 0.0 && level < 1.0) {
        return Err(NotEstimable::new("bad_parameter", format!("a confidence level lies within 0 and 1, not {level}")));
    }
    let study = Study::new(table)?;
    let components = (random != RandomFactors::Readers).then(|| study.components(|_| true)).transpose()?;
    let mut treatments = Vec::new();
    if let Some(parts) = &components {
        study.note_negative(parts, random, &mut treatments);
    }
    let anova = study.anova();
    let overall = study.overall(&anova, components.as_ref(), random);
    let differences = study.differences(&anova, components.as_ref(), random, level);
    let means = (0..study.t).map(|i| study.mean(i, random, level)).collect();
    let fixed_readers = random == RandomFactors::Cases;
    let readers = if fixed_readers { study.r } else { 0 };
    let reader_differences = (0..readers).flat_map(|j| study.reader_differences(j, level)).collect();
    let reader_means =
        if fixed_readers { (0..table.cells.len()).map(|at| study.cell_mean(at, level)).collect() } else { Vec::new() };
    Ok(ObuchowskiRockette {
        method: String::new(),
        figure_of_merit: String::new(),
        design: table.design,
        random,
        modalities: table.modalities.to_vec(),
        readers: table.readers.to_vec(),
        cells: table.cells.to_vec(),
        covariance_matrix: table.covariance.map(<[f64]>::to_vec),
        anova,
        components,
        overall,
        differences,
        means,
        reader_differences,
        reader_means,
        treatments,
    })
}

/// The table with what every formula needs: counts, and whether readers are nested.
struct Study<'a> {
    table: &'a CellTable<'a>,
    t: usize,
    r: usize,
    nested_readers: bool,
    /// Number of readers in each modality.
    readers_in: Vec<usize>,
}

impl<'a> Study<'a> {
    fn new(table: &'a CellTable<'a>) -> Estimable<Self> {
        let (t, r) = (table.modalities.len(), table.readers.len());
        let nested_readers =
            matches!(table.design, Design::ReaderNestedInModality | Design::ReaderAndCaseNestedInModality);
        if !nested_readers && table.cells.len() != t * r {
            let empty = t * r - table.cells.len();
            return Err(NotEstimable::new(
                "empty_cells",
                format!("{empty} of {} reader and modality pairs have no reading", t * r),
            ));
        }
        let readers_in = (0..t).map(|i| table.cells.iter().filter(|cell| cell.modality == i).count()).collect();
        Ok(Self { table, t, r, nested_readers, readers_in })
    }

    fn estimates(&self, keep: impl Fn(&CellEstimate) -> bool) -> Vec<f64> {
        self.table.cells.iter().filter(|cell| keep(cell)).map(|cell| cell.estimate).collect()
    }

    fn modality_mean(&self, modality: usize) -> f64 {
        mean(&self.estimates(|cell| cell.modality == modality))
    }

    fn anova(&self) -> Anova {
        let grand = mean(&self.estimates(|_| true));
        let modality_means: Vec<f64> = (0..self.t).map(|i| self.modality_mean(i)).collect();
        let line = |df: usize, sum_of_squares: f64| {
            (df > 0).then(|| MeanSquare { df, sum_of_squares, mean_square: sum_of_squares / df as f64 })
        };
        let between: f64 =
            modality_means.iter().zip(&self.readers_in).map(|(m, &n)| n as f64 * (m - grand).powi(2)).sum();
        if self.nested_readers {
            let within = self.table.cells.iter().map(|c| (c.estimate - modality_means[c.modality]).powi(2)).sum();
            return Anova {
                modality: line(self.t - 1, between),
                reader: line(self.r - self.t, within),
                modality_by_reader: None,
            };
        }
        let reader_means: Vec<f64> = (0..self.r).map(|j| mean(&self.estimates(|cell| cell.reader == j))).collect();
        let readers: f64 = self.t as f64 * reader_means.iter().map(|m| (m - grand).powi(2)).sum::<f64>();
        let residual = |c: &CellEstimate| c.estimate - modality_means[c.modality] - reader_means[c.reader] + grand;
        let interaction = self.table.cells.iter().map(|cell| residual(cell).powi(2)).sum();
        Anova {
            modality: line(self.t - 1, between),
            reader: line(self.r - 1, readers),
            modality_by_reader: line((self.t - 1) * (self.r - 1), interaction),
        }
    }

    /// Error variance and covariances averaged over the kept cells; those that the design makes zero are zero.
    fn components(&self, keep: impl Fn(&CellEstimate) -> bool) -> Estimable<VarianceComponents> {
        let matrix = self.table.covariance.ok_or_else(|| {
            NotEstimable::new("no_covariance", "random cases need covariances of the figures of merit")
        })?;
        let cells = self.table.cells;
        let kept: Vec<usize> = (0..cells.len()).filter(|&at| keep(&cells[at])).collect();
        // sums and counts by (same modality, same reader)
        let mut parts = [[(0.0, 0_usize); 2]; 2];
        for &a in &kept {
            for &b in &kept {
                let same_modality = usize::from(cells[a].modality == cells[b].modality);
                let same_reader = usize::from(cells[a].reader == cells[b].reader);
                let part = &mut parts[same_modality][same_reader];
                part.0 += matrix[a * cells.len() + b];
                part.1 += 1;
            }
        }
        let average = |(sum, count): (f64, usize)| if count == 0 { 0.0 } else { sum / count as f64 };
        let zero = zero_covariances(self.table.design);
        let unless = |is_zero: bool, value: f64| if is_zero { 0.0 } else { value };
        let error = average(parts[1][1]);
        let cov1 = unless(zero[0], average(parts[0][1]));
        let cov2 = unless(zero[1], average(parts[1][0]));
        let cov3 = unless(zero[2], average(parts[0][0]));
        let anova = self.anova();
        let square = |line: Option<MeanSquare>| line.map(|line| line.mean_square);
        let (reader, modality_by_reader) = if self.nested_readers {
            // R(T) holds reader and interaction together
            (square(anova.reader).map(|ms| ms - error + cov2), None)
        } else {
            let interaction = square(anova.modality_by_reader);
            let reader = square(anova.reader).zip(interaction).map(|(r, tr)| (r - tr) / self.t as f64 - cov1 + cov3);
            (reader, interaction.map(|tr| tr - error + cov1 + (cov2 - cov3)))
        };
        Ok(VarianceComponents { reader, modality_by_reader, error, cov1, cov2, cov3 })
    }

    fn note_negative(&self, parts: &VarianceComponents, random: RandomFactors, treatments: &mut Vec<Treatment>) {
        let mut note = |code: &'static str, text: String| treatments.push(Treatment { code, text });
        if self.t > 1 && random == RandomFactors::ReadersAndCases && parts.cov2 < parts.cov3 {
            let difference = parts.cov2 - parts.cov3;
            note("cov2_minus_cov3_floored", format!("Cov2 − Cov3 = {difference:.2e} is negative and counts as 0"));
        }
        for (name, value) in [("reader", parts.reader), ("modality by reader", parts.modality_by_reader)] {
            if let Some(value) = value.filter(|value| *value < 0.0) {
                let text = format!("the {name} variance component is negative ({value:.3e}) and is given as estimated");
                note("negative_component", text);
            }
        }
        if parts.error < 0.0 {
            note("negative_error", format!("the error variance is negative ({:.3e})", parts.error));
        }
    }

    /// Factor of (Cov2 − Cov3) in the expected mean square of modality: r, or (n² − Σ nᵢ²)/(n(t − 1)) where readers
    /// are nested, nᵢ readers in modality i, n in all.
    fn reader_factor(&self) -> f64 {
        if !self.nested_readers {
            return self.r as f64;
        }
        let n = self.r as f64;
        let squares: f64 = self.readers_in.iter().map(|&n| (n * n) as f64).sum();
        (n * n - squares) / (n * (self.t as f64 - 1.0))
    }

    fn reader_line(&self, anova: &Anova) -> Estimable<MeanSquare> {
        let (line, readers) = if self.nested_readers {
            (anova.reader, "two readers in a modality")
        } else {
            (anova.modality_by_reader, "two readers and two modalities")
        };
        line.ok_or_else(|| {
            let (t, r) = (self.t, self.r);
            NotEstimable::new("too_few_readers", format!("random readers need {readers}: {r} readers, {t} modalities"))
        })
    }

    fn overall(
        &self,
        anova: &Anova,
        parts: Option<&VarianceComponents>,
        random: RandomFactors,
    ) -> Estimable<OverallTest> {
        let modality = anova
            .modality
            .ok_or_else(|| NotEstimable::new("one_modality", "one modality alone leaves nothing to compare"))?;
        let df1 = modality.df as f64;
        let f_test = |line: MeanSquare, denominator: f64| {
            positive("the denominator of F", denominator)?;
            // equals the error df where the covariances add nothing
            let df2 = denominator.powi(2) / (line.mean_square.powi(2) / line.df as f64);
            let (df2, statistic) = (df2.min(MAX_DF), modality.mean_square / denominator);
            Ok(OverallTest {
                distribution: TestDistribution::F,
                statistic,
                df1,
                df2: Some(df2),
                p_value: f_sf(statistic, df1, df2),
                mean_square_modality: modality.mean_square,
                denominator,
            })
        };
        match (random, parts) {
            (RandomFactors::ReadersAndCases, Some(parts)) => {
                let line = self.reader_line(anova)?;
                f_test(line, line.mean_square + self.reader_factor() * (parts.cov2 - parts.cov3).max(0.0))
            }
            (RandomFactors::Readers, _) => {
                let line = self.reader_line(anova)?;
                f_test(line, line.mean_square)
            }
            (_, parts) => {
                let parts = parts.ok_or_else(|| NotEstimable::new("no_covariance", "random cases need covariances"))?;
                let denominator = self.fixed_reader_denominator(parts);
                positive("the denominator of χ²", denominator)?;
                let statistic = df1 * modality.mean_square / denominator;
                Ok(OverallTest {
                    distribution: TestDistribution::ChiSquare,
                    statistic,
                    df1,
                    df2: None,
                    p_value: chi2_sf(statistic, df1),
                    mean_square_modality: modality.mean_square,
                    denominator,
                })
            }
        }
    }

    /// σ²ε − Cov1 + (r − 1)(Cov2 − Cov3); nested: σ²ε − Cov2 + factor × (Cov2 − Cov3).
    fn fixed_reader_denominator(&self, parts: &VarianceComponents) -> f64 {
        let spread = parts.cov2 - parts.cov3;
        if self.nested_readers {
            parts.error - parts.cov2 + self.reader_factor() * spread
        } else {
            parts.error - parts.cov1 + (self.r as f64 - 1.0) * spread
        }
    }

    fn differences(
        &self,
        anova: &Anova,
        parts: Option<&VarianceComponents>,
        random: RandomFactors,
        level: f64,
    ) -> Estimable<Vec<Difference>> {
        let mut all = Vec::new();
        for first in 0..self.t {
            for second in first + 1..self.t {
                let estimate = self.modality_mean(first) - self.modality_mean(second);
                let (variance, df) = self.variance_of_difference(first, second, anova, parts, random)?;
                let labels = (first, second, None);
                all.push(self.difference(labels, estimate, variance, df, level)?);
            }
        }
        Ok(all)
    }

    /// Variance and degrees of freedom (`None` = normal) of the difference of two modality means. With nᵢ and nₖ
    /// readers it is MS × (1/nᵢ + 1/nₖ) + 2 (Cov2 − Cov3), which is (2/r) × the test's denominator where all read all.
    fn variance_of_difference(
        &self,
        first: usize,
        second: usize,
        anova: &Anova,
        parts: Option<&VarianceComponents>,
        random: RandomFactors,
    ) -> Estimable<(f64, Option<f64>)> {
        let share = 1.0 / self.readers_in[first] as f64 + 1.0 / self.readers_in[second] as f64;
        let spread = parts.map_or(0.0, |parts| parts.cov2 - parts.cov3);
        match (random, parts) {
            (RandomFactors::Cases, Some(parts)) if self.nested_readers => {
                Ok(((parts.error - parts.cov2) * share + 2.0 * spread, None))
            }
            (RandomFactors::Cases, Some(parts)) => Ok((share * self.fixed_reader_denominator(parts), None)),
            _ => {
                let line = self.reader_line(anova)?;
                let own = line.mean_square * share;
                let variance = if random == RandomFactors::Readers { own } else { own + 2.0 * spread.max(0.0) };
                positive("the variance of a difference", variance)?;
                Ok((variance, Some((variance.powi(2) / (own.powi(2) / line.df as f64)).min(MAX_DF))))
            }
        }
    }

    fn difference(
        &self,
        (first, second, reader): (usize, usize, Option<usize>),
        estimate: f64,
        variance: f64,
        df: Option<f64>,
        level: f64,
    ) -> Estimable<Difference> {
        positive("the variance of a difference", variance)?;
        let standard_error = variance.sqrt();
        let statistic = estimate / standard_error;
        let half = t_multiplier(level, df.unwrap_or(f64::INFINITY)) * standard_error;
        Ok(Difference {
            first: self.table.modalities[first].clone(),
            second: self.table.modalities[second].clone(),
            reader: reader.map(|reader| self.table.readers[reader].clone()),
            estimate,
            standard_error,
            df,
            interval: Interval { lower: estimate - half, upper: estimate + half, level, method: interval_name(df) },
            statistic,
            p_value: t_two_sided_p(statistic, df.unwrap_or(f64::INFINITY)),
        })
    }

    /// A modality's own mean uses that modality's MS(R), error variance and Cov2 (Hillis 2007, section 5).
    fn mean(&self, modality: usize, random: RandomFactors, level: f64) -> Estimable<Mean> {
        let values = self.estimates(|cell| cell.modality == modality);
        let readers = values.len() as f64;
        let estimate = mean(&values);
        let spread: f64 = values.iter().map(|value| (value - estimate).powi(2)).sum();
        let square = || {
            if values.len() < 2 {
                return Err(NotEstimable::new(
                    "too_few_readers",
                    format!("random readers need two readers in modality {}", self.table.modalities[modality]),
                ));
            }
            Ok(spread / (readers - 1.0))
        };
        let parts = || self.components(|cell| cell.modality == modality);
        let (variance, df, mean_square_reader, cov2) = match random {
            RandomFactors::ReadersAndCases => {
                let (square, cov2) = (square()?, parts()?.cov2);
                let total = square + readers * cov2.max(0.0);
                let df = (total.powi(2) / (square.powi(2) / (readers - 1.0))).min(MAX_DF);
                (square / readers + cov2.max(0.0), Some(df), Some(square), Some(cov2))
            }
            RandomFactors::Readers => {
                let square = square()?;
                (square / readers, Some(readers - 1.0), Some(square), None)
            }
            RandomFactors::Cases => {
                let parts = parts()?;
                let total = parts.error + (readers - 1.0) * parts.cov2.max(0.0);
                (total / readers, None, None, Some(parts.cov2))
            }
        };
        let labels = (modality, None);
        let mean = self.mean_with_interval(labels, estimate, variance, df, level)?;
        Ok(Mean { mean_square_reader, cov2, ..mean })
    }

    fn mean_with_interval(
        &self,
        (modality, reader): (usize, Option<usize>),
        estimate: f64,
        variance: f64,
        df: Option<f64>,
        level: f64,
    ) -> Estimable<Mean> {
        positive("the variance of a mean", variance)?;
        let standard_error = variance.sqrt();
        let half = t_multiplier(level, df.unwrap_or(f64::INFINITY)) * standard_error;
        let cut = |bound: f64| if self.table.cut_to_unit_range { bound.clamp(0.0, 1.0) } else { bound };
        Ok(Mean {
            modality: self.table.modalities[modality].clone(),
            reader: reader.map(|reader| self.table.readers[reader].clone()),
            estimate,
            standard_error,
            df,
            interval: Interval {
                lower: cut(estimate - half),
                upper: cut(estimate + half),
                level,
                method: interval_name(df),
            },
            mean_square_reader: None,
            cov2: None,
        })
    }

    /// Each pair of modalities for one fixed reader: variance 2 (σ²ⱼ − Cov1ⱼ), that reader's own.
    fn reader_differences(&self, reader: usize, level: f64) -> Vec<Estimable<Difference>> {
        let own: Vec<&CellEstimate> = self.table.cells.iter().filter(|cell| cell.reader == reader).collect();
        let parts = self.components(|cell| cell.reader == reader);
        let mut all = Vec::new();
        for (at, first) in own.iter().enumerate() {
            for second in &own[at + 1..] {
                let difference = parts.as_ref().map_err(Clone::clone).and_then(|parts| {
                    let labels = (first.modality, second.modality, Some(reader));
                    let variance = 2.0 * (parts.error - parts.cov1);
                    self.difference(labels, first.estimate - second.estimate, variance, None, level)
                });
                all.push(difference);
            }
        }
        all
    }

    fn cell_mean(&self, at: usize, level: f64) -> Estimable<Mean> {
        let cell = &self.table.cells[at];
        let matrix = self.table.covariance.unwrap_or_default();
        let variance = matrix.get(at * self.table.cells.len() + at).copied().unwrap_or(0.0);
        self.mean_with_interval((cell.modality, Some(cell.reader)), cell.estimate, variance, None, level)
    }
}

/// Beyond this the t and F distributions are their limits to the last digit.
pub(super) const MAX_DF: f64 = 1e15;

/// Which of Cov1, Cov2, Cov3 are zero because the two cells have no case in common.
fn zero_covariances(design: Design) -> [bool; 3] {
    match design {
        Design::Factorial | Design::PairedSplitPlot | Design::Unbalanced => [false, false, false],
        Design::ReaderNestedInModality => [true, false, false],
        Design::CaseNestedInReader => [false, true, true],
        Design::CaseNestedInModality | Design::ReaderAndCaseNestedInModality => [true, false, true],
    }
}

fn interval_name(df: Option<f64>) -> &'static str {
    if df.is_some() { "Obuchowski–Rockette t" } else { "Obuchowski–Rockette normal" }
}

pub(super) fn positive(what: &str, value: f64) -> Estimable<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(NotEstimable::new("variance_not_positive", format!("{what} is {value:e}, not above 0")))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
