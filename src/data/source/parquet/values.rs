//! The values of a column of a group of rows, one row after the other.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;

use crate::Result;

/// The rows that are read at once.
const BATCH: usize = 64;

/// A value of a column.
pub enum Value {
    /// Text, or the bytes of an image.
    Bytes(ByteArray),
    /// A whole number.
    Number(i64),
}

/// What ends the reading of a column.
pub enum Fault {
    /// The file is not as it should be.
    Damaged,
    /// Its values are of no kind that is read.
    Kind,
    /// The value is not taken.
    Own(crate::Error),
}

impl From<ParquetError> for Fault {
    fn from(error: ParquetError) -> Fault {
        log::debug!("reading a Parquet file: {error}");
        Fault::Damaged
    }
}

/// Reads the values of so many rows; `deepest` is the level of definition of one that is there.
pub fn read(
    column: ColumnReader,
    rows: usize,
    deepest: i16,
    each: impl FnMut(Option<Value>) -> Result<()>,
) -> std::result::Result<(), Fault> {
    match column {
        ColumnReader::ByteArrayColumnReader(reader) => read_as(reader, rows, deepest, Value::Bytes, each),
        ColumnReader::Int32ColumnReader(reader) => {
            read_as(reader, rows, deepest, |value| Value::Number(value.into()), each)
        }
        ColumnReader::Int64ColumnReader(reader) => read_as(reader, rows, deepest, Value::Number, each),
        ColumnReader::BoolColumnReader(reader) => {
            read_as(reader, rows, deepest, |value| Value::Number(value.into()), each)
        }
        _ => Err(Fault::Kind),
    }
}

/// Does the work of [`read`] for values of one type.
fn read_as<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
    deepest: i16,
    known: impl Fn(T::T) -> Value,
    mut each: impl FnMut(Option<Value>) -> Result<()>,
) -> std::result::Result<(), Fault> {
    let (mut levels, mut values, mut read) = (Vec::new(), Vec::new(), 0);
    while read < rows {
        levels.clear();
        values.clear();
        let (count, ..) = reader.read_records(BATCH.min(rows - read), Some(&mut levels), None, &mut values)?;
        if count == 0 {
            return Err(Fault::Damaged);
        }
        let mut found = values.drain(..);
        for place in 0..count {
            let is_there = deepest == 0 || levels.get(place) == Some(&deepest);
            let value = if is_there { Some(found.next().ok_or(Fault::Damaged)?) } else { None };
            each(value.map(&known)).map_err(Fault::Own)?;
        }
        read += count;
    }
    Ok(())
}
