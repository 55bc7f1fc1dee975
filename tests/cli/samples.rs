//! `glassnet samples`.

use super::Here;

#[test]
fn samples_of_both_classes_are_drawn_into_one_picture_that_the_seed_decides() {
    let here = Here::with_set();
    let stdout = here.done("samples set --out a.png --per-class 3");
    assert_eq!(stdout, "Drew 3 images of 'cat' and 3 of 'dog' into a.png\n");
    assert!(image::load_from_memory(&here.read("a.png")).unwrap().width() > 400);
    here.done("samples set --out b.png --per-class 3");
    here.done("samples set --out c.png --per-class 3 --seed 1");
    assert!(here.read("a.png") == here.read("b.png"));
    assert!(here.read("a.png") != here.read("c.png"));
}

#[test]
fn a_class_with_fewer_images_shows_all_it_has() {
    let here = Here::with_set();
    let stdout = here.done("samples set --out a.png --per-class 12");
    assert_eq!(stdout, "Drew 10 images of 'cat' and 12 of 'dog' into a.png\n");
}

#[test]
fn a_grid_never_overwrites_an_image_of_its_set() {
    let here = Here::with_set();
    let before = here.read("set/cat/00.png");
    let reason = "--out: set/cat/00.png is one of the images; name another file";
    here.refused("samples set --out set/cat/00.png", 2, reason);
    assert!(here.read("set/cat/00.png") == before);
}

#[test]
fn augmented_samples_show_what_training_would_see() {
    let here = Here::with_set();
    for (name, flags) in [
        ("plain", ""),
        ("flip", "--augment flip"),
        ("all", "--augment flip,shift,rotate"),
        ("again", "--augment flip,shift,rotate"),
    ] {
        let changed = match name {
            "plain" => "",
            "flip" => ", as --augment flip-horizontal,flip-vertical changes them,",
            _ => ", as --augment flip-horizontal,flip-vertical,shift,rotate changes them,",
        };
        let stdout = here.done(&format!("samples set --out {name}.png --per-class 4 {flags}"));
        assert_eq!(stdout, format!("Drew 4 images of 'cat' and 4 of 'dog'{changed} into {name}.png\n"));
    }
    let object = here.json("samples set --out json.png --augment shift,flip-vertical");
    assert_eq!(object["augment"], serde_json::json!(["flip-vertical", "shift"]));
    assert_eq!(here.json("samples set --out json.png")["augment"], serde_json::Value::Null);
    assert!(here.read("all.png") == here.read("again.png"));
    assert!(here.read("all.png") != here.read("plain.png") && here.read("all.png") != here.read("flip.png"));
}

#[test]
fn an_image_that_cannot_be_read_is_named_and_another_is_drawn() {
    let here = Here::with_set();
    for index in 0..8 {
        here.write(&format!("set/cat/0{index}.png"), "broken");
    }
    let ran = here.run("samples set --out a.png --per-class 2 --json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let object = ran.json();
    let mut shown: Vec<&str> =
        object["classes"][0]["images"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    shown.sort_unstable();
    assert_eq!(shown, ["cat/08.png", "cat/09.png"]);
    let left_out = object["left_out"].as_array().unwrap();
    assert!(!left_out.is_empty() && left_out.iter().all(|left| left["kind"] == "unreadable"), "{left_out:?}");
    assert_eq!(ran.stderr.lines().count(), left_out.len());
    assert!(ran.stderr.starts_with("warning: left out: set/cat/0"), "{}", ran.stderr);
    here.write("set/cat/08.png", "broken");
    here.write("set/cat/09.png", "broken");
    let ran = here.run("samples set --out b.png");
    let said = "error: set: no image of the class cat can be read; mend or replace them";
    assert_eq!((ran.code, ran.stderr.lines().last()), (Some(1), Some(said)));
    assert!(!here.path("b.png").exists());
}

#[test]
fn more_images_than_a_picture_can_show_are_refused_before_any_is_read() {
    let here = Here::empty();
    // Of 51 classes with 100 files each none is an image.
    for class in 0..51 {
        for file in 0..100 {
            here.write(&format!("many/{class:02}/{file:02}.png"), "no image");
        }
    }
    here.refused(
        "samples many --out a.png --per-class 100",
        2,
        "--per-class 100: 5100 images of 51 classes are more than the 5000 of a picture; give at most 98",
    );
    assert!(!here.path("a.png").exists());
}
