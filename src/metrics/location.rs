//! Figures of merit over marks: how well one reader in one modality finds and rates lesions.
//!
//! A case is diseased when it has a lesion. A lesion without a mark, and a case without a mark, hold the rating −∞, and
//! −∞ against −∞ is a tie (one half). Every figure here is a ratio of sums over cases, a sum over pairs of cases, or a
//! point read off a curve of counts, so the value without one case follows from the sums and needs no new pass over the
//! others: O(n log n) for a figure with all its jackknife values, n = marks + lesions + cases.
//!
//! Bunch, Hamilton, Sanderson and Simmons (1978, J Appl Photogr Eng 4:166) for the free-response curve; Chakraborty and
//! Winter (1990, Radiology 174:873) for the alternative one (AFROC); Chakraborty and Berbaum (2004, Med Phys 31:2313) for
//! its area and jackknife; Chakraborty and Zhai (2016, Med Phys 43:2548) for lesion weights; Chakraborty (2017, Observer
//! Performance Methods for Diagnostic Imaging, chapters 13 and 14) for the others; Swensson (1996, Med Phys 23:1709) for
//! localisation (LROC); Niemeijer et al. (2011, IEEE Trans Med Imaging 30:215) for the mean over false-mark rates.

use super::detection::Matched;
use crate::stats::mrmc::fom::{CaseClass, FigureOfMerit, Levels};
use crate::stats::{Estimable, NotEstimable};
use serde::Serialize;

/// A figure of merit over marks. LLF is the lesion localisation fraction (lesions marked, over all lesions), NLF the
/// non-lesion localisation fraction (false marks, over cases).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LocationFigure {
    /// Chance that a lesion is rated above the highest false mark of a case without lesions; lesions count alike.
    Afroc,
    /// As [`LocationFigure::Afroc`], with the highest false mark of every case, diseased ones included.
    Afroc1,
    /// As [`LocationFigure::Afroc`], each diseased case counting 1, shared among its lesions by their weights.
    WeightedAfroc,
    /// As [`LocationFigure::WeightedAfroc`], with the highest false mark of every case.
    WeightedAfroc1,
    /// Area under the inferred ROC curve: a case has the highest rating of its marks, whether on a lesion or not.
    HrAuc,
    /// Share of diseased cases with any mark.
    HrSe,
    /// Share of non-diseased cases without a mark.
    HrSp,
    /// LLF with every mark counted.
    MaxLlf,
    /// False marks per case, every mark counted. Not bounded by 1.
    MaxNlf(NlfCases),
    /// LLF at declared rates of false marks, and the mean of these values (CPM).
    LlfAtNlf { rates: Vec<f64>, cases: NlfCases, reading: CurveReading },
    /// Any figure of the inferred ROC curve. An unmarked case stands below every mark.
    InferredRoc(FigureOfMerit),
    /// Any figure of the LROC curve: a diseased case has the rating of its highest mark where that mark is on a lesion,
    /// and stands below every other case where it is not. [`FigureOfMerit::EmpiricalAuc`] is the whole area,
    /// [`FigureOfMerit::CorrectLocalisation`] PCL at a false-positive fraction.
    Lroc(FigureOfMerit),
}

/// Whose false marks the NLF counts, and over which cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NlfCases {
    /// False marks of all cases, over all cases.
    All,
    /// False marks of cases without lesions, over those cases.
    NonDiseased,
}

/// How a value is read off a FROC curve, which starts at (0, 0). Beyond its end the end point holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CurveReading {
    /// The highest operating point with no more false marks than the rate.
    Step,
    /// By a straight line between operating points; the upper end where the curve rises straight up.
    Linear,
}

impl LocationFigure {
    /// LLF at one rate of false marks per case, by step.
    #[must_use]
    pub fn llf_at(rate: f64) -> Self {
        Self::LlfAtNlf { rates: vec![rate], cases: NlfCases::All, reading: CurveReading::Step }
    }

