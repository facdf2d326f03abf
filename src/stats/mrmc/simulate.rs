//! Simulated reader studies whose truth is known: for checking methods, for planning, and for demonstrations.
//!
//! The model of Roe and Metz (1997, Academic Radiology 4:298): the rating of modality `i`, reader `j`, case `k` of truth
//! `t` is a sum of independent normal effects
//!
//! `X = μ_it + R_jt + (τR)_ijt + C_kt + (τC)_ikt + (RC)_jkt + ε_ijkt`
//!
//! with `μ` = 0 for non-diseased cases and the modality's separation for diseased ones. Reader effects are drawn anew
//! for each truth. Hillis (2012, Academic Radiology 19:1518) gives diseased cases a variance of their own by dividing the
//! variance of every effect with a case in it by b²; b = 1 is the model of Roe and Metz, b < 1 spreads diseased cases.
//!
//! The expected AUC of a modality over readers and cases is then
//!
//! `AUC_i = Φ(μ_i / √(2(σ²_R + σ²_τR) + (1 + 1/b²)(σ²_C + σ²_τC + σ²_RC + σ²_ε)))`.
//!
//! Random numbers: ChaCha with 12 rounds, one stream a replicate, one normal deviate (by inversion) an effect, in a fixed
//! order, also for effects of variance 0. A study therefore depends on its seed, replicate and sizes only.

use super::{Case, IndexedReading, MrmcData};
use crate::stats::quantiles::{norm_cdf, norm_quantile};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use serde::Serialize;

/// One modality of the model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimulatedModality {
    pub label: String,
    /// Mean rating of diseased less non-diseased cases, μ_i.
    pub separation: f64,
    /// What is added to a rating for each unit of the case's latent value ([`RoeMetz::read`]); no effect without one.
    pub latent_weight: f64,
}

/// Modalities and variances of the model. Roe and Metz scale the ratings so that case + modality_case + reader_case +
/// error = 1; nothing here relies on it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoeMetz {
    pub modalities: Vec<SimulatedModality>,
    /// σ²_R
    pub reader: f64,
    /// σ²_τR
    pub modality_reader: f64,
    /// σ²_C
    pub case: f64,
    /// σ²_τC
    pub modality_case: f64,
    /// σ²_RC
    pub reader_case: f64,
    /// σ²_ε: modality × reader × case and the noise of one reading.
    pub error: f64,
    /// b: ratio of the non-diseased to the diseased standard deviation of effects with a case in them.
    pub deviation_ratio: f64,
}

/// A model or a list of cases that cannot be simulated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InvalidModel {
    pub reason: String,
}

impl std::fmt::Display for InvalidModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot simulate: {}", self.reason)
    }
}

impl std::error::Error for InvalidModel {}

/// Which random study: the same seed and replicate give the same study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Draw {
    pub seed: u64,
    pub replicate: u64,
}

impl RoeMetz {
    /// Two modalities of equal variance.
    #[must_use]
    pub fn two_modalities(separations: [f64; 2], variances: &Variances) -> Self {
        let modalities = (1..)
            .zip(separations)
            .map(|(number, separation)| SimulatedModality { label: number.to_string(), separation, latent_weight: 0.0 })
            .collect();
        Self {
            modalities,
            reader: variances.reader,
            modality_reader: variances.modality_reader,
            case: variances.case,
            modality_case: variances.modality_case,
            reader_case: variances.reader_case,
            error: variances.error,
            deviation_ratio: 1.0,
        }
    }

    /// Expected AUC of a modality over readers and cases (without a latent value).
    #[must_use]
    pub fn expected_auc(&self, modality: usize) -> f64 {
        norm_cdf(self.modalities[modality].separation / self.difference_deviation())
    }

    /// The separation that gives a modality the expected AUC `auc`, 0 < auc < 1.
    #[must_use]
    pub fn separation_for(&self, auc: f64) -> f64 {
        norm_quantile(auc) * self.difference_deviation()
    }

