//! A folder that is not laid out as two classes: the message names the folder to give instead, or the call
//! that works.

use super::known::{grey, write_known_model};
use super::{Here, set, zipped};

/// A folder with the set `set`, and the same files below `to` once more for each of `parts`.
fn with_parts(to: &str, parts: &[&str]) -> Here {
    let here = Here::with_set();
    for part in parts {
        for (name, bytes) in set() {
            here.write(&format!("{to}/{part}/{name}"), bytes);
        }
    }
    here
}

const TRAIN: &str = "train DATA --model tiny.toml --epochs 1 --out run";

#[track_caller]
fn refused(here: &Here, data: &str, code: i32, sentence: &str) {
    here.refused(&TRAIN.replace("DATA", data), code, sentence);
    assert!(!here.path("run").exists());
}

#[test]
fn folders_that_hold_the_same_folders_are_a_split_and_the_call_that_works_is_named_and_works() {
    let same = |folders: &str| {
        format!(
            "its folders {folders} hold the same folders, cat and dog, so they are the parts of a split and not classes"
        )
    };
    let here = with_parts("both", &["train", "val"]);
    let call = "glassnet train both/train --validation-data both/val";
    let sentence = format!("both: {}; give them one by one: {call}", same("train and val"));
    refused(&here, "both", 1, &sentence);
    here.refused("inspect both", 1, &sentence);
    here.refused("samples both --out grid.png", 1, &sentence);
    here.done(&format!("{} --model tiny.toml --epochs 1 --out run", call.trim_start_matches("glassnet ")));
    here.refused(
        "evaluate run both",
        1,
        &format!("both: {}; give one of them, such as both/val", same("train and val")),
    );

    let here = with_parts("all/of it", &["Testing", "Training", "validation"]);
    let call = "glassnet train 'all/of it/Training' --validation-data 'all/of it/validation'";
    refused(
        &here,
        "all",
        1,
        &format!("all: {}; give them one by one: {call}", same("Testing, Training and validation")),
    );

    let here = with_parts("years", &["2019", "2020"]);
    here.write("years/2020/cat/99.png", grey(9));
    let sentence = "years: its folders 2019 and 2020 hold the same folders, cat and dog, so they may be classes or the parts of a split; \
                    if they are classes, put the images that train right into them, or let the folders in them have other names; if \
                    they are parts, give them one by one: glassnet train years/2020 --validation-data years/2019";
    refused(&here, "years", 1, sentence);
}

#[test]
fn classes_that_are_split_each_on_its_own_are_told_how_to_be_a_split() {
    let here = Here::empty();
    for part in ["test", "train"] {
        for (name, bytes) in set() {
            let (class, file) = name.split_once('/').unwrap();
            here.write(&format!("inner/{class}/{part}/{file}"), bytes);
        }
    }
    let sentence = "inner: its folders cat and dog hold the same folders, test and train, which are named as parts of a split, so that \
                    each class is split on its own; make a folder for each part that holds the folders cat and dog, and give the one \
                    that trains and the one that validates";
    refused(&here, "inner", 1, sentence);
}

#[test]
fn a_split_in_a_zip_and_one_with_a_part_of_no_classes_are_refused_too() {
    let here = with_parts("both", &["train"]);
    here.write("both/test/1.png", grey(1));
    let sentence = "both: its folders, 2 (test, train), are named as parts of a split; give them one by one: glassnet train both/train";
    refused(&here, "both", 1, sentence);

    let parts = ["train", "val"]
        .into_iter()
        .flat_map(|part| set().into_iter().map(move |(name, bytes)| (format!("d/{part}/{name}"), bytes)));
    here.write("d.zip", zipped(&parts.collect::<Vec<_>>()));
    let sentence = "d.zip: its folders train and val hold the same folders, cat and dog, so they are the parts of a split and not classes; \
                    unpack it, and in the folder of what was in it give them one by one: glassnet train d/train --validation-data d/val";
    refused(&here, "d.zip", 1, sentence);

    here.write("flat/train/1.png", grey(1));
    here.write("flat/val/1.png", grey(1));
    let sentence = "flat: its folders, 2 (train, val), are named as parts of a split, and hold no class folders; make a folder for each \
                    class in each of them, and give them one by one";
    refused(&here, "flat", 1, sentence);
}

