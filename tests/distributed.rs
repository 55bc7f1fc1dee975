//! Ranks that share each step end with the bits of one process, however many they are, and go on with any
//! other number when one of them has died.

mod common;

use common::every_layer::networks_of_every_layer;
use common::networks::networks;
use glassnet::checkpoint::run::SavedRun;
use glassnet::checkpoint::{self, ModelCard, TrainingFacts};
use glassnet::classes::{Classes, Label};
use glassnet::data::arrays::ArraySet;
use glassnet::data::batches::Loader;
use glassnet::data::reading::Reading;
use glassnet::distributed::{Echo, InProcess, Ranks, Stopping, Traffic, Transport};
use glassnet::network::Network;
use glassnet::random::{Purpose, Stream};
use glassnet::spec::ModelSpec;
use glassnet::training::{Evaluation, Event, OptimizerName, Sets, TrainSettings, TrainingState, train_on};
use glassnet::{Error, Result};
use ndarray::Array4;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A training that any number of ranks can do.
struct Job {
    network: Network,
    settings: TrainSettings,
    training: Loader,
    validation: Option<Loader>,
}

impl Job {
    fn new(network: Network, settings: TrainSettings, images: [usize; 2], batch_size: usize) -> Job {
        let loader = |count: usize, part: u64| {
            let mut stream = Stream::new(part, Purpose::Test, 0, 0);
            let [height, width, channels] = network.spec().input;
            let pixels = Array4::from_shape_simple_fn((count, height, width, channels), || stream.unit_f32());
            let classes = network.head().classes();
            let labels = (0..count).map(|_| Label::new(stream.below(classes as u32) as usize)).collect();
            Loader::from_arrays(ArraySet::new(pixels, labels).unwrap(), batch_size).unwrap()
        };
        let (training, validation) = (loader(images[0], 0), (images[1] > 0).then(|| loader(images[1], 1)));
        Job { network, settings, training, validation }
    }

    fn start(&self) -> TrainingState {
        TrainingState::new(self.network.initial_parameters(3), self.settings.optimizer().unwrap())
    }

    fn card(&self) -> ModelCard {
        let classes = (0..self.network.head().classes()).map(|class| class.to_string());
        ModelCard {
            version: "0".into(),
            spec: self.network.spec().clone(),
            classes: Classes::new(classes).unwrap(),
            rescale: checkpoint::RESCALE,
            resize: checkpoint::RESIZE.into(),
            reading: Reading::default(),
            threshold: 0.5,
            training: TrainingFacts { epochs: 0, seed: 0, images: 0, val_loss: None, val_accuracy: None },
        }
    }

    fn save(&self, path: &Path, state: &TrainingState) {
        checkpoint::run::save(path, &self.card(), state, "").unwrap();
    }

    fn load(&self, path: &Path) -> TrainingState {
        SavedRun::open(path).unwrap().state(&self.network, self.settings.optimizer().unwrap()).unwrap()
    }

    /// The work of one rank, in a pool of `threads`.
    fn on_rank(
        &self,
        ranks: &Ranks,
        threads: usize,
        state: &mut TrainingState,
        report: impl FnMut(Event, &TrainingState, &()) -> Result<()> + Send,
    ) -> Result<Option<Evaluation>> {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let Job { network, settings, training, validation } = self;
            let sets = Sets { training, validation: validation.as_ref() };
            train_on(ranks, network, state, sets, settings, &mut (), report)
        })
    }

    /// All that `count` ranks end with, which is the same for each: one hash of the checkpoint, with weights,
    /// moments and history, and of the answers; and what each has sent.
    fn run(&self, count: usize) -> (String, Vec<Traffic>) {
        let ended = on_each(InProcess::job(count), |ranks| {
            let mut state = self.start();
            let answers = self.on_rank(ranks, 1 + ranks.rank() % 2, &mut state, |_, _, _| Ok(())).unwrap();
            (self.hash(&state, answers.as_ref()), ranks.traffic())
        });
        assert!(ended.iter().all(|(hash, _)| *hash == ended[0].0), "all of {count} ranks end with the same");
        (ended[0].0.clone(), ended.into_iter().map(|(_, traffic)| traffic).collect())
    }

    fn hash(&self, state: &TrainingState, answers: Option<&Evaluation>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        self.save(&path, state);
        let mut hash = Sha256::new();
        hash.update(std::fs::read(&path).unwrap());
        if let Some(answers) = answers {
            answers.probabilities.iter().for_each(|p| hash.update(p.to_le_bytes()));
            answers.losses.iter().for_each(|loss| hash.update(loss.to_le_bytes()));
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Fails unless these numbers of ranks end with the bits of one.
    fn check(&self, what: &str, counts: &[usize]) {
        let (one, traffic) = self.run(1);
        assert_eq!(traffic, [Traffic::default()], "one rank sends nothing");
        for &count in counts {
            assert_eq!(self.run(count).0, one, "{what}: {count} ranks against one");
        }
    }
}

/// What `work` returns on each rank of a job.
fn on_each<T: Transport + 'static, R: Send>(job: Vec<T>, work: impl Fn(&Ranks) -> R + Sync) -> Vec<R> {
    on_each_stopping(job, Stopping::default(), work)
}

