//! Snapshots of training steps, of networks drawn at random: the same bits for any number of threads,
//! fused or not, and after saving and reading; and files that are no snapshots are refused.

mod common;

use common::every_layer::networks_of_every_layer;
use common::networks::{Batch, networks};
use common::random_parameters;
use glassnet::error::Error;
use glassnet::kernels::conv::registry::ConvPolicy;
use glassnet::layers::LayerKind;
use glassnet::network::Network;
use glassnet::optim::{AdamConstants, Clipping, Optimizer, OptimizerSettings, Rule};
use glassnet::parameters::Parameters;
use glassnet::plan::{DropoutMasks, Mode, Plan, PlanOptions};
use glassnet::snapshot::{Difference, Snapshot, StepBatch, Values};
use glassnet::spec::ModelSpec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use std::path::Path;

/// The same cases in every run; `PROPTEST_CASES=3000 cargo test` draws that many fresh ones instead.
fn config(cases: u32) -> Config {
    let config = Config { failure_persistence: None, ..Config::default() };
    match std::env::var("PROPTEST_CASES") {
        Ok(_) => config,
        Err(_) => Config { cases, rng_seed: RngSeed::Fixed(1), ..config },
    }
}

fn options(fuse: bool) -> PlanOptions {
    PlanOptions { conv: ConvPolicy::Auto, fuse, training: true, input_gradient: true }
}

/// An optimizer of each kind, clipped or not.
fn optimizer(seed: u64) -> OptimizerSettings {
    let rule = match seed % 3 {
        0 => Rule::Adam(AdamConstants::default()),
        1 => Rule::Sgd { momentum: 0.9, nesterov: true },
        _ => Rule::Sgd { momentum: 0.0, nesterov: false },
    };
    let clipping = if seed.is_multiple_of(2) { Clipping::None } else { Clipping::GlobalNorm(0.1) };
    OptimizerSettings { rule, clipping, weight_decay: 0.01, ..OptimizerSettings::default() }
}

/// The second of two steps of a network with random weights, in a pool of this many threads.
fn second_step(network: &Network, seed: u64, threads: usize, options: PlanOptions) -> Snapshot {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let batch = Batch::draw(network, 1 + (seed % 3) as usize, seed);
        let mut parameters = random_parameters(network, seed);
        let mut optimizer = Optimizer::new(network.table(), optimizer(seed));
        // A plan for more images than the batch has: the rest of the workspace is not kept.
        let plan = Plan::new(network, batch.labels.len() + 2, options);
        let mut step = |step| {
            let masks = DropoutMasks::Drawn { seed, step };
            let batch = StepBatch { images: batch.images(network), targets: batch.targets(), masks };
            Snapshot::take(&plan, &mut parameters, &mut optimizer, batch).unwrap()
        };
        step(0);
        step(1)
    })
}

/// Fails with the difference.
#[track_caller]
fn assert_same(difference: Option<Difference>) {
    assert!(difference.is_none(), "{}", difference.unwrap());
}

fn any_network() -> impl Strategy<Value = Network> {
    prop_oneof![networks(), networks_of_every_layer()]
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn the_same_seed_gives_the_same_snapshot_with_any_number_of_threads(network in any_network(), seed: u32) {
        let one = second_step(&network, seed.into(), 1, options(false));
        for threads in [2, 4] {
            assert_same(one.difference(&second_step(&network, seed.into(), threads, options(false))));
        }
        prop_assert_eq!(one.facts().step, 2);
    }

    #[test]
    fn a_snapshot_has_every_layer_and_a_fused_one_the_same_bits_of_all_that_it_has(network in any_network(), seed: u32) {
        let plain = second_step(&network, seed.into(), 2, options(false));
        let batch = 1 + seed as usize % 3;
        for layer in network.layers() {
            let len = Some(batch * layer.output.len());
            prop_assert_eq!(plain.output(&layer.name).map(<[f32]>::len), len, "{}", &layer.name);
            prop_assert_eq!(plain.grad_output(&layer.name).map(<[f32]>::len), len, "{}", &layer.name);
            match layer.kind {
                LayerKind::MaxPool(_) => prop_assert_eq!(plain.argmax(&layer.name).map(<[u16]>::len), len),
                LayerKind::Dropout(_) => prop_assert_eq!(plain.factors(&layer.name).map(<[f32]>::len), len),
                _ => {}
            }
        }
        prop_assert_eq!(plain.grad_images().map(<[f32]>::len), Some(plain.images().len()));
        let fused = second_step(&network, seed.into(), 2, options(true));
        assert_same(fused.common_difference(&plain));
        let plan = Plan::new(&network, 1, options(true));
        let hidden: usize = plan.steps().iter().map(|step| {
            let layers = &network.layers()[step.layers.clone()];
            layers.iter().filter(|layer| !matches!(layer.kind, LayerKind::Flatten(_))).count() - 1
        }).sum();
        // Of each, output and gradient.
        prop_assert_eq!(fused.tensors().len() + 2 * hidden, plain.tensors().len());
    }

    #[test]
    fn a_snapshot_is_read_as_it_was_saved(network in any_network(), seed: u32, fuse: bool) {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = second_step(&network, seed.into(), 2, options(fuse));
        let [first, second] = ["a.safetensors", "b.safetensors"].map(|name| folder.path().join(name));
        snapshot.save(&first).unwrap();
        let read = Snapshot::read(&first).unwrap();
        assert_same(snapshot.difference(&read));
        prop_assert!(snapshot == read);
        read.save(&second).unwrap();
        prop_assert!(std::fs::read(first).unwrap() == std::fs::read(second).unwrap(), "the same bytes");
    }
}

