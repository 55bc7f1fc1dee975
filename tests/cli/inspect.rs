//! `glassnet inspect`.

use super::{Here, encoded, known, noise, zipped};
use expect_test::expect;
use image::ImageFormat;
use serde_json::{Value, json};

#[test]
fn a_set_is_told_in_counts_sizes_and_formats() {
    let here = Here::with_set();
    here.prints("inspect set", expect![[r#"
        set

        class                      training validation        all
        0 cat                             8          2         10
        1 dog                            12          2         14
        both                             20          4         24
        The positive class is 'dog'.

        Sizes (width×height): 14 of 18×14, 10 of 16×16
        Formats: 24 PNG RGB
        Unreadable files: 0
        Duplicates: 0 groups
        Near duplicates: 0 groups
        Attributes that give the class away: size, width, height, aspect
          size is 16×16: 0 of 14 'dog', 10 of 10 'cat'; balanced accuracy 1.0000 by that alone (p = 3e-6)
          width is at least 18: 14 of 14 'dog', 0 of 10 'cat'; balanced accuracy 1.0000 by that alone (p = 3e-6)
          height is at least 16: 0 of 14 'dog', 10 of 10 'cat'; balanced accuracy 1.0000 by that alone (p = 3e-6)
          width / height is at least 1.2: 14 of 14 'dog', 0 of 10 'cat'; balanced accuracy 1.0000 by that alone (p = 3e-6)

        What to do
        - the size alone tells the classes apart (size is 16×16: balanced accuracy 1.00), and so does each of: width, height, aspect: a network may learn this instead of what the images show: collect both classes from the same sources, or bring them to one size and format before, and judge on images from elsewhere
        - only 2 images of 'cat' validate: each of them moves the specificity by 1/2, the balanced accuracy by 1/4, the ROC AUC by up to 1/2 and the accuracy by 1/4, and the 95 % interval of a perfect 2 of 2 reaches from 0.3424 to 1: take neither a small difference nor the best epoch for certain; more images of 'cat' help most. `train --folds 5` validates each of all 10 once, where the interval of a perfect 10 of 10 reaches from 0.7225
        - only 2 images of 'dog' validate: each of them moves the sensitivity by 1/2, the balanced accuracy by 1/4, the ROC AUC by up to 1/2 and the accuracy by 1/4, and the 95 % interval of a perfect 2 of 2 reaches from 0.3424 to 1: take neither a small difference nor the best epoch for certain; more images of 'dog' help most. `train --folds 5` validates each of all 14 once, where the interval of a perfect 14 of 14 reaches from 0.7847
    "#]]);
}

#[test]
fn with_list_each_image_has_a_line_below_the_rest() {
    let here = known::with_known_answers();
    here.write("greys/dog/160.png", "");
    here.prints("inspect greys --list", expect![[r#"
        greys

        class                      training validation        all
        0 cat                             4          1          5
        1 dog                             5          1          6
        both                              9          2         11
        The positive class is 'dog'.

        Sizes (width×height): 10 of 1×1
        Formats: 10 PNG RGB
        Unreadable files: 1
          greys/dog/160.png cannot be read as an image: the file is empty; fetch it again, or take it out
        Duplicates: 2 groups
          cat/120.png, dog/120.png (the same bytes, in both classes)
          cat/144.png, dog/144.png (the same bytes, in both classes)
        Near duplicates: 1 group
          cat/120.png, cat/144.png, cat/80.png, dog/120.png, cat/112.png, dog/100.png and 4 more (alike, in both classes, on both sides of the split)
        Attributes that give the class away: none of size, aspect, format, mode and orientation

        What to do
        - 1 file cannot be read: mend, convert or remove them, or train with --skip-bad, which leaves them out
        - 2 groups of images that are the same have images in both classes: decide which class is right, and remove the others: no network can learn both
        - 1 group of images that are nearly the same has images in both classes: decide which class is right, and remove the others: no network can learn both
        - only 1 image of 'cat' validates: it moves the specificity by 1, the balanced accuracy by 1/2, the ROC AUC by up to 1 and the accuracy by 1/2, and the 95 % interval of a perfect 1 of 1 reaches from 0.2065 to 1: take neither a small difference nor the best epoch for certain; more images of 'cat' help most. `train --folds 5` validates each of all 5 once, where the interval of a perfect 5 of 5 reaches from 0.5655
        - only 1 image of 'dog' validates: it moves the sensitivity by 1, the balanced accuracy by 1/2, the ROC AUC by up to 1 and the accuracy by 1/2, and the 95 % interval of a perfect 1 of 1 reaches from 0.2065 to 1: take neither a small difference nor the best epoch for certain; more images of 'dog' help most. `train --folds 5` validates each of all 5 once, where the interval of a perfect 5 of 5 reaches from 0.5655

        cat/120.png	cat	training	1×1 PNG RGB
        cat/144.png	cat	training	1×1 PNG RGB
        cat/80.png	cat	training	1×1 PNG RGB
        cat/96.png	cat	training	1×1 PNG RGB
        dog/120.png	dog	training	1×1 PNG RGB
        dog/144.png	dog	training	1×1 PNG RGB
        dog/160.png	dog	training	unreadable
        dog/176.png	dog	training	1×1 PNG RGB
        dog/192.png	dog	training	1×1 PNG RGB
        cat/112.png	cat	validation	1×1 PNG RGB
        dog/100.png	dog	validation	1×1 PNG RGB
    "#]]);
}

#[test]
fn with_json_stdout_is_one_object() {
    let here = known::with_known_answers();
    here.write("greys/dog/160.png", "");
    here.prints("inspect greys --list --validation-split 0.5 --json", expect![[r#"
        {
          "classes": [
            {
              "name": "cat",
              "training": 3,
              "validation": 2
            },
            {
              "name": "dog",
              "training": 3,
              "validation": 3
            }
          ],
          "data": "greys",
          "duplicates": [
            {
              "across_classes": true,
              "across_split": true,
              "files": [
                "cat/144.png",
                "dog/144.png"
              ],
              "kind": "bytes"
            },
            {
              "across_classes": true,
              "across_split": false,
              "files": [
                "cat/120.png",
                "dog/120.png"
              ],
              "kind": "bytes"
            },
            {
              "across_classes": true,
              "across_split": true,
              "files": [
                "cat/144.png",
                "cat/80.png",
                "cat/96.png",
                "dog/176.png",
                "dog/192.png",
                "cat/112.png",
                "cat/120.png",
                "dog/100.png",
                "dog/120.png",
                "dog/144.png"
              ],
              "kind": "near"
            }
          ],
          "files": [
            {
              "class": "cat",
              "file": "cat/144.png",
              "format": "PNG",
              "height": 1,
              "mode": "RGB",
              "orientation": 1,
              "subset": "training",
              "width": 1
            },
            {
              "class": "cat",
              "file": "cat/80.png",
              "format": "PNG",
              "height": 1,
              "mode": "RGB",
              "orientation": 1,
              "subset": "training",
              "width": 1
            },
            {
              "class": "cat",
              "file": "cat/96.png",
              "format": "PNG",
              "height": 1,
              "mode": "RGB",
              "orientation": 1,
              "subset": "training",
              "width": 1
            },
            {
              "class": "dog",
              "file": "dog/160.png",
              "format": null,
              "height": null,
              "mode": null,
              "orientation": null,
              "subset": "training",
              "width": null
            },
            {
              "class": "dog",
              "file": "dog/176.png",
              "format": "PNG",
              "height": 1,
              "mode": "RGB",
              "orientation": 1,
              "subset": "training",
              "width": 1
            },
            {
              "class": "dog",
              "file": "dog/192.png",
              "format": "PNG",
              "height": 1,
              "mode": "RGB",
              "orientation": 1,
              "subset": "training",
              "width": 1
            },
            {
              "class": "cat",
              "file": "cat/112.png",
              "format": "PNG",
              "height": 1,
              "mode": "RGB",
              "orientation": 1,
              "subset": "validation",
              "width": 1
            },
            {
              "class": "cat",
              "file": "cat/120.png",
              "format": "PNG",
              "height": 1,
              "mode": "RGB",
              "orientation": 1,
              "subset": "validation",
              "width": 1
            },
            {
              "class": "dog",
              "file": "dog/100.png",
              "format": "PNG",
              "height": 1,
              "mode": "RGB",
              "orientation": 1,
              "subset": "validation",
              "width": 1
            },
            {
              "class": "dog",
              "file": "dog/120.png",
              "format": "PNG",
              "height": 1,
              "mode": "RGB",
              "orientation": 1,
              "subset": "validation",
              "width": 1
            },
            {
              "class": "dog",
              "file": "dog/144.png",
              "format": "PNG",
              "height": 1,
              "mode": "RGB",
              "orientation": 1,
              "subset": "validation",
              "width": 1
            }
          ],
          "findings": [
            {
              "advice": "mend, convert or remove them, or train with --skip-bad, which leaves them out",
              "finding": "1 file cannot be read",
              "kind": "unreadable"
            },
            {
              "advice": "decide which class is right, and remove the others: no network can learn both",
              "finding": "2 groups of images that are the same have images in both classes",
              "kind": "duplicates_across_classes"
            },
            {
              "advice": "decide which class is right, and remove the others: no network can learn both",
              "finding": "1 group of images that are nearly the same has images in both classes",
              "kind": "near_duplicates_across_classes"
            },
            {
              "advice": "take neither a small difference nor the best epoch for certain; more images of 'cat' help most. `train --folds 5` validates each of all 5 once, where the interval of a perfect 5 of 5 reaches from 0.5655",
              "finding": "only 2 images of 'cat' validate: each of them moves the specificity by 1/2, the balanced accuracy by 1/4, the ROC AUC by up to 1/2 and the accuracy by 1/5, and the 95 % interval of a perfect 2 of 2 reaches from 0.3424 to 1",
              "kind": "few_validated"
            },
            {
              "advice": "take neither a small difference nor the best epoch for certain; more images of 'dog' help most. `train --folds 5` validates each of all 5 once, where the interval of a perfect 5 of 5 reaches from 0.5655",
              "finding": "only 3 images of 'dog' validate: each of them moves the sensitivity by 1/3, the balanced accuracy by 1/6, the ROC AUC by up to 1/3 and the accuracy by 1/5, and the 95 % interval of a perfect 3 of 3 reaches from 0.4385 to 1",
              "kind": "few_validated"
            }
          ],
          "folders_within": [],
          "formats": [
            {
              "count": 10,
              "format": "PNG",
              "mode": "RGB"
            }
          ],
          "giveaways": [],
          "left_out": [
            {
              "file": "dog/160.png",
              "kind": "unreadable",
              "path": "greys/dog/160.png",
              "reason": "greys/dog/160.png cannot be read as an image: the file is empty; fetch it again, or take it out"
            }
          ],
          "mislabelled": [],
          "orientations": [
            {
              "by_class": [
                5,
                5
              ],
              "count": 10,
              "orientation": 1
            }
          ],
          "passed_over": [],
          "positive_class": "dog",
          "sixteen_bits": null,
          "sizes": [
            {
              "count": 10,
              "height": 1,
              "width": 1
            }
          ],
          "turned_upright": false,
          "unreadable": [
            {
              "file": "dog/160.png",
              "reason": "greys/dog/160.png cannot be read as an image: the file is empty; fetch it again, or take it out"
            }
          ],
          "validation_data": null
        }
    "#]]);
}

#[test]
fn what_is_passed_over_is_said_on_stderr() {
    let here = sound();
    here.write("set/stray.png", "");
    here.write("set/cat/.hidden.png", "");
    here.write("set/cat/notes.txt", "");
    here.prints("inspect set", expect![[r#"
        set

        class                      training validation        all
        0 cat                             8          2         10
        1 dog                             8          2         10
        both                             16          4         20
        The positive class is 'dog'.

        Sizes (width×height): 20 of 18×16
        Formats: 20 PNG RGB
        Unreadable files: 0
        Duplicates: 0 groups
        Near duplicates: 0 groups
        Attributes that give the class away: none of size, aspect, format, mode and orientation

        What to do
        - only 2 images of 'cat' validate: each of them moves the specificity by 1/2, the balanced accuracy by 1/4, the ROC AUC by up to 1/2 and the accuracy by 1/4, and the 95 % interval of a perfect 2 of 2 reaches from 0.3424 to 1: take neither a small difference nor the best epoch for certain; more images of 'cat' help most. `train --folds 5` validates each of all 10 once, where the interval of a perfect 10 of 10 reaches from 0.7225
        - only 2 images of 'dog' validate: each of them moves the sensitivity by 1/2, the balanced accuracy by 1/4, the ROC AUC by up to 1/2 and the accuracy by 1/4, and the 95 % interval of a perfect 2 of 2 reaches from 0.3424 to 1: take neither a small difference nor the best epoch for certain; more images of 'dog' help most. `train --folds 5` validates each of all 10 once, where the interval of a perfect 10 of 10 reaches from 0.7225
        - files in set are passed over; the warnings name them: move images among them into a class folder, and the others out of the data
        stderr: warning: set: passed over as hidden (a name that begins with a dot, or __MACOSX): 1 (cat/.hidden.png)
        stderr: warning: set: passed over, not named as an image: 1 (cat/notes.txt)
        stderr: warning: set: passed over, images in no class folder: 1 (stray.png)
    "#]]);
}

/// A set of two classes of the same sizes and formats, in which nothing stands out: pictures that differ from
/// afar.
fn sound() -> Here {
    sound_of(20)
}

/// As [`sound`], of so many pictures, half of them of each class.
fn sound_of(count: u64) -> Here {
    let here = Here::empty();
    for index in 0..count {
        let class = ["cat", "dog"][index as usize % 2];
        here.write(&format!("set/{class}/{:02}.png", index / 2), encoded(noise(index, 18, 16, 60), ImageFormat::Png));
    }
    here
}

#[test]
fn a_sound_set_is_told_so() {
    let here = sound_of(100);
    here.prints(
        "inspect set",
        expect![[r#"
            set

            class                      training validation        all
            0 cat                            40         10         50
            1 dog                            40         10         50
            both                             80         20        100
            The positive class is 'dog'.

            Sizes (width×height): 100 of 18×16
            Formats: 100 PNG RGB
            Unreadable files: 0
            Duplicates: 0 groups
            Near duplicates: 0 groups
            Attributes that give the class away: none of size, aspect, format, mode and orientation

            Nothing else stands out.
        "#]],
    );
}

#[test]
fn duplicates_are_found_by_bytes_pixels_and_look_within_and_across_split_and_classes() {
    let here = sound();
    // The first two of each class validate. The same bytes in both classes; the same bytes on both sides of
    // the split.
    here.write("set/dog/04.png", here.read("set/cat/05.png"));
    here.write("set/cat/06.png", here.read("set/cat/00.png"));
    // The same pixels in another format; and nearly the same, brighter, on one side.
    let picture = |name: &str| image::load_from_memory(&here.read(name)).unwrap();
    here.write("set/dog/07.png", encoded(picture("set/dog/06.png").into_rgb8(), ImageFormat::Bmp));
    here.write("set/dog/09.png", encoded(picture("set/dog/08.png").brighten(9).into_rgb8(), ImageFormat::Png));
    here.prints("inspect set", expect![[r#"
        set

        class                      training validation        all
        0 cat                             8          2         10
        1 dog                             8          2         10
        both                             16          4         20
        The positive class is 'dog'.

        Sizes (width×height): 20 of 18×16
        Formats: 19 PNG RGB, 1 BMP RGB
        Unreadable files: 0
        Duplicates: 3 groups
          cat/05.png, dog/04.png (the same bytes, in both classes)
          cat/06.png, cat/00.png (the same bytes, on both sides of the split)
          dog/06.png, dog/07.png (the same pixels)
        Near duplicates: 1 group
          dog/08.png, dog/09.png (alike)
        Attributes that give the class away: none of size, aspect, format, mode and orientation

        What to do
        - 1 group of images that are the same has images in both classes: decide which class is right, and remove the others: no network can learn both
        - 1 group of images that are the same lies on both sides of the split: keep each on one side, or the validation asks for what was learned by heart: remove all but one, and keep images of one patient together
        - 1 group of images that are the same lies on one side of the split: remove all but one of each, unless they are meant to count more
        - 1 group of images that are nearly the same lies on one side of the split: remove all but one of each, unless they are meant to count more
        - only 2 images of 'cat' validate: each of them moves the specificity by 1/2, the balanced accuracy by 1/4, the ROC AUC by up to 1/2 and the accuracy by 1/4, and the 95 % interval of a perfect 2 of 2 reaches from 0.3424 to 1: take neither a small difference nor the best epoch for certain; more images of 'cat' help most. `train --folds 5` validates each of all 10 once, where the interval of a perfect 10 of 10 reaches from 0.7225
        - only 2 images of 'dog' validate: each of them moves the sensitivity by 1/2, the balanced accuracy by 1/4, the ROC AUC by up to 1/2 and the accuracy by 1/4, and the 95 % interval of a perfect 2 of 2 reaches from 0.3424 to 1: take neither a small difference nor the best epoch for certain; more images of 'dog' help most. `train --folds 5` validates each of all 10 once, where the interval of a perfect 10 of 10 reaches from 0.7225
        - 1 file holds something else than its name says, or more than is read: rename or convert them; they are read by their content, and only their first picture
        stderr: warning: dog/07.png is named as PNG and holds BMP; it was read as that
    "#]]);
    let ran = here.run("inspect set --json");
    let warning = "warning: dog/07.png is named as PNG and holds BMP; it was read as that\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), warning));
    let object = ran.json();
    let wanted = [
        "duplicates_across_classes",
        "duplicates_across_split",
        "duplicates",
        "near_duplicates",
        "few_validated",
        "few_validated",
        "mislabelled",
    ];
    assert_eq!(kinds(&object), wanted);
    assert_eq!(object["duplicates"][0]["files"], json!(["cat/05.png", "dog/04.png"]));
    assert_eq!(object["duplicates"][0]["across_classes"], true);
    assert_eq!(object["duplicates"][3]["kind"], "near");
}

#[test]
fn a_mode_that_gives_the_class_away_and_unequal_classes_are_told() {
    let here = Here::empty();
    for index in 0..24u64 {
        let picture = image::DynamicImage::from(noise(index, 18, 16, 60));
        let mut bytes = std::io::Cursor::new(Vec::new());
        let (class, picture) = match index % 4 {
            0 => ("cat", picture.into_luma8().into()),
            _ => ("dog", picture),
        };
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        here.write(&format!("set/{class}/sub/{index:02}.png"), bytes.into_inner());
    }
    here.prints("inspect set", expect![[r#"
        set

        class                      training validation        all
        0 cat                             5          1          6
        1 dog                            15          3         18
        both                             20          4         24
        The positive class is 'dog'.

        Sizes (width×height): 24 of 18×16
        Formats: 18 PNG RGB, 6 PNG grey
        Unreadable files: 0
        Duplicates: 0 groups
        Near duplicates: 0 groups
        Attributes that give the class away: mode
          mode is RGB: 18 of 18 'dog', 0 of 6 'cat'; balanced accuracy 1.0000 by that alone (p = 1e-5)

        What to do
        - the mode alone tells the classes apart (mode is RGB: balanced accuracy 1.00): a network may learn this instead of what the images show: collect both classes from the same sources, or bring them to one size and format before, and judge on images from elsewhere
        - always answering 'dog' would have accuracy 0.7500: read sensitivity, specificity and ROC AUC beside the accuracy; more images of 'cat' help most
        - only 1 image of 'cat' validates: it moves the specificity by 1, the balanced accuracy by 1/2, the ROC AUC by up to 1 and the accuracy by 1/4, and the 95 % interval of a perfect 1 of 1 reaches from 0.2065 to 1: take neither a small difference nor the best epoch for certain; more images of 'cat' help most. `train --folds 5` validates each of all 6 once, where the interval of a perfect 6 of 6 reaches from 0.6097
        - only 3 images of 'dog' validate: each of them moves the sensitivity by 1/3, the balanced accuracy by 1/6, the ROC AUC by up to 1/3 and the accuracy by 1/4, and the 95 % interval of a perfect 3 of 3 reaches from 0.4385 to 1: take neither a small difference nor the best epoch for certain; more images of 'dog' help most. `train --folds 5` validates each of all 18 once, where the interval of a perfect 18 of 18 reaches from 0.8241
        - 2 folders lie within class folders: make sure that all images in them belong to the class; masks and overlays do not
    "#]]);
}

/// The kinds of the findings.
fn kinds(object: &Value) -> Vec<&str> {
    object["findings"].as_array().unwrap().iter().map(|found| found["kind"].as_str().unwrap()).collect()
}

#[test]
fn what_is_near_a_copy_in_the_other_class_is_told_as_near_across_the_classes() {
    let here = Here::empty();
    let picture = image::DynamicImage::from(noise(1, 18, 16, 60));
    let brighter = encoded(picture.brighten(3).into_rgb8(), ImageFormat::Png);
    here.write("set/a/80.png", encoded(picture.into_rgb8(), ImageFormat::Png));
    here.write("set/a/90.png", &brighter);
    here.write("set/b/95.png", &brighter);
    let object = here.json("inspect set --validation-split 0");
    let group = |kind: &str, files: &[&str]| json!({"kind": kind, "files": files, "across_classes": true, "across_split": false});
    let wanted = [group("bytes", &["a/90.png", "b/95.png"]), group("near", &["a/80.png", "a/90.png", "b/95.png"])];
    assert_eq!(object["duplicates"], json!(wanted));
    assert_eq!(kinds(&object)[..2], ["duplicates_across_classes", "near_duplicates_across_classes"]);
}

#[test]
fn what_is_near_a_copy_on_the_other_side_of_the_split_is_told_as_near_across_the_split() {
    // Of each class the first validates: 10, which is a copy of 30 and near 20.
    let here = Here::empty();
    let picture = |level| encoded(noise(level, 18, 16, 60), ImageFormat::Png);
    let brighter = image::DynamicImage::from(noise(7, 18, 16, 60)).brighten(3).into_rgb8();
    here.write("set/a/10.png", encoded(brighter.clone(), ImageFormat::Png));
    here.write("set/a/20.png", picture(7));
    here.write("set/a/30.png", encoded(brighter, ImageFormat::Png));
    here.write("set/b/100.png", picture(8));
    here.write("set/b/200.png", picture(9));
    let object = here.json("inspect set --validation-split 0.5");
    let wanted = json!({
        "kind": "near", "files": ["a/20.png", "a/30.png", "a/10.png"], "across_classes": false, "across_split": true
    });
    assert_eq!(object["duplicates"][1], wanted);
    assert_eq!(kinds(&object)[..2], ["duplicates_across_split", "near_duplicates_across_split"]);
}

#[test]
fn a_long_group_in_both_classes_names_an_image_of_each() {
    let here = Here::empty();
    for level in (10..20).chain([30, 40]) {
        let class = if level < 30 { "cat" } else { "dog" };
        here.write(&format!("set/{class}/{level}.png"), known::grey(level));
    }
    let told = here.done("inspect set --validation-split 0");
    let line =
        "  cat/10.png, cat/11.png, cat/12.png, cat/13.png, cat/14.png, dog/30.png and 6 more (alike, in both classes)";
    assert!(told.contains(line), "{told}");
}

#[test]
fn few_validation_images_are_told_with_what_they_can_tell_and_what_folds_would_give() {
    // The counts of the documented set: 33 and 103 images, of which 6 and 20 validate.
    let here = Here::empty();
    for (class, count) in [("benign", 33), ("malignant", 103)] {
        for index in 0..count {
            let picture = noise(index + 1000 * u64::from(class == "benign"), 9, 8, 60);
            here.write(&format!("set/{class}/{index:03}.png"), encoded(picture, ImageFormat::Png));
        }
    }
    let object = here.json("inspect set");
    let found: Vec<&Value> = object["findings"].as_array().unwrap().iter().collect();
    let few: Vec<&&Value> = found.iter().filter(|found| found["kind"] == "few_validated").collect();
    assert_eq!(few.len(), 1, "{found:?}");
    expect![[r#"
        only 6 images of 'benign' validate: each of them moves the specificity by 1/6, the balanced accuracy by 1/12, the ROC AUC by up to 1/6 and the accuracy by 1/26, and the 95 % interval of a perfect 6 of 6 reaches from 0.6097 to 1
        take neither a small difference nor the best epoch for certain; more images of 'benign' help most. `train --folds 5` validates each of all 33 once, where the interval of a perfect 33 of 33 reaches from 0.8957
    "#]].assert_eq(&format!(
        "{}\n{}\n",
        few[0]["finding"].as_str().unwrap(),
        few[0]["advice"].as_str().unwrap()
    ));
    // An image that cannot be read validates nothing.
    here.write("set/benign/000.png", "");
    let told = here.done("inspect set");
    assert!(told.contains("only 5 images of 'benign' validate: each of them moves the specificity by 1/5,"), "{told}");
}

#[test]
fn a_single_validation_image_is_told_and_folds_are_not_proposed_beside_other_data() {
    let here = sound();
    for (class, seed) in [("cat", 90), ("dog", 91)] {
        here.write(&format!("other/{class}/1.png"), encoded(noise(seed, 18, 16, 60), ImageFormat::Png));
    }
    let told = here.done("inspect set --validation-data other");
    expect![[r#"
        What to do
        - only 1 image of 'cat' validates: it moves the specificity by 1, the balanced accuracy by 1/2, the ROC AUC by up to 1 and the accuracy by 1/2, and the 95 % interval of a perfect 1 of 1 reaches from 0.2065 to 1: take neither a small difference nor the best epoch for certain; more images of 'cat' help most
        - only 1 image of 'dog' validates: it moves the sensitivity by 1, the balanced accuracy by 1/2, the ROC AUC by up to 1 and the accuracy by 1/2, and the 95 % interval of a perfect 1 of 1 reaches from 0.2065 to 1: take neither a small difference nor the best epoch for certain; more images of 'dog' help most
    "#]].assert_eq(&told[told.find("What to do").unwrap()..]);
}

#[test]
fn a_printed_ratio_of_width_and_height_counts_what_it_says() {
    // 18 / 14 is 1.2857…, which 1.286 would not hold for.
    let here = Here::with_set();
    let told = here.done("inspect set");
    assert!(told.contains("width / height is at least 1.2: 14 of 14 'dog', 0 of 10 'cat'"), "{told}");
}

#[test]
fn a_class_without_a_readable_validation_image_is_told_as_the_table_counts_it_and_what_folds_would_give() {
    let here = Here::empty();
    let picture = |seed| encoded(noise(seed, 16, 16, 40), ImageFormat::Png);
    for (class, images) in [("cat", 5), ("dog", 4)] {
        for index in 0..images {
            here.write(&format!("set/{class}/{index}.png"), picture(index + 10 * images));
        }
    }
    here.write("set/cat/0.png", "broken");
    let found = |finding: &str| {
        let report = here.run("inspect set --json --quiet").json();
        let found = report["findings"].as_array().unwrap().iter().find(|found| found["kind"] == "not_validated");
        let found = found.unwrap_or_else(|| panic!("{report}"));
        assert_eq!(found["finding"], finding);
        found["advice"].as_str().unwrap().to_string()
    };
    let advice = found("the one image of 'cat' that would validate cannot be read, and no image of 'dog' validates");
    let folds =
        "`train --folds 4` validates each of all 4 once, where the interval of a perfect 4 of 4 reaches from 0.5101";
    assert!(advice.ends_with(folds), "{advice}");
}

#[test]
fn where_no_image_can_be_read_there_is_no_line_of_sizes_or_formats_and_names_that_are_guessed_pass_nothing_over() {
    let here = Here::empty();
    for name in ["set/cat/1.png", "set/dog/1.png"] {
        here.write(name, "broken");
    }
    let ran = here.run("inspect set");
    assert!(ran.stdout.contains("Unreadable files: 2"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("Sizes") && !ran.stdout.contains("Formats"), "{}", ran.stdout);

    // A zip that does not tell that its names are UTF-8.
    let mut zip = zipped(&super::set());
    let name = b"cat/";
    let places: Vec<usize> = (0..zip.len() - 4).filter(|&place| &zip[place..place + 4] == name).collect();
    for place in places {
        zip[place..place + 3].copy_from_slice(b"c\x82t");
    }
    here.write("set.zip", zip);
    let ran = here.run("inspect set.zip --json --quiet");
    assert!(ran.stderr.contains("so these are guessed"), "{}", ran.stderr);
    let report = ran.json();
    assert_eq!(report["left_out"], serde_json::json!([]));
    assert!(report["findings"].as_array().unwrap().iter().all(|found| found["kind"] != "passed_over"), "{report}");
}
