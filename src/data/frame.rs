//! Checked tables as polars frames: joined, counted, written to Parquet and read back.
//!
//! Polars holds and joins; it validates nothing. A Parquet input becomes the same table of text cells that a CSV file
//! becomes, so that the same checks run over both.

use super::cases::Cases;
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
