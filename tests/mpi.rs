//! The program as a job of several processes, started by `mpirun`: the bits of one, and what becomes of a
//! rank that dies, stops, is given other files, or is told to end. `cargo test --release --features mpi
//! --test mpi` runs it where Open MPI is installed; `GLASSNET_KILLS=100` before it kills that many jobs.

use sha2::{Digest, Sha256};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Everything that a run writes but what tells of time.
const RESULTS: [&str; 8] = [
    "history.csv",
    "history.jsonl",
    "steps.csv",
    "split.csv",
    "predictions.csv",
    "curves.png",
    "weights/best.safetensors",
    "weights/last.safetensors",
];

/// A dense kernel of two blocks of rows, which ranks share, behind a convolution and a batch normalization.
const MODEL: &str = "
    input = [36, 36, 3]
    layers = [
        { type = 'conv2d', filters = 16, kernel = 3 }, { type = 'batch_normalization' }, { type = 'relu' },
        { type = 'max_pool', window = 2 }, { type = 'flatten' }, { type = 'dropout', rate = 0.3 },
        { type = 'dense', units = 64 }, { type = 'relu' }, { type = 'dense', units = 1 },
    ]";

/// A folder with a set of 136 pictures and a model.
struct Here(TempDir);

impl Here {
    fn new() -> Here {
        let here = Here(tempfile::tempdir().unwrap());
        here.done(0, "phantom --out set");
        fs::write(here.path("net.toml"), MODEL).unwrap();
        here
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The program as one process, or as a job of so many.
    fn command(&self, ranks: usize, arguments: &str) -> Command {
        let program = env!("CARGO_BIN_EXE_glassnet");
        let mut command = match ranks {
            0 => Command::new(program),
            ranks => {
                let mut command = self.job(ranks);
                command.arg(program);
                command
            }
        };
        command.args(arguments.split_whitespace()).current_dir(self.0.path());
        command
    }

    /// A job of so many processes, whose program comes as the next argument.
    fn job(&self, ranks: usize) -> Command {
        let mut command = Command::new("mpirun");
        // Containers run tests as root, and on fewer cores than there are ranks.
        command.env("OMPI_ALLOW_RUN_AS_ROOT", "1").env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        command.args(["--oversubscribe", "-n", &ranks.to_string()]).current_dir(self.0.path());
        command
    }

    fn run(&self, ranks: usize, arguments: &str) -> Output {
        self.command(ranks, arguments).output().expect("mpirun is there: install Open MPI (Debian: openmpi-bin)")
    }

    #[track_caller]
    fn done(&self, ranks: usize, arguments: &str) -> String {
        let output = self.run(ranks, arguments);
        let [stdout, stderr] = texts(&output);
        assert!(output.status.success(), "{ranks} ranks, {arguments}: {stdout}{stderr}");
        stdout
    }

    /// One hash of all results of a run.
    #[track_caller]
    fn hash(&self, run: &str) -> String {
        let mut hash = Sha256::new();
        for file in RESULTS {
            let bytes = fs::read(self.path(&format!("{run}/{file}"))).unwrap_or_else(|error| panic!("{file}: {error}"));
            hash.update(Sha256::digest(bytes));
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Lets a run that was stopped go on for an epoch more, by so many ranks, and fails unless it ends as one
    /// process that never stopped.
    #[track_caller]
    fn ends_as_one_process(&self, run: &str, ranks: usize) {
        // A line for each epoch, of which the last may not have been saved.
        let epochs = 1 + fs::read_to_string(self.path(&format!("{run}/history.jsonl"))).unwrap().lines().count();
        self.done(ranks, &format!("train --resume {run} --epochs {epochs}"));
        self.done(0, &format!("{TRAIN} --epochs {epochs} --out alone"));
        assert_eq!(self.hash(run), self.hash("alone"), "{run} went on with {ranks} ranks");
        [run, "alone"].iter().for_each(|run| fs::remove_dir_all(self.path(run)).unwrap());
    }

    /// Waits until a job has come so far that this file is there.
    fn wait_for(&self, file: &str) {
        let begun = Instant::now();
        while !self.path(file).exists() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{file} is not there after a minute");
            sleep(Duration::from_millis(2));
        }
    }
}

fn texts(output: &Output) -> [String; 2] {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// A job that goes on while the test does something else.
fn begun(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The processes of a job, by rank: those children of `mpirun` that run the program.
fn ranks_of(job: &Child, count: usize) -> Vec<u32> {
    let begun = Instant::now();
    loop {
        let mut found: Vec<(usize, u32)> = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            // Behind the name in brackets come the state and the parent.
            let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
            if parent != Some(job.id()) {
                continue;
            }
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            let rank = environment.split(|byte| *byte == 0).find_map(|variable| {
                std::str::from_utf8(variable).ok()?.strip_prefix("OMPI_COMM_WORLD_RANK=")?.parse().ok()
            });
            found.extend(rank.map(|rank| (rank, pid)));
        }
        if found.len() == count {
            found.sort_unstable();
            return found.into_iter().map(|(_, pid)| pid).collect();
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{} of {count} ranks are there", found.len());
        sleep(Duration::from_millis(5));
    }
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap();
    assert!(sent.success());
}

const TRAIN: &str = "train set --model net.toml --seed 3 --augment flip";

#[test]
fn one_to_four_ranks_end_with_the_bits_of_one_process_and_one_of_them_prints() {
    let here = Here::new();
    let alone = here.done(0, &format!("{TRAIN} --epochs 4 --out alone"));
    let lines =
        |text: &str| text.lines().filter(|line| !line.contains("/step") && !line.contains("Run folder")).count();
    for ranks in 1..=4 {
        let run = format!("of{ranks}");
        let printed = here.done(ranks, &format!("{TRAIN} --epochs 4 --save-every 0 --out {run}"));
        assert_eq!(here.hash(&run), here.hash("alone"), "{ranks} ranks");
        assert_eq!(lines(&printed), lines(&alone), "{printed}");
    }
    // From a pack, too, of which each rank reads its images only.
    here.done(0, "pack set --size 36 --shards 3 --out set.pack");
    here.done(3, "train set.pack --model net.toml --epochs 4 --seed 3 --augment flip --out packed");
    for file in ["history.csv", "steps.csv", "predictions.csv", "weights/best.safetensors"] {
        let read = |run: &str| fs::read(here.path(&format!("{run}/{file}"))).unwrap();
        assert!(read("packed") == read("alone"), "{file}");
    }
}

#[test]
fn a_job_whose_rank_is_killed_ends_and_goes_on_with_any_other_number_of_ranks() {
    let here = Here::new();
    let kills = std::env::var("GLASSNET_KILLS").map_or(3, |count| count.parse().unwrap());
    for kill in 0..kills {
        // No two kills in the same place: an epoch takes some milliseconds.
        let (before, after) = (2 + kill % 3, 1 + (kill * 7 + 3) % 4);
        let run = format!("run{kill}");
        let job = begun(here.command(before, &format!("{TRAIN} --epochs 4000 --save-every 0 --out {run}")));
        let ranks = ranks_of(&job, before);
        here.wait_for(&format!("{run}/history.csv"));
        sleep(Duration::from_micros(kill as u64 * 7919 % 300_000));
        signal(ranks[kill % before], "KILL");
        let killed = Instant::now();
        let output = job.wait_with_output().unwrap();
        assert!(killed.elapsed() < Duration::from_secs(10), "the job ended {:?} after its rank", killed.elapsed());
        let [_, stderr] = texts(&output);
        assert!(!output.status.success() && stderr.contains("exited on signal 9"), "{stderr}");
        here.ends_as_one_process(&run, after);
    }
}

#[test]
fn a_file_that_goes_away_in_the_middle_of_an_epoch_ends_the_job_and_leaves_what_was_saved() {
    let here = Here::new();
    let job = begun(here.command(2, &format!("{TRAIN} --epochs 400 --save-every 0 --cache 0 --out run")));
    here.wait_for("run/weights/last.safetensors");
    let file = fs::read_dir(here.path("set/benign")).unwrap().next().unwrap().unwrap().path();
    let away = here.path("away.png");
    fs::rename(&file, &away).unwrap();
    let output = job.wait_with_output().unwrap();
    let [_, stderr] = texts(&output);
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    assert!(!output.status.success() && stderr.contains(&name), "{stderr}");
    fs::rename(&away, &file).unwrap();
    here.ends_as_one_process("run", 3);
}

#[test]
fn a_job_that_is_told_to_end_saves_and_goes_on() {
    let here = Here::new();
    let job = begun(here.command(3, &format!("{TRAIN} --epochs 4000 --save-every 1000 --out run")));
    here.wait_for("run/history.csv");
    signal(job.id(), "TERM");
    // Its launcher may close the pipes before the first rank tells what it did.
    let [stdout, stderr] = texts(&job.wait_with_output().unwrap());
    assert!(here.path("run/weights/last.safetensors").exists(), "{stdout}{stderr}");
    assert!(!here.path("run/predictions.csv").exists(), "it has not come to its end");
    here.ends_as_one_process("run", 2);
}

#[test]
fn a_rank_that_stops_answering_is_told_of_by_name() {
    let here = Here::new();
    let job = begun(here.command(2, &format!("{TRAIN} --epochs 400 --out run")));
    let ranks = ranks_of(&job, 2);
    here.wait_for("run/history.csv");
    signal(ranks[1], "STOP");
    sleep(Duration::from_secs(12));
    signal(ranks[1], "CONT");
    signal(job.id(), "TERM");
    let [_, stderr] = texts(&job.wait_with_output().unwrap());
    let told =
        stderr.lines().find(|line| line.contains("has not answered for 10 s")).unwrap_or_else(|| panic!("{stderr}"));
    assert!(told.starts_with("warning: rank 1 on "), "{told}");
}

#[test]
fn a_rank_with_other_files_or_other_arithmetic_is_named_before_the_first_step() {
    let here = Here::new();
    here.done(0, "phantom --out other");
    let first = fs::read_dir(here.path("other/benign")).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(first).unwrap();
    for (differs, told) in [
        ("data=other", "its data hold 135 images, and those of rank 0 136"),
        ("data=nowhere", "does not exist"),
        ("export GLASSNET_SIMD=portable", "it computes with the instruction set portable"),
    ] {
        let program = env!("CARGO_BIN_EXE_glassnet");
        let script = format!(
            "data=set; if [ \"$OMPI_COMM_WORLD_RANK\" = 2 ]; then {differs}; fi
            exec '{program}' train $data --epochs 1 --out run"
        );
        let output = here.job(3).args(["sh", "-c", &script]).output().unwrap();
        let [stdout, stderr] = texts(&output);
        assert!(!output.status.success(), "{stdout}");
        assert!(stderr.contains("error: rank 2 on ") && stderr.contains(told), "{stderr}");
        assert!(!here.path("run").exists(), "nothing was written");
    }
}

#[test]
fn processes_that_have_no_image_of_any_batch_are_told_of() {
    let here = Here::new();
    let output = here.run(4, &format!("{TRAIN} --epochs 1 --batch-size 2 --out run"));
    let [_, stderr] = texts(&output);
    let told =
        "warning: batches of 2 images are too small for 4 processes: 2 of them have no image of any; start fewer, or";
    assert!(
        output.status.success() && stderr.contains(told) && stderr.contains("4 processes share each step."),
        "{stderr}"
    );
}

#[test]
fn what_cannot_be_shared_is_refused_once() {
    let here = Here::new();
    for (arguments, told) in [
        ("predict run set", "only 'train' and 'reproduce' are shared"),
        ("train set --folds 3", "folds are not shared"),
        ("train set --watch", "what is watched is seen by one process only"),
        ("train set --nonsense", "unexpected argument"),
    ] {
        let output = here.run(3, arguments);
        let [_, stderr] = texts(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        assert_eq!(stderr.matches(told).count(), 1, "{stderr}");
    }
}
