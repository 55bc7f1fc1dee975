//! A training that is stopped at any step, saved, loaded and continued, computes the same bits as one that
//! never stopped.

mod common;

use common::assert_same_bits;
use glassnet::checkpoint::run::SavedRun;
use glassnet::checkpoint::{self, ModelCard, TrainingFacts};
use glassnet::classes::Classes;
use glassnet::data::augment::Augmentation;
use glassnet::data::batches::Loader;
use glassnet::data::catalog::Catalog;
use glassnet::data::images::{CACHE_BUDGET_BYTES, ImageSet};
use glassnet::data::reading::Reading;
use glassnet::data::source::Source;
use glassnet::data::split::Split;
use glassnet::head::ClassWeights;
use glassnet::kernels::conv::registry::ConvPolicy;
use glassnet::network::Network;
use glassnet::optim::Optimizer;
use glassnet::parameters::Parameters;
use glassnet::random::{Purpose, Stream};
use glassnet::spec::ModelSpec;
use glassnet::training::{
    ClassWeighting, Event, OptimizerName, Piece, ScheduleName, StepRow, TrainSettings, TrainingState, train,
};
use glassnet::{Error, Result};
use image::{ImageFormat, RgbImage};
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

fn settings() -> TrainSettings {
    TrainSettings {
        epochs: EPOCHS,
        seed: 5,
        learning_rate: 0.02,
        weight_decay: 0.1,
        class_weight: ClassWeighting::Each(ClassWeights::new([1.5, 0.75])),
        augmentation: Augmentation::parse("flip,shift,rotate,zoom,brightness").ok(),
        ..TrainSettings::default()
    }
}

const EPOCHS: usize = 4;

/// Steps of an epoch: 13 images in batches of 4.
const STEPS: usize = 4;

fn network() -> Network {
    let layers = "
        input = [8, 8, 3]
        layers = [
            { type = 'conv2d', filters = 4, kernel = 3 }, { type = 'relu' }, { type = 'max_pool', window = 2 },
            { type = 'flatten' }, { type = 'dropout', rate = 0.4 }, { type = 'dense', units = 1 },
        ]";
    Network::new(&toml::from_str::<ModelSpec>(layers).unwrap()).unwrap()
}

/// A network with moving statistics behind a convolution without a bias, a depthwise one and a dense layer.
fn normalized_network() -> Network {
    let layers = "
        input = [8, 8, 3]
        layers = [
            { type = 'conv2d', filters = 4, kernel = 3, use_bias = false }, { type = 'batch_normalization' },
            { type = 'relu' }, { type = 'depthwise_conv2d', kernel = 3 },
            { type = 'batch_normalization', momentum = 0.9 }, { type = 'leaky_relu' }, { type = 'flatten' },
            { type = 'dense', units = 5 }, { type = 'batch_normalization' }, { type = 'relu' },
            { type = 'dropout', rate = 0.4 }, { type = 'dense', units = 1 },
        ]";
    Network::new(&toml::from_str::<ModelSpec>(layers).unwrap()).unwrap()
}

/// 13 images to train on, and where a share validates, 2 for that.
fn loaders(validation_split: f64) -> (Loader, Option<Loader>) {
    let picture = |index: u64| {
        let mut stream = Stream::new(index, Purpose::Test, 0, 0);
        let level = if index < 8 { 40 } else { 90 };
        let picture = RgbImage::from_fn(8, 8, |_, _| image::Rgb([(); 3].map(|()| level + stream.below(100) as u8)));
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        (format!("{}/{index}.png", if index < 8 { "a" } else { "b" }), bytes.into_inner())
    };
    let count = if validation_split > 0.0 { 15 } else { 13 };
    let source = Arc::new(Source::from_memory("set", (0..count).map(picture).collect()).unwrap());
    let split = Split::new(&Catalog::from_source(&source).unwrap(), validation_split).unwrap();
    let loader = |items| {
        let images = ImageSet::new(source.clone(), items, 8, CACHE_BUDGET_BYTES).unwrap();
        Loader::new(Arc::new(images), 4).unwrap()
    };
    let (training, validation) = (loader(split.training), loader(split.validation));
    assert_eq!((training.count(), training.batches()), (13, STEPS));
    (training, Some(validation).filter(|validation| validation.batches() > 0))
}