/// The documented layers, so small that a step is quick.
fn small() -> Network {
    Network::new(&ModelSpec::documented().with_image_size(24)).unwrap()
}

#[test]
fn a_snapshot_moves_the_weights_as_the_training_loop_does() {
    let network = small();
    for seed in [0, 1, 2, 3] {
        let batch = Batch::draw(&network, 2, seed);
        let start = random_parameters(&network, seed);
        let masks = DropoutMasks::Drawn { seed, step: 0 };
        let mut parameters = start.clone();
        let mut with = Optimizer::new(network.table(), optimizer(seed));
        let plan = Plan::new(&network, 2, options(false));
        let taken = StepBatch { images: batch.images(&network), targets: batch.targets(), masks };
        let snapshot = Snapshot::take(&plan, &mut parameters, &mut with, taken).unwrap();

        let plan = Plan::new(&network, 2, PlanOptions { input_gradient: false, ..options(true) });
        let (mut weights, mut gradients) = (start.clone(), Parameters::zeros(network.table()));
        let mut alone = Optimizer::new(network.table(), optimizer(seed));
        let mut workspace = plan.workspace();
        let images = batch.images(&network);
        let logits = plan.forward(&weights, images, Mode::Training(masks), &mut workspace).unwrap();
        let mut grad_logits = vec![0.0; logits.values().len()];
        assert_eq!(network.head().loss(logits, batch.targets()), snapshot.loss());
        network.head().gradient(logits, batch.targets(), &mut grad_logits);
        let mut update = alone.begin_step(&mut weights, &mut gradients, true);
        plan.backward(images, &grad_logits, &mut update, &mut workspace).unwrap();
        update.finish();
        plan.update_running(&mut weights, &mut workspace).unwrap();
        assert!(weights.as_slice() == parameters.as_slice());
        for (id, entry) in network.table().entries().iter().enumerate() {
            assert_eq!(snapshot.before(&entry.name).unwrap(), start.tensor(id));
            assert_eq!(snapshot.after(&entry.name).unwrap(), weights.tensor(id));
            if let Rule::Adam(_) = optimizer(seed).rule {
                let second_moment = snapshot.after(&format!("adam/v/{}", entry.name)).unwrap();
                assert_eq!(second_moment, alone.accumulators()[1].tensor(id));
                assert!(snapshot.before(&format!("adam/m/{}", entry.name)).unwrap().iter().all(|m| *m == 0.0));
            }
        }
    }
}