    /// Standard deviation of "diseased − non-diseased" ratings of one reader in one modality, over readers and cases.
    fn difference_deviation(&self) -> f64 {
        let readers = 2.0 * (self.reader + self.modality_reader);
        let cases = self.case + self.modality_case + self.reader_case + self.error;
        (readers + (1.0 + self.deviation_ratio.powi(-2)) * cases).sqrt()
    }

    /// A fully crossed study. Non-diseased cases come first.
    ///
    /// # Errors
    /// A variance, ratio or separation out of range, or no reader, case or modality.
    pub fn simulate(&self, readers: u32, negatives: u32, positives: u32, draw: Draw) -> Result<MrmcData, InvalidModel> {
        let truth: Vec<bool> = (0..negatives).map(|_| false).chain((0..positives).map(|_| true)).collect();
        self.read(readers, &truth, None, draw)
    }

    /// Readings of given cases by `readers` simulated readers. `latent`, one value a case, is something all ratings of
    /// the case share beyond its truth, such as the score of a device; [`SimulatedModality::latent_weight`] times it is
    /// added, so that a modality with a larger weight relies on it more.
    ///
    /// # Errors
    /// As [`RoeMetz::simulate`], and a latent value that is missing or not finite.
    pub fn read(
        &self,
        readers: u32,
        truth: &[bool],
        latent: Option<&[f64]>,
        draw: Draw,
    ) -> Result<MrmcData, InvalidModel> {
        self.check(readers, truth, latent)?;
        let mut rng = ChaCha12Rng::seed_from_u64(draw.seed);
        rng.set_stream(draw.replicate);
        let mut normals = |count: usize, variance: f64| -> Vec<f64> {
            let deviation = variance.sqrt();
            (0..count).map(|_| deviation * standard_normal(&mut rng)).collect()
        };
        let (modality_count, reader_count, case_count) = (self.modalities.len(), readers as usize, truth.len());
        let reader = normals(2 * reader_count, self.reader);
        let modality_reader = normals(modality_count * 2 * reader_count, self.modality_reader);
        let case = normals(case_count, self.case);
        let modality_case = normals(modality_count * case_count, self.modality_case);
        let reader_case = normals(reader_count * case_count, self.reader_case);
        let error = normals(modality_count * reader_count * case_count, self.error);

        let mut readings = Vec::with_capacity(error.len());
        for (i, modality) in self.modalities.iter().enumerate() {
            for j in 0..reader_count {
                for (k, &diseased) in truth.iter().enumerate() {
                    let t = usize::from(diseased);
                    let of_reader = reader[t * reader_count + j] + modality_reader[(i * 2 + t) * reader_count + j];
                    let of_case = case[k]
                        + modality_case[i * case_count + k]
                        + reader_case[j * case_count + k]
                        + error[(i * reader_count + j) * case_count + k];
                    let mean = if diseased { modality.separation } else { 0.0 };
                    let spread = if diseased { self.deviation_ratio.recip() } else { 1.0 };
                    let shared = latent.map_or(0.0, |latent| modality.latent_weight * latent[k]);
                    readings.push(IndexedReading {
                        reader: j as u32,
                        case: k as u32,
                        modality: i as u32,
                        rating: mean + of_reader + spread * of_case + shared,
                    });
                }
            }
        }
        let cases = (1..)
            .zip(truth)
            .map(|(number, &diseased): (usize, _)| Case { label: number.to_string(), diseased, cluster: None })
            .collect();
        MrmcData::new(
            (1..=readers).map(|number| number.to_string()).collect(),
            self.modalities.iter().map(|modality| modality.label.clone()).collect(),
            cases,
            &readings,
        )
        .map_err(|fault| InvalidModel { reason: fault.to_string() })
    }

