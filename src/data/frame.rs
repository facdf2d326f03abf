//! Checked tables as polars frames: joined, counted, written to Parquet and read back.
//!
//! Polars holds and joins; it validates nothing. A Parquet input becomes the same table of text cells that a CSV file
//! becomes, so that the same checks run over both.

use super::cases::Cases;
use super::predictions::Predictions;
use super::readings::Readings;
use super::table::Table;
use crate::error::Error;
use crate::fault::{Fault, Faults};
use crate::files::write_atomically;
use polars::prelude::*;
use std::fmt::Write;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// One row a case: case, patient, truth, the subgroups, image and model columns where the study has them.
///
/// # Errors
/// Two columns of one name, which the protocol's check does not let happen.
pub fn cases_frame(cases: &Cases) -> Result<DataFrame, Error> {
    let patients: Vec<&str> = cases.patient.iter().map(|&p| cases.patient_names[p as usize].as_str()).collect();
    let mut columns = vec![
        Column::new("case".into(), &cases.id),
        Column::new("patient".into(), patients),
        Column::new("truth".into(), &cases.truth),
    ];
    for subgroup in &cases.subgroups {
        let levels: Vec<&str> = subgroup.level_of.iter().map(|&l| subgroup.levels[l as usize].as_str()).collect();
        add(&mut columns, Column::new(subgroup.name.as_str().into(), levels));
    }
    if let Some(image) = &cases.image {
        add(&mut columns, Column::new("image".into(), image));
    }
    for column in &cases.columns {
        let values: Vec<Option<f64>> = column.values.iter().map(|&v| (!v.is_nan()).then_some(v)).collect();
        add(&mut columns, Column::new(column.name.as_str().into(), values));
    }
    DataFrame::new(cases.len(), columns).map_err(internal)
}

/// As [`cases_frame`], with the device's `score` and, where it gave none, the reason in `no_output`.
///
/// # Errors
/// As [`cases_frame`].
pub fn predictions_frame(cases: &Cases, predictions: &Predictions) -> Result<DataFrame, Error> {
    let scores: Vec<Option<f64>> = predictions.score.iter().map(|score| score.as_ref().ok().copied()).collect();
    let reasons: Vec<Option<&str>> =
        predictions.score.iter().map(|score| score.as_ref().err().map(String::as_str)).collect();
    let mut columns = cases_frame(cases)?.into_columns();
    add(&mut columns, Column::new("score".into(), scores));
    add(&mut columns, Column::new("no_output".into(), reasons));
    DataFrame::new(cases.len(), columns).map_err(internal)
}

/// A model column or the patient may be a subgroup as well: once is enough.
fn add(columns: &mut Vec<Column>, column: Column) {
    if columns.iter().all(|known| known.name() != column.name()) {
        columns.push(column);
    }
}

/// One row a reading: reader, modality, case, rating, then what [`cases_frame`] says of the case, then seconds and session.
///
/// # Errors
/// As [`cases_frame`]; readings of other cases.
pub fn readings_frame(cases: &Cases, readings: &Readings) -> Result<DataFrame, Error> {
    let named = |names: &[String], indices: &[u32]| -> Vec<String> {
        indices.iter().map(|&index| names[index as usize].clone()).collect()
    };
    let mut columns = vec![
        Column::new("reader".into(), named(&readings.readers, &readings.reader)),
        Column::new("modality".into(), named(&readings.modalities, &readings.modality)),
    ];
    let at = IdxCa::from_vec("case".into(), readings.case.iter().map(|&case| case as IdxSize).collect());
    let of_case = cases_frame(cases)?.take(&at).map_err(internal)?;
    let mut of_case = of_case.into_columns().into_iter();
    columns.extend(of_case.next());
    columns.push(Column::new("rating".into(), &readings.rating));
    for column in of_case {
        add(&mut columns, column);
    }
    if let Some(seconds) = &readings.seconds {
        add(&mut columns, Column::new("seconds".into(), seconds));
    }
    if let Some(session) = &readings.session {
        add(&mut columns, Column::new("session".into(), session));
    }
    DataFrame::new(readings.len(), columns).map_err(internal)
}

/// Rows by each combination of `by`, in order of first appearance, in a last column `count`.
///
/// # Errors
/// A column that the frame does not have.
pub fn counts(frame: &DataFrame, by: &[&str]) -> Result<DataFrame, Error> {
    let groups = frame.group_by_stable(by.iter().copied()).map_err(internal)?;
    let sizes: Vec<u64> = groups.get_groups().iter().map(|group| group.len() as u64).collect();
    let mut columns = groups.keys();
    columns.push(Column::new("count".into(), sizes));
    DataFrame::new_infer_height(columns).map_err(internal)
}

