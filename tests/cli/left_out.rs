//! What is left out of the data is told in the same words by every command, and stands in every `--json`.

use super::Here;
use serde_json::{Value, json};

/// A folder with a model, and a set in which a file of each kind is passed over.
fn with_others() -> Here {
    let here = Here::with_model();
    here.write("set/cat/.hidden.png", "");
    here.write("set/cat/notes.txt", "");
    here.write("set/labels.csv", "");
    for unsaid in ["set/Thumbs.db", "set/cat/desktop.ini", "set/.DS_Store", "set/README.md"] {
        here.write(unsaid, "");
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(here.path("set/dog"), here.path("set/cat/linked")).unwrap();
    here
}

/// What each command says of it.
const WORDS: &str = "\
warning: set: passed over as hidden (a name that begins with a dot, or __MACOSX): 1 (cat/.hidden.png)
warning: set: passed over as a link that is not followed: 1 (cat/linked)
warning: set: passed over, not named as an image: 2 (labels.csv, cat/notes.txt)
";

/// The records of it, in the order of their names; `before` stands before each name. What systems leave in
/// every folder, and a README, is no warning's matter, but programs are told of it.
fn records(before: &str) -> Value {
    let hidden = ("hidden", "passed over as hidden (a name that begins with a dot, or __MACOSX)");
    let no_image = ("not_an_image", "passed over, not named as an image");
    let record = |(file, (kind, reason)): (&str, (&str, &str))| json!({"file": format!("{before}{file}"), "path": format!("set/{file}"), "kind": kind, "reason": reason});
    let records = [
        (".DS_Store", hidden),
        ("README.md", no_image),
        ("Thumbs.db", no_image),
        ("cat/.hidden.png", hidden),
        ("cat/desktop.ini", no_image),
        ("cat/linked", ("link", "passed over as a link that is not followed")),
        ("cat/notes.txt", no_image),
        ("labels.csv", no_image),
    ];
    records.map(record).into_iter().collect()
}

#[cfg(unix)]
#[test]
fn every_command_tells_what_it_passes_over_in_the_same_words_and_as_json() {
    let here = with_others();
    let quick = "--model tiny.toml --epochs 1";
    for (call, before) in [
        (format!("train set {quick} --out one"), ""),
        (format!("train set {quick} --folds 2 --out folds"), ""),
        ("train --resume run".to_string(), ""),
        ("evaluate run set".to_string(), ""),
        ("predict run set".to_string(), "set/"),
        ("inspect set".to_string(), ""),
        ("samples set --out grid.png".to_string(), ""),
    ] {
        let ran = here.run(&format!("{call} --json --quiet"));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), WORDS), "{call}");
        let mut left_out = ran.json()["left_out"].as_array().unwrap().clone();
        left_out.sort_by_key(|left| left["path"].to_string());
        assert_eq!(Value::from(left_out), records(before), "{call}");
    }
}

#[test]
fn an_unreadable_image_is_left_out_by_all_of_them() {
    let here = Here::with_model();
    here.write("set/cat/03.png", "no picture");
    let quick = "--model tiny.toml --epochs 1";
    for (call, code) in [
        (format!("train set {quick} --skip-bad --out one"), 0),
        (format!("train set {quick} --skip-bad --folds 2 --out folds"), 0),
        ("evaluate run set".to_string(), 1),
        ("evaluate run set --skip-bad".to_string(), 0),
        ("predict run set".to_string(), 1),
        ("inspect set".to_string(), 0),
    ] {
        let ran = here.run(&format!("{call} --json --quiet"));
        assert_eq!(ran.code, Some(code), "{call}: {}", ran.stderr);
        let left_out = &ran.json()["left_out"];
        assert_eq!(left_out.as_array().unwrap().len(), 1, "{call}");
        assert_eq!(
            (&left_out[0]["kind"], &left_out[0]["path"]),
            (&json!("unreadable"), &json!("set/cat/03.png")),
            "{call}"
        );
        let reason = left_out[0]["reason"].as_str().unwrap();
        assert!(reason.starts_with("set/cat/03.png cannot be read as an image: "), "{call}: {reason}");
    }
}
