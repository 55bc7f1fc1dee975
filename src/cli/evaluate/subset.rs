//! Which images are evaluated, and what is known of their part in the training.

use crate::cli::args::SubsetChoice;
use crate::cli::console;
use crate::cli::progress::Progress;
use glassnet::checkpoint::TrainingFacts;
use glassnet::data::catalog::{Catalog, Item};
use glassnet::data::images::{Digest, set_sha256};
use glassnet::data::source::Source;
use glassnet::error::counted;
use glassnet::files::read_text;
use glassnet::{Error, Result};
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The images to evaluate.
pub struct Subset {
    choice: SubsetChoice,
    pub items: Vec<Item>,
    /// Images of both classes in DATA.
    of: usize,
    split: Split,
}

/// What a run's `split.csv` says of the chosen images.
enum Split {
    Known {
        file: PathBuf,
        counts: Counts,
        /// Whether the run's files are in DATA as they were then, byte for byte; `None` where the run does not tell.
        same_files: Option<bool>,
        /// Of how many epochs the weights are those that did best on the validation part, where they are.
        best_of: Option<usize>,
    },
    /// Why it says nothing.
    Unknown(String),
}

/// How many of the chosen images had which part in the training, by their names.
#[derive(Default)]
struct Counts {
    training: usize,
    validation: usize,
    neither: usize,
}

impl Subset {
    /// Chooses from the images of DATA, which are in `source`, by what the run folder around the weights `file` tells.
    ///
    /// # Errors
    /// [`Error::Setting`] of `--subset`, where a part is asked for that cannot be known.
    pub fn choose(
        choice: SubsetChoice,
        file: &Path,
        facts: &TrainingFacts,
        source: &Source,
        catalog: &Catalog,
    ) -> Result<Subset> {
        let of = catalog.items.len();
        let data = source.path().display();
        let run = match Run::around(file, facts) {
            Ok(run) => run,
            Err(reason) if choice == SubsetChoice::All => {
                return Ok(Subset { choice, items: catalog.items.clone(), of, split: Split::Unknown(reason) });
            }
            Err(reason) => return Err(not_known(choice, &reason)),
        };
        let parts = run.parts();
        let part = |item: &Item| parts.get(item.path.as_str()).copied();
        if choice != SubsetChoice::All && !catalog.items.iter().any(|item| part(item).is_some()) {
            let file = run.split_file.display();
            return Err(not_known(choice, &format!("no image of {data} is named in {file}, which is of another set")));
        }
        let chosen = |item: &&Item| match choice {
            SubsetChoice::All => true,
            SubsetChoice::Training => part(item) == Some(TRAINING),
            SubsetChoice::Validation => part(item) == Some(VALIDATION),
        };
        let items: Vec<Item> = catalog.items.iter().filter(chosen).cloned().collect();
        let mut counts = Counts::default();
        for item in &items {
            match part(item) {
                Some(TRAINING) => counts.training += 1,
                Some(VALIDATION) => counts.validation += 1,
                _ => counts.neither += 1,
            }
        }
        let known = counts.training + counts.validation > 0;
        let same_files = if known { run.has_the_files_of(source, catalog) } else { None };
        if same_files == Some(false) {
            console::warn(&format!(
                "the files of {data} are not, or not all, those of the run, so what trained the model is told by name alone"
            ));
        }
        let best_of = if file.ends_with("best.safetensors") { run.epochs() } else { None };
        Ok(Subset { choice, items, of, split: Split::Known { file: run.split_file, counts, same_files, best_of } })
    }

    /// What to say where the model is judged on images that it learned from, or may have, or by which its weights were chosen.
    pub fn caution(&self) -> Option<String> {
        let sentence = match &self.split {
            Split::Known {
                counts: Counts { training: 0, validation: 1.., .. }, best_of: Some(epochs @ 2..), ..
            } => {
                return Some(format!(
                    "of {epochs} epochs' weights these have the lowest loss on the validation images, which flatters them here"
                ));
            }
            Split::Known { counts: Counts { training: 0, .. }, .. } | Split::Unknown(_) => return None,
            Split::Known { same_files: Some(true), .. } => {
                "the model has seen images that it is judged on here, which flatters it"
            }
            Split::Known { .. } => "the model may have seen images that it is judged on here, which would flatter it",
        };
        Some(sentence.to_string())
    }

    /// Which images, and how they were chosen.
    pub fn description(&self) -> String {
        let Subset { items, .. } = self;
        let of = counted(self.of, "image");
        let chosen = match self.choice {
            SubsetChoice::All => format!("all {of}"),
            _ => format!("{}, {} of {of}", self.name(), items.len()),
        };
        let (file, counts, same_files) = match &self.split {
            Split::Unknown(reason) => {
                return format!("{chosen}; which of them trained the model is not known: {reason}");
            }
            Split::Known { file, counts, same_files, .. } => (file.display(), counts, same_files),
        };
        let Counts { training, validation, neither } = counts;
        let how = match self.choice {
            SubsetChoice::All if training + validation == 0 => {
                return format!("{chosen}; {file}, which lists what trained the model, names none of them");
            }
            SubsetChoice::All => {
                let rest = if *neither == 0 { String::new() } else { format!(", and {neither} as neither") };
                format!(", of which {file} lists {training} as training and {validation} as validation images{rest}")
            }
            _ => format!(", as {file} lists them"),
        };
        let bytes = match same_files {
            Some(true) => "the files are those of the run, byte for byte",
            Some(false) => "by name alone, as the files are not, or not all, those of the run",
            None => "by name alone",
        };
        format!("{chosen}{how}; {bytes}")
    }