#[test]
fn a_difference_names_the_first_tensor_and_element() {
    let network = small();
    let [one, other] = [0, 1].map(|step| {
        let batch = Batch::draw(&network, 2, 6);
        let mut parameters = random_parameters(&network, 6);
        let mut adam = Optimizer::new(network.table(), OptimizerSettings::default());
        let masks = DropoutMasks::Drawn { seed: 0, step };
        let batch = StepBatch { images: batch.images(&network), targets: batch.targets(), masks };
        let plan = Plan::new(&network, 2, options(false));
        Snapshot::take(&plan, &mut parameters, &mut adam, batch).unwrap()
    });
    // The first in the order of the names that another dropout changes, and none before it.
    let Some(Difference::Element { tensor, place, values, count }) = one.difference(&other) else { panic!() };
    let same = one.tensors().iter().zip(other.tensors()).take_while(|(a, b)| a == b).count();
    let [a, b] = [&one, &other].map(|snapshot| &snapshot.tensors()[same]);
    assert_eq!(tensor, a.name);
    let element = a.shape.iter().zip(&place).fold(0, |element, (size, along)| element * size + along);
    let (Values::F32(of_a), Values::F32(of_b)) = (&a.values, &b.values) else { panic!() };
    assert!(of_a[..element] == of_b[..element] && of_a[element] != of_b[element]);
    assert_eq!(values, [format!("{:e}", of_a[element]), format!("{:e}", of_b[element])]);
    let text = one.difference(&other).unwrap().to_string();
    assert!(text.starts_with(&format!("{tensor}[")) && text.contains(&values[1]), "{text}");
    assert!(text.ends_with(&format!("{} more of its elements", count - 1)), "{text}");
    assert_eq!(one.difference(&one), None);
}

/// The sentence by which a file is refused.
#[track_caller]
fn refused(path: &Path) -> String {
    match Snapshot::read(path) {
        Err(Error::Data { path: named, reason }) => {
            assert_eq!(named, path);
            assert!(reason.starts_with("it is not a whole snapshot of a training step: "), "{reason}");
            assert!(reason.ends_with("; take another") && !reason.contains('\n'), "{reason}");
            reason
        }
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was read"),
    }
}

#[test]
fn a_file_that_was_cut_off_or_changed_anywhere_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("step.safetensors");
    let spec: ModelSpec = toml::from_str(
        "input = [5, 6, 1]
         layers = [{ type = 'conv2d', filters = 2, kernel = 2 }, { type = 'relu' }, { type = 'max_pool', window = 2 },
                   { type = 'flatten' }, { type = 'dropout', rate = 0.3 }, { type = 'dense', units = 1 }]",
    )
    .unwrap();
    second_step(&Network::new(&spec).unwrap(), 6, 1, options(false)).save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(*whole.first_chunk().unwrap()) as usize;
    for len in (0..whole.len()).step_by(7).chain([header - 1, header, header + 1, whole.len() - 1]) {
        std::fs::write(&path, &whole[..len]).unwrap();
        refused(&path);
    }
    // A bit of a tensor anywhere, and of the header: there a letter may stand that means nothing.
    for place in (header..whole.len()).step_by(3) {
        let mut changed = whole.clone();
        changed[place] ^= 1 << (place % 8);
        std::fs::write(&path, changed).unwrap();
        assert!(refused(&path).contains("its tensors are not as they were written"), "{place}");
    }
    for place in 0..header {
        let mut changed = whole.clone();
        changed[place] ^= 1 << (place % 7);
        std::fs::write(&path, changed).unwrap();
        // What is read is a snapshot nonetheless; nothing panics, and what is refused has its sentence.
        if Snapshot::read(&path).is_err() {
            refused(&path);
        }
    }
    std::fs::write(&path, [&whole[..], b"more"].concat()).unwrap();
    refused(&path);
}

#[test]
fn a_weights_file_and_a_step_of_another_network_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("step.safetensors");
    assert!(matches!(Snapshot::read(&path), Err(Error::Missing { .. })));
    let network = small();
    second_step(&network, 6, 1, options(true)).save(&path).unwrap();
    let text = std::fs::read(&path).unwrap();
    // The description tells of other layers than the tensors are of; its length stays.
    let change = |from: &[u8], to: &[u8]| {
        let place = text.windows(from.len()).position(|window| window == from).unwrap();
        let mut changed = text.clone();
        changed[place..place + to.len()].copy_from_slice(to);
        std::fs::write(&path, changed).unwrap();
        refused(&path)
    };
    let other = change(b"filters = 64", b"filters = 63");
    assert!(other.contains("its tensor '") && other.contains("is wanted"), "{other}");
    let impossible = change(b"rate = 0.5", b"rate = 1.5");
    assert!(impossible.contains("its network cannot be built: "), "{impossible}");
    let unknown = change(b"\"labels\"", b"\"label2\"");
    assert!(unknown.contains("'label2', which no step of its network has"), "{unknown}");
    let missing = change(b"\"labels\"", b"\"clippe\"");
    assert!(missing.contains("a tensor 'clippe'"), "{missing}");
    std::fs::write(&path, b"PK\x03\x04 a zip").unwrap();
    refused(&path);
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    refused(&folder.path().join("folder"));
}
