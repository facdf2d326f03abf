//! Whether predicted probabilities are right: Brier score, calibration in bins, recalibration line, Hosmer–Lemeshow,
//! observed over expected, Spiegelhalter's test, and the net benefit of acting on them.
//!
//! A calibration error is a property of its bins as much as of the model, so the bins are always the caller's.

use crate::stats::models::{Coefficient, Design, logistic};
use crate::stats::quantiles::{chi2_quantile, chi2_sf, norm_multiplier, norm_two_sided_p};
use crate::stats::{Estimable, Interval, NotEstimable};

/// Probabilities of the event (0 to 1) and whether it came, of the same cases.
#[derive(Debug, Clone, Copy)]
pub struct Forecasts<'a> {
    p: &'a [f64],
    event: &'a [bool],
}

/// Which bin a probability on an inner edge belongs to. The outermost edges belong to the outermost bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// [l, u)
    Left,
    /// (l, u]
    Right,
}

/// Where bins begin and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bins {
    /// Equal widths, edges i / n as exact as they can be written.
    Width(usize),
    /// Equal widths, edges i × (1 / n) as numpy's linspace rounds them: 0.3 then lies below the edge 0.30000000000000004.
    WidthStepped(usize),
    /// Quantiles of the probabilities (type 7); edges that fall together make one, so ties are never split.
    Quantile(usize),
}

/// A bin that has cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    pub lower: f64,
    pub upper: f64,
    pub cases: usize,
    pub events: usize,
    /// Sum of the predicted probabilities.
    pub expected: f64,
}

/// The distance between predicted and observed over bins.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationError {
    pub bins: Vec<Bin>,
    /// ECE: mean of |observed − predicted| by cases (Naeini et al. 2015, AAAI, eq. 3).
    pub expected: f64,
    /// MCE: the largest |observed − predicted|.
    pub maximum: f64,
    /// Root of the mean squared difference by cases.
    pub root_mean_square: f64,
}

/// logit P(event) = intercept + slope · logit(p) (Cox 1958, Biometrika 45:562).
#[derive(Debug, Clone, PartialEq)]
pub struct Recalibration {
    pub intercept: Coefficient,
    pub slope: Coefficient,
    /// Likelihood ratio test of intercept 0 and slope 1, 2 df (Miller, Hui and Tierney 1991).
    pub chi_square: f64,
    pub p: f64,
}

/// Calibration in the large: the intercept with the slope held at 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InTheLarge {
    pub intercept: f64,
    pub standard_error: f64,
    pub interval: Interval,
}

#[derive(Debug, Clone, PartialEq)]
pub struct HosmerLemeshow {
    pub groups: Vec<Bin>,
    pub chi_square: f64,
    pub degrees_of_freedom: usize,
    pub p: f64,
}

/// Degrees of freedom of [`Forecasts::hosmer_lemeshow`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// The model was fitted to these cases: g − 2 (Hosmer and Lemeshow 1980).
    Development,
    /// It was fitted to others: g.
    External,
}

/// How the interval of observed over expected is found; the expected number counts as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RatioInterval {
    /// exp(ln O/E ± z / √O).
    LogWald,
    /// Exact limits of a Poisson count (Garwood 1936).
    Exact,
}

/// Whether a probability equal to the threshold is acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    AtLeast,
    Above,
}

/// Net benefit at one threshold probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetBenefit {
    pub threshold: f64,
    /// TP/n − FP/n · t / (1 − t) (Vickers and Elkin 2006, Med Decis Making 26:565).
    pub model: f64,
    /// Of acting on everyone; acting on no one has 0.
    pub treat_all: f64,
    /// Net benefit / prevalence.
    pub standardised: Option<f64>,
    /// Interventions saved per 100 cases against acting on everyone, without missing more events.
    pub avoided_per_100: f64,
}

impl<'a> Forecasts<'a> {
    pub fn new(p: &'a [f64], event: &'a [bool]) -> Estimable<Self> {
        if p.len() != event.len() || p.is_empty() {
            return Err(NotEstimable::new("cases", format!("{} probabilities, {} outcomes", p.len(), event.len())));
        }
        if let Some(bad) = p.iter().find(|p| !(0.0..=1.0).contains(*p)) {
            return Err(NotEstimable::new("not_a_probability", format!("{bad} is not a probability")));
        }
        Ok(Self { p, event })
    }

    /// Mean of (p − y)² (Brier 1950 in its form for one event): 0 to 1.
    pub fn brier(&self) -> f64 {
        self.mean(|p, y| (p - y).powi(2))
    }

