//! Places to write to are tried before the work, what was found is told before it is written, and data are
//! found again.

use super::{Here, encoded, noise};
use image::ImageFormat;
use std::fs;

/// A folder in which nobody can write, not even root.
#[cfg(target_os = "linux")]
#[test]
fn a_place_that_takes_no_file_is_told_before_the_work_begins() {
    let here = Here::with_model();
    // If images were read first, this one would be told.
    here.write("set/cat/09.png", "no image");
    let proc = "No such file or directory; name another place";
    for (command, flag) in [
        ("train set --model tiny.toml --out /proc/new", "--out: cannot create /proc/new"),
        ("train set --model tiny.toml --folds 2 --out /proc/new", "--out: cannot create /proc/new"),
        ("evaluate run set --out /proc/new", "--out: cannot create /proc/new"),
        ("phantom --out /proc/new", "--out: cannot create /proc/new"),
        ("man --out /proc/new", "--out: cannot create /proc/new"),
        ("predict run set --plot /proc/new.png", "--plot: cannot write /proc/new.png"),
        ("samples set --out /proc/new.png", "--out: cannot write /proc/new.png"),
        ("bench conv --csv /proc/new.csv", "--csv: cannot write /proc/new.csv"),
    ] {
        let ran = here.run(command);
        let told = ran.stderr.lines().last().unwrap_or_default();
        assert_eq!((ran.code, told), (Some(2), format!("error: {flag}: {proc}").as_str()), "{command}");
        assert_eq!(ran.stdout, "", "{command}");
    }
}

#[test]
fn a_folder_that_was_made_for_work_that_then_failed_is_gone_and_one_that_was_there_stays() {
    let here = Here::with_model();
    here.write("set/cat/09.png", "no image");
    fs::create_dir(here.path("mine")).unwrap();
    for out in ["new", "new/below", "mine"] {
        assert_eq!(here.run(&format!("train set --model tiny.toml --out {out}")).code, Some(1));
        assert_eq!(here.run(&format!("train set --model tiny.toml --folds 2 --out {out}")).code, Some(1));
    }
    assert_eq!(here.run("train set --model tiny.toml").code, Some(1));
    assert!(!here.path("new").exists() && !here.path("runs").exists());
    assert_eq!(here.names("mine"), [""; 0]);
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_killed_run_left_before_it_was_one_is_in_nobodys_way() {
    let here = Here::with_set();
    for (out, left_over) in [("a", "results.part"), ("b", "config.toml.part")] {
        fs::create_dir(here.path(out)).unwrap();
        here.write(&format!("{out}/{left_over}"), "");
        here.done(&format!("train set --model tiny.toml --epochs 1 --out {out}"));
        assert!(!here.path(out).join(left_over).exists(), "{left_over}");
    }
    fs::create_dir(here.path("c")).unwrap();
    here.write("c/mine.part", "");
    let refused = "--out: c is not empty, and nothing is overwritten; name a new folder";
    here.refused("train set --model tiny.toml --epochs 1 --out c", 2, refused);
}

#[test]
fn what_an_evaluation_found_is_printed_also_where_it_cannot_be_written() {
    let here = Here::with_model();
    // No file may get longer than 512 or 1024 bytes.
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"";
    let arguments = "evaluate run set --out judged".split(' ');
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_glassnet")]).args(arguments).current_dir(here.0.path());
    let ran = super::Ran::from(shell.output().unwrap());
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("\nROC AUC ") && ran.stdout.ends_with("Not for diagnosis.\n"), "{}", ran.stdout);
    assert!(ran.stderr.starts_with("error: cannot write judged/"), "{}", ran.stderr);
}

/// Wants the paths in a run's `config.toml` to be as they were given, and beside that from the root.
#[track_caller]
fn assert_paths(here: &Here, run: &str, which: &str, given: &str) {
    let config: toml::Table = here.text(&format!("{run}/config.toml")).parse().unwrap();
    let text = |key: &str| config["data"][&format!("{which}{key}")].as_str().unwrap().to_string();
    let absolute = here.path(given).canonicalize().unwrap().display().to_string();
    assert_eq!([text("path"), text("absolute_path")], [given.to_string(), absolute], "{run}");
}

