//! A study's readings for another program. On a locked study that is a look at the test set, and is entered as one.

use super::Study;
use crate::data;
use crate::data::formats::Exchange;
use crate::error::Error;
use crate::provenance::{ledger, lock};

impl Study {
    /// The readings on the scale that the protocol declares.
    ///
    /// # Errors
    /// Faults of the tables; a locked study whose inputs differ from the lock; a study without readings.
    pub fn exported_readings(&self, format: &str, on: Option<&str>) -> Result<Exchange, Error> {
        let lock = match lock::read(&self.folder)? {
            Some(_) => Some(self.locked()?.0),
            None => None,
        };
        // Without the model: readings do not hang on what it predicted.
        let inputs = crate::protocol::Protocol { model: None, ..self.protocol.clone() };
        let data = data::load(&self.folder, &inputs)?;
        let (Some(readings), Some(design)) = (&data.readings, &self.protocol.design) else {
            return Err(Error::Refused(format!("{} has no readings to convert", self.folder.display())));
        };
        if let Some(lock) = lock {
            let purpose = format!("exported the readings as {format}");
            ledger::append(&self.folder, "convert", &purpose, lock.model_hash.as_deref(), &lock.root, on)?;
        }
        Ok(Exchange::from_study(&data.cases, readings, design.rating_scale.suspicious))
    }
}
