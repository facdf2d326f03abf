//! The model over the locked test set, and whether the predictions that are there came from it.

use super::Study;
use crate::data::Cases;
use crate::error::Error;
use crate::fault::Fault;
use crate::files::{read, write_atomically};
use crate::inference::runner::{self, PREDICTED_MARKS, PREDICTIONS, RECORD, RunRecord};
use crate::inference::{CaseInput, EngineChoice, LoadedModel, RunPlan, RunSummary, Source, determinism};
use crate::protocol::{Model, ModelInput};
use crate::provenance::{hash, ledger, lock::Lock};
use std::sync::atomic::AtomicBool;

/// Cases that [`Study::check_determinism`] runs again.
const SAMPLE: usize = 64;

#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    pub engine: EngineChoice,
    /// Workers; `None` = one a core.
    pub threads: Option<usize>,
    /// Start over even where an earlier run could be taken up.
    pub fresh: bool,
    /// A progress bar on a terminal.
    pub progress: bool,
}

impl Study {
    /// Runs the model over the test set, if nothing has changed since the lock, and enters the look in the ledger.
    ///
    /// # Errors
    /// No model; inputs that differ from the lock; and as [`runner::run`].
    pub fn run(&self, options: &RunOptions, stop: &AtomicBool, on: Option<&str>) -> Result<RunSummary, Error> {
        let model = self.model()?;
        if let Some(file) = &self.protocol.test_set.predictions {
            return Err(self.fault(
                "test_set.predictions",
                format!("\"{file}\": the predictions come from elsewhere"),
                "a protocol whose predictions `cadproof run` makes",
                "take the key out, or leave out `cadproof run`",
            ));
        }
        let (lock, cases) = self.locked()?;
        let inputs = self.inputs(&cases)?;
        let plan = RunPlan {
            model,
            study: &self.folder,
            cases: &inputs,
            engine: options.engine.clone(),
            threads: options.threads,
            protocol_sha256: &lock.protocol_hash,
            inputs_sha256: &lock.root,
            fresh: options.fresh,
            stop,
            progress: options.progress,
        };
        let outcome = runner::run(&plan);
        let purpose = match &outcome {
            Ok(summary) => {
                let record = &summary.record;
                format!("model over {} cases, predictions {:.12}", record.cases, record.predictions_sha256)
            }
            Err(Error::Interrupted) => "model over the test set, interrupted".to_owned(),
            // Nothing of the test set was shown.
            Err(_) => return outcome,
        };
        ledger::append(&self.folder, "run", &purpose, lock.model_hash.as_deref(), &lock.root, on)?;
        outcome
    }

    /// What other batch sizes and thread counts would have changed, on a sample of the cases. Enters it in the run's
    /// record, from which the analysis takes it.
    ///
    /// # Errors
    /// As [`Study::run`]; no run yet.
    pub fn check_determinism(&self, engine: &EngineChoice) -> Result<determinism::Report, Error> {
        let (lock, cases) = self.locked()?;
        let record = self.predictions_record(&lock)?;
        let points = &self.protocol.device.operating_point;
        let report = determinism::check(
            &self.load_model(engine)?,
            self.model()?,
            &self.folder,
            &self.inputs(&cases)?,
            SAMPLE,
            points,
        )?;
        if let Some(record) = record {
            let record = RunRecord { determinism: Some(report.clone()), ..record };
            write_atomically(&self.folder.join(RECORD), &record.render()?)?;
        }
        Ok(report)
    }

    pub(super) fn load_model(&self, engine: &EngineChoice) -> Result<LoadedModel, Error> {
        crate::inference::load(self.model()?, &self.folder, engine)
    }

    pub(super) fn model(&self) -> Result<&Model, Error> {
        self.protocol.model.as_ref().ok_or_else(|| {
            self.fault(
                "model",
                "no model is declared".to_owned(),
                "the ONNX model, its input and its output",
                "add [model], or leave out `cadproof run`",
            )
        })
    }

    /// The cases as the model takes them.
    pub(super) fn inputs(&self, cases: &Cases) -> Result<Vec<CaseInput>, Error> {
        let input = &self.model()?.input;
        let images = || {
            cases.image.as_ref().ok_or_else(|| {
                self.fault(
                    "test_set.image",
                    "no image column".to_owned(),
                    "the column that holds each image's path",
                    "add image = \"image\"",
                )
            })
        };
        let sources: Vec<Source> = match input {
            ModelInput::Image(_) => images()?.iter().map(|path| Source::Image(path.into())).collect(),
            ModelInput::Volume(_) => images()?.iter().map(|path| Source::Volume(path.into())).collect(),
            ModelInput::Columns(_) => (0..cases.len())
                .map(|case| Source::Columns(cases.columns.iter().map(|column| column.values[case]).collect()))
                .collect(),
        };
        Ok(cases.id.iter().cloned().zip(sources).map(|(id, source)| CaseInput { id, source }).collect())
    }

    /// The record of the run that made the predictions, where this study's predictions are made by `cadproof run`.
    ///
    /// # Errors
    /// No run yet; a run under another lock; predictions that are not what the run wrote.
    pub(super) fn predictions_record(&self, lock: &Lock) -> Result<Option<RunRecord>, Error> {
        if self.protocol.model.is_none() || self.protocol.test_set.predictions.is_some() {
            return Ok(None);
        }
        let path = self.folder.join(RECORD);
        let again = "run `cadproof run` again";
        if !path.exists() || !self.folder.join(PREDICTIONS).exists() {
            return Err(Error::Refused(format!(
                "{} has no predictions yet; run `cadproof run` first",
                self.folder.display()
            )));
        }
        let record: RunRecord = serde_json::from_slice(&read(&path)?)
            .map_err(|error| Error::Refused(format!("{}: not a run record: {error}; {again}", path.display())))?;
        if record.inputs_sha256 != lock.root {
            return Err(Error::Refused(format!(
                "{}: the predictions were made under lock {:.12}…, the lock in force is {:.12}…; {again}",
                path.display(),
                record.inputs_sha256,
                lock.root
            )));
        }
        let files = std::iter::once((PREDICTIONS, Some(&record.predictions_sha256)))
            .chain(record.marks_sha256.as_ref().map(|hash| (PREDICTED_MARKS, Some(hash))));
        for (name, recorded) in files {
            let file = self.folder.join(name);
            if Some(&hash::of_file(&file)?.0) != recorded {
                return Err(Error::Refused(format!(
                    "{}: not what the run wrote ({RECORD} has another hash); {again}",
                    file.display()
                )));
            }
        }
        Ok(Some(record))
    }

    fn fault(&self, key: &str, found: String, expected: &str, mend: &str) -> Error {
        let file = self.folder.join(super::PROTOCOL).display().to_string();
        Fault::new(&file, found, expected, mend).key(key).into()
    }
}
