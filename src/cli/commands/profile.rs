//! `glassnet profile`: where the time of a training run goes, and what could be won.

use crate::cli::args::ProfileArgs;
use crate::cli::input::dataset::{Dataset, Part};
use crate::cli::input::packed::{FlagsOnData, as_packed, open_pack};
use crate::cli::input::training_set::{for_data, network, source, training_loader};
use crate::cli::machine;
use crate::cli::machine::memory::Memory;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::run_folder::settings::RunSettings;
use crate::cli::terminal::{console, interrupt, output};
use glassnet::Error;
use glassnet::files::write_whole;
use glassnet::network::Network;
use glassnet::profile::model::{Profile, Subject};
use glassnet::profile::{Profiled, profile};
use glassnet::report::profile::page::write_profile_page;
use glassnet::report::profile::text;
use glassnet::report::profile::trace::write_trace;
use glassnet::training::{TrainSettings, TrainingState};
use std::path::Path;

/// Columns of the tables, as those of `bench`.
const WIDTH: usize = 128;

/// What `--out` holds.
const PAGE: &str = "profile.html";
const FIGURES: &str = "profile.json";
const TRACE: &str = "trace.json";

/// Profiles, prints, and writes what is asked for.
pub fn run(args: &ProfileArgs) -> CommandResult {
    if let Some(out) = &args.out {
        output::check_new_folder("--out", out)?;
        if let Some(data) = &args.data {
            output::check_outside_data("--out", out, data)?;
        }
    }
    let pack = args.data.as_deref().map(open_pack).transpose()?.flatten();
    let args = &as_packed(args, pack.as_ref(), |args| FlagsOnData {
        reading: &mut args.reading,
        bit_depth: &mut args.bit_depth,
        skip_bad: &mut args.skip_bad,
        image_size: &mut args.image_size,
        has_model: args.model.is_some(),
    })?;
    let network = network(args.model.as_deref(), args.image_size, None)?;
    let settings = run_settings(args, &network);
    let mut dataset =
        Dataset::new(source(pack, args.data.as_deref(), &args.labels)?, args.validation_split, None, args.seed)?;
    let network = for_data(network, args.model.as_deref(), &dataset.catalog)?;
    let batch = args.batch_size.min(dataset.items(Part::Training).len());
    let optimizer = settings.training.optimizer()?;
    Memory::new(&network, batch, settings.plan_options(), optimizer.rule).check_training(batch)?;
    let (loader, names) = training_loader(&mut dataset, &settings)?;
    if let Some(out) = &args.out {
        output::make_folder("--out", out)?;
    }
    if cfg!(debug_assertions) {
        console::warn("this is a debug build, whose times say nothing; use: cargo run --release");
    }
    let subject = Subject {
        data: console::one_line(&dataset.name.display().to_string()).into_owned(),
        images: names.len(),
        model: args.model.as_deref().map(|file| console::one_line(&file.display().to_string()).into_owned()),
        input: network.spec().input,
        parameters: network.table().parameter_count(),
        batch_size: loader.largest_batch(),
        conv: args.conv.to_string(),
        fuse: !args.no_fuse,
    };
    let mut state = TrainingState::new(network.initial_parameters(args.seed), optimizer);
    let profiled = Profiled { network: &network, settings: &settings.training, training: &loader, steps: args.steps };
    let found = profile(&profiled, &mut state, subject, Some(machine::processor()), interrupt::check)?;
    tell(args, found)
}

fn tell(args: &ProfileArgs, mut profile: Profile) -> CommandResult {
    if let Some(out) = &args.out {
        write_profile_page(&out.join(PAGE), &profile)?;
        write_trace(&out.join(TRACE), &profile)?;
        let json = serde_json::to_value(&profile).map_err(|error| Error::setting(FIGURES, error.to_string()))?;
        write_whole(&out.join(FIGURES), (console::json_text(&json) + "\n").as_bytes())?;
    }
    if args.json {
        // The spans are for a page or a trace.
        profile.passes.iter_mut().for_each(|pass| pass.timeline.clear());
        let json = serde_json::to_value(&profile).map_err(|error| Error::setting(FIGURES, error.to_string()))?;
        console::print_json(&json)?;
    } else {
        let why = if args.why { text::why_lines(&profile) } else { Vec::new() };
        for line in text::lines(&profile, WIDTH).iter().chain(&why) {
            console::print(line)?;
        }
        if let Some(out) = &args.out {
            console::print(&written(out))?;
        }
    }
    if args.open
        && let Some(out) = &args.out
        && let Err(error) = open::that_detached(out.join(PAGE))
    {
        console::warn(&format!("--open: no browser can be started ({error}); open the page by hand"));
    }
    Ok(Outcome::Done)
}

fn written(out: &Path) -> String {
    let names = [PAGE, FIGURES, TRACE].map(|name| out.join(name).display().to_string());
    format!("Wrote {}, {} and {}", names[0], names[1], names[2])
}

/// The settings that `train` would have of the same flags.
fn run_settings(args: &ProfileArgs, network: &Network) -> RunSettings {
    let training = TrainSettings {
        augmentation: args.augment,
        seed: args.seed,
        conv: args.conv,
        fuse: !args.no_fuse,
        ..TrainSettings::default()
    };
    RunSettings {
        batch_size: args.batch_size,
        validation_split: Some(args.validation_split),
        skip_bad: args.skip_bad,
        reading: args.reading,
        bit_depth: args.bit_depth,
        ..RunSettings::of(training, network.spec().input, args.cache)
    }
}
