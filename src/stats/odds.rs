//! Odds ratios of one 2×2 table and of many strata.
//!
//! Layout everywhere: row 1 = group 1 (a yes, b no), row 2 = group 2 (c yes, d no), odds ratio = ad/(bc).

use super::paired::ChiSquareTest;
use super::proportion::check_level;
use super::quantiles::{chi2_sf, norm_multiplier};
use super::{Estimable, Interval, NotEstimable};
use serde::Serialize;

/// Counts of a 2×2 table of two independent groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Table2x2 {
    pub a: u64,
    pub b: u64,
    pub c: u64,
    pub d: u64,
}

/// What was added to the counts before the ratio was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum CellCorrection {
    None,
    /// 0.5 in all four cells, whichever of them is empty (Haldane 1956, Anscombe 1956).
    HaldaneAnscombe,
}

impl CellCorrection {
    /// The words printed next to the number.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "no correction",
            Self::HaldaneAnscombe => "Haldane–Anscombe, 0.5 added to all four cells",
        }
    }
}

/// A ratio (of odds, of likelihoods) with an interval on the log scale.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ratio {
    pub estimate: f64,
    /// Standard error of the natural logarithm.
    pub log_se: Estimable<f64>,
    pub interval: Estimable<Interval>,
    pub correction: CellCorrection,
}

/// An interval of a ratio, whose upper end may not exist.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OpenInterval {
    pub lower: f64,
    /// `None`: the data set no upper limit.
    pub upper: Option<f64>,
    pub level: f64,
    pub method: &'static str,
}

/// A common odds ratio over strata.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CommonOddsRatio {
    pub estimate: f64,
    /// Standard error of the logarithm (Robins, Breslow & Greenland 1986).
    pub log_se: f64,
    pub interval: Interval,
    /// Strata that carry information (ad + bc > 0).
    pub strata_used: usize,
    pub strata: usize,
}

impl Table2x2 {
    fn cells(&self, correction: CellCorrection) -> [f64; 4] {
        let add = if correction == CellCorrection::HaldaneAnscombe { 0.5 } else { 0.0 };
        [self.a, self.b, self.c, self.d].map(|count| count as f64 + add)
    }

    pub fn has_zero_cell(&self) -> bool {
        [self.a, self.b, self.c, self.d].contains(&0)
    }
}

/// ad/(bc) with Woolf's (1955) interval exp(ln OR ± z √(1/a + 1/b + 1/c + 1/d)).
///
/// Without correction: 0 is an answer (ad = 0) whose interval is not estimable; bc = 0 gives no ratio at all.
pub fn odds_ratio(table: &Table2x2, correction: CellCorrection, level: f64) -> Estimable<Ratio> {
    check_level(level)?;
    let [a, b, c, d] = table.cells(correction);
    if b * c == 0.0 {
        return Err(NotEstimable::new(
            "zero_cell",
            format!("the odds ratio divides by zero: cells {}, {}, {}, {}", table.a, table.b, table.c, table.d),
        ));
    }
    let estimate = a * d / (b * c);
    let log_se = if a * d == 0.0 {
        Err(NotEstimable::new(
            "zero_cell",
            format!(
                "the odds ratio is 0 (cells {}, {}, {}, {}): its logarithm does not exist",
                table.a, table.b, table.c, table.d
            ),
        ))
    } else {
        Ok((1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d).sqrt())
    };
    let method = match correction {
        CellCorrection::None => "Woolf",
        CellCorrection::HaldaneAnscombe => "Woolf with Haldane–Anscombe correction",
    };
    Ok(log_ratio(estimate, log_se, level, method, correction))
}

/// The ratio with exp(ln estimate ± z·se).
pub(crate) fn log_ratio(
    estimate: f64,
    log_se: Estimable<f64>,
    level: f64,
    method: &'static str,
    correction: CellCorrection,
) -> Ratio {
    let z = norm_multiplier(level);
    let interval = log_se.clone().map(|se| Interval {
        lower: estimate * (-z * se).exp(),
        upper: estimate * (z * se).exp(),
        level,
        method,
    });
    Ratio { estimate, log_se, interval, correction }
}

/// Mantel & Haenszel's (1959) common odds ratio Σ(ad/n) / Σ(bc/n) with the variance of Robins, Breslow &
/// Greenland (1986), which holds for few large and for many sparse strata, pairs included.
pub fn mantel_haenszel(strata: &[Table2x2], level: f64) -> Estimable<CommonOddsRatio> {
    check_level(level)?;
    let (mut r_sum, mut s_sum) = (0.0, 0.0);
    let (mut pr, mut ps_qr, mut qs) = (0.0, 0.0, 0.0);
    let mut strata_used = 0;
    for table in strata {
        let [a, b, c, d] = table.cells(CellCorrection::None);
        let n = a + b + c + d;
        if a * d + b * c == 0.0 {
            continue;
        }
        strata_used += 1;
        let (r, s) = (a * d / n, b * c / n);
        let (p, q) = ((a + d) / n, (b + c) / n);
        r_sum += r;
        s_sum += s;
        pr += p * r;
        ps_qr += p * s + q * r;
        qs += q * s;
    }
    if r_sum == 0.0 || s_sum == 0.0 {
        return Err(NotEstimable::new(
            "no_opposing_strata",
            format!(
                "the common odds ratio needs evidence on both sides: Σad/n = {r_sum}, Σbc/n = {s_sum} over {} strata",
                strata.len()
            ),
        ));
    }
    let log_se = (pr / (2.0 * r_sum * r_sum) + ps_qr / (2.0 * r_sum * s_sum) + qs / (2.0 * s_sum * s_sum)).sqrt();
    let estimate = r_sum / s_sum;
    let z = norm_multiplier(level);
    let interval = Interval {
        lower: estimate * (-z * log_se).exp(),
        upper: estimate * (z * log_se).exp(),
        level,
        method: "Mantel–Haenszel, Robins–Breslow–Greenland",
    };
    Ok(CommonOddsRatio { estimate, log_se, interval, strata_used, strata: strata.len() })
}

