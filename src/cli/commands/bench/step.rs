//! `glassnet bench step`: a training step and an inference batch, as a whole and phase by phase.

use super::machine::{machine_json, machine_lines, peaks, pools};
use crate::cli::args::bench::StepArgs;
use crate::cli::input::model::{Origin, check_takes_images, read_spec};
use crate::cli::machine::memory::Memory;
use crate::cli::outcome::{CommandResult, Failure, Outcome};
use crate::cli::terminal::console;
use glassnet::bench::Milliseconds;
use glassnet::bench::machine_peak::MachinePeak;
use glassnet::bench::nonzero_gradients::{NonzeroShare, nonzero_shares};
use glassnet::bench::phantom_batches::PhantomBatches;
use glassnet::bench::step::{Phase, StepBench, StepFigures};
use glassnet::data::batches::Batch;
use glassnet::network::Network;
use glassnet::optim::Rule;
use glassnet::parameters::Parameters;
use glassnet::plan::PlanOptions;
use glassnet::spec::ModelSpec;
use glassnet::training::{TrainSettings, TrainingState, train};
use serde::Serialize;
use serde_json::{Value, json};

/// Measures with each number of threads, at initial weights and at trained ones.
pub fn run(args: &StepArgs) -> CommandResult {
    let spec = args.model.as_deref().map_or_else(|| Ok(ModelSpec::documented()), read_spec)?;
    let network = Origin { file: args.model.as_deref(), image_size: args.image_size }.network(spec)?;
    check_takes_images(&network)?;
    let pools = pools(&args.threads)?;
    for pool in &pools {
        let memory = pool.install(|| Memory::new(&network, args.batch_size, options(args), Rule::default()));
        memory.check_training(args.batch_size)?;
    }
    let peaks = peaks(&pools);
    if !args.json {
        for line in machine_lines(&peaks).iter().chain(&heading(args, &network)) {
            console::print(line)?;
        }
    }
    let mut runs = Vec::new();
    for pool in &pools {
        let run = pool.install(|| measure(args, &network))?;
        if !args.json {
            for line in lines(&run) {
                console::print(&line)?;
            }
        }
        runs.push(run);
    }
    if args.json {
        console::print_json(&as_json(args, &network, &peaks, &runs))?;
    } else {
        console::print("")?;
        for line in LEGEND {
            console::print(line)?;
        }
    }
    Ok(Outcome::Done)
}

/// The figures of a number of threads.
#[derive(Serialize)]
struct Run {
    threads: usize,
    /// Decoding and resizing a batch.
    decode_ms: Milliseconds,
    /// At initial weights.
    initial: AtWeights,
    /// After [`keras_run::EPOCHS`] epochs.
    trained: AtWeights,
}

/// The figures at some weights.
#[derive(Serialize)]
struct AtWeights {
    #[serde(flatten)]
    figures: StepFigures,
    #[serde(rename = "live_shares")]
    nonzero_shares: Vec<NonzeroShare>,
}

fn options(args: &StepArgs) -> PlanOptions {
    PlanOptions { conv: args.conv, fuse: !args.no_fuse, ..PlanOptions::default() }
}

/// Measures in the current pool.
fn measure(args: &StepArgs, network: &Network) -> Result<Run, Failure> {
    let phantom = PhantomBatches::draw(network.spec().input, args.batch_size)?;
    let batches = phantom.batches()?;
    let mut decoded = Batch::default();
    phantom.decode(&mut decoded)?;
    let decode = (0..args.steps).map(|_| phantom.decode(&mut decoded)).collect::<glassnet::Result<Vec<_>>>()?;

    let at = |parameters: &Parameters| -> Result<AtWeights, Failure> {
        let nonzero_shares = nonzero_shares(network, parameters, &batches, args.conv)?;
        let folded = network.folded(parameters)?;
        let mut bench = StepBench::new(network, parameters.clone(), folded.as_ref(), &batches, options(args))?;
        let figures = bench.measure(args.steps)?;
        Ok(AtWeights { figures, nonzero_shares })
    };
    let parameters = network.initial_parameters(0);
    let initial = at(&parameters)?;
    let settings = TrainSettings { conv: args.conv, fuse: !args.no_fuse, ..TrainSettings::default() };
    let mut state = TrainingState::new(parameters, settings.optimizer()?);
    train(network, &mut state, phantom.loader(), None, &settings, |_, _| Ok(()))?;
    let trained = at(&state.parameters)?;
    Ok(Run { threads: rayon::current_num_threads(), decode_ms: Milliseconds::from_runs(&decode), initial, trained })
}

