//! Cases in, outputs out, on any number of threads: the part of a run that touches no file but the cases' own.

use super::output::{self, CaseOutput, View};
use super::{Element, Engine, LoadedModel, Tensor, Values};
use crate::error::Error;
use crate::imaging;
use crate::protocol::{Model, ModelInput};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;

/// One case as the run takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseInput {
    pub id: String,
    pub source: Source,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// PNG, JPEG, TIFF or DICOM, relative to the study folder.
    Image(PathBuf),
    /// NIfTI, relative to the study folder.
    Volume(PathBuf),
    /// The declared columns of cases.csv in the declared order; a blank is NaN and becomes a no-output reason.
    Columns(Vec<f64>),
}

/// What came of a case: the device's output, or the reason why there is none.
pub type Outcome = Result<CaseOutput, String>;

/// What the workers of a run share.
pub struct Work<'a> {
    pub loaded: &'a LoadedModel,
    pub model: &'a Model,
    pub study: &'a Path,
    pub cases: &'a [CaseInput],
}

impl Work<'_> {
    /// Puts each of `groups` (ranges of cases) through the model as one batch and sends it off when it is done.
    ///
    /// The groups are fixed by the case order, so which thread took one, and when, changes nothing in its output.
    /// `stop` is looked at between groups.
    ///
    /// # Errors
    /// An engine can't be started. What befalls single cases is their outcome, never an error.
    pub fn predict(
        &self,
        groups: &[Range<usize>],
        threads: usize,
        stop: &AtomicBool,
        done: Sender<(Range<usize>, Vec<Outcome>)>,
    ) -> Result<(), Error> {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads.clamp(1, groups.len().max(1)))
                .map(|_| {
                    let (next, done) = (&next, done.clone());
                    scope.spawn(move || -> Result<(), Error> {
                        let mut engine = self.loaded.worker()?;
                        while !stop.load(Ordering::Relaxed) {
                            let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                            let cases = &self.cases[group.clone()];
                            let outcomes = match catch_unwind(AssertUnwindSafe(|| self.group(&mut *engine, cases))) {
                                Ok(outcomes) => outcomes,
                                // Whatever state the engine is in, it is not used again.
                                Err(_) => {
                                    engine = self.loaded.worker()?;
                                    vec![Err("the engine gave up on this batch (panic)".to_owned()); cases.len()]
                                }
                            };
                            // Nobody listens any more where the run has failed elsewhere.
                            if done.send((group.clone(), outcomes)).is_err() {
                                break;
                            }
                        }
                        Ok(())
                    })
                })
                .collect();
            drop(done);
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|_| Err(Error::Internal("a worker panicked".to_owned()))))
                .fold(Ok(()), Result::and)
        })
    }

    /// [`Work::predict`] of every case, in case order.
    ///
    /// # Errors
    /// As for [`Work::predict`].
    pub fn predict_all(&self, batch: usize, threads: usize) -> Result<Vec<Outcome>, Error> {
        let (sender, receiver) = std::sync::mpsc::channel();
        self.predict(&groups(self.cases.len(), batch), threads, &AtomicBool::new(false), sender)?;
        let mut received: Vec<_> = receiver.into_iter().collect();
        received.sort_by_key(|(group, _)| group.start);
        Ok(received.into_iter().flat_map(|(_, outcomes)| outcomes).collect())
    }

    /// One batch: the cases that can be read go through the model together, the others have their reasons.
    fn group(&self, engine: &mut dyn Engine, cases: &[CaseInput]) -> Vec<Outcome> {
        let mut outcomes: Vec<Option<Outcome>> = vec![None; cases.len()];
        let mut inputs = Vec::new();
        let mut readable = Vec::new();
        for (index, case) in cases.iter().enumerate() {
            match self.prepare(case) {
                Ok(input) => {
                    inputs.push(input);
                    readable.push(index);
                }
                Err(reason) => outcomes[index] = Some(Err(reason)),
            }
        }
        let found = match self.infer(engine, &inputs) {
            Ok(found) => found,
            // One case must not take the others of its batch with it.
            Err(_) if inputs.len() > 1 => inputs
                .chunks(1)
                .map(|one| self.infer(engine, one).map_or_else(Err, |mut found| found.remove(0)))
                .collect(),
            Err(reason) => vec![Err(reason); inputs.len()],
        };
        for (index, outcome) in readable.into_iter().zip(found) {
            outcomes[index] = Some(outcome);
        }
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err("no output".to_owned()))).collect()
    }

    fn infer(&self, engine: &mut dyn Engine, inputs: &[(Vec<f64>, View)]) -> Result<Vec<Outcome>, String> {
        let Some((last, _)) = inputs.last() else { return Ok(Vec::new()) };
        let fit = &self.loaded.fit;
        // A model with a fixed batch axis gets the last case again until the batch is full.
        let filler = fit.fixed_batch.map_or(0, |size| size.saturating_sub(inputs.len()));
        let numbers = || {
            let filling = std::iter::repeat_n(last, filler);
            inputs.iter().map(|(input, _)| input).chain(filling).flat_map(|input| input.iter().copied())
        };
        let values = match fit.element {
            Element::F64 => Values::F64(numbers().collect()),
            _ => Values::F32(numbers().map(|value| value as f32).collect()),
        };
        let shape = std::iter::once(inputs.len() + filler).chain(fit.case_shape.iter().copied()).collect();
        let views: Vec<View> = inputs.iter().map(|(_, view)| *view).collect();
        let output = engine.infer(&Tensor { shape, values })?;
        output::read(&output, &self.model.output, &views)
    }

    fn prepare(&self, case: &CaseInput) -> Result<(Vec<f64>, View), String> {
        let named = |path: &Path| {
            let path = path.display().to_string();
            move |reason: imaging::Unusable| format!("{path}: {reason}")
        };
        match (&case.source, &self.model.input) {
            (Source::Image(path), ModelInput::Image(input)) => {
                let image = imaging::read_image(&self.study.join(path), input.window).map_err(named(path))?;
                let (tensor, placement) = imaging::image_tensor(&image, input).map_err(named(path))?;
                let view = View {
                    placement,
                    width: input.width as usize,
                    height: input.height as usize,
                    image_width: image.width,
                    image_height: image.height,
                };
                Ok((tensor, view))
            }
            (Source::Volume(path), ModelInput::Volume(input)) => {
                let volume = imaging::read_volume(&self.study.join(path)).map_err(named(path))?;
                Ok((imaging::volume_tensor(&volume, input).map_err(named(path))?, View::NONE))
            }
            (Source::Columns(row), ModelInput::Columns(input)) => {
                let tensor = imaging::columns_tensor(row, input).map_err(|reason| format!("cases: {reason}"))?;
                Ok((tensor, View::NONE))
            }
            (source, _) => {
                let kind = match source {
                    Source::Image(_) => "an image",
                    Source::Volume(_) => "a volume",
                    Source::Columns(_) => "numeric columns",
                };
                Err(format!("the case is {kind}; [model.input] declares another kind"))
            }
        }
    }
}

/// The cases in batches, by case order; the last may be smaller.
pub fn groups(cases: usize, batch: usize) -> Vec<Range<usize>> {
    (0..cases).step_by(batch.max(1)).map(|start| start..(start + batch.max(1)).min(cases)).collect()
}
