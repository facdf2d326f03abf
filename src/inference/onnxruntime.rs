//! ONNX Runtime, where the user names its library. It is loaded while the program runs; nothing of it is built in.

use super::{Engine, EngineInfo, Fit, Plan, Tensor, Values};
use crate::error::Error;
use crate::fault::Fault;
use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What names the library where no path is given.
pub(super) const LIBRARY_VARIABLE: &str = "ORT_DYLIB_PATH";

/// What the library says of itself.
#[derive(Debug, Clone)]
struct Version {
    number: String,
    build: String,
}

/// A process can hold one ONNX Runtime; which, the first caller decides. It stays for the rest of the process.
static LOADED: Mutex<Option<(PathBuf, Environment, Version)>> = Mutex::new(None);

pub(super) struct OnnxRuntimePlan {
    environment: Environment,
    model: Vec<u8>,
    fit: Fit,
    info: EngineInfo,
}

impl OnnxRuntimePlan {
    pub(super) fn new(model: Vec<u8>, fit: &Fit, library: Option<&Path>, file: &str) -> Result<Self, Error> {
        let (environment, version) = environment(library)?;
        let info = EngineInfo {
            name: "onnxruntime".to_owned(),
            version: version.number,
            build: Some(version.build),
            optimisation: "all graph optimisations, CPU provider, deterministic kernels".to_owned(),
            threads_inside: 1,
        };
        let plan = Self { environment, model, fit: fit.clone(), info };
        // A model that can't be loaded is a fault of the model, told once and before the run.
        plan.session().map_err(|reason| {
            Fault::new(
                file,
                format!("ONNX Runtime {} can't run this model: {reason}", plan.info.version),
                "a model that this ONNX Runtime loads",
                "name a newer ONNX Runtime, or export the model at another opset",
            )
            .key("model.file")
        })?;
        Ok(plan)
    }

    fn session(&self) -> Result<Session, String> {
        let build = || -> ort::Result<Session> {
            Session::builder(&self.environment)?
                .with_intra_threads(1)?
                .with_inter_threads(1)?
                .with_deterministic_compute(true)?
                .with_optimization_level(GraphOptimizationLevel::All)?
                .commit_from_memory(&self.model)
        };
        build().map_err(|error| one_line(&error))
    }
}

/// The environment of the library at `library`, else at what `ORT_DYLIB_PATH` names.
fn environment(library: Option<&Path>) -> Result<(Environment, Version), Error> {
    let named = library
        .map(Path::to_owned)
        .or_else(|| std::env::var_os(LIBRARY_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from));
    let Some(path) = named else {
        return Err(Error::Refused(format!(
            "ONNX Runtime is asked for, but no library is named: give its file (libonnxruntime.so.1.x, from any \
             onnxruntime package) by the flag, or in {LIBRARY_VARIABLE}"
        )));
    };
    // The loader would look for a relative name beside the program and then in the system's folders.
    let path = std::path::absolute(&path).map_err(|error| Error::io(&path, error))?;
    let library = std::fs::read(&path).map_err(|error| Error::io(&path, error))?;
    let mut loaded = LOADED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((first, environment, version)) = loaded.as_ref() {
        if *first != path {
            return Err(Error::Refused(format!(
                "{} is loaded already; a process can hold one ONNX Runtime, so {} can't be",
                first.display(),
                path.display()
            )));
        }
        return Ok((environment.clone(), version.clone()));
    }
    let refused = |reason: String| Error::Refused(format!("ONNX Runtime can't be loaded: {reason}"));
    let environment = ort::init_from(&path)
        .map_err(|error| refused(error.to_string()))?
        .with_name("cadproof")
        .with_telemetry(false)
        .build()
        .map_err(|error| refused(one_line(&error)))?;
    let build = ort::info().trim().to_owned();
    let number = version_number(&build, &path);
    let version = Version { number, build: format!("{build}; library SHA-256 {}", super::sha256(&library)) };
    *loaded = Some((path, environment.clone(), version.clone()));
    Ok((environment, version))
}

/// The build's own words hold `git-branch=rel-1.23.2` in releases up to some version, later ones only a commit: then the
/// file's name says it (`libonnxruntime.so.1.32.0`), and the build's words and the file's hash stand beside it.
fn version_number(build: &str, path: &Path) -> String {
    let branch = build.split_once("git-branch=rel-").and_then(|(_, rest)| rest.split([',', ' ']).next());
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let suffix = name.split_once(".so.").map(|(_, version)| version);
    branch.or(suffix).filter(|version| !version.is_empty()).unwrap_or("of unknown version").to_owned()
}

fn one_line(error: &dyn std::fmt::Display) -> String {
    error.to_string().replace(['\n', '\r'], " ")
}

impl Plan for OnnxRuntimePlan {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn worker(&self) -> Result<Box<dyn Engine + '_>, String> {
        Ok(Box::new(OnnxRuntimeEngine { session: self.session()?, fit: &self.fit, info: &self.info }))
    }
}

struct OnnxRuntimeEngine<'a> {
    session: Session,
    fit: &'a Fit,
    info: &'a EngineInfo,
}

impl Engine for OnnxRuntimeEngine<'_> {
    fn info(&self) -> &EngineInfo {
        self.info
    }

    fn infer(&mut self, batch: &Tensor) -> Result<Tensor, String> {
        let mut run = || -> ort::Result<Tensor> {
            let (name, shape) = (self.fit.input.as_str(), batch.shape.clone());
            let outputs = match &batch.values {
                Values::F32(values) => {
                    let input = TensorRef::from_array_view((shape, values.as_slice()))?;
                    self.session.run(ort::inputs![name => input])?
                }
                Values::F64(values) => {
                    let input = TensorRef::from_array_view((shape, values.as_slice()))?;
                    self.session.run(ort::inputs![name => input])?
                }
            };
            let output = &outputs[self.fit.output.as_str()];
            let size = |shape: &[i64]| shape.iter().map(|&size| size as usize).collect();
            if let Ok((shape, values)) = output.try_extract_tensor::<f32>() {
                return Ok(Tensor { shape: size(shape), values: Values::F32(values.to_vec()) });
            }
            let (shape, values) = output.try_extract_tensor::<f64>()?;
            Ok(Tensor { shape: size(shape), values: Values::F64(values.to_vec()) })
        };
        run().map_err(|error| one_line(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::version_number;
    use std::path::Path;

    #[test]
    fn the_version_is_found_in_the_builds_words_or_the_files_name() {
        let number = |build, file| version_number(build, Path::new(file));
        assert_eq!(number("ORT Build Info: git-branch=rel-1.23.2, git-commit-id=ab", "libonnxruntime.so"), "1.23.2");
        assert_eq!(number("ORT Build Info: git-branch=HEAD", "lib/libonnxruntime.so.1.32.0"), "1.32.0");
        assert_eq!(number("ORT Build Info: git-branch=HEAD", "onnxruntime.dll"), "of unknown version");
    }
}
