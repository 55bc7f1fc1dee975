//! Parquet files as a source, as Hugging Face has image sets in: a row for each image, with its bytes and its
//! label.
//!
//! The images are the bytes of files, in a column of bytes or of a struct with `bytes` and `path`; the labels
//! text or whole numbers, for which the metadata of `datasets` may have names. A folder of Parquet files is
//! one set; where they are named `train-00000-of-00002.parquet`, `validation-…` or `test-…`, they are the
//! parts of a split. Each image becomes a file of the source, in the folder of its label: by the path that
//! stands beside it, or else by the number of its row.
//!
//! One group of rows is read at a time, and the images are kept in memory. What a file says of sizes is
//! compared with what may be before memory is taken for it ([`pages`]).

mod columns;
mod file;
mod names;
mod pages;
mod row;
mod values;

use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::array_images::MAX_IMAGE_BYTES;
use super::labels::{Labelled, by_labels};
use super::limits::{MAX_FILE_BYTES, MAX_FILES, too_many_files};
use super::listing::Listing;
use super::place::Place;
use super::table::Columns;
use crate::data::catch_panic::catch_panic;
use crate::data::part::GivenPart;
use crate::{Error, Result};
use columns::SetColumns;
use file::ParquetFile;
use names::Names;
use row::Row;
use values::Value;

/// The longest text beside an image, in bytes: a label, a group or a path.
const MAX_TEXT_BYTES: usize = 1024;

/// Lists the images of these Parquet files, which are one set; `path` is where it is.
///
/// # Errors
/// [`Error::Io`] if a file cannot be read; [`Error::Data`] if one is damaged, of a kind that is not read, or
/// beyond the limits; [`Error::Setting`] of a column that is not there or cannot be told.
pub fn list(path: &Path, files: &[PathBuf], columns: &Columns) -> Result<Listing> {
    if columns.separator.is_some() {
        let reason =
            "an image has one label in Parquet files here; leave it out, or tell the labels in a table, with --labels";
        return Err(Error::setting("label_separator", reason));
    }
    let part = |file: &PathBuf| GivenPart::from_name(&file.file_name()?.to_string_lossy());
    let parts: Vec<Option<GivenPart>> = files.iter().map(part).collect();
    // One part alone is no split.
    let are_parts = parts.iter().all(Option::is_some) && parts.iter().any(|part| *part != parts[0]);
    let mut set = Set { rows: Vec::new(), left: MAX_IMAGE_BYTES, texts: HashMap::new() };
    for (file, part) in files.iter().zip(parts) {
        let read = AssertUnwindSafe(|| set.read(file, part.filter(|_| are_parts), columns));
        // The library is as little above suspicion as decoders are.
        catch_panic(read).unwrap_or_else(|| Err(file::damaged(file, "its reader failed on it")))?;
    }
    let Set { rows, .. } = set;
    let names = Names::of(&rows);
    let mut base = Listing::default();
    let mut labels = BTreeMap::new();
    for (place, Row { bytes, label, group, part, path: own }) in rows.into_iter().enumerate() {
        base.add_file(names.name(place, part, own.as_deref(), &bytes), Place::Memory(bytes));
        if base.is_too_large() {
            return Err(too_many_files(path));
        }
        if let Some(label) = label {
            labels.insert(place, Labelled { label: label.to_string(), part, group });
        }
    }
    by_labels(path, base, labels, None, |_| false)
}

/// What was read so far.
struct Set {
    rows: Vec<Row>,
    /// The bytes that images may still take.
    left: u64,
    /// Texts, each of which is kept once.
    texts: HashMap<String, Arc<str>>,
}

impl Set {
    /// Reads a file.
    fn read(&mut self, path: &Path, part: Option<GivenPart>, columns: &Columns) -> Result<()> {
        let file = ParquetFile::open(path)?;
        let SetColumns { images, paths, label, names, group } = SetColumns::find(&file, columns)?;
        for index in 0..file.row_groups() {
            let rows = file.rows(index)?;
            let begin = self.rows.len();
            if begin + rows > MAX_FILES {
                return Err(too_many_files(path));
            }
            let unnamed = || Row { bytes: Vec::new(), path: None, label: None, group: None, part };
            self.rows.extend((0..rows).map(|_| unnamed()));
            let mut texts = |column: Option<usize>, put: fn(&mut Row, Option<Arc<str>>)| -> Result<()> {
                let Some(column) = column else { return Ok(()) };
                let mut row = begin;
                file.read(index, column, MAX_IMAGE_BYTES, |value| {
                    let named = names.as_deref().filter(|_| column == label);
                    let text = value.map(|value| text_of(path, value, named)).transpose()?.flatten();
                    let text =
                        text.map(|text| self.texts.entry(text).or_insert_with_key(|text| text.as_str().into()).clone());
                    put(&mut self.rows[row], text);
                    row += 1;
                    Ok(())
                })
            };
            texts(Some(label), |row, text| row.label = text)?;
            texts(paths, |row, text| row.path = text)?;
            texts(group, |row, text| row.group = text)?;
            let mut row = begin;
            file.read(index, images, self.left, |value| {
                if let Some(Value::Bytes(bytes)) = value {
                    let size = bytes.len() as u64;
                    self.left = self.left.checked_sub(size).ok_or_else(|| file::too_much(path))?;
                    if size > MAX_FILE_BYTES {
                        return Err(super::limits::too_large(path));
                    }
                    self.rows[row].bytes = bytes.data().to_vec();
                }
                row += 1;
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// Returns the text that a value is: of a number its digits, or its name where there are `names`; none where
/// that is below 0, as `datasets` has it for no label.
fn text_of(path: &Path, value: Value, names: Option<&[String]>) -> Result<Option<String>> {
    let text = match (value, names) {
        (Value::Bytes(bytes), _) if bytes.len() > MAX_TEXT_BYTES => {
            return Err(file::damaged(path, &format!("a text beside an image has more than {MAX_TEXT_BYTES} bytes")));
        }
        (Value::Bytes(bytes), _) => {
            let text = std::str::from_utf8(bytes.data())
                .map_err(|_| file::damaged(path, "a text beside an image is no UTF-8"))?;
            text.trim().to_string()
        }
        (Value::Number(..0), Some(_)) => return Ok(None),
        (Value::Number(number), Some(names)) => {
            let name = usize::try_from(number).ok().and_then(|place| names.get(place));
            let fault = || file::damaged(path, &format!("the label {number} is none of its {} classes", names.len()));
            name.ok_or_else(fault)?.clone()
        }
        (Value::Number(number), None) => number.to_string(),
    };
    Ok(Some(text).filter(|text| !text.is_empty()))
}
