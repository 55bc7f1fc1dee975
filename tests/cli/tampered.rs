//! Run folders and data that are not what they should be: pipes and devices in the place of files, links,
//! endless values.

use super::{Here, Ran};
use std::fs;
use std::path::Path;

/// Puts a pipe, to which nobody writes, and a device without end in the place of a file, one after the other.
#[cfg(unix)]
fn with_endless(here: &Here, name: &str, mut check: impl FnMut(&str)) {
    let path = here.path(name);
    let before = fs::read(&path).ok();
    for kind in ["pipe", "device"] {
        let _ = fs::remove_file(&path);
        match kind {
            "pipe" => nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap(),
            _ => std::os::unix::fs::symlink("/dev/zero", &path).unwrap(),
        }
        check(kind);
    }
    fs::remove_file(&path).unwrap();
    if let Some(before) = before {
        fs::write(&path, before).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_not_waited_for_wherever_a_file_or_a_folder_is_wanted() {
    let here = Here::with_model();
    with_endless(&here, "data", |kind| {
        let ran = here.run("predict run data");
        let printed = (Some(1), "file\tclass\tp(dog)\n", "error: data: it is not a file; give a file\n");
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), printed, "{kind}");
        for command in ["inspect data", "train data --out new", "evaluate run data"] {
            let ran = here.run(command);
            assert_eq!((ran.code, ran.stderr.lines().count()), (Some(1), 1), "{kind}, {command}: {}", ran.stderr);
            assert!(ran.stderr.starts_with("error: data: it is neither a folder nor a file"), "{}", ran.stderr);
        }
    });
    with_endless(&here, "run/config.toml", |kind| {
        here.refused("train --resume run --epochs 3", 1, "run/config.toml: it is not a file; give a file");
        let ran = here.run("evaluate run set --subset validation");
        assert_eq!(ran.code, Some(0), "{kind}: {}", ran.stderr);
        assert!(ran.stdout.contains("by name alone"), "{}", ran.stdout);
    });
    with_endless(&here, "run/split.csv", |_| {
        let sentence = "--subset: which images validated the model is not known: run/split.csv: it is not a file; give a file; \
                        use --subset all";
        here.refused("evaluate run set --subset validation", 2, sentence);
    });
    with_endless(&here, "run/history.csv", |kind| {
        let ran = here.run("evaluate run set --subset validation");
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{kind}");
    });
    let mut epochs = 2;
    with_endless(&here, "run/timings.csv", |_| {
        epochs += 1;
        here.done(&format!("train --resume run --epochs {epochs}"));
        assert_eq!(here.text("run/timings.csv").lines().count(), 1 + epochs);
    });
}

#[test]
fn settings_of_a_run_that_are_no_settings_are_told_in_one_short_sentence() {
    let here = Here::with_model();
    let config: String = here
        .text("run/config.toml")
        .lines()
        .filter(|line| !line.starts_with("absolute_path"))
        .map(|line| format!("{line}\n"))
        .collect();
    let long = "x".repeat(1_000_000);
    let line = |key: &str, value: &str| -> String {
        let old = config.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
        config.replace(old, &format!("{key} = {value}"))
    };
    for (changed, said) in [
        (line("command", &format!("\"{long}\"")), "which is not one to go on with"),
        (line("path", &format!("\"{long}\"")), "which is not there; give DATA"),
        (
            line("path", "5"),
            "error: --resume: the config.toml of run does not tell what the run was trained on; give DATA",
        ),
        (
            config[..config.find("[model]").unwrap()].to_string(),
            "the model in run/config.toml cannot be read: it is not as it was written",
        ),
        (format!("a = {}", "[".repeat(1_000_000)), "error: --resume: run/config.toml cannot be read: "),
        (
            config.replace("units = 8", &format!("units = \"{long}\"")),
            "the model in run/config.toml cannot be read: it is not as it was written",
        ),
    ] {
        here.write("run/config.toml", &changed);
        let ran: Ran = here.run("train --resume run --epochs 3");
        assert_eq!(
            (ran.code, ran.stderr.lines().count()),
            (Some(2), 1),
            "{said}: {}",
            &ran.stderr[..ran.stderr.len().min(500)]
        );
        assert!(ran.stderr.contains(said) && ran.stderr.len() < 700, "{said}: {}", ran.stderr);
    }
    here.write("run/config.toml", [0xFF, 0xFE]);
    let sentence = "run/config.toml: it is not a text file; put back a copy of the file";
    here.refused("train --resume run --epochs 3", 1, sentence);
    here.write("run/config.toml", &config);
    here.done("train --resume run --epochs 3");
}

