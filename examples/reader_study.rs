//! Readers with and without a device: the difference in AUC by Obuchowski–Rockette, from two CSV files.
//!
//! `cargo run --release --example reader_study -- [cases.csv readings.csv]`, without arguments the study "nuclei", whose
//! readers are simulated. Columns: `case`, `truth` (1 = diseased); `reader`, `case`, `modality`, `rating`.

use cadproof::stats::mrmc::covariance::CovarianceMethod;
use cadproof::stats::mrmc::fom::FigureOfMerit;
use cadproof::stats::mrmc::obuchowski_rockette::{OrOptions, PartlyCrossed, RandomFactors, obuchowski_rockette};
use cadproof::stats::mrmc::{MrmcData, Reading};
use std::collections::HashMap;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [cases, readings] = match given.as_slice() {
        [cases, readings] => [cases.clone(), readings.clone()],
        [] => ["cases.csv", "readings.csv"].map(|file| format!("{}/studies/nuclei/{file}", env!("CARGO_MANIFEST_DIR"))),
        _ => return Err("usage: reader_study [cases.csv readings.csv]".into()),
    };
    let truth: HashMap<String, bool> =
        columns(&cases, ["case", "truth"])?.into_iter().map(|[case, truth]| (case, truth == "1")).collect();
    let rows = columns(&readings, ["reader", "case", "modality", "rating"])?;
    let table = rows
        .iter()
        .map(|[reader, case, modality, rating]| {
            let diseased = *truth.get(case).ok_or_else(|| format!("{readings}: no case {case} in {cases}"))?;
            Ok(Reading { reader, case, modality, diseased, rating: rating.parse()?, cluster: None })
        })
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let data = MrmcData::from_readings(&table)?;

    let found = obuchowski_rockette(
        &data,
        &OrOptions {
            fom: FigureOfMerit::EmpiricalAuc,
            covariance: CovarianceMethod::Jackknife,
            random: RandomFactors::ReadersAndCases,
            level: 0.95,
            partly_crossed: PartlyCrossed::Refuse,
        },
    )?;
    println!("{}", found.method);
    let (diseased, healthy) = data.class_counts();
    println!("n = {} readers, {diseased} diseased + {healthy} healthy cases", data.readers().len());
    for mean in found.means? {
        println!(
            "{:>10}: AUC {:.3} ({:.3} to {:.3})",
            mean.modality, mean.estimate, mean.interval.lower, mean.interval.upper
        );
    }
    for pair in found.differences? {
        println!(
            "{} − {}: {:.3} ({:.3} to {:.3}), t {:.2}, df {}, p {:.4}",
            pair.first,
            pair.second,
            pair.estimate,
            pair.interval.lower,
            pair.interval.upper,
            pair.statistic,
            pair.df.map_or("∞".to_owned(), |df| format!("{df:.1}")),
            pair.p_value
        );
    }
    Ok(())
}

/// The named columns of a CSV file, row by row.
fn columns<const N: usize>(path: &str, names: [&str; N]) -> Result<Vec<[String; N]>, Box<dyn Error>> {
    let mut reader = csv::Reader::from_path(path).map_err(|error| format!("{path}: {error}"))?;
    let header = reader.headers()?.clone();
    let place = |name| header.iter().position(|h| h == name).ok_or_else(|| format!("{path}: no column {name}"));
    let places = names.map(place);
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row?;
        let mut cells = [const { String::new() }; N];
        for (cell, place) in cells.iter_mut().zip(&places) {
            cell.push_str(&row[*place.as_ref().map_err(String::as_str)?]);
        }
        rows.push(cells);
    }
    Ok(rows)
}
