//! `watch.csv`: a line for each epoch, layer and tensor.
//!
//! | columns | hold |
//! |---|---|
//! | `epoch`, `layer`, `tensor` | the epoch from 0, the layer or `all`, the tensor as [`watch`](crate::training::watch) names it |
//! | `steps`, `values` | what was measured: steps of the epoch, and values in all of them |
//! | `norm`, `norm_max` | the Euclidean norm: its mean over the steps, and its largest |
//! | `mean`, `rms`, `largest` | of all values: the mean, the root of the mean square, the largest magnitude |
//! | `zeros`, `positive` | the share of values that are 0, and above 0 |
//! | `clipped_norm` | of gradients that are clipped: the mean norm of what was used |
//! | `ratio`, `ratio_max` | of updates: ‖Δw‖ / ‖w‖, its mean over the steps, and its largest |
//! | `units`, `dead`, `dead_units` | of a ReLU's output: its units, how many were never active in the epoch, and which, from 0 |
//! | `below`, `1e-12`, `3e-12`, … `1e4` | how many of the sampled values have a magnitude of at least this and less than the next (`3` is √10) |
//!
//! What a tensor does not have is empty. Numbers stand in the shortest form that reads back to the same bits.

use crate::Result;
use crate::files::{read_table, write_table};
use crate::training::watch::WatchRow;
use crate::training::watch::histogram::{BINS, Histogram, bin_name};
use serde::Serialize;
use std::path::Path;

/// The columns before the histogram's.
const COLUMNS: [&str; 18] = [
    "epoch",
    "layer",
    "tensor",
    "steps",
    "values",
    "norm",
    "norm_max",
    "mean",
    "rms",
    "largest",
    "zeros",
    "positive",
    "clipped_norm",
    "ratio",
    "ratio_max",
    "units",
    "dead",
    "dead_units",
];

/// A line, its fields in the order of the columns.
#[derive(Serialize)]
struct Line<'a> {
    epoch: usize,
    layer: &'a str,
    tensor: &'a str,
    steps: u64,
    values: u64,
    norm: f64,
    norm_max: f64,
    mean: f64,
    rms: f64,
    largest: f64,
    zeros: f64,
    positive: f64,
    clipped_norm: Option<f64>,
    ratio: Option<f64>,
    ratio_max: Option<f64>,
    units: Option<usize>,
    dead: Option<usize>,
    dead_units: String,
    histogram: &'a [u64],
}

/// Writes `watch.csv`.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) names the file that cannot be written.
pub fn write_watch(path: &Path, rows: &[WatchRow]) -> Result<()> {
    let bins: Vec<String> = (0..BINS).map(bin_name).collect();
    let heading: Vec<&str> = COLUMNS.into_iter().chain(bins.iter().map(String::as_str)).collect();
    write_table(path, &heading, rows.iter().map(line))
}

fn line(row: &WatchRow) -> Line<'_> {
    let units = |dead: &Vec<usize>| dead.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
    Line {
        epoch: row.epoch,
        layer: &row.layer,
        tensor: &row.tensor,
        steps: row.steps,
        values: row.values,
        norm: row.norm,
        norm_max: row.norm_max,
        mean: row.mean,
        rms: row.rms,
        largest: row.largest,
        zeros: row.zeros,
        positive: row.positive,
        clipped_norm: row.clipped_norm,
        ratio: row.ratio,
        ratio_max: row.ratio_max,
        units: row.units,
        dead: row.dead.as_ref().map(Vec::len),
        dead_units: row.dead.as_ref().map(units).unwrap_or_default(),
        histogram: row.histogram.counts(),
    }
}

/// Reads what [`write_watch`] wrote: the rows up to the first that is none.
///
/// # Errors
/// Those of [`read_table`].
pub fn read_watch(path: &Path) -> Result<Vec<WatchRow>> {
    let text = read_table(path)?;
    let records = csv::Reader::from_reader(text.as_bytes()).into_records();
    Ok(records.map_while(|record| row(&record.ok()?)).collect())
}

