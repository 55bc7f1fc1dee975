//! Choices of the rows of a table.

use crate::training::watch::WatchRow;

/// The rows of the last epoch.
pub(super) fn last_epoch(rows: &[WatchRow]) -> impl Iterator<Item = &WatchRow> {
    let last = rows.last().map(|row| row.epoch);
    rows.iter().filter(move |row| Some(row.epoch) == last)
}

/// The rows of one layer's tensor, by epoch.
pub(super) fn history<'a>(rows: &'a [WatchRow], row: &'a WatchRow) -> impl Iterator<Item = &'a WatchRow> {
    rows.iter().filter(move |other| (&other.layer, &other.tensor) == (&row.layer, &row.tensor))
}

/// The row of the last epoch of another tensor of the same layer.
pub(super) fn beside<'a>(rows: &'a [WatchRow], row: &WatchRow, tensor: &str) -> Option<&'a WatchRow> {
    last_epoch(rows).find(|other| other.layer == row.layer && other.tensor == tensor)
}