/// The legend under the tables.
const LEGEND: [&str; 5] = [
    "A training step is forward, loss, backward and optimizer on a batch in memory, dropout on; its phases' shares are of all steps'",
    "time. Decoding a batch from PNG is not part of it: while a step runs, the loader decodes the next batches, and only in the",
    "first epoch if the set fits into memory. The optimizer works with a learning rate of 0, so every step meets the same weights.",
    "Live gradients: the share of a convolution's output whose gradient is not 0 behind max-pooling and ReLU. The images are the",
    "synthetic set's. On a shared machine the minimum is the figure to compare.",
];

fn heading(args: &StepArgs, network: &Network) -> Vec<String> {
    let [height, width, channels] = network.spec().input;
    let model = args.model.as_deref().map_or("the documented model".to_string(), |file| file.display().to_string());
    let fused = if args.no_fuse { "layer by layer" } else { "fused" };
    vec![format!(
        "{}: batches of {} images of {height}×{width}×{channels}, convolution {}, {fused}, {} steps",
        console::one_line(&model),
        args.batch_size,
        args.conv,
        args.steps
    )]
}

/// Columns of the phases' names.
const NAME_WIDTH: usize = 44;

fn lines(run: &Run) -> Vec<String> {
    let threads = if run.threads == 1 { "1 thread".to_string() } else { format!("{} threads", run.threads) };
    let weights = [("initial weights", &run.initial), ("after 5 epochs", &run.trained)];
    let row = |name: &str, cells: [String; 2]| {
        format!("{name:<NAME_WIDTH$} {} {}", cells[0], cells[1]).trim_end().to_string()
    };
    let ms = |ms: Milliseconds| format!("{:>9.3} {:>9.3} {:>7}", ms.min, ms.median, "");
    let phase_rows = |phases: fn(&StepFigures) -> &[Phase]| -> Vec<String> {
        let both = phases(&run.initial.figures).iter().zip(phases(&run.trained.figures));
        let name = |phase: &Phase| format!("  {} {}", phase.phase, phase.layers.as_deref().unwrap_or(""));
        let cell =
            |phase: &Phase| format!("{:>9.3} {:>9.3} {:>5.1} %", phase.ms.min, phase.ms.median, 100.0 * phase.share);
        both.map(|(initial, trained)| row(&name(initial), [cell(initial), cell(trained)])).collect()
    };
    let rule = "─".repeat(NAME_WIDTH + 2 * 28);
    let mut lines = vec![
        String::new(),
        row(&threads, weights.map(|(name, _)| format!("{name:>27}"))),
        row("", weights.map(|_| format!("{:>9} {:>9} {:>7}", "min ms", "median ms", "share"))),
        rule.clone(),
        row("training step", weights.map(|(_, at)| ms(at.figures.train_step_ms))),
    ];
    lines.extend(phase_rows(|figures| &figures.phases));
    lines.push(row("inference", weights.map(|(_, at)| ms(at.figures.inference_ms))));
    lines.extend(phase_rows(|figures| &figures.inference_phases));
    lines.push(row("decoding, beside the step", [ms(run.decode_ms), String::new()]));
    lines.push(rule);
    for (initial, trained) in run.initial.nonzero_shares.iter().zip(&run.trained.nonzero_shares) {
        let cell = |share: &NonzeroShare| format!("{:>25.1} %", 100.0 * share.share);
        lines.push(row(&format!("live gradients of {}", initial.layer), [cell(initial), cell(trained)]));
    }
    lines
}

fn as_json(args: &StepArgs, network: &Network, peaks: &[MachinePeak], runs: &[Run]) -> Value {
    // The two figures that scripts want stand at the top: the first number of threads, at initial weights.
    let first = &runs[0].initial.figures;
    json!({
        "train_step_ms": first.train_step_ms,
        "inference_ms": first.inference_ms,
        "machine": machine_json(peaks),
        "model": args.model.as_deref().map(|file| file.display().to_string()),
        "input": network.spec().input,
        "batch_size": args.batch_size,
        "conv": args.conv.to_string(),
        "fuse": !args.no_fuse,
        "steps": args.steps,
        "runs": runs,
    })
}
