//! `marks.csv` and `predicted_marks.csv`: one row a mark, by readers or by the device.

/// Marks in sets: one set for each reader and modality of the protocol, in its order, or one set for the device.
#[derive(Debug, Clone, PartialEq)]
pub struct Marks {
    pub sets: Vec<MarkSet>,
}

/// The marks of one reader in one modality, or those of the device.
#[derive(Debug, Clone, PartialEq)]
pub struct MarkSet {
    /// Index into the protocol's readers; `None` = the device.
    pub reader: Option<u32>,
    /// Index into the design's modalities; `None` = the device.
    pub modality: Option<u32>,
    /// One entry a case, in the order of [`super::Cases`]; a case without marks has an empty list.
    pub by_case: Vec<Vec<MarkRow>>,
}

/// A mark by its centre, in input pixels from the image's top left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MarkRow {
    pub x: f64,
    pub y: f64,
    pub z: Option<f64>,
    /// Of the mark's box; both or none.
    pub width: Option<f64>,
    pub height: Option<f64>,
    /// As it was given: on the readers' scale, or the device's score (higher = more suspicious).
    pub rating: f64,
}

impl Marks {
    pub fn count(&self) -> usize {
        self.sets.iter().flat_map(|set| &set.by_case).map(Vec::len).sum()
    }
}