    /// The name as it is printed.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Afroc => "AFROC area".to_owned(),
            Self::Afroc1 => "AFROC1 area".to_owned(),
            Self::WeightedAfroc => "wAFROC area".to_owned(),
            Self::WeightedAfroc1 => "wAFROC1 area".to_owned(),
            Self::HrAuc => "inferred ROC area (highest rating)".to_owned(),
            Self::HrSe => "inferred sensitivity (any mark in a diseased case)".to_owned(),
            Self::HrSp => "inferred specificity (no mark in a non-diseased case)".to_owned(),
            Self::MaxLlf => "lesion localisation fraction, all marks".to_owned(),
            Self::MaxNlf(cases) => format!("false marks per {}, all marks", cases.name()),
            Self::LlfAtNlf { rates, cases, reading } => {
                let list: Vec<String> = rates.iter().map(f64::to_string).collect();
                let what = if rates.len() == 1 { "lesion sensitivity" } else { "mean lesion sensitivity" };
                let how = match reading {
                    CurveReading::Step => "at most",
                    CurveReading::Linear => "interpolated at",
                };
                format!("{what}, {how} {} false marks per {}", list.join(", "), cases.name())
            }
            Self::InferredRoc(fom) => format!("{} of the highest rating", fom.name()),
            Self::Lroc(FigureOfMerit::EmpiricalAuc) => "LROC area".to_owned(),
            Self::Lroc(fom) => format!("{} of the LROC curve", fom.name()),
        }
    }

    /// Whether intervals for its means are cut to 0 and 1. Marks per case have no upper bound.
    #[must_use]
    pub fn cut_to_unit_range(&self) -> bool {
        match self {
            Self::MaxNlf(_) => false,
            Self::InferredRoc(fom) | Self::Lroc(fom) => fom.cut_to_unit_range(),
            _ => true,
        }
    }

    /// Which class of cases counts as "the cases" of the study, for example in the jackknife's (K − 1)/K.
    #[must_use]
    pub fn case_class(&self) -> CaseClass {
        match self {
            Self::MaxLlf | Self::HrSe => CaseClass::Diseased,
            Self::MaxNlf(NlfCases::NonDiseased) | Self::HrSp => CaseClass::NonDiseased,
            Self::InferredRoc(fom) | Self::Lroc(fom) => fom.case_class(),
            _ => CaseClass::Both,
        }
    }

    /// The figure of merit of these cases.
    ///
    /// # Errors
    /// As [`LocationCell::new`] and [`LocationCell::estimate`].
    pub fn estimate(&self, cases: &[&Matched]) -> Estimable<f64> {
        let cases: Vec<Option<&Matched>> = cases.iter().copied().map(Some).collect();
        LocationCell::new(&cases, self)?.estimate()
    }
}

impl NlfCases {
    fn name(self) -> &'static str {
        match self {
            Self::All => "case",
            Self::NonDiseased => "non-diseased case",
        }
    }

    fn counts(self, case: &Matched) -> bool {
        self == Self::All || case.hits.is_empty()
    }
}

/// The marks of one reader in one modality, sorted once for one figure of merit, so that any weighting of the cases and
/// any left-out case cost no sort.
#[derive(Debug, Clone)]
pub struct LocationCell {
    name: String,
    cases: usize,
    sums: Sums,
}

#[derive(Debug, Clone)]
enum Sums {
    Pairs(Pairs),
    Ratio(Vec<[f64; 2]>),
    Curve(Curve),
    Roc(Roc),
}

/// A rating by its level, 0 = the highest, of one case.
#[derive(Debug, Clone, Copy)]
struct Scored {
    level: u32,
    case: u32,
    weight: f64,
}

/// Σ over pairs (x, y) of weight ψ(x, y), over the mass of the x and of the y; both lists by level.
#[derive(Debug, Clone)]
struct Pairs {
    levels: usize,
    x: Vec<Scored>,
    y: Vec<Scored>,
    /// Mass of the x and of the y of each case.
    mass: Vec<[f64; 2]>,
}

#[derive(Debug, Clone)]
struct Curve {
    levels: usize,
    hits: Vec<Scored>,
    false_marks: Vec<Scored>,
    /// Lesions of each case, and 1 where its false marks count.
    mass: Vec<[f64; 2]>,
    rates: Vec<f64>,
    reading: CurveReading,
}

#[derive(Debug, Clone)]
struct Roc {
    levels: Levels,
    /// (level, diseased) of each case that was read.
    of_case: Vec<Option<(u32, bool)>>,
    fom: FigureOfMerit,
}

