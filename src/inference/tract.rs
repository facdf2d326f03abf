//! The engine that is always there: tract, ONNX in Rust, nothing to install.

use super::{Element, Engine, EngineInfo, Fit, Plan, Tensor, Values};
use crate::error::Error;
use crate::fault::Fault;
use std::sync::Arc;
use tract_onnx::prelude::*;

/// As in the lock file; a test holds the two together.
pub(super) const VERSION: &str = "0.23.9";

pub(super) struct TractPlan {
    plan: Arc<TypedRunnableModel>,
    info: EngineInfo,
}

impl TractPlan {
    pub(super) fn new(bytes: &[u8], fit: &Fit, file: &str) -> Result<Self, Error> {
        let plan = build(bytes, fit).map_err(|error| {
            Fault::new(
                file,
                format!("tract {VERSION} can't run this model: {error:#}"),
                "a model made of operators that tract has",
                "name ONNX Runtime as the engine, or export the model at another opset",
            )
            .key("model.file")
        })?;
        let info = EngineInfo {
            name: "tract".to_owned(),
            version: VERSION.to_owned(),
            build: None,
            optimisation: "declutter and codegen".to_owned(),
            threads_inside: 1,
        };
        Ok(Self { plan, info })
    }
}

/// One plan for every batch size: the batch axis stays a symbol.
fn build(mut bytes: &[u8], fit: &Fit) -> TractResult<Arc<TypedRunnableModel>> {
    let mut model = tract_onnx::onnx().model_for_read(&mut bytes)?;
    model.select_outputs_by_name([&fit.output])?;
    let batch: TDim = match fit.fixed_batch {
        Some(size) => size.to_dim(),
        None => model.symbols.sym("N").into(),
    };
    let shape: TVec<TDim> = std::iter::once(batch).chain(fit.case_shape.iter().map(|size| size.to_dim())).collect();
    let fact = if fit.element == Element::F64 { f64::fact(&shape) } else { f32::fact(&shape) };
    model.set_input_fact(0, fact.into())?;
    model.into_optimized()?.into_runnable()
}

impl Plan for TractPlan {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn worker(&self) -> Result<Box<dyn Engine + '_>, String> {
        let state = self.plan.spawn().map_err(|error| format!("{error:#}"))?;
        Ok(Box::new(TractEngine { state, info: &self.info }))
    }
}

struct TractEngine<'a> {
    state: TypedSimpleState,
    info: &'a EngineInfo,
}

impl Engine for TractEngine<'_> {
    fn info(&self) -> &EngineInfo {
        self.info
    }

    fn infer(&mut self, batch: &Tensor) -> Result<Tensor, String> {
        let mut run = || -> TractResult<Tensor> {
            let input = match &batch.values {
                Values::F32(values) => tract_onnx::prelude::Tensor::from_shape(&batch.shape, values)?,
                Values::F64(values) => tract_onnx::prelude::Tensor::from_shape(&batch.shape, values)?,
            };
            let mut outputs = self.state.run(tvec!(input.into()))?;
            let output = outputs.remove(0).into_tensor();
            let shape = output.shape().to_vec();
            let values = if output.datum_type() == f64::datum_type() {
                Values::F64(output.to_plain_array_view::<f64>()?.iter().copied().collect())
            } else {
                Values::F32(output.to_plain_array_view::<f32>()?.iter().copied().collect())
            };
            Ok(Tensor { shape, values })
        };
        run().map_err(|error| format!("{error:#}"))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_recorded_version_is_the_one_in_the_lock_file() {
        let lock = include_str!("../../Cargo.lock");
        assert!(lock.contains(&format!("name = \"tract-onnx\"\nversion = \"{}\"", super::VERSION)));
    }
}
