//! `GLASSNET_LOG` and `RUST_LOG`.

use super::{Here, Ran};

fn run_with(here: &Here, variables: &[(&str, &str)], arguments: &str) -> Ran {
    let mut command = here.command();
    Ran::of(command.envs(variables.iter().copied()).args(arguments.split(' ')))
}

/// The lines without their times and numbers that depend on the machine.
fn text_of(stderr: &str) -> Vec<&str> {
    stderr.lines().map(|line| line.split_once(" s] ").unwrap_or_else(|| panic!("no debug line: {line}")).1).collect()
}

#[test]
fn nothing_is_said_unless_it_is_asked_for() {
    let here = Here::with_set();
    for variables in [&[][..], &[("GLASSNET_LOG", "")], &[("GLASSNET_LOG", "off"), ("RUST_LOG", "debug")]] {
        let ran = run_with(&here, variables, "inspect set");
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{variables:?}");
    }
}

#[test]
fn debug_lines_tell_what_runs_how_and_where_the_time_goes_and_change_nothing() {
    let here = Here::with_set();
    let train = "train set --model tiny.toml --epochs 1 --threads 2 --save-every 0 --out";
    let ran = run_with(&here, &[("GLASSNET_LOG", "debug")], &format!("{train} run"));
    assert_eq!(ran.code, Some(0));
    let lines = text_of(&ran.stderr);
    for (module, said) in [
        ("cli", "2 threads, instruction set "),
        ("cli::dataset", "set: 24 files listed in "),
        ("cli::dataset", "class 0 'cat' has 10 images, class 1 'dog' 14; 20 train, 4 validate"),
        ("cli::memory", "batches of 16 take "),
        ("data::images", "24 pictures of 16×16 are kept in memory, as they take 18432 bytes and may take "),
        ("plan", "for training on batches of up to 16: "),
        (
            "plan",
            "conv2d + re_lu + max_pooling2d as one step: forward direct, weights' gradient direct; auto: 3 channels and 4 filters are too few for Winograd, ",
        ),
        ("train", "epoch 1: 2 steps in "),
        ("files", "run/config.toml: "),
        ("files", "run/weights/last.safetensors: "),
        ("cli::recorder", "saved the state after epoch 1, step 2, in "),
    ] {
        let start = format!("debug glassnet::{module}: {said}");
        assert!(lines.iter().any(|line| line.starts_with(&start)), "no line begins with '{start}':\n{}", ran.stderr);
    }

    let silent = here.done(&format!("{train} silent"));
    assert_eq!(super::without_times(&silent.replace("silent", "run")), super::without_times(&ran.stdout));
    assert!(here.read("run/weights/last.safetensors") == here.read("silent/weights/last.safetensors"));
}

#[test]
fn a_filter_chooses_modules_as_in_other_programs() {
    let here = Here::with_set();
    for variable in ["GLASSNET_LOG", "RUST_LOG"] {
        let ran = run_with(&here, &[(variable, "warn,glassnet::cli::dataset=debug")], "inspect set");
        let lines = text_of(&ran.stderr);
        assert!(
            !lines.is_empty() && lines.iter().all(|line| line.starts_with("debug glassnet::cli::dataset: ")),
            "{lines:?}"
        );
    }
}

#[test]
fn a_filter_that_is_none_is_an_error_where_the_variable_is_ours_and_else_a_warning() {
    let here = Here::with_set();
    let examples =
        "write a level (error, warn, info, debug, trace or off), or as in glassnet::plan=debug a module and a level";
    for (value, reason) in [
        ("glassnet=loud", "'glassnet=loud' is no filter"),
        ("verbose", "'verbose' is neither a level nor a module of glassnet"),
    ] {
        let ran = run_with(&here, &[("GLASSNET_LOG", value)], "inspect set");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
        assert_eq!(ran.stderr, format!("error: GLASSNET_LOG: {reason}; {examples}\n"));
    }
    let ran = run_with(&here, &[("RUST_LOG", "glassnet=loud")], "inspect set");
    assert_eq!(ran.code, Some(0));
    assert_eq!(ran.stderr, format!("warning: RUST_LOG is passed over: 'glassnet=loud' is no filter; {examples}\n"));
}
