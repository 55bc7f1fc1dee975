//! A lecture's session takes the steps that `train` takes, bit for bit, in any order; an edit changes the
//! future from its step on, and is undone by going back before it.

mod common;

use common::assert_same_bits;
use glassnet::classes::Label;
use glassnet::data::arrays::ArraySet;
use glassnet::data::batches::Loader;
use glassnet::explain::{Moment, Weight};
use glassnet::head::ClassWeights;
use glassnet::lecture::session::{CHECKPOINT_EVERY, Edit, MOST_AHEAD, Session, SessionSettings, TakenStep};
use glassnet::network::Network;
use glassnet::random::{Purpose, Stream};
use glassnet::training::{ClassWeighting, Event, OptimizerName, ScheduleName, TrainSettings, TrainingState, train};
use ndarray::Array4;
use std::sync::Arc;

/// A network with dropout, and one with moving statistics.
fn networks() -> [Network; 2] {
    let layers = [
        "{ type = 'conv2d', filters = 4, kernel = 3 }, { type = 'relu' }, { type = 'max_pool', window = 2 },
         { type = 'flatten' }, { type = 'dropout', rate = 0.4 }, { type = 'dense', units = 1 }",
        "{ type = 'conv2d', filters = 4, kernel = 3 }, { type = 'batch_normalization' }, { type = 'relu' },
         { type = 'flatten' }, { type = 'dense', units = 1 }",
    ];
    layers.map(|layers| {
        let spec = toml::from_str(&format!("input = [8, 8, 1]\nlayers = [{layers}]")).unwrap();
        Network::new(&spec).unwrap()
    })
}

/// Batches of 4 of 13 images, the last of an epoch of one.
fn loader() -> Loader {
    let mut stream = Stream::new(0, Purpose::Test, 0, 0);
    let images = Array4::from_shape_simple_fn((13, 8, 8, 1), || stream.unit_f32());
    let labels = (0..13).map(|image| Label::new(usize::from(image % 3 == 0))).collect();
    Loader::from_arrays(ArraySet::new(images, labels).unwrap(), 4).unwrap()
}

fn session(network: &Network, training: TrainSettings, memory: usize) -> Session<'_> {
    let parameters = network.initial_parameters(training.seed);
    Session::new(network, loader(), SessionSettings { training, parameters, memory }).unwrap()
}

fn go(session: &mut Session, step: u64) -> Arc<TakenStep> {
    session.go(step, |_| Ok(())).unwrap()
}

/// Fails with the first difference.
#[track_caller]
fn assert_same(one: &TakenStep, other: &TakenStep) {
    assert_eq!((one.step, &one.indices), (other.step, &other.indices));
    assert_eq!(one.snapshot.facts(), other.snapshot.facts());
    let difference = one.snapshot.difference(&other.snapshot);
    assert!(difference.is_none(), "step {}: {}", one.step, difference.unwrap());
}

fn settings() -> [TrainSettings; 2] {
    let adam = TrainSettings {
        epochs: 6,
        seed: 5,
        learning_rate: 0.02,
        weight_decay: 0.1,
        class_weight: ClassWeighting::Each(ClassWeights::new([1.5, 0.75])),
        label_smoothing: 0.1,
        ..TrainSettings::default()
    };
    let sgd = TrainSettings {
        optimizer: OptimizerName::Sgd,
        momentum: 0.9,
        nesterov: true,
        global_clip_norm: Some(0.5),
        schedule: ScheduleName::Cosine,
        class_weight: ClassWeighting::Balanced,
        shuffle: false,
        ..adam.clone()
    };
    [adam, sgd]
}

/// The weights of the classes of the 13 images.
fn taken_weights(settings: &TrainSettings) -> ClassWeights {
    settings.class_weight.weights(&loader().class_counts(2).unwrap()).unwrap()
}