    pub fn json(&self) -> serde_json::Value {
        let mut object = json!({
            "name": self.name(),
            "images": self.items.len(),
            "of": self.of,
            "description": self.description(),
            "split_file": null,
            "trained": null,
            "validated": null,
            "neither": null,
            "same_files": null,
        });
        if let Split::Known { file, counts, same_files, .. } = &self.split {
            object["split_file"] = json!(file.display().to_string());
            object["trained"] = json!(counts.training);
            object["validated"] = json!(counts.validation);
            object["neither"] = json!(counts.neither);
            object["same_files"] = json!(same_files);
        }
        object
    }

    fn name(&self) -> &'static str {
        match self.choice {
            SubsetChoice::Training => TRAINING,
            SubsetChoice::Validation => VALIDATION,
            SubsetChoice::All => "all",
        }
    }
}

/// What `split.csv` calls the two parts.
const TRAINING: &str = "training";
const VALIDATION: &str = "validation";

fn not_known(choice: SubsetChoice, reason: &str) -> Error {
    let part = if choice == SubsetChoice::Training { "trained" } else { "validated" };
    Error::setting("--subset", format!("which images {part} the model is not known: {reason}; use --subset all"))
}

/// What a run folder tells of its data.
struct Run {
    split_file: PathBuf,
    rows: Vec<Row>,
    /// The hash of the data in `config.toml`.
    sha256: Option<String>,
}

/// A line of `split.csv`.
#[derive(Deserialize)]
struct Row {
    file: String,
    subset: String,
}

impl Run {
    /// The run in whose folder `weights` the file stands. Where there is none, or another than the file's, why.
    fn around(file: &Path, facts: &TrainingFacts) -> std::result::Result<Run, String> {
        let none =
            || format!("{} does not stand in the weights folder of a run, whose split.csv would tell", file.display());
        let folder = file.parent().filter(|folder| folder.ends_with("weights")).ok_or_else(none)?;
        let run = folder.parent().ok_or_else(none)?;
        let split_file = run.join("split.csv");
        let text = match read_text(&split_file) {
            Ok(text) => text,
            Err(Error::Missing { .. }) => return Err(none()),
            Err(error) => return Err(error.to_string()),
        };
        let rows: std::result::Result<Vec<Row>, csv::Error> =
            csv::Reader::from_reader(text.as_bytes()).into_deserialize().collect();
        let rows = rows.map_err(|error| format!("{} cannot be read: {error}", split_file.display()))?;
        let training = rows.iter().filter(|row| row.subset == TRAINING).count();
        if training != facts.images {
            let split_file = split_file.display();
            return Err(format!(
                "{split_file} lists {}, and the model was trained on {}",
                counted(training, "training image"),
                facts.images
            ));
        }
        let config = read_text(&run.join("config.toml")).ok();
        let config = config.and_then(|text| text.parse::<toml::Table>().ok());
        let sha256 = config.and_then(|config| Some(config.get("data")?.get("sha256")?.as_str()?.to_string()));
        Ok(Run { split_file, rows, sha256 })
    }

    /// How many epochs the run's `history.csv` tells of.
    fn epochs(&self) -> Option<usize> {
        let history = read_text(&self.split_file.with_file_name("history.csv")).ok()?;
        Some(history.lines().skip(1).count())
    }

    /// The part of each file by its name.
    fn parts(&self) -> HashMap<&str, &str> {
        self.rows.iter().map(|row| (row.file.as_str(), row.subset.as_str())).collect()
    }

    /// Whether every file of the run is among these as it was then: their common hash, as training took it, is that in
    /// `config.toml`. Files that are there besides do not matter.
    fn has_the_files_of(&self, source: &Source, catalog: &Catalog) -> Option<bool> {
        let wanted = self.sha256.as_ref()?;
        let entries: HashMap<&str, usize> = catalog.items.iter().map(|item| (item.path.as_str(), item.entry)).collect();
        // What was left out as unreadable is not part of the hash.
        let learned: Vec<&Row> =
            self.rows.iter().filter(|row| [TRAINING, VALIDATION].contains(&row.subset.as_str())).collect();
        let progress = Progress::of_images("Comparing", learned.len());
        let digests: Option<Vec<Digest>> = learned
            .par_iter()
            .inspect(|_| progress.advance(1))
            .map(|row| Some(Sha256::digest(source.read(*entries.get(row.file.as_str())?).ok()?).into()))
            .collect();
        let Some(digests) = digests else { return Some(false) };
        Some(set_sha256(learned.iter().map(|row| row.file.as_str()).zip(&digests)) == *wanted)
    }
}
