//! Photos that lie turned in their files: told, turned by `--upright`, and so by all that a model was trained
//! for.

use super::exif_bytes::{exif, jpeg_with_exif, jpeg_with_xmp, png_with_exif, png_with_xmp, xmp};
use super::{Here, encoded, noise};
use expect_test::expect;
use image::metadata::Orientation;
use image::{DynamicImage, ImageFormat, RgbImage};

const TURNED: &str = "warning: 10 photos lie turned or mirrored in their files, as their EXIF says, and are not turned upright, as in \
                      Keras; --upright turns photos, for train and for all that its weights predict\n";

/// A picture that is brighter above than below, so that it matters how it lies.
fn photo(seed: u64, level: u8) -> RgbImage {
    let mut picture = noise(seed, 18, 14, level);
    picture.enumerate_pixels_mut().filter(|(_, y, _)| *y < 5).for_each(|(_, _, pixel)| pixel.0 = [230; 3]);
    picture
}

/// The picture as a camera stores it that was held in this orientation.
fn stored(upright: &RgbImage, orientation: u8) -> RgbImage {
    // What brings 6 upright brings the upright picture to 8, and the other way round; all others are their
    // own opposites.
    let back = match orientation {
        6 => 8,
        8 => 6,
        own => own,
    };
    let mut picture = DynamicImage::from(upright.clone());
    picture.apply_orientation(Orientation::from_exif(back).unwrap());
    picture.into_rgb8()
}

/// A PNG of the picture as stored, with its orientation in EXIF.
fn turned_png(upright: &RgbImage, orientation: u8) -> Vec<u8> {
    let png = encoded(stored(upright, orientation), ImageFormat::Png);
    png_with_exif(&png, &exif(orientation.into(), true), orientation.is_multiple_of(2))
}

/// Two sets of the same 24 pictures: `upright`, and `turned`, in which all ten cats lie otherwise.
fn with_photos() -> Here {
    let here = Here::empty();
    for index in 0..24 {
        let (class, level) = if index < 10 { ("cat", 40) } else { ("dog", 120) };
        let name = format!("{class}/{index:02}.png");
        let picture = photo(index, level);
        here.write(&format!("upright/{name}"), encoded(picture.clone(), ImageFormat::Png));
        let orientation = [3, 6, 6, 8, 5, 2, 7, 4, 6, 6].get(index as usize).copied().unwrap_or(1);
        here.write(&format!("turned/{name}"), turned_png(&picture, orientation));
    }
    here
}

