//! A profile of a training: all thread time is accounted for, its figures are those of the network, and
//! nothing of the training changes.

use glassnet::classes::Label;
use glassnet::data::arrays::ArraySet;
use glassnet::data::batches::Loader;
use glassnet::kernels::conv::registry::ConvPolicy;
use glassnet::network::Network;
use glassnet::profile::model::{Cause, PassProfile, Profile, Roof, Row, Subject};
use glassnet::profile::{Profiled, profile};
use glassnet::spec::ModelSpec;
use glassnet::training::{TrainSettings, TrainingState, train};
use glassnet::{Error, Result};
use ndarray::Array4;

const IMAGES: usize = 22;
const BATCH: usize = 4;
const STEPS: usize = 6;

fn network() -> Network {
    Network::new(&ModelSpec::documented().with_image_size(48)).unwrap()
}

/// Some images, of which the last batch of an epoch has fewer.
fn loader() -> Loader {
    let images =
        Array4::from_shape_fn((IMAGES, 48, 48, 3), |(n, y, x, c)| ((n + 3 * y + 5 * x + 7 * c) % 11) as f32 / 10.0);
    let labels = (0..IMAGES).map(|n| Label::new(n % 2)).collect();
    Loader::from_arrays(ArraySet::new(images, labels).unwrap(), BATCH).unwrap()
}

fn subject(network: &Network, loader: &Loader) -> Subject {
    Subject {
        data: "arrays".into(),
        images: loader.count(),
        model: None,
        input: network.spec().input,
        parameters: network.table().parameter_count(),
        batch_size: loader.largest_batch(),
        conv: ConvPolicy::Auto.to_string(),
        fuse: true,
    }
}

/// Profiles on so many threads, and returns where the training stands then.
fn profiled(threads: usize, settings: &TrainSettings) -> (Profile, TrainingState) {
    let (network, loader) = (network(), loader());
    let mut state = TrainingState::new(network.initial_parameters(1), settings.optimizer().unwrap());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let found = pool.install(|| {
        let profiled = Profiled { network: &network, settings, training: &loader, steps: STEPS };
        profile(&profiled, &mut state, subject(&network, &loader), None, || Ok(())).unwrap()
    });
    (found, state)
}

fn row<'a>(pass: &'a PassProfile, direction: &str, layer: &str, what: &str) -> &'a Row {
    let is_first = |layers: &str| layers == layer || layers.starts_with(&format!("{layer}+"));
    let found = pass.rows.iter().find(|row| {
        let phase = &pass.phases[row.phase];
        phase.direction == direction && row.what == what && phase.layers.as_deref().is_some_and(is_first)
    });
    found.unwrap_or_else(|| panic!("no {what} of {layer}, {direction}"))
}

#[test]
fn all_thread_time_is_work_or_idle_for_a_cause() {
    for threads in [1, 2, 3] {
        let (found, _) = profiled(threads, &TrainSettings::default());
        assert_eq!(found.machine.threads, threads);
        let names: Vec<&str> = found.passes.iter().map(|pass| pass.name.as_str()).collect();
        assert_eq!(names, ["training step", "inference"]);
        for pass in &found.passes {
            assert_eq!((pass.steps, pass.cost.pairs, pass.cost.dropped), (STEPS, STEPS, 0), "{}", pass.name);
            let work: f64 = pass.rows.iter().map(|row| row.ms).sum();
            let idle: f64 = pass.idle.iter().map(|idle| idle.ms).sum();
            let near = |a: f64, b: f64| assert!((a - b).abs() <= 1e-9 * pass.step_ms, "{}: {a} and {b}", pass.name);
            near(work + idle, pass.step_ms);
            near(pass.phases.iter().map(|phase| phase.ms).sum(), pass.step_ms);
            pass.phases.iter().for_each(|phase| near(phase.work_ms + phase.idle_ms, phase.ms));
            near(
                pass.rows.iter().map(|row| row.share).sum::<f64>() + pass.idle.iter().map(|i| i.share).sum::<f64>(),
                1.0,
            );
            let distance = pass.distance;
            let parts = distance.work_ms + distance.unroofed_ms + distance.idle_ms + distance.unexplained_ms;
            near(distance.floor_ms + parts, pass.step_ms);
            assert!(pass.fastest_ms <= pass.median_ms && pass.rows.is_sorted_by(|a, b| a.to_win_ms >= b.to_win_ms));
            assert!(pass.rows.iter().all(|row| row.ms > 0.0 && row.spans > 0.0));
            // A thread by itself never waits for others.
            let waits = pass.idle.iter().any(|idle| matches!(idle.cause, Cause::Others | Cause::Serial));
            assert!(!waits || threads > 1, "{:?}", pass.idle);
            // Nobody gains from a thread that is not there, or loses by one that is.
            let estimates = [1, 2, 4, 8, 16, 64].map(|count| pass.estimate(threads, count));
            assert!(estimates.is_sorted_by(|a, b| a >= b), "{estimates:?}");
        }
    }
}

