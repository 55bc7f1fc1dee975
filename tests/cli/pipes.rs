//! A reader of stdout that leaves early, as `head` does, is no error.

use super::{Here, csv};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

/// Runs the binary, reads one line of its stdout and closes that; wants exit code 0 and a silent stderr.
fn read_one_line(here: &Here, arguments: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_glassnet"))
        .args(arguments.split(' '))
        .current_dir(here.0.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::with_capacity(1, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""), "{arguments}");
    line
}

#[test]
fn a_command_whose_reader_leaves_ends_in_silence() {
    let here = Here::with_model();
    assert_eq!(read_one_line(&here, "inspect set --list"), "set\n");
    assert_eq!(read_one_line(&here, "summary"), "layer                      output   parameters    multiply-adds\n");
    assert_eq!(read_one_line(&here, "predict run/weights/last.safetensors set set set"), "file\tclass\tp(dog)\n");
    assert_eq!(
        read_one_line(&here, "--help"),
        "A from-scratch CNN engine you can see through: train an image classifier from a folder or a zip,\n"
    );
}

#[test]
fn a_plot_is_drawn_and_a_table_written_though_the_reader_of_stdout_leaves() {
    let here = Here::with_model();
    let predict = "predict run/weights/last.safetensors set";
    assert_eq!(read_one_line(&here, &format!("{predict} --plot left.png")), "file\tclass\tp(dog)\n");
    here.done(&format!("{predict} --plot stayed.png"));
    assert!(here.read("left.png") == here.read("stayed.png"));

    let arguments = "bench conv n1h5w5c2f3k3 --rounds 1 --threads 1 --csv table.csv";
    read_one_line(&here, arguments);
    assert!(here.text("table.csv").lines().count() > 1);
}

#[test]
fn a_training_whose_reader_leaves_goes_on_and_leaves_its_folder() {
    let here = Here::with_set();
    let line = read_one_line(&here, "train set --model tiny.toml --epochs 3 --out run");
    assert_eq!(line, "Found 20 images belonging to 2 classes.\n");
    assert_eq!(here.text("run/history.csv").lines().count(), 4);
    assert_eq!(here.names("run/weights"), ["best.safetensors", "last.safetensors"]);
    assert!(here.path("run/confusion.png").exists());
}

#[cfg(unix)]
#[test]
fn an_interrupted_training_finishes_its_step_and_leaves_what_it_reached() {
    let here = Here::with_set();
    let child = here.start("train set --model tiny.toml --epochs 1000000 --out run");
    here.wait_for("run/history.csv");
    child.interrupt();
    let ran = child.ended();
    let sentence =
        "interrupted; what was reached by then is in the run folder; go on with: glassnet train --resume run";
    assert_eq!((ran.code, ran.stderr), (Some(130), format!("error: {sentence}\n")));
    assert_eq!(here.names("run/weights"), ["best.safetensors", "last.safetensors"]);
    let (history, steps) = (here.text("run/history.csv"), here.text("run/steps.csv"));
    let (history, steps) = (csv(&history), csv(&steps));
    // Two steps an epoch, and perhaps one or both of an epoch that had not ended.
    assert!(matches!(steps.len() - 1 - 2 * (history.len() - 1), 0..=2), "{} and {}", history.len(), steps.len());
    assert!(history.iter().all(|row| row.len() == 5) && steps.iter().all(|row| row.len() == 5));
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_cannot_be_written_are_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_glassnet")).arg("summary").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr, "error: cannot write the results to stdout: No space left on device\n");
}
