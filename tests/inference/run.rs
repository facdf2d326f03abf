//! Models as files, through the whole run: right scores, the same bytes in every setting, nothing lost, nothing made up.

use crate::support;
use cadproof::error::Error;
use cadproof::inference::journal::{FILE, Journal, Key};
use cadproof::inference::output::CaseOutput;
use cadproof::inference::predict::Work;
use cadproof::inference::runner::{PREDICTIONS, RECORD, run};
use cadproof::inference::signature::{Dimension, Signature};
use cadproof::inference::{CaseInput, EngineChoice, RunPlan, RunSummary, Source, determinism, load};
use cadproof::protocol::{
    Activation, Channels, ColumnsInput, ImageInput, Layout, Model, ModelInput, ModelOutput, OperatingPoint, Resize,
    Text,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// The engines agree to single precision; a wrong polarity, resize or normalisation is off by far more.
const TOLERANCE: f64 = 1e-5;

fn study(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("studies").join(name)
}

/// The columns `names` of a CSV, row by row.
fn table(path: &Path, names: &[&str]) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let columns: Vec<usize> = names.iter().map(|name| header.iter().position(|h| h == *name).unwrap()).collect();
    reader.records().map(|row| row.unwrap()).map(|row| columns.iter().map(|&c| row[c].to_owned()).collect()).collect()
}

fn score_output(name: &str) -> ModelOutput {
    ModelOutput::Score { name: name.to_owned(), index: 0, activation: Activation::None }
}

fn nuclei() -> (Model, Vec<CaseInput>) {
    let input = ImageInput {
        name: "image".to_owned(),
        layout: Layout::NCHW,
        channels: Channels::Gray,
        width: 32,
        height: 32,
        resize: Resize::None,
        window: None,
        scale: 1.0 / 255.0,
        mean: vec![0.0],
        std: vec![1.0],
    };
    let model = Model {
        file: "model.onnx".to_owned(),
        input: ModelInput::Image(input),
        output: score_output("probability"),
        batch: 4,
    };
    let cases = table(&study("nuclei").join("cases.csv"), &["case", "image"]);
    let cases =
        cases.into_iter().map(|row| CaseInput { id: row[0].clone(), source: Source::Image(row[1].clone().into()) });
    (model, cases.collect())
}

fn breast_fna() -> (Model, Vec<CaseInput>) {
    let columns = [
        "mean_radius",
        "mean_texture",
        "mean_area",
        "mean_smoothness",
        "mean_compactness",
        "mean_concavity",
        "mean_concave_points",
        "mean_symmetry",
        "mean_fractal_dimension",
    ];
    let input = ColumnsInput {
        name: "features".to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        mean: Vec::new(),
        std: Vec::new(),
    };
    let model = Model {
        file: "model.onnx".to_owned(),
        input: ModelInput::Columns(input),
        output: score_output("probability"),
        batch: 16,
    };
    let names: Vec<&str> = std::iter::once("case").chain(columns).collect();
    let cases = table(&study("breast-fna").join("cases.csv"), &names).into_iter().map(|row| CaseInput {
        id: row[0].clone(),
        source: Source::Columns(row[1..].iter().map(|text| text.parse().unwrap()).collect()),
    });
    (model, cases.collect())
}

/// T04's model (512 numbers in, one score out) and 64 seeded rows for it.
fn gemm(file: &Path) -> (Model, Vec<CaseInput>) {
    let signature = Signature::read(&std::fs::read(file).unwrap(), "t04_gemm.onnx").unwrap();
    let width = match signature.inputs[0].shape.as_deref() {
        Some([_, Dimension::Fixed(width)]) => *width,
        other => panic!("{other:?}"),
    };
    let input = ColumnsInput {
        name: signature.inputs[0].name.clone(),
        columns: (0..width).map(|index| format!("c{index}")).collect(),
        mean: Vec::new(),
        std: Vec::new(),
    };
    let model = Model {
        file: "t04_gemm.onnx".to_owned(),
        input: ModelInput::Columns(input),
        output: score_output(&signature.outputs[0].name),
        batch: 1,
    };
    let mut random = ChaCha12Rng::seed_from_u64(4);
    let cases = (0..64).map(|index| CaseInput {
        id: format!("C{index:02}"),
        source: Source::Columns((0..width).map(|_| 2.0 * random.random::<f64>() - 1.0).collect()),
    });
    (model, cases.collect())
}

