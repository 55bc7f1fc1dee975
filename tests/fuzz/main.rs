//! Files that no program would write, made at random, given to all that reads files: zips, tars, tables,
//! numpy's arrays, images, idx files, packs, weights, runs that are to go on, models, ours and those of Keras
//! and PyTorch.
//!
//! Whatever comes in, the answer is a value or a sentence: no panic comes out, nothing takes more than
//! [`LONGEST`], and memory grows by no more than the reader's own limits allow. It is a fuzzer without
//! instrumentation, for the stable compiler: an input counts as new when its *outcome* is, the error's words
//! or what was read, with the input's length as a power of two. New inputs are kept and mutated further.
//!
//! ```sh
//! cargo test --release --test fuzz                                 # a few seconds, the same inputs every
//! time GLASSNET_FUZZ_SECONDS=600 GLASSNET_FUZZ_SEED=$RANDOM \
//!     GLASSNET_FUZZ_CORPUS=~/glassnet-corpus cargo test --release --test fuzz -- --nocapture
//! GLASSNET_FUZZ_REPLAY=image-0123456789abcdef cargo test --release --test fuzz
//! ```
//!
//! | variable | is |
//! |---|---|
//! | `GLASSNET_FUZZ_SECONDS` | how long, for all targets together; 4 if not set |
//! | `GLASSNET_FUZZ_SEED` | which mutations; 0 if not set |
//! | `GLASSNET_FUZZ_CORPUS` | a folder: inputs found before are read from it, new ones and failures are written to it |
//! | `GLASSNET_FUZZ_REPLAY` | a file to be tried alone; its name begins with the target's: `zip-`, `tar-`, `table-`, `npz-`, `image-`, `idx-`, `pack-`, `weights-`, `run-`, `spec-`, `hdf5-`, `keras-`, `onnx-`, `arrays-` or `pytorch-` |
//!
//! An input that fails is saved, in the folder or the system's for temporary files, and the message says how
//! to replay it.

#[path = "../data/array_bytes.rs"]
mod array_bytes;
#[path = "../data/exif_bytes.rs"]
mod exif_bytes;
#[path = "../common/memory.rs"]
mod memory;
mod mutate;
mod seeds;
mod targets;
#[path = "../data/tiff_bytes.rs"]
mod tiff_bytes;
#[path = "../data/zip_bytes.rs"]
mod zip_bytes;

use glassnet::random::{Purpose, Stream};
use std::collections::HashSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use targets::{Target, Trial};

/// The longest that one input may take: 64 million pixels decode in about a second.
const LONGEST: Duration = Duration::from_secs(20);

/// The longest input that is made.
const MAX_INPUT_BYTES: usize = 64 << 10;

/// How many words of an outcome tell it from others.
const WORDS_OF_A_KIND: usize = 16;

/// The longest sentence, in letters: a name of 1024 bytes may stand in it, and little more of the input.
const LONGEST_SENTENCE: usize = 2500;

/// How long it all takes if nothing is said, in seconds.
const DEFAULT_SECONDS: f64 = 4.0;

#[test]
fn no_file_panics_hangs_or_takes_all_memory() {
    let watch = Watch::start();
    if let Some(path) = env::var_os("GLASSNET_FUZZ_REPLAY").map(PathBuf::from) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let target = Target::all()
            .into_iter()
            .find(|target| name.starts_with(&format!("{}-", target.name)))
            .unwrap_or_else(|| panic!("{name} does not begin with the name of a target and a hyphen"));
        let input = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        println!("{name}: {}", tried(&target, &input, &watch));
        return;
    }
    let number =
        |name: &str| env::var(name).ok().map(|text| text.parse::<f64>().unwrap_or_else(|_| panic!("{name}={text}")));
    let seconds = number("GLASSNET_FUZZ_SECONDS").unwrap_or(DEFAULT_SECONDS);
    let seed = number("GLASSNET_FUZZ_SEED").unwrap_or(0.0) as u64;
    let targets = Target::all();
    let share = Duration::from_secs_f64(seconds / targets.len() as f64);
    for (index, target) in targets.iter().enumerate() {
        let mut corpus = Corpus::new(target);
        for input in (target.seeds)() {
            let outcome = tried(target, &input, &watch);
            assert!(outcome.starts_with("read"), "a seed of {} is not read: {outcome}", target.name);
            corpus.offer(input, &outcome);
        }
        corpus.load(&watch);
        let (begun, start) = (Instant::now(), corpus.inputs.len());
        let mut round = 0;
        while begun.elapsed() < share {
            let mut stream = Stream::new(seed, Purpose::Test, index as u64, round);
            let input = mutate::mutated(&mut stream, &corpus.inputs, target.tokens, MAX_INPUT_BYTES);
            let outcome = tried(target, &input, &watch);
            corpus.offer(input, &outcome);
            round += 1;
        }
        assert!(round > 0, "no time for {}", target.name);
        let (new, contained) = (corpus.inputs.len() - start, corpus.contained);
        println!(
            "{}: {round} inputs, {new} of them new, {start} known before; {contained} panics of others were contained",
            target.name
        );
    }
}