fn card(network: &Network) -> ModelCard {
    ModelCard {
        version: "0".into(),
        spec: network.spec().clone(),
        classes: Classes::new(["a", "b"]).unwrap(),
        rescale: checkpoint::RESCALE,
        resize: checkpoint::RESIZE.into(),
        reading: Reading::default(),
        threshold: 0.5,
        training: TrainingFacts { epochs: 0, seed: 5, images: 13, val_loss: None, val_accuracy: None },
    }
}

fn start(network: &Network, settings: &TrainSettings) -> TrainingState {
    TrainingState::new(network.initial_parameters(3), settings.optimizer().unwrap())
}

fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// What the saved bytes say of a state, and what the final weights answer.
#[derive(PartialEq)]
struct Outcome {
    bytes: Vec<u8>,
    probabilities: Option<Vec<f32>>,
}

fn saved(path: &Path, network: &Network, state: &TrainingState) -> Vec<u8> {
    checkpoint::run::save(path, &card(network), state, "what it was made from").unwrap();
    std::fs::read(path).unwrap()
}

fn loaded(path: &Path, network: &Network, settings: &TrainSettings) -> TrainingState {
    let run = SavedRun::open(path).unwrap();
    assert_eq!(run.config, "what it was made from");
    run.state(network, settings.optimizer().unwrap()).unwrap()
}

/// Trains, stopped after each of these steps in all, saved, and loaded; the threads alternate between one and
/// three.
fn trained(network: &Network, settings: &TrainSettings, validation_split: f64, stops: &[usize]) -> Outcome {
    let (training, validation) = loaders(validation_split);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.safetensors");
    let mut state = start(network, settings);
    for (index, stop) in stops.iter().map(Some).chain([None]).enumerate() {
        let threads = if index % 2 == 0 { 1 } else { 3 };
        let report = |event: Event, state: &TrainingState| -> Result<()> {
            match event {
                Event::Step(_) if Some(&state.steps.len()) == stop => Err(Error::Interrupted),
                _ => Ok(()),
            }
        };
        let ended = in_pool(threads, || train(network, &mut state, &training, validation.as_ref(), settings, report));
        match (ended, stop) {
            (Err(Error::Interrupted), Some(&stop)) => {
                assert_eq!(state.steps.len(), stop);
                let bytes = saved(&path, network, &state);
                state = loaded(&path, network, settings);
                assert!(bytes == saved(&path, network, &state), "saving what was loaded gives the same file");
            }
            (Ok(answers), _) => {
                let bytes = saved(&path, network, &state);
                return Outcome { bytes, probabilities: answers.map(|answers| answers.probabilities) };
            }
            (Err(error), _) => panic!("{error}"),
        }
    }
    unreachable!("the last part is not stopped")
}

/// Fails unless a training that is stopped after a step, after each one in turn, or after every third, ends
/// as one that never stopped.
fn check_every_stop(network: &Network, settings: &TrainSettings, validation_split: f64) {
    let trained = |stops: &[usize]| trained(network, settings, validation_split, stops);
    let whole = trained(&[]);
    for stop in 1..=STEPS * EPOCHS {
        assert!(trained(&[stop]) == whole, "{settings:?}, stopped after step {stop}");
    }
    let every_third: Vec<usize> = (1..=STEPS * EPOCHS).step_by(3).collect();
    assert!(trained(&every_third) == whole, "{settings:?}, stopped at every third step");
}

#[test]
fn a_training_stopped_after_any_step_ends_with_the_same_bits() {
    for (settings, validation_split) in [
        (settings(), 0.2),
        (settings(), 0.0),
        (TrainSettings { early_stopping: Some(1), epochs: 30, ..settings() }, 0.2),
        (TrainSettings { shuffle: false, conv: ConvPolicy::Im2col, fuse: false, ..settings() }, 0.2),
    ] {
        check_every_stop(&network(), &settings, validation_split);
    }
}