#[cfg(unix)]
#[test]
fn no_file_outside_of_the_run_is_written_through_a_link_in_it_and_no_pipe_is_waited_for() {
    let here = Here::with_model();
    here.write("mine.txt", "the user's");
    let names = ["config.toml", "history.csv", "split.csv", "weights/last.safetensors", "weights/best.safetensors"];
    for name in names {
        std::os::unix::fs::symlink(here.path("mine.txt"), here.path(&format!("run/{name}.part"))).unwrap();
    }
    nix::unistd::mkfifo(&here.path("run/timings.csv.part"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    fs::remove_file(here.path("run/steps.csv")).unwrap();
    std::os::unix::fs::symlink(here.path("mine.txt"), here.path("run/steps.csv")).unwrap();
    here.done("train --resume run --epochs 4");
    assert_eq!(here.text("mine.txt"), "the user's");
    let parts =
        |folder: &Path| fs::read_dir(folder).unwrap().flatten().any(|e| e.path().to_string_lossy().ends_with(".part"));
    assert!(!parts(&here.path("run")) && !parts(&here.path("run/weights")));
}

#[test]
fn a_setting_that_cannot_be_is_told_of_the_file_in_one_escaped_sentence_and_blames_no_flag() {
    let here = Here::with_model();
    let config = here.text("run/config.toml");
    let again = "put back a copy of the file, or start a new run";
    let whole = "it must be a whole number from 0 to 9223372036854775807";
    let long = "7".repeat(1_000_000);
    for (key, old, value, said) in [
        ("seed", "seed = 0", "\"\\u001b]0;owned\\u0007\"", format!(r"\u{{1b}}]0;owned\u{{7}} cannot be used: {whole}")),
        ("seed", "seed = 0", "\"\\u202e5\"", format!(r"\u{{202e}}5 cannot be used: {whole}")),
        ("seed", "seed = 0", &format!("\"{long}\""), format!("{}… cannot be used: {whole}", "7".repeat(200))),
        ("seed", "seed = 0", "true", "true cannot be used: it is not a value that the setting can have".to_string()),
        (
            "class_weight",
            "class_weight = \"none\"",
            "\"heavy\"",
            "heavy cannot be used: it must be one of none, balanced".to_string(),
        ),
    ] {
        assert!(config.contains(old), "{config}");
        here.write("run/config.toml", config.replace(old, &format!("{key} = {value}")));
        let sentence = format!("--resume: run/config.toml: {key} = {said}; {again}");
        here.refused("train --resume run --epochs 3", 2, &sentence);
    }
    here.write("run/config.toml", config);
    here.done("train --resume run --epochs 3");
}

#[test]
fn a_setting_that_somebody_changed_is_told_of_the_file_and_no_flag_is_blamed() {
    let here = Here::with_model();
    let config = here.text("run/config.toml");
    let again = "put back a copy of the file, or start a new run";
    let made = |key: &str, now: &str, was: &str| {
        format!("--resume: run/config.toml: {key} is {now}, and the run in run was made with {was}; {again}")
    };
    let huge = "no such network can be built: layer dense: it would have 196×1280000000 floats, and 2147483648 is the most; make it \
                smaller";
    for (old, new, sentence) in [
        ("image_size = 16", "image_size = 64", made("image_size", "64", "16")),
        ("shuffle = true", "shuffle = false", made("shuffle", "false", "true")),
        ("shuffle = true", "shuffle = true\nupright = true", made("upright", "true", "none")),
        ("shuffle = true", "shuffle = true\nrange = \"0,4095\"", made("range", "0,4095", "none")),
        ("filters = 4", "filters = 6", made("model.layers[0].filters", "6", "4")),
        (
            "weight_decay = 0.0",
            "weight_decay = 5000.0",
            "--resume: run/config.toml: weight_decay = 5000.0 cannot be used: ".into(),
        ),
        ("units = 8", "units = 1280000000", format!("run/config.toml: {huge}")),
        (
            "image_size = 16",
            "image_size = 1000000",
            "run/config.toml: no such network can be built: layer input: it would have ".into(),
        ),
        (
            "epochs = 2",
            "epochs = 99999999999999999999",
            format!(
                "--resume: run/config.toml cannot be read: line 5 is not TOML, or has a number that is too large; {again}"
            ),
        ),
    ] {
        assert!(config.contains(old), "{config}");
        here.write("run/config.toml", config.replacen(old, new, 1));
        let ran =
            here.run(&format!("train --resume run{}", if old.starts_with("epochs") { "" } else { " --epochs 3" }));
        assert!(ran.stderr.starts_with(&format!("error: {sentence}")), "{new}: {}", ran.stderr);
        assert_eq!((ran.code, ran.stderr.lines().count()), (Some(2), 1), "{new}");
    }
    // What the user gives is blamed where the file is as it was.
    here.write("run/config.toml", config);
    let away = "leave it out to go on, or start a new run";
    let sentence = format!("--image-size: the run in run has 16, and 64 is asked for; {away}");
    here.refused("train --resume run --image-size 64", 2, &sentence);
    here.refused("train --resume run --upright", 2, &format!("--upright: the run in run was made without it; {away}"));
    here.done("train --resume run --epochs 3");
}

#[cfg(unix)]
#[test]
fn weights_that_are_a_link_elsewhere_are_not_written_through() {
    let here = Here::with_model();
    fs::rename(here.path("run/weights"), here.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(here.path("elsewhere"), here.path("run/weights")).unwrap();
    let before = here.read("elsewhere/last.safetensors");
    let link =
        "it is a link, and nothing is written to where it leads; put the folder itself there, or start a new run";
    here.refused("train --resume run --epochs 3", 1, &format!("run/weights: {link}"));
    assert!(here.read("elsewhere/last.safetensors") == before);
    // A link in the place of a file is replaced by the file.
    fs::remove_file(here.path("run/weights")).unwrap();
    fs::create_dir(here.path("run/weights")).unwrap();
    std::os::unix::fs::symlink(here.path("elsewhere/last.safetensors"), here.path("run/weights/last.safetensors"))
        .unwrap();
    here.done("train --resume run --epochs 3");
    assert!(here.read("elsewhere/last.safetensors") == before);
    assert!(!here.path("run/weights/last.safetensors").is_symlink());
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text_stay_apart_from_each_other() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let here = Here::with_set();
    for (old, new) in [("00.png", &b"\xFF.png"[..]), ("01.png", b"\xFE.png")] {
        fs::rename(here.path(&format!("set/cat/{old}")), here.path("set/cat").join(OsStr::from_bytes(new))).unwrap();
    }
    here.done("train set --model tiny.toml --epochs 1 --out run");
    let split = here.text("run/split.csv");
    assert!(split.contains("cat/\\xFE.png,") && split.contains("cat/\\xFF.png,"), "{split}");
    assert!(here.done("evaluate run set").contains("the files are those of the run, byte for byte"));
}
