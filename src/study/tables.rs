//! The checked tables of a study as Parquet, joined by case, for a statistician's own programs.

use super::Study;
use crate::data::StudyData;
use crate::data::frame::{cases_frame, predictions_frame, readings_frame, write_parquet};
use crate::error::Error;
use std::path::{Path, PathBuf};

impl Study {
    /// `cases.parquet` (with the device's scores where there are any) and `readings.parquet` in `folder`, which is made.
    ///
    /// # Errors
    /// A file that can't be written.
    pub fn write_tables(&self, data: &StudyData, folder: &Path) -> Result<Vec<PathBuf>, Error> {
        std::fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
        let mut written = Vec::new();
        let mut cases = match &data.predictions {
            Some(predictions) => predictions_frame(&data.cases, predictions)?,
            None => cases_frame(&data.cases)?,
        };
        let path = folder.join("cases.parquet");
        write_parquet(&mut cases, &path)?;
        written.push(path);
        if let Some(readings) = &data.readings {
            let path = folder.join("readings.parquet");
            write_parquet(&mut readings_frame(&data.cases, readings)?, &path)?;
            written.push(path);
        }
        Ok(written)
    }
}