/// The row of a line, if it is one.
fn row(record: &csv::StringRecord) -> Option<WatchRow> {
    let field = |column: &str| record.get(COLUMNS.iter().position(|name| *name == column)?);
    let number = |column: &str| field(column)?.parse::<f64>().ok();
    let count = |column: &str| field(column)?.parse::<u64>().ok();
    let dead = || field("dead_units")?.split_whitespace().map(|unit| unit.parse().ok()).collect::<Option<Vec<usize>>>();
    let units = count("units").map(|units| units as usize);
    let counts = record.iter().skip(COLUMNS.len()).map(|count| count.parse().ok()).collect::<Option<Vec<u64>>>()?;
    Some(WatchRow {
        epoch: count("epoch")? as usize,
        layer: field("layer")?.to_string(),
        tensor: field("tensor")?.to_string(),
        steps: count("steps")?,
        values: count("values")?,
        norm: number("norm")?,
        norm_max: number("norm_max")?,
        mean: number("mean")?,
        rms: number("rms")?,
        largest: number("largest")?,
        zeros: number("zeros")?,
        positive: number("positive")?,
        clipped_norm: number("clipped_norm"),
        ratio: number("ratio"),
        ratio_max: number("ratio_max"),
        units,
        dead: match units {
            Some(_) => Some(dead()?),
            None => None,
        },
        histogram: Histogram::from_counts(counts)?,
    })
}

/// Rows for tests.
#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// A row of these, all other figures being as small as they can.
    pub fn row(epoch: usize, layer: &str, tensor: &str) -> WatchRow {
        WatchRow {
            epoch,
            layer: layer.into(),
            tensor: tensor.into(),
            steps: 2,
            values: 8,
            norm: 0.1,
            norm_max: 1.0 / 3.0,
            mean: -0.01,
            rms: 0.05,
            largest: 0.25,
            zeros: 0.5,
            positive: 0.125,
            clipped_norm: None,
            ratio: None,
            ratio_max: None,
            units: None,
            dead: None,
            histogram: Histogram::from_counts((0..BINS as u64).collect()).unwrap(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::row;
    use super::*;

    #[test]
    fn the_table_reads_back_as_it_was_up_to_a_line_that_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("watch.csv");
        let rows = [
            WatchRow { units: Some(8), dead: Some(vec![0, 7]), ..row(0, "re_lu", "output") },
            WatchRow { ratio: Some(1e-3), ratio_max: Some(2e-3), ..row(0, "dense", "update_kernel") },
            WatchRow { clipped_norm: Some(0.5), norm_max: f64::INFINITY, ..row(1, "all", "grad") },
            WatchRow { units: Some(3), dead: Some(vec![]), ..row(1, "re_lu", "output") },
        ];
        write_watch(&path, &rows).unwrap();
        assert_eq!(read_watch(&path).unwrap(), rows);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("epoch,layer,tensor,steps,values,norm,norm_max,mean,rms,largest,zeros,positive,"));
        assert!(lines[0].ends_with(",units,dead,dead_units,below,1e-12,3e-12,1e-11,3e-11,1e-10,3e-10,1e-9,3e-9,1e-8,3e-8,1e-7,3e-7,1e-6,3e-6,1e-5,3e-5,1e-4,3e-4,1e-3,3e-3,1e-2,3e-2,1e-1,3e-1,1e0,3e0,1e1,3e1,1e2,3e2,1e3,3e3,1e4"), "{}", lines[0]);
        assert!(
            lines[1]
                .starts_with("0,re_lu,output,2,8,0.1,0.3333333333333333,-0.01,0.05,0.25,0.5,0.125,,,,8,2,0 7,0,1,2,")
        );
        std::fs::write(&path, text.replace("1,all,grad,2", "1,all,grad,x")).unwrap();
        assert_eq!(read_watch(&path).unwrap(), rows[..2]);
    }
}
