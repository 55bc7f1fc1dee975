//! The arguments for labels that lie beside images, which all commands with DATA share.

use clap::Args;
use glassnet::data::source::{Columns, Labels};
use serde::{Serialize, Serializer};
use std::path::PathBuf;

/// `--labels` and the names of its columns.
#[derive(Args, Clone, Debug, Default, Serialize)]
pub struct LabelsArgs {
    /// A table with the class of each image of DATA
    ///
    /// A CSV file with a row for each image: its path, as seen from DATA, or its name; its label; and perhaps
    /// a patient or another group, whose images stay on one side of the split, and the part of a split that
    /// it is in (train, val or test), which is kept. It need not be given where it lies in DATA, or is DATA.
    #[arg(long, value_name = "FILE.csv", hide_short_help = true)]
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub labels: Option<PathBuf>,
    /// The table's column of paths [default: path, file_name, image or the like]
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_column: Option<String>,
    /// The table's column of labels [default: label, class, target or the like]
    ///
    /// Several with commas between, such as cat,dog,hare: an image may have any number of these labels, or
    /// none, and their columns hold 1 where it has one and 0 where not.
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_column: Option<String>,
    /// What stands between several labels of an image in the column of labels, such as ; or |
    ///
    /// An image may have any number of labels then; an empty cell is none.
    #[arg(long, value_name = "TEXT", hide_short_help = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_separator: Option<String>,
    /// The table's column of groups [default: group, patient, subject or the like]
    ///
    /// '' takes none.
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_column: Option<String>,
    /// The table's column of parts: train, val, test [default: split, subset or the like]
    ///
    /// '' takes none.
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split_column: Option<String>,
}

impl LabelsArgs {
    /// The same for the library.
    pub fn known(&self) -> Labels {
        let LabelsArgs { labels, path_column, label_column, label_separator, group_column, split_column } =
            self.clone();
        let columns = Columns {
            path: path_column,
            label: label_column,
            separator: label_separator,
            group: group_column,
            split: split_column,
        };
        Labels { table: labels, columns }
    }

    /// The columns alone, for further data.
    pub fn columns(&self) -> LabelsArgs {
        LabelsArgs { labels: None, ..self.clone() }
    }
}

/// A path as text, also where it is none in UTF-8.
fn as_text<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_ref().map(|path| path.display().to_string()).serialize(serializer)
}