/// A folder of its own with the study's model and images, to run in.
fn copy(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = study(name);
    std::fs::copy(from.join("model.onnx"), folder.path().join("model.onnx")).unwrap();
    if let Ok(images) = std::fs::read_dir(from.join("images")) {
        std::fs::create_dir(folder.path().join("images")).unwrap();
        for image in images.map(Result::unwrap) {
            std::fs::copy(image.path(), folder.path().join("images").join(image.file_name())).unwrap();
        }
    }
    folder
}

fn run_in(
    folder: &Path,
    model: &Model,
    cases: &[CaseInput],
    threads: usize,
    engine: EngineChoice,
) -> Result<RunSummary, Error> {
    run(&RunPlan {
        model,
        study: folder,
        cases,
        engine,
        threads: Some(threads),
        protocol_sha256: "p",
        inputs_sha256: "i",
        fresh: false,
        stop: &AtomicBool::new(false),
        progress: false,
    })
}

fn assert_expected(name: &str, folder: &Path) {
    let number = |row: &[String]| (row[0].clone(), row[1].parse::<f64>().unwrap());
    let right: BTreeMap<String, f64> =
        table(&study(name).join("expected_scores.csv"), &["case", "score"]).iter().map(|row| number(row)).collect();
    let found: BTreeMap<String, f64> =
        table(&folder.join(PREDICTIONS), &["case", "score"]).iter().map(|row| number(row)).collect();
    assert_eq!(right.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
    let worst = right.iter().map(|(case, score)| (found[case] - score).abs()).fold(0.0, f64::max);
    println!("{name}: {} scores, largest difference {worst:.1e}", right.len());
    assert!(worst < TOLERANCE, "{name}: off by {worst}");
}

#[test]
fn tract_gives_the_scores_that_onnx_runtime_gave() {
    for (name, (model, cases)) in [("nuclei", nuclei()), ("breast-fna", breast_fna())] {
        let folder = copy(name);
        let summary = run_in(folder.path(), &model, &cases, 2, EngineChoice::Tract).unwrap();
        assert_eq!((summary.record.outputs, summary.record.no_outputs.len()), (cases.len(), 0));
        assert_eq!(summary.resumed, 0);
        assert_expected(name, folder.path());
        assert!(!folder.path().join(FILE).exists(), "the journal goes when the results stand");
        let record: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder.path().join(RECORD)).unwrap()).unwrap();
        assert_eq!(record["engine"]["name"], "tract");
        assert_eq!(record["model_sha256"].as_str().unwrap().len(), 64);
    }
}

#[test]
fn the_bytes_do_not_depend_on_threads_or_batch() {
    let (mut model, cases) = nuclei();
    let mut files = Vec::new();
    for (batch, threads) in [(1, 1), (1, 4), (7, 1), (7, 3), (64, 2)] {
        model.batch = batch;
        let folder = copy("nuclei");
        run_in(folder.path(), &model, &cases, threads, EngineChoice::Tract).unwrap();
        files.push(std::fs::read(folder.path().join(PREDICTIONS)).unwrap());
    }
    assert!(files.iter().all(|file| *file == files[0]));
}

/// T04: batch 1, 2, 8, 64 and 1 or 8 threads give the same scores to the bit, and the check says so.
#[test]
fn batches_and_threads_change_no_score() {
    let Some(file) = support::path("faults/inputs/t04_gemm.onnx") else { return };
    let (model, cases) = gemm(&file);
    let folder = file.parent().unwrap();
    let loaded = load(&model, folder, &EngineChoice::Tract).unwrap();
    let work = Work { loaded: &loaded, model: &model, study: folder, cases: &cases };
    let base = work.predict_all(1, 1).unwrap();
    assert!(base.iter().all(|outcome| matches!(outcome, Ok(CaseOutput { score, .. }) if (0.0..=1.0).contains(score))));
    for (batch, threads) in [(1, 8), (2, 1), (2, 8), (8, 1), (8, 8), (64, 1), (64, 8)] {
        assert_eq!(work.predict_all(batch, threads).unwrap(), base, "batch {batch}, {threads} threads");
    }
    let middle = base[0].as_ref().unwrap().score;
    let point = OperatingPoint {
        id: "here".to_owned(),
        threshold: middle,
        rationale: Text { en: String::new(), ko: None },
        fixed_on: String::new(),
    };
    let report = determinism::check(&loaded, &model, folder, &cases, 32, &[point]).unwrap();
    assert_eq!((report.cases, report.settings.len()), (32, 7));
    assert!(report.all_equal() && report.settings.iter().all(|setting| setting.flipped.is_empty()), "{report:?}");
}

