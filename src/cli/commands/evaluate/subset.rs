//! The images that are evaluated, and what is known of their part in the training.

use crate::cli::args::{LabelsArgs, SubsetChoice};
use crate::cli::input::run_data::{RunData, Wanted};
use crate::cli::terminal::console;
use crate::cli::terminal::progress::Progress;
use glassnet::checkpoint::TrainingFacts;
use glassnet::data::catalog::{Catalog, Item, name_in};
use glassnet::data::images::{Digest, set_sha256};
use glassnet::data::part::GivenPart;
use glassnet::data::source::{MAX_FILES, Source};
use glassnet::error::counted;
use glassnet::files::{read_table, read_text};
use glassnet::{Error, Result};
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// The images to evaluate.
pub struct Subset {
    choice: SubsetChoice,
    pub items: Vec<Item>,
    /// Images of both classes in DATA.
    of: usize,
    split: Split,
}

/// The statement of a run's `split.csv` on the chosen images.
enum Split {
    Known {
        file: PathBuf,
        counts: Counts,
        /// True where the run's files are in DATA as they were then, byte for byte; `None` where the run does
        /// not tell.
        same_files: Option<bool>,
        /// Of how many epochs the weights are those that did best on the validation part, where they are.
        best_of: Option<usize>,
    },
    /// The reason why it says nothing.
    Unknown(String),
}

/// The number of chosen images with each part in the training, by their names.
#[derive(Default)]
struct Counts {
    training: usize,
    validation: usize,
    neither: usize,
}

impl Subset {
    /// Chooses from the images of DATA, which are in `source`, by what the run folder around the weights
    /// `file` tells.
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
        let is_of_run = matches!(choice, SubsetChoice::Training | SubsetChoice::Validation);
        let pool = |item: &&Item| choice != SubsetChoice::Test || source.part(item.entry) == Some(GivenPart::Test);
        let pool: Vec<Item> = catalog.items.iter().filter(pool).cloned().collect();
        if pool.is_empty() {
            let reason = format!("the data in {data} tell of no test part; use --subset all");
            return Err(Error::setting("--subset", reason));
        }
        let run = match Run::around(file, facts) {
            Ok(run) => run,
            Err(reason) if !is_of_run => {
                return Ok(Subset { choice, items: pool, of, split: Split::Unknown(reason) });
            }
            Err(reason) => return Err(not_known(choice, &reason)),
        };
        let sets = run.sets();
        let (set, compared) = match which(&sets, source, catalog) {
            Ok(found) => found,
            Err(reason) if !is_of_run => {
                return Ok(Subset { choice, items: pool, of, split: Split::Unknown(reason) });
            }
            Err(reason) => return Err(not_known(choice, &reason)),
        };
        let parts = set.parts();
        let part = |item: &Item| parts.get(item.path.as_str()).copied();
        if is_of_run && !catalog.items.iter().any(|item| part(item).is_some()) {
            let file = run.split_file.display();
            return Err(not_known(choice, &format!("no image of {data} is named in {file}, which is of another set")));
        }
        let chosen = |item: &&Item| match choice {
            SubsetChoice::All | SubsetChoice::Test => true,
            SubsetChoice::Training => part(item) == Some(TRAINING),
            SubsetChoice::Validation => part(item) == Some(VALIDATION),
        };
        let items: Vec<Item> = pool.iter().filter(chosen).cloned().collect();
        if let (true, [training, validation]) = (items.is_empty(), &sets[..]) {
            let (part, wanted) = match choice {
                SubsetChoice::Training => (TRAINING, training),
                _ => (VALIDATION, validation),
            };
            let wanted = wanted.path.as_ref().map_or("elsewhere".to_string(), |path| format!("in {}", path.display()));
            let reason = format!("the {part} images of the run are {wanted}, and none in {data}; give that as DATA");
            return Err(Error::setting("--subset", reason));
        }
        let mut counts = Counts::default();
        for item in &items {
            match part(item) {
                Some(TRAINING) => counts.training += 1,
                Some(VALIDATION) => counts.validation += 1,
                _ => counts.neither += 1,
            }
        }
        let known = counts.training + counts.validation > 0;
        let same_files = if known { compared.unwrap_or_else(|| set.has_its_files(source, catalog)) } else { None };
        if same_files == Some(false) {
            console::warn(&format!(
                "the files of {data} are not, or not all, those of the run, so what trained the model is told by name alone"
            ));
        }
        let best_of = if file.ends_with("best.safetensors") { run.epochs() } else { None };
        let file = run.split_file.clone();
        Ok(Subset { choice, items, of, split: Split::Known { file, counts, same_files, best_of } })
    }

    /// Returns what to say where the model is judged on images that it learned from, or may have, or by which
    /// its weights were chosen.
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

    /// Returns which images, and how they were chosen.
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
            SubsetChoice::All | SubsetChoice::Test if training + validation == 0 => {
                return format!("{chosen}; {file}, which lists what trained the model, names none of them");
            }
            SubsetChoice::All | SubsetChoice::Test => {
                let rest = if *neither == 0 { String::new() } else { format!(", and {neither} as neither") };
                format!(", of which {file} lists {training} as training and {validation} as validation images{rest}")
            }
            _ => format!(", as {file} lists them"),
        };
        let bytes = match same_files {
            Some(true) if *neither > 0 => "those that it lists are as they were in the run, byte for byte",
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
            SubsetChoice::Test => GivenPart::Test.name(),
            SubsetChoice::All => "all",
        }
    }
}