    fn check(&self, readers: u32, truth: &[bool], latent: Option<&[f64]>) -> Result<(), InvalidModel> {
        let refuse = |reason: String| Err(InvalidModel { reason });
        for (name, variance) in [
            ("reader", self.reader),
            ("modality_reader", self.modality_reader),
            ("case", self.case),
            ("modality_case", self.modality_case),
            ("reader_case", self.reader_case),
            ("error", self.error),
        ] {
            if !(variance >= 0.0 && variance.is_finite()) {
                return refuse(format!("the variance {name} = {variance} is not a number from 0"));
            }
        }
        if !(self.deviation_ratio > 0.0 && self.deviation_ratio.is_finite()) {
            return refuse(format!("the deviation ratio b = {} is not above 0", self.deviation_ratio));
        }
        for modality in &self.modalities {
            if !(modality.separation.is_finite() && modality.latent_weight.is_finite()) {
                return refuse(format!("separation and latent weight of modality {} must be finite", modality.label));
            }
        }
        if readers == 0 || truth.is_empty() || self.modalities.is_empty() {
            return refuse(format!(
                "a study needs a reader, a case and a modality: {readers}, {}, {}",
                truth.len(),
                self.modalities.len()
            ));
        }
        if u32::try_from(truth.len()).is_err() || u32::try_from(self.modalities.len()).is_err() {
            return refuse("more than 4,294,967,295 cases or modalities".to_owned());
        }
        match latent {
            Some(latent) if latent.len() != truth.len() => {
                refuse(format!("{} latent values for {} cases", latent.len(), truth.len()))
            }
            Some(latent) if latent.iter().any(|value| !value.is_finite()) => {
                refuse("a latent value is not finite".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// The variances of [`RoeMetz`] alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Variances {
    pub reader: f64,
    pub modality_reader: f64,
    pub case: f64,
    pub modality_case: f64,
    pub reader_case: f64,
    pub error: f64,
}

/// Ratings cut into categories: 1 below the first cut point, one more from each cut point on.
///
/// # Errors
/// Cut points that are not finite and increasing.
pub fn categorise(data: &MrmcData, cuts: &[f64]) -> Result<MrmcData, InvalidModel> {
    if cuts.iter().any(|cut| !cut.is_finite()) || cuts.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(InvalidModel { reason: format!("cut points {cuts:?} are not finite and increasing") });
    }
    let readings: Vec<IndexedReading> = data
        .readings()
        .map(|row| IndexedReading { rating: 1.0 + cuts.partition_point(|&cut| cut <= row.rating) as f64, ..row })
        .collect();
    MrmcData::new(data.readers().to_vec(), data.modalities().to_vec(), data.cases().to_vec(), &readings)
        .map_err(|fault| InvalidModel { reason: fault.to_string() })
}

/// By inversion of a uniform deviate from the middles of 2⁵³ equal parts of (0, 1): never 0, never 1.
fn standard_normal(rng: &mut ChaCha12Rng) -> f64 {
    let bits: u64 = rng.random::<u64>() >> 11;
    norm_quantile((bits as f64 + 0.5) * (-53_f64).exp2())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::mrmc::ustat;

    const VARIANCES: Variances =
        Variances { reader: 0.03, modality_reader: 0.02, case: 0.3, modality_case: 0.2, reader_case: 0.1, error: 0.4 };

    #[test]
    fn a_study_depends_on_seed_and_replicate_only() {
        let model = RoeMetz::two_modalities([1.0, 1.5], &VARIANCES);
        let draw = |seed, replicate| model.simulate(3, 4, 5, Draw { seed, replicate }).unwrap();
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
        assert_eq!((draw(1, 2).class_counts(), draw(1, 2).len()), ((5, 4), 2 * 3 * 9));
    }

    #[test]
    fn moments_are_those_of_the_model() {
        let mut model = RoeMetz::two_modalities([1.0, 1.5], &VARIANCES);
        model.deviation_ratio = 0.5;
        // one reader, many cases: what differs between cases is C + τC + RC + ε, what modalities share is C + RC
        let data = model.simulate(1, 40_000, 40_000, Draw { seed: 7, replicate: 0 }).unwrap();
        for (diseased, scale) in [(false, 1.0), (true, 4.0)] {
            let ratings = |modality| -> Vec<f64> {
                let cell = data.cell(modality, 0);
                let chosen = cell.cases.iter().zip(cell.ratings);
                chosen.filter(|(case, _)| data.cases()[**case as usize].diseased == diseased).map(|(_, r)| *r).collect()
            };
            let (a, b) = (ratings(0), ratings(1));
            let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
            let (mean_a, mean_b) = (mean(&a), mean(&b));
            let variance = a.iter().map(|x| (x - mean_a).powi(2)).sum::<f64>() / a.len() as f64;
            let covariance = a.iter().zip(&b).map(|(x, y)| (x - mean_a) * (y - mean_b)).sum::<f64>() / a.len() as f64;
            // standard errors near 1/√40,000 of the variance
            assert!((variance / scale - 1.0).abs() < 0.03, "{variance}");
            assert!((covariance / scale - 0.4).abs() < 0.03, "{covariance}");
        }
    }

    #[test]
    fn the_mean_auc_of_many_studies_is_the_expected_one() {
        let mut model = RoeMetz::two_modalities([0.0, 0.0], &VARIANCES);
        model.deviation_ratio = 0.8;
        model.modalities[0].separation = model.separation_for(0.7);
        model.modalities[1].separation = model.separation_for(0.85);
        assert!((model.expected_auc(1) - 0.85).abs() < 1e-12);
        let studies: u32 = 400;
        let mut sums = [0.0; 2];
        for replicate in 0..u64::from(studies) {
            let data = model.simulate(4, 20, 20, Draw { seed: 3, replicate }).unwrap();
            let result = ustat::analyse(&data, &ustat::Options::default());
            for (sum, one) in sums.iter_mut().zip(&result.per_modality) {
                *sum += one.auc.clone().unwrap();
            }
        }
        // the standard error of a mean of 400 AUCs is below 0.004
        for (modality, sum) in sums.iter().enumerate() {
            let mean = sum / f64::from(studies);
            assert!((mean - model.expected_auc(modality)).abs() < 0.015, "modality {modality}: {mean}");
        }
    }

    #[test]
    fn a_latent_value_moves_the_modality_that_weighs_it() {
        let mut model = RoeMetz::two_modalities([1.0, 1.0], &VARIANCES);
        model.modalities[1].latent_weight = 2.0;
        let truth = [true, false, true];
        let draw = Draw { seed: 5, replicate: 0 };
        let plain = model.read(2, &truth, None, draw).unwrap();
        let moved = model.read(2, &truth, Some(&[1.0, 0.0, -1.0]), draw).unwrap();
        for (plain, moved) in plain.readings().zip(moved.readings()) {
            let latent = [1.0, 0.0, -1.0][plain.case as usize];
            let added = if plain.modality == 1 { 2.0 * latent } else { 0.0 };
            assert!((moved.rating - plain.rating - added).abs() < 1e-12);
        }
    }

    #[test]
    fn categories_keep_the_order_and_count_from_one() {
        let model = RoeMetz::two_modalities([1.0, 1.0], &VARIANCES);
        let data = model.simulate(2, 30, 30, Draw { seed: 9, replicate: 0 }).unwrap();
        let cut = categorise(&data, &[-0.5, 0.5, 1.5]).unwrap();
        for (before, after) in data.readings().zip(cut.readings()) {
            let expected = 1.0 + [-0.5, 0.5, 1.5].iter().filter(|&&cut| before.rating >= cut).count() as f64;
            assert_eq!(after.rating, expected);
        }
        assert!(categorise(&data, &[0.5, 0.5]).is_err());
    }

    #[test]
    fn impossible_models_are_refused_with_the_reason() {
        let draw = Draw { seed: 1, replicate: 0 };
        let mut model = RoeMetz::two_modalities([1.0, 1.0], &VARIANCES);
        assert!(model.simulate(0, 5, 5, draw).is_err());
        assert!(
            model.read(2, &[true, false], Some(&[0.0]), draw).unwrap_err().reason.contains("1 latent values for 2")
        );
        model.reader_case = -0.1;
        assert!(model.simulate(2, 5, 5, draw).unwrap_err().reason.contains("reader_case"));
        model.reader_case = 0.1;
        model.deviation_ratio = 0.0;
        assert!(model.simulate(2, 5, 5, draw).is_err());
    }
}
