//! Readers' ratings made from the Roe–Metz model that a protocol declares, for the study's own cases and truth.
//!
//! The model gives latent values `x` on an open scale, a reader rates on the protocol's. The map between them is one
//! increasing function for all readers, arms and cases:
//!
//! `rating = minimum + step · round((maximum − minimum) / step · Φ((x − m) / s))`
//!
//! with `m` halfway between the class means (half of the mean separation, so that the middle of the scale lies between
//! the classes) and `s` the standard deviation of one rating within a class, √(σ²_R + σ²_τR + σ²_C + σ²_τC + σ²_RC + σ²_ε).
//! Rounding to whole steps makes ties, as real readers do. A scale whose low end is suspicious is turned round at the end.

use crate::protocol::{Design, Protocol, Suspicious};
use crate::stats::mrmc::simulate::{Draw, InvalidModel, RoeMetz, SimulatedModality};
use crate::stats::quantiles::norm_cdf;

/// Bootstrap replicates count their streams up from 0; this one is theirs never.
const STREAM: u64 = u64::MAX;

/// One simulated reading; the numbers are places in the protocol's readers, the truth that was given, the design's modalities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulatedReading {
    pub reader: usize,
    pub case: usize,
    pub modality: usize,
    /// On the protocol's rating scale.
    pub rating: f64,
}

/// Every reader of the protocol on every case in every modality, ordered by modality, reader, case. `truth` is by case,
/// `true` = diseased.
///
/// # Errors
/// The protocol has no `[design.simulation]`, or the model or the list of cases cannot be simulated.
pub fn simulate(protocol: &Protocol, truth: &[bool]) -> Result<Vec<SimulatedReading>, InvalidModel> {
    let declared = protocol.design.as_ref().and_then(|design| Some((design, design.simulation.as_ref()?)));
    let Some((design, simulation)) = declared else {
        return Err(InvalidModel { reason: "the protocol declares no [design.simulation]".to_owned() });
    };
    let model = RoeMetz {
        modalities: design
            .modalities
            .iter()
            .zip(&simulation.separation)
            .map(|(modality, &separation)| SimulatedModality {
                label: modality.id.clone(),
                separation,
                latent_weight: 0.0,
            })
            .collect(),
        reader: simulation.var_reader,
        modality_reader: simulation.var_modality_reader,
        case: simulation.var_case,
        modality_case: simulation.var_modality_case,
        reader_case: simulation.var_reader_case,
        error: simulation.var_error,
        deviation_ratio: 1.0,
    };
    let readers = u32::try_from(protocol.readers.len())
        .map_err(|_| InvalidModel { reason: format!("{} readers", protocol.readers.len()) })?;
    let study = model.read(readers, truth, None, Draw { seed: protocol.study.seed, replicate: STREAM })?;
    let scale = Scale::new(design, &model);
    let rated = study.readings().map(|row| SimulatedReading {
        reader: row.reader as usize,
        case: row.case as usize,
        modality: row.modality as usize,
        rating: scale.rating(row.rating),
    });
    Ok(rated.collect())
}

struct Scale {
    minimum: f64,
    maximum: f64,
    step: f64,
    middle: f64,
    deviation: f64,
    turned: bool,
}

impl Scale {
    fn new(design: &Design, model: &RoeMetz) -> Self {
        let (minimum, maximum) = (design.rating_scale.minimum, design.rating_scale.maximum);
        let separations = model.modalities.iter().map(|modality| modality.separation);
        let variance =
            model.reader + model.modality_reader + model.case + model.modality_case + model.reader_case + model.error;
        Self {
            minimum,
            maximum,
            // Whole numbers, or hundredths of a scale that has too few of them, such as 0 to 1.
            step: if maximum - minimum >= 3.0 { 1.0 } else { (maximum - minimum) / 100.0 },
            middle: separations.sum::<f64>() / model.modalities.len() as f64 / 2.0,
            deviation: variance.sqrt(),
            turned: design.rating_scale.suspicious == Suspicious::Lower,
        }
    }

    fn rating(&self, latent: f64) -> f64 {
        let steps = (self.maximum - self.minimum) / self.step;
        let share = norm_cdf((latent - self.middle) / self.deviation);
        let up = (steps * share).round().min(steps.floor()) * self.step;
        if self.turned { self.maximum - up } else { self.minimum + up }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::parse;
    use crate::stats::roc;

    const NUCLEI: &str = include_str!("../../studies/nuclei/study.toml");

    /// 2000 cases of each class.
    fn ratings(text: &str) -> (Protocol, Vec<bool>, Vec<SimulatedReading>) {
        let protocol = parse(text, "study.toml").unwrap();
        let truth: Vec<bool> = (0..4000).map(|case| case % 2 == 1).collect();
        let rated = simulate(&protocol, &truth).unwrap();
        (protocol, truth, rated)
    }

    fn mean_auc(truth: &[bool], rated: &[SimulatedReading], modality: usize, readers: usize) -> f64 {
        let of = |reader: usize, diseased: bool| -> Vec<f64> {
            rated
                .iter()
                .filter(|r| r.reader == reader && r.modality == modality && truth[r.case] == diseased)
                .map(|r| r.rating)
                .collect()
        };
        (0..readers).map(|reader| roc::auc(&of(reader, true), &of(reader, false)).unwrap()).sum::<f64>()
            / readers as f64
    }

    #[test]
    fn the_readers_have_the_areas_that_the_protocol_says() {
        let (protocol, truth, rated) = ratings(NUCLEI);
        assert_eq!(rated.len(), 4000 * 6 * 2);
        assert!(rated.iter().all(|r| (0.0..=100.0).contains(&r.rating) && r.rating.fract() == 0.0));
        // Six readers of variance 0.035 on cases by the thousand: two standard errors of the mean area are some 0.03.
        for (modality, expected) in [(0, 0.86), (1, 0.91)] {
            let found = mean_auc(&truth, &rated, modality, protocol.readers.len());
            assert!((found - expected).abs() < 0.03, "modality {modality}: {found}");
        }
    }

    #[test]
    fn a_turned_scale_turns_the_ratings_and_a_short_one_has_hundredths() {
        let (_, _, up) = ratings(NUCLEI);
        let (_, _, down) = ratings(&NUCLEI.replace("suspicious = \"higher\"", "suspicious = \"lower\""));
        assert!(up.iter().zip(&down).all(|(up, down)| up.rating == 100.0 - down.rating));
        let short = NUCLEI.replace("maximum = 100", "maximum = 1").replace("threshold = 50", "threshold = 0.5");
        let (_, _, short) = ratings(&short);
        assert!(short.iter().zip(&up).all(|(short, up)| (short.rating - up.rating / 100.0).abs() < 1e-12));
    }

    #[test]
    fn another_seed_gives_other_ratings_and_no_model_a_reason() {
        let (_, _, one) = ratings(NUCLEI);
        let (_, _, same) = ratings(NUCLEI);
        let (_, _, other) = ratings(&NUCLEI.replace("seed = 20261125", "seed = 1"));
        assert_eq!(one, same);
        assert_ne!(one, other);
        let mut protocol = parse(NUCLEI, "study.toml").unwrap();
        protocol.design.as_mut().unwrap().simulation = None;
        assert!(simulate(&protocol, &[true, false]).unwrap_err().reason.contains("[design.simulation]"));
    }
}