#[test]
fn every_optimizer_and_clipping_ends_with_the_same_bits_after_any_stop() {
    let sgd = TrainSettings { optimizer: OptimizerName::Sgd, ..settings() };
    for settings in [
        sgd.clone(),
        TrainSettings { momentum: 0.9, clip_norm: Some(0.1), ..sgd.clone() },
        TrainSettings { momentum: 0.9, nesterov: true, clip_value: Some(0.01), ..sgd },
        TrainSettings { global_clip_norm: Some(0.1), ..settings() },
    ] {
        check_every_stop(&network(), &settings, 0.2);
    }
}

#[test]
fn moving_statistics_and_each_optimizers_state_end_with_the_same_bits_after_any_stop() {
    let network = normalized_network();
    let plain = TrainSettings { weight_decay: 0.0, ..settings() };
    let sgd = TrainSettings { optimizer: OptimizerName::Sgd, ..settings() };
    let adam = trained(&network, &settings(), 0.2, &[]);
    for (settings, validation_split) in [
        (plain, 0.2),
        (TrainSettings { early_stopping: Some(1), epochs: 30, ..settings() }, 0.2),
        (sgd.clone(), 0.2),
        (TrainSettings { momentum: 0.9, ..sgd.clone() }, 0.0),
        (TrainSettings { momentum: 0.9, nesterov: true, conv: ConvPolicy::Im2col, fuse: false, ..sgd }, 0.2),
    ] {
        check_every_stop(&network, &settings, validation_split);
        assert!(trained(&network, &settings, validation_split, &[]) != adam, "{settings:?}");
    }
    // They are part of the state, and no epoch begins them anew.
    let [first, second] = [1, 2].map(|epochs| {
        let bytes = trained(&network, &TrainSettings { epochs, ..settings() }, 0.2, &[]).bytes;
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        file.tensor("batch_normalization_1/moving_variance").unwrap().data().to_vec()
    });
    assert!(first != second && first != [1.0f32; 4].map(f32::to_le_bytes).concat());
}

#[test]
fn every_schedule_ends_with_the_same_bits_after_any_stop() {
    let of = |schedule| TrainSettings { schedule, ..settings() };
    let network = network();
    let constant = |validation_split| trained(&network, &settings(), validation_split, &[]);
    let pieces = [Piece { after: 2, learning_rate: 0.01 }, Piece { after: 9, learning_rate: 0.05 }];
    for (settings, validation_split) in [
        (TrainSettings { decay_steps: Some(9), alpha: Some(0.1), ..of(ScheduleName::Cosine) }, 0.2),
        // As long as the run, and three stairs in it.
        (of(ScheduleName::Cosine), 0.2),
        (TrainSettings { warmup_steps: Some(5), ..of(ScheduleName::Cosine) }, 0.2),
        (of(ScheduleName::Staircase), 0.0),
        (
            TrainSettings {
                decay_steps: Some(9),
                warmup_steps: Some(4),
                warmup_target: Some(0.05),
                ..of(ScheduleName::Cosine)
            },
            0.0,
        ),
        (TrainSettings { decay_steps: Some(3), decay_rate: Some(0.7), ..of(ScheduleName::Staircase) }, 0.2),
        (TrainSettings { pieces: pieces.to_vec(), ..of(ScheduleName::Piecewise) }, 0.2),
        // Hardly any loss is better by so much, so the rate falls.
        (
            TrainSettings {
                plateau_patience: Some(1),
                plateau_factor: Some(0.5),
                plateau_min_delta: Some(0.2),
                ..of(ScheduleName::Plateau)
            },
            0.2,
        ),
    ] {
        check_every_stop(&network, &settings, validation_split);
        let ended = trained(&network, &settings, validation_split, &[]);
        assert!(ended != constant(validation_split), "{settings:?}");
    }
}

#[test]
fn a_state_holds_what_its_optimizer_keeps_and_no_other_optimizer_goes_on_from_it() {
    let network = network();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.safetensors");
    let of = |optimizer, momentum| TrainSettings { optimizer, momentum, weight_decay: 0.0, ..settings() };
    let kinds = [of(OptimizerName::Adam, 0.0), of(OptimizerName::Sgd, 0.0), of(OptimizerName::Sgd, 0.9)];
    let kept: [&[&str]; 3] = [&["adam/m/", "adam/v/"], &[], &["sgd/velocity/"]];
    for (kind, kept) in kinds.iter().zip(kept) {
        let bytes = saved(&path, &network, &start(&network, kind));
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        for prefix in ["adam/m/", "adam/v/", "sgd/velocity/"] {
            let there = file.names().iter().any(|name| name.starts_with(prefix));
            assert_eq!(there, kept.contains(&prefix), "{prefix} of {kind:?}");
        }
        for other in &kinds {
            let state = SavedRun::open(&path).unwrap().state(&network, other.optimizer().unwrap());
            // What another has not, it does not miss.
            assert_eq!(state.is_ok(), other.momentum == 0.0 && other.optimizer == OptimizerName::Sgd || other == kind);
        }
    }
}