impl LocationCell {
    /// Sorts the marks of the cases for `figure`; `None` is a case that was not read. O(n log n).
    ///
    /// # Errors
    /// A rating that is not finite, a lesion weight that is not positive, a rate that is negative.
    pub fn new(cases: &[Option<&Matched>], figure: &LocationFigure) -> Estimable<Self> {
        check(cases, figure)?;
        let each = |value: &dyn Fn(&Matched) -> [f64; 2]| -> Vec<[f64; 2]> {
            cases.iter().map(|case| case.map_or([0.0, 0.0], value)).collect()
        };
        let count = |holds: bool| if holds { 1.0 } else { 0.0 };
        let sums = match figure {
            LocationFigure::Afroc => Sums::Pairs(Pairs::new(cases, false, false)),
            LocationFigure::Afroc1 => Sums::Pairs(Pairs::new(cases, false, true)),
            LocationFigure::WeightedAfroc => Sums::Pairs(Pairs::new(cases, true, false)),
            LocationFigure::WeightedAfroc1 => Sums::Pairs(Pairs::new(cases, true, true)),
            LocationFigure::HrAuc => Sums::Roc(Roc::new(cases, FigureOfMerit::EmpiricalAuc, highest)),
            LocationFigure::HrSe => Sums::Ratio(each(&|case| {
                let diseased = !case.hits.is_empty();
                [count(diseased && has_mark(case)), count(diseased)]
            })),
            LocationFigure::HrSp => Sums::Ratio(each(&|case| {
                let non_diseased = case.hits.is_empty();
                [count(non_diseased && !has_mark(case)), count(non_diseased)]
            })),
            LocationFigure::MaxLlf => {
                Sums::Ratio(each(&|case| [case.hits.iter().flatten().count() as f64, case.hits.len() as f64]))
            }
            LocationFigure::MaxNlf(of) => Sums::Ratio(each(&|case| {
                let counts = count(of.counts(case));
                [counts * case.false_marks.len() as f64, counts]
            })),
            LocationFigure::LlfAtNlf { rates, cases: of, reading } => {
                Sums::Curve(Curve::new(cases, *of, rates.clone(), *reading))
            }
            LocationFigure::InferredRoc(fom) => Sums::Roc(Roc::new(cases, *fom, highest)),
            LocationFigure::Lroc(fom) => Sums::Roc(Roc::new(cases, *fom, localised)),
        };
        Ok(Self { name: figure.name(), cases: cases.len(), sums })
    }

    /// The figure of merit.
    ///
    /// # Errors
    /// No case of a class that the figure needs.
    pub fn estimate(&self) -> Estimable<f64> {
        self.weighted(&vec![1; self.cases])
    }

    /// The figure of merit where each case counts as often as its weight says. O(n).
    ///
    /// # Errors
    /// As [`LocationCell::estimate`], for the cases of weight above 0.
    pub fn weighted(&self, weights: &[u32]) -> Estimable<f64> {
        let times = |case: u32| f64::from(weights[case as usize]);
        let total = |mass: &[[f64; 2]]| {
            mass.iter().zip(weights).fold([0.0, 0.0], |sum, (mass, &weight)| {
                [sum[0] + mass[0] * f64::from(weight), sum[1] + mass[1] * f64::from(weight)]
            })
        };
        match &self.sums {
            Sums::Ratio(parts) => {
                let [top, bottom] = total(parts);
                self.divide(top, bottom)
            }
            Sums::Pairs(pairs) => {
                let [x, y] = total(&pairs.mass);
                let weigh = |items: &[Scored]| -> Vec<Scored> {
                    items.iter().map(|item| Scored { weight: item.weight * times(item.case), ..*item }).collect()
                };
                self.divide(pair_sum(&weigh(&pairs.x), &weigh(&pairs.y)), x * y)
            }
            Sums::Curve(curve) => {
                let [lesions, images] = total(&curve.mass);
                self.divide(0.0, lesions.min(images))?;
                let hits = cumulated(curve.levels, &curve.hits, times);
                let false_marks = cumulated(curve.levels, &curve.false_marks, times);
                Ok(curve.read(|level| (false_marks[level] / images, hits[level] / lesions)))
            }
            Sums::Roc(roc) => roc.fom.of_levels(&roc.weighted(weights)),
        }
    }

