//! Data that cannot be trained on: one plain sentence on stderr, which names the file and says what to do.

use super::known::{grey, write_known_model};
use super::{Here, Ran, encoded, noise, zipped};
use expect_test::expect;
use image::ImageFormat;

const TRAIN: &str = "train DATA --model tiny.toml --epochs 1 --out run";

/// Trains on `data`; wants the sentence, the exit code, and no run folder.
#[track_caller]
fn refused(here: &Here, data: &str, code: i32, sentence: &str) {
    here.refused(&TRAIN.replace("DATA", data), code, sentence);
    assert!(!here.path("run").exists(), "a run folder was left");
}

#[test]
fn a_path_that_is_not_there_is_a_wrong_call() {
    refused(&Here::empty(), "missing", 2, "missing does not exist; check the path");
}

#[test]
fn a_file_that_is_no_zip_is_told_so() {
    let here = Here::empty();
    here.write("set.zip", "text");
    let wanted = "give a folder that holds class folders, or a zip of one";
    refused(&here, "set.zip", 1, &format!("set.zip: it is named .zip but is not a zip; {wanted}"));
    refused(&here, "tiny.toml", 1, &format!("tiny.toml: it is neither a folder nor a zip; {wanted}"));
}

#[test]
fn fewer_classes_than_two_are_told_with_what_there_is() {
    let here = Here::with_set();
    let tail = "make it one folder for each class";
    std::fs::rename(here.path("set/cat"), here.path("cat")).unwrap();
    let one =
        format!("set: it must hold a folder for each of at least two classes, and holds 1 (dog: 14 images); {tail}");
    refused(&here, "set", 1, &one);
    let none = "it holds 10 images and no class folders; make a folder for each class and put its images there";
    refused(&here, "cat", 1, &format!("cat: {none}"));
    std::fs::create_dir(here.path("void")).unwrap();
    refused(&here, "void", 1, &format!("void: {}", none.replace("10", "0")));
}

#[test]
fn a_class_without_images_is_named() {
    let here = Here::with_set();
    std::fs::remove_dir_all(here.path("set/cat")).unwrap();
    std::fs::create_dir(here.path("set/cat")).unwrap();
    let sentence = "set: the class folder cat holds no image (png, jpg, jpeg, bmp, ppm, tif, tiff, jfif, jpe, pgm, pbm, dib, webp, gif, dcm, dicom); put the images of this class there";
    refused(&here, "set", 1, sentence);
}

