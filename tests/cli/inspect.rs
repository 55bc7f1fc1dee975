//! `glassnet inspect`.

use super::{Here, keys};

#[test]
fn a_set_is_told_in_counts_sizes_and_formats() {
    let here = Here::with_set();
    let expected = "\
set

class                      training validation        all
0 cat                             8          2         10
1 dog                            12          2         14
both                             20          4         24
The positive class is 'dog'.

Sizes (width×height): 14 of 18×14, 10 of 16×16
Formats: 24 PNG RGB
Unreadable files: 0
";
    assert_eq!(here.done("inspect set"), expected);

    let list = here.done("inspect set --list");
    let files: Vec<&str> = list.strip_prefix(expected).unwrap().trim_start().lines().collect();
    assert_eq!(files.len(), 24);
    assert_eq!(
        (files[0], files[23]),
        ("cat/02.png\tcat\ttraining\t16×16 PNG RGB", "dog/01.png\tdog\tvalidation\t18×14 PNG RGB")
    );
}

#[test]
fn an_unreadable_file_is_part_of_the_answer() {
    let here = Here::with_set();
    here.write("set/cat/00.png", "");
    let stdout = here.done("inspect set");
    let end = "Unreadable files: 1\n  set/cat/00.png cannot be read as an image: the file is empty\n";
    assert!(stdout.ends_with(end), "{stdout}");
    assert!(here.done("inspect set --list").contains("\ncat/00.png\tcat\tvalidation\tunreadable\n"));
}

#[test]
fn with_json_stdout_is_one_object() {
    let here = Here::with_set();
    let object = here.json("inspect set");
    assert_eq!(keys(&object), ["classes", "data", "formats", "positive_class", "sizes", "unreadable"]);
    assert_eq!(object["classes"][1]["name"], "dog");
    assert_eq!(object["classes"][1]["training"], 12);
    let object = here.json("inspect set --list --validation-split 0.5");
    assert_eq!(object["files"].as_array().unwrap().len(), 24);
    assert_eq!(keys(&object["files"][0]), ["class", "file", "format", "height", "mode", "subset", "width"]);
    assert_eq!(object["classes"][0]["validation"], 5);
}

#[test]
fn what_is_passed_over_is_said_on_stderr() {
    let here = Here::with_set();
    here.write("set/stray.png", "");
    here.write("set/cat/.hidden.png", "");
    here.write("set/cat/notes.txt", "");
    let ran = here.run("inspect set");
    assert_eq!(ran.code, Some(0));
    assert_eq!(
        ran.stderr,
        "warning: set: passed over as hidden (a name that begins with a dot, or __MACOSX): 1 (cat/.hidden.png)\n\
         warning: set: passed over, not named as an image: 1 (cat/notes.txt)\n\
         warning: set: passed over, images in no class folder: 1 (stray.png)\n"
    );
}
