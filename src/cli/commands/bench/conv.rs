//! `glassnet bench conv`: convolutions pass by pass, by each algorithm.

use super::machine::{machine_json, machine_lines, peaks, pools};
use crate::cli::args::bench::{ConvArgs, NamedConvolution};
use crate::cli::machine::memory;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::console::Lines;
use crate::cli::terminal::output;
use glassnet::bench::conv::{Case, ConvData, measure};
use glassnet::bench::conv_error::Oracle;
use glassnet::bench::conv_figures::{ConvFigures, figures, write_csv};
use glassnet::bench::descriptor::ConvDescriptor;
use glassnet::bench::machine_peak::MachinePeak;
use glassnet::geometry::ConvGeometry;
use glassnet::kernels::conv::Pass;
use glassnet::kernels::conv::registry::CONV_ALGORITHMS;
use glassnet::{Error, Result};
use rayon::ThreadPool;
use serde_json::{Value, json};

/// Measures each convolution with each number of threads.
pub fn run(args: &ConvArgs) -> CommandResult {
    let convolutions = match args.convolutions.as_slice() {
        [] => NamedConvolution::documented(),
        given => given.to_vec(),
    };
    if let Some(path) = &args.csv {
        output::check_file("--csv", path)?;
    }
    for NamedConvolution { descriptor, .. } in &convolutions {
        let geometry = geometry_of(descriptor)?;
        memory::check_arrays(descriptor.to_string(), ConvData::bytes(&geometry, descriptor.batch))?;
    }
    let pools = pools(&args.threads)?;
    let peaks = peaks(&pools);
    let mut printed = Lines::default();
    if !args.json {
        machine_lines(&peaks).iter().for_each(|line| printed.print(line));
    }
    let mut all = Vec::new();
    for convolution in convolutions {
        let measured = Measured::new(args, convolution, &pools, &peaks)?;
        if !args.json {
            measured.lines().iter().for_each(|line| printed.print(line));
        }
        if printed.have_failed() && args.csv.is_none() {
            break;
        }
        all.push(measured);
    }
    if args.json {
        printed.print_json(&json!({
            "machine": machine_json(&peaks),
            "rounds": args.rounds,
            "convolutions": all.iter().map(Measured::json).collect::<Vec<Value>>(),
        }));
    } else {
        printed.print("");
        LEGEND.iter().for_each(|line| printed.print(line));
    }
    if let Some(path) = &args.csv {
        write_csv(path, all.iter().flat_map(Measured::csv_rows))?;
    }
    printed.end()?;
    Ok(Outcome::Done)
}

fn geometry_of(descriptor: &ConvDescriptor) -> Result<ConvGeometry> {
    descriptor.geometry().map_err(|reason| Error::setting(descriptor.to_string(), reason))
}

/// A convolution and all that was measured of it.
struct Measured {
    convolution: NamedConvolution,
    geometry: ConvGeometry,
    error_of: String,
    figures: Vec<ConvFigures>,
}

impl Measured {
    fn new(
        args: &ConvArgs,
        convolution: NamedConvolution,
        pools: &[ThreadPool],
        peaks: &[MachinePeak],
    ) -> Result<Measured> {
        let descriptor = convolution.descriptor;
        let geometry = geometry_of(&descriptor)?;
        let algorithms = if args.algorithm.is_empty() { CONV_ALGORITHMS } else { &args.algorithm };
        let passes = if args.pass.is_empty() { &Pass::ALL[..] } else { &args.pass };
        // What im2col should come near to, and so only beside it.
        let product = algorithms.iter().any(|algorithm| algorithm.name() == CONV_ALGORITHMS[0].name());
        let cases = Case::all(&geometry, passes, algorithms, product);

        let oracle = Oracle::new(&descriptor, &cases);
        let oracle = oracle.map_err(|reason| Error::setting(descriptor.to_string(), reason))?;
        let errors: Vec<Option<f64>> = cases.iter().map(|case| oracle.error(case)).collect();
        let data = ConvData::draw(geometry, descriptor.batch);
        let all = pools.iter().zip(peaks).flat_map(|(pool, peak)| {
            let times = pool.install(|| measure(&data, &cases, args.rounds));
            figures(&data, &cases, &times, &errors, peak)
        });
        Ok(Measured { convolution, geometry, error_of: oracle.what(), figures: all.collect() })
    }