#[test]
fn a_run_goes_on_from_any_folder_with_the_data_it_began_with_and_says_where_they_are() {
    let here = Here::with_model();
    let from = |folder: &str, arguments: &str| {
        let mut command = here.command();
        super::Ran::of(command.current_dir(here.path(folder)).args(arguments.split(' ')))
    };
    let set = here.path("set").canonicalize().unwrap();
    fs::create_dir(here.path("other")).unwrap();
    let ran = from("other", "train --resume ../run --epochs 3");
    let said = format!("The images are taken from {}, as there is no set here.\n", set.display());
    assert_eq!((ran.code, ran.stderr), (Some(0), said));
    assert_paths(&here, "run", "", "set");
    let folds = "train set --model tiny.toml --epochs 1 --folds 2 --out folds";
    here.done(folds);
    assert_eq!(from("other", "train --resume ../folds --epochs 2").code, Some(0));
    for run in ["folds", "folds/fold1", "folds/fold2"] {
        assert_paths(&here, run, "", "set");
    }
    // Another set of that name stands where the run is resumed.
    here.done("train set --model tiny.toml --epochs 1 --out second");
    here.write("third/set/cat/1.png", encoded(noise(1, 16, 16, 40), ImageFormat::Png));
    here.write("third/set/dog/1.png", encoded(noise(2, 16, 16, 140), ImageFormat::Png));
    let ran = from("third", "train --resume ../second --epochs 2");
    let said = format!("The images are taken from {}, as set here holds other files.\n", set.display());
    assert_eq!((ran.code, ran.stderr), (Some(0), said));
    assert_eq!(from("third", "evaluate ../second").code, Some(0));
}

#[test]
fn further_data_that_validate_are_found_from_any_folder_too_and_their_changed_files_are_named() {
    let here = Here::with_set();
    for name in ["cat/1.png", "dog/1.png"] {
        here.write(&format!("val/{name}"), encoded(noise(5, 16, 16, 90), ImageFormat::Png));
    }
    here.done("train set --validation-data val --model tiny.toml --epochs 1 --out run");
    fs::create_dir(here.path("other")).unwrap();
    let mut command = here.command();
    let ran =
        super::Ran::of(command.current_dir(here.path("other")).args("train --resume ../run --epochs 2".split(' ')));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("/set, as there is no set here") && ran.stderr.contains("/val, as there is no val here")
    );
    // The names in the tables stay those of the run, so that the whole can be moved.
    assert_paths(&here, "run", "", "set");
    assert_paths(&here, "run", "validation_", "val");
    let names =
        |table: &str| here.text(&format!("run/{table}")).lines().filter(|line| line.starts_with("val/")).count();
    assert_eq!([names("split.csv"), names("predictions.csv")], [2, 2]);
    let mut command = here.command();
    let ran = super::Ran::of(command.current_dir(here.path("other")).args(["evaluate", "../run"]));
    assert!(
        ran.stdout.contains("0 as training and 2 as validation images; the files are those of the run"),
        "{}",
        ran.stdout
    );
    for name in ["set", "val", "run"] {
        fs::create_dir_all(here.path("moved")).unwrap();
        fs::rename(here.path(name), here.path(&format!("moved/{name}"))).unwrap();
    }
    let mut command = here.command();
    let ran = super::Ran::of(command.current_dir(here.path("moved")).args("train --resume run --epochs 3".split(' ')));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    for name in ["set", "val", "run"] {
        fs::rename(here.path(&format!("moved/{name}")), here.path(name)).unwrap();
    }
    here.write("val/cat/2.png", encoded(noise(6, 16, 16, 90), ImageFormat::Png));
    let ran = here.run("train --resume run --epochs 4");
    let sentence = "error: --validation-data: the images are not those of the run in run: added 1 (cat/2.png); give the same \
                    data, or start a new run\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), sentence));
}