/// The same frame gives the same bytes: row groups of a fixed size, no clock in the file.
///
/// # Errors
/// [`Error::Io`] where the file cannot be written.
pub fn write_parquet(frame: &mut DataFrame, path: &Path) -> Result<(), Error> {
    frame.rechunk_mut();
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .with_row_group_size(Some(1 << 18))
        .finish(frame)
        .map_err(internal)?;
    write_atomically(path, &bytes)
}

/// # Errors
/// A file that is missing or not Parquet.
pub fn read_parquet(path: &Path) -> Result<DataFrame, Error> {
    let file = File::open(path).map_err(|source| Error::io(path, source))?;
    read(file).map_err(|why| Error::Refused(format!("{}: {why}", path.display())))
}

fn read(file: File) -> Result<DataFrame, String> {
    // A damaged file must not end the program.
    match catch_unwind(AssertUnwindSafe(|| ParquetReader::new(file).finish())) {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(_) => Err("the Parquet reader gave up on it".to_owned()),
    }
}

/// A Parquet file as a table of text cells: nulls blank, numbers in the shortest form that gives the same number back.
pub(super) fn text_table(file: File, name: &str) -> Result<Table, Faults> {
    let frame = read(file).map_err(|why| {
        Faults::from(Fault::new(name, format!("cannot be read: {why}"), "a Parquet file", "write the file again"))
    })?;
    let mut faults = Faults::default();
    let mut sources = Vec::new();
    for column in frame.columns() {
        match Source::of(column) {
            Ok(source) => sources.push(source),
            Err(kind) => faults.push(
                Fault::new(name, format!("a column of type {kind}"), "text, numbers or booleans", "write it as text")
                    .key(column.name().as_str()),
            ),
        }
    }
    let () = faults.into_result(())?;
    let (mut text, mut ends) = (String::new(), Vec::with_capacity(frame.height() * sources.len()));
    for row in 0..frame.height() {
        for source in &sources {
            source.write(row, &mut text);
            ends.push(u32::try_from(text.len()).map_err(|_| {
                Fault::new(name, "more than 4 GiB of text", "at most 4 GiB", "leave out columns that are not needed")
            })?);
        }
    }
    let names = frame.columns().iter().map(|column| column.name().trim().to_owned()).collect();
    Table::from_cells(name, names, frame.height(), text, &ends)
}

enum Source {
    Text(StringChunked),
    Float(Float64Chunked),
    Whole(Int64Chunked),
    Boolean(BooleanChunked),
}

impl Source {
    /// # Errors
    /// The name of a type that is none of these.
    fn of(column: &Column) -> Result<Self, String> {
        let series = column.as_materialized_series().rechunk();
        let kind = series.dtype().to_string();
        let cast = |to: &DataType| series.strict_cast(to).map_err(|error| error.to_string());
        let source = match series.dtype() {
            DataType::String => series.str().cloned().map(Self::Text),
            DataType::Boolean => series.bool().cloned().map(Self::Boolean),
            known if known.is_float() => cast(&DataType::Float64)?.f64().cloned().map(Self::Float),
            known if known.is_integer() => cast(&DataType::Int64)?.i64().cloned().map(Self::Whole),
            DataType::Null => cast(&DataType::Float64)?.f64().cloned().map(Self::Float),
            _ => return Err(kind),
        };
        source.map_err(|error| error.to_string())
    }

    fn write(&self, row: usize, text: &mut String) {
        // Writing into a String cannot fail.
        let _ = match self {
            Self::Text(column) => text.write_str(column.get(row).unwrap_or("")),
            Self::Float(column) => column.get(row).map_or(Ok(()), |value| write!(text, "{value:?}")),
            Self::Whole(column) => column.get(row).map_or(Ok(()), |value| write!(text, "{value}")),
            Self::Boolean(column) => column.get(row).map_or(Ok(()), |value| write!(text, "{value}")),
        };
    }
}

