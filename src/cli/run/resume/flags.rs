//! A run's settings as the flags that they came from.

use super::difference::shown;
use super::resumed_run::{RESUME, ResumedRun};
use crate::cli::args::{Cli, Command, command_line, is_given, refuse};
use crate::cli::input::dataset::VALIDATION_DATA;
use crate::cli::outcome::{Failure, flag_of};
use crate::cli::terminal::console;
use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, FromArgMatches};
use glassnet::data::reading::BitDepth;
use glassnet::error::shortened;
use glassnet::{Error, Result};
use std::ffi::OsString;
use std::path::PathBuf;
use toml::{Table, Value};

/// The arguments once more, behind those that the settings of the run of `--resume` amount to; and that run,
/// if one is named.
///
/// # Errors
/// An error if `--resume` names no run.
pub fn with_the_settings_of_the_run(cli: Cli) -> Result<(Cli, Option<ResumedRun>)> {
    let (name, common, of_folds, validation_data) = match &cli.command {
        Command::Train(arguments) => {
            let of_folds = [("--folds", arguments.folds.is_some()), ("--only-fold", arguments.only_fold.is_some())];
            ("train", &arguments.common, of_folds, arguments.validation_data.as_deref())
        }
        Command::Reproduce(arguments) => ("reproduce", &arguments.common, [("--folds", false); 2], None),
        _ => return Ok((cli, None)),
    };
    let Some(run) = ResumedRun::from_arguments(common, name)? else { return Ok((cli, None)) };
    let of_folds = of_folds.into_iter().find(|(_, is_given)| *is_given).map(|(flag, _)| flag);
    run.check_whole(of_folds, validation_data)?;
    // A flag that is given replaces the one put before it.
    let command = Cli::command().mut_subcommand(name, |command| command.args_override_self(true));
    let mut given = command_line().into_iter();
    let mut arguments: Vec<OsString> = given.by_ref().take(2).collect();
    let settings = run.config.get("settings").and_then(Value::as_table);
    for (key, value) in settings.into_iter().flatten() {
        let Some(argument) = argument(&command, name, key, value) else { continue };
        check(&command, name, &argument).map_err(|reason| {
            let value = console::one_line(&shown(value)).into_owned();
            let reason = format!(
                "{}: {key} = {} cannot be used: {}; put back a copy of the file, or start a new run",
                run.folder.config().display(),
                shortened(&value),
                shortened(&reason)
            );
            Error::setting(RESUME, reason)
        })?;
        arguments.push(argument);
    }
    // A run that does not tell it is from when there were 8 bits, or was asked for them.
    if name == "train" && settings.is_none_or(|settings| !settings.contains_key("bit_depth")) {
        arguments.push(format!("--bit-depth={}", BitDepth::default().name()).into());
    }
    // It is no setting, as it may have moved: what counts is what it holds, as with DATA.
    let further = if validation_data.is_some() { None } else { run.validation_data()? };
    arguments.extend(further.map(|path| {
        let mut argument = OsString::from(format!("{VALIDATION_DATA}="));
        argument.push(path);
        argument
    }));
    arguments.extend(given);
    let matches = command.try_get_matches_from(arguments).unwrap_or_else(|error| refuse(error));
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| refuse(error));
    Ok((cli, Some(run)))
}

/// The settings in a run's `config.toml`, from which flags came that the user has not given.
pub struct SettingsFile {
    path: PathBuf,
    settings: Table,
}

impl SettingsFile {
    /// Reads that of a run.
    pub fn new(run: &ResumedRun) -> SettingsFile {
        let settings = run.config.get("settings").and_then(Value::as_table).cloned().unwrap_or_default();
        SettingsFile { path: run.folder.config(), settings }
    }

    /// The failure, in which the file is blamed for a flag's value that is from there.
    pub fn blamed(&self, failure: Failure) -> Failure {
        let Failure::Work(Error::Setting { setting, reason, .. }) = &failure else { return failure };
        let flag = flag_of(setting);
        let Some(key) = flag.strip_prefix("--").filter(|_| !is_given(&flag)) else { return failure };
        let key = key.replace('-', "_");
        let Some(value) = self.settings.get(&key) else { return failure };
        let value = console::one_line(&shown(value)).into_owned();
        let reason = format!("{}: {key} = {} cannot be used: {reason}", self.path.display(), shortened(&value));
        Error::setting(RESUME, reason).into()
    }
}

/// Checks whether the flag takes this value; the error says what it may be. Said of the flag it would blame
/// what nobody has given.
pub fn check(command: &clap::Command, name: &str, argument: &OsString) -> std::result::Result<(), String> {
    let alone = ["glassnet".into(), name.into(), format!("{RESUME}=.").into(), argument.clone()];
    let outcome = command.clone().try_get_matches_from(alone);
    outcome.map(|_| ()).map_err(|error| match (std::error::Error::source(&error), error.get(ContextKind::ValidValue)) {
        (Some(reason), _) => reason.to_string(),
        (None, Some(ContextValue::Strings(names))) if !names.is_empty() => {
            format!("it must be one of {}", names.join(", "))
        }
        _ => "it is not a value that the setting can have".to_string(),
    })
}

/// A setting as a flag, where the command has one for it.
fn argument(command: &clap::Command, name: &str, key: &str, value: &Value) -> Option<OsString> {
    let flag = flag(command, name, key)?;
    let negated = flag.starts_with("--no-");
    match value {
        Value::Boolean(value) => (*value != negated).then(|| flag.into()),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(shown).collect();
            Some(format!("{flag}={}", values.join(",")).into())
        }
        value => Some(format!("{flag}={}", shown(value)).into()),
    }
}