/// What an input comes to. Fails, after saving it, if that is not as it should be.
fn tried(target: &Target, input: &[u8], watch: &Watch) -> String {
    watch.begin(target.name, input);
    let before = memory::begin();
    let outcome = std::panic::catch_unwind(|| (target.run)(input));
    let grown = memory::peak().saturating_sub(before);
    watch.end();
    let fault = match &outcome {
        Err(_) => Some("it panicked".to_string()),
        Ok(_) if grown > target.memory => {
            Some(format!("it took {grown} bytes of memory, and {} are the most", target.memory))
        }
        Ok(Trial::Refused(sentence)) if !is_sentence(sentence) => Some(format!("{sentence:?} is no sentence")),
        Ok(_) => None,
    };
    if let Some(fault) = fault {
        panic!("{}: {fault}; {}", target.name, saved(target.name, input));
    }
    match outcome {
        Ok(Trial::Read(what)) => format!("read {what}"),
        Ok(Trial::Refused(sentence)) => sentence,
        Err(_) => unreachable!("told above"),
    }
}

/// Whether a person can do something with the text: some words, not too many, no remains of a program.
fn is_sentence(text: &str) -> bool {
    text.split_whitespace().count() >= 4
        && text.chars().count() <= LONGEST_SENTENCE
        && !text.contains("panicked at")
        && !text.contains("unwrap()")
}

/// Saves an input that failed, and tells how to try it again.
fn saved(target: &str, input: &[u8]) -> String {
    let path = corpus_folder().unwrap_or_else(env::temp_dir).join(format!("{target}-{:016x}", hash(input)));
    match fs::write(&path, input) {
        Ok(()) => format!("to try it again: GLASSNET_FUZZ_REPLAY={} cargo test --release --test fuzz", path.display()),
        Err(error) => format!("it could not be saved in {}: {error}; it is {input:?}", path.display()),
    }
}

fn corpus_folder() -> Option<PathBuf> {
    env::var_os("GLASSNET_FUZZ_CORPUS").filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

/// FNV-1a: names files, no more.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// The inputs of a target that led to something new.
struct Corpus<'a> {
    target: &'a Target,
    inputs: Vec<Vec<u8>>,
    outcomes: HashSet<(String, u32)>,
    folder: Option<PathBuf>,
    /// How often a library panicked within, which was caught and told as an error.
    contained: usize,
}

impl<'a> Corpus<'a> {
    fn new(target: &'a Target) -> Corpus<'a> {
        Corpus { target, inputs: Vec::new(), outcomes: HashSet::new(), folder: None, contained: 0 }
    }

    /// Takes what earlier runs kept, and keeps there from now on.
    fn load(&mut self, watch: &Watch) {
        let Some(folder) = corpus_folder() else { return };
        fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let is_ours = |path: &Path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{}-", self.target.name)))
        };
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths: Vec<PathBuf> =
            entries.flatten().map(|entry| entry.path()).filter(|path| is_ours(path)).collect();
        paths.sort();
        for input in paths.iter().filter_map(|path| fs::read(path).ok()) {
            let outcome = tried(self.target, &input, watch);
            self.offer(input, &outcome);
        }
        self.folder = Some(folder);
    }

    /// Keeps the input if its outcome is new.
    fn offer(&mut self, input: Vec<u8>, outcome: &str) {
        self.contained += usize::from(outcome.contains("failed on it;"));
        if self.outcomes.insert((kind_of(outcome), input.len().checked_ilog2().unwrap_or(0))) {
            if let Some(folder) = &self.folder {
                let path = folder.join(format!("{}-{:016x}", self.target.name, hash(&input)));
                fs::write(&path, &input).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            }
            self.inputs.push(input);
        }
    }
}

/// The first words of an outcome, without what it repeats of the input: all that stands in quotes or
/// brackets, and words with digits, slashes or other signs in them.
fn kind_of(outcome: &str) -> String {
    let mut text = String::new();
    let mut closing = None;
    let mut chars = outcome.chars();
    while let Some(char) = chars.next() {
        match (closing, char) {
            (_, '\\') => drop(chars.next()),
            (Some(end), _) if end == char => closing = None,
            (Some(_), _) => {}
            (None, '"' | '`') => closing = Some(char),
            (None, '(') => closing = Some(')'),
            (None, '[') => closing = Some(']'),
            (None, '{') => closing = Some('}'),
            (None, _) => text.push(char),
        }
    }
    let is_word =
        |word: &&str| word.trim_end_matches([',', ':', ';', '.']).chars().all(|char| char.is_ascii_alphabetic());
    text.split_whitespace().filter(is_word).take(WORDS_OF_A_KIND).collect::<Vec<_>>().join(" ")
}

/// What is being tried, since when: target and input.
type AtWork = Option<(Instant, &'static str, Vec<u8>)>;

/// Ends the program, after saving the input, when one takes too long: there is no other way out of a loop.
struct Watch(Arc<Mutex<AtWork>>);

impl Watch {
    fn start() -> Watch {
        let at_work: Arc<Mutex<AtWork>> = Arc::default();
        let watched = Arc::clone(&at_work);
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(LONGEST / 40);
                if let Some((since, target, input)) = &*watched.lock().unwrap_or_else(PoisonError::into_inner)
                    && since.elapsed() > LONGEST
                {
                    eprintln!("{target}: it takes more than {} s; {}", LONGEST.as_secs(), saved(target, input));
                    std::process::exit(1);
                }
            }
        });
        Watch(at_work)
    }

    fn begin(&self, target: &'static str, input: &[u8]) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), target, input.to_vec()));
    }

    fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