    /// The figure without each unit (a case, or all cases of a patient) in turn: `unit_of` gives the unit of each case,
    /// `None` = never left out. O(n) in all for the figures that are sums, O(n log n) for LLF at NLF.
    ///
    /// # Errors
    /// A unit without which the figure does not exist.
    pub fn leave_one_out(&self, unit_of: &[Option<u32>], units: usize) -> Estimable<Vec<f64>> {
        if let Sums::Roc(roc) = &self.sums {
            return roc.leave_one_out(unit_of, units);
        }
        let group = |items: &[Scored]| -> Vec<Vec<Scored>> {
            let mut groups = vec![Vec::new(); units];
            for item in items {
                if let Some(unit) = unit_of[item.case as usize] {
                    groups[unit as usize].push(*item);
                }
            }
            groups
        };
        let totals = |mass: &[[f64; 2]]| -> ([f64; 2], Vec<[f64; 2]>) {
            let (mut all, mut of_unit) = ([0.0, 0.0], vec![[0.0, 0.0]; units]);
            for (mass, unit) in mass.iter().zip(unit_of) {
                for side in 0..2 {
                    all[side] += mass[side];
                    if let Some(unit) = unit {
                        of_unit[*unit as usize][side] += mass[side];
                    }
                }
            }
            (all, of_unit)
        };
        let left = |all: [f64; 2], out: [f64; 2]| [all[0] - out[0], all[1] - out[1]];
        let values: Estimable<Vec<f64>> = match &self.sums {
            Sums::Ratio(parts) => {
                let (all, of_unit) = totals(parts);
                of_unit
                    .iter()
                    .map(|&out| {
                        let [top, bottom] = left(all, out);
                        self.divide(top, bottom)
                    })
                    .collect()
            }
            Sums::Pairs(pairs) => {
                let (all, of_unit) = totals(&pairs.mass);
                let sum = pair_sum(&pairs.x, &pairs.y);
                // what an x of each level adds to the sum, and a y
                let (below, above) = (mass_below(pairs.levels, &pairs.y), mass_above(pairs.levels, &pairs.x));
                let share = |items: &[Scored], by: &[f64]| -> f64 {
                    items.iter().map(|item| item.weight * by[item.level as usize]).sum()
                };
                let (x_of, y_of) = (group(&pairs.x), group(&pairs.y));
                let rest = x_of.iter().zip(&y_of).zip(&of_unit);
                rest.map(|((x, y), &out)| {
                    let [x_left, y_left] = left(all, out);
                    self.divide(sum - share(x, &below) - share(y, &above) + pair_sum(x, y), x_left * y_left)
                })
                .collect()
            }
            Sums::Curve(curve) => {
                let (all, of_unit) = totals(&curve.mass);
                let hits = cumulated(curve.levels, &curve.hits, |_| 1.0);
                let false_marks = cumulated(curve.levels, &curve.false_marks, |_| 1.0);
                let (hits_of, false_of) = (group(&curve.hits), group(&curve.false_marks));
                let down_to =
                    |items: &[Scored], level: usize| items.partition_point(|item| item.level as usize <= level) as f64;
                let rest = hits_of.iter().zip(&false_of).zip(&of_unit);
                rest.map(|((own_hits, own_false), &out)| {
                    let [lesions, images] = left(all, out);
                    self.divide(0.0, lesions.min(images))?;
                    Ok(curve.read(|level| {
                        let false_marks = false_marks[level] - down_to(own_false, level);
                        (false_marks / images, (hits[level] - down_to(own_hits, level)) / lesions)
                    }))
                })
                .collect()
            }
            Sums::Roc(_) => Ok(Vec::new()),
        };
        values.map_err(|fault| {
            let reason = format!("leaving one case out leaves too few: {}", fault.reason);
            NotEstimable::new("jackknife_too_few", reason)
        })
    }

    fn divide(&self, top: f64, bottom: f64) -> Estimable<f64> {
        if bottom > 0.0 {
            return Ok(top / bottom);
        }
        let reason = format!("{} lacks the cases (or lesions) that it divides by", self.name);
        Err(NotEstimable::new("one-class-only", reason))
    }
}

impl Pairs {
    fn new(cases: &[Option<&Matched>], weighted: bool, all_cases: bool) -> Self {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        let mut mass = vec![[0.0, 0.0]; cases.len()];
        for (at, case) in (0_u32..).zip(cases) {
            let Some(case) = case else { continue };
            let total: f64 = case.weights.iter().sum();
            for (hit, weight) in case.hits.iter().zip(&case.weights) {
                let weight = if weighted { weight / total } else { 1.0 };
                x.push((hit.unwrap_or(f64::NEG_INFINITY), at, weight));
            }
            if !case.hits.is_empty() {
                mass[at as usize][0] = if weighted { 1.0 } else { case.hits.len() as f64 };
            }
            if all_cases || case.hits.is_empty() {
                y.push((highest_of(&case.false_marks), at, 1.0));
                mass[at as usize][1] = 1.0;
            }
        }
        let (levels, x, y) = levelled(x, y);
        Self { levels, x, y, mass }
    }
}

impl Curve {
    fn new(cases: &[Option<&Matched>], of: NlfCases, rates: Vec<f64>, reading: CurveReading) -> Self {
        let (mut hits, mut false_marks) = (Vec::new(), Vec::new());
        let mut mass = vec![[0.0, 0.0]; cases.len()];
        for (at, case) in (0_u32..).zip(cases) {
            let Some(case) = case else { continue };
            hits.extend(case.hits.iter().flatten().map(|&rating| (rating, at, 1.0)));
            mass[at as usize][0] = case.hits.len() as f64;
            if of.counts(case) {
                false_marks.extend(case.false_marks.iter().map(|&rating| (rating, at, 1.0)));
                mass[at as usize][1] = 1.0;
            }
        }
        let (levels, hits, false_marks) = levelled(hits, false_marks);
        Self { levels, hits, false_marks, mass, rates, reading }
    }