    /// 1 − Brier / (π (1 − π)), π = share of events: scaled Brier score, index of prediction accuracy (Kattan and Gerds 2018).
    pub fn scaled_brier(&self) -> Estimable<f64> {
        let prevalence = self.prevalence();
        let reference = prevalence * (1.0 - prevalence);
        if reference == 0.0 {
            return Err(NotEstimable::new("one_class", "all cases have the same outcome"));
        }
        Ok(1.0 - self.brier() / reference)
    }

    /// Mean log loss. A certain forecast that is wrong has no finite loss; `floor` (and 1 − floor) bound p, if declared.
    pub fn log_loss(&self, floor: Option<f64>) -> Estimable<f64> {
        let bound = |p: f64| floor.map_or(p, |floor| p.clamp(floor, 1.0 - floor));
        let loss = self.mean(|p, y| -(if y == 1.0 { bound(p) } else { 1.0 - bound(p) }).ln());
        if !loss.is_finite() {
            return Err(NotEstimable::new(
                "certain_and_wrong",
                "a probability of 0 or 1 is wrong, its loss is infinite",
            ));
        }
        Ok(loss)
    }

    pub fn prevalence(&self) -> f64 {
        self.mean(|_, y| y)
    }

    pub fn calibration_error(&self, bins: Bins, closed: Closed) -> Estimable<CalibrationError> {
        let bins = self.bins(&self.edges(bins)?, closed);
        let all = self.p.len() as f64;
        let (mut expected, mut maximum, mut squares) = (0.0, 0.0_f64, 0.0);
        for bin in &bins {
            let gap = (bin.observed() - bin.predicted()).abs();
            let weight = bin.cases as f64 / all;
            expected += weight * gap;
            squares += weight * gap * gap;
            maximum = maximum.max(gap);
        }
        Ok(CalibrationError { bins, expected, maximum, root_mean_square: squares.sqrt() })
    }

    /// Intercept and slope, intervals Wald's. Not estimable where a probability is 0 or 1 (its logit is infinite), where all
    /// are alike, or where they separate the outcomes.
    pub fn recalibration(&self, level: f64) -> Estimable<Recalibration> {
        let rows: Vec<Vec<f64>> = self.logits()?.into_iter().map(|logit| vec![logit]).collect();
        let fit = logistic::fit(&Design::new(&["slope"], &rows, self.event)?, level)?;
        let [intercept, slope] = <[Coefficient; 2]>::try_from(fit.coefficients)
            .map_err(|_| NotEstimable::new("model", "the line has an intercept and a slope"))?;
        // the log-likelihood of the forecasts themselves, which are intercept 0 and slope 1
        let own = -self.log_loss(None)? * self.p.len() as f64;
        let chi_square = (2.0 * (fit.log_likelihood - own)).max(0.0);
        Ok(Recalibration { intercept, slope, chi_square, p: chi2_sf(chi_square, 2.0) })
    }

    /// The intercept a with Σ y = Σ expit(a + logit p), by Newton's method; its variance is 1 / Σ p̂ (1 − p̂).
    pub fn in_the_large(&self, level: f64) -> Estimable<InTheLarge> {
        let logits = self.logits()?;
        let events = self.event.iter().filter(|event| **event).count();
        if events == 0 || events == self.event.len() {
            return Err(NotEstimable::new("one_class", "all cases have the same outcome, the intercept is infinite"));
        }
        let at = |intercept: f64| {
            logits.iter().fold((0.0, 0.0), |(sum, information), logit| {
                let p = 1.0 / (1.0 + (-(intercept + logit)).exp());
                (sum + p, information + p * (1.0 - p))
            })
        };
        // the sum rises with the intercept: halve the bracket wherever a Newton step leaves it
        let (mut low, mut high, mut intercept) = (-800.0, 800.0, 0.0);
        for _ in 0..200 {
            let (sum, information) = at(intercept);
            let excess = sum - events as f64;
            if excess > 0.0 {
                high = intercept
            } else {
                low = intercept
            }
            let step = intercept - excess / information;
            let next = if step > low && step < high { step } else { f64::midpoint(low, high) };
            if (next - intercept).abs() <= 1e-14 * (1.0 + intercept.abs()) {
                break;
            }
            intercept = next;
        }
        let standard_error = at(intercept).1.sqrt().recip();
        let reach = norm_multiplier(level) * standard_error;
        let interval = Interval { lower: intercept - reach, upper: intercept + reach, level, method: "Wald" };
        Ok(InTheLarge { intercept, standard_error, interval })
    }