/// The Cochran–Mantel–Haenszel test of no association within strata, with or without the continuity correction of ½.
pub fn cochran_mantel_haenszel(strata: &[Table2x2], continuity: bool) -> Estimable<ChiSquareTest> {
    let (mut gap, mut variance) = (0.0, 0.0);
    for table in strata {
        let [a, b, c, d] = table.cells(CellCorrection::None);
        let n = a + b + c + d;
        if n < 2.0 {
            continue;
        }
        gap += a - (a + b) * (a + c) / n;
        variance += (a + b) * (c + d) * (a + c) * (b + d) / (n * n * (n - 1.0));
    }
    if variance == 0.0 {
        return Err(NotEstimable::new(
            "no_informative_stratum",
            format!("none of {} strata has both groups and both outcomes", strata.len()),
        ));
    }
    let correction = if continuity { f64::min(0.5, gap.abs()) } else { 0.0 };
    let chi2 = (gap.abs() - correction).powi(2) / variance;
    Ok(ChiSquareTest { chi2, df: 1.0, p: chi2_sf(chi2, 1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::paired::{PairedTable, mcnemar, paired_odds_ratio};

    // R's UCBAdmissions by department; mantelhaen.test prints OR 0.9046968 [0.7719074, 1.0603298], X² 1.4269.
    const ADMISSIONS: [Table2x2; 6] = [
        Table2x2 { a: 512, b: 313, c: 89, d: 19 },
        Table2x2 { a: 353, b: 207, c: 17, d: 8 },
        Table2x2 { a: 120, b: 205, c: 202, d: 391 },
        Table2x2 { a: 138, b: 279, c: 131, d: 244 },
        Table2x2 { a: 53, b: 138, c: 94, d: 299 },
        Table2x2 { a: 22, b: 351, c: 24, d: 317 },
    ];

    #[test]
    fn six_departments() {
        let common = mantel_haenszel(&ADMISSIONS, 0.95).unwrap();
        assert!((common.estimate - 0.904_696_8).abs() < 5e-8);
        assert!((common.interval.lower - 0.771_907_4).abs() < 5e-8);
        assert!((common.interval.upper - 1.060_329_8).abs() < 5e-8);
        assert!((cochran_mantel_haenszel(&ADMISSIONS, true).unwrap().chi2 - 1.4269).abs() < 5e-5);
    }

    #[test]
    fn one_stratum_is_woolf_and_pairs_are_mcnemar() {
        let table = Table2x2 { a: 40, b: 5, c: 13, d: 56 };
        let one = mantel_haenszel(&[table], 0.95).unwrap();
        let woolf = odds_ratio(&table, CellCorrection::None, 0.95).unwrap();
        assert!((one.estimate - woolf.estimate).abs() < 1e-12);
        assert!((one.log_se - woolf.log_se.unwrap()).abs() < 1e-12);

        let pair = |a, c| Table2x2 { a, b: 1 - a, c, d: 1 - c };
        let counts = PairedTable { both: 4, only_a: 7, only_b: 3, neither: 5 };
        let mut strata = vec![pair(1, 1); 4];
        strata.extend(vec![pair(1, 0); 7]);
        strata.extend(vec![pair(0, 1); 3]);
        strata.extend(vec![pair(0, 0); 5]);
        let common = mantel_haenszel(&strata, 0.95).unwrap();
        let paired = paired_odds_ratio(&counts, 0.95).unwrap();
        assert!((common.estimate - paired.estimate.unwrap()).abs() < 1e-12);
        assert!((common.log_se - paired.log_se.unwrap()).abs() < 1e-12);
        assert_eq!((common.strata_used, common.strata), (10, 19));
        let test = cochran_mantel_haenszel(&strata, false).unwrap();
        assert!((test.chi2 - mcnemar(&counts).unwrap().chi2).abs() < 1e-12);
    }

    #[test]
    fn zero_cells_are_named() {
        let table = Table2x2 { a: 14, b: 2, c: 9, d: 0 };
        let raw = odds_ratio(&table, CellCorrection::None, 0.95).unwrap();
        assert_eq!(raw.estimate, 0.0);
        assert_eq!(raw.interval.unwrap_err().code, "zero_cell");
        let turned = Table2x2 { a: 2, b: 14, c: 0, d: 9 };
        assert_eq!(odds_ratio(&turned, CellCorrection::None, 0.95).unwrap_err().code, "zero_cell");
        assert_eq!(mantel_haenszel(&[turned], 0.95).unwrap_err().code, "no_opposing_strata");
        assert_eq!(mantel_haenszel(&[], 0.95).unwrap_err().code, "no_opposing_strata");
    }
}
