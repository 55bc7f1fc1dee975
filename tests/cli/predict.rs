//! `glassnet predict`.

use super::{Here, encoded, keys, noise, set, zipped};
use image::ImageFormat;

const MODEL: &str = "predict run/weights/last.safetensors";

#[test]
fn an_image_several_a_folder_and_a_zip_of_them_get_the_same_answers() {
    let here = Here::with_model();
    here.write("set.zip", zipped(&set()));
    let all = here.done(&format!("{MODEL} set"));
    let lines: Vec<&str> = all.lines().collect();
    assert_eq!((lines.len(), lines[0]), (25, "file\tclass\tp(dog)"));
    assert!(lines[1].starts_with("set/cat/00.png\t") && lines[24].starts_with("set/dog/13.png\t"), "{all}");

    let one = here.done(&format!("{MODEL} set/cat/00.png"));
    assert_eq!(one, format!("{}\n{}\n", lines[0], lines[1]));
    let several = here.done(&format!("{MODEL} set/dog set/cat/00.png"));
    assert_eq!(several, format!("{}\n{}\n{}\n", lines[0], lines[11..].join("\n"), lines[1]));
    let zip = here.done(&format!("{MODEL} set.zip"));
    assert_eq!(zip, all.replace("set/", "set.zip/"));
    assert_eq!(here.done(&format!("{MODEL} set --threads 1")), all);
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
    let here = Here::with_model();
    let object = here.json(&format!("{MODEL} set/cat"));
    assert_eq!(keys(&object), ["classes", "errors", "note", "positive_class", "predictions", "threshold"]);
    assert_eq!(object["predictions"].as_array().unwrap().len(), 10);
    assert_eq!(object["errors"].as_array().unwrap().len(), 0);
    for answer in object["predictions"].as_array().unwrap() {
        assert_eq!(keys(answer), ["class", "file", "probability"]);
        let is_dog = answer["probability"].as_f64().unwrap() > 0.5;
        assert_eq!(answer["class"], if is_dog { "dog" } else { "cat" });
    }
}

#[test]
fn a_bad_image_is_named_and_the_others_are_done() {
    let here = Here::with_model();
    here.write("text.png", "no picture");
    std::fs::create_dir(here.path("void")).unwrap();
    let images = "set/cat/00.png text.png missing.png void set/dog/00.png";
    let ran = here.run(&format!("{MODEL} {images}"));
    assert_eq!(ran.code, Some(1));
    assert_eq!(
        ran.stderr,
        "error: void: it holds no image (png, jpg, jpeg, bmp, ppm, tif, tiff)\n\
         error: text.png cannot be read as an image: its content is none of PNG, JPEG, BMP, PPM and TIFF; convert it or take it out\n\
         error: missing.png does not exist; check the path\n"
    );
    assert_eq!(ran.stdout, here.done(&format!("{MODEL} set/cat/00.png set/dog/00.png")));

    let object = here.run(&format!("{MODEL} {images} --json")).json();
    assert_eq!(object["predictions"].as_array().unwrap().len(), 2);
    let named: Vec<&str> = object["errors"].as_array().unwrap().iter().map(|e| e["file"].as_str().unwrap()).collect();
    assert_eq!(named, ["void", "text.png", "missing.png"]);
}

#[test]
fn images_of_other_formats_and_sizes_are_taken() {
    let here = Here::with_model();
    for (name, format) in [("a.jpg", ImageFormat::Jpeg), ("b.bmp", ImageFormat::Bmp), ("c.tif", ImageFormat::Tiff)] {
        here.write(name, encoded(noise(1, 33, 5, 90), format));
    }
    assert_eq!(here.done(&format!("{MODEL} a.jpg b.bmp c.tif")).lines().count(), 4);
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
    here.done(&format!("{MODEL} set --plot plot.png"));
    let plot = image::load_from_memory(&here.read("plot.png")).unwrap();
    assert!(plot.width() > 400 && plot.height() > 400);

    here.refused(&format!("{MODEL} missing.png --plot none.png"), 1, "missing.png does not exist; check the path");
    assert!(!here.path("none.png").exists());
}
