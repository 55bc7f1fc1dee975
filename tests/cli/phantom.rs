//! `glassnet phantom`. What the pictures look like is tested in the library.

use super::Here;

/// Every file of a set: name and bytes.
fn files(here: &Here, set: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for class in ["benign", "malignant"] {
        for name in here.names(&format!("{set}/{class}")) {
            let bytes = here.read(&format!("{set}/{class}/{name}"));
            files.push((format!("{class}/{name}"), bytes));
        }
    }
    files
}

#[test]
fn as_many_images_are_drawn_as_asked_for_and_the_seed_decides_their_bytes() {
    let here = Here::empty();
    let stdout = here.done("phantom --out a --seed 3 --benign 2 --malignant 3");
    let expected = "Drew 2 benign and 3 malignant synthetic images with seed 3 into a. Not for diagnosis.\n";
    assert_eq!(stdout, expected);
    let first = files(&here, "a");
    assert_eq!(here.names("a"), ["benign", "malignant"]);
    assert_eq!(first.len(), 5);
    assert!(first.iter().all(|(_, bytes)| image::load_from_memory(bytes).is_ok()));

    here.done("phantom --out b --seed 3 --benign 2 --malignant 3 --threads 1");
    here.done("phantom --out c --seed 4 --benign 2 --malignant 3");
    assert!(first == files(&here, "b"));
    assert!(first != files(&here, "c"));
}

#[test]
fn a_folder_that_holds_something_is_left_as_it_is() {
    let here = Here::empty();
    here.write("full/mine.txt", "mine");
    let sentence = "--out: full is not empty, and nothing is overwritten; name a new folder";
    here.refused("phantom --out full --benign 1 --malignant 1", 2, sentence);
    assert_eq!(here.names("full"), ["mine.txt"]);
}

#[cfg(unix)]
#[test]
fn a_set_that_is_interrupted_while_it_is_drawn_is_told_to_be_a_part() {
    let here = Here::empty();
    let child = here.start("phantom --out set --benign 5000 --malignant 5000");
    here.wait_for("set/benign/benign-002.png");
    child.interrupt();
    let ran = child.ended();
    let there = here.names("set/benign").len() + here.names("set/malignant").len();
    let said = format!("error: interrupted: set holds {there} of the 10000 images; remove it, and draw the set anew\n");
    assert_eq!((ran.code, ran.stderr), (Some(130), said));
}
