//! `lesions.csv`: one row a true lesion.

/// The lesions of each case, in the order of the file; a case without lesions has an empty list.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesions {
    /// One entry a case, in the order of [`super::Cases`].
    pub by_case: Vec<Vec<LesionRow>>,
}

/// A true lesion. Places and extents in input pixels from the image's top left corner.
#[derive(Debug, Clone, PartialEq)]
pub struct LesionRow {
    /// Unique within its case; its number there, from 1, where the file has no `lesion` column.
    pub id: String,
    /// The centre.
    pub x: f64,
    pub y: f64,
    pub z: Option<f64>,
    /// Of the lesion's box around its centre; both or none.
    pub width: Option<f64>,
    pub height: Option<f64>,
    /// Of a round lesion; excludes the box.
    pub radius: Option<f64>,
    /// > 0; equal weights where the file has none.
    pub weight: f64,
    /// In the unit that the study uses, such as millimetres; for description only.
    pub size: Option<f64>,
}

impl Lesions {
    pub fn count(&self) -> usize {
        self.by_case.iter().map(Vec::len).sum()
    }
}