/// A ReLU takes −∞ for 0, so the loss stays finite.
#[test]
fn weights_that_are_not_finite_end_the_training_though_the_loss_is_finite() {
    let network = network();
    let (training, validation) = loaders(0.2);
    let mut state = start(&network, &settings());
    let bias = network.table().entries().iter().position(|entry| entry.name == "conv2d/bias").unwrap();
    // In the last step of the epoch its momentum makes a bias infinite.
    for step in 1..STEPS {
        state.steps.push(StepRow { step, epoch: 0, batch_size: 4, loss: 0.7, accuracy: 0.5 });
    }
    state.parameters.tensor_mut(bias)[0] = -1e30;
    let mut momentum = Parameters::zeros(network.table());
    momentum.tensor_mut(bias)[0] = 1e38;
    state.optimizer = Optimizer::resumed(
        network.table(),
        settings().optimizer().unwrap(),
        vec![momentum, Parameters::zeros(network.table())],
        STEPS as u64 - 1,
    );
    let outcome = train(&network, &mut state, &training, validation.as_ref(), &settings(), |_, _| Ok(()));
    assert_eq!(state.parameters.tensor(bias)[0], f32::NEG_INFINITY);
    assert!(state.history.is_empty() && state.best.is_none(), "no such weights are the best");
    let expected = "weights stopped being finite in epoch 1, step 4: the first value that was not finite, an infinity, stood in the \
                    weights conv2d/bias";
    assert_eq!(outcome.unwrap_err().to_string(), expected);
}

