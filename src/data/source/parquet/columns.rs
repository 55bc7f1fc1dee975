//! The columns of a Parquet file that hold images and what is told of them, by their names, their types, and
//! what the library `datasets` writes of them into the file.

use csv::StringRecord;
use parquet::basic::{ConvertedType, Type};
use parquet::schema::types::ColumnDescriptor;
use serde_json::Value;

use super::file::ParquetFile;
use crate::data::source::table::{Column, Columns, not_found, place};
use crate::error::{shortened, some_of};
use crate::{Error, Result};

/// The key of a file's description under which `datasets` has what its columns mean.
const FEATURES: &str = "huggingface";

/// The names of a column of images, where there are several that could be one.
const IMAGE_NAMES: [&str; 3] = ["image", "img", "picture"];

/// The columns of a set, by their places in the file.
pub struct SetColumns {
    /// The bytes of the images.
    pub images: usize,
    /// Their paths.
    pub paths: Option<usize>,
    /// Their labels.
    pub label: usize,
    /// The names of the labels, where these are numbers.
    pub names: Option<Vec<String>>,
    /// The groups.
    pub group: Option<usize>,
}

/// A column that holds a value for each row.
struct Leaf {
    place: usize,
    /// Its name, and within a struct that of the part.
    name: String,
    part: Option<String>,
    kind: Type,
    is_text: bool,
}

impl SetColumns {
    /// Finds the columns of a file: by the names that were given, by what `datasets` tells, or by usual
    /// names.
    ///
    /// # Errors
    /// [`Error::Data`] if there are no images; [`Error::Setting`] of a column that is not there or cannot be
    /// told.
    pub fn find(file: &ParquetFile, columns: &Columns) -> Result<SetColumns> {
        let leaves = leaves(file);
        let features = features(file);
        let image = image(file, &leaves, &features, columns)?;
        let path = |leaf: &&Leaf| leaf.name == image.name && leaf.part.as_deref() == Some("path") && leaf.is_text;
        let told: Vec<&Leaf> = leaves.iter().filter(|leaf| leaf.is_told()).collect();
        let heading: StringRecord = told.iter().map(|leaf| leaf.name.as_str()).collect();
        let classes = |leaf: &Leaf| features[&leaf.name]["_type"] == "ClassLabel";
        let of_classes: Vec<usize> = (0..told.len()).filter(|&at| classes(told[at])).collect();
        let label = match (&columns.label, &of_classes[..]) {
            (None, &[one]) => one,
            _ => place(file.path(), &heading, Column::Label, columns)?
                .ok_or_else(|| not_found(file.path(), &heading, Column::Label))?,
        };
        let group = place(file.path(), &heading, Column::Group, columns)?;
        let names = features[&told[label].name]["names"].as_array();
        let names = names.map(|names| names.iter().map(|name| name.as_str().unwrap_or_default().to_string()).collect());
        Ok(SetColumns {
            images: image.place,
            paths: leaves.iter().find(path).map(|leaf| leaf.place),
            label: told[label].place,
            names,
            group: group.map(|at| told[at].place),
        })
    }
}

impl Leaf {
    /// Returns the column of this description, unless a row may have several values of it.
    fn of(place: usize, column: &ColumnDescriptor) -> Option<Leaf> {
        let (name, part) = match column.path().parts() {
            [name] => (name.clone(), None),
            [name, part] => (name.clone(), Some(part.clone())),
            _ => return None,
        };
        let is_text =
            matches!(column.converted_type(), ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON);
        (column.max_rep_level() == 0).then(|| Leaf { place, name, part, kind: column.physical_type(), is_text })
    }

    /// Returns whether it may hold images.
    fn holds_images(&self) -> bool {
        let is_bytes = self.part.as_ref().is_none_or(|part| part == "bytes");
        self.kind == Type::BYTE_ARRAY && !self.is_text && is_bytes
    }

    /// Returns whether it may hold labels or groups.
    fn is_told(&self) -> bool {
        let is_number = matches!(self.kind, Type::BOOLEAN | Type::INT32 | Type::INT64);
        self.part.is_none() && (is_number || self.is_text)
    }
}

/// Returns the columns of a file that hold a value for each row.
fn leaves(file: &ParquetFile) -> Vec<Leaf> {
    let columns = file.description().schema_descr().columns().iter().enumerate();
    columns.filter_map(|(place, column)| Leaf::of(place, column)).collect()
}

/// Returns what `datasets` tells of the columns: an object with one for each, or nothing.
fn features(file: &ParquetFile) -> Value {
    let entries = file.description().key_value_metadata().into_iter().flatten();
    let told = entries.filter(|entry| entry.key == FEATURES).find_map(|entry| entry.value.as_deref());
    let told: Value = told.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    told.pointer("/info/features").cloned().unwrap_or_default()
}

/// Returns the column of the images.
fn image<'a>(file: &ParquetFile, leaves: &'a [Leaf], features: &Value, columns: &Columns) -> Result<&'a Leaf> {
    let candidates: Vec<&Leaf> = leaves.iter().filter(|leaf| leaf.holds_images()).collect();
    let path = file.path();
    let names = || some_of(candidates.iter().map(|leaf| shortened(&leaf.name)));
    if let Some(given) = &columns.path {
        let found = candidates.iter().find(|leaf| leaf.name == *given);
        return found.copied().ok_or_else(|| {
            let reason = format!("{} has no such column of images; it has {}", path.display(), names());
            Error::value("path_column", shortened(given), reason)
        });
    }
    let told: Vec<&Leaf> = candidates.iter().copied().filter(|leaf| features[&leaf.name]["_type"] == "Image").collect();
    let named = IMAGE_NAMES.iter().find_map(|name| candidates.iter().find(|leaf| leaf.name == *name));
    match (&told[..], &candidates[..], named) {
        ([one], ..) | (_, [one], _) => Ok(one),
        (_, _, Some(named)) => Ok(named),
        (_, [], _) => {
            let reason = "it is a Parquet file without a column of images, the bytes of their files; write one, or give the images in folders";
            Err(Error::data(path, reason))
        }
        _ => {
            let reason =
                format!("which column of {} holds the images cannot be told; give one of {}", path.display(), names());
            Err(Error::setting("path_column", reason))
        }
    }
}