/// The names of the two parts in `split.csv`.
const TRAINING: &str = "training";
const VALIDATION: &str = "validation";

fn not_known(choice: SubsetChoice, reason: &str) -> Error {
    let part = if choice == SubsetChoice::Training { "trained" } else { "validated" };
    Error::setting("--subset", format!("which images {part} the model is not known: {reason}; use --subset all"))
}

/// The data of the run around the weights `file` on which they are judged where no other are given: those
/// that validated, if they are a set of their own and not the training images are wanted, else all; and their
/// labels, as far as the run tells.
///
/// # Errors
/// [`Error::Setting`] of DATA, where that is not known, or not there.
pub fn data_of_run(file: &Path, choice: SubsetChoice) -> Result<(PathBuf, LabelsArgs)> {
    let RunData { path, validation_path, labels, .. } = RunData::around(file);
    let further = validation_path.filter(|_| choice != SubsetChoice::Training);
    let (part, labels) = match further {
        Some(_) => ("validated on", labels.columns()),
        None => ("trained on", labels),
    };
    let data = further.or(path).ok_or_else(|| {
        let reason = format!(
            "it is missing, and {} is not in a run folder that tells it; give a folder, a zip or a pack",
            file.display()
        );
        Error::setting("DATA", reason)
    })?;
    Wanted { path: &data, part, argument: "DATA" }.check_there(file)?;
    Ok((data, labels))
}

/// The statement of a run folder on its data.
struct Run {
    split_file: PathBuf,
    rows: Vec<Row>,
    data: RunData,
}

/// A line of `split.csv`.
#[derive(Deserialize)]
struct Row {
    file: String,
    subset: String,
}

impl Run {
    /// The run in whose folder `weights` the file stands. Where there is none, or another than the file's,
    /// why.
    fn around(file: &Path, facts: &TrainingFacts) -> std::result::Result<Run, String> {
        let none =
            || format!("{} does not stand in the weights folder of a run, whose split.csv would tell", file.display());
        let folder = file.parent().filter(|folder| folder.ends_with("weights")).ok_or_else(none)?;
        let run = folder.parent().ok_or_else(none)?;
        let split_file = run.join("split.csv");
        let text = match read_table(&split_file) {
            Ok(text) => text,
            Err(Error::Missing { .. }) => return Err(none()),
            Err(error) => return Err(error.to_string()),
        };
        let rows = csv::Reader::from_reader(text.as_bytes()).into_deserialize();
        let rows: std::result::Result<Vec<Row>, csv::Error> = rows.take(MAX_FILES).collect();
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
        Ok(Run { split_file, rows, data: RunData::around(file) })
    }

