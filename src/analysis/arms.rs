//! The arms of a reader study as the analyses take them: which are compared, and who rated what in both.

use crate::protocol::{Endpoint, Protocol, Subject};
use crate::stats::mrmc::MrmcData;
use crate::stats::{Estimable, NotEstimable};

/// A case that one reader read in both arms.
#[derive(Debug, Clone, Copy)]
pub struct PairedRating {
    /// Index into the readings' cases.
    pub case: u32,
    pub test: f64,
    pub control: f64,
    pub diseased: bool,
}

pub fn paired_ratings(data: &MrmcData, reader: usize, test: usize, control: usize) -> Vec<PairedRating> {
    let cell = data.cell(test, reader);
    cell.cases
        .iter()
        .zip(cell.ratings)
        .filter_map(|(&case, &rating)| {
            Some(PairedRating {
                case,
                test: rating,
                control: data.rating(control, reader, case)?,
                diseased: data.cases()[case as usize].diseased,
            })
        })
        .collect()
}

pub fn ratings_by_truth(data: &MrmcData, modality: usize, reader: usize) -> (Vec<f64>, Vec<f64>) {
    let cell = data.cell(modality, reader);
    let mut split = (Vec::new(), Vec::new());
    for (&case, &rating) in cell.cases.iter().zip(cell.ratings) {
        if data.cases()[case as usize].diseased {
            split.0.push(rating);
        } else {
            split.1.push(rating);
        }
    }
    split
}

/// Indices of `[test, control]` among the modalities that were read.
pub fn modality_pair(data: &MrmcData, pair: &[String; 2]) -> Option<(usize, usize)> {
    let at = |id: &String| data.modalities().iter().position(|m| m == id);
    Some((at(&pair[0])?, at(&pair[1])?))
}

/// The pair that the by-reader tables compare: that of the first endpoint that compares, else second against first arm.
pub fn compared_pair(protocol: &Protocol, data: &MrmcData) -> Option<(usize, usize)> {
    protocol
        .endpoints
        .iter()
        .filter(|e| e.subject == Subject::Readers)
        .find_map(|e| e.compare.as_ref())
        .and_then(|pair| modality_pair(data, pair))
        .or((data.modalities().len() > 1).then_some((1, 0)))
}

/// The readings of the arms that the endpoint names, the test arm first.
pub fn arms_of(data: &MrmcData, endpoint: &Endpoint) -> Estimable<MrmcData> {
    let names: Vec<&str> = match (&endpoint.compare, &endpoint.modality) {
        (Some(pair), _) => pair.iter().map(String::as_str).collect(),
        (None, Some(modality)) => vec![modality.as_str()],
        (None, None) => return Err(arm_missing(endpoint)),
    };
    if let Some(pair) = &endpoint.compare {
        modality_pair(data, pair).ok_or_else(|| arm_missing(endpoint))?;
    }
    data.filter(|row| names.contains(&data.modalities()[row.modality as usize].as_str()))
        .and_then(|kept| kept.with_modality_order(&names))
        .ok_or_else(|| arm_missing(endpoint))
}

pub fn arm_missing(endpoint: &Endpoint) -> NotEstimable {
    NotEstimable::new("arm-not-read", format!("no reading of the arms that endpoint {} compares", endpoint.id))
}

/// The moments of a U-statistic are of independent cases.
pub fn independent_cases(data: &MrmcData) -> Estimable<()> {
    if data.cases().iter().any(|case| case.cluster.is_some()) {
        return Err(NotEstimable::new(
            "clustered_cases",
            "the U-statistic takes cases as independent; several share a patient here",
        ));
    }
    Ok(())
}