#[test]
fn a_killed_run_goes_on_and_ends_in_the_same_bytes() {
    let (mut model, cases) = nuclei();
    model.batch = 5;
    let whole = copy("nuclei");
    run_in(whole.path(), &model, &cases, 1, EngineChoice::Tract).unwrap();

    // What a kill leaves: 23 finished cases (four whole batches and three of the fifth) and half a line.
    let broken = copy("nuclei");
    let loaded = load(&model, broken.path(), &EngineChoice::Tract).unwrap();
    let work = Work { loaded: &loaded, model: &model, study: broken.path(), cases: &cases[..23] };
    let mut finished = work.predict_all(5, 1).unwrap();
    // A result that no run gives shows that it was taken over and not made again.
    finished[2] = Err("from the journal".to_owned());
    let key = Key {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        model_sha256: loaded.sha256.clone(),
        protocol_sha256: "p".to_owned(),
        inputs_sha256: "i".to_owned(),
        engine: loaded.info().key(),
        batch: 5,
        cases: cases.len(),
    };
    let ids: Vec<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    let mut journal = Journal::open(broken.path(), &key, &ids, false).unwrap();
    journal.record(finished.iter().enumerate().map(|(index, outcome)| (index, ids[index], outcome))).unwrap();
    drop(journal);
    let mut file = std::fs::OpenOptions::new().append(true).open(broken.path().join(FILE)).unwrap();
    file.write_all(b"{\"index\":23,\"case\":\"").unwrap();
    drop(file);

    let summary = run_in(broken.path(), &model, &cases, 2, EngineChoice::Tract).unwrap();
    assert_eq!((summary.resumed, summary.discarded_journal), (20, None));
    let lines = |folder: &Path| -> Vec<String> {
        std::fs::read_to_string(folder.join(PREDICTIONS)).unwrap().lines().map(str::to_owned).collect()
    };
    let (right, mut found) = (lines(whole.path()), lines(broken.path()));
    assert_eq!(found[3], format!("{},,from the journal", ids[2]));
    found[3].clone_from(&right[3]);
    assert_eq!(found, right);
}

#[test]
fn a_stopped_run_says_so_and_keeps_its_journal() {
    let (model, cases) = nuclei();
    let folder = copy("nuclei");
    let stopped = run(&RunPlan {
        model: &model,
        study: folder.path(),
        cases: &cases,
        engine: EngineChoice::Tract,
        threads: Some(1),
        protocol_sha256: "p",
        inputs_sha256: "i",
        fresh: false,
        stop: &AtomicBool::new(true),
        progress: false,
    });
    // On a fast machine the cases may be through before the flag is seen; then the run is whole.
    match stopped {
        Err(Error::Interrupted) => {
            assert!(folder.path().join(FILE).exists() && !folder.path().join(PREDICTIONS).exists())
        }
        other => assert_eq!(other.unwrap().record.cases, cases.len()),
    }
    run_in(folder.path(), &model, &cases, 2, EngineChoice::Tract).unwrap();
    assert_expected("nuclei", folder.path());
}

#[test]
fn a_case_that_cannot_be_read_is_a_no_output_with_its_reason() {
    let (model, mut cases) = nuclei();
    let folder = copy("nuclei");
    cases.truncate(6);
    let image = |index: usize| match &cases[index].source {
        Source::Image(path) => folder.path().join(path),
        other => panic!("{other:?}"),
    };
    let whole = std::fs::read(image(1)).unwrap();
    std::fs::write(image(1), &whole[..whole.len() / 2]).unwrap();
    std::fs::remove_file(image(4)).unwrap();
    let summary = run_in(folder.path(), &model, &cases, 1, EngineChoice::Tract).unwrap();
    assert_eq!(summary.record.outputs, 4);
    let rows = table(&folder.path().join(PREDICTIONS), &["case", "score", "no_output"]);
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(row[0], cases[index].id);
        assert_eq!(row[1].is_empty(), [1, 4].contains(&index), "{row:?}");
        assert_ne!(row[1].is_empty(), row[2].is_empty(), "{row:?}");
    }
    assert!(rows[1][2].contains("PNG can't be decoded") && rows[1][2].starts_with("images/"), "{:?}", rows[1]);
    assert!(rows[4][2].contains("can't be read"), "{:?}", rows[4]);
}