#[test]
fn a_loaded_state_is_the_saved_one_in_every_part() {
    let network = network();
    let (training, validation) = loaders(0.2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.safetensors");
    let mut state = start(&network, &settings());
    // An odd step of the fourth epoch; the best epoch is not the third, or its weights would not be the
    // file's own matter.
    let report = |_: Event, state: &TrainingState| match state.steps.len() {
        14 => Err(Error::Interrupted),
        _ => Ok(()),
    };
    train(&network, &mut state, &training, validation.as_ref(), &settings(), report).unwrap_err();
    saved(&path, &network, &state);
    let back = loaded(&path, &network, &settings());

    let same = |what: &str, a: &Parameters, b: &Parameters| assert_same_bits(what, a.as_slice(), b.as_slice());
    same("weights", &back.parameters, &state.parameters);
    for (what, index) in [("first moment", 0), ("second moment", 1)] {
        same(what, &back.optimizer.accumulators()[index], &state.optimizer.accumulators()[index]);
        assert!(state.optimizer.accumulators()[index].as_slice().iter().any(|&moment| moment != 0.0));
    }
    assert_eq!((back.optimizer.steps(), state.optimizer.steps()), (14, 14));
    let (best, best_back) = (state.best.as_ref().unwrap(), back.best.as_ref().unwrap());
    assert_eq!(best_back.epoch, best.epoch);
    same("best weights", &best_back.parameters, &best.parameters);
    assert_eq!(back.steps, state.steps);
    assert_eq!((back.history.len(), back.epoch_so_far()), (3, state.epoch_so_far()));
    for (back, record) in back.history.iter().zip(&state.history) {
        let numbers = [back.loss, back.accuracy, back.val_loss.unwrap(), back.val_accuracy.unwrap()];
        let expected = [record.loss, record.accuracy, record.val_loss.unwrap(), record.val_accuracy.unwrap()];
        assert_eq!((back.epoch, back.steps, numbers), (record.epoch, record.steps, expected));
        assert!(back.seconds.is_nan(), "times are not in the file");
    }

    // It is a weights file like any other, too.
    let model = checkpoint::load(&path).unwrap();
    same("weights of the model", &model.parameters, &state.parameters);
    same("weights to start from", &checkpoint::load_parameters(&path, &network).unwrap(), &state.parameters);
}

#[test]
fn weights_alone_are_no_run() {
    let network = network();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("best.safetensors");
    checkpoint::save(&path, &card(&network), &network.initial_parameters(0)).unwrap();
    let error = SavedRun::open(&path).err().unwrap().to_string();
    assert!(error.contains("it holds weights, but not the state of a run"), "{error}");
}

#[test]
fn tables_that_contradict_each_other_are_refused() {
    let network = network();
    let (training, validation) = loaders(0.2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.safetensors");
    let mut state = start(&network, &settings());
    train(&network, &mut state, &training, validation.as_ref(), &settings(), |_, _| Ok(())).unwrap();
    let damages: [fn(&mut TrainingState); 5] = [
        |state| state.history.truncate(2),
        |state| state.steps.truncate(7),
        |state| state.steps[3].epoch = 2,
        |state| state.steps[3].batch_size = 0,
        |state| state.history[1].val_loss = None,
    ];
    for (index, damage) in damages.into_iter().enumerate() {
        saved(&path, &network, &state);
        let mut damaged = loaded(&path, &network, &settings());
        damage(&mut damaged);
        saved(&path, &network, &damaged);
        let error = SavedRun::open(&path)
            .unwrap()
            .state(&network, settings().optimizer().unwrap())
            .err()
            .map(|error| error.to_string());
        let error = error.unwrap_or_else(|| panic!("damage {index} was not seen"));
        assert!(
            error.ends_with("its tables of steps and epochs contradict each other; the file is damaged"),
            "{error}"
        );
    }
    let row = |epoch| StepRow { step: 1, epoch, batch_size: 1, loss: 0.0, accuracy: 0.0 };
    let mut begun = start(&network, &settings());
    begun.steps = vec![row(1)];
    saved(&path, &network, &begun);
    assert!(
        SavedRun::open(&path).unwrap().state(&network, settings().optimizer().unwrap()).is_err(),
        "an epoch 1 without an epoch 0"
    );
}

#[test]
fn a_wrong_bit_anywhere_is_found() {
    let network = network();
    let (training, validation) = loaders(0.2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.safetensors");
    let mut state = start(&network, &settings());
    train(&network, &mut state, &training, validation.as_ref(), &settings(), |_, _| Ok(())).unwrap();
    let whole = saved(&path, &network, &state);
    let header = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let data = 8 + header;
    for place in (data..whole.len()).step_by(97).chain([data, whole.len() - 1]) {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let error = SavedRun::open(&path)
            .unwrap()
            .state(&network, settings().optimizer().unwrap())
            .err()
            .expect("the bit was not seen");
        assert!(error.to_string().contains("its tensors are not as they were written"), "{error}");
    }
    for length in [0, 7, 8, 100, data - 1, data, data + 1, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let error = SavedRun::open(&path).err().expect("a part is not the whole").to_string();
        assert!(error.contains("it is not a whole safetensors file ("), "{error}");
    }
    std::fs::write(&path, [&whole[..], b"more"].concat()).unwrap();
    assert!(SavedRun::open(&path).is_err(), "bytes that belong to nothing");
}

#[test]
fn a_header_that_promises_more_than_the_file_has_is_refused_before_memory_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.safetensors");
    let error = |header: &str, length: u64| {
        std::fs::write(&path, [&length.to_le_bytes(), header.as_bytes()].concat()).unwrap();
        SavedRun::open(&path).err().expect("no such file is whole").to_string()
    };
    let huge = 1u64 << 60;
    let tensor =
        |shape: &str, end: u64| format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[0,{end}]}}}}"#);
    for header in [
        tensor(&format!("[{}]", huge / 4), huge),
        tensor("[4294967296,4294967296,4294967296]", 0),
        tensor("[1]", 8),
        tensor("[1]", 4),
        "{}".to_string() + &" ".repeat(8) + "}",
    ] {
        let error = error(&header, header.len() as u64);
        assert!(error.contains("it is not a whole safetensors file ("), "{header}: {error}");
    }
    for length in [3, 100_000_000, 100_000_001, u64::MAX] {
        assert!(error("{}", length).contains("it is not a whole safetensors file ("), "{length}");
    }
}
