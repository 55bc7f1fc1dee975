//! 12 bits in images of 16: told, stretched by `--range`, and so by all that a model was trained for.

use super::{Here, encoded, noise};
use expect_test::expect;
use glassnet::random::{Purpose, Stream};
use image::{ImageBuffer, ImageFormat, Luma};
use std::io::Cursor;

const NARROW: &str = "warning: 16-bit images hold values from 1000 to 1419, where black is 0 and white 65535: of 256 levels they use \
                      3; --range auto stretches these values from black to white, for train and for all that its weights predict; \
                      samples --range auto shows it\n";

const TRAIN: &str = "train deep --model tiny.toml --epochs 12 --learning-rate 0.01 --dropout 0";

/// A PNG of 16-bit grey whose samples are from `level` to `level` + 219.
fn deep(seed: u64, level: u16) -> Vec<u8> {
    let mut stream = Stream::new(seed, Purpose::Test, 1, 0);
    let mut picture =
        ImageBuffer::<Luma<u16>, Vec<u16>>::from_fn(16, 16, |_, _| Luma([level + stream.below(220) as u16]));
    // Both ends are there in each.
    picture.put_pixel(0, 0, Luma([level]));
    picture.put_pixel(15, 15, Luma([level + 219]));
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A set `deep` of 10 cats and 14 dogs, which are brighter by 200 of 65,535.
fn with_deep() -> Here {
    let here = Here::empty();
    for index in 0..24 {
        let (class, level) = if index < 10 { ("cat", 1000) } else { ("dog", 1200) };
        here.write(&format!("deep/{class}/{index:02}.png"), deep(index, level));
    }
    here
}

#[test]
fn inspect_tells_what_sixteen_bits_hold_and_what_to_do() {
    let here = with_deep();
    here.prints("inspect deep", expect![[r#"
        deep

        class                      training validation        all
        0 cat                             8          2         10
        1 dog                            12          2         14
        both                             20          4         24
        The positive class is 'dog'.

        Sizes (width×height): 24 of 16×16
        Formats: 24 PNG 16-bit grey
        Images of 16 bits: 24, with values from 1000 to 1419 of 0 to 65535
        Unreadable files: 0
        Duplicates: 0 groups
        Near duplicates: 0 groups
        Attributes that give the class away: none of size, aspect, format, mode and orientation

        What to do
        - only 2 images of 'cat' validate: each of them moves the specificity by 1/2, the balanced accuracy by 1/4, the ROC AUC by up to 1/2 and the accuracy by 1/4, and the 95 % interval of a perfect 2 of 2 reaches from 0.3424 to 1: take neither a small difference nor the best epoch for certain; more images of 'cat' help most. `train --folds 5` validates each of all 10 once, where the interval of a perfect 10 of 10 reaches from 0.7225
        - only 2 images of 'dog' validate: each of them moves the sensitivity by 1/2, the balanced accuracy by 1/4, the ROC AUC by up to 1/2 and the accuracy by 1/4, and the 95 % interval of a perfect 2 of 2 reaches from 0.3424 to 1: take neither a small difference nor the best epoch for certain; more images of 'dog' help most. `train --folds 5` validates each of all 14 once, where the interval of a perfect 14 of 14 reaches from 0.7847
        - 16-bit images hold values from 1000 to 1419, where black is 0 and white 65535: of 256 levels they use 3: --range auto stretches these values from black to white, for train and for all that its weights predict; samples --range auto shows it
    "#]]);
    let object = here.json("inspect deep");
    assert_eq!(object["sixteen_bits"], serde_json::json!({"images": 24, "smallest": 1000, "largest": 1419}));
    assert_eq!(Here::with_set().json("inspect set")["sixteen_bits"], serde_json::Value::Null);
    // A white label in one image: --range auto would be no help.
    let mut labelled = image::load_from_memory(&deep(99, 1000)).unwrap().into_luma16();
    labelled.put_pixel(3, 3, Luma([65_535]));
    let mut bytes = Cursor::new(Vec::new());
    labelled.write_to(&mut bytes, ImageFormat::Png).unwrap();
    here.write("deep/cat/99.png", bytes.into_inner());
    here.write("deep/dog/99.png", encoded(noise(1, 16, 16, 9), ImageFormat::Png));
    let object = here.json("inspect deep");
    let found = object["findings"].as_array().unwrap().iter().find(|found| found["kind"] == "narrow_range").unwrap();
    expect![[r#"
        16-bit images hold values from 1000 to 65535, most of them from 1000 to 1419, where black is 0 and white 65535: of 256 levels they use 3
        --range 1000,1419 stretches these values from black to white and clips the rest, for train and for all that its weights predict; samples --range 1000,1419 shows it; images of 8 bits stay as they are"#]].assert_eq(&format!("{}\n{}", found["finding"].as_str().unwrap(), found["advice"].as_str().unwrap()));
}

#[test]
fn twelve_bits_in_sixteen_teach_nothing_without_a_range_and_all_with_one() {
    let here = with_deep();
    let ran = here.run(&format!("{TRAIN} --out dark --json --quiet"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), NARROW));
    let dark = ran.json();
    let (accuracy, majority) = (&dark["validation"]["accuracy"], &dark["validation"]["majority_share"]);
    assert_eq!(accuracy, majority, "no skill: {dark}");
    let stretched = here.json(&format!("{TRAIN} --range auto --out auto"));
    assert_eq!(stretched["validation"]["accuracy"], 1.0, "{stretched}");

    let config = here.text("auto/config.toml");
    assert!(config.contains("\nrange = \"auto\"\n") && config.contains("\nrange = [1000, 1419]\n"), "{config}");
    assert!(!here.text("dark/config.toml").contains("range"));
    let stdout = here.done(&format!("{TRAIN} --range 1000,1419 --out given"));
    let line = "\nImages are read with 16-bit values from 1000 to 1419 stretched; all 16 bits kept\n";
    assert!(stdout.contains(line), "{stdout}");
    here.done(&format!("{TRAIN} --range auto --cache 0 --quiet --out anew"));
    for file in ["steps.csv", "predictions.csv", "weights/best.safetensors"] {
        let of = |run: &str| here.read(&format!("{run}/{file}"));
        assert!(of("given") == of("auto") && of("anew") == of("auto"), "{file}");
    }

    // What predicts takes it from the weights.
    let object = here.json("evaluate auto deep");
    let reading = serde_json::json!({"range": [1000, 1419], "bit_depth": 16});
    assert_eq!((&object["accuracy"], &object["reading"]), (&1.0.into(), &reading));
    here.write("new.png", deep(77, 1200));
    let new = here.json("predict auto new.png");
    assert_eq!(new["predictions"][0]["class"], "dog");
    assert_eq!(new["reading"], reading);
}

#[test]
fn sixteen_bits_are_kept_unless_eight_are_asked_for_and_a_run_goes_on_with_what_it_had() {
    let here = with_deep();
    let train = TRAIN.replace("--epochs 12", "");
    let weights = |run: &str| here.read(&format!("{run}/weights/last.safetensors"));
    for (run, flags) in [("kept", "--range auto"), ("cut", "--range auto --bit-depth 8")] {
        here.done(&format!("{train} --epochs 3 {flags} --out {run}"));
        here.done(&format!("{train} --epochs 2 {flags} --out {run}-part"));
        here.done(&format!("train --resume {run}-part --epochs 3"));
        assert!(weights(run) == weights(&format!("{run}-part")), "{run}");
    }
    assert!(weights("kept") != weights("cut"));
    // A run of 8 bits is written as all were before there were 16, and so are its weights.
    assert!(!here.text("cut/config.toml").contains("bit_depth"));
    assert!(here.text("kept/config.toml").contains("\nbit_depth = 16\n"));
    let reading = |run: &str| here.json(&format!("evaluate {run} deep"))["reading"].clone();
    assert_eq!(reading("cut"), serde_json::json!({"range": [1000, 1419]}));
    assert_eq!(reading("kept"), serde_json::json!({"range": [1000, 1419], "bit_depth": 16}));
    let asked = "is asked for; leave it out to go on, or start a new run";
    here.refused(
        "train --resume kept-part --epochs 4 --bit-depth 8",
        2,
        &format!("--bit-depth: the run in kept-part has 16, and 8 {asked}"),
    );
    here.refused(
        "train --resume cut-part --epochs 4 --bit-depth 16",
        2,
        &format!("--bit-depth: the run in cut-part has 8, and 16 {asked}"),
    );
    here.misused("train deep --bit-depth 12", "invalid value '12' for '--bit-depth <BITS>': it must be 8 or 16");
    // Bits that no training image has are none that the model reads.
    let set = Here::with_set();
    let told = set.done("train set --model tiny.toml --epochs 1 --out run");
    assert!(!told.contains("16 bits"), "{told}");
    assert_eq!(set.json("evaluate run set")["reading"], serde_json::Value::Null);
}

#[test]
fn a_run_goes_on_with_its_range_and_each_fold_has_that_of_its_training_images() {
    let here = with_deep();
    let train = TRAIN.replace("--epochs 12", "");
    here.done(&format!("{train} --epochs 3 --range auto --out whole"));
    here.done(&format!("{train} --epochs 2 --range auto --out parted"));
    here.done("train --resume parted --epochs 3");
    assert!(here.read("parted/weights/last.safetensors") == here.read("whole/weights/last.safetensors"));
    here.refused(
        "train --resume parted --epochs 4 --range 0,4095",
        2,
        "--range: the run in parted has auto, and 0,4095 is asked for; leave it out to go on, or start a new run",
    );

    // The brightest dog of all is in one fold's validation part, so the other's range alone has it.
    here.write("deep/dog/23.png", deep(50, 1400));
    here.done(&format!("{train} --epochs 1 --folds 2 --range auto --out folds"));
    let range = |fold: &str| {
        let config = here.text(&format!("folds/{fold}/config.toml"));
        config.lines().find(|line| line.starts_with("range = [")).unwrap().to_string()
    };
    let mut ranges = [range("fold1"), range("fold2")];
    ranges.sort();
    assert_eq!(ranges, ["range = [1000, 1419]", "range = [1000, 1619]"]);
    assert!(!here.text("folds/config.toml").contains("range = ["));
}

#[test]
fn samples_show_the_range_and_images_of_eight_bits_stay_as_they_are() {
    let here = with_deep();
    here.done("samples deep --out dark.png");
    let stdout = here.done("samples deep --out auto.png --range auto");
    let told =
        "Drew 6 images of 'cat' and 6 of 'dog', read with 16-bit values from 1000 to 1419 stretched, into auto.png\n";
    assert_eq!(stdout, told);
    here.done("samples deep --out given.png --range 1000,1419");
    assert!(here.read("auto.png") == here.read("given.png") && here.read("auto.png") != here.read("dark.png"));

    here.write("deep/dog/99.png", encoded(noise(1, 16, 16, 9), ImageFormat::Png));
    let ran = here.run("train deep --model tiny.toml --epochs 1 --range auto --out run");
    let note = "warning: --range auto: it stretches 24 images of 16 bits, and leaves 1 image of 8 bits as they are\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), note));
}

#[test]
fn ranges_that_cannot_be_are_refused_in_a_sentence() {
    let here = Here::with_set();
    for value in ["5,5", "9,3", "0,65536", "1", "0,4095,9", "x,y", "-1,5"] {
        let sentence = format!(
            "invalid value '{value}' for '--range <auto|MIN,MAX>': it must be auto, or two whole numbers from 0 to 65535, the \
             smaller first, such as 0,4095"
        );
        here.misused(&format!("train set --range={value}"), &sentence);
    }
    let reason = "--range auto: none of the images that train has more than 8 bits; leave it out";
    let ran = here.run("train set --model tiny.toml --range auto --out run");
    assert_eq!((ran.code, ran.stderr), (Some(2), format!("error: {reason}\n")));
    assert!(!here.path("run").exists());
    here.refused(
        "samples set --out a.png --range auto",
        2,
        "--range auto: none of the images has more than 8 bits; leave it out",
    );
    let ran = here.run("train set --model tiny.toml --epochs 1 --range 0,4095 --out run");
    let note = "warning: --range 0,4095: no image has more than 8 bits, so it changes nothing\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), note));
}
