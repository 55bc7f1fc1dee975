//! `glassnet lecture`: a training to stand still in, to go back in and to change, on a page of this machine.

use crate::cli::args::LectureArgs;
use crate::cli::input::dataset::{Dataset, Part};
use crate::cli::input::packed::{FlagsOnData, as_packed, open_pack};
use crate::cli::input::training_set::{for_data, network, source, training_loader};
use crate::cli::machine::memory::{Memory, cache_bytes, check_arrays};
use crate::cli::machine::pool::thread_pool;
use crate::cli::outcome::{CommandResult, Failure, Outcome};
use crate::cli::run_folder::settings::RunSettings;
use crate::cli::terminal::console;
use glassnet::Error;
use glassnet::data::batches::Loader;
use glassnet::lecture::engine::{Engine, Subject};
use glassnet::lecture::server::Server;
use glassnet::lecture::session::{Session, SessionSettings, least_bytes};
use glassnet::lecture::stops::{Stop, read_stops};
use glassnet::network::Network;
use glassnet::training::TrainSettings;
use std::sync::Arc;

/// Trains at the pace of a page's reader, until Ctrl-C.
pub fn run(args: &LectureArgs) -> CommandResult {
    // The engine's thread is none of the pool's: it waits for the reader most of the time.
    let pool = Arc::new(thread_pool(args.threads.threads)?);
    let Prepared { network, subject, settings, loader, stops } = pool.install(|| Prepared::new(args))?;
    let server = Server::new(args.port)?;
    let session = pool.install(|| Session::new(&network, loader, settings))?;
    let engine = Engine::new(session, subject, pool)?;
    let (desk, link, port) = (engine.desk(), server.link(), server.port());
    let serving = std::thread::Builder::new().name("server".into()).spawn(move || server.serve(desk, stops));
    let serving = serving.map_err(|error| Error::setting("lecture", format!("no thread can be started: {error}")))?;
    console::print(&link)?;
    console::progress(&format!(
        "Open this link in a browser of this machine; from another: ssh -L {port}:127.0.0.1:{port} THIS-MACHINE, and then \
         the same link. Ctrl-C ends the lecture. Not for diagnosis."
    ));
    if args.open
        && let Err(error) = open::that_detached(&link)
    {
        console::warn(&format!("--open: no browser can be started ({error}); open the link by hand"));
    }
    engine.run(|| serving.is_finished());
    match serving.join() {
        Ok(Err(error)) => Err(Error::setting("lecture", format!("the page cannot be served: {error}")).into()),
        _ => Ok(Outcome::Done),
    }
}

/// All that a lecture is made of.
struct Prepared {
    network: Arc<Network>,
    subject: Subject,
    settings: SessionSettings,
    loader: Loader,
    stops: Vec<Stop>,
}

impl Prepared {
    /// Reads data, model and stops, and looks at every image once.
    fn new(args: &LectureArgs) -> std::result::Result<Prepared, Failure> {
        let pack = args.data.as_deref().map(open_pack).transpose()?.flatten();
        let args = &as_packed(args, pack.as_ref(), |args| FlagsOnData {
            reading: &mut args.reading,
            bit_depth: &mut args.bit_depth,
            skip_bad: &mut args.skip_bad,
            image_size: &mut args.image_size,
            has_model: args.model.is_some(),
        })?;
        let network = network(args.model.as_deref(), args.image_size, args.dropout)?;
        let settings = run_settings(args, &network);
        let optimizer = settings.training.optimizer()?;
        settings.training.check_schedule()?;
        let mut dataset =
            Dataset::new(source(pack, args.data.as_deref(), &args.labels)?, args.validation_split, None, args.seed)?;
        if dataset.source.has_several_labels() {
            let reason = "a lecture speaks of the class of each image, and these may have several labels; give images of classes";
            return Err(Error::data(dataset.source.path(), reason).into());
        }
        let network = Arc::new(for_data(network, args.model.as_deref(), &dataset.catalog)?);
        let batch = args.batch_size.min(dataset.items(Part::Training).len());
        let stops = args.stops.as_deref().map(|path| read_stops(path, &network, batch)).transpose()?;
        Memory::new(&network, batch, settings.plan_options(), optimizer.rule).check_training(batch)?;
        check_arrays("lecture".into(), least_bytes(&network, batch))?;
        let parameters = settings.initial_parameters(&network)?;
        let (loader, names) = training_loader(&mut dataset, &settings)?;
        let counts = dataset.counts(Part::Training);
        let subject = Subject {
            network: Arc::clone(&network),
            data: dataset.name.display().to_string(),
            names,
            classes: dataset.classes().names().map(str::to_string).collect(),
            class_weights: settings.training.class_weight.weights(&counts)?,
            label_smoothing: args.label_smoothing,
            optimizer,
            steps_per_epoch: loader.batches(),
        };
        let settings = SessionSettings { training: settings.training, parameters, memory: cache_bytes(args.memory) };
        Ok(Prepared { network, subject, settings, loader, stops: stops.unwrap_or_default() })
    }
}

/// The settings that `train` would have of the same flags.
fn run_settings(args: &LectureArgs, network: &Network) -> RunSettings {
    let training = TrainSettings {
        epochs: args.epochs,
        class_weight: args.class_weight.into(),
        label_smoothing: args.label_smoothing,
        augmentation: args.augment,
        shuffle: !args.no_shuffle,
        seed: args.seed,
        conv: args.conv,
        ..args.optimizer.applied_to(args.schedule.applied_to(TrainSettings::default()))
    };
    RunSettings {
        batch_size: args.batch_size,
        validation_split: Some(args.validation_split),
        init_weights: args.init_weights.clone(),
        skip_bad: args.skip_bad,
        reading: args.reading,
        bit_depth: args.bit_depth,
        ..RunSettings::of(training, network.spec().input, args.cache)
    }
}