/// The flag of a setting of this command: `--batch-size` of `batch_size`, `--no-shuffle` of `shuffle`.
pub fn flag(command: &clap::Command, name: &str, key: &str) -> Option<String> {
    let key = key.replace('_', "-");
    let there =
        |flag: &str| command.find_subcommand(name)?.get_arguments().find(|a| a.get_long() == Some(flag)).map(|_| ());
    [key.clone(), format!("no-{key}")].into_iter().find(|flag| there(flag).is_some()).map(|flag| format!("--{flag}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::{ImageSize, LabelsArgs, RangeChoice, ReadingArgs};
    use crate::cli::run_folder::config::as_toml;
    use crate::cli::run_folder::settings::RunSettings;
    use glassnet::data::augment::Augmentation;
    use glassnet::data::reading::{Interpolation, Resize, SampleRange};
    use glassnet::kernels::conv::registry::ConvPolicy;
    use glassnet::training::{ClassWeighting, OptimizerName, Piece, ScheduleName, TrainSettings};

    #[test]
    fn every_setting_that_is_written_down_has_a_flag_to_which_it_is_given_back() {
        let mut reading = ReadingArgs { range: SampleRange::new(0, 4080).map(RangeChoice::Of), ..Default::default() };
        reading.upright.upright = true;
        (reading.resize, reading.interpolation) = (Resize::Crop, Interpolation::Bilinear);
        let settings = RunSettings {
            training: TrainSettings {
                epochs: 3,
                optimizer: OptimizerName::Sgd,
                learning_rate: 0.001,
                weight_decay: 0.01,
                momentum: 0.9,
                nesterov: true,
                clip_norm: Some(1.0),
                global_clip_norm: Some(2.5),
                clip_value: Some(0.5),
                schedule: ScheduleName::Piecewise,
                warmup_steps: Some(3),
                warmup_target: Some(0.5),
                decay_steps: Some(9),
                decay_rate: Some(0.25),
                alpha: Some(0.125),
                pieces: vec![Piece { after: 3, learning_rate: 0.5 }, Piece { after: 5, learning_rate: 0.25 }],
                plateau_factor: Some(0.5),
                plateau_patience: Some(4),
                plateau_min_delta: Some(0.0),
                class_weight: ClassWeighting::Balanced,
                label_smoothing: 0.125,
                augmentation: Augmentation::parse("shift,rotate").ok(),
                seed: 7,
                shuffle: false,
                conv: ConvPolicy::Im2col,
                fuse: true,
                early_stopping: Some(2),
            },
            batch_size: 4,
            image_size: ImageSize { height: 16, width: 24 },
            channels: 3,
            validation_split: Some(0.5),
            folds: Some(3),
            only_fold: Some(2),
            // A fold does not go on by itself, so no flag sets it.
            fold: None,
            group_regex: Some("/(p[0-9]+)_".into()),
            labels: LabelsArgs {
                labels: Some("labels of all.csv".into()),
                path_column: Some("file".into()),
                label_column: Some("kind".into()),
                label_separator: Some(";".into()),
                group_column: Some(String::new()),
                split_column: Some("fold".into()),
            },
            init_weights: Some("a b.safetensors".into()),
            new_head: true,
            skip_bad: true,
            tensorboard: true,
            watch: true,
            reading,
            bit_depth: BitDepth::Sixteen,
            save_every: 10.0,
            cache: 0,
        };
        let command = Cli::command();
        let mut given: Vec<String> = Vec::new();
        for (key, value) in &as_toml(&settings).unwrap() {
            assert!(flag(&command, "train", key).is_some(), "no flag sets '{key}', so no run that has it can go on");
            given.extend(argument(&command, "train", key, value).map(|argument| argument.into_string().unwrap()));
        }
        given.sort();
        let expected = [
            "--alpha=0.125",
            "--augment=shift,rotate",
            "--batch-size=4",
            "--bit-depth=16",
            "--cache=0",
            "--class-weight=balanced",
            "--clip-norm=1.0",
            "--clip-value=0.5",
            "--conv=im2col",
            "--decay-rate=0.25",
            "--decay-steps=9",
            "--early-stopping=2",
            "--epochs=3",
            "--folds=3",
            "--global-clip-norm=2.5",
            "--group-column=",
            "--group-regex=/(p[0-9]+)_",
            "--image-size=16x24",
            "--init-weights=a b.safetensors",
            "--interpolation=bilinear",
            "--label-column=kind",
            "--label-separator=;",
            "--label-smoothing=0.125",
            "--labels=labels of all.csv",
            "--learning-rate=0.001",
            "--momentum=0.9",
            "--nesterov",
            "--new-head",
            "--no-shuffle",
            "--only-fold=2",
            "--optimizer=sgd",
            "--path-column=file",
            "--pieces=3:0.5,5:0.25",
            "--plateau-factor=0.5",
            "--plateau-min-delta=0.0",
            "--plateau-patience=4",
            "--range=0,4080",
            "--resize=crop",
            "--save-every=10.0",
            "--schedule=piecewise",
            "--seed=7",
            "--skip-bad",
            "--split-column=fold",
            "--tensorboard",
            "--upright",
            "--validation-split=0.5",
            "--warmup-steps=3",
            "--warmup-target=0.5",
            "--watch",
            "--weight-decay=0.01",
        ];
        assert_eq!(given, expected);
    }
}