#[test]
fn a_model_that_does_not_fit_is_refused_with_both_sides() {
    let refused = |edit: &dyn Fn(&mut Model)| {
        let (mut model, _) = nuclei();
        edit(&mut model);
        match load(&model, &study("nuclei"), &EngineChoice::Tract) {
            Err(Error::Input(faults)) => faults.to_string(),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("taken"),
        }
    };
    fn image(model: &mut Model) -> &mut ImageInput {
        match &mut model.input {
            ModelInput::Image(input) => input,
            other => panic!("{other:?}"),
        }
    }
    let size = refused(&|model| image(model).width = 33);
    assert!(size.contains("\"image\" f32[N, 1, 32, 32]") && size.contains("[N, 1, 32, 33]"), "{size}");
    let layout = refused(&|model| image(model).layout = Layout::NHWC);
    assert!(layout.contains("[N, 32, 32, 1]"), "{layout}");
    // Two faults, told together.
    let names = refused(&|model| {
        image(model).name = "pixels".to_owned();
        model.output = score_output("score");
    });
    assert!(names.contains("one input, \"pixels\"") && names.contains("\"probability\" f32[N, 1]"), "{names}");
    let index = refused(&|model| {
        model.output = ModelOutput::Score { name: "probability".to_owned(), index: 1, activation: Activation::None };
    });
    assert!(index.contains("an element 1"), "{index}");
    let softmax = refused(&|model| {
        model.output = ModelOutput::Score { name: "probability".to_owned(), index: 0, activation: Activation::Softmax };
    });
    assert!(softmax.contains("always 1"), "{softmax}");
    let std = refused(&|model| image(model).std = vec![0.0]);
    assert!(std.contains("std not 0"), "{std}");

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("model.onnx"), b"no model").unwrap();
    let (model, _) = nuclei();
    assert!(matches!(load(&model, folder.path(), &EngineChoice::Tract), Err(Error::Input(_))));
}

/// With `ORT_DYLIB_PATH` naming a library: the same scores from the other engine, the same answer to T04.
#[test]
fn onnx_runtime_gives_the_expected_scores() {
    if std::env::var_os("ORT_DYLIB_PATH").is_none_or(|path| path.is_empty()) {
        eprintln!("SKIPPED: ONNX Runtime (set ORT_DYLIB_PATH to its library; .ci/onnxruntime.sh fetches one)");
        return;
    }
    let engine = || EngineChoice::OnnxRuntime { library: None };
    for (name, (model, cases)) in [("nuclei", nuclei()), ("breast-fna", breast_fna())] {
        let folder = copy(name);
        let summary = run_in(folder.path(), &model, &cases, 2, engine()).unwrap();
        assert_eq!(summary.record.engine.name, "onnxruntime");
        assert_expected(name, folder.path());
        println!("{:?}", summary.record.engine);
    }
    let missing = EngineChoice::OnnxRuntime { library: Some("nowhere/libonnxruntime.so".into()) };
    let (model, cases) = nuclei();
    let error = run_in(copy("nuclei").path(), &model, &cases, 1, missing).unwrap_err().to_string();
    assert!(error.contains("nowhere/libonnxruntime.so"), "{error}");

    let Some(file) = support::path("faults/inputs/t04_gemm.onnx") else { return };
    let (model, cases) = gemm(&file);
    let folder = file.parent().unwrap();
    let loaded = load(&model, folder, &engine()).unwrap();
    let report = determinism::check(&loaded, &model, folder, &cases, 64, &[]).unwrap();
    let largest = report.settings.iter().map(|setting| setting.largest_change).fold(0.0, f64::max);
    println!("ONNX Runtime, T04: largest change {largest:e}, all equal: {}", report.all_equal());
    assert!(largest < TOLERANCE, "{report:?}");
}
