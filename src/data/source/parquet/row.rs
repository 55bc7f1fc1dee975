//! A row of a Parquet file.

use std::sync::Arc;

use crate::data::part::GivenPart;

/// A row: an image, and what is told of it.
pub struct Row {
    pub bytes: Vec<u8>,
    pub path: Option<Arc<str>>,
    pub label: Option<Arc<str>>,
    pub group: Option<Arc<str>>,
    pub part: Option<GivenPart>,
}
