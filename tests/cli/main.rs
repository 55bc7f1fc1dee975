//! The command line as its users and their scripts see it: the real binary, in folders of its own, on
//! pictures and a network so small that a run takes a moment. What is printed is compared as a whole
//! ([`printed`]): stdout, stderr and the exit code.

#[path = "../data/array_bytes.rs"]
mod array_bytes;
mod bad_data;
mod bad_settings;
mod bad_weights;
mod bench;
mod choose_threshold;
mod cross_validation;
#[cfg(feature = "dicom")]
mod dicom;
mod diverged;
mod evaluate;
mod evaluate_caution;
mod evaluate_skip_bad;
#[path = "../data/exif_bytes.rs"]
mod exif_bytes;
mod explain;
mod export;
mod folds_early;
mod folds_merge;
mod frames;
mod freeze;
mod glyphs;
mod gradcheck;
mod help;
mod hostile;
mod import;
mod init;
mod inspect;
mod job;
mod json;
mod known;
mod labels;
mod large_sets;
mod layers;
mod layout;
mod lecture;
mod left_out;
mod logging;
mod lr_find;
mod no_skill;
mod one_class;
mod optimizers;
mod pack;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "parquet")]
#[path = "../data/parquet_fixtures.rs"]
mod parquet_fixtures;
mod phantom;
mod pipes;
mod places;
mod predict;
mod predict_further;
mod predict_together;
mod printed;
mod profile;
mod quiet;
mod range;
mod reproduce;
mod run_as_model;
mod run_folder;
mod running;
mod runs;
mod samples;
mod several_classes;
mod several_labels;
mod shards;
mod shells;
mod skip_bad;
mod summary;
mod survive;
mod sweep;
mod tampered;
mod tensorboard;
#[cfg(unix)]
mod terminal;
mod train;
mod train_options;
mod two_at_once;
mod upright;
mod usage;
mod validation_data;
mod watch;

use glassnet::random::{Purpose, Stream};
use image::{ImageFormat, RgbImage};
use serde_json::Value;
use std::fs;
use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

/// A network of 1,697 parameters.
const TINY: &str = r#"
input = [16, 16, 3]
layers = [
    { type = "conv2d", filters = 4, kernel = 3 },
    { type = "relu" },
    { type = "max_pool", window = 2 },
    { type = "flatten" },
    { type = "dense", units = 8 },
    { type = "relu" },
    { type = "dropout", rate = 0.5 },
    { type = "dense", units = 1 },
]
"#;

/// No run of a test should take longer by far; one that hangs fails.
const LONGEST_RUN: Duration = Duration::from_secs(60);

/// A folder in which the binary runs. All paths in tests are below it, so none of them has a changing part.
struct Here(TempDir);

/// What a run left on the terminal.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Here {
    /// A folder with `tiny.toml` in it.
    fn empty() -> Here {
        let here = Here(tempfile::tempdir().unwrap());
        here.write("tiny.toml", TINY);
        here
    }

    /// A folder with a data set `set` beside `tiny.toml`: 10 dark cats of 16 × 16 pixels and 14 bright dogs
    /// of 18 × 14.
    fn with_set() -> Here {
        let here = Here::empty();
        for (name, bytes) in set() {
            here.write(&format!("set/{name}"), bytes);
        }
        here
    }

    /// A folder with a data set and a model, `run/weights/last.safetensors`, that was trained on it for two
    /// epochs.
    fn with_model() -> Here {
        let here = Here::with_set();
        here.done("train set --model tiny.toml --epochs 2 --out run");
        here
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and the folders above it.
    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    /// The names in a folder, sorted.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The binary, in this folder, with nothing of the tester's environment that changes what it prints.
    fn process(&self) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_glassnet"));
        command
            .current_dir(self.0.path())
            .env("RAYON_NUM_THREADS", "2")
            .env_remove("GLASSNET_LOG")
            .env_remove("RUST_LOG")
            .env_remove("COLUMNS")
            .env_remove("CLICOLOR_FORCE");
        command
    }

    /// The binary, in this folder, with an end to how long it may run.
    fn command(&self) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::from_std(self.process());
        command.timeout(LONGEST_RUN);
        command
    }

    /// Runs it with these arguments, which are parted by spaces.
    fn run(&self, arguments: &str) -> Ran {
        Ran::of(self.command().args(arguments.split(' ').filter(|argument| !argument.is_empty())))
    }

    /// Runs it, and wants exit code 0 and a silent stderr; returns stdout.
    #[track_caller]
    fn done(&self, arguments: &str) -> String {
        let ran = self.run(arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{arguments}");
        ran.stdout
    }

    /// Runs it with `--json` and without progress, and wants exit code 0, a silent stderr and one JSON object
    /// on stdout.
    #[track_caller]
    fn json(&self, arguments: &str) -> Value {
        let quiet = if arguments.starts_with("summary") || arguments.starts_with("bench") { "" } else { "--quiet" };
        let ran = self.run(&format!("{arguments} --json {quiet}"));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{arguments}");
        ran.json()
    }

    /// Runs it, and wants exit code `code`, this one sentence on stderr, and a silent stdout.
    #[track_caller]
    fn refused(&self, arguments: &str, code: i32, sentence: &str) {
        let ran = self.run(arguments);
        assert_eq!((ran.stdout, ran.stderr), (String::new(), format!("error: {sentence}\n")), "{arguments}");
        assert_eq!(ran.code, Some(code), "{arguments}");
    }

    /// As [`Here::refused`] for flags that clap refuses, which adds how to get help; `sentence` is all that
    /// stands before.
    #[track_caller]
    fn misused(&self, arguments: &str, sentence: &str) {
        let ran = self.run(arguments);
        let expected = format!("error: {sentence}\n\nFor more information, try '--help'.\n");
        assert_eq!((ran.stdout, ran.stderr), (String::new(), expected), "{arguments}");
        assert_eq!(ran.code, Some(2), "{arguments}");
    }
}

impl From<std::process::Output> for Ran {
    fn from(output: std::process::Output) -> Ran {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ran {
    fn of(command: &mut assert_cmd::Command) -> Ran {
        Ran::from(command.output().unwrap())
    }

    /// Stdout as the one JSON object that it has to be.
    #[track_caller]
    fn json(&self) -> Value {
        let value: Value =
            serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout));
        assert!(value.is_object(), "{value}");
        value
    }
}

/// The keys of a JSON object, sorted.
fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// A picture of noise around a grey level.
fn noise(seed: u64, width: u32, height: u32, level: u8) -> RgbImage {
    let mut stream = Stream::new(seed, Purpose::Test, 0, 0);
    RgbImage::from_fn(width, height, |_, _| image::Rgb(std::array::from_fn(|_| level + stream.below(60) as u8)))
}

/// A picture as a file.
fn encoded(picture: RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// The files of the data set: names and bytes.
fn set() -> Vec<(String, Vec<u8>)> {
    let cat = |index: u64| (format!("cat/{index:02}.png"), noise(index, 16, 16, 40));
    let dog = |index: u64| (format!("dog/{index:02}.png"), noise(100 + index, 18, 14, 120));
    let pictures = (0..10).map(cat).chain((0..14).map(dog));
    pictures.map(|(name, picture)| (name, encoded(picture, ImageFormat::Png))).collect()
}

/// The files as a zip.
fn zipped(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The rows of a CSV file without quotes, the heading first.
fn csv(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split(',').collect()).collect()
}