#[test]
fn classes_whose_folders_differ_or_are_those_of_many_patients_are_classes() {
    let here = Here::empty();
    for (name, bytes) in set() {
        let (class, file) = name.split_once('/').unwrap();
        here.write(&format!("patients/{class}/p{}/{file}", &file[1..2]), &bytes);
        here.write(&format!("sides/{class}/{}/{file}", if class == "cat" { "left" } else { "right" }), &bytes);
    }
    for set in ["patients", "sides"] {
        here.done(&format!("train {set} --model tiny.toml --epochs 1 --out run-{set}"));
    }
}

#[test]
fn several_paths_that_a_shell_made_of_one_name_the_folder_that_they_are_in() {
    let here = Here::with_model();
    let sentence = "DATA: several are given, 2 (set/cat, set/dog); give the folder set itself";
    here.refused("train set/cat set/dog --out new", 2, sentence);
    here.refused("inspect set/cat set/dog", 2, sentence);
    here.refused("samples set/cat set/dog --out grid.png", 2, sentence);
    here.refused("evaluate run set/cat set/dog", 2, sentence);
    let sentence = "DATA: several are given, 2 (set/cat/00.png, set/cat/02.png); set/cat: it holds 10 images and no class folders; it \
                    looks like one class of set, which holds cat and dog; give set";
    here.refused("train set/cat/00.png set/cat/02.png --out new", 2, sentence);
    let here = with_parts("both", &["train", "val"]);
    let sentence = "DATA: several are given, 2 (both/train, both/val); both: its folders train and val hold the same folders, cat and \
                    dog, so they are the parts of a split and not classes; give them one by one: glassnet train both/train \
                    --validation-data both/val";
    here.refused("train both/train both/val --out new", 2, sentence);
    let here = Here::with_model();
    let sentence = "DATA: several are given, 2 (set, shift); give one folder that holds class folders, or a zip of one";
    here.refused("train set --augment flip shift --out new", 2, sentence);
}

#[test]
fn a_folder_too_high_names_the_one_below() {
    let here = Here::empty();
    for (name, bytes) in set() {
        here.write(&format!("high/inner/{name}"), bytes);
    }
    here.write("high/preview.png", grey(1));
    let found = "it must hold a folder for each of at least two classes, and holds 1 (inner: 24 images) beside images: 1 (preview.png)";
    let sentence = format!("high: {found}; the folder inner in it holds the folders cat and dog; give high/inner");
    refused(&here, "high", 1, &sentence);
    std::fs::create_dir(here.path("high/docs")).unwrap();
    let sentence = "high: the class folder docs holds no image (SUFFIXES); put the images of this class there; or, as the folder inner \
                    in it holds the folders cat and dog, give high/inner";
    let ran = here.run(&TRAIN.replace("DATA", "high"));
    let suffixes = ran.stderr.split('(').nth(1).unwrap().split(')').next().unwrap();
    assert_eq!(ran.stderr, format!("error: {}\n", sentence.replace("SUFFIXES", suffixes)));
}

#[test]
fn a_class_folder_or_a_single_image_names_the_folder_of_the_set() {
    let here = Here::with_set();
    let give = "it looks like one class of set, which holds cat and dog; give set";
    refused(&here, "set/cat", 1, &format!("set/cat: it holds 10 images and no class folders; {give}"));
    write_known_model(&here, "known.safetensors", ["cat", "dog"]);
    let sentence = format!("set/cat: it holds 10 images and no class folders; {give}");
    here.refused("evaluate known.safetensors set/cat", 1, &sentence);
    let sentence = "set/cat/00.png: it is a single image; give the folder of the set, set, which holds cat and dog";
    refused(&here, "set/cat/00.png", 1, sentence);
    here.write("alone.png", grey(1));
    let sentence = "alone.png: it is a single image; give a folder that holds class folders of images, or a zip of one";
    refused(&here, "alone.png", 1, sentence);
}
