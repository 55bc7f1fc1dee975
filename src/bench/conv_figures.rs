//! From the times of convolutions to figures that can be compared: with each other, and with what the machine
//! can do.

use super::Milliseconds;
use super::conv::{Case, ConvData, Worker};
use super::machine_peak::MachinePeak;
use crate::Result;
use crate::files::write_table;
use crate::kernels::conv::Pass;
use serde::Serialize;
use std::path::Path;

/// The figures of a case. Rates, shares and ratios are those of the fastest run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConvFigures {
    /// Threads of the pool it ran in.
    pub threads: usize,
    /// The pass.
    pub pass: &'static str,
    /// The algorithm, or `matrixmultiply` for the product alone.
    pub algorithm: &'static str,
    /// The form in which ∂L/∂output is given, `dense` or `pooled`; none going forward.
    pub gradient: Option<&'static str>,
    /// For the whole batch, the fastest run.
    pub min_ms: f64,
    /// For the whole batch, the usual run.
    pub median_ms: f64,
    /// 10⁹ operations a second, counted as in the direct algorithm, 2·N·P·K·F, however few an algorithm
    /// needs.
    pub gflops: f64,
    /// Those, divided by the machine's most. An algorithm that saves operations can have more than 1.
    pub peak_share: f64,
    /// Bytes that must move at least: input, kernel and output, or their gradients, once each.
    pub least_bytes: usize,
    /// 10⁹ of these a second.
    pub gb_per_s: f64,
    /// Those, divided by the most that goes to memory. What stays in the caches can have more than 1.
    pub bandwidth_share: f64,
    /// max|a − b| / max|b| against the f64 reference; none for the product alone.
    pub error: Option<f64>,
    /// The speed as a multiple of im2col's in the same pass; none where that was not measured.
    pub times_im2col: Option<f64>,
    /// For im2col, its speed divided by that of the product alone.
    pub matrixmultiply_share: Option<f64>,
}

/// The name of the algorithm that others are compared with.
const BASE: &str = "im2col";

/// Returns the figures of all cases, which were measured in turn in a pool with this peak.
pub fn figures(
    data: &ConvData,
    cases: &[Case],
    times: &[Milliseconds],
    errors: &[Option<f64>],
    peak: &MachinePeak,
) -> Vec<ConvFigures> {
    let operations = 2.0 * data.batch as f64 * data.geometry.multiply_adds() as f64;
    let time_of = |name: &str, pass: Pass| {
        let found = cases.iter().position(|case| case.pass == pass && case.worker.name() == name && !case.pooled);
        found.map(|index| times[index].min)
    };
    let measured = cases.iter().zip(times).zip(errors);
    let figures = measured.map(|((case, ms), &error)| {
        let algorithm = case.worker.name();
        let (seconds, least_bytes) = (ms.min / 1e3, data.least_bytes(case));
        let (gflops, gb_per_s) = (operations / seconds / 1e9, least_bytes as f64 / seconds / 1e9);
        let product = Worker::Product.name();
        ConvFigures {
            threads: peak.threads,
            pass: case.pass.name(),
            algorithm,
            gradient: match case.pass {
                Pass::Forward => None,
                _ => Some(if case.pooled { "pooled" } else { "dense" }),
            },
            min_ms: ms.min,
            median_ms: ms.median,
            gflops,
            peak_share: gflops / peak.gflops,
            least_bytes,
            gb_per_s,
            bandwidth_share: gb_per_s / peak.gb_per_s,
            error,
            times_im2col: time_of(BASE, case.pass).map(|base| base / ms.min),
            matrixmultiply_share: time_of(product, case.pass).filter(|_| algorithm == BASE).map(|time| time / ms.min),
        }
    });
    figures.collect()
}

/// The columns of [`write_csv`]: layer, convolution, and the fields of [`ConvFigures`].
const COLUMNS: [&str; 16] = [
    "layer",
    "convolution",
    "threads",
    "pass",
    "algorithm",
    "gradient",
    "min_ms",
    "median_ms",
    "gflops",
    "peak_share",
    "least_bytes",
    "gb_per_s",
    "bandwidth_share",
    "error",
    "times_im2col",
    "matrixmultiply_share",
];

/// Writes a line for each case: its layer's name, if it has one, its descriptor, and its figures.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) names the file that cannot be written.
pub fn write_csv<'a>(
    path: &Path,
    cases: impl IntoIterator<Item = (Option<&'a str>, String, &'a ConvFigures)>,
) -> Result<()> {
    write_table(path, &COLUMNS, cases)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::conv::registry::CONV_ALGORITHMS;

    #[test]
    fn figures_are_what_their_times_make_them() {
        let descriptor: crate::bench::descriptor::ConvDescriptor = "n2h6w6c3f4k3".parse().unwrap();
        let geometry = descriptor.geometry().unwrap();
        let data = ConvData::draw(geometry, 2);
        let cases = Case::all(&geometry, &[Pass::GradInput], &CONV_ALGORITHMS[..1], true);
        let times = [Milliseconds { min: 2.0, median: 4.0 }, Milliseconds { min: 1.0, median: 1.0 }];
        let peak = MachinePeak { threads: 3, gflops: 0.1, l2_gb_per_s: 2.0, gb_per_s: 1.0 };
        let figures = figures(&data, &cases, &times, &[Some(1e-7), None], &peak);
        let im2col = &figures[0];
        assert_eq!(
            (im2col.algorithm, im2col.gradient, figures[1].algorithm),
            ("im2col", Some("dense"), "matrixmultiply")
        );
        // 2 · 2 images · 16 positions · 27 · 4 filters = 6912 operations in 2 ms
        assert!((im2col.gflops - 6912.0 / 2e-3 / 1e9).abs() < 1e-12 && (im2col.peak_share - 0.03456).abs() < 1e-9);
        assert_eq!(im2col.least_bytes, 4 * (2 * 6 * 6 * 3 + 27 * 4 + 2 * 16 * 4));
        assert_eq!((im2col.times_im2col, im2col.matrixmultiply_share), (Some(1.0), Some(0.5)));
        assert_eq!((figures[1].times_im2col, figures[1].matrixmultiply_share), (Some(2.0), None));
    }
}
