//! The folder of a sweep, and its plan in `sweep.toml`: the same plan goes on there, and no other.

use crate::cli::args::{Cli, SweepArgs};
use crate::cli::run::resume::difference::{Difference, first_difference};
use crate::cli::run::resume::flags::flag;
use crate::cli::run_folder::config::as_toml;
use crate::cli::run_folder::lock::RunLock;
use crate::cli::run_folder::settings::RunSettings;
use crate::cli::terminal::output;
use clap::CommandFactory;
use glassnet::data::catalog::Catalog;
use glassnet::files::{read_text, write_whole};
use glassnet::network::Network;
use glassnet::{Error, Result};
use serde::Serialize;
use std::path::Path;
use toml::{Table, Value};

/// The plan's file.
const PLAN: &str = "sweep.toml";

const OUT: &str = "--out";

/// Settings with which a sweep may go on changed.
const MAY_CHANGE: [&str; 2] = ["cache", "save_every"];

/// What makes a sweep what it is.
#[derive(Serialize)]
struct Plan {
    command: &'static str,
    version: &'static str,
    /// `--try`, in the order given.
    #[serde(rename = "try")]
    tries: Vec<String>,
    /// `--random`.
    #[serde(skip_serializing_if = "Option::is_none")]
    random: Option<usize>,
    data: Data,
    /// The settings of the first trial: what is not tried, all trials have.
    settings: Table,
    /// Its network.
    model: Table,
}

/// The data, as far as a listing tells of them. That they are the same to the byte, the trials tell.
#[derive(Serialize)]
struct Data {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_path: Option<String>,
    classes: Vec<String>,
    /// Images of each class.
    images: Vec<usize>,
}

/// Returns the plan of a sweep.
///
/// # Errors
/// [`Error::Setting`], where it cannot be written.
pub fn plan(args: &SweepArgs, first: &(RunSettings, Network), catalog: &Catalog) -> Result<Table> {
    let shown = |path: &Path| path.display().to_string();
    let train = &args.trials.train;
    let (settings, network) = first;
    as_toml(&Plan {
        command: "sweep",
        version: env!("CARGO_PKG_VERSION"),
        tries: args.tries.iter().map(ToString::to_string).collect(),
        random: args.random,
        data: Data {
            path: train.data.as_deref().map(shown).unwrap_or_default(),
            validation_path: train.validation_data.as_deref().map(shown),
            classes: catalog.classes.names().map(str::to_string).collect(),
            images: catalog.counts(),
        },
        settings: as_toml(settings)?,
        model: as_toml(network.spec())?,
    })
}

/// Makes the folder, or goes on in that of the same sweep.
///
/// # Errors
/// [`Error::Setting`], where it holds something else, or a sweep of another plan: the first thing that
/// differs is named.
pub fn claim(out: &Path, plan: &Table) -> Result<()> {
    let file = out.join(PLAN);
    // Another process may be about to make it.
    if !file.exists()
        && let Err(error) = output::check_new_folder(OUT, out)
        && !file.exists()
    {
        return Err(error);
    }
    output::make_folder(OUT, out)?;
    let _lock = RunLock::wait_for(out);
    if !file.exists() {
        return write_whole(&file, plan.to_string().as_bytes());
    }
    let was: Table = read_text(&file)?.parse().map_err(|_: toml::de::Error| {
        Error::data(&file, format!("it is no TOML; put back a copy of the file, or name another folder with {OUT}"))
    })?;
    let [was, now] = [&was, plan].map(compared);
    // The flags of a sweep first: from them the others follow.
    for part in ["try", "random", "settings", "model", "data"] {
        let [was, now] = [&was, &now].map(|plan| plan.get(part).cloned().unwrap_or(Value::String("none".into())));
        if let Some(difference) = first_difference(part, &was, &now) {
            return Err(another_plan(out, difference));
        }
    }
    Ok(())
}

/// The part of a plan in which two must be the same.
fn compared(plan: &Table) -> Table {
    let mut plan = plan.clone();
    let mut leave_out = |table: &str, keys: &[&str]| {
        if let Some(table) = plan.get_mut(table).and_then(Value::as_table_mut) {
            table.retain(|key, _| !keys.contains(&key));
        }
    };
    leave_out("settings", &MAY_CHANGE);
    leave_out("data", &["path"]);
    plan
}

/// The error of a folder whose sweep has another plan.
fn another_plan(out: &Path, Difference { path, was, now }: Difference) -> Error {
    let what = match path.split_once('.') {
        Some(("settings", key)) => flag(&Cli::command(), "train", key).unwrap_or_else(|| key.to_string()),
        Some(("model", key)) => format!("a model with {key} ="),
        Some((_, key)) => format!("data with {key} ="),
        None if path == "random" => "--random".to_string(),
        // Perhaps with a place in it.
        None => "--try".to_string(),
    };
    let reason = format!(
        "the sweep in {} has {what} {was}, and {now} is asked for; give the same flags to go on with it, or name another folder",
        out.display()
    );
    Error::setting(OUT, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Table {
        text.parse().unwrap()
    }

    #[test]
    fn the_same_plan_goes_on_and_another_is_refused_with_what_differs() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("sweep");
        let text = "try = ['dropout=0.2,0.5']\nrandom = 3\n[data]\npath = 'a'\nimages = [10, 14]\n\
            [settings]\nepochs = 2\ncache = 5\n[model]\ninput = [16, 16, 3]\n";
        claim(&out, &plan(text)).unwrap();
        claim(&out, &plan(text)).unwrap();
        claim(&out, &plan(&text.replace("cache = 5", "cache = 0").replace("'a'", "'b'"))).unwrap();
        for (was, now, told) in [
            ("0.5'", "0.4'", "--try dropout=0.2,0.5, and dropout=0.2,0.4 is asked for"),
            ("random = 3\n", "", "--random 3, and none is asked for"),
            ("epochs = 2", "epochs = 3", "--epochs 2, and 3 is asked for"),
            ("[16, ", "[32, ", "a model with input[0] = 16, and 32 is asked for"),
            ("14]", "15]", "data with images[1] = 14, and 15 is asked for"),
        ] {
            let error = claim(&out, &plan(&text.replace(was, now))).unwrap_err().to_string();
            let expected = format!(
                "--out: the sweep in {} has {told}; give the same flags to go on with it, or name another folder",
                out.display()
            );
            assert_eq!(error, expected);
        }
        std::fs::write(out.join(PLAN), "no plan").unwrap();
        let error = claim(&out, &plan(text)).unwrap_err().to_string();
        assert!(error.contains("sweep.toml: it is no TOML; put back a copy of the file"), "{error}");
    }

    #[test]
    fn a_folder_with_something_else_in_it_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mine.txt"), "").unwrap();
        let error = claim(folder.path(), &plan("try = []")).unwrap_err().to_string();
        assert!(error.starts_with("--out: ") && error.contains("is not empty"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
