//! An ONNX model behind one trait, and the run of it over the test set.
//!
//! [`load`] holds the model's own signature against the protocol and refuses a misfit with both sides shown. The engine
//! is tract, in Rust and always there, or ONNX Runtime, a library that the user names. [`runner::run`] puts every case
//! through it; [`determinism::check`] says what other batch sizes and thread counts would have changed.

pub mod determinism;
pub mod interrupt;
pub mod journal;
pub mod marks;
mod onnxruntime;
pub mod output;
pub mod predict;
pub mod runner;
pub mod signature;
mod tract;

pub use predict::{CaseInput, Source};
pub use runner::{RunPlan, RunSummary};
pub use signature::{Element, Fit, Signature};

use crate::error::Error;
use crate::protocol::Model;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Which engine runs the model. Never chosen silently: without a word it is tract.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum EngineChoice {
    #[default]
    Tract,
    /// The library's file; without one the environment variable `ORT_DYLIB_PATH` names it.
    OnnxRuntime { library: Option<PathBuf> },
}

/// What ran the model, for the run record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineInfo {
    pub name: String,
    pub version: String,
    /// What a library that was loaded says of its build, with the hash of its file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// What the engine did to the graph before it ran.
    pub optimisation: String,
    /// Threads that the engine uses inside one batch; the runner adds workers, not these.
    pub threads_inside: usize,
}

impl EngineInfo {
    /// What a journal's results hang on.
    pub fn key(&self) -> String {
        let build = self.build.as_deref().unwrap_or_default();
        format!("{} {} {build}", self.name, self.version).trim_end().to_owned()
    }
}

/// Numbers in the type that the model takes or gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl Values {
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A tensor in row-major order, the batch its first axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub values: Values,
}

/// One worker's engine: it keeps its own buffers, so each thread has one.
pub trait Engine {
    fn info(&self) -> &EngineInfo;

    /// The declared output for one batch of cases. The same batch gives the same bits each time.
    ///
    /// # Errors
    /// What the engine says; the runner makes it the reason of the cases in the batch.
    fn infer(&mut self, batch: &Tensor) -> Result<Tensor, String>;
}

/// A loaded model, shared by the workers.
trait Plan: Send + Sync {
    fn info(&self) -> &EngineInfo;
    fn worker(&self) -> Result<Box<dyn Engine + '_>, String>;
}

/// A model that fits its protocol, ready to run.
pub struct LoadedModel {
    plan: Box<dyn Plan>,
    pub fit: Fit,
    pub signature: Signature,
    /// Lower-case hexadecimal SHA-256 of the ONNX file.
    pub sha256: String,
}

impl LoadedModel {
    pub fn info(&self) -> &EngineInfo {
        self.plan.info()
    }

    /// An engine for one thread.
    ///
    /// # Errors
    /// The engine can't be started on this model.
    pub fn worker(&self) -> Result<Box<dyn Engine + '_>, Error> {
        self.plan.worker().map_err(|reason| self.refused(&reason))
    }

    fn refused(&self, reason: &str) -> Error {
        Error::Refused(format!("{} {}: {reason}", self.info().name, self.info().version))
    }
}

/// Reads `model.file` in `study`, holds it against the protocol and makes it ready on the chosen engine.
///
/// # Errors
/// The file is missing or no ONNX, its signature does not fit (every misfit is listed), or the engine can't load it.
pub fn load(model: &Model, study: &Path, choice: &EngineChoice) -> Result<LoadedModel, Error> {
    let bytes = crate::files::read(&study.join(&model.file))?;
    let signature = Signature::read(&bytes, &model.file)?;
    let fit = signature::fit(&signature, model)?;
    let plan: Box<dyn Plan> = match choice {
        EngineChoice::Tract => Box::new(tract::TractPlan::new(&bytes, &fit, &model.file)?),
        EngineChoice::OnnxRuntime { library } => {
            Box::new(onnxruntime::OnnxRuntimePlan::new(bytes.clone(), &fit, library.as_deref(), &model.file)?)
        }
    };
    Ok(LoadedModel { plan, fit, signature, sha256: sha256(&bytes) })
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
