//! `cargo bench --bench step`: a training step and an inference batch of the documented model, in rayon's
//! global pool. `glassnet bench step` splits the same by phase; here criterion keeps a baseline.

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use glassnet::bench::phantom_batches::PhantomBatches;
use glassnet::bench::step::StepBench;
use glassnet::network::Network;
use glassnet::plan::PlanOptions;
use glassnet::spec::ModelSpec;
use glassnet::training::keras_run::BATCH_SIZE;
use std::time::Duration;

fn steps(criterion: &mut Criterion) {
    let network = Network::new(&ModelSpec::documented()).expect("the documented model");
    let phantom = PhantomBatches::draw(network.spec().input, BATCH_SIZE).expect("the synthetic set");
    let batches = phantom.batches().expect("images that were just drawn");
    let parameters = network.initial_parameters(0);
    let mut bench =
        StepBench::new(&network, parameters, None, &batches, PlanOptions::default()).expect("batches for this network");

    let mut group = criterion.benchmark_group("documented model, batch of 16");
    group.sampling_mode(SamplingMode::Flat).sample_size(20).measurement_time(Duration::from_secs(4));
    group.bench_function("training step", |bencher| bencher.iter(|| bench.train_step().expect("a step")));
    group.bench_function("inference", |bencher| bencher.iter(|| bench.infer(0).expect("a batch")));
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