    /// The mean over the rates of the values read off, where `point` gives (NLF, LLF) with all marks down to a level.
    /// The NLF never falls from level to level: a binary search.
    fn read(&self, point: impl Fn(usize) -> (f64, f64)) -> f64 {
        let at = |rate: f64| {
            let (mut low, mut high) = (0, self.levels);
            while low < high {
                let middle = usize::midpoint(low, high);
                if point(middle).0 <= rate {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            let reached = low.checked_sub(1).map_or((0.0, 0.0), &point);
            if self.reading == CurveReading::Step || low == self.levels {
                return reached.1;
            }
            let next = point(low);
            reached.1 + (next.1 - reached.1) * (rate - reached.0) / (next.0 - reached.0)
        };
        self.rates.iter().map(|&rate| at(rate)).sum::<f64>() / self.rates.len() as f64
    }
}

impl Roc {
    fn new(cases: &[Option<&Matched>], fom: FigureOfMerit, rating: fn(&Matched) -> f64) -> Self {
        let (mut ratings, mut at) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for (index, case) in cases.iter().enumerate() {
            if let Some(case) = case {
                let class = usize::from(!case.hits.is_empty());
                ratings[class].push(rating(case));
                at[class].push(index);
            }
        }
        let (levels, diseased, non_diseased) = Levels::with_positions(&ratings[1], &ratings[0]);
        let mut of_case = vec![None; cases.len()];
        for (class, level_of) in [(0, non_diseased), (1, diseased)] {
            for (&case, &level) in at[class].iter().zip(&level_of) {
                of_case[case] = Some((level, class == 1));
            }
        }
        Self { levels, of_case, fom }
    }

    fn weighted(&self, weights: &[u32]) -> Levels {
        let count = self.levels.len();
        let mut levels =
            Levels { ratings: self.levels.ratings.clone(), diseased: vec![0; count], non_diseased: vec![0; count] };
        for (of, &weight) in self.of_case.iter().zip(weights) {
            match of {
                Some((level, true)) => levels.diseased[*level as usize] += weight,
                Some((level, false)) => levels.non_diseased[*level as usize] += weight,
                None => {}
            }
        }
        levels
    }

    fn leave_one_out(&self, unit_of: &[Option<u32>], units: usize) -> Estimable<Vec<f64>> {
        let mut members: Vec<Vec<(u32, bool)>> = vec![Vec::new(); units];
        for (of, unit) in self.of_case.iter().zip(unit_of) {
            if let (Some(of), Some(unit)) = (of, unit) {
                members[*unit as usize].push(*of);
            }
        }
        let full = self.fom.of_levels(&self.levels)?;
        let single = self.fom.leave_one_out(&self.levels)?;
        let mut reduced = self.levels.clone();
        let side = |levels: &mut Levels, diseased: bool, level: u32, up: bool| {
            let counts = if diseased { &mut levels.diseased } else { &mut levels.non_diseased };
            let count = &mut counts[level as usize];
            *count = if up { *count + 1 } else { *count - 1 };
        };
        let without = members.iter().map(|of| match of.as_slice() {
            [] => Ok(full),
            [(level, true)] => Ok(single.diseased[*level as usize]),
            [(level, false)] => Ok(single.non_diseased[*level as usize]),
            several => {
                for &(level, diseased) in several {
                    side(&mut reduced, diseased, level, false);
                }
                let value = self.fom.of_levels(&reduced);
                for &(level, diseased) in several {
                    side(&mut reduced, diseased, level, true);
                }
                value
            }
        });
        without.collect()
    }
}

fn check(cases: &[Option<&Matched>], figure: &LocationFigure) -> Estimable<()> {
    let fault = |reason: String| Err(NotEstimable::new("bad_parameter", reason));
    if let LocationFigure::LlfAtNlf { rates, .. } = figure {
        if rates.is_empty() {
            return fault("no rate of false marks is declared".to_owned());
        }
        if let Some(rate) = rates.iter().find(|rate| !(**rate >= 0.0 && rate.is_finite())) {
            return fault(format!("a rate of false marks is 0 or more, not {rate}"));
        }
    }
    for (at, case) in cases.iter().enumerate().filter_map(|(at, case)| case.map(|case| (at, case))) {
        if case.hits.iter().flatten().chain(&case.false_marks).any(|rating| !rating.is_finite()) {
            return fault(format!("case {at}: the rating of a mark is not a finite number"));
        }
        if case.weights.len() != case.hits.len() {
            return fault(format!("case {at}: {} lesions but {} weights", case.hits.len(), case.weights.len()));
        }
        if case.weights.iter().any(|weight| !(*weight > 0.0 && weight.is_finite())) {
            return fault(format!("case {at}: the weight of a lesion is not above 0"));
        }
    }
    Ok(())
}

/// The rating of an unmarked case: below every mark, above a diseased case that was not localised.
pub(super) const UNMARKED: f64 = f64::MIN;

fn highest_of(ratings: &[f64]) -> f64 {
    ratings.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn has_mark(case: &Matched) -> bool {
    !case.false_marks.is_empty() || case.hits.iter().any(Option::is_some)
}

/// The inferred ROC rating of a case.
pub(super) fn highest(case: &Matched) -> f64 {
    case.hits.iter().flatten().copied().fold(highest_of(&case.false_marks), f64::max).max(UNMARKED)
}

/// The LROC rating of a case. A lesion and a false mark with the same rating: the false mark is taken, as nothing says
/// that the reader would have chosen the lesion.
fn localised(case: &Matched) -> f64 {
    if case.hits.is_empty() {
        return highest(case);
    }
    let hit = case.hits.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    if hit > highest_of(&case.false_marks) { hit } else { f64::NEG_INFINITY }
}

type Rated = (f64, u32, f64);

/// Both lists by level (highest rating first), and the number of levels.
fn levelled(x: Vec<Rated>, y: Vec<Rated>) -> (usize, Vec<Scored>, Vec<Scored>) {
    let mut all: Vec<(Rated, bool)> =
        x.into_iter().map(|item| (item, true)).chain(y.into_iter().map(|item| (item, false))).collect();
    all.sort_unstable_by(|a, b| b.0.0.total_cmp(&a.0.0).then(a.0.1.cmp(&b.0.1)).then(a.0.2.total_cmp(&b.0.2)));
    let (mut levels, mut last) = (0_u32, None);
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for ((rating, case, weight), is_x) in all {
        if last != Some(rating) {
            levels += 1;
            last = Some(rating);
        }
        let scored = Scored { level: levels - 1, case, weight };
        if is_x { &mut x } else { &mut y }.push(scored);
    }
    (levels as usize, x, y)
}

/// Σ over pairs of weightₓ weight_y ψ, ψ = 1 where x is rated higher, ½ where alike. Both lists by level. O(|x| + |y|).
fn pair_sum(x: &[Scored], y: &[Scored]) -> f64 {
    let total: f64 = y.iter().map(|item| item.weight).sum();
    let (mut above, mut not_below) = (0.0, 0.0);
    let (mut a, mut b) = (0, 0);
    let mut sum = 0.0;
    for item in x {
        while a < y.len() && y[a].level < item.level {
            above += y[a].weight;
            a += 1;
        }
        while b < y.len() && y[b].level <= item.level {
            not_below += y[b].weight;
            b += 1;
        }
        sum += item.weight * (total - (above + not_below) / 2.0);
    }
    sum
}

/// Weight at each level.
fn at_level(levels: usize, items: &[Scored]) -> Vec<f64> {
    let mut weights = vec![0.0; levels];
    for item in items {
        weights[item.level as usize] += item.weight;
    }
    weights
}

/// By level: the weight rated below it, and half of that rated alike.
fn mass_below(levels: usize, items: &[Scored]) -> Vec<f64> {
    let mut values = at_level(levels, items);
    let mut sum = 0.0;
    for value in values.iter_mut().rev() {
        let own = *value;
        *value = sum + own / 2.0;
        sum += own;
    }
    values
}

/// By level: the weight rated above it, and half of that rated alike.
fn mass_above(levels: usize, items: &[Scored]) -> Vec<f64> {
    let mut values = at_level(levels, items);
    let mut sum = 0.0;
    for value in &mut values {
        let own = *value;
        *value = sum + own / 2.0;
        sum += own;
    }
    values
}

/// By level: how much is rated there or above.
fn cumulated(levels: usize, items: &[Scored], times: impl Fn(u32) -> f64) -> Vec<f64> {
    let mut values = vec![0.0; levels];
    for item in items {
        values[item.level as usize] += times(item.case);
    }
    let mut sum = 0.0;
    for value in &mut values {
        sum += *value;
        *value = sum;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::detection::froc;
    use crate::stats::mrmc::fom::RocAxis;

    /// 12 cases, half of them diseased with one to three lesions, ratings in quarters so that many are tied.
    fn study() -> Vec<Matched> {
        let mut state = 17_u64;
        let mut next = move |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        (0..12)
            .map(|case| {
                let lesions = if case % 2 == 0 { 1 + next(3) } else { 0 };
                let hits = (0..lesions).map(|_| (next(4) > 0).then(|| 1.0 + next(8) as f64 / 4.0)).collect();
                let weights = (0..lesions).map(|_| 1.0 + next(3) as f64).collect();
                let false_marks = (0..next(4)).map(|_| next(8) as f64 / 4.0).collect();
                Matched { hits, weights, false_marks, ignored: 0 }
            })
            .collect()
    }

    fn figures() -> Vec<LocationFigure> {
        let mut all = vec![
            LocationFigure::Afroc,
            LocationFigure::Afroc1,
            LocationFigure::WeightedAfroc,
            LocationFigure::WeightedAfroc1,
            LocationFigure::HrAuc,
            LocationFigure::HrSe,
            LocationFigure::HrSp,
            LocationFigure::MaxLlf,
            LocationFigure::MaxNlf(NlfCases::All),
            LocationFigure::MaxNlf(NlfCases::NonDiseased),
            LocationFigure::InferredRoc(FigureOfMerit::partial_auc(RocAxis::Specificity, 0.5, 1.0)),
            LocationFigure::Lroc(FigureOfMerit::EmpiricalAuc),
            LocationFigure::Lroc(FigureOfMerit::CorrectLocalisation { false_positive_fraction: 0.3 }),
        ];
        for reading in [CurveReading::Step, CurveReading::Linear] {
            for cases in [NlfCases::All, NlfCases::NonDiseased] {
                all.push(LocationFigure::LlfAtNlf { rates: vec![0.1, 0.5, 1.0, 4.0], cases, reading });
            }
        }
        all
    }

    /// The definition, pair by pair.
    fn by_pairs(cases: &[&Matched], weighted: bool, all_cases: bool) -> f64 {
        let (mut sum, mut x, mut y) = (0.0, 0.0, 0.0);
        for case in cases.iter().filter(|case| all_cases || case.hits.is_empty()) {
            let highest = highest_of(&case.false_marks);
            y += 1.0;
            for diseased in cases {
                let total: f64 = diseased.weights.iter().sum();
                for (hit, weight) in diseased.hits.iter().zip(&diseased.weights) {
                    let rating = hit.unwrap_or(f64::NEG_INFINITY);
                    let psi = if rating > highest {
                        1.0
                    } else if rating == highest {
                        0.5
                    } else {
                        0.0
                    };
                    sum += psi * if weighted { weight / total } else { 1.0 };
                }
            }
        }
        for case in cases.iter().filter(|case| !case.hits.is_empty()) {
            x += if weighted { 1.0 } else { case.hits.len() as f64 };
        }
        sum / (x * y)
    }

    #[test]
    fn unmarked_against_unmarked_is_a_tie() {
        let case = |hits: &[Option<f64>], false_marks: &[f64]| Matched {
            hits: hits.to_vec(),
            weights: vec![1.0; hits.len()],
            false_marks: false_marks.to_vec(),
            ignored: 0,
        };
        let cases = [case(&[None], &[]), case(&[Some(0.7)], &[]), case(&[], &[]), case(&[], &[0.7])];
        // (−∞ v −∞) 1/2, (−∞ v 0.7) 0, (0.7 v −∞) 1, (0.7 v 0.7) 1/2 over four pairs.
        let value = LocationFigure::WeightedAfroc.estimate(&cases.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(value, 0.5);
    }

    #[test]
    fn areas_are_the_mean_over_all_pairs() {
        let study = study();
        let all: Vec<&Matched> = study.iter().collect();
        for (figure, weighted, all_cases) in [
            (LocationFigure::Afroc, false, false),
            (LocationFigure::Afroc1, false, true),
            (LocationFigure::WeightedAfroc, true, false),
            (LocationFigure::WeightedAfroc1, true, true),
        ] {
            let value = figure.estimate(&all).unwrap();
            assert!((value - by_pairs(&all, weighted, all_cases)).abs() < 1e-14, "{figure:?}");
        }
        let curve = froc(&all).unwrap();
        for rate in [0.1, 0.5, 1.0, 4.0] {
            let value = LocationFigure::llf_at(rate).estimate(&all).unwrap();
            assert_eq!(value, curve.at(rate).map_or(0.0, |point| point.sensitivity));
        }
    }

    #[test]
    fn left_out_values_are_those_of_the_remaining_cases() {
        let study = study();
        let all: Vec<Option<&Matched>> = study.iter().map(Some).collect();
        // each case a unit of its own; then patients of one to three cases
        let single: Vec<Option<u32>> = (0..12).map(Some).collect();
        let patients: Vec<Option<u32>> = [0, 0, 1, 2, 2, 2, 3, 4, 4, 5, 5, 6].map(Some).to_vec();
        for figure in figures() {
            let cell = LocationCell::new(&all, &figure).unwrap();
            for (unit_of, units) in [(&single, 12_u32), (&patients, 7)] {
                let quick = cell.leave_one_out(unit_of, units as usize).unwrap();
                for unit in 0..units {
                    let kept: Vec<&Matched> =
                        study.iter().zip(unit_of).filter(|(_, of)| **of != Some(unit)).map(|(case, _)| case).collect();
                    let direct = figure.estimate(&kept).unwrap();
                    assert!((quick[unit as usize] - direct).abs() < 1e-13, "{figure:?} without {unit}");
                    let weights: Vec<u32> = unit_of.iter().map(|of| u32::from(*of != Some(unit))).collect();
                    assert!((cell.weighted(&weights).unwrap() - direct).abs() < 1e-13, "{figure:?} weighted {unit}");
                }
            }
        }
    }

    #[test]
    fn a_case_of_weight_two_is_a_case_twice() {
        let study = study();
        let all: Vec<Option<&Matched>> = study.iter().map(Some).collect();
        let weights: Vec<u32> = (0..12).map(|case| [1, 0, 2, 3][case % 4]).collect();
        let copies: Vec<&Matched> =
            study.iter().zip(&weights).flat_map(|(case, &times)| std::iter::repeat_n(case, times as usize)).collect();
        for figure in figures() {
            let weighted = LocationCell::new(&all, &figure).unwrap().weighted(&weights).unwrap();
            assert!((weighted - figure.estimate(&copies).unwrap()).abs() < 1e-13, "{figure:?}");
        }
    }

    #[test]
    fn localisation_needs_the_highest_mark_on_a_lesion() {
        let case = |hits: &[Option<f64>], false_marks: &[f64]| Matched {
            hits: hits.to_vec(),
            weights: vec![1.0; hits.len()],
            false_marks: false_marks.to_vec(),
            ignored: 0,
        };
        // localised above the 2, below it; marked elsewhere; an unmarked and a marked normal
        let study = [case(&[Some(3.0)], &[1.0]), case(&[Some(1.0)], &[]), case(&[Some(3.0)], &[4.0]), case(&[], &[])];
        let mut all: Vec<&Matched> = study.iter().collect();
        let marked = case(&[], &[2.0]);
        all.push(&marked);
        assert_eq!(LocationFigure::Lroc(FigureOfMerit::EmpiricalAuc).estimate(&all), Ok(3.0 / 6.0));
        let pcl = |fraction| {
            let fom = FigureOfMerit::CorrectLocalisation { false_positive_fraction: fraction };
            LocationFigure::Lroc(fom).estimate(&all).unwrap()
        };
        for (fraction, correct) in [(0.0, 0.0), (0.25, 1.0 / 3.0), (1.0, 2.0 / 3.0)] {
            assert!((pcl(fraction) - correct).abs() < 1e-15, "{fraction}");
        }
        assert_eq!(LocationFigure::HrSe.estimate(&all), Ok(1.0));
        assert_eq!(LocationFigure::HrSp.estimate(&all), Ok(0.5));
    }

    #[test]
    fn what_does_not_exist_is_said() {
        let study = study();
        let diseased: Vec<&Matched> = study.iter().filter(|case| !case.hits.is_empty()).collect();
        assert_eq!(LocationFigure::Afroc.estimate(&diseased).unwrap_err().code, "one-class-only");
        assert!(LocationFigure::Afroc1.estimate(&diseased).is_ok());
        assert!(LocationFigure::HrSp.estimate(&diseased).is_err());
        let figure = LocationFigure::llf_at(-1.0);
        assert_eq!(figure.estimate(&diseased).unwrap_err().code, "bad_parameter");
        let mut broken = study.clone();
        broken[0].false_marks.push(f64::NAN);
        let broken: Vec<&Matched> = broken.iter().collect();
        assert_eq!(LocationFigure::MaxLlf.estimate(&broken).unwrap_err().code, "bad_parameter");
        let two = [Some(&study[0]), Some(&study[1])];
        let cell = LocationCell::new(&two, &LocationFigure::Afroc).unwrap();
        assert_eq!(cell.leave_one_out(&[Some(0), Some(1)], 2).unwrap_err().code, "jackknife_too_few");
    }
}
