//! A process that a launcher has started beside others, which do not know of each other.

use super::Here;
use expect_test::expect;

/// What is said to a call under a launcher that sets this variable.
#[track_caller]
fn refused(here: &Here, variable: &str, arguments: &str) -> String {
    let mut command = here.command();
    let output = command.env(variable, "4").args(arguments.split(' ')).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments}");
    assert!(!here.path("run").exists());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn processes_that_would_all_do_the_same_are_refused() {
    let here = Here::with_set();
    expect![[r#"
        error: SLURM_STEP_NUM_TASKS: Slurm started 4 processes that do not know of each other, and each would do all of the work; start them with srun --mpi=pmix, with a glassnet that was built with --features mpi, or start one
    "#]]
    .assert_eq(&refused(&here, "SLURM_STEP_NUM_TASKS", "train set --model tiny.toml --out run"));
    if cfg!(not(feature = "mpi")) {
        expect![[r#"
            error: OMPI_COMM_WORLD_SIZE: 4 processes were started as one job, and this glassnet was built without MPI, so each would do all of the work; build it with cargo install --path . --features mpi, or start one process
        "#]]
        .assert_eq(&refused(&here, "OMPI_COMM_WORLD_SIZE", "reproduce --out run"));
    }
}

#[test]
fn tasks_that_do_work_of_their_own_are_left_alone() {
    let here = Here::with_set();
    let mut command = here.command();
    command.env("SLURM_STEP_NUM_TASKS", "4").args(["inspect", "set"]);
    assert!(command.output().unwrap().status.success());
    let mut command = here.command();
    command.env("SLURM_STEP_NUM_TASKS", "4");
    command.args("train set --model tiny.toml --epochs 1 --folds 3 --only-fold 2 --out run".split(' '));
    assert!(command.output().unwrap().status.success());
}
