//! From DATA to loaders: opened, listed, split, checked.

use crate::cli::args::{LabelsArgs, is_given};
use crate::cli::input::checked::CheckedImages;
use crate::cli::outcome::{Failure, told};
use crate::cli::terminal::console;
use glassnet::Error;
use glassnet::classes::{Classes, Label};
use glassnet::data::catalog::{Catalog, Item, class_counts};
use glassnet::data::groups::Groups;
use glassnet::data::left_out::LeftOut;
use glassnet::data::pack::shard_name::ShardNames;
use glassnet::data::part::GivenPart;
use glassnet::data::source::{Source, absolute};
use glassnet::data::split::Split;
use glassnet::error::some_of;
use glassnet::report::csv_files::SplitRow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// The name by which a filter asks for this module's debug lines.
const LOG_TARGET: &str = "glassnet::cli::dataset";

/// The flag that names further data, which validate.
pub const VALIDATION_DATA: &str = "--validation-data";

/// Checks whether DATA is one path. A shell makes several of `photos/*`.
///
/// # Errors
/// [`Error::Setting`] of DATA names the folder that was meant, where it can be told.
pub fn check_one(data: &Path, more: &[PathBuf]) -> glassnet::Result<()> {
    if more.is_empty() {
        return Ok(());
    }
    let all: Vec<&Path> = std::iter::once(data).chain(more.iter().map(PathBuf::as_path)).collect();
    let folder = data.parent().filter(|folder| all.iter().all(|path| path.parent() == Some(*folder) && path.exists()));
    let is_shard = |path: &&Path| ShardNames::of_shard(path).is_some();
    let are_tars = || all.iter().all(|path| is_tar_name(path));
    let give = match folder {
        _ if all.iter().all(is_shard) => "give the first shard, which stands for all of its set".to_string(),
        _ if are_tars() => {
            "where they are one set, give their range in quotation marks, as in 'set-{000..003}.tar'".to_string()
        }
        Some(folder) => {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            // It may be none that can be given either; then that tells what can.
            match Source::open(folder).and_then(|source| Catalog::from_source(&source)) {
                Ok(_) => format!("give the folder {} itself", console::shell_word(&folder.display().to_string())),
                Err(error) => told(&error),
            }
        }
        None => "give one folder that holds class folders, or a zip of one".to_string(),
    };
    let names = some_of(all.iter().map(|path| path.display().to_string()));
    Err(Error::setting("DATA", format!("several are given, {names}; {give}")))
}

/// Returns whether a file is named as a tar, packed or not.
fn is_tar_name(path: &Path) -> bool {
    let name = path.display().to_string().to_ascii_lowercase();
    [".tar", ".tar.gz", ".tgz"].iter().any(|suffix| name.ends_with(suffix))
}

/// Lists DATA, with these labels where they are not in it.
///
/// # Errors
/// The errors of [`Source::open_labelled`]; [`Error::Setting`] of a column that was given where no table has
/// one.
pub fn open(path: &Path, labels: &LabelsArgs) -> glassnet::Result<Source> {
    let begun = Instant::now();
    let source = Source::open_labelled(path, &labels.known())?;
    if !source.is_labelled() {
        check_no_columns(path, labels)?;
    }
    log::debug!(target: LOG_TARGET, "{}: {} files listed in {:.1?}", path.display(), source.names().count(), begun.elapsed());
    Ok(source)
}

/// Refuses the name of a column where no table of labels was read.
fn check_no_columns(path: &Path, labels: &LabelsArgs) -> glassnet::Result<()> {
    let LabelsArgs { path_column, label_column, label_separator, group_column, split_column, .. } = labels;
    let columns = [
        ("--path-column", path_column),
        ("--label-column", label_column),
        ("--label-separator", label_separator),
        ("--group-column", group_column),
        ("--split-column", split_column),
    ];
    match columns.into_iter().find_map(|(flag, name)| Some((flag, name.as_ref().filter(|_| is_given(flag))?))) {
        Some((flag, name)) => {
            let path = path.display();
            let reason = format!(
                "in {path} the folders tell the classes, and no table does; leave it out, or give the table with --labels"
            );
            Err(Error::value(flag, name, reason))
        }
        None => Ok(()),
    }
}