    /// Hosmer and Lemeshow's test (1980), Σ (O − E)² / (E (1 − E/n)) over groups at the quantiles of p (type 7, right-closed,
    /// the minimum included, as R's `cut`).
    pub fn hosmer_lemeshow(&self, groups: usize, sample: Sample) -> Estimable<HosmerLemeshow> {
        let groups = self.bins(&self.edges(Bins::Quantile(groups))?, Closed::Right);
        let mut chi_square = 0.0;
        for group in &groups {
            let (expected, n) = (group.expected, group.cases as f64);
            let variance = expected * (1.0 - expected / n);
            if variance <= 0.0 {
                return Err(NotEstimable::new("certain_group", "a group has expected events of 0 or of all its cases"));
            }
            chi_square += (group.events as f64 - expected).powi(2) / variance;
        }
        let fitted = if sample == Sample::Development { 2 } else { 0 };
        let degrees_of_freedom = groups.len().saturating_sub(fitted);
        if groups.len() < 3 {
            let reason = format!("{} groups of different probability; 3 are needed", groups.len());
            return Err(NotEstimable::new("too_few_groups", reason));
        }
        let p = chi2_sf(chi_square, degrees_of_freedom as f64);
        Ok(HosmerLemeshow { groups, chi_square, degrees_of_freedom, p })
    }

    /// Observed events over the sum of the probabilities, with its interval. No interval by logarithm without events.
    pub fn observed_over_expected(&self, method: RatioInterval, level: f64) -> Estimable<(f64, Interval)> {
        let observed = self.event.iter().filter(|event| **event).count() as f64;
        let expected: f64 = self.p.iter().sum();
        if expected == 0.0 {
            return Err(NotEstimable::new("nothing_expected", "the probabilities sum to 0"));
        }
        let ratio = observed / expected;
        let interval = match method {
            RatioInterval::LogWald if observed == 0.0 => {
                return Err(NotEstimable::new("no_event", "the logarithm of O/E needs an event"));
            }
            RatioInterval::LogWald => {
                let factor = (norm_multiplier(level) / observed.sqrt()).exp();
                Interval { lower: ratio / factor, upper: ratio * factor, level, method: "log-Wald" }
            }
            RatioInterval::Exact => {
                let tail = (1.0 - level) / 2.0;
                let lower = if observed == 0.0 { 0.0 } else { chi2_quantile(tail, 2.0 * observed) / 2.0 };
                let upper = chi2_quantile(1.0 - tail, 2.0 * observed + 2.0) / 2.0;
                Interval { lower: lower / expected, upper: upper / expected, level, method: "exact Poisson" }
            }
        };
        Ok((ratio, interval))
    }

    /// Spiegelhalter's z = Σ (y − p)(1 − 2p) / √(Σ (1 − 2p)² p (1 − p)) and its two-sided p (1986, Stat Med 5:421).
    pub fn spiegelhalter(&self) -> Estimable<(f64, f64)> {
        let (mut sum, mut variance) = (0.0, 0.0);
        for (&p, &event) in self.p.iter().zip(self.event) {
            let lean = 1.0 - 2.0 * p;
            sum += (f64::from(u8::from(event)) - p) * lean;
            variance += lean * lean * p * (1.0 - p);
        }
        if variance == 0.0 {
            return Err(NotEstimable::new("no_variance", "all probabilities are 0, 1/2 or 1"));
        }
        let z = sum / variance.sqrt();
        Ok((z, norm_two_sided_p(z)))
    }

    /// `threshold` > 0 and < 1: the probability at which acting and waiting are worth the same.
    pub fn net_benefit(&self, threshold: f64, act: Act) -> Estimable<NetBenefit> {
        if !(threshold > 0.0 && threshold < 1.0) {
            return Err(NotEstimable::new("threshold", format!("a threshold probability cannot be {threshold}")));
        }
        let acted = |p: f64| p > threshold || (act == Act::AtLeast && p == threshold);
        let odds = threshold / (1.0 - threshold);
        let true_positive = self.mean(|p, y| if acted(p) { y } else { 0.0 });
        let false_positive = self.mean(|p, y| if acted(p) { 1.0 - y } else { 0.0 });
        let prevalence = self.prevalence();
        let model = true_positive - false_positive * odds;
        let treat_all = prevalence - (1.0 - prevalence) * odds;
        let standardised = (prevalence > 0.0).then(|| model / prevalence);
        Ok(NetBenefit {
            threshold,
            model,
            treat_all,
            standardised,
            avoided_per_100: (model - treat_all) / odds * 100.0,
        })
    }

    fn mean(&self, of: impl Fn(f64, f64) -> f64) -> f64 {
        let sum: f64 = self.p.iter().zip(self.event).map(|(&p, &event)| of(p, f64::from(u8::from(event)))).sum();
        sum / self.p.len() as f64
    }

