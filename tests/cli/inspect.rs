//! `glassnet inspect`.

use super::{Here, encoded, keys, noise};
use image::ImageFormat;

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
Duplicates: 0 groups
Near duplicates: 0 groups
Attributes that give the class away: size, width, height, aspect
  size is 16×16: 0 of 14 'dog', 10 of 10 'cat'; balanced accuracy 1.0000 by that alone (p = 3e-6)
  width is at least 18: 14 of 14 'dog', 0 of 10 'cat'; balanced accuracy 1.0000 by that alone (p = 3e-6)
  height is at least 16: 0 of 14 'dog', 10 of 10 'cat'; balanced accuracy 1.0000 by that alone (p = 3e-6)
  width / height is at least 1.286: 14 of 14 'dog', 0 of 10 'cat'; balanced accuracy 1.0000 by that alone (p = 3e-6)

What to do
- the size alone tells the classes apart (size is 16×16: balanced accuracy 1.00), and so does each of: width, height, aspect: \
a network may learn this instead of what the images show: collect both classes from the same sources, or bring them to one size \
and format before, and judge on images from elsewhere
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
    let part =
        "\nUnreadable files: 1\n  set/cat/00.png cannot be read as an image: the file is empty\nDuplicates: 0 groups\n";
    assert!(stdout.contains(part), "{stdout}");
    let advice = "\nWhat to do\n- 1 file cannot be read: mend, convert or remove them, or train with --skip-bad, which leaves them out\n";
    assert!(stdout.contains(advice), "{stdout}");
    assert!(here.done("inspect set --list").contains("\ncat/00.png\tcat\tvalidation\tunreadable\n"));
}

#[test]
fn with_json_stdout_is_one_object() {
    let here = Here::with_set();
    let object = here.json("inspect set");
    let wanted = "classes data duplicates findings folders_within formats giveaways mislabelled passed_over positive_class sizes \
                  unreadable";
    assert_eq!(keys(&object).join(" "), wanted);
    assert_eq!(object["giveaways"][0]["rule"], "size is 16×16");
    assert_eq!(object["giveaways"][0]["class"], "cat");
    assert_eq!(keys(&object["findings"][0]), ["advice", "finding", "kind"]);
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

/// A set of two classes of the same sizes and formats, in which nothing stands out: pictures that differ from afar.
fn sound() -> Here {
    let here = Here::empty();
    for index in 0..20u64 {
        let class = ["cat", "dog"][index as usize % 2];
        here.write(&format!("set/{class}/{:02}.png", index / 2), encoded(noise(index, 18, 16, 60), ImageFormat::Png));
    }
    here
}

#[test]
fn a_sound_set_is_told_so() {
    let here = sound();
    let end = "\nUnreadable files: 0\nDuplicates: 0 groups\nNear duplicates: 0 groups\n\
               Attributes that give the class away: none of size, aspect, format and mode\n\nNothing else stands out.\n";
    let stdout = here.done("inspect set");
    assert!(stdout.ends_with(end), "{stdout}");
}

#[test]
fn duplicates_are_found_by_bytes_pixels_and_look_within_and_across_split_and_classes() {
    let here = sound();
    // The first two of each class validate. The same bytes in both classes; the same bytes on both sides of the split.
    here.write("set/dog/04.png", here.read("set/cat/05.png"));
    here.write("set/cat/06.png", here.read("set/cat/00.png"));
    // The same pixels in another format; and nearly the same, brighter, on one side.
    let picture = |name: &str| image::load_from_memory(&here.read(name)).unwrap();
    here.write("set/dog/07.png", encoded(picture("set/dog/06.png").into_rgb8(), ImageFormat::Bmp));
    here.write("set/dog/09.png", encoded(picture("set/dog/08.png").brighten(9).into_rgb8(), ImageFormat::Png));
    let ran = here.run("inspect set");
    assert_eq!(ran.code, Some(0));
    assert_eq!(ran.stderr, "warning: dog/07.png is named as PNG and holds BMP; it was read as that\n");
    let groups = "
Duplicates: 3 groups
  cat/05.png, dog/04.png (the same bytes, in both classes)
  cat/06.png, cat/00.png (the same bytes, on both sides of the split)
  dog/06.png, dog/07.png (the same pixels)
Near duplicates: 1 group
  dog/08.png, dog/09.png (alike)
";
    assert!(ran.stdout.contains(groups), "{}", ran.stdout);
    let kinds = |object: &serde_json::Value| -> Vec<String> {
        object["findings"].as_array().unwrap().iter().map(|found| found["kind"].as_str().unwrap().to_string()).collect()
    };
    let object = here.json("inspect set");
    let wanted =
        ["duplicates_across_classes", "duplicates_across_split", "duplicates", "near_duplicates", "mislabelled"];
    assert_eq!(kinds(&object), wanted);
    assert_eq!(object["duplicates"][0]["files"], serde_json::json!(["cat/05.png", "dog/04.png"]));
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
    let stdout = here.done("inspect set");
    let row = "  mode is RGB: 18 of 18 'dog', 0 of 6 'cat'; balanced accuracy 1.0000 by that alone (p = 1e-5)\n";
    assert!(stdout.contains("\nAttributes that give the class away: mode\n"), "{stdout}");
    assert!(stdout.contains(row), "{stdout}");
    let imbalance =
        "- always answering 'dog' would have accuracy 0.7500: read sensitivity, specificity and ROC AUC beside";
    assert!(stdout.contains(imbalance), "{stdout}");
    assert!(stdout.contains("- 2 folders lie within class folders: make sure that"), "{stdout}");
}
