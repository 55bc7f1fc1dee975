//! The door: the arguments are parsed, resolved, and a command runs.
//!
//! | shelf, in the order of imports | what it holds |
//! |---|---|
//! | [`outcome`] | how a command ends |
//! | [`machine`] | processor, memory, threads |
//! | [`terminal`] | stdout, stderr, bars, signals, and the places that are written to |
//! | [`job`] | the other processes that share a training, where there are some |
//! | [`args`] | the flags, as clap reads them |
//! | [`run_folder`] | what a run leaves, and where |
//! | [`input`] | data sets, models and images that the user names, opened and checked |
//! | [`run`] | a training run |
//! | [`commands`] | a file or a folder each |
//!
//! Results go to stdout, progress and warnings to stderr. Exit 0: done. 1: the work failed. 2: the call was
//! wrong. 130, 143 and 129: ended by Ctrl-C, SIGTERM and SIGHUP. A reader that closes our stdout early, as
//! `head` does, is no error.

mod args;
mod commands;
mod input;
mod job;
mod machine;
mod outcome;
mod run;
mod run_folder;
mod terminal;

use args::{Cli, Command};
use commands::{
    bench, completions, evaluate, explain, export, folds, glyphs, gradcheck, import, init, inspect, lecture, lr_find,
    man, pack, phantom, predict, profile, reproduce, runs, samples, summary, sweep, train,
};
use glassnet::Error;
use glassnet::kernels::simd::{self, InstructionSet};
use machine::memory;
use machine::pool::in_pool;
use outcome::{CommandResult, Failure, Outcome};
use run::resume::{self, ResumedRun};
use std::process::ExitCode;
use terminal::{console, interrupt, logging, output};

const EXIT_FAILED: u8 = 1;
const EXIT_WRONG_CALL: u8 = 2;

/// Reads the arguments, runs the command, and tells the system how it went.
pub fn main() -> ExitCode {
    let code = match job::join() {
        Ok(()) => work(),
        Err(error) => told_at_last(&Failure::from(error)),
    };
    job::leave();
    code
}

fn work() -> ExitCode {
    let cli = Cli::of_process();
    console::set_quiet(cli.command.is_quiet() || !job::is_first());
    interrupt::install();
    memory::bound_decoding();
    let work = || {
        logging::install()?;
        let (cli, resumed) = resume::flags::with_the_settings_of_the_run(cli)?;
        check_can_be_shared(&cli.command)?;
        log::debug!("glassnet {}, {:?}", env!("CARGO_PKG_VERSION"), cli.command);
        run(&cli.command, resumed)
    };
    let outcome = work();
    output::remove_empty_folders();
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::PartlyFailed) => ExitCode::from(EXIT_FAILED),
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => told_at_last(&failure),
    }
}

/// Tells of a failure, and returns the exit code that it has.
fn told_at_last(failure: &Failure) -> ExitCode {
    let code = match failure {
        Failure::Work(Error::Missing { .. } | Error::Setting { .. }) => EXIT_WRONG_CALL,
        Failure::Work(Error::Interrupted)
        | Failure::Stopped { error: Error::Interrupted, .. }
        | Failure::Interrupted { .. } => interrupt::exit_code(),
        _ => EXIT_FAILED,
    };
    job::fail(failure, code)
}

/// Checks whether several processes can share the work of a command, where there are several.
///
/// # Errors
/// [`Error::Setting`] says what they cannot share.
fn check_can_be_shared(command: &Command) -> glassnet::Result<()> {
    let reason = match command {
        Command::Train(args) if args.folds.is_some() => {
            "folds are not shared; start a process by itself for each, with --only-fold"
        }
        Command::Train(args) if args.watch => "what is watched is seen by one process only; leave --watch out",
        Command::Train(_) | Command::Reproduce(_) => return job::check_known(),
        _ => "only 'train' and 'reproduce' are shared; start this command by itself",
    };
    job::check_alone(reason)
}

fn run(command: &Command, resumed: Option<ResumedRun>) -> CommandResult {
    match command {
        Command::Reproduce(args) => {
            computing(|| in_pool(job::threads(args.common.threads.threads), || reproduce::run(args, resumed)))
        }
        Command::Train(args) => {
            computing(|| in_pool(job::threads(args.common.threads.threads), || train::run(args, resumed)))
        }
        Command::Predict(args) => computing(|| in_pool(args.threads.threads, || predict::run(args))),
        Command::Evaluate(args) => computing(|| in_pool(args.threads.threads, || evaluate::run(args))),
        Command::Inspect(args) => in_pool(args.threads.threads, || inspect::run(args)),
        Command::LrFind(args) => computing(|| in_pool(args.threads.threads, || lr_find::run(args))),
        Command::Sweep(args) => computing(|| in_pool(args.trials.train.common.threads.threads, || sweep::run(args))),
        Command::Runs(args) => runs::run(args),
        Command::Folds(args) => folds::run(args),
        Command::Samples(args) => samples::run(args),
        Command::Pack(args) => in_pool(args.threads.threads, || pack::run(args)),
        Command::Init(args) => init::run(args),
        Command::Export(args) => computing(|| in_pool(args.threads.threads, || export::run(args))),
        Command::Import(args) => computing(|| in_pool(args.threads.threads, || import::run(args))),
        Command::Summary(args) => summary::run(args),
        Command::Phantom(args) => in_pool(args.threads.threads, || phantom::run(args)),
        Command::Glyphs(args) => in_pool(args.threads.threads, || glyphs::run(args)),
        Command::Gradcheck(args) => computing(|| in_pool(args.threads.threads, || gradcheck::run(args))),
        Command::Explain(args) => computing(|| in_pool(args.threads.threads, || explain::run(args))),
        Command::Lecture(args) => computing(|| lecture::run(args)),
        Command::Profile(args) => computing(|| in_pool(args.threads.threads, || profile::run(args))),
        Command::Bench(args) => computing(|| bench::run(args)),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    }
}

/// Runs `work`, for which kernels are needed, unless an instruction set is asked for that is not there.
fn computing(work: impl FnOnce() -> CommandResult) -> CommandResult {
    InstructionSet::from_environment().map_err(|reason| Error::setting(simd::VARIABLE, reason))?;
    work()
}