#[test]
fn inspect_counts_orientations_by_class_and_tells_when_they_give_the_class_away() {
    let here = with_photos();
    here.prints("inspect turned", expect![[r#"
        turned

        class                      training validation        all
        0 cat                             8          2         10
        1 dog                            12          2         14
        both                             20          4         24
        The positive class is 'dog'.

        Sizes (width×height): 17 of 18×14, 7 of 14×18
        Formats: 24 PNG RGB
        Orientations of photos in their files, as EXIF says; they are not turned upright:
          1, upright: 14 of 14 'dog', 0 of 10 'cat'
          2, mirrored: 0 of 14 'dog', 1 of 10 'cat'
          3, turned by 180°: 0 of 14 'dog', 1 of 10 'cat'
          4, mirrored and turned by 180°: 0 of 14 'dog', 1 of 10 'cat'
          5, mirrored and turned by 90° counter-clockwise: 0 of 14 'dog', 1 of 10 'cat'
          6, turned by 90° counter-clockwise: 0 of 14 'dog', 4 of 10 'cat'
          7, mirrored and turned by 90° clockwise: 0 of 14 'dog', 1 of 10 'cat'
          8, turned by 90° clockwise: 0 of 14 'dog', 1 of 10 'cat'
        Unreadable files: 0
        Duplicates: 0 groups
        Near duplicates: 0 groups
        Attributes that give the class away: orientation, size, width, height, aspect
          EXIF orientation is 1: 14 of 14 'dog', 0 of 10 'cat'; balanced accuracy 1.0000 by that alone (p = 7e-6)
          size is 14×18: 0 of 14 'dog', 7 of 10 'cat'; balanced accuracy 0.8500 by that alone (p = 5e-3)
          width is at least 18: 14 of 14 'dog', 3 of 10 'cat'; balanced accuracy 0.8500 by that alone (p = 5e-3)
          height is at least 18: 0 of 14 'dog', 7 of 10 'cat'; balanced accuracy 0.8500 by that alone (p = 5e-3)
          width / height is at least 1: 14 of 14 'dog', 3 of 10 'cat'; balanced accuracy 0.8500 by that alone (p = 5e-3)

        What to do
        - the orientation alone tells the classes apart (EXIF orientation is 1: balanced accuracy 1.00), and so does each of: size, width, height, aspect: a network may learn this instead of what the images show: collect both classes from the same sources, or bring them to one size and format before, and judge on images from elsewhere
        - only 2 images of 'cat' validate: each of them moves the specificity by 1/2, the balanced accuracy by 1/4, the ROC AUC by up to 1/2 and the accuracy by 1/4, and the 95 % interval of a perfect 2 of 2 reaches from 0.3424 to 1: take neither a small difference nor the best epoch for certain; more images of 'cat' help most. `train --folds 5` validates each of all 10 once, where the interval of a perfect 10 of 10 reaches from 0.7225
        - only 2 images of 'dog' validate: each of them moves the sensitivity by 1/2, the balanced accuracy by 1/4, the ROC AUC by up to 1/2 and the accuracy by 1/4, and the 95 % interval of a perfect 2 of 2 reaches from 0.3424 to 1: take neither a small difference nor the best epoch for certain; more images of 'dog' help most. `train --folds 5` validates each of all 14 once, where the interval of a perfect 14 of 14 reaches from 0.7847
        - 10 photos lie turned or mirrored in their files, as their EXIF says, and are not turned upright, as in Keras: --upright turns photos, for train and for all that its weights predict
    "#]]);
    here.prints(
        "inspect turned --upright",
        expect![[r#"
            turned

            class                      training validation        all
            0 cat                             8          2         10
            1 dog                            12          2         14
            both                             20          4         24
            The positive class is 'dog'.

            Sizes (width×height): 24 of 18×14
            Formats: 24 PNG RGB
            Orientations of photos in their files, as EXIF says; they were turned upright here:
              1, upright: 14 of 14 'dog', 0 of 10 'cat'
              2, mirrored: 0 of 14 'dog', 1 of 10 'cat'
              3, turned by 180°: 0 of 14 'dog', 1 of 10 'cat'
              4, mirrored and turned by 180°: 0 of 14 'dog', 1 of 10 'cat'
              5, mirrored and turned by 90° counter-clockwise: 0 of 14 'dog', 1 of 10 'cat'
              6, turned by 90° counter-clockwise: 0 of 14 'dog', 4 of 10 'cat'
              7, mirrored and turned by 90° clockwise: 0 of 14 'dog', 1 of 10 'cat'
              8, turned by 90° clockwise: 0 of 14 'dog', 1 of 10 'cat'
            Unreadable files: 0
            Duplicates: 0 groups
            Near duplicates: 0 groups
            Attributes that give the class away: none of size, aspect, format and mode

            What to do
            - only 2 images of 'cat' validate: each of them moves the specificity by 1/2, the balanced accuracy by 1/4, the ROC AUC by up to 1/2 and the accuracy by 1/4, and the 95 % interval of a perfect 2 of 2 reaches from 0.3424 to 1: take neither a small difference nor the best epoch for certain; more images of 'cat' help most. `train --folds 5` validates each of all 10 once, where the interval of a perfect 10 of 10 reaches from 0.7225
            - only 2 images of 'dog' validate: each of them moves the sensitivity by 1/2, the balanced accuracy by 1/4, the ROC AUC by up to 1/2 and the accuracy by 1/4, and the 95 % interval of a perfect 2 of 2 reaches from 0.3424 to 1: take neither a small difference nor the best epoch for certain; more images of 'dog' help most. `train --folds 5` validates each of all 14 once, where the interval of a perfect 14 of 14 reaches from 0.7847
        "#]],
    );
    let object = here.json("inspect turned --list");
    let expected = serde_json::json!([
        {"orientation": 1, "count": 14, "by_class": [0, 14]},
        {"orientation": 2, "count": 1, "by_class": [1, 0]},
        {"orientation": 3, "count": 1, "by_class": [1, 0]},
        {"orientation": 4, "count": 1, "by_class": [1, 0]},
        {"orientation": 5, "count": 1, "by_class": [1, 0]},
        {"orientation": 6, "count": 4, "by_class": [4, 0]},
        {"orientation": 7, "count": 1, "by_class": [1, 0]},
        {"orientation": 8, "count": 1, "by_class": [1, 0]},
    ]);
    assert_eq!((&object["orientations"], &object["turned_upright"]), (&expected, &serde_json::json!(false)));
    let kinds = |object: &serde_json::Value| -> Vec<String> {
        let findings = object["findings"].as_array().unwrap().iter();
        findings.map(|finding| finding["kind"].as_str().unwrap().to_string()).collect()
    };
    assert!(kinds(&object).contains(&"turned".to_string()), "{:?}", kinds(&object));
    let first = &object["files"].as_array().unwrap().iter().find(|file| file["file"] == "cat/02.png").unwrap();
    assert_eq!((&first["orientation"], &first["width"]), (&serde_json::json!(6), &serde_json::json!(14)));
    let object = here.json("inspect turned --upright --list");
    assert_eq!((&object["orientations"], &object["turned_upright"]), (&expected, &serde_json::json!(true)));
    assert!(!kinds(&object).contains(&"turned".to_string()));
    let first = &object["files"].as_array().unwrap().iter().find(|file| file["file"] == "cat/02.png").unwrap();
    assert_eq!(first["width"], serde_json::json!(18));
}

#[test]
fn a_model_of_turned_photos_is_that_of_the_same_pictures_upright() {
    let here = with_photos();
    let train = |set: &str, out: &str| format!("train {set} --model tiny.toml --epochs 2 --out {out}");
    here.done(&train("upright", "run"));
    let stdout = here.done(&train("turned", "kept --upright"));
    assert!(stdout.contains("\nImages are read with photos turned upright\n"), "{stdout}");
    here.done(&train("turned", "anew --upright --cache 0 --quiet"));
    let predictions = |run: &str| here.text(&format!("{run}/predictions.csv"));
    assert_eq!(predictions("kept"), predictions("run"));
    let ran = here.run(&train("turned", "lying"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), TURNED));
    assert_ne!(predictions("lying"), predictions("run"));
    assert_eq!(predictions("anew"), predictions("kept"));
    assert_eq!(here.text("anew/steps.csv"), here.text("kept/steps.csv"));

    // What predicts takes it from the weights.
    let picture = photo(77, 90);
    here.write("new/0.png", encoded(picture.clone(), ImageFormat::Png));
    here.write("new/6.png", turned_png(&picture, 6));
    let by_xmp = png_with_xmp(&encoded(stored(&picture, 7), ImageFormat::Png), &xmp(7));
    here.write("new/7.png", by_xmp);
    let answers = |model: &str| -> Vec<f64> {
        let object = here.json(&format!("predict {model} new"));
        object["predictions"].as_array().unwrap().iter().map(|answer| answer["probability"].as_f64().unwrap()).collect()
    };
    let [still, six, seven] = answers("kept")[..] else { panic!() };
    assert_eq!([six, seven], [still; 2]);
    let lying = answers("lying");
    assert!(lying[0] != lying[1]);
    // So does evaluate, and its page shows the photo upright: the worst mistake is the same picture in both
    // sets.
    let object = here.json("evaluate kept turned");
    // That it is another set, byte for byte, is warned of.
    assert_eq!(object["predictions"], here.run("evaluate kept upright --json").json()["predictions"]);
    assert_eq!(object["reading"], serde_json::json!({"upright": true}));
    let stdout = here.done("evaluate kept turned");
    assert!(stdout.contains("\nImages    read with photos turned upright, as the model was trained\n"), "{stdout}");
    here.done("predict kept new/6.png --plot six.png");
    here.write("other/6.png", here.read("new/0.png"));
    here.done("predict kept other/6.png --plot upright.png");
    assert!(here.read("six.png") == here.read("upright.png"));
}

#[test]
fn a_run_goes_on_with_its_reading_and_folds_have_it_too() {
    let here = with_photos();
    here.done("train turned --model tiny.toml --epochs 3 --upright --out whole");
    here.done("train turned --model tiny.toml --epochs 2 --upright --out parted");
    let config = here.text("parted/config.toml");
    assert!(config.contains("\nupright = true\n"), "{config}");
    here.done("train --resume parted --epochs 3");
    assert_eq!(here.text("parted/history.csv"), here.text("whole/history.csv"));
    assert!(here.read("parted/weights/last.safetensors") == here.read("whole/weights/last.safetensors"));
    assert!(here.done("summary whole").ends_with("\nImages are read with photos turned upright\n"));
    assert_eq!(here.json("summary whole")["reading"], serde_json::json!({"upright": true}));
    let stderr =
        here.run("train turned --model tiny.toml --epochs 1 --init-weights whole/weights/best.safetensors").stderr;
    let warning = "warning: the weights in whole/weights/best.safetensors were trained on images read with photos turned upright, and \
                   these are read otherwise; give the same --upright, --range, --bit-depth, --resize and --interpolation for the same pixels\n";
    assert!(stderr.contains(warning), "{stderr}");
    here.done("train turned --model tiny.toml --epochs 1 --upright --init-weights whole/weights/best.safetensors");
    here.done("train turned --model tiny.toml --epochs 1 --folds 2 --upright --out turned-folds");
    here.done("train upright --model tiny.toml --epochs 1 --folds 2 --out upright-folds");
    for fold in ["fold1", "fold2"] {
        let predictions = |run: &str| here.text(&format!("{run}-folds/{fold}/predictions.csv"));
        assert_eq!(predictions("turned"), predictions("upright"));
    }
}

#[test]
fn samples_show_photos_as_train_would_see_them() {
    let here = Here::empty();
    for (class, level) in [("cat", 40), ("dog", 120)] {
        let picture = photo(1, level);
        let jpeg = encoded(picture.clone(), ImageFormat::Jpeg);
        here.write(&format!("upright/{class}/1.jpg"), &jpeg);
        here.write(&format!("lying/{class}/1.jpg"), jpeg_with_exif(&jpeg, &exif(3, false)));
        here.write(&format!("xmp/{class}/1.jpg"), jpeg_with_xmp(&jpeg, &xmp(3)));
    }
    here.done("samples lying --out lying.png");
    let stdout = here.done("samples lying --out turned.png --upright");
    assert_eq!(stdout, "Drew 1 image of 'cat' and 1 of 'dog', read with photos turned upright, into turned.png\n");
    assert!(here.read("lying.png") != here.read("turned.png"));
    let object = here.json("samples xmp --out xmp.png --upright");
    assert_eq!(object["reading"], serde_json::json!({"upright": true}));
}