    /// Returns how many epochs the run's `history.csv` tells of.
    fn epochs(&self) -> Option<usize> {
        let history = read_text(&self.split_file.with_file_name("history.csv")).ok()?;
        Some(history.lines().skip(1).count())
    }

    /// The sets of the run: one that was parted, or one that trained and one that validated.
    fn sets(&self) -> Vec<KnownSet<'_>> {
        let RunData { path, sha256, validation_path, validation_name, validation_sha256, .. } = &self.data;
        let all = || self.rows.iter().map(|row| (row.file.as_str(), row.subset.as_str()));
        let (Some(further), Some(name)) = (validation_path, validation_name) else {
            return vec![KnownSet { files: all().collect(), sha256: sha256.as_deref(), path: path.as_deref() }];
        };
        let before = name_in(name, "");
        let files = all().filter(|(file, _)| !file.starts_with(&before)).collect();
        let training = KnownSet { files, sha256: sha256.as_deref(), path: path.as_deref() };
        let files = all().filter_map(|(file, subset)| Some((file.strip_prefix(&before)?, subset))).collect();
        vec![training, KnownSet { files, sha256: validation_sha256.as_deref(), path: Some(further) }]
    }
}

/// A set that a run learned from.
struct KnownSet<'a> {
    /// The path of each file in it, and its part.
    files: Vec<(&'a str, &'a str)>,
    /// The hash of those that are read, in `config.toml`.
    sha256: Option<&'a str>,
    path: Option<&'a Path>,
}

impl KnownSet<'_> {
    /// The part of each file by its name.
    fn parts(&self) -> HashMap<&str, &str> {
        self.files.iter().copied().collect()
    }

    /// Returns whether every file of the set is among these as it was then: their common hash, as training
    /// took it, is that in `config.toml`. Files that are there besides do not matter.
    fn has_its_files(&self, source: &Source, catalog: &Catalog) -> Option<bool> {
        let wanted = self.sha256?;
        let entries: HashMap<&str, usize> = catalog.items.iter().map(|item| (item.path.as_str(), item.entry)).collect();
        // What was left out as unreadable is not part of the hash.
        let learned: Vec<&str> = self
            .files
            .iter()
            .filter(|(_, subset)| [TRAINING, VALIDATION].contains(subset))
            .map(|(file, _)| *file)
            .collect();
        if !learned.iter().all(|file| entries.contains_key(file)) {
            return Some(false);
        }
        let progress = Progress::of_images("Comparing", learned.len());
        let digests: Option<Vec<Digest>> = learned
            .par_iter()
            .inspect(|_| progress.advance(1))
            .map(|file| source.sha256(*entries.get(file)?).ok())
            .collect();
        let Some(digests) = digests else { return Some(false) };
        Some(set_sha256(learned.iter().copied().zip(&digests)) == wanted)
    }
}

/// Returns which of the sets of a run DATA is, and whether it has the files of that set, where this was
/// looked at. Of two it is the one whose files are there byte for byte, else the one with more files of these
/// names.
///
/// # Errors
/// The reason why it cannot be told.
fn which<'a, 'b>(
    sets: &'a [KnownSet<'b>],
    source: &Source,
    catalog: &Catalog,
) -> std::result::Result<(&'a KnownSet<'b>, Option<Option<bool>>), String> {
    let [training, validation] = sets else { return Ok((&sets[0], None)) };
    let names: HashSet<&str> = catalog.items.iter().map(|item| item.path.as_str()).collect();
    let there = |set: &KnownSet| set.files.iter().filter(|(file, _)| names.contains(file)).count();
    match [training, validation].map(there) {
        [_, 0] => return Ok((training, None)),
        [0, _] => return Ok((validation, None)),
        _ => {}
    }
    for set in sets {
        if let Some(true) = set.has_its_files(source, catalog) {
            return Ok((set, Some(Some(true))));
        }
    }
    match [training, validation].map(there) {
        [first, second] if first > second => Ok((training, Some(Some(false)))),
        [first, second] if first < second => Ok((validation, Some(Some(false)))),
        _ => Err("as many files of these names trained it as validated it, and the files are not those of the run"
            .to_string()),
    }
}