#[test]
fn files_that_changed_are_named_and_runs_without_hashes_tell_that_of_the_whole() {
    let here = Here::with_model();
    here.write("set/cat/05.png", encoded(noise(77, 16, 16, 40), ImageFormat::Png));
    here.write("set/dog/new.png", encoded(noise(78, 16, 16, 40), ImageFormat::Png));
    fs::remove_file(here.path("set/dog/03.png")).unwrap();
    let ran = here.run("train --resume run --epochs 3");
    let sentence = "error: DATA: the images are not those of the run in run: changed 1 (cat/05.png), missing 1 (dog/03.png), added 1 \
                    (dog/new.png); give the same data, or start a new run\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), sentence));
    let split: String =
        here.text("run/split.csv").lines().map(|line| line.rsplit_once(',').unwrap().0.to_string() + "\n").collect();
    here.write("run/split.csv", split);
    let ran = here.run("train --resume run --epochs 3");
    assert!(ran.stderr.contains(": their SHA-256 was "), "{}", ran.stderr);
}

#[test]
fn a_run_that_has_saved_nothing_is_told_as_that() {
    let here = Here::with_model();
    fs::remove_dir_all(here.path("run/weights")).unwrap();
    let sentence =
        "run: the run has saved no weights yet; wait for the end of its first epoch, or go on with it by --resume run";
    let config = here.text("run/config.toml");
    let (unfinished, _) = config.split_once("\n[outcome]").unwrap();
    let calls = ["predict run set", "evaluate run set", "summary run"];
    here.write("run/config.toml", unfinished);
    for call in calls {
        here.refused(call, 1, sentence);
    }
    here.write("run/history.csv", "epoch,accuracy,loss,val_accuracy,val_loss\n");
    let astray = "run: the run has saved no weights: it stopped in its first epoch, as one does whose loss is no number; train anew, \
                  usually with a smaller --learning-rate";
    let gone = "run: its weights are gone; put back a copy of its folder weights, or train anew";
    for call in calls {
        here.refused(call, 1, astray);
    }
    here.write("run/config.toml", config);
    for call in calls {
        here.refused(call, 1, gone);
    }
}

#[test]
fn a_training_that_diverged_says_so_and_one_that_did_not_does_not() {
    let here = Here::with_set();
    let stdout = here.done("train set --model tiny.toml --epochs 3 --learning-rate 1000 --dropout 0 --out far");
    let object = here.json("train set --model tiny.toml --epochs 3 --learning-rate 1000 --dropout 0 --out again");
    let line =
        stdout.lines().find(|line| line.starts_with("The training diverged: ")).unwrap_or_else(|| panic!("{stdout}"));
    assert!(line.ends_with("times as bad; a smaller --learning-rate usually helps"), "{line}");
    assert_eq!(object["remarks"][0], line);
    assert!(!here.done("train set --model tiny.toml --epochs 3 --out near").contains("diverged"));
}

#[test]
fn names_that_a_spreadsheet_takes_for_formulas_are_told_by_inspect() {
    let here = Here::with_set();
    assert!(!here.done("inspect set").contains("spreadsheet"));
    fs::rename(here.path("set/cat"), here.path("set/=cat")).unwrap();
    let object = here.json("inspect set");
    let found =
        object["findings"].as_array().unwrap().iter().find(|finding| finding["kind"] == "formula_names").unwrap();
    let sentence =
        "each of 10 files has a name, or is in a folder with one, that begins with =, +, - or @, such as =cat/00.png";
    assert_eq!(found["finding"], sentence);
}

#[cfg(target_os = "linux")]
#[test]
fn where_no_run_folder_can_be_made_by_default_no_flag_is_blamed() {
    let here = Here::with_set();
    let mut command = here.command();
    let set = here.path("set").display().to_string();
    let ran = super::Ran::of(command.current_dir("/proc/self").args(["train", &set]));
    let said = "error: the run folder: cannot create runs: No such file or directory; name another place with --out\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(2), said));
}
