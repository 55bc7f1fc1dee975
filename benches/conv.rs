//! `cargo bench --bench conv`: each pass of the documented model's convolutions by each algorithm, for
//! batches of 16, in rayon's global pool. `glassnet bench conv` measures the same beside the machine's
//! limits; here criterion keeps a baseline.

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use glassnet::bench::conv::{Buffers, Case, ConvData};
use glassnet::bench::descriptor::ConvDescriptor;
use glassnet::kernels::conv::Pass;
use glassnet::kernels::conv::registry::CONV_ALGORITHMS;
use glassnet::training::keras_run::BATCH_SIZE;
use std::time::Duration;

fn convolutions(criterion: &mut Criterion) {
    for (layer, descriptor) in ConvDescriptor::documented(BATCH_SIZE) {
        let geometry = descriptor.geometry().expect("a layer of the documented model");
        let data = ConvData::draw(geometry, BATCH_SIZE);
        let mut group = criterion.benchmark_group(layer);
        group.sampling_mode(SamplingMode::Flat).sample_size(20);
        group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
        // Multiply-adds, so that criterion's elements a second are half of the operations.
        group.throughput(Throughput::Elements((BATCH_SIZE * geometry.multiply_adds()) as u64));
        for case in Case::all(&geometry, &Pass::ALL, CONV_ALGORITHMS, true) {
            let mut buffers = Buffers::new(&data, &[case]);
            let worker =
                if case.pooled { format!("{}, pooled", case.worker.name()) } else { case.worker.name().into() };
            group.bench_function(BenchmarkId::new(case.pass.name(), worker), |bencher| {
                bencher.iter(|| data.run(&case, &mut buffers));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, convolutions);
criterion_main!(benches);