fn on_each_stopping<T: Transport + 'static, R: Send>(
    job: Vec<T>,
    stopping: Stopping,
    work: impl Fn(&Ranks) -> R + Sync,
) -> Vec<R> {
    std::thread::scope(|scope| {
        let ranks = job.into_iter().map(|transport| Ranks::new(Box::new(transport), stopping));
        let handles: Vec<_> = ranks
            .map(|ranks| {
                scope.spawn({
                    let work = &work;
                    move || work(&ranks)
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    })
}

fn network(toml: &str) -> Network {
    Network::new(&toml::from_str(toml).unwrap()).unwrap()
}

/// The documented network on smaller images: a dense kernel of three blocks of rows.
fn documented() -> Network {
    Network::new(&ModelSpec::documented().with_image_size(64)).unwrap()
}

/// Batch normalization of images and of vectors, global pooling, a depthwise convolution, dropout, three
/// classes.
fn normalized() -> Network {
    network(
        "input = [13, 10, 3]
        layers = [
            { type = 'conv2d', filters = 8, kernel = 3, use_bias = false }, { type = 'batch_normalization' },
            { type = 'relu' }, { type = 'max_pool', window = 2 },
            { type = 'depthwise_conv2d', kernel = 3, padding = 'same' }, { type = 'batch_normalization' },
            { type = 'leaky_relu' }, { type = 'global_average_pool' }, { type = 'dense', units = 7 },
            { type = 'batch_normalization' }, { type = 'relu' }, { type = 'dropout', rate = 0.3 },
            { type = 'dense', units = 3 },
        ]",
    )
}

/// A convolution and a large dense kernel of two blocks of rows.
fn two_blocks() -> Network {
    network(
        "input = [32, 32, 1]
        layers = [
            { type = 'conv2d', filters = 16, kernel = 3, padding = 'same' }, { type = 'relu' },
            { type = 'max_pool', window = 2 }, { type = 'flatten' }, { type = 'dense', units = 64 },
            { type = 'relu' }, { type = 'dropout', rate = 0.5 }, { type = 'dense', units = 1 },
        ]",
    )
}

fn settings() -> TrainSettings {
    TrainSettings { epochs: 2, seed: 5, ..TrainSettings::default() }
}

#[test]
fn the_documented_layers_end_with_the_bits_of_one_rank() {
    // Two whole batches, and one that no number of ranks above one divides.
    Job::new(documented(), settings(), [37, 7], 16).check("documented", &[2, 3, 4, 8]);
    // Slots of several images.
    let settings = TrainSettings { epochs: 1, ..settings() };
    Job::new(documented(), settings, [90, 0], 80).check("documented, 80 images", &[2, 3]);
}

#[test]
fn batch_normalization_is_over_the_global_batch() {
    for [batch_size, images] in [[16, 45], [5, 11], [70, 140]] {
        let job = Job::new(normalized(), settings(), [images, 9], batch_size);
        job.check(&format!("normalized, batches of {batch_size}"), &[2, 3, 4, 8]);
    }
}

#[test]
fn every_optimizer_and_clipping_ends_with_the_bits_of_one_rank() {
    let sgd = TrainSettings { optimizer: OptimizerName::Sgd, momentum: 0.9, ..settings() };
    for settings in [
        TrainSettings { global_clip_norm: Some(0.05), ..settings() },
        TrainSettings { clip_norm: Some(0.05), weight_decay: 0.1, ..sgd.clone() },
        TrainSettings { clip_value: Some(0.001), ..sgd },
        TrainSettings { fuse: false, early_stopping: Some(1), label_smoothing: 0.1, ..settings() },
    ] {
        Job::new(two_blocks(), settings.clone(), [13, 5], 8).check(&format!("{settings:?}"), &[2, 3]);
    }
}

#[test]
fn networks_drawn_at_random_end_with_the_bits_of_one_rank() {
    let config = Config { cases: 25, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() };
    let any = prop_oneof![networks_of_every_layer(), networks()];
    let mut runner = TestRunner::new(config);
    runner
        .run(&(any, 1..40usize, 1..20usize, 2..6usize), |(network, images, batch_size, ranks)| {
            let what = format!("{images} images in batches of {batch_size}, {:?}", network.spec());
            let settings = TrainSettings { epochs: 1, learning_rate: 1e-4, ..settings() };
            Job::new(network, settings, [images, 3], batch_size).check(&what, &[ranks]);
            Ok(())
        })
        .unwrap();
}

#[test]
fn large_dense_kernels_never_travel() {
    let job = Job::new(two_blocks(), settings(), [16, 0], 8);
    let kernel = 4096 * 64 * size_of::<f32>() as u64;
    let (_, traffic) = job.run(2);
    // Four steps, and at the end of each of two epochs a rank's half of weights and moments.
    let gathered = 2 * 3 * kernel / 2;
    for Traffic { bytes, .. } in traffic {
        assert!(bytes > gathered && bytes - gathered < 4 * kernel / 2, "{bytes} bytes");
    }
}

#[test]
fn a_rank_that_hears_its_own_echo_sends_what_it_sends_to_others() {
    for network in [two_blocks(), normalized()] {
        let job = Job::new(network, settings(), [13, 0], 8);
        for count in [2, 3] {
            let (_, traffic) = job.run(count);
            let echoed: Vec<Traffic> = (0..count)
                .map(|rank| {
                    let ranks = Ranks::new(Box::new(Echo::new(rank, count)), Stopping::default());
                    job.on_rank(&ranks, 1, &mut job.start(), |_, _, _| Ok(())).unwrap();
                    ranks.traffic()
                })
                .collect();
            assert_eq!(echoed, traffic);
            assert!(traffic.iter().all(|traffic| traffic.messages > 0 && traffic.bytes > 0), "{traffic:?}");
        }
    }
}

/// A rank that dies at one of its exchanges.
struct Mortal {
    inner: InProcess,
    /// The exchanges until then.
    left: Option<AtomicUsize>,
}

impl Transport for Mortal {
    fn rank(&self) -> usize {
        self.inner.rank()
    }

    fn count(&self) -> usize {
        self.inner.count()
    }

    fn exchange(&self, outgoing: &[&[u8]], incoming: &mut [&mut [u8]]) -> Result<()> {
        let dies = self.left.as_ref().is_some_and(|left| left.fetch_sub(1, Ordering::Relaxed) == 0);
        if dies {
            return Err(Error::Rank { rank: self.name(self.rank()), reason: "killed".into() });
        }
        self.inner.exchange(outgoing, incoming)
    }
}

#[test]
fn a_job_whose_rank_dies_at_any_exchange_goes_on_with_any_number_of_ranks() {
    let settings = TrainSettings { epochs: 3, ..settings() };
    let jobs = [two_blocks(), normalized()].map(|network| Job::new(network, settings.clone(), [11, 3], 4));
    let wholes = jobs.each_ref().map(|job| job.run(1).0);
    let mut stream = Stream::new(1, Purpose::Test, 0, 0);
    let mut draw = |below: usize| stream.below(below as u32) as usize;
    let (mut died, mut had_saved) = (0, 0);
    while died < 100 {
        let which = draw(2);
        let (job, whole) = (&jobs[which], &wholes[which]);
        let (before, dies, left, after) = (2 + draw(3), draw(4), draw(120), 1 + draw(4));
        let dies = dies % before;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        // What rank 0 does at the end of every epoch, as the program does it.
        let work = |ranks: &Ranks, state: &mut TrainingState| {
            let is_first = ranks.rank() == 0;
            job.on_rank(ranks, 1, state, |event, state, ()| {
                if is_first && matches!(event, Event::Epoch) {
                    job.save(&path, state);
                }
                Ok(())
            })
        };
        let mortals = InProcess::job(before).into_iter().map(|inner| {
            let left = (inner.rank() == dies).then(|| AtomicUsize::new(left));
            Mortal { inner, left }
        });
        let errors = on_each(mortals.collect(), |ranks| work(ranks, &mut job.start()).err());
        if errors.iter().all(Option::is_none) {
            continue;
        }
        died += 1;
        assert!(matches!(&errors[dies], Some(Error::Rank { reason, .. }) if reason == "killed"), "{errors:?}");
        had_saved += usize::from(path.exists());
        let ended = on_each(InProcess::job(after), |ranks| {
            let mut state = if path.exists() { job.load(&path) } else { job.start() };
            let answers = work(ranks, &mut state).unwrap();
            job.hash(&state, answers.as_ref())
        });
        let what = format!("rank {dies} of {before} died at exchange {left}, and {after} went on");
        assert!(ended.iter().all(|hash| hash == whole), "{what}");
    }
    assert!((20..95).contains(&had_saved), "{had_saved} of 100 had an epoch behind them");
}

#[test]
fn all_ranks_stop_after_the_step_behind_the_one_in_which_one_is_told_to_and_go_on_from_there() {
    static WANTED: AtomicBool = AtomicBool::new(false);
    static AGREED: AtomicUsize = AtomicUsize::new(0);
    let stopping = Stopping {
        is_wanted: || WANTED.load(Ordering::SeqCst),
        agreed: || {
            AGREED.fetch_add(1, Ordering::SeqCst);
        },
    };
    let job = Job::new(two_blocks(), settings(), [24, 0], 8);
    let whole = job.run(1).0;
    // In the middle of an epoch of three steps, and at its end, before its last weights are looked at.
    for told in [1, 3] {
        WANTED.store(false, Ordering::SeqCst);
        AGREED.store(0, Ordering::SeqCst);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        let steps = on_each_stopping(InProcess::job(3), stopping, |ranks| {
            let mut state = job.start();
            let ended = job.on_rank(ranks, 1, &mut state, |_, state, _| {
                WANTED.fetch_or(ranks.rank() == 1 && state.steps.len() == told, Ordering::SeqCst);
                Ok(())
            });
            assert!(matches!(ended, Err(Error::Interrupted)), "{ended:?}");
            if ranks.rank() == 2 {
                job.save(&path, &state);
            }
            state.steps.len()
        });
        assert_eq!(steps, [told + 1; 3]);
        assert_eq!(AGREED.load(Ordering::SeqCst), 3);
        let mut state = job.load(&path);
        let answers = job.on_rank(&Ranks::alone(), 2, &mut state, |_, _, _| Ok(())).unwrap();
        assert_eq!(job.hash(&state, answers.as_ref()), whole);
    }
}

#[test]
fn a_loss_that_is_not_finite_is_told_alike_by_all_ranks() {
    let settings = TrainSettings { optimizer: OptimizerName::Sgd, learning_rate: 1e30, ..settings() };
    let job = Job::new(two_blocks(), settings, [16, 4], 8);
    let told = |count| {
        on_each(InProcess::job(count), |ranks| {
            job.on_rank(ranks, 1, &mut job.start(), |_, _, _| Ok(())).unwrap_err().to_string()
        })
    };
    let one = told(1);
    assert!(one[0].contains("the loss became"), "{}", one[0]);
    assert!(told(3).iter().all(|sentence| *sentence == one[0]), "{:?}", told(3));
}