/// A data set, listed and split; no image has been decoded yet.
pub struct Dataset {
    pub source: Arc<Source>,
    pub catalog: Arc<Catalog>,
    pub split: Split,
    /// The run's name for DATA: the path by which it was given when the run began.
    pub name: PathBuf,
    /// The place of the images that validate, if it is not that of those that train.
    pub validation_data: Option<PathBuf>,
    /// The run's name for them.
    pub validation_name: Option<PathBuf>,
    /// The groups of images that belong together, where they were told.
    pub groups: Option<Groups>,
    /// Images that cannot be read and were left out of both parts.
    pub skipped: Vec<Item>,
    /// These, and all else that was left out.
    pub left_out: Vec<LeftOut>,
}

impl Dataset {
    /// Lists and splits, and passes on what was odd as warnings: by the parts that the data bring, or else by
    /// the share that validates. Images of a group stay on one side, by `group_regex`, or else as the data
    /// tell; which groups validate, the seed decides.
    pub fn new(
        source: Source,
        validation_split: f64,
        group_regex: Option<&str>,
        seed: u64,
    ) -> Result<Dataset, Failure> {
        let catalog = Catalog::from_source(&source)?;
        let groups = groups(&catalog, &source, group_regex)?;
        let split = match (brings_a_split(&source), &groups) {
            (true, _) if is_given("--validation-split") => {
                let data = source.path().display();
                let reason = format!("the data in {data} bring the images that validate; leave it out");
                return Err(Error::value("--validation-split", validation_split, reason).into());
            }
            (true, groups) => Split::given(&catalog, &source, groups.as_ref())?,
            (false, Some(groups)) => Split::grouped(&catalog, validation_split, groups, seed)
                .map_err(|error| of_groups(error, group_regex, source.path()))?,
            (false, None) => Split::new(&catalog, validation_split)?,
        };
        let of_class = |(label, count): (Label, usize)| match label {
            Label::NEGATIVE => format!("class {label} '{}' has {count} images", &catalog.classes[label]),
            _ => format!("class {label} '{}' {count}", &catalog.classes[label]),
        };
        let counts: Vec<String> = catalog.classes.labels().zip(catalog.counts()).map(of_class).collect();
        let (training, validation) = (split.training.len(), split.validation.len());
        log::debug!(
            target: LOG_TARGET,
            "{}; {training} train, {validation} validate",
            counts.join(", ")
        );
        for note in catalog.notes.iter().chain(groups.iter().flat_map(|groups| &groups.notes)).chain(&split.notes) {
            console::warn(note);
        }
        Ok(Dataset::of_parts(Arc::new(source), Arc::new(catalog), split, groups))
    }

    /// A set that is listed and split.
    pub fn of_parts(source: Arc<Source>, catalog: Arc<Catalog>, split: Split, groups: Option<Groups>) -> Dataset {
        let left_out = catalog.left_out.clone();
        let name = source.path().to_path_buf();
        let (validation_data, validation_name, skipped) = (None, None, Vec::new());
        Dataset { source, catalog, split, name, validation_data, validation_name, groups, skipped, left_out }
    }

    /// Makes the set in which all of `source` trains, and all at `validation_data`, which is called `name`,
    /// validates. With `group_regex` no group may be in both.
    pub fn of_two(
        source: Source,
        validation_data: &Path,
        name: &Path,
        labels: &LabelsArgs,
        group_regex: Option<&str>,
    ) -> Result<Dataset, Failure> {
        let same = || Some(absolute(source.path())? == absolute(validation_data)?);
        if same() == Some(true) {
            let reason =
                "it is the data that train, and a network is to be judged on other images; name another folder";
            return Err(Error::setting(VALIDATION_DATA, reason).into());
        }
        let further = open(validation_data, &labels.columns())?;
        for (data, path) in [(&source, source.path()), (&further, validation_data)] {
            if brings_a_split(data) {
                let reason = format!(
                    "the data in {} bring a split of their own; leave it out, and give them as DATA",
                    path.display()
                );
                return Err(Error::setting(VALIDATION_DATA, reason).into());
            }
        }
        let entries = source.len();
        let catalog = Catalog::from_source(&source)?.join(Catalog::from_source(&further)?, entries, name)?;
        let source = source.join(further);
        let groups = groups(&catalog, &source, group_regex)?;
        let split =
            Split::by_set(&catalog, groups.as_ref()).map_err(|error| of_groups(error, group_regex, source.path()))?;
        for note in catalog.notes.iter().chain(groups.iter().flat_map(|groups| &groups.notes)) {
            console::warn(note);
        }
        let [validation_data, validation_name] = [validation_data, name].map(|path| Some(path.to_path_buf()));
        let dataset = Dataset::of_parts(Arc::new(source), Arc::new(catalog), split, groups);
        Ok(Dataset { validation_data, validation_name, ..dataset })
    }