#[test]
fn after_n_steps_the_weights_are_those_of_training_and_so_are_loss_and_learning_rate() {
    for network in networks() {
        for settings in settings() {
            let mut state = TrainingState::new(network.initial_parameters(5), settings.optimizer().unwrap());
            let mut trained = Vec::new();
            let report = |event: Event, state: &TrainingState| {
                if let Event::Step(_) = event {
                    let row = state.steps.last().unwrap();
                    let rate = state.optimizer.settings().learning_rate;
                    trained.push((state.parameters.clone(), row.loss, rate, state.optimizer.accumulators().to_vec()));
                }
                Ok(())
            };
            train(&network, &mut state, &loader(), None, &settings, report).unwrap();
            assert_eq!(trained.len(), 24);

            let mut session = session(&network, settings.clone(), 1 << 30);
            // Taken one by one, and reached by fast steps, and by going back.
            for step in [1, 2, 3, 4, 5, 6, 20, 24, 9, 8, 24] {
                let taken = go(&mut session, step);
                let (parameters, loss, rate, accumulators) = &trained[step as usize - 1];
                assert_eq!((taken.step, taken.epoch), (step, (step - 1) / 4));
                assert_eq!(taken.snapshot.loss(), *loss, "step {step}");
                let names = [taken.indices.iter().map(usize::to_string).collect(), vec!["a".into(), "b".into()]];
                let losses = (taken_weights(&settings), settings.label_smoothing);
                let optimizer = *state.optimizer.settings();
                let moment = Moment::new(&network, &taken.snapshot, optimizer, names, losses).unwrap();
                assert_eq!(
                    (moment.loss_after, taken.snapshot.learning_rate()),
                    (taken.loss_after, *rate),
                    "step {step}"
                );
                let floats = |name: &str| taken.snapshot.after(name).unwrap();
                for (id, entry) in network.table().entries().iter().enumerate() {
                    assert_same_bits(&entry.name, floats(&entry.name), parameters.tensor(id));
                    let prefixes = glassnet::snapshot::accumulator_names(state.optimizer.settings().rule);
                    for (prefix, buffer) in prefixes.iter().zip(accumulators).filter(|_| entry.is_trainable()) {
                        let name = format!("{prefix}{}", entry.name);
                        assert_same_bits(&name, floats(&name), buffer.tensor(id));
                    }
                }
            }
            assert_eq!(session.curve().up_to(24), trained.iter().map(|(_, loss, ..)| *loss).collect::<Vec<_>>());
        }
    }
}

#[test]
fn back_and_forward_in_any_order_and_with_little_memory_gives_the_same_bits() {
    for network in networks() {
        let [settings, _] = settings();
        let mut straight = session(&network, settings.clone(), 1 << 30);
        let expected: Vec<_> = (1..=80).map(|step| go(&mut straight, step)).collect();
        for memory in [0, 1 << 30] {
            let mut session = session(&network, settings.clone(), memory);
            let mut stream = Stream::new(1, Purpose::Test, 0, 0);
            assert_same(&go(&mut session, 80), &expected[79]);
            for _ in 0..60 {
                let step = 1 + stream.below(80) as u64;
                assert_same(&go(&mut session, step), &expected[step as usize - 1]);
                if stream.below(2) == 0 && step < 80 {
                    assert_same(&session.look_ahead().unwrap(), &expected[step as usize]);
                }
            }
            assert_eq!(session.curve().up_to(80), straight.curve().up_to(80));
        }
    }
}

#[test]
fn going_back_takes_no_more_steps_than_lie_between_two_checkpoints() {
    let [network, _] = networks();
    let mut session = session(&network, TrainSettings::default(), 1 << 30);
    go(&mut session, 97);
    for step in [30, 55, 21, 11, 1] {
        let mut most = 0;
        session
            .go(step, |left| {
                most = most.max(left);
                Ok(())
            })
            .unwrap();
        assert!(most < CHECKPOINT_EVERY, "{most} steps to step {step}");
    }
}

/// The weight of this name, with another value.
fn weight(network: &Network, name: &str, value: f32) -> Edit {
    Edit::Weight(Weight::parse(network, name).unwrap(), value)
}

#[test]
fn an_edited_weight_is_that_of_its_step_and_the_future_differs_until_one_goes_back_before_it() {
    for network in networks() {
        let [settings, _] = settings();
        let mut never = session(&network, settings.clone(), 1 << 30);
        let expected: Vec<_> = (1..=40).map(|step| go(&mut never, step)).collect();
        for memory in [0, 1 << 30] {
            let mut session = session(&network, settings.clone(), memory);
            go(&mut session, 12);
            session.look_ahead().unwrap();
            let edited = session.edit(weight(&network, "conv2d/kernel[1,2,0,3]", 0.75)).unwrap();
            let tensor = edited.snapshot.before("conv2d/kernel").unwrap();
            assert_eq!(tensor[(3 + 2) * 4 + 3], 0.75);
            assert_ne!(edited.snapshot.loss(), expected[11].snapshot.loss());
            // All else is as it was.
            let before = |taken: &TakenStep| {
                let mut kernel = taken.snapshot.before("conv2d/kernel").unwrap().to_vec();
                kernel[(3 + 2) * 4 + 3] = 0.0;
                (kernel, taken.snapshot.before("adam/v/conv2d/kernel").unwrap().to_vec())
            };
            assert!(before(&edited) == before(&expected[11]));
            assert_eq!(session.edits().len(), 1);
            let original = session.curve().original().to_vec();

            // The edited future has its own bits, again and again.
            let future: Vec<_> = (13..=40).map(|step| go(&mut session, step)).collect();
            assert!(future.iter().zip(&expected[12..]).all(|(a, b)| a.snapshot.loss() != b.snapshot.loss()));
            for step in [40, 13, 30, 25, 39] {
                assert_same(&go(&mut session, step), &future[step as usize - 13]);
            }
            assert_same(&go(&mut session, 12), &edited);
            assert_eq!(session.curve().original(), original);
            assert_eq!(session.curve().up_to(12)[11], edited.snapshot.loss());

            assert_same(&go(&mut session, 11), &expected[10]);
            assert!(session.edits().is_empty());
            for step in [12, 13, 40, 12] {
                assert_same(&go(&mut session, step), &expected[step as usize - 1]);
            }
            assert_eq!(session.curve().up_to(40), never.curve().up_to(40));
        }
    }
}