#[test]
fn a_timeline_is_the_steps_span_by_span() {
    let (found, _) = profiled(2, &TrainSettings::default());
    for pass in &found.passes {
        assert_eq!(pass.timeline.len(), STEPS);
        let mut sums = vec![0.0; pass.rows.len()];
        for step in &pass.timeline {
            let mut end = step.start_us;
            for phase in &step.phases {
                assert_eq!(phase.start_us, end);
                end = phase.end_us;
            }
            assert_eq!(end, step.end_us);
            for thread in 0..2 {
                let spans: Vec<_> = step.spans.iter().filter(|span| span.thread == thread).collect();
                assert!(spans.is_sorted_by(|a, b| a.start_us <= a.end_us && a.end_us <= b.start_us));
                assert!(spans.iter().all(|span| step.start_us <= span.start_us && span.end_us <= step.end_us));
            }
            step.spans.iter().for_each(|span| sums[span.row] += (span.end_us - span.start_us) / 1e3);
        }
        for (row, sum) in pass.rows.iter().zip(sums) {
            let ms = sum / STEPS as f64 / 2.0;
            assert!((ms - row.ms).abs() <= 1e-6 + 1e-6 * row.ms, "{}: {ms} and {}", row.what, row.ms);
        }
    }
}

#[test]
fn the_figures_are_those_of_the_network() {
    let (found, _) = profiled(2, &TrainSettings::default());
    let training = &found.passes[0];
    // 46×46 positions of patches of 27, 32 filters, of which the pool reaches all.
    let first = row(training, "forward", "conv2d", "convolution");
    let direct = (BATCH * 2 * 46 * 46 * 27 * 32) as f64 / 1e9;
    assert!((first.direct_gflop - direct).abs() < 1e-12 && (first.executed_gflop - direct).abs() < 1e-12);
    assert_eq!((first.how.as_str(), first.descriptor.as_deref()), ("direct", Some("n4h48w48c3f32k3")));
    let replay = "glassnet bench conv n4h48w48c3f32k3 --algorithm direct --pass forward --threads 2";
    assert_eq!(first.replay.as_deref(), Some(replay));
    assert_eq!(first.why[0], "direct: taken");
    // F(2×4) takes 24 products for 72, and its transforms; of the 21×21 positions the pool reaches 20×20.
    let second = row(training, "forward", "conv2d_1", "convolution");
    assert_eq!(second.how, "winograd2x4");
    let tiles = (BATCH * 10 * 5) as f64;
    // Down six columns four inputs each, then along four rows; of the outputs along the two that are left.
    let transforms = (6.0 * 4.0 + 4.0 * 24.0) * 32.0 + (6.0 * 4.0 + 2.0 * 16.0) * 64.0;
    let executed = tiles * (2.0 * 24.0 * 32.0 * 64.0 + transforms) / 1e9;
    assert!((second.executed_gflop - executed).abs() < 1e-12, "{} and {executed}", second.executed_gflop);
    // At most one position of four has a gradient.
    let sparse = row(training, "backward", "conv2d_1", "weights' gradient");
    assert!(
        sparse.how == "sparse" && sparse.executed_gflop > 0.0 && sparse.executed_gflop <= sparse.direct_gflop / 4.0
    );
    // 4×4 positions of 128 channels into 128 units: weights and both moments are read and written.
    let dense = row(training, "backward", "flatten", "gradients and step");
    let weights = 4.0 * 4.0 * 128.0 * 128.0;
    assert!(dense.megabytes * 1e6 >= 24.0 * weights && dense.roof != Roof::Nothing, "{dense:?}");
    // A prediction has no way back.
    let inference = &found.passes[1];
    assert!(inference.phases.iter().all(|phase| phase.direction != "backward"));
    assert_eq!(row(inference, "forward", "conv2d_1", "convolution").how, "winograd");
    let purposes: u64 = found.memory.purposes.iter().map(|purpose| purpose.bytes).sum();
    assert!(purposes > 4 * 4 * found.subject.parameters as u64);
    let text = serde_json::to_string(&found).unwrap();
    let read: Profile = serde_json::from_str(&text).unwrap();
    assert!(read.subject == found.subject && read.memory == found.memory && read.passes.len() == 2);
    for (read, pass) in read.passes.iter().zip(&found.passes) {
        let names = |pass: &PassProfile| -> Vec<String> { pass.rows.iter().map(|row| row.what.clone()).collect() };
        assert_eq!((names(read), &read.counters), (names(pass), &pass.counters));
        assert!((read.step_ms - pass.step_ms).abs() <= 1e-12 * pass.step_ms);
    }
}

#[test]
fn a_training_that_is_profiled_takes_the_steps_of_one_that_is_not() {
    let settings = TrainSettings { learning_rate: 0.003, ..TrainSettings::default() };
    let (_, watched) = profiled(2, &settings);
    let (network, loader) = (network(), loader());
    let mut alone = TrainingState::new(network.initial_parameters(1), settings.optimizer().unwrap());
    let settings = TrainSettings { epochs: watched.steps.len(), ..settings };
    let steps = watched.steps.len();
    let outcome = train(&network, &mut alone, &loader, None, &settings, |_, state| -> Result<()> {
        if state.steps.len() == steps { Err(Error::Interrupted) } else { Ok(()) }
    });
    assert!(matches!(outcome, Err(Error::Interrupted)));
    assert_eq!(alone.parameters.as_slice(), watched.parameters.as_slice());
    assert_eq!(alone.steps, watched.steps);
}

#[test]
fn who_stops_a_profile_is_heard() {
    let (network, loader, settings) = (network(), loader(), TrainSettings::default());
    let mut state = TrainingState::new(network.initial_parameters(1), settings.optimizer().unwrap());
    let mut left = 3;
    let profiled = Profiled { network: &network, settings: &settings, training: &loader, steps: STEPS };
    let outcome = profile(&profiled, &mut state, subject(&network, &loader), None, || {
        left -= 1;
        if left == 0 { Err(Error::Interrupted) } else { Ok(()) }
    });
    assert!(matches!(outcome, Err(Error::Interrupted)));
    assert_eq!(state.steps.len(), 3);
}
