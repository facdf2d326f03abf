//! Reading and checking a million readings: how long a user waits before the statistics start.

use cadproof::data::table::Table;
use cadproof::data::{self, Cases, Readings, readings};
use cadproof::protocol::{Protocol, Suspicious, Template, parse};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

fn main() {
    divan::main();
}

/// 20 readers × 2 modalities × 25,000 cases, ratings of 0 to 100 with one decimal, in a study folder of its own.
struct Study {
    folder: tempfile::TempDir,
    protocol: Protocol,
    bytes: Vec<u8>,
}

fn study() -> Study {
    const CASES: usize = 25_000;
    const READERS: usize = 20;
    let mut random = ChaCha12Rng::seed_from_u64(1);
    let id = (0..CASES).map(|at| format!("CASE-{at:06}")).collect();
    let cases = Cases::new(id, None, (0..CASES).map(|_| random.random::<f64>() < 0.3).collect()).expect("distinct ids");
    let count = CASES * READERS * 2;
    let readings = Readings {
        readers: (0..READERS).map(|at| format!("R{at:02}")).collect(),
        modalities: vec!["unaided".to_owned(), "aided".to_owned()],
        reader: (0..count).map(|row| (row / (2 * CASES)) as u32).collect(),
        modality: (0..count).map(|row| (row / CASES % 2) as u32).collect(),
        case: (0..count).map(|row| (row % CASES) as u32).collect(),
        rating: (0..count).map(|_| f64::from(random.random_range(0..=1000_u32)) / 10.0).collect(),
        seconds: None,
        session: None,
    };
    let mut text = Template::ReaderStudy.files().remove(0).1;
    let readers: String = readings.readers.iter().map(|id| format!("[[reader]]\nid = \"{id}\"\n")).collect();
    let (start, end) = (text.find("[[reader]]").expect("readers"), text.find("[[endpoint]]").expect("endpoints"));
    text.replace_range(start..end, &readers);
    let protocol = parse(&text.replacen("patient = \"patient\"\n", "", 1), "study.toml").expect("a valid protocol");
    let folder = tempfile::tempdir().expect("temporary folder");
    let bytes = readings::write_csv(&readings, &cases);
    std::fs::write(folder.path().join("readings.csv"), &bytes).expect("readings");
    std::fs::write(folder.path().join("cases.csv"), data::cases::write_csv(&cases, &protocol.test_set)).expect("cases");
    Study { folder, protocol, bytes }
}

/// Text to cells alone.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn split_one_million_rows(bencher: divan::Bencher) {
    let study = study();
    bencher.with_inputs(|| study.bytes.clone()).bench_values(|bytes| Table::from_bytes("readings.csv", bytes).unwrap());
}

/// Both files read, every cell checked, duplicates looked for.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn load_one_million_readings(bencher: divan::Bencher) {
    let study = study();
    bencher.bench(|| data::load(study.folder.path(), &study.protocol).unwrap());
}

/// The step from the checked table to what the statistics take.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn to_mrmc_one_million_readings(bencher: divan::Bencher) {
    let study = study();
    let data = data::load(study.folder.path(), &study.protocol).unwrap();
    let readings = data.readings.as_ref().unwrap();
    bencher.bench(|| readings.to_mrmc(&data.cases, Suspicious::Higher).unwrap());
}