    /// Returns how many groups validate and how many train, where there are groups.
    pub fn groups_line(&self) -> Option<String> {
        let groups = self.groups.as_ref()?;
        let group_of: BTreeMap<usize, &str> = self.group_names(groups).collect();
        let [training, validation] = Part::BOTH
            .map(|part| self.items(part).iter().map(|item| group_of[&item.entry]).collect::<BTreeSet<&str>>().len());
        Some(format!("Groups: {training} for training, {validation} for validation; each is on one side"))
    }

    /// The classes; where images may have several labels, the combinations of them that there are.
    pub fn classes(&self) -> &Classes {
        &self.catalog.classes
    }

    /// Returns how many images of each class one part has.
    pub fn counts(&self, part: Part) -> Vec<usize> {
        class_counts(self.items(part), self.classes())
    }

    /// The images of one part.
    pub fn items(&self, part: Part) -> &[Item] {
        match part {
            Part::Training => &self.split.training,
            Part::Validation => &self.split.validation,
        }
    }

    /// Checks whether each class, or label, has an image to train on that can be read.
    ///
    /// # Errors
    /// [`Error::Data`], where one has none.
    pub fn check_trains(&self, checked: &CheckedImages) -> glassnet::Result<()> {
        let readable = self.split.training.iter().filter(|item| checked.is_readable(item)).cloned();
        match self.catalog.missing(&readable.collect::<Vec<Item>>()) {
            Some(missing) => {
                let reason = format!("no image {missing} that trains can be read; mend or replace them");
                Err(Error::data(self.source.path(), reason))
            }
            None => Ok(()),
        }
    }

    /// Leaves the images that cannot be read out of their parts, as `--skip-bad` asks for. The others stay in
    /// the parts they are in.
    pub fn leave_out_unreadable(&mut self, checked: &CheckedImages) {
        for items in [&mut self.split.training, &mut self.split.validation] {
            self.skipped.extend(items.extract_if(.., |item| !checked.is_readable(item)));
        }
        self.left_out.extend(checked.left_out(&self.source, &self.skipped));
    }

    /// Lists all files with their class and part: the training part, the validation part, and those left out,
    /// as `skipped`.
    pub fn rows(&self, checked: &CheckedImages) -> Vec<SplitRow<'_>> {
        let group_of: BTreeMap<usize, &str> = self.groups.iter().flat_map(|groups| self.group_names(groups)).collect();
        let group_of = &group_of;
        let parts =
            [("training", &self.split.training), ("validation", &self.split.validation), ("skipped", &self.skipped)];
        parts
            .into_iter()
            .flat_map(|(subset, items)| {
                items.iter().map(move |item| SplitRow {
                    file: item.name(),
                    class: &self.catalog.classes[item.label],
                    subset,
                    group: group_of.get(&item.entry).copied(),
                    sha256: checked.digest(item).copied(),
                })
            })
            .collect()
    }

    /// For each image its place in the source and the name of its group.
    fn group_names<'a>(&'a self, groups: &'a Groups) -> impl Iterator<Item = (usize, &'a str)> {
        self.catalog.items.iter().enumerate().map(|(index, item)| (item.entry, groups.name_of(index)))
    }
}

/// The groups of a catalog's images: by `group_regex`, or else as the data tell.
///
/// # Errors
/// Those of [`Groups::by_regex`] and [`Groups::given`].
pub fn groups(catalog: &Catalog, source: &Source, group_regex: Option<&str>) -> glassnet::Result<Option<Groups>> {
    match group_regex {
        Some(regex) => Groups::by_regex(catalog, regex).map(Some),
        None => Groups::given(catalog, source),
    }
}

/// The error of a split by groups, which is one of the data where these tell the groups and no flag does.
fn of_groups(error: Error, group_regex: Option<&str>, data: &Path) -> Error {
    match error {
        Error::Setting { setting, reason, .. } if group_regex.is_none() && setting == "group_regex" => {
            Error::data(data, reason)
        }
        error => error,
    }
}

/// Whether data tell which of their images validate.
pub fn brings_a_split(source: &Source) -> bool {
    source.has_part(GivenPart::Validation)
}

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Training,
    Validation,
}

impl Part {
    /// Both, in the order in which they are told.
    pub const BOTH: [Part; 2] = [Part::Training, Part::Validation];
}