    fn logits(&self) -> Estimable<Vec<f64>> {
        if self.p.iter().any(|&p| p == 0.0 || p == 1.0) {
            return Err(NotEstimable::new("infinite_logit", "a probability of 0 or 1 has no finite logit"));
        }
        Ok(self.p.iter().map(|p| (p / (1.0 - p)).ln()).collect())
    }

    fn edges(&self, bins: Bins) -> Estimable<Vec<f64>> {
        let (Bins::Width(n) | Bins::WidthStepped(n) | Bins::Quantile(n)) = bins;
        if n == 0 {
            return Err(NotEstimable::new("bins", "at least one bin is needed"));
        }
        let share = |i: usize| i as f64 / n as f64;
        Ok(match bins {
            Bins::Width(_) => (0..=n).map(share).collect(),
            Bins::WidthStepped(_) => (0..=n).map(|i| if i == n { 1.0 } else { i as f64 * (1.0 / n as f64) }).collect(),
            Bins::Quantile(_) => {
                let mut sorted = self.p.to_vec();
                sorted.sort_unstable_by(f64::total_cmp);
                let quantile = |share: f64| {
                    let rank = (sorted.len() - 1) as f64 * share;
                    let below = rank.floor() as usize;
                    let above = (below + 1).min(sorted.len() - 1);
                    sorted[below] + (sorted[above] - sorted[below]) * (rank - below as f64)
                };
                let mut edges: Vec<f64> = (0..=n).map(|i| quantile(share(i))).collect();
                edges.dedup();
                edges
            }
        })
    }

    /// The bins that have cases; `edges` rise and span the probabilities.
    fn bins(&self, edges: &[f64], closed: Closed) -> Vec<Bin> {
        let last = edges.len().saturating_sub(2);
        let mut bins: Vec<Bin> = (0..=last)
            .map(|i| Bin {
                lower: edges[i],
                upper: edges[(i + 1).min(edges.len() - 1)],
                cases: 0,
                events: 0,
                expected: 0.0,
            })
            .collect();
        for (&p, &event) in self.p.iter().zip(self.event) {
            // edges below p, or at it where it opens a bin
            let before = match closed {
                Closed::Left => edges.partition_point(|&edge| edge <= p),
                Closed::Right => edges.partition_point(|&edge| edge < p),
            };
            let bin = &mut bins[before.saturating_sub(1).min(last)];
            bin.cases += 1;
            bin.events += usize::from(event);
            bin.expected += p;
        }
        bins.retain(|bin| bin.cases > 0);
        bins
    }
}

impl Bin {
    pub fn observed(&self) -> f64 {
        self.events as f64 / self.cases as f64
    }

    /// Mean predicted probability.
    pub fn predicted(&self) -> f64 {
        self.expected / self.cases as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_on_an_edge_goes_where_it_was_declared() {
        let forecasts = Forecasts::new(&[0.0, 0.3, 0.5, 1.0], &[false, true, true, true]).unwrap();
        let uppers = |bins, closed| -> Vec<f64> {
            forecasts.calibration_error(bins, closed).unwrap().bins.iter().map(|bin| bin.upper).collect()
        };
        assert_eq!(uppers(Bins::Width(10), Closed::Left), [0.1, 0.4, 0.6, 1.0]);
        assert_eq!(uppers(Bins::Width(10), Closed::Right), [0.1, 0.3, 0.5, 1.0]);
        assert_eq!(uppers(Bins::WidthStepped(10), Closed::Left)[1], 0.1 * 3.0, "0.3 lies below the rounded edge");
        assert!(forecasts.recalibration(0.95).is_err() && forecasts.in_the_large(0.95).is_err());
    }

    #[test]
    fn what_cannot_be_is_said() {
        assert!(Forecasts::new(&[1.1], &[true]).is_err());
        let constant = Forecasts::new(&[0.5; 4], &[true, false, true, false]).unwrap();
        assert!(constant.recalibration(0.95).is_err());
        assert!(constant.spiegelhalter().is_err());
        assert_eq!(constant.hosmer_lemeshow(10, Sample::External).unwrap_err().code, "too_few_groups");
        assert!(constant.in_the_large(0.95).unwrap().intercept.abs() < 1e-12);
        let wrong = Forecasts::new(&[0.0], &[true]).unwrap();
        assert!(wrong.log_loss(None).is_err() && wrong.log_loss(Some(1e-6)).is_ok());
        assert!(wrong.net_benefit(1.0, Act::Above).is_err());
    }
}