fn internal(error: PolarsError) -> Error {
    Error::Internal(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Subgroup, load};
    use crate::protocol::{Template, init, parse};

    fn data() -> (Cases, Readings) {
        let id: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        let patients = ["p", "p", "q"].map(str::to_owned);
        let mut cases = Cases::new(id, Some(&patients), vec![true, false, true]).unwrap();
        let levels = vec!["left".to_owned(), "right".to_owned()];
        cases.subgroups = vec![Subgroup { name: "side".to_owned(), levels, level_of: vec![0, 1, 0] }];
        let readings = Readings {
            readers: vec!["R2".to_owned(), "R1".to_owned()],
            modalities: vec!["unaided".to_owned(), "aided".to_owned()],
            reader: vec![0, 1, 1, 0],
            modality: vec![0, 0, 1, 1],
            case: vec![2, 0, 1, 1],
            rating: vec![1.5, 2.0, 3.0, 0.1],
            seconds: Some(vec![Some(10.0), None, Some(3.5), None]),
            session: None,
        };
        (cases, readings)
    }

    #[test]
    fn readings_are_joined_with_what_is_known_of_their_cases() {
        let (cases, readings) = data();
        let frame = readings_frame(&cases, &readings).unwrap();
        let names: Vec<&str> = frame.get_column_names().into_iter().map(PlSmallStr::as_str).collect();
        assert_eq!(names, ["reader", "modality", "case", "rating", "patient", "truth", "side", "seconds"]);
        let text = |name: &str| -> Vec<Option<String>> {
            frame.column(name).unwrap().str().unwrap().iter().map(|cell| cell.map(str::to_owned)).collect()
        };
        assert_eq!(text("case"), ["c", "a", "b", "b"].map(|id| Some(id.to_owned())));
        assert_eq!(text("patient"), ["q", "p", "p", "p"].map(|id| Some(id.to_owned())));
        assert_eq!(text("side"), ["left", "left", "right", "right"].map(|id| Some(id.to_owned())));
        let truth: Vec<Option<bool>> = frame.column("truth").unwrap().bool().unwrap().iter().collect();
        assert_eq!(truth, [true, true, false, false].map(Some));
        let by_truth = counts(&frame, &["truth"]).unwrap();
        let sizes: Vec<Option<u64>> = by_truth.column("count").unwrap().u64().unwrap().iter().collect();
        assert_eq!(sizes, [Some(2), Some(2)]);
        assert!(counts(&frame, &["nothing"]).is_err());
    }

    #[test]
    fn parquet_gives_the_same_bytes_twice_and_the_same_frame_back() {
        let (cases, readings) = data();
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one.parquet"), folder.path().join("two.parquet"));
        let mut frame = readings_frame(&cases, &readings).unwrap();
        write_parquet(&mut frame, &one).unwrap();
        write_parquet(&mut readings_frame(&cases, &readings).unwrap(), &two).unwrap();
        assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
        assert!(read_parquet(&one).unwrap().equals_missing(&frame));
        std::fs::write(&two, b"PAR1 no").unwrap();
        assert!(read_parquet(&two).is_err() && read_parquet(&folder.path().join("none")).is_err());
    }

    #[test]
    fn a_study_in_parquet_is_the_study_in_csv() {
        let folder = tempfile::tempdir().unwrap();
        init(Template::ReaderStudy, folder.path()).unwrap();
        let text = std::fs::read_to_string(folder.path().join("study.toml")).unwrap();
        let csv = load(folder.path(), &parse(&text, "study.toml").unwrap()).unwrap();
        let text =
            text.replacen("\"cases.csv\"", "\"cases.parquet\"", 1).replacen("\"readings.csv\"", "\"r.parquet\"", 1);
        let protocol = parse(&text, "study.toml").unwrap();
        let mut cases = cases_frame(&csv.cases).unwrap();
        let truth: Vec<i32> = csv.cases.truth.iter().map(|&t| i32::from(t)).collect();
        cases.with_column(Column::new("truth".into(), truth)).unwrap();
        write_parquet(&mut cases, &folder.path().join("cases.parquet")).unwrap();
        let readings = csv.readings.as_ref().unwrap();
        let mut frame =
            readings_frame(&csv.cases, readings).unwrap().select(["reader", "case", "modality", "rating"]).unwrap();
        write_parquet(&mut frame, &folder.path().join("r.parquet")).unwrap();
        let parquet = load(folder.path(), &protocol).unwrap();
        assert_eq!(parquet.readings, csv.readings);
        assert_eq!(
            (&parquet.cases.id, &parquet.cases.truth, &parquet.cases.patient_names),
            (&csv.cases.id, &csv.cases.truth, &csv.cases.patient_names)
        );
        // The same checks run: a NaN and a null are faults, placed by their row.
        let mut rating: Vec<Option<f64>> = readings.rating.iter().copied().map(Some).collect();
        (rating[1], rating[4]) = (Some(f64::NAN), None);
        frame.with_column(Column::new("rating".into(), rating)).unwrap();
        write_parquet(&mut frame, &folder.path().join("r.parquet")).unwrap();
        let error = load(folder.path(), &protocol).unwrap_err().to_string();
        assert!(
            error.contains("r.parquet:2: rating: \"NaN\"") && error.contains("r.parquet:5: rating: a blank cell"),
            "{error}"
        );
    }
}
