//! `glassnet predict`.

use super::known::with_known_answers;
use super::printed::four_digits;
use super::{Here, encoded, zipped};
use expect_test::expect;
use image::{ImageFormat, Rgb, RgbImage};

/// A model whose answers are known: an image of level g has the probability 1/(1 + exp(−(g − 128)/16)).
const KNOWN: &str = "predict known.safetensors";

/// A trained model.
const MODEL: &str = "predict run/weights/last.safetensors";

#[test]
fn an_image_several_a_folder_and_a_zip_of_them_get_the_same_answers() {
    let here = with_known_answers();
    here.prints(
        &format!("{KNOWN} greys"),
        expect![[r#"
            file	class	p(dog)
            greys/cat/112.png	cat	0.2689##
            greys/cat/120.png	cat	0.3775##
            greys/cat/144.png	dog	0.7310##
            greys/cat/80.png	cat	0.0474##
            greys/cat/96.png	cat	0.1192##
            greys/dog/100.png	cat	0.1480##
            greys/dog/120.png	cat	0.3775##
            greys/dog/144.png	dog	0.7310##
            greys/dog/160.png	dog	0.8807##
            greys/dog/176.png	dog	0.9525##
            greys/dog/192.png	dog	0.9820##
        "#]],
    );
    here.prints(
        &format!("{KNOWN} greys/cat/144.png"),
        expect![[r#"
            file	class	p(dog)
            greys/cat/144.png	dog	0.7310##
        "#]],
    );
    here.prints(
        &format!("{KNOWN} greys/dog greys/cat/144.png"),
        expect![[r#"
            file	class	p(dog)
            greys/dog/100.png	cat	0.1480##
            greys/dog/120.png	cat	0.3775##
            greys/dog/144.png	dog	0.7310##
            greys/dog/160.png	dog	0.8807##
            greys/dog/176.png	dog	0.9525##
            greys/dog/192.png	dog	0.9820##
            greys/cat/144.png	dog	0.7310##
        "#]],
    );

    let all = here.done(&format!("{KNOWN} greys"));
    assert_eq!(here.done(&format!("{KNOWN} greys --threads 1")), all);
    let files = ["cat/80.png", "cat/96.png", "dog/100.png"];
    let files = files.map(|file| (file.to_string(), here.read(&format!("greys/{file}"))));
    here.write("greys.zip", zipped(&files));
    here.prints(
        &format!("{KNOWN} greys.zip"),
        expect![[r#"
            file	class	p(dog)
            greys.zip/cat/80.png	cat	0.0474##
            greys.zip/cat/96.png	cat	0.1192##
            greys.zip/dog/100.png	cat	0.1480##
        "#]],
    );
}

#[test]
fn the_answers_are_those_of_the_validation_in_training() {
    let here = Here::with_model();
    let answers = here.json(&format!("{MODEL} set"));
    for line in here.text("run/predictions.csv").lines().skip(1) {
        let (file, probability) = (line.split(',').next().unwrap(), line.rsplit(',').next().unwrap());
        let mut answers = answers["predictions"].as_array().unwrap().iter();
        let answer = answers.find(|answer| answer["file"] == format!("set/{file}")).unwrap();
        assert_eq!(answer["probability"].as_f64().unwrap() as f32, probability.parse::<f32>().unwrap(), "{file}");
    }
}

#[test]
fn with_json_stdout_is_one_object() {
    let here = with_known_answers();
    expect![[r#"
        {
          "classes": [
            "cat",
            "dog"
          ],
          "errors": [],
          "left_out": [],
          "note": "probability is that of the positive class; not for diagnosis",
          "positive_class": "dog",
          "predictions": [
            {
              "class": "cat",
              "file": "greys/cat/112.png",
              "probability": 0.2689
            },
            {
              "class": "cat",
              "file": "greys/cat/120.png",
              "probability": 0.3775
            },
            {
              "class": "dog",
              "file": "greys/cat/144.png",
              "probability": 0.7310
            },
            {
              "class": "cat",
              "file": "greys/cat/80.png",
              "probability": 0.0474
            },
            {
              "class": "cat",
              "file": "greys/cat/96.png",
              "probability": 0.1192
            }
          ],
          "threshold": 0.5
        }
    "#]]
    .assert_eq(&four_digits(&here.run(&format!("{KNOWN} greys/cat --json")).shown()));
}

#[test]
fn a_bad_image_is_named_and_the_others_are_done() {
    let here = with_known_answers();
    here.write("text.png", "no picture");
    std::fs::create_dir(here.path("void")).unwrap();
    let images = "greys/cat/80.png text.png missing.png void greys/dog/192.png";
    here.prints(&format!("{KNOWN} {images}"), expect![[r#"
        file	class	p(dog)
        greys/cat/80.png	cat	0.0474##
        greys/dog/192.png	dog	0.9820##
        stderr: error: void: it holds no image (png, jpg, jpeg, bmp, ppm, tif, tiff, jfif, jpe, pgm, pbm, dib, webp, gif, dcm, dicom); name a folder, a zip or a file with some
        stderr: error: text.png cannot be read as an image: its content is none of PNG, JPEG, BMP, PPM, TIFF, WebP and GIF; convert it to PNG with an image program, or take it out
        stderr: error: missing.png does not exist; check the path
        exit code 1
    "#]]);
    expect![[r#"
        {
          "classes": [
            "cat",
            "dog"
          ],
          "errors": [
            {
              "error": "void: it holds no image (png, jpg, jpeg, bmp, ppm, tif, tiff, jfif, jpe, pgm, pbm, dib, webp, gif, dcm, dicom); name a folder, a zip or a file with some",
              "file": "void"
            },
            {
              "error": "text.png cannot be read as an image: its content is none of PNG, JPEG, BMP, PPM, TIFF, WebP and GIF; convert it to PNG with an image program, or take it out",
              "file": "text.png"
            },
            {
              "error": "missing.png does not exist; check the path",
              "file": "missing.png"
            }
          ],
          "left_out": [
            {
              "file": "text.png",
              "kind": "unreadable",
              "path": "text.png",
              "reason": "text.png cannot be read as an image: its content is none of PNG, JPEG, BMP, PPM, TIFF, WebP and GIF; convert it to PNG with an image program, or take it out"
            },
            {
              "file": "missing.png",
              "kind": "unreadable",
              "path": "missing.png",
              "reason": "missing.png does not exist; check the path"
            }
          ],
          "note": "probability is that of the positive class; not for diagnosis",
          "positive_class": "dog",
          "predictions": [
            {
              "class": "cat",
              "file": "greys/cat/80.png",
              "probability": 0.0474
            },
            {
              "class": "dog",
              "file": "greys/dog/192.png",
              "probability": 0.9820
            }
          ],
          "threshold": 0.5
        }
        stderr: error: void: it holds no image (png, jpg, jpeg, bmp, ppm, tif, tiff, jfif, jpe, pgm, pbm, dib, webp, gif, dcm, dicom); name a folder, a zip or a file with some
        stderr: error: text.png cannot be read as an image: its content is none of PNG, JPEG, BMP, PPM, TIFF, WebP and GIF; convert it to PNG with an image program, or take it out
        stderr: error: missing.png does not exist; check the path
        exit code 1
    "#]].assert_eq(&four_digits(&here.run(&format!("{KNOWN} {images} --json")).shown()));
}

#[test]
fn images_of_other_formats_and_sizes_are_taken() {
    let here = with_known_answers();
    for (name, format) in [("a.jpg", ImageFormat::Jpeg), ("b.bmp", ImageFormat::Bmp), ("c.tif", ImageFormat::Tiff)] {
        here.write(name, encoded(RgbImage::from_pixel(33, 5, Rgb([90; 3])), format));
    }
    here.prints(
        &format!("{KNOWN} a.jpg b.bmp c.tif"),
        expect![[r#"
            file	class	p(dog)
            a.jpg	cat	0.0850##
            b.bmp	cat	0.0850##
            c.tif	cat	0.0850##
        "#]],
    );
}

#[test]
fn a_plot_never_overwrites_one_of_its_images() {
    let here = Here::with_model();
    let before = here.read("set/cat/00.png");
    for images in ["set/cat/00.png", "set", "set/dog/13.png set/cat"] {
        let reason = "--plot: set/cat/../cat/00.png is one of the images; name another file";
        here.refused(&format!("{MODEL} {images} --plot set/cat/../cat/00.png"), 2, reason);
    }
    assert!(here.read("set/cat/00.png") == before);
}

#[test]
fn a_plot_shows_the_images_that_could_be_read() {
    let here = Here::with_model();
    assert_eq!(here.done(&format!("{MODEL} set --plot plot.png")), here.done(&format!("{MODEL} set")));
    let plot = image::load_from_memory(&here.read("plot.png")).unwrap();
    assert!(plot.width() > 400 && plot.height() > 400);

    here.prints(
        &format!("{MODEL} missing.png --plot none.png"),
        expect![[r#"
        file	class	p(dog)
        stderr: error: missing.png does not exist; check the path
        exit code 1
    "#]],
    );
    assert!(!here.path("none.png").exists());
}