#[test]
fn every_image_that_cannot_be_read_is_named_before_the_training_begins() {
    let here = Here::with_set();
    let (png, jpeg) = (encoded(noise(1, 40, 40, 9), ImageFormat::Png), encoded(noise(1, 40, 40, 9), ImageFormat::Jpeg));
    here.write("set/cat/03.png", "hello");
    here.write("set/cat/04.png", "");
    here.write("set/cat/05.png", &png[..png.len() / 2]);
    here.write("set/dog/06.jpg", &jpeg[..jpeg.len() / 2]);
    here.write("set/dog/07.gif.png", b"GIF89a\x01\x00\x01\x00");
    here.prints(&TRAIN.replace("DATA", "set"), expect![[r#"
        Found 21 images belonging to 2 classes.
        Found 5 images belonging to 2 classes.
        stderr: error: set/cat/03.png cannot be read as an image: its content is none of PNG, JPEG, BMP, PPM, TIFF, WebP and GIF; convert it to PNG with an image program, or take it out
        stderr: error: set/cat/04.png cannot be read as an image: the file is empty; fetch it again, or take it out
        stderr: error: set/cat/05.png cannot be read as an image: the file ends before the picture does; fetch it again
        stderr: error: set/dog/06.jpg cannot be read as an image: the file ends before the picture does; fetch it again
        stderr: error: set/dog/07.gif.png cannot be read as an image: the file ends before the picture does; fetch it again
        stderr: error: set: 5 images cannot be read; mend them or take them out, or train without them, with --skip-bad
        exit code 1
    "#]]);
    assert!(!here.path("run").exists());
}

#[test]
fn a_picture_of_absurd_size_is_refused_by_its_header() {
    let here = Here::with_set();
    here.write("set/cat/03.ppm", "P6 1000000 1000000 255\n");
    here.prints(&TRAIN.replace("DATA", "set"), expect![[r#"
        Found 21 images belonging to 2 classes.
        Found 4 images belonging to 2 classes.
        stderr: error: set/cat/03.ppm cannot be read as an image: it has 1000000 × 1000000 pixels, and 64 Mi is the most; make it smaller
        stderr: error: set: 1 image cannot be read; mend it or take it out, or train without it, with --skip-bad
        exit code 1
    "#]]);
    assert!(!here.path("run").exists());
}

#[test]
fn zips_that_are_empty_cut_short_or_lead_outside_are_refused() {
    let here = Here::empty();
    here.write("set.zip", zipped(&[]));
    refused(&here, "set.zip", 1, "set.zip: the zip is empty; put a folder for each class into it");

    let evil =
        "the zip's entry \"../evil.png\" leads outside of it; unpack it with a tool you trust and give the folder";
    here.write("set.zip", zipped(&[("../evil.png".into(), Vec::new())]));
    refused(&here, "set.zip", 1, &format!("set.zip: {evil}"));

    let whole = zipped(&super::set());
    here.write("set.zip", &whole[..whole.len() / 2]);
    here.prints(&TRAIN.replace("DATA", "set.zip"), expect![[r#"
        stderr: error: set.zip: the zip cannot be unpacked here: its table of contents, which is at the end, is missing or damaged; create it again, or fetch it again
        exit code 1
    "#]]);
}

#[test]
fn names_of_any_alphabet_are_names_like_others() {
    let here = Here::empty();
    for level in [100, 180] {
        here.write(&format!("données/猫 ♥/{level}.png"), grey(level));
        here.write(&format!("données/собака/{level}.png"), grey(level + 1));
    }
    here.prints(&format!("{} --validation-split 0.5", TRAIN.replace("DATA", "données")), expect![[r#"
        Found 2 images belonging to 2 classes.
        Found 2 images belonging to 2 classes.
        Always answering '猫 ♥' would be right for 1 of 2 training images (0.5000) and 1 of 2 validation images (0.5000)
        Epoch 1/1
        1/1 [==============================] - TIME - loss: #.#### - accuracy: 0.5000 - val_loss: #.#### - val_accuracy: 0.5000
        Training Accuracy: 0.5000
        Training images again, without dropout: the last weights have accuracy 0.5000, loss #.#### (while training: accuracy 0.5000)
        Validation, last weights: 1 of 2 right, accuracy 0.5000; always answering '猫 ♥' would have 0.5000
        Positive class '猫 ♥': sensitivity 0.0000, specificity 1.0000, ROC AUC 1.0000
        Best weights: those of epoch 1, with the lowest val_loss, #.####
        After epoch 1, every validation image was taken for 'собака': the val_accuracy there is that class's share, no skill; so it is with the best weights, those of epoch 1
        Run folder: run
    "#]]);
    let split = "file,class,subset\nсобака/180.png,собака,training\n猫 ♥/180.png,猫 ♥,training\n\
                 собака/100.png,собака,validation\n猫 ♥/100.png,猫 ♥,validation\n";
    let without_hashes = |line: &str| line.rsplit_once(',').unwrap().0.to_string() + "\n";
    assert_eq!(here.text("run/split.csv").lines().map(without_hashes).collect::<String>(), split);
    write_known_model(&here, "known.safetensors", ["собака", "猫 ♥"]);
    here.prints(
        "predict known.safetensors données",
        expect![[r#"
            file	class	p(猫 ♥)
            données/собака/100.png	собака	0.1561##
            données/собака/180.png	猫 ♥	0.9648##
            données/猫 ♥/100.png	собака	0.1480##
            données/猫 ♥/180.png	猫 ♥	0.9626##
        "#]],
    );
}

#[cfg(target_os = "linux")]
#[test]
fn paths_that_are_no_unicode_work_and_are_shown_as_far_as_they_can_be() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let here = Here::with_set();
    let [data, out] = [b"set\xFF", b"run\xFF"].map(|name| OsStr::from_bytes(name).to_os_string());
    std::fs::rename(here.path("set"), here.0.path().join(&data)).unwrap();
    let mut command = here.command();
    let ran =
        Ran::of(command.arg("train").arg(&data).args(["--model", "tiny.toml", "--epochs", "1", "--out"]).arg(&out));
    expect![[r#"
        Found 20 images belonging to 2 classes.
        Found 4 images belonging to 2 classes.
        Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)
        Epoch 1/1
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.4000 - val_loss: #.#### - val_accuracy: 0.2500
        Training Accuracy: 0.4000
        Training images again, without dropout: the last weights have accuracy 0.3500, loss #.#### (while training: accuracy 0.4000)
        Validation, last weights: 1 of 4 right, accuracy 0.2500; always answering 'dog' would have 0.5000
        Positive class 'dog': sensitivity 0.0000, specificity 0.5000, ROC AUC 0.2500
        Best weights: those of epoch 1, with the lowest val_loss, #.####
        Run folder: run�
    "#]].assert_eq(&ran.shown());
    let config = std::fs::read_to_string(here.0.path().join(&out).join("config.toml")).unwrap();
    assert!(config.contains("path = \"set\u{FFFD}\"\n"), "{config}");
    let ran =
        Ran::of(here.command().arg("samples").arg(&data).args(["--out", "grid.png", "--json", "--per-class", "1"]));
    expect![[r#"
        {
          "augment": null,
          "classes": [
            {
              "images": [
                "cat/06.png"
              ],
              "name": "cat"
            },
            {
              "images": [
                "dog/04.png"
              ],
              "name": "dog"
            }
          ],
          "data": "set�",
          "left_out": [],
          "picture": "grid.png",
          "seed": 0
        }
    "#]]
    .assert_eq(&ran.shown());
}

#[cfg(unix)]
#[test]
fn a_name_with_a_line_break_or_terminal_codes_stays_on_one_line() {
    let here = Here::with_set();
    here.write("set/cat/a\nb\u{1b}[2J.png", "");
    here.prints(&TRAIN.replace("DATA", "set"), expect![[r#"
        Found 21 images belonging to 2 classes.
        Found 4 images belonging to 2 classes.
        stderr: error: set/cat/a\nb\u{1b}[2J.png cannot be read as an image: the file is empty; fetch it again, or take it out
        stderr: error: set: 1 image cannot be read; mend it or take it out, or train without it, with --skip-bad
        exit code 1
    "#]]);
}