#[test]
fn an_edited_learning_rate_holds_from_its_step_on_and_undoing_takes_the_step_as_it_was() {
    let [network, _] = networks();
    for settings in settings() {
        let mut never = session(&network, settings.clone(), 1 << 30);
        let expected: Vec<_> = (1..=24).map(|step| go(&mut never, step)).collect();
        let mut session = session(&network, settings, 1 << 30);
        go(&mut session, 5);
        session.edit(Edit::LearningRate(0.2)).unwrap();
        let rate = |taken: &TakenStep| taken.snapshot.learning_rate();
        for step in [5, 6, 15, 24] {
            assert_eq!(rate(&go(&mut session, step)), 0.2);
        }
        assert_eq!(session.edits().len(), 1);
        go(&mut session, 7);
        session.edit(Edit::LearningRate(0.3)).unwrap();
        session.edit(weight(&network, "dense/bias[0]", -1.0)).unwrap();
        assert_eq!((rate(&go(&mut session, 9)), session.edits().len()), (0.3, 3));
        assert_eq!(rate(&go(&mut session, 6)), 0.2);
        assert_eq!((rate(&go(&mut session, 8)), session.edits().len()), (0.2, 1));
        go(&mut session, 5);
        assert_same(&session.undo().unwrap(), &expected[4]);
        assert_same(&session.undo().unwrap(), &expected[4]);
        for step in [6, 24, 3] {
            assert_same(&go(&mut session, step), &expected[step as usize - 1]);
        }
    }
}

#[test]
fn a_training_that_diverges_goes_on_and_can_be_gone_back_from() {
    let [network, _] = networks();
    let mut session = session(&network, TrainSettings::default(), 1 << 30);
    let expected = go(&mut session, 4);
    go(&mut session, 5);
    session.edit(weight(&network, "dense/kernel[0,0]", f32::MAX)).unwrap();
    session.edit(Edit::LearningRate(1e30)).unwrap();
    assert!(!go(&mut session, 8).snapshot.loss().is_finite());
    assert_same(&go(&mut session, 4), &expected);
    assert!(go(&mut session, 8).snapshot.loss().is_finite());
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let [network, _] = networks();
    let mut session = session(&network, TrainSettings::default(), 0);
    go(&mut session, 2);
    for step in [0, 3 + MOST_AHEAD] {
        let error = session.go(step, |_| Ok(())).map(|_| ()).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("step {step}: steps count from 1, and from here 1002 is the farthest")),
            "{error}"
        );
    }
    for edit in [
        weight(&network, "dense/bias[0]", f32::NAN),
        weight(&network, "dense/bias[0]", f32::INFINITY),
        Edit::LearningRate(-1.0),
        Edit::LearningRate(1e300),
    ] {
        let error = session.edit(edit).map(|_| ()).unwrap_err().to_string();
        assert!(error.ends_with("it must be a number, and a learning rate at least 0"), "{error}");
    }
    assert!(session.edits().is_empty());
    let stopped = session.go(9, |_| Err(glassnet::Error::Interrupted)).map(|_| ());
    assert!(matches!(stopped, Err(glassnet::Error::Interrupted)));
    assert_eq!(go(&mut session, 9).step, 9);

    let plateau = TrainSettings { schedule: ScheduleName::Plateau, ..TrainSettings::default() };
    let settings = SessionSettings { training: plateau, parameters: network.initial_parameters(0), memory: 0 };
    let error = Session::new(&network, loader(), settings).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("schedule: a plateau is told by the validation of whole epochs"), "{error}");
}
