//! `readings.csv`: one row a reading, its reader, case, modality and rating.

use super::cases::Cases;
use crate::error::Error;
use crate::protocol::Suspicious;
use crate::stats::mrmc::{Case, IndexedReading, MrmcData};

/// The checked readings, in the order of the file: at most one for each reader, case and modality.
#[derive(Debug, Clone, PartialEq)]
pub struct Readings {
    /// All readers of the protocol, in its order.
    pub readers: Vec<String>,
    /// All modalities of the design, in its order.
    pub modalities: Vec<String>,
    /// Index into `readers`, one a reading.
    pub reader: Vec<u32>,
    /// Index into `modalities`, one a reading.
    pub modality: Vec<u32>,
    /// Index into [`Cases`], one a reading.
    pub case: Vec<u32>,
    /// As it was given, on the declared scale.
    pub rating: Vec<f64>,
    /// Reading time in seconds, >= 0; `None` where the cell is blank.
    pub seconds: Option<Vec<Option<f64>>>,
    pub session: Option<Vec<Option<String>>>,
}

impl Readings {
    pub fn len(&self) -> usize {
        self.rating.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rating.is_empty()
    }

    /// The readings as the statistics take them: higher = more suspicious, so ratings are negated where the declared
    /// scale runs the other way. Patients are clusters where some patient has several cases.
    ///
    /// Readers, modalities and cases that have no reading at all are left out, as nothing is known of them;
    /// [`super::warnings`] names them. The order is that of the protocol and of the cases, whatever order the rows have.
    ///
    /// # Errors
    /// No reading at all; readings that did not come through the checks of this module.
    pub fn to_mrmc(&self, cases: &Cases, suspicious: Suspicious) -> Result<MrmcData, Error> {
        let (readers, reader_at) = used(&self.readers, &self.reader)?;
        let (modalities, modality_at) = used(&self.modalities, &self.modality)?;
        let (_, case_at) = used(&cases.id, &self.case)?;
        let clustered = cases.is_clustered();
        let read: Vec<usize> = (0..cases.len()).filter(|&case| case_at[case].is_some()).collect();
        let mut patients: Vec<Option<u32>> = vec![None; cases.patient_names.len()];
        let mut next = 0;
        let table = read
            .iter()
            .map(|&case| {
                let patient = *patients[cases.patient[case] as usize].get_or_insert_with(|| {
                    next += 1;
                    next - 1
                });
                Case {
                    label: cases.id[case].clone(),
                    diseased: cases.truth[case],
                    cluster: clustered.then_some(patient),
                }
            })
            .collect();
        let place = |at: &[Option<u32>], index: u32| at.get(index as usize).copied().flatten().unwrap_or(u32::MAX);
        let rows: Vec<IndexedReading> = (0..self.len())
            .map(|row| IndexedReading {
                reader: place(&reader_at, self.reader[row]),
                case: place(&case_at, self.case[row]),
                modality: place(&modality_at, self.modality[row]),
                rating: match suspicious {
                    Suspicious::Higher => self.rating[row],
                    // 0 − x, as −x would make a negative zero of 0
                    Suspicious::Lower => 0.0 - self.rating[row],
                },
            })
            .collect();
        MrmcData::new(readers, modalities, table, &rows).map_err(|error| Error::Refused(format!("readings: {error}")))
    }
}

/// The names that some index points to, in order, and the new index of each.
fn used(names: &[String], indices: &[u32]) -> Result<(Vec<String>, Vec<Option<u32>>), Error> {
    let mut at: Vec<Option<u32>> = vec![None; names.len()];
    for &index in indices {
        let slot = at
            .get_mut(index as usize)
            .ok_or_else(|| Error::Internal(format!("index {index} into {} names", names.len())))?;
        *slot = Some(0);
    }
    for (new, slot) in (0..).zip(at.iter_mut().filter(|slot| slot.is_some())) {
        *slot = Some(new);
    }
    let kept = names.iter().zip(&at).filter(|(_, at)| at.is_some()).map(|(name, _)| name.clone()).collect();
    Ok((kept, at))
}