    fn lines(&self) -> Vec<String> {
        let NamedConvolution { layer, descriptor } = &self.convolution;
        let [height, width, channels] = self.geometry.input;
        let [output_height, output_width] = self.geometry.output;
        let gflop = 2.0 * descriptor.batch as f64 * self.geometry.multiply_adds() as f64 / 1e9;
        let name = layer.as_ref().map_or(String::new(), |layer| format!("{layer}, "));
        let mut lines = vec![
            String::new(),
            format!(
                "{name}{descriptor}: {} × {height}×{width}×{channels} → {output_height}×{output_width}×{}, {gflop:.3} GFLOP a pass; \
                 errors of {}",
                descriptor.batch, self.geometry.filters, self.error_of
            ),
            row(HEADING.map(str::to_string)),
        ];
        let mut last = None;
        for figures in &self.figures {
            // A rule between the passes.
            if last != Some((figures.threads, figures.pass)) {
                lines.push("─".repeat(lines[2].chars().count()));
                last = Some((figures.threads, figures.pass));
            }
            lines.push(row(cells(figures)));
        }
        if self.figures.is_empty() {
            lines.push("none of the chosen algorithms does a chosen pass of it".into());
        }
        lines
    }

    fn csv_rows(&self) -> impl Iterator<Item = (Option<&str>, String, &ConvFigures)> {
        let NamedConvolution { layer, descriptor } = &self.convolution;
        self.figures.iter().map(move |figures| (layer.as_deref(), descriptor.to_string(), figures))
    }

    fn json(&self) -> Value {
        json!({
            "layer": self.convolution.layer,
            "convolution": self.convolution.descriptor.to_string(),
            "multiply_adds": self.convolution.descriptor.batch * self.geometry.multiply_adds(),
            "error_of": self.error_of,
            "cases": self.figures,
        })
    }
}

/// The columns of a table.
const HEADING: [&str; 13] = [
    "threads",
    "pass",
    "algorithm",
    "gradient",
    "min ms",
    "median ms",
    "GFLOP/s",
    "peak %",
    "GB/s",
    "memory %",
    "error",
    "× im2col",
    "product %",
];

/// A line with right-justified columns, but for the names.
fn row(cells: [String; 13]) -> String {
    let [threads, pass, algorithm, gradient, min, median, gflops, peak, gb, memory, error, times, product] = cells;
    let names = format!("{threads:<7} {pass:<12} {algorithm:<14} {gradient:<8}");
    let rates = format!("{min:>9} {median:>9} {gflops:>8} {peak:>7} {gb:>7} {memory:>9} {error:>8}");
    format!("{names} {rates} {times:>8} {product:>9}").trim_end().to_string()
}

fn cells(figures: &ConvFigures) -> [String; 13] {
    let percent = |share: f64| format!("{:.1}", 100.0 * share);
    [
        figures.threads.to_string(),
        figures.pass.into(),
        figures.algorithm.into(),
        figures.gradient.unwrap_or("").into(),
        format!("{:.3}", figures.min_ms),
        format!("{:.3}", figures.median_ms),
        format!("{:.1}", figures.gflops),
        percent(figures.peak_share),
        format!("{:.2}", figures.gb_per_s),
        percent(figures.bandwidth_share),
        figures.error.map_or(String::new(), |error| format!("{error:.1e}")),
        figures.times_im2col.map_or(String::new(), |times| format!("{times:.2}")),
        figures.matrixmultiply_share.map_or(String::new(), percent),
    ]
}

/// The legend under the tables.
const LEGEND: [&str; 8] = [
    "Times are of the whole batch; rates and ratios are of the fastest round. GFLOP/s count the direct algorithm's arithmetic,",
    "2·N·P·K·F, so an algorithm that saves some can be above the peak. GB/s count input, kernel and output once, the least that",
    "must move. Error: max|a − b| / max|b| against the f64 reference. × im2col: how many times as fast as im2col.",
    "matrixmultiply is the matrix product of the same shape with the patches at hand, [P×K]·[K×F] going forward; product % is",
    "im2col's speed divided by that. The machine's limits are measured with its widest instruction set, whichever is in force.",
    "Gradients are dense: every position of the output has one. pooled: the gradient comes through a 2×2 max-pool, places drawn",
    "at random, half of the windows without any, so one position in eight has one.",
    "The sum over the images' weight gradients, the same for all, is not timed.",
];
